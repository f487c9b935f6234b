"""The page on adaptive rates says what the race found."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_says_what_the_race_found():
    found = json.loads((ROOT / "benchmarks/results/race.json").read_text("utf-8"))
    one = {row[0]: row[2] for row in found["table"]["rows"]}
    each = {row[0]: row[3] for row in found["table"]["rows"]}
    said = {"adam": "99%", "rmsprop": "97%", "momentum": "66%", "sgd": "41%"}
    assert {name: one[name] for name in said} == said
    assert one["schedule-free"] == one["prodigy"] == "100%"
    assert (each["momentum"], each["sgd"]) == ("99%", "91%")
    page = (ROOT / "docs/training/adaptive-rates.md").read_text("utf-8")
    words = {"fourteen methods": found["methods"], "six problems": found["tasks"]}
    for count, things in words.items():
        assert count in page
        assert len(things) == {"fourteen": 14, "six": 6}[count.split()[0]]
    assert found["limits"] == [2000, 2000, 2000, 2000, 1000, 300]
    assert len(found["rates"]) == 13
    assert len(found["steps"][0][0][0]) == 20
