"""What a wheel brings beside the source: the pages that judge the claims."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Pages(BuildHookInterface):
    """Put the pages where `chalkgrad.lecture` looks for them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the pages; an editable installation reads those of the checkout."""
        if version == "editable":
            return
        docs = Path(self.root) / "docs"
        for page in sorted(docs.rglob("*.md")):
            if '!!! claim "' in page.read_text("utf-8"):
                place = f"chalkgrad/lecture/pages/{page.relative_to(docs).as_posix()}"
                build_data["force_include"][str(page)] = place
