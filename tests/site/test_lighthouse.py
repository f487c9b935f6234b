"""What Lighthouse thinks of a page. Slow, and a busy machine makes it slower still."""

import json
import os
import shutil
import statistics
import subprocess

import pytest

from .conftest import missing

PAGES = {"home": "/", "chapter": "/training/gradient-descent/", "lab": "/labs/digits/"}
CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]
LEAST = 95
TRIES = 3  # the middle one counts: the first on a busy machine says little


def scores(url, device, node_modules, chrome):
    """Let Lighthouse visit a page; return its four scores, of 100."""
    told = subprocess.run(
        [
            *("node", node_modules / "lighthouse/cli/index.js", url, "--quiet"),
            *("--output=json", f"--only-categories={','.join(CATEGORIES)}"),
            "--chrome-flags=--headless=new --no-sandbox",
            *(["--preset=desktop"] if device == "desk" else []),
        ],
        env={**os.environ, "CHROME_PATH": chrome},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["categories"]
    return {name: round(100 * found[name]["score"]) for name in CATEGORIES}


@pytest.mark.parametrize("device", ["desk", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_lighthouse_gives_every_page_95_or_more(base, node_modules, name, device):
    chrome = shutil.which("chromium") or shutil.which("google-chrome")
    if chrome is None:
        missing("no chromium on this machine: Lighthouse was not run")
    tries = []
    while len(tries) < TRIES:
        tries.append(scores(base + PAGES[name], device, node_modules, chrome))
        if len(tries) == 1 and min(tries[0].values()) >= LEAST:
            break
    middle = {c: statistics.median(t[c] for t in tries) for c in CATEGORIES}
    assert min(middle.values()) >= LEAST, f"{name}, {device}: {tries}"
