"""What a build has done so far, kept beside the file it will become.

A checkpoint is a whole index file of its own name and a small JSON that points to it with its checksum. The JSON is
replaced after the file is on the disk, so a kill at any moment leaves the older pair or the newer one.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lookalike.index.files import beside, put_in_place, put_json
from lookalike.index.manifest import DIGEST_BYTES, FORMAT, file_checksum, library_version

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.index.kinds import IndexSpec
    from lookalike.index.manifest import Identity


class Checkpoint:
    """The checkpoint of one build. Rows of an epoch never change, so a later generation may go on with it."""

    def __init__(self, path: Path, spec: IndexSpec, identity: Identity) -> None:
        self._path = path
        self._made_of = {
            "format": FORMAT,
            "library": library_version(spec.kind),
            "spec": spec.as_dict(),
            "rows_of": {name: value for name, value in asdict(identity).items() if name != "generation"},
        }

    def write(self, index: Any) -> None:
        """Keep `index` as it is now. Raises OSError."""
        file = beside(self._path, f".partial-{index.ntotal}")
        size, checksum = written(index, file)
        put_json(_pointer(self._path), {**self._made_of, "file": file.name, "bytes": size, "checksum": checksum})
        _remove_parts(self._path, keep=file)

    def resume(self, count: int) -> Any | None:
        """The index as it was kept, with at most `count` rows in it; None when there is nothing to go on with."""
        import faiss

        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(_pointer(self._path).read_text(encoding="utf-8"))
            file = self._path.with_name(kept["file"])
            is_ours = {name: kept[name] for name in self._made_of} == self._made_of
            if is_ours and file.stat().st_size == kept["bytes"] and file_checksum(file) == kept["checksum"]:
                with file.open("rb") as opened, suppress(RuntimeError):
                    index = faiss.read_index(faiss.PyCallbackIOReader(opened.read))
                    return index if index.ntotal <= count else None
        return None


def written(index: Any, path: Path) -> tuple[int, str]:
    """Put a FAISS index into a file; its bytes and checksum. Raises OSError.

    FAISS's own writer takes no notice of a disk that fills up with the last bytes; this one does.
    """
    import faiss

    digest, size = hashlib.blake2b(digest_size=DIGEST_BYTES), 0
    with put_in_place(path) as file:

        def take(piece: bytes) -> int:
            nonlocal size
            digest.update(piece)
            size += len(piece)
            return file.write(piece)

        faiss.write_index(index, faiss.PyCallbackIOWriter(take))
    return size, digest.hexdigest()


def remove_checkpoint(path: Path) -> None:
    """Forget what a build at `path` has done so far."""
    with suppress(OSError):
        _pointer(path).unlink(missing_ok=True)
    _remove_parts(path, keep=None)


def _pointer(path: Path) -> Path:
    return beside(path, ".partial.json")


def _remove_parts(path: Path, keep: Path | None) -> None:
    start = path.name + ".partial-"
    with suppress(OSError):
        for part in path.parent.iterdir():
            if part.name.startswith(start) and part != keep:
                part.unlink(missing_ok=True)
