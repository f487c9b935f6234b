"""The colours of the style sheet are apart enough to be read, in both schemes."""

import re

import pytest

from chalkdocs.sources import DOCS

CSS = (DOCS / "assets/css/chalk.css").read_text("utf-8")
LIGHT, DARK = (
    dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r"data-md-color-scheme=.*?\{(.*?)\}", CSS, re.S)[:2]
)
SCHEMES = {"light": LIGHT, "dark": LIGHT | DARK}
# What is written on what; the smallest contrast that WCAG 2 takes for text is 4.5.
PAPER, CODE, BOARD = "--md-default-bg-color", "--md-code-bg-color", "--board"
TEXT = 4.5
PAIRS = [
    *[
        (ink, paper, least)
        for paper in (PAPER, CODE)
        for ink, least in [
            ("--md-default-fg-color", 13),
            ("--md-default-fg-color--light", 7),
            ("--md-default-fg-color--lighter", TEXT),
            ("--md-typeset-a-color", 6.5),
            ("--md-accent-fg-color", TEXT),
            ("--holds", 6.5),
            ("--holds-if", 5.5),
            ("--fails", 6),
            ("--prompt-ink", TEXT),
            *[(f"--fig-{i}", TEXT) for i in (1, 2, 3, 4, 6)],
        ]
    ],
    ("--fig-5", PAPER, TEXT),
    *[
        (chalk, BOARD, least)
        for chalk, least in [
            ("--chalk", 9),
            ("--chalk-soft", 6.5),
            ("--chalk-yellow", 7),
            ("--chalk-green", 6.5),
            ("--chalk-red", 5.5),
        ]
    ],
    ("--chalk", "--board-up", 7),
    ("--chalk-soft", "--md-primary-fg-color", 6.5),
    ("--on-yellow", "--chalk-yellow", 10),
]


def luminance(colour):
    """Return how bright a colour is: WCAG 2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return sum(
        c * share for c, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True)
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_ink_can_be_read_on_its_ground(scheme, ink, ground, least):
    colours = SCHEMES[scheme]
    dark, bright = sorted(luminance(colours[name]) for name in (ink, ground))
    assert (bright + 0.05) / (dark + 0.05) >= least


def test_the_contrast_of_black_and_white_is_21():
    assert (luminance("#ffffff") + 0.05) / (luminance("#000000") + 0.05) == 21
