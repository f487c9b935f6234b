"""The contract: both halves have the same names and signatures, and agree."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
import torch

import chalkgrad.numpy as reference
import chalkgrad.torch as twin

TOPICS = ["activations", "losses", "optimizers", "perceptron"]
NAMES = [
    pytest.param(topic, name, id=f"{topic}.{name}")
    for topic in TOPICS
    for name in getattr(reference, topic).__all__
]
RNG = np.random.default_rng(0)


def read_only(x):
    x = np.array(x)
    x.flags.writeable = False
    return x


def both(topic, name):
    return getattr(getattr(reference, topic), name), getattr(getattr(twin, topic), name)


def agree(a, b, rtol=1e-12):
    np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=rtol, atol=1e-300)


@pytest.mark.parametrize("topic", TOPICS)
def test_both_halves_export_the_same_names(topic):
    assert getattr(reference, topic).__all__ == getattr(twin, topic).__all__


@pytest.mark.parametrize(("topic", "name"), NAMES)
def test_signatures_are_equal(topic, name):
    a, b = (
        [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]
        for f in both(topic, name)
    )
    assert a == b


def test_the_reference_needs_numpy_alone():
    code = (
        "import chalkgrad.numpy, sys; assert not {'torch', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", reference.activations.__all__)
def test_activations_agree(name, dtype):
    z = read_only([-800, -50, -6, -1, -1e-3, 0, 1e-3, 1, 6, 50, 800]).astype(dtype)
    f, g = both("activations", name)
    a, b = f(read_only(z)), g(torch.tensor(z))
    assert a.dtype == dtype == str(b.dtype).removeprefix("torch.")
    agree(a, b, {"float32": 1e-6, "float64": 1e-14}[dtype])


def arguments(name, dtype):
    if name.startswith("cross"):
        logits = RNG.normal(size=(40, 5)) * np.geomspace(1, 800, 40)[:, None]
        return logits.astype(dtype), RNG.integers(0, 5, 40)
    first = (RNG.normal(size=40) * np.geomspace(1e-3, 800, 40)).astype(dtype)
    if name.startswith("binary"):
        return first, RNG.choice([0, 0.3, 1], 40).astype(dtype)
    if name.startswith(("hinge", "perceptron")):
        return first, RNG.choice([-1, 1], 40)
    return first, RNG.normal(size=40).astype(dtype)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", reference.losses.__all__)
def test_losses_agree(name, dtype, reduction):
    args = arguments(name, dtype)
    f, g = both("losses", name)
    a = f(*map(read_only, args), reduction=reduction)
    b = g(*map(torch.tensor, args), reduction=reduction)
    assert a.dtype == dtype == str(b.dtype).removeprefix("torch.")
    agree(a, b, {"float32": 3e-6, "float64": 1e-12}[dtype])


@pytest.mark.parametrize(
    "name", [n for n in reference.losses.__all__ if not n.endswith("_grad")]
)
def test_autograd_finds_the_gradient_that_is_written(name):
    args = arguments(name, "float64")
    f, slope = (getattr(twin.losses, n) for n in (name, f"{name}_grad"))
    z = torch.tensor(args[0], requires_grad=True)
    f(z, torch.tensor(args[1])).backward()
    agree(slope(z.detach(), torch.tensor(args[1])), z.grad)
    assert torch.isfinite(z.grad).all()


OPTIMIZERS = {
    "sgd": ({"lr": 0.1, "momentum": 0.9, "nesterov": True}, torch.optim.SGD),
    "adagrad": ({"lr": 0.1}, torch.optim.Adagrad),
    "rmsprop": ({"lr": 0.01}, torch.optim.RMSprop),
    "adam": ({"lr": 0.01}, torch.optim.Adam),
    "adamw": ({"lr": 0.01, "weight_decay": 0.1}, torch.optim.AdamW),
}


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-14), ("float32", 2e-6)])
@pytest.mark.parametrize("name", reference.optimizers.__all__)
def test_200_steps_are_those_of_torch_optim(name, dtype, rtol):
    kwargs, peer = OPTIMIZERS[name]
    rng = np.random.default_rng(1)
    start = rng.normal(size=(30,)).astype(dtype)
    ours, twins = (make(**kwargs) for make in both("optimizers", name))
    w, v = read_only(start), torch.tensor(start)
    p = torch.nn.Parameter(torch.tensor(start))
    theirs = peer([p], **kwargs)
    state, other, storage = ours.init(w), twins.init(v), v.data_ptr()
    for _ in range(200):
        g = rng.normal(size=30).astype(dtype)
        w, state = ours.step(read_only(w), read_only(g), state)
        v, other = twins.step(v, torch.tensor(g), other)
        p.grad = torch.tensor(g)
        theirs.step()
    assert v.data_ptr() == storage
    np.testing.assert_allclose(w, p.detach().numpy(), rtol=rtol, atol=rtol)
    np.testing.assert_allclose(v, p.detach().numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "softplus"])
def test_networks_agree_and_autograd_agrees_with_backpropagation(activation, skip):
    sizes = [4, 6, 6, 3]
    a, b = (
        h.network(sizes, activation=activation, skip=skip) for h in (reference, twin)
    )
    x, y = RNG.normal(size=(7, 4)), RNG.integers(0, 3, 7)
    w = a.init(rng=range(2), scheme="xavier")
    loss, grad = a.loss_and_grad(read_only(w), x, y, reference.losses.cross_entropy)
    args = twin.array(w), twin.array(x), twin.array(y)
    loss2, grad2 = b.loss_and_grad(*args, twin.losses.cross_entropy)
    agree(loss, loss2)
    np.testing.assert_allclose(grad2, grad, rtol=1e-10, atol=1e-14)
    v = args[0].clone().requires_grad_()
    logits = b.forward(v, args[1]).reshape(-1, 3)
    twin.losses.cross_entropy(logits, args[2].repeat(2), reduction="sum").backward()
    np.testing.assert_allclose(v.grad / 7, grad, rtol=1e-10, atol=1e-14)
    assert all(np.shares_memory(w, m) for layer in a.layers(w) for m in layer)


def test_rosenblatt_keeps_novikoffs_bound_in_both_halves():
    x, labels = reference.data.separable(60, rng=0)
    targets = 2 * labels - 1
    fits = [h.perceptron.fit(h.array(x), h.array(targets)) for h in (reference, twin)]
    assert fits[0].mistakes == fits[1].mistakes
    assert fits[0].converged
    agree(fits[0].w, fits[1].w)
    for half, found in zip((reference, twin), fits, strict=True):
        args = found.w, half.array(x), half.array(targets)
        bound = half.perceptron.mistake_bound(*args)
        assert sum(found.mistakes) <= bound
        scores = half.perceptron.neuron(*args[:2])
        assert (scores * args[2] > 0).all()


BAD = {
    "rank": ("losses", "mse", np.zeros((3, 1)), np.zeros(3)),
    "size": ("losses", "mse", np.zeros((3, 2)), np.zeros((1, 2))),
    "nan": ("losses", "mse", np.zeros(2), np.array([0, np.nan])),
    "empty": ("losses", "mse", np.zeros(0), np.zeros(0)),
    "integers": ("losses", "mse", np.zeros(2, "int64"), np.zeros(2)),
    "mixed": ("losses", "mse", np.zeros(2), np.zeros(2, "float32")),
    "complex": ("losses", "mse", np.zeros(2, "complex128"), np.zeros(2)),
    "class too large": ("losses", "cross_entropy", np.zeros((2, 3)), np.array([0, 3])),
    "class below 0": ("losses", "cross_entropy", np.zeros((2, 3)), np.array([0, -1])),
    "masked": ("losses", "cross_entropy", np.array([[-np.inf, 0]]), np.array([0])),
    "label 2": ("losses", "binary_cross_entropy", np.zeros(2), np.array([0.0, 2.0])),
    "target 0": ("losses", "hinge", np.zeros(2), np.array([0, 1])),
    "neuron": ("perceptron", "neuron", np.zeros(2), np.zeros((3, 2))),
    "inseparable": (
        "perceptron",
        "mistake_bound",
        np.ones(2),
        np.ones((2, 1)),
        np.array([1, -1]),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_in_the_same_words(case):
    topic, name, *args = BAD[case]
    words = []
    for f, make in zip(both(topic, name), (np.asarray, torch.tensor), strict=True):
        with pytest.raises((ValueError, TypeError, IndexError)) as caught:
            f(*map(make, args))
        words.append((type(caught.value), str(caught.value)))
    assert words[0] == words[1]
    assert words[0][1].startswith(f"{name}:") or case == "inseparable"


@pytest.mark.parametrize("kwargs", [{"lr": -0.1}, {"lr": np.nan}, {"lr": np.inf}])
@pytest.mark.parametrize("name", reference.optimizers.__all__)
def test_bad_rates_are_refused(name, kwargs):
    for make in both("optimizers", name):
        with pytest.raises(ValueError, match=f"{name}: `lr` must be a finite number"):
            make(**kwargs)


def test_a_gradient_that_is_not_finite_changes_nothing():
    for half in (reference, twin):
        opt, w = half.optimizers.adam(), half.array([1.0, 2.0])
        state = opt.init(w)
        with pytest.raises(ValueError, match="`grad` has nan at index"):
            opt.step(w, half.array([0.0, np.nan]), state)
        assert w.tolist() == [1.0, 2.0]
        assert not state.m.any()
