"""What it costs to make what the pages show: ``python -m benchmarks.making [PART…]``.

Figures, labs, commands and the widgets' data are made anew in a folder that nobody
keeps, one after the other and with one thread. What is printed is time of the
processor, which a busy machine changes less than a clock. With parts of names, as in
``python -m benchmarks.making lab depth``, only those are made.
"""

import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chalkdocs import artifacts, notebooks


def cpu_seconds() -> float:
    """Return what this process and its children have used so far."""
    return sum(os.times()[:4])


def main(parts: list[str]) -> None:
    """Make what has one of the parts in its name, and print what each cost."""
    os.environ["OMP_NUM_THREADS"] = "1"
    took = []
    with tempfile.TemporaryDirectory() as folder:
        artifacts.CACHE = notebooks.CACHE = Path(folder)
        for one in artifacts.artifacts():
            name = f"{one.kind} {one.name}"
            if any(part in name for part in parts or [""]):
                began = cpu_seconds()
                one.make()
                took.append((cpu_seconds() - began, name))
    table = Table("made", title="CPU seconds")
    table.add_column("s", justify="right")
    for seconds, name in sorted(took, reverse=True):
        table.add_row(name, f"{seconds:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
