"""The parity ledger: how far off is every public function, in both backends?

``python -m benchmarks.parity`` draws arguments as the contract in ``tests/contract``
does, by their names, and keeps the worst error of value and of gradient against the
strictest truth there is, in ``results/parity.json``. ``--device cuda`` measures the
PyTorch backend on a GPU and writes ``results/parity-cuda.json``.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from rich.console import Console
from tests.contract import strategies
from tests.contract.backends import (
    FUNCTIONS,
    LAYERED,
    MODULES,
    OPTIMIZERS,
    TOPICS,
    applied,
    both,
    ndarray,
    parts,
    size,
    tensor,
)
from tests.contract.test_network import LOSSES, examples, networks
from tests.contract.test_steps import walk

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from benchmarks import exact
from benchmarks.record import keep, machine, processor, today
from chalkdocs.benchmark_results import fingerprints
from chalkgrad._core import arrays

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}  # half a unit in the last place of 1
DIGITS, LONG = "60 digits", "long double"
OURS = "NumPy, float64"  # the truth, where there is no stricter one


class Sample(NamedTuple):
    """One drawn call."""

    call: Callable[[Any, Callable[[Any], Any]], tuple[Any, Any]]
    """From a backend, and what makes its arrays, to value and gradient, or None."""
    truth: tuple[Any, Any]
    """What `call` should return."""
    sizes: tuple[float, float]
    """What an error is relative to, of each, where the truth is smaller."""


def largest(truth: tuple[Any, Any]) -> tuple[float, float]:
    """Sums of products may come out near 0: compare with the largest entry, or 1."""
    value, grad = (max([1.0, *(float(abs(x)) for x in numbers(t))]) for t in truth)
    return value, grad


def numbers(x: Any) -> list[Any]:
    """List every number of an array, or of a tuple of arrays; None has none."""
    if x is None:
        return []
    return [number for part in parts(x) for number in np.ravel(ndarray(part))]


class Row(NamedTuple):
    """A public function."""

    truth: str
    topic: str
    draw: Callable[[st.DataObject], Sample]
    examples: int = 100


class Column(NamedTuple):
    """Where a function runs."""

    backend: Any
    dtype: str
    device: str

    def array(self, x: Any) -> Any:
        """Make an array of this column, or leave what is none; a network's twin."""
        if isinstance(x, np.ndarray) and x.dtype == "float64":
            x = x.astype(self.dtype)
        return tensor(x, self.device) if self.backend is twin else x


# --- Rows -----------------------------------------------------------------------------


def function(path: str) -> Row:
    """A function whose arguments have names: draw all of them."""
    topic, name = path.split(".")
    f, _ = both(path)

    def drawn(data: st.DataObject) -> Sample:
        args = data.draw(strategies.arguments(f))
        needed = [k for k, slot in strategies.slots(f).items() if slot.kind]
        needed = [k for k in needed if not strategies.slots(f)[k].optional]
        arrays = [exact.exact(args[k]) for k in needed]
        options = {k: exact.exact(v) for k, v in args.items() if k not in needed}

        def call(backend: Any, to: Any) -> tuple[Any, Any]:
            given = {k: to(v) for k, v in args.items()}
            module = getattr(backend, topic)
            slope = getattr(module, f"{name}_grad", None)
            value = getattr(module, name)(**given)
            return value, slope(**given) if slope else None

        truth = TRUTHS[topic](name, *arrays, **options)

        # What cancels does so whatever the dtype; float64 only has more digits to lose.
        value, grad = (size(f"{path}{end}", "float32", args) for end in ("", "_grad"))
        return Sample(call, truth, (value, grad))

    return Row(DIGITS, topic, drawn)


TRUTHS = {"activations": exact.activation, "losses": exact.loss}


def alike(path: str, truth: str) -> Row:
    """A function held against the NumPy backend itself, in more digits or not."""
    topic, name = path.split(".")

    def drawn(data: st.DataObject) -> Sample:
        args = data.draw(strategies.arguments(both(path)[0]))

        def call(backend: Any, to: Any) -> tuple[Any, Any]:
            given = {k: to(v) for k, v in args.items()}
            return getattr(getattr(backend, topic), name)(**given), None

        with wider():
            right = call(reference, as_long if truth == LONG else lambda x: x)
        return Sample(call, right, largest(right))

    return Row(truth, topic, drawn)


def as_long(x: Any) -> Any:
    """Return a float array in long double, and all else as it is."""
    is_float = isinstance(x, np.ndarray) and x.dtype == "float64"
    return x.astype(np.longdouble) if is_float else x


def optimizer(path: str) -> Row:
    """Six steps, against the same formula in long double."""
    topic, name = path.split(".")
    make, _ = both(path)

    def drawn(data: st.DataObject) -> Sample:
        options = data.draw(strategies.options(make))
        w, grads = walk(data, 2, options["net"].size if "net" in options else 3)

        def call(backend: Any, to: Any) -> tuple[Any, Any]:
            opt = getattr(backend.optimizers, name)(**applied(to, options))
            v = to(w.copy())
            state = opt.init(v)
            for grad in grads:
                v, state = opt.step(v, to(grad), state)
            return opt.weights(v, state), None

        with wider():
            truth = call(reference, as_long)
        top = float(max(abs(w).max(), abs(grads).max()))
        return Sample(call, truth, (top, top))

    return Row(LONG, topic, drawn)


@contextmanager
def wider() -> Iterator[None]:
    """Let the NumPy backend take long doubles."""
    before = arrays.FLOATS
    arrays.FLOATS = (*before, str(np.dtype(np.longdouble)))
    try:
        yield
    finally:
        arrays.FLOATS = before


# --- Networks, and what works on them -------------------------------------------------


class Drawn(NamedTuple):
    """A network with examples."""

    net: Any
    w: Any
    x: Any
    y: Any
    name: str
    options: dict[str, Any]

    def loss(self, backend: Any) -> Any:
        """Return the loss of a backend, with what was drawn for it."""
        return partial(getattr(backend.losses, self.name), **self.options)

    def height(self, backend: Any, to: Any) -> Callable[[Any], Any]:
        """Return the mean loss of a backend as a function of the weights."""
        net, x, y = to(self.net), to(self.x), to(self.y)
        return lambda w: self.loss(backend)(net.forward(w, x), y)

    def truth(self, w: Any) -> tuple[Any, Any]:
        """Return the loss at some weights, and its gradient, exactly."""
        x, options = exact.exact(self.x), self.options
        return exact.loss_and_grad(self.net, w, x, self.y, self.name, **options)


def network(data: st.DataObject, *, smooth: bool = False) -> Drawn:
    """Draw a network with examples; with `smooth`, one that has all derivatives."""
    path = data.draw(st.sampled_from(LOSSES))
    net, _ = data.draw(networks())
    if smooth:
        path = "losses.binary_cross_entropy"
        net = reference.network([2, 3, 1], activation="tanh")
    x, y, loss, _ = data.draw(examples(net, path, ()))
    w = net.init(rng=0, scheme="xavier", dtype="float32").astype("float64") + 1 / 8
    w = w.astype("float32").astype("float64")
    options = getattr(loss, "keywords", {})  # a plain loss has none
    return Drawn(net, w, x, y, path.partition(".")[2], options)


def forward(data: st.DataObject) -> Sample:
    """Outputs of a network."""
    it = network(data)
    truth = exact.forward(it.net, exact.exact(it.w), exact.exact(it.x)), None

    def call(_: Any, to: Any) -> tuple[Any, Any]:
        return to(it.net).forward(to(it.w), to(it.x)), None

    return Sample(call, truth, largest(truth))


def loss_and_grad(data: st.DataObject) -> Sample:
    """Loss of a network, and its gradient."""
    it = network(data)

    def call(backend: Any, to: Any) -> tuple[Any, Any]:
        net, w, x, y = (to(a) for a in (it.net, it.w, it.x, it.y))
        return net.loss_and_grad(w, x, y, it.loss(backend))

    truth = it.truth(exact.exact(it.w))
    return Sample(call, truth, largest(truth))


def plan(data: st.DataObject) -> Sample:
    """Loss of a planned step, and the weights after it."""
    it = network(data)

    def call(backend: Any, to: Any) -> tuple[Any, Any]:
        sgd = backend.optimizers.sgd(1.0)
        options = {"loss": it.loss(backend), "optimizer": sgd, "batch_size": len(it.x)}
        step = to(it.net).plan(to(it.w), **options)
        loss = step(to(it.x), to(it.y))
        return loss, to(it.w) - step.w

    truth = it.truth(exact.exact(it.w))
    return Sample(call, truth, largest(truth))


def init(data: st.DataObject) -> Sample:
    """Weights to start from."""
    it = network(data)
    seed = data.draw(st.integers(0, 9))

    def call(backend: Any, to: Any) -> tuple[Any, Any]:
        start = to(np.zeros(1))
        dtype, device = arrays.dtype_name(start), str(getattr(start, "device", "cpu"))
        return to(it.net).init(rng=seed, dtype=dtype, device=device), None

    truth = it.net.init(rng=seed), None
    return Sample(call, truth, largest(truth))


def derivative(name: str) -> Callable[[st.DataObject], Sample]:
    """Draw for one function of `cg.autodiff`, on the loss of a small network."""

    def drawn(data: st.DataObject) -> Sample:
        it = network(data, smooth=True)
        w = exact.exact(it.w)
        v = np.linspace(-1, 1, len(w), dtype="float32").astype("float64")
        value, grad = it.truth(w)
        along = exact.exact(v)
        if name in ("hessian", "hvp"):
            curvature = exact.hessian(lambda w: it.truth(w)[1], w)
        truth = {
            "grad": lambda: (None, grad),
            "hessian": lambda: (None, curvature),
            "hvp": lambda: (None, curvature @ along),
            "jacobian": lambda: (None, grad),
            "jvp": lambda: (value, grad @ along),
            "value_and_grad": lambda: (value, grad),
            "vjp": lambda: (value, grad),
        }

        def call(backend: Any, to: Any) -> tuple[Any, Any]:
            f, at, ad = it.height(backend, to), to(it.w), backend.autodiff
            match name:
                case "value_and_grad":
                    return ad.value_and_grad(f)(at)
                case "vjp":
                    found, pull = ad.vjp(f, at)
                    (back,) = parts(pull(found * 0 + 1))
                    return found, back
                case "jvp":
                    return ad.jvp(f, at, to(v))
                case "hvp":
                    return None, ad.hvp(f, at, to(v))
                case _:
                    return None, getattr(ad, name)(f)(at)

        chosen = truth[name]()
        return Sample(call, chosen, largest(chosen))

    return drawn


def plane(data: st.DataObject) -> Sample:
    """Heights on a plane of nine networks."""
    it = network(data)
    d = reference.landscape.directions(it.net, it.w.astype("float32"))
    d = d.astype("float64")

    def call(backend: Any, to: Any) -> tuple[Any, Any]:
        net, w, x, y, both = (to(a) for a in (it.net, it.w, it.x, it.y, d))
        grid = backend.landscape.loss_grid
        return grid(net, w, x, y, it.loss(backend), both, points=3), None

    w, (first, second) = exact.exact(it.w), exact.exact(d)
    heights = [
        it.truth(w + a * first + b * second)[0] for a in (-1, 0, 1) for b in (-1, 0, 1)
    ]
    truth = np.array(heights, object).reshape(3, 3), None
    return Sample(call, truth, largest(truth))


def sharpness(data: st.DataObject) -> Sample:
    """The largest curvature."""
    it = network(data, smooth=True)

    def call(backend: Any, to: Any) -> tuple[Any, Any]:
        net, w, x, y = (to(a) for a in (it.net, it.w, it.x, it.y))
        found = backend.landscape.sharpness(
            net, w, x, y, it.loss(backend), tolerance=1e-4
        )
        return np.array(found.eigenvalue), None

    truth = call(reference, lambda x: x)
    return Sample(call, truth, largest(truth))


ROWS: dict[str, Row] = {
    **{
        path: function(path)
        for path in FUNCTIONS
        if path.partition(".")[0] in TRUTHS and not path.endswith("_grad")
    },
    "landscape.directions": alike("landscape.directions", OURS),
    "landscape.project": alike("landscape.project", OURS),
    "perceptron.fit": alike("perceptron.fit", LONG),
    "perceptron.margin": alike("perceptron.margin", LONG),
    "perceptron.mistake_bound": alike("perceptron.mistake_bound", LONG),
    "perceptron.neuron": alike("perceptron.neuron", LONG),
    "landscape.loss_grid": Row(DIGITS, "landscape", plane, 20),
    "landscape.sharpness": Row(OURS, "landscape", sharpness, 20),
    **{
        f"autodiff.{name}": Row(DIGITS, "autodiff", derivative(name), 20)
        for name in reference.autodiff.__all__
        if name != "check_grads"
    },
    "network.init": Row(OURS, "network", init, 20),
    "network.forward": Row(DIGITS, "network", forward, 40),
    "network.loss_and_grad": Row(DIGITS, "network", loss_and_grad, 40),
    "network.plan": Row(DIGITS, "network", plan, 40),
    **{path: optimizer(path) for path in OPTIMIZERS + LAYERED},
}
# Written once, for both backends; or it has no number of its own.
ELSEWHERE = {
    **{
        f"{topic}.{name}": "written once"
        for topic in MODULES
        if topic not in TOPICS
        for name in getattr(reference, topic).__all__
        if not isinstance(getattr(getattr(reference, topic), name), type)
    },
    "array": "copies",
    "asnumpy": "copies",
    "autodiff.check_grads": "passes or raises",
    "losses.loss": "the function that it is given",
    "network.layers": "views",
    "optimizers.ema": "the optimizer that it wraps",
    "optimizers.clip": "the optimizer that it wraps",
    "optimizers.decay_weights": "the optimizer that it wraps",
    "optimizers.maximize": "the optimizer that it wraps",
}


# --- Measuring ------------------------------------------------------------------------


def error(found: Any, truth: Any, dtype: str, least: float) -> float:
    """How far off an array is at worst, in half units in the last place.

    An error is relative to its own entry, or to `least` where that is more. Below the
    smallest normal number, digits fade out, so an error as small counts as none.
    """
    tiny, worst = float(np.finfo(dtype).tiny), 0.0
    for x, t in zip(numbers(found), map(digits, numbers(truth)), strict=True):
        if (gap := abs(digits(x) - t)) > tiny:
            worst = max(worst, float(gap / max(abs(t), mpf(least))))
    return worst / UNIT[dtype]


def digits(x: Any) -> Any:
    """Give a number to mpmath with all its digits, those of a long double too."""
    if isinstance(x, mpf):
        return x
    near = float(x)
    return mpf(near) + mpf(float(x - near))


@mp.workdps(60)
def measure(row: Row, columns: dict[str, Column]) -> dict[str, list[float | None]]:
    """Return, for each column, the worst error of value and of gradient."""
    worst: dict[str, list[float | None]] = {name: [None, None] for name in columns}

    @settings(strategies.contract, max_examples=row.examples)
    @given(data=st.data())
    def compared(data: st.DataObject) -> None:
        sample = row.draw(data)
        for name, column in columns.items():
            found = sample.call(column.backend, column.array)
            compare = zip(found, sample.truth, sample.sizes, strict=True)
            for k, (one, truth, least) in enumerate(compare):
                if one is not None and truth is not None:
                    off = error(one, truth, column.dtype, least)
                    worst[name][k] = max(worst[name][k] or 0.0, off)

    compared()
    return {
        name: [None if e is None else float(f"{e:.3g}") for e in pair]
        for name, pair in worst.items()
    }


def columns(device: str) -> dict[str, Column]:
    """Return the columns of a run."""
    on_gpu = {
        f"PyTorch, {device}, {dtype}": Column(twin, dtype, device) for dtype in UNIT
    }
    on_cpu = {f"NumPy, {dtype}": Column(reference, dtype, "cpu") for dtype in UNIT}
    return on_gpu if device == "cuda" else on_cpu | on_gpu


def main() -> None:
    """Measure, and keep the numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity")
    parser.add_argument("only", nargs="?", default="", help="a part of a name")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()
    rows: dict[str, Any] = {}
    console = Console()
    for path, row in ROWS.items():
        if args.only in path:
            found = measure(row, columns(args.device))
            source = fingerprints([row.topic])
            rows[path] = {"truth": row.truth, "source": source, "units": found}
            console.print(path, found)
    if not args.only:
        where = {"processor": processor()}
        if args.device == "cuda":
            where = {"device": torch.cuda.get_device_name()}
        name = "parity-cuda" if args.device == "cuda" else "parity"
        about = machine("numpy", "torch", "mpmath", date=today(), **where)
        keep(name, about, rows=rows, elsewhere=ELSEWHERE)


if __name__ == "__main__":
    main()
