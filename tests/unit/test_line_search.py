"""Line searches: the conditions hold where a search ends, and Newton's idea works."""

import importlib

import numpy as np
import pytest

import chalkgrad.numpy
from chalkgrad.line_search._shared import towards_newton

PROBLEMS = ["quadratic", "rosenbrock", "beale", "himmelblau", "styblinski_tang"]


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


def problem(cg, name):
    make = getattr(cg.experiments, name)
    return make(100.0, 5) if name == "quadratic" else make()


def function(p):
    return lambda w: (p.loss(w), p.grad(w))


def counted(f):
    def ask(*args):
        ask.calls += 1
        return f(*args)

    ask.calls = 0
    return ask


def bowl_product(p):
    """Products with the Hessian, by differences, which are exact on a bowl."""
    return lambda w, v: p.grad(w + v) - p.grad(w)


def rule(cg, name, p):
    f = function(p)
    if name == "newton":
        # No network is traced here: central differences of a slope will do.
        return cg.line_search.newton(
            f, lambda w, v: (p.grad(w + 1e-5 * v) - p.grad(w - 1e-5 * v)) / 2e-5
        )
    return getattr(cg.line_search, name)(f)


RULES = ["armijo", "lbfgs", "newton", "wolfe"]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("where", PROBLEMS)
def test_the_loss_never_rises(cg, name, where):
    p = problem(cg, where)
    opt, w = rule(cg, name, p), cg.array(p.start) + 0.1
    state, before = opt.init(w), float("inf")
    for _ in range(30):
        assert float(p.loss(w)) <= before
        before = float(p.loss(w))
        w, state = opt.step(w, p.grad(w), state)
    assert before < float(p.loss(cg.array(p.start) + 0.1))


@pytest.mark.parametrize(("name", "steps"), [("lbfgs", 60), ("newton", 40)])
@pytest.mark.parametrize("where", ["quadratic", "rosenbrock", "beale"])
def test_curvature_finds_the_minimum_to_many_digits(cg, name, steps, where):
    p = problem(cg, where)
    opt, w = rule(cg, name, p), cg.array(p.start)
    state = opt.init(w)
    for _ in range(steps):
        w, state = opt.step(w, p.grad(w), state)
    assert float(abs(w - cg.array(p.minima[0])).max()) < 1e-8


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("where", PROBLEMS)
def test_both_backends_walk_alike(name, where):
    pytest.importorskip("torch")
    ends = []
    for backend in ("numpy", "torch"):
        cg = importlib.import_module(f"chalkgrad.{backend}")
        p = problem(cg, where)
        opt, w = rule(cg, name, p), cg.array(p.start) + 0.1
        state = opt.init(w)
        for _ in range(8):
            w, state = opt.step(w, p.grad(w), state)
        ends.append((cg.asnumpy(w), state.nfev))
    np.testing.assert_allclose(ends[0][0], ends[1][0], rtol=1e-8, atol=1e-8)
    assert ends[0][1] == ends[1][1]


@pytest.mark.parametrize("seed", range(20))
def test_strong_conditions_hold_where_wolfe_ends(cg, seed):
    p = problem(cg, PROBLEMS[seed % len(PROBLEMS)])
    n, c1, c2 = p.start.shape[-1], 1e-4, 0.1
    w = cg.array(np.random.default_rng(seed).uniform(*p.bounds, n))
    opt = cg.line_search.wolfe(function(p), lr=10.0 ** (seed % 5 - 3), c1=c1, c2=c2)
    g = p.grad(w)
    there, state = opt.step(w, g, opt.init(w))
    square = float((g * g).sum())
    assert float(p.loss(there)) <= float(p.loss(w)) - c1 * state.eta * square
    assert abs(float((p.grad(there) * g).sum())) <= c2 * square


def test_two_loops_are_the_dense_formula():
    """The recursion, against BFGS with a matrix, which is where it comes from."""
    cg = chalkgrad.numpy
    p = cg.experiments.rosenbrock(5)
    opt, w = cg.line_search.lbfgs(function(p), history=50), cg.array(p.start)
    state = opt.init(w)
    for _ in range(12):
        w, state = opt.step(w, p.grad(w), state)
    (s, y), n = state.changes[-1], len(w)
    inverse = np.eye(n) * (s @ y) / (y @ y)
    for s, y in state.changes:
        turn = np.eye(n) - np.outer(s, y) / (s @ y)
        inverse = turn @ inverse @ turn.T + np.outer(s, s) / (s @ y)
    g = p.grad(w)
    np.testing.assert_allclose(
        towards_newton(-g, state.changes), -inverse @ g, rtol=1e-9
    )


def test_newton_steps_into_the_bottom_of_a_bowl(cg):
    p = cg.experiments.quadratic(1e4, 3)
    opt = cg.line_search.newton(function(p), bowl_product(p))
    w = cg.array(p.start)
    state = opt.init(w)
    for _ in range(6):
        w, state = opt.step(w, p.grad(w), state)
    assert float(abs(w).max()) < 1e-12
    assert state.products < 6 * 2 * 3


def test_newton_does_not_walk_into_a_saddle(cg):
    p = cg.experiments.saddle()
    opt, w = rule(cg, "newton", p), cg.array(p.start)
    state = opt.init(w)
    for _ in range(20):
        w, state = opt.step(w, p.grad(w), state)
    assert float(p.loss(w)) == pytest.approx(-0.25)


def test_polyak_comes_closer_to_the_minimum_at_every_step(cg):
    p = cg.experiments.quadratic(100.0, 4)
    opt, w = cg.line_search.polyak(function(p)), cg.array(p.start)
    state, far = opt.init(w), float("inf")
    for _ in range(50):
        assert float((w * w).sum()) < far
        far = float((w * w).sum())
        w, state = opt.step(w, p.grad(w), state)
    assert state.nfev == 50


@pytest.mark.parametrize("name", ["armijo", "polyak"])
def test_many_networks_search_each_for_itself(cg, name):
    p = cg.experiments.styblinski_tang()
    starts = cg.array(np.random.default_rng(0).uniform(-4, 4, (5, 2)))
    known = {"f_min": float(p.loss(cg.array(p.minima))[0])} if name == "polyak" else {}
    opt = getattr(cg.line_search, name)(function(p), **known)
    w, state = starts, opt.init(starts)
    for _ in range(10):
        w, state = opt.step(w, p.grad(w), state)
    for i in range(5):
        v = starts[i]
        alone = opt.init(v)
        for _ in range(10):
            v, alone = opt.step(v, p.grad(v), alone)
        np.testing.assert_allclose(cg.asnumpy(w[i]), cg.asnumpy(v), rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_nfev_counts_the_calls(cg, name):
    p = cg.experiments.rosenbrock()
    f = counted(function(p))
    more = (bowl_product(p),) if name == "newton" else ()
    opt, w = getattr(cg.line_search, name)(f, *more), cg.array(p.start)
    state = opt.init(w)
    for _ in range(5):
        w, state = opt.step(w, p.grad(w), state)
    assert state.nfev == f.calls


@pytest.mark.parametrize("name", RULES)
def test_at_a_minimum_it_stays(cg, name):
    p = problem(cg, "rosenbrock")
    opt, w = rule(cg, name, p), cg.array(p.minima[0])
    there, _ = opt.step(w, p.grad(w), opt.init(w))
    assert cg.asnumpy(there).tolist() == [1.0, 1.0]


def test_searching_a_network_by_its_own_gradient(cg):
    """The yardstick: a few steps fit what gradient descent takes thousands for."""
    x, y = cg.data.line(30)
    net = cg.network([1, 8, 1], activation="tanh")
    f = counted(lambda w: net.loss_and_grad(w, x, y, cg.losses.mse))
    opt, w = cg.line_search.lbfgs(f), net.init(rng=0, scheme="xavier")
    state = opt.init(w)
    for _ in range(100):
        w, state = opt.step(w, f(w)[1], state)
    assert float(f(w)[0]) < 0.009


BAD = {
    "no function": (
        lambda cg: cg.line_search.armijo(3),
        TypeError,
        "armijo: `f` must be a function, got int; ",
    ),
    "a loss alone": (
        lambda cg: _first(cg, cg.line_search.armijo(lambda w: w.sum())),
        TypeError,
        "armijo.step: `f` must return the loss and its gradient, got ",
    ),
    "no reduction": (
        lambda cg: _first(cg, cg.line_search.wolfe(lambda w: (w, w))),
        chalkgrad.numpy.ShapeError,
        "wolfe.step: `f` must return one loss for each network, shape () for `w` of ",
    ),
    "many networks": (
        lambda cg: cg.line_search.lbfgs(len).init(cg.array([[1.0], [2.0]])),
        chalkgrad.numpy.ShapeError,
        "lbfgs.init: `w` must be the weights of one network, got (2, 1); ",
    ),
    "a list": (
        lambda cg: cg.line_search.newton(len, len).init([1.0]),
        TypeError,
        "newton.init: `w` must be an array, got list; ",
    ),
    "c2 below c1": (
        lambda cg: cg.line_search.lbfgs(len, c1=0.5, c2=0.1),
        ValueError,
        "lbfgs: `c2` must be a finite number above 0.5 below 1, got 0.1.",
    ),
    "a gradient that is not finite": (
        lambda cg: cg.line_search.polyak(lambda w: (w.sum(), w)).step(
            cg.array([1.0, 2.0]), cg.array([1.0, float("nan")]), None
        ),
        ValueError,
        "polyak.step: `grad` has nan at index (1,); every number must be finite.",
    ),
    "a gradient of another shape": (
        lambda cg: cg.line_search.polyak(len).step(
            cg.array([1.0, 2.0]), cg.array([[1.0, 2.0]]), None
        ),
        chalkgrad.numpy.ShapeError,
        "polyak.step: `w` and `grad` have different numbers of axes",
    ),
}


def _first(cg, opt):
    w = cg.array([1.0, 2.0])
    return opt.step(w, w, opt.init(w))


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_in_the_same_words_in_both_backends(cg, case):
    do, error, words = BAD[case]
    with pytest.raises(error) as told:
        do(cg)
    assert str(told.value).startswith(words)
