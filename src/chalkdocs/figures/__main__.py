"""Draw the figures of one module: ``python -m chalkdocs.figures MODULE FOLDER``."""

import importlib
import sys
from pathlib import Path

from chalkdocs.figures.style import svg


def main(module: str, folder: Path) -> None:
    """Write each figure of `module` to `folder`."""
    figures = importlib.import_module(f"chalkdocs.figures.{module}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in figures.__all__:
        drawn = svg(getattr(figures, name), f"{module}-{name}")
        (folder / f"{module}.{name}.svg").write_text(drawn, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
