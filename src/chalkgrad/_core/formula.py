"""A public function of which each backend writes the formula alone.

Its signature is the specification: how many arrays it takes, which options, and by
their types the ranges. The twin has the reference's signature and docstring.
"""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from chalkgrad._core import check
from chalkgrad._core._numpy import Array
from chalkgrad._core.docs import torch_docstring
from chalkgrad._core.made import PublicFunction
from chalkgrad._core.spec import range_of

__all__ = ["FormulaFunction"]


class FormulaFunction(PublicFunction):
    """A function that checks what it is given, and computes what its formula says."""

    arrays: ClassVar[check.Arrays]
    array_type: ClassVar[Any] = Array
    __name__: str
    __signature__: inspect.Signature

    def __init__(
        self, formula: Callable[..., Any], reference: PublicFunction | None = None
    ) -> None:
        super().__init__(formula)
        self.formula = formula
        if reference is not None:
            self.__doc__ = torch_docstring(reference.__doc__, formula.__doc__ or "")
        self._take_signature(inspect.signature(reference or formula))

    def _take_signature(self, signature: inspect.Signature) -> None:
        signature = signature.replace(
            parameters=[
                p.replace(annotation=self._own(p.annotation))
                for p in signature.parameters.values()
            ],
            return_annotation=self._own(signature.return_annotation),
        )
        self.__signature__ = signature
        parameters = signature.parameters.values()
        options = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        self._count = len(parameters) - len(options)
        self._defaults = {p.name: p.default for p in options}
        ranges = {p.name: range_of(p.annotation) for p in options}
        self._ranges = {name: found for name, found in ranges.items() if found}

    def _own(self, annotation: Any) -> Any:
        """Return what an annotation of the reference is in this backend."""
        if annotation == Array:
            return self.array_type
        return self.array_type | None if annotation == Array | None else annotation

    def _bind(
        self, args: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arrays, by position, and all options, each in its range."""
        if len(args) == self._count and not options:
            return args, self._defaults
        if len(args) != self._count or not options.keys() <= self._defaults.keys():
            try:
                bound = self.__signature__.bind(*args, **options)
            except TypeError as error:
                raise TypeError(f"{self.__name__}() {error}") from None
            args, options = bound.args, bound.kwargs
        options = self._defaults | options
        for name, wanted in self._ranges.items():
            options[name] = wanted.check(self.__name__, name, options[name])
        return args, options
