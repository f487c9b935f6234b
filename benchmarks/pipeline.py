"""Features made by hand: what are they worth, and does an ensemble help?

``python -m benchmarks.pipeline`` tells digits apart with the classic models, ten times
with other images, and keeps the accuracy on images that no model was trained on. The
page on the pipeline draws from what it writes.
"""

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

import chalkgrad.numpy as cg
from benchmarks.record import keep, machine

SEEDS, SIZES = range(10), (50, 100, 200, 400, 800, 1297)


def quadrants(a: Any) -> Any:
    """Sum up each quarter of the images."""
    return a.reshape(-1, 2, 4, 2, 4).sum((2, 4)).reshape(-1, 4)


def euler(ink: Any) -> Any:
    """Count pieces minus holes, as corners minus sides plus squares."""
    a = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    down, across = a[:, 1:] | a[:, :-1], a[:, :, 1:] | a[:, :, :-1]
    corners = down[:, :, 1:] | down[:, :, :-1]
    squares, sides = a.sum((1, 2)), down.sum((1, 2)) + across.sum((1, 2))
    return corners.sum((1, 2)) - sides + squares


def seven(a: Any) -> Any:
    """Return the ink of each quarter, two lacks of symmetry, pieces minus holes."""
    lean, nod = (abs(a - b).sum((1, 2)) for b in (a[:, :, ::-1], a[:, ::-1]))
    return np.column_stack([quadrants(a), lean, nod, euler(a > 0.4)])


def strokes(a: Any) -> Any:
    """Return how much edge runs in each of 4 directions, in each quarter."""
    down, across = np.gradient(a, axis=(1, 2))
    way = np.round(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    edge = np.hypot(down, across)
    return np.column_stack([quadrants(edge * (way == k)) for k in range(4)])


def by_hand(a: Any) -> Any:
    """Return all 39: the seven, the ink of each row and column, the strokes."""
    return np.column_stack([seven(a), a.sum(2), a.sum(1), strokes(a)])


def scaled(model: Any) -> Any:
    """Put the scaling inside the model, so that it sees the training set alone."""
    return make_pipeline(StandardScaler(), model)


def models(seed: int) -> dict[str, Any]:
    """Return the classic models, and the vote of the first three."""
    single = {
        "logistic regression": scaled(LogisticRegression(max_iter=5000)),
        "nearest neighbours": scaled(KNeighborsClassifier()),
        "support vectors": scaled(SVC()),
        "one tree": DecisionTreeClassifier(random_state=seed),
        "forest": RandomForestClassifier(50, random_state=seed),
    }
    return single | {"vote": VotingClassifier(list(single.items())[:3])}


def compared(seed: int) -> dict[str, float]:
    """Train every model on four fifths of the images; test on the rest."""
    x, labels = cg.data.digits()
    hand = by_hand(x.reshape(-1, 8, 8))
    train, labels_train, test, labels_test = cg.data.split(hand, labels, rng=seed)
    return {
        name: float(model.fit(train, labels_train).score(test, labels_test))
        for name, model in models(seed).items()
    }


def curve(n: int, seed: int) -> dict[str, list[float]]:
    """Train on n images; return the accuracy on them, and on 500 others."""
    x, labels = cg.data.digits()
    a, rng = x.reshape(-1, 8, 8), np.random.default_rng(seed)
    order = rng.permutation(len(x))
    train, test = order[:n], order[-500:]
    logistic = LogisticRegression(max_iter=5000)
    out = {}
    for name, features, model in (
        ("by hand", by_hand(a), logistic),
        ("random", x @ rng.standard_normal((64, 39)), logistic),
        ("pixels", x, logistic),
        ("seven", seven(a), logistic),
        ("pixels, support vectors", x, SVC()),
    ):
        fit = scaled(model).fit(features[train], labels[train])
        out[name] = [fit.score(features[i], labels[i]) for i in (train, test)]
    return out


def gathered(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Gather the accuracies of each model over the runs."""
    return {
        name: np.round([run[name] for run in runs], 4).T.tolist() for name in runs[0]
    }


def main() -> None:
    """Measure, and keep the numbers."""
    results = {
        "models": gathered([compared(seed) for seed in SEEDS]),
        "curve": [
            {"n": n, "accuracy": gathered([curve(n, seed) for seed in SEEDS])}
            for n in SIZES
        ],
    }
    for name, found in results["models"].items():
        print(name, np.mean(found).round(4))  # noqa: T201
    for point in results["curve"]:
        for name, found in point["accuracy"].items():
            print(point["n"], name, np.mean(found, axis=1).round(4))  # noqa: T201
    keep("pipeline", machine("numpy", "scikit-learn"), **results)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
