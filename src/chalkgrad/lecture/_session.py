"""What a notebook or a script made of a page does besides the page's own lines.

It listens to what is printed and to the values that a cell shows, and compares them
with what the page prints.
"""

import importlib
import sys
import warnings
from contextlib import ExitStack
from typing import Any, TextIO

import chalkgrad
from chalkgrad.judge import _exercises as exercises
from chalkgrad.lecture._answers import FLAGS, Checker
from chalkgrad.lecture._reading import LECTURE, TABS, print_options

__all__ = ["PageWarning", "begin", "check", "show", "try_answer"]


class PageWarning(UserWarning):
    """What was printed is not what the page prints."""


class _Listener:
    """Stands for a stream, and keeps what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.heard = ""

    def write(self, text: str) -> int:
        self.heard += text
        return self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Session:
    """One page that runs here."""

    def __init__(self, page: str, backend: str, version: str) -> None:
        self.page, self.backend = page, backend or "numpy"
        self.name = f"{page} of chalkgrad {version}"
        tab = TABS.get(backend)
        others = bool(tab and LECTURE.allows_other_numbers(tab))
        self.checker = Checker(allows_other_numbers=others)
        self.options = ExitStack()
        if tab:
            self.options.enter_context(print_options(tab))
        before = sys.stdout
        stream = before.stream if isinstance(before, _Listener) else before
        self.out = _Listener(stream)
        sys.stdout = self.out
        self._hear_values()

    def _hear_values(self) -> None:
        """Keep the value that a cell shows, where IPython shows it."""
        shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
        if shell:
            shell.ast_node_interactivity = "all"  # as at the prompt, each line shows
            shell.display_trap.hook = _Values(self.out, shell.displayhook)


class _Values:
    """Shows a value as IPython does, and keeps it as the prompt prints it."""

    def __init__(self, out: _Listener, hook: Any) -> None:
        self.out, self.hook = out, hook

    def __call__(self, value: object = None) -> None:
        if value is not None:
            self.out.heard += f"{value!r}\n"
        self.hook(value)


_sessions: list[_Session] = []


def begin(page: str, backend: str, version: str) -> None:
    """Listen from now on: the lines below are those of a page.

    Parameters
    ----------
    page
        Its place on the site, such as ``training/hardware``.
    backend
        ``"numpy"``, ``"torch"``, or "" where the page has one reading.
    version
        Of the package that the page was checked with.
    """
    # A process that the page starts would read the script again, and start others.
    vars(sys.modules["__main__"]).pop("__file__", None)
    _sessions[:] = [_Session(page, backend, version)]


def show(value: object) -> None:
    """Print a value as the prompt does: nothing for None.

    >>> show("a")
    'a'
    """
    if value is not None:
        print(repr(value))  # noqa: T201


def check(answer: str) -> None:
    """Compare what was printed since the last check with what the page prints.

    It says nothing if that is the same, to four digits; else it warns with both.
    """
    (session,) = _sessions
    heard, session.out.heard = session.out.heard, ""
    if not session.checker.check_output(answer.lstrip("\n"), heard, FLAGS):
        warnings.warn(
            f"{session.name} prints\n{answer.strip()}\nand here, with chalkgrad "
            f"{chalkgrad.__version__}, it is\n{heard.strip()}",
            PageWarning,
            stacklevel=2,
        )


def try_answer(name: str, text: str) -> None:
    """Say whether an answer to an exercise of the page is right, and why not.

    Parameters
    ----------
    name
        Of the exercise.
    text
        The answer, as Python. It is run by itself and changes nothing here.
    """
    (session,) = _sessions
    exercise = exercises.find_exercise(session.page, name)
    words = "Write your answer here, and run this."
    if text.strip() != exercise.starter.strip():
        cg = importlib.import_module(f"chalkgrad.{session.backend}")
        words = exercises.check_answer(exercise, text, cg).words
    print(words, file=session.out.stream)
