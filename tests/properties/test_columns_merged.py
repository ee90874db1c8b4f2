"""A set of columns brought up to date says the same as one written from nothing, whatever changed in between.

It may say less: a name left out for a value that is gone stays left out, and SQL is asked about it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from itertools import pairwise
from math import isnan
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.core.conditions import text_of
from lookalike.store import column_sets
from lookalike.store.collection_store import Store
from lookalike.store.columns import NO_NUMBER
from stored_files import ENCODER, found

TOP = os.fsencode(os.path.abspath(os.sep))
KEYS = [b"a.png", b"a/b.jpg", b"a/c.png", b"b/\xff.png", b"c"]

values = st.one_of(
    st.integers(-3, 3),
    st.just(2**60),
    st.sampled_from([0.5, 2.0, True, "red", "pink", "Ärger", "5", ["red", "blue"], [], {"x": 1}, None]),
)
metadata = st.dictionaries(st.sampled_from(["price", "colour", "note"]), values, max_size=3)
runs = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 4), metadata), max_size=4),
        st.none() | st.sampled_from([b"a", b"b", b"c"]),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(runs=runs)
def test_a_set_brought_up_to_date_is_one_written_from_nothing(runs):
    folder = Path(tempfile.mkdtemp(prefix="lookalike-test-"))
    share, column_sets.MERGED_SHARE = column_sets.MERGED_SHARE, float("inf")
    try:
        with Store.open(folder / "c.lookalike") as store:
            for files, removed in runs:
                with store.writer() as writer:
                    root = writer.add_root(os.path.join(TOP, b"pictures"), is_file=False)
                    space = writer.create_space(*ENCODER)
                    batch = {key: found(root, key, str(each), metadata=own) for key, each, own in files}
                    writer.put(space, [*batch.values()])
                    if removed is not None:
                        writer.remove_below(os.path.join(TOP, b"pictures", removed))
                    made = writer.make_columns(least=1)
                if made:
                    merged, left_out = told(store)
                    assert list(store.verify()) == []
                    forget(store)
                    with store.writer() as writer:
                        assert writer.make_columns(least=1)
                    anew, _ = told(store)
                    assert merged == {name: each for name, each in anew.items() if name not in left_out}
    finally:
        column_sets.MERGED_SHARE = share
        shutil.rmtree(folder)


def forget(store: Store) -> None:
    with sqlite3.connect(store.path / "collection.sqlite") as connection:
        connection.execute("DELETE FROM columns")
    connection.close()


def told(store: Store) -> tuple[dict[str, list[object]], frozenset[str]]:
    """What the set says about every entry, whatever the kind of a column; and the names that it leaves out."""
    with store.snapshot() as snapshot:
        columns = snapshot.columns()
        said = {name: of_entries(columns, name) for name in columns.manifest.columns}
        assert columns.manifest.aligned == (said["row"] == [(str(row),) for row in range(snapshot.count)])
        return {name: each for name, each in said.items() if any(each)}, columns.manifest.left_out


def of_entries(columns, name: str) -> list[object]:
    kind = columns.kind(name)
    if kind == "plain":
        starts, content = columns.arrays(name)
        return [bytes(content[start:end]) for start, end in pairwise(starts.tolist())]
    if kind in {"text", "bytes", "texts"}:
        words = columns.words(name)
        assert len(words.folded) == len(words)
        owners = range(len(columns)) if words.owners is None else words.owners.tolist()
        lists: list[tuple[bytes, ...]] = [() for _ in range(len(columns))]
        for owner, code in zip(owners, words.codes.tolist(), strict=True):
            lists[owner] += (words[code].decode("utf-8", "surrogateescape"),) if code >= 0 else ()
        return lists
    each = columns.numbers(name).tolist()
    if kind == "bool":
        return [() if value < 0 else (text_of(bool(value)),) for value in each]
    return [() if value == NO_NUMBER or isnan(value) else (text_of(value),) for value in each]
