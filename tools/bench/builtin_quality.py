"""How well an encoder finds the test photos: captions, names in many languages, pictures, narrower vectors.

Every figure is {"mean", "interval"}: the interval is 95 %, by bootstrap over queries (1,000 resamples, seed 0), and of
a ratio by resampling the queries of both sides together. Metrics are those of `lookalike.evaluation.metrics`. Names
come from `class_names.tsv`: one natural name a class and language, with the classes whose pictures it fits too.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.evaluation.metrics import RESAMPLES, bootstrap_interval, judge, per_query
from lookalike.images.decode import decode_picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder

SEED = 0
HITS = ("hit@1", "hit@5", "hit@10")
PRECISION = "precision@10"
AT_ONCE = 64  # pictures decoded and encoded together
QUERIES_AT_ONCE = 500  # ranked together
NAMES = Path(__file__).with_name("class_names.tsv")
NO_LANGUAGE = ("set", "class", "also")


@dataclass(frozen=True)
class Captioned:
    """Photos with captions: `own` is the row of each caption's photo."""

    paths: list[Path]
    captions: list[str]
    own: NDArray[np.int64]


@dataclass(frozen=True)
class Labelled:
    """Photos with a class each, and what the classes are called: {language: names in the order of `classes`}."""

    paths: list[Path]
    labels: NDArray[np.str_]
    classes: list[str]
    names: dict[str, list[str]]
    fits: list[set[str]]

    @property
    def right(self) -> NDArray[np.bool_]:
        """(classes, photos): whether a photo answers the class's name."""
        return np.array([np.isin(self.labels, sorted(each)) for each in self.fits])


def read_captioned(folder: Path) -> Captioned:
    """`captions.csv` (image, caption) beside the photos, which may lie in folders below."""
    paths = {path.name: path for path in sorted(folder.rglob("*.jpg"))}
    with (folder / "captions.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(row["image"], row["caption"]) for row in csv.DictReader(stream)]
    place = {name: row for row, name in enumerate(paths)}
    return Captioned(list(paths.values()), [text for _, text in rows], np.array([place[name] for name, _ in rows]))


def read_labelled(folder: Path, name: str, names: Path = NAMES) -> Labelled:
    """A folder for each class, of the set `name` in the table `names`."""
    with names.open(encoding="utf-8", newline="") as stream:
        table = [row for row in csv.DictReader(stream, delimiter="\t") if row["set"] == name]
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    classes = [row["class"] for row in table]
    missing = {path.parent.name for path in paths} ^ set(classes)
    if missing:
        raise SystemExit(f"{folder} and {names.name} do not have the same classes: {', '.join(sorted(missing))}")
    languages = [key for key in table[0] if key not in NO_LANGUAGE]
    return Labelled(
        paths,
        np.array([path.parent.name for path in paths]),
        classes,
        {language: [row[language] for row in table] for language in languages},
        [{row["class"], *row["also"].split()} for row in table],
    )


def embed(encoder: Encoder, paths: Sequence[Path]) -> Vectors:
    """The photos as vectors, decoded as indexing decodes them."""
    parts = []
    for start in range(0, len(paths), AT_ONCE):
        some = paths[start : start + AT_ONCE]
        pixels = [decode_picture(path.read_bytes(), side=encoder.image_side).pixels for path in some]
        parts.append(encoder.encode_images(pixels))
    return np.concatenate(parts)


def ranked(
    queries: Vectors,
    pictures: Vectors,
    right: NDArray[np.bool_],
    metrics: Sequence[str],
    own: NDArray[np.int64] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """The value of each metric for each query. `own`: each query's own picture, which is no answer."""
    values: dict[str, list[NDArray[np.float64]]] = {metric: [] for metric in metrics}
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        rows = slice(start, start + QUERIES_AT_ONCE)
        judged = judge(queries[rows] @ pictures.T, right[rows], 10, own=None if own is None else own[rows])
        for metric in metrics:
            values[metric].append(per_query(judged, metric))
    return {metric: np.concatenate(parts) for metric, parts in values.items()}


def caption_hits(texts: Vectors, pictures: Vectors, captioned: Captioned) -> dict[str, NDArray[np.float64]]:
    right = captioned.own[:, None] == np.arange(len(captioned.paths))
    return ranked(texts, pictures, right, HITS)


def picture_precision(pictures: Vectors, labelled: Labelled) -> NDArray[np.float64]:
    """precision@10 of each picture as a query."""
    same = labelled.labels[:, None] == labelled.labels
    return ranked(pictures, pictures, same, (PRECISION,), np.arange(len(pictures)))[PRECISION]


def by_class(values: NDArray[np.float64], labelled: Labelled) -> NDArray[np.float64]:
    """The mean over each class's pictures: large classes then count no more than small ones."""
    return np.array([values[labelled.labels == label].mean() for label in sorted(set(labelled.labels.tolist()))])


def name_precision(
    encoder: Encoder, names: Sequence[str], pictures: Vectors, right: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """precision@10 of each name as a query."""
    return ranked(encoder.encode_texts(list(names)), pictures, right, (PRECISION,))[PRECISION]


def figure(values: NDArray[np.float64]) -> dict[str, Any]:
    return {"mean": float(values.mean()), "interval": list(bootstrap_interval(values, SEED))}


def ratio(values: NDArray[np.float64], reference: NDArray[np.float64]) -> dict[str, Any]:
    """The mean of `values` over that of `reference`, for the same queries in the same order."""
    draw = np.random.default_rng(SEED)
    samples = draw.integers(0, len(values), (RESAMPLES, len(values)))
    ratios = values[samples].mean(1) / np.maximum(reference[samples].mean(1), 1e-9)
    low, high = np.percentile(ratios, (2.5, 97.5))
    return {"mean": float(values.mean() / max(reference.mean(), 1e-9)), "interval": [float(low), float(high)]}


def cut(vectors: Vectors, width: int) -> Vectors:
    return unit_vectors(vectors[:, :width])


def languages(encoder: Encoder, pictures: Vectors, labelled: Labelled) -> dict[str, dict[str, Any]]:
    """precision@10 of the names in each language, and its share of the English figure."""
    right = labelled.right
    found = {language: name_precision(encoder, names, pictures, right) for language, names in labelled.names.items()}
    return {
        language: {PRECISION: figure(values), "share": ratio(values, found["en"])} for language, values in found.items()
    }


@dataclass(frozen=True)
class Embedded:
    """Vectors of one encoder: of the captions, their photos, the 101 and the 10 kinds of things."""

    captions: Vectors
    photos: Vectors
    things: Vectors
    tens: Vectors


def measure(encoder: Encoder, flickr: Captioned, caltech: Labelled, imagenette: Labelled) -> dict[str, Any]:
    """Everything about one encoder."""
    vectors = Embedded(
        encoder.encode_texts(flickr.captions), *(embed(encoder, each.paths) for each in (flickr, caltech, imagenette))
    )
    hits = caption_hits(vectors.captions, vectors.photos, flickr)
    seen = picture_precision(vectors.things, caltech)
    bare = [name.replace("_", " ") for name in caltech.classes]
    exact = np.array([caltech.labels == name for name in caltech.classes])
    return {
        "captions": {metric: figure(values) for metric, values in hits.items()},
        "names": figure(name_precision(encoder, bare, vectors.things, exact)),
        "pictures": figure(seen),
        "pictures by class": figure(by_class(seen, caltech)),
        "languages": {
            "caltech-101": languages(encoder, vectors.things, caltech),
            "imagenette": languages(encoder, vectors.tens, imagenette),
        },
        "widths": {
            str(width): narrower(vectors, width, (hits["hit@10"], seen), flickr, caltech)
            for width in getattr(encoder, "widths", ())
        },
    }


def narrower(
    vectors: Embedded,
    width: int,
    whole: tuple[NDArray[np.float64], NDArray[np.float64]],
    flickr: Captioned,
    caltech: Labelled,
) -> dict[str, Any]:
    """The first `width` components alone, and what share that is of what whole vectors reach (hit@10, precision)."""
    hits, seen = whole
    fewer = caption_hits(cut(vectors.captions, width), cut(vectors.photos, width), flickr)["hit@10"]
    pictures = picture_precision(cut(vectors.things, width), caltech)
    return {
        "hit@10": figure(fewer),
        "share of hit@10": ratio(fewer, hits),
        "pictures": figure(pictures),
        "share of pictures": ratio(pictures, seen),
    }


def compare(encoder: Encoder, other: Encoder, flickr: Captioned, caltech: Labelled) -> dict[str, Any]:
    """`encoder` against `other`, the same weights stored in another way: hit@10, and cosines of the same photos."""
    mine, theirs = embed(encoder, flickr.paths), embed(other, flickr.paths)
    hits, reference = (
        caption_hits(each.encode_texts(flickr.captions), photos, flickr)["hit@10"]
        for each, photos in ((encoder, mine), (other, theirs))
    )
    cosines = (mine * theirs).sum(1)
    right = caltech.right
    names, other_names = (
        name_precision(each, caltech.names["en"], embed(each, caltech.paths), right) for each in (encoder, other)
    )
    return {
        "hit@10": ratio(hits, reference),
        "names": ratio(names, other_names),
        "cosine": {"mean": float(cosines.mean()), "smallest": float(cosines.min())},
    }


def languages_for_catalogue(figures: Mapping[str, Any]) -> dict[str, float]:
    """Language -> precision@10 of the 101 names, in per cent: what `lookalike encoders` shows."""
    table = figures["languages"]["caltech-101"]
    return {language: round(100 * each[PRECISION]["mean"], 1) for language, each in table.items()}
