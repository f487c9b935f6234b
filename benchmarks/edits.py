"""How soon an edit is seen: ``python -m benchmarks.edits`` while the site is served.

Ten times a line is put under the heading of a page, and the page is asked for until it
shows the line; then a file of the package is changed. What was changed is put back.
"""

import statistics
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = "http://127.0.0.1:8000/chalkgrad/"
PAGES = (
    "training/gradient-descent",
    "perceptron/neuron",
    "training/backpropagation",
    "traditional-ml/pipeline",
    "how-to/course",
)


def read(page: str) -> str:
    """Return what a page shows now, or nothing where it does not answer."""
    try:
        with urllib.request.urlopen(f"{SITE}{page}/") as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@contextmanager
def edited(path: Path, old: str, new: str):
    """Change a file, and put it back."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def seconds_until(page: str, words: str) -> float:
    """Wait until a page shows some words."""
    began = time.monotonic()
    while words not in read(page):
        time.sleep(0.05)
    return time.monotonic() - began


def main() -> None:
    """Edit, and print how long it took."""
    took = []
    for number, page in enumerate(PAGES * 2):
        words = f"An edit, number {number}."
        with edited(ROOT / f"docs/{page}.md", "\n## ", f"\n{words}\n\n## "):
            took.append(seconds_until(page, words))
        print(f"{took[-1]:5.1f} s  {page}", flush=True)  # noqa: T201
        while words in read(page):
            time.sleep(0.05)
    print(f"{statistics.median(took):5.1f} s  median")  # noqa: T201
    path = ROOT / "src/chalkgrad/optimizers/_numpy.py"
    page = "reference/optimizers"
    with edited(path, "def sgd(", "def sgd(  # An edit.\n"):
        print(f"{seconds_until(page, 'An edit.'):5.1f} s  {path.name}")  # noqa: T201


if __name__ == "__main__":
    main()
