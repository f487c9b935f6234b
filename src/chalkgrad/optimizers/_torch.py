"""Optimizers, PyTorch backend: the formulas of `chalkgrad.numpy.optimizers`.

`step` updates `w` and the state in place and returns the same tensors. A rule takes
all but its formula from its twin: signature, docstring, ranges and state.
"""

import math
from typing import Final

import torch

from chalkgrad._core._torch import arrays
from chalkgrad.optimizers import _numpy as reference
from chalkgrad.optimizers._clock_torch import clock, wait
from chalkgrad.optimizers._plan_torch import plan
from chalkgrad.optimizers._rule import (
    TINY,
    AdadeltaState,
    AdagradState,
    AdamaxState,
    AdamState,
    AmsgradState,
    AsgdState,
    BarzilaiBorweinState,
    ClipState,
    DogState,
    EmaState,
    HypergradientState,
    LionState,
    MuonState,
    NadamState,
    ProdigyState,
    RmspropState,
    RmspropWalkState,
    RpropState,
    Rules,
    ScheduleFreeState,
    SgdState,
    fall,
    layers,
    look_ahead,
    orthogonalize,
    root,
    share,
    trust,
)

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "asgd",
    "barzilai_borwein",
    "clip",
    "decay_weights",
    "dog",
    "ema",
    "hypergradient",
    "lamb",
    "lion",
    "maximize",
    "muon",
    "nadam",
    "prodigy",
    "radam",
    "rmsprop",
    "rprop",
    "schedule_free_adamw",
    "sgd",
]

twin: Final = Rules(arrays, plan, torch.no_grad, clock).twin
in_units: Final = arrays.in_units
norm: Final = arrays.norm


@twin(reference.sgd)
def sgd(w, g, t, s, lr, *, momentum, dampening, nesterov, weight_decay):
    g = g.add(w, alpha=weight_decay) if weight_decay else g
    v = s.v.mul_(momentum).add_(g, alpha=1 - dampening if t > 1 else 1)
    along = g + momentum * v if nesterov else v
    return w.sub_(lr * along), SgdState(t, v)


@twin(reference.adagrad)
def adagrad(w, g, t, s, lr, *, eps):
    v = s.v.addcmul_(g, g)
    return w.sub_(lr * g / v.sqrt().add_(eps)), AdagradState(t, v)


@twin(reference.rmsprop)
def rmsprop(w, g, t, s, lr, *, decay, eps, momentum, centered):
    off, share_v = (g - s.m, decay * (1 - decay)) if centered else (g, 1 - decay)
    v = s.v.mul_(decay).addcmul_(off, off, value=share_v)
    if not (momentum or centered):
        return w.sub_(lr * g / v.sqrt().add_(eps)), RmspropState(t, v)
    m, u = s.m.add_(off, alpha=centered * (1 - decay)), s.u.mul_(momentum)
    return w.sub_(lr * u.add_(g / v.sqrt().add_(eps))), RmspropWalkState(t, v, m, u)


@twin(reference.adam)
def adam(w, g, t, s, lr, *, beta1, beta2, eps, amsgrad):
    m = s.m.mul_(beta1).add_(g, alpha=1 - beta1)
    v = s.v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    top = torch.maximum(s.top, v, out=s.top) if amsgrad else v
    m_hat, v_hat = m / (1 - beta1**t), top / (1 - beta2**t)
    w.sub_(lr * m_hat / v_hat.sqrt_().add_(eps))
    return w, AmsgradState(t, m, v, top) if amsgrad else AdamState(t, m, v)


@twin(reference.adamw)
def adamw(w, g, t, s, lr, *, beta1, beta2, eps, weight_decay):
    m = s.m.mul_(beta1).add_(g, alpha=1 - beta1)
    v = s.v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    w.mul_(1 - lr * weight_decay).sub_(lr * m_hat / v_hat.sqrt_().add_(eps))
    return w, AdamState(t, m, v)


@twin(reference.adadelta)
def adadelta(w, g, t, s, lr, *, decay, eps):
    v = s.v.mul_(decay).addcmul_(g, g, value=1 - decay)
    delta = (s.u + eps).sqrt_() / (v + eps).sqrt_() * g
    u = s.u.mul_(decay).addcmul_(delta, delta, value=1 - decay)
    return w.sub_(lr * delta), AdadeltaState(t, v, u)


@twin(reference.nadam)
def nadam(w, g, t, s, lr, *, beta1, beta2, eps):
    now, ahead = look_ahead(beta1, t), look_ahead(beta1, t + 1)
    mu = s.mu * now
    m = s.m.mul_(beta1).add_(g, alpha=1 - beta1)
    v = s.v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    along = (1 - now) / (1 - mu) * g + ahead / (1 - mu * ahead) * m
    scale = (v / (1 - beta2**t)).sqrt_().add_(eps)
    return w.sub_(lr * along / scale), NadamState(t, m, v, mu)


@twin(reference.radam)
def radam(w, g, t, s, lr, *, beta1, beta2, eps):
    m = s.m.mul_(beta1).add_(g, alpha=1 - beta1)
    v = s.v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    m_hat = m / (1 - beta1**t)
    if t > wait(beta2):
        m_hat.mul_(trust(beta2, t) * root(beta2, t)).div_(v.sqrt().add_(eps))
    return w.sub_(lr * m_hat), AdamState(t, m, v)


@twin(reference.adamax)
def adamax(w, g, t, s, lr, *, beta1, beta2, eps):
    m = s.m.mul_(beta1).add_(g, alpha=1 - beta1)
    u = torch.maximum(s.u.mul_(beta2), abs(g).add_(eps), out=s.u)
    return w.sub_(lr / (1 - beta1**t) * m / u), AdamaxState(t, m, u)


@twin(reference.rprop)
def rprop(w, g, t, s, lr, *, shrink, grow, smallest, largest):
    turn = g.sign() * s.grad.sign()
    eta = torch.where(turn < 0, s.eta * shrink, s.eta)
    eta = torch.where(turn > 0, s.eta * grow, eta).clamp_(smallest, largest)
    eta = s.eta.copy_(eta if t > 1 else torch.zeros_like(w) + lr)
    g = s.grad.copy_(torch.where(turn < 0, 0, g))
    return w.sub_(g.sign() * eta), RpropState(t, g, eta)


@twin(reference.asgd)
def asgd(w, g, t, s, lr, *, weight_decay, power, delay):
    eta, mu = fall(lr, weight_decay, power, t), 1 / max(1, int(t) - 1 - delay)
    along = eta * g  # before w, which may be g, is written over
    w.mul_(1 - weight_decay * eta).sub_(along)
    return w, AsgdState(t, s.x.mul_(1 - mu).add_(w, alpha=mu))


@twin(reference.lion)
def lion(w, g, t, s, lr, *, beta1, beta2, weight_decay):
    along = (beta1 * s.m + (1 - beta1) * g).sign_()
    m = s.m.mul_(beta2).add_(g, alpha=1 - beta2)
    return w.mul_(1 - lr * weight_decay).sub_(lr * along), LionState(t, m)


@twin(reference.lamb)
def lamb(w, g, t, s, net, lr, *, beta1, beta2, eps, weight_decay):
    m = s.m.mul_(beta1).add_(g, alpha=1 - beta1)
    v = s.v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    u = m_hat / v_hat.sqrt_().add_(eps) + weight_decay * w
    for layer, _ in layers(net):
        size, length = norm(w[..., layer]), norm(u[..., layer])
        below = torch.where(length != 0, length, 1)
        u[..., layer] *= torch.where(size > 0, size, length) / below
    return w.sub_(lr * u), AdamState(t, m, v)


@twin(reference.muon)
def muon(w, g, t, s, net, lr, *, momentum, nesterov, weight_decay):
    m = s.m.mul_(momentum).add_(g, alpha=1 - momentum)
    u = momentum * m + (1 - momentum) * g if nesterov else m.clone()
    for layer, shape in layers(net):
        length = norm(u[..., layer])
        unit = u[..., layer] / torch.where(length > 0, length, 1)
        u[..., layer] = orthogonalize(unit, shape)
    return w.mul_(1 - lr * weight_decay).sub_(lr * u), MuonState(t, m)


@twin(reference.schedule_free_adamw)
def schedule_free_adamw(w, g, t, s, lr, *, beta1, beta2, eps, weight_decay):
    v = s.v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    along = g / (v / (1 - beta2**t)).sqrt_().add_(eps) + weight_decay * w
    z = s.z.sub_(lr * along)
    part, total = share(lr, s.total, t)
    x = s.x.mul_(1 - part).add_(part * z)
    w.copy_((1 - beta1) * z + beta1 * x)
    return w, ScheduleFreeState(t, z, x, v, total)


@twin(reference.barzilai_borwein)
def barzilai_borwein(w, g, t, s, lr):
    # Each in units of its largest entry: a product of two large ones is infinite.
    (d, d_unit), (y, y_unit) = map(in_units, (w - s.w, g - s.grad))
    bend = (d * y).sum(-1, keepdim=True)
    grows = (bend > 0) & (t > 1)
    ratio = (d * d).sum(-1, keepdim=True) / torch.where(grows, bend, 1)
    last = s.eta if t > 1 else torch.zeros_like(s.eta) + lr
    eta = s.eta.copy_(torch.where(grows, ratio * (d_unit / y_unit), last))
    state = BarzilaiBorweinState(t, s.w.copy_(w), s.grad.copy_(g), eta)
    return w.sub_(eta * g), state


@twin(reference.dog)
def dog(w, g, t, s, lr, *, eps):
    far = torch.maximum(s.far, norm(w - s.start), out=s.far)
    total = torch.hypot(s.total, norm(g), out=s.total)
    below = torch.hypot(total, torch.full_like(total, math.sqrt(eps)))
    return w.sub_(lr * far / below * g), DogState(t, s.start, far, total)


@twin(reference.prodigy)
def prodigy(w, g, t, s, lr, *, beta1, beta2, eps):
    slow, d = math.sqrt(beta2), s.d
    m = s.m.mul_(beta1).add_((1 - beta1) * d * g)
    v = s.v.mul_(beta2).add_((1 - beta2) * (d * g) ** 2)
    pull = (g * (s.start - w)).sum(-1, keepdim=True)
    r = s.r.mul_(slow).add_((1 - slow) * lr * d**2 * pull)
    far = s.s.mul_(slow).add_((1 - slow) * lr * d**2 * g)
    w.sub_(lr * d * m / (v.sqrt() + (d * eps).clamp_(min=TINY)))
    reach = abs(far).sum(-1, keepdim=True)
    torch.maximum(d, r / torch.where(reach > 0, reach, 1), out=d)
    return w, ProdigyState(t, m, v, s.start, far, r, d)


@twin(reference.hypergradient)
def hypergradient(w, g, t, s, lr, *, hyper_lr):
    before = s.eta if t > 1 else torch.zeros_like(s.eta) + lr
    eta = s.eta.copy_(before + (hyper_lr * g * s.grad).sum(-1, keepdim=True))
    state = HypergradientState(t, s.grad.copy_(g), eta)
    return w.sub_(eta * g), state


@twin(reference.clip)
def clip(w, g, s, optimizer, *, norm, value):
    if norm is not None:
        unit = abs(g).amax(-1, keepdim=True).clamp(min=norm)  # no square overflows
        direction = g / unit
        length = torch.maximum(arrays.norm(direction), norm / unit)
        g = torch.where(length <= norm / unit, g, direction * (norm / length))
    if value is not None:
        g = g.clamp(-value, value)
    w, inner = optimizer.step(w, g, s.inner)
    return w, ClipState(s.t + 1, inner)


@twin(reference.ema)
def ema(w, g, s, optimizer, *, decay):
    w, inner = optimizer.step(w, g, s.inner)
    t = s.t + 1
    keep = min(decay, t / (t + 1))
    return w, EmaState(t, s.mean.mul_(keep).add_(w, alpha=1 - keep), inner)


@twin(reference.maximize)
def maximize(w, g, s, optimizer):
    return optimizer.step(w, -g, s)


@twin(reference.decay_weights)
def decay_weights(w, g, s, optimizer, *, weight_decay):
    return optimizer.step(w, g.add(w, alpha=weight_decay), s)
