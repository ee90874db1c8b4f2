"""What one picture is to another: a pure judgement on what was measured and what the files say.

Pixels decide whether two pictures show the same; EXIF decides whether they are one shot. Two capture times of one
camera, or of cameras that are not known, make two shots, however alike they look: never *copy* or *edited*. The
constants were measured on edited photos and on different photos of one subject (docs/benchmarks/duplicates.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.fields import FALLBACKS, date_ns
from lookalike.engine.likeness_words import codes
from lookalike.images.planes import area

if TYPE_CHECKING:
    from lookalike.core.records import LikenessKind
    from lookalike.engine.likeness_words import Reason, Reasons
    from lookalike.images.alignment import Alignment
    from lookalike.images.planes import Box
    from lookalike.store.collection_store import ItemRecord

METHOD = 3
"""Number of this way of judging: what an older one said is looked at again."""

COPY_CORRELATION = 0.75
"""Least correlation of a picture with itself at JPEG 30, a quarter of the pixels, or as a GIF."""
COPY_TONES = 2.6
"""Most mean difference of colours, of 255, that saving makes: more is an edit."""
COPY_SPOT = 7.0
"""Most grey levels by which saving changes a spot: more was painted on. Of 17,000 pairs of like photos of one class
none that keeps to it and to COPY_TONES correlates by 0.6 and is not the same."""
FEW_COLOURS_SPOT, FEW_COLOURS_AGREEING = 14.0, 0.95
"""The same where a palette was made, and least share of blocks that agree then."""
STRETCH = 0.035
"""By how much the shapes of copies may differ: sizes are whole pixels."""
WHOLE_CORRELATION, WHOLE_AGREEING = 0.80, 0.88
"""Of two pictures that show the same from edge to edge: a line of text, other colours. Two shots of one scene from one
place reach 0.74 and 0.81."""
NEAR_BITS, NEAR_CORRELATION, NEAR_AGREEING = 16, 0.85, 0.75
"""The same where the fingerprints are that near: a line of text across a small picture spoils a fifth of the blocks. Of
17,000 pairs of like photos of one class these let in none that the two above do not."""
LAID_CORRELATION, LAID_AGREEING = 0.85, 0.90
"""Of a part that was cut out and recoloured, and of what lies within a border, laid to a fraction of a pixel: of 500
photos cut to 60 % of both sides 99 in 100 reach it, of those cut, recoloured and written on 95. Two shots of one scene
from one place reach 0.80 and 0.93 (faces in a room)."""
PLAIN_GROUND_CORRELATION = 0.90
"""The same where both have plain borders, as things on white have: one motorbike in two colours reaches 0.89."""
LEAST_FILLED, LAID_STRETCH = 0.37, 0.05
"""Least share of blocks with something to see in such a part, and by how much its shape may differ: laid over each
other any two blobs on plain ground agree. Drawn shapes have up to 0.36 and differ by up to 0.14; of 1,500 photos cut or
framed one has 0.39, few less than 0.6, and one that agrees differs by 0.04, all others by 0.02."""
SCENE_CORRELATION, SCENE_AGREEING = 0.53, 0.59
"""Of two shots of one scene, taken within `BURST_S` or within one second."""
UNTIMED_CORRELATION, UNTIMED_AGREEING, UNTIMED_FILLED = 0.65, 0.75, 0.80
"""Of two shots of one scene whose times are not known, and least share of blocks with something to see. Of 48,000
photos half of those one scene are above, and none of ten wrong ones (skies, surfers, players); things of one kind on
plain ground reach 0.80 and 0.92 with 0.6 of the blocks, other trousers, shirts and cars hardly ever 0.65 and 0.75."""
LEAST_PART, LEAST_SCENE = 0.2, 0.25
"""Least share of a picture's area that a part takes, and the view of another shot: below, skies and seas agree."""
SCENE_COSINE = 0.90
"""Least cosine of two shots of one scene, taken within `BURST_S`, whose pixels do not align: the camera moved."""
BURST_S = 20.0
"""Longest time between two shots of a burst, in seconds."""
AWAY_BITS, AWAY_COSINE = 10, 0.97
"""Of 256 bits, and cosine, that make a copy without a look at the pixels."""
BORDERED, CROPPED = "bordered", "cropped"
"""Reasons that `originals` looks for."""

_OF_FILES = frozenset({"size", "formats", "saved_again", "no_camera"})
"""Codes of `_saved`."""
_NS = 1_000_000_000
_SECONDS = len("2001-02-03T04:05:06")
_FEW_COLOURS = "GIF"
_ENOUGH_OF_A_CROP = 0.97
"""Share of both sides from which a part counts as the whole: a line or two at an edge."""
_TURNED = {
    1: "mirrored",
    2: "upside_down_mirrored",
    3: "turned_180",
    4: "turned_90_mirrored",
    5: "turned_90",
    6: "turned_90",
    7: "turned_90_mirrored",
}
"""Reasons, by the turn between two pictures (`core.turns`)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a picture's file says. `taken`: when the camera says it was taken, ISO 8601, "" where only a file's name or
    time tells.
    """

    width: int | None = None
    height: int | None = None
    format: str = ""
    taken: str = ""
    camera: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a pair. `distance`: bits between the fingerprints at `turn`; `cosine`; None where not known.

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
    """A judgement: `sure` in [0, 1], `why` as data (`likeness_words`)."""

    kind: LikenessKind
    sure: float
    why: Reasons


def facts_of(item: ItemRecord) -> Facts:
    """What is said at one place of a picture."""
    said = item.metadata
    taken, camera = said.get("taken"), said.get("camera")
    by_camera = isinstance(taken, str) and said.get("taken_from") not in FALLBACKS
    return Facts(
        width=item.width,
        height=item.height,
        format=item.format,
        taken=str(taken) if by_camera and len(str(taken)) >= _SECONDS else "",
        camera=camera if isinstance(camera, str) else "",
    )


def likeness(evidence: Evidence) -> Likeness | None:
    """How the second picture is like the first; None when they are two pictures that have nothing to do."""
    first, second = evidence.first, evidence.second
    if are_other_moments(first, second):
        return None
    apart_s = seconds_apart(first.taken, second.taken)
    if apart_s:
        return _other_shot(evidence, apart_s)
    alignment = evidence.alignment
    if alignment is None:
        return _unseen(evidence)
    if _is_copy(alignment, first, second):
        sure = _between(alignment.correlation, COPY_CORRELATION, 0.99, 0.9, 0.99)
        return Likeness("copy", sure, _saved(first, second))
    if first.taken and second.taken and ("." in first.taken) != ("." in second.taken):  # a program drops parts, or .000
        return _one_scene(evidence, apart_s)
    if _is_whole(alignment, evidence.distance):
        sure = _between(alignment.correlation, WHOLE_CORRELATION, 0.97, 0.8, 0.99)
        return Likeness("edited", sure, _changed(alignment, first, second))
    if _is_laid(alignment):
        sure = _between(alignment.correlation, LAID_CORRELATION, 0.97, 0.75, 0.98)
        return Likeness("edited", sure, _changed(alignment, first, second))
    return _one_scene(evidence, apart_s)


def are_other_moments(first: Facts, second: Facts) -> bool:
    """Whether two cameras, or one long after the other, took them: whatever pixels say, they have nothing to do."""
    if first.camera and second.camera and first.camera != second.camera:
        return True
    apart_s = seconds_apart(first.taken, second.taken)
    return apart_s is not None and apart_s > BURST_S


def seconds_apart(first: str, second: str) -> float | None:
    """Seconds between two capture times; 0 where they may be one; None where one is not known.

    Parts of a second count where both tell them, zones where both name one: programs drop either.
    """
    if not first or not second:
        return None
    if not (_has_zone(first) and _has_zone(second)):
        first, second = _without_zone(first), _without_zone(second)
    if "." not in first[_SECONDS:] or "." not in second[_SECONDS:]:
        first, second = _whole_seconds(first), _whole_seconds(second)
    one, other = date_ns(first), date_ns(second)
    return None if one is None or other is None else abs(one - other) / _NS


# -- judgements -----------------------------------------------------------------------------------


def _is_copy(alignment: Alignment, first: Facts, second: Facts) -> bool:
    has_palette = _FEW_COLOURS in (first.format, second.format) and alignment.agreeing >= FEW_COLOURS_AGREEING
    return (
        alignment.within == "whole"
        and alignment.turn == 0
        and not alignment.bordered
        and abs(alignment.stretch - 1) <= STRETCH
        and alignment.correlation >= COPY_CORRELATION
        and alignment.tones <= COPY_TONES
        and alignment.spot <= (FEW_COLOURS_SPOT if has_palette else COPY_SPOT)
    )


def _is_whole(alignment: Alignment, distance: int | None) -> bool:
    """Whether both show the same from edge to edge."""
    if alignment.within != "whole" or alignment.bordered:
        return False
    agrees = alignment.correlation >= WHOLE_CORRELATION and alignment.agreeing >= WHOLE_AGREEING
    nearly = alignment.correlation >= NEAR_CORRELATION and alignment.agreeing >= NEAR_AGREEING
    return agrees or (nearly and distance is not None and distance <= NEAR_BITS)


def _is_laid(alignment: Alignment) -> bool:
    """Whether one shows a part of the other, or the same within a border."""
    if alignment.within == "whole" and not alignment.bordered:
        return False
    if alignment.filled < LEAST_FILLED or abs(alignment.stretch - 1) > LAID_STRETCH:
        return False
    least = PLAIN_GROUND_CORRELATION if alignment.bordered == "both" else LAID_CORRELATION
    agrees = alignment.correlation >= least and alignment.agreeing >= LAID_AGREEING
    return agrees and area(alignment.box) >= LEAST_PART


def _other_shot(evidence: Evidence, apart_s: float) -> Likeness | None:
    """Of two pictures that are two shots of about one moment, whatever their pixels say: a burst, or nothing."""
    first, second = evidence.first, evidence.second
    seen = evidence.alignment is not None and evidence.alignment.correlation >= SCENE_CORRELATION
    if not seen and not (evidence.cosine is not None and evidence.cosine >= SCENE_COSINE):
        return None
    camera = "same_camera" if first.camera and second.camera else "camera_unknown"
    sure = _between(BURST_S - apart_s, 0.0, BURST_S, 0.8, 0.98)
    return Likeness("burst", sure if seen else sure - 0.1, (("later", _seconds(apart_s)), (camera,)))


def _one_scene(evidence: Evidence, apart_s: float | None) -> Likeness | None:
    """Two shots whose times are not known, or that were taken within the same second."""
    alignment = evidence.alignment
    if alignment is None or alignment.turn != 0 or alignment.bordered:
        return None
    is_timed = apart_s is not None
    least = (SCENE_CORRELATION, SCENE_AGREEING) if is_timed else (UNTIMED_CORRELATION, UNTIMED_AGREEING)
    if alignment.correlation < least[0] or alignment.agreeing < least[1]:
        return None
    if not is_timed and alignment.filled < UNTIMED_FILLED:
        return None
    if area(alignment.box) < LEAST_SCENE:
        return None
    if apart_s == 0:
        return Likeness("burst", 0.8, (("scene_in_a_second",),))
    return Likeness("burst", 0.5, (("scene",),))


def _unseen(evidence: Evidence) -> Likeness | None:
    """By fingerprint and vector alone."""
    near = evidence.cosine is not None and evidence.cosine >= AWAY_COSINE
    if evidence.distance is None or evidence.distance > AWAY_BITS or not near:
        return None
    if evidence.turn:
        return Likeness("edited", 0.6, ((_TURNED[evidence.turn],), ("away",)))
    return Likeness("copy", 0.7, (("away",),))


# -- reasons --------------------------------------------------------------------------------------


def as_saved(reasons: Reasons, first: Facts, second: Facts) -> Reasons:
    """The reasons of two pictures as they are of two of their files: equal pixels lie in files of several formats, and
    only some of these still have what the camera wrote.
    """
    if not codes(reasons) & _OF_FILES:
        return reasons
    return (*(reason for reason in reasons if reason[0] not in _OF_FILES), *_saved(first, second))


def _saved(first: Facts, second: Facts) -> Reasons:
    """How a copy differs."""
    parts: list[Reason] = []
    if first.width and second.width and first.height and second.height:
        ratio = (second.width * second.height / (first.width * first.height)) ** 0.5
        ratio = min(ratio, 1 / ratio)
        if ratio < 1 - STRETCH:
            parts.append(("size", _percent(ratio)))
    if first.format != second.format:
        parts.append(("formats", first.format, second.format))
    elif not parts:
        parts.append(("saved_again", first.format))
    if bool(first.taken or first.camera) != bool(second.taken or second.camera):
        parts.append(("no_camera",))
    return tuple(parts)


def _changed(alignment: Alignment, first: Facts, second: Facts) -> Reasons:
    """What was done to one of two pictures."""
    parts: list[Reason] = []
    wide, high = alignment.box[2] - alignment.box[0], alignment.box[3] - alignment.box[1]
    if alignment.within != "whole" and min(wide, high) < _ENOUGH_OF_A_CROP:
        parts += (CROPPED, _percent(wide), _percent(high)), (_where(alignment.box),)
    if alignment.turn:
        parts.append((_TURNED[alignment.turn],))
    if alignment.bordered:
        parts.append((BORDERED,))
    if abs(alignment.stretch - 1) > STRETCH and not alignment.bordered:
        parts.append(("stretched",))
    if alignment.tones > COPY_TONES and not alignment.bordered:
        parts.append(("tones",))
    if alignment.spot > COPY_SPOT and not alignment.bordered:
        parts.append(("painted",))
    return tuple(parts) or (("little",), *_saved(first, second))


def _where(box: Box) -> str:
    """Which part of a picture a box is."""
    across, down = (box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5
    middle = 0.04
    sideways = "" if abs(across) < middle else "left" if across < 0 else "right"
    upright = "" if abs(down) < middle else "upper" if down < 0 else "lower"
    return f"{upright}_{sideways}".strip("_") or "middle"


def _seconds(seconds: float) -> float:
    """As exact as is told: in tenths below ten."""
    return round(seconds, 1) if seconds < 10 else round(seconds)


def _percent(share: float) -> int:
    return round(100 * share)


def _between(value: float, low: float, high: float, least: float, most: float) -> float:
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return round(least + share * (most - least), 3)


def _has_zone(moment: str) -> bool:
    return moment.endswith("Z") or "+" in moment[_SECONDS:] or "-" in moment[_SECONDS:]


def _without_zone(moment: str) -> str:
    behind = moment[_SECONDS:]
    for sign in ("Z", "+", "-"):
        behind = behind.partition(sign)[0]
    return moment[:_SECONDS] + behind


def _whole_seconds(moment: str) -> str:
    behind = moment[_SECONDS:].lstrip(".0123456789")
    return moment[:_SECONDS] + behind
