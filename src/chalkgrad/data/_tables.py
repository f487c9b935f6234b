"""Tables: what text in rows and columns says, and which line it does not say it in.

Python's ``csv`` reads the rows. All that has to be guessed, the header, the mark
between columns, what is a row number, is told with the table; where two guesses are as
good, the table is refused, with the option that decides.
"""

import array
import codecs
import csv
import gzip
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import index, itemgetter
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np

__all__ = [
    "LINE",
    "Options",
    "Reading",
    "missing_labels",
    "open_file",
    "option",
    "read",
    "refuse",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

# In this order, for a comma may be in a number; by the decimal sign.
DELIMITERS = {".": "\t;|,", ",": "\t;| ,"}
DELIMITER_NAMES = {
    "\\t": "\t",
    "tab": "\t",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
}
LABELS = ("label", "labels")
ROW_NUMBERS = ("", "id", "index")
# What pandas, spreadsheets and databases write for missing, in small letters, and the
# mark of the UCI repository.
MISSING = {
    *("", "?", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "1.#ind", "1.#qnan"),
    *("<na>", "n/a", "na", "n.a.", "nat", "null", "(null)", "[null]", "\\n", "none"),
    *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),
}
# What may stand around a number, and between its thousands.
AROUND = "%‰€$£¥\"“”„‘’'"
SPACES = " \u00a0\u2009\u202f"
ROW_NUMBER = "a row number"  # why a column is no input
NO_NAME = "no name, and empty"
PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
LINE = "line"  # what names a row that no column names
SAMPLE = 1000  # rows that are looked at before the columns are told apart
FEW = 5  # rows from which a column can't be told from another


@dataclass(frozen=True)
class Options:
    """How a table is to be read; what is None is recognised."""

    labels: Any = True
    inputs: str | int | Sequence[str | int] | None = None
    drop: Any = ()
    header: bool | None = None
    delimiter: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"
    missing: str = "refuse"
    like: "Reading | None" = None
    """The table that a network was trained on: columns are matched with its names."""
    fill: Array | None = None
    """What stands for a missing number of each input; by default the column's mean."""


@dataclass(frozen=True)
class Reading:
    """What was read, and how."""

    path: str
    columns: tuple[str, ...] = ()
    """The names of the inputs, in their order; the places of those without names."""
    label: str | None = None
    """The column, or the file, of the labels."""
    header: bool = False
    delimiter: str = ""
    decimal: str = "."
    encoding: str = ""
    """Empty if it is no table."""
    width: int = 0
    """How many columns the table has."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Columns that are no inputs, and why."""
    rows_left_out: int = 0
    filled: Array | None = None
    """What stands for a missing number of each input, if they are filled in."""
    gaps: int = 0
    """How many numbers were filled in."""
    constant: tuple[str, ...] = ()
    """Inputs that are the same everywhere."""
    key: str = ""
    """The column that names a row, or ``line``."""
    keys: Any = ()
    """What names each row: a cell of that column, or else its line; shape (n,)."""

    @property
    def is_table(self) -> bool:
        """Whether it is text, not an array."""
        return bool(self.encoding)

    def name_row(self, row: int) -> str:
        """Name a row as who looks into the file finds it."""
        if not self.key:
            return f"row {row}, counted from 0"
        key = self.keys[row]
        return (
            f"line {key}"
            if self.key == LINE
            else f"the row whose {self.key!r} is {key}"
        )


def option(where: str, name: str, value: str = "") -> str:
    """Name an option as one writes it: to a function, or in a command."""
    if where != "load":
        return f"--{name.replace('_', '-')} {value}".rstrip()
    return f"`{name}={value!r}`" if value else f"`{name}`"


def open_file(path: Path) -> Any:
    """Open a file, packed or not, for its bytes."""
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def refuse(where: str, path: Path, why: str) -> NoReturn:
    """Raise: the file is not what it should be."""
    raise ValueError(f"{where}: {path} {why}.")


def read(
    where: str, path: Path, options: Options
) -> tuple[Array, Array | None, Reading]:
    """Read a table: the inputs as float64, the labels as text, and how it was read."""
    try:
        name = codecs.lookup(options.encoding).name
        io.TextIOWrapper(io.BytesIO(), name).close()  # not all make text of bytes
    except (LookupError, TypeError, ValueError):
        raise ValueError(
            f"{where}: `encoding` must be one that Python knows, such as utf-8, cp1252 "
            f"or utf-16, got {options.encoding!r}."
        ) from None
    encoding = "utf-8-sig" if name == "utf-8" else name
    _refuse_other_mark(where, path, options, encoding)
    with (
        open_file(path) as raw,
        io.TextIOWrapper(raw, encoding=encoding, newline="") as file,
    ):
        try:
            return _Table(where, path, options, file).read()
        except UnicodeError:
            tried = "UTF-8" if options.encoding == "utf-8" else options.encoding
            advice = _encoding_advice(where, path, options)
            refuse(where, path, f"is no text in {tried}{advice}")


def _refuse_other_mark(where: str, path: Path, options: Options, encoding: str) -> None:
    """Refuse a mark of UTF-8 that would be read as letters of the first name."""
    with open_file(path) as file:
        start = file.read(len(codecs.BOM_UTF8))
    if start == codecs.BOM_UTF8 and encoding != "utf-8-sig":
        refuse(
            where,
            path,
            f"begins with the mark of utf-8, and {options.encoding} was asked for; say "
            f"{option(where, 'encoding', 'utf-8')}",
        )


def _encoding_advice(
    where: str, path: Path, options: Options, *, has_nul: bool = False
) -> str:
    """Say how a file that is no text, as it was read, may be read."""
    with open_file(path) as file:
        start = file.read(100)
    if start.startswith(PACKED):
        return "; it is packed: unpack it, or end its name with .gz if gzip did it"
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        likely = "utf-32"
    elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        likely = "utf-16"
    elif 4 * start.count(0) > len(start):  # half of each letter of the West
        likely = "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
    elif has_nul or 0 in start:
        return ""
    else:
        likely = "cp1252"
    if codecs.lookup(options.encoding).name == codecs.lookup(likely).name:
        return ""
    return f"; if it is in {likely}, say {option(where, 'encoding', likely)}"


class _Row(NamedTuple):
    """Cells, the line that they end in, and whether they began in another."""

    line: int
    cells: list[str]
    is_broken: bool


class _Table:
    def __init__(
        self, where: str, path: Path, options: Options, file: Iterable[str]
    ) -> None:
        self.where, self.path, self.options = where, path, options
        self.decimal = self._mark()
        first = list(islice(file, 20))
        self.told = ""
        if first:
            first[0] = first[0].removeprefix("\ufeff")  # some codecs leave it
        if first and first[0].lower().startswith("sep=") and len(first[0].strip()) < 6:
            self.told = first[0].strip("\r\n")[4:]  # Excel's way to tell it
            first[0] = "\n"
        self.delimiter = self._delimiter(first)
        self.lines = self._lines(chain(first, file))

    # --- Rows -------------------------------------------------------------------------

    def _refuse(self, why: str) -> NoReturn:
        refuse(self.where, self.path, why)

    def _option(self, name: str, value: str = "") -> str:
        return option(self.where, name, value)

    def _mark(self) -> str:
        decimal = self.options.decimal
        if decimal not in (".", ","):
            raise ValueError(
                f"{self.where}: `decimal` must be a point or a comma, got {decimal!r}."
            )
        return decimal

    def _delimiter(self, lines: list[str]) -> str:
        """Return what is between columns: that which makes all rows as long."""
        given = self.options.delimiter
        given = self.told or None if given is None else given
        if given is not None:
            mark = DELIMITER_NAMES.get(str(given).lower(), str(given))
            if not isinstance(given, str) or len(mark) != 1 or mark in '"\r\n':  # type: ignore[redundant-expr]
                raise ValueError(
                    f"{self.where}: `delimiter` must be one character, or tab, got "
                    f"{given!r}."
                )
            return mark
        marks = DELIMITERS[self.decimal]
        widths = {mark: self._width(lines, mark) for mark in marks}
        if max(widths.values()):
            return max(marks, key=widths.__getitem__)
        text = "".join(lines)
        mark = max(marks, key=text.count)
        return mark if mark in text else " "

    @staticmethod
    def _width(lines: list[str], mark: str) -> int:
        """Return how many columns a mark makes, the same in all lines; 0 if not."""
        rows = csv.reader(lines, delimiter=mark, skipinitialspace=True)
        try:
            sizes = {len(row) for row in rows if len(row) > 1 or "".join(row).strip()}
        except csv.Error:
            return 0
        return sizes.pop() if len(sizes) == 1 and sizes != {1} else 0

    def _lines(self, file: Iterable[str]) -> Iterator[str]:
        """Go through the lines that Python's ``csv`` takes as they are."""
        for number, line in enumerate(file, 1):
            if "\0" in line:
                advice = _encoding_advice(
                    self.where, self.path, self.options, has_nul=True
                )
                self._refuse(f"has a NUL in line {number}, which no table has{advice}")
            # A space at the end would be one more column.
            yield f"{line.rstrip()}\n" if self.delimiter == " " else line

    def _rows(self) -> Iterator[_Row]:
        reader = csv.reader(
            self.lines, delimiter=self.delimiter, skipinitialspace=True, strict=True
        )
        before = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._refuse(
                    f"is no table: {error}, in the row of line {before + 1}: a "
                    "quotation mark, perhaps, that is never closed, or stands inside; "
                    'one that is meant is written twice, ""'
                )
            line = reader.line_num
            is_broken, before = line > before + 1, line
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield _Row(line, cells, is_broken)

    # --- Columns ----------------------------------------------------------------------

    def read(self) -> tuple[Array, Array | None, Reading]:
        rows = self._rows()
        first = next(rows, None)
        if first is None:
            self._refuse("is empty")
        below = list(islice(rows, SAMPLE))
        self.width = len(first.cells)
        self.header = self._has_header(first, [row.cells for row in below])
        if self.header:
            self.names = self._names(first)
        else:
            below = [first, *below]
            self.names = [str(j) for j in range(self.width)]
        for line, cells, _ in below[:FEW]:
            self._check_width(line, cells)  # told before what follows from it
        label = self._label()
        keys, left_out = self._keys(label, below)
        if self.options.like is None:
            used = self._inputs(label, keys, left_out)
        else:
            used = self._match(self.options.like, label, keys, left_out)
        if self.options.like is None:
            self._refuse_nothing(below, used)
        self._refuse_words(below, used, label)
        return self._numbers(chain(below, rows), used, label, keys, left_out)

    def _name(self, j: int) -> str:
        """Name a column in a message."""
        if self.header and self.names[j]:
            return f"column {self.names[j]!r}"
        return f"column {j}"

    def _names(self, first: _Row) -> list[str]:
        names = [cell.strip() for cell in first.cells]
        names[0] = names[0].removeprefix("#").strip()  # as NumPy's savetxt writes it
        if any("\n" in name or "\r" in name for name in names):
            self._refuse(f"has a name of several lines in line {first.line}")
        twice = [name for name, n in Counter(names).items() if n > 1 and name]
        if twice:
            places = [j for j, name in enumerate(names) if name == twice[0]]
            self._refuse(
                f"has {len(places)} columns that are called {twice[0]!r}, number "
                f"{' and '.join(map(str, places))}; give each a name of its own"
            )
        return names

    def _find_column(self, name: str, wanted: Any) -> int:
        """Return the place of a column that is told by name or number."""
        if isinstance(wanted, str) and self.header and wanted in self.names:
            return self.names.index(wanted)
        if isinstance(wanted, str) and wanted.removeprefix("-").isdecimal():
            wanted = int(wanted)
        if isinstance(wanted, str):
            has = "its columns have no names"
            if self.header:
                has = f"they are {', '.join(self.names)}"
            self._refuse(f"has no column {wanted!r}; {has}")
        if hasattr(wanted, "__index__") and not isinstance(wanted, bool):
            wanted = index(wanted)
        is_number = isinstance(wanted, int) and not isinstance(wanted, bool)
        if not is_number or not -self.width <= wanted < self.width:
            self._refuse(
                f"has {self.width} columns, and none has number {wanted!r} "
                f"({self._option(name)})"
            )
        return int(wanted) % self.width

    def _find_columns(self, name: str, wanted: Any) -> list[int]:
        """Return the places of columns; a text may name several, with commas."""
        if hasattr(wanted, "tolist"):  # an array, or an index of pandas
            wanted = wanted.tolist()
        is_many = isinstance(wanted, Sequence) and not isinstance(wanted, str)
        several = list(wanted) if is_many else [wanted]
        names: list[Any] = []
        for one in several:
            is_list = isinstance(one, str) and one not in self.names and "," in one
            names += [part.strip() for part in one.split(",")] if is_list else [one]
        return [self._find_column(name, one) for one in names]

    def _label(self) -> int | None:
        """Tell which column holds the labels: by name, by number, or the last."""
        labels, like = self.options.labels, self.options.like
        if labels is False or isinstance(labels, Path):
            return None
        if labels is not True:
            return self._find_column("labels", labels)
        if like is not None and like.label is not None and self._has_places(like):
            names = [self._plain(j) for j in range(self.width)]
            if like.label in names:
                return names.index(like.label)
            others = [j for j in range(self.width) if not self._is_key(j)]
            if {names[j] for j in others} <= set(like.columns):
                self._refuse(
                    f"has no column {like.label!r}, nor another of labels; say where "
                    f"they are: {self._option('labels')}"
                )
        dropped = self._find_columns("drop", self.options.drop)
        places = [j for j in range(self.width) if j not in dropped]
        if like is not None and self._has_places(like):
            places = [j for j in places if self._plain(j) not in like.columns]
        named = [j for j in places if self._column_name(j) in LABELS]
        if len(named) == 1:
            return named[0]
        others = [j for j in places if not self._is_key(j)]
        return (others or places or [self.width - 1])[-1]

    def _column_name(self, j: int) -> str:
        return self.names[j].lower() if self.header else ""

    def _is_key(self, j: int) -> bool:
        """Tell a row number by its name: pandas writes an empty one."""
        called = self._column_name(j)
        return self.header and (called in ROW_NUMBERS or called.startswith("unnamed:"))

    def _keys(
        self, label: int | None, below: list[_Row]
    ) -> tuple[list[int], dict[int, str]]:
        """Tell the columns that name a row, and all that are no inputs, and why."""
        dropped = self._find_columns("drop", self.options.drop)
        if label in dropped:
            self._refuse(
                f"has its labels in {self._name(dropped[0])}, which is dropped"
            )
        left_out = dict.fromkeys(dropped, "dropped")
        like, before = self.options.like, set()
        if like is not None and self._has_places(like):
            before = {name for name, why in like.left_out.items() if why == ROW_NUMBER}
        keys = [
            j
            for j in range(self.width)
            if (self._is_key(j) or self._plain(j) in before)
            and j != label
            and j not in dropped
        ]
        # A delimiter at the end of each line makes one.
        for j in keys:
            if not self.names[j] and not any(
                "".join(row.cells[j : j + 1]).strip() for row in below
            ):
                left_out[j] = NO_NAME
        return [j for j in keys if j not in left_out], left_out

    def _inputs(
        self, label: int | None, keys: list[int], left_out: dict[int, str]
    ) -> list[int]:
        if self.options.inputs is not None:
            used = self._find_columns("inputs", self.options.inputs)
            if len(set(used)) < len(used):
                self._refuse(
                    f"would give an input twice, of {self._option('inputs')} "
                    f"{self.options.inputs!r}"
                )
            if label in used and self.options.labels is not True:
                self._refuse(
                    f"has its labels in {self._name(label or 0)}, which can't be an "
                    "input as well"
                )
            for j in range(self.width):
                if j not in used and j != label:
                    left_out.setdefault(j, ROW_NUMBER if j in keys else "not asked for")
            return used
        for j in keys:
            left_out[j] = ROW_NUMBER
        return [j for j in range(self.width) if j != label and j not in left_out]

    def _has_places(self, like: Reading) -> bool:
        """Tell whether a column has the name, or else the place, that it had before."""
        return self.header == like.header and (self.header or self.width == like.width)

    def _lacks_label(self, like: Reading, label: int | None) -> bool:
        """Tell whether a table without names has all columns but that of the label."""
        is_bare = not self.header and not like.header and label is None
        has_place = (like.label or "").isdecimal()  # or it is a file
        return is_bare and has_place and self.width == like.width - 1

    @staticmethod
    def _in_order(like: Reading, others: list[int]) -> list[int]:
        """Return columns that only their places tell as they were asked for."""
        if like.header:
            return others
        places = [int(name) for name in like.columns]
        return [others[sorted(places).index(place)] for place in places]

    def _match(
        self,
        like: Reading,
        label: int | None,
        keys: list[int],
        left_out: dict[int, str],
    ) -> list[int]:
        """Return the inputs in the order in which a network was given them."""
        names = [self._plain(j) for j in range(self.width)]
        if lacks_label := self._lacks_label(like, label):
            place = int(like.label or 0)
            names = [str(j + (j >= place)) for j in range(self.width)]
        others = [j for j in range(self.width) if j != label and j not in left_out]
        if not self._has_places(like) and not lacks_label:
            if len(others) != len(like.columns):
                self._refuse(
                    f"has {len(others)} columns of inputs, and the network takes "
                    f"{len(like.columns)}; is one of them the label? Name it: "
                    f"{self._option('labels', 'NUMBER')}"
                )
            return self._in_order(like, others)
        known = {*like.columns, *like.left_out, like.label}
        unknown = [names[j] for j in others if names[j] not in known and j not in keys]
        usable = {names[j] for j in others}
        missing = [name for name in like.columns if name not in usable]
        if unknown or missing:
            parts = [
                f"{what}: {', '.join(some)}"
                for what, some in (("missing", missing), ("unknown", unknown))
                if some
            ]
            advice = ""
            if not missing:
                drop = self._option("drop", ",".join(unknown))
                advice = f"; {drop} leaves out what it does not know"
            self._refuse(
                f"has the columns {', '.join(names)}, and the network was trained on "
                f"{', '.join(like.columns)} ({'; '.join(parts)}){advice}"
            )
        used = [names.index(name) for name in like.columns]
        for j in others:
            if j not in used:
                before = like.left_out.get(names[j], "the label")
                left_out[j] = ROW_NUMBER if j in keys else before
        return used

    def _refuse_nothing(self, rows: list[_Row], used: list[int]) -> None:
        """Refuse inputs that no row tells."""
        sees_all = len(rows) < SAMPLE or self.options.missing == "refuse"
        if len(rows) < 2 or not sees_all:
            return
        rows = [row for row in rows if len(row.cells) == self.width]
        empty = [j for j in used if all(is_missing(row.cells[j]) for row in rows)]
        if empty:
            names = ",".join(self.names[j] if self.header else str(j) for j in empty)
            self._refuse(
                f"has nothing but missing numbers in {self._name(empty[0])}; leave it "
                f"out: {self._option('drop', names)}"
            )

    def _refuse_words(
        self, rows: list[_Row], used: list[int], label: int | None
    ) -> None:
        """Refuse inputs that are words, all at once, and say what can be done."""
        found = []
        for j in used:
            column = [
                (row.line, row.cells[j].strip())
                for row in rows
                if len(row.cells) == self.width and not is_missing(row.cells[j])
            ]
            numbers = [self._number(cell) for _, cell in column]
            are_words = len(column) > 1 and all(number is None for number in numbers)
            if are_words and not self._remedy(column[0][1]):
                found.append((j, *column[0]))
        if not found:
            return
        j, line, cell = found[0]
        names = [self.names[j] if self.header else str(j) for j, *_ in found]
        more = f"; so have the columns {', '.join(names[1:])}" if names[1:] else ""
        labels = ""
        if self.options.labels is True or label is None:
            labels = f"{self._option('labels', names[0])} if these are the labels, or "
        self._refuse(
            f"has {cell!r} in line {line}, which is no number, in {self._name(j)}, "
            f"which holds words{more}: {labels}{self._option('drop', ','.join(names))} "
            "to leave them out"
        )

    # --- Numbers ----------------------------------------------------------------------

    def _number(self, cell: str) -> float | None:
        """Read a number, with the decimal sign of this table."""
        if "_" in cell:  # to Python, 1_5 is 15
            return None
        if self.decimal == ",":
            if "." in cell:
                return None
            cell = cell.replace(",", ".")
        try:
            return float(cell)
        except ValueError:
            return None

    def _remedy(self, cell: str) -> str:
        """Say what can be done about a cell that is no number, if it looks like one."""
        bare = cell.strip(AROUND + SPACES)
        if bare != cell:
            more = self._remedy(bare)
            if self._number(bare) is None and not more:
                return ""
            marks = " and ".join(dict.fromkeys(c for c in cell if c in AROUND))
            return "; ".join(filter(None, (f"write it without the {marks}", more)))
        other = {".": ",", ",": "."}[self.decimal]
        swapped = cell.replace(other, self.decimal)
        if cell.count(other) == 1 and self._number(swapped) is not None:
            advice = f"{self._option('decimal', other)} makes it one"
            if self._has_thousands(cell, other):
                advice += f", unless it has {other!r} between thousands: write it "
                advice += "without, then"
            return advice
        for mark in (other, self.decimal, *SPACES, "'", "’"):
            is_between = mark == other or self._has_thousands(cell, mark)
            if (
                mark in cell
                and is_between
                and self._number(cell.replace(mark, "")) is not None
            ):
                return f"write it without {mark!r}"
        if "−" in cell and self._number(cell.replace("−", "-")) is not None:
            return "write its sign as '-'"
        return ""

    def _has_thousands(self, cell: str, mark: str) -> bool:
        """Tell whether a mark is before groups of three digits."""
        head, *groups = cell.lstrip("+-").split(mark)
        if head.startswith("0") or len(head) > 3:
            return False
        if groups and mark != self.decimal:
            groups[-1] = groups[-1].partition(self.decimal)[0]
        return all(len(group) == 3 and group.isdecimal() for group in groups)

    def _refuse_cell(self, line: int, j: int, cell: str) -> NoReturn:
        """Refuse what is no number, or none that can be learned from."""
        if self._number(cell) is not None and not is_missing(cell):
            self._refuse(
                f"has a nan or an infinity in {self._name(j)} of its inputs, {cell!r} "
                f"in line {line}; every number must be finite"
            )
        cell = cell.strip()
        if is_missing(cell):
            advice = (
                f"; it is missing: {self._option('missing', 'drop')} leaves such rows "
                f"out, {self._option('missing', 'mean')} puts the mean of the column"
            )
        elif remedy := self._remedy(cell):
            advice = f"; {remedy}"
        else:
            name = self.names[j] if self.header else str(j)
            advice = f"; mend it, or leave the column out: {self._option('drop', name)}"
        if is_missing(cell) and self._number(cell) is not None:
            self._refuse(
                f"has a nan or an infinity in {self._name(j)} of its inputs, {cell!r} "
                f"in line {line}; every number must be finite{advice}"
            )
        self._refuse(
            f"has {cell!r} in line {line}, which is no number, in {self._name(j)}"
            f"{advice}"
        )

    def _numbers(
        self,
        rows: Iterable[_Row],
        used: list[int],
        label: int | None,
        keys: list[int],
        left_out: dict[int, str],
    ) -> tuple[Array, Array | None, Reading]:
        numbers, lines = array.array("d"), array.array("q")
        words: list[str] = []
        named: list[str] = []
        dropped = {j for j, why in left_out.items() if why == "dropped"}
        fast = self.decimal == "."
        if not used:
            self._refuse_empty(left_out)
        # Of one column it would give no tuple.
        take = itemgetter(*used) if used[1:] else lambda cells: [cells[used[0]]]
        for line, cells, is_broken in rows:
            self._check_width(line, cells)
            if is_broken:
                self._refuse_broken(line, cells, dropped)
            given = take(cells)
            try:
                if not fast or "_" in "".join(given):
                    raise ValueError
                numbers.extend(map(float, given))
            except ValueError:
                del numbers[len(lines) * len(used) :]
                numbers.extend(
                    self._cell(line, j, cell)
                    for j, cell in zip(used, given, strict=True)
                )
            lines.append(line)
            if label is not None:
                words.append(cells[label].strip())
            if keys:
                named.append(cells[keys[0]].strip())
        if not lines:
            self._refuse("is empty: it has no row below its header")
        x = np.frombuffer(numbers).reshape(-1, len(used))
        keep = self._complete(x, lines, used, words, label)
        return self._finish(
            x, np.array(lines), keep, words, named, used, label, keys, left_out
        )

    def _check_width(self, line: int, cells: list[str]) -> None:
        if len(cells) != self.width:
            self._refuse(
                f"has {len(cells)} columns in line {line} and {self.width} in the "
                f"first, with {self.delimiter!r} between them"
            )

    def _refuse_empty(self, left_out: dict[int, str]) -> NoReturn:
        found = [self._name(j) for j, why in left_out.items() if why == ROW_NUMBER]
        more = ""
        if found:
            names = [
                self.names[j] or str(j)
                for j, why in left_out.items()
                if why == ROW_NUMBER
            ]
            more = (
                f": {', '.join(found)} looks like a row number; "
                f"{self._option('inputs', ','.join(names))} takes it in"
            )
        elif self.width == 1 and self.options.labels is not False:
            more = (
                f", for it has a single column, with {self.delimiter!r} between "
                f"columns; if another mark is, say so: {self._option('delimiter')}"
            )
        self._refuse(f"is empty: it has no numbers to learn from{more}")

    def _refuse_broken(self, line: int, cells: list[str], dropped: set[int]) -> None:
        """Refuse a cell of several lines, unless nobody reads it."""
        for j, cell in enumerate(cells):
            if j not in dropped and ("\n" in cell or "\r" in cell):
                start = line - len(cell.splitlines()) + 1
                self._refuse(
                    f"has a cell of several lines, {start} to {line}, in "
                    f"{self._name(j)}: a stray quotation mark may have swallowed rows; "
                    "mend it, or leave the column out: "
                    f"{self._option('drop', self.names[j] or str(j))}"
                )

    def _cell(self, line: int, j: int, cell: str) -> float:
        number = self._number(cell)
        if number is None and is_missing(cell) and self.options.missing != "refuse":
            return math.nan
        if number is None:
            self._refuse_cell(line, j, cell)
        return number

    def _complete(
        self,
        x: Array,
        lines: Sequence[int],
        used: list[int],
        words: list[str],
        label: int | None,
    ) -> Array:
        """Return which rows to keep; refuse what is missing, unless that is allowed."""
        missing = self.options.missing
        if np.isinf(x).any() or (missing == "refuse" and np.isnan(x).any()):
            bad = np.isinf(x) if missing != "refuse" else ~np.isfinite(x)
            row, column = np.argwhere(bad)[0]
            self._refuse_cell(lines[row], used[column], f"{x[row, column]:g}")
        keep: Array = np.ones(len(x), bool)
        if missing == "drop":
            keep &= ~np.isnan(x).any(axis=1)
        gaps = missing_labels(words)
        if words and len(gaps) == len(set(words)):
            self._refuse(
                f"has no label in any row of {self._name(label or 0)}; say where they "
                f"are: {self._option('labels')}"
            )
        for row in (row for row, word in enumerate(words) if word in gaps):
            if missing != "drop":
                self._refuse(
                    f"has no label in line {lines[row]}, {self._name(label or 0)}, "
                    f"but {words[row]!r}; {self._option('missing', 'drop')} leaves "
                    "such rows out; if it names a class, write that otherwise"
                )
            keep[row] = False
        if not keep.any():
            self._refuse("is empty: something is missing in every row")
        return keep

    def _finish(
        self,
        x: Array,
        lines: Array,
        keep: Array,
        words: list[str],
        named: list[str],
        used: list[int],
        label: int | None,
        keys: list[int],
        left_out: dict[int, str],
    ) -> tuple[Array, Array | None, Reading]:
        keyed = (
            (LINE, lines)
            if not keys
            else (
                self._plain(keys[0]),
                np.array(named),
            )
        )
        if self.options.inputs is None and self.options.like is None:
            counted = [
                j for j, column in zip(used, x.T, strict=True) if _counts(column)
            ]
            for j in counted:
                left_out[j] = ROW_NUMBER
            if counted and not keys:
                column = x[:, used.index(counted[0])]
                keyed = (self._plain(counted[0]), column.astype(np.int64))
            kept = [k for k, j in enumerate(used) if j not in counted]
            if not kept:
                self._refuse_empty(left_out)
            if counted:
                x, used = x[:, kept], [used[k] for k in kept]
        if not keep.all():
            x = x[keep]
        gaps = int(np.isnan(x).sum())
        x, filled = self._impute(x, used)
        key, ids = keyed
        labels = np.array(words)[keep] if label is not None else None
        reading = Reading(
            path=str(self.path),
            columns=tuple(self._plain(j) for j in used),
            label=None if label is None else self._plain(label),
            header=self.header,
            delimiter=self.delimiter,
            decimal=self.decimal,
            encoding=self.options.encoding,
            width=self.width,
            left_out={self._plain(j): why for j, why in sorted(left_out.items())},
            rows_left_out=int((~keep).sum()),
            filled=filled,
            gaps=gaps,
            constant=tuple(
                self._plain(j)
                for j, column in zip(used, x.T, strict=True)
                if len(column) > 1 and (column == column[0]).all()
            ),
            key=key,
            keys=ids[keep],
        )
        return x, labels, reading

    def _plain(self, j: int) -> str:
        """Return the name of a column, or its place if it has none."""
        return self.names[j] or f"column {j}"

    def _impute(self, x: Array, used: list[int]) -> tuple[Array, Array | None]:
        """Put the mean of a column, or what is given, where a number is missing."""
        gaps = np.isnan(x)
        if self.options.missing != "mean":
            return x, None
        fill = self.options.fill
        if fill is None:
            counts = (~gaps).sum(axis=0)
            if not counts.all():
                empty = self._name(used[int(counts.argmin())])
                self._refuse(f"has no number at all in {empty}, so it has no mean")
            fill = np.where(gaps, 0.0, x).sum(axis=0) / counts
        return np.where(gaps, fill, x), fill

    # --- The header -------------------------------------------------------------------

    def _has_header(self, first: _Row, below: list[list[str]]) -> bool:
        """Tell whether the first line names the columns; refuse it in doubt."""
        if self.options.header is not None:
            return self.options.header
        cells = [cell.strip() for cell in first.cells]
        like = self.options.like
        if like is not None and like.header:
            names = set(cells) & set(like.columns)
            if len(names) == len(like.columns):
                return True
            if any(self._number(name) is None for name in names):
                return True
        numbers = [self._number(cell) for cell in cells]
        if not any(number is not None for number in numbers):
            return True
        below = [row for row in below if len(row) == self.width]
        answer = _is_header(cells, below, self._number)
        if answer is None:
            words = [
                (j, cell)
                for j, cell in enumerate(cells)
                if numbers[j] is None and cell and self._is_numeric(below, j)
            ]
            told = f"({', '.join(cells[:5])}{', …' if len(cells) > 5 else ''})"
            may = f"may name the columns {told}, or be an example; say which: "
            both = f"{self._option('header')} or {self._option('no_header')}"
            if self.where == "load":
                both = "`header=True` or `header=False`"
            if words:
                j, cell = words[0]
                self._refuse(
                    f"has {cell!r} in line {first.line}, which is no number, in column "
                    f"{j}; the line {may}{both}"
                )
            self._refuse(f"begins with a line that {may}{both}")
        return answer

    def _is_numeric(self, rows: list[list[str]], j: int) -> bool:
        return all(
            self._number(row[j]) is not None for row in rows if not is_missing(row[j])
        )


def is_missing(cell: str) -> bool:
    """Tell whether a cell says that nothing is known: with a word, or with dashes."""
    cell = cell.strip().lower()
    return cell in MISSING or cell.lstrip("+-") == "nan" or _is_dash(cell)


def _is_dash(cell: str) -> bool:
    return set(cell) <= set("-–—.…")


def missing_labels(words: Iterable[str]) -> set[str]:
    """Return those of the words that are no label.

    A dash is one if all of them are marks, such as + and -; ``none`` is, while ``None``
    is what Python writes, and so is sodium.
    """
    found = {word.strip() for word in words}
    gaps = {word for word in found if is_missing(word)} - {"none", "NONE", "Na"}
    if not any(map(str.isalnum, "".join(found - gaps))):
        gaps -= {word for word in gaps if word and _is_dash(word)}
    return gaps


def _counts(column: Array) -> bool:
    """Tell whether a column is a row number, 0 to n - 1 or 1 to n, in any order."""
    n = len(column)
    start = column.min()
    if n < 3 or start not in (0, 1) or column.max() != start + n - 1:
        return False
    return bool((np.sort(column) == np.arange(n) + start).all())


Number: TypeAlias = Callable[[str], float | None]


def _is_header(cells: list[str], below: list[list[str]], number: Number) -> bool | None:
    """Tell whether cells, numbers among them, name columns; None if nobody can tell.

    Each column votes. A number over words, or over numbers that are all far from it or
    written otherwise, is a name; one that could be among them is a value. Names differ.
    """
    if not below:
        return False
    numeric = [cell for cell in cells if number(cell) is not None]
    words = [j for j, cell in enumerate(cells) if cell and number(cell) is None]
    in_turn = numeric == [str(k) for k in range(len(numeric))] and len(numeric) > 1
    columns = list(zip(*below, strict=True))
    votes = [
        _vote(cell, [c.strip() for c in column if not is_missing(c)], number)
        for cell, column in zip(cells, columns, strict=True)
    ]
    for_names, for_values = votes.count(1), votes.count(-1)
    over_numbers = [
        j
        for j in words
        if all(number(c) is not None for c in columns[j] if not is_missing(c))
    ]
    over_words = [
        j
        for j, cell in enumerate(cells)
        if number(cell) is not None
        and (column := [c for c in columns[j] if not is_missing(c)])
        and all(number(c) is None for c in column)
    ]
    if len(set(cells)) < len(cells) and not over_numbers:
        return False
    if any(votes[j] == -1 for j in words):  # a word that is a label below
        return False
    if over_numbers:
        others = for_names - len(over_numbers)
        sure = in_turn or (for_values == 0 and 0 < len(numeric) <= 2 * others)
        return True if sure else None
    if in_turn:
        return True if for_names > for_values or votes[-1] == 1 else None
    if over_words:
        return True if for_values == 0 else None
    if for_values == 0 and for_names == len(cells):
        return True
    from_one = numeric == [str(k) for k in range(1, len(cells) + 1)]
    if from_one and len(below) >= FEW:
        return None
    if _are_steps(cells, number) and not _are_steps(below[0], number):
        return None
    # Perhaps a class of one example, perhaps the name of the labels.
    return None if votes[-1] == 1 or for_names > for_values else False


def _vote(cell: str, column: list[str], number: Number) -> int:
    """Return 1 if a cell looks like the name of a column, -1 if like a value of it."""
    value, values = number(cell), [number(c) for c in column]
    known = [v for v in values if v is not None]
    if not cell or not column:
        return 0
    if value is None:
        if len(known) == len(column):
            return 1
        if cell in column:
            return -1
        return int(len(column) >= FEW and min(Counter(column).values()) > 1)
    if not known:
        return 1
    if len(known) < len(column):
        return 0
    if len(known) < FEW:
        return -1 if value in known else 0
    if any({kind(cell)} == {not kind(c) for c in column} for kind in KINDS):
        return 1  # written otherwise
    if value in known:
        return -1
    if min(Counter(known).values()) > 1:  # classes
        return 1
    low, high = min(known), max(known)
    far = 3 * (high - low)
    if low <= value <= high:
        return -1
    return int(value < low - far or value > high + far)


def _is_whole(cell: str) -> bool:
    return cell.removeprefix("-").isdecimal()


def _is_padded(cell: str) -> bool:
    return cell.isdecimal() and cell != "0" and cell.startswith("0")


KINDS = (_is_whole, _is_padded)  # how a number may be written


def _are_steps(cells: list[str], number: Number) -> bool:
    """Tell whether numbers rise or fall in equal steps, as years in a header do."""
    numbers = [value for cell in cells if (value := number(cell)) is not None]
    steps = np.diff(numbers)
    return len(steps) > 1 and bool(steps[0] and np.isclose(steps, steps[0]).all())
