"""What a change can break first: style, types, and the tests and pages of its topics.

``python -m tests.quick [SINCE]`` looks at what is not committed; if all is, at the last
commit; with a commit, at all that has changed since. Seconds instead of the minutes of
``make test``, which is what a change must pass.
"""

import ast
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
    """Return what differs from a commit."""
    names = _git("diff", "--name-only", since)
    names += _git("ls-files", "--others", "--exclude-standard")
    return [path for path in map(ROOT.joinpath, names) if path.is_file()]


def _git(*words: str, check: bool = True) -> list[str]:
    done = subprocess.run(
        ["git", *words], cwd=ROOT, check=check, capture_output=True, text=True
    )
    return done.stdout.splitlines()


def topics(files: list[Path]) -> set[str]:
    """Return the topics whose code is among the files."""
    inside = [f.relative_to(PACKAGE) for f in files if f.is_relative_to(PACKAGE)]
    return {path.parts[0].removesuffix(".py") for path in inside}


def edited(before: str, now: str) -> set[str]:
    """Return the public functions of a module that changed, and those that call them.

    "" stands for all that is no such function.
    """

    def parts(text: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for node in ast.parse(text).body:
            is_function = isinstance(node, ast.FunctionDef)
            name = node.name if is_function and not node.name.startswith("_") else ""
            found[name] = found.get(name, "") + ast.unparse(node)
        return found

    old, new = parts(before), parts(now)
    found, count = {name for name in old | new if old.get(name) != new.get(name)}, -1
    while count < len(found):
        count = len(found)
        found |= {n for n in new if any(f"{other}(" in new[n] for other in found)}
    return found


def asked(files: list[Path], since: str) -> dict[str, set[str]]:
    """Return by topic the functions to ask the contract of; "" stands for all."""
    found: dict[str, set[str]] = {}
    for file in files:
        for topic in topics([file]):
            changed = {""}
            if file.name in ("_numpy.py", "_torch.py"):
                name = file.relative_to(ROOT).as_posix()
                known = _git("show", f"{since}:{name}", check=False)
                changed = edited("\n".join(known), file.read_text("utf-8")) or changed
            found.setdefault(topic, set()).update(changed)
    return found


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


def commands(files: list[Path], since: str = "HEAD") -> dict[str, list[str]]:
    """Return what to run, by the name under which its end is told."""
    few = sorted(set(chosen(files)))
    out = {}
    if about := topics(files):
        # What holds for every function is asked of those of the topic.
        all_of_it = sorted(set((ROOT / "tests/contract").glob("test_*.py")) - set(few))
        of = asked(files, since)
        wanted = sorted(f"{topic}.{name}" for topic in of for name in of[topic])
        # If functions changed and nothing else, their neighbours are as they were.
        others = [f"[{topic}." for topic in of if "" not in of[topic]]
        left_out = " or ".join([*(path.stem for path in all_of_it), *others])
        # The core is under all of them.
        is_core = "_core" in about
        words = ["-k", f"{' or '.join(wanted)} or not ({left_out})"]
        chosen_ids = [] if is_core else words
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
    since = since or "HEAD"
    files = changed(since)
    if not files:
        since = "HEAD~1"
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
        done = list(pool.map(run, commands(files, since).items()))
    return done.count(False)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
