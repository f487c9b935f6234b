"""The catalogue: our formulas line by line, and the lines that others have in place.

A *convention* is another choice that somebody defends; a *mistake* is one that nobody
does. Each is a formula, so it is found by what it computes and not by how it is
written. The lines of an optimizer see the quantities of the step before under the same
names: in the line of `m`, `x.m` is the one before.
"""

import math
from typing import Any

import numpy as np

from chalkgrad.judge._formulas import Deviation, Formula, Line

__all__ = ["OPTIMIZERS", "fix_option"]

RATES = "training/adaptive-rates/#hybrid-a-rate-for-each-weight"
LEARNED = "training/adaptive-rates/#a-rate-that-is-learned"
WALK = "training/adaptive-rates/#non-parametric-ask-the-run"
MOMENTUM = "training/gradient-descent/#momentum"
STEP = "training/gradient-descent/#one-step"
CLOCK = "training/bugs-that-shipped/#9-the-step-count-that-stands-still"
BRACKET = "training/bugs-that-shipped/#10-the-bracket-that-closed-too-early"


def mistake(name: str, why: str, page: str = STEP, **lines: Line) -> Deviation:
    """Return a mistake that changes lines."""
    return Deviation(name, "mistake", why, lines, page)


def convention(name: str, why: str, page: str = RATES, **lines: Line) -> Deviation:
    """Return a convention that changes lines."""
    return Deviation(name, "convention", why, lines, page)


def rule(**lines: Line) -> Formula:
    """Return the lines of a rule, with places for what goes wrong with every rule."""
    placed: dict[str, Line] = {"gradient": lambda x: x.gradient}
    for name, line in lines.items():
        placed[name] = line
        if name == "step":
            placed["scaled"] = lambda x: x.step
    formula = Formula(**placed)
    formula.know(*COMMON)
    return formula


def keep(x: Any, name: str, value: Any) -> Any:
    """Put a quantity in the place of another one, and return it."""
    setattr(x, name, value)
    return value


def root(a: Any) -> Any:
    """Return the square root; of what is negative nan, as NumPy."""
    return np.sqrt(a)


# --- What goes wrong with every rule --------------------------------------------------

# Between the `step` of a rule and the weights less it stands the line `scaled`.
COMMON = [
    mistake(
        "the step is added",
        "The gradient points uphill, so the step must be subtracted. With the sign "
        "turned, the loss grows.",
        w=lambda x: x.w + x.step,
    ),
    mistake(
        "no rate",
        "The step is not multiplied by the rate. It is as if the rate were 1.",
        scaled=lambda x: keep(x, "step", x.step / x.lr),
    ).on_its_own(),
    mistake(
        "the rate twice",
        "The step is multiplied by the rate twice. At a rate of 0.1 it is a tenth of "
        "what it should be.",
        scaled=lambda x: keep(x, "step", x.step * x.lr),
    ),
    mistake(
        "divided by the rate",
        "The step is divided by the rate in place of being multiplied by it. The "
        "smaller the rate, the longer the step.",
        scaled=lambda x: keep(x, "step", x.step / x.lr**2),
    ).on_its_own(),
    mistake(
        "the rate falls as 1/t",
        "The rate is divided by the number of the step. That is a schedule, which "
        "nobody asked for.",
        "training/learning-rate/#a-rate-that-changes",
        scaled=lambda x: keep(x, "step", x.step / x.t),
    ),
    mistake(
        "the rate falls as 1/√t",
        "The rate is divided by the root of the number of the step. That is a "
        "schedule, which nobody asked for.",
        "training/learning-rate/#a-rate-that-changes",
        scaled=lambda x: keep(x, "step", x.step / math.sqrt(x.t)),
    ).on_its_own(),
    mistake(
        "the rate times t",
        "The rate is multiplied by the number of the step. So steps grow in place of "
        "staying or falling.",
        scaled=lambda x: keep(x, "step", x.step * x.t),
    ).on_its_own(),
    mistake(
        "the step in place of the weights",
        "What is returned is the step, not the weights after it. The weights must "
        "be in the sum.",
        w=lambda x: x.step,
    ).on_its_own(),
    mistake(
        "the step in place of the weights",
        "What is returned is the step, not the weights after it. The weights must "
        "be in the sum.",
        w=lambda x: -x.step,
    ).on_its_own(),
    mistake(
        "the weights do not move",
        "The weights that come back are those that were given. The step is "
        "computed and then lost.",
        w=lambda x: x.w + 0 * x.step,
    ).on_its_own(),
    mistake(
        "the weights are multiplied",
        "The weights are multiplied by one less the step. The step must be "
        "subtracted from them.",
        w=lambda x: x.w * (1 - x.step),
    ).on_its_own(),
    mistake(
        "a step too late",
        "The first step is not made, or made with a gradient of 0. Every weight is "
        "where it should have been a step before.",
        scaled=lambda x: keep(x, "step", x.step * (x.t > 1)),
    ).on_its_own(),
    mistake(
        "the sign of the step alone",
        "Only the sign of the step is kept. So every weight moves by the same amount.",
        scaled=lambda x: keep(x, "step", x.lr * np.sign(x.step)),
    ).on_its_own(),
    mistake(
        "the mean of the gradient",
        "The gradient is averaged over the weights. Each weight must have its own.",
        gradient=lambda x: np.mean(x.gradient) + 0 * x.gradient,
    ).on_its_own(),
    mistake(
        "the size of the gradient",
        "The gradient has lost its sign. Every weight then moves the same way.",
        gradient=lambda x: abs(x.gradient),
    ).on_its_own(),
    mistake(
        "the gradient is normalised",
        "The gradient is divided by its length. Nobody asked for that, and its size "
        "is lost.",
        gradient=lambda x: x.gradient / np.sqrt(np.sum(x.gradient**2)),
    ).on_its_own(),
    mistake(
        "the gradient is cut to [-1, 1]",
        "Large gradients are clipped. That is a wrapper of its own, and nobody asked "
        "for it.",
        gradient=lambda x: np.clip(x.gradient, -1, 1),
    ).on_its_own(),
    Deviation(
        "instances share their state",
        "mistake",
        "Two optimizers of the same kind step with each other's averages. The state "
        "is kept in the class, the module or a default argument, and must be made "
        "anew for each.",
        shared="instances",
        page="training/bugs-that-shipped/#8-what-the-first-call-left-behind",
    ),
    Deviation(
        "arrays share their state",
        "mistake",
        "All arrays of parameters step with the same averages. Each needs its own.",
        shared="arrays",
        page=RATES,
    ),
    Deviation(
        "steps are counted once for each array",
        "mistake",
        "The count of steps grows with every array of parameters, not with every "
        "step. Count once, before the loop over arrays.",
        shared="count",
        page=CLOCK,
    ),
]


def of_decay(line: str) -> list[Deviation]:
    """Return what goes wrong with a weight decay that is apart, in one line."""
    return [
        convention(
            "the decay is not multiplied by the rate",
            "The weights shrink by λ a step, whatever the rate. The paper leaves the "
            "decay to a schedule of its own; we, as PyTorch, multiply it by the rate.",
            RATES,
            **{line: lambda x: x.w * (1 - x.weight_decay)},
        ),
        convention(
            "the decay after the step",
            "The weights shrink after the step, and the step with them. We shrink "
            "them before.",
            RATES,
            w=lambda x: (x.w - x.step) * (1 - x.lr * x.weight_decay),
            **{line: lambda x: x.w},
        ),
        convention(
            "the decay coupled",
            "The decay is added to the gradient and passes through all that the rule "
            "does with it. Decoupled, it shrinks the weights directly.",
            RATES,
            **{
                line: lambda x: x.w,
                "gradient": lambda x: x.gradient + x.weight_decay * x.w,
            },
        ),
        mistake(
            "no decay",
            "The option of the weight decay changes nothing. The weights must shrink "
            "by ηλ a step.",
            RATES,
            **{line: lambda x: x.w},
        ),
        mistake(
            "the decay grows the weights",
            "The decay has the wrong sign. The weights must shrink.",
            RATES,
            **{line: lambda x: x.w * (1 + x.lr * x.weight_decay)},
        ),
        mistake(
            "the decay is subtracted as it is",
            "What is subtracted does not depend on the weight. The decay is a share "
            "of each weight.",
            RATES,
            **{line: lambda x: x.w - x.lr * x.weight_decay},
        ),
        mistake(
            "the decay is all that stays",
            "The weights are multiplied by the decay, not by one less it. Almost "
            "nothing is left of them.",
            RATES,
            **{line: lambda x: x.w * x.lr * x.weight_decay},
        ),
        mistake(
            "the decay multiplied by the rate twice",
            "The decay is multiplied by the rate twice. At a rate of 0.1 it is a "
            "tenth of what it should be.",
            RATES,
            **{line: lambda x: x.w * (1 - x.lr**2 * x.weight_decay)},
        ),
    ]


def of_mean(first: str = "m", rate: str = "beta1", page: str = RATES) -> Any:
    """Return what goes wrong with a running mean of the gradient."""

    def beta(x: Any) -> float:
        return float(getattr(x, rate))

    def before(x: Any) -> Any:
        return getattr(x, first)

    return [
        mistake(
            f"no (1 − β) in {first}",
            f"The gradient is added to {first} whole. A running mean takes only the "
            "share 1 − β of it.",
            page,
            **{first: lambda x: beta(x) * before(x) + x.g},
        ),
        mistake(
            f"the shares of {first} exchanged",
            f"{first} keeps 1 − β of what it was and takes β of the new one. It "
            "should be the other way round.",
            page,
            **{first: lambda x: (1 - beta(x)) * before(x) + beta(x) * x.g},
        ),
        mistake(
            f"{first} is forgotten",
            f"{first} has nothing of the steps before. It is not stored, not "
            "returned, or made anew in every step.",
            page,
            **{first: lambda x: (1 - beta(x)) * x.g},
        ),
        mistake(
            f"{first} never fades",
            f"What {first} was is kept whole, so it grows. It must be multiplied by β.",
            page,
            **{first: lambda x: before(x) + (1 - beta(x)) * x.g},
        ),
        mistake(
            f"{first} of squared gradients",
            f"{first} averages the squares. It must average the gradients "
            "themselves, whose sign says where to go.",
            page,
            **{first: lambda x: beta(x) * before(x) + (1 - beta(x)) * x.g**2},
        ),
        mistake(
            f"{first} starts at the first gradient",
            f"{first} is the gradient itself in the first step, where it should be a "
            "share of it.",
            page,
            **{
                first: lambda x: (
                    x.g if x.t == 1 else beta(x) * before(x) + (1 - beta(x)) * x.g
                )
            },
        ),
    ]


def of_square(second: str = "v", rate: str = "beta2") -> list[Deviation]:
    """Return what goes wrong with a running mean of squared gradients."""

    def beta(x: Any) -> float:
        return float(getattr(x, rate))

    def before(x: Any) -> Any:
        return getattr(x, second)

    return [
        mistake(
            "squares forgotten",
            f"{second} averages the gradients and not their squares. Its root is then "
            "not their size, and of a negative number there is none.",
            RATES,
            **{second: lambda x: beta(x) * before(x) + (1 - beta(x)) * x.g},
        ),
        mistake(
            f"{second} of sizes",
            f"{second} averages the sizes of the gradients and not their squares. The "
            "root that follows is then one too many.",
            RATES,
            **{second: lambda x: beta(x) * before(x) + (1 - beta(x)) * abs(x.g)},
        ),
        mistake(
            f"no (1 − β) in {second}",
            f"The squares are added to {second} whole. A running mean takes only the "
            "share 1 − β of them.",
            RATES,
            **{second: lambda x: beta(x) * before(x) + x.g**2},
        ),
        mistake(
            f"the shares of {second} exchanged",
            f"{second} keeps 1 − β of what it was and takes β of the new one. It "
            "should be the other way round.",
            RATES,
            **{second: lambda x: (1 - beta(x)) * before(x) + beta(x) * x.g**2},
        ),
        mistake(
            f"{second} is forgotten",
            f"{second} has nothing of the steps before. It is not stored, not "
            "returned, or made anew in every step.",
            RATES,
            **{second: lambda x: (1 - beta(x)) * x.g**2},
        ),
        mistake(
            f"{second} never fades",
            f"What {second} was is kept whole, so it only grows and the steps only "
            "shrink. It must be multiplied by β.",
            RATES,
            **{second: lambda x: before(x) + (1 - beta(x)) * x.g**2},
        ),
        mistake(
            f"{second} is a sum",
            f"The squares are summed, as in Adagrad. Here {second} must forget.",
            RATES,
            **{second: lambda x: before(x) + x.g**2},
        ),
        mistake(
            "one rate for all",
            f"{second} averages over the weights, too, so all have the same rate. Each "
            "weight must have its own.",
            RATES,
            **{second: lambda x: beta(x) * before(x) + (1 - beta(x)) * np.mean(x.g**2)},
        ),
        mistake(
            f"{second} is the square of the mean",
            f"{second} is made of one number, β v + (1 − β) g, squared. The square "
            "belongs to the gradient alone.",
            RATES,
            **{second: lambda x: (beta(x) * before(x) + (1 - beta(x)) * x.g) ** 2},
        ),
        mistake(
            f"1 − β squared in {second}",
            "The bracket closes too late: (1 − β) is squared with the gradient. Only "
            "the gradient should be.",
            RATES,
            **{second: lambda x: beta(x) * before(x) + ((1 - beta(x)) * x.g) ** 2},
        ),
        mistake(
            f"{second} starts at the first square",
            f"{second} is the square itself in the first step, where it should be a "
            "share of it.",
            RATES,
            **{
                second: lambda x: (
                    x.g**2 if x.t == 1 else beta(x) * before(x) + (1 - beta(x)) * x.g**2
                )
            },
        ),
    ]


def of_root(along: str, over: Any, size: Any, inside: Deviation | None) -> Any:
    """Return what goes wrong with a fraction over a root, and with its ε.

    `over(x)` is what stands above, `size(x)` what the root is taken of.
    """

    def line(f: Any) -> dict[str, Line]:
        return {along: f}

    return [
        inside
        or mistake(
            "ε inside the root",
            "ε is added before the root is taken. There 1e-8 counts as 1e-4 does "
            "outside, so small gradients make much shorter steps.",
            RATES,
            **line(lambda x: over(x) / root(size(x) + x.eps)),
        ),
        mistake(
            "ε after the fraction",
            "The bracket closed too early: ε is added to the step and not to the "
            "root below. Every weight drifts by it, and a gradient of 0 is 0 / 0.",
            BRACKET,
            **line(lambda x: over(x) / root(size(x)) + x.eps),
        ),
        mistake(
            "ε added to the weight",
            "The bracket closed too early: ε is added to the step, after the rate. "
            "Every weight drifts by it, and a gradient of 0 is 0 / 0.",
            BRACKET,
            step=lambda x: x.lr * over(x) / root(size(x)) + x.eps,
        ),
        mistake(
            "ε added to the weight",
            "The bracket closed too early: ε is added to the weight, after the step. "
            "Every weight drifts by it, and a gradient of 0 is 0 / 0.",
            BRACKET,
            step=lambda x: x.lr * over(x) / root(size(x)) - x.eps,
        ),
        mistake(
            "no ε",
            "Nothing is added to the root. So a weight that has not had a gradient "
            "yet becomes nan.",
            BRACKET,
            **line(lambda x: over(x) / root(size(x))),
        ),
        mistake(
            "ε in place of what is too small",
            "The root is replaced by ε where it is smaller. It should be added.",
            RATES,
            **line(lambda x: over(x) / np.maximum(root(size(x)), x.eps)),
        ),
        mistake(
            "ε squared inside the root",
            "The square of ε is added before the root is taken. That is close to ε "
            "outside, but not the same where the gradient is as small as ε.",
            RATES,
            **line(lambda x: over(x) / root(size(x) + x.eps**2)),
        ),
        mistake(
            "no root",
            "What is divided by is the mean of squares itself. Its root has the "
            "gradient's unit, so that the unit cancels.",
            RATES,
            **line(lambda x: over(x) / (size(x) + x.eps)),
        ),
        mistake(
            "multiplied by the root",
            "The step is multiplied by the root in place of being divided by it. So "
            "steep weights make the longest steps.",
            RATES,
            **line(lambda x: over(x) * (root(size(x)) + x.eps)),
        ),
        mistake(
            "not divided at all",
            "The mean of squares is computed and not used. All weights have the same "
            "rate.",
            RATES,
            **line(over),
        ),
        mistake(
            "one norm for all",
            "The gradient is divided by the length of the whole vector. Each weight "
            "must be divided by its own root.",
            RATES,
            **line(lambda x: over(x) / (root(np.sum(size(x))) + x.eps)),
        ),
        mistake(
            "ε subtracted",
            "ε has the wrong sign. Where the root is as small as ε, the step is "
            "infinite.",
            RATES,
            **line(lambda x: over(x) / (root(size(x)) - x.eps)),
        ),
    ]


def inside_root(along: str, over: Any, size: Any) -> Deviation:
    """Return ε inside the root, where that is a convention."""
    return convention(
        "ε inside the root",
        "ε is added before the root is taken, as some libraries do. We add it after, "
        "as PyTorch does; give ε squared here to come close.",
        RATES,
        **{along: lambda x: over(x) / root(size(x) + x.eps)},
    )


def of_clock(first: Any, second: Any) -> list[Deviation]:
    """Return what goes wrong with the two corrections for the start at 0.

    `first(x, t)` and `second(x, t)` are what the two means are divided by.
    """

    def at(clock: Any) -> dict[str, Line]:
        return {
            "m_hat": lambda x: x.m / first(x, clock(x.t)),
            "v_hat": lambda x: x.top / second(x, clock(x.t)),
        }

    return [
        mistake(
            "t never grows",
            "The correction is that of the first step in every step. Count the steps, "
            "and use the count.",
            CLOCK,
            **at(lambda _: 1),
        ),
        convention(
            "steps are counted from 0",
            "It corrects step t as step t + 1: its t is 0 in the first step. Ours is "
            "1; give it one less.",
            CLOCK,
            **at(lambda t: t + 1),
        )._replace(kind="mistake", name="t is one too large"),
        mistake(
            "t is 0 in the first step",
            "1 − β^0 is 0, so the first step is 0 / 0. Count up before the "
            "correction, not after, and store the count.",
            CLOCK,
            **at(lambda t: t - 1),
        ),
        mistake(
            "t is one too small",
            "The first step is not corrected, and each later one as the one before. "
            "Count up before the correction, not after.",
            CLOCK,
            **at(lambda t: max(t - 1, 1)),
        ),
        mistake(
            "t grows twice a step",
            "The count of steps is two more after each step. It is counted up in two "
            "places.",
            CLOCK,
            **at(lambda t: 2 * t),
        ),
    ]


def of_corrections(first: Any, second: Any) -> list[Deviation]:
    """Return what goes wrong with the corrections but for their clock."""
    return [
        mistake(
            "no bias correction",
            "m and v start at 0 and are too small at first. Divide them by 1 − β^t.",
            CLOCK,
            m_hat=lambda x: x.m,
            v_hat=lambda x: x.top,
        ),
        mistake(
            "only m is corrected",
            "v starts at 0, too, and needs its correction more than m does. Without "
            "it the first step is many times too long.",
            CLOCK,
            v_hat=lambda x: x.top,
        ),
        mistake(
            "only v is corrected",
            "m starts at 0, too. Without its correction the first steps are too short.",
            CLOCK,
            m_hat=lambda x: x.m,
        ),
        mistake(
            "the corrections exchanged",
            "m is divided by what belongs to v, and v by what belongs to m. Each has "
            "its own β.",
            CLOCK,
            m_hat=lambda x: x.m / second(x, x.t),
            v_hat=lambda x: x.top / first(x, x.t),
        ),
        mistake(
            "β₁ in both corrections",
            "v is corrected with the β of m. Each has its own.",
            CLOCK,
            v_hat=lambda x: x.top / first(x, x.t),
        ),
        mistake(
            "β₂ in both corrections",
            "m is corrected with the β of v. Each has its own.",
            CLOCK,
            m_hat=lambda x: x.m / second(x, x.t),
        ),
        mistake(
            "multiplied by the correction",
            "m and v are multiplied by 1 − β^t. They must be divided by it.",
            CLOCK,
            m_hat=lambda x: x.m * first(x, x.t),
            v_hat=lambda x: x.top * second(x, x.t),
        ),
        mistake(
            "1 − β₁ t in place of 1 − β₁^t",
            "β₁ is multiplied by t and not raised to it. In Python a power is `**`.",
            CLOCK,
            m_hat=lambda x: x.m / (1 - x.beta1 * x.t),
        ),
        mistake(
            "1 − β₂ t in place of 1 − β₂^t",
            "β₂ is multiplied by t and not raised to it. In Python a power is `**`.",
            CLOCK,
            v_hat=lambda x: x.top / (1 - x.beta2 * x.t),
        ),
        mistake(
            "β₁ is not raised to t",
            "m is divided by 1 − β₁ in every step. It must be 1 − β₁^t.",
            CLOCK,
            m_hat=lambda x: x.m / first(x, 1),
        ),
        mistake(
            "β₂ is not raised to t",
            "v is divided by 1 − β₂ in every step. It must be 1 − β₂^t.",
            CLOCK,
            v_hat=lambda x: x.top / second(x, 1),
        ),
        mistake(
            "the corrected mean is kept",
            "m and v are replaced by their corrected values, which the next step then "
            "takes for the plain ones. Correct a copy.",
            CLOCK,
            m_hat=lambda x: keep(x, "m", x.m / first(x, x.t)),
            v_hat=lambda x: keep(x, "v", x.v / second(x, x.t)),
        ),
    ]


def exchange(one: str, other: str, words: str) -> Deviation:
    """Return the mistake of two options that are exchanged."""
    return Deviation(
        f"{words} exchanged",
        "mistake",
        f"{one} stands where {other} belongs and the other way round. Check the order "
        "of the arguments.",
        page=RATES,
        options={one: lambda o: o[other], other: lambda o: o[one]},
    )


def same(one: str, other: str) -> Deviation:
    """Return the mistake of one option that stands in for another."""
    return Deviation(
        f"{one} in place of {other}",
        "mistake",
        f"{one} is used where {other} belongs. {other} changes nothing.",
        page=RATES,
        options={other: lambda o: o[one]},
    )


def _no_look_ahead(x: Any) -> Any:
    return x.v


# --- Gradient descent -----------------------------------------------------------------

SGD = rule(
    g=lambda x: x.gradient + x.weight_decay * x.w,
    fresh=lambda x: x.g if x.t == 1 else (1 - x.dampening) * x.g,
    v=lambda x: x.momentum * x.v + x.fresh,
    along=lambda x: x.g + x.momentum * x.v if x.nesterov else x.v,
    step=lambda x: x.lr * x.along,
    w=lambda x: x.w - x.step,
)
SGD.know(
    convention(
        "momentum as (1 − μ) g",
        "The velocity is a running mean: the gradient enters with the share 1 − μ. In "
        "ours, as in PyTorch, it enters whole, so the same rate steps 1/(1 − μ) "
        "times as far.",
        MOMENTUM,
        fresh=lambda x: (1 - x.momentum) * x.g,
    ),
    convention(
        "momentum as a corrected mean",
        "The velocity is a running mean that is corrected for its start at 0, as in "
        "Adam. In ours, as in PyTorch, the gradient enters whole.",
        MOMENTUM,
        fresh=lambda x: (1 - x.momentum) * x.g,
        along=lambda x: x.v / (1 - x.momentum**x.t),
    ),
    convention(
        "the first gradient dampened, too",
        "The dampening works from the first step on. In ours, as in PyTorch, the "
        "first velocity is the first gradient.",
        MOMENTUM,
        fresh=lambda x: (1 - x.dampening) * x.g,
    ),
    convention(
        "the decay decoupled",
        "The weights shrink apart from the gradient, as in AdamW. In ours the decay "
        "is a part of the gradient and passes through the momentum.",
        g=lambda x: x.gradient,
        w=lambda x: x.w * (1 - x.lr * x.weight_decay) - x.step,
    ),
    convention(
        "the decay without the half",
        "The decay is the gradient of λ‖w‖², which is 2λw. Ours is that of half of it.",
        "training/loss-functions/#one-number",
        g=lambda x: x.gradient + 2 * x.weight_decay * x.w,
    ),
    mistake(
        "no momentum",
        "The velocity is not used, or has nothing of the steps before. The option "
        "changes nothing.",
        MOMENTUM,
        v=lambda x: x.fresh,
    ),
    mistake(
        "momentum with the wrong sign",
        "The velocity is subtracted where it should be added. Each step brakes the "
        "one before.",
        MOMENTUM,
        v=lambda x: -x.momentum * x.v + x.fresh,
    ),
    mistake(
        "the shares of the velocity exchanged",
        "The velocity keeps 1 − μ of what it was, and takes μ of the gradient. It "
        "should keep μ.",
        MOMENTUM,
        v=lambda x: (1 - x.momentum) * x.v + x.momentum * x.fresh,
    ),
    mistake(
        "the gradient enters with μ",
        "The velocity is μ (v + g). Only the old velocity is multiplied by μ.",
        MOMENTUM,
        v=lambda x: x.momentum * (x.v + x.fresh),
    ),
    mistake(
        "the velocity never fades",
        "The velocity is kept whole, so it grows for ever. It must be multiplied by μ.",
        MOMENTUM,
        v=lambda x: x.v + x.fresh,
    ),
    mistake(
        "the velocity of the step before",
        "The weights step along the velocity that was, and the gradient counts only "
        "in the next step. Renew the velocity first.",
        MOMENTUM,
        along=lambda x: (x.v - x.fresh) / x.momentum if x.momentum else 0 * x.v,
    ),
    mistake(
        "momentum on the step alone",
        "The weights step along g + μ g', the gradient before, and not along all of "
        "them. The velocity must be kept, not the gradient.",
        MOMENTUM,
        along=lambda x: x.g + x.momentum * _before(x, "g"),
    ),
    mistake(
        "no look ahead",
        "Nesterov's form steps as plain momentum does. It must step along g + μ v.",
        MOMENTUM,
        along=_no_look_ahead,
    ),
    mistake(
        "looks ahead unasked",
        "Plain momentum steps as Nesterov's form does. It must step along v.",
        MOMENTUM,
        along=lambda x: x.g + x.momentum * x.v,
    ),
    mistake(
        "looks ahead along the old velocity",
        "Nesterov's form steps along g + μ v with the velocity of the step before, "
        "which is v itself. Renew the velocity first.",
        MOMENTUM,
        v=lambda x: x.momentum * x.v + x.fresh,
        along=lambda x: x.v + x.momentum * x.v if x.nesterov else x.v,
    ),
    mistake(
        "the velocity is multiplied by the rate, too",
        "The rate multiplies the gradient on its way into the velocity and then the "
        "velocity. Once is enough.",
        MOMENTUM,
        fresh=lambda x: x.lr * (x.g if x.t == 1 else (1 - x.dampening) * x.g),
    ),
    mistake(
        "momentum from the rate",
        "The velocity fades by 1 − η and not by μ. The option changes nothing.",
        MOMENTUM,
        v=lambda x: (1 - x.lr) * x.v + x.fresh,
    ),
    mistake(
        "no decay",
        "The option of the weight decay changes nothing. Add λw to the gradient.",
        g=lambda x: x.gradient,
    ),
    mistake(
        "the decay grows the weights",
        "The decay has the wrong sign. The weights must shrink.",
        g=lambda x: x.gradient - x.weight_decay * x.w,
    ),
    mistake(
        "the decay without the weights",
        "λ is added to the gradient, and not λw.",
        g=lambda x: x.gradient + x.weight_decay,
    ),
    mistake(
        "the decay of the squared weights",
        "λw² is added to the gradient. That is the penalty and not its derivative, λw.",
        g=lambda x: x.gradient + x.weight_decay * x.w**2,
    ),
    mistake(
        "an L1 penalty",
        "λ sign(w) is added to the gradient. That is the derivative of λ|w|.",
        g=lambda x: x.gradient + x.weight_decay * np.sign(x.w),
    ),
    mistake(
        "the decay is not multiplied by the rate",
        "The weights shrink by λ a step, whatever the rate. As a part of the "
        "gradient, the decay is multiplied by it.",
        g=lambda x: x.gradient,
        w=lambda x: x.w * (1 - x.weight_decay) - x.step,
    ),
)


def _before(x: Any, name: str) -> Any:
    """Return a quantity of the step before, and keep that of this step."""
    kept = f"before_{name}"
    value = getattr(x, kept)
    setattr(x, kept, getattr(x, name))
    return value


# --- A rate for each weight -----------------------------------------------------------

ADAGRAD = rule(
    g=lambda x: x.gradient,
    v=lambda x: x.v + x.g**2,
    along=lambda x: x.g / (root(x.v) + x.eps),
    step=lambda x: x.lr * x.along,
    w=lambda x: x.w - x.step,
)
FRACTION = ("along", lambda x: x.g, lambda x: x.v)
ADAGRAD.know(
    Deviation(
        "v starts at 0.1",
        "convention",
        "The sum of squares does not start at 0, but at 0.1, as in some libraries. "
        "The first steps are shorter for small gradients.",
        start={"v": 0.1},
        page=RATES,
    ),
    Deviation(
        "v starts at 1",
        "convention",
        "The sum of squares does not start at 0, but at 1. The first steps are "
        "shorter for small gradients.",
        start={"v": 1.0},
        page=RATES,
    ),
    Deviation(
        "v starts at ε",
        "mistake",
        "The sum of squares starts at ε. It starts at 0, and ε is added to its root.",
        page=RATES,
        lines={"v": lambda x: x.v + x.g**2 + x.eps * (x.t == 1)},
    ),
    *of_root(*FRACTION, inside=inside_root(*FRACTION)),
    mistake(
        "squares forgotten",
        "v sums the gradients and not their squares. Its root is then not their size.",
        RATES,
        v=lambda x: x.v + x.g,
    ),
    mistake(
        "v of sizes",
        "v sums the sizes of the gradients and not their squares.",
        RATES,
        v=lambda x: x.v + abs(x.g),
    ),
    mistake(
        "v is forgotten",
        "v has nothing of the steps before. It must be a sum over all of them.",
        RATES,
        v=lambda x: x.g**2,
    ),
    mistake(
        "v is a mean",
        "v is divided by the number of steps, so the rate does not fall. Adagrad sums.",
        RATES,
        along=lambda x: x.g / (root(x.v / x.t) + x.eps),
    ),
    mistake(
        "v forgets",
        "v is a running mean with 0.9, as in RMSprop. Adagrad sums.",
        RATES,
        v=lambda x: 0.9 * x.v + 0.1 * x.g**2,
    ),
    mistake(
        "v of the step before",
        "The step is divided by the sum that was. Add the new squares first.",
        RATES,
        along=lambda x: x.g / (root(x.v - x.g**2) + x.eps),
    ),
    mistake(
        "the mean over all weights",
        "v sums the mean of the squares of all weights. Each weight must have its own.",
        RATES,
        v=lambda x: x.v + np.mean(x.g**2),
    ),
)

RMSPROP = rule(
    g=lambda x: x.gradient,
    v=lambda x: (
        x.decay * x.v
        + (
            x.decay * (1 - x.decay) * (x.g - x.m) ** 2
            if x.centered
            else (1 - x.decay) * x.g**2
        )
    ),
    m=lambda x: x.m + (1 - x.decay) * (x.g - x.m),
    ratio=lambda x: x.g / (root(x.v) + x.eps),
    u=lambda x: x.momentum * x.u + x.ratio,
    step=lambda x: x.lr * x.u,
    w=lambda x: x.w - x.step,
)
FRACTION = ("ratio", lambda x: x.g, lambda x: x.v)
RMSPROP.know(
    *of_root(*FRACTION, inside=inside_root(*FRACTION)),
    Deviation(
        "v starts at 1",
        "convention",
        "The mean of squares does not start at 0, but at 1. The first steps are "
        "shorter.",
        start={"v": 1.0},
        page=RATES,
    ),
    convention(
        "with a bias correction",
        "v is corrected for its start at 0, as in Adam. Hinton's slide has none.",
        ratio=lambda x: x.g / (root(x.v / (1 - x.decay**x.t)) + x.eps),
    ),
    *of_square("v", "decay"),
    mistake(
        "v of the step before",
        "The step is divided by the mean that was. Renew v first.",
        RATES,
        ratio=lambda x: x.g / (root((x.v - (1 - x.decay) * x.g**2) / x.decay) + x.eps),
    ),
    mistake(
        "no momentum",
        "The option of the momentum changes nothing.",
        MOMENTUM,
        u=lambda x: x.ratio,
    ),
    mistake(
        "momentum as (1 − μ) of the step",
        "The step enters its running mean with the share 1 − μ. In Graves' form and "
        "in PyTorch it enters whole.",
        MOMENTUM,
        u=lambda x: x.momentum * x.u + (1 - x.momentum) * x.ratio,
    )._replace(kind="convention"),
    mistake(
        "momentum of the gradient",
        "The velocity is that of the gradients, and is divided by the root at the "
        "end. Divide first, then add to the velocity.",
        MOMENTUM,
        ratio=lambda x: x.g,
        u=lambda x: x.momentum * x.u + x.g,
        step=lambda x: x.lr * x.u / (root(x.v) + x.eps),
    ),
    mistake(
        "not centred",
        "The option `centered` changes nothing. The mean of the gradients must be "
        "taken off.",
        RATES,
        v=lambda x: x.decay * x.v + (1 - x.decay) * x.g**2,
    ),
)

ADADELTA = rule(
    g=lambda x: x.gradient,
    v=lambda x: x.decay * x.v + (1 - x.decay) * x.g**2,
    delta=lambda x: root(x.u + x.eps) / root(x.v + x.eps) * x.g,
    u=lambda x: x.decay * x.u + (1 - x.decay) * x.delta**2,
    step=lambda x: x.lr * x.delta,
    w=lambda x: x.w - x.step,
)
ADADELTA.know(
    convention(
        "u of the steps that were made",
        "The mean of past steps is that of the steps times the rate. At a rate of 1, "
        "as in the paper, there is no difference.",
        u=lambda x: x.decay * x.u + (1 - x.decay) * (x.lr * x.delta) ** 2,
    ),
    convention(
        "ε outside of the roots",
        "ε is added after the roots are taken. In the paper it is inside.",
        delta=lambda x: (root(x.u) + x.eps) / (root(x.v) + x.eps) * x.g,
    ),
    mistake(
        "ε below alone",
        "ε is missing above. Then the first step is 0, and so is every other.",
        RATES,
        delta=lambda x: root(x.u) / root(x.v + x.eps) * x.g,
    ),
    mistake(
        "ε above alone",
        "ε is missing below. So a weight without a gradient becomes nan.",
        RATES,
        delta=lambda x: root(x.u + x.eps) / root(x.v) * x.g,
    ),
    mistake(
        "the fraction upside down",
        "Past gradients stand over past steps. It should be the other way round.",
        RATES,
        delta=lambda x: root(x.v + x.eps) / root(x.u + x.eps) * x.g,
    ),
    mistake(
        "no root",
        "The fraction is that of the means of squares. Take the root of each.",
        RATES,
        delta=lambda x: (x.u + x.eps) / (x.v + x.eps) * x.g,
    ),
    mistake(
        "u of gradients",
        "u averages squared gradients, as v does. It must average squared steps.",
        RATES,
        u=lambda x: x.decay * x.u + (1 - x.decay) * x.g**2,
    ),
    mistake(
        "u is not squared",
        "u averages the steps and not their squares.",
        RATES,
        u=lambda x: x.decay * x.u + (1 - x.decay) * x.delta,
    ),
    mistake(
        "u is forgotten",
        "u stays 0: past steps are not kept. So the steps do not grow.",
        RATES,
        u=lambda x: 0 * x.u,
    ),
    mistake(
        "the shares of u exchanged",
        "u keeps 1 − ρ of what it was and takes ρ of the new one. It should be the "
        "other way round.",
        RATES,
        u=lambda x: (1 - x.decay) * x.u + x.decay * x.delta**2,
    ),
    mistake(
        "no (1 − ρ) in u",
        "The squared step enters u whole. A running mean takes only the share 1 − ρ.",
        RATES,
        u=lambda x: x.decay * x.u + x.delta**2,
    ),
    mistake(
        "no past steps above",
        "The gradient is divided by its root mean square and not multiplied by that of "
        "past steps. That is RMSprop.",
        RATES,
        delta=lambda x: x.g / root(x.v + x.eps),
    ),
    mistake(
        "the gradient is missing",
        "The step is the fraction alone. It must be multiplied by the gradient.",
        RATES,
        delta=lambda x: root(x.u + x.eps) / root(x.v + x.eps),
    ),
    *of_square("v", "decay"),
)

# --- The Adam family ------------------------------------------------------------------


def _first(x: Any, t: float) -> float:
    return float(1 - x.beta1**t)


def _second(x: Any, t: float) -> float:
    return float(1 - x.beta2**t)


def _adam(along: str = "along") -> list[Deviation]:
    """Return what goes wrong with Adam's two means and their fraction."""
    parts = (along, lambda x: x.m_hat, lambda x: x.v_hat)
    return [
        convention(
            "ε before the correction",
            "ε is added to the root of v before it is corrected, as in the second form "
            "of the paper. In the first steps ε then counts for more.",
            RATES,
            **{
                along: lambda x: x.m_hat * root(_second(x, x.t)) / (root(x.top) + x.eps)
            },
        ),
        *of_root(*parts, inside=None),
        *of_mean(),
        *of_square(),
        *of_clock(_first, _second),
        *of_corrections(_first, _second),
        exchange("beta1", "beta2", "the betas"),
        same("beta1", "beta2"),
        same("beta2", "beta1"),
        mistake(
            "the gradient in place of m",
            "The step goes along the gradient and not along its mean. m is not used.",
            RATES,
            m_hat=lambda x: x.g,
        ),
        mistake(
            "v of the step before",
            "The step is divided by the mean of squares that was. Renew v first.",
            RATES,
            v_hat=lambda x: (x.v - (1 - x.beta2) * x.g**2) / x.beta2 / _second(x, x.t),
        ),
        mistake(
            "m of the step before",
            "The step goes along the mean that was. Renew m first.",
            RATES,
            m_hat=lambda x: (x.m - (1 - x.beta1) * x.g) / x.beta1 / _first(x, x.t),
        ),
        mistake(
            "squares of m",
            "v averages the squares of m and not those of the gradient.",
            RATES,
            v=lambda x: x.beta2 * x.v + (1 - x.beta2) * x.m**2,
        ),
        mistake(
            "m fades into v",
            "v keeps β₂ of m and not of itself.",
            RATES,
            v=lambda x: x.beta2 * x.m + (1 - x.beta2) * x.g**2,
        ),
        mistake(
            "v fades with β₁",
            "v keeps β₁ of what it was. It has a β of its own.",
            RATES,
            v=lambda x: x.beta1 * x.v + (1 - x.beta2) * x.g**2,
        ),
        mistake(
            "m fades with β₂",
            "m keeps β₂ of what it was. It has a β of its own.",
            RATES,
            m=lambda x: x.beta2 * x.m + (1 - x.beta1) * x.g,
        ),
        mistake(
            "the root of the correction of v is missing",
            "The rate is corrected by (1 − β₂^t)/(1 − β₁^t). v stands under a root, so "
            "its correction must, too.",
            CLOCK,
            **{along: lambda x: x.m_hat * _second(x, x.t) / (root(x.top) + x.eps)},
        ),
    ]


ADAM = rule(
    g=lambda x: x.gradient,
    m=lambda x: x.beta1 * x.m + (1 - x.beta1) * x.g,
    v=lambda x: x.beta2 * x.v + (1 - x.beta2) * x.g**2,
    m_hat=lambda x: x.m / (1 - x.beta1**x.t),
    top=lambda x: np.maximum(x.top, x.v) if x.amsgrad else x.v,
    v_hat=lambda x: x.top / (1 - x.beta2**x.t),
    along=lambda x: x.m_hat / (root(x.v_hat) + x.eps),
    step=lambda x: x.lr * x.along,
    w=lambda x: x.w - x.step,
)
ADAM.know(
    convention(
        "AMSGrad",
        "The largest v so far takes the place of v. That is `amsgrad=True` of ours.",
        top=lambda x: np.maximum(x.top, x.v),
    ),
    convention(
        "AMSGrad of the corrected v",
        "The largest v so far takes the place of v, and is compared after its "
        "correction. PyTorch's and ours is compared before.",
        top=lambda x: x.v,
        v_hat=lambda x: keep(x, "high", np.maximum(x.high, x.v / _second(x, x.t))),
    ),
    convention(
        "AMSGrad that keeps v itself at its largest",
        "v never falls: its largest value is kept as v, and the next mean starts from "
        "there. AMSGrad of the paper and of PyTorch keeps both.",
        v=lambda x: np.maximum(x.beta2 * x.v + (1 - x.beta2) * x.g**2, x.v),
    ),
    convention(
        "Nesterov's momentum",
        "The step looks ahead: β₁ m + (1 − β₁) g stands for m, as in NAdam without its "
        "schedule.",
        m_hat=lambda x: (
            x.beta1 * x.m / (1 - x.beta1 ** (x.t + 1))
            + (1 - x.beta1) * x.g / (1 - x.beta1**x.t)
        ),
    ),
    convention(
        "Nesterov's momentum, one correction",
        "The step looks ahead: β₁ m + (1 − β₁) g stands for m, and both are corrected "
        "as m is.",
        m_hat=lambda x: (x.beta1 * x.m + (1 - x.beta1) * x.g) / (1 - x.beta1**x.t),
    ),
    convention(
        "AdaBelief",
        "v averages the squares of g − m: how far a gradient is from what was "
        "expected. That is another rule.",
        v=lambda x: x.beta2 * x.v + (1 - x.beta2) * (x.g - x.m) ** 2,
    ),
    mistake(
        "no largest v",
        "The option `amsgrad` changes nothing.",
        RATES,
        top=lambda x: x.v,
    )._replace(name="`amsgrad` changes nothing"),
    *_adam(),
)

ADAMW = rule(
    **{name: line for name, line in ADAM.lines.items() if name not in ("w", "scaled")},
    kept=lambda x: x.w * (1 - x.lr * x.weight_decay),
    w=lambda x: x.kept - x.step,
)
ADAMW.lines["top"] = lambda x: x.v
ADAMW.know(
    *of_decay("kept"),
    convention(
        "AMSGrad",
        "The largest v so far takes the place of v.",
        top=lambda x: np.maximum(x.top, x.v),
    ),
    *_adam(),
)

NADAM = rule(
    g=lambda x: x.gradient,
    now=lambda x: x.beta1 * (1 - 0.5 * 0.96 ** (0.004 * x.t)),
    ahead=lambda x: x.beta1 * (1 - 0.5 * 0.96 ** (0.004 * (x.t + 1))),
    mu=lambda x: (x.mu if x.t > 1 else 1.0) * x.now,
    m=lambda x: x.beta1 * x.m + (1 - x.beta1) * x.g,
    v=lambda x: x.beta2 * x.v + (1 - x.beta2) * x.g**2,
    m_hat=lambda x: (
        (1 - x.now) / (1 - x.mu) * x.g + x.ahead / (1 - x.mu * x.ahead) * x.m
    ),
    top=lambda x: x.v,
    v_hat=lambda x: x.top / (1 - x.beta2**x.t),
    along=lambda x: x.m_hat / (root(x.v_hat) + x.eps),
    step=lambda x: x.lr * x.along,
    w=lambda x: x.w - x.step,
)
NADAM.know(
    convention(
        "μ is β₁ in every step",
        "The momentum has no schedule: it is β₁ from the first step on. Dozat's report "
        "and PyTorch let it grow.",
        now=lambda x: x.beta1,
        ahead=lambda x: x.beta1,
    ),
    convention(
        "the schedule of μ is 250 times as fast",
        "The momentum grows as 0.96^t, as in Keras. Dozat and PyTorch have "
        "0.96^(0.004 t).",
        now=lambda x: x.beta1 * (1 - 0.5 * 0.96**x.t),
        ahead=lambda x: x.beta1 * (1 - 0.5 * 0.96 ** (x.t + 1)),
    ),
    convention(
        "one correction for both",
        "The momentum has no schedule, and the gradient and m are corrected alike.",
        m_hat=lambda x: (x.beta1 * x.m + (1 - x.beta1) * x.g) / (1 - x.beta1**x.t),
    ),
    mistake(
        "no look ahead",
        "The step is that of Adam. NAdam looks ahead as Nesterov's momentum does.",
        RATES,
        m_hat=lambda x: x.m / (1 - x.beta1**x.t),
    ),
    mistake(
        "the momentum of this step twice",
        "m is multiplied by the μ of this step. Looking ahead, it is that of the next.",
        RATES,
        ahead=lambda x: x.now,
    ),
    mistake(
        "the product of all μ is forgotten",
        "What is divided by is 1 − μ of this step alone. It is the product of all.",
        RATES,
        mu=lambda x: x.now,
    ),
    *[
        one
        for one in _adam()
        if not {"m_hat"} & set(one.lines) and one.kind == "mistake"
    ],
    convention(
        "ε before the correction",
        "ε is added to the root of v before it is corrected. In the first steps ε "
        "then counts for more.",
        along=lambda x: x.m_hat * root(_second(x, x.t)) / (root(x.v) + x.eps),
    ),
)


def trust_from(low: float, beta2: float, t: int) -> float:
    """RAdam's factor after t steps; 0 up to a threshold."""
    most = 2 / (1 - beta2) - 1
    rho = most - 2 * t * beta2**t / (1 - beta2**t)
    if rho <= low:
        return 0.0
    return math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))


RADAM = rule(
    g=lambda x: x.gradient,
    m=lambda x: x.beta1 * x.m + (1 - x.beta1) * x.g,
    v=lambda x: x.beta2 * x.v + (1 - x.beta2) * x.g**2,
    m_hat=lambda x: x.m / (1 - x.beta1**x.t),
    trust=lambda x: trust_from(5, x.beta2, x.t),
    adapted=lambda x: x.m_hat * root(_second(x, x.t)) / (root(x.v) + x.eps),
    along=lambda x: x.trust * x.adapted if x.trust else x.m_hat,
    step=lambda x: x.lr * x.along,
    w=lambda x: x.w - x.step,
)


RADAM.know(
    convention(
        "the threshold is 4",
        "v is trusted from ρ = 4 on, as in the paper. PyTorch and ours wait until 5.",
        trust=lambda x: trust_from(4, x.beta2, x.t),
    ),
    convention(
        "ε after the correction",
        "ε is added after v is corrected, as in Adam. PyTorch and ours add it before.",
        adapted=lambda x: x.m_hat / (root(x.v / _second(x, x.t)) + x.eps),
    ),
    convention(
        "no ε",
        "Nothing is added to the root, as in the paper.",
        adapted=lambda x: x.m_hat / root(x.v / _second(x, x.t)),
    ),
    convention(
        "no step until v can be trusted",
        "The weights wait until v can be trusted. The paper and ours step along m.",
        along=lambda x: x.trust * x.adapted,
    ),
    mistake(
        "not rectified",
        "Once v is trusted, the step is that of Adam. It must be multiplied by r.",
        RATES,
        along=lambda x: x.adapted if x.trust else x.m_hat,
    ),
    mistake(
        "Adam from the first step",
        "v is trusted from the first step on, as in Adam.",
        RATES,
        along=lambda x: x.adapted,
    ),
    mistake(
        "momentum for ever",
        "v is never used. Once it can be trusted, it must be.",
        RATES,
        along=lambda x: x.m_hat,
    ),
    mistake(
        "ε inside the root",
        "ε is added before the root is taken, where it counts for more.",
        RATES,
        adapted=lambda x: x.m_hat * root(_second(x, x.t)) / root(x.v + x.eps),
    ),
    mistake(
        "v is not corrected",
        "v starts at 0 and is too small at first. Divide it by 1 − β₂^t.",
        CLOCK,
        adapted=lambda x: x.m_hat / (root(x.v) + x.eps),
    ),
    mistake(
        "m is not corrected",
        "m starts at 0 and is too small at first. Divide it by 1 − β₁^t.",
        CLOCK,
        m_hat=lambda x: x.m,
    ),
    *of_mean(),
    *of_square(),
    exchange("beta1", "beta2", "the betas"),
)

ADAMAX = rule(
    g=lambda x: x.gradient,
    m=lambda x: x.beta1 * x.m + (1 - x.beta1) * x.g,
    u=lambda x: np.maximum(x.beta2 * x.u, abs(x.g) + x.eps),
    m_hat=lambda x: x.m / (1 - x.beta1**x.t),
    along=lambda x: x.m_hat / x.u,
    step=lambda x: x.lr * x.along,
    w=lambda x: x.w - x.step,
)
ADAMAX.know(
    convention(
        "ε below the fraction",
        "ε is added to u, and not to |g| on its way into it.",
        u=lambda x: np.maximum(x.beta2 * x.u, abs(x.g)),
        along=lambda x: x.m_hat / (x.u + x.eps),
    ),
    convention(
        "no ε",
        "Nothing is added to |g|, as in the paper.",
        u=lambda x: np.maximum(x.beta2 * x.u, abs(x.g)),
    ),
    mistake(
        "m is not corrected",
        "m starts at 0 and is too small at first. Divide it by 1 − β₁^t.",
        CLOCK,
        m_hat=lambda x: x.m,
    ),
    mistake(
        "u is corrected, too",
        "u is a maximum and no mean, so it needs no correction.",
        CLOCK,
        along=lambda x: x.m_hat / (x.u / _second(x, x.t)),
    ),
    mistake(
        "t never grows",
        "The correction is that of the first step in every step.",
        CLOCK,
        m_hat=lambda x: x.m / (1 - x.beta1),
    ),
    mistake(
        "u never fades",
        "u keeps the largest gradient for ever. It must be multiplied by β₂.",
        RATES,
        u=lambda x: np.maximum(x.u, abs(x.g) + x.eps),
    ),
    mistake(
        "the largest with its sign",
        "u is the largest gradient and not the largest size. Take |g|.",
        RATES,
        u=lambda x: np.maximum(x.beta2 * x.u, x.g + x.eps),
    ),
    mistake(
        "the smallest",
        "u takes the smaller of the two. It must take the larger.",
        RATES,
        u=lambda x: np.minimum(x.beta2 * x.u, abs(x.g) + x.eps),
    ),
    mistake(
        "the root of u",
        "The step is divided by the root of u. u is a size already.",
        RATES,
        along=lambda x: x.m_hat / root(x.u),
    ),
    mistake(
        "a mean of sizes",
        "u is a running mean of |g|. It must be a maximum that fades.",
        RATES,
        u=lambda x: x.beta2 * x.u + (1 - x.beta2) * (abs(x.g) + x.eps),
    ),
    mistake(
        "the largest square",
        "u is the largest squared gradient. Take |g|.",
        RATES,
        u=lambda x: np.maximum(x.beta2 * x.u, x.g**2 + x.eps),
    ),
    *of_mean(),
    exchange("beta1", "beta2", "the betas"),
)

LION = rule(
    g=lambda x: x.gradient,
    mixed=lambda x: x.beta1 * x.m + (1 - x.beta1) * x.g,
    m=lambda x: x.beta2 * x.m + (1 - x.beta2) * x.g,
    along=lambda x: np.sign(x.mixed),
    step=lambda x: x.lr * x.along,
    kept=lambda x: x.w * (1 - x.lr * x.weight_decay),
    w=lambda x: x.kept - x.step,
)
LION.know(
    *of_decay("kept"),
    exchange("beta1", "beta2", "the betas"),
    same("beta1", "beta2"),
    same("beta2", "beta1"),
    mistake(
        "no sign",
        "The step goes along the mix itself. Only its sign counts.",
        RATES,
        along=lambda x: x.mixed,
    ),
    mistake(
        "the sign of the gradient",
        "The step goes along the sign of the gradient. m is not used.",
        RATES,
        mixed=lambda x: x.g,
    ),
    mistake(
        "m before the mix",
        "m is renewed before it is mixed with the gradient. It should be after.",
        RATES,
        mixed=lambda x: (
            x.beta1 * (x.beta2 * x.m + (1 - x.beta2) * x.g) + (1 - x.beta1) * x.g
        ),
    ),
    mistake(
        "sign(0) is 1",
        "A weight without a gradient moves. sign(0) is 0.",
        RATES,
        along=lambda x: np.where(x.mixed >= 0, 1.0, -1.0),
    ),
    mistake(
        "sign(0) is -1",
        "A weight without a gradient moves. sign(0) is 0.",
        RATES,
        along=lambda x: np.where(x.mixed > 0, 1.0, -1.0),
    ),
    *of_mean("m", "beta2"),
)

# --- Signs and averages ---------------------------------------------------------------


def _rprop_eta(x: Any, grow: float, shrink: float, bounds: bool = True) -> Any:
    if x.t == 1:
        return 0 * x.g + x.lr
    factor = np.where(x.turn > 0, grow, np.where(x.turn < 0, shrink, 1.0))
    eta = x.eta * factor
    return np.clip(eta, x.smallest, x.largest) if bounds else eta


RPROP = rule(
    g=lambda x: x.gradient,
    turn=lambda x: np.sign(x.g) * np.sign(x.last),
    eta=lambda x: _rprop_eta(x, x.grow, x.shrink),
    last=lambda x: np.where(x.turn < 0, 0, x.g),
    along=lambda x: np.sign(x.last),
    found=lambda x: x.eta * x.along,
    step=lambda x: x.found,
    w=lambda x: x.w - x.step,
)
RPROP.know(
    convention(
        "no wait where the sign turned",
        "A weight whose gradient turned steps at once, with its shorter step. That is "
        "the variant Rprop⁻; PyTorch's and ours waits for one step.",
        last=lambda x: x.g,
    ),
    convention(
        "the step is taken back where the sign turned",
        "A weight whose gradient turned goes back by its last step, as in the paper. "
        "PyTorch's and ours waits there.",
        step=lambda x: keep(x, "made", np.where(x.turn < 0, -x.made, x.eta * x.along)),
    ),
    convention(
        "the first step grows, too",
        "The first step is shortened to its bounds. Ours is as given.",
        eta=lambda x: (
            np.clip(0 * x.g + x.lr, x.smallest, x.largest)
            if x.t == 1
            else _rprop_eta(x, x.grow, x.shrink)
        ),
    )._replace(name="the first step has bounds, too"),
    exchange("grow", "shrink", "the two factors"),
    mistake(
        "each step is made one call late",
        "What is subtracted is the step that was found one call before. The first call "
        "does nothing.",
        RATES,
        step=lambda x: np.where(x.turn < 0, 0, _before(x, "found")),
    ),
    mistake(
        "no bounds",
        "The steps may grow and shrink without end.",
        RATES,
        eta=lambda x: _rprop_eta(x, x.grow, x.shrink, bounds=False),
    ),
    mistake(
        "steps do not grow",
        "The step never grows where the sign stays.",
        RATES,
        eta=lambda x: _rprop_eta(x, 1.0, x.shrink),
    ),
    mistake(
        "steps do not shrink",
        "The step never shrinks where the sign turns.",
        RATES,
        eta=lambda x: _rprop_eta(x, x.grow, 1.0),
    ),
    mistake(
        "the gradient counts",
        "The step is multiplied by the gradient. Only its sign counts.",
        RATES,
        along=lambda x: x.last,
    ),
    mistake(
        "the gradient before is forgotten",
        "The sign is never compared with the one before, so the step stays the same.",
        RATES,
        eta=lambda x: 0 * x.g + x.lr,
        last=lambda x: x.g,
    ),
)

ASGD = rule(
    g=lambda x: x.gradient,
    eta=lambda x: x.lr / (1 + x.weight_decay * x.lr * (x.t - 1)) ** x.power,
    kept=lambda x: (1 - x.weight_decay * x.eta) * x.w,
    step=lambda x: x.eta * x.g,
    w=lambda x: x.kept - x.step,
)
ASGD.know(
    mistake(
        "the rate does not fall",
        "Every step has the first rate.",
        "training/stochastic-gradient-descent/#why-rates-must-fall",
        eta=lambda x: 0 * x.t + x.lr,
    ),
    mistake(
        "the rate falls a step too early",
        "The second rate is that of the first step. Count the steps done.",
        "training/stochastic-gradient-descent/#why-rates-must-fall",
        eta=lambda x: x.lr / (1 + x.weight_decay * x.lr * x.t) ** x.power,
    ),
    mistake(
        "the power is 1",
        "The rate falls as 1/t, whatever the power.",
        "training/stochastic-gradient-descent/#why-rates-must-fall",
        eta=lambda x: x.lr / (1 + x.weight_decay * x.lr * (x.t - 1)),
    ),
    mistake(
        "no decay",
        "The weights do not shrink.",
        "training/stochastic-gradient-descent/#why-rates-must-fall",
        kept=lambda x: x.w,
    ),
)

SCHEDULE_FREE = rule(
    g=lambda x: x.gradient,
    v=lambda x: x.beta2 * x.v + (1 - x.beta2) * x.g**2,
    v_hat=lambda x: x.v / (1 - x.beta2**x.t),
    along=lambda x: x.g / (root(x.v_hat) + x.eps) + x.weight_decay * x.w,
    step=lambda x: x.lr * x.along,
    z=lambda x: (x.w if x.t == 1 else x.z) - x.step,
    x=lambda x: (1 - 1 / x.t) * x.x + 1 / x.t * x.z,
    w=lambda x: (1 - x.beta1) * x.z + x.beta1 * x.x,
)
SCHEDULE_FREE.know(
    mistake(
        "no correction of v",
        "v starts at 0 and is too small at first. Divide it by 1 − β₂^t.",
        CLOCK,
        v_hat=lambda x: x.v,
    ),
    mistake(
        "the shares of z and x exchanged",
        "The weights are β₁ z + (1 − β₁) x. It should be the other way round.",
        LEARNED,
        w=lambda x: x.beta1 * x.z + (1 - x.beta1) * x.x,
    ),
    mistake(
        "no average",
        "The weights are those of the walk. They must be pulled towards its average.",
        LEARNED,
        w=lambda x: x.z,
    ),
    mistake(
        "the average alone",
        "The weights are the average. The gradient belongs between it and the walk.",
        LEARNED,
        w=lambda x: x.x,
    ),
    mistake(
        "no decay",
        "The option of the weight decay changes nothing.",
        RATES,
        along=lambda x: x.g / (root(x.v_hat) + x.eps),
    ),
    *of_square(),
)

# --- Rates that are found -------------------------------------------------------------


def _dot(a: Any, b: Any) -> Any:
    return np.sum(a * b)


def _barzilai_borwein(x: Any, ratio: Any) -> Any:
    s, y = x.w - x.before_w, x.g - x.before_g
    x.before_w, x.before_g = x.w, x.g
    if x.t == 1:
        return x.lr
    return ratio(s, y) if _dot(s, y) > 0 else x.eta


BARZILAI_BORWEIN = rule(
    g=lambda x: x.gradient,
    eta=lambda x: _barzilai_borwein(x, lambda s, y: _dot(s, s) / _dot(s, y)),
    step=lambda x: x.eta * x.g,
    w=lambda x: x.w - x.step,
)
BARZILAI_BORWEIN.know(
    convention(
        "the short rate",
        "The rate is (s · y) / (y · y), the other one of the paper. Ours is the long "
        "one, (s · s) / (s · y).",
        WALK,
        eta=lambda x: _barzilai_borwein(x, lambda s, y: _dot(s, y) / _dot(y, y)),
    ),
    mistake(
        "the rate stays",
        "Every step has the first rate.",
        WALK,
        eta=lambda x: x.lr,
    ),
    mistake(
        "the fraction upside down",
        "The rate is (s · y) / (s · s), which is a curvature.",
        WALK,
        eta=lambda x: _barzilai_borwein(x, lambda s, y: _dot(s, y) / _dot(s, s)),
    ),
)

DOG = rule(
    g=lambda x: x.gradient,
    origin=lambda x: x.w if x.t == 1 else x.origin,
    far=lambda x: np.maximum(
        1e-6 * (1 + root(_dot(x.w, x.w))) if x.t == 1 else x.far,
        root(_dot(x.w - x.origin, x.w - x.origin)),
    ),
    total=lambda x: x.total + _dot(x.g, x.g),
    along=lambda x: x.far / root(x.total + x.eps) * x.g,
    step=lambda x: x.lr * x.along,
    w=lambda x: x.w - x.step,
)
DOG.know(
    mistake(
        "the distance now",
        "The distance is that of now and not the largest so far.",
        WALK,
        far=lambda x: (
            1e-6 * (1 + root(_dot(x.w, x.w)))
            if x.t == 1
            else root(_dot(x.w - x.origin, x.w - x.origin))
        ),
    ),
    mistake(
        "the gradient now",
        "The squares of the gradients are not summed.",
        WALK,
        total=lambda x: _dot(x.g, x.g),
    ),
    mistake(
        "no root",
        "The distance is divided by the sum of squares and not by its root.",
        WALK,
        along=lambda x: x.far / (x.total + x.eps) * x.g,
    ),
)

HYPERGRADIENT = rule(
    g=lambda x: x.gradient,
    eta=lambda x: (
        (x.lr if x.t == 1 else x.eta) + x.hyper_lr * _dot(x.g, _before(x, "g"))
    ),
    step=lambda x: x.eta * x.g,
    w=lambda x: x.w - x.step,
)
HYPERGRADIENT.know(
    mistake(
        "the rate turns the wrong way",
        "The rate falls where two gradients agree. It must grow.",
        LEARNED,
        eta=lambda x: (
            (x.lr if x.t == 1 else x.eta) - x.hyper_lr * _dot(x.g, _before(x, "g"))
        ),
    ),
    mistake(
        "the rate stays",
        "Every step has the first rate.",
        LEARNED,
        eta=lambda x: x.lr,
    ),
    mistake(
        "the rate from this gradient alone",
        "The rate grows by the squared length of this gradient. It is the product "
        "with the one before.",
        LEARNED,
        eta=lambda x: (x.lr if x.t == 1 else x.eta) + x.hyper_lr * _dot(x.g, x.g),
    ),
)


def _distance(x: Any) -> Any:
    reach = np.sum(abs(x.s))
    return np.maximum(x.d, x.r / reach) if reach > 0 else x.d


PRODIGY = rule(
    g=lambda x: x.gradient,
    origin=lambda x: x.w if x.t == 1 else x.origin,
    d=lambda x: 1e-6 if x.t == 1 else x.d,
    m=lambda x: x.beta1 * x.m + (1 - x.beta1) * x.d * x.g,
    v=lambda x: x.beta2 * x.v + (1 - x.beta2) * (x.d * x.g) ** 2,
    r=lambda x: (
        root(x.beta2) * x.r
        + (1 - root(x.beta2)) * x.lr * x.d**2 * _dot(x.g, x.origin - x.w)
    ),
    s=lambda x: root(x.beta2) * x.s + (1 - root(x.beta2)) * x.lr * x.d**2 * x.g,
    step=lambda x: x.lr * x.d * x.m / (root(x.v) + np.maximum(x.d * x.eps, 1e-30)),
    w=lambda x: x.w - x.step,
    grown=lambda x: keep(x, "d", _distance(x)),
)
PRODIGY.know(
    mistake(
        "the distance stays",
        "The estimate of the distance never grows.",
        LEARNED,
        grown=lambda x: x.d,
    ),
    mistake(
        "ε is not in the unit of d",
        "ε is added as it is. It must be multiplied by d.",
        LEARNED,
        step=lambda x: x.lr * x.d * x.m / (root(x.v) + x.eps),
    ),
)

BY_LAYER = "training/adaptive-rates/#layer-by-layer"


def length(a: Any) -> Any:
    """Return the length of all numbers of a layer."""
    return np.sqrt(np.sum(np.square(a)))


def _ratio(size: Any, of: Any) -> Any:
    return size / of if size > 0 and of > 0 else 1.0


def _decayed(x: Any) -> Any:
    return x.along + x.weight_decay * x.w


LAMB = rule(
    **{
        name: line
        for name, line in ADAM.lines.items()
        if name not in ("w", "scaled", "step", "top")
    },
    update=_decayed,
    ratio=lambda x: _ratio(length(x.w), length(x.update)),
    step=lambda x: x.lr * x.ratio * x.update,
    w=lambda x: x.w - x.step,
)
LAMB.lines["v_hat"] = lambda x: x.v / (1 - x.beta2**x.t)
LAMB.know(
    convention(
        "the length of the weights is cut off at 10",
        "φ of the paper cuts the length of the weights off. Ours takes it as it is.",
        BY_LAYER,
        ratio=lambda x: _ratio(min(length(x.w), 10.0), length(x.update)),
    ),
    convention(
        "no bias correction",
        "m and v are not corrected for their start at 0, as in some code of the "
        "authors. The ratio makes up for most of it.",
        BY_LAYER,
        m_hat=lambda x: x.m,
        v_hat=lambda x: x.v / 1,
    ),
    convention(
        "the ratio is cut off at 10",
        "The ratio of both lengths is never above 10. Ours is not cut off.",
        BY_LAYER,
        ratio=lambda x: min(_ratio(length(x.w), length(x.update)), 10.0),
    ),
    mistake(
        "no ratio",
        "The step is that of AdamW. It must be multiplied by the length of the weights "
        "over that of the step.",
        BY_LAYER,
        ratio=lambda _: 1.0,
    ),
    mistake(
        "the ratio upside down",
        "It is the length of the step over that of the weights.",
        BY_LAYER,
        ratio=lambda x: _ratio(length(x.update), length(x.w)),
    ),
    mistake(
        "the length of the weights alone",
        "The step is not divided by its own length.",
        BY_LAYER,
        ratio=lambda x: length(x.w),
    ),
    mistake(
        "the length of the step alone",
        "The step is not multiplied by the length of the weights.",
        BY_LAYER,
        ratio=lambda x: _ratio(1.0, length(x.update)),
    ),
    mistake(
        "the length of the gradient",
        "It is divided by the length of the gradient. It must be that of the step.",
        BY_LAYER,
        ratio=lambda x: _ratio(length(x.w), length(x.g)),
    ),
    mistake(
        "the length without the decay",
        "The ratio is made before the decay is added to the step.",
        BY_LAYER,
        ratio=lambda x: _ratio(length(x.w), length(x.along)),
    ),
    mistake(
        "the squares of the lengths",
        "The roots of both lengths are missing.",
        BY_LAYER,
        ratio=lambda x: _ratio(length(x.w) ** 2, length(x.update) ** 2),
    ),
    mistake(
        "sums of sizes",
        "The lengths are sums of sizes. They must be roots of sums of squares.",
        BY_LAYER,
        ratio=lambda x: _ratio(np.sum(abs(x.w)), np.sum(abs(x.update))),
    ),
    mistake(
        "a ratio for each weight",
        "Each weight has its own ratio. A layer has one.",
        BY_LAYER,
        ratio=lambda x: abs(x.w) / abs(x.update),
    ),
    mistake(
        "the decay is missing",
        "The decay changes nothing. It must be added to the step.",
        BY_LAYER,
        update=lambda x: x.along,
    ),
    mistake(
        "the sign of the decay",
        "The decay must be added to the step, which is subtracted.",
        BY_LAYER,
        update=lambda x: x.along - x.weight_decay * x.w,
    ),
    *of_mean(),
    *of_square(),
)


def newton_schulz(
    u: Any, *, steps: int = 5, made: tuple[float, ...] = (3.4445, -4.7750, 2.0315)
) -> Any:
    """Return a matrix of about the same directions, all of the length 1."""
    a, b, c = made
    x = u
    wide = x.T if x.shape[0] > x.shape[1] else x
    for _ in range(steps):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide.T if x.shape[0] > x.shape[1] else wide


def _gain(x: Any) -> Any:
    rows, columns = np.shape(x.w)
    return math.sqrt(max(1.0, columns / rows))


def _nearly_unit(x: Any) -> Any:
    return x.look / (length(x.look) + 1e-7)


MUON = rule(
    g=lambda x: x.gradient,
    m=lambda x: x.momentum * x.m + (1 - x.momentum) * x.g,
    look=lambda x: (
        x.momentum * x.m + (1 - x.momentum) * x.g if x.nesterov else x.m + 0.0
    ),
    unit=lambda x: x.look / (length(x.look) or 1.0),
    direction=lambda x: newton_schulz(x.unit),
    gain=_gain,
    step=lambda x: x.lr * x.gain * x.direction,
    kept=lambda x: x.w * (1 - x.lr * x.weight_decay),
    w=lambda x: x.kept - x.step,
)
MUON.know(
    convention(
        "momentum with the whole gradient",
        "The gradient is added to the momentum whole. Only directions count, so that "
        "changes nothing but where the look ahead is.",
        BY_LAYER,
        m=lambda x: x.momentum * x.m + x.g,
        look=lambda x: x.momentum * x.m + x.g if x.nesterov else x.m + 0.0,
    ),
    convention(
        "1e-07 is added to the length",
        "A little is added to the length that the momentum is divided by. Ours is not "
        "divided where the length is 0.",
        BY_LAYER,
        unit=_nearly_unit,
    ),
    *(
        convention(
            name + (", and 1e-07 is added to the length" if more else ""),
            why,
            BY_LAYER,
            gain=gain,
            **({"unit": _nearly_unit} if more else {}),
        )
        for more in (False, True)
        for name, why, gain in (
            (
                "weights as (outputs, inputs)",
                "Its gain is that of a matrix of shape (outputs, inputs).",
                lambda x: math.sqrt(max(1.0, x.w.shape[0] / x.w.shape[1])),
            ),
            (
                "no gain",
                "The step is not multiplied by the root of outputs over inputs.",
                lambda _: 1.0,
            ),
        )
    ),
    convention(
        "a gain of 0.2 √ of the longer side",
        "Its steps are as long as those of AdamW, as Moonshot has it.",
        BY_LAYER,
        gain=lambda x: 0.2 * math.sqrt(max(x.w.shape)),
    ),
    mistake(
        "not made orthogonal",
        "The step is the momentum itself.",
        BY_LAYER,
        direction=lambda x: x.look,
    ),
    mistake(
        "only its length is made 1",
        "The momentum is divided by its length. Each of its directions must be.",
        BY_LAYER,
        direction=lambda x: x.look / (length(x.look) or 1.0),
    ),
    mistake(
        "one step of Newton and Schulz",
        "It makes one step of the iteration. It takes five.",
        BY_LAYER,
        direction=lambda x: newton_schulz(x.unit, steps=1),
    ),
    mistake(
        "an iteration too few",
        "It makes four steps of the iteration. It takes five.",
        BY_LAYER,
        direction=lambda x: newton_schulz(x.unit, steps=4),
    ),
    mistake(
        "an iteration too many",
        "It makes six steps of the iteration. It takes five.",
        BY_LAYER,
        direction=lambda x: newton_schulz(x.unit, steps=6),
    ),
    mistake(
        "the sign of b",
        "The second coefficient of the iteration is −4.7750.",
        BY_LAYER,
        direction=lambda x: newton_schulz(x.unit, made=(3.4445, 4.7750, 2.0315)),
    ),
    convention(
        "the classic iteration",
        "The coefficients are those of Newton and Schulz, 1.5 and −0.5, which converge "
        "more slowly.",
        BY_LAYER,
        direction=lambda x: newton_schulz(x.unit, made=(1.5, -0.5, 0.0)),
    ),
    mistake(
        "no look ahead",
        "The option `nesterov` changes nothing.",
        BY_LAYER,
        look=lambda x: x.m + 0.0,
    ),
    mistake(
        "the gradient alone",
        "There is no momentum: the gradient itself is made orthogonal.",
        BY_LAYER,
        look=lambda x: x.g + 0.0,
    ).on_its_own(),
    mistake(
        "the sign of the decay",
        "The decay must shrink the weights.",
        BY_LAYER,
        kept=lambda x: x.w * (1 + x.lr * x.weight_decay),
    ),
    mistake(
        "no decay",
        "The option of the weight decay changes nothing.",
        BY_LAYER,
        kept=lambda x: x.w + 0.0,
    ),
    convention(
        "the decay is not multiplied by the rate",
        "The weights shrink by λ a step, whatever the rate.",
        BY_LAYER,
        kept=lambda x: x.w * (1 - x.weight_decay),
    ),
)

OPTIMIZERS = {
    "adadelta": ADADELTA,
    "adagrad": ADAGRAD,
    "adam": ADAM,
    "adamax": ADAMAX,
    "adamw": ADAMW,
    "asgd": ASGD,
    "barzilai_borwein": BARZILAI_BORWEIN,
    "dog": DOG,
    "hypergradient": HYPERGRADIENT,
    "lamb": LAMB,
    "lion": LION,
    "muon": MUON,
    "nadam": NADAM,
    "prodigy": PRODIGY,
    "radam": RADAM,
    "rmsprop": RMSPROP,
    "rprop": RPROP,
    "schedule_free_adamw": SCHEDULE_FREE,
    "sgd": SGD,
}


# What people write where they do not ask.
USUAL = {
    "lr": (1e-3, 1e-2, 0.1, 1.0, 1e-4, 2e-3, 0.05, 0.5, 3e-4),
    "beta1": (0.9, 0.5, 0.95, 0.99, 0.8, 0.0),
    "beta2": (0.999, 0.99, 0.9, 0.95, 0.98, 0.9999),
    "decay": (0.9, 0.99, 0.95, 0.999, 0.5),
    "eps": (1e-8, 1e-7, 1e-6, 1e-10, 1e-5, 1e-4, 1e-3, 1e-12, 1e-16, 1e-15, 0.0),
    "momentum": (0.9, 0.5, 0.99, 0.95, 0.0),
    "weight_decay": (0.0, 1e-2, 1e-4, 1e-3, 0.1, 5e-4),
}


def fix_option(name: str, value: Any, *, is_taken: bool) -> Deviation:
    """Return the deviation of an option that has a value of its own.

    It is a mistake if the option can be given and changes nothing; if there is no such
    option, it is how the subject is made.
    """
    if is_taken:
        why = f"The option `{name}` changes nothing: {value} is written in the code."
    else:
        why = f"There is no option for `{name}`; {value} is written in the code."
    return Deviation(
        f"`{name}` is {value}, whatever is asked"
        if is_taken
        else f"`{name}` is {value}",
        "mistake" if is_taken else "convention",
        why,
        page=RATES,
        options={name: lambda _: value},
    )
