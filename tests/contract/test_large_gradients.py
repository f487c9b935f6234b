"""A gradient whose square leaves the dtype is refused; a tiny one meets epsilon."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad._core.errors import DivergedError, LargeGradientError
from chalkgrad.interop import TorchOptimizer

from .backends import BACKENDS, DTYPES, OPTIMIZERS, both, ndarray
from .strategies import contract, few, options

SQUARES = [path.partition(".")[2] for path in OPTIMIZERS if both(path)[0].parts.squares]
OTHERS = [
    path.partition(".")[2] for path in OPTIMIZERS if not both(path)[0].parts.squares
]


def large(dtype):
    """Draw from what has an infinite square to the largest number."""
    top = np.finfo(dtype).max
    low, high = float(np.sqrt(top)), float(top)
    sizes = st.floats(np.log2(low) + 0.1, np.log2(high) - 0.1).map(lambda p: 2.0**p)
    return st.tuples(sizes, st.sampled_from([-1.0, 1.0])).map(np.prod)


def refusal(opt, cg, grad, dtype):
    w = cg.array([1.0, 2.0, 3.0], dtype=dtype)
    state = opt.init(w)
    w, state = opt.step(w, cg.array([0.5, -1.0, 2.0], dtype=dtype), state)
    before = [np.array(ndarray(x)) for x in (w, *state)]
    with pytest.raises(LargeGradientError) as caught:
        opt.step(w, cg.array(grad, dtype=dtype), state)
    for x, y in zip((w, *state), before, strict=True):
        np.testing.assert_array_equal(ndarray(x), y)
    with pytest.raises(LargeGradientError) as in_place:
        opt.admit(cg.array(grad, dtype=dtype), state)
    assert str(in_place.value) == str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SQUARES)
@few
@given(data=st.data())
def test_a_gradient_too_large_to_square_is_refused_in_the_same_words(name, dtype, data):
    chosen = data.draw(options(getattr(BACKENDS[0].optimizers, name)))
    grad = [0.1, data.draw(large(dtype)), 0.2]
    told = {
        refusal(getattr(cg.optimizers, name)(**chosen), cg, grad, dtype)
        for cg in BACKENDS
    }
    (words,) = told
    assert words.startswith(
        f"{name}.step: `grad` has {np.dtype(dtype).type(grad[1]):g}"
    )
    assert "at index (1,)" in words


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SQUARES)
@pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])
def test_the_advice_works(cg, name, dtype):
    make = getattr(cg.optimizers, name)
    top = float(np.finfo(dtype).max)
    w = cg.array([1.0, 2.0], dtype=dtype)
    opt = cg.optimizers.clip(make(lr=0.1), norm=1.0)
    v, _ = opt.step(w + 0, cg.array([top, -top / 2], dtype=dtype), opt.init(w))
    assert (ndarray(v) != ndarray(w)).all()
    assert np.isfinite(ndarray(v)).all()
    if dtype == "float32":
        grad = cg.array(np.array([1e30, -1e25]))
        w = cg.array([1.0, 2.0])
        opt = make(lr=0.1) if name != "hypergradient" else make(lr=1e-31)
        v, _ = opt.step(w + 0, grad, opt.init(w))
        assert (ndarray(v) != ndarray(w)).all()


@pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])
def test_a_sum_of_squares_does_not_grow_beyond_its_dtype(cg):
    opt = cg.optimizers.adagrad(0.1)
    w = cg.array([1.0], dtype="float32")
    state, grad = opt.init(w), cg.array([9e18], dtype="float32")
    for _ in range(3):
        w, state = opt.step(w, grad, state)
    with pytest.raises(LargeGradientError, match=r"adagrad.step: `state.v` has 2.43"):
        opt.step(w, grad, state)
    assert state.t == 3


@pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])
def test_the_squares_that_do_fit_are_taken(cg):
    for dtype, grad in (("float32", 9e18), ("float64", 6e153)):
        w = cg.array([1.0], dtype=dtype)
        opt = cg.optimizers.rmsprop(0.1, centered=True)
        state = opt.init(w)
        for sign in (1, -1):
            w, state = opt.step(w, cg.array([sign * grad], dtype=dtype), state)
        assert np.isfinite(ndarray(state.v)).all()


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])
def test_what_squares_nothing_takes_any_finite_gradient(cg, name):
    opt = getattr(cg.optimizers, name)(lr=1e-3)
    w = cg.array([1.0, 2.0], dtype="float32")
    grad = cg.array([3e38, -1e30], dtype="float32")
    w, _ = opt.step(w, grad, opt.init(w))
    assert np.isfinite(ndarray(w)).all()
    opt.admit(grad, None)


@pytest.mark.parametrize("name", ["barzilai_borwein", "dog"])
@pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])
def test_what_measures_lengths_takes_none_that_is_infinite(cg, name):
    opt = getattr(cg.optimizers, name)(lr=0.1)
    w = cg.array([[1.0, 2.0], [1.0, 2.0]], dtype="float32")
    grad = cg.array([[3e38, 1.0], [1e38, 3e38]], dtype="float32")
    opt.step(w, grad, opt.init(w))
    words = rf"{name}.step: `grad` has .*e\+38 at index \(1, .\); float32 holds len"
    with pytest.raises(LargeGradientError, match=words):
        opt.step(w, grad + cg.array([0.0, 3e37], dtype="float32"), opt.init(w))


@pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])
def test_a_plan_refuses_before_anything_changes(cg):
    net = cg.network([1, 1])
    w = cg.array([1e10, 0.0], dtype="float32")
    x, y = cg.array([[1e10]], dtype="float32"), cg.array([[0.0]], dtype="float32")
    for rule in (
        cg.optimizers.adam(),
        cg.optimizers.ema(cg.optimizers.adagrad()),
        cg.optimizers.rmsprop(),
    ):
        loss = cg.losses.huber
        plan = net.plan(w, loss=loss, optimizer=rule, batch_size=1)
        plan(x, y)
        before, t = ndarray(plan.w).copy(), plan.state.t
        with pytest.raises(LargeGradientError, match=r"\.step: `grad` has 1e\+20"):
            plan(x * 1e10, y)
        np.testing.assert_array_equal(ndarray(plan.w), before)
        assert plan.state.t == t


def test_a_torch_loop_is_refused_before_anything_changes():
    rule = BACKENDS[1].optimizers.adam()
    parts = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimizer = TorchOptimizer([{"params": [p]} for p in parts], rule)
    parts[0].grad, parts[1].grad = torch.ones(2), torch.tensor([1.0, 1e25])
    with pytest.raises(LargeGradientError, match=r"adam.step: `grad` has 1e\+25"):
        optimizer.step()
    assert all((p == 1).all() for p in parts)


def test_the_refusal_says_the_same_after_its_way():
    error = LargeGradientError("adam.step: `grad` has 1e+25.")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, DivergedError)
    assert str(again) == str(error) == "adam.step: `grad` has 1e+25."


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "adagrad"])
@pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])
@contract
@given(power=st.floats(-36, -24))
def test_of_a_gradient_whose_square_is_0_epsilon_decides(cg, name, power):
    grad = np.float32(10.0**power)
    opt = getattr(cg.optimizers, name)(lr=1.0, eps=1e-8)
    w = cg.array([0.0], dtype="float32")
    w, state = opt.step(w, cg.array(np.array([grad])), opt.init(w))
    assert float(state.v[0]) == 0
    np.testing.assert_allclose(
        ndarray(w), -grad / np.float32(1e-8), rtol=2e-3, atol=1e-44
    )
