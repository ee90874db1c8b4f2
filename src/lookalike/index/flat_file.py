"""FAISS's plainest file, vectors one after another, written and read in bounded memory without FAISS itself.

`faiss.IndexFlatIP` keeps all its vectors in memory before it writes them; here blocks go to the disk as they come, and
come back by memory map. The bytes are those of FAISS's own `write_index` (faiss/impl/index_write.cpp, format "IxFI"),
which a test holds to the last one. Reading checks the header against the size of the file, so a file that is cut or
something else is an error and never a crash.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from lookalike.core.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors

_HEADER = struct.Struct("<4siqqq?iQ")  # kind, dim, count, twice a filler, trained, metric, floats behind it
_INNER_PRODUCT, _EUCLIDEAN = (b"IxFI", 0), (b"IxF2", 1)
_FILLER = 1 << 20


def flat_header(dim: int, count: int) -> bytes:
    """The beginning of a flat index by inner product; the `flat_bytes` of its `count` vectors follow."""
    kind, metric = _INNER_PRODUCT
    return _HEADER.pack(kind, dim, count, _FILLER, _FILLER, True, metric, count * dim)


def flat_bytes(vectors: Vectors) -> bytes:
    """Vectors as they stand in the file."""
    import numpy as np

    return np.ascontiguousarray(vectors, dtype="<f4").tobytes()


def map_flat(path: Path) -> NDArray[np.float32]:
    """The vectors of a flat index, float32 (count, dim), mapped read-only. Raises SourceError."""
    import numpy as np

    with path.open("rb") as stream:
        head = stream.read(_HEADER.size)
    if len(head) < _HEADER.size or head[:4] not in {_INNER_PRODUCT[0], _EUCLIDEAN[0]}:
        raise SourceError(
            f"{path} is no flat FAISS index: only that kind holds the vectors themselves",
            hint="bring the vectors as .npy or Parquet files",
        )
    kind, dim, count, _, _, trained, metric, floats = _HEADER.unpack(head)
    wanted = _HEADER.size + 4 * count * dim
    is_sound = trained and (kind, metric) in {_INNER_PRODUCT, _EUCLIDEAN} and dim > 0 and count >= 0
    if not is_sound or floats != count * dim or path.stat().st_size != wanted:
        raise SourceError(f"{path} is cut or damaged: its header and its size contradict each other")
    if count == 0:
        return np.empty((0, dim), dtype=np.float32)
    return np.memmap(path, dtype="<f4", mode="r", offset=_HEADER.size, shape=(count, dim))
