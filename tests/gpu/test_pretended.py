"""The GPU path on a card that is only pretended, in a process of its own.

It changes PyTorch, and must be loaded before it: so what runs on it, the other modules
of this folder, is collected there alone: in one process, for to load PyTorch takes as
long as most of these tests.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.gpu import building

ROOT = Path(__file__).parents[2]


NAMES = ("counts", "faults", "functions", "steps")


def test_on_a_pretended_card():
    if why := building.why_not():
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    command = [sys.executable, "-m", "pytest", "-p", "tests.gpu.card"]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "--quiet"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [*command, *(f"tests/gpu/{name}.py" for name in NAMES)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
