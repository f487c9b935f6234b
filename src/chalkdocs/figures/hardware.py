"""Figures of the page on hardware.

The first two draw what ``python -m benchmarks.ladder`` measured.
"""

import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, PAPER, SERIES

__all__ = ["ladder", "roofline", "stall", "steps", "sums"]

RESULTS = Path(__file__).parents[3] / "benchmarks/results"
GPU = {
    "layer": ["GPU", "GPU, TF32", "GPU, bfloat16", "GPU, compiled"],
    "adam": ["GPU", "GPU, compiled"],
}


@cache
def _measurements(name: str = "ladder.json") -> Any:
    path = RESULTS / name
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _bound(part: Any) -> float:
    """The roofline of the machine that was measured, in microseconds."""
    top = _measurements()["ceilings"]
    machine = cg.hardware.Machine(top["gflops"], top["copy"], top["in_place"])
    return 1e6 * cg.hardware.roofline(part["flops"], part["bytes"], machine)


def ladder() -> Figure:
    """How many times as fast as Python loops each way to write it is."""
    titles = {
        "layer": "One layer, 256 × 256 × 256",
        "adam": "One step of Adam: 4 194 304 weights",
    }
    figure, axes = plt.subplots(
        2, 1, figsize=(5.2, 6.4), height_ratios=[11, 8], sharex=True
    )
    for axis, (what, title) in zip(axes, titles.items(), strict=True):
        part, on_gpu = _measurements()[what], _measurements("ladder-cuda.json")
        rungs = {rung["name"]: rung["ratio"] for rung in part["rungs"]}
        there = on_gpu[what]["rungs"] if on_gpu else []
        found = {rung["name"]: rung["ratio"] for rung in there}
        rungs |= {f"PyTorch, {gpu}": found.get(f"PyTorch, {gpu}") for gpu in GPU[what]}
        most = max(1e4, *(ratio for ratio in rungs.values() if ratio))
        for row, (name, ratio) in enumerate(rungs.items()):
            if ratio is None:
                axis.text(1.2, row, "not yet measured", va="center", alpha=0.6)
                continue
            colour = SERIES[1] if "GPU" in name else SERIES[0]
            axis.barh(row, ratio - 0.8, left=0.8, height=0.7, color=colour)
            said = f"× {ratio:,.0f}" if ratio >= 100 else f"× {ratio:.3g}"
            inside = ratio > 20
            axis.text(
                ratio * (0.87 if inside else 1.15),
                row,
                said,
                va="center",
                ha="right" if inside else "left",
                color=PAPER if inside else INK,
            )
        loops = min(part["rungs"][0]["us"])
        axis.axvline(loops / _bound(part), color=INK, linestyle="--", linewidth=1)
        axis.set_yticks(range(len(rungs)), rungs)
        axis.set(title=title, xscale="log", xlim=(0.8, most))
        axis.set_ylim(len(rungs) - 0.4, -0.6)
        axis.tick_params(axis="y", length=0)
    axes[1].set_xlabel("times as fast as loops")
    return figure


def roofline() -> Figure:
    """The bound of the machine, and what the programs reach of it."""
    top = _measurements()["ceilings"]
    bandwidth = max(top["copy"], top["in_place"])
    figure, axis = plt.subplots(figsize=(5.2, 3.4))
    intensity = np.geomspace(0.1, 200, 200)
    roof = np.minimum(top["gflops"], intensity * bandwidth)
    axis.loglog(intensity, roof, color=INK)
    axis.fill_between(intensity, roof, 0.01, color=INK, alpha=0.05)
    labels = {
        "adam": {"NumPy": "NumPy", "PyTorch, compiled": "compiled"},
        "layer": {"NumPy, no matrix product": "no matrix product", "NumPy": "NumPy"},
    }
    for what, colour in (("adam", SERIES[1]), ("layer", SERIES[0])):
        part = _measurements()[what]
        at = part["flops"] / part["bytes"]
        for rung in part["rungs"]:
            if rung["name"] in labels[what]:
                speed = part["flops"] / min(rung["us"]) / 1e3
                axis.plot(at, speed, "o", color=colour)
                left = what == "layer"
                axis.annotate(
                    labels[what][rung["name"]],
                    (at, speed),
                    (-8 if left else 8, -11 if speed > 30 else -4),
                    textcoords="offset points",
                    ha="right" if left else "left",
                    color=colour,
                )
        name = {"adam": "a step of Adam", "layer": "a layer"}[what]
        axis.annotate(name, (at, 0.13), ha="center", color=colour, textcoords="data")
        axis.plot([at, at], [0.2, np.interp(at, intensity, roof)], ":", color=colour)
    axis.annotate("moving bytes", (0.2, 0.2 * bandwidth), (-7, 12), rotation=34,
                  textcoords="offset points", ha="left")  # fmt: skip
    axis.annotate("computing", (12, top["gflops"]), (0, 5), textcoords="offset points")
    axis.set(xlabel="operations for each byte moved", ylabel="billion operations / s")
    axis.set(ylim=(0.1, 300), xlim=(0.1, 200))
    return figure


def _one_by_one(x: Any) -> Any:
    return np.add.accumulate(x, axis=-1)[..., -1]


def _in_pairs(x: Any) -> Any:
    while x.shape[-1] > 1:
        x = x[..., ::2] + x[..., 1::2]
    return x[..., 0]


def sums() -> Figure:
    """The error of a sum against its length, one by one and in pairs."""
    lengths = 2 ** np.arange(2, 19)
    rng = np.random.default_rng(0)
    errors: dict[str, list[float]] = {"one by one": [], "in pairs": []}
    for n in lengths:
        x = rng.uniform(size=(9, n)).astype("float32")
        exact = np.array([math.fsum(row) for row in x.tolist()])
        for name, add in zip(errors, (_one_by_one, _in_pairs), strict=True):
            off = abs(add(x).astype("float64") - exact) / exact
            errors[name].append(float(np.sqrt((off**2).mean())))
    u = 2.0**-24
    figure, axis = plt.subplots(figsize=(5.2, 3.3))
    for (name, found), colour in zip(errors.items(), SERIES, strict=False):
        axis.loglog(lengths, found, "o-", color=colour, markersize=3.5, base=10)
        axis.annotate(name, (lengths[-1], found[-1]), (6, -3), color=colour,
                      textcoords="offset points")  # fmt: skip
    for bound, name in ((lengths * u, "n u"), (np.log2(lengths) * u, "log₂ n · u")):
        axis.loglog(lengths, bound, "--", color=INK, alpha=0.5, linewidth=1)
        axis.annotate(name, (lengths[-1], bound[-1]), (6, -3), alpha=0.7,
                      textcoords="offset points")  # fmt: skip
    axis.set(xlabel="how many numbers n", ylabel="relative error", xlim=(3, 3e6))
    return figure


def _round(x: Any) -> Any:
    """Keep 7 bits of the fraction: bfloat16, to nearest, ties to even."""
    bits = np.asarray(x, "float32").view("uint32")
    return (bits + 0x7FFF + (bits >> 16 & 1) >> 16 << 16).view("float32")


def steps() -> Figure:
    """One weight, step by step: exact, rounded to nearest, and by chance."""
    figure, axes = plt.subplots(1, 2, figsize=(5.2, 3.1), sharey=True)
    draws = np.random.default_rng(0).integers(2**16, size=300, dtype="uint32")
    for axis, update in zip(axes, (0.003, 0.005), strict=True):
        step, start = np.float32(update), np.float32(1)
        nearest, chance = [start], [start]
        for noise in draws:
            nearest.append(_round(nearest[-1] + step))
            bits = np.asarray(chance[-1] + step).view("uint32") + noise
            chance.append((bits >> 16 << 16).view("float32"))
        exact = 1 + update * np.arange(301)
        axis.plot(exact, color=INK, lw=4.5, alpha=0.35, label="float64")
        axis.plot(nearest, color=SERIES[1], label="bfloat16, nearest")
        axis.plot(chance, color=SERIES[0], lw=1.2, label="bfloat16, stochastic")
        axis.set(title=f"steps of {update}", xlabel="steps", xlim=(0, 300))
    axes[0].set(ylabel="the weight", ylim=(0.95, 2.8))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center",
                  ncols=2, handlelength=1.4, columnspacing=1)  # fmt: skip
    return figure


def _race(optimizer: Any, steps: int, every: int) -> Any:
    """Train four networks side by side, which differ in how weights are kept."""
    x, labels = cg.data.digits()
    x = x.astype("float32")
    net, loss = cg.network([64, 32, 10]), cg.losses.cross_entropy
    draws = np.random.default_rng(0)
    w = np.tile(_round(net.init(rng=0)), (4, 1))
    step = net.plan(w, loss=loss, optimizer=optimizer, batch_size=50)
    lost, heights = np.zeros_like(w[3]), []
    for t in range(steps + 1):
        if t % every == 0:
            heights.append(net.loss_and_grad(step.w, x, labels, loss)[0])
        batch = slice(t % 35 * 50, t % 35 * 50 + 50)
        old = step.w[3].copy()
        step(x[batch], labels[batch])
        _, nearest, chance, kahan = step.w
        nearest[:] = _round(nearest)
        noise = draws.integers(2**16, size=net.size, dtype="uint32")
        chance[:] = (chance.view("uint32") + noise >> 16 << 16).view("float32")
        owed = kahan - old + lost
        kahan[:] = _round(old + owed)
        lost = _round(owed - (kahan - old))
    return np.array(heights)


def stall() -> Figure:
    """The loss of four networks, by how their weights are kept."""
    optimizers: dict[str, Callable[[], Any]] = {
        "gradient descent, η = 0.01": lambda: cg.optimizers.sgd(0.01),
        "Adam, η = 0.0003": lambda: cg.optimizers.adam(3e-4),
    }
    names = ["float32", "bfloat16, nearest", "bfloat16, stochastic", "bfloat16, Kahan"]
    looks: list[tuple[str, Any, float, float]] = [
        (INK, "-", 4.5, 0.35),
        (SERIES[1], "-", 1.8, 1.0),
    ]
    looks += [(SERIES[0], "-", 1.8, 1.0), (SERIES[2], (0, (2, 2)), 1.8, 1.0)]
    figure, axes = plt.subplots(1, 2, figsize=(5.2, 3.1), sharey=True)
    for axis, (title, make) in zip(axes, optimizers.items(), strict=True):
        heights = _race(make(), 800, 50)
        for name, line, (colour, style, width, alpha) in zip(
            names, heights.T, looks, strict=True
        ):
            axis.plot(
                np.arange(len(line)) * 50, line, label=name, color=colour,
                linestyle=style, linewidth=width, alpha=alpha,
            )  # fmt: skip
        axis.set(title=title, xlabel="steps", ylim=(0, None), xlim=(0, 800))
    axes[0].set_ylabel("loss on 1797 digits")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center",
                  ncols=2, handlelength=1.4, columnspacing=1)  # fmt: skip
    return figure
