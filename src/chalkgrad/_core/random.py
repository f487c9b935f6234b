"""The one source of random numbers: NumPy draws them, in both backends."""

from typing import Any, TypeAlias

import numpy as np

__all__ = ["Rng", "as_generator"]

Rng: TypeAlias = int | np.random.Generator


def as_generator(where: str, rng: Any) -> np.random.Generator:
    """Return `rng`, a seed or a Generator, as a NumPy Generator."""
    try:
        if rng is None:  # NumPy would draw other numbers every time
            raise TypeError
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"{where}: `rng` must be a seed (a whole number, 0 or more) or a NumPy "
            f"Generator, got {rng!r}."
        ) from None
