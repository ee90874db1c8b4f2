"""What the store takes and gives: frozen values, no behaviour.

A *picture* is content, known by number; an *item* is a place where a picture is seen, known to users by
its id; a *row* is a position in the vectors of one space.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookalike.core.records import Asset, Fingerprint

IMPORTED = b"imported:"
"""How the path of a root begins that is no folder but an import of vectors; no absolute path begins so."""
CATALOGUE = b"catalogue:"
"""Before the absolute path of a table whose rows are items: their ids are the user's own, and they never move."""
TARS = b"tars:"
"""Before the absolute path of an archive of samples, or of a folder of such archives."""
_OBJECTS = re.compile(rb"[a-z][a-z0-9+.-]+://")
"""How addresses of object storage begin: s3://bucket/prefix."""


def is_address(path: bytes) -> bool:
    """Whether a root's path is no path of a folder or file but begins with what it is: such a one is taken as it is."""
    return path.startswith((IMPORTED, CATALOGUE, TARS)) or _OBJECTS.match(path) is not None


@dataclass(frozen=True, slots=True)
class Space:
    """All embeddings of one encoder as published: `count` rows of width `dim` in epoch `epoch`.

    `slug` is the name of its folder under `spaces/`.
    """

    number: int
    encoder_id: str
    encoder_name: str
    dim: int
    epoch: int
    count: int
    current: bool
    slug: str


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """An index file over the first `count` rows of an epoch.

    `generation`: the collection's when its building began; no two files share it. `file`: name in the space's folder.
    `spec`, `point` and `measured` are JSON-ready: how it is built, how hard it is searched, and what was measured
    there; the last two are empty until it is `current`. `reason`: why it was chosen, a sentence. `made_ns`: when it
    became current, UTC nanoseconds since 1970.
    """

    number: int
    space: int
    epoch: int
    generation: int
    count: int
    file: str
    spec: dict[str, Any]
    point: dict[str, Any]
    measured: dict[str, Any]
    reason: str
    made_ns: int
    current: bool


@dataclass(frozen=True, slots=True)
class Root:
    """A folder or single file the user named. `path`: absolute, native, in bytes, not resolved; or an address.

    One that `is_imported` holds what came with imported vectors and lies nowhere on this computer, such as pictures on
    the web: there is nothing to walk, and it is never away.
    """

    number: int
    path: bytes
    is_file: bool
    offline: bool

    @property
    def is_imported(self) -> bool:
        return self.path.startswith(IMPORTED)

    @property
    def is_catalogue(self) -> bool:
        return self.path.startswith(CATALOGUE)


@dataclass(frozen=True, slots=True)
class KnownItem:
    """What is needed to see whether a file, or what lies beside it (`Asset.beside`), changed since it was taken."""

    id: str
    key: bytes
    size: int
    modified_ns: int
    picture: int
    offline: bool
    beside: str = ""


class ItemRecord(NamedTuple):
    """One place where a picture is seen. `uri`: absolute native path of a local file, as the root was given.

    A tuple, because every search makes some and a frozen dataclass takes several times as long to make.
    """

    id: str
    uri: str
    root: int
    key: bytes
    size: int
    modified_ns: int
    picture: int
    width: int | None
    height: int | None
    format: str
    offline: bool
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be taken, as it was when it was tried. `code` is a stable short word."""

    root: int
    key: bytes
    uri: str
    code: str
    reason: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Counts:
    """`pictures` have an item; `offline` items lie under roots that are away; rows are those of the current space."""

    items: int
    pictures: int
    offline: int
    failures: int
    rows: int
    dead_rows: int


@dataclass(frozen=True, slots=True)
class Found:
    """One file as it was taken.

    `vector`: float (dim,), or None when the picture is known to have its row. `metadata` belongs to the
    place; `picture_metadata` to the bytes, so that a copy that was never decoded has it too. A file
    recognised by its bytes alone has no `pixels_digest`, and width, height, format and picture metadata
    are those stored with the same bytes. A float16 vector of unit length is kept to the last bit: it was stored before.
    `id` is the one a new item gets, unless another item has it; None makes one up. `fingerprint`: of a picture that was
    decoded; one that is known keeps what it has.
    """

    root: int
    key: bytes
    uri: str
    size: int
    modified_ns: int
    bytes_digest: bytes
    pixels_digest: bytes | None
    width: int | None
    height: int | None
    format: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    vector: Any = None
    picture_metadata: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True, slots=True)
class RowsReport:
    """What became of some rows of a catalogue, or of files beside which something changed.

    `unchanged`: as they were; `described`: only what they say changed; `added`, `changed`: items whose picture was
    known elsewhere. `left` have to be read, each with the picture last seen there.
    """

    unchanged: int
    described: int
    added: int
    changed: int
    left: tuple[tuple[Asset, int | None], ...]


@dataclass(frozen=True, slots=True)
class PutReport:
    """Outcome of one batch: items `added`, items whose picture `changed`, items only `touched`, rows appended."""

    added: int
    changed: int
    touched: int
    rows: int


@dataclass(frozen=True, slots=True)
class FinishReport:
    """Items that kept their id in a new place, and items that are gone.

    `arrived`: those of `moved` whose new place was taken by this writer, not by an earlier, interrupted run.
    """

    moved: int
    removed: int
    arrived: int


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What was given back."""

    pictures: int
    rows: int
    bytes: int
