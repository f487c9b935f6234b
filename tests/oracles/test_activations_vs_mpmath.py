"""Activations and slopes against 1000 digits: most within 3 units in the last place.

Two magnify the rounding of what goes into exp. Far down, gelu falls as exp(-z^2/2), so
the last place of z is worth some z^2 of its own; and the softmax of a score d below the
largest is about exp(-d), so the last place of d is worth d.
"""

import numpy as np
import pytest
from mpmath import mp

from .thousand_digits import BACKENDS, DTYPES, NUMBERS, exact, rows, sigma, ulps

SMOOTH = {
    "sigmoid": sigma,
    "sigmoid_grad": lambda z: sigma(z) * sigma(-z),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
    "softplus_grad": sigma,
    "tanh": mp.tanh,
    "tanh_grad": lambda z: mp.sech(z) ** 2,
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_an_activation_keeps_its_last_places(backend, dtype, name):
    z = np.array(NUMBERS, dtype)
    cg = BACKENDS[backend]
    got = cg.asnumpy(getattr(cg.activations, name)(cg.array(z)))
    assert got.dtype == dtype
    assert ulps(got, [SMOOTH[name](value) for value in exact(z)]) <= 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_gelu_loses_no_more_than_its_tail_must(backend, dtype):
    z = np.array([*NUMBERS, -0.75, -3.0, -4.5, -8.0, -12.0], dtype)
    cg = BACKENDS[backend]
    with mp.workdps(50):  # enough, and 1000 digits of erfc take long
        values = exact(z)
        below = [mp.ncdf(value) for value in values]
        steep = [value * mp.npdf(value) for value in values]
        loss = [max(1, value**2 / 3) for value in values]
        gelu = [value * p for value, p in zip(values, below, strict=True)]
        grad = [p + s for p, s in zip(below, steep, strict=True)]
        larger = [max(p, -s, s) for p, s in zip(below, steep, strict=True)]
        for name, wanted, units, most in (
            ("gelu", gelu, gelu, 4),
            ("gelu_grad", grad, larger, 2),
        ):
            got = cg.asnumpy(getattr(cg.activations, name)(cg.array(z)))
            units = [u * k for u, k in zip(units, loss, strict=True)]
            assert ulps(got, wanted, units) <= most


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_softmax_loses_no_more_than_its_tail_must(backend, dtype):
    cg = BACKENDS[backend]
    for row in rows():
        row = np.array(row, dtype)
        z = exact(row)
        below = [max(z) - value for value in z]
        e = [mp.exp(-d) for d in below]
        p = [value / mp.fsum(e) for value in e]
        units = [value * (1 + d / 8) for value, d in zip(p, below, strict=True)]
        assert ulps(cg.asnumpy(cg.activations.softmax(cg.array(row))), p, units) <= 8
        # p (1 - p) loses its digits where p is near 1, but never more than p's own.
        jacobian = [
            a * ((i == j) - b) for i, a in enumerate(p) for j, b in enumerate(p)
        ]
        units = [u for u in units for _ in p]
        got = cg.asnumpy(cg.activations.softmax_grad(cg.array(row)))
        assert ulps(got, jacobian, units) <= 8
