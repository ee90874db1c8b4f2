"""A client of a service answers as the collection itself."""

from __future__ import annotations

import pytest
from PIL import Image

import lookalike
from lookalike import Client, Query, QueryError, ServiceError, Term
from lookalike.core.conditions import Compare


@pytest.fixture(scope="module")
def photos(shown):
    with lookalike.open(shown / "drawn.lookalike") as opened:
        yield opened


@pytest.fixture(scope="module")
def client(site):
    with Client(site.base) as opened:
        yield opened


def same(one, other) -> bool:
    return (one.hits, one.query, one.encoder, one.plan, one.cut, one.next) == (
        other.hits,
        other.query,
        other.encoder,
        other.plan,
        other.cut,
        other.next,
    )


def test_every_kind_of_question_is_answered_as_by_the_collection(client, photos, shown):
    path = min((shown / "pictures").glob("0*.png"))
    vector = photos.encoder.encode_texts(["a red circle"])[0]
    first = photos.search("red", k=1)[0].id
    for query in ("red circle", vector, (Term("text", "red"), Term("text", "circle", -0.5), Term("item", first))):
        assert same(client.search(query, k=7), photos.search(query, k=7))
    for picture in (path, path.read_bytes(), Image.open(path)):
        assert client.search(picture, k=7).hits == photos.search(picture, k=7).hits
    mixed = (Term("text", "red"), Term("picture", Image.open(path), -0.3))
    assert client.search(mixed, k=7).hits == photos.search(mixed, k=7).hits


def test_every_option_means_the_same(client, photos, shown):
    ids = [hit.id for hit in photos.search("blue", k=2)]
    for options in (
        {"where": "format = PNG", "order": "size desc", "min_relevance": 0.0},
        {"where": Compare("width", ">", 10), "variety": 0.5},
        {"like": ids[0], "unlike": [ids[1]], "all_copies": True, "mode": "meaning"},
        {"folder": shown / "pictures", "group_by": "format", "min_relevance": 0.1},
    ):
        assert same(client.search("red", k=9, **options), photos.search("red", k=9, **options)), options
    asked = Query((Term("text", "red"),), k=4, where="format = JPEG")
    assert same(client.search(asked), photos.search(asked))
    assert [each.query for each in client.search_many(["red", "blue"], k=2)] == ["red", "blue"]


def test_pages_items_and_descriptions(client, photos):
    page = client.search_page("red", k=30)
    more = client.search_page("red", k=30, after=page.next)
    assert page.hits == photos.search_page("red", k=30).hits
    assert more.hits == photos.search_page("red", k=30, after=page.next).hits
    assert client.item(page[0].id) == photos.item(page[0].id)
    with client.open_item(page[0].id) as file:
        assert file.read(2) in {b"\xff\xd8", b"\x89P"}
    assert client.status()["items"] == 120
    assert [each["name"] for each in client.fields()] == [each.name for each in photos.fields()]
    assert [each["code"] for each in client.failures()] == ["damaged"]


def test_what_is_refused_carries_its_status_and_code(client, site):
    with pytest.raises(ServiceError, match="filter") as refused:
        client.search("red", where="price <")
    assert (refused.value.status, refused.value.code) == (400, "bad-filter")
    with pytest.raises(ServiceError) as none:
        Client(site.base, collection="none").search("red")
    assert none.value.code == "empty"
    with pytest.raises(QueryError, match="one picture"):
        client.search((Term("picture", b"a"), Term("picture", b"b")))
    with pytest.raises(ServiceError, match="does not answer") as silent:
        Client("http://127.0.0.1:9").status()
    assert silent.value.status == 0
