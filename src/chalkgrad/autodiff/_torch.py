"""Autodiff, PyTorch backend: torch.autograd under `chalkgrad.numpy.autodiff`'s names.

The function is written with PyTorch. What comes back has left the graph, unless a
derivative is being differentiated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from chalkgrad._core import check
from chalkgrad._core._torch import Array, array, arrays, is_traced, recording
from chalkgrad._core.docs import twin_of
from chalkgrad.autodiff import _numpy as reference
from chalkgrad.autodiff._numpy import compare
from chalkgrad.autodiff._rules_torch import Careful

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


def _leaf(x: Array) -> Array:
    """Return the numbers of an array without its graph; of inference mode, a copy."""
    return x.clone() if x.is_inference() else x.detach()


def _pullback(
    where: str,
    f: Callable[..., Any],
    args: tuple[Any, ...],
    count: int,
    options: dict[str, Any],
) -> tuple[Any, Callable[[Any], list[Any]]]:
    """Run f with its first `count` arguments recorded; return how to go backwards."""
    for i, x in enumerate(args[:count]):
        arrays.full_precision(where, f"x{i + 1}" if count > 1 else "x", x)
    # A view: the outer recording goes on through it.
    with torch.inference_mode(False):
        leaves = [
            x.view_as(x) if is_traced(x) else _leaf(x).requires_grad_()
            for x in args[:count]
        ]
    own = {id(leaf): leaf for leaf in leaves}
    recording.update(own)
    try:
        with torch.inference_mode(False), torch.enable_grad(), Careful():
            out = f(*leaves, *args[count:], **options)
    finally:
        for leaf in own:
            del recording[leaf]
    arrays.result(where, out)
    if isinstance(out, int | float):
        out = leaves[0].new_tensor(out)

    def pull(g: Any) -> list[Any]:
        if not out.requires_grad:
            return [torch.zeros_like(leaf) for leaf in leaves]  # f is constant in them
        with torch.inference_mode(False):
            found: tuple[Any, ...] = torch.autograd.grad(
                out,
                leaves,
                _leaf(g) if g.is_inference() else g,
                create_graph=is_traced(out, g),
                retain_graph=True,
                allow_unused=True,
            )
        return [
            torch.zeros_like(leaf) if part is None else part
            for part, leaf in zip(found, leaves, strict=True)
        ]

    return out if is_traced(out) else out.detach(), pull


@twin_of(reference.value_and_grad)
def value_and_grad(f: Callable[..., Any]) -> Callable[..., tuple[Any, Array]]:
    check.function("value_and_grad", "f", f)

    def run(*args: Any, **options: Any) -> tuple[Any, Array]:
        check.by_position("value_and_grad", args)
        value, pull = _pullback("value_and_grad", f, args, 1, options)
        if value.shape != ():
            raise TypeError(
                "value_and_grad: `f` must return one number, got shape "
                f"{tuple(value.shape)}; sum it, or use cg.autodiff.jacobian."
            )
        return value, pull(torch.ones_like(value))[0]

    return run


@twin_of(reference.grad)
def grad(f: Callable[..., Any]) -> Callable[..., Array]:
    check.function("grad", "f", f)
    both = value_and_grad(f)
    return lambda *args, **options: both(*args, **options)[1]


@twin_of(reference.vjp)
def vjp(
    f: Callable[..., Any], /, *args: Array, **options: object
) -> tuple[Any, Callable[..., Any]]:
    check.function("vjp", "f", f)
    check.nonempty("vjp", "args", args)
    value, pull = _pullback("vjp", f, args, len(args), options)

    def pullback(g: Any) -> Any:
        arrays.own_nonempty("vjp", "g", g)
        if tuple(np.shape(g)) != tuple(value.shape):
            raise check.ShapeError(
                "vjp: `g` must have the shape of the value, "
                f"{tuple(value.shape)}, got {tuple(np.shape(g))}."
            )
        found = pull(g)
        return found[0] if len(found) == 1 else tuple(found)

    return value, pullback


@twin_of(reference.jvp)
def jvp(
    f: Callable[..., Any], /, x: Array, v: Array, **options: object
) -> tuple[Any, Any]:
    check.function("jvp", "f", f)
    arrays.same_shape("jvp", x=x, v=v)
    value, pull = _pullback("jvp", f, (x,), 1, options)
    start = torch.zeros_like(value)
    _, push = _pullback("jvp", lambda g: pull(g)[0], (start,), 1, {})
    return value, push(v)[0]


@twin_of(reference.jacobian)
def jacobian(f: Callable[..., Any]) -> Callable[..., Array]:
    check.function("jacobian", "f", f)

    def run(*args: Any, **options: object) -> Array:
        check.by_position("jacobian", args)
        value, pull = _pullback("jacobian", f, args, 1, options)
        shape = tuple(value.shape)
        units = torch.eye(value.numel(), dtype=value.dtype, device=value.device)
        rows = [pull(unit.reshape(shape))[0] for unit in units]
        return torch.stack(rows).reshape(*shape, *args[0].shape)

    return run


@twin_of(reference.hessian)
def hessian(f: Callable[..., Any]) -> Callable[..., Array]:
    check.function("hessian", "f", f)
    return jacobian(grad(f))


@twin_of(reference.hvp)
def hvp(f: Callable[..., Any], /, w: Array, v: Array, **options: object) -> Array:
    check.function("hvp", "f", f)
    arrays.same_shape("hvp", w=w, v=v)
    slope = grad(f)
    return grad(lambda x: (slope(x, **options) * v).sum())(w)


@twin_of(reference.check_grads)
def check_grads(
    f: Callable[..., Any],
    /,
    *args: Array,
    order: int = 2,
    h: float = 1e-5,
    rtol: float = 1e-5,
    **options: object,
) -> None:
    def make(numbers: Any, like: Array) -> Array:
        return array(numbers).to(like)

    compare(vjp, make, f, args, options, order=order, h=h, rtol=rtol)
