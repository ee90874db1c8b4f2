"""Candidates: pairs near by fingerprint in any turn or by vector, each once, and only those of which one is new."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lookalike.core.records import Fingerprint
from lookalike.core.turns import TURNS, turned
from lookalike.engine import candidates as module
from lookalike.engine.candidates import FEWEST_NEAREST, LEAST_COSINE, NEAREST, candidates
from lookalike.engine.indexing import WISHES_SETTING, build_index
from lookalike.engine.plan import Wishes
from lookalike.engine.remembered import Remembered
from lookalike.index.fingerprints import distances
from lookalike.store.collection_store import Found, Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROOT = os.fsencode(os.path.abspath("/pictures"))
METHOD = 1


class Drawn:
    """Vectors and fingerprints of pictures that have nothing to do with each other, until they are made alike."""

    def __init__(self, count: int, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.random = random
        self.vectors = random.standard_normal((count, 64)).astype(np.float32)
        self.bits = random.integers(0, 256, (count, 32), dtype=np.uint8)
        self.quality = np.full(count, 90)
        self.inner: dict[int, np.ndarray] = {}

    def print_alike(self, copy: int, of: int, *, flips: int = 10, turn: int = 0) -> None:
        every = np.unpackbits(turned(self.bits[of][None])[turn, 0])
        every[self.random.permutation(256)[:flips]] ^= 1
        self.bits[copy] = np.packbits(every)

    def vector_alike(self, copy: int, of: int) -> None:
        self.vectors[copy] = self.vectors[of] + 0.02 * self.random.standard_normal(64)

    def put(
        self, store: Store, some: Sequence[int] | None = None, *, prints: bool = True, encoder: str = "builtin"
    ) -> None:
        """Picture `number` gets the number `number + 1` when all are put in order."""
        with store.writer() as writer:
            root = writer.add_root(ROOT, is_file=False)
            space = writer.create_space("given-0123456789ab", encoder, 64)
            writer.put(space, [self._found(root, each, prints) for each in some or range(len(self.bits))])

    def _found(self, root: Any, number: int, prints: bool) -> Found:  # noqa: FBT001 the value is the point
        digest = number.to_bytes(16, "little")
        inner = self.inner[number].tobytes() if number in self.inner else None
        fingerprint = Fingerprint(self.bits[number].tobytes(), int(self.quality[number]), inner) if prints else None
        return Found(
            root=root.number,
            key=b"%d.jpg" % number,
            uri=os.fsdecode(ROOT) + f"/{number}.jpg",
            size=1,
            modified_ns=1,
            bytes_digest=digest,
            pixels_digest=digest[::-1],
            width=4,
            height=3,
            format="JPEG",
            vector=self.vectors[number],
            fingerprint=fingerprint,
        )


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


def look(store: Store, *, stop_after: int | None = None) -> dict[tuple[int, int], tuple[int, int, float]]:
    """All candidates of what was not looked at, numbered from 0: (distance, turn, cosine). Each pair once."""
    pairs: dict[tuple[int, int], tuple[int, int, float]] = {}
    with store.snapshot() as snapshot:
        base = Remembered(store, pytest.fail).base(snapshot)
        blocks = 0
        for block in candidates(snapshot, base, snapshot.not_looked_at(METHOD)):
            columns = (block.first - 1, block.second - 1, block.distance, block.turn, block.cosine)
            for first, second, *said in zip(*map(np.ndarray.tolist, columns), strict=True):
                assert first < second
                assert (first, second) not in pairs
                pairs[first, second] = tuple(said)
            if len(block.looked):
                store.likenesses.put([], block.looked.tolist(), METHOD)
                blocks += 1
            if blocks == stop_after:
                break
    return pairs


def test_pairs_come_out_by_fingerprint_and_by_vector_and_say_how_near_they_are(store):
    drawn = Drawn(40)
    drawn.print_alike(20, 3, flips=7)
    drawn.vector_alike(21, 4)
    drawn.print_alike(22, 5, flips=0)
    drawn.vector_alike(22, 5)
    drawn.put(store)
    pairs = look(store)
    assert set(pairs) == {(3, 20), (4, 21), (5, 22)}
    assert pairs[3, 20][:2] == (7, 0)
    assert pairs[3, 20][2] < 0.8
    assert pairs[4, 21][0] > 60
    assert pairs[4, 21][2] > 0.99
    assert pairs[5, 22][:2] == (0, 0)


def test_of_an_encoder_that_nobody_measured_the_nearest_come_out_however_near_they_are(store):
    drawn = Drawn(40)
    drawn.vectors[20] = drawn.vectors[3] + 1.8 * drawn.random.standard_normal(64)
    drawn.put(store, encoder="theirs")
    pairs = look(store)
    assert (3, 20) in pairs
    assert pairs[3, 20][2] < LEAST_COSINE
    assert len(pairs) <= 40 * NEAREST


def test_copies_that_fingerprints_found_leave_the_nearest_places_to_others(store):
    drawn = Drawn(80)
    for copy in range(20, 20 + NEAREST + 3):
        drawn.vector_alike(copy, 3)
        drawn.print_alike(copy, 3, flips=4)
    drawn.vectors[70] = drawn.vectors[3] + 0.5 * drawn.random.standard_normal(64)
    drawn.put(store)
    assert (3, 70) in look(store)


def test_of_very_many_new_pictures_each_asks_for_fewer(store, monkeypatch):
    drawn = Drawn(40)
    drawn.put(store, encoder="theirs")
    assert len(look(store)) > 40 * FEWEST_NEAREST
    store.likenesses.doubt()
    monkeypatch.setattr(module, "NEAREST_AT_ONCE", 40)
    assert len(look(store)) <= 40 * FEWEST_NEAREST


@pytest.mark.parametrize("turn", range(TURNS))
def test_the_turn_is_the_one_of_the_first_that_looks_like_the_second(store, turn):
    drawn = Drawn(10)
    drawn.print_alike(8, 2, turn=turn)
    drawn.print_alike(1, 9, turn=turn)
    drawn.put(store)
    pairs = look(store)
    assert set(pairs) == {(2, 8), (1, 9)}
    for (first, second), (distance, said, _) in pairs.items():
        assert distance == 10
        assert distances(turned(drawn.bits[first][None])[said, 0], drawn.bits[second]) == 10


def test_what_lies_within_borders_brings_pairs_together_and_tells_their_turn(store):
    drawn = Drawn(12)
    drawn.inner[7] = turned(drawn.bits[2][None])[1, 0]
    drawn.inner[8] = drawn.bits[3]
    drawn.inner[1] = drawn.bits[3]
    drawn.put(store)
    pairs = look(store)
    assert {pair: turn for pair, (_, turn, _) in pairs.items()} == {(2, 7): 1, (3, 8): 0, (1, 3): 0, (1, 8): 0}
    assert min(distance for distance, _, _ in pairs.values()) > 60  # of the whole pictures


def test_a_second_look_asks_only_for_new_pictures_and_finds_theirs(store):
    drawn = Drawn(30)
    for copy, of in ((5, 0), (25, 1), (26, 2), (29, 28)):
        drawn.print_alike(copy, of)
        drawn.vector_alike(copy, of)
    drawn.put(store, range(20))
    assert set(look(store)) == {(0, 5)}
    assert look(store) == {}
    drawn.put(store, range(20, 30))
    assert set(look(store)) == {(1, 25), (2, 26), (28, 29)}


def test_a_look_that_was_cut_short_goes_on_where_it_was(store, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 4)  # pictures together, so that thirty make several blocks
    drawn = Drawn(30)
    alike = {(0, 29), (1, 2), (3, 9), (10, 28), (20, 21)}
    for first, second in alike:
        drawn.vector_alike(second, first)
        drawn.print_alike(second, first)
    drawn.put(store)
    first = look(store, stop_after=2)
    assert set(first) <= alike
    with store.snapshot() as snapshot:
        assert len(snapshot.not_looked_at(METHOD)) == 30 - 8
    assert set(first) | set(look(store)) == alike


def test_all_blocks_together_tell_each_pair_once(store, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 3)
    drawn = Drawn(40)
    for first, second in pairwise(range(0, 40, 3)):  # chains: each is near two others
        drawn.vector_alike(second, first)
    drawn.put(store)
    assert set(look(store)) >= set(pairwise(range(0, 40, 3)))


def test_pictures_that_show_nothing_are_not_compared_by_fingerprint_and_that_is_said(store):
    drawn = Drawn(10)
    drawn.bits[:5] = 0
    drawn.quality[:5] = 0
    drawn.put(store)
    with store.snapshot() as snapshot:
        *_, last = candidates(snapshot, None, snapshot.not_looked_at(METHOD))
    assert len(last) == 0
    assert ("plain", 5) in last.notes


def test_without_fingerprints_vectors_alone_bring_pairs_and_removed_pictures_bring_none(store):
    drawn = Drawn(20)
    drawn.vector_alike(15, 5)
    drawn.vector_alike(16, 6)
    drawn.put(store, prints=False)
    with store.writer() as writer:
        writer.remove_below(ROOT + os.fsencode(os.sep) + b"6.jpg")
    pairs = look(store)
    assert set(pairs) == {(5, 15)}
    assert pairs[5, 15][:2] == (-1, 0)


def test_with_an_index_the_same_pairs_come_out(store):
    drawn = Drawn(3000)
    alike = {(number, number + 1000) for number in range(0, 1000, 50)}
    for first, second in alike:
        drawn.vector_alike(second, first)
    drawn.put(store)
    with store.writer() as writer:
        writer.set_setting(WISHES_SETTING, Wishes(kind="ivf-sq8").as_dict())
    list(build_index(store, lambda: None))
    with store.snapshot() as snapshot:
        assert snapshot.index is not None
    assert {pair for pair, (_, _, cosine) in look(store).items() if cosine > 0.9} == alike


def test_too_many_vectors_to_compare_without_an_index_are_left_to_fingerprints_and_that_is_said(store, monkeypatch):
    monkeypatch.setattr(module, "COMPARED_AT_MOST", 99)
    drawn = Drawn(10)
    drawn.print_alike(8, 2)
    drawn.vector_alike(9, 3)
    drawn.put(store)
    with store.snapshot() as snapshot:
        *_, last = candidates(snapshot, None, snapshot.not_looked_at(METHOD))
    assert list(zip(last.first, last.second, strict=True)) == [(3, 9)]
    assert ("no_index",) in last.notes


def test_a_collection_that_was_all_looked_at_has_none(store):
    Drawn(5).put(store)
    look(store)
    with store.snapshot() as snapshot:
        assert list(candidates(snapshot, None, snapshot.not_looked_at(METHOD))) == []
