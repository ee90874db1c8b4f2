"""What the words of a collection mean to its encoder: a dictionary between languages that nobody had to write.

The text tower of an encoder of many languages puts "футболка" beside "tshirt". So the vectors of the commonest words
of a collection are kept, and a word of a question that no item has is taken for those whose vectors are near its own.
How near is near differs by encoder: a word counts as meant when its cosine is `STANDS_OUT` standard deviations above
the mean of all words, and not much less than the best one's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.store.full_text import fits_spelling, word_counts

if TYPE_CHECKING:
    import sqlite3

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.store.records import Space

LEARNED_AT_MOST = 3000
"""Words that are known by meaning, the commonest ones: 2 to 5 ms each to encode."""
LEAST_ITEMS = 3
"""Items that a word has to stand in."""
LEAST_WORDS = 30
"""Fewer words say nothing of what is usual."""
STANDS_OUT = 3.5
"""Standard deviations above the mean cosine of all words: translations have 3.7 and more, words that no word of a
collection means up to 3.3 (docs/benchmarks/hybrid.md)."""
NEXT_BEST = 0.8
"""... and this part of the best word's deviations."""
MEANT_AT_MOST = 6


class Meanings:
    """Stems and their vectors, float32 (n, dim), of unit length."""

    def __init__(self, words: list[str], vectors: Vectors) -> None:
        self._words = words
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._words)

    def near(self, vector: NDArray[np.float32]) -> tuple[str, ...]:
        """The stems that mean what a unit vector (dim,) says, best first; none where none stands out."""
        import numpy as np

        if len(self._words) < LEAST_WORDS:
            return ()
        cosines = self._vectors @ vector
        out = (cosines - cosines.mean()) / max(float(cosines.std()), 1e-6)
        best = np.argsort(-out, kind="stable")[:MEANT_AT_MOST]
        least = max(STANDS_OUT, NEXT_BEST * float(out[best[0]]))
        return tuple(self._words[each] for each in best.tolist() if out[each] >= least)


def read_meanings(connection: sqlite3.Connection, space: Space) -> Meanings:
    """All words of a space that have their vectors."""
    import numpy as np

    rows = connection.execute("SELECT word, vector FROM word_vectors WHERE space = ?", (space.number,)).fetchall()
    content = b"".join(vector for _, vector in rows)
    vectors = np.frombuffer(content, "<f2").reshape(len(rows), -1 if rows else space.dim)
    return Meanings([word for word, _ in rows], vectors.astype(np.float32))


def words_to_learn(connection: sqlite3.Connection, space: Space) -> dict[str, str]:
    """The commonest stems without a vector in `space`, each with a word to encode. For a writer."""
    counted = f"SELECT term, sum(doc) AS held FROM {word_counts(connection)} WHERE col <> 'names' GROUP BY term"  # noqa: S608 ours
    common = connection.execute(
        "SELECT s.word, s.example, EXISTS (SELECT 1 FROM word_vectors v WHERE v.space = ? AND v.word = s.word)"  # noqa: S608 ours
        f" FROM ({counted}) c JOIN spelled s ON s.word = c.term WHERE c.held >= ? ORDER BY c.held DESC, s.word LIMIT ?",
        (space.number, LEAST_ITEMS, LEARNED_AT_MOST),
    )
    return {word: example for word, example, known in common if not known and fits_spelling(word)}


def put_word_vectors(connection: sqlite3.Connection, space: Space, words: list[str], vectors: Any) -> None:
    """Keep the vectors, float32 (n, dim), of stems. Part of a transaction."""
    import numpy as np

    connection.executemany(
        "INSERT OR REPLACE INTO word_vectors (space, word, vector) VALUES (?, ?, ?)",
        [(space.number, word, np.asarray(each, "<f2").tobytes()) for word, each in zip(words, vectors, strict=True)],
    )
