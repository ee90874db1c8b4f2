"""Opening the collection a command works on, with the encoder that was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lookalike.cli import printing
from lookalike.cli.settings import collection_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.core.protocols import Encoder
    from lookalike.engine.collection import Collection


def open_collection(
    given: str | None, *, encoder: str | None = None, device: str = "auto", create: bool = False
) -> Collection:
    """The collection that `--collection` or the settings name. Raises CollectionNotFound unless `create`."""
    from lookalike.engine.collection import open

    path = collection_path(given)
    asked = None if encoder is None else fetch_encoder(encoder, device)
    return open(path, encoder=asked, device=device, create=create, notice=printing.note)


def fetch_encoder(name: str, device: str = "auto") -> Encoder:
    """The encoder `name`, downloaded with progress on standard error when it is not on this computer."""
    from lookalike.encoders.load import load_encoder

    show, close = _download_display()
    try:
        return load_encoder(name, device=device, progress=show, notice=printing.note)
    finally:
        close()


def _download_display() -> tuple[Callable[[str, int, int], None], Callable[[], None]]:
    """A function to tell (file, bytes done, bytes in all), and one to end the display."""
    if not sys.stderr.isatty():
        said: set[str] = set()

        def say(file: str, _done: int, total: int) -> None:
            if file not in said:
                said.add(file)
                printing.note(f"downloading {file}, {printing.size(total)}")

        return say, lambda: None
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    bar = Progress(
        *Progress.get_default_columns()[:2],
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, object] = {}

    def show(file: str, done: int, total: int) -> None:
        if not tasks:
            bar.start()
        if file not in tasks:
            tasks[file] = bar.add_task(file, total=total)
        bar.update(tasks[file], completed=done, total=total)  # type: ignore[arg-type]

    return show, bar.stop
