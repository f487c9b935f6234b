r"""Data, the same in both backends: NumPy draws every number.

Class labels are 0, 1, 2, …; where a loss wants targets of $\pm 1$, write
``2 * labels - 1``. The classes of a drawn set take turns, so that they are of one size
to within one example. `rng` is a seed, the same numbers every time, or a NumPy
Generator, which goes on from where it stands.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import convert_frame, from_numpy, to_dtype, to_numpy
from chalkgrad._core.random import Rng, as_generator
from chalkgrad._core.rows import (
    LazyRows,
    count_rows,
    iter_minibatches,
    take_rows,
)
from chalkgrad._core.types import ArrayOrFrame, PathOrName
from chalkgrad.data._prepare import (
    Classes,
    Options,
    Scaling,
    Table,
    encode,
    fit_scaling,
    open_table,
)

__all__ = [
    "Classes",
    "LazyRows",
    "Scaled",
    "Scaling",
    "Table",
    "batches",
    "blobs",
    "circles",
    "describe",
    "digits",
    "encode_labels",
    "line",
    "load",
    "moons",
    "scale",
    "separable",
    "spirals",
    "split",
    "xor",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

Labels: TypeAlias = ArrayOrFrame | Sequence[Any]

MOST = 12  # names of a list that are shown
DIGITS = files("chalkgrad.data") / "digits.npz"
DIGITS_SHA256 = "089d33176bf6819a5c6ebd6746c5293713f4e81c2c8fc52b672e6e15faa78f41"


def _start(
    where: str, n: int, rng: Rng, noise: float, classes: int = 2
) -> tuple[int, np.random.Generator, float, Array]:
    """Check what every drawn set takes; deal out the labels in turns."""
    n = check.integer(where, "n", n, low=1)
    noise = check.number(where, "noise", noise, low=0)
    return n, as_generator(where, rng), noise, np.arange(n) % classes


def line(n: int, *, rng: Rng = 0, noise: float = 0.1) -> tuple[Array, Array]:
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


def separable(n: int, *, rng: Rng = 0, margin: float = 0.1) -> tuple[Array, Array]:
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


def xor(n: int, *, rng: Rng = 0, noise: float = 0.1) -> tuple[Array, Array]:
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


def moons(n: int, *, rng: Rng = 0, noise: float = 0.1) -> tuple[Array, Array]:
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


def circles(n: int, *, rng: Rng = 0, noise: float = 0.05) -> tuple[Array, Array]:
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


def spirals(n: int, *, rng: Rng = 0, noise: float = 0.02) -> tuple[Array, Array]:
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
    n: int, *, classes: int = 3, rng: Rng = 0, noise: float = 0.3
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
    path: PathOrName,
    *,
    inputs: str | int | Sequence[str | int] | None = None,
    labels: bool | int | PathOrName = True,
    drop: str | int | Sequence[str | int] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    encoding: str = "utf-8",
    missing: str = "refuse",
    dtype: str | None = None,
    lazy: bool = False,
) -> Table:
    r"""Read your own examples and their labels from a file.

    The name tells the format, and ``.gz`` may follow it, but for ``.npz``:

    - ``.npy``: an array of inputs; the labels are in another file.
    - ``.npz``: both, as `inputs` and `labels`, which may be words, as in ``.npy``.
    - ``.csv``, ``.tsv``, ``.txt``: a table of numbers, one row an example, with labels
      that may be words. Its first line may name the columns.
    - IDX, such as ``train-images-idx3-ubyte``: the format of MNIST; the labels are in
      another file.

    Images become rows. Bytes are taken for grey values and divided by 255, so that
    they go from 0 to 1; all else stays as it is. Nothing is ever unpickled.

    A column of a table that looks like a row number, by its name (none, ``id``,
    ``index``, ``Unnamed: 0``) or by its numbers (0 to $n - 1$ or 1 to $n$), is left out
    unless `inputs` names it. `describe` says all of this of what was read.

    Parameters
    ----------
    path : str or path
        The file.
    inputs : str, int or list, optional
        The columns to learn from, by name or number, in this order; by default all but
        the labels. Of a ``.npz`` file, the name of the array, by default ``x``.
    labels : bool, str, int or path
        Where the labels are. A string names an array in a ``.npz`` file, a column in a
        table, or a file; a number is that of a column, from 0; a ``pathlib.Path`` is a
        file in any case. True stands for the array ``labels``; for the column
        ``label`` or ``labels``, or else the last; or for the file beside `path` that
        has ``labels`` in its name instead of ``images`` or ``x``. False: there are
        none.
    drop : str, int or list
        Columns of a table to leave out.
    header : bool, optional
        Whether the first line of a table names its columns. By default that is
        recognised: words over numbers, or numbers that are unlike those below. In doubt
        the table is refused.
    delimiter : str, optional
        What is between the columns of a table, a character or ``"tab"``. By default the
        one of tab, semicolon, bar and comma that makes all rows as long, or a space.
    decimal : "." or ","
        The decimal sign of a table.
    encoding : str
        How the text of a table is written, such as ``"cp1252"``.
    missing : "refuse", "drop" or "mean"
        What to do where a table says nothing, or ``NA``: refuse it, leave the row out,
        or put the mean of the column. A missing label is never filled in.
    dtype : "float32" or "float64", optional
        By default inputs in float32, or float16, become float32, all others float64.
    lazy : bool
        Whether to leave the inputs on disk, and read a batch when it is asked for. That
        serves where they are larger than memory, in a file that is neither packed nor a
        table; any other is read into memory all the same.

    Returns
    -------
    Table
        What was read: ``x, labels = load(path)`` takes it apart.

    Raises
    ------
    OSError
        If a file is not there or can't be read.
    TypeError
        If `path` is not the path of a file.
    ValueError
        If a file is not what its name says, is damaged, cut short or empty; if a row of
        a table is shorter than others, or a cell holds no number, or something is
        missing: it tells line and column, and the option that would help; if nobody can
        tell whether the first line is a header; if the labels are numbers, but not
        whole ones.
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
    options = Options(
        labels=labels,
        inputs=inputs,
        drop=drop,
        header=header,
        delimiter=delimiter,
        decimal=decimal,
        encoding=encoding,
        missing=missing,
    )
    table = open_table("load", path, options, dtype)
    return table if lazy else replace(table, x=table.x[:])


def describe(table: Table) -> str:
    r"""Say in one line what was read, and how.

    Parameters
    ----------
    table : Table
        What `load` returned.

    Returns
    -------
    str
        How many rows; the inputs by name; the labels, and how many there are of each;
        of a table also header, delimiter, decimal sign, encoding, and what was left out
        or filled in; and which inputs are the same everywhere.

    Raises
    ------
    TypeError
        If `table` is not what `load` returned.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import chalkgrad.numpy as cg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "flowers.csv")
    ...     _ = path.write_text("id;length;kind\n7;5.1;rose\n8;6.2;aster\n")
    ...     told = cg.data.describe(cg.data.load(path))
    >>> for part in told.split("; ")[1:]:  # the first part names the file
    ...     print(part)
    labels kind: aster 1, rose 1
    header yes, delimiter ';', decimal '.', encoding utf-8
    left out: id (a row number)
    no rows left out
    """
    if not isinstance(table, Table):
        raise TypeError(
            "describe: `table` must be what cg.data.load returned, got "
            f"{type(table).__name__}."
        )
    how = table.reading
    n, d = table.x.shape
    parts = [f"{Path(how.path).name}: {n} rows, {d} inputs"]
    if how.columns:
        parts[0] += f" ({_name_some(how.columns)})"
    if table.labels is None:
        parts.append("no labels")
    else:
        found, counts = np.unique(to_numpy(table.labels), return_counts=True)
        told = [f"{name} {n}" for name, n in zip(found, counts, strict=True)]
        label = f"labels {how.label}: " if how.label else "labels: "
        parts.append(label + _name_some(told))
    if how.is_table:
        mark = {"\t": "tab", " ": "space"}.get(how.delimiter, repr(how.delimiter))
        parts.append(
            f"header {'yes' if how.header else 'none'}, delimiter {mark}, decimal "
            f"{how.decimal!r}, encoding {how.encoding}"
        )
        if how.left_out:
            gone = [f"{name} ({why})" for name, why in how.left_out.items()]
            parts.append(f"left out: {_name_some(gone)}")
        parts.append(f"{how.rows_left_out or 'no'} rows left out")
    if how.gaps:
        parts.append(f"filled in: {how.gaps} missing numbers, by means of columns")
    if how.constant:
        parts.append(f"the same everywhere: {_name_some(how.constant)}")
    return "; ".join(parts)


def _name_some(names: Sequence[str]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f", … and {more} more" if more > 0 else "")


def encode_labels(labels: Labels, *, classes: Sequence[Any] | None = None) -> Classes:
    r"""Number the classes that labels name.

    Labels are text: ``01`` is not ``1``. Classes stand in the order of their numbers,
    if all are whole numbers, or of the alphabet.

    Parameters
    ----------
    labels : array, list or Series of words or whole numbers, of shape (n,)
        The label of each example. A Series is taken by place, not by its index.
    classes : list or tuple of str, optional
        The names of the classes, as they were numbered before; by default those that
        are there.

    Returns
    -------
    Classes
        The numbers, an array of the backend, and the names.

    Raises
    ------
    TypeError
        If `labels` holds neither words nor whole numbers.
    ShapeError
        If there is not one label for each example.
    ValueError
        If a label is missing, or is none of `classes`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> ids, classes = cg.data.encode_labels(["rose", "aster", "rose"])
    >>> ids
    array([1, 0, 1])
    >>> classes
    ('aster', 'rose')
    >>> cg.data.encode_labels(["rose"], classes=classes).ids
    array([1])
    """
    return encode("encode_labels", "`labels`", labels, classes)


class Scaled(NamedTuple):
    """Inputs that were scaled, and how."""

    x: Any
    """The examples, an array of the backend, or `LazyRows` if they were."""
    scaling: Scaling
    """What the next examples are scaled by."""


def scale(x: ArrayOrFrame, *, by: Scaling | None = None) -> Scaled:
    r"""Scale columns to mean 0 and deviation 1, as networks learn them well.

    Scale what you train on, and all else in the same way:
    ``x, scaling = scale(x)``, then ``x_test, _ = scale(x_test, by=scaling)``. Grey
    values, which `load` has read from bytes, go from 0 to 1 already, and stay.

    Parameters
    ----------
    x : Array of shape (n, d), or LazyRows
        The examples.
    by : Scaling, optional
        How others were scaled before; by default as it suits these.

    Returns
    -------
    Scaled
        The scaled examples, and the scaling. A column that is the same everywhere
        becomes 0.

    Raises
    ------
    TypeError
        If `x` is not an array of real numbers, or `by` no `Scaling`.
    ShapeError
        If `x` has not two axes, or not as many columns as `by`.
    ValueError
        If a number is nan or infinite.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, scaling = cg.data.scale(cg.array([[1.0, 50.0], [3.0, 70.0]]))
    >>> x
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> cg.data.scale(cg.array([[2.0, 70.0]]), by=scaling).x
    array([[0., 1.]])
    """
    x = convert_frame("scale", "x", x)
    count_rows("scale", x=x)
    if len(x.shape) != 2:
        raise check.ShapeError(
            f"scale: `x` must have a row for each example, shape (n, d), got "
            f"{tuple(x.shape)}."
        )
    if not isinstance(x, LazyRows):
        x = _real(x)
    if by is None:
        by = fit_scaling("scale", "`x`", x)
    elif not isinstance(by, Scaling):
        raise TypeError(f"scale: `by` must be a Scaling, got {type(by).__name__}.")
    check.shapes("scale", x=(x, "n d"), by=(by.shift, "d"))
    if isinstance(x, LazyRows):
        return Scaled(x.rescale(*by), by)
    return Scaled(_rescale(x, by), by)


def _rescale(x: Any, by: Scaling) -> Any:
    shift, divisor = (from_numpy(part.astype(check.dtype_name(x)), x) for part in by)
    return (x - shift) / divisor


def _real(x: Any) -> Any:
    """Return numbers in float32 or float64."""
    if 0 in tuple(x.shape):
        raise ValueError(
            f"scale: `x` is empty, shape {tuple(x.shape)}; it must hold at least one "
            "number."
        )
    if check.dtype_name(x) in check.INTEGERS:
        return from_numpy(to_numpy(x).astype(np.float64), x)
    check.any_precision("scale", "x", x)
    if check.dtype_name(x) in check.HALF_FLOATS:
        return to_dtype(x, "float32")
    return x


def split(
    x: ArrayOrFrame, labels: ArrayOrFrame, *, fraction: float = 0.2, rng: Rng = 0
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
    x, labels = convert_frame("split", "x", x), convert_frame("split", "labels", labels)
    n = count_rows("split", x=x, labels=labels)
    if check.is_text(labels):
        raise TypeError(
            "split: `labels` must be numbers, got words; "
            f"{check.make_array('labels', labels)}."
        )
    order = as_generator("split", rng).permutation(n)
    if len(labels.shape) == 1 and check.dtype_name(labels) in check.INTEGERS:
        classes = to_numpy(labels)
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
    return take_rows(x, train), labels[train], take_rows(x, test), labels[test]


def batches(
    x: ArrayOrFrame, y: ArrayOrFrame, *, size: int, rng: Rng
) -> Iterator[tuple[Any, Any]]:
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
    x, y = convert_frame("batches", "x", x), convert_frame("batches", "y", y)
    count_rows("batches", x=x, y=y)
    return iter_minibatches(x, y, size, as_generator("batches", rng))
