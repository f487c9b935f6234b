"""Every public function on the pretended cards: there, and with the CPU's numbers."""

import re
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.backends import FUNCTIONS, STEPPING, applied, both, tensor
from tests.contract.strategies import arguments, contract
from tests.gpu.places import PLACES, at, numbers, problem, tensors

import chalkgrad.torch as cg

once = settings(contract, max_examples=1)


def same(ours, theirs, rtol=0.0):
    """The CPU computes both, so no bit may differ."""
    ours, theirs = numbers(ours), numbers(theirs)
    assert len(ours) == len(theirs)
    assert ours
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=rtol, atol=0)


def on(out, home):
    for a in tensors(out):
        assert str(a.device) == home


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("path", FUNCTIONS)
@once
@given(data=st.data())
def test_what_is_drawn_is_computed_where_it_is(path, where, data):
    _, f = both(path)
    args = data.draw(arguments(f))
    with at(where) as place:
        out = f(**applied(tensor, args, place.home))
        # A list of numbers comes to the host, as what a figure is drawn of.
        on(out, place.home)
    same(out, f(**applied(tensor, args)))


MIXED = [
    path
    for path in FUNCTIONS
    if path.partition(".")[0] in ("losses", "landscape", "perceptron")
]


@pytest.mark.parametrize("path", MIXED)
@once
@given(data=st.data())
def test_two_devices_are_refused_with_advice_that_works(path, data):
    _, f = both(path)
    args = applied(tensor, data.draw(arguments(f, whole=True)), "cuda:0")
    names = [name for name, a in args.items() if isinstance(a, torch.Tensor)]
    wanted = f(**args)
    for name in names[:1] if len(names) > 1 else ():
        given = args | {name: args[name].to("cuda:1")}
        for _ in range(len(names)):  # as often as another array is found elsewhere
            with pytest.raises(cg.DeviceError) as told:
                f(**given)
            given = followed(str(told.value), given)
            if len({given[n].device for n in names}) == 1:
                break
        same(f(**given), wanted)


def followed(message, given):
    """Do what an error advises."""
    advice = re.search(r"cg\.array\((\w+), device=\"([\w:]+)\"\)", message)
    assert advice, message
    name, device = advice.groups()
    return given | {name: cg.array(given[name], device=device)}


def rosenbrock(w):
    a, b = w[..., :-1], w[..., 1:]
    return ((1 - a) ** 2 + 100 * (b - a**2) ** 2).sum()


slope = cg.autodiff.value_and_grad(rosenbrock)


def start(device):
    return cg.array([-1.0, 1.5], device=device)


def stepped(optimizer, w):
    state = optimizer.init(w)
    grad = cg.autodiff.grad(rosenbrock)
    for _ in range(3):
        w, state = optimizer.step(w, grad(w), state)
    return w, state


def many(device, of=3):
    net, w, x, y = problem(device)
    return net, torch.stack([w * (1 + i) for i in range(of)]), x, y


def compared(device):
    f = cg.experiments.rosenbrock()
    rules = {"sgd": cg.optimizers.sgd(1e-3), "adam": cg.optimizers.adam()}
    return list(cg.experiments.compare_optimizers(f, rules, steps=3).values())


def tuned():
    f = cg.experiments.rosenbrock()
    return cg.experiments.compare(
        {"sgd": cg.optimizers.sgd}, f, rates=[1e-4, 1e-3], steps=3, starts=2
    )


def saved(device, folder):
    _, w, *_ = problem(device)
    state = cg.optimizers.adam().init(w)
    path = cg.checkpoints.save(folder, {"w": w, "state": state}, step=1)
    back = cg.checkpoints.load(path, like={"w": w, "state": state})
    return back["w"], tuple(back["state"])


# What has no drawn arguments, with a call that stands for it.
CALLS = {
    "array": lambda d: cg.array([1.0, 2.0], device=d),
    "asnumpy": lambda d: cg.asnumpy(start(d)),
    "autodiff.check_grads": lambda d: [
        cg.autodiff.check_grads(rosenbrock, start(d)),
        0,
    ],
    "autodiff.grad": lambda d: cg.autodiff.grad(rosenbrock)(start(d)),
    "autodiff.hessian": lambda d: cg.autodiff.hessian(rosenbrock)(start(d)),
    "autodiff.hvp": lambda d: cg.autodiff.hvp(rosenbrock, start(d), start(d)),
    "autodiff.jacobian": lambda d: cg.autodiff.jacobian(lambda w: w**3)(start(d)),
    "autodiff.jvp": lambda d: cg.autodiff.jvp(rosenbrock, start(d), start(d)),
    "autodiff.value_and_grad": lambda d: slope(start(d)),
    "autodiff.vjp": lambda d: cg.autodiff.vjp(lambda w: w**3, start(d))[1](start(d)),
    "data.batches": lambda d: list(cg.data.batches(*problem(d)[2:], size=10, rng=0)),
    "data.scale": lambda d: cg.data.scale(problem(d)[2]).x,
    "data.split": lambda d: cg.data.split(*problem(d)[2:]),
    "landscape.sharpness": lambda d: cg.landscape.sharpness(
        *problem(d), cg.losses.cross_entropy
    )[:2],
    "landscape.loss_grid": lambda d: cg.landscape.loss_grid(
        *problem(d),
        cg.losses.cross_entropy,
        cg.landscape.directions(*problem(d)[:2]),
        points=5,
    ),
    "line_search.armijo": lambda d: stepped(cg.line_search.armijo(slope), start(d)),
    "line_search.lbfgs": lambda d: stepped(cg.line_search.lbfgs(slope), start(d)),
    "line_search.newton": lambda d: stepped(
        cg.line_search.newton(slope, lambda w, v: cg.autodiff.hvp(rosenbrock, w, v)),
        start(d),
    ),
    "line_search.polyak": lambda d: stepped(cg.line_search.polyak(slope), start(d)),
    "line_search.wolfe": lambda d: stepped(cg.line_search.wolfe(slope), start(d)),
    "losses.loss": lambda d: cg.losses.loss(lambda p, t: abs(p - t) ** 3)(
        start(d), 2 * start(d)
    ),
    "network.forward": lambda d: problem(d)[0].forward(*problem(d)[1:3]),
    "network.loss_and_grad": lambda d: problem(d)[0].loss_and_grad(
        *problem(d)[1:], cg.losses.cross_entropy
    ),
    "network.loss_and_grad of many": lambda d: many(d)[0].loss_and_grad(
        *many(d)[1:], cg.losses.cross_entropy
    ),
    "experiments.train": lambda d: cg.experiments.train(
        *many(d),
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(0.01),
        steps=4,
        batch_size=10,
    ),
    "training.accuracy": lambda d: cg.training.accuracy(*problem(d)),
    "training.confusion": lambda d: cg.training.confusion(*problem(d)),
    "training.predict": lambda d: cg.training.predict(*problem(d)[:3]),
    "training.probabilities": lambda d: cg.training.probabilities(*problem(d)[:3]),
    "training.find_lr": lambda d: tuple(
        cg.training.find_lr(
            *problem(d), loss=cg.losses.cross_entropy, optimizer=cg.optimizers.sgd
        )
    ),
    "training.sanity_check": lambda d: [
        (check.passed, check.value)
        for check in cg.training.sanity_check(*problem(d), loss=cg.losses.cross_entropy)
    ],
}
# Those that take no place: they make arrays on the default device.
MADE = {
    "blobs": lambda: cg.data.blobs(6),
    "circles": lambda: cg.data.circles(6),
    "digits": cg.data.digits,
    "line": lambda: cg.data.line(6),
    "encode_labels": lambda: cg.data.encode_labels(["a", "b", "a"]).ids,
    "moons": lambda: cg.data.moons(6),
    "separable": lambda: cg.data.separable(6),
    "spirals": lambda: cg.data.spirals(6),
    "xor": lambda: cg.data.xor(6),
    "beale": lambda: cg.experiments.beale().start,
    "himmelblau": lambda: cg.experiments.himmelblau().start,
    "plateau": lambda: cg.experiments.plateau().start,
    "quadratic": lambda: cg.experiments.quadratic(3.0).start,
    "rosenbrock": lambda: cg.experiments.rosenbrock().start,
    "saddle": lambda: cg.experiments.saddle().start,
    "styblinski_tang": lambda: cg.experiments.styblinski_tang().start,
    "compare": lambda: tuned().sweep,
    "compare_optimizers": lambda: compared(None),
}
# Text, plain numbers, files, or what is judged on the CPU.
ELSEWHERE = {
    "backprop", "checkpoints", "hardware", "judge", "schedules", "training.fit",
    "data.describe", "data.load",
}  # fmt: skip


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_computes_where_its_arrays_are(name, where):
    with at(where) as place:
        out = CALLS[name](place.device)
        on(out, place.home)
    # For a card, autograd adds up in threads of its own.
    same(out, CALLS[name]("cpu"), rtol=1e-11)


@pytest.mark.parametrize("name", MADE)
def test_what_makes_arrays_makes_them_on_the_default_device(name):
    wanted = MADE[name]()
    with at("default") as place:
        out = MADE[name]()
        on(out, place.home)
    same(out, wanted)


def test_a_table_is_read_onto_the_default_device(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("1,2,0\n3,4,1\n")
    with at("default") as place:
        table = cg.data.load(path)
        on([table.x, table.labels], place.home)
        assert table.x.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("where", PLACES)
def test_a_checkpoint_brings_back_where_what_it_is_like_is(where, tmp_path):
    with at(where) as place:
        out = saved(place.device, tmp_path)
        on(out, place.home)
        cpu = problem("cpu")[1]
        like = {"w": cpu, "state": cg.optimizers.adam().init(cpu)}
        back = cg.checkpoints.load(cg.checkpoints.latest(tmp_path).path, like=like)
        on(back["w"], "cpu")
    same(out[0], back["w"])


def test_no_public_function_is_forgotten():
    made = {
        f"{'data' if hasattr(cg.data, name) else 'experiments'}.{name}" for name in MADE
    }
    known = {*FUNCTIONS, *STEPPING, *CALLS, *made}
    names = []
    for name in cg.__all__:
        topic = getattr(cg, name)
        if not isinstance(topic, ModuleType):
            names += [] if isinstance(topic, type) else [name]
        elif name not in ELSEWHERE:
            names += [
                f"{name}.{one}"
                for one in topic.__all__
                if not isinstance(getattr(topic, one), type)
            ]
    assert [n for n in names if n not in known | ELSEWHERE | {"network"}] == []
