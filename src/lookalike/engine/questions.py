"""Questions to an index whose true answers are known, and how many of those it gives.

Questions are rows of the collection (each its own answer left out) and, where the encoder understands words, the
captions of `questions.txt`: words lie elsewhere in the space than pictures do and need more effort. The answers of the
exact index are the truth. Who asks them: `curve`, at the end of each build and when a collection is tuned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.engine.plan import K_MEASURED
from lookalike.index.exact import ExactIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Rows, Scores, Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.index.kinds import OperatingPoint
    from lookalike.index.rescored import RescoredIndex

PICTURES = 200
"""Rows asked for: a recall of 0.96 is known to 0.01 then."""
MARGIN = 2.0
"""Standard errors that the mean recall must lie above the target."""
TIE = 1e-6
"""Scores so near to the last right one are as right: copies of a picture are no misses."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Held-out queries with the true answers of the exact index: scores (q, k) of the best.

    `own`: int64 (q,): the row that asked, -1 for words.
    """

    vectors: Vectors
    own: Rows
    truth: Scores

    @property
    def is_words(self) -> NDArray[np.bool_]:
        answer: NDArray[np.bool_] = self.own < 0
        return answer


def caption_vectors(encoder: Encoder) -> Vectors | None:
    """The captions that ship with lookalike, encoded: float32 (t, dim); None for an encoder without words."""
    from importlib.resources import files

    if "text" not in encoder.modalities:
        return None
    lines = files("lookalike.engine").joinpath("questions.txt").read_text(encoding="utf-8").splitlines()
    return encoder.encode_texts(lines)


def ask(rows: HalfVectors, words: Vectors | None, *, seed: int = 0, pictures: int = PICTURES) -> Questions:
    """Questions to `rows`, float16 (n, dim), and their true answers, by one exact pass over all rows."""
    import numpy as np

    from lookalike.index.building import unit_block

    own = np.random.default_rng(seed).permutation(len(rows))[:pictures].astype(np.int64)
    vectors = unit_block(np.asarray(rows[np.sort(own)]))
    own = np.sort(own)[vectors.any(axis=1)]
    vectors = vectors[vectors.any(axis=1)]
    if words is not None:
        vectors = np.concatenate([vectors, words.astype(np.float32)])
        own = np.concatenate([own, np.full(len(words), -1, dtype=np.int64)])
    found, scores = ExactIndex(rows).search(vectors, K_MEASURED + 1)
    return Questions(vectors, own, without(own, found, scores))


def without(own: Rows, rows: Rows, scores: Scores) -> Scores:
    """Scores (q, k) of k + 1 answers each, the row that asked left out, or else the last."""
    drop = (rows == own[:, None]) & (own[:, None] >= 0)
    drop[~drop.any(axis=1), -1] = True
    kept: Scores = scores[~drop].reshape(len(scores), -1)
    return kept


def recalls(questions: Questions, scores: Scores) -> NDArray[np.float64]:
    """ann_recall@k of each question, float64 (q,): `scores` (q, k) of what was found, ties fair."""
    import numpy as np

    there = np.isfinite(questions.truth).sum(axis=1)
    last = np.where(there > 0, questions.truth[np.arange(len(there)), np.maximum(there - 1, 0)], np.inf)
    right = np.minimum((scores >= last[:, None] - TIE).sum(axis=1), there)
    return np.where(there > 0, right / np.maximum(there, 1), 1.0)


def recall_at(index: RescoredIndex, questions: Questions, point: OperatingPoint) -> NDArray[np.float64]:
    """ann_recall@10 of each question at an operating point."""
    rows, scores = index.search(questions.vectors, K_MEASURED + 1, effort=point.effort, fetch=point.fetch)
    return recalls(questions, without(questions.own, rows, scores))


def surely(recall: NDArray[np.float64]) -> float:
    """What a mean recall surely is, or 1 where nothing was asked."""
    if not len(recall):
        return 1.0
    return float(recall.mean() - MARGIN * recall.std() / len(recall) ** 0.5)
