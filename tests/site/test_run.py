"""The third reading: Python in the page runs every snippet, and prints what it says."""

import http.server
import threading

import pytest

from .test_site import PAGES

# What runs in a page starts Python first; then a snippet may take its time.
LONG = 180_000

# Press Run on one bar; give back what the bar made of it.
PRESS = """bar => new Promise(done => {
    document.addEventListener("ran", event => done(event.detail), { once: true });
    bar.querySelector("button").click();
})"""


@pytest.fixture(scope="module")
def reader(chromium, base):
    """One reader, who goes from page to page: Python is started once."""
    context = chromium.new_context()
    context.set_default_timeout(LONG)
    page = context.new_page()
    page.goto(f"{base}/")
    yield page
    context.close()


def go(page, path):
    """Follow a link; the theme swaps the page, as for a reader."""
    page.evaluate(
        """path => new Promise(done => {
            if (location.pathname === path) { done(); return; }
            const before = document.querySelector("article");
            const link = Object.assign(document.createElement("a"), { href: path });
            document.querySelector("article").append(link);
            link.click();
            const timer = setInterval(() => {
                if (document.querySelector("article") === before) return;
                clearInterval(timer);
                setTimeout(done, 50); // the scripts of the page attach to it
            }, 20);
        })""",
        path,
    )


def bars(page):
    return page.query_selector_all(".run-bar:has(button)")


@pytest.mark.parametrize("path", PAGES)
def test_every_snippet_runs_in_the_page_and_prints_what_it_says(reader, path):
    go(reader, path)
    for number, bar in enumerate(bars(reader), 1):
        told = bar.evaluate(PRESS)
        assert told["error"] == "", f"snippet {number} of {path} fails"
        assert told["differences"] == [], f"snippet {number} of {path}"


def test_what_cannot_run_in_a_page_says_why(page, base):
    page.goto(f"{base}/training/hardware/")
    said = page.locator("p.run-bar").all_text_contents()
    assert any(text.startswith("Needs PyTorch") for text in said)
    assert any(text.startswith("Starts processes") for text in said)


# --- One reader's clicks --------------------------------------------------------------

PATH = "/perceptron/neuron/"


@pytest.fixture
def bench(reader, base):
    """A tab of its own, and Python that has not been started."""
    page = reader.context.new_page()
    page.goto(base + PATH)
    page.wait_for_selector(".run-bar button")
    yield page
    page.close()


def bar(page, number):
    return page.locator(".run-bar:has(button)").nth(number - 1)


def edit(page, number, text):
    """Write a text in the place of a snippet."""
    bar(page, number).get_by_role("button", name=f"Edit snippet {number}").click()
    page.get_by_role("textbox", name=f"Edit snippet {number}").fill(text)


def run(page, number):
    return bar(page, number).element_handle().evaluate(PRESS)


def test_any_snippet_can_be_the_first_and_python_is_fetched_at_the_click(bench):
    fetched = []
    bench.on("request", lambda request: fetched.append(request.url))
    bench.mouse.wheel(0, 5000)
    bench.wait_for_timeout(200)
    assert not [url for url in fetched if "/assets/python/" in url]
    last = len(bars(bench))
    assert run(bench, last)["verdict"] in ("as on the page", "done")
    assert [url for url in fetched if url.endswith("pyodide.asm.wasm")]
    assert bar(bench, 1).locator(".run-state").inner_text() == ""  # they ran quietly


def test_what_a_reader_writes_runs_and_is_compared(bench):
    edit(bench, 1, "kept = 6 * 7\nkept")
    bench.keyboard.press("Shift+Enter")
    out = bench.get_by_role("region", name="Output of snippet 1")
    out.wait_for()
    assert out.inner_text() == "42\n"
    bar(bench, 1).get_by_text("done").wait_for()  # the page has no answer there
    edit(bench, 2, "kept + 1\ndef f():\n    return missing\nf()")
    told = run(bench, 2)
    assert told["text"].startswith("43\nTraceback (most recent call last):\n")
    assert 'File "<snippet 2>", line 4, in <module>\n    f()' in told["text"]
    assert 'File "<snippet 2>", line 3, in f\n    return missing' in told["text"]
    # Restart clears what was defined, and runs what stands above; Reset puts it back.
    bar(bench, 2).get_by_role("button", name="Restart").click()
    bar(bench, 1).get_by_role("button", name="Reset snippet 1").click()
    assert "NameError: name 'kept'" in run(bench, 2)["error"]
    bar(bench, 2).get_by_role("button", name="Reset snippet 2").click()
    assert run(bench, 2)["verdict"] in ("as on the page", "done")


def test_names_do_not_survive_the_page(bench):
    edit(bench, 1, "kept = 1")
    run(bench, 1)
    go(bench, "/perceptron/wiring/")
    edit(bench, 1, "kept")
    assert "NameError" in run(bench, 1)["error"]


def test_the_keyboard_alone_runs_a_snippet(bench):
    bar(bench, 2).get_by_role("button", name="Run snippet 2").focus()
    bench.keyboard.press("Enter")
    bar(bench, 2).get_by_text("as on the page").wait_for()
    bench.keyboard.press("Tab")
    bench.keyboard.press("Enter")
    editor = bench.get_by_role("textbox", name="Edit snippet 2")
    editor.wait_for()
    bench.wait_for_function("document.activeElement.matches('.cm-content')")
    bench.keyboard.press("Escape")
    focused = bench.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "Run snippet 2"


def test_an_endless_loop_is_stopped(bench):
    edit(bench, 1, "while True: pass")
    go_on = bar(bench, 1).get_by_role("button", name="Run snippet 1")
    go_on.click()
    bar(bench, 1).get_by_text("Running …").wait_for()
    bar(bench, 2).get_by_role("button", name="Run snippet 2").click()
    bar(bench, 2).get_by_text("Wait: snippet 1 is still running.").wait_for()
    bar(bench, 1).get_by_role("button", name="Stop snippet 1").click(timeout=1000)
    out = bench.get_by_role("region", name="Output of snippet 1")
    assert out.inner_text() == "Stopped. The next run starts Python anew.\n"
    bar(bench, 1).get_by_role("button", name="Reset snippet 1").click()
    assert run(bench, 2)["error"] == ""


def test_it_is_stopped_within_a_tenth_of_a_second_of_its_limit(bench):
    edit(bench, 1, "while True: pass")
    took = bench.evaluate(
        """async () => {
            (await import("/assets/js/run.js")).limit.seconds = 1;
            const bar = document.querySelector(".run-bar:has(button)");
            let began;
            const state = bar.querySelector(".run-state");
            new MutationObserver(() => {
                if (state.textContent === "Running …") began = performance.now();
            }).observe(state, { childList: true, characterData: true, subtree: true });
            await new Promise(done => {
                document.addEventListener("ran", done, { once: true });
                bar.querySelector("button").click();
            });
            return performance.now() - began;
        }"""
    )
    assert 950 < took < 1100
    out = bench.get_by_role("region", name="Output of snippet 1").inner_text()
    assert out == "Stopped after 1 s, the limit of a page.\n"


@pytest.mark.parametrize(
    ("bomb", "said"),
    [
        ("x = [0]\nwhile True: x = x + x", "MemoryError"),
        ("for i in range(10**6): print(i)", "cut: it prints more than fits here"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("import sys\nsys.exit()", "SystemExit"),
    ],
)
def test_what_goes_wrong_leaves_a_page_that_works(bench, bomb, said):
    edit(bench, 1, bomb)
    assert said in run(bench, 1)["text"]
    bar(bench, 1).get_by_role("button", name="Reset snippet 1").click()
    assert run(bench, 1)["error"] == run(bench, 2)["error"] == ""


def test_what_it_prints_is_text(bench):
    edit(bench, 1, "print('<img src=x onerror=document.title=1>')")
    assert run(bench, 1)["text"] == "<img src=x onerror=document.title=1>\n"
    assert bench.locator(".run-out img").count() == 0
    assert bench.title() != "1"


def test_python_reaches_no_other_host_and_runs_no_script(bench):
    asked = []

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, *args):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        edit(bench, 1, f"import pyodide.http\npyodide.http.open_url('{address}/a')")
        assert "NetworkError" in run(bench, 1)["error"]
        script = "import js\njs.eval('1 + 1')"
        bench.get_by_role("textbox", name="Edit snippet 1").fill(script)
        assert "unsafe-eval" in run(bench, 1)["error"]
        server.shutdown()
    assert asked == []


def test_a_figure_is_shown(bench):
    edit(bench, 1, "import matplotlib.pyplot as plt\nlines = plt.plot([1, 4, 9])")
    assert run(bench, 1)["error"] == ""
    image = bench.get_by_alt_text("Figure 1, drawn by snippet 1")
    image.wait_for()
    assert image.evaluate("image => image.naturalWidth") > 500


def test_a_site_without_the_files_says_so(page, base):
    def without(route):
        answer = route.fetch()
        body = answer.text().replace('highlight" data-run ', 'highlight" ')
        route.fulfill(response=answer, body=body)

    page.route(f"**{PATH}", without)
    page.goto(base + PATH)
    page.get_by_text("This copy of the site comes without Python").wait_for()
    assert page.locator(".run-bar button").count() == 0
