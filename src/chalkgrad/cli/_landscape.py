"""``chalkgrad landscape``: the loss around a network that was trained before."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from chalkgrad._core import check
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli import _trained as trained
from chalkgrad.cli._options import LandscapeOptions
from chalkgrad.cli._output import refuse_existing, run_of, save_picture

__all__ = ["run"]


def run(options: LandscapeOptions) -> int:
    """Run the command; return its exit code."""
    most = check.integer("landscape", "rows", options.rows, low=1)
    cg, network = examples.backend(options), trained.load(options)
    path = (
        Path(options.output) if options.output else Path(options.run) / "landscape.png"
    )
    refuse_existing(options, path, run_of(path))
    x, labels, table = trained.held_out(options, network)
    net, w, loss = network.net, network.w, cg.losses.cross_entropy
    # Rows from all over the file, for files are often sorted.
    rows = np.linspace(0, len(x) - 1, min(most, len(x))).astype(int)
    plane = cg.landscape.directions(net, w, rng=options.seed)
    heights = cg.asnumpy(
        cg.landscape.loss_grid(
            net,
            w,
            x[rows],
            labels[rows],
            loss,
            plane,
            radius=options.radius,
            points=options.points,
        )
    )
    if options.data:
        examples.describe(options, table)
    save_picture(options, _draw(heights, options.radius), path)
    middle = heights[options.points // 2, options.points // 2]
    show.console().print(
        f"Loss of {len(rows)} examples: {middle:.4f} at the network, "
        f"{heights.min():.4f} to {heights.max():.4f} around it. Saved {path}"
    )
    return 0


def _draw(heights: examples.Array, radius: float) -> Figure:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axis = figure.subplots()
    offsets = np.linspace(-radius, radius, len(heights))
    levels = np.geomspace(max(heights.min(), 1e-12), heights.max() * (1 + 1e-9), 20)
    filled = axis.contourf(offsets, offsets, heights, levels=levels, norm="log")
    axis.contour(offsets, offsets, heights, levels=levels, colors="white", alpha=0.3)
    axis.plot(0, 0, "o", color="white", markeredgecolor="black")
    axis.set(xlabel="along the second direction", ylabel="along the first", aspect=1)
    bar = figure.colorbar(filled, label="loss, nats")
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:.2g}")
    return figure
