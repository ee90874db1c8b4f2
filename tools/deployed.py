"""Two services behind NGINX, watched by Prometheus, as deploy/ has them but for addresses, places and pauses."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEPLOY = Path(__file__).parent.parent / "deploy"
NAMES = ("lookalike-1", "lookalike-2")
PATIENCE_S = 120


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port: int = line.getsockname()[1]
        return port


@dataclass
class Service:
    """One `lookalike serve`, always at the same port. `more`: of its environment."""

    port: int
    place: Path
    collection: Path | str
    more: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "lookalike",
            "serve",
            "--collection",
            self.collection,
            "--port",
            str(self.port),
        ]
        with (self.place / f"service-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--proxy", "127.0.0.1", "--log"],
                env={**environment(self.place), **self.more},
                stdout=log,
                stderr=log,
            )
        until(self.is_ready)

    def is_ready(self) -> bool:
        return self.readiness() == 200

    def readiness(self) -> int:
        """The status of its readiness."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            line.request("GET", "/readyz")
            return line.getresponse().status

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)


@dataclass
class Deployed:
    """What runs. `port`: NGINX's."""

    place: Path
    services: list[Service]
    port: int = field(default_factory=free_port)
    prometheus_port: int = field(default_factory=free_port)
    token: str = ""

    def ask(self, path: str, *, headers: dict[str, str] | None = None, body: bytes | None = None) -> Any:
        """NGINX's answer: status, headers, body."""
        sent = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, sent)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def prometheus(self, path: str, **query: str) -> Any:
        """What Prometheus's API answers."""
        address = f"http://127.0.0.1:{self.prometheus_port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            return json.load(answer)["data"]

    def adapted(self, text: str) -> str:
        """A file of deploy/ for this computer."""
        for name, service in zip(NAMES, self.services, strict=True):
            text = text.replace(f"{name}:8000", f"127.0.0.1:{service.port}")
        text = text.replace("listen 8080;", f"listen 127.0.0.1:{self.port};").replace(
            "/tmp/nginx", f"{self.place}/nginx"
        )
        return text.replace("_interval: 10s", "_interval: 1s")


@contextmanager
def deployed(
    place: Path, collection: Path | str, *, watched: bool = True, more: dict[str, str] | None = None
) -> Iterator[Deployed]:
    """Everything started, until the block ends; `watched`: also Prometheus. `more`: of the services' environment."""
    found = Deployed(place, [Service(free_port(), place, collection, more or {}) for _ in NAMES])
    found.token = make_token(place)
    with ExitStack() as running:
        for service in found.services:
            service.start()
            running.callback(lambda service=service: service.end())
        running.enter_context(_nginx(found))
        if watched:
            running.enter_context(_prometheus(found))
        yield found


def make_token(place: Path) -> str:
    command = [sys.executable, "-m", "lookalike", "token", "add", "check", "--write"]
    made = subprocess.run(command, env=environment(place), capture_output=True, text=True, check=True)
    return made.stdout.strip()


@contextmanager
def _nginx(found: Deployed) -> Iterator[None]:
    found.place.chmod(0o755)  # started by root, its workers are another user
    settings = found.place / "nginx.conf"
    settings.write_text(found.adapted((DEPLOY / "nginx.conf").read_text(encoding="utf-8")), encoding="utf-8")
    subprocess.run(["nginx", "-t", "-q", "-c", settings], check=True)
    with _program(found.place / "nginx.log", "nginx", "-c", str(settings), "-g", "daemon off;"):
        until(lambda: found.ask("/healthz")[0] == 200)
        yield


@contextmanager
def _prometheus(found: Deployed) -> Iterator[None]:
    place = found.place / "prometheus"
    place.mkdir()
    (place / "token").write_text(found.token, encoding="utf-8")
    for name in ("prometheus.yml", "rules.yml"):
        text = found.adapted((DEPLOY / "prometheus" / name).read_text(encoding="utf-8"))
        (place / name).write_text(text, encoding="utf-8")
    subprocess.run(["promtool", "check", "config", place / "prometheus.yml"], check=True)
    options = ["--config.file", place / "prometheus.yml", "--storage.tsdb.path", place / "data"]
    options += [f"--web.listen-address=127.0.0.1:{found.prometheus_port}", "--log.level=warn"]
    with _program(found.place / "prometheus.log", "prometheus", *map(str, options)):
        until(lambda: len(answered(found, "up == 1")) == len(NAMES))
        yield


def answered(found: Deployed, expression: str) -> list[Any]:
    """The series that an expression gives now. Raises HTTPError where it is none."""
    series: list[Any] = found.prometheus("query", query=expression)["result"]
    return series


@contextmanager
def _program(log: Path, *command: str) -> Iterator[None]:
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as program:
        try:
            yield
        finally:
            program.terminate()


def environment(place: Path) -> dict[str, str]:
    """With tokens of its own."""
    return {**os.environ, "XDG_DATA_HOME": str(place / "data")}


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port: int = line.getsockname()[1]
        return port


def until(true: Callable[[], Any]) -> None:
    """Wait for it. Who does not answer yet, or only with 5xx, is asked again. Raises TimeoutError."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        try:
            if true():
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"not within {PATIENCE_S} s")
