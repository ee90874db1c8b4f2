"""What became of each question, in words a person can act on: where the first right answer stands, and why not higher.

Every question has exactly one outcome, the first of `OUTCOMES` that fits. Copies are told by cosine (`COPY`, as in
`engine.relevance`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.engine.relevance import COPY

if TYPE_CHECKING:
    from lookalike.core.arrays import Vectors
    from lookalike.evaluation.measured import Measured
    from lookalike.evaluation.questions import Asked

PAGE, FAR = 10, 100  # ranks: the first page of answers, and as far as a patient person scrolls
OUTCOMES = {
    "copies": f"right among the first {PAGE}, but only copies of the query picture: an easy question",
    "first": "the first answer is right",
    "first page": f"something right among the first {PAGE}",
    "unjudged copy": f"nothing right among the first {PAGE} but a copy of something right: the judgements miss it",
    "further down": f"the first right answer stands between {PAGE + 1} and {FAR}",
    "lost": f"nothing right among the first {FAR}",
}
"""Every outcome and what it means."""


def outcomes_of(measured: Measured, asked: Asked, items: Vectors) -> tuple[str, ...]:
    """The outcome of each measured question. `items`: the vectors that were ranked, (n, dim)."""
    first = measured.first
    right = measured.gains[:, :PAGE] > 0
    only_copies = right.any(axis=1) & ~(right & (measured.scores[:, :PAGE] < COPY)).any(axis=1)
    copies = only_copies & (asked.pictures is not None)  # words have none
    fits = [copies, first == 1, first <= PAGE, first <= FAR]
    names = ["copies", "first", "first page", "further down"]
    found = np.select(fits, names, default="lost").astype(object)
    for query in np.flatnonzero(first > PAGE):
        if _copy_of_right(measured, asked, items, int(query)):
            found[query] = "unjudged copy"
    return tuple(found)


def _copy_of_right(measured: Measured, asked: Asked, items: Vectors, query: int) -> bool:
    """Whether one of the first answers is a copy of something that is right."""
    at = int(measured.asked[query])
    right = np.flatnonzero(asked.right(slice(at, at + 1))[0])
    answers = measured.answers[query, :PAGE]
    return bool((items[answers[answers >= 0]] @ items[right].T >= COPY).any())


def count_outcomes(outcomes: tuple[str, ...]) -> dict[str, int]:
    """How many questions have each outcome, in the order of `OUTCOMES`."""
    return {name: outcomes.count(name) for name in OUTCOMES}
