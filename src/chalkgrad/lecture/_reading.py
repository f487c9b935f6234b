"""A page as the reader of one backend sees it, who keeps one tab open all the way down.

What stands outside the tabs is for each backend. A page without these tabs is one
reading.
"""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

__all__ = [
    "LECTURE",
    "SETTINGS",
    "TABS",
    "Course",
    "Tab",
    "has",
    "print_options",
    "read",
]

_FENCE = re.compile(r" *(`{3,}|~{3,})")
_REQUIRES = re.compile(r" *<!-- *doctest-requires:: *(.*?) *-->")
_SKIP = re.compile(r"<!-- *doctest-(skip|remote-data)")


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
        """Read the settings of pytest, or ours.

        Raises
        ------
        ValueError
            If an import line has not one statement for each tab.
        """
        entries = (entry.partition(":") for entry in setting("doctest_tabs"))
        tabs = tuple(Tab(name.strip(), module.strip()) for name, _, module in entries)
        imports = {}
        for line in setting("doctest_imports"):
            imports[line] = tuple(re.split(r" *# or: ", line))
            if len(imports[line]) != len(tabs):
                raise ValueError(
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


# As in the settings of pytest (pyproject.toml), which an installed package lacks.
SETTINGS = {
    "doctest_tabs": ["NumPy", "PyTorch: torch"],
    "doctest_imports": [
        "import chalkgrad.numpy as cg  # or: import chalkgrad.torch as cg"
    ],
    "doctest_requirements": ["torch", "cuda"],
}
LECTURE = Course.read(SETTINGS.__getitem__)
TABS = dict(zip(("numpy", "torch"), LECTURE.tabs, strict=True))
