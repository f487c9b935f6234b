"""Drawings on a page: ``![what it shows](figure:page.function "caption")``."""

import html
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor

from chalkdocs import artifacts
from chalkdocs.artifacts import or_box
from chalkdocs.page_errors import PageError, at


@or_box
def figure(name: str, alt: str) -> str:
    """Return the SVG of ``module.function``, with its description."""
    if not alt.strip():
        raise PageError(f"the figure {name} has no description: ![what it shows](…).")
    module = name.partition(".")[0]
    drawings = artifacts.figures(module)
    if name not in drawings:
        raise PageError(
            f"no figure {name}; there are {', '.join(sorted(drawings))}. A new one is "
            f"a function in src/chalkdocs/figures/{module}.py and in its `__all__`."
        )
    return describe(drawings[name], alt)


def describe(drawing: str, words: str) -> str:
    """Tell a listener what an SVG shows; the search passes over its numbers."""
    head = f'<svg data-search-exclude role="img" aria-label="{html.escape(words)}"'
    return drawing.replace("<svg", head, 1)


class Drawings(Treeprocessor):
    """Put the drawing where the image ``figure:module.function`` stands."""

    def __init__(self, md: Markdown, lines: list[str]) -> None:
        super().__init__(md)
        self.lines = lines

    def run(self, root: Element) -> None:
        """Draw what the images of a page ask for."""
        for place in root.iter("p"):
            images = [i for i in place if i.get("src", "").startswith("figure:")]
            if images:
                with at(self.lines, f"({images[0].get('src')}"):
                    self._draw(place, images[0])

    def _draw(self, place: Element, image: Element) -> None:
        if len(place) > 1 or (place.text or "").strip():
            raise PageError(f"{image.get('src')} needs a paragraph of its own.")
        name = image.get("src", "").removeprefix("figure:")
        drawing = figure(name, image.get("alt", ""))
        caption = image.get("title")
        image.clear()
        place.remove(image)
        place.tag = "figure"
        place.set("class", "drawing")
        if "min-width" in drawing:  # it scrolls where it doesn't fit, by keys too
            place.set("tabindex", "0")
        place.text = self.md.htmlStash.store(drawing)
        if caption:
            SubElement(place, "figcaption").text = caption
