"""Cross-entropy over many classes, with its gradient: it moves bytes, little else."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

import chalkgrad.torch as cg
from benchmarks.gpu import ROOM, Captured, turns
from benchmarks.harness import Contest, Runner

TOPICS = ("losses",)


def answer(found: Any) -> list[float]:
    """Compare by the loss, and by the size of the gradient."""
    return [float(part.abs().sum(dtype=torch.float64)) for part in found]


def cross_entropy(
    n: int, classes: int, device: str = "cpu", room: float = ROOM
) -> Contest:
    """Let everyone compute loss and gradient of n rows, in float32."""
    sets = turns(4 * n * classes, room)
    generator = torch.Generator(device).manual_seed(0)
    kind: dict[str, Any] = {"device": device, "generator": generator}
    logits = [torch.randn(n, classes, **kind) for _ in range(sets)]
    labels = torch.randint(classes, (n,), **kind)

    def runner(both: Callable[[Any], Any], *, captured: bool = True) -> Runner:
        def run() -> Any:
            for z in logits:
                found = both(z)
            return found

        return Runner(Captured(run, device) if captured else run, sets, answer)

    def written(z: Any) -> Any:
        losses = cg.losses
        return losses.cross_entropy(z, labels), losses.cross_entropy_grad(z, labels)

    def by_autograd(loss: Callable[..., Any]) -> Callable[[Any], Any]:
        def both(z: Any) -> Any:
            leaf = z.detach().requires_grad_()
            value = loss(leaf, labels)
            return value.detach(), *torch.autograd.grad(value, leaf)

        return both

    def stream() -> Runner:
        """Read and write as many logits, in place."""

        def run() -> None:
            for z in logits:
                z.neg_().neg_()  # as they were, for the others

        return Runner(Captured(run, device), 2 * sets)

    # Ours looks at every number and label, and a graph cannot wait for the answer.
    ours = partial(runner, captured=False)
    theirs = torch.nn.functional.cross_entropy
    contestants: dict[str, Callable[[], Runner]] = {
        "chalkgrad.torch, compiled": lambda: ours(torch.compile(written)),
        "chalkgrad.torch": partial(ours, written),
        "torch": partial(runner, by_autograd(theirs)),
        "torch.compile": lambda: runner(by_autograd(torch.compile(theirs))),
    }
    title = f"Cross-entropy and its gradient, {n:,} rows of {classes:,} classes"
    return Contest(title, "pass", TOPICS, contestants, {"stream": stream})
