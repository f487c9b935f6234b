"""Schedules: closed forms, end points, purity, and what they refuse."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.schedules import _shared as schedules

ALL = {
    "constant": schedules.constant(0.1),
    "step": schedules.step(0.1, every=7, factor=0.5),
    "exponential": schedules.exponential(0.1, rate=0.02),
    "cosine": schedules.cosine(0.1, steps=40, floor=0.01),
    "warmup": schedules.warmup(schedules.cosine(0.1, steps=40), steps=5),
    "join": schedules.join(
        [schedules.constant(0.1), schedules.step(0.1, every=3, factor=0.1)],
        boundaries=[10],
    ),
}


def test_every_schedule_is_here():
    assert set(ALL) == set(schedules.__all__)


@pytest.mark.parametrize("name", ALL)
def test_a_rate_is_a_float_from_0_to_lr(name):
    for t in range(100):
        rate = ALL[name](t)
        assert type(rate) is float
        assert 0 <= rate <= 0.1 * (1 + 1e-15)


@pytest.mark.parametrize("name", ALL)
@given(order=st.permutations(range(30)))
def test_a_schedule_is_a_function_of_t_alone(name, order):
    forwards = [ALL[name](t) for t in range(30)]
    assert {t: ALL[name](t) for t in order} == dict(enumerate(forwards))


def test_constant_takes_what_python_calls_a_number():
    assert schedules.constant(1)(0) == 1.0


def test_step_falls_at_the_first_step_of_each_stair():
    lr = schedules.step(1.0, every=3, factor=0.5)
    assert [lr(t) for t in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_exponential_halves_every_half_life():
    lr = schedules.exponential(1.0, rate=math.log(2) / 10)
    assert [lr(10 * k) for k in range(5)] == pytest.approx(
        [2.0**-k for k in range(5)], rel=1e-15
    )


def test_cosine_ends_at_its_floor_and_stays():
    lr = schedules.cosine(1.0, steps=10, floor=0.25)
    assert lr(0) == 1.0
    assert lr(5) == pytest.approx(0.625, rel=1e-15)
    assert [lr(10), lr(11), lr(10**9)] == [0.25] * 3
    assert all(lr(t) > lr(t + 1) for t in range(10))


@given(steps=st.integers(1, 50))
def test_warmup_climbs_evenly_to_the_top(steps):
    lr = schedules.warmup(schedules.constant(1.0), steps=steps)
    rates = [0.0, *(lr(t) for t in range(steps + 2))]
    climbs = [b - a for a, b in itertools.pairwise(rates)]
    assert climbs[:-1] == pytest.approx([1 / (steps + 1)] * (steps + 1), rel=1e-9)
    assert climbs[-1] == 0.0
    assert lr(steps) == 1.0


def test_warmup_starts_the_clock_of_what_follows():
    cosine = schedules.cosine(1.0, steps=10)
    lr = schedules.warmup(cosine, steps=4)
    assert [lr(4 + t) for t in range(20)] == [cosine(t) for t in range(20)]


def test_join_gives_each_schedule_its_own_clock():
    first, second, third = (lambda t, k=k: 100.0 * k + t for k in (1, 2, 3))
    lr = schedules.join([first, second, third], boundaries=[2, 5])
    assert [lr(t) for t in range(8)] == [100, 101, 200, 201, 202, 300, 301, 302]


def test_join_of_one_is_that_one():
    lr = schedules.join([schedules.constant(0.5)], boundaries=[])
    assert lr(1000) == 0.5


constant = schedules.constant(0.1)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: schedules.constant(-0.1), ValueError, "constant: `lr` must be"),
        (lambda: schedules.constant(math.nan), ValueError, "constant: `lr` must be"),
        (lambda: schedules.constant(math.inf), ValueError, "constant: `lr` must be"),
        (lambda: schedules.constant("fast"), TypeError, "constant: `lr` must be"),
        (lambda: schedules.step(0.1, every=0, factor=0.5), ValueError, "`every`"),
        (lambda: schedules.step(0.1, every=1.5, factor=0.5), TypeError, "`every`"),
        (lambda: schedules.step(0.1, every=3, factor=0), ValueError, "`factor`"),
        (lambda: schedules.exponential(0.1, rate=-1), ValueError, "`rate`"),
        (lambda: schedules.cosine(0.1, steps=0), ValueError, "`steps`"),
        (lambda: schedules.cosine(0.1, steps=9, floor=0.2), ValueError, "`floor`"),
        (lambda: schedules.warmup(0.1, steps=3), TypeError, "`schedule` must be a sch"),
        (lambda: schedules.warmup(constant, steps=0), ValueError, "`steps`"),
        (lambda: schedules.join([0.1], boundaries=[]), TypeError, r"`schedules\[0\]`"),
        (lambda: schedules.join([], boundaries=[]), ValueError, "one fewer .* 0 for 0"),
        (
            lambda: schedules.join([constant] * 2, boundaries=[]),
            ValueError,
            "`boundaries` must be one fewer than `schedules`, got 0 for 2",
        ),
        (
            lambda: schedules.join([constant] * 3, boundaries=[5, 5]),
            ValueError,
            r"`boundaries\[1\]` must be a whole number, 6 or more, got 5",
        ),
    ],
)
def test_bad_input_is_told(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("name", ALL)
def test_a_bad_step_is_told(name):
    with pytest.raises(ValueError, match=f"{name}: `t` must be a whole number"):
        ALL[name](-1)
    with pytest.raises(TypeError, match=f"{name}: `t` must be a whole number"):
        ALL[name](0.5)
