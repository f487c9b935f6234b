"""What an array must be: its type and dtype, its shape, its numbers, its place."""

import functools
import inspect
import math
import sys
from abc import ABC, abstractmethod
from typing import Any

from chalkgrad._core.errors import DeviceError, LargeGradientError, ShapeError
from chalkgrad._core.numbers import (
    FLOATS,
    HALF_FLOATS,
    INTEGERS,
    dtype_name,
    representable,
)

__all__ = [
    "LARGEST",
    "Arrays",
    "any_precision",
    "batch",
    "class_ids",
    "complex_error",
    "finite",
    "first",
    "full_precision",
    "is_text",
    "make_array",
    "one_network",
    "shapes",
    "some_axis",
    "state",
    "type_name",
    "unsupported_kind",
    "values",
    "weights_match_inputs",
]


def one_network(where: str, w: Any) -> None:
    """Raise unless `w` is the weights of one network."""
    full_precision(where, "w", w)
    if w.ndim != 1:
        raise ShapeError(
            f"{where}: `w` must be the weights of one network, got {tuple(w.shape)}; "
            "take one with w[i]."
        )


def some_axis(where: str, w: Any) -> None:
    """Raise if `w` is one number, and no vector of them."""
    if not tuple(w.shape):
        raise ShapeError(
            f"{where}: `w` must have an axis, the weights of a network, got one "
            "number; make it a vector with w.reshape(1)."
        )


def is_text(x: Any) -> bool:
    """Whether an array, a list or a frame holds words instead of numbers."""
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    if hasattr(x, "dtype"):
        kind = getattr(x.dtype, "kind", "")
        return kind in ("U", "T") or (
            kind == "O" and any(isinstance(one, str) for one in x.reshape(-1))
        )
    return isinstance(x, list | tuple) and any(isinstance(one, str) for one in x)


def _is_numeric(words: Any) -> bool:
    """Whether all words are numbers."""
    cells = words.reshape(-1).tolist() if hasattr(words, "reshape") else words
    try:
        return all(math.isfinite(float(cell)) for cell in cells)
    except (TypeError, ValueError):
        return False


def make_array(name: str, x: Any) -> str:
    """Say how an array comes of what is none."""
    if is_text(x) and _is_numeric(x):
        return f"cg.array(np.asarray({name}, float)) reads numbers that are written out"
    if is_text(x) and len(getattr(x, "shape", (0,))) == 1:
        return f"number the classes by {name}, classes = cg.data.encode_labels({name})"
    if is_text(x):
        return "leave columns of words out"
    if hasattr(x, "collect"):  # polars' LazyFrame
        return f"read it by {name}.collect()"
    return f"make one with cg.array({name})"


def class_ids(where: str, labels: Any, shape: tuple[int, ...]) -> None:
    """Raise unless `labels`, which should have a shape, may be class ids."""
    given = tuple(labels.shape)
    if given[:-1] == shape and given[-1] > 1:
        axis = 1 if len(given) == 2 else -1
        raise ShapeError(
            f"{where}: `labels` must be class ids, shape {shape}, got shape {given}; "
            f"if it is one-hot, or probabilities, labels.argmax({axis}) gives the ids, "
            "of a frame after labels = labels.to_numpy()."
        )
    if (name := dtype_name(labels)) not in INTEGERS:
        whole = name in (*FLOATS, *HALF_FLOATS) and not bool((labels % 1 != 0).any())
        advice = "name the classes by whole numbers from 0"
        if is_text(labels):
            advice = make_array("labels", labels)
        elif name not in INTEGERS and bool((labels != labels).any()):
            row = first(labels != labels)[0]
            advice = f"there is none in row {row}; leave such rows out"
        elif whole or name == "bool":
            advice = 'convert it with cg.array(labels, dtype="int64")'
        raise TypeError(
            f"{where}: `labels` must be class ids, an array of integers, got {name}; "
            f"{advice}."
        )


def complex_error() -> TypeError:
    """Return the error of a derivative that would be complex."""
    return TypeError(
        "autodiff: complex numbers have no rules; compute with the real and the "
        "imaginary part as two arrays."
    )


def type_name(kind: type[Any]) -> str:
    """Name a type and where it is from."""
    return f"{kind.__module__}.{kind.__name__}".removeprefix("builtins.")


def unsupported_kind(x: Any) -> str:
    """Name what is an array that computes in its own way; "" if it is none.

    To a matrix * is a product of matrices, what is masked drops out of sums, and of a
    sparse tensor most operations are missing.
    """
    kind: Any = type(x)
    return _odd(kind, getattr(x, "layout", None))


@functools.cache
def _odd(kind: type[Any], layout: Any) -> str:
    if any(base.__name__ in ("matrix", "MaskedArray") for base in kind.__mro__):
        return type_name(kind)
    return "" if str(layout) in ("None", "torch.strided") else str(layout)


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

    def describe() -> str:
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
            raise ShapeError(f"{where}: `{name}` must have {count} ({describe()}).")
        if open_ended:
            leading = leading or (name, extra)
            if leading[1] != extra:
                raise ShapeError(
                    f"{where}: `{leading[0]}` and `{name}` have different numbers of "
                    f"axes ({describe()}). Nothing is broadcast: add an axis with "
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
                    f"`{name}` ({describe()}). Nothing is broadcast."
                )


@functools.cache
def _axes(spec: str) -> tuple[bool, tuple[str | int, ...]]:
    """Whether any leading axes may come first, and the names of the others."""
    first, *others = spec.split()
    return (True, (*others,)) if first == "..." else (False, (first, *others))


def weights_match_inputs(where: str, w: Any, x: Any, size: int, inputs: int) -> None:
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


def full_precision(where: str, name: str, x: Any) -> None:
    """Raise unless `x` is an array, of either backend, of float32 or float64."""
    if not hasattr(x, "dtype") or unsupported_kind(x):
        raise TypeError(
            f"{where}: `{name}` must be an array, got "
            f"{unsupported_kind(x) or type(x).__name__}; "
            f"make one with cg.array({name})."
        )
    if dtype_name(x) not in FLOATS:
        raise TypeError(
            f"{where}: `{name}` must be float32 or float64, got {dtype_name(x)}; "
            f'convert it with cg.array({name}, dtype="float64").'
        )


def any_precision(where: str, name: str, x: Any) -> None:
    """Raise unless `x` is an array of floats, half precision among them."""
    if not hasattr(x, "dtype") or dtype_name(x) not in HALF_FLOATS:
        full_precision(where, name, x)


def finite(where: str, name: str, x: Any) -> None:
    """Raise at the first nan or infinity."""
    if _device(x) == "meta":  # no number to read: that it is elsewhere is told later
        return
    values(where, name, x, abs(x) < math.inf, "every number must be finite")


def state(where: str, value: Any, kind: type[Any]) -> Any:
    """Return `value` if it is a state of the optimizer whose states are of a kind."""
    if type(value) is not kind:
        raise TypeError(
            f"{where}: `state` must be that of the optimizer, a {kind.__name__}, got "
            f"{type(value).__name__}."
        )
    return value


# The largest number of each dtype that a step takes.
LARGEST = {"float32": 2.0**128 - 2.0**104, "float64": sys.float_info.max}


@functools.cache
def _array_fields(kind: Any) -> list[str]:
    """Name the parts of a state that are no plain numbers."""
    hints = inspect.get_annotations(kind)
    return [name for name, hint in hints.items() if hint not in (int, float)]


class Arrays(ABC):
    """The checks of arrays; each backend says what an array is and how to cast one."""

    kinds: tuple[type[Any], ...]

    @abstractmethod
    def cast(self, x: Any, dtype: str) -> Any:
        """Return `x` in another dtype."""

    @abstractmethod
    def native(self, x: Any) -> Any:
        """Return `x` in the byte order of this machine."""

    @abstractmethod
    def like(self, x: Any, w: Any) -> Any:
        """Return `x` in the dtype and on the device of `w`."""

    @abstractmethod
    def zeros_like(self, x: Any) -> Any:
        """Return an array of the shape of `x` that holds 0."""

    @abstractmethod
    def copy(self, x: Any) -> Any:
        """Return a copy of `x`."""

    @abstractmethod
    def detach(self, x: Any) -> Any:
        """Return `x` as a constant, through which no derivative passes."""

    @abstractmethod
    def pick(self, x: Any, labels: Any) -> Any:
        """Return of each row of `x` the entry that its label names."""

    @abstractmethod
    def in_units(self, x: Any) -> tuple[Any, Any]:
        """Return a vector in units of its largest entry, and that unit.

        The square of a large number is infinite, and that of a small one is 0.
        """

    @abstractmethod
    def norm(self, x: Any) -> Any:
        """Return the length of the last axis, which stays."""

    @abstractmethod
    def is_finite(self, x: Any) -> bool:
        """Tell whether all numbers of `x` are finite."""

    @abstractmethod
    def is_plain_pair(self, x: Any, y: Any) -> bool:
        """Tell at once of two float arrays that have all in common and hold numbers.

        False says nothing: what is refused, and why, is found out one by one.
        """

    @abstractmethod
    def sum_of_squares(self, x: Any) -> float:
        """Return the sum of all squares, which may be infinite or nan."""

    def own_nonempty(self, where: str, name: str, x: Any) -> None:
        """Raise unless `x` is an array of this backend that holds something."""
        if kind := self.type_name_if_foreign(x):
            raise TypeError(
                f"{where}: `{name}` must be an array of this backend, got {kind}; "
                f"{make_array(name, x)}."
            )
        if 0 in tuple(x.shape):
            raise ValueError(
                f"{where}: `{name}` is empty, shape {tuple(x.shape)}; "
                "it must hold at least one number."
            )

    def type_name_if_foreign(self, x: Any) -> str:
        """Name the type of what is no array of this backend; "" if `x` is one."""
        return unsupported_kind(x) if isinstance(x, self.kinds) else type_name(type(x))

    def result(self, where: str, out: Any) -> None:
        """Raise unless `out`, which `f` has returned, is an array or a number."""
        kind = self.type_name_if_foreign(out)
        if kind and not isinstance(out, int | float):
            raise TypeError(
                f"{where}: `f` must return an array of this backend, got {kind}."
            )
        if "complex" in str(getattr(out, "dtype", "")):
            raise complex_error()

    def float_array(self, where: str, name: str, x: Any, *, finite: bool = True) -> Any:
        """Return `x` if it is a float array; float16 and bfloat16 come back as float32.

        Half precision holds numbers up to 65504 only: a square overflows at 256.
        """
        if isinstance(x, self.kinds) and dtype_name(x) in HALF_FLOATS:
            x = self.cast(x, "float32")
        self.full_precision(where, name, x)
        if finite:
            self.finite(where, name, x)
        return x

    def full_precision(self, where: str, name: str, x: Any) -> None:
        """Raise unless `x` is a float32 or float64 array."""
        self.own_nonempty(where, name, x)
        full_precision(where, name, x)

    def finite(self, where: str, name: str, x: Any) -> None:
        """Raise at the first nan or infinity."""
        if not self.is_finite(x):
            finite(where, name, x)

    def class_ids(self, where: str, logits: Any, labels: Any) -> Any:
        """Return `labels` as int64 if they may be class ids, one a row of `logits`."""
        self.own_nonempty(where, "labels", labels)
        class_ids(where, labels, tuple(logits.shape)[:-1])
        ids = self.cast(labels, "int64")
        unsigned = dtype_name(labels) == "uint64" and _device(labels) != "meta"
        if unsigned and (ids < 0).any():
            i = first(ids < 0)
            raise ValueError(
                f"{where}: `labels` has {int(ids[i]) % 2**64} at index {i}; it must "
                "hold whole numbers that int64 can hold."
            )
        return ids

    def float_arrays(self, where: str, **given: Any) -> tuple[Any, ...]:
        """Return float arrays of one dtype and device, finite or not."""
        cast = {
            name: self.float_array(where, name, x, finite=False)
            for name, x in given.items()
        }
        (name, x), *others = cast.items()
        for other, y in others:
            # Half precision comes back as float32: it is called what it was.
            halves = given[name] is not x or given[other] is not y
            if halves and dtype_name(x) != dtype_name(y):
                raise TypeError(
                    f"{where}: `{name}` is {dtype_name(given[name])} but `{other}` is "
                    f"{dtype_name(given[other])}; convert one with "
                    f'cg.array({other}, dtype="{dtype_name(x)}").'
                )
        self.same_dtype_and_device(where, **cast)
        return tuple(cast.values())

    def matched_pair(
        self, where: str, *, integers: bool = False, **two: Any
    ) -> tuple[Any, Any]:
        """Return two float arrays of one shape, dtype and device.

        With `integers`, the second may hold integers, and is cast to the first's dtype.
        """
        (name, x), (other, y) = two.items()
        if self.is_plain_pair(x, y):
            self.finite(where, name, x)
            self.finite(where, other, y)
            return x, y
        if integers and isinstance(y, self.kinds) and dtype_name(y) in INTEGERS:
            x = self.float_array(where, name, x, finite=False)
            self.own_nonempty(where, other, y)
            y = self.cast(y, dtype_name(x))
        x, y = self.float_arrays(where, **{name: x, other: y})
        shapes(where, **{name: (x, "..."), other: (y, "...")})
        self.finite(where, name, x)
        self.finite(where, other, y)
        return x, y

    def sign_targets(self, where: str, **two: Any) -> tuple[Any, Any]:
        """Return a float array and its `targets`, each -1 or +1, as a pair."""
        x, t = self.matched_pair(where, integers=True, **two)
        wanted = (
            "every target must be -1 or +1 (2 * labels - 1 makes them from 0 and 1)"
        )
        values(where, "targets", t, abs(t) == 1, wanted)
        return x, t

    def same_shape(self, where: str, **two: Any) -> None:
        """Raise unless two float arrays have one shape, dtype and device."""
        for name, x in two.items():
            self.full_precision(where, name, x)
        self.same_dtype_and_device(where, **two)
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

    def same_dtype_and_device(self, where: str, **named: Any) -> None:
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

    def validate_weights(
        self, where: str, w: Any, *, axis: bool = False, **options: Any
    ) -> None:
        """Raise unless an optimizer with such options may begin at `w`.

        One that needs an `axis` measures lengths, or other sums over a network.
        """
        self.full_precision(where, "w", w)
        self.finite(where, "w", w)
        if axis:
            some_axis(where, w)
        representable(where, dtype_name(w), **options)

    def validate_step(
        self,
        where: str,
        w: Any,
        grad: Any,
        value: Any,
        kind: type[Any],
        squares: bool = False,
        lengths: bool = False,
    ) -> None:
        """Raise unless an optimizer may step: so before anything is changed.

        One that `squares` its gradients takes none whose squares leave the dtype, one
        that uses their `lengths` none whose length does.
        """
        self.full_precision(where, "w", w)
        state(where, value, kind)
        given = {"grad": grad}
        for name in _array_fields(value.__class__):
            given[f"state.{name}"] = getattr(value, name)
        for name, x in given.items():
            known = type(x) is type(w) and x.device == w.device
            known = known and (x.dtype == w.dtype or dtype_name(x) == dtype_name(w))
            known = known and not unsupported_kind(x)
            fits = known and x.shape == w.shape
            one_each = known and x.shape == (*w.shape[:-1], 1) and name != "grad"
            if not fits and not one_each:  # words take time: only where they are needed
                self.full_precision(where, name, x)
                self.same_dtype_and_device(where, **{"w": w, name: x})
                shapes(where, **{"w": (w, "..."), name: (x, "...")})
        if not self._is_ordinary(grad):
            self.finite(where, "grad", grad)
            if squares:
                self._squares(where, grad, value)
            elif lengths:
                self._length(where, grad)

    def finite_squares(self, where: str, grad: Any, value: Any) -> None:
        """Raise unless a rule may square a finite gradient and add it to its state."""
        if not self._is_ordinary(grad):
            self._squares(where, grad, value)

    def _is_ordinary(self, grad: Any) -> bool:
        """Whether squares may be added up for 10^8 steps; one pass tells of most."""
        largest = LARGEST.get(dtype_name(grad), math.inf)
        return self.sum_of_squares(grad) <= 1e-8 * largest

    def _squares(self, where: str, grad: Any, value: Any) -> None:
        dtype = dtype_name(grad)
        largest = LARGEST[dtype]
        other = " or compute in float64," if dtype == "float32" else ""
        why = (
            f"{dtype} holds squares up to {largest:.2g}, so no step was taken; shorten "
            f"it with cg.optimizers.clip(optimizer, norm=1.0),{other} or look for "
            "what made it so large"
        )
        limit = largest**0.5 / 2  # the difference of two may be squared, too
        values(where, "grad", grad, abs(grad) <= limit, why, LargeGradientError)
        v = getattr(value, "v", grad)
        values(where, "state.v", v, v <= largest / 2, why, LargeGradientError)

    def _length(self, where: str, grad: Any) -> None:
        dtype = dtype_name(grad)
        largest = LARGEST[dtype]
        why = (
            f"{dtype} holds lengths up to {largest:.2g}, so no step was taken; look "
            "for what made the gradient so long"
        )
        is_short = ((grad / largest) ** 2).sum(-1)[..., None] <= 1
        fits = is_short | (abs(grad) < largest / grad.shape[-1])
        values(where, "grad", grad, fits, why, LargeGradientError)

    def validate_lr_array(self, where: str, lr: Any, w: Any) -> None:
        """Raise unless the array `lr` has one rate for each network of `w`."""
        self.own_nonempty(where, "lr", lr)
        wanted = (*w.shape[:-1], 1)
        if tuple(lr.shape) != wanted:
            raise ShapeError(
                f"{where}: `lr` must be one rate for each network, shape {wanted} for "
                f"`w` of shape {tuple(w.shape)}, got {tuple(lr.shape)}."
            )
        if lr.dtype != w.dtype:
            representable(where, dtype_name(w), lr=float(lr.max()))
