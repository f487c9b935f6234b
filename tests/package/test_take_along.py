"""What a page can be taken as runs where the wheel alone is installed."""

import pytest
from tests.package.environments import ROOT, program, run

from chalkdocs.take_along import Taken

PAGES = ["perceptron/wiring", "training/bugs-that-shipped", "training/loss-functions"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_script_says_what_the_page_says(page, backend, plain, with_torch, tmp_path):
    script = tmp_path / "page.py"
    taken = Taken(ROOT / f"docs/{page}.md", backend)
    script.write_text(taken.script(), "utf-8")
    place = {"numpy": plain, "torch": with_torch}[backend]
    command = program(place, "python"), "-I", "-W", "error::UserWarning", script
    assert run(*command, cwd=tmp_path)
