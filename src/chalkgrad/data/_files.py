"""Files: what `load` makes of the bytes on disk, and what it refuses.

A header is a promise. Its sizes are held against the length of the file before anything
is allocated, nothing is ever unpickled, and every refusal names the file.
"""

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
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from chalkgrad.data import _tables
from chalkgrad.data._tables import Options, Reading, missing_labels, open_file, option
from chalkgrad.data._tables import refuse as _refuse

__all__ = ["format_of", "is_id", "parse_labels", "read", "whole"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

KINDS = {
    "npy": r"\.npy$",
    "npz": r"\.npz$",
    "csv": r"\.(csv|tsv|txt)$",
    "idx": r"[.-]idx\d?(-ubyte)?$",
}
WORDS = "US"  # kinds of dtypes that labels may have, too
IDX_DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
PIECE = 2**20  # bytes that are read at once from a file that is packed


def read(
    where: str, path: Any, options: Options
) -> tuple[Array, Array | None, Reading]:
    """Return the inputs, one row an example, the labels, and how they were read.

    The labels of a table are text. An array on disk that is not packed comes as a
    memory map.
    """
    path = _path(where, "path", path)
    kind, labels = format_of(where, path), options.labels
    reading = Reading(str(path))
    if kind != "csv":
        _refuse_words(where, path, options)
    with _explain_errors(where, path):
        if kind == "csv":
            x, y, reading = _tables.read(where, path, options)
        elif kind == "npz":
            inputs = _one_name(where, options.inputs)
            x, y = _npz(where, path, inputs, labels)
            name = "labels" if labels is True else labels
            reading = replace(reading, label=name if y is not None else None)
        else:
            x, y = _array(where, path, kind), None
    if y is None and labels is not False:
        beside = labels if labels is not True else _beside(where, path)
        beside = _path(where, "labels", beside)
        y, reading = _labels_file(where, beside), replace(reading, label=str(beside))
    for name, a in (("x", x), ("labels", y)):
        if a is not None and 0 in a.shape:
            _refuse(where, path, f"is empty: `{name}` has shape {a.shape}")
    return (x if x.ndim == 2 else x.reshape(len(x), -1)), y, reading


def _refuse_words(where: str, path: Path, options: Options) -> None:
    """Refuse the options of a table for what is none."""
    plain = Options()
    for name in ("drop", "header", "delimiter", "decimal", "encoding", "missing"):
        if getattr(options, name) != getattr(plain, name):
            _refuse(where, path, f"is no table, so it has no {option(where, name)}")


def _one_name(where: str, inputs: Any) -> str:
    names = [inputs] if isinstance(inputs, str) else list(inputs or ["x"])
    if len(names) != 1 or not isinstance(names[0], str):
        raise ValueError(
            f"{where}: `inputs` must name one array of a .npz file, got {inputs!r}."
        )
    return names[0]


def parse_labels(where: str, words: Array, reading: Reading) -> Array:
    """Return the labels of a table: as int64 if they are so written, else as words.

    ``01`` is a word, for it is not ``1``. ``1.0``, as NumPy and pandas write what was a
    float, is 1, unless there is a ``1`` too.
    """
    found, places = np.unique(words, return_inverse=True)
    numbers = [_number(word, reading.decimal) for word in found]
    whole = {
        int(number)
        for word, number in zip(found, numbers, strict=True)
        if number is not None and (is_id(word) or _is_float(word, reading.decimal))
    }
    if len(whole) == len(found):
        return np.array([int(number or 0) for number in numbers], np.int64)[places]
    if None in numbers:
        return words
    broken = np.array([number is not None and number % 1 > 0 for number in numbers])
    if broken.any():
        i = int(broken[places].argmax())
        raise ValueError(
            f"{where}: the labels of {reading.path} must be whole numbers, got "
            f"{words[i]} in {reading.name_row(i)}, column {reading.label!r} (words "
            f"will do, too); say which are the labels: {option(where, 'labels')}."
        )
    return words


def _is_float(word: str, decimal: str) -> bool:
    """Tell whether a word is how a whole number is written as a float."""
    head, _, tail = word.removeprefix("-").partition(decimal)
    number = _number(word, decimal)
    plain = bool(tail) and str(int(head)) == head if head.isdecimal() else False
    return plain and number is not None and number % 1 == 0 and abs(number) < 2**53


def is_id(word: str) -> bool:
    """Tell whether a word is how Python writes a whole number of 64 bits."""
    digits = word.removeprefix("-")
    return len(digits) < 19 and digits.isdecimal() and str(int(word)) == word


def _number(word: str, decimal: str) -> float | None:
    """Read a finite number; whole ones of 64 bits stay as they are."""
    if is_id(word):
        return int(word)
    try:
        number = float(word.replace(decimal, "."))
    except ValueError:
        return None
    return number if "_" not in word and math.isfinite(number) else None


def whole(where: str, path: Any, y: Array) -> Array:
    """Return labels as int64, if they are whole numbers."""
    if y.dtype.kind in "ib" or (y.dtype.kind == "u" and y.max() < 2**63):
        return y.astype(np.int64)
    good = np.zeros(len(y), bool)
    if y.dtype.kind == "f":
        wide = y.astype(np.float64)
        good = (abs(wide) < 2**53) & (wide == np.trunc(wide))
    if good.all():
        return y.astype(np.int64)
    i = int(good.argmin())
    raise ValueError(
        f"{where}: the labels of {path} must be whole numbers, got {y[i].item()!r} in "
        f"row {i}; number the classes 0, 1, 2, …, or say which are the labels: "
        f"{option(where, 'labels')}."
    )


# --- What is told ---------------------------------------------------------------------


@contextmanager
def _explain_errors(where: str, path: Path) -> Iterator[None]:
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


def format_of(where: str, path: Path) -> str:
    """Tell the format by the name."""
    name = path.name.lower().removesuffix(".gz")
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
    packed = name.lower().endswith(".gz")
    other = name[: -len(".gz")] if packed else f"{name}.gz"
    for candidate in (path.with_name(name), path.with_name(other)):
        if candidate != path and candidate.is_file():
            return candidate
    say = option(where, "labels", "FILE" if where != "load" else "")
    raise FileNotFoundError(
        f"{where}: no labels beside {path}; give their file as {say}"
        + (f", or call it {name}." if name != path.name else ".")
    )


# --- One array a file: .npy and IDX ---------------------------------------------------


def _labels_file(where: str, path: Path) -> Array:
    kind = format_of(where, path)
    if kind not in ("npy", "idx"):
        _refuse(where, path, "must be a .npy or IDX file to hold labels")
    with _explain_errors(where, path):
        y = _words(where, path, _array(where, path, kind, WORDS))
    return _one_each(where, path, y)


def _one_each(where: str, path: Path, y: Array) -> Array:
    """Return labels of shape (n,)."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        advice = "; if it is one-hot, save labels.argmax(1)" if y.ndim == 2 else ""
        _refuse(
            where,
            path,
            f"must hold one label for each row, got shape {y.shape}{advice}",
        )
    return y


def _words(where: str, path: Path, y: Array) -> Array:
    """Return labels with words, if they are any, as text; each must say something."""
    if y.dtype.kind not in WORDS:
        return y
    try:
        words: Array = np.char.decode(y, "utf-8") if y.dtype.kind == "S" else y[:]
    except UnicodeDecodeError:
        _refuse(where, path, "is no text in UTF-8; save words as text, not as bytes")
    gaps = missing_labels(np.unique(words).tolist())
    for row, word in enumerate(words.ravel().tolist() if gaps else ()):
        if word.strip() in gaps:
            _refuse(where, path, f"has no label in row {row}, but {word!r}")
    return words


def _array(where: str, path: Path, kind: str, also: str = "") -> Array:
    """Map the array of a file into memory; unpack it if it is packed."""
    with open_file(path) as file:
        dtype, shape, order = (
            _npy_header(where, path, file, also)
            if kind == "npy"
            else _idx_header(where, path, file)
        )
        if not shape:
            _refuse(where, path, "holds a single number, not a row for each example")
        start, size = file.tell(), math.prod(shape) * dtype.itemsize
        if path.suffix.lower() == ".gz":
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


def _npy_header(
    where: str, path: Path, file: Any, also: str = ""
) -> tuple[Any, Any, Any]:
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
            "arrays of numbers, and words as .astype(str)",
        )
    is_number = dtype.kind in "biuf" and dtype.itemsize <= 8
    if not is_number and dtype.kind not in also:
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
        x = _member(where, path, archive, inputs, "inputs")
        if wanted is False or isinstance(wanted, Path):
            return x, None
        y = _words(where, path, _member(where, path, archive, wanted, "labels"))
    return x, _one_each(where, path, y)


def _member(
    where: str, path: Path, archive: zipfile.ZipFile, name: Any, role: str
) -> Array:
    members = [member for member in archive.namelist() if member.endswith(".npy")]
    if f"{name}.npy" not in members:
        names = ", ".join(member.removesuffix(".npy") for member in members)
        say = option(where, role)
        _refuse(
            where, path, f"has no array {name!r}; it has {names}, and {say} names one"
        )
    try:
        with archive.open(f"{name}.npy") as member:
            raw = _take(member, archive.getinfo(f"{name}.npy").file_size)
    except Exception as error:
        _refuse(where, path, f"is damaged or cut short: {error}")
    file = io.BytesIO(raw)
    also = WORDS if role == "labels" else ""
    dtype, shape, order = _npy_header(where, path, file, also)
    start = file.tell()
    _fits(where, path, math.prod(shape) * dtype.itemsize, len(raw) - start)
    return np.frombuffer(raw, dtype, offset=start).reshape(shape, order=order)
