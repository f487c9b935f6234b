"""Labs: they run, what fails stops the build, and they run again when they must."""

import json
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import nbformat
import pytest

from chalkdocs import notebooks
from chalkdocs.page_errors import PageError
from chalkdocs.sources import ROOT

LABS = sorted((ROOT / "docs/labs").glob("*.py"))
SVG = '<svg viewBox="0 0 1 1"><path id="a" style="stroke: #010210"/></svg>'


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Write a lab, apart from the real ones and their cache."""
    monkeypatch.setattr(notebooks, "CACHE", tmp_path / "cache")
    path = tmp_path / "labs/try.py"
    path.parent.mkdir()

    def write(text):
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def drawn(lab, monkeypatch):
    """Write a lab of one cell that draws a figure; no kernel is started."""

    def write(head):
        notebook = notebooks.jupytext.reads(f"# %% {head}\ndraw()\n", "py:percent")
        output = nbformat.v4.new_output("display_data", {"image/svg+xml": SVG})
        notebook.cells[0].outputs = [output]
        monkeypatch.setattr(notebooks, "execute", lambda path: notebook)
        return lab("")

    return write


def test_a_lab_becomes_markdown_with_what_came_out(lab):
    out = notebooks.markdown(
        lab(
            "# ---\n# description: A try.\n# ---\n\n"
            "# %% [markdown]\n# # Title\n# Words.\n\n"
            "# %%\nprint('one')\nprint('```')\n6 * 7\n\n"
            '# %% alt="A \\"line\\" rises." caption="a < b"\n'
            "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.show()\n"
        )
    )
    assert out.startswith("---\ndescription: A try.\n---\n\n# Title\n\n<p><a class=")
    assert 'href="try.ipynb" download' in out
    assert "```` { .python .cell }\nprint('one')\nprint('```')\n6 * 7\n````" in out
    assert "```` { .text .output .no-copy }\none\n```\n````" in out
    assert "``` { .text .output .no-copy }\n42\n```" in out
    assert 'role="img" aria-label="A &quot;line&quot; rises."' in out
    assert "var(--fig-1)" in out
    assert "#0102" not in out
    assert "<figcaption>a &lt; b</figcaption>" in out


def test_a_cell_that_fails_stops_the_build(lab):
    with pytest.raises(
        PageError, match=r"try.py: a cell failed(.|\n)*division by zero"
    ):
        notebooks.execute(lab("# %%\n1 / 0\n"))
    assert not notebooks.CACHE.exists()


@pytest.mark.parametrize("head", ["", 'alt=" "', 'caption="A line."'])
def test_a_figure_must_say_what_it_shows(drawn, head):
    with pytest.raises(PageError, match="try-0-0: the figure has no description"):
        notebooks.markdown(drawn(head))


def test_a_figure_may_do_without_a_caption(drawn):
    out = notebooks.markdown(drawn('alt="A line."'))
    assert '<svg data-search-exclude role="img" aria-label="A line." viewBox' in out
    assert 'id="try-0-0-a" style="stroke: var(--fig-1)"' in out
    assert "figcaption" not in out


def test_a_cell_may_not_warn():
    output = nbformat.v4.new_output("stream", name="stderr", text="UserWarning: no")
    with pytest.raises(PageError, match="the cell warns:\nUserWarning"):
        notebooks._output(output, {}, "try-0-0")


def test_a_lab_runs_again_when_it_or_the_package_has_changed(
    lab, tmp_path, monkeypatch
):
    runs = []

    def run(path):
        runs.append(path)
        return notebooks.jupytext.read(path)

    package = tmp_path / "src/chalkgrad"
    package.mkdir(parents=True)
    (package / "losses.py").write_text("a = 1\n")
    monkeypatch.setattr(notebooks, "_run", run)
    digest = partial(notebooks.digest, source=package.parent)
    monkeypatch.setattr(notebooks, "digest", digest)

    uses = "# %%\nimport chalkgrad.losses\n"
    path = lab(f"{uses}\n# %%\n1\n")
    notebooks.execute(path)
    assert notebooks.execute(path).cells[1].source == "1"
    assert len(runs) == 1
    lab(f"{uses}\n# %%\n2\n")
    assert notebooks.execute(path).cells[1].source == "2"
    assert len(runs) == 2
    (package / "losses.py").write_text("a = 22\n")
    notebooks.execute(path)
    assert len(runs) == 3
    (package / "__pycache__").mkdir()
    (package / "__pycache__/losses.pyc").write_text("c")
    notebooks.execute(path)
    assert len(runs) == 3
    assert len(list(notebooks.CACHE.iterdir())) == 1


def test_the_downloads_stand_beside_the_page(lab, tmp_path):
    path = lab('# ---\n# description: A try.\n# ---\n\n# %% alt="A line."\n1\n')
    place = tmp_path / "site/labs/try/index.html"
    file = SimpleNamespace(
        src_uri="labs/try.py", abs_src_path=path, abs_dest_path=place
    )
    page = SimpleNamespace(file=file)
    assert notebooks.on_post_page("html", page=page) == "html"
    assert (place.parent / "try.py").read_text("utf-8") == path.read_text("utf-8")
    text = (place.parent / "try.ipynb").read_text("utf-8")
    (cell,) = json.loads(text)["cells"]
    assert (cell["source"], cell["outputs"]) == (["1"], [])
    assert text == notebooks.clean(path)


def test_the_hook_leaves_other_pages_alone():
    page = SimpleNamespace(file=SimpleNamespace(src_uri="labs/index.md"), render="own")
    assert notebooks.on_pre_page(page) is page
    assert page.render == "own"
    assert notebooks.on_page_read_source(page) is None
    assert notebooks.on_post_page("html", page=page) == "html"


def test_every_lab_says_what_it_is_about():
    assert LABS
    for path in LABS:
        assert path.read_text("utf-8").startswith("# ---\n# description: ")


def test_pytest_neither_runs_nor_imports_a_lab():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "docs/labs"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
