"""The first page: a bowl on the board, doors, a vote, and the way through the lecture.

All of it is drawn in the page and there without scripts; ``home.js`` wakes the bowl.
"""

import html
import json
from typing import Any

import numpy as np

import chalkgrad.numpy as cg
from chalkdocs import front_matter, navigation
from chalkdocs.claims import claim_blocks, claims
from chalkdocs.directives import directive
from chalkdocs.ledger import (
    ANSWERS,
    HOME,
    LEDGER,
    chapters,
    name,
    plural,
    sentence,
    stamp,
    target,
)
from chalkdocs.sources import DOCS

SIZE = 600, 380  # of the picture, in its own units
SCALE = 118  # units of the picture for one of a weight
START, RATE, STEPS = (2.0, 1.0), 0.19, 40
RATES = 0.01, 0.25
REACH = 2.45, 1.5  # how far from the middle the ball may be put
LABEL = (
    "A bowl seen from above: contour lines, and a walk downhill from the white ball."
)
BALL = "Where the walk starts; arrow keys move it"
VOTE = "R2"  # the statement that a reader is asked about


@directive("home bowl")
def bowl() -> str:
    """Draw the bowl seen from above, and gradient descent from the ball down."""
    problem = cg.experiments.quadratic(10)
    curvature = problem.grad(cg.array([1.0, 1.0]))
    limit = 2 / curvature.max()
    sgd = {"sgd": cg.optimizers.sgd(RATE)}
    walk = cg.experiments.compare_optimizers(
        problem, sgd, steps=STEPS, start=np.array(START)
    )
    middle = np.array(SIZE) / 2
    places = middle + SCALE * walk["sgd"].w * [1, -1]
    left = np.linalg.norm(walk["sgd"].w[-1]) / np.linalg.norm(START)
    rings = []
    for i, height in enumerate(np.geomspace(0.1, 14, 8)):
        rx, ry = SCALE * np.sqrt(2 * height / curvature)
        # No ring that is drawn by hand lies quite level.
        turn = f"rotate({(-1) ** i * 0.4} {middle[0]:g} {middle[1]:g})"
        shape = f'cx="{middle[0]:g}" cy="{middle[1]:g}" rx="{rx:.0f}" ry="{ry:.0f}"'
        rings += [
            f'<ellipse class="{chalk}" {shape} transform="{turn}"/>'
            for chalk in ("ring", "grain")
        ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in places[1:])
    given: dict[str, Any] = {
        "curvature": curvature.tolist(),
        "steps": STEPS,
        "scale": SCALE,
        "middle": middle.tolist(),
        "reach": REACH,
    }
    share = (limit - RATES[0]) / (RATES[1] - RATES[0])
    x, y = places[0]
    return f"""\
<div class="bowl" data-script="home" data-given="{html.escape(json.dumps(given))}">
<svg viewBox="0 0 {SIZE[0]} {SIZE[1]}" role="group" aria-label="{LABEL}">
<g>{"".join(rings)}</g>
<path class="stroke" d="M293 190h14m-7-7v14"/>
<polyline class="walk" points="{line}"/><g class="steps">{dots}</g>
<g class="hint" aria-hidden="true"><text x="396" y="28">drag the ball</text>\
<path class="stroke" d="M498 26c14 3 22 12 26 26m-9-6 9 7 4-10"/></g>
<g class="ball" tabindex="0" role="slider" aria-label="{BALL}" \
aria-valuemin="{-REACH[0]}" aria-valuemax="{REACH[0]}" aria-valuenow="{START[0]:g}" \
aria-valuetext="w₁ {START[0]:g}, w₂ {START[1]:g}" data-start="{list(START)}" \
transform="translate({x:g} {y:g})"><circle r="30" fill="transparent"/>\
<circle class="halo" r="17"/><circle class="dot" r="11"/></g>
</svg>
<div class="bowl-foot" style="--limit: {share:.3f}">
<label>Step size η <b>{RATE:g}</b><input type="range" min="{RATES[0]}" \
max="{RATES[1]}" step="0.005" value="{RATE:g}"><span class="limit">limit \
{limit:g}</span></label>
<output>It bounces from wall to wall, and arrives: {100 * left:.3g} % of the \
distance is left.</output>
</div>
</div>"""


@directive("home doors")
def doors() -> str:
    """Write the ways in; that to the judge, when its page is in the navigation."""
    judge = "how-to/judge.md"
    ways = [
        ("Read", "from one neuron on", "perceptron/neuron.md"),
        ("Run", "code, in the page", "training/gradient-descent.md"),
    ]
    if judge in (source for _, source in navigation.pages()):
        ways.append(("Judge yours", "your own code", judge))
    else:
        ways.append(("Guess", plural(len(claims()), "statement"), LEDGER.as_posix()))
    links = [f"[**{what}** <span>{how}</span>]({where})" for what, how, where in ways]
    return "\n".join(['<div class="doors" markdown="1">', *links, "</div>"])


@directive("home vote")
def vote() -> str:
    """Ask about one statement of the deck, and let its experiment answer."""
    block = claim_blocks(DOCS)[VOTE]
    choices = "\n".join(
        f'<label><input type="radio" name="vote" value="{name(each)}">{words}</label>'
        for each, words in ANSWERS.items()
    )
    others = len(claims()) - 1
    return f"""\
<section class="vote" aria-label="A statement to judge" markdown="1">
<div class="board" markdown="1">
<p class="topic">A slide says</p>
<p class="deck" markdown="span">{claims()[VOTE].statement}</p>
</div>
<div markdown="1">
<fieldset><legend>Does it hold?</legend>
{choices}
</fieldset>
<div class="answer" markdown="1">
<p class="before">Say something first. Then the experiment answers.</p>
<div class="after" markdown="1">
<p>{stamp(block.verdict, sentence(block.verdict))}</p>
<p markdown="span">[Run the experiment]({target(block, HOME)}) · \
[Judge the other {others}]({LEDGER.as_posix()})</p>
</div>
</div>
</div>
</section>"""


@directive("home way")
def way() -> str:
    """Draw how many statements are left to believe, from chapter to chapter."""
    lecture = chapters(DOCS)
    left = [len(claims())]
    for chapter in lecture:
        left.append(left[-1] - len(chapter.claims))
    across = np.linspace(6, 1202, len(left))
    down = 24 + 118 * (1 - np.array(left) / left[0])
    curve = f"M{across[0]:g} {down[0]:.0f}"
    marks = []
    for i, (x, y) in enumerate(zip(across, down, strict=True)):
        if i:
            bend = (across[i] - across[i - 1]) * 0.45
            curve += f"C{across[i - 1] + bend:.0f} {down[i - 1]:.0f} "
            curve += f"{x - bend:.0f} {y:.0f} {x:.0f} {y:.0f}"
        side, anchor = (12, "start") if i < len(left) - 1 else (-12, "end")
        marks.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5.5"/>'
            f'<text class="big" x="{x + side:.0f}" y="{y - 8:.0f}" '
            f'text-anchor="{anchor}">{left[i]}</text>'
        )
    steps = []
    for chapter in lecture:
        pages = (page for page in chapter.pages if not page.startswith("reference/"))
        links = (f"    - [{front_matter.title(DOCS / page)}]({page})" for page in pages)
        tests = f"judges {len(chapter.claims)}"
        head = f"1.  **{chapter.title}** <small>{tests}</small>"
        steps.append("\n".join([head, "", f"    {chapter.about}", "", *links]))
    each = "\n\n".join(steps)
    counts = ", ".join(map(str, left))
    return f"""\
<div class="way" markdown="1">
<svg viewBox="0 0 1208 150" role="img" aria-label="A falling curve of the statements \
still to be believed, chapter by chapter: {counts}.">
<path class="area" d="{curve}V150H6Z"/><path class="line" d="{curve}"/>{"".join(marks)}
<text x="48" y="15">statements to be believed</text></svg>

{each}

</div>"""
