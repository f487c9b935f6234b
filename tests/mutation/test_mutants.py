"""The mutants: each differs from the original by one fault, and all kinds are there."""

import ast

import pytest

from .mutants import mutants

SOURCE = '''\
"""Words."""
from m import f
__all__ = ["step"]

@kept
def step(w: "Array", *, lr=0.1, kind="plain"):
    """More words."""
    if not w and lr:
        raise ValueError(f"step: got {w - 1}")
    w[0] = f(w, -lr, axis=1)
    w += g(a=lr, b=w) * lr
    return w.max() if lr <= 1 else w
'''
WANTED = {
    "",  # the decorator
    'def step(w: "Array", *, lr=1.1, kind="plain"):',
    "def step(w: \"Array\", *, lr=0.1, kind='not_plain'):",
    "if w and lr:",
    "if not w or lr:",
    "if not (not w and lr):",
    "pass",
    "w[1] = f(w, -lr, axis=1)",
    "w[0] = f(-lr, w, axis=1)",
    "w[0] = f(w, lr, axis=1)",
    "w[0] = f(w, -lr)",
    "w[0] = f(w, -lr, axis=2)",
    "w -= g(a=lr, b=w) * lr",
    "w += g(b=w) * lr",
    "w += g(a=lr) * lr",
    "w += g(a=lr, b=w) / lr",
    "return w.min() if lr <= 1 else w",
    "return w.max() if lr < 1 else w",
    "return w.max() if lr <= 2 else w",
}


@pytest.fixture
def found(tmp_path):
    path = tmp_path / "step.py"
    path.write_text(SOURCE, "utf-8")
    return mutants(path, "step.py")


def test_every_kind_of_fault_is_planted_and_no_word_is_touched(found):
    assert {mutant.after for mutant in found} == WANTED
    assert sum(mutant.after == "pass" for mutant in found) == 3


def test_a_mutant_is_the_original_but_for_what_it_says(found):
    for mutant in found:
        text = mutant.planted(SOURCE.encode()).decode()
        ast.parse(text)
        there = SOURCE.splitlines()[mutant.line - 1]
        assert there.strip() == mutant.before.splitlines()[0]
        assert text.splitlines()[mutant.line - 1].strip() == mutant.after
        assert text != SOURCE
        assert mutant.scope == "step"


def test_a_fault_is_met_by_what_runs_its_line_or_else_its_function(found):
    default = next(m for m in found if "1.1" in m.after)
    assert [next(iter(lines)) for lines in default.reach] == [6, 7]
    inner = next(m for m in found if m.after == "w += g(b=w) * lr")
    assert [list(lines) for lines in inner.reach][:2] == [[11], [11]]
    assert inner.diff() == "- w += g(a=lr, b=w) * lr\n+ w += g(b=w) * lr"
