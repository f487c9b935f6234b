"""Activations as they are judged: the function, its derivative, or both."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._calls import (
    ELEMENTS,
    Carrier,
    Case,
    Entry,
    Form,
    FunctionTask,
    Parts,
    as_array,
    bind,
    carriers_of,
    entries_of,
    note_changes,
    write_class,
)
from chalkgrad.judge._formulas import Deviation, Formula
from chalkgrad.judge._losses import GRADIENTS, limit, sigmoid, softmax
from chalkgrad.judge._mistakes import convention, mistake
from chalkgrad.judge._names import words
from chalkgrad.judge._subjects import ResultError

__all__ = ["ACTIVATIONS", "ActivationTask"]

HOME = "reference/activations/"
ENDS = "training/loss-functions/#at-the-far-ends"
DIAGONAL = "training/bugs-that-shipped/#5-the-diagonal-for-the-whole"

WORDS = words(
    "x z a zs xs inputs input inp v u t s out y net h logits scores arr array "
    "value "
    "values pre preact preactivation zed data tensor vec vector n val num theta "
    "weightedsum k activation output"
)
FROM_ABOVE = words(
    "dout da dy dl grad gradout gradoutput dvalues upstream delta gradient grads "
    "dh "
    "accumgrad outputgradient outputgrad dloss g"
)
CACHE = WORDS | {"cache", "saved", "memory"}
METHODS = (
    "forward", "__call__", "f", "fn", "function", "activate", "apply", "compute",
    "value", "evaluate", "call", "func", "activation",
)  # fmt: skip
SLOPES = (
    *GRADIENTS,
    "d",
    "fprime",
    "f_prime",
    "dfn",
    "activation_prime",
    "backward_pass",
)
HELD = ("dinputs", "dx", "grad", "dvalues", "grad_input", "dz")
FLAGS = ("deriv", "derivative", "derive", "prime", "isderivative", "grad", "gradient")


def erf(z: Any) -> Any:
    """Return the error function of each number."""
    return np.vectorize(math.erf, otypes=[float])(z)


def _normal(z: Any) -> Any:
    return (1 + erf(z / math.sqrt(2))) / 2


def _density(z: Any) -> Any:
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def _softplus(z: Any) -> Any:
    return np.maximum(z, 0) + np.log1p(np.exp(-abs(z)))


def _slope(x: Any) -> Any:
    return getattr(x, "slope", 0.0)


Function = Callable[[Any, Any], Any]  # of z and of all quantities
PLAIN: dict[str, tuple[Function, Function]] = {
    "identity": (lambda z, _: z + 0.0, lambda z, _: np.ones_like(z, float)),
    "sigmoid": (
        lambda z, _: sigmoid(z),
        lambda z, _: sigmoid(z) * sigmoid(-z),
    ),
    "tanh": (lambda z, _: np.tanh(z), lambda z, _: 1 - np.tanh(z) ** 2),
    "relu": (lambda z, _: np.maximum(z, 0.0), lambda z, _: (z > 0) * 1.0),
    "leaky_relu": (
        lambda z, x: np.where(z > 0, z, x.slope * z),
        lambda z, x: np.where(z > 0, 1.0, x.slope),
    ),
    "gelu": (
        lambda z, _: z * _normal(z),
        lambda z, _: _normal(z) + np.where(abs(z) > 1e3, 0, z * _density(z)),
    ),
    "softplus": (lambda z, _: _softplus(z), lambda z, _: sigmoid(z)),
    "softmax": (
        lambda z, _: softmax(z),
        lambda z, _: (
            softmax(z)[..., None] * (np.eye(z.shape[-1]) - softmax(z)[..., None, :])
        ),
    ),
}
# The derivative as people write it of the output.
OF_OUTPUT: dict[str, Function] = {
    "sigmoid": lambda a, _: a * (1 - a),
    "tanh": lambda a, _: 1 - a**2,
    "softplus": lambda a, _: 1 - np.exp(-a),
    "softmax": lambda a, _: a[..., None] * (np.eye(a.shape[-1]) - a[..., None, :]),
}
NATURAL = {name: f for name, (f, _) in PLAIN.items()}


def _cubic(z: Any) -> Any:
    return math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)


def _tanh_gelu_grad(z: Any) -> Any:
    t = np.tanh(_cubic(z))
    inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)
    return (1 + t) / 2 + z * (1 - t**2) * inner / 2


def _exp_ratio(z: Any) -> Any:
    return np.exp(z) / (1 + np.exp(z))


def wrong(
    name: str, why: str, f: Function, page: str = HOME, part: str = "f"
) -> Deviation:
    """Return a mistake that is another function of z."""
    return mistake(name, why, page, **{part: lambda x: f(x.z, x)})


def other(
    name: str, why: str, f: Function, page: str = HOME, part: str = "f"
) -> Deviation:
    """Return a convention that is another function of z."""
    return convention(name, why, page, **{part: lambda x: f(x.z, x)})


def bound(name: str, why: str, f: Function, part: str = "f") -> Deviation:
    """Return what fails at extremes."""
    return limit(name, why, ENDS, **{part: lambda x: f(x.z, x)})


OVERFLOW = (
    "overflows",
    (
        "It takes e to the power of a large number, which has no number above 709, and "
        "infinity over infinity is nan. Take e to the power of what is negative."
    ),
)
SHIFT = (
    "overflows: not shifted",
    (
        "It takes e to the power of a logit, which has no number above 709. Take off "
        "the "
        "largest first: the result is the same."
    ),
)


def _raw_softmax(z: Any, _: Any) -> Any:
    e = np.exp(z)
    return e / np.sum(e, axis=-1, keepdims=True)


def _diagonal(z: Any, _: Any) -> Any:
    p = softmax(z)
    return (p * (1 - p))[..., None] * np.eye(z.shape[-1])


OF: dict[str, list[Deviation]] = {
    "identity": [],
    "sigmoid": [
        wrong(
            "the tanh",
            "It goes from −1 to 1. This one goes from 0 to 1.",
            lambda z, _: np.tanh(z),
        ),
        wrong(
            "the sign of the exponent",
            "It is 1 / (1 + e^z), which falls. The exponent is −z.",
            lambda z, _: sigmoid(-z),
        ),
        wrong(
            "a minus in the denominator",
            "It is 1 / (1 − e^−z), which has a pole at 0. There stands a plus.",
            lambda z, _: 1 / (1 - np.exp(-z)),
        ),
        wrong(
            "half the slope", "It is the sigmoid of z/2.", lambda z, _: sigmoid(z / 2)
        ).on_its_own(),
        wrong(
            "twice the slope", "It is the sigmoid of 2z.", lambda z, _: sigmoid(2 * z)
        ).on_its_own(),
        wrong(
            "base 2",
            "It takes a power of 2, and should take one of e.",
            lambda z, _: 1 / (1 + 2.0**-z),
        ),
        wrong(
            "e to the size",
            "The exponent is the size of z. So below 0 it is the mirror of above.",
            lambda z, _: 1 / (1 + np.exp(-abs(z))),
        ).on_its_own(),
        wrong(
            "the softmax",
            "It divides by a sum over all numbers. Each has its own.",
            lambda z, _: softmax(z),
        ).on_its_own(),
        wrong(
            "a parenthesis is missing",
            "It is 1/1 + e^−z, for the denominator has no parenthesis.",
            lambda z, _: 1 / 1 + np.exp(-z),
        ).on_its_own(),
        bound(*OVERFLOW, lambda z, _: _exp_ratio(z)),
    ],
    "tanh": [
        wrong(
            "the sigmoid",
            "It goes from 0 to 1. This one goes from −1 to 1.",
            lambda z, _: sigmoid(z),
        ),
        wrong(
            "the sigmoid, stretched",
            "It is 2σ(z) − 1, which is tanh(z/2). It must be 2σ(2z) − 1.",
            lambda z, _: 2 * sigmoid(z) - 1,
        ),
        wrong(
            "the sign of z",
            "It falls. The exponents are exchanged.",
            lambda z, _: -np.tanh(z),
        ),
        wrong(
            "the fraction upside down",
            "It is 1 / tanh(z), which has a pole at 0.",
            lambda z, _: 1 / np.tanh(z),
        ),
        wrong(
            "the sine over 2",
            "The denominator is missing: it is sinh.",
            lambda z, _: np.sinh(z),
        ).on_its_own(),
        wrong(
            "the tangent",
            "It is the tangent of an angle. This one is hyperbolic.",
            lambda z, _: np.tan(z),
        ).on_its_own(),
        wrong(
            "the arctangent", "It is the arctangent.", lambda z, _: np.arctan(z)
        ).on_its_own(),
        wrong(
            "twice the slope", "It is tanh(2z).", lambda z, _: np.tanh(2 * z)
        ).on_its_own(),
        bound(
            *OVERFLOW, lambda z, _: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))
        ),
        bound(*OVERFLOW, lambda z, _: (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1)),
        bound(*OVERFLOW, lambda z, _: (1 - np.exp(-2 * z)) / (1 + np.exp(-2 * z))),
    ],
    "relu": [
        wrong(
            "the minimum",
            "It keeps what is below 0. What is above should stay.",
            lambda z, _: np.minimum(z, 0.0),
        ),
        wrong("the size", "It is |z|. Below 0 it must be 0.", lambda z, _: abs(z)),
        wrong(
            "a leak",
            "Below 0 it has a slope of 0.01. It must be 0 there.",
            lambda z, _: np.where(z > 0, z, 0.01 * z),
        ),
        wrong(
            "the step",
            "It is 1 above 0. It must be z there.",
            lambda z, _: (z > 0) * 1.0,
        ),
        wrong(
            "cut at 6", "It is cut off at 6.", lambda z, _: np.clip(z, 0, 6)
        ).on_its_own(),
        wrong(
            "cut at 1", "It is cut off at 1.", lambda z, _: np.clip(z, 0, 1)
        ).on_its_own(),
        wrong(
            "1 at least",
            "It is the larger of z and 1. It must be that of z and 0.",
            lambda z, _: np.maximum(z, 1.0),
        ).on_its_own(),
        wrong(
            "one maximum for all",
            "It is the largest number of all.",
            lambda z, _: np.maximum(z.max(), 0) + 0 * z,
        ).on_its_own(),
        wrong(
            "the sign of z",
            "It is the larger of −z and 0.",
            lambda z, _: np.maximum(-z, 0.0),
        ),
        wrong(
            "the threshold is 1",
            "What is below 1 is 0, too.",
            lambda z, _: np.where(z > 1, z, 0.0),
        ).on_its_own(),
        bound("nan below 0", "Infinity times 0 is nan.", lambda z, _: z * (z > 0)),
    ],
    "leaky_relu": [
        wrong(
            "no leak",
            "Below 0 it is 0. It must have a slope there.",
            lambda z, _: np.maximum(z, 0.0),
        ),
        wrong(
            "the slope, not its line",
            "Below 0 it is the slope. It must be the slope times z.",
            lambda z, x: np.where(z > 0, z, x.slope),
        ),
        wrong(
            "the sign of the slope",
            "Below 0 it goes up again.",
            lambda z, x: np.where(z > 0, z, -x.slope * z),
        ),
        wrong(
            "the slopes exchanged",
            "The slope is taken above 0. It belongs below.",
            lambda z, x: np.where(z > 0, x.slope * z, z),
        ),
        wrong(
            "the slope on both sides",
            "Above 0 the slope is taken, too. It must be 1 there.",
            lambda z, x: x.slope * z,
        ).on_its_own(),
        wrong(
            "the slope is added",
            "Below 0 the slope is added to z.",
            lambda z, x: np.where(z > 0, z, z + x.slope),
        ).on_its_own(),
        wrong(
            "the slope is added to the line",
            "Above 0 the line below is added.",
            lambda z, x: np.maximum(z, 0) + x.slope * z,
        ).on_its_own(),
        wrong(
            "divided by the slope",
            "Below 0 it is divided by the slope.",
            lambda z, x: np.where(z > 0, z, z / x.slope),
        ).on_its_own(),
        wrong(
            "e below 0",
            "Below 0 it is slope (e^z − 1), the ELU.",
            lambda z, x: np.where(z > 0, z, x.slope * (np.exp(np.minimum(z, 0)) - 1)),
        ).on_its_own(),
    ],
    "gelu": [
        other(
            "the tanh approximation",
            "It is the approximation by a tanh, which is off by up to 0.0005.",
            lambda z, _: z * (1 + np.tanh(_cubic(z))) / 2,
        ),
        other(
            "the sigmoid approximation",
            "It is z σ(1.702 z), which is off by up to 0.02.",
            lambda z, _: z * sigmoid(1.702 * z),
        ),
        wrong(
            "the SiLU",
            "It is z σ(z). This one has the normal distribution.",
            lambda z, _: z * sigmoid(z),
        ),
        wrong(
            "the ReLU", "It is the larger of z and 0.", lambda z, _: np.maximum(z, 0.0)
        ),
        wrong(
            "the √2 is missing",
            "It is the error function of z. It must be that of z/√2.",
            lambda z, _: z * (1 + erf(z)) / 2,
        ),
        wrong(
            "z is missing",
            "It is the normal distribution alone. It must be multiplied by z.",
            lambda z, _: _normal(z),
        ),
        wrong(
            "the 1 is missing",
            "It is z erf(z/√2) / 2.",
            lambda z, _: z * erf(z / math.sqrt(2)) / 2,
        ),
        wrong(
            "the square in place of the cube",
            "The approximation has z³.",
            lambda z, _: (
                z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**2))) / 2
            ),
        ).on_its_own(),
        wrong(
            "the density",
            "It is z times the density. It must be the distribution.",
            lambda z, _: z * _density(z),
        ).on_its_own(),
        wrong(
            "2/π without its root",
            "The approximation has √(2/π).",
            lambda z, _: z * (1 + np.tanh(2 / math.pi * (z + 0.044715 * z**3))) / 2,
        ).on_its_own(),
        wrong(
            "2/π the other way round",
            "The approximation has √(2/π).",
            lambda z, _: (
                z * (1 + np.tanh(math.sqrt(math.pi / 2) * (z + 0.044715 * z**3))) / 2
            ),
        ).on_its_own(),
    ],
    "softplus": [
        wrong("the 1 is missing", "It is log(e^z), so z itself.", lambda z, _: z + 0.0),
        wrong("the sign of the exponent", "It falls.", lambda z, _: _softplus(-z)),
        wrong(
            "the sign",
            "It is −log(1 + e^−z), so log σ(z).",
            lambda z, _: -_softplus(-z),
        ),
        other(
            "base 2",
            "It takes the logarithm to base 2.",
            lambda z, _: _softplus(z) / math.log(2),
        ),
        wrong("the sigmoid", "It is its derivative.", lambda z, _: sigmoid(z)),
        wrong(
            "the ReLU",
            "It is the larger of z and 0, without the rounded corner.",
            lambda z, _: np.maximum(z, 0.0),
        ),
        wrong(
            "the exponential alone",
            "The logarithm is missing.",
            lambda z, _: 1 + np.exp(z),
        ).on_its_own(),
        bound(*OVERFLOW, lambda z, _: np.log(1 + np.exp(z))),
        bound(
            "loses what is small",
            "For z far below 0, 1 + e^z is 1, and its logarithm 0. Use log1p.",
            lambda z, _: np.log(1 + np.exp(-abs(z))) + np.maximum(z, 0),
        ),
    ],
    "softmax": [
        wrong(
            "over the wrong axis",
            "It goes along the first axis, so over the examples. It must be taken over "
            "the classes, the last one. If your examples are columns, give rows to the "
            "judge, or a vector alone by --skip matrix.",
            lambda z, _: softmax(z, axis=0),
        ),
        wrong(
            "over the wrong axis",
            "The sum goes along the first axis, so over the examples. It must be taken "
            "over the classes, the last one.",
            lambda z, _: (
                np.exp(z - z.max(axis=-1, keepdims=True))
                / np.sum(np.exp(z - z.max(axis=-1, keepdims=True)), axis=0)
            ),
        ),
        wrong(
            "one sum for all rows",
            "It divides by one sum for all examples. Each row has its own.",
            lambda z, _: (
                np.exp(z - z.max(axis=-1, keepdims=True))
                / np.sum(np.exp(z - z.max(axis=-1, keepdims=True)))
            ),
        ),
        wrong(
            "one sum for all rows",
            "It divides by one sum for all examples. Each row has its own.",
            lambda z, _: np.exp(z) / np.sum(np.exp(z)),
        ),
        wrong(
            "one sum for all rows",
            "It divides by one sum for all examples, and shifts by one maximum.",
            lambda z, _: np.exp(z - z.max()) / np.sum(np.exp(z - z.max())),
        ).on_its_own(),
        wrong(
            "the sign of z",
            "The largest score gets the smallest probability.",
            lambda z, _: softmax(-z),
        ),
        wrong(
            "no sum",
            "It is not divided by the sum. It does not sum to 1.",
            lambda z, _: np.exp(z),
        ),
        wrong(
            "no sum",
            "It is not divided by the sum. It does not sum to 1.",
            lambda z, _: np.exp(z - z.max(axis=-1, keepdims=True)),
        ).on_its_own(),
        wrong(
            "no exponential",
            "It is a share of the scores themselves.",
            lambda z, _: z / np.sum(z, axis=-1, keepdims=True),
        ),
        wrong(
            "twice",
            "The softmax is taken of a softmax.",
            lambda z, _: softmax(softmax(z)),
        ),
        wrong(
            "the logarithm",
            "It is the logarithm of the softmax.",
            lambda z, _: np.log(softmax(z)),
        ),
        wrong(
            "base 2",
            "It takes powers of 2, and should take those of e.",
            lambda z, _: softmax(z * math.log(2)),
        ),
        wrong(
            "the largest alone",
            "It has a 1 at the largest score, as argmax.",
            lambda z, _: (z == z.max(axis=-1, keepdims=True)) * 1.0,
        ).on_its_own(),
        wrong(
            "a sigmoid",
            "Every score has its own. The softmax shares 1 among them.",
            lambda z, _: sigmoid(z),
        ),
        wrong(
            "divided by the mean",
            "It is divided by the mean, not the sum.",
            lambda z, _: softmax(z) * z.shape[-1],
        ).on_its_own(),
        wrong(
            "squares",
            "It is a share of squares.",
            lambda z, _: z**2 / np.sum(z**2, axis=-1, keepdims=True),
        ).on_its_own(),
        wrong(
            "shifted in the numerator alone",
            "The largest is taken off above the line and not below.",
            lambda z, _: (
                np.exp(z - z.max(axis=-1, keepdims=True))
                / np.sum(np.exp(z), axis=-1, keepdims=True)
            ),
        ),
        wrong(
            "shifted in the denominator alone",
            "The largest is taken off below the line and not above.",
            lambda z, _: (
                np.exp(z)
                / np.sum(
                    np.exp(z - z.max(axis=-1, keepdims=True)), axis=-1, keepdims=True
                )
            ),
        ),
        bound(*SHIFT, _raw_softmax),
        bound(
            "one shift for all rows",
            "It takes off the largest number of all. A row far below it is then 0 over "
            "0. Each row has its own.",
            lambda z, _: (
                np.exp(z - z.max())
                / np.sum(np.exp(z - z.max()), axis=-1, keepdims=True)
            ),
        ),
        bound(
            "shifted by the mean",
            "It takes off the mean. What is far above still overflows: take off the "
            "largest.",
            lambda z, x: _raw_softmax(z - z.mean(axis=-1, keepdims=True), x),
        ),
    ],
}
AT_0 = (
    "At the kink there is no one slope; any between those of both sides will do. Ours "
    "is that of the left side."
)
OF_GRAD: dict[str, list[Deviation]] = {
    "identity": [
        wrong(
            "z itself",
            "It is z. The slope is 1 everywhere.",
            lambda z, _: z + 0.0,
            part="slope",
        ),
        wrong(
            "0 everywhere",
            "It is 0. The slope is 1 everywhere.",
            lambda z, _: 0.0 * z,
            part="slope",
        ),
    ],
    "sigmoid": [
        wrong(
            "(1 − σ) is missing",
            "It is σ alone. The slope is σ (1 − σ).",
            lambda z, _: sigmoid(z),
            part="slope",
        ),
        wrong(
            "a plus for the minus",
            "It is σ (1 + σ). The slope is σ (1 − σ).",
            lambda z, _: sigmoid(z) * (1 + sigmoid(z)),
            part="slope",
        ),
        wrong(
            "σ squared",
            "It is 1 − σ². That belongs to the tanh.",
            lambda z, _: 1 - sigmoid(z) ** 2,
            part="slope",
        ),
        wrong(
            "the sign",
            "It is −σ (1 − σ), and the sigmoid rises.",
            lambda z, _: -sigmoid(z) * sigmoid(-z),
            part="slope",
        ),
        wrong(
            "1 − σ", "A factor σ is missing.", lambda z, _: sigmoid(-z), part="slope"
        ),
        wrong(
            "of the wrong variable",
            "It is σ (1 − z): the output and the input are mixed.",
            lambda z, _: sigmoid(z) * (1 - z),
            part="slope",
        ),
        wrong(
            "of the wrong variable",
            "It is z (1 − σ): the output and the input are mixed.",
            lambda z, _: z * (1 - sigmoid(z)),
            part="slope",
        ),
        wrong(
            "the sigmoid twice",
            "It is the slope at σ(z), so the sigmoid is taken twice.",
            lambda z, _: sigmoid(sigmoid(z)) * sigmoid(-sigmoid(z)),
            part="slope",
        ),
        bound(*OVERFLOW, lambda z, _: np.exp(-z) / (1 + np.exp(-z)) ** 2, part="slope"),
    ],
    "tanh": [
        wrong(
            "the square is missing",
            "It is 1 − tanh. The slope is 1 − tanh².",
            lambda z, _: 1 - np.tanh(z),
            part="slope",
        ),
        wrong(
            "a plus for the minus",
            "It is 1 + tanh². The slope is 1 − tanh².",
            lambda z, _: 1 + np.tanh(z) ** 2,
            part="slope",
        ),
        wrong(
            "the slope of the sigmoid",
            "It is a (1 − a). That belongs to the sigmoid.",
            lambda z, _: np.tanh(z) * (1 - np.tanh(z)),
            part="slope",
        ),
        wrong(
            "the slope of the sigmoid",
            "It is σ (1 − σ). That belongs to the sigmoid.",
            lambda z, _: sigmoid(z) * sigmoid(-z),
            part="slope",
        ),
        wrong(
            "the sign",
            "It is tanh² − 1, and the tanh rises.",
            lambda z, _: np.tanh(z) ** 2 - 1,
            part="slope",
        ),
        wrong(
            "the tanh twice",
            "It is the slope at tanh(z), so the tanh is taken twice.",
            lambda z, _: 1 - np.tanh(np.tanh(z)) ** 2,
            part="slope",
        ),
        bound(*OVERFLOW, lambda z, _: 1 / np.cosh(z) ** 2, part="slope"),
    ],
    "relu": [
        other("the slope at 0 is 1", AT_0, lambda z, _: (z >= 0) * 1.0, part="slope"),
        other(
            "the slope at 0 is ½",
            AT_0,
            lambda z, _: np.where(z == 0, 0.5, (z > 0) * 1.0),
            part="slope",
        ),
        wrong(
            "the function",
            "It is the ReLU itself. Its slope is 1 above 0.",
            lambda z, _: np.maximum(z, 0.0),
            part="slope",
        ),
        wrong(
            "below 0",
            "It is 1 below 0 and 0 above. It should be the other way round.",
            lambda z, _: (z <= 0) * 1.0,
            part="slope",
        ),
        wrong(
            "below 0",
            "It is 1 below 0 and 0 above. It should be the other way round.",
            lambda z, _: (z < 0) * 1.0,
            part="slope",
        ),
        wrong(
            "the sign",
            "It is −1 below 0. It must be 0 there.",
            lambda z, _: np.sign(z),
            part="slope",
        ),
        wrong(
            "no slope",
            "It is 1 below 0, too.",
            lambda z, _: np.ones_like(z, float),
            part="slope",
        ),
        wrong(
            "z below 0",
            "What is below 0 stays as it is. It must be 0.",
            lambda z, _: np.where(z > 0, 1.0, z),
            part="slope",
        ).on_its_own(),
    ],
    "leaky_relu": [
        other(
            "the slope at 0 is 1",
            AT_0,
            lambda z, x: np.where(z >= 0, 1.0, x.slope),
            part="slope",
        ),
        wrong(
            "no leak",
            "Below 0 it is 0. It must be the slope.",
            lambda z, _: (z > 0) * 1.0,
            part="slope",
        ),
        wrong(
            "the slopes exchanged",
            "It is the slope above 0 and 1 below.",
            lambda z, x: np.where(z > 0, x.slope, 1.0),
            part="slope",
        ),
        wrong(
            "the sign of the slope",
            "Below 0 it is −slope.",
            lambda z, x: np.where(z > 0, 1.0, -x.slope),
            part="slope",
        ),
        wrong(
            "the line below 0",
            "Below 0 it is slope times z. The slope of it has no z.",
            lambda z, x: np.where(z > 0, 1.0, x.slope * z),
            part="slope",
        ),
        wrong(
            "the line above 0",
            "Above 0 it is z. The slope there is 1.",
            lambda z, x: np.where(z > 0, z, x.slope),
            part="slope",
        ),
        wrong(
            "the function",
            "It is the function itself.",
            lambda z, x: np.where(z > 0, z, x.slope * z),
            part="slope",
        ),
    ],
    "gelu": [
        other(
            "the tanh approximation",
            "It is the slope of the approximation by a tanh.",
            lambda z, _: _tanh_gelu_grad(z),
            part="slope",
        ),
        other(
            "the sigmoid approximation",
            "It is the slope of z σ(1.702 z).",
            lambda z, _: (
                sigmoid(1.702 * z)
                + 1.702 * z * sigmoid(1.702 * z) * sigmoid(-1.702 * z)
            ),
            part="slope",
        ),
        wrong(
            "the product rule is missing",
            "It is Φ(z) alone. The slope is Φ(z) + z φ(z).",
            lambda z, _: _normal(z),
            part="slope",
        ),
        wrong(
            "the distribution is missing",
            "It is z φ(z) alone. The slope is Φ(z) + z φ(z).",
            lambda z, _: z * _density(z),
            part="slope",
        ),
        wrong(
            "z is missing",
            "It is Φ(z) + φ(z). The slope is Φ(z) + z φ(z).",
            lambda z, _: _normal(z) + _density(z),
            part="slope",
        ),
        wrong(
            "the sign of the density",
            "It is Φ(z) − z φ(z). There stands a plus.",
            lambda z, _: _normal(z) - z * _density(z),
            part="slope",
        ),
        wrong(
            "the √(2π) is missing",
            "The density is not divided by √(2π).",
            lambda z, _: _normal(z) + z * np.exp(-(z**2) / 2),
            part="slope",
        ),
        wrong(
            "the function",
            "It is the function itself.",
            lambda z, _: z * _normal(z),
            part="slope",
        ),
    ],
    "softplus": [
        wrong(
            "the function",
            "It is the softplus itself. Its slope is the sigmoid.",
            lambda z, _: _softplus(z),
            part="slope",
        ),
        wrong(
            "the slope of the sigmoid",
            "It is one derivative too many.",
            lambda z, _: sigmoid(z) * sigmoid(-z),
            part="slope",
        ),
        wrong(
            "the sign of the exponent",
            "It falls. The slope is the sigmoid, which rises.",
            lambda z, _: sigmoid(-z),
            part="slope",
        ),
        wrong(
            "e is missing above",
            "It is 1 / (1 + e^z).",
            lambda z, _: 1 / (1 + np.exp(z)),
            part="slope",
        ).on_its_own(),
        bound(*OVERFLOW, lambda z, _: _exp_ratio(z), part="slope"),
    ],
    "softmax": [
        mistake(
            "the diagonal for the whole",
            "It is p (1 − p), the slope of each probability with respect to its own "
            "score. Every probability depends on all scores: the rest is −pᵢ pⱼ.",
            DIAGONAL,
            slope=lambda x: _diagonal(x.z, x),
        ),
        mistake(
            "the diagonal for the whole",
            "What comes from above is multiplied by p (1 − p). Every probability "
            "depends on all scores: p (g − Σ g p) is right.",
            DIAGONAL,
            above=lambda x: x.g * softmax(x.z) * (1 - softmax(x.z)),
        ),
        wrong(
            "a plus for the minus",
            "Off the diagonal it is pᵢ pⱼ. It must be −pᵢ pⱼ.",
            lambda z, _: (
                softmax(z)[..., None] * (np.eye(z.shape[-1]) + softmax(z)[..., None, :])
            ),
            page=DIAGONAL,
            part="slope",
        ),
        wrong(
            "the diagonal is missing",
            "It is −pᵢ pⱼ everywhere. On the diagonal pᵢ is missing.",
            lambda z, _: -softmax(z)[..., None] * softmax(z)[..., None, :],
            page=DIAGONAL,
            part="slope",
        ),
        wrong(
            "the sign",
            "It is the negative of the Jacobian.",
            lambda z, x: -PLAIN["softmax"][1](z, x),
            page=DIAGONAL,
            part="slope",
        ),
        wrong(
            "1 on the diagonal",
            "On the diagonal it is 1 − pᵢ². It must be pᵢ − pᵢ².",
            lambda z, _: (
                np.eye(z.shape[-1]) - softmax(z)[..., None] * softmax(z)[..., None, :]
            ),
            page=DIAGONAL,
            part="slope",
        ),
        mistake(
            "the sum is missing",
            "It is p g. It must be p (g − Σ g p).",
            DIAGONAL,
            above=lambda x: x.g * softmax(x.z),
        ),
        mistake(
            "the sum over the wrong axis",
            "The sum goes over the examples. It must go over the classes.",
            DIAGONAL,
            above=lambda x: softmax(x.z) * (x.g - np.sum(x.g * softmax(x.z), axis=0)),
        ),
        mistake(
            "the sum without p",
            "It is p (g − Σ g). The sum is one of g p.",
            DIAGONAL,
            above=lambda x: softmax(x.z) * (x.g - np.sum(x.g, axis=-1, keepdims=True)),
        ),
        mistake(
            "a plus for the minus",
            "It is p (g + Σ g p). There stands a minus.",
            DIAGONAL,
            above=lambda x: (
                softmax(x.z)
                * (x.g + np.sum(x.g * softmax(x.z), axis=-1, keepdims=True))
            ),
        ),
    ],
}


def _formula(name: str) -> Formula:
    f, slope = PLAIN[name]

    def above(x: Any) -> Any:
        if name == "softmax":
            return np.einsum("...i,...ij->...j", x.g, x.slope_)
        return x.g * x.slope_

    formula = Formula(
        f=lambda x: f(x.z, x),
        a=lambda x: x.f,
        slope_=lambda x: slope(x.z, x),
        above=above,
    )
    extra = [
        mistake("the negative", "It has the other sign.", HOME, a=lambda x: -x.f),
        mistake("twice as large", "It is twice ours.", HOME, a=lambda x: 2 * x.f),
        mistake("half as large", "It is half of ours.", HOME, a=lambda x: x.f / 2),
        mistake(
            "nothing is done",
            "What comes back is the input.",
            HOME,
            f=lambda x: x.z + 0.0,
        ).on_its_own(),
        mistake(
            "nothing from above",
            "What comes from above is not multiplied: it is the slope alone.",
            HOME,
            above=lambda x: (
                slope(x.z, x)
                if name != "softmax"
                else np.diagonal(slope(x.z, x), axis1=-2, axis2=-1)
            ),
        ),
        mistake(
            "no slope",
            "What comes from above passes as it is. It must be multiplied by the "
            "slope.",
            HOME,
            above=lambda x: x.g + 0.0,
        ),
        mistake(
            "the function in place of the slope",
            "What comes from above is multiplied by the function, not by its slope.",
            HOME,
            above=lambda x: x.g * f(x.z, x),
        ),
        mistake(
            "the sign of what comes from above decides",
            "Where what comes from above is negative, it is cut off. It is the input "
            "that decides.",
            HOME,
            above=lambda x: np.where(x.g <= 0, 0, x.g),
        ),
        mistake(
            "added, not multiplied",
            "What comes from above is added to the slope. It must be multiplied.",
            HOME,
            above=lambda x: (
                x.g + (slope(x.z, x) if name != "softmax" else softmax(x.z))
            ),
        ),
    ]
    if name in OF_OUTPUT:
        extra.append(
            mistake(
                "of the wrong variable",
                "The formula is one of the output, and it is given the input. Keep the "
                "output of the forward pass.",
                HOME,
                above=lambda x: (
                    x.g * OF_OUTPUT[name](x.z, x)
                    if name != "softmax"
                    else np.einsum("...i,...ij->...j", x.g, OF_OUTPUT[name](x.z, x))
                ),
            )
        )
        if name != "softmax":
            extra.append(
                mistake(
                    "of the wrong variable",
                    "The formula is one of the input, and it is given the output. The "
                    "function is taken twice.",
                    HOME,
                    above=lambda x: x.g * slope(f(x.z, x), x),
                )
            )
    if name not in ("identity", "softmax"):
        extra.append(
            mistake(
                "the derivative",
                "It is the derivative, not the function.",
                HOME,
                f=lambda x: slope(x.z, x),
            ).on_its_own()
        )
    if name == "sigmoid":  # which the slope without a factor is, too
        extra = [d for d in extra if "in place" not in d.name]
    if name == "identity":
        extra = [d for d in extra if d.name not in ("nothing is done", "no slope")]
    known = list(OF[name])
    for one in OF_GRAD[name]:
        lines = dict(one.lines)
        if "slope" in lines:
            line = lines.pop("slope")
            lines["slope_"] = line
        known.append(one._replace(lines=lines))
    formula.know(*known, *extra)
    return formula


def _of_output(name: str) -> Formula:
    """Return the lines of a derivative that is given the output."""
    formula = FORMULAS[name]
    f, _ = PLAIN[name]
    made = Formula(**formula.lines)
    known = {
        "sigmoid": [
            (
                "a plus for the minus",
                "It is a (1 + a). The slope is a (1 − a).",
                lambda a, _: a * (1 + a),
            ),
            (
                "1 − a is missing",
                "It is a alone. The slope is a (1 − a).",
                lambda a, _: a,
            ),
            (
                "the slope of the tanh",
                "It is 1 − a². That belongs to the tanh.",
                lambda a, _: 1 - a**2,
            ),
            (
                "the sign",
                "It is a (a − 1), and the sigmoid rises.",
                lambda a, _: a * (a - 1),
            ),
        ],
        "tanh": [
            (
                "the slope of the sigmoid",
                "It is a (1 − a). That belongs to the sigmoid.",
                lambda a, _: a * (1 - a),
            ),
            (
                "a plus for the minus",
                "It is 1 + a². The slope is 1 − a².",
                lambda a, _: 1 + a**2,
            ),
            (
                "the square is missing",
                "It is 1 − a. The slope is 1 − a².",
                lambda a, _: 1 - a,
            ),
        ],
    }
    made.know(
        *(
            wrong(title, why, _of(g, f), part="slope_")
            for title, why, g in known.get(name, ())
        )
    )
    return made


def _of(g: Function, f: Function) -> Function:
    return lambda z, x: g(f(z, x), x)


FORMULAS = {name: _formula(name) for name in PLAIN}
GIVEN_OUTPUT = convention(
    "the derivative given the output",
    "It takes what the activation returned, not what it was given. That saves a "
    "computation where the output is kept.",
    HOME,
)
OUTPUT_FORMULAS = {name: _of_output(name) for name in OF_OUTPUT}


class ActivationTask(FunctionTask):
    """An activation, or the derivative of one."""

    kind = "activation"
    usual: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "slope": (0.01, 0.1, 0.2, 0.3, 0.05)
    }

    def __init__(self, name: str, doc: str, *, is_derivative: bool) -> None:
        plain = name.removesuffix("_grad")
        options = {"slope": 0.01} if plain == "leaky_relu" else {}
        super().__init__(name, doc, options)
        self.of_rows = plain == "softmax"
        self.plain, self.is_derivative = plain, is_derivative
        self.axes = {"z": "n", "g": "n"}  # type: ignore[misc]
        if self.of_rows:
            self.axes = {"z": "n k", "g": "n k"}  # type: ignore[misc]
            self.least = {"k": 2}  # type: ignore[misc]
        short = plain if not is_derivative else f"{plain}_derivative"
        self.forms = (
            f"def {short}(z): ... return a",
            f"def {plain}_backward(dout, z): ... return dz"
            if is_derivative
            else f"def {plain}(z): ... return a, cache",
            write_class(plain, "", "forward(self, z)", "backward(self, dout)"),
        )

    def cases(self, fixed: dict[str, Any]) -> list[Case]:
        """Return the inputs; options that are fixed keep their values."""
        rng = np.random.default_rng(0)
        options = {
            name: fixed.get(name, round(float(rng.uniform(0.1, 0.4)), 3))
            for name in self.defaults
        }
        g = np.random.default_rng(1)

        def case(aspect: str, z: Any, **kind: bool) -> Case:
            z = np.array(z)
            given = {"z": z}
            if self.is_derivative:
                given["g"] = g.normal(size=z.shape)
            return Case(aspect, self.complete(given), options, **kind)

        if self.of_rows:
            return [
                case("a vector", [2.0, 1.0, -0.5, 0.3]),
                case("a matrix", rng.normal(size=(3, 4)), is_excused=True),
                case(
                    "a square matrix",
                    rng.normal(size=(3, 3)),
                    is_excused=True,
                ),
                case("equal scores", [0.5, 0.5, 0.5]),
                case("scores of 30", [30.0, 29.0, -30.0]),
                case("scores of ±1e4", [1e4, 0.0, -1e4], is_extreme=True),
                case(
                    "rows far apart",
                    [[0.0, 1.0], [1e4, 1e4 - 1]],
                    is_extreme=True,
                    is_excused=True,
                ),
                case("whole numbers", [1, 2, 3], is_extreme=True, is_excused=True),
            ]
        return [
            case("some numbers", [-2.5, -1.0, -0.3, 0.0, 0.4, 1.0, 1.5, 3.0]),
            case("numbers of 10", [-12.0, -6.5, 6.5, 11.0]),
            case("a matrix", rng.normal(size=(2, 3)), is_excused=True),
            case("numbers below 0", [-0.7, -1.3]),
            case("one number", 0.8, is_excused=True),
            case("numbers of ±1e4", [-1e4, 1e4], is_extreme=True),
            case("whole numbers", [-2, -1, 0, 1, 2], is_extreme=True, is_excused=True),
            case("numbers of −50", [-50.0, -40.0], is_extreme=True)
            if self.plain in ("sigmoid", "softplus")
            else case(
                "infinity", [math.inf, -math.inf], is_extreme=True, is_excused=True
            )
            if self.plain == "relu"
            else case("no numbers", np.zeros(0), is_extreme=True, is_excused=True),
        ]

    def complete(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Add what comes from above, if nothing does."""
        return (
            inputs
            if "z" not in inputs
            else {"g": np.ones_like(inputs["z"], float)} | inputs
        )

    def ways_to_call(self, subject: Any) -> Iterator[Form]:
        """Go through the ways in which a subject may be called."""
        example = dict(self.defaults)
        for carrier in [*carriers_of(subject), ELEMENTS]:
            if carrier is ELEMENTS and self.of_rows:
                continue
            methods = SLOPES if self.is_derivative else METHODS
            roles = {"z": WORDS}
            entries = list(
                entries_of(
                    subject, methods, self.defaults, example, {"z": WORDS | FROM_ABOVE}
                )
            )
            for entry in entries:
                try:
                    function, owner = entry.make(example)
                except Exception:
                    continue
                if self.is_derivative:
                    yield from self.slopes(entry, function, owner, carrier)
                    continue
                for bound_ in bind(
                    function, roles, self.defaults, {"axis": -1, "dim": -1}
                ):
                    yield self.form(
                        entry.how,
                        entry,
                        bound_,
                        carrier,
                        _plain_z,
                        FORMULAS[self.plain],
                        "a",
                    )

    def slopes(
        self,
        entry: Entry,
        function: Any,
        owner: Any,
        carrier: Carrier,
    ) -> Iterator[Form]:
        """Go through the ways to get at a derivative."""
        flags = dict.fromkeys(FLAGS, True) | {"axis": -1, "dim": -1}
        formula = FORMULAS[self.plain]
        for b in bind(function, {"z": WORDS}, self.defaults, flags):
            if owner is None:
                yield self.form(
                    entry.how, entry, b, carrier, _plain_z, formula, "slope_"
                )
                yield from self.of_output(entry, b, carrier, "slope_")
        for b in bind(function, {"g": FROM_ABOVE, "z": CACHE}, self.defaults, flags):
            yield self.form(
                f"{entry.how}, times what comes from above",
                entry,
                b,
                carrier,
                _plain_z,
                formula,
                "above",
            )
            yield from self.of_output(entry, b, carrier, "above")
        if owner is None:
            return
        forward = next((n for n in METHODS if callable(getattr(owner, n, None))), "")
        words = {"g": FROM_ABOVE | WORDS}
        for b in bind(function, words, self.defaults, flags) if forward else ():
            yield self.form(
                f"{entry.how} after `{forward}`",
                entry,
                b,
                carrier,
                _plain_z,
                formula,
                "above",
                forward,
            )
        for b in bind(function, {"z": WORDS}, self.defaults, flags):
            yield self.form(entry.how, entry, b, carrier, _plain_z, formula, "slope_")
            yield from self.of_output(entry, b, carrier, "slope_")

    def of_output(
        self, entry: Entry, b: Any, carrier: Carrier, part: str
    ) -> Iterator[Form]:
        """Go through the ways to give it the output."""
        if self.plain not in OF_OUTPUT:
            return
        f = PLAIN[self.plain][0]
        form = self.form(
            f"{entry.how} of the output", entry, b, carrier,
            lambda case: f(np.asarray(case.inputs["z"], float), None),
            OUTPUT_FORMULAS[self.plain], part,
        )  # fmt: skip
        form.conventions = (GIVEN_OUTPUT,)
        yield form

    def form(
        self,
        how: str,
        entry: Entry,
        binding: Any,
        carrier: Carrier,
        z_of: Callable[[Case], Any],
        formula: Formula,
        part: str,
        forward: str = "",
    ) -> Form:
        """Return a form of a call."""

        def call(case: Case, notes: set[str]) -> Any:
            z, g = z_of(case), case.inputs.get("g")
            f, owner = entry.make(case.options)
            bound_ = binding._replace(f=f)
            if carrier is ELEMENTS:
                rows = [np.ravel(z)] + ([np.ravel(g)] if g is not None else [])
                made = []
                for numbers in zip(*(r.tolist() for r in rows), strict=True):
                    values = dict(zip(("z", "g"), numbers, strict=False))
                    if forward:
                        getattr(owner, forward)(values["z"])
                    made.append(as_array(bound_(values, case.options)).reshape(()))
                return np.reshape(made, np.shape(z))
            values = {"z": carrier.give(z)} | (
                {"g": carrier.give(g)} if g is not None else {}
            )
            before = {k: _copy(v) for k, v in values.items()}
            if forward:
                getattr(owner, forward)(values["z"])
            result = bound_(values, case.options)
            used = set(bound_.roles.values()) | ({"z"} if forward else set())
            note_changes(
                notes,
                {k: v for k, v in before.items() if k in used},
                values,
            )
            if result is None and owner is not None:
                held = ("output", "out", "a", *HELD)
                result = next(
                    (
                        getattr(owner, h)
                        for h in held
                        if getattr(owner, h, None) is not None
                    ),
                    None,
                )
            return result

        def read(raw: Any, case: Case) -> dict[str, Parts]:
            things = [raw]
            if isinstance(raw, tuple):
                things = list(raw)
            shape = np.shape(case.inputs["z"])
            wanted = [shape]
            if part == "slope_" and self.of_rows:
                wanted = [(*shape, shape[-1])]
            for thing in things:
                try:
                    a = as_array(thing)
                except ResultError:
                    continue
                if a.shape in wanted or (shape == () and a.size == 1):
                    a = a.reshape(wanted[0])
                    return {LABELS[part]: {part: a}}
                if part == "slope_" and self.of_rows and a.shape == shape:
                    raise ResultError(
                        "it returns one slope for each score, and there is one for "
                        "each "
                        "pair: see " + DIAGONAL
                    )
            if len(things) and all(_fails(t) for t in things):
                raise ResultError("it returns no numbers")
            return {}

        return Form(
            f"{how} of {carrier.name}" if carrier.name else how,
            call,
            read,
            formula,
            (),
            binding.option_names | entry.accepted,
            entry.defaults | binding.defaults,
            unused=() if part == "above" else ("g",),
        )


LABELS = {"a": "the function", "slope_": "the derivative", "above": "the derivative"}


def _fails(thing: Any) -> bool:
    try:
        as_array(thing)
    except ResultError:
        return True
    return False


def _plain_z(case: Case) -> Array:
    z: Array = case.inputs["z"]
    return z


def _copy(v: Any) -> Any:
    return (
        v.clone()
        if hasattr(v, "clone")
        else np.copy(v)
        if isinstance(v, np.ndarray)
        else v
    )


ACTIVATIONS = tuple(PLAIN)
