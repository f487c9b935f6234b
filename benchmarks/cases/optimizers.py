"""What a step costs: the formula over one vector, against PyTorch's own optimizers."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from benchmarks.gpu import ROOM, Captured, turns
from benchmarks.harness import Contest, Runner

TOPICS = ("optimizers",)
LR = 1e-3
BLOCKS = 20  # tensors of a module


class Rule(NamedTuple):
    """One optimizer, ours and PyTorch's."""

    name: str
    peer: type[Any]
    arrays: int
    """How many a step reads or writes, each of them one number a weight."""
    fused: bool
    """Whether PyTorch has it as one kernel."""
    momentum: float | None = None


RULES = [
    Rule("sgd", torch.optim.SGD, 5, True, momentum=0.9),
    Rule("adagrad", torch.optim.Adagrad, 5, True),
    Rule("adadelta", torch.optim.Adadelta, 7, False),
    Rule("rmsprop", torch.optim.RMSprop, 5, False),
    Rule("adam", torch.optim.Adam, 7, True),
    Rule("adamw", torch.optim.AdamW, 7, True),
    Rule("nadam", torch.optim.NAdam, 7, False),
    Rule("radam", torch.optim.RAdam, 7, False),
]


def chosen(rule: Rule) -> dict[str, float]:
    """Return what both are told, besides the rate."""
    return {} if rule.momentum is None else {"momentum": rule.momentum}


BY_NAME = {rule.name: rule for rule in RULES}


def size(w: Any) -> float:
    """Compare by the mean square of the weights reached."""
    return float((w**2).mean())


# --- On the weights of a small network ------------------------------------------------


def small(rule: Rule) -> Contest:
    """A hundred steps on the weights of a network 64-100-10."""
    net = reference.network([64, 100, 10])
    start = net.init(dtype="float32")
    grads = np.random.default_rng(0).normal(size=(100, net.size)).astype("float32")

    def ours(backend: Any) -> Runner:
        opt = getattr(backend.optimizers, rule.name)(lr=LR, **chosen(rule))
        w0, gradients = backend.array(start), backend.array(grads)

        def run() -> Any:
            w = backend.array(w0)
            state = opt.init(w)
            for grad in gradients:
                w, state = opt.step(w, grad, state)
            return w

        return Runner(run, len(grads), size)

    def theirs(**how: bool) -> Runner:
        # As a module has them: a matrix and a bias for each layer.
        sizes = [a.size for layer in net.layers(start) for a in layer]
        split = [grad.split(sizes) for grad in torch.tensor(grads)]

        def run() -> Any:
            parts = torch.tensor(start).split(sizes)
            weights = [torch.nn.Parameter(part) for part in parts]
            opt = rule.peer(weights, lr=LR, **how, **chosen(rule))
            for gradients in split:
                for p, grad in zip(weights, gradients, strict=True):
                    p.grad = grad
                opt.step()
            return torch.cat([p.detach() for p in weights])

        return Runner(run, len(grads), size)

    contestants: dict[str, Callable[[], Runner]] = {
        "chalkgrad.numpy": partial(ours, reference),
        "chalkgrad.torch": partial(ours, twin),
        "torch.optim": theirs,
    }
    if rule.fused:
        contestants["torch.optim, fused"] = partial(theirs, fused=True)
    title = f"A step of {rule.name} on the weights of a network 64-100-10"
    return Contest(title, "step", TOPICS, contestants, {})


# --- On more weights than a cache holds -----------------------------------------------


class _Set(NamedTuple):
    """One of the sets of arrays that take turns, so that no cache holds them."""

    w: Any
    source: Any
    grad: Any
    """A fresh copy of `source` for each step: ours may use it up."""


def large(rule: Rule, n: int, device: str = "cpu", room: float = ROOM) -> Contest:
    """Compiled, on n weights in one tensor, against 20 tensors."""
    generator = torch.Generator(device).manual_seed(0)
    sets = turns(20 * n, room)

    def drawn() -> list[_Set]:
        generator.manual_seed(0)
        kind: dict[str, Any] = {"device": device, "generator": generator}
        both = [torch.randn(2, n, **kind) for _ in range(sets)]
        return [_Set(w, source, torch.empty_like(source)) for w, source in both]

    def ours(compiled: bool) -> Runner:
        opt = getattr(twin.optimizers, rule.name)(lr=LR, **chosen(rule))
        # As in a plan: it does not look at every number, so that a graph can hold it.
        planned = opt.in_place is not opt
        step = opt.in_place.step
        step = torch.compile(step) if compiled else step
        arrays = drawn()
        states = [opt.in_place.init(one.w) for one in arrays]

        def run() -> Any:
            for k, (w, source, grad) in enumerate(arrays):
                grad.copy_(source)
                _, states[k] = step(w, grad, states[k])
            return arrays[0].w

        return Runner(Captured(run, device) if planned else run, sets, size)

    def theirs(**how: bool) -> Runner:
        arrays = drawn()
        blocks = max(1, n // BLOCKS)
        opts = []
        for w, _, grad in arrays:
            weights = [torch.nn.Parameter(part) for part in w.split(blocks)]
            for p, part in zip(weights, grad.split(blocks), strict=True):
                p.grad = part
            graph = {"capturable": True} if device == "cuda" else {}
            opts.append(rule.peer(weights, lr=LR, **how, **graph, **chosen(rule)))

        def run() -> Any:
            for opt, (_, source, grad) in zip(opts, arrays, strict=True):
                grad.copy_(source)
                opt.step()
            return arrays[0].w

        return Runner(Captured(run, device), sets, size)

    def stream() -> Runner:
        """Move as many bytes, those of a fresh gradient too, in place."""
        touched = [torch.ones(n, device=device) for _ in range(2 * sets)]

        def run() -> None:
            for x in touched:
                x.neg_()

        return Runner(Captured(run, device), 4 * sets / (rule.arrays + 2))

    contestants: dict[str, Callable[[], Runner]] = {
        "chalkgrad.torch, compiled": partial(ours, True),
        "chalkgrad.torch": partial(ours, False),
        "torch.optim": partial(theirs, foreach=False),
        "torch.optim, foreach": partial(theirs, foreach=True),
    }
    if rule.fused:
        contestants["torch.optim, fused"] = partial(theirs, fused=True)
    title = f"A step of {rule.name} on {n:,} weights, in one tensor or in {BLOCKS}"
    return Contest(title, "step", TOPICS, contestants, {"stream": stream})


CONTESTS: dict[str, Callable[[], Contest]] = {
    **{f"{rule.name}, digits": partial(small, rule) for rule in RULES},
    **{
        f"{name} 1 M": partial(large, BY_NAME[name], 10**6)
        for name in ("adagrad", "rmsprop", "adam")
    },
}
