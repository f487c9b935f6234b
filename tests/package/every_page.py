"""Every page as a script and as a notebook, where the wheel alone is installed.

``make notebooks`` runs them: minutes.
"""

import nbformat
import pytest
from tests.package.environments import program, run

from chalkdocs.page_feet import is_taken, readings
from chalkdocs.sources import DOCS
from chalkdocs.take_along import Taken

READINGS = [
    pytest.param(page, backend, id=f"{page.stem}-{backend}")
    for page in sorted(DOCS.rglob("*.md"))
    if is_taken(page)
    for backend in readings(page.read_text("utf-8"))
]


@pytest.mark.parametrize(("page", "backend"), READINGS)
def test_a_script_says_what_the_page_says(page, backend, whole, tmp_path):
    script = tmp_path / "page.py"
    script.write_text(Taken(page, backend).script(), "utf-8")
    command = program(whole, "python"), "-I", "-W", "error::UserWarning", script
    assert run(*command, cwd=tmp_path)


@pytest.mark.parametrize(("page", "backend"), READINGS)
def test_a_notebook_says_what_the_page_says(page, backend, whole, tmp_path):
    notebook = tmp_path / "page.ipynb"
    nbformat.write(Taken(page, backend).notebook(), notebook)
    run(program(whole, "jupyter-execute"), "--inplace", notebook, cwd=tmp_path)
    ran = nbformat.read(notebook, as_version=4)
    outputs = [out for cell in ran.cells for out in cell.get("outputs", [])]
    assert outputs
    assert not [out for out in outputs if "PageWarning" in out.get("text", "")]
