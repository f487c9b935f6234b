"""The judge of functions is judged: by mistakes that were planted, and right ones."""

import ast
import re

import numpy as np
import pytest
from tests.mutation.mutants import Text

import chalkgrad.numpy as cg

from .planted_functions import PLANTED, STYLES
from .planted_optimizers import PLANTED as PLANTED_OPTIMIZERS
from .planted_optimizers import make

# Styles that are right but for what is named.
NAMED = {
    "bce columns": {
        "examples are columns",
        "summed over the outputs",
        "0 times the logarithm of 0",
    },
    "cross entropy one-hot": {"1e-07 is added in the logarithm"},
    "cross entropy layer": {"1e-07 is added in the logarithm"},
    "sigmoid of output": {"the derivative given the output"},
    "gelu": {"the tanh approximation"},
    "perceptron class": {"steps of 2, and on the boundary it says +1"},
    "backprop separate": {"half the sum over the outputs"},
    "backprop columns": {"examples are columns"},
    "backprop net": {"one example at a time", "half the sum over the outputs"},
    "grad differences": {"by differences"},
}


@pytest.mark.parametrize("above", ["", "import torch\n"], ids=["alone", "by PyTorch"])
@pytest.mark.parametrize("style", STYLES)
def test_a_right_one_is_right_in_every_style(style, above):
    """Also where the module imports PyTorch, so that it may be meant for tensors."""
    task, source = STYLES[style]
    source = above + source
    if "torch" in source:
        pytest.importorskip("torch")
    verdict = cg.judge.judge(make(source), task)
    assert verdict, str(verdict)
    assert verdict.names == NAMED.get(style, set()), str(verdict)
    assert verdict.outcome == ("right" if style not in NAMED else verdict.outcome)


def plant(style, before, after):
    task, source = STYLES[style]
    assert source.count(before) >= 1, before
    return task, source.replace(before, after, 1)


IDS = [f"{style}: {after}" for style, _, after, _ in PLANTED]


@pytest.mark.parametrize(("style", "before", "after", "names"), PLANTED, ids=IDS)
def test_a_planted_mistake_never_passes_and_is_named(style, before, after, names):
    task, source = plant(style, before, after)
    if "torch" in source:
        pytest.importorskip("torch")
    verdict = cg.judge.judge(make(source), task)
    assert verdict.outcome != "right"
    if names is not None:
        # What is in the catalogue is found, and nothing besides is held against it.
        extra = NAMED.get(style, set())
        found = [{one.name for one in group} for group in verdict.findings]
        assert names - extra in [group - extra for group in found], str(verdict)
    if verdict.example and verdict.outcome == "wrong":
        assert shows_a_difference(verdict.example, make(source)), verdict.example


def shows_a_difference(example, subject):
    """Run the line that a verdict gives, as a reader would."""
    name = re.match(r"cg\.judge\.compare\((\w+),", example)[1]
    try:
        theirs, ours = eval(example, {"cg": cg, name: subject})
    except cg.ShapeError:  # it shows itself by another shape
        return True
    return not np.allclose(theirs, ours, rtol=1e-9, atol=1e-15)


def test_enough_is_planted_and_most_is_within_reach():
    everything = [*PLANTED, *PLANTED_OPTIMIZERS]
    assert len(everything) >= 300
    named = [names for *_, names in everything if names]
    assert len(named) >= 0.85 * len(everything)


def mutants():
    """Go through the styles with one small fault each."""
    for style, (task, source) in STYLES.items():
        text = Text(source.encode())
        for (start, end, new), _ in text.edits(ast.parse(source), []):
            changed = text.source[:start] + new.encode() + text.source[end:]
            yield pytest.param(task, changed.decode(), id=f"{style} {start}: {new}")


MUTANTS = list(mutants())


@pytest.mark.parametrize(("task", "source"), MUTANTS[::40])
def test_a_mutant_is_judged_without_a_crash(task, source):
    try:
        subject = make(source)
    except Exception:  # a fault that Python sees is none of ours
        return
    verdict = cg.judge.judge(subject, task)
    assert verdict.title
    assert verdict.outcome in ("right", "convention", "limited", "wrong", "not judged")


# --- Any subject ----------------------------------------------------------------------

CHEAP = (
    "mse",
    "softmax",
    "relu back",
    "sigmoid of output",
    "step schedule",
    "accuracy",
)


@pytest.mark.parametrize("style", CHEAP)
def test_what_is_mutated_at_random_never_crashes_the_judge(style):
    """Each subject has up to three faults; all are judged in this process."""
    task, source = STYLES[style]
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(25):
        mutant = source
        for _ in range(int(rng.integers(1, 4))):
            text = Text(mutant.encode())
            edits = list(text.edits(ast.parse(mutant), []))
            if not edits:
                break
            (start, end, new), _ = edits[int(rng.integers(len(edits)))]
            changed = text.source[:start] + new.encode() + text.source[end:]
            try:
                ast.parse(changed)
            except (SyntaxError, ValueError):
                break
            mutant = changed.decode()
        if mutant in seen:
            continue
        seen.add(mutant)
        try:
            subject = make(mutant)
        except Exception:  # a fault that Python sees is none of ours
            continue
        assert str(cg.judge.judge(subject, task))


WHATEVER = {
    "nothing": lambda *_: None,
    "text": lambda *_: "text",
    "a list of lists": lambda *_: [[1], [2, 3]],
    "an object": lambda *_: object(),
    "nan": lambda *_: float("nan"),
    "infinity": lambda *_: np.array([np.inf, -np.inf]),
    "a dict": lambda *_: {"a": None},
    "a deep list": lambda *_: [[[[1.0]]]],
    "complex numbers": lambda *_: 1j,
    "a generator": lambda *_: (i for i in range(3)),
    "an error": lambda *_: 1 / 0,
    "its argument": lambda *given: given[0] if given else None,
    "all arguments": lambda *given: given,
    "no numbers": lambda *_: np.zeros(0),
    "itself": lambda *_: WHATEVER,
}


ONE_OF_A_KIND = (
    "sgd",
    "mae",
    "tanh",
    "cosine",
    "confusion",
    "grad",
    "init",
    "perceptron",
)


@pytest.mark.parametrize("task", ONE_OF_A_KIND)
def test_whatever_comes_back_is_told_and_never_a_crash(task):
    for subject in WHATEVER.values():
        verdict = cg.judge.judge(subject, task)
        assert str(verdict)
        assert verdict.to_dict()
    for thing in (None, 3, "text", [], {}, object(), int, dict, print, len, type):
        assert cg.judge.judge(thing, task).outcome != "right"
