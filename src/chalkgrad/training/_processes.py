"""Who trains: one process by itself, or those of a group, which share every batch."""

import hashlib
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import new_empty, to_numpy
from chalkgrad._core.rows import take_rows
from chalkgrad.training._step import count_examples, find_gradient

__all__ = ["DataParallel", "SingleProcess"]


class SingleProcess:
    """One process, which takes every step by itself."""

    is_main = True  # whether it is the one that writes files and shows a bar
    size = 1  # how many processes train

    def __init__(self, plan: Any) -> None:
        self.plan = plan
        self.presses: list[int] = []  # what Ctrl-C leaves

    @property
    def is_interrupted(self) -> bool:
        return bool(self.presses)

    def assert_same_config(self, about: dict[str, Any]) -> None:
        """Raise, in every process, if they are not about to do the same."""

    def assert_weights_in_sync(self) -> None:
        """Raise, in every process, if their weights are not the same to the bit."""

    def all_reduce_max(self, number: int) -> int:
        """Return the largest of the numbers that the processes give."""
        return number

    def shard(self, start: int, stop: int) -> slice:
        """Return which of the rows from `start` to `stop` are for this process."""
        return slice(start, stop)

    def shard_data(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the examples that are for this process."""
        return x, y

    def gradient(self, x: Any, y: Any) -> tuple[Any, float]:
        """Leave the gradient in the plan; return the loss, and of how many rows."""
        return find_gradient(self.plan, x, y), count_examples(x, y)

    def weighted_all_reduce_mean(
        self,
        measure: Callable[[], Any],
        rows: int,  # noqa: ARG002
        shape: tuple[int, ...],  # noqa: ARG002
    ) -> Any:
        """Return the mean over all rows of what each process measures on its own."""
        return measure()


class DataParallel(SingleProcess):
    """A process of a group: all have the same weights, each its share of every batch.

    What a process finds is weighted by its rows, and one message adds up: so shares
    need not be equal, and one may be empty.
    """

    def __init__(self, plan: Any, group: Any) -> None:
        super().__init__(plan)
        if not hasattr(group, "all_reduce_sum"):
            raise TypeError(
                "fit: `group` must be the processes that interop.process_group() "
                f"joins, got {type(group).__name__}."
            )
        self._group, self.size, self.is_main = group, group.size, group.rank == 0
        self._is_interrupted = False
        self._length, networks = math.prod(plan.w.shape), plan.w.shape[:-1]
        # What a step sends: gradient, losses, the number of rows, whether Ctrl-C came.
        self._sums = new_empty(self._length + math.prod(networks) + 2, like=plan.w)

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C had come anywhere when they last added up."""
        return self._is_interrupted

    def assert_same_config(self, about: dict[str, Any]) -> None:
        first, *others = self._gather(repr(a).encode() for a in about.values())
        for rank, theirs in enumerate(others, 1):
            each = zip(about, first, theirs, strict=True)
            if differ := [name for name, a, b in each if a != b]:
                raise ValueError(
                    f"fit: process {rank} of `group` has another "
                    f"{' and '.join(differ)} than process 0; give all of them the "
                    "same arguments, and the same folder of `checkpoints`."
                )

    def assert_weights_in_sync(self) -> None:
        first, *others = self._gather([to_numpy(self.plan.w).tobytes()])
        for rank, theirs in enumerate(others, 1):
            if theirs != first:
                raise ValueError(
                    f"fit: the weights of process {rank} of `group` have drifted from "
                    "those of process 0; give all of them the same arguments, rates "
                    "too, and processors of one kind."
                )

    def all_reduce_max(self, number: int) -> int:
        gathered: list[list[int]] = self._group.gather([number])
        return max(theirs for (theirs,) in gathered)

    def shard(self, start: int, stop: int) -> slice:
        n, rank, size = stop - start, self._group.rank, self.size
        return slice(start + n * rank // size, start + n * (rank + 1) // size)

    def shard_data(self, x: Any, y: Any) -> tuple[Any, Any]:
        rows = np.arange(len(x))[self.shard(0, len(x))]
        return take_rows(x, rows), y[rows]

    def gradient(self, x: Any, y: Any) -> tuple[Any, float]:
        plan, length = self.plan, self._length

        def measure(means: Any) -> None:
            losses = find_gradient(plan, x, y)
            means[:length] = plan.grad.reshape(-1)
            means[length:] = losses.reshape(-1)

        means, rows = self._mean(measure, count_examples(x, y), self._sums)
        plan.grad[...] = means[:length].reshape(plan.grad.shape)
        return means[length:].reshape(plan.grad.shape[:-1]), rows

    def weighted_all_reduce_mean(
        self, measure: Callable[[], Any], rows: int, shape: tuple[int, ...]
    ) -> Any:
        def write(means: Any) -> None:
            means[:] = measure().reshape(-1)

        return self._mean(write, rows, np.empty(math.prod(shape) + 2))[0].reshape(shape)

    def _mean(
        self, measure: Callable[[Any], None], rows: float, sums: Any
    ) -> tuple[Any, float]:
        """Let `measure` write; return the means over all, and of how many rows."""
        means = sums[:-2]
        means[:] = 0
        try:
            if rows:
                measure(means)
        except check.DivergedError:
            means[:] = math.nan  # tell the others, who would wait
        means *= rows
        sums[-2], sums[-1] = rows, len(self.presses)
        self._group.all_reduce_sum(sums)
        of_all, presses = sums[-2:].tolist()
        self._is_interrupted = presses > 0
        means /= of_all or 1  # none has a weight
        if not (abs(means) < math.inf).all():
            raise check.DivergedError("fit")
        return means, int(of_all) if of_all.is_integer() else of_all

    def _gather(self, facts: Iterable[bytes]) -> list[list[int]]:
        """Return of every process a number for each fact, another for another one."""
        digests = (hashlib.sha256(fact).digest() for fact in facts)
        numbers = [int.from_bytes(digest[:7], "big") for digest in digests]  # an int64
        gathered: list[list[int]] = self._group.gather(numbers)
        return gathered
