"""The foot of a page: what it can be taken along as."""

from pathlib import Path

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from chalkdocs.page_errors import source_of
from chalkdocs.sources import DOCS
from chalkgrad.lecture._reading import LECTURE, TABS, Tab

PARTS = ("traditional-ml", "perceptron", "training", "how-to")


def readings(text: str) -> dict[str, Tab]:
    """Return the backends that a page is read with; "" where it has one reading."""
    names = {tab: backend for backend, tab in TABS.items()}
    return {names.get(tab, ""): tab for tab in LECTURE.readings(text)}


def is_taken(page: Path) -> bool:
    """Whether a page can be taken along: it computes, in the lecture or a how-to."""
    inside = page.relative_to(DOCS)
    if inside.parts[0] not in PARTS:
        return False
    text = page.read_text("utf-8")
    # A page with longer fences shows how pages are written.
    return "```pycon" in text and "````" not in text


def links(page: Path) -> str:
    """Write the foot of a page: what it can be taken as, and in which backend."""
    found, stem = readings(page.read_text("utf-8")), page.stem
    rows = dict[str, str]()
    for kind, end in (("Notebook", "ipynb"), ("Script", "py")):
        names = {f"{stem}.{backend}.{end}": tab.name for backend, tab in found.items()}
        if "" in found:
            names = {f"{stem}.{end}": f".{end}"}
        rows[kind] = " ".join(_link(name, words) for name, words in names.items())
    rows["Text"] = _link(f"{stem}.md", "Markdown")
    each = (f"<div><dt>{kind}</dt><dd>{row}</dd></div>" for kind, row in rows.items())
    return f'<dl class="facts take-along" data-search-exclude>{"".join(each)}</dl>'


def _link(name: str, words: str) -> str:
    return f'<a href="{name}" download>{words}</a>'


class PageFeet(Preprocessor):
    """Put the links below a page."""

    def __init__(self, md: Markdown, lines: list[str]) -> None:
        super().__init__(md)
        self.lines = lines

    def run(self, lines: list[str]) -> list[str]:
        """Return the lines of a page with its foot."""
        page = source_of("\n".join(self.lines))
        return [*lines, "", links(page)] if page and is_taken(page) else lines
