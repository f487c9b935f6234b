"""A pytest plugin: run the snippets of Markdown pages, once for each backend.

It needs pytest and pytest-doctestplus, and of a course these settings of pytest:

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
import importlib.util
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pytest_doctestplus.output_checker import OutputChecker
from pytest_doctestplus.plugin import DebugRunnerPlus, get_optionflags

_FENCE = re.compile(r" *(`{3,}|~{3,})")
_REQUIRES = re.compile(r" *<!-- *doctest-requires:: *(.*?) *-->")
_SKIP = re.compile(r"<!-- *doctest-(skip|remote-data)")
# An example with one of these is not compared, or not run.
_HIDING = ("SKIP", "IGNORE_", "REMOTE_DATA")


# --- A course -------------------------------------------------------------------------

_SETTINGS = {
    "doctest_tabs": 'tabs that a page is run for: "NumPy", "PyTorch: torch"',
    "doctest_imports": 'lines with one statement a tab: "import a  # or: import b"',
    "doctest_requirements": "modules that a block may require; cuda is PyTorch's GPU",
}


class Tab(NamedTuple):
    """A tab that pages have."""

    name: str
    module: str
    """The library that it needs, or nothing."""


class Course(NamedTuple):
    """What the pages of a course have in common."""

    tabs: tuple[Tab, ...]
    imports: dict[str, tuple[str, ...]]
    """A line as pages show it, and the statement that it is for each tab."""
    requirements: tuple[str, ...]

    @classmethod
    def read(cls, setting: Callable[[str], list[str]]) -> "Course":
        """Read the settings of pytest.

        Raises
        ------
        pytest.UsageError
            If an import line has not one statement for each tab.
        """
        entries = (entry.partition(":") for entry in setting("doctest_tabs"))
        tabs = tuple(Tab(name.strip(), module.strip()) for name, _, module in entries)
        imports = {}
        for line in setting("doctest_imports"):
            imports[line] = tuple(re.split(r" *# or: ", line))
            if len(imports[line]) != len(tabs):
                raise pytest.UsageError(
                    f"doctest_imports: {line!r} must have a statement for each of the "
                    f"{len(tabs)} tabs in doctest_tabs, divided by ' # or: ', got "
                    f"{len(imports[line])}."
                )
        return cls(tabs, imports, tuple(setting("doctest_requirements")))

    def tab(self, line: str) -> re.Match[str] | None:
        """Return the indentation and the name of a tab that begins in a line."""
        names = "|".join(re.escape(tab.name) for tab in self.tabs)
        return re.match(rf'( *)===[+!]{{0,2}} +"({names})"', line) if names else None

    def readings(self, text: str) -> tuple[Tab, ...]:
        """Return the tabs to run a page for; one without a name if it has none."""
        has_tabs = any(map(self.tab, text.splitlines()))
        has_imports = any(line in text for line in self.imports)
        return self.tabs if has_tabs or has_imports else (Tab("", ""),)

    def allows_other_numbers(self, tab: Tab) -> bool:
        """Tell whether numbers may be Python's where the page shows the library's."""
        return tab in self.tabs[1:]


COURSE = pytest.StashKey[Course]()


def has(module: str) -> bool:
    """Tell whether a module is installed, or whether PyTorch has a GPU."""
    if module == "cuda":
        return has("torch") and importlib.import_module("torch").cuda.is_available()
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def read(text: str, course: Course, tab: Tab) -> tuple[str, dict[int, str]]:
    """Return a page as the reader of one tab sees it, and the lines that were skipped.

    What is left out becomes empty lines, so that every line keeps its number. So do
    the fences, which doctest would take for expected output.
    """
    lines, skipped = [], {}
    closed_tab: int | None = None  # the indent of another tab
    missing = ""  # what the next block needs and has not
    inside = False  # a fenced block
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if closed_tab is not None and line.strip() and indent <= closed_tab:
            closed_tab = None
        begun = course.tab(line)
        if begun and closed_tab is None and begun[2] != tab.name:
            closed_tab = indent
        if closed_tab is not None:
            lines.append("")
            continue
        if _SKIP.search(line):
            raise ValueError(f"line {number}: a page may not skip without a cause.")
        if not inside and (needs := _REQUIRES.match(line)):
            missing = _absent_modules(needs[1], course, number)
        if _FENCE.match(line):
            if missing and not inside:
                skipped[number] = f"needs {missing}"
            inside = not inside
            missing = missing if inside else ""
            line = ""
        for shown, statements in course.imports.items():
            if tab in course.tabs[1:]:
                line = line.replace(shown, statements[course.tabs.index(tab)])
        lines.append("" if missing and inside else line)
    return "\n".join(lines) + "\n", skipped


def refuse_hidden_examples(test: doctest.DocTest) -> None:
    """Refuse a page that does not run or compare what it shows."""
    for example in test.examples:
        line = (test.lineno or 0) + example.lineno + 1
        on = {flag for flag, value in example.options.items() if value}
        for name, flag in doctest.OPTIONFLAGS_BY_NAME.items():
            if flag in on and name.startswith(_HIDING):
                raise ValueError(f"line {line}: a page may not say +{name}.")


def _absent_modules(needs: str, course: Course, number: int) -> str:
    """Return which of ``torch, cuda`` a block asks for and can't have."""
    modules = needs.replace(",", " ").split()
    if not set(modules) <= set(course.requirements):
        allowed = " or ".join(course.requirements) or "nothing"
        raise ValueError(
            f"line {number}: a block may require {allowed} only, not {needs}; what a "
            "block may require is listed in doctest_requirements."
        )
    return " and ".join(module for module in modules if not has(module))


# --- Comparing answers ----------------------------------------------------------------

_SAME = [
    ("<BLANKLINE>", ""),  # between the matrices of an array
    (
        r",\s*(dtype|device|grad_fn|requires_grad|weak_type)=('[^']*'|<[^>]*>|[\w.]+)",
        "",
    ),
    (r"\btorch\.Size\(\[(\d+)\]\)", r"(\1,)"),
    (r"\btorch\.Size\(\[(.*?)\]\)", r"(\1)"),
    (r"\bdtype\('(\w+)'\)", r"\1"),
    (r"\btorch\.((?:b?float|u?int)\d+|bool)\b", r"\1"),
    (r"\b(?:tensor|Array)\(", "array("),
    (r"\bnp\.(True|False)_", r"\1"),
    (r"\b(?:array|np\.(?:float|int)\d+)\(([^()\[\],]*)\)", r"\1"),
    (r"\[\s+", "["),
    (r"\s+\]", "]"),
    (r"\s*,\s*", ", "),
]


def plain(text: str) -> str:
    """Write an answer without what backends print differently."""
    for pattern, replacement in _SAME:
        text = re.sub(pattern, replacement, text)
    return text


# Of what is printed without a dtype, that of a real number and of an integer.
_DEFAULTS = {
    "array": ("float64", "int64"),
    "tensor": ("float32", "int64"),
    "Array": ("float32", "int32"),
}
_MADE = re.compile(r"\b(array|tensor|Array|np\.(?:float|int|uint|complex)\d+)\(")
_DTYPE = re.compile(r"dtype=(?:torch\.|np\.)?'?(\w+)")
_FLOAT = re.compile(r"\d\.|\.\d|\bnan\b|\binf\b")


def dtypes(text: str, least: int = 0) -> list[str]:
    """Return the dtype of each array, and of each of NumPy's numbers, that is printed.

    Where none is printed it is the library's own: of NumPy float64, of PyTorch float32.
    With ``least=1`` only of arrays that have so many axes.
    """
    found = []
    for made in _MADE.finditer(text):
        inside = _inside(text, made.end())
        if not inside.startswith("[" * least):
            continue
        dtype = _DTYPE.search(inside)
        if made[1].startswith("np."):
            found.append(made[1].removeprefix("np."))
        elif dtype:
            found.append(dtype[1])
        elif _FLOAT.search(inside):
            found.append(_DEFAULTS[made[1]][0])
        else:
            is_bool = re.search("True|False", inside)
            found.append("bool" if is_bool else _DEFAULTS[made[1]][1])
    return found


def _inside(text: str, start: int) -> str:
    """Return what stands between a parenthesis and the one that closes it."""
    depth = 1
    for end in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return text[start:]


def print_of(text: str) -> str:
    """Write a tensor as NumPy prints an array: without its name and without commas."""
    bare = re.sub(r"array\((.*?)\)", r"\1", plain(text), flags=re.S)
    return re.sub(r",\s*", " ", bare)


class Checker(OutputChecker):  # type: ignore[misc]
    """Compares numbers as numbers, and dtypes, whichever backend printed them.

    With ``allows_other_numbers`` a number of Python counts as one of NumPy.
    """

    def __init__(self, *, allows_other_numbers: bool) -> None:
        super().__init__()
        self.allows_other_numbers = allows_other_numbers

    def check_output(self, want: str, got: str, flags: int) -> bool:
        """Tell whether an answer is the one on the page."""
        same = super().check_output
        if not same(plain(want), plain(got), flags):
            # `print` leaves no dtype to compare.
            is_tensor = re.search(r"\b(tensor|Array)\(", got) and not _MADE.search(want)
            return bool(is_tensor and same(plain(want), print_of(got), flags))
        shown, found = dtypes(want), dtypes(got)
        if "..." in want and len(shown) != len(found):
            return True
        if self.allows_other_numbers and len(shown) != len(found):
            return dtypes(want, 1) == dtypes(got, 1)
        return shown == found


@contextmanager
def print_options(tab: Tab, device: str = "cpu") -> Iterator[None]:
    """Let PyTorch print as NumPy does, and compute on a device."""
    if tab.module != "torch":
        yield
        return
    torch = importlib.import_module("torch")
    torch.set_printoptions(precision=8)
    # Tensors are made on the CPU anyway; said aloud, it slows every call down.
    torch.set_default_device(None if device == "cpu" else device)
    try:
        yield
    finally:
        torch.set_default_device(None)
        torch.set_printoptions(profile="default")


# --- Collecting -----------------------------------------------------------------------


class _Snippets(pytest.DoctestItem):
    """The snippets of one page, as one tab has them."""

    tab: Tab

    def runtest(self) -> None:
        with print_options(self.tab, self.config.getoption("--device")):
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
                page, skipped = read(text, course, tab)
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
        if tab.module and not has(tab.module):
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
    config.stash[COURSE] = Course.read(config.getini)
