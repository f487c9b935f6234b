"""A command and what it prints: ``<!-- command: chalkgrad train -->``.

It runs in a folder with the tables of ``docs/how-to``, after those before it.
"""

from chalkdocs import artifacts
from chalkdocs.artifacts import or_box
from chalkdocs.directives import directive


@directive("command")
@or_box
def command(line: str) -> str:
    """Write a command and what it prints."""
    return f"```console\n$ {line}\n{artifacts.command(line).rstrip()}\n```"
