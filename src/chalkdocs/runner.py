"""Run the snippets of a page as the prompt would; this runs in the reader's browser.

The worker ``docs/assets/js/run-worker.js`` loads this file into Pyodide. It needs the
standard library and chalkgrad, and also runs outside of a browser: there it is tested.
"""

import ast
import base64
import builtins
import contextlib
import doctest
import io
import linecache
import re
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chalkgrad.lecture import _answers

ROOM = 100_000  # letters that one run may print: a page can't show more
# Where nobody can see a window, Matplotlib says so.
warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
_PROMPT = re.compile(r"^ *(>>>|\.\.\.) ?", re.M)


def same(want: str, got: str, flags: int = 0) -> bool:
    """Tell whether an answer is the one on the page.

    The browser's Python is one of 32 bits: an array of integers may say so.
    """
    return _answers.same(want, re.sub(r", dtype=int(32|64)", "", got), flags)


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


class _Asks(BaseException):
    """A snippet asks for a line that nobody has given yet."""


class Snippet:
    """A snippet of a page, with prompts and answers, or what a reader made of it.

    Parameters
    ----------
    page
        The snippet as the page shows it; "" for a cell of a lab, which has no prompts
        and shows the value of its last line alone.
    name
        What its lines are called in a traceback.
    edited
        What to run in its place.
    """

    def __init__(self, page: str, name: str, edited: str | None = None) -> None:
        self.name = f"<{name}>"
        self.is_cell = page == ""
        page = textwrap.dedent(page)
        self.examples = doctest.DocTestParser().get_examples(page)
        self.compared = True
        self.is_typed = edited is not None
        if edited is not None:
            want = "".join(example.want for example in self.examples)
            self.compared = want != ""
            edited = _strip_prompts(edited)
            self.examples = [doctest.Example(edited, want)]
        self.source = "".join(example.source for example in self.examples)
        # For tracebacks: the lines by their number, without prompts.
        text = _PROMPT.sub("", page) if edited is None else edited
        lines = text.splitlines(keepends=True)
        linecache.cache[self.name] = (0, None, lines, self.name)

    def parts(self) -> list[tuple[str, str]]:
        """Return its statements, and what is known of each: ``slices.Use``."""
        kinds = [
            "error" if example.exc_msg else "value" if example.want else ""
            for example in self.examples
        ]
        if self.is_typed:
            kinds = [""]
        sources = (example.source for example in self.examples)
        return list(zip(sources, kinds, strict=True))

    def run(
        self,
        names: dict[str, Any],
        send: Callable[[str], None],
        answers: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Run; tell how it ended.

        ``error`` is a traceback that the page does not show. ``differences`` are the
        answers that the page prints otherwise, each with its line. ``figures`` are what
        Matplotlib drew, PNGs in base64. ``asks`` is there if ``input`` was called once
        more than there are answers: the words before the line that it waits for.
        """
        out, error, differences = _Out(send), "", []
        given = iter(answers)

        def read_line(prompt: object = "", /) -> str:
            out.write(str(prompt))
            for line in given:
                out.write(f"{line}\n")
                return line
            raise _Asks(str(prompt))

        for example in self.examples:
            want, out.kept = example.want, ""
            try:
                with (
                    contextlib.redirect_stdout(out),
                    contextlib.redirect_stderr(out),
                    _line_reader(read_line),
                ):
                    self._execute(example, names)
                got = out.kept
            except _Asks as asked:
                told = {"error": "", "differences": [], "figures": _figures()}
                return {**told, "asks": str(asked)}
            except BaseException as raised:  # a reader's code raises what it likes
                trace = self._trace(raised)
                if example.exc_msg is None:
                    error = trace
                    break
                send(trace)
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
            is_shown = not self.is_cell or statement is tree.body[-1]
            if is_shown and not (
                self.is_cell and example.source.rstrip().endswith(";")
            ):
                code = compile(ast.Interactive([statement]), self.name, "single")
            else:
                code = compile(ast.Module([statement], []), self.name, "exec")
            exec(code, names)

    def _trace(self, error: BaseException) -> str:
        """Write a traceback, from the line of the snippet on."""
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename != self.name:
            trace = trace.tb_next
        return "".join(traceback.format_exception(type(error), error, trace))


@contextlib.contextmanager
def _line_reader(read_line: Callable[..., str]) -> Iterator[None]:
    """Let ``input`` read a line in another way."""
    before, builtins.input = builtins.input, read_line
    try:
        yield
    finally:
        builtins.input = before


def _strip_prompts(text: str) -> str:
    """Return what somebody has typed, or pasted with prompts and answers."""
    if not re.search(r"^ *>>> ", text, re.M):
        return text
    if re.match(r"\s*>>> ", text):
        examples = doctest.DocTestParser().get_examples(textwrap.dedent(text))
        return "".join(example.source for example in examples)
    return _PROMPT.sub("", text)


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
