"""Losses as they are judged: the value, the gradient or both, of all that is given."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._calls import (
    Binding,
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
from chalkgrad.judge._formulas import Deviation, Formula, Line
from chalkgrad.judge._mistakes import convention, mistake
from chalkgrad.judge._names import normalize, words
from chalkgrad.judge._subjects import ResultError

__all__ = ["LOSSES", "LossTask"]

ONE = "training/loss-functions/#one-number"
WHICH = "training/loss-functions/#which-loss-for-which-target"
MARGINS = "training/loss-functions/#margins"
ENDS = "training/loss-functions/#at-the-far-ends"
CARING = "training/bugs-that-shipped/#2-the-loss-that-goes-flat"
SHIFTED = "training/bugs-that-shipped/#3-the-label-that-counts-from-the-end"
EVERYONE = "training/bugs-that-shipped/#4-all-labels-for-every-row"

PREDICTED = words(
    "yhat yhats ypred ypreds pred preds prediction predictions predicted output "
    "outputs out logits logit scores score p ps prob probs probabilities "
    "probability "
    "a al a2 a3 z x inputs input yp h f fx yprob yproba yscore yscores q s y "
    "predictedvalues ypredicted estimate estimates modeloutput activations "
    "finaloutput"
)
TRUTH = words(
    "ytrue target targets label labels t truth actual actuals expected yactual gt "
    "groundtruth onehot classes ylabel ylabels ytarget ytargets tgt true y yonehot "
    "labelsonehot observed yreal real trues ys desired d"
)
ROLES = {"predictions": PREDICTED, "truth": TRUTH}
METHODS = (
    "forward", "__call__", "loss", "calculate", "compute", "compute_loss", "value",
    "fn", "function", "cost", "apply", "evaluate", "f", "func", "call", "get_loss",
    "calc", "error",
)  # fmt: skip
GRADIENTS = (
    "backward", "gradient", "grad", "derivative", "prime", "loss_prime", "delta",
    "compute_gradient", "compute_grad", "deriv", "d_loss", "backprop", "dloss", "df",
    "acc_grad", "loss_grad", "loss_gradient",
)  # fmt: skip
HELD = ("dinputs", "grad", "dx", "dvalues", "gradient", "input_grad", "dlogits", "dz")


# --- The lines ------------------------------------------------------------------------


def rows(a: Any) -> Any:
    """Return what belongs to the examples: the first axis."""
    return a.shape[0]


def _reduce(each: Line, slopes: Line, per_row: bool = False, **first: Line) -> Formula:
    """Return the lines of a loss: of each, the mean, and the gradient of the mean."""

    def count(x: Any) -> Any:
        return rows(x.slopes) if per_row else x.slopes.size

    return Formula(
        **first,
        each=each,
        slopes=slopes,
        scale=lambda x: (1 / count(x), 1 / count(x)),
        total=lambda x: np.sum(x.each),
        direction=lambda x: x.slopes,
        value=lambda x: x.total * x.scale[0],
        rows=lambda x: x.each if per_row else np.mean(x.each, axis=-1),
        row_sums=lambda x: x.each if per_row else np.sum(x.each, axis=-1),
        grad=lambda x: x.direction * x.scale[1],
    )


NOT_REDUCED = convention(
    "not reduced",
    "It returns the loss of each example. Ours is their mean.",
    ONE,
)
ROWS = convention(
    "a mean for each example",
    "It returns a number for each example, the mean over its outputs. Ours is one "
    "number, the mean of all.",
    ONE,
)
ROW_SUMS = convention(
    "a sum for each example",
    "It returns a number for each example, the sum over its outputs. Ours is one "
    "number, the mean of all.",
    ONE,
)
COLUMNS = convention(
    "examples are columns",
    "It takes an example a column. With us, examples are rows.",
    "reference/losses/",
)


LOGS_GIVEN = convention(
    "given the logarithms of the probabilities",
    "It takes what a log-softmax returned, as torch's nll_loss does. Ours takes "
    "logits.",
    WHICH,
)


def reductions(per_row: bool) -> list[Deviation]:
    """Return how else the losses of all examples become one number."""

    def n(x: Any) -> Any:
        return rows(x.slopes)

    def total(x: Any) -> Any:
        return n(x) if per_row else x.slopes.size

    known = [
        convention(
            "summed, not averaged",
            "It is the sum over the examples. The gradient, and so the right rate, "
            "grows with their number; ours is the mean.",
            ONE,
            scale=lambda _: (1.0, 1.0),
        ),
        convention(
            "halved",
            "It is half of ours. The factor is there to cancel the 2 of the "
            "derivative, and changes no minimum.",
            ONE,
            scale=lambda x: (0.5 / total(x), 0.5 / total(x)),
        ),
        convention(
            "half the sum",
            "It is half the sum over the examples. Ours is the mean.",
            ONE,
            scale=lambda _: (0.5, 0.5),
        ),
    ]
    if not per_row:
        known += [
            convention(
                "summed over the outputs",
                "It is the mean over the examples of a sum over the outputs. Ours is "
                "the mean of all numbers.",
                ONE,
                scale=lambda x: (1 / n(x), 1 / n(x)),
            ),
            convention(
                "half the sum over the outputs",
                "It is half the mean over the examples of a sum over the outputs. "
                "Ours is the mean of all numbers.",
                ONE,
                scale=lambda x: (0.5 / n(x), 0.5 / n(x)),
            ),
        ]
    return [
        *known,
        mistake(
            "the gradient is not divided by n",
            "The value is a mean, but the gradient is that of the sum. It is as many "
            "times too long as there are examples.",
            ONE,
            scale=lambda x: (1 / total(x), 1.0),
        ),
        mistake(
            "the gradient is divided by n twice",
            "The gradient is divided by the number of examples once more than the "
            "value.",
            ONE,
            scale=lambda x: (1 / total(x), 1 / total(x) ** 2),
        ).on_its_own(),
        mistake(
            "the value is not divided by n",
            "The gradient is that of the mean, but the value is the sum.",
            ONE,
            scale=lambda x: (1.0, 1 / total(x)),
        ),
        mistake(
            "averaged over the outputs alone",
            "What is divided by is the number of outputs. It should be that of the "
            "examples.",
            ONE,
            scale=lambda x: (1 / x.slopes.shape[-1],) * 2,
        ),
        mistake(
            "divided by n − 1",
            "The sum is divided by one less than the number of examples. A loss is a "
            "mean.",
            ONE,
            scale=lambda x: (1 / (total(x) - 1),) * 2,
        ),
        mistake(
            "the sign of the gradient",
            "The gradient points downhill: the difference in it is turned round. A "
            "step against it climbs.",
            ONE,
            direction=lambda x: -x.slopes,
        ),
        mistake(
            "the sign of the loss",
            "The minus is missing, or is one too many. What should be made small "
            "is made large.",
            ONE,
            total=lambda x: -np.sum(x.each),
        ),
        mistake(
            "one example alone",
            "Only the last example counts. The losses are written over and not added.",
            ONE,
            total=lambda x: np.sum(x.each[-1:]) * total(x),
        ),
        mistake(
            "one example alone",
            "Only the last example counts. The losses are written over and not added.",
            ONE,
            total=lambda x: np.sum(x.each[-1:]),
        ).on_its_own(),
        mistake(
            "one example alone",
            "Only the first example counts. A `return` stands in the loop, and should "
            "stand below it.",
            ONE,
            total=lambda x: np.sum(x.each[:1]) * total(x),
        ).on_its_own(),
        mistake(
            "one example alone",
            "Only the first example counts. A `return` stands in the loop, and should "
            "stand below it.",
            ONE,
            total=lambda x: np.sum(x.each[:1]),
        ).on_its_own(),
        mistake(
            "the last example is left out",
            "The loop ends an example too early.",
            ONE,
            total=lambda x: np.sum(x.each[:-1]),
        ).on_its_own(),
        mistake(
            "the first example is left out",
            "The loop begins an example too late.",
            ONE,
            total=lambda x: np.sum(x.each[1:]),
        ).on_its_own(),
        mistake(
            "the median",
            "It is the median of the losses. Ours is the mean.",
            ONE,
            value=lambda x: np.median(x.each),
        ).on_its_own(),
        mistake(
            "the largest alone",
            "It is the largest of the losses. Ours is the mean.",
            ONE,
            value=lambda x: np.max(x.each),
        ).on_its_own(),
        mistake(
            "the root is taken",
            "A root is taken at the end. Its slope is another one, and has no limit "
            "where the loss is 0.",
            ONE,
            value=lambda x: np.sqrt(x.total * x.scale[0]),
        ),
        mistake(
            "the gradient is averaged into one",
            "All slopes are averaged. Each output must have its own.",
            ONE,
            direction=lambda x: np.mean(x.slopes) + 0 * x.slopes,
        ).on_its_own(),
        mistake(
            "the value in place of the gradient",
            "What should be the slopes are the losses themselves.",
            ONE,
            grad=lambda x: x.each + 0 * x.slopes,
        ).on_its_own(),
    ]


def _difference(each: Line, slopes: Line) -> Formula:
    """Return the lines of a loss of the difference d."""
    formula = _reduce(
        each,
        slopes,
        d=lambda x: x.predictions - x.targets,
    )
    formula.know(*reductions(per_row=False))
    formula.know(
        mistake(
            "added, not subtracted",
            "The targets are added to the predictions. The loss is one of their "
            "difference.",
            ONE,
            d=lambda x: x.predictions + x.targets,
        ),
        mistake(
            "the size of the difference is lost",
            "It is the loss of the mean difference. Errors of both signs cancel each "
            "other before they are measured.",
            ONE,
            d=lambda x: np.mean(x.predictions - x.targets) + 0 * x.predictions,
        ).on_its_own(),
        mistake(
            "relative to the target",
            "The difference is divided by the target. Nobody asked for that, and a "
            "target of 0 has no such error.",
            ONE,
            d=lambda x: (x.predictions - x.targets) / x.targets,
        ).on_its_own(),
    )
    return formula


MSE = _difference(lambda x: x.d**2, lambda x: 2 * x.d)
MSE.know(
    mistake(
        "sizes, not squares",
        "It is the size of the difference, so the mean absolute error. Squared, large "
        "errors count more.",
        WHICH,
        each=lambda x: abs(x.d),
    ),
    mistake(
        "the square is missing",
        "The differences are not squared, so errors of both signs cancel each other.",
        WHICH,
        each=lambda x: x.d,
    ),
    mistake(
        "the square is missing",
        "The differences are not squared, so errors of both signs cancel each other.",
        WHICH,
        each=lambda x: -x.d,
    ).on_its_own(),
    mistake(
        "cubed",
        "The differences are multiplied three times.",
        WHICH,
        each=lambda x: x.d**3,
    ).on_its_own(),
    mistake(
        "cubed",
        "The differences are multiplied three times.",
        WHICH,
        each=lambda x: -(x.d**3),
    ).on_its_own(),
    mistake(
        "a fourth power",
        "The squares are squared again.",
        WHICH,
        each=lambda x: x.d**4,
    ).on_its_own(),
    mistake(
        "the 2 of the derivative is missing",
        "The value is the mean square, but the gradient is half of its slope. With "
        "half the loss it would be right.",
        WHICH,
        slopes=lambda x: x.d,
    ),
    mistake(
        "the sign alone in the gradient",
        "The gradient has the sign of the difference alone. That belongs to the mean "
        "absolute error.",
        WHICH,
        slopes=lambda x: np.sign(x.d),
    ),
    mistake(
        "the gradient is squared",
        "The slope of a square is not a square. It is 2 times the difference.",
        WHICH,
        slopes=lambda x: 2 * x.d**2,
    ).on_its_own(),
    mistake(
        "the difference of squares",
        "Predictions and targets are squared before they are subtracted. The "
        "difference should be squared.",
        WHICH,
        each=lambda x: x.predictions**2 - x.targets**2,
    ).on_its_own(),
    mistake(
        "the gradient is that of the prediction squared",
        "The targets are missing in the gradient.",
        WHICH,
        slopes=lambda x: 2 * x.predictions,
    ).on_its_own(),
)

MAE = _difference(lambda x: abs(x.d), lambda x: np.sign(x.d))
MAE.know(
    convention(
        "where both are equal, the slope is 1",
        "At a kink there is no one slope; any from −1 to 1 will do. Ours is 0.",
        WHICH,
        slopes=lambda x: np.where(x.d >= 0, 1.0, -1.0),
    ),
    convention(
        "where both are equal, the slope is −1",
        "At a kink there is no one slope; any from −1 to 1 will do. Ours is 0.",
        WHICH,
        slopes=lambda x: np.where(x.d > 0, 1.0, -1.0),
    ),
    mistake(
        "squares, not sizes",
        "The differences are squared, so it is the mean square. Large errors count "
        "too much.",
        WHICH,
        each=lambda x: x.d**2,
    ),
    mistake(
        "the size is missing",
        "Errors of both signs cancel each other. It must be the size of the "
        "difference.",
        WHICH,
        each=lambda x: x.d,
    ),
    mistake(
        "the gradient of a square",
        "The gradient is that of the mean square. Here only the sign of the "
        "difference counts.",
        WHICH,
        slopes=lambda x: 2 * x.d,
    ),
    mistake(
        "the gradient is the difference",
        "The gradient is the difference itself. Here only its sign counts.",
        WHICH,
        slopes=lambda x: x.d,
    ),
    mistake(
        "no slope below",
        "Where the prediction is too small, the gradient is 0. It should be −1.",
        WHICH,
        slopes=lambda x: (x.d > 0) * 1.0,
    ).on_its_own(),
)

HUBER = _difference(
    lambda x: np.where(
        abs(x.d) <= x.delta, x.d**2 / 2, x.delta * (abs(x.d) - x.delta / 2)
    ),
    lambda x: np.clip(x.d, -x.delta, x.delta),
)


def _huber(inside: Line, outside: Line) -> Line:
    return lambda x: np.where(abs(x.d) <= x.delta, inside(x), outside(x))


def _square(x: Any) -> Any:
    return x.d**2 / 2


def _line(x: Any) -> Any:
    return x.delta * (abs(x.d) - x.delta / 2)


HUBER.know(
    convention(
        "divided by δ",
        "It is ours divided by δ, as the smooth L1 loss has it. So its slope far out "
        "is 1 and not δ.",
        WHICH,
        each=lambda x: _huber(_square, _line)(x) / x.delta,
        slopes=lambda x: np.clip(x.d, -x.delta, x.delta) / x.delta,
    ),
    convention(
        "twice as large",
        "It is twice ours: a plain square near 0, and not half of one.",
        WHICH,
        each=lambda x: 2 * _huber(_square, _line)(x),
        slopes=lambda x: 2 * np.clip(x.d, -x.delta, x.delta),
    ),
    mistake(
        "the ½ of the square is missing",
        "Near 0 it is the whole square. The two pieces do not meet at δ.",
        WHICH,
        each=_huber(lambda x: x.d**2, _line),
    ),
    mistake(
        "the line does not meet the parabola",
        "Far out, δ²/2 is not subtracted. So there is a jump at δ.",
        WHICH,
        each=_huber(_square, lambda x: x.delta * abs(x.d)),
    ),
    mistake(
        "the line does not meet the parabola",
        "Far out, what is subtracted is δ/2 in place of δ²/2. So there is a jump at δ.",
        WHICH,
        each=_huber(_square, lambda x: x.delta * abs(x.d) - x.delta / 2),
    ),
    mistake(
        "the line does not meet the parabola",
        "Far out, what is subtracted is δ² in place of δ²/2. So there is a jump at δ.",
        WHICH,
        each=_huber(_square, lambda x: x.delta * (abs(x.d) - x.delta)),
    ),
    mistake(
        "the line has the slope 1",
        "Far out, the slope must be δ, as it is where the pieces meet.",
        WHICH,
        each=_huber(_square, lambda x: abs(x.d) - x.delta / 2),
    ),
    mistake(
        "the line has the slope 1",
        "Far out, the slope must be δ, as it is where the pieces meet.",
        WHICH,
        slopes=lambda x: np.where(abs(x.d) <= x.delta, x.d, np.sign(x.d)),
    ),
    mistake(
        "the pieces are exchanged",
        "It is the line near 0 and the parabola far out. It should be the other way "
        "round.",
        WHICH,
        each=_huber(_line, _square),
    ),
    mistake(
        "the pieces are exchanged",
        "It is the line near 0 and the parabola far out. It should be the other way "
        "round.",
        WHICH,
        slopes=lambda x: np.where(abs(x.d) <= x.delta, x.delta * np.sign(x.d), x.d),
    ),
    mistake(
        "the size is missing in the condition",
        "What is compared with δ is the difference, not its size. So far below, the "
        "square is taken.",
        WHICH,
        each=lambda x: np.where(x.d <= x.delta, _square(x), _line(x)),
    ),
    mistake(
        "the size is missing in the condition",
        "What is compared with δ is the difference, not its size. So far below, the "
        "gradient is not cut.",
        WHICH,
        slopes=lambda x: np.where(x.d <= x.delta, x.d, x.delta),
    ),
    mistake(
        "the sign is lost far out",
        "Far below, the slope must be −δ. Here it is δ on both sides.",
        WHICH,
        slopes=lambda x: np.where(abs(x.d) <= x.delta, x.d, x.delta),
    ),
    mistake(
        "the size is missing in the line",
        "Far out it is a line through both sides. It must be one of the size of the "
        "difference.",
        WHICH,
        each=_huber(_square, lambda x: x.delta * (x.d - x.delta / 2)),
    ),
    mistake(
        "a square everywhere",
        "Large differences are squared, too. That is what this loss is there to avoid.",
        WHICH,
        each=_square,
    ),
    mistake(
        "a square everywhere",
        "The gradient is not cut far out. That is what this loss is there for.",
        WHICH,
        slopes=lambda x: x.d,
    ),
)


def _margin(each: Line, slopes: Line) -> Formula:
    formula = _reduce(each, slopes, m=lambda x: x.predictions * x.targets)
    formula.know(*reductions(per_row=False))
    return formula


def _of_margin(formula: Formula, edge: float) -> None:
    def hit(x: Any) -> Any:
        return x.m < edge

    formula.know(
        convention(
            "at the kink, the slope is −t",
            "At the kink there is no one slope; any from −t to 0 will do. Ours is "
            f"{'0' if edge else '−t'} there.",
            MARGINS,
            slopes=lambda x: np.where(x.m <= edge, -x.targets, 0.0),
        )
        if edge
        else convention(
            "at the kink, the slope is 0",
            "At the kink there is no one slope; any from −t to 0 will do. Ours is −t "
            "there, so that learning can begin at 0.",
            MARGINS,
            slopes=lambda x: np.where(x.m < edge, -x.targets, 0.0),
        ),
        convention(
            "squared",
            "It is the square of ours, the squared hinge. It has no kink, and outliers "
            "count more.",
            MARGINS,
            each=lambda x: np.maximum(0, edge - x.m) ** 2,
            slopes=lambda x: -2 * x.targets * np.maximum(0, edge - x.m),
        ),
        mistake(
            "the maximum with 0 is missing",
            "Who is right by far is rewarded. It must be 0 there.",
            MARGINS,
            each=lambda x: edge - x.m,
            slopes=lambda x: -x.targets + 0 * x.m,
        ),
        mistake(
            "the maximum with 0 is missing",
            "Who is right by far is rewarded. It must be 0 there.",
            MARGINS,
            each=lambda x: edge - x.m,
        ),
        mistake(
            "the minimum in place of the maximum",
            "It is the smaller of 0 and the margin that is missing. It must be the "
            "larger.",
            MARGINS,
            each=lambda x: np.minimum(0, edge - x.m),
        ),
        mistake(
            "the sign of the margin",
            "The product of score and target is added. So who is right pays, and who "
            "is wrong does not.",
            MARGINS,
            m=lambda x: -x.predictions * x.targets,
        ),
        mistake(
            "the gradient everywhere",
            "The gradient is −t for all. It is 0 for who has the margin.",
            MARGINS,
            slopes=lambda x: -x.targets + 0 * x.m,
        ),
        mistake(
            "the gradient of those that are right",
            "The condition is turned round. Who has the margin gets the gradient, and "
            "who has not gets none.",
            MARGINS,
            slopes=lambda x: np.where(hit(x), 0.0, -x.targets),
        ),
        mistake(
            "the gradient without the target",
            "The slope is −1 for all that miss the margin. It must be −t.",
            MARGINS,
            slopes=lambda x: np.where(hit(x), -1.0, 0.0),
        ),
        mistake(
            "the gradient of the weights",
            "The slope has the score in it. With respect to the score it is −t.",
            MARGINS,
            slopes=lambda x: np.where(hit(x), -x.targets * x.predictions, 0.0),
        ),
        mistake(
            "counted, not measured",
            "Every miss costs 1. It should cost what is missing.",
            MARGINS,
            each=lambda x: hit(x) * 1.0,
        ),
    )


HINGE = _margin(
    lambda x: np.maximum(0, 1 - x.m),
    lambda x: np.where(x.m < 1, -x.targets, 0.0),
)
_of_margin(HINGE, 1.0)
HINGE.know(
    mistake(
        "no margin",
        "Who is on the right side pays nothing, as with the perceptron. Here one must "
        "be on it by 1.",
        MARGINS,
        each=lambda x: np.maximum(0, -x.m),
    ),
    mistake(
        "no margin",
        "Who is on the right side gets no gradient, as with the perceptron. Here one "
        "must be on it by 1.",
        MARGINS,
        slopes=lambda x: np.where(x.m < 0, -x.targets, 0.0),
    ),
)
PERCEPTRON = _margin(
    lambda x: np.maximum(0, -x.m),
    lambda x: np.where(x.m <= 0, -x.targets, 0.0),
)
_of_margin(PERCEPTRON, 0.0)
PERCEPTRON.know(
    mistake(
        "a margin of 1",
        "Who is on the right side pays, too, as with the hinge loss. Here the side "
        "alone counts.",
        MARGINS,
        each=lambda x: np.maximum(0, 1 - x.m),
    ),
    mistake(
        "a margin of 1",
        "Who is on the right side gets a gradient, too, as with the hinge loss. Here "
        "the side alone counts.",
        MARGINS,
        slopes=lambda x: np.where(x.m < 1, -x.targets, 0.0),
    ),
)


# --- Cross-entropies ------------------------------------------------------------------


def sigmoid(z: Any) -> Any:
    """Return the sigmoid, which does not overflow."""
    small = np.exp(-abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)


def softmax(z: Any, axis: int = -1) -> Any:
    """Return the softmax, which does not overflow."""
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _one_hot(x: Any) -> Any:
    return np.eye(x.logits.shape[-1])[x.y]


def _shifted(x: Any) -> Any:
    return np.exp(x.logits - np.max(x.logits, axis=-1, keepdims=True))


def _binary(of_logits: bool) -> Formula:
    def each(x: Any) -> Any:
        if of_logits and x.log is np.log and x.is_stable:
            z = x.logits
            return np.maximum(z, 0) - z * x.y + np.log1p(np.exp(-abs(z)))
        yes, no = x.log(x.p), x.log(1 - x.p)
        if not x.is_stable:
            return -x.y * yes - (1 - x.y) * no
        # Without nan: 0 times the logarithm of 0 is 0.
        return -np.where(x.y == 0, 0, x.y * yes) - np.where(x.y == 1, 0, (1 - x.y) * no)

    def slopes(x: Any) -> Any:
        return x.p - x.y if of_logits else (x.p - x.y) / (x.p * (1 - x.p))

    def plain(yes: float, no: float) -> Line:
        return lambda x: -yes * x.y * np.log(x.p) - no * (1 - x.y) * np.log(1 - x.p)

    formula = _reduce(
        each,
        slopes,
        y=lambda x: x.labels,
        log=lambda _: np.log,
        is_stable=lambda _: True,
        p=lambda x: sigmoid(x.logits),
    )
    formula.know(*reductions(per_row=False))
    formula.know(
        *_of_logarithm(),
        mistake(
            "the term of y = 0 is missing",
            "Only examples of class 1 count. Those of class 0 must count by "
            "log(1 − p).",
            WHICH,
            each=plain(1, 0),
        ),
        mistake(
            "the term of y = 1 is missing",
            "Only examples of class 0 count. Those of class 1 must count by log p.",
            WHICH,
            each=plain(0, 1),
        ),
        mistake(
            "a sign between the terms",
            "One of the two terms has the other sign. Both are losses, so both are "
            "subtracted.",
            WHICH,
            each=plain(1, -1),
        ),
        mistake(
            "a sign between the terms",
            "One of the two terms has the other sign. Both are losses, so both are "
            "subtracted.",
            WHICH,
            each=plain(-1, 1),
        ),
        mistake(
            "the labels exchanged",
            "Class 1 is taken for class 0. It is p that is right if the label is 1.",
            SHIFTED,
            y=lambda x: 1 - x.labels,
        ),
        mistake(
            "log p in both terms",
            "The second term has log p, and should have log(1 − p).",
            WHICH,
            each=lambda x: -np.log(x.p) + 0 * x.y,
        ),
        mistake(
            "log of the label",
            "Prediction and truth are exchanged: the logarithm is one of the label.",
            WHICH,
            each=lambda x: -x.p * np.log(x.y) - (1 - x.p) * np.log(1 - x.y),
        ),
        mistake(
            "the logarithm is missing",
            "It is a product of label and probability. The loss is that of its "
            "logarithm.",
            WHICH,
            each=lambda x: -x.y * x.p - (1 - x.y) * (1 - x.p),
        ),
        mistake(
            "the sigmoid's derivative once more",
            "The gradient has p(1 − p) as a factor. In the gradient for the logits it "
            "has cancelled.",
            WHICH,
            slopes=lambda x: (x.p - x.y) * x.p * (1 - x.p),
        ),
        mistake(
            "a squared error",
            "It is the mean square of p − y. Where it is surely wrong, that hardly "
            "has a slope.",
            WHICH,
            each=lambda x: (x.p - x.y) ** 2,
        ).on_its_own(),
        mistake(
            "the sigmoid twice",
            "What has passed the sigmoid passes it again. No probability is then "
            "below 0.5.",
            WHICH,
            p=lambda x: sigmoid(sigmoid(x.logits)),
            is_stable=lambda _: False,
        ),
        mistake(
            "the labels are missing in the gradient",
            "The gradient is p. It must be p − y.",
            WHICH,
            slopes=lambda x: x.p,
        ),
    )
    if of_logits:
        formula.know(
            *_of_overflow(lambda x: 1 / (1 + np.exp(-x.logits))),
            limit(
                "e to the logit overflows",
                "It takes e to the power of a logit, which has no number above 709. "
                "Take off the larger of 0 and the logit first.",
                ENDS,
                each=lambda x: np.log(1 + np.exp(x.logits)) - x.y * x.logits,
            ),
            limit(
                "e to the logit overflows",
                "It takes e to the power of a logit, which has no number above 709. "
                "Take off the larger of 0 and the logit first.",
                ENDS,
                each=lambda x: np.log(1 + np.exp(-x.logits)) + (1 - x.y) * x.logits,
            ),
        )
    else:
        formula.know(
            convention(
                "the gradient for the logits",
                "It takes probabilities and returns p − y, the gradient with respect "
                "to the logits below the sigmoid. Ours is with respect to what it is "
                "given.",
                WHICH,
                slopes=lambda x: x.p - x.y,
            ),
            *_of_zero(lambda x: -x.y * np.log(x.p) - (1 - x.y) * np.log(1 - x.p)),
            mistake(
                "the denominator p (1 − p) is missing a factor",
                "The gradient is divided by p alone. With respect to the probability "
                "it is (p − y) / (p (1 − p)).",
                WHICH,
                slopes=lambda x: (x.p - x.y) / x.p,
            ),
            mistake(
                "−y / p alone",
                "The gradient of the second term, (1 − y) / (1 − p), is missing.",
                WHICH,
                slopes=lambda x: -x.y / x.p,
            ),
            mistake(
                "a sign between the terms of the gradient",
                "The gradient is −y / p + (1 − y) / (1 − p). Here both have one sign.",
                WHICH,
                slopes=lambda x: -x.y / x.p - (1 - x.y) / (1 - x.p),
            ),
            mistake(
                "a sigmoid too many",
                "It takes probabilities and passes them through the sigmoid. No "
                "probability is then below 0.5.",
                WHICH,
                p=lambda x: sigmoid(sigmoid(x.logits)),
            ),
        )
    return formula


LOGS = {
    "base 2": (np.log2, "bits"),
    "base 10": (np.log10, "decimal digits"),
}
TINY = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)


def limit(name: str, why: str, page: str, **lines: Line) -> Deviation:
    """Return what is right but for extremes."""
    return Deviation(name, "limit", why, lines, page)


def _log_above(tiny: float) -> Callable[[Any], Any]:
    return lambda p: np.log(p + tiny)


def _log_from(tiny: float) -> Callable[[Any], Any]:
    return lambda p: np.log(np.maximum(p, tiny))


def _log_within(tiny: float) -> Callable[[Any], Any]:
    return lambda p: np.log(np.clip(p, tiny, 1 - tiny))


def _use(value: Any) -> Line:
    return lambda _: value


def _of_logarithm() -> list[Deviation]:
    """Return other logarithms: of another base, or of a little more."""
    known = [
        convention(
            f"logarithms to {name}",
            f"It measures in {unit}. Ours is in nats, with the natural logarithm.",
            WHICH,
            log=_use(log),
        )
        for name, (log, unit) in LOGS.items()
    ]
    for tiny in TINY[:8]:  # of what is smaller, no digit is left
        known += [
            convention(
                f"{tiny:g} is added in the logarithm",
                "It adds a little to the probability, so that 0 has a logarithm. The "
                "loss is then a little off everywhere.",
                CARING,
                log=_use(_log_above(tiny)),
            )
        ]
    return known


def _of_overflow(p: Line) -> list[Deviation]:
    """Return what fails for large logits."""
    return [
        limit(
            "the logarithm of 0",
            "A probability that has become 0 has no logarithm. Compute the logarithm "
            "of the softmax from the logits.",
            ENDS,
            is_stable=lambda _: False,
        ),
        limit(
            "overflows: not shifted",
            "It takes e to the power of a logit, which has no number above 709. Take "
            "off the largest logit first: the result is the same.",
            ENDS,
            p=p,
            is_stable=lambda _: False,
        ),
        *(
            limit(
                f"stops caring at p = {tiny:g}",
                "The probability is cut off before the logarithm. Beyond, who is more "
                "wrong pays no more. Compute the loss from the logits.",
                CARING,
                log=_use(log),
                is_stable=lambda _: False,
            )
            for tiny in TINY
            for log in (_log_within(tiny), _log_from(tiny), _log_above(tiny))
        ),
    ]


def _of_zero(each: Line) -> list[Deviation]:
    """Return what fails for a probability of 0 that is right."""
    return [
        limit(
            "0 times the logarithm of 0",
            "A probability of 0 that is right gives 0 · log 0, which is nan. Cut the "
            "probability off, or leave that term out.",
            CARING,
            each=each,
        )
    ]


def _categorical(of_logits: bool) -> Formula:
    def pick(x: Any) -> Any:
        return x.p[np.arange(len(x.y)), x.y]

    def each(x: Any) -> Any:
        if not (of_logits and x.log is np.log and x.is_stable):
            return -x.log(pick(x))
        z = x.logits - x.logits.max(axis=-1, keepdims=True)
        named = z[np.arange(len(x.y)), x.y]
        return np.log(np.exp(z).sum(axis=-1)) - named

    def slopes(x: Any) -> Any:
        return x.p - _one_hot(x) if of_logits else -_one_hot(x) / x.p

    formula = _reduce(
        each,
        slopes,
        per_row=True,
        y=lambda x: x.labels,
        log=lambda _: np.log,
        is_stable=lambda _: True,
        p=lambda x: softmax(x.logits),
    )
    formula.know(*reductions(per_row=True))

    def with_p(name: str, why: str, page: str, p: Line) -> Deviation:
        return mistake(name, why, page, p=p, is_stable=lambda _: False)

    def of_labels(name: str, why: str, f: Callable[[Any, int], Any]) -> list[Deviation]:
        """Return labels that are moved: in all, in the value or in the gradient."""

        def moved(x: Any) -> Any:
            return f(x.labels, x.logits.shape[-1]) % x.logits.shape[-1]

        def inside(line: Line) -> Line:
            def with_moved(x: Any) -> Any:
                kept, x.y = x.y, moved(x)
                try:
                    return line(x)
                finally:
                    x.y = kept

            return with_moved

        return [
            mistake(name, why, SHIFTED, y=moved),
            mistake(name, why, SHIFTED, each=inside(each)).on_its_own(),
            mistake(name, why, SHIFTED, slopes=inside(slopes)).on_its_own(),
        ]

    formula.know(
        *_of_logarithm(),
        *of_labels(
            "labels shifted by one",
            "The label is taken one lower: classes are counted from 0 here.",
            lambda y, _: y - 1,
        ),
        *of_labels(
            "labels shifted by one",
            "The label is taken one higher: classes are counted from 0 here.",
            lambda y, _: y + 1,
        ),
        *of_labels(
            "labels from the other end",
            "The label is counted from the last class. It is counted from the first.",
            lambda y, k: k - 1 - y,
        ),
        mistake(
            "averaged over the classes, too",
            "The sum over examples and classes is divided by the count of both. There "
            "is one loss an example, so only these are counted.",
            ONE,
            scale=lambda x: (1 / x.slopes.size,) * 2,
        ),
        mistake(
            "all labels for everyone",
            "Every example is held against the labels of all, for a column was taken "
            "where a number was meant. Take `p[range(n), labels]`.",
            EVERYONE,
            total=lambda x: -np.mean(np.log(x.p[:, x.labels])) * len(x.labels),
        ),
        mistake(
            "all labels for everyone",
            "Every example is held against the labels of all, for a column was taken "
            "where a number was meant. Take `p[range(n), labels]`.",
            EVERYONE,
            total=lambda x: -np.sum(np.log(x.p[:, x.labels])),
        ).on_its_own(),
        mistake(
            "all labels for everyone",
            "1 is subtracted in the columns of all labels, for every example. Take "
            "`p[range(n), labels] -= 1`.",
            EVERYONE,
            slopes=lambda x: (
                x.p - np.isin(np.arange(x.logits.shape[-1]), x.labels) * 1.0
            ),
        ),
        mistake(
            "the logarithm is missing",
            "It is the probability of the label itself. The loss is its logarithm.",
            WHICH,
            each=lambda x: -pick(x),
        ),
        mistake(
            "one less the probability",
            "It is 1 − p of the label. The loss is −log p.",
            WHICH,
            each=lambda x: 1 - pick(x),
        ),
        mistake(
            "log(1 − p)",
            "It is the logarithm of 1 − p. It should be that of p.",
            WHICH,
            each=lambda x: -np.log(1 - pick(x)),
        ),
        mistake(
            "the other classes count, too",
            "Every class is treated as a yes or no of its own. With a softmax, the "
            "label's probability says all.",
            WHICH,
            each=lambda x: (
                -np.sum(
                    _one_hot(x) * np.log(x.p) + (1 - _one_hot(x)) * np.log(1 - x.p),
                    axis=-1,
                )
            ),
        ),
        mistake(
            "the logit of the label alone",
            "The logit is taken as if it were a logarithm of a probability. The "
            "logarithm of the sum is missing.",
            WHICH,
            each=lambda x: -x.logits[np.arange(len(x.labels)), x.labels],
        ),
        mistake(
            "the label's logit is missing",
            "It is the logarithm of the sum alone. The logit of the label must be "
            "subtracted.",
            WHICH,
            each=lambda x: np.log(np.exp(x.logits).sum(axis=-1)),
        ),
        mistake(
            "the labels are missing in the gradient",
            "The gradient is p. Where the label is, it must be p − 1.",
            WHICH,
            slopes=lambda x: x.p,
        ),
        mistake(
            "1 is subtracted everywhere",
            "The gradient is p − 1 for every class. Only the label's has the 1.",
            WHICH,
            slopes=lambda x: x.p - 1,
        ),
        mistake(
            "the diagonal for the whole",
            "The gradient is that of each probability with respect to its own logit "
            "alone. All probabilities depend on all logits.",
            "training/bugs-that-shipped/#5-the-diagonal-for-the-whole",
            slopes=lambda x: -_one_hot(x) * (1 - x.p),
        ),
        mistake(
            "the softmax's derivative once more",
            "The gradient has p(1 − p) as a factor. In the gradient for the logits it "
            "has cancelled.",
            WHICH,
            slopes=lambda x: (x.p - _one_hot(x)) * x.p * (1 - x.p),
        ),
        mistake(
            "the largest class in place of the label",
            "The label is not used: the class with the largest probability is taken "
            "to be right.",
            WHICH,
            each=lambda x: -np.log(np.max(x.p, axis=-1)),
        ),
        with_p(
            "the softmax twice",
            "What has passed the softmax passes it again. The probabilities are then "
            "nearly equal.",
            WHICH,
            lambda x: softmax(softmax(x.logits)),
        ),
    )
    if of_logits:
        formula.know(
            with_p(
                "softmax over the examples",
                "The softmax goes along the wrong axis: it must be taken over the "
                "classes of an example.",
                WHICH,
                lambda x: softmax(x.logits, axis=0),
            ),
            with_p(
                "softmax over the examples",
                "The sum of the softmax goes along the wrong axis: it must be taken "
                "over "
                "the classes of an example.",
                WHICH,
                lambda x: _shifted(x) / np.sum(_shifted(x), axis=0, keepdims=True),
            ),
            with_p(
                "one sum for all rows",
                "The softmax divides by one sum for all examples. Each has its own.",
                WHICH,
                lambda x: _shifted(x) / np.sum(_shifted(x)),
            ),
            with_p(
                "one sum for all rows",
                "The softmax divides by one sum for all examples. Each has its own.",
                WHICH,
                lambda x: np.exp(x.logits) / np.sum(np.exp(x.logits)),
            ),
            with_p(
                "no softmax but a share",
                "The logits are divided by their sum, with no e to their power.",
                WHICH,
                lambda x: x.logits / np.sum(x.logits, axis=-1, keepdims=True),
            ),
            with_p(
                "a sigmoid in place of the softmax",
                "Every logit passes a sigmoid. So the probabilities do not sum to 1.",
                WHICH,
                lambda x: sigmoid(x.logits),
            ),
            with_p(
                "the sign of the logits",
                "The softmax is taken of −z. The largest logit gets the smallest "
                "probability.",
                WHICH,
                lambda x: softmax(-x.logits),
            ),
            *_of_overflow(
                lambda x: (
                    np.exp(x.logits) / np.sum(np.exp(x.logits), axis=-1, keepdims=True)
                ),
            ),
            limit(
                "overflows: not shifted",
                "It takes e to the power of a logit, which has no number above 709. "
                "Take off the largest logit first: the result is the same.",
                ENDS,
                each=lambda x: (
                    np.log(np.exp(x.logits).sum(axis=-1))
                    - x.logits[np.arange(len(x.labels)), x.labels]
                ),
            ),
        )
    else:
        formula.know(
            convention(
                "the gradient for the logits",
                "It takes probabilities and returns p − y, the gradient with respect "
                "to the logits below the softmax. Ours is with respect to what it is "
                "given.",
                WHICH,
                slopes=lambda x: x.p - _one_hot(x),
            ),
            *_of_zero(lambda x: -np.sum(_one_hot(x) * np.log(x.p), axis=-1)),
            mistake(
                "the sign of y / p",
                "The gradient of −log p is −1 / p. The minus is missing.",
                WHICH,
                slopes=lambda x: _one_hot(x) / x.p,
            ),
            mistake(
                "−1 / p for every class",
                "The gradient is −1 / p for every class. Only that of the label has "
                "one.",
                WHICH,
                slopes=lambda x: -1 / x.p,
            ),
        )
    return formula


# --- What is given and returned -------------------------------------------------------

VALUE_AND_GRAD = "value and gradient"
IN_WORDS = {
    "value": "the value",
    "grad": "the gradient",
    "each": "a loss for each number",
    "rows": "a mean for each example",
    "row_sums": "a sum for each example",
}


def _first_of(raw: dict[Any, Any], words: tuple[str, ...]) -> Any:
    for key, value in raw.items():
        if any(word in normalize(str(key)) for word in words):
            return value
    return None


class Layout:
    """How the arrays of a case are handed over: examples as rows, or as columns."""

    def __init__(self, name: str) -> None:
        self.is_columns = name == "columns"

    def give(self, a: Array) -> Array:
        """Return an array as the subject wants it."""
        if not self.is_columns:
            return a
        return np.atleast_2d(a) if a.ndim < 2 else np.ascontiguousarray(a.T)

    def take(self, a: Array, like: Array) -> Array:
        """Return what belongs to it, with examples as rows."""
        if not self.is_columns or (a.shape == like.shape and like.ndim != 2):
            return a
        return a.reshape(like.shape) if like.ndim < 2 else a.T


def read_results(raw: Any, pred: Array, layout: Layout) -> dict[str, Parts]:
    """Return what a loss may have returned: value, gradient, both, or each."""
    given = layout.give(pred)

    def read(thing: Any) -> dict[str, Array]:
        a = as_array(thing)
        found: dict[str, Array] = {}
        if a.size == 1 and (a.ndim == 0 or given.size == 1 or given.ndim == 2):
            found["value"] = a.reshape(())
        if a.shape == given.shape and a.ndim:
            found["grad"] = found["each"] = layout.take(a, pred)
        examples = pred.shape[0]
        if (pred.ndim == 2 or a.ndim == 2) and a.size == examples and a.ndim:
            found["rows"] = found["row_sums"] = a.reshape(examples)
        return found

    out: dict[str, Parts] = {}
    if isinstance(raw, dict):
        value = _first_of(raw, ("loss", "cost", "value", "error"))
        slope = _first_of(
            raw, ("grad", "dz", "dx", "delta", "dscores", "dlogits", "da")
        )
        things = [thing for thing in (value, slope) if thing is not None]
    elif isinstance(raw, tuple) or (
        isinstance(raw, list) and any(np.ndim(x) != np.ndim(raw[0]) for x in raw)
    ):
        things = list(raw)
    else:
        things = [raw]
    parts = []
    for thing in things:
        try:
            parts.append(read(thing))
        except ResultError:
            continue
    if (
        len(things) == 2
        and len(parts) == 2
        and "value" in parts[1]
        and "value" not in parts[0]
    ):
        parts.reverse()
    if len(parts) >= 2 and "value" in parts[0] and "grad" in parts[1]:
        out[VALUE_AND_GRAD] = {"value": parts[0]["value"], "grad": parts[1]["grad"]}
    elif parts:
        out |= {IN_WORDS[name]: {name: a} for name, a in parts[0].items()}
    if not parts:
        raise ResultError("it returns no numbers")
    return out


class LossTask(FunctionTask):
    """A loss: its value, its gradient, or both."""

    kind = "loss"
    usual: ClassVar[Mapping[str, tuple[float, ...]]] = {"delta": (1.0, 0.5, 2.0, 1.35)}
    truth = "numbers"

    def __init__(
        self,
        name: str,
        doc: str,
        formula: Formula | tuple[Formula, Formula],
        truth: str,
        options: Mapping[str, Any] | None = None,
        *,
        only_gradient: bool = False,
    ) -> None:
        super().__init__(name, doc, options)
        self.formula, self.truth, self.only_gradient = formula, truth, only_gradient
        first, second = NAMES[truth]
        shapes = {"numbers": "n k", "signs": "n k", "labels": "n k", "classes": "n k"}
        self.axes = {first: shapes[truth], second: "n" if truth == "classes" else "n k"}  # type: ignore[misc]
        self.least = {"k": 2} if truth == "classes" else {}  # type: ignore[misc]
        plain = self.name.removesuffix("_grad")
        self.forms = (
            f"def {plain}(predictions, targets): ... return value",
            f"def {plain}(predictions, targets): ... return value, gradient",
            write_class(
                plain, "", "forward(self, predictions, targets)", "backward(self)"
            ),
        )

    # --- Inputs -----------------------------------------------------------------------

    def cases(self, fixed: dict[str, Any]) -> list[Case]:
        """Return the inputs; options that are fixed keep their values."""
        rng = np.random.default_rng(0)
        first, second = NAMES[self.truth]
        options = {
            name: fixed.get(name, round(float(rng.uniform(0.4, 2.5)), 3))
            for name in self.defaults
        }

        def case(aspect: str, a: Any, b: Any, **kind: bool) -> Case:
            return Case(
                aspect, {first: np.array(a), second: np.array(b)}, options, **kind
            )

        normal = rng.normal
        match self.truth:
            case "numbers":
                found = [
                    case("some numbers", 2 * normal(size=5), normal(size=5)),
                    case(
                        "a matrix",
                        2 * normal(size=(4, 3)),
                        normal(size=(4, 3)),
                        is_excused=True,
                    ),
                    case(
                        "one example",
                        normal(size=(1, 3)),
                        normal(size=(1, 3)),
                        is_excused=True,
                    ),
                    case(
                        "a column",
                        normal(size=(4, 1)),
                        normal(size=(4, 1)),
                        is_excused=True,
                    ),
                    case("large errors", 1e3 * normal(size=6), normal(size=6)),
                    case("both equal", [1.5, 2.0, -1.0], [1.5, 0.5, 1.0]),
                    case(
                        "errors of 1e200",
                        np.array([1e200, 1.0]),
                        np.zeros(2),
                        is_extreme=True,
                    )
                    if "mae" in self.name or "huber" in self.name
                    else case(
                        "whole numbers",
                        [3, -1, 4],
                        [1, 2, 4],
                        is_extreme=True,
                        is_excused=True,
                    ),
                ]
            case "signs":
                found = [
                    case("some scores", 2 * normal(size=7), [1.0, -1, 1, -1, 1, 1, -1]),
                    case("two scores", [0.3, -0.2], [1.0, -1.0]),
                    case(
                        "a column",
                        normal(size=(4, 1)),
                        [[1.0], [-1], [-1], [1]],
                        is_excused=True,
                    ),
                    case(
                        "a matrix",
                        normal(size=(3, 2)),
                        [[1.0, -1], [-1, -1], [1, 1]],
                        is_excused=True,
                    ),
                    case(
                        "scores at the kink",
                        [1.0, -1.0, 0.0, 0.5],
                        [1.0, -1.0, 1.0, -1.0],
                    ),
                    case("large scores", 1e3 * normal(size=4), [1.0, 1, -1, -1]),
                ]
            case "labels":
                found = [
                    case("some logits", 2 * normal(size=6), [1.0, 0, 0, 1, 1, 0]),
                    case(
                        "a column",
                        normal(size=(4, 1)),
                        [[1.0], [0], [0], [1]],
                        is_excused=True,
                    ),
                    case("one example", [0.7], [1.0], is_excused=True),
                    case(
                        "a matrix",
                        normal(size=(3, 2)),
                        [[1.0, 0], [0, 0], [1, 1]],
                        is_excused=True,
                    ),
                    case("one class alone", normal(size=3), np.zeros(3)),
                    case(
                        "sure and right",
                        [40.0, -1e4, 1e4],
                        [1.0, 0.0, 1.0],
                        is_extreme=True,
                    ),
                    case("sure and wrong", [-1e4, 1e4], [1.0, 0.0], is_extreme=True),
                ]
            case _:
                top = np.array([[1e4, 0, -1e4], [-1e4, 1e4, 0], [0, 1.0, 1e4]])
                found = [
                    case("some logits", 2 * normal(size=(5, 4)), [2, 0, 3, 1, 0]),
                    case("one example", normal(size=(1, 3)), [1], is_excused=True),
                    case("labels of one class", normal(size=(3, 3)), [0, 0, 0]),
                    case("two classes", normal(size=(4, 2)), [1, 0, 0, 1]),
                    case("sure and right", top, [0, 1, 2], is_extreme=True),
                    case("sure and wrong", top, [2, 0, 1], is_extreme=True),
                ]
        return found

    # --- Forms ------------------------------------------------------------------------

    def ways_to_call(self, subject: Any) -> Iterator[Form]:
        """Go through the ways in which a subject may be called."""
        example = dict.fromkeys(self.defaults, 1.0)
        for carrier in carriers_of(subject):
            for layout in ("rows", "columns"):
                for entry in self.entries(subject, example):
                    yield from self.forms_of(entry, carrier, Layout(layout), example)

    def entries(self, subject: Any, example: Mapping[str, Any]) -> Iterator[Entry]:
        """Go through the functions that it may be."""
        methods = METHODS if not self.only_gradient else (*GRADIENTS, *METHODS)
        yield from entries_of(subject, methods, self.defaults, example, ROLES)

    def forms_of(
        self, entry: Entry, carrier: Carrier, layout: Layout, example: Mapping[str, Any]
    ) -> Iterator[Form]:
        """Go through the ways to call one function."""
        try:
            function, owner = entry.make(example)
        except Exception:
            return
        extras = {
            "axis": -1, "dim": -1,
            "nclasses": _count, "numclasses": _count, "k": _count, "c": _count,
            "numlabels": _count,
        }  # fmt: skip
        for binding in bind(function, ROLES, self.defaults, extras):
            for given, formula, truths in self.kinds():
                for truth in truths:
                    yield self.form(
                        entry, binding, carrier, layout, given, formula, truth, owner
                    )

    def kinds(self) -> list[tuple[str, Formula, tuple[str, ...]]]:
        """Return what may be given, the lines then, and how the truth may be given."""
        if isinstance(self.formula, Formula):
            truths = ("", "0 and 1") if self.truth == "signs" else ("",)
            return [("", self.formula, truths)]
        of_logits, of_probabilities = self.formula
        truths = ("class ids", "one-hot labels") if self.truth == "classes" else ("",)
        return [
            ("logits", of_logits, truths),
            ("probabilities", of_probabilities, truths),
            *(
                [("log-probabilities", of_logits, truths)]
                if self.truth == "classes" and not self.only_gradient
                else []
            ),
        ]

    def form(
        self,
        entry: Entry,
        binding: Binding,
        carrier: Carrier,
        layout: Layout,
        given: str,
        formula: Formula,
        truth: str,
        owner: Any,
    ) -> Form:
        """Return a form of a call."""
        told = [
            given,
            f"and {truth}" if truth else "",
            f"as {carrier.name}" if carrier.name else "",
        ]
        what = " ".join(one for one in told if one)
        gradient = _gradient_method(owner) if not self.only_gradient else None
        first, _ = NAMES[self.truth]

        def call(case: Case, notes: set[str]) -> Any:
            pred, true = self.hand_over(case, given, truth, layout)
            values = {"predictions": carrier.give(pred), "truth": carrier.give(true)}
            before = {
                k: v.copy() if isinstance(v, np.ndarray) else _copy(v)
                for k, v in values.items()
            }
            f, thing = entry.make(case.options)
            bound = binding._replace(f=f)
            result = bound(values, case.options)
            if gradient is not None:
                result = self.with_gradient(thing, gradient, values, result, case)
            note_changes(notes, before, values)
            return result

        def read(raw: Any, case: Case) -> dict[str, Parts]:
            found = read_results(raw, case.inputs[first], layout)
            if self.only_gradient:
                found = {
                    k: {"grad": v["grad"]} for k, v in found.items() if "grad" in v
                }
            return found

        return Form(
            f"{entry.how} of {what}" if what else entry.how,
            call,
            read,
            formula,
            ((COLUMNS,) if layout.is_columns else ())
            + ((LOGS_GIVEN,) if given.startswith("log-") else ()),
            binding.option_names | entry.accepted,
            entry.defaults | binding.defaults,
            {
                IN_WORDS["each"]: (NOT_REDUCED,),
                IN_WORDS["rows"]: (NOT_REDUCED,)
                if self.truth == "classes"
                else (ROWS,),
                IN_WORDS["row_sums"]: (NOT_REDUCED,)
                if self.truth == "classes"
                else (ROW_SUMS,),
            },
        )

    def hand_over(
        self, case: Case, given: str, truth: str, layout: Layout
    ) -> tuple[Array, Array]:
        """Return both arrays as the subject wants them."""
        first, second = NAMES[self.truth]
        pred, true = case.inputs[first], case.inputs[second]
        of_rows = self.truth == "classes"
        if given == "probabilities":
            pred = softmax(pred) if of_rows else sigmoid(pred)
        elif given == "log-probabilities":
            z = pred - pred.max(axis=-1, keepdims=True)
            pred = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        if truth == "one-hot labels":
            true = np.eye(pred.shape[-1])[true]
        elif truth == "0 and 1":
            true = (true > 0) * 1.0
        if of_rows and truth == "class ids":
            return layout.give(pred), true
        return layout.give(pred), layout.give(true)

    def with_gradient(
        self, thing: Any, name: str, values: Mapping[str, Any], result: Any, case: Case
    ) -> Any:
        """Return the value, and the gradient that a method gives afterwards."""
        method = getattr(thing, name)
        slope = None
        tries = [
            *(
                lambda b=b: b(values, case.options)
                for b in bind(method, ROLES, self.defaults)
            ),
            lambda: method(),
            lambda: method(1.0),
        ]
        for run in tries:
            try:
                slope = run()  # type: ignore[no-untyped-call]
            except Exception:
                continue
            break
        if slope is None:
            slope = next(
                (
                    getattr(thing, a)
                    for a in HELD
                    if getattr(thing, a, None) is not None
                ),
                None,
            )
        if slope is None or not isinstance(
            result, float | int | np.generic | np.ndarray
        ):
            return result
        return result, slope


def _copy(v: Any) -> Any:
    return v.clone() if hasattr(v, "clone") else list(v)


def _count(values: Mapping[str, Any]) -> int:
    return int(np.shape(values["predictions"])[-1])


def _gradient_method(owner: Any) -> str | None:
    if owner is None or hasattr(owner, "register_forward_hook"):
        return None
    return next((n for n in GRADIENTS if callable(getattr(owner, n, None))), None)


NAMES = {
    "numbers": ("predictions", "targets"),
    "signs": ("predictions", "targets"),
    "labels": ("logits", "labels"),
    "classes": ("logits", "labels"),
}
LOSSES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "mse": (MSE, "numbers", {}),
    "mae": (MAE, "numbers", {}),
    "huber": (HUBER, "numbers", {"delta": 1.0}),
    "binary_cross_entropy": ((_binary(True), _binary(False)), "labels", {}),
    "cross_entropy": ((_categorical(True), _categorical(False)), "classes", {}),
    "hinge": (HINGE, "signs", {}),
    "perceptron_loss": (PERCEPTRON, "signs", {}),
}
