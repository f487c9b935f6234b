"""Ask whether the links that lead away still lead somewhere: ``make links``.

``python -m chalkdocs.links site`` reads every page of a built site. The build itself
checks the links from page to page.
"""

import html
import re
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_LINK = re.compile(r'<a\b[^>]*\bhref="(https?://[^"#]+)')
# Answers of a host that is there and does not like to be asked by a program.
SHY = {401, 403, 405, 418, 429, 999}


def external_links(site: Path) -> dict[str, str]:
    """Return every address that a page links to, and one page that does."""
    return {
        html.unescape(address): str(page.relative_to(site))
        for page in sorted(site.rglob("*.html"))
        for address in _LINK.findall(page.read_text("utf-8"))
    }


def problem(address: str) -> str:
    """Say why an address cannot be read; nothing if it can."""
    agent = {"User-Agent": "Mozilla/5.0 (chalkgrad: does this link still work?)"}
    request = urllib.request.Request(address, headers=agent)
    try:
        with urllib.request.urlopen(request, timeout=30):
            return ""
    except urllib.error.HTTPError as error:
        return "" if error.code in SHY else str(error)
    except (OSError, ValueError) as error:
        return str(error)


def main(site: Path) -> int:
    """Print the links that lead nowhere; return how many there are."""
    links = external_links(site)
    with ThreadPoolExecutor(8) as several:
        found = list(zip(links, several.map(problem, links), strict=True))
    broken = [(address, why) for address, why in found if why]
    for address, why in broken:
        print(f"{links[address]}: {address}: {why}")  # noqa: T201
    print(f"{len(links)} links lead away, {len(broken)} of them nowhere")  # noqa: T201
    return len(broken)


if __name__ == "__main__":
    sys.exit(bool(main(Path(sys.argv[1]))))
