"""A service on a collection elsewhere: milvus-lite's server, which goes away and comes back."""

from __future__ import annotations

import lookalike
from lookalike.remote.opening import Access
from lookalike.service.settings import Served, ServiceSettings
from lookalike.testing import draw_pictures
from milvus_servers import MilvusServer


def test_it_answers_as_ever_says_when_the_engine_is_away_and_goes_on(run_service, tmp_path):
    draw_pictures(tmp_path / "pictures", 12)
    (tmp_path / "milvus").mkdir()
    server = MilvusServer(tmp_path / "milvus")
    server.start()
    try:
        address = f"{server.address}/shop"
        with lookalike.open_remote(address) as collection:
            list(collection.sync([tmp_path / "pictures"]))
        served = (Served("shop", address),)
        settings = ServiceSettings(served, access=Access(timeout_s=2), cache=tmp_path / "cache")
        with run_service(settings) as site:
            hits = site.ask("/api/v1/search", q="red", k=3).json["hits"]
            assert len(hits) == 3
            assert site.ask("/readyz").status == 200
            assert site.item(hits[0]["id"], "/thumbnail").status == 200
            assert list((tmp_path / "cache").rglob("*.webp"))
            assert site.ask("/status").status == 200
            assert site.ask("/metrics").status == 200
            server.kill()
            away = site.ask("/api/v1/search", q="blue")
            assert (away.status, away.json["code"]) == (503, "engine-away")
            server.start()
            while site.ask("/readyz").status != 200:
                pass
            assert [hit["id"] for hit in site.ask("/api/v1/search", q="red", k=3).json["hits"]] == [
                hit["id"] for hit in hits
            ]
    finally:
        server.kill()
