"""Training: the loop is the formula, tells what it did, and stops when it must."""

import functools
import importlib
import math
import signal
import sys
import threading

import numpy as np
import pytest

from chalkgrad._core.types import Optimizer


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


def moons(cg, n=40, seed=0):
    x, labels = cg.data.moons(n, rng=seed)
    return cg.network([2, 8, 2]), x, labels


def fit(cg, net, w, x, y, **options):
    defaults = {
        "loss": cg.losses.cross_entropy,
        "optimizer": cg.optimizers.adam(0.01),
        "epochs": 3,
        "progress": False,
    }
    return cg.training.fit(net, w, x, y, **defaults | options)


def zero(_):
    """Start the count of steps, for a state."""
    return 0


def still(hook=zero):
    """Make an optimizer that stays where it is, and calls `hook` before each step."""

    def step(w, grad, t):
        hook(t)
        return w, t + 1

    return Optimizer(zero, step)


def interrupt(*when):
    """Make a hook that presses Ctrl-C at these steps."""

    def hook(t):
        for _ in range(when.count(t)):
            signal.raise_signal(signal.SIGINT)

    return hook


def test_without_batches_it_is_gradient_descent(cg):
    net, x, labels = moons(cg)
    opt = cg.optimizers.sgd(0.1, momentum=0.9)
    trace = fit(cg, net, net.init(), x, labels, optimizer=opt, epochs=5)
    w = net.init()
    state, losses = opt.init(w), []
    for _ in range(5):
        loss, grad = net.loss_and_grad(w, x, labels, cg.losses.cross_entropy)
        losses.append(float(loss))
        w, state = opt.step(w, grad, state)
    np.testing.assert_allclose(cg.asnumpy(trace.w), cg.asnumpy(w), rtol=1e-12)
    np.testing.assert_allclose(trace.loss, losses, rtol=1e-12)
    assert (trace.steps, trace.stopped) == (5, "finished")
    assert trace.seconds > 0


def test_an_epoch_is_every_example_once_and_its_loss_their_mean(cg):
    net, x, labels = moons(cg, n=10)
    w = net.init()
    whole = float(cg.losses.cross_entropy(net.forward(w, x), labels))
    trace = fit(cg, net, w, x, labels, optimizer=still(), batch_size=4)
    assert trace.loss == pytest.approx([whole] * 3, rel=1e-14)
    assert trace.steps == 9


def test_the_start_stays_as_it_is(cg):
    net, x, labels = moons(cg)
    w = net.init()
    before = cg.asnumpy(w)
    trace = fit(cg, net, w, x, labels, batch_size=8)
    assert (cg.asnumpy(w) == before).all()
    assert (cg.asnumpy(trace.w) != before).any()
    assert type(trace.w) is type(w)


def test_training_learns(cg):
    net, x, labels = moons(cg, n=300)
    trace = fit(
        cg,
        net,
        net.init(),
        x,
        labels,
        epochs=40,
        batch_size=16,
        validation=cg.data.moons(300, rng=1),
    )
    assert trace.loss[-1] < 0.2 < trace.loss[0]
    assert trace.validation_loss[-1] < 0.2 < trace.validation_loss[0]
    assert trace.validation_accuracy[-1] > 0.95


def test_both_backends_take_the_same_path():
    pytest.importorskip("torch")
    traces = []
    for backend in ("numpy", "torch"):
        cg = importlib.import_module(f"chalkgrad.{backend}")
        net, x, labels = moons(cg, n=90)
        options = {"batch_size": 16, "epochs": 20, "rng": 3, "validation": (x, labels)}
        traces.append(fit(cg, net, net.init(), x, labels, **options))
    ours, theirs = traces
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-11)
    assert ours.validation_loss == pytest.approx(theirs.validation_loss, rel=1e-11)
    assert (ours.validation_accuracy == theirs.validation_accuracy).all()
    assert ours.w == pytest.approx(np.asarray(theirs.w), rel=1e-10, abs=1e-12)


def test_a_seed_is_a_path(cg):
    net, x, labels = moons(cg)
    first, again, other = (
        fit(cg, net, net.init(), x, labels, batch_size=8, rng=seed)
        for seed in (1, np.random.default_rng(1), 2)
    )
    assert (first.loss == again.loss).all()
    assert (first.loss != other.loss).any()


def test_many_networks_are_each_for_itself(cg):
    net, x, labels = moons(cg)
    options = {"batch_size": 16, "validation": cg.data.moons(20, rng=1)}
    together = fit(cg, net, net.init([0, 1, 2]), x, labels, **options)
    assert together.loss.shape == together.validation_accuracy.shape == (3, 3)
    for i in range(3):
        alone = fit(cg, net, net.init(i), x, labels, **options)
        assert together.loss[:, i] == pytest.approx(alone.loss, rel=1e-12)
        assert together.validation_loss[:, i] == pytest.approx(
            alone.validation_loss, rel=1e-12
        )
        assert (together.validation_accuracy[:, i] == alone.validation_accuracy).all()


def test_what_is_not_measured_is_none(cg):
    net, x, labels = moons(cg)
    trace = fit(cg, net, net.init(), x, labels)
    assert (trace.validation_loss, trace.validation_accuracy) == (None, None)
    x, targets = cg.data.line(20)
    net = cg.network([1, 1])
    trace = fit(
        cg, net, net.init(), x, targets, loss=cg.losses.mse, validation=(x, targets)
    )
    assert trace.validation_loss.shape == (3,)
    assert trace.validation_accuracy is None


def test_many_yes_or_no_questions_have_no_accuracy(cg):
    x, labels = cg.data.moons(20)
    net = cg.network([2, 3])
    answers = labels[:, None] + cg.array([[0, 0, 0]])
    trace = fit(
        cg,
        net,
        net.init(),
        x,
        answers,
        loss=cg.losses.binary_cross_entropy,
        validation=(x, answers),
    )
    assert trace.validation_loss[-1] < trace.validation_loss[0]
    assert trace.validation_accuracy is None


def test_a_loss_may_carry_its_options(cg):
    net, x, labels = moons(cg)
    smooth = functools.partial(cg.losses.cross_entropy, label_smoothing=0.1)
    trace = fit(cg, net, net.init(), x, labels, loss=smooth, validation=(x, labels))
    assert trace.validation_loss[-1] < trace.loss[0]


def test_ctrl_c_finishes_the_step_and_returns_what_there_is(cg):
    net, x, labels = moons(cg)
    handler = signal.getsignal(signal.SIGINT)
    trace = fit(
        cg,
        net,
        net.init(),
        x,
        labels,
        optimizer=still(interrupt(6)),  # the second step of the second epoch
        batch_size=8,
        epochs=100,
        validation=(x, labels),
    )
    assert (trace.stopped, trace.steps) == ("interrupted", 7)
    assert trace.loss.shape == trace.validation_accuracy.shape == (1,)
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_in_the_first_epoch_leaves_the_lists_empty(cg):
    net, x, labels = moons(cg)
    trace = fit(
        cg,
        net,
        net.init(),
        x,
        labels,
        optimizer=still(interrupt(0)),
        batch_size=8,
        validation=(x, labels),
    )
    assert (trace.stopped, trace.steps) == ("interrupted", 1)
    assert trace.loss.shape == trace.validation_loss.shape == (0,)


def test_a_second_ctrl_c_ends_it(cg):
    net, x, labels = moons(cg)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(cg, net, net.init(), x, labels, optimizer=still(interrupt(1, 1)))
    assert signal.getsignal(signal.SIGINT) is handler


def test_it_runs_in_a_thread(cg):
    net, x, labels = moons(cg)
    traces = []
    thread = threading.Thread(
        target=lambda: traces.append(fit(cg, net, net.init(), x, labels))
    )
    thread.start()
    thread.join()
    assert traces[0].stopped == "finished"


@pytest.mark.parametrize("lr", [1e3, 1e60, 1e300])
def test_a_rate_that_is_too_large_stops_at_the_last_good_weights(cg, lr):
    x, targets = cg.data.line(20)
    net = cg.network([1, 1])
    trace = fit(
        cg,
        net,
        net.init(),
        x,
        targets,
        loss=cg.losses.mse,
        optimizer=cg.optimizers.sgd(lr),
        epochs=200,
        validation=(x, targets),
    )
    assert trace.stopped == "diverged"
    loss = float(cg.losses.mse(net.forward(trace.w, x), targets))
    assert math.isfinite(loss)
    assert np.isfinite(trace.loss).all()
    assert len(trace.loss) == len(trace.validation_loss) < 200


def test_outputs_that_overflow_are_a_divergence_too(cg):
    net, x, labels = moons(cg)

    def leap(w, grad, t):
        return w + (1e200 if t else 0), t + 1

    trace = fit(cg, net, net.init(), x, labels, optimizer=Optimizer(zero, leap))
    assert (trace.stopped, trace.steps) == ("diverged", 2)
    assert (trace.w == net.init()).all()


def test_the_very_last_step_may_diverge(cg):
    net, x, labels = moons(cg)
    opt = Optimizer(zero, lambda w, _, t: (w + math.inf, t))
    trace = fit(cg, net, net.init(), x, labels, optimizer=opt, epochs=1)
    assert trace.stopped == "diverged"
    assert (trace.w == net.init()).all()


def test_one_network_that_diverges_stops_all(cg):
    x, targets = cg.data.line(20)
    net = cg.network([1, 1])
    lr = cg.array([[0.1], [1e200]])
    trace = fit(
        cg,
        net,
        net.init([0, 1]),
        x,
        targets,
        loss=cg.losses.mse,
        optimizer=cg.optimizers.sgd(lr),
        epochs=9,
    )
    assert trace.stopped == "diverged"
    assert np.isfinite(cg.asnumpy(trace.w)).all()


def test_a_fault_in_a_batch_is_not_called_a_divergence(cg):
    net, x, labels = moons(cg, n=10)

    class Fussy:
        forward = staticmethod(net.forward)

        @staticmethod
        def loss_and_grad(w, x, y, loss):
            if len(x) < 10:
                raise ValueError("fussy: not all rows")
            return net.loss_and_grad(w, x, y, loss)

    with pytest.raises(ValueError, match="fussy: not all rows"):
        fit(cg, Fussy, net.init(), x, labels, batch_size=4)


def test_bad_input_is_told_before_the_first_step(cg):
    net, x, labels = moons(cg)
    w = net.init()

    def never(t):
        raise AssertionError("a step was taken")

    def bad(*data, **options):
        return fit(cg, net, w, *data, optimizer=still(never), batch_size=4, **options)

    wrong = labels + 0
    wrong[33] = 7
    with pytest.raises(IndexError, match=r"7 at index \(33,\)"):
        bad(x, wrong)
    with pytest.raises(IndexError, match=r"7 at index \(33,\)"):
        bad(x, labels, validation=(x, wrong))
    hole = x + 0
    hole[5, 1] = math.nan
    with pytest.raises(ValueError, match=r"fit: `x` has nan at index \(5, 1\)"):
        bad(hole, labels)
    with pytest.raises(ValueError, match="fit: `x` has 40 rows but `y` has 39"):
        bad(x, labels[:39])
    with pytest.raises(TypeError, match="fit: `y` must be an array"):
        bad(x, [0, 1])
    with pytest.raises(ValueError, match="fit: `epochs` must be a whole number, 1"):
        bad(x, labels, epochs=0)
    with pytest.raises(TypeError, match="fit: `rng` must be a seed"):
        bad(x, labels, rng="a")
    with pytest.raises(ValueError, match="fit: `batch_size` must be"):
        fit(cg, net, w, x, labels, batch_size=0)


def test_the_bar_tells_epoch_loss_accuracy_and_speed(cg, capsys):
    net, x, labels = moons(cg)
    options = {"batch_size": 8, "validation": (x, labels)}
    fit(cg, net, net.init(), x, labels, progress=True, **options)
    told = capsys.readouterr().err
    for word in ("epoch 3/3", "loss 0.", "accuracy", "examples/s"):
        assert word in told
    fit(cg, net, net.init(), x, labels, progress=True)
    assert "accuracy" not in capsys.readouterr().err


def test_by_default_the_bar_is_for_terminals(cg, capsys, monkeypatch):
    net, x, labels = moons(cg)
    fit(cg, net, net.init(), x, labels, progress=None)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(cg, net, net.init(), x, labels, progress=None)
    assert "epoch 3/3" in capsys.readouterr().err


def test_without_rich_there_is_no_bar(cg, capsys, monkeypatch):
    net, x, labels = moons(cg)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(cg, net, net.init(), x, labels, progress=None)
    assert capsys.readouterr().err == ""
    with pytest.raises(ImportError, match=r"fit: `progress` .* pip install .*\[cli\]'"):
        fit(cg, net, net.init(), x, labels, progress=True)


def test_accuracy_and_confusion_count_the_same(cg):
    x, labels = cg.data.blobs(60, noise=0.8)
    net = cg.network([2, 3])
    w = net.init()
    table = cg.training.confusion(net, w, x, labels)
    assert table.sum(axis=1).tolist() == [20, 20, 20]
    share = cg.training.accuracy(net, w, x, labels)
    assert type(share) is float
    assert share == table.trace() / 60
    named = cg.asnumpy(net.forward(w, x)).argmax(axis=-1)
    assert table.sum(axis=0).tolist() == np.bincount(named, minlength=3).tolist()


def test_one_output_names_two_classes(cg):
    x, labels = cg.data.separable(50)
    net, w = cg.network([2, 1]), cg.array([0.6, 0.8, -0.2])
    for answers in (labels, labels[:, None], 2 * labels - 1):
        assert cg.training.accuracy(net, w, x, answers) == 1.0
        assert cg.training.accuracy(net, -w, x, answers) == 0.0
        assert cg.training.confusion(net, w, x, answers).tolist() == [[25, 0], [0, 25]]


def test_nan_names_no_class(cg):
    x, labels = cg.data.moons(20)
    net = cg.network([2, 3, 2])
    w = net.init() * float("nan")
    for count in (cg.training.accuracy, cg.training.confusion):
        words = f"{count.__name__}: an output of the network is nan"
        with pytest.raises(ValueError, match=words):
            count(net, w, x, labels)


def test_accuracy_of_many_networks(cg):
    x, labels = cg.data.separable(50)
    net = cg.network([2, 1])
    w = cg.array([[0.6, 0.8, -0.2], [-0.6, -0.8, 0.2]])
    assert cg.training.accuracy(net, w, x, labels).tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match=r"confusion: `w` .* one network, .*w\[i\]"):
        cg.training.confusion(net, w, x, labels)


def test_labels_that_fit_nothing_are_told(cg):
    x, labels = cg.data.blobs(6)
    net = cg.network([2, 3])
    w = net.init()
    with pytest.raises(IndexError, match=r"`labels` has 3 at index .* 0 to 2"):
        cg.training.accuracy(net, w, x, labels + 1)
    with pytest.raises(IndexError, match="`labels` has -1 at index"):
        cg.training.confusion(net, w, x, labels - 1)
    with pytest.raises(TypeError, match="accuracy: `labels` must be class ids"):
        cg.training.accuracy(net, w, x, labels * 1.0)
    with pytest.raises(ValueError, match=r"accuracy: `labels` .* shape \(6,\)"):
        cg.training.accuracy(net, w, x, labels[:, None])
    with pytest.raises(ValueError, match="`x` has 6 rows but `labels` has 5"):
        cg.training.accuracy(net, w, x, labels[:5])


def find_lr(cg, net, w, x, y, **options):
    defaults = {"loss": cg.losses.cross_entropy, "optimizer": cg.optimizers.sgd}
    return cg.training.find_lr(net, w, x, y, **defaults | options)


def test_the_range_test_takes_one_step_with_each_rate(cg):
    net, x, labels = moons(cg)
    w = net.init()
    before = cg.asnumpy(w)
    found = find_lr(cg, net, w, x, labels, low=1e-4, high=0.1, steps=4)
    assert (cg.asnumpy(w) == before).all()
    assert found.rates == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1], rel=1e-12)
    losses, v = [], w
    for lr in found.rates.tolist():
        _, grad = net.loss_and_grad(v, x, labels, cg.losses.cross_entropy)
        v = v - lr * grad
        losses.append(float(cg.losses.cross_entropy(net.forward(v, x), labels)))
    assert found.losses == pytest.approx(losses, rel=1e-12)
    assert found.lr == pytest.approx(0.01)


def test_the_range_test_stops_when_the_loss_flies_up(cg):
    x, targets = cg.data.line(20, noise=0)
    net = cg.network([1, 1])
    found = find_lr(
        cg, net, net.init(scheme="zeros"), x, targets, loss=cg.losses.mse, high=1e3
    )
    assert len(found.rates) == len(found.losses) < 100
    assert found.losses[-1] > 4 * found.losses.min()
    assert (found.losses[:-1] <= 4 * np.minimum.accumulate(found.losses[:-1])).all()
    assert found.lr == found.rates[found.losses.argmin()] / 10
    # On a bowl the limit is 2 / curvature, and the suggestion is below it.
    assert found.lr < 1 < found.rates[-1]


def test_a_loss_that_is_not_finite_is_left_out(cg):
    net, x, labels = moons(cg)
    found = find_lr(cg, net, net.init(), x, labels, low=1e-3, high=1e300, steps=20)
    assert len(found.rates) < 20
    assert np.isfinite(found.losses).all()


def test_the_range_test_goes_round_the_batches(cg):
    net, x, labels = moons(cg)
    options = {"batch_size": 16, "high": 0.1, "steps": 30}
    first, again, other = (
        find_lr(cg, net, net.init(), x, labels, rng=seed, **options)
        for seed in (1, np.random.default_rng(1), 2)
    )
    assert len(first.losses) == 30
    assert (first.losses == again.losses).all()
    assert (first.losses != other.losses).any()


def test_the_range_test_takes_any_maker_of_optimizers(cg):
    net, x, labels = moons(cg)
    for make in (
        cg.optimizers.adam,
        functools.partial(cg.optimizers.sgd, momentum=0.9),
    ):
        found = find_lr(cg, net, net.init(), x, labels, optimizer=make)
        assert 0 < found.lr < 10
        trace = fit(cg, net, net.init(), x, labels, optimizer=make(found.lr), epochs=50)
        assert trace.loss[-1] < 0.7 * trace.loss[0]


def test_both_backends_find_the_same_rate():
    pytest.importorskip("torch")
    found = []
    for backend in ("numpy", "torch"):
        cg = importlib.import_module(f"chalkgrad.{backend}")
        net, x, labels = moons(cg)
        found.append(find_lr(cg, net, net.init(), x, labels, high=1, batch_size=16))
    ours, theirs = found
    assert ours.losses == pytest.approx(theirs.losses, rel=1e-9)
    assert ours.lr == theirs.lr


def test_what_the_range_test_cannot_use_is_told(cg):
    net, x, labels = moons(cg)
    w = net.init()
    for words, error, options in [
        ("find_lr: `low` must be a finite number above 0", ValueError, {"low": 0}),
        (
            "find_lr: `high` must be a finite number above 1",
            ValueError,
            {"low": 1, "high": 1},
        ),
        ("find_lr: `steps` must be a whole number, 2 or", ValueError, {"steps": 1}),
        ("find_lr: `batch_size` must be a whole", TypeError, {"batch_size": 0.5}),
        ("find_lr: `rng` must be a seed", TypeError, {"rng": "a"}),
        (
            "find_lr: `optimizer` must be a function .* got Optimizer",
            TypeError,
            {"optimizer": cg.optimizers.sgd(0.1)},
        ),
        (
            "find_lr: `optimizer` must be a function .* got str",
            TypeError,
            {"optimizer": "sgd"},
        ),
        (
            "find_lr: `optimizer` must be a function .* got function",
            TypeError,
            {"optimizer": lambda lr: lr},
        ),
        (
            "find_lr: no rate from 100000 to 1e\\+06 brought the loss below",
            ValueError,
            {"low": 1e5, "high": 1e6},
        ),
    ]:
        with pytest.raises(error, match=words):
            find_lr(cg, net, w, x, labels, **options)
    with pytest.raises(
        ValueError, match=r"find_lr: `w` must be .* one network.*w\[i\]"
    ):
        find_lr(cg, net, net.init([0, 1]), x, labels)
    with pytest.raises(ValueError, match="find_lr: `x` has 40 rows but `y` has 39"):
        find_lr(cg, net, w, x, labels[:39])


def test_predictions_and_probabilities_are_those_of_the_outputs(cg):
    x, labels = cg.data.blobs(60, noise=0.8)
    net = cg.network([2, 3])
    w = net.init(range(4))
    named = cg.asnumpy(cg.training.predict(net, w[0], x))
    share = (named == cg.asnumpy(labels)).mean()
    assert share == cg.training.accuracy(net, w[0], x, labels)
    outputs = np.exp(cg.asnumpy(net.forward(w, x)))
    chances = cg.asnumpy(cg.training.probabilities(net, w, x))
    wanted = outputs / outputs.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(chances, wanted, rtol=1e-12)
    many = cg.asnumpy(cg.training.predict(net, w, x))
    assert (many == chances.argmax(axis=-1)).all()
    assert many.shape == (4, 60)
    assert type(cg.training.predict(net, w, x)) is type(x)


def test_one_output_has_two_probabilities(cg):
    net, w = cg.network([1, 1]), cg.array([2.0, 0.5])
    x = cg.array([[0.3], [-0.3], [-0.25]])
    score = 2 * cg.asnumpy(x)[:, 0] + 0.5
    sure = 1 / (1 + np.exp(-score))
    chances = cg.asnumpy(cg.training.probabilities(net, w, x))
    np.testing.assert_allclose(chances, np.stack([1 - sure, sure], axis=-1), 1e-12)
    assert cg.asnumpy(cg.training.predict(net, w, x)).tolist() == [1, 0, 0]


def test_what_names_no_class_is_told(cg):
    net = cg.network([1, 2])
    nan, inf = (cg.array([0.0, 0.0, end, 0.0]) for end in (float("nan"), 1e308))
    x = cg.array([[1.0]])
    for f in (cg.training.predict, cg.training.probabilities):
        with pytest.raises(ValueError, match=f"{f.__name__}: .* is nan, which names"):
            f(net, nan, x)
        with pytest.raises(TypeError, match=f"{f.__name__}: `x` must be an array"):
            f(net, inf, [[1.0]])
        with pytest.raises(TypeError, match=f"{f.__name__}: `net` must be a network"):
            f("net", inf, x)
