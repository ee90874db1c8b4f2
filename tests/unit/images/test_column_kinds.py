"""What the cells of a column are taken for: nothing that was written is lost by a guess."""

from __future__ import annotations

import pytest

from lookalike.images.column_kinds import ColumnScan, reader


def plan_of(cells, *, said=None, typed=False, decimal_comma=False):
    scan = ColumnScan("column", said=said, typed=typed)
    for cell in cells:
        scan.see(cell)
    return scan.plan("column", decimal_comma=decimal_comma)


def values(cells, **how):
    plan = plan_of(cells, **how)
    read = reader(plan)
    return plan.kind, [cell if read is None or cell is None else read(cell) for cell in cells]


@pytest.mark.parametrize(
    "cells",
    [
        ["00601", "10001"],
        ["+380441234567", "+74951234567"],
        ["1E5", "2E7"],
        ["12345678901234567890", "1"],
        ["1,234", "5,678"],
        ["1.234.567", "2"],
        ["12.50 USD", "3.00 USD"],
        ["03/05/2024", "04/06/2024"],
        ["2024-05-03", "soon"],
        ["0x10", "0b1"],
        ["1_000", "2_000"],
        ["٣", "4"],
        ["--5", "5"],
        ["infinity", "5"],
    ],
)
def test_codes_and_what_can_be_read_in_two_ways_stay_text_as_written(cells):
    assert values(cells) == ("text", cells)


@pytest.mark.parametrize(
    ("cells", "kind", "read"),
    [
        (["0", "-3", "17"], "int", [0, -3, 17]),
        (["1", "2.5", "0.10"], "float", [1.0, 2.5, 0.1]),
        (["12,5", "1234,00", "3"], "float", [12.5, 1234.0, 3.0]),
        (["true", "FALSE", "Yes"], "bool", [True, False, True]),
        (["2024-05-03", "2024-05-03 17:20"], "date", ["2024-05-03", "2024-05-03T17:20"]),
        (["2024-05-03T17:20:11.5+03:00"], "date", ["2024-05-03T17:20:11.5+03:00"]),
        (["3.05.2024", "31.12.2023"], "date", ["2024-05-03", "2023-12-31"]),
        (["13/05/2024", "01/02/2024"], "date", ["2024-05-13", "2024-02-01"]),
        (["05/13/2024", "01/02/2024"], "date", ["2024-05-13", "2024-01-02"]),
        (["1", "", "n/a", "NULL"], "int", [1, None, None, None]),
        (["", ""], "text", ["", ""]),
        (["NA", "UA"], "text", ["NA", "UA"]),
        (["30.02.2024"], "date", [None]),
    ],
)
def test_columns_whose_cells_all_read_back_are_what_they_look_like(cells, kind, read):
    assert values(cells) == (kind, read)


def test_one_other_cell_among_thousands_makes_a_column_text():
    assert plan_of([*map(str, range(5000)), "0042"]).kind == "text"


def test_a_comma_is_a_decimal_mark_where_it_does_not_part_the_cells():
    assert values(["1,234", "5,678"], decimal_comma=True) == ("float", [1.234, 5.678])


@pytest.mark.parametrize(
    ("kind", "cell", "read"),
    [
        ("float", "15.00 USD", 15.0),
        ("float", "€ 1.234,50", 1234.5),
        ("float", "1 234,50 ₽", 1234.5),
        ("float", "1'234.50", 1234.5),
        ("float", "-0,5", -0.5),
        ("float", 3, 3.0),
        ("float", "free", None),
        ("int", "1,234", 1234),
        ("int", "12.0", 12),
        ("int", "12.5", None),
        ("int", "9007199254740993", 9007199254740993),
        ("bool", "1", True),
        ("bool", "no", False),
        ("bool", "maybe", None),
        ("date", "20240503", "2024-05-03"),
        ("date", "03/05/2024", "2024-05-03"),
        ("date", "05/13/2024", "2024-05-13"),
        ("date", "yesterday", None),
        ("texts", "red | pink|", ["red", "pink"]),
        ("texts", ["a", "b"], ["a", "b"]),
        ("text", 7, "7"),
        ("text", "NA", "NA"),
    ],
)
def test_a_kind_that_was_said_is_read_freely(kind, cell, read):
    assert values([cell], said=kind) == (kind, [read])


def test_cells_that_are_not_of_the_said_kind_are_counted_beside_the_filled_ones():
    plan = plan_of(["5", "free", "", "n/a"], said="float")
    assert (plan.filled, plan.unread) == (3, 2)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1, 2, None], "int"),
        ([1, 2.5], "float"),
        ([True, False], "bool"),
        (["12", "13"], "text"),
        (["2024-05-03", "2024-05-04"], "date"),
        ([["a", "b"], "c"], "texts"),
        ([1, "a"], "text"),
        ([{"a": 1}], "text"),
        ([True, 1], "text"),
    ],
)
def test_typed_cells_are_what_they_are(cells, kind):
    assert plan_of(cells, typed=True).kind == kind


def test_fractions_that_are_no_numbers_are_no_values():
    assert values([1.5, float("nan"), float("inf")], typed=True) == ("float", [1.5, None, None])


def test_whole_numbers_beyond_all_fractions_are_none_among_these():
    assert values([0.5, 10**400], typed=True) == ("float", [0.5, None])
