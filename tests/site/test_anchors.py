"""A link to a place on the open page leaves the page as the reader has made it."""

import pytest

PATH = "/perceptron/neuron/"
# Of everything that comes from the page, one thing that is gone when it is made anew.
MINE = "document.querySelector('.md-content article').dataset.mine"
MARK = f"{MINE} = window.mine = 'kept'"
KEPT = f"[{MINE}, window.mine]"
TOP = "document.querySelector('{}').getBoundingClientRect().top"


@pytest.fixture
def marked(page, base):
    """Open a page and change it."""
    page.goto(base + PATH, wait_until="networkidle")
    page.evaluate(MARK)
    return page


def kept(page):
    page.wait_for_timeout(400)  # the theme would have fetched the page by then
    return page.evaluate(KEPT) == ["kept", "kept"]


def is_at(page, place):
    return -1 <= page.evaluate(TOP.format(place)) <= 200


def toc(page, name):
    return page.locator(f".md-nav--secondary a[href$='#{name}']:visible").first


def test_the_table_of_contents_keeps_the_page_and_so_does_the_way_back(marked):
    toc(marked, "exercises").click()
    assert kept(marked)
    assert is_at(marked, "#exercises")
    toc(marked, "remember").click()
    assert kept(marked)
    assert is_at(marked, "#remember")
    marked.go_back()
    assert kept(marked)
    assert is_at(marked, "#exercises")
    marked.go_forward()
    assert kept(marked)
    assert is_at(marked, "#remember")
    toc(marked, "remember").click()  # again
    marked.go_back()
    marked.go_back()
    assert kept(marked)
    assert marked.evaluate("scrollY") < 10


@pytest.mark.parametrize(
    "link",
    [
        "#exercises .headerlink",
        f".md-nav--primary a.md-nav__link--active[href$='{PATH}']",
        "a.md-skip",
    ],
)
def test_every_link_to_the_page_itself_keeps_it(marked, link):
    marked.locator(link).first.evaluate("a => { a.focus(); a.click(); }")
    assert kept(marked)


def test_an_address_typed_by_hand_and_the_first_key_keep_it(marked):
    marked.evaluate("location.hash = '#exercises'")
    assert kept(marked)
    toc(marked, "remember").focus()
    marked.keyboard.press("Enter")
    assert kept(marked)
    assert is_at(marked, "#remember")


def test_what_the_search_finds_on_the_page_keeps_it(marked):
    marked.keyboard.press("s")
    marked.locator(".md-search__input:focus").wait_for()
    marked.locator(".md-search__input").fill("neuron")
    found = marked.locator(f".md-search-result__link[href*='{PATH}']").first
    found.click()
    assert kept(marked)
    assert not marked.locator("#__search").is_checked()


def test_other_pages_follow_and_the_way_back_leads_to_this_one(marked):
    toc(marked, "exercises").click()
    before = marked.url
    marked.locator(".md-footer__link--next").click()
    marked.wait_for_url("**/perceptron/wiring/")
    marked.wait_for_function(f"!{MINE}")
    toc(marked, "exercises").click()
    marked.evaluate(MARK)
    marked.go_back()
    assert kept(marked)
    marked.go_back()
    marked.wait_for_url(before)
    marked.wait_for_function(f"!{MINE}")
    assert marked.evaluate("window.mine") == "kept"  # without a load
    assert "One neuron" in marked.title()
    marked.wait_for_function("scrollY > 2000")  # where the reader left it: at its foot


def test_on_a_phone_the_drawer_closes_over_the_same_page(phone, base):
    phone.goto(base + PATH, wait_until="networkidle")
    phone.evaluate(MARK)
    for _ in range(2):  # also where the page is there already
        phone.locator(".md-header label[for='__drawer']").click()
        phone.wait_for_timeout(400)
        if not phone.locator("#__toc").is_checked():
            phone.locator("label[for='__toc']:visible").first.click()
            phone.wait_for_timeout(400)
        toc(phone, "exercises").click()
        assert kept(phone)
        assert not phone.locator("#__drawer").is_checked()
        assert is_at(phone, "#exercises")
