"""Rules that see the layers of a network: both backends, and the papers by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import chalkgrad.numpy as reference
import chalkgrad.torch as twin

from .backends import (
    BACKENDS,
    DTYPES,
    LAYERED,
    agree,
    applied,
    both,
    ndarray,
    read_only,
    tensor,
)
from .strategies import contract, few, options

STEPS = 6
NAMES = [path.partition(".")[2] for path in LAYERED]
both_backends = pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])
every_rule = pytest.mark.parametrize("name", NAMES)


def walk(opt, w, grads):
    state = opt.init(w)
    for grad in grads:
        w, state = opt.step(w, grad, state)
    return w, state


@pytest.mark.parametrize("dtype", DTYPES)
@every_rule
@contract
@given(data=st.data())
def test_steps_are_alike_in_both_backends(name, dtype, data):
    chosen = data.draw(options(getattr(reference.optimizers, name)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    lead = data.draw(st.sampled_from([(), (2,), (2, 3)]))
    size = (*lead, chosen["net"].size)
    w, *grads = read_only(rng.normal(size=(STEPS + 1, *size)).astype(dtype))
    ours = walk(getattr(reference.optimizers, name)(**chosen), w, grads)
    make = getattr(twin.optimizers, name)(**applied(tensor, chosen))
    v = tensor(w)
    theirs = walk(make, v, [tensor(grad) for grad in grads])
    assert theirs[0] is v
    # Newton and Schulz enlarge the last digits of small directions by 3.4445^5 = 485.
    agree(ours, theirs, dtype, size=485.0 if name == "muon" else 1.0)


@every_rule
@both_backends
def test_many_networks_walk_as_each_does_alone(cg, name):
    net = cg.network([3, 4, 2])
    rng = np.random.default_rng(0)
    w, *grads = (cg.array(rng.normal(size=(2, net.size))) for _ in range(5))
    rates = cg.array([[0.1], [0.01]])
    make = getattr(cg.optimizers, name)
    rows, _ = walk(make(net, rates), w + 0, grads)
    for i, lr in enumerate((0.1, 0.01)):
        falling = make(net, cg.schedules.constant(lr))
        row, _ = walk(falling, w[i] + 0, [grad[i] + 0 for grad in grads])
        np.testing.assert_allclose(ndarray(row), ndarray(rows[i]), rtol=1e-12)


@every_rule
@both_backends
def test_a_plan_steps_as_the_reference(cg, name):
    net = cg.network([3, 4, 2])
    rng = np.random.default_rng(0)
    x, labels = cg.array(rng.normal(size=(9, 3))), cg.array(rng.integers(0, 2, 9))
    opt = getattr(cg.optimizers, name)(net, 0.01)
    loss, w = cg.losses.cross_entropy, net.init()
    plan = net.plan(w, loss=loss, optimizer=opt, batch_size=9)
    state = opt.init(w)
    for _ in range(10):
        _, grad = net.loss_and_grad(w, x, labels, loss)
        w, state = opt.step(w, grad, state)
        plan(x, labels)
    np.testing.assert_allclose(ndarray(plan.w), ndarray(w), rtol=1e-12)


@every_rule
@both_backends
def test_it_is_made_again_by_its_words(cg, name):
    opt = getattr(cg.optimizers, name)(cg.network([2, 1]), 0.1)
    assert repr(opt) == f"cg.optimizers.{name}(cg.network([2, 1]), 0.1)"
    assert eval(repr(opt), {"cg": cg}) == opt
    assert getattr(cg.optimizers, name)(cg.network([1, 1]), 0.1) != opt


@every_rule
@both_backends
def test_other_weights_than_those_of_the_network_are_refused(cg, name):
    make = getattr(cg.optimizers, name)
    with pytest.raises(ValueError, match=f"{name}.init: the last axis is 3 in the net"):
        make(cg.network([2, 1])).init(cg.array([1.0, 2.0]))
    for net in ([2, 1], 0.1, None):
        with pytest.raises(TypeError, match=f"{name}: `net` must be a network, made"):
            make(net)


@every_rule
@few
@given(power=st.sampled_from([-30, -10, 0, 10, 18]))
def test_any_size_of_gradient_gives_a_step_of_the_same_size(name, power):
    """Both rules divide by what they see; the decay of lamb is left out."""
    net = reference.network([3, 2])
    off = {"weight_decay": 0.0, "eps": 0.0} if name == "lamb" else {}
    opt = getattr(reference.optimizers, name)(net, 0.1, **off)
    rng = np.random.default_rng(1)
    w, grad = rng.normal(size=(2, net.size))
    plain, _ = opt.step(w, grad, opt.init(w))
    scaled, _ = opt.step(w, grad * 10.0**power, opt.init(w))
    np.testing.assert_allclose(scaled, plain, rtol=1e-9)


@both_backends
def test_lamb_is_the_recursion_of_its_paper(cg):
    net, lr, beta1, beta2, eps, decay = cg.network([2, 3, 1]), 0.1, 0.8, 0.9, 1e-6, 0.02
    rng = np.random.default_rng(2)
    start, *grads = rng.normal(size=(8, net.size))
    opt = cg.optimizers.lamb(
        net, lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=decay
    )
    found, _ = walk(opt, cg.array(start), map(cg.array, grads))
    w, m, v = start.tolist(), [0.0] * net.size, [0.0] * net.size
    blocks = [range(9), range(9, 13)]  # 2 · 3 + 3 and 3 · 1 + 1
    for t, grad in enumerate(grads, 1):
        u = []
        for i, g in enumerate(grad):
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g * g
            m_hat, v_hat = m[i] / (1 - beta1**t), v[i] / (1 - beta2**t)
            u.append(m_hat / (math.sqrt(v_hat) + eps) + decay * w[i])
        for block in blocks:
            size, length = (math.hypot(*(x[i] for i in block)) for x in (w, u))
            for i in block:
                w[i] -= lr * size / length * u[i]
    np.testing.assert_allclose(ndarray(found), w, rtol=1e-12)


@both_backends
def test_a_layer_of_zeros_steps_as_adam(cg):
    net, grad = cg.network([1, 1]), cg.array([1.0, -10.0])
    w = cg.array([0.0, 0.0])
    opt = cg.optimizers.lamb(net, 0.1, weight_decay=0.0, eps=0.0)
    w, _ = opt.step(w, grad, opt.init(w))
    np.testing.assert_allclose(ndarray(w), [-0.1, 0.1], rtol=1e-12)


@both_backends
@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_is_the_recursion_of_newton_and_schulz(cg, nesterov):
    net, lr, mu, decay = cg.network([2, 5, 3]), 0.1, 0.9, 0.02
    rng = np.random.default_rng(3)
    start, *grads = rng.normal(size=(7, net.size))
    opt = cg.optimizers.muon(
        net, lr, momentum=mu, nesterov=nesterov, weight_decay=decay
    )
    found, _ = walk(opt, cg.array(start), map(cg.array, grads))
    for block, shape in ((slice(15), (3, 5)), (slice(15, 33), (6, 3))):
        w, m = start[block].reshape(shape), np.zeros(shape)
        for grad in grads:
            g = grad[block].reshape(shape)
            m = mu * m + (1 - mu) * g
            u = mu * m + (1 - mu) * g if nesterov else m
            # Of U S V^T an odd polynomial changes S alone.
            left, s, right = np.linalg.svd(u, full_matrices=False)
            s = s / np.linalg.norm(u)
            for _ in range(5):
                s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
            gain = math.sqrt(max(1, shape[1] / shape[0]))
            w = (1 - lr * decay) * w - lr * gain * (left * s) @ right
        np.testing.assert_allclose(ndarray(found)[block], w.ravel(), rtol=1e-11)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this PyTorch has none")
@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_is_that_of_torch_optim_which_rounds_to_bfloat16(nesterov):
    net = twin.network([2, 5])
    rng = np.random.default_rng(4)
    start, *grads = rng.normal(size=(5, net.size))
    opt = twin.optimizers.muon(net, 0.1, nesterov=nesterov, weight_decay=0.1)
    found, _ = walk(opt, tensor(start), map(tensor, grads))
    # A layer is inputs by outputs here, and outputs by inputs there.
    p = torch.nn.Parameter(tensor(start).reshape(3, 5).T.contiguous())
    peer = torch.optim.Muon([p], lr=0.1, nesterov=nesterov, weight_decay=0.1)
    for grad in grads:
        p.grad = tensor(grad).reshape(3, 5).T.contiguous()
        peer.step()
    np.testing.assert_allclose(
        ndarray(found).reshape(3, 5), ndarray(p).T, atol=0.02 * 0.1 * len(grads)
    )


@every_rule
def test_a_compiled_step_is_one_graph(name):
    net = twin.network([2, 3, 1])
    opt = getattr(twin.optimizers, name)(net, 0.1)
    torch.compiler.reset()
    compiled = torch.compile(opt.step, fullgraph=True, backend="eager")
    rng = np.random.default_rng(0)
    w, *grads = torch.tensor(rng.normal(size=(5, net.size)))
    v, state, other = w.clone(), opt.init(w), opt.init(w)
    for grad in grads:
        w, state = compiled(w, grad, state)
        v, other = opt.step(v, grad, other)
    torch.testing.assert_close(w, v, rtol=1e-12, atol=0)


def test_there_are_two():
    assert LAYERED == ["optimizers.lamb", "optimizers.muon"]
    assert all(inner is not None for inner in map(both, LAYERED))
