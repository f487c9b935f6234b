"""The judge of optimizers is judged: by mistakes that were planted, and right ones."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from tests.mutation.mutants import Text

import chalkgrad.numpy as cg
from chalkgrad.judge import _mistakes as mistakes
from chalkgrad.judge._tasks import find_task
from chalkgrad.judge._walks import simulate, walk

from .planted_optimizers import PLANTED, STYLES, make, plant

DOCS = Path(__file__).parents[2] / "docs"
TASKS = list(mistakes.OPTIMIZERS)


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


# --- The catalogue --------------------------------------------------------------------


@pytest.mark.parametrize("name", TASKS)
def test_the_lines_of_the_catalogue_are_the_reference(name):
    task, formula = find_task(name), mistakes.OPTIMIZERS[name]
    for trial in task.trials({}):
        want = walk(name, trial)
        change, size = task.size(trial, want)
        off = abs(simulate(formula, trial) - want)
        assert (off <= 1e-11 * change + 1e-14 * size).all(), trial.aspect


def numbers(name, deviations):
    formula = mistakes.OPTIMIZERS[name]
    paths = [simulate(formula, t, deviations) for t in find_task(name).trials({})]
    return np.concatenate([path.ravel() for path in paths])


# What changes nothing of this rule, so that nobody can make it.
HARMLESS = {
    "adadelta": {"steps are counted once for each array"},
    "adagrad": {"steps are counted once for each array"},
    "lion": {
        "steps are counted once for each array",
        "the sign of the step alone",
    },
    "muon": {
        "steps are counted once for each array",
        "momentum with the whole gradient",  # but for what is added to its length
    },
    "rmsprop": {"steps are counted once for each array"},
    "rprop": {
        "the gradient is cut to [-1, 1]",
        "the gradient is normalised",
    },
}
PER_NETWORK = {
    "arrays share their state",
    "steps are counted once for each array",
}
# What cannot be told apart by any input, so that both are named.
TWINS = {("adadelta", "the weights do not move", "ε below alone")}


@pytest.mark.parametrize("name", TASKS)
def test_every_deviation_gives_other_numbers_than_ours_and_than_any_other(name):
    ours, seen = numbers(name, []), {}
    has_arrays = any(t.aspect == "several arrays" for t in find_task(name).trials({}))
    harmless = HARMLESS.get(name, set()) | (set() if has_arrays else PER_NETWORK)
    for one in mistakes.OPTIMIZERS[name].deviations:
        if one.name in harmless:
            continue
        got = numbers(name, [one])
        assert not np.allclose(got, ours, rtol=1e-9, atol=1e-12), one.name
        for other, theirs in seen.items():
            same = np.allclose(got, theirs, rtol=1e-9, atol=1e-12, equal_nan=True)
            assert not same or (name, other, one.name) in TWINS, (other, one.name)
        seen[one.name] = got


def anchors(page):
    text = (DOCS / f"{page}.md").read_text("utf-8")
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    words = [re.sub(r"[^\w\s-]", "", title.lower()).strip() for title in titles]
    return {re.sub(r"[\s]+", "-", title) for title in words}


def test_every_page_that_an_entry_names_is_there():
    named = {d.page for f in mistakes.OPTIMIZERS.values() for d in f.deviations}
    for page in sorted(named - {""}):
        path, _, anchor = page.partition("/#")
        assert anchor in anchors(path), page


def test_every_entry_says_something_in_whole_sentences():
    for formula in mistakes.OPTIMIZERS.values():
        for one in formula.deviations:
            assert one.why.endswith("."), one.name
            assert one.kind in ("convention", "mistake")
            assert one.changes, one.name


# --- Right ones -----------------------------------------------------------------------

# Styles that are right but for how the catalogue names their convention.
NAMED = {"adam dicts": {"`eps` is 1e-07"}}


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
    assert verdict.names == NAMED.get(style, set())


def of_layers(make, network):
    """Return a rule of layers as one of arrays: an array is a layer."""

    class Rule:
        def __init__(self, options):
            self.options = options

        def rule(self, w):
            rows, columns = w.shape if len(w.shape) == 2 else (len(w), 1)
            return make(network([rows - 1, columns]), **self.options)

        def init(self, w):
            return self.rule(w).init(w.reshape(-1))

        def step(self, w, g, state):
            step = self.rule(w).step
            new, state = step(w.reshape(-1), g.reshape(-1), state)
            return new.reshape(w.shape), state

    def with_options(lr, weight_decay, **options):
        return Rule({"lr": lr, "weight_decay": weight_decay, **options})

    def lamb(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=1e-2):
        return with_options(lr, weight_decay, beta1=beta1, beta2=beta2, eps=eps)

    def muon(lr=2e-2, momentum=0.95, nesterov=True, weight_decay=0.0):
        return with_options(lr, weight_decay, momentum=momentum, nesterov=nesterov)

    return {"lamb": lamb, "muon": muon}[make.__name__]


def own(name):
    make = getattr(cg.optimizers, name)
    return of_layers(make, cg.network) if name in ("lamb", "muon") else make


@pytest.mark.parametrize("name", TASKS)
def test_our_own_are_right(name):
    verdict = cg.judge.judge(own(name), name)
    assert verdict.outcome == "right", str(verdict)


# --- Wrong ones -----------------------------------------------------------------------

IDS = [f"{style}: {after}" for style, _, after, _ in PLANTED]


@pytest.mark.parametrize(("style", "before", "after", "name"), PLANTED, ids=IDS)
def test_a_planted_mistake_never_passes_and_is_named(style, before, after, name):
    task, source = plant(style, before, after)
    verdict = cg.judge.judge(make(source), task)
    assert verdict.outcome != "right"
    if name is not None:
        # What is in the catalogue is found, and nothing besides is held against it.
        wanted = {name} if isinstance(name, str) else set(name)
        extra = NAMED.get(style, set())
        found = [{one.name for one in group} for group in verdict.findings]
        assert any(group - extra == wanted for group in found), str(verdict)
    if verdict.example:
        assert shows_a_difference(verdict.example, make(source))


def shows_a_difference(example, subject):
    """Run the line that a verdict gives, as a reader would."""
    name = re.match(r"cg\.judge\.compare\((\w+),", example)[1]
    theirs, ours = eval(example, {"cg": cg, name: subject})
    assert theirs.size <= 30
    return not np.allclose(theirs, ours, rtol=1e-9, atol=1e-15)


def test_enough_is_planted_and_most_is_within_reach():
    assert len(PLANTED) >= 100
    assert len([name for *_, name in PLANTED if name]) >= 75


def mutants():
    """Go through the styles with one small fault each, as a tired author makes them."""
    for style, (task, source) in STYLES.items():
        text = Text(source.encode())
        for (start, end, new), _ in text.edits(ast.parse(source), []):
            changed = text.source[:start] + new.encode() + text.source[end:]
            yield pytest.param(task, changed.decode(), id=f"{style} {start}: {new}")


@pytest.mark.parametrize(("task", "source"), list(mutants())[::60])
def test_a_mutant_is_judged_without_a_crash(task, source):
    try:
        subject = make(source)
    except Exception:  # a fault that Python sees is none of ours
        return
    verdict = cg.judge.judge(subject, task)
    assert verdict.title
    assert verdict.outcome in ("right", "convention", "wrong", "not judged")


def step(w, g, lr=0.1):
    return w - lr * g


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda j: j.describe("sgdd"), ValueError, "describe: `name` must be one of"),
        (lambda j: j.judge(step, "sgdd"), ValueError, "judge: `as_` must be one of"),
        (lambda j: j.judge(step, None), ValueError, "got None."),
        (lambda j: j.judge(step, "sgd", beta1=0.9), ValueError, "no option beta1"),
        (lambda j: j.judge(step, "sgd", lr=-1), ValueError, "`lr` must be"),
        (
            lambda j: j.compare(step, "sgdd", w=[1.0], grads=[[1.0]]),
            ValueError,
            "compare: `as_` must be one of",
        ),
        (
            lambda j: j.compare(step, "sgd", w=["a"], grads=[[1.0]]),
            ValueError,
            "compare: `w` must be made of finite numbers, got ['a'].",
        ),
        (
            lambda j: j.compare(step, "sgd", w=[1.0], grads=[[1.0, 2.0]]),
            ValueError,
            "shapes [(1,)], got [(2,)].",
        ),
        (
            lambda j: j.compare(step, "sgd", w=[1.0], grads=[]),
            ValueError,
            "got 0 steps.",
        ),
        (
            lambda j: j.compare(step, "sgd", w=[1.0], grads=3),
            TypeError,
            "compare: `grads` must be a list, got 3 (int).",
        ),
        (
            lambda j: j.compare(step, "sgd", w=[1.0], grads=[[1.0]], instances=0),
            ValueError,
            "compare: `instances` must be a whole number, 1 or more",
        ),
    ],
)
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error) as caught:
        call(cg.judge)
    assert words in str(caught.value)
