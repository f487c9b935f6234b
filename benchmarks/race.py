"""Which optimizer, at which rate? A race on six problems, from many starts.

``python -m benchmarks.race`` lets each method walk on each problem from 20 starts at 13
rates, all at once, and counts the steps, by tens, until the loss is a thousandth of
that at the start (a tenth, on the digits). The page on adaptive rates draws from what
it writes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

import chalkgrad.numpy as cg
from benchmarks.record import keep, machine

STARTS = 20
LOOK = 10  # how often the height is measured, in steps: it costs as much as a step
RATES = np.geomspace(1e-5, 10, 13)  # two to a factor of ten
METHODS: dict[str, Callable[[Any], Any]] = {
    "sgd": cg.optimizers.sgd,
    "momentum": lambda lr: cg.optimizers.sgd(lr, momentum=0.9),
    "adagrad": cg.optimizers.adagrad,
    "adadelta": cg.optimizers.adadelta,
    "rmsprop": cg.optimizers.rmsprop,
    "adam": cg.optimizers.adam,
    "nadam": cg.optimizers.nadam,
    "radam": cg.optimizers.radam,
    "adamax": cg.optimizers.adamax,
    "rprop": cg.optimizers.rprop,
    "asgd": cg.optimizers.asgd,
    "lion": cg.optimizers.lion,
    "schedule-free": cg.optimizers.schedule_free_adamw,
    "hypergradient": cg.optimizers.hypergradient,
    "barzilai-borwein": cg.optimizers.barzilai_borwein,
    "dog": cg.optimizers.dog,
    "prodigy": cg.optimizers.prodigy,
}


class Task(NamedTuple):
    """What to descend: from where, how long, and how far down counts."""

    loss: Callable[[Any], Any]
    grad: Callable[[Any, int], Any]  # of the weights and the step: some draw a batch
    starts: Any
    steps: int
    share: float


def plain(problem: Any, n: int) -> Task:
    """Take a test function, from starts drawn where one looks at it."""
    starts = np.random.default_rng(0).uniform(*problem.bounds, size=(STARTS, n))
    return Task(problem.loss, lambda w, _: problem.grad(w), starts, 2000, 1e-3)


def moons() -> Task:
    """Let a small network tell two moons apart, on all points in each step."""
    x, labels = cg.data.moons(100)
    net, loss = cg.network([2, 8, 2], activation="tanh"), cg.losses.cross_entropy
    return Task(
        lambda w: net.loss_and_grad(w, x, labels, loss)[0],
        lambda w, _: net.loss_and_grad(w, x, labels, loss)[1],
        net.init(range(STARTS)),
        1000,
        1e-3,
    )


def digits() -> Task:
    """Let a small network read digits, on 32 images in each step."""
    x, labels = (a[:500] for a in cg.data.digits())
    net, loss = cg.network([64, 16, 10]), cg.losses.cross_entropy
    order = np.random.default_rng(0).integers(0, len(x), size=(300, 32))

    def grad(w: Any, t: int) -> Any:
        return net.loss_and_grad(w, x[order[t]], labels[order[t]], loss)[1]

    def whole(w: Any) -> Any:
        return loss(net.forward(w, x), np.tile(labels, (len(w), 1)), reduction="none")

    return Task(lambda w: whole(w).mean(-1), grad, net.init(range(STARTS)), 300, 0.1)


TASKS: dict[str, Callable[[], Task]] = {
    "bowl": lambda: plain(cg.experiments.quadratic(100), 2),
    "turned bowl": lambda: plain(cg.experiments.quadratic(100, angle=np.pi / 4), 2),
    "Rosenbrock": lambda: plain(cg.experiments.rosenbrock(), 2),
    "plateau": lambda: plain(cg.experiments.plateau(), 2),
    "moons": moons,
    "digits": digits,
}


def steps_needed(task: Task, method: Callable[[Any], Any]) -> Any:
    """Count the steps of each rate (row) from each start (column); nan: too many."""
    w = np.tile(task.starts, (len(RATES), 1))
    opt = method(np.repeat(RATES, STARTS)[:, None])
    state = opt.init(w)
    first, needed = task.loss(w), np.full(len(w), np.nan)
    walking = np.full(len(w), True)
    for t in range(task.steps):
        grad = task.grad(w, t)
        # Who has diverged stands still, so that the others may go on.
        walking &= (abs(grad) < 1e100).all(-1)
        new, state = opt.step(w, np.where(walking[:, None], grad, 0), state)
        walking &= (abs(new) < 1e100).all(-1)
        w = np.where(walking[:, None], new, task.starts[0])
        if (t + 1) % LOOK:
            continue
        height = task.loss(np.clip(opt.weights(w, state), -1e100, 1e100))
        done = walking & np.isnan(needed) & (height <= task.share * first)
        needed[done] = t + 1
    return needed.reshape(len(RATES), STARTS)


def summary(runs: Any) -> list[list[str]]:
    """Say of each method how many runs arrive, at one rate for all and at the best.

    `runs` has the steps needed by method, task, rate and start; nan: never.
    """
    rows = []
    count = runs.shape[1] * runs.shape[3]
    for who, steps in zip(METHODS, runs, strict=True):
        arrived = np.isfinite(steps).sum(-1)  # by task and rate
        one = int(arrived.sum(0).argmax())
        rows.append(
            [
                who,
                f"{RATES[one]:.0e}",
                f"{arrived.sum(0)[one] / count:.0%}",
                f"{arrived.max(1).sum() / count:.0%}",
                f"{(arrived >= STARTS / 2).sum(1).mean():.1f}",
            ]
        )
    return rows


def main() -> None:
    """Race, and keep the numbers."""
    runs = np.full((len(METHODS), len(TASKS), len(RATES), STARTS), np.nan)
    limits = []
    for i, (name, make) in enumerate(TASKS.items()):
        task = make()
        limits.append(task.steps)
        for k, (who, method) in enumerate(METHODS.items()):
            with np.errstate(all="ignore"):
                runs[k, i] = steps_needed(task, method)
            print(name, who, flush=True)  # noqa: T201
    head = [
        "method",
        "its best rate for all",
        "arrives with it",
        "with the best for each problem",
        "rates of 13 that do",
    ]
    keep(
        "race",
        machine("numpy"),
        table={"head": head, "rows": summary(runs)},
        methods=list(METHODS),
        tasks=list(TASKS),
        limits=limits,
        rates=RATES.tolist(),
        # By method, task, rate and start; 0: never.
        steps=np.nan_to_num(runs).astype(int).tolist(),
    )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
