"""What a search answers, for every kind of query."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike
from lookalike import QueryError
from lookalike.core.errors import NoTextTower
from lookalike.core.records import Query, Term
from lookalike.testing import ToyEncoder, draw_pictures


def names(results):
    return [Path(hit.uri).name for hit in results]


def test_words_find_pictures_of_what_they_name(collection):
    results = collection.search("red circle", k=3)
    assert names(results)[0] == "0008-red-circle.png"
    assert [hit.rank for hit in results] == [1, 2, 3]
    scores = [hit.score for hit in results]
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= score <= 1 for score in scores)


def test_every_kind_of_picture_query_finds_the_picture_itself(collection, pictures):
    path = pictures / "0010-yellow-circle.jpg"
    image = Image.open(path).convert("RGB")
    item = next(hit.id for hit in collection.search("yellow circle", k=24) if hit.uri == str(path))
    vector = collection.encoder.encode_images([np.asarray(image)])[0]
    for query in (path, path.read_bytes(), image, np.asarray(image), vector, Query((Term("item", item),), k=1)):
        assert names(collection.search(query, k=1)) == [path.name]


def test_a_str_is_always_words_even_when_a_file_has_that_name(collection, pictures):
    with_words = collection.search(str(pictures / "0010-yellow-circle.jpg"), k=1)
    assert with_words.query == str(pictures / "0010-yellow-circle.jpg")
    assert collection.search("yellow", k=1)[0].score != pytest.approx(1.0, abs=1e-3)


def test_signed_terms_are_summed(collection):
    query = Query((Term("text", "red circle"), Term("text", "circle", -1.0), Term("text", "square")), k=1)
    assert names(collection.search(query)) == ["0016-red-square.jpg"]


def test_terms_that_cancel_out_are_an_error(collection):
    with pytest.raises(QueryError, match="cancel"):
        collection.search(Query((Term("text", "red"), Term("text", "red", -1.0))))


def test_a_folder_limits_answers_to_what_lies_below_it(collection, pictures, tmp_path):
    draw_pictures(pictures / "sub", 8, seed=9)
    list(collection.sync())
    results = collection.search("red", k=50, folder=pictures / "sub")
    assert len(results) == 8
    assert all(Path(hit.uri).parent.name == "sub" for hit in results)
    assert "8 of 32" in results.plan.reason


def test_more_answers_than_pictures_gives_all_pictures(collection):
    assert len(collection.search("red", k=500)) == 24


def test_copies_share_one_place_and_are_named_in_its_metadata(collection, pictures):
    source = pictures / "0008-red-circle.png"
    (pictures / "zz-copy.jpg").write_bytes(source.read_bytes())
    list(collection.sync())
    best = collection.search("red circle", k=1)[0]
    assert {best.uri, *best.metadata["copies"]} == {str(source), str(pictures / "zz-copy.jpg")}
    assert len(collection.search("red circle", k=50)) == 24
    assert len(collection.search("red circle", k=50, all_copies=True)) == 25
    assert len(collection.search("red circle", k=2, all_copies=True)) == 2


def test_copies_outside_the_folder_asked_for_are_named_and_no_hits(collection, pictures):
    source = pictures / "0008-red-circle.png"
    (pictures / "sub").mkdir()
    inside = pictures / "sub" / "copy.png"
    inside.write_bytes(source.read_bytes())
    list(collection.sync())
    for all_copies in (False, True):
        results = collection.search("red circle", k=50, folder=pictures / "sub", all_copies=all_copies)
        assert [hit.uri for hit in results] == [str(inside)]
    assert collection.search("red circle", folder=pictures / "sub")[0].metadata["copies"] == [str(source)]


def test_many_queries_at_once_answer_as_one_by_one(collection):
    asked = ["red", "blue square", "green circle"]
    together = collection.search_many(asked, k=5)
    for query, results in zip(asked, together, strict=True):
        alone = collection.search(query, k=5)
        assert results.query == query
        assert [(hit.id, hit.rank) for hit in results] == [(hit.id, hit.rank) for hit in alone]
        assert [hit.score for hit in results] == pytest.approx([hit.score for hit in alone], abs=1e-5)


@pytest.mark.parametrize(
    "query",
    ["", "  \n", 5, None, np.zeros((3, 3)), np.zeros(7, np.float32), np.zeros(64, np.float32), np.full(64, np.nan)],
)
def test_what_is_no_query_is_refused_with_a_sentence(collection, query):
    with pytest.raises(QueryError):
        collection.search(query)


def test_k_below_one_is_a_wrong_argument(collection):
    with pytest.raises(ValueError, match="k is 0"):
        collection.search("red", k=0)


def test_a_picture_query_that_is_no_picture_names_the_file(collection, tmp_path):
    (tmp_path / "no.jpg").write_bytes(b"no")
    with pytest.raises(lookalike.CannotDecode, match=r"no\.jpg"):
        collection.search(tmp_path / "no.jpg")
    with pytest.raises(QueryError, match=r"missing\.jpg"):
        collection.search(tmp_path / "missing.jpg")


def test_a_folder_is_no_picture_query(collection, pictures):
    with pytest.raises(QueryError, match="is no file"):
        collection.search(pictures)


def test_a_query_is_described_without_the_numbers_of_its_vectors(collection):
    query = Query((Term("vector", np.ones(64), 0.5), Term("text", "red", -1.0)), k=1)
    assert collection.search(query).query == "0.5:(vector) - red"


def test_an_empty_collection_says_how_to_fill_it(tmp_path, toy):
    with lookalike.open(tmp_path / "e.lookalike", encoder=toy) as empty, pytest.raises(QueryError) as refused:
        empty.search("red")
    assert "lookalike index" in refused.value.hint


def test_words_for_an_encoder_without_words_are_refused(tmp_path, pictures):
    with lookalike.open(tmp_path / "p.lookalike", encoder=ToyEncoder("mute", text=False)) as mute:
        list(mute.sync([pictures]))
        with pytest.raises(NoTextTower):
            mute.search("red")
        assert names(mute.search(pictures / "0001-orange-triangle.jpg", k=1)) == ["0001-orange-triangle.jpg"]


def test_results_as_json_have_the_documented_keys(collection):
    given = collection.search("red", k=1).as_dict()
    assert list(given) == ["query", "encoder", "plan", "took_ms", "cut", "generation", "next", "hits"]
    assert list(given["hits"][0]) == ["rank", "score", "relevance", "id", "uri", "width", "height", "metadata"]
    assert given["took_ms"].keys() == {"load", "encode", "search", "fetch", "total"}
