"""Test the tests: ``python -m tests.mutation`` plants faults and counts those noticed.

A first run of all tests notes which lines each of them runs. A mutant then meets the
tests that run its lines, the quickest first, until one fails. With a part of a name, as
in ``python -m tests.mutation losses``, only those modules are mutated and nothing is
written; else ``benchmarks/results/mutation.json`` keeps what was found. The survivors
for which there is a reason stand in ``survivors.toml``.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import coverage
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from .mutants import Mutant, mutants
from .trials import CRASHED, Chosen, Tree, Watched, ended

HERE = Path(__file__).parent
HOME = HERE.parents[1]
PACKAGE = "src/chalkgrad"
CACHE = HOME / ".cache/mutation"
TOPICS = ("losses", "optimizers", "backprop", "autodiff", "network")
TESTS = (
    *(f"src/chalkgrad/{topic}" for topic in TOPICS),
    "tests/contract",
    "tests/oracles",
    "tests/unit/test_backprop.py",
    "tests/unit/test_landscape.py",
    "tests/unit/test_training.py",
)
BAR = 0.9
COLUMNS = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
console = Console(width=100)


class Map:
    """Which tests run a line, and how long each takes."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._seconds: dict[str, float] = {}
        self._tests: dict[str, dict[int, set[str]]] = {}
        self._idle: set[str] = set()

    def draw(self) -> None:
        """Run all tests once; none may fail."""
        times = self.tree.root / "seconds.json"
        how = ("--cov", "--cov-context=test", "--cov-report=", "--cov-fail-under=0")
        with console.status("all tests, once: which of them run which lines"):
            pid = self.tree.start(*TESTS, *how, plugin=Watched(times), writes=True)
            if ended(pid, 3600) != 0:
                sys.exit(f"the tests fail without a mutant: {self.tree.root}/log.txt")
        self.read(times, self.tree.root / ".coverage")

    def read(self, times: Path, data: Path) -> None:
        """Read what the run of all tests has written."""
        self._seconds = json.loads(times.read_text("utf-8"))
        found = coverage.CoverageData(data)
        found.read()
        for path in found.measured_files():
            self._tests[str(Path(path).relative_to(self.tree.root))] = {
                line: {name.rpartition("|")[0] for name in names if name}
                for line, names in found.contexts_by_lineno(path).items()
            }
        at_work = [self._met(lines, lines) for lines in self._tests.values()]
        self._idle = set(self._seconds).difference(*at_work)

    def tests(self, mutant: Mutant) -> list[str]:
        """Return the tests that meet a mutant, the quickest first.

        Where a fault is met by the import alone, as in a default, so may be what came
        of it by tests that run no line of ours: they look at signatures and names.
        """
        lines = self._tests[mutant.module]
        edited, *around = mutant.reach
        met = self._met(lines, edited)
        if not met:
            wider = (self._met(lines, reach) for reach in (*around, lines))
            met = self._idle | next(filter(None, wider))
        return sorted(met, key=lambda test: (self._seconds[test], test))

    @staticmethod
    def _met(lines: dict[int, set[str]], reach: Iterable[int]) -> set[str]:
        return set().union(*(lines.get(line, ()) for line in reach))

    def patience(self, tests: list[str]) -> float:
        """Return how long these may take: the machine may be busy."""
        return 60 + 5 * sum(self._seconds[test] for test in tests)


class Fate(NamedTuple):
    """What became of a mutant."""

    mutant: Mutant
    how: str
    """Killed, timed out, or survived."""


class Worker:
    """Tries one mutant after the other, in a copy of the repository of its own."""

    here: "Worker"

    def __init__(self, map_: Map) -> None:
        self._map, self._tree = map_, Tree(map_.tree.root, CACHE / str(os.getpid()))

    def __call__(self, mutant: Mutant) -> Fate:
        code = self._run(mutant, self._map.tests(mutant))
        return Fate(mutant, {0: "survived", None: "timed out"}.get(code, "killed"))

    def _run(self, mutant: Mutant, tests: list[str]) -> int | None:
        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        with self._tree.holding(mutant):
            pid = self._tree.start("-x", *files, plugin=Chosen(tests))
            code = ended(pid, self._map.patience(tests))
        if code == CRASHED:
            raise RuntimeError((self._tree.root / "log.txt").read_text("utf-8"))
        return code


def settle(map_: Map) -> None:
    """Make this process a worker."""
    Worker.here = Worker(map_)


def work(mutant: Mutant) -> Fate:
    return Worker.here(mutant)


def fates(sample: list[Mutant], map_: Map, workers: int) -> Iterator[Fate]:
    """Try all mutants, and give what became of each as soon as it is known."""
    fork = multiprocessing.get_context("fork")
    with fork.Pool(workers, settle, [map_]) as pool, Progress(*COLUMNS) as progress:
        yield from progress.track(pool.imap_unordered(work, sample), len(sample))


# --- What was found -------------------------------------------------------------------


def told(mutant: Mutant) -> str:
    """Say where a mutant stands, and what was changed."""
    return f"{mutant.module}:{mutant.line} {mutant.scope}\n{mutant.diff()}"


def survivors(found: list[Fate]) -> list[Mutant]:
    """Return those that no test has noticed, in the order of the source."""
    lived = [fate.mutant for fate in found if fate.how == "survived"]
    return sorted(lived, key=lambda mutant: (mutant.module, mutant.line))


class Reasons:
    """Why some mutants survive, from `survivors.toml`."""

    def __init__(self) -> None:
        text = (HERE / "survivors.toml").read_text("utf-8")
        self._known = tomllib.loads(text)["survivor"]

    def of(self, mutant: Mutant) -> str | None:
        """Return the reason for a mutant, if one is known."""
        for known in self._known:
            if (
                mutant.module.endswith(known.get("module", ""))
                and known.get("in", mutant.scope) == mutant.scope
                and known.get("line", "") in mutant.after
            ):
                return str(known["why"])
        return None


def table(found: list[Fate], reasons: Reasons) -> dict[str, Any]:
    """Count for every module, and for all, what became of the mutants."""
    head = ["module", "mutants", "killed", "of these by time", "survived", "explained"]
    modules = sorted({fate.mutant.module for fate in found})
    rows = [_row(module, found, reasons) for module in [*modules, PACKAGE]]
    return {"head": head, "rows": rows}


def _row(module: str, found: list[Fate], reasons: Reasons) -> list[str]:
    mine = [fate for fate in found if fate.mutant.module.startswith(module)]
    lived = survivors(mine)
    killed = len(mine) - len(lived)
    numbers = (
        len(mine),
        f"{killed} ({killed / max(len(mine), 1):.0%})",
        Counter(fate.how for fate in mine)["timed out"],
        len(lived),
        sum(reasons.of(mutant) is not None for mutant in lived),
    )
    return [f"`{module.removeprefix(f'{PACKAGE}/')}`", *map(str, numbers)]


def show(made: dict[str, Any], lived: list[Mutant], reasons: Reasons) -> None:
    """Print the survivors, those without a reason last, and the table."""
    for mutant in sorted(lived, key=lambda mutant: reasons.of(mutant) is None):
        why = reasons.of(mutant)
        console.print(f"{told(mutant)}\n{why or 'NO REASON'}\n", markup=False)
    out = Table()
    for heading in made["head"]:
        out.add_column(heading, justify="left" if heading == "module" else "right")
    for row in made["rows"]:
        out.add_row(*(cell.strip("`") for cell in row))
    console.print(out)


def keep(
    made: dict[str, Any], lived: list[Mutant], reasons: Reasons, **how: Any
) -> None:
    """Write what was found where the site looks for it."""
    from benchmarks import record  # it imports chalkgrad, as no trial should

    names = [{"mutant": told(mutant), "why": reasons.of(mutant)} for mutant in lived]
    where = record.machine("numpy", "torch", date=record.today(), **how)
    record.keep("mutation", where, table=made, survivors=names)


# --- The run --------------------------------------------------------------------------


def drawn(only: str, count: int, seed: int) -> tuple[list[Mutant], int]:
    """Draw mutants of the modules that are meant; also say of how many."""
    paths = [p for t in TOPICS for p in sorted((HOME / PACKAGE / t).glob("_[a-z]*.py"))]
    known = [m for p in paths for m in mutants(p, str(p.relative_to(HOME)))]
    meant = [mutant for mutant in known if only in mutant.module]
    count = min(count or len(meant), len(meant))
    return random.Random(seed).sample(meant, count), len(meant)


def main() -> int:
    """Draw the mutants, try them, and say which survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("only", nargs="?", default="", help="a part of a module's name")
    parser.add_argument("--sample", type=int, default=400, help="how many; 0 is all")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    start, reasons = time.monotonic(), Reasons()
    sample, known = drawn(args.only, args.sample, args.seed)
    shutil.rmtree(CACHE, ignore_errors=True)
    map_ = Map(Tree(HOME, CACHE / "base"))
    map_.draw()
    found = []
    try:
        for fate in fates(sample, map_, args.workers):
            found.append(fate)
    except KeyboardInterrupt:
        console.print("interrupted; this is known so far:")
    made, lived = table(found, reasons), survivors(found)
    show(made, lived, reasons)
    console.print(f"{len(found)} of {known}, {time.monotonic() - start:.0f} s")
    if len(found) == len(sample) and not args.only:
        of = f"{len(sample)} of {known}"
        keep(made, lived, reasons, drawn=of, seed=str(args.seed))
    return int(len(lived) > (1 - BAR) * len(found))


if __name__ == "__main__":
    sys.exit(main())
