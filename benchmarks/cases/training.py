"""A training step: loss, gradient and Adam, in float32, by everyone who could do it."""

import gc
import tracemalloc
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import chalkgrad.numpy as cg
from benchmarks import peers
from benchmarks.harness import Contest, Runner
from benchmarks.peers import Task

TOPICS = ("network", "losses", "optimizers")
SQUARE = 512  # a product so large runs as fast as any


def digits() -> Task:
    """Draw the scanned digits, in batches of 200."""
    x, labels = cg.data.digits()
    x, labels = x[:1600].reshape(8, 200, 64), labels[:1600].reshape(8, 200)
    return task((64, 100, 10), "relu", "cross_entropy", x, labels)


def network784() -> Task:
    """Draw noise in the shape of MNIST, in batches of 128."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(8, 128, 784)), rng.integers(10, size=(8, 128))
    return task((784, 256, 128, 10), "relu", "cross_entropy", x, labels)


def moons() -> Task:
    """Draw two moons, all 200 points in each of 20 steps."""
    x, labels = cg.data.moons(200)
    x, y = np.tile(x, (20, 1, 1)), np.tile(labels[:, None] * 1.0, (20, 1, 1))
    y = y.astype("float32")
    return task((2, 16, 1), "tanh", "binary_cross_entropy", x, y)


def task(sizes: Any, activation: str, loss: str, x: Any, y: Any) -> Task:
    """Begin with the same weights, whoever trains."""
    w = cg.network(sizes, activation=activation).init(rng=0, dtype="float32")
    return Task(sizes, activation, loss, x.astype("float32"), y, w)


def contest(task: Task, title: str) -> Contest:
    """Let everyone train."""
    everyone: dict[str, Callable[[Task], Runner]] = {
        "chalkgrad.numpy": peers.plan,
        "chalkgrad.numpy, reference": peers.reference,
        "chalkgrad.torch": partial(peers.plan, backend="torch"),
        "scikit-learn": peers.sklearn,
        "torch, fused Adam": partial(peers.torch_eager, fused=True),
        "torch": peers.torch_eager,
        "torch.compile": peers.torch_compiled,
        "jax + optax": peers.jax_step,
        "jax + optax, epoch": peers.jax_epoch,
        "autograd": peers.autograd,
        "mygrad": peers.mygrad,
    }
    contestants = {who: partial(make, task) for who, make in everyone.items()}
    return Contest(title, "step", TOPICS, contestants, limits(task))


# --- What no program can do without ---------------------------------------------------


def flops(task: Task) -> int:
    """Count the operations of the matrix products: three a layer, but for the first."""
    each = [2 * task.x.shape[1] * d * k for d, k in pairwise(task.sizes)]
    return 3 * sum(each) - each[0]


def limits(task: Task) -> dict[str, Callable[[], Runner]]:
    """The products and the bytes of a step, and nothing round them."""
    return {
        "sgemm": partial(_square, task),
        "stream": partial(_stream, task),
        "sgemm, in these shapes": partial(_products, task),
    }


def _square(task: Task) -> Runner:
    """As many operations, in one large product."""
    a, b, out = (np.ones((SQUARE, SQUARE), "float32") for _ in range(3))
    return Runner(lambda: np.matmul(a, b, out=out), 2 * SQUARE**3 / flops(task))


def _products(task: Task) -> Runner:
    """The products of a step, each into its place."""
    batch = task.x.shape[1]
    todo = []
    for layer, (d, k) in enumerate(pairwise(task.sizes)):
        h, W, delta = (
            np.ones(shape, "float32") for shape in ((batch, d), (d, k), (batch, k))
        )
        todo += [(h, W, np.empty((batch, k), "float32"))]
        todo += [(h.T, delta, np.empty((d, k), "float32"))]
        if layer > 0:
            todo += [(delta, W.T, np.empty((batch, d), "float32"))]

    def run() -> None:
        for a, b, out in todo:
            np.matmul(a, b, out=out)

    return Runner(run, 1)


def _stream(task: Task) -> Runner:
    """As many bytes as Adam moves, 28 a weight, in place in as much memory."""
    touched = np.ones(4 * task.w.size, "float32")  # w, its gradient, m and v
    return Runner(lambda: np.negative(touched, out=touched), 32 / 28)


# --- What a step leaves behind --------------------------------------------------------


def facts(task: Task) -> dict[str, float]:
    """Count the bytes that our step asks for, and what the garbage collector finds."""
    step = peers.plan(task).run
    step()
    tracemalloc.start()
    step()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    gc.collect()
    gc.disable()
    step()
    garbage = gc.collect()
    gc.enable()
    return {"extra memory": peak - before, "cyclic garbage": garbage}


CONTESTS: dict[str, Callable[[], Contest]] = {
    "digits": lambda: contest(
        digits(), "A step on digits: 64-100-10, ReLU, 200 images, Adam"
    ),
    "network 784": lambda: contest(
        network784(), "A step of 784-256-128-10, ReLU, 128 examples, Adam"
    ),
    "moons": lambda: contest(
        moons(), "A step on moons: 2-16-1, tanh, all 200 points, Adam"
    ),
}
FACTS = {"digits": lambda: facts(digits())}
