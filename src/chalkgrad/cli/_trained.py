"""A trained network, and all that is needed to use it later."""

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.cli import _examples as examples
from chalkgrad.cli._options import BUILT_IN
from chalkgrad.data._shared import portions, split

__all__ = ["FILE", "Trained", "fits", "held_out", "load", "outputs", "save", "source"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

FILE = "network.safetensors"
WRITTEN = {"w", "network", "shift", "scale", "classes", "are_grey", "data"}
# What tells which examples a network was trained on.
DATA = ("data", "examples", "labels", "inputs", "delimiter", "seed")


class Trained(NamedTuple):
    """A network with its weights, its inputs and its classes."""

    net: Any
    w: Any
    scaled: examples.Scaling
    classes: list[str]
    are_grey: bool
    data: dict[str, Any]
    """The options that named the data."""


def source(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options that name the data, with files as one finds them anywhere."""
    options = {name: getattr(args, name) for name in DATA}
    for name in ("data", "labels"):
        if options[name] not in (None, *BUILT_IN) and Path(options[name]).is_file():
            options[name] = str(Path(options[name]).resolve())
    return options


def save(folder: Path, trained: Trained) -> None:
    """Write the network, whole or not at all."""
    contents = {
        "w": trained.w,
        "network": dataclasses.asdict(trained.net),
        "shift": trained.scaled[0],
        "scale": trained.scaled[1],
        "classes": trained.classes,
        "are_grey": trained.are_grey,
        "data": trained.data,
    }
    # In a folder of its own, so that checkpoints that are in this one stay.
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as own:
        checkpoints.save(own, contents, step=0).replace(folder / FILE)


def load(args: argparse.Namespace) -> Trained:
    """Read the network of ``FOLDER``, for the half that computes."""
    cg = examples.half(args)
    path = Path(args.run) / FILE
    saved = checkpoints.load(path)
    if not saved.keys() >= WRITTEN:
        raise ValueError(
            f"{args.command}: {path} is no network that `chalkgrad train` wrote."
        )
    return Trained(
        cg.network(**saved["network"]),
        cg.array(saved["w"], device=args.device),
        (saved["shift"], saved["scale"]),
        saved["classes"],
        saved["are_grey"],
        saved["data"],
    )


def held_out(args: argparse.Namespace, trained: Trained) -> tuple[Any, Any]:
    """Return examples and labels that the network has not seen.

    They are those that ``--data`` names, or else those that were held out in training.
    """
    own = args.data is None
    if own:
        args = argparse.Namespace(**vars(args) | trained.data)
    elif not hasattr(args, "seed"):
        args = argparse.Namespace(**vars(args), seed=0)
    x, labels, *_ = examples.read(args, trained.classes)
    cg = examples.half(args)
    if own:
        *_, x, labels = split(x, labels, rng=args.seed)
    fits(args, trained, x)
    x = examples.placed(args, x, trained.scaled, check.dtype_name(trained.w))
    return x, cg.array(labels, device=args.device)


def fits(args: argparse.Namespace, trained: Trained, x: Any) -> None:
    """Raise unless the rows are as long as those that the network has seen."""
    if (columns := x.shape[1]) != (inputs := trained.net.sizes[0]):
        raise ValueError(
            f"{args.command}: {args.data} has {columns} columns of inputs, and the "
            f"network takes {inputs}; is one of them the label? Name it with --labels."
        )


def outputs(trained: Trained, cg: Any, x: Any) -> Array:
    """Return the outputs for all rows, computed a portion at a time."""
    parts = portions(x, range(len(x)))
    made = [cg.asnumpy(trained.net.forward(trained.w, rows)) for _, rows, _ in parts]
    return np.concatenate(made)
