"""The ledger of claims as a reader sees it: marks, the tally, cards, and what is left.

A verdict is a sign, a colour and a word, wherever it stands. The claims themselves, and
what was found out, are read by `claims`. All that is written here is Markdown, so that
links hold in any site engine; the scripts of the site only wake it.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor

from chalkdocs import front_matter
from chalkdocs.claims import (
    KINDS,
    VERDICTS,
    ClaimBlock,
    claim_blocks,
    claims,
    is_tested,
    split_condition,
    split_title,
)
from chalkdocs.directives import directive
from chalkdocs.page_errors import at
from chalkdocs.sources import DOCS, read_once

LEDGER = Path("reference/claims.md")
HOME = Path("index.md")
LECTURE = Path(__file__).with_name("lecture.toml")
UNTESTED = "needs no test"  # a definition, or what is read from the deck
# Each sign in a square of 16: a tick, a half-filled circle, a cross, a dash.
_SIGNS = {
    "holds": '<path d="M2.5 8.6 6.3 12.4 13.6 4"/>',
    "holds if": '<circle cx="8" cy="8" r="5.9"/>'
    '<path d="M8 2.1a5.9 5.9 0 0 1 0 11.8z" fill="currentColor" stroke="none"/>',
    "fails as stated": '<path d="m3.4 3.4 9.2 9.2m0-9.2-9.2 9.2"/>',
    UNTESTED: '<path d="M3.5 8h9"/>',
}
_NAMES = dict(zip(VERDICTS, ("holds", "holds-if", "fails"), strict=True))
_NAMES[UNTESTED] = "untested"
_PLURALS = dict(
    zip(VERDICTS, ("hold", "hold under a condition", "fail as stated"), strict=True)
)
ANSWERS = dict(
    zip(VERDICTS, ("It holds", "Only under a condition", "It fails"), strict=True)
)


class Chapter(NamedTuple):
    """A chapter of the lecture."""

    title: str
    about: str
    pages: list[str]
    claims: list[str]
    """Those that its pages judge, in the order of the deck."""


def chapters(docs: Path) -> list[Chapter]:
    """Return the chapters of the lecture, with the claims that each judges."""
    done = claim_blocks(docs)
    found = []
    for one in _lecture(LECTURE):
        judged = [
            k for k in claims() if k in done and done[k].page.as_posix() in one["pages"]
        ]
        found.append(Chapter(one["title"], one["about"], one["pages"], judged))
    return found


@read_once
def _lecture(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["chapter"]
    return found


def _bare(verdict: str) -> str:
    """Return a verdict without its condition."""
    return UNTESTED if verdict == UNTESTED else split_condition(verdict)[0]


def name(verdict: str) -> str:
    """Return one word for a verdict: ``"holds"``, ``"holds-if"`` or ``"fails"``."""
    return _NAMES[_bare(verdict)]


def group(block: ClaimBlock) -> str:
    """Return the verdict under which a claim is counted, if anything was tested."""
    return split_condition(block.verdict)[0] if is_tested(block) else UNTESTED


def mark(verdict: str) -> str:
    """Draw the sign of a verdict."""
    sign = _SIGNS[_bare(verdict)]
    return f'<svg class="mark" viewBox="0 0 16 16" aria-hidden="true">{sign}</svg>'


def stamp(verdict: str, words: str) -> str:
    """Write words in the colour of a verdict, with its sign before them."""
    style = f"verdict verdict-{name(verdict)}"
    return f'<span class="{style}">{mark(verdict)}<span>{words}</span></span>'


def sentence(verdict: str) -> str:
    """Write a verdict as a sentence."""
    return f"{verdict[0].upper()}{verdict[1:]}."


def plural(number: int, word: str) -> str:
    """Write a number and a word: ``2 statements``."""
    return f"{number} {word}{'s' * (number != 1)}"


def verdict_sums(docs: Path) -> str:
    """Say how many tested claims have which verdict, with the signs of the verdicts."""
    found = _sums(docs)
    return " ".join(stamp(v, f"{found[v]} {_PLURALS[v]}") for v in VERDICTS if found[v])


def _sums(docs: Path) -> Counter[str]:
    return Counter(map(group, claim_blocks(docs).values()))


def target(block: ClaimBlock, page: Path) -> str:
    """Return the address of a claim's block, as a link on a page."""
    return f"{front_matter.relative_link(block.page, page)}#claim-{block.id.lower()}"


def tally(docs: Path, page: Path, keys: Iterable[str] | None = None) -> str:
    """Write one mark a claim, each a link to the block that judges it."""
    done, marks = claim_blocks(docs), []
    for key in claims() if keys is None else keys:
        if key in done:
            verdict = group(done[key])
            word = KINDS[done[key].evidence.kind] if verdict == UNTESTED else verdict
            label = f"{key}: {word}"
            traits = f'.verdict-{name(verdict)} title="{label}" aria-label="{label}"'
            marks.append(
                f"- [{mark(verdict)}]({target(done[key], page)}){{ {traits} }}"
            )
    return "\n".join(['<div class="tally" markdown="1">', "", *marks, "", "</div>"])


def cards(docs: Path, page: Path) -> str:
    """Write the ledger: the tally, what chooses among cards, and a card a claim.

    Without a script all cards are there with their verdicts, and nothing to press.
    """
    done, sums = claim_blocks(docs), _sums(docs)
    filters = [f'<button type="button" data-filter="all">All {len(claims())}</button>']
    for verdict in (*VERDICTS, UNTESTED):
        if not sums[verdict]:
            continue
        word = sentence(verdict.removesuffix(" as stated")).rstrip(".")
        words = stamp(verdict, f'<span class="word">{word}</span> {sums[verdict]}')
        filters.append(
            f'<button type="button" data-filter="{name(verdict)}">{words}</button>'
        )
    head = f"""\
<div class="ledger" data-script="ledger" markdown="1">
<div class="board" markdown="1">
<p class="sums">{verdict_sums(docs)}</p>
{tally(docs, page)}
</div>
<div class="tools" role="group" aria-label="Choose statements" hidden>
{"".join(filters)}
<input type="search" placeholder="A word, such as layer" aria-label="Look for a word">
<button type="button" class="guess">Guess first</button>
</div>
<p class="score" role="status"></p>"""
    parts = [head]
    for title, _, _, keys in chapters(docs):
        many = plural(len(keys), "statement")
        anchor = f'{{ #{title.lower().replace(" ", "-")} data-toc-label="{title}" }}'
        parts.append(f"## {title} <small>{many}</small> {anchor}")
        each = "\n".join(_card(done[key], page) for key in keys)
        parts.append(f'<ul class="cards" markdown="1">\n{each}\n</ul>')
    if unjudged := [key for key in claims() if key not in done]:
        parts += ["## Open", f"No page judges {', '.join(unjudged)} yet."]
    return "\n\n".join([*parts, "</div>"])


def _card(block: ClaimBlock, page: Path) -> str:
    """Write one card: the deck's words on the board, what came of them on paper."""
    key, verdict, claim = block.id, block.verdict, claims()[block.id]
    answers = "".join(
        f'<button type="button" data-say="{name(each)}">{words}</button>'
        for each, words in ANSWERS.items()
    )
    traits = f'data-claim="{key}" data-verdict="{name(verdict)}" '
    traits += f'data-group="{name(group(block))}"'
    return f"""\
<li class="card" {traits} markdown="1">
<div class="board" markdown="1">
<p class="topic"><span class="claim-id">{key}</span> {claim.section}</p>
<p class="deck" markdown="span">{claim.statement}</p>
</div>
<div class="found" markdown="1">
<p>{stamp(verdict, sentence(verdict))}</p>
{_evidence(block)}<p class="evidence" markdown="span">
[Run the experiment]({target(block, page)}) · {plural(block.checks, "answer")} compared
</p>
</div>
<div class="ask" role="group" aria-label="What would you say of {key}?" hidden>
{answers}
</div>
</li>"""


def _evidence(block: ClaimBlock) -> str:
    """Write on what a verdict rests, and how far it reaches."""
    kind, words = block.evidence
    head = KINDS[kind].capitalize()
    return f'<p class="reach" markdown="span">**{head}:** {words}</p>\n'


# --- On a page ------------------------------------------------------------------------


class ClaimBlocks(Treeprocessor):
    """Write each claim block: the deck's words on a board, with the verdict."""

    def __init__(self, md: Markdown, lines: list[str]) -> None:
        super().__init__(md)
        self.lines = lines

    def run(self, root: Element) -> None:
        """Write out the claim blocks of a page."""
        for block in root.iter("div"):
            if block.get("class") != "admonition claim":
                continue
            words = "".join(block[0].itertext()).strip()
            with at(self.lines, f'!!! claim "{words}"'):
                key, verdict = split_title(words)
            board = Element("div", {"class": "board"})
            # Not on the block: the theme would name every snippet in it after it, and
            # all their copy buttons would copy the first.
            badge = {"class": "claim-id", "id": f"claim-{key.lower()}"}
            SubElement(board, "span", badge).text = key
            SubElement(board, "p", {"class": "deck"}).text = claims()[key].statement
            below = SubElement(board, "p")
            below.text = self.md.htmlStash.store(stamp(verdict, sentence(verdict)[:-1]))
            block[0] = board


@directive("claims ledger")
def _write_cards() -> str:
    return cards(DOCS, LEDGER)


@directive("claims tally")
def _write_tally() -> str:
    return tally(DOCS, HOME)


@directive("claims sums", inline=True)
def _write_sums() -> str:
    return verdict_sums(DOCS)


@directive("claims number", inline=True)
def _write_number() -> str:
    return str(len(claims()))
