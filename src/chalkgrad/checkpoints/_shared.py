r"""Checkpoints, the same in both backends: what training has come to, safe in a file.

A checkpoint is a safetensors file, so other programs can read its arrays:

$$\underbrace{n}_{8\text{ bytes}}\;
\underbrace{\{\text{names, shapes, values}\}}_{n\text{ bytes of JSON}}\;
\underbrace{\text{arrays}}_{\text{little-endian}}\;
\underbrace{\text{SHA-256 of all before}}_{\text{the last array, 32 bytes}}$$

The last array is the digest of every byte before it, for the format itself notices
almost no flipped bit. Nothing in the file is code: it holds numbers and words.

A file is written under another name, forced to the disk, and renamed; then the folder
is forced to the disk. So whenever the power fails, there is the old checkpoint or the
new one, never half of one.
"""

import contextlib
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import from_numpy, is_tensor, to_numpy
from chalkgrad._core.tree import tree_fields, tree_leaves

__all__ = [
    "CheckpointError",
    "CheckpointInfo",
    "clear",
    "latest",
    "list_checkpoints",
    "load",
    "save",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

FORMAT = 1
# The words of safetensors for the dtypes of NumPy.
WORDS = {
    "float32": "F32",
    "float64": "F64",
    "int64": "I64",
    "uint8": "U8",
    "uint32": "U32",
    "uint64": "U64",
}
DTYPES = {word: dtype for dtype, word in WORDS.items()}
DIGEST = 32  # bytes
UNFINISHED = "unfinished"
NAME = re.compile(r"step-(\d+)\.safetensors")


class CheckpointError(ValueError):
    """A file that is not a whole checkpoint, or not one of this run."""


class CheckpointInfo(NamedTuple):
    """What `latest` found."""

    path: Path
    """The newest checkpoint that is whole."""
    contents: Any
    """What was saved in it."""
    refused: tuple[str, ...]
    """Of each newer file, why it was passed over."""


def save(folder: str | Path, contents: object, *, step: int, keep: int = 3) -> Path:
    """Write a checkpoint that is either whole or not there.

    It is on the disk when this returns: written beside, forced to the disk, renamed.
    Only then are the oldest ones removed. What a killed program left unfinished is
    overwritten by the next one, so let only one program write into a folder.

    Parameters
    ----------
    folder : str or Path
        Where; it is made if it is not there.
    contents : dict or named tuple
        Arrays of either backend, numbers, words, lists of those, and dicts and named
        tuples that hold such things in turn: weights and the state of an optimizer,
        for example. The names in it must be identifiers, as those of variables.
    step : int
        How far training is; it names the file, ``step-000000120.safetensors``.
    keep : int
        How many checkpoints to keep, this one among them; 1 or more.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError, ValueError
        If `contents` holds something else, or `step` or `keep` is no whole number in
        its range; then nothing is written.
    OSError
        If the disk is full or failing; what was there before is still there.

    Examples
    --------
    >>> import tempfile
    >>> import chalkgrad.numpy as cg
    >>> w = cg.array([1.0, 2.0])
    >>> opt = cg.optimizers.adam(0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = cg.checkpoints.save(folder, {"w": w, "state": opt.init(w)}, step=120)
    ...     path.name
    'step-000000120.safetensors'
    """
    check.path("save", "folder", folder)
    step = check.integer("save", "step", step)
    keep = check.integer("save", "keep", keep, low=1)
    pieces = _pack(contents)
    folder = Path(folder)
    path, unfinished = folder / f"step-{step:09}.safetensors", folder / UNFINISHED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(unfinished, pieces)
        unfinished.replace(path)
        _sync(folder)
        older = [old for number, old in list_checkpoints(folder) if number <= step]
        for old in older[:-keep]:
            old.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        words = f"save: cannot write {path}: {error.strerror}."
        raise OSError(error.errno, words) from error
    return path


def load(path: str | Path, *, like: object = None) -> Any:
    """Read a checkpoint and verify every bit of it.

    Parameters
    ----------
    path : str or Path
        A file that `save` wrote.
    like : dict or named tuple, optional
        What to give back: the same kinds, in the same places, with the numbers of the
        file. Arrays are of the backend and on the device of those in `like`. What a
        dict does not name is left out.

    Returns
    -------
    dict or named tuple
        As `like`. Without it, dicts of dicts, in which the arrays are NumPy's.

    Raises
    ------
    CheckpointError
        If the file cannot be read, is cut short or altered by a single bit, comes from
        a newer chalkgrad, or does not hold what `like` asks for.

    Examples
    --------
    >>> import tempfile
    >>> import chalkgrad.numpy as cg
    >>> w = cg.array([1.0, 2.0])
    >>> saved = {"w": w, "state": cg.optimizers.sgd(0.1).init(w)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = cg.checkpoints.save(folder, saved, step=0)
    ...     cg.checkpoints.load(path, like=saved)["state"]
    ...     cg.checkpoints.load(path)["state"]
    SgdState(t=0, v=array([0., 0.]))
    {'t': 0, 'v': array([0., 0.])}
    """
    check.path("load", "path", path)
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"load: {path} cannot be read: {error.strerror}; is the path right?"
        ) from error
    except MemoryError as error:
        raise CheckpointError(f"load: {path} is larger than memory.") from error
    body = memoryview(raw)[:-DIGEST]
    if hashlib.sha256(body).digest() != raw[-DIGEST:]:
        raise CheckpointError(
            f"load: {path} is not a whole checkpoint: its SHA-256 is not the one that "
            "was written with it, so it is cut short, altered, or another kind of "
            "file; cg.checkpoints.latest(folder) finds the newest whole one."
        )
    try:
        made_by, contents = _unpack(raw)
    except Exception as error:  # whatever it is, it is the file's fault
        raise CheckpointError(
            f"load: {path} is not a checkpoint of chalkgrad: {error!r}."
        ) from error
    if made_by > FORMAT:
        raise CheckpointError(
            f"load: {path} has format {made_by}, but this chalkgrad reads up to "
            f"{FORMAT}; pip install --upgrade chalkgrad."
        )
    return contents if like is None else restore_like(like, contents, f"load: {path}")


def latest(folder: str | Path, *, like: object = None) -> CheckpointInfo | None:
    """Find the newest checkpoint of a folder that is whole.

    Parameters
    ----------
    folder : str or Path
        Where `save` wrote.
    like : dict or named tuple, optional
        As for `load`.

    Returns
    -------
    CheckpointInfo or None
        The file, its contents, and which newer files were refused, and why. None if
        the folder holds no checkpoint, or is not there.

    Raises
    ------
    CheckpointError
        If there are checkpoints, but none is whole, or the newest whole one does not
        hold what `like` asks for.

    Examples
    --------
    >>> import tempfile
    >>> import chalkgrad.numpy as cg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for step in (10, 20):
    ...         path = cg.checkpoints.save(folder, {"w": cg.array([step])}, step=step)
    ...     _ = path.write_bytes(path.read_bytes()[:-1])  # the newest is cut short
    ...     found = cg.checkpoints.latest(folder)
    >>> found.path.name, found.contents, len(found.refused)
    ('step-000000010.safetensors', {'w': array([10])}, 1)
    """
    check.path("latest", "folder", folder)
    refused: list[str] = []
    for _, path in reversed(list_checkpoints(folder)):
        try:
            contents = load(path)
        except CheckpointError as error:
            refused.append(str(error))
            continue
        if like is not None:
            contents = restore_like(like, contents, f"latest: {path}")
        return CheckpointInfo(path, contents, tuple(refused))
    if refused:
        raise CheckpointError(
            f"latest: no checkpoint in {folder} is whole.\n" + "\n".join(refused)
        )
    return None


def list_checkpoints(folder: str | Path) -> list[tuple[int, Path]]:
    """List the checkpoints of a folder, whole or not, the oldest first.

    Parameters
    ----------
    folder : str or Path
        Where `save` wrote. If it is not there, it holds none.

    Returns
    -------
    list of (int, Path)
        The step and the file of each.

    Raises
    ------
    OSError
        If the folder cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import chalkgrad.numpy as cg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for step in (10, 20):
    ...         _ = cg.checkpoints.save(folder, {"w": cg.array([step])}, step=step)
    ...     [
    ...         (step, path.name)
    ...         for step, path in cg.checkpoints.list_checkpoints(folder)
    ...     ]
    [(10, 'step-000000010.safetensors'), (20, 'step-000000020.safetensors')]
    """
    check.path("list_checkpoints", "folder", folder)
    folder = Path(folder)
    paths = folder.iterdir() if folder.is_dir() else ()
    named = ((NAME.fullmatch(path.name), path) for path in paths)
    return sorted((int(name[1]), path) for name, path in named if name)


def clear(folder: str | Path) -> None:
    """Remove the checkpoints of a folder, and the folder if nothing else is in it.

    Parameters
    ----------
    folder : str or Path
        Where `save` wrote.

    Raises
    ------
    OSError
        If a file cannot be removed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import chalkgrad.numpy as cg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = pathlib.Path(folder, "run")
    ...     _ = cg.checkpoints.save(run, {"w": cg.array([1.0])}, step=0)
    ...     cg.checkpoints.clear(run)
    ...     run.exists()
    False
    """
    check.path("clear", "folder", folder)
    folder = Path(folder)
    for _, path in list_checkpoints(folder):
        path.unlink()
    (folder / UNFINISHED).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


# --- The file -------------------------------------------------------------------------


def _pack(contents: Any) -> list[Any]:
    """Return all of the file but its digest, as pieces to write one by one."""
    if not tree_fields(contents):
        raise TypeError(
            "save: `contents` must be a dict or a named tuple that holds something, "
            f"got {contents!r:.60}."
        )
    arrays: dict[str, Array] = {}
    values: dict[str, Any] = {}
    for name, leaf in tree_leaves(contents):
        if not hasattr(leaf, "dtype"):
            values[name] = leaf
            continue
        values[name] = None  # so that names keep their order
        if (dtype := check.dtype_name(leaf)) not in WORDS:
            raise TypeError(
                f"save: `{name}` must be an array of {', '.join(WORDS)}, got {dtype}."
            )
        little_endian = np.dtype(dtype).newbyteorder("<")
        arrays[name] = np.asarray(to_numpy(leaf), dtype=little_endian, order="C")
    metadata = {"chalkgrad_format": str(FORMAT), "values": _json(values)}
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, a in arrays.items():
        begin, end = end, end + a.nbytes
        header[name] = _entry(WORDS[a.dtype.name], list(a.shape), begin, end)
    header["__sha256__"] = _entry("U8", [DIGEST], end, end + DIGEST)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the arrays begin at a multiple of 8 bytes
    return [len(text).to_bytes(8, "little"), text, *(a.data for a in arrays.values())]


def _entry(word: str, shape: list[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": word, "shape": shape, "data_offsets": [begin, end]}


def _unpack(raw: bytes) -> tuple[int, Any]:
    """Return the format and the contents of a file; only views are made until then."""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    metadata = header.pop("__metadata__")
    header.pop("__sha256__")
    made_by = int(metadata["chalkgrad_format"])
    found = json.loads(metadata["values"])
    for name, entry in header.items():
        dtype = np.dtype(DTYPES[entry["dtype"]])
        begin, end = entry["data_offsets"]
        piece = memoryview(raw)[start + begin : start + end]
        stored = np.frombuffer(piece, dtype.newbyteorder("<"))
        found[name] = stored.reshape(entry["shape"]).astype(dtype)
    contents: dict[str, Any] = {}
    for name, leaf in found.items():
        *path, last = name.split(".")
        place = contents
        for key in path:
            place = place.setdefault(key, {})
        place[last] = leaf
    return made_by, contents


def _write(path: Path, pieces: list[Any]) -> None:
    """Write pieces and their digest, and wait until the disk has them."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    if os.name == "nt":  # Windows opens no folders
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


# --- Its contents ---------------------------------------------------------------------


def _json(values: dict[str, Any]) -> str:
    """Return values as JSON, which keeps every bit of a float and digit of an int."""
    for name, value in values.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"save: `{name}` must be an array, a number, a word, a list of those, "
                f"a dict or a named tuple, got {type(value).__name__}."
            ) from None
    return json.dumps(values)


def restore_like(like: Any, saved: Any, where: str, path: str = "contents") -> Any:
    """Return what was saved in the form of `like`, or tell where they differ."""
    fields = tree_fields(like)
    if fields is not None and isinstance(saved, dict):
        if hasattr(like, "_asdict"):
            if saved.keys() != fields.keys():
                raise CheckpointError(
                    f"{where} has in `{path}` {', '.join(saved) or 'nothing'}, but "
                    f"`like` has a {type(like).__name__} of {', '.join(fields)}."
                )
            return like._replace(
                **{
                    name: restore_like(part, saved[name], where, f"{path}.{name}")
                    for name, part in fields.items()
                }
            )
        return {
            name: restore_like(part, saved.get(name, {}), where, f"{path}.{name}")
            for name, part in fields.items()
        }
    if _kind(like) != _kind(saved):
        raise CheckpointError(
            f"{where} has in `{path}` {_kind(saved)}, but `like` has {_kind(like)}."
        )
    if is_tensor(like):
        return from_numpy(np.array(saved), like=like)
    return saved[()] if isinstance(like, np.generic) else saved


def _kind(x: Any) -> str:
    """Tell what stands at a place, in words that are equal if it fits."""
    if hasattr(x, "dtype"):
        return f"{check.dtype_name(x)} of shape {tuple(x.shape)}"
    return "nothing" if x == {} else type(x).__name__
