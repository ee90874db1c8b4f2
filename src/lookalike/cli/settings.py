"""Where things lie unless told otherwise: the only place of lookalike that reads the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lookalike.remote.opening import Access

SUFFIX = ".lookalike"
MILVUS_TOKEN = "LOOKALIKE_MILVUS_TOKEN"  # noqa: S105 the name of a variable
POSTGRES_PASSWORD = "LOOKALIKE_POSTGRES_PASSWORD"  # noqa: S105 the name of a variable
REMOTE_TIMEOUT = "LOOKALIKE_REMOTE_TIMEOUT"
COLLECTION_VARIABLE = "LOOKALIKE_COLLECTION"


def collection_path(given: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The collection's directory: `given`, else LOOKALIKE_COLLECTION, else one in the user's data folder.

    A name without the suffix stands for the collection beside it that has one, when only that exists.
    """
    named = given or environment.get(COLLECTION_VARIABLE)
    if not named:
        return default_collection()
    from pathlib import Path

    path = Path(os.path.abspath(os.path.expanduser(named)))
    with_suffix = path.with_name(path.name + SUFFIX)
    return with_suffix if with_suffix.is_dir() and not path.exists() else path


def remote_address(given: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The address of the engine that holds the collection; None where it is a folder.

    Raises RemoteRefused for an address of anything else: no folder is called so.
    """
    from lookalike.remote.opening import is_engine, without_secrets

    named = given or environment.get(COLLECTION_VARIABLE) or ""
    if is_engine(named):
        return named
    if "://" in named:
        from lookalike.core.errors import RemoteRefused

        hint = "an address begins with milvus:// or postgresql://; anything else is a folder on this computer"
        raise RemoteRefused(f"no collection can lie at {without_secrets(named)}", hint=hint)
    return None


def engine_access(environment: Mapping[str, str] = os.environ) -> Access:
    """Passwords for engines elsewhere, each from a variable or from the file that NAME_FILE names, and their time.

    Raises ValueError for a time that is no number, OSError for a file that cannot be read.
    """
    from pathlib import Path

    from lookalike.remote.opening import TIMEOUT_S, Access

    passfile = environment.get("PGPASSFILE") or str(Path.home() / ".pgpass")
    return Access(
        milvus_token=_secret(MILVUS_TOKEN, environment),
        postgres_password=_secret(POSTGRES_PASSWORD, environment) or environment.get("PGPASSWORD"),
        postgres_passfile=Path(passfile) if os.path.isfile(passfile) else None,
        timeout_s=float(environment.get(REMOTE_TIMEOUT) or TIMEOUT_S),
    )


def _secret(name: str, environment: Mapping[str, str]) -> str | None:
    file = environment.get(f"{name}_FILE")
    if file:
        with open(file, encoding="utf-8") as stream:
            return stream.read().strip()
    return environment.get(name) or None


def cache_folder() -> Path:
    """Where files are kept that can be made again."""
    from platformdirs import user_cache_path

    return user_cache_path("lookalike", appauthor=False) / "thumbnails"


def default_collection() -> Path:
    """The collection used when none is named."""
    from platformdirs import user_data_path

    return user_data_path("lookalike", appauthor=False) / f"pictures{SUFFIX}"


def ray_address(environment: Mapping[str, str] = os.environ) -> str | None:
    """The Ray cluster that this machine belongs to (RAY_ADDRESS, which Ray sets for jobs on one); None without."""
    return environment.get("RAY_ADDRESS") or None


def colour_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """False when the user asked for no colour (NO_COLOR, https://no-color.org) or the terminal has none."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
