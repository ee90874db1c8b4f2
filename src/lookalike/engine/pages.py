"""Answers page by page: a cursor that a caller hands back, and the page behind it.

    page(ask, size, query=digest, cursor=None) -> Page(hits, next, changed)
    Cursor.encode() -> str, Cursor.decode(text, query=digest)

A cursor is opaque text: of which query it is, which generation of the collection it saw, how many hits were shown,
and short digests of their ids. The next page is what comes first in the order of now and was not shown. So, whatever
the order is (scores, a field, variety) and whichever way the planner takes for a longer list:

- While the collection stays as it is, pages are the list cut into pieces; with variety, and where words are fused with
  meaning, a longer list may stand in another order, and what was not shown before comes next.
- When it changed meanwhile, no item is shown twice, and what came in before the place where we are is shown next
  instead of being lost; what left is gone. `Page.changed` says so, once.
- A cursor names the last `REMEMBERED` items. Those before are taken to stand where they stood: only there, and only
  when the collection changed, can an item come twice or be passed over, about as many as came or left.
- An item that shows a picture in place of its copies is known by its own id: when it leaves, a copy may come later.

A cursor is not secret and not signed: who forges one gets another page of the same answers. One of another query, or
damaged, is a QueryError. Positions like these are Elasticsearch's `from`, ids like these Stripe's `starting_after`;
`search_after` needs an order that is a value, which a varied or fused list has not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import QueryError
from lookalike.core.records import PictureAt
from lookalike.core.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.core.records import Hit, Query, Results

REMEMBERED = 500
"""Shown items that a cursor names: 8 characters each, so that it fits into an address (4 kB)."""
_ID_BYTES = 6
_DIGEST_BYTES = 8
_SUM_BYTES = 4
_VERSION = 1
_HEAD = struct.Struct(f">B{_DIGEST_BYTES}sQI")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the answers of the query with the digest `query`: behind `position` hits, the last of them `shown`."""

    query: bytes
    generation: int
    position: int
    shown: tuple[bytes, ...] = ()

    def encode(self) -> str:
        """The cursor as text for addresses and JSON: letters, digits, - and _."""
        data = _HEAD.pack(_VERSION, self.query, self.generation, self.position) + b"".join(self.shown)
        return base64.urlsafe_b64encode(data + _digest(data, _SUM_BYTES)).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, *, query: bytes) -> Cursor:
        """Raises QueryError for what is no cursor, or that of another query."""
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            data = b""
        body = data[:-_SUM_BYTES]
        shown = body[_HEAD.size :]
        whole = len(body) >= _HEAD.size and _digest(body, _SUM_BYTES) == data[-_SUM_BYTES:]
        if not whole or body[0] != _VERSION or len(shown) % _ID_BYTES or len(shown) > REMEMBERED * _ID_BYTES:
            raise QueryError(Wording("no_cursor"), hint=Wording("first_page"))
        _, asked, generation, position = _HEAD.unpack_from(body)
        if asked != query:
            raise QueryError(Wording("other_cursor"), hint=Wording("begin_anew"))
        ids = tuple(shown[at : at + _ID_BYTES] for at in range(0, len(shown), _ID_BYTES))
        return cls(asked, generation, position, ids)


@dataclass(frozen=True, slots=True)
class Page:
    """Hits, ranked on from those of earlier pages; the cursor behind them, None at the end of the answers.

    `changed`: the collection is not what it was when the page before was made.
    """

    hits: tuple[Hit, ...]
    next: str | None
    changed: bool = False


def page(
    ask: Callable[[int], tuple[Sequence[Hit], int]], size: int, *, query: bytes, cursor: str | None = None
) -> Page:
    """The next `size` hits of a query.

    `ask(k)` gives the first k hits, as ordered now, and the generation of the collection they are of; it is asked for
    more where shown hits take too many places. `query`: `query_digest`. Raises QueryError, ValueError for size < 1.
    """
    if size < 1:
        raise ValueError(f"a page of {size} hits; at least one must be asked for")
    at = Cursor(query, 0, 0) if cursor is None else Cursor.decode(cursor, query=query)
    passed = at.position - len(at.shown)  # shown so long ago that the cursor no longer names them
    shown = set(at.shown)
    wanted = at.position + size + 1
    while True:
        hits, generation = ask(wanted)
        fresh = [hit for hit in hits[max(passed, 0) :] if _id(hit) not in shown]
        if len(fresh) > size or len(hits) < wanted:
            break
        wanted *= 2
    taken = fresh[:size]
    ranked = tuple(replace(hit, rank=at.position + number) for number, hit in enumerate(taken, 1))
    names = (*at.shown, *map(_id, taken))[-REMEMBERED:]
    behind = Cursor(query, generation, at.position + len(taken), names)
    changed = cursor is not None and generation != at.generation
    return Page(ranked, behind.encode() if len(fresh) > size else None, changed)


def results_page(search: Callable[[Query], Results], query: Query, cursor: str | None) -> Results:
    """The page of `query.k` answers behind a cursor, with `next`. `search` answers a query. Raises as `page` does."""
    last: list[Results] = []

    def ask(k: int) -> tuple[Sequence[Hit], int]:
        last[:] = [search(replace(query, k=k))]
        return last[0].hits, last[0].generation

    how = [query.where if isinstance(query.where, str) else repr(query.where), query.mode, query.order, query.variety]
    others = [list(query.liked), list(query.disliked), query.group_by, query.all_copies]
    found = page(ask, query.k, query=query_digest(query, *how, *others), cursor=cursor)
    return replace(last[0], hits=found.hits, next=found.next)


def query_digest(query: Query, *others: Any) -> bytes:
    """8 bytes that tell one question from another: its terms, folder and cut, and `others` that decide the order.

    `others`: JSON-ready values, such as the filter's text, the order, the mode. How many answers, and how hard an index
    is searched, are no part of it.
    """
    state = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for term in query.terms:
        for part in (term.kind.encode(), repr(float(term.weight)).encode(), _bytes_of(term.value)):
            state.update(len(part).to_bytes(8, "big") + part)
    rest = [None if query.folder is None else query.folder.hex(), query.min_relevance, *others]
    state.update(json.dumps(rest, sort_keys=True).encode())
    return state.digest()


def _bytes_of(value: Any) -> bytes:
    """Words, an item's id, a picture or a vector as bytes; a file that is still to be read counts by its path."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, PictureAt):
        source = value.source if isinstance(value.source, bytes) else os.fsencode(value.source)
        return repr(value.crop).encode() + source
    import numpy as np

    values = np.ascontiguousarray(value)
    return f"{values.shape}{values.dtype.str}".encode() + values.tobytes()


def _id(hit: Hit) -> bytes:
    return _digest(hit.id.encode("utf-8", "surrogatepass"), _ID_BYTES)


def _digest(data: bytes, size: int) -> bytes:
    return hashlib.blake2b(data, digest_size=size).digest()
