"""Finish a built site: what no engine gives a page, whichever engine built it.

``python -m chalkdocs.postprocess site`` changes the files in ``site`` and adds some:

- every page gets a Content-Security-Policy, for a host that sends no headers;
- the sections of the navigation get the names that they lack;
- every page asks for its fonts at once, and these hold the letters that stand somewhere
  on the site, that of formulas those of formulas, the hand those of plain sentences;
- every page says what to show beside a link to it, and there is a picture to show;
- the index of the search is fetched when somebody searches;
- style sheets and scripts lose their comments, which only their writers read;
- ``404.html`` says what has happened, and leads on;
- ``llms.txt`` lists the pages, and ``llms-full.txt`` holds the lecture as Markdown.

A second run changes nothing.
"""

import base64
import hashlib
import html
import io
import re
import string
import sys
from collections.abc import Callable, Container, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fontTools
import yaml
from fontTools import subset
from fontTools.ttLib import TTFont

from chalkdocs import artifacts, claims, formulas, front_matter, social_card
from chalkdocs.artifacts import CACHE
from chalkdocs.navigation import address, walk_nav
from chalkdocs.sources import DOCS, ROOT, digest

CARD = "assets/images/social.png"
CARDS = "assets/images/cards/{}.png"  # of the pages that have one of their own
FONTS = (
    "inter-latin-wght-normal",
    "jetbrains-mono-latin-wght-normal",
    "patrick-hand-latin-400-normal",
)
HAND = FONTS[2]
MATH_FONT = "stix-two-math-latin-400-normal"
KEYS = string.printable  # what a reader may type
CHALK = string.ascii_letters + string.digits + " .,:;?!'()%-"  # what a hand may write
LECTURE = ("traditional-ml/", "perceptron/", "training/", "labs/")


class SiteError(ValueError):
    """The site is not as this module expects it."""


# --- What a page may load and run -----------------------------------------------------

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.S)
_POLICY = {
    "default-src": "'none'",
    # Python in the page is WebAssembly. Text is never run: there is no 'unsafe-eval'.
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self' blob:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self' data: blob:",
    # Formulas, figures and what the theme moves carry their style with them.
    "style-src": "'self' 'unsafe-inline'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "object-src": "'none'",
}


def inline_scripts(page: str) -> set[str]:
    """Return the scripts that stand in a page and that a browser would run."""
    scripts = _SCRIPT.findall(page)
    return {text for head, text in scripts if "src=" not in head and "json" not in head}


def policy(scripts: set[str]) -> str:
    """Write the policy that lets these scripts run, and none that somebody put in."""
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts)
    hashes = sorted(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests)
    parts = {**_POLICY, "script-src": " ".join([_POLICY["script-src"], *hashes])}
    return "; ".join(f"{name} {value}" for name, value in parts.items())


# --- The head of a page ---------------------------------------------------------------

_TITLE = re.compile(r"<title>(.*?)</title>", re.S)
_DESCRIPTION = re.compile(r'<meta name="description" content="([^"]*)">')
_CANONICAL = re.compile(r'<link rel="canonical" href="([^"]*)">')
_CHARSET = '<meta charset="utf-8">'
_OURS = re.compile(
    r'\n<(meta http-equiv="Content-Sec|link rel="preload"|script data-early|'
    r'meta property="og:|meta name="twitter:).*>'
)
# Firefox fetches what comes next before anybody asks; the policy has no word for that.
_NEXT = re.compile(r'\n\s*<link rel="next" href="[^"]*">')


def _first_match(what: re.Pattern[str], page: str) -> str:
    found = what.search(page)
    return html.unescape(found[1]).strip() if found else ""


def title(page: str, config: dict[str, Any]) -> str:
    """Return the title of a page, without the name of the site."""
    return _first_match(_TITLE, page).removesuffix(f" - {config['site_name']}")


def font_preloads(page: str, root: str) -> Iterator[str]:
    """Ask for the fonts of a page at once, not when the style sheet names them."""
    for name in (*FONTS, MATH_FONT) if formulas.MATH.search(page) else FONTS:
        font = f'href="{root}assets/fonts/{name}.woff2" as="font" type="font/woff2"'
        yield f'<link rel="preload" {font} crossorigin>'


def subset_font(font: Path, letters: set[str]) -> bytes:
    """Return a font with these letters alone; of formulas, in each of their sizes."""
    options = subset.Options(flavor="woff2", hinting=False)
    # Without the time of day, the same site has the same bytes.
    with TTFont(font, recalcTimestamp=False) as drawn:
        if font.stem == HAND:
            options.layout_features = ["kern"]
        if "MATH" in drawn:
            options.layout_features = []
            fit_math_font(drawn)
        thin = subset.Subsetter(options)
        thin.populate(unicodes=set(map(ord, letters)) & set(drawn.getBestCmap()))
        thin.subset(drawn)
        written = io.BytesIO()
        drawn.flavor = "woff2"
        drawn.save(written)
    return written.getvalue()


def make_once(path: Path, make: Callable[[], bytes], *states: bytes) -> bytes:
    """Return what is made from some states, and make it only once."""
    ours = [fontTools.version.encode(), Path(__file__).read_bytes()]
    state = hashlib.sha256(b"".join([*ours, *states])).hexdigest()[:16]
    place = CACHE / "finish" / f"{path.stem}.{state}{path.suffix}"
    if not place.is_file():
        artifacts.keep(place, make())
    return place.read_bytes()


TALLEST = 2500  # thousandths of an em: a fraction of fractions in brackets


def fit_math_font(font: TTFont) -> None:
    """Let a font of formulas fit text on a screen.

    Chromium leaves as much room for a root or a bracket as its widest size takes. So no
    size is taller than a page needs, and the roots are as wide as the least of them.
    """
    table = font["MATH"].table
    # Fractions in a line of text are as high as in TeX, and push no lines apart.
    table.MathConstants.FractionNumeratorShiftUp.Value = 394
    table.MathConstants.FractionDenominatorShiftDown.Value = 345
    for construction in table.MathVariants.VertGlyphConstruction:
        sizes = construction.MathGlyphVariantRecord
        kept = [size for size in sizes if size.AdvanceMeasurement <= TALLEST]
        construction.MathGlyphVariantRecord = kept
        construction.VariantCount = len(kept)
    root = font.getBestCmap()[ord("√")]
    place = table.MathVariants.VertGlyphCoverage.glyphs.index(root)
    width = font["hmtx"][root][0]
    construction = table.MathVariants.VertGlyphConstruction[place]
    construction.GlyphAssembly = None  # it is wider still
    for size in construction.MathGlyphVariantRecord:
        glyph = font["glyf"][size.VariantGlyph]
        share = width / font["hmtx"][size.VariantGlyph][0]
        glyph.coordinates.scale((share, 1))
        glyph.coordinates.toInt()
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][size.VariantGlyph] = (width, glyph.xMin)


def cards(docs: Path, config: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """Return title and verdicts of each page that judges claims, by address."""
    found = dict[str, tuple[str, list[str]]]()
    for _, source in walk_nav(config["nav"]):
        path = docs / source
        judged = front_matter.read(path.read_text("utf-8")).get("claims", [])
        if judged:
            done = claims.claim_blocks(docs)
            verdicts = [claims.split_condition(done[key].verdict)[0] for key in judged]
            found[address(source)] = front_matter.title(path), verdicts
    return found


def open_graph(
    page: str, config: dict[str, Any], own: Container[str] = ()
) -> Iterator[str]:
    """Write what a page shows of itself where somebody shares its address.

    The pages at the addresses `own` have a card of their own.
    """
    here, home = _first_match(_CANONICAL, page), config["site_url"]
    if not here:  # a page for errors has no address
        return
    where = here.removeprefix(home)
    card = CARDS.format(card_name(where)) if where in own else CARD
    properties = {
        "og:type": "website" if here == home else "article",
        "og:site_name": config["site_name"],
        "og:title": title(page, config),
        "og:description": _first_match(_DESCRIPTION, page),
        "og:url": here,
        "og:image": home + card,
        "og:image:width": social_card.SIZE[0],
        "og:image:height": social_card.SIZE[1],
        "og:image:alt": social_card.ALT,
    }
    for name, value in properties.items():
        yield f'<meta property="{name}" content="{html.escape(str(value))}">'
    yield '<meta name="twitter:card" content="summary_large_image">'


def card_name(where: str) -> str:
    """Return the name of the card of a page, from its address."""
    return where.strip("/").replace("/", ".")


# --- What others leave wrong ----------------------------------------------------------

_SECTION = re.compile(
    r'aria-labelledby="__nav_[\d_]+_label"([^>]*>\s*<label class="md-nav__title"[^>]*>'
    r"\s*<span[^>]*></span>)([^<]+)"
)


def fix_a11y(page: str) -> str:
    """Name each section of the navigation, which may have an empty label for a name.

    And let no key stop where there is nothing to do.
    """
    named = _SECTION.sub(
        lambda nav: f'aria-label="{nav[2].strip()}"{nav[1]}{nav[2]}', page
    )
    named = named.replace(' tabindex=""', "")  # the theme's: no number
    return named.replace('<a href="" id=', "<a id=")  # autorefs': a place, no link


# --- When there is no page ------------------------------------------------------------

_THEIRS = "<h1>404 - Not found</h1>"
_MISSING = """<h1>There is no page here</h1>
<p>The address may be mistyped, or the page may have moved.</p>
<p><a class="md-button md-button--primary" href="{0}?q=" target="_self">Search the
lecture</a>
<a class="md-button" href="{0}">Go to the first page</a></p>"""


def error_page(page: str, root: str, config: dict[str, Any]) -> str:
    """Say what has happened, and lead on.

    It is served for any address, of any depth: its links begin at the root of the host.
    The search opens where the browser loads a page: a target keeps the theme from
    putting it in the place of this one.
    """
    ours = _MISSING.format(root)
    if ours in page:
        return page
    if _THEIRS not in page:
        raise SiteError("404.html has another heading than the theme used to give it.")
    name = f"<title>Page not found - {config['site_name']}</title>"
    return _TITLE.sub(name, page.replace(_THEIRS, ours), count=1)


# --- Before the theme's script --------------------------------------------------------


def early_script() -> str:
    """Return the script that every page runs before anything else, in one line."""
    code = bare_script((DOCS / "assets/js/early.js").read_text("utf-8"))
    return f"<script data-early>{' '.join(code.splitlines())}</script>"


def bare_script(text: str) -> str:
    """Return a script without its indents and the comments that have a line."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and line[:2] != "//")


def bare_style(text: str) -> str:
    """Return a style sheet without its comments and indents: a third of its weight."""
    before, *others = text.split("/*")
    kept = before + "".join(other.partition("*/")[2] for other in others)
    lines = (line.strip() for line in kept.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


# --- For programs that read -----------------------------------------------------------


def list_of_pages(site: Path, config: dict[str, Any]) -> str:
    """Write ``llms.txt``: a line for each page, in the order of the navigation."""
    lines = [f"# {config['site_name']}", f"> {config['site_description']}"]
    for section, group in groupby(walk_nav(config["nav"]), key=lambda item: item[0]):
        lines.append(f"## {section or 'Start'}")
        entries = []
        for _, source in group:
            page = (site / address(source) / "index.html").read_text("utf-8")
            link = f"[{title(page, config)}]({config['site_url']}{address(source)})"
            entries.append(f"- {link}: {_first_match(_DESCRIPTION, page)}")
        lines.append("\n".join(entries))
    return "\n\n".join(lines) + "\n"


def full_text(docs: Path, config: dict[str, Any]) -> str:
    """Write ``llms-full.txt``: the lecture and its labs, as they were written."""
    sources = [source for _, source in walk_nav(config["nav"])]
    lecture = [docs / source for source in sources if source.startswith(LECTURE)]
    return "\n".join(path.read_text("utf-8") for path in lecture)


# --- All of it ------------------------------------------------------------------------


def postprocess(site: Path, config: dict[str, Any], docs: Path) -> None:
    """Finish a built site."""
    home = config["site_url"]
    files = sorted(site.rglob("*.html"))
    texts = {
        path: fix_a11y(_NEXT.sub("", _OURS.sub("", path.read_text("utf-8"))))
        for path in files
    }
    missing = site / "404.html"
    texts[missing] = error_page(texts[missing], urlsplit(home).path, config)
    # The theme fetches a page and puts it in the place of the last one, whose policy
    # stays. So all pages have one policy.
    scripts = inline_scripts(early_script()).union(*map(inline_scripts, texts.values()))
    own = cards(docs, config)
    head = [f'<meta http-equiv="Content-Security-Policy" content="{policy(scripts)}">']
    head.append(early_script())
    for path, text in texts.items():
        if text.count(_CHARSET) != 1:
            raise SiteError(f"{path}: where is its {_CHARSET}?")
        up = "../" * (len(path.relative_to(site).parts) - 1)
        root = urlsplit(home).path if path == missing else up
        ours = "\n".join(
            [
                _CHARSET,
                *head,
                *font_preloads(text, root),
                *open_graph(text, config, own),
            ]
        )
        path.write_text(text.replace(_CHARSET, ours), "utf-8")
    for sheet in site.glob("assets/css/*.css"):
        sheet.write_text(bare_style(sheet.read_text("utf-8")), "utf-8")
    for script in site.glob("assets/js/**/*.js"):
        script.write_text(bare_script(script.read_text("utf-8")), "utf-8")
    written = (path.read_text("utf-8") for path in site.glob("assets/js/**/*.js"))
    shown = map(html.unescape, texts.values())
    typed = {*KEYS, *"".join(shown), *"".join(written)}
    drawn = set().union(*map(formulas.letters, texts.values()))
    for font in sorted(site.glob("assets/fonts/*.woff2")):
        letters = {MATH_FONT: drawn, HAND: set(CHALK)}.get(font.stem, typed)
        words = "".join(sorted(letters)).encode()
        thin = partial(subset_font, font, letters)
        font.write_bytes(make_once(font, thin, font.read_bytes(), words))
    (site / "llms.txt").write_text(list_of_pages(site, config), "utf-8")
    (site / "llms-full.txt").write_text(full_text(docs, config), "utf-8")
    state = digest(Path(social_card.__file__)).encode()
    drawings = {CARD: ("", list[str]())}
    drawings |= {CARDS.format(card_name(where)): card for where, card in own.items()}
    for name, (heading, verdicts) in drawings.items():
        picture = site / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        make = partial(social_card.draw, heading, verdicts)
        states = state, heading.encode(), " ".join(verdicts).encode()
        picture.write_bytes(make_once(picture, make, *states))


if __name__ == "__main__":
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    postprocess(Path(sys.argv[1]), settings, DOCS)
