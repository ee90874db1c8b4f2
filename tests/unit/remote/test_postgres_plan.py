from __future__ import annotations

import pytest

from lookalike.remote.postgres_plan import build_memory_mb, index_for, search_by


@pytest.mark.parametrize(
    ("count", "dim", "type_", "method"),
    [
        (100, 512, "vector", ""),
        (1_000_000, 512, "vector", "hnsw"),
        (100_000_000, 512, "halfvec", "ivfflat"),
        (1_000_000, 2304, "vector", ""),
        (1_000_000, 2304, "halfvec", "hnsw"),
        (1_000_000, 4608, "halfvec", ""),
    ],
)
def test_the_index_goes_by_number_and_width(count, dim, type_, method):
    index = index_for(count, dim, type_)
    assert index.method == method
    assert index.reason


def test_without_an_index_all_are_compared():
    assert search_by("", (0, 8), 10**6, 10, None).compared_at_most is None


def test_before_iterative_scans_only_wide_filters_are_left_to_the_index():
    """What is asked for must be among the thousand candidates that an index may keep."""
    assert search_by("hnsw", (0, 8), 10**6, 10, None).compared_at_most == 10_000
    assert search_by("hnsw", (0, 7), 10**6, 10, None).compared_at_most == 250_000
    assert search_by("hnsw", (0, 7), 10**6, 1001, None).compared_at_most is None
    assert search_by("hnsw", (0, 8), 10**6, 1001, None).settings["hnsw.ef_search"] == "1000"


def test_effort_is_what_the_index_takes():
    assert search_by("hnsw", (0, 8), 10**6, 10, 64).settings["hnsw.ef_search"] == "64"
    assert search_by("ivfflat", (0, 8), 10**8, 10, 64).settings["ivfflat.probes"] == "64"
    assert search_by("ivfflat", (0, 8), 10**8, 10, None).settings["ivfflat.iterative_scan"] == "relaxed_order"


def test_memory_for_building_grows_with_the_collection_up_to_a_limit():
    sizes = [build_memory_mb(count, 512, "halfvec") for count in (1, 100_000, 500_000, 10**8)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 64
    assert sizes[-1] == 2048
