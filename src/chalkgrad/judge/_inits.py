"""Schemes of initial weights as they are judged: by the moments of what they draw."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._calls import Binding, FunctionTask, as_array, bind, entries_of
from chalkgrad.judge._names import words
from chalkgrad.judge._networks import _leaves
from chalkgrad.judge._subjects import ResultError
from chalkgrad.judge._verdicts import (
    Failure,
    Finding,
    Verdict,
    Where,
    run_quietly,
    say_forms,
)

__all__ = ["InitTask"]

HOME = "training/practical-problems/#does-the-signal-get-through"
D = words(
    "d fanin nin inputs inputsize din indim n ninputs inputdim infeatures rows nx "
    "nprev in m"
)
K = words(
    "k fanout nout outputs outputsize dout outdim units noutputs outputdim "
    "outfeatures cols h nhidden out ny"
)
SHAPE = words("shape size dims dim sizes layers layersizes layerdims architecture")
SHAPES = ((400, 300), (300, 400), (150, 600))
NEAR = 0.015  # of a standard deviation that was measured on so many numbers


class Scheme(NamedTuple):
    """A way to draw: of inputs and outputs the standard deviation, and how."""

    name: str
    std: Callable[[int, int], float]
    how: str
    of: str = ""
    """Under which name it is asked for."""
    mean: float = 0.0


def _law(
    gain: float, count: Callable[[int, int], float]
) -> Callable[[int, int], float]:
    return lambda d, k: math.sqrt(gain / count(d, k))


KNOWN = [
    Scheme("He, normal", _law(2, lambda d, _k: d), "normal", "he"),
    Scheme("He, uniform", _law(2, lambda d, _k: d), "uniform", "he"),
    Scheme("He, normal, by the outputs", _law(2, lambda _d, k: k), "normal", "he"),
    Scheme("He, truncated", _law(2, lambda d, _k: d), "truncated", "he"),
    Scheme("Xavier, normal", _law(2, lambda d, k: d + k), "normal", "xavier"),
    Scheme("Xavier, uniform", _law(2, lambda d, k: d + k), "uniform", "xavier"),
    Scheme("Xavier, truncated", _law(2, lambda d, k: d + k), "truncated", "xavier"),
    Scheme("LeCun, normal", _law(1, lambda d, _k: d), "normal", "xavier"),
    Scheme("LeCun, uniform", _law(1, lambda d, _k: d), "uniform", "xavier"),
    Scheme("normal with a deviation of 0.01", lambda _d, _k: 0.01, "normal", "normal"),
    Scheme(
        "orthogonal", lambda d, k: 1 / math.sqrt(max(d, k)), "orthogonal", "orthogonal"
    ),
]
WRONG: list[tuple[Scheme, str]] = [
    (
        Scheme("all are 0", lambda _d, _k: 0.0, "constant"),
        "All weights are 0, so all hidden units compute, and learn, the same.",
    ),
    (
        Scheme("all are 1", lambda _d, _k: 0.0, "constant", mean=1.0),
        "All weights are equal, so all hidden units compute, and learn, the same.",
    ),
    (
        Scheme("no scale", lambda _d, _k: 1.0, "normal"),
        "The deviation is 1 whatever the size. The signal grows with every layer.",
    ),
    (
        Scheme("from 0 to 1", lambda _d, _k: math.sqrt(1 / 12), "uniform", mean=0.5),
        "No weight is negative. So the mean of the signal grows with every layer.",
    ),
    (
        Scheme("from −1 to 1", lambda _d, _k: math.sqrt(1 / 3), "uniform"),
        "The bound is 1 whatever the size. The signal grows with every layer.",
    ),
    (
        Scheme("the variance in place of the deviation", lambda d, _k: 2 / d, "normal"),
        "It is drawn with a deviation of 2/d. That is the variance: take the root.",
    ),
    (
        Scheme(
            "the variance in place of the deviation", lambda d, k: 2 / (d + k), "normal"
        ),
        "The deviation is 2/(d + k), which is the variance: take the root.",
    ),
    (
        Scheme("the variance in place of the deviation", lambda d, _k: 1 / d, "normal"),
        "It is drawn with a deviation of 1/d. That is the variance: take the root.",
    ),
    (
        Scheme("multiplied, not divided", lambda d, _k: math.sqrt(d / 2), "normal"),
        "It is multiplied by √(d/2). It must be divided by it.",
    ),
    (
        Scheme("multiplied, not divided", lambda d, _k: math.sqrt(d), "normal"),
        "It is multiplied by √d. It must be divided by it.",
    ),
    (
        Scheme(
            "the bound in place of the deviation",
            lambda d, _k: math.sqrt(2 / d / 3),
            "uniform",
        ),
        "The bound of a uniform distribution is √3 times its deviation.",
    ),
    (
        Scheme(
            "the bound in place of the deviation",
            lambda d, k: math.sqrt(2 / (d + k) / 3),
            "uniform",
        ),
        "The bound of a uniform distribution is √3 times its deviation.",
    ),
    (
        Scheme(
            "the bound in place of the deviation",
            lambda d, _k: math.sqrt(6 / d),
            "normal",
        ),
        "√(6/d) bounds a uniform distribution. It is no deviation of a normal one.",
    ),
    (
        Scheme(
            "the bound in place of the deviation",
            lambda d, k: math.sqrt(6 / (d + k)),
            "normal",
        ),
        "√(6/(d + k)) bounds a uniform distribution, and is no deviation.",
    ),
    (
        Scheme("one sided", lambda d, _k: math.sqrt(2 / d / 12), "uniform", mean=0.5),
        "No weight is negative: it is drawn from 0, and not around 0.",
    ),
    (
        Scheme("a deviation of 0.1", lambda _d, _k: 0.1, "normal"),
        "The deviation is 0.1 whatever the size.",
    ),
    (
        Scheme("a deviation of 0.02", lambda _d, _k: 0.02, "normal"),
        "The deviation is 0.02 whatever the size.",
    ),
    (
        Scheme("a deviation of 0.001", lambda _d, _k: 0.001, "normal"),
        "The deviation is 0.001 whatever the size.",
    ),
    (
        Scheme(
            "the sum of both is not rooted", lambda d, k: 1 / math.sqrt(d + k), "normal"
        ),
        "The 2 is missing: the variance is 2/(d + k).",
    ),
    (
        Scheme("the ½ is too many", lambda d, k: math.sqrt(1 / (d + k) / 3), "uniform"),
        "The bound is √(6/(d + k)).",
    ),
    (
        Scheme("4 in place of 2", lambda d, _k: math.sqrt(4 / d), "normal"),
        "The variance is 2/d.",
    ),
    (
        Scheme("by the outputs", lambda _d, k: math.sqrt(1 / k), "normal"),
        "It is divided by the number of outputs. A unit sums over its inputs.",
    ),
]


class Moments(NamedTuple):
    """What was measured on what was drawn."""

    mean: float
    std: float
    how: str


def measure(w: Array) -> Moments:
    """Measure mean, deviation and kind of what was drawn."""
    mean, std = float(w.mean()), float(w.std())
    if std < 1e-12:
        return Moments(mean, 0.0, "constant")
    tall = w if w.shape[0] >= w.shape[1] else w.T
    gram = tall.T @ tall
    if np.allclose(gram, np.eye(len(gram)), atol=1e-8):
        return Moments(mean, std, "orthogonal")
    largest = float(abs(w - mean).max()) / std
    if largest < 1.8:
        return Moments(mean, std, "uniform")
    return Moments(mean, std, "normal" if largest > 3.2 else "truncated")


class InitTask(FunctionTask):
    """A scheme of initial weights."""

    kind = "init"
    forms = (
        "def init(fan_in, fan_out): ... return w  # of shape (fan_in, fan_out)",
        "def init(shape): ... return w",
        "def init(sizes): ... return [(W, b), …]",
    )

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            "Draw the weights of a layer with d inputs and k outputs: by He with a "
            "standard deviation of √(2/d), or by another known scheme.\n\n"
            "Parameters\n----------\nscheme : str\n    he, xavier, normal or "
            "orthogonal.\n"
            "Returns\n-------\n",
            {"scheme": "he"},
        )

    def check_options(self, options: dict[str, Any]) -> None:
        """Raise unless there is such a scheme."""
        super().check_options(options)
        known = list(dict.fromkeys(one.of for one in KNOWN))
        if options.get("scheme", "he") not in known:
            raise ValueError(
                f"judge: `scheme` must be one of {', '.join(known)}, got "
                f"{options['scheme']!r}."
            )

    def ways(self, subject: Any) -> Iterator[tuple[str, Callable[[int, int], Any]]]:
        """Go through the ways to let it draw the weights of a layer."""
        methods = ("__call__", "init", "initialize", "init_weights", "sample")
        roles = {"d": D, "k": K}
        for entry in entries_of(subject, methods, (), {}, roles | {"shape": SHAPE}):
            try:
                function, _ = entry.make({})
            except Exception:
                continue
            for b in bind(function, roles):
                yield f"{entry.how} of inputs and outputs", _of_counts(b)
            for b in bind(function, {"shape": SHAPE}):
                yield f"{entry.how} of a shape", _of_shape(b, tuple)
                yield f"{entry.how} of sizes", _of_shape(b, list)

    def examine(
        self, subject: Any, fixed: dict[str, Any], tell: Callable[[str], None]
    ) -> Verdict:
        """Judge a scheme by what it draws."""
        self.check_options(fixed)
        wanted = str(fixed.get("scheme", "he"))
        is_free = "scheme" not in fixed
        failures: list[Failure] = []
        notes: set[str] = set()
        for how, draw in self.ways(subject):
            tell(how)
            drawn = run_quietly(_drawing(draw), notes)
            if isinstance(drawn, Failure):
                failures.append(drawn)
                continue
            return self.say(
                drawn, how, wanted, is_free, sorted(f"it {n}" for n in notes)
            )
        inner = [one for one in failures if not one.is_mismatch]
        if inner:
            return Verdict("wrong", self.name, reason=f"it raises {inner[0]}")
        told = f" ({failures[0]})" if failures else ""
        return Verdict("not judged", self.name, reason=say_forms(told, self.forms))

    def say(
        self,
        drawn: list[tuple[Array, bool, Array | None]],
        how: str,
        wanted: str,
        is_free: bool,
        notes: list[str],
    ) -> Verdict:
        """Say which scheme it is."""
        seen = [measure(w) for w, _, _ in drawn]
        turned = any(turned for _, turned, _ in drawn)
        biases = [b for _, _, b in drawn if b is not None]
        found: list[Finding] = []
        if turned:
            why = (
                "Its weights have the shape (outputs, inputs), ours (inputs, outputs)."
            )
            found.append(
                Finding("weights as (outputs, inputs)", "convention", why, HOME)
            )
        if any(b.any() for b in biases):
            why = "Its biases are drawn, too. Ours are 0."
            found.append(Finding("biases are drawn", "convention", why, HOME))
        if np.array_equal(drawn[0][0].ravel()[:50], drawn[1][0].ravel()[:50]):
            notes.append("it draws the same numbers each time")
        for scheme in KNOWN:
            if not _is(scheme, seen):
                continue
            if scheme.of != wanted and not is_free:
                why = f"What it draws is {scheme.name}. It was asked for {wanted}."
                found.append(
                    Finding(f"another scheme: {scheme.name}", "mistake", why, HOME)
                )
                return Verdict(
                    "wrong", self.name, how, [found], _where(wanted, seen), notes=notes
                )
            if scheme.name != "He, normal" and not (
                scheme.of == wanted
                and scheme.how in ("normal", "orthogonal")
                and "by" not in scheme.name
                and "LeCun" not in scheme.name
            ):
                why = (
                    f"What it draws is {scheme.name}. Ours is normal with a deviation "
                    "of √(2/d), unless asked for another scheme."
                )
                found.append(Finding(scheme.name, "convention", why, HOME))
            return Verdict(
                "convention" if found else "right",
                self.name,
                how,
                [found] if found else [],
                notes=notes,
            )
        for scheme, why in WRONG:
            if _is(scheme, seen):
                found.append(Finding(scheme.name, "mistake", why, HOME))
                return Verdict(
                    "wrong", self.name, how, [found], _where(wanted, seen), notes=notes
                )
        shares = ", ".join(
            f"{one.std:.4g} for {d} × {k}"
            for one, (d, k) in zip(seen, SHAPES, strict=True)
        )
        reason = (
            f"no known scheme draws like that: {seen[0].how}, with a deviation of "
            f"{shares}"
        )
        return Verdict(
            "wrong",
            self.name,
            how,
            [],
            _where(wanted, seen),
            reason=reason,
            notes=notes,
        )


def _of_counts(b: Binding) -> Callable[[int, int], Any]:
    return lambda d, k: b({"d": d, "k": k}, {})


def _of_shape(b: Binding, make: Callable[[Any], Any]) -> Callable[[int, int], Any]:
    return lambda d, k: b({"shape": make((d, k))}, {})


def _drawing(draw: Callable[[int, int], Any]) -> Callable[[], Any]:
    return lambda: [_matrix(draw(d, k), d, k) for d, k in SHAPES]


def _where(wanted: str, seen: list[Moments]) -> Where:
    scheme = next(one for one in KNOWN if one.of == wanted)
    d, k = SHAPES[0]
    return Where(
        f"{d} inputs, {k} outputs",
        1,
        0,
        seen[0].std,
        scheme.std(d, k),
        "the standard deviation",
    )


def _is(scheme: Scheme, seen: list[Moments]) -> bool:
    """Whether all that was drawn has the moments of a scheme."""
    for one, (d, k) in zip(seen, SHAPES, strict=True):
        std = scheme.std(d, k)
        if one.how != scheme.how or abs(one.std - std) > NEAR * std + 1e-12:
            return False
        if scheme.mean and scheme.how == "uniform":  # above 0 alone
            if abs(one.mean - math.sqrt(3) * std) > 0.02 * one.mean:
                return False
        elif abs(one.mean - scheme.mean) > 0.05 * std + 1e-12:
            return False
    return True


def _matrix(raw: Any, d: int, k: int) -> tuple[Array, bool, Array | None]:
    """Return the matrix of a layer, whether it is turned, and its bias."""
    if not isinstance(raw, list | tuple | dict):
        leaves = [as_array(raw)]
    else:
        leaves = [a for _, a in _leaves(raw)]
    for a in leaves:
        if a.shape in ((d, k), (k, d)):
            bias = next((b for b in leaves if b.size == k), None)
            return (a if a.shape == (d, k) else a.T), a.shape != (d, k), bias
    raise ResultError(f"it returns no matrix of shape {(d, k)}")
