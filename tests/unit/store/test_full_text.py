"""Whatever changes an item, its words are those of what is known about it, from the same commit on."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from lookalike.store.collection_store import Store
from stored_files import ENCODER, found

ROOT = b"/photos/Riga 2019"


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "collection") as store:
        yield store


def put(store: Store, titles: dict[bytes, str], *, path: bytes = ROOT, **changes) -> None:
    with store.writer() as writer:
        root = writer.add_root(path, is_file=False)
        space = writer.create_space(*ENCODER)
        writer.put(
            space, [found(root, key, repr(key), metadata={"title": title}, **changes) for key, title in titles.items()]
        )
        writer.finish([(root.number, b"")])


def answers(store: Store, text: str) -> list[bytes]:
    with store.snapshot() as snapshot:
        rows = snapshot.words(text, 10).rows.tolist()
        return [snapshot.items_of([row])[row][0].key for row in rows]


def test_titles_folders_and_file_names_are_found(store):
    put(store, {b"zoo/giraffe.jpg": "Tall one", b"2.jpg": "Red dress"})
    assert answers(store, "tall") == answers(store, "giraffe") == answers(store, "zoo") == [b"zoo/giraffe.jpg"]
    assert len(answers(store, "riga")) == 2


def test_folders_above_the_root_are_nobody_s_words(store):
    put(store, {b"1.jpg": "x"})
    assert answers(store, "photos") == []


def test_lists_captions_and_what_the_bytes_say_are_found(store):
    put(store, {b"1.jpg": "x"}, picture_metadata={"caption": "A heron", "tags": ["birds", "water"], "city": "Jūrmala"})
    assert answers(store, "heron") == answers(store, "bird") == answers(store, "jurmala") == [b"1.jpg"]


def test_a_changed_title_takes_the_place_of_the_old_one(store):
    put(store, {b"1.jpg": "Old hat"})
    put(store, {b"1.jpg": "New coat"})
    assert (answers(store, "hat"), answers(store, "coat")) == ([], [b"1.jpg"])


def test_a_move_changes_the_words_of_the_place(store):
    put(store, {b"before/1.jpg": "x"})
    with store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        writer.put(writer.create_space(*ENCODER), [found(root, b"after/1.jpg", repr(b"before/1.jpg"))])
        writer.finish([(root.number, b"")])
    assert (answers(store, "before"), answers(store, "after")) == ([], [b"after/1.jpg"])


def test_what_is_removed_is_found_no_more_and_leaves_nothing_in_the_file(store, tmp_path):
    put(store, {b"1.jpg": "Zyzzyva weevil", b"2.jpg": "Plain stone"})
    with store.writer() as writer:
        writer.put_word_vectors(writer.create_space(*ENCODER), ["zyzzyva"], [[0.0] * ENCODER[2]])
        writer.remove_below(ROOT + b"/1.jpg")
        writer.compact()
    assert (answers(store, "zyzzyva"), answers(store, "ston")) == ([], [b"2.jpg"])
    store.close()
    assert all(b"zyzzyv" not in file.read_bytes().lower() for file in (tmp_path / "collection").glob("collection.*"))


def test_catalogue_columns_are_read_when_they_are_named_and_again_when_others_are(store):
    put(store, {b"1.jpg": "x"}, picture_metadata={"material": "linen", "maker": "Acme"})
    assert answers(store, "linen") == []
    for fields, found_by in ((["material"], "linen"), (["maker"], "acme")):
        store.set_setting("text_fields", fields)
        with store.writer() as writer:
            writer.finish([])
        assert answers(store, found_by) == [b"1.jpg"]
    assert answers(store, "linen") == []


def test_a_collection_of_before_gets_its_words_with_the_next_run(store, tmp_path):
    put(store, {b"1.jpg": "Heron"})
    with closing(sqlite3.connect(tmp_path / "collection" / "collection.sqlite")) as connection, connection:
        connection.execute("DELETE FROM words")
        connection.execute("INSERT INTO wordless SELECT number FROM items")
    assert answers(store, "heron") == []
    with store.writer() as writer:
        writer.finish([])
    assert answers(store, "heron") == [b"1.jpg"]


def test_a_batch_that_fails_leaves_no_words(store):
    put(store, {b"1.jpg": "Heron"})
    with pytest.raises(ValueError, match="no direction"):
        put(store, {b"2.jpg": "Stork"}, vector=[0.0] * ENCODER[2])
    assert (answers(store, "stork"), answers(store, "heron")) == ([], [b"1.jpg"])


def test_an_address_on_the_web_is_found_by_its_file_name_alone(store):
    put(store, {b"1": "x"}, path=b"imported:00", uri="https://shop.example/pictures/lamp-7.png?size=2")
    assert answers(store, "lamp") == [b"1"]
    assert answers(store, "shop") == answers(store, "https") == answers(store, "imported") == []
