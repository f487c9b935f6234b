"""The judge in the page: a reader writes, presses Judge, and is told and shown why."""

import pytest

PATH = "/how-to/judge/"
JUDGE = """host => new Promise(done => {
    document.addEventListener("judged", event => done(event.detail), { once: true });
    host.querySelector(".run-bar button").click();
})"""


@pytest.fixture(scope="module")
def bench(chromium, base):
    """One reader, for whom Python is started once."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(base + PATH)
    page.wait_for_selector(".judge .cm-editor")
    yield page
    context.close()


def judge(page):
    return page.locator(".judge").element_handle().evaluate(JUDGE)


def write(page, task, text):
    page.get_by_label("Judge it as").select_option(task)
    page.get_by_role("textbox", name="Your implementation").fill(text)


def test_what_stands_there_has_a_mistake_that_is_named_and_drawn(bench):
    assert judge(bench)["title"] == "adam: wrong: t never grows"
    verdict = bench.get_by_role("region", name="Verdict")
    assert verdict.locator(".judge-title").inner_text() == "Wrong: t never grows"
    assert bench.evaluate("document.activeElement.matches('.judge-verdict')")
    picture = verdict.get_by_role("img")
    assert "They first differ in step 2." in picture.get_attribute("aria-label")
    assert picture.locator(".judge-first").count() == 1
    assert picture.locator("polyline").count() == 2
    assert "cg.judge.compare(Adam, 'adam'" in verdict.inner_text()
    link = verdict.get_by_role("link").first.get_attribute("href")
    assert link.endswith(
        "/training/bugs-that-shipped/#9-the-step-count-that-stands-still"
    )
    assert bench.locator(".judge .run-state").inner_text() == "Wrong."


def test_a_right_one_is_right_and_each_task_keeps_its_text(bench):
    text = "import numpy as np\ndef relu(x):\n    return np.maximum(x, 0)\n"
    write(bench, "relu", text)
    told = judge(bench)
    assert (told["outcome"], told["title"]) == ("right", "relu: right")
    assert bench.locator(".judge-first").count() == 0
    bench.get_by_label("Judge it as").select_option("softmax")
    assert bench.locator(".judge-verdict").is_hidden()
    assert judge(bench)["title"] == "softmax: wrong: one sum for all rows"
    bench.get_by_label("Judge it as").select_option("relu")
    assert "np.maximum" in bench.locator(".judge .cm-content").inner_text()
    bench.get_by_role("button", name="Reset").click()
    assert "np.maximum" not in bench.locator(".judge .cm-content").inner_text()


def test_the_keys_alone_judge_and_leave(bench):
    write(bench, "sgd", "def sgd(w, g, lr=0.1):\n    return w + lr * g\n")
    bench.get_by_role("textbox", name="Your implementation").focus()
    bench.keyboard.press("Control+Enter")
    title = bench.locator(".judge-title", has_text="Wrong: the step is added")
    title.wait_for()
    bench.get_by_role("textbox", name="Your implementation").focus()
    bench.keyboard.press("Escape")
    focused = bench.evaluate("document.activeElement.textContent")
    assert focused == "Judge"


def test_what_does_not_end_is_stopped_and_the_next_one_is_judged(bench):
    write(bench, "relu", "def relu(x):\n    while True: pass\n")
    bench.locator(".judge .run-bar button").first.click()
    bench.locator(".judge .run-state", has_text="Judging").wait_for()
    bench.get_by_role("button", name="Stop").click()
    assert bench.locator(".judge .run-state").inner_text() == "Stopped."
    write(bench, "relu", "def relu(:\n")
    told = judge(bench)
    assert told["outcome"] == "not judged"
    assert "it cannot be loaded: SyntaxError" in told["lines"][0]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_its_column(bench, width, scheme):
    bench.emulate_media(color_scheme=scheme)
    bench.set_viewport_size({"width": width, "height": 900})
    bench.get_by_label("Judge it as").select_option("softmax")
    judge(bench)
    wide = bench.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    for pressed in bench.locator(".judge .run-bar button").all():
        box = pressed.bounding_box()
        assert box["width"] >= 24
        assert box["height"] >= 24
