"""The API answers what the core answers, and says what is wrong with a request."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

import lookalike


@pytest.fixture(scope="module")
def photos(shown):
    with lookalike.open(shown / "drawn.lookalike") as opened:
        yield opened


def ids(results) -> list[str]:
    return [hit["id"] for hit in results["hits"]]


def test_words_are_answered_as_the_collection_answers_them(site, photos):
    assert site.search(q="red circle", k=7)["hits"] == photos.search("red circle", k=7).as_dict()["hits"]


def test_a_question_as_json_may_have_weights_a_filter_and_an_order(site, photos):
    asked = {"terms": [{"text": "red"}, {"text": "circle", "weight": -0.5}], "k": 5, "where": "format = PNG"}
    told = site.post("/api/v1/search", asked).json
    terms = (lookalike.Term("text", "red"), lookalike.Term("text", "circle", -0.5))
    assert told["hits"] == photos.search(terms, k=5, where="format = PNG").as_dict()["hits"]
    by_size = site.search(q="red", k=50, order="size desc", min_relevance=0)
    assert [each["rank"] for each in by_size["hits"]] == list(range(1, len(by_size["hits"]) + 1))


def test_a_picture_is_asked_with_by_upload(site, photos, shown):
    path = sorted((shown / "pictures").glob("*.png"))[3]
    told = site.upload("/api/v1/search", "image", path.read_bytes(), {"question": '{"k": 4}'}).json
    assert told["hits"] == photos.search(path, k=4).as_dict()["hits"]


def test_a_vector_and_an_item_are_asked_with(site, photos):
    vector = photos.encoder.encode_texts(["a blue square"])[0]
    told = site.post("/api/v1/search", {"vector": [float(value) for value in vector], "k": 3}).json
    assert ids(told) == [hit.id for hit in photos.search(vector, k=3)]
    first = ids(told)[0]
    like = site.search(item=first, k=4)
    assert ids(site.item(first, "/similar", k=3).json) == [each for each in ids(like) if each != first][:3]


def test_pages_follow_each_other_without_repeating_anything(site):
    shown, after = [], "start"
    while after:
        told = site.search(q="red", k=50, after=after)
        shown += ids(told)
        after = told["next"]
    assert len(shown) == len(set(shown)) == 120


def test_an_item_its_picture_and_its_file(site, photos, shown):
    hit = photos.search("red", k=1)[0]
    assert site.item(hit.id).json == photos.item(hit.id)
    small = site.item(hit.id, "/thumbnail", size=100)
    assert (small.status, small.headers["content-type"]) == (200, "image/webp")
    with Image.open(io.BytesIO(small.body)) as image:
        assert max(image.size) == 96  # the picture itself is no larger
    again = site.ask(f"/api/v1/items/{hit.id}/thumbnail?size=100", headers={"If-None-Match": small.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    whole = site.item(hit.id, "/original")
    assert whole.body == (shown / "pictures" / hit.uri.rsplit("/", 1)[-1]).read_bytes()
    assert whole.headers["content-type"] in {"image/jpeg", "image/png"}


def test_what_the_collection_holds(site):
    assert site.ask("/api/v1/status").json["items"] == 120
    assert {each["name"] for each in site.ask("/api/v1/fields").json} >= {"format", "width", "folder"}
    assert [each["code"] for each in site.ask("/api/v1/failures").json] == ["damaged"]
    served = site.ask("/api/v1/collections").json
    assert [(each["name"], each["items"]) for each in served] == [("drawn", 120), ("none", 0)]
    assert site.ask("/healthz").json == {"status": "alive"}
    assert site.ask("/readyz").json == {"status": "ready"}


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/api/v1/search", {}, 422, "no-question"),
        ("/api/v1/search", {"q": "red", "k": 0}, 422, "bad-value"),
        ("/api/v1/search", {"q": "red", "k": 1001}, 422, "bad-value"),
        ("/api/v1/search", {"q": "red", "wher": "x"}, 422, "bad-value"),
        ("/api/v1/search", {"q": "red", "where": "price <"}, 400, "bad-filter"),
        ("/api/v1/search", {"q": "red", "order": "nothing"}, 400, "bad-query"),
        ("/api/v1/search", {"q": " "}, 400, "bad-query"),
        ("/api/v1/search", {"q": "red", "after": "forged"}, 400, "bad-query"),
        ("/api/v1/search", {"q": "red", "collection": "other"}, 404, "no-collection"),
        ("/api/v1/search", {"q": "red", "collection": "none"}, 503, "empty"),
        ("/api/v1/items/nobody", {}, 404, "no-item"),
        ("/api/v1/items/nobody/thumbnail", {}, 404, "no-item"),
        ("/api/v1/items/nobody/original", {}, 404, "no-item"),
        ("/api/v1/nothing", {}, 404, "not-found"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_that_says_why(site, path, query, status, code):
    reply = site.ask(path, **query)
    assert (reply.status, reply.json["code"], reply.json["status"]) == (status, code, status), reply.body
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["request"] == reply.headers["x-request-id"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"vector": [0.0] * 256}, 400), ({"vector": [1.0] * 3}, 400), ({"terms": [{"text": "a", "item": "b"}]}, 422)],
)
def test_a_question_that_means_nothing_is_refused(site, asked, status):
    assert site.post("/api/v1/search", asked).status == status


def test_an_upload_that_is_no_picture_or_too_large_is_refused_and_names_no_path(site):
    broken = site.upload("/api/v1/search", "image", b"\xff\xd8\xff\xe0 no picture")
    assert (broken.status, broken.json["code"]) == (415, "not-a-picture")
    assert "/" not in broken.json["detail"]
    assert site.upload("/api/v1/search", "image", b"x" * 300_001).json["code"] == "too-large"
    assert site.upload("/api/v1/search", "image", b"x" * 2_000_000).status == 413
    assert site.upload("/api/v1/search", "other", b"x").json["code"] == "no-question"
    assert site.ask("/api/v1/search", body=b"red", headers={"Content-Type": "text/plain"}).status == 415
    assert site.ask("/api/v1/search", body=b"{", headers={"Content-Type": "application/json"}).status == 422


def test_encoders_at_hand_are_those_of_the_command_line(site, capfd):
    from lookalike.cli.main import main

    main(["encoders", "--json"])
    told = json.loads(capfd.readouterr().out)
    here = site.ask("/api/v1/encoders").json
    assert here == {"encoders": [each for each in told["encoders"] if each["installed"]], "own": told["own"]}
    assert here["encoders"][0]["name"] == "builtin"


def test_counts_of_a_fields_values_are_under_a_filter(site):
    (colours,) = site.ask("/api/v1/fields", name="colours", values=3).json
    assert len(colours["frequent"]) == 3
    (narrow,) = site.ask("/api/v1/fields", name="colours", where='name ~ "red"').json
    assert 0 < narrow["items"] < colours["items"]
    assert narrow["frequent"][0]["value"] == "red"
    assert site.ask("/api/v1/fields", where="price < ").json["code"] == "bad-filter"
