"""Networks, PyTorch half: twins of `chalkgrad.numpy.network`.

The same layout of the same vector, so weights can be carried from one half to the other
with `cg.array` and `cg.asnumpy`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, array, arrays
from chalkgrad._core.types import Optimizer
from chalkgrad.activations import _torch as activations
from chalkgrad.activations._numpy import ELEMENTWISE
from chalkgrad.losses import _torch as losses
from chalkgrad.network._numpy import SCHEMES, drawn
from chalkgrad.network._plan_torch import Plan

__all__ = ["Network", "network"]


def network(
    sizes: Sequence[int], *, activation: str = "relu", skip: bool = False
) -> "Network":
    """Twin of `chalkgrad.numpy.network`."""
    whole = check.sizes("network", sizes)
    check.choice("network", "activation", activation, ELEMENTWISE)
    return Network(whole, activation, check.truth("network", "skip", skip))


@dataclass(frozen=True)
class Network:
    """A description of layers over a flat vector; made by `network`."""

    sizes: tuple[int, ...]
    activation: str
    skip: bool

    @property
    def size(self) -> int:
        """Number of weights, biases among them."""
        return sum((d + 1) * k for d, k in pairwise(self.sizes))

    def init(
        self,
        rng: int | np.random.Generator | Sequence[int] | Array = 0,
        *,
        scheme: str = "he",
        dtype: str = "float64",
        device: str | None = None,
    ) -> Array:
        """Twin of `chalkgrad.numpy.network.Network.init`."""
        check.choice("init", "scheme", scheme, SCHEMES)
        check.choice("init", "dtype", dtype, check.FLOATS)
        return array(drawn(self, rng, scheme), dtype=dtype, device=device)

    def layers(self, w: Array) -> list[tuple[Array, Array]]:
        """Twin of `chalkgrad.numpy.network.Network.layers`."""
        arrays.real("layers", "w", w, finite=False)
        check.shapes("layers", w=(w, f"... {self.size}"))
        views, start = [], 0
        for d, k in pairwise(self.sizes):
            end = start + d * k
            W = w[..., start:end].reshape(*w.shape[:-1], d, k)
            views.append((W, w[..., end : end + k]))
            start = end + k
        return views

    def forward(self, w: Array, x: Array) -> Array:
        """Twin of `chalkgrad.numpy.network.Network.forward`."""
        return self._run("forward", w, x)[0]

    @torch.no_grad()
    def loss_and_grad(
        self, w: Array, x: Array, y: Array, loss: Callable[..., Any]
    ) -> tuple[Array, Array]:
        """Twin of `chalkgrad.numpy.network.Network.loss_and_grad`."""
        loss_grad = _grad_of(loss)
        outputs, steps = self._run("loss_and_grad", w, x)
        arrays.one("loss_and_grad", "y", y)
        networks = w.shape[:-1]
        y = y.expand(networks + y.shape) if x.ndim == 2 else y
        each = loss(outputs, y, reduction="none")
        count = each.numel() // math.prod(networks)
        delta = loss_grad(outputs, y, reduction="sum") / count

        grad = outputs.new_empty(w.shape)
        grads = self.layers(grad)
        slope = getattr(activations, f"{self.activation}_grad")
        for layer in reversed(range(len(steps))):
            h, z, W = steps[layer]
            inner = layer < len(steps) - 1
            dz = delta * slope(z) if inner else delta
            grad_W, grad_b = grads[layer]
            grad_W[...] = h.mT @ dz
            grad_b[...] = dz.sum(-2)
            if layer > 0:
                skipped = delta if inner and self._skips(W) else 0
                delta = dz @ W.mT + skipped
        return each.mean(tuple(range(len(networks), each.ndim))), grad

    def plan(
        self,
        w: Array,
        *,
        loss: Callable[..., Any],
        optimizer: Optimizer,
        batch_size: int,
        state: Any = None,
        precision: str = "full",
    ) -> Plan:
        """Twin of `chalkgrad.numpy.network.Network.plan`.

        On a GPU the pass is captured as a CUDA graph. The products may be in less
        precision: "tf32" on a GPU, "bf16" anywhere; the weights stay as they are.
        """
        slopes = _grad_of(loss)
        return Plan(self, w, loss, slopes, optimizer, batch_size, state, precision)

    def _run(
        self, where: str, w: Array, x: Array
    ) -> tuple[Array, list[tuple[Array, Array, Array]]]:
        """The outputs; and of every layer its input, pre-activation and matrix."""
        w = arrays.real(where, "w", w, finite=False)
        x = arrays.real(where, "x", x, finite=False)
        arrays.alike(where, w=w, x=x)
        check.fits(where, w, x, self.size, self.sizes[0])
        activate = getattr(activations, self.activation)
        steps: list[tuple[Array, Array, Array]] = []
        h = x
        for W, b in self.layers(w):
            if steps:  # what the layer before gave becomes the input of this one
                z, before = steps[-1][1:]
                h = activate(z) + (h if self._skips(before) else 0)
            steps.append((h, h @ W + b[..., None, :], W))
        return steps[-1][1], steps

    def _skips(self, W: Array) -> bool:
        return self.skip and W.shape[-2] == W.shape[-1]


def _grad_of(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Find `f_grad` of a loss `f`, also of a partial one."""
    if isinstance(loss, partial):
        return partial(_grad_of(loss.func), *loss.args, **loss.keywords)
    name = getattr(loss, "__name__", "")
    if getattr(losses, name, None) is not loss or f"{name}_grad" not in losses.__all__:
        raise TypeError(
            "loss_and_grad: `loss` must be a function of this half's cg.losses, or a "
            f"functools.partial of one, got {name or type(loss).__name__}."
        )
    found: Callable[..., Any] = getattr(losses, f"{name}_grad")
    return found
