"""Every page in every layout: one visit, and everything that a visit can tell."""

import pytest

from .test_site import PAGES

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS = {1280: 1280, 390: 390, 320: 320}  # nothing is wider than the screen
LAYOUTS = [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]
# Every page is seen in both widths and both schemes, one of each kind in all layouts.
KINDS = ["/", "/training/gradient-descent/", "/labs/", "/labs/digits/", "/reference/"]
# axe looks at every element, and a page may have 16 000. It need not see a colour twice
# in one block, every letter of a formula, or the strokes of a figure.
THIN = """() => {
    for (const code of document.querySelectorAll("pre > code")) {
        const seen = new Set();
        for (const word of code.querySelectorAll("span:not(:has(*))")) {
            if (seen.has(word.className)) word.replaceWith(word.textContent);
            else seen.add(word.className);
        }
    }
    for (const formula of document.querySelectorAll("math")) {
        const {width} = formula.getBoundingClientRect();
        formula.replaceChildren(formula.textContent);
        Object.assign(formula.style, {display: "inline-block", width: `${width}px`});
    }
    document.querySelectorAll("figure.drawing svg > *").forEach(e => e.remove());
}"""
NAMELESS = """[...document.querySelectorAll("article :is(img, svg[role=img])")]
    .filter(e => !(e.getAttribute("alt") || e.getAttribute("aria-label")))
    .map(e => e.outerHTML.slice(0, 200))"""
# What scrolls becomes reachable by keys when its new size is drawn: in the next frames.
AXE = f"""async () => {{
    for (let frame = 0; frame < 10; frame++) await new Promise(requestAnimationFrame);
    return (await axe.run(document, {{runOnly: {TAGS}}}))
        .violations.flatMap(({{id, nodes}}) => nodes.map(({{target, any, all, none}}) =>
            `${{id}} at ${{target}}: ${{[...any, ...all, ...none][0]?.message}}`));
}}"""


@pytest.fixture(scope="module")
def tab(chromium):
    """Open one tab for all pages, and write down what goes wrong in it."""
    context = chromium.new_context(reduced_motion="reduce")
    context.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error("
        "`the policy forbids ${e.violatedDirective} ${e.blockedURI}`))"
    )
    page = context.new_page()
    page.troubles, page.hosts = [], set()
    page.on("console", lambda message: page.troubles.append(message.text))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("request", lambda request: page.hosts.add(request.url.split("/")[2]))
    page.on(
        "response",
        lambda answer: answer.status < 400 or page.troubles.append(answer.url),
    )
    yield page
    context.close()


@pytest.fixture(scope="module")
def axe(node_modules):
    return (node_modules / "axe-core/axe.min.js").read_text("utf-8")


def width(page, screen):
    """Return how wide the page is on a screen."""
    page.set_viewport_size({"width": screen, "height": 900})
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sound_in_every_layout(tab, base, axe, path):
    tab.troubles.clear()
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.emulate_media(color_scheme="light")
    tab.goto(base + path)
    for widget in tab.locator("[data-widget]").all():
        widget.scroll_into_view_if_needed()
        widget.locator("button, input").first.wait_for()
    assert tab.evaluate(NAMELESS) == [], "a picture has no description"
    assert {screen: width(tab, screen) for screen in SCREENS} == SCREENS
    tab.evaluate(axe)
    tab.evaluate(THIN)
    seen = {}
    for screen, scheme in LAYOUTS if path in KINDS else LAYOUTS[:2]:
        tab.set_viewport_size({"width": screen, "height": 900})
        tab.emulate_media(color_scheme=scheme)
        if found := tab.evaluate(AXE):
            seen[screen, scheme] = found
    assert seen == {}
    assert tab.troubles == []
    assert tab.hosts == {base.removeprefix("http://")}
