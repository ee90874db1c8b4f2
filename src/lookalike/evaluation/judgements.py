"""What people said about pictures: labels or captions, read from a folder of classes or from a CSV file.

`read_labels(DIR)`: the class of a picture is the name of the folder it lies in, at any depth.
`read_labels(CSV)`: columns `image` and `label`; a picture in several lines has several labels.
`read_captions(CSV)`: columns `image` and `caption`; a picture in several lines has several captions.
`qrels` reads the third kind, questions with graded answers, into the same `Judgements`.

`judged_tables` says what a CSV file may look like. Image paths are relative to the CSV file's folder, or to `images`.

Promises: nothing listed is lost silently: what cannot be used is a `Skipped` with its reason. No picture is opened
here: whether a file can be decoded, `evaluate` finds out.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from lookalike.core.causes import cause_of
from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.evaluation.judged_tables import columns_of, read_rows
from lookalike.images.folder import folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lookalike.core.protocols import Source
    from lookalike.evaluation.embedding import Known

Kind: TypeAlias = Literal["labels", "captions", "qrels"]
_SAYINGS: dict[Kind, str] = {"labels": "label", "captions": "caption"}


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """One picture and what was said about it: labels or captions, in the order met, each once."""

    source: Source
    asset: Asset
    sayings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question of qrels: `words`, or the picture at the position `picture` of the judged ones.

    `grades`: position of a picture -> how right it is, 0 for one that was judged and is wrong.
    """

    words: str
    picture: int | None
    grades: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Judgements:
    """Judged pictures in a stable order. `kind` says what their `sayings` are; for qrels `questions` stands instead.

    `pool`: how many of the pictures, the first ones, may be answers; None for all. `known`: vectors there are of them.
    `origin`: what is needed to know the same judgements again: path, digest, collection, generation.
    """

    kind: Kind
    pictures: tuple[JudgedPicture, ...]
    skipped: tuple[Skipped, ...]
    questions: tuple[Question, ...] = ()
    pool: int | None = None
    known: Known | None = None
    origin: Mapping[str, str] = field(default_factory=dict)


def kind_of(path: str | Path) -> Kind:
    """Which kind of judgements lies at `path`: a folder is labels, a CSV file what its columns say.

    Raises SourceError when it cannot be read or could be none, or several, of them.
    """
    path = os.path.expanduser(path)
    if os.path.isdir(path):
        return "labels"
    columns = columns_of(os.fspath(path))
    if "item" in columns and columns & {"query", "query_image"}:
        return "qrels"
    found: list[Kind] = [kind for kind, column in _SAYINGS.items() if {"image", column} <= columns]
    if len(found) != 1:
        raise SourceError(
            f"{path} has columns for both labels and captions" if found else f"{path} has no columns of judgements",
            hint="name one: --labels FILE or --captions FILE"
            if found
            else "wanted are query and item (and grade), or image and label, or image and caption",
        )
    return found[0]


def origin_of(path: str) -> dict[str, str]:
    """Path and digest of a file of judgements; of a folder, its path."""
    origin = {"path": os.path.abspath(path)}
    if os.path.isfile(path):
        with open(path, "rb") as stream:
            origin["digest"] = hashlib.file_digest(stream, "sha256").hexdigest()
    return origin


def read_labels(path: str | Path, images: str | Path | None = None) -> Judgements:
    """Labelled pictures: of a folder of class folders, or of a CSV file whose image paths are relative to `images`.

    A picture directly in the folder lies in no class and is skipped. Raises SourceError when `path` cannot be read or
    no labelled picture is there.
    """
    path = os.path.expanduser(path)
    if os.path.isdir(path):
        return _class_folders(path)
    return _judged_file(path, images, "labels")


def read_captions(path: str | Path, images: str | Path | None = None) -> Judgements:
    """The captioned pictures of a CSV file. Raises SourceError when it cannot be read or names no picture there is."""
    return _judged_file(os.path.expanduser(path), images, "captions")


def _class_folders(root: str) -> Judgements:
    source = folder(root)
    pictures: list[JudgedPicture] = []
    skipped: list[Skipped] = []
    for entry in source.assets():
        if isinstance(entry, Skipped):
            skipped.append(entry)
            continue
        parent, _, _ = entry.key.rpartition(b"/")
        if parent:
            label = os.fsdecode(parent.rpartition(b"/")[2])
            pictures.append(JudgedPicture(source, entry, (label,)))
        else:
            skipped.append(Skipped(entry.uri, "lies in no class folder", "no-class", entry.key))
    if not pictures:
        raise SourceError(
            f"{root} holds no pictures in class folders",
            hint="put the pictures of each class into a folder named after the class",
        )
    return Judgements("labels", tuple(pictures), tuple(skipped), origin=origin_of(root) | {"digest": _digest(pictures)})


def _digest(pictures: Sequence[JudgedPicture]) -> str:
    """Of the names and sizes of all pictures of a folder: another one has other judgements."""
    whole = hashlib.sha256()
    for each in pictures:
        whole.update(each.asset.key + f"\0{each.asset.size}\n".encode())
    return whole.hexdigest()


def _judged_file(path: str, images: str | Path | None, kind: Kind) -> Judgements:
    base, column = image_base(path, images), _SAYINGS[kind]
    sayings: dict[str, list[str]] = {}
    skipped: list[Skipped] = []
    for line, row in read_rows(path, ("image", column)):
        empty = [name for name, value in row.items() if not value]
        if empty:
            skipped.append(Skipped(f"{path}:{line}", f"no {' and no '.join(empty)} in this line", "empty"))
            continue
        of_picture = sayings.setdefault(os.path.abspath(os.path.join(base, row["image"])), [])
        if row[column] not in of_picture:
            of_picture.append(row[column])
    found = [picture_at(uri, tuple(said)) for uri, said in sayings.items()]
    pictures = tuple(each for each in found if isinstance(each, JudgedPicture))
    missing = [each for each in found if isinstance(each, Skipped)]
    if not pictures:
        raise SourceError(
            f"none of the {len(sayings)} pictures named in {path} is there",
            hint=f"paths were taken relative to {os.path.abspath(base)}; name another folder with --images DIR",
        )
    return Judgements(kind, pictures, (*skipped, *missing), origin=origin_of(path))


def image_base(path: str, images: str | Path | None) -> str:
    """The folder that image paths of a CSV file are relative to."""
    return os.path.dirname(path) if images is None else os.path.expanduser(os.fspath(images))


def real_place(path: str) -> str:
    """What tells whether two paths are one file: without links, and in one case where the system knows none."""
    return os.path.normcase(os.path.realpath(path))


def picture_at(path: str, sayings: tuple[str, ...] = ()) -> JudgedPicture | Skipped:
    """The file at `path`, as a source of one picture. What lies beside it is not looked for: that would cost a look at
    its whole folder for each of a thousand pictures in it.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return Skipped(path, "there is no such file", "missing")
    except (OSError, ValueError) as error:
        return Skipped(path, cause_of(error), "unreadable")
    if not stat.S_ISREG(status.st_mode):
        return Skipped(path, "a folder, not a picture" if stat.S_ISDIR(status.st_mode) else "not a file", "not-a-file")
    return JudgedPicture(folder(path), Asset(b"", path, status.st_size, status.st_mtime_ns), sayings)
