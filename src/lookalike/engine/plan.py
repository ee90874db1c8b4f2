"""How a query is answered: a pure function from what is known about it to a strategy and a sentence."""

from __future__ import annotations

from lookalike.core.records import Plan


def plan(count: int, allowed: int) -> Plan:
    """Choose by rows allowed, not by rows stored. `count`: rows in the space; `allowed`: rows that may be answered."""
    if allowed == count:
        return Plan("exact", f"all {count:,} pictures are compared")
    return Plan("exact", f"the {allowed:,} of {count:,} pictures that are allowed are compared")
