"""Callbacks of `fit` see the run, may stop it, and lose nothing when they fail."""

import functools
import importlib
import math
import signal

import numpy as np
import pytest

from chalkgrad._core.types import Optimizer
from chalkgrad.checkpoints._shared import load


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


def fit(cg, *callbacks, seeds=0, **options):
    """Train 4 epochs of 3 steps each; the last batch of an epoch has 8 rows."""
    x, labels = cg.data.moons(40)
    net = cg.network([2, 8, 2])
    defaults = {
        "loss": cg.losses.cross_entropy,
        "optimizer": cg.optimizers.ema(cg.optimizers.adam(0.01)),
        "epochs": 4,
        "batch_size": 16,
        "rng": 3,
        "progress": False,
        "callbacks": callbacks,
    }
    return cg.training.fit(net, net.init(seeds), x, labels, **defaults | options)


class Recorder:
    """A class of the reader's own, derived from nothing."""

    def __init__(self):
        self.steps, self.epochs = [], []

    def on_step(self, progress):
        now = progress.epoch, progress.step, dict(progress.metrics), progress.w
        self.steps.append(now)

    def on_epoch_end(self, progress):
        now = progress.epoch, progress.step, dict(progress.metrics), progress.w
        self.epochs.append(now)


def when(cg, step, do, method="on_step"):
    """Make a callback that does something with the progress after so many steps."""

    def hook(_, progress):
        if progress.step == step:
            do(progress)

    return type("When", (cg.training.Callback,), {method: hook})()


def raise_it(error):
    def do(_):
        raise error

    return do


def same(cg, one, other):
    weights = [cg.asnumpy(trace.w).tobytes() for trace in (one, other)]
    return weights[0] == weights[1] and (one.loss == other.loss).all()


def test_a_callback_sees_every_step_and_every_epoch(cg):
    seen = Recorder()
    validation = cg.data.moons(20, rng=1)
    trace = fit(cg, seen, validation=validation)
    assert [(epoch, step) for epoch, step, *_ in seen.steps] == [
        (1 + step // 3, 1 + step) for step in range(12)
    ]
    assert [(epoch, step) for epoch, step, *_ in seen.epochs] == [
        (1, 3), (2, 6), (3, 9), (4, 12)
    ]  # fmt: skip
    losses = [metrics.pop("loss") for _, _, metrics, _ in seen.steps]
    assert not any(metrics for _, _, metrics, _ in seen.steps)
    means = np.reshape(losses, (4, 3)) @ [16, 16, 8] / 40
    np.testing.assert_allclose(means, trace.loss, rtol=1e-14)
    for name, values in trace._asdict().items():
        if name in ("loss", "validation_loss", "validation_accuracy"):
            assert [metrics[name] for _, _, metrics, _ in seen.epochs] == list(values)
    assert type(seen.epochs[0][2]["validation_accuracy"]) is float
    assert (seen.epochs[-1][3] == trace.w).all()
    assert type(seen.steps[0][3]) is type(trace.w)


def test_what_was_not_measured_is_not_there_and_many_networks_are_arrays(cg):
    seen = Recorder()
    trace = fit(cg, seen, seeds=[0, 1])
    assert [set(metrics) for _, _, metrics, _ in seen.epochs] == [{"loss"}] * 4
    assert (seen.epochs[-1][2]["loss"] == trace.loss[-1]).all()
    assert seen.steps[0][2]["loss"].shape == (2,)
    assert tuple(seen.steps[0][3].shape) == tuple(trace.w.shape)


def test_a_callback_cannot_change_the_run_but_by_stopping_it(cg):
    class Vandal(cg.training.Callback):
        def on_step(self, progress):
            progress.w[...] = math.nan
            progress.metrics["loss"] = math.nan

        def on_epoch_end(self, progress):
            self.on_step(progress)

    trace = fit(cg, Vandal(), seeds=[0, 1])
    assert same(cg, trace, fit(cg, seeds=[0, 1]))


@pytest.mark.parametrize("method", ["on_step", "on_epoch_end"])
@pytest.mark.parametrize("step", [3, 6])
def test_a_callback_may_stop_the_run_which_goes_on_later(cg, tmp_path, method, step):
    stop = when(cg, step, lambda progress: progress.stop(), method)
    kept = {"checkpoints": tmp_path / "run", "log": tmp_path / "log.csv"}
    seen = Recorder()
    trace = fit(cg, stop, seen, **kept)
    assert (trace.stopped, trace.steps) == ("callback", step)
    assert len(seen.steps) == step  # the others are called all the same
    again = fit(cg, **kept, resume=True)
    assert (again.stopped, again.steps) == ("finished", 12)
    assert same(cg, again, fit(cg))
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 5


def test_a_stop_after_the_last_epoch_stops_nothing(cg):
    stop = when(cg, 12, lambda progress: progress.stop(), "on_epoch_end")
    assert fit(cg, stop).stopped == "finished"
    stop = when(cg, 12, lambda progress: progress.stop())
    trace = fit(cg, stop)
    assert (trace.stopped, trace.steps, len(trace.loss)) == ("finished", 12, 4)


@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize(
    ("method", "step"), [("on_step", 5), ("on_step", 6), ("on_epoch_end", 6)]
)
def test_what_a_callback_raises_loses_nothing(cg, tmp_path, kind, method, step):
    error = kind("mine")
    called = Recorder()
    fails = when(cg, step, raise_it(error), method)
    with pytest.raises(kind) as raised:
        fit(cg, fails, called, checkpoints=tmp_path)
    assert raised.value is error
    part = error.fit_result
    assert (part.steps, part.stopped) == (step, "callback")
    assert f"raised this after step {step};" in error.__notes__[0]
    newest = load(max(tmp_path.iterdir()))
    assert newest["steps"] == step
    stop = when(cg, step, lambda progress: progress.stop(), method)
    assert (part.w == fit(cg, stop).w).all()
    seen = Recorder()
    again = fit(cg, seen, checkpoints=tmp_path, resume=True)
    assert same(cg, again, fit(cg))
    # Nothing is told twice, and nothing is left out.
    assert [now[1] for now in seen.steps] == list(range(step + 1, 13))
    epochs = [2, 3, 4] if method == "on_step" else [3, 4]
    assert [now[0] for now in seen.epochs] == epochs


def test_without_checkpoints_the_weights_are_kept_in_the_error(cg):
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine"):
        fit(cg, when(cg, 7, raise_it(error)))
    assert error.fit_result.steps == 7
    assert len(error.fit_result.loss) == 2


def test_early_stopping_and_callbacks_live_together(cg):
    options = {
        "optimizer": cg.optimizers.adam(0.3),
        "validation": cg.data.moons(20, rng=1),
        "epochs": 60,
        "patience": 5,
    }
    early = fit(cg, Recorder(), **options)
    assert early.stopped == "early"
    stop = when(cg, early.steps - 1, lambda progress: progress.stop())
    part = fit(cg, stop, **options)
    assert part.stopped == "callback"
    assert (part.w == early.w).all()  # the best, whatever ends it


def leap(w, grad, t):
    return w + (math.inf if t > 4 else 0), t + 1


def test_a_callback_that_fails_after_a_divergence_gets_the_last_good_weights(cg):
    optimizer = Optimizer(lambda _: 0, leap)
    error = KeyError()
    with pytest.raises(KeyError):
        fit(cg, when(cg, 6, raise_it(error)), optimizer=optimizer)
    assert error.fit_result.stopped == "diverged"
    assert bool((abs(error.fit_result.w) < math.inf).all())


def test_an_epoch_that_diverged_is_not_told(cg):
    seen = Recorder()
    trace = fit(cg, seen, optimizer=Optimizer(lambda _: 0, leap))
    assert trace.stopped == "diverged"
    assert [now[0] for now in seen.epochs] == [1]
    assert [now[1] for now in seen.steps] == [1, 2, 3, 4, 5, 6]


def test_ctrl_c_in_a_callback_is_ctrl_c(cg):
    press = when(cg, 4, lambda _: signal.raise_signal(signal.SIGINT))
    trace = fit(cg, press)
    assert (trace.stopped, trace.steps) == ("interrupted", 4)


def test_a_second_ctrl_c_loses_nothing_either(cg, tmp_path):
    def twice(_):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as raised:
        fit(cg, when(cg, 4, twice), checkpoints=tmp_path)
    assert raised.value.fit_result.steps == 4
    assert same(cg, fit(cg, checkpoints=tmp_path, resume=True), fit(cg))


def test_a_callback_says_what_it_knows(cg):
    told = []
    fit(cg, when(cg, 3, lambda progress: told.append(repr(progress)), "on_epoch_end"))
    assert told[0].startswith("FitProgress(epoch=1, step=3, metrics={'loss': ")


def test_a_bad_callback_is_told_before_the_first_step(cg):
    class Half:
        def on_step(self, progress):
            """Do nothing."""

    class Deaf(cg.training.Callback):
        def on_epoch_end(self):
            """Do nothing."""

    words = {
        "callbacks[0]` must be a callback, got the class Deaf; make one with Deaf()": [
            Deaf
        ],
        "callbacks[1]` must be a callback, got Half without on_epoch_end; derive": [
            Recorder(),
            Half(),
        ],
        "callbacks[0]` must be a callback, got builtin_function_or_method without": [
            print
        ],
        "callbacks[0]` must be a callback, but its on_epoch_end does not take one": [
            Deaf()
        ],
        "`callbacks` must be a list, got": Recorder(),
    }

    def never(*_):
        raise AssertionError("a step was taken")

    for told, given in words.items():
        with pytest.raises(TypeError) as error:
            fit(cg, callbacks=given, optimizer=Optimizer(lambda _: 0, never))
        assert told in str(error.value)
        assert str(error.value).startswith("fit: `callbacks")


def test_a_method_that_does_not_say_what_it_takes_is_tried(cg):
    class Silent(Recorder):
        pass

    silent = Silent()
    silent.on_epoch_end = functools.partial(dict.__setitem__, {}, "last")
    silent.on_step = {}.get  # written in C
    assert fit(cg, silent).stopped == "finished"
