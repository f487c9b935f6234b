"""Schedules as they are judged: the rate of every step."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from chalkgrad.judge._calls import (
    Binding,
    Case,
    Entry,
    Form,
    FunctionTask,
    Parts,
    as_array,
    bind,
    entries_of,
    write_class,
)
from chalkgrad.judge._formulas import Deviation, Formula, Line
from chalkgrad.judge._mistakes import convention, mistake
from chalkgrad.judge._names import words
from chalkgrad.judge._subjects import ResultError

__all__ = ["SCHEDULES", "ScheduleTask"]

HOME = "training/learning-rate/#a-rate-that-changes"
T = words(
    "t step epoch it iteration iter stepnum currentstep globalstep epochnum "
    "curepoch "
    "currentepoch stepcount iterations s i nstep currentiter epochi curstep tcur x "
    "time count current stepsdone"
)
METHODS = (
    "__call__", "get_lr", "get", "lr_at", "rate", "get_rate", "lr", "value", "at",
    "compute", "schedule", "get_learning_rate", "compute_lr", "learning_rate",
    "get_last_lr",
)  # fmt: skip
COUNTING = ("step", "next", "update", "__next__", "get_lr")
HELD = ("lr", "current_lr", "learning_rate", "rate", "last_lr", "_last_lr", "eta")


def _cos(s: Any) -> Any:
    return (1 + np.cos(np.pi * s)) / 2


def _share(x: Any) -> Any:
    return np.minimum(x.t, x.steps) / x.steps


def _restart(x: Any) -> tuple[Any, Any]:
    """Return where in its wave each step is, and how long the wave is."""
    inside, length = [], []
    for t in np.atleast_1d(x.t).tolist():
        start, period = 0.0, float(x.period)
        while t - start >= period:
            start, period = start + period, period * x.multiplier
        inside.append(t - start)
        length.append(period)
    return np.array(inside), np.array(length)


def _triangle(x: Any) -> Any:
    cycle = x.t % (x.steps_up + _fall(x))
    return np.where(
        cycle < x.steps_up, cycle / x.steps_up, 1 - (cycle - x.steps_up) / _fall(x)
    )


def _fall(x: Any) -> Any:
    return x.steps_up if x.steps_down is None else x.steps_down


def _wsd(x: Any, first: float = 1.0, more: float = 1.0) -> Any:
    left = np.clip((x.steps - x.t) / x.decay_steps, 0, 1)
    up = (x.t + first) / (x.warmup_steps + more)
    return np.where(x.t < x.warmup_steps, x.lr * up, x.floor + (x.lr - x.floor) * left)


def _one_cycle(x: Any, share: Callable[[Any], Any] = _cos) -> Any:
    top, last = x.pct_start * x.steps - 1, x.steps - 1
    up = np.clip(x.t / top, 0, 1)
    down = np.clip((x.t - top) / (last - top), 0, 1)
    a, b = x.start_factor * x.lr, x.end_factor * x.lr
    return np.where(
        x.t <= top,
        x.lr + (a - x.lr) * share(up),
        b + (x.lr - b) * share(down),
    )


Rate = Callable[[Any], Any]


def wrong(name: str, why: str, f: Rate) -> Deviation:
    """Return a mistake that is another rate."""
    return mistake(name, why, HOME, rate=f)


def other(name: str, why: str, f: Rate) -> Deviation:
    """Return a convention that is another rate."""
    return convention(name, why, HOME, rate=f)


ENDLESS = "After the last step the rate stays. Here it goes on falling, or rises again."
SPECS: dict[str, tuple[dict[str, Any], Rate, list[Deviation]]] = {
    "constant": ({"lr": 0.1}, lambda x: x.lr + 0.0 * x.t, []),
    "step": (
        {"lr": 0.1, "every": 10, "factor": 0.5},
        lambda x: x.lr * x.factor ** (x.t // x.every),
        [
            wrong(
                "no stairs",
                "The division is not rounded down, so the rate falls in every step.",
                lambda x: x.lr * x.factor ** (x.t / x.every),
            ),
            wrong(
                "falls in every step",
                "The rate is multiplied in every step, not in every k-th.",
                lambda x: x.lr * x.factor**x.t,
            ),
            wrong(
                "falls once",
                "The rate is multiplied once, and never again.",
                lambda x: np.where(x.t >= x.every, x.lr * x.factor, x.lr),
            ),
            wrong(
                "times, not to the power",
                "The factor is multiplied by the number of stairs. It must be taken "
                "to its power.",
                lambda x: x.lr * x.factor * (x.t // x.every),
            ),
            wrong(
                "divided by the factor",
                "The rate grows where it should fall.",
                lambda x: x.lr / x.factor ** (x.t // x.every),
            ),
            wrong(
                "rounded up",
                "The first stair has one step: the division is rounded up.",
                lambda x: x.lr * x.factor ** np.ceil(x.t / x.every),
            ),
            wrong(
                "rounded to the nearest",
                "The first stair is half as long.",
                lambda x: x.lr * x.factor ** np.round(x.t / x.every),
            ).on_its_own(),
            wrong(
                "a stair too early",
                "The first stair is lower already.",
                lambda x: x.lr * x.factor ** (x.t // x.every + 1),
            ),
            wrong(
                "the remainder",
                "It is the remainder of the division that is taken.",
                lambda x: x.lr * x.factor ** (x.t % x.every),
            ).on_its_own(),
            wrong(
                "only in the steps themselves",
                "The rate is lower in every k-th step alone.",
                lambda x: np.where(
                    (x.t % x.every == 0) & (x.t > 0), x.lr * x.factor, x.lr
                ),
            ).on_its_own(),
            wrong(
                "1 less the factor",
                "The rate loses the factor as a share. It must keep it.",
                lambda x: x.lr * (1 - x.factor) ** (x.t // x.every),
            ),
        ],
    ),
    "exponential": (
        {"lr": 0.1, "rate": 0.05},
        lambda x: x.lr * np.exp(-x.rate * x.t),
        [
            other(
                "a factor for each step",
                "The rate is multiplied by r in every step, as ExponentialLR does. "
                "Ours is multiplied by e^−r.",
                lambda x: x.lr * x.rate**x.t,
            ),
            other(
                "1 − r for each step",
                "The rate loses the share r in every step. Ours is e^−rt, which is "
                "nearly the same where r is small.",
                lambda x: x.lr * (1 - x.rate) ** x.t,
            ),
            wrong(
                "the sign of the exponent",
                "The rate grows where it should fall.",
                lambda x: x.lr * np.exp(x.rate * x.t),
            ),
            wrong(
                "1/t",
                "It is 1 / (1 + rt), which falls more and more slowly.",
                lambda x: x.lr / (1 + x.rate * x.t),
            ),
            wrong(
                "a line",
                "It falls in a straight line.",
                lambda x: x.lr * (1 - x.rate * x.t),
            ),
            wrong(
                "base 2",
                "It takes a power of 2. That of e is meant.",
                lambda x: x.lr * 2.0 ** (-x.rate * x.t),
            ),
            wrong(
                "the exponent upside down",
                "The step is divided by r, or r by it.",
                lambda x: x.lr * np.exp(-x.t / x.rate),
            ).on_its_own(),
            wrong(
                "the rate alone",
                "The step is missing in the exponent.",
                lambda x: x.lr * np.exp(-x.rate) + 0 * x.t,
            ).on_its_own(),
        ],
    ),
    "cosine": (
        {"lr": 0.1, "steps": 100, "floor": 0.0, "periodic": False},
        lambda x: (
            x.floor
            + (x.lr - x.floor)
            * _cos(
                (x.t % (2 * x.steps) if x.periodic else np.minimum(x.t, x.steps))
                / x.steps
            )
        ),
        [
            other(
                "goes on as a wave",
                "After the last step the rate rises again, as PyTorch's "
                "CosineAnnealingLR does. Ours stays, unless `periodic`.",
                lambda x: x.floor + (x.lr - x.floor) * _cos(x.t / x.steps),
            ),
            other(
                "ends a step earlier",
                "The floor is reached in step T − 1, the last of T.",
                lambda x: (
                    x.floor
                    + (x.lr - x.floor) * _cos(np.minimum(x.t / (x.steps - 1), 1))
                ),
            ),
            wrong(
                "a whole wave",
                "It is a whole wave, down and up again: the cosine of 2πt/T. It "
                "should be that of πt/T.",
                lambda x: (
                    x.floor + (x.lr - x.floor) * (1 + np.cos(2 * np.pi * _share(x))) / 2
                ),
            ),
            wrong(
                "a quarter of a wave",
                "It is a quarter of a wave: cos(πt/2T).",
                lambda x: x.floor + (x.lr - x.floor) * np.cos(np.pi * _share(x) / 2),
            ),
            wrong(
                "the ½ is missing",
                "It is twice as high: the ½ is missing.",
                lambda x: x.floor + (x.lr - x.floor) * 2 * _cos(_share(x)),
            ),
            wrong(
                "the 1 is missing",
                "It is the cosine alone, and so negative.",
                lambda x: x.floor + (x.lr - x.floor) * np.cos(np.pi * _share(x)) / 2,
            ),
            wrong(
                "upside down",
                "It rises where it should fall: 1 − cos.",
                lambda x: x.floor + (x.lr - x.floor) * (1 - _cos(_share(x))),
            ),
            wrong(
                "the sine",
                "It is a sine. It should be a cosine.",
                lambda x: (
                    x.floor + (x.lr - x.floor) * (1 + np.sin(np.pi * _share(x))) / 2
                ),
            ),
            wrong(
                "π is missing",
                "It is the cosine of t/T, without π.",
                lambda x: x.floor + (x.lr - x.floor) * (1 + np.cos(_share(x))) / 2,
            ),
            wrong(
                "degrees",
                "The cosine is given degrees. It takes radians.",
                lambda x: (
                    x.floor + (x.lr - x.floor) * (1 + np.cos(180 * _share(x))) / 2
                ),
            ),
            wrong(
                "the floor is added",
                "The floor is added to the whole wave, so it starts above the rate.",
                lambda x: x.floor + x.lr * _cos(_share(x)),
            ),
            wrong(
                "cut off at the floor",
                "The wave goes to 0 and is cut off at the floor.",
                lambda x: np.maximum(x.floor, x.lr * _cos(_share(x))),
            ),
            wrong(
                "the floor is missing at the start",
                "The floor is not added again.",
                lambda x: (x.lr - x.floor) * _cos(_share(x)),
            ),
            wrong(
                "the line",
                "It falls in a straight line.",
                lambda x: x.floor + (x.lr - x.floor) * (1 - _share(x)),
            ),
            wrong(
                "0 at the end",
                "After the last step the rate is 0. It stays at the floor.",
                lambda x: np.where(
                    x.t > x.steps, 0.0, x.floor + (x.lr - x.floor) * _cos(_share(x))
                ),
            ).on_its_own(),
            wrong(
                "back at the rate at the end",
                "After the last step the rate is where it was. It stays at the floor.",
                lambda x: np.where(
                    x.t > x.steps, x.lr, x.floor + (x.lr - x.floor) * _cos(_share(x))
                ),
            ).on_its_own(),
            wrong(
                "t over T is rounded",
                "The division is one of whole numbers. So nothing happens until the "
                "end.",
                lambda x: (
                    x.floor
                    + (x.lr - x.floor) * _cos(np.minimum(x.t, x.steps) // x.steps)
                ),
            ),
        ],
    ),
    "cosine_restarts": (
        {"lr": 0.1, "period": 10, "multiplier": 1, "floor": 0.0},
        lambda x: x.floor + (x.lr - x.floor) * _cos(_restart(x)[0] / _restart(x)[1]),
        [
            wrong(
                "no restart",
                "It goes down once, and stays.",
                lambda x: (
                    x.floor + (x.lr - x.floor) * _cos(np.minimum(x.t / x.period, 1))
                ),
            ),
            wrong(
                "goes on as a wave",
                "It goes up as it came down. It should jump.",
                lambda x: x.floor + (x.lr - x.floor) * _cos(x.t / x.period),
            ),
            wrong(
                "waves of one length",
                "The waves do not grow by the multiplier.",
                lambda x: x.floor + (x.lr - x.floor) * _cos(x.t % x.period / x.period),
            ),
            wrong(
                "the first length for all",
                "What is divided by is the length of the first wave. Each has its own.",
                lambda x: x.floor + (x.lr - x.floor) * _cos(_restart(x)[0] / x.period),
            ),
            wrong(
                "the floor is added",
                "The floor is added to the whole wave.",
                lambda x: x.floor + x.lr * _cos(_restart(x)[0] / _restart(x)[1]),
            ),
            wrong(
                "a whole wave",
                "Each wave goes down and up again.",
                lambda x: (
                    x.floor
                    + (x.lr - x.floor) * _cos(2 * _restart(x)[0] / _restart(x)[1])
                ),
            ),
            wrong(
                "the line",
                "It falls in straight lines.",
                lambda x: (
                    x.floor + (x.lr - x.floor) * (1 - _restart(x)[0] / _restart(x)[1])
                ),
            ),
            wrong(
                "upside down",
                "It rises where it should fall.",
                lambda x: (
                    x.floor
                    + (x.lr - x.floor) * (1 - _cos(_restart(x)[0] / _restart(x)[1]))
                ),
            ),
        ],
    ),
    "polynomial": (
        {"lr": 0.1, "steps": 100, "power": 1.0, "floor": 0.0},
        lambda x: x.floor + (x.lr - x.floor) * (1 - _share(x)) ** x.power,
        [
            wrong(
                "the power of t",
                "It is 1 − (t/T)^p. The power belongs to the whole.",
                lambda x: x.floor + (x.lr - x.floor) * (1 - _share(x) ** x.power),
            ),
            wrong(
                "no power",
                "It falls in a straight line, whatever the power.",
                lambda x: x.floor + (x.lr - x.floor) * (1 - _share(x)),
            ),
            wrong(
                "times, not to the power",
                "The share is multiplied by p.",
                lambda x: x.floor + (x.lr - x.floor) * (1 - _share(x)) * x.power,
            ),
            wrong(
                "upside down",
                "It rises where it should fall.",
                lambda x: x.floor + (x.lr - x.floor) * _share(x) ** x.power,
            ),
            wrong(
                "the floor is added",
                "The floor is added to the whole, so it starts above the rate.",
                lambda x: x.floor + x.lr * (1 - _share(x)) ** x.power,
            ),
            wrong(
                "cut off at the floor",
                "It goes to 0 and is cut off at the floor.",
                lambda x: np.maximum(x.floor, x.lr * (1 - _share(x)) ** x.power),
            ),
            wrong(
                "goes below the floor",
                ENDLESS,
                lambda x: (
                    x.floor
                    + (x.lr - x.floor)
                    * np.sign(1 - x.t / x.steps)
                    * abs(1 - x.t / x.steps) ** x.power
                ),
            ),
            wrong(
                "goes below the floor",
                ENDLESS,
                lambda x: x.floor + (x.lr - x.floor) * (1 - x.t / x.steps) ** x.power,
            ),
            wrong(
                "0 at the end",
                "After the last step the rate is 0. It stays at the floor.",
                lambda x: np.where(
                    x.t > x.steps,
                    0.0,
                    x.floor + (x.lr - x.floor) * (1 - _share(x)) ** x.power,
                ),
            ).on_its_own(),
        ],
    ),
    "inverse_sqrt": (
        {"lr": 0.1, "steps": 20},
        lambda x: x.lr * np.minimum((x.t + 1) / x.steps, np.sqrt(x.steps / (x.t + 1))),
        [
            wrong(
                "no climb",
                "It begins with the fall. There should be a climb first.",
                lambda x: x.lr * np.sqrt(x.steps / (x.t + 1)),
            ),
            wrong(
                "the maximum in place of the minimum",
                "It is the larger of both. It must be the smaller.",
                lambda x: (
                    x.lr * np.maximum((x.t + 1) / x.steps, np.sqrt(x.steps / (x.t + 1)))
                ),
            ),
            wrong(
                "no root",
                "It falls as 1/t. It should fall as 1/√t.",
                lambda x: x.lr * np.minimum((x.t + 1) / x.steps, x.steps / (x.t + 1)),
            ),
            wrong(
                "no fall",
                "It stays at the top.",
                lambda x: x.lr * np.minimum((x.t + 1) / x.steps, 1),
            ),
            other(
                "1/√t without the top",
                "It is min(1/√t, t k^−3/2), as in the paper, without √k: its top is "
                "lower.",
                lambda x: (
                    x.lr * np.minimum(1 / np.sqrt(x.t + 1), (x.t + 1) * x.steps**-1.5)
                ),
            ),
        ],
    ),
    "linear": (
        {"lr": 0.1, "steps": 100, "start_factor": 0.0, "end_factor": 1.0},
        lambda x: x.lr * (x.start_factor + (x.end_factor - x.start_factor) * _share(x)),
        [
            other(
                "the first step moves",
                "It climbs by (t + 1)/T, so that the first step has a rate above 0.",
                lambda x: (
                    x.lr
                    * (
                        x.start_factor
                        + (x.end_factor - x.start_factor)
                        * np.minimum((x.t + 1) / x.steps, 1)
                    )
                ),
            ),
            wrong(
                "upside down",
                "It goes from the end to the start.",
                lambda x: (
                    x.lr * (x.end_factor + (x.start_factor - x.end_factor) * _share(x))
                ),
            ),
            wrong(
                "goes on for ever",
                "After the last step the rate stays. Here it goes on.",
                lambda x: (
                    x.lr
                    * (x.start_factor + (x.end_factor - x.start_factor) * x.t / x.steps)
                ),
            ),
            wrong(
                "the start is added",
                "The start is added to the whole line.",
                lambda x: x.lr * (x.start_factor + x.end_factor * _share(x)),
            ),
            wrong(
                "no start",
                "It begins at 0, whatever the start.",
                lambda x: x.lr * x.end_factor * _share(x),
            ),
        ],
    ),
    "one_cycle": (
        {
            "lr": 0.1,
            "steps": 50,
            "pct_start": 0.3,
            "start_factor": 0.04,
            "end_factor": 4e-6,
        },
        _one_cycle,
        [
            other(
                "straight lines",
                "Up and down it goes in straight lines, as in the paper. Ours are "
                "half waves.",
                lambda x: _one_cycle(x, lambda s: 1 - s),
            ),
        ],
    ),
    "cyclic": (
        {"lr": 0.1, "steps_up": 10, "steps_down": None, "floor": 0.01},
        lambda x: x.floor + (x.lr - x.floor) * _triangle(x),
        [
            wrong(
                "begins at the top",
                "It falls first. It should climb first.",
                lambda x: x.floor + (x.lr - x.floor) * (1 - _triangle(x)),
            ),
            wrong(
                "the floor is added",
                "The floor is added to the whole triangle.",
                lambda x: x.floor + x.lr * _triangle(x),
            ),
            wrong(
                "saw teeth",
                "It jumps down from the top. It should fall in a line.",
                lambda x: x.floor + (x.lr - x.floor) * (x.t % x.steps_up) / x.steps_up,
            ),
            wrong(
                "one triangle",
                "It ends after the first triangle.",
                lambda x: (
                    x.floor
                    + (x.lr - x.floor)
                    * np.where(
                        x.t <= x.steps_up + _fall(x),
                        np.clip(
                            np.minimum(
                                x.t / x.steps_up, 1 - (x.t - x.steps_up) / _fall(x)
                            ),
                            0,
                            1,
                        ),
                        0,
                    )
                ),
            ),
            wrong(
                "a period of half the length",
                "A whole triangle takes as many steps as the climb should.",
                lambda x: (
                    x.floor
                    + (x.lr - x.floor) * (1 - abs(2 * ((x.t / x.steps_up) % 1) - 1))
                ),
            ),
        ],
    ),
    "warmup_stable_decay": (
        {"lr": 0.1, "steps": 60, "warmup_steps": 10, "decay_steps": 20, "floor": 0.0},
        _wsd,
        [
            other(
                "the top is reached a step earlier",
                "It climbs by (t + 1)/k. Ours climbs by (t + 1)/(k + 1).",
                lambda x: _wsd(x, 1.0, 0.0),
            ),
            other(
                "the first step does not move",
                "It climbs by t/k, so the first rate is 0.",
                lambda x: _wsd(x, 0.0, 0.0),
            ),
            wrong(
                "no climb",
                "It begins at the top.",
                lambda x: np.where(x.t < x.warmup_steps, x.lr, _wsd(x)),
            ),
            wrong(
                "no fall",
                "It stays at the top.",
                lambda x: np.where(x.t < x.warmup_steps, _wsd(x), x.lr),
            ),
            wrong(
                "the floor is added",
                "The floor is added to the rate.",
                lambda x: np.where(
                    x.t < x.steps - x.decay_steps,
                    _wsd(x),
                    x.floor + x.lr * np.clip((x.steps - x.t) / x.decay_steps, 0, 1),
                ),
            ),
            wrong(
                "falls from the end of the climb",
                "The fall begins where the climb ends.",
                lambda x: np.where(
                    x.t < x.warmup_steps,
                    _wsd(x),
                    x.floor
                    + (x.lr - x.floor)
                    * np.clip((x.steps - x.t) / (x.steps - x.warmup_steps), 0, 1),
                ),
            ),
        ],
    ),
    "warmup": (
        {"lr": 0.1, "steps": 10},
        lambda x: x.lr * np.minimum((x.t + 1) / (x.steps + 1), 1),
        [
            other(
                "the top is reached a step earlier",
                "It climbs by (t + 1)/k. Ours climbs by (t + 1)/(k + 1).",
                lambda x: x.lr * np.minimum((x.t + 1) / x.steps, 1),
            ),
            other(
                "the first step does not move",
                "It climbs by t/k, so the first rate is 0.",
                lambda x: x.lr * np.minimum(x.t / x.steps, 1),
            ),
            wrong(
                "climbs for ever",
                "After the climb the rate stays.",
                lambda x: x.lr * x.t / x.steps,
            ),
            wrong(
                "climbs for ever",
                "After the climb the rate stays.",
                lambda x: x.lr * (x.t + 1) / x.steps,
            ),
            wrong(
                "climbs for ever",
                "After the climb the rate stays.",
                lambda x: x.lr * (x.t + 1) / (x.steps + 1),
            ),
            wrong(
                "upside down",
                "It falls where it should climb.",
                lambda x: x.lr * (1 - np.minimum(x.t / x.steps, 1)),
            ),
            wrong(
                "a jump",
                "The rate is 0 until the climb ends.",
                lambda x: np.where(x.t < x.steps, 0.0, x.lr),
            ),
            wrong(
                "the maximum in place of the minimum",
                "It is the larger of both.",
                lambda x: x.lr * np.maximum(x.t / x.steps, 1),
            ),
            wrong(
                "the maximum in place of the minimum",
                "It is the larger of both.",
                lambda x: x.lr * np.maximum((x.t + 1) / (x.steps + 1), 1),
            ),
        ],
    ),
}


def _deviations(rate: Rate) -> list[Deviation]:
    def shift(by: int) -> Line:
        def line(x: Any) -> Any:
            kept, x.t = x.t, np.maximum(x.t + by, 0)
            try:
                return rate(x)
            finally:
                x.t = kept

        return line

    return [
        convention(
            "a factor, not a rate",
            "It returns what the rate is multiplied by. Ours returns the rate itself.",
            HOME,
            rate=lambda x: rate(x) / x.lr,
        ),
        mistake(
            "a step too early",
            "Every rate comes a step too early: the first step is taken for the "
            "second.",
            HOME,
            rate=shift(1),
        ),
        mistake(
            "a step too late",
            "Every rate comes a step too late.",
            HOME,
            rate=shift(-1),
        ),
        mistake(
            "the same rate in every step",
            "The number of the step changes nothing.",
            HOME,
            rate=lambda x: rate(_at(x, 0)) + 0.0 * x.t,
        ).on_its_own(),
        mistake(
            "the rate twice",
            "The rate is multiplied by itself once more.",
            HOME,
            rate=lambda x: rate(x) * x.lr,
        ).on_its_own(),
        mistake(
            "what is lost, not what is left",
            "It returns by how much the rate has fallen.",
            HOME,
            rate=lambda x: x.lr - rate(x),
        ).on_its_own(),
    ]


class _At:
    """The quantities at another step."""

    def __init__(self, x: Any, t: int) -> None:
        self.__dict__.update(vars(x))
        self.t = t + 0 * x.t


def _at(x: Any, t: int) -> Any:
    return _At(x, t)


def _with_tails(one: Deviation, rate: Rate) -> list[Deviation]:
    """Return a mistake on the way, and the same with a right end."""
    line = one.lines["rate"]

    def ended(x: Any) -> Any:
        return np.where(x.t >= x.steps, rate(x), line(x))

    return [one, one._replace(lines={"rate": ended})]


def _formula(name: str) -> Formula:
    _, rate, known = SPECS[name]
    formula = Formula(rate=rate)
    if name in ("cosine", "polynomial"):
        known = [
            d
            for one in known
            for d in (_with_tails(one, rate) if one.name not in ENDINGS else [one])
        ]
    formula.know(
        *known, *(_deviations(rate) if name != "constant" else _deviations(rate)[:1])
    )
    return formula


ENDINGS = (
    "goes on as a wave",
    "0 at the end",
    "back at the rate at the end",
    "goes below the floor",
    "t over T is rounded",
)
FORMULAS = {name: _formula(name) for name in SPECS}
FROM_1 = convention(
    "steps are counted from 1",
    "It is given 1 for the first step. Ours counts the steps that are done, so it "
    "begins with 0.",
    HOME,
)


class ScheduleTask(FunctionTask):
    """A schedule: a rate for each step."""

    kind = "schedule"
    usual: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "lr": (0.1, 0.01, 0.001, 1.0, 3e-4),
        "steps": (100, 1000, 10, 50, 20),
        "every": (10, 30, 5, 100),
        "factor": (0.1, 0.5, 0.9),
        "power": (1.0, 2.0, 0.9, 0.5),
        "floor": (0.0, 1e-6, 1e-5),
        "rate": (0.1, 0.01, 0.05, 0.9, 0.95),
    }
    axes: ClassVar[Mapping[str, str]] = {"t": "n"}

    def __init__(self, name: str, doc: str) -> None:
        options, _, _ = SPECS[name]
        super().__init__(name, doc, options)
        given = ", ".join(options)
        self.forms = (
            f"def {name}(t, {given}): ... return rate",
            f"def {name}({given}): ... return schedule  # a function of t",
            write_class(name, given, "__call__(self, t)"),
        )

    def cases(self, fixed: dict[str, Any]) -> list[Case]:
        """Return the inputs; options that are fixed keep their values."""
        chosen: list[dict[str, Any]] = [
            {
                "lr": 0.2,
                "steps": 12,
                "floor": 0.03,
                "every": 3,
                "factor": 0.4,
                "rate": 0.2,
                "period": 4,
                "multiplier": 2,
                "power": 2.0,
                "steps_up": 4,
                "steps_down": None,
                "warmup_steps": 4,
                "start_factor": 0.25,
                "end_factor": 0.75,
                "pct_start": 0.4,
                "decay_steps": 5,
                "periodic": False,
            },
            {
                "lr": 0.5,
                "steps": 8,
                "floor": 0.0,
                "every": 4,
                "factor": 0.25,
                "rate": 0.05,
                "period": 5,
                "multiplier": 1,
                "power": 1.0,
                "steps_up": 3,
                "steps_down": None,
                "warmup_steps": 3,
                "start_factor": 0.0,
                "end_factor": 1.0,
                "pct_start": 0.3,
                "decay_steps": 3,
                "periodic": False,
            },
        ]
        if "steps" in self.defaults and "warmup_steps" in self.defaults:
            chosen[0]["steps"], chosen[1]["steps"] = 14, 9
        out = []
        for number, values in enumerate(chosen):
            options = {k: v for k, v in values.items() if k in self.defaults} | {
                k: v for k, v in fixed.items() if k in self.defaults
            }
            longest = int(
                max([12, *(v for v in options.values() if isinstance(v, int))])
            )
            ts = np.arange(2 * longest + 4)
            if longest > 40:
                ts = np.unique(np.linspace(0, 2 * longest, 40).astype(int))
            aspect = ("first steps", "other options")[number]
            out.append(Case(aspect, {"t": ts[ts <= longest]}, options))
            out.append(Case(f"the last steps and after, {aspect}", {"t": ts}, options))
        if "periodic" in self.defaults and "periodic" not in fixed:
            out.append(
                Case(
                    "`periodic`",
                    {"t": np.arange(30)},
                    out[0].options | {"periodic": True},
                )
            )
        return out

    def ways_to_call(self, subject: Any) -> Iterator[Form]:
        """Go through the ways in which a subject may be called."""
        example = {
            name: 10 if value is None else value
            for name, value in self.defaults.items()
        }
        for first in (0, 1):
            for entry in entries_of(subject, METHODS, self.defaults, example, {"t": T}):
                try:
                    function, _ = entry.make(example)
                except Exception:
                    continue
                for b in bind(function, {"t": T}, self.defaults, {}, {"T": "big_t"}):
                    yield self.form(entry, b, first)
            counting = list(
                entries_of(subject, COUNTING, self.defaults, example, {"t": T})
            )
            for entry in counting:
                if entry.how != "a function":
                    yield self.form_that_counts(entry, first)

    def form(self, entry: Entry, binding: Binding, first: int) -> Form:
        """Return the form of a function of t."""

        def call(case: Case, _: set[str]) -> Any:
            function, owner = entry.make(case.options)
            b = binding._replace(f=function)
            return [
                _rate(b({"t": int(t) + first}, case.options), owner)
                for t in case.inputs["t"]
            ]

        clock = ", whose first step is 1" if first else ""
        return self._make_form(entry, call, binding, first, f"{entry.how} of t{clock}")

    def form_that_counts(self, entry: Entry, first: int) -> Form:
        """Return the form of what counts for itself."""

        def call(case: Case, _: set[str]) -> Any:
            function, owner = entry.make(case.options)
            held = _counter(owner) if first == 0 else None
            walked = [] if held is None else [held]
            while len(walked) <= max(case.inputs["t"]):
                walked.append(_rate(function(), owner))
            return [walked[int(t)] for t in case.inputs["t"]]

        b = Binding(None, {}, {}, [], {})
        return self._make_form(entry, call, b, 0, f"{entry.how}, and counts itself")

    def _make_form(
        self, entry: Entry, call: Any, b: Binding, first: int, how: str
    ) -> Form:
        return Form(
            how,
            call,
            _read,
            FORMULAS[self.name],
            (FROM_1,) if first else (),
            b.option_names | entry.accepted,
            entry.defaults | b.defaults,
        )


def _counter(owner: Any) -> Any:
    for name in HELD:
        value = getattr(owner, name, None)
        if isinstance(value, int | float):
            return float(value)
    for name in ("get_lr", "get"):
        method = getattr(owner, name, None)
        if callable(method) and not inspect.signature(method).parameters:
            return float(method())
    return None


def _rate(raw: Any, owner: Any) -> float:
    if raw is None:
        raw = _counter(owner)
    if isinstance(raw, list | tuple) and len(raw) == 1:
        raw = raw[0]
    a = as_array(raw)
    if a.size != 1:
        raise ResultError("it returns no single rate")
    return float(a.reshape(()))


def _read(raw: Any, _: Case) -> dict[str, Parts]:
    return {"the rate": {"rate": np.array(raw, float)}}


SCHEDULES = tuple(SPECS)
