"""What every copy button of the lecture copies, run as a reader would run it."""

import contextlib
import io
import re

import pytest

from .test_site import LECTURE

# Press every copy button that this reader sees; give back what each has copied.
COPY = """async () => {
    const copied = [];
    for (const block of document.querySelectorAll("div.language-pycon")) {
        if (!block.checkVisibility()) continue;
        await navigator.clipboard.writeText("");
        block.querySelector(".md-code__button").click();
        let text = "";
        while (!text) text = await navigator.clipboard.readText();
        copied.push([text, block.innerText.includes("Traceback")]);
    }
    return copied;
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
    copied = page.evaluate(COPY)
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
