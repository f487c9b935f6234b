"""What a public function has made knows the call that makes it again.

Its `repr` is that call, as a reader writes it after ``import chalkgrad.numpy as cg`` or
``import chalkgrad.torch as cg``. So it can be read and run again, pickled and copied,
and compared with what another run was given.
"""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, get_origin

__all__ = [
    "Call",
    "Made",
    "MadeFunction",
    "PublicFunction",
    "function_name",
    "public",
    "public_name",
    "remember_call",
]

F = TypeVar("F", bound=Callable[..., Any])


class Call(NamedTuple):
    """A public function of ours and all its options, those by default among them."""

    function: Callable[..., Any]
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the function alone, such as ``adam``."""
        return self.function.__name__

    def make(self, **others: Any) -> Any:
        """Call the function again, with some options changed."""
        return self.function(**self.options | others)

    def __repr__(self) -> str:
        words = []
        for name, parameter in inspect.signature(self.function).parameters.items():
            value = self.options[name]
            if parameter.kind is not parameter.KEYWORD_ONLY:
                words.append(_text(value))
            elif not _are_equal(value, parameter.default):
                words.append(f"{name}={_text(value)}")
        return f"{public_name(self.function)}({', '.join(words)})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Call)
            and self.function is other.function
            and _are_equal(list(self.options.values()), list(other.options.values()))
        )

    def __hash__(self) -> int:
        return hash(self.function)


class Made:
    """What knows its call; one without a call is as if this class were not there."""

    call: Call | None = None

    def __repr__(self) -> str:
        return super().__repr__() if self.call is None else repr(self.call)

    def __eq__(self, other: object) -> bool:
        theirs: Call | None = getattr(other, "call", None)
        if self.call is None or theirs is None:
            equal: bool = super().__eq__(other)
            return equal
        return self.call == theirs

    def __hash__(self) -> int:
        return super().__hash__() if self.call is None else hash(self.call)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.call is None:
            return super().__reduce_ex__(protocol)
        return _make, tuple(self.call)


class MadeFunction(Made):
    """A function that another function has made."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)


class PublicFunction:
    """A function whose `repr` is its public name, such as ``cg.losses.mse``."""

    __qualname__: str

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.__wrapped__: Callable[..., Any] = inspect.unwrap(function)
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __get__(self, _instance: Any, _owner: Any = None) -> Any:
        return self  # `help` shows the signature of what has this method

    def __repr__(self) -> str:
        return public_name(self)

    def __reduce__(self) -> str:
        return self.__qualname__  # as a function is pickled: by its place


def public(function: F) -> F:
    """Let the `repr` of a function be its public name."""
    return PublicFunction(function)  # type: ignore[return-value]


def remember_call(function: F) -> F:
    """Let what a function makes know by which call it was made."""
    signature = inspect.signature(function)
    # What is declared a list, and not any sequence, is one to which a reader appends.
    growing = [
        name
        for name, parameter in signature.parameters.items()
        if get_origin(parameter.annotation) is list
    ]

    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        made = result if isinstance(result, Made) else MadeFunction(result)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        options = {
            name: value if name in growing else _plain(value)
            for name, value in bound.arguments.items()
        }
        made.call = Call(make, options)
        return made

    return make  # type: ignore[return-value]


def public_name(function: Any) -> str:
    """Return the name of a function after ``import chalkgrad.numpy as cg``.

    One that is not ours, or not public, keeps its own `repr`.
    """
    package, _, rest = function.__module__.partition(".")
    name, topic = function.__name__, rest.partition(".")[0]
    if package != "chalkgrad" or name not in sys.modules[function.__module__].__all__:
        return object.__repr__(function)
    return f"cg.{name}" if name == topic else f"cg.{topic}.{name}"


def function_name(f: Any) -> str:
    """Return the name of a function; of one made within another, whose it is."""
    if isinstance(f, functools.partial):
        return f"{function_name(f.func)} with {f.args} {f.keywords}"
    name: str = getattr(f, "__qualname__", type(f).__qualname__)
    return name.partition(".")[0].lstrip("_")


def _make(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Make a thing again; what is pickled names this function."""
    return function(**options)


def _plain(value: Any) -> Any:
    """Return one number as a number of Python, a copy of a list, all else as it is."""
    if type(value) is list:
        return list(value)
    if hasattr(value, "dtype"):
        return value if tuple(value.shape) else value.item()
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return value
    return int(value) if hasattr(value, "__index__") else float(value)


def _text(value: Any) -> str:
    """Return an option as a reader writes it."""
    value = _plain(value)
    if type(value) in (list, tuple):
        return f"[{', '.join(map(_text, value))}]"
    if not hasattr(value, "dtype"):
        return repr(value)
    dtype = str(value.dtype).removeprefix("torch.")
    words = [repr(value.tolist())]
    if dtype not in ("float64", "int64"):
        words.append(f"dtype={dtype!r}")
    if str(getattr(value, "device", "cpu")) != "cpu":
        words.append(f"device={str(value.device)!r}")
    return f"cg.array({', '.join(words)})"


def _are_equal(one: Any, other: Any) -> bool:
    """Whether two options are equal; arrays are if all their numbers and dtypes are."""
    if {type(one), type(other)} <= {list, tuple}:
        return len(one) == len(other) and all(map(_are_equal, one, other))
    if hasattr(one, "dtype") or hasattr(other, "dtype"):
        return type(one) is type(other) and _text(one) == _text(other)
    return bool(one == other)
