"""Forms of the elementwise rules for plans: they step in `w`, and may use up `g`.

They take what a formula takes. What does the formula's own operations in its own order
is made of it; `adam` is written by hand, for a few products less make it a third
quicker, at the price of other last digits.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.optimizers._replay import InPlace


@functools.cache
def _factors(beta1: float, beta2: float, dtype: Any) -> list[Array]:
    """Return arrays, with which NumPy is quicker than with numbers."""
    # What `g` is squared of has the factor 1 - beta1 by then.
    share_v = (1 - beta2) / (1 - beta1) ** 2
    return [np.array(c, dtype) for c in (beta1, 1 - beta1, beta2, share_v)]


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
    keep_m, share_m, keep_v, share_v = _factors(beta1, beta2, w.dtype)
    m, v = s.m, s.v
    np.multiply(m, keep_m, out=m)
    np.multiply(g, share_m, out=g)
    np.add(m, g, out=m)
    np.multiply(v, keep_v, out=v)
    np.multiply(g, g, out=g)
    np.multiply(g, share_v, out=g)
    np.add(v, g, out=v)
    # sqrt(v_hat) is sqrt(v) / root, and m_hat is m / (1 - beta1^t).
    root = math.sqrt(1 - beta2**t)
    np.sqrt(np.maximum(s.top, v, out=s.top) if amsgrad else v, out=g)
    np.add(g, np.array(eps * root, w.dtype), out=g)
    np.divide(m, g, out=g)
    np.multiply(g, np.array(lr * (root / (1 - beta1**t)), w.dtype), out=g)
    if weight_decay:
        np.multiply(w, 1 - lr * weight_decay, out=w)
    np.subtract(w, g, out=w)
    return w, type(s)(t, *s[1:])


_BY_HAND = {"adam": adam, "adamw": adam}


def plan(name: str, formula: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Return the form of a rule for one plan."""
    if name in _BY_HAND:
        return functools.partial(_BY_HAND[name], **options)
    return InPlace(formula, options)
