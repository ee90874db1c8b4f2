"""What is told about duplicates: kinds, groups and their members, what a look came to. Frozen, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lookalike.engine.likeness_words import why_alike, why_kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookalike.core.records import LikenessKind
    from lookalike.engine.likeness_words import Reasons

Rule: TypeAlias = Literal["best", "largest", "oldest", "newest"]
"""By which one of a group is kept; see `keeping`."""


@dataclass(frozen=True, slots=True)
class Member:
    """One item of a group: what a hit carries, and `reasons` why it is in the group, as seen from the one to keep.

    `kind` and `sure`, in [0, 1], belong to these. The one to keep has sure 1 and no reasons. `size`: bytes;
    `modified_ns`: UTC nanoseconds since 1970. `offline`: its disk is away.
    """

    id: str
    uri: str
    picture: int
    width: int | None
    height: int | None
    format: str
    size: int
    modified_ns: int
    offline: bool
    kind: LikenessKind
    sure: float
    reasons: Reasons
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def why(self) -> str:
        """The reasons in English; "" for the one to keep."""
        return why_alike(self.reasons)

    def as_dict(self, rank: int) -> dict[str, Any]:
        """A hit-like object: the keys of a hit, with `score` null, and what is only known of a member."""
        metadata = {**self.metadata, "offline": True} if self.offline else dict(self.metadata)
        return {
            "rank": rank,
            "score": None,
            "relevance": None,
            "id": self.id,
            "uri": self.uri,
            "width": self.width,
            "height": self.height,
            "metadata": metadata,
            "size": self.size,
            "format": self.format,
            "kind": self.kind,
            "sure": round(self.sure, 3),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Items that show one picture, or one scene. `items`: the one to keep first, then the others as they are like it.

    `keep`: the id of that first one, `keep_reasons`: why it. `key`: what the group is called in a cursor.
    """

    kind: LikenessKind
    sure: float
    reasons: Reasons
    items: tuple[Member, ...]
    keep: str
    keep_reasons: Reasons
    key: str

    @property
    def why(self) -> str:
        """The reasons in English."""
        return why_alike(self.reasons)

    @property
    def keep_why(self) -> str:
        """Why that one is kept, in English."""
        return why_kept(self.keep_reasons)

    def as_dict(self) -> dict[str, Any]:
        """One of `groups` of `duplicates --json`."""
        return {
            "kind": self.kind,
            "sure": round(self.sure, 3),
            "why": self.why,
            "items": [item.as_dict(rank) for rank, item in enumerate(self.items, 1)],
            "keep": self.keep,
            "keep_why": self.keep_why,
        }


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some groups in the order of kinds. `next`: the cursor of those behind, None at the end. `counts`: by kind."""

    groups: tuple[DuplicateGroup, ...]
    next: str | None
    counts: Mapping[LikenessKind, int]

    def as_dict(self) -> dict[str, Any]:
        """What the service answers."""
        return {
            "groups": [group.as_dict() for group in self.groups],
            "next": self.next,
            "counts": dict(self.counts),
        }


@dataclass(frozen=True, slots=True)
class DuplicatesReport:
    """Outcome of a look for duplicates.

    `counts`: groups by kind, of the kinds that were asked for. `looked_at`: pictures that were new to it; `compared`:
    pairs that were verified; `not_looked_at`: pictures without a fingerprint that could not be read now. `finished`:
    files of a move that was cut short, settled now. `noted`: what was bounded or left out.
    """

    counts: Mapping[LikenessKind, int]
    looked_at: int
    compared: int
    not_looked_at: int
    seconds: float
    interrupted: bool = False
    finished: int = 0
    noted: Reasons = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was bounded or left out, in English sentences."""
        return tuple(why_alike((each,)) for each in self.noted)

    def as_dict(self) -> dict[str, Any]:
        """What `duplicates --json` prints beside the groups."""
        return {
            "counts": dict(self.counts),
            "looked_at": self.looked_at,
            "compared": self.compared,
            "not_looked_at": self.not_looked_at,
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
            "finished": self.finished,
            "notes": list(self.notes),
        }
