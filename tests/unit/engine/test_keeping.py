"""Which item of a group is kept, and the reason told."""

from __future__ import annotations

import itertools
import os

import pytest

from lookalike.engine.keeping import Keeping
from lookalike.engine.likeness_words import why_kept
from lookalike.store.collection_store import ItemRecord

DAY_NS = 86_400_000_000_000


def item(name: str, **changes) -> ItemRecord:
    values = {
        "id": name,
        "uri": os.sep + os.path.join("photos", name),
        "root": 1,
        "key": name.encode(),
        "size": 1000,
        "modified_ns": 20_000 * DAY_NS,
        "picture": 1,
        "width": 400,
        "height": 300,
        "format": "JPEG",
        "offline": False,
        "metadata": {},
    }
    return ItemRecord(**(values | changes))


def kept(*items: ItemRecord, rule="best", **how) -> tuple[str, str]:
    """The item kept and why, the same for every order of the items."""
    keeping = Keeping(rule, **how)
    answers = set()
    for order in itertools.permutations(items):
        best, *others = sorted(order, key=keeping.key, reverse=True)
        answers.add((best.id, why_kept(keeping.reasons(best, others))))
    (answer,) = answers
    return answer


@pytest.mark.parametrize(
    ("better", "worse", "why"),
    [
        ({"width": 800}, {"size": 9000}, "the most pixels, 800 x 300"),
        ({"metadata": {"camera": "X100"}}, {"size": 9000}, "it still has what the camera wrote"),
        ({"metadata": {"camera": "X100"}}, {"width": 440, "height": 330}, "it still has what the camera wrote"),
        ({"width": 800, "height": 600}, {"metadata": {"camera": "X100"}}, "the most pixels, 800 x 600"),
        ({"metadata": {"stack": ["a.cr2"]}}, {"size": 9000}, "a RAW file or a film is with it"),
        ({"metadata": {"tags": ["cat"]}}, {"size": 9000}, "it has the most titles, tags and ratings"),
        ({"format": "PNG"}, {"size": 9000}, "PNG keeps more than JPEG"),
        ({"size": 2000}, {"modified_ns": 1}, "the largest file, 2,000 bytes"),
        ({"modified_ns": 19_000 * DAY_NS}, {}, "the oldest, 2022-01-08 00:00"),
        ({"id": "longer name", "width": None, "offline": False}, {"offline": True}, "the others are on a disk"),
    ],
)
def test_the_best_one_and_why(better, worse, why):
    better, worse = {"id": "better", **better}, {"id": "worse", **worse}
    found = kept(item("better.jpg", **better), item("worse.jpg", **worse))
    assert found[0] == better["id"]
    assert found[1].startswith(why)


def test_a_border_adds_pixels_and_yet_the_original_is_kept():
    original = item("original", metadata={"taken": "2024-05-03T10:00:00", "taken_from": "exif"})
    framed = item("framed", width=440, height=340)
    assert kept(original, framed)[0] == "original"


def test_a_time_that_only_the_file_says_is_no_word_of_the_camera():
    plain = item("plain", size=2000)
    timed = item("timed", metadata={"taken": "2024-05-03T10:00:00", "taken_from": "file time"})
    assert kept(plain, timed)[0] == "plain"


def test_rules_ask_for_what_they_are_called():
    small_old = item("small", width=200, metadata={"taken": "2020-01-01T00:00:00", "taken_from": "exif"})
    large_new = item("large", metadata={"taken": "2024-01-01T00:00:00", "taken_from": "exif"})
    assert kept(small_old, large_new, rule="largest") == ("large", "the most pixels, 400 x 300")
    assert kept(small_old, large_new, rule="oldest") == ("small", "the oldest, 2020-01-01 00:00")
    assert kept(small_old, large_new, rule="newest") == ("large", "the newest, 2024-01-01 00:00")


def in_folder(name: str, folder: str, **changes) -> ItemRecord:
    return item(name, uri=os.path.join(os.sep, folder, name), **changes)


def test_preferred_folders_count_before_the_rule_the_first_one_most():
    places = [os.fsencode(os.sep + name) for name in ("originals", "album")]
    album, original = in_folder("album", "album", width=800), in_folder("original", "originals")
    other = item("other", width=4000)
    assert kept(album, original, other, prefer=places) == ("original", f"below {os.sep}originals, which is preferred")
    assert kept(album, other, prefer=places)[0] == "album"


def test_what_put_it_before_the_last_and_before_the_first_of_the_others_is_told():
    inside = [in_folder("a", "album", width=800), in_folder("b", "album")]
    found = kept(*inside, item("outside", width=4000), prefer=[os.fsencode(os.sep + "album")])
    assert found == ("a", f"below {os.sep}album, which is preferred; of those the most pixels, 800 x 300")


def test_what_a_person_chose_last_is_kept_before_everything():
    items = [item("first"), item("second", offline=True), item("large", width=4000)]
    assert kept(*items, chosen={"first": 1, "second": 2}) == ("second", "chosen by you")


def test_of_what_is_all_alike_one_is_kept_all_the_same():
    assert kept(item("a", uri="/x"), item("b", uri="/y")) == ("b", "all are alike; the last by its id")
