"""How rugged is the ground, by depth, with skip connections and without?

``python -m benchmarks.landscape`` trains small networks on the digits, walks straight
lines through the places reached, and counts; it takes some ten minutes on one core. The
page on loss landscapes draws from what it writes.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import chalkgrad.numpy as cg
from benchmarks.record import keep, machine

DEPTHS = {16: (2, 5, 10, 20, 40, 80), 64: (2, 5, 10, 20, 40)}
SEEDS, LINES, RADII = range(5), range(10), (1.0, 0.5, 0.25)
LOSS = cg.losses.cross_entropy


def digits() -> tuple[Any, Any]:
    """Take the first 200 images."""
    x, labels = cg.data.digits()
    return x[:200], labels[:200]


def trained(
    width: int, depth: int, skip: bool, seeds: Sequence[int], epochs: int = 400
) -> tuple[Any, Any, Any]:
    """Train on the digits; return the network, its weights, and their losses."""
    x, labels = digits()
    net = cg.network([64] + [width] * depth + [10], skip=skip)
    w = net.init(seeds)
    if skip:  # or every layer would double the signal
        for W, _ in net.layers(w)[1:-1]:
            W *= depth**-0.5
    adam = cg.optimizers.adam(1e-3)
    w = cg.training.fit(
        net, w, x, labels, loss=LOSS, optimizer=adam, epochs=epochs, progress=False
    ).w
    return net, w, net.loss_and_grad(w, x, labels, LOSS)[0]


def counted(line: Any) -> dict[str, float]:
    """Count the valleys of a line, and the share of it that bends down."""
    slopes = np.diff(line)
    return {
        "minima": int(((slopes[:-1] < 0) & (slopes[1:] > 0)).sum()),
        "bends_down": float((np.diff(slopes) < 0).mean()),
    }


def walked(net: Any, w: Any, radius: float) -> dict[str, float]:
    """Average over lines in random directions."""
    lines = [
        cg.landscape.loss_grid(
            net,
            w,
            *digits(),
            LOSS,
            cg.landscape.directions(net, w, rng=seed)[0],
            radius=radius,
            points=101,
        )
        for seed in LINES
    ]
    found = [counted(line) for line in lines]
    means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
    return means | {"ends": float(np.median([line[[0, -1]].mean() for line in lines]))}


def plane(depth: int, skip: bool) -> dict[str, Any]:
    """Look at a plane through the place that the first seed reached."""
    net, w, losses = trained(16, depth, skip, [0])
    d = cg.landscape.directions(net, w[0])
    grid = cg.landscape.loss_grid(net, w[0], *digits(), LOSS, d, radius=0.5, points=41)
    heights = [[float(f"{value:.4g}") for value in row] for row in grid]
    return {"depth": depth, "skip": skip, "loss": float(losses[0]), "heights": heights}


def main() -> None:
    """Measure, and keep the numbers."""
    runs = []
    for width, depths in DEPTHS.items():
        for depth in depths:
            for skip in (False, True):
                net, w, losses = trained(width, depth, skip, SEEDS)
                run = {"width": width, "depth": depth, "skip": skip}
                run["loss"] = losses.tolist()
                for radius in RADII:
                    found = [walked(net, one, radius) for one in w]
                    run[f"{radius:g}"] = {
                        key: [round(one[key], 4) for one in found] for key in found[0]
                    }
                runs.append(run)
                print(json.dumps(run), flush=True)  # noqa: T201
    planes = [plane(depth, skip) for skip in (False, True) for depth in (5, 40)]
    keep("landscape", machine("numpy"), runs=runs, planes=planes)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
