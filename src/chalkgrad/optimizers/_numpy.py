"""Optimizers, NumPy half: the reference.

An optimizer is two functions: ``state = opt.init(w)`` and
``w, state = opt.step(w, grad, state)``. Here `step` returns new arrays and leaves what
it was given as it was; the PyTorch half updates in place. Rebind, and both are alike.

`lr` may be a number, a schedule from ``cg.schedules``, or an array of shape (m, 1): a
rate for each of m networks whose weights are the rows of `w`. `t` counts the steps.
"""

from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays
from chalkgrad._core.types import Optimizer, Rate

__all__ = ["adagrad", "adam", "adamw", "rmsprop", "sgd"]


def _rate(where: str, lr: Rate, t: int, w: Array) -> Any:
    """The rate of the step that follows t steps, in the precision of `w`."""
    if callable(lr):
        return check.number(where, "lr", lr(t), low=0)
    if isinstance(lr, float):
        return lr
    arrays.rates(where, lr, w)
    return lr.astype(w.dtype, copy=False)


class SgdState(NamedTuple):
    """State of `sgd`: the steps done and the velocity."""

    t: int
    v: Array


def sgd(lr: Rate, *, momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    r"""Gradient descent, with momentum if you like.

    $$v \leftarrow \mu v + g \qquad w \leftarrow w - \eta v$$

    Nesterov's form steps along $g + \mu v$ instead. "Stochastic" is not in the formula:
    it says that $g$ comes from a few examples drawn at random.

    Convention: as in PyTorch, $\eta$ multiplies the velocity, so that a change of rate
    acts at once; the first velocity is the first gradient; no dampening.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    momentum : float
        $\mu$, from 0 to below 1.
    nesterov : bool
        Look ahead; needs momentum.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range; from `step`, if `grad` does not fit `w` or
        is not finite: then nothing has changed.

    References
    ----------
    [Robbins and Monro (1951)][robbinsmonro1951]; [Polyak (1964)][polyak1964];
    [Nesterov (1983)][nesterov1983].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.sgd(lr=0.1, momentum=0.9)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.9, 0. ])
    """
    lr = check.rate("sgd", lr)
    momentum = check.number("sgd", "momentum", momentum, low=0, high=1, open_high=True)
    if nesterov and momentum == 0:
        raise ValueError("sgd: `nesterov` needs `momentum` above 0.")

    def init(w: Array) -> SgdState:
        arrays.real("sgd.init", "w", w)
        return SgdState(0, np.zeros_like(w))

    def step(w: Array, grad: Array, state: SgdState) -> tuple[Array, SgdState]:
        arrays.step("sgd.step", w, grad, state)
        eta = _rate("sgd.step", lr, state.t, w)
        v = momentum * state.v + grad
        along = grad + momentum * v if nesterov else v
        return w - eta * along, SgdState(state.t + 1, v)

    return Optimizer(init, step)


class AdagradState(NamedTuple):
    """State of `adagrad`: the steps done and the sum of squared gradients."""

    t: int
    v: Array


def adagrad(lr: Rate = 1e-2, *, eps: float = 1e-10) -> Optimizer:
    r"""A rate of its own for each weight, which shrinks with the gradients it has seen.

    $$v \leftarrow v + g^2 \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt v + \epsilon}$$

    Convention: $\epsilon$ outside the root, and $v$ starts at 0, as in PyTorch.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`.

    Raises
    ------
    TypeError, ValueError
        As `sgd`.

    References
    ----------
    [Duchi, Hazan and Singer (2011)][duchi2011].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.adagrad(lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.9, 0.9])
    """
    lr = check.rate("adagrad", lr)
    eps = check.number("adagrad", "eps", eps, low=0)

    def init(w: Array) -> AdagradState:
        arrays.real("adagrad.init", "w", w)
        return AdagradState(0, np.zeros_like(w))

    def step(w: Array, grad: Array, state: AdagradState) -> tuple[Array, AdagradState]:
        arrays.step("adagrad.step", w, grad, state)
        eta = _rate("adagrad.step", lr, state.t, w)
        v = state.v + grad**2
        return w - eta * grad / (np.sqrt(v) + eps), AdagradState(state.t + 1, v)

    return Optimizer(init, step)


class RmspropState(NamedTuple):
    """State of `rmsprop`: the steps done and the mean of squared gradients."""

    t: int
    v: Array


def rmsprop(lr: Rate = 1e-2, *, decay: float = 0.99, eps: float = 1e-8) -> Optimizer:
    r"""Adagrad that forgets: the squared gradients are averaged, not summed.

    $$v \leftarrow \beta v + (1-\beta)\,g^2
    \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt v + \epsilon}$$

    Convention: $\epsilon$ outside the root, no bias correction, not centred, as in
    PyTorch. Hinton's slide has $\beta = 0.9$.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    decay : float
        $\beta$, from 0 to below 1.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`.

    Raises
    ------
    TypeError, ValueError
        As `sgd`.

    References
    ----------
    [Tieleman and Hinton (2012)][tieleman2012].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.rmsprop(lr=0.01)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w.round(6)
    array([0.9, 0.9])
    """
    lr = check.rate("rmsprop", lr)
    decay = check.number("rmsprop", "decay", decay, low=0, high=1, open_high=True)
    eps = check.number("rmsprop", "eps", eps, low=0)

    def init(w: Array) -> RmspropState:
        arrays.real("rmsprop.init", "w", w)
        return RmspropState(0, np.zeros_like(w))

    def step(w: Array, grad: Array, state: RmspropState) -> tuple[Array, RmspropState]:
        arrays.step("rmsprop.step", w, grad, state)
        eta = _rate("rmsprop.step", lr, state.t, w)
        v = decay * state.v + (1 - decay) * grad**2
        return w - eta * grad / (np.sqrt(v) + eps), RmspropState(state.t + 1, v)

    return Optimizer(init, step)


class AdamState(NamedTuple):
    """State of `adam` and `adamw`: steps done, means of g and of its square."""

    t: int
    m: Array
    v: Array


def adam(
    lr: Rate = 1e-3, *, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> Optimizer:
    r"""Momentum and a rate for each weight, both corrected for their start at 0.

    $$m \leftarrow \beta_1 m + (1-\beta_1)\,g \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\,g^2$$

    $$w \leftarrow w - \eta\,\frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \epsilon}$$

    Convention: $t$ is 1 in the first step; $\epsilon$ is outside the root, added after
    the correction, as in the paper's Algorithm 1 and in PyTorch.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: about how far a weight moves in a step.
    beta1, beta2 : float
        From 0 to below 1.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`.

    Raises
    ------
    TypeError, ValueError
        As `sgd`.

    References
    ----------
    [Kingma and Ba (2015)][kingma2015].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.adam(lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.9, 0.9])
    """
    return _adam("adam", lr, beta1, beta2, eps, 0.0)


def adamw(
    lr: Rate = 1e-3,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> Optimizer:
    r"""Adam with decoupled weight decay.

    $w \leftarrow (1 - \eta\lambda)\,w$, then a step of `adam`. The decay does not pass
    through $m$ and $v$, which is where it differs from adding $\lambda w$ to $g$.

    Convention: the decay is multiplied by $\eta$, as in PyTorch; the paper leaves
    that to a schedule of its own.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    beta1, beta2 : float
        From 0 to below 1.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit.
    weight_decay : float
        $\lambda$, 0 or more.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`.

    Raises
    ------
    TypeError, ValueError
        As `sgd`.

    References
    ----------
    [Loshchilov and Hutter (2019)][loshchilov2019].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.adamw(lr=0.1, weight_decay=0.5)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.85, 0.85])
    """
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
        return AdamState(0, np.zeros_like(w), np.zeros_like(w))

    def step(w: Array, grad: Array, state: AdamState) -> tuple[Array, AdamState]:
        arrays.step(f"{where}.step", w, grad, state)
        eta = _rate(f"{where}.step", lr, state.t, w)
        t = state.t + 1
        m = beta1 * state.m + (1 - beta1) * grad
        v = beta2 * state.v + (1 - beta2) * grad**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        kept = w * (1 - eta * weight_decay) if weight_decay else w
        return kept - eta * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)

    return Optimizer(init, step)
