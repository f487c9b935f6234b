r"""Hardware, the same in both backends: what a step needs, and how fast it could be.

A machine can do so many operations a second, and move so many bytes. A step needs so
many of each. Whatever takes longer is the least time that the step can take: this bound
is called the roofline.
"""

import importlib
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from chalkgrad._core import check
from chalkgrad._core.backend import backend_of, new_empty
from chalkgrad._core.types import (
    AnyArray,
    Layered,
)

__all__ = ["Machine", "StepCost", "measure", "roofline", "step_cost"]

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
# One try takes at least this many seconds, so that the clock is fine enough.
SLICE = 0.02


class Machine(NamedTuple):
    """What a machine can do at most, in one dtype."""

    gflops: float
    """How many billion additions and multiplications a second, in a matrix product."""
    copy: float
    """How many billion bytes a second, read and written, from one array to another."""
    in_place: float
    """How many billion bytes a second, read and written back to where they were."""


class StepCost(NamedTuple):
    """What one training step needs at least."""

    flops: int
    """Additions and multiplications."""
    bytes: int
    """Bytes read and written."""


def step_cost(
    net: Layered, batch_size: int, dtype: str = "float32", *, state: int = 2
) -> StepCost:
    r"""Count what one training step needs, from the sizes of the network alone.

    With a batch of $B$, a layer from $d$ to $k$ numbers takes

    $$\begin{aligned}
    2Bdk &\quad \text{forward} \\
    (2B - 1)\,dk + (B - 1)\,k &\quad \text{for its gradient} \\
    2Bdk &\quad \text{back to its input}
    \end{aligned}$$

    additions and multiplications, the bias and the slope of the activation among them.
    The first layer sends nothing back. In this way each product and each sum is counted
    once, with the bias and with the slope of the activation. Activations, loss, skip
    connections and update are not counted: they are a few operations for each number.

    Of the bytes it counts what must be read and written if a layer is one pass forward,
    one for its gradient and one back, and nothing stays near the processor from pass to
    pass. The update reads the weights, their gradient and its own state, and writes
    weights and state.

    Parameters
    ----------
    net : Network
        Of either backend.
    batch_size : int
        $B$, how many examples to a step; 1 or more.
    dtype : "float64", "float32", "float16" or "bfloat16"
        What all numbers are stored in.
    state : int
        How many numbers the optimizer keeps for each weight: 0 for sgd, 1 for sgd with
        momentum, 2 for adam.

    Returns
    -------
    StepCost
        The operations and the bytes of one step.

    Raises
    ------
    TypeError, ValueError
        If `net` is not a network, `batch_size` not a whole number above 0, `dtype` not
        one of the four, `state` not a whole number.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.hardware.step_cost(cg.network([784, 256, 128, 10]), batch_size=128)
    StepCost(flops=128724598, bytes=10664808)
    """
    sizes = getattr(net, "sizes", None)
    if not isinstance(sizes, tuple):
        raise TypeError(
            "step_cost: `net` must be a network, made by cg.network, got "
            f"{type(net).__name__}."
        )
    batch = check.integer("step_cost", "batch_size", batch_size, low=1)
    check.choice("step_cost", "dtype", dtype, BYTES)
    state = check.integer("step_cost", "state", state)
    flops = numbers = 0
    for layer, (d, k) in enumerate(pairwise(sizes)):
        weights, inputs, outputs = (d + 1) * k, batch * d, batch * k
        flops += 2 * batch * d * k + (2 * batch - 1) * d * k + (batch - 1) * k
        numbers += 2 * (inputs + weights + outputs)
        if layer > 0:
            flops += 2 * batch * d * k
            # Reads the slope at its input, and writes as many numbers.
            numbers += outputs + d * k + 2 * inputs
    numbers += (3 + 2 * state) * net.size
    return StepCost(flops, numbers * BYTES[dtype])


def roofline(flops: float, bytes: float, machine: Machine) -> float:
    r"""Tell how long a machine takes at best: the longer of computing and moving.

    $$t \ge \max\left(\frac{\text{flops}}{\text{flops per second}},
    \ \frac{\text{bytes}}{\text{bytes per second}}\right)$$

    The bytes per second are the better of the two that `Machine` holds.

    Parameters
    ----------
    flops : float
        How many additions and multiplications; 0 or more.
    bytes : float
        How many bytes, read and written; 0 or more.
    machine : Machine
        What it can do: measured, or from a data sheet.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    TypeError, ValueError
        If `flops` or `bytes` is not a number of 0 or more, or `machine` not a Machine
        whose numbers are above 0.

    References
    ----------
    [Williams, Waterman and Patterson (2009)][williams2009].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> machine = cg.hardware.Machine(gflops=100, copy=25, in_place=40)
    >>> cg.hardware.roofline(1e9, 1e6, machine)  # computing takes longer
    0.01
    >>> cg.hardware.roofline(1e6, 4e9, machine)  # moving takes longer
    0.1
    """
    flops = check.number("roofline", "flops", flops, low=0)
    bytes = check.number("roofline", "bytes", bytes, low=0)
    if not isinstance(machine, Machine):
        raise TypeError(
            f"roofline: `machine` must be a Machine, got {type(machine).__name__}; "
            "measure one with cg.hardware.measure(cg.array([1.0]))."
        )
    rates = {
        name: check.number("roofline", f"machine.{name}", rate, low=0, open_low=True)
        for name, rate in machine._asdict().items()
    }
    bandwidth = max(rates["copy"], rates["in_place"])
    return max(flops / rates["gflops"], bytes / bandwidth) / 1e9


def measure(x: AnyArray, *, mebibytes: int = 256) -> Machine:
    """Measure the machine that an array lives on, in the dtype of that array.

    It multiplies square matrices, larger and larger, and takes the best rate; then it
    copies an array, and adds 1 to it in place, and takes the best of three tries of
    each. On a GPU every try waits until the work is done. It takes some seconds, and
    as many threads as NumPy or PyTorch take by themselves.

    Parameters
    ----------
    x : Array of shape (...)
        Any array: ``cg.array([1.0], dtype="float32")``. Only its dtype and its device
        count.
    mebibytes : int
        The size of the array that is copied; 1 or more. One that fits into a cache
        measures the cache.

    Returns
    -------
    Machine
        What it did at best.

    Raises
    ------
    TypeError, ValueError
        If `x` is not an array of float32 or float64, or `mebibytes` not a whole number
        above 0.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> mine = cg.hardware.measure(cg.array([1.0], dtype="float32"), mebibytes=1)
    >>> mine.gflops > 0, mine.copy > 0, mine.in_place > 0
    (True, True, True)
    """
    check.full_precision("measure", "x", x)
    mebibytes = check.integer("measure", "mebibytes", mebibytes, low=1)

    library = importlib.import_module(backend_of(x))
    gflops, n, took = 0.0, 128, 0.0
    while took < 2 * SLICE:  # a product twice as large takes eight times as long
        n *= 2
        a, b, out = (_ones(x, n * n).reshape(n, n) for _ in range(3))
        took = _fastest(partial(library.matmul, a, b, out=out), out)
        gflops = max(gflops, 2 * n**3 / took / 1e9)

    count = mebibytes * 2**20 // BYTES[check.dtype_name(x)]
    source, target = _ones(x, count), _ones(x, count)

    def copy() -> None:
        target[:] = source

    add = partial(library.add, target, 1.0, out=target)
    moved = 2 * mebibytes * 2**20 / 1e9
    return Machine(
        gflops, moved / _fastest(copy, target), moved / _fastest(add, target)
    )


def _ones(x: Any, count: int) -> Any:
    """Make an array with the dtype, the device and the backend of `x`."""
    ones = new_empty(count, x)
    ones[...] = 1
    return ones


def _fastest(run: Callable[[], Any], out: Any) -> float:
    """Return the seconds of one run, the least of three tries of enough runs."""

    def seconds(count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            run()
        # A GPU works on while Python goes ahead; whoever reads a number waits for it.
        out.reshape(-1)[-1].item()
        return time.perf_counter() - began

    seconds(1)  # the first run is never the fastest
    count = 1
    while (took := seconds(count)) < SLICE:
        count *= 2
    return min(took, seconds(count), seconds(count)) / count
