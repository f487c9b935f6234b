"""Experiments: gradients, minima, closed forms, and races that nobody can spoil."""

import importlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chalkgrad.numpy as reference
from chalkgrad.experiments import _shared as experiments

MAKE = {
    "quadratic": lambda e: e.quadratic(10),
    "quadratic of 5": lambda e: e.quadratic(1e4, 5),
    "quadratic, turned": lambda e: e.quadratic(10, angle=0.7),
    "rosenbrock": lambda e: e.rosenbrock(),
    "rosenbrock of 5": lambda e: e.rosenbrock(5),
    "beale": lambda e: e.beale(),
    "himmelblau": lambda e: e.himmelblau(),
    "styblinski_tang": lambda e: e.styblinski_tang(),
    "styblinski_tang of 1": lambda e: e.styblinski_tang(1),
    "styblinski_tang of 3": lambda e: e.styblinski_tang(3),
    "saddle": lambda e: e.saddle(),
    "plateau": lambda e: e.plateau(),
}
# What the literature, or a line of algebra, says.
LEAST = {
    "styblinski_tang": -78.33233140754283,
    "styblinski_tang of 1": -39.16616570377141,
    "styblinski_tang of 3": -117.49849711131424,
    "saddle": -0.25,
}
COUNT = {"himmelblau": 4, "saddle": 2}


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


@pytest.fixture(params=MAKE)
def name(request):
    return request.param


def points(problem, *shape, seed=0):
    """Draw points from where a problem is looked at."""
    size = (*shape, problem.start.shape[-1])
    return np.random.default_rng(seed).uniform(*problem.bounds, size)


def test_every_problem_is_here():
    made = {name.split(",")[0].split(" of ")[0] for name in MAKE}
    types = {"Comparison", "Run", "TestFunction", "Trajectory"}
    functions = {"compare", "compare_optimizers", "train"}
    assert made | types | functions == set(experiments.__all__)


def test_a_gradient_is_what_differences_say(name):
    problem = MAKE[name](experiments)
    w = points(problem, 4, 5)
    slopes = np.empty_like(w)
    h = 1e-5
    for i, along in enumerate(np.eye(w.shape[-1])):
        rise = problem.loss(w + h * along) - problem.loss(w - h * along)
        slopes[..., i] = rise / (2 * h)
    size = 1 + abs(problem.loss(w)).max()
    np.testing.assert_allclose(problem.grad(w), slopes, rtol=1e-6, atol=1e-9 * size)


def test_a_loss_is_plain_enough_for_autodiff(cg, name):
    problem = MAKE[name](cg.experiments)
    w = cg.array(points(problem))
    slope = cg.autodiff.grad(problem.loss)(w)
    np.testing.assert_allclose(slope, problem.grad(w), rtol=1e-12, atol=1e-12)


def test_minima_are_minima(cg, name):
    problem = MAKE[name](cg.experiments)
    minima = cg.asnumpy(problem.minima)
    assert minima.shape == (COUNT.get(name, 1), problem.start.shape[-1])
    np.testing.assert_allclose(problem.grad(problem.minima), 0 * minima, atol=1e-12)
    least = np.full(len(minima), LEAST.get(name, 0.0))
    np.testing.assert_allclose(
        problem.loss(problem.minima), least, rtol=1e-12, atol=1e-12
    )
    for w in problem.minima:
        hessian = cg.asnumpy(cg.autodiff.hessian(problem.loss)(w))
        np.testing.assert_allclose(hessian, hessian.T, atol=1e-12)
        assert (np.linalg.eigvalsh(hessian) > 0.1).all()


def test_nothing_in_sight_is_lower_than_the_minima(name):
    problem = MAKE[name](experiments)
    least = problem.loss(problem.minima).min()
    assert (problem.loss(points(problem, 10_000)) >= least).all()


def test_start_and_minima_are_in_sight(name):
    problem = MAKE[name](experiments)
    low, high = problem.bounds
    for w in (problem.start, problem.minima):
        assert (low < w).all()
        assert (w < high).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1, 3)])
def test_leading_axes_are_points_and_the_dtype_is_kept(cg, name, shape, dtype):
    problem = MAKE[name](cg.experiments)
    w = cg.array(points(problem, *shape), dtype=dtype)
    before = cg.asnumpy(w)
    loss, grad = problem.loss(w), problem.grad(w)
    assert (tuple(loss.shape), tuple(grad.shape)) == (shape, tuple(w.shape))
    assert loss.dtype == grad.dtype == w.dtype
    assert isinstance(grad, type(w))
    assert (cg.asnumpy(w) == before).all()
    for index in np.ndindex(*shape):
        assert float(problem.loss(w[index])) == float(loss[index])
        assert (problem.grad(w[index]) == grad[index]).all()


def test_both_backends_give_the_same(name):
    twin = pytest.importorskip("chalkgrad.torch")
    ours, theirs = (MAKE[name](backend.experiments) for backend in (reference, twin))
    assert type(theirs) is type(ours)
    assert theirs.bounds == ours.bounds
    for what in ("start", "minima"):
        assert getattr(theirs, what).tolist() == getattr(ours, what).tolist()
    w = points(ours, 100)
    for what in ("loss", "grad"):
        one, other = getattr(ours, what)(w), getattr(theirs, what)(twin.array(w))
        np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-12)


# --- The single problems --------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 7])
def test_a_quadratic_has_its_condition_number(n):
    bowl = experiments.quadratic(1000, n)
    hessian = reference.autodiff.hessian(bowl.loss)(bowl.start)
    curvatures = np.diag(hessian)
    assert (hessian == np.diag(curvatures)).all()
    np.testing.assert_allclose(curvatures, np.geomspace(1, 1000, n), rtol=1e-12)


@given(angle=st.floats(-7, 7), seed=st.integers(0, 99))
def test_a_turned_bowl_is_the_straight_one_turned(angle, seed):
    straight = experiments.quadratic(100)
    turned = experiments.quadratic(100, angle=angle)
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    w = points(straight, 5, seed=seed)
    np.testing.assert_allclose(turned.loss(w @ turn.T), straight.loss(w), rtol=1e-12)
    np.testing.assert_allclose(
        turned.grad(w @ turn.T), straight.grad(w) @ turn.T, rtol=0, atol=1e-11
    )
    np.testing.assert_allclose(turned.start, turn @ straight.start, atol=1e-14)


def test_gradient_descent_does_not_see_the_turn_and_adam_does(cg):
    for optimizer, blind in [(cg.optimizers.sgd, True), (cg.optimizers.adam, False)]:
        one, other = (
            cg.experiments.compare_optimizers(
                cg.experiments.quadratic(10, angle=angle),
                {"it": optimizer(0.05)},
                steps=50,
            )["it"].loss
            for angle in (0.0, 0.6)
        )
        assert np.allclose(one, other, rtol=1e-10) is blind


def test_the_customary_values_at_the_start():
    # Moré, Garbow and Hillstrom (1981) print the points, and these follow.
    for problem, start, loss in [
        (experiments.rosenbrock(), [-1.2, 1], 24.2),
        (experiments.beale(), [1, 1], 14.203125),
    ]:
        assert problem.start.tolist() == start
        assert problem.loss(problem.start) == pytest.approx(loss, rel=1e-15)


def test_rosenbrock_is_ill_conditioned_at_its_minimum():
    valley = experiments.rosenbrock()
    hessian = reference.autodiff.hessian(valley.loss)(valley.minima[0])
    assert hessian == pytest.approx(np.array([[802, -400], [-400, 200]]), rel=1e-12)
    assert np.linalg.cond(hessian) == pytest.approx(2508, abs=1)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7])
def test_rosenbrock_has_another_minimum_from_four_weights_on(n):
    valley = experiments.rosenbrock(n)
    w = np.array([-1.0, *[1.0] * (n - 1)])
    hessian = reference.autodiff.hessian(valley.loss)
    for _ in range(50):
        w = w - np.linalg.solve(hessian(w), valley.grad(w))
    is_minimum = (np.linalg.eigvalsh(hessian(w)) > 0).all() and w[0] < 0
    assert is_minimum == (n >= 4)
    if is_minimum:
        assert abs(valley.grad(w)).max() < 1e-9
        assert valley.loss(w) > 3


def test_styblinski_tang_has_a_valley_that_is_too_high():
    one = experiments.styblinski_tang(1)
    w = np.array([2.746802770990837])
    assert one.grad(w) == pytest.approx(0, abs=1e-12)
    assert one.loss(w) - one.loss(one.minima[0]) == pytest.approx(14.137, abs=5e-4)


def test_the_saddle_is_at_zero_and_the_ridge_leads_there():
    saddle = experiments.saddle()
    hessian = reference.autodiff.hessian(saddle.loss)(np.zeros(2))
    assert hessian.tolist() == [[1, 0], [0, -1]]
    walks = experiments.compare_optimizers(
        saddle,
        {"sgd": reference.optimizers.sgd(0.1)},
        steps=500,
        start=np.array([[1.0, 0.0], [1.0, 0.01], [1.0, -0.01]]),
    )
    ends = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert walks["sgd"].w[-1] == pytest.approx(ends, abs=1e-9)


def test_the_plateau_takes_the_fourth_power_of_the_way():
    shelf, rate = experiments.plateau(), 0.5
    start = np.array([8.0, 6.0])
    sgd = {"sgd": reference.optimizers.sgd(rate)}
    walk = experiments.compare_optimizers(shelf, sgd, steps=3000, start=start)["sgd"]
    radius = np.hypot(walk.w[..., 0], walk.w[..., 1])
    assert (radius > 1).sum() == pytest.approx(10**4 / (8 * rate), rel=0.05)


# --- The race -------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [1, 10, 1000])
def test_a_race_on_a_bowl_has_its_closed_form(cg, kappa):
    bowl = cg.experiments.quadratic(kappa, 3)
    rates = np.array([0.1, 1.0, 1.9, 2.1]) / kappa
    start = np.random.default_rng(0).uniform(-1, 1, (4, 3))
    walk = cg.experiments.compare_optimizers(
        bowl,
        {"sgd": cg.optimizers.sgd(cg.array(rates[:, None]))},
        steps=60,
        start=cg.array(start),
    )["sgd"]
    curvatures = np.geomspace(1, kappa, 3)
    factor = 1 - rates[:, None] * curvatures
    w = start * factor ** np.arange(61)[:, None, None]
    assert (walk.w.shape, walk.loss.shape) == ((61, 4, 3), (61, 4))
    np.testing.assert_allclose(walk.w, w, rtol=1e-12, atol=1e-14)
    loss = (curvatures * w**2).sum(-1) / 2
    np.testing.assert_allclose(walk.loss, loss, rtol=1e-12, atol=1e-14)


def test_a_race_is_the_loop_that_you_would_write(cg):
    valley = cg.experiments.rosenbrock()
    make = {
        "sgd": lambda: cg.optimizers.sgd(1e-3, momentum=0.5),
        "adam": lambda: cg.optimizers.adam(cg.schedules.cosine(0.1, steps=20)),
    }
    walks = cg.experiments.compare_optimizers(
        valley, {name: optimizer() for name, optimizer in make.items()}, steps=20
    )
    assert list(walks) == ["sgd", "adam"]
    for name, optimizer in make.items():
        opt, w = optimizer(), cg.array(valley.start)
        state = opt.init(w)
        for t in range(21):
            assert isinstance(walks[name].w, np.ndarray)
            assert walks[name].w[t].tolist() == w.tolist()
            assert walks[name].loss[t] == float(valley.loss(w))
            w, state = opt.step(w, valley.grad(w), state)
    assert valley.start.tolist() == [-1.2, 1.0]


def test_both_backends_run_the_same_race(name):
    twin = pytest.importorskip("chalkgrad.torch")
    ours, theirs = (
        backend.experiments.compare_optimizers(
            MAKE[name](backend.experiments),
            {
                "sgd": backend.optimizers.sgd(1e-4),
                "adam": backend.optimizers.adam(0.01),
            },
            steps=20,
        )
        for backend in (reference, twin)
    )
    for one, other in zip(ours.values(), theirs.values(), strict=True):
        np.testing.assert_allclose(other.w, one.w, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(other.loss, one.loss, rtol=1e-12, atol=1e-12)


RULES = {
    "sgd": lambda opt, lr: opt.sgd(lr),
    "momentum": lambda opt, lr: opt.sgd(lr, momentum=0.9),
    "nesterov": lambda opt, lr: opt.sgd(lr, momentum=0.9, nesterov=True),
    "adagrad": lambda opt, lr: opt.adagrad(lr),
    "rmsprop": lambda opt, lr: opt.rmsprop(lr),
    "adam": lambda opt, lr: opt.adam(lr),
    "adamw": lambda opt, lr: opt.adamw(lr),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_walk_that_diverges_leaves_the_others_as_they_were(cg, name, rule, dtype):
    problem = MAKE[name](cg.experiments)
    start = points(problem, 5)
    rates = np.array([1e-3, 1e300, 1e-4, 1e-2, 1e-3])[:, None]
    if dtype == "float32":
        rates = np.minimum(rates, 1e38)

    def run(rows):
        lr = cg.array(rates[rows], dtype=dtype)
        return cg.experiments.compare_optimizers(
            problem,
            {"it": RULES[rule](cg.optimizers, lr)},
            steps=30,
            start=cg.array(start[rows], dtype=dtype),
        )["it"]

    together, apart = run([0, 1, 2, 3, 4]), run([0, 2, 3, 4])
    assert (np.delete(together.w, 1, axis=1) == apart.w).all()
    assert (np.delete(together.loss, 1, axis=1) == apart.loss).all()
    assert together.w.dtype == together.loss.dtype == dtype
    assert np.isfinite(together.w).all()


def test_a_walk_stands_still_from_where_it_was_last_finite(cg):
    bowl = cg.experiments.quadratic(1)
    lr = cg.array([[1e60], [0.5]])
    start = cg.array([[1.0, 1.0], [1.0, 1.0]])
    walk = cg.experiments.compare_optimizers(
        bowl, {"sgd": cg.optimizers.sgd(lr, momentum=0.9)}, steps=9, start=start
    )["sgd"]
    lost = np.isinf(walk.loss[:, 0])
    # 1, 1e60, 1e120: their squares are numbers yet, that of 1e180 is none.
    assert lost.tolist() == [False] * 3 + [True] * 7
    assert (walk.w[lost, 0] == walk.w[2, 0]).all()
    assert np.isfinite(walk.loss[:, 1]).all()
    assert start.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_a_walk_may_be_lost_before_its_first_step(cg):
    bowl = cg.experiments.quadratic(1)
    start = cg.array([[1e200, 0.0], [1.0, 0.0]])
    sgd = {"sgd": cg.optimizers.sgd(0.5)}
    walk = cg.experiments.compare_optimizers(bowl, sgd, steps=2, start=start)["sgd"]
    assert walk.loss.tolist() == [[np.inf, 0.5], [np.inf, 0.125], [np.inf, 0.03125]]
    assert (walk.w[:, 0] == [1e200, 0.0]).all()


def test_a_problem_of_your_own_races_too(cg):
    bowl = cg.experiments.TestFunction(
        loss=lambda w: (w**2).sum(-1) / 2,
        grad=lambda w: w,  # the same array, which nobody may write into
        start=cg.array([[1.0], [1e200]]),
        minima=cg.array([[0.0]]),
        bounds=(-1, 1),
    )
    walk = cg.experiments.compare_optimizers(
        bowl, {"sgd": cg.optimizers.sgd(0.5)}, steps=2
    )["sgd"]
    assert walk.w[:, 0, 0].tolist() == [1.0, 0.5, 0.25]
    assert walk.w[:, 1, 0].tolist() == [1e200] * 3


# --- What is refused ------------------------------------------------------------------


@pytest.mark.parametrize("what", ["loss", "grad"])
def test_a_point_that_does_not_fit_is_told(cg, name, what):
    problem = MAKE[name](cg.experiments)
    f, n = getattr(problem, what), problem.start.shape[-1]
    word = name.split(",")[0].split(" of ")[0]
    with pytest.raises(cg.ShapeError, match=rf"^{word}.{what}: the last axis of `w` m"):
        f(cg.array(np.ones((n, n + 1))))
    with pytest.raises(cg.ShapeError, match=rf"must be {n}, .* got shape \(\)"):
        f(cg.array(1.0))
    with pytest.raises(TypeError, match=f"{word}.{what}: `w` must be float32 or float"):
        f(cg.array([1] * n))
    with pytest.raises(TypeError, match=r"`w` must be an array .* got list; make one"):
        f([1.0] * n)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda e: e.quadratic(0.5), ValueError, "quadratic: `kappa` .* from 1, got"),
        (lambda e: e.quadratic(math.inf), ValueError, "quadratic: `kappa` must be"),
        (lambda e: e.quadratic("round"), TypeError, "quadratic: `kappa` must be"),
        (lambda e: e.quadratic(10, 1), ValueError, "quadratic: `n` must be .* 2 or m"),
        (lambda e: e.quadratic(10, 3, angle=1), ValueError, "`angle` turns .* n=3"),
        (lambda e: e.quadratic(10, angle="up"), TypeError, "quadratic: `angle` must"),
        (lambda e: e.rosenbrock(1), ValueError, "rosenbrock: `n` must be .* 2 or more"),
        (lambda e: e.rosenbrock(2.0), TypeError, "rosenbrock: `n` must be a whole"),
        (lambda e: e.styblinski_tang(0), ValueError, "styblinski_tang: `n` must be"),
    ],
)
def test_a_bad_number_is_told(cg, call, error, words):
    with pytest.raises(error, match=words):
        call(cg.experiments)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            {"function": 3},
            TypeError,
            "compare_optimizers: `function` must be a TestFunction, got int",
        ),
        (
            {"optimizers": [3]},
            TypeError,
            "compare_optimizers: `optimizers` must be a dict .* list",
        ),
        (
            {"optimizers": {"a": 3}},
            TypeError,
            r"compare_optimizers: `optimizers\['a'\]` .* got int",
        ),
        (
            {"steps": 0},
            ValueError,
            "compare_optimizers: `steps` must be a whole number, 1 or more",
        ),
        (
            {"steps": 2.5},
            TypeError,
            "compare_optimizers: `steps` must be a whole number",
        ),
        (
            {"start": [1.0, 1.0]},
            TypeError,
            "compare_optimizers: `start` must be an array",
        ),
        (
            {"start": [[1, 1]]},
            TypeError,
            "compare_optimizers: `start` must be float32 or float64",
        ),
        (
            {"start": [[1.0]]},
            ValueError,
            "compare_optimizers: the last axis of `start` must be 2",
        ),
        (
            {"start": [[1.0, math.nan]]},
            ValueError,
            r"compare_optimizers: `start` has nan at index \(0, 1\); every number must",
        ),
    ],
)
def test_a_race_that_cannot_be_run_is_told(cg, change, error, words):
    args = {
        "function": cg.experiments.quadratic(10),
        "optimizers": {"sgd": cg.optimizers.sgd(0.1)},
        "steps": 3,
    } | change
    if np.ndim(args.get("start")) == 2:
        args["start"] = cg.array(args["start"])
    with pytest.raises(error, match=words):
        cg.experiments.compare_optimizers(**args)


def test_a_start_of_the_other_backend_is_told():
    twin = pytest.importorskip("chalkgrad.torch")
    bowl = reference.experiments.quadratic(10)
    with pytest.raises(
        TypeError, match=r"sgd.init: `w` must be an array of this backend"
    ):
        twin.experiments.compare_optimizers(
            bowl, {"sgd": twin.optimizers.sgd(0.1)}, steps=1
        )


# --- Many networks side by side -------------------------------------------------------


def line_networks(cg, rates):
    x, targets = cg.data.line(12, noise=0.1)
    net = cg.network([1, 1])
    options = {
        "loss": cg.losses.mse,
        "optimizer": cg.optimizers.sgd(cg.array(rates)[:, None]),
    }
    return net, net.init(range(len(rates))), x, targets, options


def test_networks_side_by_side_are_each_as_if_alone(cg):
    rates = [0.01, 0.1, 0.5]
    net, w, x, targets, options = line_networks(cg, rates)
    before = cg.asnumpy(w).copy()
    run = cg.experiments.train(net, w, x, targets, steps=30, **options)
    assert (cg.asnumpy(w) == before).all()
    for k, lr in enumerate(rates):
        fitted = cg.training.fit(
            net, cg.array(before[k]), x, targets, loss=cg.losses.mse,
            optimizer=cg.optimizers.sgd(lr), epochs=30,
        )  # fmt: skip
        np.testing.assert_allclose(run.w[k], fitted.w, rtol=1e-9)
        np.testing.assert_allclose(run.loss[:-1, k], fitted.loss, rtol=1e-10)


def test_a_batch_is_of_a_shuffle_that_all_share(cg):
    net, w, x, targets, options = line_networks(cg, [0.05, 0.05])
    w = cg.array(np.repeat(cg.asnumpy(w)[:1], 2, axis=0))
    run = cg.experiments.train(
        net, w, x, targets, steps=40, batch_size=5, rng=1, **options
    )
    assert (run.loss[:, 0] == run.loss[:, 1]).all()
    other = cg.experiments.train(
        net, w, x, targets, steps=40, batch_size=5, rng=2, **options
    )
    assert (run.loss != other.loss).any()
    assert run.loss[-1].max() < 0.5 * run.loss[0].max()


@pytest.mark.parametrize("rate", [3.0, 1e5, 1e200, 1e308])
def test_a_network_that_diverges_leaves_the_others_as_they_were(cg, rate):
    net, w, x, targets, options = line_networks(cg, [0.1, rate])
    run = cg.experiments.train(net, w, x, targets, steps=50, **options)
    _, _, _, _, alone = line_networks(cg, [0.1])
    calm = cg.experiments.train(net, w[:1], x, targets, steps=50, **alone)
    np.testing.assert_allclose(run.loss[:, 0], calm.loss[:, 0], rtol=1e-12)
    lost = np.isinf(run.loss[:, 1])
    assert lost[-1]
    assert not lost[0]
    assert (np.diff(lost.astype(int)) >= 0).all()
    assert np.isfinite(cg.asnumpy(run.w)).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"w": None}, r"`w` must have the shape \(m, size\)"),
        ({"steps": 0}, "`steps` must be"),
        ({"batch_size": 0}, "`batch_size` must be"),
        ({"limit": 1.0}, "`limit` must be"),
        ({"rng": -1}, "`rng` must be"),
    ],
)
def test_networks_that_cannot_be_trained_are_told(cg, change, words):
    net, w, x, targets, options = line_networks(cg, [0.1])
    if "w" in change:
        w, change = w[0], {}
    with pytest.raises(ValueError, match=words):
        cg.experiments.train(net, w, x, targets, **{"steps": 3, **options, **change})


# --- Fair comparisons -----------------------------------------------------------------


def test_a_rate_is_chosen_on_other_starts_than_it_is_judged_on(cg):
    asked = []

    def task(rate, seeds):
        asked.append((cg.asnumpy(rate)[:, 0].tolist(), seeds))
        # The rate 1 is best from the starts that choose, and worst from the others.
        return [r if s < 3 else 1 / r for r, s in zip(*asked[-1], strict=True)]

    found = cg.experiments.compare(
        {"mine": lambda rate: rate}, task, rates=[0.5, 1.0, 2.0], starts=3
    )
    assert asked == [
        ([0.5] * 3 + [1.0] * 3 + [2.0] * 3, [3, 4, 5] * 3),
        ([2.0] * 3, [0, 1, 2]),
    ]
    assert found.rate == {"mine": 2.0}
    assert found.scores["mine"].tolist() == [2.0] * 3
    assert found.sweep["mine"].tolist() == [[2.0] * 3, [1.0] * 3, [0.5] * 3]
    assert found.median == {"mine": 2.0}


def test_what_takes_one_number_is_made_for_each_rate(cg):
    asked = []

    def task(rate, seeds):
        asked.append((rate, seeds))
        return [rate + seed for seed in seeds]

    found = cg.experiments.compare(
        {"mine": lambda rate: rate}, task, rates=[2, 1], starts=2, at_once=False
    )
    assert asked == [(2.0, [2, 3]), (1.0, [2, 3]), (1.0, [0, 1])]
    assert found.sweep["mine"].tolist() == [[4.0, 5.0], [3.0, 4.0]]
    assert found.scores["mine"].tolist() == [1.0, 2.0]


def test_the_table_tells_the_middle_half_what_diverged_and_the_edge(cg):
    def task(rate, seeds):
        rates = cg.asnumpy(rate)[:, 0].tolist()
        return [
            math.nan if s == 3 else r + s % 4 for r, s in zip(rates, seeds, strict=True)
        ]

    found = cg.experiments.compare(
        {"ours": lambda rate: rate, "theirs": lambda rate: rate},
        task,
        rates={"ours": [1, 2, 3], "theirs": [5]},
        starts=4,
    )
    assert repr(found).splitlines() == [
        "rule    rate     median   middle half",
        "ours    1        2.5      1 to inf",
        "theirs  5        6.5      5 to inf",
        "4 starts; rates chosen on 4 others",
        "ours diverged from 1 of 4",
        "theirs diverged from 1 of 4",
        "ours: the best rate is at the edge; try more",
    ]


def test_a_problem_is_compared_by_the_race_that_it_is(cg):
    bowl = cg.experiments.quadratic(10)
    found = cg.experiments.compare(
        {"sgd": cg.optimizers.sgd}, bowl, rates=[0.01, 0.1, 1.0], steps=20, starts=5
    )
    assert found.rate == {"sgd": 0.1}
    drawn = np.random.default_rng(0).uniform(*bowl.bounds, (10, 2))
    walk = cg.experiments.compare_optimizers(
        bowl, {"sgd": cg.optimizers.sgd(0.1)}, steps=20, start=cg.array(drawn[:5])
    )["sgd"]
    np.testing.assert_allclose(found.scores["sgd"], walk.loss[-1], rtol=1e-12)
    assert np.isinf(found.sweep["sgd"][2]).sum() == 0
    assert (found.sweep["sgd"][2] > 1e10).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"rules": {}}, TypeError, "`rules` must be a dict"),
        ({"rules": {"a": 0.1}}, TypeError, r"`rules\['a'\]` must be a function"),
        ({"rates": []}, ValueError, "`rates` must be finite numbers, one or more"),
        ({"rates": {"b": [1]}}, ValueError, "`rates` must be .* for 'a'"),
        ({"rates": [math.inf]}, ValueError, "`rates` must be finite"),
        ({"starts": 0}, ValueError, "`starts` must be"),
        ({"at_once": 1}, TypeError, "`at_once` must be True or False"),
        ({"steps": None}, TypeError, "`steps` must be given"),
        ({"task": 3}, TypeError, "`task` must be a function"),
        (
            {"task": lambda r, s: [0.0] * len(s)},
            TypeError,
            "`steps` goes with a TestFunction",
        ),
        (
            {"task": lambda r, s: [0.0], "steps": None},
            reference.ShapeError,
            "`task` must return a score for each of 2 seeds",
        ),
    ],
)
def test_a_comparison_that_cannot_be_made_is_told(cg, change, error, words):
    options = {
        "rules": {"a": cg.optimizers.sgd},
        "task": cg.experiments.quadratic(10),
        "rates": [0.1],
        "steps": 3,
        "starts": 2,
    } | change
    rules, task = options.pop("rules"), options.pop("task")
    with pytest.raises(error, match=words):
        cg.experiments.compare(rules, task, **options)


def test_a_made_rule_is_no_function_of_a_rate(cg):
    rules = {"a": cg.optimizers.sgd(0.1)}
    with pytest.raises(TypeError, match="without a rate"):
        cg.experiments.compare(rules, cg.experiments.quadratic(2), rates=[1], steps=1)
