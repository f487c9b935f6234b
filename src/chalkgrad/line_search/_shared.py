r"""Line search, the same in both backends: steps that ask the loss how far to go.

The rules of ``cg.optimizers`` see a gradient and nothing else. These may ask the loss
again, at other places, and so need no learning rate that fits the problem. They are
meant for a loss without noise, all examples in each step, and are the yardstick where
there are few weights.

Each takes the loss as a function `f` of the weights that returns the loss and its
gradient: ``cg.autodiff.value_and_grad(loss)``, or
``lambda w: net.loss_and_grad(w, x, y, loss)``. What comes out is an optimizer:
``w, state = opt.step(w, grad, state)``, where `grad` is the gradient at `w`. Its state
counts in `nfev` how often `f` was called, which is what such a step costs. `step`
returns new arrays in both backends.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from chalkgrad._core import check
from chalkgrad._core.made import remember_call
from chalkgrad._core.types import Optimizer

__all__ = ["armijo", "lbfgs", "newton", "polyak", "wolfe"]

# A search that has halved this often stands at a minimum, or on a wrong gradient.
_HALVINGS = 60


class PolyakState(NamedTuple):
    """State of `polyak`: the steps done, and the calls of f."""

    t: int
    nfev: int


@remember_call
def polyak(f: Callable[[Any], Any], *, f_min: float = 0.0) -> Optimizer:
    r"""Polyak's step: as far as the loss would fall to its least along a straight line.

    $$\eta = \frac{L(w) - L^*}{\lVert g \rVert^2} \qquad w \leftarrow w - \eta g$$

    On a convex loss every step comes closer to every minimum. It needs to know the
    least loss $L^*$; a network that can fit its data has 0.

    Parameters
    ----------
    f : function
        $w \mapsto (L, g)$; with weights of shape (m, n), losses of shape (m,).
    f_min : float
        $L^*$. Where the loss is below it, the step is 0.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`, of shape (n,) or (m, n).

    Raises
    ------
    TypeError, ValueError
        If `f` is not a function or `f_min` not a finite number; from `step`, if `grad`
        does not fit `w` or is not finite, or `f` does not return a loss and a gradient.

    References
    ----------
    [Polyak (1969)][polyak1969].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> f = cg.autodiff.value_and_grad(lambda w: (w**2).sum())
    >>> opt = cg.line_search.polyak(f)
    >>> w = cg.array([4.0, 2.0])
    >>> w, state = opt.step(w, 2 * w, opt.init(w))
    >>> w  # half way: the loss is a square, not a line
    array([2., 1.])
    """
    _function("polyak", "f", f)
    f_min = check.number("polyak", "f_min", f_min)

    def init(w: Any) -> PolyakState:
        check.full_precision("polyak.init", "w", w)
        check.some_axis("polyak.init", w)
        return PolyakState(0, 0)

    def step(w: Any, grad: Any, state: PolyakState) -> tuple[Any, PolyakState]:
        _fits("polyak.step", w, grad)
        loss, _ = _call("polyak.step", f, w)
        above = (loss - f_min) * (loss > f_min)
        square = _dot(grad, grad)
        # Where the slope is 0, so is the step.
        eta = above[..., None] / (square + (square == 0))
        return w - eta * grad, PolyakState(state.t + 1, state.nfev + 1)

    return Optimizer(init, step)


class ArmijoState(NamedTuple):
    """State of `armijo`: steps done, the last rate, and the calls of f."""

    t: int
    eta: Any
    nfev: int


@remember_call
def armijo(
    f: Callable[[Any], Any],
    *,
    lr: float = 1.0,
    backtrack: float = 0.5,
    c1: float = 1e-4,
) -> Optimizer:
    r"""Gradient descent with backtracking: shrink the rate until the loss falls enough.

    "Enough" is a share $c$ of what the slope promises:

    $$L(w - \eta g) \le L(w) - c\,\eta \lVert g \rVert^2 .$$

    A search starts one notch above the rate that the step before ended with. Of many
    networks, each has its own rate.

    Parameters
    ----------
    f : function
        $w \mapsto (L, g)$; with weights of shape (m, n), losses of shape (m,).
    lr : float
        The rate that the first step tries, above 0.
    backtrack : float
        By what a rate that is too long is multiplied, between 0 and 1.
    c1 : float
        $c$, between 0 and 1.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`, of shape (n,) or (m, n). Where no rate lets
        the loss fall, as at a minimum, `w` stays.

    Raises
    ------
    TypeError, ValueError
        As `polyak`; if a number is out of its range.

    References
    ----------
    [Armijo (1966)][armijo1966].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> f = cg.autodiff.value_and_grad(lambda w: (w**2).sum())
    >>> opt = cg.line_search.armijo(f)
    >>> w = cg.array([4.0, 2.0])
    >>> w, state = opt.step(w, 2 * w, opt.init(w))
    >>> w, state.nfev  # a rate of 1 jumps to the other side; a half hits the bottom
    (array([0., 0.]), 3)
    """
    _function("armijo", "f", f)
    lr = check.number("armijo", "lr", lr, low=0, open_low=True)
    backtrack = _share("armijo", "backtrack", backtrack)
    c1 = _share("armijo", "c1", c1)

    def init(w: Any) -> ArmijoState:
        check.full_precision("armijo.init", "w", w)
        check.some_axis("armijo.init", w)
        check.representable("armijo.init", check.dtype_name(w), lr=lr)
        return ArmijoState(0, w[..., :1] * 0 + lr, 0)

    def step(w: Any, grad: Any, state: ArmijoState) -> tuple[Any, ArmijoState]:
        _fits("armijo.step", w, grad)
        eta = state.eta / backtrack if state.t else state.eta
        loss, _ = _call("armijo.step", f, w)
        promised = c1 * _dot(grad, grad)
        nfev = 1
        while True:
            there, _ = _call("armijo.step", f, w - eta * grad)
            nfev += 1
            falls = there[..., None] <= loss[..., None] - eta * promised
            if falls.all() or nfev > _HALVINGS:
                break
            eta = falls * eta + ~falls * (backtrack * eta)
        state = ArmijoState(state.t + 1, eta, state.nfev + nfev)
        return w - falls * eta * grad, state

    return Optimizer(init, step)


class WolfeState(NamedTuple):
    """State of `wolfe`: steps done, the last rate, and the calls of f."""

    t: int
    eta: float
    nfev: int


@remember_call
def wolfe(
    f: Callable[[Any], Any],
    *,
    lr: float = 1.0,
    c1: float = 1e-4,
    c2: float = 0.1,
) -> Optimizer:
    r"""Gradient descent with a rate that is neither too long nor too short.

    With the direction $d = -g$, a rate must meet both strong conditions of Wolfe:

    $$L(w + \eta d) \le L(w) + c_1 \eta\, g \cdot d \qquad
    |\nabla L(w + \eta d) \cdot d| \le c_2\, |g \cdot d| .$$

    The first is Armijo's; the second asks that the slope along the way is nearly used
    up. The search doubles the rate until it has bracketed such a rate, then halves the
    bracket.

    Parameters
    ----------
    f : function
        $w \mapsto (L, g)$.
    lr : float
        The rate that the first step tries, above 0; later steps try the last one.
    c1 : float
        $c_1$, between 0 and 1.
    c2 : float
        $c_2$, between `c1` and 1.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`, of shape (n,). Where no rate lets the loss
        fall, `w` stays.

    Raises
    ------
    TypeError, ValueError, ShapeError
        As `polyak`; if a number is out of its range; if `w` is more than one network.

    References
    ----------
    [Wolfe (1969)][wolfe1969]; [Nocedal and Wright (2006)][nocedal2006], chapter 3.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> f = cg.autodiff.value_and_grad(lambda w: (w**2).sum())
    >>> opt = cg.line_search.wolfe(f, lr=0.01)
    >>> w = cg.array([4.0, 2.0])
    >>> w, state = opt.step(w, 2 * w, opt.init(w))
    >>> w.round(2), round(state.eta, 2)
    (array([0.16, 0.08]), 0.48)
    """
    _function("wolfe", "f", f)
    lr = check.number("wolfe", "lr", lr, low=0, open_low=True)
    c1, c2 = _conditions("wolfe", c1, c2)

    def init(w: Any) -> WolfeState:
        _one("wolfe.init", w)
        check.representable("wolfe.init", check.dtype_name(w), lr=lr)
        return WolfeState(0, lr, 0)

    def step(w: Any, grad: Any, state: WolfeState) -> tuple[Any, WolfeState]:
        _one("wolfe.step", w)
        _fits("wolfe.step", w, grad)
        there, eta, nfev = _search("wolfe.step", f, w, grad, -grad, state.eta, c1, c2)
        state = WolfeState(state.t + 1, eta or state.eta, state.nfev + nfev)
        return there, state

    return Optimizer(init, step)


class LbfgsState(NamedTuple):
    """State of `lbfgs`: the place before, its slope, the last changes of both."""

    t: int
    w: Any
    grad: Any
    changes: tuple[tuple[Any, Any], ...]
    nfev: int


@remember_call
def lbfgs(
    f: Callable[[Any], Any],
    *,
    history: int = 10,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> Optimizer:
    r"""L-BFGS: Newton's step with curvatures learned on the way.

    The last few changes of place $s$ and of slope $y$ tell what the Hessian does to the
    directions come. The two-loop recursion makes of them the direction
    $d \approx -H^{-1} g$; then `wolfe`'s search, which tries a rate of 1 first.

    Convention: the recursion starts from $\gamma I$ with
    $\gamma = s \cdot y/(y \cdot y)$ of the last change; a change with
    $s \cdot y \le 0$ is dropped.

    Parameters
    ----------
    f : function
        $w \mapsto (L, g)$.
    history : int
        How many changes are remembered, 1 or more.
    c1, c2 : float
        $c_1$ and $c_2$ of `wolfe`.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`, of shape (n,). Where no rate lets the loss
        fall, `w` stays.

    Raises
    ------
    TypeError, ValueError, ShapeError
        As `wolfe`.

    References
    ----------
    [Nocedal (1980)][nocedal1980]; [Liu and Nocedal (1989)][liu1989].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> valley = cg.experiments.rosenbrock()
    >>> f = lambda w: (valley.loss(w), valley.grad(w))
    >>> opt = cg.line_search.lbfgs(f)
    >>> w = cg.array(valley.start)
    >>> state = opt.init(w)
    >>> for _ in range(50):
    ...     w, state = opt.step(w, valley.grad(w), state)
    >>> w
    array([1., 1.])
    """
    _function("lbfgs", "f", f)
    history = check.integer("lbfgs", "history", history, low=1)
    c1, c2 = _conditions("lbfgs", c1, c2)

    def init(w: Any) -> LbfgsState:
        _one("lbfgs.init", w)
        return LbfgsState(0, w, w * 0, (), 0)

    def step(w: Any, grad: Any, state: LbfgsState) -> tuple[Any, LbfgsState]:
        _one("lbfgs.step", w)
        _fits("lbfgs.step", w, grad)
        changes = state.changes
        if state.t:
            s, y = w - state.w, grad - state.grad
            if float(s @ y) > 0:
                changes = (*changes, (s, y))[-history:]
        along = towards_newton(-grad, changes)
        # Before anything is known of the curvature, a step of length 1 or less.
        first = 1.0 if changes else 1 / max(1.0, float(grad @ grad) ** 0.5)
        there, _, nfev = _search("lbfgs.step", f, w, grad, along, first, c1, c2)
        state = LbfgsState(state.t + 1, w, grad, changes, state.nfev + nfev)
        return there, state

    return Optimizer(init, step)


def towards_newton(d: Any, changes: tuple[tuple[Any, Any], ...]) -> Any:
    """The two-loop recursion: about the inverse Hessian times `d`."""
    shares = []
    for s, y in reversed(changes):
        shares.append((s @ d) / (s @ y))
        d = d - shares[-1] * y
    if changes:
        s, y = changes[-1]
        d = d * ((s @ y) / (y @ y))
    for (s, y), share in zip(changes, reversed(shares), strict=True):
        d = d + (share - (y @ d) / (s @ y)) * s
    return d


class NewtonState(NamedTuple):
    """State of `newton`: steps done, the calls of f and of hvp."""

    t: int
    nfev: int
    products: int


@remember_call
def newton(
    f: Callable[[Any], Any],
    hvp: Callable[[Any, Any], Any],
    *,
    c1: float = 1e-4,
) -> Optimizer:
    r"""Newton's step, without the Hessian: conjugate gradients on products with it.

    $$H d = -g \qquad w \leftarrow w + \eta d$$

    The system is solved to a thousandth, and near the minimum as exactly as the slope
    is small, $\lVert H d + g\rVert \le \min(10^{-3}, \lVert g\rVert)\,\lVert g\rVert$,
    so that the digits that are right double with every step. Where the solver meets a
    direction along which the loss bends downwards, it stops and takes what it has, so
    that $d$ always points downhill. Then $\eta = 1$, halved until Armijo's condition
    holds.

    Parameters
    ----------
    f : function
        $w \mapsto (L, g)$.
    hvp : function
        $(w, v) \mapsto H v$, such as ``lambda w, v: cg.autodiff.hvp(loss, w, v)``.
    c1 : float
        $c$ of `armijo`.

    Returns
    -------
    Optimizer
        Its `step` keeps the dtype of `w`, of shape (n,). Where no rate lets the loss
        fall, `w` stays.

    Raises
    ------
    TypeError, ValueError, ShapeError
        As `wolfe`.

    References
    ----------
    [Dembo, Eisenstat and Steihaug (1982)][dembo1982];
    [Nocedal and Wright (2006)][nocedal2006], algorithm 7.1.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> loss = lambda w: (cg.array([1.0, 1000.0]) * w**2).sum() / 2
    >>> f = cg.autodiff.value_and_grad(loss)
    >>> opt = cg.line_search.newton(f, lambda w, v: cg.autodiff.hvp(loss, w, v))
    >>> w = cg.array([1.0, 1.0])
    >>> state = opt.init(w)
    >>> for _ in range(4):
    ...     w, state = opt.step(w, f(w)[1], state)
    >>> float(abs(w).max()) < 1e-9  # whatever the condition number
    True
    """
    _function("newton", "f", f)
    _function("newton", "hvp", hvp)
    c1 = _share("newton", "c1", c1)

    def init(w: Any) -> NewtonState:
        _one("newton.init", w)
        return NewtonState(0, 0, 0)

    def step(w: Any, grad: Any, state: NewtonState) -> tuple[Any, NewtonState]:
        _one("newton.step", w)
        _fits("newton.step", w, grad)
        along, products = _conjugate(lambda v: hvp(w, v), grad)
        there, _, nfev = _search("newton.step", f, w, grad, along, 1.0, c1, None)
        state = NewtonState(state.t + 1, state.nfev + nfev, state.products + products)
        return there, state

    return Optimizer(init, step)


def _conjugate(product: Callable[[Any], Any], grad: Any) -> tuple[Any, int]:
    """Solve H d = -g roughly; return d, which points downhill, and the products."""
    d, r = grad * 0, -grad
    p, square = r, float(r @ r)
    length = square**0.5
    enough = min(1e-3, length) * length
    products = 0
    # In exact arithmetic n products are enough.
    while square**0.5 > enough and products < 2 * grad.shape[0]:
        bent = product(p)
        products += 1
        bend = float(p @ bent)
        if bend <= 0:  # downwards: a minimum is not in sight this way
            return (d if products > 1 else p), products
        eta = square / bend
        d, r = d + eta * p, r - eta * bent
        before, square = square, float(r @ r)
        p = r + (square / before) * p
    return d, products


def _search(
    where: str,
    f: Callable[[Any], Any],
    w: Any,
    grad: Any,
    along: Any,
    eta: float,
    c1: float,
    c2: float | None,
) -> tuple[Any, float, int]:
    """Find a rate along a direction; return where it leads, it, and the calls of f.

    Without `c2` only Armijo's condition counts. Between `low` and `high` there
    is always a rate that meets both: at `low` the loss still falls too steeply, at
    `high` it has risen, or rises.
    """
    loss = float(_call(where, f, w)[0])
    downhill = float(grad @ along)
    low, high = 0.0, math.inf
    for tries in range(1, _HALVINGS + 1):
        there = w + eta * along
        height, gradient = _call(where, f, there)
        if not float(height) <= loss + c1 * eta * downhill:  # nan is too far, too
            high = eta
        elif c2 is None:
            return there, eta, 1 + tries
        else:
            rise = float(gradient @ along)
            if abs(rise) <= -c2 * downhill:
                return there, eta, 1 + tries
            low, high = (low, eta) if rise > 0 else (eta, high)
        eta = 2 * eta if high == math.inf else (low + high) / 2
    if low > 0:  # both conditions are out of reach, but the loss has fallen
        return w + low * along, low, 1 + tries
    return w, 0.0, 1 + tries


def _dot(a: Any, b: Any) -> Any:
    """Product of each network's two vectors, of shape (..., 1)."""
    return (a * b).sum(-1)[..., None]


def _function(where: str, name: str, f: Any) -> None:
    if not callable(f):
        raise TypeError(
            f"{where}: `{name}` must be a function, got {type(f).__name__}; "
            "cg.autodiff.value_and_grad(loss) makes one of a loss."
        )


def _conditions(where: str, c1: float, c2: float) -> tuple[float, float]:
    c1 = _share(where, "c1", c1)
    return c1, _share(where, "c2", c2, above=c1)


def _share(where: str, name: str, value: float, above: float = 0.0) -> float:
    return check.number(
        where, name, value, low=above, high=1, open_low=True, open_high=True
    )


def _one(where: str, w: Any) -> None:
    """Raise unless `w` is the weights of one network."""
    check.full_precision(where, "w", w)
    if w.ndim != 1:
        raise check.ShapeError(
            f"{where}: `w` must be the weights of one network, got {tuple(w.shape)}; "
            "search for each with w[i]."
        )


def _fits(where: str, w: Any, grad: Any) -> None:
    """Raise unless `grad` is a finite gradient for `w`."""
    check.full_precision(where, "w", w)
    check.full_precision(where, "grad", grad)
    check.shapes(where, w=(w, "..."), grad=(grad, "..."))
    check.finite(where, "grad", grad)


def _call(where: str, f: Callable[[Any], Any], w: Any) -> tuple[Any, Any]:
    """Call f; raise unless it returns a loss for each network, and a gradient."""
    answer = f(w)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise TypeError(
            f"{where}: `f` must return the loss and its gradient, got "
            f"{type(answer).__name__}; cg.autodiff.value_and_grad(loss) returns both."
        )
    loss, grad = answer
    if tuple(loss.shape) != tuple(w.shape[:-1]):
        raise check.ShapeError(
            f"{where}: `f` must return one loss for each network, shape "
            f"{tuple(w.shape[:-1])} for `w` of shape {tuple(w.shape)}, got "
            f"{tuple(loss.shape)}."
        )
    return loss, grad
