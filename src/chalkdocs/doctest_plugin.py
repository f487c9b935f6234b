"""A pytest plugin: run the snippets of Markdown pages, once for each backend.

It needs pytest, pytest-doctestplus and chalkgrad, and of a course these settings of
pytest:

- ``doctest_tabs``: the names of the tabs, each with the library that it needs. The page
  shows what the first one prints.
- ``doctest_imports``: lines that stand for one statement for each tab.
- ``doctest_requirements``: what a block may ask for, or else is skipped.

With the tabs ``NumPy`` and ``PyTorch: torch``, ``docs/page.md`` becomes two tests,
``page.md[NumPy]`` and ``page.md[PyTorch]``: the page as somebody reads it who keeps one
tab open all the way down. What stands outside the tabs runs in both, and each test has
names of its own. A page without these tabs is one test.

What another backend prints counts as the same if numbers and dtypes are: `tensor(…)` is
`array(…)`, each with the dtype that it has where it prints none, and the device is not
compared.

Two things may keep a snippet from running, and both are reported: the library of a tab
is not installed, or a block under ``<!-- doctest-requires:: cuda -->`` asks for what is
not there.
"""

import doctest
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_doctestplus.output_checker import OutputChecker
from pytest_doctestplus.plugin import DebugRunnerPlus, get_optionflags

from chalkgrad.lecture import _reading as reading
from chalkgrad.lecture._answers import agree
from chalkgrad.lecture._reading import Course, Tab

# An example with one of these is not compared, or not run.
_HIDING = ("SKIP", "IGNORE_", "REMOTE_DATA")
_SETTINGS = {
    "doctest_tabs": 'tabs that a page is run for: "NumPy", "PyTorch: torch"',
    "doctest_imports": 'lines with one statement a tab: "import a  # or: import b"',
    "doctest_requirements": "modules that a block may require; cuda is PyTorch's GPU",
}
COURSE = pytest.StashKey[Course]()


def refuse_hidden_examples(test: doctest.DocTest) -> None:
    """Refuse a page that does not run or compare what it shows."""
    for example in test.examples:
        line = (test.lineno or 0) + example.lineno + 1
        on = {flag for flag, value in example.options.items() if value}
        for name, flag in doctest.OPTIONFLAGS_BY_NAME.items():
            if flag in on and name.startswith(_HIDING):
                raise ValueError(f"line {line}: a page may not say +{name}.")


class Checker(OutputChecker):  # type: ignore[misc]
    """Compares numbers as numbers, and dtypes, whichever backend printed them.

    With ``allows_other_numbers`` a number of Python counts as one of NumPy.
    """

    def __init__(self, *, allows_other_numbers: bool) -> None:
        super().__init__()
        self.allows_other_numbers = allows_other_numbers

    def check_output(self, want: str, got: str, flags: int) -> bool:
        """Tell whether an answer is the one on the page."""
        return agree(
            want,
            got,
            lambda a, b: bool(OutputChecker.check_output(self, a, b, flags)),
            allows_other_numbers=self.allows_other_numbers,
        )


# --- Collecting -----------------------------------------------------------------------


class _Snippets(pytest.DoctestItem):
    """The snippets of one page, as one tab has them."""

    tab: Tab

    def runtest(self) -> None:
        with reading.print_options(self.tab, self.config.getoption("--device")):
            try:
                super().runtest()
            except pytest.skip.Exception as error:
                pytest.fail(f"{self.name}: a page may not skip: {error}", pytrace=False)


class _Skip(pytest.Item):
    """What could not run, and why: so that the report names it."""

    def __init__(self, *, cause: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker(pytest.mark.skip(reason=cause))

    def runtest(self) -> None:
        raise AssertionError("a skipped block ran")

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class _Page(pytest.Module):
    """A Markdown page."""

    obj = None  # no module of Python

    def collect(self) -> Iterator[Any]:
        course = self.config.stash[COURSE]
        text = self.path.read_text("utf-8")
        for tab in course.readings(text):
            name = f"{self.path.name}[{tab.name}]" if tab.name else self.path.name
            try:
                page, skipped = reading.read(text, course, tab)
                test = doctest.DocTestParser().get_doctest(
                    page, {"__name__": "__main__"}, self.path.name, str(self.path), 0
                )
                refuse_hidden_examples(test)
            except ValueError as error:
                raise self.CollectError(f"{self.path}: {error}") from None
            if test.examples and (cause := self._obstacle(tab, text)):
                yield _Skip.from_parent(self, name=name, cause=cause)
                continue
            if test.examples:
                checker = Checker(allows_other_numbers=course.allows_other_numbers(tab))
                item = _Snippets.from_parent(
                    self,  # type: ignore[arg-type] # names the classes of pytest alone
                    name=name,
                    runner=self._runner(checker),
                    dtest=test,
                )
                item.tab = tab
                yield item
            for line, what in skipped.items():
                why = f"line {line} {what}"
                yield _Skip.from_parent(self, name=f"{name}:{line}", cause=why)

    def _obstacle(self, tab: Tab, text: str) -> str:
        """Return why the snippets of a tab can't run here, or nothing."""
        device = self.config.getoption("--device")
        if tab.module and not reading.has(tab.module):
            return f"{tab.name} is not installed"
        # A page of PyTorch's alone has no tabs, and says itself where it computes.
        is_torch = tab.module == "torch" or (not tab.name and "import torch" in text)
        if device != "cpu" and not is_torch:
            return f"only PyTorch computes on {device}"
        return ""

    def _runner(self, checker: Checker) -> doctest.DocTestRunner:
        option = self.config.getoption
        return DebugRunnerPlus(  # type: ignore[no-any-return]
            checker=checker,
            verbose=False,
            optionflags=get_optionflags(self),
            # A debugger stops at the first failure.
            continue_on_failure=option("doctest_continue_on_failure")
            and not option("usepdb"),
            generate_diff=option("doctest_plus_generate_diff"),
        )


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, Any, Any]:
    """Put our pages in the place of those that were made for reST."""
    found = yield
    if file_path.suffix == ".md" and found:
        return [_Page.from_parent(parent, path=file_path)]
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--device`` and the settings of a course."""
    parser.addoption(
        "--device",
        default="cpu",
        help="where PyTorch's tab of the pages computes: cpu, cuda, mps",
    )
    for name, words in _SETTINGS.items():
        parser.addini(name, words, type="linelist", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings before any page."""
    try:
        config.stash[COURSE] = Course.read(config.getini)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
