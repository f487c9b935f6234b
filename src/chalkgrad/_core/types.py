"""The few types that both halves share."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

Reduction: TypeAlias = Literal["mean", "sum", "none"]
Schedule: TypeAlias = Callable[[int], float]
Rate: TypeAlias = Any  # a float, an array of rates, or a Schedule


def walked(w: Any, _state: Any) -> Any:
    """Return the weights that the walk has reached."""
    return w


class Optimizer(NamedTuple):
    """A rule for stepping, as functions.

    ``init(w)`` gives the state before the first step. ``step(w, grad, state)`` gives
    the new weights and the new state; it may consume what it was given, so rebind:
    ``w, state = opt.step(w, grad, state)``. ``weights(w, state)`` are those to predict
    with: mostly `w` itself, for some an average. ``lr`` is the rate as it was given.
    """

    init: Callable[[Any], Any]
    step: Callable[[Any, Any, Any], tuple[Any, Any]]
    weights: Callable[[Any, Any], Any] = walked
    lr: Rate = None

    @property
    def in_place(self) -> "Optimizer":
        """The same rule for a plan: it may step in `w` itself and use up `grad`."""
        return _IN_PLACE.get(self.step, self)


# By the function itself: a `step` that someone wraps is another rule.
_IN_PLACE: WeakKeyDictionary[Callable[..., Any], Optimizer] = WeakKeyDictionary()


def planned(init: Any, step: Any, in_place: Any, lr: Rate) -> Optimizer:
    """Make an optimizer whose `step` has a form for plans, which checks nothing."""
    _IN_PLACE[step] = Optimizer(init, in_place, lr=lr)
    return Optimizer(init, step, lr=lr)
