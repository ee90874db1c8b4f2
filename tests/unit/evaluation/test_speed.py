"""The bench measures every kind on the collection itself, and leaves it as it was."""

from __future__ import annotations

import pytest

from lookalike.engine.trials import FOLDER, kinds_to_try
from lookalike.engine.tuning import tune
from lookalike.engine.tuning_report import Aim
from lookalike.evaluation.speed import bench


@pytest.fixture
def measured(collection):
    """Measure kinds of the collection's index."""

    def run(*kinds, **options):
        with collection.trials() as trials:
            return bench(trials, kinds=kinds or None, **options)

    return run


def test_every_kind_is_measured_on_a_tiny_collection(measured, collection):
    before = collection.status()
    report = measured()
    found = {each.name: each for each in report.candidates}
    assert list(found) == ["exact", *kinds_to_try(None, 24)]
    for each in found.values():
        assert 0.9 <= each.recall <= 1
        assert 0 < each.p50_ms <= each.p95_ms <= each.p99_ms
        assert min(each.qps, each.qps_threads, each.bytes, each.rss_bytes) > 0
    assert found["exact"].recall == 1
    assert [each.name for each in report.candidates if each.chosen] == ["exact"]
    assert collection.status() == before
    assert not (collection.path / FOLDER).exists()


def test_the_index_that_serves_is_measured_as_it_is(measured, collection):
    with collection.trials() as trials:
        tuned = tune(trials, Aim(kinds=("hnsw",), target_recall=0.9))
    report = measured("hnsw")
    exact, own = report.candidates
    assert (exact.chosen, own.chosen) == (False, True)
    assert (own.spec, own.point) == (tuned.chosen.spec, tuned.chosen.best.point)


def test_a_kind_that_does_not_exist_is_refused(measured):
    with pytest.raises(ValueError, match="no index kind 'btree'"):
        measured("btree")


def test_progress_names_each_candidate(measured):
    seen = []
    measured("flat", told=seen.append)
    assert [(each.number, each.of, each.name) for each in seen if each.doing == "searching"] == [
        (1, 2, "exact"),
        (2, 2, "flat"),
    ]
