"""The doors to a collection: the names that users type, `lookalike.open` and `lookalike.open_remote`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.engine.collection import Collection

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.core.protocols import Encoder
    from lookalike.engine.any_collection import AnyCollection
    from lookalike.engine.paths import PathLike
    from lookalike.engine.remote_collection import RemoteCollection
    from lookalike.remote.opening import Access


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


def open_remote(
    address: str,
    *,
    access: Access | None = None,
    encoder: str | Encoder | None = None,
    device: str = "auto",
    create: bool = True,
    models_dir: Path | None = None,
    notice: Callable[[str], None] | None = None,
    cache: Path | None = None,
) -> RemoteCollection:
    """Open a collection on an engine elsewhere: `milvus://host:19530/name`, `postgresql://user@host/database`.

    `access`: passwords and time limits. `cache`: a folder for small pictures that a service makes. With `create` it
    need not be there yet: taking pictures in makes it. The rest as for `open`.

    Raises CollectionNotFound (with create=False), RemoteUnavailable, RemoteRefused, EncoderMismatch, MissingExtra,
    ValueError for what is no such address.
    """
    from lookalike.engine.remote_collection import RemoteCollection
    from lookalike.engine.remote_state import refuse_absent
    from lookalike.remote.opening import Access, connect

    engine = connect(address, access or Access())
    try:
        if not create:
            refuse_absent(engine)
        return RemoteCollection(
            engine, encoder=encoder, device=device, models_dir=models_dir, notice=notice, cache=cache
        )
    except BaseException:
        engine.close()
        raise


def open_any(
    place: PathLike,
    *,
    access: Access | None = None,
    encoder: str | Encoder | None = None,
    device: str = "auto",
    create: bool = True,
    notice: Callable[[str], None] | None = None,
    cache: Path | None = None,
) -> AnyCollection:
    """The collection at a path or at an address: what `open` or `open_remote` gives."""
    if isinstance(place, str):
        from lookalike.remote.opening import is_engine

        if is_engine(place):
            return open_remote(
                place, access=access, encoder=encoder, device=device, create=create, notice=notice, cache=cache
            )
    return open(place, encoder=encoder, device=device, create=create, notice=notice)
