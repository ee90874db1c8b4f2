"""A service that others can reach answers to tokens only, and to nobody without end."""

from __future__ import annotations

import asyncio
import stat
import sys

import pytest

from lookalike.core.errors import LookalikeError
from lookalike.service.entrance import Buckets, Entrance
from lookalike.service.settings import Served, ServiceSettings
from lookalike.store.tokens import Tokens


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return Tokens(tmp_path_factory.mktemp("tokens") / "data" / "service.sqlite")


@pytest.fixture(scope="module")
def secret(tokens):
    return tokens.add("phone", "read")


@pytest.fixture(scope="module")
def remote(shown, run_service, tokens, secret):
    served = (Served("drawn", shown / "drawn.lookalike"),)
    settings = ServiceSettings(served, host="0.0.0.0", hosts=("photos.example",), tokens=tokens._path)
    with run_service(settings) as opened:
        yield opened


def test_without_a_token_nothing_is_told_of_a_picture(remote, secret):
    for path in (
        "/api/v1/search?q=red",
        "/api/v1/items/x/thumbnail",
        "/metrics",
        "/knn-service",
        "/api/v1/openapi.json",
    ):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {secret}"}):
            reply = remote.ask(path, headers=headers)
            assert (reply.status, reply.json["code"]) == (401, "no-token")
            assert secret not in reply.text
    assert remote.ask("/healthz").status == 200


def test_a_token_is_taken_from_the_header_and_from_the_cookie(remote, secret):
    assert remote.ask("/api/v1/status", headers={"Authorization": f"Bearer {secret}"}).json["items"] == 120
    assert remote.ask("/api/v1/status", headers={"Cookie": f"lookalike_token={secret}"}).json["items"] == 120


def test_the_page_asks_for_a_token_keeps_it_and_goes_on(remote, secret):
    sent = remote.ask("/?q=red&all=1", headers={"Accept": "text/html"})
    assert (sent.status, sent.headers["location"]) == (303, "/sign-in?to=/%3Fq%3Dred%26all%3D1")
    assert 'type="password"' in remote.ask(sent.headers["location"]).text
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    wrong = remote.ask("/sign-in", body=b"token=wrong&to=/", headers=form)
    assert (wrong.status, "not known" in wrong.text) == (401, True)
    right = remote.ask("/sign-in", body=f"token={secret}&to=/%3Fq%3Dred".encode(), headers=form)
    assert (right.status, right.headers["location"]) == (303, "/?q=red")
    assert {"HttpOnly", "SameSite=strict"} <= set(right.headers["set-cookie"].split("; "))
    away = remote.ask("/sign-in", body=f"token={secret}&to=//evil.example".encode(), headers=form)
    assert away.headers["location"] == "/"


def test_it_answers_to_its_names_and_to_addresses_and_to_no_other_name(remote):
    for host, status in (("photos.example", 200), ("192.168.1.7:8000", 200), ("[fe80::1]", 200), ("evil.example", 421)):
        assert remote.ask("/healthz", headers={"Host": host}).status == status


def test_tokens_are_kept_as_digests_by_name(tokens, secret):
    assert secret.encode() not in tokens._path.read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE(tokens._path.stat().st_mode) == 0o600
    assert tokens.bearer_of(secret).scope == "read"
    assert tokens.bearer_of(secret + "x") is tokens.bearer_of("") is None
    with pytest.raises(LookalikeError, match="already"):
        tokens.add("phone", "write")
    other = tokens.add("shop", "write")
    assert [(each.name, each.scope) for each in tokens.all()] == [("phone", "read"), ("shop", "write")]
    assert tokens.remove("shop")
    assert not tokens.remove("shop")
    assert tokens.bearer_of(other) is None


def test_a_bucket_empties_and_says_when_to_come_back():
    buckets = Buckets(0.001, 3)
    assert [buckets.take("one") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert 500 <= buckets.take("one") <= 1000
    assert buckets.take("two") == 0.0
    assert [Buckets(0, 1).take("one") for _ in range(5)] == [0.0] * 5


async def _answered(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    ("path", "status"), [("/api/v1/search", 503), ("/", 503), ("/healthz", 200), ("/metrics", 200), ("/static/x", 200)]
)
def test_while_all_places_are_taken_nobody_comes_further_but_who_watches(path, status):
    entrance = Entrance(_answered, ServiceSettings((Served("drawn", "drawn"),)), None, lambda: True)
    sent = []

    async def send(message):
        sent.append(message)

    asked = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "state": {}}
    asyncio.run(entrance(asked, None, send))
    assert sent[0]["status"] == status
    assert ((b"retry-after", b"1") in sent[0]["headers"]) == (status == 503)


def test_too_many_requests_are_told_so(shown, run_service):
    served = (Served("drawn", shown / "drawn.lookalike"),)
    with run_service(ServiceSettings(served, requests_a_second=0.001, requests_at_once=2)) as site:
        replies = [site.ask("/api/v1/collections") for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert int(replies[2].headers["retry-after"]) >= 1
        assert site.ask("/healthz").status == 200
