"""What a recipe learns from: the vectors that a frozen encoder makes of a catalogue's pictures and texts.

The encoder runs once over everything, and what it made is kept in `work` as it is made (`row_cache`): a stopped run
goes on where it was, a second recipe begins at once. From there on no picture is opened and no encoder is asked: that
is why a processor is enough.

Pictures that cannot be decoded are skipped and listed, and so are blank ones and placeholders (`images.placeholders`).
Copies, by their vectors, their pixels or their product, form groups that a split never tears apart (`splits`).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.core.cores import usable_cores
from lookalike.core.errors import SourceError
from lookalike.core.records import DecodeLimits, Skipped
from lookalike.images.placeholders import REASONS, find_placeholders, impression
from lookalike.training.listed import Listed, list_pictures
from lookalike.training.picture_views import looks
from lookalike.training.row_cache import RowCache
from lookalike.training.splits import SHARES, TEST, TRAIN, VALIDATION, duplicate_groups, split_by_group

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Pixels, Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Asset, Picture
    from lookalike.engine.text_preparation import TextPreparation

COPY_COSINE = 0.98
"""From here on two pictures are copies. Of 9,583 product photos 1,900 then stand in groups, the largest of 246; at 0.97
one group swallows 1,500 different shirts."""
_PICTURES_AT_ONCE = 32
_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Material:
    """Vectors of n pictures and m texts by the encoder `base_id`, all of unit length up to float16.

    `images`: float16 (n, views, dim); view 0 is the whole picture. `texts`: float32 (m, dim), one for each pair of a
    picture and a text about it; `text_of`: int64 (m,), the picture; `sayings`: the m texts. `labels`: int64 (n,),
    positions in `label_names`, -1 for none; None where nothing is labelled. `groups`: int64 (n,), copies share one.
    `split`: uint8 (n,), `splits.TRAIN`, `VALIDATION` or `TEST`.
    """

    base_id: str
    uris: tuple[str, ...]
    images: HalfVectors
    texts: Vectors
    text_of: NDArray[np.int64]
    sayings: tuple[str, ...]
    labels: NDArray[np.int64] | None
    label_names: tuple[str, ...]
    groups: NDArray[np.int64]
    split: NDArray[np.uint8]
    skipped: tuple[Skipped, ...] = ()

    def pictures(self, part: int) -> NDArray[np.int64]:
        """Rows of the pictures of a part of the split."""
        return np.flatnonzero(self.split == part)

    def pairs(self, part: int) -> NDArray[np.int64]:
        """Rows of the texts whose picture is of a part of the split."""
        return np.flatnonzero(self.split[self.text_of] == part)

    def about(self) -> dict[str, int]:
        """How much there is, by name, for reports."""
        return {
            "pictures": len(self.uris),
            "texts": len(self.sayings),
            "labels": len(self.label_names),
            "looks at each picture": self.images.shape[1],
            "groups of copies": int((np.bincount(self.groups) > 1).sum()),
            "train": len(self.pictures(TRAIN)),
            "validation": len(self.pictures(VALIDATION)),
            "test": len(self.pictures(TEST)),
            "left out": len(self.skipped),
        }

    def whole(self, rows: NDArray[np.int64] | None = None) -> Vectors:
        """Unit vectors of whole pictures: float32 (n, dim), or (len(rows), dim)."""
        chosen = self.images[:, 0] if rows is None else self.images[rows, 0]
        return unit_vectors(chosen)


def gather(
    catalogue: Path,
    base: Encoder,
    *,
    work: Path,
    views: int = 1,
    image_column: str | None = None,
    text_columns: Sequence[str] = (),
    label_column: str | None = None,
    prepared: TextPreparation | None = None,
    shares: Sequence[float] = SHARES,
    copy_cosine: float = COPY_COSINE,
    seed: int = 0,
    like: Material | None = None,
    limits: DecodeLimits | None = None,
    workers: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Material:
    """The material of a catalogue or of a folder of class folders.

    `prepared`: what is done to texts. `views`: looks at each picture, the whole one among them. `like`: material of the
    same catalogue by another encoder: its pictures, groups and split are taken. `progress` is called with what is done,
    how much of it, and how much there is.
    Raises SourceError when the catalogue cannot be read or fewer than three pictures can be decoded, ValueError where
    `like` has pictures that this encoder has not.
    """
    listed, skipped = list_pictures(
        catalogue, image_column=image_column, text_columns=text_columns, label_column=label_column, prepared=prepared
    )
    tell = progress or (lambda *_: None)
    folder = work / base.id
    cache = RowCache(folder / f"pictures-{views}-{seed}", (views, base.dim))
    skipped += _Encoding(base, cache, views, seed).fill(listed, limits, workers, tell)
    there = [each for each in listed if _key(each.asset) in cache]
    if like is None:
        there, left_out = _without_placeholders(there, cache)
        skipped += left_out
    else:
        known = set(like.uris)
        there = [each for each in there if each.asset.uri in known]
    if len(there) < len(SHARES):
        raise SourceError(
            f"only {len(there)} pictures of {catalogue} can be decoded", hint=skipped[0].reason if skipped else ""
        )
    keys = [_key(each.asset) for each in there]
    images = cache.get(keys)
    labels, label_names = _labels(there)
    texts, text_of, sayings = _texts(base, there, RowCache(folder / "texts", (base.dim,)), tell)
    uris = tuple(each.asset.uri for each in there)
    if like is None:
        same = [(row, cache.notes[key]["pixels"]) for row, key in enumerate(keys)]
        same += [(row, product) for row, each in enumerate(there) for product in each.said]
        groups = duplicate_groups(unit_vectors(images[:, 0]), copy_cosine, same=same)
        split = split_by_group(groups, labels, shares, seed)
    elif like.uris == uris:
        groups, split = like.groups, like.split
    else:
        raise ValueError(f"material of {like.base_id} has pictures that {base.id} has no vectors of")
    return Material(base.id, uris, images, texts, text_of, sayings, labels, label_names, groups, split, tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Encoding:
    """Pictures into `cache`: `views` looks at each, drawn with `seed`."""

    base: Encoder
    cache: RowCache
    views: int
    seed: int

    def fill(
        self,
        listed: Sequence[Listed],
        limits: DecodeLimits | None,
        workers: int | None,
        tell: Callable[[str, int, int], None],
    ) -> list[Skipped]:
        """Encode all of `listed` that the cache lacks; what cannot be decoded."""
        from lookalike.images.decoding_pool import decode_many

        jobs = [(each.source, each.asset) for each in listed if _key(each.asset) not in self.cache]
        done, skipped = len(listed) - len(jobs), []
        batch: list[tuple[Asset, Picture]] = []
        fit = getattr(self.base, "fit", None) if self.views == 1 else None  # looks are taken before it is made small
        limits, pool = limits or DecodeLimits(), workers or usable_cores()
        for _, asset, outcome in decode_many(jobs, side=self.base.image_side, limits=limits, workers=pool, fit=fit):
            done += 1
            if isinstance(outcome, Skipped):
                skipped.append(outcome)
            else:
                batch.append((asset, outcome))
            if len(batch) == _PICTURES_AT_ONCE:
                self._encode(batch)
                batch.clear()
            tell("pictures", done, len(listed))
        if batch:
            self._encode(batch)
        return skipped

    def _encode(self, batch: Sequence[tuple[Asset, Picture]]) -> None:
        seen: list[Pixels] = []
        for _, picture in batch:
            own = int.from_bytes(picture.pixels_digest[:6], "little")  # looks do not depend on the order of decoding
            seen += looks(picture.pixels, self.views, self.seed + own)
        vectors = self.base.encode_images(seen).reshape(len(batch), self.views, self.base.dim)
        self.cache.add([_note(asset, picture) for asset, picture in batch], vectors)


def _note(asset: Asset, picture: Picture) -> dict[str, str]:
    seen = base64.b64encode(impression(picture.pixels).tobytes()).decode()
    return {"key": _key(asset), "pixels": picture.pixels_digest.hex(), "impression": seen}


def _without_placeholders(listed: list[Listed], cache: RowCache) -> tuple[list[Listed], list[Skipped]]:
    """Those that show something of their own, and the others with the reason."""
    rows = [row for row, each in enumerate(listed) for _ in each.said or [""]]
    texts = [" ".join(said) for each in listed for said in each.said.values() or [[each.label or ""]]]
    seen = [base64.b64decode(cache.notes[_key(each.asset)]["impression"]) for each in listed]
    kinds = np.zeros(len(listed), dtype=np.uint8)
    if listed:
        impressions = np.frombuffer(b"".join(seen[row] for row in rows), np.uint8).reshape(len(rows), -1)
        np.maximum.at(kinds, rows, find_placeholders(impressions, texts))
    kept = [each for each, kind in zip(listed, kinds.tolist(), strict=True) if kind not in REASONS]
    out = [
        Skipped(each.asset.uri, REASONS[kind], "placeholder", each.asset.key)
        for each, kind in zip(listed, kinds.tolist(), strict=True)
        if kind in REASONS
    ]
    return kept, out


def _key(asset: Asset) -> str:
    """A file as it is now: where it lies, its size and when it changed."""
    told = f"{asset.uri}\0{asset.size}\0{asset.modified_ns}"
    return hashlib.blake2b(told.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _texts(
    base: Encoder, listed: Sequence[Listed], cache: RowCache, tell: Callable[[str, int, int], None]
) -> tuple[Vectors, NDArray[np.int64], tuple[str, ...]]:
    """Vectors of all texts, the picture of each, and the texts; none for an encoder without words."""
    pairs = [(row, text) for row, each in enumerate(listed) for text in each.texts if "text" in base.modalities]
    missing = sorted({text for _, text in pairs if text not in cache})
    for start in range(0, len(missing), _TEXTS_AT_ONCE):
        some = missing[start : start + _TEXTS_AT_ONCE]
        cache.add([{"key": text} for text in some], base.encode_texts(some))
        tell("texts", start + len(some), len(missing))
    vectors = cache.get([text for _, text in pairs])
    texts = unit_vectors(vectors) if pairs else np.zeros((0, base.dim), np.float32)
    return texts, np.array([row for row, _ in pairs], dtype=np.int64), tuple(text for _, text in pairs)


def _labels(listed: Sequence[Listed]) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    names = tuple(sorted({each.label for each in listed if each.label is not None}))
    if not names:
        return None, ()
    number: dict[Any, int] = {name: at for at, name in enumerate(names)}
    return np.array([number.get(each.label, -1) for each in listed], dtype=np.int64), names
