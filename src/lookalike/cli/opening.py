"""Opening the collection a command works on, with the encoder that was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lookalike.cli import printing
from lookalike.cli.settings import collection_path, colour_wanted, engine_access, remote_address

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from lookalike.core.protocols import Encoder
    from lookalike.engine.any_collection import AnyCollection
    from lookalike.engine.collection import Collection
    from lookalike.store.collection_store import Store


def open_collection(
    given: str | None, *, encoder: str | None = None, device: str = "auto", create: bool = False
) -> Collection:
    """The collection that `--collection` or the settings name, which has to lie on this computer.

    Raises CollectionNotFound unless `create`, NotForRemote for the address of an engine elsewhere.
    """
    from lookalike.core.errors import EncoderMismatch
    from lookalike.engine.opening import open

    _refuse_remote(given)
    path = collection_path(given)
    asked = None if encoder is None else fetch_encoder(encoder, device)
    try:
        return open(path, encoder=asked, device=device, create=create, notice=printing.note)
    except EncoderMismatch as error:  # the encoder's own name is not what names a folder
        hint = f"lookalike migrate --encoder {encoder} moves it; searches work meanwhile"
        raise EncoderMismatch(str(error), hint=hint) from error


def open_any_collection(
    given: str | None, *, encoder: str | None = None, device: str = "auto", create: bool = False
) -> AnyCollection:
    """The same, wherever it lies. Raises RemoteUnavailable, RemoteRefused, MissingExtra beside what that raises."""
    address = remote_address(given)
    if address is None:
        return open_collection(given, encoder=encoder, device=device, create=create)
    from lookalike.engine.opening import open_remote

    asked = None if encoder is None else fetch_encoder(encoder, device)
    access = engine_access()
    return open_remote(address, access=access, encoder=asked, device=device, create=create, notice=printing.note)


def open_store(given: str | None) -> Store:
    """What is stored of that collection, for commands that need no encoder. Raises CollectionNotFound, NotForRemote."""
    from lookalike.store.collection_store import Store

    _refuse_remote(given)
    return Store.open(collection_path(given), create=False)


def _refuse_remote(given: str | None) -> None:
    address = remote_address(given)
    if address is not None:
        from lookalike.core.errors import NotForRemote
        from lookalike.remote.opening import without_secrets

        shown = without_secrets(address)
        raise NotForRemote(
            f"that takes a collection on this computer, not {shown}",
            hint=f"lookalike move {shown} NAME.lookalike brings it here",
        )


def fetch_encoder(name: str, device: str = "auto") -> Encoder:
    """The encoder `name`, downloaded with progress on standard error when it is not on this computer."""
    from lookalike.encoders.load import load_encoder

    download = _Bars() if sys.stderr.isatty() and colour_wanted() else _Lines()
    try:
        return load_encoder(name, device=device, progress=download.show, notice=printing.note)
    finally:
        download.close()


def maker_of(encoder: str, device: str) -> str | Encoder:
    """Whose vectors are taken in: the encoder itself, or the id of one that nobody knows, for a collection of its."""
    from lookalike.engine.nameless import is_nameless

    return encoder if is_nameless(encoder) else fetch_encoder(encoder, device)


class _Lines:
    """Names each file once, where standard error is a file or a pipe."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def show(self, file: str, _done: int, total: int) -> None:
        if file not in self._said:
            self._said.add(file)
            printing.note(f"downloading {file}, {printing.size(total)}")

    def close(self) -> None:
        pass


class _Bars:
    """A live bar for each file. rich is loaded when there is something to show: mostly there is not."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def show(self, file: str, done: int, total: int) -> None:
        if self._bars is None:
            self._bars = _download_progress()
            self._bars.start()
        if file not in self._tasks:
            self._tasks[file] = self._bars.add_task(file, total=total)
        self._bars.update(self._tasks[file], completed=done, total=total)

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()


def _download_progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
