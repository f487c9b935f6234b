"""The site by other ways: by keyboard, on paper, without scripts, from elsewhere."""

import functools
import http.server
import re
import subprocess
import sys
import threading
from urllib.parse import quote

import pytest
import yaml

from chalkdocs import postprocess

from .conftest import BELOW, SITE, Pages
from .test_site import LECTURE

CHAPTER = "/training/gradient-descent/"
TABS = "/perceptron/neuron/"


@pytest.fixture
def heard(page):
    """Write down what a tab complains of."""
    troubles = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    return troubles


def search(page, words):
    """Type into the search; return the addresses of what it finds, best first."""
    page.locator(".md-search__input").fill(words)
    page.locator(".md-search-result__meta").filter(has_text="matching").wait_for()
    results = page.locator(".md-search-result__list > li > a")
    return results.evaluate_all("links => links.map(a => new URL(a.href).pathname)")


# --- The keyboard ---------------------------------------------------------------------

NAME = "e => e.outerHTML.slice(0, 120).replace(/\\s+/g, ' ')"
# Of a group of radio buttons, Tab stops at the chosen one.
CONTROLS = """[...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']")].filter(e =>
    e.tabIndex >= 0 && !e.disabled && !e.hidden && (e.type !== "radio" || e.checked)
    && e.checkVisibility({visibilityProperty: true}))"""
# A frame around it, around its label, or around the row of tabs; the search opens.
FRAMED = """e => {
    const tabs = e.matches(".tabbed-set > *") && e.parentElement.querySelector("div");
    const frame = n => getComputedStyle(n).outlineStyle !== "none";
    if (e.name === "query") return true;
    return [e, e.nextElementSibling, tabs].some(n => n && frame(n));
}"""


@pytest.mark.parametrize(
    "path", [CHAPTER, TABS, "/labs/digits/", "/reference/line_search/"]
)
def test_the_keyboard_reaches_every_control_and_shows_where_it_is(page, base, path):
    page.goto(base + path)
    for widget in page.locator("[data-widget]").all():
        widget.scroll_into_view_if_needed()
        widget.locator("button").first.wait_for()
    for exercise in page.locator("[data-kind]").all():
        exercise.scroll_into_view_if_needed()
        exercise.locator(".run-bar button").first.wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.locator("nav.md-code__nav[aria-label]").first.wait_for(state="attached")
    mark = f"{CONTROLS}.map((e, i) => (e.dataset.stop = i, ({NAME})(e)))"
    wanted = page.evaluate(mark)
    where = (
        f"(e => [e.dataset.stop, ({FRAMED})(e), ({NAME})(e)])(document.activeElement)"
    )
    reached, unseen = set(), []
    for _ in range(2 * len(wanted)):
        page.keyboard.press("Tab")
        stop, framed, name = page.evaluate(where)
        if stop in reached:
            break
        reached |= {stop} - {None}
        if not framed:
            unseen.append(name)
    assert len(wanted) > 40
    assert [name for i, name in enumerate(wanted) if str(i) not in reached] == []
    assert [name for name in unseen if not name.startswith("<body")] == []


def test_the_keyboard_works_what_it_reaches(page, base):
    page.goto(base + TABS)
    page.keyboard.press("Tab")  # the first stop
    assert (
        page.evaluate("document.activeElement.innerText").strip() == "Skip to content"
    )
    page.keyboard.press("Enter")
    assert page.url.endswith("#one-neuron")
    page.locator("input[name=__tabbed_1]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".tabbed-set").first.locator("input").nth(1).is_checked()
    copy = page.locator(".md-code__button:visible").first
    copy.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("navigator.clipboard.readText().then(t => t.includes('cg'))")
    solution = page.locator("details > summary").first
    solution.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    page.emulate_media(color_scheme="light")
    page.locator("[data-schemes] button:visible").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.locator("body[data-md-color-scheme=slate]").count() == 1
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type("perceptron")
    page.locator(".md-search-result__link").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("!document.getElementById('__search').checked")


# --- Paper ----------------------------------------------------------------------------


NOT_PRINTED = [
    *(".md-header", ".md-tabs", ".md-sidebar", ".md-footer", ".md-top", ".headerlink"),
    *(".md-code__nav", ".run-bar", "[data-widget]"),
]


def test_paper_shows_all_there_is_to_read_and_nothing_to_press(page, base):
    page.emulate_media(color_scheme="dark")
    page.goto(base + CHAPTER)
    page.locator("[data-widget]").first.scroll_into_view_if_needed()
    page.locator("[data-widget] button").first.wait_for()
    page.emulate_media(media="print", color_scheme="dark")
    for gone in NOT_PRINTED:
        for item in page.locator(gone).all():
            assert not item.is_visible(), f"{gone} is printed"
    for kept in ("figure.drawing svg", "details > p", "article math", "pre code"):
        items = page.locator(kept).all()
        assert items
        assert all(item.is_visible() for item in items), f"{kept} is not printed"
    halves = page.locator(".tabbed-block pre > code").all()
    assert len(halves) >= 2
    assert all(half.is_visible() for half in halves)
    ink = page.evaluate("getComputedStyle(document.querySelector('article p')).color")
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < 100, "light ink on white paper"
    page.goto(base + "/reference/bibliography/")
    told = page.locator("article a[href^=http]").first.evaluate(
        "a => [getComputedStyle(a, '::after').content, a.getAttribute('href')]"
    )
    assert told[1] in told[0].replace('" "', "")


# --- Without scripts, without a server, from another address --------------------------


@pytest.mark.parametrize("from_file", [False, True])
def test_a_page_can_be_read_without_scripts_and_from_a_file(chromium, base, from_file):
    """From a file, no browser starts a module: the figures stand for the widgets."""
    context = chromium.new_context(java_script_enabled=from_file)
    page = context.new_page()
    page.goto(f"file://{SITE}{TABS}index.html" if from_file else base + TABS)
    assert (
        page.locator("h1").evaluate("e => getComputedStyle(e).letterSpacing")
        != "normal"
    )
    for kept in ("article p", "pre code", "article math", "figure.drawing svg"):
        assert page.locator(kept).first.is_visible()
    width = page.locator("figure.drawing svg").first.bounding_box()["width"]
    assert width > 300
    page.locator(".tabbed-labels label").get_by_text("PyTorch").first.click()
    shown = page.locator(".tabbed-set").first.locator("pre:visible")
    assert "chalkgrad.torch" in shown.inner_text()
    assert page.locator("[data-widget]:visible").count() == 0
    assert page.locator(".run-bar:visible").count() == 0
    context.close()


def test_an_address_without_a_page_leads_on(page, base):
    assert page.goto(f"{base}{BELOW}/no/such/page/").status == 404
    assert page.locator("h1").inner_text() == "There is no page here"
    assert (
        page.locator("h1").evaluate("e => getComputedStyle(e).letterSpacing")
        != "normal"
    )
    page.get_by_role("link", name="Search the lecture").click()
    page.wait_for_url(f"**{BELOW}/**")
    page.locator(".md-search__input:focus").wait_for()
    assert f"{BELOW}/training/learning-rate/" in search(page, "learning rate")
    page.goto(f"{base}{BELOW}/no/such/page/")
    page.get_by_role("link", name="Go to the first page").click()
    page.wait_for_url(f"{base}{BELOW}/")


def test_pages_follow_each_other_without_a_load_below_another_root(page, base, heard):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"{base}{BELOW}/training/loss-functions/", wait_until="networkidle")
    page.evaluate("window.stayed = true")
    page.locator(".md-footer__link--next").click()
    page.wait_for_url(f"{base}{BELOW}{CHAPTER}")
    widget = page.locator("[data-widget]").first
    widget.scroll_into_view_if_needed()
    widget.locator("button").first.wait_for()
    page.locator(".tabbed-labels label").get_by_text("PyTorch").first.click()
    page.locator(".md-footer__link--next").click()
    page.wait_for_url(f"{base}{BELOW}/training/learning-rate/")
    page.locator("nav.md-code__nav[aria-label]").first.wait_for(state="attached")
    assert page.evaluate("window.stayed")
    assert page.locator(".tabbed-set").first.locator("input").nth(1).is_checked()
    assert heard == []
    assert hosts == {base.removeprefix("http://")}


# --- What it costs before it is asked for ---------------------------------------------


def test_the_search_and_python_wait_until_somebody_asks(page, base):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(base + CHAPTER, wait_until="networkidle")
    heavy = ("search_index", "workers/search", "assets/python")
    assert not [url for url in asked if any(name in url for name in heavy)]
    assert search(page, "descent")
    assert [url for url in asked if "search_index" in url]


LIGHT = 179_000  # bytes on the wire, before anything is pressed
HEAVIER = {
    "/perceptron/boundaries/": 219_000,
    "/traditional-ml/the-idea/": 199_000,
    "/training/adaptive-rates/": 186_000,
    "/training/gradient-descent/": 182_000,
    "/training/hardware/": 184_000,
    "/training/loss-functions/": 180_000,
    "/training/loss-landscapes/": 206_000,
    "/training/practical-problems/": 189_000,
    "/training/stochastic-gradient-descent/": 190_000,
}
WIRE = """[...performance.getEntriesByType("navigation"),
    ...performance.getEntriesByType("resource")]
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""


def test_a_page_of_the_lecture_is_light(chromium, base):
    weights = {}
    for path in LECTURE:
        context = chromium.new_context()  # with nothing kept from another page
        page = context.new_page()
        page.goto(base + path, wait_until="networkidle")
        weights[path] = page.evaluate(WIRE)
        context.close()
    heavy = {p: w for p, w in weights.items() if w > HEAVIER.get(p, LIGHT)}
    assert heavy == {}


# --- Bad words ------------------------------------------------------------------------

PAYLOADS = [
    "<img src=x onerror=hit()>",
    "<script>hit()</script>",
    "<svg/onload=hit()>",
    '"><iframe srcdoc="<script>parent.hit()</script>">',
    "{{constructor.constructor('hit()')()}}",
    "javascript:hit()",
]
# With the policy, and without it: what must hold even where the policy is not known.
POLICY = pytest.mark.parametrize("policy", [True, False])


@pytest.fixture
def exposed(chromium, policy):
    context = chromium.new_context(bypass_csp=not policy)
    page = context.new_page()
    hits = []
    page.expose_function("hit", lambda: hits.append(page.url))
    yield page, hits
    context.close()


@POLICY
def test_words_in_the_address_are_searched_and_never_run(exposed, base):
    page, hits = exposed
    for words in [*PAYLOADS, f"learning {PAYLOADS[0]}"]:
        page.goto(f"{base}/?q={quote(words)}")
        page.wait_for_function(
            "/match|No/.test(document.querySelector('.md-search-result__meta').innerText)"
        )
        assert page.locator(".md-search__input").input_value() == words
    assert hits == []


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    """Build a site whose title and code hold scripts; serve it."""
    folder = tmp_path_factory.mktemp("poisoned")
    (folder / "docs").mkdir()
    code = "\n".join(f">>> name = {words!r}" for words in PAYLOADS)
    escaped = " ".join(f"`{words}`" for words in PAYLOADS)
    page = f"# Poison {escaped}\n\nPoison: {escaped}\n\n```pycon\n{code}\n```\n"
    (folder / "docs/index.md").write_text(page)
    ours = yaml.safe_load((SITE.parent / "mkdocs.yml").read_text("utf-8"))
    kept = {key: ours[key] for key in ("site_name", "site_description", "site_url")}
    extensions = [e for e in ours["markdown_extensions"] if "toc" not in e]
    config = {**kept, "nav": ["index.md"], "plugins": ["search"]}
    config |= {"markdown_extensions": extensions, "theme": {"name": "material"}}
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(config))
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    postprocess.postprocess(folder / "site", config, folder / "docs")
    handler = functools.partial(Pages, directory=folder / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@POLICY
def test_scripts_in_a_title_and_in_code_are_shown_and_never_run(exposed, poisoned):
    page, hits = exposed
    page.goto(poisoned)
    assert PAYLOADS[0] in page.locator("h1").inner_text()
    assert PAYLOADS[1] in page.locator("pre").first.inner_text()
    page.locator(".md-search__input").fill("poison")
    page.locator(".md-search-result__link").first.wait_for()
    assert PAYLOADS[0] in page.locator(".md-search-result__list").inner_text()
    page.locator(".md-search-result__link").first.hover()
    assert hits == []


SHIFTS = """globalThis.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(e => shifted += e.value))
    .observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("path", ["/", *LECTURE])
def test_nothing_moves_while_slow_fonts_come(phone, base, path):
    phone.add_init_script(SHIFTS)
    fonts = []
    phone.route("**/*.woff2", lambda route: fonts.append(route))
    phone.goto(base + path, wait_until="domcontentloaded")
    phone.wait_for_timeout(1000)  # the theme and the widgets take their places
    for font in fonts:
        font.continue_()
    phone.wait_for_load_state("load")
    phone.evaluate("document.fonts.ready.then(() => 0)")
    phone.wait_for_timeout(300)
    assert phone.evaluate("shifted") <= 0.02
