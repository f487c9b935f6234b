r"""Experiments, the same in both halves: losses that are known to the last digit.

Networks have too many weights to be seen through. Here are the classic functions on
which methods are tried first: a few weights, a formula, and minima that are known. Each
comes as a `Problem`; `race` lets optimizers walk on it side by side.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.either import copied, ndarray
from chalkgrad._core.types import Optimizer

__all__ = [
    "Problem",
    "Walk",
    "beale",
    "himmelblau",
    "plateau",
    "quadratic",
    "race",
    "rosenbrock",
    "saddle",
    "styblinski_tang",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class Problem(NamedTuple):
    """A loss to be minimised.

    `loss` and `grad` take an array `w` of shape (..., n), a point for each of any
    leading axes, and keep its dtype. They raise TypeError if `w` is not an array of
    float32 or float64, and ShapeError if its last axis is not n.
    """

    loss: Callable[[Any], Any]
    """The height at each point: shape (...)."""
    grad: Callable[[Any], Any]
    """The slope at each point: shape (..., n)."""
    start: Any
    """Where walks start: shape (n,). Copy it, ``cg.array(start)``, before you step."""
    minima: Any
    """All points of least loss: shape (k, n)."""
    bounds: tuple[float, float]
    """What to look at and where to draw starts from: the same for each weight."""


class Walk(NamedTuple):
    """What one optimizer did in a `race`; NumPy arrays in both halves."""

    w: Array
    """Where it was before the first step and after each: shape (steps + 1, ..., n)."""
    loss: Array
    """How high: shape (steps + 1, ...). It is inf from where a walk diverged."""


def quadratic(kappa: float, n: int = 2, *, angle: float = 0.0) -> Problem:
    r"""A bowl with condition number $\kappa$.

    $$L(w) = \tfrac12 \sum_{i=1}^n \lambda_i w_i^2, \qquad
    \lambda_i = \kappa^{(i-1)/(n-1)}$$

    The curvatures go from 1 to $\kappa$ by equal factors. With two weights the bowl may
    be turned: by `angle`, counter-clockwise, and its start with it. Gradient descent
    walks a turned bowl just as it walks the straight one; a method with a rate for each
    weight does not.

    The minimum is 0, at 0. It starts at $(1, \dots, 1)$.

    Parameters
    ----------
    kappa : float
        $\kappa = \lambda_n/\lambda_1$, 1 or more.
    n : int
        How many weights, 2 or more.
    angle : float
        In radians; only with 2 weights.

    Returns
    -------
    Problem
        The loss, its gradient, and what is known of it.

    Raises
    ------
    TypeError, ValueError
        If `kappa` is not a number of 1 or more, `n` not a whole number of 2 or more,
        `angle` not a number, or not 0 with more than 2 weights.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> bowl = cg.experiments.quadratic(10)
    >>> bowl.loss(bowl.start), bowl.grad(bowl.start)
    (np.float64(5.5), array([ 1., 10.]))
    """
    kappa = check.number("quadratic", "kappa", kappa, low=1)
    n = check.integer("quadratic", "n", n, low=2)
    angle = check.number("quadratic", "angle", angle)
    if angle and n > 2:
        raise ValueError(
            f"quadratic: `angle` turns a bowl of 2 weights, got n={n}; leave it out."
        )
    curvatures = [kappa ** (i / (n - 1)) for i in range(n)]
    cos, sin = math.cos(angle), math.sin(angle)

    def turned(w: Sequence[Any], sin: float) -> Sequence[Any]:
        if not angle:
            return w
        x, y = w
        return cos * x - sin * y, sin * x + cos * y

    def loss(*w: Any) -> Any:
        along = turned(w, -sin)
        return sum(k * u**2 for k, u in zip(curvatures, along, strict=True)) / 2

    def grad(*w: Any) -> Any:
        along = turned(w, -sin)
        slopes = [k * u for k, u in zip(curvatures, along, strict=True)]
        return turned(slopes, sin)

    start = turned([1.0] * n, sin)
    return _problem("quadratic", loss, grad, start, [[0.0] * n], (-2, 2))


def rosenbrock(n: int = 2) -> Problem:
    r"""A valley bent like a banana: easy to find, hard to follow.

    $$L(w) = \sum_{i=1}^{n-1}
    \left(100\,(w_{i+1} - w_i^2)^2 + (1 - w_i)^2\right)$$

    The least loss is 0, at $(1, \dots, 1)$, where the condition number is about 2500
    for two weights. It starts at $-1.2$ and 1 in turns, as is the custom. For $n$
    from 4 to 30 there is one other minimum, which is not the least; $w_1 < 0$ there.

    Parameters
    ----------
    n : int
        How many weights, 2 or more.

    Returns
    -------
    Problem
        The loss, its gradient, and what is known of it.

    Raises
    ------
    TypeError, ValueError
        If `n` is not a whole number of 2 or more.

    References
    ----------
    [Rosenbrock (1960)][rosenbrock1960], for two weights; the bounds are those of
    [De Jong (1975)][dejong1975]; the other minimum: [Shang and Qiu (2006)][shang2006].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> valley = cg.experiments.rosenbrock()
    >>> valley.loss(valley.start), valley.grad(valley.start)
    (np.float64(24.2), array([-215.6,  -88. ]))
    """
    n = check.integer("rosenbrock", "n", n, low=2)

    def loss(*w: Any) -> Any:
        return sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(w))

    def grad(*w: Any) -> Any:
        out: list[Any] = [0.0] * n
        for i, (a, b) in enumerate(pairwise(w)):
            out[i] = out[i] - 400 * a * (b - a**2) - 2 * (1 - a)
            out[i + 1] = 200 * (b - a**2)
        return out

    start = [(-1.2, 1.0)[i % 2] for i in range(n)]
    return _problem("rosenbrock", loss, grad, start, [[1.0] * n], (-2.048, 2.048))


def beale() -> Problem:
    r"""Flat in the middle and steep at the corners.

    $$L(x, y) = \sum_{k=1}^3 (c_k - x + x y^k)^2$$

    with $c = (1.5, 2.25, 2.625)$.

    The minimum is 0, at $(3, 0.5)$. It starts at $(1, 1)$, as is the custom.

    Returns
    -------
    Problem
        The loss, its gradient, and what is known of it.

    References
    ----------
    [Beale (1958)][beale1958]; the start:
    [Moré, Garbow and Hillstrom (1981)][more1981].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> beale = cg.experiments.beale()
    >>> beale.loss(beale.start), beale.grad(beale.start)
    (np.float64(14.203125), array([ 0.  , 27.75]))
    """

    def parts(x: Any, y: Any) -> Any:
        y2 = y * y
        y3 = y2 * y
        return 1.5 - x + x * y, 2.25 - x + x * y2, 2.625 - x + x * y3

    def loss(x: Any, y: Any) -> Any:
        return sum(part**2 for part in parts(x, y))

    def grad(x: Any, y: Any) -> Any:
        a, b, c = parts(x, y)
        y2 = y * y
        return (
            2 * (a * (y - 1) + b * (y2 - 1) + c * (y2 * y - 1)),
            2 * x * (a + 2 * y * b + 3 * y2 * c),
        )

    return _problem("beale", loss, grad, [1.0, 1.0], [[3.0, 0.5]], (-4.5, 4.5))


def himmelblau() -> Problem:
    r"""Four minima, all as low: which one is found depends on the start.

    $$L(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2$$

    The least loss is 0, at $(3, 2)$ and, rounded, at $(-2.805, 3.131)$,
    $(-3.779, -3.283)$ and $(3.584, -1.848)$. It starts at 0.

    Returns
    -------
    Problem
        The loss, its gradient, and what is known of it.

    References
    ----------
    [Himmelblau (1972)][himmelblau1972].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> himmelblau = cg.experiments.himmelblau()
    >>> himmelblau.loss(himmelblau.start), himmelblau.grad(himmelblau.start)
    (np.float64(170.0), array([-14., -22.]))
    >>> himmelblau.loss(himmelblau.minima).round(12)
    array([0., 0., 0., 0.])
    """

    def loss(x: Any, y: Any) -> Any:
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2

    def grad(x: Any, y: Any) -> Any:
        a, b = x**2 + y - 11, x + y**2 - 7
        return 4 * x * a + 2 * b, 2 * a + 4 * y * b

    minima = [
        [3.0, 2.0],
        [-2.805118086952745, 3.131312518250573],
        [-3.779310253377747, -3.2831859912861696],
        [3.5844283403304917, -1.8481265269644036],
    ]
    return _problem("himmelblau", loss, grad, [0.0, 0.0], minima, (-5, 5))


def styblinski_tang(n: int = 2) -> Problem:
    r"""Two valleys along each weight, one of them too high: $2^n$ minima, one least.

    $$L(w) = \tfrac12 \sum_{i=1}^n \left(w_i^4 - 16\,w_i^2 + 5\,w_i\right)$$

    The least loss is about $-39.166\,n$, where all $w_i$ are about $-2.9035$; the other
    valley, about 14.137 higher, is near 2.7468. It starts at 0.

    Parameters
    ----------
    n : int
        How many weights, 1 or more.

    Returns
    -------
    Problem
        The loss, its gradient, and what is known of it.

    Raises
    ------
    TypeError, ValueError
        If `n` is not a whole number above 0.

    References
    ----------
    [Styblinski and Tang (1990)][styblinski1990].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> valleys = cg.experiments.styblinski_tang()
    >>> valleys.loss(valleys.minima)
    array([-78.3323314])
    >>> valleys.loss(cg.array([2.7468028, -2.9035340]))
    np.float64(-64.1956124)
    """
    n = check.integer("styblinski_tang", "n", n, low=1)

    def loss(*w: Any) -> Any:
        return sum((u**2) ** 2 - 16 * u**2 + 5 * u for u in w) / 2

    def grad(*w: Any) -> Any:
        return [2 * u * u**2 - 16 * u + 2.5 for u in w]

    minima = [[-2.903534027771177] * n]
    return _problem("styblinski_tang", loss, grad, [0.0] * n, minima, (-5, 5))


def saddle() -> Problem:
    r"""A pass between two valleys: flat at the top, and no minimum.

    $$L(x, y) = \tfrac12 x^2 + \tfrac14 y^4 - \tfrac12 y^2$$

    The saddle is at 0, with curvatures 1 and $-1$. The minima, $-\tfrac14$, are at
    $(0, \pm 1)$. It starts at $(1, 0.01)$, almost on the ridge $y = 0$; from the ridge
    itself gradient descent walks into the saddle and stays.

    Returns
    -------
    Problem
        The loss, its gradient, and what is known of it.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> saddle = cg.experiments.saddle()
    >>> saddle.grad(cg.array([0.0, 0.0]))
    array([0., 0.])
    >>> saddle.loss(saddle.minima)
    array([-0.25, -0.25])
    """

    def loss(x: Any, y: Any) -> Any:
        return x**2 / 2 + (y**2) ** 2 / 4 - y**2 / 2

    def grad(x: Any, y: Any) -> Any:
        return x, y * y**2 - y

    minima = [[0.0, 1.0], [0.0, -1.0]]
    return _problem("saddle", loss, grad, [1.0, 0.01], minima, (-2, 2))


def plateau() -> Problem:
    r"""A hole in a shelf that is the flatter the farther away.

    $$L(x, y) = \frac{r^2}{1 + r^2}, \qquad r^2 = x^2 + y^2$$

    The minimum is 0, at 0; far away the loss is nearly 1 and the slope nearly
    $2/r^3$. Small steps of gradient descent with rate $\eta$ need about $r^4/8\eta$ of
    them to come down from a large $r$. It starts at $(4, 3)$, where $r = 5$.

    Returns
    -------
    Problem
        The loss, its gradient, and what is known of it.

    References
    ----------
    The loss of [Geman and McClure (1985)][geman1985], in two dimensions.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> plateau = cg.experiments.plateau()
    >>> plateau.loss(plateau.start), plateau.grad(plateau.start)
    (np.float64(0.9615385), array([0.0118343, 0.0088757]))
    """

    def loss(x: Any, y: Any) -> Any:
        r2 = x**2 + y**2
        return r2 / (1 + r2)

    def grad(x: Any, y: Any) -> Any:
        scale = 2 / (1 + x**2 + y**2) ** 2
        return scale * x, scale * y

    return _problem("plateau", loss, grad, [4.0, 3.0], [[0.0, 0.0]], (-6, 6))


def race(
    problem: Problem,
    optimizers: Mapping[str, Optimizer],
    *,
    steps: int,
    start: Any = None,
) -> dict[str, Walk]:
    """Let optimizers walk side by side, each from the same start.

    Leading axes of `start` are as many walks at once: many starts, or one start many
    times, for optimizers with a rate for each.

    A walk diverges when its place, its loss or its slope is no longer finite. From then
    on it stands where it was last, and its loss is inf. The others go on as if nothing
    had happened.

    Parameters
    ----------
    problem : Problem
        The loss to walk on.
    optimizers : dict of str to Optimizer
        Who takes part, by name.
    steps : int
        How many steps each does; 1 or more.
    start : Array of shape (..., n), optional
        Where all start; by default at `problem.start`. It stays as it is.

    Returns
    -------
    dict of str to Walk
        Where each was and how high, under its name.

    Raises
    ------
    TypeError, ShapeError, ValueError
        If `problem` is not a Problem, `optimizers` not a dict of optimizers, `steps`
        not a whole number above 0, `start` not a finite array that fits the problem; or
        what an optimizer raises.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> bowl = cg.experiments.quadratic(10)
    >>> walks = cg.experiments.race(
    ...     bowl,
    ...     {"slow": cg.optimizers.sgd(0.1), "wild": cg.optimizers.sgd(1e200)},
    ...     steps=3,
    ... )
    >>> walks["slow"].w  # each step leaves 0.9 of x and nothing of y
    array([[1.   , 1.   ],
           [0.9  , 0.   ],
           [0.81 , 0.   ],
           [0.729, 0.   ]])
    >>> walks["wild"].loss
    array([5.5, inf, inf, inf])
    """
    if not isinstance(problem, Problem):
        raise TypeError(
            f"race: `problem` must be a Problem, got {type(problem).__name__}; make "
            "one with cg.experiments.quadratic(10)."
        )
    if not isinstance(optimizers, Mapping):
        raise TypeError(
            "race: `optimizers` must be a dict of name and optimizer, got "
            f'{type(optimizers).__name__}; write {{"sgd": cg.optimizers.sgd(0.1)}}.'
        )
    for name, optimizer in optimizers.items():
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"race: `optimizers[{name!r}]` must be an optimizer, got "
                f"{type(optimizer).__name__}; make one with cg.optimizers.sgd(0.1)."
            )
    steps = check.integer("race", "steps", steps, low=1)
    if start is None:
        start = problem.start
    _points("race", "start", start, problem.start.shape[-1])
    check.finite("race", "start", start)
    with np.errstate(all="ignore"):
        return {
            name: _walk(problem, optimizer, steps, start)
            for name, optimizer in optimizers.items()
        }


def _walk(problem: Problem, optimizer: Optimizer, steps: int, start: Any) -> Walk:
    w = copied(start)
    state = optimizer.init(w)
    grad, lost = problem.grad(w), None
    places, losses = [], []
    for t in range(steps + 1):
        if t > 0:
            before = copied(w)
            w, state = optimizer.step(w, grad, state)
            grad = problem.grad(w)
        loss = problem.loss(w)
        finite = (abs(w) < math.inf) & (abs(grad) < math.inf)
        gone = ~(finite.all(-1) & (abs(loss) < math.inf))
        lost = gone if lost is None else lost | gone
        if lost.any():
            if t > 0:
                w[lost] = before[lost]
            grad = copied(grad)
            grad[lost] = 0.0  # an optimizer refuses what is not finite
        places.append(ndarray(copied(w)))
        losses.append(np.where(ndarray(lost), np.inf, ndarray(loss)))
    return Walk(np.stack(places), np.stack(losses))


def _problem(
    name: str,
    loss: Callable[..., Any],
    grad: Callable[..., Any],
    start: Iterable[float],
    minima: list[list[float]],
    bounds: tuple[float, float],
) -> Problem:
    """Make a Problem of formulas that take the weights one by one."""
    first = np.array([*start])
    n = first.size

    def weights(function: str, w: Any) -> list[Any]:
        _points(f"{name}.{function}", "w", w, n)
        return [w[..., i] for i in range(n)]

    def height(w: Any) -> Any:
        return loss(*weights("loss", w))

    def slope(w: Any) -> Any:
        slopes = grad(*weights("grad", w))
        out = -w  # a new array of the same kind, to be written over
        for i, s in enumerate(slopes):
            out[..., i] = s
        return out

    return Problem(height, slope, first, np.array(minima), bounds)


def _points(where: str, name: str, w: Any, n: int) -> None:
    """Raise unless `w` is a float array, of either half, whose last axis is n."""
    if not hasattr(w, "dtype"):
        raise TypeError(
            f"{where}: `{name}` must be an array with a point on its last axis, got "
            f"{type(w).__name__}; make one with cg.array({name})."
        )
    check.floating(where, name, w)
    if tuple(w.shape)[-1:] != (n,):
        raise check.ShapeError(
            f"{where}: the last axis of `{name}` must be {n}, one number for each "
            f"weight of the problem, got shape {tuple(w.shape)}."
        )
