"""The head of a page of the lecture says where, what for, and how long."""

import re
from pathlib import Path

import markdown
import pytest

from chalkdocs import chapters, front_matter, navigation
from chalkdocs.sources import DOCS

LECTURE = [Path(page) for part, page in navigation.pages() if part in chapters.PARTS]


@pytest.mark.parametrize("page", LECTURE, ids=str)
def test_a_page_of_the_lecture_says_what_it_needs_and_begins_with_a_lead(page):
    text = (DOCS / page).read_text("utf-8")
    assert front_matter.read(text)["needs"]
    below = text.split(f"# {front_matter.title(DOCS / page)}\n\n", 1)[1]
    assert re.match(r"[A-Z*]", below), "what stands below the heading is the lead"
    found = chapters.facts(DOCS, page)
    for key in front_matter.read(text).get("claims", []):
        assert f"#claim-{key.lower()})" in found
    assert re.search(r"<dd markdown=\"span\">\d+ minutes</dd>", found)


def test_a_page_is_found_by_its_text_and_given_its_head():
    page = DOCS / "training/gradient-descent.md"
    body = page.read_text("utf-8").split("\n---\n", 1)[1].split("## One step")[0]
    lines = page.read_text("utf-8").split("\n---\n", 1)[1].splitlines()
    head = "\n".join(chapters.ChapterHeads(markdown.Markdown()).run(lines))
    assert head.startswith('<p class="eyebrow">Training · 2 of 13</p>\n\n# Gradient')
    assert "how far?\n{: .lead }\n\n<dl" in head
    assert head.endswith("\n".join(lines[-20:]))
    # Text that is no whole page of the lecture stays as it is.
    for other in (body, "# Gradient descent\n\nWords.", "Words.", ""):
        assert (
            chapters.ChapterHeads(markdown.Markdown()).run(other.splitlines())
            == other.splitlines()
        )


def test_time_is_counted_by_words_and_snippets():
    words = "word " * 1000
    assert chapters.minutes(words) == 5
    assert chapters.minutes(words * 3) == 15
    snippet = "\n\n```pycon\n>>> 1 + 1  # " + words + "\n2\n```\n\n"
    assert chapters.minutes(words * 2 + snippet * 10) == 15
    assert chapters.minutes(f"![{words * 9}](figure:a.b)\n") == 5


def test_only_pages_of_the_lecture_have_a_place():
    assert chapters.place(Path("perceptron/depth.md")) == "The perceptron · 5 of 5"
    assert chapters.place(Path("reference/claims.md")) == ""
    assert len({chapters.place(page) for page in LECTURE}) == len(LECTURE)
