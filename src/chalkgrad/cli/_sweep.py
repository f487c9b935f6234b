"""``chalkgrad sweep``: many rates and seeds, trained as one."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from chalkgrad._core import check
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli._options import SweepOptions
from chalkgrad.cli._output import output_folder, save_picture
from chalkgrad.cli._train import EXIT

__all__ = ["run"]


def run(options: SweepOptions) -> int:
    """Run the command; return its exit code."""
    output = Path(options.output)
    check.integer("sweep", "seeds", options.seeds, low=1)
    with output_folder(options, "sweep.csv", "sweep.png"):
        rates, result = _train(options)
        accuracy = np.array(result.validation_accuracy)[-1:].reshape(-1, options.seeds)
        loss = np.array(result.validation_loss)[-1:].reshape(-1, options.seeds)
        if not len(accuracy):
            show.console().print("It ended before the first epoch did.")
            return EXIT[result.stopped]
        _write(output / "sweep.csv", rates, options.seed, accuracy, loss)
        save_picture(options, _draw(rates, accuracy), output / "sweep.png")
    _report(rates, accuracy, result)
    show.console().print(f"Saved in {output}: sweep.csv, sweep.png")
    return EXIT[result.stopped]


def _train(options: SweepOptions) -> tuple[list[float], Any]:
    """Train a network for each rate and seed, all at once.

    The first network to diverge ends the training of all, so the largest rate is left
    out until none does.
    """
    cg, problem = examples.backend(options), examples.load_problem(options)
    rates = sorted(set(options.lr))
    seeds = [options.seed + k for k in range(options.seeds)]
    while True:
        lr = np.repeat(rates, len(seeds))[:, None]
        result = cg.training.fit(
            problem.net,
            problem.net.init(
                seeds * len(rates), dtype=options.dtype, device=options.device
            ),
            problem.x,
            problem.labels,
            loss=cg.losses.cross_entropy,
            optimizer=examples.rule(options, problem.net)(
                cg.array(lr, dtype=options.dtype, device=options.device)
            ),
            epochs=options.epochs,
            batch_size=options.batch_size,
            rng=options.seed,
            validation=problem.held_out,
        )
        if result.stopped != "diverged" or len(rates) == 1:
            return rates, result
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


def _report(rates: list[float], accuracy: examples.Array, result: Any) -> None:
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
        f"{accuracy.size} networks, {len(result.loss)} epochs, {result.seconds:.1f} s"
    )


def _draw(rates: list[float], accuracy: examples.Array) -> Figure:
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axis = figure.subplots()
    for seed in accuracy.T:
        axis.plot(rates, seed, "o", color="C0", alpha=0.5, markeredgewidth=0)
    axis.plot(rates, np.median(accuracy, axis=1), color="C1", label="median")
    scale = "log" if min(rates) > 0 else "linear"
    axis.set(xscale=scale, xlabel="learning rate", ylabel="accuracy, held out")
    axis.legend()
    return figure
