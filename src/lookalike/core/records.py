"""Frozen records that pass between rooms. Plain values: no behaviour beyond small derived properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.core.arrays import Pixels
    from lookalike.core.conditions import Condition
    from lookalike.core.wording import Wording

# --- coming in -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asset:
    """One entry of a source before decoding.

    `key` is the entry's name inside its source, in bytes (a folder's relative path: file names need not
    be text). `uri` is what a person is shown and what a hit carries: for a local file its absolute
    native path, undecodable bytes as surrogate escapes. `modified_ns`: UTC nanoseconds since 1970.

    `sidecars` and `stack`: names of files in the same folder that tell of it, and that show the same shot. `beside`: a
    digest of names, sizes and times of those, "" for none; where it changes, what the place says has to be read again.
    """

    key: bytes
    uri: str
    size: int
    modified_ns: int
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sidecars: tuple[bytes, ...] = ()
    stack: tuple[bytes, ...] = ()
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """One entry that was not taken. `code` is a stable short word, `reason` a sentence for a person; `said` is the
    same in every language, where there are words for it.

    `key` is None when the entry has no name inside the source. `folder` is True when a whole folder
    could not be listed, so what is known below it must not be taken for deleted.
    """

    uri: str
    reason: str
    code: str = "skipped"
    key: bytes | None = None
    folder: bool = False
    size: int = 0
    modified_ns: int = 0
    said: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What one file may cost. `max_pixels` counts the full picture as its header declares it."""

    max_pixels: int = 250_000_000
    max_bytes: int = 2_000_000_000
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a picture looks like in 256 `bits` (32 bytes), and how much there is to see: `quality`, 0 to 100.

    `inner`: the bits of what lies within its plain border, None where it has none. `sketch`: the picture at some tens
    of pixels, packed (`images.sketches`), b"" where nobody made one.
    """

    bits: bytes
    quality: int
    inner: bytes | None = None
    sketch: bytes = b""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    `pixels` may be smaller than the picture (integer reduction while decoding), never below the side
    that was asked for; `width` and `height` are those of the full upright picture. `bytes_digest` is of
    all bytes of the file, `pixels_digest` of the upright pixels: both 16-byte BLAKE2b. `fingerprint`: None where
    nobody took it.
    """

    pixels: Pixels
    width: int
    height: int
    format: str
    bytes_digest: bytes
    pixels_digest: bytes
    metadata: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: Fingerprint | None = None


# --- asking --------------------------------------------------------------------------------------

TermKind = Literal["text", "picture", "item", "vector"]
Mode = Literal["auto", "meaning", "words"]


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of an upright picture: its left upper corner and its size, in pixels or in percent of the picture."""

    left: float
    top: float
    width: float
    height: float
    percent: bool = False


@dataclass(frozen=True, slots=True)
class PictureAt:
    """A picture that is still to be read: a file or the bytes of one, and which part of it is meant."""

    source: Path | bytes
    crop: Crop | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a query.

    `value`: str for text and item (its id); Pixels, or a PictureAt until it is read, for picture; 1-D float array for
    vector.
    """

    kind: TermKind
    value: Any
    weight: float = 1.0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A question. The weighted sum of its terms' unit vectors is normalised again.

    `folder` limits answers to files below that path (bytes, as stored), `where` to items that meet a filter, as text or
    as its tree. `mode`: "words" finds by words in titles, names and tags alone, "meaning" by the encoder alone, "auto"
    by both where the query is words. `min_relevance` leaves out what is less likely right; "usual" takes
    what is right for the encoder. `order`: fields to sort by,
    as `--sort` takes them; only what is relevant is sorted. `variety`, 0 to 1: how much answers shall differ.
    `liked` and `disliked`: ids of items the query is moved towards and away from. Items of equal `group_by` share one
    place (None: the field that the collection groups by, "": none), copies of a picture do unless `all_copies`.
    `effort` is passed to the index.
    """

    terms: tuple[Term, ...]
    k: int = 10
    folder: bytes | None = None
    where: str | Condition | None = None
    mode: Mode = "auto"
    min_relevance: float | Literal["usual"] | None = None
    order: str = ""
    variety: float = 0.0
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    group_by: str | None = None
    all_copies: bool = False
    effort: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: the same object in Python, JSON and REST.

    `rank` counts from 1. `score` is the cosine in [-1, 1]. `relevance` is a calibrated chance in [0, 1]
    that a person would call it right, or None where the encoder is not calibrated. `uri` of a local file
    is its absolute native path. `width`/`height`: of the full upright picture, None when unknown.
    """

    rank: int
    score: float
    relevance: float | None
    id: str
    uri: str
    width: int | None
    height: int | None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The hit as JSON-ready values, keys in the documented order."""
        return {
            "rank": self.rank,
            "score": self.score,
            "relevance": self.relevance,
            "id": self.id,
            "uri": self.uri,
            "width": self.width,
            "height": self.height,
            "metadata": dict(self.metadata),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """How a query is answered, and why, in a sentence.

    `effort` and `fetch` are those of the index, None where none is asked.
    """

    strategy: str
    reason: str
    effort: int | None = None
    fetch: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON-ready values."""
        return {"strategy": self.strategy, "reason": self.reason, "effort": self.effort, "fetch": self.fetch}


@dataclass(frozen=True, slots=True)
class Results(Sequence[Hit]):
    """The hits of one query, best first, with how they were found. Behaves as a sequence of `Hit`.

    `took_ms`: milliseconds by stage ("encode", "search", "fetch", "total"). `cut`: whether answers were left out
    because they are not relevant enough. `generation`: of the collection that answered. `next`: of a page, the cursor
    of the one behind it, None at the end.
    """

    hits: tuple[Hit, ...]
    query: str
    encoder: str
    plan: Plan
    took_ms: Mapping[str, float]
    cut: bool = False
    generation: int = 0
    next: str | None = None

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, position: Any) -> Any:
        return self.hits[position]

    def as_dict(self) -> dict[str, Any]:
        """The object that `search --json` prints."""
        return {
            "query": self.query,
            "encoder": self.encoder,
            "plan": self.plan.as_dict(),
            "took_ms": dict(self.took_ms),
            "cut": self.cut,
            "generation": self.generation,
            "next": self.next,
            "hits": [hit.as_dict() for hit in self.hits],
        }


# --- duplicates ----------------------------------------------------------------------------------

LikenessKind: TypeAlias = Literal["same", "copy", "edited", "burst"]
"""How two pictures are alike: equal bytes or pixels; saved again (size, format, metadata); cropped, turned, painted on;
another moment of one scene.
"""
LIKENESS_KINDS: tuple[LikenessKind, ...] = get_args(LikenessKind)
"""From the strongest to the weakest."""
