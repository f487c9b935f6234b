"""The commands beside train: they agree with it, and refuse what they cannot use."""

import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chalkgrad
import chalkgrad.numpy as cg
from chalkgrad._core import rows as lazy_rows
from chalkgrad._core.install import advise
from chalkgrad.checkpoints import _shared as checkpoints
from chalkgrad.cli import _bench, _claims, _examples, main

BACKENDS = ["numpy", "torch"]
PNG = b"\x89PNG"


def skip_without(backend):
    if backend == "torch":
        pytest.importorskip("torch")


def table_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def run(capsys, words, code=0):
    assert main(str(words).split()) == code
    return capsys.readouterr()


def flowers(path, n=90):
    """Write a table of two kinds of columns and three kinds of flowers."""
    rng = np.random.default_rng(0)
    kinds = np.array(["aster", "bluebell", "clover"])[np.arange(n) % 3]
    size = 100 * (np.arange(n) % 3) + rng.normal(0, 10, n) + 5000
    weight = rng.normal(0, 1e-3, n)
    lines = zip(size.tolist(), weight.tolist(), kinds, strict=True)
    path.write_text(
        "size,weight,kind\n" + "".join(f"{a!r},{b!r},{k}\n" for a, b, k in lines)
    )
    return path


def images(folder, n=80):
    """Save n images of 5 x 5 bytes: dark above, or dark below."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 60, (n, 5, 5)).astype(np.uint8)
    labels = np.arange(n) % 2
    x[labels == 0, :2] += 150
    x[labels == 1, 3:] += 150
    np.save(folder / "images.npy", x)
    np.save(folder / "labels.npy", labels)
    return folder / "images.npy"


@pytest.fixture
def trained(tmp_path, capsys):
    """Train on flowers; return the folder of the network and the table."""
    table = flowers(tmp_path / "flowers.csv")
    words = f"train --data {table} --hidden 8 --epochs 30 --output {tmp_path / 'run'}"
    told = run(capsys, words).out
    assert "aster" in told
    assert "100.00% of 18 held-out" in told
    return tmp_path / "run", table


@pytest.mark.parametrize("backend", BACKENDS)
def test_train_predict_and_evaluate_agree(backend, trained, tmp_path, capsys):
    skip_without(backend)
    folder, table = trained
    told = run(capsys, f"evaluate {folder} --backend {backend}").out
    assert told.startswith("100.00% of 18 examples right, loss ")
    told = run(capsys, f"evaluate {folder} --data {table} --backend {backend}").out
    out = tmp_path / "out.csv"
    words = f"predict {folder} {table} --labels kind --backend {backend}"
    run(capsys, f"{words} --output {out}")
    assert run(capsys, words).out == out.read_text()
    rows = table_of(out)
    kinds = [row["kind"] for row in table_of(table)]
    right = sum(row["class"] == kind for row, kind in zip(rows, kinds, strict=True))
    assert told.startswith(f"{right / 90:.2%} of 90 examples right")
    chances = np.array(
        [
            [float(row[f"p({k})"]) for k in ("aster", "bluebell", "clover")]
            for row in rows
        ]
    )
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-5)
    loss = -np.log([float(r[f"p({k})"]) for r, k in zip(rows, kinds, strict=True)])
    assert f"loss {loss.mean():.4f} nats" in told


def test_both_backends_predict_the_same(trained, capsys):
    pytest.importorskip("torch")
    folder, table = trained
    ours, theirs = (
        run(capsys, f"predict {folder} {table} --labels 2 --backend {backend}").out
        for backend in BACKENDS
    )
    ours, theirs = (list(csv.reader(io.StringIO(text))) for text in (ours, theirs))
    assert [row[0] for row in ours] == [row[0] for row in theirs]
    np.testing.assert_allclose(
        np.array([row[1:] for row in ours[1:]], float),
        np.array([row[1:] for row in theirs[1:]], float),
        rtol=1e-4,
    )


@pytest.mark.parametrize("columns", [2, 3])
def test_names_are_words_and_no_markup(columns, tmp_path, capsys):
    table = tmp_path / "[bold]table.csv"
    names = ("[red]rose", r"$\frac", "$^$")
    rows = ["1," * columns + name for name in names] * 20
    table.write_text("\n".join(rows))
    words = f"train --data {table} --epochs 1 --output {tmp_path}/[i]"
    told = run(capsys, words).out
    assert all(name in told for name in names)
    assert "Saved in" in told
    assert "[i]: network" in told


def test_scaling_is_learnt_from_the_training_rows_alone(tmp_path, capsys):
    rng = np.random.default_rng(0)
    x, labels = rng.normal([5, 300, 7], [1e-3, 50, 0], (60, 3)), np.arange(60) % 2
    np.savez(tmp_path / "set.npz", x=x, labels=labels)
    run(capsys, f"train --data {tmp_path / 'set.npz'} --epochs 1 --output {tmp_path}")
    saved = checkpoints.load(tmp_path / "network.safetensors")
    seen, *_ = cg.data.split(x, labels)
    np.testing.assert_allclose(saved["shift"], seen.mean(0), rtol=1e-12)
    # The last column never changes.
    wanted = [*seen.std(0)[:2], 1]
    np.testing.assert_allclose(saved["scale"], wanted, rtol=1e-9)


def test_a_network_finds_its_data_from_elsewhere(tmp_path, capsys, monkeypatch):
    images(tmp_path)
    (tmp_path / "labels.npy").rename(tmp_path / "truth.npy")
    monkeypatch.chdir(tmp_path)
    run(capsys, "train --data images.npy --labels truth.npy --epochs 9 --output run")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert "of 16 examples right" in run(capsys, "evaluate ../run").out


@pytest.mark.parametrize("backend", BACKENDS)
def test_images_are_learnt_from_bytes(backend, tmp_path, capsys):
    skip_without(backend)
    path = images(tmp_path)
    words = f"""train --data {path} --backend {backend} --hidden 4 --epochs 20
        --dtype float32 --output {tmp_path / "run"}"""
    assert "100.00% of 16 held-out" in run(capsys, words).out
    assert (tmp_path / "run/mistakes.png").read_bytes().startswith(PNG)
    told = run(capsys, f"predict {tmp_path / 'run'} {path} --backend {backend}").out
    assert told.splitlines()[:1] == ["class,p(0),p(1)"]
    assert [line[0] for line in told.splitlines()[1:]] == ["0", "1"] * 40


def test_what_is_too_large_for_memory_is_learnt_alike(tmp_path, capsys, monkeypatch):
    path = images(tmp_path)
    told = []
    for memory in (2**30, 10):
        monkeypatch.setattr(_examples, "MEMORY", memory)
        monkeypatch.setattr(lazy_rows, "ROOM", 100)
        words = f"train --data {path} --epochs 2 --output {tmp_path / 'run'}"
        told.append(run(capsys, words).out.partition(" (")[0])
        told.append(run(capsys, f"predict {tmp_path / 'run'} {path}").out)
    assert told[:2] == told[2:]


@pytest.mark.parametrize("count", [4, 30])
def test_many_classes_have_no_table_but_a_picture(count, tmp_path, capsys):
    rng = np.random.default_rng(0)
    labels = np.arange(300) % count
    x = np.eye(count)[labels] + rng.normal(size=count)
    np.savez(tmp_path / "set.npz", a=x, b=labels)
    words = f"""train --data {tmp_path / "set.npz"} --inputs a --labels b --epochs 1
        --output {tmp_path / "run"}"""
    assert ("Row:" in run(capsys, words).out) == (count == 4)
    assert (tmp_path / "run/mistakes.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "exponential", "step"])
def test_rates_change_as_asked(schedule, tmp_path, capsys):
    words = f"""train --data moons --examples 100 --epochs 3 --schedule {schedule}
        --warmup 2 --clip 1 --average 0.9 --skip --optimizer sgd --output {tmp_path}"""
    assert "(numpy, 3 epochs, 9 steps" in run(capsys, words).out


def test_products_may_be_less_precise_with_torch(tmp_path, capsys):
    pytest.importorskip("torch")
    words = f"""train --data moons --dtype float32 --precision bf16 --overwrite
        --output {tmp_path}"""
    told = run(capsys, f"{words} --backend torch --epochs 5").out
    assert float(told.partition("%")[0]) > 80
    assert "`precision` must be one of 'full'" in run(capsys, words, code=2).err


def test_one_cycle_is_another_training(tmp_path, capsys):
    words = f"train --data moons --epochs 3 --overwrite --output {tmp_path}"
    plain = run(capsys, words).out
    assert run(capsys, f"{words} --schedule one_cycle").out != plain
    told = run(capsys, f"{words} --warmup 75", code=2).err
    assert "--warmup 75 must be shorter than the training, which has 75 steps" in told


def test_an_adaptive_optimizer_starts_from_one(tmp_path, capsys):
    words = f"""train --data moons --epochs 5 --optimizer prodigy --overwrite
        --output {tmp_path}"""
    default = run(capsys, words).out.partition(" (")[0]
    assert run(capsys, f"{words} --lr 1").out.partition(" (")[0] == default


@pytest.mark.parametrize("backend", BACKENDS)
def test_landscape_has_the_loss_of_the_network_in_its_middle(backend, trained, capsys):
    skip_without(backend)
    folder, table = trained
    loss = run(capsys, f"evaluate {folder}").out.split("loss ")[1].split()[0]
    told = run(capsys, f"landscape {folder} --points 5 --backend {backend}").out
    assert f"Loss of 18 examples: {loss} at the network" in told
    assert (folder / "landscape.png").read_bytes().startswith(PNG)
    words = f"landscape {folder} --data {table} --rows 7 --points 3"
    other = folder / "other.png"
    assert "Loss of 7 examples" in run(capsys, f"{words} --output {other}").out
    assert other.exists()


@pytest.mark.parametrize("backend", BACKENDS)
def test_sweep_has_a_row_for_each_rate_and_seed(backend, tmp_path, capsys):
    skip_without(backend)
    words = f"""sweep --data moons --epochs 3 --lr 0.1 0.001 --seeds 3
        --backend {backend} --output {tmp_path}"""
    told = run(capsys, words).out
    assert "6 networks, 3 epochs" in told
    rows = table_of(tmp_path / "sweep.csv")
    assert [row["lr"] for row in rows] == ["0.001"] * 3 + ["0.1"] * 3
    assert [row["seed"] for row in rows] == ["0", "1", "2"] * 2
    assert (tmp_path / "sweep.png").read_bytes().startswith(PNG)
    right = np.array([float(row["accuracy"]) for row in rows]).reshape(2, 3)
    assert f"{np.median(right[1]):.2%}" in told


def test_one_network_of_a_sweep_is_that_of_train(tmp_path, capsys):
    words = f"--data moons --epochs 3 --output {tmp_path}"
    run(capsys, f"sweep {words} --lr 0.01 0.1 --seeds 2")
    first = table_of(tmp_path / "sweep.csv")[0]
    told = run(capsys, f"train {words} --lr 0.01").out
    assert told.startswith(f"{float(first['accuracy']):.2%} of 200")


def test_a_rate_that_diverges_is_left_out_of_a_sweep(tmp_path, capsys):
    words = f"sweep --data moons --epochs 2 --optimizer sgd --output {tmp_path} --lr"
    told = run(capsys, f"{words} 0.1 1e300").out
    assert "Diverged, and left out: rate 1e+300" in told
    assert "5 networks" in told
    told = run(capsys, f"{words} 1e300 --overwrite", code=1).out
    assert "It ended before the first epoch did." in told


@pytest.mark.parametrize("backend", BACKENDS)
def test_find_lr_suggests_a_rate(backend, tmp_path, capsys):
    skip_without(backend)
    told = run(capsys, f"find-lr --backend {backend} --output {tmp_path}").out
    rate = float(told.split("--lr ")[1].split(":")[0])
    assert 1e-3 < rate < 1e-1
    assert (tmp_path / "find-lr.png").read_bytes().startswith(PNG)


def test_bench_counts_examples(capsys, monkeypatch):
    told = run(capsys, "bench --epochs 1 --hidden 4").out
    assert "64-4-10, Adam, batches of 32, float32" in told
    assert "chalkgrad, NumPy" in told
    if "torch" in sys.modules:
        assert "a plain loop in PyTorch" in told
    monkeypatch.setattr(_bench.importlib.util, "find_spec", lambda name: None)
    told = run(capsys, "bench --epochs 1 --hidden 4").out
    assert "chalkgrad, PyTorch" not in told
    assert f"PyTorch would be timed, too: {advise('torch')}." in " ".join(told.split())


# --- The ledger -----------------------------------------------------------------------


def test_claims_are_checked_on_this_machine(capsys):
    told = run(capsys, "claims g1 G2").out
    assert "holds if the step is short" in told
    assert "2 of 2 verdicts confirmed." in told
    told = run(capsys, "claims G99", code=2).err
    assert "claims: no claim G99; there are T1," in told


def test_a_claim_that_fails_is_told(tmp_path, capsys, monkeypatch):
    page = tmp_path / "docs/page.md"
    page.parent.mkdir()
    snippet = (
        "    ```pycon\n    >>> 1 + 1\n    {}\n    ```\n\n"
        "    *Evidence:* one sum. Not tested: others.\n"
    )
    page.write_text(
        "---\nclaims: [G1, G2]\n---\n"
        '!!! claim "G1 · holds"\n\n' + snippet.format(2) + "\nWords.\n\n"
        '!!! claim "G2 · holds"\n\n' + snippet.format(3) + "\nWords.\n\n"
        "```pycon\n>>> 1 / 0\n1\n```\n"
    )
    monkeypatch.setattr(_claims.lecture, "find_pages", lambda: page.parent)
    told = run(capsys, "claims", code=1).out
    assert "1 of 2 verdicts confirmed." in told
    assert "differs, line 18" in told
    assert "page.md: other answers in the lines 18, 27." in told
    page.parent.rename(tmp_path / "elsewhere")
    told = run(capsys, "claims", code=2).err
    assert "claims: there are no pages in" in told


def test_a_page_that_needs_what_is_missing_is_not_run(capsys, monkeypatch):
    monkeypatch.setattr(_claims.lecture, "has", lambda name: name != "sklearn")
    told = run(capsys, "claims T1 P3", code=2).out
    assert re.search("T1 +needs sklearn +pipeline ", told)
    assert re.search("P3 +confirmed +wiring ", told)
    assert "1 of 2 verdicts confirmed." in told
    assert f"Not all can run without sklearn: {advise('lecture')}" in told
    monkeypatch.setattr(_claims, "has", lambda _: False)
    told = run(capsys, "claims P3 --backend torch", code=2).err
    assert f"this needs torch, which is not installed; {advise('torch')}" in told


# --- Refusals -------------------------------------------------------------------------


def refused(capsys, words, folder):
    """Run a command that fails, and look at all that is there before and after."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    told = run(capsys, words, code=2)
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    before = {path: when for path, when in before.items() if path.is_file()}
    assert {path: when for path, when in after.items() if path.is_file()} == before
    assert not told.out
    assert told.err.startswith("chalkgrad: ")
    assert told.err.count("\n") == 1
    return told.err


@pytest.mark.parametrize("command", ["train", "sweep", "find-lr"])
@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (None, "", "no data '"),
        ("1,2,0\n3,4\n", "", "has 2 columns in line 2"),
        ("1,x,0\n3,4,1\n", "", "'x' in line 1"),
        ("1,2,0\n3,4,0\n5,6,0\n", "", "all labels of"),
        ("1,2,0\n3,4,1\n5,6,2\n", "", "3 different labels in 3 rows"),
        ("1,2,0.5\n3,4,1\n", "", "must be whole numbers"),
        ("1,2,0\n3,4,1\n" * 5, "--labels kind", "has no column 'kind'"),
        ("1,2,0\n3,4,1\n" * 5, "--labels -7", "none has number -7"),
        ("1,nan,0\n3,4,1\n" * 5, "", "has a nan or an infinity in column 1"),
        ("1,2,0\n3,4,1\n" * 5, "--hidden 0", "network:"),
        ("1,2,0\n3,4,1\n" * 5, "--device moon", "`device` 'moon' is not there"),
        ("1,2,0\n3,4,1\n" * 5, "--batch-size -1", "`batch_size`"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    command, text, options, words, tmp_path, capsys
):
    table = tmp_path / "table.csv"
    if text is not None:
        table.write_text(text)
    output = tmp_path / "new" / "run"
    command = f"{command} --data {table} --output {output} {options}"
    assert words in refused(capsys, command, tmp_path)
    assert not output.parent.exists()


def test_a_network_refuses_what_it_cannot_use(trained, tmp_path, capsys):
    folder, table = trained
    for words, told in [
        (
            f"predict {folder} {table} --labels size",
            "has the columns size, weight, kind",
        ),
        (f"predict {folder} {tmp_path / 'none.csv'}", "no data"),
        (f"predict {tmp_path} {table}", "cannot be read"),
        (f"evaluate {folder} --data moons", "has the label '0'"),
        (f"evaluate {folder} --data digits", "has the label '0'"),
        (f"landscape {folder} --points 4", "`points` must be odd"),
        (f"landscape {folder} --rows 0", "`rows` must be a whole number, 1 or more"),
        (f"sweep --seeds 0 --output {tmp_path / 'new'}", "`seeds` must be"),
        (
            f"predict {folder} {table} --labels kind --output {tmp_path}/no/out.csv",
            "cannot write",
        ),
        (
            f"predict {folder} {table} --labels kind --output {table}",
            "would overwrite the examples",
        ),
    ]:
        assert told in refused(capsys, words, tmp_path)
    wide = tmp_path / "wide.csv"
    wide.write_text("1,2,3\n4,5,6\n")
    told = refused(capsys, f"predict {folder} {wide}", tmp_path)
    assert "has 3 columns of inputs, and the network takes 2" in told
    wide.write_text("1,nan\n4,5\n")
    told = refused(capsys, f"predict {folder} {wide}", tmp_path)
    assert "every number must be finite" in told
    table.unlink()
    assert "no data" in refused(capsys, f"evaluate {folder}", tmp_path)
    saved = folder / "network.safetensors"
    checkpoints.save(folder, {"w": np.zeros(3)}, step=0).replace(saved)
    assert "is no network" in refused(capsys, f"evaluate {folder}", tmp_path)
    checkpoints.save(folder, {"network": {"sizes": [2, 3]}}, step=0).replace(saved)
    assert "is no network" in refused(capsys, f"evaluate {folder}", tmp_path)
    saved.write_bytes(saved.read_bytes()[:-1])
    assert "is not a whole" in refused(capsys, f"evaluate {folder}", tmp_path)


def test_ctrl_c_anywhere_exits_with_130(tmp_path, capsys, monkeypatch):
    def pressed(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_bench, "run", pressed)
    assert "interrupted" in run(capsys, "bench", code=130).err


@pytest.mark.parametrize("command", ["predict {} {} --labels kind", "evaluate {}"])
def test_whoever_stops_reading_is_told_nothing(command, trained):
    words = [sys.executable, "-m", "chalkgrad", *command.format(*trained).split()]
    told = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    told.stdout.close()
    with told:
        assert told.stderr.read() == b""
    assert told.returncode == 1


def test_a_device_without_numbers_is_refused(tmp_path, capsys):
    pytest.importorskip("torch")
    words = f"train --backend torch --device meta --output {tmp_path / 'run'}"
    assert "--device meta holds no numbers" in refused(capsys, words, tmp_path)


def test_a_train_in_a_process_of_its_own(tmp_path):
    words = f"train --data moons --epochs 1 --output {tmp_path / 'run'}"
    done = subprocess.run(
        [sys.executable, "-m", "chalkgrad", *words.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "held-out examples right" in done.stdout
    assert (tmp_path / "run/network.safetensors").exists()


def test_help_needs_python_alone():
    folder = Path(chalkgrad.__file__).parents[1]
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(folder)!r})\n"
        "from chalkgrad.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'numpy', 'rich', 'matplotlib', 'torch'}, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_help_tells_the_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "all random numbers come from (default: 0)" in told
    assert "(default: None)" not in told
    assert "80 % of the data" in told
