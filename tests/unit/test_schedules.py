"""Schedules: closed forms, end points, purity, and what they refuse."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.schedules import _shared as schedules

ALL = {
    "constant": schedules.constant(0.1),
    "step": schedules.step(0.1, every=7, factor=0.5),
    "cyclic": schedules.cyclic(
        0.1, steps_up=4, steps_down=3, floor=0.01, step_factor=0.98
    ),
    "exponential": schedules.exponential(0.1, rate=0.02),
    "cosine": schedules.cosine(0.1, steps=40, floor=0.01),
    "cosine_restarts": schedules.cosine_restarts(0.1, period=6, multiplier=2),
    "linear": schedules.linear(0.1, steps=30, start_factor=0.25, end_factor=0.75),
    "polynomial": schedules.polynomial(0.1, steps=40, power=0.9, floor=0.01),
    "inverse_sqrt": schedules.inverse_sqrt(0.1, steps=10),
    "one_cycle": schedules.one_cycle(0.1, steps=40),
    "warmup_stable_decay": schedules.warmup_stable_decay(
        0.1, steps=40, warmup_steps=5, decay_steps=10
    ),
    "plateau": schedules.plateau(
        0.1, [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0], factor=0.5, patience=1
    ),
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


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int32, np.uint64])
def test_a_schedule_is_the_same_for_every_kind_of_whole_number(name, kind):
    most = min(np.iinfo(kind).max, 70_000)
    for t in {0, 1, 9, 10, 126, 127, int(most) - 1, int(most)}:
        if t <= most:
            for one in (kind(t), np.array(t, kind)):
                found = ALL[name](one)
                assert found == ALL[name](t)
                assert type(found) is float


@pytest.mark.parametrize("name", ALL)
def test_a_tensor_may_count_the_steps(name):
    for t in (0, 5, 255):
        for dtype in (torch.uint8, torch.int64):
            found = ALL[name](torch.tensor(t, dtype=dtype))
            assert found == ALL[name](t)
            assert type(found) is float


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "t", [2**64, 10**400, 10**4000], ids=["2^64", "10^400", "10^4000"]
)
def test_a_step_that_no_float_can_hold_is_told(name, t):
    ALL[name](2**64 - 1)
    with pytest.raises(ValueError, match="`t` must be a whole number, 0 to 184467"):
        ALL[name](t)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint64])
def test_steps_beyond_what_a_small_integer_holds(kind):
    rate = schedules.constant(0.1)
    most = int(np.iinfo(kind).max)
    warmed = schedules.warmup(rate, steps=most + 45)
    assert warmed(kind(most)) == warmed(most) > 0.04
    joined = schedules.join([rate, ALL["step"]], boundaries=[most + 1])
    assert joined(kind(most)) == 0.1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("t", [-1, 1.0, np.int8(-1), True, "1", None, np.float32(2)])
def test_a_step_that_is_no_whole_number_is_told(name, t):
    with pytest.raises((TypeError, ValueError), match="`t` must be a whole number"):
        ALL[name](t)


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


@given(steps=st.integers(1, 20), t=st.integers(0, 200))
def test_a_wave_that_goes_on_is_its_own_mirror(steps, t):
    lr = schedules.cosine(1.0, steps=steps, floor=0.25, periodic=True)
    down = schedules.cosine(1.0, steps=steps, floor=0.25)
    turn = t % (2 * steps)
    assert lr(t) == pytest.approx(down(min(turn, 2 * steps - turn)), rel=1e-12)


@given(climb=st.integers(1, 9), fall=st.integers(1, 9), cycle=st.integers(0, 5))
def test_triangles_have_their_corners_where_they_are_told(climb, fall, cycle):
    lr = schedules.cyclic(
        1.0, steps_up=climb, steps_down=fall, floor=0.25, cycle_factor=0.5
    )
    bottom = cycle * (climb + fall)
    rates = [lr(t) for t in range(bottom, bottom + climb + fall + 1)]
    assert rates[0] == rates[-1] == 0.25
    assert rates[climb] == max(rates) == 0.25 + 0.75 * 0.5**cycle
    bends = np.abs(np.diff(rates, 2)) > 1e-12
    assert bends.sum() == 1


def test_three_straight_phases_have_four_corners():
    lr = schedules.one_cycle(
        1.0,
        steps=101,
        pct_start=0.25,
        start_factor=0.1,
        end_factor=0.01,
        straight=True,
        three_phases=True,
    )
    steps = np.arange(101)
    corners = [0, 24.25, 48.5, 100]
    wanted = np.interp(steps, corners, [0.1, 1.0, 0.1, 0.01])
    np.testing.assert_allclose([lr(t) for t in range(101)], wanted, rtol=1e-12)
    assert lr(10**9) == pytest.approx(0.01, rel=1e-12)


@given(period=st.integers(1, 9), multiplier=st.integers(1, 4))
def test_restarts_begin_each_wave_at_the_top(period, multiplier):
    lr = schedules.cosine_restarts(
        1.0, period=period, multiplier=multiplier, floor=0.25
    )
    start, length = 0, period
    for _ in range(4):
        wave = schedules.cosine(1.0, steps=length, floor=0.25)
        assert [lr(start + t) for t in range(length)] == [
            wave(t) for t in range(length)
        ]
        start, length = start + length, length * multiplier
    assert lr(start) == 1.0


def test_a_first_power_is_a_straight_line():
    lr = schedules.polynomial(1.0, steps=4, floor=0.2)
    assert [lr(t) for t in range(6)] == pytest.approx([1, 0.8, 0.6, 0.4, 0.2, 0.2])


def test_the_power_says_when_it_falls():
    rates = [schedules.polynomial(1.0, steps=10, power=p)(5) for p in (0.5, 1, 2, 3)]
    assert rates == pytest.approx([0.5**p for p in (0.5, 1, 2, 3)], rel=1e-15)


@given(steps=st.integers(1, 200), d=st.integers(1, 512))
def test_inverse_sqrt_is_that_of_the_transformer(steps, d):
    lr = schedules.inverse_sqrt((d * steps) ** -0.5, steps=steps)
    for count in (1, 2, steps, steps + 1, 10 * steps):
        told = d**-0.5 * min(count**-0.5, count * steps**-1.5)
        assert lr(count - 1) == pytest.approx(told, rel=1e-14)


def test_one_cycle_goes_up_once_and_down_once():
    lr = schedules.one_cycle(
        1.0, steps=100, pct_start=0.25, start_factor=0.1, end_factor=0.01
    )
    rates = [lr(t) for t in range(100)]
    assert rates[0] == pytest.approx(0.1, rel=1e-15)
    assert rates[24] == 1.0
    assert rates[99] == pytest.approx(0.01, rel=1e-15)
    assert rates[:25] == sorted(rates[:25])
    assert rates[24:] == sorted(rates[24:], reverse=True)
    assert lr(100) == lr(10**9) == rates[99]


def test_wsd_is_a_climb_a_plain_and_a_fall():
    lr = schedules.warmup_stable_decay(
        1.0, steps=20, warmup_steps=4, decay_steps=5, floor=0.5
    )
    assert [lr(t) for t in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert [lr(t) for t in range(4, 16)] == [1.0] * 12
    assert [lr(t) for t in range(16, 20)] == pytest.approx([0.9, 0.8, 0.7, 0.6])
    assert lr(20) == lr(10**9) == 0.5


def test_wsd_may_be_made_longer_without_starting_again():
    short, long = (
        schedules.warmup_stable_decay(1.0, steps=n, warmup_steps=4, decay_steps=5)
        for n in (20, 90)
    )
    assert [short(t) for t in range(16)] == [long(t) for t in range(16)]


def test_plateau_reads_the_list_while_it_grows():
    losses = []
    lr = schedules.plateau(0.8, losses, factor=0.5, patience=2)
    told = []
    for t, loss in enumerate([5.0, 4.0, 4.0, 4.5, 6.0, 4.0, 4.0, 4.0, 3.0, 3.0]):
        told.append(lr(t))
        losses.append(loss)
    assert told == [0.8, 0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]
    # Asked again when all is known, it says the same.
    assert [lr(t) for t in range(10)] == told


def test_plateau_counts_a_loss_for_every_so_many_steps():
    losses = [1.0, 1.0, 1.0]
    lr = schedules.plateau(0.8, losses, factor=0.5, patience=0, every=10)
    assert [lr(t) for t in (0, 19, 20, 29, 30, 99)] == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


def test_plateau_takes_arrays_of_one_number():
    lr = schedules.plateau(0.8, [np.array(1.0)] * 2, factor=0.5, patience=0)
    assert lr(2) == 0.4


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_plateau_refuses_a_loss_that_is_none(loss):
    lr = schedules.plateau(0.8, [1.0, loss], factor=0.5, patience=0)
    assert lr(1) == 0.8
    with pytest.raises(ValueError, match=r"plateau: `losses\[1\]` must be a finite"):
        lr(2)


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
        (
            lambda: schedules.cosine_restarts(0.1, period=0),
            ValueError,
            "cosine_restarts: `period` must be a whole number, 1 or more, got 0",
        ),
        (
            lambda: schedules.cosine_restarts(0.1, period=5, multiplier=1.5),
            TypeError,
            "`multiplier`",
        ),
        (
            lambda: schedules.cosine_restarts(0.1, period=5, floor=0.2),
            ValueError,
            "`floor`",
        ),
        (lambda: schedules.cosine(0.1, steps=9, periodic=1), TypeError, "`periodic`"),
        (lambda: schedules.linear(0.1, steps=0), ValueError, "linear: `steps`"),
        (
            lambda: schedules.linear(0.1, steps=9, start_factor=2),
            ValueError,
            "`start_factor`",
        ),
        (
            lambda: schedules.linear(0.1, steps=9, end_factor=-1),
            ValueError,
            "`end_factor`",
        ),
        (lambda: schedules.cyclic(0.1, steps_up=0), ValueError, "cyclic: `steps_up`"),
        (
            lambda: schedules.cyclic(0.1, steps_up=3, steps_down=0),
            ValueError,
            "`steps_down`",
        ),
        (lambda: schedules.cyclic(0.1, steps_up=3, floor=1), ValueError, "`floor`"),
        (
            lambda: schedules.cyclic(0.1, steps_up=3, cycle_factor=2),
            ValueError,
            "`cycle_factor`",
        ),
        (
            lambda: schedules.cyclic(0.1, steps_up=3, step_factor=0),
            ValueError,
            "`step_factor`",
        ),
        (
            lambda: schedules.one_cycle(
                0.1, steps=10, pct_start=0.6, three_phases=True
            ),
            ValueError,
            (
                "`pct_start` must leave steps for the third phase: "
                "below 0.55 with `steps` 10"
            ),
        ),
        (lambda: schedules.polynomial(0.1, steps=0), ValueError, "`steps`"),
        (lambda: schedules.polynomial(0.1, steps=9, power=0), ValueError, "`power`"),
        (lambda: schedules.polynomial(0.1, steps=9, floor=1), ValueError, "`floor`"),
        (lambda: schedules.inverse_sqrt(-1, steps=4), ValueError, "inverse_sqrt: `lr`"),
        (lambda: schedules.inverse_sqrt(0.1, steps=0), ValueError, "`steps`"),
        (lambda: schedules.one_cycle(0.1, steps=1), ValueError, "`steps`"),
        (
            lambda: schedules.one_cycle(0.1, steps=9, pct_start=1),
            ValueError,
            "`pct_start`",
        ),
        (
            lambda: schedules.one_cycle(0.1, steps=4, pct_start=0.25),
            ValueError,
            "more than one step: above 0.25 with `steps` 4, got 0.25",
        ),
        (
            lambda: schedules.one_cycle(0.1, steps=9, start_factor=25),
            ValueError,
            "`start_factor`",
        ),
        (
            lambda: schedules.one_cycle(0.1, steps=9, end_factor=-1),
            ValueError,
            "`end_factor`",
        ),
        (
            lambda: schedules.warmup_stable_decay(
                0.1, steps=9, warmup_steps=5, decay_steps=5
            ),
            ValueError,
            "warmup_stable_decay: `steps` must be a whole number, 10 or more, got 9",
        ),
        (
            lambda: schedules.warmup_stable_decay(
                0.1, steps=9, warmup_steps=0, decay_steps=5
            ),
            ValueError,
            "`warmup_steps`",
        ),
        (
            lambda: schedules.warmup_stable_decay(
                0.1, steps=9, warmup_steps=1, decay_steps=0.5
            ),
            TypeError,
            "`decay_steps`",
        ),
        (
            lambda: schedules.plateau(0.1, np.ones(3), factor=0.5, patience=1),
            TypeError,
            r"plateau: `losses` must be a list .* got ndarray; begin with losses =",
        ),
        (
            lambda: schedules.plateau(0.1, [], factor=1, patience=1),
            ValueError,
            "`factor`",
        ),
        (
            lambda: schedules.plateau(0.1, [], factor=0.5, patience=-1),
            ValueError,
            "`patience`",
        ),
        (
            lambda: schedules.plateau(0.1, [], factor=0.5, patience=1, every=0),
            ValueError,
            "`every`",
        ),
        (
            lambda: schedules.plateau(0.1, [], factor=0.5, patience=1, threshold=1),
            ValueError,
            "`threshold`",
        ),
        (
            lambda: schedules.plateau(0.1, ["low"], factor=0.5, patience=1)(1),
            TypeError,
            r"`losses\[0\]`",
        ),
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
