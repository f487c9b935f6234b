"""How a function is judged: every way to call it, and what explains its numbers."""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._calls import Case, Form, FunctionTask, Parts, carriers_of
from chalkgrad.judge._formulas import Deviation, Formula, run_lines
from chalkgrad.judge._mistakes import fix_option
from chalkgrad.judge._subjects import RecognitionError
from chalkgrad.judge._verdicts import (
    DOUBLE,
    LEAK,
    SINGLE,
    Failure,
    Finding,
    Verdict,
    Where,
    random_state,
    run_quietly,
    say_forms,
)

__all__ = ["Candidate", "compute", "examine_calls", "settle"]

Level = tuple[float, float]
MOST = 30  # forms of a subject that are tried, with each kind of array


def compute(
    formula: Formula, case: Case, deviations: Iterable[Deviation] = ()
) -> SimpleNamespace:
    """Return all quantities of a formula, with some deviations."""
    deviations = list(deviations)
    options = dict(case.options)
    for one in deviations:
        options |= {name: own(case.options) for name, own in one.options.items()}
    x = SimpleNamespace(**copy.copy(case.inputs), **options)
    with np.errstate(all="ignore"):
        run_lines(formula.deviate(deviations), x)
    return x


class Candidate(NamedTuple):
    """A way to call and to read, and what came of all cases."""

    form: Form
    label: str
    cases: list[Case]
    gots: list[Parts | Failure]
    wants: list[Parts]

    @property
    def conventions(self) -> tuple[Deviation, ...]:
        """What the way itself is, if it is not ours."""
        return self.form.conventions + self.form.labels.get(self.label, ())

    @property
    def how(self) -> str:
        """How it is run."""
        return f"{self.form.how}, which returns {self.label}"


def _tolerance(want: Array, level: Level) -> float:
    finite = abs(want[np.isfinite(want)])
    size = float(finite.max()) if finite.size else 0.0
    return level[0] * size + level[1]


def _same(got: Array, want: Array, level: Level) -> Any:
    if got.shape != want.shape:
        return np.array(False)
    near = abs(got - want) <= _tolerance(want, level)
    return near | (got == want) | (np.isnan(got) & np.isnan(want))


def agree(got: Parts, want: Mapping[str, Array], level: Level) -> bool:
    """Whether all parts are the same numbers."""
    return all(bool(_same(a, want[name], level).all()) for name, a in got.items())


def _parts(x: SimpleNamespace, names: Iterable[str]) -> Parts:
    return {name: np.asarray(getattr(x, name), float) for name in names}


class Reading(NamedTuple):
    """Deviations that explain a candidate's numbers."""

    deviations: list[Deviation]
    candidate: Candidate
    level: Level

    @property
    def findings(self) -> list[Finding]:
        """What is told of it."""
        found = [*self.candidate.conventions, *self.deviations]
        return [Finding(one.name, one.kind, one.why, one.page) for one in found]

    @property
    def is_right(self) -> bool:
        """Whether there is no mistake in it."""
        return all(one.kind != "mistake" for one in self.findings)


class Calls:
    """The examination of a function."""

    def __init__(
        self,
        task: FunctionTask,
        subject: Any,
        fixed: dict[str, Any],
        name: str,
        choose: Callable[[str], bool],
        tell: Callable[[str], None],
    ) -> None:
        self.task, self.subject, self.fixed, self.name = task, subject, fixed, name
        self.choose, self.tell = choose, tell
        self.notes: set[str] = set()
        self.failures: list[Failure] = []
        self.shown: Candidate | None = None

    # --- Running ----------------------------------------------------------------------

    def attempt(self, form: Form, case: Case, notes: set[str]) -> Any:
        """Return what may have been returned, by label, or how it failed."""
        own = case._replace(inputs=copy.deepcopy(case.inputs))

        def call() -> Any:
            return form.read(form.call(own, notes), case)

        got = run_quietly(call, notes)
        if isinstance(got, dict) and not got:
            return Failure(
                "", "what it returns is neither expected nor its shape", True
            )
        return got

    def absent_options(self, form: Form) -> dict[str, Any]:
        """Return the options that a form does not take, with our defaults."""
        return {
            name: value
            for name, value in self.task.defaults.items()
            if name not in form.accepted
        }

    def run(self, form: Form) -> list[Candidate]:
        """Return what came of all cases, for each way to read what is returned."""
        cases = self.task.cases(self.absent_options(form) | self.fixed)
        cases = [
            case
            for case in cases
            if self.choose(case.aspect) and not case.is_extreme and form.takes(case)
        ]
        self.tell(cases[0].aspect)
        first = self.attempt(form, cases[0], set())
        if isinstance(first, Failure):
            self.failures.append(first)
            return []
        came = [first]
        for case in cases[1:]:
            self.tell(case.aspect)
            came.append(self.attempt(form, case, set()))
        out = []
        for label in first:
            gots = [
                one
                if isinstance(one, Failure)
                else one.get(label, Failure("", "it returns another shape", True))
                for one in came
            ]
            wants = []
            for case, got in zip(cases, gots, strict=True):
                names = first[label] if isinstance(got, Failure) else got
                wants.append(_parts(compute(form.formula, case), names))
            out.append(Candidate(form, label, cases, gots, wants))
        return out

    def candidates(self) -> Iterator[Candidate]:
        """Go through all ways in which it can be called and read."""
        seen = 0
        runs = False
        most = MOST * len(carriers_of(self.subject))
        for form in self.task.ways_to_call(self.subject):
            if form.is_last and runs:
                return
            for candidate in self.run(form):
                seen += 1
                runs |= not (form.is_last or self.is_held_against(candidate))
                yield candidate
            if seen >= most or len(self.failures) >= 10 * most:
                return

    # --- What explains the numbers ----------------------------------------------------

    def is_held(self, case: Case, got: Any) -> bool:
        """Whether what came of a case counts."""
        return not (case.is_excused and isinstance(got, Failure))

    def is_held_against(self, candidate: Candidate) -> bool:
        """Whether it fails in a case that it must be made for."""
        return any(
            isinstance(got, Failure) and self.is_held(case, got)
            for case, got in zip(candidate.cases, candidate.gots, strict=True)
        )

    def is_right(self, candidate: Candidate, level: Level) -> bool:
        """Whether all numbers that count are right."""
        return all(
            not isinstance(got, Failure) and agree(got, want, level)
            for case, got, want in zip(
                candidate.cases, candidate.gots, candidate.wants, strict=True
            )
            if self.is_held(case, got)
        )

    def explanations(self, candidate: Candidate) -> list[Deviation]:
        """Return what may explain it: the catalogue, and options in the code."""
        form, fixed = candidate.form, []
        for name, default in self.task.defaults.items():
            if default is None:
                continue
            usual = [form.defaults.get(name), default, *self.task.usual.get(name, ())]
            fixed += [
                fix_option(name, value, is_taken=name in form.accepted).on_its_own()
                for value in dict.fromkeys(usual)
                if isinstance(value, int | float)
                and (name in form.accepted or value != default)
            ]
        return [*form.formula.deviations, *fixed]

    def fits(
        self, candidate: Candidate, deviations: Sequence[Deviation], level: Level
    ) -> bool:
        """Whether deviations give the candidate's numbers in all cases."""
        seen = False
        for case, got in zip(candidate.cases, candidate.gots, strict=True):
            names = list(candidate.wants[0]) if isinstance(got, Failure) else list(got)
            try:
                x = compute(candidate.form.formula, case, deviations)
                made = _parts(x, names)
            except (ArithmeticError, ValueError, IndexError, TypeError):
                if isinstance(got, Failure):  # it fails where the mistake must
                    continue
                return False
            if isinstance(got, Failure):
                if self.is_held(case, got):
                    return False
                continue
            if not agree(got, made, level):
                return False
            seen = True
        return seen

    def explain(self, candidates: list[Candidate], level: Level) -> list[Reading]:
        """Return the simplest deviations that give a candidate's numbers."""
        found: list[Reading] = []
        for candidate in candidates:
            found += [
                Reading([one], candidate, level)
                for one in self.explanations(candidate)
                if one.kind != "limit" and self.fits(candidate, [one], level)
            ]
        if found:
            return _simplest(found)
        # What agrees in most parts is what was meant.
        for candidate in sorted(candidates, key=self.count_right, reverse=True)[:6]:
            social = [
                one
                for one in self.explanations(candidate)
                if not one.is_alone and one.kind != "limit"
            ]
            found += [
                Reading([one, other], candidate, level)
                for one, other in combinations(social, 2)
                if one.changes.isdisjoint(other.changes)
                and self.fits(candidate, [one, other], level)
            ]
            if found:
                break
        return _simplest(found)

    # --- The verdict ------------------------------------------------------------------

    def settle(self) -> tuple[list[Reading], list[Candidate]]:
        """Return what explains the subject, and all ways that run."""
        self.tell("how it is called")
        seen: list[Candidate] = []
        right: list[Reading] = []
        try:
            for candidate in self.candidates():
                seen.append(candidate)
                if self.is_right(candidate, DOUBLE):
                    right.append(Reading([], candidate, DOUBLE))
                    if not candidate.conventions and not _excuses(candidate):
                        return right[-1:], seen
        except RecognitionError as error:
            self.failures.append(Failure("", str(error), True))
        right = [r for r in right if not any(_shows_more(c, r.candidate) for c in seen)]
        if right:
            return [min(right, key=lambda r: len(r.candidate.conventions))], seen
        # What is nan or infinite for plain input was called as it was not meant to be.
        whole = [c for c in seen if not self.is_held_against(c)] or seen
        telling = _distinct([c for c in whole if _is_finite(c)] or whole)
        if found := self.explain(telling, DOUBLE):
            return found, seen
        level = self.task.coarse
        for candidate in telling:
            if self.is_right(candidate, level):
                return [Reading([], candidate, level)], seen
        return self.explain(telling, level), seen

    @np.errstate(all="ignore")
    def verdict(self) -> Verdict:
        found, seen = self.settle()
        if not seen:
            return self.refuse()
        reading = found[0] if found else None
        candidate = reading.candidate if reading else self.likeliest(seen)
        level = reading.level if reading else DOUBLE
        self.shown = candidate
        self.watch(candidate)
        aspects = self.aspects(candidate, level)
        findings = [one.findings for one in found] if len(found) <= 2 else []
        if leak := self.find_leak(candidate):
            return self.say("wrong", candidate, [[leak]], aspects)
        if reading is None or not all(one.is_right for one in found):
            told = {
                "where": self.where(candidate, level),
                "example": self.example(candidate),
                "reason": "" if findings else self.describe(candidate, aspects),
            }
            return self.say("wrong", candidate, findings, aspects, **told)
        limits = self.limits(reading)
        groups = [[*group, *limits] for group in findings or [[]]]
        outcome = "right"
        if any(groups):
            outcome = "limited" if limits else "convention"
        told = {}
        if reading.deviations:
            told = {
                "where": self.where(candidate, level),
                "example": self.example(candidate),
            }
        groups = groups if any(groups) else []
        return self.say(outcome, candidate, groups, aspects, **told)

    def say(
        self,
        outcome: str,
        candidate: Candidate,
        findings: list[list[Finding]],
        aspects: dict[str, str],
        **told: Any,
    ) -> Verdict:
        return Verdict(
            outcome,
            self.task.name,
            candidate.how,
            findings,
            notes=self.write_notes(candidate),
            aspects=aspects,
            **told,
        )

    def likeliest(self, seen: list[Candidate]) -> Candidate:
        """Return the way that is right most often, of several the first."""
        telling = [c for c in seen if _is_finite(c)] or seen
        return max(telling, key=self.count_right)

    def count_right(self, candidate: Candidate) -> int:
        """Return how many parts of all cases are right, by any convention."""
        known = [d for d in candidate.form.formula.deviations if d.kind == "convention"]
        most = 0
        for deviations in [[], *([one] for one in known)]:
            count = 0
            for case, got in zip(candidate.cases, candidate.gots, strict=True):
                if isinstance(got, Failure):
                    continue
                try:
                    want = _parts(
                        compute(candidate.form.formula, case, deviations), got
                    )
                except (ArithmeticError, ValueError, IndexError):
                    continue
                count += sum(agree({name: a}, want, DOUBLE) for name, a in got.items())
            most = max(most, count)
        return most

    def refuse(self) -> Verdict:
        """Say that it can't be judged, or what it raises."""
        inner = [one for one in self.failures if not one.is_mismatch]
        if inner:
            return Verdict("wrong", self.task.name, reason=f"it raises {inner[0]}")
        told = f" ({self.failures[0]})" if self.failures else ""
        return Verdict(
            "not judged", self.task.name, reason=say_forms(told, self.task.forms)
        )

    def watch(self, candidate: Candidate) -> None:
        """Note what is seen besides the numbers."""
        for case in candidate.cases[:3]:
            self.attempt(candidate.form, case, self.notes)

    def find_leak(self, candidate: Candidate) -> Finding | None:
        """Return that it keeps something between two calls, if it does."""
        cases = candidate.cases
        before = random_state()
        came = [
            self.attempt(candidate.form, case, set())
            for case in (cases[0], cases[-1], cases[0])
        ]
        if random_state() != before:
            self.notes.add("draws random numbers")
            return None
        one, other = (
            got.get(candidate.label) if isinstance(got, dict) else got
            for got in (came[0], came[2])
        )
        first = candidate.gots[0]
        for a in (one, other):
            if isinstance(a, Failure) or a is None or isinstance(first, Failure):
                return None
            if not agree(a, first, (0.0, 0.0)):
                return LEAK
        return None

    def limits(self, reading: "Reading") -> list[Finding]:
        """Return where a right one ends: overflow, integers, precision, its input."""
        candidate, level = reading.candidate, reading.level
        form, found = candidate.form, []
        parts = list(candidate.wants[0])
        known = [one for one in form.formula.deviations if one.kind == "limit"]
        broken: list[tuple[Case, Parts, Parts]] = []
        for case in self.task.cases(self.absent_options(form) | self.fixed):
            if not case.is_extreme or not self.choose(case.aspect):
                continue
            self.tell(case.aspect)
            got = self.attempt(form, case, set())
            if isinstance(got, Failure):
                if not case.is_excused:
                    words = f"With {case.aspect} it raises {got}."
                    found.append(
                        Finding(f"fails for {case.aspect}", "limit", words, "")
                    )
                continue
            came = got.get(candidate.label)
            if came is None:
                continue
            want = _parts(compute(form.formula, case, reading.deviations), parts)
            known = [
                one
                for one in known
                if agree(
                    came, _parts(compute(form.formula, case, [one]), parts), SINGLE
                )
            ]
            if not all(_is_bearable(came[name], want[name]) for name in parts):
                broken.append((case, came, want))
        if broken and known:
            found.append(Finding(known[0].name, "limit", known[0].why, known[0].page))
        elif broken:
            case, came, want = broken[0]
            words = f"With {case.aspect} it gives {_say(came, want)}."
            found.append(Finding(f"fails for {case.aspect}", "limit", words, ""))
        found += [
            Finding(
                note,
                "limit",
                f"It {note}: whoever called it, and needs the numbers again, has lost "
                "them. Copy first.",
                "",
            )
            for note in sorted(self.notes)
            if note.startswith("writes over")
        ]
        self.notes = {n for n in self.notes if not n.startswith("writes over")}
        if level == self.task.coarse:
            found.append(Finding(self.task.rough[0], "limit", self.task.rough[1], ""))
        return found

    def write_notes(self, candidate: Candidate) -> list[str]:
        notes = [f"it {note}" for note in sorted(self.notes)]
        missing = self.absent_options(candidate.form)
        if said := ", ".join(
            f"`{k}` ({v:g})" for k, v in missing.items() if isinstance(v, float) and v
        ):
            notes.append(f"it has no option {said}")
        ours = self.task.defaults
        others = [
            f"`{key}` {value:g}, ours {ours[key]:g}"
            for key, value in candidate.form.defaults.items()
            if isinstance(value, int | float)
            and not isinstance(value, bool)
            and isinstance(ours.get(key), int | float)
            and value != ours[key]
        ]
        if others:
            notes.append(f"its defaults are others: {'; '.join(others)}")
        notes += [
            f"with {case.aspect} it raises {got}"
            if got.kind
            else f"with {case.aspect}: {got}"
            for case, got in zip(candidate.cases, candidate.gots, strict=True)
            if isinstance(got, Failure) and case.is_excused
        ]
        if note := self.pace(candidate):
            notes.append(note)
        return notes

    def pace(self, candidate: Candidate) -> str:
        """Say how long it takes, if that is much longer than the formula takes."""
        form, case = candidate.form, candidate.cases[0]

        def shortest(run: Callable[[], Any]) -> float:
            times = []
            for _ in range(3):
                start = time.perf_counter()
                run()
                times.append(time.perf_counter() - start)
            return min(times)

        theirs = shortest(lambda: self.attempt(form, case, set()))
        ours = shortest(lambda: compute(form.formula, case))
        ratio = theirs / (ours + 1e-3)
        return f"it takes about {ratio:.0f} times as long as ours" if ratio > 20 else ""

    def aspects(self, candidate: Candidate, level: Level) -> dict[str, str]:
        return {
            case.aspect: str(got)
            if isinstance(got, Failure)
            else "right"
            if agree(got, want, level)
            else "wrong"
            for case, got, want in zip(
                candidate.cases, candidate.gots, candidate.wants, strict=True
            )
        }

    def where(self, candidate: Candidate, level: Level) -> Where | None:
        """Return the first number that differs."""
        for case, got, want in zip(
            candidate.cases, candidate.gots, candidate.wants, strict=True
        ):
            if isinstance(got, Failure):
                continue
            for name, a in got.items():
                if a.shape != want[name].shape:
                    continue
                off = np.argwhere(~_same(a, want[name], level))
                if len(off):
                    place = tuple(map(int, off[0]))
                    part = name + (f" {list(place)}" if place else "")
                    flat = int(np.ravel_multi_index(place, a.shape)) if place else 0
                    theirs, ours = float(a[place]), float(want[name][place])
                    return Where(case.aspect, 1, flat, theirs, ours, part)
        return None

    def describe(self, candidate: Candidate, aspects: dict[str, str]) -> str:
        """Say what kind of input it fails on, of which no entry tells why."""
        failed = [a for a, came in aspects.items() if came == "wrong"]
        held = {
            case.aspect
            for case, got in zip(candidate.cases, candidate.gots, strict=True)
            if isinstance(got, Failure) and self.is_held(case, got)
        }
        raised = [f"with {a} it raises {aspects[a]}" for a in aspects if a in held]
        words = []
        if failed and len(failed) + len(raised) < len(aspects):
            words.append(f"it is right but for: {', '.join(failed)}")
        elif failed:
            words.append("no known mistake gives its numbers")
            if factor := _factor(candidate):
                words.append(f"its numbers are {factor:g} times ours")
        return "; ".join(words + raised)

    # --- The smallest input -----------------------------------------------------------

    def example(self, candidate: Candidate) -> str:
        """Return the smallest input that shows the difference, as a call."""
        form, label = candidate.form, candidate.label

        def off(case: Case, got: Any) -> float:
            if isinstance(got, dict):
                got = got.get(label)
            if got is None or isinstance(got, Failure):
                return 0.0
            want = _parts(compute(form.formula, case), got)
            shares = [0.0]
            for name, a in got.items():
                if a.shape != want[name].shape:
                    return 0.0
                size = max(float(np.max(abs(want[name]), initial=0.0)), 1e-9)
                share = abs(a - want[name]) / size
                share = np.where((a == want[name]), 0.0, share)
                share = np.where(np.isnan(a) & ~np.isnan(want[name]), 1e9, share)
                shares.append(float(np.nanmax(share, initial=0.0)))
            return max(shares)

        seen = [
            (case, off(case, {label: got} if isinstance(got, dict) else got))
            for case, got in zip(candidate.cases, candidate.gots, strict=True)
        ]
        most = max(share for _, share in seen)
        if not most > 0 or not self.task.axes:
            return ""
        least = min(0.01, most / 2)
        case = next(case for case, share in seen if share >= least)
        smaller = True
        while smaller:
            smaller = False
            for simpler in self.simpler(case, form):
                try:
                    share = off(simpler, self.attempt(form, simpler, set()))
                except (ValueError, IndexError, ArithmeticError):
                    continue
                if share >= least:
                    case, smaller = simpler, True
                    break
        return self.write(case, form)

    def simpler(self, case: Case, form: Form) -> Iterator[Case]:
        """Go through cases that are simpler in one thing."""
        axes = {
            name: a.split() for name, a in self.task.axes.items() if name in case.inputs
        }
        arrays = {n: a for n, a in case.inputs.items() if isinstance(a, np.ndarray)}
        letters = {
            letter: arrays[name].shape[i]
            for name, its in axes.items()
            if name in arrays
            for i, letter in enumerate(its[: arrays[name].ndim])
        }
        for letter, length in letters.items():
            for k in range(length):
                if length <= self.task.least.get(letter, 1):
                    break
                kept = {
                    name: np.delete(a, k, axis=axes[name].index(letter))
                    if letter in axes.get(name, ())[: a.ndim]
                    else a
                    for name, a in arrays.items()
                }
                yield case._replace(inputs=case.inputs | kept)
        for inputs in self.task.simpler(case.inputs):
            yield case._replace(inputs=inputs)
        for name, default in self.task.defaults.items():
            if (
                name in form.accepted
                and default is not None
                and case.options.get(name) != default
            ):
                yield case._replace(options=case.options | {name: default})
        for digits in (0, 1, 2):
            for name, a in arrays.items():
                if a.dtype.kind != "f":
                    continue
                rounder = np.round(a, digits) + 0.0
                if not np.array_equal(rounder, a) and np.any(np.round(a, digits) != a):
                    yield case._replace(inputs=case.inputs | {name: rounder})

    def write(self, case: Case, form: Form) -> str:
        """Write a case as a call that runs it again."""
        words = [
            self.name if self.name.isidentifier() else "subject",
            repr(self.task.name),
        ]
        for name, value in case.inputs.items():
            if name in form.unused:
                continue
            words.append(f"{name}={_plain(value)!r}")
        words += [
            f"{name}={value!r}"
            for name, value in case.options.items()
            if value != self.task.defaults.get(name)
        ]
        return f"cg.judge.compare({', '.join(words)})"


def _plain(value: Any) -> Any:
    """Return lists in place of arrays, wherever they are."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value


def _say(got: Parts, want: Parts) -> str:
    """Say what the first number is that will not do, and what is right."""
    for name, a in got.items():
        if a.shape != want[name].shape:
            return f"the shape {a.shape}, and right is {want[name].shape}"
        for theirs, ours in zip(a.ravel(), want[name].ravel(), strict=True):
            if not _is_bearable(theirs, ours):
                return f"{theirs:g}, and right is {ours:g}"
    return "other numbers"


def _is_bearable(got: Array, want: Array) -> bool:
    """Whether an answer at an extreme will do: what is cut off is finite, too."""
    if np.shape(got) != np.shape(want):
        return False
    near = abs(got - want) <= 1e-6 * (1 + abs(want))
    cut = np.isinf(want) & (np.sign(got) == np.sign(want)) & (abs(got) > 5)
    both_nan = np.isnan(got) & np.isnan(want)
    return bool(np.all(near | (got == want) | cut | both_nan))


def _factor(candidate: Candidate) -> float:
    """Return by what factor all numbers are other than ours, if by one."""
    found: list[float] = []
    for got, want in zip(candidate.gots, candidate.wants, strict=True):
        if isinstance(got, Failure):
            continue
        for name, a in got.items():
            if a.shape != want[name].shape:
                return 0.0
            telling = abs(want[name]) > 1e-3 * np.max(abs(want[name]), initial=0.0)
            found += list((a[telling] / want[name][telling]).ravel())
    if not found or not math.isfinite(found[0]):
        return 0.0
    return found[0] if np.allclose(found, found[0], rtol=1e-6, atol=0) else 0.0


def _distinct(candidates: list[Candidate]) -> list[Candidate]:
    """Leave out whose numbers are those of another way with the same right ones."""
    kept: dict[Any, Candidate] = {}
    for one in candidates:
        numbers = [
            None
            if isinstance(got, Failure)
            else [f"{x:.9g}" for a in got.values() for x in a.ravel()]
            for got in one.gots
        ]
        key = id(one.form.formula), tuple(one.wants[0]), str(numbers)
        kept.setdefault(key, one)
    return list(kept.values())


def _excuses(candidate: Candidate) -> bool:
    """Whether a case was not run, which is excused."""
    return any(isinstance(got, Failure) for got in candidate.gots)


def _is_finite(candidate: Candidate) -> bool:
    return all(
        np.isfinite(a).all()
        for got in candidate.gots
        if not isinstance(got, Failure)
        for a in got.values()
    )


def _shows_more(one: Candidate, right: Candidate) -> bool:
    """Whether a candidate agrees with a right one where that runs, and is then wrong.

    So who fails where it would be wrong is not right by that.
    """
    if [c.aspect for c in one.cases] != [c.aspect for c in right.cases]:
        return False
    shows = False
    for mine, want, its in zip(one.gots, one.wants, right.gots, strict=True):
        if isinstance(mine, Failure):
            if not isinstance(its, Failure):
                return False
        elif isinstance(its, Failure):
            shows |= not agree(mine, want, DOUBLE)
        elif not agree(mine, want, DOUBLE):
            return False
    return shows


def _simplest(found: list[Reading]) -> list[Reading]:
    """Leave out what says more than it must, or the same again.

    Who may follow a convention has made no mistake; and what an option is by chance
    says less than what is done.
    """
    if not found:
        return []
    right = [one for one in found if one.is_right]
    found = right or found
    fewest = min(len(one.candidate.conventions) for one in found)
    found = [one for one in found if len(one.candidate.conventions) == fewest]
    plain = [one for one in found if not any(d.options for d in one.deviations)]
    found = plain or found
    first = found[0].candidate
    found = [one for one in found if one.candidate is first]
    kept: dict[tuple[str, ...], Reading] = {}
    for one in found:
        kept.setdefault(tuple(d.name for d in one.deviations), one)
    return list(kept.values())


def examine_calls(
    task: FunctionTask,
    subject: Any,
    fixed: dict[str, Any],
    *,
    name: str = "",
    choose: Callable[[str], bool] = lambda _: True,
    tell: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Judge a function: as `examine`."""
    return Calls(task, subject, fixed, name, choose, tell).verdict()


def settle(
    task: FunctionTask, subject: Any, fixed: dict[str, Any]
) -> Candidate | Failure:
    """Return the way in which a subject is called, or why there is none."""
    calls = Calls(task, subject, fixed, "", lambda _: True, lambda _: None)
    with np.errstate(all="ignore"):
        found, seen = calls.settle()
    if found:
        return found[0].candidate
    if seen:
        return calls.likeliest(seen)
    return (
        calls.failures[0]
        if calls.failures
        else Failure("", "nobody knows how to call it", True)
    )
