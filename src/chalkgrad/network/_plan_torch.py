"""Plans, PyTorch backend: twins of `chalkgrad.numpy.network`'s.

The backward pass is written out, so autograd keeps nothing, and every intermediate has
its buffer. On a GPU what a step does is captured as a CUDA graph (`_plan_cuda_torch`).
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad._core.docs import twin_of
from chalkgrad._core.types import Optimizer
from chalkgrad.activations import _torch as activations
from chalkgrad.losses import _torch as losses
from chalkgrad.losses._loss import as_loss
from chalkgrad.network import _plan_numpy as reference
from chalkgrad.network._plan_cuda_torch import Card, Steps
from chalkgrad.network._plan_numpy import replan

__all__ = ["Plan"]

PRECISIONS = ("full", "tf32", "bf16")
LAYOUTS = 4  # the full batch, the last of an epoch, and two more


@twin_of(reference.Plan)
class Plan:
    w: Array
    grad: Array

    def __init__(
        self,
        net: Any,
        w: Array,
        loss: Callable[..., Any],
        optimizer: Optimizer,
        batch_size: int,
        state: Any,
        precision: str,
    ) -> None:
        check.optimizer("plan", optimizer)
        self.batch_size: int = check.integer("plan", "batch_size", batch_size, low=1)
        self._precision = check.choice("plan", "precision", precision, PRECISIONS)
        w = arrays.float_array("plan", "w", w)
        check.shapes("plan", w=(w, f"... {net.size}"))
        self.w = w.detach().clone(memory_format=torch.contiguous_format)
        self.grad = torch.zeros_like(self.w)
        self._options = {
            "loss": loss,
            "optimizer": optimizer,
            "batch_size": self.batch_size,
            "precision": precision,
        }
        self._optimizer = optimizer.in_place
        fresh = self._optimizer.init(self.w)
        self._state = (
            fresh if state is None else check.state("plan", state, type(fresh))
        )
        found = as_loss("plan", loss, losses.mse)
        self._net, self._loss = net, found.planned(found)
        self._layers: list[_Layer] = []
        self._layouts: dict[int, list[_Layer]] = {}  # by the number of rows
        self._w16 = self.w.bfloat16() if precision == "bf16" else self.w
        self._card = Card(self) if self.w.is_cuda else None

    @property
    def state(self) -> Any:
        """Return what the optimizer keeps."""
        return self._state if self._card is None else self._card.with_numbers()

    @state.setter
    def state(self, state: Any) -> None:
        self._state = state
        if self._card is not None:
            self._card.drop()

    def __reduce__(self) -> Any:
        return replan, (self._net, self.w, self._options, self.state, self.grad)

    @twin_of(reference.Plan.__call__)
    def __call__(self, x: Array, y: Array, *, weights: Array | None = None) -> Array:
        loss = self.gradient(x, y, weights=weights)
        self.update()
        return loss

    @twin_of(reference.Plan.gradient)
    @torch.no_grad()
    def gradient(self, x: Array, y: Array, *, weights: Array | None = None) -> Array:
        x, y, weights = self._validate_batch(x, y, weights)
        quick = weights is None and self._loss.is_quick(self._layers[-1].z, y)
        run = functools.partial(self._forward_and_backward, x, y, weights=weights)
        try:
            if quick and self._card is not None:
                loss, is_finite = self._card.gradient(x, y)
            else:
                loss = run(quick=quick)
                is_finite = self._is_finite(loss)
            if not is_finite:
                # If a label is wrong, it says so; and a mean may be finite.
                loss = run(quick=False)
                if not self._is_finite(loss):
                    raise check.DivergedError("plan")
        except check.DivergedError:
            arrays.finite("plan", "x", x)
            raise
        return loss.reshape(self.w.shape[:-1])

    def _is_finite(self, loss: Array) -> bool:
        return arrays.is_finite(loss) and arrays.is_finite(self.grad)

    @twin_of(reference.Plan.update)
    def update(self) -> None:
        if self._card is not None and self._card.update():
            return
        state = self.state
        self._optimizer.admit(self.grad, state)
        w, self.state = self._optimizer.step(self.w, self.grad, state)
        if w is not self.w:
            self.w.copy_(w)

    @torch.no_grad()
    def advance(self, x: Array, y: Array, last: Array, total: Any) -> bool:
        """Take a step on a GPU, if it can be without waiting for what comes of it.

        The weights before it are written into `last`; `total` is the sum of all losses
        before the first such step. What came of it, `read` says.
        """
        if self._card is None:
            return False
        x, y, _ = self._validate_batch(x, y, None)
        if not self._loss.is_quick(self._layers[-1].z, y):
            return False
        return self._card.advance(x, y, last, total)

    def is_ahead(self) -> bool:
        """Tell whether enough steps were taken that nobody has waited for."""
        return self._card is not None and self._card.is_full

    def read(self) -> Steps | None:
        """Wait; return what came of all steps since, or None if there were none."""
        return None if self._card is None else self._card.read()

    def _forward_and_backward(
        self, x: Array, y: Array, *, weights: Array | None = None, quick: bool
    ) -> Array:
        with self._round_weights():
            self._forward(x)
            z = self._layers[-1].z
            of = self._loss
            loss: Array = of.quick(z, y) if quick else of(z, y, weights)
            self._backward()
        return loss

    def _round_weights(self) -> AbstractContextManager[None]:
        """Say how a GPU multiplies, whatever others have said."""
        if self._card is None:
            return nullcontext()
        return _matmul_precision("tf32" if self._precision == "tf32" else "ieee")

    def _forward(self, x: Array) -> None:
        if self._w16 is not self.w:
            self._w16.copy_(self.w)
        h = x
        for layer in self._layers:
            layer.h, layer.h16 = h, self._round(h)
            self._product(layer.h16, layer.W16, layer.z)
            layer.z.add_(layer.b)
            h = layer.activate() if layer.hidden else h

    def _backward(self) -> None:
        """From the slopes of the outputs to the gradient, from the last layer down."""
        above, dz = None, self.w
        for layer in reversed(self._layers):
            if above:
                self._product(dz, above.W16.mT, layer.delta)
                if above.skips:
                    layer.delta.add_(above.delta)
                layer.pull_back()
            dz = self._round(layer.dz)
            self._product(layer.h16.mT, dz, layer.grad_W)
            torch.sum(layer.dz, -2, out=layer.grad_b)
            above = layer

    def _round(self, a: Array) -> Array:
        """Return what goes into products: each array is rounded once."""
        return a.bfloat16() if self._precision == "bf16" else a

    def _product(self, a: Array, b: Array, out: Array) -> None:
        if self._precision == "bf16":
            out.copy_(a @ b)
        else:
            torch.matmul(a, b, out=out)

    def _validate_batch(
        self, x: Array, y: Array, weights: Array | None
    ) -> tuple[Array, Array, Array | None]:
        """Tell bad input; lay out the buffers anew if the number of rows changes."""
        _, x = arrays.float_arrays("plan", w=self.w, x=x)
        given = {"y": y} if weights is None else {"y": y, "weights": weights}
        for name, a in given.items():
            arrays.own_nonempty("plan", name, a)
        arrays.same_device("plan", x=x, **given)
        check.weights_match_inputs(
            "plan", self.w, x, self._net.size, self._net.sizes[0]
        )
        check.batch("plan", x, self.batch_size)
        n = x.shape[-2]
        self._layers = self._layouts.pop(n, []) or self._lay_out(n)
        self._layouts[n] = self._layers  # the last is the one that was used last
        networks = self.w.shape[:-1]
        if not networks:
            return x, y, weights
        if x.ndim == 2:
            given = {name: a.expand(networks + a.shape) for name, a in given.items()}
        flat = {name: a.flatten(0, len(networks) - 1) for name, a in given.items()}
        x = x if x.ndim == 2 else x.flatten(0, -3)
        return x, flat["y"], flat.get("weights")

    def _lay_out(self, n: int) -> list["_Layer"]:
        """Make the buffers for n rows; those of a few sizes are kept."""
        if len(self._layouts) == LAYOUTS:
            oldest = next(iter(self._layouts))
            del self._layouts[oldest]
            if self._card is not None:
                self._card.forget(oldest)
        net, layers = self._net, []
        many = self.w.ndim > 1
        w, grad, w16 = (
            (a.flatten(0, -2) if many else a) for a in (self.w, self.grad, self._w16)
        )
        each = zip(net.layers(w), net.layers(grad), net.layers(w16), strict=True)
        for index, ((W, b), (grad_W, grad_b), (W16, _)) in enumerate(each):
            z = w.new_empty((*w.shape[:-1], n, W.shape[-1]))
            layer = _Layer(W, b[..., None, :], grad_W, grad_b, z, W16)
            if index < len(net.sizes) - 2:
                layer.hide(net.activation, net._skips(W))
            layers.append(layer)
        return layers


class _Layer:
    """The views and the buffers of one layer."""

    hidden = False
    skips = False

    def __init__(
        self,
        W: Array,
        b: Array,
        grad_W: Array,
        grad_b: Array,
        z: Array,
        W16: Array,
    ) -> None:
        self.W, self.b, self.grad_W, self.grad_b, self.z = W, b, grad_W, grad_b, z
        self.W16 = W16  # the matrix as products take it
        self.dz = z  # written over z, when z has done its work
        self.h = self.h16 = z  # the input, as it is and rounded, set by each pass

    def hide(self, activation: str, skips: bool) -> None:
        """Make it a hidden layer: give it an activation and an output."""
        self.hidden, self.skips = True, skips
        self.a, self.delta = torch.empty_like(self.z), torch.empty_like(self.z)
        self.sum = torch.empty_like(self.z) if skips else self.a
        self.activation = activation
        self.function = getattr(activations, activation)
        self.slope = getattr(activations, f"{activation}_grad")

    def activate(self) -> Array:
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
        if self.activation == "relu" and self.z.is_cuda:  # one kernel, not two
            pull = torch.ops.aten.threshold_backward.grad_input
            pull(self.delta, self.a, 0, grad_input=self.z)
        elif self.activation == "relu":
            torch.mul(self.delta, self.a > 0, out=self.z)
        elif self.activation == "tanh":  # the slope is 1 - a a
            torch.mul(self.a, self.a, out=self.z)
            self.z.neg_().add_(1).mul_(self.delta)
        else:
            torch.mul(self.delta, self.slope(self.z), out=self.z)


@contextmanager
def _matmul_precision(precision: str) -> Iterator[None]:
    """Let a GPU round the inputs of float32 products to 10 bits ("tf32"), or not."""
    matmul: Any = torch.backends.cuda.matmul
    # PyTorch from 2.9 on refuses to be asked in both ways.
    name = "fp32_precision" if hasattr(matmul, "fp32_precision") else "allow_tf32"
    wanted: Any = precision if name == "fp32_precision" else precision == "tf32"
    before = getattr(matmul, name)
    if before == wanted:
        yield
        return
    setattr(matmul, name, wanted)
    try:
        yield
    finally:
        setattr(matmul, name, before)
