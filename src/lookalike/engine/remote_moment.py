"""Candidates that came from an engine elsewhere, made to look like one moment of a collection on this computer.

So ranking, relevance, what shares a place and hits are made of them by the very code of local collections. A row is a
picture among the candidates: items of one picture share it, as they do in a store. Candidates of a filtered question
all meet its filter: the engine has seen to that. Items that share a picture with one of them may not.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lookalike.engine.scopes import is_below
from lookalike.store.collection_store import ItemRecord
from lookalike.store.full_text import words_of_item
from lookalike.store.word_lists import FIELD_WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, RowMask, Rows
    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind
    from lookalike.remote.contract import RemoteItem
    from lookalike.store.columns import Chosen, Columns


class RemoteMoment:
    """A few items: `engine.moment.Moment`. Items given twice are one.

    The first of each picture has a vector. `met`: ids of the items that meet the filter; None where all do.
    """

    def __init__(self, items: Iterable[RemoteItem], dim: int, met: Container[str] | None = None) -> None:
        import numpy as np

        self._met = met
        self._row: dict[str, int] = {}
        self._places: list[list[ItemRecord]] = []
        self.remote: dict[str, RemoteItem] = {}
        pictures: dict[bytes | str, int] = {}
        vectors = []
        for item in items:
            if item.id in self.remote:
                continue
            row = pictures.setdefault(item.picture or item.id, len(self._places))
            if row == len(self._places):
                self._places.append([])
                vectors.append(item.vector)
            self.remote[item.id], self._row[item.id] = item, row
            self._places[row].append(record_of(item, row))
        for places in self._places:
            places.sort(key=lambda item: (len(item.uri), item.uri, item.id))
        self.rows: HalfVectors = np.array(vectors, np.float16).reshape(-1, dim)

    @property
    def count(self) -> int:
        return len(self._places)

    def row_of(self, id: str) -> int:
        """The row of an item that is here."""
        return self._row[id]

    def items_of(self, rows: Sequence[int]) -> dict[int, list[ItemRecord]]:
        return {row: self._places[row] for row in rows}

    def item(self, id: str) -> ItemRecord | None:
        if id not in self._row:
            return None
        return next(item for item in self._places[self._row[id]] if item.id == id)

    def rows_of_item(self, id: str) -> list[int]:
        return [self._row[id]] if id in self._row else []

    def mask_below(self, path: bytes) -> RowMask:
        import numpy as np

        below = [any(is_below(os.fsencode(item.uri), path) for item in places) for places in self._places]
        return np.array(below, np.bool_)

    def where_items(self, condition: Condition, ids: Iterable[str]) -> set[str]:  # noqa: ARG002 it is known who does
        return {id for id in ids if self._met is None or id in self._met}

    def best_items(self, scores: RemoteWords, rows: Iterable[int]) -> dict[int, str]:
        return {row: best for row in rows if (best := scores.best_of([item.id for item in self._places[row]]))}

    def declared_fields(self) -> dict[str, FieldKind]:
        return {}

    def metadata_kinds(self) -> dict[str, set[str]]:
        return {}

    def columns(self) -> Columns | None:
        return None

    def where_entries(self, condition: Condition) -> Chosen | None:  # noqa: ARG002 there are no columns
        return None


@dataclass(frozen=True)
class RemoteWords:
    """How well candidates answer some words: `engine.fuse.Words`, as `store.word_search.WordScores` says it.

    `shares`: of each item that has any of them. `named`: ids of the items whose whole name was asked for.
    """

    moment: RemoteMoment
    shares: Mapping[str, float]
    named: frozenset[str] = field(default_factory=frozenset)

    def is_any(self) -> bool:
        """Whether any item has one of the words."""
        return bool(self.shares or self.named)

    @cached_property
    def by_row(self) -> NDArray[np.float32]:
        import numpy as np

        scores = np.zeros(self.moment.count, np.float32)
        for id, share in self.shares.items():
            row = self.moment.row_of(id)
            scores[row] = max(scores[row], share)
        return scores

    def best(self, limit: int, allowed: RowMask | None = None) -> tuple[Rows, NDArray[np.float32], NDArray[np.bool_]]:
        """As `WordScores.best`; what may not be answered is no candidate, so `allowed` is None."""
        import numpy as np

        assert allowed is None, "candidates may all be answered"
        named = np.unique(np.array([self.moment.row_of(id) for id in self.named], np.int64))
        found = np.union1d(np.flatnonzero(self.by_row), named).astype(np.int64)
        is_named = np.isin(found, named)
        order = np.lexsort((found, -self.by_row[found], ~is_named))[:limit]
        return found[order], self.by_row[found[order]], is_named[order]

    def best_of(self, ids: Sequence[str]) -> str | None:
        """The one of some items that its words speak for most; None where they speak for none."""
        found = [id for id in ids if id in self.named or id in self.shares]
        return max(found, key=lambda each: (each in self.named, self.shares.get(each, 0.0)), default=None)


@dataclass(frozen=True, slots=True)
class AskedWord:
    """A word of a question: its stems, and what it says, its rarity in the collection."""

    forms: tuple[str, ...]
    says: float


def words_in(moment: RemoteMoment, words: Sequence[AskedWord], name: str, fields: Sequence[str]) -> RemoteWords:
    """How the candidates answer the words of a question, and which of them are called `name`.

    `fields`: the columns of catalogues whose words are found.
    """
    said = sum(word.says for word in words)
    shares: dict[str, float] = {}
    named = set()
    for id, item in moment.remote.items():
        names, *texts = words_of_item(item.id, place_words(item), item.metadata, tuple(fields), {})
        weights = dict(_weighted(texts))
        share = sum(word.says * max((weights.get(form, 0.0) for form in word.forms), default=0.0) for word in words)
        if share > 0:
            shares[id] = share / said
        if name and name in names.split():
            named.add(id)
    return RemoteWords(moment, shares, frozenset(named))


def stems_and_names(item: RemoteItem, fields: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What an engine's full text is to hold of an item."""
    names, *texts = words_of_item(item.id, place_words(item), item.metadata, tuple(fields), {})
    return tuple(dict.fromkeys(stem for text in texts for stem in text.split())), tuple(names.split())


def record_of(item: RemoteItem, picture: int) -> ItemRecord:
    """An item as answers are made of it. Whether its place can be reached now is not known of an item elsewhere."""
    return ItemRecord(
        item.id,
        item.uri,
        zlib.crc32(item.root),  # engines have no numbers for roots; whoever makes a name of an item takes this one
        item.key,
        item.size,
        item.modified_ns,
        picture,
        item.width,
        item.height,
        item.format,
        False,
        dict(item.metadata),
    )


def place_words(item: RemoteItem) -> list[str]:
    """Names of folders and of the file, as the store takes them: of what lies below a folder, from its own name on."""
    uri, root = os.fsencode(item.uri), item.root
    if os.path.isabs(root) and is_below(uri, root):
        inside = [part for part in uri[len(root) :].split(os.fsencode(os.sep)) if part]
        parts = [os.path.basename(root), *inside]
    else:
        parts = [os.path.basename(uri.split(b"?")[0].rstrip(b"/") if b"://" in uri else uri)]
    return [part.decode("utf-8", "replace") for part in parts]


def _weighted(texts: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Stems with what they count by the field they stand in, the best field last."""
    for text, weight in reversed(list(zip(texts, FIELD_WEIGHTS.values(), strict=True))):
        for stem in text.split():
            yield stem, weight


def own_metadata(item: RemoteItem) -> dict[str, Any]:
    """The metadata that belong to the place of an item alone."""
    return {name: value for name, value in item.metadata.items() if item.picture_metadata.get(name) != value}
