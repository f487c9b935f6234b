"""A run of `fit`: how far it is, and how it is kept in a folder and taken up again."""

import functools
import hashlib
import json
import os
import re
import sys
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import chalkgrad
from chalkgrad._core import check
from chalkgrad._core.either import ndarray
from chalkgrad._core.types import Rate
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.checkpoints._shared import CheckpointError
from chalkgrad.training._log import Log

__all__ = ["Epoch", "History", "Keeper", "Run", "described"]

# Who says how many threads NumPy's matrix products may use; the first that is set.
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


class Epoch(NamedTuple):
    """What was measured in an epoch; numbers, or one for each of many networks."""

    loss: Any
    validation_loss: Any
    validation_accuracy: Any


History: TypeAlias = list[Epoch]


class Run:
    """How far a run is: with the weights and the optimizer's state, all of it."""

    def __init__(
        self,
        rng: np.random.Generator,
        lr: Rate,
        keeper: "Keeper | None",
        log: Log | None,
    ) -> None:
        self.rng, self.lr, self.keeper, self.log = rng, lr, keeper, log
        self.history: History = []
        self.steps = 0
        self.best: Any = None  # the weights with the lowest loss on validation
        self.began = time.perf_counter()

    def begin(self, w: Any, state: Any, *, resume: bool) -> tuple[Any, Any]:
        """Return weights and state to begin with: those given, or those kept."""
        self.begin_epoch()
        found = self.keeper.found(resume=resume) if self.keeper else None
        if self.log and found:
            self.log.recognise()
        elif self.log:
            self.log.refuse(resume=resume)
        if self.keeper and found:
            w, state = self.keeper.resume(found, self, w, state)
        return w, state

    def open(self, w: Any, state: Any) -> None:
        """Begin to write; what can't be written is told now, not after hours."""
        if self.log:
            self.log.open(len(self.history))
        if not self.steps:
            self.save(w, state)

    def begin_epoch(self) -> None:
        self.order = self.rng.bit_generator.state  # the order of the examples
        self.batches, self.total = 0, np.zeros(())

    def count(self, loss: Any, rows: int) -> None:
        """Count a step with the mean loss over so many rows."""
        self.steps += 1
        self.batches += 1
        self.total = self.total + loss * rows

    def end_epoch(self, epoch: Epoch) -> None:
        self.history.append(epoch)
        if self.log:
            self.log.write(
                epoch=len(self.history),
                step=self.steps,
                seconds=self.seconds,
                lr=self.lr(self.steps - 1) if callable(self.lr) else self.lr,
                **epoch._asdict(),
            )
        self.begin_epoch()

    def save(self, w: Any, state: Any) -> None:
        if self.keeper:
            self.keeper.save(self, w, state)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    @property
    def waited(self) -> int:
        """How many epochs have passed since the loss on validation was lowest."""
        losses = [epoch.validation_loss for epoch in self.history]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0


class Keeper:
    """Keeps a run in a folder, and takes it up again."""

    def __init__(
        self,
        folder: str | Path,
        keep: int,
        described: dict[str, Any],
        processes: int,
    ) -> None:
        self.folder, self.keep = Path(folder), keep
        self.described = json.loads(json.dumps(described))  # as a file gives it back
        self.processes = {"processes": str(processes)}

    def save(self, run: Run, w: Any, state: Any) -> None:
        columns = zip(Epoch._fields, zip(*run.history, strict=True), strict=False)
        contents = {
            "w": w,
            "state": state,
            "best": run.best,
            "rng": run.order,
            "steps": run.steps,
            "batches": run.batches,
            "total": run.total,
            "seconds": run.seconds,
            "epochs": len(run.history),
            "history": {
                name: None if column[0] is None else np.array(column)
                for name, column in columns
            },
            "run": self.described,
            "machine": _machine(w) | self.processes,
        }
        checkpoints.save(self.folder, contents, step=run.steps, keep=self.keep)

    def found(self, *, resume: bool) -> checkpoints.Found | None:
        """Return what there is to go on with; refuse a run if nobody asked for it."""
        if resume:
            return checkpoints.latest(self.folder)
        if checkpoints.numbered(self.folder):
            raise CheckpointError(
                f"fit: `checkpoints` {self.folder} holds a run already; give "
                "resume=True to go on with it, or another folder."
            )
        return None

    def resume(
        self, found: checkpoints.Found, run: Run, w: Any, state: Any
    ) -> tuple[Any, Any]:
        """Return weights and state as they were last, and bring `run` to there."""
        for words in found.refused:
            warnings.warn(f"fit: passed over a newer checkpoint. {words}", stacklevel=4)
        saved = found.contents
        self._recognise(saved, _machine(w) | self.processes)
        like = {"w": w, "state": state, "best": None if saved["best"] is None else w}
        filled = checkpoints.filled(like, saved, f"fit: {found.path}")
        run.best = filled["best"]
        run.steps, run.batches, run.total = (
            saved[name] for name in ("steps", "batches", "total")
        )
        run.began = time.perf_counter() - saved["seconds"]
        run.rng.bit_generator.state = run.order = saved["rng"]
        columns = [saved["history"].get(name) for name in Epoch._fields]
        for i in range(saved["epochs"]):
            numbers = (None if column is None else column[i] for column in columns)
            run.history.append(Epoch(*numbers))
        return filled["w"], filled["state"]

    def _recognise(self, saved: dict[str, Any], here: dict[str, str]) -> None:
        """Refuse another run; warn of another machine."""
        if differs := _differing(saved.get("run", {}), self.described):
            raise CheckpointError(
                f"fit: `checkpoints` {self.folder} holds another run: {differs}; go on "
                "with what it began with, or give another folder."
            )
        if differs := _differing(saved["machine"], here):
            warnings.warn(
                f"fit: the run comes from elsewhere: {differs}; it goes on, but its "
                "last bits may not be those of a run without a break.",
                stacklevel=5,
            )


def _differing(was: dict[str, Any], now: dict[str, Any]) -> str:
    """Name what differs."""
    return ", ".join(
        f"`{name}` was {was.get(name)!r} and is {now.get(name)!r}"
        for name in was | now
        if was.get(name) != now.get(name)
    )


def described(
    net: Any,
    w: Any,
    x: Any,
    y: Any,
    validation: tuple[Any, Any] | None,
    loss: Any,
    optimizer: Any,
    state: Any,
    batch_size: int | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return what tells a run from another; the rates of an optimizer can't be seen."""
    kinds = ", ".join(name for name, _ in checkpoints.leaves({"state": state}))
    return {
        "half": type(w).__module__.partition(".")[0],
        "network": model(net),
        "w": _sampled(w),
        "x": _sampled(x),
        "y": _sampled(y),
        "validation": validation and [_sampled(a) for a in validation],
        "loss": _named(loss),
        "optimizer": f"{_named(optimizer.step)} of {kinds}",
        "batch_size": batch_size,
        "rng": hashlib.sha256(repr(rng.bit_generator.state).encode()).hexdigest()[:16],
    }


def model(net: Any) -> str:
    """Return the name of a model's type, and its attributes if it shows any."""
    parts = getattr(net, "__dict__", {}).items()
    told = (f"{part}={_told(value)}" for part, value in parts)
    return f"{type(net).__name__}({', '.join(told)})"


def _told(value: Any) -> str:
    """Return a value in words that are the same in every process."""
    if hasattr(value, "detach") and check.dtype_name(value) == "bfloat16":
        value = value.float()  # NumPy knows no bfloat16; no bit is lost
    is_array = hasattr(value, "detach") or isinstance(value, np.ndarray | np.generic)
    if is_array and check.dtype_name(value) != "object":  # its bytes are addresses
        return _digest(value)
    if isinstance(value, list | tuple):  # which JSON does not tell apart
        return f"[{', '.join(map(_told, value))}]"
    if isinstance(value, set | frozenset):  # in the order of their hashes
        return f"{{{', '.join(sorted(map(_told, value)))}}}"
    if isinstance(value, dict):
        pairs = (f"{_told(key)}: {_told(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))  # where it lies in memory


def _digest(a: Any, some: Any = None) -> str:
    """Return dtype, shape, and a digest of all numbers, or of some."""
    digest = hashlib.sha256(ndarray(a if some is None else some).tobytes()).hexdigest()
    return f"{check.dtype_name(a)} {tuple(a.shape)} {digest[:16]}"


def _sampled(a: Any) -> str:
    """Return dtype, shape, and a digest of a thousand rows."""
    rows = np.linspace(0, len(a) - 1, min(len(a), 1000)).astype(int)
    return _digest(a, a[rows])


def _named(f: Any) -> str:
    """Return the name of a function; of one made within another, whose it is."""
    if isinstance(f, functools.partial):
        return f"{_named(f.func)} with {f.args} {f.keywords}"
    name: str = getattr(f, "__qualname__", type(f).__qualname__)
    return name.partition(".")[0].lstrip("_")


def _machine(w: Any) -> dict[str, str]:
    """Return what the last bits of a computation with `w` depend on."""
    built: Any = np.show_config(mode="dicts")  # without what it does not know
    blas = built.get("Build Dependencies", {}).get("blas", {})
    found = {
        "chalkgrad": chalkgrad.__version__,
        "numpy": np.__version__,
        "blas": f"{blas.get('name')} {blas.get('version')}",
        "cpu": " ".join(built.get("SIMD Extensions", {}).get("found", [])),
        "threads": next(filter(None, map(os.environ.get, THREADS)), _cores()),
        "device": "cpu",
    }
    if hasattr(w, "detach"):
        torch: Any = sys.modules["torch"]
        device = torch.cuda.get_device_name(w.device) if w.is_cuda else str(w.device)
        found |= {
            "torch": torch.__version__,
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "threads": str(torch.get_num_threads()),
            "device": device,
        }
    return found


def _cores() -> str:
    if hasattr(os, "sched_getaffinity"):
        return str(len(os.sched_getaffinity(0)))
    return str(os.cpu_count())
