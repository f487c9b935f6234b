"""How a run of `fit` is kept in a folder, and gone on with."""

import hashlib
import json
import os
import re
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import chalkgrad
from chalkgrad._core import check
from chalkgrad._core.backend import is_tensor, to_numpy
from chalkgrad._core.made import Made, function_name
from chalkgrad._core.tree import tree_leaves
from chalkgrad._core.types import Optimizer
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.checkpoints._shared import CheckpointError
from chalkgrad.training._state import Epoch, Hook, TrainingState

__all__ = ["CheckpointManager", "run_fingerprint", "sample_digest"]

# Who says how many threads NumPy's matrix products may use; the first that is set.
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")

OWN = "a function"  # a schedule of the reader's own, which has no kind to compare


class CheckpointManager(Hook):
    """Keeps a run in a folder, and goes on with it."""

    def __init__(
        self,
        folder: str | Path,
        keep: int,
        fingerprint: dict[str, Any],
        processes: int,
    ) -> None:
        self.folder, self.keep = Path(folder), keep
        self.fingerprint = json.loads(json.dumps(fingerprint))  # as a file gives it
        self.processes = {"processes": str(processes)}

    def on_start(self, state: TrainingState) -> None:
        if not state.steps:
            self.save(state)

    def on_epoch_end(self, state: TrainingState) -> None:
        self.save(state)

    def on_stop(self, state: TrainingState) -> None:
        if state.batches:
            self.save(state)

    def save(self, state: TrainingState) -> None:
        columns = zip(Epoch._fields, zip(*state.history, strict=True), strict=False)
        contents = {
            "w": state.plan.w,
            "state": state.plan.state,
            "best": state.best,
            "rng": state.order,
            "steps": state.steps,
            "batches": state.batches,
            "total": state.total,
            "seconds": state.seconds,
            "epochs": len(state.history),
            "history": {
                name: None if column[0] is None else np.array(column)
                for name, column in columns
            },
            "run": self.fingerprint,
            "machine": _machine(state.plan.w) | self.processes,
        }
        checkpoints.save(self.folder, contents, step=state.steps, keep=self.keep)

    def find_checkpoint(self, *, resume: bool) -> checkpoints.CheckpointInfo | None:
        """Return what there is to go on with; refuse a run if nobody asked for it."""
        if resume:
            return checkpoints.latest(self.folder)
        if checkpoints.list_checkpoints(self.folder):
            raise CheckpointError(
                f"fit: `checkpoints` {self.folder} holds a run already; give "
                "resume=True to go on with it, or another folder."
            )
        return None

    def restore(self, found: checkpoints.CheckpointInfo, state: TrainingState) -> None:
        """Bring a state to where the run was last."""
        for words in found.refused:
            warnings.warn(f"fit: passed over a newer checkpoint. {words}", stacklevel=4)
        saved, plan = found.contents, state.plan
        self._check_same_run(saved, _machine(plan.w) | self.processes)
        best = None if saved["best"] is None else plan.w
        like = {"w": plan.w, "state": plan.state, "best": best}
        restored = checkpoints.load(found.path, like=like)
        plan.w[...], plan.state, state.best = restored.values()
        state.steps, state.batches, state.total = (
            saved[name] for name in ("steps", "batches", "total")
        )
        state.began = time.perf_counter() - saved["seconds"]
        state.rng.bit_generator.state = state.order = saved["rng"]
        columns = [saved["history"].get(name) for name in Epoch._fields]
        for i in range(saved["epochs"]):
            numbers = (None if column is None else column[i] for column in columns)
            state.history.append(Epoch(*numbers))

    def _check_same_run(self, saved: dict[str, Any], here: dict[str, str]) -> None:
        """Refuse another run; warn of another machine."""
        if differs := _differences(saved.get("run", {}), self.fingerprint):
            raise CheckpointError(
                f"fit: `checkpoints` {self.folder} holds another run: {differs}; go on "
                "with what it began with, or give another folder."
            )
        if differs := _differences(saved["machine"], here):
            warnings.warn(
                f"fit: the run comes from elsewhere: {differs}; it goes on, but its "
                "last bits may not be those of a run without a break.",
                stacklevel=5,
            )


def _differences(was: dict[str, Any], now: dict[str, Any]) -> str:
    """Name what differs."""
    skipped = {"options"}
    if OWN in (was.get("schedule"), now.get("schedule")):
        skipped.add("schedule")
    pairs = [
        (name, was.get(name), now.get(name))
        for name in was | now
        if name not in skipped
    ]
    if was.get("optimizer") == now.get("optimizer") and "options" in was:
        options = zip(was["options"], now["options"], strict=True)
        pairs += [(name, before, here) for (name, before), (_, here) in options]
    return ", ".join(
        f"`{name}` was {before!r} and is {here!r}"
        for name, before, here in pairs
        if before != here
    )


def run_fingerprint(
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
    """Return what tells a run from another; another rate is a way to go on."""
    rule, options = _rule(optimizer)
    if optimizer.call is None:  # all that can be seen of one made by hand
        kinds = ", ".join(name for name, _ in tree_leaves({"state": state}))
        rule = f"{rule} of {kinds}"
    return {
        "backend": type(w).__module__.partition(".")[0],
        "network": model_fingerprint(net),
        "w": sample_digest(w),
        "x": sample_digest(x),
        "y": sample_digest(y),
        "validation": validation and [sample_digest(a) for a in validation],
        "loss": function_name(loss),
        "optimizer": rule,
        "options": options,
        "schedule": _schedule(optimizer.lr),
        "batch_size": batch_size,
        "rng": hashlib.sha256(repr(rng.bit_generator.state).encode()).hexdigest()[:16],
    }


def _rule(optimizer: Optimizer) -> tuple[str, list[tuple[str, Any]]]:
    """Return the name of a rule, around those within it, and all options but the rate.

    ``("clip(adam)", [("adam.beta1", 0.9), …, ("clip.norm", 1.0), …])``
    """
    call = optimizer.call
    if call is None:
        return function_name(optimizer.step), []
    inner, options = "", list[tuple[str, Any]]()
    for name, value in call.options.items():
        if isinstance(value, Optimizer):
            rule, of_it = _rule(value)
            inner, options = f"({rule})", [*options, *of_it]
        elif name != "lr":
            options.append((f"{call.name}.{name}", _option(value)))
    return f"{call.name}{inner}", options


def _option(value: Any) -> Any:
    """Return an option as JSON takes it: a network by what it is."""
    if callable(value):
        return function_name(value)
    return model_fingerprint(value) if hasattr(value, "sizes") else value


def _schedule(lr: Any) -> str:
    """Return the kind of a schedule, around the kinds of those within it."""
    if not callable(lr):
        return "constant"
    if isinstance(lr, Made) and lr.call:
        options = lr.call.options.values()
        parts = [part for option in options for part in _as_list(option)]
        inner = ", ".join(_schedule(part) for part in parts if callable(part))
        return f"{lr.call.name}({inner})" if inner else lr.call.name
    return OWN


def _as_list(option: Any) -> Any:
    return option if isinstance(option, list | tuple) else [option]


def model_fingerprint(net: Any) -> str:
    """Return the name of a model's type, and its attributes if it shows any."""
    parts = getattr(net, "__dict__", {}).items()
    shown = (f"{part}={_stable_repr(value)}" for part, value in parts)
    return f"{type(net).__name__}({', '.join(shown)})"


def _stable_repr(value: Any) -> str:
    """Return a value in words that are the same in every process."""
    if is_tensor(value) and check.dtype_name(value) == "bfloat16":
        value = value.float()  # NumPy knows no bfloat16; no bit is lost
    is_array = is_tensor(value) or isinstance(value, np.ndarray | np.generic)
    if is_array and check.dtype_name(value) != "object":  # its bytes are addresses
        return _digest(value)
    if isinstance(value, list | tuple):  # which JSON does not tell apart
        return f"[{', '.join(map(_stable_repr, value))}]"
    if isinstance(value, set | frozenset):  # in the order of their hashes
        return f"{{{', '.join(sorted(map(_stable_repr, value)))}}}"
    if isinstance(value, dict):
        pairs = (
            f"{_stable_repr(key)}: {_stable_repr(item)}" for key, item in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))  # where it lies in memory


def _digest(a: Any, some: Any = None) -> str:
    """Return dtype, shape, and a digest of all numbers, or of some."""
    numbers = to_numpy(a if some is None else some)
    native = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    digest = hashlib.sha256(native.tobytes()).hexdigest()
    return f"{check.dtype_name(a)} {tuple(a.shape)} {digest[:16]}"


def sample_digest(a: Any) -> str:
    """Return dtype, shape, and a digest of a thousand rows."""
    rows = np.linspace(0, len(a) - 1, min(len(a), 1000)).astype(int)
    return _digest(a, a[rows])


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
    if is_tensor(w):
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
