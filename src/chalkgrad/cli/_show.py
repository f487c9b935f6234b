"""What a command shows: a table of who is taken for whom, and pictures."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib import color_sequences
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table
from rich.text import Text

from chalkgrad.cli._console import console
from chalkgrad.cli._text import escape
from chalkgrad.cli._trained import Trained

__all__ = ["confusion", "console", "curves", "mistakes"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

COLUMNS = 6  # of a picture of images, and as many rows at most
WIDE = 20  # classes that a table has room for


def count_confusions(classes: Sequence[str], labels: Array, named: Array) -> Array:
    """Count who is taken for whom, a row for each class."""
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (labels, named), 1)
    return counts


def confusion(classes: Sequence[str], labels: Array, named: Array) -> None:
    """Print who is taken for whom."""
    if len(classes) > WIDE:
        return
    counts, to = count_confusions(classes, labels, named), console()
    to.print("Row: what it is. Column: what the network says.")
    table = Table()
    table.add_column("", style="bold")
    names = [Text(escape(name, to.encoding)) for name in classes]
    for name in names:
        table.add_column(name, justify="right")
    for k, row in enumerate(counts):
        cells = [
            Text("" if n == 0 else str(n), style="green" if i == k else "bold red")
            for i, n in enumerate(row)
        ]
        table.add_row(names[k], *cells)
    to.print(table)


def curves(result: Any) -> Figure:
    """Draw loss and accuracy, epoch by epoch."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = np.arange(1, len(result.loss) + 1)
    left.plot(epochs, result.loss, label="while training")
    left.plot(epochs, result.validation_loss, label="on held-out examples")
    left.set(xlabel="epoch", ylabel="loss, nats", yscale="log")
    left.legend()
    right.plot(epochs, result.validation_accuracy, color="C1")
    right.set(xlabel="epoch", ylabel="accuracy on held-out examples")
    for axis in (left, right):
        axis.xaxis.get_major_locator().set_params(integer=True)
    return figure


def mistakes(trained: Trained, cg: Any, x: Any, labels: Array, named: Array) -> Figure:
    """Draw what the network gets wrong: images, points on its regions, or counts."""
    wrong = np.flatnonzero(named != labels)
    figure = Figure(layout="constrained")
    title = f"{len(wrong)} of {len(labels)} held-out examples wrong"
    side = math.isqrt(x.shape[1])
    if trained.are_grey and side**2 == x.shape[1]:
        figure.suptitle(title)
        some = wrong[: COLUMNS**2]
        images = cg.asnumpy(x[some]).reshape(-1, side, side)
        words = [
            escape(f"{trained.classes[labels[i]]}, read as {trained.classes[named[i]]}")
            for i in some
        ]
        _images(figure, images, words)
        return figure
    axis = figure.subplots()
    axis.set_title(title)
    if x.shape[1] == 2:
        _plane(axis, trained, cg, x, labels, wrong)
    else:
        _counts(axis, trained.classes, labels, named)
    return figure


def _images(figure: Figure, images: Array, words: list[str]) -> None:
    rows = max(-(-len(images) // COLUMNS), 1)
    figure.set_size_inches(COLUMNS * 1.3, rows * 1.5 + 0.4)
    for axis in (axes := figure.subplots(rows, COLUMNS).ravel()):
        axis.set(xticks=[], yticks=[], frame_on=False)  # hidden ones take time
    for axis, image, word in zip(axes, images, words, strict=False):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(word, fontsize=8, parse_math=False)


def _plane(
    axis: Axes, trained: Trained, cg: Any, x: Any, labels: Array, wrong: Array
) -> None:
    shift, scale = trained.scaling
    points = cg.asnumpy(x[:])
    (left, bottom), (right, top) = points.min(axis=0) - 0.2, points.max(axis=0) + 0.2
    across, up = np.linspace(left, right, 300), np.linspace(bottom, top, 300)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    rows = cg.array(grid.astype(points.dtype), device=str(trained.w.device))
    regions = cg.asnumpy(trained.net.forward(trained.w, rows)).argmax(-1)
    colors = np.array(color_sequences["tab10"])
    picture = colors[regions.reshape(300, 300) % len(colors)]
    low, high = (scale * edge + shift for edge in ((left, bottom), (right, top)))
    points = scale * points + shift  # as they are in the file
    axis.imshow(
        picture,
        extent=(low[0], high[0], low[1], high[1]),
        origin="lower",
        alpha=0.25,
        aspect="auto",
    )
    first, second = points.T
    axis.scatter(first, second, s=12, color=colors[labels % len(colors)])
    axis.scatter(first[wrong], second[wrong], s=80, color="none", edgecolors="black")
    names = trained.reading.columns or ("$x_1$", "$x_2$")
    axis.set_xlabel(escape(names[0]), parse_math=not trained.reading.columns)
    axis.set_ylabel(escape(names[1]), parse_math=not trained.reading.columns)


def _counts(axis: Axes, classes: Sequence[str], labels: Array, named: Array) -> None:
    table = count_confusions(classes, labels, named)
    axis.imshow(table, cmap="Blues")
    if len(classes) <= WIDE:
        ticks, names = range(len(classes)), list(map(escape, classes))
        axis.set_xticks(ticks, names, rotation=90, parse_math=False)
        axis.set_yticks(ticks, names, parse_math=False)
        for i, j in np.argwhere(table):
            color = "white" if table[i, j] > table.max() / 2 else "black"
            axis.text(j, i, str(table[i, j]), ha="center", va="center", color=color)
    axis.set(xlabel="what the network says", ylabel="what it is")
