"""A step of the PyTorch backend compiles to one graph, and none is made anew later."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

import chalkgrad.torch as cg

from .backends import OPTIMIZERS, both

STEPS = 8
SCHEDULED = [f"optimizers.{name}" for name in ("adam", "asgd", "nadam", "sgd")]
CASES = [
    *[(path, 0.01) for path in OPTIMIZERS],
    *[(path, lambda t: 0.01 / (1 + t)) for path in SCHEDULED],
]


def walk(step, opt, start, grads):
    """Step, and count after each how many graphs there are."""
    w = start.clone()
    state, graphs = opt.init(w), []
    for grad in grads:
        w, state = step(w, grad.clone(), state)
        graphs.append(counters["stats"]["unique_graphs"])
    return w, state, graphs


@pytest.fixture
def graphs_seen():
    """Keep compiled code from test to test, as in a program, and count from 0."""
    torch.compiler.reset()
    counters.clear()
    yield
    torch.compiler.reset()


@pytest.mark.parametrize(("path", "rate"), CASES)
@pytest.mark.usefixtures("graphs_seen")
def test_a_step_is_one_graph_and_counts_without_a_new_one(path, rate):
    opt = both(path)[1](lr=rate)
    rng = np.random.default_rng(0)
    start, *grads = torch.tensor(rng.normal(size=(STEPS + 1, 5)))
    compiled = torch.compile(opt.step, fullgraph=True, backend="eager")
    w, state, graphs = walk(compiled, opt, start, grads)
    v, other, _ = walk(opt.step, opt, start, grads)
    torch.testing.assert_close(w, v, rtol=1e-13, atol=0)
    for one, two in zip(state, other, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)
    assert type(state.t) is int
    # One in which t is 0, and one for any t. RAdam has another once it trusts v, and a
    # number in the state is a tensor from then on.
    assert graphs[-1] <= 3
    assert graphs[-1] == graphs[6]
    w, state = opt.step(w, grads[0], state)  # uncompiled, it goes on
    v, other = opt.step(v, grads[0], other)
    torch.testing.assert_close(w, v, rtol=1e-13, atol=0)


def test_a_program_that_compiles_nothing_does_not_load_the_compiler():
    code = "import sys, chalkgrad.torch; sys.exit('torch._dynamo' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")
@pytest.mark.skipif(not shutil.which("c++"), reason="no compiler here")
@pytest.mark.usefixtures("graphs_seen")
def test_what_is_compiled_in_earnest_counts_right():
    """PyTorch 2.13 takes a float that comes in and goes out for what it once was."""
    opt = cg.optimizers.nadam(lr=0.01)
    start, grad = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([1.0, -10.0, 0.1])
    w, state, _ = walk(torch.compile(opt.step), opt, start, [grad] * 5)
    v, other, _ = walk(opt.step, opt, start, [grad] * 5)
    torch.testing.assert_close(w, v)
    for one, two in zip(state, other, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5)


@pytest.mark.usefixtures("graphs_seen")
def test_more_rules_compile_in_one_program_than_code_is_kept_for():
    start = torch.ones(3)
    for path in OPTIMIZERS:
        opt = both(path)[1](lr=0.01)
        compiled = torch.compile(opt.step, fullgraph=True, backend="eager")
        walk(compiled, opt, start, [start] * 3)


@pytest.mark.usefixtures("graphs_seen")
def test_powers_of_the_count_are_inputs_of_the_kernel_and_not_computed_in_it():
    """Their names stand in the graph where `pow` would."""
    ops = []

    def read(graph, inputs):
        ops.extend(str(node.target) for node in graph.graph.nodes)
        return graph

    opt = cg.optimizers.adam(cg.schedules.cosine(0.01, steps=10))
    start = torch.ones(3)
    compiled = torch.compile(opt.step, fullgraph=True, backend=read)
    walk(compiled, opt, start, [start] * 3)
    assert sum("chalkgrad.number" in op for op in ops) == 2 * 3  # two powers, the rate
    assert not any("pow" in op for op in ops)
