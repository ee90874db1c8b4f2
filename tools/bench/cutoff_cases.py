"""Questions to collections that hold what was asked for, or do not: the material of `cutoff.py`.

Classes are split: relevance is fitted on questions for one part, in collections of that part alone, and measured on the
other. A question for something absent is asked of a collection without any picture of it or of its kind
(`cutoff_names.tsv` tells what is of one kind); for something present, pictures of its kind but not of its class are
left out as well, since nobody could say whether they are right.
"""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.engine.familiarity import Familiarity, familiarity_of
from lookalike.engine.questions import caption_vectors
from lookalike.engine.relevance import FACTS, Scale, background_rows, facts_of, scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Rows, Scores, Vectors
    from lookalike.core.protocols import Encoder

NAMES = Path(__file__).with_name("cutoff_names.tsv")
THINGS = Path(__file__).with_name("cutoff_things.tsv")
"""What photos of people's lives are full of, with the words of captions that tell it is there."""
TUNE_SETS = ("pacs", "scenes", "sea", "trash")
SPLIT_SET = "caltech_test"  # its classes go to tuning and to testing by turns; all other sets are for testing
CAPTIONED = "flickr_test"
ANSWERS = 10
SIZES = (500, 1000, 3000, 20_000)
MODES = ("one set", "mixed", "few", "filter", "all")
LEAST = 20  # pictures in a collection
STRANGERS = 10  # names of things in no photo of people's lives, asked of them in each collection of such
IN_LIVES = {
    *("bicycle", "car", "boat", "ship", "hat", "shirt", "shoe", "bag", "chair", "furniture", "room", "shorts"),
    *("trousers", "glasses", "grass", "forest", "guitar", "fish", "bird", "toy", "watch", "bottle", "cup", "motorbike"),
    *("flower", "dress", "lamp", "headphones", "umbrella", "laptop", "sign", "helicopter", "pump", "player"),
}
"""Kinds of things that some of them may show although no caption says so."""
LIKE_CAPTIONS = {"person", "dog", "street", "building", "seawater", "tree", "mountain", "snow", "ball", "horse", "cat"}
"""Kinds of things that photos with captions are full of."""


@dataclass
class World:
    """All photos of one encoder with their classes, -1 for those with captions; `names` in languages, as vectors."""

    rows: HalfVectors
    wide: Vectors
    classes: Rows
    names: dict[str, Vectors]
    split: NDArray[np.str_]
    sets: NDArray[np.str_]
    called: list[str]
    kinds: list[set[str]]
    bank: Vectors
    scale: Scale
    captions: Vectors
    caption_words: Rows  # how many each has
    captioned: Rows  # of each caption, its photo's place after `first_photo`
    first_photo: int
    things: dict[str, Vectors]  # in languages
    thing_kinds: list[set[str]]
    told: NDArray[np.int64]  # (things, photos with captions): how many captions tell of it
    familiarity: Familiarity | None

    def cosines(self, queries: Sequence[Vectors] | Vectors) -> Scores:
        """(queries, rows)."""
        return np.stack(queries) @ self.wide.T if len(queries) else np.empty((0, len(self.wide)), np.float32)

    def right(self, asked: int) -> NDArray[np.bool_]:
        """Which classes answer a class's name."""
        name = self.called[asked]
        return np.array(
            [
                other == asked or self.called[other] == name or name in self.kinds[other]
                for other in range(len(self.called))
            ]
        )

    def akin(self, asked: int) -> NDArray[np.bool_]:
        return np.array([bool(self.kinds[asked] & kinds) for kinds in self.kinds])


@dataclass
class Case:
    """One question to one collection: its first answers, which of them are right (NaN: nobody knows), and measures."""

    state: str  # "present", "absent", "filtered" (in the collection, not where one looks), "near" (its kind is there)
    kind: str  # a language, "phrase", "caption", "thing", "stranger", "picture"
    mode: str  # how the collection was drawn
    size: int
    asked: int
    right: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    scores: Scores = field(default_factory=lambda: np.empty(0, np.float32))
    facts: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, len(FACTS))))
    measures: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def is_words(self) -> bool:
        return self.kind != "picture"


def read_world(folder: Path, name: str, encoder: Encoder) -> World:
    """Of the vectors in FOLDER/NAME, cut to what `encoder` is narrowed to."""
    with NAMES.open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream, delimiter="\t"))
    place = {(row["set"], row["class"]): number for number, row in enumerate(table)}
    rows, classes = [], []
    for each in sorted({row["set"] for row in table}):
        vectors = np.load(folder / name / f"{each}.npy")[:, : encoder.dim]
        labels = json.loads((folder / f"{each}.json").read_text(encoding="utf-8"))["labels"]
        numbers = np.array([place.get((each, label.rsplit("/", 1)[-1]), -1) for label in labels])
        rows.append(vectors[numbers >= 0])
        classes.append(numbers[numbers >= 0])
    labelled = sum(len(each) for each in rows)
    photos = np.load(folder / name / f"{CAPTIONED}.npy")[:, : encoder.dim]
    everything = unit_vectors(np.concatenate([*rows, photos])).astype(np.float16)
    numbers = np.concatenate([*classes, np.full(len(photos), -1)])
    names = {language: encoder.encode_texts([row[language] for row in table]) for language in ("en", "ru", "uk")}
    names["phrase"] = encoder.encode_texts([f"a photo of a {row['en']}" for row in table])
    captions, lengths, captioned = _captions(folder, encoder)
    bank = caption_vectors(encoder)
    assert bank is not None
    return World(
        everything,
        everything.astype(np.float32),
        numbers,
        names,
        _split([row["set"] for row in table], np.bincount(numbers[:labelled], minlength=len(table))),
        np.array([row["set"] for row in table]),
        [row["en"] for row in table],
        [set(row["kinds"].split()) for row in table],
        bank,
        scale_of(everything[background_rows(len(everything))], bank),
        captions,
        lengths,
        captioned,
        labelled,
        *_things(folder, encoder),
        familiarity_of(encoder.id),
    )


def _split(sets: list[str], counts: Rows) -> NDArray[np.str_]:
    """ "tune" or "test" for each class; "" for those with fewer than two pictures."""
    turn, split = 0, []
    for each in sets:
        if each == SPLIT_SET:
            turn += 1
        tune = turn % 2 == 1 if each == SPLIT_SET else each in TUNE_SETS
        split.append("tune" if tune else "test")
    return np.where(counts < 2, "", np.array(split))


def _captions(folder: Path, encoder: Encoder) -> tuple[Vectors, Rows, Rows]:
    """One caption of each photo that has captions: CAPTIONED.csv (image, caption); its words, and its photo."""
    keys = json.loads((folder / f"{CAPTIONED}.json").read_text(encoding="utf-8"))["keys"]
    place = {key.rsplit("/", 1)[-1]: number for number, key in enumerate(keys)}
    with (folder / f"{CAPTIONED}.csv").open(encoding="utf-8", newline="") as stream:
        last = {row["image"]: row["caption"] for row in csv.DictReader(stream)}
    chosen = [(place[image], text) for image, text in last.items() if image in place]
    texts = [text for _, text in chosen]
    lengths = np.array([len(text.split()) for text in texts])
    return encoder.encode_texts(texts), lengths, np.array([number for number, _ in chosen])


def _things(folder: Path, encoder: Encoder) -> tuple[dict[str, Vectors], list[set[str]], NDArray[np.int64]]:
    """The things of THINGS as vectors, of what kinds they are, and how many captions of each photo tell of them."""
    with THINGS.open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream, delimiter="\t"))
    keys = json.loads((folder / f"{CAPTIONED}.json").read_text(encoding="utf-8"))["keys"]
    place = {key.rsplit("/", 1)[-1]: number for number, key in enumerate(keys)}
    patterns = [re.compile(rf"\b(?:{row['pattern']})\b") for row in table]
    told = np.zeros((len(table), len(keys)), np.int64)
    with (folder / f"{CAPTIONED}.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["image"] in place:
                said = [pattern.search(row["caption"].lower()) is not None for pattern in patterns]
                told[:, place[row["image"]]] += said
    vectors = {language: encoder.encode_texts([row[language] for row in table]) for language in ("en", "ru", "uk")}
    return vectors, [set(row["kinds"].split()) for row in table], told


def cases(world: World, split: str, *, collections: int, asked: int, seed: int) -> Iterator[Case]:
    """Questions to `collections` random collections, up to `asked` classes present and as many absent in each."""
    draw = np.random.default_rng(seed)
    own = np.flatnonzero(world.split == split)
    for turn in range(collections):
        mode = MODES[turn % len(MODES)]
        present, rows = _collection(world, split, mode, draw)
        there, gone = np.intersect1d(own, present), np.setdiff1d(own, present)
        for number in draw.choice(there, min(asked, len(there)), replace=False):
            yield from _of_class(world, int(number), rows, mode, draw, is_there=True)
        for number in draw.choice(gone, min(asked, len(gone)), replace=False):
            yield from _of_class(world, int(number), rows, mode, draw, is_there=False)
        if mode in ("mixed", "all"):
            yield from _of_captions(
                world, split, rows, mode, draw.choice(len(world.captioned), 2 * asked, replace=False)
            )
        things = np.arange(split != "tune", len(world.told), 2)
        for thing in draw.choice(things, asked // 2, replace=False):
            yield from _of_thing(world, int(thing), split, rows, mode=mode, draw=draw)
        if mode == "few":
            yield from _of_strangers(world, split, mode, draw)


def _collection(world: World, split: str, mode: str, draw: np.random.Generator) -> tuple[Rows, Rows]:
    """The classes in a collection and its rows."""
    own = np.flatnonzero(world.split == split)
    if mode == "all":
        gone = draw.choice(own, len(own) // 3, replace=False)
        others = np.flatnonzero(world.split == "tune") if split == "tune" else np.arange(len(world.split))
        present = np.setdiff1d(others, gone)
        return present, np.flatnonzero(np.isin(world.classes, present))
    if mode == "one set":
        large = [each for each in sorted(set(world.sets[own])) if (world.sets[own] == each).sum() > 4]
        own = own[world.sets[own] == draw.choice(large)]
    count = int(draw.integers(1, 4)) if mode == "few" else max(int(len(own) * draw.uniform(0.3, 0.85)), 2)
    present = draw.choice(own, count, replace=False)
    rows = np.flatnonzero(np.isin(world.classes, present))
    size = int(draw.choice(SIZES))
    return present, rows if len(rows) <= size else np.sort(draw.choice(rows, size, replace=False))


def _of_class(
    world: World, number: int, rows: Rows, mode: str, draw: np.random.Generator, *, is_there: bool
) -> Iterator[Case]:
    right, akin = world.right(number)[world.classes], world.akin(number)[world.classes]
    known = rows[(right | ~akin)[rows]] if is_there else rows[~(akin | right)[rows]]
    allowed, state = known, "present" if is_there else "absent"
    if mode == "filter" and is_there and draw.random() < 0.5:
        state, allowed = "filtered", known[~right[known]]
    elif mode == "filter":
        some = draw.permutation(np.unique(world.classes[known]))
        allowed = known[np.isin(world.classes[known], [*some[: max(len(some) // 3, 1)], number])]
    pictures = draw.choice(np.flatnonzero(world.classes == number), 2, replace=False).tolist()
    asked = [(language, vectors[number], -1) for language, vectors in world.names.items()]
    asked += [("picture", world.wide[each], each) for each in pictures]
    cosines = world.cosines([query for _, query, _ in asked])
    for (kind, query, itself), every in zip(asked, cosines, strict=True):
        among = allowed[allowed != itself]
        if len(among) >= LEAST and (state != "present" or right[among].any()):
            what = Case(state, kind, mode, len(among), number)
            yield _answered(world, what, (query, every), (among, known[known != itself]), right[among])
    if state == "absent" and mode != "filter" and akin[rows].any() and not right[rows].any() and len(rows) >= LEAST:
        for kind, query, place in (("en", world.names["en"][number], 0), ("picture", world.wide[pictures[0]], -2)):
            what = Case("near", kind, mode, len(rows), number)
            yield _answered(world, what, (query, cosines[place]), (rows, rows), right[rows])


def _of_captions(world: World, split: str, rows: Rows, mode: str, captions: Rows) -> Iterator[Case]:
    """Captions, of photos that are added to the collection or not; those of even photos are for tuning."""
    even = 0 if split == "tune" else 1
    photos = world.first_photo + np.arange(even, len(world.wide) - world.first_photo, 2)
    strange = np.array([not kinds & LIKE_CAPTIONS for kinds in world.kinds] + [False])
    without, together = rows[strange[world.classes[rows]]], np.concatenate([rows, photos])
    captions = captions[world.captioned[captions] % 2 == even]
    for caption, every in zip(captions.tolist(), world.cosines(world.captions[captions]), strict=True):
        query, own = (world.captions[caption], every), world.first_photo + world.captioned[caption]
        right = np.where(together == own, 1, np.nan)  # others may fit the words as well
        what = Case("present", "caption", mode, len(together), -1 - caption)
        yield _answered(world, what, query, (together, together), right)
        if len(without) >= LEAST:
            what = Case("absent", "caption", mode, len(without), -1 - caption)
            yield _answered(world, what, query, (without, without), np.zeros(len(without)))


def _of_strangers(world: World, split: str, mode: str, draw: np.random.Generator) -> Iterator[Case]:
    """Names of things that photos of people's lives do not show, asked of those with captions alone."""
    even = 0 if split == "tune" else 1
    photos = world.first_photo + np.arange(even, len(world.wide) - world.first_photo, 2)
    strange = [not kinds & (LIKE_CAPTIONS | IN_LIVES) for kinds in world.kinds]
    own = np.flatnonzero((world.split == split) & strange)
    for number in draw.choice(own, min(STRANGERS, len(own)), replace=False):
        for language in ("en", "ru", "uk"):
            query = world.names[language][number]
            what = Case("absent", "stranger", mode, len(photos), int(number))
            found = (query, world.cosines([query])[0])
            yield _answered(world, what, found, (photos, photos), np.zeros(len(photos)))


def _of_thing(
    world: World, thing: int, split: str, rows: Rows, *, mode: str, draw: np.random.Generator
) -> Iterator[Case]:
    """A thing that many of the photos with captions show: asked of them alone, of them among others, of others alone.

    Right is a photo of which two captions tell it; where none does, it may still be there, so nobody knows. The words
    stand for all languages in turn.
    """
    even = 0 if split == "tune" else 1
    photos = np.arange(even, len(world.wide) - world.first_photo, 2)
    if mode == "few":
        photos = photos[draw.random(len(photos)) < 0.3]
    strange = np.array([not kinds & (LIKE_CAPTIONS | world.thing_kinds[thing]) for kinds in world.kinds] + [False])
    without = rows[strange[world.classes[rows]]]
    beside = without if mode in ("mixed", "all") else without[:0]
    together = np.concatenate([beside, world.first_photo + photos])
    right = np.concatenate([np.zeros(len(beside)), np.where(world.told[thing, photos] >= 2, 1, np.nan)])
    for language, vectors in world.things.items():
        query = (vectors[thing], world.cosines([vectors[thing]])[0])
        asked = -100_000 - thing
        if (right == 1).any():
            what = Case("present", "thing", mode, len(together), asked)
            yield _answered(world, what, query, (together, together), right)
        if len(without) >= LEAST and language == "en":
            what = Case("absent", "thing", mode, len(without), asked)
            yield _answered(world, what, query, (without, without), np.zeros(len(without)))


def _answered(
    world: World, case: Case, asked: tuple[Vectors, Scores], rows: tuple[Rows, Rows], right: NDArray[np.generic]
) -> Case:
    """The case with its answers: the nearest of the first `rows`, in a collection of the second.

    `asked`: the query and its cosines with all rows of the world.
    """
    (query, every), (among, around) = asked, rows
    far = -every[among]
    best = np.argpartition(far, ANSWERS)[:ANSWERS]
    best = best[np.argsort(far[best])]
    scores, answers = every[among[best]], world.rows[among[best]]
    background = world.rows[around[background_rows(len(around))]]
    case.right, case.scores = right[best].astype(np.float64), scores
    words = int(world.caption_words[-1 - case.asked]) if case.kind == "caption" else 1
    found = (query, scores, answers, background, world.scale)
    usual = world.familiarity(query) if case.is_words and world.familiarity is not None else math.nan
    case.facts = facts_of(*found, is_words=case.is_words, among=len(among), words=words, usual=usual)
    case.measures = measures(query, scores, answers, background, world.bank)
    return case


def measures(
    query: Vectors, scores: Scores, answers: HalfVectors, background: HalfVectors, bank: Vectors
) -> dict[str, NDArray[np.float64]]:
    """What else could tell whether an answer is right: one number an answer, larger is better."""
    around = background.astype(np.float32)
    there = around @ query
    usual, spread = there.mean(), there.std()
    tail = np.sort(there)[-max(len(there) // 20, 2) :]
    found = answers.astype(np.float32)
    words = found @ bank.T
    unlike = bank @ query < np.quantile(bank @ query, 0.95)
    hubs = np.sort(found @ around[:256].T)[:, -10:].mean(axis=1)
    nearest = np.sort(there)[-10:].mean()
    return {
        "cosine": scores.astype(np.float64),
        "standard score among the collection's": (scores - usual) / spread,
        "extreme value of the collection's tail": (scores - tail[0]) / max(tail.mean() - tail[0], 1e-6),
        "distance to the tenth": scores - scores[-1],
        "cosine less local density (CSLS)": 2 * scores - hubs - nearest,
        "rank among 358 common captions": -(words[:, unlike] > scores[:, None]).mean(axis=1) + 1e-3 * scores,
        "softmax against 358 common captions": -np.log(np.exp(20 * (words[:, unlike] - scores[:, None])).sum(axis=1)),
        "standard score among 358 captions": (scores - words.mean(axis=1)) / words.std(axis=1),
    }
