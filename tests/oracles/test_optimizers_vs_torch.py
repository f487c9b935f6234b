"""The configurations of torch.optim that can be said here: 100 steps to 1e-12."""

from fractions import Fraction

import numpy as np
import pytest

import chalkgrad.numpy
import chalkgrad.torch

torch = pytest.importorskip("torch")

STEPS = 100
optim = torch.optim


def wrapped(maximize=False, weight_decay=0.0):
    """Say by wrappers what PyTorch says by options of every rule."""

    def wrap(o, rule):
        if weight_decay:
            rule = o.decay_weights(rule, weight_decay=weight_decay)
        return o.maximize(rule) if maximize else rule

    return wrap


# PyTorch's class, its options; our rule, its options. What both have, stands once.
SAID = [
    (optim.SGD, "sgd", {"lr": 0.1}, {}, {}),
    (optim.SGD, "sgd", {"lr": 0.1, "momentum": 0.9}, {}, {}),
    (optim.SGD, "sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, {}, {}),
    (optim.SGD, "sgd", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}, {}, {}),
    (optim.SGD, "sgd", {"lr": 0.1, "momentum": 0.9, "dampening": 1.0}, {}, {}),
    (optim.Adam, "adam", {"lr": 0.01}, {}, {}),
    (
        optim.Adam,
        "adam",
        {"lr": 0.01},
        {"betas": (0.8, 0.95)},
        {"beta1": 0.8, "beta2": 0.95},
    ),
    (optim.Adam, "adam", {"lr": 0.01, "eps": 1e-3}, {}, {}),
    (optim.Adam, "adam", {"lr": 0.01, "amsgrad": True}, {}, {}),
    (optim.AdamW, "adamw", {"lr": 0.01}, {}, {}),
    (optim.AdamW, "adamw", {"lr": 0.01, "weight_decay": 0.2}, {}, {}),
    (optim.Adagrad, "adagrad", {"lr": 0.1}, {}, {}),
    (optim.Adagrad, "adagrad", {"lr": 0.1, "eps": 1e-3}, {}, {}),
    (
        optim.Adagrad,
        "adagrad",
        {},
        {"lr": 0.1, "lr_decay": 0.05},
        {"lr": lambda t: 0.1 / (1 + 0.05 * t)},
    ),
    (optim.Adadelta, "adadelta", {"lr": 1.0}, {}, {}),
    (optim.Adadelta, "adadelta", {"lr": 0.5}, {"rho": 0.8}, {"decay": 0.8}),
    (optim.RMSprop, "rmsprop", {"lr": 0.01}, {}, {}),
    (optim.RMSprop, "rmsprop", {"lr": 0.01}, {"alpha": 0.9}, {"decay": 0.9}),
    (optim.RMSprop, "rmsprop", {"lr": 0.01, "centered": True}, {}, {}),
    (optim.RMSprop, "rmsprop", {"lr": 0.01, "momentum": 0.9}, {}, {}),
    (
        optim.RMSprop,
        "rmsprop",
        {"lr": 0.01, "momentum": 0.9, "centered": True},
        {},
        {},
    ),
    (optim.NAdam, "nadam", {"lr": 0.01}, {}, {}),
    (optim.RAdam, "radam", {"lr": 0.01}, {}, {}),
    (optim.Adamax, "adamax", {}, {}, {}),
    (
        optim.Adamax,
        "adamax",
        {"lr": 0.01, "eps": 1e-3},
        {"betas": (0.8, 0.95)},
        {"beta1": 0.8, "beta2": 0.95},
    ),
    (optim.Rprop, "rprop", {}, {}, {}),
    (
        optim.Rprop,
        "rprop",
        {"lr": 0.1},
        {"etas": (0.3, 1.5), "step_sizes": (1e-2, 0.5)},
        {"shrink": 0.3, "grow": 1.5, "smallest": 1e-2, "largest": 0.5},
    ),
    (optim.ASGD, "asgd", {}, {}, {}),
    (
        optim.ASGD,
        "asgd",
        {"lr": 0.1},
        {"lambd": 0.01, "alpha": 0.6, "t0": 20},
        {"weight_decay": 0.01, "power": 0.6, "delay": 20},
    ),
]
# AdamW's decay is its own, and Rprop has none.
MORE = [
    {},
    {"maximize": True},
    {"weight_decay": 0.1},
    {"maximize": True, "weight_decay": 0.1},
]
CONFIGURATIONS = [
    pytest.param(*said, more, id=f"{said[1]} {i} {' and '.join(more) or 'alone'}")
    for i, said in enumerate(SAID)
    for more in MORE
    if not (said[1] in ("adamw", "rprop") and "weight_decay" in more)
]


def test_enough_can_be_said():
    assert len(CONFIGURATIONS) >= 55


@pytest.fixture(autouse=True)
def exact():
    """NAdam and ASGD keep numbers in the default dtype; the weights are float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize(
    "cg", [chalkgrad.numpy, chalkgrad.torch], ids=["numpy", "torch"]
)
@pytest.mark.parametrize(
    ("peer", "name", "both", "theirs", "ours", "more"), CONFIGURATIONS
)
def test_steps_are_those_of_torch_optim(cg, peer, name, both, theirs, ours, more):
    rng = np.random.default_rng(7)
    start, grads = rng.normal(size=12), rng.normal(size=(STEPS, 12))
    p = torch.nn.Parameter(torch.tensor(start))
    judge = peer([p], **both, **theirs, **more)
    make = getattr(cg.optimizers, name)
    rule = wrapped(**more)(cg.optimizers, make(**both, **ours))
    w = cg.array(start)
    state = rule.init(w)
    for grad in grads:
        p.grad = torch.tensor(grad)
        judge.step()
        w, state = rule.step(w, cg.array(grad), state)
    np.testing.assert_allclose(
        cg.asnumpy(w), p.detach().numpy(), rtol=1e-12, atol=1e-12
    )
    if name == "asgd":  # its average is what to predict with
        mean = judge.state[p]["ax"].numpy()
        np.testing.assert_allclose(cg.asnumpy(rule.weights(w, state)), mean, 1e-12)


@pytest.mark.parametrize(
    "cg", [chalkgrad.numpy, chalkgrad.torch], ids=["numpy", "torch"]
)
def test_options_that_do_not_go_together_are_refused(cg):
    o = cg.optimizers
    with pytest.raises(ValueError, match="`nesterov` needs `momentum` above 0 and no"):
        o.sgd(0.1, momentum=0.9, nesterov=True, dampening=0.5)
    with pytest.raises(ValueError, match="`dampening` needs `momentum` above 0"):
        o.sgd(0.1, dampening=0.5)
    with pytest.raises(
        ValueError, match="`dampening` must be a finite number from 0 to"
    ):
        o.sgd(0.1, momentum=0.9, dampening=1.5)


@pytest.mark.parametrize(
    "cg", [chalkgrad.numpy, chalkgrad.torch], ids=["numpy", "torch"]
)
def test_a_variance_keeps_its_digits_where_a_difference_has_none(cg):
    """Of gradients that are nearly alike, v - m^2 cancels."""
    rule = cg.optimizers.rmsprop(1e-3, centered=True, decay=0.9)
    w, state = cg.array([0.0]), rule.init(cg.array([0.0]))
    grads = [1.0 + 1e-9 * (t % 2) for t in range(400)]
    mean = spread = Fraction(0)
    for grad in grads:
        w, state = rule.step(w, cg.array([grad]), state)
        off = Fraction(grad) - mean
        spread = Fraction(0.9) * (spread + (1 - Fraction(0.9)) * off**2)
        mean += (1 - Fraction(0.9)) * off
        mean, spread = (x.limit_denominator(10**60) for x in (mean, spread))
    assert cg.asnumpy(state.v)[0] == pytest.approx(float(spread), rel=1e-6)
