"""Read the site while it is written: ``python -m chalkdocs.serve``.

An edit of a page builds this page, and those that list what it says; whatever else has
changed builds all of them. What code makes for the pages is made beside: until it is
there, a page shows a box in its place. The site is kept in ``.cache/serve``, so the
next start finds it.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.livereload import LiveReloadServer

from chalkdocs import artifacts, bibliography, claims
from chalkdocs.artifacts import CACHE, HOW_TO, Artifact, PageError
from chalkdocs.markdown import DOCS, LEDGER, SLIDES
from chalkdocs.sources import PACKAGE, ROOT, SOURCE

FOLDER = CACHE / "serve"
SITE = FOLDER / "site"
STATE = FOLDER / "state"  # of all but the pages, when the site was built
NEWS = FOLDER / "news"  # a folder to watch: something has been made
SETTINGS = ROOT / "mkdocs.yml"
LISTS = ("<!-- claims", "<!-- slides", "<!-- bibliography")
log = logging.getLogger("mkdocs.chalkdocs")


def surroundings() -> str:
    """Name the state of all that a page is made from, beside the pages."""
    folders = (SOURCE, ROOT / "benchmarks", HOW_TO, DOCS / "reference")
    files = (path for folder in folders for path in sorted(folder.rglob("*")))
    state = hashlib.sha256(SETTINGS.read_bytes())
    for path in files:
        if path.is_file() and path.suffix not in (".pyc", ".md"):
            state.update(path.read_bytes())
    return state.hexdigest()


def listed() -> str:
    """Return what some pages say of all others."""
    ledger, slides = claims.ledger(DOCS, LEDGER), claims.slides(DOCS, SLIDES)
    return f"{ledger}{slides}{bibliography.citations(DOCS, PACKAGE)}"


class Site:
    """The site as it is served."""

    def __init__(self) -> None:
        artifacts.waits = False
        self.settings = load_config(str(SETTINGS), site_dir=str(SITE), strict=False)
        self.settings.plugins.on_startup(command="serve", dirty=True)
        self.extensions = list(self.settings.markdown_extensions)
        host, port = self.settings.dev_addr
        path = urlsplit(self.settings.site_url or "/").path
        self.url = self.settings.site_url = f"http://{host}:{port}{path}"
        self.server = LiveReloadServer(self.build, host, port, str(SITE), path)
        self.server.error_handler = self._error_page
        self.seen: object = None  # the pages and lists of the last build
        self.lists = listed()
        self.making: threading.Thread | None = None
        # A page alone does not tell where the works are that it cites.
        references: Any = self.settings.plugins["autorefs"]
        for key in bibliography.works(DOCS / bibliography.WORKS):
            place = f"{self.url}{bibliography.PAGE.with_suffix('')}/#{key}"
            references.register_url(key, place)

    def _error_page(self, code: int) -> bytes | None:
        page = SITE / f"{code}.html"
        return page.read_bytes() if page.is_file() else None

    def build(self) -> None:
        """Build the pages that are not there as they should be."""
        now, lists = surroundings(), listed()
        times = {path: path.stat().st_mtime_ns for path in DOCS.rglob("*")}
        if self.seen == (now, lists, times):
            return
        if not STATE.is_file() or STATE.read_text("utf-8") != now:
            STATE.unlink(missing_ok=True)
            self._drop(SITE.rglob("index.html"))
        elif lists != self.lists:
            self._drop(map(self._built, filter(self._is_list, DOCS.rglob("*.md"))))
        index = SITE / "search/search_index.json"
        before = json.loads(index.read_text("utf-8")) if index.is_file() else None
        # Plugins add theirs each time.
        self.settings.markdown_extensions[:] = self.extensions
        build(self.settings, serve_url=self.url, dirty=True)
        if before:
            self._merge(index, before)
        STATE.write_text(now, "utf-8")
        self.seen, self.lists = (now, lists, times), lists
        self._make()

    def _drop(self, pages: Iterable[Path]) -> None:
        """Remove built pages: MkDocs builds those that are missing."""
        for page in list(pages):
            page.unlink(missing_ok=True)

    def _is_list(self, page: Path) -> bool:
        text = page.read_text("utf-8")
        return any(words in text for words in LISTS)

    def _built(self, page: Path) -> Path:
        inside = page.relative_to(DOCS).with_suffix("")
        inside = inside.parent if inside.name == "index" else inside
        return SITE / inside / "index.html"

    def _merge(self, index: Path, before: dict[str, Any]) -> None:
        """Keep what the search knows of the pages that were not built now."""
        found = json.loads(index.read_text("utf-8"))

        def page(entry: dict[str, Any]) -> str:
            return str(entry["location"].partition("#")[0])

        anew = {page(entry) for entry in found["docs"]}
        found["docs"] += [it for it in before["docs"] if page(it) not in anew]
        index.write_text(json.dumps(found), "utf-8")

    def _make(self) -> None:
        """Make what is missing, beside the server."""
        if not (self.making and self.making.is_alive()):
            self.making = threading.Thread(target=self._make_all, daemon=True)
            self.making.start()

    def _make_all(self) -> None:
        try:
            artifacts.make_all(artifacts.artifacts(), self._replace)
        except PageError as error:
            log.error("%s", error)

    def _replace(self, one: Artifact) -> None:
        """Have the pages built anew that wait for something."""
        mark = artifacts.mark(one.kind, one.name)
        pages = SITE.rglob("index.html")
        self._drop(page for page in pages if mark in page.read_text("utf-8"))
        self.seen = None
        (NEWS / "made").write_text(one.name, "utf-8")

    def serve(self) -> None:
        """Build what must be built, and answer until it is stopped."""
        NEWS.mkdir(parents=True, exist_ok=True)
        try:
            self.build()
            for path in (DOCS, SETTINGS, SOURCE, ROOT / "benchmarks/results", NEWS):
                self.server.watch(str(path))
            self.server.serve()  # type: ignore[no-untyped-call]
        except KeyboardInterrupt:
            pass
        finally:
            self.server.shutdown()
            self.settings.plugins.on_shutdown()


if __name__ == "__main__":
    # That only a part is built is what this is for.
    builder = logging.getLogger("mkdocs.commands.build")
    builder.addFilter(lambda record: "'dirty' build" not in str(record.msg))
    logging.basicConfig(level=logging.INFO, format="%(levelname)-7s %(message)s")
    Site().serve()
