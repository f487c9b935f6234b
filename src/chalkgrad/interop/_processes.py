"""Join the processes that PyTorch's ``torchrun`` has started."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import torch
import torch.distributed

from chalkgrad._core import check

__all__ = ["Processes", "process_group"]

dist: Any = torch.distributed  # its type tells of half of its names
NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Processes:
    """Processes that train together, in either backend, for ``cg.training.fit``.

    Parameters
    ----------
    group : torch.distributed.ProcessGroup
        A group of PyTorch; `process_group` makes one and wraps it.
    device : str
        What its messages are made of: ``"cpu"``, or ``"cuda"`` for NCCL.

    Attributes
    ----------
    rank : int
        The number of this process, from 0.
    size : int
        How many they are.
    """

    rank: int
    size: int

    def __init__(self, group: Any, device: str = "cpu") -> None:
        self._group, self._device = group, device
        self.rank, self.size = dist.get_rank(group), dist.get_world_size(group)

    def all_reduce_sum(self, a: Any) -> None:
        """Replace an array by the sum of those that all processes give."""
        # The same memory, whatever the default device is.
        ours = a if isinstance(a, torch.Tensor) else torch.from_numpy(a)
        sent = ours.to(self._device)
        dist.all_reduce(sent, group=self._group)
        if sent is not ours:
            ours.copy_(sent)

    def gather(self, numbers: list[int]) -> list[list[int]]:
        """Return the whole numbers that each process gives, all as many."""
        ours = torch.tensor(numbers, device=self._device)
        of_each = [torch.empty_like(ours) for _ in range(self.size)]
        dist.all_gather(of_each, ours, group=self._group)
        return [theirs.tolist() for theirs in of_each]


@contextmanager
def process_group(device: str = "cpu", *, timeout: float = 600) -> Iterator[Processes]:
    """Join the processes that ``torchrun`` has started; leave them in the end.

    On ``"cpu"`` they talk by gloo. With ``"cuda"`` each takes a GPU of its own, which
    is what ``"cuda"`` means until they leave, and they talk by NCCL.

    When a process dies, ``torchrun`` starts all of them anew. This meets at a place of
    its own after each start, so that nobody waits for one of those that were.

    Parameters
    ----------
    device : "cpu" or "cuda"
        Where the arrays will be.
    timeout : float
        Seconds after which who waits for the others gives up.

    Yields
    ------
    Processes
        All of them, for ``cg.training.fit(…, group=group)``.

    Raises
    ------
    ValueError
        If ``torchrun`` has not started this process, or not as it must be on several
        machines; if there is no such device, or no GPU for this process; if `timeout`
        is not above 0.
    RuntimeError
        If this process is in a group already.

    References
    ----------
    [Li et al. (2020)][li2020].

    Examples
    --------
    In ``train.py``, started by ``torchrun --nproc-per-node 2 train.py``:

    >>> import chalkgrad.torch as cg
    >>> from chalkgrad.interop import process_group
    >>> def main():
    ...     x, labels = cg.data.digits()
    ...     net = cg.network([64, 100, 10])
    ...     with process_group() as group:
    ...         return cg.training.fit(
    ...             net,
    ...             net.init(),
    ...             x,
    ...             labels,
    ...             loss=cg.losses.cross_entropy,
    ...             optimizer=cg.optimizers.adam(0.01),
    ...             epochs=20,
    ...             batch_size=128,
    ...             group=group,
    ...         )
    """
    missing = [name for name in NEEDED if name not in os.environ]
    if missing:
        raise ValueError(
            f"process_group: torchrun has not started this process ({missing[0]} is "
            "not set); start it by torchrun --nproc-per-node 2 script.py."
        )
    if dist.is_initialized():
        raise RuntimeError(
            "process_group: this process is in a group already; give that one to fit."
        )
    is_kept = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if is_kept and int(os.environ.get("GROUP_WORLD_SIZE", "1")) > 1:
        raise ValueError(
            "process_group: on several machines torchrun must make a place to meet "
            "anew after each restart; set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 first."
        )
    rank, size, host, port = (os.environ[name] for name in NEEDED)
    card: AbstractContextManager[Any] = nullcontext()
    more: dict[str, Any] = {}
    if device == "cuda":
        place = int(os.environ.get("LOCAL_RANK", "0"))
        if place >= torch.cuda.device_count():
            raise ValueError(
                f"process_group: process {place} of this machine has no GPU, for it "
                f"has {torch.cuda.device_count()}; give --nproc-per-node as many."
            )
        card = torch.cuda.device(place)
        # Told its GPU, NCCL connects now: who is missing is told here.
        more = {"device_id": torch.device("cuda", place)}
    elif device != "cpu":
        raise ValueError(
            f"process_group: `device` must be 'cpu' or 'cuda', got {device!r}."
        )
    wait = timedelta(
        seconds=check.number("process_group", "timeout", timeout, low=0, open_low=True)
    )
    store = dist.TCPStore(
        host, int(port), is_master=not is_kept and rank == "0", timeout=wait
    )
    if is_kept:  # the same store after a restart, with the keys of those that were
        store = dist.PrefixStore(os.environ["TORCHELASTIC_RESTART_COUNT"], store)
    with card:
        dist.init_process_group(
            "nccl" if device == "cuda" else "gloo",
            store=store,
            rank=int(rank),
            world_size=int(size),
            timeout=wait,
            **more,
        )
        processes = Processes(dist.group.WORLD, device)
        try:
            yield processes
        finally:
            # Or its threads would live until Python ends, and abort.
            del processes._group
            dist.destroy_process_group()
