"""The range test of learning rates."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import clone, convert_frame
from chalkgrad._core.random import Rng, as_generator
from chalkgrad._core.rows import iter_minibatches
from chalkgrad._core.types import (
    AnyArray,
    ArrayOrFrame,
    Loss,
    Model,
    Optimizer,
    Schedule,
)
from chalkgrad.training._step import check_examples, finite_loss_and_grad

__all__ = ["LrFinderResult", "find_lr"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class LrFinderResult(NamedTuple):
    """What `find_lr` measured; NumPy arrays in both backends."""

    rates: Array
    """The rates that were tried, growing: shape (k,), at most as many as `steps`."""
    losses: Array
    """The loss after the step with each: shape (k,)."""
    lr: float
    """The suggestion: a tenth of the rate after which the loss was least."""


def find_lr(
    net: Model,
    w: AnyArray,
    x: ArrayOrFrame,
    y: ArrayOrFrame,
    *,
    loss: Loss,
    optimizer: Callable[..., Optimizer],
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int | None = None,
    rng: Rng = 0,
) -> LrFinderResult:
    r"""Try rates from low to high, one step each, and suggest one: the range test.

    $$\eta_t = \eta_\text{low}
    \left(\frac{\eta_\text{high}}{\eta_\text{low}}\right)^{t/(k-1)},
    \qquad t = 0, \dots, k-1$$

    It is one short training, in which the rate grows by the same factor at each step.
    While the rate is too small the loss stays, then it falls, then it flies up. The
    test ends there: when the loss is above 4 times the least so far, or not finite.

    The rule: suggest a tenth of the rate after which the loss was least. That is a
    place to begin a search, not the best rate: the test sees the start of training
    only.

    Parameters
    ----------
    net : Network
        What to train.
    w : Array of shape (size,)
        Where to start. It stays as it is.
    x : Array of shape (n, d)
        The examples.
    y : Array of shape (n, ...)
        Their labels or targets, as `loss` takes them.
    loss : callable
        A loss of this backend, such as ``cg.losses.cross_entropy``.
    optimizer : callable
        A function that makes an optimizer of a rate, such as ``cg.optimizers.sgd``.
    low : float
        $\eta_\text{low}$, above 0.
    high : float
        $\eta_\text{high}$, above `low`.
    steps : int
        $k$, how many rates; 2 or more.
    batch_size : int, optional
        How many examples to a step; by default all. Each loss is measured on the batch
        that comes after its step.
    rng : int or numpy.random.Generator
        Where the shuffling comes from.

    Returns
    -------
    LrFinderResult
        The rates, the losses, and the suggestion.

    Raises
    ------
    TypeError, ShapeError, ValueError, IndexError
        What `net` and `loss` raise on `x` or `y`; if an argument is not as above; if
        no rate brought the loss below that of the start.

    References
    ----------
    [Smith (2017)][smith2017], where the rates grow in a straight line and a person
    reads the curve; the growth by a factor, the end and the rule are ours.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.moons(200)
    >>> net = cg.network([2, 16, 2])
    >>> found = cg.training.find_lr(
    ...     net,
    ...     net.init(),
    ...     x,
    ...     labels,
    ...     loss=cg.losses.cross_entropy,
    ...     optimizer=cg.optimizers.sgd,
    ... )
    >>> len(found.rates), round(found.lr, 2)
    (97, 0.38)
    """
    low = check.number("find_lr", "low", low, low=0, open_low=True)
    high = check.number("find_lr", "high", high, low=low, open_low=True)
    steps = check.integer("find_lr", "steps", steps, low=2)
    if batch_size is not None:
        batch_size = check.integer("find_lr", "batch_size", batch_size, low=1)
    rng = as_generator("find_lr", rng)
    check.one_network("find_lr", w)
    check.representable("find_lr", check.dtype_name(w), low=low, high=high)
    x, y = convert_frame("find_lr", "x", x, w), convert_frame("find_lr", "y", y, w)
    check_examples("find_lr", net, w, x, y, loss)
    rates = np.geomspace(low, high, steps)
    rule = _make_optimizer("find_lr", optimizer, lambda t: float(rates[t]))

    def batches() -> Iterator[tuple[Any, Any]]:
        while True:
            if batch_size is None:
                yield x[:], y
            else:
                yield from iter_minibatches(x, y, batch_size, rng)

    w = clone(w)
    state = rule.init(w)
    losses: list[float] = []
    with np.errstate(all="ignore"):
        try:
            for xs, ys in islice(batches(), steps + 1):
                value, grad = finite_loss_and_grad(net, w, xs, ys, loss)
                losses.append(float(value))
                if losses[-1] > 4 * min(losses) or len(losses) > steps:
                    break
                w, state = rule.step(w, grad, state)
        except check.DivergedError:
            pass
    if not losses:
        raise check.DivergedError("find_lr")
    start, *after = losses
    if not after or min(after) >= start:
        raise ValueError(
            f"find_lr: no rate from {low:g} to {high:g} brought the loss below "
            f"{start:g}, where it starts; give a smaller `low`, or another start."
        )
    tried, measured = rates[: len(after)], np.array(after)
    return LrFinderResult(tried, measured, float(tried[measured.argmin()]) / 10)


def _make_optimizer(where: str, optimizer: Any, lr: Schedule) -> Optimizer:
    """Return the optimizer that a function makes of a rate."""
    made = optimizer(lr) if callable(optimizer) else None
    if not isinstance(made, Optimizer):
        raise TypeError(
            f"{where}: `optimizer` must be a function that makes an optimizer of a "
            f"rate, got {type(optimizer).__name__}; give cg.optimizers.sgd itself, and "
            "options with functools.partial(cg.optimizers.sgd, momentum=0.9)."
        )
    return made
