"""Many processes that train together are one that trains alone.

This file is each of the processes too: the tests start it with a folder to write to.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
    pytest.skip("this PyTorch has no gloo", allow_module_level=True)

import chalkgrad.numpy  # noqa: E402
import chalkgrad.torch  # noqa: E402
from chalkgrad._core.backend import to_numpy  # noqa: E402
from chalkgrad.interop import TorchOptimizer, process_group  # noqa: E402
from chalkgrad.training import FitResult  # noqa: E402
from chalkgrad.training._state import TrainingState  # noqa: E402

# --- What is trained, alone (`group` None) or together.


def fit(cg, group, x, y, *, dtype="float64", sizes=(64, 16, 10), **options):
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


def digits(cg, group, folder, **options):
    """72 steps; the last batch of an epoch has 47 rows instead of 50."""
    x, labels = cg.data.digits()
    return fit(cg, group, x, labels, validation=(x[:101], labels[:101]), **options)


def in_single_precision(cg, group, folder):
    x, labels = cg.data.digits()
    return fit(cg, group, cg.array(x, dtype="float32"), labels, dtype="float32")


def in_one_batch(cg, group, folder):
    x, labels = cg.data.digits()
    return fit(cg, group, x, labels, epochs=4, batch_size=None)


def with_less_than_a_row_each(cg, group, folder):
    """Batches of 2 and of 1 rows, and validation on 1: somebody has nothing to do."""
    x, labels = cg.data.moons(5)
    one = (x[:1], labels[:1])
    return fit(
        cg, group, x, labels, sizes=(2, 4, 2), batch_size=2, epochs=9, validation=one
    )


def many_networks(cg, group, folder):
    x, labels = cg.data.moons(31)
    w = cg.network([2, 4, 2]).init([0, 1, 2])
    one = cg.data.moons(7, rng=1)
    return fit(cg, group, x, labels, sizes=(2, 4, 2), w=w, batch_size=9, validation=one)


def without_a_plan(cg, group, folder):
    class Model:
        def forward(self, w, x):
            return x @ w[:2, None] + w[2]

        def loss_and_grad(self, w, x, y, loss):
            error = self.forward(w, x) - y
            slopes = 2 / len(x) * error
            grad = [*map(float, (x.T @ slopes)[:, 0]), float(slopes.sum())]
            return (error**2).mean(), cg.array(grad)

    x = cg.data.moons(10)[0]
    y = x[:, :1] - 2 * x[:, 1:] + 1
    w = cg.array([0.0, 0.0, 0.0])
    return cg.training.fit(
        Model(), w, x, y, loss=cg.losses.mse, optimizer=cg.optimizers.sgd(0.1),
        epochs=3, batch_size=4, progress=False, group=group,
    )  # fmt: skip


def from_a_file(cg, group, folder):
    x, labels = map(cg.asnumpy, cg.data.digits())
    path = folder / f"data-{group and group.rank}.npz"
    np.savez(path, x=x[:203], labels=labels[:203])
    rows, labels = cg.data.load(path, lazy=True)
    return fit(cg, group, rows, labels, batch_size=20, validation=(rows, labels))


def stopped_early(cg, group, folder):
    x, labels = cg.data.moons(40, noise=0.4)
    other = cg.data.moons(30, noise=0.4, rng=1)
    options = {"sizes": (2, 32, 2), "epochs": 100, "validation": other, "patience": 3}
    return fit(cg, group, x, labels, batch_size=8, **options)


def diverged(cg, group, folder):
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
    count = TrainingState.count

    def counted(run, *args):
        count(run, *args)
        if run.steps == after:
            signal.raise_signal(signal.SIGINT)

    TrainingState.count = counted
    yield
    TrainingState.count = count


def interrupted(cg, group, folder):
    """Only the last process is interrupted; all stop, and all go on."""
    kept = {"checkpoints": folder / "interrupted", "log": folder / "interrupted.csv"}
    is_last = group.rank == group.size - 1
    with ctrl_c(after=40) if is_last else nullcontext():
        first = digits(cg, group, folder, **kept)
    then = digits(cg, group, folder, **kept, resume=True)
    return {"stopped": first.stopped, "steps": first.steps, "w": to_numpy(then.w)}


class AfterSteps(chalkgrad.numpy.training.Callback):
    """Do something after so many steps."""

    def __init__(self, steps, do):
        self.steps, self.do = steps, do

    def on_step(self, progress):
        if progress.step == self.steps:
            self.do(progress)


def stopped_by_a_callback(cg, group, folder):
    """Only the last process has a callback, which stops all after the same step."""
    kept = {"checkpoints": folder / "stopped"}
    is_last = group.rank == group.size - 1
    own = [AfterSteps(40, lambda progress: progress.stop())] if is_last else []
    first = digits(cg, group, folder, **kept, callbacks=own)
    then = digits(cg, group, folder, **kept, resume=True)
    return {"stopped": first.stopped, "steps": first.steps, "w": to_numpy(then.w)}


def failed_in_a_callback(cg, group, folder):
    """The last process fails at the end of an epoch; nobody waits, nothing is lost."""
    kept = {"checkpoints": folder / "failed"}

    def fail(_):
        raise ValueError("mine")

    is_last = group.rank == group.size - 1
    own = [AfterSteps(36, fail)] if is_last else []
    try:
        digits(cg, group, folder, **kept, callbacks=own)
    except (ValueError, RuntimeError) as error:
        told = str(error)
    then = digits(cg, group, folder, **kept, resume=True)
    return {"words": told, "w": to_numpy(then.w)}


def given_different_seeds(cg, group, folder):
    return words(lambda: digits(cg, group, folder, rng=group.rank))


def given_different_rates(cg, group, folder):
    optimizer = cg.optimizers.adam(0.01 * (1 + group.rank))
    return words(lambda: digits(cg, group, folder, optimizer=optimizer))


def given_different_models(cg, group, folder):
    make = without_a_plan if group.rank else in_one_batch
    return words(lambda: make(cg, group, folder))


def given_different_folders(cg, group, folder):
    """The first process resumes, the others find nothing."""
    own = {"checkpoints": folder / f"own-{min(group.rank, 1)}", "resume": True}
    if group.rank == 0:
        digits(cg, None, folder, epochs=1, **own)
    return words(lambda: digits(cg, group, folder, **own))


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
    return chalkgrad.torch.optimizers.adamw(0.01, weight_decay=0.1)


def flat(tensors):
    return torch.cat([a.detach().reshape(-1) for a in tensors]).numpy()


def share(group):
    return slice(group.rank, None, group.size)


def distributed_data_parallel(group):
    model = torch.nn.parallel.DistributedDataParallel(module())
    train(model, TorchOptimizer(model.parameters(), rule()), share(group))
    return {"w": flat(model.parameters())}


def fully_sharded(group):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model = module()
    mesh = init_device_mesh("cpu", (group.size,))
    fully_shard(model, mesh=mesh)
    train(model, TorchOptimizer(model.parameters(), rule()), share(group))
    w = flat([p.full_tensor() for p in model.parameters()])
    refused = words(
        lambda: TorchOptimizer(model.parameters(), chalkgrad.torch.optimizers.dog())
    )
    return {"w": w} | refused


OTHERS = {
    scenario.__name__: scenario
    for scenario in (
        interrupted,
        stopped_by_a_callback,
        failed_in_a_callback,
        given_different_seeds,
        given_different_rates,
        given_different_models,
        given_different_folders,
    )
}
MODELS = {"distributed_data_parallel": distributed_data_parallel}
if CAN_SHARD := hasattr(torch.cpu.Stream, "record_event"):  # PyTorch 2.6 needs a GPU
    MODELS["fully_sharded"] = fully_sharded
BACKENDS = {"numpy": chalkgrad.numpy, "torch": chalkgrad.torch}


DAY = 24 * 3600


def traced(trace):
    found = trace._asdict() | {"w": to_numpy(trace.w)}
    del found["seconds"]
    return {name: value for name, value in found.items() if value is not None}


def run(folder):
    # One that ends is noticed at once; no clock may end those that a machine slows.
    with process_group(timeout=DAY) as group:
        for backend, cg in BACKENDS.items():
            (own := folder / backend).mkdir(exist_ok=True)
            for name, scenario in (FITS | OTHERS).items():
                found = scenario(cg, group, own)
                found = traced(found) if isinstance(found, FitResult) else found
                np.savez(own / f"{name}-{group.rank}", **found)
        for name, scenario in MODELS.items():
            np.savez(folder / f"{name}-{group.rank}", **scenario(group))


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

    def start(rank):
        with (folder / f"errors-{rank}").open("w") as errors:
            env = environment(rank, request.param, port)
            command = [sys.executable, __file__, folder]
            return subprocess.Popen(command, env=env, stderr=errors)

    running = [start(rank) for rank in range(request.param)]
    with ThreadPoolExecutor(len(running)) as pool:
        for ended in as_completed([pool.submit(one.wait) for one in running]):
            if ended.result():  # the others would wait for it
                for other in running:
                    other.kill()
    errors = [path.read_text() for path in sorted(folder.glob("errors-*"))]
    assert not any(process.returncode for process in running), "\n".join(errors)

    def found(name):
        return [dict(np.load(folder / f"{name}-{i}.npz")) for i in range(len(running))]

    found.folder = folder
    return found


@pytest.fixture(params=BACKENDS)
def backend(request):
    return request.param


@pytest.fixture
def alone(backend, tmp_path):
    return lambda name: traced(FITS[name](BACKENDS[backend], None, tmp_path))


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
def test_together_they_are_as_one(together, alone, backend, name):
    expected = alone(name)
    found = together(f"{backend}/{name}")
    agree(found, expected, 1e-4 if "single" in name else 1e-12)
    stopped = {"diverged": "diverged", "stopped_early": "early"}.get(name, "finished")
    assert expected["stopped"] == stopped


def test_ctrl_c_for_one_is_for_all(together, alone, backend):
    found = together(f"{backend}/interrupted")
    agree(found, {"w": alone("digits")["w"], "stopped": "interrupted"})
    assert {int(one["steps"]) for one in found} == {41}  # they agree a step later
    lines = (together.folder / backend / "interrupted.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines] == ["step", "36", "72"]


def test_only_one_of_them_keeps_checkpoints(together, backend):
    kept = (together.folder / backend / "interrupted").iterdir()
    assert {path.name for path in kept} == {
        f"step-0000000{i}.safetensors" for i in (36, 41, 72)
    }


def test_a_callback_of_one_stops_all_after_the_same_step(together, alone, backend):
    found = together(f"{backend}/stopped_by_a_callback")
    agree(found, {"w": alone("digits")["w"], "stopped": "callback", "steps": 40})


def test_a_callback_that_fails_for_one_ends_the_run_of_all(together, alone, backend):
    *others, last = together(f"{backend}/failed_in_a_callback")
    assert last.pop("words") == "mine"
    for other in others:
        assert "a callback of another process of `group` raised" in str(other["words"])
        del other["words"]
    agree([*others, last], {"w": alone("digits")["w"]})
    newest = together.folder / backend / "failed" / "step-000000036.safetensors"
    assert newest.exists()


def test_different_arguments_are_refused_by_all(together, backend):
    for name, words in {
        "seeds": "process 1 of `group` has another rng than process 0",
        "models": "process 1 of `group` has another network and w and x and y",
        "folders": "process 1 of `group` has another step than process 0",
        "rates": "weights of process 1 of `group` have drifted from those of process 0",
    }.items():
        for one in together(f"{backend}/given_different_{name}"):
            assert words in str(one["words"])


def test_another_number_of_processes_is_told(together, backend, tmp_path):
    folder = tmp_path / "interrupted"
    shutil.copytree(together.folder / backend / "interrupted", folder)
    cg = BACKENDS[backend]
    with pytest.warns(UserWarning, match=r"`processes` was '\d' and is '1'"):
        digits(cg, None, tmp_path, checkpoints=folder, resume=True, epochs=3)


@pytest.mark.parametrize("name", MODELS)
def test_our_rules_step_the_models_that_pytorch_shares(together, name):
    model = module()
    train(model, TorchOptimizer(model.parameters(), rule()))
    agree(together(name), {"w": flat(model.parameters())})


@pytest.mark.skipif(not CAN_SHARD, reason="this PyTorch shards on a GPU only")
def test_a_rule_that_looks_at_all_weights_gets_no_shards(together):
    for one in together("fully_sharded"):
        assert "`rule` looks at all weights at once" in str(one["words"])


def test_fit_takes_a_group_only(backend):
    words = r"fit: `group` must be the processes .* got str"
    with pytest.raises(TypeError, match=words):
        digits(BACKENDS[backend], "gloo", None)


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
        assert (group.rank, group.size) == (0, 1)
        refuse("is in a group already", RuntimeError)
    started.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    started.setenv("GROUP_WORLD_SIZE", "2")
    refuse("set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 first")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
