"""Activations, PyTorch backend: twins of `chalkgrad.numpy.activations`.

Autograd goes through each of them and finds the derivative that its `_grad` gives,
at z = 0 too. Far out, where that is less than the last digit of 1, it may find 0.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from torch.autograd import forward_ad
from torch.nn import functional

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad.activations import _numpy as reference
from chalkgrad.activations._activation import Activation

__all__ = [
    "gelu",
    "gelu_grad",
    "identity",
    "identity_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "relu",
    "relu_grad",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_grad",
    "softplus",
    "softplus_grad",
    "tanh",
    "tanh_grad",
]


class _Activation(Activation):
    arrays: ClassVar[check.Arrays] = arrays
    array_type = Array
    __call__ = Activation._run


def _twin(reference: Activation) -> Callable[[Callable[..., Any]], Any]:
    """Make the twin of an activation of its formula; all else is the reference's."""
    return lambda formula: _Activation(formula, reference)


@_twin(reference.identity)
def identity(z):
    return z.clone()


@identity.derivative
def identity_grad(z):
    return torch.ones_like(z)


@_twin(reference.sigmoid)
def sigmoid(z):
    return torch.sigmoid(z)


@sigmoid.derivative
def sigmoid_grad(z):
    return torch.sigmoid(z) * torch.sigmoid(-z)


@_twin(reference.tanh)
def tanh(z):
    return torch.tanh(z)


@tanh.derivative
def tanh_grad(z):
    # Not of |z|, whose slope at 0 is taken for 0: that of this is right there, too.
    small = torch.exp(-2 * torch.where(z < 0, -z, z))
    return 4 * small / (1 + small) ** 2


@_twin(reference.relu)
def relu(z):
    return _kink(torch.relu, z, 0.0)


@relu.derivative
def relu_grad(z):
    return _piecewise_slope(z, 0.0)


@_twin(reference.leaky_relu)
def leaky_relu(z, *, slope):
    return _kink(partial(functional.leaky_relu, negative_slope=slope), z, slope)


@leaky_relu.derivative
def leaky_relu_grad(z, *, slope):
    return _piecewise_slope(z, slope)


class _Kink(torch.autograd.Function):
    """What bends at 0, with our slope: PyTorch's own is a number where z is nan."""

    generate_vmap_rule = True

    @staticmethod
    def forward(f: Callable[[Array], Array], z: Array, slope: float) -> Array:  # noqa: ARG004
        return f(z)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Array) -> None:  # noqa: ARG004
        _, z, ctx.slope = inputs
        ctx.save_for_backward(z)

    @staticmethod
    def backward(ctx: Any, g: Array) -> tuple[None, Array, None]:
        (z,) = ctx.saved_tensors
        return None, g * _piecewise_slope(z.detach(), ctx.slope), None


def _kink(f: Callable[[Array], Array], z: Array, slope: float) -> Array:
    if not z.requires_grad or forward_ad._current_level >= 0:
        return f(z)
    out: Array = _Kink.apply(f, z, slope)  # type: ignore[no-untyped-call]
    return out


def _piecewise_slope(z: Array, slope: float) -> Array:
    """1 where z > 0, `slope` where not, nan where z is nan."""
    return torch.where(z > 0, 1, torch.where(z <= 0, slope, z))


@_twin(reference.gelu)
def gelu(z):
    return torch.where(z < -1e3, -1e3, z) * _normal_cdf(z)


@gelu.derivative
def gelu_grad(z):
    far = z.clamp(-1e3, 1e3)
    return _normal_cdf(z) + far * torch.exp(-far * far / 2) / math.sqrt(2 * math.pi)


def _normal_cdf(z: Array) -> Array:
    # functional.gelu adds 1 to erf, and loses the tail of negative z
    # Beyond, it is 0 or 1; the square that autograd takes of z would overflow there.
    out: Array = torch.special.erfc(-z.clamp(-1e3, 1e3) / math.sqrt(2)) / 2
    return out


@_twin(reference.softplus)
def softplus(z):
    # functional.softplus drops the log from z = 20 on
    return 0 - functional.logsigmoid(-z)  # 0 - 0 is not -0


@softplus.derivative
def softplus_grad(z):
    return torch.sigmoid(z)


@_twin(reference.softmax)
def softmax(z):
    return torch.softmax(z, dim=-1)


@softmax.derivative
def softmax_grad(z):
    p = torch.softmax(z, dim=-1)[..., None]
    same = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    return p * (same - p.mT)
