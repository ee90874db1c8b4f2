"""How many cores there are to use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Cores this process may use: fewer than the machine has inside a container or a cpuset."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
