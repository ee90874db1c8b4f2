"""Vectors that were costly to make, kept on disk as they are made: what was done is not done again.

Two files in a folder: `rows.f16`, float16 rows one after the other, and `rows.jsonl`, a line of notes for each. Both
only grow, the notes after their rows, under a file lock: several processes may share the folder. Whatever a stopped one
left half written is cut off. A key that two of them added has two rows, of which the later one counts.
"""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class RowCache:
    """Rows of one shape by key, in `folder`, made when missing. `notes` tells what else is known of each key."""

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._bytes = 2 * math.prod(shape)
        folder.mkdir(parents=True, exist_ok=True)
        self._rows_path, self._notes_path = folder / "rows.f16", folder / "rows.jsonl"
        self._lock = FileLock(folder / "lock")
        self.notes: dict[str, dict[str, Any]] = {}
        self._row: dict[str, int] = {}
        self._rows = self._noted = 0  # rows known of, and the bytes of their notes
        with self._lock:
            self._catch_up()

    def __contains__(self, key: str) -> bool:
        return key in self._row

    def add(self, notes: Sequence[Mapping[str, Any]], rows: NDArray[Any]) -> None:
        """Append `rows` (n, *shape); each of `notes` has its "key" and anything else that JSON can hold."""
        if rows.shape != (len(notes), *self._shape):
            raise ValueError(f"rows have shape {rows.shape}, wanted {(len(notes), *self._shape)}")
        lines = "".join(json.dumps(dict(note)) + "\n" for note in notes)
        with self._lock:
            self._catch_up()
            with self._rows_path.open("ab") as stream:
                stream.write(np.ascontiguousarray(rows, dtype="<f2").tobytes())
            with self._notes_path.open("ab") as stream:
                stream.write(lines.encode("ascii"))
            self._catch_up()

    def get(self, keys: Sequence[str]) -> NDArray[np.float16]:
        """float16 (len(keys), *shape). Raises KeyError for a key that is not there."""
        positions = [self._row[key] for key in keys]
        if not positions:
            return np.zeros((0, *self._shape), dtype=np.float16)
        held = np.memmap(self._rows_path, dtype="<f2", mode="r", shape=(self._rows, *self._shape))
        return np.asarray(held[positions], dtype=np.float16)

    def _catch_up(self) -> None:
        """Read the notes that are new, up to what both files hold whole; cut off the rest."""
        self._rows_path.touch()
        self._notes_path.touch()
        with self._notes_path.open("rb") as stream:
            stream.seek(self._noted)
            lines = stream.readlines()
        there = self._rows_path.stat().st_size // self._bytes - self._rows
        for line in lines[:there]:
            if line.endswith(b"\n"):
                note = json.loads(line)
                self._row[note["key"]] = self._rows
                self.notes[note["key"]] = note
                self._rows += 1
                self._noted += len(line)
        for path, whole in ((self._rows_path, self._rows * self._bytes), (self._notes_path, self._noted)):
            if path.stat().st_size > whole:
                os.truncate(path, whole)
