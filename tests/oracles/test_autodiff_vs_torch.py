"""Every rule against torch.autograd, and against differences to second order."""

import inspect

import numpy as np
import pytest
import torch

import chalkgrad.numpy as cg
from chalkgrad.autodiff._tape import COMPOSED, CONSTANT, RULES, names

RNG = np.random.default_rng(0)
ANY = RNG.normal(size=(3, 4))
OTHER = RNG.normal(size=(3, 4))
POSITIVE = RNG.uniform(0.5, 2, size=(3, 4))
UNIT = RNG.uniform(-0.9, 0.9, size=(3, 4))
ROW, COLUMN = RNG.normal(size=4), RNG.normal(size=(3, 1))
SQUARE = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
STACK = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
THREE = RNG.normal(size=(2, 3, 4))

ONE = """negative positive absolute square exp exp2 expm1 sin cos tan arctan sinh cosh
    tanh arcsinh deg2rad rad2deg"""
TWO = "maximum minimum fmax fmin hypot arctan2 logaddexp logaddexp2"

# What is differentiated, as text: `m` is numpy, or torch. Where torch has other words,
# a text of its own follows the arrays.
CASES = {
    # one number at a time
    **{f"m.{name}(x)": (ANY,) for name in ONE.split()},
    **{
        f"m.{name}(x)": (POSITIVE,)
        for name in ("sqrt", "reciprocal", "log", "log2", "log10", "log1p")
    },
    **{f"m.{name}(x)": (UNIT,) for name in ("arcsin", "arccos", "arctanh")},
    "m.arccosh(x + 1)": (POSITIVE,),
    "m.fabs(x)": (ANY, "m.abs(x)"),
    "m.cbrt(x)": (POSITIVE, "x ** (1 / 3)"),
    "m.nan_to_num(x)": (ANY,),
    "m.full_like(x, z.sum())": (ANY, ROW, "0 * x + z.sum()"),
    "m.copy(x)": (ANY, "m.clone(x)"),
    "x.astype('float64')": (ANY, "x.to(m.float64)"),
    # two at a time, with what is broadcast
    **{
        f"{a} {op} {b}": arrays
        for op in "+-*/"
        for a, b, arrays in [
            ("x", "z", (ANY, POSITIVE)),
            ("x", "z", (POSITIVE, ROW)),
            ("x", "z", (COLUMN, POSITIVE)),
            ("x", "2.5", (ANY,)),
            ("2.5", "x", (POSITIVE,)),
        ]
    },
    **{f"m.{name}(x, z)": (ANY, OTHER) for name in TWO.split()},
    "x ** z": (POSITIVE, ROW),
    "m.float_power(x, z)": (POSITIVE, OTHER),
    "x ** 3": (ANY,),
    "x ** 0": (ANY,),
    "2.0 ** x": (ANY,),
    "m.remainder(x, z)": (ANY, POSITIVE),
    "m.fmod(x, z)": (ANY, POSITIVE),
    "m.where(x > 0, x, z * z)": (ANY, OTHER),
    "m.select([x > 1, x > 0], [x, z * z], x * z)": (
        ANY,
        OTHER,
        "m.where(x > 1, x, m.where(x > 0, z * z, x * z))",
    ),
    "m.select([x > 1, x < 0], [x * x, x])": (
        ANY,
        "m.where(x > 1, x * x, m.where(x < 0, x, 0))",
    ),
    "m.clip(x, -0.5, 0.5)": (ANY,),
    "m.clip(x, a_min=-0.5, a_max=0.5)": (ANY, "m.clip(x, -0.5, 0.5)"),
    "m.clip(x, None, 0.5)": (ANY,),
    "x * [1.0, 2.0, 3.0, 4.0]": (ANY, "x * m.tensor([1.0, 2.0, 3.0, 4.0])"),
    "[1.0, 2.0, 3.0, 4.0] - x": (ANY, "m.tensor([1.0, 2.0, 3.0, 4.0]) - x"),
    "x ** [1, 2, 3, 4]": (POSITIVE, "x ** m.tensor([1, 2, 3, 4])"),
    "m.arctan2(x, (1.0, 2.0, 3.0, 4.0))": (
        ANY,
        "m.arctan2(x, m.tensor([1.0, 2.0, 3.0, 4.0]))",
    ),
    # products of matrices
    "x @ z": (ANY, RNG.normal(size=(4, 2))),
    "m.matmul(x, z)": (ANY, ROW),
    "m.dot(x, z)": (ROW, ROW + 1),
    "z @ x": (ANY, RNG.normal(size=3)),
    "m.einsum('aij,jk->aik', x, z)": (THREE, RNG.normal(size=(4, 2))),
    "x @ z  # stacked": (THREE, RNG.normal(size=(2, 4, 5))),
    "m.einsum('ij,kj->ik', x, z)": (ANY, OTHER),
    "m.einsum('ij->j', x)": (ANY,),
    "m.einsum('ij,ij->', x, z)": (ANY, OTHER),
    "m.tensordot(x, z, 1)": (ANY, RNG.normal(size=(4, 2)), "m.tensordot(x, z, dims=1)"),
    "m.tensordot(x, z, ([0, 1], [0, 1]))": (ANY, OTHER),
    "m.outer(x, z)": (ROW, ROW + 1),
    "m.inner(x, z)": (ANY, OTHER),
    "m.inner(x, 2.0)": (ANY, "x * 2"),
    "m.vdot(x, z)": (ROW, ROW + 1),
    "m.kron(x, z)": (SQUARE, ANY),
    "m.kron(x, z)  # of vectors": (ROW, ROW + 1),
    "m.kron(x, z)  # of different axes": (THREE, ROW),
    "x @ [1.0, 2.0, 3.0, 4.0]": (ANY, "x @ m.tensor([1.0, 2, 3, 4], dtype=m.float64)"),
    # reductions
    **{
        f"m.{name}(x{rest})": (ANY,)
        for name in ("sum", "mean")
        for rest in ("", ", 0", ", (0, 1)", ", -1, keepdims=True")
    },
    "m.sum(x, axis=(0, 2))": (THREE,),
    "m.max(x)": (ANY,),
    "m.max(x, axis=1)": (ANY, "m.amax(x, 1)"),
    "m.amax(x, axis=0)": (ANY, "m.amax(x, 0)"),
    "m.amin(x, axis=(0, 1))": (ANY, "m.amin(x, (0, 1))"),
    "m.min(x, axis=0, keepdims=True)": (ANY, "m.amin(x, 0, keepdim=True)"),
    "m.prod(x)": (ANY,),
    "m.prod(x, axis=0)": (ANY, "m.prod(x, 0)"),
    "m.prod(x * m.asarray([1.0, 0.0, 1.0, 1.0]), axis=1)": (
        ANY,
        "m.prod(x * m.tensor([1.0, 0.0, 1.0, 1.0], dtype=m.float64), 1)",
    ),
    "m.var(x)": (ANY, "m.var(x, correction=0)"),
    "m.var(x, axis=1, ddof=1)": (ANY, "m.var(x, 1)"),
    "m.std(x, axis=0, keepdims=True)": (
        ANY,
        "m.std(x, 0, correction=0, keepdim=True)",
    ),
    "m.var(x, axis=1, correction=1)": (ANY, "m.var(x, 1)"),
    "m.add.reduce(x)": (ANY, "x.sum(0)"),
    "m.cumsum(x)": (ANY, "m.cumsum(x.ravel(), 0)"),
    "m.cumsum(x, 0)": (ANY,),
    "m.ptp(x, 1)": (ANY, "m.amax(x, 1) - m.amin(x, 1)"),
    "m.trace(x)": (SQUARE,),
    "m.trace(x, 1)": (ANY, "m.diagonal(x, 1).sum()"),
    "m.trace(x)  # of many": (THREE, "m.diagonal(x).sum(-1)"),
    "m.trace(x, -1, 1, 2)": (THREE, "m.diagonal(x, -1, 1, 2).sum(-1)"),
    "m.diff(x)": (ANY,),
    "m.diff(x, 2, 0)": (ANY,),
    "m.median(x)": (ROW, "m.quantile(x, 0.5)"),
    "m.median(x, 1, keepdims=True)": (ANY, "m.quantile(x, 0.5, 1, keepdim=True)"),
    "m.median(x, keepdims=True)": (ANY, "m.quantile(x, 0.5).reshape(1, 1)"),
    "m.average(x, 0, z)": (ANY, POSITIVE, "(x * z).sum(0) / z.sum(0)"),
    "m.average(x, axis=0, weights=z)": (
        RNG.normal(size=(3, 3)),
        POSITIVE[0, :3],
        "z @ x / z.sum()",
    ),
    "m.average(x, 1, z, keepdims=True)": (
        THREE,
        POSITIVE[:, 0],
        "(x * z[:, None]).sum(1, keepdim=True) / z.sum()",
    ),
    "m.average(x)": (ANY, "m.mean(x)"),
    **{
        f"m.{name}(m.where(x > 1, m.nan, x))": (ANY, f"x[x <= 1].{other}")
        for name, other in {
            "nansum": "sum()",
            "nanprod": "prod()",
            "nanmean": "mean()",
            "nanmax": "max()",
            "nanmin": "min()",
            "nanvar": "var(correction=0)",
            "nanstd": "std(correction=0)",
        }.items()
    },
    "m.nansum(x, 1)": (ANY,),
    "m.nanprod(x, 1)": (ANY, "m.prod(x, 1)"),
    "m.nanmean(x, 0, keepdims=True)": (ANY, "m.mean(x, 0, keepdim=True)"),
    "m.nanmax(x, 1, keepdims=True)": (ANY, "m.amax(x, 1, keepdim=True)"),
    "m.nanmin(x, (0, 1))": (ANY, "m.amin(x, (0, 1))"),
    "m.nanvar(x, 1, ddof=1)": (ANY, "m.var(x, 1)"),
    "m.nanstd(x, 1, ddof=1, keepdims=True)": (ANY, "m.std(x, 1, keepdim=True)"),
    "m.nancumsum(x, 1)": (ANY, "m.cumsum(x, 1)"),
    # shapes
    "m.reshape(x, (2, 6))": (ANY,),
    "x.reshape(-1)": (ANY,),
    "m.reshape(x, (2, 6), 'F')": (ANY, "x.T.reshape(6, 2).T"),
    "m.ravel(x)": (ANY,),
    "x.ravel('F')": (ANY, "x.T.reshape(-1)"),
    "x.reshape(2, 6, order='F')": (ANY, "x.T.reshape(6, 2).T"),
    "x.flatten()": (ANY,),
    "x.T": (ANY,),
    "x.mT": (THREE,),
    "x.transpose()": (ANY, "x.T"),
    "x.transpose(2, 0, 1)": (THREE, "m.permute(x, (2, 0, 1))"),
    "x.transpose((2, 0, 1))": (THREE, "m.permute(x, (2, 0, 1))"),
    "x.reshape(2, 6)": (ANY,),
    "x.reshape((2, 6))": (ANY,),
    "m.transpose(x, (2, 0, 1))": (THREE, "m.permute(x, (2, 0, 1))"),
    "m.swapaxes(x, 0, -1)": (THREE,),
    "m.moveaxis(x, 0, -1)": (THREE,),
    "m.matrix_transpose(x)": (THREE, "x.mT"),
    "m.squeeze(x)": (COLUMN,),
    "m.expand_dims(x, 1)": (ANY, "m.unsqueeze(x, 1)"),
    "m.broadcast_to(x, (2, 3, 4))": (ROW,),
    "m.atleast_1d(x.sum())": (ROW,),
    "m.concatenate([x, z])": (ANY, OTHER),
    "m.concatenate([x, z, x], axis=1)": (ANY, OTHER),
    "m.concatenate([x, z], axis=None)": (ANY, ROW, "m.cat([x.ravel(), z])"),
    "m.stack([x, z])": (ANY, OTHER),
    "m.stack([x, z], axis=1)": (ANY, OTHER),
    "m.vstack([x, z])": (ANY, ROW),
    "m.hstack([x, z])": (ANY, OTHER),
    "m.vstack([x[0], x[1]])": (ROW,),
    "m.hstack([x[0], z, x[1]])": (ROW, ROW + 1),
    "m.split(x, 2)[1]": (ROW, "m.split(x, 2)[1]"),
    "m.array_split(x, 2, axis=1)[0]": (ANY, "m.tensor_split(x, 2, dim=1)[0]"),
    "m.pad(x, ((1, 0), (2, 1)))": (ANY, "m.nn.functional.pad(x, (2, 1, 1, 0))"),
    "m.take(x, [0, 2, 0], axis=0)": (ANY, "x[[0, 2, 0]]"),
    "m.take(x, [5, 5])": (ANY, "x.ravel()[[5, 5]]"),
    "m.take_along_axis(x, m.argsort(x, axis=1), 1)": (
        ANY,
        "m.take_along_dim(x, m.argsort(x, 1), 1)",
    ),
    "m.take_along_axis(x, m.asarray([[1, 1, 2]]), 1)": (
        ANY,
        "m.take_along_dim(x, m.tensor([[1, 1, 2]]), 1)",
    ),
    "m.sort(x)": (ANY, "m.sort(x).values"),
    "m.sort(x, None)": (ANY, "m.sort(x.ravel()).values"),
    "m.sort(x, kind='heapsort')": (ANY, "m.sort(x).values"),
    "m.sort(x, 0)": (ANY, "m.sort(x, 0).values"),
    "m.flip(x, 0)": (ANY, "m.flip(x, [0])"),
    "m.flip(x)": (ANY, "m.flip(x, [0, 1])"),
    "m.roll(x, 2)": (ANY,),
    "m.roll(x, 1, 0)": (ANY,),
    "m.roll(x, (1, 2), (0, 1))": (ANY,),
    "m.repeat(x, 2, 1)": (ANY, "x.repeat_interleave(2, 1)"),
    "m.repeat(x, 3)": (ROW, "x.repeat_interleave(3)"),
    "m.tile(x, (2, 1))": (ANY,),
    "m.diagonal(x)": (SQUARE,),
    "m.diagonal(x)  # of many": (THREE,),
    "m.diagonal(x, 1, 2, 0)": (THREE,),
    "m.diag(x)": (SQUARE,),
    "m.diag(x)  # of a vector": (ROW,),
    "m.diag(x, k=1)": (ANY, "m.diag(x, 1)"),
    "m.diag(x, -2)  # of a vector": (ROW,),
    "m.tril(x)": (SQUARE,),
    "m.triu(x, 1)": (SQUARE,),
    # places
    "x[1]": (ANY,),
    "x[..., 1:3]": (ANY,),
    "x[::-1]": (ANY, "m.flip(x, [0])"),
    "x[:, None]": (ANY,),
    "x[[0, 2, 0, 0]]": (ANY,),
    "x[x > 0]": (ANY,),
    "x[(0, 0, 1), :]": (ANY,),
    "x[[0, 0], (1, 1)]": (ANY,),
    "x[True, 1]": (ANY,),
    "x[m.argmax(x) % 3, ..., None]": (ANY,),
    "x[m.asarray([0, 1]), m.asarray([2, 2])]": (ANY,),
    # linear algebra
    "m.linalg.inv(x)": (SQUARE,),
    "m.linalg.inv(x)  # stacked": (STACK,),
    "m.linalg.det(x)": (SQUARE,),
    "m.linalg.det(x)  # stacked": (STACK,),
    "m.linalg.slogdet(x)[1]": (STACK,),
    "m.linalg.solve(x, z)": (SQUARE, RNG.normal(size=(3, 2))),
    "m.linalg.solve(x, z)  # one": (SQUARE, RNG.normal(size=3)),
    "m.linalg.solve(x, z)  # many, of one vector": (
        STACK,
        RNG.normal(size=3),
        "m.linalg.solve(x, z.expand(2, 3))",
    ),
    "m.linalg.solve(x, z)  # as many as there are numbers": (
        RNG.normal(size=(3, 3, 3)) + 3 * np.eye(3),
        RNG.normal(size=3),
        "m.linalg.solve(x, z.expand(3, 3))",
    ),
    "m.linalg.solve(x, z)  # many, of one matrix": (STACK, RNG.normal(size=(3, 2))),
    "m.linalg.cholesky(x @ x.T)": (SQUARE,),
    "m.linalg.norm(x)": (ANY,),
    "m.linalg.norm(x, 2)": (ROW,),
    "m.linalg.norm(x, 'fro')": (ANY,),
    "m.linalg.norm(x, axis=1)": (ANY, "m.linalg.norm(x, dim=1)"),
    **{
        f"m.linalg.norm(x, {order})": (ROW,)
        for order in (1, 1.5, 2, 3, 0.5, -1, -2.5, "m.inf", "-m.inf")
    },
    **{
        f"m.linalg.norm(x, {order}, axis=1, keepdims=True)": (
            ANY,
            f"m.linalg.norm(x, {order}, dim=1, keepdim=True)",
        )
        for order in (1, 2, 3, "m.inf")
    },
    **{f"m.linalg.norm(x, {order})  # of a matrix": (ANY,) for order in (1, -1)},
    "m.linalg.vector_norm(x)": (ANY,),
    "m.linalg.vector_norm(x, ord=3)": (ANY,),
    "m.linalg.vector_norm(x, ord=1, axis=1, keepdims=True)": (
        ANY,
        "m.linalg.vector_norm(x, ord=1, dim=1, keepdim=True)",
    ),
    "m.linalg.matrix_norm(x)": (THREE,),
    "m.linalg.matrix_norm(x, ord=1)": (THREE,),
    "m.linalg.norm(x, m.inf)  # of a matrix": (ANY,),
    "m.linalg.norm(x, -m.inf, (2, 0))": (THREE,),
    "m.linalg.norm(x, 1, axis=(-1, 0), keepdims=True)": (
        THREE,
        "m.linalg.norm(x, 1, dim=(-1, 0), keepdim=True)",
    ),
    # several at once
    "m.log(m.sum(m.exp(x - m.max(x)))) + m.max(x)": (ROW,),
    "m.tanh(x @ z) * x[:, :1] / (1 + x[:, :1] ** 2)": (ANY, RNG.normal(size=(4, 2))),
}


def parts(case):
    *arrays, other = (
        CASES[case] if isinstance(CASES[case][-1], str) else (*CASES[case], case)
    )
    return arrays, other


def function(text, m):
    return lambda x, z=None: eval(text, {"m": m, "x": x, "z": z})


@pytest.mark.parametrize("case", CASES)
def test_a_rule_gives_what_torch_gives(case):
    arrays, text = parts(case)
    value, pullback = cg.autodiff.vjp(function(case, np), *arrays)
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    theirs = function(text, torch)(*tensors)
    g = np.random.default_rng(0).normal(size=np.shape(value))
    np.testing.assert_allclose(value, theirs.detach(), rtol=1e-13, atol=1e-14)
    wanted = torch.autograd.grad(theirs, tensors, torch.tensor(g))
    found = pullback(g)
    for ours, other in zip(found if len(arrays) > 1 else [found], wanted, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("case", CASES)
def test_derivatives_to_second_order_are_those_of_differences(case):
    arrays, _ = parts(case)
    cg.autodiff.check_grads(function(case, np), *arrays, order=2, rtol=1e-5)


# Of these NumPy itself makes float64: of a list, too, that stands by an operator.
FLOAT64 = ("astype", "float_power", "asarray([1.0", " [1", "[1.0", "(1.0")


@pytest.mark.parametrize("case", CASES)
def test_float32_stays_float32(case):
    arrays, _ = parts(case)
    arrays = [a.astype("float32") for a in arrays]
    if any(word in case for word in FLOAT64):
        pytest.skip("NumPy itself makes float64 of this")
    value, pullback = cg.autodiff.vjp(function(case, np), *arrays)
    assert value.dtype == "float32"
    found = pullback(np.ones_like(value))
    assert all(g.dtype == "float32" for g in (found if len(arrays) > 1 else [found]))


FLAT_ONE = """all angle any argmax argmin argsort argwhere ceil count_nonzero
    empty_like floor isfinite isinf isnan logical_not nanargmax nanargmin
    ndim nonzero ones_like result_type rint round shape sign signbit size
    trunc zeros_like"""
FLAT_TWO = """allclose array_equal equal floor_divide greater greater_equal heaviside
    isclose less less_equal logical_and logical_or logical_xor not_equal"""
FLAT = {
    **dict.fromkeys(FLAT_ONE.split(), (ANY,)),
    **dict.fromkeys(FLAT_TWO.split(), (ANY, OTHER)),
    "searchsorted": (np.sort(ROW), ROW),
}


@pytest.mark.parametrize("name", FLAT)
def test_what_is_flat_is_told_as_of_plain_numbers(name):
    f, (x, *more) = getattr(np, name), FLAT[name]
    told = []

    def loss(x):
        told.append(f(x, *more))
        return x.sum()

    np.testing.assert_array_equal(cg.autodiff.grad(loss)(x), np.ones_like(x))
    wanted = f(x, *more)
    assert type(told[0]) is type(wanted)
    if name != "empty_like":
        np.testing.assert_equal(told[0], wanted)


def test_there_are_more_than_eighty_functions_and_each_is_tested():
    assert len(names()) > 80
    text = " ".join(CASES)
    operators = {"add", "subtract", "multiply", "divide", "power"}
    assert {n for n in names() if f".{n}(" not in text} == operators
    assert {f.__name__ for f in CONSTANT} == set(FLAT)
    assert not CONSTANT & (set(RULES) | set(COMPOSED))


def options(func, ours):
    """Give what comes after the array: by position, and by name only."""
    parameters = [*inspect.signature(func).parameters.values()][1 + ours :]
    by_position = [p for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD]
    by_name = {p.name for p in parameters if p.kind == p.KEYWORD_ONLY}
    return [p.name for p in by_position], by_name, {p.kind for p in parameters}


def written():
    """Give each function of NumPy, what we wrote for it, and how much g and y take."""
    for func, rules in RULES.items():
        for i, rule in enumerate([rules(1)] if callable(rules) else rules):
            if rule is not None and func.__class__ is not np.ufunc:
                yield pytest.param(func, rule, 2, id=f"{func.__name__}-{i}")
    for func, composed in COMPOSED.items():
        yield pytest.param(func, composed, 0, id=func.__name__)


@pytest.mark.parametrize(
    ("func", "rule", "ours"),
    [one for one in written() if one.values[0].__module__.startswith("numpy")],
)
def test_options_have_the_names_and_the_order_of_numpy(func, rule, ours):
    try:
        theirs, theirs_by_name, kinds = options(func, 0)
    except ValueError:
        pytest.skip("NumPy does not tell")
    theirs = ["shape" if name == "newshape" else name for name in theirs]  # NumPy 2.0
    found, by_name, _ = options(rule, ours)
    if inspect.Parameter.POSITIONAL_ONLY not in kinds:
        assert found == theirs[: len(found)]
    if inspect.Parameter.VAR_KEYWORD not in kinds and func is not np.clip:
        assert by_name <= {*theirs, *theirs_by_name}
