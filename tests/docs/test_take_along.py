"""Every page can be taken along as a notebook and as a script, and these check it."""

import ast
import doctest
import re
import subprocess
import sys
from types import ModuleType

import nbformat
import pytest
from nbclient import NotebookClient

import chalkgrad
import chalkgrad.lecture
from chalkdocs import page_feet, take_along
from chalkdocs.sources import DOCS
from chalkgrad.judge._exercises import find_exercise
from chalkgrad.lecture import _reading as reading

PAGES = [page for page in sorted(DOCS.rglob("*.md")) if page_feet.is_taken(page)]
BOTH = [
    pytest.param(page, backend, id=f"{page.stem}-{backend}")
    for page in PAGES
    for backend in page_feet.readings(page.read_text("utf-8"))
]
QUICK = DOCS / "training/bugs-that-shipped.md", DOCS / "perceptron/wiring.md"


def code_of(cells):
    """Return the statements in cells of code, apart from the checks."""
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    text = "\n".join(s for s in sources[1:] if not s.startswith("lecture.check("))
    return [ast.unparse(node) for node in ast.parse(text).body]


def test_the_lecture_can_be_taken_along():
    parts = {page.relative_to(DOCS).parts[0] for page in PAGES}
    assert parts == {"traditional-ml", "perceptron", "training", "how-to"}
    assert len(PAGES) >= 25


@pytest.mark.parametrize(("page", "backend"), BOTH)
def test_a_page_becomes_a_notebook_with_all_that_runs(page, backend, monkeypatch):
    taken = take_along.Taken(page, backend)
    made = taken.notebook()
    nbformat.validate(made)
    assert made.cells[0].source.startswith("# ")
    text = "\n".join(c.source for c in made.cells if c.cell_type == "markdown")
    assert "figure:" not in text
    assert not re.search(r"^ *(!!!|\?\?\?|===) ", text, re.M)
    assert not re.search(r"\]\((?!https://|http://|attachment:)", text)
    for cell in made.cells:
        shown = set(re.findall(r"\(attachment:(.*?)\)", cell.source))
        assert shown == set(cell.get("attachments", {}))
    there = {"numpy": (), "torch": ("torch",), "": ("torch",)}[backend]
    monkeypatch.setattr(reading, "has", there.__contains__)
    tab = page_feet.readings(taken.text)[backend]
    seen, _ = reading.read(taken.text, reading.LECTURE, tab)
    examples = doctest.DocTestParser().get_examples(seen)
    taken_along = set(code_of(made.cells))
    for example in examples:
        statements = {ast.unparse(node) for node in ast.parse(example.source).body}
        assert statements <= taken_along or example.exc_msg
    compile(taken.script(), str(page), "exec")


def test_the_same_page_is_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        take_along.write(QUICK[1], tmp_path / folder)
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [path.name for path in first] == [
        "wiring.md",
        "wiring.numpy.ipynb",
        "wiring.numpy.py",
        "wiring.torch.ipynb",
        "wiring.torch.py",
    ]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    foot = page_feet.links(QUICK[1])
    assert set(re.findall('href="(.*?)"', foot)) == {path.name for path in first}


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Write a page, and make a script of it."""
    monkeypatch.setattr(take_along, "DOCS", tmp_path)

    def write(text):
        path = tmp_path / "training/try.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"---\ndescription: A try.\n---\n# A try\n\n{text}")
        return take_along.Taken(path, next(iter(page_feet.readings(text))))

    return write


def run(script, folder):
    path = folder / "page.py"
    path.write_text(script, "utf-8")
    command = [sys.executable, "-W", "always", str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


SNIPPETS = """\
```pycon
>>> x = 1, 2
>>> x  # both
(1, 2)
>>> (x[0] + 1) - 1, sum(x)
(1, 3)
>>> for i in x:
...     print(i / 3)
0.3333
0.6667
>>> 1 / 0
Traceback (most recent call last):
ZeroDivisionError: division by zero
>>> print("a\\\\b")
a\\b
```
"""


def test_a_script_prints_what_the_page_prints_and_says_nothing_else(page, tmp_path):
    done = run(page(SNIPPETS).script(), tmp_path)
    assert done.stderr == ""
    shown = ["(1, 2)", "(1, 3)", str(1 / 3), str(2 / 3)]
    assert done.stdout.splitlines() == [
        *shown,
        "ZeroDivisionError: division by zero",
        "a\\b",
    ]


def test_a_difference_says_which_page_and_version(page, tmp_path):
    done = run(page(SNIPPETS.replace("0.3333", "0.3335")).script(), tmp_path)
    assert done.returncode == 0
    assert "PageWarning: training/try of chalkgrad" in done.stderr
    assert f"and here, with chalkgrad {chalkgrad.__version__}, it is" in done.stderr


def test_what_stands_around_the_text_is_flattened(page):
    text = (
        '!!! claim "G1 · holds if short"\n    Words.\n\n'
        "    *Evidence:* a sum.\n\n"
        '??? note "Why?"\n    Think.\n\n    ??? success "Solution"\n'
        "        So:\n\n        ```pycon\n        >>> 6 * 7\n        42\n"
        "        ```\n\n"
        "See [there](../perceptron/depth.md#a) and [Lee (2016)][lee2016].\n"
    )
    cells = page(text).notebook().cells
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert "> **G1.** " in words
    assert "**G1 holds if short.**\n\nWords." in words
    assert "**Why?**\n\nThink." in words
    assert "<details><summary>Solution</summary>\n\nSo:\n\n</details>" in words
    assert "/perceptron/depth/#a)" in words
    assert "/reference/bibliography/#lee2016)" in words
    (answer,) = [cell for cell in cells if cell.source == "6 * 7"]
    assert answer.metadata == {"jupyter": {"source_hidden": True}}


def test_an_answer_in_a_notebook_is_told_whether_it_is_right(capsys, monkeypatch):
    page, name = "training/gradient-descent", "the-best-rate"
    starter = find_exercise(page, name).starter
    made = take_along.Taken(DOCS / f"{page}.md", "numpy").notebook()
    call = f'lecture.try_answer("{name}", """\n{starter.strip()}\n""")'
    assert call in [cell.source for cell in made.cells]
    # `begin` changes both.
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    chalkgrad.lecture.begin(page, "numpy", "0")
    for answer in (starter, "answer = 2 / 11", "answer = 5.5"):
        chalkgrad.lecture.try_answer(name, answer)
    chalkgrad.lecture.check("")  # what is said of an answer is not the page's
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "Write your answer here, and run this."
    assert second == "Right."
    assert third.startswith("That is the mean of the curvatures.")


@pytest.mark.parametrize("taken", QUICK, ids=lambda page: page.stem)
def test_a_notebook_runs_and_finds_no_difference(taken):
    made = take_along.Taken(taken, "numpy").notebook()
    made.cells[1].source += "\nimport warnings; warnings.simplefilter('error')"
    # No clock may end what a busy machine slows.
    patient = {"timeout": None, "startup_timeout": 3600}
    NotebookClient(made, **patient, kernel_name="python3").execute()
    shown = [out for cell in made.cells for out in cell.get("outputs", [])]
    assert any(out.output_type == "execute_result" for out in shown)
    checks = [cell for cell in made.cells if cell.source.startswith("lecture.check(")]
    assert checks
    assert not any(cell.outputs for cell in checks)


def test_a_value_is_shown_as_the_prompt_shows_it(capsys):
    chalkgrad.lecture.show("a")
    chalkgrad.lecture.show(None)
    assert capsys.readouterr().out == "'a'\n"
