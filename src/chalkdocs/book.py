"""The lecture as a book: an EPUB 3 of the pages of a built site.

``python -m chalkdocs.book site chalkgrad.epub`` takes the article of each page as it
was built, with its formulas as MathML and its figures as SVG, and leaves out what only
a browser can do. A link leads to the page in the book, or else to the site. The same
site is the same bytes.
"""

import html
import sys
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from os import environ
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin

from bs4 import BeautifulSoup, Tag

import chalkgrad
from chalkdocs import front_matter
from chalkdocs.chapters import PARTS
from chalkdocs.navigation import address, pages, site_url
from chalkdocs.sources import DOCS
from chalkdocs.take_along import palette

TITLE = "Deep learning that runs"
APPENDIX = ("reference/claims.md", "reference/glossary.md", "reference/bibliography.md")
# What only a browser can do, or what leads nowhere on paper.
LIVE = (
    ".headerlink, .take-along, .tools, .run-bar, .vote, [data-widget], [data-judge], "
    "script, form, fieldset, button, input, nav"
)
# A parser of HTML writes all names small; SVG in a book has those of XML.
NAMES = {
    name.lower(): name
    for name in (
        *("clipPath", "clipPathUnits", "gradientTransform", "gradientUnits"),
        *("linearGradient", "preserveAspectRatio", "radialGradient", "viewBox"),
    )
}
SPACES = {
    "math": "http://www.w3.org/1998/Math/MathML",
    "svg": "http://www.w3.org/2000/svg",
}
STYLE = """\
:root {{ {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
body {{ background: var(--md-default-bg-color); color: var(--md-default-fg-color);
  line-height: 1.5; }}
a {{ color: var(--md-typeset-a-color); }}
pre {{ background: var(--md-code-bg-color); font-size: 0.8em; padding: 0.6em;
  white-space: pre-wrap; }}
figure {{ margin: 1em 0; page-break-inside: avoid; }}
figure svg {{ font-family: sans-serif; height: auto; max-width: 100%; width: 100%; }}
.mark {{ fill: none; height: 0.9em; stroke: currentColor; stroke-width: 1.6;
  width: 0.9em; }}
.verdict {{ font-weight: bold; }}
.tally li {{ display: inline; }}
figcaption, .facts, .eyebrow {{ color: var(--md-default-fg-color--light);
  font-size: 0.85em; }}
.admonition, details {{ border-left: 0.2em solid var(--fig-3); margin: 1em 0;
  padding-left: 0.8em; }}
.admonition-title, summary, dt, .tab {{ font-weight: bold; }}
table {{ border-collapse: collapse; font-size: 0.85em; }}
td, th {{ border-bottom: 1px solid var(--fig-6); padding: 0.2em 0.5em;
  text-align: left; }}
"""
CHAPTER = """\
<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
  lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" href="book.css"/></head>
<body>{body}</body>
</html>
"""
PACKAGE = """\
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"
  xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{id}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:language>en</dc:language>
<dc:creator>The chalkgrad authors</dc:creator>
<dc:source>{site}</dc:source>
<dc:rights>MIT licence. After the slides "Deep Learning" by Aakash Ghosh, MA5115.\
</dc:rights>
<meta property="dcterms:modified">{time}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityHazard">none</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="css" href="book.css" media-type="text/css"/>
{items}
</manifest>
<spine><itemref idref="nav"/>{spine}</spine>
</package>
"""
CONTAINER = """\
<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf"
  media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""


class Chapter(NamedTuple):
    """A page of the lecture, as a chapter."""

    part: str
    source: str

    @property
    def title(self) -> str:
        """What its heading says."""
        heading = front_matter.title(DOCS / self.source)
        return heading.partition(" {")[0]

    @property
    def name(self) -> str:
        """Its name in the book, without an end."""
        return PurePosixPath(self.source).with_suffix("").as_posix().replace("/", ".")


def chapters() -> list[Chapter]:
    """Return the chapters: the lecture, and what it refers to."""
    lecture = [Chapter(part, page) for part, page in pages() if part in PARTS]
    return [*lecture, *(Chapter("Appendix", page) for page in APPENDIX)]


# --- A chapter ------------------------------------------------------------------------


def content(chapter: Chapter, site: Path) -> str:
    """Return the article of a page, as XHTML."""
    page = site / address(chapter.source) / "index.html"
    article = BeautifulSoup(page.read_text("utf-8"), "html.parser").find("article")
    assert isinstance(article, Tag)
    for live in article.select(LIVE):
        live.decompose()
    for tabs in article.select(".tabbed-set"):
        _flatten(tabs)
    for tag in article.find_all(True):
        _mend(tag)
    for link in article.find_all("a", href=True):
        link["href"] = target(str(link["href"]), chapter)
    article.name = "section"
    return str(article)


def _flatten(tabs: Tag) -> None:
    """Set tabs below each other, each under its name."""
    names = [label.get_text() for label in tabs.select(".tabbed-labels > label")]
    for label in tabs.select(".tabbed-labels"):
        label.decompose()
    for name, block in zip(names, tabs.select(".tabbed-block"), strict=True):
        head = BeautifulSoup(f'<p class="tab">{html.escape(name)}</p>', "html.parser")
        block.insert(0, head)


def _mend(tag: Tag) -> None:
    """Write a tag as XML has it, and without what is for scripts."""
    tag.name = NAMES.get(tag.name, tag.name)
    tag.attrs = {
        NAMES.get(name, name): value
        for name, value in tag.attrs.items()
        if not name.startswith("data-") and name not in ("markdown", "tabindex")
    }
    if tag.name in SPACES:
        tag["xmlns"] = SPACES[tag.name]


def target(link: str, chapter: Chapter) -> str:
    """Return where a link of a page leads: within the book, or on the site.

    >>> here = Chapter("Training", "training/hardware.md")
    >>> target("../gradient-descent/#momentum", here)
    'training.gradient-descent.xhtml#momentum'
    >>> target("../../how-to/judge/", here) == site_url() + "how-to/judge/"
    True
    """
    whole, anchor = urldefrag(urljoin(site_url() + address(chapter.source), link))
    known = {site_url() + address(each.source): each for each in chapters()}
    end = f"#{anchor}" if anchor else ""
    if whole in known:
        return f"{known[whole].name}.xhtml{end}"
    return whole + end


# --- The book -------------------------------------------------------------------------


def style() -> str:
    """Write the style sheet, in the colours of the site."""
    light, dark = (
        "; ".join(f"{name}: {value}" for name, value in palette(scheme).items())
        for scheme in ("light", "dark")
    )
    return STYLE.format(light=light, dark=dark)


def contents() -> str:
    """Write the table of contents."""
    parts = []
    for part, group in groupby(chapters(), key=lambda chapter: chapter.part):
        items = (
            f'<li><a href="{each.name}.xhtml">{html.escape(each.title)}</a></li>'
            for each in group
        )
        parts.append(f"<li><span>{part}</span><ol>{''.join(items)}</ol></li>")
    head = f"<h1>{TITLE}</h1>"
    return f'{head}<nav epub:type="toc"><ol>{"".join(parts)}</ol></nav>'


def files(site: Path) -> Iterator[tuple[str, str]]:
    """Go through the files of the book."""
    yield "META-INF/container.xml", CONTAINER
    items, spine = [], []
    for chapter in chapters():
        body = content(chapter, site)
        kinds = {"mathml": "<math", "svg": "<svg"}
        told = " ".join(kind for kind, mark in kinds.items() if mark in body)
        properties = f' properties="{told}"' if told else ""
        items.append(
            f'<item id="{chapter.name}" href="{chapter.name}.xhtml" '
            f'media-type="application/xhtml+xml"{properties}/>'
        )
        spine.append(f'<itemref idref="{chapter.name}"/>')
        text = CHAPTER.format(title=html.escape(chapter.title), body=body)
        yield f"book/{chapter.name}.xhtml", text
    yield "book/nav.xhtml", CHAPTER.format(title=TITLE, body=contents())
    yield "book/book.css", style()
    name = f"{site_url()} {chalkgrad.__version__}"
    made = datetime.fromtimestamp(int(environ.get("SOURCE_DATE_EPOCH", "0")), UTC)
    yield (
        "book/package.opf",
        PACKAGE.format(
            id=uuid.uuid5(uuid.NAMESPACE_URL, name),
            title=TITLE,
            site=site_url(),
            time=made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            items="\n".join(items),
            spine="".join(spine),
        ),
    )


def write(site: Path, book: Path) -> None:
    """Write the book; a reader asks for the first file, as it is."""
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), "application/epub+zip")
        for name, text in files(site):
            entry = zipfile.ZipInfo(name)  # of 1980, whenever it is made
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
