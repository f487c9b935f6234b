"""Fill .venv, as the Makefile asks: ``python requirements/install.py docs TORCH``.

``docs`` is what builds the site, with the files from npm; ``dev`` adds the linters and
the tests. The rest of the line is given to pip for PyTorch, which has no hash in the
lock: its builds differ. What can be fetched side by side is, and every step says in a
line how long it took. This file runs before anything is installed, on any Python 3.
"""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
NODE = ROOT / "node_modules/.package-lock.json"
OLDEST = (3, 11, 5)  # of the tools in the locks; chalkgrad itself takes 3.11
# Every file has one of the hashes in the lock, and none runs a set-up script.
LOCKED = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
NETWORK = "Is there a network? Behind a mirror, tell pip: PIP_INDEX_URL=… make setup."


class StepError(Exception):
    """A step that failed, in words for whoever typed ``make``."""


def run(*command, advice):
    """Run a command in silence; say what to do where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        last = done.stdout.decode("utf-8", "replace").strip().splitlines()[-8:]
        failed = " ".join(words[:6]) + " … failed:"
        raise StepError("\n  ".join([failed, *last, advice]))


def make_environment():
    """Make .venv with pip and uv in it."""
    if not (BIN / "python").exists():
        advice = "On Debian and Ubuntu: apt install python3-venv."
        run(sys.executable, "-m", "venv", VENV, advice=advice)
    if not (BIN / "uv").exists():
        lock = ROOT / "requirements/setup.txt"
        run(BIN / "pip", "install", *LOCKED, "-r", lock, advice=NETWORK)


def install_lock(name):
    """Install what a lock names: by uv, and by pip where uv can't.

    uv takes a quarter of pip's time, but knows no mirror that pip is set up for.
    """
    lock = ROOT / "requirements" / (name + ".txt")
    to = ["--python", BIN / "python"]
    try:
        run(BIN / "uv", "pip", "install", *to, *LOCKED, "-r", lock, advice=NETWORK)
    except StepError:
        run(BIN / "pip", "install", *LOCKED, "-r", lock, advice=NETWORK)


def install_torch(options):
    """Install PyTorch by its own pin: by its name alone pip would take gigabytes."""
    pip = [BIN / "pip", "install", "--quiet", "--no-compile"]
    run(*pip, *options, advice=NETWORK)


def install_ourselves():
    """Install chalkgrad as it stands here."""
    quiet = ["--quiet", "--python", BIN / "python"]
    ourselves = ["--no-deps", "--no-build-isolation", "--editable", "."]
    run(BIN / "uv", "pip", "install", *quiet, *ourselves, advice="Is the disk full?")


def install_node_modules():
    """Install what the site and its tests take from npm."""
    lock = ROOT / "package-lock.json"
    if NODE.exists() and NODE.stat().st_mtime >= lock.stat().st_mtime:
        return
    run("npm", "ci", "--loglevel=error", "--no-progress", advice=NETWORK)
    NODE.touch()


def timed(name, work, *arguments):
    """Take a step, and say in a line how long it took."""
    began = time.monotonic()
    work(*arguments)
    print(f"  {name:<36}{time.monotonic() - began:4.0f} s", flush=True)


def install_docs(torch):
    """Install what builds the site. One after the other: all write into .venv."""
    timed("packages of the site", install_lock, "docs")
    timed("PyTorch", install_torch, torch)
    timed("chalkgrad", install_ourselves)


def main(what, torch):
    """Fill .venv for the site, or for the tests too, and mark it as filled."""
    if sys.version_info < OLDEST:
        oldest, here = (".".join(map(str, v[:3])) for v in (OLDEST, sys.version_info))
        raise StepError(
            f"chalkgrad's tools need Python {oldest} or newer, and {sys.executable} is "
            f"{here}. Name another: make serve PYTHON=python3.12"
        )
    print("Setting up .venv", flush=True)
    if what == "dev":
        timed("packages of linters and tests", install_lock, "dev")
        timed("chalkgrad", install_ourselves)
        (VENV / "dev").touch()
        return
    timed("environment", make_environment)
    with ThreadPoolExecutor() as pool:
        python = pool.submit(install_docs, torch)
        if shutil.which("npm") is None:
            print("  npm is not here: the site is built without Python in its pages")
        else:
            timed("packages from npm", install_node_modules)
        python.result()
    if NODE.exists():  # else the next `make` looks for npm again
        (VENV / "docs").touch()


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2:])
    except StepError as error:
        sys.exit(str(error))
