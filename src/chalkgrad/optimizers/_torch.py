"""Optimizers, PyTorch half: twins of `chalkgrad.numpy.optimizers`.

`step` updates `w` and the state in place and returns the same tensors.
"""

import math
from typing import Any, NamedTuple

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, arrays
from chalkgrad._core.types import Optimizer, Rate, planned
from chalkgrad.optimizers._numpy import share, trust

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "averaged",
    "barzilai_borwein",
    "clipped",
    "dog",
    "hypergradient",
    "lion",
    "nadam",
    "prodigy",
    "radam",
    "rmsprop",
    "schedule_free_adamw",
    "sgd",
]


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


def sgd(
    lr: Rate,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.sgd`."""
    lr = check.rate("sgd", lr)
    momentum = check.number("sgd", "momentum", momentum, low=0, high=1, open_high=True)
    weight_decay = check.number("sgd", "weight_decay", weight_decay, low=0)
    if check.truth("sgd", "nesterov", nesterov) and momentum == 0:
        raise ValueError("sgd: `nesterov` needs `momentum` above 0.")

    def init(w: Array) -> SgdState:
        arrays.weights("sgd.init", w)
        return SgdState(0, torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: SgdState) -> tuple[Array, SgdState]:
        arrays.step("sgd.step", w, grad, state, SgdState)
        eta = _rate("sgd.step", lr, state.t, w)
        grad = grad.add(w, alpha=weight_decay) if weight_decay else grad
        v = state.v.mul_(momentum).add_(grad)
        along = grad + momentum * v if nesterov else v
        return w.sub_(eta * along), SgdState(state.t + 1, v)

    @torch.no_grad()
    def step_in_place(w: Array, grad: Array, state: SgdState) -> tuple[Array, SgdState]:
        eta = _rate("sgd.step", lr, state.t, w)
        if weight_decay:
            grad.add_(w, alpha=weight_decay)
        v = state.v.mul_(momentum).add_(grad)
        along = grad.add_(v, alpha=momentum) if nesterov else v
        return w.sub_(torch.mul(along, eta, out=grad)), SgdState(state.t + 1, v)

    return planned(init, step, step_in_place, lr)


class AdagradState(NamedTuple):
    """State of `adagrad`: the steps done and the sum of squared gradients."""

    t: int
    v: Array


def adagrad(lr: Rate = 1e-2, *, eps: float = 1e-10) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.adagrad`."""
    lr = check.rate("adagrad", lr)
    eps = check.number("adagrad", "eps", eps, low=0)

    def init(w: Array) -> AdagradState:
        arrays.weights("adagrad.init", w)
        return AdagradState(0, torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: AdagradState) -> tuple[Array, AdagradState]:
        arrays.step("adagrad.step", w, grad, state, AdagradState)
        eta = _rate("adagrad.step", lr, state.t, w)
        v = state.v.addcmul_(grad, grad)
        return w.sub_(eta * grad / v.sqrt().add_(eps)), AdagradState(state.t + 1, v)

    return Optimizer(init, step, lr=lr)


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
        arrays.weights("rmsprop.init", w)
        return RmspropState(0, torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: RmspropState) -> tuple[Array, RmspropState]:
        arrays.step("rmsprop.step", w, grad, state, RmspropState)
        eta = _rate("rmsprop.step", lr, state.t, w)
        v = state.v.mul_(decay).addcmul_(grad, grad, value=1 - decay)
        return w.sub_(eta * grad / v.sqrt().add_(eps)), RmspropState(state.t + 1, v)

    return Optimizer(init, step, lr=lr)


class AdamState(NamedTuple):
    """State of the Adam family: steps done, means of g and of its square."""

    t: int
    m: Array
    v: Array


class AmsgradState(NamedTuple):
    """State of `adam` with `amsgrad`: as `AdamState`, and the largest v so far."""

    t: int
    m: Array
    v: Array
    top: Array


def adam(
    lr: Rate = 1e-3,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    amsgrad: bool = False,
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.adam`."""
    amsgrad = check.truth("adam", "amsgrad", amsgrad)
    return _adam("adam", lr, beta1, beta2, eps, 0.0, amsgrad)


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
    where: str,
    lr: Rate,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    amsgrad: bool = False,
) -> Optimizer:
    lr = check.rate(where, lr)
    beta1 = check.number(where, "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number(where, "beta2", beta2, low=0, high=1, open_high=True)
    eps = check.number(where, "eps", eps, low=0)

    kind = AmsgradState if amsgrad else AdamState

    def init(w: Array) -> AdamState | AmsgradState:
        arrays.weights(f"{where}.init", w)
        zeros = [torch.zeros_like(w) for _ in range(3)]
        return AmsgradState(0, *zeros) if amsgrad else AdamState(0, *zeros[:2])

    @torch.no_grad()
    def step(
        w: Array, grad: Array, state: AdamState | AmsgradState
    ) -> tuple[Array, AdamState | AmsgradState]:
        arrays.step(f"{where}.step", w, grad, state, kind)
        eta = _rate(f"{where}.step", lr, state.t, w)
        t = state.t + 1
        m = state.m.mul_(beta1).add_(grad, alpha=1 - beta1)
        v = state.v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        m_hat = m / (1 - beta1**t)
        if weight_decay:
            w.mul_(1 - eta * weight_decay)
        if isinstance(state, AmsgradState):
            top = torch.maximum(state.top, v, out=state.top)
            v_hat = top / (1 - beta2**t)
            w.sub_(eta * m_hat / v_hat.sqrt_().add_(eps))
            return w, AmsgradState(t, m, v, top)
        v_hat = v / (1 - beta2**t)
        return w.sub_(eta * m_hat / v_hat.sqrt_().add_(eps)), AdamState(t, m, v)

    @torch.no_grad()
    def step_in_place(
        w: Array, grad: Array, state: AdamState
    ) -> tuple[Array, AdamState]:
        eta = _rate(f"{where}.step", lr, state.t, w)
        t = state.t + 1
        m = state.m.lerp_(grad, 1 - beta1)
        v = state.v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        # sqrt(v_hat) is sqrt(v) / root, and m_hat is m / (1 - beta1^t).
        root = math.sqrt(1 - beta2**t)
        below = torch.sqrt(v, out=grad).add_(eps * root)
        if weight_decay:
            w.mul_(1 - eta * weight_decay)
        along = torch.div(m, below, out=below).mul_(eta * (root / (1 - beta1**t)))
        return w.sub_(along), AdamState(t, m, v)

    if amsgrad:
        return Optimizer(init, step, lr=lr)
    return planned(init, step, step_in_place, lr)


class AdadeltaState(NamedTuple):
    """State of `adadelta`: steps done, mean squares of gradients and of steps."""

    t: int
    v: Array
    u: Array


def adadelta(lr: Rate = 1.0, *, decay: float = 0.9, eps: float = 1e-6) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.adadelta`."""
    lr = check.rate("adadelta", lr)
    decay = check.number("adadelta", "decay", decay, low=0, high=1, open_high=True)
    eps = check.number("adadelta", "eps", eps, low=0)

    def init(w: Array) -> AdadeltaState:
        arrays.weights("adadelta.init", w)
        return AdadeltaState(0, torch.zeros_like(w), torch.zeros_like(w))

    @torch.no_grad()
    def step(
        w: Array, grad: Array, state: AdadeltaState
    ) -> tuple[Array, AdadeltaState]:
        arrays.step("adadelta.step", w, grad, state, AdadeltaState)
        eta = _rate("adadelta.step", lr, state.t, w)
        v = state.v.mul_(decay).addcmul_(grad, grad, value=1 - decay)
        delta = (state.u + eps).sqrt_() / (v + eps).sqrt_() * grad
        u = state.u.mul_(decay).addcmul_(delta, delta, value=1 - decay)
        return w.sub_(eta * delta), AdadeltaState(state.t + 1, v, u)

    return Optimizer(init, step, lr=lr)


class NadamState(NamedTuple):
    """State of `nadam`: as `AdamState`, and the product of all mu."""

    t: int
    m: Array
    v: Array
    mu: float


def nadam(
    lr: Rate = 2e-3,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.nadam`."""
    lr = check.rate("nadam", lr)
    beta1 = check.number("nadam", "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number("nadam", "beta2", beta2, low=0, high=1, open_high=True)
    eps = check.number("nadam", "eps", eps, low=0)

    def init(w: Array) -> NadamState:
        arrays.weights("nadam.init", w)
        return NadamState(0, torch.zeros_like(w), torch.zeros_like(w), 1.0)

    @torch.no_grad()
    def step(w: Array, grad: Array, state: NadamState) -> tuple[Array, NadamState]:
        arrays.step("nadam.step", w, grad, state, NadamState)
        eta = _rate("nadam.step", lr, state.t, w)
        t = state.t + 1
        now, ahead = (beta1 * (1 - 0.5 * 0.96 ** (0.004 * i)) for i in (t, t + 1))
        mu = state.mu * now
        m = state.m.mul_(beta1).add_(grad, alpha=1 - beta1)
        v = state.v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        along = (1 - now) / (1 - mu) * grad + ahead / (1 - mu * ahead) * m
        scale = (v / (1 - beta2**t)).sqrt_().add_(eps)
        return w.sub_(eta * along / scale), NadamState(t, m, v, mu)

    return Optimizer(init, step, lr=lr)


def radam(
    lr: Rate = 1e-3,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.radam`."""
    lr = check.rate("radam", lr)
    beta1 = check.number("radam", "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number("radam", "beta2", beta2, low=0, high=1, open_high=True)
    eps = check.number("radam", "eps", eps, low=0)

    def init(w: Array) -> AdamState:
        arrays.weights("radam.init", w)
        return AdamState(0, torch.zeros_like(w), torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: AdamState) -> tuple[Array, AdamState]:
        arrays.step("radam.step", w, grad, state, AdamState)
        eta = _rate("radam.step", lr, state.t, w)
        t = state.t + 1
        m = state.m.mul_(beta1).add_(grad, alpha=1 - beta1)
        v = state.v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        m_hat = m / (1 - beta1**t)
        factor = trust(beta2, t)
        if factor > 0:
            m_hat.mul_(factor * math.sqrt(1 - beta2**t)).div_(v.sqrt().add_(eps))
        return w.sub_(eta * m_hat), AdamState(t, m, v)

    return Optimizer(init, step, lr=lr)


class LionState(NamedTuple):
    """State of `lion`: the steps done and the mean of g."""

    t: int
    m: Array


def lion(
    lr: Rate = 1e-4,
    *,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.lion`."""
    lr = check.rate("lion", lr)
    beta1 = check.number("lion", "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number("lion", "beta2", beta2, low=0, high=1, open_high=True)
    weight_decay = check.number("lion", "weight_decay", weight_decay, low=0)

    def init(w: Array) -> LionState:
        arrays.weights("lion.init", w)
        return LionState(0, torch.zeros_like(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: LionState) -> tuple[Array, LionState]:
        arrays.step("lion.step", w, grad, state, LionState)
        eta = _rate("lion.step", lr, state.t, w)
        along = (beta1 * state.m + (1 - beta1) * grad).sign_()
        m = state.m.mul_(beta2).add_(grad, alpha=1 - beta2)
        w.mul_(1 - eta * weight_decay).sub_(eta * along)
        return w, LionState(state.t + 1, m)

    return Optimizer(init, step, lr=lr)


class ScheduleFreeState(NamedTuple):
    """State of `schedule_free_adamw`: the walk, its average, and what weighs it."""

    t: int
    z: Array
    x: Array
    v: Array
    total: float


def schedule_free_adamw(
    lr: Rate = 2.5e-3,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.schedule_free_adamw`."""
    lr = check.rate("schedule_free_adamw", lr)
    beta1 = check.number(
        "schedule_free_adamw", "beta1", beta1, low=0, high=1, open_high=True
    )
    beta2 = check.number(
        "schedule_free_adamw", "beta2", beta2, low=0, high=1, open_high=True
    )
    eps = check.number("schedule_free_adamw", "eps", eps, low=0)
    weight_decay = check.number(
        "schedule_free_adamw", "weight_decay", weight_decay, low=0
    )

    def init(w: Array) -> ScheduleFreeState:
        arrays.weights("schedule_free_adamw.init", w)
        return ScheduleFreeState(0, w.clone(), w.clone(), torch.zeros_like(w), 0.0)

    @torch.no_grad()
    def step(
        w: Array, grad: Array, state: ScheduleFreeState
    ) -> tuple[Array, ScheduleFreeState]:
        arrays.step("schedule_free_adamw.step", w, grad, state, ScheduleFreeState)
        eta = _rate("schedule_free_adamw.step", lr, state.t, w)
        t = state.t + 1
        v = state.v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        along = grad / (v / (1 - beta2**t)).sqrt_().add_(eps) + weight_decay * w
        z = state.z.sub_(eta * along)
        part, total = share(eta, state.total)
        x = state.x.mul_(1 - part).add_(z, alpha=part)
        w.copy_((1 - beta1) * z + beta1 * x)
        return w, ScheduleFreeState(t, z, x, v, total)

    return Optimizer(init, step, lambda _, state: state.x, lr)


class BarzilaiBorweinState(NamedTuple):
    """State of `barzilai_borwein`: the point before, its gradient, the last rate."""

    t: int
    w: Array
    grad: Array
    eta: Array


def barzilai_borwein(lr: Rate) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.barzilai_borwein`."""
    lr = check.rate("barzilai_borwein", lr)

    def init(w: Array) -> BarzilaiBorweinState:
        arrays.weights("barzilai_borwein.init", w)
        zeros = torch.zeros_like(w)
        return BarzilaiBorweinState(0, w.clone(), zeros, zeros[..., :1].clone())

    @torch.no_grad()
    def step(
        w: Array, grad: Array, state: BarzilaiBorweinState
    ) -> tuple[Array, BarzilaiBorweinState]:
        arrays.step("barzilai_borwein.step", w, grad, state, BarzilaiBorweinState)
        eta = _rate("barzilai_borwein.step", lr, state.t, w)
        s, y = w - state.w, grad - state.grad
        bend = (s * y).sum(-1, keepdim=True)
        grows = (bend > 0) & (state.t > 0)
        last = state.eta if state.t else torch.zeros_like(state.eta) + eta
        ratio = (s * s).sum(-1, keepdim=True) / torch.where(grows, bend, 1)
        eta = state.eta.copy_(torch.where(grows, ratio, last))
        before, its = state.w.copy_(w), state.grad.copy_(grad)
        state = BarzilaiBorweinState(state.t + 1, before, its, eta)
        return w.sub_(eta * grad), state

    return Optimizer(init, step, lr=lr)


class DogState(NamedTuple):
    """State of `dog`: where it started, the distance come, the sum of squared norms."""

    t: int
    start: Array
    far: Array
    total: Array


def dog(lr: Rate = 1.0, *, eps: float = 1e-8) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.dog`."""
    lr = check.rate("dog", lr)
    eps = check.number("dog", "eps", eps, low=0)

    def init(w: Array) -> DogState:
        arrays.weights("dog.init", w)
        far = 1e-6 * (1 + _norm(w))
        return DogState(0, w.clone(), far, torch.zeros_like(far))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: DogState) -> tuple[Array, DogState]:
        arrays.step("dog.step", w, grad, state, DogState)
        eta = _rate("dog.step", lr, state.t, w)
        far = torch.maximum(state.far, _norm(w - state.start), out=state.far)
        total = state.total.add_(_norm(grad) ** 2)
        w.sub_(eta * far / (total + eps).sqrt_() * grad)
        return w, DogState(state.t + 1, state.start, far, total)

    return Optimizer(init, step, lr=lr)


class ProdigyState(NamedTuple):
    """State of `prodigy`: as `AdamState`, and what estimates the distance d."""

    t: int
    m: Array
    v: Array
    start: Array
    s: Array
    r: Array
    d: Array


def prodigy(
    lr: Rate = 1.0,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.prodigy`."""
    lr = check.rate("prodigy", lr)
    beta1 = check.number("prodigy", "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number("prodigy", "beta2", beta2, low=0, high=1, open_high=True)
    eps = check.number("prodigy", "eps", eps, low=0)

    def init(w: Array) -> ProdigyState:
        arrays.weights("prodigy.init", w)
        zeros = [torch.zeros_like(w) for _ in range(3)]
        one = torch.zeros_like(w[..., :1])
        m, v, s = zeros
        return ProdigyState(0, m, v, w.clone(), s, one, one + 1e-6)

    @torch.no_grad()
    def step(w: Array, grad: Array, state: ProdigyState) -> tuple[Array, ProdigyState]:
        arrays.step("prodigy.step", w, grad, state, ProdigyState)
        eta = _rate("prodigy.step", lr, state.t, w)
        slow, d = math.sqrt(beta2), state.d
        m = state.m.mul_(beta1).add_((1 - beta1) * d * grad)
        v = state.v.mul_(beta2).add_((1 - beta2) * (d * grad) ** 2)
        pull = (grad * (state.start - w)).sum(-1, keepdim=True)
        r = state.r.mul_(slow).add_((1 - slow) * eta * d**2 * pull)
        s = state.s.mul_(slow).add_((1 - slow) * eta * d**2 * grad)
        w.sub_(eta * d * m / (v.sqrt() + (d * eps).clamp_(min=_TINY)))
        reach = abs(s).sum(-1, keepdim=True)
        torch.maximum(d, r / torch.where(reach > 0, reach, 1), out=d)
        return w, ProdigyState(state.t + 1, m, v, state.start, s, r, d)

    return Optimizer(init, step, lr=lr)


class HypergradientState(NamedTuple):
    """State of `hypergradient`: the gradient before, and the rate."""

    t: int
    grad: Array
    eta: Array


def hypergradient(lr: Rate = 1e-2, *, hyper_lr: float = 1e-4) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.hypergradient`."""
    lr = check.rate("hypergradient", lr)
    hyper_lr = check.number("hypergradient", "hyper_lr", hyper_lr, low=0)

    def init(w: Array) -> HypergradientState:
        arrays.weights("hypergradient.init", w)
        return HypergradientState(0, torch.zeros_like(w), torch.zeros_like(w[..., :1]))

    @torch.no_grad()
    def step(
        w: Array, grad: Array, state: HypergradientState
    ) -> tuple[Array, HypergradientState]:
        arrays.step("hypergradient.step", w, grad, state, HypergradientState)
        eta = _rate("hypergradient.step", lr, state.t, w)
        before = state.eta if state.t else torch.zeros_like(state.eta) + eta
        rate = before + hyper_lr * (grad * state.grad).sum(-1, keepdim=True)
        state = HypergradientState(
            state.t + 1, state.grad.copy_(grad), state.eta.copy_(rate)
        )
        return w.sub_(rate * grad), state

    return Optimizer(init, step, lr=lr)


class ClippedState(NamedTuple):
    """State of `clipped`: the steps done and the state of what it wraps."""

    t: int
    inner: Any


def clipped(
    optimizer: Optimizer, *, norm: float | None = None, value: float | None = None
) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.clipped`."""
    check.optimizer("clipped", optimizer)
    limit, by_norm = check.one_limit("clipped", norm=norm, value=value)

    def init(w: Array) -> ClippedState:
        return ClippedState(0, optimizer.init(w))

    @torch.no_grad()
    def step(w: Array, grad: Array, state: ClippedState) -> tuple[Array, ClippedState]:
        check.state("clipped.step", state, ClippedState)
        arrays.real("clipped.step", "grad", grad)
        if by_norm:
            # In units of the largest entry: the square of a large one is infinite.
            unit = abs(grad).amax(-1, keepdim=True).clamp(min=limit)
            direction = grad / unit
            length = torch.maximum(_norm(direction), limit / unit)
            short = length <= limit / unit
            grad = torch.where(short, grad, direction * (limit / length))
        else:
            grad = grad.clamp(-limit, limit)
        w, inner = optimizer.step(w, grad, state.inner)
        return w, ClippedState(state.t + 1, inner)

    return Optimizer(
        init,
        step,
        lambda w, state: optimizer.weights(w, state.inner),
        optimizer.lr,
    )


class AveragedState(NamedTuple):
    """State of `averaged`: steps done, the average, the state of what it wraps."""

    t: int
    mean: Array
    inner: Any


def averaged(optimizer: Optimizer, *, decay: float = 0.999) -> Optimizer:
    """Twin of `chalkgrad.numpy.optimizers.averaged`."""
    check.optimizer("averaged", optimizer)
    decay = check.number("averaged", "decay", decay, low=0, high=1, open_high=True)

    def init(w: Array) -> AveragedState:
        arrays.weights("averaged.init", w)
        return AveragedState(0, w.clone(), optimizer.init(w))

    @torch.no_grad()
    def step(
        w: Array, grad: Array, state: AveragedState
    ) -> tuple[Array, AveragedState]:
        check.state("averaged.step", state, AveragedState)
        w, inner = optimizer.step(w, grad, state.inner)
        t = state.t + 1
        keep = min(decay, t / (t + 1))
        return w, AveragedState(t, state.mean.mul_(keep).add_(w, alpha=1 - keep), inner)

    return Optimizer(init, step, lambda _, state: state.mean, optimizer.lr)


# What keeps 0 / 0 from being nan where every gradient was 0.
_TINY = 1e-30


def _norm(x: Array) -> Array:
    """Length of the last axis, which stays."""
    length: Array = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return length
