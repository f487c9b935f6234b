"""The site in other engines: Firefox, and WebKit, of which Safari is made.

ENGINES names those to try. Firefox is driven by Playwright as our Chromium is, WebKit
by Selenium on a screen that nobody sees. Neither says how a page is printed.
"""

import os
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from .conftest import PATIENCE, missing
from .test_quality import KINDS
from .test_site import PAGES
from .test_widgets import HOMES

# Selenium warns of what it does itself.
pytestmark = pytest.mark.filterwarnings("ignore:setting remote_server_addr")
ENGINES = os.environ.get("ENGINES", "firefox webkit").split()
# Playwright sets what this engine cannot do, unless it is told to leave it alone.
PLAIN = dict.fromkeys(
    ["color_scheme", "reduced_motion", "forced_colors", "contrast"], "null"
)


class PlaywrightTab:
    """A tab of Chromium or Firefox."""

    def __init__(self, page):
        self.page = page
        self.messages = []
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.set_default_timeout(PATIENCE)

    def open(self, address):
        self.page.goto(address)

    def resize(self, width, height):
        self.page.set_viewport_size({"width": width, "height": height})

    def ask(self, script):
        """Return what a script returns, or what it promises."""
        return self.page.evaluate(f"async () => {{ {script} }}")

    def press(self, key):
        self.page.keyboard.press(key)

    def click(self, selector):
        self.page.locator(selector).first.click()

    def take_messages(self):
        taken = self.messages.copy()
        self.messages.clear()
        return taken


class SeleniumTab:
    """A window of WebKit."""

    def __init__(self, driver, log):
        self.driver = driver
        self.log = log
        self.read = 0

    def open(self, address):
        self.driver.get(address)

    def resize(self, width, height):
        """Make the page so large: a window has borders."""
        size = (width, height)
        for _ in range(2):
            self.driver.set_window_size(*size)
            time.sleep(0.2)  # the window's manager answers when it likes
            inner = self.ask("return [innerWidth, innerHeight]")
            size = (size[0] + width - inner[0], size[1] + height - inner[1])

    def ask(self, script):
        answer = self.driver.execute_async_script(
            "const done = arguments[0];"
            f"(async () => {{ {script} }})().then(value => done([value ?? null, null]),"
            "error => done([null, String(error)]));"
        )
        assert answer[1] is None, answer[1]
        return answer[0]

    def press(self, key):
        keys = {"ArrowRight": Keys.ARROW_RIGHT, "Shift+Enter": Keys.SHIFT + Keys.ENTER}
        self.driver.switch_to.active_element.send_keys(keys.get(key, key))

    def click(self, selector):
        found = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", found
        )
        found.click()

    def take_messages(self):
        said = self.log.read_text("utf-8", errors="replace")
        taken, self.read = said[self.read :], len(said)
        return [line for line in taken.splitlines() if line.startswith("CONSOLE")]


def open_with_playwright(playwright, name, path, scheme, stop):
    if name == "firefox":
        dark = {"layout.css.prefers-color-scheme.content-override": scheme == "light"}
        browser = playwright.firefox.launch(
            channel="moz-firefox",
            executable_path=path,
            firefox_user_prefs={key: int(value) for key, value in dark.items()},
        )
        context = browser.new_context(**PLAIN)
    else:
        browser = playwright.chromium.launch(executable_path=path)
        context = browser.new_context(color_scheme=scheme)
    stop.callback(browser.close)
    return PlaywrightTab(context.new_page())


def open_webkit(path, scheme, stop, folder):
    shown, display = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(display), "-screen", "0", "1600x1200x24"],
        pass_fds=[display],
        stderr=subprocess.DEVNULL,
    )
    stop.callback(screen.wait)
    stop.callback(screen.terminate)
    number = os.read(shown, 16).decode().strip()
    log = folder / "webkit.log"
    options = Options()
    options.binary_location = next(
        str(found) for found in Path("/usr/lib").rglob("webkit2gtk-4*/MiniBrowser")
    )
    options.add_argument("--automation")
    options.add_argument("--enable-write-console-messages-to-stdout=true")
    if scheme == "dark":
        options.add_argument("--dark-mode")
    environment = {**os.environ, "DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1"}
    service = Service(path, log_output=str(log), env=environment)
    driver = webdriver.WebKitGTK(options=options, service=service)
    stop.callback(driver.quit)
    driver.set_script_timeout(PATIENCE / 1000)
    return SeleniumTab(driver, log)


@contextmanager
def open_tab(playwright, engine, scheme, folder):
    """Start an engine in a colour scheme; skip it where it is not there."""
    names = {"firefox": "firefox-esr", "webkit": "WebKitWebDriver"}
    path = shutil.which(names.get(engine, engine)) or shutil.which(engine)
    if path is None or (engine == "webkit" and shutil.which("Xvfb") is None):
        missing(f"no {engine} on this machine: the site was not read in it")
    with ExitStack() as stop:
        if engine == "webkit":
            yield open_webkit(path, scheme, stop, folder)
        else:
            yield open_with_playwright(playwright, engine, path, scheme, stop)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def tab(playwright, engine, tmp_path_factory):
    """Open one tab in light, for all pages."""
    with open_tab(playwright, engine, "light", tmp_path_factory.mktemp(engine)) as tab:
        yield tab


# What a script may wait with, but not for ever.
UNTIL = f"""
const until = async isReady => {{
    const end = performance.now() + {PATIENCE};
    while (!isReady()) {{
        if (performance.now() > end) throw new Error(`never: ${{isReady}}`);
        await new Promise(done => setTimeout(done, 50));
    }}
}};"""
# Everything that a page loads late is loaded: widgets, pictures and fonts.
AWAKE = f"""{UNTIL}
for (const widget of document.querySelectorAll("[data-widget]")) {{
    widget.scrollIntoView();
    await until(() => widget.querySelector("output, button, input"));
}}
for (const picture of document.images) {{
    picture.scrollIntoView();
    await picture.decode();
}}
await document.fonts.ready;
return {{
    sleeping: [...document.querySelectorAll("[data-widget]:not(:has(input, button))")]
        .map(widget => widget.dataset.widget),
    fonts: [...document.fonts].filter(font => font.status === "error")
        .map(font => font.family),
    flat: [...document.querySelectorAll("article math")].filter(formula =>
        formula.checkVisibility() && formula.getBoundingClientRect().height < 5)
        .map(formula => formula.textContent),
    heading: Boolean(document.querySelector("h1")),
}};"""
SOUND = {"sleeping": [], "fonts": [], "flat": [], "heading": True}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_whole_and_fits(tab, base, path):
    tab.resize(1280, 900)
    tab.open(base + path)
    assert tab.ask(AWAKE) == SOUND
    for width in (1280, 390):
        tab.resize(width, 900)
        wide = "return document.documentElement.scrollWidth - innerWidth"
        assert tab.ask(wide) <= 0, width
    assert tab.take_messages() == []


@pytest.mark.parametrize("name", HOMES)
def test_a_widget_answers_the_keys(tab, base, name):
    tab.resize(1280, 900)
    tab.open(base + HOMES[name])
    tab.ask(AWAKE)
    part = f"[data-widget={name}]"
    say = f"return document.querySelector('{part} output').textContent"
    before = tab.ask(say)
    first = f"document.querySelector('{part} input[type=range]')"
    if tab.ask(f"return {first} === null"):
        tab.click(f"{part} button:not(:disabled, [aria-pressed=true])")
    else:
        tab.ask(f"{first}.focus()")
        for _ in range(5):
            tab.press("ArrowRight")
    assert tab.ask(say) != before
    assert tab.take_messages() == []


RAN = f"""{UNTIL}
const state = document.querySelector("#snippet-2 .run-state");
const block = state.closest("[data-run]");
await until(() => block.dataset.verdict).catch(() => null);
return state.textContent"""


def test_python_runs_in_the_page(tab, base):
    tab.resize(1280, 900)
    tab.open(base + "/perceptron/neuron/")
    tab.click("#snippet-2 button")
    assert tab.ask(RAN).startswith("✓ the same here")
    assert tab.take_messages() == []


def test_a_copy_is_said(tab, base):
    tab.open(base + "/perceptron/neuron/")
    tab.click(".language-pycon .md-code__button")
    said = tab.ask(
        f"{UNTIL} const dialog = document.querySelector('.md-dialog');"
        "await until(() => dialog.textContent.trim());"
        "return dialog.textContent.trim();"
    )
    assert said == "Copied to clipboard"


def test_a_link_swaps_the_page(tab, base):
    tab.resize(1280, 900)
    tab.open(base + "/perceptron/neuron/")
    tab.ask("window.kept = true")
    tab.click("a.md-footer__link--next")
    swapped = tab.ask(
        f"{UNTIL} await until(() => !location.pathname.endsWith('/neuron/'));"
        "return window.kept === true;"
    )
    assert swapped


def test_the_dark_is_dark(playwright, engine, base, tmp_path):
    with open_tab(playwright, engine, "dark", tmp_path) as tab:
        for path in KINDS:
            tab.open(base + path)
            ink = tab.ask(
                "const style = getComputedStyle(document.body);"
                "const bright = text => text.match(/[0-9.]+/g).slice(0, 3)"
                "    .reduce((sum, part) => sum + Number(part), 0);"
                "return bright(style.color) - bright(style.backgroundColor);"
            )
            assert ink > 0, path
