"""The glossary: each word with its meaning, where it is explained, and where it is met.

``glossary.toml`` holds the words. A directive writes the page. On a page of the lecture
the first use of a word that another page explains becomes a link to the glossary, whose
title, shown to a reader who points at it, is the meaning. And the pages are checked: a
page uses a word only if it, or a page that it needs, explains it (`find_early_uses`).
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from chalkdocs import chapters, front_matter
from chalkdocs.directives import directive
from chalkdocs.page_errors import source_of
from chalkdocs.sources import DOCS, read_once

WORDS = Path(__file__).with_name("glossary.toml")
PAGE = Path("reference/glossary.md")
_FENCE = re.compile(r"^( *)```.*?^\1```", re.M | re.S)
# What is not prose, or says a word in a way of its own.
_APART = re.compile(
    r"<!--.*?-->|\$\$.*?\$\$|\$[^$\n]+(?:\n[^$\n]+)?\$|`[^`\n]+`|!?\[[^]]*\]"
    r"(?:\([^)]*\)|\[[^]]*\])|<[^>\n]+>|\*\*[^*]+\*\*|\"[^\"\n]*\"",
    re.S,
)
_NO_PROSE = re.compile(r"^ *(#|\||!!!|\?\?\?|===|!\[|<|\{).*$", re.M)
_CODE = re.compile(r"`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$", re.S)
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_LINK = re.compile(r"\]\(([^)#\s]+\.md)")


class Term(NamedTuple):
    """A word of the glossary."""

    term: str
    page: Path
    meaning: str
    also: tuple[str, ...] = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds the word, in any of its forms."""
        return _pattern((self.term, *self.also))


def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    each = "|".join(
        # An abbreviation or a name keeps its capitals.
        re.escape(form).replace("\\ ", r"\s+")
        if any(letter.isupper() for letter in form)
        else f"(?i:{re.escape(form)})".replace("\\ ", r"\s+")
        for form in sorted(forms, key=len, reverse=True)
    )
    return re.compile(rf"(?<![\w-])(?:{each})(?![\w-])")


@read_once
def terms(path: Path) -> dict[str, Term]:
    """Return the words of a glossary by key, in the order of the file."""
    return {
        key: Term(
            entry["term"],
            Path(entry["page"]),
            entry["meaning"],
            tuple(entry.get("also", ())),
        )
        for key, entry in tomllib.loads(path.read_text("utf-8")).items()
    }


def blank(text: str) -> str:
    """Return a page with all but its prose blanked, each line as long as it was."""
    text = re.sub(r"\A---\n.*?^---\n", _spaces, text, flags=re.M | re.S)
    text = _FENCE.sub(_spaces, text)
    return _NO_PROSE.sub(_spaces, _APART.sub(_spaces, text))


def _spaces(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def find_bold(term: Term, text: str) -> int | None:
    """Return where a page says a word in bold, or None."""
    for bold in _BOLD.finditer(_CODE.sub(_spaces, _FENCE.sub(_spaces, text))):
        if term.pattern.search(bold[1]):
            return bold.start()
    return None


def prerequisites(page: Path, docs: Path) -> set[Path]:
    """Return the pages that a page needs, and those that they need in turn."""
    found: set[Path] = set()
    waiting = [page]
    while waiting:
        here = waiting.pop()
        needs = front_matter.read((docs / here).read_text("utf-8")).get("needs", "")
        for link in _LINK.findall(needs):
            target = (docs / here.parent / link).resolve().relative_to(docs.resolve())
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def find_early_uses(page: Path, docs: Path, words: Path = WORDS) -> Iterator[str]:
    """Name the words that a page uses before it, or a page it needs, explains them."""
    text = (docs / page).read_text("utf-8")
    prose, before = blank(text), prerequisites(page, docs)
    for term in terms(words).values():
        use = term.pattern.search(prose)
        if use is None:
            continue
        here = find_bold(term, text)
        if here is not None and here <= use.start():
            continue
        linked = (Path(link).name for link in _LINK.findall(text[: use.start()]))
        if term.page.name in linked:  # a reader has met the way to it
            continue
        earlier = ((docs / other).read_text("utf-8") for other in before)
        if any(find_bold(term, each) is not None for each in earlier):
            continue
        line = text.count("\n", 0, use.start()) + 1
        yield f"{page}:{line}: {use[0]!r} (see {term.page})"


class TermLinks(Preprocessor):
    """Link the first use of each word that another page explains to the glossary."""

    def __init__(self, md: Markdown, source: list[str]) -> None:
        super().__init__(md)
        self.source = source  # of the page as it was written

    def run(self, lines: list[str]) -> list[str]:
        """Return the lines of a page with its links."""
        path = source_of("\n".join(self.source))
        if path is None or not chapters.place(path.relative_to(DOCS)):
            return lines
        return link_terms("\n".join(lines), path.relative_to(DOCS)).splitlines()


def link_terms(text: str, page: Path, words: Path = WORDS) -> str:
    """Return the text of a page with a link at the first use of each word."""
    prose, links = blank(text), list[tuple[int, int, str]]()
    for key, term in terms(words).items():
        if term.page == page or find_bold(term, text) is not None:
            continue
        use = term.pattern.search(prose)
        if use is None or any(a < use.end() and use.start() < b for a, b, _ in links):
            continue
        target = front_matter.relative_link(PAGE, page)
        word = text[use.start() : use.end()]
        link = f'[{word}]({target}#{key} "{term.meaning}"){{ .term }}'
        links.append((use.start(), use.end(), link))
    for start, end, link in sorted(links, reverse=True):
        text = text[:start] + link + text[end:]
    return text


@directive("glossary")
def _write_glossary() -> str:
    lines, words = [], terms(WORDS)
    for key in sorted(words, key=lambda key: words[key].term.lower()):
        term = words[key]
        target = front_matter.relative_link(term.page, PAGE)
        lines.append(
            f"- [](){{ #{key} }}**{term.term}.** {term.meaning} "
            f"[{front_matter.title(DOCS / term.page)}]({target})"
        )
    return "\n".join(lines)
