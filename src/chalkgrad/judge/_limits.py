"""A judgement in a process of its own, with a limit of time and of memory.

What is judged may not come to an end, take all memory, end its process, print, or open
plots. All of that is told, and nothing of it reaches the judge. It is no sandbox: code
that wants to do harm can.
"""

import contextlib
import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, TypeVar

from chalkgrad.judge._examine import examine_task
from chalkgrad.judge._places import Place, find_subject
from chalkgrad.judge._tasks import find_task, list_aspects
from chalkgrad.judge._verdicts import Verdict

__all__ = ["Cut", "Limits", "Tell", "judge_place", "run_apart"]

Tell = Callable[[str], object]
"""Told what is about to happen, before it may take for ever."""
T = TypeVar("T")


class Limits(NamedTuple):
    """What a trial may take."""

    seconds: float = 5.0
    loading: float = 60.0
    """Seconds to load what is judged, and what it imports."""
    megabytes: int = 8192


class Cut(NamedTuple):
    """A run that came to no end of its own."""

    doing: str
    """What was about to happen; ``loading`` at first."""
    reason: str


class Job(NamedTuple):
    """What a process is to judge."""

    place: Place
    task: str
    fixed: dict[str, Any]
    only: tuple[str, ...]
    skip: tuple[str, ...]


def judge_place(
    place: Place,
    task: str,
    fixed: dict[str, Any],
    *,
    only: tuple[str, ...] = (),
    skip: tuple[str, ...] = (),
    limits: Limits = Limits(),  # noqa: B008
) -> Verdict:
    """Judge what is in a file, module or notebook, within limits."""
    try:
        find_task(task).check_options(fixed)
    except TypeError as error:  # at a prompt all is text: another one will do
        raise ValueError(str(error)) from None
    _check_aspects(list_aspects(task, fixed), only, skip)
    found = run_apart(_judge_job, Job(place, task, fixed, only, skip), limits)
    if isinstance(found, Cut):
        outcome = "not judged" if found.doing == "loading" else "wrong"
        return Verdict(outcome, task, reason=f"{found.reason}: {found.doing}")
    return Verdict.read(found)


def _check_aspects(
    known: list[str], only: tuple[str, ...], skip: tuple[str, ...]
) -> None:
    """Raise unless each word is in an aspect, and they leave one to judge."""
    named = ", ".join(known) or "none by name"
    for option, words in (("--only", only), ("--skip", skip)):
        for word in words:
            if not any(word in aspect for aspect in known):
                raise ValueError(
                    f"judge: {option} {word} is in no aspect; these are tried: {named}."
                )
    if known and not any(is_chosen(aspect, only, skip) for aspect in known):
        raise ValueError(f"judge: --only and --skip leave none of these: {named}.")


def is_chosen(aspect: str, only: tuple[str, ...], skip: tuple[str, ...]) -> bool:
    """Whether an aspect is to be tried."""
    named = any(word in aspect for word in only) or not only
    return named and not any(word in aspect for word in skip)


def run_apart(
    work: Callable[[T, Tell], dict[str, Any]], job: T, limits: Limits
) -> dict[str, Any] | Cut:
    """Run a function of a module in a process of its own.

    Parameters
    ----------
    work : callable
        Takes the job, and tells what it is about to do; returns what JSON can hold.
    job
        What it is given.
    limits : Limits
        What it may take.
    """
    # A fork of a process that has the judge and nothing else costs a few milliseconds.
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context(
        "forkserver" if "forkserver" in methods else "spawn"
    )
    if "forkserver" in methods:
        context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe(duplex=False)
    arguments = (theirs, work, job, limits.megabytes)
    child = context.Process(target=_work, args=arguments, daemon=True)
    child.start()
    theirs.close()
    try:
        return _listen(ours, child, limits)
    finally:
        if child.is_alive():
            child.kill()
        child.join()
        child.close()
        ours.close()


def _listen(ours: Connection, child: Any, limits: Limits) -> dict[str, Any] | Cut:
    """Wait for what comes of it, as long as there are signs of life."""
    doing, seconds = "loading", limits.loading
    while True:
        if not ours.poll(seconds):
            words = f"it does not come to an end within {seconds:g} s"
            return Cut(doing, words)
        try:
            said = json.loads(ours.recv_bytes())
        except (EOFError, OSError):
            child.join()
            words = f"it ended its process, with code {child.exitcode}"
            return Cut(doing, words)
        if "done" in said:
            done: dict[str, Any] = said["done"]
            return done
        doing, seconds = said["doing"], limits.seconds


def _work(
    theirs: Connection,
    work: Callable[[T, Tell], dict[str, Any]],
    job: T,
    megabytes: int,
) -> None:
    """Do the work, in a process of its own."""

    def tell(**said: Any) -> None:
        theirs.send_bytes(json.dumps(said).encode())

    os.environ["MPLBACKEND"] = "Agg"
    _close_streams()
    _limit_memory(megabytes)
    tell(done=work(job, lambda doing: tell(doing=doing)))
    os._exit(0)  # threads that it has left behind would keep the process


def _close_streams() -> None:
    """Let what is read be empty, and what is written be lost."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _judge_job(job: Job, tell: Tell) -> dict[str, Any]:
    return _judge(job, tell).to_dict()


def _judge(job: Job, tell: Tell) -> Verdict:
    try:
        subject, name = find_subject(job.place, job.task)
    except BaseException as error:
        words = " ".join(str(error).split())
        if isinstance(error, FileNotFoundError | IsADirectoryError):
            words = f"there is no file {error.filename}"
            return Verdict("not judged", job.task, reason=words)
        if isinstance(error, LookupError | OSError):
            return Verdict("not judged", job.task, reason=words.strip("'\""))
        told = f"it cannot be loaded: {type(error).__name__}: {words}"
        return Verdict("not judged", job.task, reason=told)

    verdict = examine_task(
        find_task(job.task),
        subject,
        job.fixed,
        name=name.rpartition(".")[2],
        choose=lambda aspect: is_chosen(aspect, job.only, job.skip),
        tell=tell,
    )
    plots: Any = sys.modules.get("matplotlib.pyplot")
    if plots is not None and plots.get_fignums():
        verdict.notes.append("it opens plots")
    if threading.active_count() > 1:
        verdict.notes.append("it leaves threads behind")
    return verdict


def _limit_memory(megabytes: int) -> None:
    """Let what takes more memory get a `MemoryError`, where that can be had."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        size = megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
