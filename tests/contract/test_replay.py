"""A rule in a plan does what its formula does: the same bits, and nothing allocated."""

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chalkgrad.numpy as cg
from chalkgrad.optimizers._replay import InPlace

from .backends import DTYPES, OPTIMIZERS, both
from .strategies import few, options

STEPS = 50
ELEMENTWISE = [
    path.partition(".")[2] for path in OPTIMIZERS if not both(path)[0].parts.per_network
]


def bits(w, state):
    return [np.asarray(x).tobytes() for x in (w, *state)]


def in_place(name, chosen):
    """The replay of a rule, also where a plan has a form that is written by hand."""
    make = getattr(cg.optimizers, name)
    opt = make(**chosen)
    lr = chosen["lr"]
    run = InPlace(make.formula, {k: v for k, v in chosen.items() if k != "lr"})

    def step(w, grad, state):
        eta = lr(state.t) if callable(lr) else lr
        eta = eta.astype(w.dtype) if isinstance(eta, np.ndarray) else float(eta)
        return run(w, grad, state.t + 1, state, eta)

    return opt, step


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
@few
@given(data=st.data())
def test_50_steps_in_place_have_the_bits_of_the_formula(name, dtype, data):
    chosen = data.draw(options(getattr(cg.optimizers, name)))
    lr = chosen["lr"]
    rate = data.draw(st.sampled_from(["number", "schedule", "array"]))
    chosen["lr"] = {
        "number": lr,
        "schedule": lambda t: lr / (1 + t),
        "array": np.array([[lr], [lr / 2]]),
    }[rate]
    if name == "asgd":
        chosen["delay"] = data.draw(st.sampled_from([0.0, 3.0, 1e6]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    w = rng.normal(size=(2, 5)).astype(dtype)
    grads = rng.normal(size=(STEPS, 2, 5)).astype(dtype)
    grads[:, :, 0] = 0
    opt, step = in_place(name, chosen)
    v = w.copy()
    state, other = opt.init(w), opt.init(v)
    arrays = [id(v), *(id(x) for x in other if isinstance(x, np.ndarray))]
    for t, grad in enumerate(grads):
        w, state = opt.step(w, grad, state)
        if t == STEPS // 2:  # in other memory it goes on
            v, other = v.copy(), type(other)(*(x + 0 for x in other))
            arrays = [id(v), *(id(x) for x in other if isinstance(x, np.ndarray))]
        v, other = step(v, grad.copy(), other)
        assert bits(v, other) == bits(w, state)
    assert arrays == [id(v), *(id(x) for x in other if isinstance(x, np.ndarray))]


@pytest.mark.parametrize("name", sorted(set(ELEMENTWISE) - {"adam", "adamw"}))
def test_a_plan_of_an_elementwise_rule_replays_its_formula(name):
    opt = getattr(cg.optimizers, name)(lr=0.1)
    w = np.array([1.0, -2.0, 3.0])
    v, state = w.copy(), opt.init(w)
    step, other = opt.in_place.step, opt.init(v)
    home = v
    for grad in np.random.default_rng(0).normal(size=(8, 3)):
        w, state = opt.step(w, grad, state)
        v, other = step(v, grad.copy(), other)
    assert v is home
    assert bits(v, other) == bits(w, state)


def test_two_plans_of_one_rule_do_not_disturb_each_other():
    opt = cg.optimizers.rmsprop(lr=0.1)
    steps = [opt.in_place.step, opt.in_place.step]
    places = [np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])]
    alone = [w.copy() for w in places]
    states = [opt.init(w) for w in places]
    others = [opt.init(w) for w in alone]
    for t in range(5):
        for i, step in enumerate(steps):
            grad = places[i] * (t + 1)
            places[i], states[i] = step(places[i], grad.copy(), states[i])
            alone[i], others[i] = opt.step(alone[i], grad, others[i])
            assert bits(places[i], states[i]) == bits(alone[i], others[i])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_step_in_place_allocates_nothing_that_grows_with_the_weights(name):
    n = 100_000
    opt = getattr(cg.optimizers, name)(lr=0.1)
    w, source = np.ones((2, n), "float32")
    grad, state, step = source.copy(), opt.init(w), opt.in_place.step

    def walk():
        nonlocal w, state
        for _ in range(8):
            np.copyto(grad, source)
            w, state = step(w, grad, state)

    walk()
    gc.collect()
    tracemalloc.start()
    walk()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < n
