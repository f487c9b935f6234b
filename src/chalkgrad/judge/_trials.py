"""What a subject is tried on: drawn by a seeded generator, and some that are chosen.

An option is drawn from the range that its type names, as in the contract between the
two backends. The chosen trials tell conventions apart: a large ε shows where it stands,
a zero gradient what is divided by it, several arrays whose state is whose.
"""

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core import spec, types
from chalkgrad._core._numpy import Array

__all__ = ["Trial", "as_matrices", "draw_option", "draw_options", "optimizer_trials"]

# Where in its range a number tells most, which no type says.
TELLING = {
    "beta1": (0.3, 0.95),
    "beta2": (0.5, 0.99),
    "decay": (0.3, 0.95),
    "delay": (3.0, 5.0),
    "grow": (1.1, 1.6),
    "hyper_lr": (1e-3, 1e-2),
    "largest": (0.2, 0.5),
    "lr": (0.02, 0.3),
    "momentum": (0.3, 0.95),
    "power": (0.5, 1.0),
    "smallest": (1e-3, 1e-2),
    "weight_decay": (0.1, 0.5),
}


class Trial(NamedTuple):
    """One input of an optimizer: options, and for each instance where it starts.

    The instances step in turn. `starts` has for each its arrays, `grads` for each step
    and instance the gradients of these arrays.
    """

    aspect: str
    options: dict[str, Any]
    starts: list[list[Array]]
    grads: list[list[list[Array]]]

    def cut(self, steps: int) -> "Trial":
        """Return its first steps alone."""
        return self._replace(grads=self.grads[:steps])


def as_matrices(trial: Trial) -> Trial:
    """Return a trial whose vectors have become matrices of two columns."""

    def widen(a: Array) -> Array:
        return a if a.ndim == 2 else np.stack([a, 0.5 * np.roll(a, 1)], axis=1)

    return trial._replace(
        starts=[[widen(a) for a in arrays] for arrays in trial.starts],
        grads=[[[widen(g) for g in gs] for gs in row] for row in trial.grads],
    )


def draw_option(
    rng: np.random.Generator, name: str, parameter: inspect.Parameter
) -> Any:
    """Draw one option from the range that its type names."""
    kind = parameter.annotation
    if kind is bool:
        return False
    wanted = spec.range_of(kind)
    if name in TELLING:
        low, high = TELLING[name]
    elif isinstance(wanted, spec.Range):
        low, high = wanted.low, min(wanted.high, wanted.low + 1)
        low, high = low + 0.05 * (high - low), high - 0.05 * (high - low)
    else:
        raise TypeError(f"`{name}` needs a type that names its range.")
    return round(float(rng.uniform(low, high)), 3)


def draw_options(
    rng: np.random.Generator, signature: inspect.Signature
) -> dict[str, Any]:
    """Draw all options of a rule but ε, which keeps its default."""
    return {
        name: parameter.default if name == "eps" else draw_option(rng, name, parameter)
        for name, parameter in signature.parameters.items()
        if parameter.annotation is not types.Optimizer
    }


def optimizer_trials(
    signature: inspect.Signature,
    fixed: dict[str, Any],
    *,
    has_arrays: bool = True,
    seed: int = 0,
) -> Iterator[Trial]:
    """Go through the trials of a rule, the most telling first.

    Parameters
    ----------
    signature : Signature
        Its options.
    fixed : dict
        Options that keep these values.
    has_arrays : bool
        Whether each array goes by itself, so that several at once are the same.
    seed : int
        Where the numbers come from.
    """
    rng = np.random.default_rng(seed)
    scales = np.array([1.0, 10.0, 0.01])

    def options(**chosen: Any) -> dict[str, Any]:
        known = {k: v for k, v in chosen.items() if k in signature.parameters}
        return draw_options(rng, signature) | known | fixed

    def walk(steps: int, *shape: int, scale: Any = 1.0) -> list[list[list[Array]]]:
        return [[[rng.normal(size=shape) * scale]] for _ in range(steps)]

    def start(*shape: int) -> list[list[Array]]:
        return [[rng.normal(size=shape)]]

    # A plain one first: what it does not tell apart is told apart by the next.
    yield Trial("first steps", options(), start(3), walk(6, 3, scale=scales))
    yield Trial(
        "a large ε", options(eps=0.05), start(3), walk(12, 3, scale=0.3 * scales)
    )
    zeros = walk(8, 4)
    for t, grads in enumerate(zeros):
        grads[0][0][0] = 0.0  # never a gradient
        grads[0][0][1] *= t == 3  # only once
        grads[0][0][2] *= t != 0  # not in the first step
    yield Trial("gradients of 0", options(eps=1e-3), start(4), zeros)
    still = [[[np.array([0.5, -0.25])]]] * 30
    yield Trial("a gradient that stays", options(), start(2), still)
    turning = [[[np.array([1.0, -2.0]) * (-1) ** (t // 2)]] for t in range(12)]
    yield Trial("gradients that turn", options(), start(2), turning)
    for name, parameter in signature.parameters.items():
        if parameter.annotation is bool and name not in fixed:
            chosen = options(**{name: True, "dampening": 0.0, "eps": 1e-3})
            yield Trial(f"`{name}`", chosen, start(3), walk(10, 3, scale=scales))
    yield Trial("other options", options(eps=1e-6, lr=0.9), start(3), walk(10, 3))
    yield Trial("small gradients", options(eps=1e-3), start(3), walk(8, 3, scale=1e-3))
    yield Trial("large gradients", options(), start(3), walk(8, 3, scale=1e6))
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not parameter.empty
    }
    yield Trial(
        "its defaults",
        options() | defaults | {"lr": 0.01} | fixed,
        start(3),
        walk(50, 3, scale=scales),
    )
    yield Trial("one weight", options(), start(1), walk(6, 1))
    two = [[rng.normal(size=3)] for _ in range(2)]
    steps = [[[rng.normal(size=3)] for _ in two] for _ in range(6)]
    yield Trial("two at once", options(), two, steps)
    if has_arrays:
        yield Trial("a matrix", options(), start(2, 3), walk(6, 2, 3))
        for aspect, shapes in (
            ("several arrays", ((3,), (3,))),
            ("arrays of other shapes", ((2, 3), (3,))),
        ):
            arrays = [[rng.normal(size=shape) for shape in shapes]]
            steps = [[[rng.normal(size=shape) for shape in shapes]] for _ in range(6)]
            yield Trial(aspect, options(), arrays, steps)
