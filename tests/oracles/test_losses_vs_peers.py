"""Losses and gradients against PyTorch and scikit-learn, where these are sound."""

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch.nn import functional

import chalkgrad.numpy as reference
import chalkgrad.torch as twin

HALVES = [reference, twin]
RNG = np.random.default_rng(0)
PREDICTIONS, TARGETS = RNG.normal(size=(2, 30))
LOGITS, LABELS = 3 * RNG.normal(size=(30, 5)), RNG.integers(0, 5, 30)
SIGNS = RNG.choice([-1.0, 1.0], 30)
SOFT = RNG.uniform(size=30)

PEERS = {
    "mse": (PREDICTIONS, TARGETS, functional.mse_loss, {}),
    "mae": (PREDICTIONS, TARGETS, functional.l1_loss, {}),
    "huber": (PREDICTIONS, TARGETS, functional.huber_loss, {"delta": 0.7}),
    "binary_cross_entropy": (
        np.array([*PREDICTIONS, 0.0, 50.0, -50.0]),
        np.array([*SOFT, 0.2, 0.2, 0.7]),
        functional.binary_cross_entropy_with_logits,
        {},
    ),
    "cross_entropy": (
        LOGITS,
        LABELS,
        functional.cross_entropy,
        {"label_smoothing": 0.1},
    ),
    "hinge": (
        PREDICTIONS,
        SIGNS,
        lambda s, t, reduction: _reduced(functional.relu(1 - t * s), reduction),
        {},
    ),
    "perceptron": (
        PREDICTIONS,
        SIGNS,
        lambda s, t, reduction: _reduced(functional.relu(-t * s), reduction),
        {},
    ),
}


def _reduced(losses, reduction):
    return {"mean": losses.mean(), "sum": losses.sum(), "none": losses}[reduction]


def test_every_loss_has_a_peer():
    assert set(PEERS) | {f"{name}_grad" for name in PEERS} == set(
        reference.losses.__all__
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("cg", HALVES)
def test_value_and_gradient_are_those_of_pytorch(cg, name, reduction):
    first, second, peer, options = PEERS[name]
    z = torch.tensor(first, requires_grad=True)
    theirs = peer(z, torch.tensor(second), reduction=reduction, **options)
    theirs.sum().backward()
    args = cg.array(first), cg.array(second)
    ours = getattr(cg.losses, name)(*args, reduction=reduction, **options)
    grad = getattr(cg.losses, f"{name}_grad")(*args, reduction=reduction, **options)
    np.testing.assert_allclose(
        cg.asnumpy(cg.array(ours)), theirs.detach().numpy(), rtol=1e-12
    )
    np.testing.assert_allclose(cg.asnumpy(grad), z.grad.numpy(), rtol=1e-11, atol=1e-16)


@pytest.mark.parametrize("cg", HALVES)
def test_losses_are_those_of_scikit_learn(cg):
    p, t, z, y = map(cg.array, (PREDICTIONS, TARGETS, LOGITS, LABELS))
    probabilities = cg.asnumpy(cg.activations.softmax(z))
    expected = {
        cg.losses.mse(p, t): metrics.mean_squared_error(TARGETS, PREDICTIONS),
        cg.losses.mae(p, t): metrics.mean_absolute_error(TARGETS, PREDICTIONS),
        cg.losses.hinge(p, cg.array(SIGNS)): metrics.hinge_loss(SIGNS, PREDICTIONS),
        cg.losses.cross_entropy(z, y): metrics.log_loss(LABELS, probabilities),
    }
    for ours, theirs in expected.items():
        assert float(ours) == pytest.approx(theirs, rel=1e-12)
