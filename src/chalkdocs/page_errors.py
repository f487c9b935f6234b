"""What stops the build: a sentence with file, line and remedy.

An extension of Python-Markdown is given the text of a page, not its name, and the site
engine has taken the front matter away before. So the page is looked for when there is
an error: it is the one in ``docs`` that has this text below its front matter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalkdocs.sources import DOCS, ROOT


class PageError(ValueError):
    """Something in a page that can't be built."""


def position(path: Path, line: int) -> str:
    """Write a file and a line as editors read them: ``docs/index.md:3``."""
    inside = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return f"{inside.as_posix()}:{line}"


def source_of(text: str, docs: Path = DOCS) -> Path | None:
    """Return the page that has this text below its front matter, if there is one."""
    body = text.strip("\n")
    for path in sorted(docs.rglob("*.md")) if body else ():
        whole = path.read_text("utf-8").rstrip("\n")
        head = whole.removesuffix(body)
        is_front_matter = head.startswith("---\n") and head.rstrip().endswith("\n---")
        if head != whole and (is_front_matter or not head.strip()):
            return path
    return None


def find(text: str, line: int, docs: Path = DOCS) -> str:
    """Return the position of a line of a page's text in the file of that page."""
    path = source_of(text, docs)
    if path is None:
        return f"line {line}"
    before = len(text) - len(text.lstrip("\n"))
    whole = path.read_text("utf-8").rstrip("\n")
    head = whole.removesuffix(text.strip("\n"))
    return position(path, line - before + head.count("\n"))


@contextmanager
def at(lines: list[str], mark: str | int) -> Iterator[None]:
    """Let an error say where it is: in this line, or in the first that holds a mark."""
    try:
        yield
    except PageError as error:
        number = mark
        if isinstance(mark, str):
            found = (n for n, line in enumerate(lines, 1) if mark in line)
            number = next(found, 1)
        where = find("\n".join(lines), int(number))
        raise type(error)(f"{where}: {error}") from error
