"""Training: the loop round network, loss and optimizer, and how well it did."""

from chalkgrad.training._callbacks import Callback, FitProgress
from chalkgrad.training.evaluate import accuracy, confusion, predict, probabilities
from chalkgrad.training.find_lr import LrFinderResult, find_lr
from chalkgrad.training.fit import FitResult, fit
from chalkgrad.training.sanity import CheckResult, SanityReport, sanity_check

__all__ = [
    "Callback",
    "CheckResult",
    "FitProgress",
    "FitResult",
    "LrFinderResult",
    "SanityReport",
    "accuracy",
    "confusion",
    "find_lr",
    "fit",
    "predict",
    "probabilities",
    "sanity_check",
]
