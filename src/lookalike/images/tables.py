"""Tables as rows of cells, streamed: CSV and TSV, JSON lines, Parquet.

What people's files are like is found out, and can be said: the encoding (a mark at the beginning, UTF-8, UTF-16 without
a mark, else the Cyrillic or Western page of Windows), the delimiter, Excel's first line `sep=;`. Line ends inside
quotes belong to the cell. A row that cannot be read is a `BadRow` with its number; the others go on.

Rows are counted as a spreadsheet shows them: the header of a CSV is row 1. Memory does not grow with the rows. Parquet
needs the extra `parquet`.
"""

from __future__ import annotations

import codecs
import csv
import json
import os
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import MissingExtra, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lookalike.core.fields import FieldKind

FORMATS: Mapping[str, str] = {
    ".csv": "CSV",
    ".tsv": "TSV",
    ".jsonl": "JSONL",
    ".ndjson": "JSONL",
    ".parquet": "Parquet",
}
DELIMITERS = ",;\t|"
LONGEST_CELL = 1 << 20
"""Characters: a longer one is a quote that nobody closed."""
BLOCK_ROWS = 2048
_SAMPLE_BYTES = 1 << 20
_PAIRS_BYTES = 1 << 16
_SAMPLE_LINES = 50
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read. `rest_lost`: nor could those after it."""

    number: int
    reason: str
    rest_lost: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table on disk. `delimiter` is "" where the format has none; `columns` are empty for JSON lines."""

    path: bytes
    format: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    kinds: tuple[FieldKind, ...] = ()
    """Of Parquet, which says them, as it says its `count` of rows."""
    count: int | None = None

    def rows(self) -> Iterator[tuple[int, Any] | BadRow]:
        """(number, cells) of every row: a sequence along `columns`, or a dict for JSON lines. Raises SourceError."""
        read = {"JSONL": _json_rows, "Parquet": _parquet_rows}.get(self.format, _csv_rows)
        try:
            yield from read(self)
        except (OSError, UnicodeError) as error:
            raise _unreadable(self.path, error, self.encoding) from error


def open_table(path: bytes, *, encoding: str | None = None) -> Table:
    """What kind of table a file is; reads its beginning. Raises SourceError, MissingExtra."""
    form = FORMATS.get(os.fsdecode(os.path.splitext(path)[1]).lower())
    if form is None:
        raise SourceError(f"{os.fsdecode(path)} is no table", hint=f"tables end in {', '.join(FORMATS)}")
    try:
        if form == "Parquet":
            return _open_parquet(path)
        used = encoding or _encoding(path)
        if form == "JSONL":
            return Table(path, form, used, "", ())
        delimiter, columns = _header(path, used, form)
        return Table(path, form, used, delimiter, columns)
    except (OSError, UnicodeError, LookupError) as error:
        raise _unreadable(path, error, encoding or "") from error


def _unreadable(path: bytes, error: Exception, encoding: str) -> SourceError:
    if isinstance(error, UnicodeError):
        return SourceError(
            f"{os.fsdecode(path)} is not written in {encoding}: {cause_of(error)}",
            hint="name its encoding: --encoding cp1251",
        )
    return SourceError(
        f"{os.fsdecode(path)} cannot be read: {cause_of(error)}", hint="is it a table, and the path right?"
    )


# --- text ------------------------------------------------------------------------------------------


def _encoding(path: bytes) -> str:
    """The encoding of a text: by its mark, or the first that all its bytes are right in."""
    with open(path, "rb") as stream:
        head = stream.read(_SAMPLE_BYTES)
        marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
        if marked is not None:
            return marked
        if wide := _unmarked_utf_16(head[:_PAIRS_BYTES]):
            return wide
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for piece in chain((head,), iter(lambda: stream.read(_SAMPLE_BYTES), b"")):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _windows_page(head)
    return "utf-8"


def _unmarked_utf_16(head: bytes) -> str | None:
    """UTF-16 without a mark, by its line ends: the other byte of them is 0."""
    ends = head.count(b"\n")
    pairs = list(zip(head[0::2], head[1::2], strict=False))
    found = {"utf-16-le": pairs.count((0x0A, 0)), "utf-16-be": pairs.count((0, 0x0A))}
    name = max(found, key=lambda each: found[each])
    return name if found[name] * 2 > ends else None


def _windows_page(head: bytes) -> str:
    """Letters of Russian and Ukrainian stand side by side; accented letters of western languages mostly alone."""
    high = [byte >= 0x80 for byte in head]
    alone = sum(
        here and not (before or after)
        for before, here, after in zip([False, *high], high, [*high[1:], False], strict=False)
    )
    return "cp1252" if alone * 2 > sum(high) else "cp1251"


def _header(path: bytes, encoding: str, form: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter, the one that parts most rows like the header and that into most columns, and their names."""
    with _text(path, encoding) as stream:
        first = stream.readline()
        said = first[4:].rstrip("\r\n")[:1] if first.lower().startswith("sep=") else ""
        lines = [
            stream.readline() if said else first,
            *(line for line, _ in zip(stream, range(_SAMPLE_LINES), strict=False)),
        ]
    if not lines[0].strip():
        raise SourceError(f"{os.fsdecode(path)} is empty", hint="the first row of a catalogue names its columns")
    choices = said or ("\t" if form == "TSV" else DELIMITERS)
    _allow_long_cells()
    parted = {mark: _parted(lines, mark) for mark in choices}
    delimiter = max(parted, key=lambda mark: _alike(parted[mark]))
    return delimiter, tuple(parted[delimiter][0])


def _parted(lines: list[str], mark: str) -> list[list[str]]:
    """The rows of some lines, up to one that cannot be read; at least one."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for row in csv.reader(iter(lines), delimiter=mark):
            rows.append(row)  # noqa: PERF402 what came before an error counts
    return rows or [[]]


def _alike(rows: list[list[str]]) -> tuple[int, int]:
    """How many rows have as many columns as the header, where that is more than one, and how many."""
    width = len(rows[0])
    return sum(len(row) == width for row in rows) if width > 1 else 0, width


def _text(path: bytes, encoding: str) -> Any:
    return open(path, encoding=encoding, newline="")


def _csv_rows(table: Table) -> Iterator[tuple[int, Any] | BadRow]:
    _allow_long_cells()
    width = len(table.columns)
    with _text(table.path, table.encoding) as stream:
        lines = _Lines(stream)
        if table.delimiter and (first := next(lines, "")) and not first.lower().startswith("sep="):
            lines.push(first)
        strict = csv.reader(lines, delimiter=table.delimiter, strict=True)
        number = 0
        while True:
            lines.forget()
            number += 1
            try:
                cells = next(strict)
            except StopIteration:
                return
            except csv.Error as error:
                if "end of data" in str(error) or "field limit" in str(error):
                    reason = "a quote is opened and not closed again: this row and those after it cannot be read"
                    yield BadRow(number, reason, rest_lost=True)
                    return
                cells = next(csv.reader(lines.since(), delimiter=table.delimiter), [])
            if number == 1 or not any(cells):
                continue
            if len(cells) > width and any(cells[width:]):
                yield BadRow(number, f"it has {len(cells)} cells, the header has {width}")
            else:
                yield number, cells[:width] if len(cells) > width else cells + [""] * (width - len(cells))


def _allow_long_cells() -> None:
    """The module's own limit, 128 KiB, is less than some descriptions have."""
    if csv.field_size_limit() < LONGEST_CELL:
        csv.field_size_limit(LONGEST_CELL)


class _Lines:
    """Lines of a text, which remembers those since the last row, so that it can be read again more freely."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._since: list[str] = []
        self._pushed: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line: str = self._pushed.pop() if self._pushed else next(self._stream)
        self._since.append(line)
        return line

    def push(self, line: str) -> None:
        self._pushed.append(line)

    def forget(self) -> None:
        self._since.clear()

    def since(self) -> Iterator[str]:
        return iter(list(self._since))


# --- JSON lines --------------------------------------------------------------------------------------


def _json_rows(table: Table) -> Iterator[tuple[int, Any] | BadRow]:
    with open(table.path, encoding=table.encoding) as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                cells = json.loads(line)
            except (ValueError, RecursionError) as error:
                is_cut = not line.endswith("\n")  # still being written, or half copied: the others are not deleted
                yield BadRow(number, f"it is no JSON: {error}", rest_lost=is_cut)
                continue
            if isinstance(cells, dict):
                yield number, cells
            else:
                yield BadRow(number, "it is no JSON object")


# --- Parquet -----------------------------------------------------------------------------------------


def _parquet(path: bytes) -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("reading Parquet tables", "parquet") from None
    try:
        return pyarrow.parquet.ParquetFile(os.fsdecode(path), memory_map=True)
    except pyarrow.ArrowException as error:
        raise _unreadable(path, error, "") from error


def _open_parquet(path: bytes) -> Table:
    with closing(_parquet(path)) as file:
        kinds: dict[str, FieldKind | None] = {}
        for field in file.schema_arrow:
            kinds.setdefault(field.name, _kind(field.type))  # of columns with one name the first counts
        count = file.metadata.num_rows
    read = {name: kind for name, kind in kinds.items() if kind is not None}
    return Table(path, "Parquet", "", "", tuple(read), tuple(read.values()), count)


def _kind(type_: Any) -> FieldKind | None:
    """What an Arrow type is to filters; None for bytes, which say nothing to them."""
    from pyarrow import types

    if types.is_dictionary(type_):
        return _kind(type_.value_type)
    if types.is_binary(type_) or types.is_large_binary(type_) or types.is_fixed_size_binary(type_):
        return None
    tests: tuple[tuple[Any, FieldKind], ...] = (
        (types.is_boolean, "bool"),
        (types.is_integer, "int"),
        (types.is_floating, "float"),
        (types.is_decimal, "float"),
        (types.is_timestamp, "date"),
        (types.is_date, "date"),
    )
    if types.is_list(type_) or types.is_large_list(type_):
        return "texts" if types.is_string(type_.value_type) or types.is_large_string(type_.value_type) else "text"
    return next((kind for test, kind in tests if test(type_)), "text")


def _parquet_rows(table: Table) -> Iterator[tuple[int, Any] | BadRow]:
    import pyarrow as pa

    number = 1
    with closing(_parquet(table.path)) as file:
        try:
            for batch in file.iter_batches(BLOCK_ROWS, columns=list(table.columns)):
                there = batch.schema.names  # also those that share a name, or its beginning before a dot
                columns = [batch.column(there.index(name)) for name in table.columns]
                yield from enumerate(zip(*map(_values, columns), strict=True), start=number)
                number += batch.num_rows
        except pa.ArrowException as error:
            raise _unreadable(table.path, error, "") from error


def _values(column: Any) -> list[Any]:
    """Cells as JSON has them: moments as ISO 8601 text, fixed decimals as floats, what is not a number as nothing."""
    import pyarrow as pa
    from pyarrow import compute, types

    if types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz and "UTC"), safe=False)
    if types.is_timestamp(column.type) or types.is_date(column.type):
        return [None if each is None else each.isoformat() for each in _listed(column)]
    if types.is_decimal(column.type):
        column = column.cast(pa.float64(), safe=False)
    if types.is_floating(column.type):
        column = compute.if_else(compute.is_finite(column), column, None)
    return _listed(column)


def _listed(column: Any) -> list[Any]:
    """Cells as Python has them; a date beyond the year 9999 is none."""
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        return [_alone(each) for each in column]
    return values


def _alone(cell: Any) -> Any:
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        return None
