"""Figures on a phone: letters can be read, and none covers another or is cut."""

import pytest

from .test_site import PAGES

# What is wrong with the words of each figure. A word is measured with the room of its
# line, so two may touch by a few pixels; slanted words and exponents have too much.
WRONG = """() => [...document.querySelectorAll("article svg[role=img]")].flatMap(
  drawing => {
    const box = drawing.getBoundingClientRect();
    const scale = box.width / drawing.viewBox.baseVal.width;
    const words = [...drawing.querySelectorAll("text")].map(text => {
        const {x, y, right, bottom} = text.getBoundingClientRect();
        const {a, b} = text.getCTM();
        const plain = Math.abs(a * b) < 1e-3 && !text.querySelector("tspan");
        const size = parseFloat(getComputedStyle(text).fontSize) * scale;
        return {x, y, right, bottom, plain, size, says: text.textContent.trim()};
    }).filter(word => word.says && box.width);
    const wrong = words.filter(word => word.size < 10.9).map(
        word => `${word.says}: ${word.size.toFixed(1)} pixels`
    );
    for (const [i, one] of words.entries()) {
        if (!one.plain) continue;
        const wide = one.x < box.x - 2 || one.right > box.right + 2;
        const high = one.y < box.y - 4 || one.bottom > box.bottom + 4;
        if (wide || high) wrong.push(`${one.says}: cut`);
        for (const other of words.slice(i + 1).filter(word => word.plain)) {
            const wide = Math.min(one.right, other.right) - Math.max(one.x, other.x);
            const high = Math.min(one.bottom, other.bottom) - Math.max(one.y, other.y);
            if (wide > 1 && high > 5) wrong.push(`${one.says} meets ${other.says}`);
        }
    }
    return wrong;
  }
)"""


@pytest.fixture(scope="module")
def still(chromium):
    """Open a tab of a phone in which no widget takes the place of a figure."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        java_script_enabled=False,
    )
    yield context.new_page()
    context.close()


def test_the_words_of_every_figure_can_be_read(still, base):
    wrong = {}
    for path in PAGES:
        still.goto(base + path)
        if found := still.evaluate(WRONG):
            wrong[path] = found
    assert wrong == {}
