"""The source, parsed once: what a file imports, what it runs, and what depends on it.

A figure, a lab, a command or a benchmark is made anew when a file changes that it
reaches by its imports, and only then. What a file says is kept in
``.cache/sources.json`` by the file's content, so that a build parses what is new.

``import chalkgrad.numpy as cg`` reaches the topics whose names follow: a file that says
`cg.losses.mse` needs ``losses``. One that hands `cg` on, or imports from it by a name
that is made while the program runs, needs them all.
"""

import ast
import atexit
import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator
from functools import cache, wraps
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "chalkgrad"
STORE = ROOT / ".cache/sources.json"
FACADES = ("chalkgrad.numpy", "chalkgrad.torch")
DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # whose name is not that of the package
MANY = 1000  # so many files are kept before those go that nobody reads any more

T = TypeVar("T")


def read_once(read: Callable[[Path], T]) -> Callable[[Path], T]:
    """Read a file again only when it has changed."""
    known = dict[Path, tuple[tuple[int, int], T]]()

    @wraps(read)
    def reader(path: Path) -> T:
        stat = path.stat()
        state = stat.st_mtime_ns, stat.st_size
        if path not in known or known[path][0] != state:
            known[path] = state, read(path)
        return known[path][1]

    return reader


class Source(NamedTuple):
    """What a file of Python says."""

    imports: list[str]
    """What each statement imports, in functions too: ``chalkgrad.data._files.read``."""
    calls: list[str]
    """What `import_module` imports; of a name that is made, its beginning."""
    uses: dict[str, list[str]]
    """For each facade that it imports as a whole, the names after the dot; an empty
    list where it does more with the facade than to name what is in it."""
    bindings: dict[str, str]
    """What `from … import name as other` binds: ``{"other": "….name"}``."""
    tables: list[str]
    """The names of the benchmarks' results that it speaks of: ``race.json``."""
    code: str
    """Without docstrings, comments and empty lines: they run nothing."""


# --- One file -------------------------------------------------------------------------


@read_once
def tree(path: Path) -> ast.Module:
    """Return a file as Python parses it."""
    return ast.parse(path.read_text("utf-8"))


@read_once
def read(path: Path) -> Source:
    """Return what a file says, parsed now or whenever it last had this content."""
    content = path.read_bytes()
    package = _package(path.parent)
    key = hashlib.sha256(f"{package}\n".encode() + content).hexdigest()[:24]
    known = _store()
    if key not in known:
        known[key] = _parse(content.decode("utf-8"), package)
    _used.add(key)
    return Source(*known[key])


_used = set[str]()


@cache
def _store() -> dict[str, Any]:
    """Return what was kept; what this process adds is kept when it ends."""
    way = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]  # of parsing
    try:
        kept = json.loads(STORE.read_text("utf-8"))
    except (OSError, ValueError):
        kept = {}
    known: dict[str, Any] = kept.get(way, {})
    before = len(known)

    def keep() -> None:
        if len(known) > before:
            STORE.parent.mkdir(parents=True, exist_ok=True)
            part = STORE.with_suffix(f".{os.getpid()}")
            few = len(known) <= MANY
            now = {key: known[key] for key in known if few or key in _used}
            part.write_text(json.dumps({way: now}), "utf-8")
            part.replace(STORE)

    atexit.register(keep)
    return known


def _parse(text: str, package: str) -> Source:
    tree = ast.parse(text)
    imports: list[str] = []
    calls: list[str] = []
    bindings: dict[str, str] = {}
    whole: dict[str, str] = {}  # the name of a facade in this file, and the facade
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
            whole |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -(node.level - 1) or None]
            start = parents if node.level else []
            module = ".".join([*start, *filter(None, [node.module])])
            names = {a.asname or a.name: f"{module}.{a.name}" for a in node.names}
            bindings |= names
            imports += names.values()
        elif isinstance(node, ast.Call):
            calls += _dynamic_imports(node)
    facades = {name: full for name, full in whole.items() if full in FACADES}
    texts = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant))
    tables = [Path(t).name for t in texts if isinstance(t, str) and t.endswith(".json")]
    uses = _uses(tree, facades)
    return Source(imports, calls, uses, bindings, tables, _code(text, tree))


def _dynamic_imports(node: ast.Call) -> list[str]:
    """Return what `import_module` imports: the beginning of a name that is made."""
    if not ast.unparse(node.func).endswith("import_module"):
        return []
    name = node.args[0]
    if isinstance(name, ast.JoinedStr):
        name = name.values[0]
    return [str(name.value)] if isinstance(name, ast.Constant) else []


def _uses(tree: ast.Module, facades: dict[str, str]) -> dict[str, list[str]]:
    """Return which names of each facade a file speaks of."""
    found: dict[str, set[str]] = {full: set() for full in facades.values()}
    dotted = set[int]()
    handed_on = set[str]()
    for node in ast.walk(tree):  # from the outside to the inside
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in facades:
                found[facades[node.value.id]].add(node.attr)
                dotted.add(id(node.value))
        elif (
            isinstance(node, ast.Name) and node.id in facades and id(node) not in dotted
        ):
            handed_on.add(facades[node.id])
    return {
        full: [] if full in handed_on else sorted(names)
        for full, names in found.items()
    }


def _code(text: str, tree: ast.Module) -> str:
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if ast.get_docstring(node) is not None and first and first.end_lineno:
                for number in range(first.lineno - 1, first.end_lineno):
                    lines[number] = ""
    stripped = (line.strip() for line in lines)
    return "\n".join(
        line
        for line, bare in zip(lines, stripped, strict=True)
        if bare and not bare.startswith("#")
    )


# --- From file to file ----------------------------------------------------------------


def _package(folder: Path) -> str:
    """Return the name by which a folder is imported, if it is."""
    inside = folder.is_relative_to(SOURCE)
    return ".".join(folder.relative_to(SOURCE).parts) if inside else ""


class _Tree(NamedTuple):
    """What there is below ``src``: listed once for many questions."""

    source: Path
    modules: dict[str, Path]
    """The file of each module, by the name by which it is imported."""
    data: dict[Path, list[Path]]
    """The arrays that lie beside the files of a folder."""


def _list_files(source: Path) -> _Tree:
    modules, data = dict[str, Path](), dict[Path, list[Path]]()
    for root, _, names in os.walk(source):
        folder = Path(root)
        package = folder.relative_to(source).parts
        for name in sorted(names):
            stem, _, suffix = name.partition(".")
            if suffix == "py":
                inside = package if stem == "__init__" else (*package, stem)
                modules[".".join(inside)] = folder / name
            elif suffix == "npz":
                data.setdefault(folder, []).append(folder / name)
    return _Tree(source, modules, data)


def _files(name: str, modules: dict[str, Path]) -> list[Path]:
    """Return the files that importing a name runs, of this project."""
    parts = name.split(".")
    starts = (".".join(parts[: n + 1]) for n in range(len(parts)))
    found = [modules[start] for start in starts if start in modules]
    if found and parts[-1] in ("", "_"):  # made while the program runs
        level = len(parts) - 1
        begin = (m for m in modules if m.startswith(name) and m.count(".") == level)
        found += [modules[module] for module in sorted(begin)]
    return found


def dependencies(path: Path, source: Path = SOURCE) -> set[Path]:
    """Return a file and all that it reaches by its imports, and what these read.

    A topic's data (``digits.npz``) belongs to each of its files.
    """
    there = _list_files(source)
    found, waiting = set[Path](), [path]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        if file.suffix == ".py":
            waiting += [*_imports_of(file, there.modules), *_data_of(file, there)]
    return found


def _data_of(file: Path, there: _Tree) -> Iterator[Path]:
    """Return what a file reads while it runs."""
    source = there.source
    results = source.parent / "benchmarks/results"
    yield from filter(Path.is_file, map(results.joinpath, read(file).tables))
    if file == source / "chalkdocs/imports.py":
        yield from (source / "chalkgrad").rglob("*.py")
    elif file == source / "chalkdocs/benchmark_results.py":
        yield from [*results.glob("*.json"), source.parent / "benchmarks/bars.toml"]
    elif file.is_relative_to(source / "chalkgrad") and file.name != "__init__.py":
        yield from there.data.get(file.parent, [])


def _imports_of(file: Path, modules: dict[str, Path]) -> Iterator[Path]:
    said = read(file)
    for name in [*said.imports, *said.calls]:
        if name not in said.uses:
            yield from _files(name, modules)
            continue
        # Of a facade not all that it imports is needed, only what is asked of it.
        *package, facade = _files(name, modules)
        yield from package
        bound = {k.removeprefix("_"): v for k, v in read(facade).bindings.items()}
        names = said.uses[name]
        known = names and bound.keys() >= set(names)
        for each in names if known else bound:
            yield from _files(bound[each], modules)


def digest(path: Path, *more: Path, source: Path = SOURCE) -> str:
    """Name the state of all that comes into what a file makes.

    Words in docstrings and comments come into nothing; of other files (`more`: the
    tables that it reads) every byte does, and of others' packages the version.
    """
    state = hashlib.sha256()
    files, packages = sorted(dependencies(path, source)), set[str]()
    for file in files:
        state.update(file.name.encode())
        if file.suffix == ".py":
            said = read(file)
            state.update(said.code.encode())
            packages.update(name.partition(".")[0] for name in said.imports)
        else:
            state.update(file.read_bytes())
    for file in sorted(more):
        state.update(file.name.encode() + file.read_bytes())
    versions = [platform.python_version(), *map(_version, sorted(packages))]
    state.update(" ".join(versions).encode())
    return state.hexdigest()[:16]


@cache
def _version(package: str) -> str:
    """Return the version of a package that somebody else wrote."""
    try:
        return version(DISTRIBUTIONS.get(package, package))
    except PackageNotFoundError:  # Python's own, or not installed
        return ""


# --- Topics ---------------------------------------------------------------------------


def fingerprint(topic: str, package: Path = PACKAGE) -> str:
    """Name the state of the code of a topic, and of all topics that it imports."""
    text = "".join(
        read(path).code
        for name in sorted(_topics(topic, package))
        for path in sorted((package / name).glob("*.py"))
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _topics(topic: str, package: Path) -> set[str]:
    """Return a topic and all that it imports, and what these import."""
    found, waiting = set[str](), [topic]
    while waiting:
        name = waiting.pop()
        if name not in found and (package / name).is_dir():
            found.add(name)
            for path in (package / name).glob("*.py"):
                statements = (n.split(".") for n in read(path).imports)
                waiting += [n[1] for n in statements if n[0] == "chalkgrad" and n[1:]]
    return found
