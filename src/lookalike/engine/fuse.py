"""Meaning and words together: one order of the rows that either of them found.

How a search uses it (all of this is stable):

    words = snapshot.word_scores(text, encoder.encode_texts)    # WordScores; the second argument is optional
    fused = fuse(snapshot.rows, vector, nearest, words, k=k, allowed=mask)
    fused.rows, fused.cosines, fused.shares, fused.exact        # best first, at most k of each
    snapshot.best_items(words, fused.rows.tolist())             # row -> id of the item to show, where words chose one

`vector` is the question's unit vector; `nearest` its rows int64 (n,) from the vector search under the same mask, best
first (30 at least, also for fewer answers; -1 is left out). `text` is the question's words; pictures and subtracted
terms have none: such a question is answered by meaning alone. Words without meaning: `words.best(k, mask)`.
At the end of a run `engine/word_learning.py`: learn_words(writer, space, encoder, stop) lets words of other languages
and synonyms be found.

Promises: a row outside `allowed` never comes; rows whose whole title, id, file name or product number was asked for
come first; where no word is known the order is that of meaning. `cosines` are those of the question itself, so they
can be calibrated as ever.

The fusion was chosen by measurement (docs/adr/0010, docs/benchmarks/hybrid.md): the question's vector is moved to where
the pictures lie that its words found (Rocchio's feedback, across from words to pictures: a picture is compared better
with a picture than with a text), the cosines with that are standardised by those of rows of the whole collection, and
the words add `WORDS_COUNT` x share^2. The share is of what the question's words say, not relative to the best hit, as
in the relative score fusion of others: where titles know a common word of it only, the question stays one of meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, RowMask, Rows

CANDIDATES = 150
"""Best rows by words that are put in order: more change nothing (docs/benchmarks/hybrid.md)."""
WORDS_COUNT = 30.0
"""What it counts that all words are found, in standard deviations of cosines (docs/benchmarks/hybrid.md)."""
FEEDBACK_ROWS = 10
"""Best rows by words whose pictures move the question's vector."""
FEEDBACK_LEAST = 0.9
"""... as long as their share is this part of the best one's."""
SAMPLED = 512
"""Rows that tell how cosines are spread over the collection."""


class Words(Protocol):
    """What is asked of the word scores of a store's snapshot."""

    @property
    def by_row(self) -> NDArray[np.float32]:
        """float32 (count,): the share of what the question's words say, in [0, 1]."""

    def best(self, limit: int, allowed: RowMask | None = None) -> tuple[Rows, NDArray[np.float32], NDArray[np.bool_]]:
        """Rows, best first, their shares, and whether the question names them exactly."""


@dataclass(frozen=True, slots=True)
class Fused:
    """Answers, best first, all of one length.

    `rows` int64; `scores` float32, only their order means something; `cosines` float32 with the question; `shares`
    float32 in [0, 1] of its words; `exact` bool: named by the question.
    """

    rows: Rows
    scores: NDArray[np.float32]
    cosines: NDArray[np.float32]
    shares: NDArray[np.float32]
    exact: NDArray[np.bool_]


def fuse(
    stored: HalfVectors,
    query: NDArray[np.float32],
    nearest: Rows,
    words: Words,
    *,
    k: int,
    allowed: RowMask | None = None,
    usual: HalfVectors | None = None,
) -> Fused:
    """Put the rows found by meaning and by words in one order.

    `stored`: float16 (count, dim); `query`: float32 (dim,), unit; `nearest`: int64 (n,), best first, -1 for none.
    `usual`: rows drawn from all of `stored` that the caller has at hand; None draws some.
    """
    import numpy as np

    found, shares, exact = words.best(CANDIDATES, allowed)
    rows = np.concatenate([found, np.setdiff1d(nearest[nearest >= 0], found)])
    is_exact = np.zeros(len(rows), np.bool_)
    is_exact[: len(found)] = exact
    vectors = np.asarray(stored).take(rows, axis=0, mode="clip").astype(np.float32)
    cosines = vectors @ query / np.maximum(np.linalg.norm(vectors, axis=1), 1e-6)
    by_words = words.by_row[rows]
    moved = _moved(query, vectors[: len(found)], shares, cosines[: len(found)])
    drawn = stored[:: max(len(stored) // SAMPLED, 1)] if usual is None else usual
    scores = _standardised(drawn[:SAMPLED], vectors, moved) + WORDS_COUNT * by_words**2
    order = np.lexsort((rows, -scores, ~is_exact))[:k]
    return Fused(rows[order], scores[order], cosines[order], by_words[order], is_exact[order])


def _moved(
    query: NDArray[np.float32], vectors: NDArray[np.float32], shares: NDArray[np.float32], cosines: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The question's vector and the mean of the best pictures by words, as far as those answer it; of unit length."""
    import numpy as np

    if not len(shares) or shares.max() <= 0:
        return query
    best = np.lexsort((-cosines, -shares))[:FEEDBACK_ROWS]
    weights = shares[best] * (shares[best] >= FEEDBACK_LEAST * shares.max())
    mean = weights @ vectors[best]
    moved = query + mean * (float(shares.max()) / max(float(np.linalg.norm(mean)), 1e-6))
    length = float(np.linalg.norm(moved))
    return moved / np.float32(length) if length > 1e-6 else query


def _standardised(
    drawn: HalfVectors, vectors: NDArray[np.float32], direction: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Cosines with `direction`, in standard deviations above the mean of rows of the whole collection."""
    import numpy as np

    usual = drawn.astype(np.float32) @ direction
    spread = float(usual.std()) if len(usual) > 1 else 0.0
    above: NDArray[np.float32] = (vectors @ direction - np.float32(usual.mean())) / np.float32(spread or 1.0)
    return above
