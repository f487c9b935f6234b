"""What a step on a card costs, counted: waits, copies from the host, captures."""

import json
import math
from functools import partial

import numpy as np
import pytest
import torch
from tests.gpu.card import the_card
from tests.gpu.places import problem, rule

import chalkgrad.torch as cg
from benchmarks import counted


@pytest.fixture
def card():
    the_card().forget()
    return the_card()


def plan(name="adam", loss="cross_entropy", **options):
    net, w, x, y = problem("cuda:1", loss)
    step = net.plan(
        w,
        loss=getattr(cg.losses, loss),
        optimizer=rule(name, net),
        batch_size=24,
        **options,
    )
    return step, x, y


@pytest.mark.parametrize("name", cg.optimizers.__all__)
def test_a_step_of_a_plan_waits_once_and_copies_nothing(name, card):
    step, x, y = plan(name)
    for _ in range(8):  # RAdam begins to trust v
        step(x, y)
    card.forget()
    for _ in range(3):
        step(x, y)
    is_captured = step._optimizer.is_capturable
    if is_captured:
        assert card.count("wait") == 3, card.by_line("wait")
        assert card.count("replay") == 6
    assert card.count("to card") == 0, card.by_line("to card")
    assert card.count("capture") == 0
    assert is_captured == (name not in ("asgd", "ema"))


def test_the_counted_table_is_what_is_counted():
    saved = json.loads(counted.RESULTS.read_text("utf-8"))["costs"]
    assert counted.count() == saved


LOSSES = {
    "cross_entropy": cg.losses.cross_entropy,
    "cross_entropy, as a partial": partial(cg.losses.cross_entropy),
    "cross_entropy, smoothed": partial(cg.losses.cross_entropy, label_smoothing=0.1),
    "binary_cross_entropy": cg.losses.binary_cross_entropy,
    "hinge": cg.losses.hinge,
    "huber": cg.losses.huber,
    "huber, narrow": partial(cg.losses.huber, delta=0.25),
    "mae": cg.losses.mae,
    "mse": cg.losses.mse,
    "perceptron": cg.losses.perceptron,
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_down_every_loss_is_captured(name, card):
    kind = name.partition(",")[0]

    def run(device):
        net, w, x, y = problem(device, kind)
        opt = cg.optimizers.sgd(0.05)
        return net.plan(w, loss=LOSSES[name], optimizer=opt, batch_size=24), x, y

    (step, *rows), (other, *there) = run("cuda:1"), run("cpu")
    for _ in range(4):
        np.testing.assert_allclose(float(step(*rows)), float(other(*there)), 1e-14)
    card.forget()
    step(*rows)
    assert card.count("replay") == 2
    assert card.count("wait") == 1
    # What the loss refuses is refused in its words, and changes nothing.
    before = step.w.tolist()
    for bad in (9, -1) if kind == "cross_entropy" else (math.nan,):
        wrong = rows[1].clone()
        wrong[3] = bad
        told = []
        for one, x, y in ((step, rows[0], wrong), (other, there[0], wrong.cpu())):
            with pytest.raises((ValueError, IndexError)) as caught:
                one(x, y)
            told.append(str(caught.value))
        assert told[0] == told[1]
    assert step.w.tolist() == before


def epochs(card, epochs, **options):
    net, w, x, y = problem("cuda:1", n=80)
    card.forget()
    given = {"optimizer": cg.optimizers.adam(0.01), "batch_size": 16} | options
    loss = cg.losses.cross_entropy
    cg.training.fit(net, w, x, y, loss=loss, epochs=epochs, **given)
    kinds = ("wait", "to card", "capture", "replay")
    return np.array([card.count(kind) for kind in kinds])


def test_fit_waits_once_in_many_steps(card):
    few, many = epochs(card, 3), epochs(card, 13)
    waits, copies, captures, replays = many - few
    # 10 epochs of 5 steps. An epoch ends with a look at the loss and at the weights,
    # and copies the order of its rows, and the sum of the losses before it.
    assert waits <= 3 * 10
    assert copies <= 3 * 10
    assert captures == 0
    assert replays == 50


def test_many_steps_are_read_together(card):
    step, x, y = plan()
    last, total = torch.zeros_like(step.w), np.zeros(())
    step(x, y)
    taken = [step.advance(x, y, last, total) for _ in range(65)]
    assert taken == [True] * 65
    card.forget()
    assert step.is_ahead()
    assert step.read().number == 65
    assert card.count("wait") == 1


def test_a_shape_is_captured_when_it_comes_again_and_the_oldest_is_dropped(card):
    step, x, y = plan("sgd")
    step(x, y)
    step(x, y)  # captures the pass and the step
    card.forget()
    for n in range(20, 10, -1):
        step(x[:n], y[:n])
    assert card.count("capture") == 0
    assert len(step._card._passes) == 0
    for _ in range(3):
        for n in (23, 22, 21):
            step(x[:n], y[:n])
    assert card.count("capture") == 3
    assert len(step._card._passes) == 3


@pytest.mark.parametrize("precision", ["full", "bf16"])
def test_a_run_that_diverges_ends_as_on_the_cpu(precision, card):
    def run(device):
        net, w, x, y = problem(device, "mse", n=80)
        return cg.training.fit(
            net,
            w,
            x,
            y * 1e3,
            loss=cg.losses.mse,
            optimizer=cg.optimizers.sgd(3.0, momentum=0.9),
            epochs=40,
            batch_size=16,
            precision=precision,
        )

    ours, theirs = run("cuda:1"), run("cpu")
    assert ours.stopped == theirs.stopped == "diverged"
    assert ours.steps == theirs.steps
    assert ours.loss.tolist() == theirs.loss.tolist()
    assert ours.w.tolist() == theirs.w.tolist()


@pytest.mark.parametrize("lr", [cg.schedules.cosine(0.1, steps=60), 0.1])
@pytest.mark.parametrize("name", ["adam", "adam, amsgrad", "adamw"])
def test_adam_of_float32_is_one_kernel(name, lr, card):
    kind, _, amsgrad = name.partition(", ")
    options = {"amsgrad": True} if amsgrad else {}

    def run(device):
        net, w, x, y = problem(device)
        step = net.plan(
            cg.array(w, dtype="float32"),
            loss=cg.losses.cross_entropy,
            optimizer=getattr(cg.optimizers, kind)(lr, **options),
            batch_size=24,
        )
        x = cg.array(x, dtype="float32")
        return [float(step(x, y)) for _ in range(50)], step, x, y

    ours, theirs = run("cuda:1"), run("cpu")
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4)
    _, step, x, y = ours
    card.forget()
    step(x, y)
    ours = step._card._steps[None][0].graph.operations
    fused = [op for op in ours if "fused_adam" in op.name]
    assert len(fused) == 1
    assert len(ours) <= 5


@pytest.mark.parametrize("lr", [cg.schedules.cosine(0.1, steps=300), 0.1])
@pytest.mark.parametrize("name", ["adam", "nadam", "radam", "schedule_free_adamw"])
def test_what_hangs_on_the_count_is_right_in_every_step(name, lr, card):
    def run(device):
        net, w, x, y = problem(device)
        step = net.plan(
            w,
            loss=cg.losses.cross_entropy,
            optimizer=getattr(cg.optimizers, name)(lr),
            batch_size=24,
        )
        losses = [float(step(x, y)) for _ in range(300)]
        return losses, step

    ours, theirs = run("cuda:1"), run("cpu")
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-11)
    for a, b in zip(ours[1].state, theirs[1].state, strict=True):
        assert type(a) is type(b) or isinstance(a, torch.Tensor)
        if not isinstance(a, torch.Tensor):
            assert a == b
