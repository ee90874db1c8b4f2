"""A picture that was sent, as a source of one file. Decoding processes load this module, so it imports nothing heavy:
what they load counts against the limit of time that their first picture has.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from lookalike.core.records import Asset

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A source of one file that is in memory."""

    data: bytes

    @property
    def asset(self) -> Asset:
        return Asset(b"picture", "picture", len(self.data), 0)

    def assets(self) -> Iterator[Asset]:
        yield self.asset

    def open(self, asset: Asset) -> BinaryIO:  # noqa: ARG002 - there is one
        return io.BytesIO(self.data)

    def stamp(self, asset: Asset) -> tuple[int, int]:
        return asset.size, asset.modified_ns
