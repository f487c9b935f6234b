"""The head of a page of the lecture: where one is, what one needs, how long it takes.

A page says in its front matter which section of the ``deck`` it treats and what the
reader ``needs``, in Markdown. The paragraph below its heading is the lead. The rest is
counted when the site is built, from the page as it was written.
"""

import re
from pathlib import Path

from markdown.preprocessors import Preprocessor

from chalkdocs import front_matter, navigation
from chalkdocs.claims import claim_blocks
from chalkdocs.ledger import stamp, target
from chalkdocs.page_errors import source_of
from chalkdocs.sources import DOCS

PARTS = ("Traditional ML", "The perceptron", "Training")
WORDS = 200  # that one reads in a minute
SNIPPETS = 2  # that one reads, runs and thinks about in a minute
_FENCE = re.compile(r"^( *)```.*?^\1```", re.M | re.S)
_APART = re.compile(r"<!--.*?-->|!\[[^]]*\]\([^)]*\)", re.S)


def minutes(text: str) -> int:
    """Return how long a page takes, to the nearest five minutes."""
    snippets = len(re.findall(r"^ *```pycon", text, re.M))
    prose = _APART.sub(" ", _FENCE.sub(" ", text))
    exact = len(prose.split()) / WORDS + snippets / SNIPPETS
    return max(5, 5 * round(exact / 5))


def place(page: Path) -> str:
    """Say where a page is: ``Training · 2 of 10``; nothing outside the lecture."""
    for part in PARTS:
        pages = [source for each, source in navigation.pages() if each == part]
        if page.as_posix() in pages:
            return f"{part} · {pages.index(page.as_posix()) + 1} of {len(pages)}"
    return ""


def facts(docs: Path, page: Path) -> str:
    """Write what a page needs, which statements it tests, and how long it takes."""
    text = (docs / page).read_text("utf-8")
    told, done = front_matter.read(text), claim_blocks(docs)
    marks = [
        f"[{stamp(done[key].verdict, key)}]({target(done[key], page)})"
        for key in told.get("claims", [])
    ]
    rows = {
        "From the deck": told.get("deck"),
        "You need": told.get("needs"),
        "Tests": " ".join(marks),
        "Takes": f"{minutes(text)} minutes",
    }
    each = "\n".join(
        f'<div markdown="1"><dt>{name}</dt><dd markdown="span">{words}</dd></div>'
        for name, words in rows.items()
        if words
    )
    return f'<dl class="facts" markdown="1">\n{each}\n</dl>'


class ChapterHeads(Preprocessor):
    """Put the place of a page over its heading, and the facts below its lead."""

    def run(self, lines: list[str]) -> list[str]:
        """Return the lines of a page with its head."""
        first = next((n for n, line in enumerate(lines) if line.strip()), None)
        if first is None or not lines[first].startswith("# "):
            return lines
        path = source_of("\n".join(lines))
        if path is None or not (where := place(path.relative_to(DOCS))):
            return lines
        blank = (n for n in range(first + 2, len(lines)) if not lines[n].strip())
        lead = next(blank, len(lines))
        head = [f'<p class="eyebrow">{where}</p>', "", lines[first]]
        below = ["{: .lead }", "", *facts(DOCS, path.relative_to(DOCS)).splitlines()]
        return [*head, *lines[first + 1 : lead], *below, "", *lines[lead:]]
