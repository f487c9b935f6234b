"""What is made knows its call: it is said, run again, pickled and copied."""

import copy
import functools
import multiprocessing
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad._core.errors import DivergedError

from .backends import BACKENDS, OPTIMIZERS, ndarray
from .strategies import contract, few, options

LOSSES = [
    f"losses.{name}"
    for name in BACKENDS[0].losses.__all__
    if f"{name}_grad" in BACKENDS[0].losses.__all__
]
both_backends = pytest.mark.parametrize("cg", BACKENDS, ids=["numpy", "torch"])


@st.composite
def schedules(draw, cg, depth=2):
    """Draw a schedule of any kind, such as hold others among them."""
    lr, steps = draw(st.floats(0, 1)), draw(st.integers(1, 9))
    floor, share = draw(st.floats(0, lr)), draw(st.floats(0.01, 0.99))
    kinds = cg.schedules
    plain = [
        lambda: kinds.constant(lr),
        lambda: kinds.step(lr, every=steps, factor=share),
        lambda: kinds.exponential(lr, rate=share),
        lambda: kinds.cosine(lr, steps=steps, floor=floor),
        lambda: kinds.cosine_restarts(lr, period=steps, multiplier=2),
        lambda: kinds.polynomial(lr, steps=steps, power=share),
        lambda: kinds.cosine(lr, steps=steps, periodic=True),
        lambda: kinds.cyclic(lr, steps_up=steps, floor=floor, cycle_factor=share),
        lambda: kinds.linear(lr, steps=steps, start_factor=share),
        lambda: kinds.inverse_sqrt(lr, steps=steps),
        lambda: kinds.one_cycle(lr, steps=9, pct_start=max(share, 0.2)),
        lambda: kinds.warmup_stable_decay(
            lr, steps=20, warmup_steps=steps, decay_steps=2
        ),
        lambda: kinds.plateau(lr, [lr, 1.0, 2.0], factor=share, patience=steps % 2),
    ]
    inner = st.deferred(lambda: schedules(cg, depth - 1))
    holding = [
        lambda: kinds.warmup(draw(inner), steps=steps),
        lambda: kinds.join([draw(inner), draw(inner)], boundaries=(steps,)),
    ]
    return draw(st.sampled_from(plain + holding * (depth > 0)))()


@st.composite
def rules(draw, cg, depth=2):
    """Draw an optimizer of any kind for two networks, with its options and rate."""
    if depth and draw(st.booleans()):
        inner = draw(rules(cg, depth - 1))
        return draw(
            st.sampled_from(
                [
                    lambda: cg.optimizers.clip(inner, norm=draw(st.floats(0.1, 9))),
                    lambda: cg.optimizers.clip(inner, value=draw(st.floats(1, 9))),
                    lambda: cg.optimizers.maximize(inner),
                    lambda: cg.optimizers.decay_weights(
                        inner, weight_decay=draw(st.floats(0, 1))
                    ),
                    lambda: cg.optimizers.ema(inner, decay=draw(st.floats(0, 1e-3))),
                ]
            )
        )()
    name = draw(st.sampled_from(OPTIMIZERS)).split(".")[1]
    chosen = draw(options(getattr(BACKENDS[0].optimizers, name)))
    rate = st.floats(0, 1)
    arrays = st.tuples(rate, rate).map(lambda a: cg.array([[a[0]], [a[1]]]))
    narrow = st.just(cg.array([[0.1], [0.3]], dtype="float32"))
    numpy_scalar = rate.map(np.float32)
    chosen["lr"] = draw(st.one_of(rate, arrays, narrow, numpy_scalar, schedules(cg)))
    return getattr(cg.optimizers, name)(**chosen)


def walked(cg, rule):
    w = cg.array([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]])
    state = rule.init(w)
    for t in range(6):
        w, state = rule.step(
            w, cg.array(np.cos(t + np.arange(6.0)).reshape(2, 3)), state
        )
    return ndarray(rule.weights(w, state)).tobytes()


def ways(cg, thing):
    """All ways by which a thing is made again."""
    yield eval(repr(thing), {"cg": cg})
    yield copy.deepcopy(thing)
    yield copy.copy(thing)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(thing, protocol))


@both_backends
@contract
@given(data=st.data())
def test_an_optimizer_is_made_again_by_its_words(cg, data):
    rule = data.draw(rules(cg))
    for again in ways(cg, rule):
        assert again == rule
        assert hash(again) == hash(rule)
        assert repr(again) == repr(rule)
        assert again.in_place is not again or rule.in_place is rule
        assert walked(cg, again) == walked(cg, rule)


@both_backends
@contract
@given(data=st.data())
def test_a_schedule_is_made_again_by_its_words(cg, data):
    schedule = data.draw(schedules(cg, depth=3))
    for again in ways(cg, schedule):
        assert again == schedule
        assert [again(t) for t in range(30)] == [schedule(t) for t in range(30)]


@both_backends
@few
@given(data=st.data())
def test_a_network_is_made_again_by_its_words(cg, data):
    net = cg.network(
        data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)),
        activation=data.draw(st.sampled_from(["relu", "tanh", "gelu"])),
        skip=data.draw(st.booleans()),
    )
    for again in ways(cg, net):
        assert again == net
        assert repr(again) == repr(net)
    assert repr(cg.network((2, 3, 1), skip=True)) == "cg.network([2, 3, 1], skip=True)"


@both_backends
@pytest.mark.parametrize("path", LOSSES)
def test_a_loss_is_known_by_its_name(cg, path):
    topic, name = path.split(".")
    loss = getattr(getattr(cg, topic), name)
    assert repr(loss) == f"cg.{path}"
    assert loss.__name__ == name
    assert all(again is loss for again in ways(cg, loss))
    partial = functools.partial(loss, reduction="sum")
    again = eval(repr(partial), {"cg": cg, "functools": functools})
    assert (again.func, again.keywords) == (loss, {"reduction": "sum"})
    assert pickle.loads(pickle.dumps(partial)).func is loss


def test_words_leave_out_what_is_the_default():
    for words in (
        "cg.optimizers.adam(0.1)",
        "cg.optimizers.adam(0.1, beta1=0.8, amsgrad=True)",
        "cg.optimizers.clip(cg.optimizers.sgd(0.1, momentum=0.9), norm=1.0)",
        "cg.optimizers.sgd(cg.schedules.cosine(0.1, steps=10), weight_decay=0.01)",
        "cg.schedules.join([cg.schedules.constant(0.1)], boundaries=[])",
        "cg.network([2, 16, 1], activation='tanh')",
    ):
        assert repr(eval(words, {"cg": BACKENDS[0]})) == words


@both_backends
def test_what_differs_is_not_equal(cg):
    o = cg.optimizers
    other = BACKENDS[cg is BACKENDS[0]]
    for one, two in [
        (o.adam(0.1), o.adam(0.2)),
        (o.adam(0.1), o.adamw(0.1, weight_decay=0)),
        (o.clip(o.adam(0.1), norm=1), o.clip(o.radam(0.1), norm=1)),
        (o.clip(o.adam(0.1), norm=1), o.clip(o.adam(0.1), value=1)),
        (o.sgd(cg.array([[0.1]])), o.sgd(cg.array([[0.1]], dtype="float32"))),
        (o.sgd(0.1), o.sgd(cg.schedules.constant(0.1))),
        (o.sgd(0.1), other.optimizers.sgd(0.1)),
    ]:
        assert one != two
    assert o.adam(1) == o.adam(1.0) == o.adam(cg.array(1.0))


@both_backends
def test_a_rule_that_was_changed_by_hand_is_another(cg):
    adam = cg.optimizers.adam(0.1)
    other = adam._replace(lr=0.2)
    assert other.call is None
    assert other.in_place is other
    assert other != adam
    assert "<function" in repr(other)


@both_backends
def test_a_list_is_copied_unless_it_grows(cg):
    parts = [cg.schedules.constant(0.1)]
    joined = cg.schedules.join(parts, boundaries=[])
    words = repr(joined)
    parts.append(cg.schedules.constant(0.2))
    assert repr(joined) == words
    losses = []
    rate, again = pickle.loads(
        pickle.dumps(
            (cg.schedules.plateau(1.0, losses, factor=0.5, patience=0), losses)
        )
    )
    again += [1.0, 1.0]
    assert (rate(0), rate(2)) == (1.0, 0.5)


def own_rate(t):
    return 0.1 / (t + 1)


@both_backends
def test_a_rate_of_ones_own_goes_with_it_or_is_refused_at_once(cg):
    rule = cg.optimizers.sgd(own_rate)
    assert pickle.loads(pickle.dumps(rule)) == rule
    hidden = cg.optimizers.sgd(lambda t: 0.1)
    assert copy.deepcopy(hidden) == hidden
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(hidden)


@both_backends
@pytest.mark.parametrize("is_deep", [True, False])
def test_a_plan_that_is_copied_goes_on_as_the_first(cg, is_deep):
    x, labels = cg.data.moons(16)
    net = cg.network([2, 4, 2])
    plan = net.plan(
        net.init(),
        loss=functools.partial(cg.losses.cross_entropy, label_smoothing=0.1),
        optimizer=cg.optimizers.adam(0.1),
        batch_size=16,
    )
    plan(x, labels)
    plan.gradient(x, labels)
    again = copy.deepcopy(plan) if is_deep else copy.copy(plan)
    for steps in (1, 3):  # each in its own memory: they do not disturb one another
        for one in (plan, again):
            one.update()
            for _ in range(steps):
                one(x, labels)
        assert ndarray(again.w).tobytes() == ndarray(plan.w).tobytes()
        plan.gradient(x, labels)
        again.gradient(x, labels)


def test_an_error_says_the_same_after_its_way():
    error = DivergedError("fit")
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(again) is DivergedError
        assert str(again) == str(error)


def work(things):
    """What a worker does with what it was sent: it comes back as words and bits."""
    cg, rule, schedule, net, plan, error = things
    backend = next(backend for backend in BACKENDS if backend.__name__ == cg)
    x, y = backend.array([[1.0, 2.0], [3.0, 4.0]]), backend.array([[1.0], [2.0]])
    plan(x, y)
    words = [repr(rule), schedule(3), repr(net), str(error)]
    return words, walked(backend, rule), ndarray(plan.w).tobytes()


def test_a_spawned_worker_gets_all_of_it():
    sent = []
    for cg in BACKENDS:
        schedule = cg.schedules.warmup(cg.schedules.cosine(0.1, steps=9), steps=2)
        rule = cg.optimizers.clip(cg.optimizers.adam(schedule), norm=1.0)
        net = cg.network([2, 3, 1])
        plan = net.plan(net.init(), loss=cg.losses.mse, optimizer=rule, batch_size=2)
        x, y = cg.array([[1.0, 2.0], [3.0, 4.0]]), cg.array([[1.0], [2.0]])
        plan(x, y)
        sent.append((cg.__name__, rule, schedule, net, plan, DivergedError("fit")))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(work, sent) == [work(things) for things in sent]
