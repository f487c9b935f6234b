"""A formula in named lines, and a deviation from it: other lines of the same names.

Each line is a function of all quantities so far, and its name is the quantity that it
computes. So a known mistake is written as the line that it gets wrong, next to ours;
two deviations that change different lines can be made at once.
"""

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, TypeAlias

__all__ = ["Deviation", "Formula", "Line", "Page"]

Line: TypeAlias = Callable[[Any], Any]
Page: TypeAlias = str  # an address below that of the site, with its anchor


class Deviation(NamedTuple):
    """A known way to differ from a formula: by convention, at limits, by mistake."""

    name: str
    kind: Literal["convention", "limit", "mistake"]
    why: str
    lines: Mapping[str, Line] = {}
    page: Page = ""
    options: Mapping[str, Callable[[dict[str, Any]], Any]] = {}
    """What each of these options is for it, given all of them."""
    start: Mapping[str, float] = {}
    """What a quantity is before the first step, if it is not 0."""
    shared: str = ""
    """What state it shares by mistake: that of all ``instances`` or ``arrays``, or the
    ``count`` of steps among arrays."""

    is_alone: bool = False
    """Whether it is looked for alone, and not together with another one."""

    @property
    def changes(self) -> set[str]:
        """What it changes, each under a name of its own."""
        shared = {f"shared {self.shared}"} if self.shared else set()
        options = {f"option {name}" for name in self.options}
        start = {f"start {name}" for name in self.start}
        return set(self.lines) | shared | options | start

    def is_apart_from(self, others: Iterable["Deviation"]) -> bool:
        """Whether it can be made together with others."""
        return all(self.changes.isdisjoint(other.changes) for other in others)

    def on_its_own(self) -> "Deviation":
        """Return it as one that is looked for alone."""
        return self._replace(is_alone=True)


class Formula:
    """Lines in their order, and the deviations that are known."""

    def __init__(self, **lines: Line) -> None:
        self.lines = lines
        self.deviations: list[Deviation] = []

    def know(self, *deviations: Deviation) -> None:
        """Add deviations to those that are known."""
        self.deviations += deviations

    def deviate(self, deviations: Iterable[Deviation]) -> dict[str, Line]:
        """Return the lines with those of the deviations in place of ours."""
        lines = dict(self.lines)
        for deviation in deviations:
            lines |= deviation.lines
        return lines


def run_lines(lines: Mapping[str, Line], x: SimpleNamespace) -> None:
    """Compute every line in its turn, from what `x` holds and into it."""
    known = x.__dict__
    for name, line in lines.items():
        known[name] = line(x)
