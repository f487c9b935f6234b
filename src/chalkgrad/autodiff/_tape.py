"""The tape of the NumPy half: it records plain NumPy code, and walks it backwards.

A `Traced` array stands in for an array. NumPy hands it every function that it meets
(through ``__array_ufunc__`` and ``__array_function__``); the result is a new `Traced`
that remembers the function and its arguments. An older node never depends on a newer
one, so the order of creation is a topological order, and going backwards through it is
reverse accumulation.

Derivatives of derivatives: every differentiation has a **level**. A node of a level may
hold a node of a lower level as its data, and rules compute with that, so that what they
do is recorded one level down.
"""

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Rule: TypeAlias = Callable[..., Any]
# For each function that can be differentiated: a rule for each argument, or how to make
# the rule for argument i. A rule gets the derivative g of the loss with respect to the
# result, the result y, and the arguments; it returns that with respect to one argument.
# It need not undo broadcasting: the engine does.
RULES: dict[Any, Sequence[Rule | None] | Callable[[int], Rule]] = {}
# What is written in terms of other functions, and what has no derivative to record.
COMPOSED: dict[Any, Callable[..., Any]] = {}
CONSTANT: set[Any] = set()


class Fused(NamedTuple):
    """How to do a whole function of ours in one step, on plain arrays."""

    run: Callable[..., tuple[Any, Any]]
    """Takes the arguments; returns the result and what the rules need of the way."""
    rules: Sequence[Rule | None]
    """``rule(g, kept, *arguments)``, for each argument."""


# What has a faster way on plain arrays than RULES or COMPOSED, which it has too: they
# serve derivatives of derivatives.
FUSED: dict[Any, Fused] = {}

# What NumPy makes an array of, where it stands beside one.
SEQUENCES = (list, tuple)

_serials = itertools.count()


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
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
            raise _no_writing(f"{ufunc.__name__} with `out=`")
        if method == "reduce" and ufunc in _REDUCTIONS:
            return _REDUCTIONS[ufunc](*args, **{"axis": 0, **kwargs})
        if method != "__call__":
            raise _missing(f"numpy.{ufunc.__name__}.{method}")
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
            "would be lost without a word; in place of np.array([a, b]) write "
            "np.stack([a, b])."
        )

    def record(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record a function of chalkgrad as one step."""
        return call(func, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        return call(take, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        raise _no_writing("x[…] = …")

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        raise TypeError(
            "autodiff: float(x) would lose the gradient of a traced number; keep it as "
            "it is, or differentiate a function that returns it."
        )

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

    def astype(self, dtype: Any) -> Any:
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

    def swapped(self: Traced, other: Any) -> Any:
        if type(other) in SEQUENCES:
            other = np.asarray(other)
        return Traced(ufunc(other, self.data), self.level, ufunc, (other, self))

    return ahead, swapped


for _operator_name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "pow": np.power,
    "matmul": np.matmul,
}.items():
    _ahead, _swapped = _operator(_ufunc)
    setattr(Traced, f"__{_operator_name}__", _ahead)
    setattr(Traced, f"__r{_operator_name}__", _swapped)

_REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}


def call(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of NumPy, or one of ours, and record it."""
    level = max((a.level for a in args if type(a) is Traced), default=0)
    plain = [below(a, level) for a in args]
    if func in FUSED and not any(type(a) is Traced for a in plain):
        y, kept = FUSED[func].run(*plain, **kwargs)
        return Traced(y, level, func, args, kwargs, kept)
    if kwargs and kwargs.get("out") is not None:
        raise _no_writing(f"{_name(func)} with `out=`")
    if func in COMPOSED:
        _accept(func, args, kwargs)
        return COMPOSED[func](*args, **kwargs)
    if level == 0:
        raise TypeError(
            f"autodiff: {_name(func)} got its traced array by keyword or inside a "
            "list; hand it over by position."
        )
    if func in CONSTANT:
        return func(*plain, **kwargs)
    if func not in RULES:
        raise _missing(_name(func))
    if kwargs or type(func) is not np.ufunc:  # whose arguments NumPy has counted
        _accept(func, args, kwargs)
    return Traced(func(*plain, **kwargs), level, func, args, kwargs)


def _accept(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise if a function got an option that its rule does not know."""
    count, names = _known(func)
    if len(args) > count:
        raise _missing(_name(func), f" for its argument {int(count) + 1}")
    if names is not None and not kwargs.keys() <= names:
        unknown = next(name for name in kwargs if name not in names)
        raise _missing(_name(func), f" for its argument `{unknown}`")


@functools.cache
def _known(func: Any) -> tuple[float, set[str] | None]:
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


def primitive(rules: Any) -> Callable[[Any], Any]:
    """Let a function of ours be recorded, with its rules."""

    def register(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def traceable(*args: Any, **kwargs: Any) -> Any:
            if any(type(a) is Traced for a in args):
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
        rules = FUSED[node.func].rules if fused else RULES[node.func]
        known_to_rules = node.kept if fused else node.data
        plain = [
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
            part = rule(g, known_to_rules, *plain, **kwargs)
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
    return f"numpy.{getattr(func, '__name__', func)}"


def _missing(name: str, what: str = "") -> TypeError:
    return TypeError(
        f"autodiff: {name} has no rule here{what}. Write it with functions that "
        "have one (the reference lists them)."
    )


def _no_writing(what: str) -> TypeError:
    return TypeError(
        f"autodiff: {what} would write into a traced array, whose old value the "
        "backward pass still needs; make a new array instead, with np.where or "
        "np.concatenate."
    )
