"""Networks for pictures that timm and torchvision publish, without their classes: pooled features as vectors.

They see pictures as their makers evaluated them: size, resize, crop, mean and deviation are those of the weights. The
weights are the published ones (the library in question downloads them, once), random ones, or those of a file, of
which nothing but numbers is read.
"""

from __future__ import annotations

import math
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from lookalike.core.errors import EncoderBroken, EncoderUnavailable, LookalikeError, MissingExtra, UnknownEncoder
from lookalike.training.exporters.exported_folder import Pictures, Towers
from lookalike.training.exporters.weights import brief, read_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PUBLISHED, RANDOM = "published", "random"
"""Instead of a file of weights."""
_OWN_WEIGHTS = "--weights FILE takes weights that are on this computer"


def open_timm(name: str, weights: str = PUBLISHED, side: int | None = None) -> Towers:
    """The network `name` of timm, such as convnext_tiny.fb_in22k or vit_small_patch14_dinov2.lvd142m; no words.

    `weights`: "published", "random", or the path of a file as torch or safetensors write it. `side`: pixels to look at,
    its makers' unless given. Raises MissingExtra, UnknownEncoder, EncoderUnavailable, EncoderBroken.
    """
    try:
        import timm
    except ImportError as error:
        raise MissingExtra("exporting a network of timm", "export") from error
    if not timm.is_model(name):
        raise unknown("timm", name, timm.list_models())
    published = timm.get_pretrained_cfg(name)
    options: dict[str, Any] = {"num_classes": 0}
    if side and published and published.fixed_input_size:
        options["img_size"] = side
    if weights not in (PUBLISHED, RANDOM):
        options["pretrained_cfg_overlay"] = {"file": weights}
    network = fetched(name, weights, lambda: timm.create_model(name, pretrained=weights != RANDOM, **options))
    known = timm.data.resolve_model_data_config(network)
    if known["crop_mode"] not in ("center", "squash"):
        raise EncoderBroken(f"{name} wants pictures prepared in a way that is not known here: {known['crop_mode']}")
    height, width = (side, side) if side else known["input_size"][1:]
    rules = _rules((height, width), known["mean"], known["std"], str(known["interpolation"]))
    rules["resize_mode"] = "squash" if known["crop_mode"] == "squash" else "shortest"
    if height == width and known["crop_pct"] < 1:
        rules["resize_size"] = math.floor(height / known["crop_pct"])
    return Towers(Pictures(network, rules), None, {"made_from": f"timm:{name}", "weights": weights})


def open_torchvision(name: str, weights: str = PUBLISHED, side: int | None = None) -> Towers:
    """The classifier `name` of torchvision, such as resnet50, without its classes, the last linear layer; no words.

    Arguments and errors as those of `open_timm`; the published weights are those that torchvision calls DEFAULT.
    """
    try:
        from torchvision import models
    except ImportError as error:
        raise MissingExtra("exporting a network of torchvision", "export") from error
    if name not in models.list_models(module=models):
        raise unknown("torchvision", name, models.list_models(module=models))
    published = models.get_model_weights(name).DEFAULT
    network = fetched(name, weights, lambda: _classifier(models, name, weights))
    without_classes(network, len(published.meta["categories"]))
    known = published.transforms()
    own, resized = known.crop_size[0], known.resize_size[0]
    rules = _rules((side or own,) * 2, known.mean, known.std, known.interpolation.value)
    if resized > own:
        rules["resize_size"] = round(resized * (side or own) / own)
    return Towers(Pictures(network, rules), None, {"made_from": f"torchvision:{name}", "weights": weights})


def without_classes(network: nn.Module, classes: int) -> None:
    """Let the network give what its last linear layer is fed with. Raises EncoderBroken where it has none."""
    linear = [path for path, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear or network.get_submodule(linear[-1]).out_features != classes:
        raise EncoderBroken(f"{type(network).__name__} does not end in a linear layer for {classes} classes")
    parent, _, last = linear[-1].rpartition(".")
    setattr(network.get_submodule(parent), last, nn.Identity())


def fetched(name: str, weights: str, opened: Callable[[], Any]) -> Any:
    """What `opened` returns. Raises EncoderUnavailable or EncoderBroken, by where the weights were to come from."""
    try:
        return opened()
    except LookalikeError:
        raise
    except Exception as error:  # libraries raise whatever network, archive or state dict make them raise
        if weights == PUBLISHED:
            raise EncoderUnavailable(
                f"the weights of {name} could not be had: {brief(error)}", hint=_OWN_WEIGHTS
            ) from error
        raise EncoderBroken(f"{weights} does not hold weights of {name}: {brief(error)}") from error


def unknown(library: str, name: str, names: Sequence[str]) -> UnknownEncoder:
    """The error for a network that the library does not have."""
    near = get_close_matches(name, names, n=3)
    return UnknownEncoder(f"{library} has no network {name}", hint=f"did you mean {' or '.join(near)}?" if near else "")


def _classifier(models: Any, name: str, weights: str) -> nn.Module:
    network: nn.Module = models.get_model(name, weights="DEFAULT" if weights == PUBLISHED else None)
    if weights not in (PUBLISHED, RANDOM):
        network.load_state_dict(read_weights(Path(weights)))
    return network


def _rules(size: tuple[int, int], mean: Sequence[float], std: Sequence[float], interpolation: str) -> dict[str, Any]:
    return {
        "size": list(size),
        "mode": "RGB",
        "mean": list(mean),
        "std": list(std),
        "interpolation": interpolation,
        "resize_mode": "shortest",
    }
