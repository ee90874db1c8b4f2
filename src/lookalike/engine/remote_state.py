"""What a collection on an engine elsewhere is like at a generation: its fields, what relevance is judged by, counts.

Read once for each generation and kept; whether there is a newer one is asked at most every `FRESH_S`, so that a search
costs no question more. What another process wrote is therefore seen a little later, what this one wrote at once
(`RemoteStates.forget`).

Of the settings beside the items (`remote_settings.py`) two are of remote collections alone, because there is no asking
the engine for them: `KINDS` and `SAMPLE`.
"""

from __future__ import annotations

import math
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from lookalike.core.errors import CollectionNotFound
from lookalike.core.wording import Wording
from lookalike.engine.catalogues import GROUP_SETTING, TEXTS_SETTING
from lookalike.engine.fields import fields_of
from lookalike.engine.judging import LEAST_ROWS, SCALE_SETTING, judge_by
from lookalike.engine.remote_moment import RemoteMoment
from lookalike.engine.remote_settings import KINDS, SAMPLE, group_by, kinds_of, sample_of, texts_of
from lookalike.remote.contract import Asked
from lookalike.store.tables import DECLARED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lookalike.core.arrays import HalfVectors
    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind
    from lookalike.core.protocols import Encoder
    from lookalike.engine.fields import FieldFacts
    from lookalike.engine.ranking import Judge
    from lookalike.remote.contract import RemoteEngine, RemoteFacts

    _Kept = TypeVar("_Kept")

FRESH_S = 1.0
"""How long a generation is taken for the present one."""
KEPT = 10_000
"""Counts of filters and of words kept for a generation, and as many facts of fields by what was asked."""


class RemoteState:
    """One generation; safe to share between threads."""

    def __init__(self, engine: RemoteEngine, facts: RemoteFacts) -> None:
        self._engine = engine
        self.facts = facts
        self.declared: dict[str, FieldKind] = engine.entries(DECLARED)
        self.text_fields = texts_of(engine.entries(TEXTS_SETTING))
        self.group_by = group_by(engine.entries(GROUP_SETTING))
        self.kinds = kinds_of(engine.entries(KINDS))
        self.fields = fields_of(_Described(self.declared, self.kinds))
        self.facts_told: dict[str, list[FieldFacts]] = {}
        self._judge: Judge | None = None
        self._among: dict[str, int] = {}
        self._holding: dict[str, int] = {}

    def condition(self, where: str | Condition | None) -> Condition | None:
        """What a filter says. Raises FilterError."""
        if not isinstance(where, str):
            return where
        from lookalike.engine.filter_language import parse

        return parse(where, self.fields) if where.strip() else None

    def asked(self, condition: Condition | None, folder: bytes | None = None) -> Asked | None:
        """Which items may answer; None where all may."""
        return None if condition is None and folder is None else Asked(condition, self.declared, folder)

    def among(self, asked: Asked | None) -> int:
        """How many items may answer; counted once."""
        if asked is None:
            return self.facts.count
        key = repr((asked.condition, asked.below))
        counted = self._among.get(key)
        if counted is None:
            counted = self._engine.count(asked)
            keep(self._among, {key: counted})
        return counted

    def rarities(self, stems: Iterable[str]) -> dict[str, float]:
        """How much each stem says: BM25's idf, as of a store's words."""
        holding = {stem: self._holding.get(stem) for stem in stems}
        missing = [stem for stem, count in holding.items() if count is None]
        if missing:
            found = self._engine.count_with(missing)
            counted = {stem: found.get(stem, 0) for stem in missing}
            keep(self._holding, counted)
            holding |= counted
        return {stem: self._rarity(count or 0) for stem, count in holding.items()}

    def judge(self, encoder: Encoder) -> Judge | None:
        """What relevance is judged by; None for a collection too small to have a background."""
        if self._judge is None and self.facts.count >= LEAST_ROWS and len(self.usual) >= LEAST_ROWS:
            noted = self._engine.entries(SCALE_SETTING).get(encoder.id)
            self._judge = judge_by(self.usual, self.facts.count, noted, encoder)
        return self._judge

    @cached_property
    def usual(self) -> HalfVectors:
        """Vectors drawn from all, float16 (n, dim); none before a run has ended."""
        return sample_of(self._engine.entries(SAMPLE), self.facts.dim)

    def _rarity(self, holding: int) -> float:
        holding = min(holding, self.facts.count)  # the engine may only estimate
        return math.log(1 + (self.facts.count - holding + 0.5) / (holding + 0.5))


class RemoteStates:
    """The present state, read again when the collection has changed."""

    def __init__(self, engine: RemoteEngine) -> None:
        self._engine = engine
        self._state: RemoteState | None = None
        self._asked_at = self._forgotten_at = -math.inf
        self._turn = threading.Lock()

    def current(self) -> RemoteState:
        """Raises CollectionNotFound where there is none, RemoteUnavailable.

        Nobody waits for another thread's question: an engine that is away would hold them up one after another.
        """
        state, now = self._state, time.monotonic()
        if state is not None and now - self._asked_at < FRESH_S and self._asked_at > self._forgotten_at:
            return state
        facts = refuse_absent(self._engine)
        if state is None or state.facts.generation != facts.generation:
            state = RemoteState(self._engine, facts)
        with self._turn:
            if now > self._asked_at:
                self._state, self._asked_at = state, now
        return state

    def forget(self) -> None:
        """Ask again at once: the collection was changed by this process."""
        self._forgotten_at = time.monotonic()


def keep(kept: dict[str, _Kept], more: Mapping[str, _Kept]) -> None:
    """Put more into what is kept, which is let go of when it is `KEPT` large."""
    if len(kept) >= KEPT:
        kept.clear()
    kept |= more


def refuse_absent(engine: RemoteEngine) -> RemoteFacts:
    """The collection as it is now. Raises CollectionNotFound where there is none."""
    facts = engine.describe()
    if facts is None:
        raise CollectionNotFound(Wording("no_collection_there", name=engine.address), hint=Wording("make_it_there"))
    return facts


class _Described(RemoteMoment):
    """No items, but what is known of the fields of all."""

    def __init__(self, declared: dict[str, FieldKind], kinds: dict[str, set[str]]) -> None:
        super().__init__((), 1)
        self._declared = declared
        self._kinds = kinds

    def declared_fields(self) -> dict[str, FieldKind]:
        return self._declared

    def metadata_kinds(self) -> dict[str, set[str]]:
        return self._kinds
