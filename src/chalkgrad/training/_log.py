"""A line of numbers for every epoch, for spreadsheets and other programs."""

import csv
import json
from pathlib import Path
from typing import Any, TextIO

from chalkgrad._core.backend import to_numpy
from chalkgrad.training._state import Hook, TrainingState

__all__ = ["Log"]

# What is in a line.
NAMES = ["epoch", "step", "seconds", "lr"]
NAMES += ["loss", "validation_loss", "validation_accuracy"]


class Log(Hook):
    """A file of lines, in CSV with a line of names above, or one JSON object a line."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix not in (".csv", ".jsonl"):
            raise ValueError(f"fit: `log` must end in .csv or .jsonl, got {path}.")

    def refuse_existing(self, *, resume: bool) -> None:
        """Refuse a file that is there, and holds something, where a run begins."""
        if self.path.exists() and self.path.stat().st_size:
            other = (
                "and in `checkpoints` there is no run to go on with; give"
                if resume
                else "give resume=True to go on with it, or"
            )
            raise FileExistsError(
                f"fit: `log` {self.path} is there already; {other} another path."
            )

    def check_same_log(self) -> None:
        """Refuse a file that no run of `fit` has written."""
        if self.path.exists() and self._names() not in ([], NAMES):
            raise FileExistsError(
                f"fit: `log` {self.path} is no log of fit; give another path."
            )

    def _names(self) -> list[str]:
        """Return the names in the first line, none of an empty file."""
        with self.path.open(encoding="utf-8", errors="replace") as file:
            line = file.readline().strip()
        if self.path.suffix == ".csv":
            return line.split(",") if line else []
        try:
            return list(json.loads(line or "{}"))
        except (ValueError, TypeError):
            return [line]

    def on_start(self, state: TrainingState) -> None:
        """Leave the lines of the epochs so far; those after them will come again."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        with self.path.open("r+b") as file:
            for _ in range(len(state.history) + (self.path.suffix == ".csv")):
                file.readline()
            file.truncate(file.tell())

    def on_epoch_end(self, state: TrainingState) -> None:
        self.write(
            epoch=len(state.history),
            step=state.steps,
            seconds=state.seconds,
            lr=state.lr,
            **state.history[-1]._asdict(),
        )

    def write(self, **numbers: Any) -> None:
        """Add a line; what was not measured is empty, and many networks are a list."""
        plain = {
            name: None if number is None else to_numpy(number).tolist()
            for name, number in numbers.items()
        }
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                self._write(file, plain)
        except OSError as error:
            words = f"fit: cannot write {self.path}: {error.strerror}."
            raise OSError(error.errno, words) from error

    def _write(self, file: TextIO, numbers: dict[str, Any]) -> None:
        if self.path.suffix == ".jsonl":
            file.write(json.dumps(numbers) + "\n")
            return
        lines = csv.writer(file, lineterminator="\n")
        if file.tell() == 0:
            lines.writerow(numbers)
        lines.writerow(numbers.values())
