"""Every loss and gradient against 1000 digits: within 4 units in the last place.

With a soft label the gradient is a difference, p - y, of two numbers that may be as
close as you like: no formula in the same precision can have its last places. There the
unit is that of the larger of the two. With a hard label it is that of the gradient,
and so it is with the label 1/2, where p - y is an odd function of z.
"""

import functools
import inspect
import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from mpmath import mp, mpf

from benchmarks import exact as judge

from .thousand_digits import BACKENDS, DTYPES, NUMBERS, exact, rows, ulps

ULP = 4
LOSSES = [
    name.removesuffix("_grad")
    for name in BACKENDS["numpy"].losses.__all__
    if name.endswith("_grad")
]
# What each of `NUMBERS` is held against, by what a loss calls it.
SECOND = {
    "logits": [0, 0.3, 0.5, 0.9, 1],
    "predictions": [-1e4, -0.3, 0, 1e-3],
    "scores": [-1, 1],
}
OPTIONS = {"huber": {"delta": 0.5}}


class Case(NamedTuple):
    """What a loss is asked, and the exact answers, which serve both backends."""

    first: Any
    second: Any
    loss: list[Any]
    grad: list[Any]


def case(name, first, second, **options):
    z = judge.exact(first)
    found = judge.loss(name, z, second, reduction="none", **options)
    return Case(first, second, *(x.ravel().tolist() for x in found))


@functools.cache
def of_numbers(name, dtype):
    f = getattr(BACKENDS["numpy"].losses, name)
    kind = next(iter(inspect.signature(f).parameters))
    grid = np.meshgrid(NUMBERS, SECOND[kind])
    pairs = (np.array(x, dtype).ravel() for x in grid)
    return case(name, *pairs, **OPTIONS.get(name, {}))


@functools.cache
def of_classes(smoothing, dtype):
    return [
        case(
            "cross_entropy",
            np.tile(np.array(row, dtype), (len(row), 1)),
            np.arange(len(row)),
            label_smoothing=smoothing,
        )
        for row in rows()
    ]


def check(cg, name, asked, units=None, **options):
    """Hold a loss and its gradient to their exact values."""
    args = cg.array(asked.first), cg.array(asked.second)
    value = getattr(cg.losses, name)(*args, reduction="none", **options)
    slope = getattr(cg.losses, f"{name}_grad")(*args, reduction="sum", **options)
    value, slope = cg.asnumpy(value), cg.asnumpy(slope)
    assert value.dtype == slope.dtype == asked.first.dtype
    assert ulps(value, asked.loss) <= ULP
    assert ulps(slope, asked.grad, units) <= ULP


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in LOSSES if name != "cross_entropy"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loss_of_two_numbers(backend, name, dtype):
    asked, units = of_numbers(name, dtype), None
    if name == "binary_cross_entropy":
        units = [
            g if y in (0, 0.5, 1) else max(judge.sigma(z), y)
            for z, y, g in zip(
                exact(asked.first), exact(asked.second), asked.grad, strict=True
            )
        ]
    check(BACKENDS[backend], name, asked, units, **OPTIONS.get(name, {}))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_cross_entropy(backend, dtype, smoothing):
    for asked in of_classes(smoothing, dtype):
        units = None
        if smoothing:
            p, _ = judge.softmax(judge.exact(asked.first[0]))
            s, c = mpf(smoothing), len(p)
            q = (1 - s) * np.eye(c, dtype=int) + s / c
            units = np.maximum(p, q).ravel().tolist()
        options = {"label_smoothing": smoothing}
        check(BACKENDS[backend], "cross_entropy", asked, units, **options)


LABELS = {"cross_entropy": [2, 0, 1], "binary_cross_entropy": [0.0, 1.0, 0.3]}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_sum_and_a_mean_of_three_are_those_of_the_single_losses(backend, dtype, name):
    cg = BACKENDS[backend]
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
