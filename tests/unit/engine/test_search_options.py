"""What a search takes beside the question: filters, modes, cuts, orders, variety, feedback, groups and pages."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike import QueryError
from lookalike.core.conditions import Compare
from lookalike.core.errors import FilterError
from lookalike.core.records import Hit, Query, Term
from lookalike.engine import nearest
from lookalike.engine import ranking as ranking_of
from lookalike.engine import search as searching
from lookalike.engine.answers import OTHERS
from lookalike.engine.order import SortKey, order_by
from lookalike.engine.ranking import Ranking
from lookalike.images.catalogue_plan import CatalogueOptions
from lookalike.testing import ToyEncoder, draw_pictures

COLOURS = ("red", "green", "blue", "yellow")


@pytest.fixture(autouse=True)
def few_are_judged(monkeypatch):
    """So few pictures would have no relevance at all."""
    monkeypatch.setattr("lookalike.engine.judging.LEAST_ROWS", 6)


@pytest.fixture
def shop(tmp_path):
    """24 drawn products in a table: title, colour, price; each colour is one product in several pictures."""
    drawn = draw_pictures(tmp_path / "photos", 24)
    rows = [("id", "image", "title", "price", "line")]
    for number, path in enumerate(drawn):
        _, colour, shape = path.stem.split("-")
        rows.append((f"SKU-{number:03}", f"photos/{path.name}", f"{colour} {shape} no {number}", number, colour))
    with (tmp_path / "shop.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with lookalike.open(tmp_path / "shop.lookalike", encoder=ToyEncoder()) as opened:
        for _ in opened.sync([tmp_path / "shop.csv"]):
            pass
        yield opened


def ids(results):
    return [hit.id for hit in results]


def prices(results):
    return [hit.metadata["price"] for hit in results]


def test_a_filter_as_text_or_as_its_tree_limits_the_answers(shop):
    for where in ("price < 6", Compare("price", "<", 6)):
        results = shop.search("circle", k=50, where=where, mode="meaning")
        assert sorted(prices(results)) == [0, 1, 2, 3, 4, 5]


def test_a_filter_and_a_folder_hold_together(shop, tmp_path):
    assert len(shop.search("red", k=50, where="price < 6", folder=tmp_path / "photos")) == 6
    assert not shop.search("red", k=50, where="price < 6", folder=tmp_path / "elsewhere")


def test_a_mistake_in_a_filter_points_at_its_place(shop):
    with pytest.raises(FilterError, match="no field prise") as caught:
        shop.search("red", where="title ~ red and prise < 6")
    assert caught.value.position == len("title ~ red and ")
    assert "price" in caught.value.hint


def test_a_copy_does_not_stand_for_an_item_that_misses_the_filter(tmp_path):
    (one,) = draw_pictures(tmp_path / "photos", 1)
    (tmp_path / "photos" / "twin").mkdir()
    (tmp_path / "photos" / "twin" / "same.png").write_bytes(one.read_bytes())
    with lookalike.open(tmp_path / "c.lookalike", encoder=ToyEncoder()) as opened:
        list(opened.sync([tmp_path / "photos"]))
        (hit,) = opened.search("red", where='name = "same.png"')
        assert Path(hit.uri).name == "same.png"
        assert [Path(uri).name for uri in hit.metadata["copies"]] == [one.name]


def test_words_alone_find_what_has_them_and_nothing_else(shop):
    results = shop.search("yellow", k=50, mode="words")
    assert len(results) > 0
    assert all("yellow" in hit.metadata["title"] for hit in results)
    assert not shop.search("zeppelin", k=50, mode="words")


def test_a_product_number_or_whole_title_comes_first(shop):
    assert ids(shop.search("SKU-017", k=3))[0] == "SKU-017"
    title = shop.item("SKU-011")["metadata"]["title"]
    assert ids(shop.search(title, k=3))[0] == "SKU-011"


def test_relevance_is_a_chance_that_falls_with_the_rank_and_cuts(shop):
    every = shop.search("red circle", k=24, mode="meaning")
    chances = [hit.relevance for hit in every]
    assert all(0 <= chance <= 1 for chance in chances)
    assert chances == sorted(chances, reverse=True)
    middle = chances[11]
    cut = shop.search("red circle", k=24, mode="meaning", min_relevance=middle)
    assert ids(cut) == [hit.id for hit in every if hit.relevance >= middle]
    assert cut.cut == (len(cut) < 24)


def test_a_vector_has_no_relevance_unless_a_cut_is_asked_for(shop):
    vector = shop.encoder.encode_texts(["red"])[0]
    assert {hit.relevance for hit in shop.search(vector)} == {None}
    assert None not in {hit.relevance for hit in shop.search(vector, min_relevance=0.0)}


def test_an_order_sorts_what_is_relevant(shop):
    results = shop.search("red", k=5, order="price desc", min_relevance=0.0)
    assert prices(results) == [23, 22, 21, 20, 19]
    assert [hit.rank for hit in results] == [1, 2, 3, 4, 5]
    with pytest.raises(QueryError, match="no field"):
        shop.search("red", order="weight")


def test_a_number_too_long_for_a_float_is_sorted():
    hits = [Hit(1, 0.5, None, name, name, 1, 1, {"n": value}) for name, value in (("a", 10**400), ("b", float("nan")))]
    assert [hit.id for hit in order_by(hits, [SortKey("n")])] == ["a", "b"]


def test_variety_answers_with_more_different_pictures(shop):
    plain, varied = (shop.search("red", k=8, mode="meaning", variety=variety) for variety in (0.0, 0.9))
    assert ids(plain)[0] == ids(varied)[0]
    assert len({hit.metadata["line"] for hit in varied}) > len({hit.metadata["line"] for hit in plain})


def test_what_is_liked_draws_the_answers_and_what_is_disliked_drives_them_away(shop):
    target = ids(shop.search("blue square", k=1, mode="meaning"))[0]

    def place(**options):
        return ids(shop.search("red circle", k=24, mode="meaning", **options)).index(target)

    assert place(like=[target]) <= place() <= place(unlike=[target])
    with pytest.raises(QueryError, match="no item"):
        shop.search("red", like=["nothing"])


def test_pictures_of_one_product_share_one_place(shop):
    grouped = shop.search("red", k=24, group_by="line", mode="meaning")
    lines = [hit.metadata["line"] for hit in grouped]
    assert len(lines) == len(set(lines))
    assert sum(1 + len(hit.metadata.get(OTHERS, [])) for hit in grouped) == 24
    assert len(shop.search("red", k=24, group_by="")) == 24


def test_pages_are_the_list_cut_into_pieces(shop):
    whole = ids(shop.search("red", k=24))
    pages, cursor = [], None
    while True:
        page = shop.search_page("red", 10, after=cursor)
        pages += ids(page)
        cursor = page.next
        if cursor is None:
            break
    assert pages == whole


def test_a_filter_for_true_is_not_answered_as_one_for_1(shop):
    one, true = Compare("price", "=", 1), Compare("price", "=", True)
    assert prices(shop.search("red", where=one, mode="meaning")) == [1]
    assert not shop.search("red", where=true, mode="meaning")
    queries = [Query((Term("text", "red"),), where=each, mode="meaning") for each in (one, true)]
    assert [len(results) for results in shop.search_many(queries)] == [1, 0]


def test_an_order_sorts_the_copies_of_every_picture(tmp_path):
    drawn = draw_pictures(tmp_path / "photos", 10)
    (tmp_path / "photos" / "again").mkdir()
    for path in drawn:
        (tmp_path / "photos" / "again" / path.name).write_bytes(path.read_bytes())
    with lookalike.open(tmp_path / "c.lookalike", encoder=ToyEncoder()) as opened:
        list(opened.sync([tmp_path / "photos"]))
        for order, wanted in (("name", drawn[0].name), ("name desc", drawn[-1].name)):
            found = opened.search("red", k=2, order=order, all_copies=True, min_relevance=0.0)
            assert [Path(hit.uri).name for hit in found] == [wanted, wanted]


def test_words_that_nothing_more_has_are_not_looked_for_again(shop, monkeypatch):
    monkeypatch.setattr(ranking_of, "FUSED_DEPTH", 6)
    depths = []
    monkeypatch.setattr(searching, "near", lambda *args, k, **how: depths.append(k) or nearest.near(*args, k=k, **how))
    shop.search("zeppelin", k=6, mode="words")
    assert depths == [6]


def test_what_words_brought_in_and_is_cut_ends_no_search(shop):
    """The nearest row is relevant, so farther ones may be; only then do cut rows tell that there are none."""
    query = Query((Term("text", "red"),), min_relevance=0.5)
    scores = np.array([0.5, 0.4, 0.1], np.float32)
    ranking = Ranking(np.arange(3), scores, relevance=np.array([0.9, 0.8, 0.1], np.float32))
    for farthest, ended in ((0.8, False), (0.4, True)):
        cut = ranking_of._cut(query, ranking, np.array([0.9, farthest], np.float32), usual=0.3)
        assert (cut.rows.tolist(), cut.cut, cut.ended) == ([0, 1], True, ended)


def test_a_collection_groups_by_what_it_was_last_told(shop, tmp_path):
    assert len(shop.search("red", k=24)) == 24
    list(shop.sync([tmp_path / "shop.csv"], catalogue=CatalogueOptions(group_by="line")))
    assert len(shop.search("red", k=24)) == len({hit.metadata["line"] for hit in shop.search("red", k=24, group_by="")})


def test_a_query_without_terms_is_refused(shop):
    with pytest.raises(QueryError, match="empty"):
        shop.search(Query(()))


def test_options_that_mean_nothing_are_refused(shop):
    for options in ({"mode": "magic"}, {"variety": 2}, {"min_relevance": -1}):
        with pytest.raises(ValueError, match=next(iter(options))):
            shop.search("red", **options)
    with pytest.raises(TypeError, match="colour"):
        shop.search("red", colour="red")


def test_only_words_can_be_asked_by_words_alone(shop):
    with pytest.raises(QueryError, match="not words only"):
        shop.search(shop.encoder.encode_texts(["red"])[0], mode="words")


def test_one_item_is_liked_as_a_list_of_one_is(shop):
    target = ids(shop.search("blue square", k=1))[0]
    one, several = (ids(shop.search("red", k=5, like=each)) for each in (target, [target]))
    assert one == several
    assert ids(shop.search("red", k=5, like=None)) == ids(shop.search("red", k=5))
