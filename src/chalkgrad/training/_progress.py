"""The progress bar of `fit`."""

import importlib.util
import sys
from types import TracebackType
from typing import Any

import numpy as np

from chalkgrad._core.install import advise
from chalkgrad.training._state import Hook, TrainingState

__all__ = ["ProgressBar", "is_shown"]


def is_shown(progress: bool | None) -> bool:
    """Whether to show a bar: if it was asked for, or else on a terminal with rich."""
    installed = importlib.util.find_spec("rich") is not None
    if progress and not installed:
        raise ImportError(
            "fit: `progress` True needs rich, which is not installed; "
            f"{advise('cli')}, or give progress=False."
        )
    return installed and sys.stderr.isatty() if progress is None else progress


class ProgressBar(Hook):
    """A bar on stderr, from the first example of the first epoch to the last."""

    def __init__(self, epochs: int, n: float) -> None:
        from rich import progress
        from rich.console import Console

        self.epochs, self.n = epochs, n
        self.bar: Any = progress.Progress(
            progress.TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            progress.BarColumn(),
            progress.TextColumn("{task.fields[news]}"),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
        )

    def __enter__(self) -> None:
        self.bar.start()
        total = self.epochs * self.n
        self.task = self.bar.add_task(
            "", total=total, epoch=0, epochs=self.epochs, news=""
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def on_start(self, state: TrainingState) -> None:
        self._advance(state, len(state.history) * self.n)

    def on_step(self, state: TrainingState) -> None:
        self._advance(state, state.rows)

    def on_epoch_end(self, state: TrainingState) -> None:
        self._advance(state, 0)

    def _advance(self, state: TrainingState, rows: float) -> None:
        news = [f"{self.bar.tasks[0].speed or 0:,.0f} examples/s"]
        if state.history:
            loss, _, accuracy = state.history[-1]
            news.insert(0, f"loss {np.mean(loss):.4f}")
            if accuracy is not None:
                news.insert(1, f"accuracy {np.mean(accuracy):.1%}")
        epoch = len(state.history)
        self.bar.update(self.task, advance=rows, epoch=epoch, news=", ".join(news))
