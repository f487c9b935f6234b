"""What an option may be that is no number: a flag, a function, a list, a model."""

import math
from collections.abc import Collection
from os import PathLike
from typing import Any

from chalkgrad._core.arrays import values
from chalkgrad._core.numbers import integer, number
from chalkgrad._core.types import Optimizer

__all__ = [
    "boolean",
    "by_position",
    "choice",
    "function",
    "model",
    "network",
    "nonempty",
    "optimizer",
    "pair",
    "path",
    "rate",
    "sequence",
    "sizes",
]


def boolean(where: str, name: str, value: Any) -> bool:
    """Return `value` as a bool if it is one, Python's or NumPy's."""
    if type(value).__name__ not in ("bool", "bool_"):
        raise TypeError(
            f"{where}: `{name}` must be True or False, got {value!r} "
            f"({type(value).__name__})."
        )
    return bool(value)


def choice(where: str, name: str, value: Any, options: Collection[str]) -> str:
    """Return `value` if it is one of `options`."""
    if isinstance(value, str) and value in options:
        return value
    known = ", ".join(repr(option) for option in options)
    raise ValueError(f"{where}: `{name}` must be one of {known}, got {value!r}.")


def function(where: str, name: str, f: Any) -> None:
    """Raise unless `f` may be called."""
    if not callable(f):
        raise TypeError(
            f"{where}: `{name}` must be a function, got {type(f).__name__}."
        )


def sequence(where: str, name: str, value: Any) -> list[Any]:
    """Return the entries of `value` if they stand in a row."""
    try:
        return [value[i] for i in range(len(value))]
    except (TypeError, KeyError):
        raise TypeError(
            f"{where}: `{name}` must be a list, got {value!r} ({type(value).__name__})."
        ) from None


def pair(where: str, name: str, value: Any) -> tuple[Any, Any]:
    """Return `value` if it is a pair."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(
            f"{where}: `{name}` must be a pair, got {value!r} ({type(value).__name__})."
        )
    return value[0], value[1]


def nonempty(where: str, name: str, values: Collection[Any]) -> None:
    """Raise unless there is one of `values` at least."""
    if not values:
        raise TypeError(f"{where}: `{name}` must be one array or more, got none.")


def path(where: str, name: str, value: Any) -> None:
    """Raise unless `value` names a file or a folder."""
    if not isinstance(value, str | PathLike):
        raise TypeError(
            f"{where}: `{name}` must be a path, got {value!r} ({type(value).__name__})."
        )


def by_position(where: str, values: Collection[Any]) -> None:
    """Raise unless a function that was made got the array it differentiates by."""
    if not values:
        raise TypeError(
            f"{where}: the first argument, an array, must be handed over by position: "
            "it is what the function is differentiated by."
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


def optimizer(where: str, value: Any) -> None:
    """Raise unless `value` is an optimizer, and not the function that makes one."""
    if not isinstance(value, Optimizer):
        given = getattr(value, "__name__", type(value).__name__)
        raise TypeError(
            f"{where}: `optimizer` must be an optimizer, got {given}; make one with "
            "cg.optimizers.sgd(lr=0.1)."
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
    """Raise unless `net` is a network of this backend."""
    if not isinstance(net, kind):
        raise TypeError(
            f"{where}: `net` must be a network of this backend, made by cg.network, "
            f"got {type(net).__module__}.{type(net).__name__}."
        )


def model(where: str, net: Any) -> None:
    """Raise unless `net` can compute: a network of either backend, or another model."""
    if not (hasattr(net, "forward") and hasattr(net, "loss_and_grad")):
        raise TypeError(
            f"{where}: `net` must be a network, made by cg.network, got "
            f"{type(net).__name__}."
        )
