"""Elementwise rules without allocating: record a formula once, replay it with `out=`.

The formula runs on arrays that note each operation. What it does with plain numbers,
the count of the steps and the rate among them, is noted as expressions, and so is how
each comparison of them came out: where one comes out otherwise, the formula is recorded
anew. A replay does the same operations in the same order, so its bits are the step's.
"""

import math
import operator
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core._numpy import Array

__all__ = ["InPlace"]


class Number:
    """A number that changes from step to step; the tape notes how it is computed."""

    def __init__(self, tape: "Tape", index: int) -> None:
        self.tape, self.index = tape, index

    @property
    def value(self) -> Any:
        """What it is in this step."""
        return self.tape.numbers[self.index]

    def sqrt(self) -> "Number":
        """Return the root."""
        return self.tape.compute(_sqrt, self, None)

    def __bool__(self) -> bool:
        return self.tape.compare(operator.ne, self, 0)

    def __array_ufunc__(self, f: Any, _: str, *args: Any) -> "Recorded":
        return self.tape.record(f, args)


def _sqrt(x: float, _: None) -> float:
    return math.sqrt(x)


class Recorded(np.lib.mixins.NDArrayOperatorsMixin):
    """An array whose operations are noted; `value` is what it holds in this step."""

    def __init__(self, tape: "Tape", value: Array) -> None:
        self.tape, self.value, self.ndim = tape, value, value.ndim

    def __pow__(self, power: Any) -> "Recorded":
        if power in _POWERS:
            return self.tape.record(_POWERS[power], (self,))
        return self.tape.record(np.power, (self, power))

    def __array_ufunc__(self, f: Any, _: str, *args: Any) -> "Recorded":
        return self.tape.record(f, args)

    def __array_function__(self, f: Any, _: Any, args: Any, __: Any) -> Any:
        return _FUNCTIONS[f](self.tape, *args)


# What NumPy does in place of raising to such a power; the last digits differ.
_POWERS: dict[float, np.ufunc] = {
    -1: np.reciprocal, 0.5: np.sqrt, 1: np.positive, 2: np.square
}  # fmt: skip


def _copy(x: Array, out: Array) -> None:
    np.copyto(out, x)


def _select(where: Array, this: Any, other: Any, out: Array) -> None:
    """Write what `np.where` returns."""
    np.copyto(out, other)
    np.copyto(out, this, where=where)


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.zeros_like: lambda _, x: np.zeros_like(x.value),
    np.where: lambda tape, *args: tape.record(_select, args, np.where),
    np.clip: lambda tape, *args: tape.record(np.clip, args),
}
# What must not write over what it reads; the sign takes a hundred times as long there.
_APART = (_select, np.sign)


class Call(NamedTuple):
    """An operation, what it takes, and what came of it."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    result: Recorded


class Tape:
    """What a formula did in one step, on arrays and on numbers."""

    def __init__(self, numbers: list[Any]) -> None:
        self.calls: list[Call] = []
        self.numbers = numbers
        # What to do, where the result goes and the operands are, and the truth it was.
        self.sums: list[tuple[Callable[..., Any], int, int, int, bool | None]] = []

    def record(self, f: Any, args: tuple[Any, ...], as_in: Any = None) -> Recorded:
        """Do an operation on arrays, and note it."""
        result = Recorded(self, (as_in or f)(*map(_value, args)))
        self.calls.append(Call(f, args, result))
        return result

    def compute(self, f: Callable[..., Any], x: Any, y: Any) -> Number:
        """Do an operation on numbers, and note it."""
        return self._note(f, f(_value(x), _value(y)), x, y, None)

    def compare(self, f: Callable[..., Any], x: Any, y: Any) -> bool:
        """Compare numbers, and note how it came out."""
        truth: bool = f(_value(x), _value(y))
        self._note(f, truth, x, y, truth)
        return truth

    def _note(self, f: Any, value: Any, x: Any, y: Any, truth: bool | None) -> Number:
        left, right = self._index(x), self._index(y)
        number = Number(self, self._index(value))
        self.sums.append((f, number.index, left, right, truth))
        return number

    def _index(self, x: Any) -> int:
        if isinstance(x, Number):
            return x.index
        self.numbers.append(x)
        return len(self.numbers) - 1


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Number | Recorded) else x


def _operator(name: str) -> None:
    f = getattr(operator, name)

    def method(self: Number, x: Any) -> Any:
        return NotImplemented if _is_array(x) else self.tape.compute(f, self, x)

    def reflect(self: Number, x: Any) -> Any:
        return NotImplemented if _is_array(x) else self.tape.compute(f, x, self)

    setattr(Number, f"__{name}__", method)
    setattr(Number, f"__r{name}__", reflect)


def _comparison(name: str) -> None:
    f = getattr(operator, name)

    def method(self: Number, x: Any) -> bool:
        return self.tape.compare(f, self, x)

    setattr(Number, f"__{name}__", method)


def _is_array(x: Any) -> bool:
    return isinstance(x, Recorded | np.ndarray)


for _name in ("add", "sub", "mul", "truediv", "pow"):
    _operator(_name)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    _comparison(_name)


class InPlace:
    """A rule that steps in `w` and in its state, and uses up `g`.

    It keeps what it computes with, so each plan needs one of its own.
    """

    def __init__(self, formula: Callable[..., Any], options: dict[str, Any]) -> None:
        self._formula = partial(formula, **options)
        self._arrays: list[Array] = []

    def __call__(
        self, w: Array, g: Array, t: int, s: Any, lr: Any
    ) -> tuple[Array, Any]:
        """Step as the formula does, and return the same arrays."""
        given = (w, g, *s[1:], lr)
        arrays = [x for x in given if isinstance(x, np.ndarray)]
        step = [t, *[x for x in given if not isinstance(x, np.ndarray)]]
        numbers = self._compute(step) if self._fit(arrays) else None
        if numbers is None:
            return w, self._record(given, arrays, step, type(s))
        for i, x in enumerate(arrays):
            if x is not self._arrays[i]:
                self._arrays[i] = x
                for places, index in self._uses[i]:
                    places[index] = x
        for cell, index in self._cells:
            cell[()] = numbers[index]
        for f, operands, place in self._program:
            f(*operands, out=place)
        parts = zip(s[1:], self._kept, strict=True)
        return w, type(s)(t, *[x if i is None else numbers[i] for x, i in parts])

    def _fit(self, arrays: list[Array]) -> bool:
        """Whether these arrays may take the place of those that were recorded."""
        return len(arrays) == len(self._arrays) and all(
            a is b or (a.shape == b.shape and a.dtype == b.dtype)
            for a, b in zip(arrays, self._arrays, strict=True)
        )

    def _compute(self, step: list[Any]) -> list[Any] | None:
        """Return all numbers of this step; None if a comparison comes out otherwise."""
        numbers = self._numbers
        numbers[: len(step)] = step
        for f, place, x, y, truth in self._sums:
            numbers[place] = value = f(numbers[x], numbers[y])
            if truth is not None and value is not truth:
                return None
        return numbers

    def _record(
        self, given: tuple[Any, ...], arrays: list[Array], step: list[Any], kind: Any
    ) -> Any:
        """Do a step as the formula does, and prepare to do the same again."""
        tape, index = Tape(step), count(1)
        w, g, *parts, lr = (
            Recorded(tape, x)
            if isinstance(x, np.ndarray)
            else Number(tape, next(index))
            for x in given
        )
        t = step[0]
        new_w, state = self._formula(w, g, Number(tape, 0), kind(t - 1, *parts), lr)
        inputs = [x for x in (w, g, *parts, lr) if isinstance(x, Recorded)]
        # What was an array before the step is one after it.
        results = [new_w, *[x for x in state[1:] if isinstance(x, Recorded)]]
        homes = [x.value for x in (w, *parts) if isinstance(x, Recorded)]
        self._arrays, self._numbers, self._sums = arrays, tape.numbers, tape.sums
        self._kept = [x.index if isinstance(x, Number) else None for x in state[1:]]
        self._cells: list[tuple[Array, int]] = []
        self._program = self._allocate(tape.calls, inputs, results, homes)
        uses = {id(x): list[tuple[list[Any], int]]() for x in arrays}
        for call in self._program:
            for places, start in ((call[1], 0), (call, 2)):
                for i, x in enumerate(places[start:], start):
                    if id(x) in uses:
                        uses[id(x)].append((places, i))
        self._uses = [uses[id(x)] for x in arrays]
        for home, result in zip(homes, results, strict=True):
            np.copyto(home, result.value)
        rest = iter(homes[1:])
        return kind(
            t,
            *[next(rest) if isinstance(x, Recorded) else _value(x) for x in state[1:]],
        )

    def _allocate(
        self,
        calls: list[Call],
        inputs: list[Recorded],
        results: list[Recorded],
        homes: list[Array],
    ) -> list[list[Any]]:
        """Return operations, operands and the places of results, in what is spent."""
        last = {id(x): i for i, call in enumerate(calls) for x in call.args}
        last |= {id(x): len(calls) for x in results}
        places = {id(x): x.value for x in inputs}
        taken = {id(x.value) for x in inputs} - {id(inputs[1].value)}  # all but g
        readers = {id(x.value): last.get(id(x), -1) for x in inputs}
        goals = {id(x): home for x, home in zip(results, homes, strict=True)}
        free = defaultdict[Any, list[Array]](list)
        program = list[list[Any]]()
        for i, (f, args, result) in enumerate(calls):
            operands = [
                places[id(x)] if isinstance(x, Recorded) else self._operand(x)
                for x in args
            ]
            done = {
                id(x): x
                for x, arg in zip(operands, args, strict=True)
                if last[id(arg)] == i and isinstance(arg, Recorded)
            }
            kind, apart = (result.value.shape, result.value.dtype), f in _APART
            spare = [x for key, x in done.items() if key not in taken]
            home = goals.get(id(result))
            if not apart:
                self._release(free, spare)
            if home is not None and readers[id(home)] < i + (not apart):
                place = home
            else:
                place = free[kind].pop() if free[kind] else np.empty(*kind)
            if apart:
                self._release(free, spare)
            places[id(result)] = place
            program.append([f, operands, place])
        for home, result in zip(homes, results, strict=True):
            if places[id(result)] is not home:
                program.append([_copy, [places[id(result)]], home])
        return program

    def _operand(self, x: Any) -> Array:
        """Return a number as an array, with which NumPy is quicker."""
        if isinstance(x, np.ndarray):
            return x
        cell = np.array(_value(x), self._arrays[0].dtype)
        if isinstance(x, Number):
            self._cells.append((cell, x.index))
        return cell

    @staticmethod
    def _release(free: dict[Any, list[Array]], spare: list[Array]) -> None:
        for x in spare:
            free[x.shape, x.dtype].append(x)
