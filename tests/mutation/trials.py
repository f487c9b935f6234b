"""Trials: which tests notice a mutant, in a process where nothing else is different.

NumPy, PyTorch and Hypothesis are imported once, here; chalkgrad is not. A trial is a
fork of this process, so it needs no time for them and imports chalkgrad from a copy of
the repository in which the mutant stands in place of the module.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy  # noqa: F401
import numpy as np  # noqa: F401
import pytest
import torch  # noqa: F401

from .mutants import Mutant

COPIED = ("src", "tests", "benchmarks", "conftest.py", "pyproject.toml")
# Hypothesis is here already, and so pytest does not rewrite the asserts in it.
HOW = ["-q", "-pno:cacheprovider", "-Wignore::pytest.PytestAssertRewriteWarning"]
CRASHED = 70


class Tree:
    """A copy of the repository, for one trial at a time."""

    def __init__(self, home: Path, root: Path) -> None:
        self.root = root
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        for name in COPIED:
            source, target = home / name, root / name
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)

    @contextlib.contextmanager
    def holding(self, mutant: Mutant) -> Iterator[None]:
        """Put the mutant in the place of its module."""
        path = self.root / mutant.module
        original, times = path.read_bytes(), path.stat()
        planted = mutant.planted(original)
        compile(planted, path, "exec")  # a fault that Python sees is none of ours
        path.write_bytes(planted)
        try:
            yield
        finally:
            path.write_bytes(original)
            # Or else the compiled file beside it would no longer be taken.
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def start(self, *args: str, plugin: Any, writes: bool = False) -> int:
        """Start pytest here in a fork, and return its process."""
        pid = os.fork()
        if pid:
            return pid
        code = CRASHED
        try:
            os.setsid()  # so that its own children end with it
            log = os.open(self.root / "log.txt", os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.chdir(self.root)
            sys.path[:0] = [str(self.root), str(self.root / "src")]
            os.environ["PYTHONPATH"] = str(self.root / "src")
            if not writes:  # what is compiled from a mutant must not stay
                sys.dont_write_bytecode = True
                os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
            for name in [name for name in sys.modules if name.startswith("tests")]:
                del sys.modules[name]  # it is that of the working tree
            code = int(pytest.main([*HOW, *args], [plugin]))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


class Watched:
    """A plugin that notes how long every test takes."""

    def __init__(self, path: Path) -> None:
        self._path, self._seconds = path, dict[str, float]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self._seconds.get(report.nodeid, 0.0)
        self._seconds[report.nodeid] = before + report.duration

    def pytest_sessionfinish(self) -> None:
        self._path.write_text(json.dumps(self._seconds), "utf-8")


class Chosen:
    """A plugin that runs some of the tests, in an order of ours."""

    def __init__(self, tests: list[str]) -> None:
        self._place = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._place]
        items[:] = sorted(chosen, key=lambda item: self._place[item.nodeid])


def end(pid: int) -> None:
    """End a trial and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def ended(pid: int, seconds: float) -> int | None:
    """Wait for the exit status of a trial; None if it takes too long."""
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
    finally:
        end(pid)  # and what it has left behind
    os.waitpid(pid, 0)
    return None
