"""Optimizers, PyTorch half: twins of `chalkgrad.numpy.optimizers`.

`step` updates `w` and the state in place and returns the same tensors.
"""

from typing import Any, NamedTuple

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad._core.types import Optimizer, Rate

__all__ = ["adagrad", "adam", "adamw", "rmsprop", "sgd"]


def _rate(where: str, lr: Rate, t: int, w: Array) -> Any:
    """The rate of the step that follows t steps, in the precision of `w`."""
    if callable(lr):
        return check.number(where, "lr", lr(t), low=0)
    if isinstance(lr, float):
        return lr
    arrays.rates(where, lr, w)
    return lr.to(w)


class SgdState(NamedTuple):
    """State of `sgd`: the steps done and the velocity."""

    t: int
    v: Array


def sgd(lr: Rate, *, momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.sgd`."""
    lr = check.rate("sgd", lr)
    momentum = check.number("sgd", "momentum", momentum, low=0, high=1, open_high=True)
    if nesterov and momentum == 0:
        raise ValueError("sgd: `nesterov` needs `momentum` above 0.")

    def init(w: Array) -> SgdState:
        arrays.real("sgd.init", "w", w)
        return SgdState(0, torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: SgdState) -> tuple[Array, SgdState]:
        arrays.step("sgd.step", w, grad, state)
        eta = _rate("sgd.step", lr, state.t, w)
        v = state.v.mul_(momentum).add_(grad)
        along = grad + momentum * v if nesterov else v
        return w.sub_(eta * along), SgdState(state.t + 1, v)

    return Optimizer(init, step)


class AdagradState(NamedTuple):
    """State of `adagrad`: the steps done and the sum of squared gradients."""

    t: int
    v: Array


def adagrad(lr: Rate = 1e-2, *, eps: float = 1e-10) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.adagrad`."""
    lr = check.rate("adagrad", lr)
    eps = check.number("adagrad", "eps", eps, low=0)

    def init(w: Array) -> AdagradState:
        arrays.real("adagrad.init", "w", w)
        return AdagradState(0, torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: AdagradState) -> tuple[Array, AdagradState]:
        arrays.step("adagrad.step", w, grad, state)
        eta = _rate("adagrad.step", lr, state.t, w)
        v = state.v.addcmul_(grad, grad)
        return w.sub_(eta * grad / v.sqrt().add_(eps)), AdagradState(state.t + 1, v)

    return Optimizer(init, step)


class RmspropState(NamedTuple):
    """State of `rmsprop`: the steps done and the mean of squared gradients."""

    t: int
    v: Array


def rmsprop(lr: Rate = 1e-2, *, decay: float = 0.99, eps: float = 1e-8) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.rmsprop`."""
    lr = check.rate("rmsprop", lr)
    decay = check.number("rmsprop", "decay", decay, low=0, high=1, open_high=True)
    eps = check.number("rmsprop", "eps", eps, low=0)

    def init(w: Array) -> RmspropState:
        arrays.real("rmsprop.init", "w", w)
        return RmspropState(0, torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: RmspropState) -> tuple[Array, RmspropState]:
        arrays.step("rmsprop.step", w, grad, state)
        eta = _rate("rmsprop.step", lr, state.t, w)
        v = state.v.mul_(decay).addcmul_(grad, grad, value=1 - decay)
        return w.sub_(eta * grad / v.sqrt().add_(eps)), RmspropState(state.t + 1, v)

    return Optimizer(init, step)


class AdamState(NamedTuple):
    """State of `adam` and `adamw`: steps done, means of g and of its square."""

    t: int
    m: Array
    v: Array


def adam(
    lr: Rate = 1e-3, *, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.adam`."""
    return _adam("adam", lr, beta1, beta2, eps, 0.0)


def adamw(
    lr: Rate = 1e-3,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.adamw`."""
    decay = check.number("adamw", "weight_decay", weight_decay, low=0)
    return _adam("adamw", lr, beta1, beta2, eps, decay)


def _adam(
    where: str, lr: Rate, beta1: float, beta2: float, eps: float, weight_decay: float
) -> Optimizer:
    lr = check.rate(where, lr)
    beta1 = check.number(where, "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number(where, "beta2", beta2, low=0, high=1, open_high=True)
    eps = check.number(where, "eps", eps, low=0)

    def init(w: Array) -> AdamState:
        arrays.real(f"{where}.init", "w", w)
        return AdamState(0, torch.zeros_like(w), torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: AdamState) -> tuple[Array, AdamState]:
        arrays.step(f"{where}.step", w, grad, state)
        eta = _rate(f"{where}.step", lr, state.t, w)
        t = state.t + 1
        m = state.m.mul_(beta1).add_(grad, alpha=1 - beta1)
        v = state.v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        if weight_decay:
            w.mul_(1 - eta * weight_decay)
        return w.sub_(eta * m_hat / v_hat.sqrt_().add_(eps)), AdamState(t, m, v)

    return Optimizer(init, step)
