"""Page, topic, figure and test find each other by name."""

import importlib
import re
from pathlib import Path

import pytest
from pybtex.database import BibliographyDataError

import chalkgrad.numpy as cg
from chalkdocs import reference
from chalkdocs.bibliography import works
from chalkdocs.claims import claims
from chalkdocs.front_matter import read

ROOT = Path(__file__).parents[2]
PAGES = {path: path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md")}
TOPICS = sorted(
    path.parent.name
    for path in (ROOT / "src/chalkgrad").glob("[a-z]*/__init__.py")
    if path.parent.name not in ("cli", "interop", "lecture")
)
WORKS = works(ROOT / "docs/reference/references.bib")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_its_reference_page_and_its_place_in_the_package(topic):
    page = PAGES[ROOT / f"docs/reference/{topic}.md"]
    assert read(page)["topic"] == topic
    assert f"<!-- reference: {topic} -->" in page
    assert hasattr(cg, topic)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_name_of_a_reference_page_is_where_the_page_looks_for_it(topic):
    found = re.findall(r"^::: ([\w.]+)$", reference.reference(topic), re.M)
    module = getattr(cg, topic)
    if topic != "network":
        assert [name.rpartition(".")[2] for name in found] == sorted(
            module.__all__, key=lambda name: (name[0].isupper(), name)
        )
    for name in found:
        place, _, last = name.rpartition(".")
        thing = getattr(importlib.import_module(place), last)
        assert thing.__module__ == place


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_says_what_it_is_about_and_of_a_topic_that_exists(path):
    found = read(PAGES[path])
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


def test_every_section_that_a_page_names_is_one_of_the_deck():
    named = {name for text in PAGES.values() for name in read(text).get("sections", [])}
    assert named <= {claim.section for claim in claims().values()}


def test_every_work_that_is_cited_is_in_the_bibliography_and_the_other_way_round():
    sources = [
        path.read_text("utf-8")
        for pattern in ("src/chalkgrad/**/*.py", "docs/labs/*.py")
        for path in ROOT.glob(pattern)
    ]
    cited = {
        key
        for text in [*PAGES.values(), *sources]
        for key in re.findall(r"\]\[([a-z]+\d{4})\]", text)
    }
    without_year = {"ghosh", "mit6s191", "geron", "desmos", "tds"}
    assert cited | without_year == set(WORKS)
    for key in without_year:
        assert any(f"][{key}]" in text for text in PAGES.values())


@pytest.mark.parametrize("key", WORKS)
def test_every_work_says_who_what_when_and_where_and_is_shown(key):
    work = WORKS[key]
    assert work.persons["author"]
    assert work.fields["title"]
    assert re.fullmatch(r"1[89]\d\d|20\d\d|undated", work.fields["year"])
    venues = "journal booktitle publisher school institution howpublished eprint"
    assert any(venue in work.fields for venue in venues.split())
    shown = f"<!-- bibliography: {work.fields['keywords']} -->"
    assert shown in PAGES[ROOT / "docs/reference/bibliography.md"]


def test_no_work_is_in_the_bibliography_under_two_keys():
    titles = [work.fields["title"].lower() for work in WORKS.values()]
    places = [
        (place, work.fields[place])
        for work in WORKS.values()
        for place in ("doi", "eprint")
        if place in work.fields
    ]
    assert len(titles) == len(set(titles))
    assert len(places) == len(set(places))


def test_a_key_that_comes_twice_stops_the_build(tmp_path):
    twice = tmp_path / "twice.bib"
    twice.write_text("@misc{a1900, title = {A}}\n" * 2)
    with pytest.raises(BibliographyDataError, match="repeated"):
        works(twice)
