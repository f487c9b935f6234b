"""What we hand on from others is on the page of licences, with the right licence."""

import json
import re

import pytest

from chalkdocs import runtime
from chalkdocs.sources import ROOT

PAGE = (ROOT / "docs/reference/licences.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!what|---)(.+?) \| (.+?) \|(?: `(.+)` \|)?$", PAGE, re.M)
LICENCE = {name: licence for names, licence, _ in ROWS for name in names.split(", ")}
NPM = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
SAYS = {
    "MIT": "The MIT License",
    "OFL-1.1": "SIL Open Font License, Version 1.1",
    "CC-BY-4.0": "CC BY 4.0",
}


def of_the_editor():
    """Return what the bundle holds: what the editor imports, and what that needs."""
    source = (ROOT / "src/chalkdocs/editor.js").read_text("utf-8")
    found, names = set(), set(re.findall(r'from "(.+)"', source))
    while names:
        name = names.pop()
        found.add(name)
        names |= set(NPM[f"node_modules/{name}"].get("dependencies", {})) - found
    return sorted(found)


def test_every_licence_in_the_tree_has_a_row_that_names_it():
    rows = {path: licence for _, licence, path in ROWS if path}
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for folder in ("docs", "src")
        for path in (ROOT / folder).rglob("*LICENSE*")
    }
    assert set(texts) == set(rows)
    for path, licence in rows.items():
        assert SAYS[licence] in texts[path]


@pytest.mark.parametrize("name", [*of_the_editor(), "pyodide"])
def test_what_npm_brings_to_the_page_has_the_licence_that_npm_states(name):
    assert LICENCE[name] == NPM[f"node_modules/{name}"]["license"]


def test_no_row_is_of_something_that_is_gone():
    of_npm = {name for name in LICENCE if f"node_modules/{name}" in NPM}
    assert of_npm == {*of_the_editor(), "pyodide"}


def test_every_package_for_pyodide_has_a_row():
    lock = runtime.NODE / "pyodide/pyodide-lock.json"
    if not lock.exists():
        pytest.skip("needs npm's files")
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    assert set(runtime.with_dependencies(runtime.WANTED, packages)) <= set(LICENCE)
