r"""Autodiff, NumPy backend: derivatives of plain NumPy code.

Write a function with NumPy, and differentiate it:

>>> import numpy as np
>>> import chalkgrad.numpy as cg
>>> cg.autodiff.grad(lambda w: np.sum(np.tanh(w) ** 2))(cg.array([0.0, 1.0]))
array([0.        , 0.63970001])

Nothing is wrapped: NumPy itself hands each function that it meets to the tape. The
gradient comes by reverse accumulation, which costs a few runs of the function, however
many numbers `w` has. Derivatives can be differentiated again.

What the function computes must be new arrays: ``x[0] = 1`` in a traced array is an
error.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, arrays
from chalkgrad.autodiff import _rules  # noqa: F401 (it fills the tables)
from chalkgrad.autodiff._tape import Traced, backward, cast, levels

__all__ = [
    "check_grads",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "value_and_grad",
    "vjp",
]

# The levels whose function is running, in any thread. What is left of the others is
# numbers.
_live: set[int] = set()


def _pullback(
    where: str,
    f: Callable[..., Any],
    args: tuple[Any, ...],
    count: int,
    options: dict[str, Any],
) -> tuple[Any, Callable[[Any], list[Any]]]:
    """Run f with its first `count` arguments traced; return how to go backwards."""
    for i, x in enumerate(args[:count]):
        arrays.full_precision(where, f"x{i + 1}" if count > 1 else "x", x)
    level = next(levels)
    leaves = [Traced(arrays.native(x), level) for x in args[:count]]
    _live.add(level)
    try:
        out = f(*leaves, *args[count:], **options)
    except ValueError as error:  # of z[i] = x, in which NumPy speaks of a sequence
        cause = error.__cause__
        if isinstance(cause, TypeError) and str(cause).startswith("autodiff: "):
            raise cause.with_traceback(error.__traceback__) from None
        raise
    finally:
        _live.remove(level)
    arrays.result(where, out)
    if isinstance(out, int | float):
        out = np.asarray(out, leaves[0].dtype)
    if not (type(out) is Traced and out.level == level):  # f is constant in them
        return _getval(out), lambda _: [np.zeros_like(leaf.data) for leaf in leaves]

    def pull(g: Any) -> list[Any]:
        # A slope that is inf or nan tells it itself.
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            found = backward(out, g, leaves)
        return [
            _to_leaf_dtype(part, leaf) for part, leaf in zip(found, leaves, strict=True)
        ]

    return _getval(out.data), pull


def _getval(x: Any) -> Any:
    """Return what an array is to those who still differentiate."""
    while type(x) is Traced and x.level not in _live:
        x = x.data
    return x


def _to_leaf_dtype(part: Any, leaf: Traced) -> Any:
    """Return a gradient in the dtype of its array, and as an array of its own."""
    if part is None:
        return np.zeros_like(leaf.data)
    if part.dtype != leaf.dtype:
        if part.dtype.kind == "c":
            raise check.complex_error()
        part = cast(part, leaf.dtype)
    part = _getval(part)
    return part if type(part) is Traced else np.array(part)


def value_and_grad(f: Callable[..., Any]) -> Callable[..., tuple[Any, Array]]:
    r"""Make a function that returns $f(x)$ and $\nabla f(x)$.

    Parameters
    ----------
    f : function
        Takes an array, and what else it likes; returns one number.

    Returns
    -------
    function
        Takes what `f` takes, by position and by keyword, and returns the number and its
        derivatives with respect to the first argument, of its shape and dtype.

    Raises
    ------
    TypeError
        From the function made: if `x` is not a float array of this backend, if `f`
        returns no number, or if it uses what cannot be differentiated.

    References
    ----------
    [Linnainmaa (1976)][linnainmaa1976]; [Griewank and Walther (2008)][griewank2008].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.autodiff.value_and_grad(lambda w: (w**2).sum())(cg.array([1.0, 3.0]))
    (np.float64(10.0), array([2., 6.]))
    """
    check.function("value_and_grad", "f", f)

    def run(*args: Any, **options: Any) -> tuple[Any, Array]:
        check.by_position("value_and_grad", args)
        value, pull = _pullback("value_and_grad", f, args, 1, options)
        if value.shape != ():
            raise TypeError(
                "value_and_grad: `f` must return one number, got shape "
                f"{value.shape}; sum it, or use cg.autodiff.jacobian."
            )
        return value, pull(np.ones_like(value))[0]

    return run


def grad(f: Callable[..., Any]) -> Callable[..., Array]:
    r"""Make a function that returns $\nabla f(x)$.

    Parameters
    ----------
    f : function
        Takes an array, and what else it likes; returns one number.

    Returns
    -------
    function
        Takes what `f` takes, and returns the derivatives with respect to the first
        argument. It can be differentiated again.

    Raises
    ------
    TypeError
        As `value_and_grad`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> slope = cg.autodiff.grad(lambda x: x**3)
    >>> x = cg.array(2.0)
    >>> float(slope(x)), float(cg.autodiff.grad(slope)(x))
    (12.0, 12.0)
    """
    check.function("grad", "f", f)
    both = value_and_grad(f)
    return lambda *args, **options: both(*args, **options)[1]


def vjp(
    f: Callable[..., Any], /, *args: Array, **options: object
) -> tuple[Any, Callable[..., Any]]:
    r"""Return $y = f(x, \dots)$ and its pullback $g \mapsto g^T \partial y/\partial x$.

    Parameters
    ----------
    f : function
        Takes arrays and returns an array of any shape.
    *args : Array of shape (...)
        Where.
    **options
        Handed on to `f`.

    Returns
    -------
    value : Array
        $y$.
    pullback : function
        Takes $g$, an array of the shape of $y$; returns an array for each of `args`, or
        the array itself if there is one.

    Raises
    ------
    TypeError, ShapeError
        As `value_and_grad`; from the pullback if $g$ is no array of this backend, or
        does not fit $y$.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> a, b = cg.array([1.0, 2.0]), cg.array([3.0, 4.0])
    >>> y, pullback = cg.autodiff.vjp(lambda a, b: a * b, a, b)
    >>> pullback(cg.array([1.0, 10.0]))
    (array([ 3., 40.]), array([ 1., 20.]))
    """
    check.function("vjp", "f", f)
    check.nonempty("vjp", "args", args)
    value, pull = _pullback("vjp", f, args, len(args), options)

    def pullback(g: Any) -> Any:
        arrays.own_nonempty("vjp", "g", g)
        if np.shape(g) != value.shape:
            raise check.ShapeError(
                f"vjp: `g` must have the shape of the value, {value.shape}, got "
                f"{np.shape(g)}."
            )
        found = pull(g)
        return found[0] if len(found) == 1 else tuple(found)

    return value, pullback


def jvp(
    f: Callable[..., Any], /, x: Array, v: Array, **options: object
) -> tuple[Any, Any]:
    r"""Return $f(x)$ and its derivative along $v$, $\frac{\partial f}{\partial x} v$.

    The pullback is linear in $g$: pulling back *it* pushes $v$ forward.

    Parameters
    ----------
    f : function
        Takes an array and returns an array of any shape.
    x : Array of shape (...)
        Where.
    v : Array of shape (...)
        Along what.
    **options
        Handed on to `f`.

    Returns
    -------
    value : Array
        $f(x)$.
    derivative : Array
        Of its shape.

    Raises
    ------
    TypeError, ShapeError
        As `value_and_grad`; ShapeError if `v` does not have the shape of `x`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.autodiff.jvp(lambda x: x**2, cg.array([1.0, 3.0]), cg.array([1.0, 0.5]))
    (array([1., 9.]), array([2., 3.]))
    """
    check.function("jvp", "f", f)
    arrays.same_shape("jvp", x=x, v=v)
    value, pull = _pullback("jvp", f, (x,), 1, options)
    _, push = _pullback("jvp", lambda g: pull(g)[0], (np.zeros_like(value),), 1, {})
    return value, push(v)[0]


def jacobian(f: Callable[..., Any]) -> Callable[..., Array]:
    r"""Make a function that returns all $J_{ij} = \partial y_i/\partial x_j$.

    One backward pass for each number of $y$.

    Parameters
    ----------
    f : function
        Takes an array, and what else it likes; returns an array of any shape.

    Returns
    -------
    function
        Takes what `f` takes. Its result has the axes of $y$, then those of $x$.

    Raises
    ------
    TypeError
        As `value_and_grad`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.autodiff.jacobian(lambda x: x[0] * x)(cg.array([2.0, 3.0]))
    array([[4., 0.],
           [3., 2.]])
    """
    check.function("jacobian", "f", f)

    def run(*args: Any, **options: object) -> Array:
        check.by_position("jacobian", args)
        value, pull = _pullback("jacobian", f, args, 1, options)
        shape = np.shape(value)
        units = np.eye(max(1, int(np.prod(shape))), dtype=value.dtype)
        rows = [pull(np.reshape(unit, shape))[0] for unit in units]
        out: Array = np.reshape(np.stack(rows), (*shape, *np.shape(args[0])))
        return out

    return run


def hessian(f: Callable[..., Any]) -> Callable[..., Array]:
    r"""Make a function that returns all second derivatives of a number.

    Parameters
    ----------
    f : function
        Takes an array, and what else it likes; returns one number.

    Returns
    -------
    function
        Takes what `f` takes. Its result has the axes of `x` twice.

    Raises
    ------
    TypeError
        As `value_and_grad`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.autodiff.hessian(lambda x: x[0] ** 2 * x[1])(cg.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    check.function("hessian", "f", f)
    return jacobian(grad(f))


def hvp(f: Callable[..., Any], /, w: Array, v: Array, **options: object) -> Array:
    r"""Return the product of the Hessian with a vector, without the Hessian.

    $H v = \nabla (\nabla f \cdot v)$: as cheap as a few gradients, however long `w` is.

    Parameters
    ----------
    f : function
        Takes an array; returns one number.
    w : Array of shape (...)
        Where.
    v : Array of shape (...)
        Of the shape of `w`.
    **options
        Handed on to `f`.

    Returns
    -------
    Array
        Of the shape of `w`.

    Raises
    ------
    TypeError, ShapeError
        As `jvp`.

    References
    ----------
    [Pearlmutter (1994)][pearlmutter1994].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> f = lambda x: x[0] ** 2 * x[1]
    >>> cg.autodiff.hvp(f, cg.array([2.0, 3.0]), cg.array([1.0, 0.0]))
    array([6., 4.])
    """
    check.function("hvp", "f", f)
    arrays.same_shape("hvp", w=w, v=v)
    slope = grad(f)
    return grad(lambda x: (slope(x, **options) * v).sum())(w)


def check_grads(
    f: Callable[..., Any],
    /,
    *args: Array,
    order: int = 2,
    h: float = 1e-5,
    rtol: float = 1e-5,
    **options: object,
) -> None:
    """Compare the derivatives of a function with central differences.

    Along one random direction, and in reverse: a wrong rule shows. From `order` 2 on
    the derivative along that direction is checked in the same way, and so forth.

    Where the function takes complex numbers and is smooth, a step along the imaginary
    axis, which loses no digits, checks the first derivative to 1e-9 too.

    Parameters
    ----------
    f : function
        Takes float64 arrays and returns an array of any shape.
    *args : Array of shape (...)
        Where.
    order : int
        The highest derivative to check, 1 or more.
    h : float
        The step of the differences.
    rtol : float
        How much they may differ, 0 or more, relative to the larger of 1 and what is
        compared.
    **options
        Handed on to `f`.

    Raises
    ------
    AssertionError
        If they differ by more; it tells the order and both numbers.
    TypeError, ValueError
        As `value_and_grad`; if a number is out of its range.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> cg.autodiff.check_grads(cg.activations.tanh, cg.array([0.3, -2.0]))
    """
    compare(vjp, lambda x, _: x, f, args, options, order=order, h=h, rtol=rtol)


def compare(
    vjp: Callable[..., Any],
    make: Callable[[Any, Any], Any],
    f: Callable[..., Any],
    args: tuple[Any, ...],
    options: dict[str, Any],
    *,
    order: int,
    h: float,
    rtol: float,
) -> None:
    """Do the work of `check_grads` for either backend.

    ``make(numbers, like)`` makes an array of the backend of numbers that NumPy drew.
    """
    check.function("check_grads", "f", f)
    check.nonempty("check_grads", "args", args)
    order = check.integer("check_grads", "order", order, low=1)
    h = check.number("check_grads", "h", h, low=0, open_low=True)
    rtol = check.number("check_grads", "rtol", rtol, low=0)
    for i, x in enumerate(args):
        name = f"x{i + 1}" if len(args) > 1 else "x"
        check.full_precision("check_grads", name, x)
        check.finite("check_grads", name, x)
        check.representable("check_grads", check.dtype_name(x), h=h)
        lost = float(np.finfo(check.dtype_name(x)).eps) / h
        if check.dtype_name(x) == "float32" and rtol < lost:
            raise TypeError(
                f"check_grads: `{name}` is float32, whose differences over h={h:g} are "
                f"right to {lost:.1g} only, and `rtol` is {rtol:g}; hand over "
                f'cg.array({name}, dtype="float64"), or take a larger h and rtol.'
            )
        digits = max(1e-9, 100 * lost * h)
    f = functools.partial(f, **options)
    rng = np.random.default_rng(0)
    along = [make(rng.standard_normal(tuple(x.shape)), x) for x in args]
    for nth in range(1, order + 1):
        value, _ = vjp(f, *args)
        g = make(rng.standard_normal(tuple(value.shape)), value)
        slope = _slope(vjp, f, g, along)
        ours = float(slope(*args))
        ahead, behind = (
            f(*(x + sign * h * v for x, v in zip(args, along, strict=True)))
            for sign in (1, -1)
        )
        theirs = float((g * (ahead - behind)).sum()) / (2 * h)
        _judge(nth, ours, theirs, "differences give", rtol)
        if nth == 1:
            exact = _complex_step(f, args, along, g)
            # Where a function such as abs is in the way, it is far from both.
            if exact is not None and _near(exact, theirs, rtol):
                _judge(nth, ours, exact, "a complex step gives", min(rtol, digits))
        f = slope


def _near(one: float, other: float, rtol: float) -> bool:
    return abs(one - other) <= rtol * max(1.0, abs(one), abs(other))


def _judge(nth: int, ours: float, theirs: float, how: str, rtol: float) -> None:
    if not _near(ours, theirs, rtol):
        raise AssertionError(
            f"check_grads: derivative {nth} is {ours:.10g}, but {how} {theirs:.10g}."
        )


def _complex_step(
    f: Callable[..., Any], args: tuple[Any, ...], along: list[Any], g: Any
) -> float | None:
    """Return Im f(x + ihv) / h, or None if f knows no complex numbers."""
    h = 1e-20
    try:
        value = f(*(x + 1j * h * v for x, v in zip(args, along, strict=True)))
        return float((g * value.imag).sum()) / h
    except Exception:  # whatever it says of complex numbers, it says no
        return None


def _slope(
    vjp: Callable[..., Any], f: Callable[..., Any], g: Any, along: list[Any]
) -> Callable[..., Any]:
    """Make the derivative of g . f along a direction, by the pullback."""

    def slope(*args: Any) -> Any:
        found = vjp(f, *args)[1](g)
        parts = found if isinstance(found, tuple) else (found,)
        return sum((part * v).sum() for part, v in zip(parts, along, strict=True))

    return slope
