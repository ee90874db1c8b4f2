"""A collection of every released format opens for ever, whatever this version writes itself.

`tools/make_golden.py` made them, with the toy encoder, over the pictures beside them. Their root was a place that is on
no machine, so all they hold is offline until the copied pictures are indexed where they lie now.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import lookalike
from lookalike import Collection
from lookalike.engine.likeness_words import reasons_of, why_alike
from lookalike.store.collection_store import Store

ITEMS, PICTURES = 14, 12
RED_CIRCLE = "0008-red-circle.png"
TABLES = {
    "collection",
    "settings",
    "spaces",
    "segments",
    "roots",
    "pictures",
    "contents",
    "items",
    "failures",
    "vectors",
}


FORMATS = sorted(Path(__file__).parent.glob("format-*"), key=lambda path: int(path.name.removeprefix("format-")))
WITH_DECISIONS = [path for path in FORMATS if int(path.name.removeprefix("format-")) >= 7]


@pytest.fixture(params=FORMATS, ids=lambda path: path.name)
def golden(request, tmp_path: Path) -> Path:
    """A copy: `collection` and `pictures` in one folder."""
    return shutil.copytree(request.param, tmp_path / "golden")


@pytest.fixture
def opened(golden, toy):
    with lookalike.open(golden / "collection", encoder=toy, create=False) as collection:
        yield collection


def names(results) -> list[str]:
    return [Path(hit.uri).name for hit in results]


def test_every_table_has_rows_and_the_vectors_were_compacted_once(golden):
    with closing(sqlite3.connect(golden / "collection" / "collection.sqlite")) as connection:
        assert all(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES)
        assert connection.execute("SELECT epoch FROM spaces").fetchall() == [(1,)]


def test_it_holds_what_it_held(opened):
    status = opened.status()
    assert (status["items"], status["pictures"], status["failures"]) == (ITEMS, PICTURES, 1)
    assert [Path(each.uri).name for each in opened.failures()] == ["broken.jpg"]
    assert opened.verify().problems == ()


def test_words_and_pictures_find_the_same_as_ever(opened, golden):
    assert names(opened.search("red circle", k=1)) == [RED_CIRCLE]
    (hit,) = opened.search(golden / "pictures" / "moved" / "renamed.png", k=1)
    assert Path(hit.uri).parts[-2:] == ("moved", "renamed.png")
    assert hit.score == pytest.approx(1, abs=1e-3)
    assert (hit.width, hit.height) == (96, 72)


def test_where_nothing_may_be_written_it_is_searched_all_the_same(golden, toy):
    with Collection(Store.open(golden / "collection", create=False, read_only=True), encoder=toy) as collection:
        assert names(collection.search("red circle", k=1)) == [RED_CIRCLE]
        assert collection.status()["read_only"]


def test_its_root_is_away_and_nothing_of_it_is_lost(opened):
    *_, report = opened.sync()
    assert (report.offline, report.removed, report.encoded) == (ITEMS, 0, 0)
    assert len(opened.search("red", k=50, all_copies=True)) == ITEMS


def test_its_pictures_are_recognised_in_another_place_without_encoding(opened, golden):
    *_, report = opened.sync([golden / "pictures"])
    assert (report.added, report.reused, report.encoded) == (ITEMS, ITEMS, 0)
    assert names(report.skipped) == ["broken.jpg"]
    verified = opened.verify(sample=PICTURES)
    assert (verified.problems, verified.sampled) == ((), PICTURES)


def test_it_is_changed_and_compacted_as_one_of_today(opened, golden):
    list(opened.sync([golden / "pictures"]))
    assert opened.prune() == ITEMS
    (golden / "pictures" / RED_CIRCLE).unlink()
    *_, report = opened.sync()
    assert report.removed == 1
    assert opened.compact().rows == 1
    assert opened.verify(sample=PICTURES).problems == ()
    assert RED_CIRCLE not in names(opened.search("red circle", k=50))


def test_a_look_for_duplicates_reads_what_was_not_kept_of_its_pictures_then(opened, golden):
    list(opened.sync([golden / "pictures"]))
    *_, report = opened.duplicates.find(again=True)
    assert (report.looked_at, report.not_looked_at) == (PICTURES, 0)
    with Store.open(golden / "collection", create=False) as store, store.snapshot() as snapshot:
        assert len(snapshot.sketches(snapshot.pictures()[0])) == PICTURES


@pytest.mark.parametrize("golden", WITH_DECISIONS, ids=lambda path: path.name, indirect=True)
def test_what_was_found_and_decided_about_duplicates_holds(golden):
    with Store.open(golden / "collection", create=False) as store, store.snapshot() as snapshot:
        assert len(snapshot.fingerprints().pictures) == PICTURES
        assert len(snapshot.not_looked_at(1)) == 0
        (pair,) = snapshot.likenesses()
        assert (pair.kind, pair.sure) == ("edited", 0.9)
        assert why_alike(reasons_of(pair.why)).startswith("cropped to 62")
        assert snapshot.apart().pictures == {(pair.first, pair.second)}
        (decision,) = store.likenesses.apart()
        assert {decision.first, decision.second} < {item.id for item in all_items(snapshot)}
        assert set(snapshot.kept()) < {item.id for item in all_items(snapshot)}


def all_items(snapshot):
    return [item for items in snapshot.items_of(range(snapshot.count)).values() for item in items]
