"""``chalkgrad claims``: every claim of the lecture, checked on this machine."""

import importlib.util
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

import chalkgrad
from chalkgrad.cli import _show as show
from chalkgrad.cli._options import ClaimsOptions

__all__ = ["run"]


def run(options: ClaimsOptions) -> int:
    """Run the command; return its exit code."""
    docs = Path(chalkgrad.__file__).parents[2] / "docs"
    if not docs.is_dir() or importlib.util.find_spec("chalkdocs") is None:
        raise FileNotFoundError(
            "claims: the pages that settle the claims are not here, for chalkgrad was "
            "installed without them; run it in a checkout of the repository, after "
            "`make setup`."
        )
    from chalkdocs import claims, verify

    settled = claims.claim_blocks(docs)
    known = [key for key in claims.claims() if key in settled]
    wanted = [key.upper() for key in options.claims] or known
    if unknown := [key for key in wanted if key not in known]:
        raise ValueError(
            f"claims: no claim {', '.join(unknown)}; there are {', '.join(known)}."
        )
    pages = sorted({settled[key].page for key in wanted})
    to = Console(stderr=True)
    wrong = {
        page: verify.failures(docs / page, options.backend)
        for page in track(pages, "Reading", console=to, disable=not to.is_terminal)
    }
    table = Table()
    for name in ("claim", "verdict", "page", "answers", "here"):
        table.add_column(name)
    failed = 0
    for key in filter(wanted.__contains__, known):
        one = settled[key]
        lines = [line for line in wrong[one.page] if line in one.lines]
        failed += bool(lines)
        here = Text("confirmed", style="green")
        if lines:
            here = Text(f"differs, line {lines[0]}", style="bold red")
        table.add_row(key, one.verdict, one.page.stem, str(one.checks), here)
    show.console().print(table)
    for page, lines in wrong.items():
        if lines:
            where = ", ".join(map(str, lines))
            show.console().print(f"{page}: other answers in the lines {where}.")
    confirmed = len(wanted) - failed
    show.console().print(f"{confirmed} of {len(wanted)} verdicts confirmed.")
    return int(any(wrong.values()))
