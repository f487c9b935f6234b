"""The tape of the NumPy backend: it records plain NumPy code, and walks it backwards.

A `Traced` array stands in for an array. NumPy hands it every function that it meets
(through ``__array_ufunc__`` and ``__array_function__``); the result is a new `Traced`
that remembers the function and its arguments. An older node never depends on a newer
one, so the order of creation is a topological order, and going backwards through it is
reverse accumulation.

Derivatives of derivatives: every differentiation has a **level** of its own, which no
other ever has, in any thread. A node of a level may hold a node of a lower level as its
data, and rules compute with that, so that what they do is recorded one level down.
"""

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from chalkgrad._core._numpy import Primitive, TracedArray

Rule: TypeAlias = Callable[..., Any]
# For each function that can be differentiated: a rule for each argument, or how to make
# the rule for argument i. A rule gets the derivative g of the loss with respect to the
# result, the result y, and the arguments; it returns that with respect to one argument.
# It need not undo broadcasting: the engine does.
RULES: dict[Any, Sequence[Rule | None] | Callable[[int], Rule]] = {}
# What is written in terms of other functions, and what has no derivative to record.
COMPOSED: dict[Any, Callable[..., Any]] = {}
CONSTANT: set[Any] = set()


# What NumPy makes an array of, where it stands beside one.
SEQUENCES = (list, tuple)

_serials = itertools.count()
levels = itertools.count(1)  # an inner differentiation begins after the outer one


_INSTEAD = (
    "In place of np.array([a, b]), and of z[i] = a, write np.stack([a, b]) or "
    "np.concatenate; in place of np.full(n, a), np.broadcast_to(a, n)."
)


class Traced(TracedArray, np.lib.mixins.NDArrayOperatorsMixin):
    """An array that remembers how it was made."""

    __slots__ = ("args", "data", "func", "kept", "kwargs", "level", "serial")
    __array_priority__ = 1000

    def __init__(
        self,
        data: Any,
        level: int,
        func: Any = None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        kept: Any = None,
    ) -> None:
        self.data, self.level, self.serial = data, level, next(_serials)
        self.func, self.args, self.kwargs, self.kept = func, args, kwargs, kept

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any
    ) -> Any:
        if kwargs.get("out") is not None:
            raise _no_out(ufunc)
        if method == "reduce" and ufunc in _REDUCTIONS:
            return _REDUCTIONS[ufunc](*args, **{"axis": 0, **kwargs})
        if method != "__call__":
            raise _no_rule_error(ufunc, f".{method}")
        if len(args) > 1:
            args = tuple(np.asarray(a) if type(a) in SEQUENCES else a for a in args)
        return call(ufunc, args, kwargs)

    def __array_function__(
        self, func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return call(func, args, kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "autodiff: a traced array cannot become a plain one, for its gradient "
            f"would be lost without a word. {_INSTEAD}"
        )

    def record(
        self, func: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record a call of a function that carries its rules as one step."""
        level = _level(func, args)
        numbers = [below(a, level) for a in args]
        if func.fused_rule and not any(type(a) is Traced for a in numbers):
            y, kept = func.fused_rule.run(*numbers, **kwargs)
            return Traced(y, level, func, args, kwargs, kept)
        if func.rules is None:
            return func.__wrapped__(*args, **kwargs)
        return Traced(func(*numbers, **kwargs), level, func, args, kwargs)

    @property
    def numbers(self) -> Any:
        """The array, through which no derivative passes."""
        return plain(self)

    def __getitem__(self, index: Any) -> Any:
        return call(take, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        raise write_error(
            "x[…] = …", "make a new array instead, with np.where or np.concatenate"
        )

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        raise TypeError(
            "autodiff: float(x) would lose the gradient of a traced number. Keep it as "
            "it is, with NumPy's functions in place of those of `math`; x.item() takes "
            f"the number out, as a constant. {_INSTEAD}"
        )

    __int__ = __float__

    def __format__(self, spec: str) -> str:
        return format(plain(self), spec) if spec or not self.shape else str(self)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.item(), digits)

    def __repr__(self) -> str:
        return f"Traced({self.data!r})"

    def __hash__(self) -> int:
        return id(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return np.shape(self.data)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> Any:
        """The dtype of the array."""
        return self.data.dtype

    @property
    def device(self) -> str:
        """Where the array is, as NumPy says it."""
        return "cpu"

    @property
    def T(self) -> Any:  # noqa: N802 (NumPy's name)
        """The transpose."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:  # noqa: N802 (NumPy's name)
        """The transpose of the last two axes."""
        return np.swapaxes(self, -1, -2)

    def item(self, *index: Any) -> Any:
        """Take a number out, as Python's; no derivative passes through it."""
        return plain(self).item(*index)

    def tolist(self) -> Any:
        """Take the numbers out, as Python's; no derivative passes through them."""
        return plain(self).tolist()

    def reshape(self, *shape: Any, order: Any = "C") -> Any:
        """Reshape, as `numpy.reshape`."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def flatten(self, order: Any = "C") -> Any:
        """Reshape to one axis, as `numpy.ndarray.flatten`."""
        return np.ravel(self, order)

    def transpose(self, *axes: Any) -> Any:
        """Transpose, as `numpy.transpose`."""
        flat = axes[0] if len(axes) == 1 else axes
        return np.transpose(self, flat or None)

    def astype(self, dtype: Any, *, copy: bool = True) -> Any:
        """Change the dtype; the gradient comes back in the old one.

        Whole numbers are flat: they have none.
        """
        if not np.issubdtype(dtype, np.inexact):
            return self.data.astype(dtype)
        return call(cast, (self, dtype), {})


def _method(func: Any) -> Callable[..., Any]:
    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return func(self, *args, **kwargs)

    method.__name__ = func.__name__
    method.__doc__ = f"As `numpy.{func.__name__}`."
    return method


for _method_name in (
    *("all", "any", "argmax", "argmin", "argsort", "clip", "copy", "cumsum"),
    *("diagonal", "dot", "max", "mean", "min", "prod", "ravel", "repeat"),
    *("squeeze", "std", "sum", "swapaxes", "trace", "var"),
):
    setattr(Traced, _method_name, _method(getattr(np, _method_name)))


def _absent(name: str) -> property:
    def tell(_: Traced) -> Any:
        raise AttributeError(
            f"autodiff: a traced array has no `{name}`. Write it with functions of "
            "NumPy that have a rule (the reference lists them)."
        )

    return property(tell)


for _method_name in dir(np.ndarray):
    if _method_name[0] != "_" and not hasattr(Traced, _method_name):
        setattr(Traced, _method_name, _absent(_method_name))


def _operator(ufunc: np.ufunc) -> tuple[Any, Any]:
    """Make the two methods of an operator: the way round NumPy's own is longer."""

    def ahead(self: Traced, other: Any) -> Any:
        if type(other) is not Traced:
            if type(other) in SEQUENCES:
                other = np.asarray(other)
            return Traced(ufunc(self.data, other), self.level, ufunc, (self, other))
        if other.level == self.level:
            y = ufunc(self.data, other.data)
            return Traced(y, self.level, ufunc, (self, other))
        return call(ufunc, (self, other), {})

    def reflect(self: Traced, other: Any) -> Any:
        if type(other) in SEQUENCES:
            other = np.asarray(other)
        return Traced(ufunc(other, self.data), self.level, ufunc, (other, self))

    return ahead, reflect


def _in_place(ufunc: np.ufunc, sign: str) -> Any:
    """Make the method of ``x += y``.

    A number of NumPy's cannot be written into: there ``+=`` gives the name x to another
    number, and so it does here.
    """

    def method(self: Traced, other: Any) -> Any:
        if isinstance(plain(self), np.generic):
            return ufunc(self, other)
        raise write_error(f"x {sign}= y", f"write x = x {sign} y")

    return method


for _operator_name, (_sign, _ufunc) in {
    "add": ("+", np.add),
    "sub": ("-", np.subtract),
    "mul": ("*", np.multiply),
    "truediv": ("/", np.divide),
    "pow": ("**", np.power),
    "matmul": ("@", np.matmul),
}.items():
    _ahead, _swapped = _operator(_ufunc)
    setattr(Traced, f"__{_operator_name}__", _ahead)
    setattr(Traced, f"__r{_operator_name}__", _swapped)
    setattr(Traced, f"__i{_operator_name}__", _in_place(_ufunc, _sign))
for _operator_name, (_sign, _ufunc) in {
    "floordiv": ("//", np.floor_divide),
    "mod": ("%", np.remainder),
}.items():
    setattr(Traced, f"__i{_operator_name}__", _in_place(_ufunc, _sign))

_REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}


def call(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of NumPy, or one of ours, and record it."""
    if kwargs and kwargs.get("out") is not None:
        raise _no_out(func)
    if func in COMPOSED:
        _accept(func, args, kwargs)
        return COMPOSED[func](*args, **kwargs)
    has_rule = func in RULES
    if not has_rule and func not in CONSTANT:
        raise _no_rule_error(func)
    level = _level(func, args)
    numbers = [below(a, level) for a in args]
    if not has_rule:
        return func(*numbers, **kwargs)
    if kwargs or type(func) is not np.ufunc:  # whose arguments NumPy has counted
        _accept(func, args, kwargs)
    return Traced(func(*numbers, **kwargs), level, func, args, kwargs)


def _level(func: Any, args: tuple[Any, ...]) -> int:
    """Return the highest level of the traced arrays among the arguments."""
    level = max((a.level for a in args if type(a) is Traced), default=0)
    if level == 0:
        raise TypeError(
            f"autodiff: {_name(func)} got its traced array by keyword or inside a "
            "list; hand it over by position."
        )
    return level


def _accept(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise if a function got an option that its rule does not know."""
    count, names = _read_parameters(func)
    if len(args) > count:
        raise _no_rule_error(func, what=f" for its argument {int(count) + 1}")
    if names is not None and not kwargs.keys() <= names:
        unknown = next(name for name in kwargs if name not in names)
        raise _no_rule_error(func, what=f" for its argument `{unknown}`")


@functools.cache
def _read_parameters(func: Any) -> tuple[float, set[str] | None]:
    """Tell how many arguments a rule knows by position, and all names; None: any."""
    if func in COMPOSED:
        known = [*inspect.signature(COMPOSED[func]).parameters.values()]
    else:
        rules = RULES[func]
        rule = rules(1) if callable(rules) else next(filter(None, rules))
        known = [*inspect.signature(rule).parameters.values()][2:]  # g and y are ours
    kinds = [p.kind for p in known]
    by_position = sum(p.kind == p.POSITIONAL_OR_KEYWORD for p in known)
    count = math.inf if inspect.Parameter.VAR_POSITIONAL in kinds else by_position
    anything = inspect.Parameter.VAR_KEYWORD in kinds
    return count, None if anything else {p.name for p in known}


def below(a: Any, level: int) -> Any:
    """Return what a level's node holds; anything else as it is."""
    return a.data if type(a) is Traced and a.level == level else a


def plain(x: Any) -> Any:
    """Return the numbers of an array, through which no derivative passes."""
    while type(x) is Traced:
        x = x.data
    return x


def primitive(rules: Any) -> Callable[[Any], Any]:
    """Let a function of ours be recorded, with its rules."""

    def register(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def traceable(*args: Any, **kwargs: Any) -> Any:
            for a in args:  # quicker than any()
                if type(a) is Traced:
                    return call(traceable, args, kwargs)
            return func(*args, **kwargs)

        RULES[traceable] = rules
        return traceable

    return register


def _untake(g: Any, y: Any, x: Any, index: Any) -> Any:
    return put(g, index, np.shape(x))


@primitive([_untake])
def take(x: Any, index: Any) -> Any:
    """Return ``x[index]``."""
    return x[index]


# The parts of an index that name nothing twice.
ONCE = (int, slice, type(None), type(...))


@primitive([lambda h, y, g, index, shape: h[index]])
def put(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros with `g` added at an index; what is named twice gets both."""
    out = np.zeros(shape, g.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if all(type(part) in ONCE or isinstance(part, np.integer) for part in parts):
        out[index] = g
    else:
        np.add.at(out, index, g)
    return out


def _uncast(g: Any, y: Any, x: Any, dtype: Any) -> Any:
    return cast(g, x.dtype)


@primitive([_uncast])
def cast(x: Any, dtype: Any) -> Any:
    """Return ``x.astype(dtype)``."""
    return x.astype(dtype)


def backward(out: Traced, g: Any, leaves: Sequence[Traced]) -> list[Any]:
    """Return the derivatives for `leaves`, given `g`, that for `out`.

    From the newest node to the oldest: when a node's turn comes, everything that was
    made from it has been. What the result does not depend on gets None.
    """
    level = out.level
    nodes = {out.serial: out}
    waiting = [out]
    while waiting:
        for a in waiting.pop().args:
            if type(a) is Traced and a.level == level and a.serial not in nodes:
                nodes[a.serial] = a
                waiting.append(a)
    grads = {out.serial: g}
    for serial in sorted(nodes, reverse=True):
        node = nodes[serial]
        if node.func is None:  # a leaf
            continue
        g, fused = grads.pop(serial), node.kept is not None
        rules = node.func.fused_rule.rules if fused else RULES.get(node.func)
        if rules is None:
            rules = node.func.rules
        known_to_rules = node.kept if fused else node.data
        numbers = [
            a.data if type(a) is Traced and a.level == level else a for a in node.args
        ]
        kwargs = node.kwargs or {}
        for i, a in enumerate(node.args):
            if type(a) is not Traced or a.level != level:
                continue
            rule = rules(i) if callable(rules) else rules[i] if i < len(rules) else None
            if rule is None:
                raise TypeError(
                    f"autodiff: {_name(node.func)} has no derivative with respect to "
                    f"its argument {i + 1}."
                )
            part = rule(g, known_to_rules, *numbers, **kwargs)
            if part.shape != a.data.shape:
                part = unbroadcast(part, a.data.shape)
            known = grads.get(a.serial)
            grads[a.serial] = part if known is None else known + part
    return [grads.get(leaf.serial) for leaf in leaves]


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum over what broadcasting had repeated."""
    extra = g.ndim - len(shape)
    if extra > 0:
        g = np.sum(g, axis=tuple(range(extra)))
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 != np.shape(g)[i])
    if repeated:
        g = np.sum(g, axis=repeated, keepdims=True)
    # A rule may leave it to us to repeat a number.
    return g if np.shape(g) == shape else np.broadcast_to(g, shape)


def names() -> list[str]:
    """List the functions of NumPy that can be differentiated."""
    known = (*RULES, *COMPOSED)
    return sorted(
        func.__name__
        for func in known
        if isinstance(func, np.ufunc) or func.__module__.startswith("numpy")
    )


def _name(func: Any) -> str:
    """Name a function with its module, as readers write it."""
    module = getattr(func, "__module__", None) or "numpy"
    if not module.startswith("numpy"):  # one of ours
        module = "cg." + ".".join(module.split(".")[1:-1])
    return f"{module}.{getattr(func, '__name__', func)}"


def _no_rule_error(func: Any, method: str = "", what: str = "") -> TypeError:
    if func is np.copyto:
        return TypeError(
            "autodiff: numpy.copyto, which np.full and np.full_like call, would write "
            "a traced array into a plain one; np.broadcast_to(x, shape) repeats it, "
            "and np.where(mask, x, z) puts it in its places."
        )
    return TypeError(
        f"autodiff: {_name(func)}{method} has no rule here{what}. Write it with "
        "functions that have one (the reference lists them)."
    )


def write_error(what: str, instead: str) -> TypeError:
    return TypeError(
        f"autodiff: {what} would write into a traced array, whose old value the "
        f"backward pass still needs; {instead}."
    )


def _no_out(func: Any) -> TypeError:
    return TypeError(
        f"autodiff: {_name(func)} with `out=`, which is also what z += x does to a "
        "plain array z, would write over numbers that the backward pass may still "
        "need; make a new array: z = z + x."
    )
