"""Who calls make, calls a target that there is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
RULES = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.M))
TEXTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", ".ci/run")),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / ".github").glob("*.md"),
    *(ROOT / ".github/workflows").glob("*.yml"),
    *(ROOT / "tests").rglob("*.toml"),
]


def listed(target):
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    command = ["make", "--no-print-directory", target]
    found = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [line.split()[0] for line in found.stdout.splitlines()]


def test_help_lists_the_ten_that_people_use_and_where_the_others_are():
    *ten, last = listed("help")
    assert len(set(ten)) == 10
    assert set(ten) <= RULES
    assert last == "The"
    assert set(listed("help-all")) == RULES - {"help", "help-all"}


def test_every_target_that_is_declared_has_a_rule():
    (names,) = re.findall(r"^\.PHONY: (.*)", MAKEFILE, re.M)
    assert set(names.split()) == RULES


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_target_that_is_asked_for_has_a_rule(path):
    text = path.read_text("utf-8")
    commands = re.findall(r"`make ([^`]+)`", text)
    prompt = r"- run: " if path.suffix == ".yml" else r"\$ " if path.suffix else ""
    commands += re.findall(rf"^ *{prompt}make ([^#\n]+)", text, re.M)
    words = {word for command in commands for word in command.split()}
    assert {word for word in words if re.fullmatch("[a-z][a-z-]*", word)} <= RULES


def test_every_target_of_the_weekly_run_has_a_rule():
    weekly = yaml.safe_load((ROOT / ".github/workflows/weekly.yml").read_text("utf-8"))
    (job,) = (one for one in weekly["jobs"].values() if "strategy" in one)
    asked = [one["targets"].split() for one in job["strategy"]["matrix"]["include"]]
    names = {word for words in asked for word in words if "=" not in word}
    assert names
    assert names <= RULES
