"""A service on a collection elsewhere: milvus-lite's server, which goes away and comes back."""

from __future__ import annotations

import time

import lookalike
from lookalike.remote.opening import Access
from lookalike.service.settings import Served, ServiceSettings
from lookalike.testing import draw_pictures
from milvus_servers import START_S, milvus_server

SOON_S = 3
"""How long the service waits for the engine: longer than an answer takes, but on a busy machine."""


def answered(site, path: str, **query):
    """The answer, asked for until there is one: an engine that is slow or not back yet is said to be away."""
    end = time.monotonic() + START_S
    while (reply := site.ask(path, **query)).status != 200:
        assert (reply.status, time.monotonic() < end) == (503, True), reply.body
    return reply


def test_it_answers_as_ever_says_when_the_engine_is_away_and_goes_on(run_service, tmp_path):
    draw_pictures(tmp_path / "pictures", 12)
    (tmp_path / "milvus").mkdir()
    with milvus_server(tmp_path / "milvus") as server:
        address = f"{server.address}/shop"
        with lookalike.open_remote(address, access=Access(timeout_s=START_S)) as collection:
            list(collection.sync([tmp_path / "pictures"]))
        served = (Served("shop", address),)
        settings = ServiceSettings(served, access=Access(timeout_s=SOON_S), cache=tmp_path / "cache")
        with run_service(settings) as site:
            hits = answered(site, "/api/v1/search", q="red", k=3).json["hits"]
            assert len(hits) == 3
            answered(site, "/readyz")
            answered(site, f"/api/v1/items/{hits[0]['id']}/thumbnail")
            assert list((tmp_path / "cache").rglob("*.webp"))
            answered(site, "/status")
            answered(site, "/metrics")
            server.kill()
            away = site.ask("/api/v1/search", q="blue")
            assert (away.status, away.json["code"]) == (503, "engine-away")
            server.start()
            again = answered(site, "/api/v1/search", q="red", k=3).json["hits"]
            assert [hit["id"] for hit in again] == [hit["id"] for hit in hits]
            answered(site, "/readyz")
