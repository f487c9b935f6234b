"""Plans, PyTorch half: twins of `chalkgrad.numpy.network`'s.

The backward pass is written out, so autograd keeps nothing, and every intermediate has
its buffer. On a GPU the forward and the backward pass are captured as one CUDA graph:
one launch instead of some thirty.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad._core.types import Optimizer
from chalkgrad.activations import _torch as activations
from chalkgrad.losses import _torch as losses

__all__ = ["Plan"]

PRECISIONS = ("full", "tf32", "bf16")
LAYOUTS = 4  # the full batch, the last of an epoch, and two more


class Plan:
    """Twin of `chalkgrad.numpy.network.Plan`."""

    w: Array
    grad: Array
    state: Any

    def __init__(
        self,
        net: Any,
        w: Array,
        loss: Callable[..., Any],
        loss_grad: Callable[..., Any],
        optimizer: Optimizer,
        batch_size: int,
        state: Any,
        precision: str,
    ) -> None:
        check.optimizer("plan", optimizer)
        self.batch_size = check.integer("plan", "batch_size", batch_size, low=1)
        self._precision = check.choice("plan", "precision", precision, PRECISIONS)
        w = arrays.real("plan", "w", w)
        check.shapes("plan", w=(w, f"... {net.size}"))
        self.w = w.detach().clone(memory_format=torch.contiguous_format)
        self.grad = torch.zeros_like(self.w)
        self._optimizer = optimizer.in_place
        fresh = self._optimizer.init(self.w)
        self.state = fresh if state is None else check.state("plan", state, type(fresh))
        self._net, self._reference = net, (loss, loss_grad)
        self._quick_loss = _QUICK.get(loss)
        self._layers: list[_Layer] = []
        self._layouts: dict[int, list[_Layer]] = {}  # by the number of rows
        self._graphs: dict[tuple[Any, ...], _Graph] = {}

    def __call__(self, x: Array, y: Array) -> Array:
        """Twin of `chalkgrad.numpy.network.Plan.__call__`."""
        loss = self.gradient(x, y)
        self.update()
        return loss

    @torch.no_grad()
    def gradient(self, x: Array, y: Array) -> Array:
        """Twin of `chalkgrad.numpy.network.Plan.gradient`."""
        x, y = self._admitted(x, y)
        quick = self._is_quick(y)
        with _tf32() if self._precision == "tf32" else nullcontext():
            if quick and x.is_cuda:
                loss = self._replayed(x, y)
            else:
                loss = self._forward_and_backward(x, y, quick)
        if not (arrays.is_finite(loss) and arrays.is_finite(self.grad)):
            self._forward(x)
            self._loss(y, quick=False)  # if a label is wrong, it says so
            raise check.DivergedError("plan")
        return loss.reshape(self.w.shape[:-1])

    def update(self) -> None:
        """Twin of `chalkgrad.numpy.network.Plan.update`."""
        w, self.state = self._optimizer.step(self.w, self.grad, self.state)
        if w is not self.w:
            self.w.copy_(w)

    def _forward_and_backward(self, x: Array, y: Array, quick: bool) -> Array:
        self._forward(x)
        loss = self._loss(y, quick)
        self._backward()
        return loss

    def _forward(self, x: Array) -> None:
        h = x
        for layer in self._layers:
            layer.h = h
            self._product(h, layer.W, layer.z)
            layer.z.add_(layer.b)
            h = layer.activated() if layer.hidden else h

    def _loss(self, y: Array, quick: bool) -> Array:
        """The mean losses, shape (m,) or (); the slopes lie where the outputs were."""
        z = self._layers[-1].z
        if quick and self._quick_loss:
            return self._quick_loss(z, y)
        if not arrays.is_finite(z):
            raise check.DivergedError("plan")
        loss, loss_grad = self._reference
        each: Array = loss(z, y, reduction="none")
        networks = z.shape[:-2]
        count = each.numel() // math.prod(networks)
        z.copy_(loss_grad(z, y, reduction="sum") / count)
        return each.mean(tuple(range(len(networks), each.ndim)))

    def _backward(self) -> None:
        """From the slopes of the outputs to the gradient, from the last layer down."""
        above = None
        for layer in reversed(self._layers):
            if above:
                self._product(above.dz, above.W.mT, layer.delta)
                if above.skips:
                    layer.delta.add_(above.delta)
                layer.pull_back()
            self._product(layer.h.mT, layer.dz, layer.grad_W)
            torch.sum(layer.dz, -2, out=layer.grad_b)
            above = layer

    def _product(self, a: Array, b: Array, out: Array) -> None:
        if self._precision == "bf16":
            out.copy_(a.bfloat16() @ b.bfloat16())
        else:
            torch.matmul(a, b, out=out)

    def _is_quick(self, y: Array) -> bool:
        z = self._layers[-1].z
        if self._quick_loss is _cross_entropy:
            return y.shape == z.shape[:-1] and check.dtype_name(y) in check.INTEGERS
        counts = (
            self._quick_loss is _binary_cross_entropy
            and check.dtype_name(y) in check.INTEGERS
        )
        fits = y.shape == z.shape and (y.dtype == z.dtype or counts)
        return self._quick_loss is not None and fits

    def _admitted(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Tell bad input; lay out the buffers anew if the number of rows changes."""
        x = arrays.real("plan", "x", x, finite=False)
        arrays.alike("plan", w=self.w, x=x)
        arrays.one("plan", "y", y)
        arrays.same_device("plan", x=x, y=y)
        check.fits("plan", self.w, x, self._net.size, self._net.sizes[0])
        check.batch("plan", x, self.batch_size)
        self._layers = self._layouts.get(x.shape[-2]) or self._lay_out(x.shape[-2])
        networks = self.w.shape[:-1]
        if not networks:
            return x, y
        if x.ndim == 2:
            y = y.expand(networks + y.shape)
        return x if x.ndim == 2 else x.flatten(0, -3), y.flatten(0, len(networks) - 1)

    def _lay_out(self, n: int) -> list["_Layer"]:
        """Make the buffers for n rows; those of a few sizes are kept."""
        if len(self._layouts) == LAYOUTS:
            self._layouts, self._graphs = {}, {}
        net, layers = self._net, []
        many = self.w.ndim > 1
        w, grad = ((a.flatten(0, -2) if many else a) for a in (self.w, self.grad))
        both = zip(net.layers(w), net.layers(grad), strict=True)
        for index, ((W, b), (grad_W, grad_b)) in enumerate(both):
            z = w.new_empty((*w.shape[:-1], n, W.shape[-1]))
            layer = _Layer(W, b[..., None, :], grad_W, grad_b, z)
            if index < len(net.sizes) - 2:
                layer.hide(net.activation, net._skips(W))
            layers.append(layer)
        self._layouts[n] = layers
        return layers

    def _replayed(self, x: Array, y: Array) -> Array:
        key = (x.shape, y.shape, y.dtype)
        if key not in self._graphs:
            self._graphs[key] = _Graph(x, y, self._forward_and_backward)
        return self._graphs[key](x, y)


class _Layer:
    """The views and the buffers of one layer."""

    hidden = False
    skips = False

    def __init__(self, W: Array, b: Array, grad_W: Array, grad_b: Array, z: Array):
        self.W, self.b, self.grad_W, self.grad_b, self.z = W, b, grad_W, grad_b, z
        self.dz = z  # written over z, when z has done its work
        self.h = z  # the input, set by each forward pass

    def hide(self, activation: str, skips: bool) -> None:
        """Make it a hidden layer: give it an activation and an output."""
        self.hidden, self.skips = True, skips
        self.a, self.delta = torch.empty_like(self.z), torch.empty_like(self.z)
        self.sum = torch.empty_like(self.z) if skips else self.a
        self.activation = activation
        self.function = getattr(activations, activation)
        self.slope = getattr(activations, f"{activation}_grad")

    def activated(self) -> Array:
        """From z to the output."""
        if self.activation == "relu":
            torch.clamp_min(self.z, 0, out=self.a)
        elif self.activation == "tanh":
            torch.tanh(self.z, out=self.a)
        else:
            self.a.copy_(self.function(self.z))
        return torch.add(self.a, self.h, out=self.sum) if self.skips else self.a

    def pull_back(self) -> None:
        """From the slopes for the output to those for z, written over z."""
        if self.activation == "relu":
            torch.mul(self.delta, self.a > 0, out=self.z)
        elif self.activation == "tanh":  # the slope is 1 - a a
            torch.mul(self.a, self.a, out=self.z)
            self.z.neg_().add_(1).mul_(self.delta)
        else:
            torch.mul(self.delta, self.slope(self.z), out=self.z)


class _Graph:
    """A pass over rows of one shape, captured: later calls replay it."""

    def __init__(self, x: Array, y: Array, run: Callable[..., Array]) -> None:
        self.x, self.y = x.clone(), y.clone()
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries set themselves up in the first runs
            for _ in range(3):
                run(self.x, self.y, quick=True)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss = run(self.x, self.y, quick=True)

    def __call__(self, x: Array, y: Array) -> Array:
        self.x.copy_(x)
        self.y.copy_(y)
        self.graph.replay()
        return self.loss.clone()


# --- Losses: from outputs z to their mean loss, its slopes left where z was. A GPU need
# not wait for them to look at a number: where a label is wrong, the loss is nan.


def _cross_entropy(z: Array, y: Array) -> Array:
    """As in the NumPy half, no digits cancel."""
    y = y.long()  # of other integers PyTorch cannot tell the least and the most
    known = _are_within(y, 0, z.shape[-1] - 1)
    index = y.clamp(0, z.shape[-1] - 1)[..., None]
    z.sub_(z.amax(-1, keepdim=True))
    z_y = z.gather(-1, index)
    e = z.exp_()
    e_y = e.gather(-1, index)
    others = e.scatter_(-1, index, 0.0).sum(-1, keepdim=True)
    each = torch.log1p(others + (e_y - 1)) - z_y
    e.scatter_(-1, index, -others).div_((others + e_y) * z.shape[-2])
    return each.mean((-2, -1)).where(known, math.nan)


def _binary_cross_entropy(z: Array, y: Array) -> Array:
    y = y.to(z.dtype)
    known = _are_within(y, 0, 1)
    small = torch.exp(-abs(z))
    each = y * (-z).clamp_min(0) + (1 - y) * z.clamp_min(0) + torch.log1p(small)
    yes, no = torch.where(z >= 0, 1, small), torch.where(z >= 0, small, 1)
    slopes = torch.sub((1 - y) * yes, y * no, out=z)
    slopes.div_((1 + small) * (z.shape[-2] * z.shape[-1]))
    return each.mean((-2, -1)).where(known, math.nan)


def _are_within(y: Array, low: int, high: int) -> Array:
    least, most = y.aminmax()
    return (least >= low) & (most <= high)


def _mse(z: Array, y: Array) -> Array:
    loss = z.sub_(y).square().mean((-2, -1))
    z.mul_(2 / (z.shape[-2] * z.shape[-1]))
    return loss


_QUICK: dict[Any, Callable[[Array, Array], Array]] = {
    losses.cross_entropy: _cross_entropy,
    losses.binary_cross_entropy: _binary_cross_entropy,
    losses.mse: _mse,
}


@contextmanager
def _tf32() -> Iterator[None]:
    """Let a GPU round the inputs of float32 products to 10 bits."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
