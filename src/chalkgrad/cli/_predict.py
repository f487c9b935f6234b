"""``chalkgrad predict``: name the classes of new examples."""

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad.activations._numpy import softmax
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _trained as trained

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Run the command; return its exit code."""
    cg, network = examples.half(args), trained.load(args)
    labels = examples.place(args.labels) if args.labels else False
    x, _ = examples.opened(args, labels=labels)
    trained.fits(args, network, x)
    x = examples.placed(args, x, network.scaled, check.dtype_name(network.w))
    logits = trained.outputs(network, cg, x)
    check.finite(args.command, "x", logits)
    chances = softmax(logits.astype(np.float64))
    named = [network.classes[k] for k in logits.argmax(-1)]
    if args.output is None:
        _write(sys.stdout, network.classes, named, chances)
        return 0
    path = Path(args.output)
    if path.exists() and path.samefile(args.data):
        raise ValueError(f"predict: --output {path} would overwrite the examples.")
    unfinished = path.with_name(f"unfinished-{path.name}")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            _write(file, network.classes, named, chances)
        unfinished.replace(path)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return 0


def _write(file: Any, classes: list[str], named: list[str], chances: Any) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["class", *(f"p({name})" for name in classes)])
    for name, row in zip(named, chances, strict=True):
        table.writerow([name, *(f"{p:.6g}" for p in row)])
