"""Write the sources as Zensical reads them, to see that the pages do not need MkDocs.

``python -m chalkdocs.zensical folder`` copies the pages there. Zensical knows no hooks:
labs are written as Markdown before, and the configuration leaves the hook out.
"""

import shutil
import sys
from pathlib import Path

import yaml

from chalkdocs import artifacts, notebooks, page_feet, take_along
from chalkdocs.sources import DOCS, ROOT


def write(folder: Path) -> None:
    """Write configuration and pages into a folder."""
    artifacts.make_all(artifacts.artifacts())
    docs = folder / "docs"
    shutil.rmtree(docs, ignore_errors=True)
    shutil.copytree(DOCS, docs)
    for page in filter(page_feet.is_taken, sorted(DOCS.rglob("*.md"))):
        folder = docs / page.relative_to(DOCS).with_suffix("")
        take_along.write(page, folder)
        (folder / page.name).unlink()  # it would become a page
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    for lab in sorted(docs.glob("labs/*.py")):
        page = lab.with_suffix(".md")
        page.write_text(notebooks.markdown(DOCS / "labs" / lab.name), "utf-8")
        text = text.replace(f"labs/{lab.name}", f"labs/{page.name}")
    config = yaml.safe_load(text)
    del config["hooks"], config["watch"]
    config["plugins"] = [p for p in config["plugins"] if "mkdocs-jupyter" not in p]
    config["theme"]["custom_dir"] = str(ROOT / config["theme"]["custom_dir"])
    for plugin in config["plugins"]:
        if "mkdocstrings" in plugin:
            plugin["mkdocstrings"]["handlers"]["python"]["paths"] = [str(ROOT / "src")]
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
