"""What a tape costs, against the engines that a reader would pick instead."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import chalkgrad.numpy as cg
from benchmarks.harness import Contest, Runner
from benchmarks.peers import needs

TOPICS = ("autodiff", "network", "losses")


def answer(found: tuple[Any, Any]) -> list[float]:
    """Compare by the loss, and by the size of the gradient."""
    value, grad = found
    grad = grad[0] if isinstance(grad, tuple) else grad
    return [float(value), float(abs(grad).sum())]


# --- A long chain of small steps ------------------------------------------------------

X, A, LINKS = np.linspace(-1, 2, 16), np.full(16, 1.0001), 1000


def _chain(x: Any, a: Any) -> Any:
    for _ in range(LINKS // 2):
        x = x * a
        x = x + a
    return x.sum()


def _chain_torch() -> Runner:
    torch = needs("torch")
    x, a = torch.tensor(X), torch.tensor(A)

    def run() -> tuple[Any, Any]:
        leaf = x.clone().requires_grad_()
        value = _chain(leaf, a)
        value.backward()
        return value.detach(), leaf.grad

    return Runner(run, LINKS, answer)


def _chain_mygrad() -> Runner:
    mg = needs("mygrad")

    def run() -> tuple[Any, Any]:
        leaf = mg.tensor(X)
        value = _chain(leaf, A)
        value.backward()
        return value.data, leaf.grad

    return Runner(run, LINKS, answer)


def chain() -> Contest:
    """A chain of 1000 products and sums."""
    ours = cg.autodiff.value_and_grad(_chain)
    contestants = {
        "chalkgrad.numpy": lambda: Runner(lambda: ours(X, A), LINKS, answer),
        "torch": _chain_torch,
        "autograd": lambda: Runner(
            partial(needs("autograd").value_and_grad(_chain), X, A), LINKS, answer
        ),
        "mygrad": _chain_mygrad,
    }
    title = "Gradient of a chain of 1000 products and sums of 16 numbers, float64"
    return Contest(title, "link", TOPICS[:1], contestants, {})


# --- A network ------------------------------------------------------------------------


def network() -> Contest:
    """Loss and gradient of a network that reads digits."""
    x, labels = cg.data.digits()
    x, labels = x[:200].astype("float32"), labels[:200]
    net = cg.network([64, 100, 10])
    w = net.init(dtype="float32")

    def loss(w: Any) -> Any:
        return cg.losses.cross_entropy(net.forward(w, x), labels)

    def textbook() -> Runner:
        m = needs("autograd.numpy")

        def loss(w: Any) -> Any:
            w1, b1, w2, b2 = w[:6400], w[6400:6500], w[6500:7500], w[7500:]
            h = m.maximum(m.dot(x, w1.reshape(64, 100)) + b1, 0)
            z = m.dot(h, w2.reshape(100, 10)) + b2
            top = m.max(z, axis=1, keepdims=True)
            log_sum = m.log(m.sum(m.exp(z - top), axis=1)) + top[:, 0]
            return m.mean(log_sum - z[m.arange(200), labels])

        slope = needs("autograd").value_and_grad(loss)
        return Runner(lambda: slope(w), 1, answer)

    def eager() -> Runner:
        torch = needs("torch")
        tx, ty = torch.tensor(x), torch.tensor(labels)
        tw = torch.tensor(w)

        def run() -> tuple[Any, Any]:
            leaf = tw.clone().requires_grad_()
            h = torch.relu(tx @ leaf[:6400].view(64, 100) + leaf[6400:6500])
            z = h @ leaf[6500:7500].view(100, 10) + leaf[7500:]
            value = torch.nn.functional.cross_entropy(z, ty)
            value.backward()
            return value.detach(), leaf.grad

        return Runner(run, 1, answer)

    def by_hand() -> tuple[Any, Any]:
        return net.loss_and_grad(w, x, labels, cg.losses.cross_entropy)

    ours = cg.autodiff.value_and_grad(loss)
    contestants = {
        "chalkgrad.numpy": lambda: Runner(lambda: ours(w), 1, answer),
        "chalkgrad.numpy, by hand": lambda: Runner(by_hand, 1, answer),
        "torch": eager,
        "autograd": textbook,
    }
    title = "Loss and gradient of a network 64-100-10, 200 images"
    return Contest(title, "gradient", TOPICS, contestants, {})


CONTESTS: dict[str, Callable[[], Contest]] = {"tape": chain, "tape, digits": network}
