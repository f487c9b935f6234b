r"""Landscape, NumPy backend: the reference.

The weights of a network are one vector, so its loss is a height over a space of that
many dimensions. A slice shows the heights on a line or a plane through one place; a
curvature tells how the ground bends there; a projection shows a walk.
"""

from typing import NamedTuple

import numpy as np

from chalkgrad._core._numpy import Array, arrays
from chalkgrad._core.random import Rng
from chalkgrad._core.types import Loss
from chalkgrad.autodiff._numpy import grad, vjp
from chalkgrad.landscape._line import LineEvaluator
from chalkgrad.landscape._shared import (
    count_networks,
    draw_directions,
    lanczos,
    offsets,
    principal_components,
    random_start,
    validate_directions,
    validate_path,
    validate_place,
)
from chalkgrad.losses import _numpy as losses
from chalkgrad.losses._loss import as_loss
from chalkgrad.network._numpy import Network

__all__ = ["Projection", "Sharpness", "directions", "loss_grid", "project", "sharpness"]


def directions(
    net: Network, w: Array, *, rng: Rng = 0, normalize: str = "filter"
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
        Where the numbers come from: NumPy, in both backends.
    normalize : "filter", "layer" or "none"
        What is scaled to its length in `w`.

    Returns
    -------
    Array of shape (2, size)
        In the dtype of `w`; computed in float64, then rounded.

    Raises
    ------
    TypeError
        If `net` is not a network of this backend, or `w` not a float array of it.
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
    w = validate_place("directions", arrays, Network, net, w)
    out: Array = arrays.like(
        draw_directions(net, w.astype("float64"), rng, normalize), w
    )
    return out


def loss_grid(
    net: Network,
    w: Array,
    x: Array,
    y: Array,
    loss: Loss,
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
    >>> cg.landscape.loss_grid(net, w, x, targets, cg.losses.mse, d, points=5)
    array([1.  , 0.25, 0.  , 0.25, 1.  ])
    """
    w = validate_place("loss_grid", arrays, Network, net, w)
    d = validate_directions("loss_grid", arrays, net, w, directions)
    steps = np.array(offsets("loss_grid", radius, points, w), w.dtype)
    count = min(count_networks("loss_grid", arrays, net, x, y), points)
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    line = LineEvaluator(net, x, y, loss, d[-1], count)
    ways = w[None] if len(d) == 1 else w + steps[:, None] * d[0]
    heights = np.stack([line(way, steps) for way in ways])
    f = as_loss("loss_grid", loss, losses.mse)
    for i, j in np.argwhere(~np.isfinite(heights))[:1]:
        f(net.forward(ways[i] + steps[j] * d[-1], x), y)  # says why, or it is infinite
    return heights[0] if len(d) == 1 else heights


class Sharpness(NamedTuple):
    """What `sharpness` found: how the ground bends at a place."""

    eigenvalue: float
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
    loss: Loss,
    *,
    tolerance: float = 1e-6,
    steps: int = 100,
    rng: Rng = 0,
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
        As `loss_grid`.

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
    >>> found.eigenvalue, found.steps
    (18.0, 2)
    """
    w = validate_place("sharpness", arrays, Network, net, w)
    v = np.array(random_start("sharpness", net, rng), w.dtype)
    count_networks("sharpness", arrays, net, x, y)
    net.loss_and_grad(w, x, y, loss)  # what it refuses, it refuses now
    # Pulling back through the gradient multiplies by the Hessian, for it is symmetric.
    f = as_loss("sharpness", loss, losses.mse)
    _, product = vjp(grad(lambda w: f(net.forward(w, x), y)), w)
    return Sharpness(*lanczos(product, v, tolerance, steps))


class Projection(NamedTuple):
    """What `project` found: a walk as seen on a plane."""

    directions: Array
    """The plane's two axes, shape (2, d + 1), orthonormal."""
    coordinates: Array
    """Each place on them, shape (t + 1, 2); the last is (0, 0)."""
    explained_variance_ratio: tuple[float, float]
    """The share of the variance along each axis."""


def project(path: Array) -> Projection:
    r"""Project a walk onto the plane in which it moves most, by PCA.

    The axes are the first two principal components of the places $w_0, \dots, w_t$. The
    plane goes through the last place, so a `loss_grid` there, along the same
    directions, is the ground under the walk. Each axis points to the side where the
    walk starts.

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
        If `path` is not a float array of this backend.
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
    >>> round(walk.explained_variance_ratio[0], 6)
    1.0
    """
    path = validate_path("project", arrays, path)
    axes, coordinates, explained = principal_components(path.astype("float64"))
    return Projection(
        arrays.like(axes, path), arrays.like(coordinates, path), explained
    )
