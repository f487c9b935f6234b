"""Losses, NumPy backend: the reference.

A loss compares outputs with the truth, example by example. Each loss `f` carries its
gradient `f.grad` with respect to the first argument, which is `f_grad`. Both are
primitives: neither is derived from the other by tracing, and both are accurate to a few
units in the last place, in the tails too. Losses are in nats where they are logarithms.

`reduction` says what becomes of the losses of the single examples: their "mean", their
"sum", or "none". A gradient is that of the mean or of the sum; with "none" each example
keeps its own, which are the numbers of "sum". The mean is what makes a learning rate
keep its meaning when the batch grows.

With `weights` an example of weight 2 counts as two of weight 1 do: it is in the sum
twice, and the mean divides by the sum of the weights. `class_weights` give an example
the weight of its class, times its own weight.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, Fused, Primitive, Rule, arrays
from chalkgrad._core.spec import Positive, Share
from chalkgrad._core.types import Reduction
from chalkgrad.activations._numpy import sigmoid_grad, softmax
from chalkgrad.autodiff._numpy import vjp
from chalkgrad.losses import _plan_numpy
from chalkgrad.losses._loss import (
    CLASSES,
    LABELS,
    NUMBERS,
    SIGNS,
    Gradient,
    Kind,
    Loss,
    lift,
    own_loss,
)

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "hinge",
    "hinge_grad",
    "huber",
    "huber_grad",
    "loss",
    "mae",
    "mae_grad",
    "mse",
    "mse_grad",
    "perceptron",
    "perceptron_grad",
]


_pick = arrays.pick


class _Gradient(Gradient, Primitive):
    arrays: ClassVar[check.Arrays] = arrays

    @property
    def rules(self) -> list[Rule] | None:  # type: ignore[override]
        """The rules of autodiff; a reader's own gradient is recorded step by step."""
        return None if self.kind is None else _of_both(self.kind, self._pull_back)

    def _pull_back(self, h: Any, _: Any, *args: Any, **options: Any) -> Any:
        return self.bend(h, *args, **options)


class _Loss(Loss, Primitive):
    arrays: ClassVar[check.Arrays] = arrays
    gradient_type: ClassVar[type[Gradient]] = _Gradient
    vjp: ClassVar[Callable[..., Any]] = staticmethod(vjp)
    planned = _plan_numpy.Planned

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def value_and_grad(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Return what the loss returns, and what its gradient does."""
        return super().value_and_grad(*args, **kwargs)

    @property
    def rules(self) -> list[Rule] | None:  # type: ignore[override]
        """The rules of autodiff, by the gradient; it is recorded without one."""
        return None if self.grad is None else _of_both(self.kind, self._pull_back)

    @property
    def fused_rule(self) -> Fused | None:  # type: ignore[override]
        """How autodiff finds both at once, if there is a formula of both."""
        return None if self._both is None else Fused(self.value_and_grad, [_spread])

    def _pull_back(
        self, g: Any, _: Any, first: Any, second: Any, **options: Any
    ) -> Any:
        assert self.grad is not None
        return _spread(g, self.grad(first, second, **self._given | options))


def _spread(g: Any, slopes: Any, *_: Any, **__: Any) -> Any:
    """G is one number, or one for each example, which may have a row of slopes."""
    return lift(g, slopes) * slopes


def _of_both(kind: Kind | None, rule: Rule) -> list[Rule]:
    """Return the rules for both arrays.

    Of a difference, that for one is that for the other with another sign.
    """
    if kind is None or not kind.is_difference:
        return [rule]
    return [rule, lambda *args, **options: -rule(*args, **options)]


def _loss_of(kind: Kind) -> Callable[[Callable[..., Any]], _Loss]:
    """Make a loss of its formula; what it compares says what is checked."""

    def decorate(formula: Callable[..., Any]) -> _Loss:
        made = _Loss(formula, kind)
        made.planned = getattr(_plan_numpy, formula.__name__, _Loss.planned)
        return made

    return decorate


def loss(function: Callable[..., Any]) -> Loss:
    r"""Make a loss of a function of your own.

    ``function(outputs, truth)`` returns the loss of each example. What is made of it
    takes `reduction` and `weights`, and is taken wherever one of ours is: by ``fit``,
    plans, networks, the landscape and autodiff. A function that is not decorated is
    taken there, too.

    Its gradient is found by autodiff, or is yours: decorate with ``@f.gradient`` what
    returns the slopes of each example's loss, one for each output.
    ``cg.autodiff.check_grads`` compares it with differences.

    Parameters
    ----------
    function : function
        Takes the outputs, of shape (..., n, k), and the truth, and may have options;
        returns the loss of each row, shape (..., n), or of each output. Many networks
        are a leading axis. What is a loss already stays what it is.

    Returns
    -------
    Loss
        The mean loss; of one loss each with ``reduction="none"``.

    Raises
    ------
    TypeError, ShapeError, ValueError
        If `function` does not take two arrays; from the loss, if the function does not
        return one number for each example, or one of them is nan.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> @cg.losses.loss
    ... def pinball(predictions, targets, *, quantile=0.9):
    ...     d = targets - predictions
    ...     return abs(d) / 2 + (quantile - 0.5) * d
    >>> pinball(cg.array([1.0, 2.0]), cg.array([2.0, 0.0]))
    np.float64(0.55)
    >>> @pinball.gradient
    ... def pinball_grad(predictions, targets, *, quantile=0.9):
    ...     return (targets <= predictions) * 1.0 - quantile
    >>> pinball.grad(cg.array([1.0, 2.0]), cg.array([2.0, 0.0]))
    array([-0.45,  0.05])
    """
    return own_loss(_Loss, function)


@_loss_of(NUMBERS)
def mse(
    predictions: Array, targets: Array, *,
    reduction: Reduction = "mean", weights: Array | None = None,
) -> Array:  # fmt: skip
    r"""Squared error: $\ell = (\hat y - y)^2$.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape () or (...)
        In the square of the targets' unit.

    Raises
    ------
    TypeError
        If an argument is not a float array of this backend, or the dtypes differ.
    ShapeError
        If the shapes differ: nothing is broadcast.
    ValueError
        If an array is empty or holds nan or an infinity.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.mse(cg.array([1.0, 2.0]), cg.array([0.0, 4.0]))
    np.float64(2.5)
    """
    return (predictions - targets) ** 2


@mse.fraction
def _(predictions: Array, targets: Array, n: Any) -> Array:
    root = n**0.5
    return (predictions / root - targets / root) ** 2


@mse.gradient
def mse_grad(predictions: Array, targets: Array) -> Array:
    r"""Gradient of `mse`: $\partial\ell/\partial\hat y = 2(\hat y - y)$.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    reduction : "mean", "sum" or "none"
        What became of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape (...)
        A slope for every prediction.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `mse`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.mse_grad(cg.array([1.0, 2.0]), cg.array([0.0, 4.0]))
    array([ 1., -2.])
    """
    return 2 * (predictions - targets)


@mse_grad.fraction
def _(predictions: Array, targets: Array, n: Any) -> Array:
    d = predictions - targets
    return np.where(
        np.isfinite(d), d / (n / 2), predictions / (n / 2) - targets / (n / 2)
    )


@mse_grad.curvature
def _(h: Array, predictions: Array, targets: Array) -> Array:
    return h * 2


@_loss_of(NUMBERS)
def mae(
    predictions: Array, targets: Array, *,
    reduction: Reduction = "mean", weights: Array | None = None,
) -> Array:  # fmt: skip
    r"""Absolute error: $\ell = |\hat y - y|$.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape () or (...)
        In the targets' unit.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `mse`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.mae(cg.array([1.0, 2.0]), cg.array([0.0, 4.0]))
    np.float64(1.5)
    """
    return abs(predictions - targets)


@mae.fraction
def _(predictions: Array, targets: Array, n: Any) -> Array:
    return abs(predictions / n - targets / n)


@mae.gradient
def mae_grad(predictions: Array, targets: Array) -> Array:
    r"""Gradient of `mae`: the sign of $\hat y - y$; at $\hat y = y$ we take 0.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    reduction : "mean", "sum" or "none"
        What became of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape (...)
        A slope for every prediction.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `mse`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.mae_grad(cg.array([1.0, 2.0]), cg.array([0.0, 4.0]))
    array([ 0.5, -0.5])
    """
    return np.sign(predictions - targets)


@_loss_of(NUMBERS)
def huber(
    predictions: Array, targets: Array, *, delta: Positive = 1.0,
    reduction: Reduction = "mean", weights: Array | None = None,
) -> Array:  # fmt: skip
    r"""Huber's loss: squared near 0, absolute beyond $\delta$, so outliers pull less.

    With $d = \hat y - y$: $\ell = d^2/2$ where $|d| \le \delta$,
    else $\delta\,(|d| - \delta/2)$.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    delta : float
        Where the square ends, in the targets' unit; above 0.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape () or (...)
        In the square of the targets' unit.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `mse`; ValueError if `delta` is not above 0.

    References
    ----------
    [Huber (1964)][huber1964].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.huber(cg.array([0.5, 3.0]), cg.array([0.0, 0.0]), reduction="none")
    array([0.125, 2.5  ])
    """
    d = abs(predictions - targets)
    return np.where(d <= delta, d * (d / 2), delta * (d - delta / 2))


@huber.fraction
def _(p: Array, t: Array, n: Any, *, delta: float) -> Array:
    q, r = p / n**0.5 - t / n**0.5, abs(p / n / 2 - t / n / 2)
    far = delta * (r - delta / 4 / n) * 2
    return np.where(abs(p - t) <= delta, q * (q / 2), far)


@huber.gradient
def huber_grad(predictions: Array, targets: Array, *, delta: float) -> Array:
    r"""Gradient of `huber`: $\hat y - y$, clipped to $\pm\delta$.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    delta : float
        Where the square ends, in the targets' unit; above 0.
    reduction : "mean", "sum" or "none"
        What became of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape (...)
        A slope for every prediction.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `huber`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.huber_grad(cg.array([0.5, 3.0]), cg.array([0.0, 0.0]))
    array([0.25, 0.5 ])
    """
    return (predictions - targets).clip(-delta, delta)


@huber_grad.curvature
def _(h: Array, p: Array, t: Array, *, delta: float) -> Array:
    return h * (abs(p - t) <= delta).astype(h.dtype)


@_loss_of(LABELS)
def binary_cross_entropy(
    logits: Array, labels: Array, *, class_weights: Array | None = None,
    reduction: Reduction = "mean", weights: Array | None = None,
) -> Array:  # fmt: skip
    r"""Surprise at a yes, $-\log\sigma(z)$, or at a no, $-\log\sigma(-z)$.

    $\ell = -y\log\sigma(z) - (1-y)\log\sigma(-z)$, computed as
    $y\max(-z,0) + (1-y)\max(z,0) + \log(1+e^{-|z|})$: three terms of 0 or more, so no
    digits cancel.

    Parameters
    ----------
    logits : Array of shape (...)
        $z$; $\sigma(z)$ is the probability of a yes.
    labels : Array in [0, 1], of shape (...)
        $y$: 0 or 1, integers or floats, or a probability.
    class_weights : Array of shape (2,), optional
        What a no and what a yes counts, 0 or more; times the example's weight.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape () or (...)
        In nats.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `mse`; ValueError if a label is outside 0 to 1.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.binary_cross_entropy(cg.array([0.0, 50.0]), cg.array([1, 1]))
    np.float64(0.34657359027997264)
    >>> cg.losses.binary_cross_entropy(cg.array([50.0]), cg.array([1]))
    np.float64(1.9287498479639178e-22)
    """
    z, y = logits, labels
    wrong = y * np.maximum(-z, 0) + (1 - y) * np.maximum(z, 0)
    return wrong + np.log1p(np.exp(-abs(z)))


@binary_cross_entropy.gradient
def binary_cross_entropy_grad(logits: Array, labels: Array) -> Array:
    r"""Gradient of `binary_cross_entropy`: $\partial\ell/\partial z = \sigma(z) - y$.

    That difference loses its digits where $\sigma(z)$ is near 1, so far from 0 we
    compute $(1-y)\,\sigma(z) - y\,\sigma(-z)$, and near 0
    $\tfrac12\tanh\tfrac z2 + (\tfrac12 - y)$.

    Parameters
    ----------
    logits : Array of shape (...)
        $z$.
    labels : Array in [0, 1], of shape (...)
        $y$: 0 or 1, integers or floats, or a probability.
    class_weights : Array of shape (2,), optional
        What a no and what a yes counts, 0 or more; times the example's weight.
    reduction : "mean", "sum" or "none"
        What became of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape (...)
        A slope for every logit, in nats per unit.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `binary_cross_entropy`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.binary_cross_entropy_grad(cg.array([0.0, 2.0]), cg.array([1, 0]))
    array([-0.25      ,  0.44039854])
    """
    z, y = logits, labels
    small = np.exp(-abs(z))
    yes, no = np.where(z >= 0, 1, small), np.where(z >= 0, small, 1)
    far = ((1 - y) * yes - y * no) / (1 + small)
    near = np.tanh(z / 2) / 2 + (0.5 - y)
    return np.where(abs(z) < 1, near, far)


@binary_cross_entropy_grad.curvature
def _(h: Array, z: Array, y: Array) -> Array:
    return h * sigmoid_grad(z)


def _without(e: Array, labels: Array) -> Array:
    """A copy with zeros in the entries that the labels name."""
    out: Array = e * (np.arange(e.shape[-1]) != labels[..., None])
    return out


def _exp_below(z: Array, top: Array) -> Array:
    """exp(z - top), right to the last digit.

    z - top is rounded, and exp would magnify what is lost: so it is computed (Knuth's
    two-sum) and put back.
    """
    near = z / 2 - top / 2 > -1000  # further down exp is 0, for a masked class too
    z = np.where(near, z, top)
    d = z - top
    v = d - z
    lost = (z - (d - v)) - (top + v)
    e = np.exp(d)
    return np.where(near, e + e * lost, 0)


def _sum(e: Array) -> Array:
    """Sum over the classes, small ones first: beside a large one each would be lost."""
    large = np.where(e > 0.25, e, 0)
    total: Array = (e - large).sum(axis=-1) + large.sum(axis=-1)
    return total


@_loss_of(CLASSES)
def cross_entropy(
    logits: Array, labels: Array, *,
    label_smoothing: Share = 0.0, class_weights: Array | None = None,
    reduction: Reduction = "mean", weights: Array | None = None,
) -> Array:  # fmt: skip
    r"""Surprise at a class whose logits are $z$: $\ell = -\log\mathrm{softmax}(z)_y$.

    With $m = \max_j z_j$: $\ell = (m - z_y) + \log(1 + \sum e^{z_j - m})$, where the
    sum leaves the largest out. Both terms are 0 or more, so no digits cancel.

    Parameters
    ----------
    logits : Array of shape (..., n, c)
        $z$: a score for each of c classes; -inf masks a class out.
    labels : Array of int, of shape (..., n)
        $y$: class ids from 0 to c - 1.
    label_smoothing : float
        $\alpha$, from 0 to 1: the share of the target that goes to all classes alike.
        $\ell = (1-\alpha)\,\ell_y + \alpha\,\tfrac1c\sum_k \ell_k$.
    class_weights : Array of shape (c,), optional
        What an example of each class counts, 0 or more; times its weight.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.
    weights : Array of shape (..., n), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape () or (..., n)
        In nats.

    Raises
    ------
    TypeError
        If `logits` is not a float array or `labels` not an integer array of this
        backend.
    ShapeError
        If `labels` does not have one id a row of `logits`.
    IndexError
        If a label is below 0, or c or more.
    ValueError
        If an array is empty, or a logit is nan, inf, or -inf at its label;
        if `label_smoothing` is outside 0 to 1.

    References
    ----------
    Label smoothing: [Szegedy et al. (2016)][szegedy2016].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> logits = cg.array([[0.0, 0.0, 0.0], [40.0, 0.0, 0.0]])
    >>> cg.losses.cross_entropy(logits, cg.array([2, 0]), reduction="none")
    array([1.09861229e+00, 8.49670851e-18])
    """
    return _surprise(logits, labels, _Exponentials(logits), label_smoothing)


@cross_entropy.fraction
def _(z: Array, y: Array, n: Any, *, label_smoothing: float) -> Array:
    of = _Exponentials(z)
    share = (1 - label_smoothing) / n
    parts: Array = (share * of.top[..., 0] - share * _pick(z, y)) + of.log_sum / n
    if label_smoothing > 0:
        share = label_smoothing / n / z.shape[-1]
        share = share[..., None] if isinstance(share, np.ndarray) else share
        parts += (share * of.top - share * z).sum(axis=-1)
    return parts


@cross_entropy.gradient
def cross_entropy_grad(
    logits: Array, labels: Array, *, label_smoothing: float
) -> Array:
    r"""Gradient of `cross_entropy`: $\partial\ell/\partial z = p - y$.

    $p = \mathrm{softmax}(z)$ and $y$ is one-hot. $p_y - 1$ is computed as
    $-\sum_{j \ne y} p_j$, so that no digits cancel when $p_y$ is near 1.

    Parameters
    ----------
    logits : Array of shape (..., n, c)
        $z$: a score for each of c classes; -inf masks a class out.
    labels : Array of int, of shape (..., n)
        Class ids from 0 to c - 1.
    label_smoothing : float
        $\alpha$, from 0 to 1: the target becomes $(1-\alpha)\,y + \alpha/c$.
    class_weights : Array of shape (c,), optional
        What an example of each class counts, 0 or more; times its weight.
    reduction : "mean", "sum" or "none"
        What became of the single losses.
    weights : Array of shape (..., n), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape (..., n, c)
        A slope for every logit, in nats per unit. Each row sums to 0.

    Raises
    ------
    TypeError, ShapeError, IndexError, ValueError
        As `cross_entropy`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.cross_entropy_grad(cg.array([[0.0, 0.0]]), cg.array([1]))
    array([[ 0.5, -0.5]])
    """
    return _surprise_slopes(labels, _Exponentials(logits), label_smoothing)


@cross_entropy_grad.curvature
def _(h: Array, z: Array, y: Array, *, label_smoothing: float) -> Array:
    p = softmax(z)
    return p * (h - (h * p).sum(axis=-1, keepdims=True))


@cross_entropy.value_and_gradient
def _(z: Array, y: Array, *, label_smoothing: float) -> tuple[Array, Array]:
    of = _Exponentials(z)
    return _surprise(z, y, of, label_smoothing), _surprise_slopes(
        y, of, label_smoothing
    )


class _Exponentials:
    """What the loss and its slopes both need of the logits: exp(z - their largest)."""

    def __init__(self, z: Array) -> None:
        self.winner = z.argmax(axis=-1)
        self.top = _pick(z, self.winner)[..., None]
        self.e = _exp_below(z, self.top)

    @property
    def log_sum(self) -> Array:
        """log(1 + the sum of all but the largest)."""
        out: Array = np.log1p(_without(self.e, self.winner).sum(axis=-1))
        return out


def _surprise(z: Array, y: Array, of: _Exponentials, label_smoothing: float) -> Array:
    log_sum = of.log_sum
    losses: Array = (of.top[..., 0] - _pick(z, y)) + log_sum
    if label_smoothing > 0:
        everywhere = (of.top - z).mean(axis=-1) + log_sum
        losses = (1 - label_smoothing) * losses + label_smoothing * everywhere
    return losses


def _surprise_slopes(y: Array, of: _Exponentials, label_smoothing: float) -> Array:
    others = _without(of.e, y)
    rest = _sum(others)
    total = (rest + _pick(of.e, y))[..., None]
    others[arrays.index(y)] = -rest  # for p_y - 1 is -rest / total
    slopes: Array = others / total
    if label_smoothing > 0:
        towards_all = of.e / total - 1 / of.e.shape[-1]
        slopes = (1 - label_smoothing) * slopes + label_smoothing * towards_all
    return slopes


@_loss_of(SIGNS)
def hinge(
    scores: Array, targets: Array, *,
    reduction: Reduction = "mean", weights: Array | None = None,
) -> Array:  # fmt: skip
    r"""Hinge loss: $\ell = \max(0,\ 1 - t s)$; 0 once the margin $ts$ reaches 1.

    Parameters
    ----------
    scores : Array of shape (...)
        $s$: the side and distance of each example.
    targets : Array of sign, of shape (...)
        $t$: -1 or +1, integers or floats.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape () or (...)
        In the scores' unit.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `mse`; ValueError if a target is neither -1 nor +1.

    References
    ----------
    [Cortes and Vapnik (1995)][cortes1995].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.hinge(cg.array([2.0, 0.5]), cg.array([1, -1]), reduction="none")
    array([0. , 1.5])
    """
    return np.maximum(1 - targets * scores, 0)


@hinge.fraction
def _(scores: Array, targets: Array, n: Any) -> Array:
    return np.maximum(1 / n - targets * (scores / n), 0)


@hinge.gradient
def hinge_grad(scores: Array, targets: Array) -> Array:
    r"""Gradient of `hinge`: $-t$ where $ts < 1$, else 0; at the kink $ts = 1$ it is 0.

    Parameters
    ----------
    scores : Array of shape (...)
        $s$: the side and distance of each example.
    targets : Array of sign, of shape (...)
        $t$: -1 or +1, integers or floats.
    reduction : "mean", "sum" or "none"
        What became of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape (...)
        A slope for every score.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `hinge`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.hinge_grad(cg.array([2.0, 0.5]), cg.array([1, -1]))
    array([0. , 0.5])
    """
    return np.where(targets * scores < 1, -targets, 0)


@_loss_of(SIGNS)
def perceptron(
    scores: Array, targets: Array, *,
    reduction: Reduction = "mean", weights: Array | None = None,
) -> Array:  # fmt: skip
    r"""Perceptron loss: $\ell = \max(0,\ -ts)$; 0 for an example on its own side.

    Parameters
    ----------
    scores : Array of shape (...)
        $s$: the side and distance of each example.
    targets : Array of sign, of shape (...)
        $t$: -1 or +1, integers or floats.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape () or (...)
        In the scores' unit.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `hinge`.

    References
    ----------
    [Rosenblatt (1958)][rosenblatt1958].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.perceptron(cg.array([2.0, 0.5]), cg.array([1, -1]), reduction="none")
    array([0. , 0.5])
    """
    return np.maximum(-targets * scores, 0)


@perceptron.gradient
def perceptron_grad(scores: Array, targets: Array) -> Array:
    r"""Gradient of `perceptron`: $-t$ where $ts \le 0$, else 0.

    At the kink $ts = 0$ we take $-t$, so that stepping from zero weights, one example
    at a time, is Rosenblatt's rule.

    Parameters
    ----------
    scores : Array of shape (...)
        $s$: the side and distance of each example.
    targets : Array of sign, of shape (...)
        $t$: -1 or +1, integers or floats.
    reduction : "mean", "sum" or "none"
        What became of the single losses.
    weights : Array of shape (...), optional
        What each example counts, 0 or more; the mean divides by what all count.

    Returns
    -------
    Array of shape (...)
        A slope for every score.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `hinge`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.losses.perceptron_grad(cg.array([2.0, 0.0]), cg.array([1, 1]))
    array([ 0. , -0.5])
    """
    return np.where(targets * scores <= 0, -targets, 0)
