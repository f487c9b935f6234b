"""Whatever ends a run, and when, it comes to the same weights in the end, to the bit.

A kill at a random moment seldom meets the moment that matters. So strace also kills, or
fails, at an exact call to the system: the k-th write, fsync, rename or unlink.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest

TRAINER = Path(__file__).with_name("trainer.py")
ENV = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
CALLS = "write,fsync,/^rename,/^unlink"
needs_strace = pytest.mark.skipif(
    not shutil.which("strace"), reason="strace is not installed"
)


class Call(NamedTuple):
    """A call to the system that has to do with the checkpoints or the log."""

    name: str
    k: int  # the k-th of its name
    text: str


def command(backend, folder):
    return [sys.executable, str(TRAINER), backend, str(folder)]


def finish(backend, folder):
    """Train to the end; return what it came to."""
    done = subprocess.run(
        command(backend, folder),
        env=os.environ | ENV,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()[-1]


def traced(folder, *options):
    """Train under strace; return how it ended and the calls it made."""
    log = folder.with_suffix(".strace")
    strace = ["strace", "-f", "-qq", "-y", "-o", log, "-e", f"trace={CALLS}"]
    done = subprocess.run(
        [*strace, *options, *command("numpy", folder)],
        env=os.environ | ENV,
        capture_output=True,
        text=True,
        check=False,
    )
    counts, calls = Counter(), []
    for name, text in re.findall(r"^\d+ +(\w+)\((.*)", log.read_text("utf-8"), re.M):
        counts[name] += 1
        calls.append(Call(name, counts[name], text))
    return done, [call for call in calls if str(folder) in call.text]


@pytest.fixture(scope="module")
def reached(tmp_path_factory):
    """What a run that nobody disturbs comes to."""
    return finish("numpy", tmp_path_factory.mktemp("reached") / "run")


@pytest.fixture(scope="module")
def calls(tmp_path_factory, reached):
    """The calls that such a run makes."""
    done, calls = traced(tmp_path_factory.mktemp("calls") / "run")
    assert done.stdout.splitlines()[-1] == reached
    return calls


def started(backend, folder):
    """Start training, and wait until it has begun."""
    run = subprocess.Popen(
        command(backend, folder),
        env=os.environ | ENV,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run.stdout.readline()
    return run


def some_of(calls, count, rng):
    """Choose calls of all names in turns, at random."""
    piles: dict[str, list[Call]] = {}
    for call in rng.sample(calls, len(calls)):
        piles.setdefault(call.name, []).append(call)
    turns = chain.from_iterable(zip_longest(*piles.values()))
    return list(islice(filter(None, turns), count))


@pytest.mark.parametrize(
    ("backend", "few", "many"), [("numpy", 4, 50), ("torch", 1, 10)]
)
def test_killed_at_a_random_moment(tmp_path, torture, backend, few, many):
    began = time.perf_counter()
    with started(backend, tmp_path / "whole") as run:
        ready = time.perf_counter()
        told, errors = run.communicate()
    assert (run.returncode, errors) == (0, "")
    whole = told.splitlines()[-1]
    lasts, rng = time.perf_counter() - ready, random.Random(0)
    count, killed, finished = many if torture else few, 0, 0
    while killed < count:
        folder = tmp_path / f"{killed}-{finished}"
        with started(backend, folder) as run:
            time.sleep(rng.uniform(0, 0.9 * lasts))
            run.kill()
        if run.returncode == 0:  # it was faster than the one that was timed
            finished, lasts = finished + 1, lasts / 2
            continue
        killed += 1
        assert run.returncode == -signal.SIGKILL
        assert finish(backend, folder) == whole
    took = time.perf_counter() - began
    print(f"{backend}: {killed} killed at random, all came back; {took:.0f} s")


@needs_strace
def test_killed_at_an_exact_call(tmp_path, torture, calls, reached):
    some = some_of(calls, 60 if torture else 4, random.Random(0))
    for call in some:
        folder = tmp_path / f"{call.name}-{call.k}"
        kill = f"inject={call.name}:signal=SIGKILL:when={call.k}"
        done, made = traced(folder, "-e", kill)
        assert done.returncode == -signal.SIGKILL
        assert made[-1][:2] == call[:2]
        assert finish("numpy", folder) == reached
    print(f"killed at {dict(Counter(call.name for call in some))}, all came back")


@needs_strace
def test_a_disk_that_is_full_or_fails(tmp_path, torture, calls, reached):
    rng = random.Random(1)
    some = some_of(calls, 20 if torture else 4, rng)
    for call in some:
        error = rng.choice(["ENOSPC", "EIO"])
        folder = tmp_path / f"{call.name}-{call.k}"
        fault = f"inject={call.name}:error={error}:when={call.k}"
        done, _ = traced(folder, "-e", fault)
        assert done.returncode == 1
        assert re.search(rf"OSError: .*: cannot write {folder}", done.stderr)
        assert finish("numpy", folder) == reached
    print(f"failed at {dict(Counter(call.name for call in some))}, all came back")


@needs_strace
def test_nothing_is_renamed_before_it_is_on_the_disk(calls):
    """SIGKILL can't show a missing fsync: only a power cut could, or the order."""
    story = ""
    for name, _, text in calls:
        if "unfinished" in text:
            story += {"write": "w", "fsync": "s"}.get(name, "R")
        elif ".jsonl" not in text:
            story += {"fsync": "S", "unlink": "-"}[name]
    saves = re.findall("w+sRS-?", story)
    assert "".join(saves) == story
    assert len(saves) == 13  # the start and 12 epochs
    assert story.count("-") == 11  # all but the last two
