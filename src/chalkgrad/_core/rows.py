"""Rows of examples: whole arrays, or rows that stay in a file until they are read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from chalkgrad._core.arrays import make_array, unsupported_kind
from chalkgrad._core.errors import ShapeError

__all__ = ["LazyRows", "count_rows", "iter_chunks", "iter_minibatches", "take_rows"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

ROOM = 2**22  # how many numbers of a file are read at once


def _kind(x: Any) -> str:
    number = "a single number" if hasattr(x, "shape") else type(x).__name__
    return unsupported_kind(x) or number


def count_rows(where: str, **arrays: Any) -> int:
    """Return the number of rows that all `arrays` have."""
    (first, x), *others = arrays.items()
    for name, array in arrays.items():
        if not getattr(array, "shape", ()) or unsupported_kind(array):
            raise TypeError(
                f"{where}: `{name}` must be an array with a row for each example, got "
                f"{_kind(array)}; {make_array(name, array)}."
            )
    for other, y in others:
        if x.shape[0] != y.shape[0]:
            raise ShapeError(
                f"{where}: `{first}` has {x.shape[0]} rows but `{other}` has "
                f"{y.shape[0]} (`{first}` is {tuple(x.shape)}, `{other}` is "
                f"{tuple(y.shape)}); give one row for each example."
            )
    return int(x.shape[0])


@dataclass(frozen=True, eq=False)
class LazyRows:
    """Rows that stay where they are, in a file mostly, until somebody asks for some.

    ``x[i]``, with a slice or an array of row numbers, reads those rows, scales them and
    gives an array of the backend. `split`, `batches` and ``cg.training`` take it for an
    array and never ask for all of it at once; for anything else, ``x[:]`` is all of it.
    """

    storage: Array
    """The numbers as they are stored, shape (n, d)."""
    dtype: np.dtype[Any]
    """What the rows are given in, float32 or float64."""
    shift: float | Array = 0.0
    """What is subtracted from a row, a number or shape (d,), and then"""
    scale: float | Array = 1.0
    """what it is divided by."""
    index: Array | None = None
    """Which rows of the storage, if not all."""
    to_array: Callable[[Array], Any] = np.asarray
    """How an array of the backend is made."""

    @property
    def shape(self) -> tuple[int, int]:
        """The shape that all rows together have."""
        return len(self), self.storage.shape[1]

    def __len__(self) -> int:
        return len(self.storage if self.index is None else self.index)

    def __getitem__(self, index: Any) -> Any:
        return self.to_array(self._read(index))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self._read(slice(None)).astype(dtype or self.dtype, copy=False)

    def _read(self, index: Any) -> Array:
        rows = self.storage[index if self.index is None else self.index[index]]
        # In float64 if the file is, for a shift may take most digits away.
        exact = np.result_type(rows.dtype, self.dtype)
        scaled = np.subtract(rows, self.shift, dtype=exact)
        scaled /= self.scale
        return np.asarray(scaled, self.dtype)

    def follow(self, w: Any) -> "LazyRows":
        """Return the rows, which come to where the tensor `w` is when they are read."""

        def to_array(a: Array) -> Any:
            made = self.to_array(a)
            return made.to(w.device) if hasattr(made, "detach") else made

        return replace(self, to_array=to_array)

    def rescale(self, shift: float | Array, scale: float | Array) -> "LazyRows":
        """Return the rows, scaled once more when they are read."""
        return replace(
            self, shift=self.shift + self.scale * shift, scale=self.scale * scale
        )

    def take(self, rows: Array) -> "LazyRows":
        """Return some of the rows, which also stay where they are."""
        index = rows if self.index is None else self.index[rows]
        return replace(self, index=index)


def take_rows(x: Any, some: Array) -> Any:
    """Return the rows that `some` lists; of a file, without reading them yet."""
    return x.take(some) if isinstance(x, LazyRows) else x[some]


def iter_minibatches(
    x: Any,
    y: Any,
    size: int,
    rng: np.random.Generator,
    share: Callable[[int, int], slice] = slice,
) -> Iterator[tuple[Any, Any]]:
    """Go through shuffled batches; `share` says which rows of each are wanted."""
    n = len(x)
    order = rng.permutation(n)
    x, y = take_rows(x, order), y[order]
    shares = [share(i, min(i + size, n)) for i in range(0, n, size)]
    return ((x[rows], y[rows]) for rows in shares)


def iter_chunks(x: Any, y: Any) -> Iterator[tuple[int, Any, Any]]:
    """Go through all examples in order, a chunk at a time, with its first row's number.

    Arrays come whole; of a file, no more at a time than has room in some 32 MiB.
    """
    n = len(x)
    size = max(1, ROOM // x.shape[1] if isinstance(x, LazyRows) else n)
    starts = range(0, max(1, n), size)  # no rows at all are one chunk, too
    return ((i, x[i : i + size], y[i : i + size]) for i in starts)
