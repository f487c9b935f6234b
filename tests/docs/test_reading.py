"""The two readings of a page: what is wrong fails, wherever it stands."""

from textwrap import indent

import pytest
import torch  # before any page does: a second import of it in one process crashes

from chalkdocs import reading

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
    """Read pages with the plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(*options, **pages):
        pytester.makeconftest(
            'pytest_plugins = ["pytest_doctestplus.plugin", "chalkdocs.reading"]'
        )
        pytester.makeini(
            """
            [pytest]
            doctest_plus = enabled
            addopts = --doctest-glob=*.md --doctest-continue-on-failure -ra
            doctest_optionflags = NORMALIZE_WHITESPACE ELLIPSIS FLOAT_CMP
            doctest_plus_rtol = 1e-4
            filterwarnings = error
            """
        )
        for name, text in pages.items():
            pytester.path.joinpath(f"{name}.md").write_text(text)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return run


def test_a_right_page_passes_twice_under_names_that_tell_the_reading(read):
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
# What stands in one half's tab, however the tab is written.
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
    wrong = {name: (text, reading.HALVES) for name, text in WRONG_IN_BOTH.items()}
    for name, text in WRONG_IN_TAB.items():
        for half in reading.HALVES:
            wrong[f"{name}_{half}"] = text.format(half), (half,)
    pages = {name: HEAD + text for name, (text, _) in wrong.items()}
    result = read(**pages)
    failed = sum(len(halves) for _, halves in wrong.values())
    result.assert_outcomes(failed=failed, passed=2 * len(wrong) - failed)
    out = result.stdout.str()
    for name, (_, halves) in wrong.items():
        before, _, _ = pages[name].partition("# !")
        at = f"{name}.md:{before.count(chr(10)) + 1}: "
        assert f"{at}DocTestFailure" in out or f"{at}UnexpectedException" in out
        for half in reading.HALVES:
            assert (f"FAILED {name}.md::{name}.md[{half}]" in out) == (half in halves)


def test_what_both_halves_print_differently_counts_as_the_same(read):
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


def test_a_page_may_not_skip_while_it_runs(read):
    skip = "```pycon\n>>> import pytest\n>>> pytest.{}\n>>> 1\n2\n```\n"
    pages = {
        "skips": skip.format("skip('why not')"),
        "imports": skip.format("importorskip('nowhere')"),
    }
    result = read(**pages)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*skips.md: a page may not skip: why not*"])


def test_one_import_line_may_name_both_halves(read):
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
    monkeypatch.setattr(reading, "has", lambda module: module != "cuda")
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
    monkeypatch.setattr(reading, "has", lambda _: False)
    result = read(page=HEAD + "```pycon\n>>> 1 + 1\n2\n```\n")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*page.md: PyTorch is not installed"])


def test_another_device_reads_the_pytorch_half_alone(read):
    page = HEAD + "```pycon\n>>> cg.array([1.0]).device.type\n'meta'\n```\n"
    result = read("--device=meta", page=page)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*only PyTorch computes on meta"])
    # What a reading sets, it sets back.
    assert repr(torch.tensor(1 / 3)) == "tensor(0.3333)"
