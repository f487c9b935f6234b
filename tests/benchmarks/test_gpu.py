"""What will run on a GPU runs on a CPU, too, in a small size: nobody has one here."""

import pytest
import torch
from benchmarks.cases import gpu
from benchmarks.gpu import Captured, after_all_work, turns

from benchmarks import harness
from chalkdocs import benchmark_results

CONTESTS = gpu.contests("cpu", small=True)


@pytest.mark.parametrize("name", CONTESTS)
def test_everyone_takes_part_and_computes_the_same(name, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda f, **_: f)
    contest = CONTESTS[name]()
    found = harness.compete(contest, rounds=1, slice_=0, clock=after_all_work)
    assert found["refused"] == {}
    missing = {
        who for who, why in found["absent"].items() if "not there yet" not in why
    }
    assert missing == set()
    assert set(found["us"]) | set(found["absent"]) == set(contest.contestants)
    assert all(us > 0 for times in found["us"].values() for us in times)


def test_a_gpu_is_asked_the_same_by_the_same_names():
    assert list(gpu.contests("cuda")) == list(CONTESTS)


def test_every_bar_of_a_gpu_names_a_contest_and_who_is_in_it():
    unwritten = "G2, adamw in bfloat16 100 M"  # weights that are rounded by chance
    for bar in benchmark_results.bars("h100", None):
        name, _, who = bar.name.rpartition(": ")
        if name != unwritten:
            assert who in {"share of the limit", *CONTESTS[name]().contestants}


def test_sets_take_turns_until_no_cache_holds_them():
    assert turns(16e6, room=2e8) == 12
    assert turns(16e8, room=2e8) == 1


def test_without_a_gpu_nothing_is_captured():
    calls = []
    run = Captured(lambda: calls.append(0), "cpu")
    for _ in range(5):
        run()
    assert len(calls) == 5


class Graph:
    """Stands in for a CUDA graph: it notes what is recorded and replayed."""

    replays = 0

    def replay(self):
        self.replays += 1


def test_on_a_gpu_the_third_call_is_recorded_and_then_replayed(monkeypatch):
    from contextlib import nullcontext

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", nullcontext)
    calls = []
    run = Captured(lambda: calls.append(0), "cuda")
    for _ in range(7):
        run()
    assert len(calls) == 3  # twice as written, once recorded
    assert run._graph.replays == 5


def test_numbers_of_a_gpu_are_never_made_without_one(monkeypatch, capsys):
    from benchmarks.__main__ import main

    monkeypatch.setattr("sys.argv", ["benchmarks", "--device", "cuda"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        main()
    assert "no GPU" in capsys.readouterr().err
