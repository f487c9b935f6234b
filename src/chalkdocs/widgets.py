"""What the widgets of the site are given: numbers that the build computes.

In a page, ``<!-- widget: bowl -->`` is a thing to move. It stands below the figure that
shows the same, which stays for print and for readers without JavaScript. The script
``docs/assets/js/widgets/bowl.js`` gets, as JSON, what the function `bowl` here returns.
"""

from typing import Any

import numpy as np

import chalkgrad.numpy as cg

__all__ = [
    "backprop",
    "bf16",
    "bowl",
    "bumps",
    "fold",
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
    """Surfaces to walk on; `race.js` has their formulas."""
    problems = {
        "bowl": cg.experiments.quadratic(10),
        "turned": cg.experiments.quadratic(10, angle=np.pi / 4),
        "rosenbrock": cg.experiments.rosenbrock(),
        "saddle": cg.experiments.saddle(),
        "beale": cg.experiments.beale(),
        "himmelblau": cg.experiments.himmelblau(),
    }
    surfaces = {
        name: {
            "bounds": list(problem.bounds),
            "start": problem.start.round(2).tolist(),
            "minima": problem.minima.round(3).tolist(),
        }
        for name, problem in problems.items()
    }
    powers = [round(10.0**power, 4) for power in range(-4, 1)]
    rates = [
        float(f"{m * power:.2g}") for power in powers for m in (1, 1.5, 2, 3, 5, 7)
    ]
    return {"steps": 200, "rates": rates, "surfaces": surfaces}
