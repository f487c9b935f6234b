"""The functions of the lecture, entry by entry, with all digits that mpmath is told.

They are written apart from the library, in mpmath, in forms that cancel nowhere. An
array holds mpmath's numbers; `exact` makes one, without any rounding. How many digits
they have, the caller says: ``with mp.workdps(60): ...``
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from mpmath import mp, mpf


def exact(x: Any) -> Any:
    """Give every float of an array to mpmath, digit by digit; leave all else."""
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        return x
    return _each(x, lambda value: mpf(float(value)))


def _each(x: Any, f: Callable[[Any], Any]) -> Any:
    out = np.empty(np.shape(x), object)
    out.ravel()[...] = [f(value) for value in np.ravel(x)]
    return out


def _exp(x: Any) -> Any:
    """Return e to the x; for a large integer mpmath would multiply e with itself."""
    if abs(x) < 1024:
        return mp.exp(x)
    with mp.extraprec(mp.mag(x)):
        n = mp.nint(x / mp.ln2)
        rest = x - n * mp.ln2
    return mp.ldexp(mp.exp(rest), int(n))


# --- Activations ----------------------------------------------------------------------


def sigma(z: Any) -> Any:
    """The sigmoid."""
    return 1 / (1 + _exp(-z))


def _softplus(z: Any) -> Any:
    return max(z, mpf(0)) + mp.log1p(_exp(-abs(z)))


# By name: the function and its slope, of one number.
SMOOTH: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "identity": (lambda z: z, lambda _: mpf(1)),
    "sigmoid": (sigma, lambda z: sigma(z) * sigma(-z)),
    "tanh": (mp.tanh, lambda z: mp.sech(z) ** 2),
    "relu": (lambda z: max(z, mpf(0)), lambda z: mpf(z > 0)),
    "softplus": (_softplus, sigma),
    "gelu": (lambda z: z * mp.ncdf(z), lambda z: mp.ncdf(z) + z * mp.npdf(z)),
}


def leaky_relu(z: Any, slope: float = 0.01) -> tuple[Any, Any]:
    """Return values and slopes."""
    return (
        _each(z, lambda v: v if v > 0 else slope * v),
        _each(z, lambda v: mpf(1) if v > 0 else mpf(slope)),
    )


def activation(name: str, z: Any, **options: Any) -> tuple[Any, Any]:
    """Return values and slopes of an activation."""
    if name == "leaky_relu":
        return leaky_relu(z, **options)
    if name == "softmax":
        return softmax(z)
    f, slope = SMOOTH[name]
    return _each(z, f), _each(z, slope)


def softmax(z: Any) -> tuple[Any, Any]:
    """Return probabilities and their Jacobian, row by row."""
    p = np.empty(z.shape, object)
    jacobian = np.empty((*z.shape, z.shape[-1]), object)
    for row in np.ndindex(z.shape[:-1]):
        e = [_exp(value - max(z[row])) for value in z[row]]
        total = mp.fsum(e)
        p[row] = [value / total for value in e]
        for i, a in enumerate(p[row]):
            rest = mp.fsum(b for j, b in enumerate(p[row]) if j != i)
            jacobian[row][i] = [a * rest if i == j else -a * b
                                for j, b in enumerate(p[row])]  # fmt: skip
    return p, jacobian


# --- Losses ---------------------------------------------------------------------------


def _huber(delta: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return (
        lambda p, t: (
            (p - t) ** 2 / 2
            if abs(p - t) <= delta
            else delta * (abs(p - t) - mpf(delta) / 2)
        ),
        lambda p, t: p - t if abs(p - t) <= delta else delta * mp.sign(p - t),
    )


# By name: the loss and its slope, of a number and what it should be.
PAIRED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "mse": (lambda p, t: (p - t) ** 2, lambda p, t: 2 * (p - t)),
    "mae": (lambda p, t: abs(p - t), lambda p, t: mp.sign(p - t)),
    "hinge": (
        lambda s, t: max(mpf(0), 1 - t * s),
        lambda s, t: -t if t * s < 1 else mpf(0),
    ),
    "perceptron": (
        lambda s, t: max(mpf(0), -t * s),
        lambda s, t: -t if t * s <= 0 else mpf(0),
    ),
    "binary_cross_entropy": (
        lambda z, y: y * _softplus(-z) + (1 - y) * _softplus(z),
        lambda z, y: (1 - y) * sigma(z) - y * sigma(-z),
    ),
}


def loss(
    name: str,
    first: Any,
    second: Any,
    *,
    reduction: str = "mean",
    weights: Any = None,
    class_weights: Any = None,
    **options: Any,
) -> tuple[Any, Any]:
    """Return a loss and its gradient for the first argument."""
    counts: Any = mpf(1)
    if name == "cross_entropy":
        each, slopes = _cross_entropy(first, second, **options)
        if class_weights is not None:
            counts = class_weights[second]
    elif name == "binary_cross_entropy" and class_weights is not None:
        f, slope = PAIRED[name]
        y = _each(second, lambda t: mpf(float(t)))
        parts = class_weights[0] * (1 - y), class_weights[1] * y
        each, slopes = (
            parts[0] * _each(first, lambda z: g(z, 0))  # noqa: B023
            + parts[1] * _each(first, lambda z: g(z, 1))  # noqa: B023
            for g in (f, slope)
        )
        counts = sum(parts)
        # Of one number NumPy gives back the number, not an array.
        each, slopes = (np.asarray(a / counts, object) for a in (each, slopes))
    else:
        f, slope = (
            _huber(options.get("delta", 1.0)) if name == "huber" else PAIRED[name]
        )
        truth = _each(second, lambda t: mpf(float(t)))
        pairs = list(zip(first.ravel(), truth.ravel(), strict=True))
        each, slopes = (np.empty(first.shape, object) for _ in range(2))
        each.ravel()[...] = [f(*pair) for pair in pairs]
        slopes.ravel()[...] = [slope(*pair) for pair in pairs]
    counts = np.asarray(counts * (1 if weights is None else weights), object)
    counts = np.broadcast_to(counts, each.shape)
    lacking = (1,) * (slopes.ndim - each.ndim)
    each = np.asarray(each * counts, object)
    slopes = np.asarray(slopes * counts.reshape(counts.shape + lacking), object)
    if reduction == "none":
        return each, slopes
    total = mp.fsum(counts.ravel()) if reduction == "mean" else 1
    return np.array(mp.fsum(each.ravel()) / total, object), slopes / total


def _cross_entropy(
    z: Any, labels: Any, *, label_smoothing: float = 0.0
) -> tuple[Any, Any]:
    each, slopes = np.empty(z.shape[:-1], object), np.empty(z.shape, object)
    s, c = mpf(label_smoothing), z.shape[-1]
    for row in np.ndindex(z.shape[:-1]):
        top = int(np.argmax(z[row]))
        e = [_exp(value - z[row][top]) for value in z[row]]
        log_total = mp.log1p(mp.fsum(x for k, x in enumerate(e) if k != top))
        surprise = [z[row][top] - value + log_total for value in z[row]]
        p = [x / mp.fsum(e) for x in e]
        q = [(1 - s) * (k == labels[row]) + s / c for k in range(c)]
        each[row] = mp.fsum(a * b for a, b in zip(q, surprise, strict=True))
        for k in range(c):
            # p - 1 is minus the sum of the others, with all its digits.
            rest = mp.fsum(x for j, x in enumerate(p) if j != k)
            hit = k == labels[row]
            slopes[row][k] = -rest + s * (1 - mpf(1) / c) if hit else p[k] - s / c
    return each, slopes


# --- Networks -------------------------------------------------------------------------


def layers(net: Any, w: Any) -> list[tuple[Any, Any]]:
    """Cut a vector into matrices and biases."""
    out, start = [], 0
    for d, k in pairwise(net.sizes):
        middle, end = start + d * k, start + (d + 1) * k
        out.append((w[start:middle].reshape(d, k), w[middle:end]))
        start = end
    return out


def forward(net: Any, w: Any, x: Any) -> Any:
    """Return the outputs of a network."""
    return _run(net, w, x)[0]


def _run(net: Any, w: Any, x: Any) -> tuple[Any, list[tuple[Any, Any]]]:
    steps, h = [], x
    for W, b in layers(net, w):
        z = h @ W + b
        steps.append((h, z))
        skips = net.skip and z.shape == h.shape
        h = activation(net.activation, z)[0] + (h if skips else 0)
    return steps[-1][1], steps


def loss_and_grad(
    net: Any, w: Any, x: Any, y: Any, name: str, **options: Any
) -> tuple[Any, Any]:
    """Return the mean loss of a network and its gradient, by the chain rule."""
    outputs, steps = _run(net, w, x)
    value, delta = loss(name, outputs, y, **options)
    grads = []
    for index in reversed(range(len(steps))):
        h, z = steps[index]
        dz = delta
        if index < len(steps) - 1:
            dz = delta * activation(net.activation, z)[1]
        grads += [dz.sum(0), (h.T @ dz).ravel()]
        before = dz @ layers(net, w)[index][0].T
        skips = net.skip and h.shape == z.shape and index < len(steps) - 1
        delta = before + delta if skips else before
    return value, np.concatenate(grads[::-1])


def hessian(gradient: Callable[[Any], Any], w: Any) -> Any:
    """Return the Hessian by central differences: a step of 1e-20 leaves 40 digits."""
    h, columns = mpf(10) ** -20, []
    for k in range(len(w)):
        step = np.array([h if j == k else mpf(0) for j in range(len(w))], object)
        columns.append((gradient(w + step) - gradient(w - step)) / (2 * h))
    return np.stack(columns, -1)
