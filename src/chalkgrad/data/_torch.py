"""Data, PyTorch backend: what NumPy draws or reads, as tensors.

The tensors are on PyTorch's default device. ``labels`` that are words stay an array of
NumPy's, for PyTorch has none of words.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from chalkgrad._core._torch import Array, to_tensors
from chalkgrad._core.docs import twin_of
from chalkgrad._core.random import Rng
from chalkgrad._core.types import ArrayOrFrame, PathOrName
from chalkgrad.data import _shared as reference
from chalkgrad.data._shared import Classes, Labels, LazyRows, Scaled, Scaling, Table

__all__ = [
    "Classes",
    "LazyRows",
    "Scaled",
    "Scaling",
    "Table",
    "batches",
    "blobs",
    "circles",
    "describe",
    "digits",
    "encode_labels",
    "line",
    "load",
    "moons",
    "scale",
    "separable",
    "spirals",
    "split",
    "xor",
]


@twin_of(reference.line)
def line(n: int, *, rng: Rng = 0, noise: float = 0.1) -> tuple[Array, Array]:
    out: tuple[Array, Array] = to_tensors(reference.line(n, rng=rng, noise=noise))
    return out


@twin_of(reference.xor)
def xor(n: int, *, rng: Rng = 0, noise: float = 0.1) -> tuple[Array, Array]:
    out: tuple[Array, Array] = to_tensors(reference.xor(n, rng=rng, noise=noise))
    return out


@twin_of(reference.moons)
def moons(n: int, *, rng: Rng = 0, noise: float = 0.1) -> tuple[Array, Array]:
    out: tuple[Array, Array] = to_tensors(reference.moons(n, rng=rng, noise=noise))
    return out


@twin_of(reference.circles)
def circles(n: int, *, rng: Rng = 0, noise: float = 0.05) -> tuple[Array, Array]:
    out: tuple[Array, Array] = to_tensors(reference.circles(n, rng=rng, noise=noise))
    return out


@twin_of(reference.spirals)
def spirals(n: int, *, rng: Rng = 0, noise: float = 0.02) -> tuple[Array, Array]:
    out: tuple[Array, Array] = to_tensors(reference.spirals(n, rng=rng, noise=noise))
    return out


@twin_of(reference.separable)
def separable(n: int, *, rng: Rng = 0, margin: float = 0.1) -> tuple[Array, Array]:
    out: tuple[Array, Array] = to_tensors(
        reference.separable(n, rng=rng, margin=margin)
    )
    return out


@twin_of(reference.blobs)
def blobs(
    n: int, *, classes: int = 3, rng: Rng = 0, noise: float = 0.3
) -> tuple[Array, Array]:
    out: tuple[Array, Array] = to_tensors(
        reference.blobs(n, classes=classes, rng=rng, noise=noise)
    )
    return out


@twin_of(reference.digits)
def digits() -> tuple[Array, Array]:
    out: tuple[Array, Array] = to_tensors(reference.digits())
    return out


@twin_of(reference.load)
def load(
    path: PathOrName,
    *,
    inputs: str | int | Sequence[str | int] | None = None,
    labels: bool | int | PathOrName = True,
    drop: str | int | Sequence[str | int] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    encoding: str = "utf-8",
    missing: str = "refuse",
    dtype: str | None = None,
    lazy: bool = False,
) -> Table:
    out: Table = to_tensors(
        reference.load(
            path,
            inputs=inputs,
            labels=labels,
            drop=drop,
            header=header,
            delimiter=delimiter,
            decimal=decimal,
            encoding=encoding,
            missing=missing,
            dtype=dtype,
            lazy=lazy,
        )
    )
    return out


@twin_of(reference.describe)
def describe(table: Table) -> str:
    return reference.describe(table)


@twin_of(reference.encode_labels)
def encode_labels(labels: Labels, *, classes: Sequence[Any] | None = None) -> Classes:
    out: Classes = to_tensors(reference.encode_labels(labels, classes=classes))
    return out


@twin_of(reference.scale)
def scale(x: ArrayOrFrame, *, by: Scaling | None = None) -> Scaled:
    out: Scaled = to_tensors(reference.scale(x, by=by))
    return out


@twin_of(reference.split)
def split(
    x: ArrayOrFrame, labels: ArrayOrFrame, *, fraction: float = 0.2, rng: Rng = 0
) -> tuple[Any, Any, Any, Any]:
    out: tuple[Any, Any, Any, Any] = to_tensors(
        reference.split(x, labels, fraction=fraction, rng=rng)
    )
    return out


@twin_of(reference.batches)
def batches(
    x: ArrayOrFrame, y: ArrayOrFrame, *, size: int, rng: Rng
) -> Iterator[tuple[Array, Array]]:
    return map(to_tensors, reference.batches(x, y, size=size, rng=rng))
