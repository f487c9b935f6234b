"""``chalkgrad doctor``: what this installation can do, and what it lacks.

It needs nothing but NumPy, so that it can say what else is missing.
"""

import importlib
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

import chalkgrad
from chalkgrad._core.install import advise
from chalkgrad.cli._options import DoctorOptions

__all__ = ["run"]

# The modules that a command imports, and the extra that brings them.
NEEDS = {
    ("rich", "matplotlib"): (
        "cli",
        (
            "train, inspect, predict, evaluate, landscape, sweep, find-lr, bench, "
            "judge, exercise"
        ),
    ),
    ("sklearn", "scipy"): ("lecture", "claims, all of them"),
    ("torch",): ("torch", "--backend torch, --device, import chalkgrad.torch"),
}


def run(_: DoctorOptions) -> int:
    """Run the command; return its exit code."""
    for name, finding in _findings():
        print(f"{name:10} {finding}")
    return 0


def _findings() -> Iterator[tuple[str, str]]:
    """Yield what is asked first when something does not work."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield (
        "chalkgrad",
        f"{chalkgrad.__version__}, in {Path(chalkgrad.__file__).parent}",
    )
    yield "Python", f"{python}, {platform.system()} on {platform.machine()}"
    yield "NumPy", f"{np.__version__}, {_blas()}"
    yield "SIMD", " ".join(_simd()) or "none that NumPy knows"
    yield "processors", str(os.cpu_count())
    yield "PyTorch", _pytorch()
    encoding = sys.stdout.encoding or "unknown"
    yield "terminal", f"{encoding}, {shutil.get_terminal_size().columns} columns"
    yield "folder", _folder()
    for modules, (extra, commands) in NEEDS.items():
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if not missing:
            yield "can run", commands
        else:
            yield "missing", f"{', '.join(missing)} for {commands}: {advise(extra)}"


def _blas() -> str:
    """Name the library that multiplies, and its kernel if threadpoolctl is there."""
    if importlib.util.find_spec("threadpoolctl"):
        found = importlib.import_module("threadpoolctl").threadpool_info()
        for each in found:
            if each.get("user_api") == "blas":
                kernel = each.get("architecture", "unknown kernel")
                return f"{each['internal_api']} {each['version']} ({kernel})"
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built['name']} {built['version']}"


def _simd() -> list[str]:
    """Return the instructions of this processor that NumPy computes with."""
    known = np.show_config(mode="dicts")["SIMD Extensions"]
    return [*known.get("baseline", []), *known.get("found", [])]


def _pytorch() -> str:
    if importlib.util.find_spec("torch") is None:
        return "not installed"
    torch = importlib.import_module("torch")
    cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return f"{version('torch')}, {', '.join(cards) or 'no GPU that it can use'}"


def _folder() -> str:
    try:
        with tempfile.TemporaryFile(dir="."):
            return f"{Path.cwd()} can be written"
    except OSError as error:
        return f"{Path.cwd()} cannot be written: {error.strerror}"
