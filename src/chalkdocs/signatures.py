"""Griffe extension: show of a rule and of a gradient what a reader gives.

What stands before the ``/`` in the signature of a rule is what its formula works on,
and the gradient of a loss takes what the loss takes. Decorators see to that, and
griffe, which reads the source, does not know it.
"""

from typing import Any

import griffe

__all__ = ["PublicSignatures"]


class PublicSignatures(griffe.Extension):
    """Give rules, gradients and derivatives the signature that they have."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Change a function that such a decorator stands above."""
        decorators = [str(one.value) for one in func.decorators]
        for text in decorators:
            owner, *last = text.split(".")
            if last in (["gradient"], ["derivative"]) and func.parent:
                of = func.parent.members[owner]
                assert isinstance(of, griffe.Function)
                func.parameters = of.parameters
        if any(text.startswith(("rule(", "wrapper(")) for text in decorators):
            func.parameters = griffe.Parameters(
                *(
                    parameter
                    for parameter in func.parameters
                    if parameter.kind is not griffe.ParameterKind.positional_only
                )
            )
            func.returns = "Optimizer"
