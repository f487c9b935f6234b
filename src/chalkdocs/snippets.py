"""Snippets of a page: the text that a button copies, and lines that may wrap."""

import ast
import doctest
import html
import io
import re
import tokenize

from chalkdocs.slices import Names, Use
from chalkdocs.sources import DOCS

RUNTIME = DOCS / "assets/python"
# What a page has not, or may not do; run.js says why.
ELSEWHERE = {"torch", "chalkgrad.torch", "multiprocessing", "concurrent"}

# At the prompt an empty line ends these, and nothing else does.
_BLOCKS = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Match),
    *(ast.For, ast.AsyncFor, ast.While, ast.If),
    *(ast.With, ast.AsyncWith, ast.Try, ast.TryStar),
)


def code_for_prompt(source: str) -> str:
    """Return code as the prompt takes it: no empty line in a block, one after it.

    It stays the same program, in a file and in a notebook too.
    """
    lines = source.splitlines()
    kept: list[str] = []
    after = 0  # the line after the last block
    for node in ast.parse(source).body:
        if isinstance(node, _BLOCKS):
            first, last = _range(node)
            kept += lines[after : first - 1]
            inside = _empty(source) & set(range(first, last))
            kept += [lines[n - 1] for n in range(first, last + 1) if n not in inside]
            kept.append("")
            after = last + 1 if lines[last : last + 1] == [""] else last
    return "\n".join([*kept, *lines[after:]])


def _range(node: ast.stmt) -> tuple[int, int]:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    assert node.end_lineno
    return first, node.end_lineno


def _empty(source: str) -> set[int]:
    """Return the numbers of the empty lines that are no part of a text in quotes."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    ends = (token for token in tokens if token.type == tokenize.NL)
    return {token.start[0] for token in ends if not token.line.strip()}


# --- On a page ------------------------------------------------------------------------

_BLOCK = re.compile(
    r'<div class="language-(pycon|python cell|console) highlight">(.*?)</div>', re.S
)
_CODE = re.compile(r"<code[^>]*>(.*?)</code>", re.S)
_DIRECTIVE = re.compile(r"[ \t]*# doctest:.*")


def _copy_text(kind: str, shown: str) -> str:
    """Return what a block gives to whoever copies it: no prompts and no answers."""
    if kind == "console":
        return "\n".join(re.findall(r"^\$ (.*)", shown, re.M))
    if kind == "pycon":
        examples = doctest.DocTestParser().get_examples(shown)
        shown = _DIRECTIVE.sub("", "".join(each.source for each in examples))
    return code_for_prompt(shown.rstrip())


class _Here:
    """Which names the snippets of a page leave there, where some of them cannot run."""

    def __init__(self) -> None:
        self._names = Names()
        self._made: set[str] = set()
        self._missing: set[str] = set()

    def lacks_names(self, source: str) -> bool:
        """Whether a snippet reads what only one that cannot run in a page makes."""
        try:
            use = Use([(source, "value")], self._names)
        except SyntaxError:
            return False
        lacks = bool(use.reads & self._missing - self._made)
        if lacks or ELSEWHERE & _imports(source):
            self._missing |= use.writes
        else:
            self._made |= use.writes
        return lacks


def _imports(source: str) -> set[str]:
    """Return the packages that a snippet imports, and our backend for PyTorch."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {n if n == "chalkgrad.torch" else n.partition(".")[0] for n in names}


def mark_snippets(text: str) -> str:
    """Give each block to copy its text, and tell whether it can run here."""
    runs = " data-run" if (RUNTIME / "pyodide-lock.json").is_file() else ""
    here = _Here()

    def block(match: re.Match[str]) -> str:
        code = _CODE.search(match[2])
        shown = html.unescape(re.sub(r"<[^>]+>", "", code[1] if code else ""))
        source = _copy_text(match[1], shown)
        copy = html.escape(source).replace("\n", "&#10;")
        can_run = "" if match[1] == "console" else runs
        if can_run and here.lacks_names(source):
            can_run += " data-lacks"
        marks = f' highlight"{can_run} data-copy="{copy}'
        return match[0].replace(" highlight", marks, 1)

    return _BLOCK.sub(block, text)


_LISTING = re.compile(r"(?<=<pre><span></span><code>).*?(?=</code></pre>)", re.S)
_PROMPT = r'(?:<span class="gp">[^<]*</span>)?'
_INDENTED = re.compile(rf'^({_PROMPT})(<span class="w"> +</span>| *)(.*)', re.M)
NARROW = 36  # columns of code on a screen of 320 pixels


def mark_long_lines(text: str) -> str:
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
