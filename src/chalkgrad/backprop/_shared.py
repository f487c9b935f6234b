r"""Backpropagation on a graph, the same in both backends.

A computation is a directed acyclic graph: a node for each number, and an edge from each
number to what is computed from it. An edge carries the **local derivative**, that of
its head with respect to its tail. By the chain rule the derivative of one node with
respect to another is a sum over all paths between them, of the product of the local
derivatives along each:

$$\frac{\partial f}{\partial x} =
\sum_{\text{paths } x \to f}\ \prod_{\text{edges of the path}} d .$$

`Graph` computes it in three ways, and counts: path by path; forward, from $x$ to $f$;
and in reverse, from $f$ to $x$, which is backpropagation. The last two visit each node
once. Local derivatives may be numbers, or arrays of either backend that fit each other.
"""

import math
from collections.abc import Callable, Hashable, Iterator
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.random import Rng, as_generator

__all__ = ["Derivative", "Graph", "layered_dag", "record"]


class Derivative(NamedTuple):
    """A derivative, and what it took to find it."""

    value: Any
    multiplications: int
    """By local derivatives; a path or a sweep starts from 1."""
    additions: int
    visits: int
    """How often a node was entered."""


class Graph:
    r"""A directed acyclic graph with a local derivative on each edge.

    Nodes come into being with the first edge that names them. Two edges between the
    same two nodes stand side by side, as in $x \cdot x$.

    Examples
    --------
    The deck's $h(f(x), g(x))$, with $f = x^2$, $g = 3x$, $h = f g$ at $x = 2$:

    >>> import chalkgrad.numpy as cg
    >>> graph = cg.backprop.Graph()
    >>> graph.add_edge("x", "f", 4.0)
    >>> graph.add_edge("x", "g", 3.0)
    >>> graph.add_edge("f", "h", 6.0)
    >>> graph.add_edge("g", "h", 4.0)
    >>> graph.reverse("h", "x")
    Derivative(value=36.0, multiplications=4, additions=1, visits=4)

    References
    ----------
    [Rumelhart, Hinton and Williams (1986)][rumelhart1986];
    [Linnainmaa (1976)][linnainmaa1976].
    """

    def __init__(self) -> None:
        self.heads: dict[str, list[tuple[str, Any]]] = {}
        """For each node, what is computed from it, with the local derivatives."""
        self.tails: dict[str, list[tuple[str, Any]]] = {}
        """For each node, what it is computed from."""
        self.values: dict[str, float] = {}
        """What `record` computed; empty for a graph made by hand."""

    def add_edge(self, tail: str, head: str, derivative: Any) -> None:
        """Add an edge.

        Parameters
        ----------
        tail, head : str
            Names of nodes; `head` is computed from `tail`.
        derivative : float or Array
            The local derivative of `head` with respect to `tail`.

        Raises
        ------
        ValueError
            If `tail` is `head`.
        """
        if tail == head:
            raise ValueError(f"add_edge: node {tail!r} cannot be computed from itself.")
        for name in (tail, head):
            self.heads.setdefault(name, [])
            self.tails.setdefault(name, [])
        self.heads[tail].append((head, derivative))
        self.tails[head].append((tail, derivative))

    @property
    def nodes(self) -> list[str]:
        """All nodes in a topological order: each after everything it is made from.

        Raises
        ------
        ValueError
            If the graph has a cycle.
        """
        waiting = {name: len(tails) for name, tails in self.tails.items()}
        ready = [name for name, count in waiting.items() if count == 0]
        for name in ready:  # grows while it is read
            for head, _ in self.heads[name]:
                waiting[head] -= 1
                if waiting[head] == 0:
                    ready.append(head)
        if len(ready) < len(waiting):
            stuck = next(name for name, count in waiting.items() if count > 0)
            raise ValueError(
                f"nodes: the graph has a cycle, through or before {stuck!r}."
            )
        return ready

    def paths(self, of: str, wrt: str) -> Iterator[list[str]]:
        """Walk every path from `wrt` to `of`, as the list of its nodes.

        Parameters
        ----------
        of, wrt : str
            Nodes: the end and the start.

        Yields
        ------
        list of str
            The nodes of one path. There may be more paths than you can wait for:
            `count_paths` tells at once.
        """
        for path, _ in self._walk("paths", of, wrt):
            yield path.copy()

    def count_paths(self, of: str, wrt: str) -> int:
        """Count the paths from `wrt` to `of` without walking them: every edge counts 1.

        Parameters
        ----------
        of, wrt : str
            Nodes: the end and the start.

        Returns
        -------
        int
            Exact, however large.
        """
        order = self._between("count_paths", of, wrt)
        count = dict.fromkeys(order, 0)
        count[wrt] = 1
        for name in order[1:]:
            count[name] = sum(count.get(tail, 0) for tail, _ in self.tails[name])
        return count.get(of, 0)

    def sum_over_paths(self, of: str, wrt: str) -> Derivative:
        """Find a derivative as the chain rule says it: path by path.

        Parameters
        ----------
        of, wrt : str
            Nodes: what is differentiated, and with respect to what.

        Returns
        -------
        Derivative
            With the multiplications along every path, and the additions of the paths.

        Raises
        ------
        ValueError
            If a node is not in the graph, or the graph has a cycle.
        """
        value: Any = 0.0
        multiplications = count = visits = 0
        for path, derivatives in self._walk("sum_over_paths", of, wrt):
            product: Any = 1.0
            for derivative in derivatives:
                product = product * derivative
            value = product if count == 0 else value + product
            count += 1
            multiplications += len(derivatives)
            visits += len(path)
        return Derivative(value, multiplications, max(0, count - 1), visits)

    def forward(self, of: str, wrt: str) -> Derivative:
        """Find a derivative from `wrt` to `of`; it passes every node on the way.

        What each node has when it is done is its own derivative with respect to `wrt`:
        one sweep serves every `of`.

        Parameters
        ----------
        of, wrt : str
            Nodes: what is differentiated, and with respect to what.

        Returns
        -------
        Derivative
            One multiplication for each edge between the two nodes.

        Raises
        ------
        ValueError
            As `sum_over_paths`.
        """
        order = self._between("forward", of, wrt)
        return _accumulate(order, self.tails)

    def reverse(self, of: str, wrt: str) -> Derivative:
        """Find a derivative from `of` back to `wrt`: backpropagation.

        What each node has when it is done is the derivative of `of` with respect to it:
        one sweep serves every `wrt`, and that is why networks are trained so.

        Parameters
        ----------
        of, wrt : str
            Nodes: what is differentiated, and with respect to what.

        Returns
        -------
        Derivative
            One multiplication for each edge between the two nodes.

        Raises
        ------
        ValueError
            As `sum_over_paths`.
        """
        order = self._between("reverse", of, wrt)
        return _accumulate(order[::-1], self.heads)

    def matrix(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        r"""Write the graph as a matrix, for local derivatives that are numbers.

        In the order of `nodes`, $A_{uv}$ is the sum of the local derivatives from $u$
        to $v$. It is strictly upper triangular, and the derivatives $\lambda$ of the
        last node with respect to every node solve $(I - A)\,\lambda = e_{\text{last}}$:
        reverse accumulation is back substitution.

        Returns
        -------
        numpy.ndarray of shape (nodes, nodes)
            In float64.
        """
        place = {name: i for i, name in enumerate(self.nodes)}
        a = np.zeros((len(place), len(place)))
        for tail, heads in self.heads.items():
            for head, derivative in heads:
                a[place[tail], place[head]] += derivative
        return a

    def svg(self, of: str | None = None) -> str:
        """Draw the graph, inputs to the left.

        Parameters
        ----------
        of : str, optional
            The node that is differentiated: its derivative with respect to each node is
            written below that node. Needs local derivatives that are numbers.

        Returns
        -------
        str
            An SVG in the colours of the text around it; save it, or show it in a
            notebook with ``IPython.display.SVG``.

        Raises
        ------
        ValueError
            If `of` is not in the graph, or the graph has a cycle.

        Examples
        --------
        >>> import chalkgrad.numpy as cg
        >>> graph = cg.backprop.record(lambda x, y: x * y + x, x=2.0, y=3.0)
        >>> graph.svg("f").count("<circle")
        4
        """
        at, ways = _layout(self)
        texts = []  # x, y, words, style
        for name in self.nodes:
            x, y = at[name]
            texts.append((x, y - 38, name, 'font-weight="bold"'))
            if name in self.values:
                texts.append((x, y - 23, f"{self.values[name]:.4g}", ""))
            if of is not None:
                slope = f"{self.reverse(of, name).value:.4g}"
                texts.append((x, y + 24, slope, 'fill="var(--fig-2, #c2410c)"'))
        parts = []
        for (tail, head), way in ways.items():
            places = [at[place] for place in way]
            line = "L".join(f"{x:.0f} {y:.0f}" for x, y in places)
            parts.append(
                f'<path d="M{line}" fill="none" stroke="currentColor" opacity="0.4"/>'
            )
            each = (f"{d:.4g}" for other, d in self.heads[tail] if other == head)
            x, y = _free_place(places, words := ", ".join(each), texts)
            texts.append((x, y, words, ""))
        parts += [
            f'<circle cx="{at[n][0]:.0f}" cy="{at[n][1]:.0f}" r="6"/>'
            for n in self.nodes
        ]
        parts += [_draw_text(*text) for text in texts]
        xs, ys = zip(*at.values(), strict=True)
        size = f"{min(xs) + max(xs):.0f} {max(ys) + 38:.0f}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            'font-size="13" text-anchor="middle" fill="currentColor" '
            f'stroke-width="1.5">{"".join(parts)}</svg>'
        )

    def _walk(
        self, where: str, of: str, wrt: str
    ) -> Iterator[tuple[list[str], list[Any]]]:
        """Walk every path, depth first, with the derivatives along it."""
        on_the_way = set(self._between(where, of, wrt))
        path, derivatives = [wrt], list[Any]()
        choices = [iter(self.heads[wrt])]  # a stack instead of a recursion
        if wrt == of:
            yield path, derivatives
        while choices:
            for head, derivative in choices[-1]:
                if head not in on_the_way:
                    continue
                path.append(head)
                derivatives.append(derivative)
                choices.append(iter(self.heads[head]))
                if head == of:
                    yield path, derivatives
                break
            else:  # everything from here has been walked
                choices.pop()
                path.pop()
                if derivatives:
                    derivatives.pop()

    def _between(self, where: str, of: str, wrt: str) -> list[str]:
        """Return the nodes on the paths from `wrt` to `of`, in topological order."""
        for argument, node in (("of", of), ("wrt", wrt)):
            if node not in self.heads:
                raise ValueError(
                    f"{where}: `{argument}` must be a node of the graph, got {node!r}; "
                    f"it has {', '.join(list(self.heads)[:8]) or 'none'}."
                )
        order = self.nodes
        after, before = {wrt}, {of}
        for name in order:
            if any(tail in after for tail, _ in self.tails[name]):
                after.add(name)
        for name in reversed(order):
            if any(head in before for head, _ in self.heads[name]):
                before.add(name)
        return [name for name in order if name in after and name in before]


def _accumulate(
    order: list[str], incoming: dict[str, list[tuple[str, Any]]]
) -> Derivative:
    """Visit each node once, when everything that flows into it is there."""
    if not order:  # no path: nothing to visit
        return Derivative(0.0, 0, 0, 0)
    done: dict[str, Any] = {order[0]: 1.0}
    multiplications = additions = 0
    for name in order[1:]:
        parts = [done[other] * d for other, d in incoming[name] if other in done]
        done[name] = parts[0]
        for part in parts[1:]:
            done[name] = done[name] + part
        multiplications += len(parts)
        additions += len(parts) - 1
    return Derivative(done[order[-1]], multiplications, additions, len(order))


def _draw_text(x: float, y: float, words: str, style: str) -> str:
    """Write words that stand out from a line below them."""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" {style} paint-order="stroke" stroke-width="4" '
        f'stroke="var(--md-default-bg-color, Canvas)" stroke-linejoin="round">'
        f"{escape(words)}</text>"
    )


def _free_place(
    way: list[tuple[float, float]],
    words: str,
    texts: list[tuple[float, float, str, str]],
) -> tuple[float, float]:
    """Return a place on the first piece of an edge where no text stands yet.

    A letter is about 7 pixels wide and 10 high.
    """
    (x1, y1), (x2, y2) = way[:2]
    near = [0.45, 0.5, 0.4, 0.55, 0.35, 0.6, 0.3, 0.65, 0.7]  # best first
    places = [(x1 + t * (x2 - x1), y1 + t * (y2 - y1) + 5) for t in near]

    def is_free(place: tuple[float, float]) -> bool:
        return all(
            abs(place[1] - y) >= 12 or abs(place[0] - x) >= 3.6 * len(words + other)
            for x, y, other, _ in texts
        )

    return next(filter(is_free, places), places[0])


def _layout(
    graph: Graph,
) -> tuple[dict[Hashable, tuple[float, float]], dict[tuple[str, str], list[Hashable]]]:
    """Place the nodes in columns, so that few edges cross and none runs over a node.

    An edge over several columns has a place in each (Sugiyama, Tagawa and Toda, 1981).
    Return the places and, for each edge, those that it leads through.
    """
    column: dict[Hashable, int] = {}  # how many steps a node is from the inputs
    for name in graph.nodes:
        tails = [column[tail] for tail, _ in graph.tails[name]]
        column[name] = 1 + max(tails, default=-1)
    for name in graph.nodes:  # an input stands just before its first use
        if not graph.tails[name] and graph.heads[name]:
            column[name] = min(column[head] for head, _ in graph.heads[name]) - 1
    ways: dict[tuple[str, str], list[Hashable]] = {}
    for tail, heads in graph.heads.items():
        for head, _ in heads:
            between = range(column[tail] + 1, column[head])
            ways[tail, head] = [tail, *((tail, head, x) for x in between), head]
            column.update(((tail, head, x), x) for x in between)
    beside: dict[Hashable, list[Hashable]] = {place: [] for place in column}
    for way in ways.values():
        for one, other in pairwise(way):
            beside[one].append(other)
            beside[other].append(one)
    columns: list[list[Hashable]] = [[] for _ in range(1 + max(column.values()))]
    for place, x in column.items():
        columns[x].append(place)

    def height(place: Hashable) -> float:
        names = columns[column[place]]
        return (names.index(place) + 0.5) / len(names)

    for order in (columns, columns[::-1]) * 4:  # each goes where its neighbours are
        for names in order:
            means = {p: np.mean([height(o) for o in beside[p]] or [0.5]) for p in names}
            names.sort(key=lambda place: means[place])
    # As narrow as the names allow: a phone shows the whole width.
    step = 10 + 8 * max(9, *map(len, graph.nodes))
    rows = max(map(len, columns))
    at = {
        place: (step * (x + 0.5), 12 + 100 * rows * height(place))
        for place, x in column.items()
    }
    return at, ways


def layered_dag(width: int, depth: int, *, rng: Rng = 0) -> Graph:
    r"""Make a graph of layers: "x", then `depth` layers of `width` nodes, then "f".

    Every node is joined to all of the next layer, by local derivatives that are normal
    with standard deviation 1 / `width`. From "x" to "f" there are
    $\text{width}^\text{depth}$ paths, and $\text{width}^2 (\text{depth} - 1) +
    2\,\text{width}$ edges. With width 2 it is a ladder.

    Parameters
    ----------
    width : int
        Nodes a layer; 1 or more.
    depth : int
        Layers between "x" and "f"; 1 or more.
    rng : int or numpy.random.Generator
        Where the numbers come from.

    Returns
    -------
    Graph
        Its nodes are "x", "1.1", "1.2", ..., "f".

    Raises
    ------
    TypeError, ValueError
        If `width` or `depth` is not a whole number above 0, or `rng` is not a seed.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> ladder = cg.backprop.layered_dag(2, 18)
    >>> ladder.count_paths("f", "x"), ladder.reverse("f", "x").multiplications
    (262144, 72)
    """
    width = check.integer("layered_dag", "width", width, low=1)
    depth = check.integer("layered_dag", "depth", depth, low=1)
    rng = as_generator("layered_dag", rng)
    layers = [["x"]]
    layers += [[f"{i}.{j}" for j in range(1, width + 1)] for i in range(1, depth + 1)]
    layers += [["f"]]
    graph = Graph()
    for below, above in pairwise(layers):
        for tail in below:
            for head, derivative in zip(
                above, rng.standard_normal(len(above)) / width, strict=True
            ):
                graph.add_edge(tail, head, float(derivative))
    return graph


# What an operation computes, and its local derivatives, one for each argument.
_OPERATIONS: dict[str, Callable[..., tuple[float, tuple[float, ...]]]] = {
    "add": lambda a, b: (a + b, (1.0, 1.0)),
    "subtract": lambda a, b: (a - b, (1.0, -1.0)),
    "multiply": lambda a, b: (a * b, (b, a)),
    "divide": lambda a, b: (a / b, (1 / b, -a / b**2)),
    "power": lambda a, b: (
        a**b,
        # Only a positive number has a power that can be any number.
        (b * a ** (b - 1), a**b * math.log(a) if a > 0 else math.nan),
    ),
    "negative": lambda a: (-a, (-1.0,)),
    "exp": lambda a: (math.exp(a), (math.exp(a),)),
    "log": lambda a: (math.log(a), (1 / a,)),
    "sqrt": lambda a: (math.sqrt(a), (0.5 / math.sqrt(a),)),
    "sin": lambda a: (math.sin(a), (math.cos(a),)),
    "cos": lambda a: (math.cos(a), (-math.sin(a),)),
    "tanh": lambda a: (math.tanh(a), (1 - math.tanh(a) ** 2,)),
}


class _Number:
    """A number that writes into a graph what is computed from it."""

    def __init__(self, graph: Graph, name: str, value: float) -> None:
        self.graph, self.name, self.value = graph, name, value
        graph.values[name] = value
        graph.heads[name], graph.tails[name] = [], []

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any) -> "_Number":
        return _operate(ufunc.__name__, *args)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any, kwargs: Any = None
    ) -> "_Number":
        return _operate(func.__name__, *args)


def _operate(operation: str, *args: Any) -> _Number:
    if operation not in _OPERATIONS:
        raise TypeError(
            f"record: {operation!r} has no rule here; there are "
            f"{', '.join(_OPERATIONS)}."
        )
    y, derivatives = _OPERATIONS[operation](
        *(a.value if isinstance(a, _Number) else a for a in args)
    )
    graph = next(a.graph for a in args if isinstance(a, _Number))
    out = _Number(graph, f"{operation} {len(graph.values)}", y)
    for arg, derivative in zip(args, derivatives, strict=True):
        if isinstance(arg, _Number):  # a constant has no node
            graph.add_edge(arg.name, out.name, derivative)
    return out


def _operator(operation: str, *, swapped: bool = False) -> Callable[..., _Number]:
    def method(self: _Number, *others: Any) -> _Number:
        args = (self, *others)
        return _operate(operation, *(args[::-1] if swapped else args))

    return method


for _name, _operation in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "power",
}.items():
    setattr(_Number, f"__{_name}__", _operator(_operation))
    setattr(_Number, f"__r{_name}__", _operator(_operation, swapped=True))
setattr(_Number, "__neg__", _operator("negative"))  # noqa: B010


def record(f: Callable[..., Any], **inputs: float) -> Graph:
    """Record what a function does with numbers, as a graph.

    Parameters
    ----------
    f : callable
        Written with `+ - * / **` and with `exp`, `log`, `sqrt`, `sin`, `cos` and `tanh`
        of NumPy or PyTorch. It takes the inputs by name and returns one number.
    **inputs : float
        The numbers to call it with: nodes of the graph.

    Returns
    -------
    Graph
        Every operation is a node, such as "sin 2"; the last is called "f". The values
        are in ``graph.values``.

    Raises
    ------
    TypeError
        If `f` uses an operation that has no rule, or its result is not made from the
        inputs.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> graph = cg.backprop.record(lambda x, y: x * y + x, x=2.0, y=3.0)
    >>> graph.values
    {'x': 2.0, 'y': 3.0, 'multiply 2': 6.0, 'f': 8.0}
    >>> graph.reverse("f", "x").value
    4.0
    """
    graph = Graph()
    numbers = {
        name: _Number(graph, name, check.number("record", name, value))
        for name, value in inputs.items()
    }
    out = f(**numbers)
    if not isinstance(out, _Number) or out.name in inputs:
        raise TypeError(
            "record: `f` must return a number that it made from its inputs."
        )
    return _rename(graph, out.name, "f")


def _rename(graph: Graph, old: str, new: str) -> Graph:
    """Copy a graph with another name for one node."""
    out = Graph()
    out.values = {new if k == old else k: v for k, v in graph.values.items()}
    for ours, theirs in ((out.heads, graph.heads), (out.tails, graph.tails)):
        for name, others in theirs.items():
            ours[new if name == old else name] = [
                (new if other == old else other, d) for other, d in others
            ]
    return out
