"""Pages of other sites, foreign names and endless bodies are kept out; answers carry headers that keep a page safe."""

from __future__ import annotations

import http.client
import socket

import pytest


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"])
def test_a_service_that_is_called_by_a_foreign_name_does_not_answer(site, host):
    assert site.ask("/api/v1/status", headers={"Host": host}).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "[::1]:80"])
def test_names_of_this_computer_are_answered(site, host):
    assert site.ask("/healthz", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_may_not_send_anything(site, headers):
    reply = site.ask("/api/v1/search", body=b'{"q": "red"}', headers={"Content-Type": "application/json", **headers})
    assert (reply.status, reply.json["code"]) == (403, "other-site")


def test_every_answer_carries_the_headers_that_keep_it_to_itself(site):
    for path in ("/", "/?q=red", "/api/v1/status", "/nothing", "/static/page.css", "/api/v1/items/nobody"):
        headers = site.ask(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")


def test_a_body_without_an_announced_end_is_cut_off_at_the_limit(site):
    with socket.create_connection(("127.0.0.1", site.port), timeout=120) as line:
        line.sendall(
            b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        try:
            for _ in range(40):
                line.sendall(chunk)
            answer = http.client.HTTPResponse(line)
            answer.begin()
        except (BrokenPipeError, ConnectionResetError):  # it hung up, which it may, and its answer may go with that
            return
        assert answer.status == 413
