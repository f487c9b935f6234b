"""The claims ledger: what the lecture says, and what a page found out about it.

A page judges a claim in a block ``!!! claim "G1 · holds if …"`` that holds a snippet
which runs, and ends with a line of evidence:

    *Evidence:* 8 starts, medians with the middle half; rates 0.01 to 1. Not tested: …

``*Evidence (theorem):*`` and the like say that it is no experiment; see `KINDS`. The
blocks are read from the Markdown of the pages, so the same ledger comes out of any site
engine, and out of none.
"""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from chalkdocs import front_matter
from chalkdocs.directives import directive
from chalkdocs.page_errors import PageError, position
from chalkdocs.sources import DOCS, read_once
from chalkgrad.lecture import _claims as lecture
from chalkgrad.lecture._claims import STATEMENTS

SLIDES = Path("reference/slides.md")
VERDICTS = ("holds", "holds if", "fails as stated")
KINDS = {
    "experiment": "tested here",
    "theorem": "by a theorem",
    "definition": "by definition",
    "deck": "read from the deck",
}
"""On what a verdict rests; the first where the line of evidence names no kind."""
_EVIDENCE = re.compile(r"\*Evidence(?: \((?P<kind>[^)]*)\))?:\* +(?P<words>\S.*)", re.S)
_REFERENCE = re.compile(r"\[([^]]+)\](?:\[[^]]*\]|\([^)]*\))")


class ClaimError(PageError):
    """A claim block that shows nothing, or that says so of the wrong claim."""


class Claim(NamedTuple):
    """One statement of the lecture."""

    section: str
    statement: str
    """Markdown, in our words."""


class Evidence(NamedTuple):
    """The last line of a claim block."""

    kind: str
    """One of `KINDS`."""
    words: str
    """Markdown without links: they would lead elsewhere from the ledger."""


class ClaimBlock(NamedTuple):
    """One claim block."""

    id: str
    verdict: str
    page: Path
    """Relative to the folder of pages."""
    checks: int
    """How many answers its snippets compare."""
    lines: range
    """Where it is on the page."""
    evidence: Evidence
    """On what the verdict rests, and how far it reaches."""


def claims() -> dict[str, Claim]:
    """Return all that the lecture says, by id, in its order."""
    return _claims(STATEMENTS)


@read_once
def _claims(path: Path) -> dict[str, Claim]:
    found = tomllib.loads(path.read_text("utf-8"))
    return {key: Claim(**claim) for key, claim in found.items()}


def split_title(title: str) -> tuple[str, str]:
    """Split a block's title, ``"G1 · holds"``, into the id and the verdict."""
    key, dot, verdict = (part.strip() for part in title.partition("·"))
    if not dot or key not in claims():
        raise ClaimError(
            f'claim "{title}": the title must be an id of {STATEMENTS.name}, " · " and '
            "a verdict."
        )
    if verdict not in ("holds", "fails as stated") and not verdict.startswith(
        ("holds if ", "fails as stated: ")
    ):
        raise ClaimError(
            f'claim "{title}": the verdict must be one of {", ".join(VERDICTS)}.'
        )
    return key, verdict


def claim_blocks(docs: Path) -> dict[str, ClaimBlock]:
    """Read every claim block of every page under `docs`, by id.

    Raises
    ------
    ClaimError
        If an id is not known or has two blocks, a verdict is missing, a block has no
        snippet whose answer is compared, its last paragraph is no line of evidence, or
        a page's front matter lists other claims than its blocks.
    """
    found: dict[str, ClaimBlock] = {}
    for path in sorted(docs.rglob("*.md")):
        page, text = path.relative_to(docs), path.read_text("utf-8")
        here: dict[str, ClaimBlock] = {}
        for block in lecture.blocks(text):
            where = position(path, block.lines.start)
            try:
                key, verdict = split_title(block.title)
            except ClaimError as error:
                raise ClaimError(f"{where}: {error}") from None
            if other := (found | here).get(key):
                raise ClaimError(
                    f"{where}: claim {key} has a second block, the first is "
                    f"{position(docs / other.page, other.lines.start)}; keep one, and "
                    "tell the rest as text."
                )
            try:
                evidence = split_evidence(block.body)
            except ClaimError as error:
                raise ClaimError(f"{where}: claim {key}: {error}") from None
            here[key] = ClaimBlock(
                key, verdict, page, block.answers, block.lines, evidence
            )
            if here[key].checks == 0:
                raise ClaimError(
                    f"{where}: the block of claim {key} compares no answer; show it "
                    "with a ```pycon snippet that prints one."
                )
        listed = front_matter.require(path).get("claims", [])
        if sorted(listed) != sorted(here):
            raise ClaimError(
                f"{position(path, 1)}: the front matter lists the claims "
                f"{sorted(listed)}, the blocks judge {sorted(here)}; write "
                f"claims: [{', '.join(here)}]."
            )
        found |= here
    return found


def split_evidence(body: str) -> Evidence:
    """Read the line of evidence, the last paragraph of a block."""
    *before, last = body.strip().split("\n\n")
    if any(part.startswith("*Evidence") for part in before):
        raise ClaimError(
            "the line of evidence must be its last paragraph, and only one."
        )
    match = _EVIDENCE.fullmatch(last)
    kind = (match and match["kind"]) or "experiment"
    if not match or kind not in KINDS:
        others = ", ".join(list(KINDS)[1:])
        raise ClaimError(
            "its last paragraph must be a line of evidence, `*Evidence:* …` and words, "
            f"or `*Evidence (kind):* …` with one of {others}."
        )
    return Evidence(kind, " ".join(_REFERENCE.sub(r"\1", match["words"]).split()))


def is_tested(block: ClaimBlock) -> bool:
    """Whether an experiment decides; a definition or an empty section needs none."""
    return block.evidence.kind in ("experiment", "theorem")


def count(docs: Path) -> str:
    """Say on what the verdicts rest, and how many of them."""
    blocks = claim_blocks(docs).values()
    found = Counter(block.evidence.kind for block in blocks)
    return ", ".join(f"{found[kind]} {KINDS[kind]}" for kind in KINDS if found[kind])


def verdicts(docs: Path) -> str:
    """Say how many claims that can be tested have which verdict."""
    found = Counter(
        split_condition(one.verdict)[0]
        for one in claim_blocks(docs).values()
        if is_tested(one)
    )
    words = ("hold", "hold under a condition", "fail as stated")
    return ", ".join(f"{found[v]} {w}" for v, w in zip(VERDICTS, words, strict=True))


def slides_table(docs: Path, page: Path) -> str:
    """Write the way from each section of the deck to our pages and to their tests.

    A page belongs to the sections whose claims it judges, and to those that its front
    matter names as `sections`.

    Raises
    ------
    ClaimError
        If a section of the deck has no page.
    """
    done, lines = claim_blocks(docs), ["| the deck, and our page | verdicts | tests |"]
    lines.append("| --- | --- | --- |")
    for section, paths in _pages_by_section(docs).items():
        if not paths:
            raise ClaimError(f'no page treats the section "{section}" of the deck.')
        for path in paths:
            target = front_matter.relative_link(path, page)
            verdicts = [
                f"[{key}]({target}#claim-{key.lower()}) "
                + split_condition(done[key].verdict)[0]
                for key, claim in claims().items()
                if claim.section == section and key in done and done[key].page == path
            ]
            cells = [
                f"**{section}**<br>" * (path == paths[0])
                + f"[{front_matter.title(docs / path)}]({target})",
                "<br>".join(verdicts).replace(" ", "&nbsp;"),
                "<br>".join(_tests_of(docs, path)),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _pages_by_section(docs: Path) -> dict[str, list[Path]]:
    """Return the pages of each section of the deck, in the order of its claims."""
    done, known = claim_blocks(docs), claims()
    found: dict[str, dict[Path, None]] = {c.section: {} for c in known.values()}
    for key, claim in known.items():
        if key in done:
            found[claim.section][done[key].page] = None
    for path in sorted(docs.rglob("*.md")):
        for section in front_matter.read(path.read_text("utf-8")).get("sections", []):
            found[section][path.relative_to(docs)] = None
    return {section: list(paths) for section, paths in found.items()}


def split_condition(verdict: str) -> tuple[str, str]:
    """Split a verdict into one of `VERDICTS` and the condition or the correction."""
    bare = max((v for v in VERDICTS if verdict.startswith(v)), key=len)
    return bare, verdict.removeprefix(bare).lstrip(": ")


def _tests_of(docs: Path, page: Path) -> list[str]:
    """Name what tests the topic of a page; the page itself is read, twice."""
    root = docs.parent
    topic = front_matter.read((docs / page).read_text("utf-8")).get("topic")
    paired = (root / f"src/chalkgrad/{topic}/_torch.py").is_file()
    files = sorted(
        path.relative_to(root / "tests").with_suffix("").as_posix()
        for path in (root / "tests").glob("*/test_*.py")
        if re.fullmatch(rf"test_{topic}(_vs_\w+|_by_\w+)?", path.stem)
    )
    # Where a name may break, on a phone.
    names = [re.sub(r"([/_])", r"\1<wbr>", file) for file in files]
    return ["the contract"] * paired + [f"<code>{name}</code>" for name in names]


# --- On a page ------------------------------------------------------------------------


@directive("slides")
def _write_slides() -> str:
    return slides_table(DOCS, SLIDES)


@directive("claims count", inline=True)
def _write_count() -> str:
    return count(DOCS)


@directive("claims verdicts", inline=True)
def _write_verdicts() -> str:
    return verdicts(DOCS)
