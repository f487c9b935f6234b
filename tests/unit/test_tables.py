"""Tables: what is there is read, it is said how, and nothing is guessed silently."""

import csv
import gzip
import importlib.util
import io
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chalkgrad.numpy as cg

drawn = settings(derandomize=True, deadline=None, database=None, max_examples=200)
BACKENDS = [
    importlib.import_module(f"chalkgrad.{backend}")
    for backend in ("numpy", "torch")
    if backend == "numpy" or importlib.util.find_spec("torch")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def written(folder, text, name="t.csv", encoding="utf-8"):
    raw = text.encode(encoding)
    (folder / name).write_bytes(
        gzip.compress(raw) if name.lower().endswith(".gz") else raw
    )
    return folder / name


def told(path, **options):
    with pytest.raises(ValueError, match=r"^load: ") as caught:
        cg.data.load(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def blobs(rng, n=60, d=3):
    y = np.arange(n) % 2
    return rng.normal(size=(n, d)) + 3 * y[:, None], y


def lines(rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


# --- What is there is read ------------------------------------------------------------

WORDS = st.text("abc 'éя:[/]%$-", min_size=1, max_size=6).map(str.strip).filter(bool)


@drawn
@given(data=st.data())
def test_a_table_comes_back_however_it_is_written(data, folder):
    n, d = data.draw(st.integers(6, 12)), data.draw(st.integers(1, 4))
    number = st.floats(-1e6, 1e6).map(lambda v: v + 0.125)
    x = data.draw(
        st.lists(st.lists(number, min_size=d, max_size=d), min_size=n, max_size=n)
    )
    kinds = data.draw(st.lists(WORDS, min_size=2, max_size=3, unique=True))
    labels = [kinds[k % len(kinds)] for k in range(n)]
    decimal = data.draw(st.sampled_from(".,"))
    delimiter = data.draw(
        st.sampled_from([";", "\t", "|", *([","] if decimal == "." else [])])
    )
    names = data.draw(st.lists(WORDS, min_size=d, max_size=d, unique=True))
    assume(not {"id", "index", "kind"} & {name.lower() for name in names})
    assume(not any(set(word) <= set("-.'") for word in [*names, *kinds]))
    text = io.StringIO()
    table = csv.writer(
        text,
        delimiter=delimiter,
        quoting=data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        lineterminator=data.draw(st.sampled_from(["\n", "\r\n", "\n\n"])),
    )
    table.writerow([*names, "kind"])
    for row, label in zip(x, labels, strict=True):
        table.writerow([*(repr(v).replace(".", decimal) for v in row), label])
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    name = data.draw(
        st.sampled_from(["t.csv", "T.CSV", "t.csv.gz", "T.Tsv.GZ", "t.txt"])
    )
    path = written(folder, text.getvalue(), name, encoding)
    table = cg.data.load(
        path,
        decimal=decimal,
        encoding="utf-16" if encoding == "utf-16" else "utf-8",
        delimiter=data.draw(st.sampled_from([None, delimiter])),
    )
    assert table.reading.header
    assert table.reading.columns == tuple(names)
    assert (table.reading.delimiter, table.reading.label) == (delimiter, "kind")
    np.testing.assert_array_equal(table.x, x)
    assert table.labels.tolist() == labels
    said = cg.data.describe(table)
    assert f"{n} rows, {d} inputs ({', '.join(names)})" in said
    assert all(f"{kind} {labels.count(kind)}" in said for kind in kinds)


@drawn
@given(
    places=st.lists(st.integers(0, 400), min_size=1, max_size=3),
    mark=st.sampled_from(['"', '"', "\0", "\n", ",", "'", "\r"]),
)
def test_a_stray_mark_is_refused_or_changes_no_other_row(places, mark, folder):
    rng = np.random.default_rng(0)
    x, y = blobs(rng, 20)
    rows = [
        (f"{a:.3f}", f"{b:.3f}", f"{c:.3f}", "xyz"[k])
        for (a, b, c), k in zip(x, y, strict=True)
    ]
    text = lines([("one", "two", "three", "kind"), *rows])
    for place in places:
        text = text[:place] + mark + text[place:]
    try:
        table = cg.data.load(written(folder, text), header=True)
    except ValueError:
        assert told(folder / "t.csv", header=True)
        return
    wanted = np.array([row[:3] for row in rows], float)
    assert table.x.shape == wanted.shape
    assert (table.x != wanted).sum() + (
        table.labels != [row[3] for row in rows]
    ).sum() <= len(places)


def test_pandas_reads_the_same(folder):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(1)
    frame = pandas.DataFrame(rng.normal(size=(30, 3)), columns=["a b", 'c"d', "é"])
    frame["kind"] = [["x, y", 'z"', "01"][k % 3] for k in range(30)]
    for options in ({}, {"sep": ";"}, {"sep": "\t"}, {"quoting": csv.QUOTE_ALL}):
        frame.to_csv(folder / "p.csv", index=False, **options)
        table = cg.data.load(folder / "p.csv")
        assert table.reading.columns == tuple(frame.columns[:3])
        np.testing.assert_array_equal(table.x, frame.iloc[:, :3].to_numpy())
        assert table.labels.tolist() == frame["kind"].tolist()


def test_a_label_that_is_no_class_is_told_with_its_line(folder):
    path = written(folder, "a,b\n\n1.5,2\n2.5,0.5\n")
    assert "got 0.5 in line 4, column 'b'" in told(path)


def test_labels_are_text(folder):
    path = written(folder, "a,code\n" + "0.5,01\n1.5,1\n" * 5)
    table = cg.data.load(path)
    assert table.labels.tolist() == ["01", "1"] * 5
    assert cg.data.encode_labels(table.labels).classes == ("01", "1")
    for text, wanted in (
        ("1.0 0.0", [1, 0]),
        ("1.000e+00 2.000e+00", [1, 2]),
        ("1.0 1", ["1.0", "1"]),
        ("01.0 2.0", ["01.0", "2.0"]),
        ("1E3 1E4", ["1E3", "1E4"]),
        ("9007199254740993 9007199254740992", [2**53 + 1, 2**53]),
        ("9" * 20 + " 1", ["9" * 20, "1"]),
        ("-1 1", [-1, 1]),
        ("-1 +1", ["-1", "+1"]),
    ):
        one, other = text.split()
        path = written(folder, "a,code\n" + f"0.5,{one}\n1.5,{other}\n" * 5)
        assert cg.data.load(path).labels.tolist() == wanted * 5
    path = written(folder, "a,code\n" + "0.5,10\n1.5,9\n" * 5)
    table = cg.data.load(path)
    assert table.labels.tolist() == [10, 9] * 5
    assert cg.data.encode_labels(table.labels).classes == ("9", "10")


# --- The header -----------------------------------------------------------------------


HEADS = [
    *("0..n", "1..n", "0..n and a word", "an index", "tens", "padded", "halves"),
    *("waves", "years", "years, backwards"),
]


@drawn
@given(data=st.data())
def test_a_header_of_numbers_is_never_an_example(data, folder):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n, d = data.draw(st.integers(5, 60)), data.draw(st.integers(1, 5))
    x = {
        "floats": rng.normal(size=(n, d)).tolist(),
        "short": [[f"{v:g}" for v in row] for row in rng.normal(size=(n, d))],
        "whole": rng.integers(0, 100, (n, d)).tolist(),
    }[data.draw(st.sampled_from(["floats", "short", "whole"]))]
    count = data.draw(st.integers(2, 3))
    labels = [k % count for k in range(n)]
    if data.draw(st.booleans()):
        labels = ["rst"[k] for k in labels]
    head = {
        "0..n": list(range(d + 1)),
        "1..n": list(range(1, d + 2)),
        "0..n and a word": [*range(d), "label"],
        "an index": ["", *range(d + 1)],
        "tens": [10 * k + 10 for k in range(d + 1)],
        "padded": [f"{k:03d}" for k in range(d + 1)],
        "halves": [k / 2 for k in range(d + 1)],
        "waves": [400.5 + 2 * k for k in range(d + 1)],
        "years": [f"{1990 + k}" for k in range(d + 1)],
        "years, backwards": [f"{2025 - k}" for k in range(d + 1)],
    }[data.draw(st.sampled_from(HEADS))]
    rows = [[*row, label] for row, label in zip(x, labels, strict=True)]
    if head[0] == "":
        rows = [[i, *row] for i, row in enumerate(rows)]
    path = written(folder, lines([head, *rows]))
    try:
        table = cg.data.load(path)
    except ValueError as error:
        text = str(error)
        assert "`header=True` or `header=False`" in text or "row number" in text
    else:
        assert table.reading.header
        assert len(table.x) == n
    table = cg.data.load(
        path, header=True, inputs=[str(h) for h in head[:-1] if h != ""]
    )
    np.testing.assert_array_equal(table.x, np.array(x, float))
    assert sorted(set(table.labels.tolist())) == sorted(set(labels))


@drawn
@given(seed=st.integers(0, 2**32), n=st.integers(5, 60), d=st.integers(2, 5))
def test_a_table_without_a_header_has_none(seed, n, d, folder):
    x, y = blobs(np.random.default_rng(seed), n, d)
    path = written(
        folder, lines([*map(float, row), k] for row, k in zip(x, y, strict=True))
    )
    table = cg.data.load(path)
    assert not table.reading.header
    np.testing.assert_array_equal(table.x, x)
    assert "header none" in cg.data.describe(table)


def test_a_header_may_be_said(folder):
    path = written(folder, "0,1\n" + "1,0\n0,1\n" * 5)
    assert "`header=True` or `header=False`" in told(path)
    assert len(cg.data.load(path, header=True).x) == 10
    assert len(cg.data.load(path, header=False).x) == 11
    path = written(folder, "a,x\n" + "1,b\n2,c\n" * 5)
    assert "'a' in line 1, which is no number" in told(path, header=False)
    with pytest.raises(TypeError, match="`header` must be True or False"):
        cg.data.load(path, header="no")


# --- Which columns --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "id", "ID", "index", "Unnamed: 0", "n"])
def test_a_row_number_is_left_out_unless_it_is_asked_for(name, folder):
    rng = np.random.default_rng(2)
    x, y = blobs(rng, 12, 2)
    keys = np.arange(12) + 1 if name == "n" else rng.permutation(900)[:12]
    rows = [[k, *row, label] for k, row, label in zip(keys, x.tolist(), y, strict=True)]
    path = written(folder, lines([[name, "a", "b", "kind"], *rows]))
    table = cg.data.load(path)
    assert table.reading.columns == ("a", "b")
    np.testing.assert_array_equal(table.x, x)
    assert f"left out: {name or 'column 0'} (a row number)" in cg.data.describe(table)
    assert [str(key) for key in table.reading.keys] == list(map(str, keys))
    asked = cg.data.load(path, inputs=[0, "a", "b"])
    np.testing.assert_array_equal(asked.x[:, 0], keys)


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_delimiter_at_the_end_of_each_line_makes_no_row_number(mark, folder):
    ends = lines([["a", "b", "kind", ""], [1.5, 2.5, "x", ""], [2.5, 4.5, "y", " "]])
    table = cg.data.load(written(folder, ends.replace(",", mark)))
    assert table.reading.label == "kind"
    assert table.reading.columns == ("a", "b")
    assert "left out: column 3 (no name, and empty)" in cg.data.describe(table)
    assert (table.reading.key, table.reading.keys.tolist()) == ("line", [2, 3])


def test_columns_are_chosen_by_name_or_number(folder):
    path = written(
        folder,
        "kind,a,b,same,name\n"
        + lines([["xy"[k % 2], k + 0.5, -k - 0.5, 7, f"n{k}"] for k in range(8)]),
    )
    text = told(path)
    assert "'x' in line 2, which is no number, in column 'kind'" in text
    assert "`labels='kind'`" in text
    text = told(path, labels="kind")
    assert "'n0' in line 2, which is no number, in column 'name', which holds" in text
    assert "`drop='name'`" in text
    table = cg.data.load(path, labels="kind", drop="name")
    assert table.reading.columns == ("a", "b", "same")
    assert "the same everywhere: same" in cg.data.describe(table)
    assert "left out: name (dropped)" in cg.data.describe(table)
    table = cg.data.load(path, labels=0, inputs="b,1")
    assert table.reading.columns == ("b", "a")
    for inputs in (np.array([2, 1]), ("b", "a"), range(2, 0, -1), np.array(["b", "a"])):
        table = cg.data.load(path, labels=np.int64(0), inputs=inputs)
        assert table.reading.columns == ("b", "a")
    assert "would give an input twice" in told(path, labels=0, inputs="b,b")
    np.testing.assert_array_equal(table.x[:, 0], -np.arange(8) - 0.5)
    assert "has no column 'c'; they are kind, a" in told(path, drop=["c"])
    assert "none has number 9" in told(path, inputs=9)
    assert "which can't be an input as well" in told(path, labels="a", inputs="a")
    assert "which is dropped" in told(path, labels="a", drop="a")
    path = written(folder, "id,kind\n" + "1,a\n2,b\n3,a\n")
    assert "looks like a row number; `inputs='id'` takes it in" in told(path)
    path = written(folder, "a,b,a,kind\n1,2,3,x\n")
    assert "has 2 columns that are called 'a', number 0 and 2" in told(path)


# --- Missing, and what is no number ---------------------------------------------------


@pytest.mark.parametrize(
    "mark",
    [
        *("", "NA", "nan", "NaN", "?", "N/A", "null", " ", "na", "n.a.", "NaT", "Null"),
        *("-", "--", ".", "…", "—", "\\N", "(null)", "#DIV/0!", "#VALUE!", "#NUM!"),
    ],
)
def test_what_is_missing_is_refused_left_out_or_filled_in(mark, folder):
    rows = [[k + 0.5, -k, "xy"[k % 2]] for k in range(8)]
    rows[3][1] = mark
    path = written(folder, lines([["a", "b", "kind"], *rows]))
    text = told(path)
    assert "in line 5" in text
    assert "column 'b'" in text
    assert "`missing='drop'`" in text
    assert "`missing='mean'`" in text
    table = cg.data.load(path, missing="drop")
    assert len(table.x) == 7
    assert "1 rows left out" in cg.data.describe(table)
    table = cg.data.load(path, missing="mean")
    assert table.x[3, 1] == pytest.approx(-25 / 7)
    assert "filled in: 1 missing" in cg.data.describe(table)
    rows[3][1], rows[6][2] = -3, mark
    path = written(folder, lines([["a", "b", "kind"], *rows]))
    for missing in ("refuse", "mean"):
        text = told(path, missing=missing)
        assert "has no label in line 8, column 'kind'" in text
        assert "`missing='drop'`" in text
    table = cg.data.load(path, missing="drop")
    assert sorted(set(table.labels)) == ["x", "y"]
    assert len(table.x) == 7


def test_dashes_among_marks_are_labels(folder):
    path = written(folder, "a,kind\n" + "1.5,+\n2.5,-\n" * 3)
    assert cg.data.load(path).labels.tolist() == ["+", "-"] * 3
    assert cg.data.encode_labels(["+", "-"]).classes == ("+", "-")
    path = written(folder, "a,kind\n" + "1.5,none\n2.5,mild\n" * 3)
    assert cg.data.load(path).labels.tolist() == ["none", "mild"] * 3
    with pytest.raises(ValueError, match="no label in row 1, but '-'"):
        cg.data.encode_labels(["a", "-"])


def test_what_says_nothing_at_all_is_told(folder):
    path = written(folder, "a,b,c,kind\n" + "1.5,,NA,x\n2.5,,NA,y\n" * 3)
    for missing in ("refuse", "drop", "mean"):
        text = told(path, missing=missing)
        assert "has nothing but missing numbers in column 'b'" in text
        assert text.endswith("leave it out: `drop='b,c'`.")
    assert cg.data.load(path, drop="b,c").x.tolist() == [[1.5], [2.5]] * 3
    path = written(folder, "a,b,kind,notes\n" + "1.5,2,x,\n2.5,3,y,\n" * 3)
    text = told(path, drop="kind")
    assert "has no label in any row of column 'notes'" in text
    assert len(cg.data.load(path, labels="kind", drop="notes").x) == 6


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('"1,500"', "unless it has ',' between thousands: write it without"),
        ("1.234.567", "write it without '.'"),
        ("1 500", "write it without ' '"),
        ("1\u00a0500", "write it without '\\xa0'"),
        ("1'500", 'write it without "\'"'),
        ("13.5 %", "write it without the %"),
        ('"13,5%"', "write it without the %; `decimal=','` makes it one"),
        ("12 €", "write it without the €"),
        ("$7.5", "write it without the $"),
        ("“7.5”", "write it without the “ and ”"),
        ("−7.5", "write its sign as '-'"),
        ("12:30", "mend it"),
        ("2020-01-01", "mend it"),
        ('"1,5"', "`decimal=','` makes it one"),
        ('"12,573.02"', "write it without ','"),
        ("5%", "write it without the %"),
        ("1_5", "mend it, or leave the column out: `drop='b'`"),
        ("x", "mend it, or leave the column out: `drop='b'`"),
        ("inf", "every number must be finite"),
    ],
)
def test_what_is_no_number_is_told_with_what_can_be_done(cell, words, folder):
    path = written(
        folder, "a,b,kind\n" + "1.5,2.5,x\n2.5,3.5,y\n" * 3 + f"1.5,{cell},x\n"
    )
    text = told(path)
    assert "line 8" in text
    assert "column 'b'" in text
    assert words in text


def test_the_advice_about_a_decimal_comma_works(folder):
    for text in (
        "a;b;kind\n" + "1,5;2,5;x\n2,5;3,5;y\n" * 3,
        "1,5;2,5;x\n" + "2,5;3,5;y\n" * 3,
        'a,b,kind\n"1,5","2,5",x\n' + '"2,5","3,5",y\n' * 3,
        "1,5 2,5 x\n" + "2,5 3,5 y\n" * 3,
    ):
        path = written(folder, text)
        if " " not in text:  # a space is the last guess
            assert "`decimal=','`" in told(path)
        table = cg.data.load(path, decimal=",")
        assert table.x[0].tolist() == [1.5, 2.5]
    path = written(folder, "a;b;kind\n1.5;2,5;x\n")
    assert "`decimal='.'` makes it one" in told(path, decimal=",")


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\na;b;label\n" + "1.5;2.5;0\n2.5;3.5;1\n" * 3,  # Excel
        "# a,b,label\n" + "1.5,2.5,0.000e+00\n2.5,3.5,1.000e+00\n" * 3,  # savetxt
        "\n a,b,label \n\n" + "1.5, 2.5, 0\n  \n2.5,3.5,1\n" * 3 + "\n\n",
        "  a  b  label \n" + " 1.5   2.5  0  \n 2.5 3.5 1\n" * 3,
        '"a","b","label"\n' + '"1.5","2.5","0"\n"2.5","3.5","1"\n' * 3,
        "a,b,label,\n" + "1.5,2.5,0,\n2.5,3.5,1,\n" * 3,  # a comma too many
        "a,b,label\r" + "1.5,2.5,0\r2.5,3.5,1\r" * 3,
    ],
)
def test_what_programs_write_is_read(text, folder):
    table = cg.data.load(written(folder, text))
    assert (table.reading.columns, table.reading.label) == (("a", "b"), "label")
    assert table.x.tolist() == [[1.5, 2.5], [2.5, 3.5]] * 3
    assert table.labels.tolist() == [0, 1] * 3


@pytest.mark.parametrize("mark", ["\\t", "tab", "TAB", "\t"])
def test_a_tab_has_names(mark, folder):
    path = written(folder, "a b\tc\tkind\n" + "1.5\t2.5\tx y\n2.5\t3.5\tz\n" * 2)
    for delimiter in (mark, None):
        table = cg.data.load(path, delimiter=delimiter)
        assert table.reading.columns == ("a b", "c")
    assert "delimiter tab" in cg.data.describe(table)


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ("naïve".encode(encoding), encoding)
        for encoding in ("cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
    ],
)
def test_the_advice_about_an_encoding_works(raw, encoding, folder):
    text = "a,naïve,kind\n" + "1.5,2.5,x\n2.5,3.5,y\n" * 2
    path = written(folder, text, encoding=encoding)
    assert f"; if it is in {encoding}, say `encoding='{encoding}'`" in told(path)
    assert cg.data.load(path, encoding=encoding).reading.columns == ("a", "naïve")
    assert "`encoding` must be one that Python knows" in told(path, encoding="klingon")
    assert "`encoding` must be one that Python knows" in told(path, encoding="hex")


def test_a_mark_of_byte_order_is_no_part_of_a_name(folder):
    for encoding in ("utf-8-sig", "utf-16-le", "utf-16-be"):
        path = written(folder, "\ufeffa,kind\n1.5,x\n2.5,y\n", encoding=encoding)
        assert cg.data.load(path, encoding=encoding).reading.columns == ("a",)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp437", "mac-roman"])
def test_a_mark_of_utf_8_is_no_letter_of_another_encoding(encoding, folder):
    path = written(folder, "\ufefflabel,a\nx,1.5\ny,2.5\n", encoding="utf-8")
    text = told(path, encoding=encoding)
    assert text.endswith(f"{encoding} was asked for; say `encoding='utf-8'`.")
    assert cg.data.load(path, encoding="utf-8").reading.label == "label"


def test_another_mark_between_columns_is_asked_for(folder):
    path = written(folder, "a:b:kind\n1.5:2.5:x\n2.5:3.5:y\n")
    assert told(path).endswith("if another mark is, say so: `delimiter`.")
    assert cg.data.load(path, delimiter=":").x.tolist() == [[1.5, 2.5], [2.5, 3.5]]


def test_what_is_packed_is_told(folder):
    for raw in (gzip.compress(b"a,kind\n1.5,x\n"), b"PK\x03\x04 \0"):
        (folder / "t.csv").write_bytes(raw)
        assert "it is packed: unpack it" in told(folder / "t.csv")
    for rows in (1, 100):
        path = written(folder, "a,kind\n" + "1.5,x\n" * rows + "2.5,\0\n")
        where = f"has a NUL in line {rows + 2}, which no table has."
        assert told(path).endswith(where)


def test_a_cell_of_several_lines_is_refused_unless_it_is_left_out(folder):
    path = written(folder, 'a,note,kind\n1.5,"one\ntwo",x\n2.5,three,y\n')
    assert "has a cell of several lines, 2 to 3, in column 'note'" in told(
        path, inputs="a"
    )
    assert cg.data.load(path, drop="note").x.tolist() == [[1.5], [2.5]]
    path = written(folder, 'a,"no\nte",kind\n1.5,2,x\n2.5,3,y\n')
    assert "has a name of several lines" in told(path)


def test_options_of_a_table_are_refused_elsewhere(folder):
    np.savez(folder / "set.npz", x=np.eye(3), labels=np.arange(3))
    for name, value in {"drop": "a", "header": True, "missing": "drop"}.items():
        text = told(folder / "set.npz", **{name: value})
        assert f"is no table, so it has no `{name}`" in text
    text = told(folder / "set.npz", inputs=["x", "y"])
    assert "`inputs` must name one array" in text


# --- The path: describe, encode, split, scale -----------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_path_from_a_file_to_a_network(backend, folder):
    rng = np.random.default_rng(3)
    x, y = blobs(rng, 80)
    path = written(
        folder,
        lines(
            [
                ["a", "b", "c", "kind"],
                *(
                    [*row, ["oak", "elm"][k]]
                    for row, k in zip((100 * x).tolist(), y, strict=True)
                ),
            ]
        ),
    )
    table = backend.data.load(path)
    assert isinstance(table.labels, np.ndarray)
    with pytest.raises(TypeError, match=r"labels, classes = cg.data.encode_labels\("):
        backend.data.split(*table)
    ids, classes = backend.data.encode_labels(table.labels)
    assert classes == ("elm", "oak")
    x, labels, x_test, labels_test = backend.data.split(table.x, ids)
    x, scaling = backend.data.scale(x)
    np.testing.assert_allclose(backend.asnumpy(x).mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(backend.asnumpy(x).std(0), 1, rtol=1e-12)
    x_test, _ = backend.data.scale(x_test, by=scaling)
    net = backend.network([3, 2])
    trace = backend.training.fit(
        net,
        net.init(),
        x,
        labels,
        loss=backend.losses.cross_entropy,
        optimizer=backend.optimizers.adam(0.1),
        epochs=60,
    )
    assert backend.training.accuracy(net, trace.w, x_test, labels_test) > 0.9
    assert backend.data.describe(table) == cg.data.describe(cg.data.load(path))


@pytest.mark.parametrize("backend", BACKENDS)
def test_scaling_of_rows_is_that_of_their_array(backend, folder):
    rng = np.random.default_rng(4)
    x = rng.normal([5, 1e6, 0], [1, 1e3, 0], (50, 3))
    np.savez(folder / "set.npz", x=x, labels=np.arange(50) % 2)
    lazy = backend.data.load(folder / "set.npz", lazy=True).x
    whole, by = backend.data.scale(backend.array(x))
    rows, same = backend.data.scale(lazy)
    np.testing.assert_allclose(
        backend.asnumpy(rows[:]), backend.asnumpy(whole), rtol=1e-9
    )
    for one, other in zip(by, same, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert (backend.asnumpy(whole)[:, 2] == 0).all()
    for bad in (np.nan, np.inf):
        spoiled = x.copy()
        spoiled[3, 1] = bad
        with pytest.raises(ValueError, match=r"scale: `x` has a nan .* column 1"):
            backend.data.scale(backend.array(spoiled))
    with pytest.raises(ValueError, match="scale: axis d is 3 in `x` but 2 in `by`"):
        backend.data.scale(
            backend.array(x), by=backend.data.Scaling(np.zeros(2), np.ones(2))
        )


@pytest.mark.parametrize("size", [1e-300, 1e-3, 1e150, 1e300])
def test_scaling_keeps_its_digits(size, folder):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(40, 2))
    scaled = cg.data.scale(size * x).x
    wanted = (x - x.mean(0)) / x.std(0)
    np.testing.assert_allclose(scaled, wanted, rtol=1e-9, atol=1e-12)
    # A shift that is large takes no digits away: the file has them.
    np.savez(folder / "set.npz", x=x + 1e9, labels=np.arange(40) % 2)
    rows = cg.data.load(folder / "set.npz", lazy=True, dtype="float32").x
    scaled = cg.data.scale(rows).x[:]
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, wanted, atol=1e-5)


@given(st.lists(st.one_of(st.integers(-5, 12), st.sampled_from(["a", "01", "1 "]))))
def test_labels_are_numbered_and_named(labels):
    if len({type(label) for label in labels}) != 1:
        with pytest.raises((TypeError, ValueError)):
            cg.data.encode_labels(labels)
        return
    ids, classes = cg.data.encode_labels(labels)
    assert [classes[k] for k in ids] == list(map(str, labels))
    assert len(set(classes)) == len(classes)
    order = int if isinstance(labels[0], int) else str
    assert list(classes) == sorted(classes, key=order)
    again = cg.data.encode_labels(np.array(labels)[:1], classes=classes).ids
    assert again.tolist() == [ids[0]]


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        (["a", None], None, "`labels` has no label in row 1, but None"),
        (["a", ""], None, "`labels` has no label in row 1"),
        ([1.0, float("nan")], None, "`labels` has no label in row 1, but nan"),
        ([0.5], None, "must be words, or whole numbers, got 0.5 in row 0"),
        (["a", 1], None, "must be words, or whole numbers, got 1 in row 1"),
        (["a", "c"], ["a", "b"], "has the label 'c' in row 1, .* classes a, b"),
        (np.eye(3), None, r"labels.argmax\(1\) has one for each row"),
        (np.zeros((3, 1), int), None, r"labels\[:, 0\] has one for each row"),
        (["a"], ["a", "a"], "`classes` has a name twice"),
    ],
)
def test_labels_that_cannot_be_numbered_are_told(labels, classes, words):
    for backend in BACKENDS:
        with pytest.raises((TypeError, ValueError), match=f"encode_labels: .*{words}"):
            backend.data.encode_labels(labels, classes=classes)


# --- Frames and series ----------------------------------------------------------------


class Frame:
    """What is like a DataFrame or a Series: it has an index, and `to_numpy`."""

    def __init__(self, values, index):
        self.values, self.index = np.asarray(values), np.asarray(index)

    @property
    def shape(self):
        return self.values.shape

    @property
    def dtype(self):
        return self.values.dtype

    def __len__(self):
        return len(self.values)

    def __getitem__(self, wanted):  # by the index, as pandas does
        return Frame(
            self.values[[self.index.tolist().index(i) for i in wanted]], wanted
        )

    def to_numpy(self):
        values = self.values.copy()
        values.flags.writeable = False  # as pandas 3 gives it
        return values


def frames(kind, x, y, order):
    """Return inputs and labels in another order than that of their index."""
    if kind == "a stand-in":
        return Frame(x[order], order), Frame(y[order], order)
    library = pytest.importorskip(kind)
    if kind == "polars":
        return library.DataFrame(x[order]), library.Series(y[order])
    frame = library.DataFrame(x, columns=list("abc")).iloc[order]
    return frame, library.Series(y).loc[frame.index]


@pytest.mark.parametrize("kind", ["a stand-in", "pandas", "polars"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_frame_is_taken_by_place_everywhere(backend, kind):
    rng = np.random.default_rng(5)
    x, y = blobs(rng, 40)
    order = rng.permutation(40)
    frame, series = frames(kind, x, y, order)
    ours, labels = backend.array(x[order]), backend.array(y[order])
    np.testing.assert_array_equal(backend.asnumpy(backend.array(frame)), x[order])
    np.testing.assert_array_equal(backend.asnumpy(backend.array(series)), y[order])

    def same(one, other):
        for a, b in zip(one, other, strict=True):
            assert type(a) is type(b)
            np.testing.assert_array_equal(backend.asnumpy(a), backend.asnumpy(b))

    same(backend.data.split(frame, series), backend.data.split(ours, labels))
    ways = [
        list(backend.data.batches(*both, size=7, rng=0))
        for both in ((frame, series), (ours, labels))
    ]
    for one, other in zip(*ways, strict=True):
        same(one, other)
    net, loss = backend.network([3, 2]), backend.losses.cross_entropy
    traces = [
        backend.training.fit(
            net,
            net.init(),
            *both,
            loss=loss,
            optimizer=backend.optimizers.adam(0.1),
            epochs=3,
            validation=both,
        )
        for both in ((frame, series), (ours, labels))
    ]
    same([trace.w for trace in traces[:1]], [trace.w for trace in traces[1:]])
    w = traces[0].w
    for count in (backend.training.accuracy, backend.training.confusion):
        assert np.array_equal(count(net, w, frame, series), count(net, w, ours, labels))
    for name in (backend.training.predict, backend.training.probabilities):
        same([name(net, w, frame)], [name(net, w, ours)])
    same(backend.data.scale(frame)[:1], backend.data.scale(ours)[:1])
    with pytest.raises(TypeError, match=r"make one with cg.array\(x\)"):
        net.forward(w, frame)


@pytest.mark.parametrize("backend", BACKENDS)
def test_words_in_a_frame_are_told(backend):
    x, words = backend.array(np.ones((4, 3))), np.array(list("abab"), object)
    series = Frame(words, range(4))
    assert backend.data.encode_labels(series).classes == ("a", "b")
    net = backend.network([3, 2])
    fit = {
        "loss": backend.losses.cross_entropy,
        "optimizer": backend.optimizers.sgd(0.1),
        "epochs": 1,
    }
    for call in (
        lambda: backend.array(series),
        lambda: backend.data.split(x, series),
        lambda: backend.training.fit(net, net.init(), x, series, **fit),
        lambda: backend.losses.cross_entropy(backend.array(np.ones((4, 2))), series),
    ):
        with pytest.raises(TypeError, match=r"classes = cg\.data\.encode_labels"):
            call()
    with pytest.raises(TypeError, match="leave columns of words out"):
        backend.array(Frame(words[:, None], range(4)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_of_many_types_in_a_frame_are_numbers(backend):
    x = np.array([[1.5, 2, True], [Decimal("2.5"), 3, False]], object)
    made = backend.asnumpy(backend.array(Frame(x, range(2))))
    assert made.dtype == np.float64
    assert made.tolist() == [[1.5, 2, 1], [2.5, 3, 0]]
    whole = backend.asnumpy(backend.array(Frame(x[:, 1], range(2))))
    assert (whole.dtype, whole.tolist()) == (np.int64, [2, 3])
    x[1, 1] = None
    with pytest.raises(ValueError, match="no number, but None, in row 1; leave such"):
        backend.data.split(Frame(x, range(2)), backend.array([0, 1]))
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.5, 2.5], "b": [1, 2], "c": [True, False]})
    frame = frame.convert_dtypes()
    assert backend.asnumpy(backend.array(frame)).tolist() == [[1.5, 1, 1], [2.5, 2, 0]]
    frame.loc[1, "b"] = pandas.NA
    with pytest.raises(ValueError, match="no number, but <NA>, in row 1"):
        backend.array(frame)
    hot = pandas.get_dummies(pandas.Series(["a", "b"]))
    with pytest.raises(ValueError, match=r"labels\.to_numpy\(\)\.argmax\(1\)"):
        backend.data.encode_labels(hot)
    polars = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"read it by x\.collect\(\)"):
        backend.array(polars.DataFrame({"a": [1.5]}).lazy())


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_label_is_told_with_its_row(backend):
    labels = backend.array([0.0, 1.0, np.nan])
    with pytest.raises(TypeError, match="there is none in row 2; leave such rows out"):
        backend.losses.cross_entropy(backend.array(np.ones((3, 2))), labels)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gap_that_only_pandas_knows_is_told(backend):
    pandas = pytest.importorskip("pandas")
    for labels in (
        pandas.Series(["a", None], dtype="string"),
        [1, pandas.NA],
        pandas.Series([True, None], dtype="boolean"),
    ):
        with pytest.raises(ValueError, match="no label in row 1"):
            backend.data.encode_labels(labels)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_type_that_numpy_lacks_is_told(backend):
    polars = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"array: `x` must hold numbers, got polars"):
        backend.array(polars.Series([1], dtype=polars.Int128))


# --- Advice ---------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(4,), (2, 2)])
@pytest.mark.parametrize("kind", ["list", "array", "frame"])
def test_the_advice_about_numbers_that_are_written_out_works(backend, shape, kind):
    words = np.array(["1.5", "-2", "3e2", "4"]).reshape(shape)
    x = words.tolist() if kind == "list" else words
    if kind == "frame":
        pandas = pytest.importorskip("pandas")
        x = (pandas.Series if len(shape) == 1 else pandas.DataFrame)(words)
    with pytest.raises(TypeError) as error:
        backend.array(x)
    advice = re.search(
        r"cg\.array\(np\.\S+ float\)\)", str(error.value).split("; ")[-1]
    )
    made = eval(advice.group(), {"cg": backend, "np": np, "x": x})
    assert backend.asnumpy(made).tolist() == words.astype(float).tolist()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_the_advice_about_one_hot_labels_works(backend, dtype):
    logits = backend.array(np.random.default_rng(6).normal(size=(4, 3)))
    ids = np.array([2, 0, 1, 2])
    labels = backend.array(np.eye(3)[ids], dtype=dtype)
    net = backend.network([3, 3])
    for call in (
        lambda y: backend.losses.cross_entropy(logits, y),
        lambda y: net.loss_and_grad(
            net.init(), logits, y, backend.losses.cross_entropy
        ),
        lambda y: backend.training.accuracy(net, net.init(), logits, y),
        lambda y: backend.training.confusion(net, net.init(), logits, y),
    ):
        with pytest.raises(ValueError, match=r"one-hot, .* labels.argmax\(1\) gives"):
            call(labels)
        call(labels.argmax(1))
    assert backend.asnumpy(labels.argmax(1)).tolist() == ids.tolist()


@pytest.mark.parametrize("backend", BACKENDS)
def test_half_precision_is_called_so(backend):
    net = backend.network([3, 2])
    x = backend.array(np.ones((2, 3)), dtype="float16")
    with pytest.raises(TypeError, match="`w` is float64 but `x` is float16; convert"):
        net.forward(net.init(), x)
    p = backend.array(np.ones((2, 3)))
    with pytest.raises(TypeError, match="but `targets` is float16"):
        backend.losses.mse(p, x)
    with pytest.raises(TypeError, match="`predictions` is float16 but `targets` is fl"):
        backend.losses.mse(x, p)
