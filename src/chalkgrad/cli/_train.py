"""``chalkgrad train``: learn, test, show the mistakes, and keep the network."""

import argparse
import math
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli import _trained as trained
from chalkgrad.cli._trained import Trained, outputs
from chalkgrad.training._shared import Trace

__all__ = ["EXIT", "Learned", "learn", "optimizer", "run"]

EXIT = {"finished": 0, "early": 0, "diverged": 1, "interrupted": 130}
CHECKPOINTS = "checkpoints"  # while it trains, and after Ctrl-C
ADAPTIVE = ("adadelta", "dog", "prodigy")  # the rate is a factor to what they find


class Learned(NamedTuple):
    """A trained network, how that went, and what to test it on."""

    trained: Trained
    trace: Trace
    x: Any
    labels: Any


def run(args: argparse.Namespace) -> int:
    """Run the command; return its exit code."""
    with _group(args) as group:
        _refuse_another(args)
        if group is None or group.rank == 0:
            stopped = _write(args, group)
        else:
            stopped = learn(args, group).trace.stopped
        if group is not None:  # torchrun ends all when the first one fails
            group.gather([0])
    return EXIT[stopped]


def _write(args: argparse.Namespace, group: Any) -> str:
    """Learn, write the network, and tell how it went; return how it ended."""
    output = Path(args.output)
    with examples.claimed(output):
        learned = learn(args, group)
        trained.save(output, learned.trained)
    _report(args, learned)
    show.console().print(f"Saved in {output}: {trained.FILE}, curves.png, mistakes.png")
    stopped = learned.trace.stopped
    restarts = group is not None and stopped == "diverged"  # by torchrun
    if stopped != "interrupted" and not restarts:
        checkpoints.clear(output / CHECKPOINTS)  # nobody needs to go on from there
    return stopped


def _group(args: argparse.Namespace) -> AbstractContextManager[Any]:
    """Join the processes that torchrun has started, if it has."""
    if "WORLD_SIZE" not in os.environ:
        return nullcontext()
    from chalkgrad.interop import process_group

    return process_group(args.device)


def _refuse_another(args: argparse.Namespace) -> None:
    """Keep what another training has left, unless this one goes on with it."""
    left = [path for path in (Path(args.output) / CHECKPOINTS,) if path.is_dir()]
    left += [Path(args.log)] if args.log and Path(args.log).exists() else []
    if left and not args.resume:
        raise FileExistsError(
            f"train: {left[0]} is there from another training; go on with that by "
            "--resume, or write elsewhere."
        )


def learn(args: argparse.Namespace, group: Any = None) -> Learned:
    """Train as the options say, alone or in a group of processes."""
    cg, dealt = examples.half(args), examples.dealt(args)
    trace = cg.training.fit(
        dealt.net,
        dealt.net.init(args.seed, dtype=args.dtype, device=args.device),
        dealt.x,
        dealt.labels,
        loss=cg.losses.cross_entropy,
        optimizer=optimizer(args, len(dealt.labels)),
        epochs=args.epochs,
        batch_size=args.batch_size,
        rng=args.seed,
        validation=dealt.held_out,
        precision=args.precision,
        patience=args.patience,
        checkpoints=Path(args.output) / CHECKPOINTS,
        resume=args.resume,
        log=args.log,
        group=group,
    )
    done = Trained(
        dealt.net,
        trace.w,
        dealt.scaled,
        dealt.classes,
        dealt.are_grey,
        trained.source(args),
    )
    return Learned(done, trace, *dealt.held_out)


def optimizer(args: argparse.Namespace, n: int) -> Any:
    """Make the optimizer that the options name, for `n` examples."""
    optimizers = examples.half(args).optimizers
    made = getattr(optimizers, args.optimizer)(_rate(args, n))
    if args.clip is not None:
        made = optimizers.clipped(made, norm=args.clip)
    if args.average is not None:
        made = optimizers.averaged(made, decay=args.average)
    return made


def _rate(args: argparse.Namespace, n: int) -> Any:
    """Return the rate, or how it changes."""
    schedules = examples.half(args).schedules
    lr = args.lr
    if lr is None:
        lr = 1.0 if args.optimizer in ADAPTIVE else 0.01
    steps = max(args.epochs, 1) * math.ceil(n / max(args.batch_size, 1)) - args.warmup
    if args.schedule == "constant" and not args.warmup:
        return lr
    if steps < 1:
        raise ValueError(
            f"train: --warmup {args.warmup} must be shorter than the training, which "
            f"has {steps + args.warmup} steps."
        )
    made = {
        "constant": lambda: schedules.constant(lr),
        "cosine": lambda: schedules.cosine(lr, steps=steps),
        # To a hundredth at the end; by tenths, in three parts.
        "exponential": lambda: schedules.exponential(lr, rate=math.log(100) / steps),
        "step": lambda: schedules.step(lr, every=-(-steps // 3), factor=0.1),
        "one_cycle": lambda: schedules.one_cycle(lr, steps=steps),
    }[args.schedule]()
    return schedules.warmup(made, steps=args.warmup) if args.warmup else made


def _report(args: argparse.Namespace, learned: Learned) -> None:
    """Print how it went, and draw it."""
    (done, trace, x, labels), to = learned, show.console()
    cg = examples.half(args)
    if trace.stopped == "diverged":
        to.print("The loss left the finite numbers; try a smaller --lr.")
    if trace.stopped == "interrupted":
        to.print("Interrupted; this is how far it came. --resume goes on.")
    if trace.stopped == "early":
        to.print("Stopped early, with the weights that were best on held-out examples.")
    truth, named = cg.asnumpy(labels), outputs(done, cg, x).argmax(-1)
    right, total = int((named == truth).sum()), len(truth)
    to.print(
        f"{right / total:.2%} of {total} held-out examples right "
        f"({args.half}, {len(trace.loss)} epochs, {trace.steps} steps, "
        f"{trace.seconds:.1f} s)"
    )
    show.confusion(done.classes, truth, named)
    output = Path(args.output)
    show.save(show.curves(trace), output / "curves.png")
    show.save(show.mistakes(done, cg, x, truth, named), output / "mistakes.png")
