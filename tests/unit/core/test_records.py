from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import FrozenInstanceError

import pytest

from lookalike.core.records import Hit, Plan, Results

HITS = tuple(Hit(n, 1 / n, None, f"id{n}", f"/p/{n}.jpg", 640, None, {"n": n}) for n in (1, 2, 3))


@pytest.fixture
def results() -> Results:
    return Results(HITS, "a dog", "toy", Plan("exact", "all 3 pictures are compared"), {"total": 1.5})


def test_results_are_a_sequence_of_their_hits(results):
    assert isinstance(results, Sequence)
    assert list(results) == list(HITS)
    assert (len(results), results[0], results[-1], results[:2]) == (3, HITS[0], HITS[2], HITS[:2])
    assert HITS[1] in results
    assert results.index(HITS[2]) == 2
    assert not Results((), "", "toy", Plan("exact", ""), {})


def test_a_hit_as_a_dict_has_its_keys_in_the_documented_order():
    assert list(HITS[0].as_dict().items()) == [
        ("rank", 1),
        ("score", 1.0),
        ("relevance", None),
        ("id", "id1"),
        ("uri", "/p/1.jpg"),
        ("width", 640),
        ("height", None),
        ("metadata", {"n": 1}),
    ]


def test_results_as_a_dict_are_ready_for_json(results):
    given = json.loads(json.dumps(results.as_dict()))
    assert list(given) == ["query", "encoder", "plan", "took_ms", "cut", "generation", "next", "hits"]
    how = {"strategy": "exact", "reason": "all 3 pictures are compared"}
    assert given["plan"] == how | {"effort": None, "fetch": None}
    assert given["hits"] == [hit.as_dict() for hit in HITS]


def test_records_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        HITS[0].rank = 2
