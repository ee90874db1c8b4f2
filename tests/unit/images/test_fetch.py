"""A picture from the web: only from where it may come, only so large, only so long, and only a picture."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from pytest_socket import SocketConnectBlockedError

from lookalike.core.errors import SourceError
from lookalike.images import fetch as module
from lookalike.images.fetch import fetch_picture, is_public

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


HERE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "localhost",
    "localhost.", "LOCALHOST",
]  # fmt: skip
"""Ways to write this very computer."""
NEAR = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
        "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]",
        "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:0:7f00:1::]"]  # fmt: skip
"""What lies in a private network, serves a cloud's secrets, or wraps such an address in another."""
PASSED_OFF = [
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1#@example.org/",
    "http://127.0.0.1:80\\@example.org/",
    "http://example.org\\@127.0.0.1/",
    "http://user:word@[::1]:80/",
    "http://127.0.0.1?.example.org/",
]
"""Addresses that look like another host's at a glance, or to another reader of addresses."""


class Handler(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self):
        self.asked.append(self.path)
        name, _, rest = self.path.lstrip("/").partition("?")
        if name == "redirect":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
            return
        self.send_response(404 if name == "missing" else 200)
        if name == "endless":
            with suppress(OSError):
                for number in range(90):
                    self.wfile.write(b"X-%d: " % number)
                    time.sleep(0.05)
        if name == "short":
            self.send_header("Content-Length", "1000")
        if name == "huge":
            self.send_header("Content-Length", "99999999999")
        self.end_headers()
        if name == "page":
            self.wfile.write(b"<html>")
        elif name == "slow":
            for _ in range(50):
                self.wfile.write(b"\x89")
                time.sleep(0.1)
        else:
            self.wfile.write(PICTURE)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hung up is what is tested here."""


@pytest.fixture(scope="module")
def server():
    with Server(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=[0.02])
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_a_picture_is_fetched_also_through_redirects(server):
    assert fetch_picture(f"{server}/a.png", allow_private=True) == PICTURE
    assert fetch_picture(f"{server}/redirect?/redirect?/a.png", allow_private=True) == PICTURE


@pytest.fixture
def resolver(monkeypatch):
    """A resolver whose answers to look-ups the test sets: one list of addresses after the other."""
    answers: list[list[str]] = []
    lookups: list[str] = []

    def getaddrinfo(host, port, **_):
        lookups.append(host)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port)) for place in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers, lookups


@pytest.mark.parametrize("host", [*HERE, *NEAR])
def test_a_private_address_is_refused_however_it_is_written(server, host):
    port = server.rpartition(":")[2]
    before = len(Handler.asked)
    with pytest.raises(SourceError, match=r"private network|cannot be fetched: \[Errno"):
        fetch_picture(f"http://{host}:{port}/a.png")
    assert len(Handler.asked) == before


@pytest.mark.parametrize("address", PASSED_OFF)
def test_an_address_is_read_once_for_the_check_and_for_the_connection(address):
    with pytest.raises(SourceError):
        fetch_picture(address)


@pytest.mark.parametrize("host", [*HERE, *NEAR])
def test_a_redirect_into_a_private_network_is_refused(server, host, monkeypatch):
    """The first server counts as public here; where it sends us is judged as ever."""
    first = iter([True])
    monkeypatch.setattr(module, "is_public", lambda place: next(first, False) or is_public(place))
    port = server.rpartition(":")[2]
    before = len(Handler.asked)
    with pytest.raises(SourceError, match=r"private network|cannot be fetched: \[Errno"):
        fetch_picture(f"{server}/redirect?http://{host}:{port}/secret")
    assert Handler.asked[before:] == [f"/redirect?http://{host}:{port}/secret"]


def test_a_name_that_changes_its_address_after_the_check_leads_nowhere_else(server, resolver):
    """DNS rebinding: what was checked is what is connected to, and nothing is looked up again."""
    answers, lookups = resolver
    answers += [["93.184.216.34"], ["127.0.0.1"]]
    before = len(Handler.asked)
    public = re.escape("93.184.216.34")  # where no test may go: that is how it is seen
    with pytest.warns(UserWarning, match=public), pytest.raises(SocketConnectBlockedError):
        fetch_picture(f"http://rebind.example:{server.rpartition(':')[2]}/a.png")
    assert (lookups, len(Handler.asked)) == (["rebind.example"], before)


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"]])
def test_a_name_with_any_private_address_is_refused(server, resolver, found):
    answers, _ = resolver
    answers.append(found)
    before = len(Handler.asked)
    with pytest.raises(SourceError, match="private network"):
        fetch_picture(f"http://name.example:{server.rpartition(':')[2]}/a.png")
    assert len(Handler.asked) == before


def test_addresses_of_the_internet_are_public():
    assert all(map(is_public, ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"]))


@pytest.mark.parametrize("onward", ["file:///etc/passwd", "ftp://127.0.0.1/a.png", "gopher://127.0.0.1/"])
def test_a_redirect_is_checked_like_the_first_address(server, onward):
    with pytest.raises(SourceError, match="not an http or https address"):
        fetch_picture(f"{server}/redirect?{onward}", allow_private=True)


def test_the_next_address_of_a_host_is_tried_when_one_does_not_answer(server, resolver):
    answers, _ = resolver
    answers.append(["127.0.0.1"])
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    port = int(server.rpartition(":")[2])
    two = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", each)) for each in (closed.getsockname()[1], port)]
    with module._open_line(two, time.monotonic() + 120) as line:
        assert line.getpeername()[1] == port
    closed.close()


def test_endless_redirects_end(server):
    onward = "/redirect?" * 10
    with pytest.raises(SourceError, match="redirects more than"):
        fetch_picture(f"{server}{onward}", allow_private=True)


def test_what_is_no_picture_is_refused(server):
    with pytest.raises(SourceError, match="is not a picture"):
        fetch_picture(f"{server}/page", allow_private=True)
    with pytest.raises(SourceError, match="answers 404"):
        fetch_picture(f"{server}/missing", allow_private=True)


def test_a_file_over_the_limit_is_not_read_to_its_end(server):
    with pytest.raises(SourceError, match="larger than"):
        fetch_picture(f"{server}/a.png", allow_private=True, max_bytes=50)
    with pytest.raises(SourceError, match="larger than"):
        fetch_picture(f"{server}/huge", allow_private=True)


def test_a_file_cut_short_is_an_error(server):
    with pytest.raises(SourceError, match="IncompleteRead"):
        fetch_picture(f"{server}/short", allow_private=True)


@pytest.mark.parametrize("name", ["slow", "endless"])
def test_a_server_that_dribbles_runs_into_the_one_time_limit(server, name):
    with pytest.raises(SourceError, match="too long"):
        fetch_picture(f"{server}/{name}", allow_private=True, timeout_s=0.3)


def test_a_resolver_that_does_not_answer_runs_into_it_too(monkeypatch):
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(120))
    with pytest.raises(SourceError, match="too long"):
        fetch_picture("http://name.example/a.png", timeout_s=0.2)
    done.set()


@pytest.mark.parametrize(
    "address",
    ["http://", "http://[::1", "http://x:99999/", "http://x:port/", "http://\udcff/", f"http://{'a' * 300}.example/",
     "http:///a", "https://", "http://%00/", "http://.../", "", "a.jpg", "http://xn--/"],
)  # fmt: skip
def test_what_is_no_address_is_a_typed_error(address):
    with pytest.raises(SourceError):
        fetch_picture(address)


def test_letters_beyond_ascii_in_a_path_are_written_as_servers_read_them(server):
    assert fetch_picture(f"{server}/ä b/%C3%A4.png?q=é", allow_private=True) == PICTURE
    assert Handler.asked[-1] == "/%C3%A4%20b/%C3%A4.png?q=%C3%A9"


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(SourceError, match=r"http://127\.0\.0\.1:1/ cannot be fetched"):
        fetch_picture("http://127.0.0.1:1/", allow_private=True)
