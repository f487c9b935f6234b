"""What a benchmark keeps: its numbers, and what they belong to."""

import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


def machine(*libraries: str, **more: str) -> dict[str, str]:
    """Say where the numbers come from: the machine, the versions, the commit."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    return {
        **more,
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
        "commit": commit.stdout.strip(),
    }


def keep(name: str, machine: dict[str, str], **found: Any) -> None:
    """Write what was found to ``results/name.json``."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine, **found}, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")
