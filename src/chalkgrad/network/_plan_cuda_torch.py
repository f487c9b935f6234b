"""Steps on a GPU: captured as CUDA graphs, and read by the host now and then.

A pass and a step are some fifty small kernels. Captured once, they are launched as one
graph, if nothing in it waits for a number, comes from the host, or is another in the
next step. So what hangs on the count of the steps, as the rate of a schedule does, is a
row of a table on the card; and whether all is finite is told by two numbers that the
host reads when it wants to know.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array
from chalkgrad._core.arrays import LARGEST
from chalkgrad.optimizers import _rule

__all__ = ["Card", "Steps"]

AHEAD = 64  # how many steps are taken before the host reads what came of them
ROOM = 2**28  # how many bytes of rows are kept for them, should one go wrong
TABLE = 256  # how many steps the table of numbers has


class Steps(NamedTuple):
    """What came of steps that nobody has waited for."""

    number: int
    """How many went well,"""
    loss: Any
    """the loss of the last of them, and of how many rows it was,"""
    rows: int
    total: Any
    """the sum of their losses over all rows, on top of what it was before,"""
    again: list[tuple[Array, Array]]
    """or the rows of those that are to be taken again, one by one."""


class Clock(_rule.Clock):
    """The count of the steps in a captured step."""

    def __init__(self, t: int, numbers: "_Numbers") -> None:
        super().__init__(t, numbers.find)
        self._numbers = numbers

    def __gt__(self, other: float) -> bool:
        return self._numbers.is_past(other, self.t)

    def __add__(self, other: int) -> "Clock":
        return Clock(self.t + other, self._numbers)


class _Numbers:
    """The numbers of a captured step that hang on its count, a row for each step."""

    def __init__(self, device: torch.device) -> None:
        self.now = 0  # the count in the step that is being captured
        self._device = device
        self._columns: dict[tuple[Any, ...], int] = {}
        self._branches: dict[float, bool] = {}
        self._functions: list[Any] = []  # kept, for their names are known by them alone
        self._row: Array | None = None
        self._first, self._next = 0, 0  # counts: of the table's first row, of its next

    def find(self, name: str, given: list[float], t: int) -> Array:
        """Return what a function of `of_time` is in step t."""
        key = name, tuple(given), t - self.now
        if self._row is None:  # before the capture: note what is asked
            if key not in self._columns:
                self._columns[key] = len(self._columns)
                self._functions.append(_rule.NUMBERS[name])
            value = self._value(key, self.now)
            return torch.tensor(value, dtype=torch.float64, device=self._device)
        return self._row[self._columns[key]]

    def is_past(self, limit: float, t: int) -> bool:
        """Tell whether t is above a limit, and note that a graph hangs on it."""
        self._branches[limit - (t - self.now)] = t > limit
        return t > limit

    def holds(self, t: int) -> bool:
        """Tell whether step t takes the branches of the step that was captured."""
        return all((t > limit) is past for limit, past in self._branches.items())

    def _value(self, key: tuple[Any, ...], t: int) -> float:
        name, given, later = key
        return float(_rule.NUMBERS[name](*given, t + later))

    def make_table(self) -> None:
        """Take memory for all that was asked; fill it before each replay."""
        columns = max(1, len(self._columns))
        empty = torch.empty((TABLE, columns), dtype=torch.float64, device=self._device)
        self._table = empty
        self._tick = torch.zeros(1, dtype=torch.int64, device=self._device)
        self._next = -1

    def take_row(self) -> None:
        """Within a capture: let this step find its row, and the next one the next."""
        if self._columns:
            self._row = self._table.index_select(0, self._tick)[0]
            self._tick.add_(1)

    def prepare(self, t: int) -> None:
        """Before a replay: let step t find its row; the table lasts a while."""
        if not self._columns:
            return
        if t != self._next or t - self._first >= TABLE:
            rows = [
                [self._value(k, s) for k in self._columns] for s in range(t, t + TABLE)
            ]
            self._table.copy_(torch.tensor(rows, dtype=torch.float64, device="cpu"))
            self._tick.zero_()
            self._first = t
        self._next = t + 1


class _Graph:
    """Work that is captured, on rows of one shape if it is given rows."""

    def __init__(self, device: torch.device, run: Callable[[], Any]) -> None:
        # PyTorch's own stream for captures is that of the card that had the first one.
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(device))
        self._device, self.graph = device, torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=aside):
            self.out = run()
        torch.cuda.current_stream(device).wait_stream(aside)

    def __call__(self) -> Any:
        with torch.cuda.device(self._device):
            self.graph.replay()
        return self.out


def _warm_up(device: torch.device, run: Callable[[], Any], times: int = 3) -> None:
    """Run aside what is to be captured: in the first runs, libraries set up."""
    aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(aside):
        for _ in range(times):
            run()
    torch.cuda.current_stream(device).wait_stream(aside)


class Card:
    """What a plan does on a GPU.

    A shape of rows is captured when it comes for the second time: there may be many
    that come once, and a capture takes as long as many steps.
    """

    def __init__(self, plan: Any) -> None:
        self._plan, self.device = plan, plan.w.device
        self._rows: dict[Any, tuple[Array, Array]] = {}
        self._passes: dict[Any, _Graph] = {}
        self._steps: dict[Any, tuple[_Graph, _Numbers]] = {}
        self._seen: set[Any] = set()
        self._squares = math.nan, -1  # of which version of the gradient
        self._floats: list[Array] | None = None
        self._ahead: list[tuple[Array, Array]] = []
        self._kept: list[Array] = []  # where all was when the host had last looked
        self._last: Array | None = None
        self._loss: Array | None = None
        networks = max(1, math.prod(plan.w.shape[:-1]))
        self._total = torch.zeros(networks, dtype=torch.float64, device=self.device)
        self._worst = torch.zeros((), dtype=torch.float64, device=self.device)

    # --- a pass, and whether it went well ---

    def forget(self, rows: int) -> None:
        """Let go of what was captured for so many rows, for their buffers go."""
        for found in (self._passes, self._steps, self._rows):
            for key in [key for key in found if key and key[0][-2] == rows]:
                del found[key]
        self._seen = {key for key in self._seen if key[0][-2] != rows}

    def gradient(self, x: Array, y: Array) -> tuple[Array, bool]:
        """Leave the gradient in the plan; return the loss, and whether all is finite.

        That is the only time that the host waits.
        """
        key = x.shape, y.shape, y.dtype
        if key in self._passes:
            self._copy_rows(key, x, y)
            loss, seen = self._passes[key]()
            loss = loss.clone()
        elif key in self._seen:
            rows = self._keep_rows(key, x, y)
            _warm_up(self.device, lambda: self._pass(*rows))
            self._passes[key] = _Graph(self.device, lambda: self._pass(*rows))
            return self.gradient(x, y)
        else:
            self._seen.add(key)
            loss, seen = self._pass(x, y)
        total, squares = seen.tolist()
        grad = self._plan.grad
        self._squares = squares, grad._version
        fine = math.isfinite(total)
        fine = fine and (math.isfinite(squares) or bool(torch.isfinite(grad).all()))
        return loss, fine

    def _keep_rows(self, key: Any, x: Array, y: Array) -> tuple[Array, Array]:
        """Return where a graph finds its rows, of which one shape has one place."""
        if key not in self._rows:
            self._rows[key] = x.clone(), y.clone()
        return self._rows[key]

    def _copy_rows(self, key: Any, x: Array, y: Array) -> None:
        for into, given in zip(self._rows[key], (x, y), strict=True):
            into.copy_(given)

    def _pass(self, x: Array, y: Array) -> tuple[Array, Array]:
        loss = self._plan._forward_and_backward(x, y, quick=True)
        return loss, torch.stack([loss.sum(), self._sum_of_squares()])

    def _sum_of_squares(self) -> Array:
        flat = self._plan.grad.reshape(-1)
        squares: Array = flat.dot(flat)
        return squares

    @property
    def _is_ordinary(self) -> bool:
        """Whether the gradient is as it was found, and its squares are small."""
        squares, version = self._squares
        limit = 1e-8 * LARGEST[check.dtype_name(self._plan.w)]
        return version == self._plan.grad._version and squares <= limit

    # --- a step ---

    def update(self) -> bool:
        """Take the step whose gradient the plan holds, if that is captured."""
        plan = self._plan
        t = _count(plan._state) + 1
        if not (plan._optimizer.is_capturable and self._is_ordinary and t > 1):
            return False
        self._step_graph(None, t, self._step)()
        plan._state = _add_steps(plan._state, 1)
        return True

    def _step_graph(self, key: Any, t: int, run: Callable[..., Any]) -> _Graph:
        """Return a graph with a step in it, ready for step t."""
        if key in self._steps and not self._steps[key][1].holds(t):
            del self._steps[key]
        if key not in self._steps:
            self._steps[key] = self._capture_step(t, run)
        graph, numbers = self._steps[key]
        numbers.prepare(t)
        return graph

    def _capture_step(
        self, t: int, run: Callable[["_Numbers"], Any]
    ) -> tuple[_Graph, _Numbers]:
        numbers = _Numbers(self.device)
        numbers.now = t
        plan = self._plan
        if self._floats is None:
            self._floats = [self._wrap(x) for x in _leaves(plan._state, float)]

        def try_out() -> None:  # on copies: nothing has happened yet
            copies = iter([a.clone() for a in _leaves(plan._state, Array)])
            floats = iter([a.clone() for a in self._floats or ()])
            state = _with(plan._state, Clock(t - 1, numbers), copies, floats)
            plan._optimizer.step(plan.w.clone(), plan.grad.clone(), state)

        _warm_up(self.device, try_out, times=1)
        numbers.make_table()
        return _Graph(self.device, lambda: run(numbers)), numbers

    def _wrap(self, x: float) -> Array:
        return torch.tensor(x, dtype=torch.float64, device=self.device)

    def _step(self, numbers: _Numbers) -> None:
        """Step; what a rule returns as something new goes where the old was."""
        plan, floats = self._plan, self._floats or []
        numbers.take_row()
        arrays = list(_leaves(plan._state, Array))
        clock = Clock(numbers.now - 1, numbers)
        state = _with(plan._state, clock, iter(arrays), iter(floats))
        w, new = plan._optimizer.step(plan.w, plan.grad, state)
        pairs = zip(
            [plan.w, *_all_but_counts(state)], [w, *_all_but_counts(new)], strict=True
        )
        for old, found in pairs:
            if found is not old:
                old.copy_(found) if isinstance(found, Array) else old.fill_(found)

    # --- steps that nobody waits for ---

    def advance(self, x: Array, y: Array, last: Array, total: Any) -> bool:
        """Take a step, if it is captured, without looking at what comes of it.

        The weights before it are written into `last`. `total` is the sum of losses to
        begin with.
        """
        plan, key = self._plan, (x.shape, y.shape, y.dtype)
        t = _count(plan._state) + 1
        if not plan._optimizer.is_capturable or t == 1:
            return False
        if key not in self._seen:
            self._seen.add(key)
            return False
        if not self._ahead:
            self._keep(last, total)
        rows = self._keep_rows(key, x, y)

        def whole(numbers: _Numbers) -> Array:
            loss: Array = plan._forward_and_backward(*rows, quick=True)
            self._total.add_(loss.reshape(-1).double() * x.shape[-2])
            torch.maximum(self._worst, self._sum_of_squares(), out=self._worst)
            last.copy_(plan.w)
            self._step(numbers)
            return loss

        whole_key = (*key, "whole", last.data_ptr())
        if whole_key not in self._steps:
            _warm_up(self.device, lambda: self._pass(*rows))
        graph = self._step_graph(whole_key, t, whole)
        self._copy_rows(key, x, y)
        self._loss = graph()
        plan._state = _add_steps(plan._state, 1)
        self._ahead.append((x, y))
        return True

    def _all(self) -> list[Array]:
        """Return all that a step changes."""
        plan, last = self._plan, self._last
        assert last is not None
        if self._floats is None:
            self._floats = [self._wrap(x) for x in _leaves(plan._state, float)]
        return [plan.w, last, *_leaves(plan._state, Array), *self._floats]

    def _keep(self, last: Array, total: Any) -> None:
        self._last = last
        now = self._all()
        if self._kept:
            torch._foreach_copy_(self._kept, now)
        else:
            self._kept = [a.clone() for a in now]
        self._total.copy_(torch.from_numpy(np.ravel(total).astype(np.float64)))
        self._worst.zero_()

    @property
    def is_full(self) -> bool:
        """Whether it is time to look."""
        size = sum(a.nbytes for a in self._ahead[0]) if self._ahead else 0
        return len(self._ahead) >= AHEAD or len(self._ahead) * size >= ROOM

    def read(self) -> Steps | None:
        """Wait; return what came of the steps since, or go back to where they began."""
        ahead, self._ahead = self._ahead, []
        if not ahead:
            return None
        plan, loss = self._plan, self._loss
        assert loss is not None
        seen = torch.cat([self._worst[None], self._total, loss.reshape(-1).double()])
        worst, *sums = seen.tolist()
        half = len(sums) // 2
        networks = plan.w.shape[:-1]
        total, last = (np.reshape(a, networks) for a in (sums[:half], sums[half:]))
        limit = 1e-8 * LARGEST[check.dtype_name(plan.w)]
        if worst <= limit and np.isfinite(total).all():
            return Steps(len(ahead), last, ahead[-1][0].shape[-2], total, [])
        torch._foreach_copy_(self._all(), self._kept)
        plan._state = _add_steps(plan._state, -len(ahead))
        return Steps(0, last, 0, total, ahead)

    # --- the state ---

    def with_numbers(self) -> Any:
        """Return the state, with the numbers that a captured step keeps on the card."""
        state = self._plan._state
        if not self._floats:
            return state
        floats = iter([x.item() for x in self._floats])
        return _with(state, None, iter(_leaves(state, Array)), floats)

    def drop(self) -> None:
        """Forget what was captured and kept, for the state is another now."""
        self._steps, self._floats, self._kept, self._ahead = {}, None, [], []


def _leaves(state: Any, kind: Any) -> list[Any]:
    """Return the arrays, or the floats, of a state and of those within it."""
    if isinstance(state, tuple):
        return [leaf for part in state for leaf in _leaves(part, kind)]
    return [state] if isinstance(state, kind) else []


def _all_but_counts(state: Any) -> list[Any]:
    """Return all of a state but its counts."""
    if isinstance(state, tuple):
        return [
            leaf
            for name, part in zip(state._fields, state, strict=True)  # type: ignore[attr-defined]
            if name != "t"
            for leaf in _all_but_counts(part)
        ]
    return [state]


def _with(state: Any, t: Any, arrays: Any, floats: Any) -> Any:
    """Return a state with other arrays and numbers, and a clock if there is one."""
    if isinstance(state, tuple):
        parts = zip(state._fields, state, strict=True)  # type: ignore[attr-defined]
        return type(state)(
            *(
                t if name == "t" and t is not None else _with(part, t, arrays, floats)
                for name, part in parts
            )
        )
    if isinstance(state, Array):
        return next(arrays)
    return next(floats) if isinstance(state, float) else state


def _count(state: Any) -> int:
    """Return how many steps a state has seen."""
    return int(state.t)


def _add_steps(state: Any, more: int) -> Any:
    """Return a state after so many more steps."""
    parts = {
        name: part + more if name == "t" else _add_steps(part, more)
        for name, part in state._asdict().items()
        if name == "t" or isinstance(part, tuple)
    }
    return state._replace(**parts)
