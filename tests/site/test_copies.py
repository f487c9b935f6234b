"""What every copy button of the lecture copies, run as a reader would run it."""

import contextlib
import io
import re

import pytest

from .test_site import LECTURE

# Press the copy button of a block; give back what it has copied. A press at a time: a
# browser lets a page copy for five seconds after a gesture, and each call is one.
COPY = """async block => {
    await navigator.clipboard.writeText("");
    block.querySelector(".md-code__button").click();
    let text = "";
    while (!text) text = await navigator.clipboard.readText();
    return [text, block.innerText.includes("Traceback")];
}"""


def test_a_pointer_finds_the_copy_button(page, base):
    page.goto(base + "/perceptron/neuron/")
    block = page.locator("div.language-pycon").first
    block.hover()
    block.locator(".md-code__button").first.click()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == block.get_attribute("data-copy")


@pytest.mark.parametrize("half", ["NumPy", "PyTorch"])
@pytest.mark.parametrize("path", LECTURE)
def test_what_the_copy_buttons_copy_runs(page, base, path, half):
    page.goto(base + path)
    if half == "PyTorch":
        page.locator(".tabbed-labels").get_by_text("PyTorch").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    names = {}
    blocks = page.query_selector_all("div.language-pycon")
    seen = [block for block in blocks if block.evaluate("b => b.checkVisibility()")]
    copied = [block.evaluate(COPY) for block in seen]
    for text, told in copied:
        assert not re.search(r"^(>>>|\.\.\.)", text, re.M)
        with (
            contextlib.redirect_stdout(io.StringIO()),
            # Some snippets show an error.
            pytest.raises(Exception) if told else contextlib.nullcontext(),  # noqa: PT011
        ):
            exec(text, names)
    assert len(copied) >= 4
    assert (
        names["cg"].__name__ == f"chalkgrad.{'numpy' if half == 'NumPy' else 'torch'}"
    )
