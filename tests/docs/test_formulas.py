"""Formulas as MathML Core: what stops the build, and what is mended."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from chalkdocs import formulas
from chalkdocs.formulas import FormulaError, check, letters, mathml, mend, plain


def read(text):
    return ET.fromstring(f"<math>{text}</math>")


def test_a_script_of_a_function_is_one_child():
    """KaTeX writes the function, and a mark that is not shown, as two."""
    (script,) = ET.fromstring(mathml(r"\lambda_{\max}", display=False)).iter("msub")
    assert [child.tag for child in script] == ["mi", "mrow"]
    assert "".join(script[1].itertext()) == "max\u2061"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<msub><mi>x</mi></msub>", "<msub> takes 2 children, not 1"),
        (
            "<msup><mi>x</mi><mn>1</mn><mn>2</mn></msup>",
            "<msup> takes 2 children",
        ),
        (
            "<msubsup><mi>x</mi><mn>1</mn></msubsup>",
            "<msubsup> takes 3",
        ),
        ("<mfrac><mn>1</mn></mfrac>", "<mfrac> takes 2 children, not 1"),
        ("<mroot><mn>1</mn></mroot>", "<mroot> takes 2 children, not 1"),
        ("<munder><mo>∑</mo></munder>", "<munder> takes 2 children, not 1"),
        ("<mover><mi>x</mi></mover>", "<mover> takes 2 children, not 1"),
        ("<munderover><mo>∑</mo><mi>i</mi></munderover>", "takes 3 children, not 2"),
        ("<mtable><mtd><mi>x</mi></mtd></mtable>", "<mtable> holds <mtr> alone"),
        ("<mtable><mtr><mi>x</mi></mtr></mtable>", "<mtr> holds <mtd> alone"),
        ("<mi><mi>x</mi></mi>", "<mi> holds text alone, not <mi>"),
        ("<mrow>x</mrow>", "<mrow> holds the text 'x'"),
        ("<menclose><mi>x</mi></menclose>", "MathML Core has no <menclose>"),
        ('<mi mathvariant="bold">x</mi>', "no browser knows mathvariant='bold'"),
    ],
)
def test_mathml_that_is_not_well_formed_is_refused(text, reason):
    with pytest.raises(FormulaError, match="not well formed") as refused:
        check(read(text), "x")
    assert reason in str(refused.value)


def test_tex_that_leads_beyond_mathml_core_is_refused():
    with pytest.raises(FormulaError, match=r"'\\\\cancel\{x\}' is not well formed"):
        mathml(r"\cancel{x}", display=False)


@pytest.mark.parametrize(
    ("tex", "letter"),
    [
        (r"\mathbb{R}", "ℝ"),
        (r"\mathbb{E}", "𝔼"),
        (r"\mathcal{L}", "ℒ"),
        (r"\mathbf{w}", "𝐰"),
        (r"\boldsymbol{\beta}", "𝜷"),
        (r"\mathfrak{g}", "𝔤"),
    ],
)
def test_a_letter_in_a_style_is_a_letter_of_its_own(tex, letter):
    assert plain(tex) != letter
    assert letter in mathml(tex, display=False)


def signs(tex):
    """Return each operator of a formula with its attributes."""
    whole = ET.fromstring(mathml(tex, display=True))
    return [(sign.text, sign.attrib) for sign in whole.iter("mo")]


@pytest.mark.parametrize("tex", ["-g", "a = -g", "(-g)", r"(0,\ -g)", r"\frac{-g}{2}"])
def test_a_sign_that_joins_nothing_stands_close(tex):
    assert ("−", {"form": "prefix"}) in signs(tex)


@pytest.mark.parametrize("tex", ["a - g", "(a) - g", r"\lvert a \rvert - g", r"f' - g"])
def test_a_sign_that_joins_two_terms_keeps_its_space(tex):
    assert ("−", {}) in signs(tex)


def test_bars_and_dots_leave_no_space_and_a_condition_does():
    close = {"lspace": "0", "rspace": "0"}
    for sign, attributes in signs(r"\lVert g \rVert^2 + \cdots"):
        assert sign == "+" or attributes.items() >= close.items()
    assert signs(r"a \mid b") == [("∣", {})]


def test_operators_in_a_script_stand_close():
    assert signs("h_{l+1}") == [("+", {"lspace": "0", "rspace": "0"})]


def test_a_function_keeps_away_from_its_neighbours_but_not_from_a_bracket():
    def spaces(tex):
        return mathml(tex, display=True).count('<mspace width="0.1667em">')

    assert spaces(r"\log x") == spaces(r"\min_i t_i") == 1
    assert spaces(r"y \log x") == 2
    assert spaces(r"\log(x)") == spaces(r"\log\left(x\right)") == spaces(r"\log") == 0


def test_a_long_formula_in_a_line_may_be_broken_where_tex_breaks_it():
    out = mathml(r"\kappa = \lambda_{\max} + f(a, b + c) - 1", display=False)
    cut = ["".join(ET.fromstring(m).itertext()) for m in formulas.MATH.findall(out)]
    assert cut == ["κ=", "λmax\u2061+", "f(a,b+c)−", "1"]
    assert mathml("x = 1", display=False).count("<math>") == 1
    assert mathml("w_1 + w_2 + w_3 + w_4 + w_5 = 0", display=True).count("<math") == 1


def test_the_font_is_asked_for_the_letters_that_are_drawn():
    page = "<p>Zz</p>" + mathml(r"h = \sqrt{x}", display=True)
    assert letters(page) == set("hℎ=√x𝑥")


def test_a_mended_formula_needs_no_mending():
    once = ET.fromstring(
        mathml(r"-\log p_y + \min_i \lVert x_{i+1} \rVert", display=True)
    )
    before = ET.tostring(once)
    for element in once.iter():
        element[:] = [child for child in element if child.tag != "mspace"]
    mend(once)
    assert ET.tostring(once) == before


def test_python_ends_well_after_formulas_in_a_thread_that_has_ended():
    program = (
        "from threading import Thread; from chalkdocs.formulas import mathml\n"
        "def many():\n"
        "    for i in range(300): mathml(f'x_{i} + 1', display=True)\n"
        "one = Thread(target=many); one.start(); one.join()\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
