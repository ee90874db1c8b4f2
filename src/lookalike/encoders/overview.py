"""Every encoder that can be named, what it is good for, and whether it lies on this computer: for people and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lookalike.encoders.catalogue import builtin_figures, catalogue
from lookalike.encoders.load import BUILTIN_FOLDER
from lookalike.encoders.own import own_encoders

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.encoders.catalogue import CatalogueEntry


def overview(models: Path) -> dict[str, Any]:
    """What `encoders --json` prints: the built-in encoder, those of the catalogue, and the user's own.

    `models`: where downloaded ones are.
    """
    known = [_builtin(), *(_described(entry, here=entry.installed(models)) for entry in catalogue())]
    return {"encoders": known, "own": [each.as_dict() for each in own_encoders(models)], "folder": str(models)}


def _builtin() -> dict[str, Any]:
    path = BUILTIN_FOLDER / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {
        "name": "builtin",
        "summary": "Comes with lookalike and needs no download",
        "repository": None,
        "dim": config.get("embed_dim"),
        "languages": config.get("languages", []),
        "licence": "Apache-2.0",
        "download_mb": 0,
        "aliases": [f"builtin@{width}" for width in config.get("widths", []) if width < config["embed_dim"]],
        "recall": {},
        "precision": dict(builtin_figures().precision),
        "cpu_ms": None,
        "installed": path.is_file(),
    }


def _described(entry: CatalogueEntry, *, here: bool) -> dict[str, Any]:
    return {
        "name": entry.name,
        "summary": entry.summary,
        "repository": entry.repository,
        "dim": entry.dim,
        "languages": list(entry.languages),
        "licence": entry.licence,
        "download_mb": entry.download_mb,
        "aliases": list(entry.aliases),
        "recall": dict(entry.recall),
        "precision": {},
        "cpu_ms": entry.cpu_ms,
        "installed": here,
    }
