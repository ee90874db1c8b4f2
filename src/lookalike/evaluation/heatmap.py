"""Pictures against texts: the cosines of some pictures of each class with class names, captions or other texts.

What it is for: to see at a glance whether an encoder understands a set of pictures, and which classes it takes for
which. `separability` has the figures of it, `heatmap_picture` draws it.

Promises: pictures are chosen evenly over each class in the order of their names, so the same folder gives the same map;
rows and columns stand grouped by class, classes in alphabetical order.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.causes import cause_of
from lookalike.core.errors import NoTextTower, SourceError
from lookalike.evaluation.embedding import embed_pictures, embed_texts
from lookalike.evaluation.separability import Separability, separability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Skipped
    from lookalike.evaluation.judgements import JudgedPicture, Judgements

PER_CLASS = 10
"""Pictures of each class, unless told otherwise: the map fits a page."""


@dataclass(frozen=True, slots=True)
class ClassText:
    """A text, and the class of pictures it is right for; one that is right for none has itself as its class."""

    text: str
    of: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """`scores`: float32 (pictures, texts), cosines. `classes`: names; `picture_classes` int64 (pictures,) and
    `text_classes` int64 (texts,) are positions in it, each ascending.
    """

    encoder: str
    classes: tuple[str, ...]
    pictures: tuple[str, ...]
    picture_classes: NDArray[np.int64]
    texts: tuple[str, ...]
    text_classes: NDArray[np.int64]
    scores: NDArray[np.float32]
    skipped: tuple[Skipped, ...]

    def separability(self) -> Separability:
        """How well the texts tell the classes apart. Raises SourceError when there is nothing to tell apart."""
        try:
            return separability(self.scores, self.picture_classes, self.text_classes)
        except ValueError as error:
            raise SourceError(
                f"there is nothing to tell apart: the texts are of {len(set(self.text_classes.tolist()))} class",
                hint="a heat map needs two classes, each with a text",
            ) from error

    def as_dict(self) -> dict[str, Any]:
        """The object that `heatmap --json` prints."""
        figures = self.separability()
        return {
            "encoder": self.encoder,
            "pictures": len(self.pictures),
            "texts": len(self.texts),
            "classes": list(self.classes),
            **figures.as_dict(),
            "confusions": [
                {
                    "class": self.classes[each.pictures],
                    "taken_for": self.classes[each.taken_for],
                    "count": each.count,
                    "of": each.of,
                }
                for each in figures.confusions
            ],
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.skipped],
        }


def heat_map(
    encoder: Encoder,
    labels: Judgements,
    *,
    captions: Judgements | None = None,
    texts: Sequence[ClassText] | None = None,
    per_class: int = PER_CLASS,
    classes: Sequence[str] = (),
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> HeatMap:
    """Compare pictures of `labels` with texts: `texts`, else the first of each picture's `captions`, else class names.

    A picture with several labels counts for its first. `classes`: only these, and their texts. With `captions`, only
    captioned pictures. Raises SourceError for classes that are not there and when nothing is left, NoTextTower.
    """
    if "text" not in encoder.modalities:
        raise NoTextTower(f"{encoder.name} only understands pictures", hint="choose one with words: lookalike encoders")
    said = {picture.asset.uri: picture.sayings[0] for picture in captions.pictures} if captions else None
    chosen = _chosen(labels.pictures, per_class, classes, said)
    embedded = embed_pictures(encoder, chosen, workers=workers, progress=progress)
    of_class = [picture.sayings[0] for picture in embedded.pictures]
    there = sorted(set(of_class))
    if texts is None and said is not None:
        texts = [ClassText(said[picture.asset.uri], picture.sayings[0]) for picture in embedded.pictures]
    elif texts is None:
        texts = [ClassText(name.replace("_", " "), name) for name in there]
    elif classes:
        others = {picture.sayings[0] for picture in labels.pictures} - set(classes)
        texts = [text for text in texts if text.of not in others]
    number = {name: at for at, name in enumerate([*there, *sorted({text.of for text in texts} - set(there))])}
    texts = sorted(texts, key=lambda text: number[text.of])  # those of a class stay in their order
    return HeatMap(
        encoder=encoder.id,
        classes=tuple(number),
        pictures=tuple(picture.asset.uri for picture in embedded.pictures),
        picture_classes=np.array([number[name] for name in of_class]),
        texts=tuple(text.text for text in texts),
        text_classes=np.array([number[text.of] for text in texts]),
        scores=embedded.vectors @ embed_texts(encoder, [text.text for text in texts]).T,
        skipped=(*labels.skipped, *embedded.skipped),
    )


def _chosen(
    pictures: Sequence[JudgedPicture], per_class: int, classes: Sequence[str], said: Mapping[str, str] | None
) -> list[JudgedPicture]:
    """Pictures class by class, evenly spread over each."""
    of_class: dict[str, list[JudgedPicture]] = {}
    for picture in pictures:
        of_class.setdefault(picture.sayings[0], []).append(picture)
    if missing := [name for name in classes if name not in of_class]:
        raise SourceError(f"there is no class {', '.join(missing)}", hint=f"there are {_few(sorted(of_class))}")
    chosen: list[JudgedPicture] = []
    for name in sorted(set(classes) or of_class):
        there = [picture for picture in of_class[name] if said is None or picture.asset.uri in said]
        places = np.linspace(0, len(there) - 1, min(per_class, len(there))).round().astype(int)
        chosen += [there[place] for place in places]
    if not chosen:
        raise SourceError(
            "none of the captioned pictures lies in a class",
            hint="paths in the captions must name pictures of the folder; --images DIR says what they are relative to",
        )
    return chosen


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def read_texts(path: str | Path, classes: Sequence[str]) -> list[ClassText]:
    """The texts of a file, one a line; what stands before a tab is the class a text is right for.

    A line without a tab is a text of no class, unless it is the name of one ("_" or a space between words, any case).
    Raises SourceError when the file cannot be read, has no text or names a class that is not among `classes`.
    """
    path = os.path.expanduser(path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeError) as error:
        raise SourceError(f"{path} cannot be read: {cause_of(error)}", hint="one text a line, in UTF-8") from error
    named = {_plain(name): name for name in classes}
    found = []
    for number, line in enumerate(lines, start=1):
        before, tab, behind = line.partition("\t")
        of, text = before.strip(), behind.strip()
        if tab and _plain(of) not in named:
            raise SourceError(
                f'{path}, line {number}: there is no class "{of}"', hint=f"there are {_few(sorted(classes))}"
            )
        if tab and text:
            found.append(ClassText(text, named[_plain(of)]))
        elif of and not tab:
            found.append(ClassText(of, named.get(_plain(of), of)))
    if not found:
        raise SourceError(f"{path} has no text", hint="one text a line; a class and a tab may stand before it")
    return found


def _plain(name: str) -> str:
    return name.replace("_", " ").casefold()


def write_table(map: HeatMap, out: Path) -> None:
    """Write every cosine as a CSV file: a line for each picture, with its class, and a column for each text.

    Raises OSError.
    """
    with out.open(
        "w", encoding="utf-8-sig", newline="", errors="surrogateescape"
    ) as file:  # spreadsheets need the mark
        table = csv.writer(file)
        table.writerow(["class", "picture", *map.texts])
        for row, picture in enumerate(map.pictures):
            name = map.classes[map.picture_classes[row]]
            table.writerow([name, picture, *(f"{score:.4f}" for score in map.scores[row])])
