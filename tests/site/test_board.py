"""The board: the bowl of the first page, the vote, and the ledger of claims."""

import pytest

import chalkgrad.numpy as cg
from chalkdocs import home
from chalkdocs.claims import claim_blocks, claims
from chalkdocs.ledger import group, name
from chalkdocs.sources import DOCS

LEDGER = "/reference/claims/"
KEYS = list(claims())


def slide(page, rate):
    """Put the slider of the first page somewhere, as a hand does."""
    page.locator(".bowl input").evaluate(
        """(slider, to) => {
            slider.value = to;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        rate,
    )


def drawn(page):
    """Return the places of the walk in the units of the picture."""
    points = page.locator(".bowl .walk").get_attribute("points")
    return [tuple(map(float, pair.split(","))) for pair in points.split()]


def test_the_bowl_moves_by_mouse_keys_and_slider(page, base):
    page.goto(base + "/", wait_until="networkidle")
    ball, said = page.locator(".ball"), page.locator(".bowl output")
    first = drawn(page)
    assert first[0] == (536.0, 72.0)
    ball.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert ball.get_attribute("aria-valuetext") == "w₁ 1.9, w₂ 0.9"
    x, y = drawn(page)[0]
    assert (x, y) == (pytest.approx(300 + 118 * 1.9), pytest.approx(190 - 118 * 0.9))
    box = page.locator(".bowl svg").bounding_box()
    page.mouse.move(*(ball.bounding_box()[k] + 30 for k in "xy"))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4, steps=4)
    page.mouse.up()
    assert drawn(page)[0] == (pytest.approx(150, abs=4), pytest.approx(95, abs=4))
    slide(page, 0.205)
    assert said.inner_text().startswith("Lost.")
    assert page.locator(".bowl.lost").count() == 1
    slide(page, 0.2)
    assert said.inner_text().startswith("Exactly the limit")
    slide(page, 0.1)
    assert page.locator(".bowl.lost").count() == 0


def test_the_walk_on_the_board_is_that_of_the_library(page, base):
    page.goto(base + "/", wait_until="networkidle")
    slide(page, 0.15)
    opt = cg.optimizers.sgd(0.15)
    w, curvature = cg.array(home.START), cg.array([1.0, 10.0])
    state = opt.init(w)
    for x, y in drawn(page):
        assert (x, y) == pytest.approx((300 + 118 * w[0], 190 - 118 * w[1]), abs=0.06)
        w, state = opt.step(w, curvature * w, state)


def test_without_scripts_the_bowl_and_all_verdicts_are_there(chromium, base):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + "/")
    assert len(drawn(page)) == home.STEPS + 1
    assert "0.661 %" in page.locator(".bowl output").inner_text()
    assert page.locator(".tally a:visible").count() == len(KEYS)
    assert not page.locator(".vote .after").is_visible()
    page.locator(".vote label").first.click()
    verdict = claim_blocks(DOCS)[home.VOTE].verdict
    assert verdict in page.locator(".vote .after").inner_text().lower()
    page.goto(base + LEDGER)
    assert page.locator(".card .verdict:visible").count() == len(KEYS)
    assert page.locator(".tools").is_hidden()
    context.close()


def test_on_a_phone_the_ball_and_the_slider_are_on_the_first_screen(phone, base):
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.goto(base + "/", wait_until="networkidle")
    for part in (".ball .dot", ".bowl input"):
        box = phone.locator(part).bounding_box()
        assert box["y"] > 48
        assert box["y"] + box["height"] < 844


def test_cards_are_chosen_by_verdict_and_by_word(page, base):
    page.goto(base + LEDGER, wait_until="networkidle")
    shown = page.locator(".card:visible")
    assert shown.count() == len(KEYS)
    done = claim_blocks(DOCS)
    groups = {key: name(group(done[key])) for key in KEYS}
    for verdict in sorted(set(groups.values())):
        page.locator(f"[data-filter={verdict}]").click()
        wanted = [key for key in KEYS if groups[key] == verdict]
        found = shown.evaluate_all("cards => cards.map(card => card.dataset.claim)")
        assert sorted(found) == sorted(wanted)
        said = page.locator(".score").inner_text()
        assert said == f"{len(wanted)} of {len(KEYS)} statements."
    page.locator("[data-filter=all]").click()
    page.get_by_label("Look for a word").fill("  DEPTH ")
    assert shown.count() == sum(
        "depth" in f"{claim.section} {claim.statement}".lower()
        for claim in claims().values()
    )


def test_a_guess_is_answered_and_counted(page, base):
    page.goto(base + LEDGER, wait_until="networkidle")
    page.get_by_role("button", name="Guess first").press("Enter")
    assert page.locator(".found:visible").count() == 0
    assert page.locator(".tally .mark:visible").count() == 0
    done, agreed = claim_blocks(DOCS), 0
    for number, key in enumerate(("P5", "T1", "R1"), 1):
        card = page.locator(f"[data-claim={key}]")
        card.get_by_role("button", name="It fails").press("Enter")
        agreed += name(done[key].verdict) == "fails"
        assert card.locator(".verdict").is_visible()
        said = page.locator(".score").inner_text()
        assert said == f"You agree with the experiments on {agreed} of {number}."
        assert page.locator(".tally .mark:visible").count() == number
        focused = page.evaluate("document.activeElement.textContent")
        assert focused == "Run the experiment"
    page.get_by_role("button", name="Guess first").click()
    assert page.locator(".found:visible").count() == len(KEYS)


def test_the_ledger_wakes_on_a_page_that_takes_the_place_of_another(page, base):
    page.goto(base + "/", wait_until="networkidle")
    page.evaluate("window.stayed = true")
    page.locator(".md-tabs__link").get_by_text("Claims").click()
    page.locator(".tools:visible").wait_for()
    assert page.evaluate("window.stayed")
    page.locator(".md-header__button.md-logo").first.click()
    page.locator(".ball").wait_for()
    page.locator(".ball").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "document.querySelector('.ball').getAttribute('aria-valuenow') === '1.9'"
    )
    assert page.evaluate("window.stayed")


def test_the_tabs_are_for_readers_and_home_is_the_logo(page, base):
    page.goto(base + "/")
    tabs = page.locator(".md-tabs__link:visible").all_inner_texts()
    assert [tab.strip() for tab in tabs] == [
        *("Traditional ML", "The perceptron", "Training", "Claims", "Labs"),
        *("Use it", "Reference"),
    ]
    assert page.locator(".sums").inner_text().startswith(f"{len(KEYS)} statements")
