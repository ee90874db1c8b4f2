"""The encoders known by name: data in `catalogue.toml`, read once. Sources of the figures stand in that file.

Of the built-in only figures stand there: what it is says its own `config.json`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BUILTIN = "builtin"
"""The name of the encoder inside the package; it is no entry, as nothing of it is fetched."""


def is_builtin(name: str) -> bool:
    """True for the name of the built-in encoder, whole or narrowed (`builtin@128`)."""
    return name.partition("@")[0] == BUILTIN


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One encoder that can be fetched by name.

    `repository`: on the model hub, owner/name. `family`: how its text tower is fed. `languages`: ISO 639 codes.
    `download_mb`: about, in megabytes. `recall`: in %, by language, on Crossmodal-3600. `cpu_ms`: a picture on a
    desktop CPU.
    """

    name: str
    summary: str
    repository: str
    family: str
    dim: int
    image_side: int
    languages: tuple[str, ...]
    licence: str
    download_mb: int
    aliases: tuple[str, ...] = ()
    recall: Mapping[str, float] = field(default_factory=dict)
    cpu_ms: float | None = None

    def folder(self, models_dir: Path) -> Path:
        """Where its files lie, or will."""
        return models_dir / self.name

    def installed(self, models_dir: Path) -> bool:
        """True when its files are on this computer; they may have been copied there by hand."""
        folder = self.folder(models_dir)
        models = (folder / part / "model.onnx" for part in ("visual", "textual"))
        return (folder / "config.json").is_file() and any(model.is_file() for model in models)


@dataclass(frozen=True, slots=True)
class BuiltinFigures:
    """What was measured with the built-in encoder of the id `encoder`.

    `precision`: by language, share of right pictures among the first ten for the name of a thing, in %.
    """

    encoder: str
    precision: Mapping[str, float]


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Every encoder that can be fetched by name, smallest of each family first."""
    return tuple(_entry(table) for table in _tables()["encoder"])


def builtin_figures() -> BuiltinFigures:
    """How good the built-in encoder is, language by language."""
    return BuiltinFigures(**_tables()["builtin"])


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8"))


def _entry(table: dict[str, Any]) -> CatalogueEntry:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return CatalogueEntry(**values)


def find_entry(name: str) -> CatalogueEntry | None:
    """The entry of that name or alias, whatever its case; None when there is none."""
    wanted = name.casefold()
    for entry in catalogue():
        if wanted in {entry.name, entry.repository.casefold(), *(alias.casefold() for alias in entry.aliases)}:
            return entry
    return None


def nearest_names(name: str) -> list[str]:
    """Up to three names or aliases that look like `name`, best first."""
    known = [BUILTIN, *(each for entry in catalogue() for each in (entry.name, *entry.aliases))]
    by_folded = {each.casefold(): each for each in known}
    return [by_folded[each] for each in get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.4)]
