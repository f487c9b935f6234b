"""Derivatives share nothing: threads, callbacks, generators, tasks, both backends."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch

import chalkgrad.numpy as reference
import chalkgrad.torch as twin

BACKENDS = {"numpy": (reference, np), "torch": (twin, torch)}
THREADS = 4


@pytest.fixture(params=BACKENDS)
def backend(request):
    return BACKENDS[request.param]


@pytest.fixture
def hurry():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def settled(cg, x):
    """Give it as plain numbers; it must have left the graph."""
    kinds = (np.ndarray, np.generic) if cg is reference else torch.Tensor
    assert isinstance(x, kinds)
    assert not getattr(x, "requires_grad", False)
    return np.asarray(x)


def parallel(work, count=THREADS):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_every_derivative_in_many_threads(backend, hurry):
    cg, _ = backend
    ad = cg.autodiff

    def cube(x):
        return (x * x * x).sum()

    def work(i):
        x = cg.array([i + 1.0, 2.0])
        numbers, v = np.array([i + 1.0, 2.0]), cg.array([1.0, -1.0])
        for _ in range(100):
            pairs = [
                (ad.grad(cube)(x), 3 * numbers**2),
                (ad.value_and_grad(cube)(x)[0], (numbers**3).sum()),
                (ad.hvp(cube, x, v), 6 * numbers * [1, -1]),
                (ad.vjp(cube, x)[1](cg.array(2.0)), 6 * numbers**2),
                (ad.jvp(cube, x, v)[1], (3 * numbers**2 * [1, -1]).sum()),
                (ad.hessian(cube)(x), np.diag(6 * numbers)),
            ]
            for found, wanted in pairs:
                np.testing.assert_allclose(settled(cg, found), wanted, rtol=1e-14)

    parallel(work)


def test_threads_that_are_inside_at_the_same_time(backend):
    cg, _ = backend
    inside, outside = Barrier(THREADS), Barrier(THREADS)

    def work(i):
        def f(x):
            inside.wait()
            slope = cg.autodiff.grad(lambda y: (x * y * y).sum())(cg.array([1.0, 3.0]))
            outside.wait()
            return (slope * x).sum()

        found = cg.autodiff.grad(f)(cg.array([1.0, i + 1.0]))
        return settled(cg, found)

    for i, found in enumerate(parallel(work)):
        np.testing.assert_allclose(found, [4.0, 12.0 * (i + 1)], rtol=1e-14)


def test_threads_that_enter_and_leave_in_turn(backend):
    cg, _ = backend
    first_is_in, second_is_in = Barrier(2), Barrier(2)

    def work(i):
        def f(x):
            if i == 0:
                first_is_in.wait()
                second_is_in.wait()  # while this one runs, the other begins
            else:
                second_is_in.wait()
            return (x**3).sum()

        if i == 1:
            first_is_in.wait()
        return settled(cg, cg.autodiff.grad(f)(cg.array([i + 2.0])))

    np.testing.assert_allclose(parallel(work, 2), [[12.0], [27.0]], rtol=1e-14)


def test_threads_inside_a_function_carry_its_derivative(backend):
    cg, _ = backend
    grad = cg.autodiff.grad

    def f(x):
        def work(i):  # of what is traced outside, in a thread that knows nothing of it
            return grad(lambda y: (x * y**3).sum() * i)(x).sum()

        return sum(parallel(work))

    # The sum over i of 3 i x^3, whose slope is 9 i x^2.
    x = cg.array([1.0, 2.0])
    found = settled(cg, grad(f)(x))
    np.testing.assert_allclose(found, 9 * 6 * np.array([1.0, 4.0]), rtol=1e-14)


def test_a_callback_that_differentiates_something_else_gets_numbers(backend):
    cg, _ = backend
    seen = []

    def f(x):
        seen.append(cg.autodiff.grad(lambda y: (y * y).sum())(cg.array([3.0])))
        value, pullback = cg.autodiff.vjp(lambda y: y * 2, cg.array([1.0]))
        seen.extend([value, pullback(cg.array([1.0]))])
        return (x * x).sum()

    cg.autodiff.grad(f)(cg.array([1.0]))
    for found, wanted in zip(seen, [6.0, 2.0, 2.0], strict=True):
        np.testing.assert_array_equal(settled(cg, found), [wanted])


def test_what_a_function_has_kept_is_of_use_afterwards(backend):
    cg, m = backend
    kept = []

    def f(x):
        value, pullback = cg.autodiff.vjp(lambda y: x * y, cg.array([2.0, 3.0]))
        kept.append(pullback)
        return value.sum()

    cg.autodiff.grad(f)(cg.array([1.0, 4.0]))
    cg.autodiff.grad(m.sin)(cg.array(0.0))
    found = kept[0](cg.array([1.0, 1.0]))
    np.testing.assert_array_equal(settled(cg, found), [1.0, 4.0])


def test_a_pullback_may_be_used_inside_of_another_derivative(backend):
    cg, _ = backend
    _, pullback = cg.autodiff.vjp(lambda x: x**3, cg.array([1.0, 2.0]))
    found = cg.autodiff.grad(lambda g: (pullback(g) ** 2).sum())(cg.array([1.0, 1.0]))
    np.testing.assert_allclose(settled(cg, found), [18.0, 288.0], rtol=1e-14)
    found = cg.autodiff.grad(lambda x: (x * pullback(cg.array([1.0, 1.0]))).sum())(
        cg.array([1.0, 1.0])
    )
    np.testing.assert_allclose(settled(cg, found), [3.0, 12.0], rtol=1e-14)


def test_a_generator_goes_on_inside_of_another_derivative(backend):
    cg, _ = backend
    grad = cg.autodiff.grad

    def f(x):
        rows = (grad(lambda y, k=k: (x * y**k).sum())(x) for k in (2.0, 3.0))
        one = next(rows)
        other = grad(lambda z: (z * next(rows)).sum())(x)  # 3 x^3, of x alone
        return (one + other).sum()

    # f = sum of 2 x^2 + 3 x^3.
    x = cg.array([1.0, 2.0])
    np.testing.assert_allclose(settled(cg, grad(f)(x)), [13.0, 44.0], rtol=1e-14)


def test_generators_that_take_turns(backend):
    cg, _ = backend

    def steps(start):
        x = cg.array([start])
        for _ in range(5):
            _, slope = cg.autodiff.value_and_grad(lambda x: (x * x).sum())(x)
            yield settled(cg, slope)
            x = x - 0.25 * slope

    for one, other in zip(steps(4.0), steps(1.0), strict=True):
        np.testing.assert_array_equal(one, 4 * other)


def test_tasks_that_take_turns(backend):
    cg, _ = backend

    async def walk(start):
        x = cg.array([start])
        for _ in range(5):
            await asyncio.sleep(0)
            x = x - 0.25 * cg.autodiff.grad(lambda x: (x * x).sum())(x)
        return settled(cg, x)

    async def walks():
        return await asyncio.gather(*(walk(float(i)) for i in range(8)))

    np.testing.assert_array_equal(np.ravel(asyncio.run(walks())), np.arange(8) / 32)


def test_a_task_inside_of_a_function(backend):
    cg, _ = backend

    def f(x):
        async def slope(k):
            await asyncio.sleep(0)
            return cg.autodiff.grad(lambda y: (x * y**k).sum())(x)

        async def slopes():
            return await asyncio.gather(slope(2.0), slope(3.0))

        with ThreadPoolExecutor(1) as pool:  # so that it also runs inside of a loop
            one, other = pool.submit(asyncio.run, slopes()).result()
        return (one + other).sum()

    found = cg.autodiff.grad(f)(cg.array([1.0, 2.0]))
    np.testing.assert_allclose(settled(cg, found), [13.0, 44.0], rtol=1e-14)


def test_a_failure_leaves_nothing_behind(backend):
    cg, _ = backend

    def fail(x):
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            cg.autodiff.grad(lambda x: cg.autodiff.grad(fail)(x).sum())(cg.array([1.0]))
    found = cg.autodiff.grad(lambda x: (x * x).sum())(cg.array([1.0]))
    np.testing.assert_array_equal(settled(cg, found), [2.0])


@pytest.mark.parametrize("name", ["grad", "jacobian", "hessian"])
def test_what_a_parameter_gives_has_left_the_graph(name):
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    make = getattr(twin.autodiff, name)
    f = (
        (lambda x: scale * x**3)
        if name == "jacobian"
        else lambda x: scale * (x**3).sum()
    )
    settled(twin, make(f)(x))
    value, pullback = twin.autodiff.vjp(f, x)
    settled(twin, pullback(torch.ones_like(value, requires_grad=True)))
    for found in (
        value,
        *twin.autodiff.jvp(f, x, x),
        twin.autodiff.hvp(lambda x: f(x).sum(), x, x),
    ):
        settled(twin, found)
    assert x.grad is None


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_mode_without_gradients_does_not_reach_a_derivative(mode):
    def cube(x):
        return (x**3).sum()

    with mode():
        x = twin.array([1.0, 2.0])
        found = [
            twin.autodiff.grad(cube)(x),
            twin.autodiff.vjp(cube, x)[1](twin.array(1.0)),
        ]
        bend = twin.autodiff.hessian(cube)(x)
    for one in found:
        np.testing.assert_array_equal(settled(twin, one), [3, 12])
    np.testing.assert_array_equal(settled(twin, bend), np.diag([6, 12]))


# --- Keywords -------------------------------------------------------------------------


def power(x, scale, *, k=1.0, x_max=None):
    y = scale * (x**k).sum()
    return y if x_max is None else y + x_max


def test_a_keyword_may_have_a_name_of_ours(backend):
    cg, _ = backend
    ad, x = cg.autodiff, cg.array([1.0, 2.0])

    def scaled(q, *, f=1.0, where=1.0, count=1.0):
        return (f * where * count * q**2).sum()

    for name in ("f", "where", "count"):
        by = {name: 3.0}
        for found in (
            ad.grad(scaled)(x, **by),
            ad.vjp(scaled, x, **by)[1](cg.array(1.0)),
            ad.hvp(scaled, x, x, **by),
        ):
            np.testing.assert_array_equal(settled(cg, found), [6.0, 12.0])
        assert float(ad.jvp(scaled, x, x, **by)[1]) == 30.0


def test_the_array_is_handed_over_by_position(backend):
    cg, _ = backend
    for make in (cg.autodiff.grad, cg.autodiff.hessian, cg.autodiff.jacobian):
        with pytest.raises(TypeError, match="must be handed over by position"):
            make(lambda x: x.sum())(x=cg.array([1.0]))


def test_keywords_reach_the_function(backend):
    cg, _ = backend
    ad = cg.autodiff
    x, v = cg.array([1.0, 2.0]), cg.array([1.0, -1.0])
    numbers = np.array([1.0, 2.0])

    def close(found, wanted):
        np.testing.assert_allclose(settled(cg, found), wanted, rtol=1e-14)

    slope = 6 * numbers**2
    close(ad.grad(power)(x, 2.0, k=3.0), slope)
    close(ad.grad(power)(x, scale=2.0, k=3.0), slope)
    close(ad.value_and_grad(power)(x, 2.0, k=3.0, x_max=1.0)[0], 19.0)
    close(ad.hessian(power)(x, 2.0, k=3.0), np.diag(12 * numbers))
    close(ad.jacobian(lambda x, k=1: x**k)(x, k=3.0), np.diag(3 * numbers**2))
    close(ad.vjp(power, x, scale=2.0, k=3.0)[1](cg.array(1.0)), slope)
    close(ad.jvp(power, x, v, scale=2.0, k=3.0)[1], slope @ [1, -1])
    close(ad.hvp(power, x, v, scale=2.0, k=3.0), 12 * numbers * [1, -1])
    ad.check_grads(power, x, scale=2.0, k=3.0)


@pytest.mark.parametrize("name", ["f", "x", "v", "w", "where", "args", "options"])
def test_a_keyword_may_have_any_name(backend, name):
    cg, _ = backend
    ad = cg.autodiff
    x = cg.array([1.0, 2.0])

    def f(a, **named):
        return named[name] * (a * a).sum()

    found = ad.grad(f)(x, **{name: 3.0})
    np.testing.assert_array_equal(settled(cg, found), [6.0, 12.0])
    settled(cg, ad.vjp(f, x, **{name: 3.0})[1](cg.array(1.0)))
    settled(cg, ad.hessian(f)(x, **{name: 3.0}))
    if name not in ("f", "x", "v", "w"):  # of these they have their own
        settled(cg, ad.jvp(f, x, x, **{name: 3.0})[1])
        settled(cg, ad.hvp(f, x, x, **{name: 3.0}))
    settled(cg, ad.jacobian(f)(x, **{name: 3.0}))
    ad.check_grads(f, x, **{name: 3.0})
