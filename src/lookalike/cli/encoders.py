"""`lookalike encoders`: which encoders there are, what they are good for, and which lie on this computer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lookalike.cli import printing
from lookalike.cli.options import command, json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookalike.encoders.catalogue import CatalogueEntry
    from lookalike.encoders.own import OwnEncoder

LANGUAGES_SHOWN = 3
"""Languages named in the table; --json has all."""


@command
@json_option
def encoders(*, as_json: bool) -> None:
    """Encoders that can be used, and which are here.

    Any of them serves as `--encoder NAME`; so does a folder that holds an encoder, such as tune-encoder writes.
    """
    from lookalike.encoders.catalogue import catalogue
    from lookalike.encoders.load import default_models_dir
    from lookalike.encoders.own import own_encoders

    models = default_models_dir()
    own = own_encoders(models)
    known = [_builtin(), *(_described(entry, here=entry.installed(models)) for entry in catalogue())]
    if as_json:
        printing.out_json({"encoders": known, "own": [each.as_dict() for each in own], "folder": str(models)})
        return
    header = ("name", "dim", "download", "recall", "languages", "licence", "here")
    printing.table([_row(each) for each in known], header=header)
    for each in own:
        printing.out(f"{printing.printable(str(each.folder))}\n  {_made(each)}")
    printing.note("recall: Crossmodal-3600, mean of recall@1, @5 and @10 with English captions, in per cent.")
    printing.note("builtin, names of things in each language, right pictures among the first ten, in per cent:")
    printing.note(_by_language(known[0]["precision"]))
    printing.note("An encoder is downloaded once, at its first use: lookalike index ~/Pictures --encoder NAME")


def _builtin() -> dict[str, Any]:
    from lookalike.encoders.catalogue import builtin_figures
    from lookalike.encoders.load import BUILTIN_FOLDER

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


def _made(own: OwnEncoder) -> str:
    """What an encoder of the user's own is, in a few words."""
    dim = f", {own.dim} dimensions" if own.dim else ""
    if not own.made_of:
        return f"models of its own{dim}"
    return f"{own.kind}{dim}, of {' and '.join(printing.printable(part) for part in own.made_of)}"


def _by_language(figures: Mapping[str, float]) -> str:
    """Best language first."""
    ranked = sorted(figures.items(), key=lambda each: -each[1])
    return "  ".join(f"{language} {value:.0f}" for language, value in ranked)


def _row(encoder: dict[str, Any]) -> tuple[str, ...]:
    languages = encoder["languages"]
    more = f" +{len(languages) - LANGUAGES_SHOWN}" if len(languages) > LANGUAGES_SHOWN else ""
    recall = encoder["recall"].get("en")
    return (
        encoder["name"],
        str(encoder["dim"] or "-"),
        printing.size(encoder["download_mb"] * 1e6) if encoder["download_mb"] else "none",
        f"{recall:.0f}" if recall else "-",
        " ".join(languages[:LANGUAGES_SHOWN]) + more,
        encoder["licence"],
        "yes" if encoder["installed"] else "no",
    )
