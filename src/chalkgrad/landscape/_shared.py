"""What both backends of landscape do in the same words.

Arguments are checked, directions and starts are drawn by NumPy, and the methods of
Lanczos and of principal components need no more than sums and products.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.random import as_generator

__all__ = [
    "count_networks",
    "draw_directions",
    "lanczos",
    "offsets",
    "principal_components",
    "random_start",
    "validate_directions",
    "validate_path",
    "validate_place",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

NORMALIZE = ("filter", "layer", "none")
# How many numbers a slice may keep at once: what a CPU has in its cache, and 32 MiB of
# float64 on a GPU.
ROOM = {"cpu": 2**20, "cuda": 2**22}


def validate_place(
    where: str, arrays: check.Arrays, kind: type[Any], net: Any, w: Any
) -> Any:
    """Return `w` if it is the weights of one network, which is of this backend."""
    check.network(where, net, kind)
    w = arrays.float_array(where, "w", w)
    check.shapes(where, w=(w, f"{net.size}"))
    return w


def validate_directions(
    where: str, arrays: check.Arrays, net: Any, w: Any, directions: Any
) -> Any:
    """Return the directions, one a row."""
    d = arrays.float_array(where, "directions", directions)
    arrays.same_dtype_and_device(where, w=w, directions=d)
    if tuple(d.shape) not in ((net.size,), (2, net.size)):
        raise check.ShapeError(
            f"{where}: `directions` must be one or two vectors as long as `w`, shape "
            f"({net.size},) or (2, {net.size}), got {tuple(d.shape)}."
        )
    return d.reshape(-1, net.size)


def offsets(where: str, radius: Any, points: Any, w: Any) -> list[float]:
    """Return `points` numbers from -radius to radius, with 0 in the middle."""
    radius = check.number(where, "radius", radius, low=0, open_low=True)
    check.representable(where, check.dtype_name(w), radius=radius)
    points = check.integer(where, "points", points, low=3)
    if points % 2 == 0:
        raise ValueError(
            f"{where}: `points` must be odd, so that the middle is `w`, got {points}."
        )
    half = points // 2
    return [radius * k / half for k in range(-half, half + 1)]


def count_networks(where: str, arrays: check.Arrays, net: Any, x: Any, y: Any) -> int:
    """Return how many networks may be computed at once on the rows of `x`."""
    arrays.own_nonempty(where, "x", x)
    arrays.own_nonempty(where, "y", y)
    check.shapes(where, x=(x, f"n {net.sizes[0]}"))
    check.any_precision(where, "x", x)
    check.finite(where, "x", x)
    # A layer keeps what comes into it and what comes out.
    numbers = ROOM["cuda" if getattr(x, "is_cuda", False) else "cpu"]
    return int(max(1, numbers // (2 * len(x) * sum(net.sizes) + net.size)))


def random_start(where: str, net: Any, rng: Any) -> Array:
    """Draw where `lanczos` starts."""
    v: Array = as_generator(where, rng).standard_normal(net.size)
    return v


def draw_directions(net: Any, w: Array, rng: Any, normalize: str) -> Array:
    """Draw the directions of a network of either backend, with NumPy."""
    check.choice("directions", "normalize", normalize, NORMALIZE)
    d = np.zeros((2, net.size))
    rng, start = as_generator("directions", rng), 0
    for inputs, units in pairwise(net.sizes):
        end = start + inputs * units
        W = w[start:end].reshape(inputs, units)
        D = rng.standard_normal((2, inputs, units))
        if normalize != "none":
            axes = -2 if normalize == "filter" else (-2, -1)
            unit = float(abs(W).max()) or 1.0  # in which no square overflows
            wanted = ((W / unit) ** 2).sum(axes, keepdims=True)
            D *= unit * np.sqrt(wanted / (D**2).sum(axes, keepdims=True))
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
    unit = float(abs(v).max()) or 1.0  # in which no square overflows
    return unit * math.sqrt(float(((v / unit) ** 2).sum()))


def validate_path(where: str, arrays: check.Arrays, path: Any) -> Any:
    """Return `path` if it has two rows and two columns at least."""
    path = arrays.float_array(where, "path", path)
    check.shapes(where, path=(path, "t n"))
    if min(path.shape) < 2:
        raise check.ShapeError(
            f"{where}: `path` must have two rows, one a place, and two columns at "
            f"least, got {tuple(path.shape)}."
        )
    return path


def principal_components(path: Array) -> tuple[Array, Array, tuple[float, float]]:
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
