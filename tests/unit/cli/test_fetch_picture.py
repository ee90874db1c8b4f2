"""A picture from the web: only from where it may come, only so large, only so long, and only a picture."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lookalike.cli import fetch_picture as module
from lookalike.cli.fetch_picture import fetch_picture
from lookalike.core.errors import SourceError

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name, _, rest = self.path.lstrip("/").partition("?")
        if name == "redirect":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
            return
        self.send_response(404 if name == "missing" else 200)
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


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]"])
def test_a_private_address_is_refused_unless_allowed(host):
    with pytest.raises(SourceError, match="private network"):
        fetch_picture(f"http://{host}/a.png")


@pytest.mark.parametrize("onward", ["file:///etc/passwd", "ftp://127.0.0.1/a.png", "gopher://127.0.0.1/"])
def test_a_redirect_is_checked_like_the_first_address(server, onward):
    with pytest.raises(SourceError, match="not an http or https address"):
        fetch_picture(f"{server}/redirect?{onward}", allow_private=True)


def test_endless_redirects_end(server):
    onward = "/redirect?" * 10
    with pytest.raises(SourceError, match="redirects more than"):
        fetch_picture(f"{server}{onward}", allow_private=True)


def test_what_is_no_picture_is_refused(server):
    with pytest.raises(SourceError, match="is not a picture"):
        fetch_picture(f"{server}/page", allow_private=True)
    with pytest.raises(SourceError, match="answers 404"):
        fetch_picture(f"{server}/missing", allow_private=True)


def test_a_file_over_the_limit_is_not_read_to_its_end(server, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 50)
    with pytest.raises(SourceError, match="larger than"):
        fetch_picture(f"{server}/a.png", allow_private=True)


def test_a_server_that_dribbles_runs_into_the_one_time_limit(server):
    with pytest.raises(SourceError, match="too long"):
        fetch_picture(f"{server}/slow", allow_private=True, timeout_s=0.3)


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(SourceError, match=r"http://127\.0\.0\.1:1/ cannot be fetched"):
        fetch_picture("http://127.0.0.1:1/", allow_private=True)
