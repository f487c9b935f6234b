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


def million(device: str) -> Runs:
    """20 steps of rmsprop on a million weights in 20 tensors, or in one, float32"""
    draw = np.random.default_rng(0).normal
    start = torch.tensor(draw(size=10**6).astype("float32"), device=device)
    grads = torch.tensor(draw(size=(20, 10**6)).astype("float32"), device=device)
    opt = twin.optimizers.rmsprop(lr=1e-3)

    def ours(step: Callable[..., Any]) -> object:
        w = start.clone()
        state = opt.init(w)
        for grad in grads:
            w, state = step(w, grad, state)
        return w

    def theirs(foreach: bool) -> object:
        weights = [torch.nn.Parameter(part.clone()) for part in start.split(50_000)]
        peer = torch.optim.RMSprop(weights, lr=1e-3, foreach=foreach)
        for grad in grads:
            for p, part in zip(weights, grad.split(50_000), strict=True):
                p.grad = part
            peer.step()
        return weights

    def stream() -> object:
        """Read and write as much as rmsprop must: three arrays in, two out."""
        x = start.clone()
        for _ in range(len(grads) * 5 // 2):
            x.add_(1.0)
        return x

    compiled = torch.compile(opt.step)
    return {
        "chalkgrad.torch, compiled": lambda: ours(compiled),
        "chalkgrad.torch": lambda: ours(opt.step),
        "torch.optim": lambda: theirs(False),
        "torch.optim, foreach": lambda: theirs(True),
        "the same bytes, in place": stream,
    }


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
