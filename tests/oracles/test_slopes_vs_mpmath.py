"""Every rule of one or two numbers against 1000 digits, in both backends.

The numbers are drawn from all exponents, and from where a textbook's formula loses its
digits. Where an exact slope is between two numbers of the dtype, so is ours: within 8
units in the last place.
"""

import functools
import math

import numpy as np
import pytest
import torch
from mpmath import mp, mpf

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from chalkgrad.autodiff._tape import RULES

from .thousand_digits import DTYPES, exact, ulps

BACKENDS = {"numpy": (reference, np), "torch": (twin, torch)}
ULP, COUNT = 8, 200


def any_size(rng, count, dtype):
    """Draw numbers of both signs from all exponents that the dtype has."""
    low, high = np.log2(np.finfo(dtype).tiny), np.log2(np.finfo(dtype).max)
    return rng.choice([-1, 1], count) * np.exp2(rng.uniform(low, high, count))


def sized(rng, count, dtype):
    """Draw half of them from all exponents, and half of a size like 1."""
    some = any_size(rng, count, dtype)
    return np.where(rng.random(count) < 0.5, some, rng.normal(size=count) * 3)


def positive(rng, count, dtype):
    return abs(sized(rng, count, dtype))


def tails(rng, count, dtype):
    """Draw from where an exponential goes from nothing to overflow."""
    most = math.log(np.finfo(dtype).max)
    some = rng.uniform(-most, most, count)
    return np.where(
        rng.random(count) < 0.25, sized(rng, count, dtype).clip(-most, most), some
    )


def short_tails(rng, count, dtype):
    return tails(rng, count, dtype) / math.log(2) * 0.999


def near(one):
    """Draw numbers that come as near to `one` as the dtype allows."""

    def draw(rng, count, dtype):
        away = np.exp2(-rng.uniform(0, -np.log2(np.finfo(dtype).eps / 2), count))
        return one * (1 - away) if one else away

    return draw


def inside(rng, count, dtype):
    return rng.choice([-1, 1], count) * near(1.0)(rng, count, dtype)


def beyond_1(rng, count, dtype):
    away = np.exp2(
        rng.uniform(
            np.log2(np.finfo(dtype).eps), np.log2(np.finfo(dtype).max) - 1, count
        )
    )
    return 1 + away


def beyond_minus_1(rng, count, dtype):
    some = sized(rng, count, dtype)
    return np.where(some > -1, some, -near(1.0)(rng, count, dtype))


def angles(rng, count, dtype):
    return rng.uniform(-100, 100, count)


ONE = {
    "absolute": (sized, mp.sign),
    "square": (sized, lambda x: 2 * x),
    "sqrt": (positive, lambda x: 1 / (2 * mp.sqrt(x))),
    "reciprocal": (sized, lambda x: -1 / x**2),
    "exp": (tails, mp.exp),
    "exp2": (short_tails, lambda x: mp.ln2 * mpf(2) ** x),
    "expm1": (tails, mp.exp),
    "log": (positive, lambda x: 1 / x),
    "log2": (positive, lambda x: 1 / (x * mp.ln2)),
    "log10": (positive, lambda x: 1 / (x * mp.ln10)),
    "log1p": (beyond_minus_1, lambda x: 1 / (1 + x)),
    "sin": (angles, mp.cos),
    "cos": (angles, lambda x: -mp.sin(x)),
    "tan": (angles, lambda x: mp.sec(x) ** 2),
    "arcsin": (inside, lambda x: 1 / mp.sqrt(1 - x**2)),
    "arccos": (inside, lambda x: -1 / mp.sqrt(1 - x**2)),
    "arctan": (sized, lambda x: 1 / (1 + x**2)),
    "sinh": (tails, mp.cosh),
    "cosh": (tails, mp.sinh),
    "tanh": (tails, lambda x: mp.sech(x) ** 2),
    "arcsinh": (sized, lambda x: 1 / mp.sqrt(1 + x**2)),
    "arccosh": (beyond_1, lambda x: 1 / mp.sqrt(x**2 - 1)),
    "arctanh": (inside, lambda x: 1 / (1 - x**2)),
    "deg2rad": (sized, lambda x: mp.pi / 180),
    "rad2deg": (sized, lambda x: 180 / mp.pi),
}


def two_sized(rng, count, dtype):
    return sized(rng, count, dtype), sized(rng, count, dtype)


def alike(rng, count, dtype):
    """Draw two of all exponents that are not far from each other."""
    a = any_size(rng, count, dtype) / 4
    return a, a * rng.choice([-1, 1], count) * np.exp2(rng.uniform(-2, 2, count))


def two_tails(rng, count, dtype):
    a = rng.uniform(-700, 700, count)
    return a, np.where(
        rng.random(count) < 0.5,
        a + rng.normal(size=count),
        rng.uniform(-700, 700, count),
    )


def powers(rng, count, dtype):
    """Draw bases and exponents whose powers the dtype holds, and their slopes too."""
    most = np.log2(np.finfo(dtype).max) * 0.45
    b = np.where(
        rng.random(count) < 0.5, rng.normal(size=count) * 2, rng.integers(-4, 9, count)
    )
    a = np.exp2(rng.uniform(-most, most, count) / (1 + abs(b)))
    return a, b


def quotients(rng, count, dtype):
    b = any_size(rng, count, dtype) / 1024
    return b * rng.normal(size=count) * 100, b


def logistic(x):
    return 1 / (1 + mp.exp(-x))


TWO = {
    "multiply": (alike, lambda a, b: b, lambda a, b: a),
    "divide": (quotients, lambda a, b: 1 / b, lambda a, b: -a / b**2),
    "power": (
        powers,
        lambda a, b: b * a ** (b - 1) if b else mpf(0),
        lambda a, b: a**b * mp.log(a),
    ),
    "maximum": (two_sized, lambda a, b: mpf(a > b), lambda a, b: mpf(b > a)),
    "minimum": (two_sized, lambda a, b: mpf(a < b), lambda a, b: mpf(b < a)),
    "fmax": (two_sized, lambda a, b: mpf(a > b), lambda a, b: mpf(b > a)),
    "fmin": (two_sized, lambda a, b: mpf(a < b), lambda a, b: mpf(b < a)),
    "hypot": (
        alike,
        lambda a, b: a / mp.sqrt(a**2 + b**2),
        lambda a, b: b / mp.sqrt(a**2 + b**2),
    ),
    "arctan2": (
        alike,
        lambda a, b: b / (a**2 + b**2),
        lambda a, b: -a / (a**2 + b**2),
    ),
    "logaddexp": (
        two_tails,
        lambda a, b: logistic(a - b),
        lambda a, b: logistic(b - a),
    ),
    "logaddexp2": (
        two_tails,
        lambda a, b: logistic((a - b) * mp.ln2),
        lambda a, b: logistic((b - a) * mp.ln2),
    ),
    "remainder": (quotients, lambda a, b: mpf(1), lambda a, b: -mp.floor(a / b)),
    "fmod": (
        quotients,
        lambda a, b: mpf(1),
        lambda a, b: -mp.sign(a / b) * mp.floor(abs(a / b)),
    ),
}
APART = dict.fromkeys(["hypot", "arctan2", "multiply", "divide"], two_sized)


@functools.cache
def drawn(draw, dtype, name):
    rng = np.random.default_rng(sum(map(ord, name)))
    found = draw(rng, COUNT, dtype)
    found = found if isinstance(found, tuple) else (found,)
    return tuple(x.astype(dtype) for x in found)


def slopes_of(backend, name, numbers):
    cg, m = BACKENDS[backend]
    args = [cg.array(x) for x in numbers]
    with np.errstate(all="ignore"):  # the function itself may overflow: its slope tells
        _, pullback = cg.autodiff.vjp(
            getattr(m, {"power": "pow"}.get(name, name) if m is torch else name), *args
        )
        found = pullback(cg.array(np.ones(COUNT, numbers[0].dtype)))
    return [cg.asnumpy(g) for g in (found if isinstance(found, tuple) else (found,))]


def check(backend, name, dtype, draw, rules):
    numbers = drawn(draw, dtype, name)
    columns = [exact(x) for x in numbers]
    for found, rule in zip(slopes_of(backend, name, numbers), rules, strict=True):
        wanted = [rule(*point) for point in zip(*columns, strict=True)]
        assert found.dtype == dtype
        most = mpf(float(np.finfo(dtype).max))
        held = [abs(w) <= most for w in wanted]
        assert sum(held) >= COUNT / 2
        assert ulps(found[held], [w for w in wanted if abs(w) <= most]) <= ULP
        assert np.isinf(found[~np.array(held)]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rule_of_one_number(backend, name, dtype):
    draw, rule = ONE[name]
    check(backend, name, dtype, draw, [rule])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rule_of_two_numbers(backend, name, dtype):
    draw, *rules = TWO[name]
    check(backend, name, dtype, draw, rules)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rule_of_two_numbers_of_different_exponents(backend, name, dtype):
    check(backend, name, dtype, APART[name], TWO[name][1:])


def test_every_rule_of_a_ufunc_is_here():
    others = {"negative", "positive", "add", "subtract"}  # their slopes are 1 and -1
    others |= {"matmul"}  # a sum of products
    others |= {"fabs", "float_power"}  # absolute and power, by other names
    others |= {"cbrt"}  # PyTorch has none; below
    ufuncs = {f.__name__ for f in RULES if isinstance(f, np.ufunc)}
    assert ufuncs == {*ONE, *TWO, *others}


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_cubic_root(dtype):
    check("numpy", "cbrt", dtype, positive, [lambda x: mp.cbrt(x) / (3 * x)])
