"""A trained network, and all that is needed to use it later."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from chalkgrad._core import check
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.cli import _examples as examples
from chalkgrad.cli._options import (
    DataOptions,
    EvaluateOptions,
    FileOptions,
    PredictOptions,
    RunOptions,
)
from chalkgrad.cli._output import contents, resolve_paths
from chalkgrad.data._shared import Scaling, Table, split
from chalkgrad.data._tables import Options, Reading

__all__ = [
    "FILE",
    "Trained",
    "check_columns",
    "held_out",
    "how",
    "load",
    "run_of",
    "save",
    "source",
]

FILE = "network.safetensors"
WRITTEN = {
    *("w", "network", "shift", "scale", "classes", "are_grey"),
    *("data", "table", "left_out", "fill", "run"),
}
# What tells which examples a network was trained on.
DATA = ("data", "examples", "seed", *examples.FILE_OPTIONS)
# What is kept of how a table was read.
TABLE = (
    *("path", "columns", "label", "header", "delimiter", "decimal", "encoding"),
    "width",
)


class Trained(NamedTuple):
    """A network with its weights, its inputs and its classes."""

    net: Any
    w: Any
    scaling: Scaling
    classes: tuple[str, ...]
    are_grey: bool
    reading: Reading
    """How the columns were called, and the table was written."""
    data: dict[str, Any]
    """The options that named the data."""
    run: dict[str, Any]
    """All options of the training."""


def source(options: DataOptions) -> dict[str, Any]:
    """Return the options that name the data, with files as one finds them anywhere."""
    given = resolve_paths(options)
    return {name: given[name] for name in DATA}


def save(folder: Path, trained: Trained) -> None:
    """Write the network, whole or not at all."""
    contents = {
        "w": trained.w,
        "network": dataclasses.asdict(trained.net),
        "shift": trained.scaling.shift,
        "scale": trained.scaling.scale,
        "classes": list(trained.classes),
        "are_grey": trained.are_grey,
        "table": {name: getattr(trained.reading, name) for name in TABLE},
        # Names may be any text, which those of a dict in a file may not.
        "left_out": [list(pair) for pair in trained.reading.left_out.items()],
        "fill": trained.reading.filled,
        "data": trained.data,
        "run": trained.run,
    }
    # In a folder of its own, so that checkpoints that are in this one stay.
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as own:
        checkpoints.save(own, contents, step=0).replace(folder / FILE)


def load(options: RunOptions) -> Trained:
    """Read the network of ``FOLDER``, for the backend that computes."""
    cg = examples.backend(options)
    path = Path(options.run) / FILE
    saved = checkpoints.load(path)
    if not saved.keys() >= WRITTEN:
        raise ValueError(
            f"{options.command}: {path} is no network that `chalkgrad train` wrote."
        )
    table = saved["table"] | {"columns": tuple(saved["table"]["columns"])}
    return Trained(
        cg.network(**saved["network"]),
        cg.array(saved["w"], device=options.device),
        Scaling(saved["shift"], saved["scale"]),
        tuple(saved["classes"]),
        saved["are_grey"],
        Reading(**table, filled=saved["fill"], left_out=dict(saved["left_out"])),
        saved["data"],
        saved["run"],
    )


def run_of(folder: Path) -> dict[str, Any] | None:
    """Return the options of the training whose network is in a folder, if one is."""
    try:
        run: dict[str, Any] = checkpoints.load(folder / FILE)["run"]
    except (OSError, KeyError, ValueError):
        return None
    return run


def how(options: PredictOptions | EvaluateOptions, trained: Trained) -> Options:
    """Return how another file is to be read for a network: by its columns' names.

    Those of a .npz file are the names of its arrays.
    """
    like = trained.reading if trained.reading.is_table else None
    if like is None and options.data.lower().endswith(".npz"):
        before = {name: trained.data[name] for name in ("inputs", "labels")}
        given = {name: getattr(options, name) or before[name] for name in before}
        options = dataclasses.replace(options, **given)
    reading = examples.reading_options(options, like)
    filled = trained.reading.filled
    fill = trained.scaling.shift if filled is None else filled  # means of training
    return dataclasses.replace(reading, fill=fill)


def held_out(options: EvaluateOptions, trained: Trained) -> tuple[Any, Any, Table]:
    """Return examples and labels that the network has not seen, and their table.

    They are those that ``--data`` names, or else those that were held out in training.
    """
    own = not options.data
    reading: Options | None = None
    named: DataOptions = options
    if own:
        named = DataOptions(command=options.command, **trained.data)
    elif not examples.is_built_in(options):
        reading = how(options, trained)
    found = examples.read(named, reading, trained.classes)
    x, ids = found.table.x, found.ids
    check_columns(named, trained, x)
    if own and found.table.reading.columns != trained.reading.columns:
        raise ValueError(
            f"{named.command}: {named.data} has other columns than in training, "
            f"{', '.join(found.table.reading.columns)}; they were "
            f"{', '.join(trained.reading.columns)}."
        )
    cg = examples.backend(options)
    here = contents(named)
    if own and here != trained.run.get("contents", here):
        raise ValueError(
            f"{named.command}: {named.data} has changed since the training, so nobody "
            "can tell which rows were held out; say with --data what to test on."
        )
    if own:
        *_, x, ids = split(x, ids, rng=named.seed)
    x = examples.to_backend(options, x, trained.scaling, check.dtype_name(trained.w))
    return x, cg.array(ids, device=options.device), found.table


def check_columns(options: FileOptions, trained: Trained, x: Any) -> None:
    """Raise unless the rows are as long as those that the network has seen."""
    if (columns := x.shape[1]) != (inputs := trained.net.sizes[0]):
        raise ValueError(
            f"{options.command}: {options.data} has {columns} columns of inputs, and "
            f"the network takes {inputs}; is one of them the label? Name it with "
            "--labels."
        )
