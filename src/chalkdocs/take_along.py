"""A page to take along: as a notebook and as a script, for either backend.

Both are made from the Markdown of the page. Prose stays Markdown, with what surrounds
it flattened; a figure is an attachment; a snippet is a cell without prompts, and the
cell below it compares what came out with what the page prints (`chalkgrad.lecture`). A
script is the same notebook, written by jupytext; `show` prints what a line would show.

``python -m chalkdocs.take_along FOLDER`` writes all of them, as the build does.
"""

import ast
import base64
import doctest
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import jupytext
import nbformat
from markdown import Markdown

import chalkgrad
from chalkdocs import artifacts, claims, front_matter
from chalkdocs.exercises import WORDS, read_questions
from chalkdocs.markdown import ChalkExtension
from chalkdocs.navigation import address, site_url
from chalkdocs.page_feet import is_taken, readings
from chalkdocs.sources import DOCS, read_once
from chalkgrad._core.install import IS_RELEASED, advise
from chalkgrad.judge._exercises import Exercise
from chalkgrad.lecture._reading import LECTURE, TABS, Tab

SITE = site_url()
BIBLIOGRAPHY = f"{SITE}reference/bibliography/"
# What only a browser can show.
_LIVE = re.compile(r"^ *<!-- (widget|judge|home \w+): \S+ -->\n", re.M)
_CONTAINER = re.compile(
    r'(?P<mark>===|!!!|\?\?\?)\+?(?: +(?P<kind>\w+))? +"(?P<title>.*)"'
)
_FENCE = re.compile(r" *(?P<ticks>`{3,}|~{3,}) *(?P<info>.*)")
_NEEDS = re.compile(r"<!-- *doctest-requires:: *(.*?) *-->")
_FIGURE = re.compile(
    r'!\[(?P<alt>[^]]*)\]\(figure:(?P<name>[\w.]+)(?: "(?P<words>.*)")?\)'
)
_LINK = re.compile(r"\]\((?P<path>[^():#\s]*\.(?:md|py|csv))?(?P<anchor>#[\w-]+)?\)")
_ATTACHED = re.compile(r"!\[([^]]*)\]\(attachment:[^)]*\)")
_SHAPE = re.compile(r'viewBox="0 0 ([^"]*)"')
_CITATION = re.compile(r"\]\[(\w+)\]")
_LABEL = re.compile(r"^(#+ .*?) *\{[^}]*\}$", re.M)
_DIRECTIVE = re.compile(r"[ \t]*# doctest:.*")


class Snippet(NamedTuple):
    """A cell of code."""

    examples: list[doctest.Example]
    is_solution: bool


class Words(NamedTuple):
    """A cell of Markdown, with the figures that it shows."""

    text: str
    figures: dict[str, str]


Cells = Iterator[Snippet | Words | Exercise]


# --- Reading a page -------------------------------------------------------------------


class _Reader:
    """Reads a page as the reader of one backend does."""

    def __init__(self, page: Path, tab: Tab) -> None:
        self.page, self.tab = page, tab
        self.words: list[str] = []
        self.figures: dict[str, str] = {}
        self.exercise: Exercise | None = None

    def read(self, text: str) -> Cells:
        """Go through the cells that a page becomes."""
        place = self.page.relative_to(DOCS).with_suffix("").as_posix()
        questions = read_questions(text.splitlines(), place)
        self.exercises = {one.exercise.title: one.exercise for one in questions}
        steps = Markdown(extensions=[ChalkExtension()]).preprocessors
        lines = steps["chalk-directives"].run(_LIVE.sub("", text).splitlines())
        yield from self._walk(lines, is_solution=False)
        yield from self._flush()

    def _flush(self) -> Iterator[Words]:
        text = "\n".join(self.words).strip()
        if text:
            yield Words(text, self.figures)
        self.words, self.figures = [], {}

    def _walk(self, lines: list[str], *, is_solution: bool) -> Cells:
        place, needs = 0, ""
        while place < len(lines):
            line = lines[place]
            if fence := _FENCE.match(line):
                end = _end_of_fence(lines, place, fence["ticks"])
                yield from self._fence(
                    lines[place : end + 1], fence, needs, is_solution
                )
                place, needs = end + 1, ""
            elif container := _CONTAINER.fullmatch(line.strip()):
                end = _end_of_container(lines, place)
                inside = [one[4:] for one in lines[place + 1 : end]]
                yield from self._container(container, inside, is_solution)
                place = end
            else:
                if found := _NEEDS.search(line):
                    needs = found[1]
                else:
                    self.words.append(self._line(line))
                place += 1

    def _fence(
        self, lines: list[str], fence: re.Match[str], needs: str, is_solution: bool
    ) -> Cells:
        word = fence["info"].partition(" ")[2].partition(" ")[0]
        if word == "answer" and self.exercise:
            yield from self._flush()
            yield self.exercise
        elif word == "solution":
            self.words += ["", "```python", *lines[1:], ""]
        if word in WORDS:
            return
        # A page without tabs may be one on PyTorch.
        runs = not needs or (needs == "torch" and self.tab != TABS["numpy"])
        if fence["info"] != "pycon" or not runs:
            self.words += ["", *lines, ""]
            return
        yield from self._flush()
        code = "\n".join(lines[1:-1]) + "\n"
        for shown, statements in LECTURE.imports.items():
            if self.tab in LECTURE.tabs:
                code = code.replace(shown, statements[LECTURE.tabs.index(self.tab)])
        yield Snippet(doctest.DocTestParser().get_examples(code), is_solution)

    def _container(
        self, container: re.Match[str], inside: list[str], is_solution: bool
    ) -> Cells:
        mark, title = container["mark"], container["title"]
        names = {tab.name for tab in LECTURE.tabs}
        if mark == "===" and title in names:
            if title == self.tab.name:
                yield from self._walk(inside, is_solution=is_solution)
            return
        if container["kind"] == "claim":
            key, verdict = claims.split_title(title)
            said = claims.claims()[key].statement
            self.words += ["", f"> **{key}.** {said}", "", f"**{key} {verdict}.**", ""]
            yield from self._walk(inside, is_solution=is_solution)
        elif container["kind"] in ("success", "hint"):
            yield from self._solution(title, inside)
        else:
            self.exercise = self.exercises.get(title)
            self.words += ["", f"**{title}**", ""]
            yield from self._walk(inside, is_solution=is_solution)
        self.words.append("")

    def _solution(self, title: str, inside: list[str]) -> Cells:
        """Fold a hint or a solution: words by HTML, cells by what a notebook knows."""
        yield from self._flush()
        for cell in [*self._walk(inside, is_solution=True), *self._flush()]:
            if isinstance(cell, Words):
                folded = (
                    f"<details><summary>{title}</summary>\n\n{cell.text}\n\n</details>"
                )
                yield Words(folded, cell.figures)
            else:
                yield cell

    def _line(self, line: str) -> str:
        """Write a line of prose for where there is no site around it."""
        if drawn := _FIGURE.fullmatch(line.strip()):
            name = f"{drawn['name']}.svg"
            self.figures[name] = alone(_drawings(drawn["name"])[drawn["name"]])
            caption = f"\n\n*{drawn['words']}*" if drawn["words"] else ""
            return f"![{drawn['alt']}](attachment:{name}){caption}"
        line = _CITATION.sub(rf"]({BIBLIOGRAPHY}#\1)", _LABEL.sub(r"\1", line))
        return _LINK.sub(self._link, line)

    def _link(self, link: re.Match[str]) -> str:
        """Lead to the site."""
        here = self.page.relative_to(DOCS)
        there = DOCS / here.parent / link["path"] if link["path"] else self.page
        target = PurePosixPath(there.resolve().relative_to(DOCS.resolve()).as_posix())
        where = target.as_posix() if target.suffix == ".csv" else address(str(target))
        return f"]({SITE}{where}{link['anchor'] or ''})"


def _end_of_fence(lines: list[str], place: int, ticks: str) -> int:
    ends = (n for n in range(place + 1, len(lines)) if lines[n].strip() == ticks)
    return next(ends, len(lines) - 1)


def _end_of_container(lines: list[str], place: int) -> int:
    after = range(place + 1, len(lines))
    ends = (n for n in after if lines[n].strip() and not lines[n].startswith("    "))
    return next(ends, len(lines))


# --- Figures --------------------------------------------------------------------------


@read_once
def _palettes(sheet: Path) -> dict[str, dict[str, str]]:
    """Return the colours of the site by their names, for each scheme."""
    found: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
    for line in sheet.read_text("utf-8").splitlines():
        name, _, value = line.strip(" ;").partition(": ")
        if name.startswith("--") and value.startswith("#"):
            # The sheet says light before dark.
            scheme = "dark" if name in found["light"] else "light"
            found[scheme].setdefault(name, value)
    return found


def palette(scheme: str) -> dict[str, str]:
    """Return the colours of the site in light or in dark, by their names."""
    return _palettes(DOCS / "assets/css/chalk.css")[scheme]


def _drawings(name: str) -> dict[str, str]:
    return artifacts.figures(name.partition(".")[0])


def alone(drawing: str) -> str:
    """Return a drawing of a page that needs no page around it."""
    colours = palette("light")
    paper, ink = (colours[f"--md-default-{part}-color"] for part in ("bg", "fg"))
    for name, value in colours.items():
        drawing = drawing.replace(f"var({name})", value)
    width, height = _SHAPE.search(drawing)[1].split()  # type: ignore[index]
    size = f'width="{width}pt" height="{height}pt"'
    style = f'style="background: {paper}; color: {ink}; font-family: sans-serif"'
    return drawing.replace("<svg", f"<svg {size} {style}", 1)


# --- Writing --------------------------------------------------------------------------


def _source(example: doctest.Example, *, is_script: bool) -> str:
    """Return a statement as a cell or a script has it."""
    source = "\n".join(_DIRECTIVE.sub("", line) for line in example.source.splitlines())
    if example.exc_msg:
        body = source.replace("\n", "\n    ")
        told = "print(f'{type(error).__name__}: {error}')"
        return f"try:\n    {body}\nexcept Exception as error:\n    {told}"
    (node, *others) = ast.parse(source).body
    if not is_script or not example.want or others or not isinstance(node, ast.Expr):
        return source
    segment = value = ast.get_source_segment(source, node.value) or ""
    if value.startswith("print("):
        return source
    if isinstance(node.value, ast.Tuple) and _is_bare(node.value):
        value = f"({value})"
    # What stands behind the value is a comment.
    before, _, after = source.partition(segment)
    return f"{before}lecture.show({value}){after}"


def _is_bare(value: ast.Tuple) -> bool:
    """Tell whether a tuple begins with its first part, and not with a bracket."""
    start = value.lineno, value.col_offset
    return any((part.lineno, part.col_offset) == start for part in value.elts)


def _answer(example: doctest.Example) -> str:
    """Return what a statement prints, as the page shows it."""
    if example.exc_msg:
        kind, _, words = example.exc_msg.partition(":")
        return f"{kind.rpartition('.')[2]}:{words}"
    return example.want.replace("<BLANKLINE>", "")


def _check(examples: list[doctest.Example]) -> str:
    """Write the line that compares what came out with the page, if there is any."""
    answer = "".join(map(_answer, examples))
    if not answer:
        return ""
    if '"""' in answer or "\\" in answer:
        return f"lecture.check({answer!r})"
    return f'lecture.check("""\n{answer}""")'


def _first(page: Path, backend: str, text: str) -> str:
    """Write the first cell of code: it installs what is missing, and listens."""
    needs_torch = backend == "torch" or (not backend and "torch" in text)
    extras = ["torch"] * needs_torch + ["lecture"]
    wanted = f"chalkgrad[{','.join(extras)}]=={chalkgrad.__version__}"
    install = (
        f'    subprocess.run([sys.executable, "-m", "pip", "install", "{wanted}"], '
        "check=True)"
        if IS_RELEASED
        else f'    raise ModuleNotFoundError("chalkgrad: {advise(",".join(extras))}")'
    )
    name = address(page.relative_to(DOCS).as_posix()).rstrip("/")
    lines = [
        "import importlib.util",
        *["import subprocess", "import sys"] * IS_RELEASED,
        "",
        'if importlib.util.find_spec("chalkgrad") is None:',
        install,
        "",
        "from chalkgrad import lecture",
        "",
        f'lecture.begin("{name}", "{backend}", "{chalkgrad.__version__}")',
    ]
    if backend == "torch":
        lines += ["# On a GPU: import torch; torch.set_default_device('cuda')"]
    return "\n".join(lines)


def _about(page: Path, backend: str) -> str:
    """Say where a notebook comes from."""
    where = SITE + address(page.relative_to(DOCS).as_posix())
    reading = f", with {TABS[backend].name}" if backend else ""
    return (
        f"*From [{where}]({where}){reading}, chalkgrad {chalkgrad.__version__}. "
        "`lecture.check` says nothing if what came out is what the page prints.*"
    )


class Taken:
    """A page as one of its `readings` has it."""

    def __init__(self, page: Path, backend: str) -> None:
        self.page, self.backend = page, backend
        self.text = text = page.read_text("utf-8")
        title, _, rest = front_matter.strip(text).strip().partition("\n")
        reader = _Reader(page, readings(text)[backend])
        head = f"{title}\n\n{_about(page, backend)}\n"
        self.cells = list(reader.read(head + rest))

    def notebook(self, *, is_script: bool = False) -> Any:
        """Make a notebook; that of a script shows values by a function."""
        cells = list[Any]()
        for cell in self.cells:
            if isinstance(cell, Words):
                cells.append(_words_cell(cell))
            elif isinstance(cell, Exercise):
                starter = cell.starter.strip()
                call = f'lecture.try_answer("{cell.id}", """\n{starter}\n""")'
                cells.append(_cell("code", call))
            else:
                cells += _code_cells(cell, is_script=is_script)
            if len(cells) == 1:
                cells.append(_cell("code", _first(self.page, self.backend, self.text)))
        made = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        return finish(nbformat.from_dict(made))

    def script(self) -> str:
        """Make a script; instead of a figure it has what the figure shows."""
        made = self.notebook(is_script=True)
        for cell in made.cells:
            cell.metadata = {}
            cell.source = _ATTACHED.sub(r"*\1*", cell.source)
        made.metadata = {"jupytext": {"notebook_metadata_filter": "-all"}}
        return str(jupytext.writes(made, fmt="py:percent"))


def _cell(kind: str, source: str, **metadata: Any) -> Any:
    """Make a cell; its form is checked once, in the tests, and not at every build."""
    made: dict[str, Any] = {"cell_type": kind, "source": source, "metadata": metadata}
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
    return nbformat.from_dict(made)


def _words_cell(words: Words) -> Any:
    made = _cell("markdown", words.text)
    if words.figures:
        made.attachments = {
            name: {"image/svg+xml": base64.b64encode(drawn.encode()).decode()}
            for name, drawn in words.figures.items()
        }
    return made


def _code_cells(snippet: Snippet, *, is_script: bool) -> Iterator[Any]:
    """Make the cell of a snippet, and the one that compares what came out."""
    hidden = {"source_hidden": True}
    sources = [_source(each, is_script=is_script) for each in snippet.examples]
    folded = {"jupyter": hidden} if snippet.is_solution else {}
    yield _cell("code", "\n".join(sources), **folded)
    if compare := _check(snippet.examples):
        yield _cell("code", compare, jupyter=hidden, tags=["check"])


def finish(made: Any) -> Any:
    """Give a notebook what makes its bytes the same each time."""
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made.metadata = {"kernelspec": kernel}
    return made


def write(page: Path, folder: Path) -> None:
    """Write what a page can be taken as into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = page.read_text("utf-8")
    for backend in readings(text):
        taken = Taken(page, backend)
        stem = ".".join(part for part in (page.stem, backend) if part)
        made = json.dumps(taken.notebook(), indent=1, ensure_ascii=False)
        (folder / f"{stem}.ipynb").write_text(f"{made}\n", "utf-8")
        (folder / f"{stem}.py").write_text(taken.script(), "utf-8")
    (folder / f"{page.stem}.md").write_text(front_matter.strip(text), "utf-8")


if __name__ == "__main__":
    for path in sorted(DOCS.rglob("*.md")):
        if is_taken(path):
            write(path, Path(sys.argv[1]) / address(path.relative_to(DOCS).as_posix()))
