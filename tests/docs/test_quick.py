"""What `make quick` chooses: the tests and pages of what changed, and no others."""

import pytest
from tests import quick

from chalkdocs.sources import PACKAGE, ROOT


def chosen(*names):
    paths = quick.chosen([ROOT / name for name in names])
    return {path.relative_to(ROOT).as_posix() for path in paths}


@pytest.mark.parametrize("backend", ["_numpy", "_torch"])
def test_an_optimizer_is_tried_by_its_topic(backend):
    few = chosen(f"src/chalkgrad/optimizers/{backend}.py")
    assert few >= {
        "src/chalkgrad/optimizers",
        "docs/training/adaptive-rates.md",
        "docs/training/gradient-descent.md",
        "docs/reference/optimizers.md",
        "tests/oracles/test_optimizers_by_hand.py",
        "tests/unit/test_interop.py",
        "tests/contract/test_steps.py",
    }
    assert "docs/training/backpropagation.md" not in few
    assert "tests/oracles/test_losses_vs_mpmath.py" not in few


def test_every_topic_is_tried_by_more_than_its_docstrings():
    for folder in PACKAGE.iterdir():
        if (folder / "__init__.py").is_file():
            assert len(chosen(f"src/chalkgrad/{folder.name}/__init__.py")) > 1


def test_a_test_and_a_page_are_tried_themselves():
    names = {"tests/unit/test_line_search.py", "docs/training/hardware.md"}
    assert chosen(*names) == names


def test_the_engine_is_tried_by_what_imports_it():
    assert "tests/docs/test_serve.py" in chosen("src/chalkdocs/serve.py")


def test_the_contract_is_asked_of_the_topic_alone():
    words = quick.commands([PACKAGE / "losses/_numpy.py"])["tests and pages"]
    asked = words[words.index("-k") + 1]
    assert asked.startswith("losses. or not (")
    assert "test_functions" in asked


def test_the_contract_is_asked_of_a_changed_function_and_not_of_its_neighbours(
    monkeypatch,
):
    file = PACKAGE / "optimizers/_numpy.py"
    text = file.read_text("utf-8")
    now = text.replace("if t > wait(beta2):", "if t >= wait(beta2):")
    assert now != text
    assert quick.edited(text, now) == {"radam"}
    assert quick.edited(text, f"{text}\n# A comment.") == set()
    assert "" in quick.edited(text, f"{text}\n_STATE = 0")
    assert quick.edited("", text) >= {"", "adam"}
    calls = "\ndef g(): return f()\ndef h(): return g()\ndef k(): return 0"
    before, after = (f"def f(): return {n}{calls}" for n in "12")
    assert quick.edited(before, after) == {"f", "g", "h"}
    monkeypatch.setattr(quick, "edited", lambda before, now: {"adam"})
    words = quick.commands([file])["tests and pages"]
    asked = words[words.index("-k") + 1]
    assert asked.startswith("optimizers.adam or not (")
    assert asked.endswith(" or [optimizers.)")
