"""How to install what is missing, as errors and pages say it."""

__all__ = ["IS_RELEASED", "advise", "requirement"]

IS_RELEASED = False
"""Whether pip finds chalkgrad by its name: the first release makes this true."""


def requirement(extra: str = "") -> str:
    """Return what to give to pip, as it is written in a shell."""
    if extra:
        return f"'{'chalkgrad' if IS_RELEASED else '.'}[{extra}]'"
    return "chalkgrad" if IS_RELEASED else "."


def advise(extra: str = "") -> str:
    """Say how to install the package with an extra.

    >>> advise("cli")
    "pip install '.[cli]' in a clone of the repository"
    """
    place = "" if IS_RELEASED else " in a clone of the repository"
    return f"pip install {requirement(extra)}{place}"
