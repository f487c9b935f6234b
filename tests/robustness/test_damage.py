"""A damaged checkpoint is refused, whatever the damage: never a wrong model."""

import random
import re

import pytest

import chalkgrad.numpy as cg
from chalkgrad.checkpoints._shared import CheckpointError, load, save

W = cg.network([4, 8, 3]).init(dtype="float32")
CONTENTS = {"w": W, "state": cg.optimizers.adam().init(W), "epoch": 7, "loss": "mse"}


def refusals(path, raw, damaged):
    """Count how many of the damaged files are refused; none may be loaded."""
    count = 0
    for wrong in damaged:
        assert wrong != raw
        path.write_bytes(wrong)
        with pytest.raises(CheckpointError, match=f"load: {re.escape(str(path))} is"):
            load(path)
        count += 1
    return count


def flipped(raw, count):
    rng = random.Random(0)
    for at in rng.sample(range(8 * len(raw)), count):
        wrong = bytearray(raw)
        wrong[at // 8] ^= 1 << at % 8
        yield bytes(wrong)


def test_every_flipped_bit_is_refused(tmp_path, torture):
    path = save(tmp_path, CONTENTS, step=0)
    raw = path.read_bytes()
    count = 2000 if torture else 200
    assert refusals(path, raw, flipped(raw, count)) == count


def test_every_truncation_is_refused_and_every_addition(tmp_path, torture):
    path = save(tmp_path, CONTENTS, step=0)
    raw = path.read_bytes()
    lengths = random.Random(0).sample(range(len(raw)), 300 if torture else 100)
    assert refusals(path, raw, (raw[:n] for n in [0, 31, 32, *lengths])) > 100
    assert refusals(path, raw, [raw + b"\0", raw + raw, raw[::-1], bytes(99)]) == 4
