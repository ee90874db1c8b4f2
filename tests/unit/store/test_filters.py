"""What a condition lets pass, from a collection with columns and from one without."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lookalike.core.conditions import And, Compare, Contains, Has, In, Moments, Not, Or
from lookalike.store.collection_store import Store
from stored_files import ENCODER, found

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.fsencode(os.path.join(os.path.abspath(os.sep), "Pictures"))
MAY_2024 = Moments(1_714_521_600 * 10**9, 1_717_200_000 * 10**9)
METADATA = [
    {"colour": "Red", "tags": ["Beach", "sun"], "price": 5, "taken": "2024-05-31T23:59:59"},
    {"colour": "red", "tags": "beach", "price": 0.5, "taken": "2024-06-01T01:00:00+03:00", "size": "XL"},
    {"colour": "РОЖЕВИЙ", "tags": [], "price": "unknown", "taken": "long ago"},
    {"colour": "café", "sold": True, "price": 2**53 + 1},
    {},
]


@contextmanager
def filled(place: Path, *, with_columns: bool):
    with Store.open(place / "c.lookalike") as opened:
        with opened.writer() as writer:
            root = writer.add_root(ROOT, is_file=False)
            space = writer.create_space(*ENCODER)
            writer.set_setting("fields", {"size": "text"})
            keys = [b"IMG_0.JPG", b"Screenshots/1.png", b"Screenshots/sub/2.png", b"3.png", b"4"]
            files = [
                found(root, key, str(each), metadata=own, size=each, id=f"Item-{each}")
                for each, (key, own) in enumerate(zip(keys, METADATA, strict=True))
            ]
            writer.put(space, files)
            if with_columns:
                assert writer.make_columns(least=1)
        yield opened


@pytest.fixture(scope="module", params=[False, True], ids=["sql", "columns"])
def asked(request, tmp_path_factory):
    """Asked only, never changed."""
    with filled(tmp_path_factory.mktemp("filters"), with_columns=request.param) as store:
        yield store


@pytest.fixture
def store(tmp_path: Path):
    with filled(tmp_path, with_columns=True) as store:
        yield store


def rows(store: Store, condition) -> list[int]:
    with store.snapshot() as snapshot:
        return [row for row, is_met in enumerate(snapshot.where_mask(condition).tolist()) if is_met]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (Compare("colour", "=", "RED"), [0, 1]),
        (Compare("colour", "=", "рожевий"), [2]),
        (Compare("colour", "=", "CAFE\u0301"), [3]),
        (Compare("colour", "!=", "red"), [2, 3]),
        (Not(Compare("colour", "=", "red")), [2, 3, 4]),
        (Contains("colour", "ЖЕВ"), [2]),
        (In("colour", ("red", "café")), [0, 1, 3]),
        (Compare("tags", "=", "beach"), [0, 1]),
        (Compare("tags", "!=", "sun"), [1]),
        (Has("tags"), [0, 1]),
        (Compare("price", "<", 5), [1]),
        (Compare("price", ">=", 5.0), [0, 3]),
        (Compare("price", ">", 2**53), [3]),
        (Compare("price", "=", float(2**53)), []),
        (Compare("price", "=", "unknown"), [2]),
        (Has("price"), [0, 1, 2, 3]),
        (Compare("taken", "=", MAY_2024), [0, 1]),
        (Compare("taken", ">", MAY_2024), []),
        (Not(Compare("taken", "<=", MAY_2024)), [2, 3, 4]),
        (Has("taken"), [0, 1]),
        (Compare("sold", "=", True), [3]),
        (Compare("size", "=", "xl"), [1]),
        (Compare("file.size", "<", 2), [0, 1]),
        (Contains("folder", "screenshots"), [1, 2]),
        (Compare("folder", "=", os.path.join(os.fsdecode(ROOT), "screenshots")), [1]),
        (Contains("name", "img_"), [0]),
        (Compare("extension", "=", "jpg"), [0]),
        (Not(Has("extension")), [4]),
        (Contains("path", os.path.join("screenshots", "SUB")), [2]),
        (In("id", ("item-3", "ITEM-4", "item")), [3, 4]),
        (In("file.size", tuple(range(2, 40))), [2, 3, 4]),
        (In("id", tuple(f"item-{each}" for each in range(3, 40))), [3, 4]),
        (Compare("modified", "=", Moments(1_700_000_000 * 10**9, 1_700_000_001 * 10**9)), [0, 1, 2, 3, 4]),
        (Has("nobody"), []),
        (And((Compare("colour", "=", "red"), Compare("price", "<", 5))), [1]),
        (Or((Compare("colour", "=", "café"), Compare("price", "<", 5))), [1, 3]),
        (And(()), [0, 1, 2, 3, 4]),
        (Or(()), []),
    ],
)
def test_what_is_let_pass(asked, condition, wanted):
    assert rows(asked, condition) == wanted
    with asked.snapshot() as snapshot:
        ids = [f"Item-{each}" for each in range(5)]
        assert snapshot.where_items(condition, ids) == {f"Item-{each}" for each in wanted}


def test_of_the_items_of_one_picture_each_is_asked_for_itself(store):
    with store.writer() as writer:
        root, _ = writer.root_for(ROOT)
        with store.snapshot() as snapshot:
            space = snapshot.space
        writer.put(space, [found(root, b"copy.png", "0", metadata={"colour": "green"}, id="copy")])
        writer.make_columns(least=1)
    assert rows(store, Compare("colour", "=", "green")) == rows(store, Contains("name", "img_0")) == [0]
    assert rows(store, And((Compare("colour", "=", "green"), Contains("name", "img_0")))) == []
    with store.snapshot() as snapshot:
        assert snapshot.where_items(Compare("colour", "=", "green"), ["copy", "Item-0", "no such"]) == {"copy"}


def test_a_field_that_a_catalogue_declares_anew_means_what_it_says_now(store):
    with store.writer() as writer:
        writer.set_setting("fields", {"taken": "text"})
    assert rows(store, Compare("taken", "=", "LONG AGO")) == [2]
    assert rows(store, Has("taken")) == [0, 1, 2]
    assert rows(store, Compare("taken", "=", MAY_2024)) == []
    assert rows(store, Compare("size", "<", 2)) == [0, 1]


@pytest.mark.parametrize("with_columns", [False, True])
def test_a_picture_of_a_catalogue_lies_where_its_file_does(tmp_path: Path, with_columns):
    """Its key is its id: the folder and the name are those of its path, or of its address."""
    with Store.open(tmp_path / "c.lookalike") as opened:
        with opened.writer() as writer:
            root = writer.add_root(b"catalogue:" + ROOT + b".csv", is_file=False)
            space = writer.create_space(*ENCODER)
            shown = [os.path.join(os.fsdecode(ROOT), "a", "Boot.JPG"), "https://example.org/a/Boot.png"]
            writer.put(space, [found(root, b"SKU/%d" % each, str(each), uri=uri) for each, uri in enumerate(shown)])
            assert writer.make_columns(least=1) or not with_columns
        if not with_columns:
            shutil.rmtree(tmp_path / "c.lookalike" / "columns")
        assert rows(opened, Compare("name", "=", "boot.jpg")) == rows(opened, Compare("extension", "=", "jpg")) == [0]
        assert rows(opened, Contains("folder", "example.org")) == [1]
        with opened.snapshot() as snapshot:
            assert snapshot.mask_below(ROOT).tolist() == [True, False]
            assert snapshot.mask_below(os.fsencode(shown[0])).tolist() == [True, False]
            assert not snapshot.mask_below(ROOT + b"-").any()
