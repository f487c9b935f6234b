"""What an option may be, written once, as its type.

``beta1: Decay = 0.9`` is at once what an editor shows, what is checked, what the
documentation says, and what the tests draw from.
"""

import inspect
import math
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypeAlias

from chalkgrad._core import check, types

__all__ = [
    "Decay",
    "Growth",
    "Limit",
    "Net",
    "NonNegative",
    "Positive",
    "Range",
    "Rate",
    "Share",
    "Shrinkage",
    "option_checks",
    "range_of",
    "unbounded_options",
]


class Range(NamedTuple):
    """A range of numbers; its text is how a docstring says it."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def check(self, where: str, name: str, value: Any) -> float:
        """Return `value` as a float if it is a finite number in the range."""
        return check.number(where, name, value, **self._asdict())

    def __str__(self) -> str:
        above = f"above {self.low:g}" if self.open_low else f"from {self.low:g}"
        below = f"below {self.high:g}" if self.open_high else f"{self.high:g}"
        if self.high < math.inf:
            return f"{above} {'and' if self.open_low else 'to'} {below}"
        return above if self.open_low else f"{self.low:g} or more"


class RateRange:
    """What a learning rate may be: a number, an array of them, or a schedule."""

    high = math.inf

    def check(self, where: str, _name: str, value: Any) -> Any:
        """Return `value` if it may be a learning rate."""
        return check.rate(where, value)

    def __str__(self) -> str:
        return "0 or more"


class Optional(NamedTuple):
    """A range, or None."""

    inner: Range
    high: float = math.inf

    def check(self, where: str, name: str, value: Any) -> float | None:
        """Return `value` as a float if it is in the range, or None."""
        return None if value is None else self.inner.check(where, name, value)

    def __str__(self) -> str:
        return str(self.inner)


class Layers:
    """A network, whose layers a rule sees."""

    high = 0.0  # it is no number, which a dtype may not hold

    def check(self, where: str, name: str, value: Any) -> Any:
        """Return `value` if its weights are matrices over biases."""
        if not (hasattr(value, "sizes") and hasattr(value, "size")):
            raise TypeError(
                f"{where}: `{name}` must be a network, made by cg.network, got "
                f"{type(value).__name__}."
            )
        return value

    def __str__(self) -> str:
        return "whose weights"


Decay: TypeAlias = Annotated[float, Range(0, 1, open_high=True)]
Share: TypeAlias = Annotated[float, Range(0, 1)]
Shrinkage: TypeAlias = Annotated[float, Range(0, 1, open_low=True, open_high=True)]
Growth: TypeAlias = Annotated[float, Range(1, open_low=True)]
NonNegative: TypeAlias = Annotated[float, Range(0)]
Positive: TypeAlias = Annotated[float, Range(0, open_low=True)]
Limit: TypeAlias = Annotated[float | None, Optional(Range(0, open_low=True))]
Rate: TypeAlias = Annotated[types.Rate, RateRange()]
Net: TypeAlias = Annotated[Any, Layers()]


def range_of(annotation: Any) -> Any:
    """Return the range that a type names; None if it names none."""
    return next(iter(getattr(annotation, "__metadata__", ())), None)


def option_checks(
    signature: inspect.Signature,
) -> dict[str, Callable[[str, str, Any], Any]]:
    """Return for each option the check that its type asks for."""
    known = {bool: check.boolean, types.Optimizer: _check_optimizer}
    checks: dict[str, Callable[[str, str, Any], Any]] = {}
    for name, parameter in signature.parameters.items():
        wanted = range_of(parameter.annotation)
        if wanted is None and parameter.annotation not in known:
            raise TypeError(
                f"`{name}` needs a type that names its range, such as `Decay` of "
                f"chalkgrad._core.spec, got {parameter.annotation!r}."
            )
        checks[name] = wanted.check if wanted else known[parameter.annotation]
    return checks


def _check_optimizer(where: str, _name: str, value: Any) -> Any:
    check.optimizer(where, value)
    return value


def unbounded_options(signature: inspect.Signature) -> list[str]:
    """Name the options without an upper bound: a dtype may not hold what they are."""
    return [
        name
        for name, parameter in signature.parameters.items()
        if getattr(range_of(parameter.annotation), "high", 0) == math.inf
    ]
