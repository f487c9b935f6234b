"""Losses, PyTorch half: twins of `chalkgrad.numpy.losses`.

`loss.backward()` finds the gradient that `f_grad` gives. Labels, and targets of -1 and
+1, are taken as constants: no gradient flows to them.
"""

from collections.abc import Callable
from typing import Any

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad._core.types import Reduction

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "hinge",
    "hinge_grad",
    "huber",
    "huber_grad",
    "mae",
    "mae_grad",
    "mse",
    "mse_grad",
    "perceptron",
    "perceptron_grad",
]


def _reduce(where: str, losses: Array, reduction: Reduction) -> Array:
    check.choice(where, "reduction", reduction, ("mean", "sum", "none"))
    out: Array = losses if reduction == "none" else getattr(losses, reduction)()
    return out


def _share(where: str, slopes: Array, reduction: Reduction, classes: int = 1) -> Array:
    """Divide by the number of losses that `reduction` averages over."""
    check.choice(where, "reduction", reduction, ("mean", "sum", "none"))
    return slopes / (slopes.numel() // classes) if reduction == "mean" else slopes


class _Primitive(torch.autograd.Function):
    """Losses whose slope autograd takes from us: tracing them gives a wrong one."""

    @staticmethod
    def forward(
        z: Array,
        losses: Callable[[Array], Array],
        slopes: Callable[[Array], Array],  # noqa: ARG004
    ) -> Array:
        return losses(z)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Array) -> None:  # noqa: ARG004
        z, _, ctx.slopes = inputs
        ctx.save_for_backward(z)

    @staticmethod
    def backward(ctx: Any, upstream: Array) -> tuple[Array, None, None]:
        slopes = ctx.slopes(*ctx.saved_tensors)
        axes = slopes.ndim - upstream.ndim  # the classes' axis, where there is one
        return slopes * upstream.reshape(upstream.shape + (1,) * axes), None, None


def mse(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """Twin of `chalkgrad.numpy.losses.mse`."""
    p, t = arrays.pair("mse", predictions=predictions, targets=targets)
    return _reduce("mse", (p - t) ** 2, reduction)


def mse_grad(
    predictions: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    """Twin of `chalkgrad.numpy.losses.mse_grad`."""
    p, t = arrays.pair("mse_grad", predictions=predictions, targets=targets)
    return _share("mse_grad", 2 * (p - t), reduction)


def mae(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """Twin of `chalkgrad.numpy.losses.mae`."""
    p, t = arrays.pair("mae", predictions=predictions, targets=targets)
    return _reduce("mae", abs(p - t), reduction)


def mae_grad(
    predictions: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    """Twin of `chalkgrad.numpy.losses.mae_grad`."""
    p, t = arrays.pair("mae_grad", predictions=predictions, targets=targets)
    return _share("mae_grad", torch.sign(p - t), reduction)


def huber(
    predictions: Array,
    targets: Array,
    *,
    delta: float = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    """Twin of `chalkgrad.numpy.losses.huber`."""
    delta = check.number("huber", "delta", delta, low=0, open_low=True)
    p, t = arrays.pair("huber", predictions=predictions, targets=targets)
    d = p - t
    losses = torch.where(abs(d) <= delta, d * d / 2, delta * (abs(d) - delta / 2))
    return _reduce("huber", losses, reduction)


def huber_grad(
    predictions: Array,
    targets: Array,
    *,
    delta: float = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    """Twin of `chalkgrad.numpy.losses.huber_grad`."""
    delta = check.number("huber_grad", "delta", delta, low=0, open_low=True)
    p, t = arrays.pair("huber_grad", predictions=predictions, targets=targets)
    return _share("huber_grad", (p - t).clip(-delta, delta), reduction)


def _logits_and_labels(where: str, logits: Array, labels: Array) -> tuple[Array, Array]:
    z, y = arrays.pair(where, integers=True, logits=logits, labels=labels)
    wanted = "every label must be from 0 to 1"
    check.values(where, "labels", y, (y >= 0) & (y <= 1), wanted)
    return z, y


def binary_cross_entropy(
    logits: Array, labels: Array, *, reduction: Reduction = "mean"
) -> Array:
    """Twin of `chalkgrad.numpy.losses.binary_cross_entropy`."""
    z, y = _logits_and_labels("binary_cross_entropy", logits, labels)

    def losses(z: Array) -> Array:
        wrong = y * (-z).clamp_min(0) + (1 - y) * z.clamp_min(0)
        return wrong + torch.log1p(torch.exp(-abs(z)))

    values = _Primitive.apply(z, losses, lambda z: _yes_or_no_slopes(z, y))  # type: ignore[no-untyped-call]
    return _reduce("binary_cross_entropy", values, reduction)


def binary_cross_entropy_grad(
    logits: Array, labels: Array, *, reduction: Reduction = "mean"
) -> Array:
    """Twin of `chalkgrad.numpy.losses.binary_cross_entropy_grad`."""
    z, y = _logits_and_labels("binary_cross_entropy_grad", logits, labels)
    return _share("binary_cross_entropy_grad", _yes_or_no_slopes(z, y), reduction)


def _yes_or_no_slopes(z: Array, y: Array) -> Array:
    small = torch.exp(-abs(z))
    yes, no = torch.where(z >= 0, 1, small), torch.where(z >= 0, small, 1)
    far = ((1 - y) * yes - y * no) / (1 + small)
    near = torch.tanh(z / 2) / 2 + (0.5 - y)
    return torch.where(abs(z) < 1, near, far)


def _logits_and_classes(
    where: str, logits: Array, labels: Array, label_smoothing: float
) -> tuple[Array, Array, float]:
    label_smoothing = check.number(
        where, "label_smoothing", label_smoothing, low=0, high=1
    )
    z = arrays.real(where, "logits", logits, finite=False)
    y = arrays.whole(where, "labels", labels)
    arrays.same_device(where, logits=z, labels=y)
    check.shapes(where, logits=(z, "... n c"), labels=(y, "... n"))
    classes = z.shape[-1]
    wanted = f"class ids go from 0 to {classes - 1}, for `logits` has {classes} classes"
    good = (y >= 0) & (y < classes)
    check.values(where, "labels", y, good, wanted, IndexError)
    wanted = "every logit must be finite, or -inf for a class that is masked out"
    check.values(where, "logits", z, z < torch.inf, wanted)
    if label_smoothing > 0:
        arrays.finite(where, "logits", z)
    wanted = "the class that a label names must not be masked out"
    named = _at(z, y)
    check.values(where, "logits", named, named > -torch.inf, wanted)
    return z, y, label_smoothing


def _at(z: Array, labels: Array) -> Array:
    """The entry of each row that its label names."""
    return z.gather(-1, labels[..., None])[..., 0]


def _exp_below(z: Array, top: Array) -> Array:
    """exp(z - top), right to the last digit; see the NumPy half."""
    near = z / 2 - top / 2 > -1000
    z = torch.where(near, z, top)
    d = z - top
    v = d - z
    lost = (z - (d - v)) - (top + v)
    e = torch.exp(d)
    return torch.where(near, e + e * lost, 0)


def _sum(e: Array) -> Array:
    """Sum over the classes, the small ones first; see the NumPy half."""
    large = torch.where(e > 0.25, e, 0)
    return (e - large).sum(dim=-1) + large.sum(dim=-1)


def cross_entropy(
    logits: Array,
    labels: Array,
    *,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Twin of `chalkgrad.numpy.losses.cross_entropy`."""
    where = "cross_entropy"
    z, y, smoothing = _logits_and_classes(where, logits, labels, label_smoothing)

    def losses(z: Array) -> Array:
        top, place = z.max(dim=-1, keepdim=True)
        others = _exp_below(z, top).scatter(-1, place, 0)
        log_sum = torch.log1p(others.sum(dim=-1))
        values = (top[..., 0] - _at(z, y)) + log_sum
        if smoothing > 0:
            everywhere = (top - z).mean(dim=-1) + log_sum
            values = (1 - smoothing) * values + smoothing * everywhere
        return values

    values = _Primitive.apply(z, losses, lambda z: _class_slopes(z, y, smoothing))  # type: ignore[no-untyped-call]
    return _reduce(where, values, reduction)


def cross_entropy_grad(
    logits: Array,
    labels: Array,
    *,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Twin of `chalkgrad.numpy.losses.cross_entropy_grad`."""
    where = "cross_entropy_grad"
    z, y, smoothing = _logits_and_classes(where, logits, labels, label_smoothing)
    slopes = _class_slopes(z, y, smoothing)
    return _share(where, slopes, reduction, classes=z.shape[-1])


def _class_slopes(z: Array, y: Array, label_smoothing: float) -> Array:
    e = _exp_below(z, z.amax(dim=-1, keepdim=True))
    total = _sum(e)[..., None]
    others = e.scatter(-1, y[..., None], 0)
    missing = _sum(others)[..., None] / total  # 1 - p_y
    slopes = (others / total).scatter(-1, y[..., None], -missing)
    if label_smoothing > 0:
        towards_all = e / total - 1 / z.shape[-1]
        slopes = (1 - label_smoothing) * slopes + label_smoothing * towards_all
    return slopes


def hinge(scores: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """Twin of `chalkgrad.numpy.losses.hinge`."""
    s, t = arrays.signed("hinge", scores=scores, targets=targets)
    losses = torch.relu(1 - t.detach() * s)  # relu'(0) = 0
    return _reduce("hinge", losses, reduction)


def hinge_grad(
    scores: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    """Twin of `chalkgrad.numpy.losses.hinge_grad`."""
    s, t = arrays.signed("hinge_grad", scores=scores, targets=targets)
    return _share("hinge_grad", torch.where(t * s < 1, -t, 0), reduction)


def perceptron(
    scores: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    """Twin of `chalkgrad.numpy.losses.perceptron`."""
    s, t = arrays.signed("perceptron", scores=scores, targets=targets)
    losses = (-t.detach() * s).clamp_min(0)  # slope 1 at 0
    return _reduce("perceptron", losses, reduction)


def perceptron_grad(
    scores: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    """Twin of `chalkgrad.numpy.losses.perceptron_grad`."""
    s, t = arrays.signed("perceptron_grad", scores=scores, targets=targets)
    return _share("perceptron_grad", torch.where(t * s <= 0, -t, 0), reduction)
