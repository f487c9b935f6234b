"""Data against scikit-learn: its copy of the digits, its moons and circles."""

import numpy as np
import pytest

from chalkgrad.data import _shared as data

datasets = pytest.importorskip("sklearn.datasets")


def test_digits_are_those_of_sklearn_bit_for_bit():
    x, labels = data.digits()
    theirs = datasets.load_digits()
    assert (x * 16 == theirs.data).all()
    assert (labels == theirs.target).all()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (data.moons, datasets.make_moons),
        (data.circles, lambda n: datasets.make_circles(n, factor=0.5)),
    ],
)
def test_the_curves_are_those_of_sklearn(ours, theirs):
    x, labels = ours(500, noise=0)
    curve, sides = theirs(2000)
    for side in (0, 1):
        points, dense = x[labels == side], curve[sides == side]
        gaps = np.linalg.norm(points[:, None] - dense, axis=-1).min(axis=1)
        assert gaps.max() < 0.01  # half the distance between two points of theirs
