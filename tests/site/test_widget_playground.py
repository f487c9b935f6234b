"""The playground: it trains as the library does, and its address holds its state."""

import gzip
from itertools import product

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkdocs import widget_places, widgets

from .test_widgets import HOMES, ask, said, wake

HOME = HOMES["playground"]
GIVEN = widgets.playground()
OPTIMIZERS = {
    "sgd": cg.optimizers.sgd,
    "momentum": lambda lr: cg.optimizers.sgd(lr, momentum=0.9),
    "rmsprop": cg.optimizers.rmsprop,
    "adam": cg.optimizers.adam,
}


# --- The same numbers as the library --------------------------------------------------


@pytest.mark.parametrize("hidden", [(), (1,), (8, 8), (3, 5, 4)])
def test_fifty_steps_in_the_page_are_those_of_the_library(page, base, hidden):
    page.goto(base)
    sizes = [2, *hidden, 1]
    x, labels = cg.data.spirals(100)
    y = labels[:, None].astype(float)
    rng = np.random.default_rng(0)
    batches = [rng.permutation(100)[:20] for _ in range(50)]
    for activation, (name, made) in product(
        ("tanh", "relu", "sigmoid", "identity"), OPTIMIZERS.items()
    ):
        net = cg.network(sizes, activation=activation)
        start = net.init(rng=1, scheme="xavier")
        opt, w = made(lr=0.03), start
        state = opt.init(w)
        for rows in batches:
            loss = cg.losses.binary_cross_entropy
            _, grad = net.loss_and_grad(w, x[rows], y[rows], loss)
            w, state = opt.step(w, grad, state)
        lists = [start.tolist(), x.tolist(), labels.tolist()]
        order = [rows.tolist() for rows in batches]
        theirs = ask(
            page, "playground", "train", sizes, activation, name, *lists, order, 0.03
        )
        assert abs(w - start).max() > 0.01  # it has moved
        np.testing.assert_allclose(theirs, w, rtol=0, atol=1e-9)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_the_start_in_the_page_is_that_of_the_library(page, base, activation):
    page.goto(base)
    scheme = "he" if activation == "relu" else "xavier"
    for hidden, (seed, start) in product(
        ([], [1], [5, 5], [8, 8, 8]), enumerate(GIVEN["starts"])
    ):
        sizes = [2, *hidden, 1]
        ours = cg.network(sizes, activation=activation).init(rng=seed, scheme=scheme)
        drawn = page.evaluate(
            "async given => [...(await import('/assets/js/widgets/network.js'))"
            ".init(...given)]",
            [sizes, activation, start],
        )
        np.testing.assert_allclose(drawn, ours, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", GIVEN["sets"])
def test_the_points_with_noise_are_those_of_the_library(name):
    given = GIVEN["sets"][name]
    for noise in (0.0, 0.06, 0.3):
        x, labels = getattr(cg.data, name)(100, noise=noise)
        theirs = np.array(given["clean"]) + noise * np.array(given["noise"])
        np.testing.assert_allclose(theirs, x, rtol=0, atol=1e-3)
        assert given["labels"] == labels.tolist()


# --- The address ----------------------------------------------------------------------


def test_the_state_survives_the_address(page, base):
    page.goto(base)
    state = {
        "noise": "0.3",
        "optimizer": "rmsprop",
        "rate": "0.1",
        "batch": "1",
        "data": "xor",
        "layers": "3",
        "units": "8",
        "activation": "relu",
        "start": "4",
    }
    written = ask(page, "playground", "write", state)
    assert ask(page, "playground", "read", written) == state


@pytest.mark.parametrize(
    "query",
    [
        "layers=9",
        "layers=2.0",
        "units=1e9",
        "rate=Infinity",
        "data=__proto__",
        "__proto__=moons",
        "data=<img src=x onerror=alert(1)>",
        "constructor=1&toString=2",
        "%E0%A4%A",
        "",
    ],
)
def test_what_cannot_be_chosen_is_ignored(page, base, query):
    page.goto(base)
    first = ask(page, "playground", "read", "#playground?")
    read = ask(page, "playground", "read", f"#playground?{query}&start=2")
    assert read == first | {"start": "2"}


def test_another_anchor_holds_no_state(page, base):
    page.goto(base)
    for anchor in ("", "#exercises", "#playgrounds?data=xor", "#bowl?data=xor"):
        assert ask(page, "playground", "read", anchor) is None


def test_a_link_restores_the_state_and_leads_to_the_widget(page, base):
    page.goto(f"{base}{HOME}#playground?data=spirals&layers=3&rate=0.1&units=oh")
    widget = page.locator("[data-widget=playground]")
    widget.locator("output").wait_for()
    assert widget.get_by_label("Data").input_value() == "spirals"
    assert widget.get_by_label("Hidden layers").input_value() == "3"
    rate = widget.get_by_label("Learning rate")
    assert rate.get_attribute("aria-valuetext") == "0.1"
    assert widget.locator("canvas").count() == 1 + 3 * 4  # the units as at first
    page.wait_for_function(
        "document.querySelector('[data-widget=playground]')"
        ".getBoundingClientRect().top < innerHeight"
    )
    widget.get_by_label("Activation").select_option("relu")
    assert page.url.endswith(
        "#playground?noise=0.06&optimizer=adam&rate=0.1&batch=20&data=spirals"
        "&layers=3&units=4&activation=relu&start=1"
    )
    page.evaluate("location.hash = '#playground?data=xor'")
    page.wait_for_function(  # the theme may draw the page anew
        "document.querySelector('[data-widget=playground] .playground-units')"
        "?.children.length === 2"
    )
    assert widget.get_by_label("Data").input_value() == "xor"


def test_the_link_is_copied(page, base):
    page.goto(base + HOME)
    widget = wake(page, "playground")
    widget.get_by_label("Data").select_option("circles")
    widget.get_by_role("button", name="Copy link").press("Enter")
    page.wait_for_function(
        "document.querySelector('[data-widget] output').textContent.match(/Copied/)"
    )
    assert "data=circles" in page.evaluate("navigator.clipboard.readText()")


def test_the_address_leaves_the_anchors_and_the_way_back_alone(page, base):
    with page.expect_response("**/sitemap.xml"):
        page.goto(base + HOME)
    page.evaluate("window.stayed = true")
    widget = wake(page, "playground")
    widget.get_by_label("Data").select_option("spirals")

    def stands(place):
        page.wait_for_url(place)
        page.wait_for_timeout(500)  # the theme may draw the page anew
        widget = wake(page, "playground")
        return widget.get_by_label("Data").input_value() == "spirals"

    page.locator("#exercises .headerlink").click(force=True)
    assert stands("**#exercises")
    page.go_back()
    assert stands("**#playground?*")
    page.locator(".md-footer__link--next").click()
    page.wait_for_url(lambda url: HOME not in url)
    page.go_back()
    assert stands("**#playground?*")
    assert page.evaluate("window.stayed")


# --- In the hand ----------------------------------------------------------------------


def right(widget):
    return int(widget.locator(".widget-counts b").nth(1).inner_text().split()[0])


def test_it_learns_the_moons_by_the_keyboard(page, base):
    page.emulate_media(reduced_motion="reduce")
    page.goto(base + HOME)
    widget = wake(page, "playground")
    assert said(widget).startswith("A new network")
    assert right(widget) < 90
    boundary = "w => w.querySelector('path.widget-ink').getAttribute('d')"
    before = widget.evaluate(boundary)
    widget.get_by_role("button", name="Step").press("Enter")
    assert said(widget).startswith("Epoch 0, step 1: ")
    assert widget.evaluate(boundary) != before
    widget.get_by_role("button", name="Run").press("Enter")
    assert said(widget) == (
        "Epoch 100, step 500: 100 of 100 points are right. That is all of them."
    )
    noise = widget.get_by_label("Noise")
    noise.press("End")
    assert said(widget).startswith("Epoch 100, step 500")  # it goes on
    assert right(widget) < 100
    widget.get_by_label("Units in each").press("ArrowRight")
    assert said(widget).startswith("A new network")
    assert widget.locator("canvas").count() == 1 + 2 * 5


def test_it_runs_and_pauses(page, base):
    page.goto(base + HOME)
    widget = wake(page, "playground")
    epoch = widget.locator(".widget-counts b").first
    widget.get_by_role("button", name="Run").press("Enter")
    page.wait_for_function(
        "+document.querySelector('.widget-counts b').textContent > 20"
    )
    widget.get_by_role("button", name="Pause").press("Enter")
    stands = epoch.inner_text()
    page.wait_for_timeout(200)
    assert epoch.inner_text() == stands
    assert said(widget).startswith(f"Epoch {stands}, ")
    widget.get_by_role("button", name="Run").press("Enter")
    widget.get_by_role("button", name="Reset").press("Enter")
    page.wait_for_timeout(200)
    assert epoch.inner_text() == "0"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            "layers=3&units=8&activation=identity&optimizer=sgd&rate=10",
            "Lost: the loss is not a finite number any more since step 7. The rate 10 ",
        ),
        ("activation=relu&optimizer=sgd&rate=10", "Dead: all ReLUs of hidden layer "),
        ("layers=0&data=xor", "Without a hidden layer there is one neuron"),
        ("activation=identity", "the layers collapse to one"),
        ("units=8&rate=10", "steps with the rate 10 overshoot. Lower it."),
        ("data=spirals&units=8&rate=3", "no better than a guess yet."),
    ],
)
def test_it_says_what_goes_wrong(page, base, settings, words):
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{base}{HOME}#playground?{settings}")
    widget = wake(page, "playground")
    widget.get_by_role("button", name="Run").press("Enter")
    assert words in said(widget)
    lost = words.startswith("Lost")
    assert widget.get_by_role("button", name="Run").is_disabled() == lost
    if lost:
        assert page.evaluate("document.activeElement.textContent") == "Reset"


def test_the_canvas_follows_the_dark(page, base):
    page.emulate_media(color_scheme="light")
    page.goto(base + HOME)
    widget = wake(page, "playground")
    pixel = "w => [...w.querySelector('canvas').getContext('2d')"
    pixel += ".getImageData(2, 2, 1, 1).data].join()"
    light = widget.evaluate(pixel)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert widget.evaluate(pixel) != light


def test_it_is_small(page, base):
    names = ("playground", "network", "optimizers", "contour")
    parts = [f"{base}/assets/js/widgets/{name}.js" for name in names]
    parts = [page.request.get(part).body() for part in parts]
    parts.append(widget_places.widget("playground").encode())
    assert sum(len(gzip.compress(part)) for part in parts) < 15_000
