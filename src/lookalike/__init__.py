"""lookalike finds pictures by words or by another picture, on your own computer, offline.

    import lookalike

    photos = lookalike.open("~/Pictures.lookalike")
    for event in photos.sync(["~/Pictures"]):
        ...
    hits = photos.search("a dog in the snow", k=10)

Names load when they are first used (PEP 562), so that importing this package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.core.errors import (
        CannotDecode,
        CollectionBusy,
        CollectionError,
        CollectionNotFound,
        EncoderError,
        EncoderMismatch,
        LookalikeError,
        MissingExtra,
        QueryError,
        RemoteUnavailable,
        ServiceError,
        SourceError,
    )
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import DecodeLimits, Hit, Query, Results, Skipped, Term
    from lookalike.encoders.load import load_encoder
    from lookalike.engine.collection import Collection
    from lookalike.engine.opening import open, open_remote
    from lookalike.engine.remote_collection import RemoteCollection
    from lookalike.engine.reports import IndexReport, Progress, SyncReport
    from lookalike.remote.opening import Access
    from lookalike.service.client import Client

__version__ = "0.1.0"

_HOME = {
    "open": "lookalike.engine.opening",
    "open_remote": "lookalike.engine.opening",
    "Access": "lookalike.remote.opening",
    "RemoteCollection": "lookalike.engine.remote_collection",
    "Client": "lookalike.service.client",
    "Collection": "lookalike.engine.collection",
    "Progress": "lookalike.engine.reports",
    "IndexReport": "lookalike.engine.reports",
    "SyncReport": "lookalike.engine.reports",
    "Hit": "lookalike.core.records",
    "Results": "lookalike.core.records",
    "Query": "lookalike.core.records",
    "Term": "lookalike.core.records",
    "Skipped": "lookalike.core.records",
    "DecodeLimits": "lookalike.core.records",
    "Encoder": "lookalike.core.protocols",
    "load_encoder": "lookalike.encoders.load",
    "LookalikeError": "lookalike.core.errors",
    "SourceError": "lookalike.core.errors",
    "CannotDecode": "lookalike.core.errors",
    "EncoderError": "lookalike.core.errors",
    "EncoderMismatch": "lookalike.core.errors",
    "CollectionError": "lookalike.core.errors",
    "CollectionNotFound": "lookalike.core.errors",
    "CollectionBusy": "lookalike.core.errors",
    "QueryError": "lookalike.core.errors",
    "RemoteUnavailable": "lookalike.core.errors",
    "MissingExtra": "lookalike.core.errors",
    "ServiceError": "lookalike.core.errors",
}

__all__ = [
    "Access",
    "CannotDecode",
    "Client",
    "Collection",
    "CollectionBusy",
    "CollectionError",
    "CollectionNotFound",
    "DecodeLimits",
    "Encoder",
    "EncoderError",
    "EncoderMismatch",
    "Hit",
    "IndexReport",
    "LookalikeError",
    "MissingExtra",
    "Progress",
    "Query",
    "QueryError",
    "RemoteCollection",
    "RemoteUnavailable",
    "Results",
    "ServiceError",
    "Skipped",
    "SourceError",
    "SyncReport",
    "Term",
    "__version__",
    "load_encoder",
    "open",
    "open_remote",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
