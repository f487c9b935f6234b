"""Run the benchmarks: peers and ours take turns in one process, on one core.

``python -m benchmarks`` writes ``results/cpu.json``; ``--device cuda`` runs what a GPU
is asked, in wall time, and writes ``results/cuda.json``. With a part of a name, as in
``python -m benchmarks moons``, only those contests run, and nothing is written. What
the numbers mean stands in ``docs/reference/benchmarks.md``.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import harness
from benchmarks.cases import autodiff, gpu, landscape, optimizers, sweep, training
from benchmarks.gpu import after_all_work
from benchmarks.harness import Contest
from benchmarks.record import keep, machine, processor, today
from chalkdocs import benchmark_results
from chalkdocs.benchmark_results import Bar, fingerprints, ratio, share
from chalkdocs.benchmark_tables import number

PEERS = ("numpy", "torch", "scikit-learn", "jax", "optax", "autograd", "mygrad")
CONTESTS: dict[str, Callable[[], Contest]] = {
    **training.CONTESTS,
    **landscape.CONTESTS,
    **sweep.CONTESTS,
    **autodiff.CONTESTS,
    **optimizers.CONTESTS,
}
console = Console(width=100)


def shown(contest: dict[str, Any]) -> Table:
    """Set everyone's time against ours, which is the first."""
    title = f"{contest['title']}: a {contest['unit']}"
    out = Table(title=title, title_justify="left")
    out.add_column("who")
    for heading in ("fastest, µs", "ratio", "quartiles", "of the limit"):
        out.add_column(heading, justify="right")
    for who, us in contest["us"].items():
        found, part = ratio(contest, who), share(contest, who)
        cells = ["–", ""]
        if found:
            quartiles = f"{found.low:.2f} … {found.high:.2f}"
            cells = [f"{found.median:.2f}", quartiles + " noisy" * found.is_noisy]
        cells.append(f"{part.median:.0%}" if part else "")
        out.add_row(who, f"{min(us):.4g}", *cells)
    for what, us in contest["limits"].items():
        out.add_row(what, f"{min(us):.4g}", "–", "", "", style="italic")
    for who, why in (contest["absent"] | contest["refused"]).items():
        out.add_row(who, "–", "–", why, "", style="dim")
    return out


def judged(bars: list[Bar]) -> Table:
    """Set what was measured against the bars."""
    out = Table(title="Bars", title_justify="left")
    for heading in ("bar", "wanted", "found", ""):
        out.add_column(heading, justify="left" if heading == "bar" else "right")
    for bar in bars:
        found = number(bar.value.median) if bar.value else "not run"
        noisy = " (noisy)" if bar.value and bar.value.is_noisy else ""
        met = {True: "met", False: "NOT MET", None: ""}[bar.met]
        out.add_row(bar.name, bar.wanted, found, met + noisy)
    return out


def run(contests: dict[str, Callable[[], Contest]], **how: Any) -> dict[str, Any]:
    """Hold the contests, print each, and return what was found."""
    out: dict[str, Any] = {}
    for name, make in contests.items():
        contest = make()
        found = harness.compete(contest, **how)
        out[name] = found | {"source": fingerprints(contest.topics)}
        console.print(shown(out[name]))
    return out


def main() -> int:
    """Run, print the ratios and the bars, and keep the numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="a part of a name")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=harness.ROUNDS)
    args = parser.parse_args()
    on_gpu = args.device == "cuda"
    if on_gpu and not torch.cuda.is_available():
        parser.error("there is no GPU here that PyTorch can use.")
    start, load = time.perf_counter(), os.getloadavg()[0]
    known = gpu.contests("cuda") if on_gpu else CONTESTS
    chosen = {name: make for name, make in known.items() if args.only in name}
    facts = {}
    if on_gpu:
        contests = run(chosen, rounds=args.rounds, clock=after_all_work)
        where = {"device": torch.cuda.get_device_name()}
    else:
        harness.pin()
        contests = run(chosen, rounds=args.rounds)
        where = {"processor": processor(), "cores": "1", "load": f"{load:.2f}"}
        for name, count in training.FACTS.items():
            if name in chosen:
                facts |= {f"{name}: {what}": n for what, n in count().items()}
    found = {"contests": contests, "facts": facts}
    bars = benchmark_results.bars("h100" if on_gpu else "cpu", found)
    console.print(
        judged([bar for bar in bars if bar.name.rpartition(": ")[0] in chosen])
    )
    seconds = time.perf_counter() - start
    console.print(f"{seconds:.0f} s, load {load:.2f} at the start")
    if not args.only:
        keep(args.device, machine(*PEERS, date=today(), **where), **found)
    return int(any(contest["refused"] for contest in contests.values()))


if __name__ == "__main__":
    sys.exit(main())
