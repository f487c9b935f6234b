"""The harness: who is let in, who runs when, and what a time is."""

import gc
import os
import re

import numpy as np
import pytest
from benchmarks.cases import training
from benchmarks.harness import Contest, Runner

from benchmarks import harness, peers
from chalkdocs.benchmark_results import ratio


class Clock:
    """A clock that only work moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Worker:
    """Takes some seconds a run, and notes that it ran."""

    def __init__(self, name, clock, seconds, calls=None, losses=(1.0, 2.0)):
        self.name, self.clock, self.seconds = name, clock, seconds
        self.calls = [] if calls is None else calls
        self.losses = losses

    def __call__(self):
        self.clock.now += self.seconds
        self.calls.append(self.name)
        return self.losses


def runner(worker, units=1):
    return Runner(worker, units)


def contest(workers):
    makers = {w.name: (lambda w=w: runner(w)) for w in workers}
    return Contest("Work", "step", ("losses",), makers, {})


def in_turns(calls):
    """Calls without repetition: a slice is many calls of one."""
    return [a for a, b in zip(calls, [None, *calls], strict=False) if a != b]


def test_everyone_has_a_slice_in_every_round_and_another_one_begins():
    clock, calls = Clock(), []
    workers = {n: runner(Worker(n, clock, 0.01, calls)) for n in "abc"}
    harness.interleaved(workers, rounds=3, slice_=0.04, clock=clock)
    assert in_turns(calls[6:]) == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert [calls[6:].count(name) for name in "abc"] == [12, 12, 12]


def test_a_time_is_microseconds_a_unit_whatever_the_slice():
    clock = Clock()
    workers = {
        "quick": runner(Worker("quick", clock, 2e-3), units=4),
        "slow": runner(Worker("slow", clock, 0.5)),
    }
    times = harness.interleaved(workers, rounds=5, slice_=0.04, clock=clock)
    assert times["quick"] == pytest.approx([500.0] * 5)
    assert times["slow"] == pytest.approx([5e5] * 5)


def test_noise_that_hits_a_whole_round_does_not_move_the_ratio():
    clock, noise = Clock(), iter(np.linspace(1, 4, 200))
    ours, theirs = Worker("ours", clock, 1e-3), Worker("theirs", clock, 3e-3)

    def disturbed(worker):
        def run():
            factor = next(noise)
            clock.now += (factor - 1) * worker.seconds
            return worker()

        return Runner(run, 1)

    makers = {w.name: (lambda w=w: disturbed(w)) for w in (ours, theirs)}
    found = harness.compete(
        Contest("Work", "step", (), makers, {}), rounds=15, slice_=0.004, clock=clock
    )
    times = ratio(found, "theirs")
    assert times.median == pytest.approx(3, rel=0.05)
    assert not times.is_noisy
    assert max(found["us"]["ours"]) > 1.2 * min(found["us"]["ours"])


def test_who_computes_other_losses_is_refused_and_not_timed():
    clock, calls = Clock(), []
    workers = [
        Worker("ours", clock, 0.01, calls),
        Worker("alike", clock, 0.01, calls, losses=(1.0, 2.0 + 1e-5)),
        Worker("other", clock, 0.01, calls, losses=(1.0, 2.001)),
        Worker("broken", clock, 0.01, calls, losses=(1.0, float("nan"))),
        Worker("shorter", clock, 0.01, calls, losses=(1.0,)),
    ]
    found = harness.compete(contest(workers), rounds=2, slice_=0.01, clock=clock)
    assert list(found["us"]) == ["ours", "alike"]
    assert found["refused"] == {
        "other": "computes other losses, off by 5.0e-04",
        "broken": "computes other losses, off by nan",
        "shorter": "computes losses of shape (1,)",
    }
    assert calls.count("other") == 2  # the check


def test_a_loss_of_0_is_a_loss_like_any_other():
    losses = {"ours": (0.0, 2.0), "alike": (0.0, 2.0), "other": (1e-9, 2.0)}
    runners = {who: Runner(lambda x=x: x, 1) for who, x in losses.items()}
    admitted, refused = harness.admitted(runners, 1e-5)
    assert list(admitted) == ["ours", "alike"]
    assert refused == {"other": "computes other losses, off by inf"}


def test_a_contest_that_ours_cannot_do_refuses_all():
    nan = (float("nan"),)
    workers = [Worker(name, Clock(), 0.01, losses=nan) for name in ("ours", "alike")]
    found = harness.compete(contest(workers), rounds=2, slice_=0.01, clock=Clock())
    assert found["us"] == {}
    assert list(found["refused"]) == ["ours", "alike"]


def test_the_second_epoch_is_checked_too():
    drifting = iter([1.0, 1.01])
    runners = {
        "ours": Runner(lambda: 1.0, 1),
        "drifting": Runner(lambda: next(drifting), 1),
    }
    assert list(harness.admitted(runners, 1e-5)[0]) == ["ours"]


def test_a_peer_that_is_not_installed_is_a_line_that_says_so():
    clock = Clock()
    workers = [Worker("ours", clock, 0.01)]
    here = contest(workers)
    here.contestants["theirs"] = lambda: peers.needs("no_such_library.part")
    found = harness.compete(here, rounds=1, slice_=0.01, clock=clock)
    assert found["absent"] == {"theirs": "no_such_library is not installed"}


def test_a_library_that_is_there_but_broken_is_not_taken_for_absent(
    tmp_path, monkeypatch
):
    (tmp_path / "broken_library.py").write_text("import no_such_library")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        peers.needs("broken_library")


def test_limits_are_timed_in_the_same_rounds_and_not_checked():
    clock, calls = Clock(), []
    here = contest([Worker("ours", clock, 0.01, calls)])
    here.limits["stream"] = lambda: runner(Worker("stream", clock, 0.001, calls))
    found = harness.compete(here, rounds=3, slice_=0.01, clock=clock)
    assert found["limits"]["stream"] == pytest.approx([1000.0] * 3)
    assert list(found["us"]) == ["ours"]
    assert in_turns(calls[6:]) == ["ours", "stream", "ours", "stream"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no such call here")
def test_the_process_is_bound_to_one_core():
    allowed = os.sched_getaffinity(0)
    try:
        harness.pin()
        assert len(os.sched_getaffinity(0)) == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_the_libraries_know_before_they_start_that_there_is_one_thread():
    assert {os.environ[f"{x}_THREADS"] for x in ("OMP_NUM", "OPENBLAS_NUM")} == {"1"}


TASK = training.digits()


@pytest.mark.parametrize("make", [peers.sklearn, peers.torch_eager])
def test_peers_start_where_ours_starts_and_compute_the_same_losses(make):
    runners = {"ours": peers.reference(TASK), "theirs": make(TASK)}
    admitted, refused = harness.admitted(runners, 1e-5)
    assert list(admitted) == ["ours", "theirs"], refused


def test_a_peer_with_another_rate_is_found_out(monkeypatch):
    ours = peers.reference(TASK)
    monkeypatch.setattr(peers, "LR", 1.01e-3)
    _, refused = harness.admitted(
        {"ours": ours, "theirs": peers.torch_eager(TASK)}, 1e-5
    )
    assert re.match("computes other losses, off by", refused["theirs"])


def test_the_operations_of_a_step_are_those_of_its_products():
    # Forward, the gradient for the weights, and that for the input, but for the first.
    b = 200
    layers = [2 * b * 64 * 100, 2 * b * 100 * 10]
    assert training.flops(TASK) == 3 * sum(layers) - layers[0]


def test_a_contest_leaves_the_garbage_collector_on():
    harness.compete(contest([Worker("ours", Clock(), 1.0)]), rounds=1, slice_=0.1)
    assert gc.isenabled()
