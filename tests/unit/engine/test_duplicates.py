"""Looking for duplicates, deciding about them and asking for groups, on collections of real files."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageOps

import lookalike
from copied_photos import photo, save_groups
from exported_vectors import clip_retrieval, vectors
from lookalike.core.errors import CollectionReadOnly, FilterError, QueryError
from lookalike.engine import candidates
from lookalike.engine.duplicates import Duplicates
from lookalike.engine.remembered import Remembered
from lookalike.store.collection_store import Store
from lookalike.store.likenesses import PairRecord

METHOD = 1_000
"""Above every method there is: what the tests store is never forgotten as old."""


@pytest.fixture
def doubled(pictures, toy, tmp_path):
    """A collection of the 24 drawn pictures, the first three of which have a copy beside them."""
    for path in sorted(pictures.iterdir())[:3]:
        shutil.copy2(path, pictures / f"zz-{path.name}")
    with lookalike.open(tmp_path / "test.lookalike", encoder=toy) as opened:
        list(opened.sync([pictures]))
        yield opened


def look(collection, *arguments, **options):
    *_, report = collection.duplicates.find(*arguments, **options)
    return report


def names(group) -> list[str]:
    return [item.uri.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] for item in group.items]


def put_pairs(collection, store, *pairs, looked: bool = True) -> None:
    """Keep likenesses between drawn pictures, (name, name, kind, sure), as a look does."""
    numbers = {}
    with store.snapshot() as snapshot:
        for items in snapshot.items_of(range(snapshot.count)).values():
            numbers.update((item.uri.rsplit("/", 1)[-1].rsplit("\\", 1)[-1][:4], item.picture) for item in items)
    records = []
    for first, second, kind, sure in pairs:
        one, other = sorted((numbers[first], numbers[second]))
        records.append(PairRecord(one, other, kind, sure, "saved again", METHOD))
    store.likenesses.put(records, numbers.values() if looked else (), METHOD)


@pytest.fixture
def store(collection):
    with Store.open(collection.path) as opened:
        yield opened


@pytest.fixture
def store_of_doubled(doubled):
    with Store.open(doubled.path) as opened:
        yield opened


def test_equal_files_are_found_and_the_report_counts_them(doubled):
    report = look(doubled, ["same"])
    assert report.counts == {"same": 3}
    assert (report.looked_at, report.not_looked_at, report.interrupted) == (24, 0, False)
    groups = list(doubled.duplicates.all_groups(["same"]))
    assert [(len(group.items), group.sure, group.why) for group in groups] == [
        (2, 1.0, "the same file, byte for byte")
    ] * 3
    assert all(not names(group)[0].startswith("zz-") for group in groups)


def test_the_next_look_asks_for_new_pictures_alone_and_again_for_all(doubled, pictures, drawn):
    look(doubled)
    assert look(doubled).looked_at == 0
    shutil.copy2(min(drawn.iterdir()), pictures / "another.png")
    with (pictures / "another.png").open("ab") as file:
        file.write(b"\0")  # other bytes, the same pixels: the same picture, no new one
    list(doubled.sync())
    report = look(doubled, ["same"])
    assert (report.looked_at, report.counts["same"]) == (0, 3)
    assert look(doubled, again=True).looked_at == 24


def test_pixels_that_are_equal_in_other_bytes_are_said_to_be(doubled, pictures):
    path = min(path for path in pictures.iterdir() if path.name.startswith("zz-"))
    with path.open("ab") as file:
        file.write(b"\0")
    list(doubled.sync())
    look(doubled)
    whys = {group.why for group in doubled.duplicates.all_groups(["same"])}
    assert whys == {"the same file, byte for byte", "the same pixels in another file"}


def test_pictures_without_a_fingerprint_get_one(doubled, pictures):
    with sqlite3.connect(doubled.path / "collection.sqlite") as connection:
        connection.execute("DELETE FROM fingerprints")
    gone = max(path for path in pictures.iterdir() if not path.name.startswith("zz-"))
    gone.unlink()
    report = look(doubled)
    assert report.not_looked_at == 1
    assert look(doubled).not_looked_at == 1


def test_a_look_that_is_stopped_goes_on_later(doubled):
    stop = threading.Event()
    stop.set()
    report = look(doubled, stop=stop)
    assert (report.interrupted, report.looked_at) == (True, 0)
    assert look(doubled).looked_at == 24


def test_a_look_that_dies_between_two_blocks_leaves_no_pair_out(toy, tmp_path, monkeypatch):
    """A and C are both like B; nothing but that names them together, here because no candidates do."""
    monkeypatch.setattr(candidates, "RADIUS", -1)
    monkeypatch.setattr(candidates, "COMPARED_AT_MOST", 0)
    folder = tmp_path / "photos"
    folder.mkdir()
    photo(1).save(folder / "0000.jpg", quality=95)
    photo(1).resize((320, 240)).save(folder / "0001.jpg", quality=80)
    photo(1).resize((240, 180)).save(folder / "0002.jpg", quality=80)
    with lookalike.open(tmp_path / "test.lookalike", encoder=toy) as opened:
        list(opened.sync([folder]))
        with Store.open(opened.path) as store:
            put_pairs(opened, store, ("0000", "0001", "copy", 0.9), ("0001", "0002", "copy", 0.9), looked=False)
        events = opened.duplicates.find()
        next(event for event in events if event.stage == "compare")
        events.close()
        look(opened)
        assert [len(group.items) for group in opened.duplicates.all_groups()] == [3]


def test_pictures_of_imported_vectors_are_compared_as_others_are(toy, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, quality in (("0000.jpg", 95), ("0001.jpg", 60)):
        framed = ImageOps.expand(photo(1), 40, "white") if name == "0001.jpg" else photo(1)
        framed.save(folder / name, quality=quality)
    clip_retrieval(tmp_path / "clip", [(vectors(2, toy.dim), {"image_path": ["0000.jpg", "0001.jpg"]})])
    with lookalike.open(tmp_path / "c.lookalike", encoder=toy) as opened:
        list(opened.import_vectors(tmp_path / "clip", encoder=toy, pictures=folder))
        report = look(opened)
        assert (report.not_looked_at, report.notes) == (0, ())
        (group,) = opened.duplicates.all_groups()
    assert (group.kind, group.why) == ("edited", "with a border")


@pytest.fixture
def copied(toy, tmp_path):
    """A collection of two photos, each with two copies, and of two others; its files lie in `photos`."""
    save_groups(tmp_path / "photos", 2)
    with lookalike.open(tmp_path / "copied.lookalike", encoder=toy) as opened:
        list(opened.sync([tmp_path / "photos"]))
        yield opened


def test_pictures_that_are_away_and_may_be_copies_are_told_of(copied, tmp_path):
    for name in ("0-again.jpg", "1-small.webp", "1000.jpg"):
        (tmp_path / "photos" / name).unlink()
    (note,) = look(copied).notes
    assert note == (
        "judged by fingerprint and vector alone, for no file of theirs can be read: 2 of the pictures;"
        " once they can be, lookalike duplicates --again compares them"
    )


def test_no_file_is_read_of_pictures_that_are_like_no_other(toy, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(8):
        photo(seed).save(folder / f"{seed}.jpg")
    with lookalike.open(tmp_path / "test.lookalike", encoder=toy) as opened:
        list(opened.sync([folder]))
        shutil.rmtree(folder)
        report = look(opened)
        assert (report.looked_at, report.notes) == (8, ())
        assert report.compared > 0
        assert list(opened.duplicates.all_groups()) == []


def test_a_collection_of_the_format_before_sketches_gets_them_and_has_the_same_groups(copied, toy):
    look(copied)
    groups = list(copied.duplicates.all_groups())
    assert [len(group.items) for group in groups] == [3, 3]
    copied.close()
    with closing(sqlite3.connect(copied.path / "collection.sqlite")) as connection:
        connection.execute("DROP TABLE sketches")  # with its trigger
        connection.execute("UPDATE looked SET method = 1")
        connection.execute("UPDATE likenesses SET method = 1")
        connection.execute("PRAGMA user_version = 7")
        connection.commit()
    with lookalike.open(copied.path, encoder=toy) as again:
        assert look(again).looked_at == 8
        assert list(again.duplicates.all_groups()) == groups
    with Store.open(copied.path) as store:
        assert store.likenesses.count_without_sketch() == 0


def test_pictures_whose_file_was_away_when_sketches_came_are_looked_at_once_it_is_back(copied, tmp_path):
    away, there = tmp_path / "away.jpg", tmp_path / "photos" / "0-again.jpg"
    there.rename(away)
    with sqlite3.connect(copied.path / "collection.sqlite") as connection:
        connection.execute("DELETE FROM sketches")
    assert "judged by fingerprint and vector alone" in look(copied).notes[0]
    away.rename(there)
    report = look(copied)
    assert (report.looked_at, report.notes) == (1, ())
    assert [len(group.items) for group in copied.duplicates.all_groups()] == [3, 3]


def test_pictures_of_every_odd_kind_are_looked_at(toy, tmp_path):
    """One pixel, one line, nothing to see, one bit, four inks, see-through, moving: each twice, and none at fault."""
    folder = tmp_path / "odd"
    folder.mkdir()
    odd = {
        "dot.png": Image.new("RGB", (1, 1), "red"),
        "line.png": photo(2).resize((3000, 1)),
        "pole.png": photo(3).resize((2, 2000)),
        "blank.png": Image.new("RGB", (400, 300), "white"),
        "bits.png": photo(4).convert("1"),
        "deep.png": Image.fromarray(np.asarray(photo(5).convert("L"), np.uint16) * 257),
        "inks.jpg": photo(6).convert("CMYK"),
        "glass.webp": Image.merge("RGBA", (*photo(7).split(), photo(8).convert("L"))),
        "clear.png": Image.new("RGBA", (300, 200), (0, 0, 0, 0)),
        "few.gif": photo(9).convert("P"),
        "framed.png": ImageOps.expand(Image.new("RGB", (2, 2), "red"), 60, "white"),
    }
    for name, image in odd.items():
        image.save(folder / name)
        image.resize((max(1, image.width // 2), max(1, image.height // 2))).save(folder / f"half-{name}")
    photo(9).save(folder / "moving.gif", save_all=True, append_images=[photo(10), photo(11)], duration=100)
    with lookalike.open(tmp_path / "test.lookalike", encoder=toy) as opened:
        *_, taken = opened.sync([folder])
        assert taken.skipped == ()
        report = look(opened)
        groups = [{name.removeprefix("half-") for name in names(group)} for group in opened.duplicates.all_groups()]
    assert report.not_looked_at == 0
    for group in groups:
        assert len(group - {"few.gif", "moving.gif"}) <= 1, "different pictures in one group"
    assert {"inks.jpg"} in groups
    assert {"glass.webp"} in groups


def test_what_is_indexed_and_removed_while_a_look_is_at_work_is_the_next_ones(doubled, pictures):
    events = doubled.duplicates.find(["same"])
    next(events)
    min(pictures.iterdir()).unlink()
    photo(1).save(pictures / "new.jpg")
    photo(1).resize((240, 180)).save(pictures / "new small.jpg")
    list(doubled.sync())
    *_, report = events
    assert report.looked_at == 24
    assert report.counts["same"] == 2
    again = look(doubled, ["copy"])
    assert (again.looked_at, again.counts["copy"]) == (2, 1)


def test_where_nothing_can_be_written_groups_are_told_and_looking_is_refused(doubled):
    look(doubled)
    with Store.open(doubled.path, read_only=True) as reading:
        known = Duplicates(reading, Remembered(reading, pytest.fail))
        assert list(known.all_groups()) == list(doubled.duplicates.all_groups())
        with pytest.raises(CollectionReadOnly):
            list(known.find())
        assert len(known.plan("away", ["same"]).moves) == 3


def test_groups_come_by_their_kinds_and_in_pages(collection, store):
    put_pairs(
        collection,
        store,
        ("0000", "0001", "burst", 0.7),
        ("0002", "0003", "copy", 0.9),
        ("0004", "0005", "edited", 0.8),
        ("0006", "0007", "copy", 0.95),
    )
    known = collection.duplicates
    assert [group.kind for group in known.all_groups()] == ["copy", "copy", "edited", "burst"]
    seen, after = [], None
    while True:
        page = known.groups(after=after, limit=1)
        assert page.counts == {"same": 0, "copy": 2, "edited": 1, "burst": 1}
        seen += page.groups
        after = page.next
        if after is None:
            break
    assert seen == list(known.all_groups())
    assert [group.kind for group in known.groups(["burst", "edited"]).groups] == ["edited", "burst"]


def test_a_page_after_a_group_that_is_gone_goes_on_behind_it(collection, store):
    put_pairs(collection, store, *[(f"{n:04}", f"{n + 1:04}", "copy", 0.9) for n in (0, 2, 4)])
    known = collection.duplicates
    first = known.groups(limit=1)
    rest = known.groups(after=first.next).groups
    known.not_same(*[item.id for item in first.groups[0].items])
    assert known.groups(after=first.next).groups == rest
    for nonsense in ("nonsense", "copy:" + "9" * 5000 + ":x"):
        with pytest.raises(QueryError):
            known.groups(after=nonsense)


def test_what_is_no_duplicate_is_proposed_no_more_until_that_is_forgotten(collection, store):
    put_pairs(collection, store, ("0000", "0001", "copy", 0.9))
    known = collection.duplicates
    (group,) = known.all_groups()
    ids = known.not_same(group.items[0].id, group.items[1].uri)
    assert list(known.all_groups()) == []
    assert known.decided_apart() == [tuple(sorted(ids))]
    assert known.undo_not_same(*ids)
    assert not known.undo_not_same(*ids)
    assert len(list(known.all_groups())) == 1


def test_a_decision_about_nothing_or_about_one_item_is_refused(collection):
    item = collection.search("red", k=1)[0]
    for pair in ((item.id, "nobody"), (item.id, item.uri)):
        with pytest.raises(QueryError):
            collection.duplicates.not_same(*pair)
    with pytest.raises(QueryError):
        collection.duplicates.keep("nobody")


def test_the_item_chosen_is_the_one_to_keep(collection, store):
    put_pairs(collection, store, ("0000", "0001", "copy", 0.9), ("0000", "0002", "copy", 0.8))
    known = collection.duplicates
    (before,) = known.all_groups()
    other = next(item for item in before.items if item.id != before.keep)
    known.keep(other.uri)
    group = next(group for group in known.all_groups() if group.keep == other.id)
    assert group.keep_why == "chosen by you"
    assert known.undo_keep(other.id)
    assert not known.undo_keep(other.id)
    assert list(known.all_groups()) == [before]


def test_a_filter_limits_the_items_of_groups(doubled):
    look(doubled)
    assert look(doubled, ["same"], "name ~ zz").counts == {"same": 0}
    assert look(doubled, ["same"], "not name ~ triangle").counts == {"same": 0}
    assert look(doubled, ["same"], "name ~ triangle").counts == {"same": 3}
    with pytest.raises(FilterError):
        look(doubled, ["same"], "name <")


def test_a_chain_is_no_group(collection, store):
    chain = [(f"{a:04}", f"{b:04}", "copy", 0.9) for a, b in pairwise(range(6))]
    put_pairs(collection, store, *chain)
    for group in collection.duplicates.all_groups():
        assert len(group.items) <= 3
        for item in group.items[1:]:
            assert item.why == "saved again"


def test_what_an_earlier_method_wrote_is_said_as_it_was_until_the_next_look(doubled, store_of_doubled):
    with store_of_doubled.snapshot() as snapshot:
        first, second = snapshot.pictures()[0][:2].tolist()
    store_of_doubled.likenesses.put([PairRecord(first, second, "edited", 0.9, "with a border, mirrored", 1)], [], 1)
    (group,) = doubled.duplicates.all_groups(["edited"])
    assert (group.why, group.items[1].why) == ("with a border, mirrored",) * 2
    look(doubled)
    assert "with a border, mirrored" not in {group.why for group in doubled.duplicates.all_groups()}


def test_bursts_are_moved_only_when_they_are_asked_for(collection, store, tmp_path):
    put_pairs(collection, store, ("0000", "0001", "burst", 0.9))
    assert collection.duplicates.plan(tmp_path / "away").moves == ()
    assert len(collection.duplicates.plan(tmp_path / "away", ["burst"]).moves) == 1
    assert collection.duplicates.could_go() == ([], 0)
    assert len(collection.duplicates.could_go(["burst"])[0]) == 1


def test_what_is_planned_is_moved_and_undone(doubled, pictures, tmp_path):
    look(doubled)
    known = doubled.duplicates
    plan = known.plan(tmp_path / "away", ["same"])
    *_, report = known.move(plan)
    assert (report.items, len(list(pictures.iterdir()))) == (3, 24)
    assert look(doubled, ["same"]).counts == {"same": 0}
    *_, back = known.undo()
    assert (back.again, len(list(pictures.iterdir()))) == (3, 27)
    assert look(doubled, ["same"]).counts == {"same": 3}


def test_wrong_words_are_the_programmers_mistake(collection):
    with pytest.raises(ValueError, match="there is no kind 'twin'"):
        collection.duplicates.groups(["twin"])
    with pytest.raises(ValueError, match="rule is 'prettiest'"):
        collection.duplicates.groups(rule="prettiest")
