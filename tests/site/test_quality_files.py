"""The files of the built site, read without a browser."""

import html
import json
import re
import subprocess
from urllib.parse import unquote, urljoin, urlsplit

from .conftest import SITE

PAGES = {
    "/" + path.relative_to(SITE).as_posix().removesuffix("index.html"): path
    for path in sorted(SITE.rglob("*.html"))
}
ROOT = "/chalkgrad"  # where the site will be

# What html-validate says of the theme's own lines, and why it may stand.
EXCEPTIONS = [
    (
        "valid-autocomplete",
        r'<input class="md-toggle" .*autocomplete="off">',
        "Firefox would keep the drawer open over a reload",
    ),
    (
        "input-missing-label",
        r'<input class="md-\w+ ?[^>]*type="checkbox" id="__(drawer|search|toc)"',
        "a switch that is never shown; its label is a picture",
    ),
    (
        "wcag/h32",
        r'<form class="md-(header__option|search__form)"',
        "nothing is sent: what is typed or chosen counts at once",
    ),
]


def ids(text):
    return {html.unescape(i) for i in re.findall(r'\s(?:id|name)="([^"]+)"', text)}


def test_every_link_leads_to_a_page_and_to_a_place_in_it():
    texts = {address: path.read_text("utf-8") for address, path in PAGES.items()}
    places = {address: ids(text) for address, text in texts.items()}
    lost = set()
    for address, text in texts.items():
        tags = re.sub(r"<script\b.*?</script>|<!--.*?-->", "", text, flags=re.S)
        for link in set(re.findall(r'<[^>]*?\s(?:href|src)="([^"]*)"', tags)):
            target = urlsplit(
                urljoin(f"http://site{ROOT}{address}", html.unescape(link))
            )
            if target.netloc != "site":
                continue
            path = unquote(target.path).removeprefix(ROOT)
            place = unquote(target.fragment)
            if path in places:
                found = not place or place in places[path]
            else:
                found = (SITE / path.removeprefix("/")).is_file()
            if not found or not target.path.startswith(f"{ROOT}/"):
                lost.add(f"{address} -> {link}")
    assert len(texts) > 50
    assert lost == set()


def test_html_validate_finds_only_what_the_theme_must_answer_for(
    node_modules, tmp_path
):
    told = subprocess.run(
        [
            "node",
            node_modules / "html-validate/bin/html-validate.mjs",
            "--preset=standard,a11y,document",
            "--rule=require-sri:off",  # it is for files of other hosts: we have none
            f"--formatter=json={tmp_path}/told.json",
            *PAGES.values(),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.stderr == ""
    seen, troubles = set(), []
    for file in json.loads((tmp_path / "told.json").read_text("utf-8")):
        lines = file["source"].splitlines()
        for message in file["messages"]:
            line = lines[message["line"] - 1]
            for rule, pattern, _ in EXCEPTIONS:
                if message["ruleId"] == rule and re.search(pattern, line):
                    seen.add(rule)
                    break
            else:
                where = f"{file['filePath']}:{message['line']}"
                troubles.append(f"{where} {message['ruleId']}: {message['message']}")
    assert troubles == []
    assert seen == {rule for rule, _, _ in EXCEPTIONS}, "an exception is needed no more"
