"""An index file that is damaged, of other rows or of an earlier layout is never trusted; coarse codes are replaced."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import lookalike
from exported_vectors import clip_retrieval, vectors
from indexed_collections import build, index_file, names, through_index
from lookalike.engine.collection import Collection
from lookalike.engine.indexing import WISHES_SETTING
from lookalike.engine.plan import Wishes
from lookalike.index.kinds import IndexSpec
from lookalike.store.collection_store import Store


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def change(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def replace_with_rubbish(file: Path) -> None:
    file.write_bytes(b"IxFI" + b"\x00" * file.stat().st_size)


def lose_manifest(file: Path) -> None:
    file.with_name(file.name + ".json").unlink()


def empty_manifest(file: Path) -> None:
    file.with_name(file.name + ".json").write_text("{}", encoding="utf-8")


DAMAGES = [cut, change, replace_with_rubbish, lose_manifest, empty_manifest, Path.unlink]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_index_is_told_set_aside_and_built_again(indexed, toy, damage):
    expected = names(indexed.search("red circle", k=5, mode="meaning"))
    indexed.close()
    damage(index_file(indexed))
    told: list[str] = []
    with lookalike.open(indexed.path, encoder=toy, create=False, notice=told.append) as opened:
        for _ in range(2):
            results = opened.search(through_index("red circle"))
            assert (results.plan.strategy, names(results)) == ("exact", expected)
        assert len(told) == 1
        assert "lookalike index" in told[0]
        *_, report = opened.sync()
        assert report.index.built
        assert opened.search(through_index("red circle")).plan.strategy == "index"
        assert opened.verify().problems == ()
        assert [file.name for file in opened.path.glob("spaces/*/*.unusable")] == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_verify_reads_every_index_file_whole(indexed, damage):
    assert indexed.verify().problems == ()
    damage(index_file(indexed))
    (problem,) = indexed.verify().problems
    assert "index" in problem


def test_where_nothing_may_be_written_a_damaged_index_is_left_alone(indexed, toy):
    indexed.close()
    change(index_file(indexed))
    told: list[str] = []
    store = Store.open(indexed.path, create=False, read_only=True)
    with Collection(store, encoder=toy, notice=told.append) as reading:
        for _ in range(2):
            assert reading.search(through_index("red")).plan.strategy == "exact"
    assert len(told) == 1
    assert index_file(indexed).exists()


KILLED = """
import sys, lookalike
from lookalike.testing import ToyEncoder
with lookalike.open(sys.argv[1], encoder=ToyEncoder(), create=False) as collection:
    for event in collection.build_index():
        print("building", flush=True)
"""


def test_a_build_that_was_killed_leaves_the_collection_whole(plain, toy):
    plain.configure_index(kind="hnsw")
    expected = names(plain.search("red circle", k=5, mode="meaning"))
    plain.close()
    with subprocess.Popen([sys.executable, "-c", KILLED, plain.path], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.kill()
    with lookalike.open(plain.path, encoder=toy, create=False) as opened:
        assert names(opened.search(through_index("red circle"))) == expected
        assert opened.verify().problems == ()
        assert build(opened, again=True).built
        assert names(opened.search(through_index("red circle"))) == expected


def test_an_index_whose_layout_an_earlier_version_noted_is_set_aside_and_built_again(plain, toy):
    """RaBitQ codes without their number of bits."""
    plain.configure_index(kind="ivf-rabitq")
    build(plain)
    plain.close()
    with closing(sqlite3.connect(plain.path / "collection.sqlite")) as database, database:
        ((spec,),) = database.execute("SELECT spec FROM indexes")
        assert '"bits"' in spec
        database.execute("UPDATE indexes SET spec = ?", (json.dumps({"kind": "ivf-rabitq", "nlist": 12}),))
    manifest = index_file(plain).with_name(index_file(plain).name + ".json")
    noted = json.loads(manifest.read_text(encoding="utf-8"))
    del noted["spec"]["bits"]
    manifest.write_text(json.dumps(noted), encoding="utf-8")
    told: list[str] = []
    with lookalike.open(plain.path, encoder=toy, create=False, notice=told.append) as opened:
        assert opened.search(through_index("red circle")).plan.strategy == "exact"
        assert len(told) == 1
        assert build(opened).built
        assert opened.search(through_index("red circle")).plan.strategy == "index"


def test_where_codes_miss_the_target_richer_ones_are_tried(tmp_path):
    """Rows at random, all answers wanted: two bits a component leave one in some thousand too far behind."""
    folder = clip_retrieval(tmp_path / "vectors", [(vectors(6000, 256), None)])
    with lookalike.open(tmp_path / "c.lookalike") as opened:
        list(opened.import_vectors(folder))
        opened.configure_index(kind="ivf-rabitq", target_recall=1.0)
        report = build(opened)
        record = opened._store.index_of(opened._store.current_space())
        assert record.spec["bits"] > 2
        assert report.recall == 1.0
        assert "at most" not in report.reason


def test_what_is_reached_is_said_where_the_target_is_missed(tmp_path):
    """A tuned layout is kept as it is."""
    folder = clip_retrieval(tmp_path / "vectors", [(vectors(3000, 64), None)])
    with lookalike.open(tmp_path / "c.lookalike") as opened:
        list(opened.import_vectors(folder))
        spec = IndexSpec("ivf-rabitq", nlist=60, bits=1)
        wishes = Wishes(1.0, kind="ivf-rabitq", spec=spec.as_dict(), spec_count=3000)
        opened._store.set_setting(WISHES_SETTING, wishes.as_dict())
        report = build(opened)
        assert report.recall < 1.0
        assert f"at most {report.recall:.2f} of the right answers" in report.reason
        assert opened._store.index_of(opened._store.current_space()).spec == spec.as_dict()


def test_an_index_of_other_rows_is_not_opened(indexed, toy, tmp_path):
    """Two indexes of equal size exchanged: only the manifest can tell."""
    file = index_file(indexed)
    content = file.read_bytes()
    build(indexed, again=True)
    replaced = index_file(indexed)
    manifest = replaced.with_name(replaced.name + ".json").read_text(encoding="utf-8")
    indexed.close()
    assert replaced.name != file.name
    replaced.write_bytes(np.frombuffer(content, np.uint8)[::-1].tobytes())
    assert replaced.with_name(replaced.name + ".json").read_text(encoding="utf-8") == manifest
    told: list[str] = []
    with lookalike.open(indexed.path, encoder=toy, create=False, notice=told.append) as opened:
        assert opened.search(through_index("red")).plan.strategy == "exact"
    assert len(told) == 1
