"""A service ends in order, and believes of a client's address only its proxy."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from contextlib import closing
from urllib.request import urlopen

import pytest

import lookalike
from lookalike.service.settings import Served, ServiceSettings
from lookalike.store.tokens import Tokens
from lookalike.testing import draw_pictures

PATIENCE_S = 120
FAREWELL = """
import socket, sys, threading
from pathlib import Path
from lookalike.service.server import Server
from lookalike.service.settings import Served, ServiceSettings
server = Server(ServiceSettings((Served("drawn", Path(sys.argv[1])),), farewell_s=600))
def end():
    sys.stdin.read()
    server.should_exit = True
threading.Thread(target=end, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as line:
    print(line.getsockname()[1], flush=True)
    server.run(sockets=[line])
"""
"""A service that ends when its input does, and says so for longer than any test takes."""


def settings(shown, **more) -> ServiceSettings:
    return ServiceSettings((Served("drawn", shown / "drawn.lookalike"),), **more)


def until(true) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_only_a_proxy_is_believed_which_client_it_asks_for(shown, run_service):
    def statuses(site) -> list[int]:
        asked = [site.ask("/api/v1/fields", headers={"X-Forwarded-For": client}) for client in ("a", "b", "a")]
        return [reply.status for reply in asked]

    with run_service(settings(shown, requests_a_second=0.001, requests_at_once=1)) as site:
        assert statuses(site) == [200, 429, 429]
    behind = settings(shown, requests_a_second=0.001, requests_at_once=1, proxies=("127.0.0.0/8",))
    with run_service(behind) as site:
        assert statuses(site) == [200, 200, 429]
    with run_service(settings(shown, requests_a_second=0.001, requests_at_once=1, proxies=("10.0.0.1",))) as site:
        assert statuses(site) == [200, 429, 429]


def test_what_comes_by_a_proxy_is_from_elsewhere(shown, run_service, tmp_path):
    tokens = Tokens(tmp_path / "service.sqlite")
    secret = tokens.add("shop", "write")
    with run_service(settings(shown, proxies=("127.0.0.1",), tokens=tmp_path / "service.sqlite")) as site:
        assert site.ask("/api/v1/search", q="red").status == 401
        bearer = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        reply = site.ask("/api/v1/jobs", body=b'{"paths": ["/"]}', headers=bearer)
        assert (reply.status, reply.json["code"]) == (403, "not-from-here")
        form = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-Proto": "https"}
        signed_in = site.ask("/sign-in", body=f"token={secret}".encode(), headers=form)
        assert "Secure" in signed_in.headers["set-cookie"].split("; ")


@pytest.mark.parametrize("given", ["nginx", "10.0.0.1/8", ""])
def test_a_proxy_is_an_address_or_a_network(given):
    result = subprocess.run(
        [sys.executable, "-m", "lookalike", "serve", "--proxy", given], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "--proxy" in result.stderr


def test_behind_a_proxy_it_does_not_start_without_a_token(tmp_path, monkeypatch):
    for variable in ("XDG_DATA_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    command = [sys.executable, "-m", "lookalike", "serve", "--proxy", "127.0.0.1"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "lookalike token add" in result.stderr


def answered(port: int, path: str) -> tuple[int, str | None, dict]:
    """The status, what becomes of the connection, and the answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as line:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, answer.headers["Connection"], json.load(answer)


def test_before_the_end_it_says_so_and_still_answers(shown):
    command = [sys.executable, "-c", FAREWELL, shown / "drawn.lookalike"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as serving:
        try:
            port = int(serving.stdout.readline())
            assert answered(port, "/readyz")[:2] == (200, None)
            serving.stdin.close()
            until(lambda: answered(port, "/readyz")[0] == 503)
            assert answered(port, "/readyz")[2]["code"] == "closing"
            assert answered(port, "/api/v1/search?q=red")[:2] == (200, "close")
        finally:
            serving.kill()


def test_a_run_that_is_watched_ends_with_the_service(tmp_path, run_service):
    folder = tmp_path / "pictures"
    draw_pictures(folder, 2)
    with lookalike.open(tmp_path / "new.lookalike") as photos:
        list(photos.sync([folder]))
    draw_pictures(folder, 3000)
    with run_service(ServiceSettings((Served("new", tmp_path / "new.lookalike"),))) as site:
        number = site.post("/api/v1/jobs", {}).json["id"]
        with urlopen(f"{site.base}/api/v1/jobs/{number}/events", timeout=PATIENCE_S) as told:
            first = told.readline()
            site.end()
            *_, last = filter(None, told.read().split(b"\n"))
    states = [json.loads(each.removeprefix(b"data: "))["state"] for each in (first, last)]
    assert states == ["running", "stopped"]


def test_asked_to_end_it_answers_what_was_asked_and_refuses_what_comes_later(shown, run_service):
    with run_service(settings(shown)) as site:
        half = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE_S)
        half.putrequest("POST", "/api/v1/search")
        half.putheader("Content-Type", "application/json")
        half.putheader("Content-Length", "12")
        half.putheader("Expect", "100-continue")
        half.endheaders()
        assert half.sock.recv(1000).startswith(b"HTTP/1.1 100")  # it is being answered
        site.end()
        until(lambda: is_refused(site.port))
        half.send(b'{"q": "red"}')
        with closing(half):
            assert half.getresponse().status == 200


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
    except ConnectionError:  # refused, or reset by a service that stopped listening that very moment
        return True
    return False
