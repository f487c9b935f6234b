"""What the copy buttons give, at a prompt and elsewhere."""

import ast
import code
import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from chalkdocs import snippets
from chalkdocs.snippets import code_for_prompt

BODIES = [
    "log.append({0})",
    "log.append({0})\n\n\nlog.append(-{0})",
    "# why\nlog.append({0})\n",
    'log.append("""\n\n  {0}\n""")',
    "if log:\n    log.append({0})\n\nelse:\n\n    log.append(1)",
    "log.append(\n    {0}\n\n)\n# at the end",
    "try:\n    log.append({0})\n\n    1 / 0\n\nexcept ZeroDivisionError:\n    pass",
]
HEADS = [
    "",
    "if True:",
    "for i in [1, 2]:",
    "while len(log) < {1}:",
    "with null():",
    "def f():",
    "async def f():",
    "@str\n@same\ndef g(\n    a=1,\n\n    b=2,\n):",
    "class C:",
    "match {0}:\n\n  case {0}:",
]
BETWEEN = ["\n", "\n\n", "\n\n\n", "\n# a word\n", "\n\n# a word\n\n"]


def shifted(text):
    return "".join(
        line if line in ("\n", "") else f"    {line}"
        for line in text.splitlines(keepends=True)
    )


@st.composite
def programs(draw):
    """Draw a program of some statements, as people write them."""
    text = ""
    for number in range(draw(st.integers(1, 5))):
        head, body = draw(st.sampled_from(HEADS)), draw(st.sampled_from(BODIES))
        part = f"{head}\n{shifted(body)}" if head else body
        part = part.replace("{0}", str(number)).replace("{1}", str(2 * number))
        text += part.rstrip("\n") + draw(st.sampled_from(BETWEEN))
    return text


def names():
    return {"log": [], "null": contextlib.nullcontext, "same": lambda x: x, "str": str}


def pasted(text):
    """Paste a text at a prompt, press Enter; return the names and what went wrong."""
    console = code.InteractiveConsole(names())
    with (
        contextlib.redirect_stderr(io.StringIO()) as wrong,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        waits = [console.push(line) for line in f"{text}\n".split("\n")[:-1]]
    return console.locals, wrong.getvalue(), waits[-1]


@given(programs())
def test_what_is_copied_is_the_same_program_everywhere(program):
    text = code_for_prompt(program)
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(program))
    wanted = names()
    exec(program, wanted)
    at_prompt, wrong, waits = pasted(text)
    assert (at_prompt["log"], wrong, waits) == (wanted["log"], "", False)
    in_notebook = names()
    exec(TransformerManager().transform_cell(text), in_notebook)
    assert in_notebook["log"] == wanted["log"]


def test_an_empty_line_in_a_text_in_quotes_stays():
    text = 'def f():\n    return """a\n\nb"""'
    assert code_for_prompt(text) == f"{text}\n"


@pytest.mark.parametrize("text", ["", "x = 1", "x = 1\n\n\ny = 2", "# only a word"])
def test_code_without_blocks_stays_as_it_is(text):
    assert code_for_prompt(text) == text


def test_what_goes_on_from_a_snippet_of_elsewhere_is_marked():
    here = snippets._Here()
    assert not here.lacks_names("import chalkgrad.numpy as cg")
    assert not here.lacks_names("import chalkgrad.torch as cg")  # of the other tab
    assert not here.lacks_names("x = cg.ones(3)")
    assert not here.lacks_names("from torch.nn import Linear\nmodel = Linear(1, 1)")
    assert here.lacks_names("y = model(x)")
    assert here.lacks_names("print(y)")
    assert not here.lacks_names("y = x\ny")
    assert not here.lacks_names("print(y)")
