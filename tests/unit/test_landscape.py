"""Landscape: slices, curvatures and projections are what their formulas say."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from chalkgrad._core.errors import ShapeError
from chalkgrad.landscape import _shared as landscape

BACKENDS = ["numpy", "torch"]


@pytest.fixture(params=BACKENDS)
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


def place(cg, sizes=(2, 8, 8, 2), activation="tanh", n=40, **options):
    """Make a network somewhere on its landscape."""
    x, labels = cg.data.moons(n)
    net = cg.network(sizes, activation=activation, **options)
    return net, net.init(1), x, labels, cg.losses.cross_entropy


def hessian(cg, net, w, x, y, loss):
    full = cg.autodiff.hessian(lambda v: loss(net.forward(v, x), y))(w)
    return cg.asnumpy(full)


def rescaled(cg, net, w, factor):
    """Multiply a hidden layer by a factor and divide the next by it."""
    v = cg.array(cg.asnumpy(w))
    (W1, b1), (W2, _), *_ = net.layers(v)
    W1 *= factor
    b1 *= factor
    W2 /= factor
    return v


def lengths(matrix):
    return np.sqrt((matrix**2).sum(0))


def test_directions_have_the_lengths_that_they_are_scaled_to(cg):
    net, w, *_ = place(cg)
    both = {
        kind: cg.landscape.directions(net, w, rng=3, normalize=kind)
        for kind in ("filter", "layer", "none")
    }
    for which in range(2):
        raw = net.layers(both["none"][which])
        for kind in both:
            found = net.layers(both[kind][which])
            for (D, b), (R, _), (W, _) in zip(found, raw, net.layers(w), strict=True):
                D, R, W = map(cg.asnumpy, (D, R, W))
                assert not cg.asnumpy(b).any()
                if kind == "filter":
                    assert lengths(D) == pytest.approx(lengths(W), rel=1e-13)
                if kind == "layer":
                    assert np.linalg.norm(D) == pytest.approx(np.linalg.norm(W))
                shares = D / R  # each column of the draw is stretched as a whole
                assert shares == pytest.approx(np.tile(shares[0], (len(D), 1)))


def test_a_unit_without_weights_stays_without(cg):
    net, w, *_ = place(cg)
    net.layers(w)[0][0][:, 2] = 0.0
    for D in net.layers(cg.landscape.directions(net, w)):
        assert np.isfinite(cg.asnumpy(D[0])).all()
    assert not cg.asnumpy(net.layers(cg.landscape.directions(net, w))[0][0])[
        :, :, 2
    ].any()


def test_a_generator_goes_on_and_a_seed_does_not(cg):
    net, w, *_ = place(cg)
    draw = cg.landscape.directions
    rng = np.random.default_rng(0)
    first, second = draw(net, w, rng=rng), draw(net, w, rng=rng)
    assert (first == draw(net, w, rng=0)).all()
    assert (first != second).any()


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("sizes", [(2, 2), (2, 2, 2), (2, 8, 8, 2)], ids=len)
def test_a_slice_is_the_loss_at_each_place(cg, sizes, skip):
    net, w, *rest = place(cg, sizes, skip=skip)
    d = cg.landscape.directions(net, w)
    grid = cg.landscape.loss_grid(net, w, *rest, d, radius=0.7, points=5)
    line = cg.landscape.loss_grid(net, w, *rest, d[0], radius=0.7, points=5)
    assert (tuple(grid.shape), tuple(line.shape)) == ((5, 5), (5,))
    steps = np.linspace(-0.7, 0.7, 5)
    for i, a in enumerate(steps):
        for j, b in enumerate(steps):
            there = w + float(a) * d[0] + float(b) * d[1]
            value, _ = net.loss_and_grad(there, *rest)
            assert float(grid[i, j]) == pytest.approx(float(value), rel=1e-13)
    assert cg.asnumpy(line) == pytest.approx(cg.asnumpy(grid[:, 2]), rel=1e-14)


@pytest.mark.parametrize("points", [3, 51, 101])
@pytest.mark.parametrize("radius", [0.1, 1.0, 1 / 3])
def test_the_middle_of_a_slice_is_the_loss_itself(cg, radius, points):
    net, w, *rest = place(cg)
    d = cg.landscape.directions(net, w)
    options = {"radius": radius, "points": points}
    line = cg.landscape.loss_grid(net, w, *rest, d[0], **options)
    value, _ = net.loss_and_grad(w[None], *rest)
    assert float(line[points // 2]) == pytest.approx(float(value[0]), rel=1e-14)


def test_how_many_networks_have_room_does_not_change_a_slice(cg, monkeypatch):
    net, w, *rest = place(cg)
    d = cg.landscape.directions(net, w)
    whole = cg.landscape.loss_grid(net, w, *rest, d, points=7)
    monkeypatch.setitem(landscape.ROOM, "cpu", 20_000)
    assert landscape.count_networks("slice", _arrays(cg), net, *rest[:2]) == 11
    parts = cg.landscape.loss_grid(net, w, *rest, d, points=7)
    monkeypatch.setitem(landscape.ROOM, "cpu", 0)
    single = cg.landscape.loss_grid(net, w, *rest, d, points=7)
    for other in (parts, single):
        assert cg.asnumpy(other) == pytest.approx(cg.asnumpy(whole), rel=1e-14)


def test_a_slice_tells_of_outputs_that_overflow(cg):
    net, w, *rest = place(cg)
    d = cg.landscape.directions(net, w)
    told = pytest.raises(ValueError, match="every logit must be finite")
    with np.errstate(all="ignore"), told:
        cg.landscape.loss_grid(net, w, *rest, d, radius=1e308, points=3)


def _arrays(cg):
    name = cg.__name__.partition(".")[2]
    return importlib.import_module(f"chalkgrad._core._{name}").arrays


@pytest.mark.parametrize("skip", [False, True])
def test_a_slice_bends_as_the_hessian_says(cg, skip):
    net, w, *rest = place(cg, skip=skip)
    H = hessian(cg, net, w, *rest)
    for d in cg.landscape.directions(net, w):
        h = 1e-3
        low, mid, high = cg.landscape.loss_grid(net, w, *rest, d, radius=h, points=3)
        along = cg.asnumpy(d)
        wanted = along @ H @ along
        assert float(high - 2 * mid + low) / h**2 == pytest.approx(wanted, rel=1e-5)


def test_rescaling_two_relu_layers_moves_the_raw_slice_alone(cg):
    net, w, *rest = place(cg, activation="relu")
    v = rescaled(cg, net, w, 8.0)
    here, there = (net.loss_and_grad(u, *rest)[0] for u in (w, v))
    assert float(here) == pytest.approx(float(there), rel=1e-13)

    def look(u, normalize):
        d = cg.landscape.directions(net, u, normalize=normalize)
        return cg.asnumpy(cg.landscape.loss_grid(net, u, *rest, d, points=11))

    for kind in ("filter", "layer"):
        assert look(v, kind) == pytest.approx(look(w, kind), rel=1e-12)
    raw, moved = look(w, "none"), look(v, "none")
    assert abs(moved / raw - 1).max() > 0.5


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("seed", range(3))
def test_sharpness_is_the_largest_eigenvalue_of_the_hessian(cg, activation, seed):
    net, _, *rest = place(cg, activation=activation)
    w = net.init(seed)
    values = np.linalg.eigvalsh(hessian(cg, net, w, *rest))
    found = cg.landscape.sharpness(net, w, *rest)
    assert found.converged
    assert found.steps < net.size
    assert found.eigenvalue == pytest.approx(values[-1], rel=1e-6)


def test_the_direction_of_the_sharpest_bend_bends_most(cg):
    net, w, *rest = place(cg)
    found = cg.landscape.sharpness(net, w, *rest)
    u = found.direction
    assert float((u * u).sum()) == pytest.approx(1.0, rel=1e-12)
    low, mid, high = cg.landscape.loss_grid(net, w, *rest, u, radius=1e-3, points=3)
    assert float(high - 2 * mid + low) / 1e-6 == pytest.approx(
        found.eigenvalue, rel=1e-4
    )


def test_sharpness_is_exact_once_the_whole_space_is_searched(cg):
    net, w, *rest = place(cg, sizes=(2, 3, 2))
    values = np.linalg.eigvalsh(hessian(cg, net, w, *rest))
    found = cg.landscape.sharpness(net, w, *rest, tolerance=1e-300, steps=10_000)
    assert found.steps <= net.size
    assert found.eigenvalue == pytest.approx(values[-1], rel=1e-12)


def test_too_few_steps_are_told(cg):
    net, w, *rest = place(cg)
    found = cg.landscape.sharpness(net, w, *rest, steps=2)
    assert (found.steps, found.converged) == (2, False)


def test_flat_ground_is_flat(cg):
    net = cg.network([2, 3, 1])
    w = net.init(scheme="zeros")
    x = cg.array([[1.0, 2.0]])
    found = cg.landscape.sharpness(net, w, x, cg.array([[0.0]]), cg.losses.mae)
    assert (found.eigenvalue, found.converged) == (0.0, True)


def test_both_backends_see_the_same_ground():
    pytest.importorskip("torch")
    seen = []
    for name in BACKENDS:
        cg = importlib.import_module(f"chalkgrad.{name}")
        net, w, *rest = place(cg, activation="relu")
        d = cg.landscape.directions(net, w)
        grid = cg.asnumpy(cg.landscape.loss_grid(net, w, *rest, d, points=9))
        bend = cg.landscape.sharpness(net, w, *rest)
        seen.append((grid, bend.eigenvalue, cg.asnumpy(bend.direction)))
    for ours, theirs in zip(*seen, strict=True):
        assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(cg, dtype):
    net = cg.network([2, 4, 2])
    x, labels = cg.data.moons(20)
    x, w = cg.array(x, dtype=dtype), net.init(dtype=dtype)
    place = (net, w, x, labels, cg.losses.cross_entropy)
    d = cg.landscape.directions(net, w)
    grid = cg.landscape.loss_grid(*place, d, points=3)
    found = cg.landscape.sharpness(*place, tolerance=1e-4)
    assert found.converged
    for array in (d, grid, found.direction):
        assert str(array.dtype).removeprefix("torch.") == dtype


def test_a_projection_keeps_what_lies_in_a_plane(cg):
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 50))
    path = cg.array(flat + rng.normal(size=50))
    seen = cg.landscape.project(path)
    assert sum(seen.explained_variance_ratio) == pytest.approx(1.0)
    axes = cg.asnumpy(seen.directions)
    assert axes @ axes.T == pytest.approx(np.eye(2), abs=1e-12)
    back = cg.asnumpy(path[-1]) + cg.asnumpy(seen.coordinates) @ axes
    assert back == pytest.approx(cg.asnumpy(path), abs=1e-11)
    assert not cg.asnumpy(seen.coordinates)[-1].any()
    assert (cg.asnumpy(seen.coordinates)[0] > 0).all()


def test_the_shares_are_those_of_principal_components(cg):
    rng = np.random.default_rng(1)
    path = rng.normal(size=(20, 6)).cumsum(0)
    wanted = np.sort(np.linalg.eigvalsh(np.cov(path.T)))[::-1]
    seen = cg.landscape.project(cg.array(path))
    assert seen.explained_variance_ratio == pytest.approx(
        tuple(wanted[:2] / wanted.sum())
    )


def test_a_walk_that_stays_explains_nothing(cg):
    seen = cg.landscape.project(cg.array([[1.0, 2.0], [1.0, 2.0]]))
    assert seen.explained_variance_ratio == (0.0, 0.0)
    assert not cg.asnumpy(seen.coordinates).any()


REFUSED = {
    "loss_grid: `net` must be a network of this backend": {"net": None},
    "loss_grid: `w` must have 1 axes": {"w": [[0.0] * 42] * 2},
    "loss_grid: `directions` must be one or two vectors as long as `w`, shape (42,) or "
    "(2, 42), got (3, 42)": {"directions": [[0.0] * 42] * 3},
    "loss_grid: `w` is float64 but `directions` is float32": {
        "directions": np.zeros(42, "float32")
    },
    "loss_grid: `radius` must be a finite number above 0, got 0": {"radius": 0},
    "loss_grid: `points` must be a whole number, 3 or more, got 1": {"points": 1},
    "loss_grid: `points` must be odd, so that the middle is `w`, got 50": {
        "points": 50
    },
    "loss_grid: `y` must be an array of this backend": {"y": None},
    "loss_grid: `x` must have 2 axes": {"x": [1.0, 2.0]},
}


@pytest.mark.parametrize("words", REFUSED)
def test_bad_input_of_a_slice_is_refused(cg, words):
    changes = REFUSED[words]
    net = cg.network([2, 8, 2])
    x, y = cg.data.moons(10)
    args = {"net": net, "w": net.init(), "x": x, "y": y, "loss": cg.losses.hinge}
    args["directions"] = cg.landscape.directions(net, net.init())
    for name, value in changes.items():
        made = isinstance(value, list | np.ndarray)
        args[name] = cg.array(value) if made else value
    with pytest.raises((TypeError, ValueError)) as refusal:
        cg.landscape.loss_grid(**args)
    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tolerance": 0}, "`tolerance` must be a finite number above 0, got 0"),
        ({"steps": 0}, "`steps` must be a whole number, 1 or more, got 0"),
        ({"rng": -1}, "`rng` must be a seed"),
    ],
)
def test_bad_options_of_sharpness_are_refused(cg, options, words):
    with pytest.raises(ValueError, match=r"^sharpness: ") as refusal:
        cg.landscape.sharpness(*place(cg), **options)
    assert words in str(refusal.value)


def test_one_place_is_no_walk(cg):
    with pytest.raises(ShapeError, match="`path` must have two rows"):
        cg.landscape.project(cg.array([[1.0, 2.0]]))


def test_the_page_on_loss_landscapes_says_what_was_measured():
    results = Path(__file__).parents[2] / "benchmarks/results/landscape.json"
    runs = json.loads(results.read_text("utf-8"))["runs"]
    found = {(run["width"], run["depth"], run["skip"]): run for run in runs}

    def mean(width, depth, key="minima"):
        return round(float(np.mean(found[width, depth, False]["0.5"][key])), 1)

    assert [mean(16, depth) for depth in (2, 5, 20, 40, 80)] == [1, 1, 1.5, 3.0, 4.2]
    assert [mean(64, depth) for depth in (2, 5, 10, 20, 40)] == [1, 1, 1.0, 1.1, 1.5]
    assert max(found[64, 20, False]["loss"] + found[64, 40, False]["loss"]) < 1e-3
    assert 0.2 < np.mean(found[16, 10, False]["0.5"]["bends_down"]) < 0.3
    skips = [run["0.5"]["minima"] for run in runs if run["skip"]]
    assert len(skips) * 10 * len(skips[0]) == 550
    assert np.unique(skips).tolist() == [1.0]
