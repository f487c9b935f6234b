"""Names: what one backend has, the other has, and takes the same arguments."""

import inspect
import re
import subprocess
import sys

import pytest

from chalkgrad._core.docs import torch_docstring

from . import strategies
from .backends import (
    BACKENDS,
    FUNCTIONS,
    MODULES,
    NAMES,
    OPTIMIZERS,
    TOPICS,
    both,
    reference,
    twin,
)

NETWORKS = [backend.network([2, 1]) for backend in BACKENDS]
METHODS = [
    name for name, _ in inspect.getmembers(NETWORKS[0], callable) if name[0] != "_"
]


def parameters(f):
    return [
        (p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()
    ]


def test_both_backends_export_the_same_names():
    assert reference.__all__ == twin.__all__


@pytest.mark.parametrize("module", MODULES)
def test_both_backends_of_a_topic_export_the_same_names(module):
    ours, theirs = (getattr(backend, module) for backend in BACKENDS)
    assert ours.__all__ == theirs.__all__
    assert sorted(set(ours.__all__)) == sorted(ours.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_dir_lists_the_public_names_alone(module):
    for backend in BACKENDS:
        topic = getattr(backend, module)
        assert dir(topic) == sorted(topic.__all__)
        assert dir(backend) == sorted(backend.__all__)


@pytest.mark.parametrize("path", NAMES)
def test_signatures_are_equal(path):
    ours, theirs = both(path)
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize("name", ["array", "asnumpy", "network"])
def test_signatures_outside_of_topics_are_equal(name):
    ours, theirs = (getattr(backend, name) for backend in BACKENDS)
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize("name", METHODS)
def test_signatures_of_a_network_are_equal(name):
    ours, theirs = (getattr(net, name) for net in NETWORKS)
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize("path", FUNCTIONS + OPTIMIZERS)
def test_the_docstring_says_of_every_parameter_what_it_is(path):
    f, _ = both(path)
    assert list(strategies.slots(f)) == list(inspect.signature(f).parameters)


@pytest.mark.parametrize("path", FUNCTIONS + OPTIMIZERS)
def test_the_docstring_of_the_twin_is_the_reference_s_or_leads_to_it(path):
    f, g = both(path)
    if g.__doc__.startswith(f"Twin of `chalkgrad.numpy.{path}`."):
        return
    said = iter(g.__doc__.splitlines())
    assert all(line in said for line in torch_docstring(f.__doc__).splitlines())


def test_there_is_something_under_contract():
    assert {"activations", "losses", "optimizers", "perceptron"} <= set(TOPICS)
    assert "optimizers.adam" in OPTIMIZERS
    assert {"losses.mse_grad", "perceptron.fit"} <= set(FUNCTIONS)


def test_an_untaught_name_is_asked_for():
    def lion(w, trust):
        """Step.

        Parameters
        ----------
        w : Array of shape (n,)
            Weights.
        trust : float
            How much.
        """

    words = "lion: nobody knows what to draw for `trust : float`; teach it to OPTIONS"
    with pytest.raises(LookupError, match=re.escape(words)):
        strategies.options(lion)


def test_the_reference_needs_numpy_alone():
    code = (
        "import chalkgrad.numpy, sys; assert not {'torch', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
