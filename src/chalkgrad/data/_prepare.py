"""What readers bring of their own: how it is read, encoded, scaled, and refused.

``where`` names who asks, a function or a command, and ``what`` what was given: so each
error speaks of what its reader wrote.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import is_gap, to_numpy
from chalkgrad._core.rows import LazyRows, count_rows, iter_chunks
from chalkgrad.data import _files
from chalkgrad.data._tables import Options, Reading, missing_labels

__all__ = [
    "Classes",
    "Options",
    "Reading",
    "Scaling",
    "Table",
    "encode",
    "fit_scaling",
    "open_table",
    "refuse_nonfinite",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Table:
    """What `load` has read: inputs and labels, and how they were found."""

    x: Any
    """The examples, an array of shape (n, d); `LazyRows` if they were left on disk."""
    labels: Any
    """Their labels, shape (n,): whole numbers; or words, NumPy's in both backends; or
    None."""
    reading: Reading
    """The names of the columns, which is the label, and how the file is written."""

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.labels))

    def __getitem__(self, index: int) -> Any:
        return (self.x, self.labels)[index]


def open_table(where: str, path: Any, options: Options, dtype: str | None) -> Table:
    """Read a file, with its inputs as `LazyRows`."""
    check.choice(where, "missing", options.missing, ("refuse", "drop", "mean"))
    if options.header is not None:
        check.boolean(where, "header", options.header)
    if dtype is not None:
        check.choice(where, "dtype", dtype, check.FLOATS)
    source, y, reading = _files.read(where, path, options)
    if y is not None:
        count_rows(where, x=source, labels=y)
        in_words = y.dtype.kind == "U"
        y = (
            _files.parse_labels(where, y, reading)
            if in_words
            else _files.whole(where, path, y)
        )
    if dtype is None:
        small = check.dtype_name(source) in ("float16", "float32")
        dtype = "float32" if small else "float64"
    scale = 255.0 if source.dtype == np.uint8 else 1.0
    return Table(LazyRows(source, np.dtype(dtype), scale=scale), y, reading)


class Classes(NamedTuple):
    """Labels as numbers, and the names of the classes."""

    ids: Any
    """The class of each example, whole numbers from 0, shape (n,)."""
    classes: tuple[str, ...]
    """The name of each class: ``classes[k]`` is that of class k."""


def encode(
    where: str,
    what: str,
    labels: Any,
    classes: Any = None,
    name_row: Callable[[int], str] = "row {}".format,
) -> Classes:
    """Number the classes; `what` names the labels in a message, `name_row` a row."""
    words = _words(where, what, labels, name_row)
    found, places = np.unique(words, return_inverse=True)
    if classes is None:
        order: Any = int if all(map(_files.is_id, found)) else str
        names = tuple(sorted(found.tolist(), key=order))
    else:
        names = _names(where, classes)
    numbers = {name: k for k, name in enumerate(names)}
    for label in found.tolist():
        if label not in numbers:
            row = int((words == label).argmax())
            raise ValueError(
                f"{where}: {what} has the label {label!r} in {name_row(row)}, which is "
                f"none of the classes {', '.join(names)}."
            )
    ids = np.array([numbers[label] for label in found.tolist()], np.int64)[places]
    return Classes(ids, names)


def _names(where: str, classes: Any) -> tuple[str, ...]:
    """Return the names of classes, each of which is another."""
    names = classes.tolist() if isinstance(classes, np.ndarray) else classes
    are_names = isinstance(names, list | tuple) and names
    if not are_names or not all(isinstance(name, str) for name in names):
        raise TypeError(
            f"{where}: `classes` must be a list of names, all of them text, got "
            f"{classes!r}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{where}: `classes` has a name twice, got {classes!r}.")
    return tuple(map(str, names))


def _words(where: str, what: str, labels: Any, name_row: Callable[[int], str]) -> Array:
    """Return labels as text."""
    given = labels.to_numpy() if hasattr(labels, "to_numpy") else labels
    if isinstance(given, list | tuple):
        given = np.array([*given, None], object)[:-1]  # NumPy makes words of numbers
    if check.unsupported_kind(given) or not hasattr(given, "dtype"):
        raise TypeError(
            f"{where}: {what} must be an array, or a list, with one label for each "
            "example, got "
            f"{check.unsupported_kind(given) or check.type_name(type(given))}."
        )
    a = to_numpy(given)
    if a.ndim != 1 or not len(a):
        advice = ""
        if a.ndim == 2:
            how = "[:, 0]" if a.shape[1] == 1 else ".argmax(1)"
            array = "labels" if labels is given else "labels.to_numpy()"
            advice = f"; {array}{how} has one for each row"
        raise check.ShapeError(
            f"{where}: {what} must hold one label for each example, got shape "
            f"{a.shape}{advice}."
        )
    if a.dtype.kind in "iub":
        return a.astype(str)
    one_by_one = a.tolist()
    gaps = missing_labels(map(str, one_by_one))
    for row, label in enumerate(one_by_one):
        is_number = isinstance(label, int | float)
        if is_gap(label) or label != label or str(label).strip() in gaps:
            raise ValueError(
                f"{where}: {what} has no label in {name_row(row)}, but {label!r}; "
                "leave such rows out."
            )
        wrong = not (isinstance(label, str) or (is_number and label % 1 == 0))
        if wrong or isinstance(label, str) != isinstance(one_by_one[0], str):
            raise TypeError(
                f"{where}: {what} must be words, or whole numbers, got {label!r} in "
                f"{name_row(row)}."
            )
    return np.array(
        [one if isinstance(one, str) else str(int(one)) for one in one_by_one]
    )


class Scaling(NamedTuple):
    """By what columns are shifted, and then divided; NumPy's in both backends."""

    shift: Array
    """What is subtracted, shape (d,)."""
    scale: Array
    """What it is divided by, shape (d,)."""


def fit_scaling(where: str, what: str, x: Any) -> Scaling:
    """Return the scaling that suits rows; `what` names them in a message."""
    d = x.shape[1]
    if isinstance(x, LazyRows) and x.storage.dtype == np.uint8:
        return Scaling(np.zeros(d), np.ones(d))
    exact = (
        replace(x, dtype=np.dtype(np.float64), to_array=np.asarray)
        if isinstance(x, LazyRows)
        else to_numpy(x).astype(np.float64)
    )
    mean, low, high = np.zeros(d), np.full(d, np.inf), np.full(d, -np.inf)
    with np.errstate(over="ignore", invalid="ignore"):  # told below
        for _, part, _ in iter_chunks(exact, range(len(x))):
            mean += (part / len(x)).sum(0)
            low, high = np.minimum(low, part.min(0)), np.maximum(high, part.max(0))
        unit = np.maximum(high - mean, mean - low)  # so that no square overflows
    if not np.isfinite(unit).all():
        refuse_nonfinite(where, what, exact)
    unit[unit == 0] = 1
    square = np.zeros(d)
    for _, part, _ in iter_chunks(exact, range(len(x))):
        square += (((part - mean) / unit) ** 2).sum(0) / len(x)
    deviation = unit * np.sqrt(square)
    # A column that never changes says nothing, and stays near 0.
    return Scaling(mean, np.where(deviation > 1e-12 * abs(mean), deviation, 1.0))


def refuse_nonfinite(where: str, what: str, x: Any) -> None:
    """Raise if a number is not finite, with its row."""
    for start, part, _ in iter_chunks(x, range(len(x))):
        places = np.argwhere(~np.isfinite(part))
        if len(places):
            row, column = places[0] + (start, 0)
            if isinstance(x, LazyRows) and x.index is not None:
                row = x.index[row]
            raise ValueError(
                f"{where}: {what} has a nan or an infinity in column {column} of its "
                f"inputs, in row {row}; every number must be finite."
            )
