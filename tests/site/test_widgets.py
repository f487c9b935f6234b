"""Things to move: they compute what the library does, and every hand moves them."""

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkdocs import widgets
from chalkdocs.widget_places import ROOM

HOMES = {
    "backprop": "/training/backpropagation/",
    "bf16": "/training/hardware/",
    "bowl": "/training/gradient-descent/",
    "bumps": "/perceptron/universal-approximation/",
    "fold": "/perceptron/depth/",
    "landscape": "/training/loss-landscapes/",
    "perceptron": "/perceptron/neuron/",
    "playground": "/perceptron/boundaries/",
    "race": "/training/adaptive-rates/",
}


def ask(page, name, function, *arguments):
    """Call a function that the module of a widget exports."""
    return page.evaluate(
        "async ([path, name, given]) => (await import(path))[name](...given)",
        [f"/assets/js/widgets/{name}.js", function, list(arguments)],
    )


def wake(page, name):
    """Scroll to a widget; return it when it is there."""
    widget = page.locator(f"[data-widget={name}]")
    widget.scroll_into_view_if_needed()
    widget.locator("output").wait_for()
    return widget


def said(widget):
    return widget.locator("output").inner_text()


def swipe(page, start, by):
    """Put a finger on the screen and move it in small steps."""
    hand = page.context.new_cdp_session(page)
    for k in range(9):
        x, y = (a + b * k / 8 for a, b in zip(start, by, strict=True))
        what = "touchMove" if k else "touchStart"
        point = [{"x": x, "y": y}]
        hand.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": point})
        page.wait_for_timeout(30)
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_every_widget_has_its_home_and_its_room():
    assert set(HOMES) == set(ROOM) == set(widgets.__all__)


@pytest.mark.parametrize("name", HOMES)
def test_the_text_below_a_widget_does_not_move_when_it_comes(page, phone, base, name):
    for tab, room in zip((phone, page), ROOM[name], strict=True):
        tab.goto(base + HOMES[name])
        high = "e => e.getBoundingClientRect().height"
        assert wake(tab, name).evaluate(high) == pytest.approx(room, abs=3)


# --- The same numbers as the library --------------------------------------------------


def test_the_walk_on_the_bowl_is_that_of_sgd(page, base):
    page.goto(base)
    given = widgets.bowl()
    problem = cg.experiments.quadratic(10)
    rng = np.random.default_rng(0)
    for _ in range(20):
        lr, momentum = rng.uniform(*given["rates"]), rng.uniform(0, 0.95)
        start = rng.uniform(-2, 2, 2)
        sgd = {"sgd": cg.optimizers.sgd(lr, momentum=momentum)}
        ours = cg.experiments.compare_optimizers(problem, sgd, steps=40, start=start)[
            "sgd"
        ].w
        curvature = given["curvature"]
        theirs = ask(page, "bowl", "walk", lr, momentum, start.tolist(), 40, curvature)
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-9)


def test_the_bowl_says_how_the_walk_goes(page, base):
    page.goto(base)
    start, curvature = [2.0, 1.0], widgets.bowl()["curvature"]

    def manner(lr, momentum, start=start):
        return ask(page, "bowl", "manner", lr, momentum, start, curvature)

    for momentum in (0.0, 0.3, 0.9):
        limit = ask(page, "bowl", "limit", momentum, curvature[1])
        far = []
        for lr in (0.99 * limit, limit, 1.01 * limit):
            sgd = {"sgd": cg.optimizers.sgd(lr, momentum=momentum)}
            problem = cg.experiments.quadratic(10)
            steep = cg.array([0.0, 1.0])
            walk = cg.experiments.compare_optimizers(
                problem, sgd, steps=2000, start=steep
            )["sgd"]
            far.append(abs(walk.w[-1, 1]))
        assert far[0] < 1e-3 < 0.5 < far[1] < 50 < far[2]
        # The roots of the recurrence, with the curvature 10: real, and it bounces.
        roots = np.roots([1, -(1 + momentum - 9.9 * limit), momentum])
        below = "bounces" if np.isreal(roots).all() else "swings"
        assert manner(0.99 * limit, momentum) == below
        assert manner(limit, momentum) == "bounces for ever"
        assert manner(1.01 * limit, momentum) == "is lost"
    assert manner(0.1, 0.0) == "glides"
    assert manner(0.1, 0.5) == "swings"
    assert manner(0.25, 0.0, [2.0, 0.0]) == "glides"  # it never feels the steep axis
    assert manner(0.25, 0.0, [0.0, 0.0]) == "stays"


def test_the_rule_in_the_page_is_perceptron_fit(page, base):
    page.goto(base)
    sets = [cg.data.separable(40, rng=seed, margin=0.05) for seed in range(8)]
    sets = [(x, 2 * labels - 1) for x, labels in sets]
    given = widgets.perceptron()
    sets.append((np.array(given["points"]), np.array(given["targets"])))
    for x, targets in sets:
        ours = cg.perceptron.fit(x, targets, epochs=10_000)
        theirs = ask(page, "perceptron", "fit", x.tolist(), targets.tolist())
        assert ours.converged
        np.testing.assert_allclose(theirs["w"], ours.w, rtol=1e-9, atol=1e-9)
        assert tuple(theirs["mistakes"]) == ours.mistakes
    assert sum(ours.mistakes) == 13  # as the figure above it says
    assert sum(ours.mistakes) < given["bound"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_sweep_on_the_diamonds_is_that_of_the_graph(page, base, count):
    page.goto(base)

    def row(x):
        for _ in range(count):
            f, g = x * x, 3 * x
            x = f * g
        return x

    for x in (*widgets.backprop()["x"], -0.7, 1.3):
        drawn = ask(page, "backprop", "diamonds", x, count)
        recorded = cg.backprop.record(row, x=x)
        graph = cg.backprop.Graph()
        for tail, head, derivative in drawn["edges"]:
            graph.add_edge(tail, head, derivative)
        np.testing.assert_allclose(drawn["values"][drawn["last"]], row(x), rtol=1e-9)
        back, ways = (ask(page, "backprop", name, drawn) for name in ("sweep", "paths"))
        theirs = graph.reverse(drawn["last"], "x")
        assert back["multiplications"] == theirs.multiplications == 4 * count
        np.testing.assert_allclose(back["bar"]["x"], theirs.value, rtol=1e-9)
        truth = recorded.reverse("f", "x").value
        np.testing.assert_allclose(back["bar"]["x"], truth, rtol=1e-9)
        for name, value in back["bar"].items():
            ours = graph.reverse(drawn["last"], name).value
            np.testing.assert_allclose(value, ours, rtol=1e-9)
        theirs = graph.sum_over_paths(drawn["last"], "x")
        assert ways["multiplications"] == theirs.multiplications
        assert ways["count"] == graph.count_paths(drawn["last"], "x") == 2**count
        np.testing.assert_allclose(ways["value"], theirs.value, rtol=1e-9)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (0.1 + 0.2, "0.3"),
        (-1234.5, "−1234"),
        (99999.6, "100000"),
        (5.0501e-5, "5.05 × 10⁻⁵"),
        (-1.5e11, "−1.5 × 10¹¹"),
    ],
)
def test_a_number_is_written_as_a_reader_writes_it(page, base, number, words):
    page.goto(base)
    assert ask(page, "kit", "number", number).replace("\u00a0", " ") == words


# --- In the hand ----------------------------------------------------------------------


def test_the_keyboard_moves_the_rate_and_the_words_follow(page, base):
    page.goto(base + HOMES["bowl"])
    widget = wake(page, "bowl")
    assert said(widget).startswith("Arrives without a swing.")
    rate = widget.get_by_label("Learning rate η")
    rate.focus()
    for _ in range(18):
        page.keyboard.press("ArrowRight")
    assert rate.input_value() == "0.19"
    assert said(widget).startswith("Bounces from wall to wall, and arrives.")
    page.keyboard.press("End")
    assert rate.input_value() == "0.25"
    assert said(widget).startswith("Is lost: the rate is above the limit.")
    walk = ask(page, "bowl", "walk", 0.25, 0, [2, 1], 40, widgets.bowl()["curvature"])
    far = ask(page, "kit", "number", float(np.hypot(*walk[-1])))
    assert f"After 40 steps it is {far} from the bottom" in said(widget)
    widget.get_by_label("Momentum μ").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert said(widget).endswith("The limit is 0.26.")
    assert not said(widget).startswith("Is lost")
    widget.get_by_role("button", name="Reset").press("Enter")
    assert said(widget).startswith("Arrives without a swing.")


def test_the_panels_of_the_figure_are_buttons_and_the_figure_comes_back(page, base):
    page.goto(base + HOMES["bowl"])
    widget, figure = wake(page, "bowl"), page.locator("figure.drawing").first
    assert not figure.is_visible()
    rate = widget.get_by_label("Learning rate")
    for name, value in widgets.bowl()["examples"]:
        preset = widget.get_by_role("button", name=name)
        preset.press("Enter")
        assert float(rate.input_value()) == value
        assert preset.get_attribute("aria-pressed") == "true"
        assert widget.locator(".widget-presets [aria-pressed=true]").count() == 1
    assert said(widget).startswith("Is lost")
    rate.press("ArrowLeft")
    assert widget.locator(".widget-presets [aria-pressed=true]").count() == 0
    show = widget.get_by_role("button", name="Show the figure")
    show.press("Enter")
    assert figure.is_visible()
    show.press("Enter")
    assert not figure.is_visible()


@pytest.mark.parametrize("name", HOMES)
def test_a_page_with_a_widget_begins_to_teach_on_the_second_screen(page, base, name):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(base + HOMES[name])
    top = "document.querySelector('article h2').getBoundingClientRect().top + scrollY"
    assert page.evaluate(top) < 1100


def test_the_start_can_be_dragged_and_tapped(page, base):
    page.goto(base + HOMES["bowl"])
    widget = wake(page, "bowl")
    box = widget.locator(".widget-picture svg").bounding_box()
    unit = box["width"] / 4.8
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle[0] + 2 * unit, middle[1] - unit)
    page.mouse.down()
    page.mouse.move(middle[0] - unit, middle[1] + unit, steps=4)
    page.mouse.up()
    first, second = (widget.get_by_label(f"Start w{i}") for i in "₁₂")
    assert float(first.input_value()) == pytest.approx(-1, abs=0.051)
    assert float(second.input_value()) == pytest.approx(-1, abs=0.051)
    page.mouse.click(middle[0] + unit / 2, middle[1] - unit / 2)
    assert float(first.input_value()) == pytest.approx(0.5, abs=0.051)
    assert "began at 0.7" in said(widget)


@pytest.mark.parametrize(
    ("name", "label"), [("bowl", "w₂"), ("fold", "A place"), ("race", "w₂")]
)
def test_a_finger_moves_the_handle_and_not_the_page(phone, base, name, label):
    phone.goto(base + HOMES[name])
    widget = wake(phone, name)
    place = widget.get_by_role("slider", name=label)
    before, top = float(place.input_value()), phone.evaluate("scrollY")
    box = widget.locator(".widget-handle circle").last.bounding_box()
    start = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    swipe(phone, start, (-40, 80))
    assert abs(float(place.input_value()) - before) > 0.1
    now = widget.locator(".widget-handle circle").last.bounding_box()
    assert box["x"] - now["x"] == pytest.approx(40, abs=4)
    assert phone.evaluate("scrollY") == top


def test_the_neuron_learns_step_by_step(page, base):
    page.goto(base + HOMES["perceptron"])
    widget = wake(page, "perceptron")
    assert said(widget).startswith("No line yet")
    for name in ("Step", "Next mistake"):
        widget.get_by_role("button", name=name).press("Enter")
    assert "Wrong side: mistake 2, and the line turns." in said(widget)
    for _ in range(12):
        widget.get_by_role("button", name="Next mistake").press("Enter")
    assert said(widget).startswith("Done: pass 5 had no mistake.")
    assert "after 13 mistakes; the bound allows 200." in said(widget)
    assert widget.get_by_role("button", name="Step").is_disabled()
    assert page.evaluate("document.activeElement.textContent") == "Reset"
    page.keyboard.press("Enter")
    assert said(widget).startswith("No line yet")


def test_the_diamond_is_stepped_through_forward_and_backward(page, base):
    page.goto(base + HOMES["backprop"])
    widget = wake(page, "backprop")
    counts = widget.locator(".widget-counts")
    step = widget.get_by_role("button", name="Step")
    heard = []
    while step.is_enabled():
        step.press("Enter")
        heard.append(said(widget))
    assert heard[3] == "Forward: h = f · g = 24."
    assert heard[5] == "Backward along f → h: 1 × 6 brings 6 to f."
    assert heard[-1].endswith("together 36. Done: dh/dx = 36.")
    assert len(heard) == 9
    assert counts.inner_text() == "Multiplications 4 of 4 · path by path 4 (2 paths)"
    assert page.evaluate("document.activeElement.textContent") == "Reset"
    widget.get_by_role("button", name="Back").press("Enter")
    assert said(widget) == heard[-2]
    widget.get_by_role("combobox", name="Graph").focus()
    page.keyboard.press("End")
    assert said(widget).startswith("Step forward")
    widget.get_by_role("button", name="To the end").press("Enter")
    assert counts.inner_text() == "Multiplications 12 of 12 · path by path 48 (8 paths)"


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_who_wants_no_motion_gets_the_end_at_once(page, base, motion):
    page.emulate_media(reduced_motion=motion)
    page.goto(base + HOMES["perceptron"])
    widget = wake(page, "perceptron")
    widget.get_by_role("button", name="Run").click()
    if motion == "reduce":
        assert said(widget).startswith("Done")
    else:
        assert not said(widget).startswith("Done")
        widget.get_by_role("button", name="Stop").click()
        before = said(widget)
        page.wait_for_timeout(1000)
        assert said(widget) == before


# --- In the page ----------------------------------------------------------------------


@pytest.mark.parametrize("name", HOMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_widget_fits_a_small_screen_and_complains_of_nothing(
    chromium, base, name, scheme
):
    context = chromium.new_context(
        viewport={"width": 320, "height": 640}, color_scheme=scheme, has_touch=True
    )
    page = context.new_page()
    troubles = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(base + HOMES[name])
    widget = wake(page, name)
    for control in widget.locator("input").all():
        control.press("End")
        assert control.get_attribute("id")
        assert widget.locator(f"label[for={control.get_attribute('id')}]").inner_text()
    for control in widget.locator("button").all():
        if control.is_enabled():
            control.tap()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    inside = "w => [...w.querySelectorAll('*')].every(e => e.closest('svg svg, svg *') "
    inside += "|| e.getBoundingClientRect().right <= w.getBoundingClientRect().right)"
    assert widget.evaluate(inside)
    for small in widget.locator("input, button, select").all():
        assert small.bounding_box()["height"] >= 24
    assert troubles == []
    context.close()


@pytest.mark.parametrize("name", HOMES)
def test_a_widget_works_after_instant_navigation_and_follows_the_dark(page, base, name):
    page.emulate_media(color_scheme="light")
    page.goto(base + "/", wait_until="networkidle")
    page.evaluate("window.stayed = true")
    page.evaluate(
        "path => { const link = document.createElement('a'); link.href = path; "
        "link.id = link.textContent = 'go'; document.querySelector('article')"
        ".append(link); }",
        base + HOMES[name],
    )
    page.locator("#go").click()
    page.wait_for_url("**" + HOMES[name])
    widget = wake(page, name)
    assert page.evaluate("window.stayed")
    assert said(widget)
    ink = "w => getComputedStyle(w.querySelector('svg .widget-ink')).stroke + "
    ink += "getComputedStyle(w.querySelector('output')).color"
    light = widget.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert widget.evaluate(ink) != light


def test_a_widget_that_cannot_be_had_leaves_no_empty_box(page, base):
    page.route("**/widgets/bowl.js", lambda route: route.abort())
    with page.expect_event("pageerror"):
        page.goto(base + HOMES["bowl"])
        page.locator("figure.drawing").first.scroll_into_view_if_needed()
    page.wait_for_function(
        "getComputedStyle(document.querySelector('[data-widget]')).display === 'none'"
    )


@pytest.mark.parametrize("name", HOMES)
def test_without_javascript_and_in_print_the_figure_stands_alone(chromium, base, name):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + HOMES[name])
    before = page.locator(f"figure.drawing + [data-widget={name}]")
    assert before.count() == 1
    assert not before.is_visible()
    context.close()
    page = chromium.new_page()
    page.goto(base + HOMES[name])
    widget = wake(page, name)
    page.emulate_media(media="print")
    assert not widget.is_visible()
    page.close()
