"""What one picture is to another: a pure judgement on what was measured and what the files say.

Pixels decide whether two pictures show the same; EXIF decides whether they are one shot. Two capture times of one camera,
or of cameras that are not known, make two shots, however alike they look: never *same*, *copy* or *edited*. The constants
were measured on edited photos (docs/benchmarks/duplicates.md, tools/bench/duplicates_quality.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookalike.core.records import LikenessKind
    from lookalike.images.alignment import Alignment

METHOD = 1
"""Number of this way of judging: what an older one said is looked at again."""
NEAR_COSINE = 0.85
"""Least cosine at which a pair without near fingerprints is worth aligning."""
FINGERPRINT_RADIUS = 62
"""Most bits of 256 between fingerprints, in any turn, at which a pair is worth aligning."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a picture's file says. `taken_ns`: when the camera says it was taken, None where only a file name or a
    file's time tells; `size`: bytes; `quality`: of the fingerprint, 0 to 100.
    """

    width: int | None = None
    height: int | None = None
    format: str = ""
    size: int = 0
    taken_ns: int | None = None
    camera: str = ""
    described: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a pair. `distance`: bits between fingerprints at `turn`, None where unknown; `cosine` likewise.

    `alignment` is None where a picture cannot be read now.
    """

    first: Facts
    second: Facts
    distance: int | None
    turn: int
    cosine: float | None
    alignment: Alignment | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """A judgement: `sure` in [0, 1], `why` a sentence without capital and full stop."""

    kind: LikenessKind
    sure: float
    why: str


def likeness(evidence: Evidence) -> Likeness | None:
    """How the second picture is like the first; None when they are two different pictures."""
    if evidence.alignment is None and evidence.distance is not None and evidence.distance <= FINGERPRINT_RADIUS // 4:
        return Likeness("copy", 0.7, "the fingerprints agree; a file is away, so the pictures were not compared")
    return None
