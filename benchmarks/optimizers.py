"""What a step costs: the formula over one vector, against PyTorch's own optimizers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import chalkgrad.numpy as cg
import chalkgrad.torch as twin

Runs = dict[str, Callable[[], object]]


def _contest(
    name: str, peer: type, *, fused: bool = True, **chosen: float
) -> Callable[[str], Runs]:
    """Make the contest of one rule, on the weights of a 64-100-10 network."""

    def contest(device: str) -> Runs:
        return _runs(name, peer, device, fused=fused, **chosen)

    contest.__name__ = name
    contest.__doc__ = f"100 steps of {name} on the weights of a 64-100-10 network, f32"
    return contest


SMALL = [
    _contest("sgd", torch.optim.SGD, momentum=0.9),
    _contest("adagrad", torch.optim.Adagrad),
    _contest("adadelta", torch.optim.Adadelta, fused=False),
    _contest("rmsprop", torch.optim.RMSprop, fused=False),
    _contest("adam", torch.optim.Adam),
    _contest("adamw", torch.optim.AdamW),
    _contest("nadam", torch.optim.NAdam, fused=False),
    _contest("radam", torch.optim.RAdam, fused=False),
]


def _large(
    n: int, name: str, peer: type, arrays: int, *, fused: bool = False
) -> Callable[[str], Runs]:
    """Make the contest of a compiled rule, on n weights in one tensor or in 20.

    `arrays` is how many a step must read or write. The last contestant reads and writes
    as many, and does nothing else: that is the limit.
    """

    def contest(device: str) -> Runs:
        generator = torch.Generator(device).manual_seed(0)
        kind: dict[str, Any] = {"device": device, "generator": generator}
        start, grads = torch.randn(n, **kind), torch.randn(4, n, **kind)
        opt = getattr(twin.optimizers, name)(lr=1e-3)

        def ours(step: Callable[..., Any]) -> object:
            w = start.clone()
            state = opt.init(w)
            for k in range(20):
                w, state = step(w, grads[k % 4], state)
            return w

        def theirs(**how: bool) -> object:
            weights = [torch.nn.Parameter(p.clone()) for p in start.split(n // 20)]
            theirs = peer(weights, lr=1e-3, **how)
            for k in range(20):
                parts = grads[k % 4].split(n // 20)
                for p, part in zip(weights, parts, strict=True):
                    p.grad = part
                theirs.step()
            return weights

        def stream() -> object:
            passed = [start.clone() for _ in range(arrays)]  # all that a step touches
            for k in range(20 * arrays // 2):
                passed[k % arrays].add_(1.0)
            return passed

        compiled = torch.compile(opt.step)
        runs: Runs = {
            "chalkgrad.torch, compiled": lambda: ours(compiled),
            "chalkgrad.torch": lambda: ours(opt.step),
            "torch.optim": lambda: theirs(foreach=False),
            "torch.optim, foreach": lambda: theirs(foreach=True),
            "as many bytes, in place": stream,
        }
        if fused:
            runs["torch.optim, fused"] = lambda: theirs(fused=True)
        return runs

    contest.__name__ = f"{name}_{n}"
    contest.__doc__ = (
        f"20 steps of {name} on {n:,} weights, in one tensor or in 20, f32"
    )
    return contest


def large(n: int) -> list[Callable[[str], Runs]]:
    """List the contests on n weights; a GPU has room for 100 million and more."""
    return [
        _large(n, "adagrad", torch.optim.Adagrad, 5, fused=True),
        _large(n, "rmsprop", torch.optim.RMSprop, 5),
        _large(n, "adam", torch.optim.Adam, 7, fused=True),
    ]


def _runs(name: str, peer: type, device: str, *, fused: bool, **chosen: float) -> Runs:
    net = cg.network([64, 100, 10])
    start = net.init(dtype="float32")
    grads = np.random.default_rng(0).normal(size=(100, net.size)).astype("float32")
    on_device = torch.tensor(grads, device=device)

    def ours() -> object:
        opt = getattr(cg.optimizers, name)(lr=1e-3, **chosen)
        w = start
        state = opt.init(w)
        for grad in grads:
            w, state = opt.step(w, grad, state)
        return w

    def half() -> object:
        opt = getattr(twin.optimizers, name)(lr=1e-3, **chosen)
        w = torch.tensor(start, device=device)
        state = opt.init(w)
        for grad in on_device:
            w, state = opt.step(w, grad, state)
        return w

    def theirs(how: dict[str, bool]) -> object:
        # As a module has them: a matrix and a bias for each layer.
        sizes = [W.size for layer in net.layers(start) for W in layer]
        parts = torch.tensor(start, device=device).split(sizes)
        weights = [torch.nn.Parameter(part.clone()) for part in parts]
        opt = peer(weights, lr=1e-3, **how, **chosen)
        for grad in on_device:
            for p, part in zip(weights, grad.split(sizes), strict=True):
                p.grad = part
            opt.step()
        return weights

    runs: Runs = {
        "chalkgrad.numpy": ours,
        "chalkgrad.torch": half,
        "torch.optim": lambda: theirs({}),
    }
    if fused:
        runs["torch.optim, fused"] = lambda: theirs({"fused": True})
    return runs
