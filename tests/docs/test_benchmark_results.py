"""What the site says of a benchmark: ratios, bars, and what is stale or was not run."""

import json
import shutil

import pytest

from chalkdocs import benchmark_results, benchmark_tables

CONTEST = {
    "title": "Work",
    "unit": "step",
    "ours": "ours",
    "us": {"ours": [1.0, 2.0, 4.0, 1.0, 2.0], "theirs": [3.0, 6.0, 12.0, 3.0, 8.0]},
    "limits": {"sgemm": [0.25, 0.5, 1.0, 0.25, 0.5], "stream": [0.25] * 5},
    "absent": {"mygrad": "mygrad is not installed"},
    "refused": {"jax": "computes other losses, off by 1e-03"},
    "source": {},
}
FOUND = {
    "machine": {"processor": "abacus", "commit": "abc"},
    "contests": {"digits": CONTEST},
    "facts": {"digits: extra memory": 30_000, "digits: cyclic garbage": 3},
}


@pytest.fixture
def keep(tmp_path, monkeypatch):
    """Make the site read what a test says was found."""
    monkeypatch.setattr(benchmark_results, "RESULTS", tmp_path)
    return lambda name, found: (tmp_path / f"{name}.json").write_text(json.dumps(found))


def test_a_ratio_is_the_median_of_those_within_a_round():
    times = benchmark_results.ratio(CONTEST, "theirs")  # 3, 3, 3, 3, 4
    assert times == (3.0, 3.0, 3.0)
    assert benchmark_results.ratio(CONTEST, "ours") == (1.0, 1.0, 1.0)


def test_without_ours_there_is_no_ratio_and_no_bar_is_met():
    alone = CONTEST | {"us": {"theirs": [1.0, 2.0]}}
    assert benchmark_results.ratio(alone, "theirs") is None
    assert benchmark_results.values({"contests": {"digits": alone}}) == {}


def test_the_share_of_the_limit_adds_products_and_bytes_within_a_round():
    part = benchmark_results.share(CONTEST, "ours")  # 0.5, 0.375, 0.3125, 0.5, 0.375
    assert part.median == 0.375
    assert benchmark_results.share(CONTEST | {"limits": {}}, "ours") is None


@pytest.mark.parametrize(("high", "noisy"), [(1.24, False), (1.26, True)])
def test_a_ratio_whose_quartiles_are_far_apart_is_noisy(high, noisy):
    assert benchmark_results.Value(1.0, 1.0, high).is_noisy is noisy


def test_a_bar_is_met_missed_or_not_run():
    bars = {bar.name: bar for bar in benchmark_results.bars("cpu", FOUND)}
    found = FOUND | {"contests": {"digits": renamed(CONTEST, "theirs", "scikit-learn")}}
    judged = {bar.name: bar.met for bar in benchmark_results.bars("cpu", found)}
    assert judged["digits: scikit-learn"] is True  # at least 3, and it is 3
    assert judged["digits: share of the limit"] is False
    assert judged["digits: extra memory"] is True
    assert judged["digits: cyclic garbage"] is False
    assert judged["moons: scikit-learn"] is None
    assert bars["digits: scikit-learn"].met is None
    assert all(bar.met is None for bar in benchmark_results.bars("h100", None))


def renamed(contest, old, new):
    us = {new if who == old else who: us for who, us in contest["us"].items()}
    return contest | {"us": us}


def test_every_bar_says_what_it_asks_and_why_and_belongs_to_a_contest():
    from benchmarks.__main__ import CONTESTS

    for where in ("cpu", "h100"):
        bars = benchmark_results.bars(where, None)
        assert bars
        assert all(bar.why and bar.wanted for bar in bars)
    for bar in benchmark_results.bars("cpu", None):
        name, _, who = bar.name.rpartition(": ")
        contest = CONTESTS[name]()
        facts = {"extra memory", "cyclic garbage", "share of the limit"}
        assert who in facts | set(contest.contestants)


def test_a_table_shows_who_could_not_take_part_and_what_is_noisy(keep):
    noisy = CONTEST["us"] | {"theirs": [1.0, 6.0, 40.0, 3.0, 8.0]}
    keep("cpu", FOUND | {"contests": {"digits": CONTEST | {"us": noisy}}})
    text = benchmark_tables.contests("cpu")
    assert "| mygrad: mygrad is not installed | – |" in text
    assert "| jax: computes other losses, off by 1e-03 | – |" in text
    assert ", noisy |" in text
    assert "| *stream* | 0.25 | – | – | – |" in text
    assert "processor abacus, commit abc" in text
    assert "Stale" not in text


def test_what_was_not_run_is_said_to_be_so(keep):
    assert benchmark_tables.contests("cpu") == benchmark_tables.NOT_RUN
    text = benchmark_tables.bars("h100")
    assert text.startswith(benchmark_tables.NOT_RUN)
    assert "not met" not in text
    keep("cpu", FOUND)
    assert "| not run yet |" in benchmark_tables.bars("cpu")
    assert "**not met**" in benchmark_tables.bars("cpu")


# --- Stale or not ---------------------------------------------------------------------


@pytest.fixture
def package(tmp_path):
    copy = tmp_path / "chalkgrad"
    shutil.copytree(benchmark_results.PACKAGE, copy)
    return copy


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_code_that_changes_makes_its_topic_stale_and_those_that_use_it(package):
    before = benchmark_results.fingerprints(["losses", "network", "schedules"], package)
    assert benchmark_results.changed_topics(before, package) == []
    with (package / "losses/_numpy.py").open("a") as file:
        file.write("\nX = 1\n")
    assert benchmark_results.changed_topics(before, package) == ["losses", "network"]


def test_what_everything_uses_makes_everything_stale(package):
    before = benchmark_results.fingerprints(["losses", "landscape"], package)
    edit(package / "_core/numbers.py", "math.inf", "-math.inf")
    assert benchmark_results.changed_topics(before, package) == ["losses", "landscape"]


def test_words_and_empty_lines_make_nothing_stale(package):
    before = benchmark_results.fingerprints(["losses"], package)
    path = package / "losses/_numpy.py"
    edit(path, '"""', '"""Better words. ')
    path.write_text("# A comment.\n\n" + path.read_text("utf-8") + "\n\n# And one.\n")
    assert benchmark_results.changed_topics(before, package) == []


def test_a_topic_that_is_gone_is_stale(package):
    before = benchmark_results.fingerprints(["losses"], package)
    shutil.rmtree(package / "losses")
    assert benchmark_results.changed_topics(before, package) == ["losses"]


def test_stale_numbers_are_marked_on_the_page(keep):
    source = benchmark_results.fingerprints(["losses", "network"])
    keep("cpu", FOUND | {"contests": {"digits": CONTEST | {"source": source}}})
    assert "Stale" not in benchmark_tables.contests("cpu") + benchmark_tables.bars(
        "cpu"
    )
    source["losses"] = "0"
    keep("cpu", FOUND | {"contests": {"digits": CONTEST | {"source": source}}})
    words = "**Stale:** the code of losses has changed since."
    assert words in benchmark_tables.contests("cpu")
    assert words in benchmark_tables.bars("cpu")
    assert "**Work** (stale)" in benchmark_tables.contests("cpu")
