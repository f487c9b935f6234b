r"""The perceptron, NumPy backend: the reference.

The weights of a neuron with d inputs are one vector: $w_1, \dots, w_d$, then the bias
$b_0$. It is the vector of ``cg.network([d, 1])``.
"""

import math
from typing import NamedTuple

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays
from chalkgrad._core.names import ELEMENTWISE
from chalkgrad.activations import _numpy as activations

__all__ = ["Fit", "fit", "margin", "mistake_bound", "neuron"]


def neuron(w: Array, x: Array, *, activation: str = "identity") -> Array:
    r"""Compute the output of one neuron: $\hat y = \sigma(W^T X + b_0)$.

    Parameters
    ----------
    w : Array of shape (..., d + 1)
        Weights, the bias last; of one neuron, or of many.
    x : Array of shape (n, d)
        A row for each example.
    activation : str
        One of "identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu", "softplus":
        $\sigma$.

    Returns
    -------
    Array of shape (..., n)
        An output for each example.

    Raises
    ------
    TypeError
        If an argument is not a float array of this backend, or the dtypes differ.
    ShapeError
        If `w` does not have one number more than a row of `x`.
    ValueError
        If `activation` is not known.

    References
    ----------
    [Rosenblatt (1958)][rosenblatt1958].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> w = cg.array([1.0, 1.0, -1.5])
    >>> cg.perceptron.neuron(w, cg.array([[0.0, 1.0], [1.0, 1.0]]))
    array([-0.5,  0.5])
    """
    check.choice("neuron", "activation", activation, ELEMENTWISE)
    w, x = arrays.float_arrays("neuron", w=w, x=x)
    check.shapes("neuron", x=(x, "n d"))
    check.shapes("neuron", w=(w, f"... {x.shape[1] + 1}"))
    z = w[..., :-1] @ x.T + w[..., -1:]
    out: Array = getattr(activations, activation)(z)
    return out


class Fit(NamedTuple):
    """What `fit` found: the weights, the mistakes of each epoch, whether it is done."""

    w: Array
    mistakes: tuple[int, ...]
    converged: bool


def fit(x: Array, targets: Array, *, epochs: int = 100) -> Fit:
    r"""Train a neuron by Rosenblatt's rule, from zero weights.

    The examples come in their order, again in each epoch. An example on the wrong side,
    or on the boundary, $t\,(W^T X + b_0) \le 0$, is a mistake, and is added:

    $$W \leftarrow W + t X \qquad b_0 \leftarrow b_0 + t$$

    An epoch without a mistake ends the training. On data that a line separates there
    comes such an epoch, after at most `mistake_bound` mistakes.

    Parameters
    ----------
    x : Array of shape (n, d)
        A row for each example.
    targets : Array of sign, of shape (n,)
        $t$: -1 or +1, integers or floats.
    epochs : int
        At most so many passes; 1 or more.

    Returns
    -------
    Fit
        `w` of shape (d + 1,), the count of `mistakes` in each epoch, and `converged`:
        whether the last epoch had none.

    Raises
    ------
    TypeError, ShapeError, ValueError
        If `x` is not a finite float array of this backend, or `targets` not a sign a
        row.

    References
    ----------
    [Rosenblatt (1958)][rosenblatt1958].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x = cg.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> cg.perceptron.fit(x, cg.array([-1, -1, -1, 1]))  # AND
    Fit(w=array([ 3.,  2., -4.]), mistakes=(2, 3, 3, 2, 2, 3, 2, 1, 0), converged=True)
    """
    epochs = check.integer("fit", "epochs", epochs, low=1)
    rows, t = _rows_and_signs("fit", x, targets)
    w = np.zeros(rows.shape[1], rows.dtype)
    mistakes: list[int] = []
    while len(mistakes) < epochs and (not mistakes or mistakes[-1] > 0):
        mistakes.append(0)
        for row, sign in zip(rows, t, strict=True):
            if sign * (w @ row) <= 0:
                w = w + sign * row
                mistakes[-1] += 1
    return Fit(w, tuple(mistakes), mistakes[-1] == 0)


@np.errstate(over="ignore", invalid="ignore")  # inf and nan tell it
def margin(w: Array, x: Array, targets: Array) -> float:
    r"""Measure how clearly a neuron separates.

    $$\gamma = \min_i t_i\,(w \cdot [x_i, 1]) / \|w\|$$

    The bias counts as the weight of an input that is always 1.

    Parameters
    ----------
    w : Array of shape (d + 1,)
        Weights, the bias last.
    x : Array of shape (n, d)
        A row for each example.
    targets : Array of sign, of shape (n,)
        $t$: -1 or +1, integers or floats.

    Returns
    -------
    float
        Above 0 if, and only if, every example is on its side.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `fit`; ValueError if all of `w` is 0.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x = cg.array([[-1.0], [1.0]])
    >>> cg.perceptron.margin(cg.array([2.0, 0.0]), x, cg.array([-1, 1]))
    1.0
    """
    rows, t = _rows_and_signs("margin", x, targets)
    return _margin("margin", w, rows, t)


@np.errstate(over="ignore", invalid="ignore")  # inf and nan tell it
def mistake_bound(w: Array, x: Array, targets: Array) -> float:
    r"""Bound the mistakes that `fit` can make, ever: $(R/\gamma)^2$.

    $R = \max_i \|[x_i, 1]\|$, and $\gamma$ is the `margin` of any `w` that separates
    the examples: the better the `w`, the better the bound.

    Parameters
    ----------
    w : Array of shape (d + 1,)
        Weights that separate, the bias last.
    x : Array of shape (n, d)
        A row for each example.
    targets : Array of sign, of shape (n,)
        $t$: -1 or +1, integers or floats.

    Returns
    -------
    float
        A number of mistakes.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `margin`; ValueError if `w` does not separate the examples.

    References
    ----------
    [Novikoff (1962)][novikoff1962].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x = cg.array([[-1.0], [1.0]])
    >>> cg.perceptron.mistake_bound(cg.array([2.0, 0.0]), x, cg.array([-1, 1]))
    2.0
    """
    rows, t = _rows_and_signs("mistake_bound", x, targets)
    gamma = _margin("mistake_bound", w, rows, t)
    if gamma <= 0:
        raise ValueError(
            f"mistake_bound: `w` must separate the examples, got a margin of {gamma:g}."
        )
    return float((rows**2).sum(axis=1).max() / gamma**2)


def _rows_and_signs(where: str, x: Array, targets: Array) -> tuple[Array, Array]:
    """The rows, each with a 1 for the bias at its end, and the signs as floats."""
    x = arrays.float_array(where, "x", x)
    check.shapes(where, x=(x, "n d"))
    _, t = arrays.sign_targets(where, x=x[:, 0], targets=targets)
    return np.concatenate([x, np.ones_like(x[:, :1])], axis=1), t


def _margin(where: str, w: Array, rows: Array, t: Array) -> float:
    w = arrays.float_array(where, "w", w)
    arrays.same_dtype_and_device(where, w=w, x=rows)
    check.shapes(where, w=(w, f"{rows.shape[1]}"))
    if not w.any():
        raise ValueError(f"{where}: `w` is all 0, which separates nothing.")
    # No square overflows in units of a power of 2, and nothing is rounded.
    w = w / 2.0 ** (math.frexp(float(abs(w).max()))[1] - 1)
    return float((t * (rows @ w)).min() / np.linalg.norm(w))
