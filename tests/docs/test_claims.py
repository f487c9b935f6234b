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
    expected = claims.Settled("G1", "holds if the step is short", Path("page.md"), 1)
    assert found == {"G1": expected}


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
    assert len(rows) == len(claims.claims()) == 37
    assert sum("| open |" in row for row in rows) == 36
    (done,) = [row for row in rows if row.startswith("| G1 ")]
    assert "[holds](../page.md#claim-g1)" in done
    assert claims.count(tmp_path) == "1 of 37"
