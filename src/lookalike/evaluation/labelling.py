"""A folder of pictures labelled by a few that have labels: how well that works, then the answers, then files of them.

`classify` has the methods. What is here: which pictures are asked about (those of the folder that have no label), which
method is taken (the one that was right most often for labelled pictures held out), and what the outcome is written to:
a CSV file that `--labels` reads again, or XMP sidecars (`images.xmp_writing`).
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.causes import cause_of
from lookalike.core.errors import LookalikeError, SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.evaluation.classify import METHODS, Labelled, Method, Validated, classify, confusions, cross_validate
from lookalike.evaluation.embedding import embed_names, embed_pictures
from lookalike.evaluation.judgements import JudgedPicture, real_place
from lookalike.images.folder import folder
from lookalike.images.xmp_writing import plan_sidecar, write_sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.evaluation.judgements import Judgements
    from lookalike.images.xmp_writing import SidecarChange

    Folds = Callable[[Vectors, NDArray[np.int64]], NDArray[Any]]

CHANCES = (0.5, 0.7, 0.8, 0.9, 0.95)
"""Chances for which it is told how many pictures are answered, and how many of those rightly."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The likeliest label of a picture without one, and the chance that it is right."""

    picture: Asset
    label: str
    chance: float


@dataclass(frozen=True, slots=True)
class Classified:
    """`validated`: the methods tried on the labelled pictures, `used` the one of `answers`."""

    encoder: str
    labels: tuple[str, ...]
    validated: tuple[Validated, ...]
    used: Validated
    answers: tuple[Answer, ...]
    skipped: tuple[Skipped, ...]

    def as_dict(self) -> dict[str, Any]:
        """The object that `classify --json` prints, without what was written."""
        return {
            "encoder": self.encoder,
            "labels": list(self.labels),
            "labelled": len(self.used.right),
            "methods": {
                each.method: {"accuracy": each.accuracy, "interval": list(each.interval())} for each in self.validated
            },
            "used": self.used.method,
            "answered": [
                {"chance": chance, "share": share, "right": right}
                for chance in CHANCES
                for share, right in [self.used.answered(chance)]
            ],
            "confusions": [
                {"label": label, "taken_for": answer, "count": count, "of": of}
                for label, answer, count, of in confusions(self.labels, self.used.confusion)
            ],
            "pictures": [
                {"uri": each.picture.uri, "label": each.label, "chance": round(each.chance, 4)} for each in self.answers
            ],
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.skipped],
        }


def label_folder(
    encoder: Encoder,
    place: str | Path,
    labels: Judgements,
    folds: Folds,
    *,
    methods: Sequence[Method] = METHODS,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Classified:
    """Answer for the pictures in `place` that `labels` do not name.

    `folds` gives the fold of each labelled picture from its vectors (n, dim) and the position of its first label:
    copies of one picture belong into one fold. Of `methods` those are tried that the encoder allows.
    Raises SourceError where there are fewer than two labels or folds, and when a place cannot be read.
    """
    names = sorted({saying for picture in labels.pictures for saying in picture.sayings})
    if len(names) < 2:
        raise SourceError(f"all labelled pictures are {names[0]}", hint="label pictures of something else too")
    asked, missed = _unlabelled(place, labels)
    embedded = embed_pictures(encoder, [*labels.pictures, *asked], workers=workers, progress=progress)
    count = sum(1 for picture in embedded.pictures if picture.sayings)
    if not count:
        raise SourceError(
            f"none of the {len(labels.pictures)} labelled pictures can be read",
            hint="; ".join(f"{each.uri}: {each.reason}" for each in embedded.skipped[:1]),
        )
    known = _labelled(encoder, embedded.pictures[:count], embedded.vectors[:count], names)
    parts = folds(known.vectors, known.belongs.argmax(axis=1))
    if len(np.unique(parts)) < 2:
        raise SourceError("the labelled pictures are copies of one another", hint="label a few more pictures")
    tried = [method for method in methods if method == "neighbours" or known.names is not None]
    validated = tuple(cross_validate(known, parts, method) for method in tried)
    used = max(validated, key=lambda each: each.accuracy)
    found, chances = classify(known, embedded.vectors[count:], used.method, used.trust)
    answers = [
        Answer(picture.asset, names[label], chance)
        for picture, label, chance in zip(embedded.pictures[count:], found.tolist(), chances.tolist(), strict=True)
    ]
    skipped = (*labels.skipped, *missed, *embedded.skipped)
    return Classified(encoder.id, tuple(names), validated, used, tuple(answers), skipped)


def _unlabelled(place: str | Path, labels: Judgements) -> tuple[list[JudgedPicture], list[Skipped]]:
    source = folder(place)
    known = {real_place(picture.asset.uri) for picture in labels.pictures}
    entries = [each for each in source.assets() if real_place(each.uri) not in known]
    asked = [JudgedPicture(source, each, ()) for each in entries if isinstance(each, Asset)]
    return asked, [each for each in entries if isinstance(each, Skipped)]


def _labelled(encoder: Encoder, pictures: Sequence[JudgedPicture], vectors: Vectors, names: list[str]) -> Labelled:
    belongs = np.array([[name in picture.sayings for name in names] for picture in pictures], dtype=np.bool_)
    words = embed_names(encoder, names) if "text" in encoder.modalities else None
    return Labelled(vectors, tuple(names), belongs, words)


# --- what it is written to ------------------------------------------------------------------------


def write_answers(answers: Sequence[Answer], least: float, out: Path) -> None:
    """Write a CSV file: image, label, chance; the label is empty where the chance is below `least`. Raises OSError."""
    with out.open("w", encoding="utf-8", newline="", errors="surrogateescape") as file:
        table = csv.writer(file)
        table.writerow(["image", "label", "chance"])
        for each in answers:
            table.writerow([each.picture.uri, each.label if each.chance >= least else "", f"{each.chance:.3f}"])


def write_confusions(found: Classified, out: Path) -> None:
    """Write a CSV file: a line for each label, a column for each answer, how many held-out pictures. Raises OSError."""
    with out.open("w", encoding="utf-8", newline="", errors="surrogateescape") as file:
        table = csv.writer(file)
        table.writerow(["label", *found.labels])
        for label, counts in zip(found.labels, found.used.confusion.tolist(), strict=True):
            table.writerow([label, *counts])


@dataclass(frozen=True, slots=True)
class Sidecars:
    """What writing labels as keywords comes to, or came to when `written`."""

    changes: tuple[SidecarChange, ...]
    unchanged: int
    failed: tuple[Skipped, ...]
    written: bool

    def as_dict(self) -> dict[str, Any]:
        """The part of `classify --json` about sidecars."""
        new = sum(1 for change in self.changes if change.before is None)
        return {
            "new": new,
            "extended": len(self.changes) - new,
            "unchanged": self.unchanged,
            "failed": [{"uri": each.uri, "reason": each.reason} for each in self.failed],
            "written": self.written,
        }


def label_sidecars(answers: Sequence[Answer], least: float, *, write: bool) -> Sidecars:
    """Give each picture whose chance is at least `least` its label as a keyword; only planned unless `write`.

    A sidecar that cannot be extended, or a folder that cannot be written to, costs itself alone.
    """
    changes: list[SidecarChange] = []
    failed: list[Skipped] = []
    sure = [each for each in answers if each.chance >= least]
    for each in sure:
        try:
            change = plan_sidecar(os.fsencode(each.picture.uri), [each.label], each.picture.sidecars)
            if change is not None and write:
                write_sidecar(change)
        except (LookalikeError, OSError) as error:
            failed.append(Skipped(each.picture.uri, cause_of(error), "sidecar"))
            continue
        if change is not None:
            changes.append(change)
    return Sidecars(tuple(changes), len(sure) - len(changes) - len(failed), tuple(failed), write)
