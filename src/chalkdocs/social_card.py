"""The pictures that stand beside a link to the site, where somebody shares it."""

import io
import textwrap
from collections.abc import Sequence

import numpy as np

import chalkgrad.numpy as cg

BOARD, CHALK, FAINT, YELLOW = "#1f4a3d", "#ffffff", "#c4d6cf", "#ffd479"
SIZE = 1200, 630
MOTTO = "Every statement is an experiment,\nin NumPy and PyTorch"
ALT = (
    "A green board. On the left: chalkgrad, a lecture on deep learning that runs. "
    "On the right, drawn with chalk: the contour lines of a bowl, and gradient descent "
    "on its zigzag way to the bottom."
)


# What a verdict looks like on the board: its sign, in its colour.
SIGNS = {
    "holds": ("✓", "#a9e5c9"),
    "holds if": ("◐", "#ffd479"),
    "fails as stated": ("✗", "#ffb3a7"),
}


def draw(title: str = "", verdicts: Sequence[str] = ()) -> bytes:
    """Draw a card: a name, and gradient descent on the bowl of the lecture.

    The card of a page has the page's title and the signs of its verdicts, that of the
    site its name and its motto.
    """
    import matplotlib.pyplot as plt  # slow, and most builds have the card
    from matplotlib.patches import Ellipse

    bowl = cg.experiments.quadratic(10)
    sgd = {"sgd": cg.optimizers.sgd(0.18)}
    start = np.array([2.0, 1.0])
    walk = cg.experiments.compare_optimizers(bowl, sgd, steps=40, start=start)["sgd"].w
    figure = plt.figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), facecolor=BOARD)
    axis = figure.add_axes((0.45, 0.0, 0.54, 1.0))
    axis.set(xlim=(-2.7, 2.7), aspect="equal")
    axis.axis("off")
    for height in np.geomspace(0.05, 3.2, 8):
        # Where (w1^2 + 10 w2^2) / 2 has this height.
        axes = 2 * np.sqrt(2 * height / np.array([1.0, 10.0]))
        axis.add_patch(Ellipse((0, 0), *axes, fill=False, ec=CHALK, lw=1.6, alpha=0.35))
    axis.plot(*walk.T, "o-", color=YELLOW, lw=3, markersize=7, clip_on=False)
    if title:
        lines = textwrap.wrap(title, 16)
        said = [
            (0.78, 18, FAINT, "normal", "chalkgrad"),
            (0.66 - 0.115 * len(lines), 38, CHALK, "bold", "\n".join(lines)),
        ]
    else:
        said = [
            (0.60, 50, CHALK, "bold", "chalkgrad"),
            (0.42, 21, CHALK, "normal", "A lecture on deep learning\nthat runs"),
            (0.27, 14, FAINT, "normal", MOTTO),
        ]
    for i, verdict in enumerate(verdicts):
        sign, colour = SIGNS[verdict]
        figure.text(0.06 + 0.05 * i, 0.14, sign, size=30, color=colour)
    for height, size, colour, weight, words in said:
        text = figure.text(0.06, height, words, size=size, color=colour, weight=weight)
        text.set_linespacing(1.5)
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)
    return written.getvalue()
