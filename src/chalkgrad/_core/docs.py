"""The docstring of a function of the PyTorch backend, made of its reference's."""

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["torch_docstring", "twin_of"]

_MADE = re.compile(r"\b(?:array|np\.\w+)\(")
_DTYPE = re.compile(r",\s*dtype=(\w+)$")


F = TypeVar("F", bound=Callable[..., Any])


def twin_of(reference: Callable[..., Any], differs: str = "") -> Callable[[F], F]:
    """Give a function of the PyTorch backend the docstring of its reference."""

    def document(twin: F) -> F:
        twin.__doc__ = torch_docstring(reference.__doc__, differs)
        return twin

    return document


def torch_docstring(reference: str | None, differs: str = "") -> str:
    """Return a docstring whose examples import PyTorch's backend and print tensors.

    Parameters
    ----------
    reference : str
        The docstring of the function in `chalkgrad.numpy`.
    differs : str
        What is not as there, in whole sentences; it follows the summary.

    Returns
    -------
    str
        The docstring of its twin in `chalkgrad.torch`, without indentation.
    """
    import doctest  # here, for the reference needs neither it nor what it imports

    text = ""
    for part in doctest.DocTestParser().parse(inspect.cleandoc(reference or "") + "\n"):
        if isinstance(part, str):
            text += part
            continue
        indent = " " * part.indent
        first, *more = part.source.splitlines()
        lines = [f">>> {first}", *(f"... {line}" for line in more)]
        shown = _print_as_torch(part.want).splitlines()
        text += "".join(f"{indent}{line}\n" for line in [*lines, *shown])
    text = text.replace("import chalkgrad.numpy as cg", "import chalkgrad.torch as cg")
    if differs:
        summary, _, rest = text.partition("\n\n")
        text = "\n\n".join(filter(None, [summary.rstrip("\n"), differs, rest]))
    return text.rstrip("\n")


def _print_as_torch(want: str) -> str:
    """Return what PyTorch prints where NumPy prints arrays and numbers of its own."""
    found = _MADE.search(want)
    if not found:
        return want.replace("np.True_", "tensor(True)").replace(
            "np.False_", "tensor(False)"
        )
    depth, end = 1, found.end()
    while depth:
        depth += {"(": 1, ")": -1}.get(want[end], 0)
        end += 1
    inside = want[found.end() : end - 1]
    dtype = _DTYPE.search(inside)
    inside = inside[: dtype.start()] if dtype else inside
    name = dtype[1] if dtype else _own_dtype(found[0], inside)
    # PyTorch says nothing of its own dtypes.
    said = "" if name in ("float32", "int64", "bool") else f", dtype=torch.{name}"
    return f"{want[: found.start()]}tensor({inside}{said}){_print_as_torch(want[end:])}"


def _own_dtype(made: str, inside: str) -> str:
    """Return the dtype that NumPy does not print, or prints as a name."""
    if made.startswith("np."):
        return made[3:-1]
    if "True" in inside or "False" in inside:
        return "bool"
    return "float64" if re.search(r"\.|nan|inf", inside) else "int64"
