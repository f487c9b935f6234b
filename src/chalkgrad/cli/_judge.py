"""``chalkgrad judge``: an implementation of the reader's against the reference."""

import contextlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.text import Text

from chalkgrad.cli._console import console
from chalkgrad.cli._options import JudgeOptions
from chalkgrad.judge import _report as report
from chalkgrad.judge._limits import Limits, judge_place
from chalkgrad.judge._places import Place, read_place
from chalkgrad.judge._tasks import describe, find_task, list_tasks
from chalkgrad.judge._verdicts import Verdict

__all__ = ["run"]

COLOURS = {"right": "green", "convention": "yellow", "wrong": "bold red"}
SUFFIXES = (".py", ".ipynb")


def run(options: JudgeOptions) -> int:
    """Run the command; return its exit code."""
    if options.list:
        for name in list_tasks():
            console().print(name)
        return 0
    if options.show:
        name = find_task(options.show, "judge", "--show").name
        console().print(describe(name).rstrip())
        return 0
    if not options.task:
        raise ValueError(
            "judge: name the task with --as, such as --as adam; --list names all"
        )
    task = find_task(options.task, "judge", "--as").name
    if options.folder:
        return _judge_class(options, task, Path(options.folder))
    if not options.subject:
        raise ValueError("judge: say what to judge, such as mine.py:Adam")
    place = read_place(options.subject)
    verdict = _judge(options, task, place)
    if options.junit:
        words = report.write_junit(str(place), verdict, is_strict=options.strict)
        Path(options.junit).write_text(words, "utf-8")
    if options.json:
        print(json.dumps(verdict.to_dict(), indent=2))
    else:
        _show(verdict)
    return _code(verdict, options)


def _judge(options: JudgeOptions, task: str, place: Place) -> Verdict:
    return judge_place(
        place,
        task,
        dict(map(_option, options.fixed)),
        only=tuple(options.only),
        skip=tuple(options.skip),
        limits=Limits(seconds=options.seconds, megabytes=options.megabytes),
    )


def _option(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if value in ("True", "False"):
        return name, value == "True"
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return name, read(value)
    if value.isidentifier():
        return name, value
    raise ValueError(f"judge: --with takes lr=0.1 and the like, not {text}")


def _code(verdict: Verdict, options: JudgeOptions) -> int:
    if verdict.outcome == "not judged":
        return 2
    return int(report.is_failure(verdict, is_strict=options.strict))


def _show(verdict: Verdict) -> None:
    title, *lines = verdict.lines()
    console().print(Text(title, style=COLOURS.get(verdict.outcome, "bold")))
    for line in lines:
        console().print(line)


def _judge_class(options: JudgeOptions, task: str, folder: Path) -> int:
    """Judge all in a folder, and say what was common."""
    if not folder.is_dir():
        raise FileNotFoundError(f"judge: there is no folder {folder}")
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in SUFFIXES and not path.name.startswith((".", "_"))
    )
    if not paths:
        raise FileNotFoundError(f"judge: {folder} holds no .py and no .ipynb")
    name = options.subject.rpartition(":")[2]
    places = {
        path.relative_to(folder).with_suffix("").as_posix(): Place(str(path), name)
        for path in paths
    }
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(lambda place: _judge(options, task, place), places.values())
        verdicts = dict(zip(places, done, strict=True))
    if options.csv:
        Path(options.csv).write_text(report.write_csv(verdicts), "utf-8", newline="")
    if options.html:
        Path(options.html).write_text(report.write_html(task, verdicts), "utf-8")
    if options.json:
        said = {name: verdict.to_dict() for name, verdict in verdicts.items()}
        print(json.dumps(said, indent=2))
    else:
        for student, verdict in verdicts.items():
            words = verdict.title.removeprefix(f"{verdict.task}: ")
            line = Text(f"{student}: ")
            line.append(words, style=COLOURS.get(verdict.outcome, "bold"))
            console().print(line)
        for common, count in report.count_findings(verdicts):
            console().print(f"{count} × {common}")
    return max(_code(verdict, options) for verdict in verdicts.values())
