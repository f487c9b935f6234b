"""The claims of the lecture, the pages that judge them, and whether they do so here.

A wheel brings the pages that judge claims in ``pages``; a checkout has its ``docs``.
"""

import ast
import doctest
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from chalkgrad.lecture._answers import FLAGS, Checker
from chalkgrad.lecture._reading import LECTURE, TABS, has, print_options, read

__all__ = [
    "STATEMENTS",
    "Block",
    "Verdict",
    "blocks",
    "examples",
    "failures",
    "find_pages",
    "find_verdicts",
    "missing_modules",
]

STATEMENTS = Path(__file__).with_name("claims.toml")
"""What the lecture says, claim by claim."""
_BLOCK = re.compile(r'^(?P<indent> *)!!! claim "(?P<title>[^"]*)"\n', re.M)
_FENCE = re.compile(r"^( *)```pycon[^\n]*\n(.*?)^\1```", re.M | re.S)


class Block(NamedTuple):
    """A block of a page that judges a claim."""

    title: str
    """``G1 · holds if …``"""
    lines: range
    """Where it is on the page."""
    body: str
    """The Markdown below its title."""

    @property
    def answers(self) -> int:
        """How many answers its snippets compare."""
        found = examples(self.body)
        return sum(bool(example.want) for example in found)


class Verdict(NamedTuple):
    """A claim, and where it was judged."""

    verdict: str
    page: Path
    block: Block


def find_pages() -> Path:
    """Return the folder of the pages: in the wheel, or else in the checkout."""
    here = Path(__file__)
    shipped = here.with_name("pages")
    return shipped if shipped.is_dir() else here.parents[3] / "docs"


def blocks(text: str) -> Iterator[Block]:
    """Go through the blocks of a page that judge a claim."""
    for match in _BLOCK.finditer(text):
        inside, body = match["indent"] + "    ", list[str]()
        for line in text[match.end() :].splitlines():
            if line.strip() and not line.startswith(inside):
                break
            body.append(line)
        first = text.count("\n", 0, match.start()) + 1
        lines = range(first, first + 1 + len(body))
        yield Block(match["title"], lines, textwrap.dedent("\n".join(body)))


def examples(text: str) -> list[doctest.Example]:
    """Return the statements of the snippets in Markdown, with their answers."""
    fences = _FENCE.findall(f"{text}\n")
    parser = doctest.DocTestParser()
    return [each for _, code in fences for each in parser.get_examples(code)]


def find_verdicts(pages: Path) -> dict[str, Verdict]:
    """Return the claims that the pages judge, by id."""
    found = dict[str, Verdict]()
    for page in sorted(pages.rglob("*.md")):
        for block in blocks(page.read_text("utf-8")):
            key, _, verdict = block.title.partition(" · ")
            found[key] = Verdict(verdict, page, block)
    return found


def missing_modules(page: Path) -> list[str]:
    """Return what the snippets of a page import and nobody has installed."""
    found = set[str]()
    for example in examples(page.read_text("utf-8")):
        for node in ast.walk(ast.parse(example.source)):
            if isinstance(node, ast.Import):
                found.update(name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    # Of the backends one is enough, and what needs PyTorch says so on the page.
    roots = {name.partition(".")[0] for name in found} - {"torch"}
    return sorted(name for name in roots if not has(name))


class _Runner(doctest.DocTestRunner):
    """Gathers the lines of wrong answers instead of printing them."""

    def __init__(self, checker: doctest.OutputChecker) -> None:
        super().__init__(checker, verbose=False, optionflags=FLAGS)
        self.lines: list[int] = []

    def report_failure(self, *found: Any) -> None:
        """Note where an answer differs."""
        _, _, example, *_ = found
        self.lines.append(example.lineno + 1)

    def report_unexpected_exception(self, *found: Any) -> None:
        """Note where there was none."""
        self.report_failure(*found)


def failures(page: Path, backend: str) -> list[int]:
    """Run a page with one backend; return the lines whose answers differ."""
    tab = TABS[backend]
    text, _ = read(page.read_text("utf-8"), LECTURE, tab)
    test = doctest.DocTestParser().get_doctest(
        text, {"__name__": "__main__"}, page.name, str(page), 0
    )
    others = LECTURE.allows_other_numbers(tab)
    runner = _Runner(Checker(allows_other_numbers=others))
    with print_options(tab):
        runner.run(test)
    return runner.lines
