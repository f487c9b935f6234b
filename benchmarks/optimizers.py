"""What a step costs: the formula over one vector, against PyTorch's own optimizers."""

from collections.abc import Callable

import numpy as np
import torch

import chalkgrad.numpy as cg
import chalkgrad.torch as twin

Runs = dict[str, Callable[[], object]]


def adam(device: str) -> Runs:
    """100 steps of Adam on the weights of a 64-100-10 network, float32"""
    return _runs("adam", torch.optim.Adam, device)


def sgd(device: str) -> Runs:
    """100 steps of momentum on the weights of a 64-100-10 network, float32"""
    return _runs("sgd", torch.optim.SGD, device, momentum=0.9)


def _runs(name: str, peer: type, device: str, **chosen: float) -> Runs:
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

    def theirs(fused: bool) -> object:
        # As a module has them: a matrix and a bias for each layer.
        sizes = [W.size for layer in net.layers(start) for W in layer]
        parts = torch.tensor(start, device=device).split(sizes)
        weights = [torch.nn.Parameter(part.clone()) for part in parts]
        opt = peer(weights, lr=1e-3, fused=fused, **chosen)
        for grad in on_device:
            for p, part in zip(weights, grad.split(sizes), strict=True):
                p.grad = part
            opt.step()
        return weights

    return {
        "chalkgrad.numpy": ours,
        "chalkgrad.torch": half,
        "torch.optim": lambda: theirs(False),
        "torch.optim, fused": lambda: theirs(True),
    }
