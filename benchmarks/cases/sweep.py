"""Many small networks, each with its own start and rate: ours, and what others do."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.cases import training
from benchmarks.harness import Contest, Runner
from benchmarks.peers import Task, jax_loss, needs, torch_model

TOPICS = ("network", "losses", "optimizers")
MOMENTUM = 0.9


class Sweep(NamedTuple):
    """Which networks to train, and how."""

    task: Task
    w: Any
    """A row for each network."""
    rates: Any
    """A row for each network, one number."""
    steps: int
    every: int
    """The loop trains every so-manieth network only: it would take too long."""


def moons(networks: int = 64, steps: int = 50, every: int = 16) -> Sweep:
    """Draw networks 2-16-1, full batches of 200 points."""
    task = training.moons()
    w = task.net.init(rng=range(networks), dtype="float32")
    rates = np.geomspace(1e-2, 1, networks, dtype="float32")[:, None]
    return Sweep(task, w, rates, steps, every)


def contest(sweep: Sweep, title: str) -> Contest:
    """Let everyone train all of them."""
    everyone: dict[str, Callable[[Sweep], Runner]] = {
        "chalkgrad.numpy": ours,
        "chalkgrad.torch": partial(ours, backend="torch"),
        "torch, loop": torch_loop,
        "torch, vmap of grad": torch_vmap,
        "jax, vmap of scan": jax_vmap,
    }
    contestants = {who: partial(make, sweep) for who, make in everyone.items()}
    return Contest(title, "step of a network", TOPICS, contestants, {})


def runner(sweep: Sweep, run: Callable[[], Any]) -> Runner:
    """Compare by the last losses of those networks that the loop trains, too."""
    units = len(sweep.w) * sweep.steps
    return Runner(run, units, lambda losses: np.asarray(losses)[:: sweep.every])


def ours(sweep: Sweep, backend: str = "numpy", device: str = "cpu") -> Runner:
    """One plan for all."""
    cg = needs(f"chalkgrad.{backend}")
    task = sweep.task
    net = cg.network(task.sizes, activation=task.activation)
    x, y, w, lr = (
        cg.array(a, device=device) for a in (task.x[0], task.y[0], sweep.w, sweep.rates)
    )

    def run() -> Any:
        step = net.plan(
            w,
            loss=getattr(cg.losses, task.loss),
            optimizer=cg.optimizers.sgd(lr, momentum=MOMENTUM),
            batch_size=len(x),
        )
        for _ in range(sweep.steps):
            losses = step(x, y)
        return cg.asnumpy(losses)

    return runner(sweep, run)


def torch_loop(sweep: Sweep, device: str = "cpu") -> Runner:
    """A network at a time, as in every tutorial."""
    torch = needs("torch")
    x, y = (torch.tensor(a[0], device=device) for a in (sweep.task.x, sweep.task.y))
    chosen = range(0, len(sweep.w), sweep.every)

    def run() -> list[float]:
        losses = []
        for i in chosen:
            net, loss = torch_model(sweep.task._replace(w=sweep.w[i]), device)
            rate = float(sweep.rates[i, 0])
            opt = torch.optim.SGD(net.parameters(), lr=rate, momentum=MOMENTUM)
            for _ in range(sweep.steps):
                opt.zero_grad()
                value = loss(net(x), y)
                value.backward()
                opt.step()
            losses.append(value.item())
        return losses

    return Runner(run, len(chosen) * sweep.steps)


def _layers(sweep: Sweep) -> list[Any]:
    """A stack of matrices, and one of biases, for each layer."""
    return [a for layer in sweep.task.net.layers(sweep.w) for a in layer]


def torch_vmap(sweep: Sweep, device: str = "cpu") -> Runner:
    """All at once, by torch.func."""
    torch = needs("torch")
    x, y = (torch.tensor(a[0], device=device) for a in (sweep.task.x, sweep.task.y))
    rates = torch.tensor(sweep.rates, device=device)
    bce = torch.nn.functional.binary_cross_entropy_with_logits

    def loss(W: Any, b: Any, V: Any, c: Any) -> Any:
        return bce(torch.tanh(x @ W + b) @ V + c, y)

    slope = torch.func.vmap(torch.func.grad_and_value(loss, argnums=(0, 1, 2, 3)))

    def run() -> Any:
        weights = [torch.tensor(a, device=device) for a in _layers(sweep)]
        velocities = [torch.zeros_like(w) for w in weights]
        for _ in range(sweep.steps):
            grads, losses = slope(*weights)
            for w, v, g in zip(weights, velocities, grads, strict=True):
                v.mul_(MOMENTUM).add_(g)
                w.sub_(rates.view(-1, *[1] * (w.dim() - 1)) * v)
        return losses.cpu().numpy()

    return runner(sweep, run)


def jax_vmap(sweep: Sweep) -> Runner:
    """All at once, and all steps in one compiled loop."""
    jax = needs("jax")
    slope = jax.value_and_grad(jax_loss(sweep.task))
    x, y = sweep.task.x[0], sweep.task.y[0]

    def train(layers: Any, rate: Any) -> Any:
        def step(carry: Any, _: Any) -> Any:
            w, v = carry
            loss, grad = slope(w, x, y)
            v = jax.tree.map(lambda v, g: MOMENTUM * v + g, v, grad)
            return (jax.tree.map(lambda w, v: w - rate * v, w, v), v), loss

        start = layers, jax.tree.map(jax.numpy.zeros_like, layers)
        return jax.lax.scan(step, start, None, length=sweep.steps)[1][-1]

    layers = jax.tree.map(jax.numpy.asarray, sweep.task.net.layers(sweep.w))
    rates = jax.numpy.asarray(sweep.rates[:, 0])
    both = jax.jit(jax.vmap(train))
    return runner(sweep, lambda: both(layers, rates).block_until_ready())


CONTESTS: dict[str, Callable[[], Contest]] = {
    "sweep": lambda: contest(
        moons(), "64 networks 2-16-1, each with its rate: 50 steps, momentum"
    ),
}
