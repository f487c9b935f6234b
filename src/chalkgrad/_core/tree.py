"""Trees of dicts and named tuples, with arrays and values for leaves."""

from collections.abc import Iterator
from typing import Any

__all__ = ["tree_fields", "tree_leaves"]


def tree_fields(contents: Any) -> dict[str, Any] | None:
    """Return the parts of a dict or named tuple; None of what has no parts."""
    if hasattr(contents, "_asdict"):
        contents = contents._asdict()
    return contents if isinstance(contents, dict) else None


def tree_leaves(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Go through arrays and values, named by the path to them: ``state.inner.m``."""
    fields = tree_fields(part)
    if not fields:
        yield path, part if fields is None else {}
        return
    for name, inner in fields.items():
        if not str(name).isidentifier() or name[0] == "_":
            raise ValueError(
                f"save: the names in `contents` must be identifiers, got {name!r}."
            )
        yield from tree_leaves(inner, f"{path}.{name}" if path else name)
