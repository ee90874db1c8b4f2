"""Moving a collection to another encoder, and proving that a collection is whole."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

import lookalike
from lookalike.core.errors import EncoderMismatch
from lookalike.testing import ToyEncoder

if TYPE_CHECKING:
    from lookalike.engine.reports import MigrateReport


def last(events) -> MigrateReport:
    *_, report = events
    return report


def test_another_encoder_is_refused_and_the_hint_names_migrate(collection):
    with pytest.raises(EncoderMismatch) as refused:
        lookalike.open(collection.path, encoder=ToyEncoder("other"))
    assert "lookalike migrate --encoder other" in refused.value.hint


def test_migrate_moves_every_picture_and_searches_work_before_and_after(collection):
    before = [hit.id for hit in collection.search("red circle", k=24)]
    report = last(collection.migrate(ToyEncoder("other")))
    assert (report.encoded, report.switched, report.skipped) == (24, True, ())
    assert collection.status()["encoder"] == "other"
    assert {hit.id for hit in collection.search("red circle", k=24)} == set(before)
    assert collection.search("red circle", k=1)[0].uri.endswith("0008-red-circle.png")
    assert collection.verify().problems == ()


def test_an_interrupted_migration_changes_nothing_and_is_taken_up_again(collection):
    stop = threading.Event()
    stop.set()
    first = last(collection.migrate(ToyEncoder("other"), stop=stop))
    assert not first.switched
    assert collection.status()["encoder"] == "toy"
    assert collection.search("red circle", k=1)
    second = last(collection.migrate(ToyEncoder("other")))
    assert second.switched
    assert first.encoded + second.encoded == 24


def test_stopping_ends_a_migration_after_the_call_in_hand(collection):
    stop = threading.Event()

    class Stopping(ToyEncoder):
        def encode_images(self, pictures):
            stop.set()
            return super().encode_images(pictures)

    report = last(collection.migrate(Stopping("other"), stop=stop))
    assert not report.switched
    assert 0 < report.encoded < 24


def test_what_a_migration_left_that_was_given_up_goes_with_the_next(collection):
    events = collection.migrate(ToyEncoder("given-up"))
    next(events)
    events.close()
    assert last(collection.migrate(ToyEncoder("other"))).switched
    assert len(list((collection.path / "spaces").iterdir())) == 1


def test_a_picture_is_migrated_by_its_copy_when_its_first_place_shows_another_by_now(collection, pictures):
    target = pictures / "0000-red-triangle.jpg"
    (pictures / "z-copy-of-the-first.jpg").write_bytes(target.read_bytes())
    list(collection.sync())
    target.write_bytes((pictures / "0004-blue-triangle.jpg").read_bytes())
    report = last(collection.migrate(ToyEncoder("other")))
    assert (report.encoded, report.skipped) == (24, ())


def test_pictures_away_during_a_migration_are_filled_in_when_they_are_back(collection, pictures):
    away = pictures.with_name("away")
    pictures.rename(away)
    report = last(collection.migrate(ToyEncoder("other")))
    assert report.switched
    assert len(report.skipped) == 24
    away.rename(pictures)
    *_, synced = collection.sync()
    assert synced.encoded == 24
    assert len(collection.search("red", k=30)) == 24


def test_verify_passes_on_a_whole_collection(collection):
    report = collection.verify(sample=24)
    assert (report.problems, report.rows, report.sampled, report.unreadable) == ((), 24, 24, 0)


def test_verify_finds_a_flipped_bit_in_the_rows(collection):
    rows = next(collection.path.glob("spaces/*/rows-*.f16"))
    data = bytearray(rows.read_bytes())
    data[-5] ^= 0x40
    rows.write_bytes(bytes(data))
    assert collection.verify().problems


def test_files_changed_since_they_were_indexed_do_not_count_as_wrong(collection, pictures):
    target = pictures / "0000-red-triangle.jpg"
    target.write_bytes((pictures / "0004-blue-triangle.jpg").read_bytes())
    report = collection.verify(sample=24)
    assert (report.problems, report.unreadable) == ((), 1)


def test_a_picture_is_verified_by_its_copy_when_its_first_place_is_gone(collection, pictures):
    target = pictures / "0000-red-triangle.jpg"
    (pictures / "z-copy-of-the-first.jpg").write_bytes(target.read_bytes())
    list(collection.sync())
    target.unlink()
    report = collection.verify(sample=24)
    assert (report.problems, report.unreadable) == ((), 0)


def test_with_an_encoder_that_is_gone_verify_still_reads_every_checksum(collection):
    with lookalike.open(collection.path) as opened:
        report = opened.verify(sample=24)
    (problem,) = report.problems
    assert "toy-" in problem
    assert (report.rows, report.sampled) == (24, 0)
