"""The perceptron, PyTorch backend: twins of `chalkgrad.numpy.perceptron`."""

import math
from typing import NamedTuple

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad._core.docs import twin_of
from chalkgrad._core.names import ELEMENTWISE
from chalkgrad.activations import _torch as activations
from chalkgrad.perceptron import _numpy as reference

__all__ = ["Fit", "fit", "margin", "mistake_bound", "neuron"]


@twin_of(reference.neuron)
def neuron(w: Array, x: Array, *, activation: str = "identity") -> Array:
    check.choice("neuron", "activation", activation, ELEMENTWISE)
    w, x = arrays.float_arrays("neuron", w=w, x=x)
    check.shapes("neuron", x=(x, "n d"))
    check.shapes("neuron", w=(w, f"... {x.shape[1] + 1}"))
    z = w[..., :-1] @ x.T + w[..., -1:]
    out: Array = getattr(activations, activation)(z)
    return out


class Fit(NamedTuple):
    """What `fit` found: the weights, the mistakes of each epoch, whether it is done."""

    w: Array
    mistakes: tuple[int, ...]
    converged: bool


@twin_of(
    reference.fit,
    "The same steps, faster: between two mistakes the weights stand still, so all\n"
    "scores are computed at once, and the next mistake is looked up.",
)
@torch.no_grad()
def fit(x: Array, targets: Array, *, epochs: int = 100) -> Fit:
    epochs = check.integer("fit", "epochs", epochs, low=1)
    rows, t = _rows_and_signs("fit", x, targets)
    signed = t[:, None] * rows
    w = torch.zeros_like(rows[0])
    mistakes: list[int] = []
    while len(mistakes) < epochs and (not mistakes or mistakes[-1] > 0):
        mistakes.append(0)
        start = 0
        while len(wrong := (signed[start:] @ w <= 0).nonzero()):
            start += int(wrong[0]) + 1
            w += signed[start - 1]
            mistakes[-1] += 1
    return Fit(w, tuple(mistakes), mistakes[-1] == 0)


@twin_of(reference.margin)
@torch.no_grad()
def margin(w: Array, x: Array, targets: Array) -> float:
    rows, t = _rows_and_signs("margin", x, targets)
    return _margin("margin", w, rows, t)


@twin_of(reference.mistake_bound)
@torch.no_grad()
def mistake_bound(w: Array, x: Array, targets: Array) -> float:
    rows, t = _rows_and_signs("mistake_bound", x, targets)
    gamma = _margin("mistake_bound", w, rows, t)
    if gamma <= 0:
        raise ValueError(
            f"mistake_bound: `w` must separate the examples, got a margin of {gamma:g}."
        )
    return float((rows**2).sum(dim=1).max() / gamma**2)


def _rows_and_signs(where: str, x: Array, targets: Array) -> tuple[Array, Array]:
    """The rows, each with a 1 for the bias at its end, and the signs as floats."""
    x = arrays.float_array(where, "x", x)
    check.shapes(where, x=(x, "n d"))
    _, t = arrays.sign_targets(where, x=x[:, 0], targets=targets)
    return torch.cat([x, torch.ones_like(x[:, :1])], dim=1), t


def _margin(where: str, w: Array, rows: Array, t: Array) -> float:
    w = arrays.float_array(where, "w", w)
    arrays.same_dtype_and_device(where, w=w, x=rows)
    check.shapes(where, w=(w, f"{rows.shape[1]}"))
    if not w.any():
        raise ValueError(f"{where}: `w` is all 0, which separates nothing.")
    # No square overflows in units of a power of 2, and nothing is rounded.
    w = w / 2.0 ** (math.frexp(float(abs(w).max()))[1] - 1)
    return float((t * (rows @ w)).min() / torch.linalg.vector_norm(w))
