"""``chalkgrad find-lr``: the range test."""

import argparse
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Run the command; return its exit code."""
    cg, output = examples.half(args), Path(args.output)
    with examples.claimed(output):
        dealt = examples.dealt(args)
        found = cg.training.find_lr(
            dealt.net,
            dealt.net.init(args.seed, dtype=args.dtype, device=args.device),
            dealt.x,
            dealt.labels,
            loss=cg.losses.cross_entropy,
            optimizer=getattr(cg.optimizers, args.optimizer),
            low=args.low,
            high=args.high,
            steps=args.steps,
            batch_size=args.batch_size,
            rng=args.seed,
        )
        show.save(_drawn(found), output / "find-lr.png")
    show.console().print(
        f"Try --lr {found.lr:.2g}: a tenth of the rate with the least loss.\n"
        f"Saved in {output}: find-lr.png"
    )
    return 0


def _drawn(found: Any) -> Figure:
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.plot(found.rates, found.losses)
    axis.axvline(found.lr, color="C1", label=f"suggested: {found.lr:.2g}")
    axis.set(xscale="log", xlabel="learning rate", ylabel="loss after the step, nats")
    axis.legend()
    return figure
