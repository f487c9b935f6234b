"""``chalkgrad inspect``: how a file is read."""

from chalkgrad.cli import _examples as examples
from chalkgrad.cli._options import InspectOptions

__all__ = ["run"]


def run(options: InspectOptions) -> int:
    """Run the command; return its exit code."""
    examples.describe(
        options, examples.open_file(options, examples.reading_options(options))
    )
    return 0
