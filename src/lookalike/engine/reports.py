"""What long operations tell while they run and when they are done: frozen values, ready for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from lookalike.core.records import Skipped


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `total` is None while folders are still being looked through.

    `done` counts files dealt with, taken or skipped; `encoded` pictures that went through the encoder. In the stage
    "index" they are pictures in the index, of the sample it is trained on or of all; in "write" what an export wrote.
    Looking for duplicates, "fingerprint", "near" and "compare" count pictures, the last one pairs at its end; "move"
    counts items, "page" groups that stand on a page.
    """

    stage: Literal["look", "take", "finish", "index", "write", "fingerprint", "near", "compare", "move", "page"]
    done: int
    total: int | None
    encoded: int
    skipped: int
    seconds: float


@dataclass(frozen=True, slots=True)
class IndexReport:
    """How searches are served, and why. `kind` "exact" means without an index file: every picture is compared.

    `pictures`: rows the index covers. `built`: by this call; `interrupted`: its building was stopped and goes on with
    the next call. `effort`, `fetch`: its operating point. `recall`: ann_recall@10 measured there, the lower one of
    pictures and words; `ms`: of one query. None where nothing was measured.
    """

    kind: str
    reason: str
    pictures: int
    built: bool
    seconds: float
    interrupted: bool = False
    effort: int | None = None
    fetch: int | None = None
    recall: float | None = None
    ms: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """What `index --json` prints under "index"."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True)
class ColumnRead:
    """A column of a catalogue: `name` in the table, `field` in filters, its kind.

    `role`: "id", "picture", "title", "words" or "". `filled` cells say something; `unread` of them are not of the kind
    that was said. Parquet is not counted: 0.
    """

    name: str
    field: str
    kind: str
    role: str
    filled: int
    unread: int
    example: str


@dataclass(frozen=True, slots=True)
class CatalogueRead:
    """What was found out about a catalogue. `encoding` and `delimiter` are "" where the format has none."""

    path: str
    format: str
    encoding: str
    delimiter: str
    rows: int
    columns: tuple[ColumnRead, ...]

    def as_dict(self) -> dict[str, Any]:
        """What `index --json` prints under "catalogues"."""
        return {**asdict(self), "columns": [asdict(column) for column in self.columns]}


@dataclass(frozen=True, slots=True)
class ShardReport:
    """A shard of encoded pictures: how many, how many files are none, where it was made and how long that took.

    `node`: the id of the cluster's node, "here" without a cluster. `tries`: how often it was begun, more than once
    where a worker was lost.
    """

    name: str
    pictures: int
    skipped: int
    node: str
    seconds: float
    tries: int = 1

    def as_dict(self) -> dict[str, Any]:
        """What `index --json` prints under "shards"."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Totals of one run. `offline` counts items of roots that are not there now; nothing of them is lost.

    `encoded`: pictures that went through the encoder; `reused`: files whose picture was known already.
    `interrupted`: stopped on request before the end; what was done is kept, nothing was removed. `index`: how searches
    are served after it; None when that was left for later. `changed` counts items whose picture changed, or what their
    catalogue says about it. `catalogues`: those that were read. `shards`: those that were made, if it was by shards.
    """

    added: int
    changed: int
    moved: int
    removed: int
    offline: int
    encoded: int
    reused: int
    skipped: tuple[Skipped, ...]
    seconds: float
    interrupted: bool = False
    index: IndexReport | None = None
    catalogues: tuple[CatalogueRead, ...] = ()
    shards: tuple[ShardReport, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The object that `index --json` prints."""
        return {
            "added": self.added,
            "changed": self.changed,
            "moved": self.moved,
            "removed": self.removed,
            "offline": self.offline,
            "encoded": self.encoded,
            "reused": self.reused,
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.skipped],
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
            "index": None if self.index is None else self.index.as_dict(),
            "catalogues": [each.as_dict() for each in self.catalogues],
            "shards": [each.as_dict() for each in self.shards],
        }


@dataclass(frozen=True, slots=True)
class MigrateReport:
    """Outcome of moving a collection to another encoder. `switched` is False when it was interrupted.

    `encoded`: pictures that were read; `derived`: vectors that were computed from former ones. `kept`: encoders whose
    vectors stay for the way back. `index`: how searches are served after it; None where nothing was switched.
    """

    encoder: str
    encoded: int
    derived: int
    skipped: tuple[Skipped, ...]
    seconds: float
    switched: bool
    kept: tuple[str, ...] = ()
    index: IndexReport | None = None

    @property
    def interrupted(self) -> bool:
        """Whether it was stopped before the end."""
        return not self.switched

    def as_dict(self) -> dict[str, Any]:
        """The object that `migrate --json` prints."""
        return {
            "encoder": self.encoder,
            "encoded": self.encoded,
            "derived": self.derived,
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.skipped],
            "seconds": round(self.seconds, 3),
            "switched": self.switched,
            "kept": list(self.kept),
            "index": self.index and self.index.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found. `problems` empty means: every checksum holds and every sampled vector is its picture's."""

    problems: tuple[str, ...]
    rows: int
    sampled: int
    unreadable: int

    def as_dict(self) -> dict[str, Any]:
        """The object that `verify --json` prints."""
        return {
            "ok": not self.problems,
            "problems": list(self.problems),
            "rows": self.rows,
            "sampled": self.sampled,
            "unreadable": self.unreadable,
        }


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Outcome of taking vectors in. `known`: places the collection had already, which keep what they have.

    `layout`: what the vectors came as, "faiss", "npy" or "parquet". `encoder`: name of the one they are by, "imported"
    when nobody said which. `folders`: where the pictures lie on this computer; later runs of `index` look through them.
    `index`: how searches are served after it. `interrupted`: stopped on request; what was done is kept.
    """

    layout: str
    encoder: str
    added: int
    known: int
    skipped: tuple[Skipped, ...]
    folders: tuple[str, ...]
    seconds: float
    interrupted: bool = False
    index: IndexReport | None = None

    def as_dict(self) -> dict[str, Any]:
        """The object that `import-vectors --json` prints."""
        return {
            "layout": self.layout,
            "encoder": self.encoder,
            "added": self.added,
            "known": self.known,
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.skipped],
            "folders": list(self.folders),
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
            "index": None if self.index is None else self.index.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Outcome of writing vectors out: one for each place of a picture. `files` are relative to `folder`."""

    format: str
    folder: str
    vectors: int
    dim: int
    dtype: str
    encoder: str
    files: tuple[str, ...]
    bytes: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The object that `export --json` prints."""
        return {**asdict(self), "files": list(self.files), "seconds": round(self.seconds, 3)}


SyncEvent: TypeAlias = "Progress | Skipped | SyncReport"
IndexEvent: TypeAlias = "Progress | IndexReport"
MigrateEvent: TypeAlias = "Progress | Skipped | MigrateReport"
ImportEvent: TypeAlias = "Progress | Skipped | ImportReport"
ExportEvent: TypeAlias = "Progress | ExportReport"
