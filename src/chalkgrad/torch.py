"""The PyTorch half: the same names as `chalkgrad.numpy`, on CPU or GPU.

>>> import chalkgrad.torch as cg
"""

try:
    import torch as _torch  # noqa: F401  (the file's own name is not in the way)
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "chalkgrad.torch needs PyTorch, which is not installed: "
        "pip install 'chalkgrad[torch]', or import chalkgrad.numpy as cg.",
        name="torch",
    ) from error

from chalkgrad._core._torch import array, asnumpy, moved
from chalkgrad._core.check import DeviceError, ShapeError
from chalkgrad.activations import _torch as activations
from chalkgrad.autodiff import _torch as autodiff
from chalkgrad.backprop import _shared as backprop
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.data import _shared as _data
from chalkgrad.experiments import _shared as _experiments
from chalkgrad.hardware import _shared as hardware
from chalkgrad.landscape import _torch as landscape
from chalkgrad.losses import _torch as losses
from chalkgrad.network._torch import network
from chalkgrad.optimizers import _torch as optimizers
from chalkgrad.perceptron import _torch as perceptron
from chalkgrad.schedules import _shared as schedules
from chalkgrad.search import _shared as search
from chalkgrad.training import _shared as training

data = moved(_data)
experiments = moved(_experiments)

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
    "landscape",
    "losses",
    "network",
    "optimizers",
    "perceptron",
    "schedules",
    "search",
    "training",
]
