"""Schedules against torch.optim.lr_scheduler: 250 steps to 1e-12."""

import math

import pytest

from chalkgrad.schedules import _shared as schedules

torch = pytest.importorskip("torch")
lr_scheduler = torch.optim.lr_scheduler

LR = 0.3
STEPS = 250


def judged(make):
    """Give the rates that a scheduler of PyTorch sets at every step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = make(optimizer)
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def warm(optimizer, *, steps, then):
    """Climb as `warmup` does."""
    ramp = lr_scheduler.LinearLR(
        optimizer, start_factor=1 / (steps + 1), total_iters=steps
    )
    return lr_scheduler.SequentialLR(optimizer, [ramp, then], milestones=[steps])


CASES = {
    "constant": (
        schedules.constant(LR),
        lambda opt: lr_scheduler.LambdaLR(opt, lambda _: 1.0),
    ),
    "step": (
        schedules.step(LR, every=30, factor=0.1),
        lambda opt: lr_scheduler.StepLR(opt, step_size=30, gamma=0.1),
    ),
    "step, growing": (
        schedules.step(LR, every=7, factor=1.1),
        lambda opt: lr_scheduler.StepLR(opt, step_size=7, gamma=1.1),
    ),
    "exponential": (
        schedules.exponential(LR, rate=0.05),
        lambda opt: lr_scheduler.ExponentialLR(opt, gamma=math.exp(-0.05)),
    ),
    "cosine": (
        schedules.cosine(LR, steps=STEPS),
        lambda opt: lr_scheduler.CosineAnnealingLR(opt, T_max=STEPS),
    ),
    "cosine, floor": (
        schedules.cosine(LR, steps=STEPS, floor=0.02),
        lambda opt: lr_scheduler.CosineAnnealingLR(opt, T_max=STEPS, eta_min=0.02),
    ),
    "warmup, constant": (
        schedules.warmup(schedules.constant(LR), steps=20),
        lambda opt: lr_scheduler.LinearLR(opt, start_factor=1 / 21, total_iters=20),
    ),
    "warmup, cosine": (
        schedules.warmup(schedules.cosine(LR, steps=STEPS), steps=40),
        lambda opt: warm(
            opt, steps=40, then=lr_scheduler.CosineAnnealingLR(opt, T_max=STEPS)
        ),
    ),
    "join": (
        schedules.join(
            [
                schedules.constant(LR),
                schedules.step(LR, every=10, factor=0.5),
                schedules.exponential(LR, rate=0.01),
            ],
            boundaries=[60, 130],
        ),
        lambda opt: lr_scheduler.SequentialLR(
            opt,
            [
                lr_scheduler.LambdaLR(opt, lambda _: 1.0),
                lr_scheduler.StepLR(opt, step_size=10, gamma=0.5),
                lr_scheduler.ExponentialLR(opt, gamma=math.exp(-0.01)),
            ],
            milestones=[60, 130],
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_rate_is_that_of_torch(name):
    ours, theirs = CASES[name]
    # torch multiplies its way down, so the smallest rates carry its rounding.
    assert [ours(t) for t in range(STEPS)] == pytest.approx(
        judged(theirs), rel=1e-12, abs=1e-15
    )
