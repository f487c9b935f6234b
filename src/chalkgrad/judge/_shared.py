"""The judge: a stranger's implementation against the reference.

What proves that our two backends are equal also judges the code of others. It runs the
code that it is given; where that may do harm, do it in a container.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array
from chalkgrad.judge._call_verdicts import Calls, compute, settle
from chalkgrad.judge._calls import Case, FunctionTask
from chalkgrad.judge._examine import examine_task
from chalkgrad.judge._subjects import RecognitionError
from chalkgrad.judge._tasks import describe, find_task, list_tasks
from chalkgrad.judge._trials import Trial
from chalkgrad.judge._verdicts import (
    Failure,
    Finding,
    Verdict,
    Where,
    run_once,
)

__all__ = [
    "Comparison",
    "Finding",
    "Verdict",
    "Where",
    "compare",
    "describe",
    "judge",
    "list_tasks",
]


class Comparison(NamedTuple):
    """Where two walks went: the weights after each step."""

    theirs: Array
    ours: Array


def judge(subject: object, as_: str, **options: object) -> Verdict:
    """Judge an implementation: is it right, of another convention, or wrong, and why?

    It runs on drawn and chosen inputs beside the reference. If its numbers are others,
    a catalogue of known conventions and mistakes is run, too, and what gives the same
    numbers is named.

    Parameters
    ----------
    subject : object
        A function, a class, or what one of ours is: see `describe` for the forms.
    as_ : str
        As what: one of `list_tasks`.
    **options : float or bool
        Options that keep these values, such as ``lr=0.1``; the others are drawn.

    Returns
    -------
    Verdict
        True if it is right, also by another convention; printed, it says all.

    Raises
    ------
    ValueError
        If there is no such task or option.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> def momentum(w, g, v, lr=0.1, momentum=0.9):
    ...     v = momentum * v + (1 - momentum) * g
    ...     return w - lr * v, v
    >>> cg.judge.judge(momentum, "sgd").title
    'sgd: right, but of another convention: momentum as (1 − μ) g'
    """
    name = getattr(subject, "__name__", "subject")
    return examine_task(find_task(as_), subject, options, name=name)


def compare(
    subject: object,
    as_: str,
    *,
    w: Any = None,
    grads: Any = None,
    instances: int = 1,
    **given: object,
) -> Comparison:
    """Give a subject and the reference the same input.

    A verdict shows a difference by such a call.

    Parameters
    ----------
    subject : object
        As for `judge`.
    as_ : str
        As what.
    w : list, optional
        Of an optimizer, where it starts: the numbers of one array, or a list of arrays.
    grads : list, optional
        Of an optimizer, for each step what `w` is for the start.
    instances : int
        How many optimizers step in turn; above 1, `w` and each step has an entry for
        each.
    **given : object
        Its options; the others have their defaults. Of a function also its inputs, such
        as `predictions` and `targets`.

    Returns
    -------
    Comparison
        `theirs` and `ours`: of an optimizer of shape (steps, n), or (steps, instances,
        n); of a function all numbers that it returns, one after the other.

    Raises
    ------
    TypeError, ValueError, ShapeError
        If nobody knows how to call the subject; if there is no such task or option; if
        the inputs are not finite numbers of shapes that go together.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> def uphill(w, g, lr=0.1):
    ...     return w + lr * g
    >>> cg.judge.compare(uphill, "sgd", w=[1.0], grads=[[1.0]], lr=0.5)
    Comparison(theirs=array([[1.5]]), ours=array([[0.5]]))
    >>> def no_square(predictions, targets):
    ...     return (predictions - targets).mean()
    >>> cg.judge.compare(no_square, "mse", predictions=[3.0], targets=[1.0])
    Comparison(theirs=array([2.]), ours=array([4.]))
    """
    task = find_task(as_, "compare")
    if isinstance(task, FunctionTask):
        return _compare_calls(task, subject, given | ({} if w is None else {"w": w}))
    return _compare_steps(task, subject, w, grads, instances, given)


def _compare_calls(
    task: FunctionTask, subject: Any, given: dict[str, Any]
) -> Comparison:
    wanted = task.cases(dict(task.defaults))[0].inputs
    inputs = {
        name: _input(name, given[name], like)
        for name, like in wanted.items()
        if name in given
    }
    options = {name: x for name, x in given.items() if name not in inputs}
    inputs = task.complete(inputs)
    if missing := [name for name in wanted if name not in inputs]:
        raise TypeError(
            f"compare: {task.name} needs {', '.join(f'`{name}`' for name in missing)}."
        )
    task.check_options(options)
    case = Case("compare", inputs, task.defaults | options)
    candidate = settle(task, subject, options)
    if isinstance(candidate, Failure):
        raise RecognitionError(f"compare: {candidate}")
    calls = Calls(task, subject, {}, "", lambda _: True, lambda _: None)
    got = calls.attempt(candidate.form, case, set())
    if isinstance(got, Failure):
        raise RecognitionError(f"compare: {got}")
    if candidate.label not in got:
        raise check.ShapeError("compare: it returns another shape.")
    parts = got[candidate.label]
    right = compute(candidate.form.formula, case)
    ours = [np.ravel(getattr(right, name)) for name in parts]
    theirs = [a.ravel() for a in parts.values()]
    return Comparison(np.concatenate(theirs), np.concatenate(ours).astype(float))


def _input(name: str, value: Any, like: Any) -> Any:
    if not isinstance(like, np.ndarray):
        return value
    whole = like.dtype.kind in "iu"
    try:
        found = np.array(value, dtype=like.dtype if whole else float)
    except (TypeError, ValueError):
        found = np.array(math.nan)
    if not np.isfinite(found).all():
        raise ValueError(
            f"compare: `{name}` must be made of finite numbers, got {value!r}."
        )
    return found


def _compare_steps(
    task: Any, subject: Any, w: Any, grads: Any, instances: int, options: dict[str, Any]
) -> Comparison:
    task.check_options(options)
    check.integer("compare", "instances", instances, low=1)
    grads = check.sequence("compare", "grads", grads)
    starts = [w] if instances == 1 else check.sequence("compare", "w", w)
    walks = [[row] for row in grads] if instances == 1 else grads
    if not walks or any(len(row) != len(starts) for row in [starts, *walks]):
        raise check.ShapeError(
            "compare: `grads` must have for each step what `w` is for the start, got "
            f"{len(walks)} steps."
        )
    trial = Trial(
        "compare",
        task.defaults | options,
        [_arrays("w", one) for one in starts],
        [[_arrays("grads", g) for g in row] for row in walks],
    )
    for row in trial.grads:
        for start, step in zip(trial.starts, row, strict=True):
            shapes = [[a.shape for a in arrays] for arrays in (start, step)]
            if shapes[0] != shapes[1]:
                raise check.ShapeError(
                    "compare: `grads` must have for each step what `w` is for the "
                    f"start, shapes {shapes[0]}, got {shapes[1]}."
                )
    got = run_once(task, subject, trial)
    if isinstance(got, Failure):
        raise RecognitionError(f"compare: {got}")
    ours = task.reference(trial)
    return Comparison(*(a[:, 0] if instances == 1 else a for a in (got, ours)))


def _arrays(name: str, numbers: Any) -> list[Array]:
    """Return the numbers of one array or of several as arrays."""
    several = isinstance(numbers, list) and any(
        isinstance(x, np.ndarray) for x in numbers
    )
    try:
        found = [np.array(x, dtype=float) for x in (numbers if several else [numbers])]
    except (TypeError, ValueError):
        found = [np.array(math.nan)]
    if not all(np.isfinite(a).all() for a in found):
        raise ValueError(
            f"compare: `{name}` must be made of finite numbers, got {numbers!r}."
        )
    return found
