"""The contests of a GPU: the same work as on a CPU, and much more of it.

With ``small`` everything is so small that a test runs all of it on a CPU.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from benchmarks import peers
from benchmarks.cases import landscape, losses, optimizers, sweep, training
from benchmarks.cases.landscape import Plane
from benchmarks.cases.sweep import Sweep
from benchmarks.gpu import ROOM
from benchmarks.harness import Contest, Runner
from benchmarks.peers import Task

RULES = ("adam", "nadam", "radam", "rmsprop", "adadelta")
ROWS = {10: 65_536, 1000: 65_536, 32_000: 8_192}  # of logits, by how many classes


def contests(device: str, *, small: bool = False) -> dict[str, Callable[[], Contest]]:
    """List all that a GPU is asked, by the number of its bars."""
    room, unit = (1.0, 10**3) if small else (ROOM, 10**6)
    out: dict[str, Callable[[], Contest]] = {
        f"G1, {name} {n} M": partial(
            optimizers.large, optimizers.BY_NAME[name], n * unit, device, room
        )
        for name in RULES
        for n in (1, 10, 100)
    }
    for classes, rows in ROWS.items():
        n = 8 if small else rows
        out[f"G3, cross-entropy {classes}"] = partial(
            losses.cross_entropy, n, classes, device, room
        )
    networks, steps = (4, 5) if small else (1024, 200)
    return out | {
        "G4, network 784": lambda: steps_of(training.network784(), device),
        "G5, wide network": lambda: wide(*((8, 4) if small else (4096, 8192)), device),
        "G6, landscape of moons": lambda: plane(
            landscape.moons(points=9 if small else 1001), device
        ),
        "G6, landscape of digits": lambda: plane(
            landscape.digits(points=5 if small else 101, images=1600), device
        ),
        "G7, sweep": lambda: runs(sweep.moons(networks, steps, every=networks), device),
    }


def steps_of(task: Task, device: str) -> Contest:
    """Let everyone train, one step after the other."""
    everyone: dict[str, Callable[..., Runner]] = {
        "chalkgrad.torch": partial(peers.plan, backend="torch"),
        "torch, fused Adam": partial(peers.torch_eager, fused=True),
        "torch": peers.torch_eager,
        "torch.compile": peers.torch_compiled,
        "torch.compile, reduce-overhead": partial(
            peers.torch_compiled, mode="reduce-overhead"
        ),
    }
    contestants = {
        who: partial(make, task, device=device) for who, make in everyone.items()
    }
    title = "A step of 784-256-128-10, ReLU, 128 examples, Adam"
    return Contest(title, "step", training.TOPICS, contestants, {})


def wide(n: int, batch: int, device: str) -> Contest:
    """Let everyone train four layers of n units, with products in bfloat16."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(1, batch, n)), rng.integers(n, size=(1, batch))
    task = training.task((n,) * 5, "relu", "cross_entropy", x, labels)
    contestants: dict[str, Callable[[], Runner]] = {
        "chalkgrad.torch": partial(peers.plan, task, "torch", device, precision="bf16"),
        "torch.compile": partial(peers.torch_compiled, task, device, bf16=True),
    }

    def product() -> Runner:
        """As many operations, in one large product."""
        a, b = (
            torch.ones(shape, device=device, dtype=torch.bfloat16)
            for shape in ((batch, n), (n, n))
        )
        units = 2 * batch * n * n / training.flops(task)
        return Runner(lambda: a @ b, units)

    title = f"A step of four layers of {n} units, {batch} examples, bfloat16"
    limits = {"sgemm": product}
    return Contest(title, "step", training.TOPICS, contestants, limits, agree=2e-2)


def plane(plane: Plane, device: str) -> Contest:
    """Let everyone look; the loop at the first 20 points only."""
    only = 20
    everyone: dict[str, Callable[..., Runner]] = {
        "chalkgrad.torch": partial(landscape.ours, backend="torch"),
        "torch, loop": landscape.torch_loop,
        "torch, vmap": partial(landscape.torch_vmap, chunk=4096),
    }
    contestants = {
        who: partial(make, plane, device=device, only=only)
        for who, make in everyone.items()
    }
    sizes = "-".join(map(str, plane.task.sizes))
    title = f"A plane of {plane.points} × {plane.points} networks {sizes}"
    return Contest(title, "point", landscape.TOPICS, contestants, {})


def runs(many: Sweep, device: str) -> Contest:
    """Let everyone train all networks; the loop one of them only."""
    everyone: dict[str, Callable[..., Runner]] = {
        "chalkgrad.torch": partial(sweep.ours, backend="torch"),
        "torch, loop": sweep.torch_loop,
        "torch, vmap of grad": sweep.torch_vmap,
    }
    contestants = {
        who: partial(make, many, device=device) for who, make in everyone.items()
    }
    title = f"{len(many.w)} networks 2-16-1, each with its rate, momentum"
    return Contest(title, "step of a network", sweep.TOPICS, contestants, {})
