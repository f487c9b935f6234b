"""A pytest plugin: read every page twice, with pytest-doctestplus.

Once as a reader who keeps the NumPy tab open all the way down, once with the PyTorch
tab; what stands outside the tabs runs in both readings. ``docs/page.md`` becomes two
tests, ``page.md[NumPy]`` and ``page.md[PyTorch]``, each with names of its own. A page
without these tabs is one test.

A page shows what the NumPy half prints. What the PyTorch half prints counts as the same
if numbers and dtypes are: `tensor(…)` is `array(…)`, each with the dtype that it has
where it prints none, and the device is not compared.

Two things may keep a snippet from running, and both are reported: PyTorch is not
installed, or a block under ``<!-- doctest-requires:: cuda -->`` finds no GPU.
"""

import doctest
import importlib.util
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestItem, DoctestTextfile
from pytest_doctestplus.output_checker import OutputChecker
from pytest_doctestplus.plugin import (
    DebugRunnerPlus,
    _get_continue_on_failure,
    get_optionflags,
)

HALVES = ("NumPy", "PyTorch")
_TAB = re.compile(r'( *)===[+!]{0,2} +"(NumPy|PyTorch)"')
_IMPORT = "import chalkgrad.numpy as cg  # or: import chalkgrad.torch as cg"
_FENCE = re.compile(r" *(`{3,}|~{3,})")
_REQUIRES = re.compile(r" *<!-- *doctest-requires:: *(.*?) *-->")
_SKIP = re.compile(r"<!-- *doctest-(skip|remote-data)")
# An example with one of these is not compared, or not run.
_HIDING = ("SKIP", "IGNORE_", "REMOTE_DATA")


def has(module: str) -> bool:
    """Tell whether PyTorch is installed, or whether it has a GPU."""
    if module == "cuda":
        return has("torch") and importlib.import_module("torch").cuda.is_available()
    return importlib.util.find_spec(module) is not None


def read(text: str, half: str) -> tuple[str, dict[int, str]]:
    """Return a page as one half's reader sees it, and the lines that were skipped.

    What is left out becomes empty lines, so that every line keeps its number. So do
    the fences, which doctest would take for expected output.
    """
    lines, skipped = [], {}
    closed_tab: int | None = None  # the indent of the other half's tab
    missing = ""  # what the next block needs and has not
    inside = False  # a fenced block
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if closed_tab is not None and line.strip() and indent <= closed_tab:
            closed_tab = None
        tab = _TAB.match(line)
        if tab and closed_tab is None and tab[2] != half:
            closed_tab = indent
        if closed_tab is not None:
            lines.append("")
            continue
        if _SKIP.search(line):
            raise ValueError(f"line {number}: a page may not skip without a cause.")
        if not inside and (needs := _REQUIRES.match(line)):
            missing = _missing(needs[1], number)
        if _FENCE.match(line):
            if missing and not inside:
                skipped[number] = f"needs {missing}"
            inside = not inside
            missing = missing if inside else ""
            line = ""
        if half == "PyTorch":
            line = line.replace(_IMPORT, "import chalkgrad.torch as cg")
        lines.append("" if missing and inside else line)
    return "\n".join(lines) + "\n", skipped


def refuse_hidden(test: doctest.DocTest) -> None:
    """Refuse a page that does not run or compare what it shows."""
    for example in test.examples:
        line = (test.lineno or 0) + example.lineno + 1
        on = {flag for flag, value in example.options.items() if value}
        for name, flag in doctest.OPTIONFLAGS_BY_NAME.items():
            if flag in on and name.startswith(_HIDING):
                raise ValueError(f"line {line}: a page may not say +{name}.")


def _missing(needs: str, number: int) -> str:
    """Return which of ``torch, cuda`` a block asks for and can't have."""
    modules = needs.replace(",", " ").split()
    if not set(modules) <= {"torch", "cuda"}:
        raise ValueError(
            f"line {number}: a block may require torch or cuda only, not {needs}."
        )
    return " and ".join(module for module in modules if not has(module))


# --- Comparing answers ----------------------------------------------------------------

_SAME = [
    ("<BLANKLINE>", ""),  # between the matrices of an array
    (r",\s*(dtype|device|grad_fn|requires_grad)=('[^']*'|<[^>]*>|[\w.]+)", ""),
    (r"\btorch\.Size\(\[(\d+)\]\)", r"(\1,)"),
    (r"\btorch\.Size\(\[(.*?)\]\)", r"(\1)"),
    (r"\bdtype\('(\w+)'\)", r"\1"),
    (r"\btorch\.((?:b?float|u?int)\d+|bool)\b", r"\1"),
    (r"\btensor\(", "array("),
    (r"\bnp\.(True|False)_", r"\1"),
    (r"\b(?:array|np\.(?:float|int)\d+)\(([^()\[\],]*)\)", r"\1"),
    (r"\[\s+", "["),
    (r"\s+\]", "]"),
    (r"\s*,\s*", ", "),
]


def plain(text: str) -> str:
    """Write an answer without what the two halves print differently."""
    for pattern, replacement in _SAME:
        text = re.sub(pattern, replacement, text)
    return text


_MADE = re.compile(r"\b(array|tensor|np\.(?:float|int|uint|complex)\d+)\(")
_DTYPE = re.compile(r"dtype=(?:torch\.|np\.)?'?(\w+)")
_FLOAT = re.compile(r"\d\.|\.\d|\bnan\b|\binf\b")


def dtypes(text: str) -> list[str]:
    """Return the dtype of each array and number of NumPy or PyTorch that is printed.

    Where none is printed it is the library's own: of NumPy float64, of PyTorch float32.
    """
    found = []
    for made in _MADE.finditer(text):
        inside = _inside(text, made.end())
        dtype = _DTYPE.search(inside)
        if made[1].startswith("np."):
            found.append(made[1].removeprefix("np."))
        elif dtype:
            found.append(dtype[1])
        elif _FLOAT.search(inside):
            found.append("float32" if made[1] == "tensor" else "float64")
        else:
            found.append("bool" if re.search("True|False", inside) else "int64")
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
    """Compares numbers as numbers, and dtypes, whichever half printed them."""

    def __init__(self, half: str) -> None:
        super().__init__()
        self.half = half

    def check_output(self, want: str, got: str, flags: int) -> bool:
        """Tell whether an answer is the one on the page."""
        same = super().check_output
        if not same(plain(want), plain(got), flags):
            # `print` leaves no dtype to compare.
            is_tensor = "tensor(" in got and not _MADE.search(want)
            return bool(is_tensor and same(plain(want), print_of(got), flags))
        shown, found = dtypes(want), dtypes(got)
        # Where NumPy gives a number of its own, PyTorch may give Python's.
        if self.half == "PyTorch" and len(shown) != len(found):
            return True
        return "..." in want or shown == found


@contextmanager
def printing(half: str, device: str = "cpu") -> Iterator[None]:
    """Let PyTorch print as NumPy does, and compute on a device."""
    if half != "PyTorch":
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


class _Reading(DoctestItem):
    """One page, read with one half."""

    def runtest(self) -> None:
        half = "PyTorch" if self.name.endswith("[PyTorch]") else "NumPy"
        with printing(half, self.config.getoption("--device")):
            try:
                super().runtest()
            except pytest.skip.Exception as error:
                pytest.fail(f"{self.name}: a page may not skip: {error}", pytrace=False)


class _Skipped(pytest.Item):
    """What could not run, and why: so that the report names it."""

    def __init__(self, *, cause: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker(pytest.mark.skip(reason=cause))

    def runtest(self) -> None:
        raise AssertionError("a skipped block ran")

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class _Page(DoctestTextfile):
    """A Markdown page."""

    def collect(self) -> Iterator[Any]:
        text = self.path.read_text("utf-8")
        tabs = _TAB.search(text) or _IMPORT in text
        device = self.config.getoption("--device")
        for half in HALVES if tabs else ("",):
            name = f"{self.path.name}[{half}]" if half else self.path.name
            try:
                page, skipped = read(text, half or "NumPy")
            except ValueError as error:
                raise self.CollectError(f"{self.path}: {error}") from None
            test = doctest.DocTestParser().get_doctest(
                page, {"__name__": "__main__"}, self.path.name, str(self.path), 0
            )
            try:
                refuse_hidden(test)
            except ValueError as error:
                raise self.CollectError(f"{self.path}: {error}") from None
            cause = ""
            if half == "PyTorch" and not has("torch"):
                cause = "PyTorch is not installed"
            elif half != "PyTorch" and device != "cpu":
                cause = f"only PyTorch computes on {device}"
            if cause and test.examples:
                yield _Skipped.from_parent(self, name=name, cause=cause)
                continue
            if test.examples:
                yield _Reading.from_parent(
                    self, name=name, runner=self._runner(half), dtest=test
                )
            for line, what in skipped.items():
                why = f"line {line} {what}"
                yield _Skipped.from_parent(self, name=f"{name}:{line}", cause=why)

    def _runner(self, half: str) -> doctest.DocTestRunner:
        return DebugRunnerPlus(  # type: ignore[no-any-return]
            checker=Checker(half),
            verbose=False,
            optionflags=get_optionflags(self),
            continue_on_failure=_get_continue_on_failure(self.config),
            generate_diff=self.config.option.doctest_plus_generate_diff,
        )


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, Any, Any]:
    """Put our reader in the place of the one that was made for reST."""
    found = yield
    if file_path.suffix == ".md" and found:
        return [_Page.from_parent(parent, path=file_path)]
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--device``."""
    parser.addoption(
        "--device",
        default="cpu",
        help="where the PyTorch readings of the pages compute: cpu, cuda, mps",
    )
