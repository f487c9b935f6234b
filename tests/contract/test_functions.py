"""Functions: both backends give the same numbers, and write into nothing given.

Every function of every paired topic stands here by its name alone; its arguments are
drawn by theirs.
"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad._core.numbers import INTEGERS

from .backends import (
    DEVICES,
    DTYPES,
    FUNCTIONS,
    agree,
    applied,
    both,
    ndarray,
    parts,
    read_only,
    size,
    tensor,
)
from .strategies import arguments, cast, contract, few, options, shape, slots

ACTIVATIONS = [path for path in FUNCTIONS if path.startswith("activations.")]
SMOOTH = [path for path in FUNCTIONS if f"{path}_grad" in FUNCTIONS]
STACKING = [
    path
    for path in FUNCTIONS
    if any("..." in slot.axes for slot in slots(both(path)[0]).values())
]


def kinds(path):
    return {slot.kind for slot in slots(both(path)[0]).values()} - {""}


WHOLE = [path for path in FUNCTIONS if kinds(path) - {"real"}]


def as_int64(x):
    is_whole = isinstance(x, np.ndarray) and x.dtype.kind in "iu"
    return x.astype("int64") if is_whole else x


def backwards(x):
    """The same numbers, from the far end of memory to the near."""
    if not isinstance(x, np.ndarray):
        return x
    return np.flip(np.flip(x).copy())


def every_other(x):
    """The same numbers, with a gap behind each; a tensor cannot run backwards."""
    if not isinstance(x, torch.Tensor):
        return x
    return torch.stack([x, x], dim=-1)[..., 0]


def same_bits(one, other):
    for a, b in zip(parts(one), parts(other), strict=True):
        assert ndarray(a).dtype == ndarray(b).dtype
        assert ndarray(a).tobytes() == ndarray(b).tobytes()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("path", FUNCTIONS)
@contract
@given(data=st.data())
def test_both_backends_give_the_same_numbers_in_the_same_dtype(
    path, dtype, device, data
):
    f, g = both(path)
    args = cast(data.draw(arguments(f)), dtype)
    theirs = g(**applied(tensor, args, device))
    agree(f(**args), theirs, dtype, size=size(path, dtype, args))
    for part in parts(theirs):
        assert not isinstance(part, torch.Tensor) or part.device.type == device


@pytest.mark.parametrize("path", ACTIVATIONS)
def test_activations_agree_to_the_last_digits(path):
    f, g = both(path)
    z = np.array([-800, -50, -6, -1, -1e-3, 0, 1e-3, 1, 6, 50, 800])
    np.testing.assert_allclose(g(tensor(z)), f(z), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("path", FUNCTIONS)
@few
@given(data=st.data())
def test_nothing_is_written_into_the_arguments_nor_handed_back(path, data):
    f, g = both(path)
    args = applied(read_only, data.draw(arguments(f)))
    tensors = applied(tensor, args)
    for results, inputs in ((f(**args), args), (g(**tensors), tensors)):
        for name, x in inputs.items():
            if hasattr(x, "dtype"):
                np.testing.assert_array_equal(ndarray(x), args[name])
                for out in parts(results):
                    assert not np.shares_memory(ndarray(out), ndarray(x))


@pytest.mark.parametrize("path", SMOOTH)
@contract
@given(data=st.data())
def test_autograd_finds_the_gradient_that_is_written(path, data):
    f, g = both(path)
    _, slope = both(f"{path}_grad")
    args = applied(tensor, data.draw(arguments(f)))
    first = next(iter(args))
    z = args[first].requires_grad_()
    out = g(**args)
    upstream = torch.linspace(-1, 2, out.numel(), dtype=z.dtype).reshape(out.shape)
    out.backward(upstream)
    slopes = slope(**args | {first: z.detach()})
    if slopes.ndim > z.ndim:  # a Jacobian
        wanted = (upstream[..., None, :] @ slopes)[..., 0, :]
    else:  # a slope for each entry, or for each class of a row
        wanted = slopes * upstream.reshape(out.shape + (1,) * (z.ndim - out.ndim))
    # Through an activation, autograd loses the tails: it takes 1 - tanh(z)**2.
    lost = float(path in ACTIVATIONS)
    agree(ndarray(wanted), z.grad, "float64", size=lost)


@pytest.mark.parametrize("path", STACKING)
@few
@given(data=st.data())
def test_a_stack_gives_what_its_parts_give(path, data):
    f, g = both(path)
    said = slots(f)
    args = data.draw(arguments(f, leading=(3,)))
    if "reduction" in args:  # each part keeps its own
        args["reduction"] = "none"
    stacks = [
        name for name, x in args.items() if "..." in said[name].axes and x is not None
    ]
    lost = size(path, "float64", args)
    for whole, call in ((args, f), (applied(tensor, args), g)):
        stacked = call(**whole)
        for i in range(3):
            part = call(**whole | {name: whole[name][i] for name in stacks})
            agree(ndarray(part), ndarray(stacked[i]), "float64", size=lost)


@pytest.mark.parametrize("path", WHOLE)
@few
@given(data=st.data())
def test_integers_of_every_width_mean_the_same_numbers(path, data):
    f, g = both(path)
    args = data.draw(arguments(f))
    wide = applied(as_int64, args)
    same_bits(f(**args), f(**wide))
    same_bits(g(**applied(tensor, args)), g(**applied(tensor, wide)))


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("path", [path for path in WHOLE if "int" in kinds(path)])
@few
@given(data=st.data())
def test_class_ids_may_count_more_entries_than_their_dtype_can(path, dtype, data):
    f, g = both(path)
    rng = np.random.default_rng(0)
    sizes = {"n": 300, "c": 120}  # an id fits into int8, the place of a logit not
    args, wide = data.draw(options(f)), {}
    for name, slot in slots(f).items():
        if slot.kind == "int":
            wide[name] = rng.integers(sizes["c"], size=shape(slot.axes, sizes))
            args[name] = wide[name].astype(dtype)
        elif slot.kind == "real" and not slot.optional:
            args[name] = rng.normal(size=shape(slot.axes, sizes))
    wide = args | wide
    same_bits(f(**args), f(**wide))
    same_bits(g(**applied(tensor, args)), g(**applied(tensor, wide)))


@pytest.mark.parametrize("path", FUNCTIONS)
@few
@given(data=st.data())
def test_views_of_any_stride_give_the_same_bits(path, data):
    f, g = both(path)
    args = data.draw(arguments(f))
    same_bits(f(**args), f(**applied(backwards, args)))
    tensors = applied(tensor, args)
    same_bits(g(**tensors), g(**applied(every_other, tensors)))


@pytest.mark.parametrize("path", ACTIVATIONS)
def test_nan_stays_nan_so_that_a_broken_run_is_seen(path):
    if path == "activations.identity_grad":
        return  # a constant
    f, g = both(path)
    z = np.full((2, 1), np.nan)
    assert np.isnan(f(z)).all()
    assert g(tensor(z)).isnan().all()
