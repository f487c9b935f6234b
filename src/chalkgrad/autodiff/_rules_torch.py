"""Where torch.autograd takes no care, ours: the same slopes as in the NumPy backend.

PyTorch's slope of a singular matrix's determinant is 0, that of ``tanh`` is 0 in the
tail, and that of ``hypot`` is nan at 0. While a function is recorded, its calls of such
functions are recorded with our rules instead.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode

from chalkgrad._core._torch import Array
from chalkgrad.autodiff._slopes import Rule, Tools, slopes
from chalkgrad.autodiff._tape import write_error

__all__ = ["Careful"]


class _Call(NamedTuple):
    """A function with its rules, and what it is called with beside its arrays."""

    func: Callable[..., Any]
    rules: Sequence[Rule | None]
    others: tuple[Any, ...]
    """The arguments, None in place of each array."""
    options: dict[str, Any]

    def fill(self, arrays: Sequence[Array]) -> list[Any]:
        left = iter(arrays)
        return [next(left) if a is None else a for a in self.others]


class _Step(torch.autograd.Function):
    """One call of a function, whose slopes autograd takes from our rules."""

    generate_vmap_rule = True

    @staticmethod
    def forward(call: _Call, *arrays: Array) -> Array:
        y: Array = call.func(*call.fill(arrays), **call.options)
        return y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Array) -> None:
        ctx.call, *arrays = inputs
        ctx.save_for_backward(output, *arrays)

    @staticmethod
    def backward(ctx: Any, g: Array) -> tuple[Array | None, ...]:
        y, *arrays = ctx.saved_tensors
        args, needed = ctx.call.fill(arrays), iter(ctx.needs_input_grad[1:])
        parts: list[Array | None] = []
        for rule, a, other in zip(ctx.call.rules, args, ctx.call.others, strict=False):
            if other is None:
                part = rule(g, y, *args, **ctx.call.options) if next(needed) else None
                parts.append(None if part is None else part.sum_to_size(a.shape).to(a))
        return None, *parts


def _differentiable(func: Callable[..., Any], rules: Sequence[Rule | None]) -> Any:
    """Return the function, recorded with these rules."""

    def step(*args: Any, **options: Any) -> Any:
        args = tuple(a.item() if isinstance(a, np.generic) else a for a in args)
        arrays = [a for a in args if isinstance(a, Array)]
        # Complex numbers, pushing forward and `out=` have no rules of ours.
        if (
            not any(a.requires_grad for a in arrays)
            or any(a.is_complex() for a in arrays)
            or forward_ad._current_level >= 0
            or "out" in options
        ):
            return func(*args, **options)
        others = tuple(None if isinstance(a, Array) else a for a in args)
        return _Step.apply(_Call(func, rules, others, options), *arrays)  # type: ignore[no-untyped-call]

    return step


def _primitive(rules: Sequence[Rule | None]) -> Callable[[Any], Any]:
    return lambda func: _differentiable(func, rules)


def _sign(x: Array) -> Array:
    return torch.where(torch.isnan(x), x, torch.sign(x))


def _pull(f: Callable[[Array], Array], x: Array, g: Array) -> Array:
    again = torch.is_grad_enabled()  # the derivative is differentiated, too
    with torch.enable_grad():
        leaf = (
            x.view_as(x) if again and x.requires_grad else x.detach().requires_grad_()
        )
        (found,) = torch.autograd.grad(f(leaf), leaf, g, create_graph=again)
    return found


_SLOPES = slopes(Tools(torch, _sign, torch.Tensor.detach, _primitive, _pull))


# --- The largest of some, where several are, or one is nan ----------------------------


def _shares(
    g: Array, y: Array, x: Array, dim: Any = (), keepdim: bool = False
) -> Array:
    axes = [dim] if isinstance(dim, int) else [*dim] or [*range(x.ndim)]
    if not keepdim:
        for axis in sorted(i % max(1, x.ndim) for i in axes):
            g, y = g.unsqueeze(axis), y.unsqueeze(axis)
    best = ((x == y) | (x.isnan() & y.isnan())).to(g)
    return g * (best / best.sum(axes, keepdim=True))


_amax = _differentiable(torch.amax, [_shares])
_amin = _differentiable(torch.amin, [_shares])


def _extreme(
    func: Callable[..., Any], extreme: Callable[..., Any], two: Callable[..., Any]
) -> Callable[..., Any]:
    """Make what takes the place of ``torch.max`` in its three forms."""

    def call(x: Array, *args: Any, **options: Any) -> Any:
        other = args[0] if args else options.get("other")
        if isinstance(other, Array):
            return two(x, other)
        if not args and not options:
            return extreme(x)
        indices = func(x, *args, **options).indices
        kind = torch.return_types.max if func is torch.max else torch.return_types.min
        return kind((extreme(x, *args, **options), indices))

    return call


# --- Lengths whose squares overflow, or come to nothing -------------------------------


def _in_units(
    func: Callable[..., Any], axes_of: Callable[..., Any]
) -> Callable[..., Any]:
    """Compute a length in units of its largest size, where it is very long or short.

    A length of s x is s times that of x, so that s takes no derivative.
    """

    def call(x: Array, *args: Any, **options: Any) -> Any:
        y = func(x, *args, **options)
        if not x.is_floating_point() or x.numel() == 0:
            return y
        of, size = torch.finfo(x.dtype), y.detach().abs()
        if x.requires_grad and bool((size == 0).any()):
            # PyTorch's slope is 0 where all are 0, and the slope of that is nan.
            x = _flat_at_0(x, *args, **options)
            y = func(x, *args, **options)
        fair = (size > (of.tiny / of.eps) ** 0.5) & (size < of.max**0.5)
        if bool(fair.all()):
            return y
        unit = x.detach().abs().amax(axes_of(*args, **options), keepdim=True)
        unit = torch.where((unit > 0) & unit.isfinite(), unit, 1)
        return unit.reshape(y.shape) * func(x / unit, *args, **options)

    return call


def _norm_axes(_: Any = None, dim: Any = None, *__: Any, **___: Any) -> Any:
    """Return the axes that a norm was asked for: they follow its order."""
    return () if dim is None else dim


def _flat_at_0(x: Array, _: Any = None, dim: Any = None, *__: Any, **___: Any) -> Array:
    kept = x.detach()
    sizes = kept.abs().amax(() if dim is None else dim, keepdim=True)
    return torch.where(sizes == 0, kept, x)


def _std(x: Array, *args: Any, **options: Any) -> Array:
    """Compute a deviation, whose slope is 0 where all numbers are equal.

    Their mean is rounded, so that some distance from it may be left.
    """
    y: Array = _std_in_units(x, *args, **options)
    if x.numel() == 0:
        return y
    axes = _axes(*args, **options)
    kept = x.detach()
    same = kept.amax(axes, keepdim=True) == kept.amin(axes, keepdim=True)
    same &= ~y.detach().isnan().reshape(same.shape)
    if bool(same.any()):
        y = _std_in_units(torch.where(same, kept, x), *args, **options)
    return y


def _std_mean(x: Array, *args: Any, **options: Any) -> tuple[Array, Array]:
    y = _std(x, *args, **options)
    return y, x.mean(_axes(*args, **options), keepdim=True).reshape(y.shape)


def _axes(*args: Any, dim: Any = None, **_: Any) -> Any:
    """Return the axes that ``torch.std`` got, or was asked for by their name."""
    given = next((a for a in args if not isinstance(a, bool)), dim)
    return () if given is None else given


_std_in_units = _in_units(torch.std, _axes)


# --- Products that overflow, or come to nothing ---------------------------------------


def _others(
    g: Array,
    y: Array,
    x: Array,
    dim: int | None = None,
    keepdim: bool = False,
    **_: Any,
) -> Array:
    """Multiply all others: with one copy of x for each place, and 1 in that place."""
    if dim is None:
        return _others(g, y, x.reshape(-1), 0).reshape(x.shape)
    rows = x.movedim(dim, -1)
    n = rows.shape[-1]
    is_place = torch.eye(n, dtype=torch.bool, device=x.device)
    others = torch.where(is_place, 1, rows[..., None, :]).prod(-1)
    return (g if keepdim else g.unsqueeze(dim)) * others.movedim(-1, dim)


def _prod(x: Array, *args: Any, **options: Any) -> Array:
    """Compute a product; PyTorch divides it by each factor, which is well mostly."""
    y: Array = torch.prod(x, *args, **options)
    if not x.requires_grad or not y.is_floating_point():
        return y
    size, of = y.detach().abs(), torch.finfo(y.dtype)
    if bool(((size > of.tiny / of.eps) & size.isfinite()).all()):
        return y
    return _prod_step(x, *args, **options)  # type: ignore[no-any-return]


_prod_step = _differentiable(torch.prod, [_others])


# --- Which functions, by all their names ----------------------------------------------


def _slogdet(a: Array) -> Any:
    both = torch.linalg.slogdet(a.detach())
    return type(both)((both.sign, _logabsdet(a)))


_logabsdet = _differentiable(lambda a: torch.linalg.slogdet(a)[1], _SLOPES["logabsdet"])


def _nanmean(
    x: Array, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Array:
    kept = ~x.isnan()
    total = torch.where(kept, x, 0).sum(dim, keepdim, dtype=dtype)
    return total / kept.sum(dim, keepdim)


def _power(a: Any, b: Any) -> Any:
    a, b = (x if isinstance(x, Array) else _number(x) for x in (a, b))
    # What PyTorch does well it also does fast.
    if not isinstance(a, Array) or (isinstance(b, int | float) and b - 1 + 1 == b):
        return torch.pow(a, b)
    return _power_step(a, b)


def _number(x: Any) -> Any:
    x = x.item() if isinstance(x, np.generic) else x
    return int(x) if isinstance(x, bool) else x


def _flat(func: Callable[..., Any]) -> Callable[..., Any]:
    """Make what has slope 0, and of which PyTorch knows no slope."""
    return lambda *args: func(
        *(a.detach() if isinstance(a, Array) else a for a in args)
    )


def _double(x: Any) -> Any:
    return x.double() if isinstance(x, Array) else x


_power_step = _differentiable(torch.pow, _SLOPES["power"])
_OTHER_NAMES = {
    "absolute": ["abs", "__abs__"],
    "arccos": ["acos"],
    "arccosh": ["acosh"],
    "arcsin": ["asin"],
    "arcsinh": ["asinh"],
    "arctan": ["atan"],
    "arctan2": ["atan2"],
    "arctanh": ["atanh"],
    "floor_divide": ["__floordiv__"],
    "linalg.det": ["det"],
    "remainder": ["__mod__"],
}


def _names() -> dict[Any, Callable[..., Any]]:
    steps = {
        name: _differentiable(_find(torch, name), rules)
        for name, rules in _SLOPES.items()
        if name not in ("power", "logabsdet")
    }
    steps |= {
        "sigmoid": _differentiable(
            torch.sigmoid, [lambda g, y, x: g * y * torch.sigmoid(-x)]
        ),
        "float_power": lambda a, b: _power(*map(_double, (a, b))),
        "pow": _power,
        "__pow__": _power,
        "__rpow__": lambda b, a: _power(a, b),
        "amax": _amax,
        "amin": _amin,
        "max": _extreme(torch.max, _amax, steps["maximum"]),
        "min": _extreme(torch.min, _amin, steps["minimum"]),
        "nanmean": _nanmean,
        "prod": _prod,
        "std": _std,
        "std_mean": _std_mean,
        **{
            name: _in_units(_find(torch, name), _norm_axes)
            for name in ("norm", "linalg.norm", "linalg.vector_norm")
        },
        **{name: _flat(_find(torch, name)) for name in ("floor_divide", "heaviside")},
        "__rmod__": lambda b, a: steps["remainder"](a, b),
        "__rfloordiv__": lambda b, a: steps["floor_divide"](a, b),
        "slogdet": _slogdet,
        "linalg.slogdet": _slogdet,
    }
    steps["special.expit"] = steps["sigmoid"]
    found = {}
    for name, step in steps.items():
        for other in (name, *_OTHER_NAMES.get(name, [])):
            for place in (torch, torch.Tensor, torch.special):
                func = _find(place, other)
                if func is not None:
                    found[func] = step
    return found


def _find(place: Any, name: str) -> Any:
    for part in name.split("."):
        place = getattr(place, part, None)
    return place


_STEPS = _names()

# --- What would take a number out without a word --------------------------------------


def _refuse(told: str, instead: str) -> Callable[[Any], Callable[..., Any]]:
    def guard(func: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*args: Any, **options: Any) -> Any:
            if any(map(_has_tracer, (*args, *options.values()))):
                raise TypeError(
                    f"autodiff: {told} would lose the gradient of a traced array. "
                    f"{instead}"
                )
            return func(*args, **options)

        return ask

    return guard


def _has_tracer(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(map(_has_tracer, x))
    return isinstance(x, Array) and x.requires_grad


_NUMBER = _refuse(
    "float(x)",
    "Keep it as it is, with PyTorch's functions in place of those of `math`; x.item() "
    "takes the number out, as a constant.",
)
_TENSOR = _refuse(
    "torch.tensor(x)",
    "Keep it as it is; in place of torch.tensor([a, b]), write torch.stack([a, b]).",
)


def _of_list(func: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``torch.as_tensor`` take a tensor, which it leaves alone, but no list."""
    guard = _TENSOR(func)
    return lambda x, *args, **options: (guard if type(x) in (list, tuple) else func)(
        x, *args, **options
    )


_STEPS[torch.tensor] = _TENSOR(torch.tensor)
_STEPS[torch.as_tensor] = _of_list(torch.as_tensor)
_STEPS[torch.asarray] = _of_list(torch.asarray)
for _name in ("__float__", "__int__", "__complex__"):
    _STEPS[getattr(Array, _name)] = _NUMBER(getattr(Array, _name))


def _in_place(func: Callable[..., Any], sign: str) -> Callable[..., Any]:
    """Let what was computed be written into, as PyTorch can tell, but no argument."""

    def write(x: Array, *args: Any, **options: Any) -> Any:
        base = x if x._base is None else x._base
        if base.is_leaf and base.requires_grad:
            # On a TypeError, Python would write into nothing, and go on by x = x + y.
            told = write_error(f"x {sign}= y", f"write x = x {sign} y")
            raise RuntimeError(str(told))
        return func(x, *args, **options)

    return write


for _name, _sign_of in zip(("add_", "sub_", "mul_", "div_"), "+-*/", strict=True):
    _STEPS[getattr(Array, _name)] = _in_place(getattr(Array, _name), _sign_of)
for _written in (Array.pow_, Array.__ipow__):
    _STEPS[_written] = _in_place(_written, "**")


def _by_position(
    args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Hand arrays over by position, and call axes as PyTorch does, not as NumPy."""
    options = {_ALIASES.get(name, name): x for name, x in options.items()}
    for place, names in enumerate((("input", "x", "A"), ("other", "exponent"))):
        for name in names:
            if len(args) == place and name in options:
                args = (*args, options.pop(name))
    return args, options


_ALIASES = {"axis": "dim", "keepdims": "keepdim"}


class Careful(TorchFunctionMode):
    """While it is on, calls of such functions are recorded with our rules."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        step = _STEPS.get(func)
        if step is None:
            return func(*args, **kwargs) if kwargs else func(*args)
        if kwargs:
            args, kwargs = _by_position(args, kwargs)
            return step(*args, **kwargs)
        return step(*args)
