"""A process that dies takes nothing along: all go on from the checkpoint, at once."""

import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
    pytest.skip("this PyTorch has no gloo", allow_module_level=True)

WORKER = Path(__file__).with_name("worker.py")
STEPS = 6 * 5  # epochs, and batches in each


def trained(backend, folder, *, dies=-1, after=0, restarts=3):
    """Train in two processes, of which one may die; return how it ended."""
    folder.mkdir()
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    how = ["--nproc-per-node", "2", "--max-restarts", str(restarts)]
    done = subprocess.run(
        [*torchrun, *how, str(WORKER), backend, str(dies), str(after), str(folder)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    starts = len(list(folder.glob("start-*"))) / 2
    return done, starts


def reached(folder):
    """The weights and the losses, but not the seconds, as a digest."""
    from chalkgrad.checkpoints._shared import load

    w = load(folder / "out" / "network.safetensors")["w"]
    lines = [line.split(",") for line in (folder / "log.csv").read_text().splitlines()]
    del lines[0][2]
    losses = [line[:2] + line[3:] for line in lines]
    return hashlib.sha256(w.tobytes() + repr(losses).encode()).hexdigest()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_lost_process_comes_back_in_one_restart(tmp_path, torture, backend):
    if backend == "torch" and not torture:
        pytest.skip("make test-faults")
    done, starts = trained(backend, tmp_path / "undisturbed")
    assert (done.returncode, starts) == (0, 1), done.stderr
    undisturbed = reached(tmp_path / "undisturbed")
    rng, kills = random.Random(0), 8 if torture else 1
    for k in range(kills):
        began = time.perf_counter()
        rank, after = k % 2, rng.randrange(1, STEPS)
        done, starts = trained(backend, tmp_path / str(k), dies=rank, after=after)
        assert (done.returncode, starts) == (0, 2), done.stderr
        assert reached(tmp_path / str(k)) == undisturbed
        took = time.perf_counter() - began
        lost = f"{backend}: process {rank} lost after step {after}"
        print(f"{lost}, all came back; {took:.0f} s")


def test_without_restarts_all_end(tmp_path, torture):
    if not torture:
        pytest.skip("make test-faults")
    done, starts = trained("numpy", tmp_path / "run", dies=1, after=7, restarts=0)
    assert done.returncode != 0
    assert starts == 1
