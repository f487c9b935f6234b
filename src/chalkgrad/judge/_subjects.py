"""The adapters: what a stranger gives becomes one thing that can be run.

Whatever an optimizer looks like, a `Way` begins a walk with options and arrays, and
then takes gradients and returns the arrays. Which way fits is found by the names of
the arguments, and where they leave a choice, by trying.
"""

import contextlib
import copy
import inspect
import io
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._names import (
    LOOPS,
    METHODS,
    SLOTS,
    find_options,
    find_role,
    normalize,
)
from chalkgrad.judge._trials import Trial
from chalkgrad.judge._walks import flatten

__all__ = ["RecognitionError", "Way", "find_ways", "run"]

Stepper: TypeAlias = Callable[[list[Array]], list[Array]]


class RecognitionError(TypeError):
    """Nothing of the subject says how it steps."""


class ResultError(Exception):
    """What a subject gave back is no new weights."""


@dataclass
class Way:
    """How a subject is run."""

    how: str
    begin: Callable[[dict[str, Any], list[Array], set[str]], Stepper]
    """Begins with options and arrays; what it sees besides goes into the set."""
    accepted: frozenset[str]
    """The options of ours that it takes."""
    defaults: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    """What the caller must know, if it is not as usual."""
    is_other_convention: bool = False


def run(way: Way, trial: Trial, notes: set[str] | None = None) -> Array:
    """Return where a subject goes: shape (steps, instances, weights)."""
    notes = set() if notes is None else notes
    steppers = [
        way.begin(trial.options, [a.copy() for a in arrays], notes)
        for arrays in trial.starts
    ]
    path = []
    for grads in trial.grads:
        row = []
        for step, gs in zip(steppers, grads, strict=True):
            row.append(flatten(step([g.copy() for g in gs])))
        path.append(row)
    return np.array(path, dtype=float)


# --- Containers -----------------------------------------------------------------------


class Parameter:
    """A parameter as an object, of which books have many."""

    def __init__(self, data: Array) -> None:
        self.data = self.value = data
        self.grad: Any = np.zeros_like(data)
        self.requires_grad = True

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its numbers."""
        return np.shape(self.data)

    def assign(self, value: Any) -> None:
        """Write a new value."""
        self.data = self.value = np.array(value)

    def assign_sub(self, value: Any) -> None:
        """Subtract."""
        self.assign(self.data - value)

    def assign_add(self, value: Any) -> None:
        """Add."""
        self.assign(self.data + value)

    def numpy(self) -> Array:
        """Return its numbers."""
        return self.data


class Carrier(NamedTuple):
    """How arrays are handed over, and how they are read again."""

    name: str
    weights: Callable[[list[Array]], Any]
    grads: Callable[[list[Array], Any], Any]
    """Made of the gradients and of the weights that they belong to."""
    read: Callable[[Any], list[Any]]


def _keys(count: int) -> list[str]:
    """Return names of layers: W1, b1, W2, b2 …"""
    return [f"{'Wb'[i % 2]}{i // 2 + 1}" for i in range(count)]


def _even(arrays: list[Array]) -> list[Array]:
    """Return arrays in pairs: a layer has weights and a bias."""
    return arrays if len(arrays) % 2 == 0 else [*arrays, np.ones(1)]


def _as_dict(arrays: list[Array], prefix: str = "") -> dict[str, Array]:
    return {prefix + key: a for key, a in zip(_keys(len(arrays)), arrays, strict=True)}


def _by_key(params: Any) -> list[Any]:
    return [params[key] for key in _keys(len(params))]


def _set_grads(grads: list[Array], params: list[Any]) -> list[Array]:
    for g, p in zip(grads, params, strict=True):
        p.grad = g
    return grads


def _tensors(arrays: list[Array]) -> list[Any]:
    torch = sys.modules["torch"]
    return [torch.nn.Parameter(torch.tensor(a)) for a in arrays]


def _set_tensors(grads: list[Array], params: list[Any]) -> list[Any]:
    torch = sys.modules["torch"]
    given = [torch.tensor(g) for g in grads]
    for g, p in zip(given, params, strict=True):
        p.grad = g
    return given


def _number(p: Any) -> Any:
    """Return the numbers of a tensor, a parameter or an array."""
    p = p.detach().cpu().numpy() if hasattr(p, "detach") else p
    p = p.data if isinstance(p, Parameter) else p
    p = p.numpy() if hasattr(p, "numpy") and not isinstance(p, np.ndarray) else p
    return np.asarray(p)


LIST = Carrier("a list of arrays", list, lambda g, _: g, list)
DICT = Carrier(
    "dicts of arrays, whose gradients go by the same names",
    _as_dict,
    lambda g, _: _as_dict(g),
    _by_key,
)
D_DICT = Carrier(
    "dicts of arrays, W1 with the gradient dW1",
    lambda a: _as_dict(_even(a)),
    lambda g, _: _as_dict(_even(g), "d"),
    _by_key,
)
ARRAY = Carrier("an array", lambda a: a[0], lambda g, _: g[0], lambda w: [w])
FLOATS = Carrier(
    "a list of numbers",
    lambda a: a[0].tolist(),
    lambda g, _: g[0].tolist(),
    lambda w: [np.array(w, float)],
)
OBJECTS = Carrier(
    "objects with `data` and `grad`",
    lambda arrays: [Parameter(a) for a in arrays],
    _set_grads,
    list,
)
TENSORS = Carrier("tensors with `grad`", _tensors, _set_tensors, list)
TENSOR = Carrier(
    "a tensor",
    lambda a: sys.modules["torch"].tensor(a[0]),
    lambda g, _: sys.modules["torch"].tensor(g[0]),
    lambda w: [w],
)


def _two(arrays: list[Array]) -> tuple[Array, Array]:
    return arrays[0], arrays[1] if len(arrays) > 1 else np.ones_like(arrays[0])


class Layer:
    """A layer with weights and biases, and gradients of both, as books have it."""

    def __init__(self, arrays: list[Array]) -> None:
        self.weights, self.biases = _two(arrays)
        self.dweights = self.dbiases = np.zeros(1)


def _layers(arrays: list[Array]) -> list[Layer]:
    return [Layer(arrays[i : i + 2]) for i in range(0, len(arrays), 2)]


def _set_layers(grads: list[Array], layers: list[Layer]) -> list[Layer]:
    for i, layer in enumerate(layers):
        layer.dweights, layer.dbiases = _two(grads[2 * i : 2 * i + 2])
    return layers


LAYER = Carrier(
    "a layer with `weights` and `dweights`",
    _layers,
    _set_layers,
    lambda layers: [a for layer in layers for a in (layer.weights, layer.biases)],
)
KERAS = Carrier(
    "variables of Keras",
    lambda arrays: [
        sys.modules["keras"].Variable(a, dtype=str(a.dtype)) for a in arrays
    ],
    lambda g, _: g,
    lambda ws: [sys.modules["keras"].ops.convert_to_numpy(w) for w in ws],
)
SINGLE = (ARRAY, FLOATS, TENSOR)


def _carriers(subject: Any) -> list[Carrier]:
    """Return the containers worth trying, the likeliest first."""
    if _uses(subject, "keras"):
        return [KERAS]
    found = [ARRAY, LIST, D_DICT, DICT, OBJECTS, LAYER, FLOATS]
    if _uses(subject, "torch"):
        found = [TENSORS, TENSOR, *found]
    return found


def _uses(subject: Any, package: str) -> bool:
    """Whether a subject is made with a package."""
    if package not in sys.modules:
        return False
    if isinstance(subject, type):
        if any(base.__module__.split(".")[0] == package for base in subject.__mro__):
            return True
        known: Any = vars(sys.modules.get(subject.__module__, SimpleNamespace()))
    else:
        known = getattr(inspect.unwrap(subject), "__globals__", {})
    return any(x is sys.modules[package] for x in list(known.values()))


# --- Arguments ------------------------------------------------------------------------


class Arguments:
    """What each argument of a callable is."""

    def __init__(
        self, f: Any, ours: list[str], *, has_clock: bool = True, is_made: bool = False
    ) -> None:
        try:
            parameters = list(inspect.signature(f).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.parameters = [
            p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        ]
        names = [p.name for p in self.parameters]
        firm = {n: r for n in names if (r := find_role(n)) in ("w", "g", "pairs")}
        if not is_made and len(firm) < 2:
            firm = {n: r for n, r in firm.items() if r in ("w", "g", "pairs")}
        self.options = find_options([n for n in names if n not in firm], ours)
        self.roles: dict[str, str] = {}
        for p in self.parameters:
            role = find_role(p.name)
            has_default = p.default is not p.empty
            if p.name in self.options:
                role = "option"
            elif role == "t" and not has_clock:
                role = "shape" if not has_default else ""
            elif role in ("shape", "loss", "name", "config", "t") and has_default:
                role = role if role in ("config", "t") and has_clock else ""
            elif not role and not has_default:
                role = "slot"
            if role in self.roles.values() and role in ("w", "g", "t", "state"):
                role = "slot" if not has_default else ""
            self.roles[p.name] = role

    def take_slots(self) -> None:
        """Take what is 0 or missing in the first step as kept from step to step."""
        for p in self.parameters:
            is_zero = p.default is None or (
                type(p.default) in (int, float) and p.default == 0
            )
            if not self.roles[p.name] and is_zero and normalize(p.name) in SLOTS:
                self.roles[p.name] = "slot"

    def first_slots(self, given: Any) -> dict[str, Any]:
        """Return what is kept before the first step."""
        own = {p.name for p in self.parameters if p.default is None}
        return {
            name: None if name in own else copy.deepcopy(_zeros(given))
            for name in self.of("slot")
        }

    def has(self, role: str) -> bool:
        """Whether there is an argument of a role."""
        return role in self.roles.values()

    def of(self, role: str) -> list[str]:
        """Return the names of all arguments of a role."""
        return [name for name, its in self.roles.items() if its == role]

    @property
    def option_names(self) -> frozenset[str]:
        """The options of ours that it takes."""
        return frozenset(name for names in self.options.values() for name in names)

    @property
    def defaults(self) -> dict[str, Any]:
        """The defaults of these options."""
        out: dict[str, Any] = {}
        for p in self.parameters:
            names = self.options.get(p.name, ())
            if p.default is not p.empty and names:
                given = p.default if len(names) > 1 else (p.default,)
                try:
                    out |= dict(zip(names, given, strict=True))
                except (TypeError, ValueError):
                    continue
        return out

    def translate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options under their names here."""
        out = {}
        for name, ours in self.options.items():
            if all(one in options for one in ours):
                values = tuple(options[one] for one in ours)
                out[name] = values if len(values) > 1 else values[0]
        return out

    def call(self, f: Any, values: dict[str, Any]) -> Any:
        """Call with values by name: by place where only that is possible."""
        args, kwargs = [], {}
        for p in self.parameters:
            if p.name not in values:
                continue
            if p.kind is p.POSITIONAL_ONLY:
                args.append(values[p.name])
            else:
                kwargs[p.name] = values[p.name]
        return f(*args, **kwargs)


class Blank(dict[str, Any]):
    """A first state that has a 0 for whatever is asked of it."""

    def __init__(self, like: Any) -> None:
        super().__init__()
        self.like = like

    def __missing__(self, key: str) -> Any:
        counts = find_role(str(key)) == "t"
        self[key] = 0 if counts else copy.deepcopy(_zeros(self.like))
        return self[key]


def _zeros(like: Any) -> Any:
    """Return a container like this one, of zeros."""
    if isinstance(like, dict):
        made = {key: np.zeros_like(a) for key, a in like.items()}
        return made | {f"d{key}": np.zeros_like(a) for key, a in like.items()}
    if isinstance(like, list):
        return [_zeros(a) for a in like]
    if hasattr(like, "detach"):
        return sys.modules["torch"].zeros_like(like)
    return np.zeros_like(like) if isinstance(like, np.ndarray) else 0.0


# --- Functions ------------------------------------------------------------------------


class Form(NamedTuple):
    """What the names of a function leave open."""

    carrier: Carrier
    first: int = 1  # the number of the first step
    state: str = ""  # what the first state is
    last: bool = False  # whether the weights come last

    def __str__(self) -> str:
        words = [f"on {self.carrier.name}"]
        words += [f"counting steps from {self.first}"] if self.first != 1 else []
        words += [f"beginning with {self.state} as its state"] if self.state else []
        words += ["with the weights last"] if self.last else []
        return ", ".join(words)


def _function_ways(f: Any, ours: list[str], first_state: Any = None) -> Iterator[Way]:
    """Go through the ways to run a function of weights and gradients."""
    args = Arguments(f, ours)
    if not args.has("w") or not args.has("g"):
        return
    args.take_slots()
    firsts: tuple[int, ...] = (1, 0) if args.has("t") else (1,)
    states: tuple[str, ...] = ("",)
    if args.has("state") or args.has("config"):
        states = ("init",) if first_state else ("{}", "None", "zeros", "a 0 each")
    configured = _find_configuration(f, args)
    for first in firsts:
        for carrier in _carriers(f):
            for state in states:
                for last in (False, True):
                    form = Form(carrier, first, state, last)
                    yield Way(
                        f"a function {form}",
                        _function_begin(f, args, form, first_state),
                        args.option_names | configured,
                        args.defaults,
                        "its t is 0 in the first step" if first == 0 else "",
                        is_other_convention=first == 0,
                    )


CONFIG = {
    "lr": ("learning_rate", "lr"),
    "beta1": ("beta1",),
    "beta2": ("beta2",),
    "eps": ("epsilon", "eps"),
    "momentum": ("momentum",),
    "decay": ("decay_rate",),
    "weight_decay": ("weight_decay",),
}


class Config(dict[str, Any]):
    """A dict that remembers what was asked of it."""

    def __init__(self, **known: Any) -> None:
        super().__init__(**known)
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return an entry, and remember that it was asked for."""
        self.asked.add(key)
        return super().get(key, default)


def _find_configuration(f: Any, args: Arguments) -> frozenset[str]:
    """Return the options that a function takes out of a dict of them."""
    places = args.of("config")
    if not places:
        return frozenset()
    config = Config(**{name: 0.5 for names in CONFIG.values() for name in names})
    values: dict[str, Any] = {
        name: np.ones(2) for role in ("w", "g", "slot") for name in args.of(role)
    }
    with contextlib.suppress(Exception):
        args.call(f, values | {places[0]: config} | dict.fromkeys(args.of("t"), 1))
    return frozenset(
        option for option, names in CONFIG.items() if config.asked.intersection(names)
    )


def _first_state(
    form: Form, args: Arguments, w: Any, options: dict[str, Any], first_state: Any
) -> Any:
    if args.has("config"):
        return {
            name: x
            for key, x in options.items()
            for name in CONFIG.get(key, (key,))
            if key in options
        }
    match form.state:
        case "init":
            return first_state(w)
        case "{}":
            return {}
        case "None":
            return None
        case "zeros":
            return _zeros(w)
    return Blank(w)


def _function_begin(f: Any, args: Arguments, form: Form, first_state: Any) -> Any:
    def begin(options: dict[str, Any], arrays: list[Array], notes: set[str]) -> Stepper:
        if form.carrier in SINGLE and len(arrays) > 1:
            each = [begin(options, [a], notes) for a in arrays]
            return lambda grads: [
                step([g])[0] for step, g in zip(each, grads, strict=True)
            ]
        chosen = args.translate(options)
        given = form.carrier.weights(arrays)
        kept = {
            "w": given,
            "t": form.first,
            "state": _first_state(form, args, given, options, first_state),
        }
        kept |= args.first_slots(given)
        if args.has("config"):
            chosen = {}

        def step(grads: list[Array]) -> list[Array]:
            w = kept["w"]
            g = form.carrier.grads(grads, w)
            values = dict(chosen)
            for name, role in args.roles.items():
                match role:
                    case "w":
                        values[name] = w
                    case "g":
                        values[name] = g
                    case "t":
                        values[name] = kept["t"]
                    case "state" | "config":
                        values[name] = kept["state"]
                    case "slot":
                        values[name] = kept[name]
                    case "shape":
                        values[name] = np.shape(w)
                    case "name":
                        values[name] = "W1"
            before, grad_before = copy.deepcopy((w, g))
            result = args.call(f, values)
            _note_changes(notes, (before, grad_before), (w, g), result)
            _take(kept, args, form, result)
            return [_number(a) for a in form.carrier.read(kept["w"])][: len(arrays)]

        return step

    return begin


def _note_changes(notes: set[str], before: Any, after: Any, result: Any) -> None:
    """Note which arguments were written over by who also returns something."""
    if result is None:
        return
    for name, one, other in zip(("weights", "gradient"), before, after, strict=True):
        if not _same(one, other):
            notes.add(f"writes over the {name} that it is given")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(_same(one[key], other.get(key)) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(np.array_equal(_number(one), _number(other), equal_nan=True))


def _take(kept: dict[str, Any], args: Arguments, form: Form, result: Any) -> None:
    """Take from what a function returned the weights, and what it keeps."""
    slots = args.of("slot")
    kept["t"] += 1
    if result is None:
        return
    if hasattr(result, "_asdict"):
        result = tuple(result)
    if isinstance(result, dict) and not isinstance(kept["w"], dict):
        for name, value in result.items():
            role = find_role(name)
            if name in slots:
                kept[name] = value
            elif role in kept:
                kept[role] = value
        return
    is_one = not isinstance(result, tuple) and not (
        isinstance(result, list) and _is_row(result, kept["w"], slots)
    )
    if is_one:
        kept["w"] = result
        return
    values = list(result)
    places = ["w"] if not form.last else []
    places += [
        {"state": "state", "config": "state", "t": "t"}.get(role, name)
        for name, role in args.roles.items()
        if role in ("slot", "state", "config")
        or (role == "t" and len(values) > 1 + len(slots) + args.has("state"))
    ]
    places += ["w"] if form.last else []
    if len(values) > len(places):  # some return what they computed besides
        values = values[: len(places)]
    if len(values) < len(places):
        places = places[: len(values)] if not form.last else places[-len(values) :]
    clock = kept["t"]
    kept |= dict(zip(places, values, strict=True))
    # Who returns the step before it counted leaves the counting to us.
    kept["t"] = max(clock, kept["t"]) if isinstance(kept["t"], int) else clock


def _is_row(result: list[Any], w: Any, slots: list[str]) -> bool:
    """Whether a list is what a function returns, and not a list of weights."""
    return not isinstance(w, list) and len(result) == 1 + len(slots)


# --- Generators, and functions that go the whole walk ---------------------------------


def _generator_way(f: Any, ours: list[str]) -> Way | None:
    """Return the way to run a generator that is sent gradients and yields weights."""
    args = Arguments(f, ours)
    place = next(iter(args.of("w")), "")
    if not place:
        return None

    def begin(
        options: dict[str, Any], arrays: list[Array], _notes: set[str]
    ) -> Stepper:
        walks = [args.call(f, args.translate(options) | {place: a}) for a in arrays]
        for walk in walks:
            next(walk)
        return lambda grads: [
            _number(walk.send(g)) for walk, g in zip(walks, grads, strict=True)
        ]

    how = "a generator that is sent gradients and yields the weights"
    return Way(how, begin, args.option_names, args.defaults)


def _loop_way(f: Any, ours: list[str]) -> Way | None:
    """Return the way to run a function that asks for gradients until it is done."""
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return None
    places: dict[str, str] = {}
    for name in names:
        role = next((r for r, known in LOOPS.items() if normalize(name) in known), "")
        if role and role not in places:
            places[role] = name
    if not {"gradient", "start", "count"} <= places.keys():
        return None
    args = Arguments(f, ours, has_clock=False)
    taken = set(places.values())
    args.options = {k: v for k, v in args.options.items() if k not in taken}

    def begin(
        options: dict[str, Any], arrays: list[Array], _notes: set[str]
    ) -> Stepper:
        walked: list[list[Array]] = []

        def go(number: int) -> Array:
            """Take all steps so far anew: only the last weights come back."""
            grads = iter([row[number].copy() for row in walked])
            values = args.translate(options) | {
                places["gradient"]: lambda *_: next(grads),
                places["start"]: arrays[number].copy(),
                places["count"]: len(walked),
            }
            if "objective" in places:
                values[places["objective"]] = lambda *_: 0.0
            return _last(args.call(f, values), arrays[number])

        def step(grads: list[Array]) -> list[Array]:
            walked.append(grads)
            return [go(number) for number in range(len(arrays))]

        return step

    how = f"a function that asks `{places['gradient']}` in every step"
    return Way(how, begin, args.option_names, args.defaults)


def _last(result: Any, start: Array) -> Array:
    """Return the last weights of what a whole walk returned."""
    if isinstance(result, tuple):
        result = result[0]
    path: Array = _number(result)
    if path.shape != start.shape and path.shape[1:] == start.shape and len(path):
        path = path[-1]
    return path


# --- Classes, closures and pairs of functions -----------------------------------------


def _is_pair(thing: Any) -> bool:
    return callable(getattr(thing, "init", None)) and (
        callable(getattr(thing, "update", None))
        or callable(getattr(thing, "step", None))
    )


def _arrays(f: Any) -> Iterator[Callable[[Array], Any]]:
    """Go through what an array may be made into, the likeliest first."""
    yield np.asarray
    if "torch" in sys.modules and (f is None or _uses(f, "torch")):
        yield sys.modules["torch"].tensor


def _pair_begin(
    make: Callable[[dict[str, Any]], Any], array: Callable[[Array], Any] = np.asarray
) -> Any:
    """Return how to begin with an optimizer that is two functions of arrays."""

    def begin(
        options: dict[str, Any], arrays: list[Array], _notes: set[str]
    ) -> Stepper:
        pair = make(options)
        ws: list[Any] = [array(a) for a in arrays]
        states = [pair.init(w) for w in ws]

        def step(grads: list[Array]) -> list[Array]:
            for i, g in enumerate(map(array, grads)):
                if hasattr(pair, "step"):
                    ws[i], states[i] = pair.step(ws[i], g, states[i])
                else:
                    change, states[i] = pair.update(g, states[i], ws[i])
                    ws[i] = array(ws[i] + change)
            return [_number(w) for w in ws]

        return step

    return begin


def _triple_begin(make: Callable[[dict[str, Any]], Any]) -> Any:
    """Return how to begin with three functions, as JAX has its optimizers."""

    def begin(
        options: dict[str, Any], arrays: list[Array], _notes: set[str]
    ) -> Stepper:
        init, update, read = make(options)
        states, done = [init(a) for a in arrays], itertools.count()

        def step(grads: list[Array]) -> list[Array]:
            i = next(done)
            for k, g in enumerate(grads):
                states[k] = update(i, g, states[k])
            return [_number(read(state)) for state in states]

        return step

    return begin


def _made_ways(make: Any, ours: list[str], example: dict[str, Any]) -> Iterator[Way]:
    """Go through the ways to run what a function or class makes of options."""
    args = Arguments(make, ours, has_clock=False, is_made=True)
    for carrier in _carriers(make):
        how = "a class" if isinstance(make, type) else "a function that makes a step"
        try:
            made = _construct(make, args, carrier, example, [np.ones(2)])[0]
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            continue
        if isinstance(made, tuple) and len(made) == 3 and all(map(callable, made)):
            yield Way(
                f"{how} in three functions: `init`, `update` and `get_params`",
                _triple_begin(lambda options: args.call(make, args.translate(options))),
                args.option_names,
                args.defaults,
            )
            return
        if _is_pair(made):
            name = "step" if hasattr(made, "step") else "update"
            for array in _arrays(make):
                yield Way(
                    f"{how} with `init` and `{name}`",
                    _pair_begin(
                        lambda options: args.call(make, args.translate(options)), array
                    ),
                    args.option_names,
                    args.defaults,
                )
            return
        for name in METHODS:
            method = _method(made, name)
            if not callable(method):
                continue
            taken = Arguments(method, ours)
            has_weights = taken.has("w") or taken.has("pairs") or args.has("w")
            ways = [
                Way(
                    f"{how} whose `{name}` steps on {carrier.name}"
                    + (f", and returns what is {added}" if added else ""),
                    _method_begin(make, args, name, carrier, added),
                    args.option_names | taken.option_names,
                    taken.defaults | args.defaults,
                )
                for added in (("",) if has_weights else ("subtracted", "added"))
            ]
            if len(ways) > 1:  # what is returned has the sign that leads downhill
                ways.sort(key=lambda way: _is_uphill(way, example))
            yield from ways


def _is_uphill(way: Way, example: dict[str, Any]) -> bool:
    """Whether the first step goes along the gradient."""
    one = np.ones(2)
    with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
        path = run(way, Trial("", example, [[one]], [[[one]]]))
        return bool(path.sum() > one.sum())
    return False


def _method(made: Any, name: str) -> Any:
    """Return a method; what can be called itself has the signature."""
    return made if name == "__call__" else getattr(made, name, None)


def _construct(
    make: Any,
    args: Arguments,
    carrier: Carrier,
    options: dict[str, Any],
    arrays: list[Array],
) -> tuple[Any, Any]:
    """Make an optimizer; return it and the weights as it holds them."""
    weights = carrier.weights(arrays)
    values = args.translate(options)
    for name, role in args.roles.items():
        match role:
            case "w":
                values[name] = weights
            case "shape":
                values[name] = arrays[0].shape
                if normalize(name) in ("n", "size", "dim", "nparams", "nweights"):
                    values[name] = arrays[0].size
            case "slot" | "g" | "state":
                raise RecognitionError(f"`{name}` is no option of this rule")
    return args.call(make, values), weights


def _method_begin(
    make: Any, args: Arguments, name: str, carrier: Carrier, added: str
) -> Any:
    def begin(options: dict[str, Any], arrays: list[Array], notes: set[str]) -> Stepper:
        if carrier in SINGLE and len(arrays) > 1:
            each = [begin(options, [a], notes) for a in arrays]
            return lambda grads: [
                step([g])[0] for step, g in zip(each, grads, strict=True)
            ]
        made, weights = _construct(make, args, carrier, options, arrays)
        method = _method(made, name)
        taken = Arguments(method, list(options))
        place = next(iter(args.of("w")), "")
        kept = {"w": weights, "t": 1}

        def step(grads: list[Array]) -> list[Array]:
            w = kept["w"]
            g = carrier.grads(grads, w)
            values = taken.translate(options)
            for key, role in taken.roles.items():
                match role:
                    case "w":
                        values[key] = w
                    case "g":
                        values[key] = g
                    case "t":
                        values[key] = kept["t"]
                    case "name":
                        values[key] = "W1"
                    case "loss":
                        values[key] = None
                    case "pairs":
                        values[key] = list(zip(g, w, strict=True))
                    case "slot":
                        raise RecognitionError(f"nobody knows what `{key}` is")
            if not taken.parameters and not place:
                raise RecognitionError(f"`{name}` is given nothing")
            before = None if carrier is LAYER else copy.deepcopy(g)
            for hook in BEFORE:
                getattr(made, hook, _do_nothing)()
            if carrier is LAYER:
                for layer in w:
                    taken.call(method, values | dict.fromkeys(taken.of("w"), layer))
                result = None
            else:
                result = taken.call(method, values)
            for hook in AFTER:
                getattr(made, hook, _do_nothing)()
            if carrier is not LAYER and not _same(before, g):
                notes.add("writes over the gradient that it is given")
            kept["t"] += 1
            kept["w"] = _result(
                result, w, getattr(made, place, w) if place else w, added
            )
            return [_number(a) for a in carrier.read(kept["w"])][: len(arrays)]

        return step

    return begin


BEFORE, AFTER = ("pre_update_params",), ("post_update_params",)


def _do_nothing() -> None:
    """Do what a class without such a method does."""


def _result(result: Any, w: Any, held: Any, added: str) -> Any:
    """Return the new weights of what a method returned, or changed in place."""
    if added:
        if not isinstance(w, np.ndarray) or not hasattr(result, "shape"):
            raise ResultError("it returns no array to be added")
        return w - result if added == "subtracted" else w + result
    if result is None or np.isscalar(result) != np.isscalar(w):
        return held if type(held) is type(w) else w
    if isinstance(result, tuple) and not isinstance(w, tuple):
        result = result[0] if len(result) and not isinstance(w, list) else list(result)
    return result


# --- All of it ------------------------------------------------------------------------


def find_ways(subject: Any, ours: list[str], example: dict[str, Any]) -> Iterator[Way]:
    """Go through the ways in which a subject may be run, the likeliest first.

    Parameters
    ----------
    subject : object
        What a stranger gave.
    ours : list of str
        The options of the rule.
    example : dict
        A value for each, to try.
    """
    if isinstance(subject, tuple) and not hasattr(subject, "_fields"):
        if len(subject) == 2 and all(map(callable, subject)):
            init, step = subject
            yield from _function_ways(step, ours, first_state=init)
        return
    if _is_pair(subject) and not isinstance(subject, type):
        how = "an optimizer with `init` and "
        how += "`step`" if hasattr(subject, "step") else "`update`"
        for array in _arrays(subject.step if hasattr(subject, "step") else None):
            yield Way(how, _pair_begin(lambda _: subject, array), frozenset())
        return
    if isinstance(subject, type):
        yield from _made_ways(subject, ours, example)
        return
    if not callable(subject):
        for name in METHODS:  # an instance: each walk takes a copy of it
            if callable(getattr(subject, name, None)):
                yield from _made_ways(_copier(subject), ours, example)
                return
        return
    if inspect.isgeneratorfunction(subject):
        if way := _generator_way(subject, ours):
            yield way
        return
    yield from _function_ways(subject, ours)
    if way := _loop_way(subject, ours):
        yield way
    yield from _made_ways(subject, ours, example)
    if not inspect.isroutine(subject):
        yield from _made_ways(_copier(subject), ours, example)


def _copier(subject: Any) -> Callable[[], Any]:
    def instance() -> Any:
        return copy.deepcopy(subject)

    return instance
