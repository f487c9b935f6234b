"""Data-parallel training: two processes on half a batch each are one on the whole.

This file is the second process too: the test starts it with what it needs to know.
"""

import importlib
import os
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest

STEPS, BATCH = 12, 64


def trained(cg, share, mean):
    """Train on a share of each batch; `mean` averages what all machines have."""
    x, labels = cg.data.digits()
    net, loss = cg.network([64, 16, 10]), cg.losses.cross_entropy
    opt, w = cg.optimizers.adam(1e-2), net.init(rng=0)
    state = opt.init(w)
    for t in range(STEPS):
        rows = np.arange(t * BATCH, (t + 1) * BATCH)[share].tolist()
        _, grad = net.loss_and_grad(w, x[rows], labels[rows], loss)
        w, state = opt.step(w, mean(grad), state)
    return cg.asnumpy(w)


def backend(rank):
    return slice(rank * BATCH // 2, (rank + 1) * BATCH // 2)


def by_pipe(rank, send, receive):
    """Swap gradients through a pair of pipes, and at the end the weights."""
    cg = importlib.import_module("chalkgrad.numpy")

    def swap(a):
        send.write(a.tobytes())
        send.flush()
        return np.frombuffer(receive.read(a.nbytes))

    w = trained(cg, backend(rank), lambda grad: (grad + swap(grad)) / 2)
    return w, swap(w)


def by_gloo(rank, where):
    """Meet at a file; let PyTorch reduce."""
    cg = importlib.import_module("chalkgrad.torch")
    torch = importlib.import_module("torch")
    dist = torch.distributed
    wait = timedelta(days=1)  # one that ends is noticed at once
    dist.init_process_group(
        "gloo", init_method=f"file://{where}", rank=rank, world_size=2, timeout=wait
    )

    def mean(grad):
        grad = grad.cpu()
        dist.all_reduce(grad)
        return cg.array(grad / 2)

    try:
        w = trained(cg, backend(rank), mean)
        both = [torch.zeros(w.shape, dtype=torch.float64) for _ in range(2)]
        dist.all_gather(both, torch.from_numpy(w))
        return both[0].numpy(), both[1].numpy()
    finally:
        dist.destroy_process_group()


def other(*args):
    """Start the second process; if it dies, its pipes end and nobody waits for it."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    command = [sys.executable, __file__, *map(str, args)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=env)


def agree(cg, ours, theirs):
    assert ours.tobytes() == theirs.tobytes()
    alone = trained(cg, slice(0, BATCH), lambda grad: grad)
    np.testing.assert_allclose(ours, alone, rtol=1e-9, atol=1e-12)
    assert abs(alone - cg.asnumpy(cg.network([64, 16, 10]).init(rng=0))).max() > 0.01


def test_two_processes_with_half_a_batch_each_are_one_with_the_whole():
    with other() as process:
        ours, theirs = by_pipe(0, process.stdin, process.stdout)
    assert process.returncode == 0
    agree(importlib.import_module("chalkgrad.numpy"), ours, theirs)


def test_so_are_two_that_let_pytorch_reduce(tmp_path):
    torch = pytest.importorskip("torch")
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        pytest.skip("this PyTorch has no gloo")
    with other(tmp_path / "meet") as process:
        ours, theirs = by_gloo(0, tmp_path / "meet")
    assert process.returncode == 0
    agree(importlib.import_module("chalkgrad.torch"), ours, theirs)


if __name__ == "__main__":
    if sys.argv[1:]:
        by_gloo(1, sys.argv[1])
    else:
        by_pipe(1, sys.stdout.buffer, sys.stdin.buffer)
