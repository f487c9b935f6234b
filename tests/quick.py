"""What a change can break first: style, types, and the tests and pages of its topics.

``python -m tests.quick [SINCE]`` looks at what is not committed; if all is, at the last
commit; with a commit, at all that has changed since. Seconds instead of the minutes of
``make test``, which is what a change must pass.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from chalkdocs import front_matter, sources
from chalkdocs.sources import FACADES, PACKAGE, ROOT

# They need the built site, a package, or hours.
OTHERS = ("site", "package", "mutation")
OURS = ("chalkgrad", "chalkdocs", "benchmarks", "tests")


def changed(since: str) -> list[Path]:
    """Return what differs from a commit, or else what the last commit changed."""
    names = _git("diff", "--name-only", since or "HEAD")
    names += _git("ls-files", "--others", "--exclude-standard")
    names = names or _git("diff", "--name-only", "HEAD~1")
    return [path for path in map(ROOT.joinpath, names) if path.is_file()]


def _git(*words: str) -> list[str]:
    done = subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()


def topics(files: list[Path]) -> set[str]:
    """Return the topics whose code is among the files."""
    inside = [f.relative_to(PACKAGE) for f in files if f.is_relative_to(PACKAGE)]
    return {path.parts[0].removesuffix(".py") for path in inside}


def names(test: Path) -> set[str]:
    """Return the topics of which a file speaks, and the modules that it imports."""
    said = sources.read(test)
    found = {name for used in said.uses.values() for name in used}
    for name in said.imports:
        package, *parts = name.split(".")
        if package in OURS and name not in FACADES:
            found.update(parts)
    return found


def tests() -> Iterator[Path]:
    """Go through the tests that need nothing but the source."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.relative_to(ROOT).parts[1] not in OTHERS:
            yield path


def chosen(files: list[Path]) -> Iterator[Path]:
    """Return the tests and the pages of the files."""
    about = topics(files)
    yield from sorted(PACKAGE / topic for topic in about if (PACKAGE / topic).is_dir())
    others = {f.stem for f in files if f.suffix == ".py" and f.name != "__init__.py"}
    others -= {f.stem for f in files if f.is_relative_to(PACKAGE)}
    for test in tests():
        is_named = any(topic in test.stem for topic in about)
        if test in files or is_named or names(test) & (about | others):
            yield test
    for page in sorted((ROOT / "docs").rglob("*.md")):
        is_topic = (
            front_matter.read(page.read_text("utf-8")).get("topic", page.stem) in about
        )
        if page in files or is_topic:
            yield page


def commands(files: list[Path]) -> dict[str, list[str]]:
    """Return what to run, by the name under which its end is told."""
    few = sorted(set(chosen(files)))
    out = {}
    if about := topics(files):
        # What holds for every function is asked of those of the topic.
        all_of_it = sorted(set((ROOT / "tests/contract").glob("test_*.py")) - set(few))
        asked = " or ".join(f"{topic}." for topic in sorted(about))
        contract = " or ".join(path.stem for path in all_of_it)
        # The core is under all of them.
        is_core = "_core" in about
        chosen_ids = [] if is_core else ["-k", f"{asked} or not ({contract})"]
    else:
        all_of_it, chosen_ids = [], []
    if few:
        pytest = [sys.executable, "-m", "pytest", "--quiet", "--numprocesses=auto"]
        paths = map(str, [*few, *all_of_it])
        out["tests and pages"] = [*pytest, "--dist=worksteal", *chosen_ids, *paths]
    if python := [str(f) for f in files if f.suffix == ".py"]:
        ruff = [sys.executable, "-m", "ruff"]
        out["style"] = [*ruff, "check", *python]
        out["format"] = [*ruff, "format", "--check", *python]
        out["types"] = [sys.executable, "-m", "mypy"]
    return out


def main(since: str = "") -> int:
    """Run the commands side by side; return how many failed."""
    files = changed(since)
    say = Console(highlight=False, markup=False, emoji=False, soft_wrap=True).print
    say(len(files), "files changed:", *(str(f.relative_to(ROOT)) for f in files))

    def run(command: tuple[str, list[str]]) -> bool:
        name, words = command
        began = time.monotonic()
        with tempfile.TemporaryFile("w+") as said:
            code = subprocess.call(words, cwd=ROOT, stdout=said, stderr=said)
            said.seek(0)
            text = said.read().rstrip()
        # Of what went well, the last line says how much it was.
        shown = text if code else text.rpartition("\n")[2]
        say(f"{name}, {time.monotonic() - began:.0f} s: {shown}")
        return code == 0

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, commands(files).items()))
    return done.count(False)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
