"""One moment of a collection: a read transaction and the rows it publishes.

Whatever a writer does meanwhile, generation, rows, masks and items of one snapshot belong together. It
belongs to one thread at a time; take another for another thread.
"""

from __future__ import annotations

import random
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from lookalike.core.closing import Closing
from lookalike.core.errors import CollectionDamaged, CollectionNotFound
from lookalike.core.wording import Wording
from lookalike.store import decisions, filters, inventory, likenesses, word_search
from lookalike.store.column_sets import current_columns
from lookalike.store.database import chunks, translated
from lookalike.store.indexes import current_index, index_file
from lookalike.store.places import at_or_below_sql, at_sql, shown_sql
from lookalike.store.readers import Moment
from lookalike.store.records import is_address
from lookalike.store.rows import RESTORE, map_rows, rows_file
from lookalike.store.tables import (
    declared_fields,
    ids_of_pictures,
    item_by_id,
    items_of_pictures,
    items_of_rows,
    read_roots,
    read_setting,
    read_space,
    roots_by_number,
)
from lookalike.store.word_lists import WordLists, rows_of_items

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Vectors
    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind
    from lookalike.store.columns import Chosen, Columns
    from lookalike.store.decisions import Apart
    from lookalike.store.likenesses import Fingerprints, Kind, PairRecord, Pictures
    from lookalike.store.readers import Readers
    from lookalike.store.records import IndexRecord, ItemRecord, Root, Space
    from lookalike.store.word_search import WordMatches, WordScores

_FETCH = 10_000
"""Row numbers taken from SQLite at once."""


class Snapshot(Closing):
    """A context manager. `rows`: float16 (count, dim), mapped read-only; `generation` grows with every change.

    `index`: the record of the index that serves these rows, over the first `index.count` of them.

    `connection`, in its read transaction, is for this room only.
    """

    def __init__(self, readers: Readers, space: Space | None = None) -> None:
        self._directory = readers.directory
        self._readers = readers
        self._closed = False
        self.connection = readers.take()
        self.generation: int
        self.space: Space
        self.rows: HalfVectors
        self.index: IndexRecord | None
        self._roots: Mapping[int, Root]
        try:
            with translated(self._directory):
                self._begin(space)
        except BaseException:
            self.close()
            raise

    @property
    def count(self) -> int:
        """Rows published at this moment."""
        return self.space.count

    @property
    def index_path(self) -> Path | None:
        """The file of `index`."""
        return None if self.index is None else index_file(self._directory, self.space, self.index)

    def live_mask(self) -> RowMask | None:
        """Rows whose picture is still seen somewhere; None when that is every row."""
        import numpy as np

        with translated(self._directory):
            dead = self._row_numbers(
                "SELECT v.row FROM pictures p INDEXED BY pictures_unseen CROSS JOIN vectors v"
                " ON v.picture = p.number AND v.space = ? WHERE p.items = 0",
                (self.space.number,),
            )
            mask = None
            for some in dead:
                if mask is None:
                    mask = np.ones(self.count, dtype=np.bool_)
                mask[some] = False
            return mask

    def mask_below(self, path: bytes) -> RowMask:
        """Rows with an item at or below the absolute native `path`."""
        import numpy as np

        with translated(self._directory):
            mask = self._mask_inside(path)
            only_at = mask is not None
            place = at_sql if only_at else at_or_below_sql
            if mask is None:
                mask = np.zeros(self.count, dtype=np.bool_)
            for root in read_roots(self.connection):
                if is_address(root.path):
                    condition: tuple[str, tuple[bytes, ...]] | None = shown_sql(path, only_at=only_at)
                else:
                    condition = place(root.path, path, is_file=root.is_file)
                if condition is None:
                    continue
                sql = (
                    "SELECT v.row FROM items i CROSS JOIN vectors v ON v.picture = i.picture AND v.space = ?"  # noqa: S608
                    f" WHERE i.root = ? AND {condition[0]}"
                )
                for some in self._row_numbers(sql, (self.space.number, root.number, *condition[1])):
                    mask[some] = True
            return mask

    def setting(self, name: str, default: Any = None) -> Any:
        """The JSON value kept under a name."""
        with translated(self._directory):
            return read_setting(self.connection, name, default)

    def declared_fields(self) -> dict[str, FieldKind]:
        """The columns of the collection's catalogues, with their kinds."""
        with translated(self._directory):
            return declared_fields(self.connection)

    def where_mask(self, condition: Condition) -> RowMask:
        """Rows with an item that meets the condition; a million items take milliseconds where there are columns."""
        with translated(self._directory):
            return filters.rows_where(self.connection, self.space, self._roots, self.columns(), condition)

    def where_entries(self, condition: Condition) -> Chosen | None:
        """Entries of `columns()` that meet the condition: bool (entries,); None where columns do not tell."""
        with translated(self._directory):
            return filters.entries_where(self.connection, self.columns(), condition)

    def where_items(self, condition: Condition, ids: Iterable[str]) -> set[str]:
        """Those of some items that meet the condition themselves: of a row's items not every one need do so."""
        with translated(self._directory):
            return filters.items_where(self.connection, self._roots, condition, ids)

    def columns(self) -> Columns | None:
        """What is known about all items, as arrays of this moment; None where SQL is to be asked instead."""
        moment = (self.space.number, self.generation)
        kept = self._readers.columns
        if kept is not None and kept[0] == moment:
            return kept[1]
        with translated(self._directory):
            columns = current_columns(self.connection, self._directory, self.space)
        if columns is not None:
            self._readers.columns = (moment, columns)
        return columns

    def items_of(self, rows: Sequence[int]) -> dict[int, list[ItemRecord]]:
        """All items of each row's picture, first the one to show: present before offline, then shortest path.

        A row whose picture is seen nowhere any more has an empty list.
        """
        with translated(self._directory):
            return items_of_rows(self.connection, self.space, rows, self._roots)

    def word_scores(self, text: str, encode: Callable[[list[str]], Vectors] | None = None) -> WordScores:
        """How well every row answers the words of a question: `.best(limit, allowed)`, `.by_row`, `.exact_rows`.

        `encode`: the text tower of the space's encoder; with it, words that no item has are looked up by meaning.
        """
        with translated(self._directory):
            return word_search.word_scores(self.connection, self._word_lists(), self.space, text, encode)

    def words(self, text: str, limit: int, allowed: RowMask | None = None) -> WordMatches:
        """Up to `limit` allowed rows that have words of `text`: rows, scores in [0, 1], whether all of it is a name."""
        return self.word_scores(text).best(limit, allowed)

    def best_items(self, scores: WordScores, rows: Iterable[int]) -> dict[int, str]:
        """The id of the item of each row that its words speak for; rows of which no item has any are left out."""
        with translated(self._directory):
            return word_search.best_items(self.connection, self.space, scores, rows)

    def item(self, id: str) -> ItemRecord | None:
        """The item with that id."""
        with translated(self._directory), suppress(UnicodeEncodeError):  # what is not text is nobody's id
            return item_by_id(self.connection, id)
        return None

    def items_of_pictures(self, pictures: Iterable[int]) -> dict[int, list[ItemRecord]]:
        """All items of each picture, by its number, in the order of `items_of`; one seen nowhere is left out."""
        with translated(self._directory):
            return items_of_pictures(self.connection, map(int, pictures))

    def ids_of_pictures(self, pictures: Iterable[int]) -> dict[int, list[str]]:
        """The ids of all items of each picture, by its number; one seen nowhere is left out."""
        with translated(self._directory):
            return ids_of_pictures(self.connection, map(int, pictures))

    def pictures(self) -> tuple[Pictures, Rows]:
        """All pictures that are seen somewhere, ascending, and the row of each, -1 where it has none: int64 (n,)."""
        with translated(self._directory):
            return likenesses.pictures_and_rows(self.connection, self.space)

    def pictures_seen_often(self) -> Pictures:
        """Pictures that have more than one item, ascending: int64 (n,)."""
        with translated(self._directory):
            return likenesses.pictures_seen_often(self.connection)

    def fingerprints(self) -> Fingerprints:
        """The fingerprints of all pictures that are seen somewhere and have one."""
        with translated(self._directory):
            return likenesses.read_fingerprints(self.connection)

    def bordered_pictures(self) -> set[int]:
        """Pictures with a plain border, as far as they have fingerprints."""
        with translated(self._directory):
            return likenesses.bordered_pictures(self.connection)

    def fingerprints_of(self, rows: Iterable[int]) -> dict[int, tuple[bytes, int]]:
        """Bits (32 bytes) and quality of the pictures of some rows; a row whose picture has none is left out."""
        with translated(self._directory):
            return likenesses.fingerprints_of_rows(self.connection, self.space, rows)

    def sketches(self, pictures: Iterable[int]) -> dict[int, bytes]:
        """The packed sketches of some pictures; one that has none is left out."""
        with translated(self._directory):
            return likenesses.read_sketches(self.connection, map(int, pictures))

    def not_looked_at(self, method: int) -> Pictures:
        """Pictures that no method numbered `method` or above has compared with the others, ascending."""
        with translated(self._directory):
            return likenesses.pictures_not_looked_at(self.connection, method)

    def likenesses(self, kinds: Sequence[Kind] = ()) -> Iterator[PairRecord]:
        """All pairs of pictures that were found alike and are seen somewhere; of some kinds, or of all."""
        with translated(self._directory):
            yield from likenesses.read_likenesses(self.connection, kinds)

    def likenesses_of(self, pictures: Iterable[int]) -> list[PairRecord]:
        """The pairs that one of some pictures is in."""
        with translated(self._directory):
            return likenesses.likenesses_of_pictures(self.connection, pictures)

    def likenesses_among(self, pictures: Iterable[int]) -> list[PairRecord]:
        """Pairs that were found of which both are among some pictures."""
        with translated(self._directory):
            return likenesses.likenesses_among_pictures(self.connection, pictures)

    def apart(self) -> Apart:
        """What somebody said are no duplicates of each other, as it holds now."""
        with translated(self._directory):
            return decisions.apart_now(self.connection)

    def kept(self) -> dict[str, int]:
        """Ids of items that somebody chose to keep, and when: UTC nanoseconds since 1970."""
        with translated(self._directory):
            return decisions.kept_now(self.connection)

    def count_items(self) -> int:
        """Items whose picture has a row: what `items_of` gives for all rows together."""
        with translated(self._directory):
            return inventory.count_items(self.connection, self.space)

    def digests_of(self, ids: Iterable[str]) -> dict[str, tuple[bytes, bytes | None]]:
        """The digest of each item's bytes and, where it was decoded, that of its pixels."""
        with translated(self._directory):
            return inventory.digests_of(self.connection, ids)

    def metadata_of_bytes(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """That part of each item's metadata which the bytes of its file say."""
        with translated(self._directory):
            return inventory.metadata_of_bytes(self.connection, ids)

    def metadata_kinds(self) -> dict[str, set[str]]:
        """Every name of the metadata in alphabetical order, and what kinds of JSON value stand under it.

        "text", "integer", "real", "true", "false", "array", "object", or "huge" for a number beyond 64 bits.
        """
        with translated(self._directory):
            return inventory.metadata_kinds(self.connection)

    def rows_of_item(self, id: str) -> list[int]:
        """The rows of the item's picture, part 0 first; empty when it has none in this space."""
        with translated(self._directory):
            sql = (
                "SELECT v.row FROM items i JOIN vectors v ON v.picture = i.picture AND v.space = ?"
                " WHERE i.id = ? ORDER BY v.part"
            )
            with suppress(UnicodeEncodeError):
                return [row for (row,) in self.connection.execute(sql, (self.space.number, id))]
        return []

    def row_picture_sample(self, n: int, seed: int) -> list[tuple[int, list[ItemRecord]]]:
        """Up to `n` rows drawn at random, each with its items as in `items_of`; the same for the same seed and rows."""
        order = random.Random(seed).sample(range(self.count), self.count if n >= self.count else min(4 * n, self.count))  # noqa: S311
        drawn: list[tuple[int, list[ItemRecord]]] = []
        for some in chunks(order, max(n, 1)):
            items = self.items_of(some)
            drawn += [(row, items[row]) for row in some if items.get(row)]
            if len(drawn) >= n:
                break
        return drawn[:n]

    def close(self) -> None:
        """End the transaction. `rows` stays mapped as long as somebody holds it."""
        if not self._closed:
            self._closed = True
            self._readers.give_back(self.connection)

    def _begin(self, wanted: Space | None) -> None:
        """Begin the transaction and take what belongs to its generation; once more when compaction came in between."""
        before: Space | None = None
        while True:
            self.connection.execute("BEGIN")
            row = self.connection.execute("SELECT generation, current_space FROM collection").fetchone()
            self.generation, number = row if wanted is None else (row[0], wanted.number)
            if number is None:
                raise CollectionNotFound(
                    Wording("no_pictures_yet", name=self._directory), hint=Wording("index_puts_some")
                )
            moment = self._readers.moment
            if moment is None or (moment.generation, moment.space.number) != (self.generation, number):
                space = read_space(self.connection, number)
                try:
                    moment = self._moment(space)
                except FileNotFoundError as error:
                    if before is not None and (before.number, before.epoch) == (space.number, space.epoch):
                        raise CollectionDamaged(
                            Wording("vectors_missing", file=rows_file(self._directory, space)),
                            hint=RESTORE,
                        ) from error
                    before = space
                    self.connection.execute("ROLLBACK")
                    continue
                self._readers.moment = moment
            self.space, self.rows, self.index, self._roots = moment.space, moment.rows, moment.index, moment.roots
            return

    def _moment(self, space: Space) -> Moment:
        rows = map_rows(self._directory, space)
        index = current_index(self.connection, space)
        return Moment(self.generation, space, rows, index, roots_by_number(self.connection))

    def _word_lists(self) -> WordLists:
        lists = self._readers.words
        if lists is None or (lists.generation, lists.space) != (self.generation, self.space.number):
            row_of = rows_of_items(self.connection, self.space, self.columns())
            lists = self._readers.words = WordLists(self.generation, self.space, row_of)
        return lists

    def _mask_inside(self, path: bytes) -> RowMask | None:
        """Rows with an item inside the folder `path`, by the columns; None without them."""
        columns = self.columns()
        if columns is None or "folder" not in columns:
            return None
        try:
            return columns.row_mask(columns.below(path))
        except (OSError, ValueError, IndexError):  # the set was replaced in between, or is damaged
            return None

    def _row_numbers(self, sql: str, parameters: tuple[int | bytes, ...]) -> Iterator[list[int]]:
        with closing(self.connection.execute(sql, parameters)) as cursor:
            while some := cursor.fetchmany(_FETCH):
                yield [row for (row,) in some]
