"""One epoch of training on the digits, by everyone who could do it."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier

import chalkgrad.numpy
import chalkgrad.torch

SIZE = 32
ORDER = np.random.default_rng(0).permutation(1437)


def digits(device: str) -> dict[str, Callable[[], object]]:
    """An epoch of digits: 1437 images, 64-100-10, batches of 32, Adam, float32"""
    x, labels, _, _ = chalkgrad.numpy.data.split(*chalkgrad.numpy.data.digits())
    x = x[ORDER].astype("float32")
    labels = labels[ORDER]
    if device != "cpu":
        torch.set_default_device(device)
    return {
        "chalkgrad.numpy": _ours(chalkgrad.numpy, x, labels),
        "chalkgrad.torch": _ours(chalkgrad.torch, x, labels),
        "torch.nn and torch.optim": _torch(x, labels, device),
        "scikit-learn": _sklearn(x, labels),
    }


def _ours(cg, x, labels):  # type: ignore[no-untyped-def] # either half
    x, labels = cg.array(x), cg.array(labels)
    net = cg.network([64, 100, 10])
    opt = cg.optimizers.adam(lr=0.01)
    w = net.init(dtype="float32")
    state = opt.init(w)

    def epoch() -> None:
        nonlocal w, state
        for start in range(0, len(x), SIZE):
            rows = slice(start, start + SIZE)
            _, grad = net.loss_and_grad(
                w, x[rows], labels[rows], cg.losses.cross_entropy
            )
            w, state = opt.step(w, grad, state)
        if cg is chalkgrad.torch and x.is_cuda:
            torch.cuda.synchronize()

    return epoch


def _torch(x, labels, device):  # type: ignore[no-untyped-def]
    x, labels = torch.tensor(x, device=device), torch.tensor(labels, device=device)
    net = torch.nn.Sequential(
        torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10)
    ).to(device)
    opt = torch.optim.Adam(net.parameters(), lr=0.01)

    def epoch() -> None:
        for start in range(0, len(x), SIZE):
            rows = slice(start, start + SIZE)
            opt.zero_grad()
            logits = net(x[rows])
            torch.nn.functional.cross_entropy(logits, labels[rows]).backward()
            opt.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return epoch


def _sklearn(x, labels):  # type: ignore[no-untyped-def]
    net = MLPClassifier(
        (100,), batch_size=SIZE, learning_rate_init=0.01, alpha=0.0, shuffle=False
    )
    classes = np.unique(labels)
    return lambda: net.partial_fit(x, labels, classes=classes)
