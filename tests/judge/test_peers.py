"""No false alarm: what libraries compute is right, or a convention that has a name."""

import functools
import importlib
import os

import numpy as np
import pytest

import chalkgrad.numpy as cg
import chalkgrad.torch as twin
from chalkgrad.judge._mistakes import OPTIMIZERS

torch = pytest.importorskip("torch")

CONVENTION = {
    ("torch.optim", "Rprop"): {"the first step has bounds, too"},
    ("optax", "adagrad"): {"v starts at 0.1", "ε inside the root"},
    ("optax", "amsgrad"): {"AMSGrad of the corrected v"},
    ("optax", "nadam"): {"μ is β₁ in every step"},
    ("optax", "radam"): {"ε after the correction"},
    ("optax", "rmsprop"): {"ε inside the root"},
    ("keras.optimizers", "Adagrad"): {"v starts at 0.1", "ε inside the root"},
    ("keras.optimizers", "Adam"): {"ε before the correction"},
    ("keras.optimizers", "AdamW"): {"ε before the correction"},
    ("keras.optimizers", "Adamax"): {"ε below the fraction"},
    ("keras.optimizers", "Nadam"): {"the schedule of μ is 250 times as fast"},
    ("keras.optimizers", "RMSprop"): {"ε inside the root"},
    ("keras.optimizers", "SGD"): {"the decay decoupled"},
    ("pytorch_optimizer", "RAdam"): {"no step until v can be trusted"},
    ("pytorch_optimizer", "SGDW"): {"the decay decoupled"},
    ("sklearn.neural_network._stochastic_optimizers", "AdamOptimizer"): {
        "ε before the correction"
    },
}
PEERS = {
    "torch.optim": "SGD Adam AdamW Adagrad Adadelta RMSprop NAdam RAdam Adamax Rprop "
    "ASGD",
    "sklearn.neural_network._stochastic_optimizers": "SGDOptimizer AdamOptimizer",
    "optax": "sgd adam adamw adagrad adadelta rmsprop nadam radam adamax lion amsgrad",
    "keras.optimizers": "SGD Adam AdamW Adagrad Adadelta RMSprop Nadam Adamax Lion",
    "pytorch_optimizer": "Lion RAdam NAdam AdaMax Prodigy ScheduleFreeAdamW SGDW "
    "AdaDelta",
}
OURS = {"sgdw": "sgd", "schedulefreeadamw": "schedule_free_adamw", "amsgrad": "adam"}
CASES = [(module, name) for module, names in PEERS.items() for name in names.split()]


def peer(module, name):
    if module == "keras.optimizers":
        os.environ.setdefault("KERAS_BACKEND", "numpy")
    found = getattr(pytest.importorskip(module), name)
    if module == "optax":
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    return found


@pytest.mark.parametrize(("module", "name"), CASES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_rule_of_a_library_is_right_or_of_a_named_convention(module, name):
    subject = peer(module, name)
    word = name.lower().removesuffix("optimizer")
    verdict = cg.judge.judge(subject, OURS.get(word, word))
    assert verdict, str(verdict)
    assert verdict.names == CONVENTION.get((module, name), set())


def test_a_library_is_judged_like_anyone():
    """Its steps are made one call late, as of 0.2.8."""
    verdict = cg.judge.judge(peer("optax", "rprop"), "rprop")
    assert verdict.names == {"each step is made one call late"}


@pytest.mark.parametrize("name", sorted({*OPTIMIZERS} - {"lamb", "muon"}))
def test_our_twins_are_right(name):
    verdict = cg.judge.judge(getattr(twin.optimizers, name), name)
    assert verdict.outcome == "right", str(verdict)


def test_a_function_of_tensors_is_right():
    def momentum(w, g, v, lr=0.1, momentum=0.9):
        v = torch.add(momentum * v, g)
        return w - lr * v, v

    assert cg.judge.judge(momentum, "sgd").outcome == "right"


def test_an_instance_and_a_pair_are_right():
    class Rule:
        def __init__(self, rate):
            self.rate = rate

        def update(self, w, grad):
            return w - self.rate * grad

    verdict = cg.judge.judge(Rule(0.1), "sgd", lr=0.1)
    assert verdict, str(verdict)
    assert cg.judge.judge(cg.optimizers.adam(0.1), "adam", lr=0.1)

    def step(w, g, state, lr=0.1, momentum=0.9):
        v = momentum * state + g
        return w - lr * v, v

    assert cg.judge.judge((np.zeros_like, step), "sgd").outcome == "right"
    assert cg.judge.judge(functools.partial(step, momentum=0.0), "sgd", momentum=0.0)
