"""What a step costs on a GPU, counted on a pretended one: kernels, waits, bytes.

    python -m benchmarks.counted

writes ``benchmarks/results/counted.json``. No card is needed, and no time is told. A
kernel is an operation of PyTorch's that is no view; what a graph replays counts as if
it were launched. Bytes are what kernels read and write, but for products of matrices.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.gpu.card import Card, pretend  # before PyTorch

# isort: split
import numpy as np
import torch

import chalkgrad.torch as cg

RESULTS = Path(__file__).with_name("results") / "counted.json"


def _is_product(name: str) -> bool:
    return name.partition(".")[0] in ("mm", "bmm")


def cost(card: Card, run: Callable[[], Any], replayed: Callable[[], Any]) -> Any:
    """Count one call, with the operations of the graphs that it replays."""
    card.forget()
    run()
    done = [(e.name, e.bytes) for e in card.log if e.kind == "kernel"]
    done += [(op.name, op.size) for graph in replayed() for op in graph.operations]
    is_product = [_is_product(name) for name, _ in done]
    return {
        "kernels": is_product.count(False),
        "products": is_product.count(True),
        "launches": sum(e.kind in ("kernel", "replay") for e in card.log),
        "waits": card.count("wait"),
        "copies": card.count("to card"),
        "bytes": sum(
            size for (_, size), p in zip(done, is_product, strict=True) if not p
        ),
    }


def task(sizes: tuple[int, ...], rows: int, many: int = 0) -> Any:
    """Return a network, its weights or those of many, rows and labels."""
    rng = np.random.default_rng(0)
    net = cg.network(sizes)
    seeds = list(range(many)) if many else 0
    w = net.init(seeds, dtype="float32", device="cuda")
    x = cg.array(rng.normal(size=(rows, sizes[0])), dtype="float32", device="cuda")
    return net, w, x, cg.array(rng.integers(0, sizes[-1], rows), device="cuda")


def plan_cost(card: Card, problem: Any, optimizer: Any, **options: Any) -> Any:
    """Count a step that is waited for, and one of `fit`, which reads 64 together."""
    net, w, x, y = problem
    loss = cg.losses.cross_entropy
    step = net.plan(w, loss=loss, optimizer=optimizer, batch_size=len(x), **options)
    for _ in range(4):
        step(x, y)
    own = step._card
    alone = cost(
        card,
        lambda: step(x, y),
        lambda: [
            *(graph.graph for graph in own._passes.values()),
            *(graph.graph for graph, _ in own._steps.values()),
        ],
    )
    last, total = torch.zeros_like(step.w), np.zeros(w.shape[:-1])
    step.advance(x, y, last, total)
    together = cost(
        card,
        lambda: step.advance(x, y, last, total),
        lambda: [graph.graph for key, (graph, _) in own._steps.items() if key],
    )
    return alone, together


def count() -> dict[str, Any]:
    """Return what each piece of work costs, by its name."""
    found: dict[str, Any] = {}
    with pretend(1) as card:
        adam = cg.optimizers.adam(1e-3)
        problem = task((784, 256, 128, 10), 128)
        alone, together = plan_cost(card, problem, adam)
        found["G4, network 784: a step of a plan"] = alone
        found["G4, network 784: a step of fit"] = together
        # All arrays grow as the square of the units, so 1/64 of them will do.
        n = 4096 // 64
        _, wide = plan_cost(card, task((n,) * 5, 2 * n), adam, precision="bf16")
        size = wide["bytes"] * 64**2
        found["G5, wide network: a step of fit"] = wide | {"bytes": size}
        _, sweep = plan_cost(card, task((2, 16, 2), 64, many=16), adam)
        found["G7, sweep: a step of fit, 16 networks"] = sweep
        net, w, x, y = problem
        step = net.plan(w, loss=cg.losses.cross_entropy, optimizer=adam, batch_size=128)
        for _ in range(3):
            step(x, y)
        step.gradient(x, y)
        graphs = [step._card._steps[None][0].graph]
        rule = cost(card, step.update, lambda: graphs)
        size = sum(op.size for op in graphs[0].operations if "fused" in op.name)
        found["G1, adam: the rule that fit runs"] = rule | {
            "bytes a weight": round(size / net.size, 1)
        }
        z = torch.zeros(64, 10, device="cuda")
        labels = torch.zeros(64, dtype=torch.int64, device="cuda")
        found["G3, cross-entropy 10: the loss by itself"] = cost(
            card, lambda: cg.losses.cross_entropy(z, labels), list
        )
        net, w, x, y = task((2, 16, 2), 64)
        plane = cg.landscape.directions(net, w)
        found["G6, landscape: 9 × 9 points"] = cost(
            card,
            lambda: cg.landscape.loss_grid(
                net, w, x, y, cg.losses.cross_entropy, plane, points=9
            ),
            list,
        )
    return found


if __name__ == "__main__":
    text = json.dumps({"torch": torch.__version__, "costs": count()}, indent=2)
    RESULTS.write_text(text + "\n")
