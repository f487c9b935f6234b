"""Run the benchmarks: peers and ours take turns in one process, on one thread.

The machine is noisy, so a round runs everyone once, in turn, and what counts is the
ratio of the fastest rounds. ``python -m benchmarks --device cuda`` runs on a GPU.
"""

import argparse
import json
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn
import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.epoch import contestants

RESULTS = Path(__file__).with_name("results")


def race(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time everyone once a round, in turn; return the milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(-1, rounds):  # the round before the first warms up
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn >= 0:
                times[name].append(1e3 * (time.perf_counter() - start))
    return times


def machine(device: str) -> dict[str, str]:
    """Say what the numbers belong to."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    cuda = torch.cuda.get_device_name() if device == "cuda" else ""
    return {
        "device": cuda or platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "scikit-learn": sklearn.__version__,
        "commit": commit.stdout.strip(),
    }


def main() -> None:
    """Run, print the ratios, and keep the numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        times = race(contestants(args.device), args.rounds)
    fastest = {name: min(ms) for name, ms in times.items()}
    ours = fastest["chalkgrad.numpy"]
    table = Table(
        title="An epoch of digits: 1437 images, 64-100-10, batches of 32, Adam"
    )
    for heading in ("who", "fastest, ms", "median, ms", "ratio to chalkgrad.numpy"):
        table.add_column(heading, justify="left" if heading == "who" else "right")
    for name, ms in times.items():
        ratio = fastest[name] / ours
        table.add_row(name, f"{min(ms):.1f}", f"{np.median(ms):.1f}", f"{ratio:.2f}")
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    result = {"machine": machine(args.device), "epoch_ms": times}
    path = RESULTS / f"{args.device}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
