"""The loop round network, loss and optimizer."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, Generic, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import convert_frame
from chalkgrad._core.random import Rng, as_generator
from chalkgrad._core.rows import iter_minibatches
from chalkgrad._core.types import (
    ArrayOrFrame,
    ArrayT,
    Group,
    Loss,
    Model,
    Optimizer,
)
from chalkgrad.training._callbacks import Callback, CallbackHook, check_callbacks
from chalkgrad.training._checkpoints import (
    CheckpointManager,
    run_fingerprint,
    sample_digest,
)
from chalkgrad.training._log import Log
from chalkgrad.training._processes import DataParallel, SingleProcess
from chalkgrad.training._progress import ProgressBar, is_shown
from chalkgrad.training._state import EarlyStopping, Epoch, Hook, TrainingState
from chalkgrad.training._step import (
    WeightedTruth,
    check_examples,
    check_weights,
    count_examples,
    has_classes,
    is_finite,
    make_plan,
)
from chalkgrad.training.evaluate import evaluate

__all__ = ["FitResult", "fit"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class FitResult(NamedTuple, Generic[ArrayT]):
    """What `fit` did; NumPy arrays and floats in both backends, but for `w`.

    Only epochs that were completed are listed. With $m$ networks at once, every row has
    $m$ numbers instead of one.
    """

    w: ArrayT
    """The weights reached, an array of the backend."""
    loss: Array
    """The mean loss while an epoch ran, shape (epochs,) or (epochs, m)."""
    validation_loss: Array | None
    """The loss on `validation` after each epoch."""
    validation_accuracy: Array | None
    """The accuracy on `validation` after each epoch, if its labels are class ids."""
    steps: int
    """How often the optimizer stepped."""
    seconds: float
    """How long it took."""
    stopped: str
    """How it ended: ``"finished"``, ``"early"``, ``"interrupted"``, ``"diverged"``,
    or ``"callback"`` if one of those has stopped it."""


def fit(
    net: Model,
    w: ArrayT,
    x: ArrayOrFrame,
    y: ArrayOrFrame,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    weights: ArrayOrFrame | None = None,
    rng: Rng = 0,
    validation: tuple[ArrayOrFrame, ArrayOrFrame] | None = None,
    patience: int | None = None,
    checkpoints: str | Path | None = None,
    keep: int = 3,
    resume: bool = False,
    log: str | Path | None = None,
    precision: str = "full",
    callbacks: Sequence[Callback] = (),
    group: Group | None = None,
    progress: bool | None = None,
) -> FitResult[ArrayT]:
    r"""Train: $w \leftarrow \text{step}(w, \nabla L_B(w))$, batch $B$ after batch.

    An epoch deals out every example once, in an order that is drawn anew; without
    `batch_size` all examples are one batch. NumPy draws the order, so both backends see
    the same batches.

    Ctrl-C lets the running step finish and returns what there is; a second one raises
    KeyboardInterrupt. If the loss or a gradient is no longer finite, training stops
    too, and `w` is the last one where they were; of $m$ networks, the first to diverge
    stops all.

    With `checkpoints`, a run that was killed goes on with `resume` as if nothing had
    been: given the same arguments, on the same kind of processor with as many threads,
    to the same weights bit for bit; on a GPU, if PyTorch is told to use deterministic
    algorithms. `epochs` and the rate of the optimizer may be
    others than before, but not the kind of its schedule (of a function of your own,
    nobody can tell), nor its other options.

    With `group`, its processes train one network: each is given the same arguments (but
    callbacks of its own: if one stops, all stop), takes its share of every batch, and
    ends with the weights that one process would reach by itself, but for the last bits.
    The first of them writes the files.

    Parameters
    ----------
    net : Network
        What to train.
    w : Array of shape (size,) or (m, size)
        Where to start. It stays as it is.
    x : Array of shape (n, d), or LazyRows
        The examples; of `cg.data.load`'s lazy rows, a batch at a time is in memory.
    y : Array of shape (n, ...)
        Their labels or targets, as `loss` takes them.
    loss : callable
        A loss of this backend, such as ``cg.losses.cross_entropy``.
    optimizer : Optimizer
        The rule for stepping.
    epochs : int
        How often to go through the examples; 1 or more.
    batch_size : int, optional
        How many examples to a step; by default all.
    weights : Array of shape (n,), optional
        What each example counts, as the loss takes it: the mean over a batch, and over
        an epoch, divides by what all count. What is validated on counts 1 each.
    rng : int or numpy.random.Generator
        Where the shuffling comes from.
    validation : (Array, Array), optional
        Other examples and their labels, to measure on after every epoch.
    patience : int, optional
        Stop early, after so many epochs without a lower loss on `validation`. Whatever
        ends the training, `w` is then the one for which that loss was lowest.
    checkpoints : str or Path, optional
        A folder for checkpoints: one at the start, after each epoch, and after Ctrl-C;
        see `cg.checkpoints`.
    keep : int
        How many of them to keep; 1 or more.
    resume : bool
        Go on from the newest checkpoint that is whole, if there is any.
    log : str or Path, optional
        A file that gets a line after each epoch: epoch, step, seconds, the rate that
        the optimizer was given for the last step, the loss, and what was measured on
        `validation`. Its name ends in ``.csv`` or ``.jsonl``.
    precision : "full", "tf32" or "bf16"
        Of the matrix products, as in `net.plan`.
    callbacks : sequence of Callback
        Code of your own: each is called after every step and after every epoch, sees
        epoch, step, weights and metrics, and may stop the run. What one raises comes
        out of `fit`, once a checkpoint is written; the error's `fit_result` is the
        `FitResult` until then, and `resume` goes on from there.
    group : interop.Processes, optional
        The processes that train together, as ``interop.process_group()`` joins them; by
        default, this one by itself.
    progress : bool, optional
        Whether to show a bar, which needs rich. By default, if rich is installed and
        stderr is a terminal.

    Returns
    -------
    FitResult
        The weights, the loss after each epoch, and why it ended.

    Raises
    ------
    TypeError, ShapeError, ValueError, IndexError
        What `net` and `loss` raise on `x`, `y` or `validation`, before the first step;
        if `epochs`, `batch_size`, `patience` or `keep` is not a whole number above 0;
        if `rng` is not a seed; if a callback lacks a method, or it can't be called with
        one argument; if there is `patience` without `validation`, or with
        many networks; if `log` has another ending; if `group` is no group of processes,
        or its processes were given different arguments.
    CheckpointError, FileExistsError
        Without `resume`: if there are checkpoints, or a log, already. With it: if no
        checkpoint is whole, or they are of another run; it says what differs; if
        `log` is there without a checkpoint, or is no log of `fit`.
    OSError
        If a checkpoint or the log can't be written.
    ImportError
        If `progress` is True and rich is not installed.

    References
    ----------
    Steps along noisy gradients: [Robbins and Monro (1951)][robbinsmonro1951].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, targets = cg.data.line(100, noise=0)
    >>> net = cg.network([1, 1])
    >>> result = cg.training.fit(
    ...     net,
    ...     net.init(scheme="zeros"),
    ...     x,
    ...     targets,
    ...     loss=cg.losses.mse,
    ...     optimizer=cg.optimizers.sgd(0.1),
    ...     epochs=20,
    ...     batch_size=10,
    ... )
    >>> result.w  # the line is y = 2 x + 1
    array([2., 1.])
    >>> result.stopped, result.steps
    ('finished', 200)
    """
    epochs = check.integer("fit", "epochs", epochs, low=1)
    if batch_size is not None:
        batch_size = check.integer("fit", "batch_size", batch_size, low=1)
    keep = check.integer("fit", "keep", keep, low=1)
    resume = check.boolean("fit", "resume", resume)
    if progress is not None:
        check.boolean("fit", "progress", progress)
    for name, place in {"checkpoints": checkpoints, "log": log}.items():
        if place is not None:
            check.path("fit", name, place)
    check.optimizer("fit", optimizer)
    if resume and checkpoints is None:
        raise ValueError("fit: `resume` needs `checkpoints`, the folder they are in.")
    callbacks = check_callbacks(callbacks)
    rng = as_generator("fit", rng)
    x, y = convert_frame("fit", "x", x, w), convert_frame("fit", "y", y, w)
    n = check_examples("fit", net, w, x, y, loss)
    truth: Any = y
    if weights is not None:
        weights = convert_frame("fit", "weights", weights, w)
        check_weights("fit", weights, n)
        truth = WeightedTruth(y, weights)
    if validation is not None:
        validation = _check_validation(net, w, validation, loss)
    if patience is not None:
        _check_patience(patience, w, validation)

    plan = make_plan(net, w, loss, optimizer, batch_size or n, precision)
    processes = SingleProcess(plan) if group is None else DataParallel(plan, group)
    state = TrainingState(plan, optimizer, rng)
    fingerprint: dict[str, Any] = {}
    if not (checkpoints is None and group is None):
        fingerprint = run_fingerprint(
            net, w, x, y, validation, loss, optimizer, plan.state, batch_size, rng
        ) | {"precision": precision}
        if weights is not None:
            fingerprint["weights"] = sample_digest(weights)
    manager = None
    if checkpoints is not None:
        manager = CheckpointManager(checkpoints, keep, fingerprint, processes.size)
    lines = None if log is None else Log(log)
    _restore(state, manager, lines, resume=resume)
    processes.assert_same_config(
        fingerprint | {"epochs": epochs, "patience": patience, "step": state.steps}
    )

    def batches() -> Iterable[tuple[Any, Any]]:
        if batch_size is None:
            mine = processes.shard(0, n)
            return [(x[mine], truth[mine])]
        return iter_minibatches(x, truth, batch_size, rng, processes.shard)

    part = validation and processes.shard_data(*validation)
    count = count_examples(x, truth)

    def measure() -> Epoch:
        judged = evaluate(net, state.weights, part, loss, processes)
        return Epoch(state.total / count, *judged)

    bar: Any = nullcontext()
    if is_shown(progress) and processes.is_main:
        bar = ProgressBar(epochs, count)
    own = CallbackHook(callbacks, processes)
    hooks: list[Hook | None] = [
        lines if processes.is_main else None,
        EarlyStopping(patience) if patience else None,
        manager if processes.is_main else None,
        bar if isinstance(bar, ProgressBar) else None,
        own if processes.all_reduce_max(len(callbacks)) else None,
    ]
    with np.errstate(all="ignore"), _graceful_interrupt(processes.presses), bar:
        used = [hook for hook in hooks if hook]
        stopped = _train(state, batches, measure, processes, used, epochs)
    # Nobody goes on before all is written.
    processes.assert_same_config({"end": (stopped, state.steps)})
    result = _result(state, stopped, validation)
    own.raise_error(result)
    return result


def _train(
    state: TrainingState,
    batches: Callable[[], Iterable[tuple[Any, Any]]],
    measure: Callable[[], Epoch],
    processes: SingleProcess,
    hooks: list[Hook],
    epochs: int,
) -> str:
    """Train up to the last epoch, unless something stops it; return what did."""
    state.start()
    # A GPU may run ahead if nobody looks at single steps.
    is_unwatched = processes.size == 1 and not any(
        type(hook).on_step is not Hook.on_step for hook in hooks
    )
    try:
        for hook in hooks:
            hook.on_start(state)
        while len(state.history) < epochs and not state.stop_reason:
            for xs, ys in islice(batches(), state.batches, None):
                if processes.is_interrupted:
                    state.stop("interrupted")
                if state.stop_reason:
                    break
                if is_unwatched:
                    state.advance(xs, ys, processes.gradient)
                    continue
                state.update(*processes.gradient(xs, ys))
                for hook in hooks:
                    hook.on_step(state)
                if state.is_broken:
                    break
            else:  # the epoch is whole
                state.read(processes.gradient)
                _check_finite(state)
                processes.assert_weights_in_sync()
                state.end_epoch(measure())
                for hook in hooks:
                    hook.on_epoch_end(state)
        state.read(processes.gradient)
        _check_finite(state)
        for hook in hooks:
            hook.on_stop(state)
    except check.DivergedError:
        return "diverged"
    is_whole = len(state.history) >= epochs
    return "finished" if is_whole else str(state.stop_reason)


def _check_finite(state: TrainingState) -> None:
    if not is_finite(state.plan.w):
        raise check.DivergedError("fit")


def _result(state: TrainingState, stopped: str, validation: Any) -> FitResult[Any]:
    losses, validation_losses, accuracies = (
        np.array([epoch[i] for epoch in state.history]) for i in range(3)
    )
    w = state.last_finite if stopped == "diverged" else state.weights
    return FitResult(
        w if state.best is None else state.best,
        losses,
        validation_losses if validation else None,
        accuracies if validation and has_classes(validation[1]) else None,
        state.steps,
        state.seconds,
        stopped,
    )


def _restore(
    state: TrainingState,
    manager: CheckpointManager | None,
    log: Log | None,
    *,
    resume: bool,
) -> None:
    """Bring a state to the last checkpoint, if the run shall go on from one."""
    found = manager.find_checkpoint(resume=resume) if manager else None
    if log and found:
        log.check_same_log()
    elif log:
        log.refuse_existing(resume=resume)
    if manager and found:
        manager.restore(found, state)


def _check_validation(
    net: Model, w: Any, validation: Any, loss: Loss
) -> tuple[Any, Any]:
    """Return examples to validate on, if the network and the loss take them."""
    x, y = (
        convert_frame("fit", "validation", one, w)
        for one in check.pair("fit", "validation", validation)
    )
    check_examples("fit", net, w, x, y, loss)
    return x, y


def _check_patience(patience: Any, w: Any, validation: Any) -> None:
    """Raise unless there is one loss to watch."""
    check.integer("fit", "patience", patience, low=1)
    if validation is None:
        raise ValueError("fit: `patience` needs `validation`, whose loss it watches.")
    if len(w.shape) != 1:
        raise check.ShapeError(
            "fit: `patience` needs `w` of one network, shape (size,), got "
            f"{tuple(w.shape)}; train each w[i] by itself."
        )


@contextmanager
def _graceful_interrupt(presses: list[int]) -> Iterator[None]:
    """Gather the first Ctrl-C in a list; let the second one through."""

    def press(number: int, _: FrameType | None) -> None:
        if presses:
            raise KeyboardInterrupt
        presses.append(number)

    # Python hands signals to the main thread only.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
