"""Checkpoints: what was saved comes back to the bit, or the file is refused."""

import errno
import hashlib
import importlib
import json
import math
import os
import re
from typing import Any, NamedTuple

import numpy as np
import pytest
from safetensors import safe_open

from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.checkpoints._shared import CheckpointError, latest, load, save


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


def contents(cg, dtype="float32"):
    """Make something like what training saves."""
    w = cg.array([0.1, -0.0, 1e-30, 3.0], dtype=dtype)
    opt = cg.optimizers.ema(cg.optimizers.clip(cg.optimizers.nadam(), norm=1))
    _, state = opt.step(w + 0, w * 0.5, opt.init(w))
    return {
        "w": w,
        "state": state,
        "epoch": 3,
        "labels": cg.array([[1, 2], [3, 2**40]]),
        "run": {"loss": "mse", "sizes": [1, 2], "best": math.inf, "early": None},
        "rng": np.random.default_rng(0).bit_generator.state,
    }


def bits(x):
    """Return what must come back: kinds, places, dtypes and every bit."""
    if hasattr(x, "_asdict"):
        return type(x).__name__, bits(x._asdict())
    if isinstance(x, dict):
        return {name: bits(part) for name, part in x.items()}
    if hasattr(x, "detach"):
        return "tensor", str(x.device), bits(x.numpy())
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape, x.tobytes()
    return type(x), repr(x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_was_saved_comes_back_to_the_bit(cg, tmp_path, dtype):
    saved = contents(cg, dtype)
    path = save(tmp_path / "new" / "folder", saved, step=7)
    assert bits(load(path, like=saved)) == bits(saved)
    found = latest(path.parent, like=saved)
    assert (found.path, found.refused) == (path, ())
    assert bits(found.contents) == bits(saved)


def test_without_a_likeness_it_is_dicts_and_numpy(cg, tmp_path):
    saved = contents(cg)
    found = load(save(tmp_path, saved, step=7))
    assert list(found) == list(saved)
    assert bits(found["w"]) == bits(cg.asnumpy(saved["w"]))
    inner = saved["state"].inner.inner
    assert found["state"]["inner"]["inner"]["mu"] == inner.mu
    assert bits(found["state"]["inner"]["inner"]["m"]) == bits(cg.asnumpy(inner.m))
    generator = np.random.default_rng(1)
    generator.bit_generator.state = found["rng"]
    assert generator.random() == np.random.default_rng(0).random()


def test_what_comes_back_can_be_written_into(cg, tmp_path):
    saved = {"w": cg.array([1.0, 2.0])}
    w = load(save(tmp_path, saved, step=0), like=saved)["w"]
    w[0] = 5.0
    assert cg.asnumpy(w).tolist() == [5.0, 2.0]
    assert cg.asnumpy(saved["w"]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", ["MT19937", "PCG64", "Philox", "SFC64"])
def test_the_state_of_any_generator_can_be_saved(tmp_path, name):
    bit_generator = getattr(np.random, name)(5)
    np.random.Generator(bit_generator).standard_normal(3)
    state = bit_generator.state
    after = np.random.Generator(bit_generator).integers(2**32, size=9)
    other = getattr(np.random, name)(0)
    other.state = load(save(tmp_path, {"rng": state}, step=0), like={"rng": state})[
        "rng"
    ]
    assert (np.random.Generator(other).integers(2**32, size=9) == after).all()


def test_shapes_without_numbers_without_axes_and_without_order(tmp_path):
    saved = {
        "none": np.zeros((0, 3)),
        "one": np.array(4.0),
        "scalar": np.float32(1.5),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "empty": {},
    }
    found = load(save(tmp_path, saved, step=0), like=saved)
    assert found["none"].shape == (0, 3)
    assert found["one"].shape == ()
    assert found["one"] == 4
    assert type(found["scalar"]) is np.float32
    assert (found["turned"] == saved["turned"]).all()
    assert found["empty"] == {}


def test_the_library_of_the_format_reads_the_same_arrays(cg, tmp_path):
    saved = contents(cg)
    path = save(tmp_path, saved, step=7)
    with safe_open(path, framework="numpy") as file:
        assert bits(file.get_tensor("w")) == bits(cg.asnumpy(saved["w"]))
        m = cg.asnumpy(saved["state"].inner.inner.m)
        assert bits(file.get_tensor("state.inner.inner.m")) == bits(m)
        assert bits(file.get_tensor("labels")) == bits(cg.asnumpy(saved["labels"]))
        digest = file.get_tensor("__sha256__").tobytes()
        assert json.loads(file.metadata()["values"])["epoch"] == 3
    assert hashlib.sha256(path.read_bytes()[:-32]).digest() == digest


def test_the_same_contents_are_the_same_file(cg, tmp_path):
    one, other = (
        save(tmp_path / name, contents(cg), step=0).read_bytes() for name in "ab"
    )
    assert one == other


def test_the_last_few_are_kept(tmp_path):
    (tmp_path / "notes.txt").touch()
    for step in (5, 100, 20, 10**12, 3):
        save(tmp_path, {"step": step}, step=step, keep=2)
    left = sorted(int(path.name[5:-12]) for path in tmp_path.glob("step-*.safetensors"))
    # What is newer than the one just written is nobody's to remove.
    assert left == [3, 100, 10**12]
    assert latest(tmp_path).contents == {"step": 10**12}
    save(tmp_path, {"step": 10**12 + 1}, step=10**12 + 1, keep=1)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_without_checkpoints_has_no_latest(tmp_path):
    assert latest(tmp_path) is None
    assert latest(tmp_path / "nowhere") is None


def test_what_a_killed_program_left_is_overwritten(tmp_path):
    (tmp_path / "unfinished").write_bytes(b"half" * 10_000)
    path = save(tmp_path, {"w": np.ones(2)}, step=1)
    assert list(tmp_path.iterdir()) == [path]
    assert load(path)["w"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_what_was_there(tmp_path, monkeypatch, call):
    path = save(tmp_path, {"w": np.ones(2)}, step=1)

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    place = os if call == "fsync" else checkpoints.Path
    monkeypatch.setattr(place, call, fail)
    with pytest.raises(OSError, match=r"save: cannot .*002.*: No space") as error:
        save(tmp_path, {"w": np.ones(2)}, step=2)
    assert error.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == [path]


def resigned(header, arrays=b""):
    """Make a file whose digest is right, whatever is in it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    body = len(text).to_bytes(8, "little") + text + arrays
    return body + hashlib.sha256(body).digest()


def entry(**changes):
    metadata = {"chalkgrad_format": "1", "values": "{}"}
    w = {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]} | changes
    digest = {"dtype": "U8", "shape": [32], "data_offsets": [16, 48]}
    return {"__metadata__": metadata, "w": w, "__sha256__": digest}


def test_a_file_that_lies_about_itself_is_refused(tmp_path):
    path = tmp_path / "crafted.safetensors"
    path.write_bytes(resigned(entry(), np.ones(2).tobytes()))
    assert load(path)["w"].tolist() == [1.0, 1.0]
    for header in [
        b"",
        b"[]",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        {"w": 1},
        entry(shape=[3]),
        entry(shape=[2**62]),
        entry(shape=[-1, -2]),
        entry(data_offsets=[0, 2**70]),
        entry(data_offsets=[0, 12]),
        entry(data_offsets=["0", 16]),
        entry(dtype="O"),
        entry(dtype=["F64"]),
        entry() | {"w.v": entry()["w"]},
        entry() | {"__metadata__": {"chalkgrad_format": "x", "values": "{}"}},
        entry() | {"__metadata__": {"chalkgrad_format": "1", "values": "[]"}},
    ]:
        path.write_bytes(resigned(header, np.ones(2).tobytes()))
        with pytest.raises(CheckpointError, match="is not a checkpoint of chalkgrad"):
            load(path)
    path.write_bytes((2**63).to_bytes(8, "little") + bytes(40))
    with pytest.raises(CheckpointError, match="is not a whole checkpoint"):
        load(path)


def test_a_newer_format_is_told(tmp_path):
    path = tmp_path / "new.safetensors"
    newer = {"__metadata__": {"chalkgrad_format": "2", "values": "{}"}}
    path.write_bytes(resigned(entry() | newer, np.ones(2).tobytes()))
    with pytest.raises(CheckpointError, match=r"has format 2, .* up to 1; pip"):
        load(path)


def test_what_cannot_be_read_is_told(tmp_path):
    for path, words in [
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
    ]:
        with pytest.raises(CheckpointError, match=f"cannot be read: {words}"):
            load(path)


def test_a_file_larger_than_memory_is_told(tmp_path):
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 2**42)  # 4 TiB of nothing take no room on the disk
    with pytest.raises(CheckpointError, match="large is larger than memory"):
        load(path)


def test_the_latest_passes_over_what_is_damaged_and_says_so(tmp_path):
    paths = [save(tmp_path, {"step": step}, step=step) for step in (1, 2, 3)]
    paths[2].write_bytes(paths[2].read_bytes()[:-5])
    paths[1].write_bytes(b"")
    found = latest(tmp_path)
    assert (found.path, found.contents) == (paths[0], {"step": 1})
    for path, words in zip(paths[:0:-1], found.refused, strict=True):
        assert f"load: {path} is not a whole checkpoint" in words
    paths[0].unlink()
    with pytest.raises(CheckpointError, match=r"latest: no checkpoint in .* is whole"):
        latest(tmp_path)


class Momentum(NamedTuple):
    t: int
    v: Any


@pytest.mark.parametrize(
    ("like", "words"),
    [
        (
            {"w": np.ones(3)},
            "`contents.w` float64 of shape (2,), but `like` has float64",
        ),
        ({"w": np.ones(2, "f4")}, "but `like` has float32 of shape (2,)"),
        ({"w": 1.0}, "`contents.w` float64 of shape (2,), but `like` has float"),
        ({"w": Momentum(0, 1)}, "but `like` has Momentum"),
        ({"v": np.ones(2)}, "`contents.v` nothing, but `like` has float64"),
        ({"state": 1}, "`contents.state` dict, but `like` has int"),
        ({"state": Momentum(0, np.ones(2))}, "t, m, but `like` has a Momentum of t, v"),
        ({"deep": Momentum(0, np.ones(2))}, "nothing, but `like` has a Momentum of t"),
        ({"count": 1.0}, "`contents.count` int, but `like` has float"),
    ],
)
def test_what_does_not_fit_the_likeness_is_told(tmp_path, like, words):
    saved = {"w": np.ones(2), "state": {"t": 1, "m": np.ones(2)}, "count": 1}
    path = save(tmp_path, saved, step=0)
    with pytest.raises(CheckpointError, match=re.escape(words)):
        load(path, like=like)
    with pytest.raises(CheckpointError, match=re.escape(words)):
        latest(tmp_path, like=like)


@pytest.mark.parametrize(
    ("contents", "words", "error"),
    [
        ([1], r"`contents` must be a dict .* holds something, got \[1\]", TypeError),
        ({}, "`contents` must be a dict .* got {}", TypeError),
        (np.ones(2), r"`contents` must be a dict .* got array\(", TypeError),
        ({"a.b": 1}, "must be identifiers, got 'a.b'", ValueError),
        ({"_a": 1}, "must be identifiers, got '_a'", ValueError),
        ({"a": {1: 2}}, "must be identifiers, got 1", ValueError),
        ({"a": {"b": {1}}}, "`a.b` must be an array, a number, .* got set", TypeError),
        ({"a": [np.ones(2)]}, "`a` must be an array, a number, .* got list", TypeError),
        ({"a": 1j}, "`a` must be an array, .* got complex", TypeError),
        ({"a": np.array(["x"])}, "`a` must be an array of float32, .* <U1", TypeError),
        ({"a": np.array([{}])}, "`a` must be an array of .* got object", TypeError),
        ({"a": np.float16(1)}, "`a` must be an array of .* got float16", TypeError),
    ],
)
def test_what_cannot_be_saved_is_told_before_anything_is_written(
    tmp_path, contents, words, error
):
    with pytest.raises(error, match=words):
        save(tmp_path / "new", contents, step=0)
    assert not (tmp_path / "new").exists()


def test_bad_numbers_are_told(tmp_path):
    with pytest.raises(ValueError, match="save: `step` must be a whole number, 0"):
        save(tmp_path, {"w": 1}, step=-1)
    with pytest.raises(ValueError, match="save: `keep` must be a whole number, 1"):
        save(tmp_path, {"w": 1}, step=1, keep=0)


@pytest.mark.parametrize("folder", [3, None, b"run"])
@pytest.mark.parametrize("name", ["clear", "latest", "list_checkpoints"])
def test_what_is_no_folder_is_refused(name, folder):
    with pytest.raises(TypeError, match=f"{name}: `folder` must be a path, got"):
        getattr(checkpoints, name)(folder)
    with pytest.raises(TypeError, match="save: `folder` must be a path, got"):
        save(folder, {}, step=0)
    with pytest.raises(TypeError, match="load: `path` must be a path, got"):
        load(folder)
