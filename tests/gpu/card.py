"""A GPU that is pretended: tensors say ``cuda:0``, and the CPU computes.

They hold real numbers, so whole trainings run and can be compared with the CPU's. What
a card refuses is refused: two devices in one operation, NumPy's view of a tensor on the
card, a wait or a copy from the host while a graph is recorded. A CUDA graph is recorded
operation by operation, on the device whose stream records; what was recorded has not
been computed, and `replay` computes it. What a step costs is counted.

What it cannot tell: how long a kernel takes, how a card rounds, what streams do to each
other, how much memory there is.

This module changes PyTorch, and must be imported before it: run it in a process of its
own, as ``python -m pytest -p tests.gpu.card tests/gpu/on_card.py``.
"""

import contextlib
import functools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.gpu import building

GUARD = building.load()

import torch  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

aten = torch.ops.aten

# The host needs to know what only the card does: a number, or a shape.
WAITING = {
    aten._local_scalar_dense.default,
    aten._unique2.default,
    aten.bincount.default,
    aten.equal.default,
    aten.is_nonzero.default,
    aten.masked_select.default,
    aten.nonzero.default,
    aten.repeat_interleave.Tensor,
    aten.unique_consecutive.default,
    aten.unique_dim.default,
}
COPYING = {aten.copy_.default, aten._to_copy.default, aten._foreach_copy_.default}
INDEXING = {
    aten._index_put_impl_.default,
    aten._unsafe_index.Tensor,
    aten.index.Tensor,
    aten.index_put.default,
    aten.index_put_.default,
}
# Memory is taken, or described anew: no kernel runs.
FREE = {
    aten.alias.default,
    aten.detach.default,
    aten.empty.memory_format,
    aten.empty_like.default,
    aten.empty_strided.default,
    aten.lift_fresh.default,
    aten.new_empty.default,
    aten.new_empty_strided.default,
    aten.set_.source_Tensor,
}
CAPTURING = "CUDA error: operation not permitted when stream is capturing"


class Event(NamedTuple):
    """Something that costs, or that the host does."""

    kind: str  # "kernel", "wait", "to card", "replay" or "capture"
    name: str
    bytes: int
    where: str  # the lines of ours that led here


class Tensor(torch.Tensor):
    """A tensor on the pretended card."""

    here: torch.Tensor  # its numbers, on the CPU

    @staticmethod
    def __new__(cls, here: torch.Tensor, device: torch.device) -> Any:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            here.size(),
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            layout=here.layout,
            device=device,
        )
        made.here = here
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return the_card().run(func, args, kwargs or {})

    @property
    def data(self):
        return self.detach()

    @data.setter
    def data(self, other):
        self.here = other.here

    def data_ptr(self):
        return self.here.data_ptr()

    def tolist(self):
        return self.cpu().tolist()

    def numpy(self, *, force=False):
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(
            f"can't convert {self.device} device type tensor to numpy. Use "
            "Tensor.cpu() to copy the tensor to host memory first."
        )

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def __repr__(self, **_):
        with torch._C.DisableTorchFunctionSubclass():
            return f"{repr(self.here.detach())[:-1]}, device='{self.device}')"

    def __deepcopy__(self, memo):
        copy = Tensor(self.here.detach().clone(), self.device)
        return copy.requires_grad_(self.requires_grad)

    def __reduce_ex__(self, protocol):
        return _unpickle, (self.here.detach(), str(self.device))


Tensor.__module__ = "torch"


def _unpickle(here: torch.Tensor, device: str) -> Tensor:
    return Tensor(here, torch.device(device))


def _where() -> str:
    """Name the lines of ours that led here, the innermost first."""
    found, frame = [], sys._getframe(1)
    while frame is not None and len(found) < 3:
        path = frame.f_code.co_filename
        if "/src/chalkgrad/" in path or "/benchmarks/" in path:
            file = path.rpartition("/src/chalkgrad/")[2]
            found.append(f"{file}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(found)


def _bytes(*tensors: torch.Tensor) -> int:
    return sum(a.numel() * a.element_size() for a in tensors)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors that an operation is given, or gives: alone or in lists."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)


def _replace(value: Any, by: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return the same arguments, or results, with other tensors."""
    if isinstance(value, torch.Tensor):
        return by(value)
    if isinstance(value, list | tuple):
        return type(value)([_replace(part, by) for part in value])
    return value


def _here(a: torch.Tensor) -> torch.Tensor:
    return a.here if isinstance(a, Tensor) else a


@functools.cache  # PyTorch makes a schema's arguments anew for everyone who asks
def _writes(func: Any) -> list[tuple[int, str, bool]]:
    """Return what an operation may write: place, name, and whether it never reads."""
    return [
        (i, argument.name, func in COPYING or argument.is_out)
        for i, argument in enumerate(func._schema.arguments)
        if argument.name == "grads"
        or (argument.alias_info is not None and argument.alias_info.is_write)
    ]


@functools.cache
def _name(what: Any) -> str:
    return str(what).removeprefix("aten.")


def _written(
    func: Any, args: Any, kwargs: Any, *, only: bool = False
) -> list[torch.Tensor]:
    """Return the tensors that an operation writes into, or only writes into."""
    found: list[torch.Tensor] = []
    for i, name, is_unread in _writes(func):
        # A fused rule writes to the gradients what it scales back.
        is_write = name != "grads" or kwargs.get("grad_scale") is not None
        if is_write and (is_unread or not only):
            found += _tensors(args[i] if i < len(args) else kwargs.get(name))
    return found


class Card(TorchDispatchMode):
    """So many pretended cards, and a log of what they did."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.cards = count
        self.graph: Graph | None = None  # the one that records
        self.log: list[Event] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here, and to keep the compiler out costs its import."""
        return False

    # --- what was counted ---

    def forget(self) -> None:
        self.log = []

    def count(self, kind: str) -> int:
        return sum(event.kind == kind for event in self.log)

    def by_name(self, kind: str) -> Counter[str]:
        return Counter(event.name for event in self.log if event.kind == kind)

    def by_line(self, kind: str) -> Counter[str]:
        return Counter(
            f"{event.name}: {event.where}" for event in self.log if event.kind == kind
        )

    def note(self, kind: str, what: Any, size: int = 0) -> None:
        where = _where() if kind in ("wait", "to card") else ""
        self.log.append(Event(kind, _name(what), size, where))

    def wait(self, what: Any, size: int = 0) -> None:
        if self.graph is not None:
            raise RuntimeError(f"{CAPTURING} ({what})")
        self.note("wait", what, size)

    def receive(self, what: Any, source: torch.Tensor) -> None:
        """Copy from the host, from memory that is pageable."""
        if self.graph is not None:
            raise RuntimeError(f"{CAPTURING} (a copy of pageable memory, {what})")
        self.note("to card", what, _bytes(source))

    # --- which card ---

    @property
    def current(self) -> int:
        return GUARD.get_current()

    @current.setter
    def current(self, device: Any) -> None:
        GUARD.set_current(self.place(device).index)

    def place(self, device: Any) -> torch.device:
        """Return a device, with the number of the card if it is one."""
        if isinstance(device, int):
            device = f"cuda:{device}"
        device = torch.device(device)
        if device.type != "cuda":
            return device
        index = self.current if device.index is None else device.index
        if index >= self.cards:
            raise RuntimeError("CUDA error: invalid device ordinal")
        return torch.device("cuda", index)

    # --- an operation ---

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return self.run(func, args, kwargs or {})

    def run(self, func: Any, args: Any, kwargs: Any) -> Any:
        given = [*_tensors(args), *_tensors([*kwargs.values()])]
        there = [a for a in given if isinstance(a, Tensor)]
        asked = kwargs.get("device")
        target = None if asked is None else self.place(asked)
        if not there and (target is None or target.type != "cuda"):
            return func(*args, **kwargs)
        self._refuse(func, args, given, there)
        self._say_what_crosses(func, args, target)
        if func in WAITING:
            self.wait(func, _bytes(*given))

        args = _replace(args, _here)
        kwargs = {key: _replace(value, _here) for key, value in kwargs.items()}
        if target is not None:
            kwargs = kwargs | {"device": "cpu"}
        written = _written(func, args, kwargs)
        unread = _bytes(*_written(func, args, kwargs, only=True))
        if self.graph is not None:
            self.graph.keep(written)
        out = func(*args, **kwargs)

        known = {id(a.here): a for a in there}
        outs = [*_tensors(out)]
        fresh = [o for o in outs if id(o) not in known]
        home = target or there[0].device
        if not self._is_free(func, there, fresh):
            size = _bytes(*given, *fresh, *written) - unread
            self.note("kernel", func, size)
            if self.graph is not None:
                again = functools.partial(func, *args, **kwargs)
                operation = Operation(_name(func), size, again, outs, fresh)
                self.graph.record(operation, home)
        writes_here = func in COPYING and not func._schema.name.endswith("_to_copy")
        if home.type != "cuda" or (writes_here and not known):
            return out

        def wrap(o: torch.Tensor) -> torch.Tensor:
            return known[id(o)] if id(o) in known else Tensor(o, home)

        return _replace(out, wrap)

    def _refuse(self, func: Any, args: Any, given: Any, there: list[Tensor]) -> None:
        """Raise where tensors of two devices meet that must not."""
        if func in COPYING:
            return
        devices = {a.device for a in there}
        if func in INDEXING:  # an index may be on the host, and is copied
            indices = [i for i in args[1] if i is not None]
            if not isinstance(args[0], Tensor) and devices:
                raise RuntimeError(
                    "indices should be either on cpu or on the same device as the "
                    f"indexed tensor (cpu) ({func})"
                )
            given = [a for a in given if all(a is not i for i in indices)]
        devices |= {a.device for a in given if a.dim() > 0}
        if len(devices) > 1:
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two "
                f"devices, {' and '.join(sorted(map(str, devices)))}! ({func})"
            )

    def _say_what_crosses(self, func: Any, args: Any, target: Any) -> None:
        """Count, or refuse, what goes from the host to the card or back."""
        if func is aten._to_copy.default:
            (source,) = args
            if not isinstance(source, Tensor):
                self.receive(func, source)
            elif target is not None and target.type != "cuda":
                self.wait("copy to the host", _bytes(source))
        elif func in COPYING:
            into, source = args[:2]
            one = func is aten.copy_.default
            pairs = [(into, source)] if one else zip(into, source, strict=True)
            for into, source in pairs:
                if not isinstance(source, Tensor):
                    self.receive(func, source)
                elif not isinstance(into, Tensor):
                    self.wait("copy to the host", _bytes(source))
        elif func in INDEXING:
            for i in args[1]:
                if i is not None and not isinstance(i, Tensor):
                    self.receive("an index", i)
                if i is not None and i.dtype in (torch.bool, torch.uint8):
                    self.wait("an index by a mask")

    def _is_free(self, func: Any, there: list[Tensor], fresh: Any) -> bool:
        """Whether no kernel runs: the result is a view, or only takes memory."""
        if func in FREE or func in WAITING:
            return True
        if func._schema.is_mutable or not fresh:
            return False
        before = {a.here.untyped_storage().data_ptr() for a in there}
        return all(o.untyped_storage().data_ptr() in before for o in fresh if o.numel())


# --- graphs, streams and what else `torch.cuda` has ---


class Operation(NamedTuple):
    name: str
    size: int
    run: Callable[[], Any]
    outs: list[torch.Tensor]
    fresh: list[torch.Tensor]


class Graph:
    """A CUDA graph."""

    def __init__(self, keep_graph: bool = False) -> None:
        self.operations: list[Operation] = []
        self._kept: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def capture_begin(self, *_: Any, **__: Any) -> None:
        card = the_card()
        card.note("capture", "graph")
        self.device = card.place("cuda")
        card.graph = self

    def keep(self, written: list[torch.Tensor]) -> None:
        """Keep what an operation is about to change: it shall only be recorded."""
        for a in written:
            whole = torch.empty(0, dtype=torch.uint8).set_(a.untyped_storage())
            self._kept.setdefault(whole.data_ptr(), (whole, whole.clone()))

    def record(self, operation: Operation, device: torch.device) -> None:
        if device == self.device:  # else it ran on a stream that does not record
            self.operations.append(operation)

    def capture_end(self) -> None:
        the_card().graph = None
        for whole, before in self._kept.values():
            whole.copy_(before)
        for operation in self.operations:  # nothing has been computed yet
            for o in operation.fresh:
                if o.is_floating_point():
                    o.fill_(torch.nan)
        self._kept = {}

    def replay(self) -> None:
        card = the_card()
        card.note("replay", "graph")
        # What was recorded is the CPU's: the card needs not look at it again.
        with torch._C._DisableTorchDispatch():
            for operation in self.operations:
                again = operation.run()
                for old, new in zip(operation.outs, _tensors(again), strict=True):
                    if any(old is o for o in operation.fresh):
                        old.copy_(new)

    def reset(self) -> None:
        self.operations = []

    def pool(self) -> tuple[int, int]:
        return 0, 0


class Stream:
    """A stream of one card."""

    def __init__(self, device: Any = None, **_: Any) -> None:
        self.device = the_card().place("cuda" if device is None else device)

    def wait_stream(self, other: "Stream") -> None:
        assert isinstance(other, Stream)

    def synchronize(self) -> None:
        the_card().wait("Stream.synchronize")


class _On:
    """Makes a card the current one, for a while."""

    def __init__(self, device: Any) -> None:
        device = device.device if isinstance(device, Stream) else device
        self._index = the_card().place(device).index

    def __enter__(self) -> None:
        card = the_card()
        self._before, card.current = card.current, self._index

    def __exit__(self, *_: Any) -> None:
        the_card().current = self._before


class _Properties:
    name = "pretended GPU"
    total_memory = 80 * 2**30
    major, minor = 9, 0
    multi_processor_count = 132


class _Generator:
    """A generator that draws on the CPU: other numbers than a card would."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __call__(self, device: Any = "cpu") -> Any:
        return self._real("cpu")

    def __or__(self, other: Any) -> Any:  # in annotations that are read late
        return self._real | other

    def __ror__(self, other: Any) -> Any:
        return other | self._real


_now: list[Card] = []


def the_card() -> Card:
    return _now[-1]


def _set_device(device: Any) -> None:
    the_card().current = device


def _wait(device: Any = None) -> None:
    the_card().wait("torch.cuda.synchronize")


STUBS: dict[str, Any] = {
    "CUDAGraph": Graph,
    "Stream": Stream,
    "_lazy_init": lambda: None,
    "current_device": lambda: the_card().current,
    "current_stream": Stream,
    "default_stream": Stream,
    "device": _On,
    "device_count": lambda: the_card().cards,
    "empty_cache": lambda: None,
    "get_device_capability": lambda device=None: (9, 0),
    "get_device_name": lambda device=None: _Properties.name,
    "get_device_properties": lambda device=None: _Properties,
    "is_available": lambda: True,
    "is_bf16_supported": lambda including_emulation=True: True,
    "is_current_stream_capturing": lambda: the_card().graph is not None,
    "is_initialized": lambda: True,
    "mem_get_info": lambda device=None: 2 * [_Properties.total_memory],
    "set_device": _set_device,
    "stream": _On,
    "synchronize": _wait,
}


@contextlib.contextmanager
def pretend(count: int = 2) -> Iterator[Card]:
    """Pretend that there are so many cards."""
    cuda: Any = torch.cuda
    before = {name: getattr(cuda, name) for name in STUBS}
    generator, flush = torch.Generator, getattr(torch._C, "_host_emptyCache", None)
    card = Card(count)
    _now.append(card)
    GUARD.set_cards(count)
    GUARD.set_current(0)
    torch._C._set_only_lift_cpu_tensors(True)
    torch._C._host_emptyCache = lambda: None
    torch.Generator = _Generator(generator)  # type: ignore[misc, assignment]
    cuda.graph.default_capture_stream = None
    for name, stub in STUBS.items():
        setattr(cuda, name, stub)
    try:
        with card:
            yield card
    finally:
        for name, real in before.items():
            setattr(cuda, name, real)
        cuda.graph.default_capture_stream = None
        torch.Generator = generator  # type: ignore[misc]
        if flush is not None:
            torch._C._host_emptyCache = flush
        _now.pop()
        torch._C._set_only_lift_cpu_tensors(bool(_now))
        GUARD.set_cards(_now[-1].cards if _now else 0)


def pytest_configure(config: Any) -> None:
    """Let every test of this process see two cards."""
    config.pretended = pretend()
    config.pretended.__enter__()


def pytest_unconfigure(config: Any) -> None:
    config.pretended.__exit__(None, None, None)
