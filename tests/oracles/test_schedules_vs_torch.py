"""Schedules against torch.optim.lr_scheduler: 250 steps to 1e-12."""

import math
import random

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


def one_cycle(optimizer, **options):
    """Cycle over all steps, with the momentum left alone."""
    return lr_scheduler.OneCycleLR(
        optimizer, LR, total_steps=STEPS, cycle_momentum=False, **options
    )


def cyclic(optimizer, **options):
    return lr_scheduler.CyclicLR(optimizer, 0.02, LR, cycle_momentum=False, **options)


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
    "cosine_restarts": (
        schedules.cosine_restarts(LR, period=40, floor=0.02),
        lambda opt: lr_scheduler.CosineAnnealingWarmRestarts(opt, 40, eta_min=0.02),
    ),
    "cosine_restarts, longer and longer": (
        schedules.cosine_restarts(LR, period=7, multiplier=3),
        lambda opt: lr_scheduler.CosineAnnealingWarmRestarts(opt, 7, T_mult=3),
    ),
    "polynomial": (
        schedules.polynomial(LR, steps=200),
        lambda opt: lr_scheduler.PolynomialLR(opt, total_iters=200),
    ),
    "polynomial, power": (
        schedules.polynomial(LR, steps=STEPS, power=0.9),
        lambda opt: lr_scheduler.PolynomialLR(opt, total_iters=STEPS, power=0.9),
    ),
    "inverse_sqrt": (
        schedules.inverse_sqrt(LR, steps=50),
        # What the paper writes, by the scheduler that takes any function.
        lambda opt: lr_scheduler.LambdaLR(
            opt, lambda t: 50**0.5 * min((t + 1) ** -0.5, (t + 1) * 50**-1.5)
        ),
    ),
    "one_cycle": (
        schedules.one_cycle(LR, steps=STEPS),
        lambda opt: one_cycle(opt),
    ),
    "one_cycle, other numbers": (
        schedules.one_cycle(
            LR, steps=STEPS, pct_start=0.123, start_factor=0.1, end_factor=0.001
        ),
        lambda opt: one_cycle(
            opt, pct_start=0.123, div_factor=10.0, final_div_factor=100.0
        ),
    ),
    "cosine, beyond its end": (
        schedules.cosine(LR, steps=60, floor=0.02, periodic=True),
        lambda opt: lr_scheduler.CosineAnnealingLR(opt, T_max=60, eta_min=0.02),
    ),
    "linear": (
        schedules.linear(LR, steps=100, start_factor=1 / 3),
        lambda opt: lr_scheduler.LinearLR(opt, total_iters=100),
    ),
    "linear, downwards": (
        schedules.linear(LR, steps=70, start_factor=0.9, end_factor=0.1),
        lambda opt: lr_scheduler.LinearLR(opt, 0.9, 0.1, total_iters=70),
    ),
    "one_cycle, straight": (
        schedules.one_cycle(LR, steps=STEPS, pct_start=0.37, straight=True),
        lambda opt: one_cycle(opt, pct_start=0.37, anneal_strategy="linear"),
    ),
    "one_cycle, three phases": (
        schedules.one_cycle(LR, steps=STEPS, three_phases=True),
        lambda opt: one_cycle(opt, three_phase=True),
    ),
    "one_cycle, three straight phases": (
        schedules.one_cycle(
            LR, steps=STEPS, pct_start=0.45, straight=True, three_phases=True
        ),
        lambda opt: one_cycle(
            opt, pct_start=0.45, three_phase=True, anneal_strategy="linear"
        ),
    ),
    "cyclic": (
        schedules.cyclic(LR, steps_up=13, floor=0.02),
        lambda opt: cyclic(opt, step_size_up=13),
    ),
    "cyclic, falling faster": (
        schedules.cyclic(LR, steps_up=17, steps_down=4, floor=0.02),
        lambda opt: cyclic(opt, step_size_up=17, step_size_down=4),
    ),
    "cyclic, triangular2": (
        schedules.cyclic(LR, steps_up=13, floor=0.02, cycle_factor=0.5),
        lambda opt: cyclic(opt, step_size_up=13, mode="triangular2"),
    ),
    "cyclic, exp_range": (
        schedules.cyclic(LR, steps_up=13, floor=0.02, step_factor=0.99),
        lambda opt: cyclic(opt, step_size_up=13, mode="exp_range", gamma=0.99),
    ),
    "warmup_stable_decay": (
        schedules.warmup_stable_decay(LR, steps=STEPS, warmup_steps=30, decay_steps=80),
        lambda opt: lr_scheduler.SequentialLR(
            opt,
            [
                lr_scheduler.LinearLR(opt, start_factor=1 / 31, total_iters=30),
                lr_scheduler.PolynomialLR(opt, total_iters=80),
            ],
            milestones=[STEPS - 80],
        ),
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


@pytest.mark.filterwarnings("ignore:The epoch parameter")  # PyTorch 2.6, of itself
@pytest.mark.parametrize("name", CASES)
def test_every_rate_is_that_of_torch(name):
    ours, theirs = CASES[name]
    # torch multiplies its way down, so the smallest rates carry its rounding.
    assert [ours(t) for t in range(STEPS)] == pytest.approx(
        judged(theirs), rel=1e-12, abs=1e-15
    )


@pytest.mark.parametrize(("factor", "patience"), [(0.5, 0), (0.9, 3), (0.7, 10)])
def test_every_rate_on_a_plateau_is_that_of_torch(factor, patience):
    # A noisy loss that falls in stairs; some of what it falls is below the threshold.
    noise = random.Random(0)
    told = [
        math.exp(-(t // 30)) * noise.choice([1, 0.99995, 1.1]) for t in range(STEPS)
    ]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=factor, patience=patience, eps=0.0
    )
    losses = []
    ours = schedules.plateau(LR, losses, factor=factor, patience=patience)
    rates, theirs = [], []
    for t, loss in enumerate(told):
        rates.append(ours(t))
        theirs.append(optimizer.param_groups[0]["lr"])
        losses.append(loss)
        scheduler.step(loss)
    assert rates == pytest.approx(theirs, rel=1e-12, abs=1e-300)
    assert len(set(rates)) > 3
