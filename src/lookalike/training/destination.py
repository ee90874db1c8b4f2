"""Whether an encoder may be written to a folder: asked before hours of work, and not after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.errors import EncoderBroken, EncoderError
from lookalike.encoders.identity import identify
from lookalike.encoders.load import default_models_dir
from lookalike.encoders.writing import refuse_own_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lookalike.core.protocols import Encoder

_ELSEWHERE = "choose another folder for what is made"


def check_destination(out: Path, encoders: Sequence[Encoder]) -> None:
    """Raises EncoderError where `out` is a file, holds models of its own, or holds or lies in an encoder that is asked.

    Also one that those `encoders` are made of: what replaced it would be made of what is gone.
    """
    for folder in (out.absolute(), *out.absolute().parents):
        if folder.exists() and not folder.is_dir():
            raise EncoderError(f"{folder} is a file, and no folder", hint=_ELSEWHERE)
    refuse_own_models(out)
    asked = {digest for encoder in encoders for digest in _digests(encoder)}
    out = out.resolve()
    for folder in (out, *out.parents):
        if (folder / "config.json").is_file() and _digest(folder) in asked:
            what = "is" if folder == out else f"lies in {folder}, which is"
            raise EncoderError(f"{out} {what} an encoder that the new one would be made of", hint=_ELSEWHERE)


def _digests(encoder: Encoder) -> Iterator[str]:
    """Of the files of an encoder, and of those that it is made of."""
    yield encoder.id.rpartition("-")[2]
    inside = [part for part, _ in getattr(encoder, "parts", ())]
    if (base := getattr(encoder, "base", None)) is not None:
        inside.append(base)
    for part in inside:
        yield from _digests(part)


def _digest(folder: Path) -> str:
    try:
        return identify(folder, folder.name, default_models_dir()).rpartition("-")[2]
    except EncoderBroken:  # what cannot be read is not what was opened
        return ""
