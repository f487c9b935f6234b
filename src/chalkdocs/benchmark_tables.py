"""Tables of what benchmarks wrote, as Markdown.

The JSON in ``benchmarks/results`` says what a number belongs to. What was not run is
said to be so, and what was run with other code than there is now is called stale.
"""

import json
from typing import Any

from chalkdocs import benchmark_results
from chalkdocs.benchmark_results import Bar, Value
from chalkdocs.directives import directive

NOT_RUN = "*Not run yet.*"


def rows(head: list[str], body: list[list[str]]) -> str:
    """Write a table whose first column holds words, and whose others hold numbers."""
    lines = [head, ["---"] + ["--:" for _ in head[1:]], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine_line(machine: dict[str, str]) -> str:
    """Say what was measured on what."""
    return f"*Measured on: {', '.join(f'{k} {v}' for k, v in machine.items())}.*"


def stale_note(source: dict[str, str]) -> str:
    """Say which topics have changed since, if any has."""
    topics = benchmark_results.changed_topics(source)
    return f"**Stale:** the code of {', '.join(topics)} has changed since." * bool(
        topics
    )


@directive("table")
def table(name: str) -> str:
    """Write the table that a benchmark has made, and what it was measured on."""
    found = benchmark_results.read(name)
    if found is None:
        return NOT_RUN
    made = found["table"]
    return f"{rows(made['head'], made['rows'])}\n\n{machine_line(found['machine'])}"


# --- Contests -------------------------------------------------------------------------


@directive("contests")
def contests(name: str) -> str:
    """Write a table for each contest: everyone's time, against ours."""
    found = benchmark_results.read(name)
    if found is None:
        return NOT_RUN
    parts = [machine_line(found["machine"]), _stale_contests_note(found)]
    for contest in found["contests"].values():
        mark = " (stale)" * bool(stale_note(contest["source"]))
        parts += [f"**{contest['title']}**{mark}", _contest_table(contest)]
    return "\n\n".join(filter(None, parts))


def _stale_contests_note(found: dict[str, Any]) -> str:
    contests = found["contests"].values()
    return stale_note(
        {k: v for contest in contests for k, v in contest["source"].items()}
    )


def _contest_table(contest: dict[str, Any]) -> str:
    limited = bool(contest["limits"])
    head = ["who", f"µs a {contest['unit']}", "× ours", "quartiles"]
    body = []
    for who, us in contest["us"].items():
        times, part = (
            benchmark_results.ratio(contest, who),
            benchmark_results.share(contest, who),
        )
        cells = [who, number(min(us)), *_spread(times)]
        body.append(cells + [f"{part.median:.0%}" if part else ""] * limited)
    for what, us in contest["limits"].items():
        body.append([f"*{what}*", number(min(us)), *["–"] * 3])
    for who, why in (contest["absent"] | contest["refused"]).items():
        body.append([f"{who}: {why}", *["–"] * (3 + limited)])
    return rows(head + ["of the limit"] * limited, body)


def _spread(value: Value | None) -> list[str]:
    if value is None:
        return ["–", "–"]
    quartiles = f"{number(value.low)} … {number(value.high)}"
    return [number(value.median), quartiles + ", noisy" * value.is_noisy]


def number(x: float) -> str:
    """Write a number with three digits."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


# --- Bars -----------------------------------------------------------------------------

MET = {True: "met", False: "**not met**", None: ""}


@directive("bars")
def bars(where: str) -> str:
    """Write the bars for a machine, "cpu" or "h100", and what came of each."""
    found = benchmark_results.read({"cpu": "cpu", "h100": "cuda"}[where])
    asked = benchmark_results.bars(where, found)
    ran = [bar for bar in asked if bar.value]
    met = sum(bar.met is True for bar in asked)
    parts = [rows(["bar", "wanted", "found", "met?"], [_bar(bar) for bar in asked])]
    if ran:
        parts.insert(0, f"Met: **{met} of {len(asked)}**.")
    else:
        parts.insert(0, NOT_RUN)
    if len(ran) < len(asked) and ran:
        parts.append(f"Not run yet: {len(asked) - len(ran)}.")
    parts.append(_stale_contests_note(found) if found else "")
    return "\n\n".join(filter(None, parts))


COUNTED = ("kernels", "products", "launches", "waits", "copies")


@directive("counted")
def step_costs() -> str:
    """Write what a step costs on a pretended GPU."""
    path = benchmark_results.RESULTS / "counted.json"
    costs = json.loads(path.read_text("utf-8"))["costs"]
    lines = [
        [name, *(str(cost[kind]) for kind in COUNTED), f"{cost['bytes'] / 1e6:,.1f}"]
        for name, cost in costs.items()
    ]
    return rows(["counted", *COUNTED, "MB moved"], lines)


def _bar(bar: Bar) -> list[str]:
    name = f"{bar.name}<br><small>{bar.why}</small>"
    if bar.value is None:
        return [name, bar.wanted, "not run yet", ""]
    noisy = ", noisy" * bar.value.is_noisy
    return [name, bar.wanted, number(bar.value.median) + noisy, MET[bar.met]]


# --- Parity ---------------------------------------------------------------------------

# What a run calls a column, and what the page does.
COLUMNS = {
    "NumPy, float64": "NumPy<br>f64",
    "NumPy, float32": "NumPy<br>f32",
    "PyTorch, cpu, float64": "PyTorch<br>f64",
    "PyTorch, cpu, float32": "PyTorch<br>f32",
    "PyTorch, cuda, float64": "CUDA<br>f64",
    "PyTorch, cuda, float32": "CUDA<br>f32",
}


@directive("parity ledger")
def parity() -> str:
    """Write the ledger: for every function the error of its value and its gradient."""
    found, on_gpu = (
        benchmark_results.read("parity"),
        benchmark_results.read("parity-cuda"),
    )
    if found is None:
        return NOT_RUN
    lines = [
        machine_line(found["machine"]),
        machine_line(on_gpu["machine"]) if on_gpu else "",
    ]
    topics = dict.fromkeys(path.partition(".")[0] for path in found["rows"])
    for topic in topics:
        lines += [f"## {topic.capitalize()}", _topic_table(topic, found, on_gpu)]
    lines.append("## Without a row")
    for why in dict.fromkeys(found["elsewhere"].values()):
        named = [f"`{path}`" for path, it in found["elsewhere"].items() if it == why]
        lines.append(f"- {why}: {', '.join(named)}")
    return "\n\n".join(filter(None, lines))


def _topic_table(
    topic: str, found: dict[str, Any], on_gpu: dict[str, Any] | None
) -> str:
    head = ["function"]
    for label in COLUMNS.values():
        missing = label.startswith("CUDA") and on_gpu is None
        head.append(label + "<br>not run yet" * missing)
    body, marks = [], dict[str, None]()
    for path, row in found["rows"].items():
        if path.partition(".")[0] != topic:
            continue
        gpu = on_gpu["rows"].get(path) if on_gpu else None
        units = row["units"] | (gpu["units"] if gpu else {})
        marks[stale_note(row["source"])] = None
        if gpu and (words := stale_note(gpu["source"])):
            marks[f"On the GPU: {words}"] = None
        cells = [_pair(units.get(column)) for column in COLUMNS]
        # Where a name may break, on a phone.
        name = path.partition(".")[2].replace("_", r"\_<wbr>")
        body.append([f"{name}<br><small>{row['truth']}</small>", *cells])
    return "\n\n".join([*filter(None, marks), rows(head, body)])


def _pair(errors: list[float | None] | None) -> str:
    if errors is None:
        return "–"
    value, grad = ("–" if error is None else _units(error) for error in errors)
    return value if grad == "–" else f"{value}&nbsp;·&nbsp;{grad}"


def _units(error: float) -> str:
    return f"{error:,.0f}" if error >= 10 else f"{error:.2g}"
