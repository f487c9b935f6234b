"""What the pages show that code makes: figures, labs, commands, the widgets' data.

Each is made in a process of its own and kept in ``.cache`` under a name that stands for
all that comes into it (`sources.digest`), so it is made once. A build makes what is
missing before it writes a page, as many at a time as there are cores.

``python -m chalkdocs.artifacts FILE…`` lists what a change of these files makes anew.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial, wraps
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chalkdocs.page_errors import PageError
from chalkdocs.sources import DOCS, PACKAGE, ROOT, SOURCE, dependencies, digest

HERE = SOURCE / "chalkdocs"
CACHE = ROOT / ".cache"
HOW_TO = DOCS / "how-to"


class NotMadeError(Exception):
    """Something that a page shows is not there yet, and nobody waits for it."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name}")
        self.box = (
            f'<div class="not-made" role="status" {mark(kind, name)}>Being made: '
            f"{kind} {name}. It comes here by itself.</div>"
        )


def mark(kind: str, name: str) -> str:
    """Return the attribute of the box that stands for something not made yet."""
    return f'data-not-made="{kind} {name}"'


def or_box(write: Callable[..., str]) -> Callable[..., str]:
    """Let a box stand for what is not made yet."""

    @wraps(write)
    def write_or_box(*arguments: str) -> str:
        try:
            return write(*arguments)
        except NotMadeError as error:
            return error.box

    return write_or_box


# Whether a page that is built waits for what it shows; while it is served it does not.
waits = True


class Artifact(NamedTuple):
    """Something that code makes for a page."""

    kind: str
    name: str
    source: Path
    """The file that makes it."""
    path: Callable[[], Path]
    """Where it is kept, once it is made."""
    make: Callable[[], object]
    tables: tuple[Path, ...] = ()
    """What it reads that no import leads to."""

    @property
    def needs(self) -> set[Path]:
        """All files that come into it."""
        return {*dependencies(self.source), *self.tables}

    @property
    def is_made(self) -> bool:
        """Whether it is there, made from what there is now."""
        return self.path().exists()


def _run(what: str, *module: str) -> str:
    """Run a module in a process of its own: it sees sources that have just changed."""
    command = [sys.executable, "-m", *module]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # A verdict may be bad news, and then it is told by 1, too.
    if done.returncode and (done.stderr or not done.stdout):
        raise PageError(f"{what} failed:\n{done.stderr}")
    return done.stdout


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    part.write_bytes(content)
    part.replace(path)


def keep(path: Path, content: bytes) -> None:
    """Write ``name.state.suffix``; what another state of the same name left there goes.

    A state is a digest, and all digests in a folder are of one length.
    """
    write(path, content)
    name, state, suffix = path.name.rsplit(".", 2)
    for old in path.parent.glob(f"{name}.{'?' * len(state)}.{suffix}"):
        if old != path:
            old.unlink(missing_ok=True)


# --- Figures --------------------------------------------------------------------------


_DRAW = HERE / "figures/__main__.py"


def _figures_path(module: str) -> Path:
    script = HERE / f"figures/{module}.py"
    if not script.is_file():
        raise PageError(
            f"the figures of {module} failed:\nthere is no {script.name} in "
            "src/chalkdocs/figures; write it, or name a figure of another module."
        )
    return CACHE / "figures" / f"{module}.{digest(script, _DRAW)}"


def make_figures(module: str) -> None:
    """Draw the figures of a module."""
    folder = _figures_path(module)
    part = folder.with_suffix(f".{os.getpid()}")
    _run(f"the figures of {module}", "chalkdocs.figures", module, str(part))
    for old in folder.parent.glob(f"{module}.*"):
        if old not in (folder, part):
            shutil.rmtree(old, ignore_errors=True)
    if folder.exists():  # somebody else was quicker
        shutil.rmtree(part)
    else:
        part.replace(folder)


def figures(module: str) -> dict[str, str]:
    """Return the SVGs of a module by their names, ``module.function``."""
    folder = _figures_path(module)
    if not folder.is_dir():
        if not waits:
            raise NotMadeError("figures", module)
        make_figures(module)
    return {path.stem: path.read_text("utf-8") for path in folder.glob("*.svg")}


# --- What the widgets are given -------------------------------------------------------


def _widgets_path() -> Path:
    return CACHE / f"widgets.{digest(HERE / 'widgets.py')}.json"


def make_widgets() -> None:
    """Compute what the widgets are given."""
    path = _widgets_path()
    keep(path, _run("what the widgets are given", "chalkdocs.widgets").encode())


def widgets() -> dict[str, Any]:
    """Return what the widgets are given, by their names."""
    path = _widgets_path()
    if not path.is_file():
        if not waits:
            raise NotMadeError("widgets", "all")
        make_widgets()
    given: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return given


# --- Commands -------------------------------------------------------------------------

_COMMAND = "<!-- command: "
# Run from here, whether or not they are on the path.
_MODULES = {"chalkgrad": "chalkgrad", "torchrun": "torch.distributed.run"}


def _commands() -> list[str]:
    """Return the commands of all pages, in the order in which they run."""
    return [
        line.strip().removeprefix(_COMMAND).removesuffix(" -->")
        for page in sorted(HOW_TO.glob("*.md"))
        for line in page.read_text("utf-8").splitlines()
        if line.strip().startswith(_COMMAND)
    ]


def _command_inputs() -> list[Path]:
    """Return the tables and programs that a command finds."""
    return sorted([*HOW_TO.glob("*.csv"), *HOW_TO.glob("*.py")])


def _command_path(line: str) -> Path:
    """A command sees the tables, and what those before it have left."""
    every = _commands()
    before = every[: every.index(line)] if line in every else []
    # No command writes over what it has left with other options: a folder for each set.
    options = hashlib.sha256("\n".join(every).encode()).hexdigest()[:8]
    state = digest(PACKAGE / "cli/__init__.py", *_command_inputs()) + options
    name = hashlib.sha256("\n".join([state, *before, line]).encode()).hexdigest()[:16]
    return CACHE / "commands" / state / f"{name}.txt"


def make_command(line: str) -> None:
    """Run a command in the folder of the tables."""
    path = _command_path(line)
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.parent.iterdir():
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    for given in _command_inputs():
        shutil.copy(given, folder)
    for left in folder.glob("*/checkpoints"):  # by a build that was broken off
        shutil.rmtree(left)
    words = line.split()
    if words[0] in _MODULES:
        words[:1] = [sys.executable, "-m", _MODULES[words[0]]]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"COLUMNS": "80"},  # Rich looks there for a width
    )
    # A verdict is an answer, also where it is not the one that was hoped for.
    if done.returncode and (done.stderr or not done.stdout):
        raise PageError(f"the command {line!r} failed:\n{done.stderr}")
    write(path, done.stdout.encode())


def command(line: str) -> str:
    """Return what a command prints."""
    path = _command_path(line)
    if not path.is_file():
        if not waits:
            raise NotMadeError("commands", "of the how-to pages")
        make_command(line)
    return path.read_text("utf-8")


def _make_commands() -> None:
    """Run what did not run yet, one after the other: each may use what one left."""
    for line in _commands():
        if not _command_path(line).is_file():
            make_command(line)


# --- All of them ----------------------------------------------------------------------


def artifacts() -> Iterator[Artifact]:
    """Go through all that the pages show and code makes."""
    from chalkdocs import notebooks

    for lab in sorted((DOCS / "labs").glob("*.py")):
        yield Artifact(
            "lab",
            lab.stem,
            lab,
            partial(notebooks.cache_path, lab),
            partial(notebooks.execute, lab),
        )
    for script in sorted((HERE / "figures").glob("*.py")):
        if script.stem not in ("__init__", "__main__", "style"):
            yield Artifact(
                "figures",
                script.stem,
                script,
                partial(_figures_path, script.stem),
                partial(make_figures, script.stem),
                (_DRAW,),
            )
    if lines := _commands():
        yield Artifact(
            "commands",
            "of the how-to pages",
            PACKAGE / "cli/__init__.py",
            partial(_command_path, lines[-1]),
            _make_commands,
            tuple(HOW_TO.glob("*.csv")),
        )
    script = HERE / "widgets.py"
    yield Artifact("widgets", "all", script, _widgets_path, make_widgets)


_DURATIONS = CACHE / "durations.json"


def _seconds() -> dict[str, float]:
    """Return how long each took when it was last made."""
    try:
        known: dict[str, float] = json.loads(_DURATIONS.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    return known


def make_all(
    wanted: Iterable[Artifact], then: Callable[[Artifact], object] = lambda _: None
) -> None:
    """Make what is missing, the longest first, and say what took longest.

    Calls `then` with each one that has been made.

    Raises
    ------
    PageError
        When all others are made, if one could not be: with the words of the first.
    """
    known = _seconds()
    missing = sorted(
        (one for one in wanted if not one.is_made),
        key=lambda one: -known.get(f"{one.kind} {one.name}", 60.0),
    )
    if not missing:
        return
    errors, took = [], dict[str, float]()

    def make(one: Artifact) -> Artifact:
        began = time.monotonic()
        path = one.path()
        one.make()
        while one.path() != path:  # it has changed while it was made
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            path = one.path()
            one.make()
        took[f"{one.kind} {one.name}"] = time.monotonic() - began
        return one

    columns = (TextColumn("Making {task.description}"), BarColumn())
    console = Console(stderr=True)
    with (
        Progress(*columns, MofNCompleteColumn(), console=console) as progress,
        # Where nobody waits, a core is left for those who write.
        ThreadPoolExecutor(os.cpu_count() if waits else 1) as pool,
    ):
        bar = progress.add_task("figures, labs, commands", total=len(missing))
        for done in as_completed([pool.submit(make, one) for one in missing]):
            progress.advance(bar)
            if isinstance(error := done.exception(), PageError):
                errors.append(error)
            else:
                then(done.result())
    write(_DURATIONS, json.dumps(known | took).encode())
    longest = sorted(took.items(), key=lambda item: -item[1])[:3]
    words = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in longest)
    console.print(f"Made {len(took)} of {len(missing)}; the longest: {words}")
    if errors:
        raise errors[0]


def dependents(file: Path) -> dict[str, list[str]]:
    """Return what a change of a file makes anew, by kind."""
    out: dict[str, list[str]] = {}
    for one in artifacts():
        if file.resolve() in one.needs:
            out.setdefault(one.kind, []).append(one.name)
    return out


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name)  # noqa: T201
        for kind, names in dependents(Path(name)).items():
            print(f"  {kind}: {', '.join(names)}")  # noqa: T201
