"""What a tape costs, against the engines that a reader would pick instead."""

from collections.abc import Callable

import autograd
import autograd.numpy
import numpy as np
import torch

import chalkgrad.numpy as cg

Runs = dict[str, Callable[[], object]]


def chain(device: str) -> Runs:
    """Loss and gradient of a chain of 1000 products and sums of 16 numbers"""
    x, a = np.linspace(-1, 1, 16), np.full(16, 1.0001)

    def f(x, a):  # type: ignore[no-untyped-def] # every engine's arrays
        for _ in range(500):
            x = x * a
            x = x + a
        return x.sum()

    return {
        "chalkgrad.numpy": lambda: cg.autodiff.value_and_grad(f)(x, a),
        "torch": lambda: _torch(f, x, a),
        "autograd": lambda: autograd.value_and_grad(f)(x, a),
    }


def network(device: str) -> Runs:
    """50 times the loss and gradient of a 64-100-10 network, 200 images, float32"""
    x, labels = cg.data.digits()
    x, labels = x[:200].astype("float32"), labels[:200]
    net = cg.network([64, 100, 10])
    w = net.init(dtype="float32")
    rows = np.arange(200)

    def loss(w):  # type: ignore[no-untyped-def]
        return cg.losses.cross_entropy(net.forward(w, x), labels)

    def textbook(w):  # type: ignore[no-untyped-def]
        m = autograd.numpy
        w1, b1, w2, b2 = w[:6400], w[6400:6500], w[6500:7500], w[7500:]
        h = m.maximum(m.dot(x, w1.reshape(64, 100)) + b1, 0)
        z = m.dot(h, w2.reshape(100, 10)) + b2
        top = m.max(z, axis=1, keepdims=True)
        log_sum = m.log(m.sum(m.exp(z - top), axis=1)) + top[:, 0]
        return m.mean(log_sum - z[rows, labels])

    tx, ty = torch.tensor(x), torch.tensor(labels)

    def eager(w):  # type: ignore[no-untyped-def]
        h = torch.relu(tx @ w[:6400].view(64, 100) + w[6400:6500])
        z = h @ w[6500:7500].view(100, 10) + w[7500:]
        return torch.nn.functional.cross_entropy(z, ty)

    def by_hand() -> None:
        net.loss_and_grad(w, x, labels, cg.losses.cross_entropy)

    def often(run: Callable[[], object]) -> Callable[[], None]:
        def runs() -> None:
            for _ in range(50):  # one alone is over before the caches are warm
                run()

        return runs

    return {
        "chalkgrad.numpy": often(lambda: cg.autodiff.value_and_grad(loss)(w)),
        "chalkgrad.numpy, by hand": often(by_hand),
        "torch": often(lambda: _torch(eager, w)),
        "autograd": often(lambda: autograd.value_and_grad(textbook)(w)),
    }


def _torch(f, x, *rest):  # type: ignore[no-untyped-def]
    leaf = torch.tensor(x, requires_grad=True)
    f(leaf, *map(torch.tensor, rest)).backward()
    return leaf.grad
