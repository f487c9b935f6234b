"""Run the benchmarks: peers and ours take turns in one process, on one thread.

The machine is noisy, so a round runs everyone once, in turn, and what counts is the
ratio of the fastest rounds, in CPU time. ``python -m benchmarks --device cuda`` runs
what has a GPU version, in wall time.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks import autodiff, epoch, optimizers
from benchmarks.record import keep, machine

RACES = {
    "cpu": [
        epoch.digits,
        autodiff.chain,
        autodiff.network,
        *optimizers.SMALL,
        *optimizers.large(10**6),
    ],
    "cuda": [
        epoch.digits,
        *optimizers.SMALL,
        *(contest for n in (10**6, 10**7, 10**8) for contest in optimizers.large(n)),
    ],
}


def race(
    runs: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Time everyone once a round, in turn; return the milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(-1, rounds):  # the round before the first warms up
        for name, run in runs.items():
            start = clock()
            run()
            if turn >= 0:
                times[name].append(1e3 * (clock() - start))
    return times


def table(title: str, times: dict[str, list[float]]) -> Table:
    """Set the times of a race against ours, which is the first."""
    ours = min(next(iter(times.values())))
    out = Table(title=title)
    for heading in ("who", "fastest, ms", "median, ms", "ratio to the first"):
        out.add_column(heading, justify="left" if heading == "who" else "right")
    for name, ms in times.items():
        ratio = f"{min(ms) / ours:.2f}"
        out.add_row(name, f"{min(ms):.2f}", f"{np.median(ms):.2f}", ratio)
    return out


def after_all_work() -> float:
    """Read the clock when the GPU has done what it was given."""
    torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    """Run, print the ratios, and keep the numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--device", default="cpu", choices=RACES)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    clock = time.process_time if args.device == "cpu" else after_all_work
    torch.set_num_threads(1)
    results = {}
    for contest in RACES[args.device]:
        with threadpool_limits(1):
            times = race(contest(args.device), args.rounds, clock)
        results[contest.__name__] = {"title": contest.__doc__, "ms": times}
        Console().print(table(str(contest.__doc__), times))
    device = torch.cuda.get_device_name() if args.device == "cuda" else "cpu"
    peers = ("numpy", "torch", "scikit-learn", "autograd")
    keep(args.device, machine(*peers, device=device), races=results)


if __name__ == "__main__":
    main()
