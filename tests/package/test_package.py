"""The archives in dist/, installed where nothing else is, as a stranger would.

``make package`` builds them first. Nothing here may see the source: programs run in
isolated mode, and in another folder.
"""

import importlib.util
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.package.environments import ROOT, archive, program, run

import chalkgrad
from chalkgrad._core.install import advise
from chalkgrad.lecture._claims import blocks

DOCS = ROOT / "docs"
USER = Path(__file__).with_name("user.py")
QUICK = ["P3", "X1"]


def installed(place):
    """Return the names of the packages in an environment."""
    return {
        re.sub(r"-.*", "", path.name) for path in place.glob("[Ll]ib/**/*.dist-info")
    }


def judges(page):
    """Tell whether a page judges a claim."""
    return any(blocks(page.read_text("utf-8")))


def test_the_wheel_holds_the_package_and_no_more():
    names = zipfile.ZipFile(archive("*.whl")).namelist()
    version = chalkgrad.__version__
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"chalkgrad", f"chalkgrad-{version}.dist-info"}
    kinds = {Path(name).suffix for name in names if name.startswith("chalkgrad/")}
    assert kinds == {".py", ".typed", ".npz", ".txt", ".toml", ".md", ".json"}
    pages = {name for name in names if name.endswith(".md")}
    judged = {page.relative_to(DOCS) for page in DOCS.rglob("*.md") if judges(page)}
    assert pages == {f"chalkgrad/lecture/pages/{page.as_posix()}" for page in judged}
    licences = {Path(name).name for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "digits.LICENSE.txt"}


def test_the_source_archive_holds_what_it_needs():
    with tarfile.open(archive("*.tar.gz")) as source:
        names = [Path(name).parts[1:] for name in source.getnames()]
    assert {name[0] for name in names} == {
        ".gitignore",
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "docs",
        "hatch_build.py",
        "pyproject.toml",
        "src",
        "tests",
    }
    assert not [name for name in names if "chalkdocs" in name]


def test_numpy_alone_is_enough(plain, tmp_path):
    assert installed(plain) == {"chalkgrad", "numpy"}
    version = f"chalkgrad {chalkgrad.__version__}\n"
    assert run(program(plain, "chalkgrad"), "--version", cwd=tmp_path) == version
    answer = run(program(plain, "python"), "-I", USER, cwd=tmp_path)
    assert 0 <= float(answer) < 0.1
    twin = ("-I", "-W", "error", "-c", "import chalkgrad.torch")
    said = run(program(plain, "python"), *twin, cwd=tmp_path, code=1)
    assert "pip install" in said
    assert advise("torch") in said


def test_the_source_archive_installs_the_same(plain, install):
    place = install([archive("*.tar.gz")])
    record = f"[Ll]ib/**/chalkgrad-{chalkgrad.__version__}.dist-info/RECORD"
    ours, theirs = (next(where.glob(record)) for where in (plain, place))
    of_the_package = re.compile(r"^chalkgrad/.*", re.M)
    assert of_the_package.findall(ours.read_text()) == of_the_package.findall(
        theirs.read_text()
    )


def test_the_extra_brings_the_other_backend(with_torch, plain, tmp_path):
    twin = tmp_path / "twin.py"
    twin.write_text(USER.read_text().replace("chalkgrad.numpy", "chalkgrad.torch"))
    ours = float(run(program(plain, "python"), "-I", USER, cwd=tmp_path))
    theirs = float(run(program(with_torch, "python"), "-I", twin, cwd=tmp_path))
    assert theirs == pytest.approx(ours, abs=1e-6)
    check_claims(with_torch, tmp_path, "torch")


def check_claims(place, folder, backend):
    """Let the installed command check what two quick pages claim."""
    command = [program(place, "chalkgrad"), "claims", *QUICK, "--backend", backend]
    told = run(*command, cwd=folder)
    assert told.endswith(f"{len(QUICK)} of {len(QUICK)} verdicts confirmed.\n")


def test_claims_are_checked_by_numpy_alone(plain, tmp_path):
    check_claims(plain, tmp_path, "numpy")
    command = program(plain, "chalkgrad"), "claims", "T1"
    told = run(*command, cwd=tmp_path, code=2)
    assert "T1  needs sklearn" in told
    assert told.endswith(f"{advise('lecture')}\n")


def test_doctor_says_what_an_installation_can_do(plain, tmp_path):
    told = run(program(plain, "chalkgrad"), "doctor", cwd=tmp_path)
    assert f"chalkgrad  {chalkgrad.__version__}, in {plain}" in told
    assert advise("cli") in told


def test_nothing_is_left_when_it_goes(install, tmp_path):
    place = install(["--no-deps", archive("*.whl")])
    pip = sys.executable, "-m", "pip", "--python", program(place, "python")
    assert list(place.rglob("chalkgrad*"))
    run(*pip, "uninstall", "--quiet", "--yes", "chalkgrad")
    assert list(place.rglob("chalkgrad*")) == []


@pytest.fixture(params=["mypy", "pyright"])
def check(request, plain, tmp_path):
    """Give each type checker, as somebody runs it who has installed the wheel."""
    python = program(plain, "python")
    ways = {
        "mypy": [sys.executable, "-m", "mypy", "--strict", "--python-executable"],
        "pyright": [ROOT / "node_modules/.bin/pyright", "--pythonpath"],
    }
    command = [*ways[request.param], python]
    there = importlib.util.find_spec("mypy"), shutil.which(command[0])
    if not all(there):
        pytest.skip(f"{request.param} is not installed")

    def checked(text, fails):
        path = tmp_path / "user.py"
        path.write_text(text)
        return run(*command, path, cwd=tmp_path, code=int(fails))

    return checked


def test_types_are_seen_from_outside(check):
    check(USER.read_text(), fails=False)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("lr=0.1", "momentum=0.1"),
        ('"tanh"', "3"),
        ("cg.losses.mse)\n", "cg.losses.mse, 1, 2, 3)\n"),
        ("net.forward(w, x)", "net.forwards(w, x)"),
    ],
)
def test_a_mistake_is_an_error_of_types(check, right, wrong):
    text = USER.read_text()
    assert right in text
    assert "error" in check(text.replace(right, wrong, 1), fails=True)
