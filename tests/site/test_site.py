"""The built site in a real browser."""

from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "site"
PAGES = sorted(
    f"/{path.parent.relative_to(SITE).as_posix()}/".replace("/./", "/")
    for path in SITE.rglob("index.html")
)
LECTURE = ["/", *(p for p in PAGES if p.startswith(("/perceptron/", "/training/")))]


def test_there_are_pages():
    assert {"/perceptron/neuron/", "/training/gradient-descent/"} < set(LECTURE)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_loads_clean_fits_and_asks_no_other_host(
    chromium, base, scheme, width
):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    page = context.new_page()
    troubles, hosts = [], set()
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on(
        "response",
        lambda response: (
            response.status < 400 or troubles.append(f"{response.url} failed")
        ),
    )
    for path in PAGES:
        page.goto(base + path)
        page.wait_for_timeout(100)  # what comes late, and complains late
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide == width, f"{path} is {wide} pixels wide on a screen of {width}"
    assert troubles == []
    assert hosts == {base.removeprefix("http://")}
    context.close()


def test_every_picture_says_what_it_shows(page, base):
    for path in PAGES:
        page.goto(base + path)
        for picture in page.locator("article :is(img, svg[role=img])").all():
            said = picture.get_attribute("alt") or picture.get_attribute("aria-label")
            assert said, f"a picture of {path} has no description"


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


def test_a_tab_chosen_once_is_chosen_on_the_whole_site(page, base):
    page.goto(base + "/perceptron/neuron/")
    page.locator(".tabbed-labels").get_by_text("PyTorch").first.click()
    for path in ("/perceptron/neuron/", "/training/gradient-descent/"):
        page.goto(base + path)
        page.wait_for_timeout(300)
        chosen = page.evaluate(
            "[...document.querySelectorAll('.tabbed-set')].map(set => "
            "set.querySelector(`label[for='${set.querySelector('input:checked').id}']`)"
            ".innerText)"
        )
        assert chosen
        assert set(chosen) == {"PyTorch"}


def test_the_search_finds_a_word_of_a_page(page, base):
    page.goto(base + "/")
    page.locator(".md-search__input").fill("Rosenblatt")
    page.wait_for_selector(".md-search-result__link")
    assert "neuron" in page.locator(".md-search-result__list").inner_text().lower()


def test_a_verdict_of_the_ledger_leads_to_its_block(page, base):
    page.goto(base + "/reference/claims/")
    targets = [a.evaluate("a => a.href") for a in page.locator("article table a").all()]
    assert targets
    for target in targets:
        page.goto(target)
        assert page.locator(f".claim #{target.partition('#')[2]}").is_visible()
