"""Of the snippets of a page, those that another one needs."""

import contextlib
import io
import os
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalkdocs.slices import Namespace

N = 300
FIRST = """
from functools import partial
import os, random, tempfile
a, b, c = [0, 1], [1, 2], [2, 3]
box = {}
def f(v=0): return len(a)
g = h = f
it = iter([0])
rng = random.Random(0)
path = tempfile.mkdtemp() + "/kept"
open(path, "w").close()
os.environ.pop("KEPT", None)
"""
# What people write, as far as it can hide a change.
STATEMENTS = [
    "{x} = [{n}, {n}]",
    "{x} = {y}",
    "{x}, {y} = {y}, {x}",
    "{x} = list({y})",
    "{x} = {y}[1:]",
    "{x} = [len({y}), {n}]",
    "{x} = [i + len({y}) for i in {x}]",
    "({x} := [{n}, 7])",
    "{x}.append({n})",
    "{x} += [{n}]",
    "{x} += [{y}]",
    "{x}.append({y})",
    "def put(to, v): to.append(v)\nput({x}, {y})",
    "{x} *= 2",
    "{x}[0] = {n}",
    "{x}[0] = len({y})",
    "del {x}[0]",
    "{x}.append(len({y}))",
    "if {n} % 2: {x} = [{n}, 5]",
    "for {x} in [{y}, {z}]: {x}.append({n})",
    "for i in range(2): {x}.append(i)",
    "while len({x}) < 4: {x}.append(4)",
    "with open(path, 'a') as file: file.write(str({x}))",
    "with open(path) as file: {x} = [file.read(), 2]",
    "os.environ['KEPT'] = str({x})",
    "{x} = [os.environ.get('KEPT'), 3]",
    "try:\n    {x} = [{n}, 0]\n    1 / 0\nexcept ZeroDivisionError:\n    {y} = [5, 5]",
    "match {n}:\n    case 1: {x} = {y}\n    case {x}_: {z} = [{n}, 1]",
    "box['k'] = {x}",
    "box.setdefault('k', {x}).append({n})",
    "box.update(k={x})",
    "{x} = box.get('k', {x})",
    "[each.append({n}) for each in ({x}, {y})]",
    "{x} = [rng.random(), 1]",
    "random.Random.seed(rng, {n})",
    "it = iter({x})",
    "{x} = [next(it, 9), 1]",
    "it = (i for i in {x})",
    "{x} = [*map(f, {y}[:1]), 1]",
    "def f(v=0): return len({x}) + {n}",
    "def f(v=0):\n    {x}.append(v)\n    return len({x})",
    "def f(v=0, seen=[]):\n    seen.append(v)\n    return len(seen)",
    "def f(v=0):\n    global {x}\n    {x} = [v, {n}]\n    return {n}",
    "def f(v=0): return g(v) + len({x})",
    "def add(to, v=1): to.append(v)\nadd({x})\ng = partial(add, {y})",
    "def add(to):\n    other = to\n    other += [1]\nadd({x})",
    """def make():
    seen = []
    def inner(v=0): seen.append(v); return len(seen)
    return inner
h = make()""",
    """class K:
    def __init__(self): self.all = {x}
    def mean(self): self.all.append({n}); return 1
k = K()
k.mean()""",
    """class K:
    all = {x}
    def __call__(self, v=0): self.all.append(v); return 2
h = K()""",
    "g = lambda v=0: {x}.append({n})",
    "g = f",
    "h = g",
    "g()",
    "h()",
    "{x} = [f(), 0]",
    "{x} = [h(), 0]",
    "f({n})",
    "exec('{x} = [{n}, 6]')",
    "globals()['{x}'] = [{n}, 8]",
    "{x}.sort()",
    "{x} = sorted({y}, key=lambda v: len({z}) * v if isinstance(v, int) else 0)",
    "print({x}, {n})",
    "print(f(), {y})",
    "print(h(), box)",
    "print(box)",
    "with open(path) as file: print(file.read())",
    "print(list(it), rng.random())",
]


@st.composite
def snippets(draw):
    """Draw the text of a snippet."""
    text = ""
    for _ in range(draw(st.integers(1, 3))):
        x, y, z = draw(st.permutations("abc"))
        part = draw(st.sampled_from(STATEMENTS))
        for key, value in {
            "x": x,
            "y": y,
            "z": z,
            "n": draw(st.integers(0, 9)),
        }.items():
            part = part.replace(f"{{{key}}}", str(value))
        text += f"{part}\n"
    return text + f"print({draw(st.sampled_from('abc'))})"


def run(text, names):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(text, names)
    return out.getvalue()


def in_order(texts):
    """Return what each prints where all of them run, in order."""
    names = {}
    try:
        with mock.patch.dict(os.environ):  # the page has an environment of its own
            return [run(text, names) for text in texts]
    except Exception:
        assume(False)


def run_slice(space, texts):
    """Return what the last prints, after what it needs."""
    printed = ""
    for number in space.plan([[(text, "")] for text in texts]):
        space.begin(number)
        printed = run(texts[number], space.names)
        space.end(number)
    return printed


@settings(max_examples=N, deadline=None)
@given(st.lists(snippets(), min_size=1, max_size=7))
def test_alone_with_what_it_needs_a_snippet_prints_the_same(drawn):
    texts = [FIRST, *drawn]
    wanted = in_order(texts)
    for last in range(len(texts)):
        got = run_slice(Namespace(), texts[: last + 1])
        assert got == wanted[last]


@settings(max_examples=N, deadline=None)
@given(st.data())
def test_in_any_order_and_after_any_edit_a_snippet_prints_the_same(data):
    texts = [FIRST, *data.draw(st.lists(snippets(), min_size=2, max_size=5))]
    in_order(texts)
    space = Namespace()
    for _ in range(data.draw(st.integers(1, 6))):
        last = data.draw(st.integers(0, len(texts) - 1))
        if data.draw(st.booleans()):
            edited = data.draw(st.integers(1, len(texts) - 1))
            texts[edited] = data.draw(snippets())
        wanted = in_order(texts[: last + 1])
        assert run_slice(space, texts[: last + 1]) == wanted[-1]


@pytest.mark.parametrize(
    ("texts", "needed"),
    [
        (["x = 1", "y = 2", "print(y)"], [1, 2]),
        (["import math", "x = math.pi", "y = math.e", "y"], [0, 2, 3]),
        (["x = []", "n = len(x)", "print(x)", "x"], [0, 3]),
        (["x = 1", "x = 2", "print(x)"], [1, 2]),
        (["def f(): return 1", "f()", "f()"], [0, 2]),
        (["x = 1", "if x: x = 2", "x"], [0, 1, 2]),
        (["not a python", "x = 1", "x"], [1, 2]),
        (["not a python", "x"], [0, 1]),
    ],
)
def test_what_is_not_needed_does_not_run(texts, needed):
    parts = [[(text, "value")] for text in texts]
    assert Namespace().plan(parts) == needed


def test_nothing_runs_twice_that_is_there_as_it_should_be():
    space = Namespace()
    texts = ["x = 1", "y = x + 1", "print(x + y)"]
    assert run_slice(space, texts) == "3\n"
    parts = [[(text, "")] for text in texts]
    assert space.plan(parts) == [2]
    assert space.plan([[("x = 1", "")], [("y = x + 5", "")], parts[2]]) == [1, 2]
    assert space.plan([[("x = 2", "")], *parts[1:]]) == [0, 1, 2]


def test_a_name_that_nothing_above_defines_any_more_is_gone():
    space = Namespace()
    run_slice(space, ["x = 1", "print(x)"])
    with pytest.raises(NameError):
        run_slice(space, ["y = 1", "print(x)"])


def test_what_has_stopped_half_way_runs_again():
    space = Namespace()
    texts = ["x = 1\nraise ValueError", "print(x)"]
    parts = [[(text, "")] for text in texts]
    assert space.plan(parts) == [0, 1]
    space.begin(0)
    assert space.plan(parts) == [0, 1]
