"""Every line that installs chalkgrad is right as it is written."""

import re
import tomllib

import pytest

from chalkdocs.install_lines import install
from chalkdocs.sources import DOCS, ROOT
from chalkgrad._core import install as setting

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = re.compile(r"<!-- install: (.*?) -->")
TYPED = re.compile(r"pip install (?!-|scikit|numpy|torch)('[^']+'|[^\s`]+)")
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *DOCS.rglob("labs/*.py")]


def test_pages_ask_for_extras_that_there_are():
    asked = {name for page in PAGES for name in ASKED.findall(page.read_text("utf-8"))}
    assert asked
    assert {extra for names in asked for extra in names.split(",")} <= EXTRAS.keys()


def test_what_is_typed_by_hand_works_in_a_clone_too():
    typed = {line for page in PAGES for line in TYPED.findall(page.read_text("utf-8"))}
    typed.remove("chalkgrad")  # from the index of a rehearsal
    assert typed == {".", "'.[torch]'", "'./chalkgrad[cli]'"}
    assert "From a clone: `pip install .`" in PAGES[0].read_text("utf-8")


@pytest.mark.parametrize(
    ("is_released", "line", "words"),
    [
        (False, "pip install '.[cli]'", " in a clone of the repository"),
        (True, "pip install 'chalkgrad[cli]'", ""),
    ],
)
def test_one_setting_switches_them(is_released, line, words, monkeypatch):
    monkeypatch.setattr(setting, "IS_RELEASED", is_released)
    assert setting.advise("cli") == line + words
    assert install("cli") == f"`{line}`{words}"
    assert setting.requirement() == ("chalkgrad" if is_released else ".")
