"""The packed photos of all training sets as one numbered list, with everything known of each, and batches of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from lookalike.training.pack import PackList, pixels_of
from lookalike.training.picture_teacher import FEATURE_DIM, FEATURE_STEP, probabilities

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.training.words import Words

_SURE = 0.5  # probability from which the teacher's label is taken as a name for a captioned photo
_PHOTO_KEYS = 1_000_000  # keys from here on are photos; below are concepts
_PHOTOS_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class Photos:
    """`sets`: (name, pictures uint8 (n, side, side, 3)), memory-mapped. `places` int64 (photos, 2): set and row.

    `captions`: text numbers, empty for photos without captions. `concepts` int64 (photos,): -1 without a label.
    `guessed` int64 (photos,): the concept the teacher is sure of, or -1. `features` uint8 (photos, 1280); `asked` bool
    (photos,). `texts_of`: text numbers by concept. `ranges`: first and last photo of each set. `shares`: of a batch.
    """

    sets: list[tuple[str, NDArray[np.uint8]]]
    places: NDArray[np.int64]
    captions: list[list[int]]
    concepts: NDArray[np.int64]
    guessed: NDArray[np.int64]
    features: NDArray[np.uint8]
    asked: NDArray[np.bool_]
    texts_of: list[list[int]]
    ranges: dict[str, tuple[int, int]]
    shares: dict[str, float]

    @classmethod
    def open(cls, packs: Path, words: Words, shares: Mapping[str, float]) -> Self:
        """The sets named by `shares`, in that order, without undecodable photos and those that lack their caption."""
        gathered = [_open_set(packs, words, name, place) for place, name in enumerate(shares)]
        counts = np.cumsum([0, *(len(each.places) for each in gathered)]).tolist()
        features = np.concatenate([each.features for each in gathered])
        return cls(
            sets=[(name, pixels_of(packs, name)) for name in shares],
            places=np.concatenate([each.places for each in gathered]),
            captions=[captions for each in gathered for captions in each.captions],
            concepts=np.concatenate([each.concepts for each in gathered]),
            guessed=np.concatenate([each.guessed for each in gathered]),
            features=features,
            asked=np.asarray(features.any(1), np.bool_),
            texts_of=words.concepts,
            ranges=dict(zip(shares, itertools.pairwise(counts), strict=True)),
            shares=dict(shares),
        )

    @property
    def caption_numbers(self) -> NDArray[np.int64]:
        """Every caption of a training photo, once."""
        return np.array(sorted({number for captions in self.captions for number in captions}), np.int64)

    @property
    def worded(self) -> NDArray[np.bool_]:
        """Bool (photos,): which have a caption or a label."""
        return np.array([bool(captions) for captions in self.captions], np.bool_) | (self.concepts >= 0)

    def of_sets(self, names: Collection[str]) -> NDArray[np.bool_]:
        """Bool (photos,): which are of these sets."""
        inside = np.zeros(len(self.places), np.bool_)
        for name in names:
            inside[slice(*self.ranges[name])] = True
        return inside

    def pixels(self, photos: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Pictures by the side they are packed at: (positions in `photos`, uint8 (n, side, side, 3)) each."""
        places = self.places[photos]
        sides = np.array([pack.shape[1] for _, pack in self.sets])[places[:, 0]]
        groups = []
        for side in np.unique(sides):
            positions = np.flatnonzero(sides == side)
            pictures = np.empty((len(positions), side, side, 3), np.uint8)
            for place in np.unique(places[positions, 0]):
                inside = np.flatnonzero(places[positions, 0] == place)
                pictures[inside] = self.sets[place][1][places[positions[inside], 1]]
            groups.append((positions, pictures))
        return groups

    def features_of(self, photos: NDArray[np.int64]) -> NDArray[np.float32]:
        """The picture teacher's features, float32 (n, 1280)."""
        return self.features[photos].astype(np.float32) * np.float32(FEATURE_STEP)

    def say(
        self, photos: NDArray[np.int64], random: np.random.Generator, label_share: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """One text for each photo, and a key: equal keys mean that each text is right for the other photo too.

        A captioned photo is now and then (`label_share`) called by the label its teacher is sure of, a photo without
        words always; where the teacher is not sure, that one has no text: -1.
        """
        numbers, keys = np.full(len(photos), -1, np.int64), np.empty(len(photos), np.int64)
        for place, photo in enumerate(photos):
            concept, captions = int(self.concepts[photo]), self.captions[photo]
            if concept < 0 <= self.guessed[photo] and (not captions or random.random() < label_share):
                concept = int(self.guessed[photo])
            texts = captions if concept < 0 else self.texts_of[concept]
            if texts:
                numbers[place] = texts[random.integers(len(texts))]
            keys[place] = _PHOTO_KEYS + photo if concept < 0 else concept
        return numbers, keys


class BatchDrawer:
    """Draws photo numbers: each set by its share, within a set every photo once before any twice.

    `usable`: bool (photos,), which may be drawn; None: all.
    """

    def __init__(self, photos: Photos, seed: int, *, usable: NDArray[np.bool_] | None = None) -> None:
        self.random = np.random.default_rng(seed)
        self._pools = {}
        for name, (low, high) in photos.ranges.items():
            pool = np.arange(low, high)
            pool = pool if usable is None else pool[usable[low:high]]
            if len(pool):
                self._pools[name] = pool
        shares = np.array([photos.shares[name] for name in self._pools])
        self._shares = shares / shares.sum()
        self._waiting = {name: np.empty(0, np.int64) for name in self._pools}

    def draw(self, count: int) -> NDArray[np.int64]:
        """Numbers of `count` photos."""
        drawn = []
        for name, wanted in zip(self._pools, self.random.multinomial(count, self._shares), strict=True):
            while len(self._waiting[name]) < wanted:
                again = self.random.permutation(self._pools[name])
                self._waiting[name] = np.concatenate([self._waiting[name], again])
            drawn.append(self._waiting[name][:wanted])
            self._waiting[name] = self._waiting[name][wanted:]
        return np.concatenate(drawn)


@dataclass(frozen=True, slots=True)
class _Set:
    places: NDArray[np.int64]
    captions: list[list[int]]
    concepts: NDArray[np.int64]
    guessed: NDArray[np.int64]
    features: NDArray[np.uint8]


def _open_set(packs: Path, words: Words, name: str, place: int) -> _Set:
    listing = PackList.read(packs, name)
    bad = set(listing.bad)
    said: Sequence[list[int]] = words.captions.get(name) or [[]] * len(listing.paths)
    labels = words.rows.get(name) or [-1] * len(listing.paths)
    rows = [row for row in range(len(listing.paths)) if row not in bad and (said[row] or name in words.rows)]
    features = np.zeros((len(rows), FEATURE_DIM), np.uint8)
    guessed = np.full(len(rows), -1, np.int64)
    if (packs / f"{name}.asked").exists():
        features = np.load(packs / f"{name}.feature.npy", mmap_mode="r")[rows]
        guessed = _guesses(np.load(packs / f"{name}.score.npy", mmap_mode="r")[rows], words.teacher)
        guessed[~features.any(1)] = -1
    places = np.array([(place, row) for row in rows], np.int64).reshape(-1, 2)
    concepts = np.array([labels[row] for row in rows], np.int64)
    return _Set(places, [said[row] for row in rows], concepts, guessed, features)


def _guesses(scores: NDArray[np.uint8], concepts: list[int]) -> NDArray[np.int64]:
    """The concept of the teacher's best label where it is sure, -1 elsewhere."""
    guesses = np.full(len(scores), -1, np.int64)
    for start in range(0, len(scores), _PHOTOS_AT_ONCE):
        shares = probabilities(scores[start : start + _PHOTOS_AT_ONCE])
        best = np.array(concepts)[shares.argmax(1)]
        guesses[start : start + _PHOTOS_AT_ONCE] = np.where(shares.max(1) > _SURE, best, -1)
    return guesses
