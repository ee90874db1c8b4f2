"""The index of a collection: built when it is due, used by searches, never trusted when it is damaged."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import lookalike
from exported_vectors import clip_retrieval, vectors
from lookalike import IndexReport, Progress, Query, Term
from lookalike.core.errors import CollectionBusy
from lookalike.engine.collection import Collection
from lookalike.engine.indexing import WISHES_SETTING
from lookalike.engine.plan import Wishes
from lookalike.index.kinds import KINDS, IndexSpec
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder, draw_pictures

EFFORT = 1000
"""So much effort visits everything these small indexes hold: their answers are the exact ones."""


def through_index(text: str, k: int = 5) -> Query:
    """So few pictures would be compared one by one; an effort of its own makes a query use the index."""
    return Query((Term("text", text),), k=k, mode="meaning", effort=EFFORT)


def names(results) -> list[str]:
    return [Path(hit.uri).name for hit in results]


def build(collection, **arguments) -> IndexReport:
    *_, report = collection.build_index(**arguments)
    return report


def index_file(collection) -> Path:
    (file,) = collection.path.glob("spaces/*/index-*.faiss")
    return file


@pytest.fixture(scope="module")
def kept(drawn, tmp_path_factory):
    """Two closed collections of the 24 drawn pictures: `plain`, and `indexed` by a graph."""
    folder = tmp_path_factory.mktemp("kept")
    with lookalike.open(folder / "plain", encoder=ToyEncoder()) as opened:
        list(opened.sync([drawn]))
    shutil.copytree(folder / "plain", folder / "indexed")
    with lookalike.open(folder / "indexed", encoder=ToyEncoder()) as opened:
        opened.configure_index(kind="hnsw")
        build(opened)
    return folder


@pytest.fixture
def plain(kept, tmp_path, toy):
    """24 pictures without an index."""
    with lookalike.open(shutil.copytree(kept / "plain", tmp_path / "plain"), encoder=toy) as opened:
        yield opened


@pytest.fixture
def indexed(kept, tmp_path, toy):
    """24 pictures with a graph over them."""
    with lookalike.open(shutil.copytree(kept / "indexed", tmp_path / "indexed"), encoder=toy) as opened:
        yield opened


@pytest.fixture
def growing(collection):
    """The same with pictures of its own, which a test may change."""
    collection.configure_index(kind="hnsw")
    build(collection)
    return collection


# --- building ----------------------------------------------------------------------------------------


def test_a_small_collection_needs_no_index_and_says_so(collection, pictures):
    draw_pictures(pictures / "more", 2, seed=5)
    *_, report = collection.sync()
    assert (report.index.kind, report.index.built) == ("exact", False)
    assert "an index would save nothing" in collection.explain_index()
    assert collection.status()["index"]["due"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_built_calibrated_and_answers_like_the_exact_search(plain, kind):
    exact = names(plain.search("red circle", k=5))
    plain.configure_index(kind=kind)
    report = build(plain)
    assert (report.kind, report.pictures, report.built) == (kind, 24, True)
    assert report.recall >= 0.95
    results = plain.search(through_index("red circle"))
    assert results.plan.strategy == "index"
    assert names(results) == exact
    state = plain.status()["index"]
    assert (state["kind"], state["due"], state["newer"]) == (kind, None, 0)
    assert state["bytes"] > 0


def test_a_run_builds_what_is_due_before_its_report(plain):
    plain.configure_index(kind="flat")
    events = list(plain.sync())
    assert events[-1].index.built
    assert {event.stage for event in events if isinstance(event, Progress)} >= {"finish", "index"}
    *_, again = plain.sync()
    assert (again.index.built, again.index.kind) == (False, "flat")


def test_a_run_can_leave_it_for_later(plain):
    plain.configure_index(kind="flat")
    *_, report = plain.sync(index="later")
    assert report.index is None
    assert "it is due to be built" in plain.explain_index()
    with pytest.raises(ValueError, match="tomorrow"):
        plain.sync(index="tomorrow")


def test_a_build_that_is_stopped_is_taken_up_by_the_next(plain):
    plain.configure_index(kind="hnsw")
    stop = threading.Event()
    stop.set()
    assert build(plain, stop=stop).interrupted in {True, False}  # small ones may be done before they look
    assert build(plain).kind == "hnsw"
    assert plain.search(through_index("red")).plan.strategy == "index"


def test_an_iterator_that_is_dropped_ends_the_build(plain):
    plain.configure_index(kind="hnsw")
    events = plain.build_index()
    next(events, None)
    events.close()
    for _ in range(200):
        try:
            build(plain)
            break
        except CollectionBusy:  # the other build still ends
            threading.Event().wait(0.05)
    assert plain.search(through_index("red")).plan.strategy == "index"


def test_while_another_process_builds_a_run_ends_well_without_an_index(collection, pictures):
    collection.configure_index(kind="flat")
    draw_pictures(pictures / "more", 1, seed=6)
    with Store.open(collection.path) as other, other.building_index():
        *_, report = collection.sync()
    assert report.added == 1
    assert "is building an index" in report.index.reason


def test_no_index_can_be_asked_for(indexed):
    indexed.configure_index(kind="exact")
    assert build(indexed).kind == "exact"
    assert list(indexed.path.glob("spaces/*/index-*")) == []


@pytest.mark.parametrize("wish", [{"kind": "magic"}, {"target_recall": 0.0}, {"target_recall": 1.5}])
def test_what_cannot_be_had_is_refused_at_once(plain, wish):
    with pytest.raises(ValueError):
        plain.configure_index(**wish)


# --- searching -------------------------------------------------------------------------------------


def test_new_pictures_are_found_at_once_beside_the_index(growing, pictures):
    paths = draw_pictures(pictures / "new", 3, seed=77)
    list(growing.sync(index="later"))
    for path in paths:
        vector = growing.search(path, k=1)[0]
        assert vector.uri == str(path)
    results = growing.search(through_index("red", k=26))
    assert len(results) == 26
    assert "3 newer" in results.plan.reason
    assert growing.status()["index"]["newer"] == 3


def test_removed_pictures_are_never_answered(growing, pictures):
    gone = {path.name for path in sorted(pictures.iterdir())[:8]}
    for name in gone:
        (pictures / name).unlink()
    list(growing.sync(index="later"))
    results = growing.search(through_index("red", k=15))
    assert results.plan.strategy == "masked index"
    assert len(results) == 15
    assert not gone & set(names(results))


def test_a_filter_goes_through_the_index_too(growing, pictures):
    draw_pictures(pictures / "sub", 12, seed=9)
    list(growing.sync(index="later"))
    build(growing, again=True)
    query = Query(
        (Term("text", "red circle"),), k=5, mode="meaning", effort=EFFORT, folder=str(pictures / "sub").encode()
    )
    results = growing.search(query)
    assert results.plan.strategy == "masked index"
    assert {Path(hit.uri).parent.name for hit in results} == {"sub"}
    assert len(results) == 5


def test_a_compaction_ends_the_index_and_the_next_run_builds_it_again(growing, pictures):
    (pictures / "0008-red-circle.png").unlink()
    list(growing.sync(index="later"))
    growing.compact()
    assert growing.search(through_index("red")).plan.strategy == "exact"
    *_, report = growing.sync()
    assert (report.index.built, report.index.pictures) == (True, 23)


def test_another_process_takes_the_new_index_with_its_next_search(plain, toy):
    with lookalike.open(plain.path, encoder=toy, create=False) as other:
        assert other.search(through_index("red")).plan.strategy == "exact"
        plain.configure_index(kind="flat")
        build(plain)
        assert other.search(through_index("red")).plan.strategy == "index"
        build(plain, again=True)
        assert names(other.search(through_index("red"))) == names(plain.search("red", k=5))


def test_threads_search_while_it_is_built_and_swapped(plain):
    expected = names(plain.search("blue square", k=5))
    plain.configure_index(kind="flat")
    done, wrong = threading.Event(), []

    def ask() -> None:
        while not done.is_set():
            found = names(plain.search(through_index("blue square")))
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            build(plain, again=True)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []


# --- in the background -----------------------------------------------------------------------------


def test_a_process_in_the_background_builds_while_this_one_goes_on(plain):
    plain.configure_index(kind="ivf-rabitq")
    *_, report = plain.sync(index="background")
    assert not report.index.built
    assert plain.search("red circle", k=1)
    assert plain.wait_for_index(timeout_s=120)
    assert plain.search(through_index("red")).plan.strategy == "index"
    state = plain.status()["index"]
    assert state["recall_words"] is not None


def test_nothing_runs_in_the_background_when_nothing_is_due(plain):
    *_, report = plain.sync(index="background")
    assert report.index.kind == "exact"
    assert plain.wait_for_index(timeout_s=0)


def test_closing_ends_a_build_in_the_background(plain, toy):
    plain.configure_index(kind="hnsw")
    list(plain.sync(index="background"))
    plain.close()
    with lookalike.open(plain.path, encoder=toy, create=False) as opened:
        assert build(opened).kind == "hnsw"
        assert opened.verify().problems == ()


# --- damage ----------------------------------------------------------------------------------------


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
    expected = names(indexed.search("red circle", k=5))
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
    expected = names(plain.search("red circle", k=5))
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
