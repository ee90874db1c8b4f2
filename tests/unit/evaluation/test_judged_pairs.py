"""Judged pairs on disk: after every decision, with where each came from."""

from __future__ import annotations

import csv

import pytest

from lookalike.core.errors import SourceError
from lookalike.evaluation.judged_pairs import (
    COLUMNS,
    PERSON,
    PROPOSED,
    JudgedPairs,
    only_person,
    read_pairs,
    refuse_unconfirmed,
)
from lookalike.evaluation.judged_tables import read_rows
from lookalike.evaluation.proposals import Proposal
from lookalike.evaluation.things import Thing
from lookalike.training.listed import list_pictures

SHIRT = Proposal("a shirt", Thing(("1", "1/2"), "/p/1.jpg", 'Shirt, "navy"'), 0.81234)
BAG = Proposal("a bag", Thing(("2",), "/p/2.jpg", "Сумка"), 0.5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "judgements.csv"


def grades(path):
    return {(pair.query, pair.item): pair.grade for pair in read_pairs(path)}


def test_a_decision_is_on_disk_for_every_picture_of_the_thing(path):
    JudgedPairs(path).decide({SHIRT: True}, source=PERSON, judge="anna")
    assert grades(path) == {("a shirt", "1"): 1, ("a shirt", "1/2"): 1}
    (first, _) = read_pairs(path)
    assert (first.source, first.judge, first.text, first.likeness) == ("person", "anna", 'Shirt, "navy"', 0.8123)


def test_what_is_there_is_gone_on_with(path):
    JudgedPairs(path).decide({SHIRT: True}, source=PERSON, judge="anna")
    again = JudgedPairs(path)
    assert again.of(SHIRT).grade == 1
    assert again.of(BAG) is None
    again.decide({BAG: False}, source=PERSON, judge="bob")
    assert len(read_pairs(path)) == 3


def test_undoing_puts_back_what_was_there(path):
    pairs = JudgedPairs(path)
    pairs.decide({SHIRT: True}, source=PROPOSED, judge="")
    before = pairs.of(SHIRT)
    pairs.decide({SHIRT: False}, source=PERSON, judge="anna")
    pairs.undo(SHIRT, before)
    assert {(pair.item, pair.grade, pair.source) for pair in read_pairs(path)} == {
        ("1", 1, "proposal"),
        ("1/2", 1, "proposal"),
    }
    pairs.undo(SHIRT, None)
    assert read_pairs(path) == []


def test_the_file_is_one_that_any_reader_of_csv_reads(path):
    JudgedPairs(path).decide({SHIRT: True, BAG: False}, source=PERSON, judge="anna")
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [row["text"] for row in rows] == ['Shirt, "navy"', 'Shirt, "navy"', "Сумка"]


def test_another_kind_of_file_is_never_overwritten(path):
    path.write_text("query,item\na,b\n", encoding="utf-8")
    with pytest.raises(SourceError, match="not written by lookalike judge"):
        JudgedPairs(path)
    assert path.read_text(encoding="utf-8") == "query,item\na,b\n"


def test_a_broken_line_is_an_error_that_names_the_file(path):
    path.write_text(",".join(COLUMNS) + "\nq,i,yes,person,x,,,\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"judgements\.csv cannot be read"):
        read_pairs(path)


def test_training_refuses_what_nobody_confirmed_and_takes_it_once_it_is(path):
    pairs = JudgedPairs(path)
    pairs.decide({SHIRT: True, BAG: True}, source=PROPOSED, judge="")
    with pytest.raises(SourceError, match=r"3 pairs .* nobody confirmed"):
        refuse_unconfirmed(path)
    with pytest.raises(SourceError, match="nobody confirmed"):
        list_pictures(path, image_column="picture", text_columns=["query"])
    pairs.decide({SHIRT: True, BAG: False}, source=PERSON, judge="anna")
    refuse_unconfirmed(path)
    assert len(only_person(pairs.all())) == 3


def as_a_spreadsheet_saves_it(text, what):
    rows = list(csv.reader(text.splitlines()))
    if what == "semicolons":
        return "\n".join(";".join(row) for row in rows).encode()
    if what == "headings":
        return "\n".join([",".join(name.title() for name in rows[0]), *text.splitlines()[1:]]).encode()
    if what == "utf-16":
        return "\n".join("\t".join(row) for row in rows).encode("utf-16")
    if what == "page of windows":
        return "\n".join(";".join(row) for row in rows).encode("cp1251")
    return text.replace("proposal", " Proposal").encode()


@pytest.mark.parametrize("what", ["semicolons", "headings", "utf-16", "page of windows", "a space"])
def test_training_refuses_it_too_when_a_spreadsheet_has_saved_it(path, what):
    JudgedPairs(path).decide({BAG: True}, source=PROPOSED, judge="")
    path.write_bytes(as_a_spreadsheet_saves_it(path.read_text(encoding="utf-8"), what))
    with pytest.raises(SourceError, match=r"1 pairs .* nobody confirmed"):
        refuse_unconfirmed(path)


def test_a_grade_between_right_and_wrong_stays_as_a_person_wrote_it(path):
    JudgedPairs(path).decide({BAG: True}, source=PERSON, judge="anna")
    path.write_text(path.read_text(encoding="utf-8").replace("2,1,person", "2,0.5,person"), encoding="utf-8")
    JudgedPairs(path).decide({SHIRT: True}, source=PERSON, judge="anna")
    assert grades(path) == {("a bag", "2"): 0.5, ("a shirt", "1"): 1, ("a shirt", "1/2"): 1}
    assert "a shirt,1,1,person" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["q,i,inf,person,1,,,", "q,i,nan,person,1,,,", "q,i,-1,person,1,,,", "q,i,1,person"])
def test_a_grade_that_is_none_and_a_line_that_is_short_are_errors(path, line):
    path.write_text(",".join(COLUMNS) + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"judgements\.csv cannot be read"):
        JudgedPairs(path)


def test_a_picture_whose_name_is_not_utf8_is_judged_and_evaluated_too(tmp_path, path):
    odd = "\udce9.jpg"  # how Python holds a byte of a name that is no UTF-8
    JudgedPairs(path).decide({Proposal("a cup", Thing((odd,), odd, "Cup"), 0.5): True}, source=PERSON, judge="anna")
    assert [pair.picture for pair in read_pairs(path)] == [odd]
    (row,) = read_rows(str(path), ("query", "item"))
    assert row[1]["item"] == odd


def test_a_table_that_is_no_judgements_is_none_of_its_business(tmp_path):
    table = tmp_path / "shop.csv"
    table.write_text("id,image,source\n1,a.jpg,proposal\n", encoding="utf-8")
    refuse_unconfirmed(table)
    refuse_unconfirmed(tmp_path / "missing.csv")
