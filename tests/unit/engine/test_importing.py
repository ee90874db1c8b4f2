"""Vectors taken in: exports of our own come back as they were, those of others with all that is known of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lookalike
from exported_vectors import DIM, clip_retrieval, collection_of, everything, last, units, vectors
from lookalike.core.errors import EncoderMismatch, EncoderUnavailable, SourceError
from lookalike.engine.reports import Progress
from lookalike.testing import ToyEncoder

TOP = os.path.abspath(os.sep)
WEB = [f"https://example.org/{number}.jpg" for number in range(6)]


@pytest.fixture
def taken(tmp_path):
    """Import a folder into a collection of its own; gives the open collection and the report."""
    opened = []

    def take(folder, *, name="taken", **settings):
        collection = lookalike.open(tmp_path / f"{name}.lookalike")
        opened.append(collection)
        return collection, last(collection.import_vectors(folder, **settings))

    yield take
    for collection in opened:
        collection.close()


def places(collection):
    return {root["path"]: root["offline"] for root in collection.status()["roots"]}


# --- exports of our own ----------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["npy", "parquet"])
def test_answers_scores_ids_and_metadata_come_back_bit_for_bit(collection, tmp_path, toy, layout, pictures):
    shutil.copy(pictures / "0000-red-triangle.jpg", pictures / "copy.jpg")
    last(collection.sync())
    last(collection.export(tmp_path / "out", layout))
    with lookalike.open(tmp_path / "back.lookalike", encoder=toy) as back:
        report = last(back.import_vectors(tmp_path / "out"))
        assert (report.added, report.skipped, report.encoder) == (25, (), "toy")
        for question in ("red circle", "blue", pictures / "0003-green-triangle.jpg"):
            want, got = collection.search(question, k=30), back.search(question, k=30)
            assert [hit.as_dict() for hit in got] == [hit.as_dict() for hit in want]
        assert back.status()["pictures"] == 24


def test_after_an_import_indexing_the_same_folder_encodes_nothing(collection, tmp_path, toy, pictures):
    last(collection.export(tmp_path / "out", "npy"))
    with lookalike.open(tmp_path / "back.lookalike", encoder=toy) as back:
        assert last(back.import_vectors(tmp_path / "out")).folders == (str(pictures),)
        (pictures / "0000-red-triangle.jpg").rename(pictures / "moved.jpg")
        again = last(back.sync([pictures]))
        assert (again.encoded, again.added, again.moved, again.removed) == (0, 0, 1, 0)
        assert back.verify().problems == ()


def test_a_file_that_changed_since_it_was_encoded_is_taken_anew_by_the_next_run(collection, tmp_path, toy, pictures):
    last(collection.export(tmp_path / "out", "parquet"))
    shutil.copy(pictures / "0001-orange-triangle.jpg", pictures / "0000-red-triangle.jpg")
    with lookalike.open(tmp_path / "back.lookalike", encoder=toy) as back:
        last(back.import_vectors(tmp_path / "out"))
        assert last(back.sync()).changed == 1
        assert back.verify().problems == ()


def test_a_faiss_export_comes_back_by_its_paths(collection, tmp_path, toy):
    last(collection.export(tmp_path / "out", "faiss"))
    with lookalike.open(tmp_path / "back.lookalike", encoder=toy) as back:
        last(back.import_vectors(tmp_path / "out"))
        want, got = (each.search("red circle", k=24) for each in (collection, back))
        assert {hit.uri for hit in got} == {hit.uri for hit in want}
        assert [hit.score for hit in got] == pytest.approx([hit.score for hit in want], abs=1e-3)
        assert last(back.sync()).encoded == 0


@pytest.mark.parametrize("layout", ["faiss", "npy", "parquet"])
def test_odd_names_come_back(tmp_path, taken, layout):
    names = ["plain.png", "new\nline.png", "re\rturn.png", os.fsdecode(b"\xff\xfe.png")]
    root = os.fsencode(os.path.join(TOP, "photos"))
    with collection_of(tmp_path / "odd.lookalike", {name: {} for name in names}, root) as photos:
        last(photos.export(tmp_path / "out", layout))
    back, _ = taken(tmp_path / "out", encoder=None)
    with back._store.snapshot() as snapshot:
        uris = {item.uri for its in snapshot.items_of(range(snapshot.count)).values() for item in its}
    assert uris == {os.path.join(TOP, "photos", name) for name in names}


def test_an_export_that_lost_a_file_is_refused(collection, tmp_path, taken):
    last(collection.export(tmp_path / "out", "npy", shard=8))
    for lost in ("img_emb/img_emb_2.npy", "metadata/metadata_2.parquet"):
        (tmp_path / "out" / lost).unlink()
    with pytest.raises(SourceError, match="its note says 24"):
        taken(tmp_path / "out")


def test_who_made_an_export_cannot_be_denied(collection, tmp_path, taken):
    last(collection.export(tmp_path / "out", "npy"))
    with pytest.raises(EncoderMismatch, match="were made by toy"):
        taken(tmp_path / "out", encoder=ToyEncoder("other"))


# --- vectors of other programs ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_clip_retrievals_shards_are_one_collection_with_exact_scores(tmp_path, taken, dtype):
    shards = [vectors(4, seed=seed, dtype=dtype) for seed in range(11)]
    columns = [
        {"image_path": [f"{shard:02d}{row:07d}" for row in range(4)], "caption": [f"{shard} {row}" for row in range(4)]}
        for shard in range(11)
    ]
    opened, report = taken(clip_retrieval(tmp_path / "clip", list(zip(shards, columns, strict=True))))
    assert (report.added, report.skipped, report.layout, report.encoder) == (44, (), "npy", "imported")
    query = np.arange(1, DIM + 1, dtype=np.float32)
    seen = everything(opened, query)
    for shard, rows in enumerate(shards):
        scores = units(rows) @ (query / np.linalg.norm(query))
        for row, score in enumerate(scores):
            hit = seen[f"{shard:02d}{row:07d}"]
            assert hit["score"] == pytest.approx(score, abs=2e-3)
            assert hit["metadata"]["caption"] == f"{shard} {row}"
    assert opened.verify().problems == ()


def test_captions_addresses_and_all_columns_are_kept_as_metadata(tmp_path, taken):
    columns = {
        "image_path": [f"{row:09d}" for row in range(6)],
        "caption": ["a dog", None, "", "ein Hund", "犬", "x"],
        "url": WEB,
        "width": pa.array([640.0, float("nan"), 1, 2, 3, 4]),
        "height": pa.array([480, None, 1, 2, 3, 4]),
        "exif": pa.array([{"Model": "X"}, None, None, None, None, None]),
        "similarity": pa.array([0.25, float("nan"), 1, 1, 1, 1]),
    }
    opened, _ = taken(clip_retrieval(tmp_path / "clip", [(vectors(6), columns)]))
    seen = everything(opened)
    assert set(seen) == set(WEB)
    first, second = seen[WEB[0]], seen[WEB[1]]
    assert (first["width"], first["height"], second["width"], second["height"]) == (640, 480, None, None)
    assert first["metadata"] == {
        "caption": "a dog",
        "url": WEB[0],
        "exif": {"Model": "X"},
        "similarity": 0.25,
        "image_path": "000000000",
    }
    assert second["metadata"] == {"url": WEB[1], "image_path": "000000001"}


def test_pictures_on_the_web_stay_when_folders_are_looked_through_and_pruned(tmp_path, taken):
    opened, report = taken(clip_retrieval(tmp_path / "clip", [(vectors(6), {"url": WEB})]))
    assert report.folders == ()
    assert last(opened.sync()).removed == 0
    assert opened.prune() == 0
    assert set(everything(opened)) == set(WEB)
    (root,) = places(opened)
    assert root.startswith("imported:")
    assert not places(opened)[root]
    assert opened.remove(root) == 6


def test_they_survive_an_export_and_an_import_of_it(tmp_path, taken):
    columns = {"image_path": ["k"] * 6, "url": WEB, "caption": list("abcdef")}
    opened, _ = taken(clip_retrieval(tmp_path / "clip", [(vectors(6), columns)]))
    last(opened.export(tmp_path / "out", "parquet"))
    back, _ = taken(tmp_path / "out", name="back")
    assert everything(back) == everything(opened)


def test_two_vectors_of_one_address_stay_two(tmp_path, taken):
    opened, report = taken(clip_retrieval(tmp_path / "clip", [(vectors(6), {"url": WEB[:1] * 6})]))
    assert report.added == 6
    assert len(opened.search(np.ones(DIM, np.float32), k=10)) == 6


def test_vectors_without_any_description_are_named_by_their_place(tmp_path, taken):
    opened, _ = taken(clip_retrieval(tmp_path / "clip", [(vectors(3), None), (vectors(2, seed=1), None)]))
    names = [f"img_emb_0.npy#{row}" for row in range(3)] + [f"img_emb_1.npy#{row}" for row in range(2)]
    assert sorted(everything(opened)) == names


def test_a_folder_of_bare_arrays_and_a_table_with_embeddings_are_read(tmp_path, taken):
    (tmp_path / "bare").mkdir()
    np.save(tmp_path / "bare" / "embeddings.npy", vectors(3))
    assert taken(tmp_path / "bare", name="bare")[1].added == 3
    (tmp_path / "table").mkdir()
    table = pa.table({"url": WEB, "embedding": pa.array(list(vectors(6)), pa.list_(pa.float32()))})
    pq.write_table(table, tmp_path / "table" / "part-0.parquet", row_group_size=4)
    opened, report = taken(tmp_path / "table", name="table")
    assert (report.added, report.layout) == (6, "parquet")
    assert set(everything(opened)) == set(WEB)


def test_a_faiss_file_of_another_program_is_read_with_or_without_paths(tmp_path, taken):
    index = faiss.IndexFlatL2(DIM)
    index.add(vectors(3))
    (tmp_path / "theirs").mkdir()
    faiss.write_index(index, str(tmp_path / "theirs" / "knn.faiss"))
    assert taken(tmp_path / "theirs")[1].added == 3
    (tmp_path / "theirs" / "knn.paths").write_bytes(b"a.jpg\nb.jpg\n")
    with pytest.raises(SourceError, match=r"holds 3 vectors, .* describes 2"):
        taken(tmp_path / "theirs", name="other")


def test_pictures_that_lie_here_are_found_unchanged_by_the_next_run(tmp_path, pictures, toy):
    from lookalike.images.decode import decode_picture

    paths = sorted(pictures.iterdir())
    rows = toy.encode_images([decode_picture(path.read_bytes(), side=toy.image_side).pixels for path in paths])
    clip_retrieval(tmp_path / "clip", [(rows, {"image_path": [path.name for path in paths]})])
    with lookalike.open(tmp_path / "c.lookalike", encoder=toy) as opened:
        report = last(opened.import_vectors(tmp_path / "clip", encoder=toy, pictures=pictures))
        assert report.folders == (str(pictures),)
        assert last(opened.sync([pictures])).encoded == 0
        assert opened.search("red circle", k=1)[0].uri.endswith("0008-red-circle.png")
        assert opened.verify().problems == ()
        moved = last(opened.migrate(ToyEncoder("other")))
        assert (moved.encoded, moved.skipped) == (24, ())
        last(opened.sync(check_content=True))
        assert (opened.status()["pictures"], opened.verify().problems) == (24, ())


def test_pictures_on_a_disk_that_is_away_are_offline(tmp_path, taken):
    away = [os.path.join(TOP, "no such disk", "photos", f"{row}.jpg") for row in range(3)]
    opened, report = taken(clip_retrieval(tmp_path / "clip", [(vectors(3), {"image_path": away})]))
    assert report.folders == (os.path.dirname(away[0]),)
    assert opened.status()["offline"] == 3
    assert set(everything(opened)) == set(away)


def test_a_picture_beside_the_home_folder_makes_a_root_of_its_own(tmp_path, taken, user_folders):
    path = user_folders / "alone.jpg"
    path.write_bytes(b"no picture, but there")
    opened, report = taken(clip_retrieval(tmp_path / "clip", [(vectors(1), {"image_path": [str(path)]})]))
    assert report.folders == ()
    assert list(places(opened)) == [str(path)]


# --- what cannot be taken --------------------------------------------------------------------------


def test_vectors_without_direction_are_skipped_and_told(tmp_path, taken):
    rows = vectors(6, dtype="float16")
    rows[1], rows[3, 2], rows[4, 0] = 0, np.nan, np.inf
    opened, report = taken(clip_retrieval(tmp_path / "clip", [(rows, {"url": WEB})]))
    assert report.added == 3
    assert [(each.uri, "zero" in each.reason) for each in report.skipped] == [
        (WEB[1], True),
        (WEB[3], False),
        (WEB[4], False),
    ]
    assert "img_emb_0.npy, row 3" in report.skipped[1].reason
    assert set(everything(opened)) == {WEB[0], WEB[2], WEB[5]}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder.mkdir(), "there are no vectors"),
        (lambda folder: None, "there is no folder"),
        (lambda folder: clip_retrieval(folder, [(vectors(3), {"url": WEB[:2]})]), "holds 3 vectors, .* describes 2"),
        (lambda folder: clip_retrieval(folder, [(vectors(3), None), (vectors(3, dim=4), None)]), "different lengths"),
        (lambda folder: clip_retrieval(folder, [(np.arange(6), None)]), "not float"),
        (lambda folder: clip_retrieval(folder, [(np.array([{}]), None)]), "cannot be read"),
    ],
)
def test_what_does_not_fit_together_is_refused_and_leaves_nothing(tmp_path, taken, make, said):
    make(tmp_path / "in")
    with pytest.raises(SourceError, match=said):
        taken(tmp_path / "in")
    with lookalike.open(tmp_path / "taken.lookalike") as opened:
        assert opened.status()["items"] == 0
        assert opened.status()["encoder"] is None


@pytest.mark.parametrize("name", ["img_emb/img_emb_0.npy", "metadata/metadata_0.parquet"])
def test_a_cut_file_is_refused(tmp_path, taken, name):
    file = clip_retrieval(tmp_path / "clip", [(vectors(6), {"url": WEB})]) / name
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(SourceError, match=os.path.basename(name)):
        taken(tmp_path / "clip")


def test_vectors_nobody_named_an_encoder_of_answer_vectors_and_items_alone(tmp_path, taken):
    opened, _ = taken(clip_retrieval(tmp_path / "clip", [(vectors(6), {"url": WEB})]))
    with pytest.raises(EncoderUnavailable, match="which encoder made them is not known"):
        opened.search("a dog")
    assert opened.search(vectors(6)[2], k=1)[0].uri == WEB[2]


def test_a_second_import_joins_only_when_the_same_encoder_is_named(tmp_path, taken):
    clip_retrieval(tmp_path / "one", [(vectors(6), {"url": WEB})])
    clip_retrieval(tmp_path / "two", [(vectors(6, seed=1), {"url": [f"{url}?2" for url in WEB]})])
    opened, _ = taken(tmp_path / "one")
    with pytest.raises(EncoderMismatch):
        last(opened.import_vectors(tmp_path / "two"))
    assert last(opened.import_vectors(tmp_path / "two", encoder=opened.encoder.id)).added == 6
    assert len(everything(opened)) == 12


def test_an_encoder_of_another_width_is_refused(tmp_path, taken, toy):
    with pytest.raises(EncoderMismatch, match="8 components, those of toy have 64"):
        taken(clip_retrieval(tmp_path / "clip", [(vectors(6), None)]), encoder=toy)


# --- interruptions ---------------------------------------------------------------------------------


def test_importing_twice_adds_nothing(tmp_path, taken):
    clip_retrieval(tmp_path / "clip", [(vectors(6), {"url": WEB})])
    opened, _ = taken(tmp_path / "clip")
    before = everything(opened)
    again = last(opened.import_vectors(tmp_path / "clip"))
    assert (again.added, again.known) == (0, 6)
    assert everything(opened) == before


def test_a_stopped_import_keeps_whole_blocks_and_goes_on(tmp_path, taken):
    columns = {"url": [f"{WEB[0]}?{row}" for row in range(5000)]}
    clip_retrieval(tmp_path / "clip", [(vectors(5000), columns)])
    stop = threading.Event()
    with lookalike.open(tmp_path / "c.lookalike") as opened:
        for event in opened.import_vectors(tmp_path / "clip", stop=stop):
            if isinstance(event, Progress):
                stop.set()
            report = event
        assert report.interrupted
        assert (report.added, opened.status()["items"]) == (4096, 4096)
        again = last(opened.import_vectors(tmp_path / "clip"))
        assert (again.added, again.known, again.interrupted) == (904, 4096, False)
        assert opened.verify().problems == ()


def test_an_import_that_is_killed_leaves_whole_blocks_and_goes_on(tmp_path):
    count = 3 * 4096
    columns = {"url": [f"{WEB[0]}?{row}" for row in range(count)]}
    clip_retrieval(tmp_path / "clip", [(vectors(count), columns)])
    program = (
        "import lookalike, sys\n"
        "with lookalike.open(sys.argv[1]) as opened:\n"
        "    for event in opened.import_vectors(sys.argv[2]):\n"
        "        print('published', flush=True)\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "c.lookalike", tmp_path / "clip"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    with lookalike.open(tmp_path / "c.lookalike") as opened:
        there = opened.status()["items"]
        assert there >= 4096
        assert there % 4096 == 0
        assert opened.verify().problems == ()
        assert last(opened.import_vectors(tmp_path / "clip")).added == count - there
        assert opened.verify().problems == ()
