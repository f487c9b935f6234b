"""Many processes that train together are one that trains alone.

This file is each of the processes too: the tests start it with a folder to write to.
"""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
    pytest.skip("this PyTorch has no gloo", allow_module_level=True)

import chalkgrad.numpy as reference  # noqa: E402
import chalkgrad.torch as cg  # noqa: E402
from chalkgrad.cli import main  # noqa: E402
from chalkgrad.interop import TorchOptimizer, process_group  # noqa: E402
from chalkgrad.training._run import Run  # noqa: E402
from chalkgrad.training._shared import Trace  # noqa: E402

# --- What is trained, alone (`group` None) or together.


def fit(group, x, y, *, dtype="float64", sizes=(64, 16, 10), **options):
    net = cg.network(list(sizes))
    defaults = {
        "w": net.init(dtype=dtype),
        "loss": cg.losses.cross_entropy,
        "optimizer": cg.optimizers.adam(0.01),
        "epochs": 2,
        "batch_size": 50,
        "progress": False,
        "group": group,
    }
    return cg.training.fit(net, x=x, y=y, **defaults | options)


def digits(group, folder, **options):
    """72 steps; the last batch of an epoch has 47 rows instead of 50."""
    x, labels = cg.data.digits()
    return fit(group, x, labels, validation=(x[:101], labels[:101]), **options)


def in_single_precision(group, folder):
    x, labels = cg.data.digits()
    return fit(group, cg.array(x, dtype="float32"), labels, dtype="float32")


def in_one_batch(group, folder):
    x, labels = cg.data.digits()
    return fit(group, x, labels, epochs=4, batch_size=None)


def with_less_than_a_row_each(group, folder):
    """Batches of 2 and of 1 rows, and validation on 1: somebody has nothing to do."""
    x, labels = cg.data.moons(5)
    one = (x[:1], labels[:1])
    return fit(
        group, x, labels, sizes=(2, 4, 2), batch_size=2, epochs=9, validation=one
    )


def many_networks(group, folder):
    x, labels = cg.data.moons(31)
    w = cg.network([2, 4, 2]).init([0, 1, 2])
    one = cg.data.moons(7, rng=1)
    return fit(group, x, labels, sizes=(2, 4, 2), w=w, batch_size=9, validation=one)


def without_a_plan(group, folder):
    class Model:
        def forward(self, w, x):
            return x @ w[:2, None] + w[2]

        def loss_and_grad(self, w, x, y, loss):
            error = self.forward(w, x) - y
            slopes = 2 / len(x) * error
            grad = torch.cat([(x.T @ slopes)[:, 0], slopes.sum()[None]])
            return (error**2).mean(), grad

    x = cg.data.moons(10)[0]
    y = x[:, :1] - 2 * x[:, 1:] + 1
    w = cg.array([0.0, 0.0, 0.0])
    return cg.training.fit(
        Model(), w, x, y, loss=cg.losses.mse, optimizer=cg.optimizers.sgd(0.1),
        epochs=3, batch_size=4, progress=False, group=group,
    )  # fmt: skip


def from_a_file(group, folder):
    x, labels = (a.numpy() for a in cg.data.digits())
    path = folder / f"data-{group and group.rank()}.npz"
    np.savez(path, x=x[:203], labels=labels[:203])
    rows, labels = cg.data.load(path, lazy=True)
    return fit(group, rows, labels, batch_size=20, validation=(rows, labels))


def stopped_early(group, folder):
    x, labels = cg.data.moons(40, noise=0.4)
    other = cg.data.moons(30, noise=0.4, rng=1)
    options = {"sizes": (2, 32, 2), "epochs": 100, "validation": other, "patience": 3}
    return fit(group, x, labels, batch_size=8, **options)


def diverged(group, folder):
    """On the rows of one process only: of 5 rows the last is huge."""
    x = cg.array([[0.0], [0.0], [0.0], [0.0], [1e300]])
    net = cg.network([1, 1])
    return cg.training.fit(
        net, net.init(), x, x * 0, loss=cg.losses.mse, optimizer=cg.optimizers.sgd(0.1),
        epochs=3, progress=False, group=group,
    )  # fmt: skip


FITS = {
    scenario.__name__: scenario
    for scenario in (
        digits,
        in_single_precision,
        in_one_batch,
        with_less_than_a_row_each,
        many_networks,
        without_a_plan,
        from_a_file,
        stopped_early,
        diverged,
    )
}

# --- What else happens to them.


@contextmanager
def ctrl_c(after):
    """Press Ctrl-C after so many steps."""
    count = Run.count

    def counted(run, *args):
        count(run, *args)
        if run.steps == after:
            signal.raise_signal(signal.SIGINT)

    Run.count = counted
    yield
    Run.count = count


def interrupted(group, folder):
    """Only the last process is interrupted; all stop, and all go on."""
    kept = {"checkpoints": folder / "interrupted", "log": folder / "interrupted.csv"}
    is_last = group.rank() == group.size() - 1
    with ctrl_c(after=40) if is_last else nullcontext():
        first = digits(group, folder, **kept)
    then = digits(group, folder, **kept, resume=True)
    return {"stopped": first.stopped, "steps": first.steps, "w": cg.asnumpy(then.w)}


def given_different_seeds(group, folder):
    return words(lambda: digits(group, folder, rng=group.rank()))


def given_different_folders(group, folder):
    """The first process resumes, the others find nothing."""
    own = {"checkpoints": folder / f"own-{min(group.rank(), 1)}", "resume": True}
    if group.rank() == 0:
        digits(None, folder, epochs=1, **own)
    return words(lambda: digits(group, folder, **own))


def words(call):
    try:
        call()
    except ValueError as error:
        return {"words": str(error)}
    return {}


def module():
    torch.manual_seed(0)
    layers = [torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)]
    return torch.nn.Sequential(*layers).double()


def train(model, optimizer, share=slice(None)):
    torch.manual_seed(1)
    x, y = torch.randn(12, 3).double(), torch.randn(12, 1).double()
    for _ in range(40):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x[share]), y[share]).backward()
        optimizer.step()


def rule():
    return cg.optimizers.adamw(0.01, weight_decay=0.1)


def flat(tensors):
    return torch.cat([a.detach().reshape(-1) for a in tensors]).numpy()


def share(group):
    return slice(group.rank(), None, group.size())


def distributed_data_parallel(group, folder):
    model = torch.nn.parallel.DistributedDataParallel(module())
    train(model, TorchOptimizer(model.parameters(), rule()), share(group))
    return {"w": flat(model.parameters())}


def fully_sharded(group, folder):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model = module()
    mesh = init_device_mesh("cpu", (group.size(),))
    fully_shard(model, mesh=mesh)
    train(model, TorchOptimizer(model.parameters(), rule()), share(group))
    w = flat([p.full_tensor() for p in model.parameters()])
    refused = words(lambda: TorchOptimizer(model.parameters(), cg.optimizers.dog()))
    return {"w": w} | refused


OTHERS = {
    scenario.__name__: scenario
    for scenario in (
        interrupted,
        given_different_seeds,
        given_different_folders,
        distributed_data_parallel,
        fully_sharded,
    )
}


def traced(trace):
    found = trace._asdict() | {"w": cg.asnumpy(trace.w)}
    del found["seconds"]
    return {name: value for name, value in found.items() if value is not None}


def run(folder):
    with process_group(timeout=60) as group:
        for name, scenario in (FITS | OTHERS).items():
            found = scenario(group, folder)
            found = traced(found) if isinstance(found, Trace) else found
            np.savez(folder / f"{name}-{group.rank()}", **found)


# --- The tests.


def environment(rank, size, port):
    return os.environ | {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
        "RANK": str(rank),
        "WORLD_SIZE": str(size),
    }


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module", params=[2, 3], ids=["two", "three"])
def together(request, tmp_path_factory):
    """Run all of the above; return by name what each process came to."""
    folder, port = tmp_path_factory.mktemp("together"), free_port()
    running = [
        subprocess.Popen(
            [sys.executable, __file__, folder],
            env=environment(rank, request.param, port),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(request.param)
    ]
    ends = [
        (process.communicate(timeout=120)[1], process.returncode) for process in running
    ]
    assert [code for _, code in ends] == [0] * len(ends), ends[-1][0]

    def found(name):
        return [dict(np.load(folder / f"{name}-{i}.npz")) for i in range(len(running))]

    found.folder = folder
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return lambda name: traced(FITS[name](None, folder))


def agree(found, expected, rtol=1e-12):
    """All processes have the same, to the bit; and it is what was expected."""
    first, *others = found
    for name, value in expected.items():
        for other in others:
            assert other[name].tobytes() == first[name].tobytes(), name
        if np.asarray(value).dtype.kind in "US":
            assert first[name] == value
        else:
            np.testing.assert_allclose(first[name], value, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", FITS)
def test_together_they_are_as_one(together, alone, name):
    expected = alone(name)
    agree(together(name), expected, 1e-4 if "single" in name else 1e-12)
    stopped = {"diverged": "diverged", "stopped_early": "early"}.get(name, "finished")
    assert expected["stopped"] == stopped


def test_ctrl_c_for_one_is_for_all(together, alone):
    found = together("interrupted")
    agree(found, {"w": alone("digits")["w"], "stopped": "interrupted"})
    assert {int(one["steps"]) for one in found} == {41}  # they agree a step later
    log = (together.folder / "interrupted.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in log] == ["step", "36", "72"]


def test_only_one_of_them_keeps_checkpoints(together):
    files = {path.name for path in (together.folder / "interrupted").iterdir()}
    assert files == {f"step-0000000{i}.safetensors" for i in (36, 41, 72)}


def test_different_arguments_are_refused_by_all(together):
    for one in together("given_different_seeds"):
        assert "process 1 of `group` has another rng than process 0" in str(
            one["words"]
        )
    for one in together("given_different_folders"):
        assert "process 1 of `group` has another step than" in str(one["words"])


@pytest.mark.parametrize("name", ["distributed_data_parallel", "fully_sharded"])
def test_our_rules_step_the_models_that_pytorch_shares(together, name):
    model = module()
    train(model, TorchOptimizer(model.parameters(), rule()))
    agree(together(name), {"w": flat(model.parameters())})


def test_a_rule_that_looks_at_all_weights_gets_no_shards(together):
    for one in together("fully_sharded"):
        assert "`rule` looks at all weights at once" in str(one["words"])


def test_fit_takes_a_group_of_pytorch_only():
    x, labels = cg.data.moons(10)
    with pytest.raises(TypeError, match=r"fit: `group` must be a process group .* str"):
        fit("gloo", x, labels, sizes=(2, 2))
    x, labels = reference.data.moons(10)
    net = reference.network([2, 2])
    with pytest.raises(TypeError, match="fit: `group` needs arrays of PyTorch"):
        reference.training.fit(
            net, net.init(), x, labels, loss=reference.losses.cross_entropy,
            optimizer=reference.optimizers.sgd(0.1), epochs=1, group="gloo",
        )  # fmt: skip


@pytest.fixture
def started(monkeypatch):
    """The environment that torchrun makes for one process."""
    for name, value in environment(0, 1, free_port()).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refuse(words, error=ValueError, device="cpu"):
    with pytest.raises(error, match=words), process_group(device):
        pass


def test_a_group_needs_torchrun(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    refuse("torchrun has not started this process .RANK is not set")


def test_a_group_is_told_what_it_cannot_have(started):
    refuse("`device` must be 'cpu' or 'cuda', got 'tpu'", device="tpu")
    if not torch.cuda.is_available():
        refuse("process 0 of this machine has no GPU", device="cuda")
    with process_group() as group:
        assert (group.rank(), group.size()) == (0, 1)
        refuse("is in a group already", RuntimeError)
    started.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    started.setenv("GROUP_WORLD_SIZE", "2")
    refuse("set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 first")


def test_the_command_needs_the_half_that_can(started, capsys):
    assert main(["train", "--data", "moons"]) == 2
    assert (
        capsys.readouterr().err
        == "chalkgrad: train: many processes need --half torch.\n"
    )


if __name__ == "__main__":
    run(Path(sys.argv[1]))
