"""Activations, PyTorch half: twins of `chalkgrad.numpy.activations`.

Autograd goes through each of them and finds the derivative that its `_grad` gives,
at z = 0 too. Far out, where that is less than the last digit of 1, it may find 0.
"""

import math

import torch
from torch.nn import functional

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays

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


def _real(where: str, z: Array) -> Array:
    real: Array = arrays.real(where, "z", z, finite=False)
    return real


def identity(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.identity`."""
    return _real("identity", z).clone()


def identity_grad(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.identity_grad`."""
    return torch.ones_like(_real("identity_grad", z))


def sigmoid(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.sigmoid`."""
    return torch.sigmoid(_real("sigmoid", z))


def sigmoid_grad(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.sigmoid_grad`."""
    z = _real("sigmoid_grad", z)
    return torch.sigmoid(z) * torch.sigmoid(-z)


def tanh(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.tanh`."""
    return torch.tanh(_real("tanh", z))


def tanh_grad(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.tanh_grad`."""
    small = torch.exp(-2 * torch.abs(_real("tanh_grad", z)))
    return 4 * small / (1 + small) ** 2


def relu(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.relu`."""
    return torch.relu(_real("relu", z))


def relu_grad(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.relu_grad`."""
    return _kinked(_real("relu_grad", z), 0.0)


def leaky_relu(z: Array, *, slope: float = 0.01) -> Array:
    """Twin of `chalkgrad.numpy.activations.leaky_relu`."""
    slope = check.number("leaky_relu", "slope", slope, low=0, high=1)
    return functional.leaky_relu(_real("leaky_relu", z), slope)


def leaky_relu_grad(z: Array, *, slope: float = 0.01) -> Array:
    """Twin of `chalkgrad.numpy.activations.leaky_relu_grad`."""
    slope = check.number("leaky_relu_grad", "slope", slope, low=0, high=1)
    return _kinked(_real("leaky_relu_grad", z), slope)


def _kinked(z: Array, slope: float) -> Array:
    """1 where z > 0, `slope` where not, nan where z is nan."""
    return torch.where(z > 0, 1, torch.where(z <= 0, slope, z))


def gelu(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.gelu`."""
    z = _real("gelu", z)
    return z * _normal_cdf(z)


def gelu_grad(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.gelu_grad`."""
    z = _real("gelu_grad", z)
    return _normal_cdf(z) + z * torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _normal_cdf(z: Array) -> Array:
    # functional.gelu adds 1 to erf, and loses the tail of negative z
    out: Array = torch.special.erfc(-z / math.sqrt(2)) / 2
    return out


def softplus(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.softplus`."""
    # functional.softplus drops the log from z = 20 on
    return 0 - functional.logsigmoid(-_real("softplus", z))  # 0 - 0 is not -0


def softplus_grad(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.softplus_grad`."""
    return torch.sigmoid(_real("softplus_grad", z))


def softmax(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.softmax`."""
    z = _real("softmax", z)
    check.shapes("softmax", z=(z, "... c"))
    return torch.softmax(z, dim=-1)


def softmax_grad(z: Array) -> Array:
    """Twin of `chalkgrad.numpy.activations.softmax_grad`."""
    z = _real("softmax_grad", z)
    check.shapes("softmax_grad", z=(z, "... c"))
    p = torch.softmax(z, dim=-1)[..., None]
    same = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    return p * (same - p.mT)
