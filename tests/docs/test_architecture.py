"""The rules of who imports whom, and that the figure and its words tell the truth."""

import shutil
from itertools import product

import pytest

from chalkdocs import imports, markdown
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
        if not is_twin and topic != "cli" and "torch" in roots(imported):
            out.add(("torch outside of a twin", name))
        twins = {it for it in imported if it.startswith("chalkgrad.") and "torch" in it}
        if topic in {*topics, "_core"} and not is_twin and twins:
            out.add(("a twin outside of a twin", name))
        if topic == "_core" and inside(imported) & topics.keys():
            out.add(("_core imports a topic", name))
        if topic in topics and (
            "cli" in inside(imported) or imported.intersection(FACADES)
        ):
            out.add(("a topic imports what is above it", name))
    try:
        imports.levels(topics)
    except ValueError:
        out.add(("a circle", ""))
    return out


def test_the_source_keeps_the_rules():
    assert broken(FOUND) == set()


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
    "search/_shared.py": (
        "    import chalkgrad.numpy as cg",
        "a topic imports what is above it",
    ),
    "training/_log.py": (
        "    from chalkgrad.cli import _show",
        "a topic imports what is above it",
    ),
    "activations/_torch.py": ("    from chalkgrad.network import _torch", "a circle"),
    "optimizers/_numpy.py": (
        '    importlib.import_module(f"chalkgrad.training._{half}")',
        "a circle",
    ),
}


@pytest.mark.parametrize("file", PLANTED)
def test_a_broken_rule_is_noticed(file, tmp_path):
    copy = tmp_path / "chalkgrad"
    shutil.copytree(imports.PACKAGE, copy, ignore=shutil.ignore_patterns("*.npz"))
    line, rule = PLANTED[file]
    with (copy / file).open("a", encoding="utf-8") as source:
        source.write(f"\n\ndef planted(half):\n{line}\n")
    assert {rule for rule, _ in broken(imports.imports(copy))} == {rule}


def test_names_are_read_in_every_form():
    assert "chalkgrad._core.check" in FOUND["losses._numpy"]
    assert "chalkgrad.network._numpy" in FOUND["autodiff._rules"]
    assert "optimizers" in EDGES["training"]  # by import_module
    assert "torch" in FOUND["cli._bench"]  # in a function


def test_what_follows_from_others_is_left_out():
    edges = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert imports.direct(edges) == {("a", "b"), ("b", "c")}
    assert imports.levels(edges) == {"c": 0, "b": 1, "a": 2}


def test_no_arrow_goes_through_a_box_and_no_two_topics_share_a_place():
    arrows = imports.direct(EDGES)
    places = architecture._placed(arrows, imports.levels(EDGES))
    assert len(set(places.values())) == len(places)
    for (upper, lower), at in product(arrows, places.values()):
        assert places[upper][1] > places[lower][1]
        assert not architecture._across((*places[upper], *places[lower]), *at)


def test_the_words_of_the_figure_name_the_arrows():
    page = (markdown.DOCS / "reference/architecture.md").read_text("utf-8")
    words = page.partition("![")[2].partition("](figure:")[0]
    below: dict[str, list[str]] = {}
    for upper, lower in sorted(imports.direct(EDGES)):
        below.setdefault(upper, []).append(lower)
    told = "; ".join(f"{upper} on {', '.join(them)}" for upper, them in below.items())
    named = {topic for arrow in imports.direct(EDGES) for topic in arrow}
    assert told in words
    assert f"On no other topic: {', '.join(sorted(EDGES.keys() - named))}." in words
