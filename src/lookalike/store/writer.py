"""The one writer of a collection: holds the lock, publishes batches, settles runs, gives space back.

Every method that writes is one transaction: when it returns, what it did is on the disk; when it raises or
the process dies, nothing of it is visible. Questions a run asks about many files take one query a batch.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lookalike.core.closing import Closing
from lookalike.core.errors import OutOfSpace
from lookalike.store import cataloguing, publishing, rooting
from lookalike.store.column_sets import LEAST_ITEMS, carry_columns, make_columns
from lookalike.store.compacting import drop_unseen, give_back, sweep
from lookalike.store.database import connect_writing, put_setting, select_in, transaction, translated
from lookalike.store.finishing import TEMPORARY_TABLES, finish_run, newest_item
from lookalike.store.full_text import take_words
from lookalike.store.lock import release_lock, take_lock
from lookalike.store.moves import MoveJournal
from lookalike.store.records import CompactReport, KnownItem, Space
from lookalike.store.rows import create_rows, slug_of
from lookalike.store.tables import (
    BESIDE_SQL,
    failures_at,
    items_of_pictures,
    read_current_space,
    read_root,
    read_roots,
    read_space,
    read_spaces,
)
from lookalike.store.word_meanings import put_word_vectors, words_to_learn

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lookalike.core.records import Asset
    from lookalike.store.records import Failure, FinishReport, Found, ItemRecord, PutReport, Root, RowsReport


class Writer(Closing):
    """A context manager. Raises CollectionBusy when another process (or another Writer) holds the lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with translated(directory):
            self._lock = take_lock(directory)
        try:
            self._connection = connect_writing(directory)
        except BaseException:
            release_lock(directory, self._lock)
            raise
        try:
            with translated(directory):
                for statement in TEMPORARY_TABLES:
                    self._connection.execute(statement)
                self._newest_before = newest_item(self._connection)
                sweep(self._connection, directory)
        except BaseException:
            self.close()
            raise

    # -- roots -----------------------------------------------------------------------------------

    def add_root(self, path: bytes, *, is_file: bool) -> Root:
        """The root for an absolute native path: the one that covers it, or a new one, which absorbs those below it."""
        with self._publishing():
            return rooting.add_root(self._connection, path, is_file=is_file)

    def add_roots(self, places: Sequence[tuple[bytes, bool]]) -> None:
        """`add_root` for many paths, each with whether it is a file, in one commit."""
        with translated(self._directory):
            if all(rooting.is_covered(self._connection, path, is_file=is_file) for path, is_file in places):
                return
            with self._publishing():
                for path, is_file in places:
                    rooting.add_root(self._connection, path, is_file=is_file)

    def root_for(self, path: bytes) -> tuple[Root, bytes] | None:
        """The root that covers `path`, and the key of `path` below it (b"" for the root itself)."""
        with translated(self._directory):
            return rooting.covering_root(self._connection, path)

    def set_offline(self, root: int, offline: bool) -> None:  # noqa: FBT001 - the value is the point
        """Note that a root is away, or back. Its items stay."""
        with translated(self._directory):
            if read_root(self._connection, root).offline != offline:
                with self._publishing(items_stay=True):
                    self._connection.execute("UPDATE roots SET offline = ? WHERE number = ?", (offline, root))

    def remove_below(self, path: bytes) -> int:
        """Forget what lies at or below an absolute path, and the roots there; returns how many items went."""
        with self._publishing():
            return rooting.remove_below(self._connection, path)

    def prune_offline(self) -> int:
        """Forget all roots that are away; returns how many items went."""
        with self._publishing():
            away = [root.number for root in read_roots(self._connection) if root.offline]
            return sum(rooting.forget_root(self._connection, root) for root in away)

    # -- spaces ----------------------------------------------------------------------------------

    def create_space(self, encoder_id: str, encoder_name: str, dim: int) -> Space:
        """The space of an encoder, new and empty if there is none. The first of a collection is its current one."""
        spaces = read_spaces(self._connection)
        known = next((space for space in spaces if space.encoder_id == encoder_id), None)
        if known is not None:
            if known.dim != dim:
                raise ValueError(f"the space of {encoder_id} has {known.dim} dimensions, not {dim}")
            return known
        slug = slug_of(encoder_id, encoder_name)
        with self._publishing(items_stay=bool(spaces)):
            create_rows(self._directory, Space(0, encoder_id, encoder_name, dim, 0, 0, current=False, slug=slug))
            cursor = self._connection.execute(
                "INSERT INTO spaces (encoder_id, encoder_name, dim, epoch, count, slug) VALUES (?, ?, ?, 0, 0, ?)",
                (encoder_id, encoder_name, dim, slug),
            )
            number = cursor.lastrowid
            assert number is not None
            self._connection.execute("UPDATE collection SET current_space = coalesce(current_space, ?)", (number,))
            return read_space(self._connection, number)

    def switch_to(self, space: Space) -> None:
        """Make `space` the one that searches use."""
        with self._publishing():
            self._connection.execute("UPDATE collection SET current_space = ?", (space.number,))

    def drop_space(self, space: Space) -> None:
        """Forget a space with its vectors. Raises ValueError for the current one."""
        if read_space(self._connection, space.number).current:
            raise ValueError(f"the space of {space.encoder_name} is in use; switch to another one first")
        with self._publishing():
            for table, column in (
                ("vectors", "space"),
                ("segments", "space"),
                ("indexes", "space"),
                ("spaces", "number"),
            ):
                self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (space.number,))  # noqa: S608
        sweep(self._connection, self._directory)

    # -- what is known ---------------------------------------------------------------------------

    def known(self, root: int, keys: Sequence[bytes]) -> dict[bytes, KnownItem]:
        """Items at some keys of a root."""
        with translated(self._directory):
            columns = f"id, key, size, modified_ns, picture, {BESIDE_SQL}"
            sql = f"SELECT {columns} FROM items WHERE root = ? AND key IN ({{}})"  # noqa: S608 columns of ours
            offline = read_root(self._connection, root).offline
            return {
                key: KnownItem(id, key, size, modified_ns, picture, offline, beside)
                for id, key, size, modified_ns, picture, beside in select_in(self._connection, sql, (root,), keys)
            }

    def known_failures(self, root: int, keys: Sequence[bytes]) -> dict[bytes, Failure]:
        """Failures at some keys of a root."""
        with translated(self._directory):
            return failures_at(self._connection, read_root(self._connection, root), keys)

    def pictures_by_bytes(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        """Pictures by the digest of all bytes of a file that showed them."""
        with translated(self._directory):
            known = publishing.contents_by_bytes(self._connection, digests)
            return {digest: picture for digest, (_, picture) in known.items()}

    def pictures_by_pixels(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        """Pictures by the digest of their upright pixels."""
        with translated(self._directory):
            return publishing.pictures_by_pixels(self._connection, digests)

    def without_pixels(self, pictures: Sequence[int]) -> set[int]:
        """Those of `pictures` that nobody has looked at: they came with imported vectors."""
        with translated(self._directory):
            sql = "SELECT number FROM pictures WHERE pixels_digest IS NULL AND number IN ({})"
            return {number for (number,) in select_in(self._connection, sql, (), pictures)}

    def sizes_known(self, sizes: Sequence[int]) -> set[int]:
        """Those of `sizes`, in bytes, that some known content has: only such a file can be a copy."""
        with translated(self._directory):
            sql = "SELECT DISTINCT size FROM contents WHERE size IN ({})"
            return {size for (size,) in select_in(self._connection, sql, (), sizes)}

    def with_rows(self, space: Space, pictures: Sequence[int]) -> set[int]:
        """Those of `pictures` that have their vector in `space`."""
        with translated(self._directory):
            return publishing.with_rows(self._connection, space, pictures)

    def missing_rows(self, space: Space, after: int, limit: int) -> list[tuple[int, list[ItemRecord]]]:
        """Up to `limit` pictures numbered above `after` that are seen somewhere and have no vector in `space`."""
        with translated(self._directory):
            rows = self._connection.execute(
                "SELECT number FROM pictures p WHERE number > ? AND items > 0"
                " AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.picture = p.number AND v.space = ?)"
                " ORDER BY number LIMIT ?",
                (after, space.number, limit),
            )
            pictures = [number for (number,) in rows]
            items = items_of_pictures(self._connection, pictures)
            return [(picture, items[picture]) for picture in pictures]

    def rows_to_derive(self, space: Space, known: Space, after: int, limit: int) -> list[tuple[int, int]]:
        """Pictures that are seen somewhere and have no vector in `space`, but one in `known` behind the row `after`.

        Up to `limit` of them, (picture, its row in `known`), by row.
        """
        with translated(self._directory):
            return self._connection.execute(
                "SELECT v.picture, v.row FROM vectors v JOIN pictures p ON p.number = v.picture AND p.items > 0"
                " WHERE v.space = ? AND v.row > ? AND v.part = 0 AND NOT EXISTS"
                " (SELECT 1 FROM vectors o WHERE o.picture = v.picture AND o.space = ?)"
                " ORDER BY v.row LIMIT ?",
                (known.number, after, space.number, limit),
            ).fetchall()

    # -- a run -----------------------------------------------------------------------------------

    def put(self, space: Space, found: Sequence[Found], failed: Sequence[Failure] = ()) -> PutReport:
        """Publish a batch of files, and failures, at once.

        A file's picture is that of its bytes, else that of its pixels, else a new one; a row is appended only
        for a picture that has none. A known place keeps its id. Raises ValueError for a vector that is no
        direction, OutOfSpace; then nothing of the batch is in.
        """
        with self._publishing():
            report = publishing.put_found(self._connection, self._directory, space, found)
            publishing.put_failures(self._connection, failed)
            return report

    def note_failures(self, failed: Sequence[Failure]) -> None:
        """Note files that could not be taken. An item at such a place goes: it cannot be shown any more."""
        with transaction(self._connection, self._directory):
            if publishing.put_failures(self._connection, failed):
                self._next_generation()

    def put_rows(self, root: int, rows: Sequence[Asset]) -> RowsReport:
        """Settle rows of a catalogue, with different keys, as far as no file has to be read for it; in one commit."""
        with transaction(self._connection, self._directory):
            report = cataloguing.put_rows(self._connection, root, rows)
            if report.described or report.added or report.changed:
                self._next_generation()
            return report

    def set_item_metadata(self, root: int, described: Iterable[tuple[bytes, Mapping[str, Any]]]) -> int:
        """Write what places say about their pictures, by key; returns for how many items that is something else now.

        Nothing is written where nothing changed; keys without an item are passed over.
        """
        with transaction(self._connection, self._directory):
            changed = cataloguing.put_metadata(self._connection, root, described)
            if changed:
                self._next_generation()
            return len(changed)

    def put_vectors(self, space: Space, pictures: Sequence[int], vectors: Any) -> None:
        """Publish vectors (n, dim) of known pictures in a space; one that has its row keeps it."""
        with translated(self._directory):
            published = read_space(self._connection, space.number)
        with self._publishing(items_stay=not published.current):
            by_picture = dict(zip(pictures, vectors, strict=True))
            publishing.add_rows(self._connection, self._directory, published, by_picture)

    def mark_seen(self, root: int, keys: Sequence[bytes]) -> None:
        """Note that files are there. Writes nothing to the collection."""
        with translated(self._directory):
            for table, column in (("seen", "number"), ("seen_failures", "root, key")):
                source = "items" if table == "seen" else "failures"
                sql = (
                    f"INSERT OR IGNORE INTO temp.{table} SELECT {column} FROM {source}"  # noqa: S608 names of ours
                    " WHERE root = ? AND key IN ({}) RETURNING 1"
                )
                for _ in select_in(self._connection, sql, (root,), keys):
                    pass

    def finish(self, scopes: Sequence[tuple[int, bytes]], protected: Sequence[tuple[int, bytes]] = ()) -> FinishReport:
        """End a run that walked `scopes`, (root, key prefix), completely, except what is `protected`.

        Items in scope that were not seen are gone; one whose picture appeared elsewhere moves there instead.
        """
        with transaction(self._connection, self._directory):
            report = finish_run(self._connection, scopes, protected, self._newest_before)
            take_words(self._connection)
            if report.moved or report.removed:
                self._next_generation()
        self._take_words_left()
        return report

    # -- words by meaning ------------------------------------------------------------------------

    def words_to_learn(self, space: Space) -> dict[str, str]:
        """The commonest stems of the collection whose meaning is not known in `space`: stem -> a word to encode."""
        with translated(self._directory):
            return words_to_learn(self._connection, space)

    def put_word_vectors(self, space: Space, words: Sequence[str], vectors: Any) -> None:
        """Keep what stems mean to the encoder of a space: its vectors (n, dim) of words that have them."""
        with self._publishing(items_stay=True):
            put_word_vectors(self._connection, space, list(words), vectors)

    @property
    def moves(self) -> MoveJournal:
        """The journal of files that are carried away as duplicates."""
        return MoveJournal(self._connection, self._directory, self._publishing)

    # -- keeping house ---------------------------------------------------------------------------

    def make_columns(self, *, least: int | None = None, stop: threading.Event | None = None) -> bool:
        """Write what is known about items as columns, unless those there are still right.

        The first time and after large changes all items are read, else those that changed (`column_merging.py`).

        Returns whether there are columns now. There are none below `least` items (LEAST_ITEMS: there SQL is as fast),
        none when `stop` was set, and none on a full disk; the collection is whole without them.
        """
        stopping = (lambda: False) if stop is None else stop.is_set
        least = LEAST_ITEMS if least is None else least
        with suppress(OutOfSpace), translated(self._directory):
            space = read_current_space(self._connection)
            return space is not None and make_columns(self._connection, self._directory, space, least, stopping)
        return False

    def compact(self) -> CompactReport:
        """Drop pictures that are seen nowhere, with their rows, and return the space to the disk."""
        before = bytes_below(self._directory)
        pictures, rows = drop_unseen(self._connection, self._directory)
        with translated(self._directory):
            give_back(self._connection, self._directory)
        self.make_columns()
        return CompactReport(pictures=pictures, rows=rows, bytes=max(before - bytes_below(self._directory), 0))

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a JSON value under a name."""
        with transaction(self._connection, self._directory):
            put_setting(self._connection, name, value)

    def close(self) -> None:
        """Let the next writer in."""
        self._connection.close()
        release_lock(self._directory, self._lock)

    @contextmanager
    def _publishing(self, *, items_stay: bool = False) -> Iterator[None]:
        """A transaction that changes what searches answer; `items_stay` when no item nor its row in use changes."""
        with transaction(self._connection, self._directory):
            yield
            take_words(self._connection)
            self._next_generation()
            if items_stay:
                carry_columns(self._connection)

    def _take_words_left(self) -> None:
        """Words of items that nobody changed: of an earlier format, or since other fields are read for words."""
        with translated(self._directory):
            while self._connection.execute("SELECT 1 FROM wordless LIMIT 1").fetchone():
                with self._publishing(items_stay=True):
                    pass

    def _next_generation(self) -> None:
        self._connection.execute("UPDATE collection SET generation = generation + 1")


def bytes_below(directory: Path) -> int:
    """Bytes of all files in a folder and below it; files that vanish meanwhile count as nothing."""
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(place, name)).st_size
    return total
