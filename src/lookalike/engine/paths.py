"""Paths as users give them, and as the collection keeps them."""

from __future__ import annotations

import os

from lookalike.store.records import is_address

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def absolute(path: PathLike) -> bytes:
    """Absolute native path in bytes, links not resolved, as the user knows it; addresses (s3://bucket) as given."""
    given = os.fsencode(path)
    return given if is_address(given) else os.path.abspath(os.path.expanduser(given))
