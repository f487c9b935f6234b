"""Arguments drawn by name, in the shapes that a docstring states.

``logits : Array of shape (..., n, c)`` says all but the numbers: a letter is one size
in all arrays of a call, ``...`` any leading axes, the same in all. What numbers to
draw, the names say: `REAL` those of arrays, `OPTIONS` all else. So a new function is
under contract as soon as it is exported, and a new *name* as soon as it is taught here.

Arrays are drawn in float64, of numbers that float32 holds too; `cast` makes them of the
precision wanted.
"""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import chalkgrad.numpy as reference
from chalkgrad._core.names import ELEMENTWISE
from chalkgrad._core.numbers import INTEGERS
from chalkgrad._core.spec import Range, range_of

# The same examples everywhere and always: what fails here fails for the next reader.
contract = settings(derandomize=True, deadline=None, max_examples=40, database=None)
# For promises that hang on shapes and strides rather than on the numbers.
few = settings(contract, max_examples=10)


def _eighths(most: int, steps: int = 64) -> list[float]:
    """Multiples of 1/8: kinks and ties are met, and short sums of products are exact.

    Rosenblatt's rule may then be compared mistake by mistake: no score is 0 in one
    backend and 1e-17 in the other.
    """
    return [round(8 * most * k / steps) / 8 for k in range(-steps, steps + 1)]


def _spread(most: int) -> list[float]:
    """Numbers near 0, of ordinary size, and up to where exp overflows."""
    rare = [0.0, -0.0, 2.0**-40, -(2.0**-10), 50.0, -50.0]
    return [*rare, *_eighths(8), *_eighths(most)]


# What an `Array` holds, by its name.
REAL = {
    "class_weights": st.sampled_from([k / 8 for k in range(1, 9)]),
    "grad": st.sampled_from(_spread(10)),
    "logits": st.sampled_from(_spread(800)),
    "path": st.sampled_from(_eighths(8)),
    "predictions": st.sampled_from(_spread(100)),
    "scores": st.sampled_from(_spread(800)),
    "targets": st.sampled_from(_spread(100)),
    "w": st.sampled_from(_eighths(8)),
    "weights": st.sampled_from([k / 8 for k in range(1, 9)]),
    "x": st.sampled_from(_eighths(8)),
    "z": st.sampled_from(_spread(800)),
}

# What is no array: where in its range a number is telling, which no type says.
# None of these hides its own code path by being off: a momentum of 0 would.
OPTIONS = {
    "activation": st.sampled_from(ELEMENTWISE),
    "beta1": st.floats(0.1, 0.99),
    "dampening": st.sampled_from([0.0, 0.25, 1.0]),
    "beta2": st.floats(0.5, 0.9999),
    "decay": st.floats(0.1, 0.99),
    "delta": st.sampled_from([0.125, 1.0, 2.5, 40.0]),
    "epochs": st.integers(1, 20),
    "eps": st.sampled_from([1e-10, 1e-8, 1e-3, 0.5]),
    "hyper_lr": st.floats(1e-5, 1e-2),
    "largest": st.floats(0.5, 50),
    "label_smoothing": st.sampled_from([0.0, 0.125, 0.5, 1.0]),
    "lr": st.floats(1e-3, 0.5),
    "momentum": st.floats(0.1, 0.99),
    "net": st.lists(st.integers(1, 4), min_size=2, max_size=4).map(reference.network),
    "normalize": st.sampled_from(["filter", "layer", "none"]),
    "reduction": st.sampled_from(["mean", "sum", "none"]),
    "rng": st.integers(0, 9),
    "smallest": st.floats(1e-6, 1e-3),
    "slope": st.sampled_from([0.0, 0.01, 0.25, 1.0]),
    "weight_decay": st.floats(0.01, 0.5),
}


class Slot(NamedTuple):
    """What a docstring says of one parameter."""

    kind: str  # "real", "int", "sign", "in [0, 1]", or "" if it is no array
    axes: list[str]
    text: str
    optional: bool


SIGNED = [dtype for dtype in INTEGERS if dtype[0] == "i"]
ARRAY = re.compile(
    r"Array(?: of (int|sign),| (in \[0, 1\]),)? of shape \((.*)\)(, optional)?"
)


@functools.cache
def slots(f: Callable[..., Any]) -> dict[str, Slot]:
    """Read what the docstring of `f` says of each parameter."""
    text = inspect.getdoc(f) or ""
    _, _, text = text.partition("Parameters\n----------\n")
    text, _, _ = text.partition("Returns\n-------\n")
    found = {}
    for names, said in re.findall(r"^(\w+(?:, \w+)*) : (.+)$", text, re.MULTILINE):
        match = ARRAY.fullmatch(said)
        kind = (match[1] or match[2] or "real") if match else ""
        axes = [axis.strip() for axis in match[3].split(",")] if match else []
        for name in names.split(", "):
            optional = bool(match and match[4])
            found[name] = Slot(kind, [axis for axis in axes if axis], said, optional)
    return found


def options(f: Callable[..., Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw every parameter of `f` that is no array."""
    names = [name for name, slot in slots(f).items() if not slot.kind]
    drawn = st.fixed_dictionaries({name: _option(f, name) for name in names})
    return drawn.map(_without_clash)


def _option(f: Callable[..., Any], name: str) -> st.SearchStrategy[Any]:
    """Draw one option: as its name says, or else as its type does."""
    if name in OPTIONS:
        return OPTIONS[name]
    parameter = inspect.signature(f).parameters.get(name)
    kind = None if parameter is None else parameter.annotation
    if kind is bool:
        return st.booleans()
    wanted = range_of(kind)
    if not isinstance(wanted, Range):
        raise _unknown(f, name, "OPTIONS")
    low, high = wanted.low, min(wanted.high, wanted.low + 1)
    return st.floats(
        low,
        high,
        exclude_min=wanted.open_low,
        exclude_max=wanted.open_high and high == wanted.high,
        allow_subnormal=False,
        width=32,
    )


def _without_clash(chosen: dict[str, Any]) -> dict[str, Any]:
    """Return options that may stand together: Nesterov's form is not dampened."""
    if chosen.get("nesterov") and "dampening" in chosen:
        return chosen | {"dampening": 0.0}
    return chosen


@st.composite
def arguments(
    draw: st.DrawFn,
    f: Callable[..., Any],
    *,
    leading: tuple[int, ...] | None = None,
    whole: bool = False,
) -> dict[str, Any]:
    """Draw all arguments of `f`, by keyword and in their order.

    An array that is optional may be None, unless they are to be `whole`.
    """
    said = slots(f)
    if leading is None:
        leading = draw(arrays.array_shapes(min_dims=0, max_dims=2, max_side=3))
    letters = {axis[0] for slot in said.values() for axis in slot.axes} - {"."}
    sizes = {
        letter: int(letter) if letter.isdigit() else draw(st.integers(1, 4))
        for letter in sorted(letters)
    }
    out = draw(options(f))
    if "net" in out:
        sizes["size"] = out["net"].size
    for name, slot in said.items():
        if slot.optional and not whole and draw(st.booleans()):
            out[name] = None
        elif slot.kind:
            dtype, elements = draw(numbers(f, name, slot, sizes))
            size = shape(slot.axes, sizes, leading)
            out[name] = draw(arrays.arrays(dtype, size, elements=elements))
    if {"w", "x", "targets"} <= set(said):  # a neuron is asked what it separates
        scores = out["x"] @ out["w"][:-1] + out["w"][-1]
        assume(scores.all())
        out["targets"] = np.sign(scores)
    return {name: out[name] for name in said}


def cast(args: dict[str, Any], dtype: str) -> dict[str, Any]:
    """Return `args` with all float arrays in `dtype`."""
    return {
        name: x.astype(dtype) if getattr(x, "dtype", None) == "float64" else x
        for name, x in args.items()
    }


def shape(
    axes: list[str], sizes: dict[str, int], leading: tuple[int, ...] = ()
) -> tuple[int, ...]:
    """Put sizes for letters: ``["...", "d + 1"]`` may be (2, 3, 5)."""
    out: list[int] = []
    for axis in axes:
        letter, _, more = axis.partition(" + ")
        out += leading if axis == "..." else [sizes[letter] + int(more or 0)]
    return tuple(out)


def numbers(
    f: Callable[..., Any], name: str, slot: Slot, sizes: dict[str, int]
) -> st.SearchStrategy[tuple[str, st.SearchStrategy[Any]]]:
    """Draw the dtype of an array and what to fill it with."""
    if slot.kind == "int":
        ids = st.integers(0, sizes["c"] - 1)
        return st.sampled_from(INTEGERS).map(lambda dtype: (dtype, ids))
    if slot.kind == "sign":
        signs = st.sampled_from([-1, 1])
        any_sign = st.sampled_from(["float64", *SIGNED]).map(
            lambda dtype: (dtype, signs)
        )
        return st.one_of(any_sign, st.just(("uint8", st.just(1))))
    if slot.kind == "in [0, 1]":
        soft = st.integers(0, 8).map(lambda k: k / 8)
        hard = st.sampled_from(INTEGERS).map(lambda dtype: (dtype, st.integers(0, 1)))
        return st.one_of(st.just(("float64", soft)), hard)
    if name not in REAL:
        raise _unknown(f, name, "REAL")
    return st.just(("float64", REAL[name]))


def _unknown(f: Callable[..., Any], name: str, table: str) -> LookupError:
    said = slots(f)[name].text
    return LookupError(
        f"{f.__name__}: nobody knows what to draw for `{name} : {said}`; teach it to "
        f"{table} in tests/contract/strategies.py."
    )
