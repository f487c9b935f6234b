"""What the pages say about themselves, read from their Markdown.

An extension of Python-Markdown sees one page. What is made from all of them, the
ledger, the slides and the bibliography, asks here.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from chalkdocs.page_errors import PageError, position
from chalkdocs.sources import read_once

_FRONT = re.compile(r"\A---\n(.*?)^---\n", re.M | re.S)


@lru_cache(maxsize=1000)
def read(text: str) -> dict[str, Any]:
    """Return the front matter of a page."""
    found = _FRONT.match(text)
    return (yaml.safe_load(found[1]) or {}) if found else {}


def strip(text: str) -> str:
    """Return what is below the front matter of a page."""
    return _FRONT.sub("", text)


def require(path: Path) -> dict[str, Any]:
    """Return the front matter of a page that must have some.

    Raises
    ------
    PageError
        If it has none, or none that is YAML.
    """
    text = path.read_text("utf-8")
    if not _FRONT.match(text):
        raise PageError(
            f"{position(path, 1)}: the page has no front matter; begin it with a line "
            "---, a line that says `description: …`, and a second line ---."
        )
    try:
        found = read(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        why = getattr(error, "problem", None) or error
        raise PageError(
            f"{position(path, line)}: the front matter is no YAML: {why}; put what "
            "holds a colon or a bracket into quotes."
        ) from None
    if not isinstance(found, dict):
        raise PageError(
            f"{position(path, 2)}: the front matter must say `name: value` in each "
            "line."
        )
    return found


@read_once
def title(path: Path) -> str:
    """Return the heading of a page, or of a lab, which is a script with cells."""
    mark = "# # " if path.suffix == ".py" else "# "
    lines = strip(path.read_text("utf-8")).splitlines()
    heads = (line.removeprefix(mark) for line in lines if line.startswith(mark))
    return next(heads, path.stem)


def relative_link(target: Path, page: Path) -> str:
    """Return the path from one page to another, both relative to their folder."""
    return "../" * (len(page.parts) - 1) + target.as_posix()
