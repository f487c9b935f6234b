"""The bibliography: BibTeX in, Markdown with anchors out.

``docs/reference/references.bib`` holds the works; pybtex reads and sets them. A page or
a docstring cites one as ``[Cauchy (1847)][cauchy1847]``, which autorefs finds by the
anchor written here. Where a work is cited is read from the pages and the docstrings.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from pybtex.backends.html import Backend
from pybtex.database import parse_file
from pybtex.style.formatting.unsrt import Style

from chalkdocs import front_matter
from chalkdocs.directives import directive
from chalkdocs.page_errors import PageError
from chalkdocs.sources import DOCS, PACKAGE, read_once

PAGE = Path("reference/bibliography.md")
WORKS = Path("reference/references.bib")
_CITATION = re.compile(r"\]\[(\w+)\]")


class BibliographyError(PageError):
    """A section of the bibliography without a work."""


@read_once
def works(path: Path) -> dict[str, Any]:
    """Read a BibTeX file: the works by key. A key that comes twice is an error."""
    return dict(parse_file(path, "bibtex").entries)


def label(work: Any) -> str:
    """Name a work as the text does: ``Robbins and Monro (1951)``."""
    if "shorthand" in work.fields:
        return str(work.fields["shorthand"])
    names = [
        " ".join(person.prelast_names + person.last_names)
        for person in work.persons["author"]
    ]
    if len(names) > 3 or "others" in names:
        names = [names[0], "others"]
    first = f"{', '.join(names[:-1])} and " if names[1:] else ""
    return f"{first}{names[-1]} ({year(work)})"


def year(work: Any) -> str:
    """Return the year of a work, or that it has none."""
    return str(work.fields["year"])


@cache
def _style() -> Any:
    return Style()  # slow: it looks for plugins


def set_work(work: Any) -> str:
    """Set a work as HTML in one line, in BibTeX's style ``unsrt``."""
    text = _style().format_entry("", work).text.render(Backend())
    # pybtex marks what keeps its capitals; nothing of ours needs the mark.
    return re.sub(r"</?span[^>]*>", "", text).replace("\n", " ")


@read_once
def _citation_keys(path: Path) -> list[str]:
    return _CITATION.findall(path.read_text("utf-8"))


def citations(docs: Path, package: Path) -> dict[str, dict[Path, str]]:
    """Return where each key is cited: the pages, and what to call each of them."""
    found: dict[str, dict[Path, str]] = {}
    for path in sorted([*docs.rglob("*.md"), *docs.rglob("*.py")]):
        name = front_matter.title(path)
        for key in _citation_keys(path):
            found.setdefault(key, {})[path.relative_to(docs)] = name
    for path in sorted(package.rglob("*.py")):
        page = Path("reference", f"{path.parent.name}.md")
        if (docs / page).is_file():  # what has no page is read by contributors alone
            for key in _citation_keys(path):
                found.setdefault(key, {})[page] = f"`cg.{path.parent.name}`"
    return found


def section(keyword: str, docs: Path, package: Path) -> str:
    """Write the works of one section as Markdown, by year.

    Raises
    ------
    BibliographyError
        If no work has that keyword.
    """
    here = {
        key: work
        for key, work in works(docs / WORKS).items()
        if work.fields.get("keywords") == keyword
    }
    if not here:
        raise BibliographyError(f"no work in {WORKS} has the keyword {keyword!r}.")
    cited, lines = citations(docs, package), []
    for key, work in sorted(here.items(), key=lambda item: _sort_key(item[1])):
        links = [
            f"[{name}]({front_matter.relative_link(target, PAGE)})"
            for target, name in cited.get(key, {}).items()
            if target != PAGE
        ]
        where = f' <span class="cited">Cited in {", ".join(links)}.</span>' * bool(
            links
        )
        lines.append(f"- [](){{ #{key} }}**{label(work)}.** {set_work(work)}{where}")
    return "\n".join(lines)


@directive("bibliography")
def _write_section(keyword: str) -> str:
    return section(keyword, DOCS, PACKAGE)


def _sort_key(work: Any) -> int:
    """Sort by year, and what has none first."""
    return int(year(work)) if year(work).isdigit() else 0
