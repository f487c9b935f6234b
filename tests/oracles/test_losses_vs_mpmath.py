"""Every loss and gradient against 1000 digits: within 4 units in the last place.

With a soft label the gradient is a difference, p - y, of two numbers that may be as
close as you like: no formula in the same precision can have its last places. There the
unit is that of the larger of the two. With a hard label it is that of the gradient.
"""

import math

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

import chalkgrad.numpy as reference
import chalkgrad.torch as twin

mpmath.mp.dps = 1000
ULP = 4
HALVES = {"numpy": reference, "torch": twin}
DTYPES = ["float32", "float64"]

# Where peers fail: at 0, where 1 - p is lost, where exp overflows, far beyond.
SIZES = [0, 1e-30, 1e-8, 1e-3, 0.25, 0.5, 1, 2, 5, 16, 17, 36, 50, 88, 104, 700, 1e4]
NUMBERS = sorted({sign * size for size in SIZES for sign in (-1.0, 1.0)})


def exact(x):
    """Give every number of an array to mpmath, digit by digit."""
    return [mpf(float(value)) for value in np.ravel(x)]


def ulps(got, wanted, units=None):
    """Return the largest distance from the exact values, in ulps of `units`."""
    units = np.array(units or wanted, dtype=float).astype(got.dtype)
    spacing = np.spacing(np.abs(units))
    return max(
        float(abs(mpf(float(g)) - w) / mpf(float(s)))
        for g, w, s in zip(np.ravel(got), wanted, spacing, strict=True)
    )


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


def sigma(z):
    return 1 / (1 + mp.exp(-z))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("half", HALVES)
def test_binary_cross_entropy(half, dtype):
    logits, labels = (
        np.array(x, dtype).ravel() for x in np.meshgrid(NUMBERS, [0, 0.3, 0.9, 1])
    )
    pairs = list(zip(exact(logits), exact(labels), strict=True))
    loss = [y * mp.log1p(mp.exp(-z)) + (1 - y) * mp.log1p(mp.exp(z)) for z, y in pairs]
    # sigma(z) - y, written so that 1000 digits are enough at z = 1e4.
    grad = [(1 - y) * sigma(z) - y * sigma(-z) for z, y in pairs]
    units = [
        g if y in (0, 1) else max(sigma(z), y)
        for g, (z, y) in zip(grad, pairs, strict=True)
    ]
    check(HALVES[half], "binary_cross_entropy", logits, labels, loss, grad, units)


def rows():
    rng = np.random.default_rng(0)
    yield [0.0, 0.0]
    yield [1e4, 1e4, -1e4]
    yield [50.0, -50.0]
    yield [1e4, -1e4]
    yield [0.0, -17.0, -40.0]
    yield [0.0, -60.0, -100.0, -104.0]
    yield [700.0, 699.0, -700.0]
    yield [1e-3, 0.0, -1e-3]
    yield [1e-30, 0.0]
    for scale in (1e-3, 1.0, 30.0, 1e4):
        yield rng.normal(size=10) * scale


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


def test_a_unit_in_the_last_place_is_what_it_says():
    one = np.array([1.0])
    assert ulps(one, [mpf(1)]) == 0
    assert ulps(np.nextafter(one, 2), [mpf(1)]) == 1
    assert math.isclose(ulps(np.array([0.0]), [mpf(5e-324) / 2]), 0.5)
