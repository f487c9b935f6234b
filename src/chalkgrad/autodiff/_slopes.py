"""The slopes that take care, written once for both backends.

The formula of a textbook holds for most numbers. It may lose its digits in a tail (of
``tanh`` as 1 - y²), overflow on the way to a number that is small (of ``arctan2`` as
x / (x² + y²)), or be nan where the function itself is not (of ``hypot`` at 0). These
hold everywhere. At a corner, and where an argument is nan, they take

- 0 for the slope of a length or an angle at 0;
- equal shares for arguments that are equal, in ``maximum`` and ``fmax`` alike;
- the argument that the function has chosen: of two, ``maximum`` chooses nan, and
  ``fmax`` the other.

Each reads ``rule(g, y, *arguments)``; see `chalkgrad.autodiff._rules`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Rule: TypeAlias = Callable[..., Any]
LN2, LN10 = math.log(2), math.log(10)


class Tools(NamedTuple):
    """What the rules are written with, of one library."""

    m: Any
    """NumPy or PyTorch."""
    sign: Callable[[Any], Any]
    """``sign(x)``, which keeps nan."""
    stop: Callable[[Any], Any]
    """``stop(x)`` lets no derivative pass."""
    primitive: Callable[[Sequence[Rule | None]], Callable[[Any], Any]]
    """``primitive(rules)`` lets a function of ours be recorded."""
    pull: Callable[[Callable[[Any], Any], Any, Any], Any]
    """``pull(f, x, g)`` is the derivative of f at x, given g, that for f(x)."""


def slopes(tools: Tools) -> dict[str, list[Rule]]:
    """Return the rules, by the names of the functions."""
    return {
        **_of_one_number(tools),
        **_of_choices(tools),
        **_of_powers(tools),
        **_of_lengths(tools),
        **_of_sums(tools),
        **_of_remainders(tools),
        **_of_determinants(tools),
    }


def _of_one_number(tools: Tools) -> dict[str, list[Rule]]:
    m, sign, stop, primitive, _ = tools

    @primitive([lambda g, y, x: -g * y * m.tanh(x)])
    def sech(x: Any) -> Any:
        return 1 / m.cosh(x)

    def tanh(g: Any, y: Any, x: Any) -> Any:
        s = sech(x)
        return g * s * s

    def half_exp(x: Any) -> tuple[Any, Any]:
        """Return where x is far out, and exp(|x| / 2) / sqrt(2) there."""
        far = m.absolute(stop(x)) > 80  # what is vectorized may overflow too soon
        return far, m.exp(m.where(far, m.absolute(x), 0) / 2) * 0.5**0.5

    def sinh(g: Any, y: Any, x: Any) -> Any:
        far, h = half_exp(x)
        return g * m.where(far, h * h, m.cosh(m.where(far, 0, x)))

    def cosh(g: Any, y: Any, x: Any) -> Any:
        far, h = half_exp(x)
        return g * m.where(far, sign(x) * h * h, m.sinh(m.where(far, 0, x)))

    def arctan(g: Any, y: Any, x: Any) -> Any:
        r = 1 / m.hypot(x, m.ones_like(x))
        return g * r * r

    rules: dict[str, Rule] = {
        "absolute": lambda g, y, x: g * sign(x),
        "sinh": sinh,
        "cosh": cosh,
        "tanh": tanh,
        "expm1": lambda g, y, x: g * m.exp(x),
        "log2": lambda g, y, x: g * (1 / LN2) / x,
        "log10": lambda g, y, x: g * (1 / LN10) / x,
        "arcsin": lambda g, y, x: g / m.sqrt((1 - x) * (1 + x)),
        "arccos": lambda g, y, x: -g / m.sqrt((1 - x) * (1 + x)),
        "arctan": arctan,
        "arcsinh": lambda g, y, x: g / m.hypot(x, m.ones_like(x)),
        "arccosh": lambda g, y, x: g / m.sqrt(x - 1) / m.sqrt(x + 1),
        "arctanh": lambda g, y, x: g / ((1 - x) * (1 + x)),
    }
    return {name: [rule] for name, rule in rules.items()}


def _of_choices(tools: Tools) -> dict[str, list[Rule]]:
    m = tools.m

    def winner(i: int, wins: Any, picks_nan: bool) -> Rule:
        """Give g to the argument that was chosen, and half to each of two equals."""

        def rule(g: Any, y: Any, *two: Any) -> Any:
            mine, other = two[i], two[1 - i]
            is_nan, other_is_nan = m.isnan(mine), m.isnan(other)
            won = wins(mine, other) | (is_nan if picks_nan else other_is_nan)
            tie = (mine == other) | (is_nan & other_is_nan)
            return m.where(tie, g * 0.5, m.where(won, g, 0))

        return rule

    return {
        "maximum": [winner(i, m.greater, picks_nan=True) for i in (0, 1)],
        "minimum": [winner(i, m.less, picks_nan=True) for i in (0, 1)],
        "fmax": [winner(i, m.greater, picks_nan=False) for i in (0, 1)],
        "fmin": [winner(i, m.less, picks_nan=False) for i in (0, 1)],
    }


def _of_powers(tools: Tools) -> dict[str, list[Rule]]:
    m = tools.m

    def power_base(g: Any, y: Any, a: Any, b: Any) -> Any:
        if isinstance(b, int | float):  # as Python's, it leaves the dtype alone
            if b == 0:
                return g * m.zeros_like(a)
            if b - 1 + 1 == b:
                return g * (b * a ** (b - 1))
        # Where b - 1 is rounded, a power would magnify what is lost. What is unused is
        # computed of 1, so that its own slope, times 0, is 0.
        exact, used = (b - 1 + 1 == b) | (a == 0) | m.isinf(a), b != 0
        less = power(m.where(exact & used, a, 1), b - 1)
        slope = m.where(exact, less, y / m.where(exact, 1, a))
        # At b = 0 the slope is 0, even where 0 ** -1 would make it nan.
        return g * b * (m.where(used, slope, 0) if hasattr(b, "dtype") else slope)

    def power_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
        # Where a is 0, so is y log a in the limit; where a is below, there is no slope.
        settled = (a == 0) & (b >= 0)
        # A small integer's logarithm would have the digits of a small float.
        log = m.log(m.where(settled, m.ones_like(y), a))
        return m.where(settled, 0, g * y * log)

    @tools.primitive([power_base, power_exponent])
    def power(a: Any, b: Any) -> Any:
        return a**b

    return {"power": [power_base, power_exponent]}


def _of_lengths(tools: Tools) -> dict[str, list[Rule]]:
    m, sign, stop, *_ = tools

    def scale(a: Any, b: Any) -> tuple[Any, Any, Any, Any]:
        """Return a / s, b / s, the square of their length, and s, the larger size.

        Where both are 0, their length is taken for 1.
        """
        s = m.maximum(m.absolute(stop(a)), m.absolute(stop(b)))
        s = m.where((s == 0) | m.isinf(s), 1, s)
        u, v = a / s, b / s
        square = u * u + v * v
        return u, v, m.where(square == 0, 1, square), s

    def hypot(i: int) -> Rule:
        def rule(g: Any, y: Any, a: Any, b: Any) -> Any:
            u, v, square, _ = scale(a, b)
            mine, unit = (a, u) if i == 0 else (b, v)
            slope = m.where(m.isinf(square), 0, unit / m.sqrt(square))
            slope = m.where((a == 0) & (b == 0), 0, slope)
            return g * m.where(m.isinf(mine), sign(mine), slope)

        return rule

    def arctan2(i: int) -> Rule:
        def rule(g: Any, y: Any, a: Any, b: Any) -> Any:
            u, v, square, s = scale(a, b)
            slope = (v if i == 0 else -u) / square / s
            return g * m.where(m.isinf(square) | (a == 0) & (b == 0), 0, slope)

        return rule

    return {
        "hypot": [hypot(0), hypot(1)],
        "arctan2": [arctan2(0), arctan2(1)],
    }


def _of_sums(tools: Tools) -> dict[str, list[Rule]]:
    m = tools.m

    def share(i: int, exp: Any, log_base: float) -> Rule:
        """Make the slope of a logarithm of a sum: the share of the argument in it."""

        def rule(g: Any, y: Any, *two: Any) -> Any:
            mine, other = two[i], two[1 - i]
            d = mine - other
            # d is rounded, and exp would magnify what is lost (Knuth's two-sum).
            v = d - mine
            lost = (mine - (d - v)) - (other + v)
            lost = m.where(m.isinf(d) | m.isnan(lost), 0, lost)
            d = m.where(m.isinf(mine) & (mine == other), 0, d)
            ahead = d >= 0
            less = exp(m.where(ahead, -d, d))
            less = less + less * (log_base * m.where(ahead, -lost, lost))
            return g * m.where(ahead, 1, less) / (1 + less)

        return rule

    return {
        "logaddexp": [share(i, m.exp, 1.0) for i in (0, 1)],
        "logaddexp2": [share(i, m.exp2, LN2) for i in (0, 1)],
    }


def _of_remainders(tools: Tools) -> dict[str, list[Rule]]:
    m = tools.m

    def mod(rounded: Callable[[Any, Any, Any], Any]) -> list[Rule]:
        return [
            lambda g, y, a, b: g,
            lambda g, y, a, b: -g * tools.stop(rounded(y, a, b)),
        ]

    return {
        "remainder": mod(lambda y, a, b: m.floor_divide(a, b)),
        "fmod": mod(lambda y, a, b: m.round((a - y) / b)),
    }


def _of_determinants(tools: Tools) -> dict[str, list[Rule]]:
    m, _, stop, primitive, pull = tools

    @primitive([lambda g, y, a: g[..., None, None] * cofactors(a)])
    def det(a: Any) -> Any:
        return m.linalg.det(a)

    def by_minors(a: Any) -> Any:
        """Compute the determinants of what is left without a row and a column."""
        n = a.shape[-1]
        rest = m.asarray([[j for j in range(n) if j != i] for i in range(n)])
        minors = det(a[..., rest[:, None, :, None], rest[None, :, None, :]])
        odd = [[bool((i + j) % 2) for j in range(n)] for i in range(n)]
        return m.where(m.asarray(odd), -minors, minors)

    def bend(g: Any, y: Any, a: Any) -> Any:
        return pull(by_minors, a, g) if a.shape[-1] > 1 else g * 0

    @primitive([bend])
    def cofactors(a: Any) -> Any:
        """Return the slopes of a determinant: the transposed adjugate.

        Unlike the inverse, times the determinant, it is there for all matrices.
        """
        n = a.shape[-1]
        if n == 1:
            return m.ones_like(a)
        if n <= 3:
            return by_minors(a)
        u, s, v = m.linalg.svd(a)
        others = m.prod(m.where(m.eye(n) == 1, 1, s[..., None, :]), -1)
        mirrored = (m.linalg.det(u) * m.linalg.det(v))[..., None, None]
        return mirrored * (u * others[..., None, :]) @ v

    def logabsdet(g: Any, y: Any, a: Any) -> Any:
        if bool((stop(y) == -math.inf).any()):
            raise np.linalg.LinAlgError(
                "autodiff: slogdet has no slope at a singular matrix, where it is "
                "minus infinity; det has one."
            )
        return g[..., None, None] * m.swapaxes(m.linalg.inv(a), -1, -2)

    return {
        "linalg.det": [lambda g, y, a: g[..., None, None] * cofactors(a)],
        "logabsdet": [logabsdet],
    }
