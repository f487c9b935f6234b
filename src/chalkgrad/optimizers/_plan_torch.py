"""Forms of the rules for plans, PyTorch backend: they use up `g`.

They take what a formula takes. Each has the name of its rule; a rule without one here
runs its formula.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from chalkgrad._core._torch import Array
from chalkgrad.optimizers._rule import Clock, SgdState, count, root


def sgd(
    w: Array,
    g: Array,
    t: int,
    s: SgdState,
    lr: Any,
    *,
    momentum: float,
    dampening: float,
    nesterov: bool,
    weight_decay: float,
) -> tuple[Array, SgdState]:
    """Step as `sgd`."""
    if weight_decay:
        g.add_(w, alpha=weight_decay)
    v = s.v.mul_(momentum).add_(g, alpha=1 - dampening if t > 1 else 1)
    along = g.add_(v, alpha=momentum) if nesterov else v
    if isinstance(lr, float):
        return w.sub_(along, alpha=lr), SgdState(t, v)
    return w.sub_(torch.mul(along, lr, out=g)), SgdState(t, v)


def adam(
    w: Array,
    g: Array,
    t: int,
    s: Any,
    lr: Any,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    amsgrad: bool = False,
    weight_decay: float = 0.0,
) -> tuple[Array, Any]:
    """Step as `adam`."""
    is_captured = isinstance(t, Clock) and w.is_cuda
    one_rate = isinstance(lr, float) or lr.ndim == 0
    if is_captured and w.dtype == torch.float32 and one_rate:
        return _step_at_once(w, g, t, s, lr, beta1, beta2, eps, amsgrad, weight_decay)
    m = s.m.lerp_(g, 1 - beta1)
    v = s.v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    top = torch.maximum(s.top, v, out=s.top) if amsgrad else v
    # sqrt(v_hat) is sqrt(v) / divisor, and m_hat is m / (1 - beta1^t).
    divisor = root(beta2, t)
    below = torch.sqrt(top, out=g).add_(eps * divisor)
    if weight_decay:
        w.mul_(1 - lr * weight_decay)
    along = torch.div(m, below, out=below).mul_(lr * (divisor / (1 - beta1**t)))
    return w.sub_(along), type(s)(t, *s[1:])


def _step_at_once(
    w: Array,
    g: Array,
    t: Any,
    s: Any,
    lr: Any,
    beta1: float,
    beta2: float,
    eps: float,
    amsgrad: bool,
    weight_decay: float,
) -> tuple[Array, Any]:
    """Step as `adam` by PyTorch's own kernel, in one pass over the memory."""
    step: Any = torch._fused_adamw_ if weight_decay else torch._fused_adam_
    step(
        *([w], [g], [s.m], [s.v], [s.top] if amsgrad else []),
        [count(t).float()],
        lr=lr if isinstance(lr, float) else lr.float(),
        beta1=beta1,
        beta2=beta2,
        weight_decay=weight_decay,
        eps=eps,
        amsgrad=amsgrad,
        maximize=False,
    )
    return w, type(s)(t, *s[1:])


_BY_HAND: dict[str, Callable[..., Any]] = {"sgd": sgd, "adam": adam, "adamw": adam}


def plan(name: str, _: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Return the form of a rule for one plan; None if its formula is as quick."""
    return partial(_BY_HAND[name], **options) if name in _BY_HAND else None
