"""Vectors in, without encoding: files -> where each picture lies -> store. Read `import_vectors` from top to bottom.

A picture on this computer becomes an item below a root, as if it had been indexed: a later run of `index` finds it
unchanged, moved or gone. An export of ours says size, time and digests of each file as it was when it was encoded; of
other vectors the file is taken to be the one that is there now. What lies nowhere here, such as a picture on the web,
becomes an item of a root of the import's own, which is never walked.

Blocks are published one after another, each whole or not at all. Places that are known already are left as they are,
so an import that was cut short goes on when it is called again.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderMismatch
from lookalike.core.records import Skipped
from lookalike.engine.exchange import IMPORTED
from lookalike.engine.folders import picture_folders
from lookalike.engine.look import note_what_is_away
from lookalike.engine.nameless import is_nameless
from lookalike.engine.reports import ImportReport, Progress
from lookalike.engine.vector_files import open_vectors
from lookalike.store.collection_store import Found

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.protocols import Encoder
    from lookalike.engine.exchange import Described
    from lookalike.engine.reports import ImportEvent
    from lookalike.engine.vector_files import Block, VectorFiles
    from lookalike.store.collection_store import Space, Store, Writer

_ID = re.compile(r"[0-9a-f]{16}")
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class VectorsBy:
    """The encoder that made vectors. `dim` None where it is not known."""

    encoder_id: str
    encoder_name: str
    dim: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a picture is seen. `key` below the root `root`; `size` and `modified_ns` of the file, 0 without one."""

    root: int
    key: bytes
    uri: bytes
    size: int = 0
    modified_ns: int = 0


def import_vectors(
    store: Store,
    folder: Path,
    *,
    by: VectorsBy | None = None,
    pictures: bytes | None = None,
    stop: threading.Event | None = None,
) -> Iterator[ImportEvent]:
    """Take all vectors in `folder` into the collection; yields Progress and Skipped, at last an ImportReport.

    `by`: whose vectors they are, where the user says so; an export of ours says it itself. `pictures`: where relative
    paths begin, absolute; None for `folder`. Raises SourceError for files that do not fit together, EncoderMismatch for
    vectors of another encoder than the collection's, CollectionBusy, OutOfSpace, MissingExtra.
    """
    started = time.monotonic()
    files = open_vectors(folder)
    digest = files.digest()
    maker = _maker(files, by, digest)
    skipped: list[Skipped] = []
    added = done = 0
    with store.writer() as writer:
        refuse_other(store, maker, files.dim)
        space = writer.create_space(maker.encoder_id, maker.encoder_name, files.dim)
        where = _Whereabouts(writer, pictures or os.fsencode(folder), digest)
        where.settle(files)
        intake = _Intake(writer, space, where, ours=files.note is not None)
        interrupted = stop is not None and stop.is_set()
        for block in files.blocks() if not interrupted else ():
            new, without = intake.take(block, done)
            added, done = added + new, done + len(block.places)
            skipped += without
            yield from without
            yield Progress("take", done, files.count, 0, len(skipped), time.monotonic() - started)
            if interrupted := stop is not None and stop.is_set():
                break
        note_what_is_away(store, writer)
    yield ImportReport(
        layout=files.layout,
        encoder=maker.encoder_name,
        added=added,
        known=done - added - len(skipped),
        skipped=tuple(skipped),
        folders=tuple(os.fsdecode(path) for path in sorted(where.folders)),
        seconds=time.monotonic() - started,
        interrupted=interrupted,
    )


def vectors_by(store: Store, encoder: str | Encoder, load: Callable[[str | Encoder], Encoder]) -> VectorsBy:
    """Whose vectors the user says they are. The encoder whose id the collection has need not be on this computer."""
    space = store.current_space()
    if space is not None and encoder == space.encoder_id:
        return VectorsBy(space.encoder_id, space.encoder_name, space.dim)
    loaded = load(encoder)
    return VectorsBy(loaded.id, loaded.name, loaded.dim)


def _maker(files: VectorFiles, by: VectorsBy | None, digest: str) -> VectorsBy:
    """Whose vectors these are: as their note says, as the user says, or nobody's known."""
    note = files.note
    if note is None:
        return by or VectorsBy(f"{IMPORTED}:{digest}", IMPORTED)
    if by is not None and by.encoder_id != note.encoder_id:
        raise EncoderMismatch(
            f"these vectors were made by {note.encoder_id}, not by {by.encoder_id}",
            hint="leave --encoder out; the export itself says whose vectors it holds",
        )
    return VectorsBy(note.encoder_id, note.encoder_name, note.dim)


def refuse_other(store: Store, maker: VectorsBy, dim: int) -> None:
    """Raise EncoderMismatch for vectors that cannot be compared with those of the collection or of their encoder."""
    if maker.dim not in {None, dim}:
        raise EncoderMismatch(
            f"the vectors have {dim} components, those of {maker.encoder_name} have {maker.dim}",
            hint="name the encoder that made them, or leave --encoder out",
        )
    space = store.current_space()
    if space is None or (space.encoder_id, space.dim) == (maker.encoder_id, dim):
        return
    name = space.encoder_id if is_nameless(space.encoder_id) else space.encoder_name
    raise EncoderMismatch(
        f"the collection {store.path} holds vectors of {space.encoder_id} ({space.dim} components), "
        f"these are of {maker.encoder_id} ({dim})",
        hint="give them a collection of their own: --collection DIR; "
        f"or, if the same encoder made them, say so: --encoder {name}",
    )


class _Whereabouts:
    """Finds the place of each address: below a root on this computer, or in the import's own root."""

    def __init__(self, writer: Writer, start: bytes, digest: str) -> None:
        self._writer = writer
        self._start = start
        self._own_path = f"{IMPORTED}:{digest}".encode()
        self._own: int | None = None
        self._above: dict[bytes, tuple[int, bytes] | None] = {}
        self.folders: set[bytes] = set()

    def settle(self, files: VectorFiles) -> None:
        """Make roots for the folders the addresses lie in: those of an export's note, else the ones they share."""
        said = () if files.note is None else files.note.roots
        self._writer.add_roots([(os.fsencode(path), is_file) for path, is_file in said if os.path.isabs(path)])
        paths = (self._on_disk(address) for address in files.addresses())
        holding = {os.path.dirname(path) for path in paths if path is not None}
        uncovered = {folder for folder in holding if self._writer.root_for(folder) is None}
        self._writer.add_roots([(folder, False) for folder in picture_folders(uncovered)])

    def places(self, block: Block, first: int) -> list[_Place]:
        """The place of each vector of a block that begins at position `first` of the import."""
        paths = [None if each.address is None else self._on_disk(each.address) for each in block.places]
        alone = [path for path in paths if path is not None and self._covered(path) is None]
        if alone:
            self._writer.add_roots([(path, True) for path in alone])
        return [
            self._elsewhere(block, row, first + row) if path is None else self._here(path, each)
            for row, (path, each) in enumerate(zip(paths, block.places, strict=True))
        ]

    def _here(self, path: bytes, described: Described) -> _Place:
        covered = self._covered(path)
        assert covered is not None, "every path has its root by now"
        if described.size is not None and described.modified_ns is not None:
            return _Place(*covered, path, described.size, described.modified_ns)
        try:
            there = os.stat(path)
        except OSError:
            return _Place(*covered, path)
        return _Place(*covered, path, there.st_size, there.st_mtime_ns)

    def _elsewhere(self, block: Block, row: int, position: int) -> _Place:
        """By its position in the import: two vectors of one address stay two."""
        if self._own is None:
            self._own = self._writer.add_root(self._own_path, is_file=False).number
        described = block.places[row]
        known = os.fsencode(described.url) if described.url else described.address
        uri = known or os.fsencode(f"{block.file.name}#{block.first + row}")
        return _Place(self._own, b"%012d" % position, uri, described.size or 0, described.modified_ns or 0)

    def _on_disk(self, address: bytes) -> bytes | None:
        """The absolute path that an address means; None when it is relative and nothing is there, or no path at all."""
        if not address or b"\0" in address:
            return None
        if os.path.isabs(address):
            return os.path.normpath(address)
        path = os.path.normpath(os.path.join(self._start, address))
        return path if os.path.lexists(path) else None

    def _covered(self, path: bytes) -> tuple[int, bytes] | None:
        """The number of the root that holds a path, and its key; a folder is asked about once."""
        folder, name = os.path.split(path)
        if folder not in self._above:
            covered = self._writer.root_for(folder)
            self._above[folder] = None if covered is None else (covered[0].number, covered[1])
            if covered is not None:
                self.folders.add(covered[0].path)
        above = self._above[folder]
        if above is not None:
            return above[0], above[1] + b"/" + name if above[1] else name
        itself = self._writer.root_for(path)
        return None if itself is None else (itself[0].number, itself[1])


class _Intake:
    """Publishes blocks. `ours`: they come from an export of ours, so the vectors are rows as they were stored."""

    def __init__(self, writer: Writer, space: Space, where: _Whereabouts, *, ours: bool) -> None:
        self._writer = writer
        self._space = space
        self._where = where
        self._ours = ours

    def take(self, block: Block, first: int) -> tuple[int, list[Skipped]]:
        """Publish what is new of a block; returns how many places were, and the vectors without a direction."""
        vectors, sound = prepared(block.vectors, ours=self._ours)
        places = self._where.places(block, first)
        known = self._known(places)
        found: list[Found] = []
        skipped: list[Skipped] = []
        for row, place in enumerate(places):
            if not sound[row]:
                skipped.append(_without_direction(block, row, place))
            elif (place.root, place.key) not in known:
                known.add((place.root, place.key))
                found.append(self._found(place, block.places[row], vectors[row]))
        return self._writer.put(self._space, found).added if found else 0, skipped

    def _known(self, places: Sequence[_Place]) -> set[tuple[int, bytes]]:
        keys: dict[int, list[bytes]] = {}
        for place in places:
            keys.setdefault(place.root, []).append(place.key)
        return {(root, key) for root, some in keys.items() for key in self._writer.known(root, some)}

    def _found(self, place: _Place, described: Described, vector: Any) -> Found:
        metadata = dict(described.metadata)
        if described.address not in {None, place.uri} and not os.path.isabs(place.uri):
            metadata["image_path"] = os.fsdecode(described.address or b"")
        return Found(
            root=place.root,
            key=place.key,
            uri=os.fsdecode(place.uri),
            size=place.size,
            modified_ns=place.modified_ns,
            bytes_digest=described.bytes_digest or stand_in(self._space.encoder_id, place.uri, vector),
            pixels_digest=described.pixels_digest,
            width=described.width,
            height=described.height,
            format=described.format,
            metadata=metadata,
            vector=vector,
            id=described.id if described.id and _ID.fullmatch(described.id) else None,
        )


def stand_in(encoder_id: str, uri: bytes, vector: NDArray[np.floating]) -> bytes:
    """In place of the digest of bytes that nobody read: one of place and vector, which no file has."""
    parts = (b"imported", encoder_id.encode(), uri, vector.tobytes())
    return hashlib.blake2b(b"\0".join(parts), digest_size=_DIGEST_BYTES).digest()


def prepared(vectors: NDArray[np.floating], *, ours: bool) -> tuple[NDArray[np.floating], list[bool]]:
    """Vectors as the store takes them, and whether each has a direction. What was float16 in a store stays so."""
    import numpy as np

    kind: type[np.floating] = np.float16 if ours or vectors.dtype == np.float16 else np.float32
    with np.errstate(over="ignore"):  # too large for the type becomes infinite, and is skipped
        narrow: NDArray[np.floating] = vectors.astype(kind)
    wide = narrow.astype(np.float64)
    lengths = np.einsum("ij,ij->i", wide, wide)
    sound: list[bool] = (np.isfinite(lengths) & (lengths > 0)).tolist()
    return narrow, sound


def _without_direction(block: Block, row: int, place: _Place) -> Skipped:
    import numpy as np

    finite = np.isfinite(block.vectors[row]).all()
    why = "all its numbers are zero" if finite else "one of its numbers is not finite"
    uri = os.fsdecode(place.uri)
    return Skipped(uri, f"its vector has no direction: {why} ({block.file.name}, row {block.first + row})", "direction")
