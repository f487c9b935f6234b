"""Run the benchmarks: peers and ours take turns in one process, on one thread.

The machine is noisy, so a round runs everyone once, in turn, and what counts is the
ratio of the fastest rounds, in CPU time. ``python -m benchmarks --device cuda`` runs
what has a GPU version, in wall time.
"""

import argparse
import json
import platform
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks import autodiff, epoch, optimizers

RESULTS = Path(__file__).with_name("results")
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


def machine(device: str) -> dict[str, str]:
    """Say what the numbers belong to."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    peers = ("numpy", "torch", "scikit-learn", "autograd")
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in peers},
        "commit": commit.stdout.strip(),
    }


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
    RESULTS.mkdir(exist_ok=True)
    out = {"machine": machine(args.device), "races": results}
    path = RESULTS / f"{args.device}.json"
    path.write_text(json.dumps(out, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
