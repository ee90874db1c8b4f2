"""What a recipe learns from: the vectors that a frozen encoder makes of a catalogue's pictures and texts.

The encoder runs once over everything, and what it made is kept in `work` as it is made (`row_cache`): a stopped run
goes on where it was, and a second recipe begins at once; one that wants other looks at each picture, or another seed of
them, has only those encoded. From there on no picture is opened and no encoder is asked: that is why a processor is
enough.

Pictures that cannot be decoded, or that the encoder makes no vector of, are skipped and listed, and so are blank ones
and placeholders (`images.placeholders`). Copies, by their vectors, their pixels or their product, form groups that a
split never tears apart (`splits`).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.core.cores import usable_cores
from lookalike.core.errors import SourceError
from lookalike.core.records import DecodeLimits, Skipped
from lookalike.engine.pace import NO_VECTOR, encode_each
from lookalike.images.placeholders import REASONS, find_placeholders, impression
from lookalike.training.listed import Listed, list_pictures
from lookalike.training.picture_views import looks
from lookalike.training.row_cache import RowCache
from lookalike.training.splits import SHARES, TEST, TRAIN, VALIDATION, duplicate_groups, split_by_group

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
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

    def only(self, uris: Collection[str], left_out: Iterable[Skipped] = ()) -> Material:
        """What there is about the pictures `uris`, in the same order; `left_out`: why others are not there."""
        kept = np.array([uri in uris for uri in self.uris])
        told = kept[self.text_of]
        return replace(
            self,
            uris=tuple(uri for uri in self.uris if uri in uris),
            images=self.images[kept],
            texts=self.texts[told],
            text_of=(np.cumsum(kept) - 1)[self.text_of[told]],
            sayings=tuple(text for text, stays in zip(self.sayings, told.tolist(), strict=True) if stays),
            labels=None if self.labels is None else self.labels[kept],
            groups=self.groups[kept],
            split=self.split[kept],
            skipped=(*self.skipped, *left_out),
        )


def shared(materials: Sequence[Material]) -> tuple[Material, ...]:
    """The same materials, of the pictures that all of them have; the others are listed with what was skipped."""
    common = set.intersection(*(set(each.uris) for each in materials))
    found = []
    for material in materials:
        why = {each.uri: each for other in materials for each in other.skipped}
        found.append(material.only(common, [why[uri] for uri in material.uris if uri in why and uri not in common]))
    return tuple(found)


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
    same catalogue by another encoder: its groups and split are taken, and of its pictures those that this encoder makes
    vectors of (see `shared`). `progress` is called with what is done, how much of it, and how much there is.
    Raises SourceError when the catalogue cannot be read or fewer than three pictures can be decoded.
    """
    listed, skipped = list_pictures(
        catalogue, image_column=image_column, text_columns=text_columns, label_column=label_column, prepared=prepared
    )
    tell = progress or (lambda *_: None)
    folder = work / base.id
    encoding = _Encoding(base, _caches(folder, base.dim, views, seed), views, seed)
    skipped += encoding.fill(listed, limits, workers, tell)
    there = [each for each in listed if encoding.has(_key(each.asset))]
    if like is None:
        there, left_out = _without_placeholders(there, encoding.caches[0])
        skipped += left_out
    else:
        known = set(like.uris)
        there = [each for each in there if each.asset.uri in known]
    if len(there) < len(SHARES):
        raise SourceError(
            f"only {len(there)} pictures of {catalogue} can be decoded", hint=skipped[0].reason if skipped else ""
        )
    keys = [_key(each.asset) for each in there]
    images = np.concatenate([cache.get(keys) for cache in encoding.caches], axis=1)
    labels, label_names = _labels(there)
    texts, text_of, sayings = _texts(base, there, RowCache(folder / "texts", (base.dim,)), tell)
    uris = tuple(each.asset.uri for each in there)
    if like is None:
        same = [(row, encoding.caches[0].notes[key]["pixels"]) for row, key in enumerate(keys)]
        same += [(row, product) for row, each in enumerate(there) for product in each.said]
        groups = duplicate_groups(unit_vectors(images[:, 0]), copy_cosine, same=same)
        split = split_by_group(groups, labels, shares, seed)
    else:
        row_of = {uri: row for row, uri in enumerate(like.uris)}
        rows = [row_of[uri] for uri in uris]
        groups, split = like.groups[rows], like.split[rows]
    return Material(base.id, uris, images, texts, text_of, sayings, labels, label_names, groups, split, tuple(skipped))


def _caches(folder: Path, dim: int, views: int, seed: int) -> tuple[RowCache, ...]:
    """Of whole pictures, and of the other looks at them, which depend on their number and on the seed."""
    whole = RowCache(folder / "pictures", (1, dim))
    return (whole, RowCache(folder / f"looks-{views}-{seed}", (views - 1, dim))) if views > 1 else (whole,)


@dataclass(frozen=True, slots=True)
class _Encoding:
    """Pictures into `caches`: whole into the first, the `views` - 1 other looks, drawn with `seed`, into the second."""

    base: Encoder
    caches: tuple[RowCache, ...]
    views: int
    seed: int

    def has(self, key: str) -> bool:
        """Whether all of a picture was encoded."""
        return all(key in cache for cache in self.caches)

    def fill(
        self,
        listed: Sequence[Listed],
        limits: DecodeLimits | None,
        workers: int | None,
        tell: Callable[[str, int, int], None],
    ) -> list[Skipped]:
        """Encode all of `listed` that a cache lacks; what cannot be decoded, or has no vector."""
        from lookalike.images.decoding_pool import decode_many

        jobs = [(each.source, each.asset) for each in listed if not self.has(_key(each.asset))]
        done = len(listed) - len(jobs)
        skipped: list[Skipped] = []
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
                skipped += self._encode(batch)
                batch.clear()
            tell("pictures", done, len(listed))
        return skipped + self._encode(batch)

    def _encode(self, batch: Sequence[tuple[Asset, Picture]]) -> list[Skipped]:
        """Put into each cache what it lacks; those that the encoder makes no vector of."""
        seen: dict[str, list[Pixels]] = {}
        for asset, picture in batch:
            own = int.from_bytes(picture.pixels_digest[:6], "little")  # looks do not depend on the order of decoding
            seen[asset.uri] = looks(picture.pixels, self.views, self.seed + own)
        bad = set()
        for cache, chosen in zip(self.caches, (slice(1), slice(1, None)), strict=False):
            lacking = [(asset, picture) for asset, picture in batch if _key(asset) not in cache]
            rows = self._rows([seen[asset.uri][chosen] for asset, _ in lacking])
            made = [(_note(*each), row) for each, row in zip(lacking, rows, strict=True) if row is not None]
            bad |= {asset.uri for (asset, _), row in zip(lacking, rows, strict=True) if row is None}
            if made:
                cache.add([note for note, _ in made], np.stack([row for _, row in made]))
        why = f"{self.base.name} makes no vector of this picture"
        return [Skipped(asset.uri, why, NO_VECTOR, asset.key) for asset, _ in batch if asset.uri in bad]

    def _rows(self, seen: Sequence[Sequence[Pixels]]) -> list[Vectors | None]:
        """The vectors (looks, dim) of each picture; None where one look has none."""
        vectors = iter(encode_each(self.base, [look for each in seen for look in each]) if seen else ())
        found: list[Vectors | None] = []
        for looked in seen:
            rows = [row for row in (next(vectors) for _ in looked) if row is not None]
            found.append(np.stack(rows) if len(rows) == len(looked) else None)
        return found


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
