"""The SVG of a figure: small, and where it was drawn."""

import re

import matplotlib.pyplot as plt
import numpy as np

from chalkdocs.figures import style


def test_steps_lead_where_the_places_were():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 400, (500, 2))
    given = "M " + " \nL ".join(f"{x:.2f} {y:.2f}" for x, y in points) + " \nz\n"
    written = style._LINES.sub(style._steps, f'<path d="{given}"/>')
    x, y, places = 0.0, 0.0, []
    for command, a, b in re.findall(r"([Ml])(\S+?) ([-\d.]+)", written):
        origin = (x, y) if command == "l" else (0, 0)
        x, y = origin[0] + float(a), origin[1] + float(b)
        places.append((x, y))
    np.testing.assert_allclose(places, points, atol=0.056)
    assert written.endswith('z"/>')
    assert len(written) < 0.8 * len(given)


def test_every_part_of_a_path_begins_where_it_did():
    given = '<path d="M 10 20 L 20 20 L 20 30 z M 50 60 L 70 60 \nL 70 80 z"/>'
    written = '<path d="M10 20l10 0l0 10zM50 60l20 0l0 20z"/>'
    assert style._LINES.sub(style._steps, given) == written


def test_curves_stay_as_they_are():
    curve = '<path d="M 0 1 C 2 3 4 5 6 7 L 8 9 z"/>'
    assert style._LINES.sub(style._steps, curve) == curve


def test_a_contour_is_written_by_its_steps():
    def draw():
        figure, axis = plt.subplots()
        side = np.linspace(-1, 1, 60)
        axis.contour(side, side, side[:, None] ** 2 + side**2)
        return figure

    drawn = style.svg(draw, "bowl")
    assert len(re.findall(r"l-?[\d.]+ -?[\d.]+", drawn)) > 300
    assert not re.search(r'd="[^"]*L ', drawn)
