"""Tables as people's programs write them: encodings, delimiters, quotes, and rows that are broken."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet
import pytest

from lookalike.core.errors import SourceError
from lookalike.images.tables import BadRow, open_table


def table(folder, content, name="t.csv", **how):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_table(bytes(path), **how)


def cells(folder, content, name="t.csv", **how):
    return [row if isinstance(row, BadRow) else list(row[1]) for row in table(folder, content, name, **how).rows()]


TEXT = "id,имя\n1,Рубашка синяя\n2,Сорочка «Київ»\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251"])
def test_cyrillic_is_read_in_every_encoding_it_comes_in(tmp_path, encoding):
    opened = table(tmp_path, TEXT.encode(encoding))
    assert opened.columns == ("id", "имя")
    assert [row[1][1] for row in opened.rows()] == ["Рубашка синяя", "Сорочка «Київ»"]


def test_accents_of_western_languages_are_read_from_their_windows_page(tmp_path):
    text = "id,name\n1,Chemise à carreaux d'été\n2,Größe für Mädchen\n"
    assert cells(tmp_path, text.encode("cp1252"))[0][1] == "Chemise à carreaux d'été"


def test_an_encoding_that_is_said_is_used_and_a_wrong_one_told(tmp_path):
    assert cells(tmp_path, "id,имя\n1,Ё\n".encode("koi8-r"), encoding="koi8-r") == [["1", "Ё"]]
    with pytest.raises(SourceError, match="not written in utf-8") as caught:
        cells(tmp_path, TEXT.encode("cp1251"), encoding="utf-8")
    assert "--encoding" in caught.value.hint


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_parts_the_header(tmp_path, mark):
    rows = [["id", "a,b;c"], ["1", 'say "x"'], ["2", "two\nlines"]]
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        csv.writer(stream, delimiter=mark, quoting=csv.QUOTE_ALL).writerows(rows)
    opened = open_table(bytes(tmp_path / "t.csv"))
    assert opened.delimiter == mark
    assert [list(row[1]) for row in opened.rows()] == rows[1:]


def test_excels_first_line_that_names_the_delimiter_is_no_row(tmp_path):
    assert cells(tmp_path, "sep=;\r\nid;price,net\r\n1;5\r\n") == [["1", "5"]]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path):
    opened = table(tmp_path, 'id,a\n1,"x\ny"\n\n2,z\n')
    assert [number for number, _ in opened.rows()] == [2, 4]


def test_short_rows_have_empty_cells_and_long_ones_are_told(tmp_path):
    assert cells(tmp_path, "id,a,b\n1\n2,x,y,,\n3,x,y,z\n") == [
        ["1", "", ""],
        ["2", "x", "y"],
        BadRow(4, "it has 4 cells, the header has 3"),
    ]


def test_quotes_inside_a_cell_are_read_as_they_stand(tmp_path):
    assert cells(tmp_path, 'id,a,b\n1,5" screen,x\n2,"5" screen",y\n3,z,z\n') == [
        ["1", '5" screen', "x"],
        ["2", '5 screen"', "y"],
        ["3", "z", "z"],
    ]


def test_a_quote_that_never_closes_says_from_which_row_on_all_is_lost(tmp_path):
    *_, first, last = cells(tmp_path, 'id,a\n1,x\n2,"open\n3,y\n4,z\n')
    assert first == ["1", "x"]
    assert last.number == 3
    assert last.rest_lost


def test_nul_bytes_and_bytes_of_no_character_do_not_stop_a_row(tmp_path):
    assert cells(tmp_path, b"id,a\n1,x\0y\n2,z\n")[1] == ["2", "z"]


def test_long_descriptions_are_cells_like_others(tmp_path):
    assert len(cells(tmp_path, f"id,a\n1,{'x' * 300_000}\n")[0][1]) == 300_000


def test_json_lines_are_rows_and_broken_lines_are_told(tmp_path):
    content = '{"id": 1, "tags": ["a"]}\n\nnonsense\n[1]\n{"id": 2}\n'
    rows = list(table(tmp_path, content, "t.jsonl").rows())
    assert [row[1] for row in rows if not isinstance(row, BadRow)] == [{"id": 1, "tags": ["a"]}, {"id": 2}]
    assert [row.number for row in rows if isinstance(row, BadRow)] == [3, 4]


def test_parquet_tells_kinds_and_its_cells_are_as_json_has_them(tmp_path):
    moment = datetime(2024, 5, 3, 17, 20, tzinfo=UTC)
    columns = {
        "id": pa.array([1, 2]),
        "price": pa.array([Decimal("12.50"), None]),
        "rating": pa.array([float("nan"), 4.5]),
        "new": pa.array([True, None]),
        "added": pa.array([moment, None], pa.timestamp("ns", "UTC")),
        "day": pa.array([moment.date(), None]),
        "tags": pa.array([["a", "b"], None]),
        "colour": pa.array(["red", "red"]).dictionary_encode(),
        "raw": pa.array([b"\0", b"\1"]),
    }
    pa.parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    opened = open_table(bytes(tmp_path / "t.parquet"))
    kinds = dict(zip(opened.columns, opened.kinds, strict=True))
    assert kinds == {
        "id": "int",
        "price": "float",
        "rating": "float",
        "new": "bool",
        "added": "date",
        "day": "date",
        "tags": "texts",
        "colour": "text",
    }
    rows = [row[1] for row in opened.rows()]
    assert rows[0] == (1, 12.5, None, True, "2024-05-03T17:20:00+00:00", "2024-05-03", ["a", "b"], "red")
    assert rows[1] == (2, None, 4.5, None, None, None, None, "red")


def test_parquet_columns_that_share_a_name_or_its_beginning_keep_each_row_together(tmp_path):
    image = [pa.array(["a.jpg"]), pa.array([b"zz"], pa.binary())]
    columns = [*image, pa.array([1]), pa.array(["other"]), pa.array(["x"])]
    names = ["image", "image.bytes", "price", "price", "id"]
    pa.parquet.write_table(pa.Table.from_arrays(columns, names=names), tmp_path / "t.parquet")
    opened = open_table(bytes(tmp_path / "t.parquet"))
    assert (opened.columns, opened.kinds) == (("image", "price", "id"), ("text", "int", "text"))
    assert list(opened.rows()) == [(1, ("a.jpg", 1, "x"))]


def test_dates_beyond_the_calendar_cost_their_cell_alone(tmp_path):
    moments = {"at": pa.array([4 * 10**17, 0], pa.timestamp("us")), "day": pa.array([4_000_000, 0], pa.date32())}
    pa.parquet.write_table(pa.table(moments), tmp_path / "t.parquet")
    rows = [row[1] for row in open_table(bytes(tmp_path / "t.parquet")).rows()]
    assert rows == [(None, None), ("1970-01-01T00:00:00", "1970-01-01")]


def test_json_lines_that_end_in_the_middle_of_a_row_protect_the_rest(tmp_path):
    (cut,) = (row for row in cells(tmp_path, '{"id": 1}\n{"id": 2, "fi', "t.jsonl") if isinstance(row, BadRow))
    assert (cut.number, cut.rest_lost) == (2, True)


@pytest.mark.parametrize("characters", [200_000, 2_000_000])
def test_a_long_cell_near_the_beginning_breaks_nothing(tmp_path, characters):
    content = f'id,file\n1,"{"a" * characters}"\n2,b.jpg\n'
    opened = table(tmp_path, content)
    assert opened.columns == ("id", "file")
    assert isinstance(next(opened.rows()), BadRow) is (characters > csv.field_size_limit())


@pytest.mark.parametrize("name", ["t.parquet", "t.xlsx", "none.csv"])
def test_what_is_no_table_is_a_source_error_with_a_next_step(tmp_path, name):
    (tmp_path / "t.parquet").write_bytes(b"nonsense")
    with pytest.raises(SourceError) as caught:
        list(open_table(bytes(tmp_path / name)).rows())
    assert caught.value.hint


def test_an_empty_table_is_told(tmp_path):
    with pytest.raises(SourceError, match="empty"):
        table(tmp_path, "")
