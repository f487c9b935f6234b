"""``chalkgrad find-lr``: the range test."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli._options import FindLrOptions
from chalkgrad.cli._output import output_folder, save_picture

__all__ = ["run"]


def run(options: FindLrOptions) -> int:
    """Run the command; return its exit code."""
    cg, output = examples.backend(options), Path(options.output)
    with output_folder(options, "find-lr.png"):
        problem = examples.load_problem(options)
        found = cg.training.find_lr(
            problem.net,
            problem.net.init(options.seed, dtype=options.dtype, device=options.device),
            problem.x,
            problem.labels,
            loss=cg.losses.cross_entropy,
            optimizer=examples.rule(options, problem.net),
            low=options.low,
            high=options.high,
            steps=options.steps,
            batch_size=options.batch_size,
            rng=options.seed,
        )
        save_picture(options, _draw(found), output / "find-lr.png")
    show.console().print(
        f"Try --lr {found.lr:.2g}: a tenth of the rate with the least loss.\n"
        f"Saved in {output}: find-lr.png"
    )
    return 0


def _draw(found: Any) -> Figure:
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.plot(found.rates, found.losses)
    axis.axvline(found.lr, color="C1", label=f"suggested: {found.lr:.2g}")
    axis.set(xscale="log", xlabel="learning rate", ylabel="loss after the step, nats")
    axis.legend()
    return figure
