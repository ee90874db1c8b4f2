"""What long operations tell while they run and when they are done: frozen values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from lookalike.core.records import Skipped


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `total` is None while folders are still being looked through.

    `done` counts files dealt with, taken or skipped; `encoded` pictures that went through the encoder.
    """

    stage: Literal["look", "take", "finish"]
    done: int
    total: int | None
    encoded: int
    skipped: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Totals of one run. `offline` counts items of roots that are not there now; nothing of them is lost.

    `encoded`: pictures that went through the encoder; `reused`: files whose picture was known already.
    `interrupted`: stopped on request before the end; what was done is kept, nothing was removed.
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
        }


@dataclass(frozen=True, slots=True)
class MigrateReport:
    """Outcome of moving a collection to another encoder. `switched` is False when it was interrupted."""

    encoder: str
    encoded: int
    skipped: tuple[Skipped, ...]
    seconds: float
    switched: bool

    def as_dict(self) -> dict[str, Any]:
        """The object that `migrate --json` prints."""
        return {
            "encoder": self.encoder,
            "encoded": self.encoded,
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.skipped],
            "seconds": round(self.seconds, 3),
            "switched": self.switched,
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


SyncEvent: TypeAlias = "Progress | Skipped | SyncReport"
MigrateEvent: TypeAlias = "Progress | Skipped | MigrateReport"
