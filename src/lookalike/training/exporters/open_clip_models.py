"""Networks of open_clip that read words by CLIP's own vocabulary: all ViT, ConvNeXt and ResNet CLIPs, EVA, CoCa.

SigLIP's and multilingual text towers bring vocabularies of the hub along; those are in the catalogue, exported.
"""

# torch is not followed by the type checker, so its Module is Any
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from lookalike.core.errors import EncoderBroken, MissingExtra, UnknownEncoder
from lookalike.training.exporters.clip_vocabulary import from_merges_list
from lookalike.training.exporters.exported_folder import Pictures, Towers, Words
from lookalike.training.exporters.image_models import PUBLISHED, RANDOM, fetched, unknown

if TYPE_CHECKING:
    from collections.abc import Callable


def open_open_clip(name: str, weights: str = PUBLISHED) -> Towers:
    """The network `name` of open_clip, NETWORK/TAG, such as ViT-B-32/laion2b_s34b_b79k.

    `weights`: "published" (those of the tag), "random", or the path of a file; for the latter two, TAG may be missing.
    Raises MissingExtra, UnknownEncoder, EncoderUnavailable, EncoderBroken.
    """
    try:
        import open_clip
        from open_clip.tokenizer import default_bpe
    except ImportError as error:
        raise MissingExtra("exporting a network of open_clip", "export") from error
    from pathlib import Path

    network, _, tag = name.partition("/")
    if network not in open_clip.list_models():
        raise unknown("open_clip", network, open_clip.list_models())
    tags = open_clip.list_pretrained_tags_by_model(network)
    if weights == PUBLISHED and tag not in tags:
        hint = f"there are {', '.join(tags)}" if tags else "it was never published with weights"
        raise UnknownEncoder(f"open_clip has no weights {tag or '(none named)'} of {network}", hint=hint)
    config = open_clip.get_model_config(network)["text_cfg"]
    if config.get("hf_tokenizer_name") or config.get("hf_model_name") or config.get("tokenizer_kwargs"):
        raise EncoderBroken(
            f"{network} reads words by another vocabulary than CLIP's, which is not exported here",
            hint="lookalike encoders lists exported encoders of that kind",
        )
    pretrained = {PUBLISHED: tag, RANDOM: None}.get(weights, weights)
    model = fetched(name, weights, lambda: open_clip.create_model(network, pretrained=pretrained))
    rules = {key: list(each) if isinstance(each, tuple) else each for key, each in _preparing(model).items()}
    words = {"context_length": int(model.context_length), "vocab_size": int(model.vocab_size)}
    return Towers(
        Pictures(_Called(model, model.encode_image), rules),
        Words(_Called(model, model.encode_text), from_merges_list(Path(default_bpe())), words),
        {"made_from": f"open_clip:{name}", "weights": weights},
    )


def _preparing(model: Any) -> dict[str, Any]:
    import open_clip

    found: dict[str, Any] = open_clip.get_model_preprocess_cfg(model)
    return found


class _Called(nn.Module):
    """One tower of a model, which is called by a method of its own."""

    def __init__(self, model: nn.Module, method: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.method = method

    def forward(self, values: Tensor) -> Tensor:
        return self.method(values)
