"""Where a command prints."""

from rich.console import Console

__all__ = ["console"]


def console(*, error: bool = False) -> Console:
    """Return where to print: words as they are, and a line is a line, however long."""
    return Console(
        stderr=error, highlight=False, soft_wrap=True, markup=False, emoji=False
    )
