"""Arrays of the PyTorch backend: the only place that chooses dtype and device."""

import dataclasses
import math
from typing import Any, TypeAlias

import numpy as np
import torch

from chalkgrad._core import _numpy as reference
from chalkgrad._core import check
from chalkgrad._core.types import Numbers

__all__ = [
    "Array",
    "array",
    "arrays",
    "asnumpy",
    "is_traced",
    "recording",
    "to_tensors",
]

Array: TypeAlias = torch.Tensor


# By their ids: the arrays that some derivative is being taken with respect to, in any
# thread, while its function runs. That a result depends on one is read off its graph,
# so it holds in whatever thread, callback or generator the result was made.
recording: dict[int, Array] = {}


def is_traced(*xs: Array) -> bool:
    """Tell whether one of `xs` was made from an array that is being differentiated."""
    if not recording:
        return False
    if any(id(x) in recording for x in xs):
        return True
    waiting = [x.grad_fn for x in xs if x.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        node: Any = waiting.pop()
        if id(getattr(node, "variable", None)) in recording:  # of a leaf
            return True
        for parent, _ in node.next_functions:
            if parent is not None and parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return False


PLAIN = (torch.float32, torch.float64)


class _Arrays(check.Arrays):
    kinds = (torch.Tensor,)

    def cast(self, x: Any, dtype: str) -> Any:
        return x.to(getattr(torch, dtype))

    def constant(self, where: str, x: Any) -> None:
        """Raise if the numbers of `x` are about to leave what is being recorded."""
        if isinstance(x, Array) and x.requires_grad and is_traced(x):
            raise TypeError(
                f"autodiff: {where}(x) would lose the gradient of a traced array. Keep "
                "it as it is; x.to(dtype) changes its dtype, and x.detach() makes a "
                "constant of it."
            )

    def native(self, x: Any) -> Any:
        return x

    def like(self, x: Any, w: Any) -> Any:
        return x.to(w)

    def zeros_like(self, x: Any) -> Any:
        return torch.zeros_like(x)

    def copy(self, x: Any) -> Any:
        return x.clone()

    def detach(self, x: Any) -> Any:
        return x.detach()

    def pick(self, x: Any, labels: Any) -> Any:
        return x.gather(-1, labels[..., None])[..., 0]

    def in_units(self, x: Any) -> tuple[Any, Any]:
        unit = abs(x).amax(-1, keepdim=True)
        unit = torch.where(unit > 0, unit, 1)
        return x / unit, unit

    def norm(self, x: Any) -> Any:
        x, unit = self.in_units(x)
        return unit * torch.linalg.vector_norm(x, dim=-1, keepdim=True)

    def is_finite(self, x: Any) -> bool:
        if x.is_meta or _is_captured(x):  # nothing to read; another check will tell
            return True
        x = x.detach()
        if x.ndim == 0:
            return math.isfinite(x)
        # The sum of squares is one pass; it may overflow where no number did.
        return math.isfinite(self.sum_of_squares(x)) or bool(torch.isfinite(x).all())

    def is_plain_pair(self, x: Any, y: Any) -> bool:
        return (
            type(x) is type(y) is Array
            and x.dtype == y.dtype
            and x.dtype in PLAIN
            and x.shape == y.shape
            and x.device == y.device
            and x.layout == y.layout == torch.strided
            and x.numel() > 0
        )

    def sum_of_squares(self, x: Any) -> float:
        if x.is_meta or _is_captured(x):
            return 0.0
        flat = x.detach().reshape(-1)
        return float(flat.dot(flat))

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
        # A compiled step must not look at its numbers: it would be cut in pieces.
        if not torch.compiler.is_compiling():
            super().validate_step(where, w, grad, value, kind, squares, lengths)


def _is_captured(x: Array) -> bool:
    """Whether a GPU only records what is done, and no number can be read."""
    return x.is_cuda and torch.cuda.is_current_stream_capturing()


arrays = _Arrays()


def array(x: Numbers, *, dtype: str | None = None, device: str | None = None) -> Array:
    """Make a tensor; twin of `chalkgrad.numpy.array`.

    `device` may be any of PyTorch's; by default a tensor stays on its own, and all else
    goes to PyTorch's default device.
    """
    arrays.constant("array", x)
    # NumPy reads every number, then it moves.
    made = torch.from_numpy(reference.array(x, dtype=dtype))
    try:
        return made.to(_place(x, device))
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, AssertionError, TypeError) as error:
        why = str(error).splitlines()[0]
        named = f"`device` {device!r}"
        if device is None:
            named = f"the default device '{torch.get_default_device()}'"
        if "float64" in why:  # Apple's, and some of Intel's
            raise check.DeviceError(
                f'array: {named} has no float64; say dtype="float32", or make it '
                'on the CPU and move it with cg.array(x, dtype="float32", device=…).'
            ) from None
        raise check.DeviceError(f"array: {named} is not there: {why}") from None


def _place(x: Any, device: str | None) -> torch.device:
    if device is not None:
        return torch.device(device)
    return x.device if isinstance(x, Array) else torch.get_default_device()


def asnumpy(x: Array) -> np.ndarray[Any, np.dtype[Any]]:
    """Copy a tensor into NumPy; twin of `chalkgrad.numpy.asnumpy`."""
    if arrays.type_name_if_foreign(x):
        arrays.own_nonempty("asnumpy", "x", x)
    arrays.constant("asnumpy", x)
    return reference.in_memory(x).copy()


def to_tensors(out: Any) -> Any:
    """Return what a function of the reference made, with tensors for its arrays.

    A tuple, named or not, and a table that was read stay what they are.
    """
    if isinstance(out, tuple):
        make = getattr(out, "_make", tuple)
        return make(map(_to_tensor, out))
    if hasattr(out, "reading"):
        x, labels = map(_to_tensor, out)
        return dataclasses.replace(out, x=x, labels=labels)
    return out


def _to_tensor(x: Any) -> Any:
    """Return a tensor; PyTorch has none of words, and rows in a file stay there."""
    if hasattr(x, "to_array"):
        return dataclasses.replace(x, to_array=array)
    is_words = isinstance(x, np.ndarray) and x.dtype.kind == "U"
    return array(x) if isinstance(x, np.ndarray) and not is_words else x
