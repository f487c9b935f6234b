"""Autodiff, PyTorch half: the names of `chalkgrad.numpy.autodiff` over torch.autograd.

The function is written with PyTorch. What comes back has left the graph, unless a
derivative is being differentiated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, array, arrays
from chalkgrad.autodiff._numpy import compare

__all__ = [
    "check_grads",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "value_and_grad",
    "vjp",
]

_depth = 0


def _pullback(
    where: str, f: Callable[..., Any], args: tuple[Any, ...], count: int
) -> tuple[Any, Callable[[Any], list[Any]]]:
    """Run f with its first `count` arguments recorded; return how to go backwards."""
    global _depth
    for i, x in enumerate(args[:count]):
        arrays.floating(where, f"x{i + 1}" if count > 1 else "x", x)
    nested = _depth > 0
    # A view: the outer recording goes on through it.
    leaves = [
        x.view_as(x) if nested and x.requires_grad else x.detach().requires_grad_()
        for x in args[:count]
    ]
    _depth += 1
    try:
        with torch.enable_grad():
            out = f(*leaves, *args[count:])
    finally:
        _depth -= 1
    arrays.returned(where, out)
    if isinstance(out, int | float):
        out = leaves[0].new_tensor(out)

    def pull(g: Any) -> list[Any]:
        if not out.requires_grad:
            return [torch.zeros_like(leaf) for leaf in leaves]  # f is constant in them
        again = nested or g.requires_grad
        found: tuple[Any, ...] = torch.autograd.grad(
            out, leaves, g, create_graph=again, retain_graph=True, allow_unused=True
        )
        return [
            torch.zeros_like(leaf) if part is None else part
            for part, leaf in zip(found, leaves, strict=True)
        ]

    return out if nested else out.detach(), pull


def value_and_grad(f: Callable[..., Any]) -> Callable[..., tuple[Any, Array]]:
    """Twin of `chalkgrad.numpy.autodiff.value_and_grad`."""
    check.function("value_and_grad", "f", f)

    def run(x: Array, *rest: Any) -> tuple[Any, Array]:
        value, pull = _pullback("value_and_grad", f, (x, *rest), 1)
        if value.shape != ():
            raise TypeError(
                "value_and_grad: `f` must return one number, got shape "
                f"{tuple(value.shape)}; sum it, or use cg.autodiff.jacobian."
            )
        return value, pull(torch.ones_like(value))[0]

    return run


def grad(f: Callable[..., Any]) -> Callable[..., Array]:
    """Twin of `chalkgrad.numpy.autodiff.grad`."""
    check.function("grad", "f", f)
    both = value_and_grad(f)
    return lambda x, *rest: both(x, *rest)[1]


def vjp(f: Callable[..., Any], *args: Array) -> tuple[Any, Callable[..., Any]]:
    """Twin of `chalkgrad.numpy.autodiff.vjp`."""
    check.function("vjp", "f", f)
    check.some("vjp", "args", args)
    value, pull = _pullback("vjp", f, args, len(args))

    def pullback(g: Any) -> Any:
        arrays.one("vjp", "g", g)
        if tuple(np.shape(g)) != tuple(value.shape):
            raise check.ShapeError(
                "vjp: `g` must have the shape of the value, "
                f"{tuple(value.shape)}, got {tuple(np.shape(g))}."
            )
        found = pull(g)
        return found[0] if len(found) == 1 else tuple(found)

    return value, pullback


def jvp(f: Callable[[Any], Any], x: Array, v: Array) -> tuple[Any, Any]:
    """Twin of `chalkgrad.numpy.autodiff.jvp`."""
    check.function("jvp", "f", f)
    arrays.along("jvp", x=x, v=v)
    value, pull = _pullback("jvp", f, (x,), 1)
    start = torch.zeros_like(value)
    _, push = _pullback("jvp", lambda g: pull(g)[0], (start,), 1)
    return value, push(v)[0]


def jacobian(f: Callable[[Any], Any]) -> Callable[[Array], Array]:
    """Twin of `chalkgrad.numpy.autodiff.jacobian`."""
    check.function("jacobian", "f", f)

    def run(x: Array) -> Array:
        value, pull = _pullback("jacobian", f, (x,), 1)
        shape = tuple(value.shape)
        units = torch.eye(value.numel(), dtype=value.dtype, device=value.device)
        rows = [pull(unit.reshape(shape))[0] for unit in units]
        return torch.stack(rows).reshape(*shape, *x.shape)

    return run


def hessian(f: Callable[[Any], Any]) -> Callable[[Array], Array]:
    """Twin of `chalkgrad.numpy.autodiff.hessian`."""
    check.function("hessian", "f", f)
    return jacobian(grad(f))


def hvp(f: Callable[[Any], Any], w: Array, v: Array) -> Array:
    """Twin of `chalkgrad.numpy.autodiff.hvp`."""
    check.function("hvp", "f", f)
    arrays.along("hvp", w=w, v=v)
    slope = grad(f)
    return grad(lambda x: (slope(x) * v).sum())(w)


def check_grads(
    f: Callable[..., Any],
    *args: Array,
    order: int = 2,
    h: float = 1e-5,
    rtol: float = 1e-5,
) -> None:
    """Twin of `chalkgrad.numpy.autodiff.check_grads`."""

    def make(numbers: Any, like: Array) -> Array:
        return array(numbers).to(like)

    compare(vjp, make, f, args, order=order, h=h, rtol=rtol)
