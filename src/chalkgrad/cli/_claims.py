"""``chalkgrad claims``: every claim of the lecture, checked on this machine.

It needs no more than the pages do, and tells of each page as soon as it has run.
"""

import tomllib

from chalkgrad._core.install import advise
from chalkgrad.cli._options import ClaimsOptions
from chalkgrad.lecture import _claims as lecture
from chalkgrad.lecture._reading import TABS, has

__all__ = ["run"]


def run(options: ClaimsOptions) -> int:
    """Run the command; return its exit code."""
    pages = lecture.find_pages()
    if not pages.is_dir():
        raise FileNotFoundError(f"claims: there are no pages in {pages}.")
    if (needed := TABS[options.backend].module) and not has(needed):
        raise ModuleNotFoundError(name=needed)
    found = lecture.find_verdicts(pages)
    known = [key for key in _statements() if key in found]
    wanted = [key.upper() for key in options.claims] or known
    if unknown := [key for key in wanted if key not in known]:
        raise ValueError(
            f"claims: no claim {', '.join(unknown)}; there are {', '.join(known)}."
        )
    confirmed, others, absent = 0, list[str](), set[str]()
    for page in sorted({found[key].page for key in wanted}):
        missing = lecture.missing_modules(page)
        lines = [] if missing else lecture.failures(page, options.backend)
        absent.update(missing)
        for key in wanted:
            if found[key].page == page:
                here = _say(found[key].block, lines, missing)
                confirmed += here == "confirmed"
                print(f"{key:4}{here:20}{page.stem:28}{found[key].verdict}", flush=True)
        if lines:
            where = ", ".join(map(str, lines))
            others.append(f"{page.name}: other answers in the lines {where}.")
    print(*others, f"{confirmed} of {len(wanted)} verdicts confirmed.", sep="\n")
    if absent:
        print(f"Not all can run without {', '.join(absent)}: {advise('lecture')}")
    return 1 if others else 2 if absent else 0


def _statements() -> list[str]:
    """Return the ids of all that the lecture says, in its order."""
    return list(tomllib.loads(lecture.STATEMENTS.read_text("utf-8")))


def _say(block: lecture.Block, lines: list[int], missing: list[str]) -> str:
    if missing:
        return f"needs {', '.join(missing)}"
    wrong = [line for line in lines if line in block.lines]
    return f"differs, line {wrong[0]}" if wrong else "confirmed"
