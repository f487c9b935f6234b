"""``python -m benchmarks``: what it prints, what it writes, how it ends."""

import json
import os

import pytest
from benchmarks.harness import AbsentError, Contest, Runner

from benchmarks import __main__ as command
from benchmarks import harness, record
from chalkdocs import benchmark_results


def contest(theirs=1.0):
    def absent():
        raise AbsentError("mygrad is not installed")

    contestants = {
        "chalkgrad.numpy": lambda: Runner(lambda: sum(range(2000)) * 0 + 1.0, 1),
        "scikit-learn": lambda: Runner(lambda: sum(range(9000)) * 0 + theirs, 1),
        "mygrad": absent,
    }
    limits = {"sgemm": lambda: Runner(lambda: sum(range(1000)), 1)}
    return Contest("Work", "step", ("losses",), contestants, limits)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(harness, "pin", lambda: None)
    monkeypatch.setattr(command.training, "FACTS", {"digits": lambda: {"garbage": 0}})
    for module in (benchmark_results, record):
        monkeypatch.setattr(module, "RESULTS", tmp_path)

    def run(*words, theirs=1.0):
        makers = {"digits": lambda: contest(theirs), "moons": lambda: contest(theirs)}
        monkeypatch.setattr(command, "CONTESTS", makers)
        monkeypatch.setattr("sys.argv", ["benchmarks", "--rounds", "3", *words])
        return command.main(), capsys.readouterr().out, tmp_path / "cpu.json"

    return run


def test_all_contests_are_kept_with_what_they_belong_to(run):
    status, out, path = run()
    assert status == 0
    found = json.loads(path.read_text("utf-8"))
    assert list(found["contests"]) == ["digits", "moons"]
    assert {"processor", "numpy", "torch", "commit", "date", "load"} <= set(
        found["machine"]
    )
    digits = found["contests"]["digits"]
    assert digits["source"] == benchmark_results.fingerprints(["losses"])
    assert len(digits["us"]["scikit-learn"]) == 3
    assert found["facts"] == {"digits: garbage": 0}
    assert "mygrad is not installed" in out
    assert "digits: scikit-learn" in out
    assert "moons: scikit-learn" in out


def test_a_part_of_a_name_runs_that_and_writes_nothing(run):
    status, out, path = run("moon")
    assert status == 0
    assert not path.exists()
    assert "moons: scikit-learn" in out
    assert "digits: scikit-learn" not in out


def test_a_contestant_that_is_refused_makes_the_run_fail_and_is_kept(run):
    status, out, path = run(theirs=1.1)
    assert status == 1
    assert "computes other losses" in out
    found = json.loads(path.read_text("utf-8"))
    assert list(found["contests"]["digits"]["us"]) == ["chalkgrad.numpy"]


def test_a_library_that_is_missing_has_no_version():
    about = record.machine("numpy", "no-such-library")
    assert "numpy" in about
    assert "no-such-library" not in about
    assert record.processor()
    assert os.environ["OMP_NUM_THREADS"] == "1"
