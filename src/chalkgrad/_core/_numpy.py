"""Arrays of the NumPy backend: the only place that chooses dtype and device."""

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import convert_frame, is_tensor
from chalkgrad._core.made import PublicFunction
from chalkgrad._core.types import Numbers

__all__ = [
    "Array",
    "Fused",
    "Primitive",
    "Rule",
    "TracedArray",
    "array",
    "arrays",
    "asnumpy",
    "in_memory",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

LARGEST = 2**63 - 1  # of the whole numbers of int64
DTYPES = ("float16", "float32", "float64", "int64")


class TracedArray:
    """What stands in for an array while autodiff records what is done with it."""

    __slots__ = ()

    @property
    def numbers(self) -> Array:
        """The array, through which no derivative passes."""
        raise NotImplementedError

    def record(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record a call of a function that carries its rules as one step."""
        raise NotImplementedError


PLAIN = {np.dtype("float32"), np.dtype("float64")}  # in this byte order


class _Arrays(check.Arrays):
    kinds = (np.ndarray, np.generic, TracedArray)

    def cast(self, x: Any, dtype: str) -> Any:
        return x.astype(dtype, copy=False)

    def native(self, x: Any) -> Any:
        return x if x.dtype.isnative else x.astype(x.dtype.newbyteorder("="))

    def like(self, x: Any, w: Any) -> Any:
        return x.astype(w.dtype.newbyteorder("="), copy=False)

    def zeros_like(self, x: Any) -> Any:
        return np.zeros_like(x)

    def copy(self, x: Any) -> Any:
        return x.copy()

    def detach(self, x: Any) -> Any:
        return x.numbers if isinstance(x, TracedArray) else x

    def index(self, labels: Array) -> tuple[Array, ...]:
        """Return the index of the entry of each row that its label names."""
        if labels.ndim == 1:
            return np.arange(len(labels)), labels
        return (*np.indices(labels.shape, sparse=True), labels)

    def pick(self, x: Any, labels: Any) -> Any:
        return x[self.index(labels)]

    @np.errstate(invalid="ignore")  # inf / inf is nan
    def in_units(self, x: Any) -> tuple[Any, Any]:
        unit = abs(x).max(-1, keepdims=True)
        unit = np.where(unit > 0, unit, 1)
        return x / unit, unit

    def norm(self, x: Any) -> Any:
        x, unit = self.in_units(x)
        return unit * np.linalg.norm(x, axis=-1, keepdims=True)

    @np.errstate(over="ignore", invalid="ignore")
    def is_finite(self, x: Any) -> bool:
        if isinstance(x, TracedArray):
            x = x.numbers
        if x.ndim == 0:
            return math.isfinite(x)
        # The sum of squares is one pass; it may overflow where no number did.
        return math.isfinite(self.sum_of_squares(x)) or bool(np.isfinite(x).all())

    def is_plain_pair(self, x: Any, y: Any) -> bool:
        return (
            type(x) is type(y) is np.ndarray
            and x.dtype == y.dtype
            and x.dtype in PLAIN
            and x.shape == y.shape
            and x.size > 0
        )

    @np.errstate(over="ignore", invalid="ignore")
    def sum_of_squares(self, x: Any) -> float:
        flat = x.reshape(-1)
        return float(np.dot(flat, flat))


arrays = _Arrays()
Rule: TypeAlias = Callable[..., Any]


class Fused(NamedTuple):
    """How to do a function and what its rules need in one step, on plain arrays."""

    run: Callable[..., tuple[Any, Any]]
    """Takes the arguments; returns the result and what the rules need of the way."""
    rules: Sequence[Rule | None]
    """``rule(g, kept, *arguments)``, for each argument."""


class Primitive(PublicFunction):
    """A function that autodiff records as one step, by the rules that it carries.

    A rule gets the derivative g of the loss with respect to the result, the result y,
    and the arguments; it returns that with respect to one argument.
    """

    rules: Sequence[Rule | None] | None = None
    """``rule(g, y, *arguments)``, for each argument; without, it is recorded step by
    step."""
    fused_rule: Fused | None = None
    """What is faster than `rules`, where nobody differentiates the derivative."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for a in (*args, *kwargs.values()):
            if isinstance(a, TracedArray) and (self.rules or self.fused_rule):
                if not self._positional.isdisjoint(kwargs):  # rules know by position
                    bound = inspect.signature(self).bind(*args, **kwargs)
                    args, kwargs = bound.args, bound.kwargs
                return a.record(self, args, kwargs)
        # inf and nan tell it.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._function(*args, **kwargs)

    @functools.cached_property
    def _positional(self) -> set[str]:
        parameters = inspect.signature(self).parameters.values()
        return {p.name for p in parameters if p.kind != p.KEYWORD_ONLY}


def array(x: Numbers, *, dtype: str | None = None, device: str | None = None) -> Array:
    """Make an array of this backend.

    Parameters
    ----------
    x : number, nested list, array of either backend, DataFrame or Series
        What to copy, in any byte order. Both backends give the same numbers for the
        same `x`. Rows of a frame, of pandas, polars or another, are taken by place, not
        by index.
    dtype : "float16", "float32", "float64" or "int64", optional
        By default floats keep their precision (Python's are float64) and integers
        become int64.
    device : str, optional
        Where the array lives. NumPy knows ``"cpu"`` only; PyTorch takes ``"cuda"``
        too. If you say nothing, a tensor of its stays where it is, and all else goes to
        its default device.

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
        If `x` is a ragged list, holds a number that the dtype cannot hold, or `dtype`
        is not one of the four.
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
            f"array: `device` {device!r} is not there: the NumPy backend computes on "
            "'cpu'; use chalkgrad.torch for a GPU."
        )
    if dtype is not None:
        check.choice("array", "dtype", dtype, DTYPES)
    x = convert_frame("array", "x", x)
    if hasattr(x, "collect"):
        raise TypeError(
            f"array: `x` must be an array, got {check.type_name(type(x))}; "
            f"{check.make_array('x', x)}."
        )
    if is_tensor(x):
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
    out = out.astype(out.dtype.newbyteorder("="), copy=False)
    listed = isinstance(x, list | tuple) and out.dtype == np.float64
    if listed and np.abs(out).max(initial=0) >= 2.0**63:
        out = np.array(x, object)  # were they whole numbers?
    if out.dtype == object:
        out = _numbers(out, dtype)
    name = check.dtype_name(out)
    if name == "bool" and dtype is None:
        raise TypeError(
            "array: `x` must hold real numbers, got bool; name a `dtype` to make "
            "0 and 1 of it."
        )
    if name not in ("bool", *check.INTEGERS, *check.FLOATS, *check.HALF_FLOATS):
        advice = f"; {check.make_array('x', out)}" if check.is_text(out) else ""
        raise TypeError(f"array: `x` must hold real numbers, got {name}{advice}.")
    if dtype is None and name in check.INTEGERS:
        dtype = "int64"
    if dtype == "int64" and name == "uint64" and out.size and out.max() > LARGEST:
        raise _too_large(out.max())
    try:
        with np.errstate(over="raise", invalid="raise"):
            return out.astype(dtype or out.dtype, copy=False)
    except FloatingPointError:
        raise ValueError(
            f"array: `x` must hold numbers that {dtype} can hold, got larger ones, or "
            "nan."
        ) from None


def _numbers(out: Array, dtype: str | None) -> Array:
    """Read whole numbers that NumPy makes objects of, or floats, for their size."""
    numbers = out.ravel().tolist()
    kinds = {type(n) for n in numbers}
    if not all(issubclass(kind, int | float | np.number) for kind in kinds):
        return out
    whole = all(issubclass(kind, int | np.integer) for kind in kinds - {bool})
    if whole and bool not in kinds and (dtype is None or dtype == "int64"):
        for n in numbers:
            if not -LARGEST - 1 <= n <= LARGEST:
                raise _too_large(n)
        return out.astype("int64")
    return out.astype("float64")


def _too_large(number: Any) -> ValueError:
    return ValueError(
        f"array: `x` must hold whole numbers from {-LARGEST - 1} to {LARGEST}, which "
        f'int64 can hold, got {number}; name a `dtype`, such as "float64".'
    )


def in_memory(x: Any) -> Array:
    """Read a tensor; NumPy has no bfloat16, and float32 holds all its numbers."""
    x = x.detach().to_dense().cpu()
    out: Array = (x.float() if check.dtype_name(x) == "bfloat16" else x).numpy()
    return out


def _holds_tensor(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(map(_holds_tensor, x))
    return is_tensor(x)


def asnumpy(x: Array) -> Array:
    """Copy an array of this backend into NumPy.

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
        If `x` is not an array of this backend.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.asnumpy(cg.array([1.0, 2.0]))
    array([1., 2.])
    """
    if arrays.type_name_if_foreign(x):
        arrays.own_nonempty("asnumpy", "x", x)
    return np.array(x)
