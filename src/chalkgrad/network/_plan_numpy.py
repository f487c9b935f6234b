"""Plans, NumPy backend: the training step with everything allocated once.

The reference in `_numpy.py` reads like the slide. A plan does the same sums, faster:

- An example is a column, so what runs over all units of a layer runs along memory.
- W and b of a layer are one block of `w`, and its input has a last row of ones: one
  product is h W + b, and one product is the gradient of both.
- Every intermediate has its buffer, and every call writes into one.
- A loss leaves its slopes where the outputs were (`chalkgrad.losses._plan_numpy`).
"""

import copy
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays
from chalkgrad._core.types import Optimizer
from chalkgrad.activations import _numpy as activations
from chalkgrad.losses import _numpy as losses
from chalkgrad.losses._loss import as_loss

__all__ = ["ForwardBackward", "Plan"]


class ForwardBackward:
    """The forward and the backward pass, with everything allocated once."""

    w: Array
    """The weights, shape (..., size)."""
    grad: Array
    """The gradient, of the same shape."""

    def __init__(self, net: Any, w: Array, loss: Callable[..., Any]) -> None:
        """Take a private copy of the weights."""
        self.w = w.astype(check.dtype_name(w))  # in the byte order of the machine
        self.grad = np.zeros_like(self.w)
        self._net = net
        self._loss_function = as_loss("plan", loss, losses.mse)
        self._shape: tuple[int, ...] = ()

    def _forward(self, x: Array) -> None:
        np.copyto(self._rows, x)
        self._layers[0].forward()
        self._go_on()

    def _go_on(self) -> None:
        """From z of the first layer to that of the last."""
        for below, layer in pairwise(self._layers):
            below.activate()
            layer.forward()

    def _backward(self) -> None:
        """From the slopes of the outputs to the gradient, from the last layer down."""
        above = None
        for layer in reversed(self._layers):
            if above:
                above.spread(above.W, above.dz, out=layer.delta)
                if above.skips:
                    np.add(layer.delta, above.delta, out=layer.delta)
                layer.sigma.pull_back()
            layer.backward()
            above = layer

    def _lay_out(self, shape: tuple[int, ...]) -> None:
        net, lead = self._net, self.w.shape[:-1]
        ones = np.ones((*shape[:-1], shape[-1] + 1), self.w.dtype)
        self._rows, h = ones[..., :-1], ones.mT
        self._layers, start = [], 0
        for index, (d, k) in enumerate(pairwise(net.sizes)):
            block = slice(start, start := start + (d + 1) * k)
            w, grad = (
                a[..., block].reshape(*lead, d + 1, k) for a in (self.w, self.grad)
            )
            kind = _FirstOfMany if lead and h.ndim == 2 else _Layer
            layer = kind(w, grad, h, (*lead, k, shape[-2]))
            if index < len(net.sizes) - 2:
                layer.hide(net.activation, net._skips(index))
            self._layers.append(layer)
            h = layer.out
        loss = self._loss_function
        self._loss = loss.planned(loss, layer.z, len(shape) == 2)
        self._shape = shape


class Plan(ForwardBackward):
    """A training step with everything allocated once; made by `Network.plan`."""

    w: Array
    """The weights, shape (..., size); a step writes into them."""
    grad: Array
    """The gradient of the last step, unless the optimizer has written over it."""
    state: Any
    """The optimizer's state; a step may write into it."""

    def __init__(
        self,
        net: Any,
        w: Array,
        loss: Callable[..., Any],
        optimizer: Optimizer,
        batch_size: int,
        state: Any,
    ) -> None:
        check.optimizer("plan", optimizer)
        self.batch_size: int = check.integer("plan", "batch_size", batch_size, low=1)
        w = arrays.float_array("plan", "w", w)
        check.shapes("plan", w=(w, f"... {net.size}"))
        super().__init__(net, w, loss)
        self._options = {
            "loss": loss,
            "optimizer": optimizer,
            "batch_size": self.batch_size,
        }
        self._optimizer = optimizer.in_place
        fresh = self._optimizer.init(self.w)
        self.state = fresh if state is None else check.state("plan", state, type(fresh))

    def __reduce__(self) -> Any:
        return replan, (self._net, self.w, self._options, self.state, self.grad)

    def __call__(self, x: Array, y: Array, *, weights: Array | None = None) -> Any:
        """Step along the gradient of the mean loss over these rows.

        Parameters
        ----------
        x : Array of shape (n, d) or (..., n, d)
            The rows, `batch_size` or fewer.
        y : Array
            Their labels or targets, as the loss takes them.
        weights : Array of shape (n,), or with the leading axes of `x`, optional
            What each row counts, as the loss takes it.

        Returns
        -------
        Array of shape (...)
            The mean loss before the step.

        Raises
        ------
        TypeError, ShapeError, ValueError, IndexError
            As `Network.loss_and_grad`; `w` and `state` are then as they were.
        DivergedError
            If the loss or its gradient is not finite; this too before the step.
        """
        loss = self.gradient(x, y, weights=weights)
        self.update()
        return loss

    @np.errstate(over="ignore", invalid="ignore")  # it is told once, below
    def gradient(self, x: Array, y: Array, *, weights: Array | None = None) -> Any:
        """Compute the loss, and write its gradient into `grad`."""
        x = self._validate_batch(x, y, weights)
        try:
            loss = self._forward_and_backward(x, y, weights, self._loss)
            if not (_is_finite(loss) and _is_finite(self.grad)):
                # The loss itself says what is wrong, and its mean may be finite.
                loss = self._forward_and_backward(x, y, weights, self._loss.ask)
            if not (_is_finite(loss) and _is_finite(self.grad)):
                raise check.DivergedError("plan")
        except check.DivergedError:
            arrays.finite("plan", "x", x)
            raise
        return loss

    def _forward_and_backward(
        self, x: Array, y: Array, weights: Any, loss: Callable[..., Any]
    ) -> Any:
        self._forward(x)
        value = loss(self._layers[-1].z, y, weights)
        self._backward()
        return value

    def update(self) -> None:
        """Let the optimizer step along `grad`."""
        self._optimizer.admit(self.grad, self.state)
        w, self.state = self._optimizer.step(self.w, self.grad, self.state)
        if w is not self.w:
            np.copyto(self.w, w)

    def _validate_batch(self, x: Array, y: Array, weights: Array | None) -> Array:
        """Tell bad input; lay out the buffers anew if the number of rows changes."""
        if type(x) is not np.ndarray or x.dtype != self.w.dtype:
            _, x = arrays.float_arrays("plan", w=self.w, x=x)
        if type(y) is not np.ndarray or y.size == 0:
            arrays.own_nonempty("plan", "y", y)
        if weights is not None:
            arrays.own_nonempty("plan", "weights", weights)
        if x.shape != self._shape:
            arrays.own_nonempty("plan", "x", x)
            check.weights_match_inputs(
                "plan", self.w, x, self._net.size, self._net.sizes[0]
            )
            check.batch("plan", x, self.batch_size)
            self._lay_out(x.shape)
        return x


def replan(net: Any, w: Any, options: dict[str, Any], state: Any, grad: Any) -> Any:
    """Plan again, in memory of its own, what a plan of either backend has come to."""
    plan = net.plan(w, state=copy.deepcopy(state), **options)
    plan.grad[...] = grad
    return plan


class _Layer:
    """The views and the buffers of one layer."""

    hidden = False
    skips = False

    def __init__(
        self, block: Array, grad: Array, h: Array, shape: tuple[int, ...]
    ) -> None:
        """Take W over b, the same of the gradient, the input over ones, z's shape."""
        self.block_T, self.W = block.mT, block[..., :-1, :]
        self.grad, self.h = grad, h
        self.z = np.empty(shape, block.dtype)
        self.dz = self.z  # written over z, when z has done its work
        self.dz_T = self.dz.mT
        self.out = h  # of the last layer nobody's input
        self.product = np.dot if block.ndim == 2 else np.matmul
        # Of one unit, W dz is a column times a row, without a sum.
        self.spread = np.multiply if self.W.shape[-1] == 1 else self.product

    def forward(self) -> None:
        """From the input to z."""
        self.product(self.block_T, self.h, out=self.z)

    def backward(self) -> None:
        """From the slopes for z to the gradient."""
        self.product(self.h, self.dz_T, out=self.grad)

    def hide(self, activation: str, skips: bool) -> None:
        """Make it a hidden layer: give it an activation and an output over ones."""
        *lead, k, n = self.z.shape
        self.hidden, self.skips = True, skips
        self.delta = np.empty_like(self.z)  # the slopes for the output
        self.out = np.ones((*lead, k + 1, n), self.z.dtype)
        self.above_ones = self.out[..., :-1, :]
        a = np.empty_like(self.z) if skips else self.above_ones
        kind = _ACTIVATIONS.get(activation, _Elementwise)
        self.sigma = kind(activation, self.z, a, self.delta)

    def activate(self) -> None:
        """From z to the output."""
        self.sigma.apply()
        if self.skips:
            np.add(self.sigma.a, self.h[..., :-1, :], out=self.above_ones)


class _FirstOfMany(_Layer):
    """The first layer of many networks that see the same rows: one product for all."""

    def __init__(
        self, block: Array, grad: Array, h: Array, shape: tuple[int, ...]
    ) -> None:
        super().__init__(block, grad, h, shape)
        self.blocks = np.empty(self.block_T.shape, block.dtype)  # in one piece
        self.rows = self.blocks.reshape(-1, self.blocks.shape[-1])
        self.z_rows = self.z.reshape(-1, shape[-1])

    def forward(self) -> None:
        np.copyto(self.blocks, self.block_T)
        np.dot(self.rows, self.h, out=self.z_rows)

    def backward(self) -> None:
        np.dot(self.z_rows, self.h.T, out=self.rows)
        np.copyto(self.grad, self.blocks.mT)


class _Elementwise:
    """An activation, from z to a; and back, from the slopes for a to those for z."""

    def __init__(self, name: str, z: Array, a: Array, delta: Array) -> None:
        self.z, self.a, self.delta = z, a, delta
        self.function = getattr(activations, name)
        self.slope = getattr(activations, f"{name}_grad")

    def apply(self) -> None:
        np.copyto(self.a, self.function(self.z))

    def pull_back(self) -> None:
        """Write over z."""
        np.multiply(self.delta, self.slope(self.z), out=self.z)


class _Relu(_Elementwise):
    def __init__(self, name: str, z: Array, a: Array, delta: Array) -> None:
        super().__init__(name, z, a, delta)
        self.zeros = np.zeros_like(z)  # three times as fast as the number 0
        self.zero, self.is_on = np.zeros((), z.dtype), np.empty(z.shape, bool)

    def apply(self) -> None:
        np.maximum(self.z, self.zeros, out=self.a)

    def pull_back(self) -> None:
        np.greater(self.a, self.zero, out=self.is_on)
        np.multiply(self.delta, self.is_on, out=self.z)


class _Tanh(_Elementwise):
    def __init__(self, name: str, z: Array, a: Array, delta: Array) -> None:
        super().__init__(name, z, a, delta)
        self.one = np.ones((), z.dtype)

    def apply(self) -> None:
        np.tanh(self.z, out=self.a)

    def pull_back(self) -> None:
        """The slope is 1 - a a."""
        np.multiply(self.a, self.a, out=self.z)
        np.subtract(self.one, self.z, out=self.z)
        np.multiply(self.delta, self.z, out=self.z)


_ACTIVATIONS = {"relu": _Relu, "tanh": _Tanh}


def _is_finite(a: Any) -> bool:
    """As `arrays.is_finite`, for where overflow may not warn anyway."""
    if a.ndim == 0:
        return math.isfinite(a)
    flat = a.reshape(-1)
    return math.isfinite(np.dot(flat, flat)) or arrays.is_finite(a)
