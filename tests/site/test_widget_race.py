"""The race: every optimizer walks in the page as `compare_optimizers` lets it."""

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkdocs import widgets

from .test_widgets import HOMES, ask, said, wake

HOME = HOMES["race"]
GIVEN = widgets.race()
PROBLEMS = {
    "bowl": cg.experiments.quadratic(10),
    "turned": cg.experiments.quadratic(10, angle=np.pi / 4),
    "rosenbrock": cg.experiments.rosenbrock(),
    "saddle": cg.experiments.saddle(),
    "beale": cg.experiments.beale(),
    "himmelblau": cg.experiments.himmelblau(),
}


def optimizers(lr):
    return {
        "sgd": cg.optimizers.sgd(lr),
        "momentum": cg.optimizers.sgd(lr, momentum=0.9),
        "nesterov": cg.optimizers.sgd(lr, momentum=0.9, nesterov=True),
        "adagrad": cg.optimizers.adagrad(lr),
        "rmsprop": cg.optimizers.rmsprop(lr),
        "adam": cg.optimizers.adam(lr),
    }


def walked(page, *arguments):
    found = ask(page, "race", "walk", *arguments)
    return cg.experiments.Trajectory(
        np.array(found["places"], dtype=float), np.array(found["losses"], dtype=float)
    )


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_walks_in_the_page_are_those_of_the_library(page, base, name):
    page.goto(base)
    low, high = GIVEN["surfaces"][name]["bounds"]
    starts = np.random.default_rng(0).uniform(low, high, (3, 2)).tolist()
    for start in (GIVEN["surfaces"][name]["start"], *starts):
        for lr in (0.0005, 0.01):
            race = cg.experiments.compare_optimizers(
                PROBLEMS[name], optimizers(lr), steps=100, start=cg.array(start)
            )
            for optimizer, ours in race.items():
                theirs = walked(page, name, optimizer, lr, start, 100)
                np.testing.assert_allclose(theirs.w, ours.w, rtol=1e-9, atol=1e-9)
                np.testing.assert_allclose(theirs.loss, ours.loss, rtol=1e-9, atol=1e-9)


def test_who_is_lost_in_the_page_is_lost_in_the_library(page, base):
    page.goto(base)
    start = GIVEN["surfaces"]["rosenbrock"]["start"]
    race = cg.experiments.compare_optimizers(
        PROBLEMS["rosenbrock"], optimizers(1.0), steps=50, start=cg.array(start)
    )
    lost = [name for name, ours in race.items() if np.isinf(ours.loss[-1])]
    assert lost == ["sgd", "momentum", "nesterov"]
    for name in lost:
        theirs = walked(page, "rosenbrock", name, 1.0, start, 50)
        np.testing.assert_array_equal(np.isinf(theirs.loss), np.isinf(race[name].loss))
        np.testing.assert_allclose(theirs.w, race[name].w, rtol=1e-9)


def test_every_rule_has_the_rate_that_is_best_for_it(page, base):
    page.goto(base + HOME)
    widget = wake(page, "race")
    best = GIVEN["surfaces"]["bowl"]["best"]
    shown = widget.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert [float(text) for text in shown] == [best[name] for name in optimizers(1)]
    assert "the rate that is best for it here" in said(widget)
    widget.get_by_label("Surface").select_option("rosenbrock")
    assert "Diverged" not in said(widget)
    rate = widget.get_by_label("Each rate")
    rate.press("End")
    assert rate.get_attribute("aria-valuetext") == "100"
    assert "100 times the rate" in said(widget)
    for name in ("sgd", "momentum", "nesterov"):
        assert f"{name} (at step " in said(widget).partition("Diverged")[2]
    for box in widget.get_by_role("checkbox").all():
        box.uncheck()
    assert said(widget) == "No optimizer is chosen."
    widget.get_by_role("button", name="Reset").press("Enter")
    assert "the rate that is best for it here" in said(widget)


def test_the_start_of_the_race_can_be_dragged_and_tapped(page, base):
    page.goto(base + HOME)
    widget = wake(page, "race")
    box = widget.locator("svg").first.bounding_box()
    unit, left, top = box["width"] / 4, box["x"], box["y"]
    first, second = (widget.get_by_label(f"Start w{i}") for i in "₁₂")
    page.mouse.move(left + 3 * unit, top + unit)  # (1, 1)
    page.mouse.down()
    page.mouse.move(left + unit, top + 3 * unit, steps=4)
    page.mouse.up()
    assert float(first.input_value()) == pytest.approx(-1, abs=0.03)
    assert float(second.input_value()) == pytest.approx(-1, abs=0.03)
    page.mouse.click(left + 2.5 * unit, top + 1.5 * unit)
    assert float(first.input_value()) == pytest.approx(0.5, abs=0.03)
    assert float(second.input_value()) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_race_runs_and_pauses(page, base, motion):
    page.emulate_media(reduced_motion=motion)
    page.goto(base + HOME)
    widget = wake(page, "race")
    step = widget.get_by_label("Step")
    widget.get_by_role("button", name="Run").press("Enter")
    if motion == "reduce":
        assert step.input_value() == "200"
        return
    page.wait_for_timeout(300)
    widget.get_by_role("button", name="Pause").press("Enter")
    stands = step.input_value()
    assert 0 < int(stands) < 200
    assert said(widget).startswith(f"{stands} steps, each rule with the rate")
    page.wait_for_timeout(200)
    assert step.input_value() == stands
    step.press("Home")
    assert said(widget).startswith("0 steps")
