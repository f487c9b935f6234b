"""The exercises of the lecture: an answer is run, and told whether it is right and why.

They are read from the pages and travel as ``exercises.json`` beside this file. An
answer is Python that defines names; of a number, a choice or an order it is `answer`.
"""

import ast
import json
import math
import numbers
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core import check
from chalkgrad.judge._verdicts import Failure, run_quietly

__all__ = [
    "FILE",
    "KINDS",
    "Exercise",
    "Reply",
    "check_answer",
    "check_text",
    "find_exercise",
    "list_exercises",
]

FILE = Path(__file__).with_name("exercises.json")
KINDS = ("code", "number", "choice", "order")
ANSWER = "<answer>"
CHECK = "<check>"


class Exercise(NamedTuple):
    """A question of a page, with all that is needed to check an answer."""

    page: str
    """Such as ``training/gradient-descent``."""
    id: str
    title: str
    kind: str
    """One of `KINDS`."""
    starter: str
    given: str
    """What runs before an answer, so that an answer may use its names."""
    check: str
    """Calls ``reply("why")`` if the answer is wrong; the first call is the reply."""
    solution: str
    replies: list[list[str]]
    """To a number, a choice or an order: wrong answers, each with its reply."""
    hints: list[str]
    tolerance: float
    options: int
    """How many there are to choose from, or to put in order."""


class Reply(NamedTuple):
    """What is said of an answer."""

    outcome: str
    """``right``, ``wrong`` or ``not judged``."""
    words: str


class _Said(BaseException):
    """The first reply of a check: what follows it is not run."""


@cache
def list_exercises() -> tuple[Exercise, ...]:
    """Return all exercises, in the order of the lecture."""
    return tuple(Exercise(**one) for one in json.loads(FILE.read_text("utf-8")))


def find_exercise(page: str, name: str) -> Exercise:
    """Return the exercise of a page that has this id.

    Raises
    ------
    ValueError
        If there is no such page, or it has no such exercise.
    """
    known = list_exercises()
    check.choice("exercise", "page", page, sorted({one.page for one in known}))
    here = {one.id: one for one in known if one.page == page}
    check.choice("exercise", "name", name, list(here))
    return here[name]


def check_text(text: str, page: str, name: str, cg: ModuleType) -> str:
    """Check an answer; return the reply as JSON, for a page."""
    return json.dumps(check_answer(find_exercise(page, name), text, cg)._asdict())


def check_answer(
    exercise: Exercise,
    text: str,
    cg: ModuleType,
    tell: Callable[[str], object] = lambda _: None,
) -> Reply:
    """Run an answer; return whether it is right, and if it is not, why.

    Parameters
    ----------
    exercise : Exercise
        Which one.
    text : str
        The answer, as Python; it is run.
    cg : module
        The backend that ``cg`` stands for, unless the answer imports another.
    tell : callable
        Told what is about to happen, before it may take for ever.
    """
    try:
        tree = ast.parse(text, ANSWER)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        return Reply("not judged", f"Python cannot read it: {_words(error)}{line}.")
    if not tree.body:
        return Reply("not judged", "Nothing is written there yet.")
    names: dict[str, Any] = {"__name__": "answer", "cg": cg, "np": np}
    exec(compile(exercise.given, "<given>", "exec"), names)
    given = dict(names)
    tell("running it")
    failure = _run(compile(tree, ANSWER, "exec"), names)
    if failure:
        return Reply("not judged", f"It stops with {failure}.")
    names = _restore(names, given)
    for name in _needs(exercise):
        if name not in names or (name in given and names[name] is given[name]):
            return Reply("wrong", f"There is no {name} in it: give it that name.")
    tell("checking it")
    if exercise.kind == "code":
        return _run_check(exercise, names) or Reply("right", "Right.")
    return _check_value(exercise, names, given)


def _restore(names: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Let no answer stand in for what a check calls."""
    backend = names.get("cg")
    ours = isinstance(backend, ModuleType) and backend.__name__ in (
        "chalkgrad.numpy",
        "chalkgrad.torch",
    )
    builtin = given["__builtins__"]
    kept = {name: x for name, x in names.items() if name not in builtin}
    kept |= {"np": np, "__builtins__": builtin, "cg": backend if ours else given["cg"]}
    return kept


def _needs(exercise: Exercise) -> list[str]:
    """Return the names that the check reads and a solution has to define."""
    if exercise.kind != "code":
        return ["answer"]
    stored, read = dict[str, None](), set[str]()
    for statement in ast.parse(exercise.solution).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            stored[statement.name] = None
        elif isinstance(statement, ast.Assign):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    stored[node.id] = None
    for node in ast.walk(ast.parse(exercise.check)):
        if isinstance(node, ast.Name):
            read.add(node.id)
    return [name for name in stored if name in read]


def _run(code: Any, names: dict[str, Any]) -> str:
    """Run code; return how it failed, in words, or nothing."""
    line = 0

    def execute() -> None:
        nonlocal line
        try:
            exec(code, names)
        except BaseException as error:
            trace = error.__traceback__
            while trace:
                if trace.tb_frame.f_code.co_filename == ANSWER:
                    line = trace.tb_lineno
                trace = trace.tb_next
            raise

    failure = run_quietly(execute, set())
    if not isinstance(failure, Failure):
        return ""
    where = f", in line {line}" if line else ""
    return f"{failure}".rstrip(".") + where


def _run_check(exercise: Exercise, names: dict[str, Any]) -> Reply | None:
    """Run the check of an exercise; return its reply, if it has one."""
    said: list[str] = []

    def reply(words: str) -> None:
        said.append(words)
        raise _Said

    failure = _run(compile(exercise.check, CHECK, "exec"), names | {"reply": reply})
    if said:
        return Reply("wrong", said[0])
    return Reply("wrong", f"The check stops with {failure}.") if failure else None


def _check_value(
    exercise: Exercise, names: dict[str, Any], given: dict[str, Any]
) -> Reply:
    """Check a number, a choice or an order."""
    read = READERS[exercise.kind]
    got = read(names["answer"], exercise)
    if isinstance(got, str):
        return Reply("wrong", got)

    def is_like(source: str) -> bool:
        there = dict(given)
        exec(compile(source, CHECK, "exec"), there)
        want = read(there["answer"], exercise)
        if exercise.kind == "number":
            return bool(abs(got - want) <= exercise.tolerance)
        return bool(got == want)

    if is_like(exercise.solution):
        return Reply("right", "Right.")
    for source, words in exercise.replies:
        if is_like(source):
            return Reply("wrong", words)
    checked = _run_check(exercise, names | {"answer": got})
    return checked or Reply("wrong", "That is not it.")


def _read_number(given: Any, _: Exercise) -> float | str:
    if getattr(given, "ndim", None) == 0 and hasattr(given, "item"):
        given = given.item()
    if isinstance(given, bool) or not isinstance(given, numbers.Real):
        return "The answer must be a number."
    if not math.isfinite(number := float(given)):
        return "The answer must be a finite number."
    return number


def _read_choice(given: Any, exercise: Exercise) -> int | str:
    if type(given) is int and 1 <= given <= exercise.options:
        return given
    return f"The answer must be the number of a line, 1 to {exercise.options}."


def _read_order(given: Any, exercise: Exercise) -> list[int] | str:
    every = list(range(1, exercise.options + 1))
    if isinstance(given, list | tuple) and all(type(one) is int for one in given):
        order = list(given)
        if sorted(order) == every:
            return order
    return f"The answer must hold each number from 1 to {exercise.options} once."


READERS: dict[str, Callable[[Any, Exercise], Any]] = {
    "number": _read_number,
    "choice": _read_choice,
    "order": _read_order,
}


def _words(error: BaseException) -> str:
    return getattr(error, "msg", None) or str(error) or type(error).__name__
