"""What PyTorch does not ship, against the papers' recursions, weight by weight."""

import math

import numpy as np
import pytest
import torch
from tests.contract.backends import OPTIMIZERS
from tests.contract.test_steps import PEERS

import chalkgrad.numpy
import chalkgrad.torch

STEPS = 200


def lion(w, grads, lr, beta1, beta2, weight_decay):
    m = [0.0] * len(w)
    for g in grads:
        for i, gi in enumerate(g):
            along = math.copysign(1, beta1 * m[i] + (1 - beta1) * gi)
            w[i] -= lr * (along + weight_decay * w[i])
            m[i] = beta2 * m[i] + (1 - beta2) * gi
    return w


def schedule_free_adamw(w, grads, lr, beta1, beta2, eps, weight_decay):
    z, x, v, n = list(w), list(w), [0.0] * len(w), range(len(w))
    for t, g in enumerate(grads, 1):
        y = [(1 - beta1) * z[i] + beta1 * x[i] for i in n]
        for i in n:
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
            step = g[i] / (math.sqrt(v[i] / (1 - beta2**t)) + eps)
            z[i] -= lr * (step + weight_decay * y[i])
            x[i] += (z[i] - x[i]) / t
    return [(1 - beta1) * z[i] + beta1 * x[i] for i in n]


def barzilai_borwein(w, grads, lr):
    eta, before, last = lr, None, None
    for g in grads:
        if before is not None:
            s = [a - b for a, b in zip(w, before, strict=True)]
            y = [a - b for a, b in zip(g, last, strict=True)]
            bend = math.fsum(a * b for a, b in zip(s, y, strict=True))
            if bend > 0:
                eta = math.fsum(a * a for a in s) / bend
        before, last = list(w), g
        w = [a - eta * b for a, b in zip(w, g, strict=True)]
    return w


def dog(w, grads, lr, eps):
    start, total = list(w), 0.0
    far = 1e-6 * (1 + math.hypot(*w))
    for g in grads:
        far = max(far, math.dist(w, start))
        total += math.hypot(*g) ** 2
        w = [
            a - lr * far / math.sqrt(total + eps) * b for a, b in zip(w, g, strict=True)
        ]
    return w


def prodigy(w, grads, lr, beta1, beta2, eps):
    n = range(len(w))
    start, m, v, s = list(w), [0.0] * len(w), [0.0] * len(w), [0.0] * len(w)
    r, d, slow = 0.0, 1e-6, math.sqrt(beta2)
    for g in grads:
        m = [beta1 * m[i] + (1 - beta1) * d * g[i] for i in n]
        v = [beta2 * v[i] + (1 - beta2) * d**2 * g[i] ** 2 for i in n]
        pull = math.fsum(g[i] * (start[i] - w[i]) for i in n)
        r = slow * r + (1 - slow) * lr * d**2 * pull
        s = [slow * s[i] + (1 - slow) * lr * d**2 * g[i] for i in n]
        w = [w[i] - lr * d * m[i] / (math.sqrt(v[i]) + d * eps) for i in n]
        d = max(d, r / math.fsum(map(abs, s)))
    return w


def hypergradient(w, grads, lr, hyper_lr):
    last = [0.0] * len(w)
    for g in grads:
        lr += hyper_lr * math.fsum(a * b for a, b in zip(g, last, strict=True))
        w, last = [a - lr * b for a, b in zip(w, g, strict=True)], g
    return w


BETAS = {"beta1": 0.9, "beta2": 0.99}
RULES = [
    (lion, {"lr": 0.01, "weight_decay": 0.1, **BETAS}),
    (schedule_free_adamw, {"lr": 0.01, "weight_decay": 0.1, "eps": 1e-8, **BETAS}),
    (barzilai_borwein, {"lr": 0.01}),
    (dog, {"lr": 1.0, "eps": 1e-8}),
    (prodigy, {"lr": 1.0, "eps": 1e-8, **BETAS}),
    (hypergradient, {"lr": 0.01, "hyper_lr": 1e-4}),
]


def test_every_optimizer_has_a_judge_from_outside():
    judged = {rule.__name__ for rule, _ in RULES} | {name.split()[0] for name in PEERS}
    assert {f"optimizers.{name}" for name in judged} == set(OPTIMIZERS)


@pytest.mark.parametrize(("rule", "chosen"), RULES, ids=[f.__name__ for f, _ in RULES])
@pytest.mark.parametrize("backend", [chalkgrad.numpy, chalkgrad.torch])
def test_200_steps_are_those_of_the_paper(rule, chosen, backend):
    rng = np.random.default_rng(1)
    start, centre = rng.normal(size=(2, 7))
    curvatures = np.geomspace(1, 30, 7)
    opt = getattr(backend.optimizers, rule.__name__)(**chosen)
    w = backend.array(start)
    state, grads = opt.init(w), []
    for _ in range(STEPS):  # on a bowl, so that rates have something to adapt to
        grad = backend.array(curvatures * (backend.asnumpy(w) - centre))
        grads.append(backend.asnumpy(grad).tolist())
        w, state = opt.step(w, grad, state)
    wanted = rule(start.tolist(), grads, **chosen)
    np.testing.assert_allclose(backend.asnumpy(w), wanted, rtol=1e-12, atol=1e-12)
    assert np.isfinite(wanted).all()


def test_a_rate_of_its_own_needs_no_knob_on_a_bowl():
    """Dog, Prodigy and Barzilai-Borwein find the bottom with what they start with."""
    cg = chalkgrad.numpy
    curvatures = np.array([1.0, 10.0])
    for opt in (
        cg.optimizers.dog(),
        cg.optimizers.prodigy(),
        cg.optimizers.barzilai_borwein(lr=1e-3),
    ):
        w = np.array([2.0, 1.0])
        state = opt.init(w)
        for _ in range(3000):
            w, state = opt.step(w, curvatures * w, state)
        assert abs(w).max() < 0.02


def test_schedule_free_hands_its_average_to_fit():
    cg = chalkgrad.torch
    x, targets = cg.data.line(100)
    net = cg.network([1, 1])
    trace = cg.training.fit(
        net,
        net.init(),
        x,
        targets,
        loss=cg.losses.mse,
        optimizer=cg.optimizers.schedule_free_adamw(lr=0.1),
        epochs=200,
        validation=(x, targets),
    )
    value = cg.losses.mse(net.forward(trace.w, x), targets)
    assert float(value) == pytest.approx(trace.validation_loss[-1], rel=1e-12)
    assert torch.is_tensor(trace.w)
