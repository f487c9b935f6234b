"""The command line: ``chalkgrad train`` and its companions, for your own data too.

Most need the extra ``cli``; ``claims`` and ``doctor`` need NumPy alone, and ``--help``
nothing but Python. It exits with

- 0 if all went well,
- 1 if training diverged, a claim failed, an answer is wrong, or nobody reads what it
  prints any more,
- 2 if something that was asked for cannot be had; then nothing was written, and nothing
  that another run has written is touched,
- 130 after Ctrl-C; what was made until then is kept.
"""

import importlib
import io
import os
import sys
from collections.abc import Sequence

from chalkgrad._core.install import advise
from chalkgrad.cli._options import parse
from chalkgrad.cli._text import escape

__all__ = ["main"]

# What a missing module is called, and the extra that brings it.
EXTRAS = {
    "torch": "torch",
    "rich": "cli",
    "matplotlib": "cli",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``chalkgrad``.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``chalkgrad``; by default those of the command line.

    Returns
    -------
    int
        The exit code, as above.

    Raises
    ------
    SystemExit
        With 2 if the words make no command; with 0 after ``--help`` or ``--version``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What cannot be written as it is, is written with escapes.
            stream.reconfigure(errors="backslashreplace")
    options = parse(argv)
    try:
        device: str = getattr(options, "device", "")
        kind = device.partition(":")[0]
        if kind == "meta":
            raise ValueError(
                f"{options.command}: --device {device} holds no numbers; "
                "use cpu or cuda."
            )
        if kind == "cuda" and getattr(options, "backend", "torch") == "numpy":
            raise ValueError(
                f"{options.command}: --device {device} needs --backend torch."
            )
        # Imported now, so that --help and --version need nothing but Python.
        command = importlib.import_module(
            f"chalkgrad.cli._{options.command.replace('-', '_')}"
        )
        code: int = command.run(options)
        sys.stdout.flush()
        return code
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRAS:
            raise
        problem = (
            f"this needs {missing}, which is not installed; {advise(EXTRAS[missing])}"
        )
    except KeyboardInterrupt:
        print("chalkgrad: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as after `| head -1`
        # Python writes what is left at its exit: to where nothing can fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError) as error:
        problem = " ".join(str(error).split())
    print(f"chalkgrad: {escape(problem)}", file=sys.stderr)
    return 2
