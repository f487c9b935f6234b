"""Files: every format comes back, nothing damaged does, and memory stays small."""

import gzip
import pickle
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkgrad._core import rows as lazy_rows
from chalkgrad.data._shared import LazyRows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
BIG_ENDIAN = X.astype(">f8")
LABELS = np.arange(12) % 3
GREY = RNG.integers(0, 256, (12, 4, 5)).astype(np.uint8)
IDX = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def idx(a):
    """Write an array as MNIST is written."""
    code = IDX[next(name for name in IDX if np.dtype(name) == a.dtype)]
    return struct.pack(f">4B{a.ndim}I", 0, 0, code, a.ndim, *a.shape) + a.tobytes()


def save_npy(folder, x=X, labels=LABELS):
    np.save(folder / "x.npy", x)
    np.save(folder / "labels.npy", labels)
    return folder / "x.npy"


def save_npz(folder, x=X, labels=LABELS, save=np.savez):
    save(folder / "set.npz", x=x, labels=labels)
    return folder / "set.npz"


def save_idx(folder, x=BIG_ENDIAN, ends="", gz=""):
    write = gzip.compress if gz else bytes
    images = folder / f"train-images.idx{x.ndim}{ends}{gz}"
    images.write_bytes(write(idx(x)))
    labels = folder / f"train-labels.idx1{ends}{gz}"
    labels.write_bytes(write(idx(LABELS.astype(np.uint8))))
    return images


def save_csv(folder, text=None, name="table.csv"):
    if text is None:
        rows = zip(X.tolist(), LABELS.tolist(), strict=True)
        text = "\n".join(",".join(map(repr, [*x, label])) for x, label in rows)
    write = gzip.compress if name.endswith(".gz") else bytes
    (folder / name).write_bytes(write(text.encode()))
    return folder / name


FORMATS = {
    "npy": save_npy,
    "Fortran's order": lambda folder: save_npy(folder, np.asfortranarray(X)),
    "npz": save_npz,
    "npz, packed": lambda folder: save_npz(folder, save=np.savez_compressed),
    "idx": save_idx,
    "idx.gz": lambda folder: save_idx(folder, gz=".gz"),
    "csv": save_csv,
    "csv.gz": lambda folder: save_csv(folder, name="table.csv.gz"),
}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("save", FORMATS.values(), ids=FORMATS)
def test_every_format_comes_back(save, lazy, tmp_path):
    x, labels = cg.data.load(save(tmp_path), lazy=lazy)
    assert isinstance(x, LazyRows if lazy else np.ndarray)
    assert (x.shape, x.dtype, labels.dtype) == ((12, 3), np.float64, np.int64)
    np.testing.assert_array_equal(x[:], X)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("save", FORMATS.values(), ids=FORMATS)
def test_both_backends_read_the_same(save, lazy, tmp_path):
    torch = pytest.importorskip("torch")
    twin = pytest.importorskip("chalkgrad.torch")
    x, labels = twin.data.load(save(tmp_path), lazy=lazy, dtype="float32")
    assert x[:].dtype == torch.float32
    np.testing.assert_array_equal(x[:].numpy(), X.astype(np.float32))
    assert labels.tolist() == LABELS.tolist()
    *_, x_test, _ = twin.data.split(x, labels)
    assert isinstance(x_test[:], torch.Tensor)


def test_a_gz_may_follow_npy_too(tmp_path):
    path = save_npy(tmp_path)
    packed = tmp_path / "x.npy.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    np.testing.assert_array_equal(cg.data.load(packed)[0], X)


@pytest.mark.parametrize("dtype", IDX)
def test_idx_holds_all_its_types(dtype, tmp_path):
    x = (100 * X).astype(dtype)
    read, _ = cg.data.load(save_idx(tmp_path, x))
    np.testing.assert_array_equal(read, x / (255 if dtype == "u1" else 1))


@pytest.mark.parametrize("gz", ["", ".gz"])
def test_mnist_is_read_by_the_name_of_its_images(gz, tmp_path):
    write = gzip.compress if gz else bytes
    images = tmp_path / f"t10k-images-idx3-ubyte{gz}"
    images.write_bytes(write(idx(GREY)))
    beside = tmp_path / "t10k-labels-idx1-ubyte"  # packed or not
    beside.write_bytes(idx(LABELS.astype(np.uint8)))
    x, labels = cg.data.load(str(images), dtype="float32")
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, GREY.reshape(12, 20) / np.float32(255))
    np.testing.assert_array_equal(labels, LABELS)


def test_bytes_are_grey_values_in_every_format(tmp_path):
    for path in (save_npy(tmp_path, GREY), save_npz(tmp_path, GREY)):
        np.testing.assert_array_equal(cg.data.load(path)[0], GREY.reshape(12, 20) / 255)


@pytest.mark.parametrize(
    ("stored", "dtype", "given"),
    [
        ("float16", None, "float32"),
        ("float32", None, "float32"),
        ("int64", None, "float64"),
        ("bool", None, "float64"),
        ("float64", "float32", "float32"),
        (">f4", "float64", "float64"),
    ],
)
def test_the_dtype_is_kept_or_as_asked_for(stored, dtype, given, tmp_path):
    x = (X > 0).astype(stored)
    read, _ = cg.data.load(save_npy(tmp_path, x), dtype=dtype)
    assert read.dtype == given
    np.testing.assert_array_equal(read, x)


def test_labels_are_found_where_one_says(tmp_path):
    np.savez(tmp_path / "set.npz", x_train=X, y_train=LABELS.astype(float))
    np.save(tmp_path / "y.npy", LABELS[:, None])
    x = save_npy(tmp_path)
    (tmp_path / "labels.npy").unlink()
    table = save_csv(tmp_path, "k,a,b\n2,5,6\n1,7,8\n")
    two = tmp_path / "two.npy"
    np.save(two, np.array([2, 1]))
    for path, options, wanted in [
        (tmp_path / "set.npz", {"inputs": "x_train", "labels": "y_train"}, LABELS),
        (x, {"labels": str(tmp_path / "y.npy")}, LABELS),
        (x, {"labels": False}, None),
        (tmp_path / "set.npz", {"inputs": "x_train", "labels": False}, None),
        (table, {"labels": "k"}, [2, 1]),
        (table, {"labels": 0}, [2, 1]),
        (table, {"labels": -1}, [6, 8]),
        (table, {}, [6, 8]),
        (table, {"labels": two}, [2, 1]),
    ]:
        x, labels = cg.data.load(path, **options)
        assert (labels is None) == (wanted is None)
        if wanted is not None:
            assert labels.tolist() == list(wanted)
    assert cg.data.load(table, labels=False)[0].shape == (2, 3)
    assert cg.data.load(table, labels=two)[0].shape == (2, 3)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1;2;0\n3;4;1\n", {}),
        ("1\t2\t0\r\n3\t4\t1\r\n", {}),
        ("1 2 0\n\n3  4  1", {}),
        ("a, b, c\n1, 2, 0\n3, 4, 1\n", {}),
        ('"a","b, c","d"\n"1","2","0"\n3,4,1\n', {}),
        ("label,a,b\n0,1,2\n1,3,4\n", {}),
        ("petal length (cm),petal width (cm),kind\n1,2,0\n3,4,1\n", {}),
        ("petal length (cm);petal width (cm);kind\n1;2;0\n3;4;1\n", {}),
        ("\ufeff1|2|0\n3|4|1\n", {"delimiter": "|"}),
    ],
)
def test_tables_are_written_in_many_ways(text, options, tmp_path):
    x, labels = cg.data.load(save_csv(tmp_path, text), **options)
    assert x.tolist() == [[1, 2], [3, 4]]
    assert labels.tolist() == [0, 1]


# --- Refusals -------------------------------------------------------------------------


def wrong(path, options=None, error=ValueError):
    with pytest.raises(error) as caught:
        cg.data.load(path, **options or {})
    told = str(caught.value)
    assert told.startswith("load: ")
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("1,2,0\n3,4\n", {}, "has 2 columns in line 2 and 3 in the first"),
        ("1,2,0\n3,x,1\n", {}, "has 'x' in line 2, which is no number"),
        ("a,b,c\n1,,0\n", {}, "has '' in line 2, which is no number"),
        ("a,b,c\n1_5,2,0\n", {}, "has '1_5' in line 2, which is no number"),
        ("1,x,0\n3,4,1\n", {}, "has 'x' in line 1, which is no number"),
        ("1,2,0.5\n3,4,1\n", {}, "must be whole numbers, got 0.5 in line 1, col"),
        ("1,2,nan\n3,4,1\n", {}, "has no label in line 1, column 2, but 'nan'"),
        ("", {}, "is empty"),
        ("\n\n", {}, "is empty"),
        ("a,b,c\n", {}, "is empty"),
        ("1\n2\n", {}, "is empty"),
        ("a,b\n1,2\n", {"labels": "c"}, "has no column 'c'; they are a, b"),
        ("1,2\n3,4\n", {"labels": "c"}, "'c'; its columns have no names"),
        ("1,2\n3,4\n", {"labels": 2}, "has 2 columns, and none has number 2"),
        ("1,2\n3,4\n", {"labels": 1.0}, "has 2 columns, and none has number 1.0"),
        ("1,2\n3,4\n", {"delimiter": "::"}, "`delimiter` must be one character"),
        ("1,2\n3,4\n", {"delimiter": 7}, "`delimiter` must be one character"),
        ("1,2\n3,4\n", {"dtype": "int64"}, "`dtype` must be one of"),
        ("1,2\n" + "9" * 200_000, {}, "is no table: field larger"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(text, options, words, tmp_path):
    assert words in wrong(save_csv(tmp_path, text), options)


def test_text_in_another_encoding_is_told(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe1,2")
    assert "is no text in UTF-8" in wrong(tmp_path / "t.csv")


def test_a_file_that_is_not_there_or_not_for_us_is_told(tmp_path):
    for name in ("x.npy", "x.npz", "x.csv", "x.idx", "x.npy.gz"):
        assert "No such file" in wrong(tmp_path / name, error=OSError)
    (tmp_path / "x.npy").mkdir()
    assert "cannot read" in wrong(tmp_path / "x.npy", error=OSError)
    assert "`path` must end with" in wrong(tmp_path / "x.png")
    assert "must be the path of a file, got 3 (int)" in wrong(3, error=TypeError)
    np.save(tmp_path / "table.npy", X)
    words = "no labels beside .*table.npy; give their file as `labels`.$"
    assert re.search(words, wrong(tmp_path / "table.npy", error=OSError))
    np.save(tmp_path / "a_x.npy", X)
    words = "or call it a_labels.npy"
    assert words in wrong(tmp_path / "a_x.npy", error=OSError)


@pytest.mark.parametrize(
    ("x", "labels", "words"),
    [
        (X, LABELS[:5], "`x` has 12 rows but `labels` has 5"),
        (X, LABELS[:, None] * [1, 1], "one label for each row, got shape (12, 2)"),
        (X, LABELS / 2, "must be whole numbers, got 0.5 in row 1"),
        (X, np.full(12, 2**63, np.uint64), "must be whole numbers"),
        (X.astype(str), LABELS, "must hold real numbers, got <U32"),
        (X, np.array(["a", "NA"] * 6), "has no label in row 1, but 'NA'"),
        (X, np.array([b"a", b"\xff"] * 6), "is no text in UTF-8; save words as text"),
        (X + 0j, LABELS, "must hold real numbers, got complex128"),
        (X[:0], LABELS[:0], "is empty: `x` has shape (0, 3)"),
        (X.astype(np.longdouble), LABELS, "must hold real numbers, got float128"),
        (np.float64(3), LABELS, "holds a single number"),
        (np.zeros(12, [("a", "f8")]), LABELS, "must hold real numbers, got [('a'"),
    ],
)
def test_arrays_that_are_no_examples_are_told(x, labels, words, tmp_path):
    assert words in wrong(save_npy(tmp_path, x, labels))
    if np.ndim(x) and "(12, 2)" not in words:
        assert words in wrong(save_npz(tmp_path, x, labels))


@pytest.mark.parametrize("dtype", ["U", "S"])
def test_labels_of_an_array_may_be_words(dtype, tmp_path):
    words = np.array(["rose", "aster", "tulip"] * 4)
    for save in (save_npy, save_npz):
        table = cg.data.load(save(tmp_path, X, words.astype(dtype)))
        assert table.labels.tolist() == words.tolist()
        ids, classes = cg.data.encode_labels(table.labels)
        assert classes == ("aster", "rose", "tulip")
        assert ids.tolist() == [1, 0, 2] * 4
        table = cg.data.load(save(tmp_path, X, LABELS.astype(str)))
        assert table.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("save", [save_npy, save_npz])
def test_labels_may_be_floats_or_a_column(save, tmp_path):
    for labels in (LABELS.astype("f2"), LABELS[:, None], LABELS.astype(str)[:, None]):
        assert (
            cg.data.load(save(tmp_path, X, labels)).labels.tolist() == LABELS.tolist()
        )
    for bad in (np.nan, np.inf, 0.5, -np.inf):
        labels = LABELS.astype("f2")
        labels[3] = bad
        assert f"got {bad} in row 3" in wrong(save(tmp_path, X, labels))
    told = wrong(save(tmp_path, X, np.eye(3)[LABELS % 3]))
    assert "if it is one-hot, save labels.argmax(1)" in told


def test_the_advice_about_other_names_works(tmp_path):
    np.savez(tmp_path / "t.npz", images=X, kinds=LABELS)
    assert "and `inputs` names one" in wrong(tmp_path / "t.npz")
    assert "and `labels` names one" in wrong(tmp_path / "t.npz", {"inputs": "images"})
    table = cg.data.load(tmp_path / "t.npz", inputs="images", labels="kinds")
    assert table.labels.tolist() == LABELS.tolist()


def test_labels_may_be_true_or_false(tmp_path):
    for save in (save_npy, save_npz):
        table = cg.data.load(save(tmp_path, X, LABELS == 1))
        assert table.labels.tolist() == (LABELS == 1).astype(int).tolist()


class Bomb:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def test_a_pickle_is_never_read(tmp_path):
    bombs = np.array([Bomb()], dtype=object)
    np.save(tmp_path / "x.npy", bombs, allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=bombs, labels=LABELS)
    for name in ("x.npy", "x.npz"):
        assert "holds Python objects, which are never" in wrong(tmp_path / name)
    (tmp_path / "x.npy").write_bytes(pickle.dumps(Bomb()))
    assert "no .npy file" in wrong(tmp_path / "x.npy")


def test_what_an_archive_lacks_is_told(tmp_path):
    path = save_npz(tmp_path)
    assert "has no array 'y'; it has x, labels" in wrong(path, {"labels": "y"})
    assert "has no array 'z'; it has x, labels" in wrong(path, {"inputs": "z"})
    path.write_bytes(b"no archive")
    assert "no .npz file" in wrong(path)
    save_npz(tmp_path, labels=LABELS[:, None] * [1, 1])
    assert "one label for each row, got shape (12, 2)" in wrong(path)


def test_labels_in_a_table_of_their_own_are_refused(tmp_path):
    table = save_csv(tmp_path)
    told = wrong(save_npy(tmp_path), {"labels": table})
    assert "must be a .npy or IDX file to hold labels" in told


def npy(header):
    """A .npy file with the header as it is given, and 96 bytes of numbers."""
    text = header.ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(96)


def header(shape, descr="<f8", order=False):
    return f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}}}"


def packed(raw):
    """Pack without the time of day, for a test is named by its bytes."""
    return gzip.compress(raw, mtime=0)


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("x.npy", b"", "no .npy file"),
        ("x.npy", npy("")[:40], "no .npy file"),
        ("x.npy", npy("[" * 100), "no .npy file"),
        ("x.npy", npy(header("(12L, 1)")), "no .npy file"),
        ("x.npy", npy(header((-12, -1))), "promises the shape (-12, -1)"),
        ("x.npy", npy(header((12, 10**15))), "promises 96000000000000000 bytes"),
        ("x.npy", npy(header((5, 2))), "and there are more"),
        ("x.npy", b"\x93NUMPY\x09\x00" + npy("")[8:], "no .npy file"),
        ("x.npy.gz", packed(npy(header((12, 1))))[:30], "is damaged or cut"),
        ("x-idx2-ubyte", b"", "it begins with b''"),
        ("x-idx2-ubyte", b"\0\1\x08\1\0\0\0\1a", "no IDX file"),
        ("x-idx2-ubyte", b"\0\0\x07\1\0\0\0\1a", "no IDX file"),
        ("x-idx2-ubyte", b"\0\0\x09\1\0\0\0\1a", "no IDX file"),
        ("x-idx2-ubyte", b"\0\0\x08\2\0\0\0\1", "its header has no end"),
        ("x-idx2-ubyte", b"\0\0\x08\0a", "holds a single number"),
        ("x-idx2-ubyte", b"\0\0\x08\2" + b"\xff" * 8, "promises 18446744065119617025"),
        ("x-idx2-ubyte", b"\0\0\x08\1\0\0\0\1ab", "and there are more"),
        ("x-idx2-ubyte.gz", b"\0\0\x08\1\0\0\0\1a", "Not a gzipped file"),
        ("x-idx2-ubyte.gz", packed(b"\0\0\x08\1\0\0\0\1ab"), "there are more"),
        ("x-idx2-ubyte.gz", packed(bytes(99))[:15], "is damaged"),
        (
            "x-idx2-ubyte.gz",
            packed(b"\0\0\x08\2" + b"\xff" * 9),
            "and there are fewer",
        ),
    ],
)
def test_a_header_is_not_believed(name, raw, words, tmp_path):
    (tmp_path / name).write_bytes(raw)
    tracemalloc.start()
    told = wrong(tmp_path / name, {"labels": False})
    assert tracemalloc.get_traced_memory()[1] < 4e6
    tracemalloc.stop()
    assert words in told


def test_an_archive_is_not_believed_either(tmp_path):
    path = tmp_path / "x.npz"
    for raw, words in [
        (npy(header((12, 10**15))), "promises 96000000000000000 bytes"),
        (npy("")[:40], "can't be read"),
    ]:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", raw)
        assert words in wrong(path, {"labels": False})


def tried(path):
    """Load a file, unless it is refused in our words."""
    try:
        return cg.data.load(path)
    except (ValueError, OSError) as error:
        return None if str(error).startswith("load: ") else error


ANYWHERE = 10**6


@pytest.mark.parametrize(
    ("save", "header"),
    [
        pytest.param(save_npy, 128, id="npy"),
        pytest.param(save_npz, ANYWHERE, id="npz"),
        pytest.param(FORMATS["npz, packed"], ANYWHERE, id="npz, packed"),
        pytest.param(lambda to: save_idx(to, GREY, "-ubyte"), 16, id="idx"),
        pytest.param(
            lambda to: save_idx(to, GREY, "-ubyte", ".gz"), ANYWHERE, id="idx.gz"
        ),
        pytest.param(save_csv, ANYWHERE, id="csv"),
    ],
)
def test_damage_is_refused_or_does_no_harm(save, header, tmp_path):
    path = save(tmp_path)
    whole, (x, labels) = path.read_bytes(), cg.data.load(path)
    rng = np.random.default_rng(1)
    refused = 0
    for trial in range(200):
        raw = bytearray(whole)
        if trial % 2:
            del raw[rng.integers(len(raw)) :]
        else:
            raw[rng.integers(min(len(raw), header))] ^= 1 << rng.integers(8)
        path.write_bytes(raw)
        read = tried(path)
        if read is None:
            refused += 1
        elif path.suffix == ".csv":  # nobody can tell one digit from another
            assert len(read[0]) == len(read[1]) <= len(x)
        elif b"'>f8'" not in raw[:128]:  # nobody can tell that bytes are swapped
            np.testing.assert_array_equal(read[0], x)
            np.testing.assert_array_equal(read[1], labels)
    assert refused >= 100


# --- Larger than memory ---------------------------------------------------------------


def test_rows_are_read_when_they_are_asked_for(tmp_path):
    rows, _ = cg.data.load(save_npy(tmp_path, GREY), lazy=True)
    whole = rows[:]
    order = np.array([3, 0, 11])
    assert len(rows.take(order)) == 3
    np.testing.assert_array_equal(rows.take(order)[1:], whole[[0, 11]])
    np.testing.assert_array_equal(rows.take(order).take(order[1:2])[:], whole[[3]])
    np.testing.assert_array_equal(rows[2], whole[2])
    np.testing.assert_array_equal(cg.array(rows), whole)
    np.testing.assert_array_equal(np.asarray(rows, np.float32), np.float32(whole))
    assert isinstance(rows.storage, np.memmap)


def learn(x, labels):
    x, labels, *held_out = cg.data.split(x, labels)
    net = cg.network([x.shape[1], 16, 3])
    return cg.training.fit(
        net,
        net.init(dtype="float32"),
        x,
        labels,
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(0.001),
        epochs=2,
        batch_size=64,
        validation=held_out,
    )


@pytest.fixture
def large(tmp_path):
    """Save 24 MB of bytes: 96 MB in float32."""
    labels = np.arange(24_000) % 3
    x = np.random.default_rng(0).integers(0, 100, (24_000, 1000), np.uint8)
    x[:, :90] += (100 * np.eye(3, dtype=np.uint8))[labels].repeat(30, axis=1)
    return save_npy(tmp_path, x, labels), labels


def test_what_does_not_fit_into_memory_is_trained_on_all_the_same(large, monkeypatch):
    path, _ = large
    lazy = cg.data.load(path, dtype="float32", lazy=True)
    monkeypatch.setattr(lazy_rows, "ROOM", 2**20)
    tracemalloc.start()
    trace = learn(*lazy)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 96e6 / 6
    assert trace.stopped == "finished"
    assert trace.validation_accuracy[-1] > 0.9
    whole = learn(*cg.data.load(path, dtype="float32"))
    np.testing.assert_array_equal(trace.w, whole.w)
    np.testing.assert_allclose(trace.validation_loss, whole.validation_loss, 1e-6)
    np.testing.assert_array_equal(trace.validation_accuracy, whole.validation_accuracy)


def test_bad_rows_of_a_file_are_told_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(lazy_rows, "ROOM", 3 * 5)
    spoiled = X.copy()
    spoiled[7, 1] = np.nan
    x, labels = cg.data.load(save_npy(tmp_path, spoiled), lazy=True)
    net = cg.network([3, 3])
    options = {
        "loss": cg.losses.cross_entropy,
        "optimizer": cg.optimizers.sgd(0.1),
        "epochs": 1,
    }
    words = r"`x` has nan at index \(2, 1\).* Index 0 is row 5 of `x`.$"
    with pytest.raises(ValueError, match=words):
        cg.training.fit(net, net.init(), x, labels, **options)
    x, labels = cg.data.load(save_npy(tmp_path), lazy=True)
    labels[3] = 3
    with pytest.raises(IndexError, match=r"`labels` has 3 at index \(3,\).*classes.?$"):
        cg.training.fit(net, net.init(), x, labels, **options)


def test_without_batches_a_file_is_one_batch(tmp_path):
    path = save_npy(tmp_path)
    net = cg.network([3, 3])
    traces = [
        cg.training.fit(
            net,
            net.init(),
            *cg.data.load(path, lazy=lazy),
            loss=cg.losses.cross_entropy,
            optimizer=cg.optimizers.sgd(0.1),
            epochs=2,
        )
        for lazy in (False, True)
    ]
    np.testing.assert_array_equal(traces[0].w, traces[1].w)
    found = [
        cg.training.find_lr(
            net,
            net.init(),
            *cg.data.load(path, lazy=lazy),
            loss=cg.losses.cross_entropy,
            optimizer=cg.optimizers.sgd,
        )
        for lazy in (False, True)
    ]
    assert found[0].lr == found[1].lr
