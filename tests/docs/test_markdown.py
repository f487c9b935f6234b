"""The Markdown extension: what a page asks for, and what stops the build."""

import json
import re
from html import unescape
from pathlib import Path

import markdown
import pytest

from chalkdocs import widgets
from chalkdocs.bibliography import BibliographyError
from chalkdocs.formulas import mathml, plain
from chalkdocs.markdown import PageError

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
    assert copy == "for i in range(2):&#10;    print(i &lt; 1)&#10;&#x27;a&#x27;"


def test_a_source_shows_both_halves_in_tabs_without_docstrings():
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
        ("<!-- command: chalkgrad trian -->", "'chalkgrad trian' failed:\nusage"),
        ("See ![A bowl](figure:gradient_descent.bowl)", "paragraph of its own"),
    ],
)
def test_what_is_not_there_stops_the_build(text, words):
    with pytest.raises(PageError, match=words):
        html(text)


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
        (given,) = re.findall(f'<div data-widget="{name}" data-given="(.*?)">', out)
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
