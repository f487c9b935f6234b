"""Finish a built site: what no engine gives a page, whichever engine built it.

``python -m chalkdocs.finish site`` changes the files in ``site`` and adds some:

- every page gets a Content-Security-Policy, for a host that sends no headers;
- the sections of the navigation get the names that they lack;
- every page asks for its fonts at once, and the font of formulas holds no letter that
  stands in no formula;
- every page says what to show beside a link to it, and there is a picture to show;
- the index of the search is fetched when somebody searches;
- ``404.html`` says what has happened, and leads on;
- ``llms.txt`` lists the pages, and ``llms-full.txt`` holds the lecture as Markdown.

A second run changes nothing.
"""

import base64
import hashlib
import html
import io
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import fontTools
import yaml
from fontTools import subset
from fontTools.ttLib import TTFont

from chalkdocs import artifacts, card, formulas
from chalkdocs.artifacts import CACHE
from chalkdocs.markdown import DOCS
from chalkdocs.sources import ROOT, digest

CARD = "assets/images/social.png"
FONTS = ("inter-latin-wght-normal", "jetbrains-mono-latin-wght-normal")
MATH_FONT = "stix-two-math-latin-400-normal"
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


def _found(what: re.Pattern[str], page: str) -> str:
    found = what.search(page)
    return html.unescape(found[1]).strip() if found else ""


def title(page: str, config: dict[str, Any]) -> str:
    """Return the title of a page, without the name of the site."""
    return _found(_TITLE, page).removesuffix(f" - {config['site_name']}")


def fonts(page: str, root: str) -> Iterator[str]:
    """Ask for the fonts of a page at once, not when the style sheet names them."""
    for name in (*FONTS, MATH_FONT) if formulas.MATH.search(page) else FONTS:
        font = f'href="{root}assets/fonts/{name}.woff2" as="font" type="font/woff2"'
        yield f'<link rel="preload" {font} crossorigin>'


def thinned(font: Path, letters: set[str]) -> bytes:
    """Return a font of formulas with these letters alone, in each of their sizes."""
    options = subset.Options(flavor="woff2", layout_features=[], hinting=False)
    # Without the time of day, the same site has the same bytes.
    with TTFont(font, recalcTimestamp=False) as drawn:
        fitted(drawn)
        thin = subset.Subsetter(options)
        thin.populate(unicodes=set(map(ord, letters)) & set(drawn.getBestCmap()))
        thin.subset(drawn)
        written = io.BytesIO()
        drawn.flavor = "woff2"
        drawn.save(written)
    return written.getvalue()


def kept(path: Path, make: Callable[[], bytes], *states: bytes) -> bytes:
    """Return what is made from some states, and make it only once."""
    ours = [fontTools.version.encode(), Path(__file__).read_bytes()]
    state = hashlib.sha256(b"".join([*ours, *states])).hexdigest()[:16]
    place = CACHE / "finish" / f"{path.stem}.{state}{path.suffix}"
    if not place.is_file():
        artifacts.keep(place, make())
    return place.read_bytes()


TALLEST = 2500  # thousandths of an em: a fraction of fractions in brackets


def fitted(font: TTFont) -> None:
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


def shared(page: str, config: dict[str, Any]) -> Iterator[str]:
    """Write what a page shows of itself where somebody shares its address."""
    here, home = _found(_CANONICAL, page), config["site_url"]
    if not here:  # a page for errors has no address
        return
    properties = {
        "og:type": "website" if here == home else "article",
        "og:site_name": config["site_name"],
        "og:title": title(page, config),
        "og:description": _found(_DESCRIPTION, page),
        "og:url": here,
        "og:image": home + CARD,
        "og:image:width": card.SIZE[0],
        "og:image:height": card.SIZE[1],
        "og:image:alt": card.ALT,
    }
    for name, value in properties.items():
        yield f'<meta property="{name}" content="{html.escape(str(value))}">'
    yield '<meta name="twitter:card" content="summary_large_image">'


# --- What others leave wrong ----------------------------------------------------------

_SECTION = re.compile(
    r'aria-labelledby="__nav_[\d_]+_label"([^>]*>\s*<label class="md-nav__title"[^>]*>'
    r"\s*<span[^>]*></span>)([^<]+)"
)


def mended(page: str) -> str:
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


def not_found(page: str, root: str, config: dict[str, Any]) -> str:
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


def early() -> str:
    """Return the script that every page runs before anything else, in one line."""
    lines = (DOCS / "assets/js/early.js").read_text("utf-8").splitlines()
    code = " ".join(line.strip() for line in lines if not line.startswith("//"))
    return f"<script data-early>{code}</script>"


# --- For programs that read -----------------------------------------------------------


def listed(nav: list[Any], section: str = "") -> Iterator[tuple[str, str]]:
    """Go through the navigation: the section and the source of each page."""
    for entry in nav:
        if isinstance(entry, str):
            yield section, entry
        else:
            for title, inside in entry.items():
                if isinstance(inside, str):
                    yield section, inside
                else:
                    yield from listed(inside, title)


def address(source: str) -> str:
    """Return where the page of a source is, from the root of the site."""
    path = PurePosixPath(source).with_suffix("")
    path = path.parent if path.name == "index" else path
    return f"{path}/".removeprefix("./")


def list_of_pages(site: Path, config: dict[str, Any]) -> str:
    """Write ``llms.txt``: a line for each page, in the order of the navigation."""
    lines = [f"# {config['site_name']}", f"> {config['site_description']}"]
    for section, group in groupby(listed(config["nav"]), key=lambda item: item[0]):
        lines.append(f"## {section or 'Start'}")
        entries = []
        for _, source in group:
            page = (site / address(source) / "index.html").read_text("utf-8")
            link = f"[{title(page, config)}]({config['site_url']}{address(source)})"
            entries.append(f"- {link}: {_found(_DESCRIPTION, page)}")
        lines.append("\n".join(entries))
    return "\n\n".join(lines) + "\n"


def full_text(docs: Path, config: dict[str, Any]) -> str:
    """Write ``llms-full.txt``: the lecture and its labs, as they were written."""
    sources = [source for _, source in listed(config["nav"])]
    lecture = [docs / source for source in sources if source.startswith(LECTURE)]
    return "\n".join(path.read_text("utf-8") for path in lecture)


# --- All of it ------------------------------------------------------------------------


def finish(site: Path, config: dict[str, Any], docs: Path) -> None:
    """Finish a built site."""
    home = config["site_url"]
    files = sorted(site.rglob("*.html"))
    texts = {path: mended(_OURS.sub("", path.read_text("utf-8"))) for path in files}
    missing = site / "404.html"
    texts[missing] = not_found(texts[missing], urlsplit(home).path, config)
    # The theme fetches a page and puts it in the place of the last one, whose policy
    # stays. So all pages have one policy.
    scripts = inline_scripts(early()).union(*map(inline_scripts, texts.values()))
    head = [f'<meta http-equiv="Content-Security-Policy" content="{policy(scripts)}">']
    head.append(early())
    for path, text in texts.items():
        if text.count(_CHARSET) != 1:
            raise SiteError(f"{path}: where is its {_CHARSET}?")
        up = "../" * (len(path.relative_to(site).parts) - 1)
        root = urlsplit(home).path if path == missing else up
        ours = "\n".join([_CHARSET, *head, *fonts(text, root), *shared(text, config)])
        path.write_text(text.replace(_CHARSET, ours), "utf-8")
    letters = set().union(*map(formulas.letters, texts.values()))
    words = "".join(sorted(letters)).encode()
    for font in site.glob(f"assets/fonts/{MATH_FONT}.woff2"):
        thin = partial(thinned, font, letters)
        font.write_bytes(kept(font, thin, font.read_bytes(), words))
    (site / "llms.txt").write_text(list_of_pages(site, config), "utf-8")
    (site / "llms-full.txt").write_text(full_text(docs, config), "utf-8")
    picture = site / CARD
    picture.parent.mkdir(parents=True, exist_ok=True)
    drawn = digest(Path(card.__file__)).encode()
    picture.write_bytes(kept(picture, card.draw, drawn))


if __name__ == "__main__":
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    finish(Path(sys.argv[1]), settings, DOCS)
