"""Landscape, PyTorch half: twins of `chalkgrad.numpy.landscape`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, array, arrays, asnumpy
from chalkgrad.activations import _torch as activations
from chalkgrad.autodiff._torch import grad, vjp
from chalkgrad.landscape._numpy import (
    components,
    drawn,
    lanczos,
    offsets,
    place,
    random_start,
    room,
    span,
    walk,
)
from chalkgrad.network._torch import Network

__all__ = ["Projection", "Sharpness", "directions", "project", "sharpness", "slice"]


def directions(
    net: Network, w: Array, *, rng: Any = 0, normalize: str = "filter"
) -> Array:
    """Twin of `chalkgrad.numpy.landscape.directions`."""
    w = place("directions", arrays, Network, net, w)
    d = drawn(net, asnumpy(w).astype("float64"), rng, normalize)
    return _like(w, d)


@torch.no_grad()
def slice(
    net: Network,
    w: Array,
    x: Array,
    y: Array,
    loss: Callable[..., Any],
    directions: Array,
    *,
    radius: float = 1.0,
    points: int = 51,
) -> Array:
    """Twin of `chalkgrad.numpy.landscape.slice`."""
    w = place("slice", arrays, Network, net, w)
    d = span("slice", arrays, net, w, directions)
    steps = w.new_tensor(offsets("slice", radius, points))
    count = room("slice", arrays, net, x, y)
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    ways = w[None] if len(d) == 1 else w + steps[:, None] * d[0]
    losses = []
    for way in ways:
        for some in torch.split(steps, count):
            outputs = _along(net, way, d[-1], x, some)
            truth = y.expand(len(some), *y.shape)
            each = loss(outputs, truth, reduction="none")
            losses.append(each.reshape(len(some), -1).mean(-1))
    shape = (points,) * len(d)
    return torch.cat(losses).reshape(shape)


def _along(net: Network, w: Array, d: Array, x: Array, steps: Array) -> Array:
    """The outputs at w + s d for each s, whose first layer gives z + s z_d."""
    (W, b), (D, c) = net.layers(w)[0], net.layers(d)[0]
    z = torch.addcmul(x @ W + b, steps[:, None, None], x @ D + c)
    if len(net.sizes) == 2:
        return z
    h = getattr(activations, net.activation)(z) + (x if net._skips(W) else 0)
    rest, first = replace(net, sizes=net.sizes[1:]), W.numel() + b.numel()
    return rest.forward(w[first:] + steps[:, None] * d[first:], h)


class Sharpness(NamedTuple):
    """Twin of `chalkgrad.numpy.landscape.Sharpness`."""

    largest: float
    direction: Array
    steps: int
    converged: bool


def sharpness(
    net: Network,
    w: Array,
    x: Array,
    y: Array,
    loss: Callable[..., Any],
    *,
    tolerance: float = 1e-6,
    steps: int = 100,
    rng: Any = 0,
) -> Sharpness:
    """Twin of `chalkgrad.numpy.landscape.sharpness`."""
    w = place("sharpness", arrays, Network, net, w)
    v = _like(w, random_start("sharpness", net, rng))
    room("sharpness", arrays, net, x, y)
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    # Pulling back through the gradient multiplies by the Hessian, for it is symmetric.
    _, product = vjp(grad(lambda w: loss(net.forward(w, x), y)), w)
    return Sharpness(*lanczos(product, v, tolerance, steps))


class Projection(NamedTuple):
    """Twin of `chalkgrad.numpy.landscape.Projection`."""

    directions: Array
    coordinates: Array
    explained: tuple[float, float]


def project(path: Array) -> Projection:
    """Twin of `chalkgrad.numpy.landscape.project`.

    NumPy finds the axes, in the memory of the CPU.
    """
    path = walk("project", arrays, path)
    axes, coordinates, explained = components(asnumpy(path).astype("float64"))
    return Projection(_like(path, axes), _like(path, coordinates), explained)


def _like(w: Array, x: Any) -> Array:
    """Return NumPy's numbers in the dtype of `w`, and where it lives."""
    return array(x, dtype=check.dtype_name(w), device=str(w.device))
