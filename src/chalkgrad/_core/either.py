"""What shared code does with an array without knowing whose it is."""

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def ndarray(a: Any) -> Array:
    """Return an array of either half as NumPy's, without its history."""
    return a.detach().cpu().numpy() if hasattr(a, "detach") else np.asarray(a)


def constant(a: Any) -> Any:
    """Return it without its history, which no gradient is asked through."""
    return a.detach() if hasattr(a, "detach") else a


def copied(a: Any) -> Any:
    """Return a copy of its own half, without its history."""
    return a.detach().clone() if hasattr(a, "detach") else a.copy()


def empty(size: int, like: Any) -> Any:
    """Return room for so many numbers, in the half, dtype and device of `like`."""
    if hasattr(like, "detach"):
        return like.new_empty(size)
    return np.empty(size, like.dtype)
