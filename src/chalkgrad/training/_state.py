"""The state of a run of `fit`: how far it is, and all that it needs to go on."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core.backend import clone, to_numpy
from chalkgrad._core.types import Optimizer

__all__ = ["EarlyStopping", "Epoch", "History", "Hook", "TrainingState"]


class Epoch(NamedTuple):
    """What was measured in an epoch; numbers, or one for each of many networks."""

    loss: Any
    validation_loss: Any
    validation_accuracy: Any


History: TypeAlias = list[Epoch]


class TrainingState:
    """How far a run is. A checkpoint holds all of it, and a `Hook` sees all of it."""

    plan: Any
    """The weights, the optimizer's state, and how to step."""
    optimizer: Optimizer
    rng: np.random.Generator
    history: History
    steps: int
    """How many steps were taken."""
    batches: int
    """How many of them in this epoch,"""
    rows: float
    """how many rows the last one had, or what they count by their weights,"""
    loss: Any
    """the mean loss over these rows,"""
    total: Any
    """and the sum of the losses over all rows of this epoch."""
    order: Any
    """The state of `rng` before it drew the order of the examples."""
    best: Any
    """The weights with the lowest loss on validation, if that counts."""
    last_finite: Any
    """The weights before the last step."""
    stop_reason: str | None
    is_broken: bool
    """Whether to stop before the epoch is even measured."""
    began: float

    def __init__(
        self, plan: Any, optimizer: Optimizer, rng: np.random.Generator
    ) -> None:
        self.plan, self.optimizer, self.rng = plan, optimizer, rng
        self.history, self.steps = [], 0
        self.best = self.stop_reason = None
        self.is_broken = False
        self.began = time.perf_counter()
        self.begin_epoch()

    def begin_epoch(self) -> None:
        self.order = self.rng.bit_generator.state
        self.batches, self.rows, self.total = 0, 0, np.zeros(())

    def start(self) -> None:
        """Remember the weights before the first step."""
        self.last_finite = clone(self.plan.w)

    def update(self, loss: Any, rows: float) -> None:
        """Take the step whose gradient the plan holds."""
        self.last_finite[...] = self.plan.w
        self.plan.update()
        self.count(to_numpy(loss).astype(np.float64), rows)

    def advance(self, x: Any, y: Any, gradient: Callable[..., Any]) -> None:
        """Take a step; where the plan can, without waiting for what comes of it."""
        take = getattr(self.plan, "advance", None)
        if take is None or not take(x, y, self.last_finite, self.total):
            self.read(gradient)
            self.update(*gradient(x, y))
        elif self.plan.is_ahead():
            self.read(gradient)

    def read(self, gradient: Callable[..., Any]) -> None:
        """Count the steps that nobody waited for; if one went wrong, take them anew."""
        steps = self.plan.read() if hasattr(self.plan, "read") else None
        if steps is None:
            return
        for x, y in steps.again:
            self.update(*gradient(x, y))
        if steps.number:
            self.steps += steps.number
            self.batches += steps.number
            self.loss, self.rows, self.total = steps.loss, steps.rows, steps.total

    def count(self, loss: Any, rows: float) -> None:
        """Count a step with the mean loss over so many rows."""
        self.steps += 1
        self.batches += 1
        self.loss, self.rows = loss, rows
        self.total = self.total + loss * rows

    def end_epoch(self, epoch: Epoch) -> None:
        self.history.append(epoch)
        self.begin_epoch()

    def stop(self, reason: str) -> None:
        """End the run before its next step; the first reason counts."""
        self.stop_reason = self.stop_reason or reason

    @property
    def weights(self) -> Any:
        """The weights to predict with."""
        return self.optimizer.weights(self.plan.w, self.plan.state)

    @property
    def lr(self) -> Any:
        """The rate that the last step was given."""
        lr = self.optimizer.lr
        return lr(self.steps - 1) if callable(lr) else lr

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    @property
    def epochs_since_best(self) -> int:
        """How many epochs have passed since the loss on validation was lowest."""
        losses = [epoch.validation_loss for epoch in self.history]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0


class Hook:
    """Something that happens during a run; each kind defines the methods it needs."""

    def on_start(self, state: TrainingState) -> None:
        """Before the first step."""

    def on_step(self, state: TrainingState) -> None:
        """After each step."""

    def on_epoch_end(self, state: TrainingState) -> None:
        """After each epoch, once it is in the history."""

    def on_stop(self, state: TrainingState) -> None:
        """After the last step, unless the run has diverged."""


class EarlyStopping(Hook):
    """Keeps the best weights; stops when validation no longer improves."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_start(self, state: TrainingState) -> None:
        if state.epochs_since_best >= self.patience:
            state.stop("early")

    def on_epoch_end(self, state: TrainingState) -> None:
        if state.epochs_since_best == 0:
            state.best = clone(state.weights)
        self.on_start(state)
