"""Exercises in the page: a reader types, is told why, asks for a hint, and is right."""

import json
from itertools import groupby

import pytest

from chalkdocs import exercises

PATH = "/training/gradient-descent/"


@pytest.fixture(scope="module")
def reader(chromium, base):
    """One reader, for whom Python is started once."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(base + PATH)
    yield page
    context.close()


# What the page's Python says of many answers: the outcome and the words of each.
ASK = """async source => {
    const { run } = await import("/assets/js/python.js");
    return new Promise(done => run(source, (kind, words) => {
        if (kind !== "stage" && kind !== "begin") done([kind, words]);
    }));
}"""
SOURCE = """\
import json
import chalkgrad.numpy as cg
from chalkgrad.judge._exercises import check_text
asked = json.loads({})
print(json.dumps([json.loads(check_text(*one, cg)) for one in asked]))
"""


def test_every_checker_says_in_the_page_what_it_says_at_home(reader):
    every = exercises.all_questions()
    for page, questions in groupby(every, key=lambda one: one.exercise.page):
        asked, wanted = [], []
        for one in questions:
            exercise, place = one.exercise, (page, one.exercise.id)
            for text in (exercise.solution, *one.equivalents):
                asked.append((text, *place))
                wanted.append("Right.")
            for text, words in one.wrong:
                asked.append((text, *place))
                wanted.append(words)
        source = SOURCE.format(repr(json.dumps(asked)))
        kind, said = reader.evaluate(ASK, source)
        assert kind == "printed", (page, said)
        for got, want, ask in zip(json.loads(said), wanted, asked, strict=True):
            assert want in got["words"], ask
            assert (got["outcome"] == "right") == (want == "Right."), ask


def question(page, name):
    """Go to a question, which wakes then."""
    place = page.locator(".question", has=page.locator(f"#{name}"))
    place.scroll_into_view_if_needed()
    place.locator(".exercise .run-bar").wait_for()
    return place


def press(place, name):
    place.get_by_role("button", name=name, exact=True).click()


def answer(place):
    """Press Check, and return what is said."""
    press(place, "Check")
    place.locator(".reply:not(:empty)").wait_for()
    return place.locator(".reply").inner_text()


def test_a_number_is_typed_and_each_answer_has_its_reply(reader):
    place = question(reader, "the-best-rate")
    line = place.get_by_label("Your answer")
    line.press_sequentially("0.2")
    assert answer(place).startswith("At the limit w₂ alternates")
    assert place.get_attribute("data-outcome") == "wrong"
    line.fill("")
    assert answer(place) == "Nothing is written there yet."
    line.press_sequentially("2/11")
    line.press("Enter")
    place.locator(".reply", has_text="Right.").wait_for()
    assert place.locator(".reply").get_attribute("role") == "status"


def test_code_is_typed_checked_and_stopped(reader):
    place = question(reader, "find-the-bug")
    press(place, "Answer")
    editor = place.get_by_role("textbox", name="Your answer")
    editor.wait_for()
    assert reader.evaluate("document.activeElement.matches('.cm-content')")
    assert "the bug itself" in answer(place)

    def write(text):
        editor.press("Control+a")
        editor.press_sequentially(text)

    write("limit = lambda mu: 2 * (1 + mu) / (1 + 2 * mu)")
    editor.press("Control+Enter")
    place.locator(".reply", has_text="Right.").wait_for()
    write("while True: pass")
    press(place, "Check")
    place.locator(".exercise .run-state", has_text="Checking").wait_for()
    press(place, "Stop")
    place.locator(".reply", has_text="Stopped.").wait_for()
    editor.press("Escape")
    assert reader.evaluate("document.activeElement.textContent") == "Check"


def test_hints_come_one_by_one_and_the_solution_is_asked_for_twice(reader):
    place = question(reader, "a-start-on-the-axis")
    hints, solution = place.locator("details.hint"), place.locator("details.success")
    assert hints.first.is_hidden()
    press(place, "Hint")
    assert (hints.first.is_visible(), hints.last.is_visible()) == (True, False)
    assert "one more" in place.locator(".exercise .run-state").inner_text()
    press(place, "Hint")
    assert hints.last.is_visible()
    assert place.get_by_role("button", name="Hint").count() == 0
    press(place, "Solution")
    assert "press again" in place.locator(".exercise .run-state").inner_text()
    assert solution.is_hidden()
    press(place, "Solution")
    assert solution.is_visible()
    reader.emulate_media(media="print")
    assert question_is_whole(place)
    reader.emulate_media(media="screen")


def question_is_whole(place):
    return place.locator("details").evaluate_all(
        "all => all.every(each => getComputedStyle(each).display !== 'none')"
    )


def test_a_line_is_chosen_by_the_keys(reader):
    place = question(reader, "newton-at-a-saddle")
    radios = place.get_by_role("radio")
    radios.first.focus()
    reader.keyboard.press("ArrowDown")
    reader.keyboard.press("ArrowDown")
    assert radios.nth(2).is_checked()
    assert answer(place) == "Right."


def test_it_fits_a_phone_and_a_finger_and_axe_is_content(reader, node_modules):
    place = question(reader, "find-the-bug")
    for pressed in place.locator(".exercise .run-bar button").all():
        assert pressed.bounding_box()["height"] >= 44
    wide = reader.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    reader.evaluate((node_modules / "axe-core/axe.min.js").read_text("utf-8"))
    found = reader.evaluate("axe.run('.question').then(told => told.violations)")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_what_was_typed_is_there_after_a_reload_and_nothing_without_scripts(
    reader, chromium, base
):
    reader.reload()
    place = question(reader, "the-best-rate")
    assert place.get_by_label("Your answer").input_value() == "2/11"
    said = place.locator(".exercise .run-state").inner_text()
    assert said == "You have passed this one."
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + PATH)
    place = page.locator(".question", has=page.locator("#find-the-bug"))
    assert place.locator(".exercise pre").is_visible()
    assert place.locator("details").count() == 3
    assert place.locator("summary").last.is_visible()
    context.close()


def test_the_ledger_knows_what_was_done_and_gives_it_away_and_back(
    reader, base, tmp_path
):
    reader.goto(f"{base}/how-to/your-ledger/")
    told = reader.locator(".yours-sum")
    told.wait_for()
    every = len(list(exercises.all_questions()))
    # The number, the code and the choice; where hints were asked for, nothing was said.
    assert told.inner_text().startswith(f"You have passed 3 of {every}. Go on with ")
    line = reader.locator('li[data-exercise$="#the-best-rate"]')
    assert line.inner_text() == "The best rate passed"
    with reader.expect_download() as given:
        reader.get_by_role("button", name="Export").click()
    given.value.save_as(tmp_path / "mine.json")
    assert json.loads((tmp_path / "mine.json").read_text())["version"] == 1
    reader.get_by_role("button", name="Delete all").click()
    assert told.inner_text().startswith("Press once more to delete all of it.")
    reader.get_by_role("button", name="Delete all").click()
    assert f"You have passed 0 of {every}." in told.inner_text()
    load = reader.get_by_label("A file that was exported")
    (tmp_path / "other.json").write_text('{"version": 99}')
    load.set_input_files(tmp_path / "other.json")
    reader.locator(".yours-sum", has_text="none of these").wait_for()
    load.set_input_files(tmp_path / "mine.json")
    reader.locator(".yours-sum", has_text=f"passed 3 of {every}").wait_for()
    line.get_by_role("link").click()
    reader.locator("#the-best-rate .run-bar").wait_for()
    assert reader.url.endswith("/training/gradient-descent/#the-best-rate")


def test_what_a_later_version_keeps_is_not_written_over(reader):
    later = '{"version": 2, "more": true}'
    reader.evaluate("later => localStorage.setItem('chalkgrad', later)", later)
    place = question(reader, "one-step-by-hand")
    place.get_by_label("Your answer").fill("-0.5")
    assert reader.evaluate("localStorage.getItem('chalkgrad')") == later
