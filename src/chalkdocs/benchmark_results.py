"""What benchmarks found: ratios, bars, and whether the source has changed since.

``python -m benchmarks`` prints with this, and the site is made with it, so both say the
same of the JSON in ``benchmarks/results``.
"""

import json
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chalkdocs.sources import PACKAGE, ROOT, fingerprint

RESULTS = ROOT / "benchmarks/results"
BARS = ROOT / "benchmarks/bars.toml"
NOISY = 0.25  # the quartiles of a ratio are so far apart, against its median
SHARE = ("sgemm", "stream")  # the limits that a share is of: first compute, then move


def read(name: str) -> dict[str, Any] | None:
    """Return what a benchmark wrote, or None if it was never run."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


# --- Whether the source has changed ---------------------------------------------------


def fingerprints(topics: Iterable[str], package: Path = PACKAGE) -> dict[str, str]:
    """Name the state of the code of each topic, and of all topics that it imports."""
    return {topic: fingerprint(topic, package) for topic in topics}


def changed_topics(source: dict[str, str], package: Path = PACKAGE) -> list[str]:
    """Return the topics whose code is not what it was."""
    now = fingerprints((t for t in source if (package / t).is_dir()), package)
    return [topic for topic, digest in source.items() if now.get(topic) != digest]


# --- Ratios ---------------------------------------------------------------------------


class Value(NamedTuple):
    """A number with its spread over the rounds."""

    low: float
    """The lower quartile."""
    median: float
    high: float
    """The upper quartile."""

    @property
    def is_noisy(self) -> bool:
        """Whether the quartiles are so far apart that it should be measured again."""
        return self.high - self.low > NOISY * self.median


def spread(values: Any) -> Value:
    """Return median and quartiles."""
    return Value(*(float(q) for q in np.quantile(values, [0.25, 0.5, 0.75])))


def ratio(contest: dict[str, Any], who: str) -> Value | None:
    """How many times as long as ours someone takes, in the same round."""
    ours = contest["us"].get(contest["ours"])
    return spread(np.array(contest["us"][who]) / ours) if ours else None


def share(contest: dict[str, Any], who: str) -> Value | None:
    """Which part of the time is the least that the machine needs, in the same round."""
    limits = [contest["limits"][what] for what in SHARE if what in contest["limits"]]
    if not limits:
        return None
    return spread(np.sum(limits, 0) / contest["us"][who])


def values(found: dict[str, Any]) -> dict[str, Value]:
    """Return all that a bar may be about, by its name."""
    out: dict[str, Value] = {}
    for key, contest in found["contests"].items():
        ours = contest["ours"]
        if ours not in contest["us"]:
            continue
        for who in contest["us"]:
            if times := ratio(contest, who):
                out[f"{key}: {who}"] = times
        out[f"{key}: {ours}"] = spread(contest["us"][ours])
        if part := share(contest, ours):
            out[f"{key}: share of the limit"] = part
    facts = found.get("facts", {})
    return out | {key: Value(fact, fact, fact) for key, fact in facts.items()}


# --- Bars -----------------------------------------------------------------------------


class Bar(NamedTuple):
    """What is asked of ours, and what came of it."""

    name: str
    wanted: str
    least: float | None
    value: Value | None
    """None: not run."""
    met: bool | None
    why: str


@cache
def _bars() -> dict[str, dict[str, Any]]:
    return tomllib.loads(BARS.read_text("utf-8"))


def bars(where: str, found: dict[str, Any] | None) -> list[Bar]:
    """Hold what was found against the bars for a machine, "cpu" or "h100"."""
    measured = values(found) if found else {}
    out = []
    for name, bar in _bars().items():
        if bar.get("where", "cpu") != where:
            continue
        value = measured.get(name)
        least, most = bar.get("least"), bar.get("most", np.inf)
        met = (least or -np.inf) <= value.median <= most if value else None
        limit = f"≥ {least:g}" if least else f"≤ {most:,g} {bar['unit']}"
        out.append(Bar(name, limit, least, value, met, bar["why"]))
    return out
