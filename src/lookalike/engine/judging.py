"""What the relevance of answers is judged by in a collection: rows drawn from it, and how its encoder's cosines lie.

An encoder that somebody measured brings its calibration along; for another one the scale of its cosines is taken from
the collection itself: when pictures come in or another encoder does (`note_scale`), else at the first search that asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from lookalike.engine.familiarity import familiarity_of
from lookalike.engine.questions import caption_vectors
from lookalike.engine.ranking import Judge
from lookalike.engine.relevance import (
    UNMEASURED_MIN_RELEVANCE,
    Scale,
    background_rows,
    calibration_of,
    general_calibration,
    scale_of,
)
from lookalike.engine.reports import SyncReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lookalike.core.arrays import HalfVectors
    from lookalike.core.protocols import Encoder
    from lookalike.store.collection_store import Snapshot, Store

Event = TypeVar("Event")

SCALE_SETTING = "relevance_scale"
"""Encoder id -> the scale of its cosines in this collection, and of how many rows it was taken."""
LEAST_ROWS = 100
"""Fewer rows tell neither scale nor relevance: among 14 photos the only cat was given 1 %. Measured from here on."""
_TAKEN_AGAIN = 4
"""Times the rows from which on a scale is taken anew."""


def judge_of(snapshot: Snapshot, encoder: Encoder) -> Judge | None:
    """None for a collection too small to tell what is usual in it: then all answers are shown, none is judged."""
    if snapshot.count < LEAST_ROWS:
        return None
    noted = snapshot.setting(SCALE_SETTING, {}).get(encoder.id)
    return judge_by(_background(snapshot.rows), snapshot.count, noted, encoder)


def judge_by(background: HalfVectors, count: int, noted: Mapping[str, Any] | None, encoder: Encoder) -> Judge:
    """By rows drawn from a collection of `count`, float16 (n, dim); `noted`: the encoder's scale there, if it is."""
    calibration = calibration_of(encoder.id)
    if calibration is None:
        scale = _scale(noted["scale"]) if noted else scale_of(background, caption_vectors(encoder))
        return Judge(background, count, general_calibration(scale), least=UNMEASURED_MIN_RELEVANCE)
    return Judge(background, count, calibration, familiarity_of(encoder.id))


def then_scale(events: Iterator[Event], store: Store, encoder_of: Callable[[], Encoder]) -> Iterator[Event]:
    """The events of a run that takes pictures in, each at once; before its report the scale is noted."""
    for event in events:
        if isinstance(event, SyncReport):
            note_scale(store, encoder_of)
        yield event


def note_scale(store: Store, encoder_of: Callable[[], Encoder]) -> None:
    """Keep the scale of an encoder's cosines for later searches, unless it is known, or still right."""
    space = store.current_space()
    if space is None or space.count < LEAST_ROWS or calibration_of(space.encoder_id) is not None:
        return
    noted: dict[str, Any] = store.setting(SCALE_SETTING, {})
    known = noted.get(space.encoder_id)
    if known is not None and space.count < _TAKEN_AGAIN * known["rows"]:
        return
    with store.snapshot() as snapshot:
        scale = scale_of(_background(snapshot.rows), caption_vectors(encoder_of()))
    kept = {"words": list(scale.words), "pictures": list(scale.pictures)}
    store.set_setting(SCALE_SETTING, {**noted, space.encoder_id: {"rows": space.count, "scale": kept}})


def _background(rows: HalfVectors) -> HalfVectors:
    return rows[background_rows(len(rows))]


def _scale(kept: Mapping[str, Any]) -> Scale:
    return Scale(words=tuple(kept["words"]), pictures=tuple(kept["pictures"]))
