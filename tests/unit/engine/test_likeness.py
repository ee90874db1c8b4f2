"""What is made of a measurement and of what two files say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lookalike.engine.likeness import BURST_S, Evidence, Facts, as_saved, likeness, seconds_apart
from lookalike.engine.likeness_words import why_alike
from lookalike.images.alignment import Alignment

WHOLE = (0.0, 0.0, 1.0, 1.0)
EQUAL = Alignment(0, "whole", WHOLE, "", 0.99, 1.0, 1.0, 0.5, 1.0, 1.0)
PART = Alignment(0, "second", (0.0, 0.1, 0.62, 0.72), "", 0.95, 1.0, 1.0, 3.0, 1.0, 0.0)
MOVED = Alignment(0, "whole", WHOLE, "", 0.7, 0.75, 1.0, 8.0, 1.0, 60.0)
OTHER = Alignment(3, "whole", WHOLE, "", 0.3, 0.2, 1.0, 60.0, 1.0, 200.0)
CAMERA = "Canon EOS 80D"


def photo(taken: str = "", camera: str = "", *, format: str = "JPEG", width: int = 4000) -> Facts:
    return Facts(width=width, height=width * 3 // 4, format=format, taken=taken, camera=camera)


def judged(alignment, first=None, second=None, *, distance=4, turn=0, cosine=0.98):
    return likeness(Evidence(first or photo(), second or photo(), distance, turn, cosine, alignment))


def test_the_same_from_edge_to_edge_is_a_copy_and_it_is_said_how_it_differs():
    found = judged(EQUAL, second=photo(format="PNG", width=2000))
    assert found.kind == "copy"
    assert found.sure > 0.9
    assert why_alike(found.why) == "one is 50% of the other's size, saved as JPEG and PNG"


def test_a_copy_without_metadata_is_said_to_be_one():
    found = judged(EQUAL, photo("2020-05-01T12:00:00", CAMERA))
    assert (found.kind, why_alike(found.why)) == ("copy", "saved again as JPEG, one without the camera's metadata")


def test_of_pictures_that_lie_in_several_formats_it_is_said_how_two_files_differ():
    as_pictures = (("size", 50), ("formats", "PNG", "JPEG"), ("no_camera",))
    wide, half = photo("2020-05-01T12:00:00", CAMERA), photo("2020-05-01T12:00:00", CAMERA, width=2000)
    assert as_saved(as_pictures, wide, half) == (("size", 50),)
    assert as_saved((("saved_again", "JPEG"),), wide, photo(format="PNG")) == (
        ("formats", "JPEG", "PNG"),
        ("no_camera",),
    )
    assert as_saved((("little",), ("formats", "PNG", "JPEG")), wide, wide) == (("little",), ("saved_again", "JPEG"))
    for others in ((("turned_90",),), (("said", "saved again"),), (("away",),), ()):
        assert as_saved(others, wide, half) == others


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"turn": 1}, "mirrored"),
        ({"turn": 6}, "turned by 90 degrees"),
        ({"bordered": "second"}, "with a border"),
        ({"stretch": 1.3}, "stretched"),
        ({"tones": 12.0}, "other colours or brightness"),
        ({"spot": 30.0}, "something painted on or taken away"),
    ],
)
def test_what_was_done_makes_it_edited(change, words):
    found = judged(replace(EQUAL, **change))
    assert (found.kind, why_alike(found.why)) == ("edited", words)


def test_a_part_is_edited_and_the_place_is_named():
    found = judged(PART)
    assert (found.kind, why_alike(found.why)) == (
        "edited",
        "cropped to 62% x 62%, upper left part, other colours or brightness",
    )


def test_a_strip_that_agrees_is_no_part():
    assert judged(replace(PART, box=(0.0, 0.4, 0.8, 0.6))) is None


def test_what_lies_in_a_border_agrees_as_well_as_a_part_does():
    framed = replace(PART, within="whole", bordered="second", box=WHOLE)
    for alignment in (PART, framed):
        assert judged(replace(alignment, correlation=0.86, agreeing=0.91)).kind == "edited"
        assert (found := judged(replace(alignment, correlation=0.83))) is None or found.kind == "burst"
        assert (found := judged(replace(alignment, agreeing=0.88))) is None or found.kind == "burst"


def test_things_on_plain_ground_have_to_agree_better():
    for within in ("whole", "second"):
        things = replace(PART, within=within, box=WHOLE, bordered="both", correlation=0.88)
        assert judged(things) is None
        assert judged(replace(things, correlation=0.91)).kind == "edited"


@pytest.mark.parametrize("bordered", ["", "first", "both"])
@pytest.mark.parametrize("change", [{"filled": 0.3}, {"stretch": 1.1}, {"stretch": 0.9}])
def test_a_blob_on_plain_ground_is_no_part_of_another_picture(bordered, change):
    part = replace(PART, correlation=0.98, bordered=bordered)
    assert judged(part).kind == "edited"
    assert (found := judged(replace(part, **change))) is None or found.kind == "burst"


def test_a_line_of_text_may_spoil_more_blocks_where_the_fingerprints_are_near():
    written_on = replace(EQUAL, correlation=0.88, agreeing=0.78, spot=40.0)
    assert judged(written_on, distance=12).kind == "edited"
    assert judged(written_on, distance=40).kind == "burst"
    assert judged(written_on, distance=None).kind == "burst"


def test_where_no_spot_differs_it_is_a_copy_however_few_blocks_show_anything():
    assert judged(replace(EQUAL, correlation=0.78, agreeing=0.5)).kind == "copy"
    assert judged(replace(EQUAL, correlation=0.78, agreeing=0.5, spot=9.0)) is None


def test_a_palette_leaves_spots_that_are_no_edit():
    assert judged(replace(EQUAL, spot=11.0), second=photo(format="GIF")).kind == "copy"
    assert judged(replace(EQUAL, spot=11.0)).kind == "edited"


@pytest.mark.parametrize("alignment", [EQUAL, PART, MOVED])
@pytest.mark.parametrize("cameras", [(CAMERA, CAMERA), (CAMERA, ""), ("", "")])
def test_two_capture_times_make_a_burst_and_never_a_copy(alignment, cameras):
    times = "2020-05-01T12:00:00.100", "2020-05-01T12:00:00.500"
    found = judged(alignment, photo(times[0], cameras[0]), photo(times[1], cameras[1]))
    assert found.kind == "burst"
    assert why_alike(found.why).startswith("0.4 s later")


@pytest.mark.parametrize("alignment", [EQUAL, PART, MOVED])
def test_shots_far_apart_in_time_have_nothing_to_do(alignment):
    first, second = photo("2020-05-01T12:00:00", CAMERA), photo("2020-05-01T13:00:00", CAMERA)
    assert judged(alignment, first, second) is None


def test_shots_of_two_cameras_are_never_one():
    assert judged(EQUAL, photo("", CAMERA), photo("", "Nikon D90")) is None


def test_one_capture_time_leaves_copies_copies():
    first, second = photo("2020-05-01T12:00:00.250", CAMERA), photo("2020-05-01T12:00:00+02:00", CAMERA)
    assert judged(EQUAL, first, second).kind == "copy"
    assert judged(PART, second, second).kind == "edited"


def test_two_times_of_one_second_of_which_one_is_finer_are_no_edit():
    first, second = photo("2020-05-01T12:00:00", CAMERA), photo("2020-05-01T12:00:00.130", CAMERA)
    assert judged(PART, first, second).kind == "burst"


def test_one_scene_without_times_is_an_unsure_burst():
    found = judged(MOVED)
    assert found.kind == "burst"
    assert found.sure <= 0.5


def test_different_pictures_are_nothing():
    assert judged(OTHER, distance=120, cosine=0.99) is None


def test_a_file_that_is_away_is_judged_less_surely_and_that_is_said():
    found = judged(None)
    assert found.kind == "copy"
    assert found.sure < 0.8
    assert "away" in why_alike(found.why)
    assert judged(None, turn=1).kind == "edited"
    assert judged(None, distance=40) is None
    assert judged(None, cosine=0.6) is None
    assert judged(None, distance=None, cosine=None) is None


@pytest.mark.parametrize(
    ("first", "second", "seconds"),
    [
        ("2020-05-01T12:00:00", "2020-05-01T12:00:03", 3.0),
        ("2020-05-01T12:00:00.250", "2020-05-01T12:00:00.750", 0.5),
        ("2020-05-01T12:00:00.250", "2020-05-01T12:00:00", 0.0),
        ("2020-05-01T12:00:00+02:00", "2020-05-01T10:00:00Z", 0.0),
        ("2020-05-01T12:00:00+02:00", "2020-05-01T12:00:00", 0.0),
        ("2020-05-01T12:00:00", "", None),
        ("", "", None),
    ],
)
def test_seconds_between_capture_times(first, second, seconds):
    assert seconds_apart(first, second) == seconds
    assert seconds_apart(second, first) == seconds


def test_the_nearer_in_time_the_surer_a_burst_is():
    first = photo("2020-05-01T12:00:00", CAMERA)
    near, far = (photo(f"2020-05-01T12:00:{second:02d}", CAMERA) for second in (1, int(BURST_S)))
    assert judged(PART, first, near).sure > judged(PART, first, far).sure
