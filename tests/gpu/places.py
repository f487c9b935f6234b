"""Where arrays are put on the pretended cards, and what is computed there."""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

import chalkgrad.torch as cg


class Place(NamedTuple):
    """A way to say where arrays shall be: what is given, and where that is."""

    device: str | None
    home: str


PLACES = ("cuda:0", "cuda:1", "default", "inside")


@contextlib.contextmanager
def at(name: str) -> Iterator[Place]:
    """Say where arrays shall be, by one of `PLACES`, or ``"cpu"``."""
    if name == "default":
        torch.set_default_device("cuda:1")
        try:
            yield Place(None, "cuda:1")
        finally:
            torch.set_default_device(None)
    elif name == "inside":
        with torch.cuda.device(1):
            yield Place("cuda", "cuda:1")
    else:
        yield Place(name, name)


def tensors(out: Any) -> Iterator[torch.Tensor]:
    """Yield all tensors within a result."""
    if isinstance(out, torch.Tensor):
        yield out
    elif isinstance(out, dict):
        for part in out.values():
            yield from tensors(part)
    elif isinstance(out, list | tuple):
        for part in out:
            yield from tensors(part)


def numbers(out: Any) -> list[Any]:
    """Return all numbers within a result, as NumPy's arrays."""
    if isinstance(out, dict):
        return [a for part in out.values() for a in numbers(part)]
    if isinstance(out, list | tuple):
        return [a for part in out for a in numbers(part)]
    if isinstance(out, torch.Tensor):
        return [out.detach().cpu().numpy()]
    if isinstance(out, int | float | np.ndarray | np.generic):
        return [np.asarray(out)]
    return []


def problem(device: str | None, loss: str = "cross_entropy", n: int = 24) -> Any:
    """Return a network, its weights, rows, and the truth as a loss takes it."""
    rng = np.random.default_rng(0)
    net = cg.network([6, 8, 8, 3], activation="tanh", skip=True)
    x, ids = rng.normal(size=(n, 6)), rng.integers(0, 3, n)
    y: Any = ids if loss == "cross_entropy" else np.eye(3)[ids]
    y = 2 * y - 1 if loss in ("hinge", "perceptron") else y
    w = net.init(device=device)
    return net, w, cg.array(x, device=device), cg.array(y, device=device)


def rule(name: str, net: Any) -> Any:
    """Make an optimizer by its name, with whatever it needs."""
    make = getattr(cg.optimizers, name)
    adam = cg.optimizers.adam(0.01)
    needs = {
        "barzilai_borwein": (0.01,),
        "clip": (adam,),
        "decay_weights": (adam,),
        "ema": (adam,),
        "lamb": (net,),
        "maximize": (adam,),
        "muon": (net,),
        "sgd": (0.05,),
    }
    more = {"clip": {"norm": 0.1}, "decay_weights": {"weight_decay": 0.01}}
    return make(*needs.get(name, ()), **more.get(name, {}))
