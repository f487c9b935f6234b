"""Forms of the losses for plans, NumPy backend: they leave their slopes where z was.

Each has the name of its loss, and in plans an example is a column of z. A loss without
a form here does in a plan what it does elsewhere.
"""

import math
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays


class Planned:
    """A loss: from outputs z to their mean loss, its slopes left where z was.

    This one asks the loss itself, and serves any. The quick ones below do so too, with
    weights and with what is unusual or wrong: the loss names it.
    """

    def __init__(self, loss: Any, z: Array, shared: bool) -> None:
        self.loss, self.networks, self.shared = loss, z.shape[:-2], shared

    def __call__(self, z: Array, y: Array, weights: Any = None) -> Any:
        """Return the mean loss of each network."""
        return self.ask(z, y, weights)

    def ask(self, z: Array, y: Array, weights: Any = None) -> Any:
        """Return the mean loss of each network, as the loss itself gives it."""
        if not arrays.is_finite(z):
            raise check.DivergedError("plan")
        if self.shared:
            y = np.broadcast_to(y, self.networks + y.shape)
            if weights is not None:
                weights = np.broadcast_to(weights, self.networks + weights.shape)
        lead = len(self.networks)
        value, grad = self.loss.mean_and_grad(z.mT, y, weights, lead=lead)
        np.copyto(z, grad.mT)
        return value


class cross_entropy(Planned):  # noqa: N801 (the name of its loss)
    """With e = exp(z - the largest), no digits cancel in the loss
    log(1 + (others + e_y - 1)) - z_y, nor in the slope -others / sum at y.
    """

    def __init__(self, loss: Any, z: Array, shared: bool) -> None:
        super().__init__(loss, z, shared)
        *networks, k, n = z.shape
        self.labels_shape = (n,) if shared else (*networks, n)
        self.is_class = np.empty(self.labels_shape, bool)
        self.classes, self.one = np.array(k, np.uint64), np.ones((), z.dtype)
        # Where in memory each column of each network begins.
        self.start = np.arange(z.size, dtype=np.int64).reshape(z.shape)[..., 0, :]
        self.row, self.share = np.empty((*networks, 1, n), z.dtype), _share(z, n)

    def __call__(self, z: Array, y: Array, weights: Any = None) -> Any:
        is_usual = y.shape == self.labels_shape and y.dtype.kind in "iu"
        if weights is not None or not is_usual:
            return self.ask(z, y, weights)
        y = y.astype(np.int64)
        # Read without a sign, -1 is a large number.
        np.less(y.view(np.uint64), self.classes, out=self.is_class)
        if np.count_nonzero(self.is_class) < y.size:
            return self.ask(z, y, weights)
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


class binary_cross_entropy(Planned):  # noqa: N801
    """For labels 0 and 1: with s = 1 - 2 y and e = exp(s z) the loss is log(1 + e), and
    no digits cancel in its slope s e / (1 + e).
    """

    def __init__(self, loss: Any, z: Array, shared: bool) -> None:
        super().__init__(loss, z, shared)
        self.sign = np.empty(z.shape[-2:] if shared else z.shape, z.dtype)
        self.is_hard = np.empty(self.sign.shape, bool)
        self.labels_shape = self.sign.mT.shape
        self.one, self.two = np.ones((), z.dtype), np.full((), 2, z.dtype)
        self.e, self.sum, self.log, self.losses = (np.empty_like(z) for _ in range(4))
        *_, k, n = z.shape
        self.count, self.share = k * n, _share(z, k * n)

    def __call__(self, z: Array, y: Array, weights: Any = None) -> Any:
        s, e, sum_, log, losses = self.sign, self.e, self.sum, self.log, self.losses
        is_known = y.dtype == z.dtype or y.dtype.kind in "iu"
        if weights is not None or y.shape != self.labels_shape or not is_known:
            return self.ask(z, y, weights)
        np.multiply(y.mT, self.two, out=s, casting="unsafe")
        np.subtract(self.one, s, out=s)
        np.equal(np.absolute(s), self.one, out=self.is_hard)
        if np.count_nonzero(self.is_hard) < s.size:
            return self.ask(z, y, weights)
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
            return self.ask(z, y, weights)
        np.divide(e, sum_, out=z)
        np.multiply(s, self.share, out=s)
        np.multiply(z, s, out=z)
        return loss


class mse(Planned):  # noqa: N801
    """The square, of which the slope is a multiple of the difference."""

    def __init__(self, loss: Any, z: Array, shared: bool) -> None:
        super().__init__(loss, z, shared)
        *networks, k, n = z.shape
        self.targets_shape = (n, k) if shared else (*networks, n, k)
        self.squares = np.empty_like(z)
        self.count, self.share = k * n, _share(z, k * n, 2)

    def __call__(self, z: Array, y: Array, weights: Any = None) -> Any:
        is_usual = y.shape == self.targets_shape and y.dtype == z.dtype
        if weights is not None or not is_usual:
            return self.ask(z, y, weights)
        np.subtract(z, y.mT, out=z)
        np.multiply(z, z, out=self.squares)
        np.multiply(z, self.share, out=z)
        return np.add.reduce(self.squares, axis=(-2, -1)) / self.count


def _share(z: Array, count: int, slope: float = 1) -> Array:
    """What one of `count` losses has in their mean; an array is quicker to NumPy."""
    return np.array(slope / count, z.dtype)


def _is_finite(a: Any) -> bool:
    """As `arrays.is_finite`, for where overflow may not warn anyway."""
    if a.ndim == 0:
        return math.isfinite(a)
    flat = a.reshape(-1)
    return math.isfinite(np.dot(flat, flat)) or arrays.is_finite(a)
