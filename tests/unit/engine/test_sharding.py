"""Taking files by shards: the same collection as without, whatever ends the run in between."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest

import lookalike
from lookalike.core.errors import CollectionBusy, CollectionError, EncoderMismatch
from lookalike.core.records import Asset, Skipped
from lookalike.engine import sharding as module
from lookalike.engine.reports import Progress, SyncReport
from lookalike.engine.shard_encoding import Here
from lookalike.engine.shard_files import Encoded, Entry, files_of, read_shard, write_shard
from lookalike.engine.shard_folder import shard_folder
from lookalike.engine.sharding import Sharding
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder


class CountingToy(ToyEncoder):
    """A toy that knows how many pictures it saw."""

    seen = 0

    def encode_images(self, pictures):
        self.seen += len(pictures)
        return super().encode_images(pictures)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    """Shards of ten files, so that the 24 pictures make three."""
    monkeypatch.setattr(module, "SHARD_AT_LEAST", 10)
    monkeypatch.setattr(module, "SHARDS_EACH", 1000)


@pytest.fixture
def shards(tmp_path):
    return tmp_path / "shards"


def by_shards(place, *, keep=True):
    return Sharding(Here(2), str(place), keep=keep)


def sync(where, pictures, sharding, encoder=None, **said):
    """The report of a run into the collection at `where`, and the encoder."""
    encoder = encoder or CountingToy()
    with lookalike.open(where, encoder=encoder) as collection:
        *_, report = collection.sync([pictures], sharding=sharding, index="later", **said)
    return report, encoder


def held(where):
    """Everything a collection holds, but for ids that were made up and times."""
    with Store.open(where, create=False) as store, store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
        digests = snapshot.digests_of([item.id for some in items.values() for item in some])
        seen = snapshot.fingerprints_of(items)
        sketches = snapshot.sketches(item.picture for some in items.values() for item in some)
        return {
            item.uri: (
                item._replace(id="", picture=0),
                digests[item.id],
                snapshot.rows[row].tobytes(),
                seen[row],
                sketches[item.picture],
            )
            for row, some in items.items()
            for item in some
        }


def tables(shards):
    return sorted((shards / "metadata").iterdir())


def rows(shards):
    return [row for table in tables(shards) for row in pq.read_table(table).to_pylist()]


def test_a_run_by_shards_stores_what_a_run_without_them_stores(pictures, shards, tmp_path):
    shutil.copy(pictures / min(os.listdir(pictures)), pictures / "copy.png")
    sync(tmp_path / "plain.lookalike", pictures, None)
    report, _ = sync(tmp_path / "sharded.lookalike", pictures, by_shards(shards))
    assert report.added == 25
    assert held(tmp_path / "sharded.lookalike") == held(tmp_path / "plain.lookalike")


def test_shards_are_arrays_and_tables_with_a_row_for_each_picture_in_the_same_order(pictures, shards, tmp_path):
    report, toy = sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    stored = held(tmp_path / "c.lookalike")
    assert [shard.pictures for shard in report.shards] == [10, 10, 4]
    for table, shard in zip(tables(shards), report.shards, strict=True):
        vectors = np.load(shards / "img_emb" / f"img_emb_{shard.name}.npy")
        described = pq.read_table(table).to_pylist()
        assert vectors.dtype == np.float16
        assert vectors.shape == (shard.pictures, toy.dim)
        assert [stored[row["image_path"]][2] for row in described] == [vector.tobytes() for vector in vectors]


def test_a_bad_file_costs_itself_and_is_a_row_of_errors(pictures, shards, tmp_path):
    (pictures / "000-bad.jpg").write_bytes(b"no picture")
    report, _ = sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    assert (report.added, len(report.skipped)) == (24, 1)
    with lookalike.open(tmp_path / "c.lookalike", encoder=ToyEncoder()) as collection:
        assert [failure.uri for failure in collection.failures()] == [str(pictures / "000-bad.jpg")]
    (errors,) = (shards / "errors").iterdir()
    (row,) = pq.read_table(errors).to_pylist()
    assert row["image_path"] == str(pictures / "000-bad.jpg")
    assert row["reason"] == report.skipped[0].reason


def test_what_finished_shards_hold_is_not_encoded_again(pictures, shards, tmp_path):
    (pictures / "bad.jpg").write_bytes(b"no picture")
    sync(tmp_path / "first.lookalike", pictures, by_shards(shards))
    report, toy = sync(tmp_path / "second.lookalike", pictures, by_shards(shards))
    assert (toy.seen, report.encoded, report.reused, report.added) == (0, 0, 24, 24)
    assert [each.uri for each in report.skipped] == [str(pictures / "bad.jpg")]
    assert held(tmp_path / "second.lookalike") == held(tmp_path / "first.lookalike")


def test_a_run_that_ended_between_shards_goes_on_and_no_picture_is_in_two(pictures, shards, tmp_path):
    stop = threading.Event()
    with lookalike.open(tmp_path / "c.lookalike", encoder=ToyEncoder()) as collection:
        for event in collection.sync([pictures], sharding=by_shards(shards), index="later", stop=stop):
            if isinstance(event, Progress) and event.stage == "take" and event.encoded:
                stop.set()
        assert isinstance(event, SyncReport)
        assert event.interrupted
        assert event.added < 24
    report, _ = sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    assert report.added == 24 - event.added
    assert len(held(tmp_path / "c.lookalike")) == 24
    assert sorted(row["image_path"] for row in rows(shards)) == sorted(str(path) for path in pictures.iterdir())


def test_shards_that_were_finished_but_never_taken_in_are_taken_in(pictures, shards, tmp_path):
    """As a driver leaves them that is killed: the collection does not know of them."""
    sync(tmp_path / "lost.lookalike", pictures, by_shards(shards))
    tables(shards)[1].unlink()  # its vectors were written, its table was not: it was never finished
    report, toy = sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    assert (report.reused, report.encoded, toy.seen) == (14, 10, 10)
    assert sorted(row["image_path"] for row in rows(shards)) == sorted(str(path) for path in pictures.iterdir())
    assert len(list((shards / "img_emb").iterdir())) == len(tables(shards)), "the unfinished one is cleared away"


def test_a_file_that_changed_since_its_shard_is_encoded(pictures, shards, tmp_path):
    sync(tmp_path / "first.lookalike", pictures, by_shards(shards))
    first, second = sorted(pictures.iterdir())[:2]
    shutil.copyfile(second, first)
    os.utime(first, ns=(1, 1))
    report, _ = sync(tmp_path / "second.lookalike", pictures, by_shards(shards))
    assert (report.encoded, report.reused) == (1, 23)


def test_checking_content_uses_no_earlier_shard(pictures, shards, tmp_path):
    sync(tmp_path / "first.lookalike", pictures, by_shards(shards))
    report, _ = sync(tmp_path / "second.lookalike", pictures, by_shards(shards), check_content=True)
    assert (report.encoded, report.reused) == (24, 0)


def test_what_an_earlier_shard_lists_as_bad_is_tried_again_when_asked(pictures, shards, tmp_path):
    bad = pictures / "bad.png"
    bad.write_bytes(b"no picture")
    os.utime(bad, ns=(1, 1))
    sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    good = min(pictures.glob("0*.png")).read_bytes()
    sizes = len(good)
    bad.write_bytes(b"x" * sizes)
    os.utime(bad, ns=(1, 1))
    sync(tmp_path / "d.lookalike", pictures, by_shards(shards))
    bad.write_bytes(good)
    os.utime(bad, ns=(1, 1))
    kept, _ = sync(tmp_path / "d.lookalike", pictures, by_shards(shards))
    again, _ = sync(tmp_path / "d.lookalike", pictures, by_shards(shards), retry_failed=True)
    assert (kept.added, again.added) == (0, 1)


def test_a_file_that_was_only_touched_is_no_change(pictures, shards, tmp_path):
    sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    os.utime(min(pictures.iterdir()), ns=(1, 1))
    report, _ = sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    again, _ = sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    assert (report.added, report.changed, report.encoded, again.encoded) == (0, 0, 1, 0)


@pytest.mark.parametrize("keep", [True, False])
def test_a_folder_that_holds_other_files_is_refused_and_they_stay(pictures, tmp_path, keep):
    before = sorted(pictures.iterdir())
    with pytest.raises(CollectionError, match="holds other files"):
        sync(tmp_path / "c.lookalike", pictures, by_shards(pictures, keep=keep))
    assert sorted(pictures.iterdir()) == before


def test_files_that_were_put_beside_the_shards_stay(pictures, shards, tmp_path):
    sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    (shards / "index.faiss").write_bytes(b"of another program")
    (shards / "metadata" / "metadata_lost.parquet.unfinished-1").write_bytes(b"of a worker that was killed")
    sync(tmp_path / "d.lookalike", pictures, by_shards(shards))
    assert (shards / "index.faiss").exists()
    assert len(tables(shards)) == 3


def test_a_folder_that_another_run_uses_is_refused(pictures, shards, tmp_path):
    with shard_folder(str(shards)).held(), pytest.raises(CollectionBusy, match="another run of index"):
        sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    report, _ = sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    assert report.added == 24


def test_shards_that_are_not_kept_leave_nothing(pictures, shards, tmp_path):
    report, _ = sync(tmp_path / "c.lookalike", pictures, by_shards(shards, keep=False))
    assert (report.added, len(report.shards)) == (24, 3)
    assert not shards.exists()


def test_shards_of_another_encoder_are_refused(pictures, shards, tmp_path):
    sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    with pytest.raises(EncoderMismatch, match=r"the shards in .* are of toy-"):
        sync(tmp_path / "d.lookalike", pictures, by_shards(shards), ToyEncoder("other"))


@pytest.mark.parametrize("content", [b"", b"no array", b"PAR1"])
def test_a_damaged_shard_is_told_of(pictures, shards, tmp_path, content):
    sync(tmp_path / "c.lookalike", pictures, by_shards(shards))
    (shards / "img_emb" / tables(shards)[0].name.replace("metadata", "img_emb")).with_suffix(".npy").write_bytes(
        content
    )
    with pytest.raises(CollectionError, match=r"the shard .* cannot be read"):
        sync(tmp_path / "d.lookalike", pictures, by_shards(shards))


@pytest.mark.parametrize("of_another", ["vectors", "errors"])
def test_what_another_worker_wrote_is_not_taken_for_part_of_a_shard(pictures, shards, tmp_path, of_another):
    """One that was given up, but was only out of reach, may end later than the one in its place."""
    (pictures / "bad.jpg").write_bytes(b"no picture")
    sync(tmp_path / "first.lookalike", pictures, by_shards(shards))
    if of_another == "vectors":
        vectors = min((shards / "img_emb").iterdir())
        np.save(vectors, np.load(vectors)[::-1])
    else:
        (errors,) = (shards / "errors").iterdir()
        good = next(each for each in tables(shards) if each.stem.rpartition("_")[2] != errors.stem.rpartition("_")[2])
        errors.rename(errors.with_name(good.name.replace("metadata", "errors")))
    with pytest.raises(CollectionError, match="those of another") as refused:
        sync(tmp_path / "second.lookalike", pictures, by_shards(shards))
    assert "index again" in refused.value.hint


def test_errors_of_a_try_that_was_lost_are_not_those_of_the_next(tmp_path):
    folder, asset = shard_folder(str(tmp_path / "shards")), Asset(b"a.png", "/a.png", 1, 1)
    broken = Skipped(asset.uri, "not now", "unreadable", asset.key)
    write_shard(folder, "1", 2, [Entry(b"/", asset, None, broken)])
    folder.remove(files_of("1")[-1])
    encoded = Encoded(1, 1, "PNG", b"b" * 16, b"p" * 16, {}, None, np.array([1, 0], np.float16))
    write_shard(folder, "1", 2, [Entry(b"/", asset, None, encoded)])
    (outcome,) = read_shard(folder, "1").values()
    assert isinstance(outcome, Encoded)


def test_a_note_that_is_none_is_told_of(pictures, shards, tmp_path):
    shards.mkdir()
    (shards / "shards.json").write_text(json.dumps(["something else"]))
    with pytest.raises(CollectionError, match="no note of shards"):
        sync(tmp_path / "c.lookalike", pictures, by_shards(shards))


def test_shards_may_lie_in_storage_that_fsspec_reaches(pictures, tmp_path):
    import fsspec

    report, _ = sync(tmp_path / "c.lookalike", pictures, by_shards("memory://shop/shards"))
    again, toy = sync(tmp_path / "d.lookalike", pictures, by_shards("memory://shop/shards", keep=False))
    assert (report.encoded, again.reused, toy.seen) == (24, 24, 0)
    assert fsspec.filesystem("memory").find("/shop") == []


def test_catalogues_and_archives_come_through(pictures, shards, tmp_path):
    """Two rows of the catalogue show one picture."""
    first, second, *_ = sorted(os.listdir(pictures))
    catalogue, archive = tmp_path / "products.csv", tmp_path / "archive.tar"
    catalogue.write_text(f"id,image,price\na,pictures/{first},1\nb,pictures/{first},2\nc,pictures/{second},3\n")
    with tarfile.open(archive, "w") as tar:
        tar.add(pictures / first, first)
        tar.add(pictures / second, second)
    for source, count in ((catalogue, 3), (archive, 2)):
        where = {name: tmp_path / f"{name}-{source.stem}.lookalike" for name in ("plain", "first", "second")}
        sync(where["plain"], source, None)
        sync(where["first"], source, by_shards(shards))
        report, toy = sync(where["second"], source, by_shards(shards))
        assert (toy.seen, report.reused, report.added) == (0, count, count)
        assert held(where["plain"]) == held(where["first"]) == held(where["second"])


def test_names_that_are_not_text_come_through(pictures, shards, tmp_path):
    if sys.platform != "linux":
        return  # elsewhere names are text
    odd = os.fsencode(pictures) + b"/\xff\n.png"
    os.rename(os.fsencode(min(pictures.iterdir())), odd)
    sync(tmp_path / "plain.lookalike", pictures, None)
    sync(tmp_path / "first.lookalike", pictures, by_shards(shards))
    sync(tmp_path / "second.lookalike", pictures, by_shards(shards))
    assert (
        held(tmp_path / "plain.lookalike") == held(tmp_path / "first.lookalike") == held(tmp_path / "second.lookalike")
    )
