"""Mutants: a module of ours with one small fault each, as a tired author makes them.

An edit is ``(start, end, text)``: what stands between two places of the source, and
what is put there instead. So a mutant differs from the original by nothing else.
"""

import ast
import difflib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

Edit = tuple[int, int, str]

OPERATORS = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Not: ("not ", ""),
    ast.USub: ("-", ""),
    ast.Invert: ("~", ""),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
OPPOSITES = [
    ("maximum", "minimum"),
    ("max", "min"),
    ("amax", "amin"),
    ("argmax", "argmin"),
    ("any", "all"),
    ("greater", "less"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("floor", "ceil"),
    ("sin", "cos"),
    ("sinh", "cosh"),
    ("cumsum", "cumprod"),
    ("sum", "mean"),
]
NAMES = dict(OPPOSITES) | {other: name for name, other in OPPOSITES}
# The order of two arguments is nothing to these.
COMMUTING = {"add", "multiply", "maximum", "minimum", "isinstance", "logical_and"}
# Without these a module fails to do anything at all: no test is needed to see it.
NEEDED = {"property", "staticmethod", "classmethod", "dataclass", "contextmanager"}


class Mutant(NamedTuple):
    """One fault: where it stands, and what a test must run to meet it."""

    module: str
    scope: str
    line: int
    before: str
    after: str
    edit: Edit
    reach: tuple[range, ...]
    """The lines that a test must run: those of the edit, or of what is around it."""

    def planted(self, source: bytes) -> bytes:
        """Return the source of the module with the fault in it."""
        start, end, new = self.edit
        return source[:start] + new.encode() + source[end:]

    def diff(self) -> str:
        """The lines that were, and those that are."""
        lines = difflib.ndiff(self.before.splitlines(), self.after.splitlines())
        return "\n".join(line for line in lines if line[0] in "+-")


def mutants(path: Path, module: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    text = Text(path.read_bytes())
    edits = text.edits(ast.parse(text.source), [])
    return [text.mutant(module, edit, around) for edit, around in edits]


class Text:
    """A source, with places counted in bytes, as `ast` does."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def __getitem__(self, span: tuple[int, int]) -> str:
        return self.source[slice(*span)].decode()

    def _lines(self, start: int, end: int) -> range:
        first = self.source.count(b"\n", 0, start) + 1
        return range(first, first + self.source.count(b"\n", start, end) + 1)

    def mutant(self, module: str, edit: Edit, around: list[ast.AST]) -> Mutant:
        """Say what an edit changes, and what a test must run to meet it."""
        start, end, new = edit
        lines = self._lines(start, end)
        first, last = self._starts[lines[0] - 1], self._starts[lines[-1]]
        before = self[first, last]
        after = self[first, start] + new + self[end, last]
        scopes = [node for node in around if hasattr(node, "name")]
        return Mutant(
            module=module,
            scope=".".join(node.name for node in scopes) or "(module)",
            line=lines[0],
            before=before.strip(),
            after=after.strip(),
            edit=edit,
            reach=(lines, *(_body(node) for node in reversed(around))),
        )

    def edits(
        self, node: ast.AST, around: list[ast.AST]
    ) -> Iterator[tuple[Edit, list[ast.AST]]]:
        """All edits in a part of the source, each with the statements around it."""
        if _is_words(node):
            return
        if isinstance(node, ast.stmt):
            around = [*around, node]
        for edit in self._of(node):
            yield edit, around
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield from self.edits(child, around)

    def _of(self, node: ast.AST) -> Iterator[Edit]:
        """The edits of this very node."""
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                yield from self._operator(left, op, right)
            case ast.AugAssign(target=left, op=op, value=right):
                yield from self._operator(left, op, right)
                yield self._instead(node, "pass")
            case ast.BoolOp(op=op, values=values):
                for left, right in pairwise(values):
                    yield from self._operator(left, op, right)
            case ast.Compare(left=left, ops=ops, comparators=others):
                for one, op, other in zip([left, *others], ops, others, strict=False):
                    yield from self._operator(one, op, other)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                old, new = OPERATORS[type(op)]
                start, end = self.span(node)[0], self.span(operand)[0]
                yield start, end, self[start, end].replace(old, new, 1)
            case ast.Constant(value=value):
                yield from self._constant(node, value)
            case ast.Call():
                yield from self._arguments(node)
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                if not isinstance(test, ast.Compare | ast.UnaryOp):
                    yield self._instead(test, f"not ({self[self.span(test)]})")
            case ast.comprehension(ifs=[test]):
                yield self._instead(test, "True")
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in NAMES:
                _, end = self.span(node)
                yield end - len(name), end, NAMES[name]
            case ast.Expr() | ast.Raise() | ast.Assign(targets=[ast.Subscript()]):
                yield self._instead(node, "pass")
            case ast.Break() | ast.Continue():
                yield self._instead(node, "pass")
            case ast.FunctionDef(decorator_list=decorators):
                for decorator in decorators:
                    start, end = self.span(decorator)
                    if self[start, end].split("(")[0] not in NEEDED:
                        yield start - 1, end, ""

    def _instead(self, node: ast.AST, new: str) -> Edit:
        return *self.span(node), new

    def _operator(self, left: ast.AST, op: ast.AST, right: ast.AST) -> Iterator[Edit]:
        if type(op) in OPERATORS:
            old, new = OPERATORS[type(op)]
            start, end = self.span(left)[1], self.span(right)[0]
            yield start, end, self[start, end].replace(old, new, 1)

    def _constant(self, node: ast.AST, value: object) -> Iterator[Edit]:
        match value:
            case bool():
                yield self._instead(node, str(not value))
            case int() | float():
                yield self._instead(node, repr(value + 1))
            case str() if value.isidentifier():
                yield self._instead(node, repr(f"not_{value}"))

    def _arguments(self, call: ast.Call) -> Iterator[Edit]:
        name = self[self.span(call.func)].rpartition(".")[2]
        if len(call.args) > 1 and name not in COMMUTING:
            (a, b), (c, d) = map(self.span, call.args[:2])
            yield a, d, self[c, d] + self[b, c] + self[a, b]
        before = [*call.args, *call.keywords]
        for keyword in call.keywords:
            if keyword.arg == "strict":  # zip is told what is so anyway
                continue
            start, end = self.span(keyword)
            if (place := before.index(keyword)) > 0:  # with the comma before it
                start = self.span(before[place - 1])[1]
            elif len(before) > 1:  # with the comma behind it
                end = self.span(before[1])[0]
            if self[start, end].count("(") == self[start, end].count(")"):
                yield start, end, ""


def _body(node: ast.AST) -> range:
    """The lines that run when it runs: of a function, those of its body."""
    inside = isinstance(node, ast.FunctionDef | ast.ClassDef)
    start = node.body[0].lineno if inside else node.lineno
    return range(start, node.end_lineno + 1)


def _is_words(node: ast.AST) -> bool:
    """Whether it says something to a reader, and does nothing."""
    match node:
        case ast.JoinedStr() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False
