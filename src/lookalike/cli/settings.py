"""Where things lie unless told otherwise: the only place of lookalike that reads the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUFFIX = ".lookalike"
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
