"""What is made anew when a file changes: what reaches it by its imports, no more."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chalkdocs import artifacts, sources
from chalkdocs.artifacts import Artifact
from chalkdocs.page_errors import PageError
from chalkdocs.sources import ROOT, SOURCE

SCRIPTS = [
    *sorted((SOURCE / "chalkdocs/figures").glob("[!_]*.py")),
    SOURCE / "chalkdocs/widgets.py",
    SOURCE / "chalkgrad/cli/__init__.py",
    *sorted((ROOT / "docs/labs").glob("*.py")),
]


@pytest.fixture
def tree(tmp_path):
    """Copy all that comes into what the pages show."""
    skip = shutil.ignore_patterns("__pycache__", "katex")
    for folder in ("src", "docs/labs", "benchmarks/results"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skip)
    shutil.copy(ROOT / "benchmarks/bars.toml", tmp_path / "benchmarks")
    return tmp_path


def states(tree):
    return {
        path.relative_to(ROOT).with_suffix("").as_posix(): sources.digest(
            tree / path.relative_to(ROOT), source=tree / "src"
        )
        for path in SCRIPTS
    }


def anew(tree, file, add="\nADDED = 1\n"):
    """Change a file; return the names of what is made anew."""
    before = states(tree)
    with (tree / file).open("a", encoding="utf-8") as source:
        source.write(add)
    after = states(tree)
    return {Path(name).name for name in before if before[name] != after[name]}


def test_a_figure_is_drawn_anew_when_it_changes_and_only_it(tree):
    found = anew(tree, "src/chalkdocs/figures/gradient_descent.py")
    assert found == {"gradient_descent"}


# What a change of a file reaches, and what it does not.
REACHED = {
    # What names the topic, and the command, which takes any name.
    "perceptron/_numpy.py": (
        {"neuron", "wiring", "__init__"},
        {"gradient_descent", "backpropagation", "depth", "sweep"},
    ),
    # What names the network, which imports the losses.
    "losses/_numpy.py": (
        {"depth", "sweep", "features"},
        {"gradient_descent", "backpropagation", "reverse_mode"},
    ),
    "optimizers/_numpy.py": (
        {"gradient_descent", "adaptive_rates", "__init__"},
        {"backpropagation", "reverse_mode", "pipeline", "comparison"},
    ),
    "network/_torch.py": (
        {"architecture", "digits", "__init__"},
        {"gradient_descent", "depth", "sweep", "features"},
    ),
    "_core/check.py": (
        {"gradient_descent", "depth", "sweep", "widgets", "__init__"},
        {"style"},
    ),
}


@pytest.mark.parametrize("file", REACHED)
def test_a_file_of_the_package_reaches_what_comes_to_it_by_imports(tree, file):
    found = anew(tree, f"src/chalkgrad/{file}")
    reached, others = REACHED[file]
    assert reached <= found
    assert not others & found


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("benchmarks/results/race.json", {"adaptive_rates", "benchmarks"}),
        ("benchmarks/bars.toml", {"benchmarks"}),
    ],
)
def test_a_measurement_draws_what_shows_it(tree, file, names):
    assert anew(tree, file, "\n") == names


def test_data_reach_what_loads_them(tree):
    path = tree / "src/chalkgrad/data/digits.npz"
    before = states(tree)
    path.write_bytes(path.read_bytes() + b"\0")
    after = states(tree)
    assert before["docs/labs/digits"] != after["docs/labs/digits"]
    name = "src/chalkdocs/figures/gradient_descent"
    assert before[name] == after[name]


def test_another_version_of_a_package_reaches_what_imports_it(tree, monkeypatch):
    before = states(tree)
    versions = {"torch": "9.0", "numpy": sources._version("numpy")}
    monkeypatch.setattr(sources, "_version", lambda name: versions.get(name, ""))
    monkeypatch.setattr(sources.platform, "python_version", lambda: "")
    others = states(tree)
    versions["torch"] = "9.1"
    after = states(tree)
    found = {Path(name).name for name in after if after[name] != others[name]}
    assert {"architecture", "digits"} <= found
    assert "reverse_mode" not in found
    assert not before.items() & others.items()


def test_words_make_nothing_anew(tree):
    assert anew(tree, "src/chalkgrad/_core/check.py", "\n# A comment.\n\n") == set()


@pytest.mark.parametrize(
    "text",
    [
        "import chalkgrad.numpy as cg\nshow(cg)\n",
        "import chalkgrad.numpy as cg\ngetattr(cg, name)\n",
        "import chalkgrad.numpy as cg\ncg.nowhere\n",
        "import chalkgrad.numpy as cg\n",
        "from chalkgrad.numpy import losses\n",
        "import importlib\nimportlib.import_module(f'chalkgrad.{backend}')\n",
    ],
)
def test_where_it_cannot_be_seen_what_is_used_everything_is(tree, text):
    path = tree / "docs/labs/new.py"
    path.write_text(text, "utf-8")
    reached = {p.parent.name for p in sources.dependencies(path, tree / "src")}
    topics = {p.name for p in (tree / "src/chalkgrad").iterdir() if p.is_dir()}
    assert topics - {"cli", "interop", "lecture", "__pycache__"} <= reached


def test_a_name_of_a_facade_reaches_its_topic_and_what_that_imports(tree):
    path = tree / "docs/labs/new.py"
    path.write_text("import chalkgrad.torch as cg\ncg.data.digits()\n", "utf-8")
    needed = sources.dependencies(path, tree / "src")
    names = {p.relative_to(tree / "src").as_posix() for p in needed - {path}}
    assert {"chalkgrad/data/_shared.py", "chalkgrad/data/digits.npz"} <= names
    assert not [name for name in names if "optimizers" in name]


def test_a_file_is_read_again_when_it_has_changed(tmp_path):
    reads = []
    read = sources.read_once(lambda path: reads.append(path) or path.read_text("utf-8"))
    path = tmp_path / "page.md"
    for text in ("one", "three"):
        path.write_text(text, "utf-8")
        assert read(path) == read(path) == text
    assert len(reads) == 2


def test_what_nobody_reads_is_not_kept_for_ever(tmp_path):
    code = (
        "import sys; from pathlib import Path; from chalkdocs import sources\n"
        "sources.MANY = 2; sources.STORE = Path('kept.json')\n"
        "for name in sys.argv[1:]: sources.read(Path(name))"
    )

    def kept(*names):
        command = [sys.executable, "-c", code, *names]
        subprocess.run(command, check=True, cwd=tmp_path)
        (known,) = json.loads((tmp_path / "kept.json").read_text("utf-8")).values()
        return len(known)

    for name in "abc":
        (tmp_path / name).write_text(f"{name} = 1\n", "utf-8")
    assert kept("a") == 1
    assert kept("b") == 2
    assert kept("c") == 1
    assert kept("a", "b", "c") == 3


def test_what_a_file_says_is_parsed_once(tree, monkeypatch):
    path = tree / "docs/labs/sweep.py"
    said = sources.read(path)
    monkeypatch.setattr(sources.ast, "parse", None)
    assert sources.read(path) is said
    again = tree / "docs/labs/again.py"
    again.write_bytes(path.read_bytes())  # the same content under another name
    assert sources.read(again) == said


# --- Making ---------------------------------------------------------------------------


@pytest.fixture
def artifact(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "_DURATIONS", tmp_path / "durations.json")

    def new(name, make=None):
        path = tmp_path / name
        make = make or (lambda: path.write_text(name))
        return Artifact("figures", name, Path(__file__), lambda: path, make)

    return new


def test_what_is_missing_is_made_once(artifact, capsys):
    done = []
    wanted = [artifact("a"), artifact("b")]
    artifacts.make_all(wanted, lambda one: done.append(one.name))
    assert sorted(done) == ["a", "b"]
    assert "Made 2 of 2; the longest: figures" in capsys.readouterr().err
    artifacts.make_all(wanted, lambda one: done.append(one.name))
    assert len(done) == 2
    assert capsys.readouterr().err == ""


def test_what_cannot_be_made_is_named_and_the_others_are_made(artifact):
    def fail():
        raise PageError("the figures of b failed:\nno")

    wanted = [artifact("a"), artifact("b", fail), artifact("c")]
    with pytest.raises(PageError, match="the figures of b failed:\nno"):
        artifacts.make_all(wanted)
    assert [one.is_made for one in wanted] == [True, False, True]


def test_what_changes_while_it_is_made_is_made_again(artifact, tmp_path):
    states = iter("ab")
    made = []

    def make():
        path().write_text("mixed")
        made.append(now[0])
        now[0] = next(states, now[0])  # the source changes, and then it does not

    def path():
        return tmp_path / now[0]

    now = [next(states)]
    one = artifact("figures")._replace(path=path, make=make)
    artifacts.make_all([one])
    assert made == ["a", "b"]
    assert one.is_made
    assert not (tmp_path / "a").exists()


def test_what_another_state_left_goes_and_what_others_left_stays(tmp_path):
    for name in ("labs.aaaa.json", "labs.one.aaaa.json", "labs.aaaa.ipynb"):
        artifacts.write(tmp_path / name, b"old")
    artifacts.keep(tmp_path / "labs.bbbb.json", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "labs.bbbb.json": b"new",
        "labs.one.aaaa.json": b"old",
        "labs.aaaa.ipynb": b"old",
    }


def test_what_took_longest_begins_first(artifact, monkeypatch):
    monkeypatch.setattr(artifacts.os, "cpu_count", lambda: 1)
    artifacts.write(artifacts._DURATIONS, b'{"figures a": 1, "figures b": 9}')
    done = []
    wanted = [artifact("a"), artifact("b"), artifact("new")]
    artifacts.make_all(wanted, lambda one: done.append(one.name))
    assert done == ["new", "b", "a"]


def test_every_page_is_made_from_what_is_named_here():
    named = {one.name for one in artifacts.artifacts() if one.kind == "figures"}
    shown = {
        word.partition("](figure:")[2].partition(".")[0]
        for page in (ROOT / "docs").rglob("*.md")
        for word in page.read_text("utf-8").split("!")
        if "](figure:" in word
    }
    assert shown == named


def test_what_draws_draws_all_figures_anew():
    found = artifacts.dependents(ROOT / "src/chalkdocs/figures/__main__.py")
    named = [one.name for one in artifacts.artifacts() if one.kind == "figures"]
    assert found == {"figures": named}


def test_a_file_is_told_what_it_makes_anew():
    found = artifacts.dependents(ROOT / "src/chalkdocs/figures/wiring.py")
    assert found == {"figures": ["wiring"]}
    found = artifacts.dependents(ROOT / "docs/how-to/flowers.csv")
    assert found == {"commands": ["of the how-to pages"]}
