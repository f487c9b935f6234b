"""While the site is written: what an edit builds anew, and what stands in between."""

import json
from types import SimpleNamespace

import pytest

from chalkdocs import artifacts, markdown, notebooks, serve
from chalkdocs.artifacts import Artifact


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Serve nothing from a folder of its own; a build is noted and writes its pages."""
    for name in ("SITE", "STATE", "NEWS", "FOLDER"):
        part = getattr(serve, name).relative_to(serve.CACHE)
        monkeypatch.setattr(serve, name, tmp_path / part)
    serve.NEWS.mkdir(parents=True)
    states = {"around": "a", "lists": "a"}
    monkeypatch.setattr(serve, "surroundings", lambda: states["around"])
    monkeypatch.setattr(serve, "listed", lambda: states["lists"])
    monkeypatch.setattr(artifacts, "waits", True)
    built = []

    def build(settings, serve_url, dirty):
        assert dirty
        here = []
        for page in sorted(serve.DOCS.rglob("*.md")):
            path = one._built(page)
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("built", "utf-8")
                here.append(page.relative_to(serve.DOCS).as_posix())
        built.append(here)

    monkeypatch.setattr(serve, "build", build)
    monkeypatch.setattr(serve.Site, "_make", lambda self: None)
    one = serve.Site()
    yield SimpleNamespace(site=one, states=states, built=built)
    one.server.server_close()


def test_what_is_there_is_not_built_again(site):
    site.site.build()
    assert len(site.built[0]) == len(list(serve.DOCS.rglob("*.md")))
    site.site.build()
    assert len(site.built) == 1
    site.site.seen = None  # as after a start
    site.site.build()
    assert site.built[1] == []


def test_a_change_around_the_pages_builds_all_of_them(site):
    site.site.build()
    site.states["around"] = "b"
    site.site.build()
    assert site.built[1] == site.built[0]


def test_what_a_page_says_of_others_builds_what_lists_it(site):
    site.site.build()
    site.states["lists"] = "b"
    site.site.build()
    assert {"reference/claims.md", "reference/slides.md"} <= set(site.built[1])
    assert {"reference/bibliography.md", "index.md"} <= set(site.built[1])
    assert "training/gradient-descent.md" not in site.built[1]


def test_the_search_keeps_what_was_not_built(site):
    index = serve.SITE / "search_index.json"
    index.parent.mkdir(parents=True, exist_ok=True)
    index.write_text(json.dumps({"docs": [{"location": "a/#new", "text": "1"}]}))
    before = {"docs": [{"location": "a/#old"}, {"location": "b/"}]}
    site.site._merge(index, before)
    places = [entry["location"] for entry in json.loads(index.read_text())["docs"]]
    assert places == ["a/#new", "b/"]


def test_a_page_waits_for_nothing_and_is_built_again_when_it_is_there(
    site, monkeypatch, tmp_path
):
    monkeypatch.setattr(artifacts, "CACHE", tmp_path)
    monkeypatch.setattr(artifacts, "waits", False)
    monkeypatch.setattr(notebooks, "CACHE", tmp_path)
    boxes = {
        "figures wiring": markdown.figure("wiring.layers", "Words."),
        "widgets all": markdown.widget("bowl"),
        "commands of the how-to pages": markdown.command("chalkgrad train --help"),
        "lab sweep": notebooks.markdown(serve.DOCS / "labs/sweep.py"),
    }
    for name, box in boxes.items():
        assert f'data-not-made="{name}"' in box
        assert name in box.partition(">")[2]
    site.site.build()
    page = site.site._built(serve.DOCS / "perceptron/wiring.md")
    page.write_text(boxes["figures wiring"], "utf-8")
    made = Artifact("figures", "wiring", page, lambda: page, lambda: None)
    site.site._replace(made)
    assert not page.exists()
    assert (serve.NEWS / "made").read_text() == "wiring"
    site.site.build()
    assert site.built[-1] == ["perceptron/wiring.md"]


def test_what_is_made_without_waiting_leaves_a_core(monkeypatch, tmp_path):
    pools = []
    pool = artifacts.ThreadPoolExecutor
    monkeypatch.setattr(artifacts, "_DURATIONS", tmp_path / "durations.json")
    monkeypatch.setattr(artifacts, "waits", False)
    monkeypatch.setattr(
        artifacts, "ThreadPoolExecutor", lambda n: pools.append(n) or pool(n)
    )
    path = tmp_path / "a"
    one = Artifact("lab", "a", path, lambda: path, lambda: path.write_text("a"))
    artifacts.make_all([one])
    assert pools == [1]
    assert one.is_made
