"""A client of a running service, with the methods of `Collection`: the same questions, the same answers.

    from lookalike import Client

    with Client("http://127.0.0.1:8000") as photos:
        photos.search("a dog in the snow", k=5)
        photos.search(Path("photo.jpg"))

Needs nothing but Python's own library. A picture is sent as it is and decoded by the service, which takes one in a
question. What the service refuses is a `ServiceError` with its status and code. Threads may share a client.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Unpack

from lookalike.core.closing import Closing
from lookalike.core.errors import QueryError, ServiceError
from lookalike.core.records import Hit, PictureAt, Plan, Query, Results
from lookalike.engine.asking import query_without_terms
from lookalike.engine.query_pictures import is_image
from lookalike.engine.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lookalike.core.records import LikenessKind, Term
    from lookalike.engine.asking import SearchOptions

TIMEOUT_S = 60.0
_API = "/api/v1"
_FIRST_PAGE = "start"


class Client(Closing):
    """A collection of a service at `url`; `collection` names one of several. Nothing is asked until it is needed."""

    def __init__(self, url: str, *, collection: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        self._collection = collection
        self._timeout_s = timeout_s

    def search(self, query: Any, k: int = 10, **options: Unpack[SearchOptions]) -> Results:
        """As `Collection.search`. Raises QueryError for what cannot be sent, ServiceError for what is refused."""
        return self._asked(query, query_without_terms(k, options), None)

    def search_many(self, queries: Iterable[Any], k: int = 10, **options: Unpack[SearchOptions]) -> list[Results]:
        """As `Collection.search_many`, one request for each question."""
        return [self.search(query, k, **options) for query in queries]

    def search_page(
        self, query: Any, k: int = 10, *, after: str | None = None, **options: Unpack[SearchOptions]
    ) -> Results:
        """As `Collection.search_page`."""
        return self._asked(query, query_without_terms(k, options), after or _FIRST_PAGE)

    def item(self, given: str) -> dict[str, Any]:
        """As `Collection.item`."""
        told: dict[str, Any] = self._told(f"/items/{urllib.parse.quote(given)}")
        return told

    def open_item(self, given: str) -> BinaryIO:
        """The item's file: close it."""
        return self._answered(f"/items/{urllib.parse.quote(given)}/original")

    def fields(self) -> list[dict[str, Any]]:
        """What `fields --json` prints."""
        told: list[dict[str, Any]] = self._told("/fields")
        return told

    def failures(self) -> list[dict[str, Any]]:
        """Files that were not taken: `uri`, `code`, `reason`."""
        told: list[dict[str, Any]] = self._told("/failures")
        return told

    def status(self) -> dict[str, Any]:
        """What `status --json` prints."""
        told: dict[str, Any] = self._told("/status")
        return told

    def duplicates(
        self, kinds: Sequence[LikenessKind] = (), where: str | None = None, *, after: str | None = None, k: int = 20
    ) -> dict[str, Any]:
        """Groups that looks for duplicates found, a page of them: what `/duplicates` of the API answers."""
        given = {"kind": list(kinds), "where": where, "after": after, "k": k}
        asked = {name: value for name, value in given.items() if value is not None}
        told: dict[str, Any] = self._told(f"/duplicates?{urllib.parse.urlencode(asked, doseq=True)}")
        return told

    def not_same(self, first: str, second: str) -> tuple[str, str]:
        """As `Collection.duplicates.not_same`."""
        told = self._told("/duplicates/apart", {"first": first, "second": second})
        return told["first"], told["second"]

    def undo_not_same(self, first: str, second: str) -> bool:
        """As `Collection.duplicates.undo_not_same`."""
        return self._undone("/duplicates/apart", first=first, second=second)

    def keep(self, item: str) -> str:
        """As `Collection.duplicates.keep`."""
        return str(self._told("/duplicates/keep", {"item": item})["item"])

    def undo_keep(self, item: str) -> bool:
        """As `Collection.duplicates.undo_keep`."""
        return self._undone("/duplicates/keep", item=item)

    def close(self) -> None:
        """Nothing is held between requests."""

    # -- asking ----------------------------------------------------------------------------------

    def _asked(self, given: Any, how: Query, after: str | None) -> Results:
        query = given if isinstance(given, Query) else how
        terms = query.terms if isinstance(given, Query) else terms_of(given)
        pictures = [term for term in terms if term.kind == "picture"]
        if len(pictures) > 1:
            raise QueryError("a service takes one picture in a question", hint="ask with one, and with items")
        body = {name: value for name, value in _question(query, after).items() if value is not None}
        if others := [_as_json(term) for term in terms if term.kind != "picture"]:
            body["terms"] = others
        if pictures:
            body["image_weight"] = pictures[0].weight
        told = self._told("/search", body, _bytes_of(pictures[0].value) if pictures else None)
        return _results(told)

    def _told(self, path: str, body: Mapping[str, Any] | None = None, picture: bytes | None = None) -> Any:
        with self._answered(path, body, picture) as answer:
            return json.load(answer)

    def _undone(self, path: str, **named: str) -> bool:
        with self._answered(f"{path}?{urllib.parse.urlencode(named)}", method="DELETE") as answer:
            return bool(json.load(answer)["undone"])

    def _answered(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        picture: bytes | None = None,
        *,
        method: str | None = None,
    ) -> BinaryIO:
        address, headers, data = f"{self._url}{_API}{path}", {"Accept": "application/json"}, None
        if body is None and self._collection is not None:
            joined = "&" if "?" in path else "?"
            address += f"{joined}{urllib.parse.urlencode({'collection': self._collection})}"
        if body is not None:
            asked = json.dumps({**body, "collection": self._collection} if self._collection else body).encode()
            data, headers["Content-Type"] = (asked, "application/json") if picture is None else _form(asked, picture)
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 - the address is the user's own
        try:
            answer: BinaryIO = urllib.request.urlopen(request, timeout=self._timeout_s)  # noqa: S310 - the same
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except OSError as error:
            raise ServiceError(
                f"{self._url} does not answer: {getattr(error, 'reason', error)}",
                status=0,
                code="no-answer",
                hint="lookalike serve starts a service",
            ) from None
        return answer


def _question(query: Query, after: str | None) -> dict[str, Any]:
    from lookalike.engine.filter_language import unparse

    where = query.where if query.where is None or isinstance(query.where, str) else unparse(query.where)
    return {
        "k": query.k,
        "where": where,
        "folder": None if query.folder is None else os.fsdecode(query.folder),
        "mode": query.mode,
        "min_relevance": query.min_relevance,
        "order": query.order,
        "variety": query.variety,
        "like": list(query.liked),
        "unlike": list(query.disliked),
        "group_by": query.group_by,
        "all_copies": query.all_copies,
        "after": after,
    }


def _as_json(term: Term) -> dict[str, Any]:
    value = [float(each) for each in term.value] if term.kind == "vector" else term.value
    return {term.kind: value, "weight": term.weight}


def _bytes_of(value: Any) -> bytes:
    """The bytes of a picture as the service decodes them."""
    if isinstance(value, PictureAt):
        if value.crop is not None:
            raise QueryError("a service takes whole pictures", hint="cut the part out first")
        return value.source if isinstance(value.source, bytes) else Path(value.source).expanduser().read_bytes()
    from PIL import Image

    image = value if is_image(value) else Image.fromarray(value)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _form(question: bytes, picture: bytes) -> tuple[bytes, str]:
    """A form with both parts (RFC 7578), and its type."""
    mark = secrets.token_hex(16).encode()
    head = b'--%b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n'
    parts = [head % (mark, b"question", b""), question, b"\r\n"]
    parts += [head % (mark, b"image", b'; filename="image"'), picture, b"\r\n--%b--\r\n" % mark]
    return b"".join(parts), f"multipart/form-data; boundary={mark.decode()}"


def _results(told: Mapping[str, Any]) -> Results:
    hits = tuple(Hit(**hit) for hit in told["hits"])
    named = {name: told[name] for name in ("query", "encoder", "took_ms", "cut", "generation", "next")}
    return Results(hits=hits, plan=Plan(**told["plan"]), **named)


def _refused(error: urllib.error.HTTPError) -> ServiceError:
    with error:
        body = error.read()
    try:
        told = json.loads(body)
        message, code, hint = str(told["detail"]), str(told["code"]), str(told.get("hint", ""))
    except (ValueError, KeyError, TypeError):  # something between us and the service answered
        message, code, hint = f"the service answered {error.code} {error.reason}", "no-answer", ""
    return ServiceError(message, status=error.code, code=code, hint=hint)
