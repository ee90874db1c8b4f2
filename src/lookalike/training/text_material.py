"""Everything the text tower learns from, as arrays: texts of all languages in groups, and where each of them aims.

A group is a language and a kind, "ru-word", and the groups have shares of a batch (`recipes.TextRecipe`):

    en-name      names of classes in their templates
    en-caption   captions, and words for things without photos
    LL-caption   captions in other languages
    LL-word      single words, English among them
    LL-phrase    the same words in phrases ("фото {}")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lookalike.training.pack import PackList
from lookalike.training.parallel import photo_number
from lookalike.training.vocabulary import rows
from lookalike.training.words import class_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.training.parallel import Translations
    from lookalike.training.photos import Photos
    from lookalike.training.shared_space import Space
    from lookalike.training.words import Words

_TEXTS_AT_ONCE = 20_000
FLICKR = "flickr"
"""The set whose photos translated captions speak of."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, its group, the numbers of the English texts whose mean place it aims at, and its photo or -1."""

    text: str
    group: str
    english: list[int]
    photo: int = -1


@dataclass(frozen=True, slots=True)
class TextMaterial:
    """`tokens` int32 (texts, context), 0 = filling. `targets` float16 (texts, dim), unit length before rounding.

    `photos` int64 (texts,): number of the text's photo, or -1. `groups`: the texts of each group.
    """

    tokens: NDArray[np.int32]
    targets: NDArray[np.float16]
    photos: NDArray[np.int64]
    groups: dict[str, NDArray[np.int64]]

    def write(self, path: Path) -> None:
        arrays: dict[str, Any] = {"tokens": self.tokens, "targets": self.targets, "photos": self.photos, **self.groups}
        np.savez(path, **arrays)

    @classmethod
    def read(cls, path: Path) -> Self:
        with np.load(path) as stored:
            values = {name: stored[name] for name in stored.files}
        return cls(values.pop("tokens"), values.pop("targets"), values.pop("photos"), values)


def gather_texts(
    words: Words, translations: Translations, photos: Photos, flickr: Mapping[str, int], held: Collection[int]
) -> Iterator[Text]:
    """All texts to learn from. `flickr`: photos by number; `held`: numbers of English texts that are a test's."""
    owners = {number: photo for photo in range(len(photos.captions) - 1, -1, -1) for number in photos.captions[photo]}
    names = {number for concept in words.concepts for number in concept}
    for number, text in enumerate(words.texts):
        if number not in held:
            yield Text(text, "en-name" if number in names else "en-caption", [number], owners.get(number, -1))
    phrases: dict[str, list[str]] = class_names()["phrases"]
    for language, kind, text, english, photo in zip(
        translations.languages,
        translations.kinds,
        translations.texts,
        translations.english,
        translations.photos,
        strict=True,
    ):
        yield Text(text, f"{language}-{kind}", english, flickr.get(photo, -1))
        if kind == "word":
            for phrase in phrases[language]:
                yield Text(phrase.format(text), f"{language}-phrase", english)


def flickr_photos(photos: Photos, packs: Path) -> dict[str, int]:
    """Number of each Flickr photo (`parallel.photo_number`) -> its place among the training photos."""
    if FLICKR not in photos.ranges:
        return {}
    listing = PackList.read(packs, FLICKR)
    low, high = photos.ranges[FLICKR]
    return {photo_number(listing.paths[photos.places[photo, 1]]): photo for photo in range(low, high)}


def text_material(texts: list[Text], space: Space, tokeniser: str) -> TextMaterial:
    """The texts as arrays."""
    groups: dict[str, list[int]] = {}
    for place, each in enumerate(texts):
        groups.setdefault(each.group, []).append(place)
    return TextMaterial(
        tokens=rows(tokeniser, [each.text for each in texts]).astype(np.int32),
        targets=_means(space.texts, [each.english for each in texts]),
        photos=np.array([each.photo for each in texts], np.int64),
        groups={name: np.array(members, np.int64) for name, members in groups.items()},
    )


def subword_texts(
    words: Words, translations: Translations, held: Collection[int], copies: Mapping[str, float]
) -> Iterator[str]:
    """What the tokeniser is trained on: each group's texts so often as `copies` says, half of them where it is 0.5."""
    english = copies["en-caption"]
    yield from _repeated([text for number, text in enumerate(words.texts) if number not in held], english)
    groups: dict[str, list[str]] = {}
    for language, kind, text in zip(translations.languages, translations.kinds, translations.texts, strict=True):
        groups.setdefault(f"{language}-{kind}", []).append(text)
    for name, texts in groups.items():
        yield from _repeated(texts, copies[name])


def _repeated(texts: list[str], copies: float) -> list[str]:
    return texts[:: round(1 / copies)] if copies < 1 else texts * round(copies)


def _means(vectors: NDArray[np.float16], members: list[list[int]]) -> NDArray[np.float16]:
    """Unit mean of some of the vectors, for each list of their numbers."""
    means = np.empty((len(members), vectors.shape[1]), np.float16)
    for begin in range(0, len(members), _TEXTS_AT_ONCE):
        part = members[begin : begin + _TEXTS_AT_ONCE]
        starts = np.cumsum([0, *(len(each) for each in part[:-1])])
        chosen = vectors[[number for each in part for number in each]]
        sums = np.add.reduceat(chosen.astype(np.float32), starts, axis=0)
        means[begin : begin + len(part)] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return means
