r"""Data, the same in both halves: NumPy draws every number.

Class labels are 0, 1, 2, …; where a loss wants targets of $\pm 1$, write
``2 * labels - 1``. The classes of a drawn set take turns, so that they are of one size
to within one example. `rng` is a seed, the same numbers every time, or a NumPy
Generator, which goes on from where it stands.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.either import ndarray
from chalkgrad.data import _files

__all__ = [
    "Rows",
    "batches",
    "blobs",
    "circles",
    "digits",
    "line",
    "load",
    "moons",
    "separable",
    "spirals",
    "split",
    "xor",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

ROOM = 2**22  # how many numbers of a file are read at once
DIGITS = files("chalkgrad.data") / "digits.npz"
DIGITS_SHA256 = "089d33176bf6819a5c6ebd6746c5293713f4e81c2c8fc52b672e6e15faa78f41"


def generator(where: str, rng: Any) -> np.random.Generator:
    """Return `rng` as a NumPy Generator."""
    try:
        if rng is None:  # NumPy would draw other numbers every time
            raise TypeError
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"{where}: `rng` must be a seed (a whole number, 0 or more) or a NumPy "
            f"Generator, got {rng!r}."
        ) from None


def _kind(x: Any) -> str:
    number = "a single number" if hasattr(x, "shape") else type(x).__name__
    return check.odd(x) or number


def rows(where: str, **arrays: Any) -> int:
    """Return the number of rows that all `arrays` have."""
    (first, x), *others = arrays.items()
    for name, array in arrays.items():
        if not getattr(array, "shape", ()) or check.odd(array):
            raise TypeError(
                f"{where}: `{name}` must be an array with a row for each example, got "
                f"{_kind(array)}; make one with cg.array({name})."
            )
    for other, y in others:
        if x.shape[0] != y.shape[0]:
            raise check.ShapeError(
                f"{where}: `{first}` has {x.shape[0]} rows but `{other}` has "
                f"{y.shape[0]} (`{first}` is {tuple(x.shape)}, `{other}` is "
                f"{tuple(y.shape)}); give one row for each example."
            )
    return int(x.shape[0])


def _start(
    where: str, n: int, rng: Any, noise: float, classes: int = 2
) -> tuple[int, np.random.Generator, float, Array]:
    """Check what every drawn set takes; deal out the labels in turns."""
    n = check.integer(where, "n", n, low=1)
    noise = check.number(where, "noise", noise, low=0)
    return n, generator(where, rng), noise, np.arange(n) % classes


def line(n: int, *, rng: Any = 0, noise: float = 0.1) -> tuple[Array, Array]:
    r"""Draw points near the line $y = 2x + 1$, for regression.

    $x$ is uniform in $[-1, 1]$, and the noise on $y$ is normal.

    Parameters
    ----------
    n : int
        How many points.
    rng : int or numpy.random.Generator
        Where the numbers come from.
    noise : float
        Standard deviation of the noise, in the unit of $y$; 0 or more.

    Returns
    -------
    x : Array of shape (n, 1)
        Where.
    targets : Array of shape (n, 1)
        How high, as a network with one output predicts it.

    Raises
    ------
    TypeError, ValueError
        If `n` is not a whole number above 0, `noise` is not a number of 0 or more, or
        `rng` is not a seed.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, targets = cg.data.line(100, noise=0)
    >>> float(abs(targets - (2 * x + 1)).max())
    0.0
    """
    n, rng, noise, _ = _start("line", n, rng, noise)
    x = rng.uniform(-1, 1, (n, 1))
    return x, 2 * x + 1 + noise * rng.standard_normal((n, 1))


def separable(n: int, *, rng: Any = 0, margin: float = 0.1) -> tuple[Array, Array]:
    r"""Draw two classes on the two sides of the line $0.6\,x_1 + 0.8\,x_2 = 0.2$.

    No point is closer to the line than `margin`, nor farther than `margin` + 1. As
    $(0.6, 0.8)$ has length 1, $0.6\,x_1 + 0.8\,x_2 - 0.2$ is the distance itself: above
    0 in class 1, below 0 in class 0.

    Parameters
    ----------
    n : int
        How many points.
    rng : int or numpy.random.Generator
        Where the numbers come from.
    margin : float
        The least distance to the line, in the unit of $x$; 0 or more.

    Returns
    -------
    x : Array of shape (n, 2)
        The points.
    labels : Array of int, of shape (n,)
        Their side, 0 or 1.

    Raises
    ------
    TypeError, ValueError
        As `line`; also if `margin` is not a number of 0 or more.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.separable(100, margin=0.5)
    >>> distance = (2 * labels - 1) * (0.6 * x[:, 0] + 0.8 * x[:, 1] - 0.2)
    >>> bool((distance >= 0.5).all())
    True
    """
    margin = check.number("separable", "margin", margin, low=0)
    n, rng, _, labels = _start("separable", n, rng, 0)
    away = (2 * labels - 1) * (margin + rng.uniform(0, 1, n))
    along = rng.uniform(-1, 1, n)
    x = np.outer(0.2 + away, [0.6, 0.8]) + np.outer(along, [-0.8, 0.6])
    return x, labels


def xor(n: int, *, rng: Any = 0, noise: float = 0.1) -> tuple[Array, Array]:
    r"""Draw clusters round the four rows of the truth table of "exclusive or".

    Parameters
    ----------
    n : int
        How many points; without noise, 4 of them are the table.
    rng : int or numpy.random.Generator
        Where the numbers come from.
    noise : float
        Standard deviation of a cluster, in the unit of $x$; 0 or more.

    Returns
    -------
    x : Array of shape (n, 2)
        The points, near 0 and 1.
    labels : Array of int, of shape (n,)
        1 where one of the two is near 1, 0 where both or none are.

    Raises
    ------
    TypeError, ValueError
        As `line`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.xor(4, noise=0)
    >>> x
    array([[0., 0.],
           [0., 1.],
           [1., 1.],
           [1., 0.]])
    >>> labels
    array([0, 1, 0, 1])
    """
    n, rng, noise, labels = _start("xor", n, rng, noise)
    table = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    return table[np.arange(n) % 4] + noise * rng.standard_normal((n, 2)), labels


def moons(n: int, *, rng: Any = 0, noise: float = 0.1) -> tuple[Array, Array]:
    r"""Draw two half circles of radius 1 that reach into each other.

    With $\theta$ uniform in $[0, \pi]$: $(\cos\theta, \sin\theta)$ is class 0 and
    $(1 - \cos\theta, \tfrac12 - \sin\theta)$ is class 1.

    Parameters
    ----------
    n : int
        How many points.
    rng : int or numpy.random.Generator
        Where the numbers come from.
    noise : float
        Standard deviation of the normal noise on $x$, in its unit; 0 or more.

    Returns
    -------
    x : Array of shape (n, 2)
        The points.
    labels : Array of int, of shape (n,)
        0 for the upper moon, 1 for the lower.

    Raises
    ------
    TypeError, ValueError
        As `line`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.moons(101, noise=0)
    >>> upper = x[labels == 0]
    >>> round(float(abs((upper**2).sum(-1) - 1).max()), 12)
    0.0
    """
    n, rng, noise, labels = _start("moons", n, rng, noise)
    angle = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    x = np.where(labels[:, None] == 0, upper, [1.0, 0.5] - upper)
    return x + noise * rng.standard_normal((n, 2)), labels


def circles(n: int, *, rng: Any = 0, noise: float = 0.05) -> tuple[Array, Array]:
    r"""Draw a circle of radius 1 and, inside it, one of radius ½.

    Parameters
    ----------
    n : int
        How many points.
    rng : int or numpy.random.Generator
        Where the numbers come from.
    noise : float
        Standard deviation of the normal noise on $x$, in its unit; 0 or more.

    Returns
    -------
    x : Array of shape (n, 2)
        The points.
    labels : Array of int, of shape (n,)
        0 for the outer circle, 1 for the inner.

    Raises
    ------
    TypeError, ValueError
        As `line`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.circles(4, noise=0)
    >>> (x**2).sum(-1) ** 0.5
    array([1. , 0.5, 1. , 0.5])
    """
    n, rng, noise, labels = _start("circles", n, rng, noise)
    angle, radius = rng.uniform(0, 2 * np.pi, n), 1 - labels / 2
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return x + noise * rng.standard_normal((n, 2)), labels


def spirals(n: int, *, rng: Any = 0, noise: float = 0.02) -> tuple[Array, Array]:
    r"""Draw two arms that wind one and a half times round each other.

    The point at radius $r$, uniform in $[0.1, 1]$, is at the angle $3\pi r$ in class 0,
    and across the centre from there in class 1.

    Parameters
    ----------
    n : int
        How many points.
    rng : int or numpy.random.Generator
        Where the numbers come from.
    noise : float
        Standard deviation of the normal noise on $x$, in its unit; 0 or more. The arms
        are ⅓ apart.

    Returns
    -------
    x : Array of shape (n, 2)
        The points.
    labels : Array of int, of shape (n,)
        The arm, 0 or 1.

    Raises
    ------
    TypeError, ValueError
        As `line`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.spirals(100)
    >>> x.shape, labels.shape
    ((100, 2), (100,))
    """
    n, rng, noise, labels = _start("spirals", n, rng, noise)
    radius = rng.uniform(0.1, 1, n)
    angle = np.pi * (3 * radius + labels)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return x + noise * rng.standard_normal((n, 2)), labels


def blobs(
    n: int, *, classes: int = 3, rng: Any = 0, noise: float = 0.3
) -> tuple[Array, Array]:
    r"""Draw round clouds whose centres stand evenly on the unit circle.

    The centre of class $k$ of $c$ is at the angle $2\pi k/c$.

    Parameters
    ----------
    n : int
        How many points.
    classes : int
        $c$, how many clouds; 2 or more.
    rng : int or numpy.random.Generator
        Where the numbers come from.
    noise : float
        Standard deviation of a cloud, in the unit of $x$; 0 or more.

    Returns
    -------
    x : Array of shape (n, 2)
        The points.
    labels : Array of int, of shape (n,)
        The cloud, from 0 to $c - 1$.

    Raises
    ------
    TypeError, ValueError
        As `line`; also if `classes` is not a whole number above 1.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.blobs(7, classes=3)
    >>> labels
    array([0, 1, 2, 0, 1, 2, 0])
    """
    classes = check.integer("blobs", "classes", classes, low=2)
    n, rng, noise, labels = _start("blobs", n, rng, noise, classes)
    angle = 2 * np.pi * labels / classes
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return centres + noise * rng.standard_normal((n, 2)), labels


def digits() -> tuple[Array, Array]:
    r"""Read 1797 real handwritten digits, images of 8×8 pixels.

    Real people wrote them on real forms, in 1998. They come with chalkgrad; nothing is
    downloaded.

    Returns
    -------
    x : Array of shape (1797, 64)
        The pixels, row by row: from 0 for paper to 1 for ink, in steps of 1/16.
    labels : Array of int, of shape (1797,)
        The digit, 0 to 9.

    Raises
    ------
    ValueError
        If the file is not the one that chalkgrad ships: cut short, or altered.

    References
    ----------
    [Alpaydin and Kaynak (1998)][alpaydin1998], by way of the UCI Machine Learning
    Repository, licensed CC BY 4.0.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.digits()
    >>> x.shape, labels[:10]
    ((1797, 64), array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    >>> for row in x[0].reshape(8, 8):
    ...     print("".join("#" if ink > 0.4 else "-" for ink in row))
    ---##---
    --####--
    --#--##-
    --#--##-
    --#--##-
    --#--##-
    --#-##--
    ---##---
    """
    raw = DIGITS.read_bytes()
    if (found := hashlib.sha256(raw).hexdigest()) != DIGITS_SHA256:
        raise ValueError(
            f"digits: the file {DIGITS} is not the one that chalkgrad ships (SHA-256 "
            f"{found[:8]}…, not {DIGITS_SHA256[:8]}…); reinstall chalkgrad."
        )
    with np.load(io.BytesIO(raw)) as file:
        return file["pixels"] / 16.0, file["labels"].astype(np.int64)


def load(
    path: Any,
    *,
    inputs: str = "x",
    labels: Any = True,
    delimiter: str | None = None,
    dtype: str | None = None,
    lazy: bool = False,
) -> tuple[Any, Array | None]:
    r"""Read your own examples and their labels from a file.

    The name tells the format, and ``.gz`` may follow it, but for ``.npz``:

    - ``.npy``: an array of inputs; the labels are in another file.
    - ``.npz``: both, as `inputs` and `labels`.
    - ``.csv``, ``.tsv``, ``.txt``: a table of numbers, one row an example. Its first
      line names the columns if nothing in it is a number.
    - IDX, such as ``train-images-idx3-ubyte``: the format of MNIST; the labels are in
      another file.

    Images become rows. Bytes are taken for grey values and divided by 255, so that
    they go from 0 to 1; all else stays as it is. Nothing is ever unpickled.

    Parameters
    ----------
    path : str or path
        The file.
    inputs : str
        What the inputs are called in a ``.npz`` file.
    labels : bool, str, int or path
        Where the labels are. A string names an array in a ``.npz`` file, a column in a
        table, or a file; a number is that of a column, from 0; a ``pathlib.Path`` is a
        file in any case. True stands for the array ``labels``; for the column
        ``label`` or ``labels``, or else the last; or for the file beside `path` that
        has ``labels`` in its name instead of ``images`` or ``x``. False: there are
        none.
    delimiter : str, optional
        What is between the columns of a table: by default the one of comma, semicolon
        and tab that is most often in the first line, or a space if there is none.
    dtype : "float32" or "float64", optional
        By default inputs in float32, or float16, become float32, all others float64.
    lazy : bool
        Whether to leave the inputs on disk, and read a batch when it is asked for. That
        serves where they are larger than memory, in a file that is neither packed nor a
        table; any other is read into memory all the same.

    Returns
    -------
    x : Array of shape (n, d), or Rows
        The examples; `Rows` if `lazy`.
    labels : Array of int, of shape (n,), or None
        The class of each.

    Raises
    ------
    OSError
        If a file is not there or can't be read.
    TypeError
        If `path` is not the path of a file.
    ValueError
        If a file is not what its name says, is damaged, cut short or empty; if a row of
        a table is shorter than others, or holds what is no number; if a label is not a
        whole number.
    ShapeError
        If there are not as many labels as examples.

    References
    ----------
    [LeCun and others (1998)][lecun1998], whose digits made IDX files known.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import chalkgrad.numpy as cg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "flowers.csv")
    ...     _ = path.write_text("length,width,kind\n5.1,3.5,0\n6.2,2.9,1\n")
    ...     x, labels = cg.data.load(path)
    >>> x
    array([[5.1, 3.5],
           [6.2, 2.9]])
    >>> labels
    array([0, 1])
    """
    x, y = opened("load", path, inputs, labels, delimiter, dtype)
    if y is not None:
        y = _files.whole("load", path, y)
    return x if lazy else x[:], y


def opened(
    where: str, path: Any, inputs: str, labels: Any, delimiter: Any, dtype: Any
) -> tuple["Rows", Array | None]:
    """Return the rows of a file, and the labels as they are written, words perhaps."""
    if delimiter is not None and (
        not isinstance(delimiter, str) or len(delimiter) != 1
    ):
        raise ValueError(
            f"{where}: `delimiter` must be one character, got {delimiter!r}."
        )
    if dtype is not None:
        check.choice(where, "dtype", dtype, check.FLOATS)
    source, y = _files.read(
        where, path, inputs=inputs, labels=labels, delimiter=delimiter
    )
    if y is not None:
        rows(where, x=source, labels=y)
    if dtype is None:
        small = check.dtype_name(source) in ("float16", "float32")
        dtype = "float32" if small else "float64"
    scale = 255.0 if source.dtype == np.uint8 else 1.0
    return Rows(source, np.dtype(dtype), scale=scale), y


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that stay where they are, in a file mostly, until somebody asks for some.

    ``x[i]``, with a slice or an array of row numbers, reads those rows, scales them and
    gives an array of the half. `split`, `batches` and ``cg.training`` take it for an
    array and never ask for all of it at once; for anything else, ``x[:]`` is all of it.
    """

    source: Array
    """The numbers as they are stored, shape (n, d)."""
    dtype: Any
    """What the rows are given in, float32 or float64."""
    shift: Any = 0.0
    """What is subtracted from a row, a number or shape (d,), and then"""
    scale: Any = 1.0
    """what it is divided by."""
    order: Array | None = None
    """Which rows of the source, if not all."""
    make: Callable[[Array], Any] = np.asarray
    """How an array of the half is made."""

    @property
    def shape(self) -> tuple[int, int]:
        """The shape that all rows together have."""
        return len(self), self.source.shape[1]

    def __len__(self) -> int:
        return len(self.source if self.order is None else self.order)

    def __getitem__(self, index: Any) -> Any:
        return self.make(self._read(index))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self._read(slice(None)).astype(dtype or self.dtype, copy=False)

    def _read(self, index: Any) -> Array:
        rows = self.source[index if self.order is None else self.order[index]]
        scaled = np.subtract(rows, self.shift, dtype=self.dtype)
        scaled /= self.scale
        return np.asarray(scaled)

    def taken(self, rows: Array) -> "Rows":
        """Return some of the rows, which also stay where they are."""
        order = rows if self.order is None else self.order[rows]
        return replace(self, order=order)


def split(
    x: Any, labels: Any, *, fraction: float = 0.2, rng: Any = 0
) -> tuple[Any, Any, Any, Any]:
    r"""Hold out some of the examples, drawn at random, to test on.

    Every class gives its share, to within one example. (If `labels` are not class ids
    but real targets, all examples are drawn alike.) The rows keep their order.

    Parameters
    ----------
    x : Array of shape (n, ...)
        The examples.
    labels : Array of int, of shape (n,)
        The class of each; or real targets, shape (n, ...).
    fraction : float
        The share to hold out, between 0 and 1.
    rng : int or numpy.random.Generator
        Where the numbers come from.

    Returns
    -------
    x_train, labels_train : Array
        What to train on: copies of rows.
    x_test, labels_test : Array
        What to test on, $n$ times `fraction`, rounded.

    Raises
    ------
    TypeError
        If `x` or `labels` is not an array.
    ShapeError
        If they do not have as many rows.
    ValueError
        If `fraction` is not between 0 and 1, or leaves one part empty.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x_train, labels_train, x_test, labels_test = cg.data.split(*cg.data.moons(10))
    >>> len(x_train), len(x_test)
    (8, 2)
    >>> sorted(labels_test.tolist())
    [0, 1]
    """
    fraction = check.number(
        "split", "fraction", fraction, low=0, high=1, open_low=True, open_high=True
    )
    n = rows("split", x=x, labels=labels)
    order = generator("split", rng).permutation(n)
    if len(labels.shape) == 1 and check.dtype_name(labels) in check.INTEGERS:
        classes = ndarray(labels)
        order = order[np.argsort(classes[order], kind="stable")]
    # Walk through the classes and take a row whenever another 1/fraction have passed.
    test = np.zeros(n, dtype=bool)
    test[order] = np.diff(np.floor(fraction * np.arange(n + 1) + 0.5)) > 0
    if not 0 < test.sum() < n:
        raise ValueError(
            f"split: `fraction` {fraction:g} of {n} rows leaves one part empty; "
            "choose another, or draw more rows."
        )
    train, test = np.flatnonzero(~test), np.flatnonzero(test)
    return taken(x, train), labels[train], taken(x, test), labels[test]


def taken(x: Any, some: Array) -> Any:
    """Return the rows that `some` lists; of a file, without reading them yet."""
    return x.taken(some) if isinstance(x, Rows) else x[some]


def batches(x: Any, y: Any, *, size: int, rng: Any) -> Iterator[tuple[Any, Any]]:
    r"""Shuffle the examples and deal them out in batches, each example once.

    The last batch is smaller if `size` does not divide $n$.

    Parameters
    ----------
    x : Array of shape (n, ...)
        The examples.
    y : Array of shape (n, ...)
        Their labels or targets.
    size : int
        How many in a batch.
    rng : int or numpy.random.Generator
        Where the shuffling comes from. Give the same Generator every epoch, and every
        epoch is shuffled anew; a seed shuffles the same way every time.

    Returns
    -------
    iterator of (Array, Array)
        The batches: rows of a shuffled copy.

    Raises
    ------
    TypeError
        If `x` or `y` is not an array, or `size` not a whole number.
    ShapeError
        If they do not have as many rows.
    ValueError
        If `size` is not above 0.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.moons(10)
    >>> [len(xs) for xs, ys in cg.data.batches(x, labels, size=4, rng=0)]
    [4, 4, 2]
    """
    size = check.integer("batches", "size", size, low=1)
    rows("batches", x=x, y=y)
    return dealt(x, y, size, generator("batches", rng))


def dealt(
    x: Any,
    y: Any,
    size: int,
    rng: np.random.Generator,
    share: Callable[[int, int], slice] = slice,
) -> Iterator[tuple[Any, Any]]:
    """Deal out shuffled examples; `share` says which rows of a batch are wanted."""
    n = len(x)
    order = rng.permutation(n)
    x, y = taken(x, order), y[order]
    shares = [share(i, min(i + size, n)) for i in range(0, n, size)]
    return ((x[rows], y[rows]) for rows in shares)


def portions(x: Any, y: Any) -> Iterator[tuple[int, Any, Any]]:
    """Deal out all examples in order, with the number of the first.

    Arrays come whole; of a file, no more at a time than has room in some 32 MiB.
    """
    n = len(x)
    size = max(1, ROOM // x.shape[1]) if isinstance(x, Rows) else n
    return ((i, x[i : i + size], y[i : i + size]) for i in range(0, n, size))
