"""What runs a snippet in the page, run here; and the files that it comes with."""

import hashlib
import json

import matplotlib.pyplot as plt
import pytest

from chalkdocs import runtime
from chalkdocs.runner import ROOM, Snippet, same


@pytest.fixture(autouse=True)
def _none_open():
    """Close what other tests have drawn: a snippet shows all figures that are open."""
    plt.close("all")


def run(page, edited=None, names=None):
    printed = []
    told = Snippet(page, "snippet 1", edited).run(
        {"__name__": "__main__"} if names is None else names, printed.append
    )
    return told, "".join(printed)


def test_it_prints_what_the_prompt_prints():
    told, printed = run(
        ">>> x = 3\n>>> x\n3\n>>> for i in [0, 1]:\n...     print(i)\n0\n1\n>>> None\n"
    )
    assert told == {"error": "", "differences": [], "figures": []}
    assert printed == "3\n0\n1\n"


def test_another_answer_is_told_with_its_line():
    told, _ = run(">>> 1 + 1\n2\n\n>>> 1 + 1\n3\n>>> print('a')\n")
    assert told["differences"] == [
        {"line": 4, "page": "3\n", "here": "2\n"},
        {"line": 6, "page": "", "here": "a\n"},
    ]


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ("0.3333\n", "0.33333333\n"),
        ("array([1.  , 0.25])", "array([1.00001, 0.25])"),
        ("array([[1, 2],\n       [3, 4]])", "array([[1, 2], [3, 4]])"),
        ("array([0, 1])", "array([0, 1], dtype=int32)"),
        ("-3.1e-05 nats", "-3.10001e-05 nats"),
        ("{'a': 1, ...}", "{'a': 1, 'b': 2}"),
    ],
)
def test_the_same_answer(want, got):
    assert same(want, got)


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ("0.3333", "0.3335"),
        ("array([1, 2])", "array([1, 2, 3])"),
        ("array([1.0])", "[1.0]"),
        ("nan", "1.0"),
        ("True", "False"),
        ("1 nat", "1 bit"),
        ("-1", "1"),
    ],
)
def test_another_answer(want, got):
    assert not same(want, got)


def test_an_error_that_the_page_shows_is_an_answer():
    page = ">>> 1 / 0\nTraceback (most recent call last):\nZeroDivisionError: {}\n"
    told, printed = run(page.format("division by zero") + ">>> 5\n5\n")
    assert told == {"error": "", "differences": [], "figures": []}
    assert printed.endswith("ZeroDivisionError: division by zero\n5\n")
    told, _ = run(page.format("nothing of the kind"))
    assert told["differences"][0]["here"] == "ZeroDivisionError: division by zero\n"


def test_a_traceback_names_the_lines_of_the_snippet():
    told, _ = run(
        ">>> def f():\n...     return y\n>>> x = 1\n>>> f()\n1\n>>> print(2)\n2\n"
    )
    assert 'File "<snippet 1>", line 4, in <module>\n    f()\n' in told["error"]
    assert 'File "<snippet 1>", line 2, in f\n    return y\n' in told["error"]
    assert "NameError: name 'y' is not defined" in told["error"]
    assert "runner.py" not in told["error"]


def test_an_edited_snippet_runs_in_its_place():
    names = {}
    told, printed = run(">>> x = 3\n>>> x\n3\n", edited="x = 4\nx\nx + 1", names=names)
    assert (printed, names["x"]) == ("4\n5\n", 4)
    assert told["differences"] == [{"line": 1, "page": "3\n", "here": "4\n5\n"}]
    told, printed = run(">>> x = 3\n", edited="x = 4\nx")  # the page has no answer
    assert (printed, told["differences"]) == ("4\n", [])
    told, _ = run(">>> x\n", edited="x +")
    assert 'File "<snippet 1>", line 1' in told["error"]
    assert "SyntaxError" in told["error"]


def test_a_cell_shows_the_value_of_its_last_line_alone():
    cell = "'first'\nfor i in [1]:\n    i + 1\nprint('printed')\n'last'"
    assert run("", edited=cell)[1] == "printed\n'last'\n"
    assert run("", edited="5;")[1] == ""
    assert run(">>> 1\n", edited="'first'\n'last'")[1] == "'first'\n'last'\n"


@pytest.mark.parametrize(
    "pasted",
    [
        ">>> x = 2\n>>> for i in [x]:\n...     print(i)\n...\n2\n",
        "\n    >>> x = 2\n    >>> print(\n    ...     x\n    ... )\n    2",
        "x = 2\n>>> print(x)",
    ],
)
def test_what_is_pasted_with_prompts_runs(pasted):
    told, printed = run(">>> 1\n", edited=pasted)
    assert (told["error"], printed) == ("", "2\n")


def test_it_asks_and_goes_on_with_the_answers():
    text = "def ask(): return input('name? ')\nnames = [ask(), input()]\nprint(names)"
    snippet = Snippet("", "snippet 1", text)
    names, printed = {}, []
    told = snippet.run(names, printed.append)
    assert (told["asks"], told["error"], printed) == ("name? ", "", ["name? "])
    assert snippet.run(names, printed.append, ["Ada"])["asks"] == ""
    printed.clear()
    assert "asks" not in snippet.run(names, printed.append, ["Ada", "Eve"])
    assert "".join(printed) == "name? Ada\nEve\n['Ada', 'Eve']\n"
    later = Snippet("", "snippet 2", "ask()")
    assert later.run(names, printed.append, ["Bob"])["error"] == ""


@pytest.mark.parametrize("end", ["raise SystemExit", "raise KeyboardInterrupt"])
def test_a_snippet_cannot_end_the_python_of_the_page(end):
    told, _ = run("", edited=end)
    assert end.split()[1] in told["error"]


def test_more_than_a_page_can_show_is_cut():
    told, printed = run("", edited="for i in range(10**5): print(i)")
    assert ROOM <= len(printed) < ROOM + 100
    assert printed.endswith("… cut: it prints more than fits here.\n")
    assert not told["error"]


def test_a_figure_comes_as_a_picture():
    pytest.importorskip("matplotlib").use("agg")
    draw = "import matplotlib.pyplot as plt\nx = plt.plot([1, 2])"
    told, _ = run("", edited=draw)
    assert [png[:8] for png in told["figures"]] == ["iVBORw0K"]
    assert run("", edited="1")[0]["figures"] == []  # it is shown once


# --- The files that it comes with -----------------------------------------------------


@pytest.fixture
def distribution(tmp_path):
    """Make a folder as Pyodide's, with two packages, and what its lock says of them."""
    packages = {}
    for name, depends in [("b", ["a"]), ("a", []), ("c", [])]:
        content = f"the package {name}".encode()
        (tmp_path / f"{name}.whl").write_bytes(content)
        sha = hashlib.sha256(content).hexdigest()
        packages[name] = {"file_name": f"{name}.whl", "sha256": sha, "depends": depends}
    return tmp_path, packages


def test_a_package_comes_with_all_that_it_needs(distribution, tmp_path, monkeypatch):
    folder, packages = distribution
    wanted = runtime.with_dependencies(("b",), packages)
    assert list(wanted) == ["a", "b"]
    monkeypatch.setattr(runtime, "PACKAGES", tmp_path / "kept")
    runtime.PACKAGES.mkdir()
    runtime.from_address(folder.as_uri(), list(wanted.values()))
    assert {path.name for path in runtime.PACKAGES.iterdir()} == {"a.whl", "b.whl"}


def test_a_file_that_the_lock_does_not_mean_is_refused(distribution, monkeypatch):
    folder, packages = distribution
    (folder / "a.whl").write_bytes(b"something else")
    monkeypatch.setattr(runtime, "PACKAGES", folder / "kept")
    runtime.PACKAGES.mkdir()
    with pytest.raises(ValueError, match=r"a\.whl has the SHA-256 .* do not use it"):
        runtime.from_address(folder.as_uri(), [packages["a"]])
    assert not any(runtime.PACKAGES.iterdir())


def test_a_site_without_the_files_is_built_without_python(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(runtime, "NODE", tmp_path)
    monkeypatch.setattr(runtime, "PACKAGES", tmp_path / "packages")
    monkeypatch.setattr(runtime, "RUNTIME", tmp_path / "python")
    runtime.main([])
    assert "no Run button on this site" in capsys.readouterr().err
    assert not runtime.RUNTIME.exists()


def test_what_is_there_is_made_again_only_when_something_has_changed(
    tmp_path, monkeypatch
):
    made = []

    def wheel():
        made.append(1)
        (runtime.RUNTIME / "chalkgrad.whl").write_bytes(b"wheel")
        return {"file_name": "chalkgrad.whl"}

    def edit():
        (runtime.RUNTIME / "editor.js").write_bytes(b"editor")

    monkeypatch.setattr(runtime, "NODE", tmp_path)
    monkeypatch.setattr(runtime, "PACKAGES", tmp_path / "packages")
    monkeypatch.setattr(runtime, "RUNTIME", tmp_path / "python")
    monkeypatch.setattr(runtime, "WANTED", ())
    monkeypatch.setattr(runtime, "chalkgrad", wheel)
    monkeypatch.setattr(runtime, "bundle_editor", edit)
    core = tmp_path / "pyodide"
    core.mkdir()
    for name in (*runtime.CORE, "pyodide-lock.json"):
        (core / name).write_text('{"packages": {}}', "utf-8")
    runtime.main([])
    runtime.main([])
    assert len(made) == 1
    (runtime.RUNTIME / "editor.js").unlink()
    runtime.main([])
    assert len(made) == 2
    monkeypatch.setattr(runtime.sources, "digest", lambda *_: "changed")
    runtime.main([])
    assert len(made) == 3
    assert (runtime.RUNTIME / "editor.js").is_file()


@pytest.mark.skipif(not (runtime.NODE / "pyodide").is_dir(), reason="needs npm's files")
def test_what_the_snippets_import_is_in_pyodides_lock():
    lock = json.loads((runtime.NODE / "pyodide/pyodide-lock.json").read_text("utf-8"))
    packages = runtime.with_dependencies(runtime.WANTED, lock["packages"])
    assert {"numpy", "openblas", "scipy", "scikit-learn", "pillow"} <= set(packages)


def test_a_site_that_serves_another_file_is_found(tmp_path, monkeypatch):
    served, npm = tmp_path / "site/assets/python", tmp_path / "npm"
    served.mkdir(parents=True)
    (npm / "pyodide").mkdir(parents=True)
    monkeypatch.setattr(runtime, "NODE", npm)
    for name in runtime.CORE:
        (npm / "pyodide" / name).write_bytes(b"core")
        (served / name).write_bytes(b"core")
    (served / "a.whl").write_bytes(b"wheel")
    package = {"file_name": "a.whl", "sha256": hashlib.sha256(b"wheel").hexdigest()}
    lock = json.dumps({"packages": {"a": package}})
    (served / "pyodide-lock.json").write_text(lock)
    runtime.main(["--verify", str(tmp_path / "site")])
    for name in ("a.whl", runtime.CORE[0]):
        there = (served / name).read_bytes()
        (served / name).write_bytes(b"another")
        with pytest.raises(ValueError, match=name):
            runtime.main(["--verify", str(tmp_path / "site")])
        (served / name).write_bytes(there)
