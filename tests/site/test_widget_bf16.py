"""The weight in bfloat16: rounded in the page as on the page, bit by bit."""

import numpy as np
import pytest

from chalkdocs import widgets

from .test_widgets import HOMES, ask, said, wake


def rounded(x):
    """As the page does it: keep 7 bits of the fraction, ties to even."""
    bits = np.asarray(x, "float32").view("uint32")
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16).view("float32")


def drawn(count):
    """Numbers of all sizes and both signs, with ties, tiny ones and large ones."""
    rng = np.random.default_rng(0)
    bits = rng.integers(2**31, size=count, dtype="uint32")
    bits[: count // 4] = bits[: count // 4] >> 16 << 16 | 0x8000  # halfway
    bits[::3] |= 1 << 31
    bits = np.append(bits, np.array([0, 1, 0x8000, 0x17FFF, 0x7F7F7FFF], "uint32"))
    x = bits.view("float32")
    return x[np.isfinite(x) & np.isfinite(rounded(x))]


def each(page, function, *columns):
    """Call an exported function of the widget on each row."""
    return page.evaluate(
        "async ([name, rows]) => { const made = await import("
        "'/assets/js/widgets/bf16.js'); return rows.map(row => made[name](...row)); }",
        [function, list(zip(*(np.asarray(c).tolist() for c in columns), strict=True))],
    )


def test_rounding_to_nearest_is_that_of_the_page_and_of_torch(page, base):
    page.goto(base)
    x = drawn(20_000)
    theirs = np.array(each(page, "nearest", x), "float32").view("uint32")
    assert (theirs == rounded(x).view("uint32")).all()
    torch = pytest.importorskip("torch")
    oracle = torch.from_numpy(x.copy()).to(torch.bfloat16).float().numpy()
    assert (theirs == oracle.view("uint32")).all()
    assert (theirs != x.view("uint32")).mean() > 0.9  # so there was something to round


def test_stochastic_rounding_is_that_of_the_page(page, base):
    page.goto(base)
    x = drawn(20_000)
    noise = np.random.default_rng(1).integers(2**16, size=len(x), dtype="uint32")
    # At the edge: the largest that is still rounded down, and the next.
    edge = 0xFFFF - (x.view("uint32") & 0xFFFF)
    noise[:5000], noise[5000:10_000] = (
        edge[:5000],
        np.minimum(edge + 1, 0xFFFF)[5000:10_000],
    )
    ours = (x.view("uint32") + noise) >> 16 << 16
    kept = np.isfinite(ours.view("float32"))
    theirs = each(page, "stochastic", x[kept], noise[kept])
    assert (np.array(theirs, "float32").view("uint32") == ours[kept]).all()


def test_the_neighbours_are_the_numbers_of_bfloat16(page, base):
    page.goto(base)
    w = abs(rounded(drawn(2000)))
    w = w[(w > 1e-30) & (w < 1e30)]
    above, below = (
        np.array(each(page, "neighbour", w, np.full(len(w), k)), "float32")
        for k in (1, -1)
    )
    assert (rounded(above) == above).all()
    assert (rounded(below) == below).all()
    assert (below < w).all()
    assert (w < above).all()
    # Nothing lies between: what is nearest to a place between is one of the two.
    for share in (0.3, 0.7):
        between = w + np.float32(share) * (above - w)
        assert (rounded(between) == (w if share < 0.5 else above)).all()
    assert each(page, "neighbour", [1.0]) == [1 + 1 / 128]


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_a_walk_is_that_of_the_page(page, base, rounding):
    page.goto(base)
    draws = widgets.bf16()["draws"]
    rng = np.random.default_rng(2)
    for update in [*rng.choice(widgets.bf16()["updates"], 8).tolist(), 0.003, 0.005]:
        start = float(rounded(2 ** rng.uniform(-4, 3)))
        walk = ask(page, "bf16", "walk", start, update, rounding, draws)
        kept, exact = [np.float32(start)], [start]
        for noise in draws:
            total = kept[-1] + np.float32(update)
            bits = total.view("uint32") + np.uint32(noise)
            by_chance = (bits >> 16 << 16).view("float32")
            kept.append(rounded(total)[()] if rounding == "nearest" else by_chance)
            exact.append(exact[-1] + update)
        assert walk["kept"] == [float(w) for w in kept]
        assert walk["exact"] == exact


def test_the_words_say_whether_it_moves_and_why(page, base):
    page.goto(base + HOMES["bf16"])
    widget = wake(page, "bf16")
    assert said(widget) == (
        "After 100 steps bfloat16 is at 1 and float64 at 1.3. It has stood still from "
        "the start: the next update is 0.384 of the spacing, less than half, and is "
        "rounded away."
    )
    update = widget.get_by_role("slider", name="Update")
    update.press("ArrowRight")
    assert update.get_attribute("aria-valuetext") == "0.005"
    assert "It moves: the next update is 0.64 of the spacing, more than" in said(widget)
    time = widget.get_by_role("slider", name="Step")
    time.press("End")
    assert "It has stood still since step 128" in said(widget)
    assert widget.get_by_role("button", name="Step").is_disabled()
    widget.get_by_role("combobox").select_option("stochastic")
    assert "rounded up with a chance of 32 percent." in said(widget)
    widget.get_by_role("button", name="Reset").press("Enter")
    assert said(widget).startswith("After 100 steps bfloat16 is at 1 and")
    step = widget.get_by_role("button", name="Step")
    step.press("Enter")
    assert said(widget).startswith("After 101 steps")
    time.press("End")
    time.press("ArrowLeft")
    step.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Reset"


def test_the_weight_at_the_start_sets_the_spacing(page, base):
    page.goto(base + HOMES["bf16"])
    widget = wake(page, "bf16")
    start = widget.get_by_label("Weight w")
    start.press("End")
    assert start.get_attribute("aria-valuetext") == "8"
    assert "spacing 0.0625" in widget.locator(".widget-counts").inner_text()
    start.press("Home")
    assert "It moves" in said(widget)
