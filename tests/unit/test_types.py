"""What an editor and a type checker say of the public names."""

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import chalkgrad.numpy as reference
import chalkgrad.types as types

twin = pytest.importorskip("chalkgrad.torch")

CODE = """
import chalkgrad.{backend} as cg
x, labels = cg.data.moons(3)
reveal_type(x)
net = cg.network([2, 2])
result = cg.training.fit(
    net, x, x, labels, loss=cg.losses.mse, optimizer=cg.optimizers.sgd(0.1), epochs=1,
)
reveal_type(result.w)
reveal_type(cg.training.predict(net, x, x))
reveal_type(cg.autodiff.grad(lambda w: w.sum())(x))
reveal_type(cg.landscape.directions(net, net.init()))
reveal_type(cg.experiments.beale().loss)
class Mine(cg.training.Callback):
    def on_step(self, progress: cg.training.FitProgress) -> None:
        reveal_type(progress.step)
class Other:
    def on_step(self) -> None: ...
cg.training.fit(
    net, x, x, labels, loss=cg.losses.mse, optimizer=cg.optimizers.sgd(0.1), epochs=1,
    callbacks=[Mine(), Other()],
)
cg.data.moons("three")
cg.optimizers.adam(lr="fast")
class NoModel: ...
cg.training.predict(NoModel(), x, x)
"""
ARRAYS = {"numpy": "numpy.ndarray", "torch": "torch._tensor.Tensor"}


def test_a_type_checker_knows_whose_arrays_they_are(tmp_path):
    for backend in ARRAYS:
        (tmp_path / f"user_{backend}.py").write_text(
            CODE.format(backend=backend), "utf-8"
        )
    config = Path(__file__).parents[2] / "pyproject.toml"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", config, *tmp_path.glob("*.py")],
        cwd=config.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    for backend, array in ARRAYS.items():
        lines = [line for line in done.stdout.splitlines() if f"user_{backend}" in line]
        told = [line.split('"')[1] for line in lines if "Revealed" in line]
        assert len(told) == 7, done.stdout + done.stderr
        assert all(array in one for one in told[:5]), told
        assert told[5:] == ["def (Any) -> Any", "int"]
        errors = [line for line in lines if "error" in line]
        assert len(errors) == 4, errors
        assert '"Other"; expected "Callback"' in errors[0]
        assert 'expected "int"' in errors[1]
        assert '"lr" to "Rule" has' in errors[2] or "Schedule" in errors[2]
        assert 'expected "Model"' in errors[3]


@pytest.mark.parametrize("topic", ["data", "experiments"])
def test_the_torch_backend_says_tensor_and_has_the_whole_docstring(topic):
    ours, theirs = getattr(reference, topic), getattr(twin, topic)
    assert dir(theirs) == sorted(ours.__all__)
    for name in theirs.__all__:
        f = getattr(theirs, name)
        if f is getattr(ours, name):  # a type, or what gives arrays of NumPy's
            shared = ("compare_optimizers", "train")
            assert isinstance(f, type) or name in shared
            continue
        assert f.__module__ == f"chalkgrad.{topic}._torch"
        assert inspect.signature(f).parameters.keys() == (
            inspect.signature(getattr(ours, name)).parameters.keys()
        )
        assert "import chalkgrad.torch as cg" in f.__doc__
        assert "Returns\n-------" in f.__doc__
        assert "ndarray" not in str(inspect.signature(f).return_annotation)


def is_open(annotation):
    return annotation in (typing.Any, "Any", inspect.Parameter.empty)


def annotations(thing):
    """Yield what a function, or a class, says of each value that goes in or out."""
    if not inspect.isclass(thing):
        signature = inspect.signature(thing)
        for p in signature.parameters.values():
            yield p.name, p.annotation
        yield "return", signature.return_annotation
        return
    for name, kind in vars(thing).get("__annotations__", {}).items():
        if not name.startswith("_"):
            yield name, kind
    for name, f in vars(thing).items():
        if inspect.isfunction(f) and not name.startswith("_"):
            yield from list(annotations(f))[1:]


@pytest.mark.parametrize("cg", [reference, twin], ids=list(ARRAYS))
def test_hardly_a_value_goes_in_or_out_without_a_type(cg):
    found = []
    for topic in cg.__all__:
        module = getattr(cg, topic)
        names = module.__all__ if inspect.ismodule(module) else ["__self__"]
        for name in names:
            thing = module if name == "__self__" else getattr(module, name)
            if callable(thing):
                found += [
                    f"{topic}.{name}: {what}"
                    for what, kind in annotations(thing)
                    if is_open(kind)
                ]
    assert len(found) < 15, found


def test_what_is_asked_of_arguments_can_be_imported():
    net = reference.network([2, 1])
    model: types.Model = net
    layered: types.Layered = net
    assert model.forward(net.init(), reference.array([[1.0, 2.0]])).shape == (1, 1)
    assert layered.size == 3
    assert set(types.__all__) >= {"Group", "Loss", "Model", "Optimizer", "Schedule"}
