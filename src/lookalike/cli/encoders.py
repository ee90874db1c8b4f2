"""`lookalike encoders`: which encoders there are, what they are good for, and which lie on this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.cli import printing
from lookalike.cli.options import command, json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES_SHOWN = 3
"""Languages named in the table; --json has all."""


@command
@json_option
def encoders(*, as_json: bool) -> None:
    """Encoders that can be used, and which are here.

    Any of them serves as `--encoder NAME`; so does a folder that holds an encoder, such as tune-encoder writes.
    """
    from lookalike.encoders.load import default_models_dir
    from lookalike.encoders.overview import overview

    told = overview(default_models_dir())
    if as_json:
        printing.out_json(told)
        return
    known = told["encoders"]
    header = ("name", "dim", "download", "recall", "languages", "licence", "here")
    printing.table([_row(each) for each in known], header=header)
    for each in told["own"]:
        printing.out(f"{printing.printable(each['folder'])}\n  {_made(each)}")
    printing.note("recall: Crossmodal-3600, mean of recall@1, @5 and @10 with English captions, in per cent.")
    printing.note("builtin, names of things in each language, right pictures among the first ten, in per cent:")
    printing.note(_by_language(known[0]["precision"]))
    printing.note("An encoder is downloaded once, at its first use: lookalike index ~/Pictures --encoder NAME")


def _made(own: Mapping[str, Any]) -> str:
    """What an encoder of the user's own is, in a few words."""
    dim = f", {own['dim']} dimensions" if own["dim"] else ""
    if not own["made_of"]:
        return f"models of its own{dim}"
    return f"{own['kind']}{dim}, of {' and '.join(printing.printable(part) for part in own['made_of'])}"


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
