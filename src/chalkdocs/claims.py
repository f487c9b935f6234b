"""The claims ledger: what the lecture says, and which page settles it how.

A page settles a claim in a block ``!!! claim "G1 · holds if …"`` that holds a snippet
which runs. The blocks are read from the Markdown of the pages, so the same ledger comes
out of any site engine, and out of none.
"""

import doctest
import re
import textwrap
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from chalkdocs import pages
from chalkdocs.sources import once

CLAIMS = Path(__file__).with_name("claims.toml")
VERDICTS = ("holds", "holds if", "fails as stated")
_BLOCK = re.compile(r'^(?P<indent> *)!!! claim "(?P<title>[^"]*)"\n', re.M)
_FENCE = re.compile(r"^( *)```pycon[^\n]*\n(.*?)^\1```", re.M | re.S)


class ClaimError(ValueError):
    """A claim block that would settle nothing, or that says so of the wrong claim."""


class Claim(NamedTuple):
    """One statement of the lecture."""

    section: str
    statement: str
    """Markdown, in our words."""


class Settled(NamedTuple):
    """One claim block."""

    id: str
    verdict: str
    page: Path
    """Relative to the folder of pages."""
    checks: int
    """How many answers its snippets compare."""
    lines: range
    """Where it is on the page."""


def claims() -> dict[str, Claim]:
    """Return all that the lecture says, by id, in its order."""
    return _claims(CLAIMS)


@once
def _claims(path: Path) -> dict[str, Claim]:
    found = tomllib.loads(path.read_text("utf-8"))
    return {key: Claim(**claim) for key, claim in found.items()}


def split_title(title: str) -> tuple[str, str]:
    """Split a block's title, ``"G1 · holds"``, into the id and the verdict."""
    key, dot, verdict = (part.strip() for part in title.partition("·"))
    if not dot or key not in claims():
        raise ClaimError(
            f'claim "{title}": the title must be an id of {CLAIMS.name}, " · " and '
            "a verdict."
        )
    if verdict not in ("holds", "fails as stated") and not verdict.startswith(
        ("holds if ", "fails as stated: ")
    ):
        raise ClaimError(
            f'claim "{title}": the verdict must be one of {", ".join(VERDICTS)}.'
        )
    return key, verdict


def settled(docs: Path) -> dict[str, Settled]:
    """Read every claim block of every page under `docs`, by id.

    Raises
    ------
    ClaimError
        If an id is not known or has two blocks, a verdict is missing, a block has no
        snippet whose answer is compared, or a page's front matter lists other claims
        than its blocks settle.
    """
    found: dict[str, Settled] = {}
    for path in sorted(docs.rglob("*.md")):
        page, text = path.relative_to(docs), path.read_text("utf-8")
        here = {}
        for match in _BLOCK.finditer(text):
            key, verdict = split_title(match["title"])
            if key in found or key in here:
                raise ClaimError(f"{page}: claim {key} has a second block.")
            body = _body(text, match)
            first = text.count("\n", 0, match.start()) + 1
            lines = range(first, first + 1 + len(body))
            here[key] = Settled(key, verdict, page, _checks(body), lines)
            if here[key].checks == 0:
                raise ClaimError(
                    f"{page}: the block of claim {key} compares no answer; show it "
                    "with a ```pycon snippet that prints one."
                )
        listed = pages.front(text).get("claims", [])
        if sorted(listed) != sorted(here):
            raise ClaimError(
                f"{page}: the front matter lists the claims {sorted(listed)}, the "
                f"blocks settle {sorted(here)}."
            )
        found |= here
    return found


def _body(text: str, block: re.Match[str]) -> list[str]:
    """Return the lines of a block below its title."""
    inside = block["indent"] + "    "
    body = []
    for line in text[block.end() :].splitlines():
        if line.strip() and not line.startswith(inside):
            break
        body.append(line)
    return body


def _checks(body: list[str]) -> int:
    """Count the answers that the snippets of a block compare."""
    fences = _FENCE.findall(textwrap.dedent("\n".join(body)) + "\n")
    examples = [
        example
        for indent, code in fences
        for example in doctest.DocTestParser().get_examples(code)
    ]
    return sum(bool(example.want) for example in examples)


def ledger(docs: Path, page: Path) -> str:
    """Write the ledger as Markdown, with links that hold on `page`."""
    done, lines = settled(docs), []
    section = ""
    for key, claim in claims().items():
        if claim.section != section:
            section = claim.section
            lines += ["", f"## {section}", "", "| id | the deck says | verdict |"]
            lines += ["| --- | --- | --- |"]
        verdict = "open"
        if key in done:
            target = pages.relative(done[key].page, page)
            checks = done[key].checks
            verdict = (
                f"[{done[key].verdict}]({target}#claim-{key.lower()})"
                f"<br>{checks} answer{'s' * (checks > 1)} compared"
            )
        # A bar in a formula would end the cell.
        statement = claim.statement.replace("|", r"\vert ")
        lines.append(f"| {key} | {statement} | {verdict} |")
    return "\n".join(lines)


def count(docs: Path) -> str:
    """Say how many claims are settled."""
    return f"{len(settled(docs))} of {len(claims())}"


def verdicts(docs: Path) -> str:
    """Say how many claims have which verdict."""
    found = Counter(_short(one.verdict) for one in settled(docs).values())
    words = ("hold", "hold under a condition", "fail as stated")
    return ", ".join(f"{found[v]} {w}" for v, w in zip(VERDICTS, words, strict=True))


def slides(docs: Path, page: Path) -> str:
    """Write the way from each section of the deck to our pages and to their tests.

    A page belongs to the sections whose claims it settles, and to those that its front
    matter names as `sections`.

    Raises
    ------
    ClaimError
        If a section of the deck has no page.
    """
    done, lines = settled(docs), ["| the deck, and our page | verdicts | tests |"]
    lines.append("| --- | --- | --- |")
    for section, paths in _places(docs).items():
        if not paths:
            raise ClaimError(f'no page treats the section "{section}" of the deck.')
        for path in paths:
            target = pages.relative(path, page)
            verdicts = [
                f"[{key}]({target}#claim-{key.lower()}) {_short(done[key].verdict)}"
                for key, claim in claims().items()
                if claim.section == section and key in done and done[key].page == path
            ]
            cells = [
                f"**{section}**<br>" * (path == paths[0])
                + f"[{pages.title(docs / path)}]({target})",
                "<br>".join(verdicts).replace(" ", "&nbsp;"),
                "<br>".join(_tests(docs, path)),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _places(docs: Path) -> dict[str, list[Path]]:
    """Return the pages of each section of the deck, in the order of its claims."""
    done, known = settled(docs), claims()
    found: dict[str, dict[Path, None]] = {c.section: {} for c in known.values()}
    for key, claim in known.items():
        if key in done:
            found[claim.section][done[key].page] = None
    for path in sorted(docs.rglob("*.md")):
        for section in pages.front(path.read_text("utf-8")).get("sections", []):
            found[section][path.relative_to(docs)] = None
    return {section: list(paths) for section, paths in found.items()}


def _short(verdict: str) -> str:
    """Return a verdict without its condition."""
    return max((v for v in VERDICTS if verdict.startswith(v)), key=len)


def _tests(docs: Path, page: Path) -> list[str]:
    """Name what tests the topic of a page; the page itself is read, twice."""
    root = docs.parent
    topic = pages.front((docs / page).read_text("utf-8")).get("topic")
    paired = (root / f"src/chalkgrad/{topic}/_torch.py").is_file()
    files = sorted(
        path.relative_to(root / "tests").with_suffix("").as_posix()
        for path in (root / "tests").glob("*/test_*.py")
        if re.fullmatch(rf"test_{topic}(_vs_\w+|_by_\w+)?", path.stem)
    )
    # Where a name may break, on a phone.
    names = [re.sub(r"([/_])", r"\1<wbr>", file) for file in files]
    return ["the contract"] * paired + [f"<code>{name}</code>" for name in names]
