"""What timing on a GPU needs: a clock that waits, and a graph that is replayed."""

import time
from collections.abc import Callable
from typing import Any

import torch

ROOM = 2e8  # bytes: more than fit into any cache


def after_all_work() -> float:
    """Read the clock when the GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def turns(bytes_: float, room: float = ROOM) -> int:
    """How many sets of so many bytes take turns, so that no cache holds them."""
    return max(1, round(room / bytes_))


class Captured:
    """On a GPU the third call records a graph, and from then on it is replayed.

    The first two calls, which the check compares, run as they are written.
    """

    def __init__(self, run: Callable[[], Any], device: str) -> None:
        self._run, self._device, self._calls = run, device, 0
        self._graph: Any = None

    def __call__(self) -> Any:
        """Run, or replay."""
        self._calls += 1
        if self._device != "cuda" or self._calls < 3:
            return self._run()
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._run()
        return self._graph.replay()
