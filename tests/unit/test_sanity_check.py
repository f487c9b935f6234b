"""Sanity checks: a sound model passes all; each check fails on its own mistake."""

import functools
import importlib
import math

import numpy as np
import pytest


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    if request.param == "torch":
        pytest.importorskip("torch")
    return importlib.import_module(f"chalkgrad.{request.param}")


def sane(cg, x, y, *, sizes=(2, 16, 2), w=None, net=None, **options):
    net = net or cg.network(sizes, activation=options.pop("activation", "relu"))
    w = net.init() if w is None else w
    options = {"loss": cg.losses.cross_entropy} | options
    return cg.training.sanity_check(net, w, x, y, **options)


def moons(cg, n=60):
    return cg.data.moons(n)


class Model:
    """A network of the reader's own, with a fault in it."""

    def __init__(self, net):
        self.net, self.layers = net, net.layers

    def forward(self, w, x):
        return self.net.forward(w, x)

    def loss_and_grad(self, w, x, y, loss):
        return self.net.loss_and_grad(w, x, y, loss)


class WrongGradient(Model):
    def loss_and_grad(self, w, x, y, loss):
        value, grad = self.net.loss_and_grad(w, x, y, loss)
        self.layers(grad)[0][1][...] = 0  # the bias was forgotten
        return value, grad


class MixedRows(Model):
    def forward(self, w, x):
        out = self.net.forward(w, x)
        return out - out.mean(0)


@pytest.mark.parametrize(("data", "dtype"), [("moons", "float32"), ("xor", "float64")])
def test_a_sound_model_passes_all(cg, data, dtype):
    x, labels = getattr(cg.data, data)(60)
    w = cg.network([2, 16, 2]).init(1, dtype=dtype)
    report = sane(cg, cg.array(x, dtype=dtype), labels, w=w)
    assert report.failures == ()
    assert all(check.passed for check in report)


def test_it_judges_regression_too(cg):
    x, targets = cg.data.line(60)
    report = sane(cg, x, targets, sizes=(1, 1), loss=cg.losses.mse)
    assert report.failures == ()
    assert report.classes_balanced.passed is report.no_dead_units.passed is None
    report = sane(cg, x, targets + 1000, sizes=(1, 1), loss=cg.losses.mse)
    assert {"loss_at_start", "batch_learned"} <= set(report.failures)


def test_smoothed_labels_can_be_learned(cg):
    smooth = functools.partial(cg.losses.cross_entropy, label_smoothing=0.1)
    assert sane(cg, *moons(cg), loss=smooth).failures == ()


@pytest.mark.parametrize("scale", [1e-3, 255])
def test_inputs_that_are_not_scaled(cg, scale):
    x, labels = moons(cg)
    assert "inputs_scaled" in sane(cg, x * scale, labels).failures


def test_one_input_in_another_unit(cg):
    x, labels = moons(cg)
    report = sane(cg, x * cg.array([1.0, 100.0]), labels)
    assert "inputs_scaled" in report.failures


def test_classes_that_are_rare_or_missing(cg):
    x, labels = moons(cg)
    rare = labels * cg.array([i < 8 for i in range(60)], dtype="int64")
    report = sane(cg, x, rare)
    assert "classes_balanced" in report.failures
    assert report.classes_balanced.value == 14  # 56 to 4
    report = sane(cg, x, labels, sizes=(2, 16, 3))
    assert report.classes_balanced.value == math.inf


def test_a_start_that_is_too_sure(cg):
    report = sane(cg, *moons(cg), w=30 * cg.network([2, 16, 2]).init())
    assert "loss_at_start" in report.failures
    assert report.loss_at_start.value > 2 * math.log(2)


def test_an_answer_among_the_inputs_or_a_walk_already_walked(cg):
    x, labels = cg.data.separable(60, margin=1.0)
    w = cg.array([-6.0, 6.0, -8.0, 8.0, 2.0, -2.0])
    report = sane(cg, x, labels, sizes=(2, 2), w=w)
    assert "loss_at_start" in report.failures
    assert report.loss_at_start.value < math.log(2) / 2


def test_a_gradient_with_a_part_forgotten(cg):
    net = WrongGradient(cg.network([2, 16, 2]))
    report = sane(cg, *moons(cg), net=net, w=net.net.init())
    assert "gradient_right" in report.failures


def test_a_gradient_too_small_to_be_judged_is_not_called_wrong(cg):
    net = cg.network([2, *[8] * 12, 2], activation="tanh")
    report = sane(cg, *moons(cg), net=net, w=net.init(scheme="normal"))
    assert "gradient_right" not in report.failures
    assert "gradient_flows" in report.failures


def test_a_gradient_that_reaches_no_hidden_layer(cg):
    net = cg.network([2, 16, 2])
    report = sane(cg, *moons(cg), net=net, w=net.init(scheme="zeros"))
    assert report.gradient_flows.value == 0
    assert {"gradient_flows", "batch_learned"} <= set(report.failures)


def test_dead_units(cg):
    net = cg.network([2, 16, 2])
    w = net.init()
    net.layers(w)[0][1][...] = -100
    report = sane(cg, *moons(cg), net=net, w=w)
    assert report.no_dead_units.value == 1
    assert "no_dead_units" in report.failures


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_saturated_units(cg, activation):
    net = cg.network([2, 16, 2], activation=activation)
    x, labels = moons(cg)
    assert "no_dead_units" not in sane(cg, x, labels, net=net).failures
    w = net.init()
    net.layers(w)[0][0][...] *= 100
    assert "no_dead_units" in sane(cg, x, labels, net=net, w=w).failures


def test_rows_that_are_mixed(cg):
    net = MixedRows(cg.network([2, 16, 2]))
    report = sane(cg, *moons(cg), net=net, w=net.net.init())
    assert "rows_independent" in report.failures


@pytest.mark.parametrize("lr", [1e-6, 1e200])
def test_a_rate_that_learns_nothing(cg, lr):
    report = sane(cg, *moons(cg), optimizer=cg.optimizers.sgd(lr))
    assert "batch_learned" in report.failures


def test_a_model_that_is_too_small(cg):
    x, labels = cg.data.xor(60)
    assert "batch_learned" in sane(cg, x, labels, sizes=(2, 2)).failures


def test_labels_of_other_rows(cg):
    x, labels = moons(cg, 300)
    other = np.random.default_rng(5).permutation(300)
    report = sane(cg, x, labels[other])
    assert "labels_match_inputs" in report.failures
    assert sane(cg, x, labels).labels_match_inputs.value < 0.5


def test_few_examples_leave_none_to_hold_out(cg):
    assert sane(cg, *moons(cg, 8)).labels_match_inputs.passed is None


def test_the_weights_stay_and_a_seed_is_a_report(cg):
    net = cg.network([2, 16, 2])
    w = net.init()
    before = cg.asnumpy(w)
    first = sane(cg, *moons(cg), net=net, w=w, rng=3)
    again = sane(cg, *moons(cg), net=net, w=w, rng=np.random.default_rng(3))
    assert (cg.asnumpy(w) == before).all()
    assert first.batch_learned == again.batch_learned


def test_both_backends_find_the_same():
    pytest.importorskip("torch")
    numpy, torch = (
        sane(cg, *moons(cg), rng=2)
        for cg in map(importlib.import_module, ("chalkgrad.numpy", "chalkgrad.torch"))
    )
    for ours, theirs in zip(numpy, torch, strict=True):
        assert ours.value == pytest.approx(theirs.value, rel=1e-6, abs=1e-6)
        assert ours._replace(value=0) == theirs._replace(value=0)


def test_it_prints_as_a_table(cg):
    x, labels = moons(cg)
    lines = str(sane(cg, 255 * x, labels)).splitlines()
    assert lines[0].split() == ["check", "passed", "value", "expected"]
    assert lines[1].split()[:2] == ["inputs_scaled", "NO"]
    assert lines[2].startswith("    -> Scale the inputs")
    assert max(map(len, lines)) <= 84
    few = str(sane(cg, *moons(cg, 8))).splitlines()
    assert few[-1].split() == ["labels_match_inputs", "-", "-", "0.9", "or", "less"]


def test_bad_input_is_told_at_the_door(cg):
    x, labels = moons(cg)
    net = cg.network([2, 16, 2])
    with pytest.raises(ValueError, match="sanity_check: `x` must have 8 rows or more"):
        sane(cg, x[:7], labels[:7])
    with pytest.raises(cg.ShapeError, match="sanity_check: `x` has 60 rows but `y`"):
        sane(cg, x, labels[:-1])
    with pytest.raises(cg.ShapeError, match="the weights of one network, got"):
        sane(cg, x, labels, net=net, w=net.init([0, 1]))
    with pytest.raises(ValueError, match="sanity_check: `x` has nan at index"):
        sane(cg, x * math.nan, labels)
    with pytest.raises(IndexError, match="cross_entropy: `labels`"):
        sane(cg, x, labels + 1)
    with pytest.raises(TypeError, match="sanity_check: `rng` must be a seed"):
        sane(cg, x, labels, rng="0")
