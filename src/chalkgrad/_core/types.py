"""The few types that both backends share."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from chalkgrad._core.made import Made

__all__ = [
    "AnyArray",
    "ArrayOrFrame",
    "ArrayT",
    "Frame",
    "Group",
    "Layered",
    "Loss",
    "Model",
    "Numbers",
    "Optimizer",
    "PathOrName",
    "Rate",
    "Reduction",
    "Schedule",
    "identity_weights",
]


class AnyArray(Protocol):
    """An array of either backend, or rows that are still in a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its size along each axis."""

    @property
    def dtype(self) -> Any:
        """The type of its numbers."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class Frame(Protocol):
    """A table, or a column of one, of pandas, polars or another."""

    def to_numpy(self) -> Any:
        """Return its cells as an array of NumPy's."""


class Model(Protocol):
    """What can be trained: a network of ours, or another model of one weight vector."""

    def forward(self, w: Any, x: Any, /) -> Any:
        """Return the outputs for the rows of `x`."""

    def loss_and_grad(self, w: Any, x: Any, y: Any, loss: Any, /) -> tuple[Any, Any]:
        """Return the mean loss, and its gradient with respect to `w`."""


class Layered(Protocol):
    """A network of layers, as `cg.network` makes it."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many inputs, hidden units of each layer, and outputs it has."""

    @property
    def size(self) -> int:
        """How many weights it has."""

    @property
    def loss_and_grad(self) -> Callable[..., Any]:
        """Return the mean loss, and its gradient with respect to the weights."""

    @property
    def plan(self) -> Callable[..., Any]:
        """Allocate once all that a training step needs."""


class Loss(Protocol):
    """What is made small: it compares outputs with the truth."""

    def __call__(self, outputs: Any, truth: Any, /) -> Any:
        """Return the loss."""


class Group(Protocol):
    """Processes that train together, as ``interop.process_group()`` joins them."""

    rank: int
    size: int

    def all_reduce_sum(self, a: Any) -> None:
        """Replace an array by the sum of those that all processes give."""

    def gather(self, numbers: list[int]) -> list[list[int]]:
        """Return the whole numbers that each process gives, all as many."""


class Schedule(Protocol):
    """A learning rate that depends on the step."""

    def __call__(self, t: int, /) -> float:
        """Return the rate for step t, from 0."""


ArrayOrFrame: TypeAlias = AnyArray | Frame
ArrayT = TypeVar("ArrayT", bound=AnyArray)
PathOrName: TypeAlias = str | PathLike[str]
Reduction: TypeAlias = Literal["mean", "sum", "none"]
Rate: TypeAlias = float | AnyArray | Schedule
Numbers: TypeAlias = float | Sequence[Any] | AnyArray | Frame
"""What `cg.array` takes: a number, a nested list, an array of any kind."""


def identity_weights(w: Any, _state: Any) -> Any:
    """Return the weights that the walk has reached."""
    return w


class _Functions(NamedTuple):
    init: Callable[[Any], Any]
    step: Callable[[Any, Any, Any], tuple[Any, Any]]
    weights: Callable[[Any, Any], Any] = identity_weights
    lr: Rate | None = None


class Optimizer(Made, _Functions):
    """A rule for stepping, as functions.

    ``init(w)`` gives the state before the first step. ``step(w, grad, state)`` gives
    the new weights and the new state; it may consume what it was given, so rebind:
    ``w, state = opt.step(w, grad, state)``. ``weights(w, state)`` are those to predict
    with: mostly `w` itself, for some an average. ``lr`` is the rate as it was given.

    One that is made of this one by ``_replace`` is another rule: it knows neither the
    call nor the form for plans.
    """

    _plan: Callable[[], Any] | None = None
    _admit: Callable[[Any, Any], None] | None = None
    is_capturable = False
    """Whether a GPU can do its steps again by itself: they read no number, and what
    changes from step to step hangs on the count of the steps alone."""

    @property
    def in_place(self) -> "Optimizer":
        """The same rule for one plan: it may step in `w` itself and use up `grad`."""
        if self._plan is None:
            return self
        form = self._replace(step=self._plan())
        form._admit, form.is_capturable = self._admit, self.is_capturable
        return form

    def admit(self, grad: Any, state: Any) -> None:
        """Raise if `grad`, which is finite, is too large for a step in place."""
        if self._admit is not None:
            self._admit(grad, state)
