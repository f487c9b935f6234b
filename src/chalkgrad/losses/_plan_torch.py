"""Forms of the losses for plans, PyTorch backend: they leave their slopes where z was.

Each has the name of its loss. A GPU need not wait for them to look at a number: where a
label is wrong, the loss is nan. A loss without a form here does in a plan what it does
elsewhere.
"""

import math
from typing import Any

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad.losses._loss import LABELS, SIGNS


class Planned:
    """A loss: from outputs z to their mean loss, its slopes left where z was.

    This one asks the loss itself, and serves any.
    """

    def __init__(self, loss: Any) -> None:
        self.loss = loss
        self.options = None if loss.kind is None else loss.unweighted_options

    def is_quick(self, z: Array, y: Array) -> bool:
        """Tell whether `quick` knows such a truth; on a CPU, nothing waits."""
        if not z.is_cuda or self.options is None:
            return False
        if self.loss.kind.per_row:
            return y.shape == z.shape[:-1] and check.dtype_name(y) in check.INTEGERS
        return y.shape == z.shape and y.dtype == z.dtype

    def quick(self, z: Array, y: Array) -> Array:
        """Return the mean loss of each network without waiting for a number."""
        kind, known = self.loss.kind, None
        if kind.per_row:
            y = y.long()
            known = _are_within(y, 0, z.shape[-1] - 1)
            y = y.clamp(0, z.shape[-1] - 1)
        elif kind is SIGNS:
            known = (abs(y) == 1).all()
        elif kind is LABELS:
            known = _are_within(y, 0, 1)
        each, slopes = self.loss.each_and_slopes(z, y, self.options)
        axes = tuple(range(z.ndim - 2, each.ndim))
        torch.div(slopes, math.prod(each.shape[z.ndim - 2 :]), out=z)
        loss: Array = each.mean(axes)
        return loss if known is None else loss.where(known, math.nan)

    def __call__(self, z: Array, y: Array, weights: Array | None) -> Array:
        """Return the mean loss of each network."""
        if not arrays.is_finite(z):
            raise check.DivergedError("plan")
        value: Array
        value, grad = self.loss.mean_and_grad(z, y, weights, lead=len(z.shape) - 2)
        z.copy_(grad)
        return value


class cross_entropy(Planned):  # noqa: N801 (the name of its loss)
    """As in the NumPy backend, no digits cancel."""

    def is_quick(self, z: Array, y: Array) -> bool:
        return y.shape == z.shape[:-1] and check.dtype_name(y) in check.INTEGERS

    def quick(self, z: Array, y: Array) -> Array:
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
        loss: Array = each.mean((-2, -1)).where(known, math.nan)
        return loss


class binary_cross_entropy(Planned):  # noqa: N801
    """As in the NumPy backend, no digits cancel."""

    def is_quick(self, z: Array, y: Array) -> bool:
        is_known = y.dtype == z.dtype or check.dtype_name(y) in check.INTEGERS
        return y.shape == z.shape and is_known

    def quick(self, z: Array, y: Array) -> Array:
        y = y.to(z.dtype)
        known = _are_within(y, 0, 1)
        small = torch.exp(-abs(z))
        each = y * (-z).clamp_min(0) + (1 - y) * z.clamp_min(0) + torch.log1p(small)
        yes, no = torch.where(z >= 0, 1, small), torch.where(z >= 0, small, 1)
        slopes = torch.sub((1 - y) * yes, y * no, out=z)
        slopes.div_((1 + small) * (z.shape[-2] * z.shape[-1]))
        loss: Array = each.mean((-2, -1)).where(known, math.nan)
        return loss


class mse(Planned):  # noqa: N801
    """The square, of which the slope is a multiple of the difference."""

    def is_quick(self, z: Array, y: Array) -> bool:
        return y.shape == z.shape and y.dtype == z.dtype

    def quick(self, z: Array, y: Array) -> Array:
        loss = z.sub_(y).square().mean((-2, -1))
        z.mul_(2 / (z.shape[-2] * z.shape[-1]))
        return loss


def _are_within(y: Array, low: int, high: int) -> Array:
    least, most = y.aminmax()
    return (least >= low) & (most <= high)
