"""The adapters of functions: how one that keeps nothing is called, and what it returns.

A loss, an activation, a schedule and a score are functions of arrays. What each
argument is, is found by its name, and where names leave a choice, by trying. A `Form`
is one way to call; what it returns may be read in several ways, each with a label.
"""

import copy
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._formulas import Deviation, Formula
from chalkgrad.judge._names import find_options, normalize
from chalkgrad.judge._subjects import ResultError, _number, _uses

__all__ = [
    "ELEMENTS",
    "LISTS",
    "NUMPY",
    "TENSORS",
    "Binding",
    "Carrier",
    "Case",
    "Entry",
    "Form",
    "FunctionTask",
    "Parts",
    "as_array",
    "bind",
    "carriers_of",
    "entries_of",
    "is_scalar",
    "items_of",
    "note_changes",
    "write_class",
]

Parts: TypeAlias = dict[str, Array]  # a value, a gradient, …: what was returned


class Case(NamedTuple):
    """One input of a function."""

    aspect: str
    inputs: dict[str, Any]
    options: dict[str, Any]
    is_extreme: bool = False
    """Whether what happens here is told apart from being wrong."""
    is_excused: bool = False
    """Whether who is not made for it may raise."""


@dataclass
class Form:
    """A way to call a subject."""

    how: str
    call: Callable[[Case, set[str]], Any]
    """Calls with the inputs of a case; what it sees besides goes into the set."""
    read: Callable[[Any, Case], dict[str, Parts]]
    """Returns what may have been returned, by label."""
    formula: Formula
    """The right lines for what is given in this form."""
    conventions: tuple[Deviation, ...] = ()
    """What this form itself is, if it is not ours."""
    accepted: frozenset[str] = frozenset()
    defaults: dict[str, Any] = field(default_factory=dict)
    labels: Mapping[str, tuple[Deviation, ...]] = field(default_factory=dict)
    """What a way to return is, if it is not ours."""
    unused: tuple[str, ...] = ()
    """Inputs of a case that it is not given."""
    takes: Callable[[Case], bool] = lambda _: True
    """Whether a case is for it."""
    is_last: bool = False
    """Whether it is tried only if no other one runs."""


def write_class(name: str, init: str, *methods: str) -> str:
    """Write the outline of a class, as the form of a subject."""
    title = "".join(word.title() for word in name.split("_"))
    lines = [f"    def __init__(self, {init}): ..."] if init else []
    lines += [f"    def {method}: ..." for method in methods]
    return "\n".join([f"class {title}:", *lines])


class FunctionTask:
    """A function that is judged: its name, options, inputs, and what is told of it."""

    kind = "function"
    axes: ClassVar[Mapping[str, str]] = {}
    """Of each input the letters of its axes, such as ``n k``, to make it smaller."""
    least: ClassVar[Mapping[str, int]] = {}
    """The least length of an axis, if it is not 1."""
    usual: ClassVar[Mapping[str, tuple[float, ...]]] = {}
    """What people write in the code in place of an option."""
    rough: ClassVar[tuple[str, str]] = (
        "computes in single precision",
        "It was given double precision; only some 5 digits agree.",
    )
    """What it means that only some digits agree."""
    coarse: ClassVar[tuple[float, float]] = (1e-4, 4e-6)
    """How far these may be off: of the largest number, and of all."""
    forms: tuple[str, str, str]

    def __init__(
        self, name: str, doc: str, options: Mapping[str, Any] | None = None
    ) -> None:
        self.name, self.doc, self.defaults = name, doc, dict(options or {})

    def check_options(self, options: dict[str, Any]) -> None:
        """Raise unless there are such options."""
        if unknown := sorted(set(options) - set(self.defaults)):
            there = (
                f"it has {', '.join(self.defaults)}" if self.defaults else "it has none"
            )
            raise ValueError(
                f"judge: {self.name} has no option {', '.join(unknown)}; {there}."
            )

    def ways_to_call(self, subject: Any) -> Iterator[Form]:
        """Go through the ways in which a subject may be called."""
        raise NotImplementedError

    def cases(self, _: dict[str, Any]) -> list[Case]:
        """Return what it is tried on, with some options fixed; if it is on cases."""
        return []

    def simpler(self, _: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Go through inputs that are simpler in what no axis says."""
        return iter(())

    def complete(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Add the inputs that need not be given."""
        return inputs


class Binding(NamedTuple):
    """Which argument is what."""

    f: Any
    roles: dict[str, str]
    """What each argument is: one of our inputs, or an extra."""
    options: dict[str, tuple[str, ...]]
    parameters: list[inspect.Parameter]
    """Without any, all is given by place."""
    extras: dict[str, Any]

    @property
    def option_names(self) -> frozenset[str]:
        """The options of ours that it takes."""
        return frozenset(name for names in self.options.values() for name in names)

    @property
    def defaults(self) -> dict[str, Any]:
        """The defaults of these options."""
        return {
            self.options[p.name][0]: p.default
            for p in self.parameters
            if p.name in self.options
            and len(self.options[p.name]) == 1
            and p.default is not p.empty
        }

    def __call__(self, values: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Call with our inputs and options, by name: by place where it must be."""
        if not self.parameters:
            return self.f(*(values[role] for role in self.roles.values()))
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for p in self.parameters:
            if p.name in self.roles:
                value = values[self.roles[p.name]]
            elif p.name in self.options:
                ours = self.options[p.name]
                if any(name not in options for name in ours):
                    continue
                chosen = tuple(options[name] for name in ours)
                value = chosen if len(chosen) > 1 else chosen[0]
            elif p.name in self.extras:
                value = self.extras[p.name]
                value = value(values) if callable(value) else value
            else:
                continue
            if p.kind is p.POSITIONAL_ONLY:
                args.append(value)
            elif p.kind is p.VAR_POSITIONAL:
                args += value
            else:
                kwargs[p.name] = value
        return self.f(*args, **kwargs)


def bind(
    f: Any,
    roles: Mapping[str, frozenset[str]],
    options: Iterable[str] = (),
    extras: Mapping[str, Any] | None = None,
    also: Mapping[str, str] | None = None,
) -> Iterator[Binding]:
    """Go through the ways in which inputs may be the arguments of a callable.

    Parameters
    ----------
    f : callable
        What is called.
    roles : dict
        Our inputs in their order, each with its usual names.
    options : iterable of str
        Our options.
    extras : dict
        Other arguments, by usual name, and what they are given, or a function of the
        inputs that says it.
    also : dict
        Arguments whose name reads like another one, and how to read them.
    """
    known = dict(extras or {})
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
    if not parameters or all(p.kind is p.VAR_POSITIONAL for p in names):
        for order in permutations(roles):
            yield Binding(f, dict(zip(order, order, strict=True)), {}, [], {})
        return
    named = [p for p in names if p.kind is not p.VAR_POSITIONAL]
    given = {
        p.name: known[normalize(p.name)] for p in named if normalize(p.name) in known
    }
    firm = {
        p.name: [
            role
            for role, words in roles.items()
            if normalize(p.name) in words and p.name not in (also or {})
        ]
        for p in named
        if p.name not in given
    }
    needed = [p.name for p in named if p.default is p.empty and p.name not in given]
    # A name that fits one input is that input; one that fits several waits for them.
    fixed: dict[str, str] = {}
    # Of two names that fit the same input alone, there is no telling which is meant.
    claims = [firm[name][0] for name in needed if len(firm[name]) == 1]
    for name in sorted(needed, key=lambda name: len(firm[name]) or 9):
        free = [role for role in firm[name] if role not in fixed.values()]
        if len(free) == 1 and claims.count(free[0]) < 2:
            fixed[name] = free[0]
    written = {(also or {}).get(p.name, p.name): p.name for p in named}
    names_left = [name for name, own in written.items() if own not in fixed]
    ours = {
        written[name]: one for name, one in find_options(names_left, options).items()
    }
    # Who has a place too few takes an option at its default for an input.
    open_names = [name for name in needed if name not in fixed and name not in ours]
    open_roles = [role for role in roles if role not in fixed.values()]
    for p in named:
        if len(open_names) >= len(open_roles):
            break
        if p.name in needed or p.name in ours or p.name in given:
            continue
        if any(role in open_roles for role in firm[p.name]):
            open_names.append(p.name)
    for order in permutations(open_roles):
        if len(order) != len(open_names):
            return
        found = fixed | dict(zip(open_names, order, strict=True))
        yield Binding(f, found, ours, named, given)


# --- What arrays are handed over as ---------------------------------------------------


class Carrier(NamedTuple):
    """What an input is made into."""

    name: str
    give: Callable[[Any], Any]


def _tensor(a: Any) -> Any:
    return sys.modules["torch"].as_tensor(np.array(a)) if np.ndim(a) else a


def _list(a: Any) -> Any:
    return a.tolist() if isinstance(a, np.ndarray) else a


NUMPY = Carrier("", lambda a: a)
TENSORS = Carrier("tensors", _tensor)
LISTS = Carrier("lists", _list)
ELEMENTS = Carrier("single numbers", lambda a: a)


def carriers_of(subject: Any) -> list[Carrier]:
    """Return what may be handed over, the likeliest first."""
    if _uses(subject, "torch") or _is_of_torch(subject):
        return [TENSORS, NUMPY, LISTS]
    return [NUMPY, LISTS]


def _is_of_torch(subject: Any) -> bool:
    module = getattr(subject, "__module__", None) or type(subject).__module__
    return "torch" in sys.modules and str(module).split(".")[0] in (
        "torch",
        "_VariableFunctions",
    )


def as_array(x: Any) -> Array:
    """Return what was returned as an array of floats."""
    try:
        out = np.array(_number(x), dtype=float)
    except (TypeError, ValueError):
        raise ResultError("it returns no numbers") from None
    return out


def is_scalar(x: Any) -> bool:
    """Whether this is one number."""
    try:
        return as_array(x).ndim == 0
    except ResultError:
        return False


def items_of(raw: Any) -> list[Any]:
    """Return what was returned in a tuple, a list or a dict, one after the other."""
    if isinstance(raw, dict):
        return list(raw.values())
    return list(raw) if isinstance(raw, tuple | list) else [raw]


def note_changes(notes: set[str], before: Any, after: Any) -> None:
    """Note which inputs were written over."""
    for name, one in before.items():
        other = after[name]
        if isinstance(one, list):
            same = one == other
        else:
            same = np.array_equal(_number(one), _number(other), equal_nan=False)
        if not same:
            notes.add(f"writes over the {name} that it is given")


class Entry(NamedTuple):
    """A function of a subject: itself, what it makes, or a method of an instance."""

    how: str
    make: Callable[[Mapping[str, Any]], tuple[Any, Any]]
    """Of options: the function, and the instance that it belongs to."""
    accepted: frozenset[str]
    defaults: dict[str, Any]


def entries_of(
    subject: Any,
    methods: Iterable[str],
    options: Iterable[str],
    example: Mapping[str, Any],
    roles: Mapping[str, frozenset[str]],
) -> Iterator[Entry]:
    """Go through the functions that a subject may be.

    Parameters
    ----------
    subject : object
        A function, a class, an instance, or a function that makes a function.
    methods : iterable of str
        The names of methods that may be meant, the likeliest first.
    options : iterable of str
        Our options.
    example : dict
        A value for each, to try.
    roles : dict
        Our inputs: what takes one of them makes nothing of options.
    """
    options = list(options)
    if not isinstance(subject, type):
        if callable(subject):
            yield Entry("a function", lambda _: (subject, None), frozenset(), {})
        if not inspect.isroutine(subject):
            copies = Binding(lambda: copy.deepcopy(subject), {}, {}, [], {})
            yield from _methods(copies, "an instance", methods, example)
            if not callable(subject):
                return
    for made in _makers(subject, options, roles):
        if isinstance(subject, type):
            yield from _methods(made, "a class", methods, example)
        else:
            what = "a function that makes a function"
            yield Entry(what, _make(made), made.option_names, made.defaults)


def _make(made: Binding) -> Callable[[Mapping[str, Any]], tuple[Any, Any]]:
    return lambda options: (made({}, options), None)


def _makers(
    subject: Any, options: list[str], roles: Mapping[str, frozenset[str]]
) -> Iterator[Binding]:
    for made in bind(subject, {}, options):
        words = frozenset().union(*roles.values())
        takes = [p.name for p in made.parameters if p.default is p.empty]
        if not any(normalize(n) in words and n not in made.options for n in takes):
            yield made


def _methods(
    made: Binding, how: str, methods: Iterable[str], example: Mapping[str, Any]
) -> Iterator[Entry]:
    try:
        thing = made({}, example)
    except Exception:
        return
    for name in methods:
        if name == "__call__" and not callable(thing):
            continue
        if callable(getattr(thing, name, None)):

            def make(chosen: Mapping[str, Any], name: str = name) -> tuple[Any, Any]:
                owner = made({}, chosen)
                return (owner if name == "__call__" else getattr(owner, name)), owner

            word = "it is called" if name == "__call__" else f"`{name}` is called"
            yield Entry(
                f"{how} of which {word}", make, made.option_names, made.defaults
            )
