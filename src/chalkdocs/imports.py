"""Who imports whom in chalkgrad, read from the source without running it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from chalkdocs import sources
from chalkdocs.sources import PACKAGE


def imports(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Return what each module imports, both named as from inside chalkgrad.

    ``"losses._torch"`` imports ``{"torch", "chalkgrad._core.check", …}``. Imports in
    functions count, and so does a name that is made while the program runs:
    ``import_module(f"chalkgrad.losses._{backend}")`` is ``"chalkgrad.losses._"``.
    """
    found = {}
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package).with_suffix("").parts)
        said = sources.read(path)
        found[name] = {_module_name(full, package) for full in said.imports}.union(
            said.calls
        )
    return found


def _module_name(full: str, package: Path) -> str:
    """Return the module: from a folder one imports modules, from a module its names."""
    module = full.rpartition(".")[0]
    inside = package.parent.joinpath(*module.split("."))
    is_folder = module.startswith("chalkgrad") and inside.is_dir()
    return full if is_folder or not module else module


def topics(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return which topics each topic imports: the folders that a reader knows."""
    parts = {name.partition(".")[0] for name in found if "." in name}
    wanted = parts - {"_core", "cli", "lecture"}
    edges: dict[str, set[str]] = {topic: set() for topic in sorted(wanted)}
    for name, imported in found.items():
        topic = name.partition(".")[0]
        if topic in wanted:
            inside = (it.split(".")[1] for it in imported if it.count(".") > 1)
            edges[topic] |= (set(inside) & wanted) - {topic}
    return edges


def levels(edges: dict[str, set[str]]) -> dict[str, int]:
    """Return how many topics are below each, on the longest way down.

    Raises
    ------
    ValueError
        If topics import each other in a circle.
    """
    known: dict[str, int] = {}
    while len(known) < len(edges):
        ready = [t for t in edges if t not in known and edges[t] <= known.keys()]
        if not ready:
            circle = ", ".join(sorted(edges.keys() - known.keys()))
            raise ValueError(f"topics import each other in a circle, among {circle}.")
        known |= {t: 1 + max((known[to] for to in edges[t]), default=-1) for t in ready}
    return known


def direct_edges(edges: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Return the edges that do not follow from others."""
    below = dict[str, set[str]]()
    for topic in sorted(edges, key=levels(edges).__getitem__):
        below[topic] = edges[topic].union(*(below[to] for to in edges[topic]))
    return {
        (topic, to)
        for topic in edges
        for to in edges[topic]
        if not any(to in below[other] for other in edges[topic])
    }


def private_uses(package: Path = PACKAGE) -> set[tuple[str, str]]:
    """Return which module uses what another topic, or `_core`, does not export.

    ``("landscape._numpy", "network._numpy._run")``, where a name is imported or follows
    the name of an imported module. What a module exports is its ``__all__``.
    """
    found = set()
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package).with_suffix("").parts)
        for module, used in _uses(path, package):
            is_own = module.split(".")[0] == name.partition(".")[0]
            if not is_own and used not in _exports(module, package):
                found.add((name, f"{module}.{used}"))
    return found


def effects(package: Path = PACKAGE) -> set[str]:
    """Return which modules change, when they are imported, what another one owns.

    Such as ``type(arrays).kinds = …``, or ``setattr(arrays, …)``, outside of functions.
    """
    found = set()
    for path in sorted(package.rglob("*.py")):
        imported = sources.read(path).bindings.keys()
        for node in sources.tree(path).body:
            names = {
                inner.id
                for target in _assignment_targets(node)
                for inner in ast.walk(target)
                if isinstance(inner, ast.Name)
            }
            if names & imported:
                found.add(".".join(path.relative_to(package).with_suffix("").parts))
    return found


def _assignment_targets(node: ast.stmt) -> list[ast.expr]:
    """Return the attributes that a statement sets."""
    if isinstance(node, ast.Assign):
        return [t for t in node.targets if isinstance(t, ast.Attribute)]
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute):
        return [node.target]
    is_call = isinstance(node, ast.Expr) and "setattr(" in ast.unparse(node)
    return [node.value] if isinstance(node, ast.Expr) and is_call else []


def _uses(path: Path, package: Path) -> Iterator[tuple[str, str]]:
    """Go through the names of other modules that a file speaks of."""
    modules = {}
    for name, full in sources.read(path).bindings.items():
        if not full.startswith("chalkgrad."):
            continue
        inside = full.removeprefix("chalkgrad.")
        if package.joinpath(*inside.split(".")).with_suffix(".py").is_file():
            modules[name] = inside
        elif "." in inside:
            module, _, used = inside.rpartition(".")
            yield module, used
    tree = sources.tree(path)
    stored = {  # a name of their own in some function
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.value.id in modules.keys() - stored and node.attr != "__all__":
            yield modules[node.value.id], node.attr


def _exports(module: str, package: Path) -> set[str]:
    """Return what a module lists in ``__all__``; a folder exports its modules, too."""
    place = package.joinpath(*module.split("."))
    is_folder = place.is_dir()
    return _all(place / "__init__.py" if is_folder else place.with_suffix(".py"))


@sources.read_once
def _all(path: Path) -> set[str]:
    """Return the names in a file's ``__all__``."""
    for node in sources.tree(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()
