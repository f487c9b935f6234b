"""The rules of calculus, one for each argument of each function of NumPy.

Each reads ``rule(g, y, *arguments)``: g is the derivative of the loss with respect to
the result y. Where a function has a corner, the rule takes

- 0 for the slope of ``abs``, of a length and of an angle at 0;
- equal shares for arguments that are equally large in ``maximum`` and ``max``;
- 1 for ``clip`` on its limits, 0 beyond.

Those whose corners or tails take care are in `chalkgrad.autodiff._slopes`. Functions of
chalkgrad itself carry their rules.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chalkgrad.autodiff._slopes import LN2, Tools, slopes
from chalkgrad.autodiff._tape import (
    COMPOSED,
    CONSTANT,
    RULES,
    Traced,
    backward,
    levels,
    plain,
    primitive,
    put,
)

# --- What takes care ------------------------------------------------------------------


def pull(f: Callable[[Any], Any], x: Any, g: Any) -> Any:
    """Return the derivative of f at x, given g, that for f(x)."""
    leaf = Traced(x, next(levels))
    return backward(f(leaf), g, [leaf])[0]


SLOPES = slopes(Tools(np, np.sign, plain, primitive, pull))
RULES |= {
    getattr(np, name): rules for name, rules in SLOPES.items() if hasattr(np, name)
}

# --- One number at a time -------------------------------------------------------------

RULES |= {
    np.negative: [lambda g, y, x: -g],
    np.positive: [lambda g, y, x: g],
    np.fabs: [lambda g, y, x: g * np.sign(x)],
    np.square: [lambda g, y, x: g * 2 * x],
    np.sqrt: [lambda g, y, x: g * 0.5 / y],
    np.cbrt: [lambda g, y, x: g / (3 * y * y)],
    np.reciprocal: [lambda g, y, x: -g * y * y],
    np.exp: [lambda g, y, x: g * y],
    np.exp2: [lambda g, y, x: g * y * LN2],
    np.log: [lambda g, y, x: g / x],
    np.log1p: [lambda g, y, x: g / (1 + x)],
    np.sin: [lambda g, y, x: g * np.cos(x)],
    np.cos: [lambda g, y, x: -g * np.sin(x)],
    np.tan: [lambda g, y, x: g * (1 + y * y)],
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


def _clip_low(
    g: Any, y: Any, x: Any, a_min: Any, a_max: Any = None, *, max: Any = None
) -> Any:
    high = a_max if max is None else max
    return np.where((x < a_min) & (True if high is None else a_min < high), g, 0)


def _clip_high(
    g: Any, y: Any, x: Any, a_min: Any, a_max: Any, *, min: Any = None
) -> Any:
    low = a_min if min is None else min
    beyond = x > a_max
    if low is not None:
        beyond = beyond | (low > a_max) | ((low == a_max) & (x != a_max))
    return np.where(beyond, g, 0)


RULES |= {
    np.add: [lambda g, y, a, b: g, lambda g, y, a, b: g],
    np.subtract: [lambda g, y, a, b: g, lambda g, y, a, b: -g],
    np.multiply: [lambda g, y, a, b: g * b, lambda g, y, a, b: g * a],
    np.divide: [lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b],
    np.float_power: SLOPES["power"],
    np.where: [
        None,
        lambda g, y, c, a, b: np.where(c, g, 0),
        lambda g, y, c, a, b: np.where(c, 0, g),
    ],
    np.clip: [_clip, _clip_low, _clip_high],
}


# --- Products of matrices -------------------------------------------------------------


def _swap(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _matmul_wrt_a(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return g[..., None] * b
    if a.ndim == 1:
        return (b @ g[..., None])[..., 0]
    return g @ _swap(b)


def _matmul_wrt_b(g: Any, y: Any, a: Any, b: Any) -> Any:
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


RULES |= {np.matmul: [_matmul_wrt_a, _matmul_wrt_b], np.einsum: _einsum}
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
    top = spread(y, x, axis, keepdims)
    best = np.equal(x, top)
    if np.isnan(plain(y)).any():
        best = best | np.isnan(x) & np.isnan(top)
    share = best / np.sum(best, axis=axis, keepdims=True)
    return spread(g, x, axis, keepdims) * share.astype(g.dtype)


def _unit(x: Any, order: float, axis: Any) -> Any:
    """Return what a length is measured in: its square would leave the numbers."""
    extreme = np.max if order > 0 else np.min
    unit = extreme(abs(plain(x)), axis=axis, keepdims=True)
    return np.where((unit == 0) | np.isinf(unit), 1, unit)


def _length(g: Any, y: Any, x: Any, order: float, axis: Any, keepdims: bool) -> Any:
    u = x / _unit(x, order, axis)
    none = u == 0
    sizes = np.where(none, 1, abs(u))
    powers = np.where(none, 0 if order > 0 else np.inf, sizes**order)
    total = np.sum(powers, axis=axis, keepdims=True)
    root = np.where(total == 0, 1, total) ** ((order - 1) / order)
    slope = np.sign(u) * sizes ** (order - 1) / root
    return spread(g, x, axis, keepdims) * np.where(np.isinf(u), np.sign(u), slope)


@primitive([_length])
@np.errstate(divide="ignore")  # the inverse of 0, where the order is below 0
def length(x: Any, order: float, axis: Any, keepdims: bool) -> Any:
    """Return the root of a sum of powers of sizes; its slope at 0 is taken for 0."""
    unit = _unit(x, order, axis)
    total = np.sum(abs(x / unit) ** order, axis=axis, keepdims=True)
    out = unit * total ** (1 / order)
    return out if keepdims else np.squeeze(out, axis)


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


def _away(x: Any, axis: Any, ddof: float, correction: float) -> tuple[Any, float]:
    """Return the distances from the mean, and what their squares are divided by."""
    if ddof and correction:
        raise TypeError("autodiff: var takes one of `ddof` and `correction`.")
    mean = np.mean(x, axis=axis, keepdims=True)
    count = max(np.size(x) // max(1, np.size(mean)) - (ddof or correction), 0)
    return x - mean, count


def _is_one_number(low: Any, high: Any, axis: Any) -> Any:
    """Tell where all numbers are equal, so that the distance from their mean is 0.

    Their mean is rounded: some distance may be left, and a root magnifies its slope.
    """
    if np.size(low) == 0:
        return False
    least = np.min(plain(low), axis=axis, keepdims=True)
    most = np.max(plain(high), axis=axis, keepdims=True)
    return np.isfinite(least) & (least == most)


def _var(
    x: Any,
    axis: Any = None,
    *,
    ddof: float = 0,
    correction: float = 0,
    keepdims: bool = False,
) -> Any:
    away, count = _away(x, axis, ddof, correction)
    return np.sum(away * away, axis=axis, keepdims=keepdims) / count


def _std(
    x: Any,
    axis: Any = None,
    *,
    ddof: float = 0,
    correction: float = 0,
    keepdims: bool = False,
) -> Any:
    away, count = _away(x, axis, ddof, correction)
    if count:
        away = np.where(_is_one_number(x, x, axis), 0, away)
    return length(away, 2.0, axis, keepdims) / math.sqrt(count)


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


def _without_nan(x: Any, fill: float) -> Any:
    return np.where(np.isnan(x), fill, x)


def _nansum(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.sum(_without_nan(x, 0), axis=axis, keepdims=keepdims)


def _nanprod(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.prod(_without_nan(x, 1), axis=axis, keepdims=keepdims)


def _nancumsum(x: Any, axis: Any = None) -> Any:
    return np.cumsum(_without_nan(x, 0), axis=axis)


def _numbers(x: Any, axis: Any, keepdims: bool) -> Any:
    """Count what is not nan."""
    return np.sum(~np.isnan(x), axis=axis, keepdims=keepdims).astype(x.dtype)


def _nanmean(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _nansum(x, axis, keepdims=keepdims) / _numbers(x, axis, keepdims)


def _nanextreme(extreme: Callable[..., Any], fill: float) -> Callable[..., Any]:
    def rule(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        found = extreme(_without_nan(x, fill), axis=axis, keepdims=keepdims)
        return np.where(_numbers(x, axis, keepdims) == 0, np.nan, found)

    return rule


def _nanaway(x: Any, axis: Any, ddof: float, keepdims: bool) -> tuple[Any, Any]:
    away = _without_nan(x - _nanmean(x, axis, keepdims=True), 0)
    return away, np.maximum(_numbers(x, axis, keepdims) - ddof, 0)


def _nanvar(
    x: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False
) -> Any:
    away, count = _nanaway(x, axis, ddof, keepdims)
    return np.sum(away * away, axis=axis, keepdims=keepdims) / count


def _nanstd(
    x: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False
) -> Any:
    away, count = _nanaway(x, axis, ddof, keepdims)
    low, high = _without_nan(x, np.inf), _without_nan(x, -np.inf)
    some = _numbers(x, axis, True) > ddof
    away = np.where(some & _is_one_number(low, high, axis), 0, away)
    return length(away, 2.0, axis, keepdims) / np.sqrt(count)


RULES |= {
    np.sum: [_sum],
    np.mean: [_mean],
    np.max: [_extreme],
    np.min: [_extreme],
    np.amax: [_extreme],
    np.amin: [_extreme],
    np.prod: [_prod],
    np.cumsum: [_cumsum],
}
COMPOSED |= {
    np.nansum: _nansum,
    np.nanprod: _nanprod,
    np.nancumsum: _nancumsum,
    np.nanmean: _nanmean,
    np.nanmax: _nanextreme(np.max, -np.inf),
    np.nanmin: _nanextreme(np.min, np.inf),
    np.nanvar: _nanvar,
    np.nanstd: _nanstd,
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


def _swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    axes = list(range(np.ndim(x)))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return np.transpose(x, axes)


def _moveaxis(x: Any, source: Any, destination: Any) -> Any:
    # Let NumPy say where the axes go: their sizes are their old numbers.
    numbered = np.empty(range(np.ndim(x)))
    return np.transpose(x, np.moveaxis(numbered, source, destination).shape)


def _squeeze(x: Any, axis: Any = None) -> Any:
    return np.reshape(x, np.squeeze(np.empty(np.shape(x)), axis).shape)


def _expand_dims(x: Any, axis: Any) -> Any:
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


def _concatenate(arrays: Any, axis: int | None = 0) -> Any:
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


def _compose_split(split: Callable[..., Any]) -> Callable[..., Any]:
    def pieces(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
        numbers = split(np.arange(np.shape(x)[axis]), indices_or_sections)
        return [
            _along(x, axis, slice(int(n[0]), int(n[-1]) + 1) if n.size else slice(0, 0))
            for n in numbers
        ]

    return pieces


def _compose_pick(pick: Callable[..., Any]) -> Callable[..., Any]:
    """Compose a function that picks numbers of x: NumPy picks their places."""

    @functools.wraps(pick)
    def take(x: Any, *args: Any, **kwargs: Any) -> Any:
        places = np.reshape(np.arange(np.size(x)), np.shape(x))
        return np.ravel(x)[pick(places, *args, **kwargs)]

    return take


def _sort(
    x: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None
) -> Any:
    order = np.argsort(x, axis=axis, kind="stable")
    return np.take_along_axis(x, order, axis)


def _flip(x: Any, axis: Any = None) -> Any:
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


def _full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    like = np.empty_like(x, dtype)
    return np.broadcast_to(fill_value, like.shape).astype(like.dtype)


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist):
        raise ValueError(
            "autodiff: select takes as many choices as conditions, got "
            f"{len(choicelist)} and {len(condlist)}."
        )
    out = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        out = np.where(condition, choice, out)
    return out


RULES |= {
    np.reshape: [_reshape],
    np.transpose: [_transpose],
    # The engine sums over what was repeated.
    np.broadcast_to: [lambda g, y, x, shape: g],
}
COMPOSED |= {
    np.ravel: lambda x, order="C": np.reshape(x, (-1,), order),
    np.swapaxes: _swapaxes,
    np.moveaxis: _moveaxis,
    np.matrix_transpose: lambda x: _swapaxes(x, -1, -2),
    np.squeeze: _squeeze,
    np.expand_dims: _expand_dims,
    np.atleast_1d: lambda x: x if np.ndim(x) else np.reshape(x, (1,)),
    np.concatenate: _concatenate,
    np.stack: lambda arrays, axis=0: _concatenate(
        [np.expand_dims(a, axis) for a in arrays], axis
    ),
    np.vstack: lambda arrays: _concatenate(
        [a if np.ndim(a) > 1 else np.reshape(a, (1, -1)) for a in arrays]
    ),
    np.hstack: lambda arrays: _concatenate(
        [np.atleast_1d(a) for a in arrays], 0 if np.ndim(arrays[0]) < 2 else 1
    ),
    np.split: _compose_split(np.split),
    np.array_split: _compose_split(np.array_split),
    np.pad: _pad,
    np.sort: _sort,
    np.flip: _flip,
    np.diag: _diag,
    np.tril: lambda x, k=0: np.where(np.tril(np.ones(np.shape(x), bool), k), x, 0),
    np.triu: lambda x, k=0: np.where(np.triu(np.ones(np.shape(x), bool), k), x, 0),
    np.full_like: _full_like,
    np.select: _select,
}
_PICKING: tuple[Callable[..., Any], ...] = (
    *(np.take, np.take_along_axis, np.roll, np.repeat, np.tile, np.diagonal),
)
COMPOSED |= {pick: _compose_pick(pick) for pick in _PICKING}


# --- Linear algebra -------------------------------------------------------------------


def _solve_wrt_a(g: Any, y: Any, a: Any, b: Any) -> Any:
    back = _solve_wrt_b(g, y, a, b)
    if np.ndim(b) == 1:
        return -back[..., :, None] * y[..., None, :]
    return -back @ _swap(y)


def _solve_wrt_b(g: Any, y: Any, a: Any, b: Any) -> Any:
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
    if (ord is None and (axis is None or count <= 2)) or (ord, count) == ("fro", 2):
        return length(x, 2.0, axis, keepdims)
    if count == 1 and isinstance(ord, int | float | np.number):
        return _vector_norm(x, axis=axis, keepdims=keepdims, ord=float(ord))
    if count == 2 and ord in (1, -1, np.inf, -np.inf):
        pair = range(2) if axis is None else [i % np.ndim(x) for i in axis]
        along = pair[0 if abs(ord) == 1 else 1]
        sums = np.sum(abs(x), axis=along, keepdims=True)
        extreme = np.max if ord > 0 else np.min
        return extreme(sums, axis=tuple(pair), keepdims=keepdims)
    raise TypeError(
        "autodiff: norm takes any number as the order of a vector, and 1, -1, inf, "
        f"-inf and 'fro' as that of a matrix, got ord={ord!r} over {count} axes."
    )


def _vector_norm(
    x: Any, *, axis: Any = None, keepdims: bool = False, ord: float = 2
) -> Any:
    order = float(ord)
    if order == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdims).astype(x.dtype)
    if order == 1:
        return np.sum(abs(x), axis=axis, keepdims=keepdims)
    if math.isinf(order):
        extreme = np.max if order > 0 else np.min
        return extreme(abs(x), axis=axis, keepdims=keepdims)
    return length(x, order, axis, keepdims)


def _matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return _norm(x, ord, (-2, -1), keepdims)


@primitive(SLOPES["logabsdet"])
def logabsdet(a: Any) -> Any:
    """Return the logarithm of the size of a determinant."""
    return np.linalg.slogdet(a)[1]


class _Slogdet(NamedTuple):
    sign: Any
    logabsdet: Any


def _slogdet(a: Any) -> Any:
    return _Slogdet(np.linalg.slogdet(plain(a))[0], logabsdet(a))


RULES |= {
    np.linalg.inv: [lambda g, y, a: -_swap(y) @ g @ _swap(y)],
    np.linalg.det: SLOPES["linalg.det"],
    np.linalg.solve: [_solve_wrt_a, _solve_wrt_b],
    np.linalg.cholesky: [_cholesky],
}
COMPOSED |= {
    np.linalg.norm: _norm,
    np.linalg.vector_norm: _vector_norm,
    np.linalg.matrix_norm: _matrix_norm,
    np.linalg.slogdet: _slogdet,
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
    *(np.nanargmax, np.nanargmin, np.angle),
}
