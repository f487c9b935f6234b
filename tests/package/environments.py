"""Environments where nothing but a wheel is installed, and what runs in them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TORCH = ROOT / "constraints-torch.txt"


def run(*command, code=0, **options):
    """Run a program; return what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        **options,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def archive(pattern):
    """Return the one archive that was built."""
    (found,) = (ROOT / "dist").glob(pattern)
    return found


def program(environment, name):
    """Return the path of an installed program."""
    on_windows = sys.platform == "win32"
    folder, end = ("Scripts", ".exe") if on_windows else ("bin", "")
    return environment / folder / (name + end)
