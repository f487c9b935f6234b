"""Backend, versions, device, threads and seed: the same ones give the same bits."""

import os
import subprocess
import sys

import pytest

TRAINING = """
import hashlib
import chalkgrad.{backend} as cg

x, labels = cg.data.spirals(120, rng=3)
net = cg.network([2, 16, 2], activation="gelu")
wrappers = {{"ema", "clip", "decay_weights", "maximize"}}
for rng in (2, 3):
    digest = hashlib.sha256()
    for name in sorted(set(cg.optimizers.__all__) - wrappers):
        first = (net,) if name in ("lamb", "muon") else ()
        trace = cg.training.fit(
            net, net.init(rng=1), x, labels, loss=cg.losses.cross_entropy,
            optimizer=getattr(cg.optimizers, name)(*first, lr=0.1),
            epochs=2, batch_size=16, rng=rng,
        )
        digest.update(cg.asnumpy(trace.w).tobytes())
    print(digest.hexdigest())
"""


def trained(backend, *, hash_seed):
    """Train with every rule in a new process; return digests of the weights by seed."""
    program = TRAINING.format(backend=backend)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_two_processes_train_to_the_same_bits(backend):
    once, other = trained(backend, hash_seed="1")
    assert trained(backend, hash_seed="2") == [once, other]
    assert other != once
