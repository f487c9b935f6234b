"""While the site is written: what an edit builds anew, and what stands in between."""

import json
import os
import shutil
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from chalkdocs import artifacts, commands, drawings, notebooks, serve, widget_places
from chalkdocs.artifacts import Artifact


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Serve a copy of the pages; a build is noted, and writes what is missing."""
    docs = tmp_path / "docs"
    shutil.copytree(serve.DOCS, docs, ignore=shutil.ignore_patterns("assets"))
    monkeypatch.setattr(serve, "DOCS", docs)
    for name in ("SITE", "STATE", "NEWS", "FOLDER"):
        part = getattr(serve, name).relative_to(serve.CACHE)
        monkeypatch.setattr(serve, name, tmp_path / part)
    serve.NEWS.mkdir(parents=True)
    states = {"around": "a", "lists": "a"}
    monkeypatch.setattr(serve, "source_state", lambda: states["around"])
    monkeypatch.setattr(serve, "list_state", lambda: states["lists"])
    monkeypatch.setattr(artifacts, "waits", True)
    all_built = []

    def build(settings, serve_url, dirty):
        assert dirty
        here = []
        for page in sorted(docs.rglob("*.md")):
            path = serve.site_path(page)
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("built", "utf-8")
                here.append(page.relative_to(docs).as_posix())
        all_built.append(here)

    monkeypatch.setattr(serve, "build", build)
    with ExitStack() as stack:

        def start():
            one = serve.Site()
            stack.callback(one.server.server_close)
            return one

        yield SimpleNamespace(
            site=start(), start=start, states=states, built=all_built, docs=docs
        )


def test_what_is_there_is_not_built_again(site):
    site.site.build()
    assert len(site.built[0]) == len(list(site.docs.rglob("*.md")))
    site.site.build()
    site.start().build()
    assert len(site.built) == 1


def test_a_change_around_the_pages_builds_all_of_them(site):
    site.site.build()
    site.states["around"] = "b"
    site.site.build()
    assert site.built[1] == site.built[0]


@pytest.mark.parametrize("after_a_start", [False, True])
def test_what_a_page_says_of_others_builds_what_lists_it(site, after_a_start):
    site.site.build()
    site.states["lists"] = "b"
    (site.start() if after_a_start else site.site).build()
    assert {"reference/claims.md", "reference/slides.md"} <= set(site.built[1])
    assert {"reference/bibliography.md", "index.md"} <= set(site.built[1])
    assert "training/gradient-descent.md" not in site.built[1]


def test_a_page_is_built_also_when_an_older_one_comes_back(site):
    site.site.build()
    os.utime(site.docs / "perceptron/wiring.md", (1, 1))
    site.site.build()
    assert site.built[1] == ["perceptron/wiring.md"]


def test_what_is_written_during_a_build_is_built_next(site, monkeypatch):
    site.site.build()
    page, build = site.docs / "perceptron/wiring.md", serve.build

    def write(*arguments, **options):
        build(*arguments, **options)
        os.utime(page, (3, 3))  # when its page has been written

    os.utime(page, (2, 2))
    monkeypatch.setattr(serve, "build", write)
    site.site.build()
    monkeypatch.setattr(serve, "build", build)
    site.site.build()
    site.site.build()
    assert site.built[1:] == [["perceptron/wiring.md"]] * 2


def test_a_build_leaves_the_settings_to_the_next_as_it_found_them(site, monkeypatch):
    styles, build = [], serve.build

    def adds(settings, **options):
        build(settings, **options)
        settings["extra_css"].append("theirs.css")  # as mkdocstrings does
        styles.append(settings["extra_css"][:])

    monkeypatch.setattr(serve, "build", adds)
    for state in "abc":
        site.states["around"] = state
        site.site.build()
    assert styles[0][-1] == "theirs.css"
    assert styles == [styles[0]] * 3


def test_the_search_of_the_theme_keeps_nothing_itself(site):
    assert site.site.settings.plugins["material/search"].is_dirty is False


def test_a_page_that_is_gone_goes(site):
    site.site.build()
    page = site.docs / "perceptron/wiring.md"
    page.unlink()
    site.site.build()
    assert not serve.site_path(page).exists()


def test_what_all_that_is_made_is_called():
    inside = {
        "index.md": "index.html",
        "labs/index.md": "labs/index.html",
        "labs/sweep.py": "labs/sweep/index.html",
        "training/hardware.md": "training/hardware/index.html",
        "assets/css/chalk.css": "assets/css/chalk.css",
    }
    for source, place in inside.items():
        assert serve.site_path(serve.DOCS / source) == serve.SITE / place


def test_another_engine_is_tried_and_takes_over(site, monkeypatch):
    began, results = [], iter([1, 0])
    monkeypatch.setattr(serve, "engine_state", lambda: "new")
    monkeypatch.setattr(serve.os, "execv", lambda *it: began.append(it))
    tried = lambda *_, **__: SimpleNamespace(returncode=next(results))  # noqa: E731
    monkeypatch.setattr(serve.subprocess, "run", tried)
    with pytest.raises(artifacts.PageError, match="does not start"):
        site.site.build()
    assert began == site.built == []
    site.site.build()
    ((program, command),) = began
    assert command == [program, "-m", "chalkdocs.serve"]


def test_the_engine_is_what_is_loaded_and_the_settings(monkeypatch, tmp_path):
    before = serve.engine_state()
    assert serve.engine_state() == before
    for name, content in {"SETTINGS": "site_name: another", "HERE": ""}.items():
        monkeypatch.setattr(serve, name, tmp_path / name)
        (tmp_path / name).write_text(content, "utf-8")
        assert serve.engine_state() != before
        monkeypatch.undo()


def test_a_page_that_is_not_read_keeps_its_title(monkeypatch):
    monkeypatch.setattr(artifacts, "waits", False)
    path = serve.DOCS / "labs/index.md"

    def page(title, modified):
        file = SimpleNamespace(abs_src_path=str(path), is_modified=lambda: modified)
        return SimpleNamespace(title=title, file=file)

    nav = SimpleNamespace(pages=[page(None, 0), page(None, 1), page("Given", 0)])
    notebooks.on_nav(nav)
    assert [page.title for page in nav.pages] == ["Labs", None, "Given"]


def test_whether_a_page_is_built_is_said_once():
    answers = iter([True, False])
    file = SimpleNamespace(is_modified=lambda: next(answers))
    notebooks.freeze_state(file)
    assert file.is_modified() is file.is_modified() is True


def test_the_search_keeps_what_was_not_built(site):
    index = serve.SITE / "search_index.json"
    index.parent.mkdir(parents=True, exist_ok=True)
    index.write_text(json.dumps({"docs": [{"location": "a/#new", "text": "1"}]}))
    for name in "ab":
        page = serve.SITE / name / "index.html"
        page.parent.mkdir(parents=True)
        page.touch()
    gone = {"location": "c/"}
    before = {"docs": [{"location": "a/#old"}, {"location": "b/"}, gone]}
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
        "figures wiring": drawings.figure("wiring.layers", "Words."),
        "widgets all": widget_places.widget("bowl"),
        "commands of the how-to pages": commands.command("chalkgrad train --help"),
        "lab sweep": notebooks.markdown(serve.DOCS / "labs/sweep.py"),
    }
    for name, box in boxes.items():
        assert f'data-not-made="{name}"' in box
        assert name in box.partition(">")[2]
    site.site.build()
    page = serve.site_path(site.docs / "perceptron/wiring.md")
    page.write_text(boxes["figures wiring"], "utf-8")
    made = Artifact("figures", "wiring", page, lambda: page, lambda: None)
    site.site._replace(made)
    assert page.exists()  # until the next build: one may be under way
    assert (serve.NEWS / "made").read_text() == "wiring"
    site.site.build()
    assert site.built[1:] == [["perceptron/wiring.md"]]


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
