"""What the widgets of the site are given: numbers that the build computes.

In a page, ``<!-- widget: bowl -->`` is a thing to move. It stands below the figure that
shows the same, which stays for print and for readers without JavaScript. The script
``docs/assets/js/widgets/bowl.js`` gets, as JSON, what the function `bowl` here returns.
"""

from typing import Any

import numpy as np

import chalkgrad.numpy as cg

__all__ = ["backprop", "bowl", "perceptron"]


def backprop() -> dict[str, Any]:
    """Where x stands in one diamond (as in the deck), in two and in three."""
    return {"x": [2.0, 1.0, 0.5]}


def bowl() -> dict[str, Any]:
    """The bowl of the page on gradient descent."""
    problem = cg.experiments.quadratic(10)
    return {
        "curvature": problem.grad(cg.array([1.0, 1.0])).tolist(),
        "start": [2.0, 1.0],
        "steps": 40,
        "rates": [0.005, 0.25],
    }


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
