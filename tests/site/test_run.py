"""The third reading: Python in the page runs every snippet, and prints what it says."""

import http.server
import re
import threading

import pytest

from .test_site import PAGES

# Press Run on one bar; give back what the bar made of it. A page ends what runs too
# long; only where nothing runs at all, nothing would ever come.
PRESS = """bar => new Promise((done, fail) => {
    document.addEventListener("ran", event => done(event.detail), { once: true });
    bar.querySelector("button").click();
    setTimeout(() => fail(new Error("nothing ran in ten minutes")), 600_000);
})"""


@pytest.fixture(scope="module")
def reader(chromium, base):
    """One reader, who goes from page to page: Python is started once."""
    context = chromium.new_context()
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
    return page.query_selector_all("[data-run] .run-bar:has(button)")


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
    bar(bench, 2).get_by_text("✓ the same here").wait_for()
    # What stands on the page is not printed once more.
    assert bench.get_by_role("region", name="Output of snippet 2").count() == 0
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
    bar(bench, 1).get_by_role("button", name="Stop snippet 1").click()
    out = bench.get_by_role("region", name="Output of snippet 1")
    assert out.inner_text() == "Stopped. The next run starts Python anew.\n"
    bar(bench, 1).get_by_role("button", name="Reset snippet 1").click()
    assert run(bench, 2)["error"] == ""


def test_it_is_stopped_at_its_limit_and_not_before(bench):
    run(bench, 2)  # Python has a limit of its own to start
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
    assert took > 950
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


# --- What is edited, what is asked, what does not come --------------------------------


def test_an_edit_is_marked_and_runs_before_what_depends_on_it(bench):
    edit(bench, 1, "kept = 1")
    bar(bench, 1).get_by_text("edited, not run").wait_for()
    edit(bench, 2, "print(kept)")
    assert run(bench, 2)["text"] == "1\n"
    bar(bench, 1).get_by_text("ran for snippet 2").wait_for()
    bench.get_by_role("textbox", name="Edit snippet 1").fill("kept = 2")
    bar(bench, 1).get_by_text("edited, not run").wait_for()
    assert run(bench, 2)["text"] == "2\n"
    bench.get_by_role("textbox", name="Edit snippet 1").fill("other = 3")
    assert "NameError: name 'kept'" in run(bench, 2)["error"]


def test_reset_is_undone_and_what_was_typed_outlives_the_page(bench):
    edit(bench, 1, "kept = 1")
    bar(bench, 1).get_by_role("button", name="Reset snippet 1").click()
    assert bench.get_by_role("textbox", name="Edit snippet 1").count() == 0
    bar(bench, 1).get_by_role("button", name="Yours: snippet 1").click()
    typed = bench.get_by_role("textbox", name="Edit snippet 1")
    typed.wait_for()
    assert typed.inner_text() == "kept = 1"
    bench.reload()
    bench.wait_for_selector(".run-bar button")
    bar(bench, 1).get_by_role("button", name="Yours: snippet 1").click()
    typed.wait_for()
    assert typed.inner_text() == "kept = 1"


def test_what_fails_above_is_named_with_a_link_and_a_way_out(bench):
    edit(bench, 1, "import chalkgrad.numpy as cg\n1 / 0")
    told = run(bench, 2)
    assert (told["verdict"], told["name"]) == ("failed", "snippet 1")
    block = bench.locator("[data-run]:has(#snippet-2)")
    assert block.get_attribute("data-verdict") == "failed"
    link = block.get_by_role("link", name="snippet 1")
    assert link.get_attribute("href").endswith("#snippet-1")
    link.click()
    assert bench.get_by_role("textbox", name="Edit snippet 1").is_visible()
    block.get_by_role("button", name="Reset snippet 1").click()
    assert run(bench, 2)["error"] == ""
    assert block.get_attribute("data-verdict") != "failed"


def test_a_loop_above_is_named_and_to_stop_it_is_no_failure(bench):
    edit(bench, 1, "import chalkgrad.numpy as cg\nwhile True: pass")
    bar(bench, 2).get_by_role("button", name="Run snippet 2").click()
    bar(bench, 2).get_by_text("Running snippet 1, above (1 of 2) …").wait_for()
    bar(bench, 2).get_by_role("button", name="Stop snippet 2").click()
    bar(bench, 2).get_by_text("stopped ·").wait_for()
    block = bench.locator("[data-run]:has(#snippet-2)")
    assert "snippet 1, above on this page, was still running" in block.inner_text()


def test_who_waited_does_not_wait_for_ever(bench):
    edit(bench, 1, "while True: pass")
    bar(bench, 1).get_by_role("button", name="Run snippet 1").click()
    bar(bench, 1).get_by_text("Running …").wait_for()
    bar(bench, 2).get_by_role("button", name="Run snippet 2").click()
    bar(bench, 2).get_by_text("Wait: snippet 1").wait_for()
    bar(bench, 1).get_by_role("button", name="Stop snippet 1").click()
    assert bar(bench, 2).locator(".run-state").inner_text() == ""


def test_it_asks_for_a_line_and_goes_on_with_it(bench):
    edit(bench, 1, "kept = [input('name? '), input('age? ')]\nprint(kept)")
    bench.keyboard.press("Control+Enter")
    for question, answer in [("name? ", "Ada"), ("age? ", "36")]:
        line = bench.get_by_role("textbox", name=question, exact=True)
        line.fill(answer)
        line.press("Enter")
    out = bench.get_by_role("region", name="Output of snippet 1")
    bench.get_by_text("['Ada', '36']").wait_for()
    assert out.inner_text() == "name? Ada\nage? 36\n['Ada', '36']\n"


def test_pasted_prompts_run(bench):
    edit(bench, 1, ">>> kept = 6\n>>> kept * 7\n42\n")
    assert run(bench, 1)["text"] == "42\n"


def test_a_cell_of_a_lab_prints_what_the_lab_shows(reader, base):
    page = reader.context.new_page()
    page.goto(f"{base}/labs/boundaries/")
    page.wait_for_selector(".run-bar button")
    assert "Text(" not in run(page, 3)["text"]
    page.close()


@pytest.fixture
def newcomer(chromium, base):
    """Open a tab of a reader who has never been here."""
    context = chromium.new_context()
    page = context.new_page()
    yield page
    context.close()


def test_the_first_run_says_what_it_costs_and_how_far_it_is(newcomer, base):
    newcomer.goto(base + PATH)
    newcomer.wait_for_selector(".run-bar button")
    newcomer.evaluate(
        """() => {
            const state = document.querySelector(".run-state");
            window.said = [];
            new MutationObserver(() => said.push(state.textContent))
                .observe(state, { childList: true, subtree: true });
        }"""
    )
    assert run(newcomer, 1)["error"] == ""
    said = [re.search(r"once: (\d+) of (\d+) MB", s) for s in newcomer.evaluate("said")]
    came, total = zip(
        *[map(int, found.groups()) for found in said if found], strict=True
    )
    assert list(came) == sorted(came)
    assert came[-1] == total[-1]
    assert 0 < max(total) <= 12
    assert len(set(came)) > 3


@pytest.mark.parametrize("how", ["blocked", "refused", "changed", "silent"])
@pytest.mark.parametrize("file", ["pyodide.asm.wasm", "numpy-*.whl"])
def test_what_does_not_come_is_told(newcomer, base, how, file):
    def answer(route):
        if how == "blocked":
            route.abort()
        elif how == "refused":
            route.fulfill(status=403, body="This file is not allowed here.")
        elif how == "changed":
            route.fulfill(status=200, body="This file is not allowed here.")

    newcomer.context.route(f"**/assets/python/{file}", answer)
    newcomer.goto(base + PATH)
    newcomer.wait_for_selector(".run-bar button")
    quiet = "async s => { (await import('/assets/js/run.js')).limit.quiet = s; }"
    newcomer.evaluate(quiet, 5 if how == "silent" else 60)
    told = run(newcomer, 1)
    assert told["verdict"] == "failed"
    words = {
        "blocked": "did not come",
        "refused": "the server says 403",
        "changed": "something on the way has changed it",
        "silent": "nothing for 5 s",
    }
    assert words[how] in told["error"]
    newcomer.context.unroute_all(behavior="ignoreErrors")
    newcomer.evaluate(quiet, 60)
    assert run(newcomer, 1)["error"] == ""  # once more


def test_without_a_network_it_says_so(newcomer, base):
    newcomer.goto(base + PATH)
    newcomer.wait_for_selector(".run-bar button")
    newcomer.context.set_offline(True)
    assert "no network" in run(newcomer, 1)["error"]
    bar(newcomer, 1).get_by_role("button", name="Edit snippet 1").click()
    bar(newcomer, 1).get_by_text("There is no network").wait_for()
    newcomer.context.set_offline(False)
    assert run(newcomer, 1)["error"] == ""


LINE = "Object.defineProperty(navigator, 'connection', {{ value: {} }})"


@pytest.mark.parametrize(
    ("line", "comes"),
    [
        ("{ effectiveType: '4g', saveData: false }", True),
        ("{ effectiveType: '4g', saveData: true }", False),
        ("{ effectiveType: '3g', saveData: false }", False),
        ("undefined", False),
    ],
)
def test_on_a_good_line_python_comes_to_who_looks_for_long(newcomer, base, line, comes):
    asked = []
    newcomer.add_init_script(LINE.format(line))
    newcomer.on("request", lambda request: asked.append(request.url))
    newcomer.on("worker", lambda worker: asked.append(worker.url))
    newcomer.goto(base + PATH)
    newcomer.wait_for_selector(".run-bar button")
    newcomer.evaluate(
        "async () => { (await import('/assets/js/run.js')).limit.look = 0.2; }"
    )
    newcomer.locator("#snippet-2").scroll_into_view_if_needed()
    newcomer.wait_for_timeout(1500)
    assert any("blob:" in url or "/assets/python/" in url for url in asked) == comes
    assert run(newcomer, 2)["error"] == ""


def test_the_python_of_the_last_page_is_kept(bench):
    fetched = []
    run(bench, 1)
    bench.on("request", lambda request: fetched.append(request.url))
    bench.on("worker", lambda worker: fetched.append(worker.url))
    go(bench, "/perceptron/wiring/")
    assert run(bench, 1)["error"] == ""
    assert not [url for url in fetched if "blob:" in url or "/python/" in url]


BROKEN = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, {
        configurable: true,
        get() { throw new DOMException("denied", "SecurityError"); },
    });"""


def test_where_nothing_may_be_stored_all_of_it_works(newcomer, base):
    troubles = []
    newcomer.on("pageerror", lambda error: troubles.append(str(error)))
    newcomer.context.grant_permissions(["clipboard-read", "clipboard-write"])
    newcomer.add_init_script(BROKEN)
    newcomer.goto(base + PATH)
    newcomer.wait_for_selector(".run-bar button")
    schemes = []
    for _ in range(2):
        newcomer.locator("[data-schemes] button:visible").click()
        schemes.append(newcomer.evaluate("document.body.dataset.mdColorScheme"))
    assert schemes == ["default", "slate"]
    newcomer.locator(".language-pycon .md-code__button").first.click()
    assert "chalkgrad" in newcomer.evaluate("navigator.clipboard.readText()")
    edit(newcomer, 1, "6 * 7")
    assert run(newcomer, 1)["text"] == "42\n"
    assert troubles == []
