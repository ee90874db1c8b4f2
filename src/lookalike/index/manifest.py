"""What stands beside an index file: which rows it was made for, how, and the checksum of its bytes.

FAISS and Annoy trust their files: one that is cut, changed or foreign can end the process. So nothing is given to them
before `check` has passed it. The manifest is written last: a file without one was never finished. A checksum is no
signature, it tells accidents: who may write to a collection's folder can make a file and a manifest that fits it, and
end the process that opens them, just as they can delete the collection.

Reading all bytes of a large index would make opening slow, so the last full check is noted with the file's size, time
and inode; while these stay, opening trusts that note. `full=True` does not.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import IndexUnusable
from lookalike.index.files import beside, put_json
from lookalike.index.kinds import IndexSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

FORMAT = 1
"""Of manifest and file layout together."""
DIGEST_BYTES = 32
_READ_BYTES = 1 << 22
_REBUILD = "it is built again from the rows"


@dataclass(frozen=True, slots=True)
class Identity:
    """The rows an index is made for: whose encoder, how wide, which epoch, and the generation it is published in."""

    encoder_id: str
    dim: int
    epoch: int
    generation: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`count`: rows in the index, the first so many of their epoch. `checksum`: BLAKE2b of the file in hex.

    `library`: name and version of what wrote the file, as in "faiss 1.15.1".
    """

    spec: IndexSpec
    identity: Identity
    count: int
    bytes: int
    checksum: str
    library: str
    lookalike_version: str
    format: int = FORMAT

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "spec": self.spec.as_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`. Raises ValueError, KeyError or TypeError for what is none."""
        plain = dict(values)
        spec, identity = IndexSpec.from_dict(plain.pop("spec")), Identity(**plain.pop("identity"))
        manifest = cls(spec=spec, identity=identity, **plain)
        for name in ("count", "bytes", "format"):
            if type(getattr(manifest, name)) is not int:
                raise TypeError(f"{name} is no whole number")
        return manifest


def manifest_path(path: Path) -> Path:
    """Where the manifest of the index at `path` stands."""
    return beside(path, ".json")


def companions(path: Path) -> tuple[Path, ...]:
    """Every file that may belong to the index at `path`, itself first: what goes when the index goes."""
    return (path, manifest_path(path), _note_path(path))


def library_version(kind: str) -> str:
    """Name and version of the library that reads and writes a kind."""
    from importlib.metadata import version

    if kind == "annoy":
        return f"annoy {version('annoy')}"
    import faiss

    return f"faiss {faiss.__version__}"


def publish(path: Path, manifest: Manifest) -> None:
    """Write the manifest of a file that is whole and on the disk, and note that its bytes are known to be right."""
    put_json(manifest_path(path), manifest.as_dict())
    _note(path, manifest.checksum)


def read_manifest(path: Path) -> Manifest:
    """The manifest of the index at `path`, without a look at the index. Raises IndexUnusable."""
    try:
        text = manifest_path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _unusable("missing", path, "has no manifest") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable("manifest", path, f"has a manifest that cannot be read ({cause_of(error)})") from None
    try:
        values = json.loads(text)
        if values.get("format") != FORMAT:
            raise _unusable("version", path, f"has format {values.get('format')}, this lookalike knows {FORMAT}")
        return Manifest.from_dict(values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable("manifest", path, f"has a manifest that is none ({error})") from None


def check(path: Path, identity: Identity, *, full: bool = False) -> Manifest:
    """The manifest of an index that may be opened for the rows of `identity`.

    Reads all of the file when `full`, or when it is not the very file of the last full check. Raises IndexUnusable
    with reason "missing", "manifest", "version", "foreign" (made for other rows), "cut" or "changed".
    """
    manifest = read_manifest(path)
    if manifest.identity != identity:
        raise _unusable("foreign", path, f"was made for {manifest.identity}, wanted {identity}")
    _check_library(path, manifest)
    try:
        size = path.stat().st_size
        if size != manifest.bytes:
            raise _unusable("cut", path, f"has {size:,} bytes, its manifest says {manifest.bytes:,}")
        if full or _noted(path) != _stamp(path, manifest.checksum):
            if file_checksum(path) != manifest.checksum:
                raise _unusable("changed", path, "is not what was written: its checksum differs")
            _note(path, manifest.checksum)
    except FileNotFoundError:
        raise _unusable("missing", path, "is not there") from None
    except OSError as error:
        raise _unusable("missing", path, f"cannot be read ({cause_of(error)})") from None
    return manifest


def file_checksum(path: Path) -> str:
    """BLAKE2b of all bytes, in hex. Raises OSError."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _unusable(reason: str, path: Path, what: str) -> IndexUnusable:
    return IndexUnusable(reason, f"the index {path} {what}", hint=_REBUILD)


def _check_library(path: Path, manifest: Manifest) -> None:
    """Refuse files of another library, or of a later version than ours, whose layout nobody knows yet."""
    ours = library_version(manifest.spec.kind)
    if manifest.library.partition(" ")[0] != ours.partition(" ")[0] or _number(manifest.library) > _number(ours):
        raise _unusable("version", path, f"was written by {manifest.library}, here is {ours}")


def _number(library: str) -> tuple[int, ...]:
    return tuple(int(part) for part in library.partition(" ")[2].split(".") if part.isdecimal())


def _note_path(path: Path) -> Path:
    return beside(path, ".checked")


def _stamp(path: Path, checksum: str) -> list[Any]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino, checksum]


def _noted(path: Path) -> Any:
    with suppress(OSError, ValueError):
        return json.loads(_note_path(path).read_text(encoding="utf-8"))
    return None


def _note(path: Path, checksum: str) -> None:
    with suppress(OSError):  # on a read-only disk every opening reads the whole file
        put_json(_note_path(path), _stamp(path, checksum))
