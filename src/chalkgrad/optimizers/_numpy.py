"""Optimizers, NumPy backend: the reference.

An optimizer is two functions: ``state = opt.init(w)`` and
``w, state = opt.step(w, grad, state)``. Here `step` returns new arrays and leaves what
it was given as it was; the PyTorch backend updates in place. Rebind, and both are the
same.

`lr` may be a number, a schedule from ``cg.schedules``, or an array of shape (m, 1): a
rate for each of m networks whose weights are the rows of `w`. `t` counts the steps.
What is one number a network, as a norm, has shape (..., 1).
"""

# The type of `lr` says what a reader gives; the formula gets the rate of its step.
# mypy: disable-error-code="operator"

import math
from typing import Any, Final

import numpy as np

from chalkgrad._core._numpy import Array, arrays
from chalkgrad._core.spec import (
    Decay,
    Growth,
    Limit,
    Net,
    NonNegative,
    Rate,
    Share,
    Shrinkage,
)
from chalkgrad._core.types import Optimizer
from chalkgrad.optimizers._plan_numpy import plan
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
    check_momentum,
    check_one_limit,
    check_steps,
    fall,
    get_average,
    get_mean,
    layers,
    look_ahead,
    orthogonalize,
    root,
    share,
    start_asgd,
    start_barzilai_borwein,
    start_dog,
    start_hypergradient,
    start_nadam,
    start_prodigy,
    start_schedule_free,
    trust,
    wait,
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

rules: Rules = Rules(arrays, plan)
rule: Final = rules.rule
wrapper: Final = rules.wrapper
in_units: Final = arrays.in_units
norm: Final = arrays.norm


@rule(SgdState, check=check_momentum)
def sgd(
    w: Array, g: Array, t: int, s: SgdState, /, lr: Rate, *,
    momentum: Decay = 0.0, dampening: Share = 0.0, nesterov: bool = False,
    weight_decay: NonNegative = 0.0,
) -> tuple[Array, SgdState]:  # fmt: skip
    r"""Gradient descent, with momentum if you like.

    $$g \leftarrow g + \lambda w \qquad v \leftarrow \mu v + (1-\tau)\,g \qquad
    w \leftarrow w - \eta v$$

    Nesterov's form steps along $g + \mu v$ instead. "Stochastic" is not in the formula:
    it says that $g$ comes from a few examples drawn at random.

    Convention: as in PyTorch, $\eta$ multiplies the velocity, so that a change of rate
    acts at once; the first velocity is the first gradient, which nothing dampens. The
    decay is coupled: the gradient of a term $\tfrac\lambda2 \lVert w \rVert^2$ of the
    loss.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    momentum : float
        $\mu$, from 0 to below 1.
    dampening : float
        $\tau$, from 0 to 1: how much of a gradient the velocity leaves out; needs
        momentum.
    nesterov : bool
        Look ahead; needs momentum, and no dampening.
    weight_decay : float
        $\lambda$, 0 or more.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range; from `step`, if `grad` does not fit `w`, is
        not finite, or is too large to be squared where the formula does: then nothing
        has changed.

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
    g = g + weight_decay * w if weight_decay else g
    fresh = (1 - dampening) * g if dampening and t > 1 else g
    v = momentum * s.v + fresh
    along = g + momentum * v if nesterov else v
    return w - lr * along, SgdState(t, v)


@rule(AdagradState, squares=True)
def adagrad(
    w: Array, g: Array, t: int, s: AdagradState, /, lr: Rate = 1e-2, *,
    eps: NonNegative = 1e-10,
) -> tuple[Array, AdagradState]:  # fmt: skip
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
    v = s.v + g**2
    return w - lr * g / (np.sqrt(v) + eps), AdagradState(t, v)


@rule(RmspropState, squares=True, momentum=RmspropWalkState, centered=RmspropWalkState)
def rmsprop(
    w: Array, g: Array, t: int, s: Any, /, lr: Rate = 1e-2, *,
    decay: Decay = 0.99, eps: NonNegative = 1e-8, momentum: Decay = 0.0,
    centered: bool = False,
) -> tuple[Array, Any]:  # fmt: skip
    r"""Adagrad that forgets: the squared gradients are averaged, not summed.

    $$v \leftarrow \beta v + (1-\beta)\,g^2
    \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt v + \epsilon}$$

    With `centered`, $v$ is the variance of the gradients about their mean $m$, and with
    `momentum` $\mu$ the step goes along $u$:

    $$v \leftarrow \beta\,(v + (1-\beta)(g-m)^2)
    \qquad m \leftarrow m + (1-\beta)(g-m)$$

    $$u \leftarrow \mu u + \frac{g}{\sqrt v + \epsilon}
    \qquad w \leftarrow w - \eta u$$

    Convention: $\epsilon$ outside the root, no bias correction, as in PyTorch. There
    the variance is the difference of two means, of which rounding may leave no digit.
    Hinton's slide has $\beta = 0.9$; the centred form is Graves'.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    decay : float
        $\beta$, from 0 to below 1.
    eps : float
        $\epsilon$, 0 or more, in the gradient's unit. At 0, a weight that has
        not had a gradient yet becomes nan, for its step is 0 / 0.
    momentum : float
        $\mu$, from 0 to below 1.
    centered : bool
        Divide by the spread of the gradients, not by their size.

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
    >>> w.round(decimals=6)
    array([0.9, 0.9])
    """
    off, share_v = (g - s.m, decay * (1 - decay)) if centered else (g, 1 - decay)
    v = decay * s.v + share_v * off**2
    if not (momentum or centered):
        return w - lr * g / (np.sqrt(v) + eps), RmspropState(t, v)
    m, u = s.m + centered * (1 - decay) * off, momentum * s.u + g / (np.sqrt(v) + eps)
    return w - lr * u, RmspropWalkState(t, v, m, u)


@rule(AdamState, squares=True, amsgrad=AmsgradState)
def adam(
    w: Array, g: Array, t: int, s: Any, /, lr: Rate = 1e-3, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8,
    amsgrad: bool = False,
) -> tuple[Array, Any]:  # fmt: skip
    r"""Momentum and a rate for each weight, both corrected for their start at 0.

    $$m \leftarrow \beta_1 m + (1-\beta_1)\,g \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\,g^2$$

    $$w \leftarrow w - \eta\,\frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \epsilon}$$

    Convention: $t$ is 1 in the first step; $\epsilon$ is outside the root, added after
    the correction, as in the paper's Algorithm 1 and in PyTorch. With `amsgrad` the
    largest $v$ so far takes the place of $v$ in the step; it is not corrected before it
    is compared, as in PyTorch.

    In float32 the square of a gradient below $10^{-23}$ is 0, and that of one above
    $10^{19}$ infinite. The first is divided by $\epsilon$ alone; the second is refused,
    for the weights would stand still without a word.

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
    m = beta1 * s.m + (1 - beta1) * g
    v = beta2 * s.v + (1 - beta2) * g**2
    top = np.maximum(s.top, v) if amsgrad else v
    m_hat, v_hat = m / (1 - beta1**t), top / (1 - beta2**t)
    w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
    return w, AmsgradState(t, m, v, top) if amsgrad else AdamState(t, m, v)


@rule(AdamState, squares=True)
def adamw(
    w: Array, g: Array, t: int, s: AdamState, /, lr: Rate = 1e-3, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8,
    weight_decay: NonNegative = 1e-2,
) -> tuple[Array, AdamState]:  # fmt: skip
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
    m = beta1 * s.m + (1 - beta1) * g
    v = beta2 * s.v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    kept = w * (1 - lr * weight_decay)
    return kept - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


@rule(AdadeltaState, squares=True)
def adadelta(
    w: Array, g: Array, t: int, s: AdadeltaState, /, lr: Rate = 1.0, *,
    decay: Decay = 0.9, eps: NonNegative = 1e-6,
) -> tuple[Array, AdadeltaState]:  # fmt: skip
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
    v = decay * s.v + (1 - decay) * g**2
    delta = np.sqrt(s.u + eps) / np.sqrt(v + eps) * g
    u = decay * s.u + (1 - decay) * delta**2
    return w - lr * delta, AdadeltaState(t, v, u)


@rule(NadamState, squares=True, start=start_nadam)
def nadam(
    w: Array, g: Array, t: int, s: NadamState, /, lr: Rate = 2e-3, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8,
) -> tuple[Array, NadamState]:  # fmt: skip
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
    now, ahead = look_ahead(beta1, t), look_ahead(beta1, t + 1)
    mu = s.mu * now
    m = beta1 * s.m + (1 - beta1) * g
    v = beta2 * s.v + (1 - beta2) * g**2
    along = (1 - now) / (1 - mu) * g + ahead / (1 - mu * ahead) * m
    scale = np.sqrt(v / (1 - beta2**t)) + eps
    return w - lr * along / scale, NadamState(t, m, v, mu)


@rule(AdamState, squares=True)
def radam(
    w: Array, g: Array, t: int, s: AdamState, /, lr: Rate = 1e-3, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8,
) -> tuple[Array, AdamState]:  # fmt: skip
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
    m = beta1 * s.m + (1 - beta1) * g
    v = beta2 * s.v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    if t > wait(beta2):
        m_hat = m_hat * trust(beta2, t) * root(beta2, t) / (np.sqrt(v) + eps)
    return w - lr * m_hat, AdamState(t, m, v)


@rule(AdamaxState)
def adamax(
    w: Array, g: Array, t: int, s: AdamaxState, /, lr: Rate = 2e-3, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8,
) -> tuple[Array, AdamaxState]:  # fmt: skip
    r"""Adam that divides by the largest gradient of late, not by a mean of squares.

    $$m \leftarrow \beta_1 m + (1-\beta_1)\,g \qquad
    u \leftarrow \max(\beta_2 u,\ |g| + \epsilon) \qquad
    w \leftarrow w - \frac{\eta}{1-\beta_1^t}\,\frac{m}{u}$$

    A step is never longer than about $\eta$. Nothing corrects $u$ for its start at 0:
    the first gradient takes its place.

    Convention: $\epsilon$ is added to $|g|$, as in PyTorch; the paper has none.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: about how far a weight moves in a step.
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
    [Kingma and Ba (2015)][kingma2015], Algorithm 2.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.adamax(lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w
    array([0.9, 0.9])
    """
    m = beta1 * s.m + (1 - beta1) * g
    u = np.maximum(beta2 * s.u, abs(g) + eps)
    return w - lr / (1 - beta1**t) * m / u, AdamaxState(t, m, u)


@rule(RpropState, check=check_steps)
def rprop(
    w: Array, g: Array, t: int, s: RpropState, /, lr: Rate = 1e-2, *,
    shrink: Shrinkage = 0.5, grow: Growth = 1.2,
    smallest: NonNegative = 1e-6, largest: NonNegative = 50.0,
) -> tuple[Array, RpropState]:  # fmt: skip
    r"""A step for each weight, which grows until the sign of its gradient turns.

    Only signs count. With $g'$ the gradient before, each weight has

    $$\eta \leftarrow \begin{cases}
    \gamma\,\eta & g g' > 0 \\ \sigma\,\eta & g g' < 0 \\ \eta & g g' = 0
    \end{cases} \qquad w \leftarrow w - \eta\,\mathrm{sign}(g)$$

    Where the sign turned, the weight waits for one step, and its gradient counts as 0
    in the next. It is meant for gradients without noise.

    Convention: as in PyTorch, a weight waits where the sign turned; the paper takes its
    step back. The first step is $\eta$ as given, also outside of the two bounds.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$ of the first step, 0 or more.
    shrink : float
        $\sigma$, above 0 and below 1.
    grow : float
        $\gamma$, above 1.
    smallest, largest : float
        Bounds of $\eta$ after the first step, 0 or more.

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
    [Riedmiller and Braun (1993)][riedmiller1993].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.rprop(lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([1.0, 10.0]), opt.init(w))
    >>> w, state = opt.step(w, cg.array([2.0, -10.0]), state)
    >>> w, state.eta
    (array([0.78, 0.9 ]), array([0.12, 0.05]))
    """
    turn = np.sign(g) * np.sign(s.grad)
    eta = np.where(turn > 0, s.eta * grow, np.where(turn < 0, s.eta * shrink, s.eta))
    eta = np.clip(eta, smallest, largest) if t > 1 else np.zeros_like(w) + lr
    g = np.where(turn < 0, 0, g)
    return w - np.sign(g) * eta, RpropState(t, g, eta)


@rule(AsgdState, start=start_asgd, weights=get_average)
def asgd(
    w: Array, g: Array, t: int, s: AsgdState, /, lr: Rate = 1e-2, *,
    weight_decay: NonNegative = 1e-4, power: NonNegative = 0.75,
    delay: NonNegative = 1e6,
) -> tuple[Array, AsgdState]:  # fmt: skip
    r"""Gradient descent with a rate that falls, and the average of its walk.

    $$\eta_t = \frac{\eta}{(1 + \lambda\eta\,(t-1))^{\alpha}} \qquad
    w \leftarrow (1 - \lambda\eta_t)\,w - \eta_t\,g$$

    $$x \leftarrow (1-\mu)\,x + \mu\,w, \quad \mu = \frac{1}{\max(1,\ t - 1 - t_0)}$$

    `state.x` is what to predict with; `weights` of the optimizer returns it, and so
    does ``cg.training.fit``. Up to step $t_0$ it is $w$ itself.

    Convention: as in PyTorch, where the average is left in the state of the optimizer.

    Parameters
    ----------
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more.
    weight_decay : float
        $\lambda$, 0 or more; it shrinks the rate, too.
    power : float
        $\alpha$, 0 or more: how fast the rate falls.
    delay : float
        $t_0$, 0 or more: the step after which the average begins.

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
    [Polyak and Juditsky (1992)][polyak1992].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.asgd(lr=0.1, weight_decay=0.0, delay=0)
    >>> w = cg.array([1.0])
    >>> state = opt.init(w)
    >>> for _ in range(3):
    ...     w, state = opt.step(w, cg.array([1.0]), state)
    >>> w, opt.weights(w, state)
    (array([0.7]), array([0.75]))
    """
    eta = fall(lr, weight_decay, power, t)
    w, mu = (1 - weight_decay * eta) * w - eta * g, 1 / max(1, t - 1 - delay)
    return w, AsgdState(t, (1 - mu) * s.x + mu * w)


@rule(LionState)
def lion(
    w: Array, g: Array, t: int, s: LionState, /, lr: Rate = 1e-4, *,
    beta1: Decay = 0.9, beta2: Decay = 0.99, weight_decay: NonNegative = 0.0,
) -> tuple[Array, LionState]:  # fmt: skip
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
    along = np.sign(beta1 * s.m + (1 - beta1) * g)
    m = beta2 * s.m + (1 - beta2) * g
    return w * (1 - lr * weight_decay) - lr * along, LionState(t, m)


@rule(AdamState, squares=True, per_network=True)
@np.errstate(invalid="ignore")  # inf - inf is nan
def lamb(
    w: Array, g: Array, t: int, s: AdamState, /, net: Net, lr: Rate = 1e-3, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-6,
    weight_decay: NonNegative = 1e-2,
) -> tuple[Array, AdamState]:  # fmt: skip
    r"""Adam for large batches: a layer steps in proportion to its own length.

    With $\hat m$ and $\hat v$, the corrected means of `adam`, and $w_l$ the weights of
    a layer:

    $$u = \frac{\hat m}{\sqrt{\hat v} + \epsilon} + \lambda w \qquad
    w_l \leftarrow w_l - \eta\,\frac{\lVert w_l \rVert}{\lVert u_l \rVert}\,u_l$$

    Where one of the two lengths is 0, their ratio counts as 1.

    Convention: a layer is its matrix and its bias together; $\phi(x) = x$ in the words
    of the paper.

    Parameters
    ----------
    net : Network
        The network whose weights step; it says what a layer is.
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: the share of its length by which a layer moves in a step.
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
    TypeError, ValueError, ShapeError
        As `sgd`; if `net` is no network, or `w` not its weights.

    References
    ----------
    [You and others (2020)][you2020].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.lamb(cg.network([1, 1]), lr=0.1, weight_decay=0.0)
    >>> w = cg.array([3.0, 4.0])
    >>> w, state = opt.step(w, cg.array([1.0, 1.0]), opt.init(w))
    >>> w  # by a tenth of its length, 5
    array([2.64644661, 3.64644661])
    """
    m = beta1 * s.m + (1 - beta1) * g
    v = beta2 * s.v + (1 - beta2) * g**2
    u = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps) + weight_decay * w
    for layer, _ in layers(net):
        size, length = norm(w[..., layer]), norm(u[..., layer])
        u[..., layer] *= np.where(size > 0, size, length) / np.where(length, length, 1)
    return w - lr * u, AdamState(t, m, v)


@rule(MuonState, per_network=True)
def muon(
    w: Array, g: Array, t: int, s: MuonState, /, net: Net, lr: Rate = 2e-2, *,
    momentum: Decay = 0.95, nesterov: bool = True, weight_decay: NonNegative = 0.0,
) -> tuple[Array, MuonState]:  # fmt: skip
    r"""Momentum made orthogonal: a layer moves as far in each of its directions.

    $$m \leftarrow \mu m + (1-\mu)\,g \qquad
    w_l \leftarrow (1-\eta\lambda)\,w_l - \eta\,\gamma_l\,\mathrm{orth}(u_l)$$

    $u = \mu m + (1-\mu)\,g$ with `nesterov`, else $m$. Of $u_l = U \Sigma V^\top$, the
    matrix of a layer, $\mathrm{orth}(u_l)$ is about $U V^\top$: five steps of Newton
    and Schulz bring the singular values to between 0.7 and 1.2. For a layer with d
    inputs and k outputs, $\gamma_l = \sqrt{\max(1,\ k/(d+1))}$.

    Convention: as in PyTorch, which has $\lambda = 0.1$ and rounds the product to
    bfloat16. A layer's bias is a row of its matrix, the weights of an input that is 1;
    elsewhere biases are mostly left to `adamw`.

    Parameters
    ----------
    net : Network
        The network whose weights step; it says what a layer is.
    lr : float, Array of shape (m, 1), or schedule
        $\eta$, 0 or more: about how far a layer moves in each direction.
    momentum : float
        $\mu$, from 0 to below 1.
    nesterov : bool
        Look ahead.
    weight_decay : float
        $\lambda$, 0 or more.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`.

    Raises
    ------
    TypeError, ValueError, ShapeError
        As `sgd`; if `net` is no network, or `w` not its weights.

    References
    ----------
    [Jordan and others (2024)][jordan2024].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.muon(cg.network([1, 1]), lr=0.1)
    >>> w = cg.array([1.0, 1.0])
    >>> w, state = opt.step(w, cg.array([3.0, 4.0]), opt.init(w))
    >>> w  # one direction, so by about 0.1 along the gradient
    array([0.95821382, 0.94428509])
    """
    m = momentum * s.m + (1 - momentum) * g
    u = momentum * m + (1 - momentum) * g if nesterov else m.copy()
    for layer, shape in layers(net):
        length = norm(u[..., layer])
        unit = u[..., layer] / np.where(length > 0, length, 1)
        u[..., layer] = orthogonalize(unit, shape)
    return w * (1 - lr * weight_decay) - lr * u, MuonState(t, m)


@rule(ScheduleFreeState, squares=True, start=start_schedule_free, weights=get_average)
@np.errstate(invalid="ignore")  # inf - inf is nan
def schedule_free_adamw(
    w: Array, g: Array, t: int, s: ScheduleFreeState, /, lr: Rate = 2.5e-3, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8,
    weight_decay: NonNegative = 0.0,
) -> tuple[Array, ScheduleFreeState]:  # fmt: skip
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
    v = beta2 * s.v + (1 - beta2) * g**2
    along = g / (np.sqrt(v / (1 - beta2**t)) + eps) + weight_decay * w
    z = s.z - lr * along
    part, total = share(lr, s.total, t)
    x = (1 - part) * s.x + part * z
    return (1 - beta1) * z + beta1 * x, ScheduleFreeState(t, z, x, v, total)


@rule(BarzilaiBorweinState, start=start_barzilai_borwein, per_network=True)
@np.errstate(invalid="ignore")  # inf / inf is nan
def barzilai_borwein(
    w: Array, g: Array, t: int, s: BarzilaiBorweinState, /, lr: Rate,
) -> tuple[Array, BarzilaiBorweinState]:  # fmt: skip
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
    # Each in units of its largest entry: a product of two large ones is infinite.
    (d, d_unit), (y, y_unit) = map(in_units, (w - s.w, g - s.grad))
    bend = (d * y).sum(-1, keepdims=True)
    grows = (bend > 0) & (t > 1)
    ratio = (d * d).sum(-1, keepdims=True) / np.where(grows, bend, 1)
    last = s.eta if t > 1 else np.zeros_like(s.eta) + lr
    eta = np.where(grows, ratio * (d_unit / y_unit), last)
    return w - eta * g, BarzilaiBorweinState(t, w.copy(), g.copy(), eta)


@rule(DogState, start=start_dog, per_network=True)
@np.errstate(invalid="ignore")  # inf - inf is nan
def dog(
    w: Array, g: Array, t: int, s: DogState, /, lr: Rate = 1.0, *,
    eps: NonNegative = 1e-8,
) -> tuple[Array, DogState]:  # fmt: skip
    r"""Distance over gradients: a rate for each step that nobody has to choose.

    $$r \leftarrow \max(r,\ \lVert w - w_0\rVert) \qquad
    G \leftarrow G + \lVert g\rVert^2 \qquad
    w \leftarrow w - \eta\,\frac{r}{\sqrt{G + \epsilon}}\,g$$

    $r$ starts at $10^{-6}(1 + \lVert w_0\rVert)$. The state keeps $\sqrt G$, for the
    square of a large gradient is infinite. The paper predicts with an average of
    the walk: wrap it in `ema`.

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
    far = np.maximum(s.far, norm(w - s.start))
    total = np.hypot(s.total, norm(g))
    w = w - lr * far / np.hypot(total, math.sqrt(eps)) * g
    return w, DogState(t, s.start.copy(), far, total)


@rule(ProdigyState, squares=True, start=start_prodigy, per_network=True)
def prodigy(
    w: Array, g: Array, t: int, s: ProdigyState, /, lr: Rate = 1.0, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8,
) -> tuple[Array, ProdigyState]:  # fmt: skip
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
    slow, d = math.sqrt(beta2), s.d
    m = beta1 * s.m + (1 - beta1) * d * g
    v = beta2 * s.v + (1 - beta2) * (d * g) ** 2
    r = slow * s.r + (1 - slow) * lr * d**2 * (g * (s.start - w)).sum(-1, keepdims=True)
    far = slow * s.s + (1 - slow) * lr * d**2 * g
    w = w - lr * d * m / (np.sqrt(v) + np.maximum(d * eps, TINY))
    reach = abs(far).sum(-1, keepdims=True)
    d = np.maximum(d, r / np.where(reach > 0, reach, 1))
    return w, ProdigyState(t, m, v, s.start.copy(), far, r, d)


@rule(HypergradientState, squares=True, start=start_hypergradient, per_network=True)
def hypergradient(
    w: Array, g: Array, t: int, s: HypergradientState, /, lr: Rate = 1e-2, *,
    hyper_lr: NonNegative = 1e-4,
) -> tuple[Array, HypergradientState]:  # fmt: skip
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
    before = s.eta if t > 1 else np.zeros_like(s.eta) + lr
    eta = before + (hyper_lr * g * s.grad).sum(-1, keepdims=True)
    return w - eta * g, HypergradientState(t, g.copy(), eta)


@wrapper(ClipState, check=check_one_limit)
def clip(
    w: Array, g: Array, s: ClipState, /, optimizer: Optimizer, *,
    norm: Limit = None, value: Limit = None,
) -> tuple[Array, ClipState]:  # fmt: skip
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
    >>> opt = cg.optimizers.clip(cg.optimizers.sgd(lr=1.0), norm=5.0)
    >>> w = cg.array([0.0, 0.0])
    >>> w, state = opt.step(w, cg.array([30.0, 40.0]), opt.init(w))
    >>> w
    array([-3., -4.])
    """
    if norm is not None:
        unit = np.maximum(abs(g).max(-1, keepdims=True), norm)  # no square overflows
        direction = g / unit
        length = np.maximum(arrays.norm(direction), norm / unit)
        g = np.where(length <= norm / unit, g, direction * (norm / length))
    if value is not None:
        g = np.clip(g, -value, value)
    w, inner = optimizer.step(w, g, s.inner)
    return w, ClipState(s.t + 1, inner)


@wrapper(EmaState, weights=get_mean, uses=())
def ema(
    w: Array, g: Array, s: EmaState, /, optimizer: Optimizer, *,
    decay: Decay = 0.999,
) -> tuple[Array, EmaState]:  # fmt: skip
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
    >>> opt = cg.optimizers.ema(cg.optimizers.sgd(lr=1.0))
    >>> w = cg.array([1.0])
    >>> w, state = opt.step(w, cg.array([1.0]), opt.init(w))
    >>> w, opt.weights(w, state)
    (array([0.]), array([0.5]))
    """
    w, inner = optimizer.step(w, g, s.inner)
    t = s.t + 1
    keep = min(decay, t / (t + 1))
    return w, EmaState(t, keep * s.mean + (1 - keep) * w, inner)


@wrapper()
def maximize(w: Array, g: Array, s: Any, /, optimizer: Optimizer) -> tuple[Array, Any]:
    r"""Go up: give another optimizer the gradient of $-L$.

    $$g \leftarrow -g$$

    Parameters
    ----------
    optimizer : Optimizer
        Who steps.

    Returns
    -------
    Optimizer
        As `optimizer`, with its state.

    Raises
    ------
    TypeError
        If `optimizer` is none.

    References
    ----------
    Uphill is downhill of the other sign: [Cauchy (1847)][cauchy1847].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.maximize(cg.optimizers.sgd(lr=0.5))
    >>> w = cg.array([1.0])
    >>> w, state = opt.step(w, cg.array([2.0]), opt.init(w))
    >>> w
    array([2.])
    """
    return optimizer.step(w, -g, s)


@wrapper(uses=("w", "grad"))
def decay_weights(
    w: Array, g: Array, s: Any, /, optimizer: Optimizer, *, weight_decay: NonNegative
) -> tuple[Array, Any]:
    r"""Add the gradient of $\tfrac\lambda2 \lVert w \rVert^2$ before another steps.

    $$g \leftarrow g + \lambda w$$

    Convention: the decay is coupled, as PyTorch's ``weight_decay`` is but for AdamW: it
    passes through all that the rule does with a gradient. To go up with it, say
    ``maximize(decay_weights(…))``: the weights still shrink.

    Parameters
    ----------
    optimizer : Optimizer
        Who steps.
    weight_decay : float
        $\lambda$, 0 or more.

    Returns
    -------
    Optimizer
        As `optimizer`, with its state.

    Raises
    ------
    TypeError, ValueError
        If `weight_decay` is out of its range.

    References
    ----------
    What differs from a decay apart: [Loshchilov and Hutter (2019)][loshchilov2019].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> opt = cg.optimizers.decay_weights(cg.optimizers.sgd(lr=0.5), weight_decay=0.5)
    >>> w = cg.array([1.0])
    >>> w, state = opt.step(w, cg.array([0.0]), opt.init(w))
    >>> w
    array([0.75])
    """
    return optimizer.step(w, g + weight_decay * w, s)
