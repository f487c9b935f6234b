"""Numbers where peers fail, their exact values, and the distance from these in ulps."""

import numpy as np
from mpmath import mp, mpf

import chalkgrad.numpy as reference
import chalkgrad.torch as twin

BACKENDS = {"numpy": reference, "torch": twin}
DTYPES = ["float32", "float64"]

# At 0, where 1 - p is lost, where exp overflows, far beyond.
TINY = [0, 1e-300, 1e-30, 1e-8, 1e-3]
SIZES = [*TINY, 0.25, 0.5, 1, 2, 5, 16, 17, 22, 36, 50, 88, 104, 700, 1e4]
NUMBERS = sorted({sign * size for size in SIZES for sign in (-1.0, 1.0)})


def rows():
    """Give rows of logits: ties, tails, all scales, and 2 to 10 classes."""
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
    for c in range(2, 11):
        # Beside the first, each of the others is about half a unit in the last place:
        # 16 does this to float32, and 36 to float64.
        for ahead in (16.0, 36.0):
            yield [ahead] + [0.0] * (c - 1)
            yield [ahead, ahead] + [0.0] * (c - 2)
        yield [0.0] * (c - 1) + [-50.0]


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


def sigma(z):
    """Give the sigmoid, exactly."""
    return 1 / (1 + mp.exp(-z))
