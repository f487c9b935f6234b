"""The built site, served on this machine, and a browser to read it with."""

import functools
import gzip
import http.server
import os
import re
import shutil
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
# Where the site will stand, and the path of it that its pages know: a fork has its own.
HOME = re.search(r"^site_url: (\S+)/$", (ROOT / "mkdocs.yml").read_text(), re.M)[1]
BELOW = urlsplit(HOME).path
SMALLER = {".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".wasm", ".xml"}


class Pages(http.server.SimpleHTTPRequestHandler):
    """Serve the site as its host does: packed, from / and from its path there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.is_dir() and not self.path.partition("?")[0].endswith("/"):
            self.send_response(301)
            self.send_header("Location", self.path + "/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path = path / "index.html" if path.is_dir() else path
        there = path.is_file()
        path = path if there else SITE / "404.html"
        content = path.read_bytes()
        # The theme swaps only the pages that the sitemap names, by their full address.
        if path.name == "sitemap.xml":
            at = f"http://{self.headers['Host']}{self.path.removesuffix(path.name)}"
            content = content.replace(f"{HOME}/".encode(), at.encode())
        self.send_response(200 if there else 404)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Cache-Control", "max-age=600")
        if path.suffix in SMALLER and "gzip" in self.headers["Accept-Encoding"]:
            content = packed(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def translate_path(self, path):
        return super().translate_path(path.removeprefix(BELOW))

    def log_message(self, *args):
        """Say nothing."""


@functools.cache
def packed(content):
    """Pack what is asked for again and again only once."""
    return gzip.compress(content)


# Only what hangs for ever takes so long, however busy the machine is.
PATIENCE = 60_000  # ms


def ask_until(page, expression, timeout=PATIENCE):
    """Wait until JavaScript says yes.

    Playwright's own way calls eval, which the policy of the site forbids.
    """
    end = time.monotonic() + timeout / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not within {timeout} ms: {expression}"
        page.wait_for_timeout(50)


Page.wait_for_function = ask_until


@pytest.fixture(scope="session")
def base():
    """Serve the site; return where."""
    if not (SITE / "index.html").is_file():
        pytest.fail("there is no built site; run `make build` first.")
    handler = functools.partial(Pages, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def missing(what):
    """Skip where a tool is missing; fail in CI, where everything must be tried."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def wait_with_patience(new_context):
    """Let every tab of a browser wait as long as we do."""

    @functools.wraps(new_context)
    def new(**options):
        context = new_context(**options)
        context.set_default_timeout(PATIENCE)
        return context

    return new


@pytest.fixture(scope="session")
def playwright():
    """Start what drives browsers."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright):
    """Start the browser of this machine; only CI insists on one."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        missing("no chromium on this machine: the site was not read in a browser")
    browser = playwright.chromium.launch(executable_path=path)
    browser.new_context = wait_with_patience(browser.new_context)
    yield browser
    browser.close()


@pytest.fixture
def page(chromium):
    """Open an empty tab."""
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


@pytest.fixture
def phone(chromium):
    """Open an empty tab on a phone."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def node_modules():
    """Return where npm put the tools of the site's tests."""
    folder = ROOT / "node_modules"
    if shutil.which("node") is None or not folder.is_dir():
        missing("no node_modules on this machine: axe and html-validate were not run")
    return folder
