"""Read the site while it is written: ``python -m chalkdocs.serve``.

An edit of a page builds this page, and those that list what it says; whatever else has
changed builds all of them. What code makes for the pages is made beside: until it is
there, a page shows a box in its place. The site is kept in ``.cache/serve``, so the
next start finds it.
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.livereload import LiveReloadServer

from chalkdocs import artifacts, bibliography, claims, ledger
from chalkdocs.artifacts import CACHE, HOW_TO, Artifact
from chalkdocs.claims import SLIDES
from chalkdocs.ledger import LEDGER
from chalkdocs.page_errors import PageError
from chalkdocs.sources import DOCS, PACKAGE, ROOT, SOURCE

FOLDER = CACHE / "serve"
SITE = FOLDER / "site"
STATE = FOLDER / "state.json"  # of all that the site was built from
NEWS = FOLDER / "news"  # a folder to watch: something has been made
HERE = Path(__file__).parent
SETTINGS = ROOT / "mkdocs.yml"
LISTS = ("<!-- claims", "<!-- home", "<!-- slides", "<!-- bibliography")
log = logging.getLogger("mkdocs.chalkdocs")


def source_state() -> str:
    """Name the state of all that a page is made from, beside the pages."""
    folders = (SOURCE, ROOT / "benchmarks", HOW_TO, DOCS / "reference")
    files = (path for folder in folders for path in sorted(folder.rglob("*")))
    state = hashlib.sha256(SETTINGS.read_bytes())
    for path in files:
        if path.is_file() and path.suffix not in (".pyc", ".md"):
            state.update(path.read_bytes())
    return state.hexdigest()


def list_state() -> str:
    """Name what some pages say of all others."""
    tables = ledger.cards(DOCS, LEDGER) + claims.slides_table(DOCS, SLIDES)
    words = f"{tables}{bibliography.citations(DOCS, PACKAGE)}"
    return hashlib.sha256(words.encode()).hexdigest()


def engine_state() -> str:
    """Name the state of what this process has loaded, and will not load again."""
    files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
    ours = {file for file in files if file and file.startswith(str(HERE))}
    contents = (Path(file).read_bytes() for file in sorted(ours))
    return hashlib.sha256(b"".join([SETTINGS.read_bytes(), *contents])).hexdigest()


def site_path(source: Path) -> Path:
    """Return where the site has what a file in ``docs`` becomes."""
    inside = source.relative_to(DOCS)
    if inside.suffix == ".md" or inside.match("labs/*.py"):
        inside = inside.with_suffix("")
        inside = inside.parent if inside.name == "index" else inside
        return SITE / inside / "index.html"
    return SITE / inside


class Site:
    """The site as it is served."""

    def __init__(self) -> None:
        artifacts.waits = False
        self.settings = load_config(str(SETTINGS), site_dir=str(SITE), strict=False)
        # If it knew, the theme's search would keep what it had too, and twice.
        self.settings.plugins.on_startup(command="serve", dirty=False)
        given = self.settings.items()
        self.given = {name: it[:] for name, it in given if isinstance(it, list)}
        host, port = self.settings.dev_addr
        path = urlsplit(self.settings.site_url or "/").path
        self.url = self.settings.site_url = f"http://{host}:{port}{path}"
        self.server = LiveReloadServer(self.build, host, port, str(SITE), path)
        self.server.error_handler = self._error_page
        self.engine = engine_state()
        self.made: list[str] = []  # the marks of what has been made since a build
        self.missing = threading.Event()
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
        if engine_state() != self.engine:
            self._start_anew()
        files = (path for path in sorted(DOCS.rglob("*")) if path.is_file())
        times = {str(path): path.stat().st_mtime_ns for path in files}
        now = {"around": source_state(), "lists": list_state(), "times": times}
        before = json.loads(STATE.read_text("utf-8")) if STATE.is_file() else {}
        if now == before and not self.made:
            return
        if before.get("around") != now["around"]:
            self._drop(SITE.rglob("index.html"))
        else:
            seen = before["times"]
            changed = [name for name in seen if seen[name] != times.get(name)]
            self._drop(site_path(Path(name)) for name in changed)
            if before["lists"] != now["lists"]:
                self._drop(map(site_path, filter(self._is_list, DOCS.rglob("*.md"))))
        made, self.made = self.made, []
        self._drop(page for page in SITE.rglob("index.html") if self._has(page, made))
        index = SITE / "search/search_index.json"
        known = json.loads(index.read_text("utf-8")) if index.is_file() else None
        for name, values in self.given.items():  # plugins add theirs each time
            self.settings[name] = values[:]
        build(self.settings, serve_url=self.url, dirty=True)
        if known:
            self._merge(index, known)
        # The times are those before the build: what was written since is built next.
        artifacts.write(STATE, json.dumps(now).encode())
        self.missing.set()

    def _start_anew(self) -> None:
        """Go on with the engine and the settings as they are now, if they are sound."""
        command = [sys.executable, "-m", "chalkdocs.serve"]
        tried = subprocess.run([*command, "--try"], check=False)
        if tried.returncode:
            raise PageError("the engine does not start as it is now: see above.")
        log.info("The engine has changed: starting anew")
        os.execv(sys.executable, command)

    def _drop(self, files: Iterable[Path]) -> None:
        """Remove what was built: MkDocs builds what is missing."""
        for file in list(files):
            file.unlink(missing_ok=True)

    def _is_list(self, page: Path) -> bool:
        return self._has(page, LISTS)

    def _has(self, page: Path, words: Iterable[str]) -> bool:
        text = page.read_text("utf-8")
        return any(word in text for word in words)

    def _merge(self, index: Path, known: dict[str, Any]) -> None:
        """Keep what the search knows of the pages that were not built now."""
        found = json.loads(index.read_text("utf-8"))

        def page(entry: dict[str, Any]) -> str:
            return str(entry["location"].partition("#")[0])

        anew = {page(entry) for entry in found["docs"]}
        found["docs"] += [
            entry
            for entry in known["docs"]
            if page(entry) not in anew and (SITE / page(entry) / "index.html").is_file()
        ]
        index.write_text(json.dumps(found), "utf-8")

    def _make(self) -> None:
        """Make what is missing after each build, beside the server."""
        while True:
            self.missing.wait()
            self.missing.clear()
            try:
                artifacts.make_all(artifacts.artifacts(), self._replace)
            except PageError as error:
                log.error("%s", error)

    def _replace(self, one: Artifact) -> None:
        """Have the pages built anew that wait for something."""
        self.made.append(artifacts.mark(one.kind, one.name))
        (NEWS / "made").write_text(one.name, "utf-8")

    def serve(self) -> None:
        """Build what must be built, and answer until it is stopped."""
        NEWS.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._make, daemon=True).start()
        try:
            self.build()
            self.missing.set()
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
    site = Site()
    if "--try" not in sys.argv:
        site.serve()
