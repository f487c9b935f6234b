"""The ledger refuses a block that settles nothing."""

from pathlib import Path

import pytest

from chalkdocs import claims

FRONT = "---\nclaims: [G1]\n---\n"
BLOCK = '!!! claim "{}"\n    Words.\n\n    ```pycon\n    >>> 1 + 1\n    2\n    ```\n'


def settled(folder, text, name="page.md"):
    (folder / name).write_text(text)
    return claims.settled(folder)


def test_a_block_with_a_compared_answer_settles_its_claim(tmp_path):
    found = settled(tmp_path, FRONT + BLOCK.format("G1 · holds if the step is short"))
    verdict, where = "holds if the step is short", Path("page.md")
    assert found == {"G1": claims.Settled("G1", verdict, where, 1, range(4, 11))}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BLOCK.format("G9 · holds"), "must be an id"),
        (BLOCK.format("G1 holds"), "must be an id"),
        (BLOCK.format("G1 · true"), "the verdict must be one of"),
        (BLOCK.format("G1 · holds if "), "the verdict must be one of"),
        (BLOCK.format("G1 · holds") * 2, "second block"),
        ('!!! claim "G1 · holds"\n    Words.\n', "compares no answer"),
        (
            '!!! claim "G1 · holds"\n    Words.\n\n```pycon\n>>> 1 + 1\n2\n```\n',
            "compares no answer",
        ),
        (BLOCK.format("G1 · holds").replace("    2\n", ""), "compares no answer"),
        (BLOCK.format("G2 · holds"), "the front matter lists"),
        ("# A page\n", "the front matter lists"),
    ],
)
def test_a_block_that_settles_nothing_stops_the_build(tmp_path, text, words):
    with pytest.raises(claims.ClaimError, match=words):
        settled(tmp_path, FRONT + text)


def test_two_pages_may_not_settle_one_claim(tmp_path):
    settled(tmp_path, FRONT + BLOCK.format("G1 · holds"))
    with pytest.raises(claims.ClaimError, match="second block"):
        settled(tmp_path, FRONT + BLOCK.format("G1 · holds"), "two.md")


def test_the_ledger_lists_every_claim_and_links_what_is_settled(tmp_path):
    settled(tmp_path, FRONT + BLOCK.format("G1 · holds"))
    rows = [
        line
        for line in claims.ledger(tmp_path, Path("reference/claims.md")).splitlines()
        if line.startswith("| ") and not line.startswith(("| id", "| ---"))
    ]
    assert len(rows) == len(claims.claims())
    assert sum("| open |" in row for row in rows) == len(rows) - 1
    (done,) = [row for row in rows if row.startswith("| G1 ")]
    assert "[holds](../page.md#claim-g1)" in done
    assert claims.count(tmp_path) == f"1 of {len(rows)}"
    sums = "1 hold, 0 hold under a condition, 0 fail as stated"
    assert claims.verdicts(tmp_path) == sums


def test_the_slides_lead_to_pages_verdicts_and_tests(tmp_path):
    docs, tests = tmp_path / "docs", tmp_path / "tests/topics"
    docs.mkdir()
    tests.mkdir(parents=True)
    (tests / "test_losses.py").touch()
    (tests / "test_losses_and_more.py").touch()
    blocks = "".join(BLOCK.format(f"{key} · holds if so") for key in claims.claims())
    listed = ", ".join(claims.claims())
    head = f"---\ntopic: losses\nclaims: [{listed}]\n---\n# All of it\n"
    (docs / "all.md").write_text(head + blocks)
    (docs / "more.md").write_text("---\nsections: [Loss]\n---\n# And more\n")
    rows = claims.slides(docs, Path("reference/slides.md")).splitlines()[2:]
    sections = dict.fromkeys(c.section for c in claims.claims().values())
    heads = [row.split("**")[1] for row in rows if "**" in row]
    assert heads == list(sections)
    (depth,) = [row for row in rows if row.startswith("| **Depth**")]
    page, verdicts, files = depth.strip("| ").split(" | ")
    assert page == "**Depth**<br>[All of it](../all.md)"
    assert verdicts.startswith("[D1](../all.md#claim-d1)&nbsp;holds&nbsp;if<br>[D2]")
    assert files.replace("<wbr>", "") == "<code>topics/test_losses</code>"
    assert "| [And more](../more.md) |  | " in "".join(rows)


def test_a_section_of_the_deck_without_a_page_stops_the_build(tmp_path):
    settled(tmp_path, FRONT + BLOCK.format("G1 · holds"))
    with pytest.raises(claims.ClaimError, match='the section "Traditional ML"'):
        claims.slides(tmp_path, Path("reference/slides.md"))
