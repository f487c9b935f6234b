"""The lesson plan: every section of the deck, and nothing that is not there."""

import re

import pytest

from chalkdocs.claims import claims, settled
from chalkdocs.markdown import DOCS

COURSE = DOCS / "how-to/course.md"
LINK = re.compile(r"\[([^]]+)\]\(([^)#]+)")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in COURSE.read_text("utf-8").splitlines()
    if re.match(r"\| \d", line)
]


def target(cell):
    return (COURSE.parent / LINK.search(cell)[2]).resolve()


def test_every_section_of_the_deck_has_its_time_in_the_order_of_the_deck():
    sections = list(dict.fromkeys(row[1] for row in ROWS if row[1]))
    assert sections == list(dict.fromkeys(c.section for c in claims().values()))


def test_a_lesson_is_ninety_minutes():
    minutes = dict.fromkeys((row[0] for row in ROWS), 0)
    for row in ROWS:
        minutes[row[0]] += int(row[3])
    assert list(minutes) == [str(n) for n in range(1, 9)]
    assert set(minutes.values()) == {90}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: target(row[2]).stem)
def test_vote_and_exercise_are_on_the_page(row):
    page = target(row[2])
    if row[4] != "–":
        key = LINK.search(row[4])[1]
        assert target(row[4]) == page == DOCS / settled(DOCS)[key].page
        assert claims()[key].section == row[1]
    if row[5] != "–":
        assert f'!!! question "{row[5]}"' in page.read_text("utf-8")
