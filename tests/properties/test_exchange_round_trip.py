"""Whatever a collection holds, an export of it that is imported is the same collection."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import lookalike
from exported_vectors import DIM, collection_of, everything, last

names = st.one_of(
    st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.binary(min_size=1, max_size=6).filter(lambda raw: not set(raw) & set(b"/\\\0")).map(os.fsdecode),
).filter(lambda name: name not in {".", ".."})
values = st.recursive(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
        st.integers(),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)
words = st.sampled_from(["taken", "id", "metadata.id", "vector", "rating", "image_path", "Größe", ""])
item = st.fixed_dictionaries({"content": st.integers(0, 5), "metadata": st.dictionaries(words, values, max_size=3)})
collections = st.dictionaries(names, item, min_size=1, max_size=12)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(items=collections, layout=st.sampled_from(["npy", "parquet"]), shard=st.sampled_from([1, 4, 8192]))
def test_an_import_of_an_export_is_the_same_collection(items, layout, shard):
    with tempfile.TemporaryDirectory(prefix="lookalike-test-") as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        with collection_of(folder / "a.lookalike", items, os.fsencode(folder / "photos")) as first:
            assert last(first.export(folder / "out", layout, shard=shard)).vectors == len(items)
            with lookalike.open(folder / "b.lookalike") as second:
                report = last(second.import_vectors(folder / "out"))
                assert (report.added, report.skipped) == (len(items), ())
                assert told(second) == told(first)
                assert second.verify(sample=0).problems == ()


def told(collection: lookalike.Collection) -> tuple[dict, dict]:
    """All that answers say, and every place with its row, bit for bit."""
    with collection._store.snapshot() as snapshot:
        rows = {
            (place.uri, place.id, place.size, place.modified_ns, place.format): np.array(snapshot.rows[row]).tobytes()
            for row, its in snapshot.items_of(range(snapshot.count)).items()
            for place in its
        }
    return answers(collection), rows


def answers(collection: lookalike.Collection) -> dict:
    from lookalike.engine.nameless import NamelessEncoder

    space = collection._store.current_space()
    collection._encoders.load(NamelessEncoder(space.encoder_id, DIM))  # asked with vectors alone
    return everything(collection)
