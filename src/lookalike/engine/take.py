"""Taking files: encode pictures never seen before, reuse the vectors of known ones, publish in batches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lookalike.engine.pace import Pace
from lookalike.store.collection_store import Found

if TYPE_CHECKING:
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Picture
    from lookalike.engine.shard_files import Encoded
    from lookalike.engine.spool import Pending
    from lookalike.store.collection_store import Space, Writer

PUBLISH_EVERY = 256
"""Files in one commit: what a crash may cost, and what memory holds."""
PUBLISH_EVERY_S = 2.0
"""Longest time between two commits while files come in: what is taken can be searched soon."""


class Taker:
    """Collects what was read, encodes it in calls of a measured size and publishes batches.

    `taken`, `added`, `changed`, `encoded` and `reused` count files; `publish` must be called at the end.
    `refused`: files of whose pictures the encoder makes no vector; whoever reads them empties it.
    """

    def __init__(self, writer: Writer, encoder: Encoder, space: Space) -> None:
        self._writer = writer
        self._encoder = encoder
        self._space = space
        self._pace = Pace()
        self._decoded: list[tuple[Pending, Picture]] = []
        self._found: list[Found] = []
        self._fresh: set[bytes] = set()
        self._published_at = time.monotonic()
        self.refused: list[Pending] = []
        self.added = self.changed = self.encoded = self.reused = self.taken = 0

    def take_known(self, pending: Pending, bytes_digest: bytes) -> bool:
        """Take a file by the digest of its bytes when that picture has a vector already; False when it has none."""
        picture = self._writer.pictures_by_bytes([bytes_digest]).get(bytes_digest)
        if picture is None or picture not in self._writer.with_rows(self._space, [picture]):
            return False
        self._found.append(found_of(pending, bytes_digest))
        if picture == pending.picture:  # touched, not changed: its new time is noted, nothing else
            self.taken += 1
        else:
            self._count_taken(pending)
            self.reused += 1
        self._publish_in_time()
        return True

    def take(self, pending: Pending, picture: Picture) -> None:
        """Take a decoded picture; encodes and publishes when enough have come together."""
        self._decoded.append((pending, picture))
        if len(self._decoded) >= self._pace.size:
            self._settle()
        self._publish_in_time()

    def publish(self) -> None:
        """Encode what waits and commit everything taken so far."""
        self._settle()
        if self._found:
            self._writer.put(self._space, self._found)
        self._found, self._fresh = [], set()
        self._published_at = time.monotonic()

    def _publish_in_time(self) -> None:
        late = time.monotonic() - self._published_at > PUBLISH_EVERY_S
        if late or len(self._found) >= PUBLISH_EVERY:
            self.publish()

    def _settle(self) -> None:
        """Give each decoded picture its vector: one that is there, or a new one."""
        decoded, self._decoded = self._decoded, []
        known = self._fresh | self._with_vectors([picture for _, picture in decoded])
        unseen: list[tuple[Pending, Picture]] = []
        others: list[tuple[Pending, Picture]] = []  # also twins of one that is unseen: they take its vector
        for pending, picture in decoded:
            (others if picture.pixels_digest in known else unseen).append((pending, picture))
            known.add(picture.pixels_digest)
        without = self._take_unseen(unseen) if unseen else set()
        for pending, picture in others:
            if picture.pixels_digest in without:
                self.refused.append(pending)
            else:
                self._count_taken(pending)
                self.reused += 1
                self._found.append(found_of(pending, picture.bytes_digest, picture))

    def _take_unseen(self, unseen: list[tuple[Pending, Picture]]) -> set[bytes]:
        """Encode pictures that differ from each other; the pixel digests of those that got no vector."""
        without = set()
        vectors = self._pace.encode(self._encoder, [picture for _, picture in unseen])
        for (pending, picture), vector in zip(unseen, vectors, strict=True):
            if vector is None:
                without.add(picture.pixels_digest)
                self.refused.append(pending)
            else:
                self._count_taken(pending)
                self.encoded += 1
                self._found.append(found_of(pending, picture.bytes_digest, picture, vector))
                self._fresh.add(picture.pixels_digest)
        return without

    def _with_vectors(self, pictures: list[Picture]) -> set[bytes]:
        """The pixel digests of those whose picture, known by its bytes or its pixels, has a vector already."""
        by_bytes = self._writer.pictures_by_bytes([picture.bytes_digest for picture in pictures])
        by_pixels = self._writer.pictures_by_pixels([picture.pixels_digest for picture in pictures])
        number = {
            picture.pixels_digest: by_bytes.get(picture.bytes_digest, by_pixels.get(picture.pixels_digest))
            for picture in pictures
        }
        rows = self._writer.with_rows(self._space, [each for each in number.values() if each is not None])
        return {pixels for pixels, each in number.items() if each in rows}

    def _count_taken(self, pending: Pending) -> None:
        self.taken += 1
        if pending.picture is None:
            self.added += 1
        else:
            self.changed += 1


def found_of(
    pending: Pending, bytes_digest: bytes, picture: Picture | Encoded | None = None, vector: Any = None
) -> Found:
    """A file as the store takes it: with its decoded picture and its vector, as far as there are."""
    asset = pending.asset
    return Found(
        root=pending.root,
        key=asset.key,
        uri=asset.uri,
        size=asset.size,
        modified_ns=asset.modified_ns,
        bytes_digest=bytes_digest,
        pixels_digest=picture.pixels_digest if picture else None,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        format=picture.format if picture else "",
        metadata=asset.metadata,
        vector=vector,
        picture_metadata=picture.metadata if picture else {},
        id=pending.id,
        fingerprint=picture.fingerprint if picture else None,
    )
