"""An optimizer of ours as a ``torch.optim.Optimizer``."""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from chalkgrad._core import check
from chalkgrad._core._torch import arrays
from chalkgrad._core.made import function_name
from chalkgrad._core.types import Optimizer

__all__ = ["TorchOptimizer"]

# Rules that take the rate of their first step only: then they find their own.
FIND_THEIR_RATE = ("barzilai_borwein", "hypergradient", "rprop")

# What PyTorch's own optimizers read from a group, but for the rate.
READ_BY_OTHERS = {
    *("alpha", "amsgrad", "betas", "beta2_decay", "centered", "d", "dampening"),
    *("decoupled_weight_decay", "eps", "etas", "lambd", "lr_decay", "maximize"),
    *("momentum", "momentum_decay", "nesterov", "rho", "step_sizes", "t0"),
    "weight_decay",
}


class TorchOptimizer(torch.optim.Optimizer):
    r"""Let any rule of ``cg.optimizers`` step in a PyTorch loop.

    A step reads parameters and gradients into one flat vector each, lets the rule step
    all of them at once, and writes the parameters where they are. So they may be moved,
    cast or replaced in between, as by ``model.to(…)``, and are followed.

    Parameters that are frozen, by ``requires_grad_(False)``, before the optimizer is
    made are left alone.

    The rate and the numbers of the rule are those of ``param_groups``, under PyTorch's
    names, so PyTorch's schedulers change them. A rule with a schedule of
    ``cg.schedules`` has its rate from there, and lets nobody else change it.

    Groups may have rates and options of their own if the rule treats each weight by
    itself, as Adam does and a clipped norm does not.

    With ``DistributedDataParallel`` every process steps the same. With ``fully_shard``
    (FSDP2) each steps its shard, and its state is that of its shard: so there too a
    rule must treat every weight by itself.

    Parameters
    ----------
    params : iterable of Parameter, of (name, Parameter), or of groups of them
        All that the rule is to step, such as ``model.parameters()``; made after
        ``fully_shard``.
    rule : Optimizer
        A rule of this backend, such as ``cg.optimizers.lion(lr=1e-3)``.

    Raises
    ------
    TypeError
        If `rule` is not an optimizer of ours, the parameters are not float32 or
        float64, differ in dtype or device, or a group of them has an option that the
        rule does not know; from `step`, if a gradient is sparse.
    ValueError
        If there is no parameter, or all are frozen; if the rule looks at a weight's
        neighbours, and the parameters are shards or their groups differ; from `step`,
        if a parameter has no gradient or has changed its shape, one was frozen or
        unfrozen, two share memory, the rate of a rule was changed that finds its own,
        or the weights under `schedule_free_adamw`, which keeps them itself: then
        nothing has changed; from `add_param_group`.

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
        if rule.call and rule.call.function.__module__.endswith("._numpy"):
            raise TypeError(
                f"TorchOptimizer: `rule` is {_words(rule)} of chalkgrad.numpy, which "
                "steps no tensors; import chalkgrad.torch as cg, and make it again."
            )
        call = _innermost(rule).call
        if call is not None and "net" in call.options:
            raise TypeError(
                f"TorchOptimizer: `rule` is {_words(rule)}, which sees the layers of a "
                "cg.network; `params` have others, so take one that needs no network, "
                "such as cg.optimizers.adamw, or torch.optim.Muon."
            )
        self._rule = rule
        self._mixes: bool | None = None  # whether it looks at a weight's neighbours
        self._shown: dict[int, Any] = {}  # the rates of the last step
        super().__init__(params, _options(rule))
        self._made: dict[tuple[int, ...], _Part] = {}
        self._are_shards = any(hasattr(p, "to_local") for p in self._params())
        if self._are_shards and not _is_elementwise(rule):
            raise ValueError(
                "TorchOptimizer: `rule` looks at all weights at once, and here are the "
                "shards of one process; take one that treats each by itself, such as "
                "cg.optimizers.adam."
            )
        parts = self._parts()
        if not parts:
            raise ValueError(
                "TorchOptimizer: `params` are all frozen, so there is nothing to step; "
                "call requires_grad_() of those that shall be trained."
            )
        for part in parts:
            part.look()

    def __getstate__(self) -> dict[str, Any]:
        names = ("_rule", "_mixes", "_shown", "_are_shards")
        return super().__getstate__() | {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._made = {}  # rooms in memory, and rules: they are made when needed

    def _parts(self) -> "list[_Part]":
        """Return what is stepped together: each group, or all if the rule mixes."""
        numbers = tuple(
            i
            for i, group in enumerate(self.param_groups)
            if any(p.requires_grad for p in group["params"])
        )
        each = [(i,) for i in numbers]
        if self._mixes is None and len(each) > 1:
            self._mixes = not _is_elementwise(self._rule)
        together = [numbers] if self._mixes else each
        for some in together:
            if some not in self._made:
                self._made[some] = _Part(self, some)
        return [self._made[some] for some in together]

    def _params(self) -> list[Any]:
        return [p for group in self.param_groups for p in group["params"]]

    def _name(self, p: Any) -> str:
        names = [n for group in self.param_groups for n in group.get("param_names", ())]
        i = next(i for i, one in enumerate(self._params()) if one is p)
        named = f" ({names[i]})" if i < len(names) else ""
        return f"parameter {i}{named}, of shape {tuple(p.shape)}"

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step; return what `closure`, which computes loss and gradients, returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        parts = self._parts()
        for part in parts:  # all are read before one steps: it is done whole, or not
            part.read()
        for part in parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes: tensors, numbers and words.

        Of shards, it is the state of this process: each saves its own.
        """
        return super().state_dict() | {
            "rule": _words(self._rule),
            "shapes": [part.shapes for part in self._parts()],
        }

    def load_state_dict(self, state_dict: Any) -> None:
        """Go on from where `state_dict` was taken; the weights are the model's own.

        The state must be that of the same rule for parameters of the same shapes.
        """
        is_ours = isinstance(state_dict, dict) and {"rule", "shapes"} <= {*state_dict}
        if not is_ours:
            raise TypeError(
                "load_state_dict: `state_dict` must be what state_dict() of a "
                f"TorchOptimizer has returned, got {state_dict!r:.60}."
            )
        if (theirs := state_dict["rule"]) != (ours := _words(self._rule)):
            raise TypeError(
                f"load_state_dict: `state_dict` is that of {theirs}, and this "
                f"optimizer steps by {ours}; make it with the same rule."
            )
        saved, here = state_dict["shapes"], [part.shapes for part in self._parts()]
        if saved != here:
            raise ValueError(
                "load_state_dict: `state_dict` is that of parameters of the shapes "
                f"{saved}, by groups, and here are {here}; give them in the same order."
            )
        for part in self._parts():
            if part.key in state_dict["state"]:
                part.check(state_dict["state"][part.key])
        super().load_state_dict(
            {
                "state": copy.deepcopy(state_dict["state"]),  # a step may use it up
                "param_groups": state_dict["param_groups"],
            }
        )
        self._shown = {i: group["lr"] for i, group in enumerate(self.param_groups)}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refuse more parameters; PyTorch calls it for those of the beginning."""
        if hasattr(self, "_made"):
            raise ValueError(
                "add_param_group: `param_group` comes too late: the rule steps the "
                "weights it began with; give it an optimizer of its own."
            )
        known = {"params", "initial_lr", *self.defaults}
        if callable(self._rule.lr):
            known.remove("lr")
        if others := [name for name in dict(param_group) if name not in known]:
            raise TypeError(
                f"TorchOptimizer: `params` has a group with {', '.join(others)}, "
                f"which {_words(self._rule)} does not read from there."
            )
        super().add_param_group(param_group)
        self._shown[len(self._shown)] = self.param_groups[-1]["lr"]


def _trainable(group: dict[str, Any]) -> list[Any]:
    """Return the parameters of a group that are not frozen."""
    return [p for p in group["params"] if p.requires_grad]


class _Part:
    """The parameters of some groups, which a rule steps together."""

    def __init__(self, optimizer: TorchOptimizer, numbers: tuple[int, ...]) -> None:
        self._optimizer, self._numbers = optimizer, numbers
        self.key: Any = f"group{numbers[0]}"  # of PyTorch's own, parameters are keys
        self._places: list[tuple[Any, ...]] = []
        self._rate = _Rate()
        self._rule = optimizer._rule
        self._step = self._rule.in_place.step
        self._option_names = [*_options(optimizer._rule)]
        self._options: dict[str, Any] | None = None
        self._like: Any = None
        self._betas: Any = None  # of the last step

    @property
    def _groups(self) -> list[dict[str, Any]]:
        return [self._optimizer.param_groups[i] for i in self._numbers]

    @property
    def shapes(self) -> list[list[int]]:
        """The shapes of the parameters, in this process."""
        return [[*_local(p).shape] for group in self._groups for p in _trainable(group)]

    @property
    def _as_dicts(self) -> Any:
        """The state as dicts of tensors and numbers, where PyTorch's tools find it."""
        return self._optimizer.state.get(self.key)

    # --- Parameters and gradients ---

    def look(self) -> None:
        """See where the parameters are; make room for them if that is news."""
        self._params = [p for group in self._groups for p in _trainable(group)]
        if self._optimizer._are_shards:  # the memory is FSDP's
            self._local = [_local(p) for p in self._params]
        else:
            self._local = self._params
        places = [(p.data_ptr(), p.shape, p.dtype, p.device) for p in self._local]
        if places != self._places:
            self._refuse_mixed_kinds([shape for _, shape, *_ in places])
            self._make_room()
            self._places = places

    def read(self) -> None:
        """Read all that a step needs; what is wrong is told now."""
        before = self._places
        self.look()
        self._choose_rule()
        grads = [p.grad for p in self._params]
        for i, grad in enumerate(grads):
            if grad is None or grad.layout is not torch.strided:
                self._refuse_gradient(i, grad)
        if self._optimizer._are_shards:
            grads = [_local(grad) for grad in grads]
        if self._places is not before:
            self._refuse_stale_gradients(grads)
        torch._foreach_copy_(self._w_parts, self._local)
        torch._foreach_copy_(self._grad_parts, grads)
        if not arrays.is_finite(self._grad):
            for i, grad in enumerate(grads):
                check.finite("TorchOptimizer", f"gradient of {self._name(i)}", grad)
        if len(self._w):
            self._state = self._state_now()
            self._rule.admit(self._grad, self._state)

    def step(self) -> None:
        """Let the rule step, and write the parameters and what it keeps."""
        if not len(self._w):  # of a small model, a process may have got nothing
            return
        w, state = self._step(self._w, self._grad, self._state)
        if w is not self._w:
            self._w.copy_(w)
        torch._foreach_copy_(self._local, self._w_parts)
        self._betas = (self._options or {}).get("betas")
        kept = _plain(state)
        if isinstance(self._as_dicts, dict) and isinstance(kept, dict):
            # The same dict each time, so what state_dict() gave fits together later.
            self._as_dicts.update(kept)
        else:
            self._optimizer.state[self.key] = kept

    @torch.no_grad()
    def _make_room(self) -> None:
        sizes = [p.numel() for p in self._local]
        like = self._local[0]
        self._w = torch.empty(sum(sizes), dtype=like.dtype, device=like.device)
        self._grad = torch.empty_like(self._w)
        self._w_parts, self._grad_parts = (
            [
                part.view(p.shape)
                for part, p in zip(torch.split(flat, sizes), self._local, strict=True)
            ]
            for flat in (self._w, self._grad)
        )

    def _name(self, i: int) -> str:
        return self._optimizer._name(self._params[i])

    def _refuse_mixed_kinds(self, shapes: list[Any]) -> None:
        kinds = sorted({(str(p.dtype), str(p.device)) for p in self._local})
        if len(kinds) > 1:
            raise TypeError(
                "TorchOptimizer: `params` must have one dtype and one device, got "
                f"{kinds}; give each kind an optimizer of its own."
            )
        if self._local[0].is_meta:
            raise ValueError(
                "TorchOptimizer: `params` are on the meta device, which holds no "
                "numbers; make the optimizer after to_empty()."
            )
        if check.dtype_name(self._local[0]) not in check.FLOATS:
            raise TypeError(
                "TorchOptimizer: `params` must be float32 or float64, got "
                f"{kinds[0][0]}; keep them in float32, and compute in less by "
                "torch.autocast."
            )
        before = [shape for _, shape, *_ in self._places]
        if before and len(before) != len(shapes):
            raise ValueError(
                f"TorchOptimizer: `params` were {len(before)} parameters to train and "
                f"are {len(shapes)}; make a new optimizer."
            )
        for i, (was, now) in enumerate(zip(before, shapes, strict=False)):
            if was != now:
                raise ValueError(
                    f"TorchOptimizer: {self._name(i)}, had shape {tuple(was)} when the "
                    "rule began; make a new optimizer."
                )
        optimizer = self._optimizer
        for i, p in enumerate(self._local):
            if 0 in p.stride() and not p.is_contiguous():
                raise ValueError(
                    f"TorchOptimizer: {self._name(i)}, has one number at many places, "
                    "as expand() makes it; give it memory of its own by clone()."
                )
        params = optimizer._params()
        for i, j in _overlaps([_local(p) for p in params]):
            raise ValueError(
                f"TorchOptimizer: {optimizer._name(params[i])}, and "
                f"{optimizer._name(params[j])}, "
                "share memory, so one would undo the step of the other; tie them as "
                "one Parameter."
            )

    def _refuse_gradient(self, i: int, grad: Any) -> None:
        if grad is None:
            raise ValueError(
                f"TorchOptimizer: {self._name(i)}, has no gradient; call backward() "
                "first, leave out of `params` what is not trained, and make a new "
                "optimizer if the model has other parameters now, as after "
                "load_state_dict(…, assign=True)."
            )
        raise TypeError(
            f"TorchOptimizer: {self._name(i)}, has a sparse gradient ({grad.layout}), "
            "which no rule takes; make the layer with sparse=False."
        )

    def _refuse_stale_gradients(self, grads: list[Any]) -> None:
        for i, (p, grad) in enumerate(zip(self._local, grads, strict=True)):
            theirs, ours = (
                (tuple(a.shape), str(a.dtype), str(a.device)) for a in (grad, p)
            )
            if theirs != ours:
                raise ValueError(
                    f"TorchOptimizer: {self._name(i)}, is {ours} but its gradient "
                    f"{theirs}; call zero_grad() and backward() again."
                )

    # --- The rule and its state ---

    def _choose_rule(self) -> None:
        """Take over what was changed in the groups."""
        first, *others = self._groups
        names = self._option_names
        for i, group in zip(self._numbers, self._groups, strict=True):
            unread = (READ_BY_OTHERS & group.keys()).difference(names)
            if ignored := sorted(name for name in unread if group[name]):
                raise ValueError(
                    f"TorchOptimizer: param_groups[{i}] has {', '.join(ignored)}, "
                    f"which {_words(self._optimizer._rule)} does not read from there; "
                    "make the rule with what it shall do."
                )
        for i, group in zip(self._numbers[1:], others, strict=True):
            if differ := [name for name in names if group[name] != first[name]]:
                raise ValueError(
                    f"TorchOptimizer: {_words(self._optimizer._rule)} looks at all "
                    f"weights at once, so all groups must have one {differ[0]}, got "
                    f"{first[differ[0]]} and {group[differ[0]]} in group {i}."
                )
        options = {name: first[name] for name in names if name != "lr"}
        rule = self._optimizer._rule
        if _takes_rate(rule) and options != self._options:
            rate = rule.lr if callable(rule.lr) else self._rate
            self._rule, self._options = _remade(rule, options, rate), options
            self._step = self._rule.in_place.step
            self._like = None
        self._choose_rate(first["lr"])

    def _choose_rate(self, lr: Any) -> None:
        """Take the rate of the group, or see that nobody has changed the rule's own."""
        rule, shown, number = (
            self._optimizer._rule,
            self._optimizer._shown,
            self._numbers[0],
        )
        where = f"param_groups[{number}]['lr']"
        if callable(rule.lr):
            why = (
                "it has a schedule; give it a number, and leave the rate to one of them"
            )
        elif not _takes_rate(rule):
            why = "it was made by hand, or has none; change it there"
        elif _steps(self._as_dicts) and _innermost(rule).call.name in FIND_THEIR_RATE:
            why = "after its first step it finds its own"
        else:
            self._rate.now = check.number("TorchOptimizer", where, lr, low=0)
            shown[number] = lr
            return
        if lr is not shown[number] and lr != shown[number]:
            raise ValueError(
                f"TorchOptimizer: {where} was {shown[number]} and is {lr}, but a "
                f"scheduler cannot change the rate of {_words(rule)}: {why}."
            )
        if callable(rule.lr):
            t = _steps(self._as_dicts)
            for i, group in zip(self._numbers, self._groups, strict=True):
                group["lr"] = shown[i] = _rate_at(rule.lr, t)

    def _state_now(self) -> Any:
        """Return the state; before the first step, that of the weights as they are."""
        kept = self._as_dicts
        if self._like is None or not _steps(kept):
            self._like = self._rule.init(self._w)
        if _steps(kept):  # of what it is like, the types and shapes are taken
            self._like = _restore_state(kept, self._like, self._w)
            self._refuse_other_weights(self._like)
        return self._like

    def _refuse_other_weights(self, state: Any) -> None:
        """Raise if a rule would step from elsewhere, for its weights are its own."""
        call = _innermost(self._optimizer._rule).call
        if call is None or call.name != "schedule_free_adamw":
            return
        while hasattr(state, "inner"):
            state = state.inner
        beta1, _ = self._betas or self._groups[0]["betas"]
        expected = torch.lerp(state.z, state.x, beta1)
        # After a cast, the last digits are others.
        if not torch.allclose(self._w, expected, rtol=1e-4, atol=1e-6):
            raise ValueError(
                "TorchOptimizer: the parameters are not where schedule_free_adamw left "
                "them, and it would step from there; make a new optimizer."
            )

    @torch.no_grad()
    def check(self, state: Any) -> None:
        """Raise unless a state that was saved fits the parameters."""
        self.look()
        torch._foreach_copy_(self._w_parts, self._local)
        if len(self._w):
            _fit(state, self._optimizer._rule.init(self._w))


class _Rate:
    """The rate that a group has now, as a schedule for its rule."""

    now = 0.0

    def __call__(self, _: int) -> float:
        return self.now


# --- The rule and its options ---------------------------------------------------------


def _innermost(rule: Optimizer) -> Any:
    """Return the rule within those that wrap it."""
    while rule.call is not None and "optimizer" in rule.call.options:
        rule = rule.call.options["optimizer"]
    return rule


def _takes_rate(rule: Optimizer) -> bool:
    """Whether the rule can be made again with another rate."""
    call = _innermost(rule).call
    return call is not None and "lr" in call.options


def _options(rule: Optimizer) -> dict[str, Any]:
    """Return rate and numbers of a rule, as PyTorch names them."""
    options: dict[str, Any] = {}
    if _takes_rate(rule):
        given = _numbers(rule)
        if "beta1" in given:
            options["betas"] = (given.pop("beta1"), given.pop("beta2"))
        options |= given
    return options | {"lr": _rate_at(rule.lr, 0)}


def _numbers(rule: Optimizer) -> dict[str, Any]:
    """Return what groups may set: all numbers of a rule, and the decay around it."""
    call: Any = rule.call
    inner = call.options.get("optimizer")
    if inner is None:
        named = call.options.items()
        return {name: x for name, x in named if type(x) in (int, float)}
    own = {}
    if call.name == "decay_weights":
        own = {"weight_decay": call.options["weight_decay"]}
    return own | _numbers(inner)


def _remade(rule: Optimizer, options: dict[str, Any], lr: Any) -> Optimizer:
    """Make a rule again with other numbers, and those that wrap it around it."""
    call: Any = rule.call
    if "optimizer" in call.options:
        inside = call.options["optimizer"]
        own = {}
        if call.name == "decay_weights" and "weight_decay" not in _numbers(inside):
            own = {"weight_decay": options["weight_decay"]}
            options = {k: v for k, v in options.items() if k != "weight_decay"}
        made: Optimizer = call.make(optimizer=_remade(inside, options, lr), **own)
        return made
    given = dict(options)
    if "betas" in given:
        given["beta1"], given["beta2"] = check.pair(
            call.name, "betas", given.pop("betas")
        )
    remade: Optimizer = call.make(**given | {"lr": lr})
    return remade


def _rate_at(lr: Any, t: int) -> Any:
    """Return the rate of the step that follows t steps as a number; None is none."""
    if callable(lr):
        return check.number("TorchOptimizer", "lr", lr(t), low=0)
    return lr.item() if hasattr(lr, "item") else lr


def _words(rule: Optimizer) -> str:
    """Name a rule and what wraps it: ``clip(adam, norm=1.0)``."""
    call = rule.call
    if call is None:
        return function_name(rule.step)
    if "optimizer" not in call.options:
        return call.name
    others = [
        f"{name}={value}"
        for name, value in call.options.items()
        if not (name == "optimizer" or value is None)
    ]
    return f"{call.name}({', '.join([_words(call.options['optimizer']), *others])})"


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


# --- The state ------------------------------------------------------------------------


def _plain(state: Any) -> Any:
    """Return a state as dicts of tensors and numbers."""
    if hasattr(state, "_asdict"):
        return {name: _plain(part) for name, part in state._asdict().items()}
    return state


def _steps(state: Any) -> int:
    """Return how many steps a state, as dicts, has seen; 1 if it does not say."""
    if isinstance(state, dict):
        return int(state.get("t", 1))
    return 0 if state is None else 1


def _restore_state(state: Any, like: Any, w: torch.Tensor) -> Any:
    """Return a state of the rule, where the weights are now and of their dtype."""
    if hasattr(like, "_make"):
        if missing := [name for name in like._fields if name not in state]:
            raise ValueError(
                f"TorchOptimizer: the state has no {', '.join(missing)}, which the "
                "rule keeps with the options it has now; set them before it begins."
            )
        parts = zip(like._fields, like, strict=True)
        return like._make(_restore_state(state[name], part, w) for name, part in parts)
    if not isinstance(like, torch.Tensor):
        return state
    if state.shape != like.shape:
        raise ValueError(
            f"TorchOptimizer: the state has shape {tuple(state.shape)}, and the "
            f"parameters want {tuple(like.shape)}; make a new optimizer."
        )
    return state.to(w)


def _fit(state: Any, like: Any) -> None:
    """Raise unless a state, as dicts, has the parts of another, and their shapes."""
    where = "load_state_dict"
    if hasattr(like, "_asdict"):
        names = list(like._fields)
        if not isinstance(state, dict) or [*state] != names:
            given = [*state] if isinstance(state, dict) else type(state).__name__
            raise TypeError(f"{where}: `state` must have {names}, got {given}.")
        for name, part in like._asdict().items():
            _fit(state[name], part)
    elif isinstance(like, torch.Tensor):
        arrays.own_nonempty(where, "state", state)
        if check.dtype_name(state) != check.dtype_name(like):
            raise TypeError(
                f"{where}: `w` is {check.dtype_name(like)} but `state` is "
                f"{check.dtype_name(state)}; load it into a model of that dtype."
            )
        check.shapes(where, w=(like, "..."), state=(state, "..."))


# --- Memory ---------------------------------------------------------------------------


def _local(a: Any) -> torch.Tensor:
    """Return what of a tensor is in this process, without its history."""
    a = a.detach()
    local: torch.Tensor = a.to_local() if hasattr(a, "to_local") else a
    return local


def _overlaps(tensors: list[torch.Tensor]) -> Iterator[tuple[int, int]]:
    """Yield two tensors that share a number, if there are any, by their places."""
    spans = []
    for i, a in enumerate(tensors):
        if a.numel():
            steps = zip(a.shape, a.stride(), strict=True)
            last = sum((size - 1) * stride for size, stride in steps)
            end = a.data_ptr() + (last + 1) * a.element_size()
            spans.append((str(a.device), a.data_ptr(), end, i))
    spans.sort()
    for at, (device, _, end, i) in enumerate(spans):
        for there, begin, _, j in spans[at + 1 :]:
            if there != device or begin >= end:
                break
            if _share_a_number(tensors[i], tensors[j]):
                yield min(i, j), max(i, j)


def _share_a_number(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors whose spans overlap have a place in common."""

    def places(x: torch.Tensor) -> torch.Tensor:
        found = torch.zeros((), dtype=torch.int64)
        for size, stride in zip(x.shape, x.stride(), strict=True):
            found = found[..., None] + torch.arange(size) * (stride * x.element_size())
        return found.reshape(-1) + x.data_ptr()

    return bool(torch.isin(places(a), places(b)).any())
