"""Page, topic, figure and test find each other by name."""

import importlib
import re
from pathlib import Path

import pytest
import yaml

import chalkgrad.numpy as cg

ROOT = Path(__file__).parents[2]
PAGES = {path: path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md")}
TOPICS = sorted(
    path.parent.name
    for pattern in ("_numpy.py", "_shared.py")
    for path in (ROOT / "src/chalkgrad").glob(f"[a-z]*/{pattern}")
)


def front(text):
    found = re.match(r"---\n(.*?)^---\n", text, re.M | re.S)
    return yaml.safe_load(found[1]) if found else {}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_its_reference_page_and_its_place_in_the_package(topic):
    page = PAGES[ROOT / f"docs/reference/{topic}.md"]
    assert front(page)["topic"] == topic
    assert f"<!-- reference: {topic} -->" in page
    assert hasattr(cg, topic)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_says_what_it_is_about_and_of_a_topic_that_exists(path):
    found = front(PAGES[path])
    assert found.get("topic", TOPICS[0]) in TOPICS
    if "decisions" not in path.parts:
        assert found["description"]


def test_every_figure_is_shown_and_every_picture_has_its_function():
    shown = {
        name
        for text in PAGES.values()
        for name in re.findall(r"\(figure:([\w.]+)", text)
    }
    modules = (ROOT / "src/chalkdocs/figures").glob("[a-z]*.py")
    drawn = {
        f"{path.stem}.{name}"
        for path in modules
        if path.stem != "style"
        for name in importlib.import_module(f"chalkdocs.figures.{path.stem}").__all__
    }
    assert shown == drawn


def test_every_paper_that_is_cited_is_in_the_bibliography():
    listed = re.findall(r"\{ #(\w+) \}", PAGES[ROOT / "docs/reference/bibliography.md"])
    assert len(listed) == len(set(listed))
    sources = [p.read_text("utf-8") for p in (ROOT / "src/chalkgrad").rglob("*.py")]
    cited = {
        key
        for text in [*PAGES.values(), *sources]
        for key in re.findall(r"\]\[([a-z]+\d{4}|ghosh|mit6s191|geron)\]", text)
    }
    assert cited <= set(listed)
