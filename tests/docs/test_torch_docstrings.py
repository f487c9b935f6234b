"""The docstrings of the PyTorch backend are read as a user of PyTorch reads them."""

import ast
import doctest
import inspect

import pytest
from pytest_doctestplus.output_checker import FLOAT_CMP
from tests.contract.backends import NAMES, both

import chalkgrad.torch as cg
from chalkdocs.doctest_plugin import Checker
from chalkdocs.sources import SOURCE
from chalkgrad._core.docs import torch_docstring
from chalkgrad.lecture._reading import TABS, print_options

# What the reference draws or reads, and a twin turns into tensors.
DRAWN = [
    f"{topic}.{name}"
    for topic in ("data", "experiments")
    for name, f in vars(getattr(cg, topic)).items()
    if inspect.isfunction(f) and f.__module__ == f"chalkgrad.{topic}._torch"
]
TWINS = [
    path
    for path in [*NAMES, *DRAWN]
    if "chalkgrad.torch as cg" in (both(path)[1].__doc__)
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | FLOAT_CMP


@pytest.mark.parametrize("path", TWINS)
def test_its_example_runs_and_prints_tensors(path):
    _, twin = both(path)
    doc = inspect.getdoc(twin)
    assert "chalkgrad.numpy" not in doc
    test = doctest.DocTestParser().get_doctest(doc, {}, path, None, 0)
    printed = "".join(example.want for example in test.examples)
    assert "array(" not in printed
    assert "np." not in printed
    told = []
    with print_options(TABS["torch"]):
        checker = Checker(allows_other_numbers=True)
        runner = doctest.DocTestRunner(checker=checker, optionflags=FLAGS)
        runner.run(test, out=told.append)
    assert not told, "".join(told)


@pytest.mark.parametrize(
    "topic",
    ["activations", "autodiff", "landscape", "losses", "optimizers", "perceptron"],
)
def test_every_function_of_a_topic_has_the_whole_docstring(topic):
    public = {f"{topic}.{name}" for name in getattr(cg, topic).__all__}
    kinds = {"landscape.Projection", "landscape.Sharpness", "perceptron.Fit"}
    assert public - kinds <= set(TWINS)


@pytest.mark.parametrize(
    ("numpy", "torch"),
    [
        ("array([1., 2.])", "tensor([1., 2.], dtype=torch.float64)"),
        ("array([1., 2.], dtype=float32)", "tensor([1., 2.])"),
        ("array([1, 2])", "tensor([1, 2])"),
        ("array([ True, False])", "tensor([ True, False])"),
        ("np.float64(0.5)", "tensor(0.5, dtype=torch.float64)"),
        ("np.True_", "tensor(True)"),
        (
            "(array([0.5]), np.int64(1))",
            "(tensor([0.5], dtype=torch.float64), tensor(1))",
        ),
        ("'no array'", "'no array'"),
    ],
)
def test_what_is_printed_is_what_pytorch_prints(numpy, torch):
    found = torch_docstring(f"Do.\n\n>>> f()\n{numpy}", "It differs.")
    assert found == f"Do.\n\nIt differs.\n\n>>> f()\n{torch}"


def test_no_docstring_only_points_to_its_reference():
    found = [
        f"{path.name}: {node.name}"
        for path in sorted((SOURCE / "chalkgrad").rglob("*_torch.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and (ast.get_docstring(node) or "").startswith("Twin of")
    ]
    assert found == []
