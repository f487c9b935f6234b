"""The two backends side by side: what is paired, and when they agree."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from chalkgrad._core.types import Optimizer
from chalkgrad.network._numpy import Network

from .strategies import slots

BACKENDS = (reference, twin)
DTYPES = ("float64", "float32")
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here"),
    ),
]

MODULES = [
    name
    for name in reference.__all__
    if isinstance(getattr(reference, name), ModuleType)
]
# A topic is paired if it is written twice; what merely calls the pairs is shared.
TOPICS = [
    name for name in MODULES if getattr(reference, name).__name__.endswith("._numpy")
]


def is_optimizer(f: Any) -> bool:
    return not isinstance(f, type) and (
        inspect.signature(f).return_annotation is Optimizer
    )


def wraps(f: Any) -> bool:
    """Whether an optimizer is made from another one."""
    return "optimizer" in inspect.signature(f).parameters


def sees_layers(f: Any) -> bool:
    """Whether an optimizer is made for a network."""
    return "net" in inspect.signature(f).parameters


def both(path: str) -> tuple[Any, Any]:
    """Find ``"topic.name"`` in both backends."""
    topic, name = path.split(".")
    return tuple(getattr(getattr(backend, topic), name) for backend in BACKENDS)


NAMES = [
    f"{topic}.{name}" for topic in TOPICS for name in getattr(reference, topic).__all__
]
STEPPING = [path for path in NAMES if is_optimizer(both(path)[0])]
# What sees the layers of a network steps its weights, and no others.
LAYERED = [path for path in STEPPING if sees_layers(both(path)[0])]
OPTIMIZERS = [
    path for path in STEPPING if not wraps(both(path)[0]) and path not in LAYERED
]
# What works on a function, as autodiff does, has no numbers to be drawn.
FUNCTIONS = [
    path
    for path in NAMES
    if path not in STEPPING
    and not isinstance(both(path)[0], type)
    and "function" not in (slot.text for slot in slots(both(path)[0]).values())
]


def read_only(x: Any) -> Any:
    """Return a copy that nobody can write into, if `x` is an array."""
    if isinstance(x, tuple):
        return type(x)(*map(read_only, x))
    if not isinstance(x, np.ndarray):
        return x
    x = x.copy()
    x.flags.writeable = False
    return x


def tensor(x: Any, device: str = "cpu") -> Any:
    """Return a tensor with the same numbers, if `x` is an array; a network's twin."""
    if isinstance(x, Network):
        return twin.network(x.sizes, activation=x.activation, skip=x.skip)
    return torch.tensor(x, device=device) if isinstance(x, np.ndarray) else x


def applied(to: Callable[..., Any], args: dict[str, Any], *more: Any) -> dict[str, Any]:
    return {name: to(x, *more) for name, x in args.items()}


def ndarray(x: Any) -> Any:
    return x.detach().cpu().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)


def parts(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


# Some 4500 and 8 units in the last place.
RTOL = {"float64": 1e-12, "float32": 1e-6}


def agree(ours: Any, theirs: Any, dtype: str, *, size: float = 0.0) -> None:
    """Hold what both backends gave against each other: type, shape, dtype, numbers.

    Numbers agree entry by entry. Where one is the difference of two that are as large
    as `size`, only their own last digits may be left of it, so it may be off by as much
    as they may. Below the smallest normal number, digits fade out.
    """
    if isinstance(ours, tuple):
        assert type(ours).__name__ == type(theirs).__name__
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            agree(one, other, dtype, size=size)
    elif isinstance(ours, bool | int):
        assert type(ours) is type(theirs)
        assert ours == theirs
    else:
        if isinstance(ours, float) and not isinstance(ours, np.floating):
            assert type(theirs) is float
        else:
            assert ours.dtype == dtype == str(theirs.dtype).removeprefix("torch.")
        a, b = ndarray(ours), ndarray(theirs)
        assert a.shape == b.shape
        rtol, atol = RTOL[dtype], RTOL[dtype] * size + float(np.finfo(dtype).tiny)
        np.testing.assert_allclose(b, a, rtol=rtol, atol=atol)


def size(path: str, dtype: str, args: dict[str, Any]) -> float:
    """How large the numbers were of which a small one may be left.

    1 if an entry is the difference of numbers up to 1, probabilities mostly, which may
    come so close that it has fewer digits than `agree` asks for.
    """
    match path:
        case "activations.softmax_grad":  # 1 - p
            cancels = True
        case "activations.gelu_grad":  # Phi(z) + z phi(z), near z = -0.75
            cancels = dtype == "float32"
        case "losses.binary_cross_entropy_grad":  # sigma(z) - y, unless y is 0 or 1
            cancels = dtype == "float32" and (args["labels"] % 1).any()
        case "losses.cross_entropy_grad":  # p - y, where y is smoothed
            cancels = dtype == "float32" and args["label_smoothing"] > 0
        case _:
            cancels = False
    return float(cancels)
