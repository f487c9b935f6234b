"""What an option may be that is one number, and the names of numbers' types."""

import functools
import math
import operator
from typing import Any

__all__ = [
    "FLOATS",
    "HALF_FLOATS",
    "INTEGERS",
    "dtype_name",
    "exactly_one_of",
    "integer",
    "number",
    "representable",
]

FLOATS = ("float32", "float64")
HALF_FLOATS = ("float16", "bfloat16")
INTEGERS = tuple(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64))


def number(
    where: str,
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Return `value` as a float if it is a finite number from `low` to `high`."""
    above = f"above {low:g}" if open_low else f"from {low:g}"
    below = f"below {high:g}" if open_high else f"to {high:g}"
    bounds = [
        "a finite number",
        above if low > -math.inf else "",
        below if high < math.inf else "",
    ]
    wanted = f"{where}: `{name}` must be {' '.join(filter(None, bounds))}"
    try:
        x = float(value) if _is_one(value) else None
    except OverflowError:  # a whole number of more than 308 digits
        x = math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        x = None
    if x is None:
        raise TypeError(f"{wanted}, got {value!r} ({type(value).__name__}).")
    if (
        not math.isfinite(x)
        or not low <= x <= high
        or (open_low and x == low)
        or (open_high and x == high)
    ):
        raise ValueError(f"{wanted}, got {x:g}.")
    return x


# Of each dtype: what is rounded to 0, and what to infinity.
_LIMITS = {
    "float16": (2.0**-25, 65520.0),
    "bfloat16": (2.0**-134, 2.0**128 - 2.0**119),
    "float32": (2.0**-150, 2.0**128 - 2.0**103),
}


def representable(where: str, dtype: str, **options: Any) -> None:
    """Raise unless every option that is a float is one in the dtype of the arrays.

    Beside an array it takes the array's dtype, and may become 0 or infinite there.
    """
    if dtype not in _LIMITS:
        return
    low, high = _LIMITS[dtype]
    for name, value in options.items():
        if isinstance(value, float) and value != 0 and not low < abs(value) < high:
            raise ValueError(
                f"{where}: `{name}` must be a number that {dtype} can hold, for the "
                f"arrays are {dtype}: 0, or from {low:.2g} to {high:.2g}, got "
                f"{value:g}."
            )


def exactly_one_of(
    where: str, *, norm: float | None, value: float | None
) -> tuple[float, bool]:
    """Return the limit above 0 that is given, and whether it is one of the norm."""
    if (norm is None) == (value is None):
        raise ValueError(
            f"{where}: give one of `norm` and `value`, got "
            f"{'neither' if norm is None else 'both'}."
        )
    name, limit = ("value", value) if norm is None else ("norm", norm)
    return number(where, name, limit, low=0, open_low=True), norm is not None


def integer(
    where: str, name: str, value: Any, *, low: int = 0, high: int | None = None
) -> int:
    """Return `value` as an int if it is a whole number, `low` or more."""
    most = "or more" if high is None else f"to {high}"
    wanted = f"{where}: `{name}` must be a whole number, {low} {most}"
    try:
        x = operator.index(value) if _is_one(value) else None
    except TypeError:
        x = None
    if x is None:
        raise TypeError(f"{wanted}, got {value!r} ({type(value).__name__}).")
    if x < low or (high is not None and x > high):
        raise ValueError(f"{wanted}, got {_digits(x)}.")
    return x


def _digits(x: int) -> str:
    """Write a whole number; Python writes none of more than 4300 digits."""
    return str(x) if abs(x) < 10**100 else f"one of {x.bit_length()} bits"


def _is_one(value: Any) -> bool:
    """Whether `value` may be one number: no truth, no text, and no array with axes."""
    if isinstance(value, bool | str | bytes):
        return False
    if not hasattr(value, "dtype"):
        return True
    return dtype_name(value) != "bool" and not tuple(value.shape)


def dtype_name(x: Any) -> str:
    """Name a dtype as NumPy does, in both backends."""
    return _dtype_name(x.dtype)


@functools.cache  # NumPy takes longer to name a dtype than to add a thousand numbers
def _dtype_name(dtype: Any) -> str:
    is_number = getattr(dtype, "kind", None) in ("i", "u", "f", "c")
    if is_number and not dtype.isnative:
        dtype = dtype.newbyteorder("=")  # the numbers are what they are in any order
    return str(dtype).removeprefix("torch.")
