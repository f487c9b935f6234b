"""What a rule does besides its formula, and what it keeps from step to step.

A rule is written as on the slide. Given the weights `w`, the gradient `g`, the number
`t` of the step, which is 1 in the first, and the state `s`, it returns the new weights
and the new state. What stands after the ``/`` of its signature is what a reader gives,
and its types are the ranges. The decorator adds the rest: it checks the options, the
weights and the gradient, makes the first state, counts the steps and finds the rate.
"""

import functools
import inspect
import itertools
import math
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol

from chalkgrad._core import check, spec
from chalkgrad._core.docs import torch_docstring
from chalkgrad._core.made import Made, remember_call
from chalkgrad._core.types import Optimizer, Rate, identity_weights

__all__ = ["NUMBERS", "Clock"]  # what the plan of a network on a GPU needs

P = ParamSpec("P")

# What a twin says besides the docstring of its reference.
IN_PLACE = (
    "`step` updates `w` and the state in place and returns the same tensors: keep no\n"
    "other name for them."
)


class SgdState(NamedTuple):
    """State of `sgd`: the steps done and the velocity."""

    t: int
    v: Any


class AdagradState(NamedTuple):
    """State of `adagrad`: the steps done and the sum of squared gradients."""

    t: int
    v: Any


class RmspropState(NamedTuple):
    """State of `rmsprop`: the steps done and the mean of squared gradients."""

    t: int
    v: Any


class RmspropWalkState(NamedTuple):
    """State of `rmsprop`, centred or with momentum: also the mean and the velocity."""

    t: int
    v: Any
    m: Any
    u: Any


class AdamState(NamedTuple):
    """State of the Adam family: steps done, means of g and of its square."""

    t: int
    m: Any
    v: Any


class AmsgradState(NamedTuple):
    """State of `adam` with `amsgrad`: as `AdamState`, and the largest v so far."""

    t: int
    m: Any
    v: Any
    top: Any


class AdadeltaState(NamedTuple):
    """State of `adadelta`: steps done, mean squares of gradients and of steps."""

    t: int
    v: Any
    u: Any


class NadamState(NamedTuple):
    """State of `nadam`: as `AdamState`, and the product of all mu."""

    t: int
    m: Any
    v: Any
    mu: float


class AdamaxState(NamedTuple):
    """State of `adamax`: steps done, the mean of g and its largest size, fading."""

    t: int
    m: Any
    u: Any


class RpropState(NamedTuple):
    """State of `rprop`: the gradient before, and how far each weight steps."""

    t: int
    grad: Any
    eta: Any


class AsgdState(NamedTuple):
    """State of `asgd`: the steps done and the average of the walk."""

    t: int
    x: Any


class LionState(NamedTuple):
    """State of `lion`: the steps done and the mean of g."""

    t: int
    m: Any


class ScheduleFreeState(NamedTuple):
    """State of `schedule_free_adamw`: the walk, its average, and what weighs it."""

    t: int
    z: Any
    x: Any
    v: Any
    total: float


class MuonState(NamedTuple):
    """State of `muon`: the steps done and the mean of g."""

    t: int
    m: Any


class BarzilaiBorweinState(NamedTuple):
    """State of `barzilai_borwein`: the point before, its gradient, the last rate."""

    t: int
    w: Any
    grad: Any
    eta: Any


class DogState(NamedTuple):
    """State of `dog`: where it started, the distance come, the root of the sum."""

    t: int
    start: Any
    far: Any
    total: Any


class ProdigyState(NamedTuple):
    """State of `prodigy`: as `AdamState`, and what estimates the distance d."""

    t: int
    m: Any
    v: Any
    start: Any
    s: Any
    r: Any
    d: Any


class HypergradientState(NamedTuple):
    """State of `hypergradient`: the gradient before, and the rate."""

    t: int
    grad: Any
    eta: Any


class ClipState(NamedTuple):
    """State of `clip`: the steps done and the state of what it wraps."""

    t: int
    inner: Any


class EmaState(NamedTuple):
    """State of `ema`: steps done, the average, the state of what it wraps."""

    t: int
    mean: Any
    inner: Any


Start = Callable[[check.Arrays, type[Any], Any], Any]


def start_at_zero(arrays: check.Arrays, state: type[Any], w: Any) -> Any:
    """Return the first state, in which every array is 0."""
    return state(0, *(arrays.zeros_like(w) for _ in state._fields[1:]))


class Parts(NamedTuple):
    """What both backends of a rule share: all but the formula."""

    doc: str | None
    signature: inspect.Signature
    state: type[Any]
    variants: dict[str, type[Any]]
    start: Start
    check: Callable[..., None] | None
    weights: Callable[[Any, Any], Any]
    per_network: bool
    squares: bool


class WrapperParts(NamedTuple):
    """What both backends of a wrapper share: all but the formula."""

    doc: str | None
    signature: inspect.Signature
    state: type[Any] | None
    check: Callable[..., None] | None
    weights: Callable[[Any, Any], Any] | None
    uses: tuple[str, ...]


class Rule(Protocol[P]):
    """A public rule: called with options, it makes an optimizer."""

    __name__: str
    formula: Callable[..., Any]
    parts: Parts | WrapperParts

    def __call__(self, *args: P.args, **options: P.kwargs) -> Optimizer:
        """Make an optimizer."""


class Rules:
    """The two decorators, for the arrays of one backend.

    ``plan(name, formula, options)`` returns the form of an elementwise rule for a plan,
    which steps in `w` and `s` themselves and may use up `g`, or None. Steps run
    within ``context()``, and ``clock(t)`` is the count as a formula takes it.
    """

    def __init__(
        self,
        arrays: check.Arrays,
        plan: Callable[[str, Any, dict[str, Any]], Any] = lambda *_: None,
        context: Callable[[], AbstractContextManager[Any]] = nullcontext,
        clock: Callable[[int], Any] = lambda t: t,
    ) -> None:
        self._arrays, self._plan = arrays, plan
        self._context, self._clock = context, clock

    def rule(
        self,
        state: type[Any],
        *,
        start: Start = start_at_zero,
        check: Callable[..., None] | None = None,
        weights: Callable[[Any, Any], Any] = identity_weights,
        per_network: bool = False,
        squares: bool = False,
        **variants: type[Any],
    ) -> Callable[[Callable[Concatenate[Any, Any, int, Any, P], Any]], Rule[P]]:
        """Make a rule of its formula.

        Parameters
        ----------
        state : type
            What the rule keeps, a NamedTuple whose first field is the count `t`.
        start : function
            ``start(arrays, state, w)`` returns the first state.
        check : function
            Raises unless the options, each of which is in its range, fit together.
        weights : function
            ``weights(w, state)`` returns the weights to predict with.
        per_network : bool
            Whether it keeps one number for each network, for which `w` needs an axis.
        squares : bool
            Whether it squares gradients, and so takes none whose squares overflow.
        **variants : type
            What it keeps instead if the option of this name is neither 0 nor False.
        """

        def decorate(formula: Any) -> Any:
            signature = public_part(formula)
            shared = (state, variants, start, check, weights, per_network, squares)
            return self._make(formula, Parts(formula.__doc__, signature, *shared))

        return decorate

    def wrapper(
        self,
        state: type[Any] | None = None,
        *,
        check: Callable[..., None] | None = None,
        weights: Callable[[Any, Any], Any] | None = None,
        uses: tuple[str, ...] = ("grad",),
    ) -> Callable[[Callable[Concatenate[Any, Any, Any, P], Any]], Rule[P]]:
        """Make a wrapper of another optimizer of its formula.

        The formula takes the weights `w`, the gradient `g` and the state `s`, and lets
        the option `optimizer` step.

        Parameters
        ----------
        state : type, optional
            What it keeps: the count `t`, copies of the weights, and last the state
            `inner` of the optimizer. By default it has no state but the optimizer's.
        check : function
            As of a rule.
        weights : function
            ``weights(w, state)`` returns the weights to predict with; by default those
            of the optimizer.
        uses : tuple
            What its formula computes with, `w` and `grad`, and must be checked.
        """

        def decorate(formula: Any) -> Any:
            shared = (public_part(formula), state, check, weights, uses)
            return self._make_wrapper(formula, WrapperParts(formula.__doc__, *shared))

        return decorate

    def twin(self, reference: Rule[P]) -> Callable[[Callable[..., Any]], Rule[P]]:
        """Make the twin of a rule of its formula; all else is the reference's."""

        def decorate(formula: Any) -> Any:
            doc = torch_docstring(reference.__doc__, IN_PLACE)
            parts = reference.parts._replace(doc=doc)
            if isinstance(parts, WrapperParts):
                return self._make_wrapper(formula, parts)
            return self._make(formula, parts)

        return decorate

    def _make(self, formula: Any, parts: Parts) -> Any:
        name, arrays, where = formula.__name__, self._arrays, f"{formula.__name__}.step"
        spec.option_checks(parts.signature)  # every type must name its range
        unbounded = spec.unbounded_options(parts.signature)

        def make(*args: Any, **kwargs: Any) -> Optimizer:
            options = check_options(name, parts, args, kwargs)
            kinds = [kind for key, kind in parts.variants.items() if options[key]]
            kind = kinds[0] if kinds else parts.state
            limits = {key: options[key] for key in unbounded}
            lr = options.pop("lr")
            rate = as_rate(arrays, where, lr)
            bound = functools.partial(formula, **options)

            def init(w: Any) -> Any:
                arrays.validate_weights(
                    f"{name}.init", w, axis=parts.per_network, **limits
                )
                if "net" in options:
                    check.shapes(f"{name}.init", w=(w, f"... {options['net'].size}"))
                return parts.start(arrays, kind, arrays.native(w))

            def step(w: Any, grad: Any, state: Any) -> Any:
                uses = parts.squares, parts.per_network
                arrays.validate_step(where, w, grad, state, kind, *uses)
                w, grad = arrays.native(w), arrays.native(grad)
                return run(bound, w, grad, state)

            def run(f: Any, w: Any, grad: Any, state: Any) -> Any:
                count = state.t + 1
                t = self._clock(count)
                with self._context():
                    eta = find_rate(where, rate, t, w)
                    w, state = f(w, grad, t, state, lr=eta)
                return w, state if t is count else state._replace(t=count)

            def plan() -> Any:
                in_place = self._plan(name, formula, options)

                def step_in_place(w: Any, grad: Any, state: Any) -> Any:
                    return run(in_place, w, grad, state)

                return name_step(step_in_place, where) if in_place else step

            name_step(step, where)
            optimizer = Optimizer(init, step, parts.weights, lr)
            if not parts.per_network:
                optimizer._plan = plan
            if parts.squares:
                optimizer._admit = functools.partial(arrays.finite_squares, where)
            optimizer.is_capturable = name not in BY_COUNT and is_pure(lr)
            return optimizer

        return publish(make, formula, parts)

    def _make_wrapper(self, formula: Any, parts: WrapperParts) -> Any:
        name, arrays, where = formula.__name__, self._arrays, f"{formula.__name__}.step"
        kind = parts.state
        unbounded = spec.unbounded_options(parts.signature)

        def make(*args: Any, **kwargs: Any) -> Optimizer:
            options = check_options(name, parts, args, kwargs)
            inner: Optimizer = options["optimizer"]
            limits = {key: options[key] for key in unbounded}
            has_norm = options.get("norm") is not None

            def init(w: Any) -> Any:
                if kind is None:
                    return inner.init(w)
                arrays.validate_weights(f"{name}.init", w, axis=has_norm, **limits)
                w = arrays.native(w)
                copies = (arrays.copy(w) for _ in kind._fields[1:-1])
                return kind(0, *copies, inner.init(w))

            def step(w: Any, grad: Any, state: Any) -> Any:
                if kind is not None:
                    check.state(where, state, kind)
                if "w" in parts.uses:
                    arrays.same_shape(where, w=w, grad=grad)
                    arrays.finite(where, "w", w)
                if "grad" in parts.uses:
                    arrays.float_array(where, "grad", grad)
                with self._context():
                    return formula(w, grad, state, **options)

            def weights(w: Any, state: Any) -> Any:
                return inner.weights(w, state if kind is None else state.inner)

            def admit(grad: Any, state: Any) -> None:
                inner.admit(grad, state if kind is None else state.inner)

            name_step(step, where)
            optimizer = Optimizer(init, step, parts.weights or weights, inner.lr)
            if "norm" not in options:  # what is clipped is not too large any more
                optimizer._admit = admit
            optimizer.is_capturable = name not in BY_COUNT and inner.is_capturable
            return optimizer

        return publish(make, formula, parts)


def name_step(step: Any, name: str) -> Any:
    """Let an error know a step by its rule, and a compiler from all other steps.

    Of what has one name, a compiler keeps eight graphs, and takes for a variable what
    differs from one to the next.
    """
    step.__qualname__ = name
    step.__code__ = step.__code__.replace(co_name=f"{name} {next(_names)}")
    return step


def publish(make: Any, formula: Any, parts: Any) -> Any:
    """Return `make` as the public function whose formula this is."""
    functools.update_wrapper(make, formula)
    make.__doc__, make.__signature__ = parts.doc, parts.signature
    made: Any = remember_call(make)
    made.formula, made.parts = formula, parts
    return made


def check_options(name: str, parts: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return all options by name, each in its range and all fit together."""
    options = _bind(name, parts.signature, args, kwargs)
    checks = spec.option_checks(parts.signature)
    options = {key: checks[key](name, key, x) for key, x in options.items()}
    if parts.check is not None:
        parts.check(**options)
    return options


def public_part(formula: Callable[..., Any]) -> inspect.Signature:
    """Return the part of a signature that follows its ``/``."""
    parameters = inspect.signature(formula).parameters.values()
    shown = [p for p in parameters if p.kind is not p.POSITIONAL_ONLY]
    return inspect.Signature(shown, return_annotation=Optimizer)


def _bind(
    name: str, signature: inspect.Signature, args: Any, kwargs: Any
) -> dict[str, Any]:
    """Return all options by name, those by default among them."""
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}() {error}") from None
    bound.apply_defaults()
    return bound.arguments


# Their formulas compute with the count itself.
BY_COUNT = ("asgd", "ema")


def is_pure(lr: Any) -> bool:
    """Tell whether a rate, or a schedule of ours, hangs on nothing but the step."""
    if not callable(lr):
        return True
    call = lr.call if isinstance(lr, Made) else None
    if call is None or call.name == "plateau":
        return False
    parts = itertools.chain.from_iterable(
        option if isinstance(option, list | tuple) else [option]
        for option in call.options.values()
    )
    return all(map(is_pure, parts))


def as_rate(arrays: check.Arrays, where: str, lr: Rate) -> Any:
    """Return a float as it is, a schedule as a function of the step, from 1 on.

    Rates of many networks are a function of the weights: they are brought to their
    dtype and device once.
    """
    if isinstance(lr, float):
        return lr
    if callable(lr):
        return of_time(lambda t: check.number(where, "lr", lr(t - 1), low=0))
    return RateArray(arrays, where, lr)


class RateArray:
    """A rate for each of many networks."""

    def __init__(self, arrays: check.Arrays, where: str, lr: Any) -> None:
        self._arrays, self._where, self._lr = arrays, where, lr
        self._moved: dict[Any, Any] = {}

    def like(self, w: Any) -> Any:
        """Return the rates in the dtype and on the device of `w`."""
        key = w.dtype, str(getattr(w, "device", "")), w.shape[:-1]
        if key not in self._moved:
            self._arrays.validate_lr_array(self._where, self._lr, w)
            self._moved[key] = self._arrays.like(self._lr, w)
        return self._moved[key]


def find_rate(where: str, lr: Any, t: int, w: Any) -> Any:
    """Return the rate of step t, in the precision of `w`."""
    if isinstance(lr, float):
        return lr
    if isinstance(lr, RateArray):
        return lr.like(w)
    rate = lr(t)
    if isinstance(rate, float) and rate > 1:  # a small one may vanish
        check.representable(where, check.dtype_name(w), lr=rate)
    return rate


def check_momentum(
    *, momentum: float, dampening: float, nesterov: bool, **_: Any
) -> None:
    """Raise unless what `sgd` does with momentum has one."""
    if nesterov and (momentum == 0 or dampening):
        raise ValueError("sgd: `nesterov` needs `momentum` above 0 and no `dampening`.")
    if dampening and momentum == 0:
        raise ValueError("sgd: `dampening` needs `momentum` above 0.")


def check_one_limit(*, norm: float | None, value: float | None, **_: Any) -> None:
    """Raise unless `clip` has one limit."""
    check.exactly_one_of("clip", norm=norm, value=value)


def check_steps(*, smallest: float, largest: float, **_: Any) -> None:
    """Raise unless the shortest step of `rprop` is no longer than its longest."""
    if smallest > largest:
        raise ValueError(
            f"rprop: `smallest` must be `largest` or less, got {smallest:g} and "
            f"{largest:g}."
        )


def start_asgd(arrays: check.Arrays, state: type[Any], w: Any) -> Any:
    """Return the first state of `asgd`: the average of one place is that place."""
    return state(0, arrays.copy(w))


def start_nadam(arrays: check.Arrays, state: type[Any], w: Any) -> Any:
    """Return the first state of `nadam`: the product of no mu is 1."""
    return state(0, arrays.zeros_like(w), arrays.zeros_like(w), 1.0)


def start_schedule_free(arrays: check.Arrays, state: type[Any], w: Any) -> Any:
    """Return the first state of `schedule_free_adamw`: the walk starts at its mean."""
    return state(0, arrays.copy(w), arrays.copy(w), arrays.zeros_like(w), 0.0)


def get_average(_w: Any, state: ScheduleFreeState | AsgdState) -> Any:
    """Return the average of the walk, which is what to predict with."""
    return state.x


def get_mean(_w: Any, state: EmaState) -> Any:
    """Return the average of the walk, which is what to predict with."""
    return state.mean


def start_barzilai_borwein(arrays: check.Arrays, state: type[Any], w: Any) -> Any:
    """Return the first state of `barzilai_borwein`: no rate, and no gradient yet."""
    zeros = arrays.zeros_like(w)
    return state(0, arrays.copy(w), zeros, arrays.copy(zeros[..., :1]))


def start_dog(arrays: check.Arrays, state: type[Any], w: Any) -> Any:
    """Return the first state of `dog`, with a distance that the first step needs."""
    far = 1e-6 * (1 + arrays.norm(w))
    return state(0, arrays.copy(w), far, arrays.zeros_like(far))


def start_prodigy(arrays: check.Arrays, state: type[Any], w: Any) -> Any:
    """Return the first state of `prodigy`, with a distance that cannot be too large."""
    m, v, s = (arrays.zeros_like(w) for _ in range(3))
    one = arrays.zeros_like(w[..., :1])
    return state(0, m, v, arrays.copy(w), s, one, one + 1e-6)


def start_hypergradient(arrays: check.Arrays, state: type[Any], w: Any) -> Any:
    """Return the first state of `hypergradient`: no rate, and no gradient yet."""
    return state(0, arrays.zeros_like(w), arrays.zeros_like(w[..., :1]))


def layers(net: Any) -> list[tuple[slice, tuple[int, int]]]:
    """Return where each layer is in the weights: a matrix, and the bias below it."""
    parts, start = [], 0
    for d, k in itertools.pairwise(net.sizes):
        stop = start + (d + 1) * k
        parts.append((slice(start, stop), (d + 1, k)))
        start = stop
    return parts


def orthogonalize(x: Any, shape: tuple[int, int]) -> Any:
    """Bring all singular values of a layer, which are at most 1, near 1.

    Five steps of Newton and Schulz, whose polynomial brings small ones up quickly. One
    that is wider than tall is made longer, as a step is for it.
    """
    rows, columns = shape
    matrix = x.reshape(*x.shape[:-1], rows, columns)
    matrix = matrix.mT if rows > columns else matrix
    for _ in range(5):
        square = matrix @ matrix.mT
        push = -4.7750 * square + 2.0315 * (square @ square)
        matrix = 3.4445 * matrix + push @ matrix
    matrix = matrix.mT if rows > columns else matrix
    return matrix.reshape(x.shape) * max(1.0, columns / rows) ** 0.5


# What keeps 0 / 0 from being nan where every gradient was 0.
TINY = 1e-30


def sqrt(x: Any) -> Any:
    """Return the root of a number, or of what stands for one."""
    return math.sqrt(x) if isinstance(x, float) else x.sqrt()


# Functions of the step by name, for as long as they live: see `of_time`.
NUMBERS = weakref.WeakValueDictionary[str, Callable[..., float]]()
_names = itertools.count()


class Clock:
    """The count of the steps in a compiled step: numbers that hang on it have names."""

    def __init__(self, t: int, find: Callable[[str, list[float], int], Any]) -> None:
        self.t, self.find = t, find

    def __rpow__(self, base: float) -> Any:
        return power(base, self)

    def __gt__(self, other: float) -> bool:
        return self.t > other

    def __add__(self, other: int) -> "Clock":
        return Clock(self.t + other, self.find)

    def __int__(self) -> int:
        return self.t


def of_time(f: Callable[..., Any]) -> Callable[..., Any]:
    """Let a compiled step find a number by name that hangs on t, its last argument."""
    name = f"{f.__name__} {next(_names)}"
    NUMBERS[name] = f

    @functools.wraps(f)
    def find(*given: Any) -> Any:
        *numbers, t = given
        if not isinstance(t, Clock):
            return f(*given)
        if all(isinstance(x, float) for x in numbers):
            return t.find(name, numbers, t.t)
        return f(*numbers, t.t)

    return find


@of_time
def power(base: float, t: int) -> float:
    """Return a number to the power of t."""
    return float(base**t)


@of_time
def count(t: int) -> Any:
    """Return the count as a number."""
    return float(t)


@of_time
def trust(beta2: float, t: int) -> Any:
    """RAdam's factor r in step t, once v can be trusted."""
    most = 2 / (1 - beta2) - 1
    rho = most - 2 * t * beta2**t / (1 - beta2**t)
    return sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))


@of_time
def root(beta2: float, t: int) -> Any:
    """Return the square root of what Adam divides v by in step t."""
    return sqrt(1 - beta2**t)


@functools.cache
def wait(beta2: float) -> float:
    """Return how many steps RAdam does until v can be trusted: rho is above 5."""
    most = 2 / (1 - beta2) - 1
    if most <= 5:
        return math.inf
    t = 1
    while most - 2 * t * beta2**t / (1 - beta2**t) <= 5:
        t += 1
    return t - 1


@of_time
def look_ahead(beta1: float, t: int) -> Any:
    """NAdam's mu in step t."""
    return beta1 * (1 - 0.5 * 0.96 ** (0.004 * t))


@of_time
def fall(lr: Any, weight_decay: float, power: float, t: int) -> Any:
    """ASGD's rate in step t."""
    return lr / (1 + weight_decay * lr * (t - 1)) ** power


@of_time
def weigh(lr: Any, _: int) -> Any:
    """Return what a step weighs in an average: the square of its rate.

    An array of rates does not change, so all steps weigh the same.
    """
    return 1.0 if getattr(lr, "ndim", 0) else lr * lr


def share(lr: Any, total: Any, t: int) -> tuple[Any, Any]:
    """Return the share of step t in the average, and the sum of all weights in it."""
    weight = weigh(lr, t)
    total = total + weight
    return weight / (total + (total == 0)), total  # rates of 0 have no share
