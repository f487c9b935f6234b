"""A verdict in other forms: JUnit for a CI, a table for a class."""

import csv
import html
import io
from collections import Counter
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from chalkgrad.judge._verdicts import Verdict

__all__ = ["count_findings", "is_failure", "write_csv", "write_html", "write_junit"]


def write_junit(name: str, verdict: Verdict, *, is_strict: bool = False) -> str:
    """Return a verdict as JUnit's XML: a case for the whole and for each aspect."""
    failed = is_failure(verdict, is_strict=is_strict)
    suite = ET.Element("testsuite", name=f"chalkgrad judge {name}")
    cases = {"verdict": "" if not failed else str(verdict)}
    # Where a convention explains the numbers, no single aspect is held against it.
    cases |= {
        aspect: came if failed and came != "right" else ""
        for aspect, came in verdict.aspects.items()
    }
    for aspect, words in cases.items():
        case = ET.SubElement(suite, "testcase", classname=name, name=aspect)
        if words:
            kind = "error" if verdict.outcome == "not judged" else "failure"
            ET.SubElement(case, kind, message=words.splitlines()[0]).text = words
    broken = sum(1 for words in cases.values() if words)
    errors = broken if verdict.outcome == "not judged" else 0
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(broken - errors))
    suite.set("errors", str(errors))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def is_failure(verdict: Verdict, *, is_strict: bool) -> bool:
    """Whether a verdict fails: if strict, another convention does, too."""
    return not verdict or (is_strict and verdict.outcome != "right")


def count_findings(verdicts: Mapping[str, Verdict]) -> list[tuple[str, int]]:
    """Return how often each deviation was found, the commonest first."""
    names = (name for verdict in verdicts.values() for name in verdict.names)
    return sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))


def _rows(verdicts: Mapping[str, Verdict]) -> list[list[str]]:
    return [
        [
            student,
            verdict.outcome,
            ", or ".join(
                " and ".join(one.name for one in group) for group in verdict.findings
            ),
            verdict.reason.partition("\n")[0],
            "; ".join(verdict.notes),
        ]
        for student, verdict in sorted(verdicts.items())
    ]


HEADER = ["who", "verdict", "found", "reason", "notes"]


def write_csv(verdicts: Mapping[str, Verdict]) -> str:
    """Return a table of a class, a line for each."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerows([HEADER, *_rows(verdicts)])
    return text.getvalue()


PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem;
  padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid #8888; padding: .4rem .6rem; text-align: left;
  vertical-align: top; }}
div {{ overflow-x: auto; }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
{common}
<div role="region" aria-label="All verdicts" tabindex="0">
<table>
<thead><tr>{header}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
</html>
"""


def write_html(task: str, verdicts: Mapping[str, Verdict]) -> str:
    """Return a page for a class: what was common, and a row for each."""
    outcomes = Counter(verdict.outcome for verdict in verdicts.values())
    summary = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
    found = "".join(
        f"<li>{html.escape(name)}: {count}</li>"
        for name, count in count_findings(verdicts)
    )
    rows = "\n".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in _rows(verdicts)
    )
    return PAGE.format(
        title=f"{html.escape(task)}: {len(verdicts)} judged",
        summary=summary,
        common=f"<h2>The commonest</h2>\n<ol>{found}</ol>" if found else "",
        header="".join(f'<th scope="col">{name}</th>' for name in HEADER),
        rows=rows,
    )
