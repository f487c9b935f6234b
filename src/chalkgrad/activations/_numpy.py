"""Activations, NumPy backend: the reference.

Every function works element by element on an array of any shape and keeps its dtype
(float16 comes back as float32). nan stays nan, so a broken run can be seen.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, Primitive, Rule, arrays
from chalkgrad._core.spec import Share
from chalkgrad.activations._activation import Activation

__all__ = [
    "gelu",
    "gelu_grad",
    "identity",
    "identity_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "relu",
    "relu_grad",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_grad",
    "softplus",
    "softplus_grad",
    "tanh",
    "tanh_grad",
]


class _Activation(Activation, Primitive):
    arrays: ClassVar[check.Arrays] = arrays
    rules: Sequence[Rule | None] | None = None

    @classmethod
    def of_row(cls, formula: Callable[..., Any]) -> "_Activation":
        """Make one that needs all of a row, and so has a Jacobian for each."""
        return cls(formula, of_rows=True)

    def derivative(self, formula: Callable[..., Any]) -> Any:
        """Take the derivative, and the rule of autodiff with it."""
        grad = super().derivative(formula)
        self.rules = [lambda g, y, z, **options: g * grad(z, **options)]
        grad.rules = [lambda h, y, z, **_: h * 0]  # unless it is given another
        return grad


@_Activation
def identity(z: Array) -> Array:
    r"""Pass `z` on: $\sigma(z) = z$.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        A copy of `z`.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.identity(cg.array([-1.0, 2.0]))
    array([-1.,  2.])
    """
    return z.copy()


@identity.derivative
def identity_grad(z: Array) -> Array:
    r"""Derivative of `identity`: $\sigma'(z) = 1$.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Ones.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.identity_grad(cg.array([-1.0, 2.0]))
    array([1., 1.])
    """
    return np.ones_like(z)


@_Activation
def sigmoid(z: Array) -> Array:
    r"""Squash `z` into (0, 1): $\sigma(z) = 1 / (1 + e^{-z})$.

    Computed from $e^{-|z|}$, which cannot overflow.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Values from 0 to 1.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    References
    ----------
    [Rumelhart, Hinton and Williams (1986)][rumelhart1986].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.sigmoid(cg.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(z))
    out: Array = np.where(z >= 0, 1, small) / (1 + small)
    return out


@sigmoid.derivative
def sigmoid_grad(z: Array) -> Array:
    r"""Derivative of `sigmoid`: $\sigma'(z) = \sigma(z)\,\sigma(-z)$.

    At most 1/4, at $z = 0$; exact far out, where $1 - \sigma(z)$ would be 0.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Values from 0 to 0.25.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.sigmoid_grad(cg.array([-2.0, 0.0, 2.0]))
    array([0.10499359, 0.25      , 0.10499359])
    """
    small = np.exp(-np.abs(z))
    out: Array = small / (1 + small) ** 2
    return out


@_Activation
def tanh(z: Array) -> Array:
    r"""Squash `z` into (-1, 1): $\sigma(z) = \tanh z = 2\,\mathrm{sigmoid}(2z) - 1$.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Values from -1 to 1.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.tanh(cg.array([-1.0, 0.0, 1.0]))
    array([-0.76159416,  0.        ,  0.76159416])
    """
    out: Array = np.tanh(z)
    return out


@tanh.derivative
def tanh_grad(z: Array) -> Array:
    r"""Derivative of `tanh`: $\sigma'(z) = 1 - \tanh^2 z = 4e^{-2|z|}/(1+e^{-2|z|})^2$.

    The second form is computed: it stays exact where the first would be 0.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Values from 0 to 1.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.tanh_grad(cg.array([-1.0, 0.0, 1.0]))
    array([0.41997434, 1.        , 0.41997434])
    """
    small = np.exp(-2 * np.abs(z))
    out: Array = 4 * small / (1 + small) ** 2
    return out


@_Activation
def relu(z: Array) -> Array:
    r"""Rectified linear unit: $\sigma(z) = \max(z, 0)$.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Values of 0 and more.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    References
    ----------
    [Nair and Hinton (2010)][nair2010].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.relu(cg.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.maximum(z, 0)


@relu.derivative
def relu_grad(z: Array) -> Array:
    r"""Derivative of `relu`: 1 where $z > 0$, else 0.

    At $z = 0$ there is no derivative; we take 0, as PyTorch does.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Zeros and ones.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.relu_grad(cg.array([-1.0, 0.0, 2.0]))
    array([0., 0., 1.])
    """
    return _piecewise_slope(z, 0.0)


@_Activation
def leaky_relu(z: Array, *, slope: Share = 0.01) -> Array:
    r"""Leaky rectifier: $\sigma(z) = z$ where $z > 0$, else $\alpha z$.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.
    slope : float
        $\alpha$, from 0 to 1: what is left of a negative `z`.

    Returns
    -------
    Array of shape (...)
        Activations.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.
    ValueError
        If `slope` is outside 0 to 1.

    References
    ----------
    [Maas, Hannun and Ng (2013)][maas2013].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.leaky_relu(cg.array([-1.0, 2.0]), slope=0.1)
    array([-0.1,  2. ])
    """
    return np.where(z > 0, z, slope * z)  # 0 * inf is nan, which a maximum keeps


@leaky_relu.derivative
def leaky_relu_grad(z: Array, *, slope: Share = 0.01) -> Array:
    r"""Derivative of `leaky_relu`: 1 where $z > 0$, else $\alpha$; at 0 it is $\alpha$.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.
    slope : float
        $\alpha$, from 0 to 1.

    Returns
    -------
    Array of shape (...)
        Ones and $\alpha$.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.
    ValueError
        If `slope` is outside 0 to 1.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.leaky_relu_grad(cg.array([-1.0, 2.0]), slope=0.1)
    array([0.1, 1. ])
    """
    return _piecewise_slope(z, slope)


def _piecewise_slope(z: Array, slope: float) -> Array:
    """1 where z > 0, `slope` where not, nan where z is nan."""
    out: Array = (z > 0).astype(z.dtype)
    if slope:
        out = np.maximum(out, z.dtype.type(slope))
    lost = z != z
    return np.where(lost, z, out) if lost.any() else out


@_Activation
def gelu(z: Array) -> Array:
    r"""Gaussian error linear unit: $\sigma(z) = z\,\Phi(z)$.

    $\Phi$ is the distribution function of the normal distribution, computed from
    erfc, not from the tanh approximation.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Activations; the lowest is about -0.17.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    References
    ----------
    [Hendrycks and Gimpel (2016)][hendrycks2016].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.gelu(cg.array([-1.0, 0.0, 1.0]))
    array([-0.15865525,  0.        ,  0.84134475])
    """
    return np.maximum(z, -1e3) * _normal_cdf(z)  # far down it is 0, and so at -inf


@gelu.derivative
def gelu_grad(z: Array) -> Array:
    r"""Derivative of `gelu`: $\sigma'(z) = \Phi(z) + z\,\varphi(z)$.

    $\varphi(z) = e^{-z^2/2}/\sqrt{2\pi}$ is the normal density.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Slopes.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.gelu_grad(cg.array([-1.0, 0.0, 1.0]))
    array([-0.08331547,  0.5       ,  1.08331547])
    """
    far = np.clip(z, -1e3, 1e3)  # its square must not overflow
    slopes: Array = _normal_cdf(z) + far * np.exp(-far * far / 2) / math.sqrt(
        2 * math.pi
    )
    return slopes


def _normal_cdf(z: Array) -> Array:
    # NumPy has no erfc, so Python's does the work, a number at a time.
    tail = np.vectorize(math.erfc, otypes=[np.float64])(-z / math.sqrt(2))
    out: Array = (tail / 2).astype(z.dtype)
    return out


@_Activation
def softplus(z: Array) -> Array:
    r"""Smooth `relu`: $\sigma(z) = \log(1 + e^z)$.

    Computed as $\max(z, 0) + \log(1 + e^{-|z|})$, which cannot overflow.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Values above 0.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    References
    ----------
    [Dugas et al. (2001)][dugas2001].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.softplus(cg.array([-1000.0, 0.0, 1000.0]))
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


@softplus.derivative
def softplus_grad(z: Array) -> Array:
    r"""Derivative of `softplus`: $\sigma'(z) = \mathrm{sigmoid}(z)$.

    Parameters
    ----------
    z : Array of shape (...)
        Pre-activations.

    Returns
    -------
    Array of shape (...)
        Values from 0 to 1.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.softplus_grad(cg.array([-2.0, 0.0, 2.0]))
    array([0.11920292, 0.5       , 0.88079708])
    """
    return sigmoid(z)


@_Activation.of_row
def softmax(z: Array) -> Array:
    r"""Probabilities from scores: $p_i = e^{z_i} / \sum_j e^{z_j}$, over the last axis.

    The largest score is taken off first: the result is the same and nothing overflows.

    Parameters
    ----------
    z : Array of shape (..., c)
        Scores of c classes.

    Returns
    -------
    Array of shape (..., c)
        Each row sums to 1.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.
    ShapeError
        If `z` is a single number.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.softmax(cg.array([[1000.0, 1000.0], [0.0, -1000.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    out: Array = e / e.sum(axis=-1, keepdims=True)
    return out


@softmax.derivative
def softmax_grad(z: Array) -> Array:
    r"""Jacobian of `softmax`: $\partial p_i/\partial z_j = p_i(\delta_{ij} - p_j)$.

    Parameters
    ----------
    z : Array of shape (..., c)
        Scores of c classes.

    Returns
    -------
    Array of shape (..., c, c)
        A matrix a row: symmetric, and its rows sum to 0.

    Raises
    ------
    TypeError
        If `z` is not a float array of this backend.
    ShapeError
        If `z` is a single number.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.activations.softmax_grad(cg.array([0.0, 0.0]))
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    p = softmax(z)[..., None]
    same = np.eye(z.shape[-1], dtype=z.dtype)
    out: Array = p * (same - p.swapaxes(-1, -2))
    return out


def _softmax_rule(g: Any, p: Any, _: Any) -> Any:
    return p * (g - np.sum(g * p, axis=-1, keepdims=True))


def _softmax_again(h: Any, _: Any, z: Any) -> Any:
    p = softmax(z)
    same = np.eye(p.shape[-1], dtype=p.dtype)
    both = h + np.swapaxes(h, -1, -2)
    return _softmax_rule(np.sum(same * h - both * p[..., None, :], -1), p, z)


def _gelu_again(h: Any, _: Any, z: Any) -> Any:
    z = np.clip(z, -1e3, 1e3)  # whose square does not overflow
    return h * (2 - z * z) * np.exp(-z * z / 2) * (2 * math.pi) ** -0.5


softmax.rules = [_softmax_rule]
# Derivatives of derivatives.
sigmoid_grad.rules = [lambda h, y, z: h * y * (1 - 2 * sigmoid(z))]
softmax_grad.rules = [_softmax_again]
softplus_grad.rules = [lambda h, y, z: h * sigmoid_grad(z)]
tanh_grad.rules = [lambda h, y, z: h * -2 * np.tanh(z) * y]
gelu_grad.rules = [_gelu_again]
