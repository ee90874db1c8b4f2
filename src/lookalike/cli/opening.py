"""Opening the collection a command works on, with the encoder that was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lookalike.cli import printing
from lookalike.cli.settings import collection_path, colour_wanted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from lookalike.core.protocols import Encoder
    from lookalike.engine.collection import Collection
    from lookalike.store.collection_store import Store


def open_collection(
    given: str | None, *, encoder: str | None = None, device: str = "auto", create: bool = False
) -> Collection:
    """The collection that `--collection` or the settings name. Raises CollectionNotFound unless `create`."""
    from lookalike.core.errors import EncoderMismatch
    from lookalike.engine.opening import open

    path = collection_path(given)
    asked = None if encoder is None else fetch_encoder(encoder, device)
    try:
        return open(path, encoder=asked, device=device, create=create, notice=printing.note)
    except EncoderMismatch as error:  # the encoder's own name is not what names a folder
        hint = f"lookalike migrate --encoder {encoder} moves it; searches work meanwhile"
        raise EncoderMismatch(str(error), hint=hint) from error


def open_store(given: str | None) -> Store:
    """What is stored of that collection, for commands that need no encoder. Raises CollectionNotFound."""
    from lookalike.store.collection_store import Store

    return Store.open(collection_path(given), create=False)


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
