"""A look for duplicates that begins anew keeps what is known until it knows better."""

from __future__ import annotations

import threading
from itertools import combinations

import pytest

from lookalike.store.collection_store import Store
from lookalike.store.likenesses import PairRecord

METHOD = 1_000
"""Above every method there is: what the test stores is never forgotten as old."""


@pytest.fixture
def store(collection):
    with Store.open(collection.path) as opened:
        yield opened


def look(collection, **options):
    *_, report = collection.duplicates.find(**options)
    return report


def pairs(store) -> set[tuple[int, int]]:
    with store.snapshot() as snapshot:
        return {(pair.first, pair.second) for pair in snapshot.likenesses()}


def test_a_look_again_forgets_what_it_did_not_find_at_its_end_not_where_it_is_cut_short(collection, store):
    look(collection)
    found = pairs(store)
    one, other = next(pair for pair in combinations(range(1, 25), 2) if pair not in found)
    store.likenesses.put([PairRecord(one, other, "edited", 0.9, "saved again", METHOD)], (), METHOD)
    stop = threading.Event()
    stop.set()
    look(collection, again=True, stop=stop)
    assert pairs(store) == found | {(one, other)}
    assert look(collection).looked_at == 24
    assert pairs(store) == found
