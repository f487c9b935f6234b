"""The NumPy backend: the reference. It needs NumPy alone.

>>> import chalkgrad.numpy as cg
"""

from chalkgrad import training
from chalkgrad._core._numpy import array, asnumpy
from chalkgrad._core.errors import DeviceError, ShapeError
from chalkgrad._core.names import list_public_names
from chalkgrad.activations import _numpy as activations
from chalkgrad.autodiff import _numpy as autodiff
from chalkgrad.backprop import _shared as backprop
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.data import _shared as data
from chalkgrad.experiments import _shared as experiments
from chalkgrad.hardware import _shared as hardware
from chalkgrad.judge import _shared as judge
from chalkgrad.landscape import _numpy as landscape
from chalkgrad.line_search import _shared as line_search
from chalkgrad.losses import _numpy as losses
from chalkgrad.network._numpy import network
from chalkgrad.optimizers import _numpy as optimizers
from chalkgrad.perceptron import _numpy as perceptron
from chalkgrad.schedules import _shared as schedules

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
