"""A function is a verb, a view a noun, a predicate `is_` or `has_`: no participles."""

import ast

import pytest

from chalkdocs import sources
from chalkdocs.sources import SOURCE

PACKAGES = ["chalkdocs", "chalkgrad"]
IRREGULAR = """
    begun broken built chosen dealt done drawn driven fallen felt found given gone grown
    held hidden kept known laid left led lost made met paid seen sent shown spent sunk
    taken thrown told torn understood won worn written
"""
# Nouns and verbs that only look like one.
OTHERS = """
    bed docstring embed feed need nothing overfitting scaling seed speed string training
"""


def is_participle(name):
    first, *_ = words = name.strip("_").split("_")
    if name.startswith("__") or first in ("is", "has", "refuse"):
        return False
    return words[-1] not in OTHERS.split() and (
        words[-1].endswith(("ed", "ing")) or words[-1] in IRREGULAR.split()
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_no_function_is_named_by_a_participle(package):
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    found = [
        f"{path.relative_to(SOURCE)}: {node.name}"
        for path in sorted((SOURCE / package).rglob("*.py"))
        if path.parent.name != "judge"  # its names are not settled yet
        for node in ast.walk(sources.tree(path))
        if isinstance(node, functions) and is_participle(node.name)
    ]
    assert found == []


def test_a_participle_is_known_by_its_end():
    assert all(map(is_participle, ("dealt", "_fitted", "for_reading", "shown")))
    assert not any(
        map(is_participle, ("seed", "is_made", "training", "fit", "read_row"))
    )
