"""A page is run with each backend: what is wrong fails, wherever it stands."""

import shutil
from textwrap import indent

import pytest
import torch  # before any page does: a second import of it in one process crashes
from pytest_doctestplus.output_checker import FLOAT_CMP

from chalkdocs import doctest_plugin
from chalkgrad.lecture import _reading

TABS = ("NumPy", "PyTorch")
SETTINGS = """
            doctest_tabs =
                NumPy
                PyTorch: torch
            doctest_imports =
                import chalkgrad.numpy as cg  # or: import chalkgrad.torch as cg
            doctest_requirements = torch
                cuda
"""
HEAD = """\
# A page

=== "NumPy"

    ```pycon
    >>> import chalkgrad.numpy as cg
    ```

=== "PyTorch"

    ```pycon
    >>> import chalkgrad.torch as cg
    ```

"""


@pytest.fixture
def read(pytester, monkeypatch):
    """Run pages with the plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(*options, settings=SETTINGS, plugin="chalkdocs.doctest_plugin", **pages):
        pytester.makeconftest(
            f'pytest_plugins = ["pytest_doctestplus.plugin", "{plugin}"]'
        )
        pytester.makeini(
            f"""
            [pytest]
            doctest_plus = enabled
            addopts = --doctest-glob=*.md --doctest-continue-on-failure -ra
            doctest_optionflags = NORMALIZE_WHITESPACE ELLIPSIS FLOAT_CMP
            doctest_plus_rtol = 1e-4
            filterwarnings = error
            {settings}
            """
        )
        for name, text in pages.items():
            pytester.path.joinpath(f"{name}.md").write_text(text)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return run


def test_a_right_page_passes_twice_under_names_that_tell_the_tab(read):
    result = read(
        "-v",
        right=HEAD + "```pycon\n>>> cg.array([1.0, 0.5])\narray([1. , 0.5])\n"
        ">>> float(cg.array([1.0]).sum())\n1.0\n>>> x = 1\n```\n\nMore words.\n",
        plain="```pycon\n>>> 1 + 1\n2\n```\n",
        words="# No snippet\n",
    )
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["*plain.md::plain.md *", "*::right.md[[]NumPy] *", "*::right.md[[]PyTorch] *"]
    )


# What stands on a page after the head; `# !` marks the line that must be named.
WRONG_IN_BOTH = {
    "untabbed": """
```pycon
>>> 1 + 1  # !
3
```
""",
    "second": """
```pycon
>>> 1 + 1
2
```

Text

```pycon
>>> 2 + 2  # !
5
```
""",
    "directive": """
<!-- doctest-requires:: torch -->
```pycon
>>> 1 + 1  # !
3
```
""",
    "claim": """
!!! claim "G1 · holds"
    Text.

    ```pycon
    >>> 1 + 1  # !
    3
    ```
""",
    "solution": """
??? question "Try"

    ??? success "Solution"

        ```pycon
        >>> 1 + 1  # !
        3
        ```
""",
    "number_in_array": """
```pycon
>>> cg.array([1.0, 0.5])  # !
array([1.0, 0.51])
```
""",
    "shape": """
```pycon
>>> cg.array([1.0, 0.5]).shape  # !
(3,)
```
""",
    "warning": """
```pycon
>>> import warnings
>>> warnings.warn("old")  # !
```
""",
    "hidden": """
<!--
>>> 1 + 1  # !
3

-->
""",
    "other_tab": """
=== "Shell"

    ```pycon
    >>> 1 + 1  # !
    3
    ```
""",
    "shown_directive": """
```markdown
<!-- doctest-requires:: scipy -->
>>> 1 + 1  # !
3
```
""",
}
# What stands in one backend's tab, however the tab is written.
TAB = """
=== "{}"

    <!-- doctest-requires::torch-->
    ```pycon
    >>> 1 + 1  # !
    3
    ```
"""
WRONG_IN_TAB = {
    "tab": TAB,
    "marked_tab": TAB.replace("===", "===!+"),
    "nested_tab": "\n!!! note\n" + indent(TAB, "    ") + "\n    More words.\n",
}


def test_a_wrong_answer_fails_wherever_it_stands_at_its_own_line(read):
    wrong = {name: (text, TABS) for name, text in WRONG_IN_BOTH.items()}
    for name, text in WRONG_IN_TAB.items():
        for tab in TABS:
            wrong[f"{name}_{tab}"] = text.format(tab), (tab,)
    pages = {name: HEAD + text for name, (text, _) in wrong.items()}
    result = read(**pages)
    failed = sum(len(tabs) for _, tabs in wrong.values())
    result.assert_outcomes(failed=failed, passed=2 * len(wrong) - failed)
    out = result.stdout.str()
    for name, (_, tabs) in wrong.items():
        before, _, _ = pages[name].partition("# !")
        at = f"{name}.md:{before.count(chr(10)) + 1}: "
        assert f"{at}DocTestFailure" in out or f"{at}UnexpectedException" in out
        for tab in TABS:
            assert (f"FAILED {name}.md::{name}.md[{tab}]" in out) == (tab in tabs)


def test_what_both_backends_print_differently_counts_as_the_same(read):
    page = """\
```pycon
>>> x = cg.array([[1.0, 0.123456789], [100.0, -2.0]])
>>> x
array([[ 1.00000000e+00,  1.23456789e-01],
       [ 1.00000000e+02, -2.00000000e+00]])
>>> x.sum()
np.float64(99.123456789)
>>> (x > 0).all()
np.False_
>>> x.shape, x[0].shape
((2, 2), (2,))
>>> x.dtype
dtype('float64')
>>> cg.array([1, 2]).max()
np.int64(2)
>>> cg.array([[[1.5]], [[3.0]]])
array([[[1.5]],
<BLANKLINE>
       [[3. ]]])
```
"""
    read(page=HEAD + page).assert_outcomes(passed=2)


MAKE = "```pycon\n>>> x = cg.array([1.0, 0.5]{})\n```\n\n"
SHOW = "```pycon\n>>> {}\n{}\n```\n"
SINGLE = ', dtype="float32"'


@pytest.mark.parametrize(
    ("made", "what", "shown", "fails"),
    [
        ("", "x", "array([1. , 0.5])", False),
        (SINGLE, "x", "array([1. , 0.5], dtype=float32)", False),
        ("", "x", "array([1. , 0.5], dtype=float32)", True),
        (SINGLE, "x", "array([1. , 0.5])", True),
        ("", "x.sum()", "np.float64(1.5)", False),
        (SINGLE, "x.sum()", "np.float32(1.5)", False),
        ("", "x.sum()", "np.float32(1.5)", True),
        (SINGLE, "x.sum()", "np.float64(1.5)", True),
        (SINGLE, "(x, x)", "(array([1., .5], dtype=float32), array([1., .5]))", True),
        ("", "(x, float(x[0]))", "(array([1., .5]), 1.0)", False),
        ("", "x.dtype", "dtype('float32')", True),
        ("", "cg.array([1, 2])", "array([1, 2])", False),
        ("", "cg.array([1, 2])", "array([1, 2], dtype=int32)", True),
        ("", "x > 0.7", "array([ True, False])", False),
        ("", "print(x)", "[1.  0.5]", False),
        ("", "print(x)", "[1.  0.6]", True),
        ("", "print(cg.array([[1, 2], [3, 4]]))", "[[1 2]\n [3 4]]", False),
        ("", "print(cg.array([[1, 2], [3, 4]]))", "[[1 2]\n [4 4]]", True),
        ("", "print(2, x)", "2 [1.  0.5]", False),
    ],
)
def test_an_array_has_the_dtype_that_the_page_shows(read, made, what, shown, fails):
    page = HEAD + MAKE.format(made) + SHOW.format(what, shown)
    both = {"failed": 2} if fails else {"passed": 2}
    read(page=page).assert_outcomes(**both)


def test_an_array_beside_a_number_of_python_keeps_its_dtype():
    want, got = "(array([1., .5]), np.float64(1.5))", "(tensor([1., .5]{}), 1.5)"
    checker = doctest_plugin.Checker(allows_other_numbers=True)
    same = checker.check_output
    assert same(want, got.format(", dtype=torch.float64"), FLOAT_CMP)
    assert not same(want, got.format(""), FLOAT_CMP)


def test_a_page_may_not_skip_while_it_runs(read):
    skip = "```pycon\n>>> import pytest\n>>> pytest.{}\n>>> 1\n2\n```\n"
    pages = {
        "skips": skip.format("skip('why not')"),
        "imports": skip.format("importorskip('nowhere')"),
    }
    result = read(**pages)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*skips.md: a page may not skip: why not*"])


def test_one_import_line_may_name_both_backends(read):
    page = """\
```pycon
>>> import chalkgrad.numpy as cg  # or: import chalkgrad.torch as cg
>>> type(cg.array([1.0])).__name__
'ndarray'
```
"""
    result = read(page=page)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED page.md::page.md[[]PyTorch]*"])


def test_a_block_that_needs_a_gpu_is_skipped_for_all_to_see(read, monkeypatch):
    monkeypatch.setattr(_reading, "has", lambda module: module != "cuda")
    block = (
        "<!-- doctest-requires:: torch, cuda -->\n```pycon\n>>> 1\n\n>>> 2\n3\n```\n"
    )
    after = "\n```pycon\n>>> 1 + 1\n3\n```\n"
    result = read(right=HEAD + block, wrong=HEAD + block + after)
    result.assert_outcomes(passed=2, skipped=4, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*wrong.md:24: DocTestFailure",
            "SKIPPED*right.md: line 16 needs cuda",
            "SKIPPED*wrong.md: line 16 needs cuda",
        ]
    )


@pytest.mark.parametrize(
    "line",
    [
        "<!-- doctest-skip:: -->",
        "<!-- doctest-skip-all -->",
        "<!-- doctest-requires:: scipy -->",
        "    >>> f()  # doctest: +SKIP",
        "    >>> f()  # doctest: +ELLIPSIS, +SKIP",
        "    >>> f()  # doctest: +IGNORE_OUTPUT",
        "    >>> f()  # doctest: +IGNORE_WARNINGS",
        "    >>> f()  # doctest: +REMOTE_DATA",
        "<!-- doctest-remote-data -->",
    ],
)
def test_nothing_else_may_be_skipped(read, line):
    result = read(page=HEAD + line + "\n```pycon\n>>> 1\n2\n```\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*page.md: line 15: *"])


def test_without_pytorch_its_reading_is_skipped_for_all_to_see(read, monkeypatch):
    monkeypatch.setattr(_reading, "has", lambda _: False)
    result = read(page=HEAD + "```pycon\n>>> 1 + 1\n2\n```\n")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*page.md: PyTorch is not installed"])


def test_another_device_reads_the_pytorch_tab_alone(read):
    page = HEAD + "```pycon\n>>> cg.array([1.0]).device.type\n'meta'\n```\n"
    result = read("--device=meta", page=page)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*only PyTorch computes on meta"])
    # What a reading sets, it sets back.
    assert repr(torch.tensor(1 / 3)) == "tensor(0.3333)"


def test_a_page_of_pytorchs_alone_is_read_on_another_device_too(read):
    page = "```pycon\n>>> import torch\n>>> torch.ones(1).device.type\n'cpu'\n```\n"
    read("--device=meta", page=page).assert_outcomes(passed=1)


# --- Other courses --------------------------------------------------------------------


@pytest.fixture
def course(read, pytester):
    """Run another course, which has the plugin as a file of its own."""
    shutil.copy(doctest_plugin.__file__, pytester.path)
    pytester.syspathinsert()

    def run(settings, *options, **pages):
        return read(*options, settings=settings, plugin="doctest_plugin", **pages)

    return run


PLAIN = """\
# Dictionaries

=== "Shell"

    ```console
    $ python
    ```

```python
>>> ages = {"Ada": 36}
>>> ages["Ada"]
36
```

1. In a list:

    ```python
    >>> sorted(ages)
    ['Ada']
    ```
"""


def test_a_course_without_tabs_is_run_once(course, pytester):
    asks = "\n<!-- doctest-requires:: {} -->\n```python\n>>> 1 + 1\n3\n```\n"
    result = course(
        "doctest_requirements = nowhere",
        "-v",
        right=PLAIN,
        wrong=PLAIN + asks.format("nowhere") + "```python\n>>> len(ages)\n2\n```\n",
    )
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["right.md::right.md PASSED*"])
    result.stdout.fnmatch_lines(["*wrong.md:28: DocTestFailure"])
    result.stdout.fnmatch_lines(["SKIPPED*wrong.md: line 23 needs nowhere"])
    (pytester.path / "right.md").unlink()
    (pytester.path / "wrong.md").unlink()
    result = course(
        "doctest_requirements = nowhere",
        refused=PLAIN + asks.format("torch"),
        hidden=PLAIN + "\n>>> len(ages)  # doctest: +SKIP\n2\n",
    )
    result.assert_outcomes(errors=2)
    out = result.stdout.str()
    assert "refused.md: line 22: a block may require nowhere only, not torch; " in out
    assert "hidden.md: line 22: a page may not say +SKIP." in out


JAX = """\
import numpy as np


class Array:
    def __init__(self, values):
        self.values = np.asarray(values, "float32")

    def __repr__(self):
        return repr(self.values).replace("array", "Array", 1)

    def sum(self):
        return float(self.values.sum())

asarray = Array
"""
LESSON = """\
# Arrays

```pycon
>>> import lesson.jax as xp  # or: import lesson.np as xp
>>> x = xp.asarray([1.0, 0.5])
>>> x
Array([1. , 0.5], dtype=float32)
```

=== "JAX"

    ```pycon
    >>> x.sum()
    1.5
    ```

=== "NumPy"

    ```pycon
    >>> x.sum()
    np.float32(1.5)
    ```
"""
TWO = """
            doctest_tabs =
                JAX: lesson.jax
                NumPy
            doctest_imports = import lesson.jax as xp  # or: import lesson.np as xp
"""


@pytest.fixture
def lesson(pytester):
    folder = pytester.mkpydir("lesson")
    folder.joinpath("jax.py").write_text(JAX)
    numpy = "import numpy\n\ndef asarray(x):\n    return numpy.array(x, 'float32')\n"
    folder.joinpath("np.py").write_text(numpy)
    return folder


def test_a_course_with_other_tabs_and_imports_is_run_for_each(course, lesson):
    result = course(
        TWO,
        right=LESSON,
        number=LESSON.replace("[1. , 0.5]", "[1. , 0.6]"),
        dtype=LESSON.replace("float32)\n```", "float64)\n```"),
        tab=LESSON.replace("float32(1.5)", "float32(2.5)"),
        plain=PLAIN,
    )
    result.assert_outcomes(passed=4, failed=5)
    out = result.stdout.str()
    for name, tabs in {
        "number": ("JAX", "NumPy"),
        "dtype": ("JAX", "NumPy"),
        "tab": ("NumPy",),
    }.items():
        for tab in ("JAX", "NumPy"):
            assert (f"FAILED {name}.md::{name}.md[{tab}]" in out) == (tab in tabs)


def test_a_course_whose_library_is_missing_says_so(course, lesson):
    lesson.joinpath("jax.py").unlink()
    result = course(TWO, right=LESSON, plain=PLAIN)
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*right.md: JAX is not installed"])


def test_an_import_line_has_a_statement_for_each_tab(course):
    result = course("doctest_tabs = NumPy\n" + TWO.split("NumPy\n")[1], right=PLAIN)
    err = result.stderr.str()
    assert "doctest_imports: 'import lesson.jax as xp  # or: import lesson.np" in err
    assert "each of the 1 tabs in doctest_tabs, divided by ' # or: ', got 2." in err
