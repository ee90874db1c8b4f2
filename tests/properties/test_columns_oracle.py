"""Masks by columns, masks by SQL and a plain loop over all items agree, whatever tree, whatever happened to it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.store.collection_store import Store
from stored_files import ENCODER, found

TOP = os.path.abspath(os.sep)
SEPARATOR = os.fsencode(os.sep)
NAMES = [b"a", b"a-", b"a0", b"b", b"a\xff", "я".encode(), b".x"]
ROOTS = [[b"one"], [b"one-"], [b"two", b"a"], [b"two", b"b"], [b"file.png"]]
FILE_ROOT = 4
PATHS = [[], [b"one"], [b"two"], [b"on"], [b"file.png"], [b"file.png", b"x"], *ROOTS]

keys = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(b"/".join)
places = st.tuples(st.integers(0, FILE_ROOT), keys)
metadata = st.fixed_dictionaries(
    {}, optional={"price": st.integers(0, 9) | st.floats(0, 9), "colour": st.sampled_from(["red", "pink", "я"])}
)
files = st.dictionaries(places, st.tuples(st.integers(0, 9), metadata), min_size=1, max_size=14)
asked_places = st.tuples(st.sampled_from(PATHS), st.lists(st.sampled_from(NAMES), max_size=3))


def native(*parts: bytes) -> bytes:
    return os.path.join(os.fsencode(TOP), *parts)


def is_below(path: bytes, place: bytes) -> bool:
    return path == place or path.startswith(place.rstrip(SEPARATOR) + SEPARATOR)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    first=files,
    second=files,
    removed=asked_places,
    away=st.none() | st.integers(0, FILE_ROOT),
    asked=st.lists(asked_places, min_size=3, max_size=6),
)
def test_masks_by_columns_by_sql_and_by_hand_agree(first, second, removed, away, asked):
    folder = Path(tempfile.mkdtemp(prefix="lookalike-test-"))
    try:
        with Store.open(folder / "c.lookalike") as store:
            with store.writer() as writer:
                space = writer.create_space(*ENCODER)
                for each in (first, second):
                    put(writer, space, each)
                    writer.remove_below(native(*removed[0], *removed[1]))
                if away is None:
                    writer.compact()
                elif root := writer.root_for(native(*ROOTS[away])):
                    writer.set_offline(root[0].number, True)
            paths = [native(*at, *below) for at, below in asked]
            by_sql = [mask(store, path) for path in paths]
            with store.writer() as writer:
                made = writer.make_columns(least=1)
            with store.snapshot() as snapshot:
                assert made == (store.counts().items > 0)
                assert (snapshot.columns() is not None) == made
            assert [mask(store, path) for path in paths] == by_sql
            assert [by_hand(store, path) for path in paths] == by_sql
            if made:
                assert conditions(store) == conditions_by_hand(store)
    finally:
        shutil.rmtree(folder)


def put(writer, space, files) -> None:
    batch = []
    for (number, key), (content, own) in files.items():
        root = writer.add_root(native(*ROOTS[number]), is_file=number == FILE_ROOT)
        key = b"" if number == FILE_ROOT else key  # noqa: PLW2901 a root that is a file is its only item
        batch.append(found(root, key, str(content), size=content, metadata=own))
    writer.put(space, batch)


def mask(store: Store, path: bytes) -> list[bool]:
    with store.snapshot() as snapshot:
        return snapshot.mask_below(path).tolist()


def by_hand(store: Store, path: bytes) -> list[bool]:
    with store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
    return [any(is_below(os.fsencode(item.uri), path) for item in items[row]) for row in range(len(items))]


def conditions(store: Store) -> list[list[bool]]:
    """Of a number, and of words; a name that no column has must be known to be nobody's."""
    with store.snapshot() as snapshot:
        columns = snapshot.columns()
        assert columns.knows("metadata.price")
        assert columns.knows("metadata.colour")
        nothing = columns.numbers("size") < 0
        cheap = columns.numbers("metadata.price") < 5 if "metadata.price" in columns else nothing
        if "metadata.price" in columns and columns.kind("metadata.price") == "int":
            cheap &= columns.numbers("metadata.price") >= 0
        colours = columns.words("metadata.colour") if "metadata.colour" in columns else None
        red = (
            nothing
            if colours is None
            else colours.codes == (colours.code(b"red") if colours.code(b"red") is not None else -2)
        )
        return [columns.row_mask(each).tolist() for each in (cheap, red)]


def conditions_by_hand(store: Store) -> list[list[bool]]:
    with store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
    rows = [[item.metadata for item in items[row]] for row in range(len(items))]
    return [
        [any(own.get("price", 9) < 5 for own in each) for each in rows],
        [any(own.get("colour") == "red" for own in each) for each in rows],
    ]
