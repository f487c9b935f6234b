"""A reader's own loss trains like ours, by `fit` and by plan, in both backends."""

import math
import re
from functools import partial

import numpy as np
import pytest
import torch

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from chalkgrad._core.check import ShapeError

BACKENDS = [(reference, np), (twin, torch)]
both = pytest.mark.parametrize(("cg", "m"), BACKENDS, ids=["numpy", "torch"])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 2))
SIGNS = (X[:, :1] * X[:, 1:] > 0) * 1.0
NUMBERS = X[:, :1] - 2 * X[:, 1:] + 0.1 * RNG.normal(size=(12, 1))


def own_losses(cg, m):
    """Return each loss with its truth: one without a gradient, and one with it."""

    def log_cosh(predictions, targets):
        d = predictions - targets
        return m.logaddexp(d, -d) - math.log(2)

    @cg.losses.loss
    def quantile(predictions, targets, *, share=0.7):
        d = targets - predictions
        return m.where(d > 0, share * d, (share - 1) * d)

    @quantile.gradient
    def quantile_grad(predictions, targets, *, share=0.7):
        one = m.ones_like(targets)
        return m.where(targets > predictions, -share * one, (1 - share) * one)

    @cg.losses.loss
    def focal(logits, labels, *, gamma=2.0):
        p = cg.activations.sigmoid((1 - 2 * labels) * logits)  # of the wrong answer
        surprise = cg.activations.softplus((1 - 2 * labels) * logits)
        return p**gamma * surprise

    return {
        "log_cosh": (log_cosh, NUMBERS),
        "quantile": (quantile, NUMBERS),
        "quantile, an option": (partial(quantile, share=0.2), NUMBERS),
        "focal": (focal, SIGNS),
        "focal, an option": (partial(focal, gamma=1.0), SIGNS),
    }


NAMES = list(own_losses(reference, np))


def plain(a):
    return a.detach().numpy() if isinstance(a, torch.Tensor) else np.asarray(a)


def differences(cg, net, w, x, y, loss, h=1e-6):
    """Return the slopes of the mean loss by central differences."""
    out = np.empty(len(w))
    for i in range(len(w)):
        step = h * np.eye(len(w))[i]
        up, down = (
            net.loss_and_grad(cg.array(plain(w) + s), x, y, loss)[0]
            for s in (step, -step)
        )
        out[i] = float(up - down) / (2 * h)
    return out


@both
@pytest.mark.parametrize("name", NAMES)
def test_a_network_finds_its_gradient(cg, m, name):
    loss, y = own_losses(cg, m)[name]
    net = cg.network([2, 3, 1], activation="tanh")
    w, x, y = net.init(1), cg.array(X), cg.array(y)
    value, grad = net.loss_and_grad(w, x, y, loss)
    wanted = cg.losses.loss(loss)(net.forward(w, x), y)
    assert float(value) == pytest.approx(float(wanted), rel=1e-14)
    slopes = differences(cg, net, w, x, y, loss)
    np.testing.assert_allclose(plain(grad), slopes, rtol=1e-6, atol=1e-8)


@both
@pytest.mark.parametrize("name", NAMES)
def test_many_networks_train_as_each_does_alone(cg, m, name):
    loss, y = own_losses(cg, m)[name]
    net = cg.network([2, 4, 1], activation="tanh")
    x, y = cg.array(X), cg.array(y)
    weights = cg.array(np.linspace(0, 2, len(X)))
    starts = net.init([0, 1, 2])
    options = {
        "loss": loss, "optimizer": cg.optimizers.sgd(0.1), "batch_size": len(X)
    }  # fmt: skip
    many = net.plan(starts, **options)
    values = [many(x, y, weights=weights) for _ in range(5)]
    for i in range(3):
        alone = net.plan(starts[i], **options)
        for value in values:
            one = alone(x, y, weights=weights)
            assert float(one) == pytest.approx(float(value[i]), rel=1e-12)
        np.testing.assert_allclose(plain(alone.w), plain(many.w[i]), rtol=1e-12)


@both
@pytest.mark.parametrize("name", NAMES)
def test_fit_makes_it_small_and_both_backends_alike(cg, m, name):
    loss, y = own_losses(cg, m)[name]
    found = fit(cg, loss, y)
    assert float(found.loss[-1]) < 0.75 * float(found.loss[0])
    theirs = fit(reference, own_losses(reference, np)[name][0], y)
    np.testing.assert_allclose(plain(found.w), theirs.w, rtol=1e-9)


def fit(cg, loss, y):
    net = cg.network([2, 8, 1], activation="tanh")
    return cg.training.fit(
        net, net.init(0), cg.array(X), cg.array(y), loss=loss, epochs=40,
        optimizer=cg.optimizers.adam(0.05), batch_size=5, progress=False,
    )  # fmt: skip


@both
@pytest.mark.parametrize("name", NAMES)
def test_autodiff_and_landscape_take_it(cg, m, name):
    loss, y = own_losses(cg, m)[name]
    net = cg.network([2, 3, 1], activation="tanh")
    w, x, y = net.init(1), cg.array(X), cg.array(y)
    f = cg.losses.loss(loss)
    _, wanted = net.loss_and_grad(w, x, y, loss)
    grad = cg.autodiff.grad(lambda w: f(net.forward(w, x), y))(w)
    np.testing.assert_allclose(plain(grad), plain(wanted), rtol=1e-9, atol=1e-12)
    d = cg.landscape.directions(net, w)[0]
    line = cg.landscape.loss_grid(net, w, x, y, loss, d, points=3)
    assert float(line[1]) == pytest.approx(float(f(net.forward(w, x), y)), rel=1e-12)
    found = cg.landscape.sharpness(net, w, x, y, loss, steps=50)
    assert math.isfinite(found.eigenvalue)


@both
def test_check_grads_judges_a_gradient_that_is_written(cg, m):
    quantile, _ = own_losses(cg, m)["quantile"]
    p, t = cg.array([0.3, -2.0, 5.0]), cg.array([1.0, 1.0, 1.0])
    cg.autodiff.check_grads(lambda p: quantile(p, t), p)
    wrong = wrong_loss(cg)
    with pytest.raises(AssertionError, match=r"derivative 1 is .*, but differences"):
        cg.autodiff.check_grads(lambda p: wrong(p, t), p)


def wrong_loss(cg):
    """Return the square with half of its gradient."""

    @cg.losses.loss
    def square(predictions, targets):
        return (predictions - targets) ** 2

    @square.gradient
    def square_grad(predictions, targets):
        return predictions - targets

    return square


@both
def test_a_sanity_check_finds_a_wrong_gradient(cg, m):
    net = cg.network([2, 8, 1], activation="tanh")
    args = net, net.init(0), cg.array(X), cg.array(NUMBERS)
    report = cg.training.sanity_check(*args, loss=wrong_loss(cg))
    assert "gradient_right" in report.failures
    log_cosh, _ = own_losses(cg, m)["log_cosh"]
    report = cg.training.sanity_check(*args, loss=log_cosh)
    assert "gradient_right" not in report.failures


@both
def test_one_loss_a_row_is_averaged_over_rows(cg, m):
    def of_rows(outputs, targets):
        return abs(outputs - targets).sum(-1)

    f = cg.losses.loss(of_rows)
    p, t = cg.array([[1.0, 2.0], [3.0, 5.0]]), cg.array([[0.0, 0.0], [0.0, 0.0]])
    assert float(f(p, t)) == 5.5
    assert float(f(p, t, weights=cg.array([3, 1]))) == (3 * 3 + 8) / 4
    value, grad = f.value_and_grad(p, t, weights=cg.array([3, 1]))
    assert float(value) == (3 * 3 + 8) / 4
    assert plain(grad).tolist() == [[0.75, 0.75], [0.25, 0.25]]


@both
def test_one_that_can_reduce_is_asked_not_to(cg, m):
    def half_square(p, t, reduction="mean"):
        return cg.losses.mse(p, t, reduction=reduction) / 2

    p, t = cg.array([1.0, 3.0]), cg.array([0.0, 0.0])
    f = cg.losses.loss(half_square)
    assert plain(f(p, t, reduction="none")).tolist() == [0.5, 4.5]
    assert float(f(p, t)) == 2.5


def test_a_loss_of_pytorch_is_one():
    p, t = twin.array([0.5, 3.0]), twin.array([0.0, 0.0])
    f = twin.losses.loss(torch.nn.functional.smooth_l1_loss)
    assert float(f(p, t)) == float(twin.losses.huber(p, t))
    f = partial(torch.nn.functional.huber_loss, delta=0.5)
    net = twin.network([2, 1])
    args = net.init(0), twin.array(X), twin.array(NUMBERS)
    ours = net.loss_and_grad(*args, partial(twin.losses.huber, delta=0.5))
    for one, other in zip(net.loss_and_grad(*args, f), ours, strict=True):
        torch.testing.assert_close(one, other)


def refused(cg, m, function, error, words):
    net = cg.network([2, 1])
    args = net.init(0), cg.array(X), cg.array(NUMBERS)
    with pytest.raises(error) as caught:
        net.loss_and_grad(*args, function)
    assert words in str(caught.value)
    with pytest.raises(error) as caught:
        fit(cg, function, NUMBERS)
    assert words in str(caught.value)


def returns(value):
    def mine(outputs, truth):
        return value(outputs, truth)

    return mine


REFUSED = {
    "the mean": (
        lambda p, t: ((p - t) ** 2).mean(),
        ShapeError,
        (
            "mine: must return the loss of each example, shape (12,) or (12, 1), "
            "got shape "
            "(), one number; leave out the mean, which is taken."
        ),
    ),
    "too few": (
        lambda p, t: (p - t)[:3, 0],
        ShapeError,
        (
            "mine: must return the loss of each example, shape (12,) or (12, 1), "
            "got shape "
            "(3,)."
        ),
    ),
    "every pair": (
        lambda p, t: p - t[:, 0],
        ShapeError,
        "shape (12,) or (12, 1), got shape (12, 12).",
    ),
    "a whole number": (
        lambda p, t: 3,
        TypeError,
        (
            "mine: must return an array of floats of this backend, one for each "
            "example, got "
            "int."
        ),
    ),
    "nothing": (lambda p, t: None, TypeError, "one for each example, got NoneType."),
    "mistakes": (
        lambda p, t: (p > 0) != (t > 0),
        TypeError,
        "one for each example, got an array of bool.",
    ),
    "nan": (
        lambda p, t: p - t + math.nan,
        ValueError,
        (
            "mine: `what it returns` has nan at index (0, 0); every number that "
            "it returns must be one."
        ),
    ),
}


@both
@pytest.mark.parametrize("case", REFUSED)
def test_what_a_loss_must_not_return_is_named(cg, m, case):
    value, error, words = REFUSED[case]
    refused(cg, m, returns(value), error, words)


@both
def test_what_a_loss_raises_comes_with_what_it_was_given(cg, m):
    def mine(outputs, truth):
        return outputs / {}["scale"]

    net = cg.network([2, 1])
    with pytest.raises(KeyError) as caught:
        net.loss_and_grad(net.init(0), cg.array(X), cg.array(NUMBERS), mine)
    assert caught.value.__notes__ == [
        "mine was called with outputs of shape (12, 1) and the truth of shape (12, 1)."
    ]


@both
def test_slopes_of_another_shape_are_named(cg, m):
    @cg.losses.loss
    def mine(outputs, truth):
        return (outputs - truth) ** 2

    @mine.gradient
    def mine_grad(outputs, truth):
        return 2 * (outputs - truth).sum(-1)

    words = "mine_grad: must return a slope for each output, shape (12, 1), got shape"
    refused(cg, m, mine, ShapeError, words)


@both
@pytest.mark.parametrize(
    ("function", "words"),
    [
        (3, "got int."),
        ("mse", "got str."),
        (np.tanh, "got tanh."),
        (abs, "got abs(x, /)."),
        (lambda outputs: outputs, "got <lambda>(outputs)."),
    ],
)
def test_what_is_no_loss_is_refused(cg, m, function, words):
    with pytest.raises(TypeError) as caught:
        cg.losses.loss(function)
    assert str(caught.value).startswith("loss: `function` must take outputs and the ")
    assert str(caught.value).endswith(words)


def test_a_loss_of_the_other_backend_is_refused():
    for (cg, _), (other, _) in zip(BACKENDS, BACKENDS[::-1], strict=True):
        with pytest.raises(TypeError, match=r"mse is of the other backend\.$"):
            cg.losses.loss(other.losses.mse)
        with pytest.raises(TypeError, match=r"mse_grad is a gradient\.$"):
            cg.losses.loss(cg.losses.mse_grad)


@both
def test_a_loss_stays_what_it_is_and_an_option_must_be_its_own(cg, m):
    assert cg.losses.loss(cg.losses.mse) is cg.losses.mse
    assert cg.losses.mse.grad is cg.losses.mse_grad
    p, t = cg.array([1.0]), cg.array([0.0])
    with pytest.raises(TypeError, match=r"^mse\(\) got an unexpected keyword"):
        cg.losses.mse(p, t, delta=1.0)
    with pytest.raises(TypeError, match=r"^mse\(\) got an unexpected keyword"):
        cg.losses.loss(partial(cg.losses.mse, delta=1.0))
    with pytest.raises(ValueError, match=r"^huber: `delta` must be a finite number"):
        cg.losses.loss(partial(cg.losses.huber, delta=0))


# --- Weights, in a whole training -----------------------------------------------------

TIMES = np.array([2, 0, 1, 1, 3, 0, 0, 1, 2, 1, 0, 1])


def fit_weighed(cg, x, y, **options):
    net = cg.network([2, 4, 1], activation="tanh")
    return cg.training.fit(
        net, net.init([0, 1]), cg.array(x), cg.array(y), loss=cg.losses.mse, epochs=6,
        optimizer=cg.optimizers.sgd(0.05, momentum=0.5), progress=False, **options,
    )  # fmt: skip


@both
def test_fit_counts_an_example_by_its_weight(cg, m):
    many = fit_weighed(
        cg, np.repeat(X, TIMES, axis=0), np.repeat(NUMBERS, TIMES, axis=0)
    )
    for dtype in ("int64", "float64"):
        weights = cg.array(TIMES, dtype=dtype)
        found = fit_weighed(cg, X, NUMBERS, weights=weights)
        np.testing.assert_allclose(plain(found.w), plain(many.w), rtol=1e-11)
        np.testing.assert_allclose(found.loss, many.loss, rtol=1e-12)


@both
def test_a_batch_without_weight_moves_nothing(cg, m):
    first = cg.array([0.0] * 11 + [1.0])
    one = fit_weighed(cg, X[11:], NUMBERS[11:])
    weighed = fit_weighed(cg, X, NUMBERS, weights=first, batch_size=1)
    assert weighed.steps == 12 * one.steps
    np.testing.assert_allclose(weighed.loss[0], one.loss[0], rtol=1e-12)


@both
def test_fit_refuses_weights_that_are_none(cg, m):
    cases = [
        (np.ones(3), "must be one number for each example, shape (12,), got (3,)."),
        (-np.ones(12), "has -1 at index (0,); every weight must be 0 or more."),
        (np.zeros(12), "must not all be 0."),
        (np.full(12, np.nan), "has nan at index (0,); every number must be finite."),
    ]
    for weights, words in cases:
        with pytest.raises(ValueError, match=re.escape(f"fit: `weights` {words}")):
            fit_weighed(cg, X, NUMBERS, weights=cg.array(weights))


@both
def test_a_resumed_run_has_the_weights_that_it_had(cg, m, tmp_path):
    weights = cg.array(TIMES)
    options = {"batch_size": 4, "checkpoints": tmp_path}
    whole = fit_weighed(cg, X, NUMBERS, weights=weights, batch_size=4)
    again = fit_weighed(cg, X, NUMBERS, weights=weights, **options)
    assert (plain(again.w) == plain(whole.w)).all()
    with pytest.raises(cg.checkpoints.CheckpointError, match="weights"):
        fit_weighed(cg, X, NUMBERS, weights=weights + 1, resume=True, **options)
    with pytest.raises(cg.checkpoints.CheckpointError, match="weights"):
        fit_weighed(cg, X, NUMBERS, resume=True, **options)
