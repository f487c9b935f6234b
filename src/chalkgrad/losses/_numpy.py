"""Losses, NumPy half: the reference.

Each loss `f` has its gradient `f_grad` with respect to the first argument. Both are
primitives: neither is derived from the other by tracing, and both are accurate to a few
units in the last place, in the tails too. Losses are in nats where they are logarithms.

`reduction` says what becomes of the losses of the single examples: their "mean", their
"sum", or "none". A gradient is that of the mean or of the sum; with "none" each example
keeps its own, which are the numbers of "sum". The mean is what makes a learning rate
keep its meaning when the batch grows.
"""

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays, recorded
from chalkgrad._core.types import Reduction

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "hinge",
    "hinge_grad",
    "huber",
    "huber_grad",
    "mae",
    "mae_grad",
    "mse",
    "mse_grad",
    "perceptron",
    "perceptron_grad",
]


def _reduce(where: str, losses: Array, reduction: Reduction) -> Array:
    check.choice(where, "reduction", reduction, ("mean", "sum", "none"))
    out: Array = losses if reduction == "none" else getattr(losses, reduction)()
    return out


def _share(where: str, slopes: Array, reduction: Reduction, classes: int = 1) -> Array:
    """Divide by the number of losses that `reduction` averages over."""
    check.choice(where, "reduction", reduction, ("mean", "sum", "none"))
    return slopes / (slopes.size // classes) if reduction == "mean" else slopes


@recorded
def mse(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    r"""Squared error: $\ell = (\hat y - y)^2$.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.

    Returns
    -------
    Array of shape () or (...)
        In the square of the targets' unit.

    Raises
    ------
    TypeError
        If an argument is not a float array of this half, or the dtypes differ.
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
    p, t = arrays.pair("mse", predictions=predictions, targets=targets)
    return _reduce("mse", (p - t) ** 2, reduction)


@recorded
def mse_grad(
    predictions: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    r"""Gradient of `mse`: $\partial\ell/\partial\hat y = 2(\hat y - y)$.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    reduction : "mean", "sum" or "none"
        What became of the single losses.

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
    p, t = arrays.pair("mse_grad", predictions=predictions, targets=targets)
    return _share("mse_grad", 2 * (p - t), reduction)


@recorded
def mae(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    r"""Absolute error: $\ell = |\hat y - y|$.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.

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
    p, t = arrays.pair("mae", predictions=predictions, targets=targets)
    return _reduce("mae", abs(p - t), reduction)


@recorded
def mae_grad(
    predictions: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    r"""Gradient of `mae`: the sign of $\hat y - y$; at $\hat y = y$ we take 0.

    Parameters
    ----------
    predictions : Array of shape (...)
        $\hat y$.
    targets : Array of shape (...)
        $y$, in the dtype of `predictions`.
    reduction : "mean", "sum" or "none"
        What became of the single losses.

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
    p, t = arrays.pair("mae_grad", predictions=predictions, targets=targets)
    return _share("mae_grad", np.sign(p - t), reduction)


@recorded
def huber(
    predictions: Array,
    targets: Array,
    *,
    delta: float = 1.0,
    reduction: Reduction = "mean",
) -> Array:
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
    delta = check.number("huber", "delta", delta, low=0, open_low=True)
    p, t = arrays.pair("huber", predictions=predictions, targets=targets)
    d = abs(p - t)
    losses = np.where(d <= delta, d * d / 2, delta * (d - delta / 2))
    return _reduce("huber", losses, reduction)


@recorded
def huber_grad(
    predictions: Array,
    targets: Array,
    *,
    delta: float = 1.0,
    reduction: Reduction = "mean",
) -> Array:
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
    delta = check.number("huber_grad", "delta", delta, low=0, open_low=True)
    p, t = arrays.pair("huber_grad", predictions=predictions, targets=targets)
    return _share("huber_grad", (p - t).clip(-delta, delta), reduction)


def _logits_and_labels(where: str, logits: Array, labels: Array) -> tuple[Array, Array]:
    z, y = arrays.pair(where, integers=True, logits=logits, labels=labels)
    wanted = "every label must be from 0 to 1"
    check.values(where, "labels", y, (y >= 0) & (y <= 1), wanted)
    return z, y


@recorded
def binary_cross_entropy(
    logits: Array, labels: Array, *, reduction: Reduction = "mean"
) -> Array:
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
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.

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
    z, y = _logits_and_labels("binary_cross_entropy", logits, labels)
    wrong = y * np.maximum(-z, 0) + (1 - y) * np.maximum(z, 0)
    losses = wrong + np.log1p(np.exp(-abs(z)))
    return _reduce("binary_cross_entropy", losses, reduction)


@recorded
def binary_cross_entropy_grad(
    logits: Array, labels: Array, *, reduction: Reduction = "mean"
) -> Array:
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
    reduction : "mean", "sum" or "none"
        What became of the single losses.

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
    z, y = _logits_and_labels("binary_cross_entropy_grad", logits, labels)
    small = np.exp(-abs(z))
    yes, no = np.where(z >= 0, 1, small), np.where(z >= 0, small, 1)
    far = ((1 - y) * yes - y * no) / (1 + small)
    near = np.tanh(z / 2) / 2 + (0.5 - y)
    slopes = np.where(abs(z) < 1, near, far)
    return _share("binary_cross_entropy_grad", slopes, reduction)


def _logits_and_classes(
    where: str, logits: Array, labels: Array, label_smoothing: float
) -> tuple[Array, Array, float]:
    label_smoothing = check.number(
        where, "label_smoothing", label_smoothing, low=0, high=1
    )
    z = arrays.real(where, "logits", logits, finite=False)
    y = arrays.whole(where, "labels", labels)
    arrays.same_device(where, logits=z, labels=y)
    check.shapes(where, logits=(z, "... n c"), labels=(y, "... n"))
    classes = z.shape[-1]
    wanted = f"class ids go from 0 to {classes - 1}, for `logits` has {classes} classes"
    good = (y >= 0) & (y < classes)
    check.values(where, "labels", y, good, wanted, IndexError)
    wanted = "every logit must be finite, or -inf for a class that is masked out"
    check.values(where, "logits", z, z < np.inf, wanted)
    if label_smoothing > 0:
        arrays.finite(where, "logits", z)
    wanted = "the class that a label names must not be masked out"
    named = _at(z, y)
    check.values(where, "logits", named, named > -np.inf, wanted)
    return z, y, label_smoothing


def _at(z: Array, labels: Array) -> Array:
    """The entry of each row that its label names."""
    named: Array = z[_rows(labels)]
    return named


def _rows(labels: Array) -> tuple[Array, ...]:
    """Index of the entry of each row that its label names."""
    if labels.ndim == 1:
        return np.arange(len(labels)), labels
    return (*np.indices(labels.shape, sparse=True), labels)


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


@recorded
def cross_entropy(
    logits: Array,
    labels: Array,
    *,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
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
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.

    Returns
    -------
    Array of shape () or (..., n)
        In nats.

    Raises
    ------
    TypeError
        If `logits` is not a float array or `labels` not an integer array of this half.
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
    where = "cross_entropy"
    z, y, smoothing = _logits_and_classes(where, logits, labels, label_smoothing)
    losses = _surprise(z, y, _Exponentials(z), smoothing)
    return _reduce(where, losses, reduction)


@recorded
def cross_entropy_grad(
    logits: Array,
    labels: Array,
    *,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
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
    reduction : "mean", "sum" or "none"
        What became of the single losses.

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
    where = "cross_entropy_grad"
    z, y, smoothing = _logits_and_classes(where, logits, labels, label_smoothing)
    slopes = _surprise_slopes(y, _Exponentials(z), smoothing)
    return _share(where, slopes, reduction, classes=z.shape[-1])


class _Exponentials:
    """What the loss and its slopes both need of the logits: exp(z - their largest)."""

    def __init__(self, z: Array) -> None:
        self.winner = z.argmax(axis=-1)
        self.top = _at(z, self.winner)[..., None]
        self.e = _exp_below(z, self.top)


def _surprise(z: Array, y: Array, of: _Exponentials, label_smoothing: float) -> Array:
    others = _without(of.e, of.winner)
    log_sum = np.log1p(others.sum(axis=-1))
    losses: Array = (of.top[..., 0] - _at(z, y)) + log_sum
    if label_smoothing > 0:
        everywhere = (of.top - z).mean(axis=-1) + log_sum
        losses = (1 - label_smoothing) * losses + label_smoothing * everywhere
    return losses


def _surprise_slopes(y: Array, of: _Exponentials, label_smoothing: float) -> Array:
    others = _without(of.e, y)
    rest = _sum(others)
    total = (rest + _at(of.e, y))[..., None]
    others[_rows(y)] = -rest  # for p_y - 1 is -rest / total
    slopes: Array = others / total
    if label_smoothing > 0:
        towards_all = of.e / total - 1 / of.e.shape[-1]
        slopes = (1 - label_smoothing) * slopes + label_smoothing * towards_all
    return slopes


def cross_entropy_and_slopes(
    logits: Array, labels: Array, *, label_smoothing: float = 0.0
) -> tuple[Array, Array]:
    """Return each example's loss and its slopes, for less than the two one by one."""
    where = "cross_entropy"
    z, y, smoothing = _logits_and_classes(where, logits, labels, label_smoothing)
    of = _Exponentials(z)
    return (
        _surprise(z, y, of, smoothing),
        _surprise_slopes(y, of, smoothing),
    )


@recorded
def hinge(scores: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    r"""Hinge loss: $\ell = \max(0,\ 1 - t s)$; 0 once the margin $ts$ reaches 1.

    Parameters
    ----------
    scores : Array of shape (...)
        $s$: the side and distance of each example.
    targets : Array of sign, of shape (...)
        $t$: -1 or +1, integers or floats.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.

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
    s, t = arrays.signed("hinge", scores=scores, targets=targets)
    return _reduce("hinge", np.maximum(1 - t * s, 0), reduction)


@recorded
def hinge_grad(
    scores: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    r"""Gradient of `hinge`: $-t$ where $ts < 1$, else 0; at the kink $ts = 1$ it is 0.

    Parameters
    ----------
    scores : Array of shape (...)
        $s$: the side and distance of each example.
    targets : Array of sign, of shape (...)
        $t$: -1 or +1, integers or floats.
    reduction : "mean", "sum" or "none"
        What became of the single losses.

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
    s, t = arrays.signed("hinge_grad", scores=scores, targets=targets)
    return _share("hinge_grad", np.where(t * s < 1, -t, 0), reduction)


@recorded
def perceptron(
    scores: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    r"""Perceptron loss: $\ell = \max(0,\ -ts)$; 0 for an example on its own side.

    Parameters
    ----------
    scores : Array of shape (...)
        $s$: the side and distance of each example.
    targets : Array of sign, of shape (...)
        $t$: -1 or +1, integers or floats.
    reduction : "mean", "sum" or "none"
        What becomes of the single losses.

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
    s, t = arrays.signed("perceptron", scores=scores, targets=targets)
    return _reduce("perceptron", np.maximum(-t * s, 0), reduction)


@recorded
def perceptron_grad(
    scores: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
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
    s, t = arrays.signed("perceptron_grad", scores=scores, targets=targets)
    return _share("perceptron_grad", np.where(t * s <= 0, -t, 0), reduction)
