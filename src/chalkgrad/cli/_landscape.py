"""``chalkgrad landscape``: the loss around a network that was trained before."""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from chalkgrad._core import check
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli import _trained as trained

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Run the command; return its exit code."""
    most = check.integer("landscape", "rows", args.rows, low=1)
    cg, network = examples.half(args), trained.load(args)
    x, labels = trained.held_out(args, network)
    net, w, loss = network.net, network.w, cg.losses.cross_entropy
    # Rows from all over the file, for files are often sorted.
    rows = np.linspace(0, len(x) - 1, min(most, len(x))).astype(int)
    plane = cg.landscape.directions(net, w, rng=args.seed)
    heights = cg.asnumpy(
        cg.landscape.slice(
            net,
            w,
            x[rows],
            labels[rows],
            loss,
            plane,
            radius=args.radius,
            points=args.points,
        )
    )
    path = Path(args.output) if args.output else Path(args.run) / "landscape.png"
    show.save(_drawn(heights, args.radius), path)
    middle = heights[args.points // 2, args.points // 2]
    show.console().print(
        f"Loss of {len(rows)} examples: {middle:.4f} at the network, "
        f"{heights.min():.4f} to {heights.max():.4f} around it. Saved {path}"
    )
    return 0


def _drawn(heights: examples.Array, radius: float) -> Figure:
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
