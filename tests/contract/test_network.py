"""Networks, and Rosenblatt's neuron: both backends, from weights to gradient."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from .backends import (
    BACKENDS,
    DEVICES,
    DTYPES,
    FUNCTIONS,
    agree,
    both,
    ndarray,
    read_only,
    reference,
    tensor,
)
from .strategies import OPTIONS, REAL, contract, few, numbers, options, slots

LOSSES = [
    path
    for path in FUNCTIONS
    if path.startswith("losses.") and f"{path}_grad" in FUNCTIONS
]
SCHEMES = ["he", "xavier", "normal", "zeros", "orthogonal"]


@st.composite
def networks(draw):
    """Draw what describes a network."""
    hidden = draw(st.lists(st.integers(1, 4), max_size=3))
    sizes = [draw(st.integers(1, 4)), *hidden, draw(st.integers(1, 4))]
    chosen = {"activation": draw(OPTIONS["activation"]), "skip": draw(st.booleans())}
    return [backend.network(sizes, **chosen) for backend in BACKENDS]


@st.composite
def examples(draw, net, path, leading):
    """Draw rows, what a loss asks of them, and the loss of both backends."""
    n = draw(st.integers(1, 4))
    x = draw(arrays("float64", (*leading, n, net.sizes[0]), elements=REAL["x"]))
    f, g = both(path)
    (name, slot), *_ = list(slots(f).items())[1:]
    rows = (n,) if slot.kind == "int" else (n, net.sizes[-1])
    dtype, elements = draw(numbers(f, name, slot, {"c": net.sizes[-1]}))
    y = draw(arrays(dtype, leading + rows, elements=elements))
    chosen = draw(options(f))
    del chosen["reduction"]  # loss_and_grad chooses it
    if draw(st.booleans()):
        return x, y, f, g  # a plan has a way of its own for some, as they are
    return x, y, partial(f, **chosen), partial(g, **chosen)


def to(dtype, x):
    return x.astype(dtype) if x.dtype == "float64" else x


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("path", LOSSES)
@contract
@given(data=st.data())
def test_both_backends_give_the_same_loss_and_gradient(path, dtype, device, data):
    net, other = data.draw(networks())
    many = data.draw(st.sampled_from([(), (2,)]))  # networks
    leading = data.draw(st.sampled_from([(), many]))  # of rows: shared, or their own
    x, y, f, g = data.draw(examples(net, path, leading))
    w = net.init(range(2) if many else 0, scheme="xavier") + 1 / 8
    ours = [read_only(to(dtype, a)) for a in (w, x, y)]
    theirs = [tensor(a.copy(), device) for a in ours]
    outputs = net.forward(*ours[:2])
    agree(outputs, other.forward(*theirs[:2]), dtype, size=largest(outputs))
    loss, grad = net.loss_and_grad(*ours, f)
    loss2, grad2 = other.loss_and_grad(*theirs, g)
    agree(loss, loss2, dtype, size=largest(loss))
    agree(grad, grad2, dtype, size=largest(grad))
    assert loss.shape == many
    assert grad.shape == w.shape
    assert grad2.device.type == device


def largest(x):
    """What agreement is relative to: a sum of products may come out near 0."""
    return max(1.0, float(abs(x).max()))


@pytest.mark.parametrize("path", LOSSES)
@few
@given(data=st.data())
def test_autograd_finds_what_backpropagation_finds(path, data):
    _, net = data.draw(networks())
    x, y, _, loss = data.draw(examples(net, path, ()))
    w = (net.init(rng=0, scheme="xavier") + 1 / 8).requires_grad_()
    x, y = tensor(x), tensor(y)
    value, grad = net.loss_and_grad(w, x, y, loss)
    traced = loss(net.forward(w, x), y, reduction="mean")
    traced.backward()
    agree(ndarray(value), traced.detach(), "float64")
    agree(ndarray(grad), w.grad, "float64", size=largest(grad))


def test_a_row_that_holds_nan_gives_nan_and_no_other_row_does():
    x = np.array([[1.0, np.nan], [1.0, 2.0]])
    for backend, to in zip(BACKENDS, (np.asarray, tensor), strict=True):
        net = backend.network([2, 3, 1], activation="tanh")
        out = ndarray(net.forward(net.init(scheme="xavier"), to(x)))
        np.testing.assert_array_equal(np.isnan(out), [[True], [False]])


@pytest.mark.parametrize("path", LOSSES)
@few
@given(data=st.data())
def test_many_networks_give_what_each_gives_alone(path, data):
    nets = data.draw(networks())
    x, y, *losses = data.draw(examples(nets[0], path, (3,)))
    w = nets[0].init(rng=range(3), scheme="xavier") + 1 / 8
    for to, net, loss in zip((np.asarray, tensor), nets, losses, strict=True):
        values, grads = net.loss_and_grad(to(w), to(x), to(y), loss)
        for i in range(3):
            value, grad = net.loss_and_grad(to(w[i]), to(x[i]), to(y[i]), loss)
            agree(ndarray(value), ndarray(values[i]), "float64", size=largest(value))
            agree(ndarray(grad), ndarray(grads[i]), "float64", size=largest(grad))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scheme", SCHEMES)
@few
@given(data=st.data())
def test_both_backends_start_from_the_same_bits(scheme, dtype, data):
    net, other = data.draw(networks())
    for rng in (7, range(2)):
        w = net.init(rng, scheme=scheme, dtype=dtype)
        v = other.init(rng, scheme=scheme, dtype=dtype)
        assert w.dtype == ndarray(v).dtype == dtype
        np.testing.assert_array_equal(ndarray(v), w)


@few
@given(data=st.data())
def test_layers_are_views_of_the_weights(data):
    for net in data.draw(networks()):
        w = net.init(range(2))
        layers = net.layers(w)
        assert (
            sum(ndarray(a).size for layer in layers for a in layer) == ndarray(w).size
        )
        assert all(
            np.shares_memory(ndarray(w), ndarray(a)) for layer in layers for a in layer
        )


def test_rosenblatt_keeps_novikoffs_bound_in_both_backends():
    x, labels = reference.data.separable(60, rng=0)
    fits = []
    for backend in BACKENDS:
        rows, targets = backend.array(x), backend.array(2 * labels - 1)
        fits.append(backend.perceptron.fit(rows, targets))
        w, mistakes, converged = fits[-1]
        assert converged
        assert (backend.perceptron.neuron(w, rows) * targets > 0).all()
        assert sum(mistakes) <= backend.perceptron.mistake_bound(w, rows, targets)
    agree(*fits, "float64")


@pytest.mark.parametrize("kind", [np.array, np.uint8, tensor, tuple])
def test_an_array_of_seeds_is_a_sequence_of_seeds(kind):
    seeds = [3, 0, 5]
    for backend in BACKENDS:
        net = backend.network([2, 3, 1])
        w = backend.asnumpy(net.init(kind(seeds)))
        assert (w == backend.asnumpy(net.init(seeds))).all()
        one = backend.asnumpy(net.init(np.int64(3)))
        assert (one == w[0]).all()
        with pytest.raises(TypeError, match="init: `rng` must be a seed"):
            net.init(np.array([0.5, 1.0]))
