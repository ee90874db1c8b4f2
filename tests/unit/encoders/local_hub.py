"""A model hub on this machine: real HTTP, the parts of the hub's protocol that a download touches.

`/api/models/REPO` lists files with sizes and digests; `/REPO/resolve/COMMIT/FILE` answers HEAD and GET with ETag and
X-Repo-Commit, sends large files on to `/cdn/...` with X-Linked-Etag and X-Linked-Size, and honours Range. A test may
make it misbehave: drop or stall a transfer after so many bytes, flip bytes, lose a file.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 10_000  # bytes from which a file is kept as LFS: SHA-256, and served by the CDN
PIECE = 1 << 16


@dataclass
class LocalHub:
    """What the hub holds, how it misbehaves, and what it was asked. `address` is its endpoint."""

    files: dict[str, bytes]
    repository: str
    drop_after: int | None = None
    stall_after: int | None = None
    corrupt: str = ""
    lost: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    sent: int = 0
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def asked(self, method: str, part: str) -> list[str]:
        """The Range headers ("" without) of the requests of that method whose path has `part`."""
        return [ranged for each, path, ranged in self.requests if each == method and part in path]


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Silence."""

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append((self.command, path, self.headers.get("Range", "")))
        repository = re.escape(self.hub.repository)
        if re.fullmatch(f"/api/models/{repository}", path):
            return self._list()
        found = re.fullmatch(f"/(?:{repository}/resolve/(?:main|{COMMIT})|(cdn))/(.+)", path)
        if not found or found[2] not in self.hub.files or found[2] == self.hub.lost:
            return self._refuse()
        content = self.hub.files[found[2]]
        if not found[1] and len(content) >= LARGE:
            return self._send_on(found[2], content)
        return self._serve(found[2], content)

    def _list(self) -> None:
        siblings = [_sibling(name, content) for name, content in self.hub.files.items()]
        listing = {"id": self.hub.repository, "modelId": self.hub.repository, "sha": COMMIT, "siblings": siblings}
        body = json.dumps(listing).encode()
        self._headers(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _refuse(self) -> None:
        self._headers(404, {"X-Error-Code": "EntryNotFound", "Content-Length": "0"})

    def _send_on(self, name: str, content: bytes) -> None:
        linked = {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"'}
        where = {"Location": f"{self.hub.address}/cdn/{name}", "X-Repo-Commit": COMMIT, "Content-Length": "0"}
        self._headers(302, where | linked)

    def _serve(self, name: str, content: bytes) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        body = bytes(255 - byte for byte in content[start:]) if name == self.hub.corrupt else content[start:]
        etag = _blob_digest(content) if len(content) < LARGE else hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Content-Length": str(len(body))}
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._headers(206 if wanted else 200, headers)
        if self.command == "GET":
            self._write(body, misbehaving=len(content) >= LARGE)

    def _write(self, body: bytes, *, misbehaving: bool) -> None:
        for start in range(0, len(body), PIECE):
            if misbehaving and self.hub.drop_after is not None and start >= self.hub.drop_after:
                self.close_connection = True
                return
            if misbehaving and self.hub.stall_after is not None and start >= self.hub.stall_after:
                self.hub.stalled.set()
                self.hub.go_on.wait()
                self.close_connection = True
                return
            self.wfile.write(body[start : start + PIECE])
            self.hub.sent += len(body[start : start + PIECE])

    def _headers(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _sibling(name: str, content: bytes) -> dict[str, object]:
    sibling = {"rfilename": name, "size": len(content), "blobId": _blob_digest(content)}
    if len(content) >= LARGE:
        sibling["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
    return sibling


def _blob_digest(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
