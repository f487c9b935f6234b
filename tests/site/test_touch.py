"""The lecture under a finger: code that fits, controls that are hit, widgets in view."""

import pytest

from .test_site import PAGES
from .test_widgets import HOMES, wake

# Every block of code that a reader can see, whichever tab is chosen.
BLOCKS = """() => {
    document.querySelectorAll("details").forEach(each => { each.open = true; });
    const seen = new Map();
    const look = () => document.querySelectorAll("pre > code").forEach(code => {
        if (code.checkVisibility()) seen.set(code, {
            size: parseFloat(getComputedStyle(code).fontSize),
            scrolls: code.scrollWidth > code.clientWidth,
            text: code.textContent,
        });
    });
    look();
    for (const tab of document.querySelectorAll(".tabbed-set > input")) {
        tab.checked = true;
        look();
    }
    return {
        blocks: [...seen.values()],
        inline: [...document.querySelectorAll("article code")].map(
            code => parseFloat(getComputedStyle(code).fontSize)
        ),
        width: document.documentElement.scrollWidth,
    };
}"""
# How many pixels above each other lead to a control, or to the label that presses it; of
# those controls where it is too few. A link within a text is as high as its line.
SMALL = """() => {
    const text = "p, li, td, th, dd, dt, figcaption, h1, h2, h3, h4, h5, h6";
    const hit = (control, x, y) => {
        const there = document.elementFromPoint(x, y);
        return [control, ...(control.labels ?? [])].some(each => each.contains(there));
    };
    const small = [];
    const all = "a[href], button, input, select, summary, label:has(> svg)";
    for (const control of document.querySelectorAll(`${all}, .tabbed-labels > label`)) {
        if (!control.checkVisibility({ opacityProperty: true })) continue;
        if (control.matches("label a")) continue; // the label is pressed
        if (control.closest("article") && control.matches(`a:is(${text} *)`)) continue;
        control.scrollIntoView({ block: "center", behavior: "instant" });
        const box = control.getBoundingClientRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        if (x < 0 || x > innerWidth || !hit(control, x, y)) continue;
        let [above, below] = [0, 0];
        while (above < 44 && hit(control, x, y - above - 1)) above += 1;
        while (below < 44 && hit(control, x, y + below + 1)) below += 1;
        if (above + 1 + below < 44)
            small.push(`${above + 1 + below}: ${control.outerHTML.slice(0, 120)}`);
    }
    return small;
}"""
# The sliders of a widget that, wherever one scrolls to, are not in view together with
# the picture and with the sentence that answers.
APART = """widget => {
    const header = document.querySelector(".md-header").getBoundingClientRect().bottom;
    const whole = part => {
        const { top, bottom, x, y, width, height } = part.getBoundingClientRect();
        const there = document.elementFromPoint(x + width / 2, y + height / 2);
        return top >= header && bottom <= innerHeight && part.contains(there);
    };
    const picture = widget.querySelector(".widget-picture").firstElementChild;
    const say = widget.querySelector("output");
    const left = new Set(widget.querySelectorAll("[type=range]"));
    const { top, bottom } = widget.getBoundingClientRect();
    for (let y = scrollY + top - innerHeight; y < scrollY + bottom; y += 8) {
        scrollTo({ top: y, behavior: "instant" });
        if (whole(picture) && whole(say)) {
            seen = true;
            [...left].filter(whole).forEach(slider => left.delete(slider));
        }
    }
    return { seen, apart: [...left].map(slider => slider.labels[0].textContent) };
}"""


@pytest.fixture
def phone(chromium):
    """Open an empty tab on a phone that may paste what was copied."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        permissions=["clipboard-read", "clipboard-write"],
    )
    yield context.new_page()
    context.close()
