"""``chalkgrad train``: learn, test, and show the mistakes."""

import argparse
import importlib
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from matplotlib import color_sequences
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from chalkgrad.training._shared import Trace

__all__ = ["Run", "learn", "train"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

EXIT = {"finished": 0, "diverged": 1, "interrupted": 130}
COLUMNS = 6  # of the picture, and as many rows at most


class Run(NamedTuple):
    """A trained network, and what it was tested on."""

    args: argparse.Namespace
    cg: Any
    net: Any
    trace: Trace
    x: Any
    labels: Any


def train(args: argparse.Namespace) -> int:
    """Run the command; return its exit code."""
    output = Path(args.output)
    try:  # now, not after the training
        output.mkdir(parents=True, exist_ok=True)
        (output / "weights.npy").touch()
    except OSError as error:
        raise OSError(f"cannot write into {output}: {error.strerror}") from None
    run = learn(args)
    _report(run)
    np.save(output / "weights.npy", run.cg.asnumpy(run.trace.w))
    picture = output / "mistakes.png"
    _draw_mistakes(run).savefig(picture, dpi=150, bbox_inches="tight")
    Console(highlight=False, soft_wrap=True).print(
        f"Saved in {output}: weights.npy, mistakes.png"
    )
    return EXIT[run.trace.stopped]


def learn(args: argparse.Namespace) -> Run:
    """Train as the options say."""
    cg = importlib.import_module(f"chalkgrad.{args.half}")
    if args.data == "digits":
        x, labels = cg.data.digits()
    else:
        x, labels = getattr(cg.data, args.data)(args.examples, rng=args.seed)
    x = cg.array(x, dtype=args.dtype, device=args.device)
    labels = cg.array(labels, device=args.device)
    x_train, labels_train, x_test, labels_test = cg.data.split(x, labels, rng=args.seed)
    net = cg.network(
        [x.shape[1], *args.hidden, int(labels.max()) + 1], activation=args.activation
    )
    trace = cg.training.fit(
        net,
        net.init(args.seed, dtype=args.dtype, device=args.device),
        x_train,
        labels_train,
        loss=cg.losses.cross_entropy,
        optimizer=getattr(cg.optimizers, args.optimizer)(args.lr),
        epochs=args.epochs,
        batch_size=args.batch_size,
        rng=args.seed,
        validation=(x_test, labels_test),
    )
    return Run(args, cg, net, trace, x_test, labels_test)


def _report(run: Run) -> None:
    """Print how it went, and who was taken for whom."""
    console = Console(highlight=False)
    counts = run.cg.training.confusion(run.net, run.trace.w, run.x, run.labels)
    right, total = int(counts.trace()), int(counts.sum())
    if run.trace.stopped == "diverged":
        console.print("The loss left the finite numbers; try a smaller --lr.")
    if run.trace.stopped == "interrupted":
        console.print("Interrupted; this is how far it came.")
    console.print(
        f"{right / total:.2%} of {total} held-out examples right "
        f"({run.args.half}, {len(run.trace.loss)} epochs, {run.trace.steps} steps, "
        f"{run.trace.seconds:.1f} s)"
    )
    console.print("Row: what it is. Column: what the network says.")
    table = Table()
    table.add_column("", style="bold")
    for name in range(len(counts)):
        table.add_column(str(name), justify="right")
    for name, row in enumerate(counts):
        cells = [
            "" if n == 0 else f"[{'green' if i == name else 'bold red'}]{n}"
            for i, n in enumerate(row)
        ]
        table.add_row(str(name), *cells)
    console.print(table)


def _draw_mistakes(run: Run) -> Figure:
    """Draw what the network got wrong: the images, or the points on its regions."""
    x, labels = run.cg.asnumpy(run.x), run.cg.asnumpy(run.labels)
    named = _name(run, x)
    wrong = np.flatnonzero(named != labels)
    title = f"{len(wrong)} of {len(labels)} held-out examples wrong"
    figure = Figure(layout="constrained")
    if run.args.data == "digits":
        figure.suptitle(title)
        _draw_images(figure, x, labels, named, wrong)
    else:
        axis = figure.subplots()
        axis.set_title(title)
        _draw_plane(axis, run, x, labels, wrong)
    return figure


def _draw_images(
    figure: Figure, x: Array, labels: Array, named: Array, wrong: Array
) -> None:
    rows = min(max(-(-len(wrong) // COLUMNS), 1), COLUMNS)
    figure.set_size_inches(COLUMNS * 1.3, rows * 1.5 + 0.4)
    axes = figure.subplots(rows, COLUMNS).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, i in zip(axes, wrong, strict=False):
        axis.imshow(x[i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(f"{labels[i]}, read as {named[i]}", fontsize=8)


def _draw_plane(axis: Axes, run: Run, x: Array, labels: Array, wrong: Array) -> None:
    colors = np.array(color_sequences["tab10"])
    (left, bottom), (right, top) = x.min(axis=0) - 0.2, x.max(axis=0) + 0.2
    across, up = np.linspace(left, right, 300), np.linspace(bottom, top, 300)
    grid = np.stack(np.meshgrid(across, up), axis=-1)
    regions = _name(run, grid.reshape(-1, 2)).reshape(300, 300)
    extent = (left, right, bottom, top)
    axis.imshow(colors[regions], extent=extent, origin="lower", alpha=0.25)
    axis.scatter(x[:, 0], x[:, 1], s=12, color=colors[labels])
    axis.scatter(x[wrong, 0], x[wrong, 1], s=80, color="none", edgecolors="black")
    axis.set(xlabel="$x_1$", ylabel="$x_2$")


def _name(run: Run, x: Array) -> Array:
    """Return the classes that the network names."""
    rows = run.cg.array(x, dtype=run.args.dtype, device=run.args.device)
    named: Array = run.cg.asnumpy(run.net.forward(run.trace.w, rows)).argmax(axis=-1)
    return named
