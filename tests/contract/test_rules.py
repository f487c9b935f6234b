"""A rule is its formula: the types of its options are what is checked and said."""

import inspect
import math
import re
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad._core import _numpy, _torch
from chalkgrad._core.spec import (
    Decay,
    Growth,
    NonNegative,
    Range,
    Rate,
    Share,
    Shrinkage,
    range_of,
)
from chalkgrad._core.types import Optimizer
from chalkgrad.optimizers._rule import Rules

from .backends import OPTIMIZERS, both, tensor
from .strategies import contract

OPTIONS = [
    (path, name, parameter.annotation)
    for path in OPTIMIZERS
    for name, parameter in inspect.signature(both(path)[0]).parameters.items()
]
RANGES = [(path, name, range_of(kind)) for path, name, kind in OPTIONS]


class ToyState(NamedTuple):
    t: int
    m: object


class ToyLeapState(NamedTuple):
    t: int
    m: object
    u: object


reference_rprop, _ = both("optimizers.rprop")


@Rules(_numpy.arrays).rule(ToyState, leap=ToyLeapState)
def toy(w, g, t, s, /, lr: Rate, *, decay: Decay = 0.5, leap: bool = False):
    """Step along a mean."""
    m = decay * s.m + g / t
    return w - lr * m, ToyLeapState(t, m, s.u) if leap else ToyState(t, m)


reference = toy


@Rules(_torch.arrays, context=torch.no_grad).twin(reference)
def toy(w, g, t, s, lr, *, decay, leap):
    m = s.m.mul_(decay).add_(g / t)
    return w.sub_(lr * m), ToyLeapState(t, m, s.u) if leap else ToyState(t, m)


def test_the_twin_of_a_rule_is_its_formula_alone():
    assert inspect.signature(toy) is inspect.signature(reference)
    assert list(inspect.signature(toy).parameters) == ["lr", "decay", "leap"]
    assert inspect.signature(toy).return_annotation is Optimizer
    assert reference.__doc__ == "Step along a mean."
    assert toy.__doc__.startswith("Step along a mean.\n\n`step` updates `w` and the")
    ends = []
    for make, to in ((reference, np.asarray), (toy, tensor)):
        opt = make(lambda t: 1 / (t + 1), decay=0.25)
        w = to(np.array([1.0, 2.0]))
        state = opt.init(w)
        assert (state.t, type(state)) == (0, ToyState)
        for grad in ([1.0, -1.0], [3.0, 5.0]):
            w, state = opt.step(w, to(np.array(grad)), state)
        assert state.t == 2
        ends.append([*w.tolist(), *state.m.tolist()])
    # By hand: m is g, then g / 4 + g' / 2; the rates are 1 and 1/2.
    assert ends[0] == ends[1] == [0 - 0.875, 3 - 1.125, 1.75, 2.25]


@pytest.mark.parametrize("make", [reference, toy])
def test_an_option_that_is_on_may_keep_more(make):
    w = (np.asarray if make is reference else tensor)(np.ones(2))
    state = make(0.1, leap=True).init(w)
    assert type(state) is ToyLeapState
    assert [*state.u.tolist(), *state.m.tolist()] == [0.0] * 4
    with pytest.raises(TypeError, match=r"toy.step: `state` must .* ToyState, got"):
        make(0.1).step(w, w, state)


@pytest.mark.parametrize("make", [reference, toy])
@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, "toy() missing a required argument: 'lr'"),
        ((0.1, 0.5), {}, "toy() too many positional arguments"),
        ((0.1,), {"dcay": 1}, "toy() got an unexpected keyword argument 'dcay'"),
        ((0.1,), {"leap": 1}, "toy: `leap` must be True or False, got 1 (int)."),
        ((0.1,), {"decay": 1}, "toy: `decay` must be a finite number from 0 below 1"),
        ((-1,), {}, "toy: `lr` must be a finite number from 0, got -1."),
    ],
)
def test_a_rule_says_what_it_does_not_take(make, args, kwargs, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        make(*args, **kwargs)


@pytest.mark.parametrize("options", [{"grow": 1e39}, {"largest": 1e39}])
@pytest.mark.parametrize("make", both("optimizers.rprop"))
def test_a_bound_that_float32_cannot_hold_is_blamed(make, options):
    w = np.ones(2, "float32")
    with pytest.raises(ValueError, match=r"rprop.init: `\w+` must be .* float32 can"):
        make(**options).init(w if make is reference_rprop else tensor(w))


@pytest.mark.parametrize("make", both("optimizers.rprop"))
def test_the_shortest_step_is_no_longer_than_the_longest(make):
    words = "rprop: `smallest` must be `largest` or less, got 2 and 1."
    with pytest.raises(ValueError, match=re.escape(words)):
        make(smallest=2, largest=1)


def test_an_option_without_a_range_is_asked_for():
    def formula(w, g, t, s, /, lr: Rate, *, trust: float):
        """Step."""

    with pytest.raises(TypeError, match="`trust` needs a type that names its range"):
        Rules(_numpy.arrays).rule(ToyState)(formula)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Decay, "from 0 to below 1"),
        (Share, "from 0 to 1"),
        (Shrinkage, "above 0 and below 1"),
        (Growth, "above 1"),
        (NonNegative, "0 or more"),
        (Rate, "0 or more"),
    ],
)
def test_a_range_says_what_it_is(kind, words):
    assert str(range_of(kind)) == words


def said_of(f, name):
    """What the docstring of a rule says of an option."""
    match = re.search(
        rf"\n *(?:\w+, )*{name}(?:, \w+)* : .+\n((?: {{8}}.+\n)+)", f.__doc__
    )
    return " ".join(match[1].split())


@pytest.mark.parametrize(("path", "name", "wanted"), RANGES)
def test_the_docstring_says_the_range_of_the_type(path, name, wanted):
    said = said_of(both(path)[0], name)
    if wanted is not None:
        assert str(wanted) in said[:1].lower() + said[1:], said


def outside(wanted):
    """Draw a number that is not in a range."""
    low, high, open_low, open_high = wanted
    ends = [low] * open_low + [high] * open_high
    numbers = [st.floats(max_value=low, exclude_max=True, allow_infinity=False)]
    if high < math.inf:
        numbers.append(
            st.floats(min_value=high, exclude_min=True, allow_infinity=False)
        )
    return st.one_of(*numbers, st.sampled_from([math.nan, math.inf, *ends]))


@pytest.mark.parametrize(
    ("path", "name", "wanted"), [row for row in RANGES if isinstance(row[2], Range)]
)
@contract
@given(data=st.data())
def test_what_is_out_of_its_range_is_refused_in_both_backends(path, name, wanted, data):
    value = data.draw(outside(wanted))
    words = []
    for make in both(path):
        with pytest.raises(ValueError, match=re.escape(name)) as caught:
            make(**{"lr": 0.1} | {name: value})
        words.append(str(caught.value))
    rule = path.partition(".")[2]
    assert words[0] == words[1]
    assert words[0].startswith(f"{rule}: `{name}` must be a finite number ")
