"""Copies among answers share one place, and nothing else does."""

from __future__ import annotations

import csv
import os

import numpy as np
import pytest
from PIL import Image, ImageEnhance

import lookalike
from copied_photos import MOMENT, NEXT, photo, taken
from lookalike.engine import copies
from lookalike.store.likenesses import PairRecord
from lookalike.testing import ToyEncoder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.fixture
def of(tmp_path, folder):
    """`of()` is the collection of what lies in the folder."""
    with lookalike.open(tmp_path / "c.lookalike", encoder=ToyEncoder()) as opened:

        def indexed():
            list(opened.sync([folder]))
            return opened

        yield indexed


def names(results):
    """The file of each hit, with the files that share its place."""
    return {
        os.path.basename(hit.uri): sorted(os.path.basename(uri) for uri in hit.metadata.get("copies", ()))
        for hit in results
    }


def pair(collection, *files):
    """The items of two files."""
    with collection._store.snapshot() as snapshot:
        items = [item for several in snapshot.items_of(range(snapshot.count)).values() for item in several]
    by_name = {os.path.basename(item.uri): item for item in items}
    return [by_name[file] for file in files]


def note(collection, kind, *files):
    """Keep what a look for duplicates might find about two files."""
    first, second = sorted(item.picture for item in pair(collection, *files))
    collection._store.likenesses.put([PairRecord(first, second, kind, 0.9, "it was seen", 1)], [first, second], 1)


def test_a_photo_saved_again_smaller_or_in_another_format_shares_its_place(folder, of):
    image = photo(1)
    image.save(folder / "a.png")
    image.save(folder / "again.jpg", quality=60)
    image.resize((240, 180), Image.Resampling.LANCZOS).save(folder / "half.jpg", quality=85)
    image.save(folder / "other.webp", quality=70)
    photo(2).save(folder / "b.png")
    found = of().search(folder / "a.png", k=10)
    assert names(found) == {"a.png": ["again.jpg", "half.jpg", "other.webp"], "b.png": []}
    assert [hit.rank for hit in found] == [1, 2]
    every = of().search(folder / "a.png", k=10, all_copies=True)
    assert set(names(every)) == {"a.png", "again.jpg", "half.jpg", "other.webp", "b.png"}
    assert not any("copies" in hit.metadata for hit in every)


def test_as_many_answers_come_as_were_asked_for(folder, of):
    for seed in range(8):
        for quality in (50, 60, 70, 80):
            photo(seed).save(folder / f"{seed}-{quality}.jpg", quality=quality)
    found = of().search(np.ones(64, np.float32), k=6)
    assert len({name[0] for name in names(found)}) == len(found) == 6
    assert len(found[0].metadata["copies"]) == 3


def test_however_many_are_asked_for_only_the_first_are_compared(folder, of, monkeypatch):
    for quality in (95, 90, 80, 70, 60, 50):
        photo(1).save(folder / f"{quality}.jpg", quality=quality)
    collection = of()
    monkeypatch.setattr(copies, "COMPARED", 3)
    found = names(collection.search(folder / "95.jpg", k=10))
    assert sorted(map(len, found.values())) == [0, 0, 0, 2]
    assert len(found) == 4


def test_two_capture_times_are_two_photos(folder, of):
    photo(1).save(folder / "first.jpg", quality=95, exif=taken(MOMENT))
    photo(1).save(folder / "second.jpg", quality=90, exif=taken(NEXT))
    photo(1).save(folder / "saved.jpg", quality=80, exif=taken(MOMENT))
    photo(1).save(folder / "stripped.jpg", quality=70)
    photo(1).save(folder / "lent.jpg", quality=60, exif=taken(MOMENT, "NIKON D750"))
    found = names(of().search(folder / "first.jpg", k=10))
    assert found == {"first.jpg": ["saved.jpg", "stripped.jpg"], "second.jpg": [], "lent.jpg": []}


@pytest.mark.parametrize("part", [(10, 0, 480, 360), (0, 0, 480, 300)], ids=["moved", "cut"])
def test_what_shows_another_part_or_other_colours_has_its_own_place(folder, of, part):
    photo(1).save(folder / "a.png")
    photo(1).crop(part).save(folder / "part.png")
    ImageEnhance.Color(photo(1)).enhance(0).save(folder / "grey.png")
    Image.new("RGB", (480, 360), "grey").save(folder / "blank.png")
    Image.new("RGB", (480, 360), (120, 120, 120)).save(folder / "blank too.png")
    found = names(of().search(folder / "a.png", k=10))
    assert found == {"a.png": [], "part.png": [], "grey.png": [], "blank.png": [], "blank too.png": []}


def test_what_was_found_about_two_pictures_counts_before_what_they_look_like(folder, of):
    photo(1).save(folder / "a.png")
    photo(1).save(folder / "again.jpg", quality=80)
    photo(1).crop((10, 0, 480, 360)).resize((480, 360)).save(folder / "moved.png")
    collection = of()
    note(collection, "burst", "a.png", "again.jpg")
    note(collection, "copy", "a.png", "moved.png")
    assert names(collection.search(folder / "a.png", k=10)) == {"a.png": ["moved.png"], "again.jpg": []}


def test_what_a_person_decided_counts_before_all(folder, of):
    photo(1).save(folder / "a.png")
    photo(1).save(folder / "again.jpg", quality=80)
    collection = of()
    note(collection, "copy", "a.png", "again.jpg")
    assert set(names(collection.search(folder / "a.png"))) == {"a.png"}
    collection._store.likenesses.put_apart([tuple(item.id for item in pair(collection, "a.png", "again.jpg"))])
    assert set(names(collection.search(folder / "a.png"))) == {"a.png", "again.jpg"}


def test_a_copy_of_a_copy_is_compared_with_what_is_shown(folder, of):
    for number, left in enumerate((0, 10, 20)):
        photo(1).crop((left, 0, 480, 360)).resize((480, 360)).save(folder / f"{number}.png")
    collection = of()
    note(collection, "copy", "0.png", "1.png")
    note(collection, "copy", "1.png", "2.png")
    assert names(collection.search(folder / "0.png", k=10)) == {"0.png": ["1.png"], "2.png": []}


def test_a_copy_is_shown_where_the_filter_keeps_the_other_out(folder, of):
    photo(1).save(folder / "a.png")
    photo(1).save(folder / "again.jpg", quality=80)
    assert names(of().search(folder / "a.png", where="format = JPEG")) == {"again.jpg": []}


def test_pages_go_through_all_answers_and_show_no_copy(folder, of):
    for seed in range(7):
        photo(seed).save(folder / f"{seed}.png")
        photo(seed).save(folder / f"{seed}.jpg", quality=80)
    shown, after = [], None
    while len(shown) < 20:
        page = of().search_page(folder / "0.png", 2, after=after)
        shown += [os.path.basename(hit.uri)[0] for hit in page]
        after = page.next
        if after is None:
            break
    assert sorted(shown) == list("0123456")


def test_products_that_have_one_photo_stay_two_products(tmp_path, folder, of):
    photo(1).save(folder / "a.png")
    photo(1).save(folder / "again.jpg", quality=80)
    photo(1).save(folder / "smaller.jpg", quality=50)
    with (tmp_path / "shop.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "image", "product"])
        table.writerows([[1, "photos/a.png", "x"], [2, "photos/again.jpg", "y"], [3, "photos/smaller.jpg", "y"]])
    with lookalike.open(tmp_path / "shop.lookalike", encoder=ToyEncoder()) as shop:
        list(shop.sync([tmp_path / "shop.csv"]))
        found = shop.search(folder / "a.png", group_by="product")
        assert [hit.metadata["product"] for hit in found] == ["x", "y"]
        assert set(names(shop.search(folder / "a.png", group_by=""))) == {"a.png"}
