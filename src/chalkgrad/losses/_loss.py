"""What a loss does besides its formula.

A loss is written as on the slide: of predictions and the truth, the loss of each
example. `reduction`, `weights` and `class_weights` stand in its signature for the
reader, and are what is done with the losses of all examples, once for every loss.

A loss carries its gradient, and what else makes it quick or exact: networks, plans and
autodiff ask the loss, and know none by name.
"""

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from chalkgrad._core import check
from chalkgrad._core.formula import FormulaFunction
from chalkgrad._core.spec import unbounded_options

__all__ = ["Gradient", "Loss", "as_loss", "lift", "own_loss"]

Formula = Callable[..., Any]
REDUCTIONS = ("mean", "sum", "none")


class Kind(NamedTuple):
    """What a loss compares."""

    check: Callable[[check.Arrays, str, Any, Any, dict[str, Any]], tuple[Any, Any]]
    """Returns both arrays, checked."""
    weigh: Callable[[Any, Any], tuple[Any, Any]] | None = None
    """Of labels and weights of classes: the labels, and what each example counts."""
    is_difference: bool = False
    """Whether the loss is one of the difference, so that both arrays have a slope."""
    per_row: bool = False
    """Whether there is one loss a row, rather than one a number."""


def _check_numbers(
    arrays: check.Arrays, where: str, p: Any, t: Any, _: Any
) -> tuple[Any, Any]:
    return arrays.matched_pair(where, predictions=p, targets=t)


def _check_signs(
    arrays: check.Arrays, where: str, s: Any, t: Any, _: Any
) -> tuple[Any, Any]:
    s, t = arrays.sign_targets(where, scores=s, targets=t)
    return s, arrays.detach(t)


def _check_labels(
    arrays: check.Arrays, where: str, z: Any, y: Any, _: Any
) -> tuple[Any, Any]:
    z, y = arrays.matched_pair(where, integers=True, logits=z, labels=y)
    wanted = "every label must be from 0 to 1"
    check.values(where, "labels", y, (y >= 0) & (y <= 1), wanted)
    return z, y


def _check_classes(
    arrays: check.Arrays, where: str, z: Any, y: Any, options: dict[str, Any]
) -> tuple[Any, Any]:
    z = arrays.float_array(where, "logits", z, finite=False)
    y = arrays.class_ids(where, z, y)
    arrays.same_device(where, logits=z, labels=y)
    check.shapes(where, logits=(z, "... n c"), labels=(y, "... n"))
    classes = z.shape[-1]
    wanted = f"class ids go from 0 to {classes - 1}, for `logits` has {classes} classes"
    good = (y >= 0) & (y < classes)
    check.values(where, "labels", y, good, wanted, IndexError)
    wanted = "every logit must be finite, or -inf for a class that is masked out"
    check.values(where, "logits", z, z < math.inf, wanted)
    if options["label_smoothing"] > 0:
        arrays.finite(where, "logits", z)
    wanted = "the class that a label names must not be masked out"
    named = arrays.pick(z, y)
    check.values(where, "logits", named, named > -math.inf, wanted)
    return z, y


def _weigh_labels(y: Any, class_weights: Any) -> tuple[Any, Any]:
    """A label of 0.7 is 0.7 of a yes and 0.3 of a no."""
    no, yes = class_weights[0] * (1 - y), class_weights[1] * y
    counts = no + yes
    return yes / (counts + (counts == 0)), counts


NUMBERS = Kind(_check_numbers, is_difference=True)
SIGNS = Kind(_check_signs)
LABELS = Kind(_check_labels, _weigh_labels)
CLASSES = Kind(_check_classes, lambda y, weights: (y, weights[y]), per_row=True)


class Weighed(FormulaFunction):
    """What a loss and its gradient do alike: weigh the examples, and reduce."""

    kind: Kind | None

    def _take(
        self, args: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[Any, Any, dict[str, Any], str, Any]:
        """Return both arrays, the options of the formula, and the reduction.

        The last is what each example counts; None if each counts 1.
        """
        (first, second), given = self._bind(args, options)
        where, arrays = self.__name__, self.arrays
        reduction, weights = given["reduction"], given["weights"]
        class_weights = given.get("class_weights")
        check.choice(where, "reduction", reduction, REDUCTIONS)
        options = {name: given[name] for name in self._formula_options}
        if self.kind is None:
            first = arrays.float_array(where, "the outputs", first, finite=False)
            arrays.own_nonempty(where, "the truth", second)
        else:
            first, second = self.kind.check(arrays, where, first, second, options)
        if self._unbounded:
            limits = {name: options[name] for name in self._unbounded}
            check.representable(where, check.dtype_name(first), **limits)
        counts = None
        if class_weights is not None and self.kind and self.kind.weigh:
            classes = first.shape[-1] if self.kind.per_row else 2
            wanted = f"one number for each of the {classes} classes"
            weighed = class_weights, wanted, (classes,)
            given = self._check_weights("class_weights", first, *weighed)
            second, counts = self.kind.weigh(second, given)
        if weights is not None:
            axes = len(first.shape)
            if self.kind is None or self.kind.per_row:
                axes = max(1, axes - 1)
            axes = min(axes, max(1, len(getattr(weights, "shape", ()))))
            shape = tuple(first.shape)[:axes]
            weighed = weights, "one number for each example", shape
            given = self._check_weights("weights", first, *weighed)
            counts = given if counts is None else lift(given, counts) * counts
        return first, second, options, reduction, counts

    def _take_signature(self, signature: inspect.Signature) -> None:
        super()._take_signature(signature)
        reducing = ("reduction", "weights", "class_weights")
        self._formula_options = [n for n in self._defaults if n not in reducing]
        self._unbounded = unbounded_options(self.__signature__)

    def _check_weights(
        self, name: str, like: Any, given: Any, wanted: str, shape: tuple[int, ...]
    ) -> Any:
        where, arrays = self.__name__, self.arrays
        beside = {next(iter(self.__signature__.parameters)): like, name: given}
        arrays.own_nonempty(where, name, given)
        if check.dtype_name(given) not in check.INTEGERS:
            _, given = arrays.float_arrays(where, **beside)
            arrays.finite(where, name, given)
        arrays.same_device(where, **beside)
        if tuple(given.shape) != shape:
            raise check.ShapeError(
                f"{where}: `{name}` must be {wanted}, shape {shape}, got "
                f"{tuple(given.shape)}."
            )
        check.values(where, name, given, given >= 0, "every weight must be 0 or more")
        return arrays.like(arrays.detach(given), like)

    def _scale(
        self, slopes: Any, counts: Any, reduction: str, shape: tuple[int, ...]
    ) -> Any:
        """Return what becomes of the slopes of single losses, which have a shape."""
        if counts is not None:
            slopes = slopes * lift(counts, slopes)
        return slopes / self._total(counts, shape) if reduction == "mean" else slopes

    def _total(self, counts: Any, shape: tuple[int, ...], lead: int = 0) -> Any:
        """Return what the mean divides by: what all examples count together.

        Of many networks, which the `lead` first axes count, each has its own.
        """
        if counts is None:
            return math.prod(shape[lead:])
        repeated = math.prod(shape) // math.prod(counts.shape)
        found = counts.sum(tuple(range(lead, len(counts.shape)))) * repeated
        if not bool((found > 0).all()):
            raise ValueError(
                f"{self.__name__}: the mean divides by the sum of the weights, which "
                "is 0; let one example count at least."
            )
        return found


class Gradient(Weighed):
    """The gradient of a loss with respect to its first argument."""

    def __init__(self, formula: Formula, loss: "Loss", reference: Any = None) -> None:
        super().__init__(formula, reference)
        if reference is None:
            self._take_signature(loss.__signature__)
        self.kind: Kind | None = loss.kind
        self._loss = loss
        self._fraction: Formula | None = None
        self._curvature: Formula = lambda h, *_, **__: h * 0
        self._function = self._run

    def fraction(self, formula: Formula) -> None:
        """Take the formula ``f(first, second, n)`` of an n-th of the gradient.

        It is asked where the gradient overflows, for an n-th of it may not.
        """
        self._fraction = formula

    def curvature(self, formula: Formula) -> None:
        """Take the formula ``f(h, first, second)`` of the second derivatives, times h.

        Without, they are 0.
        """
        self._curvature = formula

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        first, second, options, reduction, counts = self._take(args, kwargs)
        slopes = self.slopes(first, second, options)
        shape = self._loss_shape(first, second, options)
        found = self._scale(slopes, counts, reduction, shape)
        if self._fraction is None or self.arrays.is_finite(found):
            return found
        n = self._total(counts, shape) if reduction == "mean" else 1
        if counts is not None:
            n = n / lift(counts, slopes)
        return self._fraction(first, second, n, **options)

    def slopes(self, first: Any, second: Any, options: dict[str, Any]) -> Any:
        """Return the slopes of the single losses."""
        if self.kind is not None:
            return self.formula(first, second, **options)
        slopes = call_own(self, first, second, options)
        where, wanted = self.__name__, tuple(first.shape)
        if tuple(slopes.shape) != wanted:
            raise check.ShapeError(
                f"{where}: must return a slope for each output, shape {wanted}, got "
                f"shape {tuple(slopes.shape)}."
            )
        return slopes

    def _loss_shape(
        self, first: Any, second: Any, options: dict[str, Any]
    ) -> tuple[int, ...]:
        if self.kind is None:  # there may be one loss a row, or one a number
            return tuple(self._loss.each(first, second, options).shape)
        return tuple(first.shape)[:-1] if self.kind.per_row else tuple(first.shape)

    def bend(self, h: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the second derivatives, times h."""
        first, second, options, reduction, counts = self._take(args, kwargs)
        bent = self._curvature(h, first, second, **options)
        shape = self._loss_shape(first, second, options)
        return self._scale(bent, counts, reduction, shape)


class Loss(Weighed):
    """A loss: it compares outputs with the truth, example by example.

    ``f(outputs, truth)`` is the mean, and ``f.grad(outputs, truth)`` its gradient with
    respect to the outputs, if the loss was given one by ``@f.gradient``.
    """

    gradient_type: ClassVar[type[Gradient]]
    vjp: ClassVar[Callable[..., Any]]

    kind: Kind | None = None
    grad: Gradient | None = None
    planned: Any = None
    """What makes its form for plans, of an array of outputs."""

    def __init__(
        self, formula: Formula, kind: Kind | None, reference: Any = None
    ) -> None:
        super().__init__(formula, reference)
        self.kind, self._reference = kind, reference
        self._fraction: Formula | None = None
        self._both: Formula | None = None
        self._given: dict[str, Any] = {}
        self._function = self._run

    @property
    def compares_numbers(self) -> bool:
        """Whether it is a loss of the difference of two numbers."""
        return self.kind is not None and self.kind.is_difference

    def gradient(self, formula: Formula) -> Gradient:
        """Take the gradient: the slopes of each example's loss, for each output."""
        reference = self._reference.grad if self._reference else None
        self.grad = self.gradient_type(formula, self, reference)
        return self.grad

    def fraction(self, formula: Formula) -> None:
        """Take the formula ``f(first, second, n)`` of an n-th of the loss.

        It is asked where the loss overflows, for an n-th of it may not.
        """
        self._fraction = formula

    def value_and_gradient(self, formula: Formula) -> None:
        """Take a formula of both, where that is quicker than one after the other."""
        self._both = formula

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        first, second, options, reduction, counts = self._take(args, kwargs)
        each = self.each(first, second, options)
        return self._reduce(each, first, second, options, reduction, counts)

    def _reduce(
        self,
        each: Any,
        first: Any,
        second: Any,
        options: dict[str, Any],
        reduction: str,
        counts: Any,
    ) -> Any:
        out = each if counts is None else each * lift(counts, each)
        divisor = 1 if reduction != "mean" else self._total(counts, tuple(each.shape))
        if reduction == "mean" and counts is None:
            out = out.mean()
        elif reduction != "none":
            out = out.sum() / divisor
        if self.arrays.is_finite(out):
            return out
        n = divisor if counts is None else divisor / lift(counts, each)
        if self._fraction is None:
            parts = each / n
        else:
            parts = self.each_fraction(first, second, n, options)
        return parts if reduction == "none" else parts.sum()

    def each(self, first: Any, second: Any, options: dict[str, Any]) -> Any:
        """Return the losses of the single examples."""
        if self.kind is not None:
            return self.formula(first, second, **options)
        each = call_own(self, first, second, options)
        where, shape, outputs = self.__name__, tuple(each.shape), tuple(first.shape)
        if shape not in (outputs, outputs[:-1]):
            wanted = " or ".join(map(str, dict.fromkeys([outputs[:-1], outputs])))
            advice = "" if shape else ", one number; leave out the mean, which is taken"
            raise check.ShapeError(
                f"{where}: must return the loss of each example, shape {wanted}, got "
                f"shape {shape}{advice}."
            )
        return each

    def each_fraction(
        self, first: Any, second: Any, n: Any, options: dict[str, Any]
    ) -> Any:
        """Return an n-th of the losses of the single examples."""
        assert self._fraction is not None
        return self._fraction(first, second, n, **options)

    def each_and_slopes(
        self, first: Any, second: Any, options: dict[str, Any]
    ) -> tuple[Any, Any]:
        """Return the losses of the single examples, and their slopes."""
        if self._both is not None:
            each, slopes = self._both(first, second, **options)
            return each, slopes
        if self.grad is not None:
            each = self.each(first, second, options)
            return each, self.grad.slopes(first, second, options)
        each, pull_back = self.vjp(lambda z: self.each(z, second, options), first)
        return each, pull_back(self.arrays.zeros_like(each) + 1)

    def value_and_grad(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Return what the loss returns, and what its gradient does."""
        first, second, options, reduction, counts = self._take(args, kwargs)
        each, slopes = self.each_and_slopes(first, second, options)
        value = self._reduce(each, first, second, options, reduction, counts)
        return value, self._scale(slopes, counts, reduction, tuple(each.shape))

    def mean_and_grad(
        self, outputs: Any, truth: Any, weights: Any = None, *, lead: int = 0
    ) -> tuple[Any, Any]:
        """Return the mean loss, and its gradient with respect to the outputs.

        Of many networks, which the `lead` first axes count, each has its own.
        """
        given = {} if weights is None else {"weights": weights}
        first, second, options, _, counts = self._take((outputs, truth), given)
        each, slopes = self.each_and_slopes(first, second, options)
        divisor = self._total(counts, tuple(each.shape), lead)
        axes = tuple(range(lead, len(each.shape)))
        if counts is None:
            value, grad = each.mean(axes), slopes / divisor
        else:
            each, slopes = each * lift(counts, each), slopes * lift(counts, slopes)
            value, grad = each.sum(axes) / divisor, slopes / lift(divisor, slopes)
            divisor = lift(divisor, each)
        if not self.arrays.is_finite(value):  # a sum may overflow, and a mean may not
            value = (each / divisor).sum(axes)
        return value, grad

    def with_options(self, options: dict[str, Any]) -> "Loss":
        """Return the loss with some of its options given."""
        self._bind((0, 0), options)
        given = object.__new__(type(self))
        given.__dict__ |= self.__dict__
        given._given = self._given | options
        given._defaults = self._defaults | options
        given._function = given._run
        if options:
            given.planned = type(self).planned
        return given

    @property
    def unweighted_options(self) -> dict[str, Any] | None:
        """Return the options of the formula; None if examples have weights."""
        weighs = (self._defaults.get(name) for name in ("weights", "class_weights"))
        if any(given is not None for given in weighs):
            return None
        return {name: self._defaults[name] for name in self._formula_options}


def call_own(f: Weighed, first: Any, second: Any, options: dict[str, Any]) -> Any:
    """Return what a formula of a reader's own returns, if it is an array of floats."""
    where = f.__name__
    try:
        found = f.formula(first, second, **options)
    except Exception as error:
        error.add_note(
            f"{where} was called with outputs of shape {tuple(first.shape)} and the "
            f"truth of shape {tuple(second.shape)}."
        )
        raise
    kind = f.arrays.type_name_if_foreign(found)
    if not kind and check.dtype_name(found) not in check.FLOATS:
        kind = f"an array of {check.dtype_name(found)}"
    if kind:
        raise TypeError(
            f"{where}: must return an array of floats of this backend, one for each "
            f"example, got {kind}."
        )
    wanted = "every number that it returns must be one"
    check.values(where, "what it returns", found, found == found, wanted)
    dtype = check.dtype_name(first)
    return found if check.dtype_name(found) == dtype else f.arrays.cast(found, dtype)


def lift(counts: Any, like: Any) -> Any:
    """Give an array the axes of `like` that it lacks behind its own, of size 1."""
    lacking = len(like.shape) - len(counts.shape)
    return counts.reshape(tuple(counts.shape) + (1,) * lacking)


def as_loss(where: str, loss: Any, like: Loss) -> Loss:
    """Return the loss that `where` was given as `loss`, of the backend of `like`."""
    return own_loss(type(like), loss, f"{where}: `loss`")


def own_loss(
    make: type[Loss], function: Any, argument: str = "loss: `function`"
) -> Loss:
    """Return a loss of a function of a reader's own; a loss stays what it is."""
    if isinstance(function, functools.partial) and isinstance(function.func, Loss):
        inner = own_loss(make, function.func, argument)
        return inner.with_options(function.keywords)
    if isinstance(function, make):
        return function
    name = getattr(function, "__name__", type(function).__name__)
    wanted = (
        f"{argument} must take outputs and the truth, two arrays, as cg.losses.mse "
        "does, and return the loss of each example"
    )
    if isinstance(function, Loss | Gradient):
        what = "of the other backend" if isinstance(function, Loss) else "a gradient"
        raise TypeError(f"{wanted}; {name} is {what}.")
    if not callable(function) or getattr(function, "nin", 2) != 2:  # of a ufunc
        raise TypeError(f"{wanted}; got {name}.")
    try:
        signature = inspect.signature(function)
    except ValueError:  # of some functions that are not written in Python
        raise TypeError(f"{wanted}; got {name}.") from None
    try:
        signature.bind(0, 0)
    except TypeError:
        plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        told = f"{name}{inspect.Signature(plain)}"
        raise TypeError(f"{wanted}; got {told}.") from None
    return make(_OwnFormula(function, name, signature), None)


class _OwnFormula:
    """A function of a reader's own, as one of two arrays and of options by keyword."""

    def __init__(
        self, function: Callable[..., Any], name: str, signature: inspect.Signature
    ) -> None:
        functools.update_wrapper(self, function)
        self._function, self.__name__ = function, name
        parameters = list(signature.parameters.values())
        variadic = [p for p in parameters if p.kind is p.VAR_POSITIONAL]
        if variadic or len(parameters) < 2:
            parameters = list(_TWO_ARRAYS.parameters.values())
        arrays = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in parameters[:2]]
        options = [
            p.replace(kind=p.KEYWORD_ONLY)
            for p in parameters[2:]
            if p.kind is not p.VAR_KEYWORD and p.name not in ("reduction", "weights")
        ]
        # One that reduces is asked not to.
        self._more = (
            {"reduction": "none"} if "reduction" in signature.parameters else {}
        )
        self.__signature__ = inspect.Signature([*arrays, *options, *_REDUCING])

    def __call__(self, first: Any, second: Any, **options: Any) -> Any:
        return self._function(first, second, **options, **self._more)


def _two_arrays(outputs: Any, truth: Any) -> None:
    """Stand for a function that takes any number of arguments."""


_TWO_ARRAYS = inspect.signature(_two_arrays)
_REDUCING = [
    inspect.Parameter("reduction", inspect.Parameter.KEYWORD_ONLY, default="mean"),
    inspect.Parameter("weights", inspect.Parameter.KEYWORD_ONLY, default=None),
]
