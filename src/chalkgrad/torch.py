"""The PyTorch backend: the same names as `chalkgrad.numpy`, on CPU or GPU.

>>> import chalkgrad.torch as cg
"""

try:
    import torch as _torch  # the file's own name is not in the way
except ModuleNotFoundError as _error:
    from chalkgrad._core.install import advise as _advise

    raise ModuleNotFoundError(
        "chalkgrad.torch needs PyTorch, which is not installed: "
        f"{_advise('torch')}, or import chalkgrad.numpy as cg.",
        name="torch",
    ) from _error

from chalkgrad import training
from chalkgrad._core._torch import array, asnumpy
from chalkgrad._core.errors import DeviceError, ShapeError
from chalkgrad._core.names import list_public_names
from chalkgrad.activations import _torch as activations
from chalkgrad.autodiff import _torch as autodiff
from chalkgrad.backprop import _shared as backprop
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.data import _torch as data
from chalkgrad.experiments import _torch as experiments
from chalkgrad.hardware import _shared as hardware
from chalkgrad.judge import _shared as judge
from chalkgrad.landscape import _torch as landscape
from chalkgrad.line_search import _shared as line_search
from chalkgrad.losses import _torch as losses
from chalkgrad.network._torch import network
from chalkgrad.optimizers import _torch as optimizers
from chalkgrad.perceptron import _torch as perceptron
from chalkgrad.schedules import _shared as schedules

# What an optimizer keeps is numbers alone, so `torch.load` may open it as it comes.
_torch.serialization.add_safe_globals(
    [
        kind
        for topic in (line_search, optimizers)
        for name, kind in vars(topic).items()
        if name.endswith("State")
    ]
)

__all__ = [
    "DeviceError",
    "ShapeError",
    "activations",
    "array",
    "asnumpy",
    "autodiff",
    "backprop",
    "checkpoints",
    "data",
    "experiments",
    "hardware",
    "judge",
    "landscape",
    "line_search",
    "losses",
    "network",
    "optimizers",
    "perceptron",
    "schedules",
    "training",
]


def __dir__() -> list[str]:
    return __all__


list_public_names(globals()[name] for name in __all__)
