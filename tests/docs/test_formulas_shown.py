"""What a page shows of a rule is its signature and its formula, and little of both."""

import ast
import inspect

import pytest
from tests.contract.backends import LAYERED, OPTIMIZERS, both

from chalkdocs.reference import source

SHORT = ("sgd", "adagrad", "rmsprop", "adam", "adamw", "lion")


def blocks(text):
    """Return the code within each pair of fences."""
    lines = [line.strip() for line in text.splitlines()]
    fences = [i for i, line in enumerate(lines) if line.startswith("```")]
    return [
        [line for line in lines[begin + 1 : end] if line]
        for begin, end in zip(fences[::2], fences[1::2], strict=True)
    ]


@pytest.mark.parametrize("path", OPTIMIZERS + LAYERED)
def test_a_tab_shows_14_lines_at_most(path):
    shown = blocks(source(path))
    assert len(shown) == 2
    assert max(map(len, shown)) <= 14


@pytest.mark.parametrize("path", OPTIMIZERS + LAYERED)
def test_a_formula_is_short(path):
    name = path.partition(".")[2]
    for rule in both(path):
        (tree,) = ast.parse(inspect.getsource(rule.formula)).body
        body = [part for part in tree.body if not _is_docstring(part)]
        lines = body[-1].end_lineno - body[0].lineno + 1
        assert lines <= (6 if name in SHORT else 12)


def _is_docstring(part):
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
