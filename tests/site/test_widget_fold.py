"""The fold: its values and its count are those of the page's network."""

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkdocs import widgets

from .test_widgets import HOMES, ask, said, wake

DEPTHS = range(1, 9)


def sawtooth(depth):
    """The network of the page, its weights set by hand."""
    net = cg.network([1, *[2] * depth, 1])
    w = net.init(scheme="zeros")
    for i, (W, b) in enumerate(net.layers(w)):
        W[:] = 1.0 if i == 0 else [[2.0], [-4.0]]
        b[:] = [0.0, -0.5] if i < depth else 0.0
    return net, w


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_values_are_those_of_the_network(page, base, depth):
    page.goto(base)
    places = np.append(np.random.default_rng(0).uniform(size=20), [0, 0.25, 0.5, 1])
    for x in places.tolist():
        theirs = ask(page, "fold", "forward", depth, x)
        folded = [sawtooth(layers) for layers in range(1, depth + 1)]
        ours = [net.forward(w, np.array([[x]])).item() for net, w in folded]
        assert theirs == ours


def test_the_pieces_are_counted_and_the_networks_are_real(page, base):
    page.goto(base)
    networks = widgets.fold()["networks"]
    assert len(networks) == len(DEPTHS)
    for depth, given in zip(DEPTHS, networks, strict=True):
        net, w = sawtooth(depth)
        x = np.arange(2 ** (depth + 2) + 1)[:, None] / 2 ** (depth + 2)
        bends = np.diff(net.forward(w, x)[:, 0], n=2) != 0
        pieces = ask(page, "fold", "count", depth)
        assert pieces == 1 + bends.sum() == 2**depth
        assert given["deep"] == [sum(net.sizes[1:-1]), net.size]
        # One layer of n units has n + 1 pieces, and 3 n + 1 weights.
        assert given["flat"] == [pieces - 1, 3 * (pieces - 1) + 1]


def test_the_keyboard_folds_and_the_words_follow(page, base):
    page.goto(base + HOMES["fold"])
    widget = wake(page, "fold")
    assert said(widget) == (
        "3 folds: 0.3 → 0.6 → 0.8 → 0.4. 6 hidden units make 8 pieces; "
        "one hidden layer needs at least 7 units."
    )
    widget.get_by_label("Folds").press("End")
    counts = widget.locator(".widget-counts").inner_text()
    assert "Pieces counted 256 = 28 · deep 16 units, 49 weights" in counts
    assert "one layer 255 units, 766 weights" in counts
    assert widget.locator("circle.widget-minus").count() == 256
    widget.get_by_label("A place").press("End")
    assert said(widget).startswith("8 folds: 1 → 0 → 0 → 0")
    widget.get_by_label("Folds").press("Home")
    assert said(widget).endswith("2 pieces; one hidden layer needs at least 1 unit.")
    widget.get_by_role("button", name="Reset").press("Enter")
    assert said(widget).startswith("3 folds: 0.3 → ")


def test_the_place_can_be_dragged_and_tapped(page, base):
    page.goto(base + HOMES["fold"])
    widget = wake(page, "fold")
    handle = widget.locator(".widget-handle circle").last
    box, whole = handle.bounding_box(), widget.locator("svg").bounding_box()
    unit = whole["width"] / 360
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 142 * unit, y, steps=4)  # half of the line
    page.mouse.up()
    place = widget.get_by_label("A place")
    assert float(place.input_value()) == pytest.approx(0.8, abs=0.011)
    page.mouse.click(x, y + 60 * unit)
    assert float(place.input_value()) == pytest.approx(0.3, abs=0.011)
