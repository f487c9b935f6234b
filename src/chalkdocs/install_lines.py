"""How to install the package: ``<!-- install: cli -->``, for the extra ``cli``."""

from chalkdocs.directives import directive
from chalkgrad._core import install as setting


@directive("install", inline=True)
def install(extra: str) -> str:
    """Write the line, and where it is typed."""
    where = "" if setting.IS_RELEASED else " in a clone of the repository"
    return f"`pip install {setting.requirement(extra)}`{where}"
