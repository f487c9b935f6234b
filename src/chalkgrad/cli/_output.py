"""What a command writes: whole or not at all, and never over another run's."""

import hashlib
import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from chalkgrad.cli._options import BUILT_IN, Command, OutputOptions

__all__ = [
    "contents",
    "output_folder",
    "refuse_existing",
    "resolve_paths",
    "run_of",
    "run_options",
    "save_picture",
]

# What makes no other run.
ASIDE = ("command", "resume", "overwrite", "output", "log")
PIECES, PIECE = 64, 2**20  # of a file, in bytes
RUN = "Comment"  # where a picture says which run has drawn it


def resolve_paths(options: Command) -> dict[str, Any]:
    """Return all options, with files as one finds them from anywhere."""
    given = dict(vars(options))
    for name in ("data", "labels", "run"):
        path = given.get(name)
        if path and path not in BUILT_IN and Path(path).exists():
            given[name] = str(Path(path).resolve())
    return given


def contents(options: Command) -> dict[str, str]:
    """Return a digest of each file that a run learns from."""
    paths = {name: getattr(options, name, None) for name in ("data", "labels")}
    return {
        name: _digest(Path(path))
        for name, path in paths.items()
        if path and path not in BUILT_IN and Path(path).is_file()
    }


def _digest(path: Path) -> str:
    """Return a digest of a file; of a large one, of pieces from all over it."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for k in range(PIECES):
            file.seek(max(k * PIECE, k * (size - PIECE) // (PIECES - 1)))
            digest.update(file.read(PIECE))
    return digest.hexdigest()[:16]


def run_options(options: Command) -> dict[str, Any]:
    """Return what makes a run the one that it is, as a file gives it back."""
    given = resolve_paths(options) | {"contents": contents(options)}
    kept = {name: given[name] for name in sorted(given) if name not in ASIDE}
    plain: dict[str, Any] = json.loads(json.dumps(kept))
    return plain


def refuse_existing(
    options: OutputOptions, path: Path, before: Mapping[str, Any] | None = None
) -> None:
    """Keep what is there, unless the same run has made it, or one may write over it.

    `before` are the options of the run that has made it, if that is known. A device or
    a folder stays in any case: a file is put in the place of what is there.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(
            f"{options.command}: {path} is no file, so nothing is written over it; "
            "name one by --output."
        )
    if not path.exists() or options.overwrite:
        return
    here = run_options(options)
    if before == here:
        return
    differs = ""
    if before is not None:
        told = [
            f"{name} was {before.get(name)!r} and is {here.get(name)!r}"
            for name in sorted({*before, *here})
            if before.get(name) != here.get(name)
        ]
        differs = f" from another run: {', '.join(told)}"
    raise FileExistsError(
        f"{options.command}: {path} is there already{differs}; write elsewhere by "
        "--output, or over it by --overwrite."
    )


@contextmanager
def output_folder(options: OutputOptions, *names: str) -> Iterator[None]:
    """Make the folder of ``--output`` for files; unmake it if nothing came of it.

    The last of `names` is a picture, which tells whose the others are.
    """
    folder = Path(options.output)
    for name in names:
        refuse_existing(options, folder / name, run_of(folder / names[-1]))
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(f"cannot write into {folder}: {error.strerror}") from None
    try:
        yield
    except BaseException:
        for path in missing:
            if not any(path.iterdir()):
                path.rmdir()
        raise


def save_picture(options: Command, figure: Figure, path: Path) -> None:
    """Write a picture, whole or not at all, with the options of the run in it."""
    path = path.resolve()  # what a link points to, so that it stays one
    # In a folder of its own, so that nothing that is there is written over.
    with (
        tempfile.TemporaryDirectory(prefix="unfinished-", dir=path.parent) as own,
        warnings.catch_warnings(),
    ):
        # A letter that the font lacks is a box.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
        unfinished = Path(own, path.name)
        figure.savefig(
            unfinished,
            dpi=150,
            bbox_inches="tight",
            format="png",
            metadata={RUN: json.dumps(run_options(options))},
        )
        unfinished.replace(path)


def run_of(path: Path) -> dict[str, Any] | None:
    """Return the options of the run that has drawn a picture, if it is one of ours."""
    if not path.is_file():  # to open a pipe would be to wait
        return None
    try:
        with Image.open(path) as picture:
            found = json.loads(picture.info[RUN])
    except (OSError, KeyError, ValueError):
        return None
    return found if isinstance(found, dict) else None
