"""The book: made of the built site, the same each time, and no link leads nowhere."""

import zipfile
from xml.etree import ElementTree as ET

import pytest
from tests.site.conftest import HOME, SITE

from chalkdocs import book

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "chalkgrad.epub"
    book.write(SITE, path)
    return path


@pytest.fixture(scope="module")
def texts(made):
    """Return each chapter as XML, by its name."""
    with zipfile.ZipFile(made) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xhtml")]
        return {
            name.removeprefix("book/"): ET.fromstring(archive.read(name))
            for name in names
        }


def test_it_begins_as_a_reader_of_books_asks(made):
    with zipfile.ZipFile(made) as archive:
        first = archive.infolist()[0]
        assert archive.read(first) == b"application/epub+zip"
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        package = ET.fromstring(archive.read("book/package.opf"))
        held = {name.removeprefix("book/") for name in archive.namelist()}
    listed = {item.get("href") for item in package.iter(f"{OPF}item")}
    assert listed == held - {"mimetype", "META-INF/container.xml", "package.opf"}
    read = [item.get("idref") for item in package.iter(f"{OPF}itemref")]
    assert read == ["nav", *(chapter.name for chapter in book.chapters())]
    assert made.stat().st_size < 15e6


def test_the_same_site_is_the_same_book(made, tmp_path):
    book.write(SITE, tmp_path / "again.epub")
    assert (tmp_path / "again.epub").read_bytes() == made.read_bytes()


def test_every_link_within_it_leads_somewhere(texts):
    ids = {
        name: {tag.get("id") for tag in text.iter() if tag.get("id")}
        for name, text in texts.items()
    }
    for name, text in texts.items():
        assert len(ids[name]) == len([t for t in text.iter() if t.get("id")]), name
        for link in text.iter(f"{XHTML}a"):
            target, _, anchor = link.get("href", "").partition("#")
            if "://" in target or not link.get("href"):
                continue
            assert target in texts, (name, target)
            assert not anchor or anchor in ids[target], (name, target, anchor)


def test_it_holds_the_formulas_figures_and_verdicts_of_the_pages(texts):
    told = dict.fromkeys(("math", "figure", "svg"), 0)
    for text in texts.values():
        for tag in text.iter():
            kind = tag.tag.rpartition("}")[2]
            if kind in told:
                told[kind] += 1
            assert kind not in ("script", "form", "button", "input")
    assert told["math"] > 1000
    assert told["figure"] > 50
    claims = {tag.get("id") for text in texts.values() for tag in text.iter()}
    assert len([key for key in claims if (key or "").startswith("claim-")]) >= 37


def test_a_link_out_of_the_book_leads_to_the_site():
    here = book.Chapter("Training", "training/hardware.md")
    assert book.target("../../how-to/judge/#x", here) == f"{HOME}/how-to/judge/#x"
    assert book.target("#x", here) == "training.hardware.xhtml#x"
