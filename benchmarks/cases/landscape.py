"""The loss on a plane through the weights: ours, and what others would write.

A point of the grid is a network of its own. The loop copies its weights into a module
and asks it, as most programs for landscapes do.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import chalkgrad.numpy as cg
from benchmarks.harness import Contest, Runner
from benchmarks.peers import Task, jax_loss, needs, torch_model

TOPICS = ("landscape",)
CHUNK = 16  # points at once; JAX is quickest so


class Plane(NamedTuple):
    """Where to look, and on what."""

    task: Task
    directions: Any
    points: int

    @property
    def x(self) -> Any:
        """The examples, one batch."""
        return self.task.x[0]

    @property
    def y(self) -> Any:
        """Their labels."""
        return self.task.y[0]

    @property
    def places(self) -> Any:
        """The steps along both directions, shape (points squared, 2)."""
        steps = np.linspace(-1, 1, self.points, dtype="float32")
        return np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)


def digits(points: int = 25, images: int = 500) -> Plane:
    """Look at a network that reads digits."""
    x, labels = (a[:images] for a in cg.data.digits())
    return _plane((64, 100, 10), "relu", "cross_entropy", x, labels, points)


def moons(points: int = 65) -> Plane:
    """Look at a network that tells two moons apart."""
    x, labels = cg.data.moons(200)
    y = labels[:, None].astype("float32")
    return _plane((2, 16, 1), "tanh", "binary_cross_entropy", x, y, points)


def _plane(sizes: Any, activation: str, loss: str, x: Any, y: Any, n: int) -> Plane:
    net = cg.network(sizes, activation=activation)
    w = net.init(rng=0, dtype="float32")
    task = Task(sizes, activation, loss, x[None].astype("float32"), y[None], w)
    return Plane(task, cg.landscape.directions(net, w), n)


def contest(plane: Plane, title: str, *, chunk: int) -> Contest:
    """Let everyone look; torch.vmap at so many points at once."""
    everyone: dict[str, Callable[[Plane], Runner]] = {
        "chalkgrad.numpy": ours,
        "chalkgrad.torch": partial(ours, backend="torch"),
        "torch, loop": torch_loop,
        "torch, vmap": partial(torch_vmap, chunk=chunk),
        "jax, lax.map": jax_map,
    }
    contestants = {who: partial(make, plane) for who, make in everyone.items()}
    return Contest(title, "point", TOPICS, contestants, {})


def ours(
    plane: Plane, backend: str = "numpy", device: str = "cpu", only: int | None = None
) -> Runner:
    """A call of `cg.landscape.loss_grid`; only the first points are compared."""
    cg = needs(f"chalkgrad.{backend}")
    net = cg.network(plane.task.sizes, activation=plane.task.activation)
    loss = getattr(cg.losses, plane.task.loss)
    w, x, y, d = (
        cg.array(a, device=device)
        for a in (plane.task.w, plane.x, plane.y, plane.directions)
    )

    def run() -> Any:
        return cg.landscape.loss_grid(net, w, x, y, loss, d, points=plane.points)

    return Runner(run, plane.points**2, lambda found: cg.asnumpy(found).ravel()[:only])


def _torch(plane: Plane, device: str) -> Any:
    """A module; the middle and both directions, by the name of each parameter."""
    torch = needs("torch")
    model, loss = torch_model(plane.task, device)
    net = plane.task.net
    parts = []
    for flat in (plane.task.w, *plane.directions):
        arrays = [a for W, b in net.layers(flat) for a in (W.T, b)]
        names = [name for name, _ in model.named_parameters()]
        tensors = [torch.tensor(a, device=device) for a in arrays]
        parts.append(dict(zip(names, tensors, strict=True)))
    x, y = (torch.tensor(a, device=device) for a in (plane.x, plane.y))
    return torch, model, loss, parts, x, y


def torch_loop(plane: Plane, device: str = "cpu", only: int | None = None) -> Runner:
    """A point at a time, each copied into the module; only the first."""
    torch, model, loss, (middle, first, second), x, y = _torch(plane, device)
    places = plane.places[:only].tolist()

    @torch.no_grad()
    def run() -> list[float]:
        heights = []
        for a, b in places:
            for name, p in model.named_parameters():
                p.copy_(middle[name] + a * first[name] + b * second[name])
            heights.append(loss(model(x), y).item())
        return heights

    return Runner(run, len(places))


def torch_vmap(
    plane: Plane, device: str = "cpu", *, chunk: int, only: int | None = None
) -> Runner:
    """Some points at once, by torch.func; only the first are compared."""
    torch, model, loss, (middle, first, second), x, y = _torch(plane, device)
    places = torch.tensor(plane.places, device=device)

    def height(place: Any) -> Any:
        a, b = place
        w = {name: middle[name] + a * first[name] + b * second[name] for name in middle}
        return loss(torch.func.functional_call(model, w, (x,)), y)

    many = torch.func.vmap(height, chunk_size=chunk)

    @torch.no_grad()
    def run() -> Any:
        return many(places)

    return Runner(run, len(places), lambda found: found.cpu().numpy()[:only])


def jax_map(plane: Plane) -> Runner:
    """Some points at once, in one compiled loop."""
    jax = needs("jax")
    loss, net = jax_loss(plane.task), plane.task.net
    middle, first, second = (
        jax.tree.map(jax.numpy.asarray, net.layers(flat))
        for flat in (plane.task.w, *plane.directions)
    )

    def height(place: Any) -> Any:
        a, b = place
        w = jax.tree.map(lambda w, d, e: w + a * d + b * e, middle, first, second)
        return loss(w, plane.x, plane.y)

    @jax.jit
    def heights(places: Any) -> Any:
        return jax.lax.map(height, places, batch_size=CHUNK)

    places = plane.places
    return Runner(lambda: heights(places).block_until_ready(), len(places))


CONTESTS: dict[str, Callable[[], Contest]] = {
    "landscape, digits": lambda: contest(
        digits(), "A plane of 25 × 25 networks 64-100-10, 500 images", chunk=16
    ),
    "landscape, moons": lambda: contest(
        moons(), "A plane of 65 × 65 networks 2-16-1, 200 points", chunk=128
    ),
}
