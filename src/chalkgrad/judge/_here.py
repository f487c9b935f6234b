"""The judge in a page: a reader's text is judged, and drawn beside the reference."""

import json
from typing import Any

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._call_verdicts import Calls, Candidate
from chalkgrad.judge._calls import FunctionTask
from chalkgrad.judge._inits import InitTask
from chalkgrad.judge._places import Place, find_subject
from chalkgrad.judge._tasks import find_task, list_tasks
from chalkgrad.judge._verdicts import Examination, Failure, Verdict, run_quietly

__all__ = ["judge_text", "list_starters"]

ADAM = """\
import numpy as np

class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.eps = lr, eps
        self.beta1, self.beta2 = beta1, beta2
        self.m = self.v = 0.0

    def update(self, w, grad):
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * grad**2
        m_hat = self.m / (1 - self.beta1)
        v_hat = self.v / (1 - self.beta2)
        return w - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
"""
SOFTMAX = """\
import numpy as np

def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()
"""
CROSS_ENTROPY = """\
import numpy as np

def cross_entropy(logits, labels):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    n = len(labels)
    loss = -np.log(p[np.arange(n), labels]).mean()
    grad = p.copy()
    grad[:, labels] -= 1
    return loss, grad / n
"""
BACKPROP = """\
import numpy as np

def backprop(W1, b1, W2, b2, x, y):
    h = np.tanh(x @ W1 + b1)
    out = h @ W2 + b2
    loss = ((out - y) ** 2).mean()
    delta = 2 * (out - y) / out.size
    dW2, db2 = h.T @ delta, delta.sum(axis=0)
    delta = delta @ W2.T
    return loss, x.T @ delta, delta.sum(axis=0), dW2, db2
"""
WITH_A_MISTAKE = {
    "adam": ADAM,
    "softmax": SOFTMAX,
    "cross_entropy": CROSS_ENTROPY,
    "backprop": BACKPROP,
}


def list_starters() -> list[dict[str, str]]:
    """Return for each task its kind, its name and a text to begin with."""
    return [
        {"name": name, "kind": find_task(name).kind, "text": _starter(name)}
        for name in list_tasks()
    ]


def _starter(name: str) -> str:
    if name in WITH_A_MISTAKE:
        return WITH_A_MISTAKE[name]
    form = find_task(name).forms[0].partition("  #")[0]
    head, _, result = form.partition(": ...")
    head = head.replace("def step(", f"def {name}(")
    result = result.removeprefix(" return ") or "0.0"
    return f"import numpy as np\n\n{head}:\n    # Yours.\n    return {result}\n"


def judge_text(text: str, task: str) -> str:
    """Judge a text; return the verdict and its picture as JSON.

    Parameters
    ----------
    text : str
        The source of one subject; it is run.
    task : str
        As what: one of `list_tasks`.
    """
    loaded = run_quietly(lambda: find_subject(Place("<stdin>", "", text), task), set())
    if isinstance(loaded, Failure):
        verdict = Verdict("not judged", task, reason=f"it cannot be loaded: {loaded}")
        return _write(verdict, None)
    subject, name = loaded
    chosen = find_task(task)
    if isinstance(chosen, InitTask):
        return _write(chosen.examine(subject, {}, lambda _: None), None)
    if isinstance(chosen, FunctionTask):
        calls = Calls(chosen, subject, {}, name, lambda _: True, lambda _: None)
        verdict = calls.verdict()
        return _write(verdict, None if calls.shown is None else _of_call(calls.shown))
    steps = Examination(chosen, subject, {}, name, lambda _: True, lambda _: None)
    verdict = steps.verdict()
    return _write(verdict, _of_walk(steps, verdict))


def _write(verdict: Verdict, picture: dict[str, Any] | None) -> str:
    said = verdict.to_dict() | {
        "title": verdict.title,
        "lines": list(verdict.lines())[1:],
        "picture": picture,
    }
    return json.dumps(said)


def _of_walk(steps: Examination, verdict: Verdict) -> dict[str, Any] | None:
    """Return where a weight went, and where it should: step by step."""
    if steps.shown is None:
        return None
    trials, gots, wants = steps.shown
    for trial, got, want in zip(trials, gots, wants, strict=True):
        where = verdict.where
        if isinstance(got, Failure) or (where and trial.aspect != where.aspect):
            continue
        number = where.weight if where else 0
        start = float(np.concatenate([a.ravel() for a in trial.starts[0]])[number])
        return {
            "kind": "walk",
            "aspect": f"{trial.aspect}: weight {number}, step by step",
            "theirs": _finite([start, *got[:, 0, number]]),
            "ours": _finite([start, *want[:, 0, number]]),
            "first": where.step if where else None,
        }
    return None


def _of_call(candidate: Candidate) -> dict[str, Any] | None:
    """Return what was returned, and what should have been: number by number."""
    for case, got, want in zip(
        candidate.cases, candidate.gots, candidate.wants, strict=True
    ):
        if isinstance(got, Failure):
            continue
        for name, a in got.items():
            if a.shape != want[name].shape:
                continue
            theirs, ours = a.ravel()[:40], want[name].ravel()[:40]
            off = np.flatnonzero(~np.isclose(theirs, ours, rtol=1e-6, atol=1e-9))
            if not len(off) and not _is_last(candidate, case, name):
                continue
            return {
                "kind": "numbers",
                "aspect": f"{case.aspect}: {name.rstrip('_')}, number by number",
                "theirs": _finite(theirs),
                "ours": _finite(ours),
                "first": int(off[0]) if len(off) else None,
            }
    return None


def _is_last(candidate: Candidate, case: Any, name: str) -> bool:
    """Whether nothing is left that might differ."""
    ran = [
        (one.aspect, part)
        for one, got in zip(candidate.cases, candidate.gots, strict=True)
        if not isinstance(got, Failure)
        for part in got
    ]
    return (case.aspect, name) == ran[-1]


def _finite(numbers: Any) -> list[float | None]:
    """Return numbers as JSON can hold them."""
    found: Array = np.asarray(numbers, float)
    return [float(x) if np.isfinite(x) else None for x in found]
