"""Who trains: one process by itself, or those of a group, which share every batch."""

import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.either import ndarray
from chalkgrad.data._shared import taken

__all__ = ["Alone", "Together"]


class Alone:
    """One process, which takes every step by itself."""

    leads = True  # whether it is the one that writes files and shows a bar

    def __init__(self, step: Any) -> None:
        self.step = step
        self.pressed: list[int] = []  # what Ctrl-C leaves

    @property
    def is_interrupted(self) -> bool:
        return bool(self.pressed)

    def agree(self, about: dict[str, Any]) -> None:
        """Raise, in every process, if they are not about to do the same."""

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

    What a process finds is weighted by its rows, and one all-reduce adds up: so shares
    need not be equal, and one may be empty.
    """

    def __init__(self, step: Any, group: Any) -> None:
        super().__init__(step)
        w = step.w
        if not hasattr(w, "detach"):
            raise TypeError(
                "fit: `group` needs arrays of PyTorch, got those of NumPy; import "
                "chalkgrad.torch as cg."
            )
        import torch
        from torch import distributed

        if not isinstance(group, distributed.ProcessGroup):
            raise TypeError(
                "fit: `group` must be a process group of PyTorch, got "
                f"{type(group).__name__}; join one with interop.process_group()."
            )
        self._torch, self._distributed, self._group = torch, distributed, group
        self._rank, self._size = distributed.get_rank(group), group.size()
        self.leads = self._rank == 0
        self._was_pressed = False
        # What a step sends: gradient, losses, the number of rows, whether Ctrl-C came.
        self._sums = w.new_empty(w.numel() + w[..., 0].numel() + 2)

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C had come anywhere when they last added up."""
        return self._was_pressed

    def agree(self, about: dict[str, Any]) -> None:
        digests = [_digest(value) for value in about.values()]
        ours = self._torch.tensor(digests, device=self.step.w.device)
        everyones = [ours.clone() for _ in range(self._size)]
        self._distributed.all_gather(everyones, ours, group=self._group)
        for rank, theirs in enumerate(everyones):
            same = zip(about, (theirs == everyones[0]).tolist(), strict=True)
            if differ := [name for name, is_same in same if not is_same]:
                raise ValueError(
                    f"fit: process {rank} of `group` has another "
                    f"{' and '.join(differ)} than process 0; give all of them the same "
                    "arguments, and the same folder of `checkpoints`."
                )

    def share(self, start: int, stop: int) -> slice:
        n = stop - start
        first, end = (n * rank // self._size for rank in (self._rank, self._rank + 1))
        return slice(start + first, start + end)

    def part(self, x: Any, y: Any) -> tuple[Any, Any]:
        rows = np.arange(len(x))[self.share(0, len(x))]
        return taken(x, rows), y[rows]

    def gradient(self, x: Any, y: Any) -> tuple[Any, int]:
        step = self.step

        def measure() -> Any:
            losses = self._torch.as_tensor(step.gradient(x, y)).to(step.grad)
            return self._torch.cat([step.grad.flatten(), losses.flatten()])

        means, rows = self._mean(measure, len(x), self._sums)
        size = step.grad.numel()
        step.grad.copy_(means[:size].view_as(step.grad))
        return means[size:].reshape(step.grad.shape[:-1]), rows

    def mean(self, measure: Callable[[], Any], rows: int, shape: Any) -> Any:
        sums = self.step.w.new_empty(math.prod(shape) + 2).double()

        def measured() -> Any:
            return sums.new_tensor(measure()).flatten()

        return ndarray(self._mean(measured, rows, sums)[0]).reshape(shape)

    def _mean(
        self, measure: Callable[[], Any], rows: int, sums: Any
    ) -> tuple[Any, int]:
        """Fill `sums`, add up, and return the means and of how many rows they are."""
        means = sums[:-2]
        try:
            means[...] = measure() * rows if rows else 0
        except check.DivergedError:
            means[...] = math.nan  # tell the others, who would wait
        sums[-2], sums[-1] = rows, len(self.pressed)
        self._distributed.all_reduce(sums, group=self._group)
        of_all, presses = sums[-2:].tolist()
        self._was_pressed = presses > 0
        means /= of_all
        if not self._torch.isfinite(means).all():
            raise check.DivergedError("fit")
        return means, int(of_all)


def _digest(value: Any) -> int:
    """Return a number that tells one value from another, and fits an int64."""
    return int.from_bytes(hashlib.sha256(repr(value).encode()).digest()[:7], "big")
