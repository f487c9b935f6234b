r"""Landscape, NumPy half: the reference.

The weights of a network are one vector, so its loss is a height over a space of that
many dimensions. A slice shows the heights on a line or a plane through one place; a
curvature tells how the ground bends there; a projection shows a walk.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays
from chalkgrad.autodiff._numpy import grad, vjp
from chalkgrad.data._shared import generator
from chalkgrad.network._numpy import Network

__all__ = ["Projection", "Sharpness", "directions", "project", "sharpness", "slice"]

NORMALIZE = ("filter", "layer", "none")
# How many numbers a slice may keep at once: what a CPU has in its cache, and 32 MiB of
# float64 on a GPU.
ROOM = {"cpu": 2**20, "cuda": 2**22}


def directions(
    net: Network, w: Array, *, rng: Any = 0, normalize: str = "filter"
) -> Array:
    r"""Draw two random directions in which to look around at `w`.

    Every weight of a matrix is drawn from a normal distribution. With ``"filter"`` each
    unit's incoming weights $d_{\cdot j}$, a column of $W_l$, are then scaled to the
    length that they have in `w`,

    $$d_{\cdot j} \leftarrow d_{\cdot j}\,
    \frac{\|W_{\cdot j}\|}{\|d_{\cdot j}\|},$$

    with ``"layer"`` each matrix as a whole, with ``"none"`` nothing. Biases are 0 in
    all three: a slice leaves them where they are.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,)
        Its weights, where the looking starts.
    rng : int or numpy.random.Generator
        Where the numbers come from: NumPy, in both halves.
    normalize : "filter", "layer" or "none"
        What is scaled to its length in `w`.

    Returns
    -------
    Array of shape (2, size)
        In the dtype of `w`; computed in float64, then rounded.

    Raises
    ------
    TypeError
        If `net` is not a network of this half, or `w` not a float array of it.
    ShapeError
        If `w` is not the weights of one network.
    ValueError
        If `w` is not finite, `normalize` not known or `rng` not a seed.

    References
    ----------
    [Li and others (2018)][li2018].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> net = cg.network([2, 1])
    >>> d = cg.landscape.directions(net, cg.array([3.0, 4.0, 7.0]))
    >>> (d**2).sum(-1) ** 0.5  # the unit's two weights have length 5
    array([5., 5.])
    >>> d[:, 2]  # the bias
    array([0., 0.])
    """
    w = place("directions", arrays, Network, net, w)
    return drawn(net, w.astype("float64"), rng, normalize).astype(w.dtype)


def slice(
    net: Network,
    w: Array,
    x: Array,
    y: Array,
    loss: Callable[..., Any],
    directions: Array,
    *,
    radius: float = 1.0,
    points: int = 51,
) -> Array:
    r"""Compute the loss on a line or a plane through `w`.

    $$L(w + a\,d_1) \quad\text{or}\quad L(w + a\,d_1 + b\,d_2)$$

    $a$ and $b$ take `points` values from -`radius` to `radius`, so the middle entry is
    the loss at `w`. What the first layer gives is linear in $a$ and $b$, so it takes
    two products a row; of the other layers, many networks are computed at once.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,)
        Its weights: the middle.
    x : Array of shape (n, d)
        The examples.
    y : Array of shape (n, ...)
        Their labels or targets, as `loss` takes them.
    loss : function
        One of ``cg.losses``, or a functools.partial of one.
    directions : Array of shape (size,) or (2, size)
        $d_1$ for a line, $d_1$ and $d_2$ for a plane.
    radius : float
        How far to go, in units of the directions; above 0.
    points : int
        How many values; odd, 3 or more.

    Returns
    -------
    Array of shape (points,) or (points, points)
        The mean loss; in a plane $a$ goes down the rows and $b$ along them.

    Raises
    ------
    TypeError, ShapeError, ValueError, IndexError
        If `net`, `w` or `directions` is not as above, or `radius` or `points` out of
        range; also as `net.forward` and `loss`, which refuses outputs that overflow.

    References
    ----------
    [Goodfellow, Vinyals and Saxe (2015)][goodfellow2015] for lines,
    [Li and others (2018)][li2018] for planes.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> net = cg.network([1, 1])
    >>> x, targets = cg.data.line(50, noise=0)  # y = 2 x + 1
    >>> w, d = cg.array([2.0, 1.0]), cg.array([0.0, 1.0])
    >>> cg.landscape.slice(net, w, x, targets, cg.losses.mse, d, points=5)
    array([1.  , 0.25, 0.  , 0.25, 1.  ])
    """
    w = place("slice", arrays, Network, net, w)
    d = span("slice", arrays, net, w, directions)
    steps = np.array(offsets("slice", radius, points), w.dtype)
    count = min(room("slice", arrays, net, x, y), points)
    line = net._line(x, y, d[-1], loss, count)
    ways = w[None] if len(d) == 1 else w + steps[:, None] * d[0]
    losses = np.stack([line(way, steps) for way in ways])
    for i, j in np.argwhere(~np.isfinite(losses))[:1]:  # say why, or let it be infinite
        net.loss_and_grad(ways[i] + steps[j] * d[-1], x, y, loss)
    return losses[0] if len(d) == 1 else losses


class Sharpness(NamedTuple):
    """What `sharpness` found: how the ground bends at a place."""

    largest: float
    """The largest eigenvalue of the Hessian."""
    direction: Array
    """Its eigenvector, shape (size,), of length 1."""
    steps: int
    """How many products with the Hessian it took."""
    converged: bool
    """Whether the eigenvalue is known to within the tolerance."""


def sharpness(
    net: Network,
    w: Array,
    x: Array,
    y: Array,
    loss: Callable[..., Any],
    *,
    tolerance: float = 1e-6,
    steps: int = 100,
    rng: Any = 0,
) -> Sharpness:
    r"""Find the largest curvature at `w` in any direction, by Lanczos' method.

    It is the largest eigenvalue $\lambda$ of the Hessian $H$ of the mean loss. From a
    random start $v$ the method needs the products $v, Hv, H^2v, \dots$ only, never $H$
    itself. It stops when the residual $\|Hu - \lambda u\|$, $u$ of length 1, is at most
    `tolerance` times $|\lambda|$: so near to $\lambda$ is an eigenvalue, almost surely
    the largest. After `steps` products, or as many as there are weights, it stops
    anyway.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,)
        Its weights.
    x : Array of shape (n, d)
        The examples.
    y : Array of shape (n, ...)
        Their labels or targets, as `loss` takes them.
    loss : function
        One of ``cg.losses``, or a functools.partial of one.
    tolerance : float
        Relative, above 0. In float32 some 1e-4 can be had.
    steps : int
        At most so many products; 1 or more.
    rng : int or numpy.random.Generator
        Where the start comes from.

    Returns
    -------
    Sharpness
        The curvature, its direction, and whether the method converged.

    Raises
    ------
    TypeError, ShapeError, ValueError, IndexError
        As `slice`.

    References
    ----------
    [Lanczos (1950)][lanczos1950] for the method,
    [Pearlmutter (1994)][pearlmutter1994] for the products.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> net = cg.network([1, 1])
    >>> x, targets = cg.array([[-3.0], [3.0]]), cg.array([[0.0], [0.0]])
    >>> w = cg.array([3.0, 2.0])  # the loss is 9 w1**2 + w2**2
    >>> found = cg.landscape.sharpness(net, w, x, targets, cg.losses.mse)
    >>> found.largest, found.steps
    (18.0, 2)
    """
    w = place("sharpness", arrays, Network, net, w)
    v = np.array(random_start("sharpness", net, rng), w.dtype)
    room("sharpness", arrays, net, x, y)
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    # Pulling back through the gradient multiplies by the Hessian, for it is symmetric.
    _, product = vjp(grad(lambda w: loss(net.forward(w, x), y)), w)
    return Sharpness(*lanczos(product, v, tolerance, steps))


class Projection(NamedTuple):
    """What `project` found: a walk as seen on a plane."""

    directions: Array
    """The plane's two axes, shape (2, d + 1), orthonormal."""
    coordinates: Array
    """Each place on them, shape (t + 1, 2); the last is (0, 0)."""
    explained: tuple[float, float]
    """The share of the variance along each axis."""


def project(path: Array) -> Projection:
    r"""Project a walk onto the plane in which it moves most, by PCA.

    The axes are the first two principal components of the places $w_0, \dots, w_t$. The
    plane goes through the last place, so a `slice` there, along the same directions,
    is the ground under the walk. Each axis points to the side where the walk starts.

    A large share of variance does not mean that the walk is simple: it is large for a
    random walk too.

    Parameters
    ----------
    path : Array of shape (t + 1, d + 1)
        The places, one row after each step; at least two, of at least two weights.

    Returns
    -------
    Projection
        Directions, coordinates, and the share of the variance along each direction.

    Raises
    ------
    TypeError
        If `path` is not a float array of this half.
    ShapeError
        If it does not have two rows and two columns at least.
    ValueError
        If it is not finite.

    References
    ----------
    [Li and others (2018)][li2018]; on random walks
    [Antognini and Sohl-Dickstein (2018)][antognini2018].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> path = cg.array([[3.0, 4.0, 0.0], [1.5, 2.0, 0.0], [0.0, 0.0, 0.0]])
    >>> walk = cg.landscape.project(path)
    >>> walk.coordinates[:, 0]  # a straight line, of length 5
    array([5. , 2.5, 0. ])
    >>> round(walk.explained[0], 6)
    1.0
    """
    path = walk("project", arrays, path)
    axes, coordinates, explained = components(path.astype("float64"))
    return Projection(
        axes.astype(path.dtype), coordinates.astype(path.dtype), explained
    )


# --- What both halves do alike --------------------------------------------------------


def place(where: str, arrays: check.Arrays, kind: type[Any], net: Any, w: Any) -> Any:
    """Return `w` if it is the weights of one network, which is of this half."""
    check.network(where, net, kind)
    w = arrays.real(where, "w", w)
    check.shapes(where, w=(w, f"{net.size}"))
    return w


def span(where: str, arrays: check.Arrays, net: Any, w: Any, directions: Any) -> Any:
    """Return the directions, one a row."""
    d = arrays.real(where, "directions", directions)
    arrays.alike(where, w=w, directions=d)
    if tuple(d.shape) not in ((net.size,), (2, net.size)):
        raise check.ShapeError(
            f"{where}: `directions` must be one or two vectors as long as `w`, shape "
            f"({net.size},) or (2, {net.size}), got {tuple(d.shape)}."
        )
    return d.reshape(-1, net.size)


def offsets(where: str, radius: Any, points: Any) -> list[float]:
    """Return `points` numbers from -radius to radius, with 0 in the middle."""
    radius = check.number(where, "radius", radius, low=0, open_low=True)
    points = check.integer(where, "points", points, low=3)
    if points % 2 == 0:
        raise ValueError(
            f"{where}: `points` must be odd, so that the middle is `w`, got {points}."
        )
    half = points // 2
    return [radius * k / half for k in range(-half, half + 1)]


def room(where: str, arrays: check.Arrays, net: Any, x: Any, y: Any) -> int:
    """Return how many networks may be computed at once on the rows of `x`."""
    arrays.one(where, "x", x)
    arrays.one(where, "y", y)
    check.shapes(where, x=(x, f"n {net.sizes[0]}"))
    check.real(where, "x", x)
    check.finite(where, "x", x)
    # A layer keeps what comes into it and what comes out.
    numbers = ROOM["cuda" if getattr(x, "is_cuda", False) else "cpu"]
    return int(max(1, numbers // (2 * len(x) * sum(net.sizes) + net.size)))


def random_start(where: str, net: Any, rng: Any) -> Array:
    """Draw where `lanczos` starts."""
    v: Array = generator(where, rng).standard_normal(net.size)
    return v


def drawn(net: Any, w: Array, rng: Any, normalize: str) -> Array:
    """Draw the directions of a network of either half, with NumPy."""
    check.choice("directions", "normalize", normalize, NORMALIZE)
    d = np.zeros((2, net.size))
    rng, start = generator("directions", rng), 0
    for inputs, units in pairwise(net.sizes):
        end = start + inputs * units
        W = w[start:end].reshape(inputs, units)
        D = rng.standard_normal((2, inputs, units))
        if normalize != "none":
            axes = -2 if normalize == "filter" else (-2, -1)
            wanted = (W**2).sum(axes, keepdims=True)
            D *= np.sqrt(wanted / (D**2).sum(axes, keepdims=True))
        d[:, start:end] = D.reshape(2, -1)
        start = end + units
    return d


def lanczos(
    product: Callable[[Any], Any], v: Any, tolerance: Any, steps: Any
) -> tuple[float, Any, int, bool]:
    """Find the largest eigenvalue of a symmetric matrix, given its products."""
    tolerance = check.number("sharpness", "tolerance", tolerance, low=0, open_low=True)
    steps = check.integer("sharpness", "steps", steps, low=1)
    basis: list[Any] = [v / _length(v)]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        u = product(basis[-1])
        diagonal.append(float((u * basis[-1]).sum()))
        for b in basis * 2:  # twice: rounding lets them lean on each other
            u = u - (u * b).sum() * b
        # In this basis the matrix has three diagonals.
        small = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        values, vectors = np.linalg.eigh(small)
        residual = _length(u) * abs(vectors[-1, -1])
        converged = bool(residual <= tolerance * abs(values[-1]))
        if converged or len(basis) == min(steps, len(v)):
            break
        beside.append(_length(u))
        basis.append(u / beside[-1])
    direction = sum(float(c) * b for c, b in zip(vectors[:, -1], basis, strict=True))
    return float(values[-1]), direction, len(basis), converged


def _length(v: Any) -> float:
    return math.sqrt(float((v * v).sum()))


def walk(where: str, arrays: check.Arrays, path: Any) -> Any:
    """Return `path` if it has two rows and two columns at least."""
    path = arrays.real(where, "path", path)
    check.shapes(where, path=(path, "t n"))
    if min(path.shape) < 2:
        raise check.ShapeError(
            f"{where}: `path` must have two rows, one a place, and two columns at "
            f"least, got {tuple(path.shape)}."
        )
    return path


def components(path: Array) -> tuple[Array, Array, tuple[float, float]]:
    """Return the first two principal axes, the path on them, their shares."""
    path = np.ascontiguousarray(path)
    _, lengths, axes = np.linalg.svd(path - path.mean(0), full_matrices=False)
    coordinates = (path - path[-1]) @ axes[:2].T
    sides = np.where(coordinates[0] < 0, -1.0, 1.0)
    variances = lengths**2
    first, second = (variances / max(variances.sum(), np.finfo(float).tiny))[:2]
    return (
        sides[:, None] * axes[:2],
        sides * coordinates,
        (float(first), float(second)),
    )
