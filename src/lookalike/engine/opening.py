"""The door to a collection: the name that users type, `lookalike.open`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.engine.collection import Collection

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.core.protocols import Encoder
    from lookalike.engine.paths import PathLike


def open(  # the name users type: lookalike.open(...)
    path: PathLike,
    *,
    encoder: str | Encoder | None = None,
    device: str = "auto",
    create: bool = True,
    models_dir: Path | None = None,
    notice: Callable[[str], None] | None = None,
) -> Collection:
    """Open the collection at `path`, creating it on first use.

    `encoder`: a name, a folder, or an object that follows the Encoder protocol; None takes the one the
    collection was made with, and the built-in one for a new collection. `device`: auto, cpu, cuda, coreml
    or directml. `notice` is called with sentences a person should see (a device that is not there).

    Raises CollectionNotFound (with create=False), EncoderMismatch, CollectionTooNew, CollectionDamaged.
    """
    from lookalike.store.collection_store import Store

    directory = Path(os.path.abspath(os.path.expanduser(os.fsdecode(path))))
    store = Store.open(directory, create=create)
    try:
        return Collection(store, encoder=encoder, device=device, models_dir=models_dir, notice=notice)
    except BaseException:
        store.close()
        raise
