"""What a command learns from: built-in sets, or the user's own files."""

import importlib
import math
from dataclasses import replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad.cli._console import console
from chalkgrad.cli._options import (
    BUILT_IN,
    DataOptions,
    DeviceOptions,
    FileOptions,
    ProblemOptions,
)
from chalkgrad.cli._text import escape
from chalkgrad.data import _prepare
from chalkgrad.data import _shared as data
from chalkgrad.data._shared import LazyRows, Scaling, Table
from chalkgrad.data._tables import Options, Reading

__all__ = [
    "FILE_OPTIONS",
    "Array",
    "Examples",
    "Problem",
    "backend",
    "describe",
    "is_built_in",
    "load_problem",
    "open_file",
    "read",
    "reading_options",
    "rule",
    "to_backend",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

FILE_OPTIONS = (
    *("labels", "inputs", "drop", "header"),
    *("delimiter", "decimal", "encoding", "missing"),
)
DRAWN = 1000  # points of a set, unless --examples says how many
MEMORY = 2**30  # bytes; what is larger stays on disk


class Examples(NamedTuple):
    """Rows as they are stored, and which of the classes each is."""

    table: Table
    ids: Array
    classes: tuple[str, ...]
    are_grey: bool
    """Whether the numbers are grey values, so that a row may be drawn."""


class Problem(NamedTuple):
    """What a network learns from and is tested on, in the backend that computes."""

    net: Any
    x: Any
    labels: Any
    held_out: tuple[Any, Any]
    scaling: Scaling
    examples: Examples


def rule(options: ProblemOptions, net: Any) -> Any:
    """Return what makes the optimizer that the options name of a rate."""
    make = getattr(backend(options).optimizers, options.optimizer)
    return partial(make, net) if "net" in signature(make).parameters else make


def backend(options: DeviceOptions) -> Any:
    """Import the backend that computes."""
    return importlib.import_module(f"chalkgrad.{options.backend}")


def is_built_in(options: FileOptions) -> bool:
    """Tell whether ``--data`` names no file."""
    return options.data in BUILT_IN


def reading_options(options: FileOptions, like: Reading | None = None) -> Options:
    """Return how a file is to be read; as one was before, by default."""
    before = like or Reading("", encoding="utf-8")
    return Options(
        labels=_parse_labels(options.labels),
        inputs=None if like else options.inputs,
        drop=tuple(options.drop),
        header=options.header,
        delimiter=options.delimiter,
        decimal=options.decimal or before.decimal,
        encoding=options.encoding or before.encoding or "utf-8",
        missing=options.missing,
        like=like,
    )


def _parse_labels(labels: str | None) -> bool | str | Path:
    """Tell where the labels are: in a file, or in a column or an array."""
    if labels is None:
        return True
    return Path(labels) if Path(labels).is_file() else labels


def read(
    options: DataOptions,
    how: Options | None = None,
    classes: tuple[str, ...] | None = None,
) -> Examples:
    """Read what ``--data`` names; with `classes`, labels must be among them."""
    if is_built_in(options):
        _refuse_file_options(options)
        x, labels = _draw(options)
        table = Table(LazyRows(x, x.dtype), labels, Reading(options.data))
        are_grey = options.data == "digits"
    else:
        _refuse_count(options, "holds as many as it holds")
        table = open_file(options, how or reading_options(options))
        are_grey = table.x.storage.dtype == np.uint8
    encoded = _prepare.encode(
        options.command,
        options.data,
        table.labels,
        classes,
        table.reading.name_row,
    )
    if classes is None:
        _refuse_no_classes(options, encoded.classes, len(table.x))
    return Examples(table, *encoded, are_grey)


def _refuse_file_options(options: DataOptions) -> None:
    """Refuse what only a file has."""
    for name in FILE_OPTIONS:
        if getattr(options, name) not in (None, [], "refuse"):
            raise ValueError(
                f"{options.command}: {options.data} is built in, so it has no --{name}."
            )


def _refuse_count(options: DataOptions, why: str) -> None:
    """Refuse to be told how many examples there are where they are not drawn."""
    if options.examples is not None:
        drawn = ", ".join(name for name in BUILT_IN if name != "digits")
        raise ValueError(
            f"{options.command}: --examples says how many points to draw, of {drawn}; "
            f"{options.data} {why}, so leave it out."
        )


def open_file(options: FileOptions, how: Options) -> Table:
    """Open a file of the user's."""
    path = Path(options.data)
    if not path.exists() and options.command in ("inspect", "predict"):
        raise FileNotFoundError(
            f"{options.command}: no data {options.data!r}: there is no such file."
        )
    if not path.exists():
        raise FileNotFoundError(
            f"{options.command}: no data {options.data!r}: give one of "
            f"{', '.join(BUILT_IN)}, or a file that is there."
        )
    table = _prepare.open_table(options.command, path, how, None)
    if not table.reading.is_table and table.x.storage.dtype.kind == "f":
        _prepare.refuse_nonfinite(options.command, options.data, table.x)
    return table


def describe(options: FileOptions, table: Table, *, error: bool = False) -> None:
    """Say what was read, if it was a file."""
    if not is_built_in(options):
        console(error=error).print(escape(data.describe(table)))


def _draw(options: DataOptions) -> tuple[Array, Array]:
    """Return a set that is built in."""
    if options.data == "digits":
        _refuse_count(options, "are 1797")
        return data.digits()
    n = DRAWN if options.examples is None else options.examples
    drawn: tuple[Array, Array] = getattr(data, options.data)(n, rng=options.seed)
    return drawn


def _refuse_no_classes(options: DataOptions, classes: tuple[str, ...], n: int) -> None:
    if len(classes) < 2:
        raise ValueError(
            f"{options.command}: all labels of {options.data} are {classes[0]}, and "
            "one class teaches nothing; say with --labels where they are."
        )
    if 2 * len(classes) > n:
        advice = "say with --labels where they are"
        if is_built_in(options):
            advice = "draw more by --examples"
        raise ValueError(
            f"{options.command}: {options.data} has {len(classes)} different labels in "
            f"{n} rows, so they name no classes; {advice}."
        )


def _scaling(options: FileOptions, x: LazyRows) -> Scaling:
    """Return by what rows are shifted and divided; what is built in stays."""
    if is_built_in(options):
        d = x.shape[1]
        return Scaling(np.zeros(d), np.ones(d))
    return _prepare.fit_scaling(options.command, options.data, x)


def to_backend(
    options: DeviceOptions, x: LazyRows, scaling: Scaling, dtype: str
) -> Any:
    """Return scaled rows of the backend: an array, or on disk if they are large."""
    make = partial(backend(options).array, dtype=dtype, device=options.device)
    x = replace(x, dtype=np.dtype(dtype), to_array=make).rescale(*scaling)
    small = math.prod(x.shape) * x.dtype.itemsize <= MEMORY
    return x[:] if small else x


def load_problem(options: ProblemOptions) -> Problem:
    """Read the examples, hold some out, and describe a network for them."""
    cg = backend(options)
    found = read(options)
    parts = data.split(found.table.x, found.ids, rng=options.seed)
    scaling = _scaling(options, parts[0])
    x, x_test = (
        to_backend(options, rows, scaling, options.dtype) for rows in parts[::2]
    )
    labels, labels_test = (cg.array(ids, device=options.device) for ids in parts[1::2])
    sizes = [x.shape[1], *options.hidden, len(found.classes)]
    net = cg.network(sizes, activation=options.activation, skip=options.skip)
    # What `fit` would refuse is refused before anything is said.
    check.integer("fit", "batch_size", options.batch_size, low=1)
    describe(options, found.table)
    return Problem(net, x, labels, (x_test, labels_test), scaling, found)
