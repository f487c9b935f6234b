"""``chalkgrad bench``: a quick look at how fast this machine trains."""

import importlib
import importlib.util
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from rich.table import Table

from chalkgrad._core.install import advise
from chalkgrad.cli import _show as show
from chalkgrad.cli._options import BenchOptions
from chalkgrad.data._shared import digits

__all__ = ["run"]

ROUNDS = 3  # by turns, so that a busy moment does not hit one contestant alone
LR = 1e-3


def run(options: BenchOptions) -> int:
    """Run the command; return its exit code."""
    contestants = {"chalkgrad, NumPy": _ours(options, "numpy", "cpu")}
    if importlib.util.find_spec("torch"):
        contestants["chalkgrad, PyTorch"] = _ours(options, "torch", options.device)
        contestants["a plain loop in PyTorch"] = _plain(options)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, train in contestants.items():
            began = time.perf_counter()
            train()
            seconds[name].append(time.perf_counter() - began)
    rows = options.epochs * len(digits()[1])
    sizes = "-".join(map(str, [64, *options.hidden, 10]))
    table = Table(
        title=f"{sizes}, Adam, batches of {options.batch_size}, {options.dtype}"
    )
    table.add_column("who")
    table.add_column("examples/s", justify="right")
    for name, times in seconds.items():
        table.add_row(name, f"{rows / min(times):,.0f}")
    show.console().print(table)
    if len(seconds) == 1:
        show.console().print(f"PyTorch would be timed, too: {advise('torch')}.")
    return 0


def _ours(options: BenchOptions, backend: str, device: str) -> Callable[[], Any]:
    cg = importlib.import_module(f"chalkgrad.{backend}")
    x, labels = digits()
    x = cg.array(x, dtype=options.dtype, device=device)
    labels = cg.array(labels, device=device)
    net = cg.network([64, *options.hidden, 10])
    return lambda: cg.training.fit(
        net,
        net.init(dtype=options.dtype, device=device),
        x,
        labels,
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(LR),
        epochs=options.epochs,
        batch_size=options.batch_size,
        progress=False,
    )


def _plain(options: BenchOptions) -> Callable[[], None]:
    """What one would write: modules, autograd, and PyTorch's own Adam."""
    import torch

    cross_entropy: Any = torch.nn.functional.cross_entropy
    pixels, labels = digits()
    x = torch.tensor(pixels, dtype=getattr(torch, options.dtype), device=options.device)
    y = torch.tensor(labels, device=options.device)

    def train() -> None:
        layers: list[torch.nn.Module] = []
        for d, k in pairwise([64, *options.hidden, 10]):
            layers += [torch.nn.Linear(d, k), torch.nn.ReLU()]
        net = torch.nn.Sequential(*layers[:-1]).to(x)
        optimizer = torch.optim.Adam(net.parameters(), LR)
        for _ in range(options.epochs):
            order = torch.randperm(len(x), device=x.device)
            for rows in torch.split(order, options.batch_size):
                optimizer.zero_grad()
                cross_entropy(net(x[rows]), y[rows]).backward()
                optimizer.step()
        if x.is_cuda:
            torch.cuda.synchronize()

    return train
