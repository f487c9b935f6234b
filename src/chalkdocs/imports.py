"""Who imports whom in chalkgrad, read from the source without running it."""

from pathlib import Path

from chalkdocs import sources
from chalkdocs.sources import PACKAGE


def imports(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Return what each module imports, both named as from inside chalkgrad.

    ``"losses._torch"`` imports ``{"torch", "chalkgrad._core.check", …}``. Imports in
    functions count, and so does a name that is made while the program runs:
    ``import_module(f"chalkgrad.optimizers._{half}")`` is ``"chalkgrad.optimizers._"``.
    """
    found = {}
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package).with_suffix("").parts)
        said = sources.read(path)
        found[name] = {_named(full, package) for full in said.imports}.union(said.calls)
    return found


def _named(full: str, package: Path) -> str:
    """Return the module: from a folder one imports modules, from a module its names."""
    module = full.rpartition(".")[0]
    inside = package.parent.joinpath(*module.split("."))
    is_folder = module.startswith("chalkgrad") and inside.is_dir()
    return full if is_folder or not module else module


def topics(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return which topics each topic imports: the folders that a reader knows."""
    parts = {name.partition(".")[0] for name in found if "." in name}
    wanted = parts - {"_core", "cli"}
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


def direct(edges: dict[str, set[str]]) -> set[tuple[str, str]]:
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
