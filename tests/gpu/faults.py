"""What went wrong on a card, or would have: each as the smallest case."""

import os

import numpy as np
import pytest
import torch
from tests.gpu.card import the_card
from tests.gpu.places import problem

import chalkgrad.torch as cg
from chalkgrad.interop import Processes, TorchOptimizer, process_group


@pytest.fixture
def card():
    the_card().forget()
    return the_card()


def plan(device, optimizer, *, loss=cg.losses.cross_entropy, **options):
    net, w, x, y = problem(device)
    made = net.plan(w, loss=loss, optimizer=optimizer, batch_size=24, **options)
    return made, x, y


@pytest.mark.parametrize("default", [None, "cuda:1"])
def test_processes_add_up_numpys_arrays_whatever_the_default_device(
    default, monkeypatch
):
    dist = torch.distributed
    # As if another process sent the same.
    monkeypatch.setattr(dist, "all_reduce", lambda a, group: a.mul_(2))
    monkeypatch.setattr(dist, "get_rank", lambda _: 0)
    monkeypatch.setattr(dist, "get_world_size", lambda _: 2)
    a, b = np.ones(3), torch.ones(3, device="cuda")
    torch.set_default_device(default)
    try:
        for one in (a, b):
            Processes(None, "cuda").all_reduce_sum(one)
    finally:
        torch.set_default_device(None)
    assert a.tolist() == b.tolist() == [2, 2, 2]


def test_a_process_tells_nccl_its_gpu_and_gives_the_current_one_back(monkeypatch):
    told = {}
    dist = torch.distributed
    names = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "here", "MASTER_PORT": "1"}
    for name, value in names.items():
        monkeypatch.setitem(os.environ, name, value)
    monkeypatch.setitem(os.environ, "LOCAL_RANK", "1")
    monkeypatch.setattr(dist, "TCPStore", lambda *_, **__: None)
    monkeypatch.setattr(dist, "init_process_group", lambda *a, **k: told.update(k))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    monkeypatch.setattr(dist, "get_rank", lambda _: 0)
    monkeypatch.setattr(dist, "get_world_size", lambda _: 1)
    with process_group("cuda"):
        assert str(cg.array([1.0], device="cuda").device) == "cuda:1"
    assert told["device_id"] == torch.device("cuda:1")
    assert torch.cuda.current_device() == 0


@pytest.mark.parametrize("saved_on", ["cpu", "cuda:0"])
def test_the_state_of_an_optimizer_is_loaded_onto_the_device_of_the_weights(saved_on):
    def made(device):
        p = torch.nn.Parameter(torch.ones(3, device=device))
        rule = cg.optimizers.clip(cg.optimizers.adam(0.1), norm=1.0)
        return p, TorchOptimizer([p], rule)

    def step(p, optimizer):
        p.grad = torch.full_like(p, 2.0)
        optimizer.step()

    p, optimizer = made(saved_on)
    step(p, optimizer)
    q, other = made("cuda:1")
    other.load_state_dict(optimizer.state_dict())
    with torch.no_grad():
        q.copy_(p)
    step(p, optimizer)
    step(q, other)
    assert p.tolist() == q.tolist()


@pytest.mark.parametrize("dtype", [None, "float32", "float64", "int64"])
def test_an_array_of_a_tensor_stays_on_its_device(dtype):
    given = torch.tensor([1.0, 2.0], device="cuda:1")
    for default in (None, "cuda:0"):
        torch.set_default_device(default)
        made = cg.array(given, dtype=dtype)
        torch.set_default_device(None)
        assert str(made.device) == "cuda:1"
        made += 1
        assert given.tolist() == [1, 2]


def test_the_advice_on_two_dtypes_works_when_followed():
    net, w, x, y = problem("cuda:1")
    w = cg.array(w, dtype="float32")
    with pytest.raises(TypeError, match=r'cg\.array\(x, dtype="float32"\)'):
        net.loss_and_grad(w, x, y, cg.losses.cross_entropy)
    net.loss_and_grad(w, cg.array(x, dtype="float32"), y, cg.losses.cross_entropy)


def test_memory_that_runs_out_is_told_as_what_it_is(monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(torch.Tensor, "to", full)
    with pytest.raises(torch.OutOfMemoryError):
        cg.array([1.0], device="cuda")


def test_a_default_device_that_is_not_there_is_named():
    torch.set_default_device("cuda:7")
    try:
        with pytest.raises(cg.DeviceError, match="the default device 'cuda:7' is not"):
            cg.array([1.0])
    finally:
        torch.set_default_device(None)


def test_lazy_rows_come_to_where_the_weights_are(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.normal(size=(40, 6)))
    net, w, _, _ = problem("cuda:1")
    y = rng.integers(0, 3, 40)
    ends = []
    for device in ("cuda:1", "cpu"):
        x, _ = cg.data.load(tmp_path / "x.npy", labels=False, lazy=True)
        there = cg.array(w, device=device), cg.array(y, device=device)
        run = cg.training.fit(
            net,
            there[0],
            x,
            there[1],
            loss=cg.losses.cross_entropy,
            optimizer=cg.optimizers.sgd(0.1),
            epochs=2,
            batch_size=16,
        )
        known = cg.training.accuracy(net, run.w, x, there[1])
        ends.append((run.w.tolist(), known))
    assert ends[0] == ends[1]


def test_rates_of_many_networks_are_moved_once(card):
    net, w, x, y = problem("cuda:1")
    w = torch.stack([w, w / 2])
    lr = cg.array([[0.1], [0.2]])  # on the CPU
    optimizer = cg.optimizers.sgd(lr)
    step = net.plan(w, loss=cg.losses.cross_entropy, optimizer=optimizer, batch_size=24)
    step(x, y)
    card.forget()
    for _ in range(5):
        step(x, y)
    assert card.by_line("to card") == {}


MATMUL = torch.backends.cuda.matmul
WAYS = {
    "none": lambda: None,
    "new": lambda: setattr(MATMUL, "fp32_precision", "tf32"),
    "old": lambda: torch.set_float32_matmul_precision("high"),
    "medium": lambda: torch.set_float32_matmul_precision("medium"),
}


def told():
    """Return all that PyTorch says of products; it refuses to say some."""
    found = [MATMUL.fp32_precision]
    for ask in (torch.get_float32_matmul_precision, lambda: MATMUL.allow_tf32):
        try:
            found.append(ask())
        except RuntimeError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("precision", ["full", "tf32"])
def test_a_plan_says_how_products_round_whatever_others_said(
    precision, way, monkeypatch
):
    before = torch.get_float32_matmul_precision(), MATMUL.fp32_precision
    WAYS[way]()
    as_set, during = told(), []
    matmul = torch.matmul
    monkeypatch.setattr(
        torch,
        "matmul",
        lambda *a, **k: (during.append(MATMUL.fp32_precision), matmul(*a, **k)),
    )
    try:
        step, x, y = plan("cuda:1", cg.optimizers.sgd(0.1), precision=precision)
        for _ in range(3):
            step(x, y)
        assert set(during) == {"tf32" if precision == "tf32" else "ieee"}
        assert told() == as_set
    finally:
        torch.set_float32_matmul_precision(before[0])
        MATMUL.fp32_precision = before[1]
