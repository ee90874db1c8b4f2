"""Pairs of a question and a thing that are likely right, by the likeness of their words: what a person then judges.

Likeness is the cosine of a sentence encoder. From which likeness on a pair is worth a person's look was measured for
the encoders below with attributes as truth (tools/bench/judge_threshold.py; error rates: docs/benchmarks/texts.md). For
another one every question gets its nearest things, until somebody measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.core.arrays import Vectors
    from lookalike.encoders.sentences import SentenceEncoder
    from lookalike.evaluation.things import Thing

PROPOSE = {"minilm": 0.66, "builtin": 0.7}
"""Name of a sentence encoder -> likeness from which on about half of the proposals are right."""
AT_MOST = 30
"""Proposals for one question."""
_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Proposal:
    """A thing for a question. `likeness` of their words: cosine."""

    question: str
    thing: Thing
    likeness: float


def propose(
    questions: Sequence[str],
    things: Sequence[Thing],
    encoder: SentenceEncoder,
    *,
    above: float,
    at_most: int = AT_MOST,
    progress: Callable[[int, int], None] | None = None,
) -> list[list[Proposal]]:
    """For each question its likeliest things, best first, equal ones in their order: none below `above`.

    `progress` is called with the texts encoded and texts in all. Equal texts are encoded once.
    """
    texts = {text: at for at, text in enumerate(dict.fromkeys(thing.text for thing in things))}
    asked = _encoded(encoder, questions)
    said = _encoded(encoder, list(texts), progress)[[texts[thing.text] for thing in things]]
    found = []
    for question, vector in zip(questions, asked, strict=True):
        likeness = said @ vector
        best = np.argsort(-likeness, kind="stable")[:at_most].tolist()
        found.append([Proposal(question, things[at], float(likeness[at])) for at in best if likeness[at] >= above])
    return found


def _encoded(
    encoder: SentenceEncoder, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> Vectors:
    parts = []
    for at in range(0, len(texts), _TEXTS_AT_ONCE):
        parts.append(encoder.encode_texts(texts[at : at + _TEXTS_AT_ONCE]))
        if progress:
            progress(min(at + _TEXTS_AT_ONCE, len(texts)), len(texts))
    vectors: Vectors = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
    return vectors
