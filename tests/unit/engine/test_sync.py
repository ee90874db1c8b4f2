"""What a run of `sync` does with files that are new, unchanged, changed, moved, copied, deleted or away."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

import lookalike
from lookalike import Progress, SyncReport
from lookalike.core.errors import CollectionBusy, EncoderBroken, SourceError
from lookalike.testing import ToyEncoder, draw_pictures


class CountingEncoder(ToyEncoder):
    """The toy encoder, counting pictures that pass through it; slower on request, as a real one is."""

    def __init__(self, seconds_a_picture: float = 0.0) -> None:
        super().__init__()
        self.seen = 0
        self._seconds = seconds_a_picture

    def encode_images(self, pictures):
        self.seen += len(pictures)
        time.sleep(self._seconds * len(pictures))
        return super().encode_images(pictures)


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def photos(tmp_path, pictures, encoder):
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        run(opened, [pictures])
        yield opened


def run(collection, paths=(), **options) -> SyncReport:
    *_, report = collection.sync(paths, **options)
    assert isinstance(report, SyncReport)
    return report


def names(results) -> set[str]:
    return {Path(hit.uri).name for hit in results}


def test_first_run_takes_every_picture_once(photos, encoder):
    assert encoder.seen == 24
    status = photos.status()
    assert (status["items"], status["pictures"], status["offline"], status["failures"]) == (24, 24, 0, 0)
    assert status["dim"] == 64


def test_second_run_encodes_and_changes_nothing(photos, encoder):
    report = run(photos)
    assert encoder.seen == 24
    assert (report.added, report.changed, report.moved, report.removed, report.encoded, report.reused) == (0,) * 6


def test_moved_renamed_and_copied_files_cost_no_encoding_and_moved_ones_keep_their_id(photos, pictures, encoder):
    before = {Path(hit.uri).name: hit.id for hit in photos.search("red", k=24)}
    (pictures / "deep").mkdir()
    (pictures / "0000-red-triangle.jpg").rename(pictures / "deep" / "renamed.jpg")
    shutil.copy(pictures / "0001-orange-triangle.jpg", pictures / "copy.jpg")
    report = run(photos)
    assert encoder.seen == 24
    assert (report.moved, report.added, report.removed, report.reused, report.encoded) == (1, 1, 0, 2, 0)
    after = {Path(hit.uri).name: hit.id for hit in photos.search("red", k=30, all_copies=True)}
    assert after["renamed.jpg"] == before["0000-red-triangle.jpg"]
    assert {"copy.jpg", "0001-orange-triangle.jpg"} <= after.keys()
    assert photos.status()["items"] == 25


def test_a_file_with_new_pixels_is_encoded_again_and_keeps_its_id(photos, pictures, encoder):
    target = pictures / "0000-red-triangle.jpg"
    before = {hit.uri: hit.id for hit in photos.search("red", k=24)}[str(target)]
    Image.new("RGB", (80, 60), (30, 70, 215)).save(target)
    report = run(photos)
    assert (report.changed, report.encoded, encoder.seen) == (1, 1, 25)
    hits = {hit.uri: hit for hit in photos.search("blue", k=24)}
    assert hits[str(target)].id == before
    assert hits[str(target)].width == 80


def test_rewritten_metadata_costs_no_encoding(photos, pictures, encoder):
    target = pictures / "0002-yellow-triangle.png"
    with Image.open(target) as image:
        image.load()
        again = image.copy()
    from PIL.PngImagePlugin import PngInfo

    note = PngInfo()
    note.add_text("rating", "5")
    again.save(target, pnginfo=note)
    report = run(photos)
    assert (report.changed, report.encoded, encoder.seen) == (1, 0, 24)


def test_check_content_finds_a_change_that_kept_size_and_time(photos, pictures, encoder):
    target = pictures / "flat.bmp"
    Image.new("RGB", (64, 64), (215, 30, 30)).save(target)
    run(photos)
    stamp = target.stat()
    Image.new("RGB", (64, 64), (30, 70, 215)).save(target)
    os.utime(target, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert target.stat().st_size == stamp.st_size
    assert run(photos).changed == 0
    assert run(photos, check_content=True).changed == 1
    assert encoder.seen == 26


def test_deleted_files_leave_the_results(photos, pictures):
    (pictures / "0000-red-triangle.jpg").unlink()
    assert run(photos).removed == 1
    assert "0000-red-triangle.jpg" not in names(photos.search("red", k=30))


def test_an_unplugged_root_is_offline_and_nothing_of_it_is_lost(photos, pictures, encoder):
    away = pictures.with_name("away")
    pictures.rename(away)
    report = run(photos)
    assert (report.offline, report.removed) == (24, 0)
    assert photos.status()["offline"] == 24
    assert photos.status()["roots"][0]["offline"] is True
    assert all(hit.metadata["offline"] for hit in photos.search("red", k=3))
    away.rename(pictures)
    report = run(photos)
    assert (report.offline, report.encoded, encoder.seen) == (0, 0, 24)


def test_prune_forgets_what_is_offline(photos, pictures):
    shutil.rmtree(pictures)
    run(photos)
    assert photos.prune() == 24
    assert photos.status()["items"] == 0


def test_prune_looks_whether_a_root_is_back_or_gone_by_now(photos, pictures):
    away = pictures.with_name("away")
    pictures.rename(away)
    run(photos)
    away.rename(pictures)
    assert photos.prune() == 0
    assert photos.status()["items"] == 24
    pictures.rename(away)
    assert photos.prune() == 24


def test_a_pattern_that_cannot_be_read_is_refused_and_not_remembered(photos):
    with pytest.raises(SourceError, match="pattern"):
        run(photos, exclude=["!"])
    assert run(photos).removed == 0


def test_a_removed_place_stays_out_until_it_is_asked_for_by_name(photos, pictures):
    target = pictures / "0000-red-triangle.jpg"
    assert photos.remove(target) == 1
    assert run(photos).added == 0
    assert target.exists()
    assert run(photos, [target]).added == 1


def test_asking_for_one_file_of_a_removed_folder_brings_back_that_one(photos, pictures):
    private = draw_pictures(pictures / "private", 4, seed=7)
    run(photos)
    assert photos.remove(pictures / "private") == 4
    assert run(photos, [private[0]]).added == 1
    report = run(photos)
    assert (report.added, report.removed) == (0, 0)
    assert photos.status()["items"] == 25
    assert photos.remove(pictures / "private") == 1
    assert run(photos).added == 0
    assert run(photos, [pictures / "private"]).added == 4


def test_bad_files_are_listed_with_reasons_and_not_read_again_until_they_change(photos, pictures):
    bad = pictures / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    (pictures / "empty.png").touch()
    report = run(photos)
    assert {Path(each.uri).name for each in report.skipped} == {"bad.jpg", "empty.png"}
    assert all(each.reason for each in report.skipped)
    assert {Path(each.uri).name for each in photos.failures()} == {"bad.jpg", "empty.png"}
    assert len(run(photos).skipped) == 2
    Image.new("RGB", (40, 40), (215, 30, 30)).save(bad)
    report = run(photos)
    assert (report.added, len(report.skipped)) == (1, 1)
    assert [Path(each.uri).name for each in photos.failures()] == ["empty.png"]


def test_a_picture_that_breaks_leaves_the_results_and_is_a_failure(photos, pictures):
    target = pictures / "0000-red-triangle.jpg"
    target.write_bytes(b"broken")
    run(photos)
    assert "0000-red-triangle.jpg" not in names(photos.search("red", k=30))
    assert [Path(each.uri).name for each in photos.failures()] == ["0000-red-triangle.jpg"]


def test_a_file_that_cannot_be_read_for_now_keeps_its_item(photos, pictures):
    if not Path("/proc/self/mem").exists():
        return
    target = pictures / "0000-red-triangle.jpg"
    before = {hit.uri: hit.id for hit in photos.search("red", k=24)}[str(target)]
    content = target.read_bytes()
    target.unlink()
    target.symlink_to("/proc/self/mem")  # Linux: it can be opened, and reading it fails, also for root
    report = run(photos)
    assert [each.uri for each in report.skipped] == [str(target)]
    target.unlink()
    target.write_bytes(content)
    assert run(photos).encoded == 0
    assert {hit.uri: hit.id for hit in photos.search("red", k=24)}[str(target)] == before


def test_stopping_keeps_what_is_done_and_removes_nothing(tmp_path):
    encoder = CountingEncoder(seconds_a_picture=0.03)
    folder = tmp_path / "many"
    draw_pictures(folder, 60)
    stop = threading.Event()
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        report = None
        for event in opened.sync([folder], stop=stop):
            if encoder.seen >= 8:
                stop.set()
            report = event
        assert report.interrupted
        kept = opened.status()["items"]
        assert 0 < kept < 60
        assert run(opened).added == 60 - kept
        assert opened.status()["items"] == 60
        assert encoder.seen == 60


def test_stopping_before_anything_was_looked_at_loses_nothing(photos):
    stop = threading.Event()
    stop.set()
    report = run(photos, stop=stop)
    assert (report.interrupted, report.removed) == (True, 0)
    assert photos.status()["items"] == 24


def test_closing_the_iterator_early_keeps_what_was_taken(tmp_path):
    encoder = CountingEncoder(seconds_a_picture=0.03)
    draw_pictures(tmp_path / "many", 60)
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        events = opened.sync([tmp_path / "many"])
        for _ in events:
            if encoder.seen >= 8:
                break
        events.close()
        run(opened)
        assert opened.status()["items"] == 60
        assert encoder.seen == 60


def test_a_second_writer_is_refused_at_once_with_the_process_id_of_the_first(photos, pictures, tmp_path, toy):
    events = photos.sync([pictures])
    draw_pictures(pictures, 40, seed=3)
    next(events)
    with lookalike.open(photos.path, encoder=toy) as second, pytest.raises(CollectionBusy) as refused:
        run(second)
    assert refused.value.pid == os.getpid()
    events.close()


def test_a_path_that_never_was_is_an_error(photos, tmp_path):
    with pytest.raises(SourceError, match="nowhere"):
        run(photos, [tmp_path / "nowhere"])


def test_roots_inside_roots_count_every_file_once(tmp_path, encoder):
    inner = tmp_path / "outer" / "inner"
    draw_pictures(inner, 8)
    draw_pictures(tmp_path / "outer", 8, seed=5)
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        run(opened, [inner])
        run(opened, [tmp_path / "outer"])
        run(opened, [inner])
        assert opened.status()["items"] == 16
        assert len(opened.status()["roots"]) == 1
        assert encoder.seen == 16


def test_a_folder_and_one_inside_it_named_together_are_one_root(tmp_path, encoder):
    inner = tmp_path / "outer" / "inner"
    draw_pictures(inner, 8)
    draw_pictures(tmp_path / "outer", 8, seed=5)
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        assert run(opened, [inner, tmp_path / "outer", inner / "0000-red-triangle.jpg"]).added == 16
        assert len(opened.status()["roots"]) == 1
        assert encoder.seen == 16


def test_a_file_that_became_a_folder_is_walked(tmp_path, encoder):
    place = draw_pictures(tmp_path / "p", 1)[0]
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        run(opened, [place])
        place.unlink()
        draw_pictures(place, 3, seed=2)
        assert run(opened, [place]).added == 3
        assert {Path(hit.uri).parent for hit in opened.search("red", k=9)} == {place}


def test_a_move_that_an_interrupted_run_began_is_told_as_a_move_and_not_as_minus_one_added(photos, pictures):
    (pictures / "0000-red-triangle.jpg").rename(pictures / "renamed.jpg")
    events = photos.sync()
    for event in events:
        if isinstance(event, Progress) and event.stage == "finish":
            break
    events.close()
    assert photos.status()["items"] == 25
    report = run(photos)
    assert (report.added, report.moved, report.removed) == (0, 1, 0)


def test_excluded_files_leave_and_the_globs_are_remembered(photos, pictures):
    assert run(photos, exclude=["*.png"]).removed == 8
    assert run(photos).added == 0
    assert run(photos, exclude=[]).added == 8


def test_a_single_file_can_be_a_root(tmp_path, pictures, encoder):
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        target = pictures / "0003-green-triangle.jpg"
        assert run(opened, [target]).added == 1
        assert names(opened.search("green")) == {target.name}
        target.unlink()
        assert run(opened).removed == 1


def test_names_that_are_no_text_are_taken(tmp_path, pictures, encoder):
    odd = os.path.join(os.fsencode(pictures), b"caf\xe9\n.jpg")
    shutil.copy(os.fsencode(pictures / "0000-red-triangle.jpg"), odd)
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        run(opened, [pictures])
        hits = opened.search("red", k=30, all_copies=True)
        assert odd in {os.fsencode(hit.uri) for hit in hits}


def test_pictures_that_are_gone_free_their_space(photos, pictures):
    for path in sorted(pictures.iterdir())[:20]:
        path.unlink()
    run(photos)
    photos.compact()
    assert photos.status()["dead_rows"] == 0
    assert len(photos.search("red", k=30)) == 4
    assert photos.verify().problems == ()


class NoRed(ToyEncoder):
    """The toy encoder, which makes no finite vector of a picture whose middle is red; nor of any, when `broken`."""

    broken = False

    def encode_images(self, pictures):
        for pixels in pictures:
            red, green, blue = (int(value) for value in pixels[pixels.shape[0] // 2, pixels.shape[1] // 2])
            if self.broken or (red > 180 and green < 80 and blue < 80):
                raise EncoderBroken("no finite vector")
        return super().encode_images(pictures)


def test_a_picture_that_the_encoder_makes_no_vector_of_is_listed_and_costs_no_other_one(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, colour in enumerate(["blue", "red", "green", "red", "yellow", "white"]):
        Image.new("RGB", (64, 64), colour if number != 3 else (250, 5, 5)).save(folder / f"{number}-{colour}.png")
    shutil.copy(folder / "1-red.png", folder / "5-twin.png")
    encoder = NoRed()
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as photos:
        report = run(photos, [folder])
        assert {Path(each.uri).name for each in report.skipped} == {"1-red.png", "3-red.png", "5-twin.png"}
        assert {each.code for each in report.skipped} == {"no-vector"}
        assert (report.added, report.encoded) == (4, 4)
        assert {Path(each.uri).name for each in photos.failures()} == {"1-red.png", "3-red.png", "5-twin.png"}
        assert run(photos).added == 0
        encoder.broken = True
        Image.new("RGB", (64, 64), "purple").save(folder / "6.png")
        with pytest.raises(EncoderBroken):
            run(photos)
