"""Arrays of the NumPy half: the only place that chooses dtype and device."""

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np

from chalkgrad._core import check

__all__ = ["array", "asnumpy"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

DTYPES = ("float16", "float32", "float64", "int64")


class _Arrays(check.Arrays):
    kinds: tuple[type[Any], ...] = (np.ndarray, np.generic)

    def cast(self, x: Any, dtype: str) -> Any:
        return x.astype(dtype, copy=False)

    @np.errstate(over="ignore", invalid="ignore")
    def is_finite(self, x: Any) -> bool:
        if x.ndim == 0:
            return math.isfinite(x)
        flat = x.reshape(-1)
        # The sum of squares is one pass; it may overflow where no number did.
        return math.isfinite(np.dot(flat, flat)) or bool(np.isfinite(x).all())


arrays = _Arrays()
F = TypeVar("F", bound=Callable[..., Any])


def recorded(f: F) -> F:
    """Let `chalkgrad.autodiff` record a function as one step, with its own rule."""
    signature = inspect.signature(f)
    by_position = {
        p.name for p in signature.parameters.values() if p.kind != p.KEYWORD_ONLY
    }

    @functools.wraps(f)
    def step(*args: Any, **kwargs: Any) -> Any:
        for a in (*args, *kwargs.values()):
            if hasattr(a, "record"):
                if not by_position.isdisjoint(kwargs):  # rules know them by position
                    bound = signature.bind(*args, **kwargs)
                    args, kwargs = bound.args, bound.kwargs
                return a.record(step, args, kwargs)
        with np.errstate(over="ignore", invalid="ignore"):  # inf and nan tell it
            return f(*args, **kwargs)

    return step  # type: ignore[return-value]


def array(x: Any, *, dtype: str | None = None, device: str | None = None) -> Array:
    """Make an array of this half.

    Parameters
    ----------
    x : number, nested list, or array of either half
        What to copy. Both halves give the same numbers for the same `x`.
    dtype : "float16", "float32", "float64" or "int64", optional
        By default floats keep their precision (Python's are float64) and integers
        become int64.
    device : str, optional
        Where the array lives. NumPy knows ``"cpu"`` only; PyTorch takes ``"cuda"``
        too, and its default device if you say nothing.

    Returns
    -------
    Array
        A copy, never a view.

    Raises
    ------
    TypeError
        If `x` holds something else than real numbers, is masked, or is a list of
        tensors, whose gradients would be lost without a word.
    ValueError
        If `x` is a ragged list, or `dtype` is not one of the four.
    DeviceError
        If the device is not there.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.array([1, 2.5])
    array([1. , 2.5])
    >>> cg.array([1, 2]).dtype
    dtype('int64')
    """
    place: Any = "cpu" if device is None else device
    if not isinstance(place, str) or place != "cpu":
        raise check.DeviceError(
            f"array: `device` {device!r} is not there: the NumPy half computes on "
            "'cpu'; use chalkgrad.torch for a GPU."
        )
    if dtype is not None:
        check.choice("array", "dtype", dtype, DTYPES)
    if hasattr(x, "detach"):
        x = in_memory(x)
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            "array: `x` must be a number, a nested list of numbers, or one array, got "
            "a masked array; x.filled(0) puts numbers in the gaps."
        )
    if _holds_tensor(x):
        raise TypeError(
            "array: `x` must be a number, a nested list of numbers, or one array, got "
            "a tensor inside a list; torch.stack joins tensors."
        )
    try:
        out = np.array(x)
    except ValueError:
        raise ValueError(
            "array: `x` must be rectangular, got lists of different lengths."
        ) from None
    name = check.dtype_name(out)
    if name == "bool" and dtype is None:
        raise TypeError(
            "array: `x` must hold real numbers, got bool; name a `dtype` to make "
            "0 and 1 of it."
        )
    if name not in ("bool", *check.INTEGERS, *check.FLOATS, *check.HALF_FLOATS):
        raise TypeError(f"array: `x` must hold real numbers, got {name}.")
    if dtype is None and name in check.INTEGERS:
        dtype = "int64"
    try:
        with np.errstate(over="raise", invalid="raise"):
            return out.astype(dtype or out.dtype, copy=False)
    except FloatingPointError:
        raise ValueError(
            f"array: `x` must hold numbers that {dtype} can hold, got larger ones, or "
            "nan."
        ) from None


def in_memory(x: Any) -> Array:
    """Read a tensor; NumPy has no bfloat16, and float32 holds all its numbers."""
    x = x.detach().to_dense().cpu()
    out: Array = (x.float() if check.dtype_name(x) == "bfloat16" else x).numpy()
    return out


def _holds_tensor(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(map(_holds_tensor, x))
    return hasattr(x, "detach")


def asnumpy(x: Any) -> Array:
    """Copy an array of this half into NumPy.

    Always a copy: a step that updates in place cannot change it later.

    Parameters
    ----------
    x : Array of shape (...)
        On any device.

    Returns
    -------
    numpy.ndarray
        In the same dtype.

    Raises
    ------
    TypeError
        If `x` is not an array of this half.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.asnumpy(cg.array([1.0, 2.0]))
    array([1., 2.])
    """
    if arrays.foreign(x):
        arrays.one("asnumpy", "x", x)
    return np.array(x)
