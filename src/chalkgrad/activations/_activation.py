"""What an activation does besides its formula.

Given the pre-activations `z`, it returns an array of their shape. Its options and their
ranges stand in its signature; what is given is checked here, once for both backends.
"""

from collections.abc import Callable
from typing import Any

from chalkgrad._core import check
from chalkgrad._core.formula import FormulaFunction

__all__ = ["Activation"]


class Activation(FormulaFunction):
    """An activation, which carries its derivative: ``f(z)`` and ``f.grad(z)``."""

    grad: "Activation | None" = None
    of_rows: bool
    """Whether it needs all of a row."""

    def __init__(
        self,
        formula: Callable[..., Any],
        reference: "Activation | None" = None,
        *,
        of_rows: bool = False,
    ) -> None:
        super().__init__(formula, reference)
        self._reference = reference
        self.of_rows = of_rows if reference is None else reference.of_rows
        self._function = self._run

    def derivative(self, formula: Callable[..., Any]) -> Any:
        """Take the derivative."""
        reference = self._reference.grad if self._reference else None
        self.grad = type(self)(formula, reference, of_rows=self.of_rows)
        return self.grad

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs:  # as mostly, and quick
            z, options = args[0], self._defaults
        else:
            (z,), options = self._bind(args, kwargs)
        z = self.arrays.float_array(self.__name__, "z", z, finite=False)
        if self.of_rows:
            check.shapes(self.__name__, z=(z, "... c"))
        return self.formula(z, **options)
