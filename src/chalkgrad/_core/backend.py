"""What shared code does with an array without knowing whose it is."""

import sys
from numbers import Number
from typing import Any, Literal, TypeAlias

import numpy as np

from chalkgrad._core.arrays import is_text, make_array, type_name
from chalkgrad._core.types import AnyArray, ArrayT

__all__ = [
    "backend_of",
    "clone",
    "convert_frame",
    "detach",
    "from_numpy",
    "is_gap",
    "is_tensor",
    "new_empty",
    "to_dtype",
    "to_numpy",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def is_tensor(a: Any) -> bool:
    """Whether `a` is one of PyTorch's; all else is NumPy's, or becomes so."""
    return hasattr(a, "detach")


def backend_of(a: Any) -> Literal["numpy", "torch"]:
    """Name the library that computes with `a`."""
    return "torch" if is_tensor(a) else "numpy"


def to_numpy(a: Any) -> Array:
    """Return an array of either backend as NumPy's, without its history."""
    return a.detach().cpu().numpy() if is_tensor(a) else np.asarray(a)


def from_numpy(a: Array, like: ArrayT) -> ArrayT:
    """Return an array of NumPy's in the backend, and on the device, of `like`."""
    if is_tensor(like):
        torch: Any = sys.modules["torch"]
        moved: ArrayT = torch.from_numpy(a).to(like.device)  # type: ignore[attr-defined]
        return moved
    return a  # type: ignore[return-value]


def detach(a: Any) -> Any:
    """Return it without its history, which no gradient is asked through."""
    return a.detach() if is_tensor(a) else a


def clone(a: Any) -> Any:
    """Return a copy in its own backend, without its history."""
    return a.detach().clone() if is_tensor(a) else a.copy()


def new_empty(size: int, like: Any) -> Any:
    """Return room for so many numbers, in the backend, dtype and device of `like`."""
    return like.new_empty(size) if is_tensor(like) else np.empty(size, like.dtype)


def to_dtype(a: Any, dtype: str) -> Any:
    """Return an array in another dtype."""
    if is_tensor(a):
        return a.to(getattr(sys.modules["torch"], dtype))
    return a.astype(dtype, copy=False)


def _numbers(where: str, name: str, made: Array) -> Array:
    """Return objects that are all numbers, of columns of many types, as numbers."""
    cells = made.ravel().tolist()
    gaps = [is_gap(cell) for cell in cells]
    if not all(
        isinstance(c, Number) for c, gap in zip(cells, gaps, strict=True) if not gap
    ):
        return made
    if any(gaps):
        row = gaps.index(True) // (made.size // len(made))
        raise ValueError(
            f"{where}: `{name}` has no number, but {cells[gaps.index(True)]}, in row "
            f"{row}; leave such rows out, or fill them in."
        )
    plain = [cell if isinstance(cell, int) else float(cell) for cell in cells]
    return np.array(plain).reshape(made.shape)


def is_gap(cell: Any) -> bool:
    """Whether a cell of a frame or a list says that there is nothing."""
    # pandas has a type of its own for it, which is equal to nothing and not to itself.
    return cell is None or type(cell).__name__ == "NAType"


def convert_frame(where: str, name: str, x: Any, like: Any = None) -> AnyArray:
    """Return a frame or series, of pandas, polars or another, as NumPy's array.

    Rows are taken by place, not by index. With `like`, it is an array of that backend,
    and rows that are still in a file will come to its device. All else stays as it is.
    """
    if hasattr(x, "follow") and is_tensor(like):
        rows: AnyArray = x.follow(like)
        return rows
    if not hasattr(x, "to_numpy"):
        array: AnyArray = x
        return array
    try:
        made: Any = np.array(x.to_numpy(), order="C")
    except Exception as error:  # that of the library, for types that NumPy lacks
        raise TypeError(
            f"{where}: `{name}` must hold numbers, got {type_name(type(x))}: {error}."
        ) from None
    if made.dtype.kind == "O":
        made = _numbers(where, name, made)
    if made.dtype.kind not in "biuf":
        words = is_text(made)
        advice = make_array(name, made) if words else "leave columns of words out"
        raise TypeError(
            f"{where}: `{name}` must hold numbers, got {type_name(type(x))} of "
            f"{made.dtype}; {advice}."
        )
    out: AnyArray = made if like is None else from_numpy(made, like)
    return out
