"""``chalkgrad exercise``: an answer to an exercise of the lecture, checked at home."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from rich.text import Text

from chalkgrad.cli._console import console
from chalkgrad.cli._options import ExerciseOptions
from chalkgrad.judge._exercises import (
    Exercise,
    Reply,
    check_answer,
    find_exercise,
    list_exercises,
)
from chalkgrad.judge._limits import Cut, Limits, Tell, run_apart
from chalkgrad.judge._verdicts import SITE

__all__ = ["run"]

COLOURS = {"right": "green", "wrong": "bold red", "not judged": "bold"}
CODES = {"right": 0, "wrong": 1, "not judged": 2}


class Job(NamedTuple):
    """What a process is to check."""

    exercise: Exercise
    text: str
    backend: str


def run(options: ExerciseOptions) -> int:
    """Run the command; return its exit code."""
    if not options.name:
        return _list(options.page)
    exercise = find_exercise(options.page, options.name)
    if options.hints or options.solution:
        shown = exercise.hints if options.hints else []
        print("\n".join([*shown, *[exercise.solution.rstrip()] * options.solution]))
        return 0
    if not options.answer:
        place = f"{SITE}{exercise.page}/#{exercise.id}"
        print(f"# {exercise.title}: {place}\n{exercise.starter}", end="")
        return 0
    reply = _check(options, Job(exercise, _read(options), options.backend))
    if options.json:
        print(json.dumps(reply._asdict()))
    else:
        console().print(Text(reply.words, style=COLOURS[reply.outcome]))
    return CODES[reply.outcome]


def _list(page: str) -> int:
    known = list_exercises()
    found = [one for one in known if page in ("", one.page)]
    if not found:
        pages = ", ".join(dict.fromkeys(one.page for one in known))
        raise ValueError(f"exercise: no exercise on {page}; there are some on {pages}.")
    for one in found:
        print(f"{one.page} {one.id}")
    return 0


def _read(options: ExerciseOptions) -> str:
    """Return the text of an answer: of a file, or what stands there itself."""
    if options.answer == "-":
        return sys.stdin.read()
    path = Path(options.answer)
    kind = find_exercise(options.page, options.name).kind
    is_place = kind == "code" or path.suffix == ".py" or path.is_dir()
    if not path.is_file():
        if is_place:
            raise FileNotFoundError(f"exercise: there is no file {path}")
        return f"answer = {options.answer}"
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"exercise: {path} is no text in UTF-8") from None


def _check(options: ExerciseOptions, job: Job) -> Reply:
    if job.backend == "torch" and importlib.util.find_spec("torch") is None:
        raise ModuleNotFoundError("torch is not installed", name="torch")
    limits = Limits(seconds=options.seconds, megabytes=options.megabytes)
    found = run_apart(_work, job, limits)
    if isinstance(found, Cut):
        outcome = "not judged" if found.doing == "loading" else "wrong"
        return Reply(outcome, f"{found.reason[0].upper()}{found.reason[1:]}.")
    return Reply(**found)


def _work(job: Job, tell: Tell) -> dict[str, Any]:
    """Check, in a process of its own."""
    cg = importlib.import_module(f"chalkgrad.{job.backend}")
    return check_answer(job.exercise, job.text, cg, tell)._asdict()
