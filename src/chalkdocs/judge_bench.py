"""The judge in a page: ``<!-- judge: bench -->``, with a text for each task.

The script ``docs/assets/js/judge.js`` makes the bench; without it a line says how to
judge at a prompt.
"""

import html
import json

from chalkdocs.directives import directive
from chalkgrad.judge._here import list_starters

__all__ = ["bench"]


@directive("judge")
def bench(_: str) -> str:
    """Write the place of the bench."""
    given = html.escape(json.dumps(list_starters()))
    return (
        f'<div class="judge" data-script="judge" data-given="{given}">'
        "<p>Here stands an editor where scripts run. Without, judge at a prompt: "
        "<code>chalkgrad judge mine.py:Adam --as adam</code>.</p></div>"
    )
