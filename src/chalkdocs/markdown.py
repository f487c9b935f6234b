"""The features of our pages, as a Python-Markdown extension.

Any site engine that speaks Python-Markdown can build the pages. What a page may hold:

- ``$x$`` and ``$$x$$`` become MathML while the site is built; a formula that does not
  parse fails the build.
- A ``pycon`` block copies as the source alone, without prompts and answers.
- A line of code that is wider than the screen wraps; what was printed never does.
- ``![what it shows](figure:page.function "caption")`` is a figure that code draws.
- ``<!-- widget: bowl -->`` is a thing to move, below the figure that shows the same.
- ``!!! claim "G1 · holds"`` settles a claim; the block tells what the deck says.
- ``<!-- source: optimizers.sgd -->`` shows the function as both halves write it.
- ``<!-- reference: optimizers -->`` documents all that a topic exports.
- ``<!-- table: name -->`` and ``<!-- contests: name -->`` show what a benchmark wrote
  into ``benchmarks/results/name.json``, or say that nobody has run it yet;
  ``<!-- bars: cpu -->`` holds it against the bars for a machine, and
  ``<!-- parity ledger -->`` is the table of what every function is off by.
- ``<!-- command: chalkgrad train -->`` is a command and what it prints; it runs in a
  folder with the tables of ``docs/how-to``, after those before it on the page.
- ``<!-- claims ledger -->`` is the ledger; ``<!-- claims count -->`` and
  ``<!-- claims verdicts -->`` are its sums, within a line; ``<!-- slides -->`` is the
  way from each section of the deck to its pages.
- ``<!-- bibliography: losses -->`` lists the works with that keyword in
  ``docs/reference/references.bib``, each with its anchor and with where it is cited.
"""

import ast
import doctest
import html
import json
import re
import textwrap
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

from chalkdocs import artifacts, bibliography, claims, ledgers, widgets
from chalkdocs.artifacts import NotMadeError, PageError
from chalkdocs.formulas import FormulaError, mathml, plain
from chalkdocs.sources import PACKAGE, ROOT, tree

HERE = Path(__file__).parent
DOCS = ROOT / "docs"
LEDGER = Path("reference/claims.md")
SLIDES = Path("reference/slides.md")
RUNTIME = DOCS / "assets/python"


def _or_box(write: Callable[..., str]) -> Callable[..., str]:
    """Let a box stand for what is not made yet."""

    @wraps(write)
    def written(*arguments: str) -> str:
        try:
            return write(*arguments)
        except NotMadeError as error:
            return error.box

    return written


def indent(text: str, by: str = "    ") -> str:
    """Indent Markdown, so that it belongs to a tab or to a block."""
    return textwrap.indent(text, by)


# --- Formulas -------------------------------------------------------------------------


class _HeadingLabels(Treeprocessor):
    """Let a heading's formula be read in letters in the table of contents."""

    def run(self, root: Element) -> None:
        for heading in root.iter():
            if re.fullmatch("h[1-6]", str(heading.tag)) and any(
                span.get("class") == "arithmatex" for span in heading.iter("span")
            ):
                text = "".join(heading.itertext())
                label = re.sub(r"\\\((.+?)\\\)", lambda tex: plain(tex[1]), text)
                heading.set("data-toc-label", label)


_MATH = re.compile(
    r'<(span|div) class="arithmatex">\s*\\([(\[])(.*?)\\[)\]]\s*</\1>', re.S
)


def _set_formulas(text: str) -> str:
    def formula(match: re.Match[str]) -> str:
        tag, opening, tex = match.groups()
        try:
            out = mathml(html.unescape(tex).strip(), display=opening == "[")
        except FormulaError as error:
            raise PageError(str(error)) from None
        return f'<{tag} class="arithmatex" data-search-exclude>{out}</{tag}>'

    return _MATH.sub(formula, text)


# --- Snippets -------------------------------------------------------------------------

_PYCON = re.compile(r'<div class="language-pycon highlight">(.*?)</div>', re.S)
_CODE = re.compile(r"<code[^>]*>(.*?)</code>", re.S)
_DIRECTIVE = re.compile(r"[ \t]*# doctest:.*")


_CELL = re.compile(r'<div class="language-python cell highlight"')


def _mark_snippets(text: str) -> str:
    """Give each ``pycon`` block the text to copy, and tell whether it can run here.

    So can the cells of a lab, which have no prompts.
    """
    runs = " data-run" if (RUNTIME / "pyodide-lock.json").is_file() else ""

    def block(match: re.Match[str]) -> str:
        code = _CODE.search(match[1])
        shown = html.unescape(re.sub(r"<[^>]+>", "", code[1] if code else ""))
        examples = doctest.DocTestParser().get_examples(shown)
        source = _DIRECTIVE.sub("", "".join(e.source for e in examples)).rstrip()
        copy = html.escape(source).replace("\n", "&#10;")
        marks = f' highlight"{runs} data-copy="{copy}'
        return match[0].replace(" highlight", marks, 1)

    return _PYCON.sub(block, _CELL.sub(rf"\g<0>{runs}", text))


_LISTING = re.compile(r"(?<=<pre><span></span><code>).*?(?=</code></pre>)", re.S)
_PROMPT = r'(?:<span class="gp">[^<]*</span>)?'
_INDENTED = re.compile(rf'^({_PROMPT})(<span class="w"> +</span>| *)(.*)', re.M)
NARROW = 36  # columns of code on a screen of 320 pixels


def _mark_long_lines(text: str) -> str:
    """Mark the lines of code that may have to wrap, from their indentation on.

    The style lets such a line go on below itself. What a program printed is not marked:
    a row of a table would be torn apart.
    """

    def plain(marked: str) -> str:
        return html.unescape(re.sub(r"<[^>]+>", "", marked))

    def line(match: re.Match[str]) -> str:
        prompt, inner, code = match.groups()
        indentation = len(plain(inner))
        room = NARROW - indentation
        printed = "<span" not in code or code.startswith('<span class="go"')
        marked = code.startswith('<span class="long"')
        if printed or marked or len(plain(code)) <= room:
            return match[0]
        if max(map(len, plain(code).split())) > room:  # else it breaks at a space
            code = re.sub(r"(?<=[(\[]</span>)", "<wbr>", code)
        style = f' style="--indent: {indentation}"' if indentation else ""
        return f'{prompt}{inner}<span class="long"{style}>{code}</span>'

    return _LISTING.sub(lambda listing: _INDENTED.sub(line, listing[0]), text)


class _Finish(Postprocessor):
    def run(self, text: str) -> str:
        return _mark_long_lines(_mark_snippets(_set_formulas(text)))


# --- Source and reference of both halves ----------------------------------------------

HALVES = {"NumPy": "_numpy.py", "PyTorch": "_torch.py"}


def _files(topic: str) -> dict[str, Path]:
    """Return the files of a topic: one for each half, or the one that they share."""
    folder = PACKAGE / topic
    if (shared := folder / "_shared.py").is_file():
        return {"both": shared}
    if not folder.is_dir():
        raise PageError(f"there is no topic {topic!r} in {PACKAGE.relative_to(ROOT)}.")
    return {half: folder / file for half, file in HALVES.items()}


def _find(path: Path, name: str) -> ast.FunctionDef | ast.ClassDef:
    """Return a function or class of a file, or a method: ``Network.forward``."""
    node: ast.Module | ast.FunctionDef | ast.ClassDef = tree(path)
    for part in name.split("."):
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef | ast.ClassDef) and inner.name == part:
                node = inner
                break
        else:
            raise PageError(f"{path.relative_to(ROOT)} has no {name}.")
    assert not isinstance(node, ast.Module)
    return node


def _without_docstring(path: Path, name: str) -> str:
    """Return the source of one function or class, which its docstring would drown."""
    node = _find(path, name)
    start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    lines = path.read_text("utf-8").splitlines()[start - 1 : node.end_lineno]
    first = node.body[0]
    if ast.get_docstring(node) is not None and first.end_lineno:
        del lines[first.lineno - start : first.end_lineno - start + 1]
    return textwrap.dedent("\n".join(lines)).replace("\n\n\n", "\n\n")


def source(name: str) -> str:
    """Write ``topic.function`` as Markdown: a tab for each half, or one block."""
    topic, _, function = name.partition(".")
    blocks = {
        half: f'```python title="{path.relative_to(ROOT)}"\n'
        f"{_without_docstring(path, function)}\n```"
        for half, path in _files(topic).items()
    }
    if "both" in blocks:
        return blocks["both"]
    tabs = (f'=== "{half}"\n\n{indent(code)}' for half, code in blocks.items())
    return "\n\n".join(tabs)


def reference(topic: str) -> str:
    """Write the reference of a topic as Markdown: its words, then each public name."""
    files = _files(topic)
    path = next(iter(files.values()))
    module = tree(path)
    parts = [(ast.get_docstring(module) or "").partition("\n")[2].strip()]
    # A class is what a function returns: nobody calls it by its name.
    for name in sorted(_exported(module), key=lambda name: name[0].isupper()):
        label = name if name[0].isupper() else f"cg.{topic}.{name}"
        label = f"cg.{name}" if name == topic else label
        options = indent(f"heading: {label}\ntoc_label: {name}", "      ")
        identifier = f"chalkgrad.{topic}.{path.stem}.{name}"
        parts.append(f"::: {identifier}\n    options:\n{options}")
        if "PyTorch" in files:
            twin = ast.get_docstring(_find(files["PyTorch"], name)) or ""
            if differs := twin.partition("\n")[2].strip():
                parts.append(f"**PyTorch half.** {differs}")
        title = "Source" if "both" in files else "Source of both halves"
        parts.append(f'??? abstract "{title}"\n\n{indent(source(f"{topic}.{name}"))}')
    return "\n\n".join(parts)


def _exported(module: ast.Module) -> list[str]:
    """Return what a module lists in ``__all__``."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


# --- Bibliography and widgets ---------------------------------------------------------


def works(section: str) -> str:
    """Write one section of the bibliography as Markdown."""
    return bibliography.section(section, DOCS, PACKAGE)


@_or_box
def widget(name: str) -> str:
    """Write the place of a widget, with what it is given."""
    if name not in widgets.__all__:
        known = ", ".join(widgets.__all__)
        raise PageError(f"no widget {name!r}; there are {known}.")
    given = json.dumps(artifacts.widgets()[name], separators=(",", ":"))
    return f'<div data-widget="{name}" data-given="{html.escape(given)}"></div>'


# --- Commands -------------------------------------------------------------------------


@_or_box
def command(line: str) -> str:
    """Write a command and what it prints."""
    return f"```console\n$ {line}\n{artifacts.command(line).rstrip()}\n```"


_WRITERS: dict[str, Callable[[str], str]] = {
    "source": source,
    "reference": reference,
    "table": ledgers.table,
    "bars": ledgers.bars,
    "contests": ledgers.contests,
    "bibliography": works,
    "widget": widget,
    "command": command,
}


_SUMS = {
    "<!-- claims count -->": claims.count,
    "<!-- claims verdicts -->": claims.verdicts,
}


class _Directives(Preprocessor):
    """Write out what comments in the Markdown ask for."""

    def run(self, lines: list[str]) -> list[str]:
        out: list[str] = []
        for line in lines:
            found = re.fullmatch(r"( *)<!-- (\w+): (.+?) -->", line)
            if found and found[2] in _WRITERS:
                text = _WRITERS[found[2]](found[3])
                out += indent(text, found[1]).splitlines()
            elif line == "<!-- claims ledger -->":
                out += claims.ledger(DOCS, LEDGER).splitlines()
            elif line == "<!-- parity ledger -->":
                out += ledgers.parity().splitlines()
            elif line == "<!-- slides -->":
                out += claims.slides(DOCS, SLIDES).splitlines()
            else:
                for asked, write in _SUMS.items():
                    if asked in line:
                        line = line.replace(asked, write(DOCS))
                out.append(line)
        return out


# --- Claims ---------------------------------------------------------------------------


class _Claims(Treeprocessor):
    """Give each claim block its anchor, its badge, and the words of the deck."""

    def run(self, root: Element) -> None:
        for block in root.iter("div"):
            if block.get("class") != "admonition claim":
                continue
            title = block[0]
            key, verdict = claims.split_title("".join(title.itertext()).strip())
            title.text, title[:] = f"{verdict[0].upper()}{verdict[1:]}", []
            # Not on the block: the theme would name every snippet in it after it, and
            # all their copy buttons would copy the first.
            badge = {"class": "claim-id", "id": f"claim-{key.lower()}"}
            SubElement(title, "span", badge).text = key
            deck = Element("p", {"class": "claim-statement"})
            deck.text = f"**The deck:** {claims.claims()[key].statement}"
            block.insert(1, deck)


# --- Figures --------------------------------------------------------------------------


@_or_box
def figure(name: str, alt: str) -> str:
    """Return the SVG of ``module.function``, with its description."""
    if not alt.strip():
        raise PageError(f"the figure {name} has no description: ![what it shows](…).")
    module = name.partition(".")[0]
    drawings = artifacts.figures(module)
    if name not in drawings:
        raise PageError(f"no figure {name}; there are {', '.join(sorted(drawings))}.")
    return described(drawings[name], alt)


def described(drawing: str, words: str) -> str:
    """Tell a listener what an SVG shows; the search passes over its numbers."""
    head = f'<svg data-search-exclude role="img" aria-label="{html.escape(words)}"'
    return drawing.replace("<svg", head, 1)


class _Figures(Treeprocessor):
    """Put the drawing where the image ``figure:module.function`` stands."""

    def run(self, root: Element) -> None:
        for place in root.iter("p"):
            images = [i for i in place if i.get("src", "").startswith("figure:")]
            if not images:
                continue
            image = images[0]
            if len(place) > 1 or (place.text or "").strip():
                raise PageError(f"{image.get('src')} needs a paragraph of its own.")
            name = image.get("src", "").removeprefix("figure:")
            drawing = figure(name, image.get("alt", ""))
            caption = image.get("title")
            image.clear()
            place.remove(image)
            place.tag = "figure"
            place.set("class", "drawing")
            assert self.md is not None
            place.text = self.md.htmlStash.store(drawing)
            if caption:
                SubElement(place, "figcaption").text = caption


class ChalkExtension(Extension):
    """All of the above."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Markdown's name)
        """Register the steps; the numbers put them around those of other extensions."""
        md.preprocessors.register(_Directives(md), "chalk-directives", 40)
        md.treeprocessors.register(_Claims(md), "chalk-claims", 25)  # before inline, 20
        md.treeprocessors.register(_Figures(md), "chalk-figures", 15)
        md.treeprocessors.register(_HeadingLabels(md), "chalk-labels", 6)  # toc is 5
        md.postprocessors.register(_Finish(md), "chalk-finish", 1)


def makeExtension(**settings: object) -> ChalkExtension:  # noqa: N802
    """Return the extension; Python-Markdown looks for this name."""
    return ChalkExtension(**settings)
