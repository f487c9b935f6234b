"""The ledger refuses a block that shows nothing."""

import re
from pathlib import Path

import pytest

from chalkdocs import claims, home, ledger, navigation
from chalkdocs.page_errors import PageError
from chalkdocs.sources import DOCS

FRONT = "---\nclaims: [G1]\n---\n"
BARE = '!!! claim "{}"\n    Words.\n\n    ```pycon\n    >>> 1 + 1\n    2\n    ```\n'
BLOCK = BARE + "\n    *Evidence:* a sum.\n"


def write_and_read(folder, text, name="page.md"):
    (folder / name).write_text(text)
    return claims.claim_blocks(folder)


def test_a_block_with_a_compared_answer_judges_its_claim(tmp_path):
    found = write_and_read(
        tmp_path, FRONT + BLOCK.format("G1 · holds if the step is short")
    )
    verdict, where = "holds if the step is short", Path("page.md")
    evidence = claims.Evidence("experiment", "a sum.")
    assert found == {
        "G1": claims.ClaimBlock("G1", verdict, where, 1, range(4, 13), evidence)
    }


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        (
            "*Evidence:* 8 starts;\n    rates 1 to 2.",
            "experiment",
            "8 starts; rates 1 to 2.",
        ),
        ("*Evidence (theorem):* by [Lee][lee2016].", "theorem", "by Lee."),
        ("*Evidence (definition):* a [word](a.md#b).", "definition", "a word."),
        ("*Evidence (deck):* the last slide.", "deck", "the last slide."),
    ],
)
def test_a_line_of_evidence_says_what_a_verdict_rests_on(tmp_path, line, kind, words):
    page = FRONT + BARE.format("G1 · holds") + f"\n    {line}\n\nAnd on.\n"
    (tmp_path / "training").mkdir()
    (tmp_path / "training/gradient-descent.md").write_text(page)
    found = claims.claim_blocks(tmp_path)["G1"]
    assert found.evidence == (kind, words)
    card = ledger.cards(tmp_path, Path("reference/claims.md"))
    assert f"**{claims.KINDS[kind].capitalize()}:** {words}</p>" in card
    assert claims.count(tmp_path) == f"1 {claims.KINDS[kind]}"
    tested = int(kind in ("experiment", "theorem"))
    assert claims.verdicts(tmp_path).startswith(f"{tested} hold,")
    sums = re.sub("<.*?>", "", ledger.verdict_sums(tmp_path))
    assert sums == "1 hold" * tested


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Words, and no evidence.", "its last paragraph must be a line of evidence"),
        ("*Evidence (hope):* much.", "one of theorem, definition, deck"),
        ("*Evidence*: much.", "a line of evidence, `.Evidence:. …` and words"),
        ("*Evidence:*", "a line of evidence, `.Evidence:. …` and words"),
        ("*Evidence:* much.\n\n    And more.", "must be its last paragraph"),
        ("*Evidence:* much.\n\n    *Evidence:* more.", "must be its last paragraph"),
    ],
)
def test_evidence_that_cannot_be_read_stops_the_build(tmp_path, lines, words):
    page = FRONT + BARE.format("G1 · holds") + f"\n    {lines}\n"
    with pytest.raises(claims.ClaimError, match=words) as found:
        write_and_read(tmp_path, page)
    assert str(found.value).startswith(f"{tmp_path / 'page.md'}:4: claim G1: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BLOCK.format("G9 · holds"), "must be an id"),
        (BLOCK.format("G1 holds"), "must be an id"),
        (BLOCK.format("G1 · true"), "the verdict must be one of"),
        (BLOCK.format("G1 · holds if "), "the verdict must be one of"),
        (BLOCK.format("G1 · holds") * 2, "second block"),
        (
            '!!! claim "G1 · holds"\n    Words.\n\n    *Evidence:* a sum.\n',
            "compares no answer",
        ),
        (
            BLOCK.format("G1 · holds").replace("    >>> 1 + 1\n    2\n", "    ...\n")
            + "\n```pycon\n>>> 1 + 1\n2\n```\n",
            "compares no answer",
        ),
        (BLOCK.format("G1 · holds").replace("    2\n", ""), "compares no answer"),
        (BLOCK.format("G2 · holds"), "the front matter lists"),
        ("# A page\n", "the front matter lists"),
    ],
)
def test_a_block_that_shows_nothing_stops_the_build(tmp_path, text, words):
    with pytest.raises(claims.ClaimError, match=words) as found:
        write_and_read(tmp_path, FRONT + text)
    # The block is told by its line, what is amiss at the head by the first.
    before = BLOCK.count("\n") if "second" in words else 0
    line = 1 if "front matter" in words else 4 + before
    assert str(found.value).startswith(f"{tmp_path / 'page.md'}:{line}: ")


def test_two_pages_may_not_judge_one_claim(tmp_path):
    write_and_read(tmp_path, FRONT + BLOCK.format("G1 · holds"))
    with pytest.raises(claims.ClaimError, match="second block") as found:
        write_and_read(tmp_path, FRONT + BLOCK.format("G1 · holds"), "two.md")
    assert str(found.value) == (
        f"{tmp_path / 'two.md'}:4: claim G1 has a second block, the first is "
        f"{tmp_path / 'page.md'}:4; keep one, and tell the rest as text."
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# A page\n", 1, "the page has no front matter; begin it with a line ---"),
        ("---\nclaims: []\n# A page\n", 1, "the page has no front matter; begin"),
        ("---\na: b\nc: d: e\n---\n", 3, "no YAML: mapping values .*into quotes"),
        ("---\na: [b\n---\n", 3, "no YAML: .*into quotes"),
        ("---\nwords\n---\n", 2, "must say `name: value`"),
    ],
)
def test_a_page_without_front_matter_stops_the_build(tmp_path, text, line, words):
    with pytest.raises(PageError, match=words) as found:
        write_and_read(tmp_path, text)
    assert str(found.value).startswith(f"{tmp_path / 'page.md'}:{line}: ")


def test_the_ledger_lists_every_claim_and_links_what_is_judged(tmp_path):
    page = tmp_path / "training/gradient-descent.md"
    page.parent.mkdir()
    page.write_text(FRONT + BLOCK.format("G1 · holds if the step is short"))
    known = list(claims.claims())
    written = ledger.cards(tmp_path, Path("reference/claims.md"))
    (card,) = re.findall(r"<li class=.*?</li>", written, re.S)
    assert 'data-claim="G1" data-verdict="holds-if"' in card
    assert claims.claims()["G1"].statement in card
    assert "Holds if the step is short." in card
    link = "(../training/gradient-descent.md#claim-g1)"
    assert f"[Run the experiment]{link} · 1 answer compared" in card
    others = ", ".join(key for key in known if key != "G1")
    assert f"No page judges {others} yet." in written
    assert claims.count(tmp_path) == "1 tested here"
    sums = "0 hold, 1 hold under a condition, 0 fail as stated"
    assert claims.verdicts(tmp_path) == sums
    words = re.sub("<.*?>", "", ledger.verdict_sums(tmp_path))
    assert words == "1 hold under a condition"
    (mark,) = re.findall("^- .*", ledger.tally(tmp_path, Path("index.md")), re.M)
    assert "](training/gradient-descent.md#claim-g1)" in mark
    assert 'aria-label="G1: holds if"' in mark


def test_every_claim_belongs_to_one_chapter_and_every_page_to_the_navigation():
    lecture = ledger.chapters(DOCS)
    judged = [key for chapter in lecture for key in chapter.claims]
    assert sorted(judged) == sorted(claims.claims())
    pages = [page for chapter in lecture for page in chapter.pages]
    treated = [
        page
        for section, page in navigation.pages()
        if section in ("Traditional ML", "The perceptron", "Training")
    ]
    assert sorted(set(pages) - {"reference/bibliography.md"}) == sorted(treated)
    assert len(pages) == len(set(pages))


def test_the_way_falls_from_all_statements_to_none():
    counts = re.search(r"chapter by chapter: (.*?)\.", home.way())[1].split(", ")
    left = [int(count) for count in counts]
    assert left[0] == len(claims.claims())
    assert left[-1] == 0
    assert left == sorted(left, reverse=True)


@pytest.mark.parametrize("judge", [True, False])
def test_a_door_leads_to_the_judge_where_it_has_a_page(monkeypatch, judge):
    pages = [("Use it", "how-to/judge.md")] * judge
    monkeypatch.setattr(navigation, "pages", lambda: pages)
    doors = home.doors()
    assert ("(how-to/judge.md)" in doors) is judge
    assert ("(reference/claims.md)" in doors) is not judge
    assert "(perceptron/neuron.md)" in doors


def test_the_slides_lead_to_pages_verdicts_and_tests(tmp_path):
    docs, tests = tmp_path / "docs", tmp_path / "tests/unit"
    docs.mkdir()
    tests.mkdir(parents=True)
    (tests / "test_losses.py").touch()
    (tests / "test_losses_and_more.py").touch()
    blocks = "".join(BLOCK.format(f"{key} · holds if so") for key in claims.claims())
    listed = ", ".join(claims.claims())
    head = f"---\ntopic: losses\nclaims: [{listed}]\n---\n# All of it\n"
    (docs / "all.md").write_text(head + blocks)
    (docs / "more.md").write_text("---\nsections: [Loss]\n---\n# And more\n")
    rows = claims.slides_table(docs, Path("reference/slides.md")).splitlines()[2:]
    sections = dict.fromkeys(c.section for c in claims.claims().values())
    heads = [row.split("**")[1] for row in rows if "**" in row]
    assert heads == list(sections)
    (depth,) = [row for row in rows if row.startswith("| **Depth**")]
    page, verdicts, files = depth.strip("| ").split(" | ")
    assert page == "**Depth**<br>[All of it](../all.md)"
    assert verdicts.startswith("[D1](../all.md#claim-d1)&nbsp;holds&nbsp;if<br>[D2]")
    assert files.replace("<wbr>", "") == "<code>unit/test_losses</code>"
    assert "| [And more](../more.md) |  | " in "".join(rows)


def test_a_section_of_the_deck_without_a_page_stops_the_build(tmp_path):
    write_and_read(tmp_path, FRONT + BLOCK.format("G1 · holds"))
    with pytest.raises(claims.ClaimError, match='the section "Traditional ML"'):
        claims.slides_table(tmp_path, Path("reference/slides.md"))
