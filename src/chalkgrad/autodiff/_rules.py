"""The rules of calculus, one for each argument of each function of NumPy.

Each reads ``rule(g, y, *arguments)``: g is the derivative of the loss with respect to
the result y. Where a function has a corner, the rule takes

- 0 for the slope of ``abs`` and ``norm`` at 0;
- equal shares for arguments that are equally large in ``maximum`` and ``max``;
- 1 for ``clip`` on its limits, 0 beyond.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core.types import Reduction
from chalkgrad.activations import _numpy as activations
from chalkgrad.activations._numpy import ELEMENTWISE
from chalkgrad.autodiff._tape import (
    COMPOSED,
    CONSTANT,
    FUSED,
    RULES,
    Fused,
    Traced,
    backward,
    primitive,
    put,
)
from chalkgrad.losses import _numpy as losses
from chalkgrad.network._numpy import affine, outputs

LN2, LN10 = math.log(2), math.log(10)

# --- One number at a time -------------------------------------------------------------

RULES |= {
    np.negative: [lambda g, y, x: -g],
    np.positive: [lambda g, y, x: g],
    np.absolute: [lambda g, y, x: g * np.sign(x)],
    np.fabs: [lambda g, y, x: g * np.sign(x)],
    np.square: [lambda g, y, x: g * 2 * x],
    np.sqrt: [lambda g, y, x: g * 0.5 / y],
    np.cbrt: [lambda g, y, x: g / (3 * y * y)],
    np.reciprocal: [lambda g, y, x: -g * y * y],
    np.exp: [lambda g, y, x: g * y],
    np.exp2: [lambda g, y, x: g * y * LN2],
    np.expm1: [lambda g, y, x: g * (y + 1)],
    np.log: [lambda g, y, x: g / x],
    np.log2: [lambda g, y, x: g / (x * LN2)],
    np.log10: [lambda g, y, x: g / (x * LN10)],
    np.log1p: [lambda g, y, x: g / (1 + x)],
    np.sin: [lambda g, y, x: g * np.cos(x)],
    np.cos: [lambda g, y, x: -g * np.sin(x)],
    np.tan: [lambda g, y, x: g * (1 + y * y)],
    np.arcsin: [lambda g, y, x: g / np.sqrt(1 - x * x)],
    np.arccos: [lambda g, y, x: -g / np.sqrt(1 - x * x)],
    np.arctan: [lambda g, y, x: g / (1 + x * x)],
    np.sinh: [lambda g, y, x: g * np.cosh(x)],
    np.cosh: [lambda g, y, x: g * np.sinh(x)],
    np.tanh: [lambda g, y, x: g * (1 - y * y)],
    np.arcsinh: [lambda g, y, x: g / np.sqrt(1 + x * x)],
    np.arccosh: [lambda g, y, x: g / np.sqrt(x * x - 1)],
    np.arctanh: [lambda g, y, x: g / (1 - x * x)],
    np.deg2rad: [lambda g, y, x: g * (math.pi / 180)],
    np.rad2deg: [lambda g, y, x: g * (180 / math.pi)],
    np.nan_to_num: [
        lambda g, y, x, *, nan=0.0, posinf=None, neginf=None: np.where(
            np.isfinite(x), g, 0
        )
    ],
    np.copy: [lambda g, y, x, order="K": g],
}


# --- Two numbers at a time ------------------------------------------------------------


def _winner(mine: Callable[..., Any]) -> Callable[..., Any]:
    """Give g to the argument that won, and half to each of two equals."""
    return lambda g, y, a, b: (
        g * np.where(np.equal(a, b), 0.5, mine(a, b)).astype(g.dtype)
    )


def _power_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    if isinstance(b, int | float):  # as Python's, it leaves the dtype alone
        return g * (b * a ** (b - 1)) if b else g * 0 * a
    # At b = 0 the slope is 0, even where 0 ** -1 would make it nan.
    return g * b * a ** np.where(np.equal(b, 0), b, b - 1)


def _power_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    # Where a is 0, so is y log a in the limit; where a is below, there is no slope.
    return g * y * np.log(np.where(np.equal(a, 0), 1, a))


def _clip(
    g: Any,
    y: Any,
    x: Any,
    a_min: Any = None,
    a_max: Any = None,
    *,
    min: Any = None,
    max: Any = None,
) -> Any:
    low, high = a_min if min is None else min, a_max if max is None else max
    above = True if low is None else x >= low
    below = True if high is None else x <= high
    return g * np.logical_and(above, below)


RULES |= {
    np.add: [lambda g, y, a, b: g, lambda g, y, a, b: g],
    np.subtract: [lambda g, y, a, b: g, lambda g, y, a, b: -g],
    np.multiply: [lambda g, y, a, b: g * b, lambda g, y, a, b: g * a],
    np.divide: [lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b],
    np.power: [_power_base, _power_exponent],
    np.float_power: [_power_base, _power_exponent],
    np.maximum: [_winner(np.greater), _winner(np.less)],
    np.minimum: [_winner(np.less), _winner(np.greater)],
    np.fmax: [_winner(np.greater), _winner(np.less)],
    np.fmin: [_winner(np.less), _winner(np.greater)],
    np.hypot: [lambda g, y, a, b: g * a / y, lambda g, y, a, b: g * b / y],
    np.arctan2: [
        lambda g, y, a, b: g * b / (a * a + b * b),
        lambda g, y, a, b: -g * a / (a * a + b * b),
    ],
    np.logaddexp: [
        lambda g, y, a, b: g * np.exp(a - y),
        lambda g, y, a, b: g * np.exp(b - y),
    ],
    np.logaddexp2: [
        lambda g, y, a, b: g * np.exp2(a - y),
        lambda g, y, a, b: g * np.exp2(b - y),
    ],
    np.remainder: [lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor(a / b)],
    np.fmod: [lambda g, y, a, b: g, lambda g, y, a, b: -g * np.trunc(a / b)],
    np.where: [
        None,
        lambda g, y, c, a, b: np.where(c, g, 0),
        lambda g, y, c, a, b: np.where(c, 0, g),
    ],
    np.clip: [_clip],
}


# --- Products of matrices -------------------------------------------------------------


def _swap(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return g[..., None] * b
    if a.ndim == 1:
        return (b @ g[..., None])[..., 0]
    return g @ _swap(b)


def _matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return g * a if b.ndim == 1 else a[:, None] * g[..., None, :]
    if b.ndim == 1:
        return (_swap(a) @ g[..., None])[..., 0]
    return _swap(a) @ g


def _einsum(i: int) -> Callable[..., Any]:
    """Differentiate by one factor: a sum of products of g with the other factors."""

    def rule(g: Any, y: Any, formula: Any, *factors: Any, optimize: Any = False) -> Any:
        formula = formula if isinstance(formula, str) else ""  # NumPy takes lists, too
        inputs, arrow, out = formula.replace(" ", "").partition("->")
        terms = inputs.split(",")
        if not arrow or "." in formula or any(len(set(t)) < len(t) for t in terms):
            raise TypeError(
                "autodiff: einsum needs a formula with `->`, without `...`, and no "
                f"index twice in one factor, got {formula!r}."
            )
        mine, k = terms[i - 1], i - 1
        others = [t for j, t in enumerate(terms) if j != k]
        arrays = [f for j, f in enumerate(factors) if j != k]
        # An index that stands in this factor alone was summed: every entry gets g.
        alone = [c for c in mine if c not in out and not any(c in t for t in others)]
        shape = [np.shape(factors[k])[mine.index(c)] for c in alone]
        ones = np.ones(shape, y.dtype)
        left = ",".join([out, *others, "".join(alone)])
        return np.einsum(f"{left}->{mine}", g, *arrays, ones)

    return rule


def _dot(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        raise TypeError(
            "autodiff: dot takes a second array of 1 or 2 axes; use matmul."
        )
    return np.matmul(a, b)


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        axes = [list(range(-axes, 0)), list(range(axes))]
    ours, theirs = (
        [i % np.ndim(x) for i in np.atleast_1d(some)]
        for x, some in zip((a, b), axes, strict=True)
    )
    sizes, others = [np.shape(a)[i] for i in ours], [np.shape(b)[i] for i in theirs]
    if sizes != others:
        raise ValueError(
            "autodiff: tensordot sums over axes of the same sizes, got "
            f"{sizes} and {others}."
        )
    left = [i for i in range(np.ndim(a)) if i not in ours]
    right = [i for i in range(np.ndim(b)) if i not in theirs]
    inner = math.prod(sizes)
    flat_a = np.reshape(np.transpose(a, [*left, *ours]), (-1, inner))
    flat_b = np.reshape(np.transpose(b, [*theirs, *right]), (inner, -1))
    shape = [*(np.shape(a)[i] for i in left), *(np.shape(b)[i] for i in right)]
    return np.reshape(np.matmul(flat_a, flat_b), shape)


def _kron(a: Any, b: Any) -> Any:
    n = max(np.ndim(a), np.ndim(b))
    ours, theirs = ((1,) * (n - np.ndim(x)) + np.shape(x) for x in (a, b))
    blocks = np.reshape(a, [size for i in ours for size in (i, 1)])
    inside = np.reshape(b, [size for j in theirs for size in (1, j)])
    return np.reshape(
        blocks * inside, [i * j for i, j in zip(ours, theirs, strict=True)]
    )


RULES |= {np.matmul: [_matmul_left, _matmul_right], np.einsum: _einsum}
COMPOSED |= {
    np.dot: _dot,
    np.tensordot: _tensordot,
    np.outer: lambda a, b: np.ravel(a)[:, None] * np.ravel(b),
    np.inner: lambda a, b: (
        np.tensordot(a, b, axes=(-1, -1)) if np.ndim(a) and np.ndim(b) else a * b
    ),
    np.vdot: lambda a, b: np.matmul(np.ravel(a), np.ravel(b)),
    np.kron: _kron,
}


# --- Sums and other reductions --------------------------------------------------------


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Give a reduced array back the axes that it lost, each of size 1."""
    if axis is None:
        return np.reshape(g, (1,) * np.ndim(x))
    return g if keepdims else np.expand_dims(g, axis)


def _sum(g: Any, y: Any, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.broadcast_to(spread(g, x, axis, keepdims), np.shape(x))


def _mean(g: Any, y: Any, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _sum(g, y, x, axis, keepdims=keepdims) / (np.size(x) // max(1, np.size(y)))


def _extreme(
    g: Any, y: Any, x: Any, axis: Any = None, *, keepdims: bool = False
) -> Any:
    best = np.equal(x, spread(y, x, axis, keepdims))
    share = best / np.sum(best, axis=axis, keepdims=True)
    return spread(g, x, axis, keepdims) * share.astype(g.dtype)


def _prod(g: Any, y: Any, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    if isinstance(axis, tuple):
        raise TypeError("autodiff: prod takes one axis or none.")
    if axis is None:
        flat = np.ravel(x)
        return np.reshape(_prod(g, y, flat, 0), np.shape(x))
    # The product of all others: one copy of x for each place, with 1 in that place. It
    # holds where a factor is 0, and g * y / x does not.
    rows = np.moveaxis(x, axis, -1)
    n = np.shape(rows)[-1]
    others = np.where(np.eye(n, dtype=bool), 1, rows[..., None, :])
    product = others[..., 0]
    for k in range(1, n):
        product = product * others[..., k]
    return spread(g, x, axis, keepdims) * np.moveaxis(product, -1, axis)


def _cumsum(g: Any, y: Any, x: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), np.shape(x))
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


def _var(
    x: Any,
    axis: Any = None,
    *,
    ddof: float = 0,
    correction: float = 0,
    keepdims: bool = False,
) -> Any:
    if ddof and correction:
        raise TypeError("autodiff: var takes one of `ddof` and `correction`.")
    away = x - np.mean(x, axis=axis, keepdims=True)
    total = np.sum(away * away, axis=axis, keepdims=keepdims)
    return total / (np.size(x) // max(1, np.size(total)) - (ddof or correction))


@functools.wraps(_var)
def _std(*args: Any, **kwargs: Any) -> Any:
    return np.sqrt(_var(*args, **kwargs))


def _ptp(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(
        x, axis=axis, keepdims=keepdims
    )


def _trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1)


def _along(x: Any, axis: int, part: Any) -> Any:
    return x[(slice(None),) * (axis % np.ndim(x)) + (part,)]


def _diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    if n < 0:
        raise ValueError(f"autodiff: diff takes `n` of 0 or more, got {n}.")
    for _ in range(n):
        x = _along(x, axis, slice(1, None)) - _along(x, axis, slice(None, -1))
    return x


def _median(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    if isinstance(axis, tuple):
        raise TypeError("autodiff: median takes one axis or none.")
    rows, along = (np.ravel(x), 0) if axis is None else (x, axis)
    n = np.shape(rows)[along]
    ordered = np.sort(rows, along)
    low, high, last = (_along(ordered, along, k) for k in ((n - 1) // 2, n // 2, n - 1))
    middle = np.where(np.isnan(last), last, (low + high) / 2)  # nan is sorted last
    return spread(middle, x, axis, keepdims=False) if keepdims else middle


def _average(
    x: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False
) -> Any:
    if weights is None:
        return np.mean(x, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(x):  # one weight for each place along the axis
        if np.ndim(axis) or axis is None or np.ndim(weights) != 1:
            raise TypeError(
                "autodiff: average takes weights of the shape of the array, or a "
                "vector of them for one axis."
            )
        others = [i for i in range(np.ndim(x)) if i != axis % np.ndim(x)]
        weights = np.broadcast_to(np.expand_dims(weights, others), np.shape(x))
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    return np.sum(x * weights, axis=axis, keepdims=keepdims) / total


RULES |= {
    np.sum: [_sum],
    np.mean: [_mean],
    np.max: [_extreme],
    np.min: [_extreme],
    np.prod: [_prod],
    np.cumsum: [_cumsum],
}
COMPOSED |= {
    np.var: _var,
    np.std: _std,
    np.ptp: _ptp,
    np.trace: _trace,
    np.diff: _diff,
    np.median: _median,
    np.average: _average,
}


# --- Shapes ---------------------------------------------------------------------------


def _reshape(g: Any, y: Any, x: Any, shape: Any, order: Any = "C") -> Any:
    if order not in ("C", "F"):
        raise TypeError(f"autodiff: reshape takes order 'C' or 'F', got {order!r}.")
    return np.reshape(g, np.shape(x), order)


def _transpose(g: Any, y: Any, x: Any, axes: Any = None) -> Any:
    return np.transpose(
        g, None if axes is None else np.argsort(axes % np.int64(x.ndim))
    )


def _swapped(x: Any, axis1: int, axis2: int) -> Any:
    axes = list(range(np.ndim(x)))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return np.transpose(x, axes)


def _moved(x: Any, source: Any, destination: Any) -> Any:
    # Let NumPy say where the axes go: their sizes are their old numbers.
    numbered = np.empty(range(np.ndim(x)))
    return np.transpose(x, np.moveaxis(numbered, source, destination).shape)


def _squeezed(x: Any, axis: Any = None) -> Any:
    return np.reshape(x, np.squeeze(np.empty(np.shape(x)), axis).shape)


def _expanded(x: Any, axis: Any) -> Any:
    return np.reshape(x, np.expand_dims(np.empty(np.shape(x)), axis).shape)


def _join_rule(i: int) -> Callable[..., Any]:
    def rule(g: Any, y: Any, axis: int, *arrays: Any) -> Any:
        start = sum(np.shape(a)[axis] for a in arrays[: i - 1])
        return _along(g, axis, slice(start, start + np.shape(arrays[i - 1])[axis]))

    return rule


@primitive(_join_rule)
def join(axis: int, *arrays: Any) -> Any:
    """Concatenate arrays that are handed over one by one."""
    return np.concatenate(arrays, axis)


def _joined(arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        return join(0, *map(np.ravel, arrays))
    return join(axis, *arrays)


def _pad(
    x: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0
) -> Any:
    if mode != "constant" or np.any(constant_values):
        raise TypeError("autodiff: pad fills with zeros only.")
    pairs = np.broadcast_to(np.asarray(pad_width), (np.ndim(x), 2)).tolist()
    place = tuple(
        slice(low, low + n) for (low, _), n in zip(pairs, np.shape(x), strict=True)
    )
    whole = tuple(
        low + n + high for (low, high), n in zip(pairs, np.shape(x), strict=True)
    )
    return put(x, place, whole)


def _splitting(split: Callable[..., Any]) -> Callable[..., Any]:
    def pieces(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
        numbers = split(np.arange(np.shape(x)[axis]), indices_or_sections)
        return [
            _along(x, axis, slice(int(n[0]), int(n[-1]) + 1) if n.size else slice(0, 0))
            for n in numbers
        ]

    return pieces


def _picking(pick: Callable[..., Any]) -> Callable[..., Any]:
    """Compose a function that picks numbers of x: NumPy picks their places."""

    @functools.wraps(pick)
    def picked(x: Any, *args: Any, **kwargs: Any) -> Any:
        places = np.reshape(np.arange(np.size(x)), np.shape(x))
        return np.ravel(x)[pick(places, *args, **kwargs)]

    return picked


def _sorted(
    x: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None
) -> Any:
    order = np.argsort(x, axis=axis, kind="stable")
    return np.take_along_axis(x, order, axis)


def _flipped(x: Any, axis: Any = None) -> Any:
    axes = range(np.ndim(x)) if axis is None else np.atleast_1d(axis) % np.ndim(x)
    return x[
        tuple(slice(None, None, -1 if i in axes else 1) for i in range(np.ndim(x)))
    ]


def _diag(x: Any, k: int = 0) -> Any:
    if np.ndim(x) == 2:
        return np.diagonal(x, k)
    if np.ndim(x) != 1:
        raise ValueError(
            f"autodiff: diag takes an array of 1 or 2 axes, got {np.ndim(x)}."
        )
    n = np.size(x) + abs(k)
    row, column = max(0, -k), max(0, k)
    places = np.arange(np.size(x))
    return put(x, (places + row, places + column), (n, n))


def _filled(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    like = np.empty_like(x, dtype)
    return np.broadcast_to(fill_value, like.shape).astype(like.dtype)


RULES |= {
    np.reshape: [_reshape],
    np.transpose: [_transpose],
    # The engine sums over what was repeated.
    np.broadcast_to: [lambda g, y, x, shape: g],
}
COMPOSED |= {
    np.ravel: lambda x, order="C": np.reshape(x, (-1,), order),
    np.swapaxes: _swapped,
    np.moveaxis: _moved,
    np.matrix_transpose: lambda x: _swapped(x, -1, -2),
    np.squeeze: _squeezed,
    np.expand_dims: _expanded,
    np.atleast_1d: lambda x: x if np.ndim(x) else np.reshape(x, (1,)),
    np.concatenate: _joined,
    np.stack: lambda arrays, axis=0: _joined(
        [np.expand_dims(a, axis) for a in arrays], axis
    ),
    np.vstack: lambda arrays: _joined(
        [a if np.ndim(a) > 1 else np.reshape(a, (1, -1)) for a in arrays]
    ),
    np.hstack: lambda arrays: _joined(
        [np.atleast_1d(a) for a in arrays], 0 if np.ndim(arrays[0]) < 2 else 1
    ),
    np.split: _splitting(np.split),
    np.array_split: _splitting(np.array_split),
    np.pad: _pad,
    np.sort: _sorted,
    np.flip: _flipped,
    np.diag: _diag,
    np.tril: lambda x, k=0: np.where(np.tril(np.ones(np.shape(x), bool), k), x, 0),
    np.triu: lambda x, k=0: np.where(np.triu(np.ones(np.shape(x), bool), k), x, 0),
    np.full_like: _filled,
}
_PICKING: tuple[Callable[..., Any], ...] = (
    *(np.take, np.take_along_axis, np.roll, np.repeat, np.tile, np.diagonal),
)
COMPOSED |= {pick: _picking(pick) for pick in _PICKING}


# --- Linear algebra -------------------------------------------------------------------


def _solve_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    back = _solve_right(g, y, a, b)
    if np.ndim(b) == 1:
        return -back[..., :, None] * y[..., None, :]
    return -back @ _swap(y)


def _solve_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    if np.ndim(b) == 1:  # of many matrices, too: then g has an axis more than b
        return np.linalg.solve(_swap(a), g[..., None])[..., 0]
    return np.linalg.solve(_swap(a), g)


def _cholesky(g: Any, y: Any, a: Any) -> Any:
    n = np.shape(a)[-1]
    half = (np.tri(n) - 0.5 * np.eye(n)).astype(
        y.dtype
    )  # the lower triangle, with half the diagonal
    inner = half * (_swap(y) @ g)
    # y^-T inner y^-1, then its symmetric part, for `a` is symmetric.
    left = np.linalg.solve(_swap(y), inner)
    s = _swap(np.linalg.solve(_swap(y), _swap(left)))
    return (s + _swap(s)) / 2


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    count = np.ndim(x) if axis is None else np.size(axis)
    known = (2, 1), ("fro", 2), (None, 1), (None, 2)
    if (ord, count) not in known and not (ord is None and axis is None):
        raise TypeError(
            f"autodiff: norm takes the Euclidean length only, got ord={ord!r}."
        )
    squares = np.sum(x * x, axis=axis, keepdims=keepdims)
    # sqrt has no slope at 0; a length of 0 gets 0.
    zero = np.equal(squares, 0)
    return np.where(zero, 0, np.sqrt(np.where(zero, 1, squares)))


@primitive([lambda g, y, a: g[..., None, None] * _swap(np.linalg.inv(a))])
def logabsdet(a: Any) -> Any:
    """Return the logarithm of the size of a determinant."""
    return np.linalg.slogdet(a)[1]


class _Slogdet(NamedTuple):
    sign: Any
    logabsdet: Any


def _slogdet(a: Any) -> Any:
    return _Slogdet(np.sign(np.linalg.det(a)), logabsdet(a))


RULES |= {
    np.linalg.inv: [lambda g, y, a: -_swap(y) @ g @ _swap(y)],
    np.linalg.det: [lambda g, y, a: (g * y)[..., None, None] * _swap(np.linalg.inv(a))],
    np.linalg.solve: [_solve_left, _solve_right],
    np.linalg.cholesky: [_cholesky],
}
COMPOSED |= {np.linalg.norm: _norm, np.linalg.slogdet: _slogdet}

# --- Our own activations and losses ---------------------------------------------------


def _slope_of(name: str) -> list[Callable[..., Any]]:
    slope = getattr(activations, f"{name}_grad")
    return [lambda g, y, z, **options: g * slope(z, **options)]


def _flat(h: Any, y: Any, z: Any, *rest: Any, **options: Any) -> Any:
    return h * 0


def _softmax(g: Any, y: Any, z: Any) -> Any:
    return y * (g - np.sum(g * y, axis=-1, keepdims=True))


def _softmax_again(h: Any, y: Any, z: Any) -> Any:
    p = activations.softmax(z)
    same = np.eye(p.shape[-1], dtype=p.dtype)
    return _softmax(np.sum(same * h - (h + _swap(h)) * p[..., None, :], -1), p, z)


def _sigmoid_again(h: Any, y: Any, z: Any) -> Any:
    return h * y * (1 - 2 * activations.sigmoid(z))


RULES |= {getattr(activations, name): _slope_of(name) for name in ELEMENTWISE} | {
    activations.softmax: [_softmax],
    activations.identity_grad: [_flat],
    activations.relu_grad: [_flat],
    activations.leaky_relu_grad: [_flat],
    activations.sigmoid_grad: [_sigmoid_again],
    activations.softmax_grad: [_softmax_again],
    activations.softplus_grad: [lambda h, y, z: h * activations.sigmoid_grad(z)],
    activations.tanh_grad: [lambda h, y, z: h * -2 * np.tanh(z) * y],
    activations.gelu_grad: [
        lambda h, y, z: h * (2 - z * z) * np.exp(-z * z / 2) * (2 * math.pi) ** -0.5
    ],
}


def _layer_weights(g: Any, y: Any, w: Any, h: Any, start: int, k: int) -> Any:
    own = (*w.shape[:-1], -1)
    before = np.zeros((*w.shape[:-1], start), w.dtype)
    matrix = np.reshape(_swap(h) @ g, own)
    rest = w.shape[-1] - start - matrix.shape[-1] - k
    after = np.zeros((*w.shape[:-1], rest), w.dtype)
    return np.concatenate([before, matrix, np.sum(g, -2), after], -1)


def _layer_inputs(g: Any, y: Any, w: Any, h: Any, start: int, k: int) -> Any:
    d = h.shape[-1]
    W = np.reshape(w[..., start : start + d * k], (*w.shape[:-1], d, k))
    return g @ _swap(W)


RULES[affine] = [_layer_weights, _layer_inputs]


def _spread(g: Any, slopes: Any, *_: Any, **options: Any) -> Any:
    # g is one number, or one for each example, which may have a row of slopes.
    return np.reshape(g, np.shape(g) + (1,) * (slopes.ndim - np.ndim(g))) * slopes


def _loss(name: str) -> Callable[..., Any]:
    slope = getattr(losses, f"{name}_grad")

    def rule(g: Any, y: Any, first: Any, second: Any, **options: Any) -> Any:
        return _spread(g, slope(first, second, **options))

    return rule


def _loss_again(bend: Callable[..., Any]) -> Callable[..., Any]:
    def rule(
        h: Any, y: Any, first: Any, second: Any, reduction: str = "mean", **options: Any
    ) -> Any:
        count = np.size(second) if reduction == "mean" else 1
        return bend(h, first, second, **options) / count

    return rule


def _minus(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **options: -rule(*args, **options)


def _bend_huber(h: Any, p: Any, t: Any, delta: float = 1.0) -> Any:
    return h * (abs(p - t) <= delta).astype(h.dtype)


def _bend_logistic(h: Any, z: Any, y: Any) -> Any:
    return h * activations.sigmoid_grad(z)


def _bend_softmax(h: Any, z: Any, y: Any, label_smoothing: float = 0.0) -> Any:
    return _softmax(h, activations.softmax(z), z)


def _bend_square(h: Any, p: Any, t: Any) -> Any:
    return h * 2


RULES |= {
    # The targets of a regression are numbers too; labels and signs are not.
    losses.mse: [_loss("mse"), _minus(_loss("mse"))],
    losses.huber: [_loss("huber"), _minus(_loss("huber"))],
    losses.mae: [_loss("mae"), _minus(_loss("mae"))],
    losses.binary_cross_entropy: [_loss("binary_cross_entropy")],
    losses.cross_entropy: [_loss("cross_entropy")],
    losses.hinge: [_loss("hinge")],
    losses.perceptron: [_loss("perceptron")],
    losses.mse_grad: [_loss_again(_bend_square), _minus(_loss_again(_bend_square))],
    losses.huber_grad: [_loss_again(_bend_huber), _minus(_loss_again(_bend_huber))],
    losses.mae_grad: [_flat, _flat],
    losses.binary_cross_entropy_grad: [_loss_again(_bend_logistic)],
    losses.cross_entropy_grad: [_loss_again(_bend_softmax)],
    losses.hinge_grad: [_flat],
    losses.perceptron_grad: [_flat],
}

# --- A whole network and its loss, each in one step -----------------------------------

_layer_by_layer = outputs.__wrapped__  # type: ignore[attr-defined]


def _network(i: int) -> Callable[..., Any]:
    """Make the rule for the weights, i = 1, or the inputs, i = 2."""

    def rule(g: Any, steps: Any, *args: Any) -> Any:
        if type(g) is Traced:  # somebody differentiates this, too
            leaf = Traced(args[i], 1)
            traced = [leaf if k == i else a for k, a in enumerate(args)]
            return backward(_layer_by_layer(*traced), g, [leaf])[0]
        net, w, _ = args
        for_w, for_x = net._back(w, steps, g)
        return for_w if i == 1 else for_x()

    return rule


def _surprise(
    logits: Any, labels: Any, *, reduction: Reduction = "mean", **options: Any
) -> Any:
    where = "cross_entropy"
    each, slopes = losses.cross_entropy_and_slopes(logits, labels, **options)
    shared = losses._share(where, slopes, reduction, classes=slopes.shape[-1])
    return losses._reduce(where, each, reduction), shared


COMPOSED[outputs] = _layer_by_layer
FUSED |= {
    outputs: Fused(
        lambda *args: args[0]._run("forward", *args[1:]),
        [None, _network(1), _network(2)],
    ),
    losses.cross_entropy: Fused(_surprise, [_spread]),
}

# --- What is flat, or is no number ----------------------------------------------------

CONSTANT |= {
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.all, np.any),
    *(np.isfinite, np.isinf, np.isnan, np.isclose, np.allclose, np.array_equal),
    *(np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round, np.floor_divide),
    *(np.heaviside, np.signbit, np.argmax, np.argmin, np.argsort, np.nonzero),
    *(np.argwhere, np.searchsorted, np.shape, np.ndim, np.size, np.result_type),
    *(np.zeros_like, np.ones_like, np.empty_like, np.count_nonzero),
}
