"""A watched collection follows its folders, whatever happens in them and in whatever order it is told."""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

import lookalike
from lookalike import Progress, SyncReport
from lookalike.core.errors import CollectionBusy, SourceError
from lookalike.engine.look import CHANGING
from lookalike.engine.watching import Pace, Waiting, Watching, watch
from lookalike.testing import ToyEncoder, draw_pictures

PATIENCE_S = 300.0
"""How long a test waits for what has to come."""
QUICK = Pace(quiet=0.3, longest=2.0, settled=0.2, every=3600.0, busy=0.1)


class Watch:
    """A watch in a thread, and what it told."""

    def __init__(self, collection, paths, pace) -> None:
        self.stop = threading.Event()
        self.events = []
        self.failure = None
        self._thread = threading.Thread(target=self._run, args=(collection, paths, pace))
        self._thread.start()

    def _run(self, collection, paths, pace) -> None:
        try:
            for event in watch(collection, paths, stop=self.stop, pace=pace):
                if not isinstance(event, Progress):
                    self.events.append(event)
        except Exception as error:
            self.failure = error

    def told(self, kind) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def wait(self, until) -> None:
        end = time.monotonic() + PATIENCE_S
        while not until():
            assert self._thread.is_alive(), self.failure
            assert time.monotonic() < end, self.events
            time.sleep(0.02)

    def end(self) -> None:
        self.stop.set()
        self._thread.join()


@contextmanager
def watching(collection, paths=(), pace=QUICK):
    started = Watch(collection, paths, pace)
    try:
        started.wait(lambda: started.told(SyncReport))
        yield started
    finally:
        started.end()
    assert started.failure is None


def names(collection) -> set[str]:
    return {Path(hit.uri).name for hit in collection.search("red", k=100, all_copies=True)}


def test_files_that_appear_change_move_and_go_are_followed(collection, pictures, tmp_path):
    draw_pictures(tmp_path / "more", 30)
    kept = {Path(hit.uri).name: hit.id for hit in collection.search("red", k=100)}
    with watching(collection) as watched:
        assert watched.told(Watching) == [Watching((str(pictures),))]
        (pictures / "new" / "deeper").mkdir(parents=True)
        shutil.copy(next((tmp_path / "more").glob("0025-*")), pictures / "new" / "deeper" / "new.jpg")
        watched.wait(lambda: "new.jpg" in names(collection))
        (pictures / "0000-red-triangle.jpg").rename(pictures / "new" / "renamed.jpg")
        (pictures / "0001-orange-triangle.jpg").unlink()
        watched.wait(
            lambda: {"renamed.jpg"} <= names(collection) and "0001-orange-triangle.jpg" not in names(collection)
        )
        shutil.copy(next((tmp_path / "more").glob("0026-*")), next(pictures.glob("0002-*")))
        watched.wait(lambda: sum(report.changed for report in watched.told(SyncReport)) == 1)
    after = {Path(hit.uri).name: hit.id for hit in collection.search("red", k=100)}
    assert after["renamed.jpg"] == kept["0000-red-triangle.jpg"]


def test_a_burst_is_taken_in_few_looks(collection, pictures, tmp_path):
    """Few also where the one who copies stands still for some seconds, some times."""
    draw_pictures(tmp_path / "more", 200)
    with watching(collection, pace=replace(QUICK, quiet=2.0, longest=60.0)) as watched:
        for path in (tmp_path / "more").iterdir():
            shutil.copy(path, pictures / f"more-{path.name}")
        watched.wait(lambda: collection.status()["items"] == 224)
        assert len(watched.told(SyncReport)) <= 6


def test_a_file_is_taken_only_when_it_is_whole(collection, pictures, tmp_path):
    """Whole is what nobody wrote to for a while: here for an hour, by the time of the file."""
    draw_pictures(tmp_path / "more", 26)
    whole, slow = next((tmp_path / "more").glob("0025-*")).read_bytes(), pictures / "slow.jpg"
    with watching(collection, pace=replace(QUICK, settled=3600.0)) as watched:

        def left() -> int:
            return sum(each.code == CHANGING for report in watched.told(SyncReport) for each in report.skipped)

        with slow.open("wb", buffering=0) as stream:
            for looks, part in enumerate((whole[:100], whole[100:-100], whole[-100:]), 1):
                stream.write(part)
                watched.wait(lambda looks=looks: left() >= looks)
                assert "slow.jpg" not in names(collection)
        an_hour_ago = time.time() - 3700
        os.utime(slow, (an_hour_ago, an_hour_ago))
        watched.wait(lambda: "slow.jpg" in names(collection))
    assert collection.failures() == []


def test_a_file_that_was_written_just_now_is_left_for_the_next_run(collection, pictures):
    fresh, known = pictures / "fresh.jpg", next(pictures.glob("0003-*"))
    shutil.copyfile(pictures / "0000-red-triangle.jpg", fresh)
    shutil.copyfile(pictures / "0000-red-triangle.jpg", known)
    *_, report = collection.sync(settled_s=3600)
    assert [(each.code, Path(each.uri).name) for each in report.skipped] == [
        ("changing", known.name),
        ("changing", fresh.name),
    ]
    assert known.name in names(collection)
    later = time.time_ns() + 10**12
    os.utime(fresh, ns=(later, later))
    *_, report = collection.sync(settled_s=3600)
    assert (report.added, len(report.skipped)) == (1, 1)


def test_a_root_that_goes_is_kept_and_looked_at_when_it_is_back(collection, pictures, tmp_path):
    with watching(collection) as watched:
        pictures.rename(tmp_path / "away")
        watched.wait(lambda: collection.status()["offline"] == 24)
        (tmp_path / "away" / "0001-orange-triangle.jpg").unlink()
        (tmp_path / "away").rename(pictures)
        watched.wait(lambda: collection.status()["offline"] == 0 and collection.status()["items"] == 23)


def test_a_new_folder_is_taken_and_watched_alone(collection, pictures, tmp_path):
    draw_pictures(tmp_path / "more", 30)
    taken = tmp_path / "taken"
    taken.mkdir()
    with watching(collection, [taken]) as watched:
        (pictures / "0001-orange-triangle.jpg").unlink()
        shutil.copy(next((tmp_path / "more").glob("0025-*")), taken / "new.jpg")
        watched.wait(lambda: "new.jpg" in names(collection))
        assert collection.status()["items"] == 25


def test_a_root_of_one_file_is_followed_though_programs_save_by_renaming(tmp_path, drawn, toy):
    shutil.copy(drawn / "0000-red-triangle.jpg", tmp_path / "one.jpg")
    with (
        lookalike.open(tmp_path / "c.lookalike", encoder=toy) as photos,
        watching(photos, [tmp_path / "one.jpg"]) as it,
    ):
        it.wait(lambda: sum(report.added for report in it.told(SyncReport)) == 1)  # it was written just now
        shutil.copy(next(drawn.glob("0007-*")), tmp_path / "saved.tmp")
        (tmp_path / "saved.tmp").replace(tmp_path / "one.jpg")
        it.wait(lambda: sum(report.changed for report in it.told(SyncReport)) == 1)


def the_writer(collection):
    """The one writer, once the first look has let go of it: its report comes a moment before."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with suppress(CollectionBusy):
            return collection._store.writer()
        time.sleep(0.02)
    raise AssertionError("the first look never ended")


def test_a_watch_waits_for_who_indexes_and_goes_on(collection, pictures, tmp_path):
    draw_pictures(tmp_path / "more", 30)
    with watching(collection) as watched:
        with the_writer(collection):
            shutil.copy(next((tmp_path / "more").glob("0025-*")), pictures / "new.jpg")
            watched.wait(lambda: watched.told(Waiting))
        watched.wait(lambda: "new.jpg" in names(collection))
        assert len(watched.told(Waiting)) == 1


def test_a_root_that_another_process_adds_is_watched_too(collection, pictures, tmp_path):
    draw_pictures(tmp_path / "other", 30)
    with watching(collection) as watched:
        the_writer(collection).close()
        with lookalike.open(collection.path, encoder=ToyEncoder()) as other:
            list(other.sync([tmp_path / "other"]))
        (pictures / "0001-orange-triangle.jpg").unlink()
        watched.wait(lambda: len(watched.told(Watching)) == 2)
        next((tmp_path / "other").glob("0025-*")).rename(tmp_path / "other" / "renamed.jpg")
        watched.wait(lambda: "renamed.jpg" in names(collection))


def test_what_is_hidden_and_what_a_collection_writes_is_no_change(tmp_path, toy):
    draw_pictures(tmp_path, 3)
    pace = replace(QUICK, settled=0.0)  # the pictures were written just now
    with (
        lookalike.open(tmp_path / "inside.lookalike", encoder=toy) as photos,
        watching(photos, [tmp_path], pace) as watched,
    ):
        for number in range(10):
            (tmp_path / ".hidden").write_text(str(number), encoding="utf-8")
            photos.search("red")
            time.sleep(0.1)
        assert len(watched.told(SyncReport)) == 1
        (tmp_path / ".lookalikeignore").write_text("0000*", encoding="utf-8")
        watched.wait(lambda: photos.status()["items"] == 2)


def test_everything_is_looked_at_now_and_then_without_being_told(collection):
    with watching(collection, pace=Pace(every=0.3)) as watched:
        watched.wait(lambda: len(watched.told(SyncReport)) >= 3)


def test_a_place_that_is_not_there_is_refused_at_the_start(collection, tmp_path):
    with pytest.raises(SourceError, match="no file or folder"):
        list(watch(collection, [tmp_path / "nowhere"], stop=threading.Event()))
