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


def crossing(sizes, gap):
    """Return where the gap last turns from behind to ahead, on a logarithmic scale."""
    turns = np.flatnonzero((gap[:-1] <= 0) & (gap[1:] > 0))
    if not len(turns):
        return sizes[0] if gap[0] > 0 else np.inf
    k = turns[-1]
    t = -gap[k] / (gap[k + 1] - gap[k])
    return float(sizes[k] ** (1 - t) * sizes[k + 1] ** t)


def crossed(runs, ahead, behind):
    """Return the crossing of two models, and where 95 percent of the bootstrap lie."""
    sizes = [run["n"] for run in runs]
    gap = np.array(
        [np.subtract(run["accuracy"][ahead], run["accuracy"][behind]) for run in runs]
    )
    rng, draws = np.random.default_rng(0), gap.shape[1]
    drawn = [
        crossing(sizes, gap[:, rng.integers(0, draws, draws)].mean(1))
        for _ in range(1000)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return crossing(sizes, gap.mean(1)), low, high


def test_the_page_that_compares_says_what_was_measured():
    found = json.loads((RESULTS / "comparison.json").read_text("utf-8"))
    digits = {(run["side"], run["n"]): run["accuracy"] for run in found["digits"]}
    ahead, behind = 0, 0
    for accuracy in digits.values():
        classic = [name for name in accuracy if name != "network"]
        best = max(classic, key=lambda name: np.mean(accuracy[name]))
        gap, error = points(accuracy["network"], accuracy[best])
        ahead, behind = ahead + (gap > error), behind + (gap < -error)
    assert (len(digits), ahead, behind) == (18, 0, 7)
    for cell, said in (((2, 1200), [2.0, 0.6]), ((8, 1200), [1.2, 0.3])):
        accuracy = digits[cell]
        assert points(accuracy["support vectors"], accuracy["network"]) == said
    full = [run for run in found["digits"] if run["side"] == 8]
    where = crossed(full, "support vectors", "logistic regression")
    assert [round(n) for n in where] == [98, 90, 130]

    signals = {(run["length"], run["n"]): run["accuracy"] for run in found["signals"]}
    short = [run for run in found["signals"] if run["length"] == 32]
    for run in short:
        mean = {name: np.mean(a) for name, a in run["accuracy"].items()}
        assert mean["known shape"] > mean["sliding network"] > mean["dense network"]
    for n, said in ((10, [14.5, 11.2]), (2000, [2.3, 1.2])):
        accuracy = signals[32, n]
        assert points(accuracy["known shape"], accuracy["sliding network"]) == said
    middle, _, high = crossed(short, "sliding network", "two jumps")
    assert (round(middle), round(high)) == (15, 29)

    for name, said in (
        ("dense network", 0.59),
        ("support vectors", 0.61),
        ("two jumps", 0.70),
        ("sliding network", 0.89),
        ("known shape", 0.92),
    ):
        assert np.mean(signals[32, 500][name]).round(2) == said
    longest = {name: np.mean(a) for name, a in signals[128, 500].items()}
    assert longest["sliding network"].round(2) == 0.87
    for name in ("dense network", "support vectors", "random forest"):
        assert abs(longest[name] - 0.5) < 0.01
