"""The command line with tables of one's own: columns go by name, nothing is lost."""

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
from itertools import islice, permutations

import numpy as np
import pytest

from chalkgrad.cli import main
from chalkgrad.cli._output import _digest

NAMES = ["size", "weight", "leaves"]


def rows(n=120, seed=0):
    """Draw columns on scales of their own, and two kinds that the first tells apart."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(n) % 2
    size = rng.normal(0, 1, n) + 5 * kinds
    columns = [size, rng.normal(100, 10, n), rng.normal(0, 1e-3, n)]
    return np.stack(columns, axis=1).tolist(), [["oak", "elm"][k] for k in kinds]


def write(path, head, table, *, delimiter=",", encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(
            [head, *table]
        )
    return path


def run(capsys, words, code=0):
    assert main([str(word) for word in words]) == code
    return capsys.readouterr()


def predicted(capsys, *words):
    told = run(capsys, ["predict", *words]).out
    return list(csv.DictReader(io.StringIO(told)))


def train(place):
    """Train on a table with a key; return the folder of the network and the table."""
    x, kinds = rows()
    table = [
        [900 + i, *row, kind]
        for i, (row, kind) in enumerate(zip(x, kinds, strict=True))
    ]
    path = write(place / "train.csv", ["id", *NAMES, "kind"], table)
    words = ["train", "--data", path, "--epochs", 15, "--output", place / "run"]
    with contextlib.redirect_stdout(io.StringIO()) as told:
        assert main([str(word) for word in words]) == 0
    assert told.getvalue().startswith(
        "train.csv: 120 rows, 3 inputs (size, weight, leaves); labels kind: elm 60, "
        "oak 60; header yes, delimiter ',', decimal '.', encoding utf-8; left out: id "
        "(a row number); no rows left out\n"
    )
    return place / "run", path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train once for all tests that only read what comes of it."""
    return train(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def own(tmp_path):
    """Train for a test that changes what comes of it."""
    return train(tmp_path)


def test_inspect_says_what_train_says_and_stops(trained, capsys):
    _, path = trained
    before = set(path.parent.rglob("*"))
    told = run(capsys, ["inspect", path])
    assert told.out.startswith("train.csv: 120 rows, 3 inputs (size, weight, leaves)")
    assert told.out.count("\n") == 1
    assert told.err == ""
    assert set(path.parent.rglob("*")) == before


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_columns_go_by_name_in_any_order(backend, trained, tmp_path, capsys):
    if backend == "torch":
        pytest.importorskip("torch")
    folder, _ = trained
    x, kinds = rows(40, seed=1)
    answers = set()
    for order in islice(permutations(range(5)), 0, None, 7):
        head = [[*NAMES, "kind", "id"][j] for j in order]
        table = [
            [[*row, kind, f"n{i}"][j] for j in order]
            for i, (row, kind) in enumerate(zip(x, kinds, strict=True))
        ]
        path = write(tmp_path / "new.csv", head, table)
        answers.add(run(capsys, ["predict", folder, path, "--backend", backend]).out)
        told = run(
            capsys, ["evaluate", folder, "--data", path, "--backend", backend]
        ).out
        right = told.partition("%")[0]
        assert float(right) > 95
    (answer,) = answers
    lines = list(csv.DictReader(io.StringIO(answer)))
    assert [line["id"] for line in lines] == [f"n{i}" for i in range(40)]
    named = [line["class"] for line in lines]
    assert np.mean(np.array(named) == kinds) == pytest.approx(float(right) / 100)
    for line in lines:
        chances = {kind: float(line[f"p({kind})"]) for kind in ("elm", "oak")}
        assert sum(chances.values()) == pytest.approx(1, abs=1e-5)
        assert max(chances, key=chances.get) == line["class"]


def test_without_a_key_a_row_is_named_by_its_line(trained, tmp_path, capsys):
    folder, _ = trained
    x, _ = rows(6, seed=2)
    x[2][1] = ""
    path = write(tmp_path / "new.csv", NAMES, x)
    told = run(capsys, ["predict", folder, path], code=2).err
    assert "in line 4" in told
    assert "column 'weight'" in told
    assert "--missing drop leaves such rows out, --missing mean" in told
    lines = predicted(capsys, folder, path, "--missing", "drop")
    assert [line["line"] for line in lines] == ["2", "3", "5", "6", "7"]
    # What is put is the mean of the examples that were learned from.
    filled = predicted(capsys, folder, path, "--missing", "mean")
    assert len(filled) == 6
    few = write(tmp_path / "few.csv", NAMES, x[2:3])
    (one,) = predicted(capsys, folder, few, "--missing", "mean")
    assert one["p(oak)"] == filled[2]["p(oak)"]


@pytest.mark.parametrize("command", ["predict", "evaluate", "landscape"])
def test_other_columns_are_refused_with_both_lists(command, trained, tmp_path, capsys):
    folder, _ = trained
    x, kinds = rows(10, seed=3)
    output = tmp_path / "out"

    def told(path, *words, code=2):
        data = [path] if command == "predict" else ["--data", path]
        where = [] if command == "evaluate" else ["--output", output]
        return run(capsys, [command, folder, *data, *words, *where], code).err

    table = [[*row, 1, kind] for row, kind in zip(x, kinds, strict=True)]
    path = write(tmp_path / "new.csv", [*NAMES, "height", "kind"], table)
    text = told(path)
    assert "has the columns size, weight, leaves, height, kind" in text
    assert "trained on size, weight, leaves (unknown: height)" in text
    assert "--drop height leaves out" in text
    assert not output.exists()
    told(
        path,
        "--drop",
        "height",
        *(["--points", 3] if command == "landscape" else []),
        code=0,
    )
    output.unlink(missing_ok=True)
    head = ["size", "height", "leaves", "x", "kind"]
    text = told(write(tmp_path / "new.csv", head, table))
    assert "(missing: weight; unknown: height, x)" in text
    assert not output.exists()


def test_evaluate_needs_labels(trained, tmp_path, capsys):
    folder, _ = trained
    x, _ = rows(10)
    path = write(tmp_path / "new.csv", NAMES, x)
    told = run(capsys, ["evaluate", folder, "--data", path], code=2).err
    assert (
        "has no column 'kind', nor another of labels; say where they are: --la" in told
    )


def test_a_table_without_names_goes_by_place(tmp_path, capsys):
    x, kinds = rows()
    path = tmp_path / "train.csv"
    table = [
        [i, *row, kind] for i, (row, kind) in enumerate(zip(x, kinds, strict=True))
    ]
    write(path, table[0], table[1:])
    words = ["train", "--data", path, "--epochs", 15, "--output", tmp_path / "run"]
    told = run(capsys, words).out
    assert "3 inputs (1, 2, 3); labels 4: elm 60, oak 60; header none" in told
    assert "left out: 0 (a row number)" in told
    same = predicted(capsys, tmp_path / "run", path)
    bare = write(tmp_path / "bare.csv", x[0], x[1:])
    ours = predicted(capsys, tmp_path / "run", bare)
    assert [line["p(oak)"] for line in same] == [line["p(oak)"] for line in ours]
    assert [line["0"] for line in same] == [str(i) for i in range(120)]
    short = write(tmp_path / "short.csv", x[0][:2], [row[:2] for row in x[1:]])
    told = run(capsys, ["predict", tmp_path / "run", short], code=2).err
    assert "has 2 columns of inputs, and the network takes 3" in told


def test_how_a_table_was_written_is_kept(tmp_path, capsys):
    x, kinds = rows()
    table = [
        [*(f"{v:.6f}".replace(".", ",") for v in row), kind]
        for row, kind in zip(x, kinds, strict=True)
    ]
    path = tmp_path / "train.csv"
    write(path, [*NAMES, "käse"], table, delimiter=";", encoding="cp1252")
    words = ["train", "--data", path, "--epochs", 15, "--output", tmp_path / "run"]
    assert "say --encoding cp1252" in run(capsys, words, code=2).err
    words += ["--encoding", "cp1252"]
    assert "--decimal , makes it one" in run(capsys, words, code=2).err
    told = run(capsys, [*words, "--decimal", ","]).out
    assert "delimiter ';', decimal ',', encoding cp1252" in told
    lines = predicted(capsys, tmp_path / "run", path)
    assert (
        np.mean(
            [line["class"] == kind for line, kind in zip(lines, kinds, strict=True)]
        )
        > 0.95
    )
    assert "of 24 examples right" in run(capsys, ["evaluate", tmp_path / "run"]).out


def test_a_table_that_has_changed_is_told(own, capsys):
    folder, path = own
    x, kinds = rows()
    table = [[*row, kind] for row, kind in zip(x, kinds, strict=True)]
    write(path, ["size", "height", "leaves", "kind"], table)
    told = run(capsys, ["evaluate", folder], code=2).err
    assert "other columns than in training, size, height, leaves; they were" in told


def test_rows_that_have_changed_make_another_run(own, capsys):
    folder, path = own
    text = path.read_text("utf-8")
    words = ["train", "--data", path, "--epochs", 15, "--output", folder]
    run(capsys, words)
    run(capsys, ["evaluate", folder])
    before = {path: path.read_bytes() for path in folder.iterdir()}
    path.write_text(text.replace("905,", "905,1"), "utf-8")
    for more in ([], ["--resume"]):
        told = run(capsys, [*words, *more], code=2).err
        assert "from another run: contents was {'data': " in told
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    told = run(capsys, ["evaluate", folder], code=2).err
    assert "train.csv has changed since the training" in told
    path.write_text(text, "utf-8")
    run(capsys, ["evaluate", folder, "--data", path])


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**26 - 1, 2**26, 2**26 + 9])
def test_a_digest_sees_the_ends_of_a_file(size, tmp_path):
    path, found = tmp_path / "data", set()
    for places in ([], [0], [-1], [size // 2]):
        with path.open("wb") as file:
            file.truncate(size)
            for place in places if size else []:
                file.seek(place % size)
                file.write(b"x")
        found.add(_digest(path))
    assert len(found) == {0: 1, 1: 2}.get(size, 4)


def test_a_header_of_numbers_is_no_class(tmp_path, capsys):
    x, kinds = rows()
    table = [[*row, int(kind == "oak")] for row, kind in zip(x, kinds, strict=True)]
    for head in (range(4), [*range(3), "label"], [10, 20, 30, 40]):
        path = write(tmp_path / "t.csv", list(head), table)
        told = run(capsys, ["inspect", path]).out
        assert "120 rows" in told
        assert ": 0 60, 1 60; header yes" in told
    path = write(tmp_path / "t.csv", [0, 1], [[k % 3, k % 2] for k in range(12)])
    told = run(capsys, ["inspect", path], code=2).err
    assert "say which: --header or --no-header" in told
    assert "12 rows" in run(capsys, ["inspect", path, "--header", "--inputs", "0"]).out
    assert "13 rows" in run(capsys, ["inspect", path, "--no-header"]).out


@pytest.mark.parametrize("words", [["a", "b"], ["a,b"], ["1", "--drop", "2"]])
def test_columns_are_dropped_in_any_way_of_writing(words, tmp_path, capsys):
    table = [["xy"[k % 2], k + 0.5, k * k, -0.5 * k] for k in range(9)]
    path = write(tmp_path / "t.csv", ["kind", "a", "b", "c"], table)
    told = run(capsys, ["inspect", path, "--labels", "kind", "--drop", *words]).out
    assert "1 inputs (c); labels kind: x 5, y 4" in told
    assert "left out: a (dropped), b (dropped)" in told
    told = run(capsys, ["inspect", path], code=2).err
    assert "in column 'kind', which holds words: --labels kind if these are" in told


def test_labels_that_are_missing_are_no_class(tmp_path, capsys):
    x, kinds = rows()
    for k, mark in ((5, ""), (9, "NA"), (11, "nan")):
        kinds[k] = mark
    table = [[*row, kind] for row, kind in zip(x, kinds, strict=True)]
    path = write(tmp_path / "t.csv", [*NAMES, "kind"], table)
    words = ["train", "--data", path, "--epochs", 1, "--output", tmp_path / "run"]
    told = run(capsys, words, code=2).err
    assert "has no label in line 7, column 'kind', but ''; --missing drop" in told
    told = run(capsys, [*words, "--missing", "drop"]).out
    assert "117 rows" in told
    assert "3 rows left out" in told
    assert "│ NA │" not in told


# --- What a terminal can't write ------------------------------------------------------


def command(*words, cwd, **env):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "chalkgrad", *map(str, words)],
        cwd=cwd,
        env=os.environ | env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


@pytest.mark.no_cover
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_names_that_a_terminal_cannot_write_are_written_with_escapes(
    encoding, tmp_path, capsys
):
    x, kinds = rows(60)
    names = {"oak": "да", "elm": ":key:[/b]\x1b[31m"}
    table = [[*row, names[kind]] for row, kind in zip(x, kinds, strict=True)]
    write(tmp_path / "t.csv", ["日本", "😀", "c", "label"], table)
    words = ("train", "--data", "t.csv", "--epochs", 1, "--output", "run")
    done = command(*words, cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert r":key:[/b]\x1b[31m" in done.stdout
    assert ("да" if encoding == "utf-8" else r"\u0434\u0430") in done.stdout
    made = {path.name for path in (tmp_path / "run").iterdir()}
    assert made == {"network.safetensors", "curves.png", "mistakes.png"}
    words = ("predict", "run", "t.csv")
    done = command(*words, cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    run(
        capsys,
        [
            words[0],
            *map(tmp_path.joinpath, words[1:]),
            "--output",
            tmp_path / "out.csv",
        ],
    )
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert {line["class"] for line in csv.DictReader(file)} <= set(names.values())
    if encoding == "utf-8":
        assert done.stdout == (tmp_path / "out.csv").read_text("utf-8")


@pytest.mark.no_cover
def test_a_file_with_a_name_that_is_no_text(tmp_path):
    x, kinds = rows(60)
    table = [[*row, kind] for row, kind in zip(x, kinds, strict=True)]
    path = tmp_path / os.fsdecode(b"\xff.csv")
    try:
        write(path, [*NAMES, "kind"], table)
    except OSError:
        pytest.skip("no such names here")
    words = ("train", "--data", path, "--epochs", 1, "--output", "run")
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert command("evaluate", "run", cwd=tmp_path).returncode == 0


# --- What is there stays --------------------------------------------------------------

MADE = {
    "train": ["network.safetensors", "curves.png", "mistakes.png"],
    "sweep": ["sweep.csv", "sweep.png"],
    "find-lr": ["find-lr.png"],
}
OPTIONS = ["--data", "moons", "--hidden", "4", "--output"]
SHORT = {"train": ["--epochs", "1"], "sweep": ["--epochs", "1", "--seeds", "1"]}


@pytest.mark.parametrize("name", [(c, f) for c in MADE for f in MADE[c]], ids="-".join)
def test_a_file_of_the_users_is_not_written_over(name, tmp_path, capsys):
    name, file = name
    (tmp_path / file).write_text("mine")
    words = [name, *OPTIONS, tmp_path, *SHORT.get(name, [])]
    told = run(capsys, words, code=2).err
    assert f"{file} is there already; write elsewhere by --output, or over" in told
    assert [path.name for path in tmp_path.iterdir()] == [file]
    assert (tmp_path / file).read_text() == "mine"
    run(capsys, [*words, "--overwrite"])
    assert (tmp_path / file).read_bytes() != b"mine"


@pytest.mark.parametrize("name", MADE)
def test_the_same_run_may_write_again_and_another_may_not(name, tmp_path, capsys):
    words = [name, *OPTIONS, tmp_path, *SHORT.get(name, [])]
    run(capsys, words)
    run(capsys, words)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    more = [["--hidden", "5"], ["--seed", "3"]]
    more += [["--resume", *some] for some in more] if name == "train" else []
    for other in more:
        told = run(capsys, [*words, *other], code=2).err
        assert f"{other[-2].removeprefix('--')} was " in told
        assert "--overwrite" in told
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_predict_and_landscape_write_over_nothing(own, tmp_path, capsys):
    folder, path = own
    for words in (
        ["predict", folder, path, "--output", tmp_path / "mine"],
        ["landscape", folder, "--points", "3", "--output", tmp_path / "mine"],
    ):
        (tmp_path / "mine").write_text("mine")
        assert "is there already" in run(capsys, words, code=2).err
        assert (tmp_path / "mine").read_text() == "mine"
        run(capsys, [*words, "--overwrite"])
        assert (tmp_path / "mine").read_bytes() != b"mine"
    words = ["landscape", folder, "--points", "3"]
    run(capsys, words)
    run(capsys, words)
    told = run(capsys, ["landscape", folder, "--points", "5"], code=2).err
    assert "points was 3 and is 5" in told
    assert not [*tmp_path.rglob("unfinished*")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_what_is_no_file_stays_what_it_is(own, tmp_path, capsys):
    folder, path = own
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "table.csv")
    predict, landscape = ["predict", folder, path], ["landscape", folder, "--points", 3]
    for words in (predict, landscape):
        words = [*map(str, words), "--overwrite", "--output"]
        for name in ("pipe", "folder"):
            told = run(capsys, [*words, tmp_path / name], code=2).err
            assert "is no file, so nothing is written over it" in told
        run(capsys, [*words, tmp_path / "link"])
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "table.csv").is_file()
    assert (tmp_path / "pipe").is_fifo()


def test_a_picture_knows_its_run(tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    run(capsys, ["find-lr", *OPTIONS, tmp_path])
    with image.open(tmp_path / "find-lr.png") as picture:
        options = json.loads(picture.info["Comment"])
    assert options["hidden"] == [4]


# --- Small promises -------------------------------------------------------------------


def test_a_number_with_a_comma_is_told_in_a_line(capsys):
    with pytest.raises(SystemExit) as end:
        main(["train", "--lr", "0,01"])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "chalkgrad train: argument --lr: '0,01' is no number; write 0.01\n"
        "usage: chalkgrad train --help\n"
    )


def test_an_unknown_label_is_told_where_one_finds_it(trained, tmp_path, capsys):
    folder, _ = trained
    head, table = ["id", *NAMES, "kind"], [[7, 1, 100, 0, "oak"], [8, 1, 90, 0, "ash"]]
    words = ["evaluate", folder, "--data"]
    path = write(tmp_path / "keys.csv", head, table)
    told = run(capsys, [*words, path], 2).err
    assert "has the label 'ash' in the row whose 'id' is 8, which is none of" in told
    path = write(tmp_path / "lines.csv", head[1:], [row[1:] for row in table])
    assert "has the label 'ash' in line 3, which is none" in (
        run(capsys, [*words, path], 2).err
    )
    x = np.array([row[1:4] for row in table], float)
    np.savez(tmp_path / "arrays.npz", x=x, labels=np.array(["oak", "ash"]))
    told = run(capsys, [*words, tmp_path / "arrays.npz"], 2).err
    assert "has the label 'ash' in row 1, counted from 0, which is none" in told


def test_arrays_are_found_by_the_names_that_they_had_in_training(tmp_path, capsys):
    x, kinds = (np.array(part) for part in rows())
    path, decoy = tmp_path / "both.npz", tmp_path / "decoy.npz"
    np.savez(path, mine=x, kinds=kinds, x=-x, labels=kinds[::-1])
    np.savez(decoy, x=x, labels=kinds)
    named = ["--inputs", "mine", "--labels", "kinds"]
    folder = tmp_path / "run"
    words = ["train", "--data", path, *named, "--epochs", 15, "--output", folder]
    run(capsys, words)
    told = run(capsys, ["evaluate", folder, "--data", path]).out
    assert told == run(capsys, ["evaluate", folder, "--data", path, *named]).out
    assert told.startswith("100.00% of 120")
    found = [row["class"] for row in predicted(capsys, folder, path)]
    assert found == kinds.tolist()
    assert "has no array 'mine'" in run(capsys, ["predict", folder, decoy], 2).err
    assert "has no array 'mine'" in (
        run(capsys, ["evaluate", folder, "--data", decoy], 2).err
    )
    words = ["evaluate", folder, "--data", decoy, "--inputs", "x", "--labels", "labels"]
    assert run(capsys, words).out.startswith("100.00% of 120")


def test_labels_beside_an_array_are_asked_for_by_their_option(tmp_path, capsys):
    np.save(tmp_path / "table.npy", np.eye(4))
    words = ["train", "--data", tmp_path / "table.npy", "--output", tmp_path / "run"]
    told = run(capsys, words, code=2).err
    assert "no labels beside" in told
    assert "give their file as --labels FILE" in told


@pytest.mark.parametrize("row", [0, 7, 59])
def test_a_nan_in_an_array_is_told_with_its_row(row, tmp_path, capsys):
    x, labels = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    np.savez(tmp_path / "good.npz", x=x, labels=labels)
    words = ["--data", tmp_path / "good.npz", "--epochs", 1, "--output", tmp_path]
    run(capsys, ["train", *words])
    x[row, 1] = np.nan
    np.savez(tmp_path / "t.npz", x=x, labels=labels)
    data = tmp_path / "t.npz"
    for words in (
        ("train", "--data", data, "--output", tmp_path / "other"),
        ("inspect", data),
        ("predict", tmp_path, data),
        ("evaluate", tmp_path, "--data", data),
        ("landscape", tmp_path, "--data", data),
        ("sweep", "--data", data),
    ):
        told = run(capsys, words, 2).err
        assert f"infinity in column 1 of its inputs, in row {row}; every" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("train --data moons --header", "moons is built in, so it has no --header"),
        ("train --data moons --labels y", "moons is built in, so it has no --labels"),
        ("sweep --drop a", "digits is built in, so it has no --drop"),
        ("find-lr --missing mean", "digits is built in, so it has no --missing"),
        ("train --data moons --examples 3", "no classes; draw more by --examples"),
        ("train --data digits --examples 9", "digits are 1797, so leave it out"),
        ("sweep --data my.csv --examples 9", "my.csv holds as many as it holds, so"),
        ("train --device cuda", "train: --device cuda needs --backend torch"),
        ("inspect moons", "inspect: no data 'moons': there is no such file"),
    ],
)
def test_options_that_do_not_fit_are_told(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert told in run(capsys, words.split(), 2).err
    assert list(tmp_path.iterdir()) == []


def test_the_advice_about_what_is_empty_works(tmp_path, capsys):
    path = write(tmp_path / "t.csv", ["id", "a", "kind"], [])
    assert "it has no row below its header" in run(capsys, ["inspect", path], 2).err
    table = [[k, k / 8, "xy"[k % 2]] for k in range(8)]
    path = write(tmp_path / "t.csv", ["id", "a", "kind"], table)
    told = run(capsys, ["inspect", path, "--drop", "a"], 2).err
    assert "looks like a row number; --inputs id takes it in" in told
    run(capsys, ["inspect", path, "--inputs", "id"])


def test_a_rate_of_zero_is_drawn(tmp_path, capsys):
    words = ["sweep", "--lr", "0", "0.1", "--seeds", 1, "--epochs", 1, "--hidden", 3]
    run(capsys, [*words, "--data", "blobs", "--output", tmp_path])
    assert (tmp_path / "sweep.png").exists()


@pytest.mark.parametrize("label", [0, 1, 3])
@pytest.mark.parametrize("inputs", [None, "2,0", "0", "1 0"])
def test_columns_without_names_keep_their_order(label, inputs, tmp_path, capsys):
    x, kinds = rows()
    table = [
        [*row[:label], kind, *row[label:]] for row, kind in zip(x, kinds, strict=True)
    ]
    path, new = tmp_path / "t.csv", tmp_path / "new.csv"
    write(path, table[0], table[1:])
    write(new, x[0], x[1:])
    words = ["train", "--data", path, "--labels", label, "--output", tmp_path / "run"]
    words += ["--epochs", 5, "--no-header"]
    if inputs:  # as places among the inputs; the label stands between
        places = [int(one) for one in inputs.replace(",", " ").split()]
        words += ["--inputs", *(place + (place >= label) for place in places)]
    run(capsys, words)
    whole = predicted(capsys, tmp_path / "run", path, "--labels", label)
    assert predicted(capsys, tmp_path / "run", new) == whole
    if inputs == "2,0":
        assert predicted(capsys, tmp_path / "run", new, "--drop", 1) == whole
