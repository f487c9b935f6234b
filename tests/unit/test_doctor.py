"""``chalkgrad doctor`` says what is there, and how to get what is not."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import chalkgrad
from chalkgrad._core.install import advise
from chalkgrad.cli import main


@pytest.fixture
def doctor(capsys):
    def ask():
        assert main(["doctor"]) == 0
        return capsys.readouterr().out

    return ask


def test_versions_are_those_of_what_is_imported(doctor):
    said = doctor()
    for each in (chalkgrad.__version__, np.__version__, torch.__version__):
        assert each in said
    assert "missing" not in said


def test_what_is_missing_is_said_with_the_line_that_brings_it(doctor, monkeypatch):
    find = importlib.util.find_spec
    gone = {"torch", "rich", "sklearn", "threadpoolctl"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in gone else find(name)
    )
    lines = doctor().splitlines()
    missing = [line for line in lines if line.startswith("missing")]
    assert len(missing) == 3
    assert "rich for train, inspect" in missing[0]
    assert missing[0].endswith(advise("cli"))
    assert missing[1].endswith(f"sklearn for claims, all of them: {advise('lecture')}")
    assert missing[2].endswith(advise("torch"))
    assert "PyTorch    not installed" in lines


def test_a_folder_that_cannot_be_written_is_said(doctor, tmp_path, monkeypatch):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert f"{folder} can be written" in doctor()
    monkeypatch.setattr(
        "tempfile.TemporaryFile",
        lambda dir: (_ for _ in ()).throw(OSError(30, "Read-only file system")),
    )
    assert f"{folder} cannot be written: Read-only file system" in doctor()


def test_it_needs_nothing_but_numpy():
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['rich', 'matplotlib', 'torch']))\n"
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: (\n"
        "    None if sys.modules.get(name, 0) is None else find(name))\n"
        "from chalkgrad.cli import main\n"
        "sys.exit(main(['doctor']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    told = [line.split()[:2] for line in done.stdout.splitlines()]
    missing = [words for key, words in told if key == "missing"]
    assert missing == ["rich,", "torch"]
