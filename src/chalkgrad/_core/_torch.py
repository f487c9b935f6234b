"""Arrays of the PyTorch half: the only place that chooses dtype and device."""

import dataclasses
import functools
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import torch

from chalkgrad._core import _numpy as reference
from chalkgrad._core import check

__all__ = ["array", "asnumpy"]

Array: TypeAlias = torch.Tensor


class _Arrays(check.Arrays):
    kinds = (torch.Tensor,)

    def cast(self, x: Any, dtype: str) -> Any:
        return x.to(getattr(torch, dtype))

    def is_finite(self, x: Any) -> bool:
        if x.is_meta:  # nothing to read: that it is elsewhere, another check tells
            return True
        flat = x.detach().reshape(-1)
        # The sum of squares is one pass; it may overflow where no number did.
        return math.isfinite(flat.dot(flat)) or bool(torch.isfinite(x).all())

    def step(self, where: str, w: Any, grad: Any, value: Any, kind: type[Any]) -> None:
        # A compiled step must not look at its numbers: it would be cut in pieces.
        if not torch.compiler.is_compiling():
            super().step(where, w, grad, value, kind)


arrays = _Arrays()


def array(x: Any, *, dtype: str | None = None, device: str | None = None) -> Array:
    """Make a tensor; twin of `chalkgrad.numpy.array`.

    `device` may be any of PyTorch's; by default its default device.
    """
    # NumPy reads every number, then it moves.
    made = torch.from_numpy(reference.array(x, dtype=dtype))
    try:
        place = torch.device(torch.get_default_device() if device is None else device)
        return made.to(place)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise check.DeviceError(
            f"array: `device` {device!r} is not there: {str(error).splitlines()[0]}"
        ) from None


def asnumpy(x: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """Copy a tensor into NumPy; twin of `chalkgrad.numpy.asnumpy`."""
    if arrays.foreign(x):
        arrays.one("asnumpy", "x", x)
    return reference.in_memory(x).copy()


def moved(shared: ModuleType) -> ModuleType:
    """Copy a module whose functions draw with NumPy; these give tensors instead."""

    def made(x: Any) -> Any:
        if hasattr(x, "make"):  # rows that are still in a file
            return dataclasses.replace(x, make=array)
        return array(x) if isinstance(x, np.ndarray) else x

    def move(f: Callable[..., Any]) -> Callable[..., Any]:
        if isinstance(f, type):
            return f

        @functools.wraps(f)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            out = f(*args, **kwargs)
            if isinstance(out, tuple):
                make = getattr(out, "_make", tuple)  # a NamedTuple stays one
                return make(map(made, out))
            return out

        return wrapped

    module = ModuleType(shared.__name__, shared.__doc__)
    module.__all__ = shared.__all__  # type: ignore[attr-defined]
    for name in shared.__all__:
        setattr(module, name, move(getattr(shared, name)))
    return module
