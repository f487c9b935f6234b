"""The loops that PyTorch's users have: ours steps in them as ``torch.optim`` does."""

import copy
import io
import multiprocessing
import pickle
import random

import pytest

torch = pytest.importorskip("torch")

from torch.optim import lr_scheduler, swa_utils  # noqa: E402

import chalkgrad.torch as cg  # noqa: E402
from chalkgrad.interop import TorchOptimizer  # noqa: E402

LAYERED = {"lamb", "muon"}


def model(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)
    ).double()


def flat(net):
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()]).double()


def backward(net, t=0):
    """Compute loss and gradients on the rows of step t."""
    net.zero_grad()
    p = next(net.parameters())
    draws = torch.Generator().manual_seed(t)
    x = torch.randn(6, 3, generator=draws, dtype=torch.float64).to(p)
    loss = (net(x) - torch.sin(x[:, :2])).square().mean()
    loss.backward()
    return loss


def train(net, optimizer, steps=1, start=0):
    for t in range(start, start + steps):
        backward(net, t)
        optimizer.step()


def close(one, other, tol=1e-12):
    torch.testing.assert_close(flat(one), flat(other), rtol=tol, atol=tol)


# Ours, and the peer with the same numbers.
PEERS = {
    "sgd": (lambda: cg.optimizers.sgd(0.1), torch.optim.SGD, {"lr": 0.1}),
    "momentum": (
        lambda: cg.optimizers.sgd(0.1, momentum=0.9, weight_decay=0.01),
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    ),
    "adam": (lambda: cg.optimizers.adam(0.01), torch.optim.Adam, {"lr": 0.01}),
    "adamw": (
        lambda: cg.optimizers.adamw(0.01, weight_decay=0.1),
        torch.optim.AdamW,
        {"lr": 0.01, "weight_decay": 0.1},
    ),
}
PEERS["coupled"] = (
    lambda: cg.optimizers.decay_weights(cg.optimizers.adam(0.01), weight_decay=0.1),
    torch.optim.Adam,
    {"lr": 0.01, "weight_decay": 0.1},
)
every_peer = pytest.mark.parametrize("name", PEERS)


def pair(name, groups=None):
    """Return our model and optimizer, and the peer's."""
    rule, peer, given = PEERS[name]
    ours, theirs = model(), model()
    groups = groups or (lambda net: net.parameters())
    return (
        (ours, TorchOptimizer(groups(ours), rule())),
        (theirs, peer(groups(theirs), **given)),
    )


def two_groups(net):
    return [
        {"params": net[0].parameters(), "lr": 0.03},
        {"params": net[2].parameters()},
    ]


# --- PyTorch's schedulers -------------------------------------------------------------

SCHEDULERS = {
    "lambda": lambda o: lr_scheduler.LambdaLR(o, lambda t: 0.95**t),
    "multiplicative": lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 0.97),
    "step": lambda o: lr_scheduler.StepLR(o, 5, gamma=0.3),
    "multi_step": lambda o: lr_scheduler.MultiStepLR(o, [3, 9, 20], gamma=0.5),
    "constant": lambda o: lr_scheduler.ConstantLR(o, factor=0.2, total_iters=7),
    "linear": lambda o: lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=9),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, gamma=0.9),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=11),
    "polynomial": lambda o: lr_scheduler.PolynomialLR(o, total_iters=20, power=2),
    "restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=4, T_mult=2),
    "one_cycle": lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.2, total_steps=31),
    "three_phases": lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=0.2, total_steps=31, three_phase=True, anneal_strategy="linear"
    ),
    "triangular": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=4),
    "triangular2": lambda o: lr_scheduler.CyclicLR(
        o, 0.01, 0.1, step_size_up=4, mode="triangular2"
    ),
    "exp_range": lambda o: lr_scheduler.CyclicLR(
        o, 0.01, 0.1, step_size_up=4, mode="exp_range", gamma=0.99
    ),
    "sequential": lambda o: lr_scheduler.SequentialLR(
        o,
        [lr_scheduler.ConstantLR(o, 0.1, 5), lr_scheduler.ExponentialLR(o, 0.9)],
        milestones=[5],
    ),
    "chained": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(o, 0.1, 5), lr_scheduler.ExponentialLR(o, 0.9)], o
    ),
    "swa": lambda o: swa_utils.SWALR(o, swa_lr=0.005, anneal_epochs=6),
    "plateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0, threshold=0.5),
}


@pytest.mark.parametrize("groups", [None, two_groups], ids=["one", "two"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@every_peer
def test_every_scheduler_of_pytorch_leads_to_the_same_weights(name, scheduler, groups):
    runs = pair(name, groups)
    rates = []
    for net, optimizer in runs:
        schedule = SCHEDULERS[scheduler](optimizer)
        rates.append([])
        for t in range(30):
            loss = backward(net, t)
            optimizer.step()
            rates[-1].append([group["lr"] for group in optimizer.param_groups])
            schedule.step(*([loss.item()] if scheduler == "plateau" else []))
    close(runs[0][0], runs[1][0])
    # Of a plateau the digits of the losses decide, which are ours.
    assert rates[0] == rates[1]


def test_all_schedulers_of_pytorch_are_tried():
    """Those that PyTorch exports: a new one is asked for here."""
    tried = {type(make(pair("momentum")[0][1])) for make in SCHEDULERS.values()}
    assert {
        getattr(lr_scheduler, name)
        for name in lr_scheduler.__all__
        if name[-2:] == "LR"
    } <= tried


@every_peer
def test_a_rate_and_options_set_by_hand_are_obeyed(name):
    runs = pair(name, two_groups)
    draws = random.Random(3)
    for t in range(20):
        given = [draws.choice([0.0, 0.01, 0.2]) for _ in range(2)]
        decay = draws.choice([0.0, 0.1])
        for net, optimizer in runs:
            before = [flat(net[0]), flat(net[2])]
            for group, lr in zip(optimizer.param_groups, given, strict=True):
                group["lr"] = lr
                if name in ("momentum", "adamw", "coupled"):
                    group["weight_decay"] = decay
            train(net, optimizer, start=t)
            after = [flat(net[0]), flat(net[2])]
            moved = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
            assert moved == [lr > 0 for lr in given]
    close(runs[0][0], runs[1][0])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("weight_decay", 0.1),
        ("maximize", True),
        ("momentum", 0.9),
        ("nesterov", True),
        ("dampening", 0.1),
        ("amsgrad", True),
        ("centered", True),
    ],
)
def test_an_option_that_the_rule_does_not_read_is_told(option, value):
    net = model()
    optimizer = TorchOptimizer(two_groups(net), cg.optimizers.adam(0.1))
    optimizer.param_groups[1][option] = type(value)(0)  # as PyTorch's loops write it
    train(net, optimizer)
    optimizer.param_groups[1][option] = value
    before = flat(net)
    with pytest.raises(
        ValueError, match=rf"param_groups\[1\] has {option}, which adam"
    ):
        train(net, optimizer)
    assert torch.equal(flat(net), before)


def test_options_of_the_rule_show_under_the_names_of_pytorch():
    (_, ours), (_, theirs) = pair("adam")
    shown = ours.param_groups[0]
    assert {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}.items() <= shown.items()
    assert all(shown[name] == theirs.param_groups[0][name] for name in ours.defaults)
    net = model()
    rule = cg.optimizers.clip(cg.optimizers.sgd(0.1, momentum=0.5), norm=1.0)
    wrapped = TorchOptimizer(net.parameters(), rule).param_groups[0]
    assert (wrapped["lr"], wrapped["momentum"]) == (0.1, 0.5)


@pytest.mark.parametrize("lr", [-1.0, float("nan"), "fast", None])
def test_a_rate_that_is_none_is_refused_before_anything_moves(lr):
    net = model()
    optimizer = TorchOptimizer(two_groups(net), cg.optimizers.adam(0.1))
    optimizer.param_groups[1]["lr"] = lr
    before = flat(net)
    with pytest.raises(
        (TypeError, ValueError), match=r"`param_groups\[1\]\['lr'\]` mu"
    ):
        train(net, optimizer)
    assert torch.equal(flat(net), before)


def test_a_rule_with_a_schedule_shows_its_rate_and_lets_nobody_change_it():
    net, plain = model(), model()
    lr = cg.schedules.cosine(0.1, steps=9)
    optimizer = TorchOptimizer(net.parameters(), cg.optimizers.sgd(lr))
    peer = torch.optim.SGD(plain.parameters(), lr=0.1)
    for t in range(9):
        peer.param_groups[0]["lr"] = lr(t)
        train(plain, peer, start=t)
        train(net, optimizer, start=t)
        assert optimizer.param_groups[0]["lr"] == lr(t)
    close(net, plain)
    optimizer.param_groups[0]["lr"] = 0.5
    with pytest.raises(
        ValueError, match=r"cannot change the rate of sgd: it has a sch"
    ):
        train(net, optimizer)


@pytest.mark.parametrize("name", ["barzilai_borwein", "hypergradient", "rprop"])
def test_a_rule_that_finds_its_rate_refuses_a_scheduler(name):
    net = model()
    rule = getattr(cg.optimizers, name)(0.05)
    optimizer = TorchOptimizer(net.parameters(), rule)
    optimizer.param_groups[0]["lr"] = 0.0
    before = flat(net)
    train(net, optimizer)
    assert torch.equal(flat(net), before)  # of the first step it is the rate
    train(net, optimizer, start=1)
    optimizer.param_groups[0]["lr"] = 0.1
    with pytest.raises(ValueError, match=f"the rate of {name}: after its first step"):
        train(net, optimizer)


@pytest.mark.parametrize(
    "name",
    sorted(
        {*cg.optimizers.__all__}
        - {"ema", "clip", "decay_weights", "maximize"}
        - {"barzilai_borwein", "hypergradient", "rprop", *LAYERED}
    ),
)
def test_at_a_rate_of_0_no_weight_moves(name):
    net = model()
    rule = getattr(cg.optimizers, name)(0.01)
    optimizer = TorchOptimizer(
        net.parameters(), cg.optimizers.ema(cg.optimizers.clip(rule, norm=9))
    )
    train(net, optimizer, steps=3)
    optimizer.param_groups[0]["lr"] = 0
    before = flat(net)
    train(net, optimizer, start=3)
    # Its weights are made of two averages, anew at each step.
    tol = 1e-15 if name == "schedule_free_adamw" else 0
    torch.testing.assert_close(flat(net), before, rtol=0, atol=tol)


def test_a_rule_made_by_hand_keeps_its_rate():
    net = model()
    own = cg.optimizers.sgd(0.1)._replace(lr=0.1)
    optimizer = TorchOptimizer(net.parameters(), own)
    train(net, optimizer, steps=2)
    optimizer.param_groups[0]["lr"] = 0.2
    with pytest.raises(
        ValueError, match=r"cannot change the rate of sgd: it was made b"
    ):
        train(net, optimizer)


def test_groups_of_a_rule_that_mixes_weights_must_be_alike():
    for make in (
        cg.optimizers.dog,
        lambda: cg.optimizers.clip(cg.optimizers.sgd(0.1), norm=1e-3),
    ):
        whole, net = model(), model()
        train(whole, TorchOptimizer(whole.parameters(), make()), steps=5)
        groups = [{"params": layer.parameters()} for layer in (net[0], net[2])]
        optimizer = TorchOptimizer(groups, make())
        train(net, optimizer, steps=5)
        close(net, whole, 0)  # one norm of all
        optimizer.param_groups[1]["lr"] = 0.5
        with pytest.raises(ValueError, match=r"so all groups must have one lr, got"):
            train(net, optimizer)


# --- Parameters that are moved, cast, or replaced -------------------------------------


def overwrite(net):
    vector = torch.nn.utils.parameters_to_vector(net.parameters()).detach().clone()
    torch.nn.utils.vector_to_parameters(vector, net.parameters())


def each(change):
    def changed(net):
        for p in net.parameters():
            change(p)

    return changed


def set_data(make):
    return each(lambda p: setattr(p, "data", make(p.data)))


FOLLOWED = {
    "vector_to_parameters": overwrite,
    "clone": set_data(torch.clone),
    "another storage, strided": set_data(lambda a: torch.stack([a, a], -1)[..., 0]),
    "transposed memory": set_data(
        lambda a: a.mT.contiguous().mT if a.ndim == 2 else a.clone()
    ),
    "shared memory": lambda net: net.share_memory(),
    "load_state_dict": lambda net: net.load_state_dict(copy.deepcopy(net.state_dict())),
    "in place": each(lambda p: p.data.mul_(0.5)),
    "under no_grad": torch.no_grad()(each(lambda p: p.add_(0.25))),
    "there and back": lambda net: net.float().double(),
}


@pytest.mark.parametrize("when", [0, 1, 4])
@pytest.mark.parametrize("change", FOLLOWED)
@every_peer
def test_parameters_are_followed_wherever_they_are(name, change, when):
    runs = pair(name)
    for net, optimizer in runs:
        train(net, optimizer, steps=when)
        FOLLOWED[change](net)
        before = flat(net)
        train(net, optimizer, steps=5, start=when)
        assert not torch.equal(flat(net), before)
    close(runs[0][0], runs[1][0])


def test_parameters_that_are_cast_are_followed_with_the_state():
    net = model().float()
    optimizer = TorchOptimizer(net.parameters(), cg.optimizers.adam(0.01))
    train(net, optimizer, steps=3)
    net.double()
    train(net, optimizer, steps=3, start=3)
    assert optimizer.state["group0"]["m"].dtype == torch.float64
    whole = model()
    train(whole, TorchOptimizer(whole.parameters(), cg.optimizers.adam(0.01)), steps=6)
    close(net, whole, 1e-4)


@pytest.mark.parametrize(
    "name", ["dog", "prodigy", "schedule_free_adamw", "barzilai_borwein"]
)
def test_a_rule_begins_where_the_weights_are_at_the_first_step(name):
    rule = getattr(cg.optimizers, name)(0.01)
    late, whole = model(seed=5), model()
    optimizer = TorchOptimizer(late.parameters(), rule)
    late.load_state_dict(whole.state_dict())
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(late, optimizer, steps=5)
    train(whole, TorchOptimizer(whole.parameters(), rule), steps=5)
    close(late, whole, 0)


SGD = cg.optimizers.sgd(0.1, momentum=0.5)


def assign(net):
    net.load_state_dict(copy.deepcopy(net.state_dict()), assign=True)


def tie(net):
    net[2].bias.data = net[0].bias.data[:2]


def enlarge(net):
    net[2].bias.data = torch.zeros(5, dtype=torch.float64)


def swap_layer(net):
    net[2] = torch.nn.Linear(5, 2).double()


def cast_one(net):
    net[2].bias.data = net[2].bias.data.float()


REFUSED = {
    "half": (lambda net: net.half(), TypeError, "must be float32 or float64, got .*16"),
    "bfloat16": (
        lambda net: net.bfloat16(),
        TypeError,
        "got torch.bfloat16; keep them",
    ),
    "assign": (assign, ValueError, "parameter 0, of shape .* has other parameters now"),
    "another layer": (swap_layer, ValueError, "parameter 2, of shape .* no gradient"),
    "tied memory": (
        tie,
        ValueError,
        "parameter 1, .* and parameter 3, .* share memory",
    ),
}


@pytest.mark.parametrize("when", [0, 2])
@pytest.mark.parametrize("change", REFUSED)
def test_parameters_that_cannot_be_followed_are_named(change, when):
    alter, error, words = REFUSED[change]
    net = model()
    optimizer = TorchOptimizer(net.parameters(), cg.optimizers.adam(0.01))
    train(net, optimizer, steps=when)
    optimizer.zero_grad()
    alter(net)
    before = [p.detach().clone() for p in net.parameters()]
    with pytest.raises(error, match=f"TorchOptimizer: .*{words}"):
        train(net, optimizer)
    assert all(map(torch.equal, before, net.parameters()))


@pytest.mark.parametrize("wrap", [lambda o, rule: rule, lambda o, rule: o.ema(rule)])
def test_a_rule_with_weights_of_its_own_tells_that_they_were_changed(wrap):
    net = model()
    rule = wrap(cg.optimizers, cg.optimizers.schedule_free_adamw(0.01))
    optimizer = TorchOptimizer(net.parameters(), rule)
    train(net, optimizer, steps=3)
    overwrite(net)  # to the same numbers
    train(net, optimizer, steps=2, start=3)
    optimizer.param_groups[0]["betas"] = (0.5, 0.999)
    train(net, optimizer, steps=2, start=5)
    net.float()
    train(net, optimizer, steps=2, start=7)
    other, second = copy.deepcopy((net, optimizer))
    train(other, second, start=9)
    FOLLOWED["in place"](other)
    with pytest.raises(ValueError, match="are not where schedule_free_adamw left them"):
        train(other, second, start=10)


def test_a_parameter_whose_numbers_are_one_is_refused():
    p = torch.nn.Parameter(torch.zeros(1).expand(5))
    with pytest.raises(
        ValueError, match=r"parameter 0, .* has one number at many place"
    ):
        TorchOptimizer([p], cg.optimizers.sgd(0.1))


def test_parameters_without_numbers_are_refused():
    with torch.device("meta"):
        net = torch.nn.Linear(2, 1)
    with pytest.raises(ValueError, match="`params` are on the meta device, which hold"):
        TorchOptimizer(net.parameters(), cg.optimizers.sgd(0.1))


def test_parameters_that_change_their_size_or_number_are_named():
    net = model()
    optimizer = TorchOptimizer(net.parameters(), SGD)
    train(net, optimizer)
    enlarge(net)
    with pytest.raises(ValueError, match=r"parameter 3, .* had shape \(2,\) when"):
        optimizer.step()
    fewer = model()
    optimizer = TorchOptimizer(fewer.parameters(), cg.optimizers.sgd(0.1))
    train(fewer, optimizer)
    optimizer.param_groups[0]["params"].pop()
    with pytest.raises(
        ValueError, match="were 4 parameters to train and are 3; make a new"
    ):
        train(fewer, optimizer)
    other, second = copy.deepcopy(
        (net := model(), TorchOptimizer(net.parameters(), SGD))
    )
    train(other, second)
    other, second = copy.deepcopy((other, second))
    enlarge(other)
    for p in other.parameters():
        p.grad = torch.ones_like(p)
    with pytest.raises(ValueError, match=r"the state has shape \(32,\), and the param"):
        second.step()


def test_parameters_of_the_list_may_be_exchanged():
    """As after ``load_state_dict(assign=True)``, by whoever knows."""
    runs = pair("adam")
    for net, optimizer in runs:
        train(net, optimizer, steps=3)
        assign(net)
        new = list(net.parameters())
        old = optimizer.param_groups[0]["params"]
        for p, q in zip(old, new, strict=True):
            if p in optimizer.state:
                optimizer.state[q] = optimizer.state.pop(p)
        optimizer.param_groups[0]["params"] = new
        train(net, optimizer, steps=3, start=3)
    close(runs[0][0], runs[1][0])


def test_a_gradient_of_another_dtype_is_told():
    net = model()
    optimizer = TorchOptimizer(net.parameters(), cg.optimizers.sgd(0.1))
    backward(net)
    cast_one(net)
    with pytest.raises(TypeError, match="`params` must have one dtype and one device"):
        optimizer.step()
    for p in net.parameters():
        p.data = p.data.float()
    with pytest.raises(
        ValueError, match=r"parameter 0, .*float32.* gradient .*float64"
    ):
        optimizer.step()


def test_two_optimizers_may_share_their_parameters():
    ours, theirs = model(), model()
    rules = (cg.optimizers.adam(0.01), cg.optimizers.sgd(0.1, momentum=0.9))
    mine = [TorchOptimizer(ours.parameters(), rule) for rule in rules]
    peers = [
        torch.optim.Adam(theirs.parameters(), lr=0.01),
        torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9),
    ]
    for t in range(8):
        for net, optimizers in ((ours, mine), (theirs, peers)):
            train(net, optimizers[t % 2], start=t)
            if t % 3 == 0:  # both on the same gradients
                optimizers[(t + 1) % 2].step()
    close(ours, theirs)


def test_tied_parameters_step_once():
    runs = pair("adam")
    for net, _ in runs:
        net.append(torch.nn.Linear(2, 2).double())
        net.append(net[3])
    rule, peer, given = PEERS["adam"]
    (ours, _), (theirs, _) = runs
    theirs.load_state_dict(ours.state_dict())
    train(ours, TorchOptimizer(ours.parameters(), rule()), steps=5)
    train(theirs, peer(theirs.parameters(), **given), steps=5)
    close(ours, theirs)


def test_columns_of_one_memory_are_no_tie():
    base = torch.ones(4, 6, dtype=torch.float64)
    parts = [torch.nn.Parameter(base[:, i::2]) for i in range(2)]
    parts.append(torch.nn.Parameter(torch.ones(3, dtype=torch.float64)))
    optimizer = TorchOptimizer(parts, cg.optimizers.sgd(0.5))
    for p in parts:
        p.grad = torch.ones_like(p)
    optimizer.step()
    assert torch.equal(base, torch.full_like(base, 0.5))
    across = [torch.nn.Parameter(base[:, :3]), torch.nn.Parameter(base[2:, 2:])]
    with pytest.raises(
        ValueError, match=r"parameter 0, .* and parameter 1, .* share mem"
    ):
        TorchOptimizer(across, cg.optimizers.sgd(0.5))


def test_memory_that_others_see_is_written():
    """A state_dict that was taken before, for one: as with torch.optim."""
    net = model()
    seen = net.state_dict()
    optimizer = TorchOptimizer(net.parameters(), cg.optimizers.sgd(0.1))
    train(net, optimizer, steps=2)
    assert all(torch.equal(seen[k], v) for k, v in net.state_dict().items())
    assert [p.data_ptr() for p in net.parameters()] == [
        a.data_ptr() for a in seen.values()
    ]


def test_a_sparse_gradient_is_named():
    table = torch.nn.Embedding(5, 2, sparse=True)
    optimizer = TorchOptimizer(table.named_parameters(), cg.optimizers.sgd(0.1))
    table(torch.tensor([1, 3])).sum().backward()
    before = table.weight.detach().clone()
    with pytest.raises(TypeError, match=r"parameter 0 \(weight\), .* sparse gradient"):
        optimizer.step()
    assert torch.equal(table.weight, before)


def test_a_gradient_that_is_not_finite_is_named():
    net = model()
    optimizer = TorchOptimizer(two_groups(net), cg.optimizers.adam(0.1))
    backward(net)
    net[2].bias.grad[1] = float("inf")
    before = flat(net)
    with pytest.raises(ValueError, match=r"gradient of parameter 3, .* has inf at"):
        optimizer.step()
    assert torch.equal(flat(net), before)
    assert not optimizer.state


# --- Saved, copied, sent --------------------------------------------------------------


def plain(thing):
    """Whether it is made of tensors, numbers and words alone."""
    if isinstance(thing, dict):
        return all(map(plain, thing.values()))
    if isinstance(thing, list | tuple):
        return type(thing) in (list, tuple) and all(map(plain, thing))
    return thing is None or type(thing) in (int, float, bool, str, torch.Tensor)


def any_rule(name):
    make = getattr(cg.optimizers, name)
    if name == "ema":
        return make(cg.optimizers.clip(cg.optimizers.nadam(), norm=1.0))
    if name == "clip":
        return make(cg.optimizers.sgd(0.1, momentum=0.9), value=0.1)
    if name == "decay_weights":
        return make(cg.optimizers.rmsprop(0.01, centered=True), weight_decay=0.1)
    if name == "maximize":
        return make(cg.optimizers.adam(0.01))
    return make(0.01)


every_rule = pytest.mark.parametrize("name", sorted({*cg.optimizers.__all__} - LAYERED))


@pytest.mark.parametrize("name", sorted(LAYERED))
def test_a_rule_that_sees_layers_is_refused(name):
    rule = getattr(cg.optimizers, name)(cg.network([2, 1]))
    for given in (rule, cg.optimizers.ema(rule)):
        with pytest.raises(TypeError, match=rf"`rule` is .*{name}.* sees the layers"):
            TorchOptimizer(model().parameters(), given)


@every_rule
def test_a_state_is_plain_and_goes_on_anywhere(name):
    whole, half, other = model(), model(), model(seed=9)
    train(whole, TorchOptimizer(whole.parameters(), any_rule(name)), steps=9)
    first = TorchOptimizer(half.parameters(), any_rule(name))
    train(half, first, steps=4)
    assert plain(first.state_dict())
    file = io.BytesIO()
    torch.save([half.state_dict(), first.state_dict()], file)
    file.seek(0)
    weights, state = torch.load(file, weights_only=True)
    other.load_state_dict(weights)
    second = TorchOptimizer(other.parameters(), any_rule(name))
    second.load_state_dict(state)
    train(other, second, steps=5, start=4)
    close(other, whole, 0)


@every_rule
def test_a_state_of_ones_own_loop_is_opened_as_it_comes(name):
    rule, w = any_rule(name), cg.array([1.0, 2.0])
    w, state = rule.step(w, cg.array([1.0, -1.0]), rule.init(w))
    file = io.BytesIO()
    torch.save({"w": w, "state": state}, file)
    file.seek(0)
    again = torch.load(file, weights_only=True)
    assert type(again["state"]) is type(state)
    grad = cg.array([0.5, 0.5])
    assert torch.equal(
        rule.step(again["w"], grad, again["state"])[0], rule.step(w, grad, state)[0]
    )


def test_a_state_is_kept_by_our_checkpoints_too(tmp_path):
    whole, net = model(), model()
    rule = cg.optimizers.clip(cg.optimizers.adam(0.01), norm=1.0)
    train(whole, TorchOptimizer(whole.parameters(), rule), steps=6)
    optimizer = TorchOptimizer(net.parameters(), rule)
    train(net, optimizer, steps=3)
    saved = {"optimizer": optimizer.state_dict()}
    path = cg.checkpoints.save(tmp_path, saved, step=3)
    second = TorchOptimizer(net.parameters(), rule)
    second.load_state_dict(cg.checkpoints.load(path, like=saved)["optimizer"])
    train(net, second, steps=3, start=3)
    close(net, whole, 0)
    arrays = pytest.importorskip("safetensors.torch").load_file(path)
    assert arrays["optimizer.state.group0.inner.m"].shape == flat(net).shape


@every_rule
def test_a_state_that_was_loaded_is_a_copy(name):
    net = model()
    optimizer = TorchOptimizer(net.parameters(), any_rule(name))
    train(net, optimizer, steps=2)
    saved = copy.deepcopy(optimizer.state_dict())
    kept, weights = copy.deepcopy((saved, net.state_dict()))
    other = TorchOptimizer(model().parameters(), any_rule(name))
    other.load_state_dict(saved)
    train(net, optimizer, steps=2)
    twin = model()
    twin.load_state_dict(weights)
    last = TorchOptimizer(twin.parameters(), any_rule(name))
    last.load_state_dict(saved)
    train(twin, last, steps=2)
    torch.testing.assert_close(saved["state"], kept["state"], rtol=0, atol=0)


def test_a_state_is_that_of_parameters_in_their_order():
    net = model()
    first = TorchOptimizer(net.parameters(), cg.optimizers.adam(0.1))
    train(net, first, steps=2)
    for params in (reversed([*net.parameters()]), [torch.nn.Parameter(flat(net))]):
        other = TorchOptimizer(params, cg.optimizers.adam(0.1))
        with pytest.raises(ValueError, match="is that of parameters of the shapes"):
            other.load_state_dict(first.state_dict())


def ways(things):
    yield copy.deepcopy(things)
    yield pickle.loads(pickle.dumps(things))
    file = io.BytesIO()
    torch.save(things, file)
    file.seek(0)
    yield torch.load(file, weights_only=False)


@pytest.mark.parametrize("steps", [0, 3])
@every_rule
def test_model_and_optimizer_are_copied_together(name, steps):
    net = model()
    optimizer = TorchOptimizer(net.parameters(), any_rule(name))
    train(net, optimizer, steps=steps)
    copies = list(ways((net, optimizer)))
    train(net, optimizer, steps=4, start=steps)
    for other, second in copies:
        assert second.param_groups[0]["params"][0] is next(other.parameters())
        train(other, second, steps=4, start=steps)
        close(other, net, 0)


def work(sent):
    net, optimizer = pickle.loads(sent)
    schedule = lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    for t in range(3):
        train(net, optimizer, start=t)
        schedule.step()
    return flat(net).numpy()


def test_a_spawned_worker_trains_what_it_was_sent():
    net = model()
    optimizer = TorchOptimizer(
        net.parameters(), cg.optimizers.clip(cg.optimizers.adam(0.01), norm=1.0)
    )
    train(net, optimizer, steps=2)
    # As bytes: PyTorch would share the memory of what is handed over as it is.
    sent = pickle.dumps((net, optimizer))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert (pool.apply(work, (sent,)) == work(sent)).all()


def test_a_scheduler_goes_on_from_a_checkpoint():
    whole, half = pair("adam")[0], pair("adam")[0]

    def run(net, optimizer, schedule, span):
        for t in span:
            train(net, optimizer, start=t)
            schedule.step()

    run(*whole, lr_scheduler.OneCycleLR(whole[1], 0.1, total_steps=20), range(15))
    schedule = lr_scheduler.OneCycleLR(half[1], 0.1, total_steps=20)
    run(*half, schedule, range(6))
    saved = copy.deepcopy([half[0].state_dict(), half[1].state_dict()])
    saved.append(schedule.state_dict())
    net, optimizer = pair("adam")[0]
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=20)
    for thing, state in zip((net, optimizer, schedule), saved, strict=True):
        thing.load_state_dict(state)
    run(net, optimizer, schedule, range(6, 15))
    close(net, whole[0], 0)


# --- Loops of others ------------------------------------------------------------------


def test_a_grad_scaler_skips_and_steps_as_it_does_for_others():
    runs = pair("momentum")
    for net, optimizer in runs:
        scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
        for t in range(10):
            optimizer.zero_grad()
            draws = torch.Generator().manual_seed(t)
            x = torch.randn(6, 3, generator=draws, dtype=torch.float64)
            loss = net(x).square().mean()
            scaler.scale(loss).backward()
            if t == 4:
                net[0].weight.grad[0, 0] = float("inf")
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5, foreach=True)
            before = flat(net)
            scaler.step(optimizer)
            scaler.update()
            assert torch.equal(before, flat(net)) == (t == 4)
    close(runs[0][0], runs[1][0])


def test_weights_are_averaged_as_by_others():
    runs = pair("sgd")
    averages = []
    for net, optimizer in runs:
        mean = swa_utils.AveragedModel(net)
        ema = swa_utils.AveragedModel(
            net, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9)
        )
        cosine = lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
        swa = swa_utils.SWALR(optimizer, swa_lr=0.05)
        for t in range(20):
            train(net, optimizer, start=t)
            if t > 10:
                mean.update_parameters(net)
                ema.update_parameters(net)
                swa.step()
            else:
                cosine.step()
        averages.append((net, mean, ema))
    for ours, theirs in zip(*averages, strict=True):
        close(ours, theirs)


class Wrapped(torch.optim.Optimizer):
    """What Accelerate makes of an optimizer: it hands everything on."""

    def __init__(self, optimizer):
        self.optimizer = optimizer
        moved = {"state": {}, "param_groups": []} | optimizer.state_dict()
        self.optimizer.load_state_dict(moved)

    @property
    def state(self):
        return self.optimizer.state

    @state.setter
    def state(self, state):
        self.optimizer.state = state

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    @param_groups.setter
    def param_groups(self, groups):
        self.optimizer.param_groups = groups

    @property
    def defaults(self):
        return self.optimizer.defaults

    @defaults.setter
    def defaults(self, defaults):
        self.optimizer.defaults = defaults

    def zero_grad(self, set_to_none=True):
        self.optimizer.zero_grad(set_to_none)

    def state_dict(self):
        return self.optimizer.state_dict()

    def load_state_dict(self, state):
        self.optimizer.load_state_dict(state)

    def step(self, closure=None):
        return self.optimizer.step(closure)


def test_a_loop_as_accelerate_makes_it():
    """Gradients are gathered over batches; optimizer and scheduler are wrapped."""
    runs = pair("adamw")
    for net, optimizer in runs:
        wrapped = Wrapped(optimizer)
        net.to("cpu")
        schedule = lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t + 1))
        for t in range(12):
            draws = torch.Generator().manual_seed(t)
            x = torch.randn(6, 3, generator=draws, dtype=torch.float64)
            (net(x).square().mean() / 2).backward()
            if t % 2:
                torch.nn.utils.clip_grad_value_(net.parameters(), 0.2)
                wrapped.step()
                schedule.step()
                wrapped.zero_grad()
    close(runs[0][0], runs[1][0])


def test_a_loop_as_lightning_makes_it():
    """A closure in `step`, a subclass made of the optimizer, hooks, a state moved."""
    runs = pair("adam")
    for net, optimizer in runs:
        kind = type(f"Lightning{type(optimizer).__name__}", (type(optimizer),), {})
        seen = []
        optimizer.register_step_pre_hook(lambda *_, seen=seen: seen.append("before"))
        optimizer.register_step_post_hook(lambda *_, seen=seen: seen.append("after"))
        schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
        for t in range(10):

            def closure(net=net, optimizer=optimizer, t=t):
                optimizer.zero_grad()
                return backward(net, t)

            loss = optimizer.step(closure=closure)
            schedule.step(loss.item())
            for key, state in optimizer.state.items():  # as to another device
                optimizer.state[key] = {
                    name: x.clone() if isinstance(x, torch.Tensor) else x
                    for name, x in state.items()
                }
        assert seen == ["before", "after"] * 10
        assert issubclass(kind, torch.optim.Optimizer)
    close(runs[0][0], runs[1][0])


def test_hooks_of_the_state_are_called():
    _, optimizer = pair("adam")[0]
    optimizer.register_state_dict_post_hook(lambda _, state: state | {"note": 1})
    saved = optimizer.state_dict()
    assert saved["note"] == 1
    seen = []
    optimizer.register_load_state_dict_post_hook(lambda _: seen.append(1))
    optimizer.load_state_dict(saved)
    assert seen == [1]


# --- Frozen parameters ----------------------------------------------------------------


def frozen(model):
    """Freeze the first layer of three."""
    for p in model[0].parameters():
        p.requires_grad_(False)
    return model


def deep():
    torch.manual_seed(0)
    layers = [torch.nn.Linear(3, 3) for _ in range(3)]
    return torch.nn.Sequential(*layers).double()


def fine_tune(model, optimizer, steps=5):
    torch.manual_seed(1)
    x, y = torch.randn(12, 3).double(), torch.randn(12, 3).double()
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


@pytest.mark.parametrize("in_groups", [False, True])
def test_frozen_parameters_are_left_alone_as_by_pytorch(in_groups):
    def params(model):
        if not in_groups:
            return model.parameters()
        return [{"params": [*layer.parameters()]} for layer in model]

    ours, theirs = frozen(deep()), frozen(deep())
    before = ours[0].weight.clone()
    w = fine_tune(ours, TorchOptimizer(params(ours), cg.optimizers.adam(0.1)))
    wanted = fine_tune(theirs, torch.optim.Adam(params(theirs), 0.1))
    torch.testing.assert_close(w, wanted, rtol=1e-12, atol=1e-12)
    assert (ours[0].weight == before).all()


def test_what_is_frozen_or_unfrozen_later_is_told():
    model = frozen(deep())
    optimizer = TorchOptimizer(model.named_parameters(), cg.optimizers.adam(0.1))
    fine_tune(model, optimizer)
    model[0].requires_grad_()
    with pytest.raises(ValueError, match="were 4 parameters to train and are 6; make"):
        fine_tune(model, optimizer)
    frozen(model)
    fine_tune(model, optimizer)
    model[1].weight.grad = None
    with pytest.raises(
        ValueError, match=r"parameter 2 \(1.weight\), of .* no gradient"
    ):
        optimizer.step()


def test_where_all_is_frozen_there_is_nothing_to_step():
    model = deep().requires_grad_(False)
    with pytest.raises(
        ValueError, match="`params` are all frozen, so there is nothing"
    ):
        TorchOptimizer(model.parameters(), cg.optimizers.adam(0.1))


def test_a_state_with_frozen_parameters_is_taken_up_again():
    model, other = frozen(deep()), frozen(deep())
    first = TorchOptimizer(model.parameters(), cg.optimizers.adam(0.1))
    fine_tune(model, first)
    second = TorchOptimizer(other.parameters(), cg.optimizers.adam(0.1))
    other.load_state_dict(model.state_dict())
    second.load_state_dict(first.state_dict())
    w, wanted = fine_tune(other, second), fine_tune(model, first)
    assert (w == wanted).all()
