"""Formulas: TeX becomes MathML while the site is built, and the browser sets it.

KaTeX reads the TeX. What it writes is brought to MathML Core, which every browser
knows: an element has as many children as it takes, and a letter in a style of its own
is the letter that Unicode has for it. A formula that does not parse, or that stays
beyond MathML Core, fails the build: otherwise only a reader would find it.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from markdown.treeprocessors import Treeprocessor
from py_mini_racer import JSEvalException, MiniRacer

from chalkdocs.page_errors import PageError, at

HERE = Path(__file__).parent
MATH = re.compile(r"<math\b.*?</math>", re.S)  # as this module writes it: never nested

# How many children an element takes; the others take any number, or none but text.
CHILDREN = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
    "semantics": 2,
}
TOKENS = {"mi", "mn", "mo", "ms", "mspace", "mtext", "annotation"}
# The sign of a root is as high as a capital letter, and would hang below a small one.
STRUT = {"height": "0.7em", "depth": "0.1em"}
ROWS = {"math", "mrow", "msqrt", "mstyle", "mpadded", "mphantom", "mtd"}
PARENTS = {"mtable": "mtr", "mtr": "mtd"}  # whose children are all of one kind

SCRIPTS = {"msub", "msup", "msubsup", "munder", "mover", "munderover"}
APPLY = "\u2061"  # where a function meets its argument: nothing is shown

# An inline formula of more letters than this may be broken as TeX breaks it: after a
# relation, a sign or a comma that stands in no brackets.
LONG = 10
RELATIONS = set("=≠<>≤≥≪≫≈≡∼≃≅∝∈→↦⇒⇔")
BREAKS = RELATIONS | set("+−±,")
SIGNS, DOTS, BARS = set("+−±∓"), set("…⋯"), set("∣∥")
OPEN, CLOSE = set("([{⟨⌊⌈"), set(")]}⟩⌋⌉")
ENDS = CLOSE | DOTS | BARS | {"′", "!"}  # after these, a sign joins two terms


class FormulaError(PageError):
    """A formula that the site can't show."""


@cache
def _engine() -> MiniRacer:
    """Start V8 with KaTeX, in a thread that lives as long as Python does.

    When Python ends it frees the engine, which crashes if the thread is gone that has
    made it; and Zensical builds pages in threads that end before.
    """
    made = Queue[MiniRacer]()

    def make() -> None:
        made.put(MiniRacer())
        Event().wait()

    Thread(target=make, daemon=True).start()
    engine = made.get()
    engine.eval((HERE / "katex/katex.min.js").read_text("utf-8"))
    return engine


def _read(tex: str, *, display: bool) -> Element:
    """Let KaTeX read a formula; return its MathML, as KaTeX writes it."""
    options = {"displayMode": display, "throwOnError": True, "output": "mathml"}
    try:
        written = str(_engine().call("katex.renderToString", tex, options))
    except JSEvalException as error:
        reason = str(error).partition("ParseError: ")[2].partition("\n")[0]
        raise FormulaError(f"the formula {tex!r} does not parse: {reason}") from None
    # The name space is the one that HTML gives the element anyway.
    written = written.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    found = ET.fromstring(written).find("math")
    assert found is not None
    return found


def letter_in_style(letter: str, variant: str) -> str:
    """Return the letter that Unicode has for a letter in a style: ``E``, double-struck.

    >>> (
    ...     letter_in_style("E", "double-struck"),
    ...     letter_in_style("Z", "script"),
    ...     letter_in_style("L", "script"),
    ... )
    ('𝔼', '𝒵', 'ℒ')
    """
    style = variant.upper().replace("-", " ").replace("DOUBLE ", "DOUBLE-")
    name = unicodedata.name(letter).replace("LETTER ", "")
    name = name.removeprefix("LATIN ").removeprefix("GREEK ")
    for candidate in (f"MATHEMATICAL {style} {name}", f"{style} {name}"):
        try:
            return unicodedata.lookup(candidate)
        except KeyError:
            continue
    raise FormulaError(f"Unicode has no letter {letter!r} in the style {variant!r}.")


def mend(formula: Element) -> None:
    """Bring what KaTeX writes to MathML Core, with the spaces that TeX leaves."""
    for element in list(formula.iter()):
        element.attrib.pop("separator", None)  # the browser's own table says so
        variant = element.get("mathvariant")
        if variant and (variant, element.tag) != ("normal", "mi"):
            del element.attrib["mathvariant"]
            if variant != "normal" and element.text:
                element.text = "".join(
                    letter_in_style(c, variant) for c in element.text
                )
        # A bar without an attribute is a relation, as in a | b.
        if element.text in DOTS or (element.text in BARS and element.attrib):
            _space(element)
        if element.tag == "msup" and element[-1].text == "′":
            element.tag = "mrow"  # the letter stands high, and is small, by itself
        if element.tag in SCRIPTS:
            _join_functions(element)
            for script in element[1:]:
                for sign in script.iter():
                    _space(sign)
        if element.tag in ROWS:
            _space_row(element)
        if element.tag == "msqrt" and element[0].tag != "mspace":
            element.insert(0, Element("mspace", STRUT))


def _join_functions(script: Element) -> None:
    """Make one child of a function and the mark that applies it: KaTeX writes two."""
    joined: list[Element] = []
    for child in script:
        if child.text == APPLY:
            row = Element("mrow")
            row.extend([joined.pop(), child])
            joined.append(row)
        else:
            joined.append(child)
    script[:] = joined


def _space(sign: Element) -> None:
    """Leave no space beside an operator; the browser asks only operators."""
    if sign.tag == "mo":
        sign.attrib |= {"lspace": "0", "rspace": "0"}


def _applies(element: Element | None) -> bool:
    """Tell whether something is a function, or the mark after one."""
    if element is None:
        return False
    if element.tag in SCRIPTS and element[0].tag == "mrow":
        return _applies(element[0][-1])
    return element.text == APPLY


def _opens(element: Element) -> bool:
    """Tell whether something begins with a bracket."""
    if element.tag == "mrow" and len(element):
        return _opens(element[0])
    return element.tag == "mo" and element.text in OPEN


def _space_row(row: Element) -> None:
    """Space a row as TeX does, where the browser's table of operators knows less."""
    spaced: list[Element] = []
    before: Element | None = None  # the last that is not mere space
    for place, element in enumerate(row):
        after = row[place + 1] if place + 1 < len(row) else None
        sign = element.text if element.tag == "mo" else None
        opens = before is None or (before.tag == "mo" and before.text not in ENDS)
        if sign in SIGNS and opens:
            element.set("form", "prefix")
        name = _applies(element) if element.tag in SCRIPTS else _applies(after)
        argument = _applies(before) and not (_opens(element) or sign)
        if (name and not opens and sign is None) or argument:
            spaced.append(Element("mspace", width="0.1667em"))
        spaced.append(element)
        if element.tag != "mspace" and not (element.text or "x").isspace():
            before = element
    row[:] = spaced


def check(formula: Element, tex: str) -> None:
    """Refuse what is not well formed: a browser would show it as an error, or bent."""

    def refuse(what: str) -> FormulaError:
        return FormulaError(f"the MathML of {tex!r} is not well formed: {what}.")

    for element in formula.iter():
        tag, count = element.tag, len(element)
        if tag in TOKENS and count:
            raise refuse(f"<{tag}> holds text alone, not <{element[0].tag}>")
        if tag in CHILDREN and count != CHILDREN[tag]:
            raise refuse(f"<{tag}> takes {CHILDREN[tag]} children, not {count}")
        if tag in PARENTS and {child.tag for child in element} != {PARENTS[tag]}:
            raise refuse(f"<{tag}> holds <{PARENTS[tag]}> alone")
        if tag not in TOKENS | ROWS | set(CHILDREN) | set(PARENTS):
            raise refuse(f"MathML Core has no <{tag}>")
        if tag not in TOKENS and (element.text or "").strip():
            raise refuse(f"<{tag}> holds the text {element.text!r}")
        if element.get("mathvariant", "normal") != "normal":
            raise refuse(f"no browser knows mathvariant={element.get('mathvariant')!r}")


def _serialize(element: Element) -> str:
    return ET.tostring(element, encoding="unicode", short_empty_elements=False)


def parts(row: list[Element]) -> Iterator[list[Element]]:
    """Cut a row where a line may end, and neither side is empty."""
    part: list[Element] = []
    depth = 0
    for place, element in enumerate(row, start=1):
        part.append(element)
        sign = element.text if element.tag == "mo" else None
        depth += (sign in OPEN) - (sign in CLOSE)
        if place == len(row) or (sign in BREAKS and depth == 0 and len(part) > 1):
            yield part
            part = []


@cache
def mathml(tex: str, *, display: bool) -> str:
    """Set a formula as MathML, with its TeX beside it for those who copy it.

    No browser breaks the line within a formula. So a long one in a line of text becomes
    several, one after the other.
    """
    whole = _read(tex, display=display)
    mend(whole)
    check(whole, tex)
    content = whole[0][0]  # of <semantics>; beside it stands the TeX
    if display or content.tag != "mrow" or len("".join(content.itertext())) <= LONG:
        return _serialize(whole)
    cut = []
    for part in parts(list(content)):
        cut.append(Element("math"))
        cut[-1].extend(part)
    return "".join(map(_serialize, cut)) if len(cut) > 1 else _serialize(whole)


def plain(tex: str) -> str:
    r"""Write a short formula in letters, for the table of contents.

    >>> plain(r"\sigma(z)")
    'σ(z)'
    """
    content = _read(tex, display=False)[0][0]
    return "".join(content.itertext()).replace(APPLY, "")


def letters(page: str) -> set[str]:
    """Return the letters that the formulas of a page are set with.

    A name of one letter is set in italics: the browser takes another letter for it.
    """
    found: set[str] = set()
    for written in MATH.findall(page):
        for element in ET.fromstring(written).iter():
            if element.tag in ("msqrt", "mroot"):
                found.add("√")
            if element.tag != "annotation":
                found.update(element.text or "")
    return found | {ITALIC[letter] for letter in found & set(ITALIC)}


# What MathML Core calls italic: https://www.w3.org/TR/mathml-core/#italic-mappings
ITALIC = {
    chr(int(unicodedata.decomposition(italic).split()[1], 16)): italic
    for italic in map(chr, [*range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C)])
    if unicodedata.decomposition(italic)
} | {"h": "ℎ"}


# --- On a page ------------------------------------------------------------------------

_ARITHMATEX = re.compile(
    r'<(span|div) class="arithmatex">\s*\\([(\[])(.*?)\\[)\]]\s*</\1>', re.S
)


def set_formulas(text: str, lines: list[str]) -> str:
    """Set what arithmatex has marked on a page whose Markdown is `lines`."""

    def formula(match: re.Match[str]) -> str:
        tag, opening, written = match.groups()
        tex = html.unescape(written).strip()
        with at(lines, tex.partition("\n")[0]):
            out = mathml(tex, display=opening == "[")
        return f'<{tag} class="arithmatex" data-search-exclude>{out}</{tag}>'

    return _ARITHMATEX.sub(formula, text)


class HeadingLabels(Treeprocessor):
    """Let a heading's formula be read in letters in the table of contents."""

    def run(self, root: Element) -> None:
        """Give each heading with a formula the label that the contents show."""
        for heading in root.iter():
            if re.fullmatch("h[1-6]", str(heading.tag)) and any(
                span.get("class") == "arithmatex" for span in heading.iter("span")
            ):
                text = "".join(heading.itertext())
                label = re.sub(r"\\\((.+?)\\\)", lambda tex: plain(tex[1]), text)
                heading.set("data-toc-label", label)
