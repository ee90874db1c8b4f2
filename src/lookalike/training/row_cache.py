"""Vectors that were costly to make, kept on disk as they are made: what was done is not done again.

Two files in a folder: `rows.f16`, float16 rows one after the other, and `rows.jsonl`, a line of notes for each. Both
only grow, the notes after their rows; whatever a stopped process left half written is cut off when they are opened. One
process writes.
"""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

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
        self.notes: dict[str, dict[str, Any]] = {}
        self._row: dict[str, int] = {}
        self._open()

    def __contains__(self, key: str) -> bool:
        return key in self._row

    def add(self, notes: Sequence[Mapping[str, Any]], rows: NDArray[Any]) -> None:
        """Append `rows` (n, *shape); each of `notes` has its "key" and anything else that JSON can hold."""
        if rows.shape != (len(notes), *self._shape):
            raise ValueError(f"rows have shape {rows.shape}, wanted {(len(notes), *self._shape)}")
        with self._rows_path.open("ab") as stream:
            stream.write(np.ascontiguousarray(rows, dtype="<f2").tobytes())
        with self._notes_path.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(dict(note)) + "\n" for note in notes)
        for note in notes:
            self._know(dict(note))

    def get(self, keys: Sequence[str]) -> NDArray[np.float16]:
        """float16 (len(keys), *shape). Raises KeyError for a key that is not there."""
        positions = [self._row[key] for key in keys]
        if not positions:
            return np.zeros((0, *self._shape), dtype=np.float16)
        held = np.memmap(self._rows_path, dtype="<f2", mode="r", shape=(len(self._row), *self._shape))
        return np.asarray(held[positions], dtype=np.float16)

    def _know(self, note: dict[str, Any]) -> None:
        self._row[note["key"]] = len(self._row)
        self.notes[note["key"]] = note

    def _open(self) -> None:
        """Read the notes, up to what both files hold whole; cut off the rest."""
        self._rows_path.touch()
        self._notes_path.touch()
        lines = self._notes_path.read_bytes().splitlines(keepends=True)
        whole = [line for line in lines[: self._rows_path.stat().st_size // self._bytes] if line.endswith(b"\n")]
        for line in whole:
            self._know(json.loads(line))
        os.truncate(self._rows_path, len(whole) * self._bytes)
        os.truncate(self._notes_path, sum(map(len, whole)))
