"""``chalkgrad train``: learn, test, show the mistakes, and keep the network."""

import math
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli import _trained as trained
from chalkgrad.cli._options import TrainOptions
from chalkgrad.cli._output import (
    output_folder,
    refuse_existing,
    run_options,
    save_picture,
)
from chalkgrad.cli._trained import Trained
from chalkgrad.training import FitResult

__all__ = ["EXIT", "Learned", "learn", "optimizer", "run"]

EXIT = {"finished": 0, "early": 0, "diverged": 1, "interrupted": 130}
CHECKPOINTS = "checkpoints"  # while it trains, and after Ctrl-C
PICTURES = ("curves.png", "mistakes.png")
ADAPTIVE = ("adadelta", "dog", "prodigy")  # the rate is a factor to what they find


class Learned(NamedTuple):
    """A trained network, how that went, and what to test it on."""

    trained: Trained
    result: FitResult[Any]
    x: Any
    labels: Any


def run(options: TrainOptions) -> int:
    """Run the command; return its exit code."""
    with _group(options) as group:
        _refuse_another(options)
        if group is None or group.rank == 0:
            stopped = _write(options, group)
        else:
            stopped = learn(options, group).result.stopped
        if group is not None:  # torchrun ends all when the first one fails
            group.gather([0])
    return EXIT[stopped]


def _write(options: TrainOptions, group: Any) -> str:
    """Learn, write the network, and tell how it went; return how it ended."""
    output = Path(options.output)
    with output_folder(options):
        learned = learn(options, group)
        trained.save(output, learned.trained)
    _report(options, learned)
    show.console().print(f"Saved in {output}: {trained.FILE}, curves.png, mistakes.png")
    stopped = learned.result.stopped
    restarts = group is not None and stopped == "diverged"  # by torchrun
    if stopped != "interrupted" and not restarts:
        checkpoints.clear(output / CHECKPOINTS)  # nobody needs to go on from there
    return stopped


def _group(options: TrainOptions) -> AbstractContextManager[Any]:
    """Join the processes that torchrun has started, if it has."""
    if "WORLD_SIZE" not in os.environ:
        return nullcontext()
    from chalkgrad.interop import process_group

    return process_group(options.device)


def _refuse_another(options: TrainOptions) -> None:
    """Keep what another training has left, unless this one goes on with it."""
    output = Path(options.output)
    left = [path for path in (output / CHECKPOINTS,) if path.is_dir()]
    left += [Path(options.log)] if options.log and Path(options.log).exists() else []
    if left and not options.resume:
        raise FileExistsError(
            f"train: {left[0]} is there from another training; go on with that by "
            "--resume, or write elsewhere."
        )
    if options.resume and checkpoints.list_checkpoints(output / CHECKPOINTS):
        return  # whether it is the same run, `fit` will see
    for name in (trained.FILE, *PICTURES):
        refuse_existing(options, output / name, trained.run_of(output))


def learn(options: TrainOptions, group: Any = None) -> Learned:
    """Train as the options say, alone or in a group of processes."""
    cg, problem = examples.backend(options), examples.load_problem(options)
    result = cg.training.fit(
        problem.net,
        problem.net.init(options.seed, dtype=options.dtype, device=options.device),
        problem.x,
        problem.labels,
        loss=cg.losses.cross_entropy,
        optimizer=optimizer(options, problem.net, len(problem.labels)),
        epochs=options.epochs,
        batch_size=options.batch_size,
        rng=options.seed,
        validation=problem.held_out,
        precision=options.precision,
        patience=options.patience,
        checkpoints=Path(options.output) / CHECKPOINTS,
        resume=options.resume,
        log=options.log,
        group=group,
    )
    done = Trained(
        problem.net,
        result.w,
        problem.scaling,
        problem.examples.classes,
        problem.examples.are_grey,
        problem.examples.table.reading,
        trained.source(options),
        run_options(options),
    )
    return Learned(done, result, *problem.held_out)


def optimizer(options: TrainOptions, net: Any, n: int) -> Any:
    """Make the optimizer that the options name, for `n` examples."""
    optimizers = examples.backend(options).optimizers
    made = examples.rule(options, net)(_rate(options, n))
    if options.clip is not None:
        made = optimizers.clip(made, norm=options.clip)
    if options.average is not None:
        made = optimizers.ema(made, decay=options.average)
    return made


def _rate(options: TrainOptions, n: int) -> Any:
    """Return the rate, or how it changes."""
    schedules = examples.backend(options).schedules
    lr = options.lr
    if lr is None:
        lr = 1.0 if options.optimizer in ADAPTIVE else 0.01
    steps = (
        max(options.epochs, 1) * math.ceil(n / max(options.batch_size, 1))
        - options.warmup
    )
    if options.schedule == "constant" and not options.warmup:
        return lr
    if steps < 1:
        raise ValueError(
            f"train: --warmup {options.warmup} must be shorter than the training, "
            f"which has {steps + options.warmup} steps."
        )
    made = {
        "constant": lambda: schedules.constant(lr),
        "cosine": lambda: schedules.cosine(lr, steps=steps),
        # To a hundredth at the end; by tenths, in three parts.
        "exponential": lambda: schedules.exponential(lr, rate=math.log(100) / steps),
        "step": lambda: schedules.step(lr, every=-(-steps // 3), factor=0.1),
        "one_cycle": lambda: schedules.one_cycle(lr, steps=steps),
    }[options.schedule]()
    return schedules.warmup(made, steps=options.warmup) if options.warmup else made


def _report(options: TrainOptions, learned: Learned) -> None:
    """Print how it went, and draw it."""
    (done, result, x, labels), to = learned, show.console()
    cg = examples.backend(options)
    if result.stopped == "diverged":
        to.print("The loss left the finite numbers; try a smaller --lr.")
    if result.stopped == "interrupted":
        to.print("Interrupted; this is how far it came. --resume goes on.")
    if result.stopped == "early":
        to.print("Stopped early, with the weights that were best on held-out examples.")
    truth = cg.asnumpy(labels)
    named = cg.asnumpy(cg.training.predict(done.net, done.w, x))
    right, total = int((named == truth).sum()), len(truth)
    to.print(
        f"{right / total:.2%} of {total} held-out examples right "
        f"({options.backend}, {_count(len(result.loss), 'epoch')}, "
        f"{_count(result.steps, 'step')}, "
        f"{result.seconds:.1f} s)"
    )
    show.confusion(done.classes, truth, named)
    output = Path(options.output)
    save_picture(options, show.curves(result), output / PICTURES[0])
    mistakes = show.mistakes(done, cg, x, truth, named)
    save_picture(options, mistakes, output / PICTURES[1])


def _count(number: int, word: str) -> str:
    """Write a number and a word: ``2 epochs``."""
    return f"{number} {word}{'s' * (number != 1)}"
