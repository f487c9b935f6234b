"""Labs: notebooks that the build runs and turns into pages. A MkDocs hook.

A lab is a Python file in ``docs/labs``, its cells divided by ``# %%``. mkdocs-jupyter
makes a page of each; this hook runs the lab and writes its page as Markdown, so that
formulas, tabs, links, search and copying work as on other pages. What a lab may hold:

- a header ``# ---`` that becomes the front matter of the page;
- cells ``# %% [markdown]``, with all that a page may hold;
- cells of code, shown with what they print and with the value of the last line;
- figures, drawn by Matplotlib in the style of the site. The head of the cell must say
  what they show: ``# %% alt="A line that rises." caption="Rising."``

A lab runs when it, a file that it reaches by its imports, this file or a library has
changed; else what came out the last time is taken from ``.cache/notebooks``. A cell
that fails, or that warns, fails the build.
"""

import asyncio
import hashlib
import html
import inspect
import json
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jinja2 import FileSystemBytecodeCache
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from chalkdocs import artifacts, front_matter, page_feet, take_along
from chalkdocs.artifacts import NotMadeError
from chalkdocs.drawings import describe
from chalkdocs.figures import style
from chalkdocs.page_errors import PageError
from chalkdocs.sources import DOCS, ROOT, digest

CACHE = ROOT / ".cache/notebooks"
TEMPLATES = ROOT / ".cache/templates"
LIBRARIES = ("ipykernel", "jupytext", "matplotlib", "nbclient", "numpy", "torch")
# Runs before the first cell: draw as the figures of the pages are drawn.
PRELUDE = """
from chalkdocs.figures.style import STYLE
from matplotlib_inline.backend_inline import set_matplotlib_formats
%matplotlib inline
set_matplotlib_formats("svg")
import matplotlib
matplotlib.rcParams.update(STYLE | {"figure.figsize": (5.0, 2.9)})  # and a margin
del STYLE, matplotlib, set_matplotlib_formats
"""
LINKS = (
    '<p><a class="md-button" href="{0}.ipynb" download>Download the notebook</a> '
    '<a class="md-button" href="{0}.py" download>Download the script</a></p>'
)


# --- Running --------------------------------------------------------------------------


def cache_path(path: Path) -> Path:
    """Return where a lab is kept that ran in the state of all that comes into it."""
    versions = [platform.python_version(), *map(version, LIBRARIES)]
    how = [PRELUDE, inspect.getsource(_run), *versions]
    state = digest(path, path, Path(style.__file__))
    state = hashlib.sha256(" ".join([state, *how]).encode()).hexdigest()[:16]
    return CACHE / f"{path.stem}.{state}.ipynb"


def execute(path: Path) -> Any:
    """Run a lab, or find what came out when it last ran in the same state."""
    kept = cache_path(path)
    if not kept.is_file():
        artifacts.keep(kept, nbformat.writes(_run(path)).encode())
    return nbformat.read(kept, as_version=4)


def _run(path: Path) -> Any:
    notebook = jupytext.read(path)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(PRELUDE))
    client = NotebookClient(
        notebook,
        timeout=600,
        coalesce_streams=True,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR", "--HistoryManager.enabled=False"],
        resources={"metadata": {"path": str(ROOT)}},
    )
    try:
        # Labs run side by side, and with one thread the sums are the same everywhere.
        alone = {**os.environ, "OMP_NUM_THREADS": "1"}
        asyncio.run(client.async_execute(env=alone))
    except CellExecutionError as error:
        told = re.sub(r"\x1b\[[\d;]*m", "", str(error))
        raise PageError(f"{path.name}: a cell failed.\n{told}") from None
    del notebook.cells[0]
    return notebook


# --- Writing --------------------------------------------------------------------------


def markdown(path: Path) -> str:
    """Write an executed lab as Markdown."""
    if not artifacts.waits and not cache_path(path).is_file():
        return f"# {front_matter.title(path)}\n\n{NotMadeError('lab', path.stem).box}\n"
    parts = []
    for number, cell in enumerate(execute(path).cells):
        if cell.cell_type == "code":
            parts.append(_fence(cell.source, ".python .cell"))
            for i, output in enumerate(cell.outputs):
                where = f"{path.stem}-{number}-{i}"
                parts.append(_output(output, cell.metadata, where))
        else:
            parts.append(cell.source)
    text = "\n\n".join(parts)
    # The links stand below the title.
    return re.sub(
        r"^# .*$", rf"\g<0>\n\n{LINKS.format(path.stem)}", text, count=1, flags=re.M
    )


def _fence(text: str, classes: str) -> str:
    ticks = max(["``", *re.findall("`+", text)], key=len) + "`"
    return f"{ticks} {{ {classes} }}\n{text.rstrip()}\n{ticks}"


def _output(output: Any, cell: Any, where: str) -> str:
    if output.get("name") == "stderr":
        raise PageError(f"{where}: the cell warns:\n{output.text}")
    if output.output_type == "stream":
        return _fence(output.text, ".text .output .no-copy")
    if "image/svg+xml" not in output.data:
        return _fence(output.data["text/plain"], ".text .output .no-copy")
    if not cell.get("alt", "").strip():
        raise PageError(
            f"{where}: the figure has no description; begin its cell with "
            '# %% alt="what it shows".'
        )
    drawing = style.page_svg(output.data["image/svg+xml"], where)
    drawing = describe(drawing, cell.alt)
    caption = html.escape(cell.get("caption", ""), quote=False)
    caption = caption and f"<figcaption>{caption}</figcaption>"
    return f'<figure class="drawing">{drawing}{caption}</figure>'


def clean(path: Path) -> str:
    """Write a lab as a notebook that was never run."""
    notebook = jupytext.read(path)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type != "raw"]
    return str(nbformat.writes(take_along.finish(notebook)))


# --- The hook -------------------------------------------------------------------------


def compile_once(env: Any) -> None:
    """Keep what Jinja makes of the templates, which every build would compile again."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(TEMPLATES))


def on_env(env: Any, config: Any, **__: Any) -> None:
    """Let the search read a page again only when the page has changed.

    The theme's plugin takes a third of a build to parse the pages that were just made.
    """
    compile_once(env)
    index = config.plugins["material/search"].search_index
    read = index.add_entry_from_context

    def add(page: Any) -> None:
        state = [page.url, page.title, page.meta.get("tags"), page.meta.get("search")]
        words = repr([index.config, state, [item.id for item in page.toc]])
        key = hashlib.sha256((words + page.content).encode()).hexdigest()[:24]
        kept = ROOT / f".cache/search/page.{page.url.replace('/', '.')}{key}.json"
        if kept.is_file():
            index.entries += json.loads(kept.read_text("utf-8"))
            return
        before = len(index.entries)
        read(page)
        artifacts.keep(kept, json.dumps(index.entries[before:]).encode())

    index.add_entry_from_context = add


def _lab(file: Any) -> Path | None:
    path = Path(file.src_uri)
    return Path(file.abs_src_path) if path.match("labs/*.py") else None


def on_files(files: Any, config: Any) -> None:
    """Make what the pages show, before any page is written."""
    compile_once(config.plugins["mkdocstrings"].get_handler("python").env)
    if artifacts.waits:
        artifacts.make_all(artifacts.artifacts())
    else:
        for file in files.documentation_pages():
            freeze_state(file)


def on_nav(nav: Any, **_: Any) -> None:
    """Name the pages that are not read now as they are named when they are."""
    for page in nav.pages:
        if not artifacts.waits and page.title is None and not page.file.is_modified():
            page.title = front_matter.title(Path(page.file.abs_src_path))


def freeze_state(file: Any) -> None:
    """Say once whether a page must be built: it may change while others are built."""
    must = file.is_modified()
    file.is_modified = lambda: must


def on_pre_page(page: Any, **_: Any) -> Any:
    """Let MkDocs render the page: mkdocs-jupyter has put its own way in place."""
    if _lab(page.file):
        page.__dict__.pop("render", None)
    return page


def on_page_read_source(page: Any, **_: Any) -> str | None:
    """Give the Markdown of a lab."""
    path = _lab(page.file)
    return markdown(path) if path else None


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Put what a page can be taken as beside it."""
    if path := _lab(page.file):
        folder = Path(page.file.abs_dest_path).parent
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{path.stem}.ipynb").write_text(clean(path), "utf-8")
        (folder / path.name).write_bytes(path.read_bytes())
    elif page_feet.is_taken(source := DOCS / page.file.src_uri):
        take_along.write(source, Path(page.file.abs_dest_path).parent)
    return output
