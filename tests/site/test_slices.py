"""Every snippet of every page, alone with those that it needs, as the page runs it."""

import matplotlib as mpl
import pytest

from chalkdocs.runner import Snippet
from chalkdocs.slices import Namespace

from .test_site import PAGES

# The snippets that run in the page, one list for each place where they stand together.
SNIPPETS = """() => {
    const places = new Map();
    for (const bar of document.querySelectorAll("[data-run] .run-bar:has(button)")) {
        const block = bar.closest("[data-run]");
        const place = block.closest(".doc-object") ?? document;
        const code = block.querySelector("pre > code").textContent;
        places.set(place, [...places.get(place) ?? [], [block.matches(".cell"), code]]);
    }
    return [...places.values()];
}"""


@pytest.fixture(scope="module")
def tab(chromium):
    """Open one tab for all pages."""
    mpl.use("agg")
    page = chromium.new_page()
    yield page
    page.close()


def snippet(number, is_cell, text):
    name = f"snippet {number}"
    return Snippet("", name, text) if is_cell else Snippet(text, name)


def run(made, names):
    printed = []
    told = made.run(names, printed.append)
    return "".join(printed), told["error"], told["differences"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.filterwarnings("ignore")  # as in the browser
def test_alone_with_what_it_needs_a_snippet_answers_as_in_order(tab, base, path):
    tab.goto(base + path)
    for place in tab.evaluate(SNIPPETS):
        made = [snippet(i, *each) for i, each in enumerate(place, 1)]
        parts = [each.parts() for each in made]
        plans = [Namespace().plan(parts[: last + 1]) for last in range(len(made))]
        # All of them, in order, is how they are read.
        left = {i for i, plan in enumerate(plans) if plan != list(range(i + 1))}
        names = {"__name__": "__main__"}
        wanted = [run(each, names) for each in made[: max(left, default=-1) + 1]]
        while left:
            plan = plans[max(left)]
            space = Namespace()
            answers = [run(made[number], space.names) for number in plan]
            # A plan that begins another one has run with it.
            for end, number in enumerate(plan):
                if plans[number] == plan[: end + 1]:
                    numbered = [each + 1 for each in plans[number]]
                    assert answers[end] == wanted[number], f"{path}, of {numbered}"
                    left.discard(number)
