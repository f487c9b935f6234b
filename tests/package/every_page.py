"""Every page as a script and as a notebook, where the wheel alone is installed.

``make notebooks`` runs them: minutes.
"""

import warnings

import pytest
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
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
    made = Taken(page, backend).notebook()
    kernel = [str(program(whole, "python")), "-m", "ipykernel_launcher"]
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=[*kernel, "-f", "{connection_file}"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how a kernel is spoken to
        NotebookClient(
            made,
            km=manager,
            timeout=600,
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()
    told = [
        out.get("text", "") for cell in made.cells for out in cell.get("outputs", [])
    ]
    assert not [text for text in told if "PageWarning" in text]
