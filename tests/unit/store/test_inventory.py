"""What the store keeps of imported vectors, and what it tells about all of a collection for an export."""

from __future__ import annotations

import numpy as np

from lookalike.store.collection_store import Store
from stored_files import DIM, ENCODER, digest, filled, found, vector_of

KNOWN_ID = "00112233445566ff"
LENGTHS = (1, 1.0005, 0.9995, 7)


def opened(tmp_path) -> Store:
    return Store.open(tmp_path / "c.lookalike")


def test_items_and_digests_are_those_of_every_place(tmp_path):
    with opened(tmp_path) as store:
        filled(store, {b"a.png": "one", b"copy.png": "one", b"b.png": "two"}, b"/photos")
        with store.snapshot() as snapshot:
            assert snapshot.count_items() == 3
            items = [item for its in snapshot.items_of(range(snapshot.count)).values() for item in its]
            digests = {item.key: snapshot.digests_of([item.id])[item.id] for item in items}
    assert digests[b"a.png"] == digests[b"copy.png"] == (digest("one"), digest("pixels one"))
    assert digests[b"b.png"] == (digest("two"), digest("pixels two"))


def test_metadata_of_places_and_of_bytes_is_told_with_its_kinds(tmp_path):
    with opened(tmp_path) as store, store.writer() as writer:
        root = writer.add_root(b"/photos", is_file=False)
        of_place = {"rating": 1, "gps": [1, 2], "none": None, "yes": True}
        of_bytes = {"rating": 1.5, "taken": "2020", "count": 1 << 80}
        writer.put(
            writer.create_space(*ENCODER),
            [found(root, b"a.png", "one", metadata=of_place, picture_metadata=of_bytes)],
        )
        with store.snapshot() as snapshot:
            kinds = snapshot.metadata_kinds()
    assert kinds == {
        "count": {"huge"},
        "gps": {"array"},
        "none": set(),
        "rating": {"integer", "real"},
        "taken": {"text"},
        "yes": {"true"},
    }


def test_a_wanted_id_is_given_once(tmp_path):
    with opened(tmp_path) as store, store.writer() as writer:
        root = writer.add_root(b"/photos", is_file=False)
        some = [found(root, name, "one", id=KNOWN_ID) for name in (b"a.png", b"b.png")]
        writer.put(writer.create_space(*ENCODER), some)
        ids = [writer.known(root.number, [name])[name].id for name in (b"a.png", b"b.png")]
    assert ids[0] == KNOWN_ID
    assert len(set(ids)) == 2


def test_a_float16_vector_of_unit_length_is_kept_bit_for_bit_and_another_is_brought_to_it(tmp_path):
    rows = [
        (vector_of(str(number)) * length).astype(np.float16) for number, length in enumerate([1, 1.0005, 0.9995, 7])
    ]
    with opened(tmp_path) as store, store.writer() as writer:
        root = writer.add_root(b"/photos", is_file=False)
        some = [found(root, b"%d.png" % each, str(each), vector=row) for each, row in enumerate(rows)]
        writer.put(writer.create_space(*ENCODER), some)
        with store.snapshot() as snapshot:
            stored = np.array(snapshot.rows)
        assert list(store.verify()) == []
    np.testing.assert_array_equal(stored[:3], np.stack(rows[:3]))
    assert stored.shape == (4, DIM)
    assert abs(np.linalg.norm(stored[3].astype(np.float32)) - 1) < 1e-3


def test_pictures_nobody_looked_at_are_told_apart(tmp_path):
    with opened(tmp_path) as store, store.writer() as writer:
        root = writer.add_root(b"/photos", is_file=False)
        space = writer.create_space(*ENCODER)
        writer.put(space, [found(root, b"a.png", "one"), found(root, b"b.png", "two", pixels_digest=None)])
        pictures = [writer.known(root.number, [name])[name].picture for name in (b"a.png", b"b.png")]
        assert writer.without_pixels(pictures) == {pictures[1]}


def test_the_root_of_an_import_is_no_folder(tmp_path):
    with opened(tmp_path) as store, store.writer() as writer:
        assert writer.add_root(b"imported:0123456789ab", is_file=False).is_imported
        assert not writer.add_root(b"/imported:", is_file=False).is_imported
        assert writer.remove_below(b"imported:0123456789ab") == 0
        assert [root.path for root in store.roots()] == [b"/imported:"]
