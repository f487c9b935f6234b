"""Run the snippets of a page as the prompt would; this runs in the reader's browser.

The worker ``docs/assets/js/run-worker.js`` loads this file into Pyodide. It needs the
standard library alone, and also runs outside of a browser: there it is tested.
"""

import ast
import base64
import contextlib
import doctest
import io
import linecache
import math
import re
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable
from typing import Any

# As in the tests of the pages (pyproject.toml).
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
RTOL = 1e-4
ROOM = 100_000  # letters that one run may print: a page can't show more
# Where nobody can see a window, Matplotlib says so.
warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
_NUMBER = re.compile(r"[+-]?\d+\.?\d*(?:e[+-]?\d+)?")


def same(want: str, got: str, flags: int = 0) -> bool:
    """Tell whether an answer is the one on the page.

    Two numbers are the same if they differ by at most 1e-4 of their size. The browser's
    Python is one of 32 bits: an array of integers may say so.
    """
    got = re.sub(r", dtype=int(32|64)", "", got)
    if doctest.OutputChecker().check_output(want, got, FLAGS | flags):
        return True
    if _words(want) != _words(got):
        return False
    pairs = zip(_NUMBER.findall(want), _NUMBER.findall(got), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=RTOL) for a, b in pairs)


def _words(text: str) -> list[str]:
    """Return what is left of a text without its numbers and its blanks."""
    return re.sub(r"([\[\](),])", r" \1 ", _NUMBER.sub("#", text)).split()


class _Out(io.TextIOBase):
    """What a run prints: sent on at once, and kept."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self.send, self.kept, self.room = send, "", ROOM

    def write(self, text: str) -> int:
        if self.room > 0:
            if len(text) > self.room:
                text = f"{text[: self.room]}\n… cut: it prints more than fits here.\n"
            self.send(text)
            self.kept += text
            self.room -= len(text)
        return len(text)


class Snippet:
    """A snippet of a page, with prompts and answers, or what a reader made of it.

    Parameters
    ----------
    page
        The snippet as the page shows it; "" where that has no prompts.
    name
        What its lines are called in a traceback.
    edited
        What to run in its place: lines without prompts.
    """

    def __init__(self, page: str, name: str, edited: str | None = None) -> None:
        self.name = f"<{name}>"
        page = textwrap.dedent(page)
        self.examples = doctest.DocTestParser().get_examples(page)
        self.compared = True
        if edited is not None:
            want = "".join(example.want for example in self.examples)
            self.compared = want != ""
            self.examples = [doctest.Example(edited, want)]
        self.source = "".join(example.source for example in self.examples)
        # For tracebacks: the lines by their number, without prompts.
        text = re.sub(r"^(>>>|\.\.\.) ?", "", page, flags=re.M)
        lines = (text if edited is None else edited).splitlines(keepends=True)
        linecache.cache[self.name] = (0, None, lines, self.name)

    def run(self, names: dict[str, Any], send: Callable[[str], None]) -> dict[str, Any]:
        """Run; tell how it ended.

        ``error`` is a traceback that the page does not show. ``differences`` are the
        answers that the page prints otherwise, each with its line. ``figures`` are what
        Matplotlib drew, PNGs in base64.
        """
        out, error, differences = _Out(send), "", []
        for example in self.examples:
            want, out.kept = example.want, ""
            try:
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                    self._execute(example, names)
                got = out.kept
            except BaseException as raised:  # a reader's code raises what it likes
                told = self._told(raised)
                if example.exc_msg is None:
                    error = told
                    break
                send(told)
                want = example.exc_msg
                got = "".join(traceback.format_exception_only(raised))
            flags = sum(flag for flag, on in example.options.items() if on)
            if self.compared and not same(want, got, flags):
                line = example.lineno + 1
                differences.append({"line": line, "page": want, "here": got})
        return {"error": error, "differences": differences, "figures": _figures()}

    def _execute(self, example: doctest.Example, names: dict[str, Any]) -> None:
        tree = ast.parse(example.source, self.name)
        ast.increment_lineno(tree, example.lineno)
        for statement in tree.body:
            # Compiled as at the prompt, an expression prints its value.
            code = compile(ast.Interactive([statement]), self.name, "single")
            exec(code, names)

    def _told(self, error: BaseException) -> str:
        """Write a traceback, from the line of the snippet on."""
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename != self.name:
            trace = trace.tb_next
        return "".join(traceback.format_exception(type(error), error, trace))


def _figures() -> list[str]:
    """Return what Matplotlib has drawn, and close it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    pictures = []
    for number in pyplot.get_fignums():
        file = io.BytesIO()
        pyplot.figure(number).savefig(file, format="png", dpi=144)
        pictures.append(base64.b64encode(file.getvalue()).decode())
    pyplot.close("all")
    return pictures
