"""Where a formula breaks the function does not: corners, nan and infinities, alike.

Both backends are held against each other on a generated table, the special numbers and
all pairs of them, and where there is a known answer, against that.
"""

import itertools
import math

import numpy as np
import pytest
import torch

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from chalkgrad.autodiff._tape import RULES

BACKENDS = {"numpy": (reference, np), "torch": (twin, torch)}
nan, inf = math.nan, math.inf
SPECIAL = [0.0, -0.0, 0.5, 1.0, -1.0, 2.0, 3.0, 20.0, -40.0, 710.0]
SPECIAL += [inf, -inf, nan, 1e-200, -1e-200, 1e200, 5e-324, 1e-310]
PAIRS = np.array(list(itertools.product(SPECIAL, SPECIAL))).T
NAMES = {"power": "pow", "fabs": "abs"}
ONE = [f.__name__ for f in RULES if isinstance(f, np.ufunc) and f.nin == 1]
TWO = [f.__name__ for f in RULES if isinstance(f, np.ufunc) and f.nin == 2]


@pytest.fixture(params=BACKENDS)
def backend(request):
    return BACKENDS[request.param]


def slopes(cg, f, *arrays):
    args = [cg.array(np.array(a, float)) for a in arrays]
    with np.errstate(all="ignore"):
        value, pullback = cg.autodiff.vjp(f, *args)
    found = pullback(cg.array(np.ones(tuple(value.shape))))  # without a warning
    found = found if isinstance(found, tuple) else (found,)
    return [np.asarray(g) for g in found]


def named(m, name):
    return getattr(m, NAMES.get(name, name) if m is torch else name)


@pytest.mark.parametrize("name", [name for name in ONE if name != "cbrt"])
def test_both_backends_have_the_same_slopes_at_special_numbers(name):
    ours, theirs = (slopes(cg, named(m, name), SPECIAL) for cg, m in BACKENDS.values())
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)


@pytest.mark.parametrize("name", [name for name in TWO if name != "matmul"])
def test_both_backends_have_the_same_slopes_at_pairs_of_them(name):
    ours, theirs = (slopes(cg, named(m, name), *PAIRS) for cg, m in BACKENDS.values())
    a, b = PAIRS
    # Of a quotient beyond 2^53 PyTorch's rest is nan.
    told = np.abs(a) < 1e15 * np.abs(b) if name in ("fmod", "remainder") else ...
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine[told], other[told], rtol=1e-14)


@pytest.mark.parametrize("name", ["hypot", "arctan2", "absolute"])
def test_a_length_or_an_angle_of_0_has_the_slope_0(backend, name):
    cg, m = backend
    count = 1 if name == "absolute" else 2
    for signs in itertools.product([0.0, -0.0], repeat=count):
        for slope in slopes(cg, getattr(m, name), *([s] for s in signs)):
            assert slope == [0.0]


LENGTHS = {
    "std": (lambda m, x: x.std(), 3),
    "std of one": (
        lambda m, x: m.std(x, **({"correction": 0} if m is torch else {})),
        1,
    ),
    "std over an axis": (lambda m, x: m.std(x.reshape(3, 1), 0).sum(), 3),
    **{
        f"norm {order}": (lambda m, x, order=order: m.linalg.norm(x, order), 3)
        for order in (None, 1, 1.5, 2, 3, 7, inf, -inf, 0.5, -1)
    },
    "norm of a matrix": (lambda m, x: m.linalg.norm(x.reshape(2, 2)), 4),
    "norm of rows": (lambda m, x: m.linalg.norm(x.reshape(2, 2), None, 1).sum(), 4),
    "hypot": (lambda m, x: m.hypot(x, x).sum(), 3),
    "arctan2": (lambda m, x: m.arctan2(x, x).sum(), 3),
    "angle": (lambda m, x: m.angle(x).sum(), 3),
    "absolute": (lambda m, x: abs(x).sum(), 3),
    "max of sizes": (lambda m, x: abs(x).max(), 3),
}


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_root_of_a_sum_is_flat_where_the_sum_is_0(backend, name, dtype):
    cg, m = backend
    f, count = LENGTHS[name]
    for value in (0.0, 1.0) if name.startswith("std") else (0.0,):
        x = cg.array([value] * count, dtype=dtype)
        found = cg.autodiff.grad(lambda x: f(m, x))(x)
        np.testing.assert_array_equal(found, np.zeros(count))


def test_std_of_equal_numbers_beside_others(backend):
    cg, m = backend
    x = cg.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]])
    options = {"correction": 0} if m is torch else {}
    found = cg.autodiff.grad(lambda x: m.std(x, 1, **options).sum())(x)
    wanted = np.array([[0, 0, 0], [-1, 0, 1]]) / math.sqrt(6)
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


SIZES = [1e-300, 1e-200, 1e-160, 1.0, 1e160, 1e200, 1e300]


@pytest.mark.parametrize("order", [None, 1, 1.5, 2, 3, 10, inf, -1, -3])
@pytest.mark.parametrize("size", SIZES)
def test_a_norm_does_not_overflow(backend, order, size):
    cg, m = backend
    x = np.array([3.0, -4.0, 1.0])
    f = cg.autodiff.value_and_grad(lambda x: m.linalg.norm(x, order))
    (value, slope), (wanted, wanted_slope) = f(cg.array(x * size)), f(cg.array(x))
    np.testing.assert_allclose(float(value), float(wanted) * size, rtol=1e-13)
    np.testing.assert_allclose(slope, wanted_slope, rtol=1e-13)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_std_does_not_overflow(backend, size, dtype):
    cg, _ = backend
    size = size ** (0.1 if dtype == "float32" else 1)
    x = np.array([[3.0, -4.0, 1.0], [1.0, 1.0, 2.0]])
    f = cg.autodiff.value_and_grad(lambda x: x.std(1).sum())
    (value, slope), (wanted, wanted_slope) = (
        f(cg.array(x * s, dtype=dtype)) for s in (size, 1.0)
    )
    tol = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(float(value) / size, float(wanted), rtol=tol)
    np.testing.assert_allclose(slope, wanted_slope, rtol=tol)


@pytest.mark.parametrize("order", [None, 1, 2, 3, 4])
def test_each_of_many_norms_has_its_own_unit(order):
    x = np.array([[3e200, 4e200], [3e-200, -4e-200], [0.0, 0.0], [3.0, 4.0]])
    forms = [
        (reference, lambda x: np.linalg.norm(x, order, axis=1).sum()),
        (twin, lambda x: torch.linalg.norm(x, order, dim=1).sum()),
        (twin, lambda x: torch.linalg.norm(x.T, order, 0, True).sum()),
        (twin, lambda x: torch.norm(x, 2 if order is None else order, dim=1).sum()),
    ]
    wanted = slopes(reference, lambda x: np.linalg.norm(x, order), [3.0, 4.0])[0]
    signs = np.array([[1, 1], [1, -1], [0, 0], [1, 1]])
    for cg, f in forms:
        found = cg.autodiff.grad(f)(cg.array(x))
        np.testing.assert_allclose(found, signs * wanted, rtol=1e-13)


def test_many_deviations_have_units_of_their_own(backend):
    cg, _ = backend
    x = np.array([[1e200, -1e200], [1e-200, -1e-200], [1.0, 1.0], [3.0, 1.0]])
    found = cg.autodiff.grad(lambda x: x.std(1).sum())(cg.array(x))
    size = abs(float(found[3][0]))
    wanted = size * np.array([[1, -1], [1, -1], [0, 0], [1, -1]])
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_other_forms_of_a_norm_do_not_overflow():
    x = np.array([[3e200, -4e200]])
    forms = [
        (reference, lambda x: np.linalg.vector_norm(x)),
        (reference, lambda x: np.linalg.matrix_norm(x)),
        (twin, lambda x: torch.linalg.vector_norm(x)),
        (twin, lambda x: torch.norm(x)),
        (twin, lambda x: x.norm()),
        (twin, lambda x: torch.linalg.norm(x, dim=1).sum()),
    ]
    for cg, f in forms:
        value, slope = cg.autodiff.value_and_grad(f)(cg.array(x))
        np.testing.assert_allclose(float(value), 5e200, rtol=1e-14)
        np.testing.assert_allclose(slope, [[0.6, -0.8]], rtol=1e-14)


@pytest.mark.parametrize(
    "x",
    [
        [1e-200, 1e-200, 1e300],
        [1e200, 1e200, 1e-300],
        [0.0, 1e-200, 3.0],
        [0.0, 0.0, 3.0],
        [2.0, -3.0, 5.0],
        [np.inf, 0.0, 1.0],
        [1e-160, 1e-160, 1.0],
    ],
)
def test_the_slope_of_a_product_is_that_of_all_others(backend, x):
    cg, _ = backend
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = [np.prod(np.delete(x, i)) for i in range(3)]
        forms = [
            lambda x: x.prod(),
            lambda x: x.prod(-1),
            lambda x: x[None].prod(1)[0],
            lambda x: x.reshape(3, 1, 1).prod(0).sum(),
        ]
        for f in forms:
            found = cg.autodiff.grad(f)(cg.array(x))
            np.testing.assert_allclose(found, wanted, rtol=1e-14)
        bent = cg.autodiff.hessian(forms[0])(cg.array([0.0, 2.0, 3.0]))
        np.testing.assert_allclose(bent, [[0, 3, 2], [3, 0, 0], [2, 0, 0]])


# --- What is no number ----------------------------------------------------------------

CHOSEN = {
    # nan is the larger and the smaller to `maximum` and `minimum`, not to `fmax`.
    ("maximum", nan, 1.0): (1, 0),
    ("maximum", 1.0, nan): (0, 1),
    ("minimum", nan, 1.0): (1, 0),
    ("fmax", nan, 1.0): (0, 1),
    ("fmax", 1.0, nan): (1, 0),
    ("fmin", nan, 1.0): (0, 1),
    ("fmin", 1.0, nan): (1, 0),
    ("fmax", nan, nan): (0.5, 0.5),
    ("fmin", 2.0, 2.0): (0.5, 0.5),
    ("maximum", inf, inf): (0.5, 0.5),
    ("fmax", -inf, inf): (0, 1),
    ("logaddexp", -inf, 0.0): (0, 1),
    ("logaddexp", inf, 0.0): (1, 0),
    ("logaddexp", -inf, -inf): (0.5, 0.5),
    ("logaddexp", 700.0, -700.0): (1, 0),
    ("logaddexp2", inf, inf): (0.5, 0.5),
    ("hypot", inf, 1.0): (1, 0),
    ("hypot", 1.0, -inf): (0, -1),
    ("arctan2", inf, 1.0): (0, 0),
    ("arctan2", 1e-200, 1e-200): (5e199, -5e199),
    ("arctan2", 1e200, 1e200): (5e-201, -5e-201),
    ("remainder", -5.0, inf): (1, 1),
    ("fmod", 5.0, inf): (1, 0),
    ("power", 0.0, 0.0): (0, 0),
    ("power", 0.0, 1.0): (1, 0),
    ("power", 0.0, 2.0): (0, 0),
    ("power", -2.0, 3.0): (12, nan),
    ("power", inf, 0.0): (0, inf),
}


@pytest.mark.parametrize("case", CHOSEN, ids=str)
def test_a_slope_follows_what_the_function_chooses(backend, case):
    cg, m = backend
    name, a, b = case
    found = [float(g[0]) for g in slopes(cg, named(m, name), [a], [b])]
    np.testing.assert_allclose(found, CHOSEN[case], rtol=1e-14)


REDUCED = {
    "max": [("max", {}), ("amax", {})],
    "min": [("min", {}), ("amin", {})],
    "nansum": [("nansum", {})],
    "nanmean": [("nanmean", {})],
}
ROWS = [
    [1.0, nan, nan],
    [nan, nan, nan],
    [1.0, 1.0, 0.0],
    [inf, 1.0, inf],
    [2.0, 5.0, nan],
]


@pytest.mark.parametrize("name", REDUCED)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_a_reduction_shares_between_equals_and_finds_nan(name, axis):
    x = np.array(ROWS)
    (ours,) = slopes(reference, lambda x: getattr(np, name)(x, axis), x)
    for other, _ in REDUCED[name]:
        f = getattr(torch, other)

        def reduce(x, f=f):
            y = f(x) if axis is None else f(x, axis)
            return y if isinstance(y, torch.Tensor) else y.values

        (theirs,) = slopes(twin, reduce, x)
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
        assert np.isfinite(ours).all()


def test_the_two_forms_of_the_largest_are_one(backend):
    cg, m = backend
    x, y = [1.0, 3.0], [1.0, 2.0]
    if m is torch:
        found = slopes(cg, lambda a, b: torch.max(a, b) + torch.min(a, other=b), x, y)
        indices = []

        def f(a):
            best = a.max(0, keepdim=True)
            indices.append(best.indices)
            return best.values

        np.testing.assert_array_equal(slopes(cg, f, x)[0], [0.0, 1.0])
        assert indices[0] == 1
    else:
        found = slopes(cg, lambda a, b: np.maximum(a, b) + np.minimum(a, b), x, y)
    np.testing.assert_array_equal(found, np.ones((2, 2)))


@pytest.mark.parametrize(
    "name", ["nansum", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nanprod"]
)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_what_leaves_nan_out_has_no_slope_there(name, axis):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 4))
    x[rng.random(x.shape) < 0.3] = nan
    f = getattr(np, name)
    value, pullback = reference.autodiff.vjp(lambda x: f(x, axis), x)
    np.testing.assert_allclose(value, f(x, axis), rtol=1e-13)
    slope = pullback(np.ones_like(value))
    assert (slope[np.isnan(x)] == 0).all()
    h = 1e-6
    for i in zip(*np.nonzero(~np.isnan(x)), strict=True):
        up, down = x.copy(), x.copy()
        up[i], down[i] = x[i] + h, x[i] - h
        difference = (f(up, axis) - f(down, axis)).sum() / (2 * h)
        np.testing.assert_allclose(slope[i], difference, rtol=1e-6, atol=1e-8)


# --- Powers ---------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(6))
def test_every_derivative_of_a_whole_power_at_0(backend, n):
    cg, _ = backend
    for exponent in (n, float(n), cg.array(float(n))):
        f = lambda x, p=exponent: x**p  # noqa: E731
        for order in range(1, 6):
            f = cg.autodiff.grad(f)
            wanted = math.factorial(n) if order == n else 0
            assert float(f(cg.array(0.0))) == wanted


def test_the_third_derivative_of_tanh_at_0(backend):
    cg, m = backend
    f = m.tanh
    for wanted in (1.0, 0.0, -2.0, 0.0, 16.0):
        f = cg.autodiff.grad(f)
        np.testing.assert_allclose(float(f(cg.array(0.0))), wanted, atol=1e-14)


SMOOTH = ["tanh", "sinh", "cosh", "expm1", "arctan", "arcsinh", "arcsin", "arctanh"]
SMOOTH += ["logaddexp", "hypot", "arctan2", "power"]


@pytest.mark.parametrize("name", SMOOTH)
def test_careful_rules_bend_as_differences_say(backend, name):
    cg, m = backend
    args = [cg.array([0.3, 0.9, 0.05, 0.4]), cg.array([0.3, 0.2, 0.4, 0.1])]
    cg.autodiff.check_grads(named(m, name), *args[: 2 if name in TWO else 1], order=3)


# --- Matrices -------------------------------------------------------------------------

SINGULAR = {
    "0": [[0.0]],
    "rank 1": [[1.0, 2.0], [2.0, 4.0]],
    "zeros": [[0.0, 0.0], [0.0, 0.0]],
    "ones": np.ones((3, 3)),
    "rank 2": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
    "row of zeros": [[1.0, 2.0, 0.0], [0.0, 3.0, 1.0], [0.0, 0.0, 0.0]],
    "rank 3 of 4": np.diag([1.0, 2.0, 3.0, 0.0]),
    "rank 2 of 4": np.arange(16.0).reshape(4, 4),
    "rank 4 of 5": np.arange(25.0).reshape(5, 5) % 7
    - np.eye(5)[:, [1, 0, 2, 3, 4]] * 0,
    "regular": [[2.0, 1.0], [1.0, 3.0]],
    "regular of 4": np.arange(16.0).reshape(4, 4) % 7 + np.eye(4),
}


def adjugate_of(a):
    n = len(a)
    return np.array(
        [
            [
                (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1))
                for j in range(n)
            ]
            for i in range(n)
        ]
    )


@pytest.mark.parametrize("name", SINGULAR)
def test_det_of_any_matrix_has_the_transposed_adjugate(backend, name):
    cg, m = backend
    a = np.array(SINGULAR[name])
    wanted = adjugate_of(a)
    scale = max(1, abs(a).max()) ** (len(a) - 1)
    forms = [m.linalg.det]
    forms += [torch.det, torch.Tensor.det, lambda a: a.det()] if m is torch else []
    for f in forms:
        found = cg.autodiff.grad(f)(cg.array(a))
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13 * scale)
    stacked = cg.array(np.stack([a, np.eye(len(a)), a]))
    found = cg.autodiff.grad(lambda a: m.linalg.det(a).sum())(stacked)
    np.testing.assert_allclose(found[2], wanted, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("name", SINGULAR)
def test_det_of_any_matrix_bends(backend, name):
    cg, m = backend
    a = cg.array(np.array(SINGULAR[name]) / 4)
    cg.autodiff.check_grads(m.linalg.det, a, order=2)


@pytest.mark.parametrize("seed", range(20))
def test_det_of_drawn_matrices_of_any_rank(backend, seed):
    cg, m = backend
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    rank = int(rng.integers(0, n + 1))
    a = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))
    found = cg.autodiff.grad(m.linalg.det)(cg.array(a))
    np.testing.assert_allclose(found, adjugate_of(a), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("a", [[[1.0, 2.0], [2.0, 4.0]], [[0.0]]], ids=str)
def test_slogdet_of_a_singular_matrix_is_refused(backend, a):
    cg, m = backend
    words = "autodiff: slogdet has no slope at a singular matrix"
    with pytest.raises(np.linalg.LinAlgError, match=words):
        cg.autodiff.grad(lambda a: m.linalg.slogdet(a)[1])(cg.array(a))


def test_slogdet_of_a_tiny_matrix_keeps_its_sign(backend):
    cg, m = backend
    a = cg.array(np.diag([1e-200, -1e-200]))
    signs = []

    def f(a):
        both = m.linalg.slogdet(a)
        signs.append(float(both.sign))
        return both.logabsdet

    found = cg.autodiff.grad(f)(a)
    np.testing.assert_allclose(found, np.diag([1e200, -1e200]), rtol=1e-14)
    assert signs == [-1.0]


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
def test_what_a_singular_matrix_has_not_is_refused_as_by_the_function(backend, name):
    cg, m = backend
    a = cg.array([[1.0, 2.0], [2.0, 4.0]])
    f = getattr(m.linalg, name)
    rest = [cg.array([1.0, 1.0])] if name == "solve" else []
    with pytest.raises(Exception) as plain:  # noqa: PT011 (whatever the library raises)
        f(a, *rest)
    with pytest.raises(type(plain.value)) as traced:
        cg.autodiff.grad(lambda a: f(a, *rest).sum())(a)
    assert str(traced.value) == str(plain.value)


# --- Activations ----------------------------------------------------------------------

FAR = [0.0, -0.0, 1.0, -1.0, 40.0, -40.0, 750.0, -750.0, 1e200, -1e200, inf, -inf]
# The limits at minus and at plus infinity.
LIMITS = {
    "identity_grad": (1, 1),
    "sigmoid": (0, 1),
    "sigmoid_grad": (0, 0),
    "tanh": (-1, 1),
    "tanh_grad": (0, 0),
    "relu": (0, inf),
    "relu_grad": (0, 1),
    "gelu": (0, inf),
    "gelu_grad": (0, 1),
    "softplus": (0, inf),
    "softplus_grad": (0, 1),
}


@pytest.mark.parametrize("name", LIMITS)
def test_an_activation_reaches_its_limits(backend, name):
    cg, _ = backend
    found = getattr(cg.activations, name)(cg.array([-inf, inf, -1e300, 1e300]))
    low, high = LIMITS[name]
    np.testing.assert_array_equal(cg.asnumpy(found)[:2], [low, high])
    wanted = [low, high if math.isfinite(high) else 1e300]
    np.testing.assert_array_equal(cg.asnumpy(found)[2:], wanted)


# PyTorch bends its logsigmoid by a difference that is 0 far out.
BENT = [(n, order) for n in LIMITS for order in (1, 2) if (n, order) != ("softplus", 2)]


@pytest.mark.parametrize(("name", "order"), BENT)
def test_both_backends_have_the_same_slopes_of_activations(name, order):
    found = []
    for cg, _ in BACKENDS.values():

        def f(x, cg=cg):
            return getattr(cg.activations, name)(x).sum()

        slope = cg.autodiff.grad(f)
        if order == 2:
            slope = cg.autodiff.grad(lambda x, first=slope: first(x).sum())
        x = cg.array(FAR[:-2])  # the sum of infinities of two signs is none
        found.append(cg.asnumpy(slope(x)))
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-300)


# --- PyTorch's own forms --------------------------------------------------------------


def test_what_pytorch_calls_otherwise_has_the_same_slopes():
    x = twin.array([0.3, 20.0])
    forms = [
        torch.tanh,
        torch.Tensor.tanh,
        torch.nn.functional.tanh,
        lambda x: x.tanh(),
    ]
    found = [twin.autodiff.grad(lambda x, f=f: f(x).sum())(x) for f in forms]
    wanted = 1 / np.cosh([0.3, 20.0]) ** 2
    for one in found:
        np.testing.assert_allclose(one, wanted, rtol=1e-14)
    for f in (torch.sigmoid, torch.special.expit, torch.nn.functional.sigmoid):
        slope = twin.autodiff.grad(lambda x, f=f: f(x).sum())(twin.array([40.0]))
        np.testing.assert_allclose(slope, [math.exp(-40)], rtol=1e-14)


def test_a_function_inside_of_vmap_has_a_slope():
    x = twin.array([[0.0, 1.0], [0.5, 2.0]])
    found = twin.autodiff.grad(lambda x: torch.vmap(torch.tanh)(x).sum())(x)
    np.testing.assert_allclose(found, 1 / np.cosh(np.asarray(x)) ** 2, rtol=1e-13)


@pytest.mark.parametrize("exponent", [2, 2.0, 0.5, 0.3, -1, np.float64(3)])
def test_powers_of_numbers_keep_their_dtype(backend, exponent):
    cg, _ = backend
    x = cg.array([0.5, 2.0], dtype="float32")
    _, pullback = cg.autodiff.vjp(lambda x: x ** float(exponent), x)
    assert str(pullback(cg.array([1.0, 1.0], dtype="float32")).dtype).endswith(
        "float32"
    )
    found = cg.autodiff.grad(lambda x: (2.0**x).sum())(x)
    np.testing.assert_allclose(found, math.log(2) * 2 ** np.array([0.5, 2]), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_std_of_any_equal_numbers_is_flat(backend, dtype):
    """Their mean is rounded, so the distance from it is not 0: of 0.1, for one."""
    cg, m = backend
    rng = np.random.default_rng(0)
    for _ in range(50):
        shape = (int(rng.integers(2, 9)), int(rng.integers(1, 4)))
        x = cg.array(np.full(shape, rng.normal()), dtype=dtype)
        axis, few = [(None, 1), (0, 1), (1, 0), ((0, 1), 0)][rng.integers(4)]
        options = {"correction": few, "keepdims": bool(rng.integers(2))}
        found = cg.autodiff.grad(
            lambda x, axis=axis, options=options: m.std(x, axis=axis, **options).sum()
        )(x)
        np.testing.assert_array_equal(found, np.zeros(shape))
    found = cg.autodiff.grad(lambda x: x.std() + x.std(0))(cg.array([0.1] * 7))
    np.testing.assert_array_equal(found, np.zeros(7))


def test_other_forms_of_std_of_equal_numbers_are_flat():
    for f in (
        lambda x: torch.std_mean(x, 0)[0],
        lambda x: torch.std(x, False),
        lambda x: x.std(dim=[0], unbiased=True),
    ):
        found = twin.autodiff.grad(f)(twin.array([0.1] * 3))
        np.testing.assert_array_equal(found, np.zeros(3))
    x = np.array([0.1] * 3 + [math.nan])
    np.testing.assert_array_equal(reference.autodiff.grad(np.nanstd)(x), np.zeros(4))


@pytest.mark.parametrize(
    "other",
    [2, 2.0, True, *(np.dtype(kind).type(2) for kind in "bBhHiIlLqQfd"), np.True_],
)
def test_numbers_of_any_kind_stand_beside_a_traced_array(backend, other):
    cg, _ = backend
    x, b = np.array([1.5, 2.5]), float(other)
    wanted = {
        "x ** b": (lambda x: x**other, b * x ** (b - 1)),
        "b ** x": (lambda x: other**x, b**x * math.log(b)),
        "b / x": (lambda x: other / x, -b / x**2),
        "x // b": (lambda x: x // other, 0 * x),
        "b // x": (lambda x: other // x, 0 * x),
        "x % b": (lambda x: x % other, 1 + 0 * x),
        "b % x": (lambda x: other % x, -(b // x)),
    }
    for name, (f, slope) in wanted.items():
        found = cg.autodiff.grad(lambda x, f=f: f(x).sum())(cg.array(x))
        np.testing.assert_allclose(found, slope, rtol=1e-15, err_msg=name)


# PyTorch makes its rules of pushing forward when they are first wanted.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_arguments_may_be_called_by_their_names():
    x = twin.array([[1.5, 0.5], [2.5, 3.0]])
    forms = {
        "atan2": lambda x: torch.atan2(input=x, other=x * 2),
        "pow": lambda x: torch.pow(x, exponent=3),
        "minimum": lambda x: x.minimum(other=x * 2),
        "max": lambda x: x.max(axis=1, keepdims=True).values,
        "max other": lambda x: torch.max(x, other=x * 2),
        "amax": lambda x: x.amax(axis=0),
        "std": lambda x: torch.std(x, axis=0, keepdims=True),
        "std_mean": lambda x: sum(torch.std_mean(x, dim=(0, 1), correction=0)),
        "nanmean": lambda x: torch.nanmean(x, axis=0, dtype=torch.float64),
        "det": lambda x: torch.linalg.det(A=x),
        "norm": lambda x: torch.linalg.vector_norm(x=x, axis=0),
        "complex": lambda x: torch.fft.fft(x).abs() ** 2,
        "forward": lambda x: torch.func.hessian(lambda u: u.tanh().sum())(x),
    }
    for name, f in forms.items():
        leaf = x.clone().requires_grad_()
        (wanted,) = torch.autograd.grad(f(leaf).sum(), leaf)
        found = twin.autodiff.grad(lambda x, f=f: f(x).sum())(x)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, err_msg=name)


def test_a_complex_value_has_no_slope(backend):
    cg, _ = backend
    for take in (cg.autodiff.grad, cg.autodiff.jacobian):
        with pytest.raises(
            TypeError, match=r"^autodiff: complex numbers have no rules"
        ):
            take(lambda x: (x * 1j).sum())(cg.array([1.0, 2.0]))


def test_complex_numbers_have_no_slope_in_numpy():
    with pytest.raises(TypeError, match=r"^autodiff: complex numbers have no rules"):
        reference.autodiff.grad(lambda x: abs(x + 1j * x).sum())(np.ones(2))


def test_limits_of_clip_have_slopes():
    bounds = [[0.0, 1.0], [2.0, 1.0], [-1.0, 3.0]]
    places = list(itertools.product([-2.0, 0.0, 1.0, 1.5, 4.0], bounds))
    x, (low, high) = (
        np.array([p for p, _ in places]),
        np.array([b for _, b in places]).T,
    )
    ours = slopes(reference, lambda *three: np.clip(*three).sum(), x, low, high)
    theirs = slopes(twin, lambda *three: torch.clip(*three).sum(), x, low, high)
    np.testing.assert_array_equal(ours, theirs)
    # Where the limits are one, PyTorch gives neither a slope.
    ours = slopes(reference, lambda b: np.clip(x, b, b).sum(), [1.0])
    np.testing.assert_array_equal(ours, [[(x != 1).sum()]])
    (only,) = slopes(reference, lambda low: np.clip(x, low, None).sum(), [0.5])
    np.testing.assert_array_equal(only, [(x < 0.5).sum()])


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_huber_far_away_has_a_slope(backend, reduction):
    cg, _ = backend
    p, t = cg.array([1.5e308]), cg.array([-1.5e308])
    found = cg.autodiff.grad(
        lambda p: cg.losses.huber(p, t, delta=1e-10, reduction=reduction)
    )(p)
    np.testing.assert_array_equal(found, [1e-10])


def test_var_of_equal_numbers_bends(backend):
    cg, m = backend
    options = {"correction": 0} if m is torch else {}
    found = cg.autodiff.hessian(lambda x: m.var(x, **options))(cg.array([0.1] * 3))
    wanted = 2 / 3 * (np.eye(3) - 1 / 3)
    np.testing.assert_allclose(found, wanted, rtol=1e-14)
    if m is np:
        found = cg.autodiff.hessian(np.nanvar)(cg.array([0.1] * 3))
        np.testing.assert_allclose(found, wanted, rtol=1e-14)


@pytest.mark.parametrize("order", [None, 2, 3, 1.5])
def test_a_length_of_0_bends_nowhere(backend, order):
    cg, m = backend
    norm = m.linalg.norm
    x = cg.array([[0.0, 0.0], [3.0, 4.0]])
    found = np.asarray(cg.autodiff.hessian(lambda x: norm(x, order, 1).sum())(x))
    alone = np.asarray(cg.autodiff.hessian(lambda x: norm(x, order))(x[1]))
    np.testing.assert_allclose(found[1, :, 1, :], alone, rtol=1e-12)
    found[1, :, 1, :] = 0
    np.testing.assert_array_equal(found, np.zeros((2, 2, 2, 2)))
    found = cg.autodiff.hessian(lambda x: norm(x, order))(0 * x[0])
    np.testing.assert_array_equal(found, np.zeros((2, 2)))


def test_gelu_of_nan_has_no_slope(backend):
    cg, _ = backend
    (found,) = slopes(cg, lambda x: cg.activations.gelu(x).sum(), [nan, -2000.0, inf])
    np.testing.assert_array_equal(found, [nan, 0.0, 1.0])


def test_differences_of_float32_are_not_held_against_the_function(backend):
    cg, _ = backend
    x, check_grads = cg.array([0.3, 0.7], dtype="float32"), cg.autodiff.check_grads
    with pytest.raises(TypeError, match=r"`x` is float32, .*float64"):
        check_grads(lambda x: (x * x).sum(), x)
    check_grads(lambda x: (x * x).sum(), cg.array(x.tolist()))
    check_grads(lambda x: (x * x).sum(), x, order=1, h=1e-2, rtol=1e-3)


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_a_kink_has_the_slope_nan_at_nan(backend, name):
    cg, _ = backend
    f = getattr(cg.activations, name)
    (found,) = slopes(cg, f, [math.nan, -math.inf, -1.0, 0.0, 1.0, math.inf])
    low = 0.01 if name == "leaky_relu" else 0.0
    np.testing.assert_array_equal(found, [math.nan, low, low, low, 1.0, 1.0])


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_a_kink_has_our_slope_in_a_loop_of_pytorchs_too(name):
    f = getattr(twin.activations, name)
    z = torch.tensor(
        [math.nan, -2.0, 0.0, 3.0], dtype=torch.float64, requires_grad=True
    )
    f(z).sum().backward()
    wanted = getattr(twin.activations, f"{name}_grad")(z.detach())
    np.testing.assert_array_equal(z.grad, wanted)
    x = torch.tensor([-2.0, 3.0], dtype=torch.float64)
    np.testing.assert_array_equal(
        torch.func.grad(lambda z: f(z).sum())(x), wanted[[1, 3]]
    )
