"""The glossary: every word explained, and met only where it has been explained."""

from pathlib import Path

import pytest

from chalkdocs import chapters, glossary, navigation
from chalkdocs.sources import DOCS

TERMS = glossary.terms(glossary.WORDS)
LECTURE = [
    Path(source) for part, source in navigation.pages() if part in chapters.PARTS
]


@pytest.mark.parametrize("key", TERMS)
def test_the_page_of_a_word_says_it_in_bold(key):
    term = TERMS[key]
    text = (DOCS / term.page).read_text("utf-8")
    assert glossary.find_bold(term, text) is not None


def test_a_meaning_is_a_sentence_that_fits_into_a_title():
    for term in TERMS.values():
        assert term.meaning.endswith(".")
        assert '"' not in term.meaning
        assert len(term.meaning) < 140


@pytest.mark.parametrize("page", LECTURE, ids=str)
def test_a_page_uses_no_word_before_it_is_explained(page):
    assert list(glossary.find_early_uses(page, DOCS)) == []


@pytest.fixture
def site(tmp_path):
    """Write two pages and a glossary of one word."""
    (tmp_path / "words.toml").write_text(
        '[relu]\nterm = "ReLU"\npage = "a/first.md"\n'
        'meaning = "The larger of 0 and z."\n'
    )
    (tmp_path / "a").mkdir()
    first = "---\nneeds: ''\n---\n# A\n\nA **ReLU** bends.\n"
    (tmp_path / "a/first.md").write_text(first)

    def write(text, needs=""):
        page = f"---\nneeds: '{needs}'\n---\n# B\n\n{text}\n"
        (tmp_path / "a/second.md").write_text(page)
        return tmp_path

    return write


def early_uses(docs):
    page = Path("a/second.md")
    return list(glossary.find_early_uses(page, docs, docs / "words.toml"))


def test_a_word_from_nowhere_is_found_with_its_line(site):
    assert early_uses(site("It has a ReLU.")) == [
        "a/second.md:6: 'ReLU' (see a/first.md)"
    ]


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("It has a ReLU.", "[A](first.md)"),
        ("The **ReLU** is max(0, z). A ReLU bends.", ""),
        ("See [A](first.md) for the ReLU.", ""),
        ("`ReLU`, $ReLU$ and\n\n```pycon\n>>> ReLU\n```", ""),
        ("# About ReLU\n\n| ReLU |", ""),
    ],
)
def test_what_is_explained_or_no_prose_is_let_pass(site, text, needs):
    assert early_uses(site(text, needs)) == []


def test_a_word_used_before_its_own_bold_is_found(site):
    assert len(early_uses(site("A ReLU bends. The **ReLU** is max(0, z)."))) == 1


def test_the_first_use_alone_becomes_a_link(site):
    docs = site("A ReLU, and another ReLU.")
    linked = glossary.link_terms(
        "A ReLU, and another ReLU.", Path("a/second.md"), docs / "words.toml"
    )
    assert linked == (
        'A [ReLU](../reference/glossary.md#relu "The larger of 0 and z."){ .term }, '
        "and another ReLU."
    )
