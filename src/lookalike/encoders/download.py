"""Fetching an encoder of the catalogue from a model hub: the only code of lookalike that contacts one.

One question to the hub (through `huggingface_hub`) lists the files with sizes and digests: SHA-256 for large files,
git's SHA-1 for small ones. Each file is then fetched over plain HTTP into `NAME.partial`, continued where an earlier
try stopped (the hub's own library starts again), and checked against its digest. Only a whole, checked encoder gets
its name, by one rename; `manifest.json` says what came from where. No account, no token, no telemetry.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderError, EncoderUnavailable
from lookalike.encoders.catalogue import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookalike.encoders.catalogue import CatalogueEntry

_CHUNK = 1 << 20  # bytes between two reports of progress
_TIMEOUT_S = 20.0  # without a byte from the hub
_TRIES = 3  # of one file that bring nothing new; a try that brought bytes is followed by as many again
_PAUSE_S = 0.5  # before the next try
_OTHER_RUNTIMES = (".armnn", ".rknn")  # the same weights again, for phones


@dataclass(frozen=True, slots=True)
class _RemoteFile:
    """A file as the hub declares it. `digest` is SHA-256, or git's SHA-1 of a blob where `git` is true."""

    name: str
    size: int
    digest: str
    git: bool


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What the hub holds of a repository: the commit that `main` is at, and the files of it that make an encoder."""

    repository: str
    endpoint: str | None
    commit: str
    files: tuple[_RemoteFile, ...]


def download_encoder(
    entry: CatalogueEntry,
    models_dir: Path,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    endpoint: str | None = None,
) -> Path:
    """Fetch `entry` into `models_dir` and return its folder. A broken download goes on where it stopped.

    `progress`: called with (file, bytes done, bytes in all) of the whole encoder. `endpoint`: the hub's address.
    Raises EncoderUnavailable when the hub cannot be reached, lacks the files, or sends other bytes than it declared.
    """
    from filelock import FileLock

    folder, partial = entry.folder(models_dir), models_dir / f"{entry.name}.partial"
    with _errors_said(entry, models_dir):
        partial.mkdir(parents=True, exist_ok=True)
        with FileLock(models_dir / f"{entry.name}.lock"):
            if entry.installed(models_dir):  # another process was faster
                return folder
            _make_room(folder)
            snapshot = _listed(entry.repository, endpoint)
            _fetch_all(snapshot, partial, progress or (lambda *_: None))
            _write_manifest(partial, entry, snapshot)
            os.replace(partial, folder)
    return folder


def _make_room(folder: Path) -> None:
    """The place of the encoder has to be free before gigabytes are fetched: a rename never merges."""
    if folder.exists():
        if any(folder.iterdir()):
            raise EncoderUnavailable(
                f"{folder} is there but is no whole encoder", hint="complete or remove that folder"
            )
        folder.rmdir()


def _listed(repository: str, endpoint: str | None) -> _Snapshot:
    api = _hub().HfApi(endpoint=endpoint, token=False)
    info = api.model_info(repository, files_metadata=True, timeout=_TIMEOUT_S, token=False)
    remote = tuple(
        _RemoteFile(file.rfilename, file.size or 0, file.lfs.sha256 if file.lfs else file.blob_id, git=not file.lfs)
        for file in info.siblings or []
        if _wanted(file.rfilename)
    )
    names = {file.name for file in remote}
    if "config.json" not in names or not names & {"visual/model.onnx", "textual/model.onnx"}:
        raise EncoderUnavailable(f"{repository} on the hub does not hold an encoder in the expected layout")
    return _Snapshot(repository, endpoint, info.sha, remote)


def _wanted(name: str) -> bool:
    folder, _, base = name.rpartition("/")
    own = name == "config.json" or folder in {"visual", "textual"}
    return own and not base.startswith(".") and not base.endswith(_OTHER_RUNTIMES)


def _fetch_all(snapshot: _Snapshot, partial: Path, progress: Callable[[str, int, int], None]) -> None:
    total = sum(file.size for file in snapshot.files)
    before = 0
    for file in snapshot.files:
        url = _hub().hf_hub_url(snapshot.repository, file.name, revision=snapshot.commit, endpoint=snapshot.endpoint)

        def report(size: int, name: str = file.name, before: int = before) -> None:
            progress(name, before + size, total)

        _fetch(file, url, partial / file.name, report)
        before += file.size


def _fetch(file: _RemoteFile, url: str, target: Path, report: Callable[[int], None]) -> None:
    """Bring `target` to the declared size and digest, going on from what is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    resumed = _size(target) > 0
    _bring(file, url, target, report)
    if resumed and not _is_whole(target, file):  # an earlier try may have begun with another version of the file
        target.unlink()
        _bring(file, url, target, report)
    if not _is_whole(target, file):
        target.unlink()
        raise EncoderUnavailable(
            f"{file.name} arrived damaged: its bytes are not those the hub declares", hint="try the download again"
        )


def _bring(file: _RemoteFile, url: str, target: Path, report: Callable[[int], None]) -> None:
    """Fetch what `target` lacks, over as many connections as it takes while each brings something."""
    tries = _TRIES
    while True:
        have = _size(target)
        try:
            return _continue(url, target, file.size, report)
        except Exception:  # transport errors of the hub's library have another base class in each of its versions
            tries = _TRIES if _size(target) > have else tries - 1
            if not tries:
                raise
            time.sleep(_PAUSE_S)


def _continue(url: str, target: Path, size: int, report: Callable[[int], None]) -> None:
    have = _size(target)
    if have > size:
        target.unlink()
        have = 0
    report(have)
    if have == size and target.exists():
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    session = _hub().get_session()
    with session.stream("GET", url, headers=headers, timeout=_TIMEOUT_S, follow_redirects=True) as response:
        response.raise_for_status()
        resumed = response.status_code == 206
        with target.open("ab" if resumed else "wb") as stream:
            for chunk in response.iter_bytes(_CHUNK):
                stream.write(chunk)
                report(stream.tell())


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_whole(path: Path, file: _RemoteFile) -> bool:
    if _size(path) != file.size:
        return False
    with path.open("rb") as stream:
        if not file.git:
            return hashlib.file_digest(stream, "sha256").hexdigest() == file.digest
        blob = b"blob %d\0" % file.size + stream.read()
        return hashlib.sha1(blob, usedforsecurity=False).hexdigest() == file.digest


def _write_manifest(folder: Path, entry: CatalogueEntry, snapshot: _Snapshot) -> None:
    files = {
        file.name: {"size": file.size, "sha1-git" if file.git else "sha256": file.digest} for file in snapshot.files
    }
    source = {"repository": snapshot.repository, "commit": snapshot.commit, "licence": entry.licence}
    manifest = {"name": entry.name, **source, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _hub() -> Any:
    """The hub's library with its telemetry off; imported only here, as nothing else needs it."""
    import huggingface_hub
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
    return huggingface_hub


@contextlib.contextmanager
def _errors_said(entry: CatalogueEntry, models_dir: Path) -> Iterator[None]:
    """Whatever goes wrong becomes EncoderUnavailable that says what, and how to do without the hub."""
    hint = (
        f"check the connection and try again, copy the files of {entry.repository} to {entry.folder(models_dir)} "
        f"by hand, or use the encoder {BUILTIN}, which needs no download"
    )
    try:
        yield
    except EncoderError as error:
        error.hint = f"{error.hint}; or {hint}" if error.hint else hint
        raise
    except Exception as error:  # transport errors of the hub's library have another base class in each of its versions
        status = getattr(getattr(error, "response", None), "status_code", None)
        what = f"the hub answered {status}" if status else str(error) or type(error).__name__
        raise EncoderUnavailable(f"the encoder {entry.name} could not be fetched: {what}", hint=hint) from error
