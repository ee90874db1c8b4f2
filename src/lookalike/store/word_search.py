"""Which items hold the words of a question, and how well: BM25's rarities over the word lists of FTS5.

A score is the share, in [0, 1], of what the question's words say (the sum of their rarities) that an item's words
say too; a word counts by the best field it stands in. So the score of one question can be compared with that of
another, and a question of which the collection knows one common word out of five scores low everywhere. How often a
word stands in a text and how long the text is do not count: texts are titles and tags.
A word that no item has is taken for the known words that are one typing error away, two for 7 letters and more,
found by the trigrams they share; failing that, for those that mean the same to the encoder (`word_meanings.py`), so
that Russian questions find English titles. `exact` are the items of which the question is a whole title, id, file name
or product number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lookalike.store.database import select_in
from lookalike.store.full_text import fits_spelling
from lookalike.store.word_forms import asked_words, forms_of, name_of
from lookalike.store.word_lists import items_with

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import RowMask, Rows, Vectors
    from lookalike.store.records import Space
    from lookalike.store.word_lists import WordLists

    Encode: TypeAlias = Callable[[list[str]], Vectors]

MISSPELT = 0.7
"""What a word counts that is only near the one asked for."""
ONE_ERROR_FROM = 4
TWO_ERRORS_FROM = 7
"""Letters of a word from which on it may have two typing errors."""
NEAR_AT_MOST = 4
"""Known words that one misspelt word is taken for."""
MEANT = 0.8
"""What a word counts that only means the one asked for."""


class WordMatches(NamedTuple):
    """Rows int64 (n,), best first; scores float32 (n,) in [0, 1]; exact bool (n,): those come first."""

    rows: Rows
    scores: NDArray[np.float32]
    exact: NDArray[np.bool_]


@dataclass(frozen=True)
class WordScores:
    """How well every item, and with it every row, answers some words.

    `by_item`: float32, by number. `named`: numbers of the items whose whole name was asked for.
    """

    lists: WordLists
    by_item: NDArray[np.float32]
    named: NDArray[np.int32]

    def is_any(self) -> bool:
        """Whether any item has one of the words."""
        return bool(len(self.named) or self.by_item.any())

    @cached_property
    def by_row(self) -> NDArray[np.float32]:
        """float32 (count,): the score of each row's best item."""
        import numpy as np

        scores = np.zeros(self.lists.count, np.float32)
        items = np.flatnonzero(self.by_item)
        items = items[self.lists.row_of[items] >= 0]
        if len(items):
            np.maximum.at(scores, self.lists.row_of[items], self.by_item[items])
        return scores

    @cached_property
    def exact_rows(self) -> Rows:
        """Rows of the named items, ascending."""
        import numpy as np

        rows = np.unique(self.lists.row_of[self.named]).astype(np.int64)
        return rows[rows >= 0]

    def best(self, limit: int, allowed: RowMask | None = None) -> WordMatches:
        """The best rows that have a word at all or are named exactly; equal ones by their row."""
        import numpy as np

        scores = self.by_row if allowed is None else np.where(allowed, self.by_row, np.float32(0))
        exact = self.exact_rows if allowed is None else self.exact_rows[allowed[self.exact_rows]]
        found = np.flatnonzero(scores)
        if len(found) > limit:
            least = np.partition(scores[found], len(found) - limit)[len(found) - limit]
            found = found[scores[found] >= least]
        found = np.union1d(found, exact)
        is_exact = np.isin(found, exact)
        order = np.lexsort((found, -scores[found], ~is_exact))[:limit]
        return WordMatches(found[order], scores[found[order]], is_exact[order])


def word_scores(
    connection: sqlite3.Connection, lists: WordLists, space: Space, text: str, encode: Encode | None = None
) -> WordScores:
    """The scores of a question's words. `encode` gives the unit vectors (n, dim) of words that no item has."""
    words = asked_words(text)
    parts = {word: _spelled(connection, lists, word) for word in words}
    strange = [word for word, part in parts.items() if not part.forms and fits_spelling(word)]
    if strange and encode is not None:
        meanings = lists.meanings(connection, space)
        for word, vector in zip(strange, encode(strange) if len(meanings) else (), strict=False):
            forms = meanings.near(vector)
            if forms:
                parts[word] = _Part(forms, lists.list_of(connection, forms).rarity, MEANT)
    named = items_with(connection, "names", [name_of(text)])
    return _summed(connection, lists, list(parts.values()), named[named < len(lists.row_of)])


class _Part(NamedTuple):
    """Stems that mean one word of a question, what the word says, and how far the stems count as it."""

    forms: tuple[str, ...]
    says: float
    counts: float = 1.0


def _spelled(connection: sqlite3.Connection, lists: WordLists, word: str) -> _Part:
    """A word as it is known, else the known ones it was likely meant for, else without any form."""
    forms = forms_of(word)
    held = lists.list_of(connection, forms)
    if len(held.items):
        return _Part(forms, held.rarity)
    near = tuple(dict.fromkeys(each for form in forms for each in _near(connection, form)))
    return _Part(near, lists.rarity(0), MISSPELT)


def _summed(
    connection: sqlite3.Connection, lists: WordLists, parts: Sequence[_Part], named: NDArray[np.int32]
) -> WordScores:
    import numpy as np

    scores = np.zeros(len(lists.row_of), np.float32)
    said = sum(part.says for part in parts)
    for part in parts:
        if part.forms and said > 0:
            held = lists.list_of(connection, part.forms)
            scores[held.items] += held.weights * np.float32(part.counts * part.says / said)
    return WordScores(lists, scores, named)


def _near(connection: sqlite3.Connection, word: str) -> list[str]:
    """Known stems that `word` may have been meant for: those with the fewest typing errors."""
    if not fits_spelling(word) or len(word) < ONE_ERROR_FROM:
        return []
    errors = 1 if len(word) < TWO_ERRORS_FROM else 2
    grams = _trigrams(word)
    rows = connection.execute(
        "SELECT s.word FROM spellings t CROSS JOIN spelled s ON s.number = t.rowid"
        " WHERE t.spellings MATCH ? AND length(s.word) BETWEEN ? AND ?",
        (" OR ".join(f'"{gram}"' for gram in sorted(grams)), len(word) - errors, len(word) + errors),
    )
    shared_least = max(len(grams) - 4 * errors, 1)  # an exchange of two letters changes four trigrams
    likely = [each for (each,) in rows if len(grams & _trigrams(each)) >= shared_least]
    distances = sorted((errors_between(word, each), each) for each in likely)
    return [each for distance, each in distances if distance <= min(errors, distances[0][0])][:NEAR_AT_MOST]


def _trigrams(word: str) -> set[str]:
    marked = f"^{word}$"
    return {marked[start : start + 3] for start in range(len(marked) - 2)}


def errors_between(one: str, other: str) -> int:
    """Letters left out, put in, replaced or exchanged with their neighbour (optimal string alignment)."""
    before: list[int] = []
    line = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        above, before = before, line
        line = [i]
        for j, its in enumerate(other, start=1):
            best = min(before[j] + 1, line[j - 1] + 1, before[j - 1] + (letter != its))
            if above and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                best = min(best, above[j - 2] + 1)
            line.append(best)
    return line[-1]


def best_items(connection: sqlite3.Connection, space: Space, scores: WordScores, rows: Iterable[int]) -> dict[int, str]:
    """Of each row seen in several places with different words: the id of the item that answers best."""
    named = set(scores.named.tolist())
    found: dict[int, tuple[tuple[bool, float], str]] = {}
    sql = (
        "SELECT v.row, i.number, i.id FROM vectors v JOIN items i ON i.picture = v.picture"
        " WHERE v.space = ? AND v.row IN ({}) ORDER BY i.number"
    )
    for row, number, id in select_in(connection, sql, (space.number,), rows):
        score = float(scores.by_item[number]) if number < len(scores.by_item) else 0.0
        how = (number in named, score)
        if how > (False, 0.0) and how > found.get(row, ((False, 0.0), ""))[0]:
            found[row] = (how, id)
    return {row: id for row, (_, id) in found.items()}
