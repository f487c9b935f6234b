"""Steps, runs and commands on the pretended cards end where the CPU's do."""

import copy
import warnings

import numpy as np
import pytest
import torch
from tests.gpu.places import PLACES, at, numbers, problem, rule

import chalkgrad.torch as cg
from chalkgrad.interop import TorchOptimizer

LOSSES = [
    "binary_cross_entropy", "cross_entropy", "hinge", "huber", "mae", "mse",
    "perceptron",
]  # fmt: skip


def same(ours, theirs):
    for one, other in zip(numbers(ours), numbers(theirs), strict=True):
        np.testing.assert_array_equal(one, other)


def planned(device, loss="cross_entropy", name="adam", steps=6, **options):
    """Take steps, the last of them with fewer rows; return all that is left."""
    net, w, x, y = problem(device, loss)
    step = net.plan(
        w,
        loss=getattr(cg.losses, loss),
        optimizer=rule(name, net),
        batch_size=len(x),
        **options,
    )
    losses = [step(x[i:], y[i:]).clone() for i in [0] * steps + [5]]
    return losses, step.w, step.grad, step.state


@pytest.mark.parametrize("where", ["cuda:0", "cuda:1"])
@pytest.mark.parametrize("name", cg.optimizers.__all__)
def test_a_plan_steps_by_every_rule(name, where):
    with at(where) as place:
        ours = planned(place.device, name=name)
    same(ours, planned("cpu", name=name))
    assert str(ours[1].device) == place.home


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_plan_steps_down_every_loss(loss, where):
    with at(where) as place:
        ours = planned(place.device, loss)
    same(ours, planned("cpu", loss))


@pytest.mark.parametrize("where", ["cuda:1"])
def test_a_reference_step_is_taken_where_the_weights_are(where):
    def stepped(device, name):
        net, w, x, y = problem(device)
        opt = rule(name, net)
        state = opt.init(w)
        for _ in range(3):
            _, grad = net.loss_and_grad(w, x, y, cg.losses.cross_entropy)
            w, state = opt.step(w, grad, state)
        return w, state

    with at(where) as place:
        for name in cg.optimizers.__all__:
            same(stepped(place.device, name), stepped("cpu", name))


def fitted(device, **options):
    net, w, x, y = problem(device, n=40)
    given = {"epochs": 3, "batch_size": 16, "optimizer": cg.optimizers.adam(0.05)}
    loss = cg.losses.cross_entropy
    run = cg.training.fit(net, w, x, y, loss=loss, **given | options)
    return run._replace(seconds=0.0)


@pytest.mark.parametrize("where", PLACES)
def test_fit_ends_with_the_weights_of_the_cpu(where):
    with at(where) as place:
        _, _, x, y = problem(place.device)
        ours = fitted(place.device, validation=(x, y), patience=2)
    _, _, x, y = problem("cpu")
    same(ours, fitted("cpu", validation=(x, y), patience=2))
    assert str(ours.w.device) == place.home


def test_a_run_goes_on_on_another_device(tmp_path):
    whole = fitted("cpu", epochs=4)
    for epochs, device in enumerate(("cuda:1", "cpu", "cuda:0"), 2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that the device is another
            run = fitted(device, epochs=epochs, checkpoints=tmp_path, resume=epochs > 2)
    same(run.w, whole.w)


def test_a_plan_is_copied_with_its_state():
    net, w, x, y = problem("cuda:1")
    step = net.plan(
        w,
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(0.01),
        batch_size=24,
    )
    for _ in range(4):
        step(x, y)
    again = copy.deepcopy(step)
    same([step(x, y) for _ in range(3)], [again(x, y) for _ in range(3)])


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("name", ["adam", "clip", "dog"])
def test_the_optimizer_of_a_loop_steps_where_the_parameters_are(name, where):
    def stepped(device):
        p, q = (
            torch.nn.Parameter(cg.array(np.arange(1.0, n), device=device))
            for n in (4, 6)
        )
        opt = TorchOptimizer([p, q], rule(name, None))
        for _ in range(3):
            opt.zero_grad()
            ((p**2).sum() + (q**3).sum()).backward()
            opt.step()
        return p, q

    with at(where) as place:
        ours = stepped(place.device)
        assert {str(a.device) for a in ours} == {place.home}
    same(ours, stepped("cpu"))


def test_a_command_trains_and_looks_on_a_card(tmp_path, capsys):
    from chalkgrad.cli import main

    told = []
    for device in ("cuda:1", "cpu"):
        folder = str(tmp_path / device.replace(":", ""))
        words = ["--backend", "torch", "--device", device]
        main(["train", *words, "--data", "moons", "--epochs", "2", "--output", folder])
        capsys.readouterr()
        main(["evaluate", folder])
        told.append(capsys.readouterr().out)
    assert told[0].replace("cuda1", "cpu") == told[1]
