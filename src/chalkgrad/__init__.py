"""A deep-learning lecture that runs.

Pick a backend and name it ``cg``; every line after that is the same text:

>>> import chalkgrad.numpy as cg  # the reference: NumPy alone
>>> cg.activations.relu(cg.array([-1.0, 2.0]))
array([0., 2.])

``import chalkgrad.torch as cg`` runs the same on PyTorch, on a GPU if you like.
"""

__version__ = "0.1.0.dev0"
