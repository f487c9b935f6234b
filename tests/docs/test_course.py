"""The lesson plan: every section of the deck, and nothing that is not there."""

import re
from typing import NamedTuple

import pytest

from chalkdocs.claims import claim_blocks, claims
from chalkdocs.sources import DOCS

COURSE = DOCS / "how-to/course.md"
LINK = re.compile(r"\[([^]]+)\]\(([^)#]+)")


class Row(NamedTuple):
    lesson: str
    page: str
    vote: str
    minutes: str
    exercise: str

    @property
    def section(self):
        found = re.search(r"<small>(.+)</small>", self.page)
        return found and found[1]


ROWS = [
    Row(*(cell.strip() for cell in line.strip("|").split("|")))
    for line in COURSE.read_text("utf-8").splitlines()
    if re.match(r"\| \d", line)
]


def target(cell):
    return (COURSE.parent / LINK.search(cell)[2]).resolve()


def test_every_section_of_the_deck_has_its_time_in_the_order_of_the_deck():
    sections = list(dict.fromkeys(row.section for row in ROWS if row.section))
    assert sections == list(dict.fromkeys(c.section for c in claims().values()))


def test_a_lesson_is_ninety_minutes():
    minutes = dict.fromkeys((row.lesson for row in ROWS), 0)
    for row in ROWS:
        minutes[row.lesson] += int(row.minutes)
    assert list(minutes) == [str(n) for n in range(1, 9)]
    assert set(minutes.values()) == {90}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: target(row.page).stem)
def test_vote_and_exercise_are_on_the_page(row):
    page = target(row.page)
    if row.vote != "–":
        key = LINK.search(row.vote)[1]
        assert target(row.vote) == page == DOCS / claim_blocks(DOCS)[key].page
        assert claims()[key].section == row.section
    if row.exercise != "–":
        assert f'!!! question "{row.exercise}"' in page.read_text("utf-8")
