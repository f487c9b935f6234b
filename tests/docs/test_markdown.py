"""The Markdown extension: what a page asks for, and what stops the build."""

import json
import re
from html import unescape
from itertools import pairwise
from pathlib import Path

import markdown
import pytest

from chalkdocs import directives, page_errors, widgets
from chalkdocs.bibliography import BibliographyError
from chalkdocs.formulas import mathml, plain
from chalkdocs.page_errors import PageError
from chalkdocs.sources import DOCS

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "extensions": [
        "admonition",
        "attr_list",
        "toc",
        "pymdownx.arithmatex",
        "pymdownx.details",
        "pymdownx.highlight",
        "pymdownx.superfences",
        "pymdownx.tabbed",
        "chalkdocs.markdown",
    ],
    "extension_configs": {
        "pymdownx.arithmatex": {"generic": True},
        "pymdownx.highlight": {"pygments_lang_class": True},
        "pymdownx.tabbed": {"alternate_style": True},
    },
}


def html(text):
    return markdown.markdown(text, **SETTINGS)


def test_a_formula_becomes_mathml_alone():
    out = html("The rate $\\eta$ and\n\n$$\\nabla L(w) < 1$$\n")
    assert out.count("<math") == 2
    assert out.count('<math display="block">') == 1
    assert "katex" not in out
    assert "\\(" not in out


def test_a_formula_that_does_not_parse_stops_the_build():
    with pytest.raises(PageError, match=r"the formula '\\\\frac\{1\}' does not parse"):
        html("$\\frac{1}$")


def test_a_formula_is_not_set_twice():
    assert mathml("x^2", display=False) is mathml("x^2", display=False)


def test_a_heading_reads_its_formula_in_letters():
    page = markdown.Markdown(**SETTINGS)
    page.convert("## The step $\\eta\\nabla L$\n")
    assert page.toc_tokens[0]["name"] == "The step η∇L"
    assert plain(r"\sigma(z)") == "σ(z)"


def test_a_snippet_copies_as_its_source_alone():
    out = html(
        "```pycon\n>>> for i in range(2):\n...     print(i < 1)  # doctest: +ELLIPSIS\n"
        "True\nFalse\n>>> 'a'\n'a'\n```\n"
    )
    (copy,) = re.findall(r'data-copy="(.*?)"', out)
    block = "for i in range(2):&#10;    print(i &lt; 1)&#10;&#10;"
    assert copy == f"{block}&#x27;a&#x27;"


def test_a_command_copies_without_its_prompt_and_what_it_prints():
    out = html("```console\n$ chalkgrad inspect 'a b'\n2 rows\n$ ls\n```\n")
    (copy,) = re.findall(r'data-copy="(.*?)"', out)
    assert copy == "chalkgrad inspect &#x27;a b&#x27;&#10;ls"


def test_a_source_shows_both_backends_in_tabs_without_docstrings():
    out = html("<!-- source: optimizers.sgd -->\n")
    assert "src/chalkgrad/optimizers/_numpy.py" in out
    assert "src/chalkgrad/optimizers/_torch.py" in out
    assert out.count('class="tabbed-block"') == 2
    assert "Gradient descent, with momentum" not in out


def test_a_shared_source_is_one_block():
    out = html("    <!-- source: schedules.constant -->\n".lstrip())
    assert "src/chalkgrad/schedules/_shared.py" in out
    assert "tabbed" not in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!-- source: optimizers.sdg -->", "has no sdg"),
        ("<!-- source: optimisers.sgd -->", "no topic 'optimisers'"),
        ("![](figure:gradient_descent.bowl)", "has no description"),
        ("![A bowl](figure:gradient_descent.boal)", "no figure gradient_descent.boal"),
        ("![A bowl](figure:nothing.bowl)", "the figures of nothing failed"),
        ("<!-- widget: bawl -->", "no widget 'bawl'; there are backprop, "),
        ("<!-- command: chalkgrad trian -->", "'chalkgrad trian' failed:\nchalkgrad: "),
        ("See ![A bowl](figure:gradient_descent.bowl)", "paragraph of its own"),
    ],
)
def test_what_is_not_there_stops_the_build(text, words):
    with pytest.raises(PageError, match=words):
        html(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Words.\n\n<!-- widgit: bowl -->\n", "write widget, or begin a comment"),
        ("Words.\n\n<!-- claims legder -->\n", "write claims ledger, or begin"),
        ("Words.\n\nIn all <!-- claims cuont -->.\n", "write claims count, or begin"),
        ("Words.\n\n<!-- slides: all -->\n", "write <!-- slides -->."),
        ("Words.\n\n<!-- widget -->\n", "write <!-- widget: … -->."),
        ("Words.\n\nHere: <!-- widget: bowl -->\n", "needs a line of its own."),
        ("Words.\n\n<!-- widget: bawl -->\n", "no widget 'bawl'; there are"),
        ("Words.\n\n<!-- bibliography: stepps -->\n", "keyword 'stepps'."),
        ("Words.\n\nA $\\frac{1}$ here.\n", "does not parse"),
        ("Words.\n\n![A](figure:wiring.xar)\n", "no figure wiring.xar; there are"),
        ("Words.\n\n![](figure:wiring.xor)\n", "![what it shows](…)."),
        ('Words.\n\n!!! claim "G99 · holds"\n    So.\n', "the title must be an id"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_remedy(
    tmp_path, monkeypatch, text, words
):
    monkeypatch.setattr(page_errors.find, "__defaults__", (tmp_path,))
    (tmp_path / "other.md").write_text("# Another\n")
    body = f"# A page\n\n{text}"
    for name, head in (("page.md", "---\ndescription: A.\n---\n"), ("bare.md", "")):
        page = tmp_path / name
        page.write_text(head + body)
        with pytest.raises(PageError) as found:
            html(body)
        message = str(found.value)
        assert message.startswith(f"{page}:{5 + head.count(chr(10))}: ")
        assert words in message
        page.unlink()


def test_a_text_that_is_no_page_is_told_by_its_line(tmp_path):
    (tmp_path / "page.md").write_text("# Longer\n\nWords.\n")
    assert page_errors.find("Words.\n", 1, tmp_path) == "line 1"
    assert page_errors.find("", 3, tmp_path) == "line 3"


def test_a_sentence_in_a_comment_and_code_ask_for_nothing():
    page = (
        "<!-- A word to who reads this. -->\n\nWrite `<!-- widgit: bowl -->`.\n\n"
        "~~~~markdown\n```\n<!-- widgit: bowl -->\n~~~\n<!-- slides: all -->\n~~~~\n"
        "\n<!-- doctest-requires:: torch -->\n"
    )
    out = html(page)
    assert unescape(re.sub("<[^>]+>", "", out)).count("<!-- widgit: bowl -->") == 2
    with pytest.raises(PageError, match="no directive <!-- widgit: bowl -->"):
        html(page + "\n<!-- widgit: bowl -->\n")


def test_a_module_offers_a_directive_by_a_decorated_function(monkeypatch):
    monkeypatch.setattr(directives, "_DIRECTIVES", {})

    @directives.directive("shout")
    def shout(words):
        return f"**{words}**\n\n{words}!"

    @directives.directive("answer", inline=True)
    def answer():
        return "42"

    lines = [
        "- x",
        "",
        "  <!-- shout: hey -->",
        "It is <!-- answer -->.",
        "<!-- answer -->",
    ]
    out = directives.Directives().run(lines)
    assert out == ["- x", "", "  **hey**", "", "  hey!", "It is 42.", "42"]


def test_a_figure_is_drawn_in_the_colours_of_the_theme_and_described():
    out = html('![A bowl & a walk](figure:gradient_descent.bowl "Four rates")')
    assert '<svg data-search-exclude role="img" aria-label="A bowl &amp; a walk"' in out
    assert "<figcaption>Four rates</figcaption>" in out
    assert "currentColor" in out
    assert "var(--fig-1)" in out
    assert "#0102" not in out
    ids = re.findall(r'\bid="([^"]+)"', out)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', out)) <= set(ids)


def test_a_command_is_shown_with_what_it_prints():
    found = html("<!-- command: head -n 1 flowers.csv -->")
    shown = unescape(re.sub("<[^>]+>", "", found)).strip()
    assert shown == "$ head -n 1 flowers.csv\nheight,leaves,kind"


def test_every_widget_is_given_what_python_computed():
    for name in widgets.__all__:
        out = html(f"<!-- widget: {name} -->\n")
        (given,) = re.findall(f'<div data-widget="{name}" .*? data-given="(.*?)">', out)
        assert json.loads(unescape(given)) == getattr(widgets, name)()
    files = (ROOT / "docs/assets/js/widgets").glob("*.js")
    assert set(widgets.__all__) < {file.stem for file in files}


def test_a_claim_tells_what_the_deck_says():
    out = html('!!! claim "G2 · holds"\n    So it is.\n')
    assert '<span class="claim-id" id="claim-g2">G2</span>' in out
    assert "is the learning rate." in out
    assert "Holds" in out


def test_a_work_has_its_anchor_its_words_and_where_it_is_cited():
    out = html("<!-- bibliography: steps -->\n")
    (cauchy,) = re.findall(r'<a href="" id="cauchy1847"></a>(.*?)</li>', out, re.S)
    assert cauchy.startswith("<strong>Cauchy (1847).</strong> Augustin-Louis Cauchy.")
    assert '<a href="../training/gradient-descent.md">Gradient descent</a>' in cauchy
    assert "<strong>Polyak and Juditsky (1992).</strong>" in out
    assert "<strong>Duchi, Hazan and Singer (2011).</strong>" in out
    assert "<strong>Cohen and others (2021).</strong>" in out
    assert "bibtex-protected" not in out


def test_a_section_of_the_bibliography_without_a_work_stops_the_build():
    with pytest.raises(BibliographyError, match="keyword 'stepps'"):
        html("<!-- bibliography: stepps -->\n")


def test_the_head_of_a_table_has_words():
    """What reads a page aloud finds no name in a formula alone, or in nothing."""
    nameless = []
    for path in sorted(DOCS.rglob("*.md")):
        lines = path.read_text("utf-8").split("\n")
        for number, (head, rule) in enumerate(pairwise(lines), 1):
            if set(rule.strip()) >= {"|", "-"} and set(rule) <= set("|:- "):
                cells = head.strip().strip("|").split("|")
                if not all("".join(c.split("$")[::2]).strip() for c in cells):
                    nameless.append(f"{path.name}:{number}: {head}")
    assert nameless == []
