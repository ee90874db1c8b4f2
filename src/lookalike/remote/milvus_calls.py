"""One client of Milvus: connecting, time-outs, tries and errors of every call. pymilvus is imported only here and where
columns are described.

Promises: a call ends within `timeout_s`, its tries among them, and loading a collection for it within some more such
times; a server that is away is tried again with growing pauses until then, because every call of ours leaves the same
when done twice; no token is in any message.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import MissingExtra, RemoteRefused, RemoteUnavailable
from lookalike.core.wording import Wording
from lookalike.remote.milvus_lite import address_in_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

    from pymilvus import CollectionSchema, MilvusClient
    from pymilvus.milvus_client.index import IndexParams

    from lookalike.remote.milvus_address import Address

_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
"""Between tries: the first, and what doubling ends at."""
_REASON_S = 3.0
"""How long it is asked why nothing answers, when the time of a call is over: Windows says no after 2."""
IN_ORDER = {"iterator": "True", "reduce_stop_for_best": True}
"""What pymilvus' own iterator asks in a query, so that a page has the next rows by their ids."""
_OF_GRPC = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN"}
_AWAY = _OF_GRPC | {"2", "4", "8", "12", "106", "401", "503", "901", "902", "903", "905"}
"""Codes of a server that is not there, has no room, or is still starting its parts: Milvus' own (its merr/errors.go),
and those of gRPC."""
_STARTING = ("1", "not ready")
"""Milvus' code for that as well, which milvus-lite has for mistakes of its own, and what stands in its message."""
_LATE = "DEADLINE_EXCEEDED"
_NOT_LOADED = frozenset({"101", "103"})
"""Codes of a collection that may not be asked yet: milvus-lite forgets what was loaded when it starts anew."""
_LOADING = frozenset({"has_collection", "list_indexes", "create_index", "load_collection"})
"""What is asked while a collection is loaded."""
_REFUSED_TOKENS = frozenset({"1400", "1401", "1800", "UNAUTHENTICATED", "PERMISSION_DENIED"})
_AUTH = "auth check"
"""How Milvus' message begins where it knows no code for a wrong token."""
_SET_ONE = "set LOOKALIKE_MILVUS_TOKEN to user:password, or LOOKALIKE_MILVUS_TOKEN_FILE to a file with it"
_SET_ANOTHER = "see LOOKALIKE_MILVUS_TOKEN, or the file that LOOKALIKE_MILVUS_TOKEN_FILE names, and what that user may"


class Calls:
    """Calls of one `MilvusClient`, which is made at the first. Thread-safe."""

    def __init__(self, address: Address, *, token: str, timeout_s: float) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self.indexes: dict[str, Callable[[], IndexParams]] = {}
        """The indexes that each collection of this address is made with."""
        self._token = token
        self._client: MilvusClient | None = None
        self._connecting = threading.Lock()
        self._closed = False

    def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What the client's method of that name returns; tried again where the server was away.

        What is not loaded is loaded, once, which may take as long as a call does. Raises RemoteUnavailable and
        RemoteRefused.
        """
        try:
            import grpc
            from pymilvus.exceptions import MilvusException
        except ModuleNotFoundError:
            raise MissingExtra("a collection on Milvus", "milvus") from None

        until, pause_s, loads = time.monotonic() + self.timeout_s, _PAUSE_S, method not in _LOADING
        while True:
            try:
                client = self._connected(max(until - time.monotonic(), _PAUSE_S))
                return getattr(client, method)(*args, timeout=max(until - time.monotonic(), _PAUSE_S), **kwargs)
            except (MilvusException, grpc.RpcError) as raised:
                error = raised.__cause__ if isinstance(raised.__cause__, grpc.RpcError) else raised  # as it connects
                code = _code_of(error)
                if code in _NOT_LOADED and loads:
                    self._load()
                    loads, until = False, time.monotonic() + self.timeout_s
                    continue
                if not _passes(error, code):
                    self._refuse(error, code)
                if code == _LATE or time.monotonic() + pause_s >= until:
                    raise self._away() from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def create(self, name: str, schema: CollectionSchema) -> None:
        """Make a collection with its `indexes`; what is there already stays, and what it lacks of them is added."""
        if not self("has_collection", name):
            with self._by_whomever(lambda: self("has_collection", name)):
                self("create_collection", name, schema=schema, consistency_level="Strong")
        self._complete(name)

    def _complete(self, name: str) -> None:
        """Give a collection the indexes that it lacks, and load it: making it may have broken off between the steps."""
        lacking = [index for index in self.indexes[name]() if not self._has_index(name, index.field_name)]
        for index in lacking:
            with self._by_whomever(partial(self._has_index, name, index.field_name)):
                self("create_index", name, type(self.indexes[name]())([index]))
        if lacking:
            self("load_collection", name)

    def _has_index(self, name: str, column: str) -> bool:
        return bool(self("list_indexes", name, field_name=column))

    @contextmanager
    def _by_whomever(self, is_done: Callable[[], bool]) -> Iterator[None]:
        """What is refused because somebody else did it at the same time is done."""
        try:
            yield
        except RemoteRefused:
            if not is_done():
                raise

    def close(self) -> None:
        """Let go of the connection."""
        with self._connecting:
            self._closed = True
            if self._client is not None:
                self._client.close()
                self._client = None

    def _connected(self, left_s: float) -> MilvusClient:
        if not self._connecting.acquire(timeout=left_s):  # another thread tries to connect all the time
            raise self._away()
        try:
            if self._closed:
                raise ValueError("this collection is closed")
            if self._client is None:
                self._client = self._made(left_s)
            return self._client
        finally:
            self._connecting.release()

    def _away(self) -> RemoteUnavailable:
        seconds, why = f"{self.timeout_s:g}", self._reason()
        silent = Wording("engine_silent", engine=self.address.shown, seconds=seconds, why=why)
        return RemoteUnavailable(silent, hint=Wording("engine_again"))

    def _reason(self) -> str:
        """What the system says of the way there, behind a colon; "" where a line can be had, or nothing is said."""
        server, said = self.address.server, list[str]()

        def connect(server: tuple[str, int]) -> None:
            try:
                socket.create_connection(server, timeout=_REASON_S).close()
            except OSError as error:
                said.append(f": {cause_of(error)}")

        if server is not None:
            asking = threading.Thread(target=connect, args=(server,), daemon=True)  # a name is looked up without limit
            asking.start()
            asking.join(_REASON_S)
        return said[0] if said else ""

    def _made(self, left_s: float) -> MilvusClient:
        try:
            from pymilvus import MilvusClient
        except ImportError:
            raise MissingExtra("a collection on Milvus", "milvus") from None
        for name in ("pymilvus", "milvus_lite"):  # they log what they raise, with all it was about
            logging.getLogger(name).setLevel(logging.CRITICAL)
        uri = self.address.uri
        if self.address.is_path:
            uri = address_in_process(Path(uri), self.address.shown)
        return MilvusClient(uri, token=self._token, db_name=self.address.database, timeout=left_s)

    def _load(self) -> None:
        for name in (self.address.name, self.address.settings):
            if self("has_collection", name):  # making it may have broken off between the two
                self._complete(name)
                self("load_collection", name)

    def _refuse(self, error: Exception, code: str) -> NoReturn:
        is_token = code in _REFUSED_TOKENS or _AUTH in _message_of(error)
        hint = (_SET_ANOTHER if self._token else _SET_ONE) if is_token else ""
        raise Refusal(f"{self.address.shown} refused: {self._without_token(_message_of(error))}", code, hint) from None

    def _without_token(self, text: str) -> str:
        for secret in filter(None, (self._token, self._token.partition(":")[2])):
            text = text.replace(secret, "***")
        return text


def _passes(error: Exception, code: str) -> bool:
    """Whether a later try may be answered."""
    is_starting = code == _STARTING[0] and _STARTING[1] in _message_of(error)
    return is_starting or code in _AWAY or code in _NOT_LOADED


class Refusal(RemoteRefused):
    """What Milvus refused, with its code."""

    def __init__(self, message: str, code: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.code = code


def _code_of(error: Exception) -> str:
    """Milvus' number, or the name of gRPC's status."""
    code: Any = getattr(error, "code", None)
    code = code() if callable(code) else code
    return str(getattr(code, "name", code))


def _message_of(error: Exception) -> str:
    return str(getattr(error, "message", "") or getattr(error, "details", str)() or error).strip()
