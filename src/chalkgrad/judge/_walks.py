"""The walks of an optimizer: by the reference, and by any line of the catalogue."""

import inspect
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._formulas import Deviation, Formula, run_lines
from chalkgrad.judge._trials import Trial
from chalkgrad.network._numpy import network
from chalkgrad.optimizers import _numpy as optimizers

__all__ = ["flatten", "simulate", "walk"]


class Quantities(SimpleNamespace):
    """The quantities of a formula; what has not been computed yet is 0."""

    def __getattr__(self, name: str) -> float:
        if name.startswith("__"):
            raise AttributeError(name)
        return 0.0


def flatten(arrays: Iterable[Any]) -> Array:
    """Return all numbers of some arrays in a row."""
    return np.concatenate([np.ravel(a) for a in arrays])


def walk(name: str, trial: Trial) -> Array:
    """Return where the reference goes: shape (steps, instances, weights)."""
    make = getattr(optimizers, name)
    known = inspect.signature(make).parameters
    options = {key: x for key, x in trial.options.items() if key in known}

    def rule_for(a: Array) -> Any:
        """Return the rule of an array; of layers, the array is one."""
        if "net" not in known:
            return make(**options)
        rows, columns = a.shape if a.ndim == 2 else (a.size, 1)
        return make(network([rows - 1, columns]), **options)

    rules = [[rule_for(a) for a in arrays] for arrays in trial.starts]
    weights = [[a.ravel() for a in arrays] for arrays in trial.starts]
    states = [
        [rule.init(w) for rule, w in zip(its, ws, strict=True)]
        for its, ws in zip(rules, weights, strict=True)
    ]
    path = []
    for grads in trial.grads:
        for its, ws, ss, gs in zip(rules, weights, states, grads, strict=True):
            for i, g in enumerate(gs):
                ws[i], ss[i] = its[i].step(ws[i], g.ravel(), ss[i])
        path.append([flatten(ws) for ws in weights])
    return np.array(path)


def simulate(
    formula: Formula, trial: Trial, deviations: Iterable[Deviation] = ()
) -> Array:
    """Return where a formula goes with some deviations: as `walk`."""
    deviations = list(deviations)
    lines = formula.deviate(deviations)
    options = dict(trial.options)
    start: dict[str, float] = {}
    for one in deviations:
        given = {name: own(trial.options) for name, own in one.options.items()}
        options |= given
        start |= one.start
    shared = {one.shared for one in deviations}
    places = [
        [_place(shared, i, j, w) for j, w in enumerate(arrays)]
        for i, arrays in enumerate(trial.starts)
    ]
    quantities: dict[Any, Quantities] = {}
    for row in places:
        for place in row:
            quantities.setdefault(place, Quantities(**options | start))
    weights = [[np.array(a, float) for a in arrays] for arrays in trial.starts]
    counts: dict[Any, int] = {}
    path = []
    for grads in trial.grads:
        for i, (ws, gs) in enumerate(zip(weights, grads, strict=True)):
            for j, g in enumerate(gs):
                x = quantities[places[i][j]]
                clock = i if "count" in shared else places[i][j]
                counts[clock] = counts.get(clock, 0) + 1
                x.w, x.gradient, x.t = ws[j], g, counts[clock]
                run_lines(lines, x)
                ws[j] = x.w
        path.append([flatten(ws) for ws in weights])
    return np.array(path)


def _place(shared: set[str], instance: int, array: int, w: Array) -> Any:
    """Return whose state an array has: its own, unless it is shared by mistake."""
    if "instances" in shared:
        return array
    # Only arrays of one shape can share a state and not fail.
    return (instance, w.shape) if "arrays" in shared else (instance, array)
