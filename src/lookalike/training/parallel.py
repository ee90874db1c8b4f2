"""What the text tower learns other languages from: texts, each with English texts that say the same.

`gather` reads public sets of translated captions and our own words (`lexicon`). The sentence teacher knows English
only: a text in another language aims at the place of its English. No caption of a test photo is taken, in no language:
photos are told by the number in their file name, which all of these sets kept.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from lookalike.training import lexicon

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from lookalike.training.snapshots import Snapshots

Kind = Literal["caption", "word"]

_MULTI30K = ("multi30k/dataset", "a3d2e0d26b56")
_EXTENSION = ("ufdatastudio/multi30k-extension", "7535102633c1")
_IGLUE = ("e-bug/iglue", "43cbac915133")
_BABEL = ("gregor-ge/Babel-ImageNet", "317c49896f04")
_OF_MULTI30K = ("de", "fr", "cs")
_OF_EXTENSION = {"uk": "uk", "es": "es", "zh": "zh_hans"}
_OF_IGLUE = ("de", "es", "ja", "ru", "tr", "zh")


@dataclass(frozen=True, slots=True)
class Saying:
    """`text` in `language` says what each of the `english` texts says. `photo`: number of its photo, or empty."""

    language: str
    kind: Kind
    text: str
    english: tuple[str, ...]
    photo: str = ""


@dataclass
class Translations:
    """Sayings in columns, `english` as numbers of `words.Words`: what `translations.json` holds."""

    languages: list[str] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    english: list[list[int]] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)

    def add(self, saying: Saying, number: Callable[[str], int]) -> None:
        """Append a saying; `number` numbers an English text."""
        self.languages.append(saying.language)
        self.kinds.append(saying.kind)
        self.texts.append(saying.text)
        self.english.append([number(text) for text in saying.english])
        self.photos.append(saying.photo)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def photo_number(path: str) -> str:
    """The number in a Flickr photo's file name, "123" in "images/123_abc.jpg" and in "123.jpg"; "" in other names."""
    number = path.rsplit("/", 1)[-1].split("_", maxsplit=1)[0].split(".", maxsplit=1)[0]
    return number if number.isdigit() else ""


def gather(snapshots: Snapshots, held: Collection[str], english: Iterable[str]) -> Iterator[Saying]:
    """All sayings but those of the photos `held`, given by their numbers. `english`: the captions there are."""
    for source in (_multi30k, _iglue, _xflickrco):
        yield from (saying for saying in source(snapshots) if saying.photo not in held and saying.text.strip())
    yield from own(english)


def own(english: Iterable[str]) -> Iterator[Saying]:
    """What was put into other languages for this project: words, and some of the `english` captions."""
    for language, word, same in lexicon.lexicon():
        yield Saying(language, "word", word, (same,))
    for language, said, same in lexicon.captions(english):
        yield Saying(language, "caption", said, (same,))


def _multi30k(snapshots: Snapshots) -> Iterator[Saying]:
    """A caption each of 29,000 photos, by people (de, fr, cs) and by machine (uk, es, zh), line by line."""
    photos = _lines(snapshots, *_MULTI30K, "data/task1/image_splits/train.txt")
    english = _lines(snapshots, *_MULTI30K, "data/task1/raw/train.en.gz")
    said = {language: _lines(snapshots, *_MULTI30K, f"data/task1/raw/train.{language}.gz") for language in _OF_MULTI30K}
    for language, code in _OF_EXTENSION.items():
        said[language] = _lines(snapshots, *_EXTENSION, f"multi30k-dataset-en-{code}/train.{code}")
    for language, texts in {"en": english, **said}.items():
        for photo, text, same in zip(photos, texts, english, strict=True):
            yield Saying(language, "caption", text, (same,), photo_number(photo))


def _iglue(snapshots: Snapshots) -> Iterator[Saying]:
    """The first caption each of 1,000 photos, by machine."""
    folder = "datasets/flickr30k"
    english = _records(snapshots, *_IGLUE, f"{folder}/annotations/valid_ann.jsonl")
    for language in _OF_IGLUE:
        said = _records(snapshots, *_IGLUE, f"{folder}/annotations_machine-translate/valid-{language}_gmt.jsonl")
        for same, entry in zip(english, said, strict=True):
            photo = photo_number(entry["img_path"])
            yield Saying(language, "caption", entry["sentences"][0], (same["sentences"][0],), photo)


def _xflickrco(snapshots: Snapshots) -> Iterator[Saying]:
    """Captions of 2,000 photos by people who saw them, beside what English ones say of the same photo."""
    english: dict[str, list[str]] = {}
    for entry in _records(snapshots, *_IGLUE, "datasets/xFlickrCO/annotations/en/test.jsonl"):
        english.setdefault(entry.get("img_path") or entry["id"], []).extend(entry["sentences"])
    table = json.loads(snapshots.text(*_BABEL, "data/xflickrco.json"))
    for language in _OF_IGLUE:
        for photo, said in zip(table["images"], table["captions"][language], strict=True):
            if photo in english:
                for text in [said] if isinstance(said, str) else said:
                    yield Saying(language, "caption", text, tuple(english[photo]), photo_number(photo))


def _lines(snapshots: Snapshots, repository: str, commit: str, path: str) -> list[str]:
    content = snapshots.content(repository, commit, path)
    content = gzip.decompress(content) if path.endswith(".gz") else content
    return content.decode("utf-8").removesuffix("\n").split("\n")


def _records(snapshots: Snapshots, repository: str, commit: str, path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in snapshots.text(repository, commit, path).splitlines()]
