"""Backpropagation as it is judged: the value and the gradient of a network.

Which network a subject has is found out: its units, what stands at its end, and how the
weights are given and the gradients returned.
"""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, product
from typing import Any, ClassVar, NamedTuple

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.judge._calls import (
    Case,
    Form,
    FunctionTask,
    Parts,
    as_array,
    bind,
    note_changes,
)
from chalkgrad.judge._formulas import Deviation, Formula, Line
from chalkgrad.judge._losses import sigmoid, softmax
from chalkgrad.judge._mistakes import convention, mistake
from chalkgrad.judge._names import normalize, words
from chalkgrad.judge._subjects import RecognitionError, ResultError, _uses

__all__ = ["BackpropTask"]

HOME = "training/backpropagation/#the-algorithm"
Layers = list[tuple[Array, Array]]


# --- The lines ------------------------------------------------------------------------

UNITS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "leaky_relu": (
        lambda z: np.where(z > 0, z, 0.01 * z),
        lambda z: np.where(z > 0, 1.0, 0.01),
    ),
}
OF_OUTPUT: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
}


class End(NamedTuple):
    """What stands at the end of a network."""

    name: str
    output: Callable[[Any], Any]
    each: Callable[[Any, Any], Any]
    """Of outputs and truth, the losses: of each number, or of each row."""
    slope: Callable[[Any, Any], Any]
    """Of outputs and truth, with respect to the outputs."""
    output_slope: Callable[[Any], Any]
    """Of the last pre-activations; for a softmax it has cancelled."""
    is_square: bool = False


def _one(z: Any) -> Any:
    return np.ones_like(z)


def _bce(a: Any, y: Any) -> Any:
    return -y * np.log(a) - (1 - y) * np.log(1 - a)


ENDS = [
    End(
        "softmax and cross-entropy",
        softmax,
        lambda a, y: -np.sum(y * np.log(a), -1),
        lambda a, y: a - y,
        _one,
    ),
    End("sigmoid and cross-entropy", sigmoid, _bce, lambda a, y: a - y, _one),
    End(
        "squared error",
        lambda z: z,
        lambda a, y: (a - y) ** 2,
        lambda a, y: 2 * (a - y),
        _one,
        True,
    ),
    End(
        "sigmoid and squared error",
        sigmoid,
        lambda a, y: (a - y) ** 2,
        lambda a, y: 2 * (a - y),
        lambda z: sigmoid(z) * sigmoid(-z),
        True,
    ),
    End(
        "tanh and squared error",
        np.tanh,
        lambda a, y: (a - y) ** 2,
        lambda a, y: 2 * (a - y),
        lambda z: 1 - np.tanh(z) ** 2,
        True,
    ),
]


def run_network(x: Any) -> float:
    """Run a network forwards and backwards; set the gradients, and return the value."""
    act = x.unit
    h, hs, zs = x.inputs, [x.inputs], []
    for number, (w, b) in enumerate(x.layers):
        z = h @ w + x.bias(b)
        zs.append(z)
        h = x.end_(z) if number == len(x.layers) - 1 else act(z)
        hs.append(h)
    each = x.each(h, x.truth)
    value_scale, grad_scale = x.scale(each)
    delta = x.output_delta(h, zs[-1], x.truth) * grad_scale
    for number in reversed(range(len(x.layers))):
        w, _ = x.layers[number]
        setattr(x, f"dW{number + 1}", x.dw(x.given(hs, zs, number), delta, number))
        setattr(x, f"db{number + 1}", x.db(delta, number))
        if number:
            back = x.back(delta, x.layers, number)
            delta = x.through(back, zs[number - 1], hs[number], number)
    return float(np.sum(each) * value_scale)


def formula_of(unit: str, end: End) -> Formula:
    """Return the lines of a network, each a function of what it needs."""
    act, slope = UNITS[unit]
    formula = Formula(
        unit=lambda _: act,
        end_=lambda _: end.output,
        bias=lambda _: lambda b: b,
        each=lambda _: end.each,
        scale=lambda _: lambda each: (1 / each.size, 1 / each.size),
        output_delta=lambda _: lambda a, z, y: end.slope(a, y) * end.output_slope(z),
        given=lambda _: lambda hs, _zs, at: hs[at],
        dw=lambda _: lambda h, d, _l: h.T @ d,
        db=lambda _: lambda d, _l: d.sum(0),
        back=lambda _: lambda d, layers, at: d @ layers[at][0].T,
        through=lambda _: lambda back, z, _a, _l: back * slope(z),
        value=run_network,
    )
    formula.know(*_scales(end), *_of_output(end), *_of_layers(unit))
    return formula


def in_layers(name: str, why: str, **lines: Any) -> list[Deviation]:
    """Return a mistake in the gradients of all layers, the first, or the others."""
    found = []
    for is_here in (lambda _: True, lambda at: at == 0, lambda at: at > 0):
        made: dict[str, Any] = {}
        if "dw" in lines:
            made["dw"] = lambda h, d, at, here=is_here: (
                lines["dw"](h, d) if here(at) else h.T @ d
            )
        if "db" in lines:
            made["db"] = lambda d, at, here=is_here: (
                lines["db"](d) if here(at) else d.sum(0)
            )
        found.append(wrong(name, why, **made))
    return [found[0], *(one.on_its_own() for one in found[1:])]


def wrong(name: str, why: str, **lines: Any) -> Deviation:
    """Return a mistake in functions of a network."""
    return mistake(name, why, HOME, **{k: _constant(f) for k, f in lines.items()})


def _constant(f: Any) -> Line:
    return lambda _: f


def _scales(end: End) -> list[Deviation]:
    """Return how else the losses become one number."""

    def scaled(name: str, why: str, f: Any) -> Deviation:
        return convention(name, why, HOME, scale=_constant(lambda e: (f(e), f(e))))

    found = [
        scaled(
            "summed, not averaged",
            "The loss is the sum over the examples. Ours is the mean.",
            lambda _: 1.0,
        )
    ]
    if end.is_square or "sigmoid" in end.name:
        found.append(
            scaled(
                "summed over the outputs",
                "The loss is the mean over the examples of a sum over the outputs. "
                "Ours "
                "is the mean of all numbers.",
                lambda e: 1 / len(e),
            )
        )
    if end.is_square:
        found += [
            scaled("halved", "The loss is half of ours.", lambda e: 0.5 / e.size),
            scaled(
                "half the sum",
                "The loss is half the sum over the examples.",
                lambda _: 0.5,
            ),
            scaled(
                "half the sum over the outputs",
                "The loss is half the mean over the examples of a sum over the "
                "outputs.",
                lambda e: 0.5 / len(e),
            ),
        ]
    gradient = [
        (
            "the gradient is not divided by n",
            "The loss is a mean, but the gradient is that of the sum.",
            lambda e: (1 / e.size, 1.0),
        ),
        (
            "the gradient is divided by n twice",
            "The gradient is divided by n once more than the loss.",
            lambda e: (1 / e.size, 1 / e.size / len(e)),
        ),
        (
            "the sign of the gradient",
            "It takes truth minus output. A step against it climbs.",
            lambda e: (1 / e.size, -1 / e.size),
        ),
        (
            "the loss is not divided by n",
            "The gradient is that of the mean, but the loss is the sum.",
            lambda e: (1.0, 1 / e.size),
        ),
        (
            "the sign of the loss",
            "The minus of the loss is missing.",
            lambda e: (-1 / e.size, 1 / e.size),
        ),
    ]
    if end.is_square:
        gradient += [
            (
                "the 2 of the derivative is missing",
                "The loss is the square, but the gradient is half of its slope.",
                lambda e: (1 / e.size, 0.5 / e.size),
            ),
            (
                "a 2 too many",
                "The loss is half the square, but the gradient is that of the whole.",
                lambda e: (0.5 / len(e), 1 / len(e)),
            ),
            (
                "the gradient is not divided by n",
                "The loss is half a mean, but the gradient is that of the sum.",
                lambda e: (0.5 / len(e), 0.5),
            ),
            (
                "the sign of the gradient",
                "The gradient has the other sign. A step against it climbs.",
                lambda e: (0.5 / len(e), -0.5 / len(e)),
            ),
            (
                "the sign of the gradient",
                "The gradient has the other sign. A step against it climbs.",
                lambda e: (1 / len(e), -1 / len(e)),
            ),
        ]
    return [*found, *(wrong(name, why, scale=f) for name, why, f in gradient)]


def _of_output(end: End) -> list[Deviation]:
    found = [
        wrong(
            "the truth is missing at the end",
            "What goes back is the output. It must be the output less the truth.",
            output_delta=lambda a, z, _: (
                (2 if end.is_square else 1) * a * end.output_slope(z)
            ),
        ),
    ]
    if end.output_slope is not _one:
        found += [
            wrong(
                "the slope at the end is missing",
                "The output passes through an activation, whose slope must be a factor "
                "of what goes back.",
                output_delta=lambda a, _, y: end.slope(a, y),
            ),
            wrong(
                "the slope of the wrong variable at the end",
                "The slope is one of the output, and is given the pre-activation, or "
                "the other way round.",
                output_delta=lambda a, _, y: end.slope(a, y) * end.output_slope(a),
            ),
        ]
        if end.name.split()[0] in OF_OUTPUT:
            of = OF_OUTPUT[end.name.split()[0]]
            found.append(
                wrong(
                    "the slope of the wrong variable at the end",
                    "The slope is one of the output, and is given the pre-activation, "
                    "or the other way round.",
                    output_delta=lambda a, z, y: end.slope(a, y) * of(z),
                )
            )
    elif end.output is not ENDS[2].output:
        found.append(
            wrong(
                "the slope at the end once more",
                "With this loss the slope of the output has cancelled. It must not be "
                "a "
                "factor again.",
                output_delta=lambda a, _, y: (a - y) * a * (1 - a),
            )
        )
    return found


def _of_layers(unit: str) -> list[Deviation]:
    act, slope = UNITS[unit]
    found = [
        wrong(
            "the slope of the hidden units is missing",
            "What goes back is not multiplied by the slope of the activation.",
            through=lambda back, _z, _a, _l: back,
        ),
        wrong(
            "the activation in place of its slope",
            "What goes back is multiplied by the activation, not by its slope.",
            through=lambda back, z, _a, _l: back * act(z),
        ),
        wrong(
            "the weights are not transposed on the way back",
            "What goes back is multiplied by W. It must be by Wᵀ.",
            back=lambda d, layers, at: d @ layers[at][0],
        ),
        wrong(
            "the weights of another layer on the way back",
            "What goes back passes the weights of the layer below. It must pass those "
            "of the layer that it comes from.",
            back=lambda d, layers, at: d @ layers[at - 1][0].T,
        ),
        *in_layers(
            "a gradient of weights is transposed",
            "The gradient of W has its axes exchanged. It must have the shape of W.",
            dw=lambda h, d: d.T @ h,
        ),
        wrong(
            "the pre-activations in place of the activations",
            "The gradient of W takes what went into the activation of the layer below. "
            "It must take what came out of it.",
            given=lambda hs, zs, at: hs[0] if at == 0 else zs[at - 1],
        ),
        *in_layers(
            "the biases have no gradient",
            "The gradient of the biases is 0, or they were forgotten.",
            db=lambda d: 0 * d.sum(0),
        ),
        *in_layers(
            "the gradient of the biases over the wrong axis",
            "It is summed over the units. It must be summed over the examples.",
            db=lambda d: d.sum(1),
        ),
        *in_layers(
            "the gradient of the biases is one number",
            "It is summed over units and examples. Each unit has its own.",
            db=lambda d: d.sum() + 0 * d.sum(0),
        ),
        *in_layers(
            "the gradient of the biases is averaged once more",
            "It is a mean where the weights have a sum, so it is divided by the number "
            "of examples twice.",
            db=lambda d: d.mean(0),
        ),
        *in_layers(
            "the gradient of the biases is that of one example",
            "It is not summed over the examples.",
            db=lambda d: d[-1],
        ),
        *in_layers(
            "the gradient of the biases is that of one example",
            "It is not summed over the examples.",
            db=lambda d: d[0],
        ),
        *in_layers(
            "the gradient of the biases is not averaged",
            "The weights have a mean, and the biases a sum.",
            db=lambda d: d.sum(0) * len(d),
        ),
        *in_layers(
            "the gradient of the weights is averaged once more",
            "It is divided by the number of examples twice.",
            dw=lambda h, d: h.T @ d / len(d),
        ),
        *in_layers(
            "the gradient of the weights is not averaged",
            "The biases have a mean, and the weights a sum.",
            dw=lambda h, d: h.T @ d * len(d),
        ),
        wrong(
            "the biases are missing on the way forward",
            "The layers do not add their biases.",
            bias=lambda b: 0 * b,
        ),
        wrong(
            "nothing goes back",
            "The layers below the last have a gradient of 0.",
            through=lambda back, _z, _a, _l: 0 * back,
        ),
    ]
    if unit in OF_OUTPUT:
        found.append(
            wrong(
                "the slope at the wrong place",
                "The slope of the activation is taken at its output. It must be at "
                "what went in, or written as one of the output.",
                through=lambda back, _z, a, _l: back * slope(a),
            )
        )
    if unit == "tanh":
        found.append(
            wrong(
                "the square in the slope is missing",
                "The slope of the tanh is 1 − a². Here it is 1 − a.",
                through=lambda back, _z, a, _l: back * (1 - a),
            )
        )
    if unit == "sigmoid":
        found += [
            wrong(
                "half of the slope",
                "The slope of the sigmoid is a (1 − a). One factor is missing.",
                through=lambda back, _z, a, _l: back * (1 - a),
            ),
            wrong(
                "half of the slope",
                "The slope of the sigmoid is a (1 − a). One factor is missing.",
                through=lambda back, _z, a, _l: back * a,
            ).on_its_own(),
        ]
    for other, of_other in OF_OUTPUT.items():
        if other != unit:
            found.append(
                wrong(
                    f"the slope of {other}",
                    f"The units are {unit}, and the slope is that of {other}.",
                    through=lambda back, _z, a, _l, of=of_other: back * of(a),
                ).on_its_own()
            )
    if unit in OF_OUTPUT:
        of = OF_OUTPUT[unit]
        found.append(
            wrong(
                "the slope at the wrong place",
                "The slope is written as one of the output, and is given what went in.",
                through=lambda back, z, _a, _l: back * of(z),
            )
        )
    for other, (_, its) in UNITS.items():
        if other != unit:
            found.append(
                wrong(
                    f"the slope of {other}",
                    f"The units are {unit}, and the slope is that of {other}.",
                    through=lambda back, z, _a, _l, its=its: back * its(z),
                )
            )
    if unit == "relu":
        found.append(
            wrong(
                "the sign of the gradient decides",
                "Where what comes back is negative, it is cut off. It is the "
                "pre-activation that decides.",
                through=lambda back, _z, _a, _l: np.where(back > 0, back, 0),
            )
        )
    return found


FORMULAS = {(unit, end.name): formula_of(unit, end) for end in ENDS for unit in UNITS}


# --- How the weights are given --------------------------------------------------------

PARAMS = words(
    "params parameters weights theta w layers network net model p ws thetas weight "
    "wb weightsandbiases"
)
X = words("x xs inputs data xtrain xbatch input batch xb features xbatchtrain a0 ax")
Y = words("y t targets labels ytrue truth target ytrain ys yb label ybatch yonehot d")
CACHE = words("cache caches memory activations forwardcache stored")
METHODS = (
    "backprop", "loss", "gradient", "backward", "grads", "gradients", "grad",
    "compute_gradients", "back_propagation", "backpropagation", "loss_and_grad",
    "loss_and_gradients", "value_and_grad", "cost_derivative", "back_prop",
    "numerical_gradient",
)  # fmt: skip


class Shape(NamedTuple):
    """How arrays stand: examples as rows or columns, weights as they are or turned."""

    columns: bool
    turned: bool
    is_single: bool = False
    """Whether it is given one example after the other."""

    def weights(self, layers: Layers) -> Layers:
        """Return the layers as the subject has them."""
        return [
            (
                np.ascontiguousarray(w.T) if self.turned else w.copy(),
                b[:, None].copy() if self.columns else b.copy(),
            )
            for w, b in layers
        ]

    def examples(self, a: Array) -> Array:
        """Return examples as the subject has them."""
        if self.is_single and not self.columns:
            return np.array(a[0])
        return np.ascontiguousarray(a.T) if self.columns and a.ndim == 2 else a.copy()


SHAPES = [
    Shape(False, False),
    Shape(True, True),
    Shape(False, True),
    Shape(True, True, is_single=True),
    Shape(False, False, is_single=True),
]
OF_SHAPE = {
    SHAPES[0]: (),
    SHAPES[1]: (
        convention(
            "examples are columns",
            "It takes an example a column, and weights of shape (outputs, inputs). "
            "With "
            "us, examples are rows.",
            HOME,
        ),
    ),
    SHAPES[2]: (
        convention(
            "weights as (outputs, inputs)",
            "Its weights have the shape (outputs, inputs), as those of "
            "torch.nn.Linear. "
            "Ours are (inputs, outputs).",
            HOME,
        ),
    ),
    SHAPES[3]: (
        convention(
            "one example at a time",
            "It takes a single example, a column, and weights of shape (outputs, "
            "inputs). Ours takes all examples, as rows.",
            HOME,
        ),
    ),
    SHAPES[4]: (
        convention(
            "one example at a time",
            "It takes a single example, a vector. Ours takes all examples, as rows.",
            HOME,
        ),
    ),
}


def keys(count: int) -> list[str]:
    """Return W1, b1, W2, b2 …"""
    return [f"{'Wb'[i % 2]}{i // 2 + 1}" for i in range(count)]


def flat(layers: Layers) -> list[Array]:
    """Return all arrays: W1, b1, W2, b2 …"""
    return [a for layer in layers for a in layer]


def named(layers: Layers) -> dict[str, Array]:
    """Return all arrays by their names."""
    return dict(zip(keys(2 * len(layers)), flat(layers), strict=True))


GIVEN: dict[str, Callable[[Layers], Any]] = {
    "a list of (W, b)": list,
    "a dict with W1 and b1": lambda layers: named(layers),
    "a list of arrays": flat,
    "a dict of lists": lambda layers: {
        "W": [w for w, _ in layers],
        "b": [b for _, b in layers],
    },
    "one vector": lambda layers: np.concatenate([np.ravel(a) for a in flat(layers)]),
    "a list of dicts": lambda layers: [{"W": w, "b": b, "w": w} for w, b in layers],
}  # fmt: skip


def sizes_of(layers: Layers) -> list[int]:
    """Return inputs, hidden units, outputs."""
    return [layers[0][0].shape[0], *(w.shape[1] for w, _ in layers)]


class BackpropTask(FunctionTask):
    """A network's value and gradient."""

    kind = "network"
    axes: ClassVar[Mapping[str, str]] = {"inputs": "n", "truth": "n"}
    forms = (
        "def backprop(layers, x, y): ... return loss, grads  # [(W, b), …]",
        "def backprop(params, x, y): ... return grads  # {'W1': …, 'b1': …}",
        "def backprop(W1, b1, W2, b2, x, y): ... return loss, dW1, db1, dW2, db2",
    )

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            "The loss of a network, and its gradient for every weight and bias.\n\n"
            "Units, loss and its scale are found out: sigmoid, tanh, ReLU or leaky "
            "ReLU; softmax or sigmoid and cross-entropy, or a squared error.\n",
        )

    def cases(self, _: dict[str, Any]) -> list[Case]:
        """Return the inputs: networks of several sizes."""

        def case(
            aspect: str, sizes: list[int], n: int, seed: int, **kind: bool
        ) -> Case:
            rng = np.random.default_rng(seed)
            layers = [
                (rng.normal(size=(d, k)), rng.normal(size=k))
                for d, k in pairwise(sizes)
            ]
            labels = rng.integers(0, sizes[-1], n)
            given = {
                "inputs": rng.normal(size=(n, sizes[0])),
                "truth": np.eye(sizes[-1])[labels],
                "layers": layers,
            }
            return Case(aspect, given, {}, **kind)

        return [
            case("as many units as examples", [3, 3, 3], 3, 1),
            case("layers of other sizes", [3, 5, 2], 4, 2),
            case("one example", [2, 4, 3], 1, 3),
            case("three layers", [2, 4, 3, 2], 5, 4, is_excused=True),
        ]

    def complete(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Read the layers of a call."""
        layers = inputs.get("layers")
        if layers is None:
            return inputs
        made = [(np.array(w, float), np.array(b, float)) for w, b in layers]
        return inputs | {"layers": made}

    def simpler(self, inputs: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Go through networks with fewer units, and rounder weights."""
        layers = inputs["layers"]
        for number in range(len(layers) - 1):
            (w, b), (after, c) = layers[number], layers[number + 1]
            for k in range(len(b) if len(b) > 1 else 0):
                made = list(layers)
                made[number] = (np.delete(w, k, 1), np.delete(b, k))
                made[number + 1] = (np.delete(after, k, 0), c)
                yield inputs | {"layers": made}
        w, b = layers[0]
        for k in range(len(w) if len(w) > 1 else 0):
            made = [(np.delete(w, k, 0), b), *layers[1:]]
            yield inputs | {"layers": made, "inputs": np.delete(inputs["inputs"], k, 1)}
        for digits in (0, 1):
            made = [
                (np.round(w, digits) + 0.0, np.round(b, digits) + 0.0)
                for w, b in layers
            ]
            if any(
                (a != c).any() for a, c in zip(flat(made), flat(layers), strict=True)
            ):
                yield inputs | {"layers": made}

    # --- Forms ------------------------------------------------------------------------

    def ways_to_call(self, subject: Any) -> Iterator[Form]:
        """Go through the ways in which a subject may be called."""
        # Where PyTorch is at hand, not everything is made of tensors.
        uses_torch = not isinstance(subject, type) and _uses(subject, "torch")
        for shape in SHAPES:
            reader = _mean_reader(shape) if shape.is_single else _reader(shape)
            for how, call in self.callers(subject, shape):
                for (unit, end), ids, is_torch in product(
                    FORMULAS, (False, True), (True, False) if uses_torch else (False,)
                ):
                    if ids and not end.startswith("softmax"):
                        continue
                    if "cache" in how and f"{unit} and {end.split()[0]}" not in how:
                        continue
                    truth = "class ids" if ids else "one-hot rows"
                    yield Form(
                        f"{how}, a network of {unit} units with {end}, given {truth}"
                        + (", all of them tensors" if is_torch else ""),
                        _with_truth(call, ids=ids, is_torch=is_torch, shape=shape),
                        reader,
                        FORMULAS[unit, end],
                        OF_SHAPE[shape],
                        is_last=shape.is_single,
                    )

    def callers(self, subject: Any, shape: Shape) -> Iterator[tuple[str, Any]]:
        """Go through the ways to hand the weights over."""
        if isinstance(subject, type):
            yield from self.classes(subject, shape)
            return
        if not callable(subject):
            return
        try:
            names = list(inspect.signature(subject).parameters)
        except (TypeError, ValueError):
            return
        roles = {"params": PARAMS, "x": X, "y": Y}
        extras = {
            "sizes": _sizes, "layersizes": _sizes, "shape": _sizes, "layerdims": _sizes,
            "dims": _sizes, "architecture": _sizes, "nlayers": _depth, "l": _depth,
        }  # fmt: skip
        single = [n for n in names if len(n) == 2 and n[0] in "Wwb" and n[1].isdigit()]
        if len(single) >= 2:
            rest = {"x": X, "y": Y}
            wanted = {n: frozenset({normalize(n)}) for n in single}
            for b in bind(subject, wanted | rest):
                yield "a function of W1 and b1", _separate(b, shape)
            return
        lists = [
            n
            for n in names
            if normalize(n) in ("weights", "biases", "ws", "bs", "bias", "w", "b")
        ]
        if len(lists) == 2:
            first, second = lists
            wanted = {
                "ws": frozenset({normalize(first)}),
                "bs": frozenset({normalize(second)}),
            }
            for b in bind(subject, wanted | {"x": X, "y": Y}, (), extras):
                yield "a function of weights and biases", _lists(b, shape)
            return
        if any(normalize(n) in CACHE for n in names):
            for b in bind(subject, roles | {"cache": CACHE}, (), extras):
                for unit in ("tanh", "sigmoid", "relu"):
                    for end in ("sigmoid", "softmax"):
                        how = f"a function of a dict and a cache of {unit} and {end}"
                        yield how, _cached(b, shape, unit, end)
            return
        for given in GIVEN:
            for b in bind(subject, roles, (), extras):
                yield f"a function of {given}", _given(b, given, shape)

    def classes(self, subject: Any, shape: Shape) -> Iterator[tuple[str, Any]]:
        """Go through the ways to hand the weights to an instance."""
        for name in METHODS:
            if not callable(getattr(subject, name, None)):
                continue
            yield (
                f"a class of which `{name}` is called",
                _instance(subject, name, shape),
            )


def _sizes(values: Mapping[str, Any]) -> Any:
    return values["sizes"]


def _depth(values: Mapping[str, Any]) -> int:
    return len(values["sizes"]) - 1


def _values(case: Case, shape: Shape) -> dict[str, Any]:
    return {
        "x": shape.examples(case.inputs["inputs"]),
        "y": shape.examples(case.inputs["truth"]),
        "sizes": sizes_of(case.inputs["layers"]),
    }


def _rows_alone(case: Case) -> list[Case]:
    """Return a case for each example."""
    x, y = case.inputs["inputs"], case.inputs["truth"]
    return [
        case._replace(
            inputs=case.inputs | {"inputs": x[i : i + 1], "truth": y[i : i + 1]}
        )
        for i in range(len(x))
    ]


def _mean_reader(shape: Shape) -> Callable[[Any, Case], dict[str, Parts]]:
    """Return how the gradients of single examples are read, and averaged."""
    read = _reader(shape)

    def read_all(raws: Any, case: Case) -> dict[str, Parts]:
        found = [
            read(raw, one) for raw, one in zip(raws, _rows_alone(case), strict=True)
        ]
        return {
            label: {
                name: np.mean([one[label][name] for one in found], axis=0)
                for name in parts
            }
            for label, parts in found[0].items()
            if all(label in one for one in found)
        }

    return read_all


def _with_truth(
    call: Any, *, ids: bool, is_torch: bool, shape: Shape
) -> Callable[[Case, set[str]], Any]:
    """Return a call that is given class ids, or tensors."""

    def run(case: Case, notes: set[str]) -> Any:
        if ids:
            labels = np.argmax(case.inputs["truth"], axis=1)
            case = case._replace(inputs=case.inputs | {"truth": labels})
        before = copy.deepcopy(case.inputs)
        if shape.is_single:
            result = [call(one, is_torch) for one in _rows_alone(case)]
        else:
            result = call(case, is_torch)
        note_changes(notes, {"inputs": before["inputs"]}, case.inputs)
        return result

    return run


def _torch(values: Any, is_torch: bool) -> Any:
    """Return tensors of arrays, wherever they are."""
    if not is_torch:
        return values
    import sys

    torch = sys.modules["torch"]
    if isinstance(values, np.ndarray):
        return torch.tensor(values)
    if isinstance(values, dict):
        return {k: _torch(v, True) for k, v in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(_torch(v, True) for v in values)
    return values


def _given(b: Any, given: str, shape: Shape) -> Any:
    def call(case: Case, is_torch: bool) -> Any:
        values = _values(case, shape)
        values["params"] = GIVEN[given](shape.weights(case.inputs["layers"]))
        return b(_torch(values, is_torch), {})

    return call


def _separate(b: Any, shape: Shape) -> Any:
    def call(case: Case, is_torch: bool) -> Any:
        arrays = flat(shape.weights(case.inputs["layers"]))
        by_name = dict(zip(keys(len(arrays)), arrays, strict=True))
        wanted = [n for n in b.roles.values() if n not in ("x", "y")]
        if len(arrays) != len(wanted):
            raise RecognitionError("it takes another number of layers")
        own = {n: by_name[n[0].upper().replace("B", "b") + n[1]] for n in wanted}
        return b(_torch(_values(case, shape) | own, is_torch), {})

    return call


def _lists(b: Any, shape: Shape) -> Any:
    def call(case: Case, is_torch: bool) -> Any:
        layers = shape.weights(case.inputs["layers"])
        own = {"ws": [w for w, _ in layers], "bs": [c for _, c in layers]}
        return b(_torch(_values(case, shape) | own, is_torch), {})

    return call


def _cached(b: Any, shape: Shape, unit: str, end: str) -> Any:
    def call(case: Case, _: bool) -> Any:
        layers = case.inputs["layers"]
        h, cache = case.inputs["inputs"], {"A0": shape.examples(case.inputs["inputs"])}
        for number, (w, c) in enumerate(layers, 1):
            z = h @ w + c
            last = softmax if end == "softmax" else sigmoid
            h = last(z) if number == len(layers) else UNITS[unit][0](z)
            cache |= {f"Z{number}": shape.examples(z), f"A{number}": shape.examples(h)}
        made = named(shape.weights(layers))
        return b(_values(case, shape) | {"params": made, "cache": cache | made}, {})

    return call


def _instance(make: Any, name: str, shape: Shape) -> Any:
    def call(case: Case, _: bool) -> Any:
        layers = shape.weights(case.inputs["layers"])
        net = _construct(make, sizes_of(case.inputs["layers"]))
        _set_weights(net, layers)
        values = _values(case, shape)
        method = getattr(net, name)
        forward = getattr(net, "forward", None)
        result: Any = None
        tries = list(bind(method, {"x": X, "y": Y}))
        if not tries and callable(forward):
            tries = list(bind(method, {"y": Y})) or list(bind(method, {}))
        if not tries:
            raise RecognitionError(f"nobody knows what `{name}` is given")
        if callable(forward) and "x" not in tries[0].roles.values():
            forward(values["x"])
        result = tries[0](values, {})
        found = _gradients_of(net, len(layers))
        if found is not None and (result is None or np.ndim(result) == 0):
            return (result, found) if result is not None else found
        return result

    return call


def _construct(make: Any, sizes: list[int]) -> Any:
    for args in ([sizes], sizes, [tuple(sizes)], []):
        try:
            return make(*args)
        except (TypeError, ValueError, IndexError):
            continue
    raise RecognitionError("nobody knows how to make a network of it")


def _set_weights(net: Any, layers: Layers) -> None:
    """Write the weights into a network, under the names that it has for them."""
    arrays = named(layers)
    held = vars(net)
    for key in ("params", "parameters", "weights_dict"):
        if isinstance(held.get(key), dict):
            net.__dict__[key].update(arrays)
            return
    for first, second in (("weights", "biases"), ("W", "b"), ("Ws", "bs"), ("w", "b")):
        if isinstance(held.get(first), list) and isinstance(held.get(second), list):
            like = held[second][0] if held[second] else layers[0][1]
            setattr(net, first, [w for w, _ in layers])
            setattr(net, second, [_like(b, like) for _, b in layers])
            return
    if len([k for k in arrays if k in held]) == len(arrays):
        for key, a in arrays.items():
            setattr(net, key, _like(a, held[key]))
        return
    raise RecognitionError("nobody knows where it keeps its weights")


def _like(a: Array, like: Any) -> Array:
    """Return a bias with the number of axes that it had."""
    if np.ndim(like) == 2 and np.ndim(a) == 1:
        return (
            a[:, None] if np.shape(like)[1] == 1 and np.shape(like)[0] > 1 else a[None]
        )
    return a


def _gradients_of(net: Any, depth: int) -> Any:
    """Return the gradients that a network keeps, if it does."""
    held = vars(net)
    for key in ("grads", "gradients", "grad"):
        if isinstance(held.get(key), dict | list) and held[key]:
            return held[key]
    found = {f"d{key}": held[f"d{key}"] for key in keys(2 * depth) if f"d{key}" in held}
    return found if len(found) == 2 * depth else None


# --- What is returned -----------------------------------------------------------------

Leaf = tuple[str, Array]


def _leaves(raw: Any, key: str = "") -> Iterator[Leaf]:
    """Go through all arrays in what was returned, each with its key."""
    if isinstance(raw, dict):
        for name, value in raw.items():
            yield from _leaves(value, str(name))
    elif isinstance(raw, list | tuple) and any(
        isinstance(x, list | tuple | dict) or hasattr(x, "shape") for x in raw
    ):
        for value in raw:
            yield from _leaves(value, key)
    elif raw is not None:
        yield key, as_array(raw)


ORDERS: dict[str, Callable[[int], list[str]]] = {
    "W1, b1, W2, b2 …": lambda n: keys(2 * n),
    "all W, then all b": lambda n: (
        [f"W{i + 1}" for i in range(n)] + [f"b{i + 1}" for i in range(n)]
    ),
    "all b, then all W": lambda n: (
        [f"b{i + 1}" for i in range(n)] + [f"W{i + 1}" for i in range(n)]
    ),
    "from the last layer": lambda n: [
        k for i in range(n, 0, -1) for k in (f"W{i}", f"b{i}")
    ],
    "b1, W1, b2, W2 …": lambda n: [
        k for i in range(n) for k in (f"b{i + 1}", f"W{i + 1}")
    ],
}


def _reader(shape: Shape) -> Callable[[Any, Case], dict[str, Parts]]:
    def read(raw: Any, case: Case) -> dict[str, Parts]:
        layers = case.inputs["layers"]
        wanted = named(layers)
        try:
            leaves = list(_leaves(raw))
        except ValueError:
            raise ResultError("it returns no numbers") from None
        value = next(
            (a.reshape(()) for _, a in leaves if a.size == 1 and a.ndim == 0), None
        )
        arrays = [(key, a) for key, a in leaves if a.ndim]
        given = {} if value is None else {"value": value}
        out: dict[str, Parts] = {}
        if by_name := _by_key(arrays, wanted, shape):
            return {"the gradients by name": given | by_name}
        total = sum(a.size for a in wanted.values())
        if len(arrays) == 1 and arrays[0][1].shape == (total,):
            made = _split(arrays[0][1], layers, shape)
            return {"the gradient as one vector": given | made}
        for order, write in ORDERS.items():
            names = write(len(layers))
            if len(arrays) < len(names):
                continue
            for those in (arrays[: len(names)], arrays[-len(names) :]):
                found = {
                    f"d{name}": _shaped(a, wanted[name], shape)
                    for name, (_, a) in zip(names, those, strict=True)
                }
                if all(a is not None for a in found.values()):
                    complete = {k: a for k, a in found.items() if a is not None}
                    out[f"the gradients in the order {order}"] = given | complete
                    break
        return out

    return read


def _by_key(arrays: list[Leaf], wanted: dict[str, Array], shape: Shape) -> Parts:
    """Return gradients that have names: dW1, W1, grad_W1 …"""
    found: dict[str, Any] = {}
    for key, a in arrays:
        name = (
            normalize(key).removeprefix("d").removeprefix("grad").removeprefix("nabla")
        )
        own = next((k for k in wanted if k.lower() == name), None)
        if own:
            found[f"d{own}"] = _shaped(a, wanted[own], shape)
    complete = len(found) == len(wanted) and all(a is not None for a in found.values())
    return found if complete else {}


def _shaped(a: Array, like: Array, shape: Shape) -> Array | None:
    """Return a gradient with the axes of ours, if it can be one."""
    if like.ndim == 1:
        if a.size == 1:  # it was summed over the units, too
            return np.full(like.shape, a.ravel()[0])
        return a.reshape(like.shape) if a.size == like.size else None
    a = a.T if shape.turned else a
    return a if a.shape in (like.shape, like.T.shape) else None


def _split(vector: Array, layers: Layers, shape: Shape) -> Parts:
    out, start = {}, 0
    for number, (w, b) in enumerate(layers, 1):
        part = vector[start : start + w.size]
        out[f"dW{number}"] = (
            part.reshape(w.T.shape).T if shape.turned else part.reshape(w.shape)
        )
        start += w.size
        out[f"db{number}"] = vector[start : start + b.size]
        start += b.size
    return out
