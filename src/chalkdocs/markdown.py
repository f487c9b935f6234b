"""The features of our pages, as a Python-Markdown extension.

Any site engine that speaks Python-Markdown can build the pages. What a page may hold:

- ``$x$`` and ``$$x$$`` become MathML while the site is built (`formulas`).
- A ``pycon`` block copies as the source alone, without prompts and answers, so that it
  runs where it is pasted: at the prompt, in a notebook, in a file. A line of code that
  is wider than the screen wraps; what was printed never does (`snippets`).
- ``![what it shows](figure:page.function "caption")`` is a figure that code draws
  (`drawings`).
- A word that another page explains leads to its meaning (`glossary`).
- A page of the lecture begins with its place, its lead and its facts (`chapters`), and
  ends with what it can be taken along as (`page_feet`).
- ``!!! claim "G1 · holds"`` judges a claim; the block tells what the deck says
  (`claims`, `ledger`).
- A question with a place to answer is an exercise that checks itself (`exercises`).
- ``<!-- name: argument -->`` asks for what one of `FEATURES` writes: code, tables,
  widgets, commands and what they print (`directives`).

What is wrong on a page stops the build with file, line and remedy (`page_errors`).
"""

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor

from chalkdocs import (
    benchmark_tables,
    bibliography,
    claims,
    commands,
    exercises,
    glossary,
    home,
    install_lines,
    judge_bench,
    ledger,
    reference,
    widget_places,
)
from chalkdocs.chapters import ChapterHeads
from chalkdocs.directives import Directives
from chalkdocs.drawings import Drawings
from chalkdocs.exercises import Exercises
from chalkdocs.formulas import HeadingLabels, set_formulas
from chalkdocs.glossary import TermLinks
from chalkdocs.ledger import ClaimBlocks
from chalkdocs.page_feet import PageFeet
from chalkdocs.snippets import mark_long_lines, mark_snippets

# The modules that offer directives.
FEATURES = (
    benchmark_tables,
    bibliography,
    claims,
    commands,
    exercises,
    glossary,
    home,
    install_lines,
    judge_bench,
    ledger,
    reference,
    widget_places,
)


class _Source(Preprocessor):
    """Keep the Markdown of the page: an error says in which of its lines it is."""

    def __init__(self, md: Markdown, lines: list[str]) -> None:
        super().__init__(md)
        self.lines = lines

    def run(self, lines: list[str]) -> list[str]:
        self.lines[:] = lines
        return lines


class _FormulasAndSnippets(Postprocessor):
    def __init__(self, md: Markdown, lines: list[str]) -> None:
        super().__init__(md)
        self.lines = lines

    def run(self, text: str) -> str:
        return mark_long_lines(mark_snippets(set_formulas(text, self.lines)))


class ChalkExtension(Extension):
    """All of the above."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Markdown's name)
        """Register the steps; the numbers put them around those of other extensions."""
        lines: list[str] = []
        md.preprocessors.register(_Source(md, lines), "chalk-source", 41)
        md.preprocessors.register(ChapterHeads(md), "chalk-heads", 40.5)
        md.preprocessors.register(Exercises(md, lines), "chalk-exercises", 40.4)
        md.preprocessors.register(TermLinks(md, lines), "chalk-terms", 40.2)
        md.preprocessors.register(Directives(md), "chalk-directives", 40)
        md.preprocessors.register(PageFeet(md, lines), "chalk-feet", 39)
        md.treeprocessors.register(ClaimBlocks(md, lines), "chalk-claims", 25)
        # Before this one come the images, by the step called inline, 20.
        md.treeprocessors.register(Drawings(md, lines), "chalk-figures", 15)
        md.treeprocessors.register(HeadingLabels(md), "chalk-labels", 6)  # toc is 5
        last = _FormulasAndSnippets(md, lines)
        md.postprocessors.register(last, "chalk-formulas-and-snippets", 1)


def makeExtension(**settings: object) -> ChalkExtension:  # noqa: N802
    """Return the extension; Python-Markdown looks for this name."""
    return ChalkExtension(**settings)
