"""Names that more than one topic knows, and what ``dir`` lists of a topic."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

__all__ = ["ELEMENTWISE", "list_public_names"]

# The activations that a neuron or a hidden layer may have: softmax needs all of a row.
ELEMENTWISE = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "gelu",
    "softplus",
)


def list_public_names(things: Iterable[Any]) -> None:
    """Let ``dir`` list the names in ``__all__`` of each module, for who explores it."""
    for thing in things:
        if isinstance(thing, ModuleType):
            names = sorted(thing.__all__)
            thing.__dict__["__dir__"] = names.copy
