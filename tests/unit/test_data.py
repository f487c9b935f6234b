"""Data: known shapes, balance, margins; splits and batches that lose nothing."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.data import _shared as data

CLASSES = {
    "separable": 2,
    "xor": 2,
    "moons": 2,
    "circles": 2,
    "spirals": 2,
    "blobs": 3,
}
DRAWN = ["line", *CLASSES]


def draw(name, n, **options):
    return getattr(data, name)(n, **options)


@pytest.mark.parametrize("name", CLASSES)
@given(n=st.integers(1, 50), seed=st.integers(0, 2**32))
def test_classes_are_of_one_size_to_within_one(name, n, seed):
    x, labels = draw(name, n, rng=seed)
    assert (x.shape, x.dtype) == ((n, 2), np.float64)
    assert (labels.shape, labels.dtype) == ((n,), np.int64)
    counts = np.bincount(labels, minlength=CLASSES[name])
    assert counts.size == CLASSES[name]
    assert counts.max() - counts.min() <= 1
    assert np.isfinite(x).all()


@pytest.mark.parametrize("name", DRAWN)
def test_a_seed_gives_the_same_numbers_and_a_generator_goes_on(name):
    first, again, other = (draw(name, 20, rng=seed)[0] for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()
    rng = np.random.default_rng(5)
    assert (draw(name, 20, rng=rng)[0] == first).all()
    assert (draw(name, 20, rng=rng)[0] != first).any()


def test_line_is_where_it_says():
    x, targets = data.line(2000, noise=0.1)
    assert x.shape == targets.shape == (2000, 1)
    slope, offset = np.polyfit(x[:, 0], targets[:, 0], 1)
    assert slope == pytest.approx(2, abs=0.02)
    assert offset == pytest.approx(1, abs=0.02)
    assert (targets - 2 * x - 1).std() == pytest.approx(0.1, rel=0.05)


@given(margin=st.floats(0, 10), seed=st.integers(0, 99))
def test_separable_keeps_its_margin(margin, seed):
    x, labels = data.separable(100, margin=margin, rng=seed)
    distance = (2 * labels - 1) * (x @ [0.6, 0.8] - 0.2)
    assert (distance >= margin - 1e-14 * (1 + margin)).all()
    assert (distance <= margin + 1 + 1e-14 * (1 + margin)).all()


def test_xor_is_one_where_the_signs_differ():
    x, labels = data.xor(400, noise=0.05)
    assert (((x > 0.5).sum(-1) == 1) == labels).all()


def test_moons_lie_on_their_half_circles():
    x, labels = data.moons(201, noise=0)
    upper, lower = x[labels == 0], [1.0, 0.5] - x[labels == 1]
    for moon in (upper, lower):
        assert np.hypot(*moon.T) == pytest.approx(1, abs=1e-15)
        assert (moon[:, 1] >= 0).all()


def test_circles_have_their_radii():
    x, labels = data.circles(201, noise=0)
    assert np.hypot(*x.T) == pytest.approx(1 - labels / 2, abs=1e-15)


def test_spirals_turn_one_and_a_half_times():
    x, labels = data.spirals(501, noise=0)
    radius = np.hypot(*x.T)
    assert 0.1 <= radius.min() < 0.11 < 0.99 < radius.max() <= 1
    angle = np.arctan2(x[:, 1], x[:, 0])
    off = angle - np.pi * (3 * radius + labels)
    assert np.cos(off) == pytest.approx(1, abs=1e-12)


def test_blobs_stand_on_the_unit_circle():
    x, labels = data.blobs(40, classes=4, noise=0)
    corners = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    assert x == pytest.approx(corners[labels], abs=1e-15)


@pytest.mark.parametrize("name", ["xor", "moons", "circles", "spirals", "blobs"])
def test_noise_is_a_standard_deviation(name):
    # The noise is drawn last, so without it the same seed gives the clean points.
    noisy, clean = (draw(name, 2000, noise=noise)[0] for noise in (0.2, 0))
    assert (noisy - clean).std() == pytest.approx(0.2, rel=0.05)


def test_digits_are_sixteenths_and_yours_to_change():
    x, labels = data.digits()
    assert (x.shape, x.dtype) == ((1797, 64), np.float64)
    assert (labels.shape, labels.dtype) == ((1797,), np.int64)
    assert set(np.unique(x * 16)) == set(range(17))
    x[:] = 0
    assert data.digits()[0].any()


def test_the_digits_file_is_small_and_credited():
    assert len(data.DIGITS.read_bytes()) <= 60_000
    credit = (data.files("chalkgrad.data") / "digits.LICENSE.txt").read_text("utf-8")
    for word in ("Alpaydin", "Kaynak", "UCI", "CC BY 4.0", "1998"):
        assert word in credit


@pytest.mark.parametrize("fault", ["cut", "empty", "one bit"])
def test_a_spoilt_digits_file_is_told(fault, tmp_path, monkeypatch):
    raw = bytearray(data.DIGITS.read_bytes())
    if fault == "one bit":
        raw[20_000] ^= 1
    else:
        del raw[0 if fault == "empty" else 20_000 :]
    spoilt = tmp_path / "digits.npz"
    spoilt.write_bytes(raw)
    monkeypatch.setattr(data, "DIGITS", spoilt)
    found = hashlib.sha256(raw).hexdigest()[:8]
    with pytest.raises(ValueError, match=f"digits: the file .* {found}.*reinstall"):
        data.digits()


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    fraction=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
def test_split_takes_every_class_by_its_share(counts, fraction, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    x = np.arange(labels.size)[:, None]
    total = math.floor(fraction * labels.size + 0.5)
    if total in (0, labels.size):
        with pytest.raises(ValueError, match="leaves one part empty"):
            data.split(x, labels, fraction=fraction, rng=seed)
        return
    x_train, labels_train, x_test, labels_test = data.split(
        x, labels, fraction=fraction, rng=seed
    )
    assert len(x_test) == total
    assert sorted([*x_train[:, 0], *x_test[:, 0]]) == list(range(labels.size))
    for rows, classes in ((x_train, labels_train), (x_test, labels_test)):
        assert (np.diff(rows[:, 0]) > 0).all()  # in their order
        assert (labels[rows[:, 0]] == classes).all()
    taken = np.bincount(labels_test, minlength=len(counts))
    assert (abs(taken - fraction * np.array(counts)) <= 1 + 1e-9).all()


def test_split_draws_real_targets_too():
    x, targets = data.line(50)
    x_train, targets_train, x_test, targets_test = data.split(x, targets, rng=3)
    assert (len(x_train), len(x_test)) == (40, 10)
    assert targets_train.shape == (40, 1)
    assert (targets_test - 2 * x_test - 1).std() < 0.2


def test_split_gives_each_row_its_chance():
    x = np.arange(20)[:, None]
    labels = x[:, 0] % 2
    held = [data.split(x, labels, rng=seed)[2][:, 0] for seed in range(500)]
    chance = np.bincount(np.concatenate(held), minlength=20) / 500
    assert chance == pytest.approx(0.2, abs=0.08)


@given(n=st.integers(1, 40), size=st.integers(1, 50), seed=st.integers(0, 99))
def test_batches_hold_every_example_once(n, size, seed):
    x = np.arange(n)[:, None]
    dealt = list(data.batches(x, 2 * x, size=size, rng=seed))
    assert [len(xs) for xs, _ in dealt] == [size] * (n // size) + (
        [n % size] if n % size else []
    )
    assert sorted(np.concatenate([xs for xs, _ in dealt])[:, 0]) == list(range(n))
    assert all((ys == 2 * xs).all() for xs, ys in dealt)


def test_a_generator_shuffles_each_epoch_anew():
    x = np.arange(50)
    rng = np.random.default_rng(0)
    first, second = (next(data.batches(x, x, size=50, rng=rng))[0] for _ in range(2))
    assert (first != second).any()
    (again, _), *_ = data.batches(x, x, size=50, rng=0)
    assert (again == first).all()
    assert (x == np.arange(50)).all()


def test_tensors_are_dealt_and_split_like_arrays():
    torch = pytest.importorskip("torch")
    x, labels = data.blobs(30)
    tensors = torch.tensor(x), torch.tensor(labels)
    for ours, theirs in zip(data.split(x, labels), data.split(*tensors), strict=True):
        assert isinstance(theirs, torch.Tensor)
        assert (theirs.numpy() == ours).all()
    dealt = zip(
        data.batches(x, labels, size=7, rng=1),
        data.batches(*tensors, size=7, rng=1),
        strict=True,
    )
    for (xs, ys), (txs, tys) in dealt:
        assert (txs.numpy() == xs).all()
        assert (tys.numpy() == ys).all()


x, labels = data.moons(10)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        *(
            (lambda name=name: draw(name, 0), ValueError, f"{name}: `n` must be")
            for name in DRAWN
        ),
        (lambda: data.moons(2.5), TypeError, "moons: `n` must be a whole number"),
        (lambda: data.moons(9, noise=-1), ValueError, "moons: `noise` must be"),
        (lambda: data.moons(9, rng=-1), ValueError, "moons: `rng` must be a seed"),
        (lambda: data.moons(9, rng="a"), TypeError, "moons: `rng` must be a seed"),
        (lambda: data.separable(9, margin=-1), ValueError, "separable: `margin`"),
        (lambda: data.blobs(9, classes=1), ValueError, "blobs: `classes` must be"),
        (lambda: data.split(x, labels[:9]), ValueError, "split: `x` has 10 rows but"),
        (lambda: data.split([[1]], labels), TypeError, "split: `x` must be an array"),
        (lambda: data.split(x, 3), TypeError, "split: `labels` must be an array"),
        (lambda: data.split(x, labels, fraction=0), ValueError, "`fraction` must be"),
        (lambda: data.split(x, labels, fraction=1), ValueError, "`fraction` must be"),
        (lambda: data.split(x, labels, fraction=0.01), ValueError, "of 10 rows leaves"),
        (lambda: data.split(x, labels, rng="a"), TypeError, "split: `rng` must be"),
        (lambda: data.batches(x, labels, size=0, rng=0), ValueError, "batches: `size`"),
        (lambda: data.batches(x, x[:3], size=2, rng=0), ValueError, "`y` has 3"),
        (lambda: data.batches(x, labels, size=2, rng=-1), ValueError, "`rng`"),
    ],
)
def test_bad_input_is_told_at_once(call, error, words):
    with pytest.raises(error, match=words):
        call()
