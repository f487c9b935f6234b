"""Where a subject is: ``mine.py:Adam``, a module, a notebook, or the standard input."""

import ast
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from chalkgrad.judge._names import normalize

__all__ = ["Place", "find_subject", "read_place"]


STDIN = "<stdin>"


class Place(NamedTuple):
    """Where a subject is, before anything of it has run."""

    path: str
    """A file, or the name of a module."""
    name: str
    """What it is called there; by default it is looked for."""
    text: str | None = None
    """The source that came from the standard input."""

    def __str__(self) -> str:
        return f"{self.path}:{self.name}" if self.name else self.path


def read_place(text: str) -> Place:
    """Read ``PATH:NAME``; for ``-`` the standard input is read, too."""
    if text == "-" or text.startswith("-:"):
        text = STDIN + text[1:]
    path, colon, name = text.rpartition(":")
    # A drive of Windows has a colon, too, but what follows it is no name.
    if not colon or not name.replace(".", "a").isidentifier():
        path, name = text.removesuffix(":"), ""
    return Place(path, name, sys.stdin.read() if path == STDIN else None)


def find_subject(place: Place, task: str) -> tuple[Any, str]:
    """Run what is there; return the subject and its name.

    Raises
    ------
    OSError, ImportError, SyntaxError, LookupError
        If there is none. What the code itself raises passes through.
    """
    module = _load(place)
    name = place.name or _guess(module, task)
    subject: Any = module
    for part in name.split("."):
        if not hasattr(subject, part):
            raise LookupError(f"there is no {name} in {place.path}")
        subject = getattr(subject, part)
    return subject, name


def _load(place: Place) -> ModuleType:
    if place.text is not None:
        return _execute(place.text, "<stdin>")
    path = Path(place.path)
    if path.suffix == ".ipynb":
        return _execute(_definitions(path.read_text("utf-8")), str(path))
    if path.suffix != ".py" and not path.exists():
        return importlib.import_module(place.path)
    sys.path.insert(0, str(path.resolve().parent))  # its neighbours may be imported
    return _execute(path.read_text("utf-8"), str(path))


def _execute(source: str, path: str) -> ModuleType:
    module = ModuleType("subject")
    module.__file__ = path
    sys.modules["subject"] = module  # a dataclass looks for its module
    exec(compile(source, path, "exec"), module.__dict__)
    return module


def _definitions(text: str) -> str:
    """Return what a notebook defines: imports, functions, classes, plain constants.

    What it trains and draws is left out.
    """
    kept = []
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] != "code":
            continue
        lines = "".join(cell["source"]).splitlines()
        source = "\n".join("" if line.lstrip()[:1] in "%!" else line for line in lines)
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        kept += [ast.unparse(one) for one in tree.body if _defines(one)]
    return "\n".join(kept)


def _defines(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef():
            return True
        case ast.Assign(value=value) | ast.AnnAssign(value=value):
            try:
                ast.literal_eval(value)  # type: ignore[arg-type]
            except (TypeError, ValueError):
                return isinstance(value, ast.Lambda)
            return True
    return False


def _guess(module: ModuleType, task: str) -> str:
    """Return the name of what is to be judged, if only one can be meant."""
    own = [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and callable(thing)
        and not isinstance(thing, ModuleType)
        and getattr(thing, "__module__", None) == module.__name__
    ]
    named = [name for name in own if normalize(name) == normalize(task)]
    if not named:
        named = [name for name in own if normalize(task) in normalize(name)]
    found = named or own
    if len(found) != 1:
        there = f"; there are {', '.join(found)}" if found else ""
        raise LookupError(f"say what is to be judged: FILE:NAME{there}")
    return found[0]
