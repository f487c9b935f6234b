"""What a snippet prints, compared with what the page shows.

Numbers are compared as numbers, and dtypes, whichever backend printed them. It needs
the standard library alone: the browser, notebooks and `chalkgrad claims` compare by it.
"""

import doctest
import math
import re
from collections.abc import Callable

__all__ = ["FLAGS", "RTOL", "Checker", "agree", "same"]

# As in the tests of the pages (pyproject.toml).
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
RTOL = 1e-4
_NUMBER = re.compile(r"[+-]?\d+\.?\d*(?:e[+-]?\d+)?")


def same(want: str, got: str, flags: int = 0) -> bool:
    """Tell whether two texts are the same but for blanks and the last digits.

    Two numbers are the same if they differ by at most 1e-4 of their size.

    >>> same("[0.3333, 1]", "[0.33333, 1.]"), same("0.3333", "0.3335")
    (True, False)
    """
    if doctest.OutputChecker().check_output(want, got, FLAGS | flags):
        return True
    if _words(want) != _words(got):
        return False
    pairs = zip(_NUMBER.findall(want), _NUMBER.findall(got), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=RTOL) for a, b in pairs)


def _words(text: str) -> list[str]:
    """Return what is left of a text without its numbers and its blanks."""
    return re.sub(r"([\[\](),])", r" \1 ", _NUMBER.sub("#", text)).split()


# --- Between backends -----------------------------------------------------------------

_SAME = [
    ("<BLANKLINE>", ""),  # between the matrices of an array
    (
        r",\s*(dtype|device|grad_fn|requires_grad|weak_type)=('[^']*'|<[^>]*>|[\w.]+)",
        "",
    ),
    (r"\btorch\.Size\(\[(\d+)\]\)", r"(\1,)"),
    (r"\btorch\.Size\(\[(.*?)\]\)", r"(\1)"),
    (r"\bdtype\('(\w+)'\)", r"\1"),
    (r"\btorch\.((?:b?float|u?int)\d+|bool)\b", r"\1"),
    (r"\b(?:tensor|Array)\(", "array("),
    (r"\bnp\.(True|False)_", r"\1"),
    (r"\b(?:array|np\.(?:float|int)\d+)\(([^()\[\],]*)\)", r"\1"),
    (r"\[\s+", "["),
    (r"\s+\]", "]"),
    (r"\s*,\s*", ", "),
]


def plain(text: str) -> str:
    """Write an answer without what backends print differently."""
    for pattern, replacement in _SAME:
        text = re.sub(pattern, replacement, text)
    return text


# Of what is printed without a dtype, that of a real number and of an integer.
_DEFAULTS = {
    "array": ("float64", "int64"),
    "tensor": ("float32", "int64"),
    "Array": ("float32", "int32"),
}
_MADE = re.compile(r"\b(array|tensor|Array|np\.(?:float|int|uint|complex)\d+)\(")
_DTYPE = re.compile(r"dtype=(?:torch\.|np\.)?'?(\w+)")
_FLOAT = re.compile(r"\d\.|\.\d|\bnan\b|\binf\b")


def dtypes(text: str, least: int = 0) -> list[str]:
    """Return the dtype of each array, and of each of NumPy's numbers, that is printed.

    Where none is printed it is the library's own: of NumPy float64, of PyTorch float32.
    With ``least=1`` only of arrays that have so many axes.
    """
    found = []
    for made in _MADE.finditer(text):
        inside = _inside(text, made.end())
        if not inside.startswith("[" * least):
            continue
        dtype = _DTYPE.search(inside)
        if made[1].startswith("np."):
            found.append(made[1].removeprefix("np."))
        elif dtype:
            found.append(dtype[1])
        elif _FLOAT.search(inside):
            found.append(_DEFAULTS[made[1]][0])
        else:
            is_bool = re.search("True|False", inside)
            found.append("bool" if is_bool else _DEFAULTS[made[1]][1])
    return found


def _inside(text: str, start: int) -> str:
    """Return what stands between a parenthesis and the one that closes it."""
    depth = 1
    for end in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return text[start:]


def print_of(text: str) -> str:
    """Write a tensor as NumPy prints an array: without its name and without commas."""
    bare = re.sub(r"array\((.*?)\)", r"\1", plain(text), flags=re.S)
    return re.sub(r",\s*", " ", bare)


def agree(
    want: str,
    got: str,
    same: Callable[[str, str], bool] = same,
    *,
    allows_other_numbers: bool,
) -> bool:
    """Tell whether an answer is the one on the page, which another backend may print.

    Parameters
    ----------
    want, got
        What the page shows, and what was printed.
    same
        Compares the texts once both backends write alike.
    allows_other_numbers
        Whether a number of Python counts as one of NumPy.
    """
    if not same(plain(want), plain(got)):
        # `print` leaves no dtype to compare.
        is_tensor = re.search(r"\b(tensor|Array)\(", got) and not _MADE.search(want)
        return bool(is_tensor and same(plain(want), print_of(got)))
    shown, found = dtypes(want), dtypes(got)
    if "..." in want and len(shown) != len(found):
        return True
    if allows_other_numbers and len(shown) != len(found):
        return dtypes(want, 1) == dtypes(got, 1)
    return shown == found


class Checker(doctest.OutputChecker):
    """Compares the answers of one reading of a page."""

    def __init__(self, *, allows_other_numbers: bool) -> None:
        self.allows_other_numbers = allows_other_numbers

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Tell whether an answer is the one on the page."""

        def alike(a: str, b: str) -> bool:
            return same(a, b, optionflags)

        return agree(want, got, alike, allows_other_numbers=self.allows_other_numbers)
