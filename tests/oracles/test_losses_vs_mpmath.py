"""Every loss and gradient against 1000 digits: within 4 units in the last place.

With a soft label the gradient is a difference, p - y, of two numbers that may be as
close as you like: no formula in the same precision can have its last places. There the
unit is that of the larger of the two. With a hard label it is that of the gradient,
and so it is with the label 1/2, where p - y is an odd function of z.
"""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

from .thousand_digits import DTYPES, HALVES, NUMBERS, exact, rows, sigma, ulps

ULP = 4


def check(cg, name, first, second, loss, grad, units=None, **options):
    """Hold a loss and its gradient to their exact values."""
    args = cg.array(first), cg.array(second)
    value = getattr(cg.losses, name)(*args, reduction="none", **options)
    slope = getattr(cg.losses, f"{name}_grad")(*args, reduction="sum", **options)
    value, slope = cg.asnumpy(value), cg.asnumpy(slope)
    assert value.dtype == slope.dtype == first.dtype
    assert ulps(value, loss) <= ULP
    assert ulps(slope, grad, units) <= ULP


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("half", HALVES)
def test_regression_losses(half, dtype):
    predictions, targets = (
        np.array(x, dtype).ravel() for x in np.meshgrid(NUMBERS, [-1e4, -0.3, 0, 1e-3])
    )
    gaps = [p - t for p, t in zip(exact(predictions), exact(targets), strict=True)]
    sign = [mp.sign(gap) for gap in gaps]
    delta = mpf(0.5)
    small = [abs(gap) <= delta for gap in gaps]
    losses = {
        "mse": ([gap**2 for gap in gaps], [2 * gap for gap in gaps], {}),
        "mae": ([abs(gap) for gap in gaps], sign, {}),
        "huber": (
            [
                gap**2 / 2 if near else delta * (abs(gap) - delta / 2)
                for gap, near in zip(gaps, small, strict=True)
            ],
            [
                gap if near else delta * s
                for gap, near, s in zip(gaps, small, sign, strict=True)
            ],
            {"delta": 0.5},
        ),
    }
    for name, (loss, grad, options) in losses.items():
        check(HALVES[half], name, predictions, targets, loss, grad, **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("half", HALVES)
def test_margin_losses(half, dtype):
    scores, targets = (
        np.array(x, dtype).ravel() for x in np.meshgrid(NUMBERS, [-1.0, 1.0])
    )
    pairs = list(zip(exact(scores), exact(targets), strict=True))
    for name, margin in (("hinge", 1), ("perceptron", 0)):
        loss = [max(mpf(0), margin - t * s) for s, t in pairs]
        # At the kink our gradient is 0 for the hinge, and -t for the perceptron, whose
        # rule counts a point on the boundary as a mistake.
        at_kink = name == "perceptron"
        grad = [
            -t if margin - t * s > 0 or (at_kink and s == 0) else mpf(0)
            for s, t in pairs
        ]
        check(HALVES[half], name, scores, targets, loss, grad)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("half", HALVES)
def test_binary_cross_entropy(half, dtype):
    logits, labels = (
        np.array(x, dtype).ravel() for x in np.meshgrid(NUMBERS, [0, 0.3, 0.5, 0.9, 1])
    )
    pairs = list(zip(exact(logits), exact(labels), strict=True))
    loss = [y * mp.log1p(mp.exp(-z)) + (1 - y) * mp.log1p(mp.exp(z)) for z, y in pairs]
    # sigma(z) - y, written so that 1000 digits are enough at z = 1e4.
    grad = [(1 - y) * sigma(z) - y * sigma(-z) for z, y in pairs]
    units = [
        g if y in (0, 0.5, 1) else max(sigma(z), y)
        for g, (z, y) in zip(grad, pairs, strict=True)
    ]
    check(HALVES[half], "binary_cross_entropy", logits, labels, loss, grad, units)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("half", HALVES)
def test_cross_entropy(half, dtype, smoothing):
    for row in rows():
        row = np.array(row, dtype)
        c = len(row)
        logits, labels = np.tile(row, (c, 1)), np.arange(c)
        z = exact(row)
        top = max(z)
        others = mpf(0)
        for k, value in enumerate(z):
            if k != z.index(top):
                others += mp.exp(value - top)
        surprise = [(top - value) + mp.log1p(others) for value in z]
        p = [mp.exp(-s) for s in surprise]
        s = mpf(smoothing)
        loss, grad, units = [], [], []
        for label in labels:
            q = [(1 - s) * (k == label) + s / c for k in range(c)]
            loss.append(sum(a * b for a, b in zip(q, surprise, strict=True)))
            # p - 1 is minus the sum of the others, with all its digits.
            rest = sum(p[k] for k in range(c) if k != label)
            grad += [
                -rest + s * (1 - mpf(1) / c) if k == label else p[k] - s / c
                for k in range(c)
            ]
            units += [max(a, b) for a, b in zip(p, q, strict=True)]
        check(
            HALVES[half],
            "cross_entropy",
            logits,
            labels,
            loss,
            grad,
            units if smoothing else None,
            label_smoothing=smoothing,
        )


LABELS = {"cross_entropy": [2, 0, 1], "binary_cross_entropy": [0.0, 1.0, 0.3]}
LOSSES = [n for n in HALVES["numpy"].losses.__all__ if not n.endswith("_grad")]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("half", HALVES)
def test_a_sum_and_a_mean_of_three_are_those_of_the_single_losses(half, dtype, name):
    cg = HALVES[half]
    logits = np.array([[0.1, -1.3, 2.0], [0.7, 5.0, -0.2], [1.1, 1.1, 0.0]], dtype)
    first = cg.array(logits if name == "cross_entropy" else logits[:, 0])
    labels = np.array(LABELS.get(name, [1.0, -1.0, -1.0]))
    second = cg.array(labels if labels.dtype == int else labels.astype(dtype))

    def asked(f, reduction):
        return np.asarray(cg.asnumpy(f(first, second, reduction=reduction)))

    f, f_grad = getattr(cg.losses, name), getattr(cg.losses, f"{name}_grad")
    total = mp.fsum(exact(asked(f, "none")))
    each = exact(asked(f_grad, "none"))
    assert ulps(asked(f, "sum"), [total]) <= 1
    assert ulps(asked(f, "mean"), [total / 3]) <= 1
    assert ulps(asked(f_grad, "sum"), each) == 0
    assert ulps(asked(f_grad, "mean"), [slope / 3 for slope in each]) <= 0.5


def test_a_unit_in_the_last_place_is_what_it_says():
    one = np.array([1.0])
    assert ulps(one, [mpf(1)]) == 0
    assert ulps(np.nextafter(one, 2), [mpf(1)]) == 1
    assert math.isclose(ulps(np.array([0.0]), [mpf(5e-324) / 2]), 0.5)
