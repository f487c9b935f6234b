"""The navigation of the site, as its configuration lists it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from chalkdocs.sources import ROOT, read_once


def walk_nav(nav: list[Any], section: str = "") -> Iterator[tuple[str, str]]:
    """Go through the navigation: the section and the source of each page."""
    for entry in nav:
        if isinstance(entry, str):
            yield section, entry
        else:
            for title, inside in entry.items():
                if isinstance(inside, str):
                    yield section, inside
                else:
                    yield from walk_nav(inside, title)


def pages() -> list[tuple[str, str]]:
    """Return the section and the source of each page of our site, in its order."""
    return _pages(ROOT / "mkdocs.yml")


@read_once
def _pages(path: Path) -> list[tuple[str, str]]:
    return list(walk_nav(yaml.safe_load(path.read_text("utf-8"))["nav"]))
