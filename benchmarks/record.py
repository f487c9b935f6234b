"""What a benchmark keeps: its numbers, and what they belong to."""

import datetime
import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chalkdocs.benchmark_results import RESULTS


def machine(*libraries: str, **more: str) -> dict[str, str]:
    """Say where the numbers come from: the machine, the versions, the commit."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    return {
        **more,
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{name: found for name in libraries if (found := _version(name))},
        "commit": commit.stdout.strip(),
    }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def processor() -> str:
    """Name the processor as far as the system says it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def today() -> str:
    """Return the date, as ISO writes it."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def keep(name: str, machine: dict[str, str], **found: Any) -> None:
    """Write what was found to ``results/name.json``."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine, **found}, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")
