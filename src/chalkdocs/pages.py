"""What the pages say about themselves, read from their Markdown.

An extension of Python-Markdown sees one page. What is made from all of them, the
ledger, the slides and the bibliography, asks here.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from chalkdocs.sources import once

_FRONT = re.compile(r"\A---\n(.*?)^---\n", re.M | re.S)


@lru_cache(maxsize=1000)
def front(text: str) -> dict[str, Any]:
    """Return the front matter of a page."""
    found = _FRONT.match(text)
    return (yaml.safe_load(found[1]) or {}) if found else {}


@once
def title(path: Path) -> str:
    """Return the heading of a page, or of a lab, which is a script with cells."""
    mark = "# # " if path.suffix == ".py" else "# "
    lines = _FRONT.sub("", path.read_text("utf-8")).splitlines()
    heads = (line.removeprefix(mark) for line in lines if line.startswith(mark))
    return next(heads, path.stem)


def relative(target: Path, page: Path) -> str:
    """Return the path from one page to another, both relative to their folder."""
    return "../" * (len(page.parts) - 1) + target.as_posix()
