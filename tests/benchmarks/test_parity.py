"""The parity ledger: every function has its row, and an error is seen."""

import inspect
import json

import numpy as np
import pytest
import torch
from mpmath import mp, mpf

import chalkgrad.numpy as reference
import chalkgrad.torch as twin
from benchmarks import exact, parity
from chalkdocs import benchmark_results, benchmark_tables

COLUMNS = parity.columns("cpu")


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(60):
        yield


def public(backend):
    """All functions of a façade, and the methods of a network that give numbers."""
    for name in backend.__all__:
        thing = getattr(backend, name)
        if name == "network":
            net = thing([1, 1])
            yield from (f"network.{m}" for m in dir(net) if m[0] != "_")
        elif inspect.ismodule(thing) or not callable(thing):
            for inner in thing.__all__:
                if not isinstance(getattr(thing, inner), type):
                    yield f"{name}.{inner}"
        elif not isinstance(thing, type):
            yield name


@pytest.mark.parametrize("backend", [reference, twin], ids=["numpy", "torch"])
def test_every_public_function_has_a_row_or_a_reason_to_have_none(backend):
    known = {*parity.ROWS, *parity.ELSEWHERE}
    data = {"network.sizes", "network.activation", "network.skip", "network.size"}
    slopes = {f"{path}_grad" for path in parity.ROWS}
    assert set(public(backend)) - known - slopes - data == set()


def test_every_loss_and_activation_has_its_exact_values():
    for path, row in parity.ROWS.items():
        if row.topic in parity.TRUTHS:
            few(path)


def test_an_error_is_counted_in_half_units_of_the_last_place():
    one, zero = np.array([mpf(1)], object), np.array([mpf(0)], object)
    after = np.nextafter(1.0, 2)
    assert parity.error(np.float64(1), one, "float64", 0) == 0
    assert parity.error(after, one, "float64", 0) == 2
    assert parity.error(np.float32(after), one, "float32", 0) == 0
    # Relative to a larger number, and below the smallest normal one, it counts less.
    assert parity.error(after, one, "float64", 4) == 0.5
    assert parity.error(np.float64(1e-309), zero, "float64", 0) == 0


def test_a_long_double_keeps_its_digits():
    x = np.longdouble(1) / 3
    if np.finfo(np.longdouble).nmant <= 52:
        pytest.skip("a long double is a float64 here")
    assert abs(parity.digits(x) - mpf(1) / 3) < mpf(2) ** -63


def few(path):
    return parity.measure(parity.ROWS[path]._replace(examples=5), COLUMNS)


def test_both_backends_are_right_to_some_last_places():
    for path in ("losses.huber", "network.loss_and_grad", "optimizers.adam"):
        for pair in few(path).values():
            assert all(units < 16 for units in pair if units is not None), path


def test_a_wrong_gradient_of_one_backend_is_seen_there(monkeypatch):
    right = twin.losses.mse_grad
    wrong = lambda *args, **options: right(*args, **options) * (1 + 1e-9)  # noqa: E731
    monkeypatch.setattr(twin.losses, "mse_grad", wrong)
    found = few("losses.mse")
    assert found["PyTorch, cpu, float64"][1] > 1e6
    assert found["PyTorch, cpu, float64"][0] < 4
    assert found["NumPy, float64"][1] < 4


def test_a_step_in_the_wrong_direction_is_seen(monkeypatch):
    right = reference.optimizers.sgd
    monkeypatch.setattr(
        reference.optimizers,
        "sgd",
        lambda lr, **options: right(lr * (1 + 1e-5), **options),
    )
    found = few("optimizers.sgd")
    # The truth is NumPy's formula in long double, so that the other backend seems
    # wrong.
    assert found["PyTorch, cpu, float64"][0] > 1e3


def test_the_reference_takes_long_doubles_only_while_it_is_asked_to():
    w = np.zeros(1, np.longdouble)
    opt = reference.optimizers.sgd(0.1)
    with parity.wider():
        assert opt.init(w).v.dtype == np.longdouble
    if np.dtype(np.longdouble) != np.float64:
        with pytest.raises(TypeError):
            opt.init(w)


def test_the_exact_gradient_is_that_of_autograd():
    net = twin.network([2, 3, 3, 2], activation="gelu", skip=True)
    w = net.init(rng=1) + 0.1
    x, labels = torch.tensor([[0.5, -1.0], [2.0, 0.25]]).double(), torch.tensor([1, 0])
    value, grad = exact.loss_and_grad(
        net, exact.exact(w.numpy()), exact.exact(x.numpy()), labels.numpy(),
        "cross_entropy", label_smoothing=0.1,
    )  # fmt: skip
    leaf = w.requires_grad_()
    loss = torch.nn.functional.cross_entropy(
        net.forward(leaf, x), labels, label_smoothing=0.1
    )
    loss.backward()
    assert float(value) == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(grad.astype(float), leaf.grad, rtol=1e-9, atol=1e-12)


# --- The page -------------------------------------------------------------------------

ROW = {
    "truth": "60 digits",
    "source": {},
    "units": {"NumPy, float64": [1.25, None], "PyTorch, cpu, float32": [2.0, 0.5]},
}
FOUND = {
    "machine": {"processor": "abacus"},
    "rows": {"losses.mse": ROW, "optimizers.sgd": ROW},
    "elsewhere": {"array": "copies"},
}


def test_a_column_that_was_not_run_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_results, "RESULTS", tmp_path)
    assert benchmark_tables.parity() == benchmark_tables.NOT_RUN
    (tmp_path / "parity.json").write_text(json.dumps(FOUND))
    text = benchmark_tables.parity()
    assert "CUDA<br>f64<br>not run yet" in text
    row = "| mse<br><small>60 digits</small> | 1.2 | – | – | 2&nbsp;·&nbsp;0.5 |"
    assert row in text
    assert "## Optimizers" in text
    assert "- copies: `array`" in text
    gpu = ROW | {"units": {"PyTorch, cuda, float64": [3.0, 4.0]}}
    on_gpu = FOUND | {"rows": {"losses.mse": gpu, "optimizers.sgd": gpu}}
    (tmp_path / "parity-cuda.json").write_text(json.dumps(on_gpu))
    text = benchmark_tables.parity()
    assert "not run yet" not in text
    assert "| 3&nbsp;·&nbsp;4 | – |" in text


def test_a_stale_row_is_marked(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_results, "RESULTS", tmp_path)
    source = benchmark_results.fingerprints(["losses"])
    for digest, stale in ((source["losses"], False), ("0", True)):
        row = ROW | {"source": {"losses": digest}}
        (tmp_path / "parity.json").write_text(
            json.dumps(FOUND | {"rows": {"losses.mse": row}})
        )
        words = "**Stale:** the code of losses has changed since."
        assert (words in benchmark_tables.parity()) is stale


def test_a_function_that_is_new_since_the_gpu_ran_has_no_numbers_of_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(benchmark_results, "RESULTS", tmp_path)
    (tmp_path / "parity.json").write_text(json.dumps(FOUND))
    (tmp_path / "parity-cuda.json").write_text(json.dumps(FOUND | {"rows": {}}))
    assert "| mse<br>" in benchmark_tables.parity()
