"""The command line: the digits are learnt, the mistakes shown, the errors told."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import chalkgrad
import chalkgrad.numpy as cg
from chalkgrad._core.install import advise
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.cli import _train, main
from chalkgrad.cli._options import BUILT_IN, COMMANDS, OPTIMIZERS, SCHEDULES, parse
from chalkgrad.data._shared import digits

BACKENDS = ["numpy", "torch"]


def skip_without(backend):
    if backend == "torch":
        pytest.importorskip("torch")


def network(folder):
    return checkpoints.load(folder / "network.safetensors")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Train on the digits with the defaults, in both backends."""
    skip_without("torch")
    words = [
        ["--backend", h, "--output", str(tmp_path_factory.mktemp(h))] for h in BACKENDS
    ]
    found = []
    for more in words:
        began = time.process_time()
        run = _train.learn(parse(["train", *more]))
        assert time.process_time() - began < 60  # 1 or 2: no clock of a busy machine
        found.append(run)
    return found


def test_the_digits_are_learnt_in_both_backends(runs):
    for run in runs:
        assert run.result.validation_accuracy[-1] >= 0.97
        assert len(run.labels) == round(0.2 * len(digits()[1]))


def test_both_backends_go_the_same_way(runs):
    ours, theirs = (run.result for run in runs)
    assert abs(ours.loss - theirs.loss).max() <= 1e-9
    assert abs(ours.validation_loss - theirs.validation_loss).max() <= 1e-9
    assert (ours.validation_accuracy == theirs.validation_accuracy).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("data", ["digits", "spirals"])
def test_train_prints_and_saves(backend, data, tmp_path, capsys):
    skip_without(backend)
    folder = tmp_path / "new" / "run"
    words = f"""train --data {data} --backend {backend} --epochs 2 --hidden 8
        --output {folder}"""
    assert main(words.split()) == 0
    told = capsys.readouterr().out
    classes, held, inputs = (10, 359, 64) if data == "digits" else (2, 200, 2)
    assert f"of {held} held-out examples right ({backend}, 2 epochs," in told
    assert "Row: what it is" in told
    saved = network(folder)
    assert saved["w"].shape == ((inputs + 1) * 8 + (8 + 1) * classes,)
    assert saved["w"].dtype == np.float64
    assert saved["network"]["sizes"] == [inputs, 8, classes]
    assert saved["classes"] == [str(k) for k in range(classes)]
    names = {path.name for path in folder.iterdir()}
    assert names == {"network.safetensors", "mistakes.png", "curves.png"}
    for name in names - {"network.safetensors"}:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_option_is_heard(backend, tmp_path, capsys):
    skip_without(backend)
    words = f"""train --backend {backend} --data blobs --examples 60 --hidden 5 4
        --activation tanh --optimizer rmsprop --lr 0.02 --epochs 3 --batch-size 7
        --seed 5 --dtype float32 --device cpu --output {tmp_path}"""
    assert main(words.split()) == 0
    assert f"({backend}, 3 epochs, 21 steps" in capsys.readouterr().out
    weights = network(tmp_path)["w"]
    assert weights.dtype == np.float32
    assert weights.shape == (3 * 5 + 6 * 4 + 5 * 3,)


def test_no_hidden_layer_is_a_linear_classifier(tmp_path):
    assert (
        main(f"train --data xor --epochs 1 --hidden --output {tmp_path}".split()) == 0
    )
    assert network(tmp_path)["w"].shape == (6,)


def test_the_confusion_table_has_every_count(tmp_path, capsys):
    words = f"train --data blobs --examples 200 --output {tmp_path}"
    assert main(words.split()) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line[:1] in "│┃"]
    counts = [
        int(word) for line in rows[1:] for word in line.split()[3:] if word != "│"
    ]
    assert sum(counts) == 40


def test_divergence_is_told(tmp_path, capsys):
    words = "train --data moons --optimizer sgd --lr 1e300 --output"
    assert main([*words.split(), str(tmp_path)]) == 1
    assert "try a smaller --lr" in capsys.readouterr().out
    assert np.isfinite(network(tmp_path)["w"]).all()


def test_ctrl_c_saves_what_there_is(tmp_path, capsys, monkeypatch):
    adam = cg.optimizers.adam

    def pressing(lr):
        def rate(t):
            signal.raise_signal(signal.SIGINT)
            return lr

        return adam(rate)

    monkeypatch.setattr(cg.optimizers, "adam", pressing)
    assert main(["train", "--output", str(tmp_path)]) == 130
    told = capsys.readouterr().out
    assert "Interrupted" in told
    assert "0 epochs, 1 step," in told
    assert np.isfinite(network(tmp_path)["w"]).all()
    assert main(["train", "--output", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "is there from another training; go on with that by --resume" in told
    monkeypatch.undo()
    assert main(["train", "--epochs", "2", "--output", str(tmp_path), "--resume"]) == 0
    assert "2 epochs, 90 steps" in capsys.readouterr().out
    resumed = network(tmp_path)["w"]
    assert main(["train", "--epochs", "2", "--output", str(tmp_path)]) == 0
    np.testing.assert_allclose(network(tmp_path)["w"], resumed, rtol=1e-9)


def test_what_it_did_not_make_is_left_alone(tmp_path):
    notes = ["notes.txt", "unfinished", "checkpoints/notes.txt"]
    cg.checkpoints.save(tmp_path, {"mine": 1}, step=0)
    (tmp_path / "checkpoints").mkdir()
    for name in notes:
        (tmp_path / name).write_text("mine")
    words = f"train --data moons --epochs 1 --output {tmp_path} --resume"
    assert main(words.split()) == 0
    assert [(tmp_path / name).read_text() for name in notes] == ["mine"] * 3
    assert cg.checkpoints.latest(tmp_path).contents == {"mine": 1}
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["notes.txt"]


def test_a_folder_of_another_training_is_kept(tmp_path, capsys):
    folder = tmp_path / "checkpoints"
    (tmp_path / "checkpoints").mkdir()
    (folder / "step-1.safetensors").write_text("mine")
    for resume, told in (("", "go on with that by --resume"), ("--resume", "is whole")):
        words = f"train --data moons --output {tmp_path} {resume}"
        assert main(words.split()) == 2
        assert told in capsys.readouterr().err
    assert (folder / "step-1.safetensors").read_text() == "mine"


def test_patience_ends_early_with_the_best_weights(tmp_path, capsys):
    words = f"train --data moons --lr 0.5 --patience 3 --output {tmp_path} --epochs 200"
    assert main([*words.split(), "--log", str(tmp_path / "log.csv")]) == 0
    assert "Stopped early" in capsys.readouterr().out
    with (tmp_path / "log.csv").open() as file:
        losses = [float(line["validation_loss"]) for line in csv.DictReader(file)]
    assert min(losses) == losses[-4]
    assert main(["evaluate", str(tmp_path)]) == 0
    assert f"loss {losses[-4]:.4f} nats" in capsys.readouterr().out
    assert main([*words.split(), "--log", str(tmp_path / "log.csv")]) == 2
    assert "log.csv is there from another training" in capsys.readouterr().err


@pytest.fixture
def without():
    """Make a module one that is not installed, for a chalkgrad imported anew."""
    before = dict(sys.modules)

    def forget(package):
        for name in list(sys.modules):
            if f"{name}.".startswith(f"{package}."):
                del sys.modules[name]

    def without(module):
        forget("chalkgrad")
        forget(module)
        sys.modules[module] = None

    yield without
    forget("chalkgrad")
    sys.modules.update(before)


@pytest.mark.parametrize(
    ("module", "extra"), [("rich", "cli"), ("matplotlib", "cli"), ("torch", "torch")]
)
def test_a_missing_package_is_told(module, extra, tmp_path, capsys, without):
    without(module)
    assert main(["train", "--backend", "torch", "--output", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told == (
        f"chalkgrad: this needs {module}, which is not installed; {advise(extra)}\n"
    )


def test_no_command_is_handed_more_than_its_options():
    for path in Path(chalkgrad.cli.__file__).parent.glob("*.py"):
        assert ("argparse" in path.read_text("utf-8")) == (path.name == "_options.py")
    words = {"predict": ["run", "x.csv"], "evaluate": ["run"], "landscape": ["run"]}
    for name, kind in COMMANDS.items():
        given = words.get(name, ["x.csv"] if name == "inspect" else [])
        assert type(parse([name, *given])) is kind


def test_another_missing_module_is_a_bug(tmp_path, without):
    without("chalkgrad.training.fit")
    with pytest.raises(ModuleNotFoundError):
        main(["train", "--output", str(tmp_path)])


def test_what_was_missing_is_there_again_and_nothing_is_there_twice():
    assert sys.modules["chalkgrad"] is chalkgrad
    for name, module in list(sys.modules.items()):
        package, _, child = name.rpartition(".")
        if package.partition(".")[0] == "chalkgrad":
            found = getattr(sys.modules[package], child)
            is_exported = getattr(found, "__module__", "") == name  # training.fit.fit
            assert found is module or is_exported, name


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--lr -1", "`lr` must be"),
        ("--hidden 0", "network:"),
        ("--activation magic", "`activation` must be one of"),
        ("--epochs 0", "fit: `epochs` must be"),
        ("--batch-size 0", "fit: `batch_size` must be"),
        ("--seed -1", "`rng` must be"),
        ("--data moons --examples 1", "one class teaches nothing"),
        ("--device cuda", "device"),
    ],
)
def test_an_option_out_of_range_is_told(words, told, tmp_path, capsys):
    assert main(["train", *words.split(), "--output", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("chalkgrad: ")
    assert told in err
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_is_told_before_training(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("")
    for output in (file, file / "below"):
        assert main(["train", "--output", str(output)]) == 2
        assert f"chalkgrad: cannot write into {output}: " in capsys.readouterr().err


def test_the_words_are_those_of_the_library():
    wrappers = {"ema", "clip", "decay_weights", "maximize"}
    assert set(cg.optimizers.__all__) - wrappers == set(OPTIMIZERS)
    assert set(SCHEDULES) <= set(cg.schedules.__all__)
    assert set(BUILT_IN) <= set(cg.data.__all__)


@pytest.mark.parametrize("words", [[], ["train", "--backend", "jax"], ["trian"]])
def test_words_that_make_no_command_exit_with_2(words, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(words)
    assert exit_.value.code == 2
    assert "usage: chalkgrad" in capsys.readouterr().err


def test_python_m_chalkgrad_is_the_same():
    run = subprocess.run(
        [sys.executable, "-m", "chalkgrad", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == f"chalkgrad {chalkgrad.__version__}\n"
