"""The index of a collection: built when it is due, used by searches, never trusted when it is damaged."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import lookalike
from indexed_collections import EFFORT, build, names, through_index
from lookalike import Progress, Query, Term
from lookalike.core.errors import CollectionBusy
from lookalike.index.kinds import KINDS
from lookalike.store.collection_store import Store
from lookalike.testing import draw_pictures

# --- building ----------------------------------------------------------------------------------------


def test_a_small_collection_needs_no_index_and_says_so(collection, pictures):
    draw_pictures(pictures / "more", 2, seed=5)
    *_, report = collection.sync()
    assert (report.index.kind, report.index.built) == ("exact", False)
    assert "an index would save nothing" in collection.explain_index()
    assert collection.status()["index"]["due"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_built_calibrated_and_answers_like_the_exact_search(plain, kind):
    exact = names(plain.search("red circle", k=5, mode="meaning"))
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
    for _ in range(6000):
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
        assert names(other.search(through_index("red"))) == names(plain.search("red", k=5, mode="meaning"))


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
    assert plain.wait_for_index(timeout_s=600)
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
