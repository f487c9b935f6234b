"""The lecture under a finger: code fits, controls are hit, widgets are in view."""

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
            printed: code.closest(".output") !== null,
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
# What a finger may miss: fewer than 44 pixels above each other lead to the control, or
# to a label that presses it. A link within a text is as high as its line.
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
        const within = control.parentElement.closest(text);
        if (control.matches("article a") && within) continue;
        control.scrollIntoView({ block: "center", behavior: "instant" });
        const box = control.getBoundingClientRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        if (x < 0 || x > innerWidth || !hit(control, x, y)) continue;
        // Most are so high themselves, and uncovered from edge to edge.
        const edges = [box.top + 1, box.bottom - 1];
        if (box.height >= 44 && edges.every(edge => hit(control, x, edge))) continue;
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
    const left = new Set([say, ...widget.querySelectorAll("[type=range]")]);
    const { top, bottom } = widget.getBoundingClientRect();
    const [from, to] = [scrollY + top - innerHeight, scrollY + bottom];
    for (let y = from; y < to; y += 8) {
        scrollTo({ top: y, behavior: "instant" });
        if (whole(picture) && whole(say))
            [...left].filter(whole).forEach(part => left.delete(part));
    }
    return [...left].map(part => part.labels[0]?.textContent ?? part.textContent);
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


@pytest.fixture(scope="module")
def listings(chromium, base):
    """Visit every page once on a phone; return what its code looks like."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    seen = {}
    for path in PAGES:
        page.goto(base + path)
        seen[path] = page.evaluate(BLOCKS)
    context.close()
    return seen


def test_code_is_large_enough_to_read_on_a_phone(listings):
    small = {
        path: sizes
        for path, page in listings.items()
        if (
            sizes := [
                size
                for size in [*(b["size"] for b in page["blocks"]), *page["inline"]]
                if size < 13
            ]
        )
    }
    assert small == {}


def test_code_fits_a_phone(listings):
    assert {page["width"] for page in listings.values()} == {390}
    blocks = [block for page in listings.values() for block in page["blocks"]]
    assert len(blocks) > 1000
    wide = [block for block in blocks if block["scrolls"]]
    assert len(wide) <= len(blocks) / 10, wide
    # Where the lecture is read, code itself never scrolls: only what it printed.
    code = [b for b in wide if not b["text"].startswith((">>>", "$"))]
    assert [block for block in code if not block["printed"]] == []


def test_a_wrapped_line_is_copied_as_one_line(phone, base):
    phone.goto(base + "/training/gradient-descent/")
    block = phone.locator("[data-copy]:has(.long wbr)").first
    heights = block.locator(".long").evaluate_all("all => all.map(e => e.clientHeight)")
    assert len(set(heights)) > 1, "no line wraps: the test tells nothing"
    block.locator("code").evaluate("code => getSelection().selectAllChildren(code)")
    phone.keyboard.press("Control+C")
    copied = phone.evaluate("navigator.clipboard.readText()")
    shown = block.locator("code").evaluate(
        """code => {
            const bare = code.cloneNode(true);
            bare.querySelectorAll(".gp").forEach(prompt => prompt.remove());
            return bare.textContent;
        }"""
    )
    assert copied.strip() == shown.strip()


@pytest.mark.parametrize("screen", [(844, 390), (640, 360)])
@pytest.mark.parametrize("name", HOMES)
def test_a_slider_and_its_picture_are_in_one_view(chromium, base, name, screen):
    """On a phone held sideways, and in a window of 1280 by 720 enlarged twice."""
    width, height = screen
    context = chromium.new_context(
        viewport={"width": width, "height": height}, has_touch=width == 844
    )
    page = context.new_page()
    page.goto(base + HOMES[name])
    assert wake(page, name).evaluate(APART) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/training/gradient-descent/",
        "/training/adaptive-rates/",
        "/perceptron/boundaries/",
        "/perceptron/universal-approximation/",
        "/labs/digits/",
        "/how-to/command-line/",
        "/reference/optimizers/",
    ],
)
def test_a_finger_hits_every_control(phone, base, path):
    phone.goto(base + path)
    phone.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for widget in phone.locator("[data-widget]").all():
        widget.scroll_into_view_if_needed()
        widget.locator("button, input").first.wait_for()
    phone.locator(".md-code__button").first.wait_for()
    small = {"page": phone.evaluate(SMALL)}
    phone.locator(".md-header__button[for=__drawer]").click()
    phone.wait_for_timeout(500)  # it slides
    small["navigation"] = phone.evaluate(SMALL)
    phone.goto(base + path)
    phone.locator(".md-header__button[for=__search]").click()
    phone.locator(".md-search__input").fill("adam")
    phone.locator(".md-search-result__link").first.wait_for()
    small["search"] = phone.evaluate(SMALL)
    assert small == {"page": [], "navigation": [], "search": []}
