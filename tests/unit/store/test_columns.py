"""Columns hold what SQL holds about every item, as arrays, and say what they leave out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.store import column_making
from lookalike.store.collection_store import Store
from lookalike.store.columns import NO_NUMBER
from stored_files import ENCODER, all_items, found

if TYPE_CHECKING:
    from pathlib import Path

TOP = os.path.abspath(os.sep)
ROOT = os.fsencode(os.path.join(TOP, "pictures"))
SEPARATOR = os.fsencode(os.sep)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


def filled(store: Store, *metadata: dict, **more) -> None:
    """One item for each, `0.png` and so on, and columns of all."""
    with store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        space = writer.create_space(*ENCODER)
        files = [found(root, b"%d.png" % each, str(each), metadata=own, **more) for each, own in enumerate(metadata)]
        writer.put(space, files)
        assert writer.make_columns(least=1)


def values(store: Store, name: str) -> list:
    """A column as Python has it: None where there is none."""
    with store.snapshot() as snapshot:
        columns = snapshot.columns()
        if columns.kind(name) == "texts":
            words, found = columns.words(name), [[] for _ in range(len(columns))]
            for owner, code in zip(words.owners, words.codes, strict=True):
                found[owner].append(words[code])
            return found
        if columns.kind(name) in {"text", "bytes"}:
            words = columns.words(name)
            return [None if code < 0 else words[code] for code in words.codes]
        none = {"bool": -1, "float": None}.get(columns.kind(name), NO_NUMBER)
        found = columns.numbers(name).tolist()
        return [None if each == none or each != each else each for each in found]  # noqa: PLR0124 not a number


def kind(store: Store, name: str) -> str:
    with store.snapshot() as snapshot:
        return snapshot.columns().kind(name)


def test_every_item_has_its_file_in_columns(store):
    with store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        space = writer.create_space(*ENCODER)
        keys = [b"b/x.JPG", b"a/\xff/y.png", b"z", b"a/.hidden"]
        files = [found(root, key, str(each), size=each, width=each or None) for each, key in enumerate(keys)]
        writer.put(space, files)
        writer.make_columns(least=1)
    base = ROOT + SEPARATOR
    assert values(store, "size") == [0, 1, 2, 3]
    assert values(store, "width") == [None, 1, 2, 3]
    assert values(store, "height") == [30] * 4
    assert values(store, "root") == [root.number] * 4
    assert values(store, "modified") == [1_700_000_000_000_000_000] * 4
    assert values(store, "format") == [b"PNG"] * 4
    assert values(store, "extension") == [b"jpg", b"png", None, None]
    with store.snapshot() as snapshot:
        assert snapshot.columns().plain("name").equal(b"x.jpg").tolist() == [True, False, False, False]
        assert snapshot.columns().plain("id").present().all()
    a, strange = base + b"a" + SEPARATOR, base + b"a" + SEPARATOR + b"\xff" + SEPARATOR
    assert values(store, "folder") == [base + b"b" + SEPARATOR, strange, base, a]
    assert kind(store, "modified") == "date"


def test_entries_are_in_the_order_of_rows_and_copies_share_a_row(store):
    with store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        space = writer.create_space(*ENCODER)
        writer.put(space, [found(root, b"a", "cat"), found(root, b"b", "dog"), found(root, b"c", "cat")])
        writer.put(space, [found(root, b"gone", "cow"), found(root, b"d", "owl")])
        writer.remove_below(ROOT + SEPARATOR + b"gone")
        writer.make_columns(least=1)
    with store.snapshot() as snapshot:
        columns = snapshot.columns()
        assert len(columns) == 4
        assert columns.rows().tolist() == [0, 0, 1, 3]
        numbers = columns.numbers("number").tolist()
        assert numbers == [1, 3, 2, 5]
        mask = columns.row_mask(columns.numbers("number") >= 3)
        assert mask.tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    "case",
    [
        ([1, None, -3], "int", [1, None, -3]),
        ([1, 2.5], "float", [1.0, 2.5]),
        ([True, None, False], "bool", [True, None, False]),
        (["b", "a", "b", "ä"], "text", [b"b", b"a", b"b", "ä".encode()]),
        ([2**53 + 1, 0.5], "text", [b"9007199254740993", b"0.5"]),
        ([2**63, 1], "text", [b"9223372036854775808", b"1"]),
        ([NO_NUMBER, 1], "text", [b"-9223372036854775808", b"1"]),
        ([5, 2.0, 0.25, "x", True], "text", [b"5", b"2", b"0.25", b"x", b"true"]),
        (["\ud800"], "text", [b"\xed\xa0\x80"]),
        ([["b", "a"], [], ["a", None]], "texts", [[b"b", b"a"], [], [b"a"]]),
        (["b", ["a", "b"], 5.0, True], "texts", [[b"b"], [b"a", b"b"], [b"5"], [b"true"]]),
        ([""], "text", [b""]),
    ],
)
@pytest.mark.parametrize("piece", [1, 3])
def test_a_key_of_the_metadata_has_the_one_kind_that_holds_all_its_values(tmp_path, monkeypatch, case, piece):
    """Whatever the order in which they come, and however many are read at once."""
    given, wanted, as_values = case
    monkeypatch.setattr(column_making, "PIECE", piece)
    for name, order in (("forwards", slice(None)), ("backwards", slice(None, None, -1))):
        with Store.open(tmp_path / name) as store:
            filled(store, {}, *[{"key": value} for value in given[order]], {"other": 1})
            assert kind(store, "metadata.key") == wanted
            none = [] if wanted == "texts" else None
            assert values(store, "metadata.key") == [none, *as_values[order], none]


def test_the_metadata_of_the_place_goes_over_that_of_the_bytes(store):
    filled(store, {"a": 1}, {"b": None}, picture_metadata={"a": 2, "b": 3})
    assert values(store, "metadata.a") == [1, 2]
    assert values(store, "metadata.b") == [3, None]


def test_dates_are_moments_by_the_name_of_the_field_or_by_what_a_catalogue_declares(store):
    with store.writer() as writer:
        writer.set_setting("fields", {"sold": "date"})
    own = {"taken": "1970-01-01T00:00:01.5", "sold": "1970-01-02", "other": "1970-01-02"}
    filled(store, own, {"taken": "never", "sold": 5, "other": "x"}, {})
    assert values(store, "metadata.taken") == [1_500_000_000, None, None]
    assert values(store, "metadata.sold") == [86_400_000_000_000, None, None]
    assert [kind(store, "metadata." + name) for name in own] == ["date", "date", "text"]


def test_what_columns_leave_out_they_do_not_know(store):
    filled(store, {"gps": [1.5, 2.5], "mixed": 1}, {"mixed": {"a": 1}, "plain": "x"})
    with store.snapshot() as snapshot:
        columns = snapshot.columns()
        for name, known in {"gps": False, "mixed": False, "plain": True, "nobody-has-it": True}.items():
            assert columns.knows("metadata." + name) is known
        assert "metadata.plain" in columns
        assert "metadata.gps" not in columns
        assert "metadata.nobody-has-it" not in columns


def test_more_keys_than_columns_are_left_out_and_that_is_known(store, monkeypatch):
    monkeypatch.setattr(column_making, "MOST_KEYS", 2)
    filled(store, {"a": 1, "b": 2, "c": 3}, {"c": 4, "a": 5})
    with store.snapshot() as snapshot:
        columns = snapshot.columns()
        assert "metadata.a" in columns
        assert "metadata.b" in columns
        assert not columns.knows("metadata.c")
        assert not columns.knows("metadata.who-knows")


def test_too_many_different_words_are_kept_for_each_entry(store, monkeypatch):
    """Of the column that has the most of them; of lists they are not kept at all."""
    monkeypatch.setattr(column_making, "WORDS_BYTES", 4000)
    monkeypatch.setattr(column_making, "PIECE", 10)
    own = [{"title": f"Title {each}", "colour": f"colour {each % 3}", "tags": [f"tag {each}"]} for each in range(60)]
    filled(store, {}, *own, {"title": 7.0})
    with store.snapshot() as snapshot:
        columns = snapshot.columns()
        assert columns.kind("metadata.title") == "plain"
        titles = columns.plain("metadata.title")
        assert np.flatnonzero(titles.equal(b"title 17")).tolist() == [18]
        assert np.flatnonzero(titles.equal(b"7")).tolist() == [61]
        assert np.flatnonzero(titles.containing(b"le 5")).tolist() == [6, *range(51, 61)]
        assert np.flatnonzero(~titles.present()).tolist() == [0]
        assert not columns.knows("metadata.tags")
        assert len(columns.words("metadata.colour")) == 3
        assert not list(columns._folder.glob("*.raw"))


def test_words_are_sorted_and_found_by_value_and_by_beginning(store):
    names = ["b", "ab", "a", "abc", "b", "ä", ""]
    filled(store, *[{"name": name} for name in names])
    with store.snapshot() as snapshot:
        words = snapshot.columns().words("metadata.name")
        assert list(words) == sorted({name.encode() for name in names})
        for name in names:
            assert words[words.code(name.encode())] == name.encode()
        assert words.code(b"abb") is None
        assert words.code(b"zz") is None
        assert words.within(*words.beginning_with(b"ab")).tolist() == [name.startswith("ab") for name in names]
        assert words.within(*words.beginning_with(b"")).all()
        assert not words.within(*words.beginning_with(b"x")).any()
        assert words.codes.dtype == np.int32


def test_arrays_are_mapped_and_cannot_be_changed(store):
    filled(store, {"name": "a", "price": 1.5})
    with store.snapshot() as snapshot:
        columns = snapshot.columns()
        for array in (columns.numbers("metadata.price"), columns.words("metadata.name").codes, columns.rows()):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_the_items_of_columns_are_those_of_the_collection(store):
    filled(store, {"price": 2}, {"price": 7})
    items = all_items(store)
    assert [items[b"%d.png" % each].metadata["price"] for each in range(2)] == values(store, "metadata.price")
