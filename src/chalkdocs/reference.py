"""Code on a page: one function in both backends, or the reference of a whole topic.

``<!-- source: optimizers.sgd -->`` shows the function as each backend writes it;
``<!-- reference: optimizers -->`` documents all that a topic exports.
"""

import ast
import textwrap
from pathlib import Path

from chalkdocs.directives import directive, indent
from chalkdocs.page_errors import PageError
from chalkdocs.sources import PACKAGE, ROOT, SOURCE, read, tree

BACKENDS = {"NumPy": "_numpy.py", "PyTorch": "_torch.py"}


def _files(topic: str) -> dict[str, Path]:
    """Return the files of a topic: one for each backend, or the one that they share."""
    folder = PACKAGE / topic
    if not folder.is_dir():
        raise PageError(f"there is no topic {topic!r} in {PACKAGE.relative_to(ROOT)}.")
    pair = {backend: folder / file for backend, file in BACKENDS.items()}
    # What a pair has in common may stand beside it; the pair is what is shown.
    if not pair["NumPy"].is_file():
        for shared in (folder / "_shared.py", folder / "__init__.py"):
            if shared.is_file() and _public_names(tree(shared)):
                return {"both": shared}
    return pair


def _definition(path: Path, name: str) -> Path:
    """Return the file of a function: a topic may import it from one of its files."""
    full = read(path).bindings.get(name.partition(".")[0])
    if full is None:
        return path
    return SOURCE.joinpath(*full.split(".")[:-1]).with_suffix(".py")


def _find(path: Path, name: str) -> ast.FunctionDef | ast.ClassDef:
    """Return a function or class of a file, or a method: ``Network.forward``."""
    node: ast.Module | ast.FunctionDef | ast.ClassDef = tree(path)
    for part in name.split("."):
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef | ast.ClassDef) and inner.name == part:
                node = inner
                break
        else:
            raise PageError(f"{path.relative_to(ROOT)} has no {name}.")
    assert not isinstance(node, ast.Module)
    return node


def _without_docstring(path: Path, name: str) -> str:
    """Return the source of one function or class, which its docstring would drown."""
    node = _find(path, name)
    start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    lines = path.read_text("utf-8").splitlines()[start - 1 : node.end_lineno]
    first = node.body[0]
    if ast.get_docstring(node) is not None and first.end_lineno:
        del lines[first.lineno - start : first.end_lineno - start + 1]
    lines = [line.removesuffix("  # fmt: skip") for line in lines]
    return textwrap.dedent("\n".join(lines)).replace("\n\n\n", "\n\n")


@directive("source")
def folded_source(name: str) -> str:
    """Write ``topic.function`` folded to one line, which says how long it is."""
    *_, function = name.split(".")
    written = source(name)
    lines = written.partition("```python")[2].partition("```")[0].count("\n") - 1
    both = ", in both backends" * written.startswith("===")
    head = f"The code that ran: `{function}`, {lines} lines{both}"
    return f'??? source "{head}"\n\n{indent(written)}'


def source(name: str) -> str:
    """Write ``topic.function`` as Markdown: a tab for each backend, or one block."""
    topic, _, function = name.partition(".")
    files = {b: _definition(path, function) for b, path in _files(topic).items()}
    blocks = {
        backend: f'```python title="{path.relative_to(ROOT)}"\n'
        f"{_without_docstring(path, function)}\n```"
        for backend, path in files.items()
    }
    if "both" in blocks:
        return blocks["both"]
    tabs = (f'=== "{backend}"\n\n{indent(code)}' for backend, code in blocks.items())
    return "\n\n".join(tabs)


@directive("reference")
def reference(topic: str) -> str:
    """Write the reference of a topic as Markdown: its words, then each public name."""
    files = _files(topic)
    path = next(iter(files.values()))
    module = tree(path)
    parts = [(ast.get_docstring(module) or "").partition("\n")[2].strip()]
    # A class is what a function returns: nobody calls it by its name.
    for name in sorted(_public_names(module), key=lambda name: name[0].isupper()):
        label = name if name[0].isupper() else f"cg.{topic}.{name}"
        label = f"cg.{name}" if name == topic else label
        options = indent(f"heading: {label}\ntoc_label: {name}", "      ")
        module_path = _definition(path, name).relative_to(SOURCE).with_suffix("")
        identifier = f"{'.'.join(module_path.parts)}.{name}"
        parts.append(f"::: {identifier}\n    options:\n{options}")
        if "PyTorch" in files:
            twin = ast.get_docstring(_find(files["PyTorch"], name)) or ""
            if differs := twin.partition("\n")[2].strip():
                parts.append(f"**PyTorch backend.** {differs}")
        title = "Source" if "both" in files else "Source of both backends"
        parts.append(f'??? abstract "{title}"\n\n{indent(source(f"{topic}.{name}"))}')
    return "\n\n".join(parts)


def _public_names(module: ast.Module) -> list[str]:
    """Return what a module lists in ``__all__``."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []
