"""The bumps: the network in the page is the one that the page's snippet builds."""

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkdocs import widgets

from .test_widgets import HOMES, ask, said, wake

TARGETS = {
    "wave": lambda x: np.sin(np.pi * x),
    "hat": lambda x: np.maximum(0, 1 - 2 * abs(x)),
    "jump": lambda x: 1.0 * (x > 0),
}
CHOSEN = [(2, 1), (3, 10**6), (8, 20), (16, 10**6), (33, 500), (64, 10**6)]


def stairs(f, n, steepness):
    """The stairs of the page, as steep as they shall be."""
    middles = np.linspace(-1 + 1 / n, 1 - 1 / n, n)
    values = f(middles)
    net = cg.network([1, n - 1, 1], activation="sigmoid")
    w = net.init(scheme="zeros")
    (w1, b1), (w2, b2) = net.layers(w)
    w1[0], b1[:] = steepness, -steepness * (middles[:-1] + 1 / n)
    w2[:, 0], b2[0] = values[1:] - values[:-1], values[0]
    return net, w


@pytest.mark.parametrize("name", TARGETS)
def test_the_curve_and_its_error_are_those_of_the_network(page, base, name):
    page.goto(base)
    f, grid = TARGETS[name], np.linspace(-1, 1, 4001)
    for n, steepness in CHOSEN:
        chosen, (net, w) = (name, n, steepness), stairs(f, n, steepness)
        x = np.random.default_rng(n).uniform(-1, 1, 50)
        ours = net.forward(w, x[:, None])[:, 0]
        theirs = ask(page, "bumps", "outputs", *chosen, x.tolist())
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-9)
        each = ask(page, "bumps", "single", *chosen, x.tolist())
        assert len(each) == n == net.sizes[1] + 1
        np.testing.assert_allclose(np.sum(each, axis=0), ours, rtol=0, atol=1e-9)
        errors = abs(net.forward(w, grid[:, None])[:, 0] - f(grid))
        worst = ask(page, "bumps", "worst", *chosen)
        there = errors[np.argmin(abs(grid - worst["at"]))]
        for found in (worst["error"], there):
            assert found == pytest.approx(errors.max(), rel=0, abs=1e-9)


def test_the_errors_are_those_that_the_page_prints(page, base):
    page.goto(base)
    errors = [
        ask(page, "bumps", "worst", "wave", n, 10**6)["error"] for n in (4, 16, 64)
    ]
    assert np.round(errors, 4).tolist() == [0.7071, 0.1951, 0.0491]


def test_the_sliders_change_the_network_and_the_words_follow(page, base):
    page.goto(base + HOMES["bumps"])
    widget = wake(page, "bumps")
    assert widgets.bumps()["begin"] == [8, 10**6]
    assert "8 bumps are 7 hidden units, for neighbours share a step." in said(widget)
    assert "too soft" not in said(widget)
    bumps = widget.get_by_role("slider", name="Bumps")
    steep = widget.get_by_label("Steepness")
    bumps.press("End")
    assert said(widget).startswith("The largest error is 0.0491, at x = ")
    assert "64 bumps are 63 hidden units" in said(widget)
    steep.press("Home")
    assert steep.get_attribute("aria-valuetext") == "1"
    assert said(widget).endswith(
        "The steps are too soft for bumps so narrow: steep ones would reach 0.0491."
    )
    bumps.press("Home")
    assert "2 bumps are 1 hidden unit," in said(widget)
    widget.get_by_role("combobox", name="Target").select_option("jump")
    steep.press("End")
    assert said(widget).startswith("The largest error is 0.5, at x = 0.")
    assert said(widget).endswith("At a jump no number of bumps gets below a half.")
    thin = widget.locator(".bumps-each")
    assert thin.get_attribute("d")
    widget.get_by_label("Show the single bumps").press("Space")
    assert not thin.get_attribute("d")
    widget.get_by_role("button", name="Reset").press("Enter")
    assert "8 bumps are 7 hidden units" in said(widget)
    assert thin.get_attribute("d")
