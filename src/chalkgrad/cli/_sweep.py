"""``chalkgrad sweep``: many rates and seeds, trained as one."""

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from chalkgrad._core import check
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli._train import EXIT

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Run the command; return its exit code."""
    output = Path(args.output)
    check.integer("sweep", "seeds", args.seeds, low=1)
    with examples.claimed(output):
        rates, trace = _trained(args)
        accuracy = np.array(trace.validation_accuracy)[-1:].reshape(-1, args.seeds)
        loss = np.array(trace.validation_loss)[-1:].reshape(-1, args.seeds)
        if not len(accuracy):
            show.console().print("It ended before the first epoch did.")
            return EXIT[trace.stopped]
        _write(output / "sweep.csv", rates, args.seed, accuracy, loss)
        show.save(_drawn(rates, accuracy), output / "sweep.png")
    _report(rates, accuracy, trace)
    show.console().print(f"Saved in {output}: sweep.csv, sweep.png")
    return EXIT[trace.stopped]


def _trained(args: argparse.Namespace) -> tuple[list[float], Any]:
    """Train a network for each rate and seed, all at once.

    The first network to diverge ends the training of all, so the largest rate is left
    out until none does.
    """
    cg, dealt = examples.half(args), examples.dealt(args)
    rates = sorted(set(args.lr))
    seeds = [args.seed + k for k in range(args.seeds)]
    while True:
        lr = np.repeat(rates, len(seeds))[:, None]
        trace = cg.training.fit(
            dealt.net,
            dealt.net.init(seeds * len(rates), dtype=args.dtype, device=args.device),
            dealt.x,
            dealt.labels,
            loss=cg.losses.cross_entropy,
            optimizer=getattr(cg.optimizers, args.optimizer)(
                cg.array(lr, dtype=args.dtype, device=args.device)
            ),
            epochs=args.epochs,
            batch_size=args.batch_size,
            rng=args.seed,
            validation=dealt.held_out,
        )
        if trace.stopped != "diverged" or len(rates) == 1:
            return rates, trace
        show.console().print(f"Diverged, and left out: rate {rates.pop():g}")


def _write(
    path: Path,
    rates: list[float],
    seed: int,
    accuracy: examples.Array,
    loss: examples.Array,
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["lr", "seed", "accuracy", "loss"])
        for lr, accuracies, losses in zip(rates, accuracy, loss, strict=True):
            for k, (right, nats) in enumerate(zip(accuracies, losses, strict=True)):
                table.writerow([f"{lr:g}", seed + k, f"{right:.6g}", f"{nats:.6g}"])


def _report(rates: list[float], accuracy: examples.Array, trace: Any) -> None:
    to = show.console()
    table = Table(title="Accuracy on held-out examples")
    for name in ("rate", "worst", "median", "best"):
        table.add_column(name, justify="right")
    middle = np.median(accuracy, axis=1)
    for k, (lr, row) in enumerate(zip(rates, accuracy, strict=True)):
        cells = [f"{share:.2%}" for share in (row.min(), middle[k], row.max())]
        style = "bold green" if k == middle.argmax() else None
        table.add_row(f"{lr:g}", *cells, style=style)
    to.print(table)
    to.print(
        f"{accuracy.size} networks, {len(trace.loss)} epochs, {trace.seconds:.1f} s"
    )


def _drawn(rates: list[float], accuracy: examples.Array) -> Figure:
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axis = figure.subplots()
    for seed in accuracy.T:
        axis.plot(rates, seed, "o", color="C0", alpha=0.5, markeredgewidth=0)
    axis.plot(rates, np.median(accuracy, axis=1), color="C1", label="median")
    axis.set(xscale="log", xlabel="learning rate", ylabel="accuracy, held out")
    axis.legend()
    return figure
