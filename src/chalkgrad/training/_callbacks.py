"""What a reader adds to `fit`: code of their own after each step and each epoch."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import clone
from chalkgrad.training._processes import SingleProcess
from chalkgrad.training._state import Hook, TrainingState

__all__ = ["Callback", "CallbackHook", "FitProgress", "check_callbacks"]


class FitProgress:
    """How far a run of `fit` is, as a `Callback` sees it.

    Nothing that a callback does to it changes the run, but for `stop`.

    Attributes
    ----------
    epoch : int
        The number of the epoch, from 1: in `on_epoch_end`, of the one that has ended.
    step : int
        How many steps the run has taken, those before a resume among them.
    metrics : dict of str to float
        After a step the ``"loss"`` of its batch. After an epoch its mean ``"loss"``
        and, if they were measured, ``"validation_loss"`` and
        ``"validation_accuracy"``. With $m$ networks, arrays of shape (m,).
    """

    epoch: int
    step: int
    metrics: dict[str, Any]

    def __init__(
        self,
        state: TrainingState,
        epoch: int,
        metrics: dict[str, Any],
        stop: Callable[[], None],
    ) -> None:
        self.epoch, self.step, self.metrics = epoch, state.steps, metrics
        self._state, self._stop = state, stop

    @property
    def w(self) -> Any:
        """A copy of the weights to predict with, as `fit` would return them now."""
        return clone(self._state.weights)

    def stop(self) -> None:
        """End the run before its next step; `fit` then says ``"callback"``."""
        self._stop()

    def __repr__(self) -> str:
        return (
            f"FitProgress(epoch={self.epoch}, step={self.step}, metrics={self.metrics})"
        )


class Callback:
    """Code of your own that `fit` calls: derive from this, define what you need.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> class StopBelow(cg.training.Callback):
    ...     def __init__(self, loss):
    ...         self.loss = loss
    ...
    ...     def on_epoch_end(self, progress):
    ...         if progress.metrics["loss"] < self.loss:
    ...             progress.stop()
    >>> x, targets = cg.data.line(100, noise=0)
    >>> net = cg.network([1, 1])
    >>> result = cg.training.fit(
    ...     net,
    ...     net.init(),
    ...     x,
    ...     targets,
    ...     loss=cg.losses.mse,
    ...     optimizer=cg.optimizers.sgd(0.1),
    ...     epochs=1000,
    ...     callbacks=[StopBelow(1e-3)],
    ... )
    >>> result.stopped, result.steps, bool(result.loss[-1] < 1e-3)
    ('callback', 47, True)
    """

    def on_step(self, progress: FitProgress) -> None:
        """Do something after a step.

        Parameters
        ----------
        progress : FitProgress
            How far the run is.
        """

    def on_epoch_end(self, progress: FitProgress) -> None:
        """Do something after an epoch: it is measured, logged and in a checkpoint.

        Parameters
        ----------
        progress : FitProgress
            How far the run is.
        """


METHODS = ("on_step", "on_epoch_end")
GO_ON, STOP, FAIL = range(3)  # what the callbacks of a process ask for


def check_callbacks(callbacks: Sequence[Callback]) -> list[Callback]:
    """Return the callbacks if each can be called after a step and after an epoch."""
    given = check.sequence("fit", "callbacks", callbacks)
    for i, callback in enumerate(given):
        wanted = f"fit: `callbacks[{i}]` must be a callback"
        if isinstance(callback, type):
            name = callback.__name__
            raise TypeError(f"{wanted}, got the class {name}; make one with {name}().")
        for name in METHODS:
            method = getattr(callback, name, None)
            if not callable(method):
                raise TypeError(
                    f"{wanted}, got {type(callback).__name__} without {name}; derive "
                    "its class from cg.training.Callback, which has all methods."
                )
            if not _takes_one(method):
                raise TypeError(
                    f"{wanted}, but its {name} does not take one argument; define "
                    f"{name}(self, progress)."
                )
    return given


def _takes_one(method: Callable[..., Any]) -> bool:
    """Whether a method may be called with one argument, as far as can be seen."""
    try:
        inspect.signature(method).bind(None)
    except TypeError:
        return False
    except ValueError:  # it is written in C and does not say
        return True
    return True


class CallbackHook(Hook):
    """Calls the callbacks; keeps what one raises until everything is saved."""

    def __init__(self, callbacks: list[Callback], processes: SingleProcess) -> None:
        self.callbacks, self.processes = callbacks, processes
        self.error: BaseException | None = None
        self.wish = GO_ON

    def on_step(self, state: TrainingState) -> None:
        metrics = {"loss": _plain(state.loss)}
        progress = FitProgress(state, len(state.history) + 1, metrics, self._stop)
        self._call("on_step", state, progress)

    def on_epoch_end(self, state: TrainingState) -> None:
        measured = state.history[-1]._asdict().items()
        metrics = {name: _plain(a) for name, a in measured if a is not None}
        progress = FitProgress(state, len(state.history), metrics, self._stop)
        self._call("on_epoch_end", state, progress)

    def _stop(self) -> None:
        self.wish = max(self.wish, STOP)

    def _call(self, name: str, state: TrainingState, progress: FitProgress) -> None:
        try:
            for callback in self.callbacks:
                getattr(callback, name)(progress)
        except BaseException as error:  # fit raises it, see `raise_error`
            self.error, self.wish = error, FAIL
        wish = self.processes.all_reduce_max(self.wish)
        if wish != GO_ON:
            state.stop("callback")
        state.is_broken = wish == FAIL

    def raise_error(self, result: Any) -> None:
        """Raise what a callback has raised, in every process."""
        if self.error is not None:
            self.error.fit_result = result  # type: ignore[attr-defined]
            self.error.add_note(
                f"fit: a callback raised this after step {result.steps}; what training "
                "came to until then is the `fit_result` of this error."
            )
        if self.processes.all_reduce_max(self.wish) == FAIL:
            raise self.error or RuntimeError(
                "fit: a callback of another process of `group` raised an error; that "
                "process tells which."
            )


def _plain(a: Any) -> Any:
    """Return one number as a float, and those of many networks as a copy."""
    return float(a) if np.ndim(a) == 0 else np.array(a)
