"""What a command learns from: built-in sets, or the user's own files."""

import argparse
import importlib
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad.cli._options import BUILT_IN
from chalkgrad.data import _files
from chalkgrad.data import _shared as data
from chalkgrad.data._shared import Rows, portions

__all__ = [
    "Dealt",
    "Examples",
    "Scaling",
    "claimed",
    "dealt",
    "half",
    "opened",
    "place",
    "placed",
    "read",
    "scaling",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Scaling: TypeAlias = tuple[Array, Array]

MEMORY = 2**30  # bytes; what is larger stays on disk


class Examples(NamedTuple):
    """Rows as they are stored, and which of the classes each is."""

    x: Rows
    labels: Array
    classes: list[str]
    are_grey: bool
    """Whether the numbers are grey values, so that a row may be drawn."""


class Dealt(NamedTuple):
    """What a network learns from and is tested on, in the half that computes."""

    net: Any
    x: Any
    labels: Any
    held_out: tuple[Any, Any]
    scaled: Scaling
    classes: list[str]
    are_grey: bool


def half(args: argparse.Namespace) -> Any:
    """Import the half that computes."""
    return importlib.import_module(f"chalkgrad.{args.half}")


def read(args: argparse.Namespace, classes: list[str] | None = None) -> Examples:
    """Read what ``--data`` names; with `classes`, labels must be among them."""
    if args.data in BUILT_IN:
        x, labels = _built_in(args)
        rows, are_grey = Rows(x, x.dtype), args.data == "digits"
    else:
        rows, labels = opened(args, labels=place(args.labels))
        are_grey = rows.source.dtype == np.uint8
        if labels.dtype.kind != "U":
            labels = _files.whole(args.command, args.data, labels)
    if classes is None:
        classes = _classes(args, labels)
    return Examples(rows, _numbered(args, labels, classes), classes, are_grey)


def opened(args: argparse.Namespace, *, labels: Any) -> tuple[Rows, Any]:
    """Open a file of the user's."""
    path = Path(args.data)
    if not path.exists():
        raise FileNotFoundError(
            f"{args.command}: no data {args.data!r}: give one of "
            f"{', '.join(BUILT_IN)}, or a file that is there."
        )
    return data.opened(args.command, path, args.inputs, labels, args.delimiter, None)


def _built_in(args: argparse.Namespace) -> tuple[Array, Array]:
    if args.data == "digits":
        return data.digits()
    made: tuple[Array, Array] = getattr(data, args.data)(args.examples, rng=args.seed)
    return made


def place(labels: str | None) -> Any:
    """Tell where the labels are: a file, the number of a column, or a name."""
    if labels is None:
        return True
    if Path(labels).is_file():
        return Path(labels)
    digits = labels.removeprefix("-")
    return int(labels) if digits.isdecimal() else labels


def _classes(args: argparse.Namespace, labels: Array) -> list[str]:
    found = np.unique(labels)
    if len(found) < 2:
        raise ValueError(
            f"{args.command}: all labels of {args.data} are {found[0]}, and one class "
            "teaches nothing; say with --labels where they are."
        )
    if 2 * len(found) > len(labels):
        raise ValueError(
            f"{args.command}: {args.data} has {len(found)} different labels in "
            f"{len(labels)} rows, so they name no classes; say with --labels where "
            "they are."
        )
    return [str(label) for label in found]


def _numbered(args: argparse.Namespace, labels: Array, classes: list[str]) -> Array:
    """Return for each label the number of its class."""
    numbers = {name: k for k, name in enumerate(classes)}
    found, places = np.unique(labels, return_inverse=True)
    for label in found:
        if str(label) not in numbers:
            raise ValueError(
                f"{args.command}: {args.data} has the label {str(label)!r}, which the "
                f"network does not know; it knows {', '.join(classes)}."
            )
    numbered: Array = np.array([numbers[str(label)] for label in found])[places]
    return numbered


def scaling(args: argparse.Namespace, x: Rows) -> Scaling:
    """Return by what rows are shifted and divided, so that a network learns well.

    Grey values go from 0 to 1; other columns get mean 0 and deviation 1. What is built
    in stays as it is.
    """
    d = x.shape[1]
    if args.data in BUILT_IN:
        return np.zeros(d), np.ones(d)
    if x.source.dtype == np.uint8:
        return np.zeros(d), np.full(d, 255.0)
    exact = replace(x, dtype=np.dtype(np.float64))
    mean, square = np.zeros(d), np.zeros(d)
    for _, rows, _ in portions(exact, range(len(x))):
        mean += rows.sum(0) / len(x)
    if not np.isfinite(mean).all():
        column = int(np.isfinite(mean).argmin())
        raise ValueError(
            f"{args.command}: {args.data} has a nan or an infinity in column {column} "
            "of its inputs; every number must be finite."
        )
    for _, rows, _ in portions(exact, range(len(x))):
        square += ((rows - mean) ** 2).sum(0) / len(x)
    deviation = np.sqrt(square)
    # A column that never changes says nothing, and stays near 0.
    return mean, np.where(deviation > 1e-12 * abs(mean), deviation, 1.0)


def placed(args: argparse.Namespace, x: Rows, scaled: Scaling, dtype: str) -> Any:
    """Return scaled rows of the half: an array, or still on disk if they are large."""
    shift, scale = (numbers.astype(dtype) for numbers in scaled)
    make = partial(half(args).array, dtype=dtype, device=args.device)
    x = replace(x, dtype=np.dtype(dtype), shift=shift, scale=scale, make=make)
    small = math.prod(x.shape) * x.dtype.itemsize <= MEMORY
    return x[:] if small else x


def dealt(args: argparse.Namespace) -> Dealt:
    """Read the examples, hold some out, and describe a network for them."""
    cg = half(args)
    x, labels, classes, are_grey = read(args)
    parts = data.split(x, labels, rng=args.seed)
    scaled = scaling(args, parts[0])
    x, x_test = (placed(args, rows, scaled, args.dtype) for rows in parts[::2])
    labels, labels_test = (cg.array(ids, device=args.device) for ids in parts[1::2])
    sizes = [x.shape[1], *args.hidden, len(classes)]
    net = cg.network(sizes, activation=args.activation, skip=args.skip)
    return Dealt(net, x, labels, (x_test, labels_test), scaled, classes, are_grey)


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make a folder to write into; unmake it if nothing came of it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(f"cannot write into {folder}: {error.strerror}") from None
    try:
        yield
    except BaseException:
        for path in missing:
            if not any(path.iterdir()):
                path.rmdir()
        raise
