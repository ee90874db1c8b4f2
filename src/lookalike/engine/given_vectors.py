"""Vectors that somebody made of a catalogue's pictures: which belongs to which, and how they get in without encoding.

Where the file of vectors names them, a name is an id of the catalogue, or a picture's path or file name: whichever of
these most names are; one name for two pictures, or for two vectors, is an error. Else the order counts, and there must
be as many vectors as the catalogue has rows (each is then that of its row's first picture) or names pictures.

No picture is read: as with `importing`, the file that is there is taken to be the one the vector was made of. A picture
without a vector, and a vector without direction, are `Skipped`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.core.errors import SourceError
from lookalike.core.records import Skipped
from lookalike.engine.embedding_files import read_embeddings
from lookalike.engine.exchange import IMPORTED
from lookalike.engine.importing import VectorsBy, prepared, refuse_other, stand_in, vectors_by
from lookalike.engine.paths import absolute
from lookalike.engine.sources import root_address
from lookalike.engine.take import found_of
from lookalike.store.records import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Asset
    from lookalike.engine.embedding_files import EmbeddingFile
    from lookalike.engine.paths import PathLike
    from lookalike.engine.spool import Pending
    from lookalike.images.catalogue import CatalogueSource
    from lookalike.store.collection_store import Found, Space, Store, Writer

TAKEN_AT_ONCE = 4096
"""Vectors in one commit."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """A file of vectors as a user names it. `names_in`: the column of a table that says what each is called.

    `encoder`: the one that made them, or the id of one that nobody knows; None where nobody says it.
    """

    path: PathLike
    names_in: str | None = None
    encoder: str | Encoder | None = None


@dataclass(frozen=True, slots=True)
class GivenVectors:
    """Vectors for the pictures of a catalogue, and the encoder that made them."""

    file: EmbeddingFile
    by: VectorsBy

    def space(self, store: Store, writer: Writer) -> Space:
        """Where they go. Raises EncoderMismatch for a collection of other vectors."""
        dim = self.file.vectors.shape[1]
        refuse_other(store, self.by, dim)
        return writer.create_space(self.by.encoder_id, self.by.encoder_name, dim)


def given_for(
    paths: Sequence[PathLike], asked: Embeddings, store: Store, load: Callable[[str | Encoder], Encoder]
) -> GivenVectors:
    """Read the vectors for the pictures of `paths`. Raises SourceError unless that is one catalogue, MissingExtra."""
    places = [root_address(absolute(path)) for path in paths]
    if len(places) != 1 or not places[0].startswith(CATALOGUE):
        raise SourceError(
            "embeddings are taken in beside one catalogue (.csv, .tsv, .jsonl, .parquet)",
            hint="lookalike index shop.csv --embeddings vectors.npy; without a catalogue: lookalike import-vectors DIR",
        )
    file = read_embeddings(Path(os.fsdecode(absolute(asked.path))), asked.names_in)
    if asked.encoder is not None:
        return GivenVectors(file, vectors_by(store, asked.encoder, load))
    return GivenVectors(file, VectorsBy(f"{IMPORTED}:{file.digest()}", IMPORTED))


@dataclass(frozen=True, slots=True)
class Matched:
    """Row of the vector of each entry, by its key; `unused`: vectors without an entry, such as the one called so."""

    row_of: Mapping[bytes, int]
    unused: int = 0
    such_as: str = ""


def match(file: EmbeddingFile, source: CatalogueSource) -> Matched:
    """Which vector is whose; reads the table once or twice. Raises SourceError where they do not fit together."""
    if file.names is None:
        return Matched(_by_order(file, source))
    row_by_name = _row_by_name(file)
    ways = _ways_to_call(source)
    meant: dict[str, dict[str, str]] = {way: {} for way in ways}
    twice: dict[str, tuple[str, str, str]] = {}
    example = ""
    for entry in _entries(source):
        example = example or ways["id"](entry)
        for way, called in ways.items():
            name = called(entry)
            if name in row_by_name and meant[way].setdefault(name, entry.uri) != entry.uri:
                twice.setdefault(way, (name, meant[way][name], entry.uri))
    best = max(meant, key=lambda way: len(meant[way]))
    if not meant[best]:
        raise SourceError(
            f"none of the {len(file.names):,} names in {file.path}, such as {file.names[0]}, is an id or a picture of "
            f"{source.shown}, such as {example or 'none'}",
            hint="say which column says it: --id-column NAME of the catalogue, --embeddings-key NAME of the vectors",
        )
    if best in twice:
        name, one, other = twice[best]
        raise SourceError(
            f"{file.path} names its vectors by {best}, and {name} is both {one} and {other}",
            hint="name them by id or by path, so that each name is one picture's",
        )
    called = ways[best]
    row_of = {
        entry.key: row_by_name[name]
        for entry in _entries(source)
        if entry.key is not None and (name := called(entry)) in row_by_name
    }
    unused = [name for name in file.names if name not in meant[best]]
    return Matched(row_of, len(unused), unused[0] if unused else "")


def _row_by_name(file: EmbeddingFile) -> dict[str, int]:
    """The row of each name. Raises SourceError where one name has two vectors that differ."""
    rows: dict[str, int] = {}
    for row, name in enumerate(file.names or ()):
        first = rows.setdefault(name, row)
        if first != row and file.vectors[first].tobytes() != file.vectors[row].tobytes():
            raise SourceError(
                f"{file.path} holds different vectors called {name or 'nothing'}: those of rows {first} and {row}",
                hint="give each picture one vector, and each vector a name of its own",
            )
    return rows


class GivenTaker:
    """Takes pictures with the vectors they were given; `taken`, `added`, `changed` count, as in `take.Taker`."""

    encoded = reused = 0

    def __init__(self, writer: Writer, space: Space, given: GivenVectors, matched: Matched) -> None:
        self._writer = writer
        self._space = space
        self._file = given.file
        self._row_of = matched.row_of
        self.taken = self.added = self.changed = 0

    def take(self, batch: Sequence[Pending]) -> Iterator[tuple[Pending, Skipped]]:
        """Publish those of a batch that have a vector; yields the others, with the reason."""
        found: list[Found] = []
        with_vector = []
        for pending in batch:
            row = self._row_of.get(pending.asset.key)
            if row is None:
                yield (
                    pending,
                    _skipped(pending.asset, f"there is no vector for it in {self._file.path.name}", "no-vector"),
                )
            else:
                with_vector.append((pending, row))
        vectors, sound = prepared(self._file.vectors[[row for _, row in with_vector]], ours=False)
        for (pending, row), vector, is_sound in zip(with_vector, vectors, sound, strict=True):
            if not is_sound:
                why = f"its vector (row {row} of {self._file.path.name}) is all zeros, or not finite"
                yield pending, _skipped(pending.asset, why, "direction")
                continue
            digest = stand_in(self._space.encoder_id, os.fsencode(pending.asset.uri), vector)
            found.append(found_of(pending, digest, vector=vector))
            self.added += pending.picture is None
            self.changed += pending.picture is not None
        if found:
            self._writer.put(self._space, found)
        self.taken += len(found)


def _by_order(file: EmbeddingFile, source: CatalogueSource) -> dict[bytes, int]:
    rows, pictures = 0, 0
    by_row: dict[bytes, int] = {}
    by_picture: dict[bytes, int] = {}
    for position, entry in source.numbered():
        if entry.key:
            by_picture[entry.key] = pictures
            pictures += 1
            if position == rows:
                by_row[entry.key] = position
        rows = position + 1
    if len(file.vectors) == rows:
        return by_row
    if len(file.vectors) == pictures:
        return by_picture
    told = f"{rows:,} rows" if rows == pictures else f"{rows:,} rows, which name {pictures:,} pictures"
    raise SourceError(
        f"{file.path} holds {len(file.vectors):,} vectors, {source.shown} has {told}",
        hint="where there are not as many, the vectors need names: a dict id -> vector, or a table with "
        "--embeddings-key COLUMN",
    )


def _entries(source: CatalogueSource) -> Iterator[Asset | Skipped]:
    """The entries that name a picture, also one that is not there."""
    return (entry for _, entry in source.numbered() if entry.key)


def _ways_to_call(source: CatalogueSource) -> dict[str, Callable[[Asset | Skipped], str]]:
    """What the name of a vector may be, of an entry; the first way wins a draw."""
    folder = os.path.join(os.path.dirname(source.shown), "")
    return {
        "id": lambda entry: (entry.key or b"").decode(),
        "path": lambda entry: entry.uri,
        "path from the table": lambda entry: entry.uri.removeprefix(folder),
        "file name": lambda entry: os.path.basename(entry.uri),
        "file name without its ending": lambda entry: os.path.splitext(os.path.basename(entry.uri))[0],
    }


def _skipped(asset: Asset, reason: str, code: str) -> Skipped:
    return Skipped(asset.uri, reason, code, asset.key, size=asset.size, modified_ns=asset.modified_ns)
