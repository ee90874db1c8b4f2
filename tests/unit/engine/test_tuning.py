"""Candidates are built and measured beside the collection; one is taken, or everything stays as it was."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

import lookalike
from lookalike.core.errors import CollectionBusy, CollectionError, LookalikeError
from lookalike.engine.curve import Measured, best_of, measure_exact, trace
from lookalike.engine.trials import FOLDER, kinds_to_try
from lookalike.engine.tuning import tune
from lookalike.engine.tuning_report import Aim
from lookalike.index.kinds import IndexSpec, default_spec

KEYS = {"chosen", "reason", "target_recall", "budget_ms", "memory_bytes", "pictures", "questions", "tried", "stored"}


def tuned(collection, aim, **words):
    with collection.trials() as trials:
        return tune(trials, aim, **words)


def point(ms, surely, p95_ms=None):
    return Measured(1, 10, surely, None, surely, ms, p95_ms or ms)


# --- which is best ---------------------------------------------------------------------------------


def test_the_fastest_point_that_surely_reaches_the_target_is_best():
    points = [point(1.0, 0.90), point(2.0, 0.96), point(3.0, 0.99)]
    assert best_of(points, 0.95) is points[1]


def test_where_none_reaches_the_target_the_one_that_finds_most_is_best():
    points = [point(1.0, 0.80), point(2.0, 0.90)]
    assert best_of(points, 0.95) is points[1]


def test_a_budget_goes_before_the_target():
    points = [point(1.0, 0.80), point(2.0, 0.90), point(9.0, 1.0)]
    assert best_of(points, 0.95, budget_ms=5.0) is points[1]
    assert best_of(points, 0.95, budget_ms=0.1) is points[2]


@pytest.mark.parametrize("kind", ["sq8", "ivf-flat", "hnsw"])
def test_a_curve_ends_where_the_target_is_reached(collection, kind):
    with collection.trials() as trials:
        candidate = trials.build(default_spec(kind, *trials.rows.shape))
        points = trace(trials.open(candidate), candidate.manifest.spec, trials.questions, 0.9)
        best = best_of(points, 0.9)
        assert best.surely >= 0.9
        assert best.recall_words is not None
        assert len({each.point for each in points}) == len(points)
        assert measure_exact(trials.every, trials.questions).recall == 1.0


# --- which are tried -------------------------------------------------------------------------------


def test_kinds_that_make_no_sense_for_few_pictures_are_left_out_unless_asked_for():
    assert "ivf-pq" not in kinds_to_try(None, 100)
    assert "ivf-pq" in kinds_to_try(None, 100_000)
    assert kinds_to_try(["hnsw", "ivf-pq", "exact"], 100) == ("ivf-pq", "hnsw")
    with pytest.raises(ValueError, match="no index kind 'btree'"):
        kinds_to_try(["btree"], 100)


# --- what becomes of it ----------------------------------------------------------------------------


def test_the_winner_serves_searches_from_then_on(collection):
    report = tuned(collection, Aim(kinds=("hnsw",), target_recall=0.9))
    assert report.stored
    assert set(report.as_dict()) >= KEYS
    state = collection.status()["index"]
    assert (state["kind"], state["due"]) == ("hnsw", None)
    assert (state["effort"], state["fetch"]) == (report.chosen.best.effort, report.chosen.best.fetch)
    assert state["recall_pictures"] == pytest.approx(report.chosen.best.recall_pictures, abs=1e-4)
    assert collection.search("red", k=3)[0].uri.count("red") == 1
    assert not (collection.path / FOLDER).exists()
    assert collection.verify().problems == ()


def test_later_builds_follow_what_was_found(collection):
    report = tuned(collection, Aim(kinds=("ivf-flat",), target_recall=0.9))
    *_, built = collection.build_index(again=True)
    assert built.kind == "ivf-flat"
    assert report.chosen.spec == IndexSpec.from_dict(collection._store.index_of(collection._store.current_space()).spec)


def test_layouts_of_the_best_are_varied(collection):
    report = tuned(collection, Aim(kinds=("hnsw",), target_recall=0.9))
    layouts = {each.spec for each in report.tried if each.spec}
    assert len(layouts) == len(report.tried) - 1 > 1
    assert len({(each.m, each.ef_construction) for each in layouts}) == len(layouts)


def test_few_pictures_need_no_index(collection):
    tuned(collection, Aim(kinds=("sq8",), target_recall=0.9))
    report = tuned(collection, Aim(kinds=("exact",)))
    assert report.chosen.name == "exact"
    assert collection.status()["index"]["kind"] == "exact"


def test_what_does_not_fit_the_memory_is_not_built(collection):
    with pytest.raises(LookalikeError, match="too large for the memory"):
        tuned(collection, Aim(kinds=("hnsw",), memory_bytes=100))
    assert collection.status()["index"]["kind"] == "exact"


def test_when_the_time_is_over_nothing_new_is_begun(collection):
    with pytest.raises(LookalikeError, match="no time left"):
        tuned(collection, Aim(kinds=("hnsw",), at_most_s=0))


def test_stopping_leaves_the_collection_as_it_was(collection):
    before = collection._store.setting("index")
    stop = threading.Event()
    report = tuned(collection, Aim(kinds=("hnsw",)), told=lambda trying: stop.set(), stop=stop)
    assert report is None
    assert collection._store.setting("index") == before
    assert collection.status()["index"]["kind"] == "exact"
    assert not (collection.path / FOLDER).exists()


def test_an_error_on_the_way_leaves_the_collection_as_it_was(collection):
    def interrupted(trying):
        if trying.doing == "searching" and trying.name == "hnsw":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned(collection, Aim(kinds=("hnsw",)), told=interrupted)
    assert collection.status()["index"]["kind"] == "exact"
    assert not (collection.path / FOLDER).exists()


def test_one_run_at_a_time_and_a_killed_ones_leftovers_go(collection, toy):
    (collection.path / FOLDER).mkdir()
    (collection.path / FOLDER / "1-hnsw.faiss").write_bytes(b"left by a run that was killed")
    with lookalike.open(collection.path, encoder=toy) as other, collection.trials() as trials:
        assert list(trials.folder.iterdir()) == []
        with pytest.raises(CollectionBusy), other.trials():
            pass


def test_pictures_that_come_meanwhile_are_found(collection, pictures, toy):
    from lookalike.testing import draw_pictures

    def take_more(trying):
        if trying.number == 2 and not (pictures / "more").exists():
            draw_pictures(pictures / "more", 8, seed=7)
            for _ in other.sync(index="later"):
                pass

    with lookalike.open(collection.path, encoder=toy) as other:
        report = tuned(collection, Aim(kinds=("sq8",), target_recall=0.9), told=take_more)
    assert report.stored
    assert collection.status()["index"]["newer"] == 8
    hits = collection.search(pictures / "more" / "0003-green-triangle.jpg", k=1)
    assert "more" in hits[0].uri


@pytest.mark.parametrize("moment", ["building", "searching"])
def test_a_compaction_meanwhile_costs_the_index_not_the_collection(collection, pictures, toy, moment):
    def compact(trying):
        if trying.number == 2 and trying.doing == moment:
            for gone in pictures.glob("0003*"):
                gone.unlink()
            for _ in other.sync(index="later"):
                pass
            other.compact()

    with lookalike.open(collection.path, encoder=toy) as other:
        report = None
        with suppress(CollectionError):  # the rows it was to build from are gone
            report = tuned(collection, Aim(kinds=("sq8",), target_recall=0.9), told=compact)
        assert report is None or not report.stored
    assert collection.status()["index"]["kind"] == "exact"
    assert len(collection.search("red", k=30)) == 23
