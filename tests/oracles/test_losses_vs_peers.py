"""Losses and gradients against PyTorch and scikit-learn, where these are sound."""

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch.nn import functional

import chalkgrad.numpy as reference
import chalkgrad.torch as twin

BACKENDS = [reference, twin]
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
    named = set(PEERS) | {f"{name}_grad" for name in PEERS}
    assert named | {"loss"} == set(reference.losses.__all__)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("cg", BACKENDS)
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


@pytest.mark.parametrize("cg", BACKENDS)
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


# --- Weights --------------------------------------------------------------------------

WEIGHTS = RNG.uniform(0, 3, 33)
TIMES = RNG.integers(0, 4, 33)  # some examples are left out
CLASS_WEIGHTS = np.array([0.5, 2.0, 1.0, 0.0, 3.0])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("cg", BACKENDS)
def test_classes_weigh_as_in_pytorch(cg, reduction):
    z = torch.tensor(LOGITS, requires_grad=True)
    theirs = functional.cross_entropy(
        z, torch.tensor(LABELS), torch.tensor(CLASS_WEIGHTS), reduction=reduction
    )
    theirs.sum().backward()
    args = cg.array(LOGITS), cg.array(LABELS)
    options = {"class_weights": cg.array(CLASS_WEIGHTS), "reduction": reduction}
    ours = cg.losses.cross_entropy(*args, **options)
    grad = cg.losses.cross_entropy_grad(*args, **options)
    np.testing.assert_allclose(
        cg.asnumpy(cg.array(ours)), theirs.detach().numpy(), rtol=1e-12
    )
    np.testing.assert_allclose(cg.asnumpy(grad), z.grad.numpy(), rtol=1e-11, atol=1e-16)


@pytest.mark.parametrize("cg", BACKENDS)
def test_a_yes_weighs_as_in_pytorch(cg):
    z, y, yes = PREDICTIONS, SOFT, 2.5
    theirs = functional.binary_cross_entropy_with_logits(
        torch.tensor(z),
        torch.tensor(y),
        pos_weight=torch.tensor(yes),
        reduction="none",
    ).numpy()
    args, weights = (cg.array(z), cg.array(y)), cg.array([1.0, yes])
    ours = cg.losses.binary_cross_entropy(
        *args, class_weights=weights, reduction="none"
    )
    np.testing.assert_allclose(cg.asnumpy(ours), theirs, rtol=1e-12)
    mean = cg.losses.binary_cross_entropy(*args, class_weights=weights)
    # PyTorch divides by the number of examples, we by what they count.
    wanted = theirs.sum() / (yes * y + 1 - y).sum()
    assert float(mean) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("cg", BACKENDS)
def test_examples_weigh_as_in_scikit_learn(cg):
    w = WEIGHTS[:30]
    p, t, z, y, weights = map(cg.array, (PREDICTIONS, TARGETS, LOGITS, LABELS, w))
    probabilities, sample = cg.asnumpy(cg.activations.softmax(z)), {"sample_weight": w}
    signs, losses = cg.array(SIGNS), cg.losses
    expected = [
        (losses.mse, p, t, metrics.mean_squared_error(TARGETS, PREDICTIONS, **sample)),
        (losses.mae, p, t, metrics.mean_absolute_error(TARGETS, PREDICTIONS, **sample)),
        (losses.hinge, p, signs, metrics.hinge_loss(SIGNS, PREDICTIONS, **sample)),
        (losses.cross_entropy, z, y, metrics.log_loss(LABELS, probabilities, **sample)),
    ]
    for loss, first, second, theirs in expected:
        ours = loss(first, second, weights=weights)
        assert float(ours) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("cg", BACKENDS)
def test_a_whole_weight_says_how_often_an_example_is_there(cg, name, reduction):
    first, second, _, options = PEERS[name]
    times = TIMES[: len(first)]
    f, f_grad = (getattr(cg.losses, name + end) for end in ("", "_grad"))
    options = {"reduction": reduction, **options}
    args = cg.array(first), cg.array(second)
    repeated = (cg.array(np.repeat(a, times, axis=0)) for a in (first, second))
    ours = f(*args, weights=cg.array(times), **options)
    assert float(ours) == pytest.approx(float(f(*repeated, **options)), rel=1e-12)
    weights = cg.array(times.astype("float64"))
    slopes = f_grad(*args, weights=weights, **options)
    wanted = cg.asnumpy(f_grad(*args, **options | {"reduction": "none"}))
    wanted = wanted * times.reshape((-1,) + (1,) * (wanted.ndim - 1))
    if reduction == "mean":
        wanted = wanted / times.sum()
    np.testing.assert_allclose(cg.asnumpy(slopes), wanted, rtol=1e-12)


@pytest.mark.parametrize("cg", BACKENDS)
def test_the_weight_of_an_example_and_of_its_class_are_multiplied(cg):
    z, y = cg.array(LOGITS), cg.array(LABELS)
    w, of_classes = WEIGHTS[:30], {"class_weights": cg.array(CLASS_WEIGHTS)}
    both = cg.losses.cross_entropy(
        z, y, weights=cg.array(w), label_smoothing=0.2, **of_classes
    )
    product = cg.array(w * CLASS_WEIGHTS[LABELS])
    one = cg.losses.cross_entropy(z, y, weights=product, label_smoothing=0.2)
    assert float(both) == pytest.approx(float(one), rel=1e-14)


@pytest.mark.parametrize("cg", BACKENDS)
def test_a_weight_may_stand_for_a_row_of_numbers(cg):
    p, t = (cg.array(a.reshape(10, 3)) for a in (PREDICTIONS, TARGETS))
    rows = WEIGHTS[:10]
    ours = cg.losses.mse(p, t, weights=cg.array(rows))
    wanted = metrics.mean_squared_error(
        TARGETS.reshape(10, 3), PREDICTIONS.reshape(10, 3), sample_weight=rows
    )
    assert float(ours) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("cg", BACKENDS)
def test_a_weighted_mean_of_losses_that_overflow_is_finite(cg):
    top = 1e154  # its square is 1e308, and four of them overflow
    p, t = cg.array([top] * 4), cg.array([0.0] * 4)
    weights = cg.array([4.0, 8.0, 0.0, 4.0])
    assert float(cg.losses.mse(p, t, weights=weights)) == pytest.approx(1e308)
    p, t = cg.array([1.5e308, 1.0]), cg.array([-1.5e308, 1.0])
    weights = cg.array([1.0, 9.0])
    assert float(cg.losses.mae(p, t, weights=weights)) == pytest.approx(3e307)
    slopes = cg.asnumpy(cg.losses.mse_grad(p, t, weights=weights))
    np.testing.assert_allclose(slopes, [6e307, 0.0])


@pytest.mark.parametrize("cg", BACKENDS)
def test_weights_out_of_their_range_are_refused(cg):
    z, y = cg.array(LOGITS), cg.array(LABELS)
    ones = np.ones(30)
    cases = [
        (
            {"weights": -ones},
            ValueError,
            "`weights` has -1 at index (0,); every weight",
        ),
        ({"weights": ones[:7]}, ValueError, "shape (30,), got (7,)."),
        (
            {"weights": 0 * ones},
            ValueError,
            "the mean divides by the sum of the weights",
        ),
        (
            {"weights": ones.astype("float32")},
            TypeError,
            "`weights` is float32; convert",
        ),
        (
            {"class_weights": ones[:4]},
            ValueError,
            "each of the 5 classes, shape (5,), ",
        ),
        (
            {"class_weights": ones[:5] * np.inf},
            ValueError,
            "every number must be finite",
        ),
    ]
    for options, error, words in cases:
        given = {name: cg.array(x) for name, x in options.items()}
        for f in (cg.losses.cross_entropy, cg.losses.cross_entropy_grad):
            with pytest.raises(error) as caught:
                f(z, y, **given)
            assert str(caught.value).startswith(f"{f.__name__}: ")
            assert words in str(caught.value)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    "name", ["mse", "binary_cross_entropy", "cross_entropy", "mae"]
)
@pytest.mark.parametrize("cg", BACKENDS)
def test_networks_and_plans_take_weights(cg, name, many):
    x, labels = RNG.normal(size=(9, 3)), RNG.integers(0, 2, (9, 2))
    y = {"cross_entropy": labels[:, 0], "binary_cross_entropy": labels}.get(
        name, labels + 0.25
    )
    times, loss = TIMES[:9], getattr(cg.losses, name)
    net = cg.network([3, 4, 2], activation="tanh")
    w = net.init([0, 1] if many else 0)
    args, weights = (cg.array(x), cg.array(y)), cg.array(times)
    repeated = [cg.array(np.repeat(a, times, axis=0)) for a in (x, y)]
    ours = net.loss_and_grad(w, *args, loss, weights=weights)
    wanted = net.loss_and_grad(w, *repeated, loss)
    step = net.plan(w, loss=loss, optimizer=cg.optimizers.sgd(0.1), batch_size=30)
    planned = step.gradient(*args, weights=weights), step.grad
    for one, two, other in zip(ours, planned, wanted, strict=True):
        for found in (one, two):
            np.testing.assert_allclose(
                np.asarray(found), np.asarray(other), rtol=1e-11, atol=1e-15
            )
    before = np.asarray(step.w).copy()
    with pytest.raises(ValueError, match=r"the mean divides by the sum of the weights"):
        step(*args, weights=weights * 0)
    assert (np.asarray(step.w) == before).all()
