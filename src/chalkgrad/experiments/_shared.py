r"""Experiments, the same in both backends: losses that are known to the last digit.

Networks have too many weights to be seen through. Here are the classic functions on
which methods are tried first: a few weights, a formula, and minima that are known. Each
comes as a `TestFunction`; `compare_optimizers` lets optimizers walk on it side by side.
"""

import contextlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import clone, from_numpy, to_numpy
from chalkgrad._core.rows import count_rows
from chalkgrad._core.types import AnyArray, Layered, Optimizer

__all__ = [
    "Comparison",
    "Run",
    "TestFunction",
    "Trajectory",
    "beale",
    "compare",
    "compare_optimizers",
    "himmelblau",
    "plateau",
    "quadratic",
    "rosenbrock",
    "saddle",
    "styblinski_tang",
    "train",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class TestFunction(NamedTuple):
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


class Trajectory(NamedTuple):
    """Where one optimizer went, and how high; NumPy arrays in both backends."""

    w: Array
    """Where it was before the first step and after each: shape (steps + 1, ..., n)."""
    loss: Array
    """How high: shape (steps + 1, ...). It is inf from where a walk diverged."""


class Run(NamedTuple):
    """What became of the networks of a `train`."""

    w: Any
    """Their last weights: shape (m, size); all 0 where a network diverged."""
    loss: Array
    """The loss before the first step and after each: shape (steps + 1, m), inf from
    where a network diverged; NumPy's in both backends."""


class Comparison(NamedTuple):
    """What came of a `compare`: printed, a table; inside, NumPy arrays."""

    rate: dict[str, float]
    """The best rate of each rule, on the starts that choose."""
    scores: dict[str, Array]
    """The scores at that rate, on the starts that judge: shape (starts,)."""
    rates: dict[str, Array]
    """The rates that were tried: shape (k,)."""
    sweep: dict[str, Array]
    """The scores of all of them, on the starts that choose: shape (k, starts)."""

    @property
    def median(self) -> dict[str, float]:
        """The median score of each rule."""
        return {name: float(np.median(a)) for name, a in self.scores.items()}

    def __repr__(self) -> str:
        width = max(4, *map(len, self.rate))
        lines = [f"{'rule':{width}}  {'rate':7}  {'median':7}  middle half"]
        for name, scores in self.scores.items():
            # No mean of two, for one of them may be infinite.
            low = np.percentile(scores, 25, method="lower")
            high = np.percentile(scores, 75, method="higher")
            lines.append(
                f"{name:{width}}  {self.rate[name]:<7.2g}  "
                f"{self.median[name]:<7.2g}  {low:.2g} to {high:.2g}"
            )
        starts = len(next(iter(self.scores.values())))
        lines.append(f"{starts} starts; rates chosen on {starts} others")
        for name, scores in self.scores.items():
            if lost := int(np.isinf(scores).sum()):
                lines.append(f"{name} diverged from {lost} of {starts}")
        for name, rates in self.rates.items():
            if len(rates) > 1 and self.rate[name] in (rates.min(), rates.max()):
                lines.append(f"{name}: the best rate is at the edge; try more")
        return "\n".join(lines)


def quadratic(kappa: float, n: int = 2, *, angle: float = 0.0) -> TestFunction:
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
    TestFunction
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

    def rotate(w: Sequence[Any], sin: float) -> Sequence[Any]:
        if not angle:
            return w
        x, y = w
        return cos * x - sin * y, sin * x + cos * y

    def loss(*w: Any) -> Any:
        along = rotate(w, -sin)
        return sum(k * u**2 for k, u in zip(curvatures, along, strict=True)) / 2

    def grad(*w: Any) -> Any:
        along = rotate(w, -sin)
        slopes = [k * u for k, u in zip(curvatures, along, strict=True)]
        return rotate(slopes, sin)

    start = rotate([1.0] * n, sin)
    return _problem("quadratic", loss, grad, start, [[0.0] * n], (-2, 2))


def rosenbrock(n: int = 2) -> TestFunction:
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
    TestFunction
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


def beale() -> TestFunction:
    r"""Flat in the middle and steep at the corners.

    $$L(x, y) = \sum_{k=1}^3 (c_k - x + x y^k)^2$$

    with $c = (1.5, 2.25, 2.625)$.

    The minimum is 0, at $(3, 0.5)$. It starts at $(1, 1)$, as is the custom.

    Returns
    -------
    TestFunction
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


def himmelblau() -> TestFunction:
    r"""Four minima, all as low: which one is found depends on the start.

    $$L(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2$$

    The least loss is 0, at $(3, 2)$ and, rounded, at $(-2.805, 3.131)$,
    $(-3.779, -3.283)$ and $(3.584, -1.848)$. It starts at 0.

    Returns
    -------
    TestFunction
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
    >>> float(himmelblau.loss(himmelblau.minima).max()) < 1e-12
    True
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


def styblinski_tang(n: int = 2) -> TestFunction:
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
    TestFunction
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


def saddle() -> TestFunction:
    r"""A pass between two valleys: flat at the top, and no minimum.

    $$L(x, y) = \tfrac12 x^2 + \tfrac14 y^4 - \tfrac12 y^2$$

    The saddle is at 0, with curvatures 1 and $-1$. The minima, $-\tfrac14$, are at
    $(0, \pm 1)$. It starts at $(1, 0.01)$, almost on the ridge $y = 0$; from the ridge
    itself gradient descent walks into the saddle and stays.

    Returns
    -------
    TestFunction
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


def plateau() -> TestFunction:
    r"""A hole in a shelf that is the flatter the farther away.

    $$L(x, y) = \frac{r^2}{1 + r^2}, \qquad r^2 = x^2 + y^2$$

    The minimum is 0, at 0; far away the loss is nearly 1 and the slope nearly
    $2/r^3$. Small steps of gradient descent with rate $\eta$ need about $r^4/8\eta$ of
    them to come down from a large $r$. It starts at $(4, 3)$, where $r = 5$.

    Returns
    -------
    TestFunction
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


def compare_optimizers(
    function: TestFunction,
    optimizers: Mapping[str, Optimizer],
    *,
    steps: int,
    start: AnyArray | None = None,
) -> dict[str, Trajectory]:
    """Let optimizers walk side by side, each from the same start.

    Leading axes of `start` are as many walks at once: many starts, or one start many
    times, for optimizers with a rate for each.

    A walk diverges when its place, its loss or its slope is no longer finite. From then
    on it stands where it was last, and its loss is inf. The others go on as if nothing
    had happened.

    Parameters
    ----------
    function : TestFunction
        The loss to walk on.
    optimizers : dict of str to Optimizer
        Who takes part, by name.
    steps : int
        How many steps each does; 1 or more.
    start : Array of shape (..., n), optional
        Where all start; by default at `function.start`. It stays as it is.

    Returns
    -------
    dict of str to Trajectory
        Where each was and how high, under its name.

    Raises
    ------
    TypeError, ShapeError, ValueError
        If `function` is not a TestFunction, `optimizers` not a dict of optimizers,
        `steps` not a whole number above 0, `start` not a finite array that fits the
        problem; or what an optimizer raises.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> bowl = cg.experiments.quadratic(10)
    >>> walks = cg.experiments.compare_optimizers(
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
    if not isinstance(function, TestFunction):
        raise TypeError(
            "compare_optimizers: `function` must be a TestFunction, got "
            f"{type(function).__name__}; make one with cg.experiments.quadratic(10)."
        )
    if not isinstance(optimizers, Mapping):
        raise TypeError(
            "compare_optimizers: `optimizers` must be a dict of name and optimizer, "
            f'got {type(optimizers).__name__}; write {{"sgd": cg.optimizers.sgd(0.1)}}.'
        )
    for name, optimizer in optimizers.items():
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"compare_optimizers: `optimizers[{name!r}]` must be an optimizer, got "
                f"{type(optimizer).__name__}; make one with cg.optimizers.sgd(0.1)."
            )
    steps = check.integer("compare_optimizers", "steps", steps, low=1)
    if start is None:
        start = function.start
    _points("compare_optimizers", "start", start, function.start.shape[-1])
    check.finite("compare_optimizers", "start", start)
    with np.errstate(all="ignore"):
        return {
            name: _walk(function, optimizer, steps, start)
            for name, optimizer in optimizers.items()
        }


def _walk(
    function: TestFunction, optimizer: Optimizer, steps: int, start: Any
) -> Trajectory:
    w = clone(start)
    state = optimizer.init(w)
    grad, lost = function.grad(w), None
    places, losses = [], []
    for t in range(steps + 1):
        if t > 0:
            before = clone(w)
            w, state = optimizer.step(w, grad, state)
            grad = function.grad(w)
        loss = function.loss(w)
        finite = (abs(w) < math.inf) & (abs(grad) < math.inf)
        gone = ~(finite.all(-1) & (abs(loss) < math.inf))
        lost = gone if lost is None else lost | gone
        if lost.any():
            if t > 0:
                w[lost] = before[lost]
            grad = clone(grad)
            grad[lost] = 0.0  # an optimizer refuses what is not finite
        places.append(to_numpy(clone(w)))
        losses.append(np.where(to_numpy(lost), np.inf, to_numpy(loss)))
    return Trajectory(np.stack(places), np.stack(losses))


def train(
    net: Layered,
    w: AnyArray,
    x: AnyArray,
    y: AnyArray,
    *,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    steps: int,
    batch_size: int | None = None,
    rng: int = 0,
    limit: float = 100.0,
) -> Run:
    """Train many networks side by side; one that diverges leaves the others alone.

    A network diverges when its loss, on the rows of a step, is above `limit` times what
    it was at the start, or no longer finite. From then on its weights
    are 0, and its loss is inf. (`cg.training.fit` ends all of them there.)

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (m, size)
        A row for each; it stays as it is.
    x, y : Array
        The examples, and their labels or targets.
    loss : function
        As `Network.plan` takes it.
    optimizer : Optimizer
        The rule; its rate may be a column (m, 1), a rate for each network.
    steps : int
        How many steps each takes; 1 or more.
    batch_size : int, optional
        How many rows a step sees, of a new shuffle for each pass; all, by default.
    rng : int
        The seed of the shuffles.
    limit : float
        How many times its first loss a network may reach, above 1.

    Returns
    -------
    Run
        The last weights, and all losses.

    Raises
    ------
    TypeError, ShapeError, ValueError
        If `w` has no leading axis, `steps` or `batch_size` is not a whole number above
        0, `limit` not above 1; or what `Network.plan` or its steps raise.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, targets = cg.data.line(20)
    >>> net, rates = cg.network([1, 1]), cg.array([[0.1], [10.0]])
    >>> run = cg.experiments.train(
    ...     net,
    ...     net.init([0, 0]),
    ...     x,
    ...     targets,
    ...     loss=cg.losses.mse,
    ...     optimizer=cg.optimizers.sgd(rates),
    ...     steps=100,
    ... )
    >>> run.loss[-1] < 0.1
    array([ True, False])
    >>> run.loss[-1, 1]
    np.float64(inf)
    """
    if getattr(w, "ndim", 0) != 2:
        raise check.ShapeError(
            "train: `w` must have the shape (m, size), a row for each network, got "
            f"{tuple(getattr(w, 'shape', ()))}; net.init(range(8)) makes 8."
        )
    check.model("train", net)
    check.optimizer("train", optimizer)
    steps = check.integer("train", "steps", steps, low=1)
    limit = check.number("train", "limit", limit, low=1, open_low=True)
    n = count_rows("train", x=x, y=y)
    size = n if batch_size is None else batch_size
    size = check.integer("train", "batch_size", size, low=1)
    rng = check.integer("train", "rng", rng, low=0)
    check.full_precision("train", "x", x)
    check.finite("train", "x", x)
    with np.errstate(all="ignore"):
        net.loss_and_grad(w, x, y, loss)  # tells what does not fit
    plan = net.plan(w, loss=loss, optimizer=optimizer, batch_size=size)
    draw, order = np.random.default_rng(rng), np.arange(0)
    lost, losses = np.zeros(len(w), dtype=bool), []
    first = None
    for step in range(steps + 1):
        rows: Any = slice(None)
        if size < n:
            if len(order) < size:
                order = draw.permutation(n)
            rows, order = order[:size], order[size:]
        value = _losses_of_a_step(net, plan, x[rows], y[rows], loss, lost)
        first = value if first is None else first
        lost |= ~(value <= limit * first)
        losses.append(np.where(lost, np.inf, value))
        if lost.any():
            plan.w[lost] = plan.grad[lost] = 0.0
        if step < steps:
            with np.errstate(all="ignore"):
                plan.update()
    return Run(clone(plan.w), np.stack(losses))


def _losses_of_a_step(
    net: Any, plan: Any, x: Any, y: Any, loss: Any, lost: Array
) -> Array:
    """Write the gradients of a step, of those networks that have finite ones."""
    try:
        return to_numpy(plan.gradient(x, y)).copy()
    except check.DivergedError:
        values = np.full(len(lost), np.inf)
    for row in np.flatnonzero(~lost):
        with np.errstate(all="ignore"), contextlib.suppress(ValueError):
            value, grad = net.loss_and_grad(plan.w[row], x, y, loss)
            if bool((abs(grad) < math.inf).all()):
                values[row] = float(value)
    plan.w[np.isinf(values)] = 0.0  # so that the step is one of finite weights
    plan.gradient(x, y)
    return values


def compare(
    rules: Mapping[str, Callable[[Any], Any]],
    task: TestFunction | Callable[[Any, list[int]], Any],
    *,
    rates: Iterable[float] | Mapping[str, Iterable[float]],
    steps: int | None = None,
    starts: int = 8,
    at_once: bool = True,
) -> Comparison:
    """Compare rules fairly: each at a rate chosen on other starts than it is judged on.

    Every rule tries all of its rates from `starts` starts. The rate with the least
    median score is then run from as many *other* starts, and these scores are reported:
    their median, and the middle half of them.

    Parameters
    ----------
    rules : dict of str to function
        By name, what makes the rule of a column of rates, shape (m, 1): such as
        ``cg.optimizers.adam``, or ``lambda lr: cg.optimizers.sgd(lr, momentum=0.9)``.
    task : TestFunction or function
        A problem: the score is the loss after `steps` steps, and the starts are drawn
        within its bounds. Or your own: ``task(rule, seeds)`` runs one training for each
        of m seeds, as the rule was made for m rates, and returns m scores; less is
        better, and what is not finite has diverged.
    rates : list of float, or dict of str to list
        What is tried, for all rules or by name. Whatever is tuned may stand here: a
        decay, a size, a share.
    steps : int, optional
        How many steps; needed for a TestFunction, and only there.
    starts : int
        How many starts judge, and how many choose; 1 or more.
    at_once : bool
        Whether all rates run at once, as a column. If not, a rule is made of one rate,
        a float, and the task is called for each: for schedules, batch sizes, and what
        else takes one number.

    Returns
    -------
    Comparison
        Rates and scores, and in print a table.

    Raises
    ------
    TypeError, ShapeError, ValueError
        If an argument is not what is said above, or `task` returns another number of
        scores; or what a rule or the task raises.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.experiments.compare(
    ...     {"plain": cg.optimizers.sgd, "adam": cg.optimizers.adam},
    ...     cg.experiments.quadratic(100, angle=0.4),
    ...     rates=[0.003, 0.01, 0.019, 0.03, 0.1, 0.3, 1.0],
    ...     steps=200,
    ... )
    rule   rate     median   middle half
    plain  0.019    0.00011  2.7e-05 to 0.00075
    adam   0.3      9e-08    1.3e-08 to 6.9e-05
    8 starts; rates chosen on 8 others
    """
    return compare_in(lambda a: a, rules, task, rates, steps, starts, at_once)


def compare_in(
    to_array: Callable[[Array], Any],
    rules: Any,
    task: Any,
    rates: Any,
    steps: Any,
    starts: Any,
    at_once: Any,
) -> Comparison:
    """Compare, with columns of rates in the backend that `to_array` moves them to."""
    if not isinstance(rules, Mapping) or not rules:
        raise TypeError(
            "compare: `rules` must be a dict of name and function of a rate, got "
            f'{type(rules).__name__}; write {{"sgd": cg.optimizers.sgd}}.'
        )
    for name, rule in rules.items():
        if not callable(rule) or isinstance(rule, Optimizer):
            raise TypeError(
                f"compare: `rules[{name!r}]` must be a function of a column of rates, "
                f"got {type(rule).__name__}; write cg.optimizers.adam, without a rate."
            )
    starts = check.integer("compare", "starts", starts, low=1)
    at_once = check.boolean("compare", "at_once", at_once)
    if isinstance(task, TestFunction):
        if steps is None:
            raise TypeError("compare: `steps` must be given with a TestFunction.")
        steps = check.integer("compare", "steps", steps, low=1)
        run = _final_loss(task, steps, starts)
    else:
        check.function("compare", "task", task)
        if steps is not None:
            raise TypeError(
                "compare: `steps` goes with a TestFunction only, and `task` is "
                f"{type(task).__name__}; leave it out."
            )
        run = task
    tried = {name: _rates_of(name, rates) for name in rules}
    best, scores, sweep = {}, {}, {}
    for name, rule in rules.items():

        def score(values: Array, seeds: range, rule: Any = rule) -> Array:
            if not at_once and len(values) > 1:
                return np.concatenate([score(v[None], seeds) for v in values])
            column = np.repeat(values, len(seeds))[:, None]
            lr = to_array(column) if at_once else float(values[0])
            with np.errstate(all="ignore"):
                found = run(rule(lr), [*seeds] * len(values))
            out = np.asarray(to_numpy(found), dtype=float)
            if out.shape != (len(column),):
                raise check.ShapeError(
                    "compare: `task` must return a score for each of "
                    f"{len(column)} seeds, got shape {out.shape}."
                )
            out = np.where(np.isfinite(out), out, np.inf)
            return out.reshape(len(values), len(seeds))

        sweep[name] = score(tried[name], range(starts, 2 * starts))
        index = np.median(sweep[name], axis=1).argmin()
        best[name] = float(tried[name][index])
        scores[name] = score(tried[name][[index]], range(starts))[0]
    return Comparison(best, scores, tried, sweep)


def _rates_of(name: str, rates: Any) -> Array:
    """Return the rates that one rule tries, as an array."""
    mine = rates.get(name, ()) if isinstance(rates, Mapping) else rates
    try:
        out = np.array([float(rate) for rate in mine])
    except (TypeError, ValueError):
        out = np.array([])
    if not out.size or not np.isfinite(out).all():
        raise ValueError(
            f"compare: `rates` must be finite numbers, one or more, for {name!r}, got "
            f"{mine!r}."
        )
    return out


def _final_loss(problem: TestFunction, steps: int, starts: int) -> Callable[..., Array]:
    """Return a task: walk on a problem, from starts that are drawn once."""
    size = (2 * starts, problem.start.shape[-1])
    drawn = np.random.default_rng(0).uniform(*problem.bounds, size)

    def run(rule: Optimizer, seeds: list[int]) -> Array:
        start = from_numpy(drawn[seeds], problem.start)
        walk = compare_optimizers(problem, {"it": rule}, steps=steps, start=start)["it"]
        last: Array = walk.loss[-1]
        return last

    return run


def _problem(
    name: str,
    loss: Callable[..., Any],
    grad: Callable[..., Any],
    start: Iterable[float],
    minima: list[list[float]],
    bounds: tuple[float, float],
) -> TestFunction:
    """Make a TestFunction of formulas that take the weights one by one."""
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

    return TestFunction(height, slope, first, np.array(minima), bounds)


def _points(where: str, name: str, w: Any, n: int) -> None:
    """Raise unless `w` is a float array, of either backend, whose last axis is n."""
    if not hasattr(w, "dtype"):
        raise TypeError(
            f"{where}: `{name}` must be an array with a point on its last axis, got "
            f"{type(w).__name__}; make one with cg.array({name})."
        )
    check.full_precision(where, name, w)
    if tuple(w.shape)[-1:] != (n,):
        raise check.ShapeError(
            f"{where}: the last axis of `{name}` must be {n}, one number for each "
            f"weight of the problem, got shape {tuple(w.shape)}."
        )
