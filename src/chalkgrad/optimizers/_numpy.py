"""Optimizers, NumPy half: the reference.

An optimizer is two functions: ``state = opt.init(w)`` and
``w, state = opt.step(w, grad, state)``. Here `step` returns new arrays and leaves what
it was given as it was; the PyTorch half updates in place. Rebind, and both are alike.

`lr` may be a number, a schedule from ``cg.schedules``, or an array of shape (m, 1): a
rate for each of m networks whose weights are the rows of `w`. `t` counts the steps.
What is one number a network, as a norm, has shape (..., 1).
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays
from chalkgrad._core.types import Optimizer, Rate, planned

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
    return lr.astype(w.dtype, copy=False)


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
    r"""Gradient descent, with momentum if you like.

    $$g \leftarrow g + \lambda w \qquad v \leftarrow \mu v + g \qquad
    w \leftarrow w - \eta v$$

    Nesterov's form steps along $g + \mu v$ instead. "Stochastic" is not in the formula:
    it says that $g$ comes from a few examples drawn at random.

    Convention: as in PyTorch, $\eta$ multiplies the velocity, so that a change of rate
    acts at once; the first velocity is the first gradient; no dampening. The decay is
    coupled: the gradient of a term $\tfrac\lambda2 \lVert w \rVert^2$ of the loss.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    momentum : float
        $\mu$, from 0 to below 1.
    nesterov : bool
        Look ahead; needs momentum.
    weight_decay : float
        $\lambda$, 0 or more.

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
    weight_decay = check.number("sgd", "weight_decay", weight_decay, low=0)
    if check.truth("sgd", "nesterov", nesterov) and momentum == 0:
        raise ValueError("sgd: `nesterov` needs `momentum` above 0.")

    def init(w: Array) -> SgdState:
        arrays.weights("sgd.init", w)
        return SgdState(0, np.zeros_like(w))

    def step(w: Array, grad: Array, state: SgdState) -> tuple[Array, SgdState]:
        arrays.step("sgd.step", w, grad, state, SgdState)
        eta = _rate("sgd.step", lr, state.t, w)
        grad = grad + weight_decay * w if weight_decay else grad
        v = momentum * state.v + grad
        along = grad + momentum * v if nesterov else v
        return w - eta * along, SgdState(state.t + 1, v)

    def step_in_place(w: Array, grad: Array, state: SgdState) -> tuple[Array, SgdState]:
        eta, v = np.array(_rate("sgd.step", lr, state.t, w), w.dtype), state.v
        if weight_decay:
            np.add(grad, weight_decay * w, out=grad)
        np.multiply(v, np.array(momentum, w.dtype), out=v)
        np.add(v, grad, out=v)
        if nesterov:
            np.add(grad, momentum * v, out=grad)
            np.multiply(grad, eta, out=grad)
        else:
            np.multiply(v, eta, out=grad)
        np.subtract(w, grad, out=w)
        return w, SgdState(state.t + 1, v)

    return planned(init, step, step_in_place, lr)


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
        $\epsilon$, 0 or more, in the gradient's unit. At 0, a weight that has
        not had a gradient yet becomes nan, for its step is 0 / 0.

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
        arrays.weights("adagrad.init", w)
        return AdagradState(0, np.zeros_like(w))

    def step(w: Array, grad: Array, state: AdagradState) -> tuple[Array, AdagradState]:
        arrays.step("adagrad.step", w, grad, state, AdagradState)
        eta = _rate("adagrad.step", lr, state.t, w)
        v = state.v + grad**2
        return w - eta * grad / (np.sqrt(v) + eps), AdagradState(state.t + 1, v)

    return Optimizer(init, step, lr=lr)


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
        $\epsilon$, 0 or more, in the gradient's unit. At 0, a weight that has
        not had a gradient yet becomes nan, for its step is 0 / 0.

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
        arrays.weights("rmsprop.init", w)
        return RmspropState(0, np.zeros_like(w))

    def step(w: Array, grad: Array, state: RmspropState) -> tuple[Array, RmspropState]:
        arrays.step("rmsprop.step", w, grad, state, RmspropState)
        eta = _rate("rmsprop.step", lr, state.t, w)
        v = decay * state.v + (1 - decay) * grad**2
        return w - eta * grad / (np.sqrt(v) + eps), RmspropState(state.t + 1, v)

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
    r"""Momentum and a rate for each weight, both corrected for their start at 0.

    $$m \leftarrow \beta_1 m + (1-\beta_1)\,g \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\,g^2$$

    $$w \leftarrow w - \eta\,\frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \epsilon}$$

    Convention: $t$ is 1 in the first step; $\epsilon$ is outside the root, added after
    the correction, as in the paper's Algorithm 1 and in PyTorch. With `amsgrad` the
    largest $v$ so far takes the place of $v$ in the step; it is not corrected before it
    is compared, as in PyTorch.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: about how far a weight moves in a step.
    beta1, beta2 : float
        From 0 to below 1.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit. At 0, a weight that has
        not had a gradient yet becomes nan, for its step is 0 / 0.
    amsgrad : bool
        Never let a weight's rate grow again.

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
    [Kingma and Ba (2015)][kingma2015]; AMSGrad: [Reddi and others (2018)][reddi2018].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.adam(lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.9, 0.9])
    """
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
        $\epsilon$, 0 or more, in the gradient's unit. At 0, a weight that has
        not had a gradient yet becomes nan, for its step is 0 / 0.
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
        zeros = [np.zeros_like(w) for _ in range(3)]
        return AmsgradState(0, *zeros) if amsgrad else AdamState(0, *zeros[:2])

    def step(
        w: Array, grad: Array, state: AdamState | AmsgradState
    ) -> tuple[Array, AdamState | AmsgradState]:
        arrays.step(f"{where}.step", w, grad, state, kind)
        eta = _rate(f"{where}.step", lr, state.t, w)
        t = state.t + 1
        m = beta1 * state.m + (1 - beta1) * grad
        v = beta2 * state.v + (1 - beta2) * grad**2
        m_hat = m / (1 - beta1**t)
        kept = w * (1 - eta * weight_decay) if weight_decay else w
        if isinstance(state, AmsgradState):
            top = np.maximum(state.top, v)
            v_hat = top / (1 - beta2**t)
            w = kept - eta * m_hat / (np.sqrt(v_hat) + eps)
            return w, AmsgradState(t, m, v, top)
        v_hat = v / (1 - beta2**t)
        return kept - eta * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)

    @functools.cache
    def factors(dtype: Any) -> list[Array]:
        """Arrays, with which NumPy is quicker than with numbers."""
        # What `grad` is squared of has the factor 1 - beta1 by then.
        share_v = (1 - beta2) / (1 - beta1) ** 2
        return [np.array(c, dtype) for c in (beta1, 1 - beta1, beta2, share_v)]

    def step_in_place(
        w: Array, grad: Array, state: AdamState
    ) -> tuple[Array, AdamState]:
        eta = _rate(f"{where}.step", lr, state.t, w)
        t, m, v = state.t + 1, state.m, state.v
        keep_m, share_m, keep_v, share_v = factors(w.dtype)
        np.multiply(m, keep_m, out=m)
        np.multiply(grad, share_m, out=grad)
        np.add(m, grad, out=m)
        np.multiply(v, keep_v, out=v)
        np.multiply(grad, grad, out=grad)
        np.multiply(grad, share_v, out=grad)
        np.add(v, grad, out=v)
        # sqrt(v_hat) is sqrt(v) / root, and m_hat is m / (1 - beta1^t).
        root = math.sqrt(1 - beta2**t)
        np.sqrt(v, out=grad)
        np.add(grad, np.array(eps * root, w.dtype), out=grad)
        np.divide(m, grad, out=grad)
        rate = eta * (root / (1 - beta1**t))
        np.multiply(grad, np.array(rate, w.dtype), out=grad)
        if weight_decay:
            np.multiply(w, 1 - eta * weight_decay, out=w)
        np.subtract(w, grad, out=w)
        return w, AdamState(t, m, v)

    if amsgrad:
        return Optimizer(init, step, lr=lr)
    return planned(init, step, step_in_place, lr)


class AdadeltaState(NamedTuple):
    """State of `adadelta`: steps done, mean squares of gradients and of steps."""

    t: int
    v: Array
    u: Array


def adadelta(lr: Rate = 1.0, *, decay: float = 0.9, eps: float = 1e-6) -> Optimizer:
    r"""A step in the unit of the weights: past steps over past gradients.

    $$v \leftarrow \rho v + (1-\rho)\,g^2 \qquad
    \Delta = \frac{\sqrt{u + \epsilon}}{\sqrt{v + \epsilon}}\,g$$

    $$u \leftarrow \rho u + (1-\rho)\,\Delta^2 \qquad w \leftarrow w - \eta \Delta$$

    Convention: $\epsilon$ inside both roots, and $\eta = 1$ as in the paper, which has
    no rate at all.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    decay : float
        $\rho$, from 0 to below 1.
    eps : float
        $\epsilon$, 0 or more: it sets the size of the first step. At 0, a weight that
        has not had a gradient yet becomes nan, for its step is 0 / 0.

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
    [Zeiler (2012)][zeiler2012].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.adadelta()
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.99683775, 0.99683773])
    """
    lr = check.rate("adadelta", lr)
    decay = check.number("adadelta", "decay", decay, low=0, high=1, open_high=True)
    eps = check.number("adadelta", "eps", eps, low=0)

    def init(w: Array) -> AdadeltaState:
        arrays.weights("adadelta.init", w)
        return AdadeltaState(0, np.zeros_like(w), np.zeros_like(w))

    def step(
        w: Array, grad: Array, state: AdadeltaState
    ) -> tuple[Array, AdadeltaState]:
        arrays.step("adadelta.step", w, grad, state, AdadeltaState)
        eta = _rate("adadelta.step", lr, state.t, w)
        v = decay * state.v + (1 - decay) * grad**2
        delta = np.sqrt(state.u + eps) / np.sqrt(v + eps) * grad
        u = decay * state.u + (1 - decay) * delta**2
        return w - eta * delta, AdadeltaState(state.t + 1, v, u)

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
    r"""Adam that looks ahead as Nesterov does.

    With $m$, $v$ of `adam` and $\mu_t = \beta_1\,(1 - \tfrac12\,0.96^{\,0.004\,t})$:

    $$w \leftarrow w - \frac{\eta}{\sqrt{v/(1-\beta_2^t)} + \epsilon}
    \left(\frac{(1-\mu_t)\,g}{1 - \prod_{i \le t}\mu_i}
    + \frac{\mu_{t+1}\,m}{1 - \prod_{i \le t+1}\mu_i}\right)$$

    Convention: the schedule of $\mu$ is that of Dozat's report and of PyTorch.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    beta1, beta2 : float
        From 0 to below 1.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit. At 0, a weight that has
        not had a gradient yet becomes nan, for its step is 0 / 0.

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
    [Dozat (2016)][dozat2016].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.nadam(lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.89435482, 0.89435482])
    """
    lr = check.rate("nadam", lr)
    beta1 = check.number("nadam", "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number("nadam", "beta2", beta2, low=0, high=1, open_high=True)
    eps = check.number("nadam", "eps", eps, low=0)

    def init(w: Array) -> NadamState:
        arrays.weights("nadam.init", w)
        return NadamState(0, np.zeros_like(w), np.zeros_like(w), 1.0)

    def step(w: Array, grad: Array, state: NadamState) -> tuple[Array, NadamState]:
        arrays.step("nadam.step", w, grad, state, NadamState)
        eta = _rate("nadam.step", lr, state.t, w)
        t = state.t + 1
        now, ahead = (beta1 * (1 - 0.5 * 0.96 ** (0.004 * i)) for i in (t, t + 1))
        mu = state.mu * now
        m = beta1 * state.m + (1 - beta1) * grad
        v = beta2 * state.v + (1 - beta2) * grad**2
        along = (1 - now) / (1 - mu) * grad + ahead / (1 - mu * ahead) * m
        scale = np.sqrt(v / (1 - beta2**t)) + eps
        return w - eta * along / scale, NadamState(t, m, v, mu)

    return Optimizer(init, step, lr=lr)


def radam(
    lr: Rate = 1e-3,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Optimizer:
    r"""Adam that waits until $v$ can be trusted.

    $\rho_t = \rho_\infty - 2t\beta_2^t/(1-\beta_2^t)$ is how much $v$ can be trusted,
    where $\rho_\infty = 2/(1-\beta_2) - 1$. Up to 5 the step is plain momentum,
    $w \leftarrow w - \eta\,m/(1-\beta_1^t)$. Then it is that of `adam`, times

    $$r_t = \sqrt{\frac{(\rho_t-4)(\rho_t-2)\,\rho_\infty}
    {(\rho_\infty-4)(\rho_\infty-2)\,\rho_t}} .$$

    Convention: the threshold is 5 and $\epsilon$ is added before the correction, as in
    PyTorch; the paper has 4 and no $\epsilon$.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    beta1, beta2 : float
        From 0 to below 1.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit. At 0, a weight that has
        not had a gradient yet becomes nan, for its step is 0 / 0.

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
    [Liu and others (2020)][liu2020].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.radam(lr=0.01)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.99, 0.9 ])
    """
    lr = check.rate("radam", lr)
    beta1 = check.number("radam", "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number("radam", "beta2", beta2, low=0, high=1, open_high=True)
    eps = check.number("radam", "eps", eps, low=0)

    def init(w: Array) -> AdamState:
        arrays.weights("radam.init", w)
        return AdamState(0, np.zeros_like(w), np.zeros_like(w))

    def step(w: Array, grad: Array, state: AdamState) -> tuple[Array, AdamState]:
        arrays.step("radam.step", w, grad, state, AdamState)
        eta = _rate("radam.step", lr, state.t, w)
        t = state.t + 1
        m = beta1 * state.m + (1 - beta1) * grad
        v = beta2 * state.v + (1 - beta2) * grad**2
        m_hat = m / (1 - beta1**t)
        factor = trust(beta2, t)
        if factor > 0:
            m_hat = m_hat * factor * math.sqrt(1 - beta2**t) / (np.sqrt(v) + eps)
        return w - eta * m_hat, AdamState(t, m, v)

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
    r"""Only the sign counts: every weight moves by the same amount.

    $$w \leftarrow (1-\eta\lambda)\,w - \eta\,\mathrm{sign}(\beta_1 m + (1-\beta_1)\,g)
    \qquad m \leftarrow \beta_2 m + (1-\beta_2)\,g$$

    Convention: the decay is multiplied by $\eta$, as in the paper; sign(0) is 0.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: exactly how far a weight moves in a step.
    beta1, beta2 : float
        From 0 to below 1.
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
    [Chen and others (2023)][chen2023].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.lion(lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.9, 0.9])
    """
    lr = check.rate("lion", lr)
    beta1 = check.number("lion", "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number("lion", "beta2", beta2, low=0, high=1, open_high=True)
    weight_decay = check.number("lion", "weight_decay", weight_decay, low=0)

    def init(w: Array) -> LionState:
        arrays.weights("lion.init", w)
        return LionState(0, np.zeros_like(w))

    def step(w: Array, grad: Array, state: LionState) -> tuple[Array, LionState]:
        arrays.step("lion.step", w, grad, state, LionState)
        eta = _rate("lion.step", lr, state.t, w)
        along = np.sign(beta1 * state.m + (1 - beta1) * grad)
        m = beta2 * state.m + (1 - beta2) * grad
        return w * (1 - eta * weight_decay) - eta * along, LionState(state.t + 1, m)

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
    r"""An average of the walk in place of a schedule that ends at 0.

    The walk is $z$, its average is $x$, and gradients are taken between the two, at
    $w = (1-\beta_1) z + \beta_1 x$. With $v$ as in `adam`:

    $$z \leftarrow z - \eta\left(\frac{g}{\sqrt{v/(1-\beta_2^t)} + \epsilon}
    + \lambda w\right) \qquad x \leftarrow (1-c)\,x + c\,z, \quad
    c = \frac{\eta^2}{\sum_{i \le t} \eta_i^2}$$

    `state.x` is what to predict with; `weights` of the optimizer returns it, and so
    does ``cg.training.fit``.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    beta1, beta2 : float
        From 0 to below 1.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit. At 0, a weight that has
        not had a gradient yet becomes nan, for its step is 0 / 0.
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
    [Defazio and others (2024)][defazio2024].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.schedule_free_adamw(lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.9, 0.9])
    """
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
        return ScheduleFreeState(0, w.copy(), w.copy(), np.zeros_like(w), 0.0)

    @np.errstate(invalid="ignore")  # inf - inf is nan
    def step(
        w: Array, grad: Array, state: ScheduleFreeState
    ) -> tuple[Array, ScheduleFreeState]:
        arrays.step("schedule_free_adamw.step", w, grad, state, ScheduleFreeState)
        eta = _rate("schedule_free_adamw.step", lr, state.t, w)
        t = state.t + 1
        v = beta2 * state.v + (1 - beta2) * grad**2
        along = grad / (np.sqrt(v / (1 - beta2**t)) + eps) + weight_decay * w
        z = state.z - eta * along
        part, total = share(eta, state.total)
        x = (1 - part) * state.x + part * z
        w = (1 - beta1) * z + beta1 * x
        return w, ScheduleFreeState(t, z, x, v, total)

    return Optimizer(init, step, lambda _, state: state.x, lr)


class BarzilaiBorweinState(NamedTuple):
    """State of `barzilai_borwein`: the point before, its gradient, the last rate."""

    t: int
    w: Array
    grad: Array
    eta: Array


def barzilai_borwein(lr: Rate) -> Optimizer:
    r"""A rate from two points: what a quadratic with this change of slope would want.

    With $s = w - w'$ and $y = g - g'$, the change since the step before:

    $$\eta = \frac{s \cdot s}{s \cdot y} \qquad w \leftarrow w - \eta g$$

    Where the slope did not grow along the step, $s \cdot y \le 0$, the last rate stays.
    It is meant for gradients without noise.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: the rate of the first step.

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
    [Barzilai and Borwein (1988)][barzilai1988].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.barzilai_borwein(lr=0.05)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.95, 0.5 ])
    """
    lr = check.rate("barzilai_borwein", lr)

    def init(w: Array) -> BarzilaiBorweinState:
        arrays.weights("barzilai_borwein.init", w)
        zeros = np.zeros_like(w)
        return BarzilaiBorweinState(0, w.copy(), zeros, zeros[..., :1].copy())

    def step(
        w: Array, grad: Array, state: BarzilaiBorweinState
    ) -> tuple[Array, BarzilaiBorweinState]:
        arrays.step("barzilai_borwein.step", w, grad, state, BarzilaiBorweinState)
        eta = _rate("barzilai_borwein.step", lr, state.t, w)
        s, y = w - state.w, grad - state.grad
        bend = (s * y).sum(-1, keepdims=True)
        grows = (bend > 0) & (state.t > 0)
        last = state.eta if state.t else np.zeros_like(state.eta) + eta
        ratio = (s * s).sum(-1, keepdims=True) / np.where(grows, bend, 1)
        eta = np.where(grows, ratio, last)
        state = BarzilaiBorweinState(state.t + 1, w.copy(), grad.copy(), eta)
        return w - eta * grad, state

    return Optimizer(init, step, lr=lr)


class DogState(NamedTuple):
    """State of `dog`: where it started, the distance come, the sum of squared norms."""

    t: int
    start: Array
    far: Array
    total: Array


def dog(lr: Rate = 1.0, *, eps: float = 1e-8) -> Optimizer:
    r"""Distance over gradients: a rate for each step that nobody has to choose.

    $$r \leftarrow \max(r,\ \lVert w - w_0\rVert) \qquad
    G \leftarrow G + \lVert g\rVert^2 \qquad
    w \leftarrow w - \eta\,\frac{r}{\sqrt{G + \epsilon}}\,g$$

    $r$ starts at $10^{-6}(1 + \lVert w_0\rVert)$. The paper predicts with an average of
    the walk: wrap it in `averaged`.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: a factor; the paper has 1.
    eps : float
        $\epsilon$, 0 or more, in the square of the gradient's unit. At 0, as long as
        no weight has had a gradient, all become nan, for the step is 0 / 0.

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
    [Ivgi, Hinder and Carmon (2023)][ivgi2023].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.dog()
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.99999976, 0.9999976 ])
    """
    lr = check.rate("dog", lr)
    eps = check.number("dog", "eps", eps, low=0)

    def init(w: Array) -> DogState:
        arrays.weights("dog.init", w)
        far = 1e-6 * (1 + _norm(w))
        return DogState(0, w.copy(), far, np.zeros_like(far))

    @np.errstate(invalid="ignore")  # inf - inf is nan
    def step(w: Array, grad: Array, state: DogState) -> tuple[Array, DogState]:
        arrays.step("dog.step", w, grad, state, DogState)
        eta = _rate("dog.step", lr, state.t, w)
        far = np.maximum(state.far, _norm(w - state.start))
        total = state.total + _norm(grad) ** 2
        w = w - eta * far / np.sqrt(total + eps) * grad
        return w, DogState(state.t + 1, state.start.copy(), far, total)

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
    r"""Adam whose rate is a running estimate $d$ of the distance to the minimum.

    $$m \leftarrow \beta_1 m + (1-\beta_1)\,d g \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\,d^2 g^2$$

    $$r \leftarrow \sqrt{\beta_2}\,r + (1-\sqrt{\beta_2})\,\eta d^2\,g \cdot (w_0 - w)
    \qquad s \leftarrow \sqrt{\beta_2}\,s + (1-\sqrt{\beta_2})\,\eta d^2 g$$

    $$w \leftarrow w - \eta d\,\frac{m}{\sqrt v + d \epsilon} \qquad
    d \leftarrow \max(d,\ r / \lVert s\rVert_1)$$

    Convention: as the paper's Algorithm 4, with no bias correction; $d$ starts at
    $10^{-6}$ and never shrinks.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: a factor; the paper has 1, under a schedule that ends at 0.
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
    [Mishchenko and Defazio (2024)][mishchenko2024].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.prodigy()
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.99999684, 0.99999684])
    """
    lr = check.rate("prodigy", lr)
    beta1 = check.number("prodigy", "beta1", beta1, low=0, high=1, open_high=True)
    beta2 = check.number("prodigy", "beta2", beta2, low=0, high=1, open_high=True)
    eps = check.number("prodigy", "eps", eps, low=0)

    def init(w: Array) -> ProdigyState:
        arrays.weights("prodigy.init", w)
        zeros = [np.zeros_like(w) for _ in range(3)]
        one = np.zeros_like(w[..., :1])
        m, v, s = zeros
        return ProdigyState(0, m, v, w.copy(), s, one, one + 1e-6)

    def step(w: Array, grad: Array, state: ProdigyState) -> tuple[Array, ProdigyState]:
        arrays.step("prodigy.step", w, grad, state, ProdigyState)
        eta = _rate("prodigy.step", lr, state.t, w)
        slow, d = math.sqrt(beta2), state.d
        m = beta1 * state.m + (1 - beta1) * d * grad
        v = beta2 * state.v + (1 - beta2) * (d * grad) ** 2
        pull = (grad * (state.start - w)).sum(-1, keepdims=True)
        r = slow * state.r + (1 - slow) * eta * d**2 * pull
        s = slow * state.s + (1 - slow) * eta * d**2 * grad
        w = w - eta * d * m / (np.sqrt(v) + np.maximum(d * eps, _TINY))
        reach = abs(s).sum(-1, keepdims=True)
        d = np.maximum(d, r / np.where(reach > 0, reach, 1))
        return w, ProdigyState(state.t + 1, m, v, state.start.copy(), s, r, d)

    return Optimizer(init, step, lr=lr)


class HypergradientState(NamedTuple):
    """State of `hypergradient`: the gradient before, and the rate."""

    t: int
    grad: Array
    eta: Array


def hypergradient(lr: Rate = 1e-2, *, hyper_lr: float = 1e-4) -> Optimizer:
    r"""Gradient descent on the rate itself.

    The slope of the loss with respect to the rate of the step before is
    $-g \cdot g'$, where $g'$ is the gradient before. So the rate walks too:

    $$\eta \leftarrow \eta + \beta\,g \cdot g' \qquad w \leftarrow w - \eta g$$

    Two gradients that point the same way raise it, two that oppose each other lower it.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: the rate of the first step.
    hyper_lr : float
        $\beta$, 0 or more: the rate of the rate.

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
    [Baydin and others (2018)][baydin2018].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.hypergradient(lr=0.05)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.95, 0.5 ])
    """
    lr = check.rate("hypergradient", lr)
    hyper_lr = check.number("hypergradient", "hyper_lr", hyper_lr, low=0)

    def init(w: Array) -> HypergradientState:
        arrays.weights("hypergradient.init", w)
        return HypergradientState(0, np.zeros_like(w), np.zeros_like(w[..., :1]))

    def step(
        w: Array, grad: Array, state: HypergradientState
    ) -> tuple[Array, HypergradientState]:
        arrays.step("hypergradient.step", w, grad, state, HypergradientState)
        eta = _rate("hypergradient.step", lr, state.t, w)
        before = state.eta if state.t else np.zeros_like(state.eta) + eta
        rate = before + hyper_lr * (grad * state.grad).sum(-1, keepdims=True)
        return w - rate * grad, HypergradientState(state.t + 1, grad.copy(), rate)

    return Optimizer(init, step, lr=lr)


class ClippedState(NamedTuple):
    """State of `clipped`: the steps done and the state of what it wraps."""

    t: int
    inner: Any


def clipped(
    optimizer: Optimizer, *, norm: float | None = None, value: float | None = None
) -> Optimizer:
    r"""Shorten long gradients before another optimizer sees them.

    By norm, $g \leftarrow g \cdot \min(1, c/\lVert g\rVert)$ keeps the direction; each
    network has its own norm. By value, every entry is cut to $[-c, c]$.

    Parameters
    ----------
    optimizer : Optimizer
        Who steps.
    norm, value : float
        $c$, above 0. Give one of the two.

    Returns
    -------
    Optimizer
        As `optimizer`.

    Raises
    ------
    ValueError
        If not exactly one of `norm` and `value` is given, or it is not above 0.

    References
    ----------
    [Pascanu, Mikolov and Bengio (2013)][pascanu2013].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.clipped(cg.optimizers.sgd(lr=1.0), norm=5.0)
    >>> w = cg.array([0.0, 0.0])
    >>> w, state = opt.step(w, cg.array([30.0, 40.0]), opt.init(w))
    >>> w
    array([-3., -4.])
    """
    check.optimizer("clipped", optimizer)
    limit, by_norm = check.one_limit("clipped", norm=norm, value=value)

    def init(w: Array) -> ClippedState:
        return ClippedState(0, optimizer.init(w))

    def step(w: Array, grad: Array, state: ClippedState) -> tuple[Array, ClippedState]:
        check.state("clipped.step", state, ClippedState)
        arrays.real("clipped.step", "grad", grad)
        if by_norm:
            # In units of the largest entry: the square of a large one is infinite.
            unit = np.maximum(abs(grad).max(-1, keepdims=True), limit)
            direction = grad / unit
            length = np.maximum(_norm(direction), limit / unit)
            short = length <= limit / unit
            grad = np.where(short, grad, direction * (limit / length))
        else:
            grad = np.clip(grad, -limit, limit)
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
    r"""Predict with an average of the walk (EMA); the walk itself stays as it is.

    $$\bar w \leftarrow \beta_t \bar w + (1-\beta_t)\,w, \qquad
    \beta_t = \min\left(\beta,\ \tfrac{t}{t+1}\right)$$

    So it is the plain mean of the places until there are $1/(1-\beta)$ of them, the
    start among them.

    Parameters
    ----------
    optimizer : Optimizer
        Who steps.
    decay : float
        $\beta$, from 0 to below 1.

    Returns
    -------
    Optimizer
        As `optimizer`; its `weights` returns the average, and so does
        ``cg.training.fit``.

    Raises
    ------
    TypeError, ValueError
        If `decay` is out of its range.

    References
    ----------
    [Polyak and Juditsky (1992)][polyak1992].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.averaged(cg.optimizers.sgd(lr=1.0))
    >>> w = cg.array([1.0])
    >>> w, state = opt.step(w, cg.array([1.0]), opt.init(w))
    >>> w, opt.weights(w, state)
    (array([0.]), array([0.5]))
    """
    check.optimizer("averaged", optimizer)
    decay = check.number("averaged", "decay", decay, low=0, high=1, open_high=True)

    def init(w: Array) -> AveragedState:
        arrays.weights("averaged.init", w)
        return AveragedState(0, w.copy(), optimizer.init(w))

    def step(
        w: Array, grad: Array, state: AveragedState
    ) -> tuple[Array, AveragedState]:
        check.state("averaged.step", state, AveragedState)
        w, inner = optimizer.step(w, grad, state.inner)
        t = state.t + 1
        keep = min(decay, t / (t + 1))
        return w, AveragedState(t, keep * state.mean + (1 - keep) * w, inner)

    return Optimizer(init, step, lambda _, state: state.mean, optimizer.lr)


# What keeps 0 / 0 from being nan where every gradient was 0.
_TINY = 1e-30


def _norm(x: Array) -> Array:
    """Length of the last axis, which stays."""
    length: Array = np.linalg.norm(x, axis=-1, keepdims=True)
    return length


def trust(beta2: float, t: int) -> float:
    """RAdam's factor r after t steps; 0 while v cannot be trusted."""
    most = 2 / (1 - beta2) - 1
    rho = most - 2 * t * beta2**t / (1 - beta2**t)
    if rho <= 5:
        return 0.0
    return math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))


def share(eta: Any, total: float) -> tuple[float, float]:
    """What a step weighs in the average of all, and the sum of weights with it.

    A step weighs as the square of its rate; an array of rates does not change.
    """
    weight = eta * eta if isinstance(eta, float) else 1.0
    total += weight
    return weight / total if total else 0.0, total
