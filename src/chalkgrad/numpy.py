"""The NumPy half: the reference. It needs NumPy alone.

>>> import chalkgrad.numpy as cg
"""

from chalkgrad._core._numpy import array, asnumpy
from chalkgrad._core.check import DeviceError, ShapeError
from chalkgrad.activations import _numpy as activations
from chalkgrad.autodiff import _numpy as autodiff
from chalkgrad.backprop import _shared as backprop
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.data import _shared as data
from chalkgrad.experiments import _shared as experiments
from chalkgrad.hardware import _shared as hardware
from chalkgrad.landscape import _numpy as landscape
from chalkgrad.losses import _numpy as losses
from chalkgrad.network._numpy import network
from chalkgrad.optimizers import _numpy as optimizers
from chalkgrad.perceptron import _numpy as perceptron
from chalkgrad.schedules import _shared as schedules
from chalkgrad.search import _shared as search
from chalkgrad.training import _shared as training

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
