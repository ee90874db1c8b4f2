"""How much memory there is to plan with."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

_ASSUMED = 4 << 30
"""Bytes, where a system does not say."""
_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Of a container (control groups, version 2)."""


def physical_memory() -> int:
    """Bytes of memory of this machine, or of the container around this process."""
    there = _of_windows() if sys.platform == "win32" else _of_posix()
    with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        there = min(there, int(_LIMIT.read_text(encoding="ascii")))
    return there


def _of_posix() -> int:
    with suppress(OSError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return _ASSUMED


def _of_windows() -> int:
    import ctypes

    class Status(ctypes.Structure):  # MEMORYSTATUSEX
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("others", ctypes.c_ulonglong * 6),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 mypy elsewhere than on Windows knows no windll
    return int(status.total) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else _ASSUMED
