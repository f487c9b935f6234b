"""Files: what `load` makes of the bytes on disk, and what it refuses.

A header is a promise. Its sizes are held against the length of the file before anything
is allocated, nothing is ever unpickled, and every refusal names the file.
"""

import array
import csv
import gzip
import io
import math
import os
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np

__all__ = ["read", "whole"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

KINDS = {
    "npy": r"\.npy$",
    "npz": r"\.npz$",
    "csv": r"\.(csv|tsv|txt)$",
    "idx": r"[.-]idx\d?(-ubyte)?$",
}
DELIMITERS = ",;\t"  # if there is none of them, a space
IDX_DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
PIECE = 2**20  # bytes that are read at once from a file that is packed


def read(
    where: str,
    path: Any,
    *,
    inputs: str = "x",
    labels: Any = True,
    delimiter: str | None = None,
) -> tuple[Array, Array | None]:
    """Return the inputs, one row an example, and the labels as they are written.

    An array on disk that is not packed comes as a memory map.
    """
    path = _path(where, "path", path)
    kind = _kind(where, path)
    with _telling(where, path):
        if kind == "csv":
            x, y = _csv(where, path, labels, delimiter)
        elif kind == "npz":
            x, y = _npz(where, path, inputs, labels)
        else:
            x, y = _array(where, path, kind), None
    if y is None and labels is not False:
        beside = labels if labels is not True else _beside(where, path)
        y = _labels_file(where, _path(where, "labels", beside))
    for name, a in (("x", x), ("labels", y)):
        if a is not None and 0 in a.shape:
            _refuse(where, path, f"is empty: `{name}` has shape {a.shape}")
    return (x if x.ndim == 2 else x.reshape(len(x), -1)), y


def whole(where: str, path: Any, y: Array) -> Array:
    """Return labels as int64, if they are whole numbers."""
    if y.dtype.kind in "iub" and (y.dtype.kind == "i" or y.max() < 2**63):
        return y.astype(np.int64)
    good = np.zeros(len(y), bool)
    if y.dtype.kind == "f":
        good = (np.mod(y, 1) == 0) & (abs(y) < 2**53)
    if good.all():
        return y.astype(np.int64)
    i = int(good.argmin())
    raise ValueError(
        f"{where}: the labels of {path} must be whole numbers, got {y[i].item()!r} in "
        f"row {i}; number the classes 0, 1, 2, …, or name the column of the labels."
    )


# --- What is told ---------------------------------------------------------------------


def _refuse(where: str, path: Path, why: str) -> NoReturn:
    raise ValueError(f"{where}: {path} {why}.")


@contextmanager
def _telling(where: str, path: Path) -> Iterator[None]:
    """Tell in our words what the system or a packer found."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        _refuse(where, path, f"is damaged or cut short: {error}")
    except OSError as error:
        why = error.strerror or error
        raise OSError(f"{where}: cannot read {path}: {why}.") from None


def _path(where: str, name: str, path: Any) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"{where}: `{name}` must be the path of a file, got {path!r} "
            f"({type(path).__name__})."
        )
    return Path(path)


def _kind(where: str, path: Path) -> str:
    """Tell the format by the name."""
    name = path.name.removesuffix(".gz")
    for kind, pattern in KINDS.items():
        if re.search(pattern, name):
            return kind
    raise ValueError(
        f"{where}: `path` must end with .npy, .npz, .csv, .tsv, .txt, idx3-ubyte or "
        f".idx, and .gz may follow, got {path}."
    )


def _beside(where: str, path: Path) -> Path:
    """Find the labels beside the inputs: ``images`` or ``x`` is ``labels`` there."""
    name = re.sub(r"(?<![^\W_])(images|x)(?![^\W_])", "labels", path.name)
    name = re.sub(r"idx\d", "idx1", name)
    other = name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"
    for candidate in (path.with_name(name), path.with_name(other)):
        if candidate != path and candidate.is_file():
            return candidate
    raise FileNotFoundError(
        f"{where}: no labels beside {path}; give their file as `labels`"
        + (f", or call it {name}." if name != path.name else ".")
    )


# --- One array a file: .npy and IDX ---------------------------------------------------


def _open(path: Path) -> Any:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _labels_file(where: str, path: Path) -> Array:
    kind = _kind(where, path)
    if kind not in ("npy", "idx"):
        _refuse(where, path, "must be a .npy or IDX file to hold labels")
    with _telling(where, path):
        y = _array(where, path, kind)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        _refuse(where, path, f"must hold one label for each row, got shape {y.shape}")
    return y


def _array(where: str, path: Path, kind: str) -> Array:
    """Map the array of a file into memory; unpack it if it is packed."""
    header = _npy_header if kind == "npy" else _idx_header
    with _open(path) as file:
        dtype, shape, order = header(where, path, file)
        if not shape:
            _refuse(where, path, "holds a single number, not a row for each example")
        start, size = file.tell(), math.prod(shape) * dtype.itemsize
        if path.suffix == ".gz":
            raw = _take(file, size + 1)
            _fits(where, path, size, len(raw))
            return np.frombuffer(raw, dtype).reshape(shape, order=order)
        _fits(where, path, size, path.stat().st_size - start)
    if size == 0:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape, order=order)


def _fits(where: str, path: Path, wanted: int, there: int) -> None:
    if wanted != there:
        found = "fewer" if there < wanted else "more"
        _refuse(
            where,
            path,
            f"is damaged or cut short: its header promises {wanted} bytes of numbers, "
            f"and there are {found}",
        )


def _take(file: Any, size: int) -> bytes:
    """Read up to `size` bytes, piece by piece: a lie in a header allocates nothing."""
    raw = bytearray()
    while len(raw) < size and (piece := file.read(min(size - len(raw), PIECE))):
        raw += piece
    return bytes(raw)


def _npy_header(where: str, path: Path, file: Any) -> tuple[Any, Any, Any]:
    form = np.lib.format
    try:
        version = form.read_magic(file)
        # Structured arrays with names in Unicode have a version of their own.
        parse = {
            (1, 0): form.read_array_header_1_0,
            (2, 0): form.read_array_header_2_0,
        }[version]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            shape, fortran, dtype = parse(file)
    except (EOFError, zlib.error, OSError):
        raise
    except Exception:  # whatever Python's parser finds in what is no header
        _refuse(where, path, "is damaged, or no .npy file: its header can't be read")
    if dtype.hasobject:
        _refuse(
            where,
            path,
            "holds Python objects, which are never read, for they may run code; save "
            "arrays of numbers",
        )
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        _refuse(where, path, f"must hold real numbers, got {dtype}")
    if any(size < 0 for size in shape):
        _refuse(where, path, f"is damaged: its header promises the shape {shape}")
    return dtype, shape, "F" if fortran else "C"


def _idx_header(where: str, path: Path, file: Any) -> tuple[Any, Any, Any]:
    magic = file.read(4)
    known = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in IDX_DTYPES
    if not known or ("ubyte" in path.name and magic[2] != 8):
        _refuse(where, path, f"is damaged, or no IDX file: it begins with {magic!r}")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        _refuse(where, path, "is damaged or cut short: its header has no end")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    return np.dtype(IDX_DTYPES[magic[2]]), shape, "C"


# --- Archives -------------------------------------------------------------------------


def _npz(
    where: str, path: Path, inputs: str, labels: Any
) -> tuple[Array, Array | None]:
    wanted = "labels" if labels is True else labels
    try:
        archive = zipfile.ZipFile(path)
    except OSError:
        raise
    except Exception:  # a damaged archive has many ways to fail
        _refuse(where, path, "is damaged or cut short, or no .npz file")
    with archive:
        x = _member(where, path, archive, inputs)
        if wanted is False or isinstance(wanted, Path):
            return x, None
        y = _member(where, path, archive, wanted)
    if y.ndim != 1:
        _refuse(where, path, f"must hold one label for each row, got shape {y.shape}")
    return x, y


def _member(where: str, path: Path, archive: zipfile.ZipFile, name: Any) -> Array:
    members = [member for member in archive.namelist() if member.endswith(".npy")]
    if f"{name}.npy" not in members:
        names = ", ".join(member.removesuffix(".npy") for member in members)
        _refuse(where, path, f"has no array {name!r}; it has {names}")
    try:
        with archive.open(f"{name}.npy") as member:
            raw = _take(member, archive.getinfo(f"{name}.npy").file_size)
    except Exception as error:
        _refuse(where, path, f"is damaged or cut short: {error}")
    file = io.BytesIO(raw)
    dtype, shape, order = _npy_header(where, path, file)
    start = file.tell()
    _fits(where, path, math.prod(shape) * dtype.itemsize, len(raw) - start)
    return np.frombuffer(raw, dtype, offset=start).reshape(shape, order=order)


# --- Tables ---------------------------------------------------------------------------


def _csv(
    where: str, path: Path, labels: Any, delimiter: str | None
) -> tuple[Array, Array | None]:
    """Read a table: numbers, but for the column of the labels, which may be words."""
    with io.TextIOWrapper(_open(path), encoding="utf-8-sig", newline="") as file:
        try:
            return _table(where, path, file, labels, delimiter)
        except UnicodeDecodeError:
            _refuse(where, path, "is no text in UTF-8")
        except csv.Error as error:
            _refuse(where, path, f"is no table: {error}")


def _table(
    where: str, path: Path, file: Any, labels: Any, delimiter: str | None
) -> tuple[Array, Array | None]:
    first = file.readline()
    if delimiter is None:
        delimiter = max(DELIMITERS, key=first.count)
        delimiter = delimiter if delimiter in first else " "
    lines = csv.reader(chain([first], file), delimiter=delimiter, skipinitialspace=True)
    rows = ((lines.line_num, row) for row in lines if row)
    top = next(rows, None)
    if top is None:
        _refuse(where, path, "is empty")
    head = tuple(top[1])
    named = not any(map(_is_number, head))
    column = _column(where, path, head, named, labels)
    numbers, words = array.array("d"), []
    for number, row in rows if named else chain([top], rows):
        if len(row) != len(head):
            _refuse(
                where,
                path,
                f"has {len(row)} columns in line {number} and {len(head)} in the first",
            )
        if column is not None:
            words.append(row.pop(column).strip())
        try:
            if "_" in "".join(row):  # a number to Python alone
                raise ValueError
            numbers.extend(map(float, row))
        except ValueError:
            bad = next(cell for cell in row if not _is_number(cell))
            _refuse(where, path, f"has {bad!r} in line {number}, which is no number")
    if not numbers:
        _refuse(where, path, "is empty: it has no numbers to learn from")
    x = np.frombuffer(numbers).reshape(-1, len(head) - (column is not None))
    if column is None:
        return x, None
    are_numbers = all(map(_is_number, words))
    return x, np.array([float(word) for word in words] if are_numbers else words)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # to Python, 1_5 is 15


def _column(
    where: str, path: Path, head: tuple[str, ...], named: bool, labels: Any
) -> int | None:
    """Tell which column holds the labels: by name, by number, or the last."""
    if labels is False or isinstance(labels, Path):
        return None
    if labels is True:
        common = [name for name in ("label", "labels") if named and name in head]
        return head.index(common[0]) if common else len(head) - 1
    if isinstance(labels, str):
        if not named or labels not in head:
            has = (
                f"they are {', '.join(head)}" if named else "its columns have no names"
            )
            _refuse(where, path, f"has no column {labels!r}; {has}")
        return head.index(labels)
    if not isinstance(labels, int) or not -len(head) <= labels < len(head):
        _refuse(where, path, f"has {len(head)} columns, and none has number {labels!r}")
    return labels % len(head)
