"""The landscape: its heights are losses of the library, and near ground covers far."""

import json

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkdocs import widgets

from .test_widgets import HOMES, ask, said, swipe, wake

KINDS = ["filter", "none", "walk"]


@pytest.fixture(scope="module")
def given():
    return widgets.landscape()


@pytest.fixture(scope="module", params=["plain", "skips"])
def run(request):
    """Train the network of the page; return it, its walk, and what it learned from."""
    x, labels = cg.data.digits()
    x, labels = x[:200], labels[:200]
    net = cg.network([64] + [16] * 40 + [10], skip=request.param == "skips")
    w, opt = net.init(rng=0), cg.optimizers.adam(lr=1e-3)
    if net.skip:
        for W, _ in net.layers(w)[1:-1]:
            W *= 40**-0.5
    state, path = opt.init(w), [w]
    for _ in range(100):
        _, grad = net.loss_and_grad(w, x, labels, cg.losses.cross_entropy)
        w, state = opt.step(w, grad, state)
        path.append(w)
    return request.param, net, np.array(path), x, labels


def test_the_heights_are_losses_of_the_library(page, base, given, run):
    page.goto(base)
    name, net, path, x, labels = run
    w, points = path[-1], given["points"]
    for kind in KINDS:
        if kind == "walk":
            seen = cg.landscape.project(path)
            d, radius = seen.directions, 1.15 * abs(seen.coordinates).max()
        else:
            d, radius = cg.landscape.directions(net, w, normalize=kind), 0.5
        plane, (low, high) = given["planes"][kind][name], given["planes"][kind]["scale"]
        shares = ask(page, "landscape", "heights", plane)
        assert len(shares) == points**2
        for row, column in ((15, 15), (0, 0), (3, 22), (30, 11), (17, 14)):
            a, b = radius * (np.array([row, column]) - 15) / 15
            there = w + a * d[0] + b * d[1]
            loss = cg.losses.cross_entropy(net.forward(there, x), labels)
            shown = low + (high - low) * shares[points * row + column]
            # Half a level is as near as a byte comes; float32 may round to the next.
            assert shown == pytest.approx(np.log10(loss), abs=0.6 * (high - low) / 255)
        middle = cg.losses.cross_entropy(net.forward(w, x), labels)
        assert plane["end"] == pytest.approx(middle, rel=1e-3)
        assert plane["range"][0] <= plane["end"] <= plane["range"][1]


def test_the_walk_is_projected_on_the_plane(given, run):
    name, net, path, _, _ = run
    seen = cg.landscape.project(path)
    plane = given["planes"]["walk"][name]
    radius = 1.15 * abs(seen.coordinates).max()
    expected = seen.coordinates[::4] / radius
    np.testing.assert_allclose(plane["walk"], expected, atol=1e-4)
    assert plane["share"] == pytest.approx(sum(seen.explained_variance_ratio), abs=1e-6)
    d = cg.landscape.directions(net, path[-1])
    shadow = np.linalg.lstsq(d.T, (path[::4] - path[-1]).T)[0].T / 0.5
    plane = given["planes"]["filter"][name]
    np.testing.assert_allclose(plane["walk"], shadow, atol=1e-4)
    assert plane["share"] < 0.001  # a random plane does not see the walk


def test_a_place_is_seen_where_a_turned_body_is_seen(page, base):
    page.goto(base)
    rng = np.random.default_rng(0)

    def see(turn, tilt, place):
        return np.array(ask(page, "landscape", "project", turn, tilt, place))

    for _ in range(20):
        turn, tilt = rng.uniform(0, 360), rng.uniform(10, 90)
        u, v, h = rng.uniform([-1, -1, 0], 1).tolist()
        a, b = np.radians([turn, tilt])
        right = np.cos(a) * u - np.sin(a) * v
        away = np.sin(a) * u + np.cos(a) * v
        up = np.sin(b) * away * 104 + np.cos(b) * 130 * (h - 0.5)
        expected = [180 + 104 * right, 160 - up]
        np.testing.assert_allclose(see(turn, tilt, [u, v, h]), expected, rtol=1e-9)
        # All of it stays in the picture, 360 by 320.
        corners = [see(turn, tilt, [p, q, h]) for p in (-1, 1) for q in (-1, 1)]
        assert np.all((np.array(corners) > 0) & (np.array(corners) < [360, 320]))
    # From above, the first direction goes to the right and the second up.
    np.testing.assert_allclose(see(0, 90, [1, 0, 0.5]), [284, 160], atol=1e-9)
    np.testing.assert_allclose(see(0, 90, [0, 1, 0.5]), [180, 56], atol=1e-9)


@pytest.mark.parametrize("turn", [0, 30, 100, 200, 290, 360])
def test_near_cells_are_painted_after_far_ones(page, base, turn):
    page.goto(base)
    cells = np.array(ask(page, "landscape", "order", turn, 6))
    assert len(np.unique(cells, axis=0)) == 36
    to = np.array([np.sin(np.radians(turn)), np.cos(np.radians(turn))])
    place = np.empty((6, 6), int)
    place[tuple(cells.T)] = np.arange(36)
    for axis in (0, 1):  # of two neighbours the farther one comes first
        later = np.diff(place, axis=axis)
        if abs(to[axis]) > 1e-9:
            assert (np.sign(later) == -np.sign(to[axis])).all()


def test_hands_and_keys_turn_it_and_the_lists_change_it(page, base):
    page.goto(base + HOMES["landscape"])
    widget = wake(page, "landscape")
    turn, tilt = (widget.get_by_role("slider", name=name) for name in ("Turn", "Tilt"))
    cells = widget.locator(".landscape-cell")
    assert cells.count() == 900
    assert (turn.input_value(), tilt.input_value()) == ("30", "40")
    assert said(widget).startswith("40 layers, plain, directions random, scaled by fil")
    planes = json.loads(widget.get_attribute("data-given"))["planes"]
    assert f"{planes['filter']['plain']['valleys']} valleys" in said(widget)
    assert said(widget).endswith("so its shadow is a dot.")
    before = cells.first.get_attribute("points")
    picture = widget.get_by_role("img")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 20, steps=4)
    page.mouse.up()
    assert (turn.input_value(), tilt.input_value()) == ("50", "50")
    assert cells.first.get_attribute("points") != before
    picture.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    assert (turn.input_value(), tilt.input_value()) == ("40", "45")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert turn.input_value() == "350"
    tilt.press("End")
    assert tilt.get_attribute("aria-valuetext") == "90°"
    walk, seen = (
        widget.locator(".landscape-walk"),
        "e => getComputedStyle(e).visibility",
    )
    assert walk.evaluate(seen) == "visible"
    widget.get_by_label("Show the walk").press("Space")
    assert walk.evaluate(seen) == "hidden"
    widget.get_by_role("combobox", name="Network").select_option("skips")
    assert "with skips, directions random, scaled by filter: one valley" in said(widget)
    widget.get_by_role("combobox", name="Directions").select_option("walk")
    share = ask(page, "kit", "number", 100 * planes["walk"]["skips"]["share"])
    assert f"holds {share} percent of the variance of the walk." in said(widget)
    widget.get_by_role("button", name="Reset").press("Enter")
    assert (turn.input_value(), tilt.input_value()) == ("30", "40")
    assert cells.first.get_attribute("points") == before


def test_a_finger_turns_it_sideways_and_scrolls_upwards(phone, base):
    phone.goto(base + HOMES["landscape"])
    widget = wake(phone, "landscape")
    picture, turn = widget.get_by_role("img"), widget.get_by_role("slider", name="Turn")
    picture.scroll_into_view_if_needed()
    box, top = picture.bounding_box(), phone.evaluate("scrollY")
    start = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    swipe(phone, start, (60, 0))
    assert float(turn.input_value()) == pytest.approx(60, abs=2)
    assert phone.evaluate("scrollY") == top
    swipe(phone, start, (0, -120))
    phone.wait_for_timeout(300)
    assert phone.evaluate("scrollY") > top + 50
