"""Hardware: work counted by hand, the roofline, and a machine that was measured."""

import importlib
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import chalkgrad.numpy as reference
from chalkgrad.hardware._shared import Machine, StepCost

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


class Counted:
    """A number that counts what is done with it."""

    done = 0

    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        Counted.done += 1
        return Counted(self.value + other.value)

    def __mul__(self, other):
        Counted.done += 1
        return Counted(self.value * other.value)


def summed(terms):
    first, *others = terms
    for term in others:
        first = first + term
    return first


def counted(x):
    return [[Counted(float(value)) for value in row] for row in x]


def step_by_hand(net, w, x, y):
    """Backpropagate half the sum of squares, number by number; return the gradient."""
    Counted.done = 0
    layers = [(counted(W), counted([b])[0]) for W, b in net.layers(w)]
    inputs = [counted(x)]
    for number, (W, b) in enumerate(layers):
        z = [
            [
                summed([*(h * W[i][j] for i, h in enumerate(row)), b[j]])
                for j in range(len(b))
            ]
            for row in inputs[-1]
        ]
        if number < len(layers) - 1:
            z = [[Counted(max(0.0, a.value)) for a in row] for row in z]
        inputs.append(z)
    delta = [
        [Counted(a.value - float(t)) for a, t in zip(row, target, strict=True)]
        for row, target in zip(inputs.pop(), y, strict=True)
    ]
    gradient = []
    for number in reversed(range(len(layers))):
        (W, b), h = layers[number], inputs[number]
        for i in range(len(W)):
            for j in range(len(b)):
                products = (a[i] * d[j] for a, d in zip(h, delta, strict=True))
                gradient.append((number, i, j, summed(products)))
        for j in range(len(b)):
            bias = (number, len(W), j, summed([d[j] for d in delta]))
            gradient.append(bias)
        if number > 0:
            delta = [
                [
                    summed(d[j] * W[i][j] for j in range(len(b)))
                    * Counted(float(a[i].value > 0))
                    for i in range(len(W))
                ]
                for a, d in zip(h, delta, strict=True)
            ]
    gradient.sort(key=lambda entry: entry[:3])
    return np.array([entry[3].value for entry in gradient])


@pytest.mark.parametrize("sizes", [[3, 2], [4, 5, 2], [2, 3, 3, 1]])
@pytest.mark.parametrize("batch", [1, 6])
def test_flops_are_what_a_step_by_hand_takes(sizes, batch):
    net = reference.network(sizes)
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=net.size), rng.normal(size=(batch, sizes[0]))
    y = rng.normal(size=(batch, sizes[-1]))
    gradient = step_by_hand(net, w, x, y)
    # It was a step: mse is the mean over all outputs, of squares that are not halved.
    _, expected = net.loss_and_grad(w, x, y, reference.losses.mse)
    np.testing.assert_allclose(gradient * 2 / y.size, expected, rtol=1e-12)
    assert reference.hardware.step_cost(net, batch).flops == Counted.done


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("state", [0, 1, 2])
def test_bytes_are_those_of_the_arrays_of_every_pass(cg, dtype, state):
    net, batch = cg.network([4, 5, 5, 2]), 6
    w = net.init(dtype=dtype)
    moved = 0

    def passes(*arrays):
        nonlocal moved
        moved += sum(cg.asnumpy(a).nbytes for a in arrays)

    h, inputs = cg.array(np.ones((batch, 4)), dtype=dtype), []
    for W, b in net.layers(w):
        inputs.append(h)
        out = h @ W + b
        passes(h, W, b, out)
        h = out
    delta = h
    for number, (W, b) in reversed([*enumerate(net.layers(w))]):
        h = inputs[number]
        passes(h, delta, h.T @ delta, b)
        if number > 0:
            back = delta @ W.T
            passes(delta, W, h, back)
            delta = back
    passes(w, w, *[w] * state)  # reads weights, gradient and state
    passes(w, *[w] * state)  # writes weights and state
    assert cg.hardware.step_cost(net, batch, dtype, state=state).bytes == moved


def test_adam_keeps_the_two_numbers_that_work_counts_on(cg):
    net = cg.network([4, 5, 2])
    w = net.init()
    state = cg.optimizers.adam(1e-3).init(w)
    assert sum(getattr(kept, "shape", ()) == w.shape for kept in state) == 2


def test_a_larger_batch_does_more_with_each_byte(cg):
    net = cg.network([64, 32, 10])
    work = [cg.hardware.step_cost(net, batch) for batch in (1, 10, 100, 1000)]
    intensity = [flops / moved for flops, moved in work]
    assert intensity == sorted(intensity)


def test_the_roofline_is_the_slower_of_two():
    machine = Machine(gflops=10, copy=2, in_place=4)
    roofline = reference.hardware.roofline
    assert roofline(1e10, 0, machine) == 1
    assert roofline(0, 4e9, machine) == 1
    assert roofline(2e10, 4e9, machine) == 2
    assert roofline(1e10, 12e9, machine) == 3
    # Whichever way of moving is better is the bound.
    assert roofline(0, 4e9, Machine(10, copy=8, in_place=4)) == 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_machine_can_be_measured(cg, dtype):
    x = cg.array([1.0], dtype=dtype)
    machine = cg.hardware.measure(x, mebibytes=1)
    assert all(0 < rate < math.inf for rate in machine)
    assert float(x[0]) == 1


def test_a_tensor_with_a_history_is_measured_too():
    torch = pytest.importorskip("torch")
    cg = importlib.import_module("chalkgrad.torch")
    x = torch.ones(3, requires_grad=True)
    assert cg.hardware.measure(x, mebibytes=1).gflops > 0


NET = reference.network([2, 1])
GOOD = Machine(1, 1, 1)
BAD = [
    (lambda h: h.step_cost([2, 1], 8), TypeError, "step_cost: `net` must be a network"),
    (
        lambda h: h.step_cost(NET, 0),
        ValueError,
        "step_cost: `batch_size` must be a whole number",
    ),
    (
        lambda h: h.step_cost(NET, 8, "int8"),
        ValueError,
        "step_cost: `dtype` must be one of",
    ),
    (
        lambda h: h.step_cost(NET, 8, state=-1),
        ValueError,
        "step_cost: `state` must be a whole",
    ),
    (lambda h: h.roofline(-1, 1, GOOD), ValueError, "roofline: `flops` must be"),
    (lambda h: h.roofline(1, "x", GOOD), TypeError, "roofline: `bytes` must be"),
    (lambda h: h.roofline(1, 1, 100.0), TypeError, "roofline: `machine` must be"),
    (
        lambda h: h.roofline(1, 1, Machine(1, 0, 1)),
        ValueError,
        "roofline: `machine.copy` must be a finite number above 0",
    ),
    (lambda h: h.measure(1.0), TypeError, "measure: `x` must be an array, got float"),
    (
        lambda h: h.measure(np.array([1])),
        TypeError,
        "measure: `x` must be float32 or float64, got int64",
    ),
    (
        lambda h: h.measure(np.ones(1), mebibytes=0),
        ValueError,
        "measure: `mebibytes` must be a whole number, 1 or more",
    ),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_input_is_refused_in_plain_words(cg, call, error, words):
    with pytest.raises(error, match=f"^{re.escape(words)}"):
        call(cg.hardware)


def test_work_is_a_pair_of_whole_numbers(cg):
    work = cg.hardware.step_cost(cg.network([2, 1]), 3)
    assert work == StepCost(
        flops=2 * 6 + 5 * 2 + 2, bytes=4 * (2 * (6 + 3 + 3) + 7 * 3)
    )


MEASURED = {
    name: json.loads(path.read_text("utf-8"))
    for name in ("ladder", "ladder-cuda")
    if (path := ROOT / f"benchmarks/results/{name}.json").exists()
}


def rows(what):
    """The table of the page: what was measured here, and then on a GPU."""
    from chalkdocs.figures.hardware import GPU

    found = {
        rung["name"]: rung
        for result in MEASURED.values()
        for rung in result[what]["rungs"]
        if result is MEASURED["ladder"] or "GPU" in rung["name"]
    }
    for name in [*found, *(f"PyTorch, {gpu}" for gpu in GPU[what])]:
        if rung := found.pop(name, None):
            numbers = [
                f"{x:,.0f}" if x >= 100 else f"{x:.3g}"
                for x in (min(rung["us"]) / 1e3, rung["ratio"])
            ]
            error = (
                f"{rung['error']:.0e}".replace("e-0", "e-") if rung["error"] else "0"
            )
            error = error.replace("-", "\N{NON-BREAKING HYPHEN}")
            yield f"| {name} | {' | '.join(numbers)} | {error} |"
        elif name not in [rung["name"] for rung in MEASURED["ladder"][what]["rungs"]]:
            yield f"| {name} | – | – | – |"


@pytest.mark.parametrize("what", ["layer", "adam"])
def test_the_tables_of_the_page_say_what_was_measured(what):
    page = (ROOT / "docs/training/hardware.md").read_text("utf-8")
    assert "\n".join(rows(what)) in page


def test_the_machine_of_the_page_is_the_one_that_was_measured():
    page = (ROOT / "docs/training/hardware.md").read_text("utf-8")
    top = MEASURED["ladder"]["ceilings"]
    numbers = ", ".join(f"{key}={top[key]}" for key in ("gflops", "copy", "in_place"))
    assert f"cg.hardware.Machine({numbers})" in page


def test_the_page_says_of_the_ladder_what_was_measured():
    layer, adam = (
        {rung["name"]: rung for rung in MEASURED["ladder"][what]["rungs"]}
        for what in ("layer", "adam")
    )
    # "More than a second", "less than half a thousandth".
    assert min(layer["Python loops"]["us"]) > 1e6
    assert min(layer["NumPy, in place"]["us"]) < 500
    assert 8 < layer["NumPy, no matrix product"]["ratio"] < 12
    assert 2500 < layer["PyTorch, compiled"]["ratio"] < 3500
    assert 1.5 < layer["NumPy"]["ratio"] / layer["NumPy, float64"]["ratio"] < 2.5
    names = ["Python loops", "PyTorch", "NumPy", "NumPy, in place", "NumPy, in blocks"]
    ratios = [adam[name]["ratio"] for name in [*names, "PyTorch, compiled"]]
    assert ratios == sorted(ratios)
