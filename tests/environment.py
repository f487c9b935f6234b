"""The environment of a process that a test starts."""

import os


def uncounted(**more: str) -> dict[str, str]:
    """Return ours without what makes a process count its lines.

    To count takes half as long again. This is for processes that run what tests of
    this process run, too.
    """
    ours = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS")}
    return ours | more
