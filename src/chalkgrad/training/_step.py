"""One step of training, by a plan or by a model that makes none."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import clone
from chalkgrad._core.rows import count_rows, iter_chunks
from chalkgrad._core.types import Optimizer

__all__ = [
    "WeightedTruth",
    "check_examples",
    "check_weights",
    "count_examples",
    "find_gradient",
    "finite_loss_and_grad",
    "has_classes",
    "is_finite",
    "make_plan",
]


def has_classes(y: Any) -> bool:
    """Tell labels, one to a row, from targets."""
    return check.dtype_name(y) in check.INTEGERS and y.shape[1:] in ((), (1,))


def is_finite(a: Any) -> bool:
    return bool((abs(a) < math.inf).all())


def check_examples(
    where: str, net: Any, w: Any, x: Any, y: Any, loss: Callable[..., Any]
) -> int:
    """Tell bad input now, by its index in `x` or `y` rather than in a batch."""
    check.model(where, net)
    n = count_rows(where, x=x, y=y)
    for first, xs, ys in iter_chunks(x, y):
        try:
            check.any_precision(where, "x", xs)
            check.finite(where, "x", xs)
            with np.errstate(all="ignore"):
                net.loss_and_grad(w, xs, ys, loss)
        except (ValueError, IndexError) as error:
            if not first:
                raise
            raise type(error)(f"{error} Index 0 is row {first} of `x`.") from None
    return n


def check_weights(where: str, weights: Any, n: int) -> None:
    """Raise unless there is what each of n examples counts, and one counts at least."""
    if not hasattr(weights, "dtype") or check.dtype_name(weights) not in check.INTEGERS:
        check.any_precision(where, "weights", weights)
        check.finite(where, "weights", weights)
    if tuple(weights.shape) != (n,):
        raise check.ShapeError(
            f"{where}: `weights` must be one number for each example, shape ({n},), "
            f"got {tuple(weights.shape)}."
        )
    wanted = "every weight must be 0 or more"
    check.values(where, "weights", weights, weights >= 0, wanted)
    if not bool((weights > 0).any()):
        raise ValueError(f"{where}: `weights` must not all be 0.")


class WeightedTruth:
    """Labels or targets, and what each example counts: rows are taken of both."""

    def __init__(self, y: Any, weights: Any) -> None:
        self.y, self.weights = y, weights

    def __getitem__(self, rows: Any) -> "WeightedTruth":
        return WeightedTruth(self.y[rows], self.weights[rows])


def count_examples(x: Any, y: Any) -> float:
    """Return what all examples count together: one each, or their weights."""
    return float(y.weights.sum()) if isinstance(y, WeightedTruth) else len(x)


def find_gradient(plan: Any, x: Any, y: Any) -> Any:
    """Leave the gradient in the plan, and return the loss."""
    if not isinstance(y, WeightedTruth):
        return plan.gradient(x, y)
    if count_examples(x, y) == 0:  # the mean of nothing moves nothing
        plan.grad[...] = 0
        return plan.grad.sum(-1)
    return plan.gradient(x, y.y, weights=y.weights)


def finite_loss_and_grad(
    net: Any,
    w: Any,
    x: Any,
    y: Any,
    loss: Callable[..., Any],
    weights: Any = None,
) -> tuple[Any, Any]:
    """Return the loss and its gradient, both finite."""
    given = {} if weights is None else {"weights": weights}
    try:
        value, grad = net.loss_and_grad(w, x, y, loss, **given)
    except ValueError:
        if is_finite(net.forward(w, x)):
            raise
        # The loss refused the outputs of weights that are too large.
        raise check.DivergedError("fit") from None
    if not (is_finite(value) and is_finite(grad)):
        raise check.DivergedError("fit")
    return value, grad


class UnplannedStep:
    """A training step of a model that makes no plans."""

    def __init__(
        self, net: Any, w: Any, loss: Callable[..., Any], optimizer: Optimizer
    ) -> None:
        self._net, self._loss, self._optimizer = net, loss, optimizer
        self.w, self.grad = clone(w), clone(w)
        self.state = optimizer.init(self.w)

    def gradient(self, x: Any, y: Any, *, weights: Any = None) -> Any:
        value, self.grad = finite_loss_and_grad(
            self._net, self.w, x, y, self._loss, weights
        )
        return value

    def update(self) -> None:
        self.w, self.state = self._optimizer.step(self.w, self.grad, self.state)


def make_plan(
    net: Any,
    w: Any,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    batch_size: int,
    precision: str,
) -> Any:
    if hasattr(net, "plan"):
        return net.plan(
            w,
            loss=loss,
            optimizer=optimizer,
            batch_size=batch_size,
            precision=precision,
        )
    check.choice("fit", "precision", precision, ("full",))
    return UnplannedStep(net, w, loss, optimizer)
