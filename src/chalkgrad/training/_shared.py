"""Training, the same in both halves: the loop, and how well it did."""

import dataclasses
import importlib
import importlib.util
import math
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.either import constant, copied, ndarray
from chalkgrad._core.types import Optimizer, Schedule
from chalkgrad.data._shared import dealt, generator, portions, rows
from chalkgrad.training._log import Log
from chalkgrad.training._processes import Alone, Together
from chalkgrad.training._run import Epoch, History, Keeper, Run, described

__all__ = [
    "Check",
    "Rates",
    "SanityReport",
    "Trace",
    "accuracy",
    "confusion",
    "find_lr",
    "fit",
    "sanity_check",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class Trace(NamedTuple):
    """What `fit` did; NumPy arrays and floats in both halves, but for `w`.

    Only epochs that were completed are listed. With $m$ networks at once, every row has
    $m$ numbers instead of one.
    """

    w: Any
    """The weights reached, an array of the half."""
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
    """How it ended: ``"finished"``, ``"early"``, ``"interrupted"``, ``"diverged"``."""


class Check(NamedTuple):
    """One line of a `SanityReport`."""

    passed: bool | None
    """Whether the value is as expected; None if the question does not apply."""
    value: float
    """What was measured."""
    expected: str
    """What is well."""
    advice: str
    """What to do if it is not."""


class SanityReport(NamedTuple):
    """What `sanity_check` found; it prints as a table."""

    inputs_scaled: Check
    """Root mean square of the largest input, over the examples."""
    classes_balanced: Check
    """How much rarer the rarest class is than the commonest; inf if it is missing."""
    loss_at_start: Check
    """The loss of `w`; knowing nothing costs ln C for C classes."""
    gradient_right: Check
    """How far slopes by the gradient are from slopes by differences."""
    gradient_flows: Check
    """Size of a layer's gradient on three examples: the smallest over the largest."""
    units_respond: Check
    """Share of the worst hidden layer that is dead (ReLU) or saturated."""
    rows_apart: Check
    """How far an example's output changes when it comes alone."""
    batch_learned: Check
    """The loss on 8 examples after 200 steps on them."""
    labels_belong: Check
    """Loss on held-out examples, over the same with shuffled labels."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the checks that failed."""
        named = zip(self._fields, self, strict=True)
        return tuple(name for name, check in named if check.passed is False)

    def __repr__(self) -> str:
        lines = [f"{'check':18}{'passed':9}{'value':10}expected"]
        for name, (passed, value, expected, advice) in self._asdict().items():
            word = {True: "yes", False: "NO", None: "-"}[passed]
            shown = "<1e-6" if 0 <= value < 1e-6 else f"{value:.3g}"
            shown = "-" if passed is None else shown
            lines.append(f"{name:18}{word:9}{shown:10}{expected}".rstrip())
            if passed is False:
                lines.append(f"    -> {advice}")
        return "\n".join(lines)


class _Stop(Exception):  # noqa: N818 (nothing went wrong)
    """Why training ends before its last epoch."""


def fit(
    net: Any,
    w: Any,
    x: Any,
    y: Any,
    *,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    rng: Any = 0,
    validation: tuple[Any, Any] | None = None,
    patience: int | None = None,
    checkpoints: str | Path | None = None,
    keep: int = 3,
    resume: bool = False,
    log: str | Path | None = None,
    precision: str = "full",
    group: Any = None,
    progress: bool | None = None,
) -> Trace:
    r"""Train: $w \leftarrow \text{step}(w, \nabla L_B(w))$, batch $B$ after batch.

    An epoch deals out every example once, in an order that is drawn anew; without
    `batch_size` all examples are one batch. NumPy draws the order, so both halves see
    the same batches.

    Ctrl-C lets the running step finish and returns what there is; a second one raises
    KeyboardInterrupt. If the loss or a gradient is no longer finite, training stops
    too, and `w` is the last one where they were; of $m$ networks, the first to diverge
    stops all.

    With `checkpoints`, a run that was killed goes on with `resume` as if nothing had
    been: given the same arguments, on the same kind of processor with as many threads,
    to the same weights bit for bit. The rate of the optimizer and `epochs` may be
    others than before.

    With `group`, its processes train one network: each is given the same arguments,
    takes its share of every batch, and ends with the weights that one process would
    reach by itself, but for the last bits. The first of them writes the files.

    Parameters
    ----------
    net : Network
        What to train.
    w : Array of shape (size,) or (m, size)
        Where to start. It stays as it is.
    x : Array of shape (n, d), or Rows
        The examples; of `cg.data.load`'s lazy rows, a batch at a time is in memory.
    y : Array of shape (n, ...)
        Their labels or targets, as `loss` takes them.
    loss : callable
        A loss of this half, such as ``cg.losses.cross_entropy``.
    optimizer : Optimizer
        The rule for stepping.
    epochs : int
        How often to go through the examples; 1 or more.
    batch_size : int, optional
        How many examples to a step; by default all.
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
    group : interop.Processes, optional
        The processes that train together, as ``interop.process_group()`` joins them; by
        default, this one by itself.
    progress : bool, optional
        Whether to show a bar, which needs rich. By default, if rich is installed and
        stderr is a terminal.

    Returns
    -------
    Trace
        The weights, the loss after each epoch, and why it ended.

    Raises
    ------
    TypeError, ShapeError, ValueError, IndexError
        What `net` and `loss` raise on `x`, `y` or `validation`, before the first step;
        if `epochs`, `batch_size`, `patience` or `keep` is not a whole number above 0;
        if `rng` is not a seed; if there is `patience` without `validation`, or with
        many networks; if `log` has another ending; if `group` is no group of processes,
        or its processes were given different arguments.
    CheckpointError, FileExistsError
        Without `resume`: if there are checkpoints, or a log, already. With it: if no
        checkpoint is whole, or they are of another run; it says what differs; if
        `log` is there without a checkpoint, or is no log of `fit`. The options of the
        optimizer are not compared, so that a rate may be changed.
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
    >>> trace = cg.training.fit(
    ...     net,
    ...     net.init(scheme="zeros"),
    ...     x,
    ...     targets,
    ...     loss=cg.losses.mse,
    ...     optimizer=cg.optimizers.sgd(0.1),
    ...     epochs=20,
    ...     batch_size=10,
    ... )
    >>> trace.w  # the line is y = 2 x + 1
    array([2., 1.])
    >>> trace.stopped, trace.steps
    ('finished', 200)
    """
    epochs = check.integer("fit", "epochs", epochs, low=1)
    if batch_size is not None:
        batch_size = check.integer("fit", "batch_size", batch_size, low=1)
    keep = check.integer("fit", "keep", keep, low=1)
    resume = check.truth("fit", "resume", resume)
    if progress is not None:
        check.truth("fit", "progress", progress)
    for name, place in {"checkpoints": checkpoints, "log": log}.items():
        if place is not None:
            check.path("fit", name, place)
    check.optimizer("fit", optimizer)
    if resume and checkpoints is None:
        raise ValueError("fit: `resume` needs `checkpoints`, the folder they are in.")
    rng = generator("fit", rng)
    n = _check("fit", net, w, x, y, loss)
    if validation is not None:
        validation = check.two("fit", "validation", validation)
        _check("fit", net, w, *validation, loss)
    if patience is not None:
        _check_patience(patience, w, validation)

    step = _plan(net, w, loss, optimizer, batch_size or n, precision)
    team = Alone(step) if group is None else Together(step, group)

    def deal() -> Iterable[tuple[Any, Any]]:
        if batch_size is None:
            mine = team.share(0, n)
            return [(x[mine], y[mine])]
        return dealt(x, y, batch_size, rng, team.share)

    about: dict[str, Any] = {}
    if not (checkpoints is None and group is None):
        about = described(
            net, w, x, y, validation, loss, optimizer, step.state, batch_size, rng
        ) | {"precision": precision}
    keeper = (
        None if checkpoints is None else Keeper(checkpoints, keep, about, team.size)
    )
    run = Run(rng, optimizer.lr, keeper, None if log is None else Log(log))
    step.w[...], step.state = run.begin(step.w, step.state, resume=resume)
    rest = {"epochs": epochs, "patience": patience, "step": run.steps}
    team.agree(about | rest)
    if team.leads:
        run.open(step.w, step.state)
    else:
        run.keeper = run.log = None
    part = validation and team.part(*validation)

    good = copied(step.w)
    stopped = "finished"
    is_shown = _is_shown(progress) and team.leads
    bar = _bar(epochs, n) if is_shown else nullcontext(_silence)
    with np.errstate(all="ignore"), _ctrl_c(team.pressed), bar as tell:
        try:
            tell(len(run.history) * n, run.history)
            for _ in range(len(run.history), epochs):
                if patience and run.waited >= patience:
                    raise _Stop("early")
                for xs, ys in islice(deal(), run.batches, None):
                    if team.is_interrupted:
                        raise _Stop("interrupted")
                    value, examples = team.gradient(xs, ys)
                    good[...] = step.w
                    step.update()
                    run.count(ndarray(value).astype(np.float64), examples)
                    tell(examples, run.history)
                if not _is_finite(step.w):
                    raise check.DivergedError("fit")
                team.agree_on_weights()
                weights = optimizer.weights(step.w, step.state)
                judged = _judged(net, weights, part, loss, team)
                run.end_epoch(Epoch(run.total / n, *judged))
                if patience and run.waited == 0:
                    run.best = copied(weights)
                run.save(step.w, step.state)
                tell(0, run.history)
        except check.DivergedError:
            stopped = "diverged"
        except _Stop as stop:
            stopped = str(stop) if _is_finite(step.w) else "diverged"
            if stopped == "interrupted":
                run.save(step.w, step.state)
    team.agree({"end": (stopped, run.steps)})  # nobody goes on before all is written
    diverged = stopped == "diverged"
    w = good if diverged else optimizer.weights(step.w, step.state)
    losses, validation_losses, accuracies = (
        np.array([epoch[i] for epoch in run.history]) for i in range(3)
    )
    return Trace(
        w if run.best is None else run.best,
        losses,
        validation_losses if validation else None,
        accuracies if validation and _are_classes(validation[1]) else None,
        run.steps,
        run.seconds,
        stopped,
    )


class Rates(NamedTuple):
    """What `find_lr` measured; NumPy arrays in both halves."""

    rates: Array
    """The rates that were tried, growing: shape (k,), at most as many as `steps`."""
    losses: Array
    """The loss after the step with each: shape (k,)."""
    lr: float
    """The suggestion: a tenth of the rate after which the loss was least."""


def find_lr(
    net: Any,
    w: Any,
    x: Any,
    y: Any,
    *,
    loss: Callable[..., Any],
    optimizer: Callable[..., Optimizer],
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int | None = None,
    rng: Any = 0,
) -> Rates:
    r"""Try rates from low to high, one step each, and suggest one: the range test.

    $$\eta_t = \eta_\text{low}
    \left(\frac{\eta_\text{high}}{\eta_\text{low}}\right)^{t/(k-1)},
    \qquad t = 0, \dots, k-1$$

    It is one short training, in which the rate grows by the same factor at each step.
    While the rate is too small the loss stays, then it falls, then it flies up. The
    test ends there: when the loss is above 4 times the least so far, or not finite.

    The rule: suggest a tenth of the rate after which the loss was least. That is a
    place to begin a search, not the best rate: the test sees the start of training
    only.

    Parameters
    ----------
    net : Network
        What to train.
    w : Array of shape (size,)
        Where to start. It stays as it is.
    x : Array of shape (n, d)
        The examples.
    y : Array of shape (n, ...)
        Their labels or targets, as `loss` takes them.
    loss : callable
        A loss of this half, such as ``cg.losses.cross_entropy``.
    optimizer : callable
        A function that makes an optimizer of a rate, such as ``cg.optimizers.sgd``.
    low : float
        $\eta_\text{low}$, above 0.
    high : float
        $\eta_\text{high}$, above `low`.
    steps : int
        $k$, how many rates; 2 or more.
    batch_size : int, optional
        How many examples to a step; by default all. Each loss is measured on the batch
        that comes after its step.
    rng : int or numpy.random.Generator
        Where the shuffling comes from.

    Returns
    -------
    Rates
        The rates, the losses, and the suggestion.

    Raises
    ------
    TypeError, ShapeError, ValueError, IndexError
        What `net` and `loss` raise on `x` or `y`; if an argument is not as above; if
        no rate brought the loss below that of the start.

    References
    ----------
    [Smith (2017)][smith2017], where the rates grow in a straight line and a person
    reads the curve; the growth by a factor, the end and the rule are ours.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.moons(200)
    >>> net = cg.network([2, 16, 2])
    >>> found = cg.training.find_lr(
    ...     net,
    ...     net.init(),
    ...     x,
    ...     labels,
    ...     loss=cg.losses.cross_entropy,
    ...     optimizer=cg.optimizers.sgd,
    ... )
    >>> len(found.rates), round(found.lr, 2)
    (97, 0.38)
    """
    low = check.number("find_lr", "low", low, low=0, open_low=True)
    high = check.number("find_lr", "high", high, low=low, open_low=True)
    steps = check.integer("find_lr", "steps", steps, low=2)
    if batch_size is not None:
        batch_size = check.integer("find_lr", "batch_size", batch_size, low=1)
    rng = generator("find_lr", rng)
    check.one_network("find_lr", w)
    _check("find_lr", net, w, x, y, loss)
    rates = np.geomspace(low, high, steps)
    made = _made("find_lr", optimizer, lambda t: float(rates[t]))

    def deal() -> Iterator[tuple[Any, Any]]:
        while True:
            if batch_size is None:
                yield x[:], y
            else:
                yield from dealt(x, y, batch_size, rng)

    w = copied(w)
    state = made.init(w)
    losses: list[float] = []
    with np.errstate(all="ignore"):
        try:
            for xs, ys in islice(deal(), steps + 1):
                value, grad = _loss_and_grad(net, w, xs, ys, loss)
                losses.append(float(value))
                if losses[-1] > 4 * min(losses) or len(losses) > steps:
                    break
                w, state = made.step(w, grad, state)
        except check.DivergedError:
            pass
    if not losses:
        raise check.DivergedError("find_lr")
    start, *after = losses
    if not after or min(after) >= start:
        raise ValueError(
            f"find_lr: no rate from {low:g} to {high:g} brought the loss below "
            f"{start:g}, where it starts; give a smaller `low`, or another start."
        )
    tried, measured = rates[: len(after)], np.array(after)
    return Rates(tried, measured, float(tried[measured.argmin()]) / 10)


def accuracy(net: Any, w: Any, x: Any, labels: Any) -> float | Array:
    r"""Share of the examples whose class the network names.

    It names the class with the largest output; with one output, class 1 where that is
    above 0.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,) or (m, size)
        Its weights.
    x : Array of shape (n, d)
        The examples.
    labels : Array of int, of shape (n,)
        Their classes. With one output: 0 or 1, or -1 or 1, and shape (n, 1) will do.

    Returns
    -------
    float, or numpy.ndarray of shape (m,)
        From 0 to 1.

    Raises
    ------
    TypeError
        If `labels` is not an array of integers.
    IndexError
        If a label is not one of the network's classes.
    ShapeError, ValueError
        If `labels` does not have one class for each row of `x`, or if an output is nan;
        also as `net.forward`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.separable(100)
    >>> net = cg.network([2, 1])
    >>> cg.training.accuracy(net, cg.array([0.6, 0.8, -0.2]), x, labels)
    1.0
    """
    named, classes, _ = _classes("accuracy", net, w, x, labels)
    share = (named == classes).mean(axis=-1)
    return float(share) if share.ndim == 0 else share


def confusion(net: Any, w: Any, x: Any, labels: Any) -> Array:
    r"""Count who is taken for whom: row $i$, column $j$ is "class $i$, named $j$".

    What is on the diagonal is right.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,)
        Its weights.
    x : Array of shape (n, d)
        The examples.
    labels : Array of int, of shape (n,)
        Their classes, as in `accuracy`.

    Returns
    -------
    numpy.ndarray of int, shape (c, c)
        How many examples; a network with one output has two classes.

    Raises
    ------
    TypeError, IndexError, ShapeError, ValueError
        As `accuracy`; also if `w` is more than one network.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.separable(100)
    >>> net = cg.network([2, 1])
    >>> cg.training.confusion(net, cg.array([0.6, 0.8, -0.2]), x, labels)
    array([[50,  0],
           [ 0, 50]])
    """
    check.one_network("confusion", w)
    named, classes, count = _classes("confusion", net, w, x, labels)
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (classes, named), 1)
    return table


def sanity_check(
    net: Any,
    w: Any,
    x: Any,
    y: Any,
    *,
    loss: Callable[..., Any],
    optimizer: Optimizer | None = None,
    rng: Any = 0,
) -> SanityReport:
    r"""Look for the common mistakes before a long training.

    Nine questions, each cheap, and each one that real mistakes fail: about the data,
    about the start, and whether two hundred steps learn what they should. A check
    that fails is a reason to look, not a proof; one that passes proves little.

    The slope along a random direction $d$ is compared with the difference
    $\frac{L(w + hd) - L(w - hd)}{2h}$. It is computed in float64.

    Parameters
    ----------
    net : Network
        The model. One of your own will do, if it has `forward`, `loss_and_grad` and
        `layers`, as a network has; `units_respond` is then left out.
    w : Array of shape (size,)
        The weights that training would start from. They stay as they are.
    x : Array of shape (n, d)
        The examples, 8 or more.
    y : Array of shape (n, ...)
        Their labels or targets, as `loss` takes them.
    loss : callable
        A loss of this half, such as ``cg.losses.cross_entropy``.
    optimizer : Optimizer, optional
        The rule that training would use; by default Adam with rate 0.01.
    rng : int or numpy.random.Generator
        Where directions, examples and shufflings come from.

    Returns
    -------
    SanityReport
        A `Check` for each question: passed or not, the value, what was expected, and
        what to do.

    Raises
    ------
    TypeError, ShapeError, ValueError, IndexError
        What `net` and `loss` raise on `w`, `x` or `y`; if `w` is more than one network,
        if there are fewer than 8 examples, if `x` holds nan or an infinity, or if `rng`
        is not a seed.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.moons(200)
    >>> net = cg.network([2, 16, 2])
    >>> loss = cg.losses.cross_entropy
    >>> cg.training.sanity_check(net, net.init(), x, labels, loss=loss).failed
    ()
    >>> huge = 1000 * x  # somebody took metres for kilometres
    >>> report = cg.training.sanity_check(net, net.init(), huge, labels, loss=loss)
    >>> report.failed[:2]
    ('inputs_scaled', 'loss_at_start')
    >>> report.loss_at_start.expected
    '0.347 to 1.39'
    """
    where = "sanity_check"
    rng = generator(where, rng)
    n = rows(where, x=x, y=y)
    if n < 8:
        raise ValueError(f"{where}: `x` must have 8 rows or more, got {n}.")
    check.one_network(where, w)
    check.model(where, net)
    if optimizer is not None:
        check.optimizer(where, optimizer)
    check.real(where, "x", x)
    check.finite(where, "x", x)
    w, x, y = copied(w), constant(x), constant(y)
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    outputs = net.forward(w, x)
    plain = getattr(loss, "func", loss)  # smoothed labels can't be learned to 0
    chance, classes = _chance(plain, outputs, y), _are_classes(y)
    largest = float(((x**2).mean(0) ** 0.5).max())
    optimizer = optimizer or _adam(w)

    def learn(rows: Array, y: Any, epochs: int, **options: Any) -> Trace:
        shown = options | {"loss": loss, "optimizer": optimizer, "progress": False}
        return fit(net, w, x[rows], y[rows], epochs=epochs, **shown)

    order = rng.permutation(n)
    few, train, test = order[:8], order[: 2 * n // 3][:400], order[2 * n // 3 :][:400]
    walk = learn(few, y, 200)
    left = float(plain(net.forward(walk.w, x[few]), y[few]))

    def held_out(y: Any) -> float:
        losses = learn(train, y, 100, validation=(x[test], y[test])).validation_loss
        return float(min(losses, default=math.inf))  # type: ignore[arg-type]

    return SanityReport(
        inputs_scaled=_within(
            largest, 0.1, 10, "Scale the inputs, say to mean 0 and deviation 1."
        ),
        classes_balanced=_within(
            _rarity(outputs, y) if classes else None,
            1,
            10,
            "Weight or repeat the rare; judge by recall, not by accuracy.",
        ),
        loss_at_start=_within(
            float(plain(outputs, y)),
            chance / 2 if classes else 0,
            chance * 2 if classes else chance * 10,
            "Too high: scale inputs, targets or w. Too low: is y among the inputs?",
        ),
        gradient_right=_within(
            _slope_error(net, w, x, y, loss, rng, 1e-6 / max(1, largest)),
            0,
            1e-3,
            "Forward and backward pass do not match; or w is on a fold of the loss.",
        ),
        gradient_flows=_within(
            _flow(net, w, x[few[:3]], y[few[:3]], loss),
            1e-4,
            1,
            "Another start, another activation, normalisation, or skips.",
        ),
        units_respond=_within(
            _idle(net, w, x), 0, 0.7, "Scale inputs and w; look at the biases."
        ),
        rows_apart=_within(
            _change(net.forward(w, x[:1]), outputs[:1]),
            0,
            1e-3,
            "Something mixes the rows: a wrong axis, or batch normalisation.",
        ),
        batch_learned=_within(
            math.inf if walk.stopped == "diverged" else left,
            0,
            chance / 10,
            "Not even these can be learned: try another rate, look at the model.",
        ),
        labels_belong=_within(
            _quotient(held_out(y), held_out(y[rng.permutation(n)])) if n > 29 else None,
            0,
            0.9,
            "Are x and y still in the same order? Or is the task too hard?",
        ),
    )


def _classes(
    where: str, net: Any, w: Any, x: Any, labels: Any
) -> tuple[Array, Array, int]:
    """Return the classes that the network names, the true ones, how many there are."""
    check.model(where, net)
    n = rows(where, x=x, labels=labels)
    if check.dtype_name(labels) not in check.INTEGERS:
        raise TypeError(
            f"{where}: `labels` must be class ids, an array of integers, got "
            f"{check.dtype_name(labels)}."
        )
    parts = [ndarray(net.forward(w, xs)) for _, xs, _ in portions(x, labels)]
    outputs, true = np.concatenate(parts, axis=-2), ndarray(labels)
    if np.isnan(outputs).any():
        raise ValueError(
            f"{where}: an output of the network is nan, which names no class; look at "
            "`w` and `x`."
        )
    if outputs.shape[-1] == 1:
        named, count, low = (outputs[..., 0] > 0).astype(np.int64), 2, -1
        true = true[:, 0] if true.shape == (n, 1) else true
    else:
        named, count, low = outputs.argmax(axis=-1), outputs.shape[-1], 0
    if true.shape != (n,):
        raise check.ShapeError(
            f"{where}: `labels` must be one class for each row of `x`, shape ({n},), "
            f"got {true.shape}."
        )
    wanted = f"class ids go from 0 to {count - 1}, for the network has {count} classes"
    good = (true >= low) & (true < count)
    check.values(where, "labels", true, good, wanted, IndexError)
    return named, np.maximum(true, 0), count


def _within(value: float | None, low: float, high: float, advice: str) -> Check:
    """Check that `low` <= `value` <= `high`; None does not apply."""
    expected = f"{low:.3g} to {high:.3g}" if low else f"{high:.3g} or less"
    if value is None:
        return Check(None, math.nan, expected, advice)
    return Check(low <= value <= high, value, expected, advice)


def _adam(w: Any) -> Optimizer:
    """Return Adam in the half of `w`."""
    half = "torch" if hasattr(w, "detach") else "numpy"
    optimizers = importlib.import_module(f"chalkgrad.optimizers._{half}")
    adam: Optimizer = optimizers.adam(0.01)
    return adam


def _chance(loss: Callable[..., Any], outputs: Any, y: Any) -> float:
    """Return the loss of who knows nothing: outputs 0, or the mean of the targets."""
    constant = outputs * 0
    if getattr(loss, "__name__", "") in ("mse", "mae", "huber"):
        constant = constant + y.mean(0)
    return float(loss(constant, y))


def _rarity(outputs: Any, y: Any) -> float:
    """Divide the count of the commonest class by that of the rarest."""
    found, counts = np.unique(ndarray(y), return_counts=True)
    missing = len(found) < max(outputs.shape[-1], 2)
    return math.inf if missing else float(counts.max() / counts.min())


def _quotient(a: float, b: float) -> float:
    return math.inf if a == math.inf or b == 0 else a / b


def _rms(*arrays: Any) -> float:
    return math.sqrt(np.mean(np.concatenate([ndarray(a).ravel() for a in arrays]) ** 2))


def _slope_error(
    net: Any, w: Any, x: Any, y: Any, loss: Callable[..., Any], rng: Any, h: float
) -> float:
    """Compare slopes along five directions with central differences, in float64."""
    w, x, y = _double(w), _double(x), _double(y)
    value, grad = net.loss_and_grad(w, x, y, loss)
    slopes, differences = [], []
    for _ in range(5):
        drawn = rng.standard_normal(len(w))
        d = w.new_tensor(drawn) if hasattr(w, "detach") else drawn
        up, down = (net.loss_and_grad(w + s * d, x, y, loss)[0] for s in (h, -h))
        slopes.append(float((grad * d).sum()))
        differences.append(float(up - down) / (2 * h))
    error = _rms(np.subtract(slopes, differences))
    # Slopes that are lost in the rounding of the loss can't be judged.
    floor = 1e-12 / h * abs(float(value)) + 1e-30
    return error / (max(_rms(np.array(slopes)), _rms(np.array(differences))) + floor)


def _double(a: Any) -> Any:
    """Return real numbers as float64."""
    if check.dtype_name(a) in check.INTEGERS:
        return a
    return a.double() if hasattr(a, "detach") else a.astype(np.float64)


def _flow(net: Any, w: Any, x: Any, y: Any, loss: Callable[..., Any]) -> float:
    """Divide the least root mean square of a layer's gradient by the largest.

    Over all examples the errors may cancel at the outputs; those of three do not.
    """
    _, grad = net.loss_and_grad(w, x, y, loss)
    sizes = [_rms(W, b) for W, b in net.layers(grad)]
    return min(sizes) / max(sizes) if max(sizes) > 0 else 0.0


def _change(alone: Any, among: Any) -> float:
    """Return how far apart two outputs are, relative to their size."""
    return _rms(alone - among) / (_rms(among) + 1e-30)


def _idle(net: Any, w: Any, x: Any) -> float | None:
    """Return the share of idle units in the worst hidden layer, if that can be told.

    A ReLU is dead if it is 0 for every example. A tanh is saturated where its slope is
    below a hundredth, from 3 on; a sigmoid, being a tanh of half of it, from 6 on.
    """
    limit = {"relu": 0, "tanh": 3, "sigmoid": 6}.get(getattr(net, "activation", ""))
    if limit is None or len(net.sizes) < 3:
        return None
    shares = []
    for end in range(2, len(net.sizes)):
        first = dataclasses.replace(net, sizes=net.sizes[:end])  # it is a network too
        z = ndarray(first.forward(w[: first.size], x))
        shares.append((z <= 0).all(0).mean() if limit == 0 else (abs(z) > limit).mean())
    return float(max(shares))


def _made(where: str, optimizer: Any, lr: Schedule) -> Optimizer:
    """Return the optimizer that a function makes of a rate."""
    made = optimizer(lr) if callable(optimizer) else None
    if not isinstance(made, Optimizer):
        raise TypeError(
            f"{where}: `optimizer` must be a function that makes an optimizer of a "
            f"rate, got {type(optimizer).__name__}; give cg.optimizers.sgd itself, and "
            "options with functools.partial(cg.optimizers.sgd, momentum=0.9)."
        )
    return made


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


def _are_classes(y: Any) -> bool:
    """Tell labels, one to a row, from targets."""
    return check.dtype_name(y) in check.INTEGERS and y.shape[1:] in ((), (1,))


def _is_finite(a: Any) -> bool:
    return bool((abs(a) < math.inf).all())


def _check(
    where: str, net: Any, w: Any, x: Any, y: Any, loss: Callable[..., Any]
) -> int:
    """Tell bad input now, by its index in `x` or `y` rather than in a batch."""
    check.model(where, net)
    n = rows(where, x=x, y=y)
    for first, xs, ys in portions(x, y):
        try:
            check.real(where, "x", xs)
            check.finite(where, "x", xs)
            with np.errstate(all="ignore"):
                net.loss_and_grad(w, xs, ys, loss)
        except (ValueError, IndexError) as error:
            if not first:
                raise
            raise type(error)(f"{error} Index 0 is row {first} of `x`.") from None
    return n


class _Step:
    """A training step of a model that makes no plans."""

    def __init__(
        self, net: Any, w: Any, loss: Callable[..., Any], optimizer: Optimizer
    ) -> None:
        self._net, self._loss, self._optimizer = net, loss, optimizer
        self.w, self.grad = copied(w), copied(w)
        self.state = optimizer.init(self.w)

    def gradient(self, x: Any, y: Any) -> Any:
        value, self.grad = _loss_and_grad(self._net, self.w, x, y, self._loss)
        return value

    def update(self) -> None:
        self.w, self.state = self._optimizer.step(self.w, self.grad, self.state)


def _plan(
    net: Any,
    w: Any,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    batch_size: int,
    precision: str,
) -> Any:
    if hasattr(net, "plan"):
        return net.plan(
            w,
            loss=loss,
            optimizer=optimizer,
            batch_size=batch_size,
            precision=precision,
        )
    check.choice("fit", "precision", precision, ("full",))
    return _Step(net, w, loss, optimizer)


def _loss_and_grad(
    net: Any, w: Any, x: Any, y: Any, loss: Callable[..., Any]
) -> tuple[Any, Any]:
    """Return the loss and its gradient, both finite."""
    try:
        value, grad = net.loss_and_grad(w, x, y, loss)
    except ValueError:
        if _is_finite(net.forward(w, x)):
            raise
        # The loss refused the outputs of weights that are too large.
        raise check.DivergedError("fit") from None
    if not (_is_finite(value) and _is_finite(grad)):
        raise check.DivergedError("fit")
    return value, grad


def _judged(
    net: Any,
    w: Any,
    validation: tuple[Any, Any] | None,
    loss: Callable[..., Any],
    team: Alone,
) -> tuple[Any, Any]:
    """Return the loss and, of classes, the accuracy on `validation`."""
    if validation is None:
        return None, None
    n, shape = len(validation[0]), w.shape[:-1]

    def value() -> Array:
        mean = np.zeros(shape)
        for _, xs, ys in portions(*validation):
            mean += ndarray(_loss_and_grad(net, w, xs, ys, loss)[0]) * (len(xs) / n)
        return mean

    def right() -> Array:
        return np.asarray(accuracy(net, w, *validation))

    judged = team.mean(value, n, shape)
    if not _are_classes(validation[1]):
        return judged, None
    return judged, team.mean(right, n, shape)


@contextmanager
def _ctrl_c(pressed: list[int]) -> Iterator[None]:
    """Gather the first Ctrl-C in a list; let the second one through."""

    def press(number: int, _: FrameType | None) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    # Python hands signals to the main thread only.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _silence(examples: int, history: History) -> None:
    """Tell nothing."""


def _is_shown(progress: bool | None) -> bool:
    installed = importlib.util.find_spec("rich") is not None
    if progress and not installed:
        raise ImportError(
            "fit: `progress` True needs rich, which is not installed; "
            "pip install 'chalkgrad[cli]', or give progress=False."
        )
    return installed and sys.stderr.isatty() if progress is None else progress


@contextmanager
def _bar(epochs: int, n: int) -> Iterator[Callable[[int, History], None]]:
    """Show a progress bar; what it yields tells it about examples and epochs done."""
    from rich import progress
    from rich.console import Console

    with progress.Progress(
        progress.TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
        progress.BarColumn(),
        progress.TextColumn("{task.fields[news]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task("", total=epochs * n, epoch=0, epochs=epochs, news="")

        def tell(examples: int, history: History) -> None:
            news = [f"{bar.tasks[0].speed or 0:,.0f} examples/s"]
            if history:
                loss, _, right = history[-1]
                news.insert(0, f"loss {np.mean(loss):.4f}")
                if right is not None:
                    news.insert(1, f"accuracy {np.mean(right):.1%}")
            bar.update(task, advance=examples, epoch=len(history), news=", ".join(news))

        yield tell
