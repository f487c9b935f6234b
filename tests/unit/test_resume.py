"""A run that was broken off goes on as if nothing had been, or says why not."""

import csv
import errno
import functools
import importlib
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chalkgrad.numpy as reference
from chalkgrad._core.types import Optimizer
from chalkgrad.checkpoints._shared import CheckpointError, load
from chalkgrad.training import _checkpoints, _log
from chalkgrad.training._state import TrainingState

LAYERED = ("lamb", "muon")  # they see the layers of the network of `fit` below


def own_net(cg):
    return cg.network([2, 8, 2])


WRAPPERS = ("ema", "clip", "decay_weights", "maximize")


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


def fit(cg, seeds=0, **options):
    x, labels = cg.data.moons(40)
    net = cg.network([2, 8, 2])
    defaults = {
        "loss": cg.losses.cross_entropy,
        "optimizer": cg.optimizers.adam(0.01),
        "epochs": 4,
        "batch_size": 16,  # 3 steps an epoch, the last one with 8 rows
        "rng": 3,
        "validation": cg.data.moons(20, rng=1),
        "progress": False,
    }
    return cg.training.fit(net, net.init(seeds), x, labels, **defaults | options)


def same(one, other):
    """Tell whether two runs came to the same, to the bit."""
    arrays = ("w", "loss", "validation_loss", "validation_accuracy")
    return (one.steps, one.stopped) == (other.steps, other.stopped) and all(
        np.asarray(getattr(one, name)).tobytes()
        == np.asarray(getattr(other, name)).tobytes()
        for name in arrays
    )


def interrupt(monkeypatch, step):
    """Press Ctrl-C after so many steps."""
    count = TrainingState.count

    def counted(run, *args):
        count(run, *args)
        if run.steps == step:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(TrainingState, "count", counted)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("seeds", [0, [0, 1]], ids=["one", "many"])
def test_a_run_goes_on_from_any_step(cg, tmp_path, monkeypatch, seeds, step):
    whole = fit(cg, seeds)
    interrupt(monkeypatch, step)
    broken = fit(cg, seeds, checkpoints=tmp_path)
    if step < 12:
        assert (broken.stopped, broken.steps) == ("interrupted", step)
    assert same(fit(cg, seeds, checkpoints=tmp_path, resume=True), whole)


@pytest.mark.parametrize("name", sorted(set(reference.optimizers.__all__)))
def test_any_optimizer_goes_on(cg, tmp_path, monkeypatch, name):
    make = getattr(cg.optimizers, name)
    if name == "ema":
        optimizer = make(cg.optimizers.clip(cg.optimizers.nadam(), norm=1))
    elif name == "clip":
        optimizer = make(cg.optimizers.sgd(0.1, momentum=0.9), value=0.1)
    elif name in WRAPPERS:
        more = {"weight_decay": 0.1} if name == "decay_weights" else {}
        optimizer = make(cg.optimizers.rmsprop(0.01, momentum=0.5), **more)
    elif name in LAYERED:
        optimizer = make(own_net(cg), 0.01)
    else:
        optimizer = make(0.01)
    whole = fit(cg, optimizer=optimizer)
    interrupt(monkeypatch, 7)
    fit(cg, optimizer=optimizer, checkpoints=tmp_path)
    again = fit(cg, optimizer=optimizer, checkpoints=tmp_path, resume=True)
    assert same(again, whole)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(cg, tmp_path, dtype):
    x, targets = cg.data.line(20)
    x, targets = (cg.array(a, dtype=dtype) for a in (x, targets))
    net = cg.network([1, 1])
    w = net.init(dtype=dtype)
    optimizer = cg.optimizers.sgd(0.1)
    options = {"loss": cg.losses.mse, "optimizer": optimizer, "progress": False}
    whole = cg.training.fit(net, w, x, targets, epochs=6, **options)
    options |= {"checkpoints": tmp_path, "resume": True}
    for epochs in (2, 6):
        again = cg.training.fit(net, w, x, targets, epochs=epochs, **options)
    assert again.w.dtype == w.dtype
    assert (again.w == whole.w).all()
    assert (again.loss == whole.loss).all()
    assert again.validation_loss is None


def test_more_epochs_may_be_asked_for(cg, tmp_path):
    whole = fit(cg, epochs=6)
    for epochs in (1, 4, 6):
        again = fit(cg, epochs=epochs, checkpoints=tmp_path, resume=True, keep=2)
    assert same(again, whole)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_run_that_is_over_is_over(cg, tmp_path):
    first = fit(cg, checkpoints=tmp_path)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = fit(cg, checkpoints=tmp_path, resume=True)
    assert same(first, again)
    assert again.seconds > load(max(tmp_path.iterdir()))["seconds"] > 0
    assert files == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}


def test_any_generator_goes_on(cg, tmp_path):
    whole = fit(cg, rng=np.random.Generator(np.random.MT19937(1)))
    for epochs in (2, 4):
        rng = np.random.Generator(np.random.MT19937(1))
        again = fit(cg, rng=rng, epochs=epochs, checkpoints=tmp_path, resume=True)
    assert same(again, whole)


def test_rows_of_a_file_go_on(cg, tmp_path, monkeypatch):
    x, labels = cg.data.moons(40)
    np.save(tmp_path / "x.npy", cg.asnumpy(x))
    rows, _ = cg.data.load(tmp_path / "x.npy", labels=False, lazy=True)
    net = cg.network([2, 8, 2])
    options = {
        "loss": cg.losses.cross_entropy,
        "optimizer": cg.optimizers.adam(0.01),
        "epochs": 4,
        "batch_size": 16,
        "progress": False,
    }
    whole = cg.training.fit(net, net.init(), x, labels, **options)
    options |= {"checkpoints": tmp_path / "run", "resume": True}
    interrupt(monkeypatch, 7)
    for _ in range(2):
        again = cg.training.fit(net, net.init(), rows, labels, **options)
    assert (again.w == whole.w).all()


def test_a_damaged_checkpoint_is_passed_over(cg, tmp_path):
    whole = fit(cg, checkpoints=tmp_path)
    newest = max(tmp_path.iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="fit: passed over a newer checkpoint. load: "):
        again = fit(cg, checkpoints=tmp_path, resume=True)
    assert same(again, whole)
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* is whole"):
        fit(cg, checkpoints=tmp_path, resume=True)


def test_a_folder_is_for_one_run(cg, tmp_path):
    fit(cg, checkpoints=tmp_path)
    with pytest.raises(CheckpointError, match=r"holds a run already; give resume=True"):
        fit(cg, checkpoints=tmp_path)


def test_a_checkpoint_of_another_run_is_refused(cg, tmp_path):
    fit(cg, checkpoints=tmp_path)

    def refused(seeds=0, **options):
        with pytest.raises(CheckpointError) as error:
            fit(cg, seeds, checkpoints=tmp_path, resume=True, **options)
        assert "holds another run: " in str(error.value)
        return str(error.value)

    assert "`batch_size` was 16 and is 8;" in refused(batch_size=8)
    assert "`batch_size` was 16 and is None;" in refused(batch_size=None)
    assert "`rng` was" in refused(rng=4)
    assert "`w` was" in refused(seeds=1)
    assert "`validation` was" in refused(validation=None)
    assert "`validation` was" in refused(validation=cg.data.moons(20, rng=2))
    smooth = functools.partial(cg.losses.cross_entropy, label_smoothing=0.1)
    assert "'label_smoothing': 0.1" in refused(loss=smooth)
    words = refused(optimizer=cg.optimizers.sgd(0.1))
    assert "`optimizer` was 'adam' and is 'sgd';" in words
    wrapped = cg.optimizers.clip(cg.optimizers.adam(), norm=1)
    assert "`optimizer` was 'adam' and is 'clip(adam)';" in refused(optimizer=wrapped)
    x, labels = cg.data.moons(40)
    other = x + 0
    other[7, 1] += 1
    options = {
        "loss": cg.losses.cross_entropy,
        "optimizer": cg.optimizers.adam(0.01),
        "epochs": 4,
        "batch_size": 16,
        "rng": 3,
        "validation": cg.data.moons(20, rng=1),
        "checkpoints": tmp_path,
        "resume": True,
    }
    for net, data, words in [
        (cg.network([2, 8, 2]), (other, labels), "`x` was"),
        (cg.network([2, 8, 2]), (x, 1 - labels), "`y` was"),
        (
            cg.network([2, 9, 2]),
            (x, labels),
            "and is \"Network(sizes=[2, 9, 2], activation='relu', skip=False)\"",
        ),
        (
            cg.network([2, 8, 2], activation="tanh"),
            (x, labels),
            "and is \"Network(sizes=[2, 8, 2], activation='tanh'",
        ),
        (cg.network([2, 8, 2], skip=True), (x, labels), "skip=True)"),
    ]:
        with pytest.raises(CheckpointError, match="another run") as error:
            cg.training.fit(net, net.init(), *data, **options)
        assert words in str(error.value)


def changed(name, value):
    """Return another value of an option."""
    if isinstance(value, bool):
        return not value
    others = {"momentum": 0.5, "hyper_lr": 1e-3, "grow": 1.5}
    return others.get(name, value / 2 + 0.04)


@pytest.mark.parametrize("name", sorted(reference.optimizers.__all__))
def test_every_option_but_the_rate_is_compared(cg, tmp_path, name):
    o, s = cg.optimizers, cg.schedules
    make = getattr(o, name)
    if name in WRAPPERS:
        make = functools.partial(make, o.adam(0.01))
    if name in LAYERED:
        make = functools.partial(make, own_net(cg))
    given = {
        "ema": {},
        "clip": {"norm": 1.0},
        "decay_weights": {"weight_decay": 0.1},
        "maximize": {},
    }.get(name, {"lr": 0.01})
    given |= {"momentum": 0.9} if name in ("sgd", "rmsprop") else {}
    rule = make(**given)
    fit(cg, optimizer=rule, checkpoints=tmp_path, epochs=1)
    names = set(rule.call.options) - {"lr", "net", "optimizer", "value"}
    for option in names:
        value = changed(option, rule.call.options[option])
        other = make(**given | {option: value})
        words = f"another run: `{name}.{option}` was .* and is {value!r};"
        with pytest.raises(CheckpointError, match=words):
            fit(cg, optimizer=other, checkpoints=tmp_path, resume=True)
        outer = o.ema(o.clip(other, value=9.0))
        with pytest.raises(CheckpointError, match=r"`optimizer` was '.*' and is 'ema"):
            fit(cg, optimizer=outer, checkpoints=tmp_path, resume=True)
    if name not in WRAPPERS:
        falling = make(**given | {"lr": s.cosine(0.01, steps=9)})
        with pytest.raises(
            CheckpointError, match=r"`schedule` was 'constant' and is 'c"
        ):
            fit(cg, optimizer=falling, checkpoints=tmp_path, resume=True)
        for lr in (0.02, s.constant(0.03)):
            slower = make(**given | {"lr": lr})
            again = fit(cg, optimizer=slower, checkpoints=tmp_path, resume=True)
            assert again.steps == 12


def test_rules_within_rules_are_told_apart(cg, tmp_path):
    """Of twelve rules, each resumes its own run alone."""
    o, s = cg.optimizers, cg.schedules
    cold, wave = s.exponential(0.01, rate=0.1), s.cosine(0.01, steps=9)
    runs = [
        o.adam(0.01),
        o.adamw(0.01, weight_decay=0),
        o.clip(o.adam(0.01), norm=1),
        o.clip(o.rmsprop(0.01), norm=1),
        o.clip(o.adam(0.01), value=1),
        o.clip(o.ema(o.adam(0.01)), norm=1),
        o.ema(o.clip(o.adam(0.01), norm=1)),
        o.ema(o.clip(o.radam(0.01), norm=1)),
        o.adam(s.warmup(cold, steps=2)),
        o.adam(s.warmup(wave, steps=2)),
        o.adam(s.join([cold, wave], boundaries=[3])),
        o.adam(s.warmup(lambda t: 0.01, steps=2)),
    ]
    for i, one in enumerate(runs):
        folder = tmp_path / str(i)
        fit(cg, optimizer=one, checkpoints=folder, epochs=1)
        for other in runs:
            if other is one:
                continue
            with pytest.raises(
                CheckpointError, match=r"another run: `\S+` was .* and is"
            ):
                fit(cg, optimizer=other, checkpoints=folder, resume=True)
        fit(cg, optimizer=one, checkpoints=folder, epochs=2, resume=True)


def test_a_schedule_of_ones_own_is_not_compared(cg, tmp_path):
    o = cg.optimizers
    rules = [o.adam(lambda t: 0.01), o.adam(0.02), o.adam(lambda t: 0.01 / (t + 1))]
    for epochs, rule in enumerate(rules, 1):
        again = fit(
            cg, optimizer=rule, checkpoints=tmp_path, epochs=epochs, resume=True
        )
        assert len(again.loss) == epochs
    with pytest.raises(CheckpointError, match="`optimizer` was 'adam' and is 'radam'"):
        fit(cg, optimizer=o.radam(lambda t: 0.01), checkpoints=tmp_path, resume=True)


class Model:
    """Somebody's own: a network with whatever they keep beside it."""

    def __init__(self, cg, **parts):
        self._inner = cg.network([2, 8, 2])
        self.forward, self.loss_and_grad = (
            self._inner.forward,
            self._inner.loss_and_grad,
        )
        vars(self).update(parts)


class Slotted:
    __slots__ = ("forward", "loss_and_grad")

    def __init__(self, cg):
        net = cg.network([2, 8, 2])
        self.forward, self.loss_and_grad = net.forward, net.loss_and_grad


def test_a_model_of_ones_own_goes_on(cg, tmp_path):
    x, labels = cg.data.moons(40)
    w = cg.network([2, 8, 2]).init()
    options = {
        "loss": cg.losses.cross_entropy,
        "optimizer": cg.optimizers.adam(0.01),
        "progress": False,
        "resume": True,
    }

    def fitted(folder, net, epochs):
        options.update(checkpoints=tmp_path / folder, epochs=epochs)
        return cg.training.fit(net, w, x, labels, **options)

    def model(mask=1.0, **parts):
        masks = [cg.array([mask] * 2000), np.float32(mask), np.array([{}, None])]
        if cg is not reference:
            masks.append(masks[0].bfloat16())
        names = {"a", "b", "c", mask}
        return Model(cg, masks=masks, names=names, x=object(), w=1, **parts)

    for folder, make in [("own", model), ("slots", lambda: Slotted(cg))]:
        fitted(folder, make(), 1)
        assert len(fitted(folder, make(), 2).loss) == 2
    fitted("own", model(), 3)
    for other in (model(2.0), model(depth=1), cg.network([2, 8, 2])):
        with pytest.raises(CheckpointError, match="holds another run: `network` was"):
            fitted("own", other, 3)


def test_a_model_is_described_alike_in_every_process(tmp_path):
    code = (
        "from chalkgrad.training._checkpoints import model_fingerprint\n"
        "class Own: pass\n"
        "net = Own()\n"
        "net.parts = [{'a': object(), 'f': len, 'g': lambda x: x}, set('hello')]\n"
        "print(model_fingerprint(net))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(told) == 1
    assert "0x" not in told.pop()


def test_a_checkpoint_of_the_other_backend_or_of_no_run_is_refused(tmp_path):
    twin = pytest.importorskip("chalkgrad.torch")
    fit(reference, checkpoints=tmp_path / "run")
    with pytest.raises(CheckpointError, match="`backend` was 'numpy' and is 'torch'"):
        fit(twin, checkpoints=tmp_path / "run", resume=True)
    reference.checkpoints.save(tmp_path / "mine", {"w": np.ones(2)}, step=1)
    with pytest.raises(CheckpointError, match="`backend` was None and is 'numpy'"):
        fit(reference, checkpoints=tmp_path / "mine", resume=True)


def test_another_number_of_threads_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    whole = fit(reference, checkpoints=tmp_path, epochs=2)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    words = "`threads` was '1' and is '2'.* its last bits may"
    with pytest.warns(UserWarning, match=words):
        again = fit(reference, checkpoints=tmp_path, epochs=2, resume=True)
    assert same(again, whole)


def test_what_the_last_bits_depend_on_is_written_down(cg, tmp_path, monkeypatch):
    for name in _checkpoints.THREADS:
        monkeypatch.delenv(name, raising=False)
    fit(cg, checkpoints=tmp_path, epochs=1)
    machine = load(max(tmp_path.iterdir()))["machine"]
    assert machine["numpy"] == np.__version__
    assert machine["device"] == "cpu"
    assert {"blas", "cpu", "chalkgrad"} <= set(machine)
    assert int(machine["threads"]) >= 1
    assert ("torch" in machine) == (cg is not reference)


def test_weights_that_diverged_are_not_kept(cg, tmp_path):
    def leap(w, grad, t):
        return w + (math.inf if t > 10 else 0), t + 1

    optimizer = Optimizer(lambda _: 0, leap)
    trace = fit(cg, optimizer=optimizer, checkpoints=tmp_path, keep=99, validation=None)
    assert trace.stopped == "diverged"
    kept = [load(path) for path in sorted(tmp_path.iterdir())]
    assert [saved["epochs"] for saved in kept] == [0, 1, 2, 3]
    assert all(np.isfinite(saved["w"]).all() for saved in kept)


def test_a_folder_that_cannot_be_written_is_told_before_the_first_step(cg, tmp_path):
    (tmp_path / "file").touch()

    def never(*_):
        raise AssertionError("a step was taken")

    optimizer = Optimizer(lambda _: 0, never)
    with pytest.raises(OSError, match="save: cannot write"):
        fit(cg, optimizer=optimizer, checkpoints=tmp_path / "file" / "folder")
    with pytest.raises(OSError, match="file"):
        fit(cg, optimizer=optimizer, log=tmp_path / "file" / "log.csv")


def test_where_no_affinity_is_known_all_cores_count(tmp_path, monkeypatch):
    for name in _checkpoints.THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delattr(_checkpoints.os, "sched_getaffinity", raising=False)
    fit(reference, checkpoints=tmp_path, epochs=1)
    machine = load(max(tmp_path.iterdir()))["machine"]
    assert machine["threads"] == str(_checkpoints.os.cpu_count())


# --- Early stopping -------------------------------------------------------------------


def overfitted(cg, **options):
    """Train far beyond the best epoch, on few examples with a high rate."""
    optimizer = cg.optimizers.adam(0.3)
    return fit(cg, optimizer=optimizer, epochs=60, **options)


def test_it_stops_when_validation_no_longer_improves(cg):
    x, labels = cg.data.moons(20, rng=1)
    trace = overfitted(cg, patience=5)
    losses = trace.validation_loss
    assert trace.stopped == "early"
    assert len(losses) - 1 - losses.argmin() == 5
    assert len(losses) < 60
    net = cg.network([2, 8, 2])
    loss = float(cg.losses.cross_entropy(net.forward(trace.w, x), labels))
    assert loss == pytest.approx(losses.min(), rel=1e-12)
    assert (overfitted(cg).validation_loss[: len(losses)] == losses).all()


def test_the_best_weights_come_back_however_it_ends(cg, monkeypatch):
    early = overfitted(cg, patience=5)
    interrupt(monkeypatch, early.steps - 1)
    broken = overfitted(cg, patience=5)
    assert broken.stopped == "interrupted"
    assert (broken.w == early.w).all()


def test_early_stopping_goes_on_too(cg, tmp_path, monkeypatch):
    early = overfitted(cg, patience=5)
    interrupt(monkeypatch, early.steps - 1)
    overfitted(cg, patience=5, checkpoints=tmp_path)
    for _ in range(2):  # the second time there is nothing left to do
        again = overfitted(cg, patience=5, checkpoints=tmp_path, resume=True)
        assert same(again, early)


def test_patience_needs_one_loss_to_watch(cg):
    with pytest.raises(ValueError, match="fit: `patience` needs `validation`"):
        fit(cg, patience=1, validation=None)
    with pytest.raises(ValueError, match=r"fit: `patience` needs `w` of one network"):
        fit(cg, [0, 1], patience=1)
    with pytest.raises(ValueError, match="fit: `patience` must be a whole number, 1"):
        fit(cg, patience=0)


def fail(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


# --- The log --------------------------------------------------------------------------


def lines(path):
    text = Path(path).read_text("utf-8").splitlines()
    rows = csv.DictReader(text) if path.suffix == ".csv" else map(json.loads, text)
    return list(rows)


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_the_log_has_a_line_for_every_epoch(cg, tmp_path, name):
    path = tmp_path / "new" / name
    trace = fit(cg, log=path)
    found = lines(path)
    assert [int(line["epoch"]) for line in found] == [1, 2, 3, 4]
    assert [int(line["step"]) for line in found] == [3, 6, 9, 12]
    for column in ("loss", "validation_loss", "validation_accuracy"):
        logged = [float(line[column]) for line in found]
        assert logged == getattr(trace, column).tolist()
    seconds = [float(line["seconds"]) for line in found]
    assert 0 < seconds[0] < seconds[-1] < trace.seconds


def test_what_is_not_measured_is_empty_and_many_networks_are_a_list(cg, tmp_path):
    trace = fit(cg, [0, 1], log=tmp_path / "log.jsonl", validation=None)
    last = lines(tmp_path / "log.jsonl")[-1]
    assert last["loss"] == trace.loss[-1].tolist()
    assert last["validation_loss"] is None
    fit(cg, [0, 1], log=tmp_path / "log.csv", validation=None)
    last = lines(tmp_path / "log.csv")[-1]
    assert json.loads(last["loss"]) == trace.loss[-1].tolist()
    assert last["validation_loss"] == ""


@pytest.mark.parametrize("wrap", [False, True])
def test_the_log_tells_the_rate_of_the_last_step(cg, tmp_path, wrap):
    def rates(lr, name):
        optimizer = cg.optimizers.sgd(lr)
        if wrap:
            optimizer = cg.optimizers.clip(cg.optimizers.ema(optimizer), norm=1)
        fit(cg, [0, 1], log=tmp_path / name, optimizer=optimizer)
        return [line["lr"] for line in lines(tmp_path / name)]

    schedule = cg.schedules.cosine(0.1, steps=12)
    falling = [schedule(t) for t in (2, 5, 8, 11)]
    assert rates(schedule, "a.jsonl") == falling
    assert [float(lr) for lr in rates(schedule, "a.csv")] == falling
    assert rates(0.1, "b.jsonl") == [0.1] * 4
    assert rates(cg.array([[0.1], [0.2]]), "c.jsonl") == [[[0.1], [0.2]]] * 4


def test_every_optimizer_tells_its_rate(cg):
    for name in LAYERED:
        assert getattr(cg.optimizers, name)(own_net(cg), 0.25).lr == 0.25
    for name in {*cg.optimizers.__all__} - {*WRAPPERS, *LAYERED}:
        assert getattr(cg.optimizers, name)(0.25).lr == 0.25
    assert cg.optimizers.adam(0.25, amsgrad=True).lr == 0.25
    assert cg.optimizers.adam(0.25).in_place.lr == 0.25


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_the_log_goes_on_where_the_checkpoint_is(cg, tmp_path, name):
    options = {"checkpoints": tmp_path / "run", "log": tmp_path / name}
    fit(cg, **options, epochs=2)
    with (tmp_path / name).open("a") as file:
        file.write("killed while wri")
    trace = fit(cg, **options, resume=True)
    found = lines(tmp_path / name)
    assert [float(line["loss"]) for line in found] == trace.loss.tolist()
    (tmp_path / name).unlink()
    fit(cg, **options, resume=True, epochs=6)
    assert [int(line["epoch"]) for line in lines(tmp_path / name)] == [5, 6]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_a_file_of_somebody_else_is_no_log(cg, tmp_path, name):
    path, folder = tmp_path / name, tmp_path / "run"
    resumed = {"checkpoints": folder, "log": path, "resume": True}
    for text in ("city,height\nRome,21\n", '{"epoch": 1, "mine": 2}\n', "5\n", "\xff"):
        path.write_text(text, "latin-1")
        with pytest.raises(FileExistsError, match=r"`log` .* there already; .* no run"):
            fit(cg, **resumed)
        assert not folder.exists()
    fit(cg, checkpoints=folder, epochs=1)
    with pytest.raises(FileExistsError, match=r"`log` .* is no log of fit; give anoth"):
        fit(cg, **resumed)
    assert path.read_text("latin-1") == "\xff"
    path.write_text("")  # as a run leaves it that was killed before its first epoch
    fit(cg, **resumed)
    assert len(lines(path)) == 3


def test_a_log_that_cannot_be_written_is_told(cg, tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    monkeypatch.setattr(_log.csv, "writer", fail)
    with pytest.raises(
        OSError, match=r"fit: cannot write .*log.csv: No space"
    ) as error:
        fit(cg, log=path)
    assert error.value.errno == errno.ENOSPC


def test_a_log_is_not_overwritten_and_must_be_named_right(cg, tmp_path):
    fit(cg, log=tmp_path / "log.csv")
    with pytest.raises(
        FileExistsError, match=r"`log` .* is there already; give resume"
    ):
        fit(cg, log=tmp_path / "log.csv")
    with pytest.raises(ValueError, match=r"fit: `log` must end in .csv or .jsonl, got"):
        fit(cg, log=tmp_path / "log.txt")
    with pytest.raises(ValueError, match="fit: `resume` needs `checkpoints`"):
        fit(cg, log=tmp_path / "log.csv", resume=True)
    with pytest.raises(ValueError, match="fit: `keep` must be a whole number, 1 or"):
        fit(cg, checkpoints=tmp_path / "run", keep=0)
