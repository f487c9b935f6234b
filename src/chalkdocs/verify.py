"""Run the snippets of a page, and tell which answers are not those on the page."""

import doctest
import tomllib
from pathlib import Path
from typing import Any

from chalkdocs import doctest_plugin

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
TABS = {"numpy": "NumPy", "torch": "PyTorch"}


class _Runner(doctest.DocTestRunner):
    """Gathers the lines of wrong answers instead of printing them."""

    def __init__(self, checker: doctest.OutputChecker, flags: int) -> None:
        super().__init__(checker, verbose=False, optionflags=flags)
        self.lines: list[int] = []

    def report_failure(self, *found: Any) -> None:
        """Note where an answer differs."""
        _, _, example, *_ = found
        self.lines.append(example.lineno + 1)

    def report_unexpected_exception(self, *found: Any) -> None:
        """Note where there was none."""
        self.report_failure(*found)


def failures(page: Path, backend: str) -> list[int]:
    """Return the lines of a page whose answers differ, run with one backend."""
    options = tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    course = doctest_plugin.Course.read(lambda name: list(options.get(name, [])))
    (tab,) = (tab for tab in course.tabs if tab.name == TABS[backend])
    text, _ = doctest_plugin.read(page.read_text("utf-8"), course, tab)
    test = doctest.DocTestParser().get_doctest(
        text, {"__name__": "__main__"}, page.name, str(page), 0
    )
    flags = sum(
        doctest.OPTIONFLAGS_BY_NAME[name] for name in options["doctest_optionflags"]
    )
    checker = doctest_plugin.Checker(
        allows_other_numbers=course.allows_other_numbers(tab)
    )
    checker.rtol = float(options["doctest_plus_rtol"])
    runner = _Runner(checker, flags)
    with doctest_plugin.print_options(tab):
        runner.run(test)
    return runner.lines
