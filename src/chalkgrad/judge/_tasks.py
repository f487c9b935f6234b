"""What can be judged: a task for each public name, and its sheet."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array
from chalkgrad.activations import _numpy as activations
from chalkgrad.judge._activations import ACTIVATIONS, ActivationTask
from chalkgrad.judge._calls import FunctionTask
from chalkgrad.judge._formulas import Deviation
from chalkgrad.judge._grads import GradTask
from chalkgrad.judge._inits import InitTask
from chalkgrad.judge._losses import LOSSES, LossTask
from chalkgrad.judge._mistakes import OPTIMIZERS, USUAL, fix_option
from chalkgrad.judge._networks import BackpropTask
from chalkgrad.judge._rosenblatt import PerceptronTask
from chalkgrad.judge._schedules import SCHEDULES, ScheduleTask
from chalkgrad.judge._scores import SCORES, ScoreTask
from chalkgrad.judge._subjects import Way, find_ways, run
from chalkgrad.judge._trials import Trial, as_matrices, optimizer_trials
from chalkgrad.judge._verdicts import Task
from chalkgrad.judge._walks import flatten, simulate, walk
from chalkgrad.losses import _numpy as losses
from chalkgrad.network._numpy import network
from chalkgrad.optimizers import _numpy as optimizers
from chalkgrad.perceptron import _numpy as perceptron
from chalkgrad.schedules import _shared as schedules
from chalkgrad.training import evaluate

__all__ = ["OptimizerTask", "describe", "find_task", "list_aspects", "list_tasks"]


class OptimizerTask:
    """A rule: where it goes under gradients that are given."""

    kind = "optimizer"
    forms = (
        "def step(w, g, state, lr=0.1): ... return w, state",
        "def step(w, g, m, v, t, lr=0.1): ... return w, m, v",
        "class Rule:\n    def __init__(self, lr): ...\n    def step(self, w, g): ...",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        make: Any = getattr(optimizers, name)
        self._make = make
        whole = inspect.signature(make)
        # An array of a stranger is a layer; so nobody needs to say what a layer is.
        self._is_layered = "net" in whole.parameters
        self.signature = whole.replace(
            parameters=[p for p in whole.parameters.values() if p.name != "net"]
        )
        self.doc = inspect.getdoc(make) or ""
        self._formula = OPTIMIZERS[name]
        self._has_arrays = self._is_layered or not make.parts.per_network

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each option; of a rate that has none, 0.1."""
        return {
            name: 0.1 if p.default is p.empty else p.default
            for name, p in self.signature.parameters.items()
        }

    def check_options(self, options: dict[str, Any]) -> None:
        """Raise unless there are such options, each in its range."""
        unknown = sorted(set(options) - set(self.signature.parameters))
        if unknown:
            raise ValueError(
                f"judge: {self.name} has no option {', '.join(unknown)}; it has "
                f"{', '.join(self.signature.parameters)}."
            )
        layers = {"net": network([1, 1])} if self._is_layered else {}
        self._make(**layers, **self.defaults | options)

    def ways(self, subject: Any) -> Iterator[Way]:
        """Go through the ways in which a subject may be run."""
        yield from find_ways(subject, list(self.signature.parameters), self.defaults)

    def trials(self, fixed: dict[str, Any]) -> list[Trial]:
        """Return the trials; options that are fixed keep their values."""
        trials = list(
            optimizer_trials(self.signature, fixed, has_arrays=self._has_arrays)
        )
        if self.name == "muon":
            trials = [as_matrices(trial) for trial in trials]
        if self._is_layered:  # of one number alone nothing is a layer
            trials = [one for one in trials if len(one.starts[0][0]) > 1]
        return trials

    def reference(self, trial: Trial) -> Array:
        """Return where the reference goes."""
        return walk(self.name, trial)

    def run(self, way: Way, trial: Trial, notes: set[str]) -> Array:
        """Return where a subject goes."""
        return run(way, trial, notes)

    def deviations(self, way: Way) -> list[Deviation]:
        """Return the catalogue, and that an option is written in the code."""
        fixed = []
        for name, default in self.defaults.items():
            values = dict.fromkeys((way.defaults.get(name), *USUAL.get(name, ())))
            if isinstance(default, bool):
                values = {False: None, True: None}
            fixed += [
                fix_option(name, value, is_taken=name in way.accepted)
                for value in values
                if isinstance(value, int | float)
                and (name in way.accepted or value != default)
            ]
        return [*self._formula.deviations, *fixed]

    def simulate(self, trial: Trial, deviations: Iterable[Deviation] = ()) -> Array:
        """Return where the formula goes with some deviations."""
        return simulate(self._formula, trial, deviations)

    def is_idle(self, trial: Trial, got: Array) -> bool:
        """Whether no weight has moved."""
        return np.array_equal(got[-1], [flatten(a) for a in trial.starts])

    def size(self, trial: Trial, want: Array) -> tuple[Array, Array]:
        """Return how far the weights move in a step, and how large they are."""
        start = np.array([[flatten(arrays) for arrays in trial.starts]])
        path = np.concatenate([start, want])
        return abs(np.diff(path, axis=0)).max(0), abs(path).max(0)


def _loss_task(name: str) -> FunctionTask:
    plain = name.removesuffix("_grad")
    formula, truth, options = LOSSES[plain]
    public: Any = getattr(losses, name.replace("perceptron_loss", "perceptron"))
    doc = inspect.getdoc(public) or ""
    return LossTask(name, doc, formula, truth, options, only_gradient=plain != name)


def _activation_task(name: str) -> FunctionTask:
    doc = inspect.getdoc(getattr(activations, name)) or ""
    return ActivationTask(name, doc, is_derivative=name.endswith("_grad"))


def _both(names: Iterable[str]) -> list[str]:
    return [one for name in names for one in (name, f"{name}_grad")]


def _schedule_task(name: str) -> FunctionTask:
    return ScheduleTask(name, inspect.getdoc(getattr(schedules, name)) or "")


def _perceptron_task(name: str) -> FunctionTask:
    return PerceptronTask(name, inspect.getdoc(perceptron.fit) or "")


def _score_task(name: str) -> FunctionTask:
    return ScoreTask(name, inspect.getdoc(getattr(evaluate, name)) or "")


MAKERS: dict[str, Callable[[str], Task | FunctionTask]] = {
    **dict.fromkeys(sorted(OPTIMIZERS), OptimizerTask),
    **dict.fromkeys(_both(LOSSES), _loss_task),
    **dict.fromkeys(_both(ACTIVATIONS), _activation_task),
    **dict.fromkeys(SCHEDULES, _schedule_task),
    **dict.fromkeys(SCORES, _score_task),
    "backprop": BackpropTask,
    "grad": GradTask,
    "init": InitTask,
    "perceptron": _perceptron_task,
}
_known: dict[str, Task | FunctionTask] = {}


def list_tasks() -> list[str]:
    """Return the names of what can be judged."""
    return list(MAKERS)


def find_task(
    name: str, where: str = "judge", argument: str = "as_"
) -> Task | FunctionTask:
    """Return the task whose name `where` was given as an argument."""
    check.choice(where, argument, name, list_tasks())
    if name not in _known:
        _known[name] = MAKERS[name](name)
    return _known[name]


def list_aspects(name: str, fixed: dict[str, Any]) -> list[str]:
    """Return what a subject is tried on, with some options fixed."""
    task = find_task(name)
    tried = task.cases if isinstance(task, FunctionTask) else task.trials
    return list(dict.fromkeys(one.aspect for one in tried(task.defaults | fixed)))


def describe(name: str) -> str:
    """Describe a task for whoever is to write it: formula, options, forms.

    Parameters
    ----------
    name : str
        One of `list_tasks`.

    Returns
    -------
    str
        A sheet in Markdown.

    Raises
    ------
    ValueError
        If there is no such task.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> print(cg.judge.describe("adagrad").splitlines()[0])
    # adagrad
    """
    task = find_task(name, "describe", "name")
    text, _, rest = task.doc.partition("Parameters\n----------\n")
    options, _, _ = rest.partition("Returns\n-------\n")
    _, _, example = task.doc.partition("Examples\n--------\n")
    defaults = ", ".join(f"{key}={x!r}" for key, x in task.defaults.items())
    forms = "\n\n".join(f"```python\n{form}\n```" for form in task.forms)
    return (
        f"# {name}\n\n{text.strip()}\n\n## Options\n\n{options.strip()}\n\n"
        f"`{defaults}`\n\n## Forms\n\nWrite it in one of these, or in any that is like "
        f"them:\n\n{forms}\n\n## An example\n\n```pycon\n{example.strip()}\n```\n"
    )
