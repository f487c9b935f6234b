"""Traditional models and networks: who is better, with how much of which data?

``python -m benchmarks.comparison`` trains both on digits and on signals, ten times
each, and keeps the accuracy on examples that no model was trained on; it takes some
minutes on one core. The page that compares them draws from what it writes.
"""

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

import chalkgrad.numpy as cg
from benchmarks.record import keep, machine

SEEDS = range(10)
SIDES, DIGITS = (2, 4, 8), (20, 50, 100, 200, 500, 1200)
LENGTHS, SIGNALS = (16, 32, 64, 128), (10, 20, 50, 100, 200, 500, 1000, 2000)
LENGTH, MANY, WIDTH, NOISE = 32, 500, 8, 0.3
SAW = np.arange(1, WIDTH + 1) / WIDTH


def learned(net: Any, x: Any, labels: Any, lr: float, steps: int, seed: int) -> Any:
    """Train a dense network with batches of 64 or fewer; return its weights."""
    size = min(64, len(x))
    return cg.training.fit(
        net,
        net.init(seed),
        x,
        labels,
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(lr),
        epochs=max(1, steps * size // len(x)),
        batch_size=size,
        rng=seed,
        progress=False,
    ).w


def digits(side: int, n: int, seed: int) -> dict[str, float]:
    """Learn n digits, pooled to side x side pixels; test on 500 others."""
    x, labels = cg.data.digits()
    step = 8 // side
    x = x.reshape(-1, side, step, side, step).mean((2, 4)).reshape(-1, side**2)
    order = np.random.default_rng(seed).permutation(len(x))
    train, test = order[:n], order[-500:]
    x = (x - x[train].mean(0)) / (x[train].std(0) + 0.1)
    models = {
        "logistic regression": LogisticRegression(max_iter=5000),
        "random forest": RandomForestClassifier(50, random_state=seed),
        "support vectors": SVC(),
    }
    out = {
        name: model.fit(x[train], labels[train]).score(x[test], labels[test])
        for name, model in models.items()
    }
    net = cg.network([side**2, 128, 10])
    w = learned(net, x[train], labels[train], 1e-2, 300, seed)
    return out | {"network": cg.training.accuracy(net, w, x[test], labels[test])}


def signals(n: int, length: int, rng: Any) -> tuple[Any, Any]:
    """Draw a saw tooth somewhere in noise: rising in class 1, falling in class 0."""
    labels = np.arange(n) % 2
    x = NOISE * rng.standard_normal((n, length))
    start = rng.integers(0, length - WIDTH + 1, n)
    tooth = np.where(labels[:, None] == 1, SAW, SAW[::-1])
    x[np.arange(n)[:, None], start[:, None] + np.arange(WIDTH)] += tooth
    return x, labels


def windows(x: Any) -> Any:
    """Cut out every piece of the width of a tooth, shape (n, places, width)."""
    return np.lib.stride_tricks.sliding_window_view(x, WIDTH, axis=1)


def jumps(x: Any) -> Any:
    """Return two features: the largest rise and the largest fall in one step."""
    steps = np.diff(x, axis=1)
    return np.stack([steps.max(1), -steps.min(1)], axis=1)


def fits(x: Any) -> Any:
    """Return two features: how well a rising and a falling tooth fit at best."""
    return np.stack([(windows(x) @ SAW[::s]).max(1) for s in (1, -1)], axis=1)


def votes(net: Any, w: Any, x: Any) -> tuple[Any, Any]:
    """Slide a network along; return its logit, and the pull of each place on it."""
    v = windows(x)
    out = net.forward(w, v.reshape(-1, WIDTH)).reshape(*v.shape[:2], 2)
    top = out.max(axis=1, keepdims=True)
    share = np.exp(out - top)
    total = share.sum(axis=1, keepdims=True)
    logits = (top + np.log(total))[:, 0]
    return logits[:, 1] - logits[:, 0], share / total * [-1, 1]


def slid(net: Any, x: Any, labels: Any, steps: int, seed: int) -> Any:
    """Train a network that slides along, with batches of 50; return its weights."""
    adam = cg.optimizers.adam(1e-2)
    w = net.init(seed)
    state, rng = adam.init(w), np.random.default_rng(seed)
    for _ in range(steps):
        i = rng.permutation(len(x))[:50]
        logit, share = votes(net, w, x[i])
        wrong = (cg.activations.sigmoid(logit) - labels[i]) / len(i)
        pull = (share * wrong[:, None, None]).reshape(-1, 2)
        v = windows(x[i]).reshape(-1, WIDTH)

        def pulled(w: Any, v: Any = v, pull: Any = pull) -> Any:
            return (pull * net.forward(w, v)).sum()

        w, state = adam.step(w, cg.autodiff.grad(pulled)(w), state)
    return w


def teeth(n: int, length: int, seed: int) -> dict[str, float]:
    """Learn n signals; test on 2000 others."""
    rng = np.random.default_rng(seed)
    x, labels = signals(n, length, rng)
    x_test, labels_test = signals(2000, length, rng)
    forest = RandomForestClassifier(50, random_state=seed)
    out = {
        "support vectors": SVC().fit(x, labels).score(x_test, labels_test),
        "random forest": forest.fit(x, labels).score(x_test, labels_test),
    }
    for name, features in (("two jumps", jumps), ("known shape", fits)):
        model = LogisticRegression().fit(features(x), labels)
        out[name] = model.score(features(x_test), labels_test)
    net = cg.network([length, 64, 2])
    w = learned(net, x, labels, 3e-3, 500, seed)
    out["dense network"] = cg.training.accuracy(net, w, x_test, labels_test)
    net = cg.network([WIDTH, 16, 2])
    logit, _ = votes(net, slid(net, x, labels, 300, seed), x_test)
    out["sliding network"] = float(((logit > 0) == labels_test).mean())
    return out


def repeated(what: Any, **options: int) -> dict[str, Any]:
    """Run all seeds; gather the accuracies of each model."""
    runs = [what(**options, seed=seed) for seed in SEEDS]
    found = {name: [round(run[name], 4) for run in runs] for name in runs[0]}
    print(options, {name: np.mean(a).round(3) for name, a in found.items()}, flush=True)  # noqa: T201
    return {**options, "accuracy": found}


def main() -> None:
    """Measure, and keep the numbers."""
    cells = [(n, LENGTH) for n in SIGNALS]
    cells += [(MANY, length) for length in LENGTHS if length != LENGTH]
    results = {
        "digits": [repeated(digits, side=side, n=n) for side in SIDES for n in DIGITS],
        "signals": [repeated(teeth, n=n, length=length) for n, length in cells],
    }
    keep("comparison", machine("numpy", "scikit-learn"), **results)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
