"""Taking files: encode pictures never seen before, reuse the vectors of known ones, publish in batches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lookalike.store.collection_store import Found

if TYPE_CHECKING:
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Picture
    from lookalike.engine.spool import Pending
    from lookalike.store.collection_store import Space, Writer

ENCODE_CALL_S = 0.5
"""Wanted length of one call of the encoder: short enough that Ctrl-C is answered within two seconds."""
ENCODE_AT_MOST = 32
"""Pictures in one call of the encoder; beyond this a CPU gains nothing and memory grows."""
PUBLISH_EVERY = 256
PUBLISH_EVERY_S = 2.0


class Taker:
    """Collects what was read, encodes it in calls of a measured size and publishes batches.

    `taken`, `added`, `changed`, `encoded` and `reused` count files; `publish` must be called at the end.
    """

    def __init__(self, writer: Writer, encoder: Encoder, space: Space) -> None:
        self._writer = writer
        self._encoder = encoder
        self._space = space
        self._call_size = 4
        self._unencoded: list[tuple[Pending, Picture]] = []
        self._found: list[Found] = []
        self._fresh: set[bytes] = set()
        self._published_at = time.monotonic()
        self.added = self.changed = self.encoded = self.reused = self.taken = 0

    def take_known(self, pending: Pending, bytes_digest: bytes) -> bool:
        """Take a file by the digest of its bytes when that picture has a vector already; False when it has none."""
        picture = self._writer.pictures_by_bytes([bytes_digest]).get(bytes_digest)
        if picture is None or picture not in self._writer.with_rows(self._space, [picture]):
            return False
        self._found.append(_found(pending, bytes_digest))
        self.taken += 1
        if picture == pending.picture:
            return True  # touched, not changed: its new time is noted, nothing else
        self.reused += 1
        self._count(pending)
        return True

    def take(self, pending: Pending, picture: Picture) -> None:
        """Take a decoded picture; encodes and publishes when enough have come together."""
        self.taken += 1
        self._count(pending)
        if self._is_known(picture):
            self.reused += 1
            self._found.append(_found(pending, picture.bytes_digest, picture))
        else:
            self._fresh.add(picture.pixels_digest)
            self._unencoded.append((pending, picture))
        if len(self._unencoded) >= self._call_size:
            self._encode()
        late = time.monotonic() - self._published_at > PUBLISH_EVERY_S
        if late or len(self._found) >= PUBLISH_EVERY:
            self.publish()

    def publish(self) -> None:
        """Encode what waits and commit everything taken so far."""
        if self._unencoded:
            self._encode()
        if self._found:
            self._writer.put(self._space, self._found)
        self._found, self._fresh = [], set()
        self._published_at = time.monotonic()

    def _encode(self) -> None:
        started = time.monotonic()
        vectors = self._encoder.encode_images([picture.pixels for _, picture in self._unencoded])
        took = time.monotonic() - started
        for (pending, picture), vector in zip(self._unencoded, vectors, strict=True):
            self._found.append(_found(pending, picture.bytes_digest, picture, vector))
        self.encoded += len(self._unencoded)
        fitting = int(len(self._unencoded) * ENCODE_CALL_S / max(took, 1e-6))
        self._call_size = max(1, min(fitting, 2 * self._call_size, ENCODE_AT_MOST))
        self._unencoded = []

    def _is_known(self, picture: Picture) -> bool:
        if picture.pixels_digest in self._fresh:
            return True  # its twin waits in this very batch, ahead of it
        by_bytes = self._writer.pictures_by_bytes([picture.bytes_digest])
        known = set(by_bytes.values()) or set(self._writer.pictures_by_pixels([picture.pixels_digest]).values())
        return bool(known and self._writer.with_rows(self._space, list(known)))

    def _count(self, pending: Pending) -> None:
        if pending.picture is None:
            self.added += 1
        else:
            self.changed += 1


def _found(pending: Pending, bytes_digest: bytes, picture: Picture | None = None, vector: Any = None) -> Found:
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
    )
