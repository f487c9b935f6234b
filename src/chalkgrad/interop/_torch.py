"""An optimizer of ours as a ``torch.optim.Optimizer``."""

from collections.abc import Callable, Iterable
from typing import Any

import torch

from chalkgrad._core.types import Optimizer

__all__ = ["TorchOptimizer"]


class TorchOptimizer(torch.optim.Optimizer):
    r"""Let any rule of ``cg.optimizers`` step in a PyTorch loop.

    The parameters move into one flat vector $w$, of which they become views, so the
    rule steps all of them at once. Build it once the model is on its device; after that
    the parameters must not be replaced, as ``model.to(…)`` does.

    A rule brings its own rate; for a schedule, give it one of ``cg.schedules``.

    Parameters
    ----------
    params : iterable of Parameter
        All that the rule is to step, such as ``model.parameters()``.
    rule : Optimizer
        A rule of this half, such as ``cg.optimizers.lion(lr=1e-3)``.

    Raises
    ------
    TypeError
        If `rule` is not an optimizer of ours, or the parameters differ in dtype or
        device.
    ValueError
        If there is no parameter; from `step`, if one has no gradient: then nothing has
        changed.

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
        self._rule = rule
        self._w = torch.cat([p.detach().reshape(-1) for p in self._params])
        for p, view in zip(self._params, self._views(self._w), strict=True):
            p.data = view
        self._state = rule.init(self._w)

    def _views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        parts = torch.split(flat, [p.numel() for p in self._params])
        return [v.view(p.shape) for v, p in zip(parts, self._params, strict=True)]

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
        grad = torch.cat([p.grad.reshape(-1) for p in self._params])
        w, self._state = self._rule.step(self._w, grad, self._state)
        if w is not self._w:
            self._w.copy_(w)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes, to be saved with ``torch.save``."""
        return {"rule": self._state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken; the weights are the model's own."""
        self._state = state_dict["rule"]
