"""The checks at every door, and every word of every error message.

A message names the function, the argument, what was expected, what came, and what
to do. Nothing here knows NumPy or PyTorch, so both halves speak with the same words.
"""

import functools
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Collection
from os import PathLike
from typing import Any

from chalkgrad._core.types import Optimizer

FLOATS = ("float32", "float64")
HALF_FLOATS = ("float16", "bfloat16")
INTEGERS = tuple(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64))


class ShapeError(ValueError):
    """Two arrays do not fit each other, or one does not fit the network."""


class DeviceError(ValueError):
    """A device that is not there, or two arrays on different ones."""


class DivergedError(ValueError):
    """The loss or its gradient has left the finite numbers."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where}: the loss or its gradient is not finite, so no step was taken; "
            "try a smaller `lr`."
        )


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


def one_limit(
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


def integer(where: str, name: str, value: Any, *, low: int = 0) -> int:
    """Return `value` as an int if it is a whole number, `low` or more."""
    wanted = f"{where}: `{name}` must be a whole number, {low} or more"
    try:
        x = operator.index(value) if _is_one(value) else None
    except TypeError:
        x = None
    if x is None:
        raise TypeError(f"{wanted}, got {value!r} ({type(value).__name__}).")
    if x < low:
        raise ValueError(f"{wanted}, got {x}.")
    return x


def _is_one(value: Any) -> bool:
    """Whether `value` may be one number: no truth, no text, and no array with axes."""
    if isinstance(value, bool | str | bytes):
        return False
    if not hasattr(value, "dtype"):
        return True
    return dtype_name(value) != "bool" and not tuple(value.shape)


def truth(where: str, name: str, value: Any) -> bool:
    """Return `value` as a bool if it is one, Python's or NumPy's."""
    if type(value).__name__ not in ("bool", "bool_"):
        raise TypeError(
            f"{where}: `{name}` must be True or False, got {value!r} "
            f"({type(value).__name__})."
        )
    return bool(value)


def function(where: str, name: str, f: Any) -> None:
    """Raise unless `f` may be called."""
    if not callable(f):
        raise TypeError(
            f"{where}: `{name}` must be a function, got {type(f).__name__}."
        )


def some(where: str, name: str, values: Collection[Any]) -> None:
    """Raise unless there is one of `values` at least."""
    if not values:
        raise TypeError(f"{where}: `{name}` must be one array or more, got none.")


def optimizer(where: str, value: Any) -> None:
    """Raise unless `value` is an optimizer, and not the function that makes one."""
    if not isinstance(value, Optimizer):
        given = getattr(value, "__name__", type(value).__name__)
        raise TypeError(
            f"{where}: `optimizer` must be an optimizer, got {given}; make one with "
            "cg.optimizers.sgd(lr=0.1)."
        )


def rate(where: str, lr: Any) -> Any:
    """Return a learning rate: a number, an array of them, or a schedule, of 0 or more.

    A schedule is asked, and judged, at each step.
    """
    if callable(lr):
        return lr
    if getattr(lr, "shape", ()):
        wanted = "every rate must be finite and 0 or more"
        values(where, "lr", lr, (lr >= 0) & (lr < math.inf), wanted)
        return lr
    return number(where, "lr", lr, low=0)


def choice(where: str, name: str, value: Any, options: Collection[str]) -> str:
    """Return `value` if it is one of `options`."""
    if isinstance(value, str) and value in options:
        return value
    known = ", ".join(repr(option) for option in options)
    raise ValueError(f"{where}: `{name}` must be one of {known}, got {value!r}.")


def sequence(where: str, name: str, value: Any) -> list[Any]:
    """Return the entries of `value` if they stand in a row."""
    try:
        return [value[i] for i in range(len(value))]
    except (TypeError, KeyError):
        raise TypeError(
            f"{where}: `{name}` must be a list, got {value!r} ({type(value).__name__})."
        ) from None


def two(where: str, name: str, value: Any) -> tuple[Any, Any]:
    """Return `value` if it is a pair."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(
            f"{where}: `{name}` must be a pair, got {value!r} ({type(value).__name__})."
        )
    return value[0], value[1]


def path(where: str, name: str, value: Any) -> None:
    """Raise unless `value` names a file or a folder."""
    if not isinstance(value, str | PathLike):
        raise TypeError(
            f"{where}: `{name}` must be a path, got {value!r} ({type(value).__name__})."
        )


def sizes(where: str, value: Any) -> tuple[int, ...]:
    """Return the sizes of layers, two or more of them."""
    whole = tuple(
        integer(where, "sizes", size, low=1) for size in sequence(where, "sizes", value)
    )
    if len(whole) < 2:
        raise ValueError(
            f"{where}: `sizes` must list inputs, hidden units and outputs, two numbers "
            f"or more, got {value!r}."
        )
    return whole


def network(where: str, net: Any, kind: type[Any]) -> None:
    """Raise unless `net` is a network of this half."""
    if not isinstance(net, kind):
        raise TypeError(
            f"{where}: `net` must be a network of this half, made by cg.network, got "
            f"{type(net).__module__}.{type(net).__name__}."
        )


def state(where: str, value: Any, kind: type[Any]) -> Any:
    """Return `value` if it is a state of the optimizer whose states are of a kind."""
    if type(value) is not kind:
        raise TypeError(
            f"{where}: `state` must be that of the optimizer, a {kind.__name__}, got "
            f"{type(value).__name__}."
        )
    return value


def model(where: str, net: Any) -> None:
    """Raise unless `net` can compute: a network of either half, or another model."""
    if not (hasattr(net, "forward") and hasattr(net, "loss_and_grad")):
        raise TypeError(
            f"{where}: `net` must be a network, made by cg.network, got "
            f"{type(net).__name__}."
        )


def one_network(where: str, w: Any) -> None:
    """Raise unless `w` is the weights of one network."""
    floating(where, "w", w)
    if w.ndim != 1:
        raise ShapeError(
            f"{where}: `w` must be the weights of one network, got {tuple(w.shape)}; "
            "take one with w[i]."
        )


def dtype_name(x: Any) -> str:
    """Name a dtype as NumPy does, in both halves."""
    return _dtype_name(x.dtype)


@functools.cache  # NumPy takes longer to name a dtype than to add a thousand numbers
def _dtype_name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def odd(x: Any) -> str:
    """Name what is an array that computes in its own way; "" if it is none.

    To a matrix * is a product of matrices, what is masked drops out of sums, and of a
    sparse tensor most operations are missing.
    """
    kind: Any = type(x)
    return _odd(kind, getattr(x, "layout", None))


@functools.cache
def _odd(kind: type[Any], layout: Any) -> str:
    if any(base.__name__ in ("matrix", "MaskedArray") for base in kind.__mro__):
        return _type_name(kind)
    return "" if str(layout) in ("None", "torch.strided") else str(layout)


def _type_name(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__name__}".removeprefix("builtins.")


def _device(x: Any) -> str:
    """Say where an array lives; NumPy 2.0 does not say it of a number."""
    return str(getattr(x, "device", "cpu"))


def first(mask: Any) -> tuple[int, ...]:
    """Index of the first True of a mask."""
    flat = mask.reshape(-1).tolist().index(True)
    index: list[int] = []
    for size in reversed(tuple(mask.shape)):
        flat, i = divmod(flat, size)
        index.insert(0, i)
    return tuple(index)


def values(
    where: str,
    name: str,
    x: Any,
    good: Any,
    wanted: str,
    error: type[Exception] = ValueError,
) -> None:
    """Raise unless the mask `good`, which has the shape of `x`, is True everywhere."""
    if not good.all():
        index = first(~good)
        at = f" at index {index}" if index else ""
        raise error(f"{where}: `{name}` has {x[index].item():g}{at}; {wanted}.")


def shapes(where: str, **specs: tuple[Any, str]) -> None:
    """Bind the axes named in ``name=(array, "... n c")`` pairs, or tell the clash.

    An axis name stands for one size in all arrays, a number for itself, and a ``...``
    in front for any leading axes, the same in all arrays that have it.
    """

    def told() -> str:
        return "; ".join(
            f"`{name}` ({', '.join(spec.split())}) is {tuple(x.shape)}"
            for name, (x, spec) in specs.items()
        )

    bound: dict[str | int, tuple[str, int]] = {}
    leading: tuple[str, int] | None = None
    for name, (x, spec) in specs.items():
        open_ended, axes = _axes(spec)
        extra = len(x.shape) - len(axes)
        if extra < 0 or (extra > 0 and not open_ended):
            count = f"{'at least ' if open_ended else ''}{len(axes)} axes"
            raise ShapeError(f"{where}: `{name}` must have {count} ({told()}).")
        if open_ended:
            leading = leading or (name, extra)
            if leading[1] != extra:
                raise ShapeError(
                    f"{where}: `{leading[0]}` and `{name}` have different numbers of "
                    f"axes ({told()}). Nothing is broadcast: add an axis with "
                    "[:, None] or take one away with [:, 0]."
                )
            axes = (*range(extra), *axes)
        for axis, size in zip(axes, tuple(x.shape), strict=True):
            fixed = isinstance(axis, str) and axis.isdigit()
            expected = ("the network", int(axis)) if fixed else (f"`{name}`", size)
            other, wanted = bound.setdefault(axis, expected)
            if wanted != size:
                told_axis = "the last axis" if fixed else f"axis {axis}"
                raise ShapeError(
                    f"{where}: {told_axis} is {wanted} in {other} but {size} in "
                    f"`{name}` ({told()}). Nothing is broadcast."
                )


@functools.cache
def _axes(spec: str) -> tuple[bool, tuple[str | int, ...]]:
    """Whether any leading axes may come first, and the names of the others."""
    first, *others = spec.split()
    return (True, (*others,)) if first == "..." else (False, (first, *others))


def fits(where: str, w: Any, x: Any, size: int, inputs: int) -> None:
    """Raise unless weights `w` (..., size) and rows `x` (n, inputs) fit each other.

    With weights of many networks, `x` may have their leading axes too.
    """
    shapes(where, w=(w, f"... {size}"))
    shapes(where, x=(x, f"... n {inputs}"))
    lead = tuple(x.shape)[:-2]
    if lead and lead != tuple(w.shape)[:-1]:
        raise ShapeError(
            f"{where}: `x` must be (n, {inputs}), or have the leading axes of `w` "
            f"(`w` is {tuple(w.shape)}; `x` is {tuple(x.shape)})."
        )


def batch(where: str, x: Any, size: int) -> None:
    """Raise if there are more rows than a plan has room for."""
    if x.shape[-2] > size:
        raise ShapeError(
            f"{where}: `x` must have at most {size} rows, the `batch_size`, got "
            f"{x.shape[-2]}."
        )


def floating(where: str, name: str, x: Any) -> None:
    """Raise unless `x` is an array, of either half, of float32 or float64."""
    if not hasattr(x, "dtype") or odd(x):
        raise TypeError(
            f"{where}: `{name}` must be an array, got {odd(x) or type(x).__name__}; "
            f"make one with cg.array({name})."
        )
    if dtype_name(x) not in FLOATS:
        raise TypeError(
            f"{where}: `{name}` must be float32 or float64, got {dtype_name(x)}; "
            f'convert it with cg.array({name}, dtype="float64").'
        )


def real(where: str, name: str, x: Any) -> None:
    """Raise unless `x` is an array of floats, half precision among them."""
    if not hasattr(x, "dtype") or dtype_name(x) not in HALF_FLOATS:
        floating(where, name, x)


def finite(where: str, name: str, x: Any) -> None:
    """Raise at the first nan or infinity."""
    if _device(x) == "meta":  # no number to read: that it is elsewhere is told later
        return
    values(where, name, x, abs(x) < math.inf, "every number must be finite")


class Arrays(ABC):
    """The checks of arrays; each half says what an array is and how to cast one."""

    kinds: tuple[type[Any], ...]

    @abstractmethod
    def cast(self, x: Any, dtype: str) -> Any:
        """Return `x` in another dtype."""

    @abstractmethod
    def is_finite(self, x: Any) -> bool:
        """Tell whether all numbers of `x` are finite."""

    def one(self, where: str, name: str, x: Any) -> None:
        """Raise unless `x` is an array of this half that holds something."""
        if kind := self.foreign(x):
            raise TypeError(
                f"{where}: `{name}` must be an array of this half, got {kind}; "
                f"make one with cg.array({name})."
            )
        if 0 in tuple(x.shape):
            raise ValueError(
                f"{where}: `{name}` is empty, shape {tuple(x.shape)}; "
                "it must hold at least one number."
            )

    def foreign(self, x: Any) -> str:
        """Name the type of what is no array of this half; "" if `x` is one."""
        return odd(x) if isinstance(x, self.kinds) else _type_name(type(x))

    def returned(self, where: str, out: Any) -> None:
        """Raise unless `out`, which `f` has returned, is an array or a number."""
        kind = self.foreign(out)
        if kind and not isinstance(out, int | float):
            raise TypeError(
                f"{where}: `f` must return an array of this half, got {kind}."
            )

    def real(self, where: str, name: str, x: Any, *, finite: bool = True) -> Any:
        """Return `x` if it is a float array; float16 and bfloat16 come back as float32.

        Half precision holds numbers up to 65504 only: a square overflows at 256.
        """
        if isinstance(x, self.kinds) and dtype_name(x) in HALF_FLOATS:
            x = self.cast(x, "float32")
        self.floating(where, name, x)
        if finite:
            self.finite(where, name, x)
        return x

    def floating(self, where: str, name: str, x: Any) -> None:
        """Raise unless `x` is a float32 or float64 array."""
        self.one(where, name, x)
        floating(where, name, x)

    def finite(self, where: str, name: str, x: Any) -> None:
        """Raise at the first nan or infinity."""
        if not self.is_finite(x):
            finite(where, name, x)

    def whole(self, where: str, name: str, x: Any) -> Any:
        """Return `x` as int64 if it is an array of integers."""
        self.one(where, name, x)
        if dtype_name(x) not in INTEGERS:
            raise TypeError(
                f"{where}: `{name}` must be class ids, an array of integers, got "
                f'{dtype_name(x)}; convert it with cg.array({name}, dtype="int64").'
            )
        return self.cast(x, "int64")

    def pair(
        self, where: str, *, integers: bool = False, **two: Any
    ) -> tuple[Any, Any]:
        """Return two real arrays of one shape, dtype and device.

        With `integers`, the second may hold integers, and is cast to the first's dtype.
        """
        (name, x), (other, y) = two.items()
        x = self.real(where, name, x, finite=False)
        if integers and isinstance(y, self.kinds) and dtype_name(y) in INTEGERS:
            self.one(where, other, y)
            y = self.cast(y, dtype_name(x))
        y = self.real(where, other, y, finite=False)
        self.alike(where, **{name: x, other: y})
        shapes(where, **{name: (x, "..."), other: (y, "...")})
        self.finite(where, name, x)
        self.finite(where, other, y)
        return x, y

    def signed(self, where: str, **two: Any) -> tuple[Any, Any]:
        """Return a real array and its `targets`, each -1 or +1, as a pair."""
        x, t = self.pair(where, integers=True, **two)
        wanted = (
            "every target must be -1 or +1 (2 * labels - 1 makes them from 0 and 1)"
        )
        values(where, "targets", t, abs(t) == 1, wanted)
        return x, t

    def along(self, where: str, **two: Any) -> None:
        """Raise unless two float arrays have one shape, dtype and device."""
        for name, x in two.items():
            self.floating(where, name, x)
        self.alike(where, **two)
        shapes(where, **{name: (x, "...") for name, x in two.items()})

    def same_device(self, where: str, **named: Any) -> None:
        """Raise unless all arrays live on one device."""
        (name, x), *others = named.items()
        for other, y in others:
            here, there = _device(x), _device(y)
            if here != there:
                raise DeviceError(
                    f"{where}: `{name}` is on {here} but `{other}` on {there}; "
                    f'move one with cg.array({other}, device="{here}").'
                )

    def alike(self, where: str, **named: Any) -> None:
        """Raise unless all arrays have one dtype and live on one device."""
        self.same_device(where, **named)
        (name, x), *others = named.items()
        for other, y in others:
            if dtype_name(x) != dtype_name(y):
                raise TypeError(
                    f"{where}: `{name}` is {dtype_name(x)} but `{other}` is "
                    f"{dtype_name(y)}; convert one with "
                    f'cg.array({other}, dtype="{dtype_name(x)}").'
                )

    def weights(self, where: str, w: Any) -> None:
        """Raise unless an optimizer may begin at `w`."""
        self.floating(where, "w", w)
        self.finite(where, "w", w)

    def step(self, where: str, w: Any, grad: Any, value: Any, kind: type[Any]) -> None:
        """Raise unless an optimizer may step: so before anything is changed."""
        self.floating(where, "w", w)
        state(where, value, kind)
        given = {"grad": grad}
        for name, x in value._asdict().items():
            if not isinstance(x, int | float):
                given[f"state.{name}"] = x
        for name, x in given.items():
            known = type(x) is type(w) and x.dtype == w.dtype and x.device == w.device
            known = known and not odd(x)
            fits = known and x.shape == w.shape
            one_each = known and x.shape == (*w.shape[:-1], 1) and name != "grad"
            if not fits and not one_each:  # words take time: only where they are needed
                self.floating(where, name, x)
                self.alike(where, **{"w": w, name: x})
                shapes(where, **{"w": (w, "..."), name: (x, "...")})
        self.finite(where, "grad", grad)

    def rates(self, where: str, lr: Any, w: Any) -> None:
        """Raise unless the array `lr` has one rate for each network of `w`."""
        self.one(where, "lr", lr)
        wanted = (*w.shape[:-1], 1)
        if tuple(lr.shape) != wanted:
            raise ShapeError(
                f"{where}: `lr` must be one rate for each network, shape {wanted} for "
                f"`w` of shape {tuple(w.shape)}, got {tuple(lr.shape)}."
            )
