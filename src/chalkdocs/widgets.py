"""What the widgets of the site are given: numbers that the build computes.

In a page, ``<!-- widget: bowl -->`` is a thing to move. It stands below the figure that
shows the same, which stays for print and for readers without JavaScript. The script
``docs/assets/js/widgets/bowl.js`` gets, as JSON, what the function `bowl` here returns.
"""

import base64
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

import chalkgrad.numpy as cg

__all__ = [
    "backprop",
    "bf16",
    "bowl",
    "bumps",
    "fold",
    "landscape",
    "perceptron",
    "playground",
    "race",
]


def backprop() -> dict[str, Any]:
    """Where x stands in one diamond (as in the deck), in two and in three."""
    return {"x": [2.0, 1.0, 0.5]}


def bf16() -> dict[str, Any]:
    """Updates from small to large, and 16 random bits for each step."""
    sizes = [m * 10.0**power for power in range(-5, 0) for m in (1, 1.5, 2, 3, 5, 7)]
    return {
        "updates": [float(f"{size:.2g}") for size in sizes],
        "draws": np.random.default_rng(0).integers(2**16, size=300).tolist(),
        "begin": {"update": 0.003, "step": 100},
    }


def bowl() -> dict[str, Any]:
    """The bowl of the page on gradient descent."""
    problem = cg.experiments.quadratic(10)
    return {
        "curvature": problem.grad(cg.array([1.0, 1.0])).tolist(),
        "start": [2.0, 1.0],
        "steps": 40,
        "rates": [0.005, 0.25],
        "examples": [
            ["creeps", 0.01],
            ["comes near", 0.1],
            ["bounces", 0.19],
            ["is lost", 0.205],
        ],
    }


def bumps() -> dict[str, Any]:
    """How many bumps at most, how steep their steps, and which to begin with."""
    steepness = [m * 10**power for power in range(6) for m in (1, 2, 5)] + [10**6]
    return {"most": 64, "steepness": steepness, "begin": [8, 10**6]}


def fold() -> dict[str, Any]:
    """Units and weights for 2, 4, 8, … pieces: a fold a layer, or one layer."""
    networks = []
    for depth in range(1, 9):
        deep, flat = [2] * depth, [2**depth - 1]
        sizes = {"deep": deep, "flat": flat}
        networks.append(
            {name: [sum(h), cg.network([1, *h, 1]).size] for name, h in sizes.items()}
        )
    return {"networks": networks, "x": 0.3}


def _walk(skip: bool) -> tuple[Any, Any, Any, Any]:
    """Train 40 layers as the page does; return the network, its walk, the examples."""
    x, labels = cg.data.digits()
    x, labels = x[:200], labels[:200]
    net = cg.network([64, *[16] * 40, 10], skip=skip)
    w = net.init(rng=0)
    if skip:
        for W, _ in net.layers(w)[1:-1]:
            W *= 40**-0.5
    loss, adam = cg.losses.cross_entropy, cg.optimizers.adam(lr=1e-3)
    step = net.plan(w, loss=loss, optimizer=adam, batch_size=len(x))
    path = [w]
    for _ in range(100):
        step(x, labels)
        path.append(step.w.copy())
    return net, np.array(path), x, labels


def _plane(net: Any, path: Any, x: Any, labels: Any, kind: str) -> dict[str, Any]:
    """Look at a plane through the end of a walk, and at the walk's shadow on it."""
    if kind == "walk":
        seen = cg.landscape.project(path)
        d, radius = seen.directions, 1.15 * float(abs(seen.coordinates).max())
    else:
        d, radius = cg.landscape.directions(net, path[-1], normalize=kind), 0.5
    # Float32 is finer than a picture needs, and faster.
    w, images, axes = (array.astype("float32") for array in (path[-1], x, d))
    loss = cg.losses.cross_entropy
    heights = cg.landscape.loss_grid(
        net, w, images, labels, loss, axes, radius=radius, points=31
    )
    blocks = np.lib.stride_tricks.sliding_window_view(heights, (3, 3))
    lower = (blocks <= heights[1:-1, 1:-1, None, None]).sum((2, 3))
    offsets = path - path.mean(0)
    within = offsets @ np.linalg.qr(d.T)[0]
    shadow = (path - path[-1]) @ np.linalg.pinv(d) / radius
    return {
        "heights": heights,
        "valleys": int((lower == 1).sum()),  # no neighbour is as low
        "share": round(float((within**2).sum() / (offsets**2).sum()), 6),
        "walk": shadow[::4].round(4).tolist(),
    }


def landscape(kinds: Sequence[str] = ("filter", "none", "walk")) -> dict[str, Any]:
    """The ground round two networks of 40 layers, on three planes each.

    A height is the logarithm of the loss in 256 levels, the same for both networks, a
    byte each, in base64: row by row, first along the first direction.
    """
    runs = {"plain": _walk(skip=False), "skips": _walk(skip=True)}
    planes = {}
    for kind in kinds:
        pair = {name: _plane(*run, kind) for name, run in runs.items()}
        logs = {name: np.log10(plane["heights"]) for name, plane in pair.items()}
        low = min(float(log.min()) for log in logs.values())
        high = max(float(log.max()) for log in logs.values())
        for name, plane in pair.items():
            levels = (255 * (logs[name] - low) / (high - low)).round().astype("uint8")
            ends = plane["heights"].min(), plane["heights"].max()
            plane["range"] = [float(f"{end:.6g}") for end in ends]
            plane["end"] = float(f"{plane['heights'][15, 15]:.4g}")
            plane["heights"] = base64.b64encode(levels.tobytes()).decode()
        planes[kind] = {"scale": [low, high], **pair}
    return {"points": 31, "planes": planes}


def perceptron() -> dict[str, Any]:
    """Points on two sides of a line, and how many mistakes they can cost at most."""
    x, labels = cg.data.separable(40, rng=1)
    x, targets = np.round(x, 2), 2 * labels - 1
    drawn = cg.array([0.6, 0.8, -0.2])  # the line that `separable` keeps clear
    return {
        "points": x.tolist(),
        "targets": targets.tolist(),
        "bound": cg.perceptron.mistake_bound(drawn, x, targets),
    }


def playground() -> dict[str, Any]:
    """Four sets, the noise of each apart, and numbers to draw weights from.

    Points with noise s are ``clean + s * noise``, for so `cg.data` draws them. Scaled,
    the normal numbers of a start are the matrices of ``net.init`` with that seed.
    """
    sets = {}
    for draw in (cg.data.moons, cg.data.circles, cg.data.spirals, cg.data.xor):
        clean, labels = draw(100, noise=0.0)
        noise = draw(100, noise=1.0)[0] - clean
        sets[draw.__name__] = {
            "clean": clean.round(3).tolist(),
            "noise": noise.round(3).tolist(),
            "labels": labels.tolist(),
        }
    largest = cg.network([2, 8, 8, 8, 1])
    entries = sum(matrix.size for matrix, _ in largest.layers(largest.init()))
    starts = [np.random.default_rng(seed).standard_normal(entries) for seed in range(4)]
    return {"sets": sets, "starts": [start.round(6).tolist() for start in starts]}


def race() -> dict[str, Any]:
    """Surfaces to descend, and the best rate of each rule there; `race.js` has both."""
    functions = {
        "bowl": cg.experiments.quadratic(10),
        "turned": cg.experiments.quadratic(10, angle=np.pi / 4),
        "rosenbrock": cg.experiments.rosenbrock(),
        "saddle": cg.experiments.saddle(),
        "beale": cg.experiments.beale(),
        "himmelblau": cg.experiments.himmelblau(),
    }
    rules: dict[str, Any] = {
        "sgd": cg.optimizers.sgd,
        "momentum": lambda lr: cg.optimizers.sgd(lr, momentum=0.9),
        "nesterov": lambda lr: cg.optimizers.sgd(lr, momentum=0.9, nesterov=True),
        "adagrad": cg.optimizers.adagrad,
        "rmsprop": cg.optimizers.rmsprop,
        "adam": cg.optimizers.adam,
    }
    # No step as long as the map is wide.
    rates = [
        float(f"{m * 10.0**power:.2g}") for power in range(-4, 0) for m in (1, 2, 3, 5)
    ]
    rates += [1.0]
    surfaces = {}
    for name, function in functions.items():
        # A run of a few steps: after 200 many a rule has come to the last digit.
        found = cg.experiments.compare(
            rules, function, rates=rates, steps=40, starts=16
        )
        surfaces[name] = {
            "bounds": list(function.bounds),
            "start": function.start.round(2).tolist(),
            "minima": function.minima.round(3).tolist(),
            "best": found.rate,
        }
    powers = [round(10.0**power, 3) for power in range(-2, 2)]
    factors = [
        float(f"{m * power:.2g}") for power in powers for m in (1, 1.5, 2, 3, 5, 7)
    ]
    return {"steps": 200, "factors": [*factors, 100.0], "surfaces": surfaces}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: globals()[name]() for name in __all__}))
