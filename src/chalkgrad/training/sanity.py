"""The sanity check: nine questions before a long training."""

import dataclasses
import importlib
import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import (
    backend_of,
    clone,
    convert_frame,
    detach,
    from_numpy,
    to_dtype,
    to_numpy,
)
from chalkgrad._core.random import Rng, as_generator
from chalkgrad._core.rows import count_rows
from chalkgrad._core.types import (
    AnyArray,
    ArrayOrFrame,
    Loss,
    Model,
    Optimizer,
)
from chalkgrad.training._step import has_classes
from chalkgrad.training.fit import FitResult, fit

__all__ = ["CheckResult", "SanityReport", "sanity_check"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class CheckResult(NamedTuple):
    """One line of a `SanityReport`."""

    passed: bool | None
    """Whether the value is as expected; None if the question does not apply."""
    value: float
    """What was measured."""
    expected: str
    """What is well."""
    advice: str
    """What to do if it is not."""


class SanityReport(NamedTuple):
    """What `sanity_check` found; it prints as a table."""

    inputs_scaled: CheckResult
    """Root mean square of the largest input, over the examples."""
    classes_balanced: CheckResult
    """How much rarer the rarest class is than the commonest; inf if it is missing."""
    loss_at_start: CheckResult
    """The loss of `w`; knowing nothing costs ln C for C classes."""
    gradient_right: CheckResult
    """How far slopes by the gradient are from slopes by differences."""
    gradient_flows: CheckResult
    """Size of a layer's gradient on three examples: the smallest over the largest."""
    no_dead_units: CheckResult
    """Share of the worst hidden layer that is dead (ReLU) or saturated."""
    rows_independent: CheckResult
    """How far an example's output changes when it comes alone."""
    batch_learned: CheckResult
    """The loss on 8 examples after 200 steps on them."""
    labels_match_inputs: CheckResult
    """Loss on held-out examples, over the same with shuffled labels."""

    @property
    def failures(self) -> tuple[str, ...]:
        """The names of the checks that failed."""
        named = zip(self._fields, self, strict=True)
        return tuple(name for name, result in named if result.passed is False)

    def __repr__(self) -> str:
        lines = [f"{'check':20}{'passed':9}{'value':10}expected"]
        for name, (passed, value, expected, advice) in self._asdict().items():
            word = {True: "yes", False: "NO", None: "-"}[passed]
            shown = "<1e-6" if 0 <= value < 1e-6 else f"{value:.3g}"
            shown = "-" if passed is None else shown
            lines.append(f"{name:20}{word:9}{shown:10}{expected}".rstrip())
            if passed is False:
                lines.append(f"    -> {advice}")
        return "\n".join(lines)


def sanity_check(
    net: Model,
    w: AnyArray,
    x: ArrayOrFrame,
    y: ArrayOrFrame,
    *,
    loss: Loss,
    optimizer: Optimizer | None = None,
    rng: Rng = 0,
) -> SanityReport:
    r"""Look for the common mistakes before a long training.

    Nine questions, each cheap, and each one that real mistakes fail: about the data,
    about the start, and whether two hundred steps learn what they should. A check
    that fails is a reason to look, not a proof; one that passes proves little.

    The slope along a random direction $d$ is compared with the difference
    $\frac{L(w + hd) - L(w - hd)}{2h}$. It is computed in float64.

    Parameters
    ----------
    net : Network
        The model. One of your own will do, if it has `forward`, `loss_and_grad` and
        `layers`, as a network has; `no_dead_units` is then left out.
    w : Array of shape (size,)
        The weights that training would start from. They stay as they are.
    x : Array of shape (n, d)
        The examples, 8 or more.
    y : Array of shape (n, ...)
        Their labels or targets, as `loss` takes them.
    loss : callable
        A loss of this backend, such as ``cg.losses.cross_entropy``.
    optimizer : Optimizer, optional
        The rule that training would use; by default Adam with rate 0.01.
    rng : int or numpy.random.Generator
        Where directions, examples and shufflings come from.

    Returns
    -------
    SanityReport
        A `CheckResult` for each question: passed or not, the value, what was expected,
        and what to do.

    Raises
    ------
    TypeError, ShapeError, ValueError, IndexError
        What `net` and `loss` raise on `w`, `x` or `y`; if `w` is more than one network,
        if there are fewer than 8 examples, if `x` holds nan or an infinity, or if `rng`
        is not a seed.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.moons(200)
    >>> net = cg.network([2, 16, 2])
    >>> loss = cg.losses.cross_entropy
    >>> cg.training.sanity_check(net, net.init(), x, labels, loss=loss).failures
    ()
    >>> huge = 1000 * x  # somebody took metres for kilometres
    >>> report = cg.training.sanity_check(net, net.init(), huge, labels, loss=loss)
    >>> report.failures[:2]
    ('inputs_scaled', 'loss_at_start')
    >>> report.loss_at_start.expected
    '0.347 to 1.39'
    """
    where = "sanity_check"
    rng = as_generator(where, rng)
    x, y = convert_frame(where, "x", x, w), convert_frame(where, "y", y, w)
    n = count_rows(where, x=x, y=y)
    if n < 8:
        raise ValueError(f"{where}: `x` must have 8 rows or more, got {n}.")
    check.one_network(where, w)
    check.model(where, net)
    if optimizer is not None:
        check.optimizer(where, optimizer)
    check.any_precision(where, "x", x)
    check.finite(where, "x", x)
    return _check_all(net, clone(w), detach(x), detach(y), loss, optimizer, rng)


def _check_all(
    net: Model,
    w: Any,
    x: Any,
    y: Any,
    loss: Loss,
    optimizer: Optimizer | None,
    rng: np.random.Generator,
) -> SanityReport:
    """Answer the questions, one after another."""
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    outputs = net.forward(w, x)
    plain = getattr(loss, "func", loss)  # smoothed labels can't be learned to 0
    chance, classes = _chance_loss(plain, outputs, y), has_classes(y)
    largest = float(((x**2).mean(0) ** 0.5).max())
    optimizer = optimizer or _adam(w)

    def learn(rows: Array, y: Any, epochs: int, **options: Any) -> FitResult[Any]:
        shown = options | {"loss": loss, "optimizer": optimizer, "progress": False}
        return fit(net, w, x[rows], y[rows], epochs=epochs, **shown)

    n = len(x)
    order = rng.permutation(n)
    few, train, test = order[:8], order[: 2 * n // 3][:400], order[2 * n // 3 :][:400]
    walk = learn(few, y, 200)
    left = float(plain(net.forward(walk.w, x[few]), y[few]).mean())

    def held_out(y: Any) -> float:
        losses = learn(train, y, 100, validation=(x[test], y[test])).validation_loss
        return float(min(losses, default=math.inf))  # type: ignore[arg-type]

    return SanityReport(
        inputs_scaled=_check_range(
            largest, 0.1, 10, "Scale the inputs, say to mean 0 and deviation 1."
        ),
        classes_balanced=_check_range(
            _imbalance_ratio(outputs, y) if classes else None,
            1,
            10,
            "Weight or repeat the rare; judge by recall, not by accuracy.",
        ),
        loss_at_start=_check_range(
            float(plain(outputs, y).mean()),
            chance / 2 if classes else 0,
            chance * 2 if classes else chance * 10,
            "Too high: scale inputs, targets or w. Too low: is y among the inputs?",
        ),
        gradient_right=_check_range(
            _gradient_error(net, w, x, y, loss, rng, 1e-6 / max(1, largest)),
            0,
            1e-3,
            "Forward and backward pass do not match; or w is on a fold of the loss.",
        ),
        gradient_flows=_check_range(
            _gradient_flow(net, w, x[few[:3]], y[few[:3]], loss),
            1e-4,
            1,
            "Another start, another activation, normalisation, or skips.",
        ),
        no_dead_units=_check_range(
            _dead_unit_share(net, w, x),
            0,
            0.7,
            "Scale inputs and w; look at the biases.",
        ),
        rows_independent=_check_range(
            _relative_difference(net.forward(w, x[:1]), outputs[:1]),
            0,
            1e-3,
            "Something mixes the rows: a wrong axis, or batch normalisation.",
        ),
        batch_learned=_check_range(
            math.inf if walk.stopped == "diverged" else left,
            0,
            chance / 10,
            "Not even these can be learned: try another rate, look at the model.",
        ),
        labels_match_inputs=_check_range(
            _safe_ratio(held_out(y), held_out(y[rng.permutation(n)]))
            if n > 29
            else None,
            0,
            0.9,
            "Are x and y still in the same order? Or is the task too hard?",
        ),
    )


def _check_range(
    value: float | None, low: float, high: float, advice: str
) -> CheckResult:
    """Check that `low` <= `value` <= `high`; None does not apply."""
    expected = f"{low:.3g} to {high:.3g}" if low else f"{high:.3g} or less"
    if value is None:
        return CheckResult(None, math.nan, expected, advice)
    return CheckResult(low <= value <= high, value, expected, advice)


def _adam(w: Any) -> Optimizer:
    """Return Adam in the backend of `w`."""
    optimizers = importlib.import_module(f"chalkgrad.optimizers._{backend_of(w)}")
    adam: Optimizer = optimizers.adam(0.01)
    return adam


def _chance_loss(loss: Loss, outputs: Any, y: Any) -> float:
    """Return the loss of who knows nothing: outputs 0, or the mean of the targets."""
    constant = outputs * 0
    if getattr(loss, "compares_numbers", False):
        constant = constant + y.mean(0)
    return float(loss(constant, y).mean())  # one of the reader's own gives one each


def _imbalance_ratio(outputs: Any, y: Any) -> float:
    """Divide the count of the commonest class by that of the rarest."""
    found, counts = np.unique(to_numpy(y), return_counts=True)
    missing = len(found) < max(outputs.shape[-1], 2)
    return math.inf if missing else float(counts.max() / counts.min())


def _safe_ratio(a: float, b: float) -> float:
    return math.inf if a == math.inf or b == 0 else a / b


def _rms(*arrays: Any) -> float:
    x = np.concatenate([to_numpy(a).ravel() for a in arrays])
    unit = float(abs(x).max()) or 1.0  # in which no square overflows
    return unit * math.sqrt(np.mean((x / unit) ** 2))


def _gradient_error(
    net: Model, w: Any, x: Any, y: Any, loss: Loss, rng: Any, h: float
) -> float:
    """Compare slopes along five directions with central differences, in float64."""
    w, x, y = _double(w), _double(x), _double(y)
    value, grad = net.loss_and_grad(w, x, y, loss)
    slopes, differences = [], []
    for _ in range(5):
        d = from_numpy(rng.standard_normal(len(w)), like=w)
        up, down = (net.loss_and_grad(w + s * d, x, y, loss)[0] for s in (h, -h))
        slopes.append(float((grad * d).sum()))
        differences.append(float(up - down) / (2 * h))
    error = _rms(np.subtract(slopes, differences))
    # Slopes that are lost in the rounding of the loss can't be judged.
    floor = 1e-12 / h * abs(float(value)) + 1e-30
    return error / (max(_rms(np.array(slopes)), _rms(np.array(differences))) + floor)


def _double(a: Any) -> Any:
    """Return real numbers as float64, on the CPU if there is none where they are."""
    if str(getattr(a, "device", "cpu")).startswith("mps"):
        a = a.cpu()
    if check.dtype_name(a) in check.INTEGERS:
        return a
    return to_dtype(a, "float64")


def _gradient_flow(net: Any, w: Any, x: Any, y: Any, loss: Loss) -> float:
    """Divide the least root mean square of a layer's gradient by the largest.

    Over all examples the errors may cancel at the outputs; those of three do not.
    """
    _, grad = net.loss_and_grad(w, x, y, loss)
    sizes = [_rms(W, b) for W, b in net.layers(grad)]
    return min(sizes) / max(sizes) if max(sizes) > 0 else 0.0


def _relative_difference(alone: Any, among: Any) -> float:
    """Return how far apart two outputs are, relative to their size."""
    return _rms(alone - among) / (_rms(among) + 1e-30)


def _dead_unit_share(net: Any, w: Any, x: Any) -> float | None:
    """Return the share of idle units in the worst hidden layer, if that can be told.

    A ReLU is dead if it is 0 for every example. A tanh is saturated where its slope is
    below a hundredth, from 3 on; a sigmoid, being a tanh of half of it, from 6 on.
    """
    limit = {"relu": 0, "tanh": 3, "sigmoid": 6}.get(getattr(net, "activation", ""))
    if limit is None or len(net.sizes) < 3:
        return None
    shares = []
    for end in range(2, len(net.sizes)):
        first = dataclasses.replace(net, sizes=net.sizes[:end])  # it is a network too
        z = to_numpy(first.forward(w[: first.size], x))
        shares.append((z <= 0).all(0).mean() if limit == 0 else (abs(z) > limit).mean())
    return float(max(shares))
