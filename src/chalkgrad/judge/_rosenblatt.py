"""Rosenblatt's perceptron as it is judged: the weights that it ends with."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._calls import (
    Binding,
    Carrier,
    Case,
    Form,
    FunctionTask,
    Parts,
    as_array,
    bind,
    carriers_of,
    items_of,
    note_changes,
    write_class,
)
from chalkgrad.judge._formulas import Deviation, Formula
from chalkgrad.judge._mistakes import convention, mistake
from chalkgrad.judge._names import words
from chalkgrad.judge._subjects import ResultError

__all__ = ["PerceptronTask"]

HOME = "perceptron/neuron/#how-it-learns"
X = words("x xs xtrain data inputs features samples examples rows points trainx")
T = words("y t targets labels target ytrain ys d truth label yt trainy signs classes")
W = words("w weights weight theta wb wt")
EPOCHS = words("epochs niter nepochs maxiter maxepochs niters iterations numepochs n")
METHODS = ("fit", "train", "learn", "fit_transform", "train_model")
WEIGHTS = (
    "w_",
    "weights",
    "w",
    "W",
    "coef_",
    "weight",
    "theta",
    "weights_",
    "_weights",
)
BIASES = ("b_", "bias", "b", "intercept_", "bias_", "threshold", "w0", "_bias")


def train(x: Any) -> Any:
    """Return the weights, the bias last, by the lines of `x`."""
    rows = np.concatenate([x.inputs, np.ones((len(x.inputs), 1))], axis=1)
    w = np.zeros(rows.shape[1])
    for _ in range(x.rounds):
        mistakes = 0
        start = w.copy()
        for row, t in zip(rows, x.goal(x.targets), strict=True):
            s = float(row @ (start if x.batch else w))
            if x.is_mistake(s, t):
                mistakes += 1
                w = w + x.lr * x.factor * x.step(row, s, t)
        if not mistakes:
            break
    return w


FORMULA = Formula(
    lr=lambda x: x.lr,
    rounds=lambda x: x.epochs,
    goal=lambda _: lambda t: t,
    batch=lambda _: False,
    factor=lambda _: 1.0,
    is_mistake=lambda _: lambda s, t: s * t <= 0,
    step=lambda _: lambda row, _s, t: t * row,
    w=train,
)


def _sign(s: float) -> float:
    return 1.0 if s >= 0 else -1.0


def wrong(name: str, why: str, **lines: Any) -> Deviation:
    """Return a mistake in functions of the rule."""
    return mistake(name, why, HOME, **{k: (lambda _, f=f: f) for k, f in lines.items()})


def other(name: str, why: str, **lines: Any) -> Deviation:
    """Return a convention in functions of the rule."""
    return convention(
        name, why, HOME, **{k: (lambda _, f=f: f) for k, f in lines.items()}
    )


def _no_bias(row: Any) -> Any:
    return np.append(row[:-1], 0.0)


FORMULA.know(
    other(
        "on the boundary it says +1",
        "A score of 0 counts as +1, so an example of +1 there is no mistake. With us "
        "it is one.",
        is_mistake=lambda s, t: _sign(s) != t,
    ),
    other(
        "on the boundary it says −1",
        "A score of 0 counts as −1, so an example of −1 there is no mistake. With us "
        "it is one.",
        is_mistake=lambda s, t: (1.0 if s > 0 else -1.0) != t,
    ),
    other(
        "steps of 2",
        "It adds (t − ŷ) x, which is twice what we add. The boundary is the same.",
        factor=2.0,
    ),
    other(
        "steps of 2, and on the boundary it says +1",
        "It adds (t − ŷ) x, which is twice what we add, and a score of 0 counts as +1.",
        factor=2.0,
        is_mistake=lambda s, t: _sign(s) != t,
    ),
    other(
        "steps of 2, and on the boundary it says −1",
        "It adds (t − ŷ) x, which is twice what we add, and a score of 0 counts as −1.",
        factor=2.0,
        is_mistake=lambda s, t: (1.0 if s > 0 else -1.0) != t,
    ),
    wrong(
        "nothing is learnt",
        "An example with a score of 0 is left alone, so from zero weights nothing "
        "ever moves.",
        is_mistake=lambda s, t: s * t < 0,
    ),
    wrong(
        "the sign of the step",
        "A mistake is subtracted. It must be added, times its target.",
        step=lambda row, _s, t: -t * row,
    ),
    wrong(
        "the target is missing in the step",
        "A mistake is added whatever its target. It must be times t.",
        step=lambda row, _s, _t: row,
    ),
    wrong(
        "the bias never moves",
        "The bias must move by t.",
        step=lambda row, _s, t: t * _no_bias(row),
    ),
    wrong(
        "the sign of the bias",
        "The bias must move by +t.",
        step=lambda row, _s, t: t * np.append(row[:-1], -1.0),
    ),
    wrong(
        "the bias moves without the target",
        "The bias moves by 1. It must move by t.",
        step=lambda row, _s, t: np.append(t * row[:-1], 1.0),
    ),
    wrong(
        "the weights never move",
        "Only the bias moves. The weights must move by t x.",
        step=lambda row, _s, t: np.append(0 * row[:-1], t),
    ),
    wrong(
        "the input is missing in the step",
        "All weights move by t. They must move by t x.",
        step=lambda row, _s, t: t + 0 * row,
    ),
    wrong(
        "nothing is learnt",
        "The condition is turned round, so from zero weights nothing ever moves.",
        is_mistake=lambda s, t: s * t > 0,
    ),
    wrong(
        "what is right is added",
        "The condition is turned round: what is right moves the weights.",
        is_mistake=lambda s, t: s * t >= 0,
    ),
    wrong(
        "every example is added",
        "The weights move whether it was a mistake or not.",
        is_mistake=lambda _s, _t: True,
    ),
    wrong(
        "one step an epoch",
        "All mistakes of an epoch are found with the weights of its start.",
        batch=True,
    ),
    wrong(
        "the error is not cut off",
        "It moves by t − s, the linear error. That is the rule of Widrow and Hoff.",
        is_mistake=lambda _s, _t: True,
        step=lambda row, s, t: (t - s) * row,
    ),
    wrong(
        "nothing is learnt",
        "The step is times the score, so from zero weights nothing ever moves.",
        step=lambda row, s, _t: s * row,
    ).on_its_own(),
    wrong(
        "the sign of the weights",
        "The weights must move by +t x, as the bias by +t.",
        step=lambda row, _s, t: t * np.append(-row[:-1], 1.0),
    ),
    wrong(
        "the weights move without the target",
        "The weights move by x. They must move by t x.",
        step=lambda row, _s, t: np.append(row[:-1], t),
    ),
    wrong(
        "a margin of 1",
        "An example counts as a mistake up to a score of 1.",
        is_mistake=lambda s, t: s * t < 1,
    ),
    mistake("one epoch", "It stops after the first epoch.", HOME, rounds=lambda _: 1),
    mistake(
        "an epoch too few",
        "It makes an epoch less than it is asked for.",
        HOME,
        rounds=lambda x: x.epochs - 1,
    ),
    mistake(
        "an epoch too many",
        "It makes an epoch more than it is asked for.",
        HOME,
        rounds=lambda x: x.epochs + 1,
    ),
    wrong(
        "labels of 0 never move it",
        "The labels are 0 and 1, and the step is times the label. So class 0 moves "
        "nothing.",
        step=lambda row, _s, t: max(t, 0.0) * row,
    ),
    mistake(
        "the targets exchanged",
        "Class +1 is taken for −1.",
        HOME,
        goal=lambda _: lambda t: -t,
    ).on_its_own(),
)


class PerceptronTask(FunctionTask):
    """Rosenblatt's rule."""

    kind = "perceptron"
    axes: ClassVar[Mapping[str, str]] = {"inputs": "n d", "targets": "n"}
    usual: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "lr": (0.1, 0.01, 0.5, 1.0, 0.2, 0.001),
        "epochs": (10, 20),
    }
    forms = (
        "def fit(x, targets, epochs=100): ... return w, b",
        "def fit(x, targets, epochs=100): ... return w  # the bias last",
        write_class("perceptron", "lr=1.0, epochs=100", "fit(self, x, targets)"),
    )

    def __init__(self, name: str, doc: str) -> None:
        super().__init__(name, doc, {"lr": 1.0, "epochs": 100})

    def cases(self, fixed: dict[str, Any]) -> list[Case]:
        """Return the inputs."""
        rng = np.random.default_rng(5)

        def case(aspect: str, x: Any, t: Any, epochs: int, lr: float = 1.0) -> Case:
            options = {"epochs": epochs, "lr": lr} | fixed
            given = {"inputs": np.array(x, float), "targets": np.array(t, float)}
            return Case(aspect, given, options)

        gate = [[0, 0], [0, 1], [1, 0], [1, 1]]
        cloud = rng.normal(size=(12, 3))
        side = np.where(cloud @ [1.0, -2.0, 0.5] + 0.3 > 0, 1, -1)
        return [
            case("two epochs of OR", gate, [-1, 1, 1, 1], 2),
            case("AND", gate, [-1, -1, -1, 1], 20),
            case("OR", gate, [-1, 1, 1, 1], 20),
            case("a cloud", cloud, side, 25),
            case("what no line separates", gate, [-1, 1, 1, -1], 5),
            case("a rate of 0.5", cloud, side, 25, 0.5),
            case("two epochs", cloud, side, 2),
        ]

    def ways_to_call(self, subject: Any) -> Iterator[Form]:
        """Go through the ways in which a subject may be called."""
        roles = {"x": X, "t": T}
        options = ("lr", "epochs")
        for zero_one in (False, True):
            if isinstance(subject, type):
                for made in bind(subject, {}, options):
                    yield from self.of_class(made, roles, zero_one=zero_one)
                for made in bind(
                    subject,
                    {
                        "d": words(
                            "nfeatures ninputs inputsize d dim numinputs n "
                            "numfeatures nin inputdim size"
                        )
                    },
                    options,
                ):
                    yield from self.of_class(made, roles, zero_one=zero_one)
                continue
            if not callable(subject):
                return
            for b in bind(subject, {"w": W, **roles}, ("lr",)):
                how = "a function of weights and one example"
                yield self.form(how, _steps(b), zero_one, b)
            for carrier in carriers_of(subject):
                for b in bind(subject, roles, options):
                    how = "a function of all examples"
                    how += f" as {carrier.name}" if carrier.name else ""
                    yield self.form(how, _whole(b, carrier), zero_one, b)

    def of_class(self, made: Binding, roles: Any, *, zero_one: bool) -> Iterator[Form]:
        """Go through the methods of a class that may train."""
        for name in METHODS:
            if not callable(getattr(made.f, name, None)):
                continue
            try:
                method = list(inspect.signature(getattr(made.f, name)).parameters)[1:]
            except (TypeError, ValueError):
                continue
            if len(method) < 2:
                continue

            def bound(owner: Any, name: str = name) -> list[Binding]:
                return list(bind(getattr(owner, name), roles, ("lr", "epochs")))

            def run(values: Any, options: Any, bound: Any = bound) -> Any:
                owner = made({"d": values["x"].shape[1]}, options)
                result = bound(owner)[0](values, options)
                return _weights_of(owner, values["x"].shape[1], result)

            later = bind(
                getattr(made.f, name),
                {"self": words("self"), **roles},
                ("lr", "epochs"),
            )
            accepted = made.option_names | next(
                (b.option_names for b in later), frozenset()
            )
            form = self.form(
                f"a class, of which `{name}` is called", run, zero_one, made
            )
            form.accepted = accepted
            yield form

    def form(self, how: str, run: Any, zero_one: bool, b: Binding) -> Form:
        """Return the form of a call."""

        def call(case: Case, notes: set[str]) -> Any:
            t = case.inputs["targets"]
            t = (t > 0).astype(int) if zero_one else t.astype(int)
            values = {"x": case.inputs["inputs"], "t": t}
            before = {"inputs": values["x"].copy()}
            result = run(values, case.options)
            note_changes(notes, before, {"inputs": values["x"]})
            return result

        given = "0 and 1" if zero_one else "−1 and +1"
        return Form(
            f"{how}, given labels of {given}",
            call,
            _read,
            FORMULA,
            (),
            b.option_names,
            b.defaults,
        )


def _whole(b: Binding, carrier: Carrier) -> Callable[[Any, Any], Any]:
    return lambda values, options: b(
        {name: carrier.give(a) for name, a in values.items()}, options
    )


def _steps(b: Binding) -> Callable[[Any, Any], Any]:
    def run(values: Any, options: Any) -> Any:
        rows = np.concatenate([values["x"], np.ones((len(values["x"]), 1))], axis=1)
        w = np.zeros(rows.shape[1])
        for _ in range(options["epochs"]):
            start = w
            for row, t in zip(rows, values["t"], strict=True):
                w = as_array(b({"w": w, "x": row, "t": t}, options))
            if np.array_equal(start, w):
                break
        return w

    return run


def _weights_of(owner: Any, d: int, result: Any) -> Any:
    """Return the weights and the bias that an instance holds."""
    held = {name: getattr(owner, name, None) for name in (*WEIGHTS, *BIASES)}
    w = next((held[n] for n in WEIGHTS if held[n] is not None), None)
    b = next((held[n] for n in BIASES if held[n] is not None), None)
    if w is None:
        return result
    if np.size(w) == d and b is not None:
        return w, b
    return w


LABELS = ("the weights, the bias last", "the weights, the bias first")


def _read(raw: Any, case: Case) -> dict[str, Parts]:
    d = case.inputs["inputs"].shape[1]
    things = items_of(raw)
    arrays: list[Array] = []
    for thing in things:
        try:
            arrays.append(as_array(thing))
        except ResultError:
            break
    if (
        isinstance(raw, list)
        and len(arrays) == len(things)
        and all(a.size == 1 for a in arrays)
    ):
        arrays = [np.array([a.reshape(()) for a in arrays])]
    if not arrays:
        raise ResultError("it returns no weights")
    first = arrays[0].ravel()
    if first.size == d + 1:
        return {
            LABELS[0]: {"w": first},
            LABELS[1]: {"w": np.append(first[1:], first[0])},
        }
    if first.size == d and len(arrays) > 1 and arrays[1].size == 1:
        return {"the weights and the bias": {"w": np.append(first, arrays[1].ravel())}}
    return {}
