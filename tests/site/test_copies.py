"""What every copy button of the lecture copies, run as a reader would run it."""

import contextlib
import io
import re

import pytest

from .test_site import LECTURE


@pytest.mark.parametrize("half", ["NumPy", "PyTorch"])
@pytest.mark.parametrize("path", LECTURE)
def test_what_the_copy_buttons_copy_runs(page, base, path, half):
    page.goto(base + path)
    if half == "PyTorch":
        page.locator(".tabbed-labels").get_by_text("PyTorch").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    names = {}
    blocks = page.locator("div.language-pycon").all()
    copied = 0
    for block in blocks:
        if not block.is_visible():
            continue
        block.hover()
        block.locator(".md-code__button").first.click()
        text = page.evaluate("navigator.clipboard.readText()")
        assert not re.search(r"^(>>>|\.\.\.)", text, re.M)
        told = "Traceback" in block.inner_text()  # some snippets show an error
        with (
            contextlib.redirect_stdout(io.StringIO()),
            pytest.raises(Exception) if told else contextlib.nullcontext(),  # noqa: PT011
        ):
            exec(text, names)
        copied += 1
    assert copied >= 4
    assert (
        names["cg"].__name__ == f"chalkgrad.{'numpy' if half == 'NumPy' else 'torch'}"
    )
