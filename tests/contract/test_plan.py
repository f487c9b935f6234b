"""Plans: the same numbers as the reference, from buffers that are made once."""

import gc
import tracemalloc
from functools import partial, wraps

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import chalkgrad.numpy as reference
from chalkgrad._core.errors import DivergedError
from chalkgrad._core.types import Optimizer
from chalkgrad.network import _plan_torch

from .backends import (
    BACKENDS,
    DEVICES,
    DTYPES,
    OPTIMIZERS,
    agree,
    ndarray,
    read_only,
    twin,
)
from .strategies import contract
from .test_network import LOSSES, examples, largest, networks, to

STEPS = 50
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}


def plan(net, w, loss, optimizer, *, n, **options):
    return net.plan(w, loss=loss, optimizer=optimizer, batch_size=n, **options)


def digits_like(backend, dtype="float64", *, lead=(), device=None, labels=None):
    """A network, rows and labels, drawn so that no unit sits on a kink."""
    rng = np.random.default_rng(3)
    net = backend.network([5, 8, 8, 3], skip=True)
    w = net.init(range(*lead) if lead else 0, dtype=dtype, device=device)
    x = backend.array(rng.standard_normal((12, 5)), dtype=dtype, device=device)
    y = rng.integers(0, 3, 12) if labels is None else labels(rng)
    return net, w, x, backend.array(y, device=device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("path", LOSSES)
@contract
@given(data=st.data())
def test_the_loss_and_the_gradient_are_those_of_the_reference(
    path, dtype, device, data
):
    nets = data.draw(networks())
    many = data.draw(st.sampled_from([(), (2,), (2, 2)]))
    leading = data.draw(st.sampled_from([(), many]))
    x, y, *losses = data.draw(examples(nets[0], path, leading))
    seeds = np.arange(np.prod(many, dtype=int)).tolist()
    w = nets[0].init(seeds if many else 0, scheme="xavier") + 1 / 8
    w, x, y = (read_only(to(dtype, a)) for a in (w.reshape(*many, -1), x, y))
    wanted, wanted_grad = nets[0].loss_and_grad(w, x, y, losses[0])
    for backend, net, loss in zip(BACKENDS, nets, losses, strict=True):
        where = None if backend is reference else device
        here = [backend.array(a, device=where) for a in (w, x, y)]
        step = plan(net, here[0], loss, backend.optimizers.sgd(0.1), n=x.shape[-2])
        for _ in range(2):  # the second pass finds the buffers full
            value = step.gradient(*here[1:])
            agree(wanted, value, dtype, size=largest(wanted))
            # A slope of tanh, 1 - a a, is as right as 1 is: times x, as right as x.
            size = max(largest(wanted_grad), largest(x))
            agree(wanted_grad, step.grad, dtype, size=size)
        np.testing.assert_array_equal(backend.asnumpy(here[0]), w)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("path", OPTIMIZERS)
@pytest.mark.parametrize("lead", [(), (3,)], ids=["one", "three"])
@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_50_steps_are_those_of_the_reference(backend, lead, path, dtype, device):
    """Whole batches and smaller ones, as an epoch has them."""
    if backend is reference and device != "cpu":
        pytest.skip("NumPy computes on the CPU")
    if path == "optimizers.barzilai_borwein" and dtype == "float32":
        pytest.skip("its rate is a quotient of differences, which keep few digits")
    make = getattr(backend.optimizers, path.partition(".")[2])
    opt = make(lr=0.01)
    place = None if backend is reference else device
    net, w, x, y = digits_like(backend, dtype, lead=lead, device=place)
    loss = backend.losses.cross_entropy
    step = plan(net, w, loss, opt, n=12)
    state = opt.init(w)
    for t in range(STEPS):
        n = 12 if t % 3 else 7
        wanted, grad = net.loss_and_grad(w, x[:n], y[:n], loss)
        w, state = opt.step(w, grad, state)
        np.testing.assert_allclose(
            ndarray(step(x[:n], y[:n])), ndarray(wanted), rtol=TOLERANCE[dtype]
        )
    for u, v in zip((step.w, *step.state), (w, *state), strict=True):
        u, v = (np.asarray(a) if np.isscalar(a) else ndarray(a) for a in (u, v))
        assert abs(u - v).max() <= TOLERANCE[dtype] * abs(v).max()


def test_the_buffers_of_the_few_sizes_that_came_last_are_kept():
    net, w, x, y = digits_like(twin)
    step = plan(net, w, twin.losses.cross_entropy, twin.optimizers.sgd(0.1), n=12)
    for n in range(1, 13):
        step(x[:n], y[:n])
        first = max(1, n + 1 - _plan_torch.LAYOUTS)
        assert [*step._layouts] == [*range(first, n + 1)]


OPTIONS = {
    "sgd": {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    "adam": {"lr": 0.01, "amsgrad": True},
    "adamw": {"lr": lambda t: 0.01 / (1 + t), "weight_decay": 0.3},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_options_and_rates_count_in_a_plan_too(backend, name):
    net, w, x, y = digits_like(backend, lead=(2,))
    rates = backend.array([[0.01], [0.1]])
    for lr in (OPTIONS[name]["lr"], rates):
        opt = getattr(backend.optimizers, name)(**OPTIONS[name] | {"lr": lr})
        v, state = w + 0, opt.init(w)
        step = plan(net, w, backend.losses.cross_entropy, opt, n=12)
        for _ in range(20):
            _, grad = net.loss_and_grad(v, x, y, backend.losses.cross_entropy)
            v, state = opt.step(v, grad, state)
            step(x, y)
        np.testing.assert_allclose(ndarray(step.w), ndarray(v), rtol=1e-10)


@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_a_plan_goes_on_from_a_state(backend):
    net, w, x, y = digits_like(backend)
    loss, opt = backend.losses.cross_entropy, backend.optimizers.adam(0.01)
    step = plan(net, w, loss, opt, n=12)
    for _ in range(5):
        step(x, y)
    state = type(step.state)(*(a + 0 for a in step.state))
    again = plan(net, step.w, loss, opt, n=12, state=state)
    for _ in range(5):
        assert float(step(x, y)) == float(again(x, y))
    assert (ndarray(step.w) == ndarray(again.w)).all()


@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_a_rule_that_someone_wraps_is_the_one_that_steps(backend):
    net, w, x, y = digits_like(backend)
    adam = backend.optimizers.adam()

    @wraps(adam.step)
    def stand_still(w, grad, state):
        return w, state

    for opt in (adam._replace(step=stand_still), Optimizer(adam.init, stand_still)):
        step = plan(net, w, backend.losses.cross_entropy, opt, n=12)
        step(x, y)
        assert (ndarray(step.w) == ndarray(w)).all()


@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_confident_logits_lose_no_digits(backend):
    """At z = 40 the loss is e^-40, which 1 - p rounds away."""
    net = backend.network([1, 2])
    w = backend.array([40.0, 0.0, 0.0, 0.0])
    step = plan(net, w, backend.losses.cross_entropy, backend.optimizers.sgd(0.1), n=1)
    loss = step.gradient(backend.array([[1.0]]), backend.array([0]))
    assert float(loss) == pytest.approx(np.exp(-40), rel=1e-12)
    assert float(step.grad[0]) == pytest.approx(-np.exp(-40), rel=1e-12)
    net = backend.network([1, 1])
    for z, y in ((40.0, 1), (-40.0, 0), (-800.0, 0), (800.0, 0), (3.0, 0.25)):
        loss = backend.losses.binary_cross_entropy
        data = backend.array([[1.0]]), backend.array([[y]])
        step = plan(
            net, backend.array([z, 0.0]), loss, backend.optimizers.sgd(0.1), n=1
        )
        wanted, grad = net.loss_and_grad(step.w, *data, loss)
        assert float(step.gradient(*data)) == pytest.approx(float(wanted), rel=1e-12)
        np.testing.assert_allclose(ndarray(step.grad), ndarray(grad), rtol=1e-12)


@pytest.mark.parametrize("lead", [(), (2,)], ids=["one", "two"])
@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_bad_rows_are_told_in_the_words_of_the_loss_and_change_nothing(backend, lead):
    net, w, x, y = digits_like(backend, lead=lead)
    losses = backend.losses
    one = backend.network([5, 1])
    v = one.init(range(*lead) if lead else 0)
    zeros = backend.array(np.zeros((12, 1)))

    def bad(net, w, loss, *data):
        step = plan(net, w, loss, backend.optimizers.adam(), n=12)
        with pytest.raises((ValueError, TypeError, IndexError)) as told:
            step(*data)
        assert (ndarray(step.w) == ndarray(w)).all()
        assert step.state.t == 0
        return told.value

    wrong = y + 0
    wrong[3] = 3
    assert "class ids go from 0 to 2" in str(
        bad(net, w, losses.cross_entropy, x, wrong)
    )
    wrong[3] = -1
    assert "class ids go from 0 to 2" in str(
        bad(net, w, losses.cross_entropy, x, wrong)
    )
    for labels in (y[:5], y[:, None], backend.array(np.ones(12))):
        assert isinstance(
            bad(net, w, losses.cross_entropy, x, labels), TypeError | ValueError
        )
    assert "from 0 to 1" in str(bad(one, v, losses.binary_cross_entropy, x, zeros + 2))
    told = bad(one, v, losses.mse, x, zeros[:, 0])
    assert "Nothing is broadcast" in str(told)
    told = bad(one, v, losses.mse, backend.array(ndarray(x), dtype="float32"), zeros)
    assert str(told).startswith("plan: `w` is float64 but `x` is float32")
    told = bad(one, v, losses.mse, x[:, :4], zeros)
    assert "the last axis is 5 in the network but 4 in `x`" in str(told)
    short = plan(one, v, losses.mse, backend.optimizers.sgd(0.1), n=4)
    with pytest.raises(ValueError, match=r"^plan: .*at most 4 rows.*, got 12"):
        short(x, zeros)
    told = bad(one, v, losses.binary_cross_entropy, x, zeros[:, 0])
    assert "Nothing is broadcast" in str(told)
    for told in (
        bad(net, w * 1e200, losses.cross_entropy, x * 1e200, y),
        bad(one, v * 1e200, losses.huber, x * 1e200, zeros),
    ):
        assert isinstance(told, DivergedError)
        assert str(told).startswith("plan: ")
    told = bad(one, v, losses.mse, x * np.nan, zeros)
    assert str(told).startswith("plan: `x` has nan at index (0, 0)")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "uint16", "int32", "uint64"])
@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_labels_may_be_integers_of_any_size(backend, dtype):
    rng = np.random.default_rng(0)
    x = backend.array(rng.standard_normal((4, 5)))
    for sizes, loss, y in (
        ([5, 120], backend.losses.cross_entropy, [0, 119, 3, 119]),
        ([5, 300], backend.losses.cross_entropy, [0, 100, 3, 119]),
        ([5, 1], backend.losses.binary_cross_entropy, [[0], [1], [1], [0]]),
    ):
        net = backend.network(sizes)
        w, y = net.init(), np.array(y, dtype)
        y = y if backend is reference else torch.tensor(y)
        step = plan(net, w, loss, backend.optimizers.sgd(0.1), n=4)
        wanted, grad = net.loss_and_grad(w, x, y, loss)
        np.testing.assert_allclose(ndarray(step.gradient(x, y)), ndarray(wanted))
        np.testing.assert_allclose(ndarray(step.grad), ndarray(grad), atol=1e-15)


@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_labels_of_another_kind_are_refused_as_the_reference_does(backend):
    net, loss = backend.network([5, 1]), backend.losses.binary_cross_entropy
    w = net.init(dtype="float32")
    x = backend.array(np.ones((4, 5)), dtype="float32")
    step = plan(net, w, loss, backend.optimizers.sgd(0.1), n=4)
    for y in (
        backend.array(np.full((4, 1), 0.5)),
        backend.array(np.ones((4, 1))),
        x[:, :1] > 0,
    ):
        told = []
        for call in (step, lambda x, y: net.loss_and_grad(w, x, y, loss)):
            with pytest.raises(TypeError) as caught:
                call(x, y)
            told.append(str(caught.value))
        assert told[0] == told[1]


@pytest.mark.parametrize("backend", BACKENDS, ids=["numpy", "torch"])
def test_what_a_plan_refuses(backend):
    net, w, *_ = digits_like(backend)
    loss, opt = backend.losses.mse, backend.optimizers.sgd(0.1)
    with pytest.raises(ValueError, match="`batch_size` must be a whole number, 1 or"):
        plan(net, w, loss, opt, n=0)
    with pytest.raises(ValueError, match="is 147 in the network but 146 in `w`"):
        plan(net, w[1:], loss, opt, n=1)
    with pytest.raises(ValueError, match=r"`w` has nan at index \(0,\)"):
        plan(net, w * float("nan"), loss, opt, n=1)
    with pytest.raises(TypeError, match="plan: `loss` must take outputs and the truth"):
        plan(net, w, partial(max), opt, n=1)
    with pytest.raises(ValueError, match="`precision` must be one of 'full'"):
        plan(net, w, loss, opt, n=1, precision="backend")


def test_in_bf16_the_products_round_and_the_weights_do_not():
    backend = BACKENDS[1]
    net, w, x, y = digits_like(backend, "float32")
    loss, opt = backend.losses.cross_entropy, backend.optimizers.sgd(0.1)
    full, rounded = (
        plan(net, w, loss, opt, n=12, precision=precision)
        for precision in ("full", "bf16")
    )
    values = [[float(step(x, y)) for _ in range(100)] for step in (full, rounded)]
    assert rounded.w.dtype == torch.float32
    assert values[0] != values[1]
    np.testing.assert_allclose(values[1], values[0], rtol=0.1, atol=0.02)


def test_a_numpy_step_needs_less_than_40_kb_and_leaves_no_garbage():
    cg = reference
    net = cg.network([64, 100, 10])
    w, rng = net.init(dtype="float32"), np.random.default_rng(0)
    x = rng.standard_normal((200, 64)).astype("float32")
    y = rng.integers(0, 10, 200)
    step = plan(net, w, cg.losses.cross_entropy, cg.optimizers.adam(), n=200)
    step(x, y)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(3):
        step(x, y)
    most = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    gc.enable()
    assert most < 40_000
    assert gc.collect() == 0
