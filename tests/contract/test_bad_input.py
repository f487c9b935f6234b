"""Bad input: refused in the same words by both backends, and nothing has changed.

What every function does with what is no array of numbers comes first. Then come rows of
input that other libraries answer with a number, often a wrong one.
"""

import re
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad._core.errors import DeviceError, ShapeError

from .backends import (
    BACKENDS,
    FUNCTIONS,
    OPTIMIZERS,
    STEPPING,
    applied,
    both,
    ndarray,
    sees_layers,
    tensor,
)
from .strategies import OPTIONS, arguments, contract, few, options, slots

once = settings(contract, max_examples=2)
nan, inf = np.nan, np.inf


def same(x):
    return x


TO = (same, tensor)


def told(call):
    """Call both backends, and return the error that is the same in both."""
    errors = []
    for cg, to in zip(BACKENDS, TO, strict=True):
        with pytest.raises((ValueError, TypeError, IndexError)) as caught:
            call(cg, to)
        errors.append(caught)
    ours, theirs = errors
    assert ours.type is theirs.type
    assert str(ours.value) == str(theirs.value)
    return ours.value


def find(cg, path):
    topic, name = path.split(".")
    return getattr(getattr(cg, topic), name)


def arrays_of(path):
    return [name for name, slot in slots(both(path)[0]).items() if slot.kind]


# How an array is spoiled, and how every function refuses what comes of it.
SPOILED = {
    "a list": (lambda x: x.tolist(), TypeError, "an array of this backend, got list"),
    "nothing": (lambda _: None, TypeError, "an array of this backend, got NoneType"),
    "complex": (lambda x: x + 0j, TypeError, "got complex128"),
    "booleans": (lambda x: x > 0, TypeError, "got bool"),
    "an empty batch": (lambda x: x[..., :0], ValueError, "it must hold at least one"),
}


@pytest.mark.parametrize("case", SPOILED)
@pytest.mark.parametrize("path", FUNCTIONS)
@once
@given(data=st.data())
def test_every_function_refuses(path, case, data):
    spoil, error, words = SPOILED[case]
    args = data.draw(arguments(both(path)[0], leading=(2,), whole=True))
    for name in arrays_of(path):
        if case == "nothing" and slots(both(path)[0])[name].optional:
            continue
        bad = args | {name: spoil(args[name])}
        refusal = told(lambda cg, to: find(cg, path)(**applied(to, bad)))  # noqa: B023
        assert isinstance(refusal, error)
        assert str(refusal).startswith(f"{path.split('.')[1]}: `{name}`")
        assert words in str(refusal)


@pytest.mark.parametrize("path", FUNCTIONS)
@once
@given(data=st.data())
def test_every_function_refuses_arrays_of_the_other_backend(path, data):
    args = data.draw(arguments(both(path)[0], whole=True))
    for f, to, kind in zip(
        both(path), TO, ["torch.Tensor", "numpy.ndarray"], strict=True
    ):
        for name in arrays_of(path):
            given = applied(to, args)
            given[name] = args[name] if to is tensor else tensor(args[name])
            with pytest.raises(
                TypeError, match=f"`{name}` must be .* got {kind}; make"
            ):
                f(**given)


class Elsewhere(np.ndarray):
    """An array that says it lives on another device, as NumPy's own never do."""

    device = "meta"


def elsewhere(x):
    """Take an array to a device where none of its numbers can be read."""
    return x.to("meta") if isinstance(x, torch.Tensor) else x.view(Elsewhere)


@pytest.mark.parametrize("path", [path for path in FUNCTIONS if arrays_of(path)[1:]])
@once
@given(data=st.data())
def test_every_function_refuses_arrays_on_two_devices(path, data):
    args = data.draw(arguments(both(path)[0], whole=True))
    *_, last = arrays_of(path)

    def call(cg, to):
        given = applied(to, args)
        find(cg, path)(**given | {last: elsewhere(given[last])})

    refusal = told(call)
    assert isinstance(refusal, DeviceError)
    assert re.search(rf"is on cpu but `{last}` on meta; move one with", str(refusal))


# Options out of their range, whoever takes them.
WRONG = {
    "activation": ["swish", None],
    "beta1": [1, -0.1, nan],
    "beta2": [1, -0.1, nan],
    "dampening": [1.5, -0.1, nan],
    "decay": [1, -0.1, nan],
    "delta": [-1, 0, nan],
    "epochs": [0, -1],
    "eps": [-1, inf],
    "hyper_lr": [-0.1, nan, inf],
    "label_smoothing": [1.5, -0.1, nan],
    "largest": [-0.1, nan, inf],
    "lr": [-0.1, nan, inf],
    "momentum": [1, -0.1, nan],
    "net": [],
    "normalize": ["unit", None],
    "reduction": ["average", None],
    "rng": [-1],
    "slope": [1.5, -0.1, nan],
    "smallest": [-0.1, nan, 60],
    "weight_decay": [-0.1, inf],
}


def test_every_option_has_wrong_values():
    assert set(OPTIONS) <= set(WRONG)


@pytest.mark.parametrize("path", FUNCTIONS + OPTIMIZERS)
@once
@given(data=st.data())
def test_every_option_out_of_range_is_refused(path, data):
    args = data.draw(arguments(both(path)[0]))
    for name in args.keys() & WRONG:
        no_number = [] if isinstance(args[name], str) else ["much"]
        for value in WRONG[name] + no_number:
            bad = args | {name: value}
            refusal = told(lambda cg, to: find(cg, path)(**applied(to, bad)))  # noqa: B023
            assert type(refusal) is (TypeError if value == "much" else ValueError)
            assert str(refusal).startswith(f"{path.split('.')[1]}: `{name}` must be")


def row(what, path, *args, error, words, **kwargs):
    return pytest.param(path, args, kwargs, error, words.split(" | "), id=what)


def last(value, *shape, dtype="float64"):
    """Zeros, and at the end `value`."""
    x = np.zeros(shape, dtype)
    x.flat[-1] = value
    return x


two, six = np.zeros(2), np.zeros((2, 3))
first = np.zeros(2, "int64")  # class ids

REFUSED = [
    row(
        "predictions (n, 1), targets (n,)",
        "losses.mse",
        np.zeros((3, 1)),
        np.zeros(3),
        error=ShapeError,
        words="`predictions` (...) is (3, 1) | `targets` (...) is (3,) | [:, None]",
    ),
    row(
        "predictions (n, 2), targets (1, 2)",
        "losses.mse",
        np.zeros((3, 2)),
        np.zeros((1, 2)),
        error=ShapeError,
        words="axis 0 is 3 in `predictions` but 1 in `targets` | Nothing is broadcast",
    ),
    *(
        row(
            f"a target of {value}",
            "losses.mse",
            two,
            last(value, 2),
            error=ValueError,
            words=f"`targets` has {value} at index (1,); every number must be finite",
        )
        for value in (nan, inf, -inf)
    ),
    row(
        "an empty batch",
        "losses.mse",
        np.zeros((0, 2)),
        np.zeros((0, 2)),
        error=ValueError,
        words="`predictions` is empty, shape (0, 2)",
    ),
    row(
        "integer predictions",
        "losses.mse",
        first,
        two,
        error=TypeError,
        words='must be float32 or float64, got int64 | predictions, dtype="float64")',
    ),
    row(
        "uint8, where 1 - 4 is 253",
        "losses.mse",
        np.array([1], "uint8"),
        np.array([4], "uint8"),
        error=TypeError,
        words="`predictions` must be float32 or float64, got uint8",
    ),
    row(
        "two precisions",
        "losses.mse",
        two,
        two.astype("float32"),
        error=TypeError,
        words="`predictions` is float64 but `targets` is float32; convert one",
    ),
    *(
        row(
            f"label {label} of 3 classes",
            "losses.cross_entropy",
            six,
            last(label, 2, dtype="int64"),
            error=IndexError,
            words=f"`labels` has {label} at index (1,) | 0 to 2 | has 3 classes",
        )
        for label in (3, -1)
    ),
    row(
        "all labels -100, which elsewhere means ignored",
        "losses.cross_entropy",
        six,
        first - 100,
        error=IndexError,
        words="`labels` has -100 at index (0,)",
    ),
    *(
        row(
            f"a yes-or-no label of {label}",
            "losses.binary_cross_entropy",
            two,
            last(label, 2),
            error=ValueError,
            words=f"`labels` has {label:g} at index (1,) | must be from 0 to 1",
        )
        for label in (2.0, 1.5, -0.5)
    ),
    row(
        "a logit of inf",
        "losses.cross_entropy",
        last(inf, 2, 3),
        first,
        error=ValueError,
        words="`logits` has inf at index (1, 2); every logit must be finite, or -inf",
    ),
    row(
        "a logit of nan",
        "losses.cross_entropy",
        last(nan, 2, 3),
        first,
        error=ValueError,
        words="`logits` has nan at index (1, 2)",
    ),
    row(
        "a yes-or-no logit of inf",
        "losses.binary_cross_entropy",
        last(inf, 2),
        two,
        error=ValueError,
        words="`logits` has inf at index (1,)",
    ),
    row(
        "the label's own class masked out",
        "losses.cross_entropy",
        last(-inf, 2, 3),
        first + 2,
        error=ValueError,
        words="`logits` has -inf at index (1,) | must not be masked out",
    ),
    row(
        "label smoothing onto a masked class",
        "losses.cross_entropy",
        last(-inf, 2, 3),
        first,
        label_smoothing=0.1,
        error=ValueError,
        words="`logits` has -inf at index (1, 2); every number must be finite",
    ),
    row(
        "complex predictions",
        "losses.mse",
        two + 1j,
        two,
        error=TypeError,
        words="`predictions` must be float32 or float64, got complex128",
    ),
    row(
        "huber with delta -1",
        "losses.huber",
        two,
        two,
        delta=-1,
        error=ValueError,
        words="`delta` must be a finite number above 0, got -1",
    ),
    row(
        "label smoothing of 1.5",
        "losses.cross_entropy",
        six,
        first,
        label_smoothing=1.5,
        error=ValueError,
        words="`label_smoothing` must be a finite number from 0 to 1, got 1.5",
    ),
    *(
        row(
            f"lr {lr}",
            "optimizers.sgd",
            lr=lr,
            error=ValueError,
            words=f"`lr` must be a finite number from 0, got {lr}",
        )
        for lr in (-0.1, nan, inf)
    ),
    *(
        row(
            f"lr {lr} among others",
            "optimizers.sgd",
            lr=last(lr, 2, 1),
            error=ValueError,
            words=f"`lr` has {lr} at index (1, 0); every rate must be finite and 0",
        )
        for lr in (-0.1, nan, inf)
    ),
    row(
        "beta1 of 1",
        "optimizers.adam",
        beta1=1,
        error=ValueError,
        words="`beta1` must be a finite number from 0 below 1, got 1",
    ),
    row(
        "Nesterov without momentum",
        "optimizers.sgd",
        lr=0.1,
        nesterov=True,
        error=ValueError,
        words="`nesterov` needs `momentum` above 0",
    ),
    row(
        "a target of 0",
        "losses.hinge",
        two,
        last(1, 2),
        error=ValueError,
        words="`targets` has 0 at index (0,); every target must be -1 or +1",
    ),
    row(
        "weights without a bias",
        "perceptron.neuron",
        two,
        np.zeros((3, 2)),
        error=ShapeError,
        words="the last axis is 3 in the network but 2 in `w`",
    ),
    row(
        "weights of 0",
        "perceptron.margin",
        two,
        np.ones((2, 1)),
        np.array([1, -1]),
        error=ValueError,
        words="`w` is all 0, which separates nothing",
    ),
    row(
        "rows of one axis",
        "perceptron.fit",
        two,
        two + 1,
        error=ShapeError,
        words="`x` must have 2 axes (`x` (n, d) is (2,))",
    ),
    row(
        "weights that do not separate",
        "perceptron.mistake_bound",
        np.ones(2),
        np.ones((2, 1)),
        np.array([1, -1]),
        error=ValueError,
        words="`w` must separate the examples, got a margin of -1.41421",
    ),
]


@pytest.mark.parametrize(("path", "args", "kwargs", "error", "words"), REFUSED)
def test_refused(path, args, kwargs, error, words):
    def call(cg, to):
        find(cg, path)(*map(to, args), **applied(to, kwargs))

    refusal = told(call)
    assert type(refusal) is error
    assert str(refusal).startswith(f"{path.split('.')[1]}: ")
    assert all(piece in str(refusal) for piece in words)


def network(cg):
    return cg.network([2, 1])


w3, x42, y41 = np.zeros(3), np.zeros((4, 2)), np.zeros((4, 1))

# Of a network of 2 inputs and 1 output, which has 3 weights.
NETWORKS_REFUSED = {
    "one size": (
        lambda cg, to: cg.network([2]),
        ValueError,
        "network: `sizes` must list inputs, hidden units and outputs",
    ),
    "no units": (
        lambda cg, to: cg.network([2, 0, 1]),
        ValueError,
        "network: `sizes` must be a whole number, 1 or more, got 0",
    ),
    "half a unit": (
        lambda cg, to: cg.network([2, 1.5]),
        TypeError,
        "network: `sizes` must be a whole number, 1 or more, got 1.5 (float)",
    ),
    "an unknown activation": (
        lambda cg, to: cg.network([2, 1], activation="softmax"),
        ValueError,
        "network: `activation` must be one of 'identity', ",
    ),
    "an unknown scheme": (
        lambda cg, to: network(cg).init(scheme="lucky"),
        ValueError,
        "init: `scheme` must be one of 'he', ",
    ),
    "weights that are integers": (
        lambda cg, to: network(cg).init(dtype="int64"),
        ValueError,
        "init: `dtype` must be one of 'float32', 'float64', got 'int64'",
    ),
    "a seed below 0": (
        lambda cg, to: network(cg).init(rng=-1),
        ValueError,
        "init: `rng` must be a seed",
    ),
    "a seed in words": (
        lambda cg, to: network(cg).init(rng="lucky"),
        TypeError,
        "init: `rng` must be a seed",
    ),
    "weights of another network": (
        lambda cg, to: network(cg).forward(to(two), to(x42)),
        ShapeError,
        "forward: the last axis is 3 in the network but 2 in `w`",
    ),
    "rows of another width": (
        lambda cg, to: network(cg).forward(to(w3), to(np.zeros((4, 3)))),
        ShapeError,
        "forward: the last axis is 2 in the network but 3 in `x`",
    ),
    "one example, not a row": (
        lambda cg, to: network(cg).forward(to(w3), to(two)),
        ShapeError,
        "forward: `x` must have at least 2 axes",
    ),
    "rows for 5 networks and weights of 2": (
        lambda cg, to: network(cg).forward(to(six), to(np.zeros((5, 4, 2)))),
        ShapeError,
        "forward: `x` must be (n, 2), or have the leading axes of `w` (`w` is (2, 3); ",
    ),
    "two precisions of a network": (
        lambda cg, to: network(cg).forward(to(w3), to(x42.astype("float32"))),
        TypeError,
        "forward: `w` is float64 but `x` is float32",
    ),
    "predictions (n, 1), targets (n,) of a network": (
        lambda cg, to: network(cg).loss_and_grad(
            to(w3), to(x42), to(np.zeros(4)), cg.losses.mse
        ),
        ShapeError,
        "mse: `predictions` and `targets` have different numbers of axes",
    ),
    "a loss that is none": (
        lambda cg, to: network(cg).loss_and_grad(
            to(w3), to(x42), to(y41), cg.activations.tanh
        ),
        TypeError,
        "loss_and_grad: `loss` must take outputs and the truth, two arrays, as ",
    ),
    "the gradient of a loss for a loss": (
        lambda cg, to: network(cg).loss_and_grad(
            to(w3), to(x42), to(y41), cg.losses.mse_grad
        ),
        TypeError,
        "loss_and_grad: `loss` must take outputs and the truth, two arrays, as ",
    ),
}


@pytest.mark.parametrize("case", NETWORKS_REFUSED)
def test_a_network_refuses(case):
    call, error, words = NETWORKS_REFUSED[case]
    refusal = told(call)
    assert type(refusal) is error
    assert str(refusal).startswith(words)


METHODS = {
    "layers": lambda cg, w, x, y: network(cg).layers(w),
    "forward": lambda cg, w, x, y: network(cg).forward(w, x),
    "loss_and_grad": lambda cg, w, x, y: network(cg).loss_and_grad(
        w, x, y, cg.losses.mse
    ),
    "plan": lambda cg, w, x, y: network(cg).plan(
        w, loss=cg.losses.mse, optimizer=cg.optimizers.sgd(0.1), batch_size=4
    )(x, y),
}


@pytest.mark.parametrize("case", ["a list", "nothing", "complex", "booleans"])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_a_network_refuses(name, case):
    spoil, error, words = SPOILED[case]
    args = {"w": w3, "x": x42, "y": y41}
    for arg in ("w",) if name == "layers" else ("w", "x"):
        bad = args | {arg: spoil(args[arg])}
        refusal = told(lambda cg, to: METHODS[name](cg, **applied(to, bad)))  # noqa: B023
        assert type(refusal) is error
        assert str(refusal).startswith(f"{name}: `{arg}` must be")
        assert words in str(refusal)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_a_network_refuses_weights_of_another(name):
    refusal = told(lambda cg, to: METHODS[name](cg, *map(to, (two, x42, y41))))
    assert type(refusal) is ShapeError
    words = f"{name}: the last axis is 3 in the network but 2 in `w`"
    assert str(refusal).startswith(words)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"order": 0}, "check_grads: `order` must be a whole number, 1 or more, got 0"),
        ({"h": 0}, "check_grads: `h` must be a finite number above 0, got 0"),
    ],
)
def test_the_check_of_gradients_refuses(option, words):
    refusal = told(lambda cg, to: cg.autodiff.check_grads(abs, to(two + 1), **option))
    assert type(refusal) is ValueError
    assert str(refusal).startswith(words)


@pytest.mark.parametrize(
    "x",
    [
        [torch.tensor(1.0, requires_grad=True)],
        [[1.0], (torch.tensor(1.0),)],
        np.array([1j]),
        np.array([None]),
        np.ma.array([1.0, 2.0], mask=[False, True]),
        "1",
        True,
    ],
    ids=[
        "tensors in a list",
        "deep in a list",
        "complex",
        "objects",
        "masked",
        "text",
        "a truth",
    ],
)
def test_array_refuses(x):
    refusal = told(lambda cg, _: cg.array(x))
    assert type(refusal) is TypeError
    assert str(refusal).startswith("array: `x` must ")


def test_array_refuses_a_ragged_list():
    refusal = told(lambda cg, _: cg.array([[1, 2], [3]]))
    assert type(refusal) is ValueError
    assert str(refusal).startswith("array: `x` must be rectangular")


def test_array_takes_what_computes_in_its_own_way():
    ones = np.eye(2)
    for backend in BACKENDS:
        for x in (ones.view(np.matrix), torch.tensor(ones).to_sparse()):
            made = backend.array(x)
            assert type(made) in (np.ndarray, torch.Tensor)
            np.testing.assert_array_equal(backend.asnumpy(made), ones)


def test_array_refuses_a_device_that_is_not_there():
    for backend in BACKENDS:
        with pytest.raises(DeviceError, match="array: `device` 'cuda:99' is not there"):
            backend.array([1.0], device="cuda:99")


def test_a_masked_class_takes_no_part():
    logits, labels = np.array([[0.0, 1.0, -inf], [1.0, 0.0, 2.0]]), np.array([0, 2])
    for cg, to in zip(BACKENDS, TO, strict=True):
        args = to(logits), to(labels)
        slopes = cg.losses.cross_entropy_grad(*args, reduction="none")
        assert slopes[0, 2] == 0
        rows = cg.losses.cross_entropy(*args, reduction="none")
        alone = cg.losses.cross_entropy(to(logits[:1, :2]), to(labels[:1]))
        assert rows[0] == alone


@pytest.mark.parametrize("far", [800.0, 1e300])
def test_a_certain_mistake_costs_what_it_costs_and_is_not_clipped(far):
    for cg, to in zip(BACKENDS, TO, strict=True):
        surprise = cg.losses.binary_cross_entropy(to(np.array([-far])), to(np.ones(1)))
        assert surprise == far


@pytest.mark.parametrize("far", [-1e300, -1e4, 0.0, 1e4, 1e300])
def test_logits_that_are_all_alike_say_nothing_however_far(far):
    for cg, to in zip(BACKENDS, TO, strict=True):
        args = to(np.full((2, 4), far)), to(np.array([0, 3]))
        assert float(cg.losses.cross_entropy(*args)) == pytest.approx(np.log(4))
        slopes = ndarray(cg.losses.cross_entropy_grad(*args, reduction="sum"))
        np.testing.assert_allclose(slopes, 1 / 4 - np.eye(4)[[0, 3]], rtol=1e-14)


def test_half_precision_is_computed_in_float32():
    for cg, to in zip(BACKENDS, TO, strict=True):
        p, t = to(np.array([300.0], "float16")), to(np.zeros(1, "float16"))
        for out in (
            cg.losses.mse(p, t),
            cg.losses.mse_grad(p, t),
            cg.activations.relu(p),
        ):
            assert str(out.dtype).endswith("float32")
        assert cg.losses.mse(p, t) == 90_000


def test_array_reads_backwards_memory_as_it_stands():
    for cg in BACKENDS:
        x = np.arange(6.0).reshape(2, 3)[::-1, ::-1]
        assert cg.array(x).tolist() == x.tolist()


# A step that is refused changes nothing, so that a good one may follow.
W = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, -1.0]])
GRAD = np.array([[0.5, 1.0, -3.0], [0.0, -1.0, 2.0]])


@contextmanager
def unchanged(*arrays):
    before = [ndarray(x).copy() for x in arrays]
    try:
        yield
    finally:
        for x, old in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(ndarray(x), old)


def on_the_way(opt, to):
    """Weights and a state after two steps."""
    w = to(W.copy())
    state = opt.init(w)
    for _ in range(2):
        w, state = opt.step(w, to(GRAD), state)
    return w, state


NO_GRADS = {
    "nan": (
        lambda to: to(last(nan, 2, 3)),
        ValueError,
        "`grad` has nan at index (1, 2)",
    ),
    "inf": (
        lambda to: to(last(-inf, 2, 3)),
        ValueError,
        "`grad` has -inf at index (1, 2)",
    ),
    "one axis less": (
        lambda to: to(GRAD[0]),
        ShapeError,
        "`w` (...) is (2, 3); `grad`",
    ),
    "a column": (
        lambda to: to(GRAD[:, :1]),
        ShapeError,
        "axis 1 is 3 in `w` but 1 in `grad`",
    ),
    "float32": (lambda to: to(GRAD.astype("float32")), TypeError, "`grad` is float32"),
    "integers": (lambda to: to(GRAD.astype("int64")), TypeError, "got int64"),
    "a list": (
        lambda _: GRAD.tolist(),
        TypeError,
        "`grad` must be an array of this backend",
    ),
    "far": (
        lambda to: elsewhere(to(GRAD)),
        DeviceError,
        "`w` is on cpu but `grad` on meta",
    ),
}


@pytest.mark.parametrize("case", ["a list", "nothing", "complex", "booleans"])
@pytest.mark.parametrize("path", OPTIMIZERS)
def test_an_optimizer_starts_from_numbers_only(path, case):
    spoil, error, words = SPOILED[case]
    refusal = told(lambda cg, to: find(cg, path)(0.1).init(to(spoil(W))))
    assert type(refusal) is error
    assert str(refusal).startswith(f"{path.split('.')[1]}.init: `w` must be")
    assert words in str(refusal)


@pytest.mark.parametrize("case", NO_GRADS)
@pytest.mark.parametrize("path", OPTIMIZERS)
@once
@given(data=st.data())
def test_a_refused_gradient_changes_nothing(path, case, data):
    bad, error, words = NO_GRADS[case]
    chosen = data.draw(options(both(path)[0]))

    def call(cg, to):
        opt = find(cg, path)(**chosen)
        w, state = on_the_way(opt, to)
        with unchanged(w, *state):
            opt.step(w, bad(to), state)

    refusal = told(call)
    assert type(refusal) is error
    assert str(refusal).startswith(f"{path.split('.')[1]}.step: ")
    assert words in str(refusal)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("ema", {"decay": 1}),
        ("ema", {"decay": -0.1}),
        ("clip", {"norm": 0}),
        ("clip", {"value": nan}),
        ("decay_weights", {"weight_decay": -1}),
        ("decay_weights", {"weight_decay": nan}),
    ],
)
def test_what_wraps_an_optimizer_refuses_what_is_out_of_range(name, option):
    def call(cg, to):
        find(cg, f"optimizers.{name}")(cg.optimizers.sgd(0.1), **option)

    refusal = told(call)
    assert type(refusal) is ValueError
    assert str(refusal).startswith(f"{name}: `{next(iter(option))}` must be")


@pytest.mark.parametrize("path", STEPPING)
def test_the_state_of_another_rule_is_refused(path):
    other = "lion" if path != "optimizers.lion" else "sgd"

    def step(cg, to):
        w = to(six.copy())
        state = getattr(cg.optimizers, other)(0.1).init(w)
        make = find(cg, path)
        wraps = {
            "ema": {},
            "clip": {"norm": 1.0},
            "decay_weights": {"weight_decay": 0.1},
            "maximize": {},
        }.get(make.__name__)
        if sees_layers(make):
            rule = make(cg.network([2, 1]), lr=0.1)  # of three weights
        elif wraps is None:
            rule = make(lr=0.1)
        else:
            rule = make(cg.optimizers.sgd(0.1), **wraps)
        rule.step(w, to(six.copy()), state)

    refusal = told(step)
    assert type(refusal) is TypeError
    assert f"got {other.capitalize()}State." in str(refusal)
    assert "step: `state` must be that of the optimizer" in str(refusal)


@pytest.mark.parametrize("case", ["nan", "inf", "integers", "a list"])
@pytest.mark.parametrize("limit", ["norm", "value"])
def test_what_cannot_be_clipped_changes_nothing(limit, case):
    bad, error, words = NO_GRADS[case]

    def call(cg, to):
        opt = cg.optimizers.clip(cg.optimizers.sgd(0.1, momentum=0.5), **{limit: 1})
        w, state = on_the_way(opt, to)
        with unchanged(w, *state.inner):
            opt.step(w, bad(to), state)

    refusal = told(call)
    assert type(refusal) is error
    assert str(refusal).startswith("clip.step: `grad`")
    assert words in str(refusal)


@pytest.mark.parametrize("rows", [(), (1,), (3,)])
@pytest.mark.parametrize("path", OPTIMIZERS)
@once
@given(data=st.data())
def test_the_state_of_other_weights_changes_nothing(path, rows, data):
    chosen = data.draw(options(both(path)[0]))

    def call(cg, to):
        opt = find(cg, path)(**chosen)
        w, other = to(W.copy()), opt.init(to(np.ones((*rows, 3))))
        with unchanged(w, *other):
            opt.step(w, to(GRAD), other)

    refusal = told(call)
    assert type(refusal) is ShapeError
    assert str(refusal).startswith(f"{path.split('.')[1]}.step: ")
    assert "`w` (...) is (2, 3)" in str(refusal)
    assert "`state." in str(refusal)


@pytest.mark.parametrize("shape", [(3, 1), (1, 1), (1, 3), (2, 3), (2,)])
@pytest.mark.parametrize("path", OPTIMIZERS)
@once
@given(data=st.data())
def test_rates_that_do_not_fit_change_nothing(path, shape, data):
    chosen = data.draw(options(both(path)[0]))

    def call(cg, to):
        opt = find(cg, path)(**chosen | {"lr": to(np.ones(shape))})
        w = to(W.copy())
        state = opt.init(w)
        with unchanged(w, *state):
            opt.step(w, to(GRAD), state)

    refusal = told(call)
    assert type(refusal) is ShapeError
    wanted = "one rate for each network, shape (2, 1) for `w` of shape (2, 3), got "
    assert f"{wanted}{shape}" in str(refusal)


@pytest.mark.parametrize("rate", [-0.1, nan, inf])
@pytest.mark.parametrize("path", OPTIMIZERS)
@once
@given(data=st.data())
def test_a_schedule_that_runs_out_of_range_changes_nothing(path, rate, data):
    chosen = data.draw(options(both(path)[0]))

    def call(cg, to):
        opt = find(cg, path)(**chosen | {"lr": lambda t: 0.1 if t < 2 else rate})
        w, state = on_the_way(opt, to)
        with unchanged(w, *state):
            opt.step(w, to(GRAD), state)

    refusal = told(call)
    assert type(refusal) is ValueError
    assert f"`lr` must be a finite number from 0, got {rate:g}" in str(refusal)


@pytest.mark.parametrize("path", OPTIMIZERS)
@few
@given(data=st.data())
def test_weights_that_are_their_own_gradient_step_as_a_copy_of_them_does(path, data):
    chosen = data.draw(options(both(path)[0]))
    for to, make in zip(TO, both(path), strict=True):
        opt = make(**chosen)
        w, v = to(W.copy()), to(W.copy())
        state, other = opt.init(w), opt.init(v)
        for _ in range(3):
            w, state = opt.step(w, w, state)
            v, other = opt.step(v, to(ndarray(v).copy()), other)
        np.testing.assert_array_equal(ndarray(w), ndarray(v))


def train(cg, to, x, y, *, lr=0.1, epochs=1):
    net = cg.network([2, 1])
    w = net.init(scheme="zeros")
    with unchanged(w):
        return cg.training.fit(
            net,
            w,
            to(x),
            to(y),
            loss=cg.losses.mse,
            optimizer=cg.optimizers.sgd(lr),
            epochs=epochs,
        )


@pytest.mark.parametrize("value", [nan, inf])
def test_the_trainer_refuses_numbers_that_are_not_finite(value):
    good, bad = np.ones((3, 2)), last(value, 3, 2)
    refusal = told(lambda cg, to: train(cg, to, bad, np.ones((3, 1))))
    assert type(refusal) is ValueError
    assert str(refusal).startswith(f"fit: `x` has {value} at index (2, 1)")
    refusal = told(lambda cg, to: train(cg, to, good, last(value, 3, 1)))
    assert type(refusal) is ValueError
    assert f"`targets` has {value} at index (2, 0)" in str(refusal)


def test_the_trainer_stops_when_the_loss_is_no_longer_finite_and_keeps_what_was():
    for cg, to in zip(BACKENDS, TO, strict=True):
        trace = train(cg, to, np.ones((3, 2)), np.ones((3, 1)), lr=1e6, epochs=100)
        assert trace.stopped == "diverged"
        assert trace.steps < 100
        assert np.isfinite(ndarray(trace.w)).all()
