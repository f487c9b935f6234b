"""Autodiff, both backends: the same derivatives of the same functions, to any order."""

import gc
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles.test_losses_vs_peers import PEERS

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from chalkgrad.autodiff._tape import RULES, Traced

from .backends import FUNCTIONS, agree, applied, both, parts, tensor
from .strategies import arguments, cast, contract

BACKENDS = {"numpy": (reference, np), "torch": (twin, torch)}


@pytest.fixture(params=BACKENDS)
def backend(request):
    return BACKENDS[request.param]


def close(ours, wanted, rtol=1e-12):
    np.testing.assert_allclose(
        np.asarray(ours.detach() if hasattr(ours, "detach") else ours),
        wanted,
        rtol=rtol,
        atol=1e-14,
    )


def test_every_derivative_of_a_function_with_known_ones(backend):
    cg, m = backend
    ad = cg.autodiff
    x, v = cg.array([0.5, -1.0]), cg.array([2.0, 1.0])

    def f(x):
        return m.sin(x[0]) * x[1] ** 2

    s, c = math.sin(0.5), math.cos(0.5)
    gradient, hessian = [c, -2 * s], [[-s, -2 * c], [-2 * c, 2 * s]]
    value, grad = ad.value_and_grad(f)(x)
    close(value, s)
    close(grad, gradient)
    close(ad.grad(f)(x), gradient)
    close(ad.hessian(f)(x), hessian)
    close(ad.hvp(f, x, v), np.array(hessian) @ [2, 1])
    value, along = ad.jvp(f, x, v)
    close(along, np.dot(gradient, [2, 1]))
    close(ad.jacobian(lambda x: x * x[0])(x), [[1.0, 0.0], [-1.0, 0.5]])
    value, pullback = ad.vjp(lambda a, b: a * b, x, v)
    one, other = pullback(cg.array([1.0, 10.0]))
    close(one, [2.0, 10.0])
    close(other, [0.5, -10.0])
    close(ad.grad(ad.grad(ad.grad(m.sin)))(cg.array(0.5)), -c)
    ad.check_grads(f, x)


def test_a_derivative_inside_a_derivative_does_not_confuse_the_two(backend):
    cg, _ = backend
    grad = cg.autodiff.grad
    # d/dx of x * d/dy (x + y) = x * 1, at 3: 1. Levels confused would give 2.
    out = grad(lambda x: x * grad(lambda y: x + y)(cg.array(1.0)))(cg.array(3.0))
    close(out, 1.0)
    # d/dx of x * d/dy (x y) = x * x, at 3: 6.
    out = grad(lambda x: x * grad(lambda y: x * y)(cg.array(1.0)))(cg.array(3.0))
    close(out, 6.0)
    # Two inside of one: d/dx of (d/dy x y) (d/dz x x z) = x * x * x, at 2: 12.
    one = cg.array(1.0)
    out = grad(lambda x: grad(lambda y: x * y)(one) * grad(lambda z: x * x * z)(one))(
        cg.array(2.0)
    )
    close(out, 12.0)


def test_what_does_not_depend_on_the_array_has_a_gradient_of_zeros(backend):
    cg, _ = backend
    x, other = cg.array([1.0, 2.0]), cg.array([3.0, 4.0])
    close(cg.autodiff.grad(lambda x: other.sum())(x), [0.0, 0.0])
    _, pullback = cg.autodiff.vjp(lambda a, b: a * 2, x, other)
    close(pullback(other)[1], [0.0, 0.0])


def test_only_the_first_argument_is_differentiated(backend):
    cg, _ = backend
    x, other = cg.array([1.0, 2.0]), cg.array([3.0, 5.0])
    close(cg.autodiff.grad(lambda x, a, n: (a * x**n).sum())(x, other, 2), [6.0, 20.0])


def test_a_gradient_is_an_array_of_its_own(backend):
    cg, _ = backend
    x = cg.array([1.0, 2.0])
    grad = cg.autodiff.grad(lambda x: x.sum())(x)
    grad[0] = 5.0
    close(x, [1.0, 2.0])
    assert not getattr(grad, "requires_grad", False)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", PEERS)
def test_a_loss_is_one_step_with_its_own_gradient(backend, name, reduction):
    cg, _ = backend
    first, second = map(cg.array, PEERS[name][:2])
    f = getattr(cg.losses, name)
    slope = getattr(cg.losses, f"{name}_grad")

    def total(z):
        return f(z, second, reduction=reduction).sum()

    grad = cg.autodiff.grad(total)(first)
    wanted = slope(first, second, reduction=reduction)
    close(grad, cg.asnumpy(wanted), rtol=1e-15)
    if name not in ("mae", "hinge", "perceptron"):
        close(
            cg.autodiff.hessian(total)(first).sum(),
            reference.autodiff.jacobian(
                lambda z: getattr(reference.losses, f"{name}_grad")(
                    z, PEERS[name][1], reduction=reduction
                )
            )(PEERS[name][0]).sum(),
            rtol=1e-9,
        )


def test_the_gradient_of_cross_entropy_bends_as_differences_say():
    for name in ("cross_entropy", "binary_cross_entropy", "mse", "huber"):
        first, second, *_ = PEERS[name]
        first = np.clip(first, -5, 5)
        reference.autodiff.check_grads(
            lambda z, name=name, second=second: getattr(reference.losses, name)(
                z, second
            ),
            first,
        )


@pytest.mark.parametrize(
    "name",
    [
        "identity",
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "gelu",
        "softplus",
        "softmax",
        "softmax_grad",
    ],
)
def test_an_activation_is_one_step_and_bends_as_differences_say(name):
    z = np.array([[-3.0, -0.5, 0.3, 2.0]])
    reference.autodiff.check_grads(getattr(reference.activations, name), z, order=2)


@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
def test_a_network_differentiated_is_a_network_backpropagated(backend, activation):
    cg, _ = backend
    net = cg.network([4, 5, 5, 3], activation=activation, skip=True)
    w = net.init(rng=0, scheme="xavier")
    x = cg.array(np.random.default_rng(0).normal(size=(6, 4)))
    labels = cg.array([0, 1, 2, 0, 1, 2])

    def loss(w):
        return cg.losses.cross_entropy(net.forward(w, x), labels)

    value, grad = cg.autodiff.value_and_grad(loss)(w)
    wanted, wanted_grad = net.loss_and_grad(w, x, labels, cg.losses.cross_entropy)
    close(value, float(wanted))
    close(grad, cg.asnumpy(wanted_grad), rtol=1e-10)


@pytest.mark.parametrize("i", [0, 1])
def test_the_gradient_of_a_network_is_differentiated_by_what_scales_it(backend, i):
    cg, _ = backend
    net, grad = cg.network([3, 4, 2], activation="tanh"), cg.autodiff.grad
    given = [net.init(rng=0), cg.array(np.random.default_rng(0).normal(size=(5, 3)))]

    def scaled(factor):
        def f(a):
            return (factor * net.forward(*given[:i], a, *given[i + 1 :]) ** 2).sum()

        return grad(f)(given[i]).sum()

    one = cg.array(1.0)
    close(grad(scaled)(one), float(scaled(one)))


# --- Drawn functions ------------------------------------------------------------------

ONE_STEP = [
    path for path in FUNCTIONS if path.partition(".")[0] in ("activations", "losses")
]


@pytest.mark.parametrize("path", ONE_STEP)
@contract
@given(data=st.data())
def test_a_function_of_ours_is_one_step_and_torch_finds_its_slope(path, data):
    f, g = both(path)
    assert f.rules
    args = data.draw(arguments(f))
    first = list(args)[: len(f.rules)]  # of a regression, the targets too

    def vjp(args):
        rest = {name: x for name, x in args.items() if name not in first}
        return reference.autodiff.vjp(
            lambda *xs: f(*xs, **rest), *(args[name] for name in first)
        )

    value, pullback = vjp(args)
    upstream = np.linspace(-1, 2, value.size).reshape(value.shape)
    tensors = applied(tensor, args)
    for name in first:
        tensors[name].requires_grad_()
    theirs = g(**tensors)
    if theirs.requires_grad:  # not the slope of a line
        theirs.backward(torch.tensor(upstream))
    for name, ours in zip(first, parts(pullback(upstream)), strict=True):
        wanted = tensors[name].grad
        wanted = torch.zeros_like(tensors[name]) if wanted is None else wanted
        # autograd loses the tails: it takes 1 - tanh(z)**2.
        agree(ours, wanted, "float64", size=1.0)
    value, pullback = vjp(cast(args, "float32"))
    for slopes in parts(pullback(np.ones_like(value))):
        assert slopes.dtype == value.dtype == "float32"


SHAPES = [(), (3,), (1, 3), (2, 1), (2, 3)]
ONE = ["tanh", "sin", "exp", "square", "sqrt", "negative"]
TWO = ["add", "subtract", "multiply", "maximum", "divide"]


@st.composite
def programs(draw):
    """Any straight-line program of a few steps: shared nodes, broadcasting, reuse."""
    steps = []
    for known in range(2, draw(st.integers(3, 12))):
        if draw(st.booleans()):
            steps.append((draw(st.sampled_from(ONE)), draw(st.integers(0, known - 1))))
        else:
            two = st.integers(0, known - 1)
            steps.append((draw(st.sampled_from(TWO)), draw(two), draw(two)))
    return steps, draw(st.sampled_from(SHAPES)), draw(st.sampled_from(SHAPES))


def run(steps, m, a, b):
    values = [a, b]
    for name, *places in steps:
        args = [values[i] for i in places]
        if name == "sqrt":  # of what is above 0
            args = [args[0] * args[0] + 0.5]
        if name == "divide":
            args = [args[0], args[1] * args[1] + 0.5]
        if name == "exp":
            args = [m.tanh(args[0])]
        values.append(getattr(m, name)(*args))
    return m.tanh(values[-1]).sum() + m.tanh(values[-2]).sum()


@contract
@given(programs(), st.integers(0, 2**32 - 1))
def test_drawn_programs_have_the_derivatives_of_torch_autograd(program, seed):
    steps, *shapes = program
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=shape) for shape in shapes)
    _, pullback = reference.autodiff.vjp(lambda a, b: run(steps, np, a, b), a, b)
    ours = pullback(np.float64(1.0))
    tensors = [torch.tensor(x, requires_grad=True) for x in (a, b)]
    theirs = torch.autograd.grad(
        run(steps, torch, *tensors), tensors, allow_unused=True
    )
    for mine, other in zip(ours, theirs, strict=True):
        wanted = np.zeros(mine.shape) if other is None else other.numpy()
        np.testing.assert_allclose(mine, wanted, rtol=1e-9, atol=1e-12)


# --- The tape -------------------------------------------------------------------------


def test_a_chain_of_a_hundred_thousand_steps_needs_no_recursion():
    def f(x):
        for _ in range(100_000):
            x = x * 1.00001
        return x

    out = reference.autodiff.grad(f)(np.array(1.0))
    assert out == pytest.approx(1.00001**100_000, rel=1e-9)


def test_nothing_is_left_for_the_garbage_collector():
    x = np.random.default_rng(0).normal(size=(20, 10))

    def loss(w):
        return (np.tanh(x @ w) ** 2).sum() + w[0] * w[1]

    gradient = reference.autodiff.grad(loss)
    gradient(np.random.default_rng(0).normal(size=10))
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            gradient(np.random.default_rng(0).normal(size=10))
        assert gc.collect() == 0
    finally:
        gc.enable()


def write(x):
    x[0] = 1.0
    return x.sum()


def add_to(x):
    np.add(x, 1.0, out=np.zeros(2))
    return x.sum()


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (write, r"x\[…\] = … would write into a traced array.*make a new array"),
        (add_to, r"numpy.add with `out=`, which .* would write over numbers"),
        (lambda x: np.array([x[0], x[1]]).sum(), "cannot become a plain one.*np.stack"),
        (lambda x: float(x[0]) * x[1], "would lose the gradient of a traced number"),
        (lambda x: np.fft.fft(x).sum(), "numpy.fft.fft has no rule here"),
        (lambda x: np.add.accumulate(x).sum(), "numpy.add.accumulate has no rule here"),
        (lambda x: np.einsum("ii", x[:, None] * x), "no index twice in one factor"),
        (lambda x: np.einsum("i", x).sum(), "needs a formula with `->`"),
        (lambda x: np.einsum("i...->i...", x).sum(), "without `...`"),
        (lambda x: np.einsum("ii->i", x[:, None] * x).sum(), "no index twice"),
        (lambda x: np.dot(x, np.ones((2, 2, 2))).sum(), "dot takes a second array of"),
        (lambda x: np.linalg.norm(x[:, None] * x, 2), "got ord=2 over 2 axes"),
        (lambda x: np.linalg.norm(x[:, None] * x, "nuc"), "got ord='nuc' over 2 axes"),
        (lambda x: np.pad(x, 1, "edge").sum(), "pad fills with zeros only"),
        (lambda x: np.linalg.norm(x[:, None] * x, 3, axis=(0, 1)), "got ord=3 over 2"),
        (lambda x: np.linalg.norm(x[:, None, None] * x, axis=(0, 1, 2)), "norm takes"),
        (
            lambda x: np.tensordot(x[:, None] * x, np.ones((2, 3))),
            "tensordot sums over",
        ),
        (lambda x: np.diff(x, -1).sum(), "diff takes `n` of 0 or more, got -1"),
        (lambda x: np.diag(x[0]).sum(), "diag takes an array of 1 or 2 axes, got 0"),
        (lambda x: np.einsum(x, [0], []), "needs a formula with `->`"),
        (lambda x: np.linalg.norm(x, "fro"), "norm takes any number as the order of"),
        (lambda x: np.sum(x, where=[True, False]), "sum has no .* argument `where`"),
        (lambda x: np.var(x, where=[True, False]), "var has no .* argument `where`"),
        (lambda x: np.std(x, mean=0.0), "std has no rule here for its argument `mean`"),
        (lambda x: np.var(x, ddof=1, correction=1), "one of `ddof` and `correction`"),
        (lambda x: np.sum(x, 0, np.float64), "sum has no rule .* for its argument 3"),
        (lambda x: x.prod(0, np.float64), "prod has no rule here for its argument 3"),
        (lambda x: np.add(x, 1, dtype="float32").sum(), "add has no .* `dtype`"),
        (lambda x: np.einsum("i->", x, dtype="float64"), "einsum has no .* `dtype`"),
        (
            lambda x: np.sum(x, out=np.zeros(())),
            "sum with `out=`, which .* would write",
        ),
        (lambda x: np.flip(m=x).sum(), "flip has no rule .* argument `m`"),
        (lambda x: x.ravel("A").sum(), "reshape takes order 'C' or 'F', got 'A'"),
        (
            lambda x: np.full(2, x).sum(),
            "copyto, which np.full|cannot become a plain",
        ),
        (lambda x: np.median(x[:, None] * x, (0, 1)), "median takes one axis or none"),
        (lambda x: np.average(x[:, None] * x, weights=x), "average takes weights of"),
        (lambda x: np.split(np.stack([x, x, x]), 2)[0].sum(), "equal division"),
        (lambda x: x, r"must return one number, got shape \(2,\).*jacobian"),
        (
            lambda x: reference.losses.cross_entropy(np.zeros((2, 2)), x),
            "class ids",
        ),
        (
            lambda x: reference.losses.hinge(np.ones(2), x),
            "every target must be|no derivative with respect to its argument 2",
        ),
    ],
)
def test_what_cannot_be_differentiated_is_told(f, words):
    with pytest.raises((TypeError, ValueError), match=words):
        reference.autodiff.grad(f)(np.array([0.3, 0.7]))


@pytest.mark.parametrize("bad", [np.array([1, 2]), [1.0, 2.0], np.array([])])
def test_bad_input_is_refused_in_the_same_words(bad):
    told = []
    for cg in (reference, twin):
        x = torch.tensor(bad) if cg is twin and isinstance(bad, np.ndarray) else bad
        with pytest.raises((TypeError, ValueError)) as caught:
            cg.autodiff.grad(lambda x: x.sum())(x)
        told.append(str(caught.value))
    assert told[0] == told[1]


ASKED = {
    "vjp": lambda ad, f, x: ad.vjp(f, x),
    "jvp": lambda ad, f, x: ad.jvp(f, x, x),
    "value_and_grad": lambda ad, f, x: ad.grad(f)(x),
    "jacobian": lambda ad, f, x: ad.jacobian(f)(x),
    "check_grads": lambda ad, f, x: ad.check_grads(f, x),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("out", [None, "much", [1.0], (1.0, 2.0)], ids=repr)
def test_what_returns_no_array_is_told(backend, name, out):
    cg, _ = backend
    where = "vjp" if name == "check_grads" else name
    got = type(out).__name__
    words = f"{where}: `f` must return an array of this backend, got {got}."
    with pytest.raises(TypeError, match=words):
        ASKED[name](cg.autodiff, lambda x: out, cg.array([1.0, 2.0]))


@pytest.mark.parametrize("name", ["vjp", "check_grads"])
def test_without_arrays_there_is_nothing_to_derive(backend, name):
    words = f"{name}: `args` must be one array or more, got none."
    with pytest.raises(TypeError, match=words):
        getattr(backend[0].autodiff, name)(lambda: 1.0)


def test_huber_bends_where_it_is_a_parabola(backend):
    cg, _ = backend
    targets = cg.array([1.0, 2.5, 9.0])
    bend = cg.autodiff.hessian(lambda p: cg.losses.huber(p, targets, reduction="sum"))(
        cg.array([1.0, 2.0, 3.0])
    )
    close(bend, np.diag([1.0, 1.0, 0.0]))


def test_softplus_bends_by_the_slope_of_the_sigmoid(backend):
    cg, _ = backend
    z = cg.array([-1000.0, -30.0, -1.0, 0.0, 2.0, 30.0, 1000.0])
    slope = cg.autodiff.grad(lambda z: cg.activations.softplus(z).sum())
    bend = cg.autodiff.grad(lambda z: slope(z).sum())(z)
    close(slope(z), cg.activations.sigmoid(z))
    close(bend, cg.activations.sigmoid_grad(z))


def test_no_gradient_flows_to_labels():
    scores = torch.tensor([0.3, -0.7], requires_grad=True)
    targets = torch.tensor([1.0, -1.0], requires_grad=True)
    for loss in (twin.losses.hinge, twin.losses.perceptron):
        loss(scores, targets).backward()
        assert targets.grad is None


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2)])
def test_a_number_is_constant(backend, number):
    cg, _ = backend
    x = cg.array([1.0, 3.0])
    value, slope = cg.autodiff.value_and_grad(lambda x: number)(x)
    along = cg.autodiff.jvp(lambda x: number, x, x)
    for found, wanted in zip((value, slope, *along), (2, [0, 0], 2, 0), strict=True):
        assert found.dtype == x.dtype
        close(found, wanted)


def test_the_check_goes_as_far_as_it_is_told(monkeypatch):
    def rule(g, y, x):
        if isinstance(y, Traced):
            raise TypeError("no further")
        return g * (1 - y * y)

    monkeypatch.setitem(RULES, np.tanh, [rule])
    x = np.array([0.3, 2.0])
    reference.autodiff.check_grads(np.tanh, x, order=1)
    with pytest.raises(TypeError, match="no further"):
        reference.autodiff.check_grads(np.tanh, x, order=2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": 0}, "`order` must be a whole number, 1 or more, got 0"),
        ({"h": 0.0}, "`h` must be a finite number above 0, got 0"),
        ({"rtol": -1}, "`rtol` must be a finite number from 0, got -1"),
        ({"rtol": "a"}, "`rtol` must be a finite number from 0, got 'a'"),
    ],
)
def test_the_check_itself_asks_for_numbers_in_range(backend, options, words):
    cg, m = backend
    with pytest.raises((TypeError, ValueError), match=f"check_grads: {words}"):
        cg.autodiff.check_grads(m.tanh, cg.array([0.3]), **options)


def test_the_third_derivative_is_checked_too(backend):
    cg, m = backend
    cg.autodiff.check_grads(m.tanh, cg.array([0.3, -2.0]), order=3)


@pytest.mark.parametrize("g", [[1.0, 2.0], 1.0], ids=repr)
def test_a_pullback_takes_an_array(backend, g):
    cg, _ = backend
    _, pullback = cg.autodiff.vjp(lambda x: x * 2, cg.array([1.0, 2.0]))
    words = f"vjp: `g` must be an array of this backend, got {type(g).__name__}"
    with pytest.raises(TypeError, match=words):
        pullback(g)


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="NumPy has no such names"
)
def test_limits_may_have_their_short_names():
    grad = reference.autodiff.grad(lambda x: x.clip(min=0.0, max=1.0).sum())
    close(grad(np.array([-1.0, 0.5, 2.0])), [0.0, 1.0, 0.0])


def test_whole_numbers_are_flat():
    grad = reference.autodiff.grad(lambda x: (x.astype("int64") * x).sum())
    close(grad(np.array([2.5, 3.5])), [2.0, 3.0])


def test_what_is_filled_keeps_its_dtype_and_its_gradient():
    def f(x):
        filled = np.full_like(x, x[0], "float32")
        assert filled.dtype == "float32"
        return filled.sum()

    close(reference.autodiff.grad(f)(np.array([2.0, 5.0, 6.0])), [3.0, 0.0, 0.0])
    with pytest.raises(TypeError, match=r"np\.full_like call, would write a traced"):
        reference.autodiff.grad(lambda x: np.full_like(np.zeros(3), x).sum())(
            np.ones(3)
        )


def test_what_is_no_number_may_have_a_name():
    def f(x):
        return (np.nan_to_num(x, nan=0.5, posinf=2.0) ** 2).sum()

    value, grad = reference.autodiff.value_and_grad(f)(np.array([1.0, np.nan, np.inf]))
    close(value, 5.25)
    close(grad, [2.0, 0.0, 0.0])


def test_a_triangle_has_no_trace_of_the_rest():
    x = np.array([[1.0, np.inf], [2.0, 3.0]])
    value, grad = reference.autodiff.value_and_grad(lambda x: np.tril(x).sum())(x)
    close(value, 6.0)
    close(grad, [[1.0, 0.0], [1.0, 1.0]])


def test_the_median_of_what_is_no_number_is_none_either():
    x = np.array([[1.0, np.nan, 2.0], [1.0, 4.0, 2.0]])
    value, pullback = reference.autodiff.vjp(lambda x: np.median(x, 1), x)
    np.testing.assert_array_equal(value, [np.nan, 2.0])
    close(pullback(np.ones(2))[1], [0.0, 0.0, 1.0])


def test_the_parts_of_slogdet_have_names():
    grad = reference.autodiff.grad(lambda a: np.linalg.slogdet(a).logabsdet)
    close(grad(np.diag([2.0, 4.0])), [[0.5, 0.0], [0.0, 0.25]])


def test_a_first_power_is_the_base_itself(backend):
    cg, _ = backend
    base = cg.array([0.0, 3.0])
    for exponent, slope in ((1.0, 1.0), (0.0, 0.0)):
        exponents = cg.array([exponent, exponent])
        grad = cg.autodiff.grad(lambda a, b=exponents: (a**b).sum())
        close(grad(base), [slope, slope])


def test_options_of_a_method_reach_it():
    grad = reference.autodiff.grad(lambda x: (x.sum(axis=0) ** 2).sum())
    close(grad(np.array([[1.0, 2.0], [3.0, 4.0]])), [[8.0, 12.0], [8.0, 12.0]])


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.3.0", reason="NumPy asks for the axis"
)
def test_what_is_taken_along_no_named_axis_is_taken_along_the_last():
    places, weights = np.array([[1], [0]]), np.array([[2.0], [3.0]])
    grad = reference.autodiff.grad(
        lambda x: (np.take_along_axis(x, places) * weights).sum()
    )
    close(grad(np.ones((2, 2))), [[0.0, 2.0], [3.0, 0.0]])


def test_lists_of_vectors_are_joined_at_their_ends():
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    grad = reference.autodiff.grad(lambda x: (weights * np.hstack([x, 2 * x])).sum())
    close(grad(np.array([5.0, 6.0])), [7.0, 10.0])


def test_a_power_of_zero_does_not_bend_with_its_exponent(backend):
    cg, _ = backend
    base = cg.array([0.0, 2.0])
    grad = cg.autodiff.grad(lambda b: (base**b).sum())(cg.array([3.0, 3.0]))
    close(grad, [0.0, 8 * math.log(2)])


def test_a_wrong_rule_is_found(monkeypatch):
    monkeypatch.setitem(RULES, np.tanh, [lambda g, y, x: g * (1 - x * x)])
    with pytest.raises(
        AssertionError, match=r"derivative 1 is .*, but differences give"
    ):
        reference.autodiff.check_grads(np.tanh, np.array([0.3, 2.0]))


def test_shapes_that_do_not_fit_are_refused_in_the_same_words():
    told = []
    for cg in (reference, twin):
        x, v = cg.array([1.0, 2.0]), cg.array([1.0])
        for act in (
            lambda cg=cg, x=x, v=v: cg.autodiff.jvp(lambda x: x, x, v),
            lambda cg=cg, x=x, v=v: cg.autodiff.hvp(lambda x: x.sum(), x, v),
            lambda cg=cg, x=x, v=v: cg.autodiff.vjp(lambda x: x, x)[1](v),
        ):
            with pytest.raises(cg.ShapeError) as caught:
                act()
            told.append(str(caught.value))
    assert told[:3] == told[3:]


def test_importing_the_reference_still_needs_numpy_alone():
    code = "import chalkgrad.numpy as cg, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_traced_array_looks_like_an_array():
    x = np.random.default_rng(0).normal(size=(2, 3))

    def look(traced):
        assert isinstance(traced, Traced)
        for name in ("shape", "ndim", "size", "dtype", "device"):
            assert getattr(traced, name) == getattr(x, name)
        assert len(traced) == 2
        assert repr(traced) == f"Traced({x!r})"
        return traced.sum()

    reference.autodiff.grad(look)(x)

    def use(x):
        rows = [row.sum() for row in x]
        return rows[0] * x.max() + x.mean(0).sum() + x.T.reshape(-1)[0] + abs(x).sum()

    reference.autodiff.check_grads(use, x, order=2)


def test_a_rule_that_is_wrong_in_the_eighth_digit_fails_by_the_complex_step(
    monkeypatch,
):
    rule = [lambda g, y, x: g * (1 - y * y) * (1 + 1e-7)]
    monkeypatch.setitem(RULES, np.tanh, rule)
    with pytest.raises(AssertionError, match="but a complex step gives"):
        reference.autodiff.check_grads(np.tanh, np.array([0.3, 2.0]))


@pytest.mark.parametrize("f", [abs, lambda x: x * abs(x), lambda x: np.maximum(x, 0)])
def test_what_knows_no_complex_numbers_is_checked_by_differences(f):
    reference.autodiff.check_grads(f, np.array([0.3, -2.0]))
