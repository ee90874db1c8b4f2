"""What an export holds, seen with the readers that other programs use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest

from exported_vectors import DIM, collection_of, last
from lookalike.core.errors import CollectionError

ROOT = os.fsencode(os.path.join(os.path.abspath(os.sep), "photos"))
ITEMS = {
    "a/one.png": {"metadata": {"taken": "2020-05-01T10:00:00", "rating": 5}},
    "a/two.png": {"metadata": {"rating": 4.5, "gps": [1.5, 2.5], "id": "theirs"}},
    "b/copy of one.png": {"content": "a/one.png"},
    "b/three.png": {"metadata": {"metadata.x": True, "mixed": "text"}},
    "b/four.png": {"metadata": {"mixed": {"deep": [1, None]}, "huge": 1 << 70, "big": (1 << 62) + 1}},
}


@pytest.fixture
def photos(tmp_path):
    with collection_of(tmp_path / "photos.lookalike", ITEMS, ROOT) as opened:
        yield opened


@pytest.fixture
def stored(photos):
    """The row of each place as it is stored."""
    with photos._store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
        return {item.uri: np.array(snapshot.rows[row]) for row, its in items.items() for item in its}


def test_faiss_reads_the_index_in_a_process_of_its_own_and_positions_are_lines(photos, stored, tmp_path):
    report = last(photos.export(tmp_path / "out", "faiss"))
    program = (
        "import faiss, json, sys\n"
        "index = faiss.read_index(sys.argv[1])\n"
        "assert index.metric_type == faiss.METRIC_INNER_PRODUCT and 'torch' not in sys.modules\n"
        "rows = index.reconstruct_n(0, index.ntotal)\n"
        "scores, ids = index.search(rows, 1)\n"
        "print(json.dumps([rows.tolist(), ids.ravel().tolist(), scores.ravel().tolist()]))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "out" / "pictures.faiss"], capture_output=True, check=True
    )
    rows, ids, scores = json.loads(said.stdout)
    lines = (tmp_path / "out" / "pictures.paths").read_bytes().split(b"\n")[:-1]
    assert report.vectors == len(lines) == len(rows) == len(ITEMS)
    np.testing.assert_allclose(scores, 1, atol=1e-6)
    for position, line in enumerate(lines):
        np.testing.assert_allclose(rows[position], stored[os.fsdecode(line)], atol=1e-3)
        np.testing.assert_allclose(rows[ids[position]], rows[position], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_npy_is_clip_retrievals_layout_with_vectors_bit_for_bit(photos, stored, tmp_path, dtype):
    report = last(photos.export(tmp_path / "out", "npy", dtype=dtype, shard=2))
    assert [name for name in report.files if "img_emb" in name] == [f"img_emb/img_emb_{n}.npy" for n in range(3)]
    seen = {}
    for number in range(3):
        array = np.load(tmp_path / "out" / "img_emb" / f"img_emb_{number}.npy")
        table = pq.read_table(tmp_path / "out" / "metadata" / f"metadata_{number}.parquet")
        assert (array.dtype, len(array), array.shape[1]) == (dtype, table.num_rows, DIM)
        seen |= dict(zip(table["image_path"].to_pylist(), array, strict=True))
    assert set(seen) == set(stored)
    for uri, row in stored.items():
        np.testing.assert_array_equal(seen[uri], row.astype(dtype))


def test_more_than_nine_shards_are_numbered_with_as_many_digits_as_clip_retrieval_does(tmp_path):
    items = {f"{number}.png": {} for number in range(11)}
    with collection_of(tmp_path / "many.lookalike", items, ROOT) as many:
        report = last(many.export(tmp_path / "out", "npy", shard=1))
    assert "img_emb/img_emb_00.npy" in report.files
    assert "metadata/metadata_10.parquet" in report.files


@pytest.mark.parametrize(("dtype", "arrow"), [(None, "float"), ("float16", "halffloat")])
def test_parquet_is_one_table_with_vectors_as_lists_of_one_length(photos, stored, tmp_path, dtype, arrow):
    last(photos.export(tmp_path / "out", "parquet", dtype=dtype))
    table = pq.read_table(tmp_path / "out" / "pictures.parquet")
    kind = table.schema.field("vector").type
    assert (kind.list_size, str(kind.value_type)) == (DIM, arrow)
    for uri, vector in zip(table["image_path"].to_pylist(), table["vector"].to_pylist(), strict=True):
        np.testing.assert_array_equal(np.asarray(vector, np.float16), stored[uri])


def test_metadata_has_columns_of_its_own_type_and_names_that_are_taken_are_told_apart(photos, tmp_path):
    last(photos.export(tmp_path / "out", "parquet"))
    table = pq.read_table(tmp_path / "out" / "pictures.parquet")
    rows = {os.path.basename(row["image_path"]): row for row in table.to_pylist()}
    assert rows["one.png"]["taken"] == "2020-05-01T10:00:00"
    assert (rows["one.png"]["rating"], rows["two.png"]["rating"]) == (5.0, 4.5)
    assert json.loads(rows["two.png"]["gps"]) == [1.5, 2.5]
    assert rows["two.png"]["metadata.id"] == "theirs"
    assert rows["three.png"]["metadata.metadata.x"] is True
    assert (json.loads(rows["three.png"]["mixed"]), json.loads(rows["four.png"]["huge"])) == ("text", 1 << 70)
    assert rows["four.png"]["big"] == (1 << 62) + 1
    assert (rows["one.png"]["width"], rows["one.png"]["height"], rows["one.png"]["size"]) == (40, 30, 1000)


def test_names_that_are_not_text_or_hold_line_ends_keep_one_line_and_their_bytes(tmp_path):
    odd = ["plain.png", "new\nline.png", "re\rturn.png", os.fsdecode(b"\xff\xfe.png"), "back\\slash n.png"]
    with collection_of(tmp_path / "odd.lookalike", {name: {} for name in odd}, ROOT) as photos:
        last(photos.export(tmp_path / "faiss", "faiss"))
        last(photos.export(tmp_path / "table", "parquet"))
    raw = (tmp_path / "faiss" / "pictures.paths").read_bytes()
    names = [line.rsplit(b"/", 1)[1].replace(b"\0n", b"\n").replace(b"\0r", b"\r") for line in raw.split(b"\n")[:-1]]
    assert names == [os.fsencode(name) for name in odd]
    assert b"\r" not in raw
    table = pq.read_table(tmp_path / "table" / "pictures.parquet").to_pylist()
    exact = [row["image_path_bytes"] or os.fsencode(row["image_path"]) for row in table]
    assert [path.rsplit(b"/", 1)[1] for path in exact] == [os.fsencode(name) for name in odd]


def test_a_folder_with_something_in_it_is_left_alone(photos, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(CollectionError, match="not an empty folder"):
        last(photos.export(tmp_path / "mine", "faiss"))
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_taken_and_what_a_killed_export_left_is_replaced(photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out.unfinished").mkdir()
    (tmp_path / "out.unfinished" / "half").write_bytes(b"half")
    last(photos.export(tmp_path / "out", "faiss"))
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "lookalike.json",
        "pictures.faiss",
        "pictures.paths",
    ]
    assert not (tmp_path / "out.unfinished").exists()


def test_an_export_that_is_stopped_leaves_nothing(photos, tmp_path):
    stop = threading.Event()
    stop.set()
    with pytest.raises(KeyboardInterrupt):
        last(photos.export(tmp_path / "out", "npy", stop=stop))
    assert not list(tmp_path.glob("out*"))


def test_removed_pictures_are_not_exported(photos, tmp_path):
    photos.remove(ROOT + b"/a")
    report = last(photos.export(tmp_path / "out", "faiss"))
    assert report.vectors == 3
    assert b"/a/" not in (tmp_path / "out" / "pictures.paths").read_bytes()
