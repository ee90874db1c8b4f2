"""Rows of a catalogue settled against the items that are there, without reading a file."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.records import Asset
from lookalike.store.collection_store import Found, Store

FOLDER = b"/photos"


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


@pytest.fixture
def writer(store):
    with store.writer() as opened:
        yield opened


@pytest.fixture
def catalogue(writer):
    """The root of a catalogue, beside a folder with three known pictures."""
    space = writer.create_space("encoder", "encoder", 4)
    folder = writer.add_root(FOLDER, is_file=False).number
    writer.put(
        space,
        [
            Found(
                folder,
                b"%d.jpg" % n,
                f"/photos/{n}.jpg",
                100 + n,
                7,
                bytes([n]) * 16,
                bytes([n]) * 16,
                1,
                1,
                "JPEG",
                vector=vector,
            )
            for n, vector in enumerate(np.eye(4, dtype=np.float32)[:3])
        ],
    )
    return writer.add_root(b"catalogue:/shop/c.csv", is_file=False).number


def row(id, number, *, size=None, **said):
    return Asset(id.encode(), f"/photos/{number}.jpg", 100 + number if size is None else size, 7, said)


def items(store):
    with store.snapshot() as snapshot:
        found = snapshot.items_of(range(snapshot.count)).values()
        return {item.id: item for some in found for item in some if item.key[-4:] != b".jpg"}


def counts(report):
    return report.unchanged, report.described, report.added, report.changed, len(report.left)


def generation(store):
    with store.snapshot() as snapshot:
        return snapshot.generation


def test_rows_of_known_files_become_items_with_ids_of_their_own(store, writer, catalogue):
    assert counts(writer.put_rows(catalogue, [row("007", 0, price=1), row("008", 0), row("9/2", 2)])) == (0, 0, 3, 0, 0)
    found = items(store)
    assert sorted(found) == ["007", "008", "9/2"]
    assert found["007"].metadata["price"] == 1
    assert found["007"].picture == found["008"].picture
    assert found["007"].uri == "/photos/0.jpg"


def test_rows_of_files_that_are_new_or_changed_are_left(store, writer, catalogue):
    report = writer.put_rows(catalogue, [row("a", 7), row("b", 0, size=5)])
    assert counts(report) == (0, 0, 0, 0, 2)
    assert [picture for _, picture in report.left] == [None, None]
    writer.put_rows(catalogue, [row("b", 0)])
    (left,) = writer.put_rows(catalogue, [row("b", 0, size=5)]).left
    assert left[1] == items(store)["b"].picture


def test_the_same_rows_again_write_nothing(store, writer, catalogue):
    rows = [row("a", 0, price=1), row("b", 1)]
    writer.put_rows(catalogue, rows)
    before = generation(store)
    assert counts(writer.put_rows(catalogue, rows)) == (2, 0, 0, 0, 0)
    assert generation(store) == before


def test_what_a_row_says_is_written_alone_and_another_file_of_it_taken(store, writer, catalogue):
    writer.put_rows(catalogue, [row("a", 0, price=1), row("b", 1)])
    assert counts(writer.put_rows(catalogue, [row("a", 0, price=2), row("b", 2)])) == (0, 1, 0, 1, 0)
    found = items(store)
    assert found["a"].metadata["price"] == 2
    assert (found["b"].uri, found["b"].size) == ("/photos/2.jpg", 102)


def test_rows_not_seen_are_gone_at_the_end_and_never_move(store, writer, catalogue):
    writer.put_rows(catalogue, [row("a", 0), row("b", 1)])
    writer.finish([(catalogue, b"")])
    writer.put_rows(catalogue, [row("c", 0), row("b", 1)])
    report = writer.finish([(catalogue, b"")])
    assert (report.moved, report.removed) == (0, 1)
    assert sorted(items(store)) == ["b", "c"]


def test_an_id_that_is_taken_gets_the_name_of_the_catalogue(store, writer, catalogue):
    other = writer.add_root(b"catalogue:/shop/d.csv", is_file=False).number
    writer.put_rows(catalogue, [row("a", 0)])
    writer.put_rows(other, [row("a", 1)])
    assert sorted(items(store)) == ["a", "d.csv:a"]


def test_metadata_alone_is_written_where_it_changed(store, writer, catalogue):
    writer.put_rows(catalogue, [row("a", 0, price=1), row("b", 1, price=1)])
    before = generation(store)
    said = [(b"a", {"price": 1}), (b"b", {"price": 2}), (b"none", {"price": 3})]
    assert writer.set_item_metadata(catalogue, said) == 1
    assert items(store)["b"].metadata["price"] == 2
    assert generation(store) == before + 1
    assert writer.set_item_metadata(catalogue, said) == 0
    assert generation(store) == before + 1


def test_words_follow_what_is_read_for_words_and_only_that(store, writer, catalogue):
    writer.put_rows(catalogue, [row("a", 0, title="navy shirt", price=1)])
    writer.finish([(catalogue, b"")])
    writer.put_rows(catalogue, [row("a", 0, title="navy shirt", price=2)])
    writer.finish([(catalogue, b"")])
    with store.snapshot() as snapshot:
        assert len(snapshot.words("navy", 5).rows) == 1
    writer.put_rows(catalogue, [row("a", 0, title="green dress", price=2)])
    writer.finish([(catalogue, b"")])
    with store.snapshot() as snapshot:
        assert len(snapshot.words("navy", 5).rows) == 0
        assert len(snapshot.words("dress", 5).rows) == 1
