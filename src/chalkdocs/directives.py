"""Directives: comments of a page that ask for something, ``<!-- name: argument -->``.

A module offers one by a decorated function that writes Markdown:

    @directive("source")
    def source(name: str) -> str: ...

A function without a parameter writes ``<!-- name -->``, and one with ``inline=True``
writes it within a line of text. Whatever stands in a block of code stays as it is. A
comment that is neither a directive nor a sentence is a mistake and stops the build.
"""

import difflib
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from markdown.preprocessors import Preprocessor

from chalkdocs.page_errors import PageError, at

Write = TypeVar("Write", bound=Callable[..., str])


class Directive(NamedTuple):
    """What writes out a comment."""

    write: Callable[..., str]
    takes_argument: bool
    inline: bool


_DIRECTIVES = dict[str, Directive]()
# One or two small words; a sentence begins with a capital.
_COMMENT = re.compile(r"<!-- (?P<name>[a-z]+(?: [a-z]+)?)(?:: (?P<argument>.+?))? -->")
_IN_LINE = re.compile(rf"(?P<code>`+).*?(?P=code)|{_COMMENT.pattern}")
_FENCE = re.compile(r" *(`{3,}|~{3,})")


def directive(name: str, *, inline: bool = False) -> Callable[[Write], Write]:
    """Register a function as what writes ``<!-- name -->`` or ``<!-- name: … -->``."""

    def register(write: Write) -> Write:
        takes_argument = bool(inspect.signature(write).parameters)
        _DIRECTIVES[name] = Directive(write, takes_argument, inline)
        return write

    return register


def indent(text: str, by: str = "    ") -> str:
    """Indent Markdown, so that it belongs to a tab or to a block."""
    return textwrap.indent(text, by)


def _write(comment: re.Match[str], *, inline: bool) -> str:
    """Write out one comment."""
    name, argument = comment["name"], comment["argument"]
    if name not in _DIRECTIVES:
        near = difflib.get_close_matches(name, _DIRECTIVES, n=1)
        known = near or sorted(_DIRECTIVES)
        raise PageError(
            f"there is no directive {comment[0]}; write {' or '.join(known)}, or begin "
            "a comment for readers of the source with a capital."
        )
    found = _DIRECTIVES[name]
    if found.takes_argument and argument is None:
        raise PageError(f"{comment[0]} says nothing of what; write <!-- {name}: … -->.")
    if argument is not None and not found.takes_argument:
        raise PageError(f"{comment[0]} takes no argument; write <!-- {name} -->.")
    if inline and not found.inline:
        raise PageError(f"{comment[0]} needs a line of its own.")
    return found.write(*([argument] if found.takes_argument else []))


def _write_in_line(found: re.Match[str]) -> str:
    """Write out a comment within a line; code in quotes stays as it is."""
    return found[0] if found["code"] else _write(found, inline=True)


def _is_inline(name: str) -> bool:
    return name in _DIRECTIVES and _DIRECTIVES[name].inline


class Directives(Preprocessor):
    """Write out what comments in the Markdown ask for."""

    def run(self, lines: list[str]) -> list[str]:
        """Return the lines of a page with what its directives write."""
        out: list[str] = []
        fence = ""  # what opened the block of code that a line is in
        for number, line in enumerate(lines, 1):
            if mark := _FENCE.match(line):
                is_end = mark[1].startswith(fence) and not line[mark.end() :].strip()
                fence = ("" if is_end else fence) if fence else mark[1]
            with at(lines, number):
                alone = _COMMENT.fullmatch(line.strip())
                if fence:
                    out.append(line)
                elif alone and not _is_inline(alone["name"]):
                    text = _write(alone, inline=False)
                    before = line[: len(line) - len(line.lstrip())]
                    out += indent(text, before).splitlines()
                else:
                    out.append(_IN_LINE.sub(_write_in_line, line))
        return out
