"""What kind of encoder lies in a folder: its config.json says it, and this opens it.

Without a `kind` it is an encoder with models of its own (`onnx_encoder`). The others are encoders around encoders and
name these by id: `derived` (projections of a base's vectors), `ensemble` (several side by side), `views` (several looks
at a picture). Where an encoder of an id lies is left to `load`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken, EncoderUnavailable
from lookalike.core.wording import Wording
from lookalike.encoders import derived, ensemble, views
from lookalike.encoders.onnx_encoder import OnnxEncoder, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lookalike.core.protocols import Encoder
    from lookalike.encoders.narrowed import Whole


def open_folder(folder: Path, *, name: str, id: str, load_part: Callable[[str], Encoder], **settings: Any) -> Whole:
    """The encoder in `folder`, whatever its kind. `settings`: those of `OnnxEncoder`.

    `load_part` gives the encoder of an id. Raises EncoderBroken, and EncoderUnavailable for a part that is not here.
    """
    config = read_json(folder / "config.json")
    kind = config.get("kind")

    def part(encoder_id: str) -> Encoder:
        try:
            return load_part(encoder_id)
        except EncoderUnavailable as error:
            why, hint = error.said
            raise EncoderUnavailable(Wording("encoder_lacks", name=name, why=why), hint=hint) from error

    if kind is None:
        return OnnxEncoder(folder, name=name, id=id, **settings)
    if kind == derived.KIND:
        base = part(derived.base_of(config, folder))
        return derived.open_derived(folder, config, base, name=name, id=id)
    if kind == ensemble.KIND:
        parts = [(part(encoder_id), weight) for encoder_id, weight in ensemble.parts_of(config, folder)]
        return ensemble.Ensemble(parts, name=name, id=id)
    if kind == views.KIND:
        return views.open_views(folder, config, part, name=name, id=id)
    raise EncoderBroken(
        f"{folder} holds an encoder of a kind that is not known here: {kind}",
        hint="a later lookalike may know it: pip install --upgrade lookalike",
    )


def made_of(config: Mapping[str, Any], folder: Path) -> list[str]:
    """Ids of the encoders that the one in `folder` is made of, as its config.json says. Raises EncoderBroken."""
    if config.get("kind") == ensemble.KIND:
        return [encoder_id for encoder_id, _ in ensemble.parts_of(config, folder)]
    return [] if config.get("kind") is None else [derived.base_of(config, folder)]
