from __future__ import annotations

from lookalike.core.cores import usable_cores


def test_at_least_one_core_is_usable():
    assert usable_cores() >= 1
