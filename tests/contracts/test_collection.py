"""The same calls give the same answers, wherever a collection lies: on this computer or on an engine elsewhere.

Ids are made up by each collection, so items are told by where they are seen. Cosines agree within float16's rounding.
"""

from __future__ import annotations

import csv
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

import lookalike
from lookalike.core.errors import FilterError, NotForRemote, QueryError
from lookalike.engine.moving_collections import move_there
from lookalike.engine.remote_collection import RemoteCollection
from lookalike.remote.contract import PAGE
from lookalike.store.collection_store import Found, Store
from lookalike.testing import ToyEncoder, draw_pictures
from memory_engine import MemoryEngine
from remote_engines import ENGINES, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookalike.engine.any_collection import AnyCollection
    from lookalike.engine.reports import SyncReport

NEAR = 2e-3
"""Cosines that differ less are equal: float16 in between, and whatever an engine counts in."""
PICTURES = 120
"""Enough for relevance to be judged."""
MEMORY = "memory"
SHOP = PICTURES + 1 + 30
MORE = int(os.environ.get("LOOKALIKE_CONTRACT_ITEMS", "0"))
"""Items without pictures beside those of the shop: `make check-remote-scale` has 100,000."""
SAME = 0.9
"""Share of the hits of a question that are the same among many items: words and meaning are weighed by rows that are
drawn from the collection, and each draws others. So hits at the border differ."""


@contextmanager
def elsewhere(which: str, folder: Path) -> Iterator[Callable[[str], RemoteCollection]]:
    """What opens collections of a name on an engine, with the toy encoder."""
    if which == MEMORY:
        engines: dict[str, MemoryEngine] = {}
        yield lambda name: RemoteCollection(engines.setdefault(name, MemoryEngine()), encoder=ToyEncoder())
        return
    with served(which, folder) as engine_of:
        yield lambda name: RemoteCollection(engine_of(name), encoder=ToyEncoder())


@pytest.fixture(scope="module", params=[MEMORY, *ENGINES])
def opened(request, tmp_path_factory) -> Iterator[Callable[[str], RemoteCollection]]:
    with elsewhere(request.param, tmp_path_factory.mktemp("server")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    """Photos, one of them twice and one of them broken, and a catalogue that says more of some."""
    folder = tmp_path_factory.mktemp("shop")
    photos = folder / "photos"
    draw_pictures(photos, PICTURES)
    names = sorted(path.name for path in photos.iterdir())
    (photos / "deep").mkdir()
    shutil.copy(photos / names[0], photos / "deep" / "copy.png")
    (photos / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    sold = folder / "sold"
    draw_pictures(sold, 30, seed=1)
    with (folder / "catalogue.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "image", "title", "price", "sold_on", "group"])
        for at, path in enumerate(sorted(sold.iterdir())):
            title = f"{path.stem.split('-', 1)[1].replace('-', ' ')} shirt {'navy' if at % 3 else 'check'}"
            rows.writerow([f"art-{at}", f"sold/{path.name}", title, at * 2.5, f"2024-05-{at + 1:02}", at // 2])
    return folder


@pytest.fixture(scope="module")
def both(opened, shop, tmp_path_factory) -> Iterator[tuple[AnyCollection, AnyCollection, list[SyncReport]]]:
    """The collection of the shop on this computer and elsewhere, and what taking it in came to."""
    place = tmp_path_factory.mktemp("here") / "shop.lookalike"
    if MORE:
        with Store.open(place) as store:
            put_more(store)
            assert list(move_there(store, opened("both").engine))[-1].differing == ()
    with lookalike.open(place, encoder=ToyEncoder()) as here, opened("both") as there:
        paths = [shop / "photos", shop / "catalogue.csv"]
        yield here, there, [list(each.sync(paths))[-1] for each in (here, there)]


def put_more(store: Store) -> None:
    encoder, draw = ToyEncoder(), np.random.default_rng(9)
    with store.writer() as writer:
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        root = writer.add_root(b"imported:more", is_file=False).number
        for start in range(0, MORE, PAGE):
            vectors = draw.standard_normal((PAGE, encoder.dim))
            vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
            found = [
                Found(root, b"%d" % at, f"/more/{at}", 1, 1, at.to_bytes(16, "big"), None, None, None, "", {}, vector)
                for at, vector in enumerate(vectors[: MORE - start], start)
            ]
            writer.put(space, found)
        writer.finish([])
        writer.make_columns()


def assert_alike(here, there, *, ordered: bool = False) -> None:
    """The same hits in the same order, but for those of equal scores, the last of which may be others."""
    assert len(here) == len(there)
    if MORE and not ordered:
        assert len({hit.uri for hit in here} & {hit.uri for hit in there}) >= SAME * len(here)
        return
    assert [hit.score for hit in there] == pytest.approx([hit.score for hit in here], abs=NEAR)
    assert here.cut == there.cut
    if ordered:
        assert [hit.uri for hit in here] == [hit.uri for hit in there]
    last = here[-1].score if here else 0.0
    surely = {hit.uri for hit in here if hit.score > last + NEAR}
    assert surely <= {hit.uri for hit in there}
    of_there = {hit.uri: hit for hit in there}
    for hit in here:
        same = of_there.get(hit.uri)
        if same is not None:
            assert (hit.width, hit.height) == (same.width, same.height)
            assert {**hit.metadata, "copies": []} == {**same.metadata, "copies": []}
            # of a picture that was saved again elsewhere nothing is known there
            assert set(same.metadata.get("copies", ())) <= set(hit.metadata.get("copies", ()))
            assert (hit.relevance is None) == (same.relevance is None)
            if hit.relevance is not None:
                assert same.relevance == pytest.approx(hit.relevance, abs=0.1)  # each drew rows of its own


def test_taking_in_comes_to_the_same(both):
    _, _, (here, there) = both
    assert there.added == here.added == SHOP
    assert (there.encoded, there.reused) == (here.encoded, here.reused)
    assert [each.code for each in there.skipped] == [each.code for each in here.skipped]


QUESTIONS = {
    "words": ("red circle", {}),
    "a title": ("navy shirt", {}),
    "an exact name": ("art-7", {"mode": "words"}),
    "words only": ("check shirt", {"mode": "words"}),
    "meaning only": ("blue square", {"mode": "meaning"}),
    "a filter by number": ("red", {"where": "price < 20"}),
    "a filter by date and text": ("shirt", {"where": "sold_on >= 2024-05-10 and title ~ navy"}),
    "a filter of files": ("green", {"where": "format = JPEG and width > 10"}),
    "a filter that nothing meets": ("green", {"where": "price > 1000"}),
    "cut": ("purple triangle", {"min_relevance": "usual", "k": 50}),
    "variety": ("yellow", {"variety": 0.4}),
    "all copies": ("red triangle", {"all_copies": True, "k": 30}),
    "groups": ("shirt", {"group_by": "group", "where": "price >= 0"}),
    "no groups": ("shirt", {"group_by": "", "where": "price >= 0"}),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_get_the_same_answers(both, name):
    here, there, _ = both
    question, options = QUESTIONS[name]
    assert_alike(here.search(question, **options), there.search(question, **options))


def test_an_order_of_fields_is_the_same(both):
    here, there, _ = both
    options = {"order": "price desc", "where": "price >= 0", "k": 12}
    assert_alike(here.search("shirt", **options), there.search("shirt", **options), ordered=True)


def test_pictures_vectors_and_items_are_questions(both, shop):
    here, there, _ = both
    photo = sorted((shop / "photos").glob("*.*"))[5]
    vector = np.random.default_rng(1).standard_normal(here.encoder.dim).astype(np.float32)
    for question in (photo, photo.read_bytes(), vector):
        assert_alike(here.search(question), there.search(question))
    terms = [(lookalike.Term("item", str(photo)), lookalike.Term("text", "red", -0.4)) for _ in range(2)]
    assert_alike(here.search(terms[0]), there.search(terms[1]))
    liked = [collection.find_item("art-3").id for collection in (here, there)]
    assert_alike(here.search("blue", like=liked[0]), there.search("blue", like=liked[1]))


def test_a_folder_limits_answers(both, shop):
    here, there, _ = both
    deep = shop / "photos" / "deep"
    found = there.search("red", folder=deep)
    assert [hit.uri for hit in found] == [str(deep / "copy.png")]
    assert_alike(here.search("red", folder=shop / "sold"), there.search("red", folder=shop / "sold"))


def test_every_place_of_a_picture_is_known_where_one_of_them_answers(both, shop):
    """Also such as are no candidates, because the filter or the folder leaves them out."""
    here, there, _ = both
    deep = shop / "photos" / "deep"
    whole = str(min((shop / "photos").glob("*.*")))
    for options in ({"folder": deep}, {"where": "folder ~ deep"}):
        for collection in (here, there):
            (hit,) = collection.search("red", 5, **options)
            assert (hit.uri, hit.metadata["copies"]) == (str(deep / "copy.png"), [whole])
    for collection in (here, there):
        assert collection.item(str(deep / "copy.png"))["copies"] == [whole]


def test_several_questions_are_answered_in_order(both):
    here, there, _ = both
    questions = ["red", "blue", "green square"]
    for one, other in zip(here.search_many(questions, 5), there.search_many(questions, 5), strict=True):
        assert one.query == other.query
        assert_alike(one, other)


def test_pages_are_the_list_in_pieces(both):
    _, there, _ = both
    whole = [hit.id for hit in there.search("red", 9)]
    first = there.search_page("red", 3)
    second = there.search_page("red", 3, after=first.next)
    third = there.search_page("red", 3, after=second.next)
    assert [hit.id for page in (first, second, third) for hit in page] == whole


def test_fields_say_the_same(both):
    here, there, _ = both
    of_shop = "has width"  # elsewhere not all of a large collection are read
    known, told = ({each.name: each.as_dict() for each in collection.fields(of_shop)} for collection in (here, there))
    assert told.keys() == known.keys()
    for name in known.keys() - {"id"}:  # ids are made up
        assert told[name]["items"] == known[name]["items"], name
        assert told[name]["kind"] == known[name]["kind"], name
        assert (told[name]["least"], told[name]["most"]) == (known[name]["least"], known[name]["most"]), name
    under = "price < 20"
    assert {each.name: each.items for each in there.fields(under)} == {
        each.name: each.items for each in here.fields(under)
    }


def test_an_item_is_known_by_id_and_by_path(both, shop):
    here, there, _ = both
    path = str(sorted((shop / "photos").glob("*.*"))[3])
    known, told = here.item(path), there.item(path)
    assert {**told, "id": ""} == {**known, "id": ""}
    assert there.item(told["id"]) == told
    record, stream = there.open_item(told["id"])
    with stream:
        assert len(stream.read()) == record.size
    for collection in (here, there):
        with pytest.raises(QueryError):
            collection.item("nobody")


def test_what_was_not_taken_is_listed(both):
    here, there, _ = both
    assert [(each.uri, each.code, each.reason) for each in there.failures()] == [
        (each.uri, each.code, each.reason) for each in here.failures()
    ]
    assert there.status()["failures"] == 1
    assert there.status()["items"] == SHOP + MORE


def test_a_filter_that_says_nothing_known_is_refused_alike(both):
    for collection in both[:2]:
        with pytest.raises(FilterError, match="prize"):
            collection.search("red", where="prize < 5")


def test_everything_stored_is_whole(both):
    assert both[1].verify(sample=20).problems == ()


def test_what_only_a_collection_here_can_do_is_said(both):
    with pytest.raises(NotForRemote, match="encoder") as refused:
        both[1].migrate("builtin")
    assert "lookalike move" in refused.value.hint


def test_a_second_run_changes_nothing(both, shop):
    _, there, _ = both
    before = there.generation
    report = list(there.sync())[-1]
    assert (report.added, report.changed, report.moved, report.removed, report.encoded) == (0, 0, 0, 0, 0)
    assert len(there.search("red", 200, all_copies=True)) == min(SHOP + MORE, 200)
    assert there.generation >= before


def test_files_that_move_change_and_go_are_followed(opened, pictures, tmp_path):
    with lookalike.open(tmp_path / "here.lookalike", encoder=ToyEncoder()) as here, opened("changing") as there:
        collections = (here, there)
        for collection in collections:
            list(collection.sync([pictures]))
        names = sorted(pictures.iterdir())
        kept = there.find_item(str(names[0])).id
        names[0].rename(pictures / "moved.png")
        names[1].unlink()
        shutil.copy(names[2], names[3])
        (pictures / "deep").mkdir()
        shutil.copy(names[4], pictures / "deep" / "twin.png")
        reports = [list(collection.sync())[-1] for collection in collections]
        for name in ("added", "changed", "moved", "removed", "encoded", "reused"):
            assert getattr(reports[1], name) == getattr(reports[0], name), name
        assert there.find_item(str(pictures / "moved.png")).id == kept
        assert_alike(here.search("red", 40), there.search("red", 40))


def test_what_is_removed_stays_out_until_it_is_asked_for(opened, pictures):
    with opened("removing") as there:
        list(there.sync([pictures]))
        path = min(pictures.iterdir())
        assert there.remove(path) == 1
        assert there.remove(path) == 0
        assert list(there.sync())[-1].added == 0
        with pytest.raises(QueryError):
            there.item(str(path))
        assert list(there.sync([path]))[-1].added == 1


def test_a_collection_that_is_not_there_has_nothing_to_answer(opened):
    with opened("nothing") as there:
        assert there.status()["items"] == 0
        with pytest.raises(QueryError, match="no collection"):
            there.search("red")
