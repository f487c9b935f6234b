"""Networks, PyTorch backend: twins of `chalkgrad.numpy.network`.

The same layout of the same vector, so weights can be carried from one backend to the
other with `cg.array` and `cg.asnumpy`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, array, arrays
from chalkgrad._core.docs import twin_of
from chalkgrad._core.made import Call
from chalkgrad._core.names import ELEMENTWISE
from chalkgrad._core.types import Optimizer
from chalkgrad.activations import _torch as activations
from chalkgrad.losses import _torch as losses
from chalkgrad.losses._loss import as_loss
from chalkgrad.network import _numpy as reference
from chalkgrad.network._numpy import SCHEMES, draw_weights
from chalkgrad.network._plan_torch import Plan

__all__ = ["Network", "network"]


@twin_of(reference.network)
def network(
    sizes: Sequence[int], *, activation: str = "relu", skip: bool = False
) -> "Network":
    whole = check.sizes("network", sizes)
    check.choice("network", "activation", activation, ELEMENTWISE)
    return Network(whole, activation, check.boolean("network", "skip", skip))


@dataclass(frozen=True, repr=False)
class Network:
    """A description of layers over a flat vector; made by `network`."""

    sizes: tuple[int, ...]
    activation: str
    skip: bool

    def __repr__(self) -> str:
        return repr(Call(network, vars(self)))

    @property
    def size(self) -> int:
        """Number of weights, biases among them."""
        return sum((d + 1) * k for d, k in pairwise(self.sizes))

    @twin_of(reference.Network.init)
    def init(
        self,
        rng: int | np.random.Generator | Sequence[int] | Array = 0,
        *,
        scheme: str = "he",
        dtype: str = "float64",
        device: str | None = None,
    ) -> Array:
        check.choice("init", "scheme", scheme, SCHEMES)
        check.choice("init", "dtype", dtype, check.FLOATS)
        return array(draw_weights(self, rng, scheme), dtype=dtype, device=device)

    @twin_of(reference.Network.layers)
    def layers(self, w: Array) -> list[tuple[Array, Array]]:
        arrays.float_array("layers", "w", w, finite=False)
        check.shapes("layers", w=(w, f"... {self.size}"))
        views, start = [], 0
        for d, k in pairwise(self.sizes):
            end = start + d * k
            W = w[..., start:end].reshape(*w.shape[:-1], d, k)
            views.append((W, w[..., end : end + k]))
            start = end + k
        return views

    @twin_of(reference.Network.forward)
    def forward(self, w: Array, x: Array) -> Array:
        return self._run("forward", w, x)[0]

    @twin_of(reference.Network.loss_and_grad)
    @torch.no_grad()
    def loss_and_grad(
        self,
        w: Array,
        x: Array,
        y: Array,
        loss: Callable[..., Any],
        *,
        weights: Array | None = None,
    ) -> tuple[Array, Array]:
        f = as_loss("loss_and_grad", loss, losses.mse)
        outputs, steps = self._run("loss_and_grad", w, x)
        arrays.own_nonempty("loss_and_grad", "y", y)
        if weights is not None:
            arrays.own_nonempty("loss_and_grad", "weights", weights)
        networks = w.shape[:-1]
        if x.ndim == 2:
            y = y.expand(networks + y.shape)
            if weights is not None:
                weights = weights.expand(networks + weights.shape)
        try:
            value, delta = f.mean_and_grad(outputs, y, weights, lead=len(networks))
        except ValueError:  # of outputs that are not finite: it may be for these
            arrays.finite("loss_and_grad", "x", x)
            arrays.finite("loss_and_grad", "w", w)
            raise

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
        return value, grad

    @twin_of(
        reference.Network.plan,
        "On a GPU the pass is captured as a CUDA graph. The products may be in less\n"
        'precision: "tf32" on a GPU, "bf16" anywhere; the weights stay as they are.',
    )
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
        return Plan(self, w, loss, optimizer, batch_size, state, precision)

    def _run(
        self, where: str, w: Array, x: Array
    ) -> tuple[Array, list[tuple[Array, Array, Array]]]:
        """The outputs; and of every layer its input, pre-activation and matrix."""
        w, x = arrays.float_arrays(where, w=w, x=x)
        check.weights_match_inputs(where, w, x, self.size, self.sizes[0])
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
