"""Optimizers: both backends walk the same way, each with its own use of memory."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import chalkgrad.numpy as reference

from .backends import (
    BACKENDS,
    DEVICES,
    DTYPES,
    OPTIMIZERS,
    agree,
    both,
    ndarray,
    read_only,
    tensor,
)
from .strategies import OPTIONS, REAL, contract, few, options

STEPS = 6


def walk(data, *shape, dtype="float64"):
    """Draw where to start, and the gradient of every step."""
    w = data.draw(arrays("float64", shape, elements=REAL["w"]))
    grads = data.draw(arrays("float64", (STEPS, *shape), elements=REAL["grad"]))
    return w.astype(dtype), grads.astype(dtype)


def largest(w, grads):
    """What agreement is relative to: a weight or a mean of gradients may pass by 0."""
    return float(max(abs(w).max(), abs(grads).max()))


def stepped(opt, w, grads):
    state = opt.init(w)
    for grad in grads:
        w, state = opt.step(w, grad, state)
    return w, state


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("path", OPTIMIZERS)
@contract
@given(data=st.data())
def test_both_backends_take_the_same_steps_in_the_same_dtype(path, dtype, device, data):
    chosen = data.draw(options(both(path)[0]))
    ours, theirs = (make(**chosen) for make in both(path))
    w, grads = walk(data, 2, 3, dtype=dtype)
    v, size = tensor(w, device), largest(w, grads)
    state, other = ours.init(w), theirs.init(v)
    for t, grad in enumerate(grads):
        agree(state, other, dtype, size=size)
        assert state.t == t
        w, state = ours.step(w, grad, state)
        v, other = theirs.step(v, tensor(grad, device), other)
        agree(w, v, dtype, size=size)
    agree(state, other, dtype, size=size)
    assert v.device.type == device


@pytest.mark.parametrize("path", OPTIMIZERS)
@few
@given(data=st.data())
def test_the_reference_writes_into_nothing_and_hands_out_new_arrays(path, data):
    make, _ = both(path)
    opt = make(**data.draw(options(make)))
    w, grads = map(read_only, walk(data, 3))
    state = read_only(opt.init(w))
    for grad in grads:
        given = [x for x in (w, grad, *state) if isinstance(x, np.ndarray)]
        w, state = opt.step(w, grad, state)  # a write would raise
        made = [x for x in (w, *state) if isinstance(x, np.ndarray)]
        for i, new in enumerate(made):
            assert not any(np.shares_memory(new, x) for x in given + made[:i])
        w, state = read_only(w), read_only(state)


@pytest.mark.parametrize("path", OPTIMIZERS)
@few
@given(data=st.data())
def test_the_twin_steps_in_place(path, data):
    _, make = both(path)
    opt = make(**data.draw(options(both(path)[0])))
    w, grads = map(tensor, walk(data, 3))
    state = opt.init(w)
    kept = [x for x in (w, *state) if isinstance(x, torch.Tensor)]
    places = [x.data_ptr() for x in kept]
    assert len(set(places)) == len(places)
    for grad in grads:
        before = grad.clone()
        out, state = opt.step(w, grad, state)
        assert out is w
        assert [
            x.data_ptr() for x in (w, *state) if isinstance(x, torch.Tensor)
        ] == places
        assert torch.equal(grad, before)


@pytest.mark.parametrize("path", OPTIMIZERS)
@few
@given(data=st.data())
def test_a_rate_for_each_row_walks_as_the_rows_alone(path, data):
    chosen = data.draw(options(both(path)[0]))
    rates = np.array([[data.draw(OPTIONS["lr"])] for _ in range(3)])
    w, grads = walk(data, 3, 2)
    for to, make in zip((np.asarray, tensor), both(path), strict=True):
        together = make(**chosen | {"lr": to(rates)})
        rows, state = stepped(together, to(w.copy()), to(grads))
        for i, rate in enumerate(rates[:, 0]):
            alone = make(**chosen | {"lr": rate})
            row, its = stepped(alone, to(w[i].copy()), to(grads[:, i]))
            for a, b in zip((row, *its), (rows, *state), strict=True):
                if not isinstance(a, int | float):
                    agree(ndarray(a), ndarray(b[i]), "float64", size=largest(w, grads))


@pytest.mark.parametrize("path", OPTIMIZERS)
@few
@given(data=st.data())
def test_a_schedule_gives_the_rate_of_each_step(path, data):
    chosen = data.draw(options(both(path)[0]))
    w, grads = walk(data, 3)
    for to, make in zip((np.asarray, tensor), both(path), strict=True):
        lr = chosen["lr"]
        scheduled = make(**chosen | {"lr": lambda t: lr / (t + 1)})  # noqa: B023
        ours, _ = stepped(scheduled, to(w.copy()), to(grads))
        v = to(w.copy())
        state = make(**chosen).init(v)
        for t, grad in enumerate(to(grads)):
            v, state = make(**chosen | {"lr": lr / (t + 1)}).step(v, grad, state)
        np.testing.assert_array_equal(ndarray(ours), ndarray(v))


WRAPPERS = {
    "clip by norm": lambda cg, opt: cg.optimizers.clip(opt, norm=2.0),
    "clip by value": lambda cg, opt: cg.optimizers.clip(opt, value=0.5),
    "ema": lambda cg, opt: cg.optimizers.ema(opt, decay=0.7),
    "maximize": lambda cg, opt: cg.optimizers.maximize(opt),
    "decay_weights": lambda cg, opt: cg.optimizers.decay_weights(opt, weight_decay=0.3),
    "both": lambda cg, opt: cg.optimizers.clip(cg.optimizers.ema(opt), norm=1.0),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@contract
@given(data=st.data())
def test_what_wraps_an_optimizer_is_alike_in_both_backends(wrap, data):
    w, grads = walk(data, 2, 3)
    ends = []
    for backend, to in zip(BACKENDS, (np.asarray, tensor), strict=True):
        opt = wrap(backend, backend.optimizers.adam(0.1))
        v, state = stepped(opt, to(w.copy()), to(grads))
        assert state.t == STEPS
        ends.append((v, opt.weights(v, state)))
    agree(*ends, "float64", size=largest(w, grads))


def test_a_clipped_gradient_keeps_its_direction_and_a_short_one_is_left_alone():
    grads = np.array([[30.0, 40.0], [0.3, 0.4]])
    opt = reference.optimizers.clip(reference.optimizers.sgd(1.0), norm=5.0)
    w, _ = opt.step(np.zeros((2, 2)), grads, opt.init(np.zeros((2, 2))))
    np.testing.assert_allclose(-w, [[3.0, 4.0], [0.3, 0.4]], rtol=1e-15)
    by_peer = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    by_peer.grad = tensor(grads[0])
    torch.nn.utils.clip_grad_norm_([by_peer], 5.0)
    np.testing.assert_allclose(-w[0], by_peer.grad, rtol=1e-6)  # it adds 1e-6


@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
@pytest.mark.parametrize(
    ("dtype", "large"), [("float32", 1e20), ("float32", 3e38), ("float64", 1e200)]
)
def test_a_gradient_whose_square_is_infinite_keeps_its_direction(backend, dtype, large):
    opt = backend.optimizers.clip(backend.optimizers.sgd(1.0), norm=5.0)
    w = backend.array([[0.0, 0.0], [0.0, 0.0]], dtype=dtype)
    grad = backend.array([[large, -large], [0.0, 0.1]], dtype=dtype)
    w, _ = opt.step(w, grad, opt.init(w))
    wanted = [[-(12.5**0.5), 12.5**0.5], [0.0, -0.1]]
    np.testing.assert_allclose(ndarray(w), wanted, rtol=1e-6)


def test_the_average_is_the_mean_of_all_places_until_it_forgets():
    rng = np.random.default_rng(0)
    opt = reference.optimizers.ema(reference.optimizers.sgd(0.1), decay=0.99)
    w = rng.normal(size=3)
    state, places = opt.init(w), [w]
    for _ in range(50):
        w, state = opt.step(w, rng.normal(size=3), state)
        places.append(w)
    np.testing.assert_allclose(opt.weights(w, state), np.mean(places, 0), rtol=1e-13)


PEERS = {
    "sgd": (
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        torch.optim.SGD,
    ),
    "adadelta": ({"lr": 1.0}, torch.optim.Adadelta),
    "adagrad": ({"lr": 0.1}, torch.optim.Adagrad),
    "rmsprop": ({"lr": 0.01}, torch.optim.RMSprop),
    "adam": ({"lr": 0.01}, torch.optim.Adam),
    "adamw": ({"lr": 0.01, "weight_decay": 0.1}, torch.optim.AdamW),
    "nadam": ({"lr": 0.01}, torch.optim.NAdam),
    "radam": ({"lr": 0.01}, torch.optim.RAdam),
    "adamax": ({"lr": 0.01}, torch.optim.Adamax),
    "rprop": ({"lr": 0.01}, torch.optim.Rprop),
    "asgd": ({"lr": 0.1}, torch.optim.ASGD),
}


PEERS["adam with amsgrad"] = ({"lr": 0.01, "amsgrad": True}, torch.optim.Adam)


@pytest.fixture
def in_double():
    """NAdam and ASGD keep numbers in the default dtype, whatever the weights have."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-14), ("float32", 2e-6)])
@pytest.mark.parametrize("name", PEERS)
def test_200_steps_are_those_of_torch_optim(name, dtype, rtol):
    chosen, peer = PEERS[name]
    rng = np.random.default_rng(1)
    w, grads = (
        rng.normal(size=30).astype(dtype),
        rng.normal(size=(200, 30)).astype(dtype),
    )
    p = torch.nn.Parameter(tensor(w))
    theirs = peer([p], **chosen)
    for grad in grads:
        p.grad = tensor(grad)
        theirs.step()
    paths = both(f"optimizers.{name.split()[0]}")
    for to, make in zip((np.asarray, tensor), paths, strict=True):
        v, _ = stepped(make(**chosen), to(w.copy()), to(grads))
        np.testing.assert_allclose(ndarray(v), ndarray(p), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("path", OPTIMIZERS)
def test_a_step_compiles_in_one_piece_and_stays_the_same(path):
    _, make = both(path)
    opt = make(lr=0.01)
    torch.compiler.reset()
    compiled = torch.compile(opt.step, fullgraph=True, backend="eager")
    rng = np.random.default_rng(0)
    w, *grads = (torch.tensor(rng.normal(size=5)) for _ in range(4))
    v = w.clone()
    state, other = opt.init(w), opt.init(v)
    for grad in grads:
        w, state = compiled(w, grad, state)
        v, other = opt.step(v, grad, other)
    torch.testing.assert_close(w, v, rtol=1e-14, atol=0)
