"""Numbers that do not fit, and numbers that do but whose squares and sums do not."""

import functools
import math

import numpy as np
import pytest
import torch
from mpmath import mp, mpf

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from benchmarks import exact as judge

BACKENDS = {"numpy": reference, "torch": twin}
DTYPES = ["float32", "float64"]
nan, inf = math.nan, math.inf


@pytest.fixture(params=BACKENDS)
def cg(request):
    return BACKENDS[request.param]


def told(call):
    """Return what both backends say, which must be the same."""
    words = []
    for backend in BACKENDS.values():
        with pytest.raises((TypeError, ValueError)) as caught:
            call(backend)
        words.append((type(caught.value), str(caught.value)))
    assert words[0] == words[1]
    return words[0][1]


# --- Arrays ---------------------------------------------------------------------------

FIT = [0, 2**63 - 1, -(2**63), [2**63 - 1, -(2**63)], np.array([2**63 - 1], "u8")]
TOO_LARGE = [
    *(2**63, [2**63], [0, 2**63], [2**63, -1], 2**64, [[2**64]], [-(2**63) - 1]),
    *(10**30, [1, -(10**30)], np.array([2**64 - 1], "u8"), np.uint64(2**63)),
    np.array([[1, 2**63]], ">u8"),
]


@pytest.mark.parametrize("x", FIT, ids=repr)
def test_whole_numbers_that_fit_are_taken(cg, x):
    found = cg.asnumpy(cg.array(x))
    assert found.dtype == "int64"
    np.testing.assert_array_equal(found, np.array(x))


@pytest.mark.parametrize("dtype", [None, "int64"])
@pytest.mark.parametrize("x", TOO_LARGE, ids=repr)
def test_whole_numbers_that_do_not_fit_are_refused(x, dtype):
    words = told(lambda cg: cg.array(x, dtype=dtype))
    assert words.startswith(f"array: `x` must hold whole numbers from {-(2**63)} to ")
    large = next(
        int(n) for n in np.ravel(np.array(x, object)) if not -(2**63) <= n < 2**63
    )
    assert f"got {large};" in words


@pytest.mark.parametrize("x", TOO_LARGE, ids=repr)
def test_the_advice_for_large_whole_numbers_works(cg, x):
    found = cg.asnumpy(cg.array(x, dtype="float64"))
    np.testing.assert_array_equal(found, np.array(x, object).astype("float64"))


def test_a_large_tensor_of_whole_numbers_is_refused():
    x = torch.tensor([2**64 - 1], dtype=torch.uint64)
    with pytest.raises(ValueError, match=f"got {2**64 - 1};"):
        twin.array(x)
    with pytest.raises(ValueError, match=f"got {2**64 - 1};"):
        reference.array(x)


def test_a_label_that_does_not_fit_is_named(cg):
    logits = cg.array(np.zeros((2, 3)))
    labels = np.array([1, 2**64 - 1], "u8")
    labels = labels if cg is reference else torch.from_numpy(labels)
    words = rf"cross_entropy: `labels` has {2**64 - 1} at index \(1,\)"
    with pytest.raises(ValueError, match=words):
        cg.losses.cross_entropy(logits, labels)


@pytest.mark.parametrize("x", [70000, 1e39, [1e39], -1e300, [0.0, 65520.0]])
def test_a_float_that_does_not_fit_is_refused(x):
    for dtype in ("float16", "float32"):
        if np.abs(x).max() > np.finfo(dtype).max:
            words = told(lambda cg, dtype=dtype: cg.array(x, dtype=dtype))
            assert f"numbers that {dtype} can hold" in words


KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


@pytest.mark.parametrize("order", "<>=|")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [None, "float32", "float64", "int64"])
def test_any_byte_order_is_taken(cg, kind, order, dtype):
    x = np.array([[1, 2, 100]], kind)
    for given in (x.astype(x.dtype.newbyteorder(order)), x.T, x[:, ::2]):
        found = cg.asnumpy(cg.array(given, dtype=dtype))
        assert found.dtype.isnative
        assert found.dtype == (dtype or (kind if kind[0] == "f" else "int64"))
        np.testing.assert_array_equal(found, given)


def walk(optimizer):
    def steps(w, grad):
        state = optimizer.init(w)
        for sign in (1, -2, 3):
            w, state = optimizer.step(w, sign * grad, state)
            w, state = optimizer.in_place.step(w.copy(), sign * grad, state)
        return w

    return steps


def train(w, x, labels):
    trained = reference.training.fit(
        reference.network([3, 2]),
        w,
        x,
        labels,
        loss=reference.losses.cross_entropy,
        optimizer=reference.optimizers.adam(0.1),
        epochs=2,
    )
    return trained.w


ROW, ROWS, IDS = np.array([0.5, -2.0, 3.0]), np.array([[0.5, -2.0, 3.0]] * 2), [0, 1]
TAKES = {
    **{
        f"activations.{name}": (getattr(reference.activations, name), ROWS)
        for name in reference.activations.__all__
    },
    **{
        f"optimizers.{name}": (walk(getattr(reference.optimizers, name)(0.1)), ROW, ROW)
        for name in ("adam", "sgd", "dog", "prodigy", "lion", "barzilai_borwein")
    },
    "losses.mse": (reference.losses.mse, ROW, ROW[::-1]),
    "losses.huber_grad": (reference.losses.huber_grad, ROW, ROW[::-1]),
    "losses.hinge": (reference.losses.hinge, ROW, np.array([1, -1, 1])),
    "losses.cross_entropy": (reference.losses.cross_entropy, ROWS, np.array(IDS)),
    "autodiff.grad": (reference.autodiff.grad(lambda x: (x**3).sum()), ROW),
    "autodiff.hessian": (reference.autodiff.hessian(lambda x: (x**3).sum()), ROW),
    "data.scale": (lambda x: reference.data.scale(x)[0], ROWS),
    "network": (reference.network([3, 2]).forward, np.arange(8.0), ROWS),
    "fit": (train, np.arange(8.0), ROWS, np.array(IDS)),
}


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("name", TAKES)
def test_functions_take_any_byte_order(name, kind):
    f, *given = TAKES[name]
    given = [a.astype(kind) if a.dtype.kind == "f" else a for a in given]
    swapped = [a.astype(a.dtype.newbyteorder(">")) for a in given]
    np.testing.assert_array_equal(f(*swapped), f(*given))


def test_what_an_array_of_objects_holds_is_read(cg):
    objects = [([1, 2], "int64"), ([1.5, 2], "float64"), ([-(2**63), 2], "int64")]
    for numbers, dtype in objects:
        found = cg.asnumpy(cg.array(np.array(numbers, object)))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, numbers)
    with pytest.raises(ValueError, match=f"can hold, got {2**63}; name"):
        cg.array([-(2**63), 2**63])


# --- Options --------------------------------------------------------------------------

W = [1.0, -2.0]
OPTIONS = {
    "sgd": ["lr", "weight_decay"],
    "adam": ["lr", "eps"],
    "adamw": ["lr", "eps", "weight_decay"],
    "adagrad": ["lr", "eps"],
    "adadelta": ["lr", "eps"],
    "rmsprop": ["lr", "eps"],
    "nadam": ["lr", "eps"],
    "radam": ["lr", "eps"],
    "adamax": ["lr", "eps"],
    "rprop": ["lr"],  # its others are bounded by each other
    "asgd": ["lr", "weight_decay"],
    "lion": ["lr", "weight_decay"],
    "schedule_free_adamw": ["lr", "eps", "weight_decay"],
    "barzilai_borwein": ["lr"],
    "dog": ["lr", "eps"],
    "prodigy": ["lr", "eps"],
    "hypergradient": ["lr", "hyper_lr"],
}
NAMED = [(name, option) for name, options in OPTIONS.items() for option in options]
OUTSIDE, INSIDE = [1e39, 3.5e38, 1e-50, 1e-46], [3.4e38, 1e-44, 0.0, 1.0]


@pytest.mark.parametrize("value", OUTSIDE)
@pytest.mark.parametrize(("name", "option"), NAMED)
def test_an_option_that_the_dtype_cannot_hold_is_blamed(name, option, value):
    def start(cg):
        options = {"lr": 0.1} | {option: value}
        opt = getattr(cg.optimizers, name)(**options)
        opt.init(cg.array(W))  # float64 can
        opt.init(cg.array(W, dtype="float32"))

    words = told(start)
    assert words.startswith(
        f"{name}.init: `{option}` must be a number that float32 can"
    )


@pytest.mark.parametrize("value", INSIDE)
@pytest.mark.parametrize(("name", "option"), NAMED)
def test_an_option_that_the_dtype_can_hold_is_taken(cg, name, option, value):
    options = {"lr": 0.1} | {option: value}
    w = cg.array(W, dtype="float32")
    getattr(cg.optimizers, name)(**options).init(w)


@pytest.mark.parametrize("option", ["norm", "value"])
@pytest.mark.parametrize("value", OUTSIDE)
def test_a_limit_that_the_dtype_cannot_hold_is_blamed(option, value):
    def start(cg):
        opt = cg.optimizers.clip(cg.optimizers.sgd(0.1), **{option: value})
        opt.init(cg.array(W))
        opt.init(cg.array(W, dtype="float32"))

    words = told(start)
    assert words.startswith(f"clip.init: `{option}` must be a number that float32")


@pytest.mark.parametrize("name", ["huber", "huber_grad"])
@pytest.mark.parametrize("value", OUTSIDE)
def test_a_delta_that_the_dtype_cannot_hold_is_blamed(name, value):
    def call(cg):
        x = cg.array(W)
        getattr(cg.losses, name)(x, x, delta=value)
        x = cg.array(W, dtype="float32")
        getattr(cg.losses, name)(x, x, delta=value)

    assert told(call).startswith(f"{name}: `delta` must be a number that float32 can")


def test_a_plan_blames_the_option():
    def start(cg):
        net = cg.network([2, 1])
        w = net.init(dtype="float32")
        optimizer = cg.optimizers.adam(eps=1e-50)
        net.plan(w, loss=cg.losses.mse, optimizer=optimizer, batch_size=1)

    assert told(start).startswith("adam.init: `eps` must be a number that float32 can")


def on_a_line(cg, radius):
    net = cg.network([2, 1])
    x, y = cg.array([[1.0, 2.0]]), cg.array([[1.0]])
    for dtype in DTYPES[::-1]:
        w = net.init(dtype=dtype)
        d = cg.landscape.directions(net, w)[0]
        given = cg.array(x, dtype=dtype), cg.array(y, dtype=dtype)
        cg.landscape.loss_grid(
            net, w, *given, cg.losses.mse, d, radius=radius, points=3
        )


def of_a_square(w):
    return (w * w).sum(), 2 * w


OTHERS = {
    "loss_grid: `radius`": on_a_line,
    "armijo.init: `lr`": lambda cg, lr: [
        cg.line_search.armijo(of_a_square, lr=lr).init(cg.array(W, dtype=dtype))
        for dtype in DTYPES[::-1]
    ],
    "wolfe.init: `lr`": lambda cg, lr: [
        cg.line_search.wolfe(of_a_square, lr=lr).init(cg.array(W, dtype=dtype))
        for dtype in DTYPES[::-1]
    ],
    "check_grads: `h`": lambda cg, h: cg.autodiff.check_grads(
        lambda x: (x * x).sum(), cg.array(W, dtype="float32"), h=h
    ),
}


@pytest.mark.parametrize("value", [1e39, 1e-50])
@pytest.mark.parametrize("words", OTHERS)
def test_other_options_that_the_dtype_cannot_hold_are_blamed(words, value):
    said = told(lambda cg: OTHERS[words](cg, value))
    assert said.startswith(f"{words} must be a number that float32 can hold")


@pytest.mark.parametrize("name", ["polyak", "armijo"])
def test_one_number_is_refused_by_a_search(name):
    words = told(
        lambda cg: getattr(cg.line_search, name)(of_a_square).init(cg.array(2.0))
    )
    assert words.startswith(f"{name}.init: `w` must have an axis")


@pytest.mark.parametrize("far", [1e39, 1e300])
def test_a_rate_of_a_schedule_or_an_array_that_does_not_fit_is_blamed(far):
    def scheduled(cg):
        opt = cg.optimizers.sgd(lambda t: far if t else 0.1)
        w, grad = cg.array(W, dtype="float32"), cg.array(W, dtype="float32")
        state = opt.init(w)
        w, state = opt.step(w, grad, state)
        opt.step(w, grad, state)

    def listed(cg):
        opt = cg.optimizers.sgd(cg.array([[0.1], [far]]))
        w = cg.array([W, W], dtype="float32")
        opt.step(w, cg.array([W, W], dtype="float32"), opt.init(w))

    for call in (scheduled, listed):
        words = told(call)
        assert words.startswith("sgd.step: `lr` must be a number that float32 can hold")


def test_a_schedule_may_become_as_small_as_it_likes(cg):
    opt = cg.optimizers.sgd(cg.schedules.exponential(0.1, rate=1.0))
    w = cg.array(W, dtype="float32")
    state = opt.init(w)._replace(t=500)
    w, _ = opt.step(w, cg.array(W, dtype="float32"), state)
    np.testing.assert_array_equal(cg.asnumpy(w), W)


# --- One number as the weights --------------------------------------------------------

NEED_AN_AXIS = {"barzilai_borwein", "dog", "prodigy", "hypergradient"}


@pytest.mark.parametrize("name", OPTIONS)
def test_one_number_is_taken_or_refused_at_the_start(name):
    def start(cg):
        return getattr(cg.optimizers, name)(lr=0.1).init(cg.array(2.0))

    if name in NEED_AN_AXIS:
        words = told(start)
        assert words.startswith(f"{name}.init: `w` must have an axis")
    for cg in BACKENDS.values():
        opt = getattr(cg.optimizers, name)(lr=0.1)
        w = cg.array(2.0)
        w = w.reshape(1) if name in NEED_AN_AXIS else w  # as the message says
        state = opt.init(w)
        for _ in range(3):
            w, state = opt.step(w, w * 1.0, state)
        assert tuple(w.shape) in ((), (1,))
        assert math.isfinite(float(cg.asnumpy(w).sum()))


@pytest.mark.parametrize("options", [{"norm": 1.0}, {"value": 1.0}])
def test_one_number_is_clipped_or_refused_at_the_start(options):
    def start(cg):
        opt = cg.optimizers.clip(cg.optimizers.sgd(0.1), **options)
        return opt, opt.init(cg.array(2.0))

    if "norm" in options:
        assert told(start).startswith("clip.init: `w` must have an axis")
    else:
        for cg in BACKENDS.values():
            opt, state = start(cg)
            w, _ = opt.step(cg.array(2.0), cg.array(5.0), state)
            assert float(w) == pytest.approx(1.9)


# --- Sums that overflow on the way ----------------------------------------------------

LOSSES = [
    name.removesuffix("_grad")
    for name in reference.losses.__all__
    if name.endswith("_grad")
]


def largest(dtype):
    return float(np.finfo(dtype).max)


def drawn(name, dtype, seed):
    """Draw arguments up to the largest numbers, of one exponent or of many."""
    rng = np.random.default_rng(seed)
    n, top = int(rng.integers(1, 9)), np.log2(largest(dtype)) - 0.001
    if name == "mse" and seed % 2:
        top = top / 2 + 1  # where squares begin to overflow
    powers = rng.uniform(top - 3, top) if seed % 3 else rng.uniform(-top, top, n)

    def numbers(*shape):
        sizes = np.exp2(
            np.broadcast_to(powers, n).reshape(shape[0], *(1,) * (len(shape) - 1))
        )
        return (rng.uniform(-1, 1, shape) * sizes).astype(dtype)

    if name == "cross_entropy":
        c = int(rng.integers(2, 5))
        options = {"label_smoothing": float(rng.choice([0.0, 0.3, 1.0]))}
        return numbers(n, c), rng.integers(0, c, n), options
    if name == "binary_cross_entropy":
        return numbers(n), rng.choice([0.0, 0.25, 1.0], n).astype(dtype), {}
    if name in ("hinge", "perceptron"):
        return numbers(n), rng.choice([-1.0, 1.0], n).astype(dtype), {}
    delta = float(np.exp2(rng.uniform(-20, np.log2(largest(dtype)) / 2)))
    targets = numbers(n) * rng.choice([0, 1], n).astype(dtype)
    return numbers(n), targets, {"delta": delta} if name == "huber" else {}


def close(found, wanted, units, dtype):
    """Hold numbers to their exact values: finite where these are."""
    for f, w, u in zip(np.ravel(found), np.ravel(wanted), np.ravel(units), strict=True):
        if abs(w) < 0.999 * mpf(largest(dtype)):
            tol = 64 * float(np.finfo(dtype).eps) * abs(u) + mpf(
                float(np.finfo(dtype).tiny)
            )
            assert math.isfinite(f)
            assert abs(mpf(float(f)) - w) <= tol
        else:
            assert abs(f) > 0.99 * largest(dtype)


@functools.cache
def asked(name, dtype, seed):
    """Give arguments with their exact losses and slopes, which serve both backends."""
    with mp.workdps(350):
        first, second, options = drawn(name, dtype, seed)
        z = judge.exact(first)
        exact = judge.loss(name, z, second, reduction="none", **options)
    return first, second, options, *exact


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_finite_wherever_its_exact_value_is(cg, name, dtype):
    with mp.workdps(350):
        for seed in range(40):
            first, second, options, each, slopes = asked(name, dtype, seed)
            n = len(second)
            wanted = {"none": each, "sum": sum(each), "mean": sum(each) / n}
            for reduction, value in wanted.items():
                given = cg.array(first), cg.array(second)
                found = getattr(cg.losses, name)(*given, reduction=reduction, **options)
                assert str(found.dtype).endswith(dtype)
                close(cg.asnumpy(found), value, value, dtype)
                found = getattr(cg.losses, f"{name}_grad")(
                    *given, reduction=reduction, **options
                )
                scaled = slopes / (n if reduction == "mean" else 1)
                units = np.maximum(abs(scaled), mpf(1) / n if "entropy" in name else 0)
                close(cg.asnumpy(found), scaled, units, dtype)


FIVE = {
    "mae": ("mae", [1e308] * 4, [0.0] * 4, {}, 1e308),
    "mse": ("mse", [1e154] * 4, [0.0] * 4, {}, 1e308),
    "one large square": ("mse", [1.5e154, 0, 0, 0], [0.0] * 4, {}, 5.625e307),
    "a large difference": ("mae", [1e308, 0, 0, 0], [-1e308, 0, 0, 0], {}, 5e307),
    "smoothing": (
        "cross_entropy",
        [[1e308, -1e308]],
        [1],
        {"label_smoothing": 1.0},
        1e308,
    ),
    "two rows": ("cross_entropy", [[1e308, -1e308], [0, 0]], [1, 0], {}, 1e308),
    "huber": ("huber", [1e308] * 4, [-1e308] * 4, {"delta": 1e-3}, 2e305),
    "hinge": ("hinge", [1e308] * 4, [-1.0] * 4, {}, 1e308),
    "perceptron": ("perceptron", [1e308] * 4, [-1.0] * 4, {}, 1e308),
    "yes or no": ("binary_cross_entropy", [1e308] * 4, [0.0] * 4, {}, 1e308),
}


@pytest.mark.parametrize("case", FIVE)
def test_a_mean_of_large_losses(cg, case):
    name, first, second, options, wanted = FIVE[case]
    f = getattr(cg.losses, name)
    args = cg.array(np.array(first, float)), cg.array(second)
    np.testing.assert_allclose(float(f(*args, **options)), wanted, rtol=1e-14)
    found, slope = cg.autodiff.value_and_grad(lambda z: f(z, args[1], **options))(
        args[0]
    )
    np.testing.assert_allclose(float(found), wanted, rtol=1e-14)
    slopes = getattr(cg.losses, f"{name}_grad")(*args, **options)
    np.testing.assert_allclose(cg.asnumpy(slope), cg.asnumpy(slopes), rtol=1e-14)


def test_a_slope_of_a_large_difference(cg):
    large = cg.array([3e38, 0, 0, 0], dtype="float32")
    zeros = cg.array([0.0] * 4, dtype="float32")
    found = cg.asnumpy(cg.losses.mse_grad(large, zeros))
    np.testing.assert_allclose(found, [1.5e38, 0, 0, 0], rtol=1e-7)
    found = cg.asnumpy(cg.losses.mse_grad(large, -large))
    np.testing.assert_allclose(found, [3e38, 0, 0, 0], rtol=1e-7)


@pytest.mark.parametrize("name", ["mae", "mse", "huber"])
def test_a_network_and_its_plan_average_large_losses(cg, name):
    net = cg.network([1, 1])
    x, zeros = cg.array([[1.0]] * 4), cg.array([[0.0]] * 4)
    w = cg.array([1e154 if name == "mse" else 1e308, 0.0])
    loss = getattr(cg.losses, name)
    value, grad = net.loss_and_grad(w, x, zeros, loss)
    np.testing.assert_allclose(float(value), 1e308, rtol=1e-14)
    step = net.plan(w, loss=loss, optimizer=cg.optimizers.sgd(0.1), batch_size=4)
    np.testing.assert_allclose(float(step.gradient(x, zeros)), 1e308, rtol=1e-14)
    np.testing.assert_allclose(cg.asnumpy(step.grad), cg.asnumpy(grad), rtol=1e-14)


# --- Optimizers far out ---------------------------------------------------------------


def walk(cg, opt, w, slope, count):
    state = opt.init(w)
    for _ in range(count):
        w, state = opt.step(w, slope(w), state)
    return cg.asnumpy(w)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(20))
def test_dog_walks_in_at_any_exponent(dtype, seed):
    rng = np.random.default_rng(seed)
    top = math.log2(largest(dtype))
    size = 2 ** rng.uniform(0, top - 4)
    start = rng.uniform(-1, 1, 3) * size
    ends = []
    for cg in BACKENDS.values():
        w = cg.array(start, dtype=dtype)
        ends.append(walk(cg, cg.optimizers.dog(), w, lambda w: w * 1.0, 100))
        assert np.isfinite(ends[-1]).all()
        assert np.linalg.norm(ends[-1] / size) < np.linalg.norm(start / size)
    np.testing.assert_allclose(ends[0] / size, ends[1] / size, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(20))
def test_barzilai_and_borwein_find_a_minimum_at_any_exponent(cg, dtype, seed):
    rng = np.random.default_rng(seed)
    top = math.log2(largest(dtype))
    size = 2 ** rng.uniform(-top / 2, top - 4)
    bend = cg.array(np.array([1.0, 3.0, 0.5]), dtype=dtype)
    w = cg.array(rng.uniform(0.5, 1, 3) * size, dtype=dtype)
    start = cg.asnumpy(w) / size
    end = walk(cg, cg.optimizers.barzilai_borwein(0.1), w, lambda w: bend * w, 12)
    assert np.linalg.norm(end / size) < 1e-2 * np.linalg.norm(start)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", [-0.9, -0.6, 0.0, 0.4, 0.6, 0.99])
def test_clipping_by_norm_at_any_exponent(cg, dtype, exponent):
    size = largest(dtype) ** exponent
    opt = cg.optimizers.clip(cg.optimizers.sgd(1.0), norm=float(size))
    w, grad = (
        cg.array([0.0, 0.0], dtype=dtype),
        cg.array([0.9 * size, -0.9 * size], dtype=dtype),
    )
    w, _ = opt.step(w, grad, opt.init(w))
    np.testing.assert_allclose(cg.asnumpy(w) / size, [-(0.5**0.5), 0.5**0.5], rtol=1e-6)


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1.0, 1e30, 1e200])
def test_a_margin_does_not_depend_on_the_size_of_the_weights(cg, size):
    x, signs = cg.array([[-1.0], [1.0]]), cg.array([-1, 1])
    assert cg.perceptron.margin(cg.array([size, 0.0]), x, signs) == 1.0
    assert cg.perceptron.mistake_bound(cg.array([size, 0.0]), x, signs) == 2.0


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e25])
def test_directions_are_as_long_as_the_filters_of_any_size(cg, size):
    net = cg.network([2, 3, 1])
    w = net.init(dtype="float32") * size
    d, unit = (cg.landscape.directions(net, v) for v in (w, net.init(dtype="float32")))
    np.testing.assert_allclose(cg.asnumpy(d) / size, cg.asnumpy(unit), rtol=1e-5)


# --- Who is to blame ------------------------------------------------------------------


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "binary_cross_entropy"])
@pytest.mark.parametrize("argument", ["x", "w"])
def test_what_is_not_finite_is_blamed(argument, loss, bad):
    def call(cg, plan):
        net = cg.network([2, 2], activation="tanh")
        given = {"w": net.init(), "x": cg.array([[0.5, 1.0], [1.0, 2.0]])}
        y = cg.array([0, 1] if loss == "cross_entropy" else [[0.0, 1.0], [1.0, 0.0]])
        given[argument][1] = bad
        f = getattr(cg.losses, loss)
        if not plan:
            return net.loss_and_grad(given["w"], given["x"], y, f)
        sgd = cg.optimizers.sgd(0.1)
        step = net.plan(given["w"], loss=f, optimizer=sgd, batch_size=2)
        return step(given["x"], y)

    where = {"x": "(1, 0)", "w": "(1,)"}[argument]
    for plan in (False, True):
        words = told(lambda cg, plan=plan: call(cg, plan))
        name = "plan" if plan else "loss_and_grad"
        assert words.startswith(f"{name}: `{argument}` has {bad:g} at index {where}")


def test_logits_that_overflow_by_themselves_are_still_the_logits(cg):
    net = cg.network([1, 2])
    w, x = cg.array([1e200, -1e200, 0.0, 0.0]), cg.array([[1e200]])
    with pytest.raises(ValueError, match="cross_entropy: `logits` has"):
        net.loss_and_grad(w, x, cg.array([0]), cg.losses.cross_entropy)


@pytest.mark.parametrize("count", [1, 2])
def test_a_check_of_gradients_blames_the_number_that_is_none(count):
    def call(cg):
        x = [cg.array([1.0, 2.0]) for _ in range(count)]
        x[-1][1] = nan
        cg.autodiff.check_grads(lambda *xs: sum(x.sum() for x in xs), *x)

    name = "x2" if count == 2 else "x"
    assert told(call).startswith(f"check_grads: `{name}` has nan at index (1,)")
