"""Small pictures for pages: made once, kept in the collection's folder `thumbnails`, which may be deleted at any time.

A thumbnail is named by what it was made of (the item's place, size and time of change), so a changed file gets a new
one and an old address never shows a new picture. Where the collection cannot be written they are made anew each time.
"""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from lookalike.core.errors import CannotDecode, SourceError
from lookalike.core.records import DecodeLimits
from lookalike.core.wording import Wording
from lookalike.service.decoding import ANOTHER_TIME
from lookalike.service.problems import Problem, in_short

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.engine.any_collection import AnyCollection
    from lookalike.service.decoding import Decoding
    from lookalike.store.collection_store import ItemRecord

SIDES = (160, 320, 640, 1280)
"""Longest sides in pixels; what is asked for is rounded up to one of them."""
MEDIA_TYPE = "image/webp"
_QUALITY = 80
_METHOD = 2  # of WebP's encoder: a third of the time of its default, files a few per cent larger
_LIMITS = DecodeLimits(max_bytes=500_000_000)


def side_for(asked: int) -> int:
    """The side that is served where `asked` pixels are needed."""
    return next((side for side in SIDES if side >= asked), SIDES[-1])


def name_of(item: ItemRecord, side: int) -> str:
    """What tells one thumbnail from another: also its ETag."""
    state = f"{item.root}\0{item.size}\0{item.modified_ns}\0{side}\0".encode() + item.key
    return hashlib.blake2b(state, digest_size=16).hexdigest()


def kept(collection: AnyCollection, item: ItemRecord, side: int) -> bytes | None:
    """The thumbnail that was made before; None where there is none."""
    place = _place(collection, item, side)
    with suppress(OSError):
        return None if place is None else place.read_bytes()
    return None


def made(collection: AnyCollection, item: ItemRecord, side: int, decoding: Decoding) -> bytes:
    """The item's picture as WebP, upright, its longest side `side` at most; it is kept. Call it in a decoding lane.

    Raises Problem where the file is away or cannot be decoded any more, CannotDecode where it may be another time.
    """
    try:
        _, stream = collection.open_item(item.id)
        with stream:
            small_one = small(stream.read(), side, _LIMITS, decoding)
    except (OSError, SourceError, CannotDecode) as error:
        if isinstance(error, CannotDecode) and error.code in ANOTHER_TIME:
            raise
        raise Problem(404, "file-away", Wording("file_not_shown", item=item.id, why=in_short(error))) from error
    place = _place(collection, item, side)
    with suppress(OSError):
        if place is not None:
            _keep(place, small_one)
    return small_one


def small(data: bytes, side: int, limits: DecodeLimits, decoding: Decoding) -> bytes:
    """A picture as WebP, upright, its longest side `side` at most. Raises CannotDecode."""
    from PIL import Image

    picture = decoding.decode(data, side, limits)
    image = Image.fromarray(picture.pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=_QUALITY, method=_METHOD)
    return stream.getvalue()


def _place(collection: AnyCollection, item: ItemRecord, side: int) -> Path | None:
    """None where nothing can be kept."""
    name, folder = name_of(item, side), collection.thumbnails
    return None if folder is None else folder / name[:2] / f"{name}.webp"


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    partial.write_bytes(data)
    os.replace(partial, path)
