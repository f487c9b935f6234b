"""What readers do with a loss inside of a function: print it, add to it, ask it."""

import math
import re

import numpy as np
import pytest
import torch

import chalkgrad.numpy as reference
import chalkgrad.torch as twin

BACKENDS = {"numpy": (reference, np), "torch": (twin, torch)}
X = [0.3, 0.7]


@pytest.fixture(params=BACKENDS)
def backend(request):
    return BACKENDS[request.param]


def slope(cg, f):
    return np.asarray(cg.autodiff.grad(f)(cg.array(X)))


@pytest.mark.parametrize("spec", ["", ".3f", ".2e", ">10.4f", "+.1f", "g", ",.2f", "%"])
def test_a_loss_is_formatted_as_its_number(backend, spec):
    cg, _ = backend
    seen = []

    def loss(x):
        value = (x * x).sum()
        seen.append(format(value, spec))
        return value

    cg.autodiff.grad(cg.autodiff.grad(lambda x: loss(x) * x.sum()))  # nothing is run
    np.testing.assert_allclose(slope(cg, loss), [0.6, 1.4])
    assert seen == [format(0.58, spec)]


def test_a_loss_is_printed_inside_of_a_second_derivative(backend):
    cg, _ = backend
    seen = []

    def loss(x):
        seen.append(f"{(x * x).sum():.2f} {(x * x).sum().item():.1f}")
        return (x**3).sum()

    cg.autodiff.hessian(loss)(cg.array(X))
    assert seen == ["0.58 0.6"]


def test_numbers_are_taken_out_as_constants(backend):
    cg, _ = backend

    def loss(x):
        scale = x.sum().item()
        assert type(scale) is float
        assert x.tolist() == X
        return scale * (x * x).sum()

    np.testing.assert_allclose(slope(cg, loss), [0.6, 1.4])


@pytest.mark.parametrize(
    "ask",
    [
        lambda loss: loss > 0.5,
        lambda loss: loss >= 0.5 and loss != 2,
        lambda loss: not loss < 0.5,
        lambda loss: bool(loss),
        lambda loss: round(loss.item(), 1) == 1.0,
    ],
)
def test_a_loss_may_decide(backend, ask):
    cg, _ = backend

    def loss(x):
        return 2 * x.sum() if ask(x.sum()) else -x.sum()

    np.testing.assert_array_equal(slope(cg, loss), [2.0, 2.0])


def test_a_loss_is_rounded():
    def loss(x):
        assert round(x.sum(), 1) == 1.0
        assert round(x[0]) == 0
        return x.sum()

    slope(reference, loss)


def add_up(x):
    loss = (x * x).sum()
    loss += 0.5 * x.sum()
    loss -= x[0]
    loss *= 2
    loss /= 4
    loss **= 2
    return loss


def add_up_from_0(x):
    total = 0.0
    for i in range(2):
        total += x[i] ** 2
    return total


def test_a_number_is_added_to(backend):
    cg, _ = backend
    np.testing.assert_allclose(slope(cg, add_up_from_0), [0.6, 1.4])
    # add_up is ((x x + x / 2 - x_0) / 2)^2, the sum of the first two over both.
    inner = 0.58 + 0.5 - 0.3
    np.testing.assert_allclose(
        slope(cg, add_up), inner / 2 * np.array([0.6 + 0.5 - 1, 1.4 + 0.5])
    )
    cg.autodiff.check_grads(add_up, cg.array(X))


def test_another_name_keeps_the_number_that_was_added_to():
    def loss(x):
        first = second = x.sum()
        first += x[0]
        return first * second  # (x + x_0) x: NumPy's numbers are not written into

    np.testing.assert_allclose(slope(reference, loss), [1.3 + 2, 1.3 + 1])


def write_rows(x):
    h = x * 2
    h += 1
    return h.sum()


def write_buffer(x):
    z = np.zeros(2)
    z += x
    return z.sum()


def write_argument(x):
    x *= 2
    return x.sum()


def write_place(x):
    z = np.zeros(3)
    z[0] = x[0]
    return z.sum()


def write_slice(x):
    z = np.zeros(3)
    z[:2] = x
    return z.sum()


def write_loss(x):
    z = np.zeros(())
    z += x.sum()
    return z


ADVICE = {
    "h += 1": (write_rows, r"x \+= y would write into a traced.*write x = x \+ y"),
    "x *= 2": (write_argument, r"x \*= y would write into .*write x = x \* y"),
    "z += x": (write_buffer, r"what z \+= x does to a plain array.* z = z \+ x"),
    "z += loss": (write_loss, r"what z \+= x does to a plain array.* z = z \+ x"),
    "z[0] = x": (write_place, r"of z\[i\] = a, write np.stack"),
    "z[:2] = x": (write_slice, r"of z\[i\] = a, write np.stack.* or np.concatenate"),
    "np.array": (lambda x: np.array([x[0], x[1]]).sum(), r"np.stack\(\[a, b\]\)"),
    "np.full": (lambda x: np.full(3, x[0]).sum(), "np.broadcast_to"),
    "np.full_like": (
        lambda x: np.full_like(np.zeros(3), x[0]).sum(),
        r"np.full_like call.*np.broadcast_to\(x, shape\)",
    ),
    "float": (lambda x: float(x[0]), r"float\(x\) would lose.*x.item\(\) takes"),
    "int": (lambda x: int(x[0]), r"would lose.*x.item\(\) takes"),
    "math": (lambda x: math.exp(x[0]), "NumPy's functions in place of those of `math`"),
    "x.sort": (lambda x: x.sort(), "a traced array has no `sort`"),
    "x.fill": (lambda x: x.fill(0.0), "a traced array has no `fill`"),
    "select": (lambda x: np.select([x > 0], [x, x]).sum(), "as many choices as"),
}


@pytest.mark.parametrize("name", ADVICE)
def test_what_is_refused_is_told_with_what_to_write(name):
    f, words = ADVICE[name]
    with pytest.raises((TypeError, AttributeError, ValueError), match=words) as caught:
        slope(reference, f)
    assert str(caught.value).startswith("autodiff: ")


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "**"])
def test_an_argument_is_not_written_into(backend, sign):
    def write(x):
        scope = {"x": x}
        exec(f"x {sign}= 2", scope)
        return scope["x"].sum()

    cg, _ = backend
    mark = re.escape(sign)
    told = rf"^autodiff: x {mark}= y would write into .*; write x = x {mark} y"
    for f in (write, lambda x: cg.autodiff.grad(write)(x).sum()):
        with pytest.raises((TypeError, RuntimeError), match=told):
            slope(cg, f)


FOLLOWED = {
    "x = x + y": lambda x: (x * 2 + 1).sum(),
    "z = z + x": lambda x: 2 * (np.zeros(2) + x).sum(),
    "np.stack": lambda x: 2 * np.stack([x[0], x[1]]).sum(),
    "np.concatenate": lambda x: 2 * np.concatenate([x, np.zeros(1)]).sum(),
    "np.where": lambda x: 2 * np.where(np.ones(2, bool), x, 0).sum(),
    "np.broadcast_to": lambda x: (
        np.broadcast_to(x[0], 2).sum() + np.broadcast_to(x[1], (2,)).sum()
    ),
    "np.select": lambda x: 2 * np.select([x > 0.5, x > 0], [x, x]).sum(),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_advice_works(name):
    np.testing.assert_allclose(slope(reference, FOLLOWED[name]), [2.0, 2.0])


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: np.fft.fft(x), "numpy.fft.fft"),
        (lambda x: np.linalg.eigh(x[:, None] * x), "numpy.linalg.eigh"),
        (lambda x: np.choose([0, 1], [x, x]), "numpy.choose"),
        (lambda x: np.block([[x, x]]), "numpy.block"),
        (lambda x: np.column_stack([x, x]), "numpy.column_stack"),
        (lambda x: np.interp(0.5, x, x), "numpy.interp"),
        (lambda x: np.cumprod(x), "numpy.cumprod"),
        (lambda x: np.spacing(x), "numpy.spacing"),
        (lambda x: np.add.accumulate(x), "numpy.add.accumulate"),
        (lambda x: np.multiply.outer(x, x), "numpy.multiply.outer"),
    ],
)
def test_what_has_no_rule_is_named_in_the_first_line(f, name):
    with pytest.raises(TypeError, match=f"^autodiff: {name} has no rule here"):
        slope(reference, lambda x: f(x).sum())


def test_a_function_of_ours_is_named_as_it_is_called():
    words = "autodiff: cg.losses.hinge has no derivative .* its argument 2"
    with pytest.raises(TypeError, match=words):
        reference.autodiff.grad(lambda t: reference.losses.hinge(np.ones(2), t * 1.0))(
            np.array([1.0, -1.0])
        )


LOSE = {
    "float(x)": lambda cg, m, x: float(x.sum()),
    "int(x)": lambda cg, m, x: int(x[0]) * x[1],
    "complex(x)": lambda cg, m, x: complex(x[0]).real,
    "math.sqrt(x)": lambda cg, m, x: math.sqrt((x * x).sum()),
    "%": lambda cg, m, x: f"{x.sum():.1f} %.1f" % x.sum(),
    "array(x)": lambda cg, m, x: cg.array(x).sum(),
    "asnumpy(x)": lambda cg, m, x: cg.asnumpy(x).sum(),
    "tensor(x)": lambda cg, m, x: (m.tensor if m is torch else m.array)(x).sum(),
    "[a, b]": lambda cg, m, x: m.asarray([x[0], x[1]]).sum(),
    "[[a], [b]]": lambda cg, m, x: (m.tensor if m is torch else m.array)(
        [[x[0]], [x[1]]]
    ).sum(),
}


@pytest.mark.parametrize("name", LOSE)
def test_no_gradient_is_lost_without_a_word(backend, name):
    cg, m = backend
    with pytest.raises(TypeError, match=r"^autodiff: .*gradient"):
        slope(cg, lambda x: LOSE[name](cg, m, x))


def test_a_parameter_may_be_copied_elsewhere():
    w = torch.ones(2, requires_grad=True)
    assert not twin.array(w).requires_grad
    np.testing.assert_array_equal(twin.asnumpy(w), [1.0, 1.0])
    seen = []
    slope(twin, lambda x: (seen.append(twin.asnumpy(x.detach())), x.sum())[1])
    np.testing.assert_array_equal(seen, [X])
