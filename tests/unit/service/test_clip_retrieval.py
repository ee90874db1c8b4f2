"""Programs written for clip-retrieval's service work against this one."""

from __future__ import annotations

import base64
import json

import pytest

import lookalike

SENT = {
    "text": None,
    "image": None,
    "image_url": None,
    "embedding_input": None,
    "deduplicate": True,
    "use_safety_model": True,
    "use_violence_detector": True,
    "indice_name": "drawn",
    "use_mclip": False,
    "aesthetic_score": 9,
    "aesthetic_weight": 0.5,
    "modality": "image",
    "num_images": 5,
    "num_result_ids": 5,
}
"""What `ClipClient` of clip-retrieval 2.45 sends."""


@pytest.fixture(scope="module")
def photos(shown):
    with lookalike.open(shown / "drawn.lookalike") as opened:
        yield opened


def knn(site, **asked):
    return site.ask("/knn-service", body=json.dumps(SENT | asked).encode())


def test_words_a_picture_and_an_embedding_are_answered_as_the_collection_does(site, photos, shown):
    path = min((shown / "pictures").glob("0*.png"))
    vector = photos.encoder.encode_texts(["red"])[0]
    for asked, same in (
        ({"text": "red circle"}, "red circle"),
        ({"image": base64.b64encode(path.read_bytes()).decode()}, path),
        ({"embedding_input": [float(value) for value in vector]}, vector),
    ):
        expected = photos.search(same, k=5, mode="meaning")
        told = knn(site, **asked).json
        assert [(each["id"], each["url"], each["similarity"]) for each in told] == [
            (hit.id, hit.uri, hit.score) for hit in expected
        ]


def test_collections_and_metadata_are_told(site, photos):
    assert site.ask("/indices-list").json == ["drawn", "none"]
    hit = photos.search("red", k=1)[0]
    told = site.ask("/metadata", body=json.dumps({"ids": [hit.id, "nobody"], "indice_name": "drawn"}).encode()).json
    assert [(each["id"], each["metadata"]["url"]) for each in told] == [(hit.id, hit.uri)]


def test_nothing_is_fetched_for_a_stranger_and_nonsense_is_refused(site):
    assert knn(site, image_url="http://127.0.0.1:1/a.jpg").json["code"] == "no-addresses"
    assert knn(site, image="%%%").json["code"] == "bad-value"
    assert knn(site, text="red", num_images=0).json["code"] == "bad-value"
    assert knn(site).json["code"] == "no-question"
    assert site.ask("/knn-service", body=b"[").status == 422
