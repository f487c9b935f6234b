"""Find which snippets of a page another one needs; this runs in the reader's browser.

A snippet is parsed, not run: which names does it read, and which may it change? What is
in doubt counts as a change. A change through one name counts for all that may be names
of the same thing; what a function reads and changes counts wherever it is mentioned.
Files, and what else is common to the whole process, are one name more.
"""

# The methods have the names that ast gives them.
# ruff: noqa: D102, N815

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


OUTSIDE = "<outside>"
EVERYTHING = "<everything>"
# Methods that change neither what they belong to nor what they are given ...
_PURE = _set(
    "all any argmax argmin argsort backward copy count cumsum dot encode endswith "
    "format grad index init is_integer items join keys log loss loss_and_grad "
    "lower max mean min nonzero predict prod round score sin startswith std strip sum "
    "title toarray tolist upper var forward exp tanh"
)
# ... and those whose results may be a part of it.
_VIEWS = _set(
    "asarray astype atleast_1d atleast_2d broadcast_to diagonal get items layers ravel "
    "reshape split squeeze swapaxes transpose values view"
)
# Who says one of these reaches what does not belong to a name.
_REACHES = _set(
    "chdir environ fromfile loadtxt memmap mkdtemp open pathlib rmtree save savetxt "
    "savez seed set_default_device set_default_dtype set_printoptions seterr shutil "
    "simplefilter subprocess tempfile tofile manual_seed Path TemporaryDirectory"
)
_ANYTHING = _set("compile eval exec globals locals vars")
# What these return changes when it is read.
_LIVE = _set("Generator Random default_rng iter map filter zip enumerate")
_CHANGE = _set("delattr next setattr")
# These give a number or a text, never what they were given.
_NEW = _set("abs bool float format int len print range repr round str")
# Modules and topics of chalkgrad whose functions keep nothing that they are given.
_COPIES = _set("math numpy random statistics")
_TOPICS = _set(
    "activations data experiments hardware losses network perceptron schedules training"
)
_BUILTIN = frozenset(dir(builtins))
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class _Name:
    """What is known of a name at some place of the page."""

    module: bool = False  # or a part of one
    copies: bool = False  # its functions keep nothing that they are given
    live: bool = False  # to read it is to change it
    outside: bool = False  # it leads to a file
    holds: bool = True  # called, it may change itself
    changes: bool = True  # called, it may change what it is given
    reads: frozenset[str] = frozenset()  # when it is called
    writes: frozenset[str] = frozenset()
    shares: frozenset[str] = frozenset()  # names that may be of the same thing


@dataclass
class Names:
    """What is known at some place of the page."""

    of: dict[str, _Name] = field(default_factory=dict)
    impure: set[str] = field(default_factory=set)  # methods that change their object


class Use(ast.NodeVisitor):
    """The names that a snippet reads and those that it may change.

    Parameters
    ----------
    parts
        Its statements, each with what it must be known for: "value" if its value is
        shown, "error" if it may stop half-way.
    names
        What the snippets above have left; it becomes what this one leaves.
    """

    def __init__(self, parts: Iterable[tuple[str, str]], names: Names) -> None:
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        self.changed: set[str] = set()
        self.bound: set[str] = set()  # here, before anything reads them
        self.names = names
        self.sure = True  # what follows happens, and happens once
        for source, kind in parts:
            self.sure = kind != "error"
            self.value_shown = kind == "value"
            for statement in ast.parse(source).body:
                self.visit(statement)

    # --- What happens to a name ---

    def _look_up(self, name: str) -> _Name:
        return self.names.of.get(name, _Name(shares=frozenset({name})))

    def _is_module(self, name: str | None) -> bool:
        return name in self.names.of and self.names.of[str(name)].module

    def _is_builtin(self, name: str | None) -> bool:
        return name in _BUILTIN and name not in self.names.of

    def read(self, name: str) -> None:
        """Note that a name is read, and all that whoever reads it may call."""
        waiting, seen = [name], set()
        while waiting:
            one = waiting.pop()
            if one in seen or self._is_builtin(one):
                continue
            seen.add(one)
            known = self._look_up(one)
            if one not in self.bound:
                self.reads.add(one)
            if known.live:
                self.change(one)
            if known.outside:
                self.change(OUTSIDE)
            for other in known.writes:
                self.change(other)
            waiting += known.reads

    def change(self, name: str) -> None:
        """Note that what a name stands for may be changed."""
        for other in {name} | self._look_up(name).shares:
            self.writes.add(other)
            self.changed.add(other)
            if other not in self.bound:
                self.reads.add(other)

    def bind(self, name: str, known: _Name) -> None:
        """Note that a name stands for something new."""
        self.writes.add(name)
        if self.sure:
            self.bound.add(name)
        elif name not in self.bound:
            self.reads.add(name)
        if not self.sure and name in self.names.of:
            before = self.names.of[name]
            known = _Name(
                module=known.module and before.module,
                copies=known.copies and before.copies,
                **{
                    key: getattr(known, key) | getattr(before, key)
                    for key in ("live", "outside", "holds", "changes")
                },
                reads=known.reads | before.reads,
                writes=known.writes | before.writes,
                shares=known.shares | before.shares,
            )
        self.names.of[name] = known
        self._join(known.shares | {name})

    def _join(self, names: Iterable[str]) -> None:
        """Note that what some names stand for may have parts in common."""
        together = frozenset(names)
        for name in names:
            together |= self._look_up(name).shares
        for name in together & self.names.of.keys():
            self.names.of[name] = replace(self.names.of[name], shares=together)

    def value(self, node: ast.expr) -> _Name:
        """Return what is known of a name that is bound to this."""
        if isinstance(node, ast.Name) and not self._is_builtin(node.id):
            return self._look_up(node.id)
        if isinstance(node, ast.Lambda):
            return self._function(node)
        said = [self._look_up(name) for name in _names_in(node)]
        calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
        inner = [self._function(n) for n in ast.walk(node) if isinstance(n, ast.Lambda)]
        root = _root(node)
        return _Name(
            module=isinstance(node, ast.Attribute) and self._is_module(root),
            copies=root is not None and self._look_up(root).copies,
            live=isinstance(node, ast.GeneratorExp)
            or any(_callee(call) in _LIVE for call in calls)
            or any(self._look_up(name).live for name in self.aliases(node)),
            outside=any(each.outside for each in said) or bool(_words(node) & _REACHES),
            reads=frozenset().union(*(each.reads for each in said + inner)),
            writes=frozenset().union(*(each.writes for each in said + inner)),
            shares=self.aliases(node),
        )

    def aliases(self, node: ast.AST) -> frozenset[str]:
        """Return the names of which a value may be a part."""
        match node:
            case ast.Name():
                known = self._is_module(node.id) or self._is_builtin(node.id)
                return frozenset() if known else frozenset({node.id})
            case ast.Constant() | ast.BinOp() | ast.UnaryOp() | ast.Compare():
                return frozenset()
            case ast.JoinedStr() | ast.Lambda() | ast.Slice():
                return frozenset()
            case ast.Subscript() | ast.Attribute():
                return self.aliases(node.value)
            case ast.Call():
                called, root = _callee(node), _root(node.func)
                new = called in _PURE or self._copies(node.func)
                new = new or (self._is_builtin(root) and called in _NEW)
                if new and called not in _VIEWS:
                    return frozenset()
                if root is not None and not self._is_module(root):
                    # What a function returns may be what it reads.
                    inside = frozenset().union(
                        *map(self.aliases, ast.iter_child_nodes(node))
                    )
                    return inside | self._reachable(root)
        children = ast.iter_child_nodes(node)
        return frozenset().union(*(self.aliases(child) for child in children))

    def _copies(self, func: ast.expr) -> bool:
        """Tell whether a function keeps nothing that it is given."""
        root = _root(func)
        if not self._is_module(root):
            return False
        topics = _words(func) & _TOPICS
        return self._look_up(str(root)).copies or bool(topics)

    def _reachable(self, name: str) -> frozenset[str]:
        """Return what is read by whoever calls something, at any depth."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one not in found and not (self._is_builtin(one) or self._is_module(one)):
                found.add(one)
                waiting += self._look_up(one).reads
        return frozenset(found)

    # --- Expressions ---

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _ANYTHING and self._is_builtin(node.id):
            self.reads.add(EVERYTHING)
            self.writes.add(EVERYTHING)
        if node.id in _REACHES:
            self.change(OUTSIDE)
        self.read(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in _REACHES:
            self.change(OUTSIDE)
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        parts = frozenset().union(*map(self.aliases, given))
        called, root = _callee(node), _root(node.func)
        # A function that is handed over may be called with what comes with it.
        handed = [self._look_up(n) for each in given for n in _names_in(each)]
        changes = any(each.changes and not each.holds for each in handed)
        if isinstance(node.func, ast.Name) and not self._is_builtin(root):
            known = self._look_up(node.func.id)
            changes |= known.changes and not known.module
            if known.holds and not known.module:
                self.change(node.func.id)
        elif isinstance(node.func, ast.Name):
            changes |= called in _CHANGE
        elif not self._is_module(root) and (
            called not in _PURE | _VIEWS or called in self.names.impure
        ):
            changes = True
            parts |= self.aliases(node.func)
        if any(keyword.arg == "out" for keyword in node.keywords):
            changes = True
        if changes:
            self._join(parts)  # what is changed may hold the rest from now on
            for name in parts:
                self.change(name)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.bind(node.target.id, self.value(node.value))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        # It may be called at once, by whom it is handed to.
        known = self._function(node)
        for name in known.reads:
            self.read(name)
        for name in known.writes:
            self.change(name)

    def _visit_comprehension(self, node: Any) -> None:
        names = {
            n: part.iter for part in node.generators for n in _targets_in(part.target)
        }
        self.visit(node.generators[0].iter)
        own = {name: self.value(where) for name, where in names.items()}
        with self._scope({name: replace(own[name], live=False) for name in own}):
            self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = _visit_comprehension
    visit_GeneratorExp = _visit_comprehension

    @contextmanager
    def _scope(self, own: dict[str, _Name]) -> Iterator[None]:
        """Let some names be others for a while."""
        kept = {name: self.names.of.get(name) for name in own}
        bound, writes = self.bound, self.writes & set(own)
        self.bound = bound | set(own)
        self.names.of |= own
        yield
        self.bound = bound | (self.bound - set(own))
        self.writes = (self.writes - set(own)) | writes
        for name, before in kept.items():
            del self.names.of[name]
            if before:
                self.names.of[name] = before

    # --- Functions and classes ---

    def _function(self, node: _Function) -> _Name:
        """Return what a function reads and changes when it is called."""
        inner = Use([], Names(dict(self.names.of), self.names.impure))
        given = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        body: Sequence[ast.AST] = (
            [node.body] if isinstance(node, ast.Lambda) else node.body
        )
        elsewhere = {
            name
            for each in ast.walk(node)
            if isinstance(each, ast.Global | ast.Nonlocal)
            for name in each.names
        }
        own = (given | {n for each in body for n in _targets_in(each)}) - elsewhere
        for name in own:
            inner.names.of[name] = _Name(shares=frozenset({name}))
        inner.bound, inner.sure, inner.value_shown = own, False, False
        for part in body:
            inner.visit(part)
        return _Name(
            holds=bool(own & inner.writes & _defaults(node)),
            changes=bool(inner.changed & given),
            reads=frozenset(inner.reads - own),
            writes=frozenset(inner.writes - own),
        )

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        known = self._function(node)
        for each in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if each is not None:
                self.visit(each)
                said = self.value(each)
                known = replace(
                    known,
                    holds=known.holds or not isinstance(each, ast.Constant),
                    reads=known.reads | said.reads | set(_names_in(each)),
                    writes=known.writes | said.writes,
                    shares=known.shares | self.aliases(each),
                )
        self.bind(node.name, known)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        given = (keyword.value for keyword in node.keywords)
        for expression in (*node.decorator_list, *node.bases, *given):
            self.visit(expression)
        reads: set[str] = {n for base in node.bases for n in _names_in(base)}
        writes: set[str] = set()
        own = {name for each in node.body for name in _targets_in(each)}
        with self._scope({name: _Name() for name in own}):
            for each in node.body:
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                    known = self._function(each)
                    reads |= known.reads
                    writes |= known.writes
                    if known.changes and not each.name.startswith("__"):
                        self.names.impure.add(each.name)
                else:
                    self.visit(each)
        values = [each for each in node.body if not isinstance(each, ast.FunctionDef)]
        known = _Name(
            reads=frozenset(reads),
            writes=frozenset(writes),
            shares=frozenset().union(*map(self.aliases, values)) - own,
        )
        self.bind(node.name, known)

    # --- Statements ---

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            parts: list[ast.expr]
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            if len(parts) != len(target.elts):
                parts = [value] * len(target.elts)
            for each, part in zip(target.elts, parts, strict=True):
                self._assign(each, part)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, value)
        elif isinstance(target, ast.Name):
            self.bind(target.id, self.value(value))
        else:  # a part of something
            self.visit(target)
            for name in self.aliases(target):
                self.change(name)
            root = _root(target)
            if self._is_module(root):
                self.change(str(root))
            known = self.value(value)
            for name in self.aliases(target):  # it holds the value from now on
                mine = self._look_up(name)
                self.names.of[name] = replace(
                    mine,
                    reads=mine.reads | known.reads,
                    writes=mine.writes | known.writes,
                )
            self._join(self.aliases(target) | known.shares)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._assign(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self.visit(ast.copy_location(_load(node.target), node.target))
        for name in self.aliases(node.target):
            self.change(name)
        self._join(self.aliases(node.target) | self.aliases(node.value))

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            for name in self.aliases(target):
                self.change(name)

    def visit_Expr(self, node: ast.Expr) -> None:
        self.visit(node.value)
        if isinstance(node.value, ast.Call) and not self.value_shown:
            # It is said for what it does.
            call = node.value
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            root = _root(call.func)
            if not (self._is_builtin(root) and _callee(call) in _NEW):
                for name in frozenset().union(*map(self.aliases, given)):
                    self.change(name)
            if self._is_module(root):
                self.change(str(root))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for each in node.names:
            name = (each.asname or each.name).partition(".")[0]
            if name == "*":
                self.writes.add(EVERYTHING)
            source = (getattr(node, "module", None) or each.name).partition(".")[0]
            known = _Name(True, source in _COPIES, holds=False, changes=False)
            self.bind(name, known)

    visit_Import = visit_ImportFrom = _import

    def _unsure(self, node: ast.AST) -> None:
        before, self.sure, shown = self.sure, False, self.value_shown
        self.value_shown = False
        self.generic_visit(node)
        self.sure, self.value_shown = before, shown

    visit_If = visit_While = visit_Try = visit_TryStar = _unsure

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        before, self.sure = self.sure, False
        self._assign(node.target, node.iter)
        self.sure = before
        self._unsure(ast.Module([*node.body, *node.orelse], []))

    visit_AsyncFor = visit_For

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, item.context_expr)
        self._unsure(ast.Module(node.body, []))

    visit_AsyncWith = visit_With

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before, self.sure = self.sure, False
        for name in {n for case in node.cases for n in _targets_in(case.pattern)}:
            self.bind(name, self.value(node.subject))
        self.sure = before
        self._unsure(ast.Module([s for case in node.cases for s in case.body], []))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bind(node.name, _Name())
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        pass


def _names_in(node: ast.AST) -> Iterator[str]:
    """Go through the names that an expression reads."""
    return (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _words(node: ast.AST) -> set[str]:
    """Return the names and attributes that stand in an expression."""
    attributes = (
        each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)
    )
    return {*_names_in(node), *attributes}


def _targets_in(node: ast.AST) -> Iterator[str]:
    """Go through the names that are bound somewhere in a piece of code."""
    for each in ast.walk(node):
        match each:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                yield each.id
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield each.name
            case ast.Import() | ast.ImportFrom():
                for name in each.names:
                    yield (name.asname or name.name).partition(".")[0]
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if each.name:
                yield each.name
            case ast.MatchMapping() if each.rest:
                yield each.rest


def _defaults(node: _Function) -> set[str]:
    """Return the arguments that keep a value between calls: ``def f(seen=[])``."""
    given = [*node.args.posonlyargs, *node.args.args]
    named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    with_default = given[len(given) - len(node.args.defaults) :]
    return {each.arg for each in with_default} | {a.arg for a, value in named if value}


def _root(node: ast.AST) -> str | None:
    """Return the name at which ``name.part[0].part`` begins."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _callee(call: ast.Call) -> str:
    """Return the last word of what is called."""
    func = call.func
    return getattr(func, "attr", getattr(func, "id", ""))


def _load(target: ast.expr) -> ast.expr:
    """Return what a target of ``+=`` reads."""
    return ast.parse(ast.unparse(target), mode="eval").body


class Namespace:
    """What the snippets of a page have left in Python, and from which texts.

    A version of a snippet is its text and the versions of what it reads. For each name
    is known which version has written it last.
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.written: dict[str, Any] = {}

    def plan(self, snippets: list[list[tuple[str, str]]]) -> list[int]:
        """Return which snippets to run for the last of them, in order."""
        known = Names()
        self._uses: list[tuple[set[str], set[str]]] = []
        self._inputs: list[dict[str, int]] = []
        self._versions: list[int] = []
        writers: dict[str, int] = {}
        for number, parts in enumerate(snippets):
            try:
                use = Use(parts, known)
                reads, writes = use.reads, use.writes
            except SyntaxError:  # nobody knows what it is for
                reads, writes = set(), {EVERYTHING}
            if EVERYTHING in reads or EVERYTHING in writes:
                reads, writes = reads | set(writers), writes | set(writers)
            # What may have written anything may have made any name that is not known.
            sought = {name if name in writers else EVERYTHING for name in reads}
            inputs = {name: writers[name] for name in sought if name in writers}
            made_of = sorted((name, self._versions[i]) for name, i in inputs.items())
            self._versions.append(hash((tuple(parts), tuple(made_of))))
            self._inputs.append(inputs)
            self._uses.append((reads, writes))
            writers |= dict.fromkeys(writes, number)
        last = len(snippets) - 1
        todo = {last}
        while missing := self._absent(todo):
            todo |= missing
        return sorted(todo)

    def _absent(self, todo: set[int]) -> set[int]:
        """Return a snippet whose names would not be there, if only these ran."""
        written = dict(self.written)
        for number in sorted(todo):
            for name, writer in self._inputs[number].items():
                if written.get(name) != self._versions[writer]:
                    return {writer}
            written |= dict.fromkeys(self._uses[number][1], self._versions[number])
        return set()

    def begin(self, number: int) -> None:
        """Forget what a snippet is about to change, and what nothing above defines."""
        reads, _ = self._uses[number]
        for name in reads - set(self._inputs[number]):
            if name in self.written:
                self.names.pop(name, None)
        self.written |= dict.fromkeys(self._uses[number][1])

    def end(self, number: int) -> None:
        """Keep what a snippet has changed."""
        self.written |= dict.fromkeys(self._uses[number][1], self._versions[number])
