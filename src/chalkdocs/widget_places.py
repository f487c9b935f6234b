"""The place of a widget on a page: ``<!-- widget: bowl -->``."""

import html
import json

from chalkdocs import artifacts, widgets
from chalkdocs.artifacts import or_box
from chalkdocs.directives import directive
from chalkdocs.page_errors import PageError

# How high a widget is, in pixels, on a phone and on a desk: so much room is kept for
# it, and nothing below moves when it comes. A test measures them.
ROOM = {
    "backprop": (590, 433),
    "bf16": (776, 494),
    "bowl": (810, 600),
    "bumps": (651, 406),
    "fold": (716, 567),
    "landscape": (862, 555),
    "perceptron": (591, 525),
    "playground": (1528, 576),
    "race": (1151, 558),
}


@directive("widget")
@or_box
def widget(name: str) -> str:
    """Write the place of a widget, with what it is given."""
    if name not in widgets.__all__:
        known = ", ".join(widgets.__all__)
        raise PageError(f"no widget {name!r}; there are {known}.")
    given = json.dumps(artifacts.widgets()[name], separators=(",", ":"))
    phone, desk = ROOM[name]
    room = f"--phone: {phone}px; --desk: {desk}px"
    given = html.escape(given)
    return f'<div data-widget="{name}" style="{room}" data-given="{given}"></div>'
