"""The built site in a real browser."""

from itertools import groupby
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "site"
PAGES = sorted(
    f"/{path.parent.relative_to(SITE).as_posix()}/".replace("/./", "/")
    for path in SITE.rglob("index.html")
)
LECTURE = [
    "/",
    *(
        p
        for p in PAGES
        if p.startswith(("/perceptron/", "/traditional-ml/", "/training/"))
    ),
]


def test_there_are_pages():
    assert {"/perceptron/neuron/", "/training/gradient-descent/"} < set(LECTURE)


def test_a_figure_follows_the_dark(page, base):
    page.goto(base + "/training/gradient-descent/")
    ink = (
        "getComputedStyle(document.querySelector('figure.drawing svg text')).fill + "
        "getComputedStyle(document.querySelector('figure.drawing path[style*=fig-1]'))"
        ".stroke"
    )
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert page.evaluate(ink) != light


@pytest.mark.parametrize("choices", [["PyTorch"], ["PyTorch", "NumPy"]])
def test_a_tab_chosen_once_is_chosen_on_the_whole_site(page, base, choices):
    page.goto(base + "/perceptron/neuron/")
    for choice in choices:
        page.locator(".tabbed-labels").get_by_text(choice).first.click()
    for path in ("/perceptron/neuron/", "/training/gradient-descent/"):
        page.goto(base + path)
        page.evaluate(
            "document.querySelectorAll('details').forEach(each => each.open = true)"
        )
        page.wait_for_timeout(300)
        chosen = page.evaluate(
            "[...document.querySelectorAll('.tabbed-set')].map(set => "
            "set.querySelector(`label[for='${set.querySelector('input:checked').id}']`)"
            ".innerText)"
        )
        assert chosen
        assert set(chosen) == {choices[-1]}


def test_a_verdict_of_the_ledger_leads_to_its_block(page, base):
    page.goto(base + "/reference/claims/")
    links = [a.evaluate("a => a.href") for a in page.locator(".evidence a").all()]
    assert len(links) > 20
    for address, group in groupby(
        sorted(links), key=lambda link: link.partition("#")[0]
    ):
        page.goto(address)
        for link in group:
            assert page.locator(f".claim #{link.partition('#')[2]}").is_visible()
