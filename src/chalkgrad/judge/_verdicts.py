"""How it is judged: run, compare, explain by simulation, and shrink what shows it."""

import contextlib
import inspect
import io
import math
import random
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple, Protocol

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._formulas import Deviation
from chalkgrad.judge._subjects import RecognitionError, ResultError, Way

__all__ = [
    "DOUBLE",
    "LEAK",
    "SINGLE",
    "SITE",
    "Examination",
    "Failure",
    "Finding",
    "Task",
    "Verdict",
    "Where",
    "examine",
    "random_state",
    "run_once",
    "run_quietly",
    "say_forms",
]

SITE = "https://chalkgrad.github.io/chalkgrad/"
DOUBLE, SINGLE = (1e-9, 1e-14), (1e-4, 4e-6)  # of what changes, and of all
# What a call raises that was not meant as we call it; others come from inside.
MISMATCH = (
    AttributeError, IndexError, KeyError, TypeError, ValueError, RecognitionError,
)  # fmt: skip


class Task(Protocol):
    """What the judge must know of something that it judges."""

    name: str
    kind: str
    signature: inspect.Signature
    doc: str
    forms: tuple[str, str, str]
    """The three shortest ways to write a subject."""

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each option; of a rate that has none, 0.1."""

    def check_options(self, options: dict[str, Any]) -> None:
        """Raise unless there are such options, each in its range."""

    def ways(self, subject: Any) -> Iterator[Way]:
        """Go through the ways in which a subject may be run."""

    def trials(self, fixed: dict[str, Any]) -> list[Any]:
        """Return the trials; options that are fixed keep their values."""

    def reference(self, trial: Any) -> Array:
        """Return the right numbers."""

    def run(self, way: Way, trial: Any, notes: set[str]) -> Array:
        """Return the numbers of a subject."""

    def deviations(self, way: Way) -> list[Deviation]:
        """Return what is known to go wrong."""

    def simulate(self, trial: Any, deviations: Iterable[Deviation]) -> Array:
        """Return the numbers that some deviations make."""

    def size(self, trial: Any, want: Array) -> tuple[Array, Array]:
        """Return how large the numbers are: of what changes, and in all."""

    def is_idle(self, trial: Any, got: Array) -> bool:
        """Whether a subject has done nothing, as one that is called wrongly."""


class Finding(NamedTuple):
    """A deviation that reproduces the subject's numbers."""

    name: str
    kind: str
    why: str
    page: str


LEAK = Finding(
    "instances share their state",
    "mistake",
    "The same input gives other numbers the second time: something of the first walk "
    "is kept in the class, the module or a default argument. Make it anew for each.",
    "training/bugs-that-shipped/#8-what-the-first-call-left-behind",
)


class Where(NamedTuple):
    """Where the subject first differs."""

    aspect: str
    step: int
    weight: int
    theirs: float
    ours: float
    part: str = ""
    """Of a function: which number of which part."""


class Failure(NamedTuple):
    """What a subject raised in place of an answer."""

    kind: str
    message: str
    is_mismatch: bool

    def __str__(self) -> str:
        return ": ".join(word for word in (self.kind, self.message) if word)


@dataclass(frozen=True)
class Verdict:
    """What the judge says.

    Attributes
    ----------
    outcome : str
        ``right``, ``convention`` (right, but of another convention), ``limited``
        (right, but not for all inputs), ``wrong`` or ``not judged``.
    task : str
        As what it was judged.
    how : str
        How it was run.
    findings : list of list of Finding
        What reproduces its numbers, each the deviations that it takes together; of
        several, one is the case.
    where : Where, optional
        Where it first differs.
    example : str
        A line of Python that shows the difference.
    reason : str
        Why it is not judged, or what kind of input it fails on.
    notes : list of str
        What was seen besides.
    aspects : dict
        What came out of each trial: ``right``, ``wrong``, or what it raised.
    """

    outcome: str
    task: str
    how: str = ""
    findings: list[list[Finding]] = field(default_factory=list)
    where: Where | None = None
    example: str = ""
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    aspects: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.outcome in ("right", "convention", "limited")

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        found = [[one._asdict() for one in group] for group in self.findings]
        where = None if self.where is None else self.where._asdict()
        return vars(self) | {"findings": found, "where": where}

    @classmethod
    def read(cls, said: dict[str, Any]) -> "Verdict":
        """Return the verdict that `to_dict` has written."""
        found = [[Finding(**one) for one in group] for group in said["findings"]]
        where = None if said["where"] is None else Where(**said["where"])
        return cls(**said | {"findings": found, "where": where})

    @property
    def names(self) -> set[str]:
        """The names of all deviations that were found."""
        return {one.name for found in self.findings for one in found}

    def __repr__(self) -> str:
        return f"<{self.title}>"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    @property
    def title(self) -> str:
        """The verdict in a line."""
        of = ", or ".join(
            " and ".join(one.name for one in found) for found in self.findings
        )
        match self.outcome:
            case "right":
                return f"{self.task}: right"
            case "convention":
                return f"{self.task}: right, but of another convention: {of}"
            case "limited":
                return f"{self.task}: right, within limits: {of}"
            case "wrong":
                return f"{self.task}: wrong" + (f": {of}" if of else "")
        return f"{self.task}: not judged"

    def lines(self) -> Iterator[str]:
        """Go through all that there is to say, a line each."""
        yield self.title
        if self.reason:
            yield self.reason
        for found in self.findings:
            for one in found:
                yield one.why
                if one.page:
                    yield SITE + one.page
        if self.where:
            aspect, step, weight, theirs, ours, part = self.where
            place = part or f"step {step}, weight {weight}"
            yield (
                f"first differs in {place} ({aspect}): it has {theirs:.10g}, right is "
                f"{ours:.10g}"
            )
        if self.example:
            yield self.example
        if self.how:
            yield f"run as {self.how}"
        yield from self.notes


def examine(
    task: Task,
    subject: Any,
    fixed: dict[str, Any] | None = None,
    *,
    name: str = "",
    choose: Callable[[str], bool] = lambda _: True,
    tell: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Judge a subject.

    Parameters
    ----------
    task : Task
        As what.
    subject : object
        What a stranger gave.
    fixed : dict
        Options that keep their values.
    name : str
        What the subject is called in the line that shows a difference.
    choose : function
        Whether a trial of this aspect is to be run.
    tell : function
        Is told of each trial before it runs.
    """
    fixed = dict(fixed or {})
    task.check_options(fixed)
    return Examination(task, subject, fixed, name, choose, tell).verdict()


def run_quietly(run: Callable[[], Any], notes: set[str]) -> Any:
    """Return what comes of a run, or how it failed; note whether it prints."""
    said = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            got = run()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        words = " ".join(str(error).split())[:200]
        ours = isinstance(error, RecognitionError | ResultError)
        kind = "" if ours else type(error).__name__
        # What does not fit together is a bare RuntimeError to PyTorch.
        of_torch = type(error) is RuntimeError and "torch" in sys.modules
        is_mismatch = ours or of_torch or isinstance(error, MISMATCH)
        return Failure(kind, words, is_mismatch)
    if said.getvalue():
        notes.add("prints")
    return got


def say_forms(told: str, forms: Iterable[str]) -> str:
    """Say that nobody knows how to call a subject, and how it could be called."""
    listed = textwrap.indent("\n".join(forms), "  ")
    return f"nobody knows how to call it{told}; write it as one of\n{listed}"


class Examination:
    def __init__(
        self,
        task: Task,
        subject: Any,
        fixed: dict[str, Any],
        name: str,
        choose: Callable[[str], bool],
        tell: Callable[[str], None],
    ) -> None:
        self.task, self.subject, self.fixed, self.name = task, subject, fixed, name
        self.choose, self.tell = choose, tell
        self.notes: set[str] = set()
        self.shown: tuple[list[Any], list[Any], list[Array]] | None = None

    # --- Running ----------------------------------------------------------------------

    def attempt(self, way: Way, trial: Any, *, is_noted: bool = True) -> Any:
        """Return the numbers of a subject, or how it failed."""
        notes: set[str] = self.notes if is_noted else set()
        return run_quietly(lambda: self.task.run(way, trial, notes), notes)

    def want(self, trial: Any) -> Array:
        with np.errstate(all="ignore"):
            return self.task.reference(trial)

    def tolerance(self, trial: Any, want: Array, level: tuple[float, float]) -> Array:
        change, size = self.task.size(trial, want)
        return level[0] * change + level[1] * size

    def agree(
        self, trial: Any, got: Any, want: Array, level: tuple[float, float]
    ) -> bool:
        """Whether two answers are the same numbers."""
        if isinstance(got, Failure) or got.shape != want.shape:
            return False
        off = abs(got - want)
        same = (off <= self.tolerance(trial, want, level)) | (
            np.isnan(got) & np.isnan(want)
        )
        return bool((same | (got == want)).all())

    # --- The verdict ------------------------------------------------------------------

    @np.errstate(all="ignore")  # what is nan is told
    def verdict(self) -> Verdict:
        self.tell("how it is called")
        way, failures = self.find_way()
        if way is None:
            return self.refuse(failures)
        missing = self.absent_options(way)
        trials = [
            trial
            for trial in self.task.trials(missing | self.fixed)
            if self.choose(trial.aspect)
        ]
        wants = [self.want(trial) for trial in trials]
        gots = []
        for trial, want in zip(trials, wants, strict=True):
            self.tell(trial.aspect)
            gots.append(self.attempt(way, trial))
            if getattr(gots[-1], "shape", want.shape) != want.shape:
                words = f"it gives {gots[-1].shape[-1]} numbers back, not "
                gots[-1] = Failure("", words + str(want.shape[-1]), True)
        self.shown = trials, gots, wants
        leak = self.find_leak(way, trials[0])
        if leak:
            tried = _Tried(self, trials, gots, wants, DOUBLE)
            return Verdict(
                "wrong",
                self.task.name,
                way.how,
                [[leak]],
                notes=self.describe(way, missing, tried),
                aspects=tried.aspects,
            )
        for level in (DOUBLE, SINGLE):
            tried = _Tried(self, trials, gots, wants, level)
            if tried.all_right:
                return self.accept(way, tried, missing)
            if found := self.explain(way, tried):
                return self.report(way, tried, found, missing)
        return self.report(way, _Tried(self, trials, gots, wants, DOUBLE), [], missing)

    def absent_options(self, way: Way) -> dict[str, Any]:
        """Return the options that a subject does not take, with our defaults."""
        return {
            name: value
            for name, value in self.task.defaults.items()
            if name not in way.accepted
        }

    def find_way(self) -> tuple[Way | None, list[Failure]]:
        """Return the way that gives the right numbers, or the first that runs."""
        running: list[tuple[bool, bool, int, Way]] = []
        failures: list[Failure] = []
        try:
            ways = list(self.task.ways(self.subject))
        except RecognitionError as error:
            return None, [Failure("", str(error), True)]
        for way in ways:
            missing = {
                k: v for k, v in self.task.defaults.items() if k not in way.accepted
            }
            trial = self.task.trials(missing | self.fixed)[0].cut(3)
            got = self.attempt(way, trial, is_noted=False)
            want = self.want(trial)
            if isinstance(got, Failure):
                failures.append(got)
            elif got.shape == want.shape:
                if self.agree(trial, got, want, SINGLE):
                    return way, []
                is_idle = self.task.is_idle(trial, got)
                running.append((is_idle, way.is_other_convention, len(running), way))
            else:
                failures.append(
                    Failure(
                        "",
                        f"it gives {got.shape[-1]} numbers back, not {want.shape[-1]}",
                        True,
                    )
                )
        return (min(running)[-1] if running else None), failures

    def refuse(self, failures: list[Failure]) -> Verdict:
        """Say that it can't be judged, or what it raises."""
        inner = [one for one in failures if not one.is_mismatch]
        if inner:
            return Verdict("wrong", self.task.name, reason=f"it raises {inner[0]}")
        told = f" ({failures[0]})" if failures else ""
        return Verdict(
            "not judged", self.task.name, reason=say_forms(told, self.task.forms)
        )

    def find_leak(self, way: Way, trial: Any) -> Finding | None:
        """Return that it keeps something between two runs, if it does.

        What has no random numbers and gives other numbers for the same input has kept
        something of the first.
        """
        before = random_state()
        one, other = (self.attempt(way, trial) for _ in range(2))
        after = random_state()
        if before != after:
            self.notes.add("draws random numbers")
        if isinstance(one, Failure) or np.array_equal(one, other, equal_nan=True):
            return None
        if before != after:
            return None
        return LEAK

    def describe(self, way: Way, missing: dict[str, Any], tried: "_Tried") -> list[str]:
        notes = [f"it {note}" for note in sorted(self.notes)]
        if way.note:
            notes.append(way.note)
        if said := ", ".join(f"`{k}` ({v:g})" for k, v in missing.items() if v):
            notes.append(f"it has no option {said}")
        ours = self.task.defaults
        others = [
            f"`{key}` {value:g}, ours {ours[key]:g}"
            for key, value in way.defaults.items()
            if isinstance(value, int | float)
            and isinstance(ours.get(key), int | float)
            and value != ours[key]
            and self.task.signature.parameters[key].default is not None
        ]
        if others:
            notes.append(f"its defaults are others: {'; '.join(others)}")
        notes += [
            f"with {trial.aspect} it raises {got}"
            for trial, got, excused in zip(
                tried.trials, tried.gots, tried.excused, strict=True
            )
            if excused
        ]
        if tried.level == SINGLE:
            notes.append("it computes in single precision, so only some 5 digits agree")
        return notes

    def accept(self, way: Way, tried: "_Tried", missing: dict[str, Any]) -> Verdict:
        findings, outcome = [], "right"
        if way.is_other_convention:
            outcome = "convention"
            why = "Its caller counts from 0: " + way.note + ". Ours is 1 there."
            findings = [[Finding("steps are counted from 0", "convention", why, "")]]
        return Verdict(
            outcome,
            self.task.name,
            way.how,
            findings,
            notes=self.describe(way, missing, tried),
            aspects=tried.aspects,
        )

    # --- Why --------------------------------------------------------------------------

    def explain(self, way: Way, tried: "_Tried") -> list[list[Deviation]]:
        """Return the simplest deviations that give the subject's numbers."""
        known = self.task.deviations(way)
        number = tried.first_difference()
        if number is None:
            return []
        # Most are ruled out by the first difference alone.
        first, probes = [tried.probe(*tried.short(number))], tried.probes()

        def fits(deviations: Sequence[Deviation]) -> bool:
            return tried.fits(deviations, first) and tried.fits(deviations, probes)

        if found := [[one] for one in known if fits([one])]:
            return _distinct(found)
        # Of two that change the same line, there is no telling which comes after.
        social = [(one, one.changes) for one in known if not one.is_alone]
        pairs = (
            [one, other]
            for (one, changes), (other, others) in combinations(social, 2)
            if changes.isdisjoint(others)
        )
        return _distinct([pair for pair in pairs if fits(pair)])

    def report(
        self,
        way: Way,
        tried: "_Tried",
        found: list[list[Deviation]],
        missing: dict[str, Any],
    ) -> Verdict:
        reason = ""
        named = found if len(found) <= 2 else []
        findings = [
            [Finding(one.name, one.kind, one.why, one.page) for one in group]
            for group in named
        ]
        if way.is_other_convention:
            why = "Its caller counts from 0: " + way.note + ". Ours is 1 there."
            zero = Finding("steps are counted from 0", "convention", why, "")
            findings = [[zero, *group] for group in findings]
        only_conventions = bool(found) and all(
            one.kind == "convention" for group in found for one in group
        )
        if not findings:
            reason = tried.describe()
        where = tried.where()
        example = "" if where is None else _Shrinker(self, way, tried).example()
        return Verdict(
            "convention" if only_conventions else "wrong",
            self.task.name,
            way.how,
            findings,
            where,
            example,
            reason,
            self.describe(way, missing, tried),
            tried.aspects,
        )


def random_state() -> Any:
    """Return where the random numbers of Python and of NumPy stand."""
    return random.getstate(), repr(np.random.get_state())  # noqa: NPY002


def _distinct(found: list[list[Deviation]]) -> list[list[Deviation]]:
    """Leave out what has the same name as another, or speaks of a number by chance.

    That no momentum is used is also that it is 0, whatever is asked. And that no weight
    moves, whoever writes it, says more than why it might be so.
    """
    blunt = [group for group in found if any(one.is_alone for one in group)]
    plain = [group for group in found if not any(one.options for one in group)]
    found = blunt or plain or found
    kept: dict[tuple[str, ...], list[Deviation]] = {}
    for group in found:
        kept.setdefault(tuple(one.name for one in group), group)
    return list(kept.values())


class Probe(NamedTuple):
    """A trial, the subject's numbers, and how far others may be from them."""

    trial: Any
    got: Array
    tolerance: Array


class _Tried:
    """What came out of all trials, at a level of agreement."""

    def __init__(
        self,
        examination: Examination,
        trials: list[Any],
        gots: list[Any],
        wants: list[Array],
        level: tuple[float, float],
    ) -> None:
        self.of, self.level = examination, level
        self.trials, self.gots, self.wants = trials, gots, wants
        self.agree = [
            examination.agree(trial, got, want, level)
            for trial, got, want in zip(trials, gots, wants, strict=True)
        ]
        # Shapes that it is not made for are told, and not held against it. Who takes a
        # matrix and fails with arrays of other shapes has mixed up their states.
        failed = {
            trial.aspect
            for trial, got in zip(trials, gots, strict=True)
            if isinstance(got, Failure) and got.is_mismatch
        }
        shapes = {"a matrix", "arrays of other shapes"}
        unmade = failed & shapes if "a matrix" in failed else set()
        self.excused = [trial.aspect in unmade for trial in trials]

    @property
    def all_right(self) -> bool:
        return all(
            right or excused
            for right, excused in zip(self.agree, self.excused, strict=True)
        )

    @property
    def aspects(self) -> dict[str, str]:
        return {
            trial.aspect: "right"
            if right
            else str(got)
            if isinstance(got, Failure)
            else "wrong"
            for trial, right, got in zip(
                self.trials, self.agree, self.gots, strict=True
            )
        }

    def first_difference(self) -> int | None:
        """Return the number of the first trial with other numbers."""
        for i, (got, right) in enumerate(zip(self.gots, self.agree, strict=True)):
            if not right and not isinstance(got, Failure):
                return i
        return None

    def off(self, i: int) -> Array:
        """Return where a trial has other numbers."""
        got, want = self.gots[i], self.wants[i]
        tolerance = self.of.tolerance(self.trials[i], want, self.level)
        out: Array = ~(abs(got - want) <= tolerance)
        return out

    def short(self, i: int) -> tuple[Any, Array]:
        """Return a trial up to the first difference, and the numbers so far."""
        steps = int(np.flatnonzero(self.off(i).any(axis=(1, 2)))[0]) + 1
        return self.trials[i].cut(steps), self.gots[i][:steps]

    def probes(self) -> list[Probe]:
        """Return all trials that ran, as `Probe`s."""
        return [
            self.probe(trial, got)
            for trial, got in zip(self.trials, self.gots, strict=True)
            if not isinstance(got, Failure)
        ]

    def probe(self, trial: Any, got: Array) -> Probe:
        """Return what a deviation must give in a trial, and how exactly."""
        seen = np.where(np.isfinite(got), got, 0)
        return Probe(trial, got, self.of.tolerance(trial, seen, self.level))

    def fits(self, deviations: Sequence[Deviation], probes: Iterable[Probe]) -> bool:
        """Whether deviations give the subject's numbers."""
        simulate = self.of.task.simulate
        with np.errstate(all="ignore"):
            for trial, got, tolerance in probes:
                try:
                    made = simulate(trial, deviations)
                except (ArithmeticError, ValueError):
                    return False
                same = (abs(made - got) <= tolerance) | (made == got)
                if not (same | (np.isnan(made) & np.isnan(got))).all():
                    return False
        return True

    def where(self) -> Where | None:
        """Return where it first differs."""
        i = self.first_difference()
        if i is None:
            return None
        step, instance, weight = np.argwhere(self.off(i))[0]
        theirs, ours = (
            float(a[step, instance, weight]) for a in (self.gots[i], self.wants[i])
        )
        return Where(self.trials[i].aspect, int(step) + 1, int(weight), theirs, ours)

    def describe(self) -> str:
        """Say what kind of input it fails on, of which no entry tells why."""
        failed = [a for a, came in self.aspects.items() if came == "wrong"]
        raised = {a: c for a, c in self.aspects.items() if c not in ("right", "wrong")}
        words = []
        if failed and len(failed) + len(raised) < len(self.trials):
            words.append(f"it is right but for: {', '.join(failed)}")
        elif failed:
            words.append("no known mistake gives its numbers")
            i = self.first_difference()
            if i is not None:
                first = int(np.argwhere(self.off(i))[0][0]) + 1
                words.append(
                    "the first step is wrong already"
                    if first == 1
                    else f"the steps before {first} are right"
                )
            if factor := self._factor():
                words.append(f"its steps are {factor:g} times ours")
        words += [f"with {a} it raises {c}" for a, c in raised.items()]
        return "; ".join(words)

    def _factor(self) -> float:
        """Return by what factor all its steps are longer than ours, if by one."""
        found = []
        for trial, got, want in zip(self.trials, self.gots, self.wants, strict=True):
            if isinstance(got, Failure):
                continue
            change = self.of.task.size(trial, want)[0]
            first_got, first_want = np.diff(got, axis=0), np.diff(want, axis=0)
            telling = abs(first_want) > 1e-3 * change
            found += list((first_got[telling] / first_want[telling]).ravel())
        if not found or not math.isfinite(found[0]):
            return 0.0
        same = np.allclose(found, found[0], rtol=1e-6, atol=0)
        return float(found[0]) if same else 0.0


class _Shrinker:
    """Finds the smallest input that shows a difference."""

    def __init__(self, examination: Examination, way: Way, tried: _Tried) -> None:
        self.of, self.way, self.tried = examination, way, tried
        self.least = 0.0

    def visible(self, trial: Any, got: Any) -> float:
        """Return by what share of what changes a subject is off; inf if it is nan."""
        want = self.of.want(trial)
        change, size = self.of.task.size(trial, want)
        off = abs(got - want) / (change + 1e-9 * size + 1e-300)
        return math.inf if np.isnan(off).any() else float(off.max())

    def differs(self, trial: Any) -> bool:
        got = self.of.attempt(self.way, trial, is_noted=False)
        if isinstance(got, Failure):
            return False
        try:
            return self.visible(trial, got) >= self.least
        except ValueError:  # options that do not go together
            return False

    def example(self) -> str:
        seen = {
            i: self.visible(trial, got)
            for i, (trial, got) in enumerate(
                zip(self.tried.trials, self.tried.gots, strict=True)
            )
            if not isinstance(got, Failure) and not self.tried.agree[i]
        }
        # One that shows it well, among these the first.
        self.least = min(0.01, max(seen.values()) / 2)
        number = next(i for i, off in seen.items() if off >= self.least)
        trial = self.tried.trials[number]
        smaller = True
        while smaller:
            smaller = False
            for candidate in _simpler(trial, self.of.task.defaults, self.way.accepted):
                if self.differs(candidate):
                    trial, smaller = candidate, True
                    break
        others = {
            name: value
            for name, value in trial.options.items()
            if value != self.of.task.defaults[name]
        }
        trial = trial._replace(options=others)
        return write_call(self.of.name or "subject", self.of.task.name, trial)


def _simpler(
    trial: Any, defaults: dict[str, Any], accepted: Iterable[str]
) -> Iterator[Any]:
    """Go through trials that are simpler in one thing."""
    if (count := len(trial.grads)) > 1:
        for steps in (1, 2, count // 2, count - 1):
            if 0 < steps < count:
                yield trial.cut(steps)
        yield trial._replace(grads=trial.grads[-1:])
        yield trial._replace(grads=trial.grads[1:])
    if len(trial.starts) > 1:
        yield trial._replace(
            starts=trial.starts[:1], grads=[g[:1] for g in trial.grads]
        )
    if len(trial.starts) == 1 and len(trial.starts[0]) > 1:
        for k in range(len(trial.starts[0])):
            yield trial._replace(
                starts=[[trial.starts[0][k]]],
                grads=[[[g[0][k]]] for g in trial.grads],
            )
    sizes = {a.size for arrays in trial.starts for a in arrays}
    shapes = {a.shape for arrays in trial.starts for a in arrays}
    if shapes != {(1,)} and len(trial.starts) == 1 and len(trial.starts[0]) == 1:
        for k in range(max(sizes)):
            yield trial._replace(
                starts=[[trial.starts[0][0].ravel()[k : k + 1]]],
                grads=[[[g[0][0].ravel()[k : k + 1]]] for g in trial.grads],
            )
    for name in accepted:
        for value in (defaults.get(name), 0.1 if name == "lr" else None):
            if (
                value is not None
                and trial.options.get(name) != value
                and not (name == "lr" and trial.options.get(name) == 0.1)
            ):
                yield trial._replace(options=trial.options | {name: value})
    ones = [[np.ones_like(a) for a in arrays] for arrays in trial.starts]
    if any((a != 1).any() for arrays in trial.starts for a in arrays):
        yield trial._replace(starts=ones)
    for digits in (0, 1, 2):
        rounded = [
            [[np.round(a, digits) for a in g] for g in row] for row in trial.grads
        ]
        if _numbers(rounded) != _numbers(trial.grads) and _is_rounder(
            trial.grads, digits
        ):
            yield trial._replace(grads=rounded)


def _numbers(grads: Any) -> list[float]:
    return [float(x) for row in grads for g in row for a in g for x in a.ravel()]


def _is_rounder(grads: Any, digits: int) -> bool:
    return any(round(x, digits) != x for x in _numbers(grads))


def write_call(subject: str, task: str, trial: Any) -> str:
    """Write a trial as a call that runs it again."""

    def write_numbers(arrays: Any) -> str:
        """Write one array as its numbers, and several as arrays."""
        made = [str((a + 0.0).tolist()) for a in arrays]
        several = ", ".join(f"cg.array({text})" for text in made)
        return made[0] if len(made) == 1 else f"[{several}]"

    def write_list(texts: Iterable[str]) -> str:
        return f"[{', '.join(texts)}]"

    if len(trial.starts) == 1:
        w = write_numbers(trial.starts[0])
        grads = write_list(write_numbers(row[0]) for row in trial.grads)
        words = f"w={w}, grads={grads}"
    else:
        w = write_list(write_numbers(arrays) for arrays in trial.starts)
        grads = write_list(write_list(map(write_numbers, row)) for row in trial.grads)
        words = f"w={w}, grads={grads}, instances={len(trial.starts)}"
    options = "".join(f", {name}={value!r}" for name, value in trial.options.items())
    return f"cg.judge.compare({subject}, {task!r}, {words}{options})"


def run_once(task: Task, subject: Any, trial: Any) -> Any:
    """Return the numbers of a subject in one trial, or how it failed."""
    examination = Examination(task, subject, {}, "", lambda _: True, lambda _: None)
    way, failures = examination.find_way()
    if way is None:
        return (
            failures[0]
            if failures
            else Failure("", "nobody knows how to call it", True)
        )
    return examination.attempt(way, trial)
