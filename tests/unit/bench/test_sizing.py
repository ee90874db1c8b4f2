from __future__ import annotations

from pathlib import Path

import sizing

ROOT = Path(__file__).parents[3]


def test_the_tables_of_the_documentation_are_what_the_unit_costs_give():
    said = (ROOT / "docs" / "scale.md").read_text("utf-8")
    for table in (sizing.bytes_table(512), sizing.size_table(512), sizing.fan_out_table()):
        assert table in said
    assert f"| 1,000,000,000 | 1024 | {' | '.join(hours_of(10**9, 1024))} |" in said


def hours_of(count: int, workers: int) -> list[str]:
    return [sizing.duration(sizing.encoding_hours(count, workers, its.rate * sizing.ON_RAY)) for its in sizing.HARDWARE]


def test_encoding_takes_its_share_of_the_work_and_a_little_more():
    """With workers of unlike speeds that die now and then; more workers than shards change nothing."""
    alone = 10**8 / 100 / 3600
    for workers in (10, 100):
        assert 0.95 * alone / workers < sizing.encoding_hours(10**8, workers, 100) < 1.2 * alone / workers
    assert sizing.encoding_hours(10**5, 1000, 100) > sizing.SHARD / 100 / 3600 / 1.5
