"""What was made from what, and that it decides which one is kept before pixels and bytes do."""

from __future__ import annotations

import os

import pytest

from lookalike.engine.keeping import Keeping
from lookalike.engine.likeness_words import stored, why_kept
from lookalike.engine.originals import made_from_others
from lookalike.store.collection_store import ItemRecord
from lookalike.store.likenesses import PairRecord

DAY_NS = 86_400_000_000_000


def item(name: str, picture: int, **changes) -> ItemRecord:
    values = {
        "id": name,
        "uri": os.sep + os.path.join("photos", name),
        "root": 1,
        "key": name.encode(),
        "size": 1000,
        "modified_ns": 20_000 * DAY_NS,
        "picture": picture,
        "width": 400,
        "height": 300,
        "format": "JPEG",
        "offline": False,
        "metadata": {},
    }
    return ItemRecord(**(values | changes))


def kept(
    first: ItemRecord,
    second: ItemRecord,
    why: str | tuple[tuple[str | int, ...], ...],
    *,
    kind="edited",
    rule="best",
    bordered=("edited", "framed", "part"),
) -> tuple[str, str]:
    """Which of two is kept, and why, when a look said `why` of them (reasons, or codes); `bordered`: have a border."""
    framed = {picture for picture, its in ((1, first), (2, second)) if its.id in bordered}
    reasons = tuple((code,) for code in why.split()) if isinstance(why, str) else why
    said = PairRecord(1, 2, kind, 0.9, stored(reasons), 1)
    made = made_from_others([said], {1: [first], 2: [second]}, framed)
    keeping = Keeping(rule).knowing(made)
    best, other = sorted((first, second), key=keeping.key, reverse=True)
    return best.id, why_kept(keeping.reasons(best, [other]))


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("plain", "edited", "why", "reason"),
    [
        ({}, {"width": 440, "height": 340}, "bordered", "it has no border"),
        ({}, {"format": "PNG", "size": 9000, "modified_ns": 20_001 * DAY_NS}, "mirrored", "the older file"),
        ({}, {"size": 9000, "modified_ns": 20_001 * DAY_NS}, "painted", "the older file"),
        ({"uri": "/a.jpg"}, {"uri": "/a mirrored.png", "format": "PNG"}, "mirrored", "the shorter name"),
        ({"metadata": {"camera": "X100"}}, {"modified_ns": 1, "size": 9000}, "mirrored", "it still has what the"),
        ({"width": 800}, {"modified_ns": 1}, "cropped left", "the most pixels"),
    ],
)
def test_the_plain_one_is_kept_of_an_edit(plain, edited, why, reason, swapped):
    first, second = item("plain", 1, **plain), item("edited", 2, **edited)
    if swapped:
        first, second = item("edited", 1, **edited), item("plain", 2, **plain)
    found = kept(first, second, why)
    assert found[0] == "plain"
    assert found[1].startswith(reason)


def test_a_part_that_was_cut_out_and_framed_does_not_make_the_photo_a_framed_one():
    photo = item("photo", 1, width=800, height=600)
    part = item("part", 2, width=700, height=560, modified_ns=20_001 * DAY_NS)
    assert kept(photo, part, "cropped middle bordered")[0] == "photo"


@pytest.mark.parametrize(
    ("share", "made_days_later", "best"),
    [((91, 100), 1, "photo"), ((91, 100), -1, "framed"), ((60, 60), 1, "framed"), ((), 1, "framed")],
)
def test_a_frame_is_one_too_where_a_plain_edge_of_the_photo_was_taken_for_a_part_of_it(share, made_days_later, best):
    photo = item("photo", 1)
    framed = item("framed", 2, width=460, height=360, modified_ns=(20_000 + made_days_later) * DAY_NS)
    assert kept(photo, framed, (("cropped", *share), ("middle",), ("bordered",)))[0] == best


def test_of_a_framed_picture_and_a_larger_one_without_a_frame_the_larger_one_is_kept():
    larger, framed = item("larger", 1, width=640, height=480), item("framed", 2, width=560, height=440)
    assert kept(larger, framed, "bordered")[0] == "larger"
    margins = item("margins", 1, width=640, height=480)  # a photo with white margins, and the same in a frame
    assert kept(margins, framed, "bordered", bordered=("margins", "framed"))[0] == "margins"


def test_far_more_pixels_are_no_frame():
    assert kept(item("large", 1, width=4000, height=3000), item("small", 2), "bordered")[0] == "large"


def test_copies_and_other_rules_ask_for_pixels_and_bytes_as_before():
    older, larger = item("older", 1), item("larger", 2, size=9000, modified_ns=20_001 * DAY_NS)
    assert kept(older, larger, "saved_again", kind="copy")[0] == "larger"
    framed = item("framed", 2, width=440, height=340)
    assert kept(older, framed, "bordered", rule="largest")[0] == "framed"


def test_a_png_with_the_pixels_of_a_jpeg_keeps_no_more_than_it():
    items = [item("photo.jpg", 1), item("photo.png", 1, format="PNG", size=9000)]
    keeping = Keeping("best").knowing(made_from_others([], {}, ()).and_of([items]))
    assert max(items, key=keeping.key).id == "photo.jpg"
    assert why_kept(keeping.reasons(items[0], items[1:])) == "the PNG was made from it, with equal pixels"


def test_a_raw_file_with_the_pixels_of_its_preview_is_kept():
    items = [item("photo.jpg", 1), item("photo.dng", 1, format="DNG")]
    keeping = Keeping("best").knowing(made_from_others([], {}, ()).and_of([items]))
    assert max(items, key=keeping.key).id == "photo.dng"
