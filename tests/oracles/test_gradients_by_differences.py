"""Gradients that are written down against differences, and against a complex step."""

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkgrad._core.names import ELEMENTWISE

from .test_losses_vs_peers import PEERS

H = 1e-6


def central(f, x):
    """Return the slope of f along each number of x, by central differences."""
    slopes = np.empty_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += H
        down[i] -= H
        slopes[i] = (f(up) - f(down)) / (2 * H)
    return slopes


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_activation_has_the_slope_that_it_says(name):
    z = np.array([-30.0, -3.0, -0.7, -0.01, 0.02, 0.5, 2.0, 30.0])
    f = getattr(cg.activations, name)
    slopes = (f(z + H) - f(z - H)) / (2 * H)
    written = getattr(cg.activations, f"{name}_grad")(z)
    np.testing.assert_allclose(written, slopes, rtol=1e-8, atol=1e-9)


def test_softmax_has_the_jacobian_that_it_says():
    z = np.random.default_rng(0).normal(size=(3, 4))
    written = cg.activations.softmax_grad(z)
    for row, jacobian in zip(z, written, strict=True):
        for k in range(4):
            slopes = central(lambda r, k=k: cg.activations.softmax(r)[k], row)
            np.testing.assert_allclose(jacobian[k], slopes, atol=1e-9)


# The textbook's formulas, which a complex step can differentiate to the last place:
# Im f(x + ih) / h has no difference in it that could cancel.
TEXTBOOK = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: 1 - 2 / (np.exp(2 * z) + 1),
    "softplus": lambda z: np.log(1 + np.exp(z)),
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_a_complex_step_finds_the_slope_of_an_activation(name):
    z = np.linspace(-5, 5, 41)
    slopes = TEXTBOOK[name](z + 1e-200j).imag / 1e-200
    written = getattr(cg.activations, f"{name}_grad")(z)
    np.testing.assert_allclose(written, slopes, rtol=1e-13)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_complex_step_finds_the_gradient_of_cross_entropy(smoothing):
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(4, 5)), rng.integers(0, 5, 4)
    q = np.full((4, 5), smoothing / 5)
    q[np.arange(4), labels] += 1 - smoothing
    written = cg.losses.cross_entropy_grad(z, labels, label_smoothing=smoothing)
    for i in np.ndindex(z.shape):
        step = z.astype(complex)
        step[i] += 1e-200j
        loss = (q * (np.log(np.exp(step).sum(1))[:, None] - step)).sum(1).mean()
        assert written[i] == pytest.approx(loss.imag / 1e-200, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", PEERS)
def test_a_loss_has_the_gradient_that_it_says(name, reduction):
    first, second, _, options = PEERS[name]
    first, second = first[:6], second[:6]  # a difference of long sums has few digits
    options = {"reduction": reduction, **options}
    f, slope = getattr(cg.losses, name), getattr(cg.losses, f"{name}_grad")
    slopes = central(lambda z: f(z, second, **options), first)
    written = slope(first, second, **options)
    np.testing.assert_allclose(written, slopes, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("activation", [a for a in ELEMENTWISE if a != "identity"])
def test_backpropagation_finds_the_slope_along_every_weight(activation, skip):
    net = cg.network([3, 4, 4, 2], activation=activation, skip=skip)
    w = net.init(rng=1, scheme="xavier")
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(5, 3)), rng.integers(0, 2, 5)
    _, grad = net.loss_and_grad(w, x, labels, cg.losses.cross_entropy)
    slopes = central(
        lambda v: net.loss_and_grad(v, x, labels, cg.losses.cross_entropy)[0], w
    )
    np.testing.assert_allclose(grad, slopes, rtol=1e-6, atol=1e-8)
