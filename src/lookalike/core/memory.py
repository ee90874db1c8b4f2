"""How much memory there is to plan with, and how much this process holds."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_ASSUMED = 4 << 30
"""Bytes, where a system does not say."""
_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Of a container (control groups, version 2)."""
_OWN_PAGES = Path("/proc/self/statm")
"""Of Linux."""


def physical_memory() -> int:
    """Bytes of memory of this machine, or of the container around this process."""
    there = _of_windows() if sys.platform == "win32" else _of_posix()
    with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        there = min(there, int(_LIMIT.read_text(encoding="ascii")))
    return there


def resident_memory() -> int:
    """Bytes of memory that this process holds now, mapped files that were read among them; on macOS its peak."""
    if sys.platform == "win32":
        return _held_on_windows()
    with suppress(OSError, ValueError, IndexError):
        return int(_OWN_PAGES.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


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


def _held_on_windows() -> int:
    import ctypes

    class Counters(ctypes.Structure):  # PROCESS_MEMORY_COUNTERS
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("faults", ctypes.c_ulong),
            ("peak", ctypes.c_size_t),
            ("held", ctypes.c_size_t),
            ("others", ctypes.c_size_t * 6),
        )

    counters = Counters(length=ctypes.sizeof(Counters))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 mypy elsewhere than on Windows knows no windll
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    there = kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.length)
    return int(counters.held) if there else 0


def let_go(mapped: Any) -> None:
    """Give back the memory that pages of a mapped array take, where this system can; they are read again when needed.

    Whoever reads a large file from end to end would otherwise seem to hold all of it.
    """
    import mmap

    base = mapped
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED") and hasattr(base, "madvise"):
        base.madvise(mmap.MADV_DONTNEED)
