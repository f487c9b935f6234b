"""Losses, PyTorch backend: the formulas of `chalkgrad.numpy.losses`.

A loss takes all but its formula from its twin: signature, docstring, checks and ranges.
`loss.backward()` finds the gradient that `f_grad` gives. Labels, targets of -1 and +1,
and weights are taken as constants: no gradient flows to them.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad._core.docs import torch_docstring
from chalkgrad.autodiff._torch import vjp
from chalkgrad.losses import _numpy as reference
from chalkgrad.losses import _plan_torch
from chalkgrad.losses._loss import Gradient, Loss, lift, own_loss

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "hinge",
    "hinge_grad",
    "huber",
    "huber_grad",
    "loss",
    "mae",
    "mae_grad",
    "mse",
    "mse_grad",
    "perceptron",
    "perceptron_grad",
]


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


class _Gradient(Gradient):
    arrays: ClassVar[check.Arrays] = arrays
    array_type: ClassVar[Any] = Array
    __call__ = Gradient._run


class _Loss(Loss):
    arrays: ClassVar[check.Arrays] = arrays
    array_type: ClassVar[Any] = Array
    __call__ = Loss._run
    gradient_type: ClassVar[type[Gradient]] = _Gradient
    vjp: ClassVar[Callable[..., Any]] = staticmethod(vjp)
    planned = _plan_torch.Planned
    is_primitive = False
    """Whether autograd takes the slopes from the gradient, and not from the formula."""

    def gradient(self, formula: Callable[..., Any]) -> Gradient:
        """Take the gradient; that of a reader's own loss is autograd's, too."""
        self.is_primitive |= self.kind is None
        return super().gradient(formula)

    def each(self, first: Any, second: Any, options: dict[str, Any]) -> Any:
        if not self.is_primitive:
            return super().each(first, second, options)
        call = super().each
        return _Primitive.apply(  # type: ignore[no-untyped-call]
            first,
            lambda z: call(z, second, options),
            lambda z: self.grad.slopes(z, second, options),  # type: ignore[union-attr]
        )

    def each_fraction(
        self, first: Any, second: Any, n: Any, options: dict[str, Any]
    ) -> Any:
        call = super().each_fraction
        if not self.is_primitive:
            return call(first, second, n, options)

        def slopes(z: Array) -> Any:
            found = self.grad.slopes(z, second, options)  # type: ignore[union-attr]
            return found / (lift(n, found) if isinstance(n, Array) else n)

        return _Primitive.apply(  # type: ignore[no-untyped-call]
            first, lambda z: call(z, second, n, options), slopes
        )


def _twin(
    reference: Loss, *, is_primitive: bool = False
) -> Callable[[Callable[..., Any]], Any]:
    """Make the twin of a loss of its formula; all else is the reference's."""

    def decorate(formula: Callable[..., Any]) -> Loss:
        made = _Loss(formula, reference.kind, reference)
        made.planned = getattr(_plan_torch, formula.__name__, _Loss.planned)
        made.is_primitive = is_primitive
        return made

    return decorate


def loss(function: Callable[..., Any]) -> Loss:
    return own_loss(_Loss, function)


loss.__doc__ = torch_docstring(reference.loss.__doc__)


@_twin(reference.mse)
def mse(p, t):
    return (p - t) ** 2


@mse.fraction
def _(p, t, n):
    return (p / n**0.5 - t / n**0.5) ** 2


@mse.gradient
def mse_grad(p, t):
    return 2 * (p - t)


@mse_grad.fraction
def _(p, t, n):
    d = p - t
    return torch.where(d.isfinite(), d / (n / 2), p / (n / 2) - t / (n / 2))


@_twin(reference.mae)
def mae(p, t):
    return abs(p - t)


@mae.fraction
def _(p, t, n):
    return abs(p / n - t / n)


@mae.gradient
def mae_grad(p, t):
    return torch.sign(p - t)


@_twin(reference.huber)
def huber(p, t, *, delta):
    d = p - t
    near = abs(d) <= delta
    return torch.where(near, _half_square(d, near), delta * (abs(d) - delta / 2))


@huber.fraction
def _(p, t, n, *, delta):
    near = abs(p - t) <= delta
    q, r = p / n**0.5 - t / n**0.5, abs(p / n / 2 - t / n / 2)
    return torch.where(near, _half_square(q, near), delta * (r - delta / 4 / n) * 2)


def _half_square(d: Array, near: Array) -> Array:
    d = torch.where(near, d, 0)  # a square that overflows has no slope, times 0
    return d * (d / 2)


@huber.gradient
def huber_grad(p, t, *, delta):
    return (p - t).clip(-delta, delta)


@_twin(reference.binary_cross_entropy, is_primitive=True)
def binary_cross_entropy(z, y):
    wrong = y * (-z).clamp_min(0) + (1 - y) * z.clamp_min(0)
    return wrong + torch.log1p(torch.exp(-abs(z)))


@binary_cross_entropy.gradient
def binary_cross_entropy_grad(z, y):
    small = torch.exp(-abs(z))
    yes, no = torch.where(z >= 0, 1, small), torch.where(z >= 0, small, 1)
    far = ((1 - y) * yes - y * no) / (1 + small)
    near = torch.tanh(z / 2) / 2 + (0.5 - y)
    return torch.where(abs(z) < 1, near, far)


def _exp_below(z: Array, top: Array) -> Array:
    """exp(z - top), right to the last digit; see the NumPy backend."""
    near = z / 2 - top / 2 > -1000
    z = torch.where(near, z, top)
    d = z - top
    v = d - z
    lost = (z - (d - v)) - (top + v)
    e = torch.exp(d)
    return torch.where(near, e + e * lost, 0)


def _sum(e: Array) -> Array:
    """Sum over the classes, the small ones first; see the NumPy backend."""
    large = torch.where(e > 0.25, e, 0)
    return (e - large).sum(dim=-1) + large.sum(dim=-1)


@_twin(reference.cross_entropy, is_primitive=True)
def cross_entropy(z, y, *, label_smoothing):
    top, log_sum = _top_and_log_sum(z)
    losses = (top[..., 0] - arrays.pick(z, y)) + log_sum
    if label_smoothing > 0:
        everywhere = (top - z).mean(dim=-1) + log_sum
        losses = (1 - label_smoothing) * losses + label_smoothing * everywhere
    return losses


@cross_entropy.fraction
def _(z, y, n, *, label_smoothing):
    top, log_sum = _top_and_log_sum(z)
    share = (1 - label_smoothing) / n
    parts = (share * top[..., 0] - share * arrays.pick(z, y)) + log_sum / n
    if label_smoothing > 0:
        share = label_smoothing / n / z.shape[-1]
        share = share[..., None] if isinstance(share, Array) else share
        parts += (share * top - share * z).sum(dim=-1)
    return parts


def _top_and_log_sum(z: Array) -> tuple[Array, Array]:
    top, place = z.max(dim=-1, keepdim=True)
    others = _exp_below(z, top).scatter(-1, place, 0)
    return top, torch.log1p(others.sum(dim=-1))


@cross_entropy.gradient
def cross_entropy_grad(z, y, *, label_smoothing):
    e = _exp_below(z, z.amax(dim=-1, keepdim=True))
    total = _sum(e)[..., None]
    others = e.scatter(-1, y[..., None], 0)
    missing = _sum(others)[..., None] / total  # 1 - p_y
    slopes = (others / total).scatter(-1, y[..., None], -missing)
    if label_smoothing > 0:
        towards_all = e / total - 1 / z.shape[-1]
        slopes = (1 - label_smoothing) * slopes + label_smoothing * towards_all
    return slopes


@_twin(reference.hinge)
def hinge(s, t):
    return torch.relu(1 - t * s)  # relu'(0) = 0


@hinge.fraction
def _(s, t, n):
    return torch.relu(1 / n - t * (s / n))


@hinge.gradient
def hinge_grad(s, t):
    return torch.where(t * s < 1, -t, 0)


@_twin(reference.perceptron)
def perceptron(s, t):
    return (-t * s).clamp_min(0)  # slope 1 at 0


@perceptron.gradient
def perceptron_grad(s, t):
    return torch.where(t * s <= 0, -t, 0)
