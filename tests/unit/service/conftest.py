"""A running service over a collection of drawn pictures, on a free port of this computer."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

import lookalike
from lookalike.service.server import Server
from lookalike.service.settings import Served, ServiceSettings
from lookalike.testing import draw_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator


PATIENCE_S = 300
"""How long an answer may take, and a run between two things that it tells."""


@dataclass(frozen=True)
class Reply:
    """`headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Site:
    """A client that shows every reply as it came."""

    def __init__(self, port: int, server: Server) -> None:
        self.port = port
        self._server = server
        self.base = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(_NoRedirect)

    def end(self) -> None:
        """Have the service begin to end."""
        self._server.should_exit = True

    def ask(
        self, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None, **query: Any
    ) -> Reply:
        address = self.base + path + (f"?{urlencode(query, doseq=True)}" if query else "")
        request = urllib.request.Request(address, data=body, headers=headers or {})
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as answer:
                return Reply(answer.status, _lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, _lower(error.headers), error.read())

    def search(self, **query: Any) -> Any:
        reply = self.ask("/api/v1/search", **query)
        assert reply.status == 200, reply.body
        return reply.json

    def post(self, path: str, asked: dict[str, Any]) -> Reply:
        return self.ask(path, body=json.dumps(asked).encode(), headers={"Content-Type": "application/json"})

    def upload(self, path: str, field: str, data: bytes, more: dict[str, str] | None = None) -> Reply:
        mark = b"--a-line-that-parts"
        parts = [
            b'%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (mark, name.encode(), value.encode())
            for name, value in (more or {}).items()
        ]
        head = b'%b\r\nContent-Disposition: form-data; name="%b"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        body = b"".join([*parts, head % (mark, field.encode()), data, b"\r\n", mark, b"--\r\n"])
        return self.ask(path, body=body, headers={"Content-Type": f"multipart/form-data; boundary={mark[2:].decode()}"})

    def item(self, id: str, rest: str = "", **query: Any) -> Reply:
        return self.ask(f"/api/v1/items/{quote(id)}{rest}", **query)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture(scope="package")
def run_service():
    """`with run_service(settings) as site`."""
    return running


@pytest.fixture(scope="package")
def shown(tmp_path_factory):
    """Drawn pictures, and the collection of them by the built-in encoder."""
    place = tmp_path_factory.mktemp("service")
    folder = place / "pictures"
    draw_pictures(folder, 120)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    with lookalike.open(place / "drawn.lookalike") as photos:
        list(photos.sync([folder]))
    return place


@pytest.fixture(scope="package")
def site(shown):
    """The service, running."""
    served = Served("drawn", shown / "drawn.lookalike"), Served("none", shown / "none.lookalike")
    with running(ServiceSettings(served, upload_bytes=300_000)) as opened:
        yield opened


@contextmanager
def running(settings: ServiceSettings) -> Iterator[Site]:
    """A service with these settings, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        free.listen()
        server = Server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        try:
            yield Site(free.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join()
