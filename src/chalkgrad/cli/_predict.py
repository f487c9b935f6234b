"""``chalkgrad predict``: name the classes of new examples."""

import csv
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

from chalkgrad._core import check
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _trained as trained
from chalkgrad.cli._options import PredictOptions
from chalkgrad.cli._output import refuse_existing
from chalkgrad.data import _files
from chalkgrad.data._tables import Reading

__all__ = ["run"]


def run(options: PredictOptions) -> int:
    """Run the command; return its exit code."""
    cg, network = examples.backend(options), trained.load(options)
    path = Path(options.output) if options.output else None
    both = path and path.exists() and Path(options.data).exists()
    if path and both and path.samefile(options.data):
        raise ValueError(f"predict: --output {path} would overwrite the examples.")
    if path:
        refuse_existing(options, path)
    table = examples.open_file(options, _how(options, network))
    trained.check_columns(options, network, table.x)
    x = examples.to_backend(
        options, table.x, network.scaling, check.dtype_name(network.w)
    )
    chances = cg.asnumpy(cg.training.probabilities(network.net, network.w, x))
    keys = _keys(table.reading, len(chances))
    if path is None:
        _write(sys.stdout, network.classes, chances, *keys)
        sys.stdout.flush()
        examples.describe(options, table, error=True)
        return 0
    goal = path.resolve()  # what a link points to, so that it stays one
    try:
        with tempfile.TemporaryDirectory(prefix="unfinished-", dir=goal.parent) as own:
            unfinished = Path(own, goal.name)
            with unfinished.open(
                "w", encoding="utf-8", errors="backslashreplace", newline=""
            ) as file:
                _write(file, network.classes, chances, *keys)
            unfinished.replace(goal)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}") from None
    examples.describe(options, table, error=True)
    return 0


def _how(options: PredictOptions, network: trained.Trained) -> Any:
    """Return how the examples are to be read: without labels."""
    how = replace(trained.how(options, network), labels=False)
    if (
        options.labels is None
        or _files.format_of(options.command, Path(options.data)) != "csv"
    ):
        return how
    return replace(how, drop=(*how.drop, options.labels))


def _keys(reading: Reading, n: int) -> tuple[list[str], Iterable[list[Any]]]:
    """Return the name of what names a row, if there is one, and each row's."""
    if not reading.key:
        return [], repeat([], n)
    return [reading.key], ([key] for key in reading.keys.tolist())


def _write(
    file: Any,
    classes: tuple[str, ...],
    chances: Any,
    name: list[str],
    keys: Iterable[list[Any]],
) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["class", *(f"p({name})" for name in classes), *name])
    named = chances.argmax(axis=-1)
    for k, row, key in zip(named, chances, keys, strict=True):
        table.writerow([classes[k], *(f"{p:.6g}" for p in row), *key])
