"""Who trains: one process by itself, or those of a group, which share every batch."""

import hashlib
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.either import empty, ndarray
from chalkgrad.data._shared import taken

__all__ = ["Alone", "Together"]


class Alone:
    """One process, which takes every step by itself."""

    leads = True  # whether it is the one that writes files and shows a bar
    size = 1  # how many processes train

    def __init__(self, step: Any) -> None:
        self.step = step
        self.pressed: list[int] = []  # what Ctrl-C leaves

    @property
    def is_interrupted(self) -> bool:
        return bool(self.pressed)

    def agree(self, about: dict[str, Any]) -> None:
        """Raise, in every process, if they are not about to do the same."""

    def agree_on_weights(self) -> None:
        """Raise, in every process, if their weights are not the same to the bit."""

    def share(self, start: int, stop: int) -> slice:
        """Return which of the rows from `start` to `stop` are for this process."""
        return slice(start, stop)

    def part(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the examples that are for this process."""
        return x, y

    def gradient(self, x: Any, y: Any) -> tuple[Any, int]:
        """Leave the gradient in the step; return the loss, and of how many rows."""
        return self.step.gradient(x, y), len(x)

    def mean(self, measure: Callable[[], Any], rows: int, shape: Any) -> Any:  # noqa: ARG002
        """Return the mean over all rows of what each process measures on its own."""
        return measure()


class Together(Alone):
    """A process of a group: all have the same weights, each its share of every batch.

    What a process finds is weighted by its rows, and one message adds up: so shares
    need not be equal, and one may be empty.
    """

    def __init__(self, step: Any, group: Any) -> None:
        super().__init__(step)
        if not hasattr(group, "add_up"):
            raise TypeError(
                "fit: `group` must be the processes that interop.process_group() "
                f"joins, got {type(group).__name__}."
            )
        self._group, self.size, self.leads = group, group.size, group.rank == 0
        self._was_pressed = False
        self._length, networks = math.prod(step.w.shape), step.w.shape[:-1]
        # What a step sends: gradient, losses, the number of rows, whether Ctrl-C came.
        self._sums = empty(self._length + math.prod(networks) + 2, like=step.w)

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C had come anywhere when they last added up."""
        return self._was_pressed

    def agree(self, about: dict[str, Any]) -> None:
        first, *others = self._gather(repr(a).encode() for a in about.values())
        for rank, theirs in enumerate(others, 1):
            each = zip(about, first, theirs, strict=True)
            if differ := [name for name, a, b in each if a != b]:
                raise ValueError(
                    f"fit: process {rank} of `group` has another "
                    f"{' and '.join(differ)} than process 0; give all of them the "
                    "same arguments, and the same folder of `checkpoints`."
                )

    def agree_on_weights(self) -> None:
        first, *others = self._gather([ndarray(self.step.w).tobytes()])
        for rank, theirs in enumerate(others, 1):
            if theirs != first:
                raise ValueError(
                    f"fit: the weights of process {rank} of `group` have drifted from "
                    "those of process 0; give all of them the same arguments, rates "
                    "too, and processors of one kind."
                )

    def share(self, start: int, stop: int) -> slice:
        n, rank, size = stop - start, self._group.rank, self.size
        return slice(start + n * rank // size, start + n * (rank + 1) // size)

    def part(self, x: Any, y: Any) -> tuple[Any, Any]:
        rows = np.arange(len(x))[self.share(0, len(x))]
        return taken(x, rows), y[rows]

    def gradient(self, x: Any, y: Any) -> tuple[Any, int]:
        step, length = self.step, self._length

        def measure(means: Any) -> None:
            losses = step.gradient(x, y)
            means[:length] = step.grad.reshape(-1)
            means[length:] = losses.reshape(-1)

        means, rows = self._mean(measure, len(x), self._sums)
        step.grad[...] = means[:length].reshape(step.grad.shape)
        return means[length:].reshape(step.grad.shape[:-1]), rows

    def mean(self, measure: Callable[[], Any], rows: int, shape: Any) -> Any:
        def write(means: Any) -> None:
            means[:] = measure().reshape(-1)

        return self._mean(write, rows, np.empty(math.prod(shape) + 2))[0].reshape(shape)

    def _mean(
        self, measure: Callable[[Any], None], rows: int, sums: Any
    ) -> tuple[Any, int]:
        """Let `measure` write; return the means over all, and of how many rows."""
        means = sums[:-2]
        means[:] = 0
        try:
            if rows:
                measure(means)
        except check.DivergedError:
            means[:] = math.nan  # tell the others, who would wait
        means *= rows
        sums[-2], sums[-1] = rows, len(self.pressed)
        self._group.add_up(sums)
        of_all, presses = sums[-2:].tolist()
        self._was_pressed = presses > 0
        means /= of_all
        if not (abs(means) < math.inf).all():
            raise check.DivergedError("fit")
        return means, int(of_all)

    def _gather(self, facts: Iterable[bytes]) -> list[list[int]]:
        """Return of every process a number for each fact, another for another one."""
        digests = (hashlib.sha256(fact).digest() for fact in facts)
        numbers = [int.from_bytes(digest[:7], "big") for digest in digests]  # an int64
        gathered: list[list[int]] = self._group.gather(numbers)
        return gathered
