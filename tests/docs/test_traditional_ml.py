"""The pages on traditional models say what was measured."""

import json
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parents[2] / "benchmarks/results"


def points(a, b):
    """Return the mean of a - b in points of 100, and its 95 percent half-width."""
    gap = 100 * (np.array(a) - b)
    student = {10: 2.262}[len(gap)]
    return [
        round(float(gap.mean()), 1),
        round(float(student * gap.std(ddof=1) / len(gap) ** 0.5), 1),
    ]


def test_the_page_on_the_pipeline_says_what_was_measured():
    found = json.loads((RESULTS / "pipeline.json").read_text("utf-8"))
    models = found["models"]
    assert points(models["forest"], models["one tree"]) == [13.8, 0.9]
    single = ("logistic regression", "nearest neighbours", "support vectors")
    best = max(single, key=lambda name: np.mean(models[name]))
    assert best == "support vectors"
    assert points(models["vote"], models[best]) == [0.1, 0.3]

    curve = {point["n"]: point["accuracy"] for point in found["curve"]}

    def test_set(name, n):
        return curve[n][name][1]

    assert points(test_set("by hand", 50), test_set("random", 50)) == [6.2, 2.9]
    assert points(test_set("by hand", 1297), test_set("random", 1297)) == [1.6, 0.7]
    svm = "pixels, support vectors"
    assert points(test_set(svm, 1297), test_set("by hand", 1297)) == [0.5, 0.4]
    assert points(test_set(svm, 1297), test_set(svm, 800)) == [0.8, 0.6]
    seven = {n: test_set("seven", n) for n in curve}
    assert points(seven[400], seven[50])[0] == 11.2
    assert points(seven[800], seven[400])[0] == 1.2
    assert points(seven[1297], seven[800]) == [0.0, 0.5]
    assert np.mean(curve[1297]["seven"], axis=1).round(2).tolist() == [0.70, 0.68]
