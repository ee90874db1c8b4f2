"""Clients that ask a service without pause, each from an address of its own, and what became of every request."""

from __future__ import annotations

import http.client
import json
import random
import statistics
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = ("a dog", "two people", "red", "a blue square", "street at night", "собака", "children playing", "water")
PACE_S = 0.08
"""Between the requests of one client: below the 20 a second that one may ask in the long run."""
BORDER = "a-line-that-parts"
FIRST_CLIENT = 10  # 127.0.0.10 is the first one's address


@dataclass(frozen=True)
class Material:
    """What can be asked for: ids of items, and a picture to send."""

    items: list[str]
    picture: bytes


@dataclass(frozen=True)
class Request:
    """What is sent."""

    method: str
    path: str
    body: bytes | None = None
    kind: str = "application/json"


@dataclass
class Outcomes:
    """`failures`: of each request that was not answered with what was asked for, what it was and what came instead."""

    ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    in_flight: int = 0

    def __str__(self) -> str:
        if not self.ms:
            return f"0 answered, {len(self.failures)} failed"
        ordered = sorted(self.ms)
        p99 = ordered[int(0.99 * (len(ordered) - 1))]
        return (
            f"{len(self.ms) + len(self.failures)} requests, {len(self.failures)} failed, "
            f"p50 {statistics.median(ordered):.0f} ms, p99 {p99:.0f} ms, slowest {ordered[-1]:.0f} ms"
        )


@contextmanager
def asking(port: int, token: str, material: Material, clients: int) -> Iterator[Outcomes]:
    """Clients that ask until the block ends."""
    outcomes, done = Outcomes(), threading.Event()

    def ask(number: int) -> None:
        chance, line = random.Random(number), _connected(port, number)
        while not done.wait(PACE_S * chance.uniform(0.5, 1.5)):
            _ask(line, _request(chance, material), token, outcomes)
        line.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _ask(line: http.client.HTTPConnection, request: Request, token: str, outcomes: Outcomes) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": request.kind}
    started = time.perf_counter()
    outcomes.in_flight += 1
    try:
        line.request(request.method, request.path, request.body, headers)
        answer = line.getresponse()
        answer.read()
        came = "" if answer.status == 200 else str(answer.status)
    except (OSError, http.client.HTTPException) as error:
        came = repr(error)
        line.close()
    outcomes.in_flight -= 1
    if came:
        outcomes.failures.append(f"{request.method} {request.path}: {came}")
    else:
        outcomes.ms.append(1000 * (time.perf_counter() - started))


def _connected(port: int, number: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(
        "127.0.0.1", port, timeout=60, source_address=(f"127.0.0.{FIRST_CLIENT + number}", 0)
    )


def _request(chance: random.Random, material: Material) -> Request:
    """As a page and programs ask: mostly searches, some pictures."""
    words, kind = chance.choice(WORDS), chance.random()
    if kind < 0.05:
        return Request("POST", "/api/v1/search", _form(material.picture), f"multipart/form-data; boundary={BORDER}")
    if kind < 0.15:
        return Request("POST", "/api/v1/search", json.dumps({"q": words, "k": 5}).encode())
    if kind < 0.3:
        return Request("GET", f"/?q={quote(words)}")
    if kind < 0.5:
        return Request("GET", f"/api/v1/items/{quote(chance.choice(material.items))}/thumbnail?size=160")
    return Request("GET", f"/api/v1/search?q={quote(words)}&k=10")


def _form(picture: bytes) -> bytes:
    head = f'--{BORDER}\r\nContent-Disposition: form-data; name="image"; filename="a.webp"\r\n\r\n'
    return head.encode() + picture + f"\r\n--{BORDER}--\r\n".encode()
