"""Plans, NumPy half: the training step with everything allocated once.

The reference in `_numpy.py` reads like the slide. A plan does the same sums, faster:

- An example is a column, so what runs over all units of a layer runs along memory.
- W and b of a layer are one block of `w`, and its input has a last row of ones: one
  product is h W + b, and one product is the gradient of both.
- Every intermediate has its buffer, and every call writes into one.
- A loss leaves its slopes where the outputs were.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays
from chalkgrad._core.types import Optimizer
from chalkgrad.activations import _numpy as activations
from chalkgrad.losses import _numpy as losses

__all__ = ["Line", "Plan"]


class Pass:
    """The forward and the backward pass, with everything allocated once."""

    w: Array
    """The weights, shape (..., size)."""
    grad: Array
    """The gradient, of the same shape."""

    def __init__(
        self, net: Any, w: Array, loss: Callable[..., Any], both: Callable[..., Any]
    ) -> None:
        """Take a private copy of the weights, a loss, and what gives it with slopes."""
        self.w, self.grad = w.copy(), np.zeros_like(w)
        self._net = net
        self._make_loss = partial(_LOSSES.get(loss, _Loss), both)
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
        self._loss = self._make_loss(layer.z, len(shape) == 2)
        self._shape = shape


class Plan(Pass):
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
        both: Callable[..., Any],
        optimizer: Optimizer,
        batch_size: int,
        state: Any,
    ) -> None:
        check.optimizer("plan", optimizer)
        self.batch_size = check.integer("plan", "batch_size", batch_size, low=1)
        w = arrays.real("plan", "w", w)
        check.shapes("plan", w=(w, f"... {net.size}"))
        super().__init__(net, w, loss, both)
        self._optimizer = optimizer.in_place
        fresh = self._optimizer.init(self.w)
        self.state = fresh if state is None else check.state("plan", state, type(fresh))

    def __call__(self, x: Array, y: Array) -> Any:
        """Step along the gradient of the mean loss over these rows.

        Parameters
        ----------
        x : Array of shape (n, d) or (..., n, d)
            The rows, `batch_size` or fewer.
        y : Array
            Their labels or targets, as the loss takes them.

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
        loss = self.gradient(x, y)
        self.update()
        return loss

    @np.errstate(over="ignore", invalid="ignore")  # it is told once, below
    def gradient(self, x: Array, y: Array) -> Any:
        """Compute the loss, and write its gradient into `grad`."""
        x = self._admitted(x, y)
        self._forward(x)
        loss = self._loss(self._layers[-1].z, y)
        self._backward()
        if not (_is_finite(loss) and _is_finite(self.grad)):
            self._forward(x)
            _Loss.__call__(self._loss, self._layers[-1].z, y)  # it knows what to say
            raise check.DivergedError("plan")
        return loss

    def update(self) -> None:
        """Let the optimizer step along `grad`."""
        w, self.state = self._optimizer.step(self.w, self.grad, self.state)
        if w is not self.w:
            np.copyto(self.w, w)

    def _admitted(self, x: Array, y: Array) -> Array:
        """Tell bad input; lay out the buffers anew if the number of rows changes."""
        if type(x) is not np.ndarray or x.dtype != self.w.dtype:
            x = arrays.real("plan", "x", x, finite=False)
            arrays.alike("plan", w=self.w, x=x)
        if type(y) is not np.ndarray or y.size == 0:
            arrays.one("plan", "y", y)
        if x.shape != self._shape:
            arrays.one("plan", "x", x)
            check.fits("plan", self.w, x, self._net.size, self._net.sizes[0])
            check.batch("plan", x, self.batch_size)
            self._lay_out(x.shape)
        return x


class Line(Pass):
    """The losses at w + s d for many s, a few at a time.

    What the first layer gives is z + s z_d, so two products do for all.
    """

    def __init__(
        self,
        net: Any,
        x: Array,
        y: Array,
        loss: Callable[..., Any],
        both: Callable[..., Any],
        d: Array,
        count: int,
    ) -> None:
        super().__init__(net, np.zeros((count, net.size), d.dtype), loss, both)
        self._lay_out(x.shape)
        np.copyto(self._rows, x)
        self._d, self._y, self._z_d = d, y, self._first(d)

    def _first(self, w: Array) -> Array:
        """What the first layer of one network gives."""
        d, k = self._net.sizes[:2]
        z: Array = w[: (d + 1) * k].reshape(d + 1, k).T @ self._layers[0].h
        return z

    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, w: Array, steps: Array) -> Array:
        """Return the loss at w + s d for each s; not finite where it has none."""
        z, count, losses = self._first(w), len(self.w), []
        first, last = self._layers[0].z, self._layers[-1].z
        for start in range(0, len(steps), count):
            s = np.zeros(count, w.dtype)  # the last few may be fewer
            some = steps[start : start + count]
            s[: len(some)] = some
            np.multiply(self._d, s[:, None], out=self.w)
            np.add(self.w, w, out=self.w)
            np.multiply(self._z_d, s[:, None, None], out=first)
            np.add(first, z, out=first)
            self._go_on()
            losses.append(self._loss(last, self._y)[: len(some)])
        return np.concatenate(losses)


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


class _Loss:
    """A loss: from outputs z to their mean loss, its slopes left where z was.

    This one does it as the reference does, for any loss. The quick ones below do so
    too, with what is unusual or wrong: it knows what to say.
    """

    def __init__(self, both: Callable[..., Any], z: Array, shared: bool) -> None:
        self.both, self.networks, self.shared = both, z.shape[:-2], shared

    def __call__(self, z: Array, y: Array) -> Any:
        if not arrays.is_finite(z):
            raise check.DivergedError("plan")
        y = np.broadcast_to(y, self.networks + y.shape) if self.shared else y
        each, slopes = self.both(z.mT, y)
        np.divide(slopes.mT, each.size // math.prod(self.networks), out=z)
        return each.mean(tuple(range(len(self.networks), each.ndim)))


class _CrossEntropy(_Loss):
    """With e = exp(z - the largest), no digits cancel in the loss
    log(1 + (others + e_y - 1)) - z_y, nor in the slope -others / sum at y.
    """

    def __init__(self, both: Callable[..., Any], z: Array, shared: bool) -> None:
        super().__init__(both, z, shared)
        *networks, k, n = z.shape
        self.labels_shape = (n,) if shared else (*networks, n)
        self.is_class = np.empty(self.labels_shape, bool)
        self.classes, self.one = np.array(k, np.uint64), np.ones((), z.dtype)
        # Where in memory each column of each network begins.
        self.start = np.arange(z.size, dtype=np.int64).reshape(z.shape)[..., 0, :]
        self.row, self.share = np.empty((*networks, 1, n), z.dtype), _share(z, n)

    def __call__(self, z: Array, y: Array) -> Any:
        if y.shape != self.labels_shape or y.dtype.kind not in "iu":
            return super().__call__(z, y)
        y = y.astype(np.int64)
        # Read without a sign, -1 is a large number.
        np.less(y.view(np.uint64), self.classes, out=self.is_class)
        if np.count_nonzero(self.is_class) < y.size:
            return super().__call__(z, y)
        index, flat, row = self.start + z.shape[-1] * y, z.reshape(-1), self.row
        np.maximum.reduce(z, axis=-2, keepdims=True, out=row)
        np.subtract(z, row, out=z)
        z_y = flat[index]
        np.exp(z, out=z)
        e_y = flat[index]
        flat[index] = 0
        others = np.add.reduce(z, axis=-2)
        losses = np.log1p(others + (e_y - self.one)) - z_y
        flat[index] = -others
        np.divide(self.share, others + e_y, out=row[..., 0, :])
        np.multiply(z, row, out=z)
        return np.add.reduce(losses, axis=-1) / z.shape[-1]


class _BinaryCrossEntropy(_Loss):
    """For labels 0 and 1: with s = 1 - 2 y and e = exp(s z) the loss is log(1 + e), and
    no digits cancel in its slope s e / (1 + e).
    """

    def __init__(self, both: Callable[..., Any], z: Array, shared: bool) -> None:
        super().__init__(both, z, shared)
        self.sign = np.empty(z.shape[-2:] if shared else z.shape, z.dtype)
        self.is_hard = np.empty(self.sign.shape, bool)
        self.labels_shape = self.sign.mT.shape
        self.one, self.two = np.ones((), z.dtype), np.full((), 2, z.dtype)
        self.e, self.sum, self.log, self.losses = (np.empty_like(z) for _ in range(4))
        *_, k, n = z.shape
        self.count, self.share = k * n, _share(z, k * n)

    def __call__(self, z: Array, y: Array) -> Any:
        s, e, sum_, log, losses = self.sign, self.e, self.sum, self.log, self.losses
        if y.shape != self.labels_shape or not (
            y.dtype == z.dtype or y.dtype.kind in "iu"
        ):
            return super().__call__(z, y)
        np.multiply(y.mT, self.two, out=s, casting="unsafe")
        np.subtract(self.one, s, out=s)
        np.equal(np.absolute(s), self.one, out=self.is_hard)
        if np.count_nonzero(self.is_hard) < s.size:
            return super().__call__(z, y)
        np.multiply(s, z, out=e)
        np.exp(e, out=e)
        np.add(e, self.one, out=sum_)
        # log(1 + e), which is log(sum) and what the sum has rounded away: NumPy's log1p
        # takes six times as long.
        np.subtract(sum_, self.one, out=losses)
        np.subtract(e, losses, out=losses)
        np.divide(losses, sum_, out=losses)
        np.log(sum_, out=log)
        np.add(losses, log, out=losses)
        loss = np.add.reduce(losses, axis=(-2, -1)) / self.count
        if not _is_finite(loss):  # e may have overflowed
            return super().__call__(z, y)
        np.divide(e, sum_, out=z)
        np.multiply(s, self.share, out=s)
        np.multiply(z, s, out=z)
        return loss


class _MeanSquare(_Loss):
    def __init__(self, both: Callable[..., Any], z: Array, shared: bool) -> None:
        super().__init__(both, z, shared)
        *networks, k, n = z.shape
        self.targets_shape = (n, k) if shared else (*networks, n, k)
        self.squares = np.empty_like(z)
        self.count, self.share = k * n, _share(z, k * n, 2)

    def __call__(self, z: Array, y: Array) -> Any:
        if y.shape != self.targets_shape or y.dtype != z.dtype:
            return super().__call__(z, y)
        np.subtract(z, y.mT, out=z)
        np.multiply(z, z, out=self.squares)
        np.multiply(z, self.share, out=z)
        return np.add.reduce(self.squares, axis=(-2, -1)) / self.count


_LOSSES = {
    losses.cross_entropy: _CrossEntropy,
    losses.binary_cross_entropy: _BinaryCrossEntropy,
    losses.mse: _MeanSquare,
}


def _share(z: Array, count: int, slope: float = 1) -> Array:
    """What one of `count` losses has in their mean; an array is quicker to NumPy."""
    return np.array(slope / count, z.dtype)


def _is_finite(a: Any) -> bool:
    """As `arrays.is_finite`, for where overflow may not warn anyway."""
    if a.ndim == 0:
        return math.isfinite(a)
    flat = a.reshape(-1)
    return math.isfinite(np.dot(flat, flat)) or arrays.is_finite(a)
