"""The rules of who imports whom, and that the figure and its words tell the truth."""

import ast
import shutil
from itertools import product

import pytest

from chalkdocs import imports, sources
from chalkdocs.figures import architecture

FOUND = imports.imports()
EDGES = imports.topics(FOUND)
FACADES = ("chalkgrad.numpy", "chalkgrad.torch")


def roots(names):
    return {name.partition(".")[0] for name in names}


def inside(names):
    """Return the folders of chalkgrad that are imported."""
    return {name.split(".")[1] for name in names if name.startswith("chalkgrad.")}


def broken(found):
    """Return which rules the imports break, and where."""
    out = set()
    topics = imports.topics(found)
    for name, imported in found.items():
        topic = name.partition(".")[0]
        is_twin = name.endswith("torch") or topic == "interop"
        if (
            not is_twin
            and topic not in ("cli", "lecture")
            and "torch" in roots(imported)
        ):
            out.add(("torch outside of a twin", name))
        twins = {it for it in imported if it.startswith("chalkgrad.") and "torch" in it}
        if topic in {*topics, "_core"} and not is_twin and twins:
            out.add(("a twin outside of a twin", name))
        if topic == "_core" and inside(imported) & topics.keys():
            out.add(("_core imports a topic", name))
        if topic in topics and (
            {"cli", "lecture"} & inside(imported) or imported.intersection(FACADES)
        ):
            out.add(("a topic imports what is above it", name))
    try:
        imports.levels(topics)
    except ValueError:
        out.add(("a circle", ""))
    return out


def test_the_source_keeps_the_rules():
    assert broken(FOUND) == set()


def test_no_topic_uses_what_another_does_not_export():
    assert imports.private_uses() == set()


def test_importing_a_module_changes_nothing_of_others():
    assert imports.effects() == set()


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Copy the package for all that add to it: what nobody touches is parsed once."""
    copy = tmp_path_factory.mktemp("copied") / "chalkgrad"
    shutil.copytree(imports.PACKAGE, copy, ignore=shutil.ignore_patterns("*.npz"))
    return copy


@pytest.fixture
def plant(copy):
    """Add lines to a module of the copy until the test ends; return where it is."""
    before = {}

    def add(file, lines):
        path = copy / file
        before[path] = path.read_text("utf-8")
        path.write_text(f"{before[path]}\n\n{lines}\n", "utf-8")
        return copy

    yield add
    for path, text in before.items():
        path.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("line", "used"),
    [
        ("from chalkgrad.schedules._shared import _check", "schedules._shared._check"),
        (
            "from chalkgrad.schedules import _shared as s\ns._check(1)",
            "schedules._shared._check",
        ),
        ("from chalkgrad._core.numbers import _is_one", "_core.numbers._is_one"),
        ("from chalkgrad.schedules._shared import cosine", None),
        ("from chalkgrad.schedules import _shared as s\ns.cosine(1, steps=2)", None),
        ("from chalkgrad.hardware._shared import _ones", None),  # its own
    ],
)
def test_a_private_name_is_noticed(line, used, plant):
    # `test_no_topic_uses_what_another_does_not_export`: the source has none.
    found = imports.private_uses(plant("hardware/_shared.py", line))
    assert found == ({("hardware._shared", used)} if used else set())


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("check.number = None", True),
        ("type(check).kinds += (1,)", True),
        ("setattr(check, 'number', None)", True),
        ("Machine.unit = 'GB/s'", False),
        ("def f(): check.number = None", False),
    ],
)
def test_an_import_for_effect_is_noticed(line, is_one, plant):
    found = imports.effects(plant("hardware/_shared.py", line))
    assert ("hardware._shared" in found) == is_one


PLANTED = {
    "losses/_numpy.py": ("    import torch", "torch outside of a twin"),
    "data/_shared.py": ("    from torch import Tensor", "torch outside of a twin"),
    "network/_numpy.py": (
        "    from chalkgrad.losses import _torch",
        "a twin outside of a twin",
    ),
    "_core/check.py": (
        "    from chalkgrad.losses._numpy import mse",
        "_core imports a topic",
    ),
    "line_search/_shared.py": (
        "    import chalkgrad.numpy as cg",
        "a topic imports what is above it",
    ),
    "training/_log.py": (
        "    from chalkgrad.cli import _show",
        "a topic imports what is above it",
    ),
    "activations/_torch.py": ("    from chalkgrad.network import _torch", "a circle"),
    "optimizers/_numpy.py": (
        '    importlib.import_module(f"chalkgrad.training._{backend}")',
        "a circle",
    ),
}


@pytest.mark.parametrize("file", PLANTED)
def test_a_broken_rule_is_noticed(file, plant):
    line, rule = PLANTED[file]
    found = imports.imports(plant(file, f"def planted(backend):\n{line}"))
    assert {rule for rule, _ in broken(found)} == {rule}


def test_names_are_read_in_every_form():
    assert "chalkgrad._core.check" in FOUND["losses._loss"]
    assert "chalkgrad.autodiff._numpy" in FOUND["losses._numpy"]
    assert "optimizers" in EDGES["training"]  # by import_module
    assert "torch" in FOUND["cli._bench"]  # in a function


def test_what_follows_from_others_is_left_out():
    edges = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert imports.direct_edges(edges) == {("a", "b"), ("b", "c")}
    assert imports.levels(edges) == {"c": 0, "b": 1, "a": 2}


def test_no_arrow_goes_through_a_box_and_no_two_topics_share_a_place():
    arrows = imports.direct_edges(EDGES)
    places = architecture._place(arrows, imports.levels(EDGES))
    assert len(set(places.values())) == len(places)
    for (upper, lower), at in product(arrows, places.values()):
        assert places[upper][1] > places[lower][1]
        assert not architecture._across((*places[upper], *places[lower]), *at)


def test_the_words_of_the_figure_name_the_arrows():
    page = (sources.DOCS / "reference/architecture.md").read_text("utf-8")
    words = page.partition("![")[2].partition("](figure:")[0]
    below: dict[str, list[str]] = {}
    for upper, lower in sorted(imports.direct_edges(EDGES)):
        below.setdefault(upper, []).append(lower)
    told = "; ".join(f"{upper} on {', '.join(them)}" for upper, them in below.items())
    named = {topic for arrow in imports.direct_edges(EDGES) for topic in arrow}
    assert told in words
    assert f"On no other topic: {', '.join(sorted(EDGES.keys() - named))}." in words


# --- Functions that can be read -------------------------------------------------------


def code_lines(function, text):
    """Count the lines of a function without docstrings, comments and empty lines."""
    own = {
        number
        for node in ast.walk(function)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)
        for number in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    lines = text.splitlines()
    numbers = range(function.lineno, function.end_lineno + 1)
    kept = (lines[n - 1].strip() for n in numbers if n not in own)
    return sum(bool(line) and not line.startswith("#") for line in kept)


def long_functions(root, most):
    for path in sorted(root.rglob("*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(sources.tree(path)):
            if isinstance(node, ast.FunctionDef) and code_lines(node, text) > most:
                yield f"{path.relative_to(root).as_posix()}: {node.name}"


def test_no_function_has_more_than_a_hundred_lines_of_code():
    found = long_functions(sources.SOURCE, 100)
    # The catalogues of the judge are tables within functions.
    assert [name for name in found if not name.startswith("chalkgrad/judge/")] == []


def test_a_long_function_is_noticed_by_its_code_alone(tmp_path):
    code = "\n".join(f"    x = {i}" for i in range(100))
    for name, first in {
        "long": "x = 1",
        "short": '"""Words."""\n\n    # More.',
    }.items():
        (tmp_path / f"{name}.py").write_text(f"def {name}():\n    {first}\n{code}\n")
    assert list(long_functions(tmp_path, 100)) == ["long.py: long", "short.py: short"]
    assert list(long_functions(tmp_path, 101)) == ["long.py: long"]
