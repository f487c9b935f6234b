"""How every figure looks."""

import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure

mpl.use("svg")

# Sentinels: colours that nobody would draw with, each replaced in the finished SVG.
INK = "#010203"
PAPER = "#010204"
SERIES = [f"#0102{i:02x}" for i in range(0x10, 0x16)]

STYLE: Any = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=SERIES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 11.6,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "figure.figsize": (5.2, 3.0),
    # On a phone a figure is as wide as 358 pixels, and its letters are to be 11 high.
    "font.size": 11.6,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "legend.edgecolor": "none",
    "legend.facecolor": "none",
    "legend.framealpha": 0.0,
    "lines.linewidth": 1.8,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "chalkgrad",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_COLOURS = {
    INK: "currentColor",
    PAPER: "var(--md-default-bg-color)",
    **{c: f"var(--fig-{i})" for i, c in enumerate(SERIES, 1)},
}


_LONG = re.compile(r"-?\d+\.\d{3,}")


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}"


_LINES = re.compile(r' d="([MLz\d.\s-]+)"')


def _steps(path: re.Match[str]) -> str:
    """Write straight lines by their steps, in tenths of a point: half as many letters.

    They lead from one rounded place to the next, so that no error adds up.
    """
    out, x, y = [], 0, 0
    for end, command, *place in re.findall(r"(z)|([ML])\s*(\S+)\s+([\d.-]+)", path[1]):
        if end:  # a new part begins with M
            out.append(end)
            continue
        to_x, to_y = (round(10 * float(number)) for number in place)
        if command == "M":
            out.append(f"M{to_x / 10:g} {to_y / 10:g}")
        else:
            out.append(f"l{(to_x - x) / 10:g} {(to_y - y) / 10:g}")
        x, y = to_x, to_y
    return f' d="{"".join(out)}"'


def svg(draw: Callable[[], Figure | str], name: str) -> str:
    """Draw a figure and return its SVG, which belongs inside a page."""
    with mpl.rc_context(STYLE):
        figure = draw()
        if isinstance(figure, str):  # an SVG already, in the colours of the page
            return _keep_size(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return page_svg(out.getvalue(), name)


def _keep_size(text: str) -> str:
    """Let a drawing of any width scroll before its letters are less than 11 pixels."""
    letters = float(re.search(r'font-size="([\d.]+)"', text)[1])  # type: ignore[index]
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', text)[1])  # type: ignore[index]
    least = round(width * 11 / letters)
    return text.replace("<svg", f'<svg style="min-width: {least}px"', 1)


def page_svg(text: str, name: str) -> str:
    """Make an SVG of Matplotlib's, drawn in this style, fit to stand inside a page."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    # This rule would hold for the whole page.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.S)
    # A hundredth of a point is finer than any screen; words stay as they are.
    text = re.sub(r'"[^"]*"', lambda value: _LONG.sub(_short, value[0]), text)
    text = _LINES.sub(_steps, text)
    # The viewBox gives the shape; the page gives the size.
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"(font(?:-family)?: ?[^;\"]*?)'[^\";]*", r"\1inherit", text)
    # Two figures share a page: ids must not clash.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    for sentinel, colour in _COLOURS.items():
        text = text.replace(sentinel, colour)
    return text
