"""Derivatives on a graph: three ways, one value, and the counts of theory."""

import itertools
import math
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import chalkgrad.numpy as cg

WAYS = ("sum_over_paths", "forward", "reverse")


@st.composite
def graphs(draw):
    """Any graph of up to 9 nodes: each is made from some of those before it."""
    graph = cg.backprop.Graph()
    for head in range(1, draw(st.integers(2, 9))):
        for tail in draw(st.lists(st.integers(0, head - 1), min_size=1, max_size=4)):
            graph.add_edge(
                f"n{tail}", f"n{head}", draw(st.sampled_from([-2, -1, 0.5, 3]))
            )
    return graph


@settings(derandomize=True, deadline=None)
@given(graphs(), st.data())
def test_three_ways_find_one_value_and_so_does_a_triangular_system(graph, data):
    nodes = graph.nodes
    of, wrt = (data.draw(st.sampled_from(nodes)) for _ in range(2))
    values = [getattr(graph, way)(of, wrt).value for way in WAYS]
    assert values == pytest.approx([values[0]] * 3, rel=1e-12, abs=1e-12)
    target = np.eye(len(nodes))[nodes.index(of)]
    solved = np.linalg.solve(np.eye(len(nodes)) - graph.matrix(), target)
    assert solved[nodes.index(wrt)] == pytest.approx(values[0], rel=1e-9, abs=1e-9)
    assert len(list(graph.paths(of, wrt))) == graph.count_paths(of, wrt)
    assert np.array_equal(np.triu(graph.matrix(), 1), graph.matrix())


@pytest.mark.parametrize(("width", "depth"), [(1, 5), (2, 1), (2, 10), (3, 4), (4, 6)])
def test_paths_grow_like_a_power_and_sweeps_like_the_edges(width, depth):
    graph = cg.backprop.layered_dag(width, depth)
    edges = width**2 * (depth - 1) + 2 * width
    paths = graph.sum_over_paths("f", "x")
    assert paths.additions + 1 == graph.count_paths("f", "x") == width**depth
    assert paths.multiplications == (depth + 1) * width**depth
    assert paths.visits == (depth + 2) * width**depth
    for way in ("forward", "reverse"):
        counted = getattr(graph, way)("f", "x")
        assert counted.multiplications == edges
        assert counted.additions == edges - (width * depth + 1)
        assert counted.visits == width * depth + 2
        assert counted.value == pytest.approx(paths.value, rel=1e-9)


def test_a_chain_of_ten_thousand_layers_needs_no_recursion():
    graph = cg.backprop.layered_dag(2, 10_000)
    assert graph.reverse("f", "x").multiplications == 40_000


def test_paths_are_counted_without_walking_them():
    assert cg.backprop.layered_dag(3, 200).count_paths("f", "x") == 3**200


def test_what_is_not_joined_has_no_derivative():
    graph = cg.backprop.Graph()
    graph.add_edge("x", "f", 2.0)
    graph.add_edge("y", "g", 3.0)
    for way in WAYS:
        assert getattr(graph, way)("f", "y") == (0.0, 0, 0, 0)
        assert getattr(graph, way)("f", "f") == (1.0, 0, 0, 1)
    assert graph.count_paths("f", "y") == 0


def test_local_derivatives_may_be_arrays_of_either_backend():
    for make in (np.array, torch.tensor):
        graph = cg.backprop.Graph()
        graph.add_edge("x", "f", make([1.0, 2.0]))
        graph.add_edge("x", "g", make([3.0, 4.0]))
        graph.add_edge("f", "h", 10.0)
        graph.add_edge("g", "h", make([0.5, 1.0]))
        for way in WAYS:
            assert getattr(graph, way)("h", "x").value.tolist() == [11.5, 24.0]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (
            lambda g: g.add_edge("a", "a", 1.0),
            "add_edge: node 'a' cannot be computed from",
        ),
        (lambda g: g.reverse("c", "a"), "reverse: `of` must be a node of the graph"),
        (lambda g: g.forward("a", "c"), "forward: `wrt` must be a node of the graph"),
        (lambda g: list(g.paths("c", "a")), "paths: `of` must be a node of the graph"),
        (lambda g: (g.add_edge("b", "a", 1.0), g.nodes), "the graph has a cycle"),
    ],
)
def test_a_wrong_graph_is_told(act, words):
    graph = cg.backprop.Graph()
    graph.add_edge("a", "b", 1.0)
    with pytest.raises(ValueError, match=words):
        act(graph)


def test_a_drawing_has_every_node_with_its_value_and_its_slope():
    graph = cg.backprop.record(lambda x, y: x * y + x, x=2.0, y=3.5)
    drawing = ElementTree.fromstring(graph.svg("f"))
    said = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    for name, value in graph.values.items():
        assert name in said
        assert f"{value:.4g}" in said
        assert f"{graph.reverse('f', name).value:.4g}" in said
    lines = [path.get("d") for path in drawing.iter("{http://www.w3.org/2000/svg}path")]
    assert len(lines) == sum(map(len, graph.heads.values()))
    xs = [
        float(dot.get("cx"))
        for dot in drawing.iter("{http://www.w3.org/2000/svg}circle")
    ]
    step = 10 + 8 * max(9, *map(len, graph.nodes))
    assert min(xs) == step / 2  # no empty column ahead
    for line in lines:  # an edge leads to the right
        way = [float(place.split()[0]) for place in line[1:].split("L")]
        assert way == sorted(set(way))
    by_hand = cg.backprop.Graph()
    by_hand.add_edge("a < b", "c & d", 2.0)
    ElementTree.fromstring(by_hand.svg())


FUNCTIONS = {
    "polynomial": lambda m, x, y: 3 * x**2 * y - y / 4 + 2 - x,
    "shared": lambda m, x, y: (z := m.sin(x * y)) * z + z / x,
    "all": lambda m, x, y: m.exp(-x) * m.cos(y) + m.log(x) / m.sqrt(y) - m.tanh(x - y),
    "powers": lambda m, x, y: x**y + 2**x + 1 / y - (1 - x),
    "square": lambda m, x, y: x * x + y - y,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("library", [np, torch])
def test_a_recorded_function_has_the_derivatives_of_autograd(name, library):
    f = FUNCTIONS[name]
    graph = cg.backprop.record(lambda x, y: f(library, x, y), x=1.3, y=0.7)
    x, y = (
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.3, 0.7)
    )
    out = f(torch, x, y)
    out.backward()
    assert graph.values["f"] == pytest.approx(out.item(), rel=1e-14)
    for node, leaf in (("x", x), ("y", y)):
        for way in WAYS:
            found = getattr(graph, way)("f", node).value
            assert found == pytest.approx(float(leaf.grad), rel=1e-12, abs=1e-15)


def test_a_constant_has_no_node_and_an_unused_input_no_derivative():
    graph = cg.backprop.record(lambda x, y: 2 * x + 1, x=3.0, y=5.0)
    assert graph.values == {"x": 3.0, "y": 5.0, "multiply 2": 6.0, "f": 7.0}
    assert graph.reverse("f", "y").value == 0.0


def test_a_negative_number_has_whole_powers_only():
    graph = cg.backprop.record(lambda x: x**2, x=-3.0)
    assert graph.reverse("f", "x").value == -6.0
    graph = cg.backprop.record(lambda x, n: x**n, x=-3.0, n=2.0)
    assert math.isnan(graph.reverse("f", "n").value)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.floor(x), "'floor' has no rule here; there are add,"),
        (lambda x: 3.0, "must return a number that it made from its inputs"),
        (lambda x: x, "must return a number that it made from its inputs"),
    ],
)
def test_what_cannot_be_recorded_is_told(f, words):
    with pytest.raises(TypeError, match=words):
        cg.backprop.record(f, x=1.0)


def test_an_input_that_is_no_number_is_named():
    with pytest.raises(TypeError, match="record: `x` must be"):
        cg.backprop.record(lambda x: x * x, x="one")


# --- The drawing ----------------------------------------------------------------------

DRAWN = [
    (lambda x, w, b, y: (np.tanh(w * x + b) - y) ** 2, {"w": 2.0, "b": -0.6, "y": 1.0}),
    (lambda x, y: (x * y + x) * x + np.sin(x * x), {"y": 3.0}),
    (lambda x: x * x + x, {}),
    (lambda x, y: x * y, {"y": 2.0}),
    (lambda x, y, w: y * w + x, {"y": 2.0, "w": 3.0}),
]


@pytest.mark.parametrize(("f", "others"), DRAWN)
def test_no_number_of_a_drawing_lies_on_another_and_no_edge_runs_over_a_node(f, others):
    graph = cg.backprop.record(f, x=0.5, **others)
    root = ElementTree.fromstring(graph.svg("f"))
    width, height = map(float, root.get("viewBox").split()[2:])
    tag = "{http://www.w3.org/2000/svg}"
    # A letter is about 7 pixels wide and, without its tails, 10 high.
    boxes = []
    for text in root.iter(f"{tag}text"):
        x, y, half = float(text.get("x")), float(text.get("y")), 3.5 * len(text.text)
        assert half <= x <= width - half
        assert 10 <= y <= height
        boxes.append((x - half, x + half, y - 10, y))
    for (a, b, c, d), (e, f_, g, h) in itertools.combinations(boxes, 2):
        assert b <= e or f_ <= a or d <= g or h <= c
    nodes = [
        (float(c.get("cx")), float(c.get("cy"))) for c in root.iter(f"{tag}circle")
    ]
    xs = [x for x, _ in nodes]
    assert width == min(xs) + max(xs)  # no empty column behind
    for path in root.iter(f"{tag}path"):
        way = [tuple(map(float, p.split())) for p in path.get("d")[1:].split("L")]
        for (x1, y1), (x2, y2) in itertools.pairwise(way):
            for x, y in set(nodes) - {way[0], way[-1]}:
                t = np.clip((x - x1) / (x2 - x1), 0, 1)
                away = np.hypot(x1 + t * (x2 - x1) - x, y1 + t * (y2 - y1) - y)
                assert away > 12
