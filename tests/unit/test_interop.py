"""Our rules in a PyTorch loop: the same steps as there, and as in our own loop."""

import copy

import pytest

torch = pytest.importorskip("torch")

import chalkgrad.numpy as reference  # noqa: E402
import chalkgrad.torch as cg  # noqa: E402
from chalkgrad.interop import TorchOptimizer  # noqa: E402


def model(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)
    ).double()


def train(net, optimizer, steps=50):
    torch.manual_seed(1)
    x, y = torch.randn(20, 3).double(), torch.randn(20, 2).double()
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(net(x), y).backward()
        optimizer.step()
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()])


PAIRS = {
    "adam": (cg.optimizers.adam(lr=0.01), torch.optim.Adam, {"lr": 0.01}),
    "sgd": (
        cg.optimizers.sgd(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    ),
    "radam": (cg.optimizers.radam(lr=0.01), torch.optim.RAdam, {"lr": 0.01}),
}


@pytest.mark.parametrize("name", PAIRS)
def test_it_walks_as_the_optimizer_of_pytorch(name):
    rule, peer, chosen = PAIRS[name]
    ours, theirs = model(), model()
    w = train(ours, TorchOptimizer(ours.parameters(), rule))
    v = train(theirs, peer(theirs.parameters(), **chosen))
    torch.testing.assert_close(w, v, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["lion", "schedule_free_adamw", "prodigy", "dog"])
def test_it_walks_as_our_own_loop(name):
    rule, net = getattr(cg.optimizers, name)(), model()
    w = torch.cat([p.detach().reshape(-1) for p in net.parameters()])
    state = rule.init(w)
    optimizer = TorchOptimizer(net.parameters(), rule)
    x = torch.ones(4, 3).double()
    for _ in range(10):
        optimizer.zero_grad()
        net(x).square().sum().backward()
        grad = torch.cat([p.grad.reshape(-1) for p in net.parameters()])
        w, state = rule.step(w, grad, state)
        optimizer.step()
    ours = torch.cat([p.detach().reshape(-1) for p in net.parameters()])
    assert torch.equal(ours, w)


def test_a_run_goes_on_from_a_saved_state(tmp_path):
    whole = model()
    w = train(whole, TorchOptimizer(whole.parameters(), cg.optimizers.adam(lr=0.01)))
    half = model()
    first = TorchOptimizer(half.parameters(), cg.optimizers.adam(lr=0.01))
    train(half, first, steps=20)
    torch.save(
        {"model": half.state_dict(), "optimizer": first.state_dict()}, tmp_path / "s"
    )
    saved = torch.load(tmp_path / "s")  # which loads plain things only
    other = model(seed=9)
    other.load_state_dict(saved["model"])
    second = TorchOptimizer(other.parameters(), cg.optimizers.adam(lr=0.01))
    second.load_state_dict(saved["optimizer"])
    torch.testing.assert_close(train(other, second, steps=30), w)


def test_a_closure_is_called_and_its_loss_returned():
    net = model()
    optimizer = TorchOptimizer(net.parameters(), cg.optimizers.sgd(lr=0.1))
    x = torch.ones(1, 3).double()

    def closure():
        optimizer.zero_grad()
        loss = net(x).square().sum()
        loss.backward()
        return loss

    first = optimizer.step(closure)
    assert optimizer.step(closure) < first


def test_a_group_that_the_rule_would_not_heed_is_refused():
    (first, second), rule = model()[::2], cg.optimizers.sgd(lr=0.1)
    falling = cg.optimizers.sgd(cg.schedules.cosine(0.1, steps=9))
    groups = [{"params": first.parameters()}, {"params": second.parameters()}]
    optimizer = TorchOptimizer(groups, rule)
    for name, chosen in {"eps": rule, "rho": rule, "lr": falling}.items():
        group = {"params": second.parameters(), name: 1.0}
        with pytest.raises(TypeError, match=f"`params` has a group with {name}, which"):
            TorchOptimizer([{"params": first.parameters()}, group], chosen)
    with pytest.raises(ValueError, match="add_param_group: `param_group` comes too l"):
        optimizer.add_param_group({"params": torch.nn.Parameter(torch.ones(1))})


def test_a_state_of_another_optimizer_is_refused():
    net = model()
    adam, sgd = cg.optimizers.adam(lr=0.1), cg.optimizers.sgd(lr=0.1)
    clipped = [cg.optimizers.clip(rule, norm=1) for rule in (adam, sgd, adam)]
    clipped[2] = cg.optimizers.clip(adam, norm=2)

    def state_of(rule):
        net = model()
        optimizer = TorchOptimizer(net.parameters(), rule)
        train(net, optimizer, steps=2)
        return optimizer.state_dict()

    for saved, rule, params, words in [
        (sgd, adam, net, "is that of sgd, and this optimizer steps by adam;"),
        (
            clipped[0],
            clipped[1],
            net,
            r"of clip\(adam, norm=1\), and .* clip\(sgd,",
        ),
        (
            clipped[0],
            clipped[2],
            net,
            r"clip\(adam, norm=1\), .* clip\(adam, norm=2",
        ),
        (sgd, sgd, wide(), r"of the shapes .*, and here are \[\[\[10, 3\]"),
        (sgd, sgd, model().float(), "`w` is float32 but `state` is float64"),
        (sgd, sgd, torch.nn.Linear(3, 6).double(), "."),
    ]:
        optimizer = TorchOptimizer(params.parameters(), rule)
        with pytest.raises((TypeError, ValueError), match=words):
            optimizer.load_state_dict(state_of(saved))
        assert not optimizer.state
    peer = torch.optim.SGD(net.parameters())
    for foreign in (peer.state_dict(), None):
        with pytest.raises(TypeError, match=r"`state_dict` must be what state_dict\("):
            TorchOptimizer(net.parameters(), sgd).load_state_dict(foreign)
    bare = state_of(sgd)
    del bare["state"]["group0"]["v"]
    with pytest.raises(TypeError, match=r"`state` must have \['t', 'v'\], got \['t'\]"):
        TorchOptimizer(net.parameters(), sgd).load_state_dict(bare)


def wide():
    return torch.nn.Sequential(
        torch.nn.Linear(3, 10), torch.nn.Tanh(), torch.nn.Linear(10, 2)
    ).double()


def test_bad_input_is_told_at_the_door():
    net = model()
    with pytest.raises(TypeError, match=r"`rule` must be one of cg.optimizers, got fl"):
        TorchOptimizer(net.parameters(), 0.1)
    for rule in (
        reference.optimizers.adam(0.1),
        reference.optimizers.maximize(reference.optimizers.sgd(0.1)),
    ):
        with pytest.raises(TypeError, match=r"of chalkgrad.numpy, .*chalkgrad.torch"):
            TorchOptimizer(net.parameters(), rule)
    mixed = [*net.parameters(), torch.nn.Parameter(torch.ones(1))]
    with pytest.raises(TypeError, match="`params` must have one dtype and one device"):
        TorchOptimizer(mixed, cg.optimizers.sgd(lr=0.1))
    optimizer = TorchOptimizer(net.parameters(), cg.optimizers.sgd(lr=0.1))
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ValueError, match="parameter 0, of shape"):
        optimizer.step()
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
