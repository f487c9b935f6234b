"""Landscape, PyTorch backend: twins of `chalkgrad.numpy.landscape`."""

from dataclasses import replace
from typing import Any, NamedTuple

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, array, arrays, asnumpy
from chalkgrad._core.docs import twin_of
from chalkgrad._core.random import Rng
from chalkgrad._core.types import Loss
from chalkgrad.activations import _torch as activations
from chalkgrad.autodiff._torch import grad, vjp
from chalkgrad.landscape import _numpy as reference
from chalkgrad.landscape._shared import (
    count_networks,
    draw_directions,
    lanczos,
    offsets,
    principal_components,
    random_start,
    validate_directions,
    validate_path,
    validate_place,
)
from chalkgrad.losses import _torch as losses
from chalkgrad.losses._loss import as_loss
from chalkgrad.network._torch import Network

__all__ = ["Projection", "Sharpness", "directions", "loss_grid", "project", "sharpness"]


@twin_of(reference.directions)
def directions(
    net: Network, w: Array, *, rng: Rng = 0, normalize: str = "filter"
) -> Array:
    w = validate_place("directions", arrays, Network, net, w)
    d = draw_directions(net, asnumpy(w).astype("float64"), rng, normalize)
    return _like(w, d)


@twin_of(reference.loss_grid)
@torch.no_grad()
def loss_grid(
    net: Network,
    w: Array,
    x: Array,
    y: Array,
    loss: Loss,
    directions: Array,
    *,
    radius: float = 1.0,
    points: int = 51,
) -> Array:
    w = validate_place("loss_grid", arrays, Network, net, w)
    d = validate_directions("loss_grid", arrays, net, w, directions)
    steps = w.new_tensor(offsets("loss_grid", radius, points, w))
    count = count_networks("loss_grid", arrays, net, x, y)
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    ways = w[None] if len(d) == 1 else w + steps[:, None] * d[0]
    f, heights = as_loss("loss_grid", loss, losses.mse), []
    for way in ways:
        for some in torch.split(steps, count):
            outputs = _along(net, way, d[-1], x, some)
            truth = y.expand(len(some), *y.shape)
            each = f(outputs, truth, reduction="none")
            heights.append(each.reshape(len(some), -1).mean(-1))
    shape = (points,) * len(d)
    return torch.cat(heights).reshape(shape)


def _along(net: Network, w: Array, d: Array, x: Array, steps: Array) -> Array:
    """The outputs at w + s d for each s, whose first layer gives z + s z_d."""
    (W, b), (D, c) = net.layers(w)[0], net.layers(d)[0]
    z = torch.addcmul(x @ W + b, steps[:, None, None], x @ D + c)
    if len(net.sizes) == 2:
        return z
    h = getattr(activations, net.activation)(z) + (x if net._skips(W) else 0)
    rest, first = replace(net, sizes=net.sizes[1:]), W.numel() + b.numel()
    return rest.forward(w[first:] + steps[:, None] * d[first:], h)


@twin_of(reference.Sharpness)
class Sharpness(NamedTuple):
    eigenvalue: float
    direction: Array
    steps: int
    converged: bool


@twin_of(reference.sharpness)
def sharpness(
    net: Network,
    w: Array,
    x: Array,
    y: Array,
    loss: Loss,
    *,
    tolerance: float = 1e-6,
    steps: int = 100,
    rng: Rng = 0,
) -> Sharpness:
    w = validate_place("sharpness", arrays, Network, net, w)
    v = _like(w, random_start("sharpness", net, rng))
    count_networks("sharpness", arrays, net, x, y)
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    # Pulling back through the gradient multiplies by the Hessian, for it is symmetric.
    f = as_loss("sharpness", loss, losses.mse)
    _, product = vjp(grad(lambda w: f(net.forward(w, x), y)), w)
    return Sharpness(*lanczos(product, v, tolerance, steps))


@twin_of(reference.Projection)
class Projection(NamedTuple):
    directions: Array
    coordinates: Array
    explained_variance_ratio: tuple[float, float]


@twin_of(
    reference.project,
    "NumPy finds the axes, in the memory of the CPU.",
)
def project(path: Array) -> Projection:
    path = validate_path("project", arrays, path)
    axes, coordinates, explained = principal_components(asnumpy(path).astype("float64"))
    return Projection(_like(path, axes), _like(path, coordinates), explained)


def _like(w: Array, x: Any) -> Array:
    """Return NumPy's numbers in the dtype of `w`, and where it lives."""
    return array(x, dtype=check.dtype_name(w), device=str(w.device))
