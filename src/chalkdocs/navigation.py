"""The navigation of the site, as its configuration lists it."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
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


def address(source: str) -> str:
    """Return where the page of a source is, from the root of the site.

    >>> address("training/hardware.md"), address("labs/index.md"), address("index.md")
    ('training/hardware/', 'labs/', '')
    """
    path = PurePosixPath(source).with_suffix("")
    path = path.parent if path.name == "index" else path
    return f"{path}/".removeprefix("./")


def pages() -> list[tuple[str, str]]:
    """Return the section and the source of each page of our site, in its order."""
    return list(walk_nav(_config(ROOT / "mkdocs.yml")["nav"]))


def site_url() -> str:
    """Return the address of our site, with a slash at its end."""
    return str(_config(ROOT / "mkdocs.yml")["site_url"])


@read_once
def _config(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))
