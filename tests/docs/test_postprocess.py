"""The last step of the build: the same for every page, once or twice."""

import base64
import hashlib
import io
import re
import struct

import pytest
from fontTools.ttLib import TTFont

from chalkdocs import postprocess, social_card
from chalkdocs.postprocess import CARD
from chalkdocs.sources import DOCS

CONFIG = {
    "site_name": "chalk",
    "site_url": "https://host.example/chalk/",
    "site_description": "What it is.",
    "nav": [
        {"Home": "index.md"},
        {"Walks": ["walks/index.md", {"Down": "walks/down.py"}]},
    ],
}
SCRIPTS = sorted((DOCS / "assets/js").rglob("*.js"))
PAGE = """<!doctype html>
<html><head>
<meta charset="utf-8">
<meta name="description" content="{what}">
{canonical}
<title>{title}</title>
<script>first = "{title}"</script>
</head><body>
<script id="__config" type="application/json">{{"base": "."}}</script>
<script src="bundle.js"></script>
<script>
second()
</script>
{text}
</body></html>
"""


@pytest.fixture
def site(tmp_path):
    """Build a small site, and the folder of its sources."""
    docs, site = tmp_path / "docs", tmp_path / "site"
    for source, title, what in [
        ("index.md", "chalk", "Begin."),
        ("walks/index.md", "All walks - chalk", "Each of them."),
        (
            "walks/down.py",
            "Down &amp; &quot;up&quot; - chalk",
            "&lt;b&gt; &quot;x&quot;.",
        ),
    ]:
        where = postprocess.address(source)
        page = site / where / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        link = f'<link rel="canonical" href="{CONFIG["site_url"]}{where}">'
        page.write_text(PAGE.format(what=what, canonical=link, title=title, text=""))
        (docs / source).parent.mkdir(parents=True, exist_ok=True)
        (docs / source).write_text(f"# {title}\n")
    lost = "<h1>404 - Not found</h1>"
    page = PAGE.format(what="", canonical="", title="chalk", text=lost)
    (site / "404.html").write_text(page)
    postprocess.postprocess(site, CONFIG, docs)
    return site


def read(site, path):
    return (site / path).read_text("utf-8")


def test_a_second_run_changes_nothing(site):
    before = {p: p.read_bytes() for p in site.rglob("*") if p.is_file()}
    postprocess.postprocess(site, CONFIG, site.parent / "docs")
    assert {p: p.read_bytes() for p in site.rglob("*") if p.is_file()} == before


def test_the_policy_stands_before_all_that_it_governs(site):
    for path in ("index.html", "walks/down/index.html", "404.html"):
        head = read(site, path)
        assert head.count("Content-Security-Policy") == 1
        before = head[: head.index("Content-Security-Policy")]
        assert re.findall(r"<(\w+)", before) == ["html", "head", "meta", "meta"]


def test_all_pages_allow_the_scripts_of_all_pages_and_no_others(site):
    policies = {
        re.search(r'Policy" content="(.*?)"', p.read_text("utf-8"))[1]
        for p in site.rglob("*.html")
    }
    assert len(policies) == 1
    rules = dict(part.split(" ", 1) for part in policies.pop().split("; "))
    scripts = ['first = "chalk"', 'first = "All walks - chalk"', "\nsecond()\n"]
    scripts.append('first = "Down &amp; &quot;up&quot; - chalk"')
    scripts += re.findall(r"<script data-early>(.*)</script>", read(site, "index.html"))
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    }
    assert set(rules["script-src"].split()) == {"'self'", "'wasm-unsafe-eval'", *hashes}
    assert rules["default-src"] == rules["object-src"] == rules["base-uri"] == "'none'"
    assert "unsafe-inline" not in rules["script-src"]
    assert "http" not in " ".join(rules.values())


def test_every_page_asks_for_the_fonts_where_they_are(site):
    for path, root in [
        ("index.html", ""),
        ("walks/down/index.html", "../../"),
        ("404.html", "/chalk/"),
    ]:
        asked = re.findall(r'rel="preload" href="(.*?)"', read(site, path))
        assert asked == [
            f"{root}assets/fonts/{name}.woff2" for name in postprocess.FONTS
        ]
    *_, formulas = postprocess.font_preloads("<math><mi>x</mi></math>", "")
    assert (
        f'rel="preload" href="assets/fonts/{postprocess.MATH_FONT}.woff2"' in formulas
    )
    for name in (*postprocess.FONTS, postprocess.MATH_FONT):
        assert (DOCS / f"assets/fonts/{name}.woff2").is_file()


def test_a_shared_link_shows_the_title_and_the_description(site):
    page = read(site, "walks/down/index.html")
    told = dict(re.findall(r'<meta property="og:(\S+)" content="(.*)">', page))
    assert told["title"] == "Down &amp; &quot;up&quot;"
    assert told["description"] == "&lt;b&gt; &quot;x&quot;."
    assert told["url"] == "https://host.example/chalk/walks/down/"
    assert told["image"] == "https://host.example/chalk/assets/images/social.png"
    assert told["type"] == "article"
    assert 'og:type" content="website"' in read(site, "index.html")
    assert "og:" not in read(site, "404.html")


def test_a_style_sheet_keeps_every_rule_and_no_comment():
    written = (DOCS / "assets/css/chalk.css").read_text("utf-8")
    bare = postprocess.bare_style(written)
    assert postprocess.bare_style("/* a */ b {\n  c: d; /* e\n */\n}\n") == (
        "b {\nc: d;\n}\n"
    )
    assert "/*" not in bare
    assert "*/" not in bare
    for mark in "{};":
        comments = re.findall(r"/\*.*?\*/", written, re.S)
        told = sum(comment.count(mark) for comment in comments)
        assert bare.count(mark) == written.count(mark) - told
    assert postprocess.bare_style(bare) == bare


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_loses_its_comments_and_nothing_else(path):
    written = path.read_text("utf-8")
    bare = postprocess.bare_script(written)
    assert postprocess.bare_script(bare) == bare
    # A text over several lines would lose its indents.
    assert not [line for line in written.splitlines() if line.count("`") % 2]
    code = [line.strip() for line in written.splitlines()]
    assert bare.splitlines() == [
        line for line in code if line and not line.startswith("//")
    ]


def test_a_page_that_settles_claims_has_a_card_of_its_own(tmp_path):
    (tmp_path / "walks").mkdir()
    block = '!!! claim "{}"\n    ```pycon\n    >>> 1 + 1\n    2\n    ```\n\n'
    block += "    *Evidence:* one sum. Not tested: others.\n\n"
    titles = "G1 · holds if the step is short", "P5 · fails as stated"
    front = "---\nclaims: [G1, P5]\n---\n# Down & up\n\n"
    page = front + "".join(map(block.format, titles))
    (tmp_path / "walks/down.md").write_text(page)
    config = {**CONFIG, "nav": [{"Walks": ["walks/down.md"]}]}
    own = postprocess.cards(tmp_path, config)
    verdicts = ["holds if", "fails as stated"]
    assert own == {"walks/down/": ("Down & up", verdicts)}
    link = f'<link rel="canonical" href="{CONFIG["site_url"]}walks/down/">'
    told = "".join(postprocess.open_graph(link, config, own))
    assert f'{CONFIG["site_url"]}assets/images/cards/walks.down.png"' in told
    assert CARD not in told
    drawn = social_card.draw("Down & up", verdicts)
    assert struct.unpack(">II", drawn[16:24]) == social_card.SIZE
    assert drawn != social_card.draw()


def test_the_card_has_the_size_that_the_pages_promise(site):
    picture = (site / postprocess.CARD).read_bytes()
    assert struct.unpack(">II", picture[16:24]) == (1200, 630)
    assert len(picture) < 200_000


def test_an_address_without_a_page_leads_on_from_any_depth(site):
    page = read(site, "404.html")
    assert "<h1>There is no page here</h1>" in page
    assert "<title>Page not found - chalk</title>" in page
    links = re.findall(r'<a [^>]*href="(.*?)"', page)
    assert links == ["/chalk/?q=", "/chalk/"]


def test_a_theme_that_changes_its_404_is_noticed(site):
    page = read(site, "404.html").replace("There is no page here", "Oh")
    (site / "404.html").write_text(page)
    with pytest.raises(postprocess.SiteError, match="another heading"):
        postprocess.postprocess(site, CONFIG, site.parent / "docs")


def test_a_page_without_a_known_head_is_noticed(site):
    (site / "walks/x.html").write_text("<html></html>")
    with pytest.raises(postprocess.SiteError, match=r"x\.html"):
        postprocess.postprocess(site, CONFIG, site.parent / "docs")


def test_every_section_of_the_navigation_has_a_name():
    before = """<nav class="md-nav" aria-labelledby="__nav_5_label" data-md-level="1">
      <label class="md-nav__title" for="__nav_5" tabindex="">
        <span class="md-nav__icon md-icon"></span>
        Labs &amp; more
      </label>"""
    after = postprocess.fix_a11y(before)
    assert '<nav class="md-nav" aria-label="Labs &amp; more" data-md-level' in after
    assert "tabindex" not in after
    assert after.count("Labs") == 2
    assert postprocess.fix_a11y(after) == after


def test_a_place_in_a_page_is_no_link():
    assert postprocess.fix_a11y('<a href="" id="x"></a>') == '<a id="x"></a>'


def test_every_page_begins_with_what_must_run_before_the_theme(site):
    for path in ("index.html", "walks/down/index.html", "404.html"):
        page = read(site, path)
        (code,) = re.findall(r"<script data-early>(.*)</script>", page)
        assert 'classList.replace("no-js", "js");' in code
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page


def test_programs_find_the_pages_in_the_order_of_the_navigation(site):
    assert (
        read(site, "llms.txt")
        == """# chalk

> What it is.

## Start

- [chalk](https://host.example/chalk/): Begin.

## Walks

- [All walks](https://host.example/chalk/walks/): Each of them.
- [Down & "up"](https://host.example/chalk/walks/down/): <b> "x".
"""
    )


def test_programs_find_the_lecture_in_one_file(site, monkeypatch):
    monkeypatch.setattr(postprocess, "LECTURE", ("walks/",))
    postprocess.postprocess(site, CONFIG, site.parent / "docs")
    assert read(site, "llms-full.txt").count("# ") == 2


FONT = DOCS / f"assets/fonts/{postprocess.MATH_FONT}.woff2"


def test_the_font_of_formulas_keeps_their_letters_alone():
    thin = postprocess.subset_font(FONT, set("2x∇漢"))
    with TTFont(io.BytesIO(thin)) as kept:
        assert set(kept.getBestCmap()) == set(map(ord, "2x∇"))  # STIX has no 漢
    assert len(thin) < FONT.stat().st_size / 10
    assert thin == postprocess.subset_font(FONT, set("2x∇"))


def test_the_font_of_formulas_keeps_every_size_that_a_page_needs():
    with TTFont(io.BytesIO(postprocess.subset_font(FONT, set("√({∑⏟")))) as kept:
        table, letters = kept["MATH"].table.MathVariants, kept.getBestCmap()
        widths = {name: advance for name, (advance, _) in kept["hmtx"].metrics.items()}
    tall = dict(
        zip(table.VertGlyphCoverage.glyphs, table.VertGlyphConstruction, strict=True)
    )
    assert letters[ord("⏟")] in table.HorizGlyphCoverage.glyphs
    sizes = {
        c: [size.VariantGlyph for size in tall[letters[ord(c)]].MathGlyphVariantRecord]
        for c in "√({∑"
    }
    assert {c: len(names) > 1 for c, names in sizes.items()} == dict.fromkeys(
        sizes, True
    )
    # Chromium leaves the room of the widest: behind a root it would be a gap.
    assert len({widths[name] for name in sizes["√"]}) == 1
    assert tall[letters[ord("√")]].GlyphAssembly is None
    assert tall[letters[ord("{")]].GlyphAssembly.PartCount > 1


def test_what_is_made_from_the_same_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setattr(postprocess, "CACHE", tmp_path)
    made = []

    def make():
        made.append(1)
        return bytes(made)

    path = postprocess.Path("a.woff2")
    assert (
        postprocess.make_once(path, make, b"x")
        == postprocess.make_once(path, make, b"x")
        == b"\1"
    )
    assert postprocess.make_once(path, make, b"y") == b"\1\1"
    assert len(list(tmp_path.rglob("*.woff2"))) == 1
