"""An optimizer of ours as a ``torch.optim.Optimizer``."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import arrays
from chalkgrad._core.types import Optimizer

__all__ = ["TorchOptimizer"]


class TorchOptimizer(torch.optim.Optimizer):
    r"""Let any rule of ``cg.optimizers`` step in a PyTorch loop.

    The parameters move into one flat vector $w$, of which they become views, so the
    rule steps all of them at once. Build it once the model is on its device; after that
    the parameters must not be replaced, as ``model.to(…)`` does.

    A rule brings its own rate; for a schedule, give it one of ``cg.schedules``.

    With ``DistributedDataParallel`` every process steps the same. With ``fully_shard``
    (FSDP2) each steps its shard, and its state is that of its shard: so a rule must
    treat every weight by itself, as Adam does and a clipped norm does not.

    Parameters
    ----------
    params : iterable of Parameter
        All that the rule is to step, such as ``model.parameters()``; made after
        ``fully_shard``.
    rule : Optimizer
        A rule of this half, such as ``cg.optimizers.lion(lr=1e-3)``.

    Raises
    ------
    TypeError
        If `rule` is not an optimizer of ours, the parameters differ in dtype or
        device, or a group of them has options of its own, as a rate.
    ValueError
        If there is no parameter; if they are shards, and the rule looks at a weight's
        neighbours; from `step`, if one has no gradient: then nothing has
        changed; from `add_param_group`.

    Examples
    --------
    >>> import torch
    >>> import chalkgrad.torch as cg
    >>> from chalkgrad.interop import TorchOptimizer
    >>> model = torch.nn.Linear(1, 1)
    >>> _ = torch.nn.init.zeros_(model.weight), torch.nn.init.zeros_(model.bias)
    >>> optimizer = TorchOptimizer(model.parameters(), cg.optimizers.lion(lr=0.5))
    >>> x, y = torch.tensor([[1.0], [2.0]]), torch.tensor([[4.0], [6.0]])
    >>> for _ in range(4):
    ...     optimizer.zero_grad()
    ...     torch.nn.functional.mse_loss(model(x), y).backward()
    ...     optimizer.step()
    >>> model.weight.item(), model.bias.item()
    (2.0, 2.0)
    """

    def __init__(self, params: Iterable[Any], rule: Optimizer) -> None:
        if not isinstance(rule, Optimizer):
            raise TypeError(
                "TorchOptimizer: `rule` must be one of cg.optimizers, got "
                f"{type(rule).__name__}; make one with cg.optimizers.adam(lr=1e-3)."
            )
        super().__init__(params, {})
        self._params = [p for group in self.param_groups for p in group["params"]]
        kinds = {(str(p.dtype), str(p.device)) for p in self._params}
        if len(kinds) > 1:
            raise TypeError(
                "TorchOptimizer: `params` must have one dtype and one device, got "
                f"{sorted(kinds)}; give each kind an optimizer of its own."
            )
        self._are_shards = any(hasattr(p, "to_local") for p in self._params)
        if self._are_shards and not _is_elementwise(rule):
            raise ValueError(
                "TorchOptimizer: `rule` looks at all weights at once, and here are the "
                "shards of one process; take one that treats each by itself, such as "
                "cg.optimizers.adam."
            )
        self._rule = rule
        self._w = self._flat(self._params)
        if not self._are_shards:
            for p, view in zip(self._params, self._views(self._w), strict=True):
                p.data = view
        # Of a small model, a process may have got nothing.
        self._state = rule.init(self._w) if len(self._w) else None

    @staticmethod
    def _flat(tensors: Iterable[Any]) -> torch.Tensor:
        return torch.cat([_local(a).reshape(-1) for a in tensors])

    def _views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        shapes = [_local(p).shape for p in self._params]
        parts = torch.split(flat, [shape.numel() for shape in shapes])
        return [v.view(shape) for v, shape in zip(parts, shapes, strict=True)]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step; return what `closure`, which computes loss and gradients, returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for i, p in enumerate(self._params):
            if p.grad is None:
                raise ValueError(
                    f"TorchOptimizer: parameter {i}, of shape {tuple(p.shape)}, has no "
                    "gradient; call backward() first, and leave out of `params` what "
                    "is not trained."
                )
        if self._state is None:
            return loss
        grad = self._flat(p.grad for p in self._params)
        if self._are_shards:  # their memory is FSDP's
            self._w = self._flat(self._params)
        w, self._state = self._rule.step(self._w, grad, self._state)
        if self._are_shards:
            for p, view in zip(self._params, self._views(w), strict=True):
                _local(p).copy_(view)
        elif w is not self._w:
            self._w.copy_(w)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes, to be saved with ``torch.save``.

        Of shards, it is the state of this process: each saves its own.
        """
        return {"rule": self._state}

    def load_state_dict(self, state_dict: Any) -> None:
        """Go on from where `state_dict` was taken; the weights are the model's own.

        The state must be that of the same rule for as many weights.
        """
        if not isinstance(state_dict, dict) or state_dict.keys() != {"rule"}:
            raise TypeError(
                "load_state_dict: `state_dict` must be what state_dict() of a "
                f"TorchOptimizer has returned, got {state_dict!r:.60}."
            )
        self._state = _taken(state_dict["rule"], self._state)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refuse more parameters; PyTorch calls it for those of the beginning."""
        if hasattr(self, "_w"):
            raise ValueError(
                "add_param_group: `param_group` comes too late: the rule steps the "
                "weights it began with; give it an optimizer of its own."
            )
        if others := [name for name in dict(param_group) if name != "params"]:
            raise TypeError(
                f"TorchOptimizer: `params` has a group with {', '.join(others)}, "
                "which no rule reads; give each group an optimizer of its own."
            )
        super().add_param_group(param_group)


def _taken(state: Any, like: Any) -> Any:
    """Return a copy of `state`, which a step may use up, if all its parts are alike."""
    where = "load_state_dict"
    check.state(where, state, type(like))
    if hasattr(like, "_make"):
        return like._make(map(_taken, state, like))
    if isinstance(like, torch.Tensor):
        arrays.alike(where, w=like, state=state)
        check.shapes(where, w=(like, "..."), state=(state, "..."))
    return copy.deepcopy(state)


def _local(a: Any) -> torch.Tensor:
    """Return what of a tensor is in this process, without its history."""
    a = a.detach()
    local: torch.Tensor = a.to_local() if hasattr(a, "to_local") else a
    return local


def _is_elementwise(rule: Optimizer) -> bool:
    """Try whether two weights go together as each does by itself.

    The slopes are steep, so that a rule with a limit on their length shows it.
    """

    def walk(some: slice) -> torch.Tensor:
        w = torch.ones(2, dtype=torch.float64, device="cpu")[some]
        state = rule.init(w)
        for slopes in ((1e9, 2e3), (-3e8, 5e5), (1e7, -4e8)):
            w, state = rule.step(w, w.new_tensor(slopes[some]), state)
        return w

    both, each = walk(slice(2)), [walk(slice(1)), walk(slice(1, 2))]
    return torch.allclose(both, torch.cat(each), rtol=1e-12, atol=0)
